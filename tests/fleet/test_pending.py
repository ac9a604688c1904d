"""Creates that a killed CLI left pending: under which id each is taken over.

Ids are those that the registry's pages say under "Import":
https://www.pulumi.com/registry/packages/aws/api-docs/organizations/account/#import and so on. The shape of a state is
Pulumi's deployment v3: https://github.com/pulumi/pulumi/blob/master/sdk/go/common/apitype/deployments.json
"""

import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import boto3
import pytest

from twokeys.fleet.pending import ASKED_ANEW, IDS, creating, identifiers, refusal, taken_over, unclear
from twokeys.organization.creations import looked_up
from twokeys.sandbox.local_aws import LocalAws

ARN = "arn:aws:organizations::111111111111:account/o-exampleorgid/222222222222"
MANAGEMENT = {
    "urn": "urn:pulumi:prod-001::twokeys::pulumi:providers:aws::management",
    "type": "pulumi:providers:aws",
    "id": "6f4c3c1e",
    "inputs": {"allowedAccountIds": '["111111111111"]', "region": "eu-west-1"},
}


def resource(kind: str, called: str, **inputs: Any) -> dict[str, Any]:
    urn = f"urn:pulumi:prod-001::twokeys::{kind}::{called}"
    provider = f"{MANAGEMENT['urn']}::{MANAGEMENT['id']}"
    return {"urn": urn, "type": kind, "custom": True, "inputs": inputs, "provider": provider}


def left(*pending: dict[str, Any], there: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    operations = [{"resource": one, "type": "creating"} for one in pending]
    return {"manifest": {"magic": "m"}, "resources": [MANAGEMENT, *there], "pending_operations": operations}


ACCOUNT = resource("aws:organizations/account:Account", "stage", email="stage@company.com", name="stage")


ORGANIZATION = "aws:organizations/organization:Organization"
UNIT = "aws:organizations/organizationalUnit:OrganizationalUnit"
POLICY = "aws:organizations/policy:Policy"
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}


@pytest.mark.parametrize(
    ("kind", "inputs", "identifier"),
    [
        ("budgets/budget:Budget", {"name": "stage"}, "111111111111:stage"),
        ("budgets/budget:Budget", {"name": "stage", "accountId": "333333333333"}, "333333333333:stage"),
        ("cloudtrail/trail:Trail", {"name": "all"}, "arn:aws:cloudtrail:eu-west-1:111111111111:trail/all"),
        (
            "iam/openIdConnectProvider:OpenIdConnectProvider",
            {"url": "https://token.actions.githubusercontent.com"},
            "arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com",
        ),
        ("iam/role:Role", {"name": "deployer"}, "deployer"),
        (
            "organizations/delegatedAdministrator:DelegatedAdministrator",
            {"accountId": "333333333333", "servicePrincipal": "guardduty.amazonaws.com"},
            "333333333333/guardduty.amazonaws.com",
        ),
        ("organizations/policyAttachment:PolicyAttachment", {"targetId": "r-1", "policyId": "p-2"}, "r-1:p-2"),
        (
            "ssoadmin/managedPolicyAttachment:ManagedPolicyAttachment",
            {"managedPolicyArn": "arn:m", "permissionSetArn": "arn:p", "instanceArn": "arn:i"},
            "arn:m,arn:p,arn:i",
        ),
    ],
)
def test_an_id_follows_from_what_was_asked_for(kind: str, inputs: dict[str, Any], identifier: str) -> None:
    one = resource(f"aws:{kind}", "one", **inputs)
    assert identifiers(left(one)) == {one["urn"]: identifier}
    assert unclear([one], {one["urn"]: identifier}) == []


@pytest.mark.parametrize(
    ("kind", "inputs"),
    [
        ("aws:kms/key:Key", {"description": "logs"}),
        ("aws:ssoadmin/permissionSet:PermissionSet", {"name": "reader"}),
        ("aws:iam/role:Role", {"name": SECRET}),  # encrypted in a state
    ],
)
def test_what_aws_may_have_made_under_an_id_of_its_own_is_neither_taken_over_nor_made_again(
    kind: str, inputs: dict[str, Any]
) -> None:
    one = resource(kind, "one", **inputs)
    assert identifiers(left(one)) == {}
    assert unclear([one], {}) == [one]
    assert taken_over(left(one), {}, {}, [one]) == left(one)
    said = str(refusal("prod-001", "shards", [one]))
    assert f"refresh --stack prod-001 --import-pending-creates '{one['urn']}'" in said
    assert "--clear-pending-creates" in said


