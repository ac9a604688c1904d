"""Follows trusts and grants from where a change is: up to those who come there, down to where they can go on."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from twokeys.pack.parts import EVERYWHERE, Index, Key, Node, Part

_SOME: Final = 3
"""So many principals without a settled name stand for all of an account: it only matters whether there is one."""


class Search:
    """One search; `found` are the resources that bear on the change.

    That none is missing, the first three tests of tests/pack/test_neighbourhood.py hold against the whole stack.
    `access_roles` are those that AWS made in the accounts, for whoever holds a grant in `management`.
    """

    def __init__(
        self,
        parts: Mapping[str, Part],
        by: Mapping[Key, Mapping[str, None]],
        access_roles: Mapping[str, list[Node]],
        management: str | None,
    ) -> None:
        self.found: set[str] = set()
        self._parts = parts
        self._by = by
        self._access_roles = access_roles
        self._management = management
        self._shown: set[Node] = set()
        self._opened: set[str] = set()
        self._sources: set[Node] = set()
        self._up: dict[Node, None] = {}
        self._down: dict[Node, None] = {}

    def run(self, parts: Sequence[Part], nodes: Iterable[Node]) -> None:
        """Find what bears on these parts of principals, and on these principals."""
        self.found |= set(self._at("root"))
        self._down = dict.fromkeys(nodes)
        changed = dict(self._down)
        for part in (*parts, *self._namesakes(parts)):
            self._show_policies(part)
            holders = dict.fromkeys(self._holders(part))
            self._up |= holders
            documents = [part, *(self._parts[name] for arn in part.policies for name in self._at("policy", arn))]
            adds = all(one.adds for one in documents) and not any(self._at("limits", arn) for arn in part.is_policy)
            self._down |= dict.fromkeys(self._named_by(documents, holders)) if adds else holders
            changed |= {} if adds else holders
        for node in (*self._up, *self._down):
            self._source(node)
        self._down |= dict.fromkeys(user for node in self._down if node[1] == "group" for user in self._together(node))
        self._up |= changed
        waiting = [(node, self._sources_of, self._up) for node in self._up]
        waiting += [(node, self._targets_of, self._down) for node in self._down]
        while waiting:
            node, follow, seen = waiting.pop()
            self._source(node)
            for other in follow(node):
                if other not in seen:
                    seen[other] = None
                    waiting.append((other, follow, seen))

    @property
    def accounts(self) -> set[str]:
        """The accounts that all of it is about."""
        return {node[0] for node in self._shown} | self._opened

    def _at(self, index: Index, *of: str) -> Mapping[str, None]:
        return self._by.get((index, *of), {})

    def _holders(self, part: Part) -> Iterator[Node]:
        """The principals that a part is about: of a managed policy, or a list of all who have it, all who have it.

        Those whom a managed policy bounds are about it as well.
        """
        yield from part.nodes
        for arn in part.is_policy:
            for name in self._at("limits", arn):
                yield from self._parts[name].nodes
        listed = [one for arn in part.policies if ("lists all", arn) in part.keys for one in self._names_of(arn)]
        for arn in (*part.is_policy, *listed):
            for name in self._at("attaches", arn):
                yield from self._parts[name].nodes

    def _names_of(self, arn: str) -> set[str]:
        """What a managed policy is known by, from one of these names."""
        return {arn}.union(*(self._parts[name].is_policy for name in self._at("policy", arn)))

    def _namesakes(self, parts: Iterable[Part]) -> Iterator[Part]:
        """Those that name a principal of which nothing says in which account it is, or one that is called the same."""
        for part in parts:
            for _, kind, name in part.nodes:
                if ("unpinned", kind, name) in part.keys:
                    yield from (self._parts[one] for one in self._at("named", kind, name))

    def _show(self, node: Node) -> None:
        """Everything that a principal is made of."""
        if node in self._shown:
            return
        self._shown.add(node)
        account, kind, name = node
        for one in self._at("node", *node):
            self.found.add(one)
            part = self._parts[one]
            self._opened |= set(part.opens)
            self._show_policies(part)
        self.found |= set(self._at("unpinned", kind, name))
        self.found |= set(list(self._at("unsettled", kind, account))[:_SOME])

    def _show_policies(self, part: Part) -> None:
        """The managed policies of a part as it is, or as it was: a boundary that is taken away bounded before."""
        for arn in (*part.policies, *part.limits):
            self.found |= self._at("policy", arn).keys()
            for name in self._names_of(arn):
                self.found |= self._at("lists all", name).keys()

    def _source(self, node: Node) -> None:
        """A principal as one who goes through doors: a user with its groups, a group with its members."""
        if node in self._sources:
            return
        self._sources.add(node)
        self._show(node)
        for other in self._together(node):
            if node[1] == "group":
                self._source(other)
            else:
                self._show(other)

    def _together(self, node: Node) -> Iterator[Node]:
        """The groups of a user, the users of a group."""
        wanted = {"user": "group", "group": "user"}.get(node[1])
        if wanted:
            for one in self._at("node", *node):
                yield from (other for other in self._parts[one].nodes if other[1] == wanted)

    def _documents(self, node: Node) -> Iterator[Part]:
        """The parts that hold the documents of a principal and of its groups."""
        for holder in (node, *(self._together(node) if node[1] == "user" else ())):
            for name in self._at("node", *holder):
                part = self._parts[name]
                yield part
                for arn in part.policies:
                    yield from (self._parts[one] for one in self._at("policy", arn))

    def _sources_of(self, node: Node) -> Iterator[Node]:
        """Who may come in as a role."""
        if node[1] != "role":
            return
        for name in self._at("grants", *node):
            yield from self._holders(self._parts[name])
        opens = [self._management] if node in self._access_roles.get(node[0], ()) and self._management else []
        for name in self._at("node", *node):
            part = self._parts[name]
            yield from part.trusts
            opens += part.opens
            if ("within",) in part.keys:
                for other in self._at("account", node[0]):
                    yield from (one for one in self._parts[other].nodes if one[0] == node[0])
        for account in opens:
            for name in self._at("wide", account):
                yield from self._holders(self._parts[name])
            yield from self._access_roles.get(account, ()) if account != EVERYWHERE else self._all_access_roles()

    def _targets_of(self, node: Node) -> Iterator[Node]:
        """The roles that a principal may come in as."""
        if node in self._access_roles.get(node[0], ()):
            yield from self._open_to(node[0])
        for part in self._documents(node):
            yield from part.roles
            yield from self._open_to(node[0]) if part.wide else ()
        for name in (*self._at("trusts", *node), *self._at("within", node[0])):
            yield from self._parts[name].nodes

    def _named_by(self, documents: Iterable[Part], holders: Iterable[Node]) -> Iterator[Node]:
        """The roles that documents grant to those who hold them."""
        yield from (role for one in documents for role in one.roles)
        if any(one.wide for one in documents):
            for holder in holders:
                yield from self._open_to(holder[0])
                yield from (node for name in self._at("trusts", *holder) for node in self._parts[name].nodes)

    def _open_to(self, account: str) -> Iterator[Node]:
        """The roles that trust an account as a whole."""
        for whom in (account, EVERYWHERE):
            for name in self._at("opens", whom):
                yield from self._parts[name].nodes
        if account == self._management:
            yield from self._all_access_roles()

    def _all_access_roles(self) -> Iterator[Node]:
        return (node for nodes in self._access_roles.values() for node in nodes)
