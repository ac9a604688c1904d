"""What stacks ask for, beside what is there: which accounts would be made, taken over, or are there already. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from twokeys.organization.entering import Entrance
from twokeys.organization.model import ACTIVE, Account, Organization
from twokeys.settings.models import MemberSettings, Settings


@dataclass(frozen=True)
class Plan:
    """A stack and its settings."""

    stack: str
    settings: Settings

    def is_part_of(self, other: Plan) -> bool:
        """Whether it is a shard of the other: `prod-001` says again what `prod` says as a whole."""
        return re.fullmatch(rf"{re.escape(other.stack)}-\d+", self.stack) is not None


class Fate(StrEnum):
    """What an update does with an account that config names."""

    CREATE = "create"
    ADOPT = "adopt"
    THERE = "there"
    CLOSED = "closed"


@dataclass(frozen=True)
class Wanted:
    """An account that a stack names.

    `account` is the account of the organization that it is, by its adopted id or its e-mail address.
    """

    stack: str
    key: str
    member: MemberSettings
    name: str
    email: str
    fate: Fate
    account: Account | None

    @property
    def where(self) -> str:
        """How findings name it."""
        return f"accounts.{self.key} of stack {self.stack}"


def wanted(plans: Iterable[Plan], organization: Organization) -> Iterator[Wanted]:
    """Every account of the plans."""
    for plan in plans:
        for key, member in plan.settings.accounts.items():
            email = plan.settings.email_of(key)
            if member.adopt:
                account, fate = organization.account_by_id.get(member.adopt), Fate.ADOPT
            else:
                account = organization.account_by_email.get(email.casefold())
                fate = Fate.THERE if account else Fate.CREATE
            if member.state == "closed":
                fate = Fate.CLOSED
            yield Wanted(plan.stack, key, member, plan.settings.name_of(key), email, fate, account)


def entrances(accounts: Iterable[Wanted], organization: Organization) -> list[Entrance]:
    """The access roles of those that are there and active."""
    return [
        Entrance(one.account.id, one.member.access.role, one.member.access.external_id)
        for one in accounts
        if one.account is not None
        and one.account.state == ACTIVE
        and one.account.id != organization.management_account
        and one.fate is not Fate.CLOSED
    ]
