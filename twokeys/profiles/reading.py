"""From what stacks export to the ways in, and to who is in which group: pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from pydantic import ValidationError

from twokeys.access.accounts import ROLE, Accounts
from twokeys.access.principals import INLINE_POLICIES
from twokeys.access.snapshot import PROVIDER
from twokeys.doors import ExportedDoor, SymbolicDocument
from twokeys.errors import Refusal
from twokeys.exports import Exports, account_names, is_account_id
from twokeys.iam import UNKNOWN
from twokeys.profiles.identity_center import IdentityCenter
from twokeys.profiles.ways import Members, Principal, RoleWay, Way

# The console of each partition: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_switch-role-console.html
_CONSOLES = {
    "aws": "https://signin.aws.amazon.com",
    "aws-us-gov": "https://signin.amazonaws-us-gov.com",
    "aws-cn": "https://signin.amazonaws.cn",
}


def read_ways(exports: Sequence[Exports]) -> tuple[tuple[Way, ...], Members]:
    """Every way that the exports tell of, in the order of their names, and the groups they tell of.

    The same way in two exports (a door is listed by each stack that holds one of its keys) is one. Refuses doors that
    are hidden as secrets, malformed, still without account ids, or two different ones of one name; and exports that do
    not speak of doors, which is not the same as having none.
    """
    names, center = account_names(exports), IdentityCenter.told_by(exports)
    ways: dict[str, Way] = {}
    members: dict[Principal, frozenset[str]] = {}
    for each in exports:
        for group, users in (*_iam_members(each), *center.members(each)):
            members[group] = members.get(group, frozenset()) | users
        told: tuple[Way, ...] = (*_doors(each, names), *center.assignments(each, names))
        for way in told:
            known = ways.get(way.name, way)
            if _target(known) != _target(way):
                raise Refusal(
                    f"two different doors are called {way.name}",
                    where=each.where,
                    why=f"one leads to {' '.join(_target(known))}, the other to {' '.join(_target(way))}",
                    next_step="Rename one of them, or write the profiles of each stack with its own --block and "
                    "--prefix.",
                )
            ways[way.name] = _merged(known, way)
    if not ways and not any("doors" in each.outputs for each in exports):
        raise Refusal(
            "these exports tell of no door at all",
            where=", ".join(each.where for each in exports),
            why="none of them has the output doors or an assignment of Identity Center",
            next_step="Give the exports of the stacks that hold the member accounts.",
        )
    return tuple(ways[name] for name in sorted(ways)), members


def _merged(known: Way, way: Way) -> Way:
    """One way as two stacks tell it: all sources, and what only one of the two knows (an external ID, a colour)."""
    missing = {each.name: getattr(way, each.name) for each in fields(known) if getattr(known, each.name) is None}
    return replace(known, sources=tuple(dict.fromkeys((*known.sources, *way.sources))), **missing)


def _target(way: Way) -> tuple[str, str]:
    return (way.account, way.role_arn if isinstance(way, RoleWay) else way.permission_set)


def _doors(exports: Exports, names: Mapping[str, str]) -> Iterable[RoleWay]:
    listed = exports.outputs.get("doors")
    if listed is None:
        return
    if listed is UNKNOWN:
        raise Refusal(
            "the doors are secret in these exports",
            where=f"{exports.where}: output doors",
            why="the values of secrets are not in the file",
            next_step="Export with --show-secrets.",
        )
    if not isinstance(listed, list):
        raise _malformed(exports, "doors", "it is not a list")
    regions = _regions(exports)
    urls = tuple(_switch_urls(exports.outputs.get("switch_role_urls")))
    for index, item in enumerate(listed):
        try:
            exported = ExportedDoor.model_validate(item)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise _malformed(exports, f"doors[{index}]", f"{place}: {first['msg']}") from error
        yield _role_way(exported, exports, names, regions, urls)


def _role_way(
    exported: ExportedDoor,
    exports: Exports,
    names: Mapping[str, str],
    regions: Mapping[str, str],
    urls: Sequence[str],
) -> RoleWay:
    door = exported.door
    for account in (door.source.account, door.target.account):
        if not is_account_id(account):
            raise Refusal(
                f"the door {exported.name} has no account id yet",
                where=f"{exports.where}: output doors",
                why=f"it names {account}, which stands for an account that was not created when this was written",
                next_step="Run `pulumi up` for the stack and export again.",
            )
    role = next(
        (each for each in exported.documents if each.type == ROLE and _path_and_name(each) == door.target.role), None
    )
    partition = next((text.split(":")[1] for text in _texts(exported.to_props()) if text.startswith("arn:")), "aws")
    account, name = door.target.account, names.get(door.target.account, door.target.account)
    url = next((each for each in urls if _leads_to(each, account, door.target.role)), None)
    color = parse_qs(urlsplit(url).query).get("color", [None])[0] if url else None
    if url is None and partition in _CONSOLES:
        query = {"account": account, "roleName": door.target.role, "displayName": exported.name[:64]}
        url = f"{_CONSOLES[partition]}/switchrole?{urlencode(query)}"
    return RoleWay(
        name=exported.name,
        sources=tuple(_sources(exported)),
        account=account,
        account_name=name,
        role=door.target.role,
        role_arn=f"arn:{partition}:iam::{account}:role/{door.target.role}",
        mfa=door.requires.mfa,
        asks_external_id=door.requires.external_id,
        admitted=_admitted(role.document, door.source.account) if role else None,
        external_id=_external_id(role.document) if role and door.requires.external_id else None,
        max_session_seconds=door.max_session_seconds,
        region=regions.get(account),
        switch_url=None if door.requires.external_id else url,
        color=color if color and re.fullmatch(r"[0-9A-Fa-f]{6}", color) else None,
        reason=door.reason,
        owner=door.owner,
        expires=door.expires,
    )


def _sources(exported: ExportedDoor) -> Iterable[Principal]:
    """Who comes; of a whole account (`root`), those that the door's own grants name. Paths are no part of a name."""
    source = exported.door.source
    if source.kind != "root":
        return [Principal(source.kind, source.account, each.rpartition("/")[2]) for each in source.names]
    grantees = [
        Principal(INLINE_POLICIES[each.type], source.account, each.properties[INLINE_POLICIES[each.type]])
        for each in exported.documents
        if each.account == source.account and INLINE_POLICIES.get(each.type) in each.properties
    ]
    return grantees or [Principal("root", source.account, "")]


