"""What config says of an organization that exists already.

Ids: https://docs.aws.amazon.com/organizations/latest/APIReference/API_Organization.html, API_OrganizationalUnit.html,
API_PolicySummary.html. SCP: a policy is attached only while its type is enabled,
https://docs.aws.amazon.com/organizations/latest/userguide/enable-policy-type.html
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.test_settings import DENY, MANAGEMENT, changed, refused
from twokeys.settings import needed_services, parse

SCP = {"Version": "2012-10-17", "Statement": [DENY]}
TAGS = {"tags": {"environment": {"tag_key": {"@@assign": "environment"}}}}
ADOPTED: dict[str, Any] = changed(
    MANAGEMENT,
    "organization",
    {
        "adopt": "o-a1b2c3d4e5",
        "policyTypes": ["SERVICE_CONTROL_POLICY", "TAG_POLICY"],
        "trustedServices": ["iam.amazonaws.com"],
        "centralizedRootAccess": "adopt",
        "organizationalUnits": {"Lab": {"adopt": "ou-ab12-cd345678", "name": "L/ab", "tags": {"a": "b"}}},
        "serviceControlPolicies": {
            "stay": {
                "adopt": "p-a1b2c3d4",
                "targets": ["root", "Lab", "222222222222"],
                "attached": {"root": "r-ab12", "222222222222": "222222222222"},
                "document": SCP,
            }
        },
        "policies": {"tags": {"type": "TAG_POLICY", "targets": [], "document": TAGS}},
        "delegatedAdministrators": {"222222222222": {"services": ["a.amazonaws.com"], "adopt": ["a.amazonaws.com"]}},
    },
)


def test_an_organization_that_exists_can_be_said_whole() -> None:
    said = parse("management", ADOPTED).organization
    assert said is not None
    assert said.create
    assert said.centralized_root_access == "adopt"
    assert said.policies["tags"].document == TAGS


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("adopt", "a1b2c3d4e5", "an organization's id looks like"),
        ("create", False, "an organization that is only looked up is not changed"),
        ("centralizedRootAccess", "yes please", "centralizedRootAccess"),
        ("organizationalUnits.Lab.adopt", "Lab", "an organizational unit's id looks like"),
        ("organizationalUnits.Lab.id", "ou-ab12-cd345678", "only used"),
        ("organizationalUnits.Other", {"adopt": "ou-ab12-cd345678"}, "Lab has this id"),
        ("serviceControlPolicies.stay.adopt", "stay", "a policy's id looks like"),
        ("serviceControlPolicies.stay.attached", {"Lab": "Lab"}, "a policy is attached to a root"),
        ("serviceControlPolicies.stay.attached", {"Lap": "ou-ab12-cd345678"}, "only a policy that is adopted"),
        ("serviceControlPolicies.stay.targets", ["22222222222"], "no organizational unit"),
        ("serviceControlPolicies.tags", {"targets": [], "document": SCP}, "has this key too"),
        ("policies.tags.type", "SERVICE_CONTROL_POLICY", "it has a section of its own"),
        ("policies.tags.type", "NO_POLICY", "Input should be"),
        ("policies.tags.document", {}, "a policy has 1 to 10240 characters"),
        ("policies.tags.document", {"a": "x" * 10_240}, "a policy has 1 to 10240 characters"),
        ("delegatedAdministrators.222222222222.adopt", ["b.amazonaws.com"], "it is not among the services"),
        ("delegatedAdministrators.222222222222.services", [], "at least 1 item"),
    ],
)
def test_what_cannot_be_is_refused(key: str, value: object, why: str) -> None:
    assert why in str(refused(changed(ADOPTED, f"organization.{key}", value), "management"))


def test_a_policy_of_a_type_that_is_off_cannot_be_attached() -> None:
    config = changed(ADOPTED, "organization.policies.tags.targets", ["root"])
    assert parse("management", config)
    config = changed(config, "organization.policyTypes", ["SERVICE_CONTROL_POLICY"])
    assert "add TAG_POLICY" in str(refused(config, "management"))


def test_only_accounts_that_exist_may_share_a_name() -> None:
    # https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateAccount.html: names need not be unique
    twins = {key: {"name": "Twin", "adopt": key[-1] * 12, "email": f"{key}@company.com"} for key in ("a2", "a3")}
    assert parse("management", ADOPTED | {"accounts": twins})
    new = {**twins, "a4": {"name": "Twin"}}
    assert "another account has this name" in str(refused(ADOPTED | {"accounts": new}, "management"))


def test_what_a_stack_asks_for_says_which_services_it_needs() -> None:
    assert needed_services(parse("management", ADOPTED)) == {"iam.amazonaws.com": "organization.centralizedRootAccess"}


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        # One account is one resource of one entry; two would be two owners of its name, unit and tags.
        (
            "accounts",
            {
                "a": {"adopt": "222222222222", "email": "a@company.com"},
                "b": {"adopt": "222222222222", "email": "b@company.com"},
            },
            "accounts.a.adopt adopts this account too",
        ),
        # https://docs.aws.amazon.com/organizations/latest/userguide/orgs_getting-started_concepts.html
        ("accounts", {"a": {"adopt": "111111111111", "email": "a@company.com"}}, "it is the management account"),
        # https://docs.aws.amazon.com/organizations/latest/APIReference/API_RegisterDelegatedAdministrator.html:
        # CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR
        (
            "organization.delegatedAdministrators",
            {"111111111111": {"services": ["config.amazonaws.com"]}},
            "only a member account can be a delegated administrator",
        ),
        (
            "organization.delegatedAdministrators",
            {"222222222222": {"services": ["config.amazonaws.com", "config.amazonaws.com"]}},
            "it is listed twice",
        ),
        ("organization.organizationalUnits", {"root/Below": {}, "Workloads": {}}, "root is the organization's root"),
        ("organization.organizationalUnits", {"222222222222": {}, "Workloads": {}}, "ids are units and accounts"),
        ("organization.serviceControlPolicies.stay.targets", ["Workloads", "Workloads"], "it is listed twice"),
    ],
)
def test_what_would_be_managed_twice_or_mean_something_else_is_refused(path: str, value: object, why: str) -> None:
    assert why in refused(changed(MANAGEMENT, path, value), "management").why


@pytest.mark.parametrize("value", [None, "Stage", ["Stage"]])
def test_an_account_that_is_no_mapping_is_told_what_to_write(value: object) -> None:
    refusal = refused(changed(MANAGEMENT, "accounts", {"stage": value}))
    assert refusal.why == "it has settings of its own, and this is none"
    assert "{} for none" in refusal.next_step
