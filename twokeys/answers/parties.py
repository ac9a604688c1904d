"""The accounts and principals of a graph as answers call them, and what is declared of the doors between them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from twokeys.access.declared_doors import DeclaredDoors, who
from twokeys.access.graph import Door, Graph
from twokeys.access.model import environment
from twokeys.access.model.identities import id_of
from twokeys.access.model.principals import Principal
from twokeys.access.reading.snapshot import PROVIDER, Resource, Snapshot, stack_of
from twokeys.access.reading.type_names import ORGANIZATION, ORGANIZATIONAL_UNIT
from twokeys.answers.model import Account, Party, Way
from twokeys.doors import DeclaredDoor, Who


class AccountNames:
    """What the accounts of a graph are called; each name is worked out once."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._accounts = graph.accounts
        self._listed = dict(_listed_names(graph.snapshot))
        self.units = _units(graph.snapshot)
        self.said: dict[str, str] = {}
        """Each name that was asked for, by the account's id."""

    def of(self, account: str) -> str:
        """The name of an account with its id: "stage (222222222222)"."""
        if account not in self.said:
            listed = self._listed.get(account) if self._accounts.resource(account) is None else None
            listed = "management" if account == self._accounts.management else listed
            self.said[account] = f"{listed} ({account})" if listed else self._accounts.name(account)
        return self.said[account]

    def short(self, account: str) -> str:
        """The name alone."""
        return self.of(account).removesuffix(f" ({account})").removesuffix(" (id not known yet)")

    def ours(self) -> Iterator[Account]:
        """Each account of ours: the management account, its members, and those that resources are in."""
        ours = self._accounts.held | self._accounts.members
        if self._accounts.management:
            ours |= {self._accounts.management}
        regions = self._regions()
        for account in sorted(ours):
            resource = self._accounts.resource(account)
            inside = self._environment(account, resource)
            yield Account(
                account,
                self.short(account),
                inside,
                self._unit(account, resource),
                regions.get(account),
                self._names_for(account, resource, inside),
                management=account == self._accounts.management,
                closed=account in self._accounts.closed,
            )

    def others(self, ways: Iterable[Way]) -> Iterator[Account]:
        """What ways lead into and is not known to be ours, such as the account of a provider that is not pinned."""
        for way in ways:
            name = self.short(way.account)
            yield Account(way.account, name, None, None, called=frozenset({way.account, name.lower()}))

    def _regions(self) -> dict[str, str]:
        """The region of each account, where all of its providers agree on one."""
        found: dict[str, set[str]] = defaultdict(set)
        for provider in self._graph.snapshot.of_type(PROVIDER):
            if region := provider.text("region"):
                found[self._accounts.of_provider(provider.urn)].add(region)
        return {account: regions.pop() for account, regions in found.items() if len(regions) == 1}

    def _environment(self, account: str, resource: Resource | None) -> str | None:
        """The management account is in no environment: providers of every environment's stack work in it."""
        at_management = account == self._accounts.management
        return None if at_management else environment.of_account(self._accounts, account) or _stack(resource)

    def _unit(self, account: str, resource: Resource | None) -> tuple[str, ...] | None:
        if resource is None:
            member = account in self._accounts.members or account == self._accounts.management
            return () if member else None
        parent = resource.text("parentId") or ""
        return self.units.get(parent, (parent,) if parent.startswith("ou-") else ())

    def _names_for(self, account: str, resource: Resource | None, inside: str | None) -> frozenset[str]:
        if account == self._accounts.management:
            names = {account, "management"}
        else:
            names = {account, *([inside, environment.canonical(inside)] if inside else [])}
        if account in self._listed:
            names |= {self._listed[account]}
        if resource is not None:
            names |= {name for name in (resource.name, resource.text("name"), _stack(resource)) if name}
        return frozenset(name.lower() for name in names)


class Parties:
    """The principals of a graph as answers name them."""

    def __init__(self, graph: Graph) -> None:
        self._accounts = graph.accounts
        self.declared = DeclaredDoors(graph)
        self.names = AccountNames(graph)
        self.members = {one.source: one.members for one in graph.identity_center.assignments}

    def of(self, principal: Principal) -> Party:
        """A principal, with the place of its account and, of a group of Identity Center, its members."""
        name = self.names.of(principal.account) if principal.account else ""
        return Party(who(principal), principal.arn, name, self.members.get(principal, ()))

    def target(self, principal: Principal) -> Party:
        """The role behind a door, or the root user of a member account, whom sts:AssumeRoot makes one for a while.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-enable-root-access.html
        """
        party = self.of(principal)
        return (
            replace(party, who=Who("root-user", principal.account, "root user")) if principal.kind == "root" else party
        )

    def declaration(self, door: Door) -> DeclaredDoor | None:
        """What is declared of a door, if anything is."""
        return self.declared.of(who(door.source), map(who, door.source.groups), who(door.target))

    def between_known(self, door: Door) -> bool:
        """Whether it is known that a door leads from one account into another, or from outside every account."""
        if not door.source.account or not door.crosses:
            return True
        return self._accounts.pinned(door.source.account) and self._accounts.pinned(door.target.account)


def _stack(resource: Resource | None) -> str | None:
    return stack_of(resource.urn) if resource else None


def _listed_names(snapshot: Snapshot) -> Iterator[tuple[str, str]]:
    """The names of the accounts that an organization lists, by id."""
    for resource in snapshot.of_type(ORGANIZATION):
        listed = resource.get("accounts")
        for item in listed if isinstance(listed, list) else ():
            if isinstance(item, Mapping) and item.get("id") and item.get("name"):
                yield str(item["id"]), str(item["name"])


def _units(snapshot: Snapshot) -> dict[str, tuple[str, ...]]:
    """The path of each organizational unit by its id: from the units themselves, else as a stack exports them."""
    made = {id_of(unit): unit for unit in snapshot.of_type(ORGANIZATIONAL_UNIT)}

    def path(id: str, below: frozenset[str] = frozenset()) -> tuple[str, ...]:
        unit = made.get(id)
        if unit is None or id in below:
            return exported.get(id, ())
        return (*path(unit.text("parentId") or "", below | {id}), unit.text("name") or unit.name)

    exported: dict[str, tuple[str, ...]] = {}
    for outputs in snapshot.stack_outputs:
        ids = outputs.get("organizational_unit_ids")
        if isinstance(ids, Mapping):
            exported |= {str(id): tuple(str(unit).split("/")) for unit, id in ids.items()}
    return exported | {id: path(id) for id in made}
