"""What a stack's config may say. Limits are AWS's; the short names in comments stand for these pages:

CREATE_ACCOUNT https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateAccount.html
CREATE_OU https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateOrganizationalUnit.html
IAM_QUOTAS https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
CREATE_ROLE https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
ROLE_CHAINING https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining
PRINCIPAL https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
ASSUME_ROLE https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
CONTACT https://docs.aws.amazon.com/accounts/latest/APIReference/API_AlternateContact.html
REGIONS https://docs.aws.amazon.com/general/latest/gr/rande.html
RFC5321 https://www.rfc-editor.org/rfc/rfc5321 (mailbox syntax)
"""

import json
from copy import deepcopy
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic.alias_generators import to_camel

from twokeys.doors import Declaration
from twokeys.doors.documents import OWN_CONDITIONS, OwnCondition
from twokeys.errors import Refusal
from twokeys.settings import parse
from twokeys.settings.models import PrincipalName, all_units, asks_for_mfa, principal_of

TEXTS = [to_camel(name) for name in Declaration.model_fields if name != "expires"]
"""What people say of a door."""
END = datetime(2027, 2, 1, tzinfo=UTC)
DOOR: dict[str, Any] = {
    "from": {"role": "ci"},
    "to": {"role": "deployer"},
    "permissions": {"managedPolicies": ["arn:aws:iam::aws:policy/PowerUserAccess"]},
    "reason": "Deployments",
    "owner": "platform",
}
STAGE: dict[str, Any] = {
    "managementAccountId": "111111111111",
    "rootEmail": "example@company.com",
    "accounts": {"stage": {}},
    "doors": {"ci": DOOR},
}
DENY = {"Effect": "Deny", "Action": "organizations:LeaveOrganization", "Resource": "*"}
MANAGEMENT: dict[str, Any] = {
    "managementAccountId": "111111111111",
    "rootEmail": "example@company.com",
    "organization": {
        "organizationalUnits": {"Workloads/Stage": {}},
        "serviceControlPolicies": {
            "stay": {"targets": ["Workloads"], "document": {"Version": "2012-10-17", "Statement": [DENY]}}
        },
    },
    "people": {"users": ["alice"], "groups": {"developers": ["alice"]}, "roles": {"ci": {}}},
}


def changed(config: dict[str, Any], path: str, value: object, *, between: str = ".") -> dict[str, Any]:
    """The config with another value at a path; `between` stands between its keys."""
    copy = deepcopy(config)
    *parents, last = path.split(between)
    inner = copy
    for key in parents:
        inner = inner.setdefault(key, {})
    inner[last] = value
    return copy


def refused(config: dict[str, Any], stack: str = "stage") -> Refusal:
    with pytest.raises(Refusal) as caught:
        parse(stack, config)
    return caught.value


def test_a_reason_is_one_line_everywhere() -> None:
    said = parse("stage", STAGE | {"doors": {"ci": DOOR | {"reason": "Releases,\n  and\ttags\n"}}}).doors["ci"]
    assert said.declaration["reason"] == "Releases, and tags"


def test_a_key_that_pulumi_config_set_wrote_without_path_is_said_to_be_one() -> None:
    error = refused(STAGE | {"twokeys:doors.ci.mfa": "true", "aws:region": "us-east-1"})
    assert "2 settings" in error.what
    assert "`pulumi config set --path twokeys:doors.ci.mfa VALUE`" in error.why


@pytest.mark.parametrize("stack", ["management", "stage", "prod"])
def test_the_example_of_each_stack_is_accepted(stack: str, project_root: Path) -> None:
    config = yaml.safe_load((project_root / f"Pulumi.{stack}.yaml").read_text())["config"]
    settings = parse(stack, config)
    assert (settings.organization is not None) == (stack == "management")
    members = {"identity", "log-archive", "security"} if stack == "management" else {stack}
    assert set(settings.accounts) == members


