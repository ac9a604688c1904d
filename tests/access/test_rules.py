"""Each rule: one stack that it lets pass, and one change that it, and only it, refuses."""

import ast
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.access.test_translation import put
from tests.access.world import (
    CI,
    DEPLOYER,
    HUB,
    MFA,
    OUTSIDE,
    PROD,
    SERVICE,
    STAGE,
    TODAY,
    TYPES,
    World,
    arn,
    document,
    grants,
    replaced,
    trusts,
    two_keys,
)
from twokeys.access.configuration import read_configuration
from twokeys.access.exceptions import DoorConfig
from twokeys.access.findings import Finding, Rule
from twokeys.access.graph import build
from twokeys.access.reading.snapshot import Evidence, Resource
from twokeys.access.rules import BY_NAME, RULES
from twokeys.access.verdicts import Judged, Verdicts, check, judge, level_of, run
from twokeys.errors import Refusal
from twokeys.iam import UNKNOWN

CI_DOOR = f"{CI} -> {DEPLOYER}"
RULES_FOLDER = Path(__file__).parents[2] / "twokeys" / "access" / "rules"


def trusting(world: World, whom: str, condition: dict[str, object]) -> None:
    replaced(world, "deployer", assumeRolePolicy=document(trusts(whom, condition=condition)))


def organization(world: World) -> World:
    world.add("Organization", "organization", world.hub, outputs={"id": "o-a1b2c3d4e5"})
    return world


def granting(world: World, *resources: str) -> None:
    replaced(world, "ci-grant", policy=document(grants(*resources)))


