"""What config says of an organization that exists already.

Ids: https://docs.aws.amazon.com/organizations/latest/APIReference/API_Organization.html, API_OrganizationalUnit.html,
API_PolicySummary.html. SCP: a policy is attached only while its type is enabled,
https://docs.aws.amazon.com/organizations/latest/userguide/enable-policy-type.html
"""

import json
from typing import Any

import pytest

from tests.test_settings import DENY, MANAGEMENT, changed, refused
from twokeys.settings import parse
from twokeys.settings.organization_wide import needed_services

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
        ("policies.tags.type", "NO_POLICY", "it takes 'SERVICE_CONTROL_POLICY', "),
        ("policies.tags.document", {}, "it is empty"),
        ("policies.tags.document", {"a": "x" * 10_240}, "has at most 10000 characters"),
        ("delegatedAdministrators.222222222222.adopt", ["b.amazonaws.com"], "it is not among the services"),
        ("delegatedAdministrators.222222222222.services", [], "it is empty"),
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


def several(count: int, kind: str, document: dict[str, object], **more: object) -> dict[str, object]:
    policies = {f"p{number}": {"type": kind, "targets": ["root"], "document": document} for number in range(count)}
    return {"policyTypes": [kind], "policies": policies, **more}


def guard_rails_at_the_root(count: int, **more: object) -> dict[str, object]:
    document = {"Version": "2012-10-17", "Statement": [DENY]}
    policies = {f"p{number}": {"targets": ["root"], "document": document} for number in range(count)}
    return {"serviceControlPolicies": policies, **more}


def denying(size: int, **more: str) -> dict[str, object]:
    """A control policy of so many characters."""
    statement = {"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::", **more}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    statement["Resource"] += "b" * (size - len(json.dumps(document, separators=(",", ":"))))
    return document


EXISTING = {"adopt": "o-a1b2c3d4e5"}


@pytest.mark.parametrize(
    ("fits", "beyond"),
    [
        # https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html: maximum size of a
        # policy document, and number of policies that you can attach to an entity
        (
            several(1, "RESOURCE_CONTROL_POLICY", denying(5_120, Principal="*")),
            several(1, "RESOURCE_CONTROL_POLICY", denying(5_121, Principal="*")),
        ),
        (
            several(1, "AISERVICES_OPT_OUT_POLICY", {"a": "x" * 2_492}),
            several(1, "AISERVICES_OPT_OUT_POLICY", {"a": "x" * 2_493}),
        ),
        (several(1, "TAG_POLICY", {"a": "x" * 9_992}), several(1, "TAG_POLICY", {"a": "x" * 9_993})),
        (several(10, "TAG_POLICY", {"a": 1}), several(11, "TAG_POLICY", {"a": 1})),
        (several(5, "CHATBOT_POLICY", {"a": 1}), several(6, "CHATBOT_POLICY", {"a": 1})),
        # RCPFullAWSAccess cannot be detached and counts; FullAWSAccess is attached to whatever is made
        (
            several(4, "RESOURCE_CONTROL_POLICY", denying(200, Principal="*")),
            several(5, "RESOURCE_CONTROL_POLICY", denying(200, Principal="*")),
        ),
        (
            {"serviceControlPolicies": {"p": {"targets": [], "document": denying(10_240)}}},
            {"serviceControlPolicies": {"p": {"targets": [], "document": denying(10_241)}}},
        ),
        (guard_rails_at_the_root(9), guard_rails_at_the_root(10)),
        (guard_rails_at_the_root(10, **EXISTING), guard_rails_at_the_root(11, **EXISTING)),
        (
            guard_rails_at_the_root(8, guardRails={"root": ["stay-in-organization"]}),
            guard_rails_at_the_root(9, guardRails={"root": ["stay-in-organization"]}),
        ),
    ],
)
def test_what_aws_takes_of_policies_is_taken_and_no_more(fits: dict[str, object], beyond: dict[str, object]) -> None:
    assert parse("management", MANAGEMENT | {"organization": fits})
    assert "orgs_reference_limits" in refused(MANAGEMENT | {"organization": beyond}, "management").why


def test_two_policies_of_one_type_and_name_are_refused() -> None:
    # DuplicatePolicyException: https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreatePolicy.html
    organization = guard_rails_at_the_root(2)
    organization["serviceControlPolicies"]["p1"]["name"] = "p0"  # type: ignore[index]
    assert "a policy of this type and name" in refused(MANAGEMENT | {"organization": organization}, "management").why


def test_two_attachments_that_would_be_called_alike_are_refused() -> None:
    document = {"Version": "2012-10-17", "Statement": [DENY]}
    policies = {"p": {"targets": ["a-b"], "document": document}, "p-a": {"targets": ["b"], "document": document}}
    organization = {"organizationalUnits": {"a-b": {}, "b": {}}, "serviceControlPolicies": policies}
    assert "choose another key" in refused(MANAGEMENT | {"organization": organization}, "management").next_step
