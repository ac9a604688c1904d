"""Every short text and pattern, of letters that differ in case alone, against the shell's own matching.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from fnmatch import fnmatchcase
from itertools import product
from typing import Any

import pytest

from twokeys.iam import PolicyKind, Wanted, admitted, parse_policy

VALUES = ["".join(each) for size in range(5) for each in product("aAb", repeat=size)]
WANTED = [
    Wanted("".join(each), wild=wild, ignore_case=ignore_case)
    for size in range(4)
    for each in product("aA*?", repeat=size)
    for wild, ignore_case in ((False, False), (False, True), (True, False))
    if wild or not {"*", "?"} & {*each}
]


def _matched(wanted: Wanted) -> frozenset[str]:
    """What IAM matches: `wild` is StringLike, `ignore_case` is StringEqualsIgnoreCase, else StringEquals."""
    if wanted.wild:
        return frozenset(value for value in VALUES if fnmatchcase(value, wanted.text))
    if wanted.ignore_case:
        return frozenset(value for value in VALUES if value.lower() == wanted.text.lower())
    return frozenset(value for value in VALUES if value == wanted.text)


MATCHED = {wanted: _matched(wanted) for wanted in WANTED}


def test_what_a_wanted_value_matches():
    assert {wanted: frozenset(filter(wanted.matches, VALUES)) for wanted in WANTED} == MATCHED


def test_a_wanted_value_includes_only_what_it_matches_all_of():
    for one, other in product(WANTED, repeat=2):
        if one.includes(other):
            assert MATCHED[one] >= MATCHED[other], (one, other)
        elif not other.wild and not other.ignore_case:
            assert not MATCHED[one] >= MATCHED[other], (one, other)


def test_wanted_values_meet_wherever_a_text_matches_both():
    for one, other in product(WANTED, repeat=2):
        if MATCHED[one] & MATCHED[other]:
            assert one.meets(other), (one, other)
        elif not (one.wild or one.ignore_case or other.wild or other.ignore_case):
            assert not one.meets(other), (one, other)


@pytest.mark.parametrize(("one", "other", "expected"), [
    (Wanted("*", wild=True), Wanted("a", ignore_case=True), True),
    (Wanted("${aws:username}", wild=True), Wanted("a", ignore_case=True), True),
    (Wanted("a*", wild=True), Wanted("ab", ignore_case=True), False),
    (Wanted("ab", ignore_case=True), Wanted("AB", ignore_case=True), True),
    (Wanted("AB", ignore_case=True), Wanted("ab"), True),
    (Wanted("ab"), Wanted("ab", ignore_case=True), False),
    (Wanted("a*", wild=True), Wanted("ab*", wild=True), True),
    (Wanted("ab*", wild=True), Wanted("a*", wild=True), False),
    (Wanted("a*"), Wanted("ab"), False),  # StringEquals: the star is a star
])  # fmt: skip
def test_what_one_wanted_value_includes(one: Wanted, other: Wanted, expected: bool):
    assert one.includes(other) is expected


@pytest.mark.parametrize(("deny", "admitted_values"), [
    ({"StringNotEquals": {"k": "a"}}, {"a"}),
    ({"StringEquals": {"k": "a"}}, {"b"}),
    ({"StringEqualsIgnoreCase": {"k": "A"}}, {"b"}),
    ({"StringEquals": {"k": []}}, {"a", "b"}),  # an empty list denies nobody
    ({"StringNotEquals": {"k": []}}, {"a", "b"}),  # not read: no demand comes of it
    ({"StringEquals": {"other": "a"}}, {"a", "b"}),
    ({"NumericEquals": {"k": "1"}}, {"a", "b"}),
    ({"StringEquals": {"k": "a", "other": "c"}}, {"a", "b"}),  # denies only with the other key
    ([{"StringEquals": {"k": "a"}}, {"StringEquals": {"k": "b"}}], set()),
])  # fmt: skip
def test_a_deny_that_hangs_on_the_key_alone_limits_who_gets_in(deny: Any, admitted_values: set[str]):
    denies = deny if isinstance(deny, list) else [deny]
    document = parse_policy({
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": "sts:*", "Condition": {"StringEquals": {"k": ["a", "b"]}}},
            *({"Effect": "Deny", "Principal": "*", "Action": "sts:*", "Condition": one} for one in denies),
        ],
    }, PolicyKind.TRUST)  # fmt: skip
    allow, *denials = document.statements
    assert {value.text for value in admitted(allow, "K", denials).values} == admitted_values


@pytest.mark.parametrize(("conditions", "admitted_values"), [
    ({"StringLike": {"k": ["a*", "b", "c"]}, "StringNotEquals": {"k": ["b"]}, "StringNotLike": {"k": ["a*"]}}, {"c"}),
    ({"StringLike": {"k": ["a*", "b"]}, "ForAnyValue:StringNotEquals": {"k": ["b"]}}, {"a*", "b"}),
    ({"StringLike": {"k": ["a*", "b"]}, "ForAllValues:StringNotEquals": {"k": ["b"]}}, {"a*"}),
    ({"StringLike": {"k": ["a", "b"]}, "StringNotEquals": {"k": ["${aws:username}"]}}, {"a", "b"}),
    ({"ArnLike": {"k": ["arn:aws:iam::1:role/*"]}, "StringLike": {"k": ["*/x"]}}, {"arn:aws:iam::1:role/*"}),
    ({"ArnEquals": {"k": ["arn:aws:iam::1:role/*"]}, "StringEquals": {"k": ["arn:aws:iam::1:role/x"]}},
     {"arn:aws:iam::1:role/x"}),
    ({"ArnEquals": {"k": ["arn:aws:iam::1:role/*"]}, "StringEquals": {"k": ["arn:aws:iam::2:role/x"]}}, set()),
    ({"StringEquals": {"k": ["ab"]}, "StringEqualsIgnoreCase": {"k": ["a*"]}}, set()),
    ({"StringLike": {"k": ["a*b*c"]}, "StringEquals": {"k": ["axc", "abc"]}}, {"abc"}),
])  # fmt: skip
def test_conditions_on_one_key_must_all_hold(conditions: dict[str, object], admitted_values: set[str]):
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sts:*", "Condition": conditions}
    (allow,) = parse_policy({"Version": "2012-10-17", "Statement": [statement]}, PolicyKind.TRUST).statements
    assert {value.text for value in admitted(allow, "k").values} == admitted_values
