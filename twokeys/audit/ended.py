"""Memberships, assignments and doors that ended in the period: who came by one before its end, and who after it. Pure.

The records alone tell of memberships and assignments; that there was another door, only states of before do.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from twokeys.answers.model import BOUNDARY, KeyPlace, Step
from twokeys.audit.bearing import is_about_roles
from twokeys.audit.changes import LETS_IN
from twokeys.audit.history import FIRST, LAST, History
from twokeys.audit.record import Use
from twokeys.audit.stood import AFTER
from twokeys.audit.trail import Change
from twokeys.audit.who_called import called, who_began
from twokeys.audit.whom import is_by, principal_of, whom_entered
from twokeys.doors import Who
from twokeys.iam import PolicyDocument
from twokeys.shown import in_utc


class Had(NamedTuple):
    """A membership or an assignment that somebody had, as calls `give` it: from which call until which one. None is of
    what was there before the records, or at their end.
    """

    whom: Who
    gives: str
    since: Change | None
    until: Change | None

    def is_over(self, time: datetime) -> bool:
        """Whether it was by then."""
        return self.until is not None and self.until.use.time < time


def _as_it_was(door: Step) -> object:
    """What tells a door from others, and from itself at another time."""
    return door.ends, door.requirements


def _about(key: KeyPlace, history: History, since: datetime) -> Iterator[tuple[Use, bool]]:
    """The calls about a key of an older state since then, each with whether it took the key away: the document, what
    joins it, its statement, or the holder.
    """
    said = history.answers.before and history.answers.before.holds.get(key.held)
    for one in history.of.get(key.held[:3], ()):
        ends = one.call.deletes
        if one.held == key.held:
            ends = ends or one.undone or one.call.writes is not None
            if one.policy and key.statement is not None and said and isinstance(said.policy, PolicyDocument):
                ends = not any(map(said.policy.statements[key.statement].part_of, one.policy.statements))
        if one.use.time > since and (ends or one.held == key.held):
            yield one.use, ends


def _limits(holder: tuple[str, ...], history: History, since: datetime) -> Iterator[tuple[Use, bool]]:
    """The calls since then that gave whoever holds a grant a boundary, or none, each with whether it allows no role."""
    for one in history.of.get(holder, ()):
        if one.use.time > since and (one.boundary or one.of[2] == BOUNDARY):
            yield one.use, not (one.undone or is_about_roles(one, {}, history.answers))


class Ended:
    """Memberships and assignments of those whom the sources know by their ids, as calls gave and ended them; and
    `doors` of older states, into the accounts that are asked for and on the way, that those of now do not have, or that
    ask for something else now.
    """

    def __init__(self, history: History) -> None:
        self._answers = answers = history.answers
        self._of: dict[Who | None, list[tuple[Change, list[Had]]]] = defaultdict(list)
        for one in (calls[0] for key, calls in history.of.items() if key[0] in LETS_IN):
            if principal := principal_of(one, answers):
                stood = [Had(principal, one.gives, *each) for each in history.stood(one)]
                for where in whom_entered(one, answers.accounts, answers):
                    self._of[where].append((one, stood))
        before, there = answers.before, {*map(_as_it_was, answers.steps)}
        times = [[one.moment for one in each.evidence if one.moment] for each in (before, answers) if each]
        self._since, self._until = min(times[0], default=LAST), max(times[-1], default=LAST)
        ways = [way for way in before.all_ways if way.account in answers.accounts] if before and all(times) else ()
        gone = {step.ends: step for way in ways for step in way.steps if _as_it_was(step) not in there}
        self.doors = [*gone.values()]
        self._calls = {
            _as_it_was(door): [
                *([*_about(key, history, self._since)] for key in door.keys),
                *([*_limits(holder, history, self._since)] for holder in {key.held[:3] for key in door.grants}),
            ]
            for door in self.doors
        }
        """Of each of these doors the calls about its keys and boundaries since then, each with whether it ended it."""

    def about(self, use: Use) -> list[Had]:
        """What an entry's caller had when it came, or before. Of calls in its second either may have been before it."""
        had = []
        for one, stood in self._of.get(use.entered_set, ()):
            if is_by(one, use, self._answers):
                number = bisect_right(stood, use.time, key=lambda each: each.since.use.time if each.since else FIRST)
                had += stood[max(number - 1, 0) : number]
        return had

    def after(self, one: Change | Step, time: datetime) -> str:
        """Of an entry at a moment, that it was after the end of what somebody had, or of a door, in words."""
        if isinstance(one, Step):
            what, use = f"the door into {one.target.short}", self._took(one, time)
            end = use.time if use else self._until
        else:
            what, end, use = called(one.of[1], self._answers), one.use.time, one.use
        by = f"{use.event} by {who_began(use, self._answers)}" if use else "gone from the states"
        return f"{AFTER} {what} ({in_utc(end)}, {by})"

    def _took(self, door: Step, time: datetime) -> Use | None:
        """The call by which a door was gone at a moment: the last before it about some key took that key away."""
        each = self._calls.get(_as_it_was(door), ())
        last = (next((call for call in reversed(calls) if call[0].time < time), None) for calls in each)
        return min((call[0] for call in last if call and call[1]), key=lambda use: use.time, default=None)

    def is_over(self, door: Step, time: datetime, *, surely: bool = True) -> bool:
        """Whether a door was gone by then, surely or, where no call tells when it went, perhaps."""
        of_keys = self._calls.get(_as_it_was(door))
        later = any(ends and use.time >= time for calls in of_keys or () for use, ends in calls)
        perhaps = not surely and time > self._since and not later
        return of_keys is not None and (bool(self._took(door, time)) or time > self._until or perhaps)
