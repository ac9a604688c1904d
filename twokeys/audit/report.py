"""An audit as text for people, and as a table for spreadsheets."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import chain

from rich.console import Console

from twokeys.answers.model import Answers, DoorAnswer, NotProved, Party, State, Time, Way
from twokeys.answers.permissions import Level
from twokeys.answers.summary import (
    SHA256,
    SHORT,
    Alike,
    Named,
    by_account,
    by_principal,
    file_or_live,
    in_words,
    not_looked_at,
    not_open,
    not_shown,
    scope,
    summary,
)
from twokeys.answers.words import (
    asked,
    conditions,
    duration,
    facts,
    into,
    keys,
    not_now,
    open_to,
    place,
    third_parties,
    through,
)
from twokeys.audit.comparison import Comparison, WayUse
from twokeys.audit.entries import DoorUse
from twokeys.audit.events import about_early, events, headline, not_in_the_events, period, ways
from twokeys.audit.record import EVENTS, SIGN_INS, Use
from twokeys.audit.what_was_read import covered, not_readable, read_from
from twokeys.audit.words import by_door, door_use, kind_of, sign_ins, usage
from twokeys.doors import Declaration, Who
from twokeys.shown import counted, in_utc, listed, say, spreadsheet

FEW = 12
"""Up to how many doors and unproved things are shown without being asked for more."""

MEMBERS = "Members of groups, as far as shown (others may be in them)"
SHUT, EXPIRED = "Doors that are not open", "Expired exceptions, to be renewed by their owners or to be removed"
_COLUMNS = 80
"""Columns of a terminal."""


def _declared(said: Declaration | None) -> dict[str, str]:
    """What people say of a door, but for the reason, which is in "why"."""
    return {name: value for name, value in said.said.items() if name != "reason"} if said else {}


COLUMNS = (
    "what",
    "account",
    "account name",
    "who",
    "kind",
    "members",
    "of account",
    "third party",
    "external ID",
    "into role",
    "role ARN",
    "keys",
    "permissions",
    "policies",
    "through",
    "if",
    "up to",
    "since",
    "not before",
    "not after",
    "opens",
    "why",
    *_declared(Declaration()),
    "trust keys",
    "grant keys",
    "next step",
    "usage",
    "count",
    "perhaps",
    "last use",
    "time",
    "call",
    "from address",
    "region",
    "event ID",
    "session",
    "source identity",
    "MFA shown",
    "door",
)


def title(answers: Answers, target: str | None) -> str:
    """The question, and from what it is answered."""
    return f"{question(answers, target)} (from {answers.origin})"


def question(answers: Answers, target: str | None) -> str:
    """The question; of a name that means several accounts, or is not the account's own, which they are."""
    names = sorted(one.name for one in answers.accounts.values())
    several = target is not None and target not in answers.accounts and names != [target]
    asked = f"Whether {answers.person} can enter" if answers.person else "Who can enter"
    return f"{asked} {target or 'every account'}{f': {listed(names)}' if several else ''}"


def credentials(answers: Answers) -> str:
    """How many users have a password or a key of their own, with the administrators; how many may have one."""
    have, not_known = (sum(bool(one.has) is has for one in answers.long_term) for has in (True, False))
    may = sum(one.permissions.level is Level.ADMINISTRATOR for one in answers.long_term if one.has and one.permissions)
    strong = f" ({counted(may, 'administrator')})" if may else ""
    parts = (
        f"{counted(have, 'user')} with long-term credentials{strong}" if have else "",
        f"{counted(not_known, 'user')} who may have long-term credentials" if not_known else "",
    )
    return ", ".join(filter(None, parts))


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
    for line in (
        summary(answers, now).sentence,
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
        *_keys(answers, with_keys=with_keys),
        *not_proved(answers.not_proved, most=None if with_keys else FEW),
        *_accepted(answers),
        *(events(answers, comparison, named) if comparison is not None else ()),
        *_section("The accounts of each list", named.lists()),
    ):
        say(console, line)
    say(console, "")
    read = "; ".join(f"{name} ({about})" for name, about in what_was_read(answers, comparison, digits=SHORT))
    say(
        console,
        f"Evidence: {read}; TwoKeys {version('twokeys')}, {in_utc(datetime.now(UTC))}. {not_looked_at(answers)}",
    )


