"""Doors against what CloudTrail saw: doors never used, uses without a door, unusual entries.

docs/audit-events.md says what counts as an entry, as used or perhaps used, as without a door, and as unusual.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import cached_property
from itertools import chain

from twokeys.access.requirements import MFA_BUT_OF_KEYS, in_words, met, window
from twokeys.answers.model import Answers, Party, Step, Way
from twokeys.answers.published import EXTERNAL_ID, MFA
from twokeys.answers.selection import is_person
from twokeys.audit import LEARNING
from twokeys.audit.coverage import Covered
from twokeys.audit.logs import Source
from twokeys.audit.trail import LOGGING, ROOT, SESSION, SIGN_IN, Change, Trail, Use, resolved
from twokeys.doors import Who
from twokeys.iam.globs import Glob
from twokeys.iam.truth import Truth
from twokeys.shown import counted

_ENOUGH = 10
_APART = 2
_OTHERWISE = "the trust was another then, or the door was not used"
"""How AWS, which refuses a call that does not meet a condition of the door, came to let it in."""
_BY_PROVIDER = ("web-identity", "saml", "identity-center-user", "identity-center-group")
"""Who comes by an identity provider: recorded in the role's account only."""
_ANOTHER_ID = "caller or role has another unique id than in what was read"
_NO_BEGINNING = "a session of this role is in the records, its AssumeRole is not"
_NOT_NAMED = "the record does not name the caller"
_NOT_SHOWN = "nothing shows whether the caller is whom the door is for"
_UNKNOWN_MANAGEMENT = Who("root", "")
"""Whom AWS's own access role lets in where nothing tells which account that is."""
_ANY_PROVIDER = "any identity provider "
"""How a door's source begins that is of no provider in particular."""


class Usage(Enum):
    """Whether a door was used in the period."""

    USED = "used"
    PERHAPS = "perhaps used"
    NEVER = "no record of use"
    NOT_KNOWN = "not known"


@dataclass(frozen=True, slots=True)
class DoorUse:
    """How one door was used: `count` entries that are surely its own, `perhaps` that may be.

    `last`, `early`, `sessions` and `identities` are of the sure ones, else of those that may be its own: how many came
    before its keys were made, as far as it is known when; the sessions of the callers; their source identities.

    `proved` is False for a door that the picture cannot prove open or shut: what used it shows that it was open.
    """

    door: Step
    proved: bool
    count: int
    perhaps: int
    last: datetime | None
    early: int = 0
    sessions: tuple[str, ...] = ()
    identities: tuple[str, ...] = ()
    not_known: str = ""
    """Why there may be entries that are not among the records, in words; empty where they would be."""
    covered: tuple[datetime, datetime] | None = None
    """From when to when the records would have them; None where they might not."""
    without_digests: bool = False
    """Whether log files alone cover it, so that a gap within a day would not show."""
    others: int = 0
    """How many of `perhaps` tell another unique id than the source or the role has."""

    @property
    def usage(self) -> Usage:
        """Used, perhaps used or without a record of use; not known where an entry may be missing."""
        unused = Usage.NOT_KNOWN if self.not_known else Usage.NEVER
        return Usage.USED if self.count else Usage.PERHAPS if self.perhaps else unused


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


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry, or one use of a step on the way, and the doors that explain it: surely, or perhaps and why only so."""

    use: Use
    doors: tuple[Step, ...]
    perhaps: str = ""
    on_the_way: bool = False
    unmet: tuple[str, ...] = ()
    """What each door asks for and the call, as its record shows, did not meet, in words."""


@dataclass(frozen=True, slots=True)
class SignIns:
    """The sign-ins of an IAM user at the account's own console that succeeded, in order of time."""

    user: Party
    uses: tuple[Use, ...]


