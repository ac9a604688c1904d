"""Whom a trust in many really means, and what can be said of a principal whose name is still to be made up.

Expectations: `aws:PrincipalArn` compares "the ARN of the principal that made the request", of a session its role's.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest

from tests.access.world import (
    CI,
    DEPLOYER,
    HUB,
    MFA,
    OUTSIDE,
    PROD,
    STAGE,
    World,
    arn,
    document,
    grants,
    replaced,
    trusts,
)
from twokeys.access.keys import statements
from twokeys.access.model.names import admits_everyone, could_be_role, granted_resources, open_leaves, trusted_names
from twokeys.access.model.requirements import (
    demanded_values,
    in_words,
    organizations_demanded,
    pauses,
    requires_mfa,
    window,
)
from twokeys.iam import UNKNOWN, Outcome, PolicyKind, Requirement, Statement, parse_policy
from twokeys.iam.external_id import asks_for_external_id, demands_external_id

ROOT = arn(HUB, "root")
NIGHTLY = arn(HUB, "role/nightly")


def world_of(*statements: dict[str, object], granted: Sequence[str] = ("ci",)) -> World:
    world = World()
    for name in ("ci", "nightly"):
        world.role(name, world.hub)
        if name in granted:
            world.grant(name, world.hub, DEPLOYER)
    world.role("deployer", world.stage, document(*statements))
    return world


def picking(*arns: str, operator: str = "ArnEquals", of: str = ROOT) -> dict[str, object]:
    return trusts(of, condition={operator: {"aws:PrincipalArn": list(arns)}})


@pytest.mark.parametrize("of", [ROOT, HUB, "*"])
@pytest.mark.parametrize("operator", ["ArnEquals", "ArnLike", "StringEquals", "StringLike"])
def test_each_principal_that_a_condition_picks_from_many_needs_a_grant(of: str, operator: str) -> None:
    world = world_of(picking(CI, NIGHTLY, operator=operator, of=of), granted=["ci", "nightly"])
    assert world.rules() == []
    world = world_of(picking(CI, NIGHTLY, operator=operator, of=of))
    assert [(one.rule, one.door) for one in world.findings()] == [("door-needs-grant", f"{NIGHTLY} -> {DEPLOYER}")]


def test_a_condition_by_pattern_leaves_it_at_somebody_of_the_account() -> None:
    assert world_of(picking(arn(HUB, "role/*"), operator="ArnLike")).rules() == []
    assert world_of(picking(arn(HUB, "role/*"), operator="ArnLike"), granted=[]).rules() == ["door-needs-grant"]


def test_a_condition_that_need_not_be_met_picks_nobody() -> None:
    for operator in ("ArnNotEquals", "ArnEqualsIfExists"):
        assert world_of(picking(arn(HUB, "role/other"), operator=operator), granted=[]).rules() == ["door-needs-grant"]


def test_a_condition_that_picks_from_another_account_than_the_principal_opens_nothing() -> None:
    elsewhere = arn(PROD, "role/ci")
    assert world_of(picking(elsewhere)).rules() == ["door-needs-trust"]


def test_a_condition_that_picks_an_outsider_from_everyone_asks_for_an_external_id() -> None:
    assert world_of(picking(arn(OUTSIDE, "role/x"), of="*"), granted=[]).rules() == ["external-id"]


def prefixed(*statements: dict[str, object]) -> World:
    """A role with `namePrefix`, as the engine shows it: its name comes with the update, the grant hangs on the role."""
    world = World()
    shown = {"namePrefix": "ci-", "name": UNKNOWN, "path": "/"}
    ci = world.add("Role", "ci", world.hub, namePrefix="ci-", assumeRolePolicy=document(trusts(ROOT)), outputs=shown)
    made_from = {"role": [ci]}
    world.add("RolePolicy", "enter", world.hub, made_from=made_from, name="enter", policy=document(grants(DEPLOYER)))
    world.role("deployer", world.stage, document(*statements))
    return world


def test_a_name_to_be_made_up_does_not_matter_where_an_account_is_trusted() -> None:
    assert prefixed(trusts(ROOT)).rules() == []


def test_a_role_without_a_name_is_to_be_granted_by_its_output() -> None:
    """Nobody can write its ARN: https://www.pulumi.com/docs/iac/concepts/resources/names/#autonaming"""
    world = World()
    world.role("ci", world.hub)
    world.role("late-1a2b3c4", world.stage, document(trusts(CI)))
    assert "sts:AssumeRole on arn:" in next(statements(world.graph)).next_step, "that name is the program's"
    world.change(world.resources[-1], name="late")
    assert "allows sts:AssumeRole on the output `arn` of role late, or take" in next(statements(world.graph)).next_step


