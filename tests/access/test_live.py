"""Identity Center and root access read with boto3 from the local AWS.

https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_ListAccountAssignments.html
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.access.world import document, grants
from twokeys.access.graph import build
from twokeys.access.live import read_live
from twokeys.sandbox.local_aws import LocalAws

HUB = "111111111111"


@pytest.fixture
def organization(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The client of an organization in the local AWS, whose management account the environment has."""
    with LocalAws.start(tmp_path / "aws") as aws:
        for name, value in aws.environment(HUB).items():
            monkeypatch.setenv(name, value)
        client = boto3.client("organizations")
        client.create_organization(FeatureSet="ALL")
        yield client


def test_assignments_are_doors_with_the_names_of_people_and_what_they_may_do(organization: Any) -> None:
    organization.enable_aws_service_access(ServicePrincipal="sso.amazonaws.com")
    center: Any = boto3.client("sso-admin")
    store: Any = boto3.client("identitystore")
    (instance,) = center.list_instances()["Instances"]
    shared = {"InstanceArn": instance["InstanceArn"]}
    directory = {"IdentityStoreId": instance["IdentityStoreId"]}
    group = store.create_group(DisplayName="admins", **directory)["GroupId"]
    user = store.create_user(UserName="ann", DisplayName="A", Name={"GivenName": "A", "FamilyName": "E"}, **directory)
    store.create_group_membership(GroupId=group, MemberId={"UserId": user["UserId"]}, **directory)
    made = center.create_permission_set(Name="Admin", SessionDuration="PT2H", **shared)["PermissionSet"]
    about = {**shared, "PermissionSetArn": made["PermissionSetArn"]}
    granted = document(grants("arn:aws:iam::222222222222:role/deployer"))
    center.put_inline_policy_to_permission_set(InlinePolicy=granted, **about)
    administrator = "arn:aws:iam::aws:policy/AdministratorAccess"
    center.attach_managed_policy_to_permission_set(ManagedPolicyArn=administrator, **about)
    assigned = {"PrincipalType": "GROUP", "PrincipalId": group, "TargetId": HUB, "TargetType": "AWS_ACCOUNT"}
    center.create_account_assignment(**assigned, **about)
    graph = build(read_live())
    (assignment,) = graph.identity_center.assignments
    assert (assignment.source.name, assignment.members, assignment.role.account) == ("admins", ("ann",), HUB)
    assert assignment.permission_set is not None
    assert assignment.permission_set.session_seconds == 7200
    assert {one.title for one in assignment.role.documents} == {
        "inline policy of permission set Admin",
        "managed policy AdministratorAccess",
    }


def test_root_sessions_are_there_when_they_are_switched_on(organization: Any) -> None:
    iam: Any = boto3.client("iam")
    organization.enable_aws_service_access(ServicePrincipal="iam.amazonaws.com")
    organization.create_account(Email="aws+prod@example.com", AccountName="prod")
    iam.enable_organizations_root_sessions()
    iam.create_role(RoleName="keeper", AssumeRolePolicyDocument=_FOR_A_SERVICE)
    iam.put_role_policy(
        RoleName="keeper", PolicyName="root", PolicyDocument=document(grants("*", action="sts:AssumeRoot"))
    )
    graph = build(read_live())
    (prod,) = {account for account in graph.accounts.members if account != HUB}
    doors = {(door.source.name, door.target.account) for door in graph.doors if door.target.kind == "root"}
    assert ("keeper", prod) in doors


_FOR_A_SERVICE = document(
    {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
)
