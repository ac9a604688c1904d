"""Accounts that are not there at once: AWS answers CreateAccount before it has created anything.

The status is IN_PROGRESS at first, and SUCCEEDED or FAILED some time later
(https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateAccount.html). ministack creates the account at
once; a fault plan may ask for what AWS does. What was asked is kept like everything else, and goes on after a restart,
with or without a plan.
"""

from __future__ import annotations

import contextlib
import contextvars
import json
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeAlias

from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import organizations as base

from twokeys.sandbox.local_server import organizations, records
from twokeys.sandbox.local_server.supplement import Answer, json_answer, marked

Payload: TypeAlias = dict[str, Any]


class _Asked(NamedTuple):
    seconds: float
    failure: str | None


_asked: contextvars.ContextVar[_Asked | None] = contextvars.ContextVar("asked_creation", default=None)
_pending = records.store("organizations.pending-accounts")  # request id -> {"payload", "due", "failure"}
_create: Callable[[Payload], Answer]


def install() -> None:
    """Come between the caller and CreateAccount; call it once every other supplement is there."""
    global _create  # noqa: PLW0603 - the one operation that is wrapped
    _create = base._DISPATCH["CreateAccount"]
    base._DISPATCH["CreateAccount"] = _begin


@contextlib.contextmanager
def asked(seconds: float | None, failure: str | None) -> Iterator[None]:
    """CreateAccount, when it is called in here, takes so long and then fails for this reason, if there is one."""
    wanted = None if seconds is None and failure is None else _Asked(seconds or 0.0, failure)
    token = _asked.set(wanted)
    try:
        yield
    finally:
        _asked.reset(token)


def complete_due() -> bool:
    """Create the accounts whose time has come; whether there were any, so that they have to be kept."""
    now = time.time()
    due = [key for key, creation in list(_pending._data.items()) if creation["due"] <= now] if _pending._data else []
    for management, request in due:
        with request_scope(management, get_region()):
            _complete(request, _pending.pop(request))
    return bool(due)


def _begin(payload: Payload) -> Answer:
    wanted, management = _asked.get(), get_account_id()
    complete = payload.get("Email") and payload.get("AccountName")
    if wanted is None or not complete or organizations.organization_of(management) != management:
        return _create(payload)
    request = f"car-{uuid.uuid4().hex}"
    status = {
        "Id": request,
        "AccountName": payload["AccountName"],
        "State": "IN_PROGRESS",
        "RequestedTimestamp": int(time.time()),
    }
    base._create_statuses[request] = status
    _pending[request] = {"payload": payload, "due": time.time() + wanted.seconds, "failure": wanted.failure}
    return marked("CreateAccount", lambda _: json_answer({"CreateAccountStatus": status}))(payload)


def _complete(request: str, creation: Payload) -> None:
    if creation["failure"]:
        status = {"State": "FAILED", "FailureReason": creation["failure"]}
    else:
        answered, _, body = _create(creation["payload"])
        if answered == 200:
            status = json.loads(body)["CreateAccountStatus"]
            base._create_statuses.pop(status["Id"])
        else:
            status = {"State": "FAILED", "FailureReason": "INTERNAL_FAILURE"}
    begun = base._create_statuses[request]
    base._create_statuses[request] = {**begun, **status, "Id": request, "CompletedTimestamp": int(time.time())}
