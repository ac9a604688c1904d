"""The report as one HTML file for auditors: no script, nothing loaded, printable."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from twokeys.answers import pages
from twokeys.answers.model import Answers, Way
from twokeys.answers.permissions import Level
from twokeys.answers.summary import by_account, by_principal, listed, strongest, summary
from twokeys.answers.words import conditions, duration, into, keys_of, since, through, why
from twokeys.audit.comparison import Comparison
from twokeys.audit.events import door_use, period, reasons, used
from twokeys.audit.report import heading, title

_PACKAGE = "twokeys.audit"


def page(answers: Answers, target: str | None, comparison: Comparison | None, now: datetime) -> str:
    """The report as HTML text; `now` is when it is made (UTC). A content security policy in it lets it load nothing."""
    style = pages.part(_PACKAGE, "page.css")
    numbers = summary(answers)
    return pages.page(
        _PACKAGE,
        "page.html",
        style=style,
        style_hash=pages.hashed(style),
        title=title(answers, target),
        heading=f"Who can enter {target or 'every account'}",
        origin=answers.origin,
        made=f"{now:%Y-%m-%d %H:%M} UTC",
        sentence=numbers.sentence,
        numbers=[
            ("accounts", numbers.accounts),
            ("principals with a way in", numbers.principals),
            ("ways in", numbers.ways),
            *((f"{level.word} ways", count) for level, count in numbers.levels if level is not Level.NONE),
            ("not proved", numbers.not_proved),
        ],
        accounts=[
            (heading(group), [one.name for one in group.accounts], [_cells(way, now) for way in group.ways])
            for group in by_account(answers)
        ],
        principals=[
            (
                str(source),
                [
                    (
                        one.label + through(one.through),
                        listed(one.accounts, most=12),
                        one.level.word,
                        " and ".join(one.conditions) or "always",
                    )
                    for one in entrances
                ],
            )
            for source, entrances in by_principal(answers.ways)
        ],
        within=[_cells(way, now) for way in answers.within],
        keys=list(_keys(answers)),
        not_proved=list(dict.fromkeys((one.message, one.next_step) for one in answers.not_proved)),
        events=_events(answers, comparison) if comparison is not None else None,
    )


def _cells(way: Way, now: datetime) -> tuple[str, ...]:
    return (
        way.source.short,
        into(way),
        way.permissions.level.word,
        conditions(way),
        duration(way.max_session_seconds),
        since(way),
        why(way, now),
    )


def _keys(answers: Answers) -> Iterator[tuple[str, list[tuple[str, list[str]]]]]:
    for account in sorted(answers.accounts.values(), key=lambda one: (one.name, one.id)):
        ways = strongest(way for way in answers.ways if way.account == account.id)
        if ways:
            yield account.name, [(f"{way.source} into {way.target}", list(keys_of(way))) for way in ways]


def _events(answers: Answers, found: Comparison) -> dict[str, object]:
    return {
        "period": period(found),
        "doors": [(one.usage.value, door_use(one)) for one in found.doors],
        "undeclared": [used(use, answers) for use in found.undeclared],
        "unusual": [(reasons(one), used(one.use, answers)) for one in found.unusual],
    }
