"""What config may say of grants for every account, and of doors into every account.

The inline policies of a user, a group and a role have at most 2,048, 5,120 and 10,240 characters together, white space
not counted: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""

import json
from typing import Any

import pytest

from tests.test_settings import DOOR, MANAGEMENT, STAGE, changed, refused
from twokeys.iam import INLINE_POLICY_SIZES
from twokeys.settings import parse
from twokeys.settings.grants import inline_characters
from twokeys.settings.models import PrincipalName

GRANT: dict[str, Any] = {"from": {"role": "ci"}, "to": {"role": "auditor"}, "reason": "The audit", "owner": "security"}
GRANTING = changed(MANAGEMENT, "organizationGrants", {"auditor": GRANT})
EVERYWHERE = {**DOOR, "to": {"account": "*", "role": "auditor"}}
ACCOUNTS: dict[str, Any] = {"one": {}, "two": {}}
WIDE = changed(changed(STAGE, "accounts", ACCOUNTS), "doors", {"auditor": EVERYWHERE})


def test_a_grant_for_the_organization_is_part_of_the_management_stack() -> None:
    for value in (GRANTING["organizationGrants"], json.dumps(GRANTING["organizationGrants"])):
        (grant,) = parse("management", {**GRANTING, "organizationGrants": value}).organization_grants.values()
        assert (grant.source.role, grant.target.role, grant.mfa) == ("ci", "auditor", None)


def test_a_grant_for_the_organization_is_refused_elsewhere() -> None:
    refusal = refused(changed(STAGE, "organizationGrants", {"auditor": GRANT}))
    assert "belong to the stack that has `organization`" in str(refusal)
    assert "management stack's config" in str(refusal)


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("from", {}, "exactly one source"),
        ("from", {"role": "ci", "user": "alice"}, "exactly one source"),
        ("from", {"root": True}, "no such setting"),
        ("from", {"user": "mallory"}, "no user of `people` has this name"),
        ("mfa", True, "carries no MFA"),
        ("to", {"role": "OrganizationAccountAccessRole"}, "would open every account"),
        ("to", {"role": "a/OrganizationAccountAccessRole"}, "would open every account"),
        ("to", {"role": "*"}, "as in deploy/ci"),
        ("to", {"role": "auditor", "account": "stage"}, "no such setting"),
        ("reason", "", "it is empty"),
        ("expires", "soon", "2027-01-31"),
        ("keys", ["trust"], "no such setting"),
    ],
)
def test_a_grant_that_says_what_it_cannot_is_refused(key: str, value: object, why: str) -> None:
    assert why in str(refused(changed(GRANTING, f"organizationGrants.auditor.{key}", value), "management"))


def test_an_access_role_of_another_name_is_not_granted_either() -> None:
    config = changed(GRANTING, "organization.accessRoles", ["auditor"])
    assert "would open every account" in str(refused(config, "management"))


def test_a_source_is_granted_a_role_once() -> None:
    twice = changed(GRANTING, "organizationGrants.again", {**GRANT, "to": {"role": "audit/Auditor"}})
    assert "organizationGrants.auditor grants this role to the same source" in str(refused(twice, "management"))
    other = changed(GRANTING, "organizationGrants.again", {**GRANT, "from": {"user": "alice"}})
    assert len(parse("management", other).organization_grants) == 2


def test_a_door_into_every_account_becomes_one_for_each_that_is_active() -> None:
    accounts = {
        **ACCOUNTS,
        "away": {"state": "quarantined", "organizationalUnit": "Workloads/Stage"},
        "gone": {"state": "closed", "adopt": "4" * 12},
    }
    settings = parse("stage", changed(WIDE, "accounts", accounts))
    assert list(settings.doors) == ["one-auditor", "two-auditor"]
    assert [door.target.account for door in settings.doors.values()] == ["one", "two"]
    assert {door.reason for door in settings.doors.values()} == {"Deployments"}


def test_a_stack_without_accounts_has_no_door_of_it() -> None:
    assert parse("prod-003", changed(WIDE, "accounts", {})).doors == {}


@pytest.mark.parametrize(
    ("doors", "why"),
    [
        ({"auditor": EVERYWHERE, "one-auditor": {**DOOR, "to": {"account": "one", "role": "x"}}}, "is called"),
        ({"auditor": EVERYWHERE, "a": {**DOOR, "to": {"account": "two", "role": "auditor"}}}, "makes this role"),
        ({"auditor": EVERYWHERE, "a": EVERYWHERE}, "makes this role"),
        ({"auditor": {**EVERYWHERE, "keys": ["trust"]}, "a": {**DOOR, "to": {"role": "x"}}}, "only a stack with one"),
        ({"auditor": changed(EVERYWHERE, "to.role", "OrganizationAccountAccessRole")}, "the access role of one, two"),
        ({"auditor": changed(EVERYWHERE, "to.account", "**")}, 'write "*" for all'),
    ],
)
def test_a_door_into_every_account_does_not_hide_what_clashes(doors: dict[str, Any], why: str) -> None:
    assert why in str(refused(changed(WIDE, "doors", doors)))


def test_names_of_doors_that_come_out_alike_are_refused() -> None:
    doors = {"b-c": EVERYWHERE, "c": changed(EVERYWHERE, "to.role", "other")}
    config = changed(changed(WIDE, "accounts", {"a": {}, "a-b": {}}), "doors", doors)
    assert "a-b-c" in str(refused(config))


@pytest.mark.parametrize("kind", ["role", "user", "group"])
def test_config_with_more_inline_grants_than_aws_takes_of_one_source_is_refused(kind: str) -> None:
    door = {**EVERYWHERE, "from": {kind: "audit/team"}}
    if kind == "group":
        door["from"]["members"] = ["alice"]

    def config(accounts: int) -> dict[str, Any]:
        named = {f"a{number}": {} for number in range(accounts)}
        return changed(changed(WIDE, "accounts", named), "doors", {"auditor": door})

    of_one = inline_characters(parse("stage", config(1)))
    assert list(of_one) == [("management", PrincipalName(kind, "team"))]  # type: ignore[arg-type] # the three kinds above
    most = INLINE_POLICY_SIZES[kind] // of_one["management", PrincipalName(kind, "team")]  # type: ignore[arg-type]
    assert len(parse("stage", config(most)).doors) == most
    refusal = str(refused(config(most + 1)))
    assert f"from {kind} team of management" in refusal
    assert f"AWS takes {INLINE_POLICY_SIZES[kind]} of a {kind}" in refusal
    assert "`organizationGrants` of the management stack, and keys: [trust]" in refusal
    assert len(parse("stage", changed(config(1000), "doors.auditor.keys", ["trust"])).doors) == 1000


def test_doors_through_identity_center_take_nothing_of_a_sources_policies() -> None:
    door = {**DOOR, "via": "identity-center", "from": {"group": "people"}, "to": {"account": "one", "role": "x"}}
    assert inline_characters(parse("stage", changed(WIDE, "doors", {"x": door}))) == {}
