"""Doors against what CloudTrail saw: doors never used, uses without a door, unusual entries.

docs/audit-events.md says what counts as an entry, as used or perhaps used, as without a door, and as unusual.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum

from twokeys.answers.model import Answers, Party, Step
from twokeys.audit import LEARNING
from twokeys.audit.logs import Source
from twokeys.audit.trail import SIGN_IN, Trail, Use, resolved
from twokeys.doors import Who
from twokeys.iam.globs import Glob

_ENOUGH = 10
_APART = 2
_BY_PROVIDER = ("web-identity", "saml", "identity-center-user", "identity-center-group")
"""Who comes by an identity provider: recorded in the role's account only."""


class Usage(Enum):
    """Whether a door was used in the period."""

    USED = "used"
    PERHAPS = "perhaps used"
    NEVER = "never used"
    NOT_KNOWN = "not known"


@dataclass(frozen=True, slots=True)
class DoorUse:
    """How one door was used: `count` entries that are surely its own, `perhaps` that may be.

    `early` of them came before its keys were made, as far as it is known when; `sessions` are those of the callers',
    `identities` the source identities.

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

    @property
    def usage(self) -> Usage:
        """Used, perhaps used or never used; not known where no entry would be recorded."""
        unused = Usage.NOT_KNOWN if self.not_known else Usage.NEVER
        return Usage.USED if self.count else Usage.PERHAPS if self.perhaps else unused


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
    """

    start: datetime | None
    end: datetime | None
    learned_until: datetime | None
    entries: int
    doors: tuple[DoorUse, ...]
    undeclared: tuple[Use, ...]
    unusual: tuple[Unusual, ...]
    apart: dict[str, int]
    unreadable: int = 0
    sign_ins: tuple[SignIns, ...] = ()
    sources: tuple[Source, ...] = ()

    @property
    def not_known(self) -> int:
        """Of how many doors it is not known whether they were used."""
        return sum(one.usage is Usage.NOT_KNOWN for one in self.doors)

    @property
    def not_readable(self) -> dict[str, str]:
        """The files that cannot be read, and why."""
        return {file: why for source in self.sources for file, why in source.not_readable.items()}

    @property
    def noteworthy(self) -> bool:
        """Whether somebody has to look: at an entry without a door or an unusual one, or for what is not known."""
        known = self.start is not None and not (self.unreadable or self.not_readable or self.not_known)
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
    uses = trail.uses(start, end)
    if trail.start is None or trail.end is None:
        start = end = None
    else:
        start, end = max(start or trail.start, trail.start), min(end or trail.end, trail.end)
        if start > end:  # nothing that was recorded is of the period
            start = end = None
    known = [resolved(use, answers.principals) for use in uses if use.account in answers.accounts]
    apart = Counter(reason for use in known if (reason := _apart(use)))
    judged = [use for use in known if use.event == SIGN_IN or not _apart(use)]
    entries = [use for use in judged if use.failed is None and use.event != SIGN_IN]
    doors = _doors(answers) if start is not None and end is not None else []
    tallies = {door: _Tally() for door in doors}
    known_by_id = {party.who for party in answers.principals.values()}
    undeclared = [use for use in entries if not _attribute(use, doors, tallies, known_by_id)]
    learned = None
    if start is not None:
        learned = start + min(timedelta(days=learning_days), datetime.max.replace(tzinfo=UTC) - start)
    return Comparison(
        start=start,
        end=end,
        learned_until=learned,
        entries=len(entries),
        doors=tuple(one.use(door, trail) for door, one in tallies.items()),
        undeclared=tuple(undeclared),
        unusual=tuple(_unusual(judged, learned)),
        apart=dict(sorted(apart.items())),
        unreadable=len(trail.unreadable),
        sign_ins=tuple(_sign_ins(judged)),
        sources=tuple(trail.sources),
    )


@dataclass
class _Tally:
    count: int = 0
    perhaps: int = 0
    uses: list[Use] = field(default_factory=list)

    def use(self, door: Step, trail: Trail) -> DoorUse:
        made = max((datetime.fromisoformat(key.created) for key in door.keys if key.created), default=None)
        early = sum(use.time < made for use in self.uses) if made else 0
        sessions = tuple(dict.fromkeys(use.caller_session for use in self.uses if use.caller_session))
        identities = tuple(dict.fromkeys(use.source_identity for use in self.uses if use.source_identity))
        last = self.uses[-1].time if self.uses else None
        source, target = door.source.who, door.target.who
        where = {target.account} if source.kind in _BY_PROVIDER else {source.account, target.account}
        not_known = ""
        if where.isdisjoint(trail.accounts):
            not_known = f"no records of account {door.target.place}"
        elif trail.hidden & {*where, ""}:
            not_known = "an entry may be in what cannot be read"
        return DoorUse(door, bool(door.keys), self.count, self.perhaps, last, early, sessions, identities, not_known)


