"""How a way was used, by the uses of its doors: through other roles only as far as its sessions follow each other."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from twokeys.answers.model import Way
from twokeys.audit.entries import DoorUse, Usage
from twokeys.audit.record import Use
from twokeys.audit.trail import LONGEST
from twokeys.doors import Who


@dataclass(frozen=True, slots=True)
class WayUse:
    """How a way was used: as its door was; of a way through other roles, `count` times by sessions that follow.

    It is perhaps used where each of its doors was and no access key ties their sessions.
    """

    way: Way
    usage: Usage
    count: int = 0
    perhaps: int = 0
    last: datetime | None = None
    not_known: str = ""


def way_use(way: Way, used: Mapping[tuple[Who, Who], DoorUse]) -> WayUse:
    """How a way was used, of the uses of doors."""
    doors = [used[step.ends] for step in way.steps]
    if len(doors) == 1:
        (one,) = doors
        return WayUse(way, one.usage, one.count, one.perhaps, one.last, one.not_known)
    if through := _through(doors):
        return WayUse(way, Usage.USED, len(through), last=through[-1].time)
    words = {one.usage for one in doors}
    unused = next((one for one in (Usage.LATER, Usage.NEVER) if one in words), None)
    if unused:
        return WayUse(way, unused)
    if Usage.NOT_KNOWN not in words and _may_follow_each_other(doors):
        return WayUse(way, Usage.PERHAPS, last=doors[-1].last)
    not_known = [one for one in doors if one.usage is Usage.NOT_KNOWN] or doors
    why = next((one.not_known for one in not_known if one.not_known), "")
    return WayUse(way, Usage.NOT_KNOWN if why else Usage.NEVER, not_known=why)


def _through(doors: Sequence[DoorUse]) -> Sequence[Use]:
    """The uses of the last door by sessions that uses of the one before began, and so on, by their access keys."""
    through, *more = (one.sure for one in doors)
    for uses in more:
        keys = {use.key for use in through if use.key}
        through = [use for use in uses if use.by in keys]
    return through


def _may_follow_each_other(doors: Iterable[DoorUse]) -> bool:
    """Whether a use of each door may be by the session that a use of the one before began, by access key and time."""
    before: Sequence[Use] | None = None
    for uses in ([*one.sure, *one.may_be] for one in doors):
        before = uses if before is None else [use for use in uses if any(_may_follow(use, one) for one in before)]
    return bool(before)


def _may_follow(use: Use, before: Use) -> bool:
    if use.by and before.key:
        return use.by == before.key
    return timedelta() <= use.time - before.time <= LONGEST
