"""An audit as a table for spreadsheets: CSV, a row each of what it is read from, ways in, what is not known, events."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import chain

from twokeys.answers.model import Answers, Party, State, Time, Way
from twokeys.answers.summary import not_looked_at, not_open, not_shown, run_by, scope, summary
from twokeys.answers.words import conditions, duration, open_to, place
from twokeys.audit.comparison import Comparison
from twokeys.audit.differs import NO_CALL
from twokeys.audit.entries import DoorUse
from twokeys.audit.events import at_the_top, headline, not_in_the_events, period, what_was
from twokeys.audit.record import ENTERING, SIGN_INS, Use
from twokeys.audit.report import title, what_was_read
from twokeys.audit.what_was_read import covered, days, not_readable
from twokeys.audit.who_called import about, begun, called, who_began
from twokeys.audit.words import by_door, door_use, kind_of, sign_ins, usage
from twokeys.doors import Declaration
from twokeys.shown import in_utc, spreadsheet


def _at(time: datetime | None) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%SZ}" if time else ""


def _declared(said: Declaration | None) -> dict[str, str]:
    """What people say of a door, but for the reason, which is in "why"."""
    own = {name: value for name, value in said.said.items() if name != "reason"} if said else {}
    return {**own, "expires": _at(said.expires)} if said else {}


COLUMNS = (
    "what", "account", "account name", "who", "kind", "members", "of account", "third party", "external ID",
    "into role", "role ARN", "keys", "permissions", "policies", "through", "if", "up to", "since", "not before",
    "not after", "opens", "why", *_declared(Declaration()), "trust keys", "grant keys", "next step", "usage", "count",
    "perhaps", "last use", "time", "call", "from address", "region", "event ID", "session", "begun by",
    "source identity", "MFA shown", "door", "unusual",
)  # fmt: skip


def as_csv(answers: Answers, target: str | None, comparison: Comparison | None, now: datetime) -> str:
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
        ("report", f"{title(answers, target, comparison)}; {made}"),
        ("organization", answers.name),
        ("summary", summary(answers, now).sentence),
        *(("summary", each) for each in at_the_top(answers, comparison)),
        ("not looked at", not_looked_at(answers)),
    ]
    about += [("evidence", f"{name}: {which}") for name, which in what_was_read(answers, comparison)]
    about += [("evidence", run_by(answers))] * bool(run_by(answers))
    evidence = [{"what": what, "why": why} for what, why in about]
    of_events = _rows_of_events(answers, comparison) if comparison else ()
    for row in chain(evidence, _rows(answers, comparison, now), of_events):
        writer.writerow({column: spreadsheet(said or "") for column, said in row.items()})
    return out.getvalue()


def _rows(answers: Answers, comparison: Comparison | None, now: datetime) -> Iterator[dict[str, str]]:
    used_by = {id(way): _counts(use) for way, use in (comparison.ways if comparison else ())}
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
        said, ends = door.declared, _ends(door.source, door.target)
        why = "; ".join(filter(None, (said.name, said.reason))) if said else ""
        row = {"keys": door.lacks, "if": " and ".join(door.conditions), "why": why, "next step": door.next_step or ""}
        yield {"what": lacking, **ends, **_declared(said), **row}
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
        **{name: _at(moment) for name, moment in moments.items() if moment},
        "trust keys": "; ".join(place(step.trust) for step in way.steps if step.trust),
        "grant keys": "; ".join(place(grant) for step in way.steps for grant in step.grants),
    }


def _rows_of_events(answers: Answers, comparison: Comparison) -> Iterator[dict[str, str]]:
    yield {"what": "not looked at", "why": not_in_the_events(comparison)}
    yield from (
        {"what": "events compared", "why": why}
        for why in filter(None, (headline(answers, comparison), period(comparison)))
    )
    yield from ({"what": "file not readable", "why": why} for why in not_readable(comparison.was_read))
    for one in comparison.was_read.accounts:
        row = {
            "what": "covered" if one.lacks is None else "not covered",
            "account": one.account,
            "account name": answers.account_name(one.account),
        }
        yield {**row, "count": str(one.recorded.records or one.recorded.elsewhere), "why": covered(one)}
        for regions, spans in days(one):
            yield {**row, "what": "days not covered", "region": regions, "count": "", "why": spans}
        yield from ({**row, "what": "log file not given", "why": where} for where in one.not_given)
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
    meanwhile = comparison.meanwhile(answers)
    unusual = {one.use.id: "; ".join(one.why) for one in comparison.unusual}
    for entry in comparison.population:
        doors = "; ".join(map(by_door, entry.doors))
        why = "; ".join(filter(None, (entry.perhaps, *meanwhile.get(entry.use.id, ()))))
        odd = unusual.pop(entry.use.id, "")
        yield {"what": kind_of(entry), **_row_of_use(entry.use, answers), "why": why, "door": doors, "unusual": odd}
    for call in (each for each in comparison.unusual if each.use.id in unusual):
        yield {"what": "unusual", **_row_of_use(call.use, answers), "unusual": "; ".join(call.why)}
    for gone, account in ((one, account) for one in comparison.taken_back for account in one.places):
        _, names = gone.permissions or (None, ())
        yield {
            "what": what_was(gone),
            **_row_of_use(gone.change.use, answers),
            "account": account,
            "account name": answers.account_name(account),
            **_changed(*gone.change.of[:2], gone.change.of[2:], answers),
            **{"who": "; ".join(gone.who(answers)) if gone.permissions else "", "kind": "", "of account": ""},
            **({"permissions": gone.permissions[0].word, "policies": "; ".join(names)} if gone.permissions else {}),
            "begun by": who_began(gone.change.use, answers),
            "not before": _at(gone.since),
            "not after": _at(gone.until),
            "why": f"{gone.words(answers)}{gone.came(answers)}",
        }
    for two in comparison.unexplained:
        where = {"account": two.whom[0], "account name": answers.account_name(two.whom[0]), "who": "; ".join(two.who)}
        of = {**_changed(*two.whom[1:], two.what, answers), "permissions": two.strength, "why": two.words(answers)}
        yield {"what": NO_CALL, **where, **of, "not before": _at(two.first), "not after": _at(two.last)}
    for change in comparison.changes:
        of = {**_row_of_use(change.use, answers), **_changed(*change.of[:2], change.of[2:], answers)}
        yield {"what": "change of keys", **of, "why": f"{about(change, answers)}: {change}".removesuffix(": ")}


def _changed(kind: str, whose: str, what: Sequence[str], answers: Answers) -> dict[str, str]:
    """The role or permission set that is changed, and the policies of it, by their names."""
    if kind not in {"role", "set"}:
        return {"into role": ""}
    policies = "; ".join(one.rpartition("/")[2] for one in what if not re.fullmatch(r".* .*|\d{12}", one))
    name = called(whose, answers)
    return {"into role": f"permission set {name}" if kind == "set" else name, "policies": policies}


def _row_of_use(use: Use, answers: Answers) -> dict[str, str]:
    target = answers.named(Party(use.target, use.arn))
    enters = use.event not in SIGN_INS and (use.event in ENTERING or use.role)
    return {
        **_ends(answers.named(use.caller), target),
        **({} if enters else {"into role": SIGN_INS.get(use.event, "")}),
        **({} if use.names_caller or not use.unique_id else {"who": use.unique_id}),
        "time": _at(use.time),
        "call": use.event,
        "from address": use.source,
        "through": use.invoked_by or ("root session" if use.in_root else ""),
        "third party": use.delegate or "",
        "region": use.region,
        "event ID": use.id,
        "session": use.caller_session or use.session or "",
        "begun by": begun(use, answers).removeprefix(", begun by "),
        "source identity": use.source_identity or "",
        "MFA shown": {True: "yes", False: "no", None: ""}[use.mfa],
    }


def _counts(found: DoorUse) -> dict[str, str]:
    counts = {"count": str(found.count), "perhaps": str(found.perhaps)}
    return {"usage": found.usage.value, **counts, "last use": _at(found.last)}


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