def test_a_name_that_is_not_known_matters_wherever_a_document_may_name_it() -> None:
    """Unlike one that AWS's provider makes up, which nobody can have written down yet."""
    world = prefixed(trusts(ROOT))
    ci = next(one for one in world.resources if one.name == "ci")
    values = {"name": UNKNOWN, "path": "/", "assumeRolePolicy": document(trusts(ROOT))}
    world.change(ci, inputs=values, outputs=values)
    assert world.rules() == ["unproved-door"]


def test_a_name_to_be_made_up_matters_where_a_condition_reads_it() -> None:
    denial = trusts("*", condition={"ArnLike": {"aws:PrincipalArn": arn(HUB, "role/ci-*")}}, effect="Deny")
    assert prefixed(trusts(ROOT), denial).rules() == ["unproved-door"]


def test_a_name_to_be_made_up_is_nobody_that_a_trust_names() -> None:
    assert prefixed(trusts(arn(HUB, "role/ci-20261124"))).rules() == ["unproved-door"]


def test_a_role_with_a_prefix_answers_a_grant_on_that_prefix() -> None:
    for pattern, rules in (("role/deployer-*", ["wildcard-grant"]), ("role/deploy", ["unproved-door"])):
        world = World()
        world.role("ci", world.hub)
        world.grant("ci", world.hub, arn(STAGE, pattern))
        trust = document(trusts(CI))
        shown = {"namePrefix": "deployer-", "name": UNKNOWN, "path": "/", "assumeRolePolicy": trust}
        world.add("Role", "target", world.stage, namePrefix="deployer-", assumeRolePolicy=trust, outputs=shown)
        assert world.rules() == rules


def test_a_holder_by_pattern_whose_boundary_is_made_elsewhere_is_not_proved() -> None:
    """A permissions boundary limits what identity-based policies grant, and this one cannot be read.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
    """
    for boundary, rules in ((None, []), (arn(HUB, "policy/elsewhere"), ["unproved-door"])):
        world = World()
        world.role("ci", world.hub, permissionsBoundary=boundary)
        world.grant("ci", world.hub, arn(STAGE, "role/deploy*"))
        world.role("deployer", world.stage, document(trusts(ROOT)))
        assert world.rules() == [*rules, "wildcard-grant"]


ORGANIZATION = "o-a1b2c3d4e5"
IN_PROD = arn(PROD, "role/x")
BOTH = [arn(HUB, "role/*"), arn(PROD, "role/*")]


def many(of: str = "*", **condition: Any) -> dict[str, Any]:
    return trusts(of, condition={"StringLike": {f"aws:Principal{key}": value for key, value in condition.items()}})


