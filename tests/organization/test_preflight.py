"""Each check on its own: one project and one organization in which all is well, and one change that is not.

What AWS does is cited in the docstrings of the checks (twokeys/organization/*_checks.py).
"""

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from tests.test_settings import changed as changed_at
from twokeys.organization.findings import CheckResult, Status
from twokeys.organization.model import Account, Caller, Live, Organization, Policy, Request, Unit
from twokeys.organization.plan import Fate, Plan, entrances, wanted
from twokeys.organization.preflight import Project, preflight
from twokeys.settings import parse

MANAGEMENT, SHOP, BANK = "111111111111", "222222222222", "333333333333"
DENY = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]}
BASE = {"managementAccountId": MANAGEMENT, "rootEmail": "example@company.com"}
MANAGING: dict[str, Any] = {
    **BASE,
    "organization": {
        "adopt": "o-a1b2c3d4e5",
        "organizationalUnits": {"Workloads": {"adopt": "ou-ab12-11111111"}, "Workloads/Prod": {}},
        "serviceControlPolicies": {
            "no-s3": {
                "adopt": "p-11111111",
                "targets": ["Workloads"],
                "attached": {"Workloads": "ou-ab12-11111111"},
                "document": DENY,
            }
        },
    },
}
NOT_ADOPTED = {key: value for key, value in MANAGING["organization"].items() if key != "adopt"}
PROD: dict[str, Any] = {
    **BASE,
    "accounts": {
        "shop": {"adopt": SHOP, "organizationalUnit": "Workloads"},
        "new": {"organizationalUnit": "Workloads/Prod"},
    },
}


def account(id: str, name: str, **changes: Any) -> Account:
    own = Account(id, name, f"example+{name}@company.com", "ACTIVE", "CREATED", "r-ab12")
    return replace(own, **changes)


ORGANIZATION = Organization(
    id="o-a1b2c3d4e5",
    features="ALL",
    management_account=MANAGEMENT,
    management_email="example@company.com",
    root="r-ab12",
    policy_types=("SERVICE_CONTROL_POLICY",),
    units=(Unit("ou-ab12-11111111", ("Workloads",), "r-ab12"),),
    accounts=(
        account(MANAGEMENT, "management", email="example@company.com"),
        account(SHOP, "shop", parent="ou-ab12-11111111"),
    ),
    policies=(Policy("p-11111111", "no-s3", "SERVICE_CONTROL_POLICY", "", "{}", ("ou-ab12-11111111",)),),
    account_quota=10,
)
changed = partial(changed_at, between="/")  # names of units and services have dots in them
CALLER = Caller(MANAGEMENT, f"arn:aws:sts::{MANAGEMENT}:assumed-role/admin/me")


def findings(
    *,
    management: dict[str, Any] = MANAGING,
    prod: dict[str, Any] = PROD,
    others: tuple[Plan, ...] = (),
    caller: Caller = CALLER,
    unread: dict[str, str] | None = None,
    tried: dict[str, str | None] | None = None,
    organization: Organization | None = ORGANIZATION,
    **facts: Any,
) -> list[CheckResult]:
    chosen = (Plan("management", parse("management", management)), Plan("prod", parse("prod", prod)))
    live = Live(caller, replace(organization, **facts) if organization else None, unread or {})
    return list(preflight(Project(chosen, others), live, {SHOP: None} if tried is None else tried))


def only(found: list[CheckResult], status: Status = Status.FAILURE) -> CheckResult:
    """The one finding that does not pass."""
    (one,) = [finding for finding in found if finding.status is not Status.PASS]
    assert one.status is status
    assert one.next_step
    return one


def test_where_all_is_well_everything_passes() -> None:
    found = findings()
    assert [one for one in found if one.status is not Status.PASS] == []
    assert len({one.check for one in found}) == 12, "the checks of docs/preflight.md"


WITH_LAB = (*ORGANIZATION.units, Unit("ou-ab12-22222222", ("Lab",), "r-ab12"))
LOOKED_UP = MANAGING | {"organization": {**NOT_ADOPTED, "create": False}}
NEW, UNIT = "accounts/new", "organization/organizationalUnits/Workloads"
NO_S3 = "organization/serviceControlPolicies/no-s3"
CONTACT = {"name": "A", "title": "B", "email": "a@b.co", "phone": "1"}
TRUSTING = changed(MANAGING, "organization/trustedServices", ["account.amazonaws.com"])
MINE = replace(ORGANIZATION.policies[0], name="x")
SUSPENDED = account(SHOP, "shop", state="SUSPENDED", parent="ou-ab12-11111111")


