"""How strong a role is. What each policy and action allows is as AWS's own pages say."""

from dataclasses import replace
from typing import Any

import pytest

from tests.access.world import STAGE, World, arn, document, grants, replaced, trusts, two_keys
from twokeys.access.graph import build
from twokeys.answers.changes import changes
from twokeys.answers.model import Answers, Way
from twokeys.answers.permissions import Level, of_managed_policy
from twokeys.answers.published import doors_of
from twokeys.answers.reading import read

ANYWHERE = "*"
MANAGED = "arn:aws:iam::aws:policy/{}"
ROLES = "other roles only"


def level(*statements: dict[str, Any], boundary: str | None = None, managed: str | None = None) -> Level:
    """That of the role `deployer` with these statements as its inline policy."""
    return deployer_of(answers(*statements, boundary=boundary, managed=managed)).permissions.level


def deployer_of(found: Answers) -> Way:
    """The way into that role."""
    (way,) = [way for way in found.ways if way.target.who.name == "deployer"]
    return way


def answers(*statements: dict[str, Any], boundary: str | None = None, managed: str | None = None) -> Answers:
    """What is read where the role `deployer` has these."""
    world = two_keys()
    if boundary:
        replaced(world, "deployer", permissionsBoundary=MANAGED.format(boundary))
    if statements:
        world.add("RolePolicy", "may", world.stage, role="deployer", name="may", policy=document(*statements))
    if managed:
        world.add("RolePolicyAttachment", "m", world.stage, role="deployer", policyArn=MANAGED.format(managed))
    return read(world.graph)


# Access levels: https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("*", Level.ADMINISTRATOR),
        ("iam:*", Level.ADMINISTRATOR),
        ("iam:PutRolePolicy", Level.ADMINISTRATOR),
        ("iam:Attach*", Level.ADMINISTRATOR),
        ("iam:GetRole", Level.READ),
        ("iam:List*", Level.READ),
        ("s3:*", Level.WRITE),
        ("s3:GetObject", Level.READ),
        ("s3:PutObject", Level.WRITE),
        ("ec2:Describe*", Level.READ),
        ("sts:AssumeRole", Level.WRITE),
        ("logs:StartQuery", Level.READ),
        ("cognito-identity:Get*", Level.WRITE),  # GetCredentialsForIdentity
        ("logs:Start*", Level.WRITE),
        ("dynamodb:PartiQLSelect", Level.READ),
        ("kms:Decrypt", Level.WRITE),
        ("newservice:GetOne", Level.READ),
        ("newservice:DoOne", Level.WRITE),
    ],
)
def test_actions_have_the_access_level_that_aws_gives_them(action: str, expected: Level) -> None:
    assert level(grants(ANYWHERE, action=action)) is expected


@pytest.mark.parametrize(
    ("step", "managed", "expected"),
    [
        (arn("999999999999", "role/next"), "ReadOnlyAccess", "read"),
        (arn("999999999999", "role/*"), "ReadOnlyAccess", "write"),
        (arn("999999999999", "role/next"), None, ROLES),
        (arn("*", "role/next"), None, ROLES),
    ],
)
def test_the_step_to_a_role_by_name_counts_for_less_than_reading(step: str, managed: str | None, expected: str) -> None:
    """In the doors for people as in every other answer, though AWS's access level of sts:AssumeRole is Write."""
    found = answers(grants(step), managed=managed)
    assert [one.door.permits for one in doors_of(found) if one.door.target.role == "deployer"] == [expected]
    assert deployer_of(found).permissions.level.word == expected


# https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("iam:*", arn(STAGE, "*")),
        ("iam:PutRolePolicy", arn(STAGE, "role/deployer")),
        ("iam:AttachRolePolicy", arn(STAGE, "role/*")),
        ("iam:DeleteRolePermissionsBoundary", arn(STAGE, "role/${aws:PrincipalTag/team}")),
        ("*", "arn:aws:*"),
        ("iam:CreatePolicyVersion", arn(STAGE, "policy/own")),
        ("iam:Set*", arn(STAGE, "policy/*")),
    ],
)
def test_a_role_that_can_give_itself_more_is_an_administrator(action: str, resource: str) -> None:
    world = two_keys()
    policy = document(grants(resource, action=action))
    world.add("Policy", "own", world.stage, name="own", policy=policy, outputs={"arn": arn(STAGE, "policy/own")})
    world.add("RolePolicyAttachment", "own", world.stage, role="deployer", policyArn=arn(STAGE, "policy/own"))
    (way,) = [way for way in read(world.graph).ways if way.target.who.name == "deployer"]
    assert way.permissions.level is Level.ADMINISTRATOR


