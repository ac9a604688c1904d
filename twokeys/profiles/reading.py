"""From what stacks export to the ways in, and to who is in which group: pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from urllib.parse import parse_qs, urlencode, urlsplit

from twokeys.access.accounts import ROLE, Accounts
from twokeys.access.graph import build
from twokeys.access.principals import INLINE_POLICIES, USER
from twokeys.access.snapshot import PROVIDER, Snapshot
from twokeys.answers.published import FORMAT, doors_of, fit
from twokeys.answers.reading import read
from twokeys.doors import ACCOUNT_OUTPUT, PEOPLE_OUTPUT, ExportedDoor, Who
from twokeys.doors.symbols import texts_of
from twokeys.errors import Refusal
from twokeys.exports import ASK, Exports, account_names, is_account_id
from twokeys.iam import UNKNOWN, Arn
from twokeys.profiles.identity_center import IdentityCenter
from twokeys.profiles.ways import AssignmentWay, Members, RoleWay, Way, with_account

# The console of each partition: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_switch-role-console.html
_CONSOLES = {
    "aws": "https://signin.aws.amazon.com",
    "aws-us-gov": "https://signin.amazonaws-us-gov.com",
    "aws-cn": "https://signin.amazonaws.cn",
}


def read_ways(exports: Sequence[Exports]) -> tuple[tuple[Way, ...], Members]:
    """Every way that the exports tell of, in the order of their names, and the groups they tell of.

    The same way in two exports (a door is listed by each stack that holds one of its keys) is one; two different ones
    of one name are told apart by their accounts. Refuses doors that are hidden as secrets, malformed or still without
    account ids; and exports that do not speak of doors, which is not the same as having none.
    """
    names, center = account_names(exports), IdentityCenter.told_by(exports)
    ways: dict[tuple[str, ...], Way] = {}
    members: dict[Who, frozenset[str]] = {}
    declared: set[tuple[str, str]] = set()
    for each in exports:
        for group, users in (*_iam_members(each), *center.members(each)):
            members[group] = members.get(group, frozenset()) | users
        doors = tuple(_doors(each, names, center))
        # An assignment that a door of the same permission set and account stands for already has that door's name.
        declared |= {_target(way) for way in doors}
        assigned = [way for way in center.assignments(each, names) if _target(way) not in declared]
        _add(ways, (*doors, *assigned))
    _add(ways, _shown(exports, names))
    if not ways and not any("doors" in each.outputs for each in exports):
        raise Refusal(
            "these exports tell of no door at all",
            where=", ".join(each.where for each in exports),
            why="none of them has the output doors or an assignment of Identity Center",
            next_step=f"give the exports of the stacks that hold the member accounts too; of a published file {ASK}",
        )
    return tuple(sorted(_told_apart(ways.values()), key=lambda way: way.name)), members


def _add(ways: dict[tuple[str, ...], Way], found: Iterable[Way]) -> None:
    for way in found:
        key = (way.name, *_target(way))
        ways[key] = _merged(ways.get(key, way), way)


def _told_apart(ways: Iterable[Way]) -> list[Way]:
    """The ways by names of their own: of several that have one, each has its account's before it, else its role's."""
    told = list(ways)
    for renamed in (with_account, lambda way, name: fit("-".join((*_target(way), name)))):
        count = Counter(way.name for way in told)
        told = [replace(way, name=renamed(way, way.name)) if count[way.name] > 1 else way for way in told]
    return told


def _merged(known: Way, way: Way) -> Way:
    """One way as two stacks tell it: all sources, and what only one of the two knows (an external ID, a colour)."""
    missing = {each.name: getattr(way, each.name) for each in fields(known) if getattr(known, each.name) is None}
    return replace(known, sources=tuple(dict.fromkeys((*known.sources, *way.sources))), **missing)


def _target(way: Way) -> tuple[str, str]:
    return (way.account, way.role_arn if isinstance(way, RoleWay) else way.permission_set)


def _doors(exports: Exports, names: Mapping[str, str], center: IdentityCenter) -> Iterable[Way]:
    if "doors" not in exports.outputs:
        return
    listed, made_as = exports.outputs["doors"], exports.outputs.get("doors_format", FORMAT)
    if made_as != FORMAT:
        raise Refusal(
            "these doors were written by a newer TwoKeys",
            where=exports.where,
            why=f"the file's format is {made_as}, and this version reads {FORMAT}",
            next_step="update TwoKeys (pip install)",
        )
    if listed is UNKNOWN:
        raise Refusal(
            "the doors are secret in these exports",
            where=f"{exports.where}: output doors",
            why="the values of secrets are not in the file",
            next_step="export with --show-secrets",
        )
    if not isinstance(listed, list):
        raise _malformed(exports, "doors", "it is not a list")
    regions = _regions(exports)
    urls = tuple(_switch_urls(exports.outputs.get("switch_role_urls")))
    for index, item in enumerate(listed):
        try:
            exported = ExportedDoor.read(item)
            if exported.door.target.permission_set is not None:
                yield _assignment(exported, exports, names, center)
            else:
                yield _role_way(exported, exports, names, regions, urls)
        except ValueError as error:
            raise _malformed(exports, f"doors[{index}]", str(error)) from error


def _assignment(
    exported: ExportedDoor, exports: Exports, names: Mapping[str, str], center: IdentityCenter
) -> AssignmentWay:
    """A door of IAM Identity Center: the AWS CLI enters it by the permission set, never by the role that AWS makes.

    https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-sso.html
    """
    door = exported.door
    _must_have_ids(exported, exports)
    return AssignmentWay(
        name=exported.name,
        sources=tuple(Who(one.kind, "", one.name) for one in door.source.principals),
        account=door.target.account,
        account_name=names.get(door.target.account, door.target.account),
        permission_set=door.target.permission_set or "",
        start_url=center.start_url,
        region=center.region,
        reason=door.reason,
        owner=door.owner,
        expires=door.expires,
    )


def _role_way(
    exported: ExportedDoor, exports: Exports, names: Mapping[str, str], regions: Mapping[str, str], urls: Sequence[str]
) -> RoleWay:
    door, arn = exported.door, exported.role_arn
    _must_have_ids(exported, exports)
    account, name = door.target.account, names.get(door.target.account, door.target.account)
    role = f"{arn.path}{arn.name}".lstrip("/")
    url = next((each for each in urls if _leads_to(each, account, role)), None)
    color = parse_qs(urlsplit(url).query).get("color", [None])[0] if url else None
    if url is None and arn.partition in _CONSOLES:
        query = {"account": account, "roleName": role, "displayName": exported.name[:64]}
        url = f"{_CONSOLES[arn.partition]}/switchrole?{urlencode(query)}"
    return RoleWay(
        name=exported.name,
        sources=tuple(_sources(exported)),
        account=account,
        account_name=name,
        role=role,
        role_arn=str(arn),
        mfa=door.requires.mfa,
        asks_external_id=door.requires.external_id,
        admitted=_admitted(exported),
        external_id=exported.external_id if door.requires.external_id else None,
        max_session_seconds=door.max_session_seconds,
        region=regions.get(account),
        switch_url=None if door.requires.external_id else url,
        color=color if color and re.fullmatch(r"[0-9A-Fa-f]{6}", color) else None,
        reason=door.reason,
        owner=door.owner,
        expires=door.expires,
    )


def _must_have_ids(exported: ExportedDoor, exports: Exports) -> None:
    for account in (exported.door.source.account, exported.door.target.account):
        if not is_account_id(account):
            raise Refusal(
                f"the door {exported.name} has no account id yet",
                where=f"{exports.where}: output doors",
                why=f"it names {account}, which stands for an account that was not created when this was written",
                next_step="run `pulumi up` for the stack and export again",
            )


def _shown(exports: Sequence[Exports], names: Mapping[str, str]) -> Iterable[RoleWay]:
    """The ways that states show and nobody declares: by AWS's access role, within an account, break-glass among them.

    They are what `twokeys access export` publishes of the same states. Those of Identity Center are its assignments.
    """
    shown = Snapshot.together([one.snapshot for one in exports], "these exports")
    if not any(True for _ in shown.of_type(ROLE)):
        return
    regions = {account: region for one in exports for account, region in _regions(one).items()}
    for exported in doors_of(read(build(shown))):
        ends = (exported.door.source.account, exported.door.target.account)
        if exported.door.target.permission_set is None and all(map(is_account_id, ends)):
            yield _role_way(exported, exports[0], names, regions, ())


def _sources(exported: ExportedDoor) -> Iterable[Who]:
    """Who comes; of a whole account (`root`), those that the door's own grants name."""
    door = exported.door
    if door.source.kind != "root" or door.grant_to is not None:
        return door.whom
    account = door.source.account
    grantees = [
        Who(kind, account, each.properties[kind])
        for each in exported.documents
        if each.account == account and (kind := INLINE_POLICIES.get(each.type)) is not None and kind in each.properties
    ]
    return grantees or door.source.principals


