"""Doors against what CloudTrail saw: doors never used, uses without a door, unusual entries.

docs/audit-events-words.md says what counts as an entry, as used or perhaps used, as without a door, and as unusual.
"""

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from twokeys.answers.model import Answers, Party, Step, Way
from twokeys.answers.permissions import Level
from twokeys.answers.selection import PEOPLE
from twokeys.audit import LEARNING
from twokeys.audit.against_states import Stood, as_they_may_be, not_in_states, set_of, taken_back, with_entries
from twokeys.audit.coverage import WasRead
from twokeys.audit.dates import dated
from twokeys.audit.entries import DoorUse, Entry, Tallies, Tally, Usage
from twokeys.audit.known import Records
from twokeys.audit.record import EARLIER, HIDDEN, SESSION, SESSIONS, SIGN_INS, Use, resolved
from twokeys.audit.trail import LONGEST, Change, Trail, by_credentials
from twokeys.audit.unusual import Unusual, is_weak, unusual
from twokeys.doors import Who
from twokeys.doors.who import CARRIERS

_BEFORE = "sessions that began before the period, of roles without a door"


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
class SignIns:
    """The sign-ins of an IAM user at the account's own console that succeeded, in order of time."""

    user: Party
    uses: tuple[Use, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came of comparing. `apart` counts what no door stands for, in words.

    `steps` lead on within an account or into one that is not asked for; `population` is every entry and every use of
    such a step, in order of time; `asked` is the period that was asked for, `start` and `end` what records span of it.
    """

    answers: Answers = field(compare=False)
    """What was compared, with what the records of changes tell of its keys' time."""
    start: datetime | None
    end: datetime | None
    learned_until: datetime | None
    doors: tuple[DoorUse, ...]
    unusual: tuple[Unusual, ...]
    apart: dict[str, int]
    was_read: WasRead
    sign_ins: tuple[SignIns, ...] = ()
    asked: tuple[datetime | None, datetime | None] = (None, None)
    ways: tuple[WayUse, ...] = ()
    steps: tuple[DoorUse, ...] = ()
    population: tuple[Entry, ...] = ()
    regions: tuple[str, ...] = ()
    """Those that count, where people named them."""
    changes: tuple[Change, ...] = ()
    """The calls that changed, or tried to change, who can enter, in order of time."""
    taken_back: tuple[Stood, ...] = ()
    """What let somebody in during the period, or may have, and is not in the answers: what is judged first."""
    not_in_states: tuple[Stood, ...] = ()
    """What a call gave that may yet stand, and that the states do not have."""
    earlier: tuple[Use, ...] = ()
    """The sessions in the accounts that were asked for that began before the period, each with its first call."""
    key_calls: tuple[tuple[Party, str, int], ...] = ()
    """The calls of users with credentials of their own, by name, in the accounts that were asked for and on the way."""
    strengths: Mapping[str, Level] = field(default_factory=dict)
    """Of each entry, by id, how strong its role is, as far as a way into it shows, or was meanwhile."""

    def meanwhile(self, answers: Answers) -> dict[str, list[str]]:
        """Of each entry, by id, while what it was that the answers have not, in words."""
        found: dict[str, list[str]] = defaultdict(list)
        for one in (*self.taken_back, *self.not_in_states):
            for use in one.entered:
                found[use.id].append(one.meanwhile(answers))
        return found

    @property
    def people(self) -> set[str]:
        """The names of the users of IAM and of IAM Identity Center whom the records show."""
        callers = [one.use.caller.who for one in self.population] + [one.use.caller.who for one in self.unusual]
        callers += [one.use.caller.who for one in self.changes] + [user.who for user, _, _ in self.key_calls]
        return {who.name for who in callers if who.kind in PEOPLE and who.name != HIDDEN}

    @property
    def entries(self) -> int:
        """How many of `population` are entries."""
        return sum(not one.on_the_way for one in self.population)

    @property
    def undeclared(self) -> tuple[Use, ...]:
        """The entries that no door explains, and those into roles that ways lead through."""
        return tuple(one.use for one in self.population if not one.doors)

    @property
    def not_begun(self) -> int:
        """How many of the entries are sessions whose AssumeRole is in no record."""
        return sum(one.use.event == SESSION and not one.on_the_way for one in self.population)

    @property
    def not_shown(self) -> dict[str, int]:
        """Of what doors ask for how many entries and uses of steps do not show whether it was there."""
        return dict(Counter(what for one in self.population for what in one.not_shown))

    @property
    def not_known(self) -> tuple[int, int]:
        """Of how many doors, and of how many steps on the way, it is not known whether they were used."""
        doors, steps = (sum(one.usage is Usage.NOT_KNOWN for one in of) for of in (self.doors, self.steps))
        return doors, steps

    @property
    def may_be_more(self) -> bool:
        """Whether there may be entries and changes of keys that no record was given of."""
        return self.start is None or not self.was_read.whole

    @property
    def noteworthy(self) -> bool:
        """Whether somebody has to look: at an entry without a door or an unusual one, or for what is not known.

        A door that was made or changed is what a plan does: whether a policy was there before the records, only states
        of then tell.
        """
        taken = any(one.was_there for one in self.taken_back)
        return bool(self.undeclared or self.unusual or self.may_be_more or any(self.not_known) or taken)


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
    asked, uses = (start, end), trail.uses(start, end, _longest_sessions(answers))
    spanned = _spanned(trail, start, end)
    period = _period(start or spanned[0], end or spanned[1]) if spanned else None
    start, end = spanned or (None, None)
    records = Records(answers, trail, *period, asked) if period else None
    answers = dated(answers, records) if records else answers
    sorting = _Sorting(answers, [resolved(use, answers.principals) for use in uses], in_period=bool(period))
    coming = {step.source.who for way in answers.ways for step in way.steps}
    others = {who.account for who in coming} - {*answers.accounts}
    accounts = {*answers.accounts} | others
    coming |= {user.who for user, group in answers.memberships if group.who in coming}
    signed = [use for use in sorting.uses if use.account in others and is_weak(use, coming)]
    key_calls, changes = tuple(_key_calls(answers, trail, accounts)), tuple(_changes(trail, accounts))
    by_doors, by_steps = (one.used(records) if records else {} for one in (sorting.doors, sorting.steps))
    used = by_doors | by_steps
    population = tuple(sorted(sorting.population, key=lambda one: (one.use.time, one.use.id)))
    came = [one.use for one in population]
    gone, there = (with_entries(find(answers, changes), came, answers) for find in (taken_back, not_in_states))
    strengths = _strengths(answers, population, (*gone, *there))
    answers = as_they_may_be(answers, (*gone, *there))
    learned = start and start + min(timedelta(days=learning_days), datetime.max.replace(tzinfo=UTC) - start)
    return Comparison(
        answers=answers,
        start=start,
        end=end,
        learned_until=learned,
        doors=tuple(use for _, use in by_doors.values()),
        unusual=unusual(answers, trail, [*sorting.judged, *signed], sorting.population, accounts, learned),
        apart=dict(
            sorted((sorting.apart + Counter(map(_on_the_way, signed)) + _calls_counted(answers, key_calls)).items())
        ),
        was_read=WasRead(
            tuple(trail.sources), tuple(records.accounts(used)) if records else (), tuple(trail.unreadable.values())
        ),
        sign_ins=tuple(_sign_ins(sorting.judged)),
        asked=asked,
        ways=tuple(way_use(way, used) for way in answers.ways) if records else (),
        steps=tuple(use for _, use in by_steps.values()),
        population=population,
        regions=trail.coverage.only,
        changes=changes,
        taken_back=gone,
        not_in_states=there,
        earlier=tuple(use for use in sorting.uses if use.event == EARLIER and use.account in answers.accounts),
        key_calls=key_calls,
        strengths=strengths,
    )


def _strengths(answers: Answers, population: Iterable[Entry], stood: Iterable[Stood]) -> dict[str, Level]:
    of_roles: dict[Who | None, Level] = {}
    for way in (*answers.ways, *answers.within, *answers.if_granted):
        of_roles |= dict.fromkeys((way.target.who, set_of(way.target)), way.permissions.level)
    of_roles.pop(None, None)
    found: dict[str, Level] = {}
    for one in population:
        use = one.use
        roles = {use.target, set_of(Party(use.target, use.arn)), *(door.target.who for door in one.doors)} & {*of_roles}
        found[use.id] = max((of_roles[role] for role in roles), default=Level.UNKNOWN)
    for each in stood:
        level, _ = each.permissions or (Level.NONE, ())
        found |= {use.id: max(found[use.id], level) for use in each.entered}
    return found


class _Sorting:
    """Uses, sorted: the entries and steps with the doors that explain them, what is apart, what may be unusual."""

    def __init__(self, answers: Answers, uses: Iterable[Use], *, in_period: bool) -> None:
        self._answers = answers
        self.uses = list(uses)
        self.doors, self.steps = (Tallies(one if in_period else (), answers) for one in _doors(answers))
        self._ids: dict[Who, set[str]] = defaultdict(set)
        for unique_id, party in answers.principals.items():
            self._ids[party.who].add(unique_id)
        self._led_through = set(_led_through(answers))
        self.apart: Counter[str] = Counter()
        self.judged: list[Use] = []
        self.population: list[Entry] = []
        for use in self.uses:
            is_step = use.failed is None and use.event not in SIGN_INS and self._take_on_the_way(use)
            if use.account in answers.accounts:
                self._take_into(use, is_step=is_step)

    def _take_into(self, use: Use, *, is_step: bool) -> None:
        """A use of an account that is asked for: an entry, unless it is apart, or a step on the way."""
        other = _why_no_entry(use)
        if other is None or (use.failed is None and use.caller.who.kind == "service" and _hands_on(use, self._answers)):
            entry = self.doors.take(use, self._ids)
            other = _BEFORE if use.event == EARLIER and not entry.doors else None
            self.population += [] if other else [entry]
        self.apart += Counter([other] if other and not is_step else ())
        self.judged += [use] if use.delegate or not (_needs_no_door(use) or use.event == EARLIER) else []

    def _take_on_the_way(self, use: Use) -> bool:
        """Whether it is a use of a step, or one by which somebody comes where a way leads through."""
        step = self.steps.take(use, self._ids, on_the_way=True)
        elsewhere = use.account not in self._answers.accounts
        handed = elsewhere and use.caller.who.kind == "service" and _hands_on(use, self._answers)
        begins = use.target in self._led_through and use.event not in SESSIONS and (handed or not _by_service(use))
        on_the_way = bool(step.doors) or (begins and _is_no_entry(use, self._answers))
        self.population += [step] if on_the_way else []
        return on_the_way


def _longest_sessions(answers: Answers) -> dict[Who, timedelta]:
    """How long a session of each role that somebody enters lasts at most, as far as it is shown."""
    found: dict[Who, timedelta] = {}
    for way in (*answers.ways, *answers.within):
        seconds = way.role_session_seconds or way.max_session_seconds
        lasts = timedelta(seconds=seconds) if seconds else LONGEST
        found[way.target.who] = max(lasts, found.get(way.target.who, lasts))
    return found


def _calls_counted(answers: Answers, key_calls: Iterable[tuple[Party, str, int]]) -> Counter[str]:
    """What is no entry, of the calls of users."""
    apart: Counter[str] = Counter()
    for user, name, count in key_calls:
        if user.who.account in answers.accounts:
            apart[calls_of(user, name)] += count
    return apart


def calls_of(user: Party, name: str) -> str:
    """Calls of a user with credentials of their own, in words."""
    which, whose = by_credentials(name)
    return f"{which}calls of {user.short} with {whose}"


def _changes(trail: Trail, accounts: Container[str]) -> list[Change]:
    found = (one for one in trail.all_changes() if one.everywhere or one.use.account in accounts)
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


def way_use(way: Way, used: Mapping[tuple[Who, Who], tuple[Tally, DoorUse]]) -> WayUse:
    """How a way was used, by the tallies of its doors."""
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
    unused = next((one for one in (Usage.LATER, Usage.NEVER) if one in words), None)
    if not unused and Usage.NOT_KNOWN not in words and not _may_follow_each_other(found):
        why = next((one.not_known for one in doors if one.not_known), "")
        return WayUse(way, Usage.NOT_KNOWN if why else Usage.NEVER, not_known=why)
    if unused or Usage.NOT_KNOWN not in words:
        usage = unused or Usage.PERHAPS
        return WayUse(way, usage, last=doors[-1].last if usage is Usage.PERHAPS else None)
    return WayUse(way, Usage.NOT_KNOWN, not_known=next(one.not_known for one in doors if one.usage is Usage.NOT_KNOWN))


def _may_follow_each_other(tallies: Iterable[Tally]) -> bool:
    """Whether a use of each door may be by the session that a use of the one before began, by access key and time."""
    before: list[Use] | None = None
    for uses in ([*one.sure, *one.perhaps] for one in tallies):
        before = uses if before is None else [use for use in uses if any(_may_follow(use, one) for one in before)]
    return bool(before)


def _may_follow(use: Use, before: Use) -> bool:
    if use.by and before.key:
        return use.by == before.key
    return timedelta() <= use.time - before.time <= LONGEST


def _why_no_entry(use: Use) -> str | None:
    """Why a use is no entry, in words."""
    failed = "failed " if use.failed is not None else ""
    if use.event in SIGN_INS:
        whose = "the root user" if use.caller.who.kind == "root-user" else "IAM users"
        return f"{failed}sign-ins of {whose} within the account"
    if _needs_no_door(use):
        inside = use.caller.who.kind != "service" and use.caller.who.account == use.account
        whence = "within the account" if inside else "by AWS services"
        return f"{failed}calls {whence}"
    return "failed attempts" if failed else None


def _on_the_way(use: Use) -> str:
    """What a sign-in at an account on the way is, that is to be looked at, in words."""
    return (
        "failed sign-ins on the way"
        if use.failed is not None
        else "sign-ins on the way as the root user or without MFA"
    )


def _by_service(use: Use) -> bool:
    return use.caller.who.kind == "service" or ":role/aws-service-role/" in use.caller.arn


def _needs_no_door(use: Use) -> bool:
    """Whether a call, other than a sign-in, comes from an AWS service or from within the account."""
    inside = _by_service(use) or use.caller.who.account == use.account
    return inside and use.event not in SIGN_INS


def _led_through(answers: Answers) -> Iterable[Who]:
    """The roles from which ways lead on into another account."""
    for way in answers.ways:
        crossing = [number for number, step in enumerate(way.steps) if step.crosses]
        yield from (step.source.who for step in way.steps[: max(crossing, default=-1) + 1])


def _is_no_entry(use: Use, answers: Answers) -> bool:
    """Whether a call is no entry into an audited account: it is in another account, or comes from within."""
    return use.account not in answers.accounts or _needs_no_door(use)


def _hands_on(use: Use, answers: Answers) -> bool:
    """Whether a service's call needs a door: it hands roles to others, or the role does not trust it.

    A service may be named with its region (`states.us-east-1.amazonaws.com`).
    """
    service, trusted = use.caller.who.name, answers.services.get(use.target)
    first = {one.partition(".")[0] for one in trusted or ()}
    return service in CARRIERS or (trusted is not None and service.partition(".")[0] not in first)


def _doors(answers: Answers) -> tuple[list[Step], list[Step]]:
    """The doors that cross into the audited accounts, each once: those of the entries' ways, and what is not proved.

    And the other steps of these ways, with the roles that users enter within their own account.
    """
    unproved = [Step(one.source, one.target, (), None, ()) for one in answers.not_proved if one.source and one.target]
    all_steps = [step for way in (*answers.ways, *answers.within) for step in way.steps]
    crossing: list[Step] = []
    others: list[Step] = []
    for step in {(step.source.who, step.target.who): step for step in (*unproved, *all_steps)}.values():
        (crossing if step.crosses and step.target.who.account in answers.accounts else others).append(step)
    return crossing, others


def _sign_ins(uses: Iterable[Use]) -> Iterable[SignIns]:
    found: dict[Who, list[Use]] = defaultdict(list)
    for use in uses:
        if use.event in SIGN_INS and use.failed is None and use.caller.who.kind != "root-user":
            found[use.caller.who].append(use)
    for own in sorted(found.values(), key=lambda own: str(own[0].caller)):
        yield SignIns(own[0].caller, tuple(own))


def _key_calls(answers: Answers, trail: Trail, accounts: Container[str]) -> Iterable[tuple[Party, str, int]]:
    for (account, caller, name), calls in trail.calls.items():
        if caller.kind != "root-user" and account in accounts:
            yield answers.named(Party(caller)), name, calls.count
