"""An audit as text for people, and as a table for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import datetime

from rich.console import Console

from twokeys.answers.model import Answers, NotProved, Way
from twokeys.answers.summary import Alike, by_account, by_principal, listed, not_shown, summary
from twokeys.answers.words import conditions, duration, facts, into, keys, place, through
from twokeys.audit.comparison import Comparison
from twokeys.audit.events import events
from twokeys.shown import say, spreadsheet

FEW = 12
"""Up to how many doors and unproved things are shown without being asked for more."""

COLUMNS = (
    "account",
    "account name",
    "who",
    "kind",
    "of account",
    "into role",
    "role ARN",
    "permissions",
    "through",
    "if",
    "up to",
    "since",
    "not before",
    "why",
    "owner",
    "expires",
    "trust keys",
    "grant keys",
)


def title(answers: Answers, target: str | None) -> str:
    """The question, and from what it is answered."""
    return f"Who can enter {target or 'every account'} (from {answers.origin})"


def show(  # noqa: PLR0913 - what is answered by position
    answers: Answers,
    target: str | None,
    comparison: Comparison | None,
    console: Console,
    now: datetime,
    *,
    with_keys: bool = False,
) -> None:
    """Print the summary, the ways by account and by principal, where keys stand, what is not proved, and the events.

    `with_keys` has the keys of every way printed, also of many.
    """
    say(console, title(answers, target))
    for line in filter(None, (summary(answers).sentence, not_shown(answers))):
        say(console, line)
    for line in _ways(answers, now):
        say(console, line)
    for line in _keys(answers, with_keys=with_keys):
        say(console, line)
    for line in not_proved(answers.not_proved, most=None if with_keys else FEW):
        say(console, line)
    if comparison is not None:
        for line in events(answers, comparison):
            say(console, line)


def table(answers: Answers) -> str:
    """The ways as CSV with a header, one a line (RFC 4180); no cell of it is a formula.

    https://www.rfc-editor.org/rfc/rfc4180
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for way in answers.ways:
        writer.writerow(map(spreadsheet, _row(way)))
    return out.getvalue()


def not_proved(found: Iterable[NotProved], most: int | None) -> Iterator[str]:
    """What is not proved, each sentence once and no more than `most` of them."""
    sentences = list(dict.fromkeys(f"not proved: {one.message}. Next step: {one.next_step}." for one in found))
    if sentences:
        yield ""
    yield from sentences[:most]
    if most is not None and len(sentences) > most:
        yield f"not proved: {len(sentences) - most} more, which --keys and --json list"


def heading(alike: Alike) -> str:
    """Which accounts a group of them is."""
    if len(alike.accounts) == 1:
        (one,) = alike.accounts
        return f"{one.name} ({one.id})" if one.name != one.id else one.id
    return f"{len(alike.accounts)} accounts: {listed([one.name for one in alike.accounts])}"


def _ways(answers: Answers, now: datetime) -> Iterator[str]:
    groups = by_account(answers)
    for group in groups:
        if group.ways:
            yield ""
            yield heading(group)
        for way, *_ in group.ways:
            yield f"  {way.permissions}: {way.source.short} -> {into(way)}"
            yield f"    {facts(way, now)}" if len(group.accounts) == 1 else f"    {conditions(way)}"
    shut = [account.name for group in groups if not group.ways for account in group.accounts]
    if shut:
        yield ""
        yield f"No way in from another account is known: {listed(shut)}"
    if answers.within:
        yield ""
        yield "Within their own account"
        for way in answers.within:
            yield f"  {way.permissions}: {way.source.short} -> {into(way)} ({conditions(way)})"
    if len(answers.accounts) > 1 and answers.ways:
        yield from _principals(answers)


def _principals(answers: Answers) -> Iterator[str]:
    yield ""
    yield "By principal"
    for source, entrances in by_principal(answers.ways):
        yield f"  {source.short}"
        for one in entrances:
            asked = f", {' and '.join(one.conditions)}" if one.conditions else ""
            yield f"    {one.level.word}: {one.label} of {listed(one.accounts)}{through(one.through)}{asked}"


def _keys(answers: Answers, *, with_keys: bool) -> Iterator[str]:
    """Door by door: a door that several ways lead through is one."""
    doors = {(step.source.who, step.target.who): step for way in answers.ways for step in way.steps}
    if not doors:
        return
    yield ""
    if not with_keys and len(doors) > FEW:
        yield "Where each key stands: --keys prints it, --csv, --html and --json have it"
        return
    yield "Where each key stands"
    for step in doors.values():
        yield f"  {step.source} -> {step.target}"
        yield from (f"    {line}" for line in keys(step))


def _row(way: Way) -> tuple[str, ...]:
    last = way.steps[-1].declared
    return (
        way.account,
        way.target.place,
        way.source.who.label,
        way.source.who.kind,
        way.source.place,
        way.target.who.name,
        way.target.arn,
        str(way.permissions),
        "; ".join(one.short for one in way.through),
        conditions(way),
        duration(way.max_session_seconds),
        way.since or "",
        way.not_before or "",
        way.why,
        (last.owner or "") if last else "",
        way.expires.isoformat() if way.expires else "",
        "; ".join(place(step.trust) for step in way.steps if step.trust),
        "; ".join(place(grant) for step in way.steps for grant in step.grants),
    )
