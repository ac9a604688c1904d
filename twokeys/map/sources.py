"""The model of a map from the stacks' states. Who may enter is not decided here: `twokeys.access` tells."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from twokeys.access import graph as access
from twokeys.access.accounts import ACCOUNT, ORGANIZATION, ORGANIZATIONAL_UNIT, Accounts
from twokeys.access.declared_doors import DeclaredDoors, stack_outputs, who
from twokeys.access.keys import Lack, Statement, statements
from twokeys.access.names import EVERYONE
from twokeys.access.principals import Principal as Known
from twokeys.access.requirements import in_words
from twokeys.access.snapshot import Resource, Snapshot
from twokeys.access.state import read_states
from twokeys.doors import Who
from twokeys.iam import Verdict
from twokeys.map.model import Account, Door, Key, Organization, Principal, organization

_KEYS = {
    access.Key.PRESENT: Key.PRESENT,
    access.Key.MISSING: Key.MISSING,
    access.Key.UNPROVED: Key.UNKNOWN,
    access.Key.NOT_OURS: Key.PRESENT,
    access.Key.NOT_NEEDED: Key.PRESENT,
}
_ENDS = re.compile(
    r"(?:arn:[^:]+:iam::(?P<account>\d{12}|account:[A-Za-z0-9_-]+):(?:root|(?P<kind>role|user|group)/(?:\S*/)?(?P<name>\S+))"
    r"|(?P<everyone>\*)) -> arn:[^:]+:iam::(?P<target>\d{12}|account:[A-Za-z0-9_-]+):role/(?:\S*/)?(?P<role>\S+)"
)


def read(states: Iterable[Path], name: str | None = None) -> Organization:
    """The organization that these states show together, called `name` or by its id.

    A state is what `pulumi stack export` writes, or a file of the sandbox. Raises Refusal for one that is not.
    """
    return from_snapshot(read_states(states), name)


def from_snapshot(snapshot: Snapshot, name: str | None = None) -> Organization:
    """The organization that a snapshot shows; it may hold the resources of several stacks."""
    graph = access.build(snapshot)
    found = next(snapshot.of_type(ORGANIZATION), None)
    identity = _id(found) if found else None
    units = _units(snapshot)
    doors = list(_doors(graph))
    return organization(
        name or (f"Organization {identity}" if identity else "Organization"),
        [*_strangers(doors, graph.accounts), *_accounts(snapshot, graph.accounts, units)],
        doors,
        units.values(),
        ((_principal(user), _principal(group)) for user in graph.principals for group in user.groups),
    )


def _units(snapshot: Snapshot) -> dict[str, tuple[str, ...]]:
    """The path of each organizational unit by its id: from the units themselves, else as a stack exports them."""
    made = {_id(unit): unit for unit in snapshot.of_type(ORGANIZATIONAL_UNIT)}

    def path(id: str, below: frozenset[str] = frozenset()) -> tuple[str, ...]:
        unit = made.get(id)
        if unit is None or id in below:
            return exported.get(id, ())
        return (*path(unit.text("parentId") or "", below | {id}), unit.text("name") or unit.name)

    exported: dict[str, tuple[str, ...]] = {}
    for outputs in stack_outputs(snapshot):
        ids = outputs.get("organizational_unit_ids")
        if isinstance(ids, Mapping):
            exported |= {str(id): tuple(str(unit).split("/")) for unit, id in ids.items()}
    return exported | {id: path(id) for id in made}


def _strangers(doors: Iterable[Door], accounts: Accounts) -> Iterator[Account]:
    """Whatever stands at the end of a door and is no account of which an id or a symbol is known."""
    for id in {id for door in doors for id in (door.source.account, door.account)}:
        if id == EVERYONE:
            yield Account(id, "any AWS account", None, None)
        elif not accounts.pinned(id):
            yield Account(id, accounts.name(id), None, None)


def _accounts(snapshot: Snapshot, accounts: Accounts, units: Mapping[str, tuple[str, ...]]) -> Iterator[Account]:
    """The organization's accounts, those last that tell most: an account that is given twice is shown as given last."""
    for resource in snapshot.of_type(ORGANIZATION):
        listed = resource.get("accounts")
        for item in listed if isinstance(listed, list) else ():
            if isinstance(item, Mapping) and item.get("id"):
                yield Account(str(item["id"]), str(item.get("name") or item["id"]))
    if accounts.management:
        yield Account(accounts.management, "management")
    for resource in snapshot.of_type(ACCOUNT):
        id, parent = accounts.named_by(resource), resource.text("parentId") or ""
        unit = units.get(parent, (parent,) if parent.startswith("ou-") else ())
        stack = resource.urn.removeprefix("urn:pulumi:").partition("::")[0]
        yield Account(id, resource.text("name") or resource.name, accounts.environment(id) or stack, unit)


