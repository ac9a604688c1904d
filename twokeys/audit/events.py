"""What CloudTrail saw, in words."""

import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import groupby

from twokeys.answers.model import Answers, Step
from twokeys.answers.selection import PEOPLE
from twokeys.answers.summary import SHA256
from twokeys.audit.comparison import Comparison, SignIns
from twokeys.audit.coverage import Covered
from twokeys.audit.entries import DoorUse, Entry, Usage
from twokeys.audit.logs import Source
from twokeys.audit.record import EARLIER, EVENTS, LOGIN, SESSIONS, SIGN_INS, Use
from twokeys.audit.trail import LOGGING, Change
from twokeys.audit.unusual import FIRST_ENTRY, NEW_ADDRESS
from twokeys.iam.sts import RESERVED_ROLE
from twokeys.shown import counted, in_utc, listed

NOT_LOOKED_AT = (
    "Not looked at in the events: changes of keys elsewhere than in IAM, IAM Identity Center and Organizations; what "
    "else sessions do once they are in, but for root users and root sessions; what else users do with access keys, but "
    "for making credentials; which read events a trail's event selectors leave out"
)
_SURE, _PERHAPS, _WITHOUT = "entry by a door", "entry perhaps by a door", "entry without a door"
_NO_DOOR, _UNUSUAL, _CHANGED = "without a door", "unusual", "changed"
_OF_STACK_SETS = "stacksets-exec-"
"""https://docs.aws.amazon.com/aws-managed-policy/latest/reference/CloudFormationStackSetsOrgAdminServiceRolePolicy.html"""
WAS_OPEN, NOT_JUDGED = "was open", "was given or taken away, not judged"
_STEP, _PERHAPS_A_STEP = "step on the way", "step perhaps on the way"
_NO_STEP = "entry on the way without a door"
_ONLY_LEARNING = "all of the period only teaches what is usual (--learning-days)"
_FEW = 3
"""How many sessions of a door's users are named."""
_UUID = re.compile(r"([0-9a-f]{8})(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""As of a build in a session's name, of which the beginning is enough."""
_OF_WAYS = {
    Usage.USED: "used",
    Usage.PERHAPS: "perhaps used",
    Usage.NEVER: "without a record of use",
    Usage.LATER: "made after the period",
    Usage.NOT_KNOWN: "not known",
}
_NO_RECORDS = "no records of the period"
_NO_LOGS = "nothing given is a CloudTrail log: give the folder that holds AWSLogs/…/CloudTrail/"
_MANY = 12
"""How many files that cannot be read, and accounts, are named on a terminal."""


def not_in_the_events(comparison: Comparison) -> str:
    """What nothing is said of."""
    history = (
        "; of the event history changes of keys that are not known to let more in"
        if any(one.caller for one in comparison.sources)
        else ""
    )
    held = any(one.held for one in comparison.sources)
    signatures = (
        "; the signatures of digests, which `aws cloudtrail validate-logs` checks with AWS's key" if held else ""
    )
    return f"{NOT_LOOKED_AT}{history}{signatures}; {_other_regions(comparison)}"


def _other_regions(comparison: Comparison) -> str:
    """An entry is recorded in the region of the STS endpoint that was called, and of the global one in us-east-1."""
    if comparison.regions:
        return f"regions other than {', '.join(comparison.regions)} (--region), but for the records that are there"
    return "regions that AWS does not enable by default, but for the stack's and those of which there are records"


def kind_of(one: Entry) -> str:
    """What an entry is."""
    if one.on_the_way:
        return _PERHAPS_A_STEP if one.perhaps else _STEP if one.doors else _NO_STEP
    return _PERHAPS if one.perhaps else _SURE if one.doors else _WITHOUT


def by_door(step: Step) -> str:
    """A door by its declared name, else by its ends."""
    return step.declared.name if step.declared and step.declared.name else f"{step.source.short} -> {step.target.short}"


def headline(answers: Answers, comparison: Comparison | None) -> str:
    """What somebody has to look at, in few words; empty where no events were given."""
    if comparison is None:
        return ""
    hidden = "".join(
        f", {n} whose {what} is not shown though its door asks for it" for what, n in comparison.not_shown.items()
    )
    begun = (
        f", {counted(comparison.not_begun, 'session')} whose AssumeRole is in no record" if comparison.not_begun else ""
    )
    if comparison.earlier:
        each = listed(
            [f"role {use.role} of {answers.account_name(use.account)}, as {use.session}" for use in comparison.earlier],
            most=_FEW,
        )
        were = "was" if len(comparison.earlier) == 1 else "were"
        begun += f", {counted(len(comparison.earlier), 'session')} that began before the period {were} at work ({each})"
    as_root = sum(one.use.caller.who.kind == "root-user" for one in comparison.unusual)
    unusual = f"{len(comparison.unusual)} unusual" if comparison.unusual or not _only_learning(comparison) else ""
    unusual += f" ({as_root} as the root user)" if as_root else ""
    learning = _ONLY_LEARNING if _only_learning(comparison) else ""
    changes = f"{counted(len(comparison.changes), 'change')} of keys" if comparison.changes else ""
    seen = ", ".join(filter(None, (f"{_entries(comparison)}{begun}{hidden}", changes, unusual, learning)))
    doors, steps = comparison.not_known
    of = " and ".join(
        f"{counted(count, what)}{where}"
        for count, what, where in ((doors, "door", ""), (steps, "step", " on the way"))
        if count
    )
    not_known = [
        f"{of} of which it is not known whether {'it was' if doors + steps == 1 else 'they were'} used" if of else "",
        f"{counted(len(comparison.unreadable), 'record')} that cannot be read" if comparison.unreadable else "",
        f"{counted(len(comparison.not_readable), 'file')} that cannot be read" if comparison.not_readable else "",
        _not_as_digest(comparison),
        f"{counted(len(comparison.in_no_digest), 'log file')} in no digest given" if comparison.in_no_digest else "",
    ]
    first = seen if comparison.start else _NO_RECORDS if _may_have_logs(comparison) else _NO_LOGS
    only = f" of {listed(comparison.regions)} only (--region)" if comparison.regions else ""
    seen = f"CloudTrail{only}: {', '.join(filter(None, (first, *not_known)))}"
    return "; ".join(filter(None, (seen, gaps(answers, comparison), _without_digests(answers, comparison))))


def were_open(answers: Answers, comparison: Comparison | None, most: int = _FEW) -> list[str]:
    """What let somebody in during the period and was taken back, and what may have; no more than `most` of each."""
    found = comparison.taken_back if comparison else ()
    judged, others = (
        [one.words(answers) for one in found if bool(one.permissions) is is_so] for is_so in (True, False)
    )
    said = []
    if judged:
        named = "by its trust policy; whether whom it names of our own accounts was granted it is not judged"
        said.append(f"Was open in the period and is not any more ({named}): {_some(judged, most)}")
    if others:
        said.append(f"Not judged is whom these let in before they were taken back: {_some(others, most)}")
    return said


def _some(lines: list[str], most: int) -> str:
    more = [f"{len(lines) - most} more below and in --csv"] if len(lines) > most else []
    return "; ".join([*lines[:most], *more])


def _may_have_logs(comparison: Comparison) -> bool:
    """Whether anything that was given is a log, or cannot be read and may be one."""
    return any(one.caller or one.read or one.not_readable for one in comparison.sources)


def _not_as_digest(comparison: Comparison) -> str:
    count = len(comparison.not_as_digest)
    verb, whose = ("is", "its digest says") if count == 1 else ("are", "their digests say")
    return f"{counted(count, 'file')} {verb} not as {whose}" if count else ""


def gaps(answers: Answers, comparison: Comparison) -> str:
    """Which accounts are not covered, and what follows; empty where all are."""
    lost = [
        f"{answers.account_name(account)} ({counted(days, 'day')})" for account, days in comparison.not_covered.items()
    ]
    return f"not covered: {listed(lost, most=_FEW)}: entries and changes of keys there are not known" if lost else ""


def _without_digests(answers: Answers, comparison: Comparison) -> str:
    """Of which accounts log files alone tell, and what follows; empty where digests were given of all."""
    places = [
        answers.account_name(one.account)
        + (f" ({listed(one.without_digests, most=_FEW)})" if len(one.without_digests) < len(one.regions) else "")
        for one in comparison.coverage
        if one.without_digests
    ]
    trails = {trail: count for source in comparison.sources for trail, count in source.without_digests.items()}
    places += [f"the trail in {trail} ({counted(count, 'log file')})" for trail, count in trails.items()]
    return f"no digests of {listed(places, most=_FEW)}: a log file that is missing would not show" if places else ""


def _only_learning(comparison: Comparison) -> bool:
    return (
        comparison.learned_until is not None
        and comparison.end is not None
        and comparison.learned_until > comparison.end
    )


def _entries(comparison: Comparison) -> str:
    """How many entries there are, and by what: "4 entries (2 by a door, 1 perhaps by a door, 1 without a door)"."""
    there = Counter(map(kind_of, comparison.population))
    each = [f"{there[_SURE]} by a door", f"{there[_PERHAPS]} perhaps by a door", f"{there[_WITHOUT]} without a door"]
    each = [one for one in each if one != "0 perhaps by a door"]
    entries = "entry" if comparison.entries == 1 else "entries"
    at_least, read = ("at least ", "in what was read ") if comparison.may_be_more else ("", "")
    apart = f", {at_least}{there[_NO_STEP]} on the way without a door" if there[_NO_STEP] else ""
    of = f" ({read}{', '.join(each)})" if comparison.entries else ""
    return f"{at_least}{comparison.entries} {entries}{of}{apart}"


def events(answers: Answers, comparison: Comparison, named: Callable[[Sequence[str]], str]) -> Iterator[str]:
    """The events in lines of text, each use once: what is to be looked at, changes of keys, doors, what there is."""
    yield ""
    yield "What CloudTrail saw"
    yield period(comparison)
    yield from _few("not readable", not_readable(comparison))
    looked_at, changed = to_look_at(answers, comparison)
    yield from _few("entries, calls and attempts", list(map(": ".join, looked_at)))
    yield from _few("what was taken back", list(map(": ".join, taken_back(answers, comparison))))
    yield from filter(None, [who_changed(answers, comparison)])
    yield from _few("changes of keys", list(map(": ".join, changed)), "--csv and --json")
    yield from (f"{words}: {door}" for words, door in uses(comparison.doors, named))
    yield from (f"on the way, {words}: {step}" for words, step in uses(comparison.steps, named))
    yield from filter(None, [ways(comparison)])
    through = [
        f"{words}: {way}"
        for words, way in through_roles(comparison)
        if words in (Usage.USED.value, Usage.PERHAPS.value)
    ]
    yield from _few("ways through other roles", through)
    yield from filter(None, [about_early(comparison)])
    for signed in comparison.sign_ins:
        yield f"signed in: {sign_ins(signed, answers)}"
    yield from _few("records", [f"records of {line}" for line, _ in coverage(answers, comparison, named)])
    yield not_in_the_events(comparison)


def taken_back(answers: Answers, comparison: Comparison) -> list[tuple[str, str]]:
    """What was given, or there, in the period and taken back, in words, and by whom it was given or taken."""
    return [
        (
            WAS_OPEN if one.permissions else NOT_JUDGED,
            f"{one.words(answers)}, by {answers.named(one.change.use.caller).short} ({one.change.use.id})",
        )
        for one in comparison.taken_back
    ]


@dataclass
class _Alike:
    """Uses that are alike, in order of time, with what they are, how often, and why."""

    uses: list[Use] = field(default_factory=list)
    labels: Counter[str] = field(default_factory=Counter)
    why: dict[str, None] = field(default_factory=dict)
    surprises: dict[str, None] = field(default_factory=dict)
    """Of these reasons those that are unusual; of new addresses, which may be many, one."""

    def __len__(self) -> int:
        return len(self.uses)

    def order(self, unmet: Container[str]) -> tuple[object, ...]:
        """Who had no door first, then who did not meet what a door asks for, then root users, logging that was stopped,
        and what is unusual. Of that a first entry, then that for several reasons, then that of people is first.

        Sessions that no record shows anybody to begin are last: where a trail logs writes only, all of them are such.
        """
        first = self.uses[0]
        who, met = first.caller.who.kind, all(use.id not in unmet for use in self.uses)
        return (
            *(first.event in SESSIONS, _is_nobody_s(first)),
            *(_NO_DOOR not in self.labels, met, who != "root-user", first.event not in LOGGING),
            *(FIRST_ENTRY not in self.surprises, -len(self.surprises), who not in PEOPLE, first.time, first.id),
        )

    def row(self, answers: Answers) -> tuple[str, str]:
        """What they are; the last of them, of how many in how many regions, and why, not all of many."""
        labels = ", ".join(
            f"{label} ({count})" if count > 1 else label for label, count in sorted(self.labels.items(), reverse=True)
        )
        last, regions = used(self.uses[-1], answers), len({use.region for use in self.uses})
        last += f", the last of {len(self)} since {in_utc(self.uses[0].time)}" if len(self) > 1 else ""
        last += f" in {regions} regions" if regions > 1 else ""
        sessions = [*dict.fromkeys(use.caller_session for use in self.uses if use.caller_session)]
        new = {one for one in self.why if one.startswith(NEW_ADDRESS)} if len(self.uses) > 1 else set()
        addresses = len({use.source for use in self.uses})
        last += f" from {addresses} addresses" if addresses > 1 and not new else ""
        last += f", in sessions {_sessions(sessions)}" if len(sessions) > 1 else ""
        why = [one for one in self.why if one not in new]
        why += [f"{len(new)} {NEW_ADDRESS}es for this principal"] if len(new) > 1 else new
        more = [f"{len(why) - _FEW} more such reasons"] if len(why) > _FEW + 1 else []
        return labels, ": ".join(filter(None, (last, "; ".join(why[: _FEW if more else None] + more))))


Rows = list[tuple[str, str]]


def to_look_at(answers: Answers, comparison: Comparison) -> tuple[Rows, Rows]:
    """Each use once, with what it is: entries without a sure door and what is unusual, and other changes of keys.

    Those that are alike are one; of the changes the rarest is first.
    """
    groups = _alike((*_entries_and_unusual(comparison), *_changed(comparison)))
    unmet = {one.use.id for one in comparison.population if one.unmet}
    first = sorted((one for one in groups if [*one.labels] != [_CHANGED]), key=lambda one: one.order(unmet))
    changes = sorted((one for one in groups if [*one.labels] == [_CHANGED]), key=len)
    return [one.row(answers) for one in first], [one.row(answers) for one in changes]


_Said = tuple[Use, str, tuple[str, ...], str]
"""A use, what it is, why, and whom it trusts."""


def _entries_and_unusual(comparison: Comparison) -> Iterator[_Said]:
    for one in comparison.population:
        if one.perhaps:
            yield one.use, f"perhaps by {' or '.join(map(by_door, one.doors))}", tuple(one.perhaps.split("; ")), ""
        elif not one.doors:
            yield one.use, _NO_DOOR, (), ""
    yield from ((one.use, _UNUSUAL, one.why, "") for one in comparison.unusual)


def _changed(comparison: Comparison) -> Iterator[_Said]:
    yield from ((one.use, _CHANGED, (str(one),) if str(one) else (), one.trusts) for one in comparison.changes)


def _alike(said: Iterable[_Said]) -> list[_Alike]:
    """Each use once: those together where the same principal calls the same of an account, with the same outcome.

    An entry tells for whom and from where it was: those of another are apart, but for those of which a new address is
    all that is unusual. So is, where no door explains it, each session of a role. Sessions that no record shows anybody
    to begin are one for each role, but for those of IAM Identity Center, each of which is a person.
    """
    of_use: dict[tuple[str, str], list[_Said]] = defaultdict(list)
    for one in said:
        of_use[one[0].id, one[0].event].append(one)
    groups: dict[tuple[object, ...], _Alike] = defaultdict(_Alike)
    for same in sorted(of_use.values(), key=lambda same: (same[0][0].time, same[0][0].id)):
        use, kinds = same[0][0], frozenset((what, trusts) for _, what, _, trusts in same if what != _UNUSUAL)
        what_it_is = {what for what, _ in kinds}
        nobody = _is_nobody_s(use)
        session = use.caller_session if not nobody and (_NO_DOOR in what_it_is or use.event in SESSIONS) else None
        unusual = [why for _, what, whys, _ in same if what == _UNUSUAL for why in whys]
        surprises = dict.fromkeys(NEW_ADDRESS if why.startswith(NEW_ADDRESS) else why for why in unusual)
        source = NEW_ADDRESS if [*surprises] == [NEW_ADDRESS] else None if nobody else use.source
        whence = () if what_it_is == {_CHANGED} else (source, use.source_identity, session)
        group = groups[
            use.caller.who, not use.names_caller and use.unique_id, use.target, use.event, use.failed, kinds, whence
        ]
        group.uses.append(use)
        group.labels.update(what for _, what, _, _ in same)
        group.why.update(dict.fromkeys(why for _, _, whys, _ in same for why in whys))
        group.surprises.update(surprises)
    return list(groups.values())


def _is_nobody_s(use: Use) -> bool:
    """Whether it is a session that no record shows anybody to begin, of a role that is not IAM Identity Center's."""
    return use.event in SESSIONS and RESERVED_ROLE not in use.role


def _few(what: str, lines: list[str], have_all: str = "--csv, --html and --json") -> Iterator[str]:
    yield from lines[:_MANY]
    if len(lines) > _MANY:
        yield f"{what}: {len(lines) - _MANY} more, which {have_all} list"


def not_readable(comparison: Comparison) -> list[str]:
    """The files and records that cannot be read, or are not as CloudTrail wrote them, each in a sentence."""
    files = [f"{file}: {why}" for file, why in comparison.not_readable.items()]
    records = [f"{one}; what happened is not known: copy its file again" for one in comparison.unreadable]
    changed = [
        f"not as its digest says: {file}: what CloudTrail wrote in it is not known: copy it again"
        for file in comparison.not_as_digest
    ] + [
        f"in no digest given: {file}: nothing shows that CloudTrail wrote it: give all digests, or leave it out"
        for file in comparison.in_no_digest
    ]
    return [*changed, *(f"not readable: {one}" for one in (*files, *records))]


def days(one: Covered) -> list[str]:
    """All days of an account that are not covered: "us-east-1, us-east-2: 2026-09-01, 2026-09-05 to 2026-09-07"."""
    alike: dict[str, list[str]] = defaultdict(list)
    for region, found in one.days.items():
        alike[", ".join(_spans(found))].append(region)
    return [f"{', '.join(regions)}: {spans}" for spans, regions in alike.items()]


def _spans(found: list[date]) -> Iterator[str]:
    """Days in order, those that follow each other as one."""
    for _, group in groupby(enumerate(found), lambda one: one[1].toordinal() - one[0]):
        first, *more = (f"{day}" for _, day in group)
        yield f"{first} to {more[-1]}" if more else first


def coverage(
    answers: Answers, comparison: Comparison, named: Callable[[Sequence[str]], str]
) -> list[tuple[str, list[str]]]:
    """What there is of each account and all days that are not covered, in words; once for those that are alike."""
    alike: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for one in comparison.coverage:
        alike[covered(one), *days(one)].append(answers.account_name(one.account))
    return [(f"{named(places)}: {words}", lacking) for (words, *lacking), places in alike.items()]


def covered(one: Covered) -> str:
    """What there is of an account and what lacks, in words."""
    there = one.recorded
    whole: dict[int, list[str]] = defaultdict(list)
    for region in there.regions:
        whole[there.whole(region).bit_count()].append(region or "no region")
    days = (
        f"{counted(number, 'day')} in {listed(regions) if len(regions) <= _FEW else counted(len(regions), 'region')}"
        for number, regions in sorted(whole.items(), reverse=True)
    )
    parts = (
        counted(there.records, "record") + (f" in {counted(there.files, 'file')}" if there.files else ""),
        f"{there.first:%Y-%m-%d %H:%M} to {there.last:%Y-%m-%d %H:%M} UTC" if there.first else "",
        *days,
        f"{counted(len(one.not_given), 'log file')} that digests list not given ({listed(one.not_given, most=_FEW)})"
        if one.not_given
        else "",
        "of each day something was read" if one.lacks is None else f"not covered {one.lacks}".rstrip(),
    )
    return ", ".join(filter(None, parts))


def ways(comparison: Comparison) -> str:
    """How many of the ways in were used, and what tells more, in a sentence; empty where there is none."""
    counts = Counter(one.usage for one in comparison.ways)
    each = ", ".join(f"{counts[usage]} {_OF_WAYS[usage]}" for usage in Usage if counts[usage])
    if not counts:
        return ""
    step = (
        "give whole files and digests of what is not covered, or with --region the regions with an active STS endpoint"
    )
    known = f". To know more, {step}" if counts[Usage.NOT_KNOWN] or comparison.not_covered else ""
    return f"Of {counted(len(comparison.ways), 'way')} in, those through other roles included: {each}{known}"


def who_changed(answers: Answers, comparison: Comparison) -> str:
    """How many calls that change keys there are, by whom and how many of them failed; empty where there are none."""
    by: dict[str, list[Change]] = defaultdict(list)
    for one in comparison.changes:
        by[answers.named(one.use.caller).short].append(one)
    each = []
    for who, own in sorted(by.items(), key=lambda pair: -len(pair[1])):
        failed = sum(one.use.failed is not None for one in own)
        each.append(f"{len(own)} by {who}" + (f" ({failed} failed)" if failed else ""))
    return f"Changes of keys: {listed(each, most=_MANY)}" if each else ""


def through_roles(comparison: Comparison) -> list[tuple[str, str]]:
    """Of each way through other roles, whether it was used, and the way in words."""
    return [
        (
            one.usage.value,
            f"{one.way.source} -> {one.way.target}, through {', '.join(party.short for party in one.way.through)}"
            + (f", {counted(one.count, 'time')}" if one.count else "")
            + (f", last {in_utc(one.last)}" if one.last else "")
            + (f": {one.not_known}" if one.not_known else ""),
        )
        for one in comparison.ways
        if one.way.through
    ]


def about_early(comparison: Comparison) -> str:
    """On what it rests that a door was used before its keys were made; empty where none was."""
    if not any(one.early for one in comparison.doors):
        return ""
    return (
        "Before its keys were made: before the last of them was, as AWS or the state dates it. A key that was replaced "
        "counts from then, and the door may be older"
    )


def read_from(one: Source, digits: int) -> str:
    """What was read of a source, in words, with so many digits of its sha256."""
    others = [f"{count} of {service}" for service, count in sorted(one.passed_over.items())]
    names = listed([os.path.relpath(file, one.name) for file in one.no_logs], most=_FEW if digits < SHA256 else _MANY)
    others += [f"{len(one.no_logs)} that {'is' if len(one.no_logs) == 1 else 'are'} no log ({names})"] if names else []
    span = f"events from {one.start:%Y-%m-%d %H:%M:%S} to {one.end:%Y-%m-%d %H:%M:%S} UTC" if one.start else "no events"
    parts = (
        f"sha256 {one.sha256[:digits]}" if one.sha256 else "",
        f"asked as {one.caller}" if one.caller else f"{counted(one.read, 'file')} read",
        f"{one.passed_over.total() + len(one.no_logs)} passed over: {', '.join(others)}" if others else "",
        f"{len(one.not_readable)} not readable" if one.not_readable else "",
        f"{counted(one.held, 'file')} held against digests, {len(one.not_as_digest) or 'none'} not as they say"
        if one.held
        else "",
        span,
    )
    return ", ".join(filter(None, parts))


def period(comparison: Comparison) -> str:
    """What was compared, in a sentence."""
    first, last = comparison.asked
    parts = (
        f"from {in_utc(first)}" if first else "",
        f"until {in_utc(last)}" if last else "",
        f"only {' and '.join(comparison.regions)}" if comparison.regions else "",
    )
    asked = f"Asked: {' '.join(filter(None, parts))}. " if any(parts) else ""
    if comparison.start is None or comparison.end is None:
        unreadable = f", but {len(comparison.unreadable)} that cannot be read" if comparison.unreadable else ""
        nothing = f"there are no records of the period{unreadable}, so nothing tells whether a door is used"
        return f"{asked}CloudTrail: {nothing}"
    there = Counter(map(kind_of, comparison.population))
    several = [one for one in comparison.population if len(one.doors) > 1]
    times = sum(len(one.doors) for one in several)
    apart = ", ".join(_apart(count, what) for what, count in comparison.apart.items())
    seen = (
        *(
            f"{counted(there[kind], 'step')}{kind.removeprefix('step')}"
            for kind in (_STEP, _PERHAPS_A_STEP)
            if there[kind]
        ),
        f"entries that several doors explain, counted at each: {len(several)} ({times} uses)" if several else "",
        f"not among the entries: {apart}" if apart else "",
        f"what is usual is learned until {comparison.learned_until:%Y-%m-%d %H:%M}"
        if comparison.learned_until and not _only_learning(comparison)
        else "",
    )
    about = "; ".join(filter(None, seen))
    span = f"CloudTrail from {comparison.start:%Y-%m-%d %H:%M} to {comparison.end:%Y-%m-%d %H:%M} UTC"
    return f"{asked}{span}{': ' if about else ''}{about}"


def _apart(count: int, what: str) -> str:
    for things in ("sign-ins", "sessions", "calls", "attempts"):
        before, plural, after = what.partition(things)
        if plural:
            return f"{counted(count, f'{before}{things[:-1]}')}{after}"
    return f"{count} {what}"


def usage(one: DoorUse) -> str:
    """Whether a door was used, in words."""
    if one.usage is not Usage.NEVER or one.covered is None:
        return str(one.usage.value)
    first, last = one.covered
    return f"{one.usage.value} in what was read of each day, {first:%Y-%m-%d} to {last:%Y-%m-%d}"


def sign_ins(one: SignIns, answers: Answers) -> str:
    """Who signed in at the account's own console, how often, when last, and whether with MFA, in words."""
    counts = mfa(one)
    with_mfa = ", ".join(f"{word} {count}" if len(counts) > 1 else word for word, count in counts.items())
    times = counted(len(one.uses), "time")
    last = in_utc(one.uses[-1].time)
    how = " and ".join(sorted({"by aws login" if use.event == LOGIN else "at the console" for use in one.uses}))
    return f"{answers.named(one.user)} {how}, {times}, last {last}, MFA used: {with_mfa}"


def mfa(one: SignIns) -> dict[str, int]:
    """How many sign-ins were with MFA, without it, and do not tell."""
    used = [use.mfa for use in one.uses]
    counts = {"yes": used.count(True), "no": used.count(False), "not told": used.count(None)}
    return {word: count for word, count in counts.items() if count}


def uses(found: Sequence[DoorUse], named: Callable[[Sequence[str]], str]) -> list[tuple[str, str]]:
    """Whether each door was used, and how, in words; of many, what is alike but for the account once, added up."""
    if len(found) <= _MANY:
        return [(usage(one), door_use(one)) for one in found]
    alike: dict[tuple[bool, str, str, str, str], list[DoorUse]] = defaultdict(list)
    for one in found:
        source, target = one.door.source, one.door.target
        whence = str(source) if one.door.crosses else f"{source.who.label} there"
        why = one.not_known.replace(f"{target.place} is not covered", "the account is not covered")
        alike[one.proved, usage(one), why, whence, target.who.label].append(one)
    return [
        (
            words,
            door_use(_together(same, why), f"{whence} -> {role} of {named([one.door.target.place for one in same])}"),
        )
        for (_, words, why, whence, role), same in alike.items()
    ]


def _together(same: list[DoorUse], why: str) -> DoorUse:
    return replace(
        same[0],
        not_known=why,
        count=sum(one.count for one in same),
        perhaps=sum(one.perhaps for one in same),
        early=sum(one.early for one in same),
        others=sum(one.others for one in same),
        by_others=sum(one.by_others for one in same),
        last=max((one.last for one in same if one.last), default=None),
        sessions=tuple(dict.fromkeys(name for one in same for name in one.sessions)),
        identities=tuple(dict.fromkeys(name for one in same for name in one.identities)),
    )


def door_use(one: DoorUse, ends: str = "") -> str:
    """A door and how it was used, in words; `ends` stands for those of several that are alike."""
    last = f", last {in_utc(one.last)}" if one.last else ""
    proved = "" if one.proved else " (a door that is not proved)"
    early = f" ({one.early} before the door's keys were made)" if one.early else ""
    count = f", {counted(one.count, 'time')}{early}" if one.count else ""
    also = " and" if one.count else ","
    count += f"{also} perhaps {counted(one.perhaps, 'time')}{'' if one.count else early}" if one.perhaps else ""
    sessions = f", as {_sessions(one.sessions)}" if one.sessions else ""
    sessions += f", for {listed(list(one.identities), most=_FEW)}" if one.identities else ""
    why = f": {one.not_known}" if one.usage is Usage.NOT_KNOWN else ""
    more = f"; {counted(one.by_others, 'time')} by others, or by whom no record names" if one.by_others else ""
    return f"{ends or f'{one.door.source} -> {one.door.target}'}{proved}{count}{sessions}{last}{why}{more}"


def _sessions(names: Sequence[str]) -> str:
    return listed([_UUID.sub(r"\1-…", one) for one in names], most=_FEW)


def used(use: Use, answers: Answers) -> str:
    """A use in words."""
    unknown = f" ({use.unique_id})" if not use.names_caller and use.unique_id else ""
    stack_sets = " (named as StackSets name theirs)" if use.role.startswith(_OF_STACK_SETS) else ""
    what = f"role {use.path}{stack_sets}" if use.role else f"root user, limited to {use.task or 'an unknown task'},"
    what = SIGN_INS.get(use.event, what if use.event in EVENTS or use.role else use.event)
    who = f"{answers.named(use.caller)}" + (f" as {use.caller_session}" if use.caller_session else "")
    if use.event in SESSIONS and RESERVED_ROLE in use.role and not use.names_caller and use.caller_session:
        who = f"Identity Center user {use.caller_session}, by the session's name"
    session = f" for {use.source_identity}" if use.source_identity else ""
    session += f" for product provider {use.delegate}" if use.delegate else ""
    session += " in a root session" if use.in_root else ""
    session += f", begun {in_utc(use.began)}" if use.event == EARLIER and use.began else ""
    through = use.invoked_by if use.caller.who.kind != "service" else None
    whence = " ".join(f"{how} {which}" for how, which in (("from", use.source), ("through", through)) if which)
    return (
        f"{use.time:%Y-%m-%d %H:%M:%S} UTC {who}{session}{unknown} -> {what} of "
        f"{answers.names.get(use.account, use.account)} {whence} in {use.region} ({use.id})"
    )
