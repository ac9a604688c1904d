"""What statements and conditions demand of who comes in: organizations, an external ID, MFA, a time.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from tests.access.world import HUB, trusts
from twokeys.access.model.requirements import (
    demanded_values,
    in_detail,
    in_words,
    organizations_demanded,
    pauses,
    requires_mfa,
    window,
)
from twokeys.iam import UNKNOWN, PolicyKind, Requirement, Statement, parse_policy
from twokeys.iam.external_id import asks_for_external_id, demands_external_id


def of_condition(condition: dict[str, object]) -> Statement:
    given = {"Version": "2012-10-17", "Statement": [trusts("*", condition=condition)]}
    return parse_policy(given, PolicyKind.TRUST).statements[0]


IN_A, IN_A_OR_B = {"aws:PrincipalOrgID": "o-a"}, {"aws:PrincipalOrgID": ["o-a", "o-b"]}
PATHS_OF_A = {"aws:PrincipalOrgPaths": "o-a/*"}


@pytest.mark.parametrize(("condition", "organizations"), [
    ({"StringEquals": IN_A}, {"o-a"}),
    ({"StringEquals": IN_A_OR_B}, {"o-a", "o-b"}),
    ({"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-a/r-b/ou-c/*"}}, {"o-a"}),
    ({"StringEquals": IN_A_OR_B, "ForAnyValue:StringLike": PATHS_OF_A}, {"o-a"}),
    ({"StringEquals": {"aws:PrincipalOrgID": "${aws:ResourceOrgID}"}}, {"${aws:ResourceOrgID}"}),
    ({"StringEquals": {"aws:PrincipalOrgID": "${aws:PrincipalOrgID}"}}, None),
    ({"StringEquals": {"aws:PrincipalOrgID": "${sts:ExternalId}"}}, None),
    ({"StringEquals": {"aws:PrincipalOrgID": UNKNOWN}}, None),
    ({"StringEquals": {"aws:PrincipalAccount": HUB}}, None),
    ({"StringLike": {"aws:PrincipalOrgID": "o-*"}}, None),
    ({"StringEqualsIfExists": IN_A}, None),
    ({"StringNotEquals": IN_A}, None),
    ({"ForAllValues:StringLike": PATHS_OF_A}, None),
    ({"ForAllValues:StringLike": PATHS_OF_A, "Null": {"AWS:principalOrgPaths": False}}, {"o-a"}),
    ({"ForAllValues:StringLike": PATHS_OF_A, "Null": {"aws:PrincipalOrgID": False}}, None),
    ({"Bool": {"aws:MultiFactorAuthPresent": "true"}}, None),
])  # fmt: skip
def test_the_organizations_that_a_statement_demands(
    condition: dict[str, object], organizations: set[str] | None
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalorgid"""
    assert organizations_demanded(of_condition(condition)) == organizations


