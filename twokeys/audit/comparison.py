"""Doors against what CloudTrail saw: doors never used, uses without a door, unusual entries.

docs/audit-events-words.md says what counts as an entry, as used or perhaps used, as without a door, and as unusual.
"""

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from twokeys.access.model.documents import MASKS
from twokeys.access.model.names import may_let_in
from twokeys.answers.model import ACCESS_KEY, BOUNDARY, PASSWORD, Answers, Party, Step, Way
from twokeys.answers.selection import PEOPLE, is_person
from twokeys.answers.summary import APART
from twokeys.audit import LEARNING
from twokeys.audit.changes import BEING, DELETED, MFA_DEVICES, SAME, TAKEN_BACK, WIDENING, WRITES
from twokeys.audit.coverage import Covered
from twokeys.audit.dates import dated
from twokeys.audit.entries import DoorUse, Entry, Tallies, Tally, Usage
from twokeys.audit.known import Records
from twokeys.audit.logs import Source
from twokeys.audit.record import EARLIER, SESSION, SESSIONS, SIGN_INS, Use, resolved
from twokeys.audit.trail import BY_KEY, HANDS_OUT, TEMPORARY, Change, Trail
from twokeys.audit.unusual import Unusual, is_weak, unusual
from twokeys.doors import Who
from twokeys.doors.who import CARRIERS
from twokeys.iam import Arn, PolicyDocument, PolicyKind, Unknown, aws_managed
from twokeys.shown import counted, in_utc