def _apart(use: Use) -> str | None:
    """Why no door stands for a use, in words."""
    if use.event == SIGN_IN:
        whose = "the root user" if use.caller.who.kind == "root-user" else "IAM users"
        return f"{'failed ' if use.failed is not None else ''}sign-ins of {whose} within the account"
    if use.caller.who.kind == "service":
        return "by AWS services"
    return "within the account" if use.caller.who.account == use.account else None


def _doors(answers: Answers) -> list[Step]:
    """The doors that cross into the audited accounts, each once: those of the entries' ways, and what is not proved."""
    unproved = [Step(one.source, one.target, (), None, ()) for one in answers.not_proved if one.source and one.target]
    steps = {(step.source.who, step.target.who): step for step in unproved if step.crosses}
    steps |= {
        (step.source.who, step.target.who): step
        for way in answers.ways
        for step in way.steps
        if step.target.who.account in answers.accounts and step.crosses
    }
    return list(steps.values())


def _attribute(use: Use, doors: Iterable[Step], tallies: dict[Step, _Tally], known_by_id: Container[Who]) -> bool:
    """Give a use to the doors that explain it; False when none does.

    A door of the principal itself comes before a door of its account as a whole. Of whom the sources know the unique
    id, another id is not theirs.
    """
    into = [door for door in doors if _is_at(door.target.who, use.target)]
    own = [door for door in into if _is(door.source.who, use.caller.who)]
    wide = [door for door in into if _lets_in_all(door.source.who, use.caller.who)]
    if own or (wide and use.told):
        for door in own or wide:
            tally = tallies[door]
            tally.count += 1
            tally.uses.append(use)
        return True
    by_id = use.unique_id if not use.told else None
    perhaps = [
        door
        for door in into
        if _may_be(use.caller.who, door.source.who)
        and not (by_id and _has_another_id(door.source.who, by_id, known_by_id))
    ]
    for door in perhaps:
        tally = tallies[door]
        tally.perhaps += 1
        tally.uses.append(use)
    return bool(perhaps)


def _is_at(target: Who, used: Who) -> bool:
    """Whether a door leads to what was used; the end of a permission set's role is AWS's own, and not known before."""
    same_place = (target.kind, target.account) == (used.kind, used.account)
    return same_place and (target.name == used.name or Glob(target.name).matches(used.name))


def _is(source: Who, caller: Who) -> bool:
    """Whether a door's source is the caller; a subject may be a pattern, as in `GitHub repo:acme/*`."""
    if source.kind in ("web-identity", "saml"):
        return caller.kind == source.kind and Glob(source.name).matches(caller.name)
    if source.kind == "identity-center-user":
        return (caller.kind, caller.name) == (source.kind, source.name)
    return source == caller


def _lets_in_all(source: Who, caller: Who) -> bool:
    """Whether a door is for the caller's account as a whole, or for everyone."""
    return source.kind == "everyone" or (source.kind == "root" and source.account == caller.account)


def _may_be(caller: Who, source: Who) -> bool:
    """Whether the caller may be the source, as far as is told: a user of a group that nobody shows the members of."""
    if source.kind == "everyone" or (source.kind, caller.kind) == ("identity-center-group", "identity-center-user"):
        return True
    if caller.account != source.account:
        return False
    return caller.kind == "principal" or (source.kind == "group" and caller.kind == "user")


def _has_another_id(source: Who, unique_id: str, known_by_id: Container[Who]) -> bool:
    """Whether a unique id is surely not the source's: the sources know hers, or it is one of another kind.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-prefixes
    """
    others = {"AIDA": ("role",), "AROA": ("user", "group")}.get(unique_id[:4], ())
    return source in known_by_id or source.kind in others


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
            found.append("first entry into this role")
        if self.roles and use.source not in self.sources:
            found.append(f"new source address {use.source}")
        if self.roles and use.region not in self.regions:
            found.append(f"new region {use.region}")
        if self.hours.total() >= _ENOUGH and all(_apart_by(use.time.hour, hour) >= _APART for hour in self.hours):
            found.append(f"outside its usual hours ({use.time:%H:%M} UTC)")
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


def _unusual(uses: Iterable[Use], learned: datetime | None) -> Iterable[Unusual]:
    habits: dict[object, _Habits] = defaultdict(_Habits)
    for use in uses:
        if use.failed is not None:
            yield Unusual(use, (f"failed attempt: {use.failed}",))
            continue
        if use.event == SIGN_IN:
            if use.caller.who.kind == "root-user":
                mfa = "" if use.mfa is None else " with MFA" if use.mfa else " without MFA"
                yield Unusual(use, (f"sign-in as the root user{mfa}",))
            continue
        who = use.caller.who if use.told else (use.caller.who.account, use.unique_id)
        if learned is None or use.time >= learned:
            surprises = habits[who].surprises(use)
            if surprises:
                yield Unusual(use, tuple(surprises))
        habits[who].learn(use)


def _apart_by(one: int, other: int) -> int:
    """Hours between two hours of the day, the shorter way round."""
    distance = abs(one - other)
    return min(distance, 24 - distance)
