"""The interactive page: one HTML file with its script, pictures and fonts inside. It asks nothing of any server."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

from markupsafe import Markup

from twokeys.answers import pages
from twokeys.answers.model import Party
from twokeys.answers.words import through
from twokeys.doors.expiry import until
from twokeys.map.drawing import laid_out, origin_of, title_of
from twokeys.map.model import Account, Door, Organization, Who, doors_of
from twokeys.map.scenes import Box, Scene, kinds_counted, overview
from twokeys.shown import printable

_PACKAGE = "twokeys.map"


def page(whole: Organization, now: datetime) -> str:
    """The page as HTML text; `now` is when it is made (UTC).

    A content security policy in the page itself keeps it from loading anything and from running any script but its own.
    Raises Refusal where D2 is missing or fails.
    """
    scene = overview(whole)
    script = pages.part(_PACKAGE, "page.js")
    svg = laid_out(scene)
    size = re.search(r'viewBox="\S+ \S+ (\d+) (\d+)"', svg)
    shaped = f'<svg style="--wide: {size[1]}px; --ratio: {int(size[1]) / int(size[2])}" ' if size else "<svg "
    return pages.page(
        _PACKAGE,
        "page.html",
        title=title_of(whole),
        origin=f"{scene.subtitle}. {origin_of(whole, now)}",
        limits=whole.limits,
        style=pages.part(_PACKAGE, "page.css"),
        script=script,
        script_hash=pages.hashed(script),
        data=_inside_script(data(whole) | _drawn(scene, {door: index for index, door in enumerate(whole.doors)})),
        picture=Markup(shaped + svg[svg.index("<svg ") + 5 :]),  # noqa: S704 - D2 escapes the names that it draws
        rows=[_in_words(door, whole) for door in whole.doors],
        unproved=[printable(one) for one in whole.unproved],
    )


def data(whole: Organization) -> dict[str, Any]:
    """The organization as JSON-ready data for the page's script.

    Doors are referred to by their place in the list `doors`.
    """
    place = {door: index for index, door in enumerate(whole.doors)}
    return {
        "name": whole.name,
        "units": [list(unit) for unit in whole.units],
        "environments": list(whole.environments),
        "counts": kinds_counted(whole.doors),
        "kinds": sorted({kind for door in whole.doors for kind in door.kinds}),
        "accounts": [_account(account) for account in whole.accounts],
        "principals": [_principal(whole, who, place) for who in whole.principals],
        "doors": [_door(door) for door in whole.doors],
    }


def _account(account: Account) -> dict[str, Any]:
    unit = None if account.unit is None else list(account.unit)
    return {"id": account.id, "name": account.name, "environment": account.environment, "unit": unit}


def _principal(whole: Organization, who: Who, place: dict[Door, int]) -> dict[str, Any]:
    return {
        **_named(who),
        "members": [user.name for user, group in whole.memberships if group == who],
        "doors": [place[door] for door in doors_of(whole, who)],
    }


def _named(who: Who) -> dict[str, Any]:
    return {"kind": who.kind, "account": who.account, "name": who.name, "label": who.label}


def _door(door: Door) -> dict[str, Any]:
    return {
        "name": door.name,
        "source": _named(door.source),
        "account": door.account,
        "role": door.role,
        "target": _named(door.target),
        "trust": door.trust.value,
        "grant": door.grant.value,
        "state": door.state.value,
        "keys": door.lacks,
        "countedAs": door.counted_as,
        "ends": [[who.kind, who.account, who.name] for one in door.arrows for who in (one.source, one.target)],
        "verdict": door.verdict,
        "requirements": list(door.requirements),
        "maxSessionSeconds": door.max_session_seconds,
        "declared": door.declared.said | ({"expires": until(expires)} if (expires := door.declared.expires) else {}),
        "explanation": door.explanation,
        "through": list(door.through),
        "permissions": door.permissions,
        "kinds": list(door.kinds),
    }


def _drawn(scene: Scene, place: dict[Door, int]) -> dict[str, Any]:
    """What the boxes and arrows of the picture stand for, by their classes in it."""
    boxes: dict[str, Any] = {}
    waiting: list[Box] = list(scene.boxes)
    while waiting:
        box = waiting.pop()
        boxes[box.key] = {"kind": box.kind, "about": list(box.about), "label": ", ".join(box.lines)}
        waiting.extend(box.children)
    arrows = {one.key: {"doors": [place[door] for door in one.doors], "label": one.title} for one in scene.arrows}
    return {"boxes": boxes, "arrows": arrows}


def _inside_script(value: object) -> Markup:
    """JSON that cannot end the script element it stands in, nor open a comment there."""
    return Markup(json.dumps(value).replace("<", "\\u003c"))  # noqa: S704 - and nothing else can end it


def _in_words(door: Door, whole: Organization) -> tuple[str, str]:
    """The state of a door and the door itself in a line, for a reader without scripts."""
    names = {account.id: account.name for account in whole.accounts}
    source = Party(door.source, account_name=names[door.source.account] if door.source.account else "").short
    asked = f", with {', '.join(door.requirements)}" if door.requirements else ""
    strong = f" ({door.permissions})" if door.permissions else ""
    line = (
        f"{source} → {door.target.label} of {names[door.account]}{through(door.through)}{asked}{strong}: {door.lacks}"
    )
    return door.state.value, line
