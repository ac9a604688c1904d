"""What a check found: it passes, it is worth knowing, or it would stop the first update."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Plain:
    """A dataclass whose fields are JSON-ready, for `--json`."""

    def as_dict(self) -> dict[str, Any]:
        """Its fields, named as JSON names them."""
        from pydantic.alias_generators import to_camel  # noqa: PLC0415 - help starts without it

        return {to_camel(key): value for key, value in asdict(self).items()}  # type: ignore[call-overload] # a dataclass


class Status(StrEnum):
    """How a check ended."""

    PASS = "pass"  # noqa: S105 - no password
    WARNING = "warning"
    FAILURE = "failure"


@dataclass(frozen=True)
class CheckResult(Plain):
    """One result of one check.

    Attributes:
        where: the stack, account, unit or file that it is about; empty for what passes, as is all that follows.
        what: what is so, as a sentence without its full stop.
        next_step: what to do about it.
        check: the check's name ("e-mail"), which preflight gives it.
    """

    status: Status
    where: str = ""
    what: str = ""
    next_step: str = ""
    check: str = ""


def warning(where: str, what: str, next_step: str) -> CheckResult:
    """It does not stop an update, and somebody should know."""
    return CheckResult(Status.WARNING, where, what, next_step)


def failure(where: str, what: str, next_step: str) -> CheckResult:
    """An update would fail, or cannot be known to succeed."""
    return CheckResult(Status.FAILURE, where, what, next_step)