MENDED: list[tuple[dict[str, Any], str, str, str, dict[str, Any]]] = [
    ({"features": "CONSOLIDATED_BILLING"}, "organization", "CONSOLIDATED_BILLING", "enable all features",
     {"features": "ALL"}),
    ({"id": "o-zzzzzzzzzz"}, "organization", "it adopts o-a1b2c3d4e5", "say `adopt: o-zzzzzzzzzz`",
     {"management": changed(MANAGING, "organization/adopt", "o-zzzzzzzzzz")}),
    ({"units": (replace(ORGANIZATION.units[0], id="ou-ab12-22222222"),)}, "units", "no unit ou-ab12-11111111",
     "correct the id", {"management": changed(MANAGING, f"{UNIT}/adopt", "ou-ab12-22222222")}),
    ({"units": (Unit("ou-ab12-11111111", ("Work",), "r-ab12"),)}, "units", "would be renamed to 'Workloads'",
     "say `name: Work`", {"management": changed(MANAGING, f"{UNIT}/name", "Work")}),
    ({"policies": (replace(ORGANIZATION.policies[0], id="p-22222222"),)}, "policies", "no policy p-11111111",
     "correct the id", {"management": changed(MANAGING, f"{NO_S3}/adopt", "p-22222222")}),
    ({"policies": (MINE,)}, "policies", "'x' of type", "correct the id, the name or the type",
     {"management": changed(MANAGING, f"{NO_S3}/name", "x")}),
    ({"policies": (replace(ORGANIZATION.policies[0], targets=()),)}, "policies", "not attached to ou-ab12-11111111",
     "take these out of `attached`", {"management": changed(MANAGING, f"{NO_S3}/attached", {})}),
    ({"accounts": (SUSPENDED,)}, "adopt", "is SUSPENDED", "take it out of the config",
     {"prod": changed(PROD, "accounts", {"new": {}})}),
    ({"accounts": (replace(ORGANIZATION.accounts[1], email="s@company.com"),)}, "adopt", "s@company.com",
     "say `email: s@company.com`", {"prod": changed(PROD, "accounts/shop/email", "s@company.com")}),
    ({"account_quota": 2}, "account quota", "of 2 there are 0 left", "--desired-value 3", {"account_quota": 3}),
    ({"account_quota": 3, "invitations": 1}, "account quota", "of 3 there are 0 left", "--desired-value 4",
     {"account_quota": 4}),
    ({"pending": (Request("car-1", "new", "2026-11-24"),)}, "pending requests", "being made already",
     "wait until that has ended and run this again; then say `adopt: ID`",
     {"pending": (), "accounts": (*ORGANIZATION.accounts, account(BANK, "new")),
      "prod": changed(PROD, f"{NEW}/adopt", BANK), "tried": {SHOP: None, BANK: None}}),
    ({"accounts": (*ORGANIZATION.accounts, account(BANK, "new", state="SUSPENDED"))}, "e-mail", "is SUSPENDED",
     "choose another address", {"prod": changed(PROD, f"{NEW}/email", "other@company.com")}),
    ({"accounts": (*ORGANIZATION.accounts, account(BANK, "new", state="SUSPENDED"))}, "e-mail", "is SUSPENDED",
     f'say `state: closed` and `adopt: "{BANK}"`',
     {"prod": changed(PROD, NEW, {"state": "closed", "adopt": BANK, "organizationalUnit": "Workloads/Prod"})}),
    ({"prod": changed(PROD, f"{NEW}/email", "m@company.com"),
      "accounts": (account(MANAGEMENT, "new", email="m@company.com"), ORGANIZATION.accounts[1])}, "e-mail",
     "is the management account's own", "choose another address", {"prod": PROD}),
    ({"prod": changed(PROD, f"{NEW}/organizationalUnit", "Nowhere")}, "units", "neither in AWS nor made",
     "add it to organization.organizationalUnits of the management stack",
     {"management": changed(MANAGING, "organization/organizationalUnits/Nowhere", {})}),
    ({"prod": changed(PROD, f"{NEW}/organizationalUnit", "ou-ab12-99999999")}, "units", "no unit ou-ab12-99999999",
     "correct the id", {"prod": changed(PROD, f"{NEW}/organizationalUnit", "ou-ab12-11111111")}),
    ({"prod": changed(PROD, f"{NEW}/adopt", "444444444444")}, "adopt", "no account of the organization has this id",
     "correct the id", {"prod": PROD}),
    ({"prod": changed(PROD, f"{NEW}/contacts/security", CONTACT)}, "trusted access",
     "account.amazonaws.com has no trusted access",
     "add account.amazonaws.com to organization.trustedServices of the management stack and update that first",
     {"management": TRUSTING, "trusted_services": ("account.amazonaws.com",)}),
    ({"prod": changed(PROD, f"{NEW}/organizationalUnit", "Lab"), "units": WITH_LAB}, "units", "Lab",
     "Lab: {adopt: ou-ab12-22222222}",
     {"management": changed(MANAGING, "organization/organizationalUnits/Lab", {"adopt": "ou-ab12-22222222"})}),
    ({"prod": changed(PROD, f"{NEW}/organizationalUnit", "Lab"), "units": WITH_LAB}, "units", "Lab",
     "or write ou-ab12-22222222 here", {"prod": changed(PROD, f"{NEW}/organizationalUnit", "ou-ab12-22222222")}),
    ({"tried": {SHOP: "AccessDenied: no"}}, "access role", "AccessDenied: no",
     f"trusting arn:aws:iam::{MANAGEMENT}:root", {"tried": {SHOP: None}}),
    ({"management": LOOKED_UP, "policy_types": ()}, "policy types", "SERVICE_CONTROL_POLICY", "enable it",
     {"policy_types": ("SERVICE_CONTROL_POLICY",)}),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "check", "what", "step", "taken"), MENDED)
