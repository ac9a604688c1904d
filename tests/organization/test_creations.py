"""Accounts that a killed run had begun to create, on the local AWS."""

from typing import Any

import pytest

from tests.organization.existing import Existing
from twokeys.errors import Refusal
from twokeys.organization.creations import accounts_made


def never(seconds: float) -> None:
    raise AssertionError(f"nothing is in the making, and yet {seconds} s are waited for")


def test_an_account_is_known_by_its_address_in_any_case_and_one_that_never_came_to_be_is_left_out(
    bare: Existing,
) -> None:
    """https://docs.aws.amazon.com/organizations/latest/APIReference/API_Account.html, `Arn`."""
    bare.begin()
    stage = bare.account("stage", "Example+Stage@company.com")
    arn = bare.client("organizations").describe_account(AccountId=stage)["Account"]["Arn"]
    wanted = {"example+stage@company.com": "stage", "example+prod@company.com": "prod"}
    assert accounts_made(bare.session(), wanted, sleep=never) == {"example+stage@company.com": arn}
    assert arn.endswith(f"/{stage}")


def test_a_request_under_way_is_waited_for_but_not_one_of_another_account_and_not_for_ever(bare: Existing) -> None:
    """https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateAccountStatus.html: no e-mail in it."""
    bare.begin()
    session, waits, pending = bare.session(), list[float](), ["stage", "another"]

    def tell(parsed: dict[str, Any], **_: Any) -> None:
        parsed["CreateAccountStatuses"] = [
            {"Id": f"car-{name}", "AccountName": name, "State": "IN_PROGRESS"} for name in pending
        ]

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            bare.account("stage", "stage@company.com")
            pending.remove("stage")

    session.events.register("after-call.organizations.ListCreateAccountStatus", tell)
    assert list(accounts_made(session, {"stage@company.com": "stage"}, sleep=sleep)) == ["stage@company.com"]
    assert len(waits) == 3
    with pytest.raises(Refusal, match="10 minutes") as refusal:
        accounts_made(session, {"another@company.com": "another"}, sleep=lambda _: None)
    assert refusal.value.where == "another"
    pending.clear()  # later, as its next step says
    assert accounts_made(session, {"another@company.com": "another"}, sleep=never) == {}


def test_an_account_that_cannot_be_the_one_is_refused_with_every_reason(bare: Existing) -> None:
    bare.begin()
    closed = bare.account("old", "stage@company.com")
    bare.client("organizations").close_account(AccountId=closed)
    with pytest.raises(Refusal, match="belongs to an account") as refusal:
        accounts_made(bare.session(), {"stage@company.com": "stage"}, sleep=never)
    assert closed in refusal.value.where
    assert "it is named old, not stage" in refusal.value.why
    assert any(state in refusal.value.why for state in ("PENDING_CLOSURE", "CLOSED"))
    assert "give the account in config another e-mail address" in refusal.value.next_step
    assert accounts_made(bare.session(), {"other@company.com": "stage"}, sleep=never) == {}
