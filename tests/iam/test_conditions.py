"""https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

from typing import Any

import pytest

from twokeys.iam import UNKNOWN, ConditionClause
from twokeys.iam.operators import OPERATORS, operator_named
from twokeys.iam.truth import FREE, Truth, Values, absent


def holds(operator: str, wanted: Any, found: Values, **others: Values) -> Truth:
    values = wanted if isinstance(wanted, tuple) else (wanted,)
    keys: dict[str, Values] = {"test:key": found, **{f"aws:{name}": value for name, value in others.items()}}
    return ConditionClause(operator, "Test:Key", values).evaluate(lambda key: keys.get(key, ()))


TRUE, FALSE = True, False


@pytest.mark.parametrize(("operator", "wanted", "found", "expected"), [
    ("StringEquals", "", "", TRUE), ("NumericEquals", "10", "ten", FALSE), ("NumericGreaterThan", "-1", "0", TRUE),
    ("NumericLessThan", "x", "1", FALSE), ("NumericLessThan", "1", "-Infinity", FALSE),
    ("DateEquals", "2026-01-01", "2026-01-01T00:00:00Z", TRUE),
    ("DateLessThan", "2026-01-01T00:00:00Z", "2025-12-31T23:59:59.999Z", TRUE),
    ("DateLessThan", "1767225600", "2026-01-01T00:00:00Z", FALSE),
    ("DateGreaterThanEquals", "2020", "2019-12-31", FALSE), ("DateGreaterThan", "2020-13-01", "2021-01-01", FALSE),
    ("DateEquals", "2026-01-01T23:45:30.5-12:15", "1767355230.5", TRUE), ("DateEquals", "2026", "2026-01-01", TRUE),
    ("DateEquals", "2026-02", "2026-02-01", TRUE), ("DateEquals", "2026-01-01T10:11+10:11", "1767225600", TRUE),
    ("Bool", "true", "True", TRUE), ("Bool", "yes", "yes", FALSE),
    ("BinaryEquals", "QmluYXJ5", "Binary", TRUE), ("BinaryEquals", "not base64!", "x", FALSE),
    ("BinaryEquals", "QmluYXJ5!", "Binary", FALSE),
    ("IpAddress", "203.0.113.7/24", "203.0.113.9", TRUE), ("IpAddress", "0.0.0.0/0", "2001:db8::1", FALSE),
    ("IpAddress", "10.0.0.0/8", "AWS Internal", FALSE), ("ArnNotLike", "arn:aws:sns:*:1:*", "no arn", TRUE),
    ("Null", "true", "", FALSE), ("Null", ("true", "false"), "x", TRUE), ("Null", "False", "x", TRUE),
    ("BinaryEquals", "77+A", "\uffc0", TRUE), ("BinaryEquals", "7b+A", "\udfc0", TRUE),
])  # fmt: skip
def test_an_operator_compares_a_present_key(operator: str, wanted: Any, found: str, expected: bool):
    """Beside the cases of corpus/conditions.yaml, as are several values."""
    assert holds(operator, wanted, (found,)) is (Truth.TRUE if expected else Truth.FALSE)


POSITIVE = [name for name, base in OPERATORS.items() if not base.negated and name != "Null"]
NEGATED = [name for name, base in OPERATORS.items() if base.negated]


@pytest.mark.parametrize("operator", POSITIVE)
def test_a_missing_key_does_not_match(operator: str):
    assert holds(operator, "x", ()) is Truth.FALSE


@pytest.mark.parametrize("operator", NEGATED)
def test_a_missing_key_meets_a_negated_operator(operator: str):
    assert holds(operator, "x", ()) is Truth.TRUE


@pytest.mark.parametrize("operator", POSITIVE + NEGATED)
def test_if_exists_is_true_of_a_missing_key(operator: str):
    assert holds(f"{operator}IfExists", "x", ()) is Truth.TRUE


@pytest.mark.parametrize("operator", POSITIVE + NEGATED)
def test_for_all_values_is_true_and_for_any_value_false_of_a_missing_or_empty_key(operator: str):
    for empty in ((), ("",)):
        for name in (operator, f"{operator}IfExists"):
            assert holds(f"ForAllValues:{name}", "x", empty) is Truth.TRUE
            assert holds(f"ForAnyValue:{name}", "x", empty) is Truth.FALSE


# https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html
#   "Null with qualifier", "Empty array condition", "... ForAllValues", "... ForAnyValue", "... IfExists"


@pytest.mark.parametrize("wanted", ["true", "false", ("true", "false"), (), UNKNOWN])
@pytest.mark.parametrize("found", [(), ("a",), UNKNOWN, FREE])
def test_null_is_always_true_with_for_all_values_and_always_false_with_for_any_value(wanted: Any, found: Values):
    assert holds("ForAllValues:Null", wanted, found) is Truth.TRUE
    assert holds("ForAnyValue:Null", wanted, found) is Truth.FALSE


@pytest.mark.parametrize("operator", [*POSITIVE, *NEGATED, "Null"])
def test_nothing_matches_an_empty_list(operator: str):
    for found in ((), ("x",), ("",), UNKNOWN, FREE):
        assert holds(operator, (), found) is Truth.FALSE
        if operator != "Null":
            assert holds(f"ForAnyValue:{operator}", (), found) is Truth.FALSE


@pytest.mark.parametrize("operator", POSITIVE + NEGATED)
def test_an_empty_list_with_for_all_values_or_if_exists_matches_a_missing_key_only(operator: str):
    for name in (f"ForAllValues:{operator}", f"{operator}IfExists"):
        assert holds(name, (), ()) is Truth.TRUE
        assert holds(name, (), ("x",)) is Truth.FALSE
        assert holds(name, (), FREE) is Truth.FREE
        assert holds(name, (), UNKNOWN) is Truth.UNKNOWN


@pytest.mark.parametrize(("operator", "expected"), [("StringEquals", TRUE), ("StringNotEquals", FALSE)])
def test_a_key_with_several_values(operator: str, expected: bool):
    assert holds(operator, "a", ("c", "a")) is (Truth.TRUE if expected else Truth.FALSE)


def test_a_variable_without_value_matches_nothing_and_meets_the_negation():
    """The section on policy variables with no value of the variables page."""
    assert holds("StringEquals", "${aws:PrincipalTag/team}", ("red",)) is Truth.FALSE
    assert holds("StringNotEquals", "${aws:PrincipalTag/team}", ("red",)) is Truth.TRUE
    assert holds("StringEquals", "${aws:username}", ("x", "anna"), username=("anna",)) is Truth.TRUE
    assert holds("Bool", "${aws:username}", ("true",), username=("true",)) is Truth.TRUE
    in_account = "arn:aws:iam::${aws:principalaccount}:role/*"
    assert holds("ArnLike", in_account, ("arn:aws:iam::1:role/x",), principalaccount=("1",)) is Truth.TRUE
    clause = ConditionClause("StringEquals", "a:k", (UNKNOWN, "${aws:username}", "${aws:x}"))
    assert clause.with_values(lambda key: ("anna",) if key == "aws:username" else ()).values == (UNKNOWN, "anna")


@pytest.mark.parametrize("operator", ["NumericEquals", "DateEquals", "IpAddress", "BinaryEquals"])
def test_other_operators_know_no_variables(operator: str):
    assert holds(operator, "${aws:number}", ("1",), number=("1",)) is Truth.FALSE


def test_an_unresolved_value_is_unknown_only_where_it_could_matter():
    assert holds("StringEquals", UNKNOWN, ("a",)) is Truth.UNKNOWN
    assert holds("StringEquals", (UNKNOWN, "a"), ("a",)) is Truth.TRUE
    assert holds("StringNotEquals", (UNKNOWN, "a"), ("a",)) is Truth.FALSE
    assert holds("StringEquals", UNKNOWN, ()) is Truth.FALSE
    assert holds("StringEquals", "a", UNKNOWN) is Truth.UNKNOWN
    assert holds("Null", UNKNOWN, ("a",)) is Truth.UNKNOWN
    assert holds("ForAllValues:StringEquals", (UNKNOWN,), ("a",)) is Truth.UNKNOWN
    assert holds("StringEquals", UNKNOWN, FREE) is Truth.UNKNOWN
    assert holds("StringEquals", "${aws:username}", ("a",), username=UNKNOWN) is Truth.UNKNOWN
    assert holds("StringEquals", "${aws:username}", FREE, username=UNKNOWN) is Truth.UNKNOWN
    assert holds("StringLike", (UNKNOWN, "b*"), ("a",)) is Truth.UNKNOWN
    assert holds("StringLike", ("${aws:x}", "${aws:username}"), ("a",), username=FREE, x=UNKNOWN) is Truth.UNKNOWN
    assert holds("StringLike", ("${aws:username}", "b*", "${aws:x}"), ("a",), username=FREE, x=UNKNOWN) is Truth.UNKNOWN


def test_a_free_key_is_free():
    assert holds("Null", ("true", "false"), FREE) is Truth.TRUE
    assert holds("Null", ("true", "false", UNKNOWN), ()) is Truth.TRUE
    assert holds("Null", "x", FREE) is Truth.FALSE
    assert holds("Null", "false", FREE) is Truth.FREE
    assert holds("StringEquals", "a", FREE) is Truth.FREE
    assert holds("Null", "true", FREE) is Truth.FREE
    assert holds("StringEquals", "${aws:username}", ("a",), username=FREE) is Truth.FREE


def test_a_number_of_a_symbolic_account_is_unknown():
    assert holds("NumericEquals", "111111111111", ("account:stage",)) is Truth.UNKNOWN
    assert holds("StringEquals", "111111111111", ("account:stage",)) is Truth.FALSE
    assert holds("StringEquals", "account:stage", ("account:stage",)) is Truth.TRUE


@pytest.mark.parametrize("name", ["stringEquals", "StringEqual", "NullIfExists", "ForSomeValues:StringEquals",
                                  "ForAllValues:", "BoolIfExistsIfExists", "IfExists", "", "Bool "])  # fmt: skip
def test_other_names_are_no_operators(name: str):
    assert operator_named(name) is None
    with pytest.raises(ValueError, match="is not a condition operator"):
        _ = ConditionClause(name, "a:k", ()).base


@pytest.mark.parametrize("name", [name for name, base in OPERATORS.items() if base.pattern is not None])
def test_what_an_operator_says_of_wildcards_and_case_is_how_it_compares(name: str) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html"""
    base = OPERATORS[name]
    value, other = ("true", "TRUE") if base.family == "bool" else ("arn:aws:iam::1:role/ab", "arn:aws:iam::1:role/AB")

    def matches(wanted: str, text: str) -> bool:
        assert base.pattern is not None
        return base.pattern(wanted, variables=False).matches(text, absent) is Truth.TRUE

    assert matches(value, value)
    assert base.takes_patterns is matches(value[:-1] + "*", value)
    assert base.ignore_case is matches(value, other)