ADMITTED: list[tuple[dict[str, Any], list[str]]] = [
    (trusts(CI), [CI]), (trusts(CI, NIGHTLY, CI), [CI, NIGHTLY]), (trusts("*"), ["*"]), (trusts(HUB), [HUB]),
    ({**trusts(CI), "Action": "sts:*"}, [CI]), ({**trusts(CI), "Action": "sts:TagSession"}, []),
    ({**trusts(CI), "NotAction": "sts:TagSession", "Action": None}, [CI]), (trusts(CI, effect="Deny"), []),
    ({**trusts(CI), "Principal": {"Service": "ec2.amazonaws.com"}}, []),
    (trusts(CI, condition=MFA), [CI]), (many(CI, Arn=NIGHTLY), [CI]),
    (many(Arn=[CI, NIGHTLY]), [CI, NIGHTLY]), (many(ROOT, Arn=[CI, IN_PROD]), [CI]), (many(ROOT, Arn=IN_PROD), [ROOT]),
    (many(Arn=arn(HUB, "user/ann")), [arn(HUB, "user/ann")]), (many(Arn=arn(HUB, "group/staff")), [HUB]),
    (many(Arn=BOTH), [HUB, PROD]), (many(Arn=BOTH[::-1], Account=PROD), [PROD]), (many(ROOT, Arn=BOTH), [ROOT]),
    (many(Arn=[BOTH[0], CI]), [HUB]), (many(Arn=arn(HUB, "role/c?")), [HUB]),
    (many(Arn=arn(HUB, "role/${aws:x}")), [HUB]),
    (many(Arn=arn("*", "role/ci")), ["*"]), (many(Arn=[CI, arn("*", "role/ci")]), ["*", HUB]), (many(Arn="ci"), ["*"]),
    (many(Account=[PROD, HUB]), [HUB, PROD]), (many(Account=[PROD, "1*"]), ["*", PROD]),
    (many(HUB, Account=PROD), [HUB]),
    (many(Account=[PROD, HUB], OrgID=ORGANIZATION), [HUB, PROD]),
    (many(Account=["${aws:ResourceAccount}", PROD]), ["${aws:ResourceAccount}", PROD]),
    (many(Account="${aws:ResourceAccount}", Arn=[CI, "ci"]), ["${aws:ResourceAccount}"]),
    (many(OrgID=[ORGANIZATION, "o-b"]), [ORGANIZATION, "o-b"]),
    (many(OrgID="o-*"), ["*"]), (many(OrgPaths=f"{ORGANIZATION}/r-ab12/*"), [ORGANIZATION]),
    (many(HUB, OrgID="o-b"), [HUB]),
    (many(Arn=UNKNOWN), ["*"]), (many(Arn=[CI, UNKNOWN]), ["*", HUB]), (many(Account=UNKNOWN), ["*"]),
    (many(Tag="x"), ["*"]),
    ({**trusts(CI), "Principal": {"AWS": [CI, UNKNOWN]}}, [CI]),
]  # fmt: skip


@pytest.mark.parametrize(("statement", "expected"), ADMITTED)
def test_a_statement_of_a_trust_policy_admits_those_whom_its_principal_and_conditions_leave(
    statement: dict[str, Any], expected: list[str]
) -> None:
    """Each value of a condition that says who the caller is stands for itself; one that says nobody leaves everyone.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-anonymous
    """
    trust = parse_policy(policy_of(statement), PolicyKind.TRUST)
    assert list(trusted_names(trust)) == expected
    everyone = statement["Principal"] == {"AWS": ["*"]} and statement["Effect"] == "Allow"
    assert admits_everyone(trust) is everyone


def policy_of(*statements: Any) -> dict[str, Any]:
    known = [{key: value for key, value in one.items() if value is not None} for one in statements]
    return {"Version": "2012-10-17", "Statement": known}


GRANTED: list[tuple[dict[str, Any], list[str]]] = [
    (grants(DEPLOYER, CI), [DEPLOYER, CI]), (grants("*", action="s3:*"), []), (grants("*", effect="Deny"), []),
    ({"Effect": "Allow", "Action": "sts:*", "NotResource": DEPLOYER}, ["*"]),
    ({"Effect": "Allow", "NotAction": "iam:*", "Resource": DEPLOYER}, [DEPLOYER]),
    (grants("arn:aws:iam"), ["arn:aws:iam", "arn:aws:iam:*:*:*"]),
    ({"Effect": "Allow", "Action": UNKNOWN, "Resource": [DEPLOYER, UNKNOWN]}, [DEPLOYER]),
]  # fmt: skip


