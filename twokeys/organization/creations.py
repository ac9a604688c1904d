"""What of an organization somebody began to create: whether it is there by now; an account by its e-mail address."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from twokeys.access.reading.type_names import ACCOUNT, CONTROL_POLICY, ORGANIZATION, ORGANIZATIONAL_UNIT
from twokeys.aws_errors import no_answer
from twokeys.errors import Refusal
from twokeys.organization.model import ACTIVE
from twokeys.organization.reading import RETRIES

LOOKED_UP: Final = frozenset({ACCOUNT, ORGANIZATION, ORGANIZATIONAL_UNIT, CONTROL_POLICY})
"""The types that `looked_up` knows: what AWS has not of these was never made."""
_PAUSE_SECONDS: Final = 5.0
_LONGEST_SECONDS: Final = 600.0


def looked_up(begun: Iterable[Mapping[str, Any]]) -> dict[str, tuple[str, str]]:
    """Id and ARN of those objects of the organization that AWS has, by URN, asked with the surrounding credentials.

    Raises Refusal when AWS cannot be asked, or an account that was begun cannot be told from another.
    """
    wanted = [one for one in begun if one["type"] in LOOKED_UP]
    if not wanted:
        return {}
    session = boto3.Session()
    names = {one["inputs"]["email"]: one["inputs"]["name"] for one in wanted if one["type"] == ACCOUNT}
    accounts = accounts_made(session, names) if names else {}
    client = _client(session)

    def listed(operation: str, key: str, **arguments: object) -> dict[str, tuple[str, str]]:
        return {one["Name"]: (one["Id"], one["Arn"]) for one in _all(client, operation, key, **arguments)}

    def find(kind: str, inputs: Mapping[str, Any]) -> tuple[str, str] | None:
        if kind == ACCOUNT:
            arn = accounts.get(inputs["email"])
            return (arn.rpartition("/")[2], arn) if arn else None
        if kind == ORGANIZATIONAL_UNIT:
            parent = "list_organizational_units_for_parent", "OrganizationalUnits"
            return listed(*parent, ParentId=inputs["parentId"]).get(inputs["name"])
        if kind == CONTROL_POLICY:
            filtered = inputs.get("type", "SERVICE_CONTROL_POLICY")
            return listed("list_policies", "Policies", Filter=filtered).get(inputs["name"])
        try:
            made = client.describe_organization()["Organization"]
        except client.exceptions.AWSOrganizationsNotInUseException:
            return None
        return made["Id"], made["Arn"]

    try:
        found = {one["urn"]: find(one["type"], one["inputs"]) for one in wanted}
    except (BotoCoreError, ClientError) as error:
        raise no_answer(error) from error
    return {urn: made for urn, made in found.items() if made}


def accounts_made(
    session: boto3.Session, wanted: Mapping[str, str], *, sleep: Callable[[float], None] = time.sleep
) -> dict[str, str]:
    """The ARNs of the accounts that exist, by e-mail address; an address that no account has is left out.

    A request that is still under way is waited for, ten minutes at the most. It tells its account's name and not its
    address, so one of the same name is waited for, and what counts is which account then has the address.
    https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateAccountStatus.html

    `wanted` has the accounts' names by e-mail address; AWS ignores case in addresses. Raises Refusal when AWS cannot be
    asked, a request does not end, or an account with such an address cannot be the one: it is closed, has another name,
    or was invited.
    """
    client = _client(session)
    try:
        waited, names = 0.0, set(wanted.values())
        while under_way := [
            one["AccountName"]
            for one in _all(client, "list_create_account_status", "CreateAccountStatuses", States=["IN_PROGRESS"])
            if one["AccountName"] in names
        ]:
            if waited >= _LONGEST_SECONDS:
                raise Refusal(
                    "accounts are still in the making",
                    where=", ".join(sorted(under_way)),
                    why=f"AWS has worked on them for more than {_LONGEST_SECONDS / 60:.0f} minutes",
                    next_step="run the same command again later; if it does not end, ask AWS Support",
                )
            sleep(_PAUSE_SECONDS)
            waited += _PAUSE_SECONDS
        there = {one["Email"].lower(): one for one in _all(client, "list_accounts", "Accounts")}
    except (BotoCoreError, ClientError) as error:
        raise no_answer(error) from error
    found = {email: there[email.lower()] for email in wanted if email.lower() in there}
    for email, account in found.items():
        _require_the_one(email, wanted[email], account)
    return {email: str(account["Arn"]) for email, account in found.items()}


def _client(session: boto3.Session) -> Any:  # noqa: ANN401 - boto3 makes clients at run time
    return session.client("organizations", region_name=session.region_name or "us-east-1", config=RETRIES)


def _all(client: Any, operation: str, key: str, **arguments: object) -> list[Any]:  # noqa: ANN401 - as above
    return [one for page in client.get_paginator(operation).paginate(**arguments) for one in page[key]]


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
