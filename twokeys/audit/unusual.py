"""What is unusual among the uses of a trail. docs/audit-events-words.md says what counts."""

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from twokeys.answers.model import Answers
from twokeys.audit.entries import Entry
from twokeys.audit.record import HIDDEN, SIGN_INS, Use
from twokeys.audit.shown import is_shown
from twokeys.audit.stood import AFTER
from twokeys.audit.trail import BY_KEY, LOGGING, Change, Trail, by_credentials
from twokeys.audit.who_called import who_began
from twokeys.doors import Who
from twokeys.shown import counted, in_utc


class Word(StrEnum):
    """What is unusual, as it begins; docs/audit-events-words.md has a row for each."""

    AFTER = AFTER
    BREAK_GLASS = "entry by break-glass"
    FIRST_ENTRY = "this principal's first entry into this role"
    NEW_ADDRESS = "new source address"
    NEW_REGION = "new region"
    HOURS = "outside this principal's usual hours"
    FAILED = "failed attempt"
    BY_KEY = "with access key"
    SIGN_IN = "sign-in"
    ROOT = "call as the root user"
    IN_ROOT = "call in a root session"
    DELEGATED = "call of a product provider"


_ENOUGH = 10
_AWAY = 2
"""From how many entries on there are usual hours, and how many hours away from all of them is not usual."""
_FEW = 5
"""From how many runs on a principal may be known to come from ever new addresses, as hosted runners do."""
_ONE_RUN = timedelta(hours=1)
"""How far apart two entries from one address are that are not of one job, which enters several accounts."""
_DELEGATED = f"{Word.DELEGATED} by temporary delegation"
_SAME_ID = "another call has the same sharedEventID or eventID, which CloudTrail gives once"


@dataclass(frozen=True, slots=True)
class Unusual:
    """An entry or a failed attempt, and what is unusual about it."""

    use: Use
    why: tuple[str, ...]


class _BreakGlass:
    """Roles for emergencies, and uses of them: those that a user enters within the management account, with MFA, and
    from which AWS's access roles or root sessions are entered. One of such a name may be entered directly.
    """

    def __init__(self, answers: Answers, uses: Iterable[Use]) -> None:
        by_aws = [way for way in answers.ways if way.by_access_role or way.target.who.kind == "root-user"]
        first = [way.steps[0] for way in by_aws if way.through and way.mfa]
        self._roles = {one.target.who for one in first if one.source.who.kind == "user" and not one.crosses}
        self._names = {role.name for role in self._roles}
        self._later, self._asked = {use.by for use in uses if use.by}, answers.accounts

    def is_of(self, use: Use) -> bool:
        """Whether somebody entered by such a role, or into one."""
        return use.caller.who in self._roles or use.role in self._names

    def alone(self, use: Use) -> tuple[str, ...]:
        """What a step on the way is, that is into such a role of an account that is asked for, unless an entry by its
        session tells it.
        """
        told = use.key in self._later or use.account not in self._asked
        return (Word.BREAK_GLASS,) if use.target in self._roles and not told else ()

    def person(self, use: Use) -> object:
        """Who came by such a role: whoever began the session, or its name where no record tells."""
        return use.begun_by.caller.who if use.begun_by else use.caller_session