@dataclass(frozen=True, slots=True)
class Unusual:
    """An entry or a failed attempt, and what is unusual about it."""

    use: Use
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came of comparing. `apart` counts what no door stands for, in words; `unreadable` are records that no one
    can tell the role or the time of.

    `steps` lead on within an account or into one that is not asked for; `population` is every entry and every use of
    such a step, in order of time; `asked` is the period that was asked for, `start` and `end` what records span of it.
    """

    start: datetime | None
    end: datetime | None
    learned_until: datetime | None
    doors: tuple[DoorUse, ...]
    unusual: tuple[Unusual, ...]
    apart: dict[str, int]
    unreadable: tuple[str, ...] = ()
    sign_ins: tuple[SignIns, ...] = ()
    sources: tuple[Source, ...] = ()
    asked: tuple[datetime | None, datetime | None] = (None, None)
    coverage: tuple[Covered, ...] = ()
    ways: tuple[WayUse, ...] = ()
    steps: tuple[DoorUse, ...] = ()
    population: tuple[Entry, ...] = ()
    regions: tuple[str, ...] = ()
    """Those that count, where people named them."""
    changes: tuple[Change, ...] = ()
    """The calls that changed, or tried to change, who can enter, in order of time."""

    @property
    def entries(self) -> int:
        """How many of `population` are entries."""
        return sum(not one.on_the_way for one in self.population)

    @property
    def undeclared(self) -> tuple[Use, ...]:
        """The entries that no door explains."""
        return tuple(one.use for one in self.population if not one.doors)

    @property
    def not_begun(self) -> int:
        """How many of the entries are sessions whose AssumeRole is in no record."""
        return sum(one.use.event == SESSION and not one.on_the_way for one in self.population)

    @property
    def not_shown(self) -> dict[str, int]:
        """Of what doors ask for how many entries and uses of steps do not show whether it was there."""
        return dict(Counter(what for one in self.population for what in _not_shown(one)))

    @property
    def not_known(self) -> tuple[int, int]:
        """Of how many doors, and of how many steps on the way, it is not known whether they were used."""
        doors, steps = (sum(one.usage is Usage.NOT_KNOWN for one in of) for of in (self.doors, self.steps))
        return doors, steps

    @property
    def not_readable(self) -> dict[str, str]:
        """The files that cannot be read, and why."""
        return {file: why for source in self.sources for file, why in source.not_readable.items()}

    @property
    def noteworthy(self) -> bool:
        """Whether somebody has to look: at an entry without a door or an unusual one, or for what is not known."""
        known = self.start is not None and not (self.unreadable or self.not_readable or any(self.not_known))
        return bool(self.undeclared or self.unusual or not known)


def compare(
    answers: Answers,
    trail: Trail,
    start: datetime | None = None,
    end: datetime | None = None,
    *,
    learning_days: int = LEARNING,
) -> Comparison:
    """Compare a picture's doors with a trail's uses from `start` to `end`, or in what of that its records span.

    Without a period, as of no records at all, nothing is said of a door.
    """
    asked, uses = (start, end), trail.uses(start, end)
    spanned = _spanned(trail, start, end)
    period = _period(start or spanned[0], end or spanned[1]) if spanned else None
    start, end = spanned or (None, None)
    known = [resolved(use, answers.principals) for use in uses]
    doors, steps = (_Tallies(one if period else ()) for one in _doors(answers))
    ids: dict[Who, set[str]] = defaultdict(set)
    for unique_id, party in answers.principals.items():
        ids[party.who].add(unique_id)
    apart = Counter(dict(_key_calls(answers, trail)))
    judged: list[Use] = []
    population: list[Entry] = []
    for use in known:
        if use.account in answers.accounts:
            other = _apart(use)
            if other is None:
                entry = doors.take(use, ids)
                other = None if entry.doors else _by_service(use, answers)
                population += [] if other else [entry]
            apart += Counter([other] if other else ())
            judged += [] if _needs_no_door(use) else [use]
        if not use.failed and use.event != SIGN_IN and (step := steps.take(use, ids, on_the_way=True)).doors:
            population.append(step)
    on_the_way = {step.source.who.account for way in answers.ways for step in way.steps} - {*answers.accounts}
    signed = [use for use in known if use.account in on_the_way and _is_weak(use)]
    calls = [*_root_calls(answers, trail), *_logging(trail, {*answers.accounts} | on_the_way)]
    users = _users(answers)
    calls += _unknown_keys(answers, trail, users)
    calls += [Unusual(one.use, why) for one in population if one.on_the_way and (why := one.unmet)]
    lacks = {one.use.id: one.unmet for one in population if not one.on_the_way}
    learned = None
    if start is not None:
        learned = start + min(timedelta(days=learning_days), datetime.max.replace(tzinfo=UTC) - start)
    judge = _Judge(answers, trail, *period) if period else None
    by_doors, by_steps = (one.used(judge) if judge else {} for one in (doors, steps))
    used = by_doors | by_steps
    return Comparison(
        start=start,
        end=end,
        learned_until=learned,
        doors=tuple(use for _, use in by_doors.values()),
        unusual=tuple(_unusual([*judged, *signed], learned, users, calls, lacks)),
        apart=dict(sorted(apart.items())),
        unreadable=tuple(trail.unreadable.values()),
        sign_ins=tuple(_sign_ins(judged)),
        sources=tuple(trail.sources),
        asked=asked,
        coverage=tuple(judge.accounts(used)) if judge else (),
        ways=tuple(_way_use(way, used) for way in answers.ways) if judge else (),
        steps=tuple(use for _, use in by_steps.values()),
        population=tuple(sorted(population, key=lambda one: (one.use.time, one.use.id))),
        regions=trail.coverage.only,
        changes=tuple(_changes(trail, {*answers.accounts} | on_the_way)),
    )


def by_person(found: Comparison, answers: Answers) -> Comparison:
    """What one person did, whose answers these are, and how the doors of these ways were used; all, if of nobody.

    A call is the person's that the user made, that carries the person's name as its source identity, or that was made
    in a session which one of the entries began.
    """
    person = answers.person
    if not person:
        return found
    keys: set[str] = set()

    def did(use: Use) -> bool:
        own = is_person(use.caller.who, person) or use.source_identity == person or use.by in keys
        keys.update([use.key] if own and use.key else ())
        return own

    population = tuple(one for one in found.population if did(one.use))
    ways = {id(way) for way in answers.ways}
    steps = {(step.source.who, step.target.who) for way in (*answers.ways, *answers.within) for step in way.steps}
    doors, on_the_way = (
        tuple(one for one in of if (one.door.source.who, one.door.target.who) in steps)
        for of in (found.doors, found.steps)
    )
    return replace(
        found,
        doors=doors,
        steps=on_the_way,
        ways=tuple(one for one in found.ways if id(one.way) in ways),
        population=population,
        unusual=tuple(one for one in found.unusual if did(one.use)),
        sign_ins=tuple(one for one in found.sign_ins if is_person(one.user.who, person)),
        changes=tuple(one for one in found.changes if did(one.use)),
        apart={},
    )


def _changes(trail: Trail, accounts: Container[str]) -> list[Change]:
    found = (one for one in trail.changes.values() if one.everywhere or one.use.account in accounts)
    return sorted(found, key=lambda one: (one.use.time, one.use.id))


def _period(first: datetime, last: datetime) -> tuple[datetime, datetime]:
    """The period that was asked for, up to now."""
    return first, max(first, min(last, datetime.now(UTC)))


def _spanned(trail: Trail, start: datetime | None, end: datetime | None) -> tuple[datetime, datetime] | None:
    """What the records span of a period; None where they have nothing of it."""
    if trail.start is None or trail.end is None:
        return None
    first, last = max(start or trail.start, trail.start), min(end or trail.end, trail.end)
    return (first, last) if first <= last else None


@dataclass(frozen=True)
class _Judge:
    """Where the records of a trail would have a use, from `start` to `end`."""

    answers: Answers
    trail: Trail
    start: datetime
    end: datetime
    _covered: dict[tuple[str, datetime], Covered] = field(default_factory=dict)

    @cached_property
    def stops(self) -> list[tuple[Use, datetime | None]]:
        """The trails that were stopped, each until when."""
        return [*self.trail.stops()]

    @cached_property
    def management(self) -> set[str]:
        """The account that AWS's own access roles trust: its trail may be that of all."""
        return {way.steps[-1].source.who.account for way in self.answers.ways if way.by_access_role}

    @cached_property
    def homes(self) -> set[str]:
        """The regions that stacks work in: those of an account of which that is not told."""
        return {one.region for one in self.answers.accounts.values() if one.region}

    def covered(self, account: str, start: datetime) -> Covered:
        """What is covered of an account from `start` on: the same for each of its doors."""
        if (account, start) not in self._covered:
            stopped = [
                ((use.time, until or self.end), self._stop(use, until)) for use, until in self._stops(account, start)
            ]
            period = (start, self.end)
            found = self.trail.coverage.covered(account, self._home(account), period, self._changed(account), stopped)
            self._covered[account, start] = found
        return self._covered[account, start]

    def _stop(self, use: Use, until: datetime | None) -> str:
        who, end = named(use.caller, self.answers).short, f"to {until:%Y-%m-%d %H:%M} UTC" if until else "on"
        return f"from {use.time:%Y-%m-%d %H:%M} UTC {end}, as {who} called {use.event}"

    def _stops(self, account: str, start: datetime) -> Iterator[tuple[Use, datetime | None]]:
        for use, until in self.stops:
            if use.account in (account, *self.management) and use.time <= self.end and (until is None or until > start):
                yield use, until

    def _home(self, account: str) -> set[str]:
        own = self.answers.accounts.get(account)
        return {own.region} if own and own.region else self.homes

    def _changed(self, account: str) -> datetime | None:
        changes = (
            use.time
            for _, use in self.trail.logging.values()
            if use.event in ("UpdateTrail", "PutEventSelectors") and not use.failed and use.time <= self.end
            if use.account in (account, *self.management)
        )
        return max(changes, default=None)

    def about(self, door: Step, made: datetime | None) -> tuple[str, tuple[datetime, datetime] | None, bool]:
        """Why it is not known whether a door was used, and else of which period it is, and whether without digests.

        Both accounts record a call of AssumeRole, the caller's alone one of AssumeRoot, and the role's alone one by an
        identity provider. What is older than the door's keys does not count.
        """
        source, target = door.source, door.target
        if target.who.kind == "root-user":
            places = [source]
        else:
            places = [target] if source.who.kind in _BY_PROVIDER else [target, source]
        accounts = {one.who.account: one.place for one in places if one.who.account}
        hidden = {source.who.account, target.who.account, ""} & set(self.trail.hidden)
        if hidden:
            return f"it may be in {self.trail.hidden[min(hidden)]}", None, False
        start = max(self.start, made) if made and made <= self.end else self.start
        found = [(place, self.covered(account, start)) for account, place in accounts.items()]
        if covering := [one for _, one in found if one.lacks is None]:
            return "", (start, self.end), all(one.without_digests for one in covering)
        each = (f"{place} is not covered {one.lacks}".rstrip() for place, one in found)
        return "; ".join(each) or "no account has records of it", None, False

    def accounts(self, ends: Iterable[tuple[Who, Who]]) -> Iterable[Covered]:
        """What there is of each account that is asked for, and of those that the ends lead from."""
        accounts = {*self.answers.accounts, *(source.account for source, _ in ends)} - {""}
        names = self.answers.names
        for account in sorted(accounts, key=lambda one: (one not in self.answers.accounts, names.get(one, one))):
            yield self.covered(account, self.start)


