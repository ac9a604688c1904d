"""What bears on a resource that is about to be made: the part of a stack that has to be read to judge it.

A new trust or grant changes the doors of the principals that it is about, the ways that lead to them and the ways that
lead on from them, and nothing else. Those are found through an index that grows with the update, so that a resource
costs what is near it and not what is there. To take too much costs time only; nothing that bears on it may be missing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeAlias

from twokeys import doors
from twokeys.access.access_roles import entered_by_access_role
from twokeys.access.accounts import ACCOUNT, Accounts
from twokeys.access.exports import Exported
from twokeys.access.principals import INLINE_POLICIES
from twokeys.access.root_sessions import FEATURES
from twokeys.access.snapshot import PROVIDER, STACK_REFERENCE, Resource, Snapshot
from twokeys.access.types import Reading, type_of
from twokeys.iam import Arn
from twokeys.pack.parts import Key, Node, Part, PartReader
from twokeys.pack.search import Search

_Changes: TypeAlias = Mapping[str, Resource | None]
"""Resources by URN as they were; None: they were not there."""

_REFERENCES: Final = frozenset({STACK_REFERENCE, doors.OTHER_STACK, "pulumi:pulumi:Stack", FEATURES})
_ACCOUNTS: Final = ("pulumi:providers:", "aws:organizations/")
_OTHER_MAKERS: Final = (
    "aws-native:",
    "aws:accountaccess/",
    "aws:cloudcontrol/",
    "aws:cloudformation/",
    "aws:identitystore/",
    "aws:serverlessrepository/",
    "aws:ssoadmin/",
)
"""They make principals that are no resources of pulumi-aws's IAM: where there is one, the whole stack is read."""


