"""The organization, its units and its guard rails, as registered with the engine."""

import json
from typing import Any

import pulumi
import pulumi_aws as aws

from components.organization import Organization
from tests.components.mock_engine import Run, run
from twokeys.settings.models import OrganizationSettings, Settings

ORGANIZATION = "aws:organizations/organization:Organization"
UNIT = "aws:organizations/organizationalUnit:OrganizationalUnit"
POLICY = "aws:organizations/policy:Policy"
ATTACHMENT = "aws:organizations/policyAttachment:PolicyAttachment"
STAY = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "organizations:*", "Resource": "*"}]}


def make(**changes: Any) -> Run:
    said = OrganizationSettings.model_validate(
        {
            "organizationalUnits": {"Workloads/Stage": {}},
            "trustedServices": ["cloudtrail.amazonaws.com"],
            "serviceControlPolicies": {"stay": {"document": STAY, "targets": ["root", "Workloads/Stage"]}},
            **changes,
        }
    )
    settings = Settings(management_account_id="111111111111", root_email="example@company.com", organization=said)

    def program() -> None:
        parent = aws.Provider("management", region="us-east-1")
        made = Organization("organization", settings, said, pulumi.ResourceOptions(provider=parent))
        pulumi.export("denials", made.denials)
        pulumi.export("ids", [made.organization_id, made.root_id, dict(made.unit_ids)])

    return run(program, stack="management")


def test_an_organization_is_created_with_its_policy_types_and_trusted_services() -> None:
    made = make().one(ORGANIZATION, "organization")
    assert made.inputs == {
        "featureSet": "ALL",
        "enabledPolicyTypes": ["SERVICE_CONTROL_POLICY"],
        "awsServiceAccessPrincipals": ["cloudtrail.amazonaws.com"],
    }
    assert made.protect
    assert made.retain_on_delete


def test_an_existing_organization_is_only_looked_up() -> None:
    done = make(create=False)
    assert done.of(ORGANIZATION) == {}
    assert done.exports["ids"][:2] == ["o-found", "r-found"]
    assert done.one(UNIT, "Workloads").inputs["parentId"] == "r-found"


def test_organizational_units_form_a_tree_below_the_root() -> None:
    done = make()
    parents = {path: unit.inputs["parentId"] for path, unit in done.of(UNIT).items()}
    assert parents == {"Workloads": "r-ab12", "Workloads/Stage": "Workloads-id"}
    assert done.one(UNIT, "Workloads/Stage").inputs["name"] == "Stage"
    assert done.exports["ids"][2] == {"Workloads": "Workloads-id", "Workloads/Stage": "Workloads/Stage-id"}
    assert all(unit.protect and unit.retain_on_delete for unit in done.of(UNIT).values())


def test_an_existing_unit_is_used_and_not_made() -> None:
    done = make(organizationalUnits={"Workloads": {"id": "ou-ab12-cd345678"}, "Workloads/Stage": {}})
    assert set(done.of(UNIT)) == {"Workloads/Stage"}
    assert done.one(UNIT, "Workloads/Stage").inputs["parentId"] == "ou-ab12-cd345678"


def test_a_guard_rail_is_attached_to_each_of_its_targets_once_its_policy_type_is_switched_on() -> None:
    # https://docs.aws.amazon.com/organizations/latest/userguide/enable-policy-type.html
    done = make()
    assert json.loads(done.one(POLICY, "stay").inputs["content"]) == STAY
    targets = {name: each.inputs["targetId"] for name, each in done.of(ATTACHMENT).items()}
    assert targets == {"stay-root": "r-ab12", "stay-Workloads/Stage": "Workloads/Stage-id"}
    assert done.one(ORGANIZATION, "organization").urn in done.one(POLICY, "stay").dependencies


