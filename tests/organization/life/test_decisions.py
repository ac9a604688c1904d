"""What is decided about accounts, from facts alone. AWS's rules:

CLOSE https://docs.aws.amazon.com/organizations/latest/APIReference/API_CloseAccount.html
EMAIL https://docs.aws.amazon.com/accounts/latest/APIReference/API_StartPrimaryEmailUpdate.html
STATE https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_account_state.html
"""

from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from twokeys.errors import Refusal
from twokeys.organization.life.aws import NotClosedError
from twokeys.organization.life.changes import Check, email_checks, remaining
from twokeys.organization.life.closing import Standing, goes_on, standings, work_through
from twokeys.organization.life.facts import Facts
from twokeys.organization.managed import managed
from twokeys.organization.model import Account, Caller, Live, Organization
from twokeys.settings import parse

MANAGEMENT, STAGE, PROD = "1" * 12, "2" * 12, "3" * 12
TRUSTED = ("account.amazonaws.com",)
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def there_is(id_: str, name: str, email: str) -> Account:
    return Account(id_, name, email, "ACTIVE", "CREATED", "r-ab12")


def facts(config_of: dict[str, Any] | None = None, **changes: Any) -> Facts:
    config = {
        "managementAccountId": MANAGEMENT,
        "rootEmail": "example@company.com",
        "accounts": config_of or {"stage": {}, "prod": {}},
    }
    there = (
        there_is(MANAGEMENT, "management", "root@company.com"),
        there_is(STAGE, "stage", "example+stage@company.com"),
        there_is(PROD, "prod", "example+prod@company.com"),
    )
    known = Facts(
        stack="all",
        file="Pulumi.all.yaml",
        settings=parse("all", config),
        held={"stage": STAGE, "prod": PROD},
        organization=Organization(
            "o-a1b2c3d4e5", "ALL", MANAGEMENT, "root@company.com", accounts=there, trusted_services=TRUSTED
        ),
    )
    return changed(known, **changes)


def changed(known: Facts, **changes: Any) -> Facts:
    """Other facts: fields of the organization, or of the facts themselves."""
    of_aws = {field.name for field in fields(Organization)} & changes.keys()
    organization = replace(known.organization, **{name: changes.pop(name) for name in of_aws})
    return replace(known, organization=organization, **changes)


def with_state(known: Facts, account: str, state: str) -> Facts:
    there = known.organization.accounts
    return changed(known, accounts=tuple(replace(one, state=state) if one.id == account else one for one in there))


def failed(checks: list[Check]) -> list[str]:
    return [check.next_step for check in checks if not check.ok]


CLOSED = {"stage": {"state": "closed", "adopt": STAGE}, "prod": {}}


def test_a_new_address_that_fits_needs_nothing_more() -> None:
    assert failed(email_checks(facts(), "stage", "new@company.com")) == []


@pytest.mark.parametrize(
    ("change", "step"),
    [
        ({"trusted_services": ()}, "add account.amazonaws.com to organization.trustedServices"),
        ({"held": {}}, "update the stack first: pulumi up -s all"),
    ],
)
def test_each_precondition_that_does_not_hold_has_a_next_step(change: dict[str, Any], step: str) -> None:
    """EMAIL: trusted access."""
    (only,) = failed(email_checks(facts(**change), "stage", "new@company.com"))
    assert only.startswith(step)


def test_nothing_of_a_closed_account_is_changed() -> None:
    (step,) = failed(email_checks(with_state(facts(), STAGE, "CLOSED"), "stage", "new@company.com"))
    assert step == "it is CLOSED: nothing of it changes"


@pytest.mark.parametrize("state", ["ACTIVE", "SUSPENDED", "CLOSED"])
@pytest.mark.parametrize(("has", "asked"), [("prod", "Prod"), ("PROD", "prod")])
def test_an_address_of_another_account_is_taken_whatever_its_state_and_case(has: str, asked: str, state: str) -> None:
    there = facts().organization.accounts
    there = tuple(replace(one, email=one.email.replace("prod", has)) for one in there)
    known = with_state(facts(accounts=there), PROD, state)
    checks = email_checks(known, "stage", f"Example+{asked}@company.com")
    assert len(failed(checks)) == 1
    assert f"account prod ({PROD}, {state})" in checks[-1].what


@pytest.mark.parametrize("address", ["example@company.com", "root@company.com"])
def test_the_address_of_the_management_account_is_taken(address: str) -> None:
    assert len(failed(email_checks(facts(), "stage", address))) == 1


def test_an_address_that_another_entry_of_the_config_is_to_have_is_taken() -> None:
    known = facts({"stage": {}, "prod": {}, "planned": {"email": "new@company.com"}})
    assert len(failed(email_checks(known, "stage", "new@company.com"))) == 1


@pytest.mark.parametrize("address", ["a@b.c", "x" * 60 + "@b.co", "nobody"])
def test_what_is_no_address_for_an_account_is_told(address: str) -> None:
    """CreateAccount takes 6 to 64 characters, and config the same."""
    assert failed(email_checks(facts(), "stage", address)) == ["give another address"]


def test_what_remains_is_the_edit_then_the_state_then_a_look() -> None:
    edit, learn, look = remaining(facts(), "stage", "new@company.com")
    assert edit == "write `email: new@company.com` under `twokeys:accounts.stage` in Pulumi.all.yaml"
    assert (learn, look) == (
        "let the state learn it: `pulumi refresh -s all`",
        "see that nothing changes: `pulumi preview -s all`",
    )