@pytest.mark.parametrize(("operator", "value", "demanded", "exact"), [
    ("StringEquals", ["a", "b"], [("a", "b")], True),
    ("StringEquals", "a*", [("a*",)], True),
    ("StringEquals", UNKNOWN, [(UNKNOWN,)], True),
    ("StringLike", "a", [("a",)], True),
    ("StringLike", "a*", [("a*",)], False),
    ("StringLike", "*", [], False),
    ("StringLike", "?*", [], False),
    ("StringEquals", ["", "a"], [], True),  # STS takes no empty one: API_AssumeRole.html
    ("StringEquals", "${aws:username}", [("${aws:username}",)], False),
    ("StringEqualsIfExists", "a", [], False),
    ("ForAllValues:StringEquals", "a", [], False),
    ("StringNotEquals", "a", [], False),
])  # fmt: skip
def test_the_values_that_a_statement_demands_and_whether_they_are_an_external_id(
    operator: str, value: object, demanded: list[tuple[object, ...]], exact: bool
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html"""
    statement = of_condition(
        {operator: {"sts:ExternalId": value}, "StringEqualsIgnoreCase": {"aws:PrincipalTag/a": "b"}}
    )
    assert list(demanded_values(statement, "sts:externalid")) == demanded
    assert demands_external_id(statement) == exact


EXTERNAL_ID, PRESENT, AGE = "sts:ExternalId", "aws:MultiFactorAuthPresent", "aws:MultiFactorAuthAge"
WITH_MFA, FROM_AN_ADDRESS = (
    Requirement("Bool", PRESENT, ("true",)),
    Requirement("IpAddress", "aws:SourceIp", ("10.0.0.0/8",)),
)
JANUARY = datetime(2027, 1, 31, tzinfo=UTC)
SECOND = JANUARY.replace(second=1)
"""The first moment at which what is still admitted at the beginning of that day is over."""


@pytest.mark.parametrize(("one", "external_id", "mfa", "closes"), [
    (Requirement("StringEquals", EXTERNAL_ID, ("a",)), True, False, None),
    (Requirement("StringEqualsIgnoreCase", EXTERNAL_ID, ("a",)), True, False, None),
    (Requirement("StringEqualsIfExists", EXTERNAL_ID, ("a",)), False, False, None),
    (Requirement("StringEquals", EXTERNAL_ID, ("a",), negated=True), False, False, None),
    (Requirement("StringNotEquals", EXTERNAL_ID, ("a",), negated=True), True, False, None),
    (Requirement("ForAnyValue:StringNotEquals", EXTERNAL_ID, ("a",), negated=True), False, False, None),
    (Requirement("StringEquals", EXTERNAL_ID), False, False, None),
    (Requirement("StringEquals", EXTERNAL_ID, ("", "a")), True, False, None),
    (Requirement("StringEquals", EXTERNAL_ID, ("${aws:username}",)), False, False, None),
    (FROM_AN_ADDRESS, False, False, None),
    (WITH_MFA, False, True, None),
    (Requirement("Bool", PRESENT, ("false",)), False, False, None),
    (Requirement("Bool", PRESENT, ("true", "false")), False, False, None),
    (Requirement("ForAnyValue:Bool", PRESENT, ("True",)), False, True, None),
    (Requirement("BoolIfExists", PRESENT, ("true",)), False, False, None),
    (Requirement("BoolIfExists", PRESENT, ("false",), negated=True), False, True, None),
    (Requirement("BoolIfExists", PRESENT, ("true",), negated=True), False, False, None),
    (Requirement("Bool", PRESENT, ("false",), negated=True), False, False, None),
    (Requirement("NumericLessThan", AGE, ("3600",)), False, True, None),
    (Requirement("NumericLessThanEquals", AGE, ("3600",)), False, True, None),
    (Requirement("NumericLessThanIfExists", AGE, ("3600",)), False, False, None),
    (Requirement("NumericGreaterThan", AGE, ("3600",), negated=True), False, False, None),
    (Requirement("NumericGreaterThanIfExists", AGE, ("3600",), negated=True), False, True, None),
    (Requirement("Null", AGE, ("false",)), False, True, None),
    (Requirement("Null", AGE, ("true",), negated=True), False, True, None),
    (Requirement("Null", PRESENT, ("false",)), False, False, None),
    (Requirement("AnyOf", any_of=((WITH_MFA,), (FROM_AN_ADDRESS, WITH_MFA))), False, True, None),
    (Requirement("AnyOf", any_of=((WITH_MFA,), (FROM_AN_ADDRESS,))), False, False, None),
    (Requirement("DateLessThan", "aws:CurrentTime", ("2027-01-31T00:00:00Z",)), False, False, JANUARY),
    (Requirement("DateLessThanEquals", "AWS:currenttime", ("2027-01-31T02:00:00+02:00",)), False, False, SECOND),
    (Requirement("DateLessThan", "aws:CurrentTime", ("2027-01-31",)), False, False, JANUARY),
    (Requirement("DateLessThan", "aws:CurrentTime", ("2026-01-31", "2027-01-31")), False, False, JANUARY),
    (Requirement("DateLessThan", "aws:CurrentTime", ("2027-01-31", "soon")), False, False, None),
    (Requirement("NumericLessThan", "aws:EpochTime", ("1801353600",)), False, False, JANUARY),
    (Requirement("DateLessThanIfExists", "aws:EpochTime", ("2027-01-31",)), False, False, JANUARY),
    (Requirement("DateLessThan", "aws:EpochTime", ("9" * 30,)), False, False, None),
    (Requirement("DateLessThan", "aws:CurrentTime", ()), False, False, None),
    (Requirement("NumericLessThan", "aws:CurrentTime", ("1801353600",)), False, False, None),
    (Requirement("DateEquals", "aws:CurrentTime", ("2027-01-31",)), False, False, SECOND),
    (Requirement("DateNotEquals", "aws:CurrentTime", ("2027-01-31",)), False, False, None),
    (Requirement("DateLessThan", "aws:CurrentTime", ("soon",)), False, False, None),
    (Requirement("DateLessThan", "aws:TokenIssueTime", ("2027-01-31",)), False, False, None),
    (Requirement("DateLessThan", "aws:CurrentTime", ("2027-01-31",), negated=True), False, False, None),
    (Requirement("DateGreaterThan", "aws:CurrentTime", ("2027-01-31",)), False, False, None),
], ids=str)  # fmt: skip
def test_what_a_requirement_asks_of_a_session(
    one: Requirement, external_id: bool, mfa: bool, closes: datetime | None
) -> None:
    """Without MFA there is no aws:MultiFactorAuthAge, while aws:MultiFactorAuthPresent may be there as false.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html
    """
    _, found = window([one])
    assert (asks_for_external_id([one]), requires_mfa([one]), found) == (external_id, mfa, closes)
    assert found is None or found.tzinfo is UTC


UNTIL, FROM = ("DateLessThan", "aws:CurrentTime"), ("DateGreaterThan", "aws:CurrentTime")
EARLY, LATE = ("2027-01-31",), ("2027-06-01",)
JUNE = datetime(2027, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize(("each", "opens", "closes"), [
    ([Requirement(*FROM, EARLY), Requirement(*UNTIL, LATE)], JANUARY, JUNE),
    ([Requirement("NumericGreaterThanEquals", "aws:EpochTime", ("1801353600",))], JANUARY, None),
    ([Requirement(*FROM, EARLY + LATE)], JANUARY, None),
    ([Requirement(*FROM, EARLY + LATE, negated=True)], None, SECOND),
    ([Requirement("DateGreaterThanEquals", "aws:CurrentTime", EARLY, negated=True)], None, JANUARY),
    ([Requirement(*UNTIL, EARLY + LATE, negated=True)], JUNE, None),
    ([Requirement("AnyOf", any_of=((Requirement(*UNTIL, EARLY),), (Requirement(*UNTIL, LATE), WITH_MFA)))], None, JUNE),
    ([Requirement("AnyOf", any_of=((Requirement(*FROM, EARLY),), (Requirement(*FROM, LATE),)))], JANUARY, None),
    ([Requirement("AnyOf", any_of=((Requirement(*UNTIL, EARLY),), (WITH_MFA,)))], None, None),
], ids=str)  # fmt: skip
def test_requirements_about_time_say_from_when_and_until_when_they_can_be_met_together(
    each: list[Requirement], opens: datetime | None, closes: datetime | None
) -> None:
    """Of several values one has to match; a Deny is refused while it matches; of alternatives any one is enough.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
    """
    assert window(each) == (opens, closes)


def year(number: int) -> datetime:
    return datetime(number, 1, 1, tzinfo=UTC)


def during(opens: int, closes: int) -> tuple[Requirement, ...]:
    return Requirement(*FROM, (f"{opens}-01-01",)), Requirement(*UNTIL, (f"{closes}-01-01",))


def either(*groups: Sequence[Requirement]) -> Requirement:
    return Requirement("AnyOf", any_of=tuple(map(tuple, groups)))


@pytest.mark.parametrize(("each", "periods"), [
    ([either(during(2030, 2031), during(2034, 2035))], [(2030, 2031), (2034, 2035)]),
    ([either(during(2030, 2032), during(2031, 2033), during(2033, 2034))], [(2030, 2034)]),
    ([either(during(2030, 2039), during(2031, 2032), during(2035, 2036))], [(2030, 2039)]),
    ([either(during(2030, 2031), during(2039, 2034))], [(2030, 2031)]),
    ([either(during(2020, 2019), during(2030, 2031))], [(2030, 2031)]),
    ([either(during(2030, 2031), [either(during(2033, 2034), during(2036, 2037))])],
     [(2030, 2031), (2033, 2034), (2036, 2037)]),
    ([either(during(2030, 2033), during(2035, 2038)), either(during(2032, 2036), during(2037, 2039))],
     [(2032, 2033), (2035, 2036), (2037, 2038)]),
    ([either(during(2030, 2031), during(2034, 2035)), *during(2033, 2039)], [(2034, 2035)]),
    ([*during(2033, 2039), either(during(2030, 2031), [WITH_MFA])], [(2033, 2039)]),
    ([either(during(2030, 2031), during(2036, 2037)), *during(2032, 2035)], [(2035, 2035)]),
    ([*during(2032, 2030)], [(2030, 2030)]),
])  # fmt: skip
def test_alternatives_are_met_at_the_times_of_each_and_those_that_never_can_be_met_add_none(
    each: list[Requirement], periods: list[tuple[int, int]]
) -> None:
    """What can never be met has no length, and so is never open: statements are evaluated each for itself.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html
    """
    assert window(each) == (year(periods[0][0]), year(periods[-1][1]))
    assert pauses(each) == tuple((year(end), year(start)) for (_, end), (start, _) in pairwise(periods))


@pytest.mark.parametrize(("one", "said"), [
    (WITH_MFA, "MFA"),
    (Requirement("StringEquals", EXTERNAL_ID, ("a",)), "external ID"),
    (Requirement("DateLessThan", "aws:CurrentTime", ("2027-01-31T12:30:00Z",)), "until 2027-01-31 12:30 UTC"),
    (Requirement("DateGreaterThan", "aws:CurrentTime", ("2027-06-01T00:00:00Z",)), "from 2027-06-01"),
    (Requirement("DateGreaterThan", "aws:CurrentTime", LATE, negated=True), "until 2027-06-01 00:00 UTC"),
    (Requirement("DateLessThanEquals", "aws:CurrentTime", ("2027-01-31T23:59:59Z",)), "until 2027-01-31"),
    (Requirement("DateEquals", "aws:CurrentTime", ("2027-06-01",)), "aws:CurrentTime DateEquals 2027-06-01"),
    (Requirement("BoolIfExists", PRESENT, ("true",)), "MFA (not asked of access keys)"),
    (Requirement("Bool", PRESENT, ("false",), negated=True), "MFA (not asked of access keys)"),
    (Requirement("NumericLessThanIfExists", AGE, ("60",)), "aws:MultiFactorAuthAge NumericLessThanIfExists 60"),
    (FROM_AN_ADDRESS, "aws:SourceIp IpAddress 10.0.0.0/8"),
    (
        Requirement("", any_of=(
            (Requirement("StringEquals", EXTERNAL_ID, ("a",)),),
            (Requirement("StringEquals", EXTERNAL_ID, ("b",)), FROM_AN_ADDRESS),
        )),
        "(external ID or (external ID and aws:SourceIp IpAddress 10.0.0.0/8))",
    ),
    (Requirement("StringEquals", "SAML:aud", ("a", "b")), "audience (a or b)"),
    (Requirement("StringLike", "accounts.google.com:aud", ("a*",)), "accounts.google.com:aud StringLike a*"),
    (Requirement("StringNotEquals", "id.example.com:aud", ("a",), negated=True),
        "not (id.example.com:aud StringNotEquals a)"),
], ids=str)  # fmt: skip
def test_a_requirement_is_said_in_words(one: Requirement, said: str) -> None:
    assert in_words(one) == said


@pytest.mark.parametrize(("one", "said"), [
    (Requirement("NumericLessThan", AGE, ("300",)), "MFA, less than 5 min ago"),
    (Requirement("NumericGreaterThanIfExists", AGE, ("3600",), negated=True), "MFA, at most 1 h ago"),
    (Requirement("NumericGreaterThan", AGE, ("3600",)), "MFA"),
    (Requirement("DateLessThan", "aws:CurrentTime", EARLY), "until 2027-01-30 (closed since then)"),
], ids=str)  # fmt: skip
def test_how_long_ago_mfa_may_be_and_what_is_over_are_said_in_detail(one: Requirement, said: str) -> None:
    assert in_detail(one, JANUARY) == said
