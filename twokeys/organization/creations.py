"""Accounts that somebody began to create: whether each is there by now, told by its e-mail address."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from twokeys.aws_errors import no_answer
from twokeys.errors import Refusal
from twokeys.organization.model import ACTIVE
from twokeys.organization.reading import RETRIES

_PAUSE_SECONDS: Final = 5.0
_LONGEST_SECONDS: Final = 600.0


def accounts_made(
    session: boto3.Session, wanted: Mapping[str, str], *, sleep: Callable[[float], None] = time.sleep
) -> dict[str, str]:
    """The ARNs of the accounts that exist, by e-mail address; an address that no account has is left out.

    A request that is still under way is waited for, ten minutes at the most. It tells its account's name and not its
    address, so one of the same name is waited for, and what counts is which account then has the address.
    https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateAccountStatus.html

    Args:
        session: credentials of the management account.
        wanted: the accounts' names, by e-mail address as it was asked for; AWS ignores case in addresses.

    Raises:
        Refusal: AWS cannot be asked, a request does not end, or an account with such an address cannot be the one:
            it is closed, has another name, or was invited.
    """
    organizations: Any = session.client("organizations", region_name=session.region_name or "us-east-1", config=RETRIES)

    def all_of(operation: str, key: str, **arguments: object) -> list[Any]:
        return [one for page in organizations.get_paginator(operation).paginate(**arguments) for one in page[key]]

    try:
        waited, names = 0.0, set(wanted.values())
        while under_way := [
            one["AccountName"]
            for one in all_of("list_create_account_status", "CreateAccountStatuses", States=["IN_PROGRESS"])
            if one["AccountName"] in names
        ]:
            if waited >= _LONGEST_SECONDS:
                raise _still(under_way)
            sleep(_PAUSE_SECONDS)
            waited += _PAUSE_SECONDS
        there = {one["Email"].lower(): one for one in all_of("list_accounts", "Accounts")}
    except (BotoCoreError, ClientError) as error:
        raise no_answer(error) from error
    found = {email: there[email.lower()] for email in wanted if email.lower() in there}
    for email, account in found.items():
        _require_the_one(email, wanted[email], account)
    return {email: str(account["Arn"]) for email, account in found.items()}


def _require_the_one(email: str, name: str, account: Mapping[str, Any]) -> None:
    state = account.get("State") or account["Status"]
    reasons = []
    if state != ACTIVE:
        reasons.append(f"it is {state}")
    if account["Name"] != name:
        reasons.append(f"it is named {account['Name']}, not {name}")
    if account["JoinedMethod"] != "CREATED":
        reasons.append("it was invited")
    if reasons:
        raise Refusal(
            f"the address {email} belongs to an account that cannot be the one that was begun",
            where=f"account {account['Id']}",
            why=", and ".join(reasons),
            next_step="give the account in config another e-mail address, or name the account that exists in `adopt`",
        )


def _still(names: list[str]) -> Refusal:
    return Refusal(
        "accounts are still in the making",
        where=", ".join(sorted(names)),
        why=f"AWS has worked on them for more than {_LONGEST_SECONDS / 60:.0f} minutes",
        next_step="run the same command again later; if it does not end, ask AWS Support",
    )
