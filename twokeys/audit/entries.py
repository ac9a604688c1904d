"""Which doors explain an entry, surely or perhaps and why only so; and how each door and way was used: a way through
other roles only as far as its sessions follow each other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from itertools import chain

from twokeys.access.model.names import EVERY_SERVICE
from twokeys.access.model.requirements import EXTERNAL_ID, MFA, in_words, is_mfa, met, requires_mfa, window
from twokeys.answers.model import Answers, Party, Step, Way
from twokeys.audit.changes import ASSIGNS, JOINS
from twokeys.audit.ended import Ended
from twokeys.audit.record import BY_PROVIDER, EARLIER, ENTERING, ROOT, SESSION, SESSIONS, Use
from twokeys.audit.stood import BRIEFLY
from twokeys.audit.trail import LONGEST
from twokeys.doors import Who
from twokeys.iam import Requirement
from twokeys.iam.external_id import is_external_id
from twokeys.iam.globs import Glob
from twokeys.iam.truth import Truth
from twokeys.shown import in_utc

_OTHERWISE = "the trust was another then, or the door was not used"
"""How AWS, which refuses a call that does not meet a condition of the door, came to let it in."""
_ANOTHER_ID = "caller or role has another unique id than in what was read"
_NO_BEGINNING = "its AssumeRole is in no record"
_ANOTHER_PATH = "role has another path than in what was read"
_BEFORE = "the session began before the period, and nothing shows who began it"
_NOT_NAMED = "the record does not name the caller"
_BRIEFLY = f"by {{}} {BRIEFLY}"
_BY = {ASSIGNS: "an assignment", JOINS: "a membership"}
_MAY_BE_GONE = "the door is in the older states alone, and may have been gone by then"
_NOT_SHOWN = "nothing shows whether the caller is whom the door is for"
_UNKNOWN_MANAGEMENT = Who("root", "")
"""Whom AWS's own access role lets in where nothing tells which account that is."""
_HIDDEN = ((MFA, lambda one: requires_mfa([one])), (EXTERNAL_ID, is_external_id))
"""What a record may not tell of, and which requirements are of it."""
_ANY_PROVIDER = "any identity provider "
"""How a door's source begins that is of no provider in particular."""


class Usage(Enum):
    """Whether a door was used in the period; of one without a record of use, whether it was there at all."""

    USED = "used"
    PERHAPS = "perhaps used"
    BEGUN_SO = "used only by sessions that began without a door"
    NEVER = "no record of use"
    LATER = "made after the period"
    NOT_KNOWN = "not known"


