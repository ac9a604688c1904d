"""What CloudTrail saw, in words."""

from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from operator import itemgetter

from twokeys.answers.model import Answers
from twokeys.answers.permissions import Level
from twokeys.audit import words
from twokeys.audit.comparison import Comparison
from twokeys.audit.differs import NO_CALL
from twokeys.audit.entries import Entry, Usage
from twokeys.audit.first_sheet import is_not_known
from twokeys.audit.record import SESSION, Use
from twokeys.audit.stood import Stood
from twokeys.audit.to_look_at import to_look_at as each_use
from twokeys.audit.what_was_read import coverage, gaps, not_as_digest, not_readable, without_digests
from twokeys.audit.who_called import actor, caller
from twokeys.shown import counted, in_utc, listed

NOT_LOOKED_AT = (
    "Not looked at in the events: changes of keys elsewhere than in IAM, IAM Identity Center and Organizations, but "
    "for calls by which IAM Roles Anywhere, EKS and Systems Manager hand roles on; what else sessions do once they are "
    "in, but for root users and root sessions; what else users do with access keys, but for making credentials; which "
    "read events a trail's event selectors leave out"
)
_ONLY_LEARNING = "all of the period only teaches what is usual"
_NO_RECORDS = "no records of the period"
_NO_LOGS = "nothing given is a CloudTrail log: give the folder that holds AWSLogs/…/CloudTrail/"


def not_in_the_events(comparison: Comparison) -> str:
    """What nothing is said of."""
    history = "; of the event history changes of keys that are not known to let more in"
    signatures = "; the signatures of digests, which `aws cloudtrail validate-logs` checks with AWS's key"
    regions = "regions that AWS does not enable by default, but for the stack's and those of which there are records"
    if comparison.regions:
        named = ", ".join(comparison.regions)
        regions = f"regions other than {named}, but for the records that are there"
    asked, held = (
        any(one.caller for one in comparison.was_read.sources),
        any(one.held for one in comparison.was_read.sources),
    )
    return f"{NOT_LOOKED_AT}{history * asked}{signatures * held}; {regions}"


def headline(answers: Answers, comparison: Comparison | None) -> str:
    """What somebody has to look at, in few words, and what is not covered; empty where no events were given."""
    if comparison is None:
        return ""
    was_read = comparison.was_read
    said = (saw(answers, comparison), gaps(answers, was_read), without_digests(answers, was_read))
    return "; ".join(filter(None, said))


def saw(answers: Answers, comparison: Comparison) -> str:
    """What CloudTrail saw that somebody has to look at, in few words."""
    earlier = [
        f"role {use.role} of {answers.account_name(use.account)}, as {use.session}" for use in comparison.earlier
    ]
    at_work = f" that began before the period {'was' if len(earlier) == 1 else 'were'} at work"
    doors, steps = comparison.not_known
    of = " and ".join(filter(None, (_some(doors, "door"), _some(steps, "step", " on the way"))))
    unknown = [each.door for each in (*comparison.doors, *comparison.steps) if each.usage is Usage.NOT_KNOWN]
    which = listed([*map(words.by_door, unknown)], most=words.MANY)
    not_begun = sum(one.use.event == SESSION and not one.on_the_way for one in comparison.population)
    seen = (
        _entries(comparison),
        _some(not_begun, "session", " whose AssumeRole is in no record"),
        _some(len(earlier), "session", f"{at_work} ({listed(earlier, most=words.FEW)})"),
        *(f"{n} whose {what} is not shown though its door asks for it" for what, n in comparison.not_shown.items()),
        _some(len(comparison.changes), "change", " of keys"),
        *_how_many_unusual(comparison),
    )
    not_known = (
        f"{of} of which it is not known whether {'it was' if doors + steps == 1 else 'they were'} used ({which})"
        if of
        else "",
        _some(len(comparison.was_read.unreadable), "record", " that cannot be read"),
        _some(len(comparison.was_read.not_readable), "file", " not readable or not whole"),
        not_as_digest(comparison.was_read),
        _some(len(comparison.was_read.in_no_digest), "log file", " in no digest given"),
    )
    logs = any(one.caller or one.read or one.not_readable for one in comparison.was_read.sources)  # or what may be one
    first = seen if comparison.start else (_NO_RECORDS if logs else _NO_LOGS,)
    only = f" of {listed(comparison.regions)} only" if comparison.regions else ""
    return f"CloudTrail{only}: {', '.join(filter(None, (*first, *not_known)))}"


