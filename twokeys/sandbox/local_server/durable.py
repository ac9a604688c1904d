"""Acknowledged means kept: a change is on disk before its answer leaves.

ministack itself writes its state at an orderly end only: measured, everything is lost at `kill -9`. Here each request
that may change something is answered only after what it changed was committed (`twokeys.sandbox.local_server.kept`).
Services are plain synchronous code on one event loop, so a state is never read half-changed.
"""

from __future__ import annotations

import os
import re
import sys
import traceback
import types
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from pathlib import Path
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qs

from ministack import app as ministack
from ministack.core import persistence
from ministack.core.responses import AccountScopedDict
from ministack.services import iam, organizations, sts

from twokeys.sandbox.local_server import creation, records
from twokeys.sandbox.local_server.kept import DamagedError, Kept, NotKeptError
from twokeys.sandbox.local_server.supplement import RECORD
from twokeys.sandbox.local_server.tracking import TrackedConstants, track

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Message, Receive, Send], Awaitable[None]]

_READ_PREFIXES = ("Get", "List", "Describe", "Simulate", "Head")
_CHANGING_GETS = ("GetSessionToken", "GetFederationToken")
_CREDENTIAL = re.compile(r"Credential=([^/]+)/\d+/[^/]*/([^/]+)/aws4_request")

_TRACKED: Final = ("iam", "organizations", "sts", "account", records.STATE)
"""The states whose stores are tracked, so that looking for what changed in them costs nothing where nothing did."""
_CHANGES_ONLY_TRACKED: Final = frozenset(
    (
        "iam",
        "sts",
        "account",
        "organizations",
        "ce",
        "bcm-data-exports",
        "sso",
        "identitystore",
        "access-analyzer",
        "guardduty",
    )
)
"""Services whose requests change no other state; those of the rest may change any (S3 notifies other services)."""

EXIT_NOT_KEPT = 74
"""The exit code (EX_IOERR) when a change could not be written: what cannot be kept must not be served."""


class Durable:
    """An ASGI application that answers for `app`, after keeping what the request changed."""

    def __init__(self, app: App, kept: Kept) -> None:
        self._app = app
        self._kept = kept

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one connection's scope; lifespan and reads pass through untouched."""
        if scope["type"] == "http" and creation.complete_due():
            keep(self._kept, only_tracked=True)
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            await self._app(scope, receive, send)
            return
        body = bytearray()
        answer: list[Message] = []

        async def listening() -> Message:
            message = await receive()
            body.extend(message.get("body", b""))
            return message

        async def holding(message: Message) -> None:
            answer.append(message)

        await self._app(scope, listening, holding)
        operation = operation_of(scope, bytes(body))
        if operation in _CHANGING_GETS or not operation.startswith(_READ_PREFIXES):
            only_tracked = service_of(scope) in _CHANGES_ONLY_TRACKED or _is_record(answer)
            keep(self._kept, only_tracked=only_tracked)
        for message in answer:
            await send(message)


def use(kept: Kept) -> None:
    """Let ministack start from what is kept, and its stores be followed; call it once all supplements are there."""
    for module in (iam, organizations):
        # Both modules copy for no other purpose than to hand out their state, which here is only read.
        module.copy = types.SimpleNamespace(deepcopy=lambda state: state)
    _keep_sessions()
    states = ministack._build_persistence_save_dict()
    for service in _TRACKED:
        if service in states:
            for store in states[service]().values():
                if isinstance(store, AccountScopedDict):
                    track(store)
    ministack._load_persisted_state = lambda: _restore(kept)
    ministack.save_all = lambda _: keep(kept, only_tracked=False)


def keep(kept: Kept, *, only_tracked: bool) -> None:
    """Write what changed, or end the process: what cannot be kept is never served."""
    states = ministack._build_persistence_save_dict()
    read = {
        service: state
        for service, get_state in states.items()
        if (service in _TRACKED or not only_tracked) and (state := get_state()) is not None
    }
    try:
        kept.keep(read)
    except NotKeptError as error:
        sys.stderr.write(f"The change cannot be kept ({error}); stopping, so that nothing unkept is served.\n")
        sys.stderr.flush()
        os._exit(EXIT_NOT_KEPT)


def open_kept() -> Kept:
    """What is kept; ends with a message instead of starting without it, as ministack would, and then overwriting it."""
    try:
        return Kept(Path(persistence.STATE_DIR))
    except (DamagedError, OSError) as error:
        sys.exit(str(error))


def _restore(kept: Kept) -> None:
    """As ministack does, but a state that a service cannot take over ends the process.

    ministack would go on without it, and the next change would remove it. This runs at an ASGI start-up, where an
    exception of any kind only makes the server go on without one.
    """
    for service, module in ministack._state_map.items():
        state = kept.state(service)
        try:
            if state:
                ministack._get_module(module).load_persisted_state(state)
        except Exception:
            sys.stderr.write(f"The kept state of {service} cannot be taken over:\n{traceback.format_exc()}")
            sys.stderr.flush()
            os._exit(1)


def _keep_sessions() -> None:
    """Keep role sessions too (ministack forgets them), so that credentials outlive a restart as they do on AWS."""

    def restore(data: Mapping[str, Any]) -> None:
        sts._sessions.update(data["sessions"])

    sts._sessions = TrackedConstants(sts._sessions)
    sts.get_state = lambda: {"sessions": sts._sessions}
    sts.load_persisted_state = restore


def _is_record(answer: list[Message]) -> bool:
    """Whether a record of ours answered (`supplement.recorded`): then nothing else can have changed."""
    return any(name.lower() == RECORD.encode() for message in answer[:1] for name, _ in message.get("headers", ()))


def service_of(scope: Message) -> str:
    """The service that a signed request is for; "" when it is unsigned."""
    return _credential(scope)[1]


def access_key_of(scope: Message) -> str:
    """The access key id that a request is signed with; "" when it is unsigned."""
    return _credential(scope)[0]


def _credential(scope: Message) -> tuple[str, str]:
    """The key and service of `Credential=KEY/date/region/SERVICE/aws4_request`."""
    for name, value in scope["headers"]:
        if name == b"authorization":
            signed = _CREDENTIAL.search(value.decode(errors="replace"))
            return (signed[1], signed[2]) if signed else ("", "")
    return "", ""


def operation_of(scope: Message, body: bytes) -> str:
    """The API operation that a request names, or "" where the protocol has none (REST): that may change something."""
    for name, value in scope["headers"]:
        if name == b"x-amz-target":
            return str(value.decode().rpartition(".")[2])
    if body.startswith(b"Action=") or b"&Action=" in body:
        return parse_qs(body.decode(errors="replace")).get("Action", [""])[0]
    return ""
