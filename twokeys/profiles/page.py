"""The page of ways in: one self-contained HTML file, pure text from pure data.

Everything that comes from an export is escaped; the page loads nothing and runs no script.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from twokeys.answers import pages
from twokeys.doors import Who
from twokeys.doors.expiry import until
from twokeys.profiles.ways import AssignmentWay, RoleWay, Way

_KINDS = {
    "user": "IAM user",
    "identity-center-user": "Identity Center user",
    "group": "group (members unknown here)",
    "identity-center-group": "Identity Center group (members unknown here)",
    "role": "role (no console)",
    "root": "everybody who is granted it",
}


def render_page(title: str, bearers: Mapping[Who, Iterable[Way]]) -> str:
    """The page with this title: a heading for each bearer, and a link for each way that the console can take."""
    people = [
        {"name": _called(who), "kind": _kind(who), "ways": [_shown(who, way) for way in ways]}
        for who, ways in bearers.items()
    ]
    return pages.page("twokeys.profiles", "page.html", title=title, people=people)


def _kind(who: Who) -> str:
    return _KINDS.get(who.kind, who.kind) + (f" in {who.account}" if who.account else "")


def _shown(who: Who, way: Way) -> dict[str, object]:
    url, why_not = _link(who, way)
    role = way.role if isinstance(way, RoleWay) else way.permission_set
    facts = [f"{role} in {way.account_name}" + (f" ({way.account})" if way.account_name != way.account else "")]
    facts += [way.reason or "", f"owner: {way.owner}" if way.owner else ""]
    asks = ["MFA"] if isinstance(way, RoleWay) and way.mfa else []
    asks += [f"until {until(way.expires)}"] if way.expires else []
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
