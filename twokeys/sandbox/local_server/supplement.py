"""How an operation that ministack lacks is added to it, marked as ours in every answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeAlias

Answer: TypeAlias = tuple[int, dict[str, str], bytes]

MARK = "x-twokeys-supplement"
"""The response header that names an operation which TwoKeys answers in ministack's place."""

RECORD = "x-twokeys-record"
"""The header beside it when the answer is TwoKeys's own record: what was asked is kept and told again, nothing more."""


def marked(operation: str, handler: Callable[[Any], Answer]) -> Callable[[Any], Answer]:
    """`handler`, with `MARK: operation` in its answers."""

    def answer(request: Any) -> Answer:  # noqa: ANN401 - ministack's requests have no type
        status, headers, body = handler(request)
        return status, {**headers, MARK: operation}, body

    return answer


def recorded(operation: str, handler: Callable[[Any], Answer]) -> Callable[[Any], Answer]:
    """`handler`, marked as one that only keeps a record."""

    def answer(request: Any) -> Answer:  # noqa: ANN401 - as above
        status, headers, body = handler(request)
        return status, {**headers, MARK: operation, RECORD: operation}, body

    return answer


def json_answer(body: dict[str, Any], status: int = 200) -> Answer:
    """An answer of the AWS JSON and REST-JSON protocols."""
    return status, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(body).encode()


class ApiError(Exception):
    """An AWS error answer: its code (`AccountNotFoundException`), message and, for some codes, its reason."""

    def __init__(self, code: str, message: str, *, reason: str | None = None) -> None:
        self.code = code
        self.reason = reason
        super().__init__(message)

    def answer(self) -> Answer:
        """As the AWS JSON protocols send it."""
        status, headers, body = json_answer(
            {"__type": self.code, "message": str(self), **({"Reason": self.reason} if self.reason else {})}, 400
        )
        return status, {**headers, "x-amzn-errortype": self.code}, body