class Neighbourhood:
    """The resources that are there, and an index of what bears on which."""

    def __init__(self, resources: Iterable[Resource] = ()) -> None:
        self.own_account: str | None = None
        self.there: dict[str, Resource] = {}
        """All resources by URN, in the order in which they were first shown."""
        self._places: dict[str, int] = {}
        self._parts: dict[str, Part] = {}
        self._by: dict[Key, dict[str, None]] = defaultdict(dict)
        self._stale: dict[str, None] = {}
        self._always: dict[str, None] = {}
        self._other_makers: set[str] = set()
        self._witnesses: dict[str, str] = {}
        self._accounts = Accounts(Snapshot(()))
        self._accounts_changed = True
        self._known: tuple[object, ...] = ()
        self._works_in: dict[str, str] = {}
        self._access_roles: dict[str, list[Node]] = {}
        self._management: str | None = None
        self._frame: set[str] = set()
        self._of_account: dict[str, set[str]] = {}
        for resource in resources:
            self.put(resource.urn, resource)

    def put(self, urn: str, resource: Resource | None) -> None:
        """A resource as it is now; None: it is there no more."""
        before = self.there.get(urn)
        if any(one is not None and _is_frame(one) for one in (before, resource)):
            self._accounts_changed = True
        self._stale[urn] = None
        if resource is None:
            self.there.pop(urn, None)
            return
        self.there[urn] = resource
        self._places.setdefault(urn, len(self._places))
        if _is_frame(resource):
            self._always[urn] = None
            if _is_of_other_maker(resource):
                self._other_makers.add(urn)
        elif resource.provider and resource.provider not in self._witnesses and resource.text("arn"):
            self._witnesses[resource.provider] = urn
            self._accounts_changed = True

    @property
    def frame(self) -> list[Resource]:
        """The resources that say which accounts there are, or what other stacks hold."""
        return [self.there[urn] for urn in self._always if urn in self.there]

    def told(self, own_account: str) -> None:
        """Whose account the credentials of the environment are."""
        self.own_account = own_account
        self.forget_accounts()

    def forget_accounts(self) -> None:
        """What is changed has not been accepted: whatever it does to all is to be looked at again."""
        self._accounts_changed, self._known = True, ()

    def whole(self, before: _Changes | None = None) -> Snapshot:
        """Everything, with some resources as they were before."""
        return _snapshot(self.there, before or {})

    def around(self, before: _Changes) -> tuple[Snapshot, Snapshot] | None:
        """What bears on the changed resources, as it was and as it is; None where that may be everything."""
        everything = self._read_accounts(before)
        self._read_parts()
        if everything or not self._other_makers.isdisjoint(self.there):
            return None
        search = Search(self._parts, self._by, self._access_roles, self._management)
        search.run(*self._begins_with(before))
        found = self._with_components(search.found | before.keys()) | set(self._witnesses.values())
        found |= self._frame_of(search.accounts, before)
        there = {urn: self.there[urn] for urn in sorted(found & self.there.keys(), key=self._places.__getitem__)}
        return _snapshot(there, before), _snapshot(there, {})

    # Accounts: what every judgement reads

    def _read_accounts(self, before: _Changes) -> bool:
        """Read the accounts again if something about them has changed; whether that may change every judgement."""
        if not self._accounts_changed:
            return False
        urns = sorted((self._always.keys() | set(self._witnesses.values())) & self.there.keys(), key=self._places.get)  # type: ignore[arg-type]
        read = Accounts(Snapshot(tuple(self.there[urn] for urn in urns)), own_account=self.own_account)
        self._accounts, self._accounts_changed = read, False
        self._management = read.management
        ids = dict(read.ids)
        known = (
            read.organization,
            read.management,
            read.partition(""),
            bool(read.by_symbol),
            any(entry.assumes != () for entry in read.entries),
            len([account for account in read.held if read.pinned(account)]) > 1,
        )
        moved = {urn for urn, account in self._works_in.items() if read.of_provider(urn) != account}
        self._works_in = {urn: read.of_provider(urn) for urn in (*self._works_in, *(one.urn for one in read.entries))}
        if moved:
            self._stale |= {urn: None for urn, one in self.there.items() if one.provider in moved}
        for symbol in ids:
            self._stale |= self._by.get(("account", symbol), {})
        places = [*((account, read.access_role(account)) for account in read.members), *entered_by_access_role(read)]
        self._access_roles = defaultdict(list)
        for account, name in dict.fromkeys(places):
            self._access_roles[account].append((account, "role", name))
        others = any(
            one is not None and _is_frame(one) and (one.type not in (PROVIDER, ACCOUNT) or urn not in self.there)
            for urn, was in before.items()
            for one in (was, self.there.get(urn))
        )
        self._read_frame(read)
        changed, self._known = known != self._known, known
        return changed or bool(moved) or others

    def _read_frame(self, accounts: Accounts) -> None:
        """Who works in which account; one provider of each sort stands for all where only its sort matters."""
        self._frame = {
            urn for urn in self._always if (one := self.there.get(urn)) and one.type not in (PROVIDER, ACCOUNT)
        }
        self._of_account = defaultdict(set)
        sorts: dict[object, str] = {}
        for entry in accounts.entries:
            chain = [arn for text in entry.assumes or () if (arn := Arn.parse(text))]
            for account in (accounts.of_provider(entry.urn), *(accounts.canonical(arn.account) for arn in chain)):
                self._of_account[account].add(entry.urn)
            by = tuple(arn.name for arn in chain)
            sorts.setdefault(
                (accounts.partition(accounts.of_provider(entry.urn)), by) if chain else entry.urn, entry.urn
            )
        made = list(accounts.by_symbol.values())
        for resource in made:
            self._of_account[accounts.named_by(resource)].add(resource.urn)
        self._frame |= {*sorts.values(), *(one.urn for one in made[:1])}

    def _frame_of(self, touched: Iterable[str], before: _Changes) -> set[str]:
        """The frame of a judgement that is about some accounts; a new account is held against all others."""
        found = self._frame | {urn for account in touched for urn in self._of_account.get(account, ())}
        if any(urn in self.there and self.there[urn].type == ACCOUNT for urn in before):
            found |= self._always.keys()
        return found

    # The index

    def _read_parts(self) -> None:
        """Index what has changed; a policy that is made or gone changes what those hold who attach it."""
        waiting = list(self._stale)
        self._stale = {}
        read: set[str] = set()
        while waiting:
            urn = waiting.pop()
            touched = self._forget(urn)
            if resource := self.there.get(urn):
                for name, part in self._read(resource):
                    self._parts[name] = part
                    touched |= part.is_policy
                    for key in part.keys:
                        self._by[key][name] = None
                    self._by["parts of", urn][name] = None
            read.add(urn)
            waiting += {one for arn in touched for one in self._by.get(("attaches", arn), ())} - read

    def _forget(self, urn: str) -> set[str]:
        """Takes the parts of a resource out of the index; returns the managed policies that it was."""
        was: set[str] = set()
        for name in self._by.pop(("parts of", urn), ()):
            part = self._parts.pop(name)
            was |= part.is_policy
            for key in part.keys:
                self._by[key].pop(name, None)
        return was

    def _read(self, resource: Resource) -> Iterator[tuple[str, Part]]:
        """What a resource says; one that shows what other stacks export says it document by document."""
        if resource.type in (STACK_REFERENCE, doors.OTHER_STACK):
            for number, one in enumerate(Exported(Snapshot((resource,))).documents):
                given = {INLINE_POLICIES.get(one.type, "name"): one.name, **one.properties}
                values = {**given, one.property: one.document}
                shown = Resource(f"{resource.urn}#{number}", one.type, one.name, values, account=one.account)
                yield shown.urn, self._part_of(shown)
        else:
            yield resource.urn, self._part_of(resource)

    def _part_of(self, resource: Resource) -> Part:
        return PartReader(resource, self._accounts, self.there, self._by).part

    def _begins_with(self, before: _Changes) -> tuple[list[Part], set[Node]]:
        """The parts and the principals that a change is about, as they were and as they are."""
        parts: list[Part] = []
        nodes: set[Node] = set()
        for urn, was in before.items():
            now = self.there.get(urn)
            if was is not None:
                parts += [part for _, part in self._read(was)]
            parts += [self._parts[urn]] if urn in self._parts else []
            if now is not None and now.type in (PROVIDER, ACCOUNT):
                of = self._accounts.of_provider(urn) if now.type == PROVIDER else self._accounts.named_by(now)
                parts += [self._parts[name] for name in self._by.get(("account", of), ())]
                nodes |= set(self._access_roles.get(of, ()))
        return parts, nodes

    def _with_components(self, found: Iterable[str]) -> set[str]:
        """Resources with everything above them: the components that declare their documents."""
        chosen: set[str] = set()
        waiting = list(found)
        while waiting:
            urn = waiting.pop()
            resource = self.there.get(urn)
            if urn in chosen or resource is None:
                continue
            chosen.add(urn)
            if resource.parent is not None:
                waiting.append(resource.parent)
        return chosen


def _is_frame(resource: Resource) -> bool:
    """Whether every judgement reads it: it says which accounts there are, or what other stacks hold."""
    return resource.type.startswith(_ACCOUNTS) or resource.type in _REFERENCES or _is_of_other_maker(resource)


def _is_of_other_maker(resource: Resource) -> bool:
    known = type_of(resource.type)
    return resource.type.startswith(_OTHER_MAKERS) and (known is None or known.reading is not Reading.HARMLESS)


def _snapshot(there: Mapping[str, Resource], instead: _Changes) -> Snapshot:
    found = [instead.get(urn, resource) for urn, resource in there.items()]
    found += [one for urn, one in instead.items() if urn not in there]
    return Snapshot(tuple(one for one in found if one is not None))