@pytest.mark.parametrize(
    "kind", ["aws:iam/rolePolicyAttachment:RolePolicyAttachment", "pulumi:providers:aws", ACCOUNT["type"], UNIT]
)
def test_what_is_there_once_however_often_it_is_asked_for_or_that_aws_does_not_have_is_asked_for_anew(
    kind: str,
) -> None:
    one = resource(kind, "one", email="a@company.com")
    assert (identifiers(left(one)), unclear([one], {})) == ({}, [])
    assert "pending_operations" not in taken_over(left(one), {}, {}, [])


def test_every_type_that_the_program_makes_is_taken_over_or_asked_for_anew_or_named(project_root: Path) -> None:
    """Those that are named are the ones whose id AWS chooses and whose create it answers with a second object, or with
    a conflict that does not say the id."""
    made = set()
    for file in (project_root / "components").glob("*.py"):
        made |= set(re.findall(r"\baws\.([a-z0-9]+)\.([A-Z][A-Za-z0-9]*)\(", file.read_text()))
    types = {f"aws:{module}/{name[0].lower()}{name[1:]}:{name}" for module, name in made if not name.endswith("Args")}
    inputs = defaultdict(lambda: "text")
    named = [
        kind
        for kind in sorted(types)
        if unclear([one := resource(kind, "one")], {one["urn"]: IDS[kind].format_map(inputs)} if kind in IDS else {})
    ]
    assert named == [
        "aws:bcmdata/export:Export",
        "aws:costexplorer/anomalyMonitor:AnomalyMonitor",
        "aws:costexplorer/anomalySubscription:AnomalySubscription",
        "aws:identitystore/group:Group",
        "aws:identitystore/groupMembership:GroupMembership",
        "aws:identitystore/user:User",
        "aws:kms/key:Key",
        "aws:ssoadmin/permissionSet:PermissionSet",
    ]
    assert set(IDS) | ASKED_ANEW <= types


def test_aws_says_which_objects_of_the_organization_it_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with LocalAws.start(tmp_path) as aws:
        for name, value in aws.environment().items():
            monkeypatch.setenv(name, value)
        client = boto3.client("organizations")
        whole = resource(ORGANIZATION, "organization", featureSet="ALL")
        assert looked_up([whole]) == {}
        client.create_organization(FeatureSet="ALL")
        (root,) = client.list_roots()["Roots"]
        unit = client.create_organizational_unit(ParentId=root["Id"], Name="Workloads")["OrganizationalUnit"]
        document = '{"Version": "2012-10-17", "Statement": []}'
        policy = client.create_policy(Content=document, Description="", Name="guard", Type="SERVICE_CONTROL_POLICY")[
            "Policy"
        ]["PolicySummary"]
        begun = {
            resource(ORGANIZATION, "organization")["urn"]: client.describe_organization()["Organization"]["Id"],
            resource(UNIT, "there")["urn"]: unit["Id"],
            resource(POLICY, "there")["urn"]: policy["Id"],
        }
        found = looked_up(
            [
                whole,
                resource(UNIT, "there", parentId=root["Id"], name="Workloads"),
                resource(UNIT, "missing", parentId=root["Id"], name="Security"),
                resource(POLICY, "there", name="guard", type="SERVICE_CONTROL_POLICY"),
                resource(ACCOUNT["type"], "missing", name="stage", email="stage@company.com"),
            ]
        )
        assert {urn: identifier for urn, (identifier, _) in found.items()} == begun


def test_what_is_taken_over_stands_last_and_is_read_before_anything_else() -> None:
    role = resource("aws:iam/role:Role", "deployer", name="deployer")
    reader = resource("aws:ssoadmin/permissionSet:PermissionSet", "reader", name="reader")
    deployment = left(ACCOUNT, role, reader)
    found = {ACCOUNT["urn"]: "222222222222", **identifiers(deployment)}
    edited = taken_over(deployment, found, {ACCOUNT["urn"]: ARN}, [])
    assert edited.keys() == {"manifest", "resources"}
    provider, account, taken = edited["resources"]
    assert provider == MANAGEMENT
    assert account == {
        **ACCOUNT,
        "id": "222222222222",
        "outputs": {"email": "stage@company.com", "name": "stage", "arn": ARN},
        "refreshBeforeUpdate": True,
    }
    assert taken == {**role, "id": "deployer", "outputs": {"name": "deployer"}, "refreshBeforeUpdate": True}
    assert [one["urn"] for one in creating(deployment)] == [ACCOUNT["urn"], role["urn"], reader["urn"]]
    assert creating(edited) == []


def test_only_creates_count_and_not_those_that_replace_what_is_there() -> None:
    role = resource("aws:iam/role:Role", "deployer", name="deployer")
    deployment = left(role, there=({**role, "id": "deployer", "outputs": {}},))
    deployment["pending_operations"].append({"resource": ACCOUNT, "type": "updating"})
    assert creating(deployment) == []
    assert creating({"resources": None}) == []
