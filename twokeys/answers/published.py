"""The ways in as a file that everybody may read: what a developer needs for profiles, and nothing secret.

It has the shape of `pulumi stack output --json`, so that whatever reads the outputs of stacks reads it too: `doors`,
`parent_account_id`, `member_account_ids` and their environments, `identity_center` with its users and groups,
`regions` by account; of when it is (`as_of`: when the oldest state was written that it is from); and how far it goes:
the accounts whose roles were seen (`accounts_shown`), and the others that ways come from.
The documents of the doors are left out, and with them every external ID; a door says that it asks for one.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC
from typing import Any

from twokeys.access.model.requirements import in_words, is_mfa, window
from twokeys.answers.model import Answers, Party, Way
from twokeys.answers.summary import unseen
from twokeys.doors import (
    ENVIRONMENTS_OUTPUT,
    RESERVED,
    DeclaredDoor,
    DoorRequirements,
    DoorSource,
    DoorTarget,
    ExportedDoor,
)
from twokeys.iam import Requirement
from twokeys.iam.external_id import asks_for_external_id
from twokeys.iam.sts import permission_set_of
from twokeys.iam.verdict import all_of, one_of

FORMAT = 1
"""Another number says that this version would read the file wrongly; of a field more it is not in need."""
KINDS = ("role", "user", "group", "identity-center-user", "identity-center-group")
"""Who has profiles: of another, such as a workflow by its token, a way is left out."""


def published(answers: Answers) -> dict[str, Any]:
    """The file as JSON-ready data: each way of a person, a group or a role that is one door, and by break-glass.

    Ways through other roles are left out: each of their doors is there for the role that goes through it.
    """
    management = next((id for id, account in answers.accounts.items() if account.management), None)
    portal = answers.portal
    read = [one.moment.astimezone(UTC).isoformat() for one in answers.evidence if one.moment]
    return {
        "doors_format": FORMAT,
        "as_of": min(read) if len(read) == len(answers.evidence) > 0 else None,
        "identity_center": {"start_url": portal.start_url, "region": portal.region} if portal else None,
        "identity_center_members": _members(answers),
        "identity_center_users": sorted(
            {one.who.name for one in answers.principals.values() if one.who.kind == "identity-center-user"}
        ),
        "doors": [door.to_props() for door in doors_of(answers)],
        "user_arns": {one.who.name: one.arn for one in _users(answers)},
        "parent_account_id": management,
        "member_account_ids": {account.name: id for id, account in answers.accounts.items() if id != management},
        ENVIRONMENTS_OUTPUT: {one.name: one.environment for one in answers.accounts.values() if one.environment},
        "regions": {id: account.region for id, account in answers.accounts.items() if account.region},
        "accounts_shown": sorted(answers.shown),
        "accounts_not_shown": unseen(answers),
    }


def _members(answers: Answers) -> dict[str, list[str]]:
    """The users of each group of IAM Identity Center."""
    found: dict[str, list[str]] = {}
    for user, group in answers.memberships:
        if group.who.kind == "identity-center-group":
            found.setdefault(group.who.name, []).append(user.who.name)
    return found


def _users(answers: Answers) -> Iterator[Party]:
    """Everybody in IAM, also who has no way: of them is then said that they have none."""
    members = (member for member, _ in answers.memberships)
    sources = (way.source for way in answers.all_ways)
    yield from (one for one in (*answers.principals.values(), *members, *sources) if one.who.kind == "user")


def doors_of(answers: Answers) -> Iterator[ExportedDoor]:
    """The ways that are one door of a person, a group or a role, also within an account, without their documents."""
    for way in answers.all_ways:
        if len(way.steps) == 1 and way.source.who.kind in KINDS and way.target.who.kind == "role":
            yield ExportedDoor(name=_name(way), door=_door(way), documents=())


def _door(way: Way) -> DeclaredDoor:
    declared, source = way.declared, way.source.who
    return DeclaredDoor(
        name=_name(way),
        source=DoorSource.model_validate(
            {"kind": source.kind, "account": source.account or way.account, "names": (_named(way.source),)}
        ),
        target=DoorTarget(account=way.account, role=_role(way), partition=_partition(way)),
        requires=DoorRequirements(mfa=way.mfa, external_id=way.external_id, conditions=_conditions(way)),
        max_session_seconds=way.max_session_seconds,
        opens=way.opens,
        pauses=way.pauses,
        permits=way.permissions.level.word,
        **{**(declared.declaration if declared else {}), "expires": way.expires},
    )


def _conditions(way: Way) -> tuple[str, ...]:
    """What else the keys ask, in words."""
    return tuple(dict.fromkeys(each for step in way.steps for key in step.requirements for each in _else(key)))


def _else(requirements: Iterable[Requirement]) -> Iterator[str]:
    """What requirements ask beside MFA, an external ID and a time; of alternatives, what each of them does."""
    for one in requirements:
        each = [[*_else(group)] for group in one.any_of]
        if each and all(each):
            yield one_of(map(all_of, each))
        elif not (is_mfa(one) or asks_for_external_id([one]) or any(window([one]))):
            yield in_words(one)


def _name(way: Way) -> str:
    """The name that the door was declared with, else by account and role."""
    if way.declared is not None:
        return way.declared.name
    role = permission_set_of(way.target.who.name) or way.target.who.name
    return fit(f"{way.target.place}-{role}")


def fit(name: str) -> str:
    """A name as the name of a profile can be: https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html"""
    return re.sub(r"[^A-Za-z0-9_./%@:+-]+", "-", name)


def _role(way: Way) -> str:
    """The role with its path, as a declaration names it."""
    if permission_set := permission_set_of(way.target.who.name):
        return RESERVED + permission_set
    return way.target.arn.partition(":role/")[2] or way.target.who.name


def _named(source: Party) -> str:
    """A role with its path: of it a job needs the ARN."""
    return source.arn.partition(":role/")[2] or source.who.name


def _partition(way: Way) -> str:
    return way.target.arn.split(":")[1] if way.target.arn else "aws"