@dataclass
class _Tally:
    door: Step
    sure: list[Use] = field(default_factory=list)
    perhaps: list[Use] = field(default_factory=list)
    others: int = 0
    """How many of `perhaps` have another unique id."""

    @property
    def made(self) -> datetime | None:
        return max((datetime.fromisoformat(key.created) for key in self.door.keys if key.created), default=None)

    def use(self, judge: _Judge) -> DoorUse:
        made = self.made
        uses = self.sure or self.perhaps
        early = sum(use.time < made for use in uses) if made else 0
        sessions = tuple(dict.fromkeys(use.caller_session for use in uses if use.caller_session))
        identities = tuple(dict.fromkeys(use.source_identity for use in uses if use.source_identity))
        last = uses[-1].time if uses else None
        about = judge.about(self.door, made)
        found = (len(self.sure), len(self.perhaps), last, early, sessions, identities)
        return DoorUse(self.door, bool(self.door.keys), *found, *about, self.others)


class _Tallies:
    """The doors, each with what used it."""

    def __init__(self, doors: Iterable[Step]) -> None:
        self._all = [_Tally(door) for door in doors]
        self._into: dict[tuple[str, str], list[_Tally]] = defaultdict(list)
        for one in self._all:
            self._into[one.door.target.who.kind, one.door.target.who.account].append(one)

    def used(self, judge: _Judge) -> dict[tuple[Who, Who], tuple[_Tally, DoorUse]]:
        """Each door's tally and what comes of it, by who comes and what is entered."""
        return {(one.door.source.who, one.door.target.who): (one, one.use(judge)) for one in self._all}

    def take(self, use: Use, ids: Mapping[Who, set[str]], *, on_the_way: bool = False) -> Entry:
        """Give a use to the doors that explain it.

        A door of the principal itself comes before a door of its account as a whole, which is surely that of an unnamed
        principal, too, if no other door may be. Of whom the sources know the unique id, another id is not theirs; one
        with their name, of before or after they were made anew, perhaps used the door, as did a call that meets
        the conditions of no such door, which AWS refuses.
        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-accounts
        """
        into = [
            one
            for one in self._into[use.target.kind, use.account]
            if _is_at(one.door.target.who, use.target) and _comes_by(one.door.source.who, use.event)
        ]
        unmet = {id(one): tuple(_unmet(one.door, use)) for one in into}
        found, sure = self._explain(use, ids, [one for one in into if not unmet[id(one)]])
        if not found:
            found, sure = self._explain(use, ids, into)
        other = sure and _is_another(use, ids)
        lacks = tuple(dict.fromkeys(chain.from_iterable(unmet[id(one)] for one in found)))
        lacks = (_NO_BEGINNING,) if use.event == SESSION else lacks
        why = _ANOTHER_ID if other else "" if sure or not found else _NOT_SHOWN if use.told else _NOT_NAMED
        why = "; ".join(filter(None, (why, *lacks)))
        for one in found:
            (one.perhaps if why else one.sure).append(use)
            one.others += other
        return Entry(use, tuple(one.door for one in found), why, on_the_way, lacks)

    @staticmethod
    def _explain(use: Use, ids: Mapping[Who, set[str]], into: list[_Tally]) -> tuple[list[_Tally], bool]:
        """Whose of these doors a use is, by who came, and whether surely."""
        own = [one for one in into if _is(one.door.source.who, use.caller.who)]
        wide = [one for one in into if _lets_in_all(one.door.source.who, use.caller.who)]
        by_id = use.unique_id if not use.told else None
        may_be = [
            one
            for one in into
            if (use.event in (ROOT, SESSION) and not use.told)  # a session whose beginning has no record
            or (
                _may_be(use.caller.who, one.door.source.who)
                and not (by_id and _has_another_id(one.door.source.who, by_id, ids))
            )
        ]
        sure = own or (wide if use.told or wide == may_be else [])
        return sure or may_be, bool(sure)


