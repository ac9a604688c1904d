"""Policy documents as frozen models, and what a statement covers.

Grammar: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, TypeAlias

from twokeys.iam.admission import implies
from twokeys.iam.lazy import lazy
from twokeys.iam.matching import ArnPattern, TextPattern, as_completed
from twokeys.iam.truth import TRUE, UNKNOWN, Lookup, Truth, Unknown, any_of, negate, truth

if TYPE_CHECKING:
    from twokeys.iam.conditions import ConditionClause
    from twokeys.iam.matches import Side
    from twokeys.iam.principals import Principals

Effect: TypeAlias = Literal["Allow", "Deny"]


class PolicyKind(Enum):
    """What a document is for; the kinds differ in the elements they may and must have."""

    TRUST = "trust policy"
    IDENTITY = "identity-based policy"
    BOUNDARY = "permissions boundary"
    SESSION = "session policy"
    SCP = "service control policy"
    RCP = "resource control policy"

    __hash__ = object.__hash__  # each kind is one object; Enum's own hash is Python code, run at each look-up

    def __str__(self) -> str:
        """With its article: "an identity-based policy"."""
        return f"an {self.value}" if self is PolicyKind.IDENTITY else f"a {self.value}"


@dataclass(unsafe_hash=True)
class Statement:
    """One statement. Nothing changes one.

    Of `actions` and `not_actions` exactly one is not None; of `resources` and `not_resources` at most one. A name in
    them can be `UNKNOWN`. `unresolved` holds the paths of whole elements that are not resolved yet: a Condition, or a
    part of one; an Effect, of which both are there. IAM takes no NotPrincipal in any of the kinds.
    """

    sid: str | None
    effect: Effect
    principals: Principals | None
    actions: tuple[str | Unknown, ...] | None
    not_actions: tuple[str | Unknown, ...] | None
    resources: tuple[str | Unknown, ...] | None
    not_resources: tuple[str | Unknown, ...] | None
    conditions: tuple[ConditionClause, ...]
    index: int
    variables: bool = True
    unresolved: tuple[str, ...] = ()

    def covers_action(self, action: str) -> Truth:
        """Whether Action or NotAction covers an action; names are compared without case."""
        if self.actions is not None:
            return _any_is_action(self.actions, action)
        return negate(_any_is_action(self.not_actions or (), action))

    @lazy
    def exact_resources(self) -> frozenset[str]:
        """The names of Resource or NotResource that are neither patterns nor unresolved."""
        names = self.resources if self.resources is not None else self.not_resources or ()
        return frozenset(name for name in names if isinstance(name, str) and not self._is_pattern(name))

    @lazy
    def resource_patterns(self) -> tuple[ArnPattern, ...]:
        """The names of Resource or NotResource with wildcards or variables, or that get some of AWS, compiled."""
        names = self.resources if self.resources is not None else self.not_resources or ()
        return tuple(
            ArnPattern(whole, variables=self.variables, resource=True)
            for name in names
            if isinstance(name, str) and self._is_pattern(name)
            for whole in as_completed(name)
        )

    @property
    def effect_unresolved(self) -> bool:
        """Whether its Effect is not resolved yet: then it stands in the document twice, as either."""
        return any(path.endswith(".Effect") for path in self.unresolved)

    def _is_pattern(self, name: str) -> bool:
        variable = self.variables and "${" in name
        return variable or "*" in name or "?" in name or len(as_completed(name)) > 1

    def covers_resource(self, resource: str, lookup: Lookup) -> Truth:
        """Whether Resource or NotResource covers a resource; a statement with neither covers every resource."""
        names = self.resources if self.resources is not None else self.not_resources
        if names is None:
            return TRUE
        if resource in self.exact_resources:
            found = TRUE
        else:
            results = [pattern.matches(resource, lookup) for pattern in self.resource_patterns]
            if UNKNOWN in names:
                results.append(Truth.UNKNOWN)
            found = any_of(results)
        return found if self.resources is not None else negate(found)

    def part_of(self, other: Statement) -> bool:
        """Whether the other surely says of all that this one covers the same: it names the same, and perhaps more."""
        alike = ("effect", "not_actions", "not_resources", "variables", "unresolved")
        if self.unresolved or any(getattr(self, one) != getattr(other, one) for one in alike):
            return False
        named = all(map(_among, (self.actions, self.resources), (other.actions, other.resources)))
        mine, theirs = self.principals, other.principals
        whom = mine.part_of(theirs) if mine and theirs else mine is theirs
        return named and whom and all(any(implies(one, each) for one in self.conditions) for each in other.conditions)

    @property
    def meaning(self) -> tuple[object, ...]:
        """See `PolicyDocument.meaning`."""
        return (
            self.effect,
            self.principals and self.principals.meaning,
            *(_in_any_case(names) for names in (self.actions, self.not_actions)),
            *(None if names is None else frozenset(names) for names in (self.resources, self.not_resources)),
            frozenset((clause.operator, clause.lower_key, frozenset(clause.values)) for clause in self.conditions),
            self.variables,
            self.unresolved,
        )

    @property
    def label(self) -> str:
        """The statement as messages name it: its Sid, else its place, from 0."""
        return f"statement {self.sid!r}" if self.sid else f"statement {self.index}"


@dataclass(unsafe_hash=True)
class PolicyDocument:
    """A parsed policy. Nothing changes one.

    Attributes:
        version: "2012-10-17", "2008-10-17" or None; variables are variables only in the first.
        unresolved: paths of whole statements that are not resolved yet: they may allow or deny anything.
        kind: what it was parsed as.
        from_text: whether it was given as text, which holds nothing that is not resolved yet.
        title: what messages call it, in place of its place among others: the name of a control policy and its target.
        sides: what `matches.side_of` works out once.
    """

    version: str | None
    id: str | None
    statements: tuple[Statement, ...]
    unresolved: tuple[str, ...] = ()
    kind: PolicyKind = PolicyKind.IDENTITY
    from_text: bool = field(default=False, repr=False, compare=False)
    title: str | None = field(default=None, repr=False, compare=False)
    sides: dict[tuple[str, str], Side] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def meaning(self) -> frozenset[object]:
        """What it says, in whatever order and notation: one or a list of one, an account's id or its root's ARN."""
        return frozenset(one.meaning for one in self.statements)

    def within(self, other: PolicyDocument) -> bool:
        """Whether it surely allows nothing that the other does not: each Allow is part of one there, and each Deny
        there part of one here. False where that would take more than to compare their statements.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
        """
        if self.unresolved or other.unresolved:
            return False
        allows = ((one, other.statements) for one in self.statements if one.effect == "Allow")
        denies = ((one, self.statements) for one in other.statements if one.effect == "Deny")
        return all(any(map(one.part_of, among)) for one, among in (*allows, *denies))


def _among(names: tuple[str | Unknown, ...] | None, others: tuple[str | Unknown, ...] | None) -> bool:
    if names is None or others is None:
        return names is others
    return UNKNOWN not in names and {*names} <= {*others}


def _in_any_case(names: tuple[str | Unknown, ...] | None) -> frozenset[str | Unknown] | None:
    return None if names is None else frozenset(name.lower() if isinstance(name, str) else name for name in names)


@lru_cache(maxsize=8192)
def _any_is_action(names: tuple[str | Unknown, ...], action: str) -> Truth:
    return any_of([_is_action(name, action) for name in names])


def _is_action(name: str | Unknown, action: str) -> Truth:
    if isinstance(name, Unknown):
        return Truth.UNKNOWN
    if "*" not in name and "?" not in name:
        return truth(name.lower() == action.lower())
    return TextPattern(name, wildcards=True, variables=False, ignore_case=True).matches(action)
