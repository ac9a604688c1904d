"""From what stacks export to the ways in, and to who is in which group: pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from twokeys.access import environment
from twokeys.access.accounts import Accounts
from twokeys.access.graph import build
from twokeys.access.principals import INLINE_POLICIES
from twokeys.access.snapshot import Snapshot
from twokeys.answers.published import FORMAT, doors_of, fit, published
from twokeys.answers.reading import read
from twokeys.doors import ACCOUNT_OUTPUT, ENVIRONMENTS_OUTPUT, PEOPLE_OUTPUT, ExportedDoor, Who
from twokeys.errors import Refusal
from twokeys.exports import ASK, Exports, account_names, is_account_id
from twokeys.iam import UNKNOWN, Arn
from twokeys.profiles.ways import AssignmentWay, Members, RoleWay, Way, apart, taken_by, with_account

TOGETHER: Final = "what these exports show together"


def with_states(exports: Sequence[Exports]) -> list[Exports]:
    """The exports, and what `twokeys access export` would publish of the states among them.

    That has the ways that states show and no output declares: by AWS's access role, within an account, assignments of
    Identity Center.
    """
    shown = Snapshot.together([one.snapshot for one in exports], "these exports")
    if not shown.resources:
        return list(exports)
    answers = read(build(shown))
    told = published(answers)
    names = account_names(exports)
    told["doors"] = [
        one.to_props() | {"name": _called(one, names)}
        for one in doors_of(answers)
        if is_account_id(one.door.source.account) and is_account_id(one.door.target.account)
    ]
    del told["accounts_not_shown"]  # whoever gives states knows which are missing
    return [*exports, Exports(TOGETHER, told)]


def _called(exported: ExportedDoor, names: Mapping[str, str]) -> str:
    """A door that nobody named is called by its account: by the name that an export has for it, else by its id."""
    account, dash, role = exported.name.partition("-")
    called = f"{names[account]}{dash}{role}" if account in names else exported.name
    return fit(called)


def read_ways(
    exports: Sequence[Exports], unread: dict[str, Refusal] | None = None, notes: list[str] | None = None
) -> tuple[tuple[Way, ...], Members]:
    """Every way that the exports tell of, in the order of their names, and the groups they tell of.

    The same way in two exports (a door is listed by each stack that holds one of its keys) is one; two different ones
    of one name are told apart by their accounts; where several exports are why, or differ about a door, `notes` gets
    it. A door that is malformed or still without account ids is no way, which goes into `unread` by its name. Refuses
    exports none of whose doors can be read or that hide them as secrets; and those that do not speak of doors, which is
    not the same as having none.
    """
    unread = {} if unread is None else unread
    notes = [] if notes is None else notes
    environments = {name: str(said) for each in exports for name, said in _mapping(each, ENVIRONMENTS_OUTPUT)}
    reader = _Reader(account_names(exports), environments, _by_account(exports, "regions"), _center(exports), unread)
    ways: dict[tuple[str, ...], Way] = {}
    first: dict[tuple[str, ...], str] = {}
    members: dict[Who, frozenset[str]] = {}
    assigned: set[tuple[str, str]] = set()
    for each in exports:
        for group, users in _members(each):
            members[group] = members.get(group, frozenset()) | users
        doors = [*reader.doors(each)]
        if each.where == TOGETHER:  # an assignment that is a door of that name already
            doors = [one for one in doors if isinstance(one, RoleWay) or _target(one) not in assigned]
        assigned |= {_target(one) for one in doors}
        for way in doors:
            key = (way.name, *_target(way))
            known = ways.setdefault(key, way)
            where = first.setdefault(key, each.where)
            if each.where not in (where, TOGETHER) and (differ := _differ(known, way)):
                notes.append(f"{where} and {each.where} differ about the {differ} of door {way.name}: the first counts")
            ways[key] = _merged(known, way)
    if not ways and unread:
        raise next(iter(unread.values()))
    if not ways and not any("doors" in each.outputs for each in exports if each.where != TOGETHER):
        raise Refusal(
            "these exports tell of no door at all",
            where=", ".join(each.where for each in exports if each.where != TOGETHER),
            why="none of them has the output doors or an assignment of Identity Center",
            next_step=f"give the exports of the stacks that hold the member accounts too; of a published file {ASK}",
        )
    told = _told_apart(ways.values(), unread)
    called: dict[str, list[str]] = {}
    for way, now in zip(ways.values(), told, strict=True):
        called.setdefault(way.name, []).append(now.name)
    if sum(each.where != TOGETHER for each in exports) > 1:
        for name, names in called.items():
            if len(names) > 1:
                notes.append(f"{len(names)} doors are called {name}, so here they are {' and '.join(sorted(names))}")
    return tuple(sorted(told, key=lambda way: way.name)), members


def _told_apart(ways: Iterable[Way], unread: Iterable[str]) -> list[Way]:
    """The ways by names of their own: of several that have one, each has its account's before it, else its role's.

    A door that cannot be read counts, so that its malformed entry gives no other door another name.
    """
    told = list(ways)
    for renamed in (with_account, lambda way, name: fit("-".join((*_target(way), name)))):
        count = Counter([*unread, *(way.name for way in told)])
        told = [way.model_copy(update={"name": renamed(way, way.name)}) if count[way.name] > 1 else way for way in told]
    return told


def _merged(known: Way, way: Way) -> Way:
    """One way as two entries tell it: all sources, and what only one of the two knows (an external ID, a colour).

    Of a role's sources each comes with MFA or without, as the first entry says that has it.
    """
    missing = {name: getattr(way, name) for name in type(known).model_fields if getattr(known, name) is None}
    new = frozenset(way.sources) - frozenset(known.sources)
    if isinstance(known, RoleWay) and isinstance(way, RoleWay) and new and known.mfa != way.mfa:
        missing |= {"mfa": True, "without_mfa": known.without_mfa | new if known.mfa else frozenset(known.sources)}
    return known.model_copy(update={**missing, "sources": tuple(dict.fromkeys((*known.sources, *way.sources)))})


def _differ(known: Way, way: Way) -> str:
    """What two files say differently of one door, in words; of a time that only one of them has, nothing."""
    said = (
        ("external ID", "asks_external_id"),
        ("end", "expires"),
        ("beginning", "opens"),
        ("length of sessions", "max_session_seconds"),
    )
    seen = next((taken_by(known, one) for one in way.sources if one in known.sources), None)
    both = [("MFA", getattr(seen, "mfa", None), getattr(way, "mfa", None))]
    both += [(what, getattr(known, name, None), getattr(way, name, None)) for what, name in said]
    return " and the ".join(what for what, one, other in both if None not in (one, other) and one != other)


def _target(way: Way) -> tuple[str, str]:
    return (way.account, way.role_arn if isinstance(way, RoleWay) else way.permission_set)


@dataclass(frozen=True)
class _Reader:
    """What all exports together tell: accounts' names and regions by id, environments by name, and Identity Center.

    Into `unread` goes why a door cannot be read.
    """

    names: Mapping[str, str]
    environments: Mapping[str, str]
    regions: Mapping[str, str]
    center: Mapping[str, str]
    unread: dict[str, Refusal]

    def doors(self, exports: Exports) -> Iterable[Way]:
        """The ways in the output `doors`."""
        if "doors" not in exports.outputs:
            return
        listed, made_as = exports.outputs["doors"], exports.outputs.get("doors_format", FORMAT)
        if made_as != FORMAT:
            raise Refusal(
                "these doors were written by a newer TwoKeys",
                where=exports.where,
                why=f"the file's format is {made_as}, and this version reads {FORMAT}",
                next_step="update TwoKeys: `git pull` in its clone, then `pip install` of that folder as before",
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
        for index, item in enumerate(listed):
            name = str(item["name"]) if isinstance(item, Mapping) and item.get("name") else f"doors[{index}]"
            try:
                exported = ExportedDoor.read(item)
                _must_have_ids(exported, exports)
                way = self._way(exported)
            except ValueError as error:
                self.unread[name] = _malformed(exports, f"doors[{index}]", str(error))
            except Refusal as refusal:
                self.unread[name] = refusal
            else:
                yield way

    def _way(self, exported: ExportedDoor) -> Way:
        """A door of IAM Identity Center is entered by its permission set, never by the role that AWS makes.

        https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-sso.html
        """
        door = exported.door
        account = door.target.account
        name = self.names.get(account, account)
        common: Any = {
            "name": exported.name,
            "account": account,
            "account_name": name,
            "environment": self.environments.get(name) or environment.of_names([name]) or "",
            "opens": door.opens,
            **door.declaration,
        }
        if door.target.permission_set is not None:
            return AssignmentWay(
                **common,
                sources=tuple(Who(one.kind, "", one.name) for one in door.source.principals),
                permission_set=door.target.permission_set,
                start_url=self.center.get("start_url"),
                region=self.center.get("region"),
            )
        arn = exported.role_arn
        return RoleWay(
            **common,
            sources=tuple(_sources(exported)),
            role=f"{arn.path}{arn.name}".lstrip("/"),
            role_arn=str(arn),
            mfa=door.requires.mfa,
            asks_external_id=door.requires.external_id,
            admitted=_admitted(exported),
            external_id=exported.external_id if door.requires.external_id else None,
            max_session_seconds=door.max_session_seconds,
            region=self.regions.get(account),
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


def _members(exports: Exports) -> Iterable[tuple[Who, frozenset[str]]]:
    """What one export says of groups and of who is there: a group that a stack makes has the members it puts in.

    The output `group_members` (user names by group) speaks of the account in which people live.
    """
    lived_in = str(exports.outputs.get(PEOPLE_OUTPUT) or exports.outputs.get(ACCOUNT_OUTPUT, ""))
    for name, arn in _mapping(exports, "user_arns"):
        parsed = Arn.parse(str(arn))
        yield Who("user", parsed.account if parsed else lived_in, ""), frozenset({name})
    for name, users in _mapping(exports, "group_members"):
        yield Who("group", lived_in, name), _names(users)
    for name, users in _mapping(exports, "identity_center_members"):
        yield Who("identity-center-group", "", name), _names(users)
    accounts, of_type = Accounts(exports.snapshot), exports.snapshot.of_type
    for each in of_type("aws:identitystore/group:Group"):
        yield Who("identity-center-group", "", each.text("displayName") or ""), frozenset()
    for each in of_type("aws:iam/group:Group"):
        yield Who("group", accounts.of(each), each.text("name") or ""), frozenset()
    for each in of_type("aws:iam/groupMembership:GroupMembership"):
        yield Who("group", accounts.of(each), each.text("group") or ""), _names(each.get("users"))
    for each in of_type("aws:iam/userGroupMembership:UserGroupMembership"):
        for name in _names(each.get("groups")):
            yield Who("group", accounts.of(each), name), _names([each.text("user")])


def accounts_shown(exports: Iterable[Exports]) -> frozenset[str]:
    """The accounts whose doors these exports tell; one that they do not show may have others.

    A published file, and what states show, says which. A stack tells of the accounts that it makes.
    """
    found: set[str] = set()
    for each in exports:
        listed = each.outputs.get("accounts_shown")
        if listed is None and isinstance(each.outputs.get("doors"), list):
            listed = [account for _, account in _mapping(each, "member_account_ids")]
        found |= _names(listed)
    return frozenset(found)


def names_of(unread: Iterable[str], exports: Sequence[Exports]) -> frozenset[str]:
    """What these doors may be called: their names, also with the name of an account before them."""
    names = account_names(exports)
    accounts = [names.get(account, account) for account in accounts_shown(exports)]
    return frozenset(unread) | {apart(account, name) for account in accounts for name in unread}


def _names(values: object) -> frozenset[str]:
    return frozenset(value for value in values if isinstance(value, str)) if isinstance(values, list) else frozenset()


def _mapping(exports: Exports, output: str) -> Iterable[tuple[str, object]]:
    found = exports.outputs.get(output)
    return ((str(key), value) for key, value in found.items()) if isinstance(found, Mapping) else ()


def _by_account(exports: Sequence[Exports], output: str) -> dict[str, str]:
    """A text for each account; none where two exports differ about it."""
    found: dict[str, set[str]] = {}
    for each in exports:
        for account, text in _mapping(each, output):
            found.setdefault(account, set()).add(str(text))
    return {account: texts.pop() for account, texts in found.items() if len(texts) == 1}


def _center(exports: Sequence[Exports]) -> dict[str, str]:
    """The address and the region of Identity Center; what states show, which stand last, wins."""
    told = (pair for each in exports for pair in _mapping(each, "identity_center"))
    return {key: value for key, value in told if isinstance(value, str) and value}


def _malformed(exports: Exports, place: str, why: str) -> Refusal:
    return Refusal(
        "these exports do not say plainly who may enter", where=f"{exports.where}: {place}", why=why, next_step=ASK
    )
