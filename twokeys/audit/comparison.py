"""Doors against what CloudTrail saw: doors never used, uses without a door, unusual entries.

docs/audit-events-words.md says what counts as an entry, as used or perhaps used, as without a door, and as unusual.
"""

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property

from twokeys.answers.model import Answers, Party, Step, Way
from twokeys.answers.permissions import Level
from twokeys.answers.selection import PEOPLE
from twokeys.audit import LEARNING
from twokeys.audit.against_states import not_in_states, taken_back, with_entries
from twokeys.audit.coverage import WasRead
from twokeys.audit.dates import dated
from twokeys.audit.differs import Differs, entered, unexplained
from twokeys.audit.entries import DoorUse, Entry, Usage, uses_of_doors, way_use
from twokeys.audit.first_sheet import Sheet, first_sheet
from twokeys.audit.held import Held
from twokeys.audit.history import History
from twokeys.audit.known import Records
from twokeys.audit.record import EARLIER, HIDDEN, SIGN_INS, Use, resolved
from twokeys.audit.shown import is_of_credentials
from twokeys.audit.sorting import Sorting, may_be_unusual
from twokeys.audit.stood import Stood
from twokeys.audit.strengths import as_they_may_be, strengths_of
from twokeys.audit.trail import LONGEST, Change, Trail, by_credentials
from twokeys.audit.unusual import Unusual, is_weak, unusual
from twokeys.doors import Who


@dataclass(frozen=True, slots=True)
class SignIns:
    """The sign-ins of an IAM user at the account's own console that succeeded, in order of time."""

    user: Party
    uses: tuple[Use, ...]