@dataclass(frozen=True, slots=True)
class DoorUse:
    """How one door was used: by the entries that are surely its own, and by those that `may_be`.

    `last`, `sessions` and `identities` are of the first of its uses that there are: the sessions of the
    callers, their source identities. A door without keys is one that the picture cannot prove open or shut: what used
    it shows that it was open.
    """

    door: Step
    sure: Sequence[Use]
    may_be: Sequence[Use]
    begun_so: Sequence[Use] = ()
    """Those by it of sessions that themselves began without a door."""
    not_known: str = ""
    """Why there may be entries that are not among the records, in words; empty where they would be."""
    covered: tuple[datetime, datetime] | None = None
    """From when to when the records would have them; None where they might not."""
    without_digests: bool = False
    """Whether log files alone cover it, so that a gap within a day would not show."""

    @property
    def count(self) -> int:
        """How many entries are surely its own."""
        return len(self.sure)

    @property
    def perhaps(self) -> int:
        """How many entries may be its own."""
        return len(self.may_be)

    @property
    def last(self) -> datetime | None:
        """When it was used last."""
        return self._uses[-1].time if self._uses else None

    @property
    def sessions(self) -> list[str]:
        """The callers' sessions."""
        return [*dict.fromkeys(use.caller_session for use in self._uses if use.caller_session)]

    @property
    def identities(self) -> list[str]:
        """The callers' source identities."""
        return [*dict.fromkeys(use.source_identity for use in self._uses if use.source_identity)]

    @property
    def _uses(self) -> Sequence[Use]:
        return self.sure or self.may_be or self.begun_so

    @property
    def usage(self) -> Usage:
        """Used, perhaps used or without a record of use; not known where an entry may be missing."""
        made = self.door.since.first
        later = self.covered is not None and made is not None and made > self.covered[1]
        unused = Usage.LATER if later else Usage.BEGUN_SO if self.begun_so else Usage.NEVER
        unused = Usage.NOT_KNOWN if self.not_known else unused
        return Usage.USED if self.sure else Usage.PERHAPS if self.may_be else unused

    def by(self, entries: UsesOfDoors) -> DoorUse:
        """How somebody used it, of whom these are all entries."""
        sure, may_be, begun_so = entries[self.door.ends]
        return replace(self, sure=sure, may_be=may_be, begun_so=begun_so)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry, or one use of a step on the way, and the doors that explain it: surely, or perhaps and why only so."""

    use: Use
    doors: tuple[Step, ...]
    perhaps: str = ""
    on_the_way: bool = False
    begun_so: tuple[Step, ...] = ()
    """Those that would, if the session that came had not begun without a door."""
    unmet: tuple[str, ...] = ()
    """What each door asks for and the call, as its record shows, did not meet, or that it stood briefly, in words."""
    not_shown: tuple[str, ...] = ()
    """What each door asks for and the record does not tell of: MFA, an external ID."""


UsesOfDoors = defaultdict[tuple[Who, Who], tuple[list[Use], list[Use], list[Use]]]
"""By its ends, what surely and what perhaps used each door, and by sessions begun without one, in order of time."""


def uses_of_doors(entries: Iterable[Entry]) -> UsesOfDoors:
    """What used the doors, of these entries."""
    found: UsesOfDoors = defaultdict(lambda: ([], [], []))
    for one in entries:
        for door in one.doors:
            found[door.ends][bool(one.perhaps)].append(one.use)
        for door in one.begun_so:
            found[door.ends][2].append(one.use)
    return found


def way_use(way: Way, used: Mapping[tuple[Who, Who], DoorUse]) -> DoorUse:
    """How a way was used, of the uses of doors: as its door, or as its last one by sessions that follow each other.

    It is perhaps used where each of its doors was and no access key ties their sessions.
    """
    doors = [used[step.ends] for step in way.steps]
    if len(doors) == 1:
        return doors[0]
    if through := _through(doors):
        return replace(doors[-1], sure=through, may_be=())
    usages = [one.usage for one in doors]
    if unused := [doors[usages.index(one)] for one in (Usage.LATER, Usage.NEVER, Usage.BEGUN_SO) if one in usages]:
        return unused[0]
    if Usage.NOT_KNOWN not in usages and (follow := _may_follow_each_other(doors)):
        return replace(doors[-1], sure=(), may_be=follow)
    return replace(max(doors, key=lambda one: (one.usage is Usage.NOT_KNOWN, one.not_known != "")), sure=(), may_be=())


def _through(doors: Sequence[DoorUse]) -> Sequence[Use]:
    """The uses of the last door by sessions that uses of the one before began, and so on, by their access keys."""
    through, *more = (one.sure for one in doors)
    for uses in more:
        keys = {use.key for use in through if use.key}
        through = [use for use in uses if use.by in keys]
    return through


def _may_follow_each_other(doors: Iterable[DoorUse]) -> Sequence[Use]:
    """The uses of the last door by sessions that uses of the one before may have begun, and so on, by key and time."""
    before, *more = ([*one.sure, *one.may_be] for one in doors)
    for uses in more:
        before = [use for use in uses if any(_may_follow(use, one) for one in before)]
    return before


def _may_follow(use: Use, before: Use) -> bool:
    if use.by and before.key:
        return use.by == before.key
    return timedelta() <= use.time - before.time <= LONGEST


class Doors:
    """The doors that may explain a use."""

    def __init__(self, doors: Iterable[Step], answers: Answers, ended: Ended) -> None:
        self._answers, self._ended = answers, ended
        self._third_parties = {way.source.who.account for way in answers.ways if way.third_party} - {""}
        self._into: dict[tuple[str, str], list[Step]] = defaultdict(list)
        for door in doors:
            self._into[door.target.who.kind, door.target.who.account].append(door)
        self._ids: dict[Who, set[str]] = defaultdict(set)
        for unique_id, party in answers.principals.items():
            self._ids[party.who].add(unique_id)

    def explain(self, use: Use, *, on_the_way: bool = False) -> Entry:
        """A use with the doors that explain it.

        A door of the principal itself comes before a door of its account as a whole, which is surely that of an unnamed
        principal, too, if no other door may be. So is any only door of a third party's account, whose records nobody
        has: AWS lets in nobody else of it. Of whom the sources know the unique id, another id is not theirs; one
        with their name, of before or after they were made anew, perhaps used the door, as did a call that meets
        the conditions of no such door, which AWS refuses.
        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-accounts
        """
        had = self._ended.about(use)
        over = {one.whom: one.until for one in had if one.until and one.is_over(use.time)}
        there = [one for one in had if not one.is_over(use.time)]
        ended = {one.whom for one in there if one.until}
        into = [
            door
            for door in self._into[use.target.kind, use.account]
            if _is_end(door.target.who, use.target) and _comes_by(door.source.who, use.event)
            if door.source.who not in over
        ]
        late = [door for door in into if self._ended.is_over(door, use.time)]
        into = [door for door in into if door not in late]
        if not on_the_way:  # by an assignment that no state shows
            gone = ended - {door.source.who for door in into}
            into += [Step(Party(who), self._answers.named(Party(use.target, use.arn)), (), None, ()) for who in gone]
        asked = {id(door): _asked(door, use) for door in into}
        unmet = {number: tuple(_unmet(use, each)) for number, each in asked.items()}
        found, sure = self._whose(use, _each_once([door for door in into if not unmet[id(door)]]))
        if not found:
            found, sure = self._whose(use, _each_once(into))
        lacks = tuple(dict.fromkeys(chain.from_iterable(unmet[id(door)] for door in found)))
        lacks = (_NO_BEGINNING,) if use.event == SESSION else lacks
        if not found:
            groups = [door.source.who.label for door in into if self._is_member(use, door) is False]
            given = any(one.since for one in there)
            shown = "that a state shows" if given else "that is shown"
            lacks += tuple(f"in no membership of {group} {shown}" for group in dict.fromkeys(groups))
            ends = [*(() if given else over.values()), *self._whose(use, late)[0]]
            lacks += tuple(self._ended.after(one, use.time) for one in ends)
            return Entry(use, (), on_the_way=on_the_way, unmet=lacks)
        why = _BEFORE if use.event == EARLIER else _ANOTHER_ID if self._is_another(use) else ""
        why = why or ("" if sure else _NOT_SHOWN if use.names_caller else _NOT_NAMED)
        why = why or (_MAY_BE_GONE if all(self._ended.is_over(door, use.time, surely=False) for door in found) else "")
        path = _ANOTHER_PATH if all(_has_another_path(door, use) for door in found) else ""
        untold = [[each for each, is_met in asked[id(door)] if is_met is Truth.FREE] for door in found]
        not_shown = tuple(what for what, is_it in _HIDDEN if all(any(map(is_it, each)) for each in untold))
        perhaps = "; ".join(filter(None, (why, path, *lacks)))
        taken = (one for one in there if one.since and one.until and one.since.held not in self._answers.holds)
        brief = {one.whom: one.gives for one in taken}
        each_by = dict.fromkeys(brief.get(door.source.who, "") for door in found)
        briefly = () if "" in each_by else (_BRIEFLY.format(" or ".join(_BY[one] for one in each_by)),)
        return Entry(use, tuple(found), perhaps, on_the_way, (), (*lacks, *briefly), not_shown)

    def _whose(self, use: Use, into: list[Step]) -> tuple[list[Step], bool]:
        """Whose of these doors a use is, by who came, and whether surely."""
        own = [door for door in into if _is(door.source.who, use.caller.who) or self._is_member(use, door) is True]
        wide = [door for door in into if _lets_in_all(door.source.who, use.caller.who)]
        may_be = [door for door in into if self._may_be_by(use, door)]
        alone = wide == may_be or (len(may_be) == 1 and use.caller.who.account in self._third_parties)
        sure = own or (wide if use.names_caller else may_be if alone else [])
        return sure or may_be, bool(sure)

    def _may_be_by(self, use: Use, door: Step) -> bool:
        """Whether who came may be whom a door is for: anybody, of a session whose beginning has no record."""
        if use.event in (ROOT, *SESSIONS) and not use.names_caller:
            return True
        by_id = use.unique_id if not use.names_caller else None
        another = by_id and _has_another_id(door.source.who, by_id, self._ids)
        return _may_be(use.caller.who, door.source.who) and self._is_member(use, door) is not False and not another

    def _is_member(self, use: Use, door: Step) -> bool | None:
        """Whether the caller is in the group that a door is for; None where nothing shows it, or it is for no group."""
        caller, group = use.caller.who, door.source.who
        if (caller.kind, group.kind) != ("identity-center-user", "identity-center-group"):
            return None
        joined = [one for one in self._ended.about(use) if one.whom == group and one.gives == JOINS]
        if any(one.until and not one.is_over(use.time) for one in joined):
            return True
        is_in, before = self._answers.is_member(caller.name, group), self._answers.before
        known = joined or is_in is not False
        was_in = before and not known and before.is_member(caller.name, group)
        return None if was_in else is_in

    def _is_another(self, use: Use) -> bool:
        """Whether a call tells another unique id of its caller or its role than the sources do."""
        shown = ((use.caller.who, use.unique_id), (use.target, use.role_id)) if use.event == "AssumeRole" else ()
        return any(
            unique_id is not None and unique_id not in self._ids.get(who, {unique_id}) for who, unique_id in shown
        )


def _each_once(doors: Sequence[Step]) -> list[Step]:
    """Each door once, as it is now rather than as it was."""
    return [*{door.ends: door for door in reversed(doors)}.values()][::-1]


def _has_another_path(door: Step, use: Use) -> bool:
    """Whether the role of a door has its name and another path: a name is unique in an account, so it was another role.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    """
    return door.target.who == use.target and "" not in (use.arn, door.target.arn) and use.arn != door.target.arn


def _asked(door: Step, use: Use) -> list[tuple[Requirement, Truth]]:
    """What a door asks for, as it is now, and whether a call met it, as far as its record shows.

    What a session does later shows nothing of the call that began it.
    """
    if use.event in SESSIONS:
        return []
    return [(one, met(one, use.lookup)) for one in chain.from_iterable(door.requirements)]


def _unmet(use: Use, asked: Iterable[tuple[Requirement, Truth]]) -> Iterator[str]:
    """What a door asks for and a call did not meet, in words."""
    for one, is_met in asked:
        if is_met is Truth.FALSE:
            opens, closed = window([one])
            if is_mfa(one):
                yield "without the MFA that its door asks for"
            elif is_external_id(one):
                named = "with another external ID than" if use.external_id else "without the external ID that"
                yield f"{named} its door asks for: {_OTHERWISE}"
            elif closed is not None and opens is None and not one.any_of:
                yield f"the door is closed since {in_utc(closed)}: {_OTHERWISE}"
            else:
                yield f"the call does not meet its door's condition {in_words(one)}: {_OTHERWISE}"


def _is_end(end: Who, there: Who) -> bool:
    """Whether an end of a door is who a record tells; how a permission set's role ends is AWS's own, not known before.

    A door for every service is for none in particular.
    """
    same_place = (end.kind, end.account) == (there.kind, there.account)
    return same_place and (end.name == there.name or (end.name != EVERY_SERVICE and Glob(end.name).matches(there.name)))


def _comes_by(source: Who, event: str) -> bool:
    """Whether such a call is how a door's source comes; a door for any provider may be for both kinds of them."""
    if event in SESSIONS:  # nothing tells how it began
        return True
    kinds = ENTERING[event].by_provider if event in ENTERING else ()
    if not kinds:
        return source.kind not in BY_PROVIDER
    return source.kind in kinds or source.name.startswith(_ANY_PROVIDER)