def test_an_address_that_config_says_by_itself_is_taken_out_of_it() -> None:
    assert remaining(facts(), "stage", "example+stage@company.com")[0].startswith("take `email` out of")


@pytest.mark.parametrize(
    ("change", "place", "next_step"),
    [
        ({}, "queued", ""),
        ({"held": {}}, "queued", ""),
        ({"accounts": ()}, "gone", "remove its entry from Pulumi.all.yaml"),
        ({"left": {"stage": ("Account stage",)}}, "refused", "take its protection out of the state"),
        ({"delegated_administrators": {STAGE: ()}}, "refused", "give the service to another account"),
        ({"management_account": STAGE}, "refused", "take it out of `accounts`"),
    ],
)
def test_only_an_active_account_that_the_state_does_not_have_is_queued(
    change: dict[str, Any], place: str, next_step: str
) -> None:
    (only,) = standings(changed(facts(CLOSED), **change))
    assert only.place == place
    assert only.next_step.startswith(next_step)


@pytest.mark.parametrize(
    ("state", "place"),
    [("PENDING_CLOSURE", "closing"), ("CLOSED", "closed"), ("SUSPENDED", "closed"), ("PENDING_ACTIVATION", "refused")],
)
def test_each_state_that_aws_has_is_understood(state: str, place: str) -> None:
    """STATE lists five."""
    (only,) = standings(with_state(facts(CLOSED), STAGE, state))
    assert only.place == place


def test_an_id_that_was_mistaken_closes_nothing() -> None:
    """The address has to be the account's, too: CloseAccount asks for an id alone (CLOSE)."""
    (only,) = standings(facts({"stage": {"state": "closed", "adopt": PROD}}))
    assert only.place == "refused"
    assert "has the address example+prod@company.com, and config says example+stage@company.com" in only.why


def test_what_the_state_still_holds_is_named_but_not_all_of_it() -> None:
    (only,) = standings(facts(CLOSED, left={"stage": tuple(f"Role r{n}" for n in range(9))}))
    assert only.why == "the state still holds Role r0, Role r1, Role r2 and 6 more"


def test_when_more_may_be_closed_is_30_days_on_at_the_latest() -> None:
    assert goes_on(NOW).startswith("by 2026-12-24 at the latest")


@pytest.mark.parametrize(
    ("account", "change", "why"),
    [
        (STAGE, {}, f"managed by account {MANAGEMENT}"),
        (MANAGEMENT, {"management_account": STAGE}, f"managed by account {STAGE}, and config names {MANAGEMENT}"),
        (MANAGEMENT, {"features": "CONSOLIDATED_BILLING"}, "closes and changes no account"),
    ],
)
def test_nothing_is_asked_from_elsewhere_or_without_all_features(
    account: str, change: dict[str, Any], why: str
) -> None:
    """CLOSE: you can close an account when all features are enabled. EMAIL: only the management account can call it."""
    organization = facts(**change).organization
    live = Live(Caller(account, f"arn:aws:iam::{account}:role/admin"), organization)
    with pytest.raises(Refusal, match=why):
        managed(live, "no", management=MANAGEMENT)
    assert managed(Live(replace(live.caller, account=MANAGEMENT), facts().organization), "no", management=MANAGEMENT)


QUEUE = [Standing(name, name * 12, "queued", "") for name in "456"]


class Closer:
    """AWS, with an answer for each call."""

    def __init__(self, *answers: Exception | None) -> None:
        self.answers, self.asked, self.slept = list(answers), [], 0.0

    def __call__(self, account: str) -> None:
        self.asked.append(account[0])
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise answer

    def sleep(self, seconds: float) -> None:
        self.slept += seconds


QUOTA, BUSY, DELEGATED = (
    NotClosedError(reason, "no")
    for reason in (
        "CLOSE_ACCOUNT_QUOTA_EXCEEDED",
        "CLOSE_ACCOUNT_REQUESTS_LIMIT_EXCEEDED",
        "CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG",
    )
)
GONE = Refusal("AWS cannot be asked", where="here", why="the network is gone", next_step="wait")


@pytest.mark.parametrize(
    ("answers", "asked", "closed", "refused", "queued", "stopped"),
    [
        ([], "456", "456", "", "", ""),
        ([None, QUOTA], "45", "4", "", "56", "CLOSE_ACCOUNT_QUOTA_EXCEEDED: no"),
        ([BUSY, BUSY], "44456", "456", "", "", ""),  # others are being closed: it is waited for them
        ([BUSY] * 100, "4" * 41, "", "", "456", "CLOSE_ACCOUNT_REQUESTS_LIMIT_EXCEEDED: no"),  # ten minutes
        ([DELEGATED], "456", "56", "4", "", ""),
        ([None, GONE], "45", "4", "", "56", "here: the network is gone"),
    ],
)
def test_the_queue_is_worked_through_in_order_as_far_as_aws_lets_it(  # noqa: PLR0917 - a row of the table
    answers: list[Exception | None], asked: str, closed: str, refused: str, queued: str, stopped: str
) -> None:
    closer = Closer(*answers)
    done = work_through(QUEUE, closer, closer.sleep)
    assert "".join(closer.asked) == asked
    for found, wanted in ((done.closed, closed), (done.refused, refused), (done.queued, queued)):
        assert "".join(one.account for one in found) == wanted
    assert (done.stopped, done.failed, done.used_up) == (stopped, GONE in answers, QUOTA in answers)
    assert closer.slept == 15 * (len(asked) - len(set(asked)))
    assert all("CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG: no" in one.why for one in done.refused)
