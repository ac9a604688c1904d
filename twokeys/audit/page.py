"""The report as one HTML file for auditors: no script, nothing loaded, printable."""

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import zip_longest
from operator import itemgetter

from twokeys.answers import pages
from twokeys.answers.model import Answers, State, Step, Time, Way
from twokeys.answers.permissions import Level
from twokeys.answers.summary import FEW, Named, by_principal, not_looked_at, not_shown, run_by, scope, summary
from twokeys.answers.words import asked, duration, into, keys, remaining, since, third_parties
from twokeys.audit import events, report
from twokeys.audit.comparison import Comparison
from twokeys.audit.to_look_at import to_look_at
from twokeys.audit.what_was_read import coverage, covering, gaps, not_readable
from twokeys.audit.words import sign_ins, uses
from twokeys.iam.sts import permission_set_of
from twokeys.shown import counted, in_utc, listed

_PACKAGE = "twokeys.audit"
_MOST = 50
"""How many changes the page has; the CSV and JSON list all."""
_MOST_PRINCIPALS = 8
"""How many principals of a strength the first sheet has."""


def page(answers: Answers, target: str | None, comparison: Comparison | None, now: datetime) -> str:
    """The report as HTML text; `now` is of when it is. A content security policy in it lets it load nothing."""
    made = in_utc(datetime.now(UTC))
    asked_of = report.question(answers, target, comparison)
    style = pages.part(_PACKAGE, "page.css") + pages.footer(f"{asked_of}; made {made}")
    numbers, sources, named = summary(answers, now), {way.source for way in answers.ways}, Named()
    of_account: dict[str, list[Way]] = {id: [] for id in answers.accounts}
    for way in answers.ways:
        of_account[way.account].append(way)
    came = _came(answers, comparison, {one.short for one in sources}) if comparison else {}
    of_sources = {one.short: "; ".join(came.pop(one.short, ("", []))[1]) for one in sources}
    strengths, within = _by_strength(answers, now), Counter(way.account for way in answers.within)
    accounts = [
        (
            account,
            (strongest, f"{said}, {within[account.id]} within it" if within[account.id] else said),
            len({way.source for way in of_account[account.id] if way.at(now) is Time.NOW}),
        )
        for account in sorted(answers.accounts.values(), key=lambda one: (one.name, one.id))
        for strongest, said in (report.counts(of_account[account.id], now),)
    ]
    sentences = [
        *events.at_the_top(answers, comparison),
        report.credentials(answers),
        *((events.saw(answers, comparison), covering(answers, comparison.was_read)) if comparison else ()),
        not_shown(answers),
    ]
    said, steps = zip(*(_step_of(one) for one in (numbers.sentence, *sentences) if one), strict=True)
    steps = (_step_of(events.STEP)[1] if comparison and comparison.undeclared else "", *steps)
    of_events = _events(answers, comparison, named) if comparison is not None else None
    return pages.page(
        _PACKAGE,
        "page.html",
        style=style,
        style_hash=pages.hashed(style),
        title=report.title(answers, target, comparison),
        heading=asked_of,
        organization=answers.name,
        origin=answers.origin,
        made=made,
        sentences=said,
        steps=[*filter(None, steps)],
        look=comparison.sheet.lines if comparison else [],
        strengths=strengths,
        as_of=scope(answers),
        run_by=run_by(answers),
        evidence=report.what_was_read(answers, comparison),
        digest=report.digest(answers, comparison),
        version=version("twokeys"),
        not_looked_at=not_looked_at(answers),
        principals=[
            *((who, f"{level}, no way of its own", "", ["; ".join(said)], ()) for who, (level, said) in came.items()),
            *_by_principal(answers.ways, now, named, of_sources),
        ],
        accounts=accounts,
        within=_by_principal(answers.within, now, named, {}),
        long_term=list(map(str, answers.long_term)),
        keys=_keys(answers, named),
        few=len(accounts) <= FEW,
        shut=report.shut(answers, named),
        not_proved=list(dict.fromkeys((one.message, one.next_step) for one in answers.not_proved)),
        accepted=None if answers.accepted is None else list(map(str, answers.accepted)),
        expired=list(map(str, answers.expired)),
        expired_heading=report.EXPIRED,
        events=of_events,
        lists=[*named.lists()],
    )


def _step_of(sentence: str) -> tuple[str, str]:
    """A sentence without its next step, which is for whoever asks again and not for whoever signs; and that."""
    said, _, step = sentence.partition(". Next step")
    return said[:1].upper() + said[1:], step.removeprefix(":").strip()


def _came(answers: Answers, comparison: Comparison, sources: Container[str]) -> dict[str, tuple[str, list[str]]]:
    """What each principal entered in the period, a group by its members, and what was entered through other roles; and
    how strong the strongest of its own entries is.
    """
    came: dict[str, tuple[str, list[str]]] = defaultdict(lambda: ("", []))
    for who, (levels, each) in events.entered(answers, comparison, sources).items():
        came[who] = (max(levels)[0].word, [])
        for (role, how), own in each.items():
            places = listed([answers.account_name(use.account) for use in own], most=_MOST_PRINCIPALS)
            what = f"{_called(role)} of {places} {how}".strip()
            came[who][1].append(f"{what}, {counted(len(own), 'time')}, last {in_utc(own[-1].time)}")
    for way, use in comparison.ways:
        if way.through and use.last:
            count = counted(use.count, "time") if use.count else "perhaps"
            came[way.source.short][1].append(f"{into(way, way.target.short)}, {count}, last {in_utc(use.last)}")
    return came


