"""The page of ways in: one self-contained HTML file, pure text from pure data.

Everything that comes from an export is escaped; the page loads nothing and runs no script.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from twokeys.answers import pages
from twokeys.doors import Who
from twokeys.doors.expiry import until
from twokeys.profiles.ways import AssignmentWay, RoleWay, Way, closed

_KINDS = {
    "user": "IAM user",
    "identity-center-user": "Identity Center user",
    "group": "group (members unknown here)",
    "identity-center-group": "Identity Center group (members unknown here)",
    "role": "role (no console)",
    "root": "everybody who is granted it",
}


def render_page(title: str, bearers: Mapping[Who, tuple[Way, ...]], origin: str, now: datetime) -> str:
    """The page with this title: a heading for each bearer, and a link for each way that the console can take.

    `origin` is what the ways were read from, `now` when the page is made (UTC).
    """
    names = {way.account: way.account_name for ways in bearers.values() for way in ways}
    people = [
        {"name": _called(who), "kind": _kind(who, names), "ways": [_shown(who, way) for way in ways]}
        for who, ways in bearers.items()
    ]
    made = f"{now:%Y-%m-%d %H:%M} UTC"
    return pages.page("twokeys.profiles", "page.html", title=title, people=people, origin=origin, made=made)


def _kind(who: Who, names: Mapping[str, str]) -> str:
    kind, name = _KINDS.get(who.kind, who.kind), names.get(who.account, who.account)
    place = who.account if name == who.account else f"{name} ({who.account})"
    return f"{kind} in {place}" if who.account else kind


def _shown(who: Who, way: Way) -> dict[str, object]:
    url, why_not = _link(who, way)
    role = way.role if isinstance(way, RoleWay) else way.permission_set
    facts = [f"{role} in {way.account_name}" + (f" ({way.account})" if way.account_name != way.account else "")]
    facts += [way.reason or "", f"owner: {way.owner}" if way.owner else ""]
    asks = ["MFA"] if isinstance(way, RoleWay) and way.mfa else []
    asks += [closed(way) or f"until {until(way.expires)}"] if way.expires else []
    if isinstance(way, RoleWay) and way.max_session_seconds:
        asks.append(f"sessions up to {way.max_session_seconds / 3600:g} h")
    return {
        "name": way.name,
        "url": url,
        "color": way.color if isinstance(way, RoleWay) else None,
        "facts": [fact for fact in (*facts, ", ".join(asks), why_not) if fact],
    }


def _link(who: Who, way: Way) -> tuple[str | None, str]:
    """Where the console goes for this way, or why it does not."""
    if isinstance(way, AssignmentWay):
        return (way.start_url, "" if way.start_url else "sign in at your Identity Center's start page")
    if who.kind == "role":
        return None, f"a role has no console: it assumes {way.role_arn}"
    if who.kind == "root":
        return way.switch_url, ""
    if way.asks_external_id:
        return None, "the console cannot give an external ID: use the AWS CLI profile"
    return way.switch_url, ""


def _called(who: Who) -> str:
    return who.name or f"account {who.account}"
