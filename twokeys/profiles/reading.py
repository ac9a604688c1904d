"""From what stacks export to the ways in, and to who is in which group: pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final, NamedTuple

from twokeys.access.graph import build
from twokeys.access.model import environment
from twokeys.access.model.accounts import Accounts
from twokeys.access.model.principals import INLINE_POLICIES
from twokeys.access.reading.snapshot import Snapshot
from twokeys.answers.published import FORMAT, doors_of, fit, published
from twokeys.answers.reading import read
from twokeys.doors import ACCOUNT_OUTPUT, ENVIRONMENTS_OUTPUT, PEOPLE_OUTPUT, ExportedDoor, Who
from twokeys.errors import Refusal
from twokeys.exports import ASK, Exports, account_names
from twokeys.iam import UNKNOWN, Arn, is_account_id
from twokeys.iam.sts import RESERVED_ROLE
from twokeys.profiles.options import ORGANIZATION, as_of
from twokeys.profiles.ways import AssignmentWay, Members, RoleWay, Way, apart

TOGETHER: Final = "what these files show together"
_WHEN: Final = {"expires", "opens", "pauses", "conditions"}
"""What the first of several files says of a door, also where nothing stands there: the door has none."""


def with_states(exports: Sequence[Exports]) -> list[Exports]:
    """The exports, and what `twokeys access export` would publish of the states among them.

    That has the ways that states show and no output declares: by AWS's access role, within an account, assignments of
    Identity Center.
    """
    shown = Snapshot.together([one.snapshot for one in exports], "these files")
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


@dataclass(frozen=True)
class Reading:
    """What exports tell: every way, in the order of their names, and the groups.

    `notes` say which doors cannot be read, and where several files are why a door is called otherwise; `dates` of when
    the files are. `accounts` are the names of those that they show, by id.
    """

    ways: tuple[Way, ...]
    members: Members
    notes: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    accounts: Mapping[str, str] = field(default_factory=dict)


def read_ways(exports: Sequence[Exports]) -> Reading:
    """What the exports tell of doors, a way for each source of each.

    The same way in two exports (a door is listed by each stack that holds one of its keys) is one. A door has a name
    that a profile can have; two different ones of one name are told apart by their accounts. One that is malformed or
    still without account ids is no way. Refuses exports none of whose doors can be read or that hide them as secrets;
    and those that do not speak of doors, which is not the same as having none.
    """
    _refuse_two_organizations(exports)
    environments = {name: str(said) for each in exports for name, said in _mapping(each, ENVIRONMENTS_OUTPUT)}
    reader = _Reader(account_names(exports), environments, _by_account(exports, "regions"), _center(exports))
    members: dict[Who, frozenset[str]] = {}
    for group, users in chain.from_iterable(map(_members, exports)):
        members[group] = members.get(group, frozenset()) | users
    ways, unread = _merged(exports, reader), reader.unread
    if not ways and unread:
        raise next(iter(unread.values()))
    if not ways and not any("doors" in each.outputs for each in exports if each.where != TOGETHER):
        raise Refusal(
            "these files tell of no door at all",
            where=", ".join(each.where for each in exports if each.where != TOGETHER),
            why="none of them has the output doors or an assignment of Identity Center",
            next_step=f"give the exports of the stacks that hold the member accounts too; of a published file {ASK}",
        )
    named = list(dict.fromkeys(door for door, _ in ways))
    called = _told_apart((*named, *unread), reader.names)
    told = sorted(
        (way.model_copy(update={"name": called[one]}) for (one, _), way in ways.items()), key=lambda w: w.name
    )
    not_read = dict.fromkeys(f"the door {one.name} is not read: {why.why} ({why.where})" for one, why in unread.items())
    several = sum(each.where != TOGETHER for each in exports) > 1
    notes = (*_otherwise(named, called, several=several), *not_read)
    dates = dict.fromkeys(filter(None, map(as_of, exports)))
    return Reading((*told,), members, notes, (*dates,), reader.names)


def _merged(exports: Iterable[Exports], reader: _Reader) -> dict[tuple[_Named, Who], Way]:
    """Each way once, with what only one of the exports knows of it: an external ID, a colour."""
    ways: dict[tuple[_Named, Who], Way] = {}
    assigned: set[tuple[str, str]] = set()
    permits: dict[tuple[str, str], str] = {}
    for each in exports:
        doors = [*reader.doors(each)]
        permits = {_named(one)[1:]: one.permits for one in doors if one.permits} | permits  # the role's, whoever comes
        if each.where == TOGETHER:  # an assignment that is a door of that name already
            doors = [one for one in doors if isinstance(one, RoleWay) or _named(one)[1:] not in assigned]
        assigned |= {_named(one)[1:] for one in doors}
        for way in doors:
            known = ways.setdefault((_named(way), way.source), way)
            said = set() if each.where == TOGETHER else _WHEN
            silent = {name for name in type(known).model_fields if getattr(known, name) in (None, ())} - said
            missing = {name: getattr(way, name) for name in silent}
            ways[_named(way), way.source] = known.model_copy(update=missing)
    return {one: way.model_copy(update={"permits": permits.get(one[0][1:])}) for one, way in ways.items()}


def _otherwise(named: Sequence[_Named], called: Mapping[_Named, str], *, several: bool) -> Iterator[str]:
    """Which doors are called otherwise than they are named, and why."""
    for name in dict.fromkeys(door.name for door in named):
        names = [called[door] for door in named if door.name == name]
        if len(names) > 1 and several:
            yield f"{len(names)} doors are called {name}, so here they are {' and '.join(sorted(names))}"
        if len(names) == 1 and fit(name) != name:
            yield f"no profile can be called {name!r}, so that door is {names[0]} here"


def _refuse_two_organizations(exports: Sequence[Exports]) -> None:
    """Doors and accounts of one name are two organizations' more often than not, and nobody is alice of both."""
    first: dict[str, str] = {}
    for each in exports:
        if each.where != TOGETHER and is_account_id(account := each.outputs.get(ACCOUNT_OUTPUT)):
            first.setdefault(account, each.where)
    if len(first) > 1:
        one, other, *_ = first.values()
        raise Refusal(
            "these files are of two organizations",
            where=f"{one}, {other}",
            why=f"the management account of one is {' and of the other '.join([*first][:2])}",
            next_step=f"name those of one at a time; profiles of the second: --from {other} {ORGANIZATION}",
        )