def _some(count: int, what: str, more: str = "") -> str:
    """How many there are; empty for none."""
    return f"{counted(count, what)}{more}" if count else ""


STEP = (
    f". Next step for who came {words.NO_DOOR}: ask who it was and what they did, take away what still lets them in, "
    "or let a stack make it"
)
_PERHAPS = words.PERHAPS.removeprefix("entry ")
WAS_OPEN, GIVEN, NOT_JUDGED = "was open", "was given more", "was given or taken away, not judged"
_TAKEN = "was taken away, as the states show it"
_NOT_PROVISIONED = "was given to a permission set"
_STOOD = "Not known is whom keys let in before {} in the period, listed below, replaced them or took them away"
_THEN = "give the states of the period's beginning as well, with the same `--events`"
_NOT_THERE = "the older states do not show it: ask who called"


def to_look_at(comparison: Comparison | None) -> list[str]:
    """What somebody has to look at, as on the first sheet of the page, of many the first."""
    found = comparison.sheet.lines if comparison else []
    shown = [f"{number}. {when} {what}" for number, (when, what) in enumerate(found[: words.MANY], 1)]
    more = [f"{len(found) - len(shown)} more, which --html lists"] * (len(found) > len(shown))
    step = STEP * bool(comparison and comparison.undeclared)
    return [*[f"To look at: {counted(len(found), 'line')}; all about each is below{step}"] * bool(found), *shown, *more]


def at_the_top(answers: Answers, comparison: Comparison | None) -> list[str]:
    """Who came in by doors, what handed a role on, what changed as states show it, and what no state shows."""
    if comparison is None:
        return []
    came, may = [], 0
    for who, (levels, each) in entered(answers, comparison, by_doors=True).items():
        perhaps = sum(len(uses) for (_, how), uses in each.items() if how.startswith(_PERHAPS))
        may += perhaps
        each_level = sorted(levels.items(), reverse=True)
        strengths = ", ".join(
            f"{least.word} to " * (least < most) + f"{most.word} {n}" for (most, least), n in each_level
        )
        came.append(f"{who} ({strengths}{f'; {perhaps} perhaps by a door' if perhaps else ''})")
    by = f" by a door{' or perhaps by one' if may else ''}" if comparison.undeclared else ""
    in_all = listed(came, most=4 * words.FEW) or "nobody"
    handed = Counter(
        f"{one.use.event} in {answers.account_name(one.use.account)}"
        for one in comparison.changes
        if one.call.hands_on and not one.use.failed
    )
    hands_on = listed([f"{one} ({number})" for one, number in handed.items()], most=words.FEW)
    planned = [f"{when} {what}" for when, what in comparison.sheet.planned]
    more = [f"{len(planned) - words.FEW} more, listed below"] * (len(planned) > words.FEW)
    stood = sum(is_not_known(one) for one in comparison.taken_back)
    step = _NOT_THERE if answers.before else _THEN
    parts = (
        (came or comparison.undeclared, f"Entered{by}: {in_all}"),
        (handed, f"Hands roles to others than their services: {hands_on}"),
        (planned, f"Changed, as the states show it: {'; '.join([*planned[: words.FEW], *more])}"),
        (stood, f"{_STOOD.format(counted(stood, 'change'))}. Next step: {step}"),
    )
    return [said for is_there, said in parts if is_there]


Entered = dict[str, tuple[Counter[tuple[Level, Level]], dict[tuple[str, str], list[Use]]]]
"""Who came, how often into roles of which strength (most, least), and into which role and how, with the uses."""