def test_what_is_not_as_config_says_fails_alone_and_its_next_step_mends_it(
    changes: dict[str, Any], check: str, what: str, step: str, taken: dict[str, Any]
) -> None:
    one = only(findings(**changes))
    assert one.check == check
    assert what in f"{one.where}: {one.what}"
    assert step in one.next_step
    assert [each for each in findings(**changes | taken) if each.status is Status.FAILURE] == []


PROD_UNIT = Unit("ou-ab12-22222222", ("Workloads", "Prod"), "ou-ab12-11111111")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"accounts": (*ORGANIZATION.accounts, account(BANK, "new"))}, BANK),
        ({"units": (*ORGANIZATION.units, PROD_UNIT)}, PROD_UNIT.id),
        (
            {
                "management": changed(
                    MANAGING, "organization/serviceControlPolicies/no-s3", {"targets": ["root"], "document": DENY}
                )
            },
            "p-11111111",
        ),
        ({"management": MANAGING | {"organization": NOT_ADOPTED}}, "o-a1b2c3d4e5"),
        ({"accounts": (*ORGANIZATION.accounts, account(BANK, "new", email="other@company.com"))}, BANK),
    ],
)
def test_what_may_be_the_stacks_own_or_is_called_alike_is_a_warning(changes: dict[str, Any], said: str) -> None:
    one = only(findings(**changes), Status.WARNING)
    assert said in f"{one.where}: {one.what}. {one.next_step}"


@pytest.mark.parametrize(
    "accounts",
    [
        (replace(ORGANIZATION.accounts[1], name="Shop"),),
        (*ORGANIZATION.accounts, account(BANK, "b", email="EXAMPLE+new@company.com")),
    ],
)
def test_a_new_name_of_an_account_is_a_warning_and_needs_trusted_access(accounts: tuple[Account, ...]) -> None:
    """https://docs.aws.amazon.com/accounts/latest/APIReference/API_PutAccountName.html."""
    found = findings(accounts=accounts)
    assert {(one.check, one.status) for one in found if one.status is not Status.PASS} == {
        ("name", Status.WARNING),
        ("trusted access", Status.FAILURE),
    }
    trusting = findings(accounts=accounts, trusted_services=("account.amazonaws.com",))
    assert only(trusting, Status.WARNING).check == "name"


@pytest.mark.parametrize(
    ("caller", "what", "step"),
    [
        (
            Caller(MANAGEMENT, f"arn:aws:iam::{MANAGEMENT}:root"),
            "is a root user",
            "use a role or a user of the management",
        ),
        (
            Caller(SHOP, f"arn:aws:iam::{SHOP}:user/me"),
            "these credentials are of 222222222222",
            f"use credentials of account {MANAGEMENT}, or correct managementAccountId",
        ),
    ],
)
def test_credentials_that_cannot_enter_accounts_fail(caller: Caller, what: str, step: str) -> None:
    failing = [one for one in findings(caller=caller) if one.status is Status.FAILURE]
    assert what in failing[0].what
    assert failing[0].check == "credentials"
    assert failing[0].next_step.startswith(step)


