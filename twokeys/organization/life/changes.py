"""A new e-mail address: what must hold before AWS is asked, and what remains afterwards. Pure.

https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-update-root-user-email.html
"""

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic_core import PydanticCustomError

from twokeys.organization.life.facts import Facts
from twokeys.organization.model import ACTIVE
from twokeys.settings.values import check_email

SERVICE = "account.amazonaws.com"
"""The service principal of AWS Account Management, which changes member accounts only with trusted access."""


@dataclass(frozen=True)
class Check:
    """One precondition: what must hold, whether it does, and the next step where it does not."""

    what: str
    ok: bool
    next_step: str = ""


def email_checks(facts: Facts, account: str, address: str) -> list[Check]:
    """What StartPrimaryEmailUpdate needs. An address outside the organization that is taken shows at the call only."""
    return [*_there(facts, account), _is_address(address), *_unused(facts, account, facts.id_of(account), address)]


def remaining(facts: Facts, account: str, address: str) -> list[str]:
    """What is left to do once AWS has the new address."""
    local, _, domain = facts.settings.root_email.rpartition("@")
    edit = (
        f"take `email` out of `twokeys:accounts.{account}` in {facts.file}"
        if address == f"{local}+{account}@{domain}"
        else f"write `email: {address}` under `twokeys:accounts.{account}` in {facts.file}"
    )
    return [edit, f"let the state learn it: `{facts.refresh}`", f"see that nothing changes: `{facts.preview}`"]


def _there(facts: Facts, account: str) -> Iterator[Check]:
    yield Check(
        f"trusted access of {SERVICE} is on",
        SERVICE in facts.organization.trusted_services,
        f"add {SERVICE} to organization.trustedServices of the management stack and update it",
    )
    there = facts.at_aws(account)
    yield Check(
        f"account {account} is in the state and ACTIVE at AWS",
        there is not None and there.state == ACTIVE,
        f"update the stack first: {facts.update}" if there is None else f"it is {there.state}: nothing of it changes",
    )


def _is_address(address: str) -> Check:
    try:
        check_email(address)
    except PydanticCustomError as error:
        return Check(f"{address} is an address for an account: {error.message()}", False, "give another address")
    return Check(f"{address} is an address for an account", True)


def _unused(facts: Facts, account: str, own_id: str, address: str) -> Iterator[Check]:
    taken = address.casefold()
    users = [
        f"account {one.name} ({one.id}, {one.state})"
        for one in facts.organization.accounts
        if one.id != own_id and one.email.casefold() == taken
    ]
    settings = facts.settings
    users += ["rootEmail"] if settings.root_email.casefold() == taken else []
    users += [
        f"accounts.{other} of {facts.file}"
        for other in settings.accounts
        if other != account and settings.email_of(other).casefold() == taken
    ]
    yield Check(
        "no other account has or is to have the address, closed ones included"
        + (f": it is that of {', '.join(dict.fromkeys(users))}" if users else ""),
        not users,
        "give an address of its own: AWS never gives one to a second account",
    )