def entered(
    answers: Answers, comparison: Comparison, sources: Container[str] = (), *, by_doors: bool = False
) -> Entered:
    """Who came in, or only `by_doors`, with the uses of each role: who came without a door first, of these the
    strongest and most often so; then into the strongest, the most often.

    Who came by a door for another, of these sources, as a member of a group, is said there.
    """
    came: dict[str, dict[tuple[str, str], list[Use]]] = defaultdict(lambda: defaultdict(list))
    strengths: dict[str, Counter[tuple[Level, Level]]] = defaultdict(Counter)
    for one in comparison.population:
        if not one.on_the_way and (one.doors or not by_doors):
            who = _who_came(one, answers, by_doors=by_doors)
            doors = [door.source.short for door in one.doors if door.source.short in sources]
            by = who if who in doors else next(iter(doors), who)
            how = words.kind_of(one).removeprefix(words.SURE).removeprefix("entry ")
            came[by][one.use.target.label, how if by == who else f"{how} by {who}".strip()].append(one.use)
            strengths[by][comparison.strength(one)] += 1
    without: dict[str, Counter[tuple[Level, Level]]] = defaultdict(Counter)
    for one in () if by_doors else comparison.population:
        without[_who_came(one, answers, by_doors=False)][comparison.strength(one)] += not one.doors

    def order(who: str) -> tuple[object, ...]:
        first = +without[who] or strengths[who]
        most = {level for level, _ in first}
        return not +without[who], Level.UNKNOWN in most, -max(most), -first.total()

    return {who: (strengths[who], came[who]) for who in sorted(came, key=order)}


def _who_came(one: Entry, answers: Answers, *, by_doors: bool) -> str:
    """Who began the session that came, but beside entries without a door of one by a door who that is for."""
    return caller(((by_doors or not one.doors) and one.use.begun_by) or one.use, answers)


def _how_many_unusual(comparison: Comparison) -> tuple[str, ...]:
    """How many uses are unusual, and from when on habits were judged, where that is not all of the period."""
    learned, start, end = comparison.learned_until, comparison.start, comparison.end
    count = f"{len(comparison.unusual)} unusual"
    if learned and end and learned > end:
        return (count, _ONLY_LEARNING) if comparison.unusual else (_ONLY_LEARNING,)
    return (count + (f" (habits judged from {in_utc(learned)} on)" if learned and learned != start else ""),)


def _entries(comparison: Comparison) -> str:
    """How many entries there are, and by what: "4 entries (2 by a door, 1 perhaps by a door, 1 without a door)"."""
    there = Counter(map(words.kind_of, comparison.population))
    kinds = {"by a door": words.SURE, "perhaps by a door": words.PERHAPS, words.NO_DOOR: words.WITHOUT}
    each = [f"{there[kind]} {how}" for how, kind in kinds.items()]
    each = [one for one in each if one != "0 perhaps by a door"]
    entries = "entry" if comparison.entries == 1 else "entries"
    at_least, read = ("at least ", "in what was read ") if comparison.may_be_more else ("", "")
    apart = f", {at_least}{there[words.NO_STEP]} on the way without a door" if there[words.NO_STEP] else ""
    of = f" ({read}{', '.join(each)})" if comparison.entries else ""
    return f"{at_least}{comparison.entries} {entries}{of}{apart}"


def events(answers: Answers, comparison: Comparison, named: Callable[[Sequence[str]], str]) -> Iterator[str]:
    """The events in lines of text, each use once: what is to be looked at, changes of keys, doors, what there is."""
    yield ""
    yield "What CloudTrail saw"
    yield period(comparison)
    yield from _few("not readable", not_readable(comparison.was_read))
    looked_at, changed = each_use(answers, comparison)
    few = [*sorted(looked_at[: words.MANY], key=itemgetter(1)), *looked_at[words.MANY :]]
    yield from _few("entries, calls and attempts", list(map(": ".join, few)))
    yield from _few("what was taken back", list(map(": ".join, taken_back(answers, comparison))))
    yield from _few("changes of keys", list(map(": ".join, changed)), "--csv and --json")
    yield from (f"{how}: {door}" for how, door in words.uses(comparison.doors, named))
    yield from (f"on the way, {how}: {step}" for how, step in words.uses(comparison.steps, named))
    for signed in comparison.sign_ins:
        yield f"signed in: {words.sign_ins(signed, answers)}"
    yield from _few("records", [f"records of {line}" for line, _ in coverage(answers, comparison.was_read, named)])
    yield not_in_the_events(comparison)


