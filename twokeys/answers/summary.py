"""The answers in few words: how many, how strong, and what is alike said once."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from importlib.metadata import version
from itertools import chain
from typing import Any

from twokeys.access.model.requirements import MFA_BUT_OF_KEYS
from twokeys.access.reading.snapshot import Evidence
from twokeys.answers.model import NOT_SHOWN_INSIDE, OUTSIDE, Account, Answers, DoorAnswer, Party, State, Time, Way
from twokeys.answers.permissions import Level
from twokeys.answers.words import open_to
from twokeys.doors import Who
from twokeys.iam import account_as_a_whole
from twokeys.shown import counted, in_utc, listed, printable

_NOT_LOOKED_AT = (
    "Not looked at: policies of buckets, keys, queues and other data; network ways; what a role may do once it is "
    "entered; code that runs with a role; what IAM Identity Center and other identity providers ask at sign-in; {}"
)
IN_SHORT = "Not looked at: ways to data, networks, what a role does once it is entered, and more (--json lists it)"
"""What no answer looks at, in a terminal."""
_STRONGEST_FIRST = sorted(Level, reverse=True)
_LIVE = "ask live IAM (`--live`)"
APART = timedelta(days=1)
"""How far apart two moments are that are said to be different times."""
SHA256, SHORT = 64, 12
"""Hexadecimal digits of a sha256, and as many as a terminal shows of it."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Numbers: of accounts, of principals with a way in, of ways by how strong they are, of what is not settled.

    `doors` are the ways of one door with what keys it needs, `not_shown` those with a key not shown; all others
    lead through other roles.
    """

    accounts: int
    principals: int
    ways: int
    doors: int
    not_shown: int
    not_now: tuple[tuple[Time, int], ...]
    """Ways that their dates keep shut, by whether they are closed or open later: they are counted nowhere else."""
    may_be_more: bool
    """Whether something is not shown that may hold ways in."""
    levels: tuple[tuple[Level, int], ...]
    doors_without_a_key: int
    not_proved: int
    mfa_but_of_keys: int = 0
    """Ways that ask for MFA by an operator that lets in whoever tells nothing of it, such as an access key."""
    third_parties: tuple[tuple[str, int, int], ...] = ()
    """Of third parties that are alike in what is known of them the ways, and those that ask for no external ID."""
    open_to: tuple[tuple[str, int], ...] = ()
    """Of each identity provider the ways that are open to whoever has an account there."""
    expired: int = 0
    """Exceptions that have expired."""

    @property
    def through_others(self) -> int:
        """How many ways lead through other roles."""
        return self.ways - self.doors - self.not_shown

    @property
    def to_be_looked_at(self) -> bool:
        """Whether a number is there that is no plain answer, or one that may be too small."""
        return bool(self.doors_without_a_key or self.open_to or self.not_proved or self.may_be_more or self.expired)

    @property
    def ways_in(self) -> str:
        """The ways in words: "9 ways in (5 doors, 4 through other roles)"."""
        kinds = [counted(self.doors, "door")] if self.doors or not self.ways else []
        kinds += [f"{self.through_others} through other roles"] if self.through_others else []
        kinds += [f"{self.not_shown} with a key not shown"] if self.not_shown else []
        at_least = "at least " if self.may_be_more and self.ways else ""
        return f"{at_least}{counted(self.ways, 'way')} in ({', '.join(kinds)})"

    @property
    def sentence(self) -> str:
        """In words: "4 principals have 9 ways in (5 doors, 4 through other roles): 3 administrator, 6 write"."""
        if not self.ways:
            first = f"No way in from another account {'is open now' if self.not_now else 'is known'}"
        else:
            levels = ", ".join(f"{count} {level.word}" for level, count in self.levels)
            have = "has" if self.principals == 1 else "have"
            first = f"{counted(self.principals, 'principal')} {have} {self.ways_in}: {levels}"
        more = [f"{counted(ways, 'way')} {when.value}" for when, ways in self.not_now]
        more += [f"{counted(ways, 'way')} {open_to(provider)}" for provider, ways in self.open_to]
        more += [
            f"{counted(ways, 'way')} from third parties {known}, {f'{without} without' if without else 'each with'} an "
            "external ID"
            for known, ways, without in self.third_parties
        ]
        more += [
            f"{counted(self.mfa_but_of_keys, 'way')} with {MFA_BUT_OF_KEYS}" if self.mfa_but_of_keys else "",
            f"{counted(self.doors_without_a_key, 'door')} without a key or denied" if self.doors_without_a_key else "",
            f"{self.not_proved} not proved" if self.not_proved else "",
            f"{counted(self.expired, 'exception')} expired" if self.expired else "",
        ]
        return "; ".join(part for part in (first, *more) if part)

    def as_dict(self) -> dict[str, Any]:
        """As JSON-ready data."""
        return {
            "accounts": self.accounts,
            "principals": self.principals,
            "ways": self.ways,
            "waysByOneDoor": self.doors,
            "waysThroughOtherRoles": self.through_others,
            "waysWithAKeyNotShown": self.not_shown,
            "waysClosedByTheirDate": dict(self.not_now).get(Time.OVER, 0),
            "waysNotOpenYet": dict(self.not_now).get(Time.LATER, 0),
            "mayBeMore": self.may_be_more,
            "permissions": {level.word: count for level, count in self.levels},
            "doorsWithoutAKey": self.doors_without_a_key,
            "notProved": self.not_proved,
            "mfaNotAskedOfAccessKeys": self.mfa_but_of_keys,
            "thirdParties": [
                {"known": known, "ways": ways, "withoutExternalId": without}
                for known, ways, without in self.third_parties
            ],
            "openTo": dict(self.open_to),
        }


@dataclass(frozen=True, slots=True)
class Entrance:
    """Ways of one principal that are alike but for the account: into roles of one name, as strong, as conditional."""

    source: Party
    role: str
    label: str
    level: Level
    through: tuple[str, ...]
    conditions: tuple[str, ...]
    ways: tuple[Way, ...]

    @property
    def accounts(self) -> tuple[str, ...]:
        """The names of the accounts, in order."""
        return tuple(way.target.place for way in self.ways)


@dataclass(frozen=True, slots=True)
class Alike:
    """Accounts that have ways in common: the same principals enter them by roles of the same names."""

    accounts: tuple[Account, ...]
    ways: tuple[tuple[Way, ...], ...]
    """Each with those that are alike, one into each of them; the strongest first."""


def summary(answers: Answers, now: datetime) -> Summary:
    """The numbers, of the ways that are open at a moment."""
    times = Counter(way.at(now) for way in answers.ways)
    open_now = [way for way in answers.ways if way.at(now) is Time.NOW]
    levels = Counter(way.permissions.level for way in open_now)
    return Summary(
        accounts=len(answers.accounts),
        principals=len({way.source.who for way in open_now}),
        ways=len(open_now),
        doors=sum(way.state is State.OPEN and not way.through for way in open_now),
        not_shown=sum(way.state is not State.OPEN for way in open_now),
        not_now=tuple((when, times[when]) for when in (Time.LATER, Time.OVER) if times[when]),
        may_be_more=not_shown(answers) is not None,
        levels=tuple((level, levels[level]) for level in _STRONGEST_FIRST if levels[level]),
        doors_without_a_key=sum(door.state is State.SHUT for door in answers.doors),
        not_proved=len(answers.not_proved),
        mfa_but_of_keys=sum(MFA_BUT_OF_KEYS in way.conditions for way in open_now),
        third_parties=tuple(
            (known, len(ways), sum(not way.external_id for way in ways))
            for known in (OUTSIDE, NOT_SHOWN_INSIDE)
            if (ways := [way for way in open_now if way.third_party == known and not way.open_to])
        ),
        open_to=tuple(
            sorted(Counter(way.open_to for way in answers.ways if way.open_to and way.at(now) is not Time.OVER).items())
        ),
        expired=len(answers.expired),
    )


def callers_accounts(ways: Iterable[Way]) -> set[str]:
    """The accounts of those who come by ways, and of the roles that they go through."""
    return {one.who.account for way in ways for one in (way.source, *way.through)}


def unseen(answers: Answers) -> list[str]:
    """The accounts of the organization that ways come from, or may, and of which no user or role is shown."""
    ids = callers_accounts(answers.ways) - answers.shown
    named = {name for one, name in answers.names.items() if one in ids and name != one}
    whole = {way.source.who.name for way in answers.ways if way.source.who.kind == "outsider" and not way.third_party}
    return sorted(named | {f"other accounts of organization {one}" for one in whole})


def not_shown(answers: Answers) -> str | None:
    """What states would show that are missing or not whole: stacks, and users and roles of accounts."""
    newer, concerning = ["give newer states (`pulumi refresh`)"], ""
    if any(answers.changed_since.values()):  # of a user, by hand: no newer state shows it, and a key may work still
        newer = ["ask who called; if nobody stands for it, make the user's keys inactive first"]
    elif answers.past or answers.not_recorded_after:  # states of after the period are newer than its changes
        newer = []
    if answers.person:
        concerning = f" and that may concern {answers.person}"
    changed = (*newer, "let a stack make what no stack made", _LIVE)
    parts = (
        (
            answers.without_state,
            "stacks without a state ({})",
            ("give the state of each stack (`--state FILE`)", "make them in the sandbox (`twokeys sandbox up STACK`)"),
        ),
        (
            answers.unfinished,
            "what is still to come of stacks whose update is under way or was stopped ({})",
            ("let `pulumi up` end (one that was cut off: `twokeys fleet recover {}`), and ask again",),
        ),
        (
            unseen(answers),
            "the users and roles of {}",
            ("give the states of the stacks that make them as well (`--state FILE`)", _LIVE),
        ),
        (
            sorted(answers.names.get(one, one) for one in answers.assigners - answers.shown),
            "who administers IAM Identity Center from {}, and can assign anybody but in the management account",
            ("give the state of the stack that makes the users and roles there ({})", _LIVE),
        ),
        (
            ["to be looked at"] if answers.changed_since else [],
            f"changes of keys that the states do not have{concerning} ({{}})",
            (newer or ("look at the changes themselves",)) if answers.past else changed,
        ),
        (
            [answers.not_recorded] if answers.not_recorded else [],
            "changes of keys between {}, which is between the oldest state and the records",
            ("give the logs of that time too", *newer, *(() if answers.past else (_LIVE,))),
        ),
        (
            [answers.not_recorded_after] if answers.not_recorded_after else [],
            "what the period had and was taken away between {}, which is between the records and what was read",
            (
                "give the states of the period's end (`pulumi stack export --version N --file FILE`)",
                "give the logs of that time too, with a later --until",
            ),
        ),
    )
    missing = [(what.format(", ".join(names)), names[0], steps) for names, what, steps in parts if names]
    if not missing:
        return None
    what = "; ".join(each for each, _, _ in missing)
    steps = dict.fromkeys(step.format(name) for _, name, own in missing for step in own)
    last = [f"or {_LIVE}"] if steps.pop(_LIVE, "") is None and not answers.past else []
    so = "so ways through them may be missing here, or stronger than said"
    return f"Not shown: {what}, {so}. Next step: {'; '.join([*steps, *last])}"


def scope(answers: Answers, before: Answers | None = None) -> str | None:
    """Of when states are, and those to which they are compared, what they cannot show and who was made otherwise; of
    live IAM what AWS did not tell, and what would make it.
    """
    if not answers.from_states:
        return ". ".join(filter(None, (answers.meanwhile, _not_answered(answers)))) or None
    only = "only users and roles that stacks made; live IAM also has those made otherwise"
    then = f", compared to states{_as_of(before)}" if before and _as_of(before) != _as_of(answers) else ""
    return ". ".join(filter(None, (f"From states{_as_of(answers)}{then}: {only}", answers.meanwhile)))


def run_by(answers: Answers) -> str:
    """Who ran the updates, but for a principal with a way, in a sentence; empty for nobody."""
    with_a_way = {way.source.who for way in answers.ways}
    others = [arn for arn in answers.updated_by if Who.named(arn) not in with_a_way]
    root = ", the root user" if any(map(account_as_a_whole, others)) else ""
    return f"The updates were run by {', '.join(others)}{root}" if others else ""


def _as_of(answers: Answers) -> str:
    """Of when the states are: one moment, or the first and the last where they are more than a day apart."""
    times = sorted(moment for one in answers.evidence if (moment := one.moment))
    if not times:
        return ""
    several = times[-1] - times[0] > APART
    return f" as of {in_utc(times[0])}" + (f" to {in_utc(times[-1])}" if several else "")


def _not_answered(answers: Answers) -> str | None:
    callers: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for one in chain.from_iterable(each.not_answered for each in answers.evidence):
        if one.account is None:  # what is not known of a whole account is not proved
            callers[one.what, one.action, one.error].append(one.caller)
    if not callers:
        return None
    what = "; ".join(
        f"{what} (AWS answered {error} to {action} by {listed(asked)})"
        for (what, action, error), asked in callers.items()
    )
    step = "allow them these actions, as AWS's policy IAMReadOnlyAccess does; after another error, try again"
    return f"Not known: {what}. Next step: {step}"


def evidence(answers: Answers) -> dict[str, Any]:
    """What was read, by which version of TwoKeys, and what no answer looks at, as JSON-ready data."""
    return {
        "read": [asdict(one) for one in read_of(answers)],
        "updatesRunBy": run_by(answers),
        "version": version("twokeys"),
        "notLookedAt": not_looked_at(answers),
    }


def read_of(answers: Answers) -> tuple[Evidence, ...]:
    """What was read, older states last."""
    older = answers.before.evidence if answers.before else ()
    return (*answers.evidence, *(one for one in older if one not in answers.evidence))


def file_or_live(one: Evidence, digits: int = SHA256) -> str:
    """Which file or live AWS was read: so many digits of the sha256 and when it was written; by whom, where, when."""
    said = (
        ("sha256 ", one.sha256 and one.sha256[:digits]),
        ("as ", one.caller),
        ("region ", one.region),
        ("accounts ", listed(one.accounts, most=Named.MOST if digits < SHA256 else len(one.accounts))),
        ("written " if one.sha256 else "read ", one.time or "at an unknown time"),
    )
    return ", ".join(f"{label}{value}" for label, value in said if value)


def not_looked_at(answers: Answers) -> str:
    """What no answer looks at: live IAM tells of the credentials of all users but the root user's.

    AWS makes a credential report at most every four hours.
    """
    live = any(one.caller for one in answers.evidence)
    of_root = (
        "passwords, access keys and MFA devices of root users, and those newer than AWS's credential report, which is"
    )
    made = (
        "root users, who sign in to their account with its e-mail address; passwords and access keys that no stack "
        "made; whether MFA devices exist"
    )
    return _NOT_LOOKED_AT.format(f"{of_root} up to four hours old" if live else made)


def limits(answers: Answers) -> tuple[str, ...]:
    """Whom what was read cannot show, and what no answer looks at, a sentence each."""
    return tuple(filter(None, (not_shown(answers), scope(answers), not_looked_at(answers))))


def by_principal(ways: Iterable[Way]) -> list[tuple[Party, tuple[Entrance, ...]]]:
    """Each principal with its ways, those that are alike in several accounts together; the strongest first."""
    groups: dict[Party, dict[tuple[object, ...], list[Way]]] = defaultdict(lambda: defaultdict(list))
    for way in ways:
        groups[way.source][_pattern(way)].append(way)
    found = []
    for source, patterns in groups.items():
        entrances = [
            Entrance(
                source,
                same[0].target.who.name,
                same[0].target.who.label,
                same[0].permissions.level,
                tuple(_stop(one, same[0]) for one in same[0].through),
                same[0].conditions,
                tuple(sorted(same, key=lambda way: way.target.place)),
            )
            for same in patterns.values()
        ]
        entrances.sort(key=lambda one: (-one.level, len(one.through), one.role))
        found.append((source, tuple(entrances)))
    return sorted(found, key=lambda pair: (-pair[1][0].level, str(pair[0])))


def in_words(
    doors: Iterable[DoorAnswer], named: Callable[[Sequence[str]], str] = ", ".join
) -> list[tuple[State, str, str]]:
    """The state of doors, what they lack in a line, and the next step; into alike roles of several accounts once."""
    groups: dict[tuple[str, str, str], list[DoorAnswer]] = defaultdict(list)
    for door in doors:
        groups[door.source.short, door.target.who.label, door.lacks].append(door)
    found = []
    for (source, role, lacks), (first, *more) in groups.items():
        places = named([door.target.place for door in (first, *more)])
        each = f"; so for each of the {len(more) + 1}" if first.next_step and more else ""
        found.append((first.state, f"{source} -> {role} of {places}: {lacks}", (first.next_step or "") + each))
    return found


def not_open(answers: Answers) -> list[DoorAnswer]:
    """The doors that lack a key, are denied or not proved, but for those of a sentence on what is not proved."""
    told = {(one.source.who, one.target.who) for one in answers.not_proved if one.source and one.target}
    return [
        door
        for door in answers.doors
        if door.state is State.SHUT or (door.state is State.UNPROVED and (door.source.who, door.target.who) not in told)
    ]


FEW = 12
"""Up to how many accounts are shown each by itself."""


def by_account(answers: Answers) -> list[Alike]:
    """The accounts with the ways into each: what is alike in several once, what is so in the most of them first.

    An account stands in each group of which it has the ways. The last group are those without a way in.
    """
    accounts = sorted(answers.accounts.values(), key=lambda one: (one.name, one.id))
    entered = {way.account for way in answers.ways}
    alike: dict[tuple[str, ...], list[tuple[Way, ...]]] = defaultdict(list)
    for same in _by_pattern(strongest(answers.ways)).values():
        alike[tuple(sorted({way.account for way in same}))].append(tuple(same))
    groups = [
        Alike(tuple(account for account in accounts if account.id in ids), tuple(ways))
        for ids, ways in sorted(alike.items(), key=lambda pair: -len(pair[0]))
    ]
    without = tuple(account for account in accounts if account.id not in entered)
    return [*groups, *([Alike(without, ())] if without else [])]


def _by_pattern(ways: Iterable[Way]) -> dict[tuple[object, ...], list[Way]]:
    """Ways that are alike but for the account."""
    found: dict[tuple[object, ...], list[Way]] = defaultdict(list)
    for way in ways:
        found[(str(way.source), *_pattern(way))].append(way)
    return found


def strongest(ways: Iterable[Way]) -> Sequence[Way]:
    """Ways in the order in which they matter: the strongest first, the shorter before the longer."""
    return sorted(ways, key=lambda way: (-way.permissions.level, len(way.steps), str(way.source), way.target.who.name))


def apart(ways: Iterable[Way], plain: Callable[[Way], bool] = lambda _: True) -> tuple[list[Way], str]:
    """Ways, without the plain ones that lead on from the role that AWS makes in each account; and these in a line."""
    shown: list[Way] = []
    beyond: list[Way] = []
    for way in ways:
        (beyond if way.beyond and plain(way) else shown).append(way)
    if len(beyond) < 2:
        return [*shown, *beyond], ""
    first = listed([str(way.beyond and way.beyond.short) for way in beyond])
    last = listed([way.target.short for way in beyond])
    strong = max(way.permissions.level for way in beyond).word
    return shown, printable(f"{len(beyond)} ways on from {first} -> {last} (strongest: {strong})")


class Named:
    """Accounts by their names, every one of them; of more than `MOST` the number of a list that is printed once.

    A text in which an account is searched for then has it, and 200 accounts do not fill a screen at each role.
    """

    MOST = 20

    def __init__(self) -> None:
        self._lists: dict[tuple[str, ...], int] = {}

    def __call__(self, names: Sequence[str]) -> str:
        """The names: "stage, prod", or "200 accounts (list 1)"."""
        each = tuple(dict.fromkeys(names))
        if len(each) <= self.MOST:
            return ", ".join(each)
        return f"{len(each)} accounts (list {self._lists.setdefault(each, len(self._lists) + 1)})"

    def lists(self) -> Iterator[str]:
        """The lists that were referred to, a line each."""
        return (f"list {number}: {', '.join(each)}" for each, number in self._lists.items())


def _pattern(way: Way) -> tuple[object, ...]:
    """What ways into different accounts have in common: a stop in the target account is one there, whichever it is."""
    return (
        way.target.who.name,
        way.permissions.level.value,
        tuple(_stop(one, way) for one in way.through),
        way.conditions,
        way.by_access_role,
        (way.opens, way.closes, way.state, way.open_to),
    )


def _stop(one: Party, way: Way) -> str:
    return f"{one.who.label} there" if one.who.account == way.account else one.short
