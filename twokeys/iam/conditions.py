"""Conditions: what one line of a Condition element says of a request.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import lru_cache

from twokeys.iam.lazy import lazy
from twokeys.iam.matching import ArnPattern, TextPattern, with_ids, with_values
from twokeys.iam.operators import Operator, Test, operator_named
from twokeys.iam.sts import EXTERNAL_ID
from twokeys.iam.truth import FALSE, FREE, TRUE, UNKNOWN, Lookup, Truth, Unknown, Values, any_of, negate, truth
from twokeys.iam.verdict import Requirement


@dataclass(frozen=True)
class ConditionClause:
    """One operator, one key and its values: `{"StringEquals": {"aws:PrincipalOrgID": ["o-1", "o-2"]}}`.

    Attributes:
        operator: as the policy spells it, with set prefix and IfExists: `ForAnyValue:StringLikeIfExists`.
        key: the condition key as the policy spells it; keys are compared without case.
        values: the values; numbers and booleans as their JSON text.
        variables: whether `${...}` in the values are policy variables (documents of version 2012-10-17).
        path: where the clause stands in its document, for messages.
        emptied: whether it had values in the policy, all with variables that have no value.
    """

    operator: str
    key: str
    values: tuple[str | Unknown, ...]
    variables: bool = True
    path: str = field(default="", compare=False)
    emptied: bool = field(default=False, repr=False)

    def __hash__(self) -> int:
        return self._hash

    @lazy
    def _hash(self) -> int:
        return hash((self.operator, self.key, self.values, self.variables, self.emptied))

    @lazy
    def base(self) -> Operator:
        """The operator without set prefix and IfExists."""
        base = operator_named(self.operator)
        if base is None:
            raise ValueError(f"{self.operator!r} is not a condition operator")
        return base

    @lazy
    def if_exists(self) -> bool:
        """Whether the operator ends in IfExists."""
        return self.operator.endswith("IfExists")

    @lazy
    def set_operator(self) -> str | None:
        """`ForAllValues`, `ForAnyValue` or None."""
        prefix, colon, _ = self.operator.partition(":")
        return prefix if colon else None

    @lazy
    def lower_key(self) -> str:
        """The key as requests are searched for it."""
        return self.key.lower()

    @lazy
    def keys(self) -> tuple[str, ...]:
        """Every condition key the clause reads, in lower case: its own and those of its variables."""
        return (self.lower_key, *(key for test in self.patterns for key in test.keys))

    @lazy
    def patterns(self) -> tuple[TextPattern | ArnPattern, ...]:
        """The values of a string, ARN or Bool operator, compiled; unresolved ones are left out."""
        compiled, texts = self.base.pattern, [value for value in self.values if not isinstance(value, Unknown)]
        return tuple(compiled(text, variables=self.variables) for text in texts) if compiled else ()

    @lazy
    def meant(self) -> tuple[str | Unknown, ...]:
        """The values, but beside others none with a star that stands for itself: no id, ARN or name of AWS has one."""
        stars = not self.base.takes_patterns
        return tuple(one for one in self.values if not (stars and re.search(r"[*?]", str(one)))) or self.values

    @lazy
    def _tests(self) -> tuple[Test, ...]:
        """One test per value that says whether a request's value matches it, not yet negated."""
        if self.base.test is None:
            return tuple(pattern.matches for pattern in self.patterns)
        return tuple(self.base.test(value) for value in self.values if not isinstance(value, Unknown))

    def evaluate(self, lookup: Lookup) -> Truth:
        """Whether the request meets the clause.

        An absent key makes it false, or true if the operator is negated, ends in IfExists or is ForAllValues.
        ForAnyValue asks for a value, so with an absent key it is false, negated or with IfExists too. No value of a
        request matches an empty list, not even under a negated operator. Null is always true with ForAllValues and
        always false with ForAnyValue. A value of the policy that is not resolved yet makes it unknown wherever it could
        matter; a free key makes it free.
        """
        found = lookup(self.lower_key)
        if self._usual and found is not UNKNOWN and found is not FREE:
            if self._texts is not None:
                return FALSE if self._texts.isdisjoint(found) else TRUE
            if len(found) < 2:
                return self._one(found[0], lookup) if found else self._when_absent
        if self.base.family == "null" and self.set_operator is not None:
            return truth(self.set_operator == "ForAllValues")
        if not self.values and not self.emptied:
            return self._evaluate_empty(found)
        if found is UNKNOWN:
            return Truth.UNKNOWN
        if self.base.family == "null":
            return self._evaluate_null(found)
        if found is FREE:
            unresolved = UNKNOWN in self.values or UNKNOWN in map(lookup, self.keys[1:])
            return Truth.UNKNOWN if unresolved else Truth.FREE
        if self.set_operator is not None and not any(found):
            found = ()
        if not found:
            return self._when_absent
        results = [self._one(value, lookup) for value in found]
        if self.set_operator is None and self.base.negated:
            return negate(any_of([negate(result) for result in results]))
        if self.set_operator == "ForAllValues":
            return negate(any_of([negate(result) for result in results]))
        return any_of(results)

    @lazy
    def _usual(self) -> bool:
        """Whether it compares values, and takes them one by one."""
        return bool(self.values) and self.base.family != "null" and self.set_operator is None

    def _evaluate_empty(self, found: Values) -> Truth:
        """An empty list: only an absent key can meet it, under ForAllValues or IfExists."""
        if self.set_operator is None and not self.if_exists:
            return FALSE
        if found is UNKNOWN or found is FREE:
            open_ = Truth.UNKNOWN if found is UNKNOWN else Truth.FREE
            return open_ if self._when_absent is TRUE else FALSE
        return FALSE if any(found) else self._when_absent

    @lazy
    def _when_absent(self) -> Truth:
        if self.set_operator is not None:
            return truth(self.set_operator == "ForAllValues")
        return truth(self.if_exists or self.base.negated)

    @lazy
    def _equal(self) -> frozenset[str] | None:
        """The values of StringEquals, if they are just texts: a value of the request is then equal to one, or not.

        With symbols of accounts also as `with_ids` writes them.
        """
        texts = [value for value in self.values if isinstance(value, str)]
        if self.base.positive != "StringEquals" or len(texts) < len(self.values):
            return None
        if self.variables and any("${" in text for text in texts):
            return None
        return frozenset((*texts, *map(with_ids, texts)))

    @lazy
    def _texts(self) -> frozenset[str] | None:
        """The values of a plain StringEquals on texts, of which an absent key is none."""
        plain = self.operator == "StringEquals" and self.values
        return self._equal if plain else None

    def _one(self, value: str, lookup: Lookup) -> Truth:
        """Whether one value of the request matches any value of the policy, negated if the operator is."""
        if self._equal is not None:
            return truth((value in self._equal) is not self.base.negated)
        found = Truth.UNKNOWN if UNKNOWN in self.values else FALSE
        for test in self._tests:
            result = test(value, lookup)
            if result is TRUE:
                return truth(not self.base.negated)
            if result is not FALSE and found is not Truth.UNKNOWN:
                found = result
        return negate(found) if self.base.negated else found

    def with_values(self, lookup: Lookup) -> ConditionClause:
        """The clause with the variables that have a value replaced; values whose variable has none are left out.

        Then nothing matches, which is not the same as an empty list of the policy.
        """
        if len(self.keys) == 1:
            return self
        filled = [value if isinstance(value, Unknown) else with_values(value, lookup) for value in self.values]
        if self.lower_key == EXTERNAL_ID:  # replaced, a variable about the caller would pass for an external ID
            filled = [None if now is None else value for value, now in zip(self.values, filled, strict=True)]
        return _with(self, tuple(value for value in filled if value is not None))

    def requirement(self) -> Requirement:
        """The clause as what a request must meet."""
        return Requirement(self.operator, self.key, tuple(map(str, self.values)))

    def _evaluate_null(self, found: Values) -> Truth:
        wanted = {value.lower() if isinstance(value, str) else value for value in self.values}
        if {"true", "false"} <= wanted:
            return TRUE
        if UNKNOWN in wanted:
            return Truth.UNKNOWN
        if found is FREE:
            return Truth.FREE if wanted & {"true", "false"} else FALSE
        return truth(("false" if found else "true") in wanted)


@lru_cache(maxsize=4096)
def _with(clause: ConditionClause, values: tuple[str | Unknown, ...]) -> ConditionClause:
    return replace(clause, values=values, emptied=not values)
