"""Which accounts are to be closed now, which later, and which must not be; and working through the queue of them.

The queue is derived and stored nowhere: config says `closed` and the account's id, the state holds nothing of it any
more, and AWS has it ACTIVE, with the address that config says: an id that was mistaken closes nothing. So a run that
was cut short, or that AWS stopped, simply goes on.
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_close.html
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Literal

from twokeys.errors import Refusal
from twokeys.organization.findings import Plain
from twokeys.organization.life.aws import NotClosedError
from twokeys.organization.life.facts import Facts
from twokeys.organization.model import ACTIVE, CLOSED, CLOSING
from twokeys.shown import listed

WINDOW = timedelta(days=30)
QUOTA = "CLOSE_ACCOUNT_QUOTA_EXCEEDED"
AT_ONCE = "CLOSE_ACCOUNT_REQUESTS_LIMIT_EXCEEDED"
"""https://docs.aws.amazon.com/organizations/latest/APIReference/API_CloseAccount.html, ConstraintViolationException"""
_PAUSE_SECONDS = 15.0
_PATIENCE_SECONDS = 600.0
Place = Literal["queued", "refused", "closing", "closed", "gone"]


@dataclass(frozen=True)
class Standing(Plain):
    """Where an account that config calls closed stands, why, and what comes next."""

    account: str
    id: str
    place: Place
    why: str
    next_step: str = ""


def goes_on(now: datetime) -> str:
    """When more may be closed once the quota is used up, as a sentence's end."""
    latest = f"{now + WINDOW:%Y-%m-%d}"
    return f"by {latest} at the latest: the quota counts 30 days back, and AWS does not tell when accounts were closed"


def standings(facts: Facts) -> list[Standing]:
    """Every account that config calls closed, in the order of the config, which is the order of the queue."""
    closed = facts.settings.accounts_in("closed")
    return [_standing(facts, account) for account in closed]


def _standing(facts: Facts, account: str) -> Standing:
    identifier, there = facts.id_of(account), facts.at_aws(account)
    stands = partial(Standing, account, identifier)
    if there is None:
        return stands("gone", "AWS does not have it, or has let it go", f"remove its entry from {facts.file}")
    email = facts.settings.email_of(account)
    if there.email.casefold() != email.casefold():
        why = f"the account with this id has the address {there.email}, and config says {email}"
        return stands("refused", why, f"correct `adopt` or `email` of accounts.{account} in {facts.file}")
    if there.state == CLOSING:
        return stands("closing", "AWS is closing it")
    if there.state in CLOSED:
        why = f"it is {there.state}; AWS keeps it for 90 days after its closing"
        return stands("closed", why, "keep its entry until AWS has let it go")
    if identifier == facts.organization.management_account:
        return stands("refused", "it is the management account", "take it out of `accounts`")
    if left := facts.left.get(account):
        step = f"take its protection out of the state (`pulumi state unprotect`) and update the stack: {facts.update}"
        return stands("refused", f"the state still holds {listed(left)}", step)
    if identifier in facts.organization.delegated_administrators:
        why = "it is a delegated administrator, and AWS closes none"
        step = "give the service to another account (audit.delegatedAdministrators) and update the management stack"
        return stands("refused", why, step)
    if there.state != ACTIVE:
        return stands("refused", f"it is {there.state}", "see what AWS says of it, and run this again")
    return stands("queued", "nothing of it is in the state any more, and AWS has it ACTIVE")


@dataclass(frozen=True)
class Outcome:
    """What became of the queue: `stopped` is why it ended early, as AWS put it; `failed`, whether that is an error."""

    closed: tuple[Standing, ...] = ()
    refused: tuple[Standing, ...] = ()
    queued: tuple[Standing, ...] = ()
    stopped: str = ""
    failed: bool = False

    @property
    def used_up(self) -> bool:
        """Whether the quota of 30 days ended it."""
        return self.stopped.startswith(QUOTA)


def work_through(queue: Sequence[Standing], close: Callable[[str], None], sleep: Callable[[float], None]) -> Outcome:
    """Close one account after the other, in order.

    AWS closes a few at a time: then it is asked again every 15 seconds, for 10 minutes without progress. An account
    that AWS refuses by itself is left, and the next one is tried. `close` raises NotClosedError when AWS refuses, and
    Refusal when it cannot be asked.
    """
    closed: list[Standing] = []
    refused: list[Standing] = []
    for index, one in enumerate(queue):
        waited = 0.0
        while True:
            try:
                close(one.id)
            except NotClosedError as error:
                if error.reason == AT_ONCE and waited < _PATIENCE_SECONDS:
                    sleep(_PAUSE_SECONDS)
                    waited += _PAUSE_SECONDS
                    continue
                if error.reason in (QUOTA, AT_ONCE):
                    said = f"{error.reason}: {error}"
                    return Outcome(tuple(closed), tuple(refused), tuple(queue[index:]), said)
                why = f"AWS refuses to close it: {error.reason}: {error}"
                step = "correct what AWS names, and run this again"
                refused.append(replace(one, place="refused", why=why, next_step=step))
            except Refusal as refusal:
                said = f"{refusal.where}: {refusal.why}"
                return Outcome(tuple(closed), tuple(refused), tuple(queue[index:]), said, failed=True)
            else:
                closed.append(replace(one, place="closing", why="AWS is closing it"))
            break
    return Outcome(tuple(closed), tuple(refused))