def table(answers: Answers, target: str | None, comparison: Comparison | None, now: datetime) -> str:
    """The answer as CSV with a header: what was read, ways in, what keeps it from being whole, events; no formula.

    "what" tells a row's kind, so that those of a kind are as many as the summary says. A door that is not open says
    under "keys" what it lacks, and has no permissions. Of rows that are not about one way or door "why" is the
    sentence. "since" is what is known exactly, else the way came not before the one moment and not after the other.

    RFC 4180: https://www.rfc-editor.org/rfc/rfc4180
    """
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS)
    writer.writeheader()
    made = f"TwoKeys {version('twokeys')}, {in_utc(datetime.now(UTC))}"
    about = [
        ("report", f"{title(answers, target)}; {made}"),
        ("organization", answers.name),
        ("summary", summary(answers, now).sentence),
        ("not looked at", not_looked_at(answers)),
    ]
    about += [("evidence", f"{name}: {which}") for name, which in what_was_read(answers, comparison)]
    evidence = [{"what": what, "why": why} for what, why in about]
    of_events = _rows_of_events(answers, comparison) if comparison else ()
    for row in chain(evidence, _rows(answers, comparison, now), of_events):
        writer.writerow({column: spreadsheet(said or "") for column, said in row.items()})
    return out.getvalue()


def _rows(answers: Answers, comparison: Comparison | None, now: datetime) -> Iterator[dict[str, str]]:
    used_by = {id(one.way): _counts(one) for one in (comparison.ways if comparison else ())}
    for way in answers.ways:
        when = way.at(now)
        kind = "way in" if when is Time.NOW else f"way {when.value}"
        yield {"what": kind, **_row(way), **used_by.get(id(way), {})}
    yield from ({"what": "within its account", **_row(way)} for way in answers.within)
    for held_by in answers.long_term:
        may = held_by.permissions
        strength = {"permissions": str(may), "policies": "; ".join(may.names)} if may else {}
        ends = {**_ends(held_by.user, held_by.user), "into role": "", **strength}
        yield {"what": "long-term credentials", **ends, "why": held_by.words}
    for door in not_open(answers):
        lacking = "door not proved" if door.state is State.UNPROVED else "door without a key or denied"
        yield {"what": lacking, **_row_of_door(door)}
    for one in answers.not_proved:
        ends = _ends(one.source, one.target) if one.source and one.target else {}
        yield {"what": "not proved", **ends, "why": one.message, "next step": one.next_step}
    for accepted in answers.accepted or ():
        yield {"what": "accepted exception", "why": str(accepted)}
    for expired in answers.expired:
        yield {"what": "expired exception", "why": str(expired)}
    for missing in filter(None, (not_shown(answers), scope(answers))):
        sentence, _, step = missing.partition(". Next step: ")
        yield {"what": "not shown", "why": sentence, "next step": step}
    yield from ({"what": "change not shown", "why": each} for each in answers.changed_since)


def what_was_read(answers: Answers, comparison: Comparison | None, digits: int = SHA256) -> list[tuple[str, str]]:
    """Each state file, live AWS and source of events, and which it was: so many digits of its sha256, by whom, when."""
    of_events = [(one.name, read_from(one, digits)) for one in (comparison.sources if comparison else ())]
    return [(one.name, file_or_live(one, digits)) for one in answers.evidence] + of_events


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
        said: set[Who] = set()
        for same in group.ways:
            way, more = same[0], ""
            if way.target.who not in said and len({one.permissions.names for one in same}) == 1:
                said.add(way.target.who)
                more = listed([name.partition(" of role ")[0] for name in way.permissions.names], most=2)
            line = f"  {way.permissions}{f' ({more})' if more else ''}: {way.source.short} -> {into(way)}"
            short = more and len(line) > _COLUMNS
            yield f"  {way.permissions}: {way.source.short} -> {into(way)}" if short else line
            about = facts(way, now) if len(group.accounts) == 1 else asked(way, now)
            yield f"    {f'{more} · ' if short else ''}{about}"
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
    if len(answers.accounts) > 1 and answers.ways:
        yield from _principals(answers, named, now)


def _principals(answers: Answers, named: Named, now: datetime) -> Iterator[str]:
    yield ""
    yield "By principal"
    for source, entrances in by_principal(answers.ways):
        outside = third_parties(way for one in entrances for way in one.ways)
        yield f"  {source.short}{f' ({outside})' if outside else ''}"
        for one in entrances:
            more = ", ".join(filter(None, (" and ".join(one.conditions), not_now(one.ways[0], now))))
            into_what = f"{one.label} of {named(one.accounts)}{through(one.through)}"
            yield f"    {one.level.word}: {into_what}{f', {more}' if more else ''}"


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


