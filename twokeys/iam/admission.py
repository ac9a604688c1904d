"""Whom a statement lets in, read from its conditions: the values that it demands of a condition key.

Made for doors that people and machines of other systems come through: web identities and SAML. Evaluating a request
tells whether a certain subject gets in; this tells which ones do.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from twokeys.iam.conditions import ConditionClause
from twokeys.iam.globs import VARIABLE, glob
from twokeys.iam.truth import TRUE, UNKNOWN, Unknown

if TYPE_CHECKING:
    from twokeys.iam.documents import Statement

_TEXTS = frozenset({"string", "arn"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """One value of a condition: a text, or a pattern in which `*`, `?` and policy variables stand for any text.

    Under StringEquals a `*` is just a star: then `wild` is False, and only the text with the star in it matches.
    """

    text: str
    wild: bool = False
    ignore_case: bool = False

    @property
    def anything(self) -> bool:
        """Whether every text matches, or every one of some length."""
        return self.wild and not VARIABLE.sub("*", self.text).strip("*?")

    def matches(self, value: str) -> bool:
        """Whether a text matches."""
        text, value = (self.text.lower(), value.lower()) if self.ignore_case else (self.text, value)
        return glob(text).matches(value) if self.wild else text == value

    def includes(self, other: Wanted) -> bool:
        """Whether it certainly matches all that another one matches."""
        if self == other or (self.wild and glob(self.text).everything):
            return True
        if other.ignore_case and not self.ignore_case:
            return False
        if not other.wild:
            return self.matches(other.text)
        return self.wild and glob(self._folded(other)).covers(glob(other._folded(self)))

    def meets(self, other: Wanted) -> bool:
        """Whether some text may match both."""
        mine, theirs = self._folded(other), other._folded(self)
        if self.wild and other.wild:
            return glob(mine).overlaps(glob(theirs))
        if self.wild:
            return glob(mine).matches(theirs)
        return glob(theirs).matches(mine) if other.wild else mine == theirs

    def _folded(self, other: Wanted) -> str:
        return self.text.lower() if self.ignore_case or other.ignore_case else self.text

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Admitted:
    """What a statement demands of one condition key.

    Attributes:
        values: the texts and patterns of which the key must match one; they mean something only if `demanded`.
        demanded: whether the key must be there and match one of the values. Not so with IfExists, ForAllValues (both
            hold when the key is absent, unless a Null condition demands it), operators that only exclude, and no
            condition at all.
        unresolved: whether some of the values, or the conditions as a whole, are not known yet.
    """

    values: tuple[Wanted, ...] = ()
    demanded: bool = False
    unresolved: bool = False

    @property
    def anybody(self) -> bool:
        """Whether every value passes, also those that nobody thought of."""
        return not self.unresolved and (not self.demanded or any(value.anything for value in self.values))

    @property
    def nobody(self) -> bool:
        """Whether no value passes: the conditions contradict each other or list nothing."""
        return self.demanded and not self.unresolved and not self.values

    def admits(self, value: str) -> bool:
        """Whether a key of this value passes, as far as it is known."""
        return not self.demanded or any(wanted.matches(value) for wanted in self.values)


def admitted(statement: Statement, key: str, denials: Iterable[Statement] = ()) -> Admitted:
    """What an Allow statement demands of a condition key, together with the Deny statements that limit it.

    Args:
        statement: the Allow statement.
        key: the condition key, in any case.
        denials: Deny statements for the same principals and actions. Those that hang on this key alone are read.

    Several conditions on the key must all hold; where two patterns overlap, the first is kept, so that it is never
    said of a value that passes that it does not.
    """
    key = key.lower()
    clauses = [clause for clause in statement.conditions if clause.lower_key == key]
    unresolved = bool(statement.unresolved)
    present, demands = demanding(clauses)
    lists = [_wanted(clause) for clause in demands]
    excluding = (one for one in clauses if one.base.family in _TEXTS and one.base.negated)
    excluded = [value for one in excluding if one.set_operator != "ForAnyValue" for value in _wanted(one)]
    for denial in denials:
        clause = _only_clause(denial, key)
        if clause is not None and not clause.base.negated:
            excluded += _wanted(clause)
        elif clause is not None and (present or demands or clause.set_operator != "ForAnyValue"):
            lists.append(_wanted(clause))
            demands.append(clause)
    unresolved = unresolved or any(isinstance(value, Unknown) for clause in demands for value in clause.values)
    values = lists[0] if lists else ()
    for others in lists[1:]:
        values = tuple(dict.fromkeys(common for mine in values for other in others for common in _both(mine, other)))
    certain = [value for value in excluded if "${" not in value.text]
    kept = tuple(value for value in values if not any(one.includes(value) for one in certain))
    return Admitted(kept, demanded=bool(demands), unresolved=unresolved)


def _only_clause(denial: Statement, key: str) -> ConditionClause | None:
    """The one condition of a Deny statement, if it compares this key; an empty list denies nobody who has the key."""
    clause = denial.conditions[0] if len(denial.conditions) == 1 and not denial.unresolved else None
    if clause is None or clause.lower_key != key or not clause.values or clause.base.family not in _TEXTS:
        return None
    return clause


def demanding(clauses: Iterable[ConditionClause]) -> tuple[bool, list[ConditionClause]]:
    """Whether conditions on one key demand that it is there, and those that then demand one of their values of it."""
    naming = [one for one in clauses if one.base.names_values]
    strict = [one for one in naming if not one.if_exists and one.set_operator != "ForAllValues"]
    nulls = (one.values for one in clauses if one.operator == "Null")
    present = bool(strict) or any({str(value).lower() for value in values} == {"false"} for values in nulls)
    return present, naming if present else []


def _wanted(clause: ConditionClause) -> tuple[Wanted, ...]:
    patterns = clause.base.takes_patterns
    return tuple(
        Wanted(
            value,
            wild=(patterns and ("*" in value or "?" in value)) or (clause.variables and "${" in value),
            ignore_case=clause.base.ignore_case,
        )
        for value in clause.values
        if isinstance(value, str)
    )


def implies(one: ConditionClause, other: ConditionClause) -> bool:
    """Whether what meets a clause surely meets another: the same, or one that takes each of its values, or excludes no
    other. False where that would take more than to look at value by value.
    """
    mine, theirs = (
        (each.lower_key, each.set_operator, each.variables, each.base.family, each.base.negated)
        for each in (one, other)
    )
    narrow, wide = (other, one) if one.base.negated else (one, other)
    if one == other or mine != theirs or not (one.values and other.values) or UNKNOWN in narrow.values:
        return one == other
    alike = narrow.base.positive == wide.base.positive
    sides = (side in narrow.operator and side not in wide.operator for side in ("LessThan", "GreaterThan"))
    looser = any(sides) or narrow.base.ignore_case > wide.base.ignore_case or one.if_exists > other.if_exists
    if looser or one.base.family in ("null", "binary"):
        return False
    positive = replace(wide, operator=wide.base.positive)
    patterns = [each for each in _wanted(wide) if wide.base.family == "string" and "${" not in each.text]

    def takes(wanted: Wanted) -> bool:
        if (alike and wanted.text in wide.values) or any(each.includes(wanted) for each in patterns * wanted.wild):
            return True
        found = positive.evaluate(lambda key: (wanted.text,) if key == wide.lower_key else UNKNOWN)
        return found is TRUE and not wanted.wild

    return all(map(takes, _wanted(narrow)))


def _both(mine: Wanted, other: Wanted) -> tuple[Wanted, ...]:
    """What stands for the texts that match both: nothing, or the narrower one."""
    if not mine.meets(other):
        return ()
    return (other,) if mine.includes(other) else (mine,)
