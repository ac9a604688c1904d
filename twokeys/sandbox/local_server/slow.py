"""An AWS that is slow and throttles, for benchmarks: calls wait, and a share of them is told to come again.

Chances are drawn from a fixed seed in the order of the calls, so one client that makes the same calls meets the same
outcomes in every run.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final, TypeAlias

Message: TypeAlias = MutableMapping[str, Any]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Message, Any, Send], Awaitable[None]]

_OWN_PATHS: Final = "/_ministack/"
_SIGNED: Final = re.compile(rb"Credential=[^/]+/\d+/[^/]*/([^/]+)/aws4_request")
# The code and status that each service throttles with, from the AWS pages of common errors and from botocore's models;
# botocore's retry modes know them all: https://docs.aws.amazon.com/boto3/latest/guide/retries.html
_THROTTLING: Final = {
    b"iam": ("Throttling", 400),
    b"sts": ("Throttling", 400),
    b"organizations": ("TooManyRequestsException", 400),
    b"account": ("TooManyRequestsException", 429),
    b"ec2": ("RequestLimitExceeded", 503),
    b"s3": ("SlowDown", 503),
}
_ERROR: Final = "<Error><Code>{}</Code><Message>Rate exceeded</Message></Error>"
_IN_XML: Final = {
    b"iam": f"<ErrorResponse>{_ERROR}</ErrorResponse>",
    b"sts": f"<ErrorResponse>{_ERROR}</ErrorResponse>",
    b"ec2": f"<Response><Errors>{_ERROR}</Errors></Response>",
    b"s3": _ERROR,
}


def slow(app: App, longest: float, throttled: float) -> App:
    """`app`, whose calls wait up to `longest` seconds and of which the share `throttled` is throttled."""
    chance = random.Random(7)  # noqa: S311 - repeatable on purpose

    async def answer(scope: Message, receive: Any, send: Send) -> None:  # noqa: ANN401 - ASGI's callable
        if scope["type"] == "http" and not scope["path"].startswith(_OWN_PATHS):
            await asyncio.sleep(longest * (0.25 + 0.75 * chance.random()))
            if chance.random() < throttled:
                await _read_whole(receive)
                await _throttle(dict(scope["headers"]).get(b"authorization", b""), send)
                return
        await app(scope, receive, send)

    return answer


async def _read_whole(receive: Any) -> None:  # noqa: ANN401 - ASGI's callable
    """Take the request to its end: who answers before it makes the server close a connection that SDKs use again."""
    while (await receive()).get("more_body"):
        pass


async def _throttle(signed: bytes, send: Send) -> None:
    found = _SIGNED.search(signed)
    service = found[1] if found else b""
    code, status = _THROTTLING.get(service, ("ThrottlingException", 400))
    plain = json.dumps({"__type": code, "message": "Rate exceeded"})
    content = _IN_XML[service].format(code) if service in _IN_XML else plain
    headers = [(b"x-amzn-errortype", code.encode()), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content.encode()})
