"""Acknowledged means kept: a change is on disk before its answer leaves.

ministack itself writes its state at an orderly end only: measured, everything is lost at `kill -9`. Here each request
that may change something is answered only after the changed services' states were written, each by an atomic rename.
Services are plain synchronous code on one event loop, so a state is never read half-changed.
"""

from __future__ import annotations

import json
import os
import re
import sys
import types
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import parse_qs

from ministack import app as ministack
from ministack.core import persistence
from ministack.services import iam, organizations, sts

from twokeys.sandbox.local_server import records

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

_READ_PREFIXES = ("Get", "List", "Describe", "Simulate", "Head")
_CHANGING_GETS = ("GetSessionToken", "GetFederationToken")
_CREDENTIAL_SCOPE = re.compile(r"Credential=[^/]+/\d+/[^/]*/([^/]+)/aws4_request")
_CHANGED_BY = {
    "iam": ("iam", records.STATE),
    "sts": ("sts",),
    "account": ("account", "organizations"),
    "organizations": ("organizations", "iam"),
    **dict.fromkeys(
        ("ce", "bcm-data-exports", "sso", "identitystore", "access-analyzer", "guardduty"), (records.STATE,)
    ),
}
"""Which states a service's requests change; those of other services may change any (S3 notifies other services)."""

EXIT_NOT_KEPT = 74
"""The exit code (EX_IOERR) when a change could not be written: what cannot be kept must not be served."""


class Durable:
    """An ASGI application that answers for `app`, after keeping what the request changed."""

    def __init__(self, app: Callable[[Message, Receive, Send], Awaitable[None]]) -> None:
        self._app = app
        self._kept: dict[str, str] = {}

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one connection's scope; lifespan and reads pass through untouched."""
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
        operation = _operation(scope, bytes(body))
        if operation in _CHANGING_GETS or not operation.startswith(_READ_PREFIXES):
            self._keep(_CHANGED_BY.get(_service(scope)))
        for message in answer:
            await send(message)

    def _keep(self, services: tuple[str, ...] | None) -> None:
        try:
            for service, read in ministack._build_persistence_save_dict().items():
                if services is not None and service not in services:
                    continue
                text = json.dumps(read(), default=persistence._json_default)
                if self._kept.get(service) != text:
                    _write(Path(persistence.STATE_DIR) / f"{service}.json", text, service)
                    self._kept[service] = text
        except OSError as error:
            sys.stderr.write(f"The change cannot be kept ({error}); stopping, so that nothing unkept is served.\n")
            sys.stderr.flush()
            os._exit(EXIT_NOT_KEPT)


def refuse_damaged_states() -> None:
    """End with a message instead of starting without what was kept, as ministack would, and then overwriting it."""
    for path in sorted(Path(persistence.STATE_DIR).glob("*.json")):
        try:
            json.loads(path.read_text())
        except ValueError as error:
            sys.exit(f"The kept state {path} is damaged: {error}. Restore it, or move it away to start without it.")


def without_copies() -> None:
    """Read states without copying them first: two thirds of the cost, and they are written out before anything changes.

    Both modules copy for no other purpose.
    """
    for module in (iam, organizations):
        module.copy = types.SimpleNamespace(deepcopy=lambda state: state)


def keep_sessions() -> None:
    """Keep role sessions too (ministack forgets them), so that credentials outlive a restart as they do on AWS."""

    def restore(data: dict[str, Any]) -> None:
        sts._sessions.update(data["sessions"])

    sts.get_state = lambda: {"sessions": dict(sts._sessions)}
    sts.load_persisted_state = restore


def _write(path: Path, state: str, service: str) -> None:
    """Write in ministack's own format, so that its loader reads it at the next start."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    version = persistence._state_format_version(service)
    new.write_text(f'{{"__ministack_format__": {version}, "payload": {state}}}')
    new.replace(path)


def _service(scope: Message) -> str:
    """The service that a signed request is for: `Credential=KEY/date/region/SERVICE/aws4_request`; "" when unsigned."""
    for name, value in scope["headers"]:
        if name == b"authorization":
            signed = _CREDENTIAL_SCOPE.search(value.decode(errors="replace"))
            return signed[1] if signed else ""
    return ""


def _operation(scope: Message, body: bytes) -> str:
    """The API operation that a request names, or "" where the protocol has none (REST): that may change something."""
    for name, value in scope["headers"]:
        if name == b"x-amz-target":
            return str(value.decode().rpartition(".")[2])
    if body.startswith(b"Action=") or b"&Action=" in body:
        return parse_qs(body.decode(errors="replace")).get("Action", [""])[0]
    return ""