def _admitted(exported: ExportedDoor) -> frozenset[str] | None:
    """The users of the source's account that the trust names, or None where it names anybody else."""
    trusted = exported.trusted
    account = exported.door.source.account
    if not trusted or any(who.kind != "user" or who.account != account for who in trusted):
        return None
    return frozenset(who.name for who in trusted)


def _switch_urls(value: object) -> Iterable[str]:
    for text in texts_of(value):
        parts = urlsplit(text)
        if f"{parts.scheme}://{parts.netloc}" in _CONSOLES.values() and parts.path == "/switchrole":
            yield text


def _leads_to(url: str, account: str, role: str) -> bool:
    query = parse_qs(urlsplit(url).query)
    return query.get("account") == [account] and query.get("roleName") == [role]


def _iam_members(exports: Exports) -> Iterable[tuple[Who, frozenset[str]]]:
    """What one stack says of IAM groups: a group it makes has the members that it puts in.

    The output `group_members` (user names by group) speaks of the account in which people live.
    """
    lived_in = str(exports.outputs.get(PEOPLE_OUTPUT) or exports.outputs.get(ACCOUNT_OUTPUT, ""))
    users = exports.outputs.get("user_arns")
    if isinstance(users, Mapping):
        for name, arn in users.items():
            parsed = Arn.parse(str(arn))
            yield Who("user", parsed.account if parsed else lived_in, ""), frozenset({str(name)})
    listed = exports.outputs.get("group_members")
    for name, users in listed.items() if isinstance(listed, Mapping) else ():
        yield Who("group", lived_in, str(name)), _names(users)
    accounts, of_type = Accounts(exports.snapshot), exports.snapshot.of_type
    for each in of_type("aws:iam/user:User"):
        yield Who("user", accounts.of(each), ""), _names([each.text("name")])
    for each in of_type("aws:iam/group:Group"):
        yield Who("group", accounts.of(each), each.text("name") or ""), frozenset()
    for each in of_type("aws:iam/groupMembership:GroupMembership"):
        yield Who("group", accounts.of(each), each.text("group") or ""), _names(each.get("users"))
    for each in of_type("aws:iam/userGroupMembership:UserGroupMembership"):
        for name in _names(each.get("groups")):
            yield Who("group", accounts.of(each), name), _names([each.text("user")])


