"""An audit as data, for `--json`, and as text for people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from twokeys.audit.comparison import Comparison, DoorUse, Unusual, Usage
from twokeys.audit.model import Caller, Entry, KeyPlace, Picture, Step
from twokeys.audit.trail import Use
from twokeys.doors.expiry import until


def as_data(picture: Picture, comparison: Comparison | None) -> dict[str, Any]:
    """The audit as JSON-ready data; `events` is null when no events were compared."""
    return {
        "target": picture.target,
        "origin": picture.origin,
        "accounts": [{"account": account, "name": name} for account, name in picture.accounts.items()],
        "entries": [_entry(entry) for entry in picture.entries],
        "notProved": [
            {"message": one.message, "nextStep": one.next_step, "door": one.door, "urn": one.urn}
            for one in picture.not_proved
        ],
        "identityProviders": [_caller(one) for one in picture.federated],
        "events": _comparison(comparison) if comparison is not None else None,
    }


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "who": _caller(entry.who),
        "account": entry.account,
        "accountName": entry.account_name,
        "role": entry.role,
        "roleArn": entry.role_arn,
        "verdict": entry.verdict,
        "conditions": list(entry.conditions),
        "through": [_caller(one) for one in entry.through],
        "steps": [_step(step) for step in entry.steps],
        "maxSessionSeconds": entry.max_session_seconds,
        "name": entry.name,
        "reason": entry.reason,
        "owner": entry.owner,
        "expires": entry.expires.isoformat() if entry.expires else None,
        "since": entry.since,
        "notBefore": entry.not_before,
        "changed": entry.changed,
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "source": _caller(step.source),
        "target": _caller(step.target),
        "conditions": list(step.conditions),
        "trust": _place(step.trust) if step.trust else None,
        "grants": [_place(place) for place in step.grants],
    }


def _place(place: KeyPlace) -> dict[str, Any]:
    return {
        "document": place.document,
        "urn": place.urn,
        "statement": place.statement,
        "sid": place.sid,
        "source": place.source,
        "stack": place.stack,
        "created": place.created,
        "modified": place.modified,
    }


def _caller(caller: Caller) -> dict[str, Any]:
    return {"kind": caller.kind, "account": caller.account, "name": caller.name, "arn": caller.arn or None}


def _comparison(found: Comparison) -> dict[str, Any]:
    return {
        "from": found.start.isoformat() if found.start else None,
        "until": found.end.isoformat() if found.end else None,
        "learnedUntil": found.learned_until.isoformat() if found.learned_until else None,
        "entries": found.entries,
        "apart": found.apart,
        "unreadable": found.unreadable,
        "doors": [
            {
                "source": _caller(one.door.source),
                "target": _caller(one.door.target),
                "proved": one.proved,
                "usage": one.usage.value,
                "count": one.count,
                "perhaps": one.perhaps,
                "last": one.last.isoformat() if one.last else None,
            }
            for one in found.doors
        ],
        "undeclared": [_use(use) for use in found.undeclared],
        "unusual": [{**_use(one.use), "why": list(one.why)} for one in found.unusual],
    }


def _use(use: Use) -> dict[str, Any]:
    return {
        "id": use.id,
        "time": use.time.isoformat(),
        "event": use.event,
        "caller": _caller(use.caller),
        "uniqueId": use.unique_id,
        "account": use.account,
        "role": use.role,
        "region": use.region,
        "source": use.source,
        "session": use.session,
        "failed": use.failed,
    }


def show(picture: Picture, comparison: Comparison | None, console: Console) -> None:
    """Print the table of entries, where each key stands, what is not proved, and what the events say."""
    table = Table(title=title(picture), title_justify="left")
    for column in ("#", "who", "into", "if", "up to", "since"):
        table.add_column(column, overflow="fold")
    for number, entry in enumerate(picture.entries, 1):
        table.add_row(str(number), *map(escape, row(entry)[:-1]))
    console.print(table)
    for number, entry in enumerate(picture.entries, 1):
        console.print(f"{number}  {entry.who} -> role {entry.role} of {entry.account_name}", **_PLAIN)
        for line in (*granted(entry), f"why: {row(entry)[-1]}"):
            console.print(f"   {line}", **_PLAIN)
    for one in picture.not_proved:
        console.print(f"not proved: {one.message}. Next step: {one.next_step}.", **_PLAIN)
    for provider in picture.federated:
        console.print(f"identity provider, which itself says whom it lets in: {provider.name}", **_PLAIN)
    if comparison is not None:
        for line in events(picture, comparison):
            console.print(line, **_PLAIN)


_PLAIN: dict[str, Any] = {"soft_wrap": True, "highlight": False, "markup": False}


def title(picture: Picture) -> str:
    """The question, and from what it is answered."""
    return f"Who can enter {picture.target} (from {picture.origin})"


def row(entry: Entry) -> tuple[str, str, str, str, str, str]:
    """An entry in words: who, into what, if, up to how long, since when, why."""
    through = "".join(f", through {_short(one)}" for one in entry.through)
    why = [entry.name or "not declared", entry.reason, entry.owner and f"owner {entry.owner}"]
    if entry.expires:
        why.append(f"until {until(entry.expires)}")
    return (
        _short(entry.who),
        _short(entry.steps[-1].target) + through,
        " and ".join(entry.conditions) or "always",
        duration(entry.max_session_seconds),
        _since(entry),
        "; ".join(part for part in why if part),
    )


def _since(entry: Entry) -> str:
    bound = "" if entry.since or entry.not_before is None else "not before "
    return bound + when(entry.not_before) + (f", changed {when(entry.changed)}" if entry.changed else "")


def _short(caller: Caller) -> str:
    """A principal without its account's id, which the lines below the table give."""
    return str(replace(caller, account_name=caller.account_name.removesuffix(f" ({caller.account})")))


