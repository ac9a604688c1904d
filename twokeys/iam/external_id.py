"""Which conditions ask for an external ID: the one reading of it, of statements and of verdicts.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html
"""

import re
from collections.abc import Iterable

from twokeys.iam.documents import Statement
from twokeys.iam.operators import operator_named
from twokeys.iam.sts import EXTERNAL_ID
from twokeys.iam.verdict import Requirement

_VARIABLE = re.compile(r"\$\{[^}]{2,}\}")
_PATTERN = re.compile(r"[*?]|\$\{[^}]{2,}\}")


def is_external_id(one: Requirement) -> bool:
    """Whether a requirement is one of certain external IDs: exact values, which may not be known yet.

    A pattern can be met by guessing, a variable about the caller by anybody, and what holds without the key by whoever
    names none.
    """
    operator = operator_named(one.operator)
    if one.key.lower() != EXTERNAL_ID or operator is None or operator.family not in ("string", "arn"):
        return False
    if one.negated:
        without = one.operator.startswith("ForAnyValue:")
    else:
        without = one.operator.startswith("ForAllValues:") or one.operator.endswith("IfExists")
    guessed = _PATTERN if operator.takes_patterns else _VARIABLE
    certain = any(value.strip("*?") for value in one.values) and not any(map(guessed.search, one.values))
    return operator.negated is one.negated and not without and certain


def asks_for_external_id(requirements: Iterable[Requirement]) -> bool:
    """Whether whoever meets the requirements names one of certain external IDs."""
    return any(
        all(map(asks_for_external_id, one.any_of)) if one.any_of else is_external_id(one) for one in requirements
    )


def demands_external_id(statement: Statement) -> bool:
    """Whether a statement is for calls with one of certain external IDs only."""
    return asks_for_external_id(clause.requirement() for clause in statement.conditions)
