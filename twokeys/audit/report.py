"""An audit as text for people."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import version

from rich.console import Console

from twokeys.answers.model import Answers, NotProved, Time, Way
from twokeys.answers.permissions import Level
from twokeys.answers.summary import (
    IN_SHORT,
    SHA256,
    SHORT,
    Alike,
    Named,
    by_account,
    file_or_live,
    in_words,
    not_open,
    not_shown,
    read_of,
    run_by,
    scope,
    summary,
)
from twokeys.answers.words import asked, facts, into, keys
from twokeys.audit.comparison import Comparison
from twokeys.audit.events import asked_of, at_the_top, events, headline, to_look_at
from twokeys.audit.what_was_read import read_from
from twokeys.shown import counted, in_utc, listed, say

FEW = 12
"""Up to how many doors and unproved things are shown without being asked for more."""

MEMBERS = "Members of groups, as far as shown (others may be in them)"
SHUT, EXPIRED = "Doors that are not open", "Expired exceptions, to be renewed by their owners or to be removed"


def title(answers: Answers, target: str | None, comparison: Comparison | None) -> str:
    """The question, and from what it is answered."""
    return f"{question(answers, target, comparison)} (from {answers.origin})"


def question(answers: Answers, target: str | None, comparison: Comparison | None) -> str:
    """The question; of a name that means several accounts, or another, which they are; of events of which period."""
    names = sorted(one.name for one in answers.accounts.values())
    several = target is not None and target not in answers.accounts and names != sorted(target.split(", "))
    asked = f"Whether {answers.person} can enter" if answers.person else "Who can enter"
    when = asked_of(comparison) if comparison else ""
    did = f", and {'' if answers.person else 'who '}did {when}" if when else ""
    return f"{asked} {target or 'every account'}{f': {listed(names)}' if several else ''}{did}"


def credentials(answers: Answers) -> str:
    """How many users have a password or a key of their own, with the administrators; how many may have one."""
    have, not_known = (sum(bool(one.has) is has for one in answers.long_term) for has in (True, False))
    may = sum(one.permissions.level is Level.ADMINISTRATOR for one in answers.long_term if one.has and one.permissions)
    strong = f" ({counted(may, 'administrator')})" if may else ""
    sure, perhaps = f"with long-term credentials{strong}", "who may have long-term credentials"
    return ", ".join(f"{counted(n, 'user')} {how}" for n, how in ((have, sure), (not_known, perhaps)) if n)


def show(  # noqa: PLR0913 - what is answered by position
    answers: Answers,
    target: str | None,
    comparison: Comparison | None,
    console: Console,
    now: datetime,
    *,
    with_keys: bool = False,
) -> None:
    """Print the summary, the ways, what is not proved, the events, and `with_keys` the keys of every way."""
    say(console, title(answers, target, comparison))
    for line in (
        summary(answers, now).sentence,
        *to_look_at(comparison),
        *at_the_top(answers, comparison),
        credentials(answers),
        not_shown(answers),
        scope(answers),
        headline(answers, comparison),
    ):
        if line:
            say(console, line)
    named = Named()
    for line in (
        *_ways(answers, now, named),
        *_section(MEMBERS, map(": ".join, members(answers))),
        *_section(SHUT, (line for each in shut(answers, named) for line in (each[0], f"  {each[1]}") if line.strip())),
        *not_proved(answers.not_proved, most=None if with_keys else FEW),
        *_accepted(answers),
        *(events(answers, comparison, named) if comparison is not None else ()),
        *_section("The accounts of each list", named.lists()),
        *_keys(answers, with_keys=with_keys),
    ):
        say(console, line)
    say(console, "")
    by = f"TwoKeys {version('twokeys')}, {in_utc(datetime.now(UTC))}"
    read = "; ".join(f"{name} ({about})" for name, about in what_was_read(answers, comparison, digits=SHORT))
    said = f"Evidence: {read}; {by}", run_by(answers), IN_SHORT
    say(console, ". ".join(filter(None, said)))


def what_was_read(answers: Answers, comparison: Comparison | None, digits: int = SHA256) -> list[tuple[str, str]]:
    """Each state file, live AWS and source of events, and which it was: so many digits of its sha256, by whom, when."""
    of_events = [(one.name, read_from(one, digits)) for one in (comparison.was_read.sources if comparison else ())]
    older = answers.before.evidence if answers.before else ()
    states = [(f"{'older ' * (one in older)}{one.name}", file_or_live(one, digits)) for one in read_of(answers)]
    return states + of_events


def digest(answers: Answers, comparison: Comparison | None) -> str:
    """The sha256 over those of all files that were read, one a line in the same order; empty where none was."""
    of_events = comparison.was_read.sources if comparison else ()
    read = (*(one.sha256 for one in read_of(answers)), *(one.sha256 for one in of_events))
    each = [f"{one}\n" for one in read if one]
    return sha256("".join(each).encode()).hexdigest() if each else ""


def not_proved(found: Iterable[NotProved], most: int | None) -> Iterator[str]:
    """What is not proved, each sentence once and no more than `most` of them."""
    sentences = list(dict.fromkeys(f"not proved: {one.message}. Next step: {one.next_step}." for one in found))
    if sentences:
        yield ""
    yield from sentences[:most]
    if most is not None and len(sentences) > most:
        yield f"not proved: {len(sentences) - most} more, which --keys and --json list"


def _accepted(answers: Answers) -> Iterator[str]:
    if answers.accepted is not None:
        yield ""
        yield f"Accepted exceptions: {len(answers.accepted) or 'none'}"
        yield from (f"  {one}" for one in answers.accepted)
        if answers.expired:
            yield f"{EXPIRED}: {len(answers.expired)}"
            yield from (f"  {one}" for one in answers.expired)


def heading(alike: Alike, named: Named) -> str:
    """Which accounts a group of them is."""
    if len(alike.accounts) > Named.MOST:
        return named([one.name for one in alike.accounts])
    if len(alike.accounts) == 1:
        (one,) = alike.accounts
        return f"{one.name} ({one.id})" if one.name != one.id else one.id
    return f"{len(alike.accounts)} accounts: {', '.join(one.name for one in alike.accounts)}"


def _ways(answers: Answers, now: datetime, named: Named) -> Iterator[str]:
    groups = by_account(answers)
    for group in groups:
        if group.ways:
            yield ""
            yield heading(group, named)
        alike: dict[object, list[tuple[Way, ...]]] = defaultdict(list)
        for number, same in enumerate(group.ways):
            one = same[0]
            others = one.through and one.permissions.level is Level.ADMINISTRATOR
            alike[one.source if others else number].append(same)
        for same, *more in alike.values():
            way = same[0]
            if more:
                said = f"{1 + len(more)} ways through other roles, which --csv, --html and --json list"
                yield f"  {way.permissions}: {way.source.short} -> {said}"
                continue
            yield f"  {way.permissions}: {way.source.short} -> {into(way)}"
            policies = listed([listed(one.permissions.names, most=2) for one in same], most=2)
            yield f"    {' · '.join(filter(None, (policies, facts(same, now))))}"
    shut = [account.name for group in groups if not group.ways for account in group.accounts]
    if shut:
        yield ""
        yield f"No way in from another account is known: {named(shut)}"
    if answers.within or answers.long_term:
        yield ""
        yield "Within their own account"
        for way in answers.within:
            yield f"  {way.permissions}: {way.source.short} -> {into(way)} ({asked(way, now)})"
        yield from (f"  {one}" for one in answers.long_term)


def counts(ways: list[Way], now: datetime) -> tuple[str, str]:
    """How strong the strongest that is open is, and how many there are: "administrator", "9: 6 administrator, 3 write".

    Those that their dates keep shut are counted apart.
    """
    levels = Counter(way.permissions.level for way in ways if way.at(now) is Time.NOW)
    each = ", ".join(f"{levels[level]} {level.word}" for level in sorted(levels, reverse=True))
    said = [f"{levels.total()}: {each}" if len(levels) > 1 else each]
    times = Counter(way.at(now) for way in ways)
    said += [f"{times[when]} {when.value}" for when in Time if when is not Time.NOW and times[when]]
    return max(levels).word if levels else "", "; ".join(filter(None, said)) or "none"


def members(answers: Answers) -> list[tuple[str, str]]:
    """The groups of IAM Identity Center that have ways, each with those of its members that are shown."""
    sources = dict.fromkeys(way.source for way in answers.ways)
    return [(one.short, ", ".join(one.members)) for one in sources if one.members]


def shut(answers: Answers, named: Callable[[Sequence[str]], str] = ", ".join) -> list[tuple[str, str]]:
    """The doors that are not open, what each lacks, and its next step."""
    return [(line, f"Next step: {step}." if step else "") for _, line, step in in_words(not_open(answers), named)]


def _section(heading: str, lines: Iterable[str]) -> Iterator[str]:
    """Lines below a heading, which is left out where there is none."""
    for number, line in enumerate(lines):
        if not number:
            yield ""
            yield heading
        yield f"  {line}"


def _keys(answers: Answers, *, with_keys: bool) -> Iterator[str]:
    """Door by door: a door that several ways lead through is one."""
    doors = {step.ends: step for way in answers.ways for step in way.steps}
    if doors:
        yield ""
        yield "Where each key stands" + ("" if with_keys else ": --keys prints it, --csv, --html and --json have it")
    for step in doors.values() if with_keys else ():
        yield f"  {step.source} -> {step.target}"
        yield from (f"    {line}" for line in keys(step))