def test_an_action_of_iam_on_one_role_makes_no_administrator() -> None:
    assert level(grants(arn(STAGE, "role/one"), action="iam:PutRolePolicy")) is Level.WRITE


def test_everything_but_some_actions_makes_an_administrator_unless_iam_is_spared() -> None:
    """PowerUserAccess is such a policy that spares IAM.

    https://docs.aws.amazon.com/aws-managed-policy/latest/reference/PowerUserAccess.html
    """
    everything = {"Effect": "Allow", "NotAction": ["s3:*"], "Resource": "*"}
    assert level(everything) is Level.ADMINISTRATOR
    assert level({**everything, "NotAction": ["iam:*"]}) is Level.WRITE


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("AdministratorAccess", Level.ADMINISTRATOR),
        ("IAMFullAccess", Level.ADMINISTRATOR),
        ("PowerUserAccess", Level.WRITE),
        ("AmazonS3FullAccess", Level.WRITE),
        ("ReadOnlyAccess", Level.READ),
        ("SecurityAudit", Level.READ),
        ("job-function/ViewOnlyAccess", Level.READ),
        ("AWSDenyAll", Level.NONE),
        ("AWSSomethingElse", Level.UNKNOWN),
    ],
)
def test_managed_policies_of_aws_are_known_by_their_names(name: str, expected: Level) -> None:
    """https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html"""
    assert of_managed_policy(name.rpartition("/")[2]) is expected
    assert level(managed=name) is expected


def test_a_permissions_boundary_limits_what_policies_allow() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html"""
    assert level(grants(ANYWHERE, action="*"), boundary="ReadOnlyAccess") is Level.READ


def test_a_deny_makes_nothing_weaker_as_it_may_not_match() -> None:
    assert level(grants(ANYWHERE, action="*"), grants(ANYWHERE, action="*", effect="Deny")) is Level.ADMINISTRATOR


def test_a_policy_that_the_list_of_a_role_removes_or_only_its_last_refresh_saw_counts_and_is_no_change() -> None:
    """Each update removes what `managedPolicyArns` does not name, and the attachment's brings it back.

    https://www.pulumi.com/registry/packages/aws/api-docs/iam/role/
    """
    world = two_keys()
    role = next(one for one in world.resources if one.name == "deployer")
    inputs = {**(role.inputs or {}), "managedPolicyArns": []}
    world.change(role, inputs=inputs, outputs={**inputs, "managedPolicyArns": [MANAGED.format("IAMFullAccess")]})
    policy = MANAGED.format("ReadOnlyAccess")
    world.add("RolePolicyAttachment", "all", world.stage, role="deployer", policyArn=policy)
    before, refreshed = (read(build(replace(world.snapshot, is_state=one))) for one in (False, True))
    ways = [way for way in (*before.ways, *refreshed.ways) if way.target.who.name == "deployer"]
    said = [f"{way.permissions}: {', '.join(way.permissions.names)}" for way in ways]
    removed = "ReadOnlyAccess that a list removes"
    assert said == [f"read: {removed}", f"administrator: {removed}, IAMFullAccess as of the last refresh"]
    assert not changes(before, refreshed).changed
    assert not changes(refreshed, before).changed


def test_of_a_role_without_a_policy_nothing_is_allowed() -> None:
    assert level() is Level.NONE


def test_an_access_role_is_an_administrator() -> None:
    """https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_access.html"""
    world = World()
    world.role("admin", world.hub, document(trusts(arn("1" * 12, "root"))))
    (way,) = [way for way in read(world.graph).ways if way.by_access_role]
    assert way.permissions.level is Level.ADMINISTRATOR
