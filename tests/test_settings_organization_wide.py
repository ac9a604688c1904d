"""What config may say of guard rails, audit, bill, baseline, emergencies and IAM Identity Center.

Limits are AWS's:
SCP https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
TRUSTED https://docs.aws.amazon.com/organizations/latest/userguide/orgs_integrate_services_list.html
ALIAS https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccountAlias.html
BUCKET https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
PERMISSION_SET https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_CreatePermissionSet.html
"""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.test_settings import DOOR, MANAGEMENT, STAGE, changed, refused
from twokeys.settings import parse
from twokeys.settings.organization_wide import guard_rail_surroundings

PERSON = {"givenName": "Alice", "familyName": "Example", "email": "alice@company.com"}


@pytest.fixture
def management(project_root: Path) -> dict[str, Any]:
    """The example, which uses all of it."""
    config = yaml.safe_load((project_root / "Pulumi.management.yaml").read_text())["config"]
    return {key.removeprefix("twokeys:"): value for key, value in config.items()}


def test_a_misspelt_user_is_refused_with_the_account_that_is_not_there(management: dict[str, Any]) -> None:
    door = DOOR | {"from": {"user": "alise"}, "to": {"account": "stge", "role": "a"}}
    why = refused(changed(management, "doors.typo", door), "management").why
    assert "doors.typo.to.account = stge" in why
    assert "doors.typo.from = alise: no user of `people` has this name" in why


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("organization.guardRails", {"Elsewhere": ["no-root-user"]}, "no organizational unit of this stack"),
        ("organization.guardRails", {"root": ["no-leaving"]}, "stay-in-organization"),
        ("organization.policyTypes", ["TAG_POLICY"], "this policy type is off"),
        ("organization.policyTypes", ["SERVICE_CONTROL_POLICY"], "tag policy cannot be attached"),
        ("organization.allowedRegions", ["eu-central-1"], "would forbid the region that the providers work in"),
        ("organization.guardRails", {"root": ["no-root-user"]}, "no target has the guard rail allowed-regions"),
        ("organization.accessRoles", ["Access"], "do not know this access role"),
        # TRUSTED
        ("organization.trustedServices", [], "works across accounts only with trusted access"),
        ("audit.account", "archive", "accounts of this stack: identity, log-archive, security"),
        (
            "audit.delegatedAdministrators",
            {"nobody": ["config"]},
            "accounts of this stack: identity, log-archive, security",
        ),
        (
            "audit.delegatedAdministrators",
            {"security": ["config"], "log-archive": ["config"]},
            "security looks after it already",
        ),
        ("audit.delegatedAdministrators", {"security": ["macie"]}, "guardduty"),
        ("audit.retention", {"keepDays": 100, "lockedDays": 365}, "so they cannot be archived"),
        ("audit.retention", {"keepDays": 365, "lockedDays": 365}, "so they cannot be archived"),
        # BUCKET
        ("audit.bucket", "Company_Logs", "a bucket's name has 3 to 63"),
        ("audit.trail", "-trail", "a trail's name has 3 to 128"),
        ("bill.tags", {"team": {}}, "would not have this tag"),
        ("bill.tags", {"environment": {"values": ["prod"]}}, "own value of the tag is 'shared'"),
        ("bill.tags", {"environment": {"enforcedFor": ["bucket"]}}, "service:type"),
        ("bill.tagTargets", ["Elsewhere"], "no organizational unit of this stack"),
        ("bill.anomalies.notify", ["nobody"], "not an e-mail address"),
        ("people.account", "nobody", "there are: identity, log-archive, security"),
        ("accounts.identity.state", "quarantined", "people live in an active account"),
        ("accounts.identity.access", {"enter": False}, "an active account of this stack that it enters"),
        ("people.breakGlass.users", ["emergency-1", "emergency-1"], "listed twice"),
        ("people.users", ["alice", "emergency-1"], "these live in the management account"),
        ("people.identityCenter", {"users": {"alice": PERSON}}, "sso.amazonaws.com"),
        ("people.identityCenter", {"groups": {"developers": ["alice"]}}, "add the user to people.identityCenter.users"),
    ],
)
def test_what_cannot_stand_is_refused(management: dict[str, Any], key: str, value: object, why: str) -> None:
    assert why in str(refused(changed(management, key, value), "management"))


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("people.breakGlass.users", ["carol"], "no user has this name"),
        ("people.breakGlass.role", "ci", "people.roles has a role of this name"),
    ],
)
def test_the_users_for_emergencies_are_people_of_the_management_account_or_are_made_for_it(
    management: dict[str, Any], key: str, value: object, why: str
) -> None:
    # https://docs.aws.amazon.com/whitepapers/latest/organizing-your-aws-environment/break-glass-access.html
    assert parse("management", changed(management, key, value)), "people live in another account"
    beside = changed(management, "people.breakGlass.users", ["alice"])
    del beside["people"]["account"]
    assert parse("management", beside)
    assert why in str(refused(changed(beside, key, value), "management"))


@pytest.mark.parametrize(("name", "taken"), [
    ("ab", False), ("abc", True), ("a-b", True), ("a" * 128, True), ("a" * 129, False), ("a" + "-b" * 64, False),
    ("ab" + "-b" * 63, True), ("a--b", False), ("a._b", False), ("192.168.5.4", False), ("192.168.5", True),
])  # fmt: skip
def test_a_trail_has_a_name_that_cloudtrail_takes(management: dict[str, Any], name: str, taken: bool) -> None:
    """https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-trail-naming-requirements.html"""
    config = changed(management, "audit.trail", name)
    if not taken:
        assert "a trail's name has 3 to 128" in refused(config, "management").why
    else:
        assert parse("management", config).audit.trail == name


