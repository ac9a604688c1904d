"""What a statement or a verdict demands of a session beside its identity."""

from __future__ import annotations

from collections.abc import Iterable

from twokeys.iam import Requirement, Statement

_EQUALS = frozenset({"StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike"})
_MFA = frozenset({"aws:multifactorauthpresent", "aws:multifactorauthage"})


def demanded_keys(statement: Statement) -> frozenset[str]:
    """The condition keys, in lower case, for which a statement demands one of certain values.

    Not those that are negated, that hold when the key is absent, or that `*` satisfies.
    """
    return frozenset(
        clause.lower_key
        for clause in statement.conditions
        if clause.base.name in _EQUALS
        and not clause.if_exists
        and clause.set_operator != "ForAllValues"
        and not any(isinstance(value, str) and not value.strip("*?") for value in clause.values)
    )


def requires_mfa(requirements: Iterable[Requirement]) -> bool:
    """Whether a session has to be signed in with MFA to meet the requirements.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-multifactorauthpresent
    """
    return any(
        all(requires_mfa(group) for group in requirement.any_of) if requirement.any_of else _asks_for_mfa(requirement)
        for requirement in requirements
    )


def in_words(requirement: Requirement) -> str:
    """A requirement for people: "MFA" and "external ID" for the two that everybody has, else as the policy has it."""
    if requires_mfa([requirement]):
        return "MFA"
    if (
        requirement.key.lower() == "sts:externalid"
        and requirement.operator == "StringEquals"
        and not requirement.negated
    ):
        return "external ID"
    return str(requirement)


def _asks_for_mfa(requirement: Requirement) -> bool:
    if requirement.key.lower() not in _MFA:
        return False
    operator = requirement.operator.removeprefix("ForAnyValue:")
    values = {value.lower() for value in requirement.values}
    if requirement.negated:
        return operator == "BoolIfExists" and values == {"false"}
    return (operator == "Bool" and values == {"true"}) or operator.startswith("NumericLess")
