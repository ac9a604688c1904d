"""The model of a map from the answers: every way in that an audit lists, and the doors that are not open."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from twokeys.access.graph import build
from twokeys.answers.model import Answers, Key, State, Way
from twokeys.answers.model import Door as Judged
from twokeys.answers.reading import read as read_answers
from twokeys.answers.sources import together
from twokeys.answers.words import keys_of
from twokeys.map.model import Account, Door, Organization, organization

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
    "everyone": "by anybody in AWS",
}
CHAINED, BY_ACCESS_ROLE, ROOT = "through other roles", "by AWS's access role", "by a root session"
WITHIN = "within its own account"


def read(states: Iterable[Path], name: str | None = None) -> Organization:
    """The organization that these states show together, called `name` or by its id.

    A state is what `pulumi stack export` writes, or a file of the sandbox. Raises Refusal for one that is not.
    """
    return drawn(read_answers(build(together(states)), name))


def drawn(answers: Answers) -> Organization:
    """What a map shows of the answers."""
    shut = [_door(door) for door in answers.doors if door.state is not State.OPEN]
    doors = [*map(_way, answers.ways), *map(_way, answers.within), *shut]
    found = organization(
        answers.name,
        [*_others(answers), *answers.accounts.values()],
        doors,
        answers.units,
        ((user.who, group.who) for user, group in answers.memberships),
    )
    nobodys = (one.message for one in answers.not_proved if one.source is None or one.target is None)
    return replace(found, unproved=tuple(nobodys))


def _others(answers: Answers) -> Iterator[Account]:
    """Whatever stands at the end of a door and is no account of the organization."""
    ends = {party.who.account: party for way in answers.ways for party in (way.source, way.target)}
    ends |= {party.who.account: party for door in answers.doors for party in (door.source, door.target)}
    for id, party in ends.items():
        if id and id not in answers.accounts:
            yield Account(id, party.place, None, None)


def _way(way: Way) -> Door:
    lines = [f"Through {one}." for one in way.through] + list(keys_of(way))
    kinds = [KINDS.get(way.source.who.kind, way.source.who.kind)]
    kinds += [CHAINED] if way.through else []
    kinds += [BY_ACCESS_ROLE] if way.by_access_role else []
    kinds += [ROOT] if way.target.who.kind == "root-user" else []
    kinds += [WITHIN] if way.source.who.account == way.account else []
    return Door(
        name=way.declared.name if way.declared else f"{way.source.who.label} to {way.target.who.name}",
        source=way.source.who,
        account=way.account,
        role=way.target.who.name,
        trust=Key.PRESENT,
        grant=way.steps[0].grant,
        verdict=way.verdict,
        requirements=way.conditions,
        max_session_seconds=way.max_session_seconds,
        reason=way.why if way.declared is None else way.declared.reason,
        owner=way.declared.owner if way.declared else None,
        expires=way.expires,
        explanation="\n".join(lines),
        through=tuple(one.short for one in way.through),
        permissions=str(way.permissions),
        kinds=tuple(kinds),
    )


def _door(door: Judged) -> Door:
    lines = [f"{door.problem}.", f"Next step: {door.next_step}."] if door.problem else []
    return Door(
        name=door.declared.name if door.declared else f"{door.source.who.label} to {door.target.who.name}",
        source=door.source.who,
        account=door.target.who.account,
        role=door.target.who.name,
        trust=door.trust,
        grant=door.grant,
        verdict=door.verdict,
        requirements=door.conditions,
        max_session_seconds=door.declared.max_session_seconds if door.declared else None,
        reason=door.declared.reason if door.declared else None,
        owner=door.declared.owner if door.declared else None,
        expires=door.declared.expires if door.declared else None,
        explanation="\n".join([*lines, *([door.explanation] if door.explanation else [])]),
        kinds=(KINDS.get(door.source.who.kind, door.source.who.kind),),
    )
