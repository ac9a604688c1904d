"""What CloseAccount allows, and how long it takes: AWS's figures, or those of `closing.json` in the server's folder.

https://docs.aws.amazon.com/organizations/latest/APIReference/API_CloseAccount.html
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ministack.core import persistence

_DAY = 86400.0
_MOST = 1000
FILE = "closing.json"
"""Beside the server's log; it is read at each call, so that whoever learns or tests need not wait for 90 days."""


@dataclass(frozen=True)
class Limits:
    """The quotas of closing accounts.

    Attributes:
        quota: closings in `window_days`; None is AWS's rule, the higher of 250 and 20 % of the members, 1,000 at most.
        at_once: closings under way at the same time.
        pending_seconds: how long an account is PENDING_CLOSURE (minutes on AWS, none here).
        kept_days: how long a closed account stays in the organization.
    """

    quota: int | None = None
    at_once: int = 3
    pending_seconds: float = 0
    window_days: float = 30
    kept_days: float = 90

    def pending(self, closed_at: float, now: float) -> bool:
        """Whether an account that was closed then (seconds since the epoch) is still being closed."""
        return now < closed_at + self.pending_seconds

    def over(self, closed_at: float, now: float) -> bool:
        """Whether its time in the organization is over."""
        return now >= closed_at + self.kept_days * _DAY

    def refusal(self, closed: Iterable[float], *, members: int, now: float) -> tuple[str, str] | None:
        """The reason and the message with which AWS refuses one more closing, or None."""
        times = list(closed)
        quota = self.quota if self.quota is not None else min(_MOST, max(250, math.floor(members * 0.2)))
        if sum(now < closed_at + self.window_days * _DAY for closed_at in times) >= quota:
            return (
                "CLOSE_ACCOUNT_QUOTA_EXCEEDED",
                f"You have exceeded close account quota for the past 30 days ({quota}).",
            )
        if sum(self.pending(closed_at, now) for closed_at in times) >= self.at_once:
            return (
                "CLOSE_ACCOUNT_REQUESTS_LIMIT_EXCEEDED",
                f"You attempted to exceed the number of accounts that you can close at a time ({self.at_once}).",
            )
        return None


def limits() -> Limits:
    """Those that hold now."""
    file = Path(persistence.STATE_DIR).parent / FILE
    return Limits(**json.loads(file.read_text())) if file.exists() else Limits()