def _is_another(use: Use, ids: Mapping[Who, set[str]]) -> bool:
    """Whether a call tells another unique id of its caller or its role than the sources do."""
    told = ((use.caller.who, use.unique_id), (use.target, use.role_id)) if use.event == "AssumeRole" else ()
    return any(unique_id is not None and unique_id not in ids.get(who, {unique_id}) for who, unique_id in told)


def _not_shown(entry: Entry) -> Iterator[str]:
    """What each door that explains the call asks for, and the call's record does not tell."""
    for what, shown in ((MFA, entry.use.mfa), (EXTERNAL_ID, entry.use.external_id)):
        told = shown is not None or entry.use.event == SESSION
        if not told and entry.doors and all(what in door.conditions for door in entry.doors):
            yield what


def _unmet(door: Step, use: Use) -> Iterator[str]:
    """What a door asks for, as it is now, and a call did not meet, as far as its record shows, in words.

    What a session does later shows nothing of the call that began it.
    """
    for one in chain.from_iterable(door.requirements) if use.event != SESSION else ():
        if met(one, use.lookup) is Truth.FALSE:
            words, (opens, closed) = in_words(one), window([one])
            if words in (MFA, MFA_BUT_OF_KEYS):
                yield "without the MFA that its door asks for"
            elif words == EXTERNAL_ID:
                named = "with another external ID than" if use.external_id else "without the external ID that"
                yield f"{named} its door asks for: {_OTHERWISE}"
            elif closed is not None and opens is None and not one.any_of:
                yield f"the door is closed since {closed:%Y-%m-%d %H:%M} UTC: {_OTHERWISE}"
            else:
                yield f"the call does not meet its door's condition {words}: {_OTHERWISE}"


