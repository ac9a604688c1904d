"""AWS Account Management's contacts, which ministack lacks: https://docs.aws.amazon.com/accounts/latest/reference/."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any, TypeAlias

from ministack.core.responses import AccountScopedDict, get_account_id, get_region, request_scope
from ministack.services import account as base

from twokeys.sandbox.local_server import organizations
from twokeys.sandbox.local_server.supplement import Answer, ApiError, json_answer, recorded

Payload: TypeAlias = dict[str, Any]

_contacts = AccountScopedDict()  # "BILLING" | "OPERATIONS" | "SECURITY" | "PRIMARY" -> contact


def install() -> None:
    """Add the contact operations to ministack's table and keep the contacts with its state."""
    for name, operation in _OPERATIONS.items():
        path = f"/{name[0].lower()}{name[1:]}"
        base._DISPATCH[path] = recorded(name, _for_the_named_account(operation))
    base.get_state = lambda: {"contacts": _contacts}
    base.load_persisted_state = lambda data: _contacts.update(data["contacts"])


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


def _put_primary(payload: Payload) -> Payload:
    _contacts["PRIMARY"] = payload["ContactInformation"]
    return {}


def _get_primary(_: Payload) -> Payload:
    return {"ContactInformation": _existing("PRIMARY")}


def _existing(kind: str) -> Payload:
    contact: Payload | None = _contacts.get(kind)
    if contact is None:
        raise ApiError("ResourceNotFoundException", f"No contact of the type {kind} exists.")
    return contact


_OPERATIONS: dict[str, Callable[[Payload], Payload]] = {
    "PutAlternateContact": _put_alternate,
    "GetAlternateContact": _get_alternate,
    "DeleteAlternateContact": _delete_alternate,
    "PutContactInformation": _put_primary,
    "GetContactInformation": _get_primary,
}
