"""Whom a trust policy names, and which roles an identity-based policy names: what the graph is indexed by."""

from __future__ import annotations

from collections.abc import Iterator

from twokeys.iam import PolicyDocument, Statement
from twokeys.iam.truth import Truth

ASSUME_ROLE = "sts:AssumeRole"
EVERYONE = "*"


def trusted_names(trust: PolicyDocument) -> tuple[str, ...]:
    """The AWS principals that a trust policy allows `sts:AssumeRole`, as it names them; `*` for everyone."""
    names: dict[str, None] = {}
    for statement in _allowing(trust):
        if statement.not_principals is not None or statement.principals is None or statement.principals.everyone:
            names[EVERYONE] = None
        else:
            names |= {name: None for name in statement.principals.aws if isinstance(name, str)}
    return tuple(names)


def granted_resources(policy: PolicyDocument) -> tuple[str, ...]:
    """The resources, exact or with wildcards, on which an identity-based policy allows `sts:AssumeRole`."""
    names: dict[str, None] = {}
    for statement in _allowing(policy):
        if statement.resources is None:
            names["*"] = None
        else:
            names |= {name: None for name in statement.resources if isinstance(name, str)}
    return tuple(names)


def _allowing(policy: PolicyDocument) -> Iterator[Statement]:
    return (
        statement
        for statement in policy.statements
        if statement.effect == "Allow" and statement.covers_action(ASSUME_ROLE) is not Truth.FALSE
    )