_HANDED_OUT = (
    f"sessions that IAM Identity Center handed out ({', '.join(HANDS_OUT)}), each an entry in the account's own "
    "records (AssumeRoleWithSAML)"
)
_OF_IDENTITY_CENTER = ":role/aws-service-role/sso.amazonaws.com/"
"""https://docs.aws.amazon.com/singlesignon/latest/userguide/using-service-linked-roles.html"""
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
    """What came of comparing. `apart` counts what no door stands for, in words; `unreadable` are records that no one
    can tell the role or the time of.

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

    earlier: tuple[Use, ...] = ()
    """The sessions in the accounts that were asked for that began before the period, each with its first call."""
    key_calls: tuple[tuple[Party, str, int], ...] = ()
    """The calls of users with credentials of their own, by name, in the accounts that were asked for and on the way."""

    @property
    def people(self) -> set[str]:
        """The names of the users of IAM and of IAM Identity Center whom the records show."""
        callers = [one.use.caller.who for one in self.population] + [one.use.caller.who for one in self.unusual]
        callers += [one.use.caller.who for one in self.changes] + [user.who for user, _, _ in self.key_calls]
        return {who.name for who in callers if who.kind in PEOPLE}

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
    def not_readable(self) -> dict[str, str]:
        """The files that cannot be read, and why."""
        return {file: why for source in self.sources for file, why in source.not_readable.items()}

    @property
    def not_as_digest(self) -> list[str]:
        """The log files and digests that are not as digests say."""
        return [file for source in self.sources for file in source.not_as_digest]

    @property
    def in_no_digest(self) -> list[str]:
        """The log files that no digest lists, of times of which there are digests."""
        return [file for source in self.sources for file in source.in_no_digest]

    @property
    def not_covered(self) -> dict[str, int]:
        """The accounts that are not covered, and on how many days: what happened there then is not known."""
        return {one.account: one.lost for one in self.coverage if one.lacks is not None}

    @property
    def may_be_more(self) -> bool:
        """Whether there may be entries and changes of keys that no record was given of."""
        not_whole = self.not_covered or self.unreadable or self.not_readable or self.not_as_digest or self.in_no_digest
        return bool(self.start is None or not_whole)

    @property
    def noteworthy(self) -> bool:
        """Whether somebody has to look: at an entry without a door or an unusual one, or for what is not known."""
        return bool(self.undeclared or self.unusual or self.may_be_more or any(self.not_known))


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
    records = Records(answers, trail, *period, asked) if period else None
    answers = dated(answers, records) if records else answers
    known = [resolved(use, answers.principals) for use in uses]
    crossing, on_the_way = _doors(answers)
    doors, steps = (Tallies(one if period else (), answers) for one in (crossing, on_the_way))
    ids: dict[Who, set[str]] = defaultdict(set)
    for unique_id, party in answers.principals.items():
        ids[party.who].add(unique_id)
    led_through = set(_led_through(answers))
    apart: Counter[str] = Counter()
    judged: list[Use] = []
    population: list[Entry] = []
    for use in known:
        if use.account in answers.accounts:
            other = _apart(use)
            handed = use.failed is None and use.caller.who.kind == "service" and _hands_on(use, answers)
            if other is None or handed:
                entry = doors.take(use, ids)
                other = _BEFORE if use.event == EARLIER and not entry.doors else None
                population += [] if other else [entry]
            apart += Counter([other] if other else ())
            calls = use.delegate or not (_needs_no_door(use) or use.event == EARLIER)
            judged += [use] if calls else []
        if not use.failed and use.event not in SIGN_INS:
            step = steps.take(use, ids, on_the_way=True)
            begins = use.target in led_through and use.event not in SESSIONS and not _by_service(use)
            population += [step] if step.doors or (begins and _is_apart(use, answers)) else []
    others = {step.source.who.account for way in answers.ways for step in way.steps} - {*answers.accounts}
    signed = [use for use in known if use.account in others and is_weak(use)]
    accounts = {*answers.accounts} | others
    learned = None
    if start is not None:
        learned = start + min(timedelta(days=learning_days), datetime.max.replace(tzinfo=UTC) - start)
    key_calls = tuple(_key_calls(answers, trail, accounts))
    for user, name, count in key_calls:
        if user.who.account in answers.accounts:
            apart[_calls(user, name)] += count
    if handed_out := sum(len(trail.handed_out.get(account, ())) for account in answers.accounts):
        apart[_HANDED_OUT] = handed_out
    by_doors, by_steps = (one.used(records) if records else {} for one in (doors, steps))
    used = by_doors | by_steps
    return Comparison(
        answers=answers,
        start=start,
        end=end,
        learned_until=learned,
        doors=tuple(use for _, use in by_doors.values()),
        unusual=unusual(answers, trail, [*judged, *signed], population, accounts, learned),
        apart=dict(sorted(apart.items())),
        unreadable=tuple(trail.unreadable.values()),
        sign_ins=tuple(_sign_ins(judged)),
        sources=tuple(trail.sources),
        asked=asked,
        coverage=tuple(records.accounts(used)) if records else (),
        ways=tuple(_way_use(way, used) for way in answers.ways) if records else (),
        steps=tuple(use for _, use in by_steps.values()),
        population=tuple(sorted(population, key=lambda one: (one.use.time, one.use.id))),
        regions=trail.coverage.only,
        changes=tuple(_changes(trail, accounts)),
        earlier=tuple(use for use in known if use.event == EARLIER and use.account in answers.accounts),
        key_calls=key_calls,
    )


def against_states(answers: Answers, comparison: Comparison) -> Answers:
    """The answers with what the records say of their time: changes of keys that the states do not have, so that more
    may come in now; the time between the oldest state and the records, of which nothing tells; and what the period had
    that is not in the answers any more. Live IAM is as of now.
    """
    since: dict[str, str] = {}
    before, ways = 0, (*answers.ways, *answers.within)
    widening = [one for one in WIDENING if one not in MFA_DEVICES or any(way.mfa for way in ways)]
    done = [one for one in comparison.changes if one.use.failed is None and one.gives]
    last = {_about(one): one for one in done}
    deleted = {(one.recorded, *one.of[:2]): one.use.time for one in done if one.of[1] and one.use.event in DELETED}
    for one in done:
        use, (kind, whose, _) = one.use, one.of
        if use.event not in widening or _is_of_nobody_here(one, answers) or not _matters(one, last, answers):
            continue
        gone = deleted.get((one.recorded, kind, whose), use.time) > use.time
        if gone or last[_about(one)] is not one:
            before += 1
        elif _is_shown(one, answers):
            continue
        elif answers.from_states:
            about = f"{use.event}{f' of {whose}' if whose else ''} in {answers.account_name(use.account)}"
            since[f"{about} on {in_utc(use.time)} by {answers.named(use.caller).short}"] = whose * (kind == "user")
        else:
            before += 1
    times = sorted(moment for one in answers.evidence if answers.from_states and (moment := one.moment))
    start, end, not_recorded, meanwhile = comparison.start, comparison.end, "", []
    if times and start and start - times[0] > APART:
        not_recorded = f"{in_utc(times[0])} and {in_utc(start)}"
    if times and end and times[-1] - end > APART:
        meanwhile.append(f"The states are of after the period, which ends at {in_utc(end)}")
    if before:
        meanwhile.append(
            f"{counted(before, 'change')} of keys in the period may have let more in before: what "
            "was made and taken back by then is only among these changes"
        )
    return replace(answers, changed_since=since, not_recorded=not_recorded, meanwhile=". ".join(meanwhile))


def _about(one: Change) -> tuple[str, ...]:
    """What a call gives, writes or takes away: of what is neither, the call with its parameters."""
    return (one.gives, one.recorded, *one.of, "" if one.gives in SAME.values() and one.of[1] else one.parameters)


def _matters(one: Change, last: Mapping[tuple[str, ...], Change], answers: Answers) -> bool:
    """Whether a call may let somebody in, or make stronger who comes in; what cannot be read may.

    A role that nothing shows anybody to enter but services for themselves gets stronger for nobody else: of its
    policies only those count that bear on `sts:AssumeRole`. What IAM Identity Center makes in an account follows from
    calls where it is itself, which count. Of a group into which an identity provider puts people, it counts where the
    states say who is in a group.
    """
    event, (kind, whose, what), trust = one.use.event, one.of, PolicyKind.TRUST
    if _OF_IDENTITY_CENTER in one.use.caller.arn:
        return False
    if event == "PatchGroup":
        return any(key[:2] == (one.recorded, "identity-center-group") for key in answers.holds)
    if WRITES.get(event) is trust:
        return _bears(one.policy, trust=True)
    if kind == "role" and what != BOUNDARY and one.gives in TAKEN_BACK.values():
        own = (one.recorded, kind, whose, "")
        said = last.get(("UpdateAssumeRolePolicy", *own, "")), answers.holds.get(own)
        entered = any(_bears(each.policy, trust=True) for each in said if each)
        return entered or _is_about_roles(one, last, answers)
    if one.gives == "CreatePolicyVersion":
        held = any(whose in key or (said and said.arn == whose) for key, said in answers.holds.items())
        return held or _bears(one.policy, trust=False)
    return True


def _is_about_roles(one: Change, last: Mapping[tuple[str, ...], Change], answers: Answers) -> bool:
    """Whether the policy that a call writes, attaches or takes away may bear on `sts:AssumeRole`."""
    arn = Arn.parse(one.of[2])
    if arn and (policy := aws_managed.document(str(arn))) is not None:
        return bool(policy.statements)
    own = (arn.account, "policy", str(arn), "") if arn else (one.recorded, *one.of)
    said = last.get(("CreatePolicyVersion", *own, "")) or answers.holds.get(own)
    return _bears(one.policy or (said.policy if said else None), trust=False)


def _bears(policy: PolicyDocument | Unknown | None, *, trust: bool) -> bool:
    """Whether a policy may be about who comes in; a Deny of a trust policy alone lets in nobody."""
    if not isinstance(policy, PolicyDocument) or policy.unresolved:
        return True
    return any(
        may_let_in(each, trust=trust) and not (trust and each.effect == "Deny" and not each.effect_unresolved)
        for each in policy.statements
    )


def _is_shown(one: Change, answers: Answers) -> bool:
    """Whether the states have what a call did, or it takes away what they do not have.

    An update does not read what others made, so what the states say is held against it, not when they were written. A
    policy is shown where theirs lets in at least as much: the call changed it to what it is, or took something away. A
    state tells by its time only of what it does not show as text, and of calls by those who ran its update.
    """
    event, (_, whose, what), key = one.use.event, one.of, (one.recorded, *one.of)
    there, said = key in answers.holds, answers.holds.get(key)
    of = next((each for each in (key[:3], (one.recorded, "", "")) if each in answers.written), key)
    time = of in answers.written and one.use.time <= answers.written[of]
    policy = said.policy if said and isinstance(said.policy, PolicyDocument) else None
    policy = None if any(mask in str(policy) for mask in MASKS) else policy
    if one.gives == "CreateAccessKey":
        return one.undone or there
    if one.gives == "CreateLoginProfile":
        user = Who("user", one.recorded, whose)
        return one.undone or any(each.user.who == user and PASSWORD in each.has for each in answers.long_term)
    if whose and one.undone:
        return not there
    if whose and what == BOUNDARY and (said or not there):
        return said is None or said.arn == one.boundary
    if whose and event in WRITES:
        return there and (time if policy is None else one.policy is not None and one.policy.within(policy))
    if whose and what != BOUNDARY and one.gives in TAKEN_BACK.values():
        return there
    if event in {"CreateOpenIDConnectProvider", "CreateSAMLProvider"}:
        named = (each.rpartition(" ")[2].removeprefix("https://") for each in one.parameters.split(", "))
        return any((one.recorded, each) in answers.providers for each in named)
    by_update = one.use.caller.who in map(Who.named, answers.updated_by) and event != "SetDefaultPolicyVersion"
    return time and (event in MFA_DEVICES or by_update)


def _is_of_nobody_here(one: Change, answers: Answers) -> bool:
    """Whether a change tells who may be somebody, of an account that was not asked for, whom no answer is about.

    Somebody of a group or an account as a whole that an answer is about may be anybody of it.
    """
    (kind, whose, _), account = one.of, one.use.account
    shown = bool(whose) and (one.recorded, kind, whose) in answers.written
    if one.use.event not in BEING or account in answers.accounts or not shown:
        return False
    ends = [end for way in (*answers.ways, *answers.within) for step in way.steps for end in (step.source, step.target)]
    ends += [end for door in answers.doors for end in (door.source, door.target)]
    ends += [end for lacking in answers.not_proved for end in (lacking.source, lacking.target) if end]
    here = [end.who for end in ends if end.who.account == account]
    return not any(who.kind not in ("role", "user") or who.name.rpartition("/")[2] == whose for who in here)


def by_person(comparison: Comparison, answers: Answers) -> Comparison:
    """What one person did, whose answers these are, and how that one used the doors of these ways; all, if of nobody.

    A call is the person's that the user made, that carries the person's name as its source identity, or that was made
    in a session which one of the entries began.
    """
    person = answers.person
    if not person:
        return comparison
    keys: set[str] = set()

    def did(use: Use) -> bool:
        own = is_person(use.caller.who, person) or use.source_identity == person or use.by in keys
        keys.update([use.key] if own and use.key else ())
        return own

    population = tuple(one for one in comparison.population if did(one.use))
    of_door: dict[int, list[Entry]] = defaultdict(list)
    for entry in population:
        for door in entry.doors:
            of_door[id(door)].append(entry)
    steps = {(step.source.who, step.target.who) for way in (*answers.ways, *answers.within) for step in way.steps}
    used: dict[tuple[Who, Who], tuple[Tally, DoorUse]] = {}
    for one in (*comparison.doors, *comparison.steps):
        if (ends := (one.door.source.who, one.door.target.who)) in steps:
            tally = Tally(one.door)
            used[ends] = (tally, tally.of_person(one, of_door[id(one.door)]))
    doors, on_the_way = (
        tuple(used[ends][1] for one in of if (ends := (one.door.source.who, one.door.target.who)) in used)
        for of in (comparison.doors, comparison.steps)
    )
    return replace(
        comparison,
        doors=doors,
        steps=on_the_way,
        ways=tuple(_way_use(way, used) for way in answers.ways if used),
        population=population,
        unusual=tuple(one for one in comparison.unusual if did(one.use)),
        sign_ins=tuple(one for one in comparison.sign_ins if is_person(one.user.who, person)),
        changes=tuple(one for one in comparison.changes if did(one.use)),
        earlier=tuple(filter(did, comparison.earlier)),
        apart=dict(_own_calls(comparison, answers)),
    )


def _own_calls(comparison: Comparison, answers: Answers) -> Iterable[tuple[str, int]]:
    """The person's calls with own credentials, and whether something shows the access key."""
    shown = {one.user.who for one in answers.long_term if ACCESS_KEY in one.has}
    for user, name, count in comparison.key_calls:
        if is_person(user.who, answers.person):
            by_key = name != TEMPORARY and user.who not in shown
            yield _calls(user, name) + (" that nothing read shows" if by_key else ""), count


def _calls(user: Party, name: str) -> str:
    whose = "temporary credentials" if name == TEMPORARY else "an access key"
    which = "" if name == TEMPORARY else f"{name if name in BY_KEY else 'other'} "
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


def _way_use(way: Way, used: Mapping[tuple[Who, Who], tuple[Tally, DoorUse]]) -> WayUse:
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
    if unused or Usage.NOT_KNOWN not in words:
        usage = unused or Usage.PERHAPS
        return WayUse(way, usage, last=doors[-1].last if usage is Usage.PERHAPS else None)
    return WayUse(way, Usage.NOT_KNOWN, not_known=next(one.not_known for one in doors if one.usage is Usage.NOT_KNOWN))


def _apart(use: Use) -> str | None:
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


def _is_apart(use: Use, answers: Answers) -> bool:
    """Whether a call is no entry into an audited account: it is in another account, or comes from within."""
    return use.account not in answers.accounts or _needs_no_door(use)


def _hands_on(use: Use, answers: Answers) -> bool:
    """Whether a service's call needs a door: it hands roles to others, or the role trusts no service."""
    return use.caller.who.name in CARRIERS or use.target in answers.no_service


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
