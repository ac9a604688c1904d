"""A member account is made once, never replaced, and handed on only when it can be entered.

What CreateAccount fixes for good: https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateAccount.html
"""

from functools import partial
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from components import member_account, readiness
from components.member_account import MemberAccount
from components.readiness import AccessRole, NotYetError, wait_until_assumable
from components.refusing import ProgramRefusal
from tests.components.mock_engine import MEMBER, Run, run
from twokeys.iam import UNKNOWN
from twokeys.settings import parse

ACCOUNT = "aws:organizations/account:Account"
THERE = {"arn": "arn:aws:organizations::111111111111:account/o-a/222222222222"}


def make(preview: bool = False, there: dict[str, Any] | None = None, **member: Any) -> Run:
    base = {"managementAccountId": "111111111111", "rootEmail": "example@company.com"}
    settings = parse("stage", {**base, "accounts": {"stage": member}})

    def program() -> None:
        parent = aws.Provider("management", region="us-east-1")
        account = MemberAccount("stage", settings, opts=pulumi.ResourceOptions(provider=parent))
        pulumi.export("id", account.account_id)
        pulumi.export("role", account.access_role_arn)

    return run(program, preview=preview, there={ACCOUNT: there} if there else None)


def test_the_account_is_kept_in_any_case_and_the_engine_sees_no_change_that_it_would_answer_with_another() -> None:
    account = make().one(ACCOUNT, "stage")
    assert (account.protect, account.retain_on_delete) == (True, True)
    assert "closeOnDeletion" not in account.inputs
    assert set(account.ignore_changes) == {"email", "roleName"}


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize(
    ("there", "key", "command"),
    [
        ({"email": "other@company.com"}, "email", "`twokeys account email stage stage example+stage@company.com`"),
        ({"roleName": "Other"}, "role name", ""),  # there is none
    ],
)
def test_what_the_account_has_not_is_refused(there: dict[str, Any], key: str, command: str, preview: bool) -> None:
    for more in ({}, {"adopt": MEMBER}):
        with pytest.raises(ProgramRefusal) as refusal:
            make(preview, THERE | there, **more)
        assert refusal.value.what == f"another {key} of account stage"
        assert next(iter(there.values())) in refusal.value.next_step
        assert MEMBER in refusal.value.where
        assert command in refusal.value.next_step
        assert ("twokeys account" in refusal.value.next_step) == bool(command)


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize(
    "there",
    [
        {"email": "Example+Stage@company.com"},  # AWS compares addresses without case
        {"roleName": None},  # an adopted account has none on record
        # an update in place: https://docs.aws.amazon.com/accounts/latest/APIReference/API_PutAccountName.html
        {"roleName": None, "name": "Shop"},
    ],
)
def test_what_is_no_other_account_is_not_refused(there: dict[str, Any], preview: bool) -> None:
    assert make(preview, THERE | there, adopt=MEMBER).exports["id"] == MEMBER


def test_in_an_update_the_access_role_is_tried_before_the_id_is_handed_on(tried_roles: list[AccessRole]) -> None:
    done = make(access={"externalId": "abc"})
    arn = f"arn:aws:iam::{MEMBER}:role/OrganizationAccountAccessRole"
    assert tried_roles == [AccessRole(arn, "twokeys-stage", "us-east-1", "abc")]
    assert done.exports == {"id": MEMBER, "role": arn}


def test_a_preview_tries_nothing(tried_roles: list[AccessRole]) -> None:
    assert make(True, THERE).exports["id"] == MEMBER
    assert make(True).exports["id"] is UNKNOWN
    assert tried_roles == []


def test_an_update_ends_when_the_account_cannot_be_entered(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(role: AccessRole) -> None:
        raise NotYetError(f"no {role.arn}")

    monkeypatch.setattr(readiness, "assume", never)
    monkeypatch.setattr(member_account, "wait_until_assumable", partial(wait_until_assumable, timeout_seconds=1))
    with pytest.raises(ProgramRefusal, match="entering the account"):
        make()


def test_alternate_contacts_are_those_of_the_account() -> None:
    contact = {"name": "Security", "title": "On call", "email": "s@company.com", "phone": "+1(555)000-0000"}
    made = make(contacts={"security": contact}).one(
        "aws:account/alternativeContact:AlternativeContact", "stage-security"
    )
    assert made.inputs == {
        "accountId": MEMBER,
        "alternateContactType": "SECURITY",
        "name": "Security",
        "title": "On call",
        "emailAddress": "s@company.com",
        "phoneNumber": "+1(555)000-0000",
    }