def granted(entry: Entry) -> Iterator[str]:
    """Where each key of an entry stands, one a line, door by door."""
    for step in entry.steps:
        if len(entry.steps) > 1:
            yield f"{step.source} -> role {step.target.name} of {step.target.account_name}"
        if step.trust is not None:
            yield f"trust key: {place(step.trust)}"
        for grant in step.grants:
            yield f"grant key: {place(grant)}"
        if not step.grants:
            yield "grant key: in no document that is shown here"


def place(found: KeyPlace) -> str:
    """Where a key stands, in one line."""
    words = [found.document]
    if found.statement is not None:
        words.append(f"statement {found.statement}" + (f" ({found.sid})" if found.sid else ""))
    if found.source:
        words.append(f"at {found.source}")
    if found.urn:
        words.append(found.urn)
    if found.stack:
        words.append(f"read from stack {found.stack}")
    words.append(f"since {when(found.created)}")
    if found.modified and found.modified != found.created:
        words.append(f"changed {when(found.modified)}")
    return ", ".join(words)


def duration(seconds: int | None) -> str:
    """Seconds as people say them."""
    if seconds is None:
        return "not told"
    hours, rest = divmod(seconds, 3600)
    words = [f"{hours} h" if hours else "", f"{rest // 60} min" if rest else ""]
    return " ".join(word for word in words if word) or "0 min"


def when(moment: str | None) -> str:
    """A moment in ISO 8601 to the minute."""
    return f"{moment[:10]} {moment[11:16]} UTC" if moment else "not told"


def events(picture: Picture, found: Comparison) -> Iterator[str]:
    """What the events say, one a line."""
    yield period(found)
    for one in found.doors:
        yield f"{one.usage.value}: {door_use(one)}"
    for use in found.undeclared:
        yield f"without a declared door: {used(use, picture)}"
    for strange in found.unusual:
        yield f"unusual: {used(strange.use, picture)}: {reasons(strange)}"


def period(found: Comparison) -> str:
    """What was compared, in a sentence."""
    if found.start is None or found.end is None:
        return "CloudTrail: there are no records"
    apart = "".join(f", {count} {what}" for what, count in found.apart.items())
    unreadable = f"; {found.unreadable} records cannot be read" if found.unreadable else ""
    learning = f"; what is usual is learned until {found.learned_until:%Y-%m-%d %H:%M}" if found.learned_until else ""
    return (
        f"CloudTrail from {found.start:%Y-%m-%d %H:%M} to {found.end:%Y-%m-%d %H:%M} UTC: {found.entries} entries"
        f"{apart}{unreadable}{learning}"
    )


def door_use(one: DoorUse) -> str:
    """A door and how it was used, in words."""
    count = f", {one.count} times" if one.count else f", perhaps {one.perhaps} times" if one.perhaps else ""
    last = f", last {one.last:%Y-%m-%d %H:%M} UTC" if one.last and one.usage is not Usage.NEVER else ""
    proved = "" if one.proved else " (a door that is not proved)"
    return f"{one.door.source} -> role {one.door.target.name} of {one.door.target.account_name}{proved}{count}{last}"


def used(use: Use, picture: Picture) -> str:
    """A use in words."""
    unknown = f" ({use.unique_id})" if use.caller.name is None and use.unique_id else ""
    caller = replace(use.caller, account_name=picture.names.get(use.caller.account, ""))
    return (
        f"{use.time:%Y-%m-%d %H:%M:%S} UTC {caller}{unknown} -> role {use.role} of "
        f"{picture.accounts.get(use.account, use.account)} from {use.source} in {use.region} ({use.id})"
    )


def reasons(one: Unusual) -> str:
    """Why an entry is unusual."""
    return ", ".join(one.why)