def _way_use(way: Way, used: Mapping[tuple[Who, Who], tuple[_Tally, DoorUse]]) -> WayUse:
    pairs = [used[step.source.who, step.target.who] for step in way.steps]
    found, doors = [one for one, _ in pairs], [use for _, use in pairs]
    if len(doors) == 1:
        (one,) = doors
        return WayUse(way, one.usage, one.count, one.perhaps, one.last, one.not_known)
    keys = {use.key for use in found[0].sure if use.key}
    through: list[Use] = []
    for tally in found[1:]:
        through = [use for use in tally.sure if use.by in keys]
        keys = {use.key for use in through if use.key}
    if through:
        return WayUse(way, Usage.USED, len(through), last=through[-1].time)
    words = {one.usage for one in doors}
    if Usage.NEVER in words or Usage.NOT_KNOWN not in words:
        usage = Usage.NEVER if Usage.NEVER in words else Usage.PERHAPS
        return WayUse(way, usage, last=doors[-1].last if usage is Usage.PERHAPS else None)
    return WayUse(way, Usage.NOT_KNOWN, not_known=next(one.not_known for one in doors if one.usage is Usage.NOT_KNOWN))


def _apart(use: Use) -> str | None:
    """Why a use is no entry, in words."""
    failed = "failed " if use.failed is not None else ""
    if use.event == SIGN_IN:
        whose = "the root user" if use.caller.who.kind == "root-user" else "IAM users"
        return f"{failed}sign-ins of {whose} within the account"
    if _needs_no_door(use):
        whence = "by AWS services" if use.caller.who.kind == "service" else "within the account"
        return f"{failed}calls {whence}"
    return "failed attempts" if failed else None


