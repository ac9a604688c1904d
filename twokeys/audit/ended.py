"""Memberships, assignments and doors that ended in the period: who came by one before its end, and who after it. Pure.

The records alone tell of memberships and assignments; that there was another door, only states of before do.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from twokeys.answers.model import Answers, KeyPlace, Party, Step
from twokeys.audit.changes import LETS_IN
from twokeys.audit.history import History
from twokeys.audit.record import Use
from twokeys.audit.stood import AFTER
from twokeys.audit.trail import Change
from twokeys.audit.who_called import called, who_began
from twokeys.audit.whom import is_by, principal_of, whom_entered
from twokeys.doors import Who
from twokeys.iam import PolicyDocument
from twokeys.shown import in_utc


@dataclass(frozen=True, slots=True)
class Had:
    """What somebody had of groups and assignments at a moment, as calls tell: each with the call that tells it."""

    before: dict[Who, Change]
    """What was there before the records, and not ended yet."""
    given: dict[Who, Change]
    """What a call of the period gave: nobody may have known of it."""
    over: dict[Who, Change]
    """What had ended."""


@dataclass(frozen=True, slots=True)
class Gone:
    """A door that older states have, of `since`, and those of now do not have, of `until`.

    `calls` are the calls of between about each of its keys, in order, each with whether it took the key away.
    """

    door: Step
    since: datetime
    until: datetime
    calls: tuple[tuple[tuple[Use, bool], ...], ...]

    def ended(self, time: datetime) -> Use | None:
        """The call by which it was gone at a moment: the last before it about some key took that key away."""
        last = (next((call for call in reversed(each) if call[0].time < time), None) for each in self.calls)
        return min((call[0] for call in last if call and call[1]), key=lambda use: use.time, default=None)

    def is_over(self, time: datetime, *, surely: bool) -> bool:
        """Whether it was gone at a moment: perhaps so where no call tells when it went."""
        if self.ended(time) or time > self.until:
            return True
        later = any(ends and use.time >= time for each in self.calls for use, ends in each)
        return not surely and time > self.since and not later


def gone_doors(history: History) -> list[Gone]:
    """The doors of older states, into the accounts that are asked for and on the way, that those of now do not have, or
    that ask for something else now.
    """
    answers, before = history.answers, history.answers.before
    moments = [one.moment for one in answers.evidence if one.moment]
    if before is None or not moments:
        return []
    first, there = min(one.moment for one in before.evidence if one.moment), {*map(_as_it_was, answers.steps)}
    found = []
    ways = [way for way in before.all_ways if way.account in answers.accounts]
    for step in {step.ends: step for way in ways for step in way.steps if _as_it_was(step) not in there}.values():
        calls = []
        for key in step.keys:
            of_whom = (one for one in history.of.get(key.held[:3], ()) if one.use.time > first)
            told = ((one, _ends(one, key, before)) for one in of_whom)
            calls.append(tuple((one.use, ends) for one, ends in told if ends or one.held == key.held))
        found.append(Gone(step, first, max(moments), tuple(calls)))
    return found


def _as_it_was(door: Step) -> object:
    """What tells a door from others, and from itself at another time."""
    return door.ends, door.requirements


def _ends(one: Change, key: KeyPlace, before: Answers) -> bool:
    """Whether a call about its holder takes a key away: the document, what joins it, its statement, or the holder."""
    if one.held != key.held:
        return one.call.deletes
    said = before.holds.get(key.held)
    if one.policy is None or key.statement is None or not said or not isinstance(said.policy, PolicyDocument):
        return one.undone or one.call.deletes or one.call.writes is not None
    return not any(map(said.policy.statements[key.statement].part_of, one.policy.statements))


def _takes(one: Change) -> bool:
    return one.undone or one.call.deletes


class Ended:
    """Memberships and assignments of those whom the sources know by their ids, as calls gave and ended them; and `gone`
    doors.
    """

    def __init__(self, history: History, gone: Sequence[Gone] = ()) -> None:
        self._answers = answers = history.answers
        self._gone = {_as_it_was(one.door): one for one in gone}
        self._of: dict[Who | None, list[tuple[Who, list[Change]]]] = defaultdict(list)
        for one in (calls[0] for key, calls in history.of.items() if key[0] in LETS_IN):
            ends = (each for each in history.deletes.get(one.whom, ()) if each.use.time > one.use.time)
            calls = sorted((*history.of[one.key], *ends), key=lambda each: each.use.time)
            if principal := principal_of(one, answers):
                for where in whom_entered(one, answers.accounts, answers):
                    self._of[where].append((principal, calls))

    def about(self, use: Use) -> Had:
        """What an entry's caller had when it came. Of calls in its second either may have been before it."""
        had = Had({}, {}, {})
        for who, calls in self._of.get(Party(use.target, use.arn).permission_set, ()):
            if is_by(calls[0], use, self._answers):
                last = next((one for one in reversed(calls) if one.use.time < use.time), None)
                given = last if last and not _takes(last) else None
                given = next((one for one in calls if one.use.time == use.time and not _takes(one)), given)
                if given:
                    had.given[who] = given
                elif last:
                    had.over[who] = last
                elif _takes(calls[0]):
                    had.before[who] = calls[0]
        return had

    def after(self, one: Change | Step, time: datetime) -> str:
        """Of an entry at a moment, that it was after the end of what somebody had, or of a door, in words."""
        if isinstance(one, Step):
            gone = self._gone[_as_it_was(one)]
            what, use = f"the door into {one.target.short}", gone.ended(time)
            end = use.time if use else gone.until
        else:
            what, end, use = called(one.of[1], self._answers), one.use.time, one.use
        by = f"{use.event} by {who_began(use, self._answers)}" if use else "gone from the states"
        return f"{AFTER} {what} ({in_utc(end)}, {by})"

    def is_over(self, door: Step, time: datetime, *, surely: bool = True) -> bool:
        """Whether a door was gone by then, surely or perhaps."""
        gone = self._gone.get(_as_it_was(door))
        return gone is not None and gone.is_over(time, surely=surely)
