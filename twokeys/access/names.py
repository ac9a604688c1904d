"""Whom a trust policy names, and which roles an identity-based policy names: what the graph is indexed by."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from twokeys.access.requirements import demanded_values
from twokeys.iam import PolicyDocument, Statement
from twokeys.iam.truth import Truth

ASSUME_ROLE = "sts:AssumeRole"
EVERYONE = "*"
_WHOLE = re.compile(r"(?:arn:[^:]+:iam::)?(\d{12}|account:[A-Za-z0-9_-]+)(?::root)?")
_PRINCIPAL = re.compile(r"arn:[^:*?]+:iam::(\d{12}|account:[A-Za-z0-9_-]+):(?:role|user)/[^*?$]+")


def trusted_names(trust: PolicyDocument) -> tuple[str, ...]:
    """The AWS principals that a trust policy allows `sts:AssumeRole`, as it names them; `*` for everyone.

    A statement for an account as a whole, or for everyone, that demands certain ARNs of `aws:PrincipalArn` names those.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn
    """
    names: dict[str, None] = {}
    for statement in _allowing(trust):
        if statement.not_principals is not None or statement.principals is None or statement.principals.everyone:
            listed: Iterable[object] = (EVERYONE,)
        else:
            listed = statement.principals.aws
        for name in listed:
            if isinstance(name, str):
                names |= dict.fromkeys(_narrowed(statement, name))
    return tuple(names)


def _narrowed(statement: Statement, name: str) -> tuple[str, ...]:
    """Those whom a condition picks from a name that stands for many; the name itself where it picks none by ARN."""
    whole = _WHOLE.fullmatch(name)
    if whole is None and name != EVERYONE:
        return (name,)
    for values in demanded_values(statement, "aws:principalarn"):
        found = [_PRINCIPAL.fullmatch(value) if isinstance(value, str) else None for value in values]
        exact = [one for one in found if one is not None]
        picked = tuple(one.group() for one in exact if whole is None or one.group(1) == whole.group(1))
        if picked and len(exact) == len(found):
            return picked
    return (name,)


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
