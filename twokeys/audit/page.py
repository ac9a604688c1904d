"""The report as one HTML file for auditors: no script, nothing loaded, printable."""

from collections import Counter, defaultdict
from collections.abc import Container, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import zip_longest

from twokeys.answers import pages
from twokeys.answers.model import Answers, Step, Time, Way
from twokeys.answers.permissions import Level
from twokeys.answers.summary import FEW, Named, by_account, not_looked_at, not_shown, run_by, scope, summary
from twokeys.answers.words import asked, duration, into, keys, remaining, since, third_parties
from twokeys.audit import events, first_sheet, report
from twokeys.audit.comparison import Comparison
from twokeys.audit.to_look_at import in_time, to_look_at
from twokeys.audit.what_was_read import coverage, covering, gaps, not_readable
from twokeys.audit.words import sign_ins, uses
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
    numbers, groups, named = summary(answers, now), by_account(answers), Named()
    principals = report.by_source(answers)
    of_account: dict[str, list[Way]] = {id: [] for id in answers.accounts}
    for way in answers.ways:
        of_account[way.account].append(way)
    came = _came(answers, comparison, {source.short for source, _ in principals}) if comparison else {}
    of_sources = {source.short: "; ".join(came.pop(source.short, ("", []))[1]) for source, _ in principals}
    strengths, within = _by_strength(answers, now), Counter(way.account for way in answers.within)
    accounts = [
        (
            account,
            (strongest, f"{said}, {within[account.id]} within it" if within[account.id] else said),
            len({way.source for way in of_account[account.id] if way.at(now) is Time.NOW}),
            [number for number, group in enumerate(groups, 1) if account in group.accounts],
        )
        for account in sorted(answers.accounts.values(), key=lambda one: (one.name, one.id))
        for strongest, said in (report.counts(of_account[account.id], now),)
    ]
    sentences = [
        *events.at_the_top(answers, comparison, told=True),
        report.credentials(answers),
        *((events.saw(answers, comparison), covering(answers, comparison.was_read)) if comparison else ()),
        not_shown(replace(answers, changed_since=_above(answers))),
    ]
    said, steps = zip(*(_step_of(one) for one in (numbers.sentence, *sentences) if one), strict=True)
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
        look=first_sheet.lines(answers, comparison) if comparison else [],
        strengths=strengths,
        as_of=scope(answers),
        run_by=run_by(answers),
        evidence=report.what_was_read(answers, comparison),
        version=version("twokeys"),
        not_looked_at=not_looked_at(answers),
        principals=[
            *((who, "", (level, "no way of its own"), "", "; ".join(said)) for who, (level, said) in came.items()),
            *(
                (
                    source.short,
                    third_parties(ways),
                    report.counts(ways, now),
                    named(sorted({way.target.place for way in ways})),
                    of_sources.get(source.short, ""),
                )
                for source, ways in principals
            ),
        ],
        members=report.members(answers),
        members_heading=report.MEMBERS,
        accounts=accounts,
        groups=[(report.heading(group, named), _by_source(group.ways, now)) for group in groups],
        within=_by_source(((way,) for way in answers.within), now),
        long_term=list(map(str, answers.long_term)),
        keys=_keys(answers),
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
        came[who] = (max(levels).word, [])
        for (role, how), own in each.items():
            places = listed([answers.account_name(use.account) for use in own], most=_MOST_PRINCIPALS)
            what = f"{role} of {places} {how}".strip()
            came[who][1].append(f"{what}, {counted(len(own), 'time')}, last {in_utc(own[-1].time)}")
    for one in comparison.ways:
        if one.way.through and one.last:
            count = counted(one.count, "time") if one.count else "perhaps"
            came[one.way.source.short][1].append(
                f"{into(one.way, one.way.target.short)}, {count}, last {in_utc(one.last)}"
            )
    return came


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


def _above(answers: Answers) -> dict[str, str]:
    """The changes that the states do not have, of which the lines to look at tell."""
    users, count = filter(None, answers.changed_since.values()), len(answers.changed_since)
    return {f"{count}, to look at": next(users, "")} if count else {}


def _by_source(found: Iterable[tuple[Way, ...]], now: datetime) -> list[tuple[str, list[tuple[str, ...]]]]:
    """Each principal with the cells of its ways; what is not alike in several accounts says how often it differs."""
    rows: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for same in found:
        way = same[0]
        policies = listed(way.permissions.names)
        row = (
            into(way),
            way.permissions.level.word + (f": {policies}" if policies else ""),
            asked(way, now) + (f", up to {duration(way.max_session_seconds)}" if way.max_session_seconds else ""),
            listed([_since(one, now) for one in same], most=2),
            way.lacks,
            listed([one.why for one in same], most=2),
        )
        rows[way.source.short].append(row)
    return list(rows.items())


def _since(way: Way, now: datetime) -> str:
    return ", ".join(filter(None, (since(way.since) or "not known", remaining(way, now))))


def _keys(answers: Answers) -> list[tuple[str, list[tuple[str, list[tuple[str, str | None]]]]]]:
    """By account the doors that lead into it or on within it, each once, with a line and a URN for each key."""
    doors = {step.ends: step for way in answers.ways for step in way.steps}
    places: dict[str, list[tuple[str, list[tuple[str, str | None]]]]] = defaultdict(list)
    for step in doors.values():
        places[step.target.place].append((f"{step.source.short} into {step.target.who.label}", _lines(step)))
    return sorted(places.items())


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
        "about_early": events.about_early(comparison),
        "not_looked_at": events.not_in_the_events(comparison),
        "coverage": coverage(answers, comparison.was_read, named),
        "doors": uses(comparison.doors, named),
        "steps": uses(comparison.steps, named),
        "ways": events.ways(comparison),
        "through": events.through_roles(comparison),
        "most": _MOST,
        "looked_at": in_time(looked_at),
        "taken_back": events.taken_back(answers, comparison),
        "sign_ins": [sign_ins(one, answers) for one in comparison.sign_ins],
        "changes": changed,
        "who_changed": events.who_changed(answers, comparison),
    }
