"""The update gate: judges each resource before the engine creates or changes it.

An update shows the pack one resource after the other, with known values, before it is made. What then lets somebody in
who has not both keys, or is not proved, is refused there, so that it never exists. What a later resource of the same
update can still put right is left alone: the stack phase reports what is alone at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from twokeys.access.findings import Finding
from twokeys.access.graph import Graph, build
from twokeys.access.snapshot import Resource, Snapshot
from twokeys.iam import Arn

TRUST_LAST = "trustAfterGrant"
"""The property of a component that makes its trust after its grant: a trust whose grant is not there has lost it."""
_Place = tuple[str, str | None, str | None]


class Gate:
    """What one update has shown so far, upon the state that it started from.

    Args:
        before: the state before the update; None where there is none or where it cannot be reached.
        findings: the mandatory findings on a graph.
    """

    def __init__(self, before: Snapshot | None, findings: Callable[[Graph], Iterable[Finding]]) -> None:
        self._there: dict[str, Resource] = {one.urn: one for one in before.resources} if before else {}
        self._shown: set[str] = set()
        self._findings = findings
        self._known: Mapping[_Place, Finding] | None = None

    def show(self, resource: Resource, aliases: Iterable[str] = ()) -> None:
        """Take note of a resource that the update has come to; under its aliases it is there no more."""
        for alias in aliases:
            self._there.pop(alias, None)
        self._there[resource.urn] = resource
        self._shown.add(resource.urn)

    def judge(self, resource: Resource, aliases: Iterable[str] = ()) -> list[Finding]:
        """What making this resource would do that nothing later in the update can put right.

        Never takes back what it noted: a resource that is refused is not made, but neither is anything after it.
        """
        if self._known is None:
            self._known = _by_place(self._findings(build(self._snapshot())))
        self.show(resource, aliases)
        graph = build(self._snapshot())
        found = _by_place(self._findings(graph))
        new = [finding for place, finding in found.items() if place not in self._known]
        self._known = found
        return [finding for finding in new if not self._may_still_come(finding, resource, graph)]

    def _snapshot(self) -> Snapshot:
        return Snapshot(tuple(self._there.values()))

    def _may_still_come(self, finding: Finding, resource: Resource, graph: Graph) -> bool:
        """Whether a later resource of this update can still make a finding untrue."""
        if finding.rule == "door-needs-grant":
            return finding.urn is None or not self._trust_is_last(graph.snapshot, finding.urn)
        if finding.rule == "door-needs-trust":
            return not self._is_made(finding, graph)
        if finding.rule == "declared-equals-real":
            return finding.urn != resource.urn
        return finding.rule == "unproved-door" and self._is_about_unsettled(finding, resource, graph)

    def _trust_is_last(self, snapshot: Snapshot, urn: str) -> bool:
        above = (snapshot.by_urn.get(parent) for parent in snapshot.ancestors(snapshot.by_urn[urn]))
        return any(parent is not None and parent.get(TRUST_LAST) is True for parent in above)

    def _is_about_unsettled(self, finding: Finding, resource: Resource, graph: Graph) -> bool:
        """Whether the name that a document speaks of may be one that AWS's provider has still to make up.

        The engine shows the inputs of a resource only, and such a name is in none.
        """
        for side in map(Arn.parse, (finding.door or "").split(" -> ")):
            there = graph.principals.unsettled(side.kind, side.account) if side and side.kind else ()
            if any(principal.urn != resource.urn for principal in there):
                return True
        return False

    def _is_made(self, finding: Finding, graph: Graph) -> bool:
        """Whether the update has already come to the role that a grant names: then its trust does not change again."""
        target = (finding.door or "").rpartition(" -> ")[2]
        return any(role.arn == target and role.urn in self._shown for role in graph.roles)


def _by_place(findings: Iterable[Finding]) -> dict[_Place, Finding]:
    return {(finding.rule, finding.urn, finding.door): finding for finding in findings}
