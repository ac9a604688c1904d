"""The organization, its units and its guard rails, as registered with the engine."""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pulumi_aws as aws

from components.organization import Organization, OrganizationArgs
from tests.components.mock_engine import Run, run

ORGANIZATION = "aws:organizations/organization:Organization"
UNIT = "aws:organizations/organizationalUnit:OrganizationalUnit"
POLICY = "aws:organizations/policy:Policy"
ATTACHMENT = "aws:organizations/policyAttachment:PolicyAttachment"
STAY = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "organizations:*", "Resource": "*"}]}


def make(**changes: Any) -> Run:
    def program() -> None:
        parent = aws.Provider("management", region="us-east-1")
        args: OrganizationArgs = {
            "create": True,
            "organizational_units": ["Workloads", "Workloads/Stage"],
            "policy_types": ["SERVICE_CONTROL_POLICY"],
            "trusted_services": ["cloudtrail.amazonaws.com"],
            "policies": {"stay": {"document": STAY, "targets": ["root", "Workloads/Stage"]}},
        }
        args.update(changes)  # type: ignore[typeddict-item]
        made = Organization("organization", args, pulumi.ResourceOptions(provider=parent))
        pulumi.export("ids", [made.organization_id, made.root_id, made.organizational_unit_ids])

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
    done = make(existing_units={"Workloads": "ou-ab12-cd345678"})
    assert set(done.of(UNIT)) == {"Workloads/Stage"}
    assert done.one(UNIT, "Workloads/Stage").inputs["parentId"] == "ou-ab12-cd345678"


def test_a_guard_rail_is_attached_to_each_of_its_targets() -> None:
    done = make()
    assert json.loads(done.one(POLICY, "stay").inputs["content"]) == STAY
    targets = {name: each.inputs["targetId"] for name, each in done.of(ATTACHMENT).items()}
    assert targets == {"stay-root": "r-ab12", "stay-Workloads/Stage": "Workloads/Stage-id"}


def test_a_guard_rail_waits_until_its_policy_type_is_switched_on() -> None:
    # https://docs.aws.amazon.com/organizations/latest/userguide/enable-policy-type.html
    done = make()
    assert done.one(ORGANIZATION, "organization").urn in done.one(POLICY, "stay").dependencies