def test_what_control_policies_deny_about_entering_accounts_is_exported_without_the_rest() -> None:
    entering = {"Sid": "E", "Effect": "Deny", "NotAction": ["s3:*", "STS:Get*"], "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [*STAY["Statement"], entering]}
    said = {"document": document, "targets": ["Workloads"], "name": "Company's own"}
    done = make(serviceControlPolicies={"stay": {"document": STAY, "targets": ["root"]}, "own": said})
    assert done.exports["denials"] == [
        {
            "name": "Company's own",
            "type": "SERVICE_CONTROL_POLICY",
            "targets": ["Workloads"],
            "document": {"Version": "2012-10-17", "Statement": [entering]},
        }
    ]


ADOPTED: dict[str, Any] = {
    "adopt": "o-a1b2c3d4e5",
    "organizationalUnits": {
        "Workloads": {"adopt": "ou-ab12-11111111", "name": "Work/loads", "tags": {"a": "b"}},
        "Workloads/Stage": {},
    },
    "serviceControlPolicies": {
        "stay": {
            "document": STAY,
            "targets": ["root", "Workloads", "222222222222"],
            "name": "Stay: here",
            "tags": {"a": "b"},
            "adopt": "p-a1b2c3d4",
            "attached": {"root": "r-ab12", "222222222222": "222222222222"},
        }
    },
    "centralizedRootAccess": "adopt",
    "delegatedAdministrators": {
        "222222222222": {"services": ["a.amazonaws.com", "b.amazonaws.com"], "adopt": ["b.amazonaws.com"]}
    },
}


def test_what_exists_is_imported_and_the_rest_is_made() -> None:
    # Ids of imports: https://www.pulumi.com/registry/packages/aws/api-docs/organizations/ (the page of each resource)
    done = make(**ADOPTED)
    assert done.one(ORGANIZATION, "organization").import_id == "o-a1b2c3d4e5"
    assert {path: unit.import_id for path, unit in done.of(UNIT).items()} == {
        "Workloads": "ou-ab12-11111111",
        "Workloads/Stage": "",
    }
    assert done.one(POLICY, "stay").import_id == "p-a1b2c3d4"
    assert {name: one.import_id for name, one in done.of(ATTACHMENT).items()} == {
        "stay-root": "r-ab12:p-a1b2c3d4",
        "stay-222222222222": "222222222222:p-a1b2c3d4",
        "stay-Workloads": "",
    }
    features = done.one("aws:iam/organizationsFeatures:OrganizationsFeatures", "organization")
    assert features.import_id == "o-a1b2c3d4e5"
    delegated = done.of("aws:organizations/delegatedAdministrator:DelegatedAdministrator")
    assert {name: one.import_id for name, one in delegated.items()} == {
        "222222222222-a.amazonaws.com": "",
        "222222222222-b.amazonaws.com": "222222222222/b.amazonaws.com",
    }


def test_what_is_taken_over_keeps_its_name_and_tags_and_is_protected() -> None:
    done = make(**ADOPTED)
    unit, policy = done.one(UNIT, "Workloads"), done.one(POLICY, "stay")
    assert (unit.inputs["name"], unit.inputs["tags"]) == ("Work/loads", {"a": "b"})
    assert (policy.inputs["name"], policy.inputs["tags"]) == ("Stay: here", {"a": "b"})
    assert "description" not in policy.inputs
    assert unit.protect
    assert policy.protect
    assert not make().one(POLICY, "stay").protect
    assert done.one(ATTACHMENT, "stay-222222222222").inputs["targetId"] == "222222222222"


def test_registrations_of_one_administrator_wait_for_each_other() -> None:
    # https://docs.aws.amazon.com/organizations/latest/APIReference/API_RegisterDelegatedAdministrator.html
    # (ConcurrentModificationException)
    delegated = make(**ADOPTED).of("aws:organizations/delegatedAdministrator:DelegatedAdministrator")
    first, second = delegated["222222222222-a.amazonaws.com"], delegated["222222222222-b.amazonaws.com"]
    assert first.urn in second.dependencies