def _needs_no_door(use: Use) -> bool:
    """Whether a call, other than a sign-in, comes from an AWS service or from within the account."""
    inside = use.caller.who.kind == "service" or use.caller.who.account == use.account
    return inside and use.event != SIGN_IN


def _by_service(use: Use, answers: Answers) -> str | None:
    """Which AWS service called, and for whom of an account that is known, in words."""
    known = use.invoked_by is not None and use.caller.who.account in answers.names
    return f"calls by {use.invoked_by} for {named(use.caller, answers).short}" if known else None


def named(party: Party, answers: Answers) -> Party:
    """The party with what people call its account."""
    return replace(party, account_name=answers.names.get(party.who.account, ""))


def _doors(answers: Answers) -> tuple[list[Step], list[Step]]:
    """The doors that cross into the audited accounts, each once: those of the entries' ways, and what is not proved.

    And the other steps of these ways, with the roles that users enter within their own account.
    """
    unproved = [Step(one.source, one.target, (), None, ()) for one in answers.not_proved if one.source and one.target]
    all_steps = [step for way in (*answers.ways, *answers.within) for step in way.steps]
    steps = {(step.source.who, step.target.who): step for step in (*unproved, *all_steps)}
    crossing = [step for step in steps.values() if step.crosses and step.target.who.account in answers.accounts]
    proved = {(step.source.who, step.target.who) for step in all_steps}
    others = [step for ends, step in steps.items() if ends in proved and step not in crossing]
    return crossing, others


