"""Where the answers come from: states that are read together, stacks of the sandbox, or live IAM."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from twokeys.access.model.accounts import Accounts
from twokeys.access.model.principals import PEOPLE_COMPONENT
from twokeys.access.reading.snapshot import STACK, Resource, Snapshot
from twokeys.access.reading.state import read_state
from twokeys.access.reading.type_names import USER
from twokeys.errors import Refusal
from twokeys.project.states import not_whole, sandbox_states


def together(files: Iterable[Path], *, may_be_empty: Collection[Path] = ()) -> Snapshot:
    """The snapshot that several states show together, as one organization.

    `may_be_empty` are those of stacks that may not be made yet.

    Raises Refusal where one is no state or shows nothing, or where two are of the same stack and differ: what they say
    together was never so at one time.
    """
    named = tuple(dict.fromkeys(files))
    if not named:
        raise Refusal(
            "there is no state to read",
            where="--state",
            why="no file was named",
            next_step="pass with `--state FILE` what `pulumi stack export` writes, once for each stack",
        )
    if len(named) == 1:
        return read_state(named[0], may_be_empty=named[0] in may_be_empty)
    states = [read_state(file, may_be_empty=file in may_be_empty) for file in named]
    found = Snapshot.together(states, f"the states {', '.join(file.name for file in named)}")
    whole: dict[str, tuple[Path, dict[str, list[Resource]]]] = {}
    for file, state in zip(named, states, strict=True):
        for stack, mine in _by_stack(state).items():
            first, theirs = whole.setdefault(stack, (file, mine))
            differing = min((urn for urn in {**mine, **theirs} if mine.get(urn) != theirs.get(urn)), default=None)
            if differing is not None:
                only = next((one for one, urns in ((file, theirs), (first, mine)) if differing not in urns), None)
                raise Refusal(
                    "two states are of the same stack",
                    where=f"{first}, {file}",
                    why=f"only {only} has {differing}" if only else f"they tell different things of {differing}",
                    next_step="give one state of each stack, the newest",
                )
    resources = tuple(one for _, urns in whole.values() for those in urns.values() for one in those)
    return replace(found, resources=resources)


def _by_stack(state: Snapshot) -> dict[str, dict[str, list[Resource]]]:
    """The resources of each stack by URN; one that waits to be deleted has the URN of the one that replaces it."""
    stacks: dict[str, dict[str, list[Resource]]] = {}
    for one in state.resources:
        stack = "::".join(one.urn.split("::")[:2])
        stacks.setdefault(stack, {}).setdefault(one.urn, []).append(one)
    return stacks


def snapshot(states: Sequence[Path], stacks: Sequence[str], *, live: bool = False, member_role: str = "") -> Snapshot:
    """What a command was asked to look at: live IAM, or states and stacks of the sandbox; by default all of its stacks.

    With live IAM the states only say for whom and why its doors and users were declared. Raises Refusal where there is
    nothing to read.
    """
    if live:
        from twokeys.access.reading.live import read_live  # noqa: PLC0415 - boto3 takes a third of a second to import

        console = Console(stderr=True)
        with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
            task = progress.add_task("Reading IAM of each account", total=None)
            there = read_live(
                member_role=member_role, progress=lambda done, of: progress.update(task, completed=done, total=of)
            )
        return _with_declarations(there, together(states)) if states else there
    if states and not stacks:
        return together(states)
    found = together([*states, *sandbox_states(Path.cwd(), stacks)])
    without_state, locked = not_whole(Path.cwd())
    return replace(
        found,
        without_state=() if stacks else without_state,
        unfinished=tuple(dict.fromkeys((*found.unfinished, *(one for one in locked if not stacks or one in stacks)))),
    )


def _with_declarations(there: Snapshot, states: Snapshot) -> Snapshot:
    """Live IAM with the doors that stacks export, and its users as children of the `People` that makes them."""
    accounts = Accounts(states)
    people = {
        one.urn: replace(one, inputs=None, outputs={"account": accounts.canonical(one.text("account") or "")})
        for one in states.of_type(PEOPLE_COMPONENT)
    }
    parents = {one.text("arn"): one.parent for one in states.of_type(USER) if one.parent in people}
    doors = (replace(one, inputs=None, outputs={"doors": one.get("doors")}) for one in states.of_type(STACK))
    declared = (
        replace(one, parent=parents.get(one.text("arn"))) if one.type == USER else one for one in there.resources
    )
    origin = f"{there.origin}; declared by {states.origin}"
    evidence = (*there.evidence, *states.evidence)
    return replace(there, resources=(*declared, *people.values(), *doors), origin=origin, evidence=evidence)