def _path_and_name(role: SymbolicDocument) -> str:
    return role.properties.get("path", "/").lstrip("/") + role.properties.get("name", "")


def _admitted(trust: Mapping[str, Any], account: str) -> frozenset[str] | None:
    """The users of the account that the trust names, or None where it names anybody else."""
    users = set()
    for statement in _statements(trust):
        principal = statement.get("Principal")
        listed = principal.get("AWS", ()) if isinstance(principal, Mapping) else principal
        for arn in [listed] if isinstance(listed, str) else listed or ():
            found = re.fullmatch(rf"arn:[^:]+:iam::{account}:user/(?:.*/)?([^/]+)", str(arn))
            if found is None:
                return None
            users.add(found.group(1))
    return frozenset(users) or None


def _external_id(trust: Mapping[str, Any]) -> str | None:
    for statement in _statements(trust):
        for operator, keys in (statement.get("Condition") or {}).items():
            for key, values in keys.items():
                # Condition keys are case-insensitive:
                # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
                if operator == "StringEquals" and key.lower() == "sts:externalid":
                    value = values[0] if isinstance(values, list) and values else values
                    return value if isinstance(value, str) else None
    return None


def _statements(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    statements = document.get("Statement", [])
    return statements if isinstance(statements, list) else [statements]


def _switch_urls(value: object) -> Iterable[str]:
    for text in _texts(value):
        parts = urlsplit(text)
        if f"{parts.scheme}://{parts.netloc}" in _CONSOLES.values() and parts.path == "/switchrole":
            yield text


def _leads_to(url: str, account: str, role: str) -> bool:
    query = parse_qs(urlsplit(url).query)
    return query.get("account") == [account] and query.get("roleName") == [role]


def _texts(value: object) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)


def _iam_members(exports: Exports) -> Iterable[tuple[Principal, frozenset[str]]]:
    """What one stack says of IAM groups: a group it makes has the members that it puts in.

    The output `group_members` (user names by group) speaks of the account in `parent_account_id`.
    """
    listed = exports.outputs.get("group_members")
    for name, users in listed.items() if isinstance(listed, Mapping) else ():
        parent = str(exports.outputs.get("parent_account_id", ""))
        yield Principal("group", parent, str(name)), _names(users)
    accounts, of_type = Accounts(exports.snapshot), exports.snapshot.of_type
    for each in of_type("aws:iam/group:Group"):
        yield Principal("group", accounts.of(each), each.text("name") or ""), frozenset()
    for each in of_type("aws:iam/groupMembership:GroupMembership"):
        yield Principal("group", accounts.of(each), each.text("group") or ""), _names(each.get("users"))
    for each in of_type("aws:iam/userGroupMembership:UserGroupMembership"):
        for name in _names(each.get("groups")):
            yield Principal("group", accounts.of(each), name), _names([each.text("user")])


def _names(values: object) -> frozenset[str]:
    return frozenset(value for value in values if isinstance(value, str)) if isinstance(values, list) else frozenset()


def _regions(exports: Exports) -> dict[str, str]:
    """The region of each account, where all of its providers agree on one."""
    accounts = Accounts(exports.snapshot)
    found: dict[str, set[str]] = {}
    for provider in exports.snapshot.of_type(PROVIDER):
        if region := provider.text("region"):
            found.setdefault(accounts.of_provider(provider.urn), set()).add(region)
    return {account: regions.pop() for account, regions in found.items() if len(regions) == 1}


def _malformed(exports: Exports, place: str, why: str) -> Refusal:
    return Refusal(
        "these exports do not say plainly who may enter",
        where=f"{exports.where}: {place}",
        why=why,
        next_step="Export the stack again with this version of the program (`pulumi stack export --file FILE`).",
    )
