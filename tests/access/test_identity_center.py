"""IAM Identity Center in the graph: assignments are doors, permission sets are what their roles may do.

https://docs.aws.amazon.com/singlesignon/latest/userguide/permissionsetsconcept.html
https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.access.test_translation import put
from tests.access.world import HUB, PROD, STAGE, World, arn, document, grants, trusts
from twokeys.access.graph import Door
from twokeys.access.paths import paths_from
from twokeys.access.snapshot import Resource
from twokeys.iam import UNKNOWN, Outcome

INSTANCE = "arn:aws:sso:::instance/ssoins-1"
SET_ARN = "arn:aws:sso:::permissionSet/ssoins-1/ps-1"
RESERVED = "role/aws-reserved/sso.amazonaws.com/"
TARGET = arn(STAGE, "role/deployer")


def center(*, world: World | None = None, **assignment: object) -> World:
    """Group admins of Identity Center is assigned the permission set Admin in the stage account."""
    world = world or World()
    put(
        world,
        "aws:ssoadmin/permissionSet:PermissionSet",
        "admin",
        world.hub,
        name="Admin",
        arn=SET_ARN,
        sessionDuration="PT4H",
    )
    put(world, "aws:identitystore/group:Group", "admins", world.hub, displayName="admins", groupId="g-1")
    put(world, "aws:identitystore/user:User", "ann", world.hub, userName="ann", userId="u-1")
    put(world, "aws:identitystore/groupMembership:GroupMembership", "m", world.hub, groupId="g-1", memberId="u-1")
    assign(world, "a", **assignment)
    return world


def assign(world: World, name: str, **changes: object) -> Resource:
    values: dict[str, object] = {
        "permissionSetArn": SET_ARN,
        "principalType": "GROUP",
        "principalId": "g-1",
        "targetType": "AWS_ACCOUNT",
        "targetId": STAGE,
        **changes,
    }
    return put(world, "aws:ssoadmin/accountAssignment:AccountAssignment", name, world.hub, **values)


def attach(world: World, kind: str, **values: object) -> None:
    put(
        world,
        f"aws:ssoadmin/{kind[0].lower()}{kind[1:]}:{kind}",
        f"p-{kind}",
        world.hub,
        permissionSetArn=SET_ARN,
        **values,
    )


def refused(world: World) -> set[str]:
    return {finding.rule for finding in world.check().mandatory}


def of_center(world: World) -> list[Door]:
    return [door for door in world.graph.doors if door.source.kind.startswith("identity-center")]


def test_an_assignment_is_a_door_with_both_keys_of_awss_own() -> None:
    world = center()
    attach(world, "ManagedPolicyAttachment", managedPolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    (door,) = of_center(world)
    assert (door.source.kind, door.source.name, door.source.account) == ("identity-center-group", "admins", "")
    assert (door.target.account, door.outcome) == (STAGE, Outcome.ALLOW)
    assert door.target.arn.startswith(arn(STAGE, f"{RESERVED}AWSReservedSSO_Admin_"))
    assert [one.title for one in door.target.documents] == ["managed policy AdministratorAccess"]
    (assignment,) = world.graph.identity_center.assignments
    assert assignment.permission_set is not None
    assert (assignment.permission_set.session_seconds, assignment.members) == (4 * 3600, ("ann",))
    assert not refused(world)


def test_a_user_is_assigned_by_name_and_a_session_lasts_an_hour_unless_the_set_says_otherwise() -> None:
    world = center(principalType="USER", principalId="u-1")
    world.change(
        world.resources[2], inputs={"name": "Admin", "arn": SET_ARN}, outputs={"name": "Admin", "arn": SET_ARN}
    )
    (assignment,) = world.graph.identity_center.assignments
    assert (assignment.source.kind, assignment.source.name) == ("identity-center-user", "ann")
    assert assignment.permission_set is not None
    assert assignment.permission_set.session_seconds == 3600


def test_in_a_preview_ids_are_known_by_what_they_are_made_from() -> None:
    world = World()
    account = world.add("Account", "new", world.hub, protect=True, name="new", email="a@x.com")
    made = put(world, "aws:ssoadmin/permissionSet:PermissionSet", "admin", world.hub, name="Admin", arn=UNKNOWN)
    group = put(world, "aws:identitystore/group:Group", "admins", world.hub, displayName="admins", groupId=UNKNOWN)
    unknown = {"permissionSetArn": UNKNOWN, "principalId": UNKNOWN, "targetId": UNKNOWN}
    behind = {"permissionSetArn": [made], "principalId": [group], "targetId": [account]}
    assign(world, "a", **unknown, made_from=behind)
    policy = {"permissionSetArn": UNKNOWN, "inlinePolicy": document(grants(TARGET))}
    behind = {"permissionSetArn": [made]}
    put(
        world,
        "aws:ssoadmin/permissionSetInlinePolicy:PermissionSetInlinePolicy",
        "p",
        world.hub,
        **policy,
        made_from=behind,
    )
    (door,) = of_center(world)
    assert (door.source.name, door.target.account) == ("admins", "account:new")
    assert len(door.target.documents) == 1


PATTERN = {"ArnLike": {"aws:PrincipalArn": arn(HUB, f"{RESERVED}*AWSReservedSSO_Admin_*")}}


def into_stage(world: World, principal: str = arn(HUB, "root"), condition: Any = PATTERN) -> World:
    world.role("deployer", world.stage, document(trusts(principal, condition=condition)))
    return world


def test_a_trust_that_names_the_role_by_pattern_is_answered_by_the_permission_set() -> None:
    world = into_stage(center(targetId=HUB))
    attach(world, "PermissionSetInlinePolicy", inlinePolicy=document(grants(TARGET)))
    ways = [str(path) for path in paths_from(world.graph, lambda one: one.kind == "identity-center-group")]
    assert [way for way in ways if way.startswith("identity-center:group/admins") and way.endswith(TARGET)]
    assert not refused(world)


def test_the_region_of_the_instance_is_in_the_path_of_its_roles() -> None:
    """Not so in us-east-1: https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html"""
    world = center(targetId=HUB)
    admin = next(one for one in world.resources if one.type == "aws:ssoadmin/permissionSet:PermissionSet")
    world.change(admin, outputs={**admin.outputs, "region": "eu-west-1"})
    attach(world, "PermissionSetInlinePolicy", inlinePolicy=document(grants(TARGET)))
    named = arn(HUB, f"{RESERVED}eu-west-1/AWSReservedSSO_Admin_*")
    assert not refused(into_stage(world, condition={"ArnLike": {"aws:PrincipalArn": named}}))


def test_without_a_grant_in_the_permission_set_it_is_half_a_door() -> None:
    assert refused(into_stage(center(targetId=HUB))) == {"door-needs-grant"}


def test_a_grant_of_a_permission_set_without_a_trust_is_half_a_door() -> None:
    world = center(targetId=HUB)
    world.role("deployer", world.stage)
    attach(world, "PermissionSetInlinePolicy", inlinePolicy=document(grants(TARGET)))
    assert refused(world) == {"door-needs-trust"}


@pytest.mark.parametrize("place", [RESERVED, f"{RESERVED}eu-west-1/"])
def test_a_trust_that_names_the_role_with_its_suffix_means_the_same_role(place: str) -> None:
    exact = arn(HUB, f"{place}AWSReservedSSO_Admin_0123456789abcdef")
    world = into_stage(center(targetId=HUB), exact, None)
    attach(world, "PermissionSetInlinePolicy", inlinePolicy=document(grants(TARGET)))
    assert f"{exact} -> {TARGET}" in {door.id for door in world.graph.doors if door.open}
    assert not refused(world)


def test_the_role_of_another_permission_set_does_not_answer() -> None:
    other = {"ArnLike": {"aws:PrincipalArn": arn(HUB, f"{RESERVED}*AWSReservedSSO_Auditor_*")}}
    world = into_stage(center(targetId=HUB), condition=other)
    attach(world, "PermissionSetInlinePolicy", inlinePolicy=document(grants(TARGET)))
    assert refused(world)


def test_a_boundary_of_a_permission_set_limits_its_role() -> None:
    world = into_stage(center(targetId=HUB))
    attach(world, "PermissionSetInlinePolicy", inlinePolicy=document(grants(TARGET)))
    boundary = {"managedPolicyArn": "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"}
    attach(world, "PermissionsBoundaryAttachment", permissionsBoundary=boundary)
    assert refused(world)


def test_a_policy_of_ones_own_is_that_of_each_account() -> None:
    world = into_stage(center(targetId=HUB))
    world.add("Policy", "enter", world.hub, name="enter", path="/", policy=document(grants(TARGET)))
    attach(world, "CustomerManagedPolicyAttachment", customerManagedPolicyReference={"name": "enter", "path": "/"})
    assert not refused(world)
    assert any(door.target.arn == TARGET and door.open for door in world.graph.doors)


@pytest.mark.parametrize(
    "changes",
    [
        {"permissionSetArn": "arn:aws:sso:::permissionSet/ssoins-1/ps-elsewhere"},
        {"targetId": UNKNOWN},
        {"principalId": UNKNOWN},
        {"principalType": UNKNOWN},
    ],
)
def test_an_assignment_that_does_not_tell_whom_where_or_what_is_not_proved(changes: dict[str, object]) -> None:
    assert refused(center(**changes)) == {"unproved-door"}


def test_an_assignment_to_a_group_whose_name_is_not_shown_is_called_by_its_id() -> None:
    (door,) = of_center(center(principalId="g-elsewhere"))
    assert door.source.name == "g-elsewhere"


def test_a_permission_set_of_cloudformation_and_of_aws_native_is_read_too() -> None:
    body = {
        "Resources": {
            "Set": {
                "Type": "AWS::SSO::PermissionSet",
                "Properties": {"Name": "Admin", "InlinePolicy": json.loads(document(grants(TARGET)))},
            },
            "Assignment": {
                "Type": "AWS::SSO::Assignment",
                "Properties": {
                    "PermissionSetArn": {"Fn::GetAtt": ["Set", "PermissionSetArn"]},
                    "PrincipalType": "GROUP",
                    "PrincipalId": "g-1",
                    "TargetId": PROD,
                    "TargetType": "AWS_ACCOUNT",
                },
            },
        }
    }
    world = World()
    put(world, "aws:cloudformation/stack:Stack", "center", world.hub, templateBody=json.dumps(body))
    (door,) = of_center(world)
    assert (door.source.name, door.target.account, len(door.target.documents)) == ("g-1", PROD, 1)


def test_an_entitlement_opens_the_role_that_trusts_the_service() -> None:
    """https://www.pulumi.com/registry/packages/aws/api-docs/accountaccess/entitlement/."""
    service = {"Effect": "Allow", "Principal": {"Service": "account-access.amazonaws.com"}, "Action": "sts:AssumeRole"}
    world = center()
    world.role("developer", world.stage, document(service))
    said = {
        "principalRole": {"principal": {"identityCenter": {"userId": "u-1"}}, "roleArn": arn(STAGE, "role/developer")}
    }
    put(world, "aws:accountaccess/entitlement:Entitlement", "e", world.hub, entitlement=said)
    doors = {(door.source.name, door.target.name): door.outcome for door in of_center(world)}
    assert doors["ann", "developer"] is Outcome.ALLOW


def test_the_same_permission_set_in_two_accounts_makes_two_roles() -> None:
    world = center()
    assign(world, "b", targetId=PROD)
    assign(world, "c", targetId=PROD, principalType="USER", principalId="u-1")
    assert {(door.source.name, door.target.account) for door in of_center(world)} == {
        ("admins", STAGE),
        ("admins", PROD),
        ("ann", PROD),
    }
    assert len({door.target for door in of_center(world)}) == 2


def test_a_policy_of_a_permission_set_that_nobody_is_assigned_yet_is_judged() -> None:
    world = World()
    attach(world, "PermissionSetInlinePolicy", inlinePolicy=document(grants("*")))
    assert refused(world) == {"wildcard-grant"}