def _row(way: Way) -> dict[str, str]:
    last, since = way.steps[-1].declared, way.since
    there = {"since": since.exactly} if since.exactly else {"not before": since.first, "not after": since.last}
    moments = {**there, "opens": way.opens, "expires": way.expires}
    return {
        **_ends(way.source, way.target),
        "keys": way.lacks,
        "third party": open_to(way.open_to) if way.open_to else way.third_party or "",
        "external ID": ("asked for" if way.external_id else "not asked for") if way.third_party else "",
        "permissions": str(way.permissions),
        "policies": "; ".join(way.permissions.names),
        "through": "; ".join(one.short for one in way.through),
        "if": conditions(way),
        "up to": duration(way.max_session_seconds),
        "why": way.reason,
        **_declared(last),
        **{name: moment.isoformat() for name, moment in moments.items() if moment},
        "trust keys": "; ".join(place(step.trust) for step in way.steps if step.trust),
        "grant keys": "; ".join(place(grant) for step in way.steps for grant in step.grants),
    }


def _row_of_door(door: DoorAnswer) -> dict[str, str]:
    declared = door.declared
    return {
        **_ends(door.source, door.target),
        "keys": door.lacks,
        "if": " and ".join(door.conditions),
        "why": "; ".join(filter(None, (declared.name, declared.reason))) if declared else "",
        **_declared(declared),
        "next step": door.next_step or "",
    }


def _rows_of_events(answers: Answers, comparison: Comparison) -> Iterator[dict[str, str]]:
    yield {"what": "not looked at", "why": not_in_the_events(comparison)}
    yield from (
        {"what": "events compared", "why": why}
        for why in filter(None, (headline(answers, comparison), period(comparison), about_early(comparison)))
    )
    yield from ({"what": "file not readable", "why": why} for why in not_readable(comparison))
    for one in comparison.coverage:
        row = {
            "what": "covered" if one.lacks is None else "not covered",
            "account": one.account,
            "account name": answers.account_name(one.account),
        }
        yield {**row, "count": str(one.recorded.records), "why": covered(one)}
        for region, days in one.days.items():
            why = ", ".join(map(str, days))
            yield {**row, "what": "days not covered", "region": region, "count": str(len(days)), "why": why}
        yield from ({**row, "what": "log file not given", "why": where} for where in one.not_given)
    if counted_ways := ways(comparison):
        yield {"what": "use of ways", "why": counted_ways}
    for kind, used in (("door", comparison.doors), ("step", comparison.steps)):
        for door in used:
            ends = {**_ends(door.door.source, door.door.target), **_counts(door)}
            unused = usage(door) if not (door.count or door.perhaps) else ""
            why = "; ".join(filter(None, (unused, door_use(door))))
            yield {"what": f"{kind} {door.usage.value}", **ends, "why": why}
    for signed in comparison.sign_ins:
        user = answers.named(signed.user)
        ends = {**_ends(user, user), "into role": "console", "role ARN": ""}
        counts = {"count": str(len(signed.uses)), "last use": _at(signed.uses[-1].time)}
        yield {"what": "signed in", **ends, **counts, "why": sign_ins(signed, answers)}
    for entry in comparison.population:
        doors = "; ".join(map(by_door, entry.doors))
        yield {"what": kind_of(entry), **_row_of_use(entry.use, answers), "why": entry.perhaps, "door": doors}
    for strange in comparison.unusual:
        yield {"what": "unusual", **_row_of_use(strange.use, answers), "why": "; ".join(strange.why)}
    for change in comparison.changes:
        yield {"what": "change of keys", **_row_of_use(change.use, answers), "why": str(change)}


def _row_of_use(use: Use, answers: Answers) -> dict[str, str]:
    target = answers.named(Party(use.target, use.arn))
    return {
        **_ends(answers.named(use.caller), target),
        **(
            {"into role": SIGN_INS[use.event]}
            if use.event in SIGN_INS
            else {}
            if use.event in EVENTS or use.role
            else {"into role": ""}
        ),
        **({} if use.names_caller or not use.unique_id else {"who": use.unique_id}),
        "time": _at(use.time),
        "call": use.event,
        "from address": use.source,
        "through": use.invoked_by or ("root session" if use.in_root else ""),
        "third party": use.delegate or "",
        "region": use.region,
        "event ID": use.id,
        "session": use.caller_session or use.session or "",
        "source identity": use.source_identity or "",
        "MFA shown": {True: "yes", False: "no", None: ""}[use.mfa],
    }


def _counts(found: DoorUse | WayUse) -> dict[str, str]:
    counts = {"count": str(found.count), "perhaps": str(found.perhaps)}
    return {"usage": found.usage.value, **counts, "last use": _at(found.last)}


def _at(time: datetime | None) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%SZ}" if time else ""


def _ends(source: Party, target: Party) -> dict[str, str]:
    return {
        "account": target.who.account,
        "account name": target.place,
        "who": source.who.label,
        "kind": "account" if source.who.kind == "root" else source.who.kind,
        "members": "; ".join(source.members),
        "of account": source.place,
        "into role": target.who.name,
        "role ARN": target.arn,
    }
