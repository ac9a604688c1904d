"""What is said of every value of a free key, against many values tried one by one.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from collections.abc import Callable
from itertools import combinations, product

import pytest

from twokeys.iam import ConditionClause
from twokeys.iam.cases import Possibilities, explore
from twokeys.iam.matches import Atom, SessionAtom
from twokeys.iam.truth import FREE, Truth, absent

Values = tuple[str, ...]
MOMENTS = [("DateLessThan", "2026-01-01"), ("DateGreaterThan", "2026-01-01"), ("DateGreaterThanEquals", "2026-01-03")]
NUMBERS = [
    ("NumericLessThan", "5"), ("NumericLessThanEquals", "5"), ("NumericGreaterThan", "5"), ("NumericEquals", "7"),
    ("NumericNotEquals", "7"), ("NumericGreaterThanEquals", "5.5"), ("Null", "true"), ("Null", "false"),
]  # fmt: skip
ADDRESSES = [
    ("IpAddress", "0.0.0.0/0"), ("IpAddress", "10.0.0.0/8"), ("NotIpAddress", "10.0.0.0/8"), ("IpAddress", "::/0"),
    ("IpAddress", "10.1.0.0/16"), ("IpAddress", "255.255.255.255"), ("NotIpAddress", "255.255.255.255"),
    ("IpAddress", "255.255.255.254/31"), ("IpAddress", "0.0.0.0"), ("NotIpAddress", "::"), ("IpAddress", "::/1"),
    ("IpAddress", "no address"), ("NotIpAddress", "0.0.0.0/0"), ("NotIpAddress", "10.1.0.0/16"),
]  # fmt: skip
TEXTS = [
    ("StringEquals", "a"), ("StringNotEquals", "a"), ("StringNotEquals", ""), ("StringEqualsIgnoreCase", "A"),
    ("StringLike", "a*"), ("StringNotLike", "a*"), ("StringNotLikeIfExists", "a*"), ("StringEquals", "ab"),
    ("StringLike", "b*"), ("StringNotLike", "b*"), ("StringLike", "*"), ("StringNotLike", "**"),
]  # fmt: skip
SETS = [
    (f"{of}:{operator}", "a")
    for of in ("ForAnyValue", "ForAllValues")
    for operator in ("StringEquals", "StringNotEquals")
]
BOOLEANS = [("Bool", "true"), ("Bool", "false"), ("BoolIfExists", "true"), ("StringNotEquals", "true")]
IPS = ["9.9.9.9", "10.0.0.0", "10.1.0.0", "10.1.255.255", "10.2.0.0", "11.0.0.0", "255.255.255.255", "255.255.255.254",
       "255.255.255.253", "0.0.0.0", "0.0.0.1", "::", "::1", "8000::", "x"]  # fmt: skip


def _one(texts: list[str]) -> list[Values]:
    return [(), *((text,) for text in texts)]


FAMILIES: list[tuple[str, list[tuple[str, str]], list[Values]]] = [
    ("a:moment", MOMENTS, _one(["2025-12-31", "2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04", "x"])),
    ("a:number", NUMBERS, _one(["4", "5", "5.2", "5.5", "6", "7", "8", "x"])),
    ("a:address", ADDRESSES, _one(IPS)),
    ("a:text", TEXTS, _one(["", "a", "A", "ab", "abc", "b"])),
    ("aws:securetransport", BOOLEANS, _one(["true", "false"])),
    ("a:several", SETS, [(), ("",), ("a",), ("b",), ("a", "b"), ("b", "c")]),
]
PAIRS = [
    (ConditionClause(one, key, (value,)), ConditionClause(other, key, (another,)), values)
    for key, operators, values in FAMILIES
    for (one, value), (other, another) in product(operators, repeat=2)
    if (one, value) != (other, another)
]


def _holds(held: Callable[[Atom], Truth], atom: Atom) -> bool:
    return held(atom) is Truth.TRUE


def test_two_conditions_on_one_key_are_tried_at_every_value_that_tells_them_apart():
    for one, other, values in PAIRS:
        for decision in (
            lambda held: _holds(held, one) and _holds(held, other),  # noqa: B023
            lambda held: _holds(held, one) and not _holds(held, other),  # noqa: B023
        ):
            found = explore([one, other], [], lambda _key: FREE, decision)
            tried = [decision(lambda atom: atom.evaluate(lambda _key: value)) for value in values]  # noqa: B023
            assert found == Possibilities(any(tried), all(tried), exact=True), (str(one), str(other))


def test_three_conditions_on_a_key_of_several_values():
    clauses = [ConditionClause(operator, "a:k", (value,)) for operator, _ in SETS for value in "ab"]
    values = [(), ("",), *(some for size in range(1, 5) for some in combinations("abcd", size))]
    for three in combinations(clauses, 3):
        for wanted in product((True, False), repeat=3):

            def decision(held: Callable[[Atom], Truth]) -> bool:
                return all(_holds(held, one) is want for one, want in zip(three, wanted, strict=True))  # noqa: B023

            found = explore(three, [], lambda _key: FREE, decision)
            tried = [decision(lambda atom: atom.evaluate(lambda _key: value)) for value in values]  # noqa: B023
            assert found == Possibilities(any(tried), all(tried), exact=True), (*map(str, three), wanted)


@pytest.mark.parametrize("conditions", [
    [("StringLike", "a*"), ("StringLike", "*b")],
    [("ForAnyValue:StringEquals", "a"), ("ForAllValues:StringEquals", "b"), ("ForAllValues:StringEquals", "c"),
     ("ForAllValues:StringEquals", "d")],
])  # fmt: skip
def test_beyond_that_nothing_is_claimed(conditions: list[tuple[str, str]]):
    clauses = [ConditionClause(operator, "a:k", (value,)) for operator, value in conditions]
    found = explore(clauses, [], lambda _key: FREE, lambda held: all(_holds(held, one) for one in clauses))
    assert not found.exact


def test_too_many_cases_are_not_tried():
    def both(count: int, *more: Atom) -> Possibilities:
        keys = [f"a:k{number}" for number in range(count)]
        atoms: list[Atom] = [
            ConditionClause(name, key, ("5",)) for key in keys for name in ("NumericEquals", "NumericLessThan")
        ]
        return explore([*atoms, *more], [], lambda _key: FREE, lambda held: all(_holds(held, one) for one in atoms))

    assert both(7) == Possibilities(some=False, every=False, exact=True)  # 3 ** 7 = 2187
    assert both(8) == Possibilities(some=True, every=False, exact=False)  # 3 ** 8 = 6561
    variable = ConditionClause("StringEquals", "a:v", ("${a:w}",))
    assert both(1, variable) == Possibilities(some=False, every=False, exact=True)
    assert both(4, variable) == Possibilities(some=True, every=False, exact=False)


def test_a_variable_is_tried_with_the_values_of_the_other_keys():
    variable = ConditionClause("StringEquals", "a:v", ("x${a:w}",))
    fixed = ConditionClause("StringEquals", "a:w", ("y",))

    def possible(wanted: str, known: Values) -> bool:
        asked = ConditionClause("StringEquals", "a:v", (wanted,))
        atoms: list[Atom] = [variable, fixed, asked]
        look = {"a:w": known} if known else {}
        found = explore(
            atoms, [], lambda key: look.get(key, FREE), lambda held: all(_holds(held, one) for one in atoms)
        )
        assert not found.exact
        assert not found.every
        return found.some

    assert (possible("xy", ()), possible("xz", ()), possible("xy", ("y",))) == (True, False, True)


def test_a_session_is_tried_by_its_name():
    session, other = SessionAtom("build"), ConditionClause("StringLike", "aws:userid", ("*:build",))
    both = explore([session], [other], absent, lambda held: _holds(held, session) and not _holds(held, other))
    assert (both.some, both.every) == (False, False)
    assert explore([session], [], absent, lambda held: _holds(held, session)).some