@pytest.mark.parametrize(("operator", "key", "value"), [
    ("StringLike", "aws:PrincipalOrgID", "o-*"),
    ("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "*/r-ab12/*"),
    ("StringLike", "aws:PrincipalAccount", "1111*"),
    ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:role/ci"),
    ("StringLike", "aws:PrincipalArn", "arn:*/ci"),
    ("StringEquals", "aws:PrincipalAccount", "${aws:PrincipalAccount}"),
    ("StringEquals", "aws:PrincipalAccount", "${sts:ExternalId}"),
    ("StringEquals", "aws:PrincipalAccount", "${sts:RoleSessionName}"),
    ("StringEquals", "aws:PrincipalAccount", "${aws:TokenIssueTime, '111111111111'}"),
    ("StringLike", "aws:PrincipalOrgID", ["o-a1b2c3d4e5", "o-?*"]),
])  # fmt: skip
def test_a_condition_that_anybody_can_meet_limits_nobody(operator: str, key: str, value: object) -> None:
    """Role names are anybody's to choose, and every principal of any organization has an id that begins with `o-`.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principal-properties
    """
    world = two_keys()
    trusting(world, "*", {operator: {key: value}})
    assert world.rules() == ["wildcard-trust"]


@pytest.mark.parametrize(("operator", "key", "value"), [
    ("StringEquals", "aws:PrincipalOrgID", "o-a1b2c3d4e5"),
    ("StringEquals", "aws:PrincipalOrgID", "${aws:ResourceOrgID}"),
    ("StringEquals", "aws:PrincipalOrgID", ["o-a1b2c3d4e5", "*"]),
    ("StringEquals", "aws:PrincipalAccount", [HUB, "9999*"]),
    ("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/*"),
    ("StringLike", "aws:PrincipalAccount", HUB),
    ("ArnLike", "aws:PrincipalArn", arn(HUB, "role/c*")),
])  # fmt: skip
def test_a_condition_that_says_whose_the_principal_is_limits_everyone(operator: str, key: str, value: object) -> None:
    """Under StringEquals a `*` is a star, which is in no id; advice says that nothing matches it.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_String
    """
    world = organization(two_keys())
    trusting(world, "*", {operator: {key: value}})
    assert world.refused == []
    assert world.rules() == (["policy-lint"] if "Equals" in operator and "*" in str(value) else [])


NOT_OURS = {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}
BUT_SERVICES = {"BoolIfExists": {"aws:PrincipalIsAWSService": "false"}}


@pytest.mark.parametrize(("denied", "rules"), [
    ({"Condition": NOT_OURS}, []),
    ({"Condition": NOT_OURS, "Action": "sts:*"}, []),
    ({"Condition": {**NOT_OURS, **BUT_SERVICES}}, []),
    ({"Condition": {"ArnNotLike": {"aws:PrincipalArn": arn(HUB, "role/c*")}}}, []),
    ({"Condition": {"ForAllValues:StringNotLike": {"aws:PrincipalOrgPaths": "o-a1b2c3d4e5/*"}}}, []),
    ({}, ["door-needs-trust"]),
    ({"Condition": {"ForAnyValue:StringNotLike": {"aws:PrincipalOrgPaths": "o-a1b2c3d4e5/*"}}}, ["wildcard-trust"]),
    ({"Condition": {"StringNotLike": {"aws:PrincipalOrgID": "o-*"}}}, ["wildcard-trust"]),
    ({"Condition": {"Null": {"aws:PrincipalOrgID": "true"}}}, ["wildcard-trust"]),
    ({"Condition": BUT_SERVICES}, ["door-needs-trust", "wildcard-trust"]),
    ({"Condition": {**NOT_OURS, "Bool": {"aws:SecureTransport": "false"}}}, ["wildcard-trust"]),
    ({"Condition": {"Bool": {"aws:SecureTransport": "true"}}}, ["door-needs-trust", "wildcard-trust"]),
    ({"Condition": NOT_OURS, "Principal": {"AWS": arn(OUTSIDE, "root")}}, ["wildcard-trust"]),
    ({"Condition": NOT_OURS, "Action": "sts:AssumeRoleWithSAML"}, ["wildcard-trust"]),
])  # fmt: skip
def test_a_denial_of_everyone_else_limits_everyone(denied: dict[str, object], rules: list[str]) -> None:
    """The second as AWS's data perimeters have it: negated operators match when the key is absent.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_String
    """
    world = organization(two_keys())
    denial = {**trusts("*", effect="Deny"), **denied}
    replaced(world, "deployer", assumeRolePolicy=document(trusts("*"), denial))
    assert world.rules() == rules


@pytest.mark.parametrize("statements", [
    [{"Principal": "*", "Action": "sts:*"}],
    [{"Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}, {"Principal": {"AWS": "*"}, "Action": "sts:TagSession"},
     {"Principal": {"AWS": "*"}, "Action": "sts:AssumeRole*"}],
])  # fmt: skip
def test_a_trust_in_everyone_is_one_finding_whatever_else_it_says(statements: list[dict[str, object]]) -> None:
    """`*` by itself and under AWS are equivalent, and IAM refuses the first in a trust policy:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-anonymous
    """
    world = two_keys()
    world.role("open", world.stage, document(*({"Effect": "Allow", **one} for one in statements)))
    assert [one.rule for one in world.findings() if not one.advice] == ["wildcard-trust"]


def test_any_organization_is_no_protection_against_a_confused_deputy() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html"""
    world = two_keys()
    condition = {"StringLike": {"aws:PrincipalOrgID": "o-*"}}
    replaced(
        world, "deployer", assumeRolePolicy=document(trusts(CI), trusts(arn(OUTSIDE, "root"), condition=condition))
    )
    assert world.rules() == ["external-id"]


@pytest.mark.parametrize(("denied", "condition", "rule"), [
    ("*", {"StringNotEquals": {"sts:ExternalId": "abc"}}, "third-party-named"),
    (arn(OUTSIDE, "root"), {"StringNotEqualsIfExists": {"sts:ExternalId": ["abc", "def"]}}, "third-party-named"),
    ("*", {"StringNotLike": {"sts:ExternalId": "a*"}}, "external-id"),
    (arn(HUB, "root"), {"StringNotEquals": {"sts:ExternalId": "abc"}}, "external-id"),
    ("*", {"StringNotEquals": {"sts:ExternalId": "abc"}, "Bool": {"aws:SecureTransport": "false"}}, "external-id"),
])  # fmt: skip
def test_a_denial_without_the_external_id_demands_it(denied: str, condition: dict[str, object], rule: str) -> None:
    """Negated operators, with IfExists too, match when the key is absent.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_String
    """
    world = two_keys()
    trust = document(trusts(arn(OUTSIDE, "root")), trusts(denied, condition=condition, effect="Deny"))
    world.role("vendor", world.stage, trust)
    assert world.rules() == [rule]


def test_an_outsider_that_is_denied_or_whose_role_lives_nobody_knows_where_is_not_asked_for_an_external_id() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html"""
    vendor = arn(OUTSIDE, "root")
    world = two_keys()
    world.role("vendor", world.stage, document(trusts(vendor), trusts(vendor, effect="Deny")))
    assert world.rules() == []
    anywhere = world.add("Provider", "anywhere", allowedAccountIds=UNKNOWN)
    world.role("partner", anywhere, document(trusts(vendor)))
    assert "external-id" not in world.rules()


def user_without_mfa(world: World) -> None:
    world.add("User", "alice", world.hub, name="alice")
    world.add("UserPolicy", "enter", world.hub, user="alice", name="enter", policy=document(grants(DEPLOYER)))
    replaced(world, "deployer", assumeRolePolicy=document(trusts(CI, arn(HUB, "user/alice"))))


def user_with_mfa_if_the_key_exists(world: World) -> None:
    user_without_mfa(world)
    condition = {"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}}
    trust = document(trusts(CI), trusts(arn(HUB, "user/alice"), condition=condition))
    replaced(world, "deployer", assumeRolePolicy=trust)


def test_who_asks_people_for_mfa_leaves_the_door_of_a_role_beside_them_open() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html"""
    world = two_keys()
    user_without_mfa(world)
    (found,) = world.findings()
    (step,) = found.steps
    assert step.endswith("to its trust policy, in a statement of its own for people: the session of a role has no MFA")
    trust = document(trusts(CI), trusts(arn(HUB, "user/alice"), condition=MFA))
    replaced(world, "deployer", assumeRolePolicy=trust)
    assert world.rules() == []
    assert {door.source.name for door in world.graph.doors if door.open} >= {"ci", "alice"}


def two_environments(world: World) -> None:
    for name, identity in (("stage", STAGE), ("prod", PROD)):
        outputs = {"id": identity, "name": name, "email": f"a+{name}@example.com", "tags": {"environment": name}}
        world.add("Account", f"{name}-account", world.hub, protect=True, outputs=outputs)
    world.prod = world.provider("prod", PROD)  # type: ignore[attr-defined]


def from_stage_to_prod(world: World) -> None:
    two_environments(world)
    world.role("inner", world.prod, document(trusts(DEPLOYER)))  # type: ignore[attr-defined]
    world.grant("deployer", world.stage, arn(PROD, "role/inner"))


def from_stage_to_prod_through_the_hub(world: World) -> None:
    two_environments(world)
    world.role("relay", world.hub, document(trusts(DEPLOYER)))
    world.grant("deployer", world.stage, arn(HUB, "role/relay"))
    world.role("inner", world.prod, document(trusts(arn(HUB, "role/relay"))))  # type: ignore[attr-defined]
    world.grant("relay", world.hub, arn(PROD, "role/inner"))


def from_stage_to_prod_through_two_roles_of_the_hub(world: World) -> None:
    two_environments(world)
    world.role("relay", world.hub, document(trusts(DEPLOYER)))
    world.grant("deployer", world.stage, arn(HUB, "role/relay"))
    world.role("second", world.hub, document(trusts(arn(HUB, "role/relay"))))
    world.role("inner", world.prod, document(trusts(arn(HUB, "role/second"))))  # type: ignore[attr-defined]
    world.grant("second", world.hub, arn(PROD, "role/inner"))


def control_policy_on_a_misspelt_action(world: World) -> None:
    said = document({"Effect": "Deny", "Action": "ec2:RunInstnces", "Resource": "*"})
    world.add("ControlPolicy", "scp", world.hub, id="p-scp", content=said)
    world.add("ControlPolicyAttachment", "scp", world.hub, policyId="p-scp", targetId=PROD)


def control_policy_that_stops_the_next_update(world: World, *spared: str, **stopped: str) -> None:
    """https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_examples_iam.html"""
    world.role("r", world.provider("new", PROD))
    said = {"Effect": "Deny", "Action": "iam:*", "Resource": "*"}
    asked: dict[str, object] = {"ArnNotLike": {"aws:PrincipalARN": list(spared)}} if spared else {}
    asked |= {"StringEquals": {f"aws:{key}": value for key, value in stopped.items()}} if stopped else {}
    world.add(
        "ControlPolicy", "s", world.hub, id="p-s", content=document(said | ({"Condition": asked} if asked else {}))
    )
    world.add("ControlPolicyAttachment", "s", world.hub, policyId="p-s", targetId=PROD)


def one_address_for_two_accounts(world: World) -> None:
    for name, email in (("one", "a@example.com"), ("two", "A@Example.com")):
        world.add("Account", name, world.hub, protect=True, name=name, email=email)


def door(expires: str | None) -> dict[str, object]:
    return {
        "name": "deploy",
        "source": {"kind": "role", "account": HUB, "names": ["ci"]},
        "target": {"account": STAGE, "role": "deployer"},
        "owner": "platform",
        "expires": expires,
    }


def placed(type_: str, **inputs: object) -> Callable[[World], object]:
    return lambda world: world.change(world.add("Component", "x", world.stage, **inputs), type=type_)


def another_trust_than_is_declared(world: World) -> None:
    said = {"type": TYPES["Role"], "name": "own", "account": STAGE, "property": "assumeRolePolicy"}
    said |= {"properties": {"name": "own", "path": "/"}, "document": json.loads(SERVICE)}
    parent = world.add("Component", "door", symbolicDocuments=[said])
    world.role("own", world.stage, SERVICE.replace("ec2", "ecs-tasks"))
    world.change(world.resources[-1], parent=parent.urn)


def declared_where_nothing_is_made(world: World) -> None:
    another_trust_than_is_declared(world)
    replaced(world, "own", assumeRolePolicy=SERVICE)
    world.change(world.resources[-1], parent=None)


def declared_twice(world: World) -> None:
    another_trust_than_is_declared(world)
    replaced(world, "own", assumeRolePolicy=SERVICE)
    (said,) = next(one for one in world.resources if one.name == "door").inputs["symbolicDocuments"]
    replaced(world, "door", symbolicDocuments=[said, said])


def grant_of_the_access_role(world: World) -> None:
    told = world.add("MemberAccount", "prod", outputs={"accessRoleArn": arn(PROD, "role/Enter")})
    world.add("Account", "prod", world.hub, outputs={"id": PROD, "name": "prod"}, protect=True, parent=told)
    world.role("helpdesk", world.hub)
    world.grant("helpdesk", world.hub, arn(PROD, "role/Enter"))


def test_a_grant_of_the_access_role_that_another_stack_exports_is_refused_in_that_one() -> None:
    world = World()
    grant_of_the_access_role(world)
    assert world.refused == ["access-role-reserved"]
    made = world.resources.pop()
    place = {"type": made.type, "name": made.name, "account": HUB, "property": "policy"}
    policy = json.loads(document(grants(arn(PROD, "role/Enter"))))
    grant = {**place, "properties": {"role": "helpdesk", "name": "grant"}, "document": policy}
    source, target = {"kind": "role", "account": HUB, "names": ["helpdesk"]}, {"account": PROD, "role": "Enter"}
    door = {"name": "d", "door": {"name": "d", "source": source, "target": target}, "documents": [grant]}
    world.other_stack("hub", "acme/organization/hub", {"doors": [door], "parent_account_id": HUB})
    (helpdesk,) = (one for one in world.graph.principals if one.name == "helpdesk")
    assert [one.urn for one in helpdesk.documents] == [None]
    assert world.refused == []


@pytest.mark.parametrize(("resource", "rules"), [
    ("arn:*:iam::222222222222:role/deployer", []),
    ("arn:aws*:iam::222222222222:role/gone", ["door-needs-trust"]),
    ("arn:aws-*:iam::222222222222:role/deployer", ["door-needs-grant", "wildcard-grant"]),
    ("arn:*:iam::222222222222:role/*", ["wildcard-grant"]),
    ("arn:*:*::222222222222:role/deployer", ["wildcard-grant"]),
    ("arn:*", ["wildcard-grant"]),
    ("arn:*:iam::333333333333:role/Enter", ["access-role-reserved"]),
])  # fmt: skip
def test_a_pattern_of_partitions_leaves_one_role_as_roles_delegate_within_one_partition(
    resource: str, rules: list[str]
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies-cross-account-resource-access.html"""
    world = two_keys()
    grant_of_the_access_role(world)
    replaced(world, "helpdesk-grant", policy=document(grants(resource)))
    if "deployer" in resource:
        replaced(world, "deployer", assumeRolePolicy=document(trusts(CI, arn(HUB, "role/helpdesk"))))
    assert world.rules() == rules


def any_repository(world: World) -> None:
    admitting(by_token(GITHUB_PROVIDER, {"StringEquals": {f"{GITHUB}:aud": "sts.amazonaws.com"}}))(world)


def admitting(*statements: dict[str, Any]) -> Callable[[World], object]:
    """A role that lets in whom statements name, who have no account."""
    return lambda world: world.role("jobs", world.stage, document(*({"Effect": "Allow", **one} for one in statements)))


def by_token(provider: str, condition: object = None) -> dict[str, Any]:
    said = {"Principal": {"Federated": provider}, "Action": "sts:AssumeRoleWithWebIdentity"}
    return said | ({"Condition": condition} if condition else {})


GITHUB = "token.actions.githubusercontent.com"
GITHUB_PROVIDER = arn(STAGE, f"oidc-provider/{GITHUB}")
COGNITO, POOL = "cognito-identity.amazonaws.com", {"cognito-identity.amazonaws.com:aud": "us-east-1:12345678-dead-beef"}
CLUSTER = "oidc.eks.eu-west-1.amazonaws.com/id/AB"
OWN_PROVIDER = arn(STAGE, "oidc-provider/idp.example.com")
ANYWHERE = {
    "Principal": {"Service": "rolesanywhere.amazonaws.com"},
    "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"],
}


def denial_until(day: str) -> dict[str, Any]:
    return grants("*", effect="Deny") | {"Condition": {"DateLessThan": {"aws:CurrentTime": f"{day}T00:00:00Z"}}}


def guests_who_give_themselves_more(world: World) -> None:
    admitting(by_token(COGNITO, {"StringEquals": POOL}))(world)
    world.add("RolePolicy", "more", world.stage, role="jobs", name="more", policy=document(grants("*", action="iam:*")))


def from_stage_to_an_account_of_an_unknown_environment(world: World) -> None:
    world.role("inner", world.provider("blue", PROD), document(trusts(DEPLOYER)))
    world.grant("deployer", world.stage, arn(PROD, "role/inner"))


def another_account(world: World, **more: Any) -> None:
    world.role("vendor", world.stage, document(trusts(arn(OUTSIDE, "root"), **more)))


TOO_LONG = document(grants("arn:aws:s3:::" + "x" * 6_144, action="s3:GetObject"))
ROOTS = document(grants("*", action="sts:AssumeRoot"))
X_OF_PROD = f'[{{"roleArn": "{arn(PROD, "role/x")}"}}]'
CHANGES: dict[str, tuple[Callable[[World], object], list[str]]] = {
    "everyone": (lambda world: replaced(world, "deployer", assumeRolePolicy=document(trusts("*"))), ["wildcard-trust"]),
    "everyone if they like": (
        lambda world: trusting(world, "*", {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}),
        ["wildcard-trust"],
    ),
    "everyone but one": (
        lambda world: trusting(world, "*", {"StringNotEquals": {"aws:PrincipalAccount": OUTSIDE}}),
        ["wildcard-trust"],
    ),
    "no grant": (lambda world: world.resources.pop(), ["door-needs-grant"]),
    "another trust": (lambda world: trusting(world, arn(STAGE, "root"), {}), ["door-needs-trust"]),
    "a trust that is not known": (lambda world: world.role("u", world.stage, UNKNOWN), ["unproved-door"]),
    "a vendor": (another_account, ["external-id"]),
    "a vendor that nobody named": (
        lambda world: another_account(world, condition={"StringEquals": {"sts:ExternalId": "4f3c2b1a"}}),
        ["third-party-named"],
    ),
    "any repository": (any_repository, ["federated-trust"]),
    "every provider": (admitting(by_token("*")), ["federated-trust"]),
    "no provider": (admitting(by_token("idp.example.com")), ["federated-trust"]),
    "a provider of another account": (
        admitting(by_token(arn(OUTSIDE, "oidc-provider/idp.example.com"))),
        ["federated-trust"],
    ),
    "everybody of a provider": (admitting(by_token(OWN_PROVIDER)), ["federated-trust"]),
    "every pod": (
        admitting(by_token(arn(STAGE, f"oidc-provider/{CLUSTER}"), {"StringLike": {f"{CLUSTER}:sub": "*"}})),
        ["federated-trust"],
    ),
    "guests who give themselves more": (guests_who_give_themselves_more, ["federated-trust"]),
    "every trust anchor": (admitting(ANYWHERE), ["federated-trust"]),
    "every service": (admitting({**ANYWHERE, "Principal": {"Service": "*"}}), ["federated-trust"]),
    "all but IAM": (
        lambda world: replaced(
            world, "ci-grant", policy=document({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"})
        ),
        ["wildcard-grant"],
    ),
    "the access role of every account": (
        lambda world: granting(world, DEPLOYER, "arn:aws:iam::*:role/OrganizationAccountAccessRole"),
        ["wildcard-grant"],
    ),
    "every root": (
        lambda world: world.add("RolePolicy", "r", world.hub, role="ci", name="r", policy=ROOTS),
        ["root-session-grant"],
    ),
    "a trust in everything of an owner": (
        admitting(by_token(GITHUB_PROVIDER, {"StringLike": {f"{GITHUB}:sub": "repo:acme/*"}})),
        ["policy-lint"],
    ),
    "a policy of AWS that is misspelt": (
        lambda world: world.add(
            "RolePolicyAttachment", "b", world.stage, role="ci", policyArn="arn:aws:iam::aws:policy/ReadOnlyAcess"
        ),
        ["policy-lint"],
    ),
    "a denial that is over": (
        lambda world: world.add(
            "RolePolicy", "over", world.hub, role="ci", name="over", policy=document(denial_until("2026-11-23"))
        ),
        ["policy-lint"],
    ),
    "a principal of another partition": (
        lambda world: world.role("b", world.stage, document(trusts(f"arn:aws-cn:iam::{STAGE}:role/deployer"))),
        ["policy-refused"],
    ),
    "a role whose name is misspelt": (
        lambda world: world.role("b", world.stage, document(trusts(arn(STAGE, "role/deploye")))),
        ["policy-refused"],
    ),
    "a declared document that nothing is made of": (declared_where_nothing_is_made, ["declared-equals-real"]),
    "a document that is declared twice": (declared_twice, ["declared-equals-real"]),
    "a declared door that cannot be read": (
        lambda world: world.add("Component", "door", door={**door(None), "expires": "soon"}),
        ["door-expired"],
    ),
    "the access role": (grant_of_the_access_role, ["access-role-reserved"]),
    "IAM of a type that nobody reads": (placed("aws-native:iam:SomethingNew"), ["not-read"]),
    "code": (placed("command:local:Command", create="python make.py"), ["code-not-read"]),
    "a policy that AWS refuses": (
        lambda world: world.add("Policy", "p", world.hub, name="p", policy=TOO_LONG),
        ["policy-refused"],
    ),
    "a boundary of another account": (
        lambda world: world.role("b", world.stage, permissionsBoundary=arn(HUB, "policy/b")),
        ["policy-refused"],
    ),
    "a managed policy of another account": (
        lambda world: world.add("RolePolicyAttachment", "b", world.stage, role="ci", policyArn=arn(HUB, "policy/b")),
        ["policy-refused"],
    ),
    "another trust than is declared": (another_trust_than_is_declared, ["declared-equals-real"]),
    "every role of the account": (lambda world: granting(world, arn(STAGE, "role/*")), ["wildcard-grant"]),
    "every role anywhere": (lambda world: granting(world, "*"), ["wildcard-grant"]),
    "this role of any account": (lambda world: granting(world, "arn:aws:iam::*:role/deployer"), ["wildcard-grant"]),
    "user without mfa": (user_without_mfa, ["mfa-for-people"]),
    "user with mfa if the key exists": (user_with_mfa_if_the_key_exists, ["mfa-for-people", "policy-lint"]),
    "from stage to prod": (from_stage_to_prod, ["environments-isolated"]),
    "from stage to prod through the hub": (from_stage_to_prod_through_the_hub, ["environments-isolated"]),
    "from stage to prod through two roles of the hub": (
        from_stage_to_prod_through_two_roles_of_the_hub,
        ["environments-isolated"],
    ),
    "from stage to an account of an unknown environment": (
        from_stage_to_an_account_of_an_unknown_environment,
        ["environments-isolated"],
    ),
    "provider without pin": (lambda world: world.provider("more", PROD, pin=False), ["provider-enters-its-account"]),
    "provider pinned elsewhere": (
        lambda world: world.add("Provider", "more", assumeRoles=X_OF_PROD, allowedAccountIds=f'["{STAGE}"]'),
        ["provider-enters-its-account"],
    ),
    "provider that may work in two accounts": (
        lambda world: world.add("Provider", "more", allowedAccountIds=f'["{HUB}", "{PROD}"]'),
        ["provider-enters-its-account"],
    ),
    "second provider that assumes no role": (
        lambda world: world.provider("more", PROD, assume=False),
        ["provider-enters-its-account"],
    ),
    "provider of an account that cannot be told": (
        lambda world: world.add("Provider", "more", allowedAccountIds=UNKNOWN, assumeRoles=UNKNOWN),
        ["provider-enters-its-account"],
    ),
    "provider that assumes a role without roleArn": (
        lambda world: world.add("Provider", "more", allowedAccountIds=f'["{PROD}"]', assumeRoles='[{"role_arn": "x"}]'),
        ["provider-enters-its-account"],
    ),
    "default provider": (
        lambda world: world.add("Group", "lost", world.add("Provider", "default_7_51_1"), name="lost"),
        ["no-default-provider"],
    ),
    "user in a member account": (lambda world: world.add("User", "alice", world.stage, name="alice"), ["no-iam-users"]),
    "access key in a member account": (
        lambda world: world.add("AccessKey", "key", world.stage, user="alice"),
        ["no-iam-users"],
    ),
    "unprotected account": (
        lambda world: world.add("Account", "more", world.hub, name="more", email="more@example.com"),
        ["account-kept"],
    ),
    "account closed on deletion": (
        lambda world: world.add(
            "Account", "m", world.hub, protect=True, name="m", email="m@example.com", closeOnDeletion=True
        ),
        ["account-kept"],
    ),
    "account closed on deletion by a text": (
        lambda world: world.add("Account", "m", world.hub, protect=True, name="m", closeOnDeletion="True"),
        ["account-kept"],
    ),
    "account that may be closed on deletion": (
        lambda world: world.add("Account", "m", world.hub, protect=True, name="m", closeOnDeletion=UNKNOWN),
        ["account-kept"],
    ),
    "one address for two accounts": (one_address_for_two_accounts, ["unique-emails"]),
    "for all values of nothing": (
        lambda world: trusting(world, CI, {"ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}}),
        ["policy-lint"],
    ),
    "an action that AWS does not have": (
        lambda world: world.add(
            "RolePolicy", "may", world.stage, role="deployer", name="m", policy=document(grants("*", action="s3:Zap"))
        ),
        ["policy-lint"],
    ),
    "a control policy with an action that AWS does not have": (control_policy_on_a_misspelt_action, ["policy-lint"]),
    "a control policy that stops the next update": (control_policy_that_stops_the_next_update, ["policy-lint"]),
    "a control policy that spares another role": (
        lambda world: control_policy_that_stops_the_next_update(world, "arn:aws:iam::*:role/AWSControlTowerExecution"),
        ["policy-lint"],
    ),
    "door past its day": (
        lambda world: world.add("Component", "door", door=door(expires="2026-11-23")),
        ["door-expired"],
    ),
    "trust past its date": (
        lambda world: trusting(world, CI, {"DateLessThan": {"aws:CurrentTime": "2026-11-24T00:00:00Z"}}),
        ["door-expired"],
    ),
}


def test_every_rule_has_a_change_that_it_refuses() -> None:
    tried = {name for _, rules in CHANGES.values() for name in rules}
    missing = sorted({rule.name for rule in RULES} - tried)
    assert not missing, f"add to CHANGES a change to a correct stack that {missing} refuses, and no other rule"


@pytest.mark.parametrize("name", CHANGES)
def test_one_change_to_a_correct_stack_is_refused_by_its_rule_and_no_other(name: str) -> None:
    change, rules = CHANGES[name]
    world = two_keys()
    assert world.rules() == []
    change(world)
    assert world.rules() == rules


def printed_exception(finding: Finding) -> str:
    exception = finding.next_step.partition("make an exception")[2].partition("{")[2]
    return "{" + exception.replace("YYYY-MM-DD", "2026-12-31")


def with_statements(name: str, property_: str, *statements: dict[str, object]) -> Callable[[World], object]:
    """A document of a resource as the engine shows it where a value in it is not known yet."""
    return lambda world: replaced(world, name, **{property_: {"Version": "2012-10-17", "Statement": [*statements]}})


def trusting_statement(**changes: Any) -> Callable[[World], object]:
    return with_statements("deployer", "assumeRolePolicy", trusts(CI), {**trusts(arn(OUTSIDE, "root")), **changes})


def from_stage_to_a_role_with_an_unknown_trust(world: World) -> None:
    from_stage_to_prod(world)
    replaced(world, "inner", assumeRolePolicy=UNKNOWN)


def grant_of_a_role_that_is_not_known(world: World) -> None:
    grant_of_the_access_role(world)
    with_statements("helpdesk-grant", "policy", grants(UNKNOWN))(world)


NOT_KNOWN_YET: dict[str, tuple[Callable[[World], object], str] | str] = {
    "door-needs-grant": (lambda world: replaced(world, "ci-grant", policy=UNKNOWN), "unproved-door"),
    "door-needs-trust": (lambda world: replaced(world, "deployer", assumeRolePolicy=UNKNOWN), "unproved-door"),
    "unproved-door": (lambda world: world.role("u", world.stage, UNKNOWN), "unproved-door"),
    "not-read": (
        placed("aws:cloudformation/stack:Stack", templateBody=UNKNOWN, capabilities=["CAPABILITY_IAM"]),
        "unproved-door",
    ),
    "code-not-read": "a command is mentioned whatever it runs, and only as advice",
    "declared-equals-real": "what is not known yet cannot differ yet, and is compared when the resource is made",
    "wildcard-trust": (
        trusting_statement(Principal={"AWS": "*"}, Condition={"StringEquals": {"aws:PrincipalOrgID": UNKNOWN}}),
        "wildcard-trust",
    ),
    "wildcard-grant": (with_statements("ci-grant", "policy", grants(UNKNOWN)), "unproved-door"),
    "federated-trust": (
        trusting_statement(Principal={"Federated": UNKNOWN}, Action="sts:AssumeRoleWithWebIdentity"),
        "unproved-door",
    ),
    "root-session-grant": (
        with_statements("ci-grant", "policy", grants(DEPLOYER), grants(UNKNOWN, action="sts:AssumeRoot")),
        "unproved-door",
    ),
    "access-role-reserved": (grant_of_a_role_that_is_not_known, "unproved-door"),
    "external-id": (trusting_statement(Principal={"AWS": UNKNOWN}), "unproved-door"),
    "third-party-named": (trusting_statement(Effect=UNKNOWN), "unproved-door"),
    "mfa-for-people": (trusting_statement(Principal={"AWS": [CI, UNKNOWN]}), "unproved-door"),
    "environments-isolated": (from_stage_to_a_role_with_an_unknown_trust, "unproved-door"),
    "provider-enters-its-account": (
        lambda world: world.add("Provider", "more", allowedAccountIds=UNKNOWN, assumeRoles=UNKNOWN),
        "provider-enters-its-account",
    ),
    "no-default-provider": "the name of a provider is always known",
    "no-iam-users": (
        lambda world: world.add("User", "u", world.add("Provider", "more", allowedAccountIds=UNKNOWN), name="u"),
        "provider-enters-its-account",
    ),
    "account-kept": (
        lambda world: [
            world.add("MemberAccount", "m"),
            world.add("Account", "m", world.hub, protect=True, name="m", closeOnDeletion=UNKNOWN),
        ],
        "account-kept",
    ),
    "unique-emails": "AWS refuses an address that an account has already, when the account is made",
    "policy-refused": (lambda world: world.role("b", world.stage, permissionsBoundary=UNKNOWN), "unproved-door"),
    "policy-lint": "it is advice",
    "door-expired": (
        lambda world: world.add("Component", "door", door={**door(None), "expires": UNKNOWN}),
        "door-expired",
    ),
}
"""What each rule looks at, not known yet, and the rule that refuses it; or why nothing of it can be a false pass."""


def test_every_rule_has_something_that_is_not_known_yet_or_a_reason_why_not() -> None:
    missing = [rule.name for rule in RULES if rule.name not in NOT_KNOWN_YET]
    assert not missing, f"add to NOT_KNOWN_YET what {missing} looks at, not known yet, and which rule refuses that"


@pytest.mark.parametrize("name", [name for name, one in NOT_KNOWN_YET.items() if not isinstance(one, str)])
def test_what_is_not_known_yet_is_no_pass(name: str) -> None:
    change, rule = NOT_KNOWN_YET[name]
    world = two_keys()
    change(world)
    assert rule in world.refused


@pytest.mark.parametrize("path", sorted(RULES_FOLDER.glob("*.py")), ids=lambda path: path.stem)
def test_the_docstring_of_a_rule_says_what_it_does_with_an_unknown(path: Path) -> None:
    body = ast.parse(path.read_text(encoding="utf-8")).body
    for made, after in pairwise([*body, ast.Pass()]):
        if isinstance(made, ast.Assign) and ast.unparse(made.value).startswith("Rule("):
            docstring = ast.unparse(after) if isinstance(after, ast.Expr) else ""
            assert "Unknown: " in docstring, f"say so below {ast.unparse(made.targets[0])}, after `Unknown:`"


SETTINGS: dict[str, tuple[Callable[[World], object], object]] = {
    "door-expired mostDays": (lambda world: world.add("Component", "door", door=door(expires="2026-11-26")), 1),
    "environments-isolated accounts": (from_stage_to_prod, {PROD: "sandbox"}),
    "environments-isolated closed": (from_stage_to_prod, []),
    "third-party-named thirdParties": (
        lambda world: another_account(world, condition={"StringEquals": {"sts:ExternalId": "4f3c2b1a9d8e"}}),
        [{"account": OUTSIDE, "name": "vendor", "owner": "platform", "reason": "monitoring"}],
    ),
}


def test_every_setting_of_a_rule_has_a_case() -> None:
    every = {
        f"{rule.name} {field.alias or name}"
        for rule in RULES
        for name, field in rule.config.model_fields.items()
        if name not in DoorConfig.model_fields
    }
    assert every == SETTINGS.keys(), "add to SETTINGS a change of which the setting decides whether the rule finds it"


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_decides_whether_its_rule_finds_something(name: str) -> None:
    (change, value), (rule, setting) = SETTINGS[name], name.split()
    world = two_keys()
    change(world)
    assert (rule in world.rules()) is not (rule in world.rules({rule: {setting: value}}))


def test_a_control_policy_may_keep_all_others_than_the_program_from_changing_iam() -> None:
    world = two_keys()
    control_policy_that_stops_the_next_update(world, "arn:aws:iam::*:role/OrganizationAccountAccessRole")
    assert world.rules() == []


@pytest.mark.parametrize("stopped", [
    {"PrincipalType": "AssumedRole"}, {"username": "anna"}, {"userid": "AROAX"}, {"PrincipalArn": arn(PROD, "user/x")},
], ids=str)  # fmt: skip
def test_a_control_policy_that_stops_some_may_let_whoever_runs_the_program_change_iam(stopped: dict[str, str]) -> None:
    """Its provider enters by no role, so that it works as whoever runs it."""
    world = two_keys()
    control_policy_that_stops_the_next_update(world, **stopped)
    replaced(world, "new", assumeRoles=None)
    assert "policy-lint" not in world.rules()


@pytest.mark.parametrize(("account", "rules"), [
    ("${aws:PrincipalAccount}", []), (HUB, []), ([HUB, STAGE], ["wildcard-grant"]),
])  # fmt: skip
def test_a_grant_that_a_condition_keeps_within_its_own_account_is_none_on_others(
    account: object, rules: list[str]
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-resourceaccount"""
    world = two_keys()
    within = grants("*") | {"Condition": {"StringEquals": {"aws:ResourceAccount": account}}}
    world.add("RolePolicy", "more", world.hub, role="ci", name="more", policy=document(within))
    assert world.rules() == rules
    world.role("other", world.stage, document(trusts(DEPLOYER, CI)))
    assert world.rules() == (rules or ["door-needs-grant"])


@pytest.mark.parametrize(("known", "rule"), [(False, "external-id"), (True, "unproved-door")])
def test_a_trust_in_everyone_is_told_what_one_in_the_organization_needs(rule: str, *, known: bool) -> None:
    """A condition on the organization grants nothing: both accounts have to allow it.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
    """
    world = organization(World()) if known else World()
    world.role("open", world.stage, document(trusts("*")))
    (finding,) = world.findings()
    assert "(a grant in another of its accounts then has to be in view), or make an exception" in finding.next_step
    assert f'{{"wildcard-trust": {{"exceptions": [{{"door": "* -> {arn(STAGE, "role/open")}"' in finding.next_step
    replaced(world, "open", assumeRolePolicy=document(trusts("*", condition=OURS)))
    assert world.rules() == [rule]
    named = exception(f"o-a1b2c3d4e5 -> {arn(STAGE, 'role/open')}", "2027-01-31")
    assert world.rules({rule: {"exceptions": [named]}}) == []
    world.role("ci", world.hub)
    world.grant("ci", world.hub, arn(STAGE, "role/open"))
    assert (world if known else organization(world)).rules() == []


OURS = {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}


def test_a_policy_like_power_user_access_grants_every_role_until_its_not_action_or_a_deny_holds_that() -> None:
    """https://docs.aws.amazon.com/aws-managed-policy/latest/reference/PowerUserAccess.html"""
    world = two_keys()
    wide = {"Effect": "Allow", "NotAction": ["iam:*", "organizations:*", "account:*"], "Resource": "*"}
    power = world.add("RolePolicy", "power", world.hub, role="ci", name="power", policy=document(wide))
    (finding,) = world.findings()
    assert finding.rule == "wildcard-grant"
    assert "add sts:AssumeRole and sts:AssumeRoot to its NotAction" in finding.next_step
    narrow = {**wide, "NotAction": [*wide["NotAction"], "sts:AssumeRole", "sts:AssumeRoot"]}
    for policy in ((narrow, grants(DEPLOYER)), (narrow,)):
        replaced(world, "power", policy=document(*policy))
        assert world.rules() == []
    world.resources = [one for one in world.resources if one.name not in ("ci-grant", "deployer")]
    everything = grants("*", effect="Deny")
    for denial, rules in (
        (everything, []),
        ({**everything, "Action": "*"}, []),
        (grants("*", DEPLOYER, effect="Deny"), []),
        (grants("arn:aws:iam::*:role/*", effect="Deny"), []),
        (grants(DEPLOYER, effect="Deny"), ["wildcard-grant"]),
        (grants("arn:aws:iam::*:role/${aws:PrincipalTag/team}", effect="Deny"), ["wildcard-grant"]),
        ({**everything, "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}}, ["wildcard-grant"]),
    ):
        replaced(world, power.name, policy=document(wide, denial))
        assert world.rules() == rules


@pytest.mark.parametrize("resource", ["arn:aws:iam::*", "arn:aws:iam::*deployer"])
def test_a_wide_grant_is_found_once_with_the_step_for_its_own_statement(resource: str) -> None:
    """An ARN that lacks a component is not said again as AWS completes it.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
    """
    world = two_keys()
    elsewhere = {"Effect": "Allow", "NotAction": "iam:*", "Resource": "arn:aws:s3:::reports/*"}
    policy = document(elsewhere, grants(resource))
    world.add("RolePolicy", "power", world.hub, role="ci", name="power", policy=policy)
    finding, *others = world.findings()
    assert finding.rule == "wildcard-grant"
    assert finding.next_step.startswith("name the roles by their exact ARNs")
    assert {one.rule for one in others} <= {"policy-lint"}


def test_a_permissions_boundary_grants_nothing() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html"""
    world = two_keys()
    widest = {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}
    world.add("Policy", "most", world.hub, name="most", arn=arn(HUB, "policy/most"), policy=document(widest))
    assert world.rules() == ["wildcard-grant"]
    replaced(world, "ci", permissionsBoundary=arn(HUB, "policy/most"))
    assert world.rules() == []
    give_to_set(world, "most")
    assert world.rules() == ["wildcard-grant"]
    world.resources.pop()
    replaced(world, "ci", permissionsBoundary=UNKNOWN)  # as a transform gives it: the engine tells of no policy behind
    assert world.rules() == ["unproved-door"]


def of_service(*names: str) -> dict[str, Any]:
    services = [f"{name}.amazonaws.com" for name in names]
    return {"Effect": "Allow", "Principal": {"Service": services}, "Action": "sts:AssumeRole"}


@pytest.mark.parametrize(("trusted", "role", "rules"), [
    ([of_service("cloudformation")], "AWSCloudFormationStackSetExecutionRole", []),
    ([of_service("cloudformation", "cloudformation.ap-east-1")], "AWSCloudFormationStackSetExecutionRole", []),
    ([of_service("cloudformation", "lambda")], "execution", ["wildcard-grant"]),
    ([of_service("cloudformation")], "*", ["wildcard-grant"]),
    ([of_service("cloudformation")], "${aws:PrincipalTag/team}", ["wildcard-grant"]),
    ([of_service("cloudformation")], "OrganizationAccountAccessRole", ["wildcard-grant"]),
    ([of_service("cloudformation"), trusts(HUB)], "execution", ["wildcard-grant"]),
    ([of_service("lambda")], "execution", ["wildcard-grant"]),
])  # fmt: skip
def test_stack_sets_enter_the_execution_role_of_every_account(
    trusted: list[dict[str, Any]], role: str, rules: list[str]
) -> None:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-prereqs-self-managed.html"""
    world = two_keys()
    world.role("administration", world.hub, document(*trusted))
    world.grant("administration", world.hub, f"arn:*:iam::*:role/{role}")
    assert world.rules() == rules


def test_what_stack_sets_may_nobody_else_who_holds_their_policy_may() -> None:
    world = two_keys()
    world.role("administration", world.hub, document(of_service("cloudformation")))
    everywhere = document(grants("arn:aws:iam::*:role/execution"))
    world.add("Policy", "enter", world.hub, name="enter", arn=arn(HUB, "policy/enter"), policy=everywhere)
    for role, rules in ("administration", []), ("ci", ["wildcard-grant"]):
        world.add("RolePolicyAttachment", role, world.hub, role=role, policyArn=arn(HUB, "policy/enter"))
        assert world.rules() == rules
    world.resources.pop()
    give_to_set(world, "enter")
    assert world.rules() == ["wildcard-grant"]


def give_to_set(world: World, policy: str) -> None:
    """A permission set, whose assignments another stack makes, holds a policy by its name."""
    kind = "aws:ssoadmin/customerManagedPolicyAttachment:CustomerManagedPolicyAttachment"
    put(world, kind, "given", world.hub, permissionSetArn="ps-1", customerManagedPolicyReference={"name": policy})


def test_ways_within_prod_are_told_once_at_their_beginning() -> None:
    world = two_keys()
    from_stage_to_prod(world)
    world.role("deeper", world.prod, document(trusts(arn(PROD, "role/inner"))))  # type: ignore[attr-defined]
    assert [finding.door for finding in world.findings()] == [f"{DEPLOYER} -> {arn(PROD, 'role/inner')}"]


def test_a_door_from_prod_to_stage_is_no_matter_of_isolation() -> None:
    world = two_keys()
    two_environments(world)
    world.role("watcher", world.prod)  # type: ignore[attr-defined]
    replaced(world, "deployer", assumeRolePolicy=document(trusts(CI, arn(PROD, "role/watcher"))))
    world.grant("watcher", world.prod, DEPLOYER)  # type: ignore[attr-defined]
    assert world.rules() == []


@pytest.mark.parametrize(
    ("now", "found"),
    [(datetime(2026, 11, 24, 13, 59, tzinfo=UTC), []), (datetime(2026, 11, 24, 14, tzinfo=UTC), ["door-expired"])],
)
def test_a_door_is_closed_from_the_moment_that_it_names(now: datetime, found: list[str]) -> None:
    world = two_keys()
    world.add("Component", "today", door=door(expires="2026-11-24"))
    world.add("Component", "hours", door=door(expires="2026-11-24T14:00Z"))
    assert [one.rule for one in check(world.graph, RULES, {}, now).mandatory] == found


def test_what_is_wrong_with_a_declared_door_is_mended_where_it_is_declared() -> None:
    world = two_keys()
    user_without_mfa(world)
    component = world.add("Component", "over", door=door(expires="2026-11-23"))
    role = next(one for one in world.resources if one.name == "deployer")
    world.change(role, parent=component.urn)
    over, without_mfa = sorted(world.findings(), key=lambda finding: finding.rule)
    assert "Pulumi.stage.yaml" in over.next_step
    assert without_mfa.next_step.startswith("take `mfa: false` out of door deploy in Pulumi.stage.yaml")


def test_a_trust_in_an_account_of_ones_own_that_nothing_shows_stands_by_an_exception() -> None:
    world = World()
    world.role("deployer", world.stage, document(trusts(arn(OUTSIDE, "root"))))
    (finding,) = world.findings()
    assert finding.next_step.startswith(f"if account {OUTSIDE} is another company's, add a StringEquals condition")
    assert "; if it is yours, name the state of the stack that holds the grant" in finding.next_step
    added = printed_exception(finding)
    assert world.rules(json.loads(added)) == []
    by_id = json.loads(added.replace(arn(OUTSIDE, "root"), OUTSIDE))
    assert [one.rule for one in world.check(by_id).accepted] == ["external-id"]
    assert world.rules(by_id) == []


def exception(door: str, expires: str, **more: object) -> dict[str, object]:
    return {"door": door, "reason": "migration", "owner": "platform", "expires": expires, **more}


def test_a_valid_exception_lets_its_door_stand_and_no_other() -> None:
    config = {"door-needs-grant": {"exceptions": [exception(CI_DOOR, "2026-11-24")]}}
    assert two_keys(granted=False).rules(config) == []
    world = two_keys(granted=False)
    world.role("second", world.stage, document(trusts(CI)))
    assert [finding.door for finding in world.findings(config)] == [f"{CI} -> {arn(STAGE, 'role/second')}"]


def test_an_exception_for_a_role_in_a_new_account_holds_before_and_after_the_account_has_its_id() -> None:
    """The id of an account is known once it is created.

    https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateAccountStatus.html
    """
    config = {"door-needs-grant": {"exceptions": [exception(f"{CI} -> {arn('account:data', 'role/r')}", "2026-11-25")]}}
    for identity in ({}, {"id": PROD}):
        world = World()
        world.role("ci", world.hub)
        new = world.new_account("data")
        (account,) = (one for one in world.resources if one.name == "data")
        world.change(account, outputs=identity)
        world.role("r", new, document(trusts(CI)))
        assert (world.rules(config), world.rules()) == ([], ["door-needs-grant"])


def test_a_pack_can_say_how_long_a_temporary_door_may_be_open() -> None:
    world = two_keys()
    world.add("Component", "door", door=door(expires="2026-11-26"))  # two days after TODAY
    assert world.rules({"door-expired": {"mostDays": 2}}) == []
    (finding,) = world.findings({"door-expired": {"mostDays": 1}})
    assert finding.rule == "door-expired"
    assert "open until 2026-11-26" in finding.message
    assert "until 2026-11-25 (mostDays 1)" in finding.message
    by_hand = two_keys()
    trusting(by_hand, CI, {"DateLessThan": {"aws:CurrentTime": "2027-06-05T00:00:00Z"}})
    assert by_hand.rules() == []
    (finding,) = by_hand.findings({"door-expired": {"mostDays": 7}})
    assert "role deployer in account 222222222222 (statement 0) is open until 2027-06-04" in finding.message


@pytest.mark.parametrize(("condition", "last"), [
    ({"DateEquals": {"aws:CurrentTime": "2026-11-23T00:00:00Z"}}, "2026-11-23 00:00 UTC"),
    ({"NumericLessThanEquals": {"aws:EpochTime": "1577836800"}}, "2020-01-01 00:00 UTC"),
    ({"DateLessThanEquals": {"aws:CurrentTime": "2026-11-22T23:59:59Z"}}, "2026-11-22"),
    ({"DateLessThan": {"aws:CurrentTime": ["2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z"]}}, "2026-11-22"),
])  # fmt: skip
def test_a_statement_whose_time_is_over_is_told_in_a_trust_a_grant_and_a_deny(
    condition: dict[str, Any], last: str
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_Date"""
    world = two_keys()
    trusting(world, CI, condition)
    (finding,) = world.findings()
    assert (finding.rule, f"it lets in until {last}" in finding.message) == ("door-expired", True)
    world = two_keys()
    denying = {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*", "Condition": condition}
    world.add("RolePolicy", "over", world.hub, role="ci", policy=document(denying))
    (finding,) = world.findings()
    assert (finding.rule, "a statement that is over: it denies nothing since" in finding.message) == (
        "policy-lint",
        True,
    )


@pytest.mark.parametrize(("name", "meant"), [
    ("AdministratorAcess", "AdministratorAccess"),
    ("AWSLambdaBasicExecutionRole", "service-role/AWSLambdaBasicExecutionRole"),
    ("ReadOnlyAccess", None),
    ("CloudWatchFullAccessV9", None),
    ("SomethingThatIsNew", None),
])  # fmt: skip
def test_a_misspelt_policy_of_aws_is_advice_with_the_nearest_name(name: str, meant: str | None) -> None:
    """https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html"""
    world = two_keys()
    own = "arn:aws:iam::aws:policy/"
    world.add("RolePolicyAttachment", "may", world.stage, role="deployer", policyArn=own + name)
    said = [(one.rule, one.next_step) for one in world.findings()]
    assert said == ([("policy-lint", f"write {own}{meant}, if that is meant")] if meant else [])


@pytest.mark.parametrize(
    ("named", "found"), [("o-zzzzzzzzzz", ["door-needs-trust"]), ("o-a1b2c3d4e5", []), ("${aws:ResourceOrgID}", [])]
)
def test_the_paths_of_another_organization_are_none_of_one_s_own_principals(named: str, found: list[str]) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalorgpaths"""
    world = organization(two_keys())
    trusting(world, CI, {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": f"{named}/*"}})
    assert world.rules() == found


def test_a_door_that_is_over_is_told_once_by_its_declaration_or_by_its_trust() -> None:
    world = two_keys()
    trusting(world, CI, {"DateLessThan": {"aws:CurrentTime": "2026-11-24T00:00:00Z"}})
    (by_trust,) = world.findings()
    half = two_keys(granted=False)
    trusting(half, CI, {"DateLessThan": {"aws:CurrentTime": "2026-11-24T00:00:00Z"}})
    assert half.rules() == ["door-expired"], "a grant would open nothing"
    trusting(half, arn(HUB, "root"), {"DateLessThan": {"aws:CurrentTime": "2026-11-24T00:00:00Z"}})
    assert half.rules() == ["door-expired"]
    ended = trusts(arn(HUB, "role/cd"), condition={"DateLessThan": {"aws:CurrentTime": "2026-11-24T00:00:00Z"}})
    one_of_two = two_keys(document(trusts(CI), ended))
    assert one_of_two.rules() == ["door-expired"]
    replaced(one_of_two, "deployer", assumeRolePolicy=document(trusts(CI), {**ended, "Effect": "Deny"}))
    assert one_of_two.rules() == ["policy-lint"], "what denies nothing any more lets nobody in"
    assert "role deployer in account 222222222222 has a statement that is over" in by_trust.message
    assert "it lets in until 2026-11-23" in by_trust.message
    component = world.add("Component", "door", door=door(expires="2026-11-23"))
    world.change(next(one for one in world.resources if one.name == "deployer"), parent=component.urn)
    (by_declaration,) = world.findings()
    assert by_declaration.urn == component.urn


def test_an_expired_exception_is_told_with_its_door_and_alone_where_the_door_is_gone() -> None:
    config = {"door-needs-grant": {"exceptions": [exception(CI_DOOR, "2026-11-23")]}}
    message = f"The exception for the door {CI_DOOR} (migration) expired on 2026-11-23"
    step = "close the door, or ask platform to renew the exception"
    (of_door,) = two_keys(granted=False).findings(config)
    assert of_door.message.endswith(f"the grant key is missing; the {message.removeprefix('The ')}")
    assert of_door.next_step == step
    (alone,) = two_keys().findings(config)
    assert alone == Finding(message, step, door=CI_DOOR, rule="door-needs-grant", about_exception=True)


def test_what_an_exception_is_for_follows_from_the_rule_and_not_from_its_name() -> None:
    unused = {"exceptions": [exception(f"{CI} -> {arn(PROD, 'role/misspelt*')}", "2027-01-31")]}
    rule = next(one for one in RULES if one.name == "wildcard-grant")
    for one in (rule, replace(rule, name="another-rule-about-grants")):
        (finding,) = run(one, two_keys().graph, unused, TODAY).findings
        assert "is not used: nothing here needs it" in finding.message


def test_an_exception_that_nothing_needs_is_a_violation() -> None:
    config = {"door-needs-grant": {"exceptions": [exception(CI_DOOR, "2027-01-31")]}}
    message = f"The exception for the door {CI_DOOR} (migration) is not used: nothing here needs it"
    step = "remove it from the configuration of door-needs-grant, or correct its door"
    assert two_keys().findings(config) == [Finding(message, step, rule="door-needs-grant", about_exception=True)]


def test_an_exception_for_a_resource_of_this_stack_that_nothing_needs_is_found() -> None:
    world = two_keys()
    door = f"{world.resources[-1].urn} -> *"
    (finding,) = world.findings({"not-read": {"exceptions": [exception(door, "2027-01-31")]}})
    assert f"The exception for the door {door}" in finding.message
    assert "is not used" in finding.message


@pytest.mark.parametrize("expires", ["2027-01-31", "2026-11-24", "2026-11-23"])
@pytest.mark.parametrize(("rule", "door"), [
    ("external-id", f"{arn(OUTSIDE, 'role/ci')} -> {arn(PROD, 'role/reader')}"),
    ("door-needs-grant", f"{CI} -> {arn(PROD, 'role/reader')}"),  # its source is made here, its trust is not
    ("door-needs-trust", f"{arn(OUTSIDE, 'role/ci')} -> {DEPLOYER}"),  # its target is made here, its grant is not
    ("not-read", "urn:pulumi:prod::app::aws:cloudformation/stack:Stack::more -> *"),
])  # fmt: skip
def test_an_exception_for_what_another_stack_makes_is_of_no_matter_here(rule: str, door: str, expires: str) -> None:
    """One configuration serves all stacks, as `pulumi policy enable --config` takes one for a whole organization.

    https://www.pulumi.com/docs/iac/cli/commands/pulumi_policy_enable/
    """
    checked = two_keys().check({rule: {"exceptions": [exception(door, expires)]}})
    assert (checked.mandatory, checked.advisory) == ((), ())
    assert [one.exception.door for one in checked.not_used] == ([door] if expires >= "2026-11-24" else [])


@pytest.mark.parametrize(("rule", "door"), [
    ("door-needs-grant", f"{arn(HUB, 'role/misspelt')} -> {DEPLOYER}"),
    ("door-needs-trust", f"{CI} -> {arn(STAGE, 'role/misspelt')}"),
    ("unproved-door", f"{CI} -> *"),
    ("unproved-door", CI_DOOR),
    ("environments-isolated", f"{CI} -> {arn(STAGE, 'role/OrganizationAccountAccessRole')}"),  # no stack makes it
])  # fmt: skip
def test_an_exception_that_nothing_needs_is_refused_where_what_it_is_for_is_made(rule: str, door: str) -> None:
    assert two_keys().rules({rule: {"exceptions": [exception(door, "2027-01-31")]}}) == [rule]


@pytest.mark.parametrize(("rule", "door"), [
    ("external-id", f"{CI} -> {arn(STAGE, 'role/gone')}"),
    ("door-needs-trust", f"{HUB} -> {arn(PROD, 'role/reader')}"),
    ("unproved-door", f"{CI} -> {arn(PROD, 'role/reader')}"),  # there, or here, the other key is not shown
    ("unproved-door", f"{arn(PROD, 'role/ci')} -> {DEPLOYER}"),
])  # fmt: skip
def test_an_exception_for_what_is_not_there_is_said_by_the_stack_it_names_or_once_it_has_expired(
    rule: str, door: str
) -> None:
    """Several stacks may work in one account: none is refused for an exception that another one needs."""

    def of(expires: str, **stack: str) -> tuple[list[str], list[str]]:
        verdicts = two_keys().check({rule: {"exceptions": [exception(door, expires, **stack)]}})
        return [one.rule for one in verdicts.mandatory], [one.rule for one in verdicts.advisory]

    here = two_keys().graph.snapshot.stack
    assert here is not None
    assert of("2027-01-31", stack=here) == of("2026-11-23", stack=here) == ([rule], [])
    assert of("2027-01-31") == ([], [])
    assert of("2026-11-23") == ([], [rule])


def test_an_exception_for_another_stack_is_neither_used_nor_missed_here() -> None:
    stack, theirs = two_keys(granted=False).graph.snapshot.resources[0].urn.removeprefix("urn:pulumi:").split("::")[:2]

    def of(named: str) -> list[str]:
        config = {"door-needs-grant": {"exceptions": [exception(CI_DOOR, "2027-01-31", stack=named)]}}
        assert two_keys().rules(config) == (["door-needs-grant"] if named in (stack, f"{theirs}/{stack}") else [])
        return two_keys(granted=False).rules(config)

    assert of("prod") == of(f"other/{stack}") == ["door-needs-grant"]
    assert of(stack) == of(f"{theirs}/{stack}") == []


def test_an_exception_for_a_stack_counts_wherever_its_state_stands_among_those_that_are_read() -> None:
    world, other = two_keys(granted=False), World()
    world.resources[:0] = [replace(one, urn=one.urn.replace(":stage::", ":first::")) for one in other.resources]
    exceptions = [exception(CI_DOOR, "2027-01-31", stack="twokeys/stage")]
    assert world.rules({"door-needs-grant": {"exceptions": exceptions}}) == []


@pytest.mark.parametrize("stack", ["acme/network/prod", "network/", "/prod", "", "network prod"])
def test_an_exception_for_a_misshapen_stack_is_refused(stack: str) -> None:
    config = {"door-needs-grant": {"exceptions": [exception(CI_DOOR, "2027-01-31", stack=stack)]}}
    with pytest.raises(Refusal, match=r"exceptions\.0\.stack: .*`network/prod`"):
        read_configuration(config, RULES, where="FILE")


@pytest.mark.parametrize("given", [None, "  "])
@pytest.mark.parametrize("missing", ["reason", "owner", "expires"])
def test_an_exception_without_reason_owner_or_expiry_is_refused(missing: str, given: str | None) -> None:
    entry = exception(CI_DOOR, "2027-01-31")
    if given is None:
        del entry[missing]
    else:
        entry[missing] = given
    with pytest.raises(Refusal, match=rf"door-needs-grant: exceptions\.0\.{missing}: "):
        read_configuration({"door-needs-grant": {"exceptions": [entry]}}, RULES, where="FILE")


def test_an_error_in_a_rule_is_a_violation_with_a_next_step_and_never_a_pass() -> None:
    def broken(*_: object) -> list[Finding]:
        raise KeyError("boom")

    rule = Rule("broken", "d", "low", "r", "https://example.com", broken, DoorConfig, mandatory=False)
    result = run(rule, two_keys().graph, {}, TODAY)
    assert result.findings == ()
    message = "The rule broken failed with KeyError: 'boom'; it has proved nothing"
    step = "report this as a defect of TwoKeys; until it is mended, no change can be shown to be safe"
    assert result.failure == Finding(message, step, rule="broken")


@pytest.mark.parametrize(("given", "text"), [
    ({}, "It is open.\nNext step: shut it."),
    ({"urn": "urn:a", "source": "main.py:3"}, "It is open (main.py:3). [urn:a]\nNext step: shut it."),
    ({"message": "urn:a is open", "urn": "urn:a"}, "urn:a is open.\nNext step: shut it."),
    ({"message": "These are:\n- a\n", "urn": "urn:a"}, "These are:\n- a\nNext step: shut it."),
    ({"next_step": "shut it, or lock it"}, "It is open.\nNext step: shut it, or lock it."),
    (
        {"next_step": f"shut it (now, or later; or at night), or {'lock ' * 20}it; {{a, or b}} remains; or leave"},
        "It is open.\nNext step: shut it (now, or later; or at night)"
        f"\n  or {'lock ' * 20}it\n  {{a, or b}} remains\n  or leave.",
    ),
])  # fmt: skip
def test_a_finding_says_what_is_wrong_then_where_and_each_of_several_long_steps_on_a_line(
    given: dict[str, Any], text: str
) -> None:
    assert Finding(**{"message": "It is open", "next_step": "shut it", **given}).text == text


def test_a_finding_is_shown_at_the_resource_of_the_stack_and_asks_for_the_secret_that_hides_it() -> None:
    """A template's role is no resource of the stack; a value that a state does not show will not be known later."""
    world = World()
    world.change(world.role("a", world.stage), made_by="urn:template")
    hidden = world.role("b", world.stage, UNKNOWN)
    world.change(hidden, secrets=frozenset({"assumeRolePolicy"}))

    def shown(rule: str, role: str) -> tuple[str | None, str]:
        urn = next(one.urn for one in world.resources if one.name == role)
        known = next(one for one in RULES if one.name == rule)
        made = replace(known, check=lambda *_: [Finding("m", "wait", urn)], config=DoorConfig)
        (finding,) = run(made, world.graph, {}, TODAY).findings
        return (finding.urn or "").rpartition(":")[2], finding.next_step.partition(" and keep")[0].rstrip(",")

    secret = "export the state with `pulumi stack export --show-secrets --file FILE`"
    assert shown("unproved-door", "a") == ("template", "wait")
    assert shown("unproved-door", "b") == shown("provider-enters-its-account", "b") == ("b", secret)
    assert shown("door-needs-grant", "b") == ("b", "wait")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_rule_tells_people_what_it_is_and_what_to_do(rule: Rule[DoorConfig]) -> None:
    assert rule.description.endswith(".")
    assert rule.remediation.endswith(".")
    assert rule.url.startswith("https://")
    assert rule.config.model_validate({}) is not None
    assert list(rule.check(World().graph, rule.config.model_validate({}), datetime(2026, 1, 1, tzinfo=UTC))) == []


VENDOR = document(trusts(arn(OUTSIDE, "root"), condition={"StringEquals": {"sts:ExternalId": "4f3c2b1a9d8e"}}))


def one_account(*providers: str, pin: bool = False) -> World:
    """A program that works in one account and assumes no role, as most do."""
    world = World()
    world.resources.clear()
    for name in providers:
        provider = world.provider(name, HUB, assume=False, pin=pin)
        world.add("Group", f"group-{name}", provider, name=f"group-{name}")
        world.add("User", f"user-{name}", provider, name=f"user-{name}")
    return world


@pytest.mark.parametrize(("providers", "advice"), [
    (["default"], "no-default-provider"),
    (["default_7_51_1", "default_6_83_0"], "no-default-provider"),
    (["west", "east"], "provider-enters-its-account"),
    (["default", "west"], "no-default-provider"),
])  # fmt: skip
def test_a_program_of_one_account_gets_one_piece_of_advice_about_its_providers_if_anything_is_about_accounts(
    providers: list[str], advice: str
) -> None:
    world = one_account(*providers)
    assert world.check() == Verdicts((), ())
    world.role("vendor", world.resources[0], VENDOR)
    assert [finding.rule for finding in world.findings()] == ["third-party-named"]
    world.role("ci", world.resources[0])
    world.grant("ci", world.resources[0], DEPLOYER)
    assert [finding.rule for finding in world.check().advisory] == ["third-party-named", advice]


@pytest.mark.parametrize(("more", "named"), [(0, "g0, g1, g2 in"), (1, "g0, g1, g2 and more in")])
def test_a_default_provider_names_three_resources_that_it_makes(more: int, named: str) -> None:
    world = two_keys()
    default = world.add("Provider", "default")
    for number in range(3 + more):
        world.add("Group", f"g{number}", default, name=f"g{number}")
    (finding,) = (one for one in world.findings() if one.rule == "no-default-provider")
    assert f"makes {named} whatever account" in finding.message
    assert finding.next_step.startswith("set aws:allowedAccountIds to the account's id in the stack's config, or pass")


def test_a_default_provider_is_pinned_by_allowed_account_ids_in_the_stacks_config() -> None:
    """https://www.pulumi.com/registry/packages/aws/installation-configuration/#configuration-options"""
    world = one_account("default", pin=True)
    world.role("ci", world.resources[0])
    world.grant("ci", world.resources[0], DEPLOYER)
    assert "no-default-provider" not in world.rules()
    world.role("deployer", world.provider("deploy", PROD), document(trusts(CI)))
    (finding,) = (one for one in world.findings() if one.rule == "no-default-provider")
    assert (finding.advice, finding.message.endswith(f" in account {HUB}")) == (True, True)


@pytest.mark.parametrize("name", ["default", "only"])
def test_states_that_are_read_together_are_programs_each_of_one_account(name: str) -> None:
    """Each was updated with credentials of its own; a URN begins with its stack and project.

    https://www.pulumi.com/docs/iac/concepts/resources/names/#urns
    """
    here, there = one_account(name, pin=True), World()
    there.resources.clear()
    here.role("ci", here.resources[0])
    here.grant("ci", here.resources[0], DEPLOYER)
    there.role("deployer", there.provider(name, STAGE, assume=False), document(trusts(CI)))
    for one in there.resources:
        urn, provider = (text.replace("::twokeys::", "::app::") if text else text for text in (one.urn, one.provider))
        here.resources.append(replace(one, urn=urn, provider=provider))
    assert here.rules() == []


def test_a_trust_in_the_own_account_is_about_no_other_account() -> None:
    world = World()
    world.resources.clear()
    provider = world.add("Provider", "default", accessKey="AKIAIOSFODNN7EXAMPLE")
    said = {"name": "people", "assumeRolePolicy": document(trusts(arn(HUB, "root"))), "arn": arn(HUB, "role/people")}
    world.add("Role", "people", provider, **said)  # its ARN tells the account, as a state does
    assert world.check() == Verdicts((), ())


LETS_IN = {
    "GitHub, one branch of one repository": {
        "Principal": {"Federated": arn(HUB, f"oidc-provider/{GITHUB}")},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {
            "StringEquals": {f"{GITHUB}:aud": "sts.amazonaws.com", f"{GITHUB}:sub": "repo:a/b:ref:refs/heads/x"}
        },
    },
    "an identity pool of Cognito": {
        "Principal": {"Federated": "cognito-identity.amazonaws.com"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {"cognito-identity.amazonaws.com:aud": "us-east-1:12345678-dead-beef"}},
    },
    "pods of EKS": {"Principal": {"Service": "pods.eks.amazonaws.com"}, "Action": ["sts:AssumeRole", "sts:TagSession"]},
}


@pytest.mark.parametrize("whom", LETS_IN)
def test_a_role_for_those_who_have_no_account_needs_no_account_of_its_own_to_be_told(whom: str) -> None:
    """The program of one account, with the credentials of the environment, where nobody says whose they are."""
    world = one_account("default")
    world.role("ci", world.resources[0], document({"Effect": "Allow", **LETS_IN[whom]}))
    assert world.check() == Verdicts((), ())


def test_a_program_that_enters_its_one_account_by_a_role_gets_one_piece_of_advice_too() -> None:
    """A session of an assumed role is in the role's account and in no other.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
    """
    world = one_account()
    world.role("ci", world.provider("deploy", PROD, pin=False))
    world.grant("ci", world.resources[0], DEPLOYER)
    assert [finding.rule for finding in world.check().advisory] == ["provider-enters-its-account"]


@pytest.mark.parametrize("assume", [True, False])
@pytest.mark.parametrize("providers", [["default"], ["west"], []])
def test_a_stack_that_works_in_two_accounts_gets_advice_until_a_wrong_one_would_change_who_enters(
    providers: list[str], assume: bool
) -> None:
    """As one that keeps its DNS zone in another account: nobody enters either."""
    world = one_account(*providers)
    if assume:
        world.add("Account", "new", world.provider("organization", HUB), protect=True)
    for name, account in (("dns", PROD), ("more", STAGE)):
        world.provider(name, account, assume=assume)
    rule = "no-default-provider" if "default" in providers else "provider-enters-its-account"
    assert [finding.rule for finding in world.check().advisory] == ([rule] if providers else [])
    assert world.check().mandatory == ()
    world.role("vendor", world.resources[0], VENDOR)
    refused = {finding.rule for finding in world.check().mandatory}
    assert refused == ({rule} if providers else set()) | (set() if assume else {"provider-enters-its-account"})


@pytest.mark.parametrize("account", [STAGE, PROD])
def test_pins_are_asked_for_in_preview_where_a_trust_waits_for_a_role_of_another_account(account: str) -> None:
    """Its ARN is an output, and the update would refuse when it is known (seen with CLI 3.274.1)."""
    world = one_account("west")
    ci = world.role("ci", world.provider("tools", account))
    world.add(
        "Role", "late", world.provider("dns", PROD), assumeRolePolicy=UNKNOWN, made_from={"assumeRolePolicy": [ci]}
    )
    refused = {one.rule for one in world.check().mandatory} - {"unproved-door"}
    assert refused == ({"provider-enters-its-account"} if account == STAGE else set())


def of_two_providers() -> tuple[World, Resource]:
    """A door between two accounts whose providers assume no role, and the provider of the second."""
    world = World()
    world.resources.clear()
    tools, prod = world.provider("tools", HUB, assume=False), world.provider("prod", STAGE, assume=False)
    world.role("ci", tools)
    world.role("deployer", prod, document(trusts(CI)))
    world.grant("ci", tools, DEPLOYER)
    return world, prod


@pytest.mark.parametrize("own", [{"profile": "prod"}, {"accessKey": UNKNOWN}, {"sharedCredentialsFiles": '["prod"]'}])
def test_a_profile_or_keys_of_its_own_enter_the_account_that_a_provider_is_pinned_to(own: dict[str, object]) -> None:
    """As IAM Identity Center gives one profile an account; the provider fails if they are another account's.

    https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-sso.html
    https://www.pulumi.com/registry/packages/aws/api-docs/provider/
    """
    world, prod = of_two_providers()
    own_credentials = {**(prod.inputs or {}), **own}
    assert world.rules() == ["provider-enters-its-account"]
    world.change(prod, inputs=own_credentials, outputs=own_credentials)
    assert world.rules() == []


@pytest.mark.parametrize("key", ["sharedCredentialsFiles", "sharedConfigFiles"])
def test_an_empty_list_of_files_is_no_profile_or_key_of_its_own(key: str) -> None:
    """The engine hands a provider its inputs as JSON text."""
    world, prod = of_two_providers()
    world.change(prod, inputs={**(prod.inputs or {}), key: "[]"})
    assert {one.rule for one in world.findings()} == {"provider-enters-its-account"}
    assert world.findings()[-1].message == (
        f"Provider prod works in account {STAGE} with the environment's credentials, provider tools elsewhere"
    )


def test_of_two_providers_with_the_environments_credentials_the_one_in_a_member_account_is_wrong() -> None:
    world = two_keys()
    listed = {"id": "o-a1b2c3d4e5", "masterAccountId": HUB, "accounts": [{"id": PROD}]}
    world.add("Organization", "o", world.hub, outputs=listed)
    world.provider("more", PROD, assume=False)
    assert [one.message for one in world.findings()] == [
        f"Provider more works in member account {PROD} with the credentials of the management account"
    ]
    replaced(world, "o", **listed | {"accounts": []})
    assert [one.message for one in world.findings()] == [
        f"Provider more works in account {PROD} with the environment's credentials, provider hub elsewhere"
    ]


def test_a_provider_whose_role_is_not_known_yet_works_in_an_account_that_is_none_of_the_environments() -> None:
    """A role lets in whom its trust policy says, so that a program which enters by one works in another account too.

    https://www.pulumi.com/registry/packages/aws/api-docs/provider/#assumeroles_python
    """
    world = World()
    world.resources.clear()
    provider = world.add("Provider", "only", assumeRoles=UNKNOWN, allowedAccountIds=UNKNOWN)
    world.role("vendor", provider, VENDOR)
    assert world.refused == ["provider-enters-its-account"]


def test_a_default_provider_that_only_answers_look_ups_makes_nothing_in_a_wrong_account() -> None:
    world = two_keys()
    world.add("Provider", "default_7_51_1")
    assert ([one.rule for one in world.check().advisory], world.check().mandatory) == (["no-default-provider"], ())


def test_users_of_an_account_that_is_entered_by_a_role_of_its_own_are_nobodys_but_its_owners() -> None:
    """Only AWS's access role shows that an account is a member of an organization."""
    world = World()
    world.resources.clear()
    roles = f'[{{"roleArn": "{arn(STAGE, "role/deploy")}"}}]'
    provider = world.add("Provider", "only", allowedAccountIds=f'["{STAGE}"]', assumeRoles=roles)
    world.add("User", "alice", provider, name="alice")
    assert world.rules() == []


def test_long_term_credentials_are_advice_said_once_in_a_program_that_has_no_components_of_ours_for_people() -> None:
    """A user opens no door by itself, and AWS names machines that take no role.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/gs-identities-iam-users.html
    """
    world = two_keys()
    for name in ("ci", "mail", "backup"):
        world.add("User", name, world.stage, name=name)
    said = f"IAM user ci is made in member account {STAGE}, and 2 more"
    assert ([one.message for one in world.check().advisory], world.check().mandatory) == ([said], ())
    live = check(
        build(replace(world.snapshot, evidence=(Evidence("live IAM", caller=CI),))), RULES, {}, TODAY
    ).mandatory
    first = "if `people` of a stack makes it, give that stack's state too (`--state FILE`); else "
    assert sum(one.next_step.startswith(first) for one in live) == 3
    world.add("MemberAccount", "stage")
    assert ([one.urn for one in world.check().mandatory], world.check().advisory) == (
        [one.urn for one in world.resources if one.type == "aws:iam/user:User"],
        (),
    )


def test_an_account_without_protection_is_advice_said_once_in_a_program_that_has_no_components_of_ours() -> None:
    """As in the example of https://www.pulumi.com/registry/packages/aws/api-docs/organizations/account/."""
    world = two_keys()
    for name in ("one", "two"):
        world.add("Account", name, world.hub, name=name, email=f"{name}@example.com", closeOnDeletion=True)
    verdicts = world.check()
    assert ([one.rule for one in verdicts.advisory], verdicts.mandatory) == (["account-kept"], ())
    assert verdicts.advisory[0].message.endswith(", and 3 more")
    world.add("MemberAccount", "one")
    assert [one.rule for one in world.check().mandatory] == ["account-kept"] * 4


# The configuration of the rules: https://www.pulumi.com/docs/insights/policy/policy-packs/authoring/#configuration


SHAPE = 'write it as {"<rule>": {"enforcementLevel": "mandatory", ...}}'


@pytest.mark.parametrize(("given", "why", "step"), [
    ({"mfa-for-people": 5}, "mfa-for-people: 5 is neither a level nor an object", SHAPE),
    (
        {"mfa-for-people": "off"},
        "mfa-for-people: 'off' is no level; they are advisory, mandatory, remediate, disabled",
        SHAPE,
    ),
    (
        {"all": {"enforcementLevel": "advisory", "b": 1, "a": 2}},
        "all: a, b cannot be set of every rule at once",
        SHAPE,
    ),
    (
        {"mfa-for-peple": "advisory"},
        "mfa-for-peple: there is no rule mfa-for-peple",
        f"write mfa-for-people, if that is meant, or {SHAPE}",
    ),
    (
        {"mfa-for-people": {"exceptions": [5]}},
        "mfa-for-people: exceptions.0: it takes an object of settings",
        'write it as {"key": "value"}',
    ),
    ({"mfa-for-people": {"exceptions": 5}}, "mfa-for-people: exceptions: it takes a list", "write it as [...]"),
    (
        {"third-party-named": {"thirdParties": [{"account": "1", "name": "n", "owner": "o", "reason": "r"}]}},
        "third-party-named: thirdParties.0.account: '1': String should match pattern",
        "correct the value",
    ),
    (
        {"third-party-named": {"thirdParties": [{"account": "1" * 12, "name": "n", "owner": " ", "reason": "r"}]}},
        "third-party-named: thirdParties.0.owner: ' ': String should match pattern",
        "correct the value",
    ),
    (
        {"mfa-for-people": {"exceptions": [exception(CI_DOOR, "2027-01-31") | {"reason": "\u200b"}]}},
        "mfa-for-people: exceptions.0.reason: '\\u200b': String should match pattern",
        "correct the value",
    ),
    (
        {"third-party-named": {"thirdParties": [{"account": "1" * 12, "nam": "n"}]}},
        "third-party-named: thirdParties.0.name: it is required",
        "add it",
    ),
    (
        {"door-expired": {"mostDays": "many"}},
        "door-expired: mostDays: 'many': it should be a valid integer",
        "correct the value",
    ),
    (
        {"mfa-for-people": {"enforcementLevel": "advisory", "more": 5}},
        "mfa-for-people: more: there is no such setting",
        "remove it",
    ),
    (
        {"third-party-named": {"thirdParty": ["1"]}},
        "third-party-named: thirdParty: there is no such setting",
        "write thirdParties, if that is meant, or remove it",
    ),
])  # fmt: skip
def test_a_configuration_that_cannot_be_read_is_refused(given: dict[str, object], why: str, step: str) -> None:
    with pytest.raises(Refusal) as refused:
        read_configuration(given, RULES, where="FILE")
    said, _, told = str(refused.value).partition(". Next step: ")
    assert said.startswith(f"the policy pack's configuration cannot be read (FILE): {why}")
    assert told == step


def test_a_level_for_all_is_that_of_each_rule_without_one_of_its_own() -> None:
    isolated = {"environments-isolated": {"accounts": {PROD: "analytics"}}}
    own = {"mfa-for-people": {"enforcementLevel": "disabled"}, "first": {"enforcementLevel": "mandatory", "k": 1}}
    given = {"all": "advisory", **isolated, **own}
    expected = {rule.name: {"enforcementLevel": "advisory"} for rule in RULES} | own
    expected |= {"second": {"enforcementLevel": "advisory"}}
    expected["environments-isolated"] = {"enforcementLevel": "advisory", **isolated["environments-isolated"]}
    assert read_configuration(given, RULES, where="", others=["first", "second"]) == expected
    assert read_configuration(isolated | own, RULES, where="", others=["first"]) == isolated | own


FINDING, ADVICE = Finding("message", "step", rule="own"), Finding("advice", "step", advice=True, rule="own")


@pytest.mark.parametrize(("mandatory", "level", "expected"), [
    (True, {}, [Judged(FINDING, mandatory=True), Judged(ADVICE, mandatory=False)]),
    (False, {}, [Judged(FINDING, mandatory=False), Judged(ADVICE, mandatory=False)]),
    (False, {"enforcementLevel": "remediate"}, [Judged(FINDING, mandatory=True), Judged(ADVICE, mandatory=False)]),
    (True, {"enforcementLevel": "advisory"}, [Judged(FINDING, mandatory=False), Judged(ADVICE, mandatory=False)]),
    (True, {"enforcementLevel": "disabled"}, []),
])  # fmt: skip
def test_a_finding_is_judged_at_the_level_of_its_rule(
    mandatory: bool, level: dict[str, object], expected: list[Judged]
) -> None:
    def found(*_: object) -> Iterator[Finding]:
        yield from (FINDING, ADVICE)

    def fails(*_: object) -> Iterator[Finding]:
        raise ValueError("oh")

    own = replace(RULES[0], name="own", check=found, mandatory=mandatory)
    broken = replace(own, name="broken", check=fails, mandatory=False)
    graph = two_keys().graph
    assert list(judge(graph, [own], {"own": level}, TODAY)) == expected
    verdicts = check(graph, [own, broken], {"own": level}, TODAY)
    stops = tuple(one.finding for one in expected if one.mandatory)
    assert (verdicts.mandatory[:-1], verdicts.advisory) == (
        stops,
        tuple(one.finding for one in expected if not one.mandatory),
    )
    (failed,) = judge(graph, [broken], {}, TODAY)
    assert (failed.finding.rule, failed.mandatory, failed.failed) == ("broken", True, True)


def test_a_rule_that_is_switched_on_is_given_its_settings_and_the_day() -> None:
    excuse = {"door": "a -> b", "reason": "r", "owner": "o", "expires": "9999-12-31"}
    seen: list[tuple[object, date]] = []

    def looks(_: object, settings: DoorConfig, now: datetime) -> list[Finding]:
        seen.append((settings, now))
        return []

    own = replace(RULES[0], name="own", check=looks, config=DoorConfig, mandatory=False)
    config: dict[str, dict[str, object]] = {"off": {"enforcementLevel": "disabled"}, "own": {"exceptions": [excuse]}}
    check(two_keys().graph, [replace(own, name="off"), own], config, TODAY)
    assert seen == [(DoorConfig.model_validate({"exceptions": [excuse]}), TODAY)]
    assert [level_of(one, config) for one in (own, replace(own, mandatory=True))] == ["advisory", "mandatory"]


def test_a_role_to_assume_under_the_name_that_python_has_for_it_is_none_and_refused() -> None:
    """https://github.com/pulumi/pulumi-aws/issues/5271: what a mapping holds is sent as it is."""
    world = World()
    roles = json.dumps([{"role_arn": arn(PROD, "role/OrganizationAccountAccessRole")}])
    world.add("Provider", "more", allowedAccountIds=json.dumps([PROD]), assumeRoles=roles)
    (found,) = world.check().mandatory
    assert (found.rule, "without roleArn" in found.message) == ("provider-enters-its-account", True)


def test_what_a_control_policy_stops_is_no_matter_of_accounts_that_are_read_live() -> None:
    """Live IAM tells of no program, and so of no update of one. A program may name a role to enter by that is none."""
    world = two_keys()
    control_policy_that_stops_the_next_update(world)
    live = replace(world.snapshot, evidence=(Evidence("live IAM", caller=CI),))
    replaced(world, "new", assumeRoles=json.dumps([{"roleArn": "no ARN"}]))
    for snapshot, expected in ((live, 0), (world.snapshot, 1)):
        found = check(build(snapshot), (BY_NAME["policy-lint"],), {}, TODAY)
        assert sum("the next update cannot change" in one.message for one in found.advisory) == expected
