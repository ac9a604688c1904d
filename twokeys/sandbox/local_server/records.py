"""APIs that ministack lacks as a whole, answered from a record of our own, marked as such in every answer.

A record keeps what it is told and tells it again, per account: requests are signed and authorized like all others and
kept with ministack's state, but nothing acts on them. No analyzer analyzes, no anomaly is found.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias
from urllib.parse import unquote

from ministack.core import iam_actions, router
from ministack.core.responses import AccountScopedDict

from twokeys.sandbox.local_server.inside import app as ministack
from twokeys.sandbox.local_server.supplement import Answer, ApiError, json_answer, recorded

Payload: TypeAlias = dict[str, Any]
Operation: TypeAlias = Callable[[Payload], Payload]
Handler: TypeAlias = Callable[[str, str, Mapping[str, str], bytes, Mapping[str, list[str]]], Awaitable[Answer]]

STATE = "twokeys_records"
"""The name of the kept state."""

_stores: dict[str, AccountScopedDict] = {}


def store(name: str) -> AccountScopedDict:
    """The record of one kind of object, kept under this name; keys and values are the service's own."""
    return _stores.setdefault(name, AccountScopedDict())


def install() -> None:
    """Keep the records with ministack's state."""
    ministack.state_map[STATE] = STATE
    ministack.loaded_modules[STATE] = sys.modules[__name__]


def get_state() -> Payload:
    """All records of all accounts."""
    return dict(_stores)


def load_persisted_state(data: Payload) -> None:
    """Take over what was kept."""
    for name, kept in data.items():
        store(name).update(kept)


def serve_json(scope: str, operations: Mapping[str, Operation], *, namespace: str | None = None) -> None:
    """Answer a service of the AWS JSON protocol.

    Args:
        scope: the name that its requests are signed for ("ce").
        operations: by name; each takes the request's payload.
        namespace: the prefix of its IAM actions, when it is another.
    """

    async def answer(
        _method: str, _path: str, headers: Mapping[str, str], body: bytes, _query: Mapping[str, list[str]]
    ) -> Answer:
        name = headers.get("x-amz-target", "").rpartition(".")[2]
        return _answer(scope, name, operations.get(name), json.loads(body or b"{}"))

    _route(scope, namespace or scope, answer)


def serve_rest(scope: str, operations: Mapping[tuple[str, str, str], Operation]) -> None:
    """Answer a service of the AWS REST-JSON protocol.

    Args:
        scope: the name that its requests are signed for, and the prefix of its IAM actions.
        operations: by (operation, method, path with `{parameters}`, `{several+}` for one with slashes); each takes the
            body, with the parameters of the path and of the query in it.
    """
    routes = [(name, method, _pattern(path), operation) for (name, method, path), operation in operations.items()]

    async def answer(
        method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, list[str]]
    ) -> Answer:
        for name, allowed, pattern, operation in routes:
            found = pattern.fullmatch(path.rstrip("/"))
            if found is not None and method == allowed:
                refusal = _unauthorized(scope, name, headers)
                parameters = {key: unquote(value) for key, value in found.groupdict().items()}
                payload = {**json.loads(body or b"{}"), **{key: values[0] for key, values in query.items()}}
                if "tagKeys" in query:
                    payload["tagKeys"] = list(query["tagKeys"])
                return refusal or _answer(scope, name, operation, {**payload, **parameters})
        return _answer(scope, f"{method} {path}", None, {})

    _route(scope, None, answer)


def _pattern(path: str) -> re.Pattern[str]:
    several = re.sub(r"\{(\w+)\+\}", r"(?P<\1>.+)", path)
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", several))


def _route(scope: str, namespace: str | None, handler: Handler) -> None:
    router.SERVICE_PATTERNS[scope] = {"credential_scope": scope}
    ministack.SERVICE_HANDLERS[scope] = handler
    if namespace is not None:
        iam_actions.SERVICE_TO_IAM_NAMESPACE[scope] = namespace


def _unauthorized(scope: str, name: str, headers: Mapping[str, str]) -> Answer | None:
    """ministack finds the action of a JSON request itself; that of a REST request only we know."""
    refusal: Answer | None = ministack.enforce_data_plane(scope, f"{scope}:{name}", headers, {}, "")
    return refusal


def _answer(scope: str, name: str, operation: Operation | None, payload: Payload) -> Answer:
    def answer(request: Payload) -> Answer:
        try:
            if operation is None:
                raise ApiError("UnknownOperationException", f"The sandbox's record of {scope} has no operation {name}.")
            return json_answer(operation(request))
        except ApiError as error:
            return error.answer()

    return recorded(name, answer)(payload)
