"""AWS Account Management, which ministack lacks: contacts, names and root users' e-mail addresses.

https://docs.aws.amazon.com/accounts/latest/reference/. A name or an address of a member account is the organization's;
a code for a new address is mailed to it: one line of JSON in `mailbox.jsonl` of the server's folder,
`{"to": address, "subject": text, "text": text, "sent": seconds since the epoch}`.

Not here: how long a code is good for, which AWS does not document.
"""

import json
import secrets
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from ministack.core import persistence
from ministack.core.responses import get_account_id, get_region, request_scope

from twokeys.sandbox.local_server import organizations, records
from twokeys.sandbox.local_server.inside import account as base
from twokeys.sandbox.local_server.supplement import ApiError, Payload, answering

_contacts = records.store("account.contacts")  # "BILLING" | "OPERATIONS" | "SECURITY" -> contact
_updates = records.store("account.updates")  # "email" -> {"address", "code"} of an update that was started
_CODE = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def install() -> None:
    """Add the operations to ministack's table."""
    for name, operation in _OPERATIONS.items():
        answer = answering(partial(_for_the_named_account, name, operation))
        base.DISPATCH[f"/{name[0].lower()}{name[1:]}"] = answer


def _for_the_named_account(name: str, operation: Callable[[Payload], Payload], payload: Payload) -> Payload:
    """`AccountId` names a member account: only the management account may, with trusted access enabled."""
    named = payload.get("AccountId")
    if named is None:
        if name.endswith(("PrimaryEmail", "PrimaryEmailUpdate")):
            raise ApiError("ValidationException", "AccountId is required.")
        return operation(payload)
    _refuse_unless_managed(str(named))
    with request_scope(str(named), get_region()):
        return operation(payload)


def _refuse_unless_managed(account: str) -> None:
    caller = get_account_id()
    if account == caller or organizations.organization_of(account) != caller:
        raise ApiError("AccessDeniedException", f"{caller} does not manage the member account {account}.")
    if not organizations.trusts(caller, "account.amazonaws.com"):
        raise ApiError(
            "AccessDeniedException", "Trusted access of account.amazonaws.com is not enabled in the organization."
        )


def _put_alternate(payload: Payload) -> Payload:
    kept = ("AlternateContactType", "EmailAddress", "Name", "PhoneNumber", "Title")
    _contacts[payload["AlternateContactType"]] = {key: payload[key] for key in kept}
    return {}


def _delete_alternate(payload: Payload) -> Payload:
    _existing(payload["AlternateContactType"])
    _contacts.pop(payload["AlternateContactType"])
    return {}


def _existing(kind: str) -> Payload:
    contact: Payload | None = _contacts.get(kind)
    if contact is None:
        raise ApiError("ResourceNotFoundException", f"No contact of the type {kind} exists.")
    return contact


def _put_name(payload: Payload) -> Payload:
    _refuse_closed()
    organizations.change_member(get_account_id(), Name=payload["AccountName"])
    return {}


def _start_email(payload: Payload) -> Payload:
    """https://docs.aws.amazon.com/accounts/latest/APIReference/API_StartPrimaryEmailUpdate.html"""
    address = _new_address(payload)
    code = "".join(secrets.choice(_CODE) for _ in range(6))
    _updates["email"] = {"address": address, "code": code}
    subject = f"Verify the new address of the AWS account {get_account_id()}"
    text = f"Your verification code is {code}"
    line = json.dumps({"to": address, "subject": subject, "text": text, "sent": time.time()})
    with (Path(persistence.STATE_DIR).parent / "mailbox.jsonl").open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    return {"Status": "PENDING"}


def _accept_email(payload: Payload) -> Payload:
    """https://docs.aws.amazon.com/accounts/latest/APIReference/API_AcceptPrimaryEmailUpdate.html"""
    started, address = _updates.get("email"), str(payload.get("PrimaryEmail"))
    if started is None or started["address"].casefold() != address.casefold():
        raise ApiError("ResourceNotFoundException", f"No update to {address} was started.")
    _new_address(payload)
    if str(payload.get("Otp")).upper() != started["code"]:
        raise ApiError("ValidationException", "The verification code is not the one that was sent.")
    organizations.change_member(get_account_id(), Email=started["address"])
    _updates.pop("email")
    return {"Status": "ACCEPTED"}


def _get_email(_: Payload) -> Payload:
    member = organizations.member(get_account_id())
    if member is None:
        raise ApiError("ResourceNotFoundException", f"{get_account_id()} is in no organization.")
    return {"PrimaryEmail": member["Email"]}


def _new_address(payload: Payload) -> str:
    address = str(payload.get("PrimaryEmail"))
    _refuse_closed()
    management = organizations.organization_of(get_account_id())
    with request_scope(str(management), get_region()):
        if organizations.email_taken(address):
            raise ApiError("ConflictException", f"{address} is in use as the address of a root user.")
    return address


def _refuse_closed() -> None:
    if organizations.closed(get_account_id()):
        raise ApiError("AccessDeniedException", f"The account {get_account_id()} is closed.")


_OPERATIONS: dict[str, Callable[[Payload], Payload]] = {
    "PutAlternateContact": _put_alternate,
    "GetAlternateContact": lambda payload: {"AlternateContact": _existing(payload["AlternateContactType"])},
    "DeleteAlternateContact": _delete_alternate,
    "PutAccountName": _put_name,
    "StartPrimaryEmailUpdate": _start_email,
    "AcceptPrimaryEmailUpdate": _accept_email,
    "GetPrimaryEmail": _get_email,
}
