"""What bears on a resource that is about to be made: the part of a stack that has to be read to judge it.

A new trust or grant changes the doors of the principals that it is about, the ways that lead to them and the ways that
lead on from them, and nothing else. Those are found through an index that grows with the update, so that a resource
costs what is near it and not what is there. To take too much costs time only; nothing that bears on it may be missing.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Final, TypeAlias

from twokeys import doors
from twokeys.access.model.access_roles import entered_by_access_role
from twokeys.access.model.accounts import Accounts
from twokeys.access.model.exports import Exported
from twokeys.access.model.principals import ABOUT_PRINCIPALS, INLINE_POLICIES
from twokeys.access.model.translation import MAKERS, translate
from twokeys.access.reading.snapshot import PROVIDER, STACK, STACK_REFERENCE, Resource, Snapshot
from twokeys.access.reading.type_names import ACCOUNT
from twokeys.access.reading.types import Reading, reading_of
from twokeys.access.root_sessions import FEATURES
from twokeys.iam import Arn
from twokeys.pack.parts import Key, Node, Part, PartReader
from twokeys.pack.search import Search

_Changes: TypeAlias = Mapping[str, Resource | None]
"""Resources by URN as they were; None: they were not there."""

_REFERENCES: Final = frozenset({STACK_REFERENCE, doors.OTHER_STACK, STACK, FEATURES})
_ACCOUNTS: Final = ("pulumi:providers:", "aws:organizations/")
_IDENTITY_CENTER: Final = ("aws:accountaccess/", "aws:identitystore/", "aws:ssoadmin/")
"""Nothing leads into the roles that it makes but its own assignments: so all of it is read whenever something is."""


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
        self._whose: dict[str, str] = {}
        self._translations: dict[str, tuple[Resource, Accounts, list[Resource]]] = {}
        self._far: set[str] = set()
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
        elif resource.provider and resource.provider not in self._witnesses and resource.text("arn"):
            self._witnesses[resource.provider] = urn
            self._accounts_changed = True

    @property
    def frame(self) -> list[Resource]:
        """The resources that say which accounts there are, or what other stacks hold."""
        return [self.there[urn] for urn in self._always if urn in self.there]

    def work_as(self, own_account: str | None) -> None:
        """Whose account the credentials of the providers are that tell none; None where that is not known."""
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
        held = self._held_by_sets()
        of_sets = {self._whose[part] for key in held for part in self._by.get(key, ())}
        gone = [one for one in before.values() if one is not None]
        if everything or self._far or not of_sets.isdisjoint(before) or any(self._is_far(one, held) for one in gone):
            return None
        search = Search(self._parts, self._by, self._access_roles, self._management)
        search.run(*self._begins_with(before))
        found = {self._whose[part] for part in search.found} | of_sets | before.keys()
        found = self._with_components(found) | set(self._witnesses.values())
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
        places = [(account, read.access_role(account)) for account in read.all_members]
        places += entered_by_access_role(read)
        self._access_roles = defaultdict(list)
        for account, name in dict.fromkeys(places):
            self._access_roles[account].append((account, "role", name.lower()))
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
                if self._is_far(resource):
                    self._far.add(urn)
                for name, part in self._read(resource):
                    self._parts[name] = part
                    self._whose[name] = urn
                    touched |= part.is_policy
                    for key in part.keys:
                        self._by[key][name] = None
                    self._by["parts of", urn][name] = None
            read.add(urn)
            waiting += {one for arn in touched for one in self._by.get(("attaches", arn), ())} - read

    def _held_by_sets(self) -> set[Key]:
        """The keys of the managed policies that permission sets hold by their names, in whichever account."""
        sets = (self.there[urn] for urn in self._frame & self.there.keys())
        return {
            ("policy named", name)
            for one in sets
            if one.type.startswith(_IDENTITY_CENTER)
            for name in _referenced(one.inputs or one.outputs)
        }

    def _forget(self, urn: str) -> set[str]:
        """Takes the parts of a resource out of the index; returns the managed policies that it was."""
        was: set[str] = set()
        self._far.discard(urn)
        for name in self._by.pop(("parts of", urn), ()):
            part = self._parts.pop(name)
            del self._whose[name]
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
            for made in self._as_pulumi(resource):
                yield made.urn, self._part_of(made)

    def _as_pulumi(self, resource: Resource) -> list[Resource]:
        """What a resource makes, as resources of pulumi-aws."""
        if not _is_of_other_maker(resource):
            return [resource]
        read, accounts, made = self._translations.get(resource.urn, (None, None, []))
        if read is not resource or accounts is not self._accounts:
            provider = self.there.get(resource.provider or "")
            alone = Snapshot((resource, *([provider] if provider else [])))
            made = [one for one in translate(alone, self._accounts).snapshot.resources if one is not provider]
            self._translations[resource.urn] = (resource, self._accounts, made)
        return made

    def _made(self, urn: str) -> Resource | None:
        """What is there under a URN, as a resource of pulumi-aws; also what a template holds."""
        maker = self.there.get(urn) or self.there.get(urn.partition("#")[0])
        return next((one for one in self._as_pulumi(maker) if one.urn == urn), None) if maker else None

    def _is_far(self, resource: Resource, held: Set[Key] = frozenset()) -> bool:
        """Whether it may bear on anything: a policy that permission sets hold, what makes more than IAM here, and
        whatever else the graph reads without an index of it here.
        """
        if not _is_of_other_maker(resource):
            by_name = ("policy named", resource.text("name") or "") in held
            indexed = resource.type in ABOUT_PRINCIPALS or _is_frame(resource)
            return by_name or (not indexed and reading_of(resource.type) is Reading.READ)
        made = self._as_pulumi(resource)
        spreads = "stackset" in f"{resource.type} {resource.inputs} {resource.outputs}".lower()
        return spreads or any(one is not resource and one.type not in ABOUT_PRINCIPALS for one in made)

    def _part_of(self, resource: Resource) -> Part:
        return PartReader(resource, self._accounts, self._made, self._by).read()

    def _begins_with(self, before: _Changes) -> tuple[list[Part], set[Node]]:
        """The parts and the principals that a change is about, as they were and as they are."""
        parts: list[Part] = []
        nodes: set[Node] = set()
        for urn, was in before.items():
            now = self.there.get(urn)
            if was is not None:
                parts += [part for _, part in self._read(was)]
            parts += [self._parts[name] for name in self._by.get(("parts of", urn), ())]
            if now is not None and now.type in (PROVIDER, ACCOUNT):
                of = self._accounts.of_provider(urn) if now.type == PROVIDER else self._accounts.named_by(now)
                parts += [self._parts[name] for name in self._by.get(("account", of), ())]
                nodes |= set(self._access_roles.get(of, ()))
        return parts, nodes

    def _with_components(self, found: Iterable[str]) -> set[str]:
        """Resources with everything above them: the components that declare their documents."""
        chosen: set[str] = set()
        for one in found:
            urn = one
            while urn not in chosen and (resource := self.there.get(urn)):
                chosen.add(urn)
                urn = resource.parent or ""
        return chosen


def _is_frame(resource: Resource) -> bool:
    """Whether every judgement reads it: it says which accounts there are, or what other stacks hold."""
    return resource.type.startswith((*_ACCOUNTS, *_IDENTITY_CENTER)) or resource.type in _REFERENCES


def _is_of_other_maker(resource: Resource) -> bool:
    return resource.type.startswith(MAKERS) and reading_of(resource.type) is not Reading.HARMLESS


def _referenced(value: object) -> Iterator[str]:
    """The names of the customer's own policies that a permission set holds."""
    if isinstance(value, list):
        yield from (name for item in value for name in _referenced(item))
    elif isinstance(value, Mapping):
        if isinstance(name := value.get("name"), str):
            yield name
        yield from (name for item in value.values() for name in _referenced(item))


def _snapshot(there: Mapping[str, Resource], instead: _Changes) -> Snapshot:
    found = [instead.get(urn, resource) for urn, resource in there.items()]
    found += [one for urn, one in instead.items() if urn not in there]
    return Snapshot(tuple(one for one in found if one is not None))
