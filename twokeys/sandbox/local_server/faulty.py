"""Does to the calls of the local AWS what a fault plan says (`twokeys.sandbox.local_server.faults`)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Final
from xml.sax.saxutils import escape

import hypercorn.asyncio.run
from hypercorn.asyncio.tcp_server import TCPServer
from ministack.core import responses
from ministack.services import organizations

from twokeys.sandbox.local_server import creation
from twokeys.sandbox.local_server.durable import App, Message, Receive, Send, access_key_of, operation_of, service_of
from twokeys.sandbox.local_server.faults import Call, Calls, Outcome, Plan, key_of

MARK: Final = "x-twokeys-fault"
"""The response header of an answer that a fault plan made up: `throttle` or `error`."""

_OWN_PATHS: Final = "/_ministack/"

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
_RATE_EXCEEDED: Final = "Rate exceeded"

_connections: dict[tuple[str, int], Callable[[], None]] = {}


class Faulty:
    """An ASGI application that passes calls on to `app`, or does to them what the plan says."""

    def __init__(self, app: App, plan: Plan) -> None:
        self._app = app
        self._plan = plan
        self._calls = Calls()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one connection's scope; lifespan and the server's own paths are never hit."""
        if scope["type"] != "http" or scope["path"].startswith(_OWN_PATHS):
            await self._app(scope, receive, send)
            return
        body = await _body(receive)
        outcome = self._plan.outcome(self._call(scope, body))
        await asyncio.sleep(outcome.wait_seconds)
        failure = None if outcome.failure is None else outcome.failure.reason
        with creation.asked(outcome.pending_seconds, failure):
            if outcome.ends:
                await self._end(outcome, scope, body, send)
            else:
                await self._app(scope, _replay(body, receive), send)

    def _call(self, scope: Message, body: bytes) -> Call:
        operation = operation_of(scope, body) or _named_by_path(scope)
        query = scope["query_string"].decode(errors="surrogateescape")
        request = f"{scope['method']} {scope['path']}?{query}\n{body.decode(errors='surrogateescape')}"
        return self._calls.next(service_of(scope), operation, key_of(_caller(scope), request, _name_of))

    async def _end(self, outcome: Outcome, scope: Message, body: bytes, send: Send) -> None:
        service = service_of(scope)
        if outcome.hang is not None:
            await asyncio.sleep(outcome.hang.seconds)
        elif outcome.throttle:
            code, status = _THROTTLING.get(service, _THROTTLING_ELSEWHERE)
            await _answer(scope, body, send, "throttle", (status, code, _RATE_EXCEEDED))
            return
        elif outcome.error is not None:
            error = outcome.error
            await _answer(scope, body, send, "error", (error.status, error.code, error.message))
            return
        elif outcome.cut is not None and outcome.cut.when == "after":
            await self._app(scope, _replay(body, None), _nowhere)
        _cut(scope)


def install() -> None:
    """Let connections be cut: hypercorn answers 500 for an application that says nothing."""
    vars(hypercorn.asyncio.run)["TCPServer"] = _Connection


class _Connection(TCPServer):
    async def run(self) -> None:
        """Serve one connection, known by its client's address meanwhile."""
        client = self.writer.get_extra_info("peername")
        _connections[client] = self.writer.transport.abort
        try:
            await super().run()
        finally:
            del _connections[client]


def _cut(scope: Message) -> None:
    if abort := _connections.get(tuple(scope["client"])):  # else the client was first
        abort()


async def _body(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        body.extend(message.get("body", b""))
        if not message.get("more_body"):
            return bytes(body)


def _replay(body: bytes, then: Receive | None) -> Receive:
    """The body once more, and after it what the client does; one that was cut off is gone."""
    told = False

    async def receive() -> Message:
        nonlocal told
        if told:
            return await then() if then else {"type": "http.disconnect"}
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


async def _nowhere(_: Message) -> None:
    pass


async def _answer(scope: Message, body: bytes, send: Send, fault: str, error: tuple[int, str, str]) -> None:
    status, code, message = error
    headers = [(MARK.encode(), fault.encode())]
    if operation_of(scope, body) and not _target(scope):
        headers.append((b"content-type", b"text/xml"))
        content = _query_error(service_of(scope), code, message)
    elif service_of(scope) == "s3":
        headers.append((b"content-type", b"application/xml"))
        content = f"<Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
    else:
        headers += [(b"content-type", b"application/x-amz-json-1.1"), (b"x-amzn-errortype", code.encode())]
        content = json.dumps({"__type": code, "message": message, "Message": message})
    headers.append((b"content-length", str(len(content.encode())).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content.encode()})


def _query_error(service: str, code: str, message: str) -> str:
    """As the query protocol has it, or EC2's own: https://smithy.io/2.0/aws/protocols/aws-ec2-query-protocol.html."""
    error = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
    if service == "ec2":
        return f"<Response><Errors><Error>{error}</Error></Errors><RequestID>fault</RequestID></Response>"
    return f"<ErrorResponse><Error><Type>Sender</Type>{error}</Error><RequestId>fault</RequestId></ErrorResponse>"


def _target(scope: Message) -> bool:
    return any(name == b"x-amz-target" for name, _ in scope["headers"])


def _named_by_path(scope: Message) -> str:
    """Account Management's paths are its operations: `/putAlternateContact`."""
    name: str = scope["path"].strip("/")
    return name[:1].upper() + name[1:] if service_of(scope) == "account" and name.isalpha() else ""


def _caller(scope: Message) -> str:
    key = access_key_of(scope)
    return key if key.isdigit() else responses._account_from_sts_session(key) or key


def _name_of(account: str) -> str | None:
    """The e-mail address of an account of the local AWS's own organization; other accounts keep their number."""
    found = organizations._accounts.get_scoped(responses.get_account_id(), None, account)
    return found["Email"] if found else None