def test_too_many_guard_rails_for_one_policy_are_refused(management: dict[str, Any]) -> None:
    # SCP
    roles = [f"{'r' * 60}{number}" for number in range(60)] + ["OrganizationAccountAccessRole"]
    message = str(refused(changed(management, "organization.accessRoles", roles), "management"))
    assert "at most 10240 characters" in message


@pytest.mark.parametrize("key", ["audit", "bill"])
def test_what_is_for_the_whole_organization_belongs_to_its_stack(key: str, management: dict[str, Any]) -> None:
    assert "belongs to the stack that has `organization`" in str(refused(STAGE | {key: management[key]}))


def test_an_organization_that_is_only_looked_up_is_not_asked_for_trusted_services() -> None:
    organization = {"create": False, "centralizedRootAccess": True}
    assert parse("management", MANAGEMENT | {"organization": organization, "people": {}}).organization


def test_guard_rails_know_the_log_bucket_of_the_config(management: dict[str, Any]) -> None:
    settings = parse("management", changed(management, "audit.bucket", "company-logs"))
    assert settings.organization
    assert guard_rail_surroundings(settings, settings.organization).audit_bucket == "company-logs"


def test_an_account_s_baseline_extends_the_stack_s() -> None:
    config = STAGE | {
        "baseline": {"encryptEbs": True, "blockPublicS3": True},
        "accounts": {"stage": {"baseline": {"blockPublicS3": False, "alias": "company-stage"}}},
    }
    baseline = parse("stage", config).baseline_of("stage")
    assert (baseline.encrypt_ebs, baseline.block_public_s3, baseline.alias) == (True, False, "company-stage")


@pytest.mark.parametrize(
    "alias", ["ab", "Company", "company--stage", "-company", "123456789012", "a" * 64, "ab" + "-b" * 31]
)
def test_an_account_alias_is_one_that_aws_takes(alias: str) -> None:
    # ALIAS
    assert "accounts.stage.baseline.alias" in str(
        refused(STAGE | {"accounts": {"stage": {"baseline": {"alias": alias}}}})
    )


@pytest.mark.parametrize("alias", ["abc", "a-b", "company-stage", "1234567890123", "a" * 63, "a" + "-b" * 31])
def test_such_aliases_are_taken(alias: str) -> None:
    settings = parse("stage", STAGE | {"accounts": {"stage": {"baseline": {"alias": alias}}}})
    assert settings.baseline_of("stage").alias == alias


CENTER = DOOR | {"via": "identity-center", "from": {"group": "developers"}}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"from": {"role": "ci"}}, "IAM Identity Center is for people"),
        ({"from": {"group": "developers", "members": ["alice"]}}, "AWS makes the role of a permission set"),
        ({"mfa": False}, "doors.stage-developer.mfa"),
        ({"externalId": "abc"}, "doors.stage-developer.externalId"),
        ({"keys": ["trust"]}, "doors.stage-developer.keys"),
        # https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_AttachManagedPolicyToPermissionSet.html
        ({"permissions": {"managedPolicies": ["arn:aws:iam::222222222222:policy/p"]}}, "AWS's own policies only"),
        # PERMISSION_SET
        ({"to": {"role": "a-role-with-a-very-long-name-indeed"}}, "1 to 32 letters"),
        ({"to": {"role": "deploy/deployer"}}, "without a path"),
    ],
)
def test_what_a_permission_set_cannot_say_is_refused(changes: dict[str, Any], why: str) -> None:
    assert why in str(refused(STAGE | {"doors": {"stage-developer": CENTER | changes}}))


def test_a_group_of_identity_center_may_have_spaces_and_one_of_iam_may_not() -> None:
    """https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/API_CreateGroup.html
    https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateGroup.html"""
    of_center = {"users": {"alice": PERSON}, "groups": {"search team": ["alice"]}}
    organization = {"organization": {"trustedServices": ["sso.amazonaws.com"]}, "people": {"identityCenter": of_center}}
    door = {"from": {"group": "search team"}}
    assert parse("management", STAGE | organization | {"doors": {"stage-developer": CENTER | door}}).doors
    refusal = refused(STAGE | {"doors": {"stage-developer": DOOR | door}})
    assert "doors.stage-developer.from.group = search team" in refusal.what
    assert "the name of a group has 1 to 128 letters" in refusal.why


@pytest.mark.parametrize(
    ("people", "accepted"),
    [
        ({"identityCenter": {"users": {"alice": PERSON}, "groups": {"developers": ["alice"]}}}, True),
        ({"identityCenter": {"users": {"alice": PERSON}}}, False),
        ({"users": ["alice"], "groups": {"developers": ["alice"]}}, False),
    ],
)
def test_a_door_of_the_management_stack_starts_from_people_that_it_has(people: dict[str, Any], accepted: bool) -> None:
    config = STAGE | {
        "organization": {"trustedServices": ["sso.amazonaws.com"]},
        "people": people,
        "doors": {"stage-developer": CENTER},
    }
    if accepted:
        assert parse("management", config).doors
    else:
        assert "people.identityCenter of this stack has none" in str(refused(config, "management"))
