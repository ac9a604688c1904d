"""What an operation that is added to ministack answers."""

import json
from collections.abc import Callable
from typing import Any, TypeAlias

Answer: TypeAlias = tuple[int, dict[str, str], bytes]
Payload: TypeAlias = dict[str, Any]
Handler: TypeAlias = Callable[[Payload], Answer]


def json_answer(body: dict[str, Any], status: int = 200) -> Answer:
    """An answer of the AWS JSON and REST-JSON protocols."""
    return status, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(body).encode()


class ApiError(Exception):
    """An AWS error answer: its code (`AccountNotFoundException`), message and, for some codes, its reason."""

    def __init__(self, code: str, message: str, *, reason: str | None = None, status: int = 400) -> None:
        self.code, self.reason, self.status = code, reason, status
        super().__init__(message)

    def answer(self) -> Answer:
        """As the AWS JSON protocols send it."""
        status, headers, body = json_answer(
            {"__type": self.code, "message": str(self), **({"Reason": self.reason} if self.reason else {})}, self.status
        )
        return status, {**headers, "x-amzn-errortype": self.code}, body


def answering(operation: Callable[[Payload], Payload | Answer]) -> Handler:
    """An operation that answers with JSON, or with the error that it raises."""

    def answer(payload: Payload) -> Answer:
        try:
            result = operation(payload)
        except ApiError as error:
            return error.answer()
        return json_answer(result) if isinstance(result, dict) else result

    return answer
