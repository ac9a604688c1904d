"""AWS Account Management, which ministack lacks: contacts, and names, which are the organization's.

https://docs.aws.amazon.com/accounts/latest/reference/
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from typing import Any, TypeAlias

from ministack.core.responses import get_account_id, get_region, request_scope

from twokeys.sandbox.local_server import organizations, records
from twokeys.sandbox.local_server.inside import account as base
from twokeys.sandbox.local_server.supplement import Answer, ApiError, json_answer

Payload: TypeAlias = dict[str, Any]

_contacts = records.store("account.contacts")  # "BILLING" | "OPERATIONS" | "SECURITY" -> contact
_NAME = re.compile(r"[ -;=?-~]{1,50}")


def install() -> None:
    """Add the operations to ministack's table."""
    for name, operation in _OPERATIONS.items():
        base.DISPATCH[f"/{name[0].lower()}{name[1:]}"] = _for_the_named_account(operation)


def _for_the_named_account(operation: Callable[[Payload], Payload]) -> Callable[[Payload], Answer]:
    """`AccountId` names a member account: only the management account may, with trusted access enabled."""

    def answer(payload: Payload) -> Answer:
        try:
            named = payload.get("AccountId")
            scope: contextlib.AbstractContextManager[None] = contextlib.nullcontext()
            if named is not None:
                _refuse_unless_managed(str(named))
                scope = request_scope(str(named), get_region())
            with scope:
                return json_answer(operation(payload))
        except ApiError as error:
            return error.answer()

    return answer


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


def _get_alternate(payload: Payload) -> Payload:
    return {"AlternateContact": _existing(payload["AlternateContactType"])}


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
    name = str(payload.get("AccountName"))
    if _NAME.fullmatch(name) is None:
        raise ApiError("ValidationException", "AccountName has 1 to 50 printable characters without < and >.")
    if organizations.closed(get_account_id()):
        raise ApiError("AccessDeniedException", f"The account {get_account_id()} is closed.")
    organizations.rename_member(get_account_id(), name)
    return {}


_OPERATIONS: dict[str, Callable[[Payload], Payload]] = {
    "PutAlternateContact": _put_alternate,
    "GetAlternateContact": _get_alternate,
    "DeleteAlternateContact": _delete_alternate,
    "PutAccountName": _put_name,
}