def _told_apart(doors: Iterable[_Named], accounts: Mapping[str, str]) -> dict[_Named, str]:
    """What doors are called here: of several of one name, each has its account's before it, then its role's behind it.

    A door that cannot be read counts, so that its malformed entry gives no other door another name.
    """
    called = {one: fit(one.name).strip("-") or "door" for one in doors}

    def renamed(by: Callable[[_Named, str], str]) -> dict[_Named, str]:
        count = Counter(["default", *called.values()])  # the profile that is everybody's own already
        return {one: by(one, name) if count[name] > 1 else name for one, name in called.items()}

    called = renamed(lambda one, name: apart(accounts.get(one.account, one.account), name) if one.account else name)
    return renamed(lambda one, name: fit(f"{name}-{one.role}") if one.role else name)


class _Named(NamedTuple):
    """A door, whoever comes through it: what it is called, and the role it leads to, where that can be read."""

    name: str
    account: str = ""
    role: str = ""


def _named(way: Way) -> _Named:
    role = way.role.rpartition("/")[2] if isinstance(way, RoleWay) else RESERVED_ROLE + way.permission_set
    return _Named(way.name, way.account, role)


def _named_by(entry: object, index: int) -> _Named:
    """The same of an entry that is malformed."""

    def said(of: object, key: str) -> Any:  # noqa: ANN401 - whatever stands there
        return of.get(key) if isinstance(of, Mapping) else None

    target = said(said(entry, "door"), "target")
    account, role = str(said(target, "account")), said(target, "role")
    name = str(said(entry, "name") or f"doors[{index}]")
    return _Named(name, account, role.rpartition("/")[2]) if is_account_id(account) and role else _Named(name)


@dataclass(frozen=True)
class _Reader:
    """What all exports together tell: accounts' names and regions by id, environments by name, and Identity Center.

    `unread` gets the doors that cannot be read, with why.
    """

    names: Mapping[str, str]
    environments: Mapping[str, str]
    regions: Mapping[str, str]
    center: Mapping[str, str]
    unread: dict[_Named, Refusal] = field(default_factory=dict)

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
                "the doors are secret in this file",
                where=f"{exports.where}: output doors",
                why="the values of secrets are not in the file",
                next_step="export with --show-secrets",
            )
        if not isinstance(listed, list):
            raise _malformed(exports, "doors", "it is not a list")
        for index, item in enumerate(listed):
            try:
                exported = ExportedDoor.read(item)
                _must_have_ids(exported, exports)
                ways = [self._way(exported, source) for source in dict.fromkeys(_sources(exported))]
            except ValueError as error:
                self.unread[_named_by(item, index)] = _malformed(exports, f"doors[{index}]", str(error))
            except Refusal as refusal:
                self.unread[_named_by(item, index)] = refusal
            else:
                yield from ways

    def _way(self, exported: ExportedDoor, source: Who) -> Way:
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
            "pauses": door.pauses,
            "conditions": door.requires.conditions,
            "permits": door.permits,
            "region": self.regions.get(account),
            **door.declaration,
        }
        if door.target.permission_set is not None:
            return AssignmentWay(
                **common,
                source=source,
                permission_set=door.target.permission_set,
                start_url=self.center.get("start_url"),
                sso_region=self.center.get("region"),
            )
        arn = exported.role_arn
        return RoleWay(
            **common,
            source=source,
            role=f"{arn.path}{arn.name}".lstrip("/"),
            role_arn=str(arn),
            source_arn=_role_arn(exported, source),
            mfa=door.requires.mfa,
            asks_external_id=door.requires.external_id,
            admitted=_admitted(exported),
            external_id=exported.external_id if door.requires.external_id else None,
            max_session_seconds=door.max_session_seconds,
        )


def _role_arn(exported: ExportedDoor, who: Who) -> str:
    """The ARN of a role that comes, with its path; empty for others, and where the door's grants name it."""
    source, partition = exported.door.source, exported.role_arn.partition
    names = source.names if source.kind == "role" else ()
    arns = (Arn(partition, "iam", "", source.account, f"role/{name.lstrip('/')}") for name in names)
    return next((str(arn) for arn in arns if arn.name == who.name), "")


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
    yield Who("identity-center-user", "", ""), _names(exports.outputs.get("identity_center_users"))
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
        "this file does not say plainly who may enter", where=f"{exports.where}: {place}", why=why, next_step=ASK
    )
