"""Moving resources from one stack's state to another's, as `pulumi state move` does it.

https://www.pulumi.com/docs/iac/cli/commands/pulumi_state_move/: nothing happens to the objects themselves. The named
resources go with their children, and the providers that they need are copied. In three things this goes further: a
provider that is named too leaves the source unless something there still needs it, so that the next preview of the
source has nothing to delete; a URN that neither stack has is refused, not skipped; and a move that was killed after it
had written the destination is completed by the same call.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace

from twokeys.errors import Refusal
from twokeys.sandbox.engine.resource import STACK_TYPE, Resource, make_urn, urn_name
from twokeys.sandbox.engine.state import Snapshot, StateFile, now


@dataclass(frozen=True)
class Cut:
    """A dependency that a move cuts, since no dependency leads from one stack into another; URNs as before the move.

    Attributes:
        kind: "dependencies", "propertyDependencies", "deletedWith" or "replaceWith".
    """

    urn: str
    dependency: str
    kind: str


@dataclass(frozen=True)
class Move:
    """Two states after a move, and what it does; URNs are those of the source.

    Attributes:
        moved: what leaves the source.
        copied: providers that stay in the source too.
        cut: dependencies that cannot stay.
    """

    source: Snapshot
    destination: Snapshot
    moved: tuple[str, ...]
    copied: tuple[str, ...]
    cut: tuple[Cut, ...]


def move_resources(  # noqa: PLR0913 - two stacks, what to move and how, by name
    source: StateFile,
    destination: StateFile,
    urns: tuple[str, ...],
    *,
    project: str,
    command: str = "twokeys sandbox move",
    preview: bool = False,
) -> Move:
    """Move resources between two stacks of a project. A preview writes nothing and needs no lock.

    The destination is written first. A run that is killed before the source is written leaves the resources in both;
    until the same call has completed the move, neither stack may be updated with the program.

    Raises:
        Refusal: a URN is in neither stack, something else is in its place, either stack is being changed by another
            run or has an interrupted create, or a state cannot be read or written.
    """
    if source.path == destination.path:
        raise _refusal(source.stack, "source and destination are the same stack", "name two different stacks")
    if preview:
        return plan_move(source.load(), destination.load(), urns, stack=destination.stack, project=project)
    with ExitStack() as locks:
        for state in sorted((source, destination), key=lambda one: str(one.path)):
            locks.enter_context(state.locked(command))
        move = plan_move(source.load(), destination.load(), urns, stack=destination.stack, project=project)
        for state in (destination, source):
            state.keep_backup()
        destination.save(move.destination)
        source.save(move.source)
        return move


def plan_move(source: Snapshot, destination: Snapshot, urns: tuple[str, ...], *, stack: str, project: str) -> Move:
    """What the two states are after the move into `stack`.

    Raises:
        Refusal: see `move_resources`.
    """
    for state, side in ((source, "source"), (destination, "destination")):
        if state.pending:
            why = f"an interrupted run has left a create unfinished in the {side}: {state.pending[0].urn}"
            raise _refusal(stack, why, "finish it first: update or refresh that stack")
    going = _with_children(source, frozenset(urns))
    needed = {one.provider for one in source.resources if one.urn in going}
    staying = [one for one in source.resources if one.urn not in going]
    still_needed = {one.provider for one in staying}
    going |= {one.urn for one in staying if one.is_provider and one.urn in urns and _reference(one) not in still_needed}
    copied = {
        one.urn
        for one in staying
        if one.is_provider and one.urn not in going and (_reference(one) in needed or one.urn in urns)
    }
    kept, cut_in_source = _without(going, [one for one in source.resources if one.urn not in going])
    left = {one.urn for one in kept} - copied
    taken, cut_in_destination = _without(left, [one for one in source.resources if one.urn in going | copied])
    arrived = _arrive(taken, destination, stack, project)
    _refuse_missing(urns, source, arrived, stack)
    return Move(
        replace(source, resources=tuple(kept)),
        replace(destination, resources=arrived),
        moved=tuple(one.urn for one in source.resources if one.urn in going),
        copied=tuple(one.urn for one in source.resources if one.urn in copied),
        cut=(*cut_in_source, *cut_in_destination),
    )


def _with_children(source: Snapshot, urns: frozenset[str]) -> frozenset[str]:
    """The named resources and all their children; providers and the stack itself do not go so."""
    going: set[str] = set()
    above: set[str] = set()
    for one in source.resources:  # a parent always stands before its children
        if one.urn in urns or one.parent in above:
            above.add(one.urn)
            if not one.is_provider and one.type != STACK_TYPE:
                going.add(one.urn)
    return frozenset(going)


def _without(urns: frozenset[str] | set[str], resources: list[Resource]) -> tuple[list[Resource], list[Cut]]:
    """The resources without dependencies on those URNs, and which ones they had. Parents are seen to elsewhere."""
    cut: list[Cut] = []

    def kept(of: Resource, dependencies: tuple[str, ...], kind: str) -> tuple[str, ...]:
        cut.extend(Cut(of.urn, urn, kind) for urn in dependencies if urn in urns)
        return tuple(urn for urn in dependencies if urn not in urns)

    changed = [
        replace(
            one,
            dependencies=kept(one, one.dependencies, "dependencies"),
            property_dependencies={
                key: kept(one, of, "propertyDependencies") for key, of in one.property_dependencies.items()
            },
            deleted_with=next(iter(kept(one, (one.deleted_with,), "deletedWith")), ""),
            replace_with=kept(one, one.replace_with, "replaceWith"),
        )
        for one in resources
    ]
    return changed, cut


def _arrive(taken: list[Resource], destination: Snapshot, stack: str, project: str) -> tuple[Resource, ...]:
    """The destination's resources with those, renamed; what an earlier, killed move brought there is left as it is."""
    resources = list(destination.resources)
    root = make_urn(stack, project, "", STACK_TYPE, f"{project}-{stack}")
    if all(one.urn != root for one in resources):
        moment = now()
        resources.insert(0, Resource(root, STACK_TYPE, custom=False, created=moment, modified=moment))
    there = {(one.urn, one.delete): one for one in resources}
    renamed: dict[str, str] = {"": ""}
    for one in taken:
        parent = renamed.get(one.parent, root)
        urn = make_urn(stack, project, parent, one.type, urn_name(one.urn))
        renamed[one.urn] = urn
        present = there.get((urn, one.delete))
        if one.is_provider:
            renamed[_reference(one)] = _reference(present or replace(one, urn=urn))
        if present is None:
            resources.append(_renamed(one, urn, parent, renamed))
        elif not _same_object(one, present):
            raise _refusal(
                stack,
                f"{urn} is there already, and it is not the same (id {present.id or 'none'}, not {one.id or 'none'})",
                "move to a stack that has nothing of that name, or rename the one that is there",
            )
    return tuple(resources)