def _called(role: str) -> str:
    """A role as people call it: of a permission set that."""
    name = permission_set_of(role.removeprefix("role "))
    return f"permission set {name}" if name else role


def _by_use(comparison: Comparison, named: Named) -> list[tuple[str, list[str]]]:
    """The doors, and the steps on the way, by how they were used."""
    found: dict[str, list[str]] = defaultdict(list)
    for before, each in (("", comparison.doors), ("on the way, ", comparison.steps)):
        for words, door in uses(each, named):
            found[before + words].append(door)
    return [*found.items()]


def _by_strength(answers: Answers, now: datetime) -> list[tuple[str, str, str]]:
    """Of each strength, how many ways there are that are open, and whose."""
    found: dict[Level, list[Way]] = defaultdict(list)
    for way in answers.ways:
        if way.at(now) is Time.NOW:
            found[way.permissions.level].append(way)
    return [
        (level.word, str(len(ways)), listed([*dict.fromkeys(way.source.short for way in ways)], most=_MOST_PRINCIPALS))
        for level, ways in sorted(found.items(), reverse=True)
    ]


def _by_principal(
    ways: Iterable[Way], now: datetime, named: Named, came: Mapping[str, str]
) -> list[tuple[str, str, str, list[str], tuple[tuple[str, ...], ...]]]:
    """The principals, those together whose ways are alike; how many ways each has, what is known of them, what they
    entered in the period, and the cells of their ways.
    """
    alike: dict[tuple[str, str, tuple[tuple[str, ...], ...]], list[str]] = defaultdict(list)
    for source, entrances in by_principal(ways):
        own = [way for one in entrances for way in one.ways]
        members = f"members, as far as shown: {', '.join(source.members)}" if source.members else ""
        known = "; ".join(filter(None, (third_parties(own), members)))
        rows = tuple(_row(one.ways, now, named) for one in entrances)
        alike[report.counts(own, now)[1], known, rows].append(source.short)
    found = []
    for (count, known, rows), sources in alike.items():
        entered = [f"{f'{one}: ' if len(sources) > 1 else ''}{came[one]}" for one in sources if came.get(one)]
        found.append((", ".join(sources), f"{count}{' each' if len(sources) > 1 else ''}", known, entered, rows))
    return found


def _row(same: Sequence[Way], now: datetime, named: Named) -> tuple[str, ...]:
    """The cells of ways that are alike in several accounts; of what is not it says how often it differs."""
    way = same[0]
    lasts = f"up to {duration(way.max_session_seconds)}" if way.max_session_seconds else ""
    return (
        into(way, f"{_called(way.target.who.label)} of {named([one.target.place for one in same])}"),
        way.permissions.level.word + (f": {listed(way.permissions.names)}" if way.permissions.names else ""),
        ", ".join(filter(None, (asked(way, now), lasts, way.lacks if way.state is not State.OPEN else ""))),
        listed(
            [", ".join(filter(None, (since(one.since) or "not known", remaining(one, now)))) for one in same], most=2
        ),
        listed([one.why for one in same], most=2),
    )


def _keys(answers: Answers, named: Named) -> list[tuple[str, list[tuple[str, str | None]]]]:
    """The doors that lead into accounts or on within them, alike ones once, with a line and URNs for each key."""
    alike: dict[tuple[str, ...], list[Step]] = defaultdict(list)
    for step in {step.ends: step for way in answers.ways for step in way.steps}.values():
        alike[step.source.short, step.target.who.label, *(line for line, _ in _lines(step))].append(step)
    of_several: dict[tuple[str, ...], list[Step]] = defaultdict(list)
    for (_, label, *lines), same in alike.items():
        of_several[named([step.target.place for step in same]), label, *lines] += same
    found = []
    for (places, label, *lines), same in of_several.items():
        urns = zip_longest(*(map(itemgetter(1), _lines(step)) for step in same))
        each = [listed([*dict.fromkeys(filter(None, own))], most=Named.MOST) or None for own in urns]
        whose = listed([*dict.fromkeys(step.source.short for step in same)], most=Named.MOST)
        found.append((f"{whose} into {_called(label)} of {places}", [*zip(lines, each, strict=True)]))
    return found


def _lines(step: Step) -> list[tuple[str, str | None]]:
    trust = replace(step.trust, urn=None) if step.trust else None
    bare = replace(step, trust=trust, grants=tuple(replace(grant, urn=None) for grant in step.grants))
    return list(zip_longest(keys(bare), (key.urn for key in step.keys)))


def _events(answers: Answers, comparison: Comparison, named: Named) -> dict[str, object]:
    looked_at, changed = to_look_at(answers, comparison)
    return {
        "gaps": gaps(answers, comparison.was_read),
        "period": events.period(comparison),
        "not_readable": not_readable(comparison.was_read),
        "not_looked_at": events.not_in_the_events(comparison),
        "coverage": coverage(answers, comparison.was_read, named),
        "doors": _by_use(comparison, named),
        "most": _MOST,
        "looked_at": sorted(looked_at, key=itemgetter(1)),  # with whose time it begins
        "taken_back": events.taken_back(answers, comparison),
        "sign_ins": [sign_ins(one, answers) for one in comparison.sign_ins],
        "changes": changed,
    }