def _is(source: Who, caller: Who) -> bool:
    """Whether a door's source is the caller; a subject may be a pattern, as in `GitHub repo:acme/*`."""
    if source.assigned:
        return caller.kind == "identity-center-user" and Glob(source.assigned).matches(caller.name)
    if source.kind in ("web-identity", "saml"):
        any_provider = source.name.startswith(_ANY_PROVIDER)
        name = f"* {source.name.removeprefix(_ANY_PROVIDER)}" if any_provider else source.name
        return caller.kind == source.kind and Glob(name).matches(caller.name)
    return _is_end(source, caller)


def _lets_in_all(source: Who, caller: Who) -> bool:
    """Whether a door is for the caller's account as a whole, for everyone, or for every service."""
    if source.kind == "root":
        return source.account == caller.account != ""
    every_service = source.kind == caller.kind == "service" and source.name == EVERY_SERVICE
    return every_service or source.kind == "everyone"


def _may_be(caller: Who, source: Who) -> bool:
    """Whether the caller may be the source, as far as is told: a user of a group that nobody shows the members of.

    No record tells of which organization a caller's account is.
    """
    if source.kind in ("everyone", "outsider") or (source.kind, caller.kind) == (
        "identity-center-group",
        "identity-center-user",
    ):
        return True
    if source.name.startswith(_ANY_PROVIDER) and caller.kind in ("saml", "identity-center-user"):
        return True
    if caller.account != source.account:
        return source == _UNKNOWN_MANAGEMENT
    return caller.kind == "principal" or (source.kind == "group" and caller.kind == "user")


def _has_another_id(source: Who, unique_id: str, ids: Container[Who]) -> bool:
    """Whether a unique id is surely not the source's: the sources know hers, or it is one of another kind.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-prefixes
    """
    others = {"AIDA": ("role",), "AROA": ("user", "group")}.get(unique_id[:4], ())
    return source in ids or source.kind in others