@pytest.mark.parametrize(("statement", "expected"), GRANTED)
def test_a_policy_grants_the_roles_that_its_statements_allow(statement: dict[str, Any], expected: list[str]) -> None:
    policy = parse_policy(policy_of(grants(IN_PROD), statement), PolicyKind.IDENTITY)
    assert list(granted_resources(policy, "aws")) == [IN_PROD, *expected]


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        ("*", True), (DEPLOYER, True), ("arn:aws:*", True), ("arn:aws:*:::role/x", True),
        ("arn:aws:i*::1:role/x", True),
        ("arn:aws:?am::1:role/x", True), ("arn:aws:s3:::bucket/*", False), ("arn:aws:s3:eu:1:a:b", False),
    ],
)  # fmt: skip
def test_only_what_may_be_of_iam_may_be_a_role(resource: str, expected: bool) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html"""
    assert could_be_role(resource) is expected


def trust_of(**elements: Any) -> dict[str, Any]:
    return {**trusts(CI), **elements}


def grant_of(**elements: Any) -> dict[str, Any]:
    return {"Effect": "Allow", **elements}


BUCKET = "arn:aws:s3:::bucket/*"
LEAVES: list[tuple[dict[str, Any], list[str]]] = [
    (trust_of(Principal=UNKNOWN), ["Principal"]), (trust_of(Principal={"AWS": [CI, UNKNOWN]}), ["Principal"]),
    (trust_of(Action=UNKNOWN), ["Action"]), (trust_of(Action=[UNKNOWN, "sts:AssumeRole"]), []),
    (trust_of(Principal=UNKNOWN, Action=UNKNOWN), ["Principal"]),
    (trust_of(Principal="*", Action=UNKNOWN), ["Action"]),
    (trust_of(Principal={"AWS": [UNKNOWN]}, Action=UNKNOWN), ["Principal", "Action"]),
    (trust_of(Action=None, NotAction=["sts:TagSession", UNKNOWN]), ["NotAction"]),
    (trust_of(Principal={"Service": "ec2.amazonaws.com"}, Action=UNKNOWN), []), (trust_of(Sid=UNKNOWN), []),
    (trust_of(Effect=UNKNOWN), ["Effect"]), (trust_of(Effect=UNKNOWN, Action="sts:TagSession"), []),
    (trust_of(Effect=UNKNOWN, Principal="*"), ["Effect"]),
    (trust_of(Effect=UNKNOWN, Principal=UNKNOWN), ["Effect", "Principal"]),
    *((trust_of(Effect=UNKNOWN, Principal={"Federated": "p"}, Action=f"sts:AssumeRoleWith{way}"), ["Effect"])
      for way in ("SAML", "WebIdentity")),
    *((trust_of(Effect=UNKNOWN, Principal={"Service": name}), found)
      for name, found in (("pods.eks.amazonaws.com", ["Effect"]), ("ec2.amazonaws.com", []), ("*", ["Effect"]))),
    (trust_of(Effect="Deny", Principal=UNKNOWN, Action=UNKNOWN), []),
    (grant_of(Action="sts:AssumeRole", Resource=[DEPLOYER, UNKNOWN]), ["Resource"]),
    (grant_of(Action="sts:AssumeRole", NotResource=UNKNOWN), ["NotResource"]),
    (grant_of(Action=UNKNOWN, Resource=UNKNOWN), ["Resource", "Action"]),
    (grant_of(NotAction=UNKNOWN, Resource=[BUCKET, DEPLOYER]), ["NotAction"]),
    (grant_of(Action=UNKNOWN, Resource=BUCKET), []), (grant_of(Action="s3:*", Resource=UNKNOWN), []),
    (grant_of(Effect=UNKNOWN, Action="sts:AssumeRoot", Resource=arn(STAGE, "root")), ["Effect"]),
    *((grant_of(Action="sts:AssumeRoot", **{element: UNKNOWN}), [element]) for element in ("Resource", "NotResource")),
    (grant_of(Effect=UNKNOWN, Action="sts:AssumeRole", Resource=BUCKET), []),
    (grant_of(Effect=UNKNOWN, Action="sts:AssumeRoleWithSAML", Resource="*"), []),
    (grant_of(Effect=UNKNOWN, Action="sts:AssumeRole", NotResource=BUCKET), ["Effect"]),
]  # fmt: skip


@pytest.mark.parametrize(("statement", "expected"), LEAVES)
def test_what_is_not_known_counts_where_it_may_let_somebody_in(statement: dict[str, Any], expected: list[str]) -> None:
    trust = "Principal" in statement
    kind = PolicyKind.TRUST if trust else PolicyKind.IDENTITY
    leaves = [f"Statement[0].{element}" for element in expected]
    for version in ("2012-10-17", UNKNOWN):  # without a version nothing but what `${...}` means is open
        policy = parse_policy({"Version": version, "Statement": [*policy_of(statement)["Statement"], UNKNOWN]}, kind)
        assert sorted(open_leaves(policy, trust=trust)) == sorted([*leaves, "Statement[1]"])


def of_condition(condition: dict[str, object]) -> Statement:
    given = {"Version": "2012-10-17", "Statement": [trusts("*", condition=condition)]}
    return parse_policy(given, PolicyKind.TRUST).statements[0]


IN_A, IN_A_OR_B = {"aws:PrincipalOrgID": "o-a"}, {"aws:PrincipalOrgID": ["o-a", "o-b"]}


@pytest.mark.parametrize(("condition", "organizations"), [
    ({"StringEquals": IN_A}, {"o-a"}),
    ({"StringEquals": IN_A_OR_B}, {"o-a", "o-b"}),
    ({"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-a/r-b/ou-c/*"}}, {"o-a"}),
    ({"StringEquals": IN_A_OR_B, "ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-a/*"}}, {"o-a"}),
    ({"StringEquals": {"aws:PrincipalOrgID": "${aws:ResourceOrgID}"}}, {"${aws:ResourceOrgID}"}),
    ({"StringEquals": {"aws:PrincipalOrgID": "${aws:PrincipalOrgID}"}}, None),
    ({"StringEquals": {"aws:PrincipalOrgID": "${sts:ExternalId}"}}, None),
    ({"StringEquals": {"aws:PrincipalOrgID": UNKNOWN}}, None),
    ({"StringEquals": {"aws:PrincipalAccount": HUB}}, None),
    ({"StringLike": {"aws:PrincipalOrgID": "o-*"}}, None),
    ({"StringEqualsIfExists": IN_A}, None),
    ({"StringNotEquals": IN_A}, None),
    ({"ForAllValues:StringLike": {"aws:PrincipalOrgPaths": "o-a/*"}}, None),
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
    (Requirement("NumericGreaterThan", AGE, ("3600",)), False, False, None),
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
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html"""
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


