"""The interactive page: one HTML file with its script, pictures and fonts inside. It asks nothing of any server."""

import json
import re
from datetime import datetime
from typing import Any

from markupsafe import Markup

from twokeys.access.judge import Key
from twokeys.answers import pages
from twokeys.answers.model import DoorAnswer, Way
from twokeys.answers.summary import limits
from twokeys.answers.words import asked_of_session, keys_of, third_party, through
from twokeys.doors import Who
from twokeys.doors.expiry import until
from twokeys.map.drawing import laid_out, origin_of, title_of
from twokeys.map.model import Map, arrows_of, kinds_of, name_of
from twokeys.map.scenes import Box, Scene, kinds_counted, overview
from twokeys.shown import printable

_PACKAGE = "twokeys.map"


def page(whole: Map) -> str:
    """The page as HTML text.

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
        origin=f"{scene.subtitle}. {origin_of(whole)}",
        limits=limits(whole.answers),
        style=pages.part(_PACKAGE, "page.css"),
        script=script,
        script_hash=pages.hashed(script),
        data=_inside_script(data(whole) | _drawn(scene, {door: index for index, door in enumerate(whole.doors)})),
        picture=Markup(shaped + svg[svg.index("<svg ") + 5 :]),  # noqa: S704 - D2 escapes the names that it draws
        rows=[_in_words(door, whole) for door in whole.doors],
        unproved=[printable(one) for one in whole.unproved],
    )


def data(whole: Map) -> dict[str, Any]:
    """The organization as JSON-ready data for the page's script.

    Doors are referred to by their place in the list `doors`.
    """
    place = {door: index for index, door in enumerate(whole.doors)}
    accounts = whole.accounts.values()
    return {
        "name": whole.answers.name,
        "units": [list(unit) for unit in whole.units],
        "environments": sorted({account.environment for account in accounts if account.environment}),
        "counts": kinds_counted(whole),
        "kinds": sorted({kind for door in whole.doors for kind in kinds_of(door)}),
        "accounts": [
            {"id": one.id, "name": one.name, "environment": one.environment, "unit": one.unit} for one in accounts
        ],
        "principals": [_principal(whole, who, place) for who in whole.principals],
        "doors": [_door(door, whole) for door in whole.doors],
    }


def _principal(whole: Map, who: Who, place: dict[Way | DoorAnswer, int]) -> dict[str, Any]:
    return {
        **_who(who),
        "members": [user.name for user, group in whole.memberships if group == who],
        "doors": [place[door] for door in whole.doors_of(who)],
    }


def _who(who: Who) -> dict[str, Any]:
    return {"kind": who.kind, "account": who.account, "name": who.called, "label": who.label}


def _door(door: Way | DoorAnswer, whole: Map) -> dict[str, Any]:
    source, target = door.source.who, door.target.who
    return {
        "name": name_of(door),
        "source": _who(source),
        "account": target.account,
        "role": target.called,
        "target": _who(target),
        "look": whole.look(door).value,
        "keys": whole.lacks(door),
        "countedAs": whole.counted_as(door),
        "ends": [
            [who.kind, who.account, who.called] for one in arrows_of(door) for who in (one.source.who, one.target.who)
        ],
        "verdict": door.verdict,
        "asked": asked_of_session(door.conditions),
        "outside": third_party(door) if isinstance(door, Way) else "",
        "kinds": list(kinds_of(door)),
        **(_of_way(door) if isinstance(door, Way) else _not_open(door)),
    }


def _of_way(way: Way) -> dict[str, Any]:
    said = way.declared.said if way.declared else {"reason": way.why}
    return {
        "trust": Key.PRESENT.value,
        "grant": way.steps[0].grant_key.value,
        "maxSessionSeconds": way.max_session_seconds,
        "declared": said | _expiry(way.expires),
        "explanation": "\n".join([*(f"Through {one}." for one in way.through), *keys_of(way)]),
        "through": [one.short for one in way.through],
        "permissions": str(way.permissions),
    }


def _not_open(door: DoorAnswer) -> dict[str, Any]:
    declared = door.declared
    problem = (f"{door.problem}.", f"Next step: {door.next_step}.") if door.problem else ()
    return {
        "trust": door.trust.value,
        "grant": door.grant.value,
        "maxSessionSeconds": declared.max_session_seconds if declared else None,
        "declared": declared.said | _expiry(declared.expires) if declared else {},
        "explanation": "\n".join(filter(None, (*problem, door.explanation))),
        "through": [],
        "permissions": None,
    }


def _expiry(expires: datetime | None) -> dict[str, str]:
    return {"expires": until(expires)} if expires else {}


def _drawn(scene: Scene, place: dict[Way | DoorAnswer, int]) -> dict[str, Any]:
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


def _in_words(door: Way | DoorAnswer, whole: Map) -> tuple[str, str]:
    """How a door looks and the door itself in a line, for a reader without scripts."""
    asked = f", {asked_of_session(door.conditions)}" if door.conditions else ""
    stops, strong = "", ""
    if isinstance(door, Way):
        outside = f", {third_party(door)}" if third_party(door) else ""
        stops, strong = through(one.short for one in door.through), f" ({door.permissions}{outside})"
    line = f"{door.source.short} → {door.target.short}{stops}{asked}{strong}: {whole.lacks(door)}"
    return whole.look(door).value, line
