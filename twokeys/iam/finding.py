"""What is wrong with a policy, and where AWS says so."""

from dataclasses import dataclass
from enum import Enum
from functools import partial

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
        message: what is wrong.
        url: the AWS page.
        next_step: what to do.
    """

    rule: str
    statement: int | None
    path: str
    message: str
    url: str
    next_step: str
    severity: Severity = Severity.WARNING


def warning(  # noqa: PLR0913, PLR0917 - what a finding is made of
    rule: str, at: Statement, element: str, message: str, step: str, page: str, severity: Severity = Severity.WARNING
) -> PolicyFinding:
    """A finding on an element of a statement; `page` is one of the IAM user guide, or an address."""
    path, url = f"Statement[{at.index}].{element}", page if "://" in page else GUIDE + page
    return PolicyFinding(rule, at.index, path, message, url, step, severity)


error = partial(warning, severity=Severity.ERROR)
"""Like `warning`, for what AWS refuses or what cannot work."""


def path_of(clause: ConditionClause) -> str:
    """Where in its statement a condition stands."""
    return f"Condition.{clause.operator}.{clause.key}"