def what_was(one: Stood) -> str:
    """Of what kind that is which was taken back."""
    if one.not_provisioned:
        return _NOT_PROVISIONED
    if one.permissions is None and one.is_shown:
        return _TAKEN
    return NOT_JUDGED if one.permissions is None else WAS_OPEN if one.lost else GIVEN


def taken_back(answers: Answers, comparison: Comparison) -> list[tuple[str, str]]:
    """What was given, or there, in the period and taken back, in words, and by whom it was given or taken."""
    said = [(NO_CALL, one.words(answers)) for one in comparison.unexplained]
    for one in comparison.taken_back:
        first = actor(one.change.use, answers)
        by = f"{'ended ' * bool(one.until and not one.since)}by {first} ({one.change.use.id})" + (
            f", ended by {_callers(one.ended, answers, first)}" if one.ended else ""
        )
        said.append((what_was(one), f"{one.words(answers)}, {by}{one.came(answers)}"))
    return said


def _callers(calls: Iterable[Use], answers: Answers, first: str) -> str:
    """Who made these calls, each once, with the calls' ids; "the same" as was named first."""
    by: dict[str, list[str]] = defaultdict(list)
    for use in calls:
        who = actor(use, answers)
        by["the same" if who == first else who].append(use.id)
    return ", ".join(f"{who} ({', '.join(ids)})" for who, ids in by.items())


def _few(what: str, lines: list[str], have_all: str = "--csv, --html and --json") -> Iterator[str]:
    yield from lines[: words.MANY]
    if len(lines) > words.MANY:
        yield f"{what}: {len(lines) - words.MANY} more, which {have_all} list"


def asked_of(comparison: Comparison) -> str:
    """The period that was asked for: "from 2026-10-01 00:00 UTC until 2026-10-31 23:59 UTC"; empty where none was."""
    first, last = (in_utc(moment) if moment else "" for moment in comparison.asked)
    return " ".join(f"{word} {moment}" for word, moment in (("from", first), ("until", last)) if moment)


def period(comparison: Comparison) -> str:
    """What was compared, in a sentence."""
    parts = (asked_of(comparison), f"only {' and '.join(comparison.regions)}" if comparison.regions else "")
    asked = f"Asked: {' '.join(filter(None, parts))}. " if any(parts) else ""
    if comparison.start is None or comparison.end is None:
        unreadable = (
            f", but {len(comparison.was_read.unreadable)} that cannot be read" if comparison.was_read.unreadable else ""
        )
        nothing = f"there are no records of the period{unreadable}, so nothing tells whether a door is used"
        return f"{asked}CloudTrail: {nothing}"
    there = Counter(map(words.kind_of, comparison.population))
    apart = ", ".join(_counted_apart(count, what) for what, count in comparison.apart.items())
    seen = (
        *(_some(there[kind], "step", kind.removeprefix("step")) for kind in (words.STEP, words.PERHAPS_A_STEP)),
        f"not among the entries: {apart}" if apart else "",
    )
    about = "; ".join(filter(None, seen))
    span = f"CloudTrail from {comparison.start:%Y-%m-%d %H:%M} to {comparison.end:%Y-%m-%d %H:%M} UTC"
    return f"{asked}{span}{': ' if about else ''}{about}"


def _counted_apart(count: int, what: str) -> str:
    for things in ("sign-ins", "sessions", "calls", "attempts"):
        before, plural, after = what.partition(things)
        if plural:
            return f"{counted(count, f'{before}{things[:-1]}')}{after}"
    return f"{count} {what}"
