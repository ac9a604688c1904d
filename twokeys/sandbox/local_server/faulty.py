"""Makes the calls of the local AWS slow or throttled, as a fault plan says (`twokeys.sandbox.local_server.faults`)."""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from twokeys.sandbox.local_server.faults import Plan

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Message, Receive, Send], Awaitable[None]]

MARK: Final = "x-twokeys-fault"
"""The response header of an answer that a fault plan made up."""

_OWN_PATHS: Final = "/_ministack/"
_SIGNED: Final = re.compile(r"Credential=[^/]+/\d+/[^/]*/([^/]+)/aws4_request")
# The code and status that each service throttles with, from the AWS pages of common errors and from botocore's models;
# botocore's retry modes know them all: https://docs.aws.amazon.com/boto3/latest/guide/retries.html
_THROTTLING: Final = {
    "iam": ("Throttling", 400),
    "sts": ("Throttling", 400),
    "organizations": ("TooManyRequestsException", 400),
    "account": ("TooManyRequestsException", 429),
    "ec2": ("RequestLimitExceeded", 503),
    "s3": ("SlowDown", 503),
}
_THROTTLING_ELSEWHERE: Final = ("ThrottlingException", 400)


class Faulty:
    """An ASGI application that passes calls on to `app` late, or throttles them."""

    def __init__(self, app: App, plan: Plan) -> None:
        self._app = app
        self._plan = plan
        self._chance = random.Random(plan.seed)  # noqa: S311 - repeatable on purpose

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one connection's scope; lifespan and the server's own paths are never hit."""
        if scope["type"] != "http" or scope["path"].startswith(_OWN_PATHS):
            await self._app(scope, receive, send)
            return
        body = await _body(receive)
        service, headers = _service_of(scope), dict(scope["headers"])
        operation = _operation_of(headers, body) or _named_by_path(service, scope["path"])
        outcome = self._plan.outcome(service, operation, self._chance)
        await asyncio.sleep(outcome.wait_seconds)
        if outcome.throttle:
            await _throttle(service, send, query=bool(operation) and b"x-amz-target" not in headers)
        else:
            await self._app(scope, _replay(body, receive), send)


async def _body(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        body.extend(message.get("body", b""))
        if not message.get("more_body"):
            return bytes(body)


def _replay(body: bytes, then: Receive) -> Receive:
    """The body once more, and after it what the client does."""
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return waiting.pop() if waiting else await then()

    return receive


async def _throttle(service: str, send: Send, *, query: bool) -> None:
    code, status = _THROTTLING.get(service, _THROTTLING_ELSEWHERE)
    headers = [(MARK.encode(), b"throttle")]
    error = f"<Code>{escape(code)}</Code><Message>Rate exceeded</Message>"
    if service == "s3":
        content, kind = f"<Error>{error}</Error>", "application/xml"
    elif service == "ec2":  # https://smithy.io/2.0/aws/protocols/aws-ec2-query-protocol.html
        content, kind = (
            f"<Response><Errors><Error>{error}</Error></Errors><RequestID>0</RequestID></Response>",
            "text/xml",
        )
    elif query and service != "account":
        content = f"<ErrorResponse><Error><Type>Sender</Type>{error}</Error><RequestId>0</RequestId></ErrorResponse>"
        kind = "text/xml"
    else:
        content = json.dumps({"__type": code, "message": "Rate exceeded", "Message": "Rate exceeded"})
        kind = "application/x-amz-json-1.1"
        headers.append((b"x-amzn-errortype", code.encode()))
    headers += [(b"content-type", kind.encode()), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content.encode()})


def _service_of(scope: Message) -> str:
    """The service of `Credential=KEY/date/region/SERVICE/aws4_request`; "" when the request is unsigned."""
    signed = _SIGNED.search(dict(scope["headers"]).get(b"authorization", b"").decode(errors="replace"))
    return signed[1] if signed else ""


def _operation_of(headers: dict[bytes, bytes], body: bytes) -> str:
    """The API operation that a request names, or "" where the protocol has none (REST)."""
    if b"x-amz-target" in headers:
        return str(headers[b"x-amz-target"].decode().rpartition(".")[2])
    if body.startswith(b"Action=") or b"&Action=" in body:
        return parse_qs(body.decode(errors="replace")).get("Action", [""])[0]
    return ""


def _named_by_path(service: str, path: str) -> str:
    """Account Management's paths are its operations: `/putAlternateContact`."""
    name = path.strip("/")
    return name[:1].upper() + name[1:] if service == "account" and name.isalpha() else ""