def tagged(key: str, value: str, operator: str = "StringEquals") -> dict[str, Any]:
    return trusts(ROOT, condition={operator: {key: value}})


BLUE = "aws:PrincipalTag/Team"
TAGGING = {**trusts(ROOT), "Action": ["sts:AssumeRole", "sts:TagSession"]}


@pytest.mark.parametrize(
    ("trust", "of_caller", "outcome"),
    [
        (tagged(BLUE, "blue"), {}, Outcome.ALLOW), (tagged(BLUE, "red"), {}, Outcome.DENY),
        (tagged("aws:PrincipalTag/env", "prod"), {}, Outcome.DENY),
        (tagged("aws:PrincipalTag/env", "prod", "StringNotEquals"), {}, Outcome.ALLOW),
        (tagged(BLUE, "red"), {"assumeRolePolicy": document(TAGGING)}, Outcome.CONDITIONAL),
        (tagged(BLUE, "red"), {"assumeRolePolicy": UNKNOWN}, Outcome.CONDITIONAL),
        (tagged(BLUE, "red"), {"tags": {"team": UNKNOWN}}, Outcome.CONDITIONAL),
        (tagged("aws:PrincipalTag/env", "prod"), {"tagsAll": UNKNOWN, "tags": UNKNOWN}, Outcome.CONDITIONAL),
        (tagged("iam:ResourceTag/env", "stage"), {}, Outcome.ALLOW),
        (tagged("aws:ResourceTag/ENV", "prod"), {}, Outcome.DENY),
        (tagged("aws:ResourceTag/env", "${aws:PrincipalTag/env}"), {"tags": {"env": "stage"}}, Outcome.ALLOW),
        (tagged("aws:ResourceTag/env", "${aws:PrincipalTag/env}"), {}, Outcome.DENY),
        (tagged("aws:RequestTag/env", "prod"), {}, Outcome.DENY),
    ],
)  # fmt: skip
def test_a_tag_counts_as_the_stack_has_it_unless_the_session_may_have_another(
    trust: dict[str, Any], of_caller: dict[str, Any], outcome: Outcome
) -> None:
    """Session tags go before those of the role; to pass them the role's trust policy has to allow sts:TagSession.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principaltag
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_permissions-required
    """
    world = world_of(trust)
    replaced(world, "ci", **{"tags": {"team": "blue"}, **of_caller})
    replaced(world, "deployer", tags={"env": "stage"})
    [door] = [one for one in world.graph.doors if (one.source.arn, one.target.arn) == (CI, DEPLOYER)]
    assert door.outcome is outcome