@pytest.mark.parametrize("stack", ["management", "stage", "prod"])
def test_the_example_of_each_stack_is_bound_to_nobody_s_passphrase(stack: str, project_root: Path) -> None:
    # `pulumi stack init` writes a salt into the file: https://www.pulumi.com/docs/iac/concepts/secrets/
    assert set(yaml.safe_load((project_root / f"Pulumi.{stack}.yaml").read_text())) == {"config"}


def test_a_value_is_read_the_same_as_text_and_as_an_object() -> None:
    as_text = {f"twokeys:{key}": value if isinstance(value, str) else json.dumps(value) for key, value in STAGE.items()}
    assert parse("stage", as_text) == parse("stage", STAGE)


def test_what_pulumi_yaml_gives_as_an_empty_default_counts_as_not_set() -> None:
    empty = {"organization": {}, "people": {}, "tags": "{}", "managementStack": ""}
    settings = parse("stage", STAGE | empty)
    assert settings.organization is None
    assert settings.management_stack is None
    assert settings == parse("stage", STAGE)


def test_pulumi_s_own_keys_are_not_ours() -> None:
    assert parse("stage", STAGE | {"pulumi:disable-default-providers": '["aws"]'}) == parse("stage", STAGE)


def test_permissions_may_name_an_account_by_its_symbol() -> None:
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "arn:aws:iam::account:stage:role/next"}
    assert parse("stage", changed(STAGE, "doors.ci.permissions.statements", [statement]))


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        parse("stage", STAGE).region = "eu-west-1"  # type: ignore[misc]


def test_a_member_account_gets_a_plus_address_of_the_root_address() -> None:
    assert parse("stage", STAGE).email_of("stage") == "example+stage@company.com"


def test_a_contact_may_have_a_longer_address_than_an_account() -> None:
    # 254 characters: CONTACT
    contact = {"name": "n", "title": "t", "phone": "1", "email": f"{'a' * 60}@{'b' * 60}.com"}
    assert parse("stage", changed(STAGE, "accounts.stage.contacts.security", contact))


def test_a_member_account_may_have_an_address_of_its_own() -> None:
    settings = parse("stage", changed(STAGE, "accounts.stage.email", "stage@company.com"))
    assert settings.email_of("stage") == "stage@company.com"


def test_the_partition_follows_from_the_region() -> None:
    bare = {key: value for key, value in STAGE.items() if key != "doors"}
    assert [parse("stage", bare | {"region": region}).partition for region in ("eu-west-1", "cn-north-1")] == [
        "aws",
        "aws-cn",
    ]


