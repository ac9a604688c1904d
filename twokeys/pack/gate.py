"""The update gate: judges each resource before the engine creates or changes it.

An update shows the pack one resource after the other, with known values, before it is made. What then lets somebody in
who has not both keys, or is not proved, is refused there, so that it never exists. What a later resource of the same
update can still put right is left alone: the stack phase reports what is alone at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TypeAlias

from twokeys.access.accounts import ACCOUNT, ORGANIZATION
from twokeys.access.findings import Finding
from twokeys.access.graph import Graph
from twokeys.access.snapshot import PROVIDER, Resource, Snapshot
from twokeys.doors import TRUST_AFTER_GRANT
from twokeys.iam import Arn
from twokeys.pack.own_account import graph_of

_Found: TypeAlias = Mapping[tuple[str, str | None, str | None], Finding]
"""Findings by rule, resource and door: what one is about, however it is worded."""


class Gate:
    """What one update has shown so far, upon the state that it started from.

    Args:
        before: the state before the update; None where there is none or where it cannot be reached.
        findings: the mandatory findings on a graph.
        made: the state as it is now, read for the ids of accounts that this update has made: no input holds them.
        own_account: the account of providers that tell none, asked for only before something is refused.
    """

    def __init__(
        self,
        before: Snapshot | None,
        findings: Callable[[Graph], Iterable[Finding]],
        *,
        made: Callable[[], Snapshot | None] = lambda: None,
        own_account: Callable[[Iterable[Resource]], str | None] = lambda _providers: None,
    ) -> None:
        self._there: dict[str, Resource] = {one.urn: one for one in before.resources} if before else {}
        self._shown: set[str] = set()
        self._findings = findings
        self._made = made
        self._ask_own_account = own_account
        self._own_account: str | None = None
        self._known: _Found | None = None

    def show(self, resource: Resource, aliases: Iterable[str] = ()) -> None:
        """Take note of a resource that the update has come to; under its aliases it is there no more."""
        for alias in aliases:
            self._there.pop(alias, None)
        self._there[resource.urn] = _with_identity(resource, self._there.get(resource.urn))
        self._shown.add(resource.urn)

    def judge(self, resource: Resource, aliases: Iterable[str] = ()) -> list[Finding]:
        """What making this resource would do that nothing later in the update can put right.

        Notes the resource unless there is such a finding: then it is not made.
        """
        self._read_ids()
        there = dict(self._there)
        refused = self._judged(resource, aliases, there)
        providers = [one for one in self._there.values() if one.type == PROVIDER]
        if refused and self._own_account is None and (own := self._ask_own_account(providers)):
            self._own_account, self._known = own, None
            refused = self._judged(resource, aliases, there)
        if refused:
            self._there = there
        return refused

    def _judged(self, resource: Resource, aliases: Iterable[str], there: Mapping[str, Resource]) -> list[Finding]:
        self._there = dict(there)
        if self._known is None:
            self._known = _by_place(self._findings(self._graph()))
        self.show(resource, aliases)
        graph = self._graph()
        found = _by_place(self._findings(graph))
        new = [finding for place, finding in found.items() if place not in self._known]
        refused = [finding for finding in new if not self._may_still_come(finding, resource, graph)]
        if not refused:
            self._known = found
        return refused

    def _graph(self) -> Graph:
        return graph_of(Snapshot(tuple(self._there.values())), self._own_account)

    def _read_ids(self) -> None:
        """Find out the ids of accounts and of the organization that this update has made so far."""
        without = [one for one in self._there.values() if one.type in (ACCOUNT, ORGANIZATION) and not one.outputs]
        if without and (now := self._made()):
            for one in without:
                if (made := now.by_urn.get(one.urn)) and made.outputs:
                    self._there[one.urn] = replace(one, outputs=made.outputs)
                    self._known = None

    def _may_still_come(self, finding: Finding, resource: Resource, graph: Graph) -> bool:
        """Whether a later resource of this update can still make a finding untrue."""
        if finding.rule == "door-needs-grant":
            return finding.urn is None or not self._trust_is_last(graph.snapshot, finding.urn)
        if finding.rule == "door-needs-trust":
            return not self._is_made(finding, graph)
        if finding.rule == "declared-equals-real":  # a component is shown before what it makes and declares
            declaring = {declared.component.urn for declared in graph.documents.declared}
            return finding.urn != resource.urn or resource.urn in declaring
        if finding.rule == "unproved-door":
            return (
                self._leads_out(finding, graph)
                or self._is_open_to_us(finding, graph)
                or self._is_about_unsettled(finding, resource, graph)
            )
        return False

    def _leads_out(self, finding: Finding, graph: Graph) -> bool:
        """Whether a door ends at a role that is none of the stack: the grant alone lets nobody in here.

        That role may be one that this update makes later, in an account that it has not come to yet.
        """
        target = Arn.parse((finding.door or "").rpartition(" -> ")[2])
        return target is not None and all(role.arn != str(target) for role in graph.roles)

    def _is_open_to_us(self, finding: Finding, graph: Graph) -> bool:
        """Whether it is a trust in our own organization as a whole, of whose principals one may still get the grant."""
        ours = graph.accounts.organization
        return ours is not None and (finding.door or "").startswith(f"{ours} -> ")

    def _trust_is_last(self, snapshot: Snapshot, urn: str) -> bool:
        above = (snapshot.by_urn.get(parent) for parent in snapshot.ancestors(snapshot.by_urn[urn]))
        return any(parent is not None and parent.get(TRUST_AFTER_GRANT) is True for parent in above)

    def _is_about_unsettled(self, finding: Finding, resource: Resource, graph: Graph) -> bool:
        """Whether the name that a document speaks of may be one that AWS's provider has still to make up.

        The engine shows the inputs of a resource only, and such a name is in none.
        """
        own = {role.arn for role in graph.roles if role.urn == resource.urn}
        for side in (finding.door or "").split(" -> "):
            arn = Arn.parse(side)
            if arn is not None and arn.kind is not None and side not in own:
                there = graph.principals.unsettled(arn.kind, arn.account)
                if any(principal.urn != resource.urn for principal in there):
                    return True
        return False

    def _is_made(self, finding: Finding, graph: Graph) -> bool:
        """Whether the update has already come to the role that a grant names: then its trust does not change again."""
        source, _, target = (finding.door or "").partition(" -> ")
        holder = Arn.parse(source)
        if holder is not None and holder.kind == "group":  # the trust names users, who may still join the group
            return False
        return any(role.arn == target and role.urn in self._shown for role in graph.roles)


def _by_place(findings: Iterable[Finding]) -> _Found:
    return {(finding.rule, finding.urn, finding.door): finding for finding in findings}


def _with_identity(resource: Resource, before: Resource | None) -> Resource:
    """A resource as it is asked for, with what was known to come of it before and cannot change under it."""
    if before is None or resource.type not in (ACCOUNT, ORGANIZATION):
        return resource
    return replace(resource, outputs=before.outputs)
