"""Ways and keys in words, alike for terminal, page and file."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from twokeys.access.federated import GUESTS
from twokeys.access.judge import Key
from twokeys.access.model.requirements import pausing
from twokeys.access.reading.since import Since
from twokeys.answers.model import ANY_ANCHOR, KeyPlace, Step, Time, Way
from twokeys.doors.expiry import left, on, until
from twokeys.shown import in_utc, listed

SIGN_IN = "as its sign-in asks"


def into(way: Way, target: str = "") -> str:
    """Into what a way leads, by default without the account: "role deployer, through role ci of management"."""
    return (target or way.target.who.label) + through(one.short for one in way.through)


def through(stops: Iterable[str]) -> str:
    """The roles in between, in order: ", through role break-glass of management and then role ci of management"."""
    roles = " and then ".join(stops)
    return f", through {roles}" if roles else ""


def open_to(provider: str) -> str:
    """Who comes in where a trust policy names no tenant of a provider that all the world shares, or nobody at all."""
    if provider == GUESTS:
        return f"open to anybody ({GUESTS})"
    has = f"a certificate of {provider} of the account" if provider == ANY_ANCHOR else f"an account at {provider}"
    return f"open to anybody who has {has}"


def third_party(way: Way) -> str:
    """Of a third party what is known of it, and that no condition asks it for an external ID; empty for all others."""
    if way.open_to:
        return open_to(way.open_to)
    return (way.third_party or "") + (", no external ID" if way.third_party and not way.external_id else "")


def third_parties(ways: Iterable[Way]) -> str:
    """What is known of a principal that is a third party, over all of its ways."""
    by_known: dict[str, list[Way]] = defaultdict(list)
    for way in ways:
        by_known[way.third_party or third_party(way)].append(way)
    return "; ".join(sorted(_of_several(known, alike) for known, alike in by_known.items() if known))


def asked(way: Way, now: datetime) -> str:
    """What a way asks for and how its dates keep it shut: "external ID, closed since 2027-01-31 15:00 UTC"."""
    return ", ".join(filter(None, (third_party(way), conditions(way), not_now(way, now))))


def _of_several(known: str, ways: list[Way]) -> str:
    said = {third_party(way) for way in ways}
    without = sum(not way.external_id for way in ways)
    return said.pop() if len(said) == 1 else f"{known}, {without} of {len(ways)} ways without an external ID"


def conditions(way: Way) -> str:
    """What a session must show beside its identity; "always" where nothing. No key tells what Identity Center asks."""
    signs_in = (SIGN_IN,) if way.source.who.kind.startswith("identity-center-") else ()
    return " and ".join((*signs_in, *way.conditions)) or "always"


def asked_of_session(conditions: Iterable[str]) -> str:
    """The same as part of a sentence, dates last: "with MFA, external ID, until 2027-01-31"; empty where nothing."""
    each = list(conditions)
    dates = [one for one in each if one.startswith(("from ", "until "))]
    shows = ", ".join(one for one in each if one not in dates)
    return ", ".join(filter(None, (f"with {shows}" if shows else "", *dates)))


def since(found: Since) -> str:
    """Since when a way or a key is there: a moment, two between which it came, or the one of them that is known."""
    first, last = (in_utc(moment) if moment else "" for moment in (found.first, found.last))
    if not first:
        return f"{last} or earlier" if last else ""
    if not last:
        changed = found.changed if found.changed and found.first and found.changed > found.first else None
        return f"{first} or later" + (f", changed {in_utc(changed)}" if changed else "")
    return first if first == last else f"between {first} and {last}"


def not_now(way: Way | Step, now: datetime) -> str:
    """Of one that its dates keep shut: "closed since 2027-01-31 15:00 UTC", "opens 2027-06-01", both; else empty."""
    if way.at(now) is not Time.LATER:
        return left(way.closes, now) if way.closes and way.at(now) is Time.OVER else ""
    starts, ends = zip((None, way.opens), *pausing(way.pauses, now), strict=True)
    opens = max(filter(None, ends))
    said = (*(left(start, now) for start in starts if start), f"opens {on(opens)}")
    return ", ".join((*said, f"closes {on(way.closes)}") if way.closes else said)


def remaining(way: Way, now: datetime) -> str:
    """How long a way is open still, by its keys; where only a declaration has an end, that it has one."""
    if way.at(now) is not Time.NOW:
        return ""
    declared = way.expires if way.expires != way.closes else None
    parts = (
        left(way.closes, now) if way.closes else "",
        f"declared until {until(declared)}, but its keys do not end then" if declared else "",
    )
    return "; ".join(filter(None, parts))


def facts(same: Sequence[Way], now: datetime) -> str:
    """What there is to know of ways that are alike beside their ends, in one line; of what differs the first."""
    parts = zip(*(_facts(way, now) for way in same), strict=True)
    return " · ".join(filter(None, (listed([*filter(None, each)], most=2) for each in parts)))


def _facts(way: Way, now: datetime) -> tuple[str, ...]:
    known = since(way.since)
    return (
        not_now(way, now),
        third_party(way),
        conditions(way),
        f"up to {duration(way.max_session_seconds)}" if way.max_session_seconds else "",
        f"keys since {known}" if known else "",
        "; ".join(filter(None, (way.why, remaining(way, now)))),
    )


def keys(step: Step) -> Iterator[str]:
    """Where each key of a door stands, one a line."""
    yield f"trust key: {place(step.trust) if step.trust else 'not shown: the account was not read'}"
    for grant in step.grants:
        yield f"grant key: {place(grant)}"
    if not step.grants:
        yield f"grant key: {_without_grant(step)}"


def _without_grant(step: Step) -> str:
    if step.grant is Key.NOT_OURS:
        return "made in an account that is not shown to be ours, so that nobody here can see it"
    if step.grant is Key.NOT_NEEDED:
        return "none is needed: AWS itself lets them ask for the role"
    return "not shown: no document here holds it" if step.crosses else "none is needed within one account"


def keys_of(way: Way) -> Iterator[str]:
    """Where the keys of a way stand, door by door, one a line."""
    for step in way.steps:
        if len(way.steps) > 1:
            yield f"{step.source} -> {step.target}"
        yield from keys(step)


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
    if found.since and (known := since(found.since)):
        words.append(f"since {known}")
    return ", ".join(words)


def duration(seconds: int | None) -> str:
    """Seconds as people say them."""
    if seconds is None:
        return "not known"
    hours, rest = divmod(seconds, 3600)
    words = [f"{hours} h" if hours else "", f"{rest // 60} min" if rest else ""]
    return " ".join(word for word in words if word) or "0 min"