@dataclass(frozen=True)
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
    ways: tuple[tuple[Way, DoorUse], ...] = ()
    steps: tuple[DoorUse, ...] = ()
    population: tuple[Entry, ...] = ()
    regions: tuple[str, ...] = ()
    """Those that count, where people named them."""
    changes: tuple[Change, ...] = ()
    """The calls that changed, or tried to change, who can enter, in order of time."""
    taken_back: tuple[Stood, ...] = ()
    """What let somebody in during the period, or may have, and is not in the answers: what is judged first."""
    unexplained: tuple[Differs, ...] = ()
    not_in_states: tuple[Stood, ...] = ()
    """What a call gave that may yet stand, and that the states do not have."""
    earlier: tuple[Use, ...] = ()
    """The sessions in the accounts that were asked for that began before the period, each with its first call."""
    key_calls: tuple[tuple[Party, str, int], ...] = ()
    """The calls of users with credentials of their own, by name, in the accounts that were asked for and on the way."""
    strengths: Mapping[str, Level] = field(default_factory=dict)
    """Of each entry, by id, how strong its role is, as far as a way into it shows, or was meanwhile."""

    @cached_property
    def sheet(self) -> Sheet:
        """What somebody has to look at, and what changed as the states show it."""
        return first_sheet(self)

    @property
    def is_noteworthy(self) -> bool:
        """Whether somebody has to look: at one of the lines, or for what is not known."""
        return bool(self.may_be_more or any(self.not_known) or self.sheet.lines)

    def strength(self, one: Entry) -> tuple[Level, Level]:
        """How strong the role of an entry was then, at most and at least: of what differs between two states without a
        recorded call, it was as strong as in either.
        """
        most = least = self.strengths[one.use.id]
        into = {one.use.target, *(door.target.permission_set for door in one.doors)}
        for each in self.unexplained:
            of = entered(each.whom, self.answers)
            if of in {who and replace(who, account=of.account) for who in into}:
                least = min(least, *each.levels)
        return most, least

    def meanwhile(self, answers: Answers) -> dict[str, list[str]]:
        """Of each entry, by id, while what it was that the answers have not, in words."""
        found: dict[str, list[str]] = defaultdict(list)
        for one in (*self.taken_back, *self.not_in_states):
            for use in () if is_of_credentials(one.change) else one.entered:
                found[use.id].append(one.meanwhile(use, answers))
        return found

    @property
    def people(self) -> set[Who]:
        """The users of IAM and of IAM Identity Center whom the records show."""
        callers = [one.use.caller.who for one in self.population] + [one.use.caller.who for one in self.unusual]
        callers += [one.use.caller.who for one in self.changes] + [user.who for user, _, _ in self.key_calls]
        return {who for who in callers if who.kind in PEOPLE and who.name != HIDDEN}

    @property
    def entries(self) -> int:
        """How many of `population` are entries."""
        return sum(not one.on_the_way for one in self.population)

    @property
    def undeclared(self) -> tuple[Use, ...]:
        """The entries that no door explains, and those into roles that ways lead through."""
        return tuple(one.use for one in self.population if not one.doors)

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
    asked, since, uses = (start, end), start, trail.uses(None, end, _longest_sessions(answers))
    spanned = _spanned(trail, start, end)
    records = None
    if spanned:
        first, last = start or spanned[0], end or spanned[1]
        records = Records(answers, trail, first, max(first, min(last, datetime.now(UTC))), asked)
    start, end = spanned or (None, None)
    coming = {step.source.who for way in answers.ways for step in way.steps}
    others = {who.account for who in coming} - {*answers.accounts}
    accounts = {*answers.accounts} | others
    key_calls, calls = tuple(_key_calls(answers, trail, accounts)), _changes(answers, trail, accounts)
    changes = tuple(one for one in calls if not trail.outside(one.use.time))
    history = History(changes, answers)
    held = Held(history)
    answers = dated(answers, records, history) if records else answers
    gone, there = (find(answers, changes, held) for find in (taken_back, not_in_states))
    uses = [resolved(use, answers.principals) for use in uses]
    asked_of = [use for use in uses if since is None or use.time >= since]
    sorting = Sorting(answers, asked_of, history)
    taught = [use for use in uses if may_be_unusual(use)]
    judged = {use.id for use in taught if use.account in answers.accounts}
    coming |= {user.who for user, group in answers.memberships if group.who in coming}
    signed = [use for use in asked_of if use.account in others and is_weak(use, coming)]
    judged |= {use.id for use in signed}
    apart = sorting.apart
    weak = "sign-ins on the way as the root user or without MFA"
    apart.update("failed sign-ins on the way" if use.failed is not None else weak for use in signed)
    for user, name, count in key_calls:
        apart[calls_of(user, name)] += count if user.who.account in answers.accounts else 0
    population = tuple(sorting.population)
    doors, steps = (
        tuple(_used(each, population, records)) if records else () for each in (sorting.doors, sorting.steps)
    )
    used = {one.door.ends: one for one in (*doors, *steps)}
    came = [one.use for one in population]
    gone, there = (with_entries(each, came, answers) for each in (gone, there))
    strengths = strengths_of(population, held)
    answers = as_they_may_be(answers, (*gone, *there), held)
    first = trail.start or datetime.max.replace(tzinfo=UTC)
    learned = start and max(start, first + min(timedelta(days=learning_days), datetime.max.replace(tzinfo=UTC) - first))
    return Comparison(
        answers=answers,
        start=start,
        end=end,
        learned_until=learned,
        doors=doors,
        unusual=unusual(answers, trail, taught, judged, population, accounts, changes, since, learned),
        apart=dict(sorted((+apart).items())),
        was_read=WasRead(
            tuple(trail.sources), tuple(records.accounts(used)) if records else (), tuple(trail.unreadable.values())
        ),
        sign_ins=tuple(_sign_ins(use for use in asked_of if use.account in answers.accounts)),
        asked=asked,
        ways=tuple((way, way_use(way, used)) for way in answers.ways) if records else (),
        steps=steps,
        population=population,
        regions=trail.coverage.only,
        changes=changes,
        taken_back=gone,
        not_in_states=there,
        unexplained=tuple(unexplained(History(calls, answers), accounts, trail.coverage.accounts)),
        earlier=tuple(use for use in asked_of if use.event == EARLIER and use.account in answers.accounts),
        key_calls=key_calls,
        strengths=strengths,
    )


def _used(doors: Iterable[Step], entries: Iterable[Entry], records: Records) -> Iterator[DoorUse]:
    of = uses_of_doors(entries)
    for one in doors:
        yield DoorUse(one, *of[one.ends], *records.about(one))


def _longest_sessions(answers: Answers) -> dict[Who, timedelta]:
    """How long a session of each role that somebody enters lasts at most, as far as it is shown."""
    found: dict[Who, timedelta] = {}
    for way in answers.all_ways:
        seconds = way.role_session_seconds or way.max_session_seconds
        lasts = timedelta(seconds=seconds) if seconds else LONGEST
        found[way.target.who] = max(lasts, found.get(way.target.who, lasts))
    return found


def calls_of(user: Party, name: str) -> str:
    """Calls of a user with credentials of their own, in words."""
    which, whose = by_credentials(name)
    return f"{which}calls of {user.short} with {whose}"


def _changes(answers: Answers, trail: Trail, accounts: Container[str]) -> list[Change]:
    found = (one for one in trail.all_changes(answers.joined) if one.everywhere or one.use.account in accounts)
    return sorted(found, key=lambda one: (one.use.time, one.use.id))


def _spanned(trail: Trail, start: datetime | None, end: datetime | None) -> tuple[datetime, datetime] | None:
    """What the records span of a period; None where they have nothing of it."""
    if trail.start is None or trail.end is None:
        return None
    first, last = max(start or trail.start, trail.start), min(end or trail.end, trail.end)
    return (first, last) if first <= last else None


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
