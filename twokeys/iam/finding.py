"""What is wrong with a policy, and where AWS says so."""

from dataclasses import dataclass, replace
from enum import Enum

from twokeys.iam.conditions import ConditionClause
from twokeys.iam.documents import Statement

GUIDE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/"


class Severity(Enum):
    """How bad a finding is."""

    ERROR = "error"
    """AWS refuses it, or it cannot work."""
    WARNING = "warning"
    """It lets in more than it seems to."""


@dataclass(frozen=True)
class PolicyFinding:
    """One thing to change.

    Attributes:
        rule: a short stable name, such as `wildcard-principal`.
        statement: the index of the statement; None for the document as a whole.
        path: the JSON path of the element.
        message: what is wrong and what to do instead.
        url: the AWS page.
        next_step: what to do, where the message does not say it.
    """

    rule: str
    statement: int | None
    path: str
    message: str
    url: str
    severity: Severity = Severity.WARNING
    next_step: str = "correct it"


def warning(rule: str, statement: Statement, element: str, message: str, page: str) -> PolicyFinding:
    """A finding on an element of a statement; `page` is one of the IAM user guide."""
    return PolicyFinding(rule, statement.index, f"Statement[{statement.index}].{element}", message, GUIDE + page)


def error(  # noqa: PLR0913 - what a finding is made of
    rule: str, statement: Statement, element: str, message: str, page: str, *, step: str = "correct it"
) -> PolicyFinding:
    """Like `warning`, for what AWS refuses or what cannot work."""
    found = warning(rule, statement, element, message, page)
    return replace(found, severity=Severity.ERROR, next_step=step)


def path_of(clause: ConditionClause) -> str:
    """Where in its statement a condition stands."""
    return f"Condition.{clause.operator}.{clause.key}"
