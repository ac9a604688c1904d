"""The page of one person's ways in: one self-contained HTML file, pure text from pure data.

Everything that comes from an export is escaped; the page loads nothing and runs no script.
"""

from collections.abc import Mapping, Sequence

from twokeys.answers import pages
from twokeys.doors.expiry import until
from twokeys.doors.switch_role import colour_of, shortcut_url, sign_in_url, switch_role_url, takes
from twokeys.profiles.ways import AssignmentWay, RoleWay, Way, asks, closed, not_yet, only_if, owner_of


def page_of(
    person: str, ways: Mapping[Way, Way | None], dates: Sequence[str], start_url: str | None, without: str
) -> tuple[str, int]:
    """The page with a link for each way that the console can take, and how many those are.

    `dates` say of when its files are, `without` what helps somebody who has no way, `start_url` is the access portal's,
    if said. Each way stands with the one that it is behind, if any.
    """
    cards = {way: _shown(way, before, start_url) for way, before in ways.items()}
    linked = [way for way, card in cards.items() if card["url"]]
    first = {sign_in_url(way.source.account, way.partition): None for way in linked if isinstance(way, RoleWay)}
    portal = any(isinstance(way, AssignmentWay) for way in linked)
    about = {"ways": cards.values(), "dates": dates, "sign_in": first, "portal": portal, "without": without}
    return pages.page("twokeys.profiles", "page.html", person=person, **about), len(linked)


def _shown(way: Way, before: Way | None, start_url: str | None) -> dict[str, object]:
    url, why_not = _link(way, before, start_url)
    role = way.role if isinstance(way, RoleWay) else way.permission_set
    where = way.account_name + (f" ({way.account})" if way.account_name != way.account else "")
    where = where if role in way.name else f"{role} in {where}"
    lines = [[where, f"permits: {way.permits}" if way.permits else ""], [way.reason or "", *way.details]]
    asked = [f"sign in to the console {one}" if one == "with MFA" and url else one for one in asks(way)]
    lines += [[*asked, only_if(way)], [why_not]]
    lines += [[f"until {until(way.expires)}"] if way.expires and not closed(way) else []]
    facts = [", ".join(filter(None, line)) for line in lines]
    return {"name": way.name, "url": url, "colour": colour_of(way.environment), "facts": list(filter(None, facts))}


def _link(way: Way, before: Way | None, start_url: str | None) -> tuple[str | None, str]:
    """Where the console goes for this way, or why it does not.

    It asks for no external ID: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_permissions-to-switch.html
    and switches with the credentials that one signed in with, never with those of a role:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_switch-role-console.html
    """
    if before:
        return None, f"behind {before.name}: `twokeys console {way.name}`"
    if since := closed(way):
        return None, f"{since}: ask {owner_of([way])}"
    if later := not_yet(way):
        return None, later
    if isinstance(way, AssignmentWay):
        portal = start_url or way.start_url or ""
        if not portal.startswith("https://"):
            return None, "sign in at your AWS access portal"
        return shortcut_url(portal, way.account, way.permission_set), ""
    if way.asks_external_id:
        return None, f"`twokeys console {way.name} --external-id ID`"
    if not takes(way.role):
        return None, f"its role is longer than such a link takes: `twokeys console {way.name}`"
    return switch_role_url(
        way.account, way.role, display_name=way.name, environment=way.environment, partition=way.partition
    ), ""
