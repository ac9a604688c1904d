"""From when until when each key was there, as calls and the states of the period's beginning and end tell. Pure."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain, filterfalse

from twokeys.answers.model import BOUNDARY, Answers
from twokeys.audit.bearing import OF_IDENTITY_CENTER, matters, may_deny
from twokeys.audit.changes import ASSIGNS, CALLS, MOVES, TRUST
from twokeys.audit.shown import is_of_credentials, is_of_nobody_here, is_over, stands_anyway
from twokeys.audit.trail import Change
from twokeys.iam import PolicyDocument

FIRST, LAST = (one.replace(tzinfo=UTC) for one in (datetime.min, datetime.max))
"""Before all that is known, and after it."""
Whom = tuple[str, str, str]
MAKES = {name.partition(":")[2].replace("Delete", "Create") for name, one in CALLS.items() if one.deletes}


class History:
    """What calls did to each key, and until when what they gave stood.

    `done` are the calls that did something, in order of time, `of` these by `Change.key`, by `Change.held` and by whom
    they are of. What a call took away was there before it.
    """

    def __init__(self, changes: Iterable[Change], answers: Answers) -> None:
        self.answers = answers
        self.done = [one for one in changes if one.use.failed is None and one.gives]
        self.of: dict[tuple[str, ...], list[Change]] = defaultdict(list)
        self.deletes: dict[tuple[str, ...], list[Change]] = defaultdict(list)
        self.made: set[Whom] = set()
        """Whom calls made."""
        self._first: list[Change] = []
        for one in self.done:
            trust = (TRUST, *one.whom, "", "") if one.call.deletes else one.key
            if one.whom not in self.made and not {one.key, trust} & self.of.keys():
                self._first.append(one)
            for each in (one.key, one.held, one.whom):
                self.of[each].append(one)
            if one.call.deletes:
                self.deletes[one.whom].append(one)
            if one.use.event in MAKES:
                self.made.add(one.whom)
        self.last = {one.key: one for one in self.done}
        self._assigned = {one.of[2].partition(" ")[0] for one in self.done if one.gives == ASSIGNS}

    def fates(self) -> Iterator[tuple[Change, datetime | None, bool]]:
        """Each call that may let more in, until when what it gave stood, if not to the records' end, and whether it may
        yet stand there. Of two calls in one second, which CloudTrail's times are of, either may be the last.

        One that another repeats, or that gives less than a later one, is passed over.
        """
        answers, position, ended = self.answers, dict[tuple[str, ...], int](), dict[tuple[str, ...], list[int]]()
        for one in self.done:
            same, time = self.of[one.key], one.use.time
            at = position[one.key] = position.get(one.key, -1) + 1
            if not one.call.widens or self._is_of_nobody_here(one) or not matters(one, self.last, answers):
                continue
            wrote = same if one.gives.startswith("Put") else []
            before = (each for each in wrote if each.use.time <= time)
            if one.undone and not may_deny(one, before, self.last, answers):
                continue
            back = one.use.event == MOVES and one.boundary in same[0].parameters.split(", ")[:2]
            back = back or (one.undone and self.of[one.whom][0].use.event in MAKES)  # who was made without it
            if back or (one.use.event == "AttachPolicy" and same[0].undone):  # to where it was, or what bound them
                continue
            end = (ended.get(one.key) or ended.setdefault(one.key, _ended(same)))[at]
            at = next((number for number in range(at, 0, -1) if same[number - 1].use.time < time), 0)
            later = (same[number] for number in chain(range(at, position[one.key]), range(end, len(same))))
            ends = _first((each for each in later if _ends(each, one)), time)
            ends += _first((each for each in self.deletes[one.whom] if each.use.time > time), time)
            if ends or one is same[-1]:
                yield one, min(ends, default=None), {*ends} <= {time}

    def before(self) -> Iterator[tuple[Change, Change | None]]:
        """The calls that took away, or wrote anew, what was there before the records and is not there now; each with
        what that was, as older states have it, as a call that gives it.
        """
        answers, then = self.answers, self.answers.before
        for one in filterfalse(self._is_of_nobody_here, self._first):
            said = then.holds.get(one.held) if then and self.shows(one) else None
            if said and isinstance(said.policy, PolicyDocument) and (one.call.deletes or one.call.writes):
                was = replace(one, policy=said.policy)
                if one.call.deletes and one.of[0] == "role":
                    was = replace(was, gives=TRUST, call=CALLS[f"iam:{TRUST}"])
                if matters(was, self.last, answers) and not stands_anyway(was, self.last, answers):
                    yield one, was
            elif self._took_away(one):
                yield one, None

    def _is_of_nobody_here(self, one: Change) -> bool:
        return one.of[1] not in self._assigned and is_of_nobody_here(one, self.answers)

    def _took_away(self, one: Change) -> bool:
        """Whether a first call took away, or wrote anew, what no state shows."""
        answers, event, then = self.answers, one.use.event, self.answers.before
        is_read = answers.from_states and answers.written.get(one.whom, LAST) <= one.use.time
        if event in {"DeleteRole", "DeleteUser"}:
            return not is_read and OF_IDENTITY_CENTER not in one.use.caller.arn
        if is_of_credentials(one) or not (one.of[1] or one.undone) or not matters(one, self.last, answers):
            return False
        if one.undone:
            return one.held not in answers.holds or is_over(one, self.last)
        writes = one.call.writes or event in {"SetDefaultPolicyVersion", "AttachPolicy"} or one.of[2] == BOUNDARY
        if not writes or event in MAKES or is_read:
            return False
        shows_none = then and one.whom in then.written and one.held not in then.holds and self.shows(one)
        return not (one.call.writes and shows_none)

    def shows(self, one: Change) -> bool:
        """Whether older states show what a call took away or wrote anew, or whose it was."""
        then, account = self.answers.before, one.whom[0]
        if then is None or then.written.get(one.whom, then.written.get((account, "", ""), LAST)) > one.use.time:
            return False
        return one.held in then.holds or one.whom in then.written or one.of[1] in then.principals

    def stood(self, one: Change) -> list[tuple[Change | None, Change | None]]:
        """From which call until which one was there what a call gives or takes, in order of time: None of what was
        there before the records, or is at their end.
        """
        found, since, there = list[tuple[Change | None, Change | None]](), None, self.of[one.key][0].undone
        for each in sorted((*self.of[one.key], *self.deletes[one.whom]), key=lambda each: each.use.time):
            takes = each.undone or each.call.deletes
            if takes and there:
                found.append((since, each))
            if takes is there:
                since, there = None if takes else each, not takes
        return [*found, (since, None)] if there else found

    def at(self, whom: tuple[str, ...], times: Iterable[datetime | None]) -> Iterator[Change]:
        """The calls about somebody in these seconds."""
        calls = self.of.get(whom, [])
        for time in sorted({*filter(None, times)}):
            first, last = (cut(calls, time, key=lambda one: one.use.time) for cut in (bisect_left, bisect_right))
            yield from calls[first:last]


def _first(ends: Iterable[Change], time: datetime) -> list[datetime]:
    """When the first of these calls was, which are in order of time, and the first after a time."""
    found: list[datetime] = []
    for one in ends:
        found.append(one.use.time)
        if one.use.time > time:
            break
    return found


def _ended(same: Sequence[Change]) -> list[int]:
    """The number of the first call that ends what each of these gave, which are all of a key, in order of time.

    What does not end what a later one gave, which is as much, does not end what this one did.
    """
    found = [len(same)] * len(same)
    for number in reversed(range(len(same))):
        end = number + 1
        while end < len(same) and not _ends(same[end], same[number]):
            end = found[end]
        found[number] = end
    return found


def _ends(later: Change, one: Change) -> bool:
    """Whether a later call of the same ends what one gave: not one that gives it again, or as much."""
    if later.call.writes is None:
        return later.call.deletes or later.undone != one.undone or later.boundary != one.boundary
    return one.policy is None or later.policy is None or not one.policy.within(later.policy)