def _is_at(target: Who, used: Who) -> bool:
    """Whether a door leads to what was used; the end of a permission set's role is AWS's own, and not known before."""
    same_place = (target.kind, target.account) == (used.kind, used.account)
    return same_place and (target.name == used.name or Glob(target.name).matches(used.name))


def _comes_by(source: Who, event: str) -> bool:
    """Whether such a call is how a door's source comes: people of an identity provider have calls of their own.

    A door for any provider may be for both of them. https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_sts-comparison.html
    """
    if event == SESSION:  # nothing tells how it began
        return True
    if event == "AssumeRoleWithSAML":
        return source.kind in _BY_PROVIDER and (source.kind != "web-identity" or source.name.startswith(_ANY_PROVIDER))
    if event == "AssumeRoleWithWebIdentity":
        return source.kind == "web-identity"
    return source.kind not in _BY_PROVIDER


def _is(source: Who, caller: Who) -> bool:
    """Whether a door's source is the caller; a subject may be a pattern, as in `GitHub repo:acme/*`."""
    if source.kind in ("web-identity", "saml"):
        any_provider = source.name.startswith(_ANY_PROVIDER)
        name = f"* {source.name.removeprefix(_ANY_PROVIDER)}" if any_provider else source.name
        return caller.kind == source.kind and Glob(name).matches(caller.name)
    if source.kind == "identity-center-user":
        return (caller.kind, caller.name) == (source.kind, source.name)
    return source == caller


def _lets_in_all(source: Who, caller: Who) -> bool:
    """Whether a door is for the caller's account as a whole, or for everyone."""
    return source.kind == "everyone" or (source.kind == "root" and source.account == caller.account != "")


def _may_be(caller: Who, source: Who) -> bool:
    """Whether the caller may be the source, as far as is told: a user of a group that nobody shows the members of."""
    if source.kind == "everyone" or (source.kind, caller.kind) == ("identity-center-group", "identity-center-user"):
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


@dataclass
class _Habits:
    """What a principal did before."""

    roles: set[Who] = field(default_factory=set)
    sources: set[str] = field(default_factory=set)
    regions: set[str] = field(default_factory=set)
    hours: Counter[int] = field(default_factory=Counter)

    def surprises(self, use: Use) -> list[str]:
        found = []
        if use.target not in self.roles:
            found.append("this principal's first entry into this role")
        if self.roles and use.source not in self.sources:
            found.append(f"new source address {use.source} for this principal")
        if self.roles and use.region not in self.regions:
            found.append(f"new region {use.region} for this principal")
        if self.hours.total() >= _ENOUGH and all(_apart_by(use.time.hour, hour) >= _APART for hour in self.hours):
            found.append(f"outside this principal's usual hours ({use.time:%H:%M} UTC)")
        return found

    def learn(self, use: Use) -> None:
        self.roles.add(use.target)
        self.sources.add(use.source)
        self.regions.add(use.region)
        self.hours[use.time.hour] += 1


def _sign_ins(uses: Iterable[Use]) -> Iterable[SignIns]:
    found: dict[Who, list[Use]] = defaultdict(list)
    for use in uses:
        if use.event == SIGN_IN and use.failed is None and use.caller.who.kind != "root-user":
            found[use.caller.who].append(use)
    for own in sorted(found.values(), key=lambda own: str(own[0].caller)):
        yield SignIns(own[0].caller, tuple(own))


def _users(answers: Answers) -> set[Who]:
    """The users that anything read shows."""
    parties = [*answers.principals.values(), *(one.user for one in answers.long_term)]
    parties += [step.source for way in (*answers.ways, *answers.within) for step in way.steps]
    parties += [user for user, _ in answers.memberships]
    return {one.who for one in parties if one.who.kind == "user"}