class _Users:
    """The users that anything read shows, and by whom the others were made, as the records have it."""

    def __init__(self, answers: Answers, changes: Iterable[Change]) -> None:
        parties = [*answers.principals.values(), *(one.user for one in answers.long_term)]
        parties += [step.source for step in answers.steps]
        parties += [user for user, _ in answers.memberships]
        self._answers, self._shown = answers, {one.who for one in parties}
        made = [one for one in changes if one.use.event in BY_KEY and one.use.failed is None]
        self._made = {Who("user", one.recorded, one.of[1]): one.use for one in made if one.use.event == "CreateUser"}
        others = (one for one in made if not (one.is_own or (answers.from_states and is_shown(one, answers))))
        self._keys: dict[str | None, Use] = {one.of[2]: one.use for one in others if one.of[2]}

    def unknown(self, user: Who) -> str:
        """Of a user that is not shown, that it is so, or who made it and when; empty for one that is."""
        if user in self._shown:
            return ""
        if made := self._made.get(user):
            return f"of a user whom {who_began(made, self._answers)} made {in_utc(made.time)} and no state shows"
        return "of a user that nothing read shows"

    def by_key(self, use: Use) -> tuple[str, ...]:
        """Of a call with an access key that another made and no state shows, or by its session, by whom and when."""
        keys = (one.own_key for one in (use, *use.entries_before) if one.own_key in self._keys)
        said = "{} {}, which {} made {}".format
        made = ((key, self._keys[key]) for key in keys)
        return tuple(said(Word.BY_KEY, key, who_began(one, self._answers), in_utc(one.time)) for key, one in made)


def unusual(  # noqa: PLR0913, PLR0917 - what is looked through
    answers: Answers,
    trail: Trail,
    uses: Sequence[Use],
    judged: Container[str],
    population: Iterable[Entry],
    accounts: Container[str],
    changes: Iterable[Change],
    start: datetime | None,
    learned: datetime | None,
) -> tuple[Unusual, ...]:
    """What is unusual among the uses, the entries, and the calls in the accounts: root users first, in order of time.

    Uses that are not `judged`, by id, or are before `start`, only teach: what is usual does not hang on which account
    is asked for. Habits are known from `learned` on; without it from the first use on.
    """
    users, glass = _Users(answers, changes), _BreakGlass(answers, uses)
    calls = [*_calls(answers, trail, users), *_logging(trail, accounts)]
    calls += _by_others(trail, accounts)
    calls += [Unusual(use, (_SAME_ID,)) for use in trail.same_id.values() if use.account in accounts]
    steps = ((one.use, (*one.unmet, *glass.alone(one.use))) for one in population if one.on_the_way)
    calls += [Unusual(use, why) for use, why in steps if why]
    lacks = {one.use.id: one.unmet for one in population if not one.on_the_way}
    surprises = _surprises(uses, learned, users, lacks, glass)
    found = [*calls, *(one for one in surprises if one.use.id in judged and (start is None or one.use.time >= start))]
    return tuple(sorted(found, key=lambda one: (one.use.caller.who.kind != "root-user", one.use.time, one.use.id)))


def _calls(answers: Answers, trail: Trail, users: _Users) -> Iterable[Unusual]:
    """Those of root users and, with their own credentials, of users that are not shown.

    https://docs.aws.amazon.com/securityhub/latest/userguide/cloudwatch-controls.html#cloudwatch-1
    """
    for (account, caller, name), calls in trail.calls.items():
        if account in answers.accounts and caller.kind == "root-user":
            failed = (f"{Word.FAILED}: {calls.last.failed}",) if calls.last.failed else ()
            yield Unusual(calls.last, (f"{Word.ROOT}, {counted(calls.count, 'time')}", *failed))
        elif account in answers.accounts and caller.kind == "user" and (unknown := users.unknown(caller)):
            which, whose = by_credentials(name)
            yield Unusual(calls.last, (f"{which}calls with {whose} {unknown}, {counted(calls.count, 'time')}",))


