"""Memberships, assignments and doors that ended in the period: who came by one before its end, and who after it. Pure.

The records alone tell of memberships and assignments; that there was another door, only states of before do.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from twokeys.answers.model import Answers, KeyPlace, Party, Step
from twokeys.audit.changes import LETS_IN
from twokeys.audit.fates import done_of
from twokeys.audit.record import Use
from twokeys.audit.stood import AFTER, Stood
from twokeys.audit.trail import Change
from twokeys.audit.who_called import who_began
from twokeys.audit.whom import is_by, principal_of, set_of, whom_entered
from twokeys.doors import Who
from twokeys.iam import PolicyDocument
from twokeys.shown import in_utc

Whom = Mapping[Who, Stood]


@dataclass(frozen=True, slots=True)
class Gone:
    """A door of older states that those of now do not have: it was surely there until `sure`, and perhaps until `last`.

    `by` is the call that ended it last; without one nothing tells when it went.
    """

    door: Step
    sure: datetime
    last: datetime
    by: Use | None

    def after(self, answers: Answers) -> str:
        """Of an entry, that it was after the door's end, in words."""
        by = f"{self.by.event} by {who_began(self.by, answers)}" if self.by else "gone from the states"
        return f"{AFTER} the door into {self.door.target.short} ({in_utc(self.last)}, {by})"


def gone_doors(answers: Answers, changes: Sequence[Change]) -> list[Gone]:
    """The doors of older states, into the accounts that are asked for and on the way, that those of now do not have."""
    before, there = answers.before, {step.ends for step in answers.steps}
    moments = [one.moment for one in answers.evidence if one.moment]
    if before is None or not moments:
        return []
    done, first = done_of(changes), min(one.moment for one in before.evidence if one.moment)
    found = []
    ways = [way for way in before.all_ways if way.account in answers.accounts]
    for step in {step.ends: step for way in ways for step in way.steps if step.ends not in there}.values():
        ends = [one.use for one in done if one.use.time > first and any(_ends(one, key, before) for key in step.keys)]
        ends.sort(key=lambda use: use.time)
        last = ends[-1].time if ends else max(moments)
        found.append(Gone(step, ends[0].time if ends else first, last, ends[-1] if ends else None))
    return found


def _ends(one: Change, key: KeyPlace, before: Answers) -> bool:
    """Whether a call takes a key away: the document, what joins it to its holder, its statement, or the holder."""
    if one.held != key.held:
        return one.call.deletes and one.whom == key.held[:3]
    said = before.holds.get(key.held)
    if one.policy is None or key.statement is None or not said or not isinstance(said.policy, PolicyDocument):
        return one.undone or one.call.deletes or one.call.writes is not None
    return not any(map(said.policy.statements[key.statement].part_of, one.policy.statements))


class Ended:
    """Those of `stood` that ended, of groups and people whom the sources know by their ids; and `gone` doors."""

    def __init__(self, stood: Iterable[Stood], answers: Answers, gone: Iterable[Gone] = ()) -> None:
        self._answers = answers
        self.gone = {one.door.ends: one for one in gone}
        self._of: dict[Who | None, list[tuple[Who, Stood]]] = defaultdict(list)
        for one in stood:
            principal = principal_of(one.change, answers) if one.until and one.change.gives in LETS_IN else None
            for where in whom_entered(one.change, answers.accounts, answers):
                self._of[where] += [(principal, one)] if principal else []

    def about(self, use: Use) -> tuple[Whom, Whom]:
        """What an entry's caller had when it came, and had had before the records; what had ended before it came.

        What a call of the period gave as well is neither, while it stood: nobody may have known of it.
        """
        where = set_of(Party(use.target, use.arn))
        mine = {who: one for who, one in self._of.get(where, ()) if is_by(one.change, use, self._answers)}
        had = {who: one for who, one in mine.items() if one.until and (one.since or use.time) <= use.time <= one.until}
        over = {who: one for who, one in mine.items() if not had and one.until and one.until < use.time}
        return {who: one for who, one in had.items() if one.since is None}, over

    def is_over(self, door: Step, time: datetime, *, surely: bool = True) -> bool:
        """Whether a door was gone by then, surely or perhaps."""
        gone = self.gone.get(door.ends)
        return gone is not None and time > (gone.last if surely else gone.sure)