def test_a_user_has_the_tags_of_its_own_and_of_a_group_s_members_none_are_known() -> None:
    world = world_of({**tagged(BLUE, "blue"), "Principal": {"AWS": "*"}}, granted=[])
    for name, team in (("ann", "blue"), ("bob", "red")):
        world.add("User", name, world.hub, name=name, tags={"team": team})
        world.add("UserPolicy", name, world.hub, user=name, name="g", policy=document(grants(DEPLOYER)))
    world.add("Group", "staff", world.hub, name="staff")
    world.add("GroupPolicy", "staff", world.hub, group="staff", name="g", policy=document(grants(DEPLOYER)))
    found = {one.source.name: one.outcome for one in world.graph.doors}
    outcomes = {"ann": Outcome.ALLOW, "bob": Outcome.DENY, "staff": Outcome.CONDITIONAL}
    assert found | outcomes == found


def test_a_tag_that_the_provider_may_leave_out_stays_open() -> None:
    """https://www.pulumi.com/registry/packages/aws/api-docs/provider/#providerignoretags"""
    world = world_of(tagged("aws:PrincipalTag/env", "prod"))
    replaced(world, "hub", ignoreTags={"keyPrefixes": ["env"]})
    assert Outcome.CONDITIONAL in [one.outcome for one in world.graph.doors if one.target.arn == DEPLOYER]


def test_a_step_of_everybody_is_told_apart_by_tags() -> None:
    world = world_of(trusts(CI))
    world.role("open", world.hub, document({**tagged(BLUE, "blue"), "Principal": {"AWS": "*"}}))
    replaced(world, "ci", tags={"team": "blue"})
    outcomes = {one.source.name: one.outcome for one in world.graph.steps if one.target.name == "open"}
    assert outcomes == {"ci": Outcome.ALLOW, "nightly": Outcome.DENY}


def test_a_step_of_everybody_is_told_apart_by_who_may_pass_tags_to_it() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_permissions-required"""
    world = world_of(trusts(CI), granted=())
    for name in ("one", "two"):
        world.role(name, world.hub, document({**TAGGING, "Principal": {"AWS": "*"}}))
    untagged = {**grants("*", effect="Deny"), "Condition": {"StringNotEquals": {"aws:RequestTag/team": "blue"}}}
    world.add("Policy", "blue-only", world.hub, name="blue-only", policy=document(untagged))
    for name in ("ci", "nightly"):
        policy = arn(HUB, "policy/blue-only")
        world.add("RolePolicyAttachment", name, world.hub, role=name, policyArn=policy)
    no_tags = document(grants(arn(HUB, "role/two"), action="sts:TagSession", effect="Deny"))
    world.add("RolePolicy", "no-tags", world.hub, role="ci", name="no-tags", policy=no_tags)
    outcomes = {one.source.name: one.outcome for one in world.graph.steps if one.target.name == "two"}
    assert (outcomes["ci"], outcomes["nightly"]) == (Outcome.DENY, Outcome.CONDITIONAL)


CI_ID = "AROAEXAMPLEROLECI00"


@pytest.mark.parametrize(
    ("operator", "value", "outcome"),
    [
        ("StringLike", f"{CI_ID}:*", Outcome.ALLOW), ("StringLike", "AROA*", Outcome.ALLOW),
        ("StringLike", f"{CI_ID}:ann*", Outcome.CONDITIONAL), ("StringLike", "*:ann", Outcome.CONDITIONAL),
        ("StringEquals", f"{CI_ID}:ann", Outcome.CONDITIONAL), ("StringEquals", f"{CI_ID}:*", Outcome.DENY),
        ("StringEquals", "AIDAEXAMPLEUSERANN0", Outcome.DENY), ("StringLike", "AROAANOTHER00000000:*", Outcome.DENY),
        ("StringNotLike", "AROAANOTHER00000000:*", Outcome.ALLOW), ("StringNotLike", f"{CI_ID}:*", Outcome.DENY),
        ("StringNotEqualsIfExists", f"{CI_ID}:ann", Outcome.CONDITIONAL), ("Null", "true", Outcome.DENY),
    ],
)  # fmt: skip
def test_of_a_role_aws_userid_is_its_unique_id_and_the_name_of_the_session(
    operator: str, value: str, outcome: Outcome
) -> None:
    """A session's name has 2 to 64 characters.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#principaltable
    https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
    """
    world = world_of(tagged("aws:userid", value, operator))
    replaced(world, "ci", uniqueId=CI_ID)
    [door] = [one for one in world.graph.doors if (one.source.arn, one.target.arn) == (CI, DEPLOYER)]
    assert door.outcome is outcome