def _by_others(trail: Trail, accounts: Container[str]) -> Iterable[Unusual]:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/temporary-delegation-cloudtrail.html and
    https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-track-privileged-tasks.html.
    """
    for what, each in ((_DELEGATED, trail.delegated), (Word.IN_ROOT, trail.in_root)):
        for (account, _, _), calls in each.items():
            if account in accounts:
                yield Unusual(trail.begun(calls.last), (f"{what}, {counted(calls.count, 'time')}",))


def _logging(trail: Trail, accounts: Container[str]) -> Iterable[Unusual]:
    ends = {use.id: f" until {in_utc(until)}" for use, until in trail.stops() if until}
    for name, use in trail.logging:
        if use.event in LOGGING and use.account in accounts and not trail.outside(use.time):
            said = f"{Word.FAILED}: {use.failed}" if use.failed else LOGGING[use.event] + ends.get(use.id, "")
            yield Unusual(use, (f"{said} ({name})" if name else said,))


def is_weak(use: Use, coming: Container[Who]) -> bool:
    """Whether it is a sign-in as the root user, without MFA, or one that failed, of somebody of those who may come, or
    under a name that nobody has, which may be theirs.
    """
    who, failed = use.caller.who, use.failed is not None
    theirs = who in coming or who.name == HIDDEN
    return use.event in SIGN_INS and (who.kind == "root-user" or (theirs if failed else use.mfa is False))


def _surprises(
    uses: Iterable[Use],
    learned: datetime | None,
    users: _Users,
    lacks: Mapping[str, tuple[str, ...]],
    glass: _BreakGlass,
) -> Iterable[Unusual]:
    habits: dict[object, _Habits] = defaultdict(_Habits)
    for use in uses:
        if use.failed is not None:
            yield Unusual(use, (", ".join((f"{Word.FAILED}: {use.failed}", *users.by_key(use))),))
            continue
        if use.event in SIGN_INS:
            if why := tuple(_sign_in(use, users)):
                yield Unusual(use, why)
            continue
        who: object = use.caller.who if use.names_caller else (use.caller.who.account, use.unique_id)
        surprises = [*lacks.get(use.id, ()), *users.by_key(use), *((_DELEGATED,) if use.delegate else ())]
        if glass.is_of(use):
            who = who, glass.person(use)
            surprises.append(Word.BREAK_GLASS)
        nobody = who == ("", None)  # as of a session that no record shows anybody to begin
        if not nobody and (learned is None or use.time >= learned):
            surprises += habits[who].surprises(use)
        if surprises:
            yield Unusual(use, tuple(surprises))
        if not nobody:
            habits[who].learn(use)


def _sign_in(use: Use, users: _Users) -> Iterable[str]:
    """What is unusual about a sign-in.

    https://docs.aws.amazon.com/securityhub/latest/userguide/cloudwatch-controls.html#cloudwatch-3 (without MFA)
    """
    if use.caller.who.kind == "root-user":
        mfa = "" if use.mfa is None else " with MFA" if use.mfa else " without MFA"
        yield f"{Word.SIGN_IN} as the root user{mfa}"
        return
    if unknown := users.unknown(use.caller.who):
        yield f"{Word.SIGN_IN} {unknown}"
    if use.mfa is False:
        yield f"{Word.SIGN_IN} without MFA"


@dataclass
class _Habits:
    """What a principal did before."""

    roles: set[Who] = field(default_factory=set)
    sources: dict[str, datetime] = field(default_factory=dict)
    """When it came last from each address."""
    runs: int = 0
    """How often it came: from one address in several entries, each within an hour of the last, once."""
    regions: set[str] = field(default_factory=set)
    hours: Counter[int] = field(default_factory=Counter)

    def surprises(self, use: Use) -> list[str]:
        found: list[str] = []
        moves = self.runs >= _FEW and len(self.sources) > self.runs / 2  # from addresses new then: none is usual
        if use.target not in self.roles:
            found.append(Word.FIRST_ENTRY)
        if self.roles and use.source not in self.sources and not moves:
            found.append(f"{Word.NEW_ADDRESS} {use.source} for this principal")
        if self.roles and use.region not in self.regions:
            found.append(f"{Word.NEW_REGION} {use.region} for this principal")
        apart = (abs(use.time.hour - hour) for hour in self.hours)
        if self.hours.total() >= _ENOUGH and all(_AWAY <= hours <= 24 - _AWAY for hours in apart):
            found.append(f"{Word.HOURS} ({use.time:%H:%M} UTC)")
        return found

    def learn(self, use: Use) -> None:
        self.roles.add(use.target)
        before = self.sources.get(use.source)
        self.runs += before is None or use.time - before >= _ONE_RUN
        self.sources[use.source] = use.time
        self.regions.add(use.region)
        self.hours[use.time.hour] += 1