def _root_calls(answers: Answers, trail: Trail) -> Iterable[Unusual]:
    """https://docs.aws.amazon.com/securityhub/latest/userguide/cloudwatch-controls.html#cloudwatch-1."""
    for (account, caller, _), calls in trail.calls.items():
        if caller.kind == "root-user" and account in answers.accounts:
            failed = (f"failed attempt: {calls.last.failed}",) if calls.last.failed else ()
            yield Unusual(calls.last, (f"call as the root user, {counted(calls.count, 'time')}", *failed))


def _key_calls(answers: Answers, trail: Trail) -> Iterable[tuple[str, int]]:
    for (account, caller, name), calls in trail.calls.items():
        if caller.kind != "root-user" and account in answers.accounts:
            who = Party(caller, account_name=answers.names.get(account, "")).short
            yield f"{name or 'other'} calls of {who} with an access key", calls.count


def _unknown_keys(answers: Answers, trail: Trail, users: Container[Who]) -> Iterable[Unusual]:
    for (account, caller, name), calls in trail.calls.items():
        if caller.kind == "user" and caller not in users and account in answers.accounts:
            said = f"{name or 'other'} calls with an access key of a user that nothing read shows"
            yield Unusual(calls.last, (f"{said}, {counted(calls.count, 'time')}",))


def _logging(trail: Trail, accounts: Container[str]) -> Iterable[Unusual]:
    for name, use in trail.logging.values():
        inside = (trail.since or use.time) <= use.time <= (trail.until or use.time)
        if use.event in LOGGING and use.account in accounts and inside:
            said = f"failed attempt: {use.failed}" if use.failed else LOGGING[use.event]
            yield Unusual(use, (f"{said} ({name})" if name else said,))


def _unusual(
    uses: Iterable[Use],
    learned: datetime | None,
    users: Container[Who],
    calls: list[Unusual],
    lacks: Mapping[str, tuple[str, ...]],
) -> list[Unusual]:
    found = [*calls, *_surprises(uses, learned, users, lacks)]
    return sorted(found, key=lambda one: (one.use.time, one.use.id))


def _is_weak(use: Use) -> bool:
    """Whether it is a sign-in that succeeded, without MFA or as the root user."""
    root = use.caller.who.kind == "root-user"
    return use.event == SIGN_IN and use.failed is None and (root or use.mfa is False)


def _sign_in(use: Use, users: Container[Who]) -> Iterable[str]:
    """What is unusual about a sign-in.

    https://docs.aws.amazon.com/securityhub/latest/userguide/cloudwatch-controls.html#cloudwatch-3 (without MFA)
    """
    if use.caller.who.kind == "root-user":
        mfa = "" if use.mfa is None else " with MFA" if use.mfa else " without MFA"
        yield f"sign-in as the root user{mfa}"
        return
    if use.caller.who not in users:
        yield "sign-in of a user that nothing read shows"
    if use.mfa is False:
        yield "sign-in without MFA"


def _surprises(
    uses: Iterable[Use], learned: datetime | None, users: Container[Who], lacks: Mapping[str, tuple[str, ...]]
) -> Iterable[Unusual]:
    habits: dict[object, _Habits] = defaultdict(_Habits)
    for use in uses:
        if use.failed is not None:
            yield Unusual(use, (f"failed attempt: {use.failed}",))
            continue
        if use.event == SIGN_IN:
            if why := tuple(_sign_in(use, users)):
                yield Unusual(use, why)
            continue
        who = use.caller.who if use.told else (use.caller.who.account, use.unique_id)
        surprises = [*lacks.get(use.id, ())]
        if learned is None or use.time >= learned:
            surprises += habits[who].surprises(use)
        if surprises:
            yield Unusual(use, tuple(surprises))
        habits[who].learn(use)


def _apart_by(one: int, other: int) -> int:
    """Hours between two hours of the day, the shorter way round."""
    distance = abs(one - other)
    return min(distance, 24 - distance)
