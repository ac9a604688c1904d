"""Working through the queue of accounts to close until it is empty or AWS says stop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from twokeys.errors import Refusal
from twokeys.organization.life.aws import NotClosedError
from twokeys.organization.life.closing import Standing

QUOTA = "CLOSE_ACCOUNT_QUOTA_EXCEEDED"
AT_ONCE = "CLOSE_ACCOUNT_REQUESTS_LIMIT_EXCEEDED"
"""https://docs.aws.amazon.com/organizations/latest/APIReference/API_CloseAccount.html, ConstraintViolationException"""
_PAUSE_SECONDS = 15.0
_PATIENCE_SECONDS = 600.0


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
