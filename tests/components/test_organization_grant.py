"""One grant for every account of the organization, as registered with the engine.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-resourceorgid
"""

import json
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from components.organization_grant import OrganizationGrant
from tests.components.mock_engine import MANAGEMENT, Run, run
from twokeys.doors import ExportedGrant
from twokeys.doors.documents import DoorPlan
from twokeys.doors.documents import grant_document as door_grant
from twokeys.doors.expiry import closing_time
from twokeys.iam import UNKNOWN
from twokeys.settings import parse
from twokeys.settings.grants import inline_characters
from twokeys.settings.models import PrincipalName

COMPONENT, ORGANIZATION = "twokeys:access:OrganizationGrant", "aws:organizations/organization:Organization"
POLICIES = {
    "role": "aws:iam/rolePolicy:RolePolicy",
    "user": "aws:iam/userPolicy:UserPolicy",
    "group": "aws:iam/groupPolicy:GroupPolicy",
}
ID = "o-a1b2c3d4e5"


def make(preview: bool = False, made_here: bool = True, kind: str = "role", **changes: Any) -> Run:
    said = {"from": {kind: "audit/auditor"}, "to": {"role": "audit/reader"}, "reason": "The audit", "owner": "security"}
    base = {"managementAccountId": MANAGEMENT, "rootEmail": "example@company.com", "organization": {"create": True}}
    settings = parse("management", {**base, "organizationGrants": {"audit": {**said, **changes}}})

    def program() -> None:
        provider = aws.Provider("management", region="us-east-1")
        opts = pulumi.ResourceOptions(provider=provider)
        organization = aws.organizations.Organization("organization", opts=opts) if made_here else None
        made = OrganizationGrant(
            "audit",
            settings=settings,
            organization_id=organization.id if organization else "o-found45678",
            organization="organization" if organization else None,
            source_account_id=MANAGEMENT,
            opts=pulumi.ResourceOptions(provider=provider, depends_on=[organization] if organization else []),
        )
        pulumi.export("grant", made.grant)

    return run(program, preview=preview)


def statement(document: dict[str, Any]) -> dict[str, Any]:
    (only,) = document["Statement"]
    assert isinstance(only, dict)
    return only


def test_one_policy_of_the_source_allows_the_role_in_every_account_of_the_organization_and_nothing_else() -> None:
    policy = make().one(POLICIES["role"], "audit").inputs
    assert (policy["role"], policy["name"]) == ("auditor", "assume-organization-reader")
    assert statement(json.loads(policy["policy"])) == {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Resource": "arn:aws:iam::*:role/audit/reader",
        "Condition": {"StringEquals": {"aws:ResourceOrgID": ID}},
    }


def test_in_the_first_preview_the_policy_is_unknown_and_declared() -> None:
    done = make(preview=True)
    assert done.one(POLICIES["role"], "audit").inputs["policy"] is UNKNOWN
    (declared,) = done.one(COMPONENT, "audit").inputs["symbolicDocuments"]
    assert statement(declared["document"])["Condition"] == {
        "StringEquals": {"aws:ResourceOrgID": "organization:organization"}
    }
    assert (declared["type"], declared["name"], declared["account"]) == (POLICIES["role"], "audit", MANAGEMENT)
    assert declared["properties"] == {"name": "assume-organization-reader", "role": "auditor"}


def test_an_organization_that_is_only_looked_up_is_known_by_its_id() -> None:
    done = make(preview=True, made_here=False)
    (declared,) = done.one(COMPONENT, "audit").inputs["symbolicDocuments"]
    real = json.loads(done.one(POLICIES["role"], "audit").inputs["policy"])
    assert declared["document"] == real
    assert "o-found45678" in json.dumps(real)


@pytest.mark.parametrize("kind", ["user", "group"])
def test_people_need_mfa_unless_the_grant_says_otherwise(kind: str) -> None:
    policy = make(kind=kind).one(POLICIES[kind], "audit").inputs
    assert policy[kind] == "auditor"
    condition = statement(json.loads(policy["policy"]))["Condition"]
    assert condition == {"StringEquals": {"aws:ResourceOrgID": ID}, "Bool": {"aws:MultiFactorAuthPresent": "true"}}
    without = make(kind=kind, mfa=False).one(POLICIES[kind], "audit").inputs["policy"]
    assert "Bool" not in statement(json.loads(without))["Condition"]


def test_the_exported_grant_carries_the_real_id_and_what_people_want_to_know() -> None:
    exported = ExportedGrant.model_validate(make(expires="2027-01-31").exports["grant"])
    assert statement(exported.documents[0].document)["Condition"] == {
        "StringEquals": {"aws:ResourceOrgID": ID},
        "DateLessThan": {"aws:CurrentTime": "2027-02-01T00:00:00Z"},
    }
    assert exported.grant.source.names == ("audit/auditor",)
    assert (exported.grant.role, exported.grant.reason, exported.grant.owner) == (
        "audit/reader",
        "The audit",
        "security",
    )
    assert exported.grant.expires == closing_time("2027-01-31")


def characters(document: object) -> int:
    """As AWS counts: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""
    return len("".join((document if isinstance(document, str) else json.dumps(document)).split()))


def test_the_estimate_of_the_settings_is_what_is_written() -> None:
    base = {"managementAccountId": MANAGEMENT, "rootEmail": "example@company.com", "organization": {"create": True}}
    said = {"from": {"role": "audit/auditor"}, "to": {"role": "audit/reader"}, "reason": "The audit", "owner": "x"}
    grant = parse("management", {**base, "organizationGrants": {"audit": said}})
    written = make().one(POLICIES["role"], "audit").inputs["policy"]
    assert inline_characters(grant) == {("management", PrincipalName("role", "auditor")): characters(written)}

    permissions = {"managedPolicies": ["arn:aws:iam::aws:policy/ReadOnlyAccess"]}
    doors = {"audit": {**said, "to": {"account": "*", "role": "audit/reader"}, "permissions": permissions}}
    two = parse("management", {**base, "accounts": {"one": {}, "two": {}}, "doors": doors})
    plan = DoorPlan(
        name="audit",
        kind="role",
        source="audit/auditor",
        source_account=MANAGEMENT,
        members=(),
        grantee_kind="role",
        grantee="audit/auditor",
        target_account="222222222222",
        role="audit/reader",
    )
    assert inline_characters(two) == {
        ("management", PrincipalName("role", "auditor")): 2 * characters(door_grant(plan))
    }