REFUSED_VALUES = [
    ("organization", {"resourceControlPolicies": {}}, "no such setting"),
    ("doors.ci.mfa", True, "carries no MFA"),
    ("doors.ci.to.role", "aws-service-role/x.amazonaws.com/AWSServiceRoleForX", "AWS's own"),
    ("managementAccountId", "11111111111", "12 digits"),  # CREATE_ACCOUNT, ids of accounts
    ("managementAccountId", "1111111111111", "12 digits"),
    ("managementAccountId", "11111111111a", "12 digits"),
    ("managementAccountId", "\u0661" * 12, "12 digits"),  # digits, but not ASCII's
    ("rootEmail", "example", "not an e-mail address"),  # RFC5321
    ("rootEmail", "a@b.c", "6 to 64 characters"),  # CREATE_ACCOUNT
    ("rootEmail", "exa mple@company.com", "not an e-mail address"),
    ("rootEmail", "example@company..com", "not an e-mail address"),
    ("rootEmail", "exämple@company.com", "ASCII"),  # CREATE_ACCOUNT
    ("rootEmail", "a%b@company.com", "without"),
    ("rootEmail", "a&b@company.com", "without"),
    ("accounts.stage.adopt", 222222222222, "it takes text"),
    ("region", "us-east-9", "no AWS region"),  # REGIONS
    ("region", "aws-global", "no AWS region"),
    ("accounts.stage.name", "", "1 to 50"),  # CREATE_ACCOUNT
    ("accounts.stage.name", "x" * 51, "1 to 50"),
    ("accounts.stage.name", "Büro", "1 to 50"),
    ("accounts.stage.adopt", "123", "12 digits"),
    ("accounts.stage.access.role", "a b", "1 to 64"),  # CREATE_ROLE
    ("accounts.stage.access.externalId", "x", "2 to 1224"),  # ASSUME_ROLE
    ("accounts.stage.access.sessionSeconds", 899, "lasts 900 to 43200 seconds"),  # ASSUME_ROLE
    ("accounts.stage.organizationalUnit", "a/b/c/d/e/f", "at most 5 deep"),  # IAM_QUOTAS
    ("accounts.stage.organizationalUnit", "a//b", "1 to 128"),  # CREATE_OU
    ("accounts.stage.organizationalUnit", "x" * 129, "1 to 128"),
    (
        "accounts.stage.contacts.security",
        {"name": "n", "title": "t", "email": "a@b.co", "phone": "x"},
        "phone",
    ),  # CONTACT
    ("doors.ci.sessionSeconds", 3599, "lasts 3600 to 43200 seconds"),  # CREATE_ROLE
    ("doors.ci.sessionSeconds", 3601, "role chaining"),  # ROLE_CHAINING
    ("doors.ci.externalId", "has space", "2 to 1224"),
    ("doors.ci.permissions.managedPolicies", ["ReadOnlyAccess"], "by its ARN"),
    ("doors.ci.permissions.boundary", "arn:aws:iam::aws:role/x", "by its ARN"),
    ("doors.ci.permissions", {}, "may do nothing"),
    ("doors.ci.to.role", "OrganizationAccountAccessRole", "own access role"),
    ("doors.ci.to.role", "/deployer", "path"),
    ("doors.ci.to.account", "prod", "accounts of this stack: stage"),
    ("doors.ci.from", {"role": "ci", "user": "alice"}, "exactly one source"),
    ("doors.ci.from", {}, "exactly one source"),
    ("doors.ci.from", {"role": "ci", "members": ["alice"]}, "only a group"),  # PRINCIPAL
    ("doors.ci.from", {"group": "developers", "members": []}, "name somebody"),
    ("doors.ci.from", {"root": True}, "whoever gets the grant"),
    ("doors.ci.from", {"root": True, "grantTo": {}}, "exactly one source"),
    ("doors.ci.from", {"role": "ci", "grantTo": {"role": "ci"}}, "to the role itself"),
    ("doors.ci.conditions", {"Bool": {"aws:MultiFactorAuthPresent": "true"}}, "has a setting of its own"),
    ("doors.ci.conditions", {"StringEquals": {"sts:externalid": "x"}}, "has a setting of its own"),
    (
        "doors.ci",
        DOOR | {"expires": "2027-01-31", "conditions": {"DateLessThan": {"aws:CurrentTime": "2026-12-01"}}},
        "has a setting of its own",
    ),
    ("doors.ci.keys", ["trust", "trust"], "listed twice"),
    ("doors.ci.from", {"group": "developers", "members": ["alice", "Alice"]}, "alice is the same name"),
    ("doors.ci.expires", "2027-02-30", "not a day"),
    ("doors.ci.expires", "2027-01-31T15:00", "with its time zone"),
    ("doors.ci.reason", " ", "it is empty"),
    ("doors.ci.reason", "x" * 1001, "at most 1000 characters, not 1001"),
    ("doors.ci.reason", "Caf\u00e9 \u5b89\u5168", "character 6, \u5b89 (U+5B89), is none"),  # CREATE_ROLE
    ("doors.ci.reason", "a\x07", "character 2, U+0007, is none"),
    ("aws:region", "eu-west-1", "default provider"),
    ("accounts", "{", "not JSON"),
]


@pytest.mark.parametrize(("key", "value", "why"), REFUSED_VALUES)
def test_a_value_that_aws_would_refuse_is_refused_with_its_key_and_value(key: str, value: object, why: str) -> None:
    refusal = refused(changed(STAGE, key, value) if ":" not in key else STAGE | {key: value})
    full = key if ":" in key else f"twokeys:{key}"
    assert full in refusal.what
    assert why in refusal.why
    assert "stack stage" in refusal.where
    assert refusal.next_step