def _doors(graph: access.Graph) -> Iterator[Door]:
    """The doors of the graph, and those of which it has only one key: what its statements about keys tell.

    A pattern that grants a role which does not trust the principal is no door. A group's door is left out where those
    of its members are there.
    """
    declared = DeclaredDoors(graph)
    said = {statement.door: statement for statement in statements(graph)}
    to_everyone = {f"{EVERYONE} -> {trust.role.arn}": trust.role for trust in graph.open_trusts if not trust.account}
    by_members = {(group, door.target) for door in graph.doors for group in door.source.groups}
    for door in graph.doors:
        statement = said.pop(door.id, None)
        no_door = Key.PRESENT not in (keys := _keys(door, statement, graph.accounts)) and Key.MISSING in keys
        if no_door or (door.source, door.target) in by_members or not (door.asked or door.open):
            continue
        yield _door(door, keys, statement, declared)
    for id, role in to_everyone.items():
        if id not in said:
            yield _to_everyone(role)
    for id, statement in said.items():
        ends = _ENDS.fullmatch(id)
        if ends and (id in to_everyone or not ends["everyone"]):
            yield _one_key(ends, statement, declared, graph.accounts.canonical)


def _keys(door: access.Door, statement: Statement | None, accounts: Accounts) -> tuple[Key, Key]:
    """Trust and grant. What these stacks cannot show is not proved: only a statement says that a key is missing.

    Where it is not known which account an end of the door is in, nothing is proved of it.
    """
    if not (accounts.pinned(door.source.account) and accounts.pinned(door.target.account)):
        return Key.UNKNOWN, Key.UNKNOWN
    trust, grant = _KEYS[door.trust_key], _KEYS[door.grant_key]
    if {trust, grant} == {Key.PRESENT, Key.MISSING} and (statement is None or statement.lack is Lack.PROOF):
        return (Key.PRESENT, Key.UNKNOWN) if trust is Key.PRESENT else (Key.UNKNOWN, Key.PRESENT)
    return trust, grant


def _door(door: access.Door, keys: tuple[Key, Key], statement: Statement | None, declared: DeclaredDoors) -> Door:
    source, (trust, grant) = _principal(door.source), keys
    groups = map(who, door.source.groups)
    about = declared.of(who(door.source), groups, who(door.target))
    told = [f"{statement.message}.", f"Next step: {statement.next_step}."] if statement else []
    told += [f"The trust alone: {door.trust.explain()}", f"The grant alone: {door.grant.explain()}"]
    return Door(
        name=about.name if about else f"{source.label} to {door.target.name}",
        source=source,
        account=door.target.account,
        role=door.target.name,
        trust=trust,
        grant=grant,
        verdict="UNKNOWN" if Key.UNKNOWN in keys else door.outcome.value,
        requirements=tuple(dict.fromkeys([*_requirements(door.trust), *_requirements(door.grant)])),
        max_session_seconds=(about.max_session_seconds if about else None) or declared.session_of(door.target),
        reason=about.reason if about else None,
        owner=about.owner if about else None,
        expires=about.expires if about else None,
        explanation="\n".join(told),
    )


def _one_key(
    ends: re.Match[str], statement: Statement, declared: DeclaredDoors, canonical: Callable[[str], str]
) -> Door:
    """A door with one key: a trust in an account as a whole or in everyone, or a grant on a role that is not there."""
    kind = "everyone" if ends["everyone"] else ends["kind"] or "root"
    source = Principal(kind, "*" if ends["everyone"] else canonical(ends["account"]), ends["name"] or "")
    other = Key.UNKNOWN if statement.lack is Lack.PROOF else Key.MISSING
    trusted = kind in ("root", "everyone")
    about = declared.of(
        Who(source.kind, source.account, source.name), [], Who("role", canonical(ends["target"]), ends["role"])
    )
    return Door(
        name=about.name if about else f"{source.label} to {ends['role']}",
        source=source,
        account=canonical(ends["target"]),
        role=ends["role"],
        trust=Key.PRESENT if trusted else other,
        grant=other if trusted else Key.PRESENT,
        reason=about.reason if about else None,
        owner=about.owner if about else None,
        expires=about.expires if about else None,
        explanation=f"{statement.message}.\nNext step: {statement.next_step}.",
    )


def _to_everyone(role: Known) -> Door:
    """A trust in everyone, of which somebody here makes use: anybody else in AWS may have the grant too."""
    return Door(
        name=f"everyone to {role.name}",
        source=Principal("everyone", "*"),
        account=role.account,
        role=role.name,
        trust=Key.PRESENT,
        grant=Key.UNKNOWN,
        explanation=f"Role {role.arn} trusts everyone: whoever in AWS is granted it may enter, unless a "
        "condition of that trust keeps them out.\nNext step: trust those who shall enter by their ARNs.",
    )


def _principal(known: Known) -> Principal:
    named = who(known)
    return Principal(named.kind, named.account, named.name)


def _requirements(verdict: Verdict) -> list[str]:
    return [in_words(requirement) for requirement in verdict.requirements]


def _id(resource: Resource) -> str:
    """The id of an organization or unit: a state keeps it outside the outputs, but the ARN ends with it."""
    return resource.text("id") or (resource.text("arn") or "").rpartition("/")[2]