def accounts_shown(exports: Iterable[Exports]) -> frozenset[str]:
    """The accounts whose doors these exports tell; one that they do not show may have others.

    A published file says which. A stack tells of the accounts that it makes, a deployment also of those of its roles.
    """
    found: set[str] = set()
    for each in exports:
        listed, made = each.outputs.get("accounts_shown"), each.outputs.get("member_account_ids")
        if listed is None and isinstance(each.outputs.get("doors"), list) and isinstance(made, Mapping):
            listed = [*made.values()]
        accounts, of_type = Accounts(each.snapshot), each.snapshot.of_type
        found |= {*_names(listed), *(accounts.of(one) for kind in (ROLE, USER) for one in of_type(kind))}
    return frozenset(found)


def _names(values: object) -> frozenset[str]:
    return frozenset(value for value in values if isinstance(value, str)) if isinstance(values, list) else frozenset()


def _regions(exports: Exports) -> dict[str, str]:
    """The region of each account, where all of its providers agree on one; a published file has them as an output."""
    accounts = Accounts(exports.snapshot)
    published = exports.outputs.get("regions")
    found: dict[str, set[str]] = {}
    for account, region in published.items() if isinstance(published, Mapping) else ():
        found.setdefault(str(account), set()).add(str(region))
    for provider in exports.snapshot.of_type(PROVIDER):
        if region := provider.text("region"):
            found.setdefault(accounts.of_provider(provider.urn), set()).add(region)
    return {account: regions.pop() for account, regions in found.items() if len(regions) == 1}


def _malformed(exports: Exports, place: str, why: str) -> Refusal:
    return Refusal(
        "these exports do not say plainly who may enter", where=f"{exports.where}: {place}", why=why, next_step=ASK
    )