def _same_object(moved: Resource, present: Resource) -> bool:
    """Whether the destination has it already: moved before, or a provider that is configured alike."""
    if moved.custom and moved.id == present.id:
        return True
    return (moved.is_provider or not moved.custom) and moved.inputs == present.inputs


def _renamed(one: Resource, urn: str, parent: str, renamed: dict[str, str]) -> Resource:
    return replace(
        one,
        urn=urn,
        parent=parent,
        provider=renamed[one.provider],
        dependencies=tuple(renamed[of] for of in one.dependencies),
        property_dependencies={
            key: tuple(renamed[of] for of in urns) for key, urns in one.property_dependencies.items()
        },
        deleted_with=renamed[one.deleted_with],
        replace_with=tuple(renamed[of] for of in one.replace_with),
    )


def _refuse_missing(urns: tuple[str, ...], source: Snapshot, arrived: tuple[Resource, ...], stack: str) -> None:
    """Each URN must be in the source, or in the destination from a move before this one."""
    known = {one.urn for one in source.resources}
    tails = {one.urn.split("::", 2)[2] for one in arrived}
    missing = [urn for urn in urns if urn not in known and urn.split("::", 2)[-1] not in tails]
    if missing or not urns:
        raise _refusal(
            stack,
            f"the source has no resource {missing[0]}" if missing else "no resource is named",
            "name URNs as they stand in the state of the source",
        )


def _reference(provider: Resource) -> str:
    return f"{provider.urn}::{provider.id}"


def _refusal(stack: str, why: str, next_step: str) -> Refusal:
    return Refusal("the resources cannot be moved", where=f"stack {stack}", why=why, next_step=next_step)