ACCEPTED_VALUES = [
    ("rootEmail", f"{'a' * 40}@company.com"),
    ("accounts.stage.name", "x" * 50),
    ("accounts.stage.access.externalId", "ab"),
    ("accounts.stage.organizationalUnit", "a/b/c/d/e"),
    ("accounts.stage.organizationalUnit", "ou-ab12-cd345678"),
    ("doors.ci.to.role", "deploy/team/deployer"),
    ("doors.ci.permissions.boundary", "arn:aws:iam::222222222222:policy/team/limits"),
]


@pytest.mark.parametrize(("key", "value"), ACCEPTED_VALUES)
def test_a_value_at_aws_s_limit_is_accepted(key: str, value: object) -> None:
    assert parse("stage", changed(STAGE, key, value))


@pytest.mark.parametrize("key", ["managementAccountId", "rootEmail"])
def test_what_every_stack_needs_is_asked_for(key: str) -> None:
    refusal = refused({name: value for name, value in STAGE.items() if name != key})
    assert refusal.what == f"twokeys:{key} = (missing)"
    assert refusal.why == "it is required"


@pytest.mark.parametrize(
    ("key", "value", "why", "next_step"),
    [
        ("doors.ci.mfa", "banana", "it takes true or false", "write true or false"),
        ("doors.ci.sessionSeconds", "soon", "it takes a whole number", "write one"),
        ("doors.ci.reason", "a \u2014 b", "character 3, \u2014 (U+2014)", "write - in its place"),
        ("doors.ci.reason", None, "it takes text", "write it as text"),
        ("doors.ci.expires", "90d", "not a day", "write the last day as in"),
        ("doors.ci.conditions", {"<nil>": {"aws:X": "true"}}, "reads the operator Null", 'write "Null"'),
        (
            "doors.ci.conditions",
            {"DateLessThan": {"aws:CurrentTime": "2027-02-01 00:00:00 +0000 UTC"}},
            "is not a date",
            'write it as in "2027-01-31T00:00:00Z", in quotes',
        ),
        (
            "doors.ci.conditions",
            {"StringEquals": {"PrincipalOrgID": "o-a1b2c3d4e5"}},
            "names no service",
            "write aws:PrincipalOrgID",
        ),
        ("doors.ci.externalId", 12345, "it takes text", "write it as text, in quotes"),
        ("doors.ci.from", "ci", "it has settings", "write `key: value` lines below it"),
        ("doors.ci.from", {"role": "arn:aws:iam::111111111111:role/ci"}, "by its name", "write ci"),
        ("doors.ci.keys", "trust, grant", "it takes a list", "write a list, as in [one, two]"),
        ("doors.ci.conditions", {"aws:SourceIp": "192.0.2.7"}, "is an operator", "write it as in {IpAddress"),
        (
            "doors.ci.permissions.managedPolicies",
            ["PowerUserAcess"],
            "by its ARN",
            "write arn:aws:iam::aws:policy/PowerUserAccess",
        ),
        (
            "doors.ci.permissions.statements",
            [{"effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}],
            "'effect' is not an element",
            "write Effect, if that is meant",
        ),
        ("managementAccountId", 111111111111, "it takes text", "write it as text, in quotes"),
        ("accounts.stage.organizationalUnit", "/Workloads/Stage", "begins and ends with", "write Workloads/Stage"),
        ("accounts.stage.budget", {"monthly": "much", "notify": ["a@b.co"]}, "takes a number", "write one"),
        ("people", {"users": {"alice": {"a": 1}}}, "it takes a list", "write a list, as in"),
        ("organization", {"centralizedRootAccess": "yes please"}, "true, false or 'adopt'", "write one of these"),
        ("organization", {"trustedServices": ["cloudtrial"]}, "service principal", "write cloudtrail.amazonaws.com"),
        (
            "organization",
            {"trustedServices": ["https://IAM.amazonaws.com"]},
            "in lower case",
            "write iam.amazonaws.com",
        ),
        ("doors.ci.sessionSeconds", 3600.5, "it takes a whole number", "write one"),
        ("doors.ci.sessionSeconds", "1" * 5000, "it takes a whole number", "write one"),
        *((f"doors.ci.{key}", "", "it is empty", "write what is meant") for key in TEXTS),
        ("doors.ci.owner", "x" * 201, "it takes at most 200 characters", "write fewer"),
        ("doors.ci.owner", " ", "it is empty", "write what is meant"),
        ("accounts.stage.budget", {"monthly": True, "notify": ["a@example.com"]}, "it takes a number", "write one"),
        ("doors.ci.keys", [], "it is empty", "write what is meant"),
        ("doors.ci.expires", None, "nothing stands after its colon", "write what is meant, or leave the key"),
        ("account", {}, "there is no such setting", "write accounts, if that is meant, or remove it"),
        (
            "doors.ci.from",
            {"role": "ci", "account": "222222222222"},
            "third party",
            "add `keys: [trust]` and an `externalId`",
        ),
        ("doors.ci.permissions.statements", [{}], "Statement[0]: the statement has no Effect", "correct it"),
        ("doors.ci.keys", ["trusts"], "it takes 'trust' or 'grant'", "write trust, if that is meant, or wr"),
        ("doors.ci.keys", ["both"], "it takes 'trust' or 'grant'", "write one of these"),
        ("doors.ci.conditions", {"Bool": {}}, "Bool lists no value", "list a value"),
        ("doors.ci.conditions", {"Bool": {"aws:X": {}}}, "a condition compares with text, a number", "wri"),
        ("doors.ci.to.account", "stag", "accounts of this stack: stage", "write stage, if that is meant, o"),
        ("accounts.stage.budget", {"monthly": "1e400", "notify": ["a@b.co"]}, "not one without end", "write less"),
        ("accounts.stage.budget", {"monthly": 0, "notify": ["a@b.co"]}, "it takes more than 0", "write more"),
        ("accountsAtOnce", 51, "it takes 50 or less", "write that or less"),
        ("region", "us-esat-1", "no AWS region has this name", "write us-east-1, if that is meant, or give a region"),
        (
            "doors.ci.conditions",
            {"ForAnyValue:IpAdress": {"aws:SourceIp": "192.0.2.0/24"}},
            "'ForAnyValue:IpAdress' is not a condition operator",
            "write ForAnyValue:IpAddress, if that is meant, or correct it",
        ),
        (
            "doors.ci.permissions",
            {"statements": [{"Effect": "allow", "Action": "s3:GetObject", "Resource": "*"}]},
            "Statement[0].Effect: 'allow' is not an effect",
            "write Allow, if that is meant, or correct it",
        ),
        ("region", "us-east-11", "no AWS region has this name", "write us-east-1, if that is meant, or give a region"),
        ("twokey:region", "us-east-1", "default provider", "write twokeys:region, if that is meant, or remove it"),
    ],
)
def test_a_refusal_says_in_plain_words_what_a_setting_takes(key: str, value: object, why: str, next_step: str) -> None:
    refusal = refused(changed(STAGE, key, value))
    assert why in refusal.why
    assert refusal.next_step.startswith(next_step)


def test_a_member_who_is_not_in_the_group_is_refused_with_those_who_are() -> None:
    config = changed(MANAGEMENT, "people.users", ["alice", "bob"]) | {"accounts": {"stage": {}}}
    config |= {"doors": {"d": DOOR | {"from": {"group": "developers", "members": ["alice", "bob"]}}}}
    refusal = refused(config, "management")
    assert refusal.what == "twokeys:doors.d.from.members = bob"
    assert "bob is not in people.groups.developers" in refusal.why
    assert refusal.next_step == "write members: [alice], or add bob to people.groups.developers"
    assert parse("management", changed(config, "people.groups", {"developers": ["bob", "alice"]}))


def test_a_field_that_becomes_a_condition_is_checked_as_conditions_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_IPAddress"""
    monkeypatch.setitem(OWN_CONDITIONS, "owner", OwnCondition("IpAddress", "acme:Owner", str))
    refusal = refused(changed(STAGE, "doors.ci.owner", "nonsense"))
    assert refusal.what == "twokeys:doors.ci.owner = nonsense"
    assert "'nonsense' is not an IP address" in refusal.why
    doors = changed(STAGE, "doors.ci.owner", "203.0.113.0/24")
    assert parse("stage", doors)
    twice = changed(doors, "doors.ci.conditions", {"IpAddress": {"acme:owner": "203.0.113.7"}})
    assert refused(twice).next_step == "say it as `owner` alone"
    monkeypatch.setitem(OWN_CONDITIONS, "external_id", OwnCondition("IpAddress", "acme:Id", str, or_in_conditions=True))
    assert parse("stage", changed(doors, "doors.ci.conditions", {"IpAddress": {"acme:Id": "10.0.0.7"}}))


def test_numbers_and_truth_values_of_conditions_are_text_to_iam() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html (condition_value)"""
    given = {"NumericLessThan": {"aws:MultiFactorAuthAge": 3600}, "Bool": {"aws:SecureTransport": [True]}}
    conditions = parse("stage", changed(STAGE, "doors.ci.conditions", given)).doors["ci"].conditions
    assert conditions == {
        "NumericLessThan": {"aws:MultiFactorAuthAge": "3600"},
        "Bool": {"aws:SecureTransport": ["true"]},
    }


def test_all_wrong_values_are_told_at_once() -> None:
    wrong = changed(changed(STAGE, "rootEmail", "x"), "accounts.stage.name", "")
    refusal = refused(wrong | {"regoin": "us-east-1"})
    assert refusal.what == "3 settings cannot be used"
    assert not [line for line in str(refusal).split("\n") if line.endswith(" ")]
    assert str(refusal).count("Next step:") == 1
    assert all(f"twokeys:{key} = " in refusal.why for key in ("rootEmail", "accounts.stage.name", "regoin"))
    assert "Pulumi.stage.yaml" in refusal.next_step


def test_a_misspelt_key_is_one_problem_and_not_also_the_key_that_is_missing() -> None:
    door = {("ownr" if key == "owner" else key): value for key, value in DOOR.items()}
    refusal = refused(changed(STAGE, "doors.ci", door))
    assert refusal.what == "twokeys:doors.ci.ownr = platform"
    assert "write owner" in refusal.next_step


def test_a_long_object_is_shown_by_its_keys_and_not_cut_off() -> None:
    refusal = refused(changed(STAGE, "door", DOOR))
    assert refusal.what == "twokeys:door = (an object with from, to, permissions, reason, owner)"


def members(**accounts: dict[str, Any]) -> dict[str, Any]:
    """Stage with these accounts and no door."""
    return STAGE | {"accounts": accounts, "doors": {}}


TO_DEVELOPERS = {"accounts": {"stage": {}}, "doors": {"d": DOOR | {"from": {"group": "developers"}}}}
SCP, MANAGED = "organization.serviceControlPolicies.stay", "doors.ci.permissions.managedPolicies"


@pytest.mark.parametrize(
    ("config", "what", "why", "next_step"),
    [
        (members(one={"email": "Team@company.com"}, two={"email": "team@company.com"}),
         "accounts.two.email = team@company.com", "accounts.one.email", ""),
        (changed(STAGE, "accounts.stage.email", "EXAMPLE@company.com"), "", "rootEmail", ""),
        (changed(STAGE, "rootEmail", f"{'a' * 50}@company.com"), "twokeys:accounts.stage.email", "6 to 64", ""),
        (members(one={"name": "same"}, two={"name": "same"}), "2 settings", "accounts.one.name", ""),
        (members(management={}), "", "management account", ""),
        (MANAGEMENT | {"accounts": {"log": {"organizationalUnit": "Security"}}}, "", "no organizational unit", ""),
        (MANAGEMENT | {"accounts": {"log": {"organizationalUnit": "Root"}}}, "", "", "at the organization's root"),
        (MANAGEMENT | {"organization": {"create": False, "policyTypes": []}},
         "twokeys:organization.policyTypes", "", ""),
        (MANAGEMENT | {"organization": {"create": False, "trustedServices": []}},
         "twokeys:organization.trustedServices", "", ""),
        (changed(MANAGEMENT, "organization.policyTypes", ["TAG_POLICY"]), "", "", "SERVICE_CONTROL_POLICY"),
        (changed(MANAGEMENT, f"{SCP}.document", {"Version": "2012-10-17"}), "", "Statement", ""),
        (changed(MANAGEMENT, f"{SCP}.targets", ["Workloads/Prod"]), "", "no organizational unit", ""),
        (STAGE | {"people": {"users": ["alice"]}}, "", "", "management stack"),
        (changed(MANAGEMENT, "people.groups.developers", ["alice", "mallory"]), "", "no user", ""),
        (changed(MANAGEMENT, "people.users", ["alice", "Alice"]), "", "alice is the same name to AWS", ""),
        (changed(MANAGEMENT, "people.groups.developers", []) | TO_DEVELOPERS, "", "nobody is in this group", ""),
        (changed(STAGE, "doors.ci.from", {"role": "*"}), "", "", "`*` is not allowed, name one"),
        # A path has at most 512 characters with both its slashes, of which one is written: CREATE_ROLE
        (changed(STAGE, "doors.ci.to.role", "/team/temp"),
         "", "a path of at most 511 characters, as in deploy/ci", "without a slash in front"),
        (STAGE | {"accounts": {"one": {}, "two": {}}}, "", "one, two", "name the account"),
        (changed(STAGE, "doors.ci.keys", ["grant"]),
         "twokeys:doors.ci.permissions", "makes no role here", ""),
        (changed(STAGE, MANAGED, ["arn:aws:iam::aws:policy/ReadOnlyAccess"] * 2), "", "listed twice", ""),
        # Role names are unique in an account whatever their path and case: CREATE_ROLE
        (STAGE | {"doors": {"one": DOOR, "two": DOOR | {"to": {"role": "other/Deployer"}}}},
         "", "doors.one makes this role", ""),
    ],
)  # fmt: skip
def test_values_that_do_not_go_together_are_refused(
    config: dict[str, Any], what: str, why: str, next_step: str
) -> None:
    refusal = refused(config)
    assert what in refusal.what
    assert why in refusal.why
    assert next_step in refusal.next_step


ADOPTED, UNITS = "123456789012", "organization.organizationalUnits"
TWO_DOORS = {"one": DOOR, "two": DOOR | {"to": {"role": "deployer"}, "from": {"role": "cd"}}}


@pytest.mark.parametrize(
    ("config", "next_step", "path", "value"),
    [
        (members(one={"adopt": "111111111111"}), "remove this account's entry", "accounts", {"stage": {}}),
        (members(one={"adopt": ADOPTED}, two={"adopt": ADOPTED}), "keep one of the two", "accounts.two", {}),
        (changed(MANAGEMENT, UNITS, {"Workloads": {"id": "ou-ab12-cd345678"}, "More": {"id": "ou-ab12-cd345678"}}),
         "give each unit its own", f"{UNITS}.More", {"id": "ou-ab12-ef345678"}),
        (changed(MANAGEMENT, "people.users", ["alice", "Alice"]), "name one of them differently", "people.users",
         ["alice", "alice2"]),
        (changed(STAGE, "doors.ci.mfa", value=True), "leave it out, and ask for MFA where people enter that role",
         "doors.ci", DOOR),
        (changed(STAGE, MANAGED, ["arn:aws:iam::aws:policy/ReadOnlyAccess"] * 2), "list it once", MANAGED,
         ["arn:aws:iam::aws:policy/ReadOnlyAccess"]),
        (changed(STAGE, "doors.ci.to.account", "prod"), "add it to `accounts` of this stack", "accounts.prod", {}),
        (changed(STAGE, "doors.ci.keys", ["grant"]), "write keys: [trust, grant]", "doors.ci.keys",
         ["trust", "grant"]),
        (STAGE | {"doors": TWO_DOORS}, "give each door a role of its own", "doors.two.to.role", "other"),
    ],
)  # fmt: skip
def test_whoever_takes_the_next_step_of_a_refused_config_is_rid_of_it(
    config: dict[str, Any], next_step: str, path: str, value: object
) -> None:
    stack = "management" if "organization" in config else "stage"
    assert next_step in refused(config, stack).next_step
    assert parse(stack, changed(config, path, value))


def test_two_doors_that_make_one_grant_are_refused() -> None:
    grant = {key: value for key, value in DOOR.items() if key != "permissions"} | {"keys": ["grant"]}
    assert "doors.one makes this grant" in refused(STAGE | {"doors": {"one": grant, "two": grant}}).why
    other = grant | {"from": {"role": "other"}}
    assert parse("stage", STAGE | {"doors": {"one": grant, "two": other}})


def test_an_organizational_unit_that_exists_implies_no_parents() -> None:
    units = {"a/b": {"id": "ou-ab12-cd345678"}, "a/b/c": {}}
    settings = parse("management", MANAGEMENT | {"organization": {"organizationalUnits": units}})
    assert settings.organization is not None
    assert all_units(settings.organization) == ("a/b", "a/b/c")


@pytest.mark.parametrize("target", ["root", "Workloads", "Workloads/Stage"])
def test_a_guard_rail_may_stand_at_the_root_and_at_an_implied_parent(target: str) -> None:
    assert parse("management", changed(MANAGEMENT, "organization.serviceControlPolicies.stay.targets", [target]))


def test_parents_of_organizational_units_are_implied_and_come_first() -> None:
    settings = parse("management", MANAGEMENT | {"organization": {"organizationalUnits": {"a/b/c": {}, "d": {}}}})
    assert settings.organization is not None
    assert all_units(settings.organization) == ("a", "d", "a/b", "a/b/c")


@pytest.mark.parametrize(
    ("written", "end"),
    [
        ("2027-01-31", END),
        # The Pulumi CLI hands an unquoted YAML date on in this form (seen with version 3.260).
        ("2027-01-31 00:00:00 +0000 UTC", END),
        (date(2027, 1, 31), END),
        ("2027-01-31T15:00Z", datetime(2027, 1, 31, 15, tzinfo=UTC)),
        ("2027-01-31T15:00+02:00", datetime(2027, 1, 31, 13, tzinfo=UTC)),
        ("2027-01-31 15:00:00 +0000 UTC", datetime(2027, 1, 31, 15, tzinfo=UTC)),
    ],
)
def test_the_end_of_a_door_is_a_day_in_utc_or_a_moment(written: object, end: datetime) -> None:
    assert parse("stage", changed(STAGE, "doors.ci.expires", written)).doors["ci"].expires == end


@pytest.mark.parametrize(
    ("source", "mfa"),
    [
        ({"role": "ci"}, False),
        ({"user": "alice"}, True),
        ({"group": "developers"}, True),
        ({"root": True, "grantTo": {"group": "developers"}}, True),
        ({"root": True, "grantTo": {"role": "ci"}}, False),
    ],
)
def test_people_are_asked_for_mfa_and_roles_are_not(source: dict[str, object], mfa: bool) -> None:
    door = parse("stage", changed(STAGE, "doors.ci.from", source)).doors["ci"]
    assert asks_for_mfa(door) is mfa


def test_mfa_is_as_the_door_says_when_it_says() -> None:
    config = changed(changed(STAGE, "doors.ci.from", {"user": "alice"}), "doors.ci.mfa", False)
    assert asks_for_mfa(parse("stage", config).doors["ci"]) is False


def test_who_comes_is_a_kind_and_a_name() -> None:
    door = parse("stage", STAGE).doors["ci"]
    assert principal_of(door.source) == PrincipalName("role", "ci")


@pytest.mark.parametrize("path", ["tags", "accounts.stage.tags"])
@pytest.mark.parametrize("key", ["aws:cloudformation:stack-name", "AWS:x"])
def test_a_tag_that_only_aws_can_set_is_refused(path: str, key: str) -> None:
    # https://docs.aws.amazon.com/tag-editor/latest/userguide/tagging.html: keys that begin with aws: are reserved
    refusal = refused(changed(STAGE, path, {key: "x"}))
    assert "tags that begin with aws:" in refusal.why
    assert key in refusal.what
