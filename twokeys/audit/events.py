"""What CloudTrail saw, as data and in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from twokeys.answers.data import party_data
from twokeys.answers.model import Answers, Party
from twokeys.answers.summary import listed
from twokeys.audit.comparison import Comparison, DoorUse, SignIns, Usage
from twokeys.audit.logs import Source
from twokeys.audit.trail import SIGN_IN, Use
from twokeys.shown import counted

_FEW = 3
"""How many sessions of a door's users are named."""
_MANY = 12
"""How many files that cannot be read are named on a terminal."""


def as_data(found: Comparison) -> dict[str, Any]:
    """What the events say as JSON-ready data."""
    return {
        "from": found.start.isoformat() if found.start else None,
        "until": found.end.isoformat() if found.end else None,
        "learnedUntil": found.learned_until.isoformat() if found.learned_until else None,
        "entries": found.entries,
        "apart": found.apart,
        "unreadable": found.unreadable,
        "sources": [
            {
                "name": one.name,
                "sha256": one.sha256 or None,
                "caller": one.caller or None,
                "filesRead": one.read,
                "passedOver": dict(one.passed_over),
                "notReadable": one.not_readable,
                "from": one.start.isoformat() if one.start else None,
                "until": one.end.isoformat() if one.end else None,
            }
            for one in found.sources
        ],
        "doors": [
            {
                "source": party_data(one.door.source),
                "target": party_data(one.door.target),
                "proved": one.proved,
                "usage": one.usage.value,
                "whyNotKnown": one.not_known or None,
                "count": one.count,
                "perhaps": one.perhaps,
                "last": one.last.isoformat() if one.last else None,
                "beforeItsKeys": one.early,
                "sessions": list(one.sessions),
                "sourceIdentities": list(one.identities),
            }
            for one in found.doors
        ],
        "signIns": [
            {
                "user": party_data(one.user),
                "account": one.uses[-1].account,
                "count": len(one.uses),
                "last": one.uses[-1].time.isoformat(),
                "mfaUsed": _mfa(one),
            }
            for one in found.sign_ins
        ],
        "undeclared": [_use(use) for use in found.undeclared],
        "unusual": [{**_use(one.use), "why": list(one.why)} for one in found.unusual],
    }


def _use(use: Use) -> dict[str, Any]:
    return {
        "id": use.id,
        "time": use.time.isoformat(),
        "event": use.event,
        "caller": party_data(use.caller),
        "uniqueId": use.unique_id,
        "account": use.account,
        "callerSession": use.caller_session,
        "sourceIdentity": use.source_identity,
        "role": use.role or None,
        "task": use.task,
        "region": use.region,
        "source": use.source,
        "session": use.session,
        "failed": use.failed,
        "mfaUsed": use.mfa,
    }


def headline(found: Comparison | None) -> str:
    """What somebody has to look at, in few words; empty where no events were given."""
    if found is None:
        return ""
    entries = "entry" if len(found.undeclared) == 1 else "entries"
    seen = f"{len(found.undeclared)} {entries} without a door, {len(found.unusual)} unusual"
    not_known = [
        f"{counted(found.not_known, 'door')} of which it is not known whether they were used"
        if found.not_known
        else "",
        f"{counted(found.unreadable, 'record')} that cannot be read" if found.unreadable else "",
        f"{counted(len(found.not_readable), 'file')} that cannot be read" if found.not_readable else "",
    ]
    first = "no records of the period" if found.start is None else seen
    return f"CloudTrail: {', '.join(filter(None, (first, *not_known)))}"


def events(answers: Answers, found: Comparison) -> Iterator[str]:
    """What the events say, one a line, under a heading."""
    yield ""
    yield "What CloudTrail saw"
    yield period(found)
    damaged = not_readable(found)
    yield from damaged[:_MANY]
    if len(damaged) > _MANY:
        yield f"not readable: {len(damaged) - _MANY} more, which --csv, --html and --json list"
    for one in found.doors:
        yield f"{usage(one)}: {door_use(one)}"
    yield from filter(None, [about_early(found)])
    for signed in found.sign_ins:
        yield f"signed in: {sign_ins(signed, answers)}"
    for use in found.undeclared:
        yield f"without a door: {used(use, answers)}"
    for strange in found.unusual:
        yield f"unusual: {used(strange.use, answers)}: {', '.join(strange.why)}"


def not_readable(found: Comparison) -> list[str]:
    """The files that cannot be read, each in a sentence."""
    return [f"not readable: {file}: {why}; events in it are not known" for file, why in found.not_readable.items()]


def about_early(found: Comparison) -> str:
    """On what it rests that a door was used before its keys were made; empty where none was."""
    if not any(one.early for one in found.doors):
        return ""
    return (
        "Before its keys were made: before the latest time at which one of them was created, as the states say "
        "(`created`; with --live, IAM). A key that was replaced counts from then, and the door may be older"
    )


