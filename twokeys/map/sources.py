"""The model of a map from the answers: every way in that an audit lists, and the doors that are not open."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from twokeys.answers.model import Answers, Key, State, Step, Way
from twokeys.answers.model import Door as Judged
from twokeys.answers.summary import limits
from twokeys.answers.words import grant_of, keys_of, not_now
from twokeys.doors import Declaration
from twokeys.doors import Door as Declared
from twokeys.map.model import NOTHING_SAID, WITHIN, Account, Door, Organization, organization

KINDS = {
    "role": "by a role",
    "user": "by a user",
    "group": "by a group",
    "root": "by an account as a whole",
    "identity-center-user": "by IAM Identity Center",
    "identity-center-group": "by IAM Identity Center",
    "web-identity": "by a web identity",
    "saml": "by SAML",
    "service": "by an AWS service",
    "outsider": "by an organization as a whole",
    "everyone": "by anybody in AWS",
}
CHAINED, BY_ACCESS_ROLE, ROOT = "through other roles", "by AWS's access role", "by a root session"


def drawn(answers: Answers, now: datetime) -> Organization:
    """What a map shows of the answers at a moment: a way that its dates keep shut then says so."""
    shut = [_door(door) for door in answers.doors if door.state is not State.OPEN]
    doors = [*(_way(way, now) for way in (*answers.ways, *answers.within)), *shut]
    found = organization(
        answers.name,
        [*_others(answers), *answers.accounts.values()],
        doors,
        answers.units,
        ((user.who, group.who) for user, group in answers.memberships),
    )
    nobodys = (one.message for one in answers.not_proved if one.source is None or one.target is None)
    return replace(found, unproved=tuple(nobodys), origin=answers.origin, limits=limits(answers))


def _others(answers: Answers) -> Iterator[Account]:
    """Whatever stands at the end of a door and is no account of the organization."""
    steps = (step for way in (*answers.ways, *answers.within) for step in way.steps)
    doors: tuple[Step | Judged, ...] = (*steps, *answers.doors)
    ends = {party.who.account: party for one in doors for party in (one.source, one.target)}
    for id, party in ends.items():
        if id and id not in answers.accounts:
            yield Account(id, party.place, None, None)


def _way(way: Way, now: datetime) -> Door:
    kinds = [CHAINED] if way.through else []
    kinds += [BY_ACCESS_ROLE] if way.by_access_role else []
    kinds += [ROOT] if way.target.who.kind == "root-user" else []
    shut = not_now(way, now)
    kinds += [WITHIN] if way.source.who.account == way.account else []
    return _between(
        way,
        way.declared,
        *kinds,
        grant=grant_of(way.steps[0]),
        verdict=way.verdict,
        time=way.at(now),
        not_now=shut,
        requirements=way.conditions,
        max_session_seconds=way.max_session_seconds,
        declared=(way.declared or Declaration(reason=way.why)).model_copy(update={"expires": way.expires}),
        explanation="\n".join([*(f"Through {one}." for one in way.through), *keys_of(way)]),
        through=tuple(one.short for one in way.through),
        steps=tuple(
            _between(
                step,
                grant=grant_of(step),
                requirements=step.conditions,
                not_now=shut and not_now(replace(way, steps=(step,)), now),
            )
            for step in way.steps
        ),
        permissions=str(way.permissions),
    )


def _door(door: Judged) -> Door:
    lines = [f"{door.problem}.", f"Next step: {door.next_step}."] if door.problem else []
    return _between(
        door,
        door.declared,
        trust=door.trust,
        grant=door.grant,
        verdict=door.verdict,
        requirements=door.conditions,
        max_session_seconds=door.declared.max_session_seconds if door.declared else None,
        explanation="\n".join([*lines, *([door.explanation] if door.explanation else [])]),
    )


def _between(ends: Way | Judged | Step, declared: Declared | None = None, /, *kinds: str, **more: Any) -> Door:  # noqa: ANN401 - fields of Door
    source, target = ends.source.who, ends.target.who
    values = {
        "name": declared.name if declared else f"{source.label} to {target.name}",
        "declared": declared or NOTHING_SAID,
        "trust": Key.PRESENT,
        **more,
    }
    kinds = (KINDS.get(source.kind, source.kind), *kinds)
    return Door(source=source, account=target.account, role=target.name, kinds=kinds, **values)
