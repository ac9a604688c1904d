"""Until when what each call gave stood, as later calls of the same tell. Pure."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime

from twokeys.answers.model import Answers
from twokeys.audit.bearing import matters, may_deny
from twokeys.audit.changes import MOVES
from twokeys.audit.shown import is_of_nobody_here
from twokeys.audit.trail import Change


def fates(answers: Answers, changes: Sequence[Change]) -> Iterator[tuple[Change, datetime | None, bool]]:
    """Each call that may let more in, until when what it gave stood, if not to the records' end, and whether it may yet
    stand there. Of two calls in one second, which CloudTrail's times are of, either may be the last.

    One that another repeats, or that gives less than a later one, is passed over.
    """
    done = done_of(changes)
    last = {one.key: one for one in done}
    of_same: dict[tuple[str, ...], list[Change]] = defaultdict(list)
    for one in done:
        of_same[one.key].append(one)
        if one.call.deletes:
            of_same[one.whom].append(one)
    for one in done:
        if not one.call.widens or is_of_nobody_here(one, answers) or not matters(one, last, answers):
            continue
        same, time = of_same[one.key], one.use.time
        if one.undone and not may_deny(one, (each for each in same if each.use.time <= time), last, answers):
            continue
        back = one.use.event == MOVES and one.boundary in same[0].parameters.split(", ")[:2]
        if back or (one.use.event == "AttachPolicy" and same[0].undone):  # to where it was, or what bound them before
            continue
        later = [each for each in same if each is not one and each.use.time >= time and _ends(each, one)]
        later += [each for each in of_same[one.whom] if each.use.time > time]
        ends = [each.use.time for each in later]
        if ends or one is same[-1]:
            yield one, min(ends, default=None), {*ends} <= {time}


def _ends(later: Change, one: Change) -> bool:
    """Whether a later call of the same ends what one gave: not one that gives it again, or as much."""
    if later.call.writes is None:
        return later.call.deletes or later.undone != one.undone or later.boundary != one.boundary
    return one.policy is None or later.policy is None or not one.policy.within(later.policy)


def done_of(changes: Sequence[Change]) -> list[Change]:
    """The calls that did something."""
    return [one for one in changes if one.use.failed is None and one.gives]
