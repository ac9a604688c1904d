"""The statements of a document that can bear on one door: looked up by name, where a document has many of them.

A role with two thousand statements of one role each would otherwise be read two thousand times over.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace

from twokeys.access.names import ASSUME_ROLE
from twokeys.iam import Glob, PolicyDocument, Statement, Unknown, account_as_a_whole
from twokeys.iam.truth import Truth

_FEW = 8


class Relevant:
    """Cuts documents down to what bears on a role that is granted, or on a principal that is trusted."""

    def __init__(self) -> None:
        self._grants: dict[int, _Index] = {}
        self._trusts: dict[int, _Index] = {}

    def to_role(self, policy: PolicyDocument | Unknown, role: str) -> PolicyDocument | Unknown:
        """An identity-based policy without the statements that name other roles by their exact ARNs."""
        return _cut(policy, role, self._grants, _roles_named)

    def of_principal(self, policy: PolicyDocument | Unknown, principal: str) -> PolicyDocument | Unknown:
        """A trust policy without the statements that name other roles and users by their exact ARNs."""
        return _cut(policy, principal, self._trusts, _principals_named)


class _Index:
    """The statements of a document by the exact names that they are for; `others` are for more than those."""

    def __init__(self, policy: PolicyDocument, named: Callable[[Statement], Iterable[str] | None]) -> None:
        self.policy = policy
        self._others: list[Statement] = []
        self._by_name: dict[str, list[Statement]] = defaultdict(list)
        for statement in policy.statements:
            if statement.covers_action(ASSUME_ROLE) is Truth.FALSE:
                continue
            names = named(statement)
            if names is None:
                self._others.append(statement)
            else:
                for name in names:
                    self._by_name[name].append(statement)
        self._without_name = replace(policy, statements=tuple(self._others))

    def about(self, name: str) -> PolicyDocument:
        """The document as far as it can bear on a name."""
        named = self._by_name.get(name)
        if named is None:
            return self._without_name
        found = {statement.index: statement for statement in (*self._others, *named)}
        return replace(self.policy, statements=tuple(found[index] for index in sorted(found)))


def _cut(
    policy: PolicyDocument | Unknown,
    name: str,
    indexes: dict[int, _Index],
    named: Callable[[Statement], Iterable[str] | None],
) -> PolicyDocument | Unknown:
    if isinstance(policy, Unknown) or len(policy.statements) <= _FEW:
        return policy
    index = indexes.get(id(policy))
    if index is None or index.policy is not policy:
        index = indexes[id(policy)] = _Index(policy, named)
    return index.about(name)


def _roles_named(statement: Statement) -> tuple[str, ...] | None:
    names = statement.resources or ()
    exact = tuple(name for name in names if isinstance(name, str) and not Glob(name).wild)
    return exact if names and len(exact) == len(names) else None


def _principals_named(statement: Statement) -> tuple[str, ...] | None:
    """A role or user by its ARN; a session's ARN names the role too, and an account or a unique id whoever it is of."""
    principals = statement.principals
    if principals is None or principals.everyone or principals.unresolved or not principals.aws:
        return None
    exact = tuple(
        name
        for name in principals.aws
        if isinstance(name, str) and name.startswith("arn:") and ":assumed-role/" not in name
    )
    whole = any(account_as_a_whole(name) is not None for name in exact)
    return exact if len(exact) == len(principals.aws) and not whole else None