def read_from(one: Source, digits: int) -> str:
    """What was read of a source, in words, with so many digits of its sha256."""
    others = ", ".join(f"{count} of {service}" for service, count in sorted(one.passed_over.items()))
    span = f"events from {one.start:%Y-%m-%d %H:%M:%S} to {one.end:%Y-%m-%d %H:%M:%S} UTC" if one.start else "no events"
    parts = (
        f"sha256 {one.sha256[:digits]}" if one.sha256 else "",
        f"asked as {one.caller}" if one.caller else f"{counted(one.read, 'file')} read",
        f"{one.passed_over.total()} passed over: {others}" if others else "",
        f"{len(one.not_readable)} not readable" if one.not_readable else "",
        span,
    )
    return ", ".join(filter(None, parts))


def period(found: Comparison) -> str:
    """What was compared, in a sentence."""
    if found.start is None or found.end is None:
        unreadable = f", but {found.unreadable} that cannot be read" if found.unreadable else ""
        return f"CloudTrail: there are no records of the period{unreadable}, so nothing tells whether a door is used"
    apart = ", ".join(_apart(count, what) for what, count in found.apart.items())
    apart = f"; not among them: {apart}" if apart else ""
    unreadable = f"; {counted(found.unreadable, 'record')} cannot be read" if found.unreadable else ""
    learning = f"; what is usual is learned until {found.learned_until:%Y-%m-%d %H:%M}" if found.learned_until else ""
    if found.learned_until and found.learned_until > found.end:
        learning = "; all of it only teaches what is usual (--learning-days)"
    entries = "entry" if found.entries == 1 else "entries"
    return (
        f"CloudTrail from {found.start:%Y-%m-%d %H:%M} to {found.end:%Y-%m-%d %H:%M} UTC: {found.entries} {entries}"
        f"{apart}{unreadable}{learning}"
    )


def _apart(count: int, what: str) -> str:
    before, plural, after = what.partition("sign-ins")
    return f"{counted(count, f'{before}sign-in')}{after}" if plural else f"{count} {what}"


def usage(one: DoorUse) -> str:
    """Whether a door was used, and why it is not known."""
    return f"{one.usage.value}: {one.not_known}" if one.usage is Usage.NOT_KNOWN else one.usage.value


def sign_ins(one: SignIns, answers: Answers) -> str:
    """Who signed in at the account's own console, how often, when last, and whether with MFA, in words."""
    mfa = ", ".join(f"{word} {count}" if len(_mfa(one)) > 1 else word for word, count in _mfa(one).items())
    times = counted(len(one.uses), "time")
    last = f"{one.uses[-1].time:%Y-%m-%d %H:%M} UTC"
    return f"{_named(one.user, answers)} at the console, {times}, last {last}, MFA used: {mfa}"


def _mfa(one: SignIns) -> dict[str, int]:
    """How many sign-ins were with MFA, without it, and do not tell."""
    told = [use.mfa for use in one.uses]
    counts = {"yes": told.count(True), "no": told.count(False), "not told": told.count(None)}
    return {word: count for word, count in counts.items() if count}


def caller(use: Use, answers: Answers) -> Party:
    """Who called, with the name of the account."""
    return _named(use.caller, answers)


def _named(party: Party, answers: Answers) -> Party:
    return replace(party, account_name=answers.names.get(party.who.account, ""))


def door_use(one: DoorUse) -> str:
    """A door and how it was used, in words."""
    times = counted(one.count or one.perhaps, "time")
    count = f", {times}" if one.count else f", perhaps {times}" if one.perhaps else ""
    last = f", last {one.last:%Y-%m-%d %H:%M} UTC" if one.last and one.usage is not Usage.NEVER else ""
    proved = "" if one.proved else " (a door that is not proved)"
    early = f" ({one.early} before the door's keys were made)" if one.early else ""
    sessions = f", as {listed(list(one.sessions), most=_FEW)}" if one.sessions else ""
    sessions += f", for {listed(list(one.identities), most=_FEW)}" if one.identities else ""
    return f"{one.door.source} -> {one.door.target}{proved}{count}{early}{sessions}{last}"


def used(use: Use, answers: Answers) -> str:
    """A use in words."""
    unknown = f" ({use.unique_id})" if not use.told and use.unique_id else ""
    what = f"role {use.role}" if use.role else f"root user, limited to {use.task or 'an unknown task'},"
    what = "console" if use.event == SIGN_IN else what
    session = f" as {use.caller_session}" if use.caller_session else ""
    session += f" for {use.source_identity}" if use.source_identity else ""
    return (
        f"{use.time:%Y-%m-%d %H:%M:%S} UTC {caller(use, answers)}{session}{unknown} -> {what} of "
        f"{answers.names.get(use.account, use.account)} from {use.source} in {use.region} ({use.id})"
    )