@pytest.mark.parametrize(
    ("part", "checks"),
    [
        ("organization", {"organization"}),
        ("accounts", {"e-mail"}),
        ("policies", {"policies"}),
        ("trusted access", {"trusted access"}),
        ("account quota", {"account quota"}),
        ("pending requests", {"pending requests", "account quota"}),
        ("root", {"policy types", "units", "policies", "e-mail"}),
    ],
)
def test_what_may_not_be_read_is_a_failure_that_names_the_permission(part: str, checks: set[str]) -> None:
    failing = [one for one in findings(unread={part: "organizations:ListX"}) if one.status is Status.FAILURE]
    assert {one.check for one in failing} == checks
    assert {one.what for one in failing} == {"cannot be known: needs organizations:ListX"}
    assert {one.next_step for one in failing} == {"allow organizations:ListX, or use credentials that may"}


def test_an_address_in_two_stacks_fails_unless_one_is_a_shard_of_the_other() -> None:
    shard = Plan("prod-001", parse("prod-001", PROD))
    assert all(one.status is Status.PASS for one in findings(others=(shard,)))
    other = Plan("lab", parse("lab", {**BASE, "accounts": {"copy": {"email": "Example+New@company.com"}}}))
    one = only(findings(others=(other,)))
    assert "accounts.new of stack prod" in one.what
    assert "accounts.copy of stack lab" in one.what
    assert only(findings(others=(Plan("prod-001", other.settings),))).check == "e-mail"
    rehearsed = findings(others=(other,), caller=replace(CALLER, local=True))
    assert "accounts.copy of stack lab" in only(rehearsed, Status.WARNING).what, "of an adoption on a local AWS"


def test_an_organization_to_be_made_needs_none_of_what_it_will_have() -> None:
    making = {**BASE, "organization": {"organizationalUnits": {"Workloads/Prod": {}}}}
    prod = {**BASE, "accounts": {"new": {"organizationalUnit": "Workloads/Prod"}}}
    one = only(findings(management=making, prod=prod, organization=None), Status.WARNING)
    assert one.check == "account quota"
    assert [
        (two.what, two.next_step)
        for two in findings(management=PROD, prod=prod, organization=None)
        if two.check == "organization"
    ] == [("there is none", "update the stack that has `organization` first")]
    other = next(two for two in findings(management_account=BANK) if two.check == "organization")
    assert other.next_step == f"use credentials of account {BANK}"


def test_requests_under_way_count_against_the_quota() -> None:
    """https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html"""
    found = findings(account_quota=3, pending=(Request("car-1", "other", "2026-11-24"),))
    (one,) = [each for each in found if each.status is Status.FAILURE]
    assert (one.check, "of 3 there are 0 left" in one.what) == ("account quota", True)


def test_where_a_stack_makes_the_organization_it_enables_the_types_of_policies() -> None:
    found = findings(policy_types=())
    assert {one.status for one in found if one.check == "policy types"} == {Status.PASS}


def test_the_management_account_s_address_is_refused_and_no_new_name_of_it_announced() -> None:
    there = (account(MANAGEMENT, "management", email="m@company.com"), ORGANIZATION.accounts[1])
    found = findings(prod=changed(PROD, f"{NEW}/email", "m@company.com"), accounts=there)
    assert {one.check for one in found if one.status is Status.FAILURE} >= {"e-mail"}
    assert [one.status for one in found if one.check == "name"] == [Status.PASS]


def closing(**changes: Any) -> dict[str, Any]:
    return {**BASE, "accounts": {"shop": {"state": "closed", "adopt": SHOP, **changes}}}


def test_an_id_and_an_address_of_two_accounts_close_neither() -> None:
    plan = Plan("prod", parse("prod", closing(email="example+bank@company.com")))
    found = list(preflight(Project((plan,)), Live(CALLER, ORGANIZATION), {}))
    (one,) = [finding for finding in found if finding.status is Status.FAILURE]
    assert (one.check, one.where) == ("adopt", "accounts.shop of stack prod")
    assert "which is to be closed, has the address" in one.what
    assert one.next_step.startswith("correct the id or the address")


def test_accounts_that_are_to_be_closed_are_neither_entered_nor_missed() -> None:
    plan = Plan("prod", parse("prod", closing(email="example+shop@company.com")))
    assert [one.fate for one in wanted([plan], ORGANIZATION)] == [Fate.CLOSED]
    assert entrances(wanted([plan], ORGANIZATION), ORGANIZATION) == []
    found = preflight(Project((plan,)), Live(CALLER, ORGANIZATION), {})
    assert {one.status for one in found} == {Status.PASS}
