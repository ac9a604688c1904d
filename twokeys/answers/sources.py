"""Where the answers come from: states that are read together, stacks of the sandbox, or live IAM."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
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

_TWO_TIMES = "; with `--events` it also takes one of the period's beginning"
"""Of the states of one stack, what audit does."""


def together(files: Iterable[Path], *, may_be_empty: Collection[Path] = (), also: str = "") -> Snapshot:
    """The snapshot that several states show together, as one organization.

    `may_be_empty` are those of stacks that may not be made yet. `also` is what the command takes of two of one stack.

    Raises Refusal where one is no state or shows nothing, or where two are of the same stack and differ: what they say
    together was never so at one time.
    """
    return _as_one({file: read_state(file, may_be_empty=file in may_be_empty) for file in files}, also)


def _as_one(states: Mapping[Path, Snapshot], also: str = "") -> Snapshot:
    if not states:
        raise Refusal(
            "there is no state to read",
            where="--state",
            why="no file was named",
            next_step="pass with `--state FILE` what `pulumi stack export` writes, once for each stack",
        )
    if len(states) == 1:
        return next(iter(states.values()))
    found = Snapshot.together(states.values(), f"the states {', '.join(file.name for file in states)}")
    whole: dict[str, tuple[Path, dict[str, list[Resource]]]] = {}
    for file, state in states.items():
        for stack, mine in _by_stack(state).items():
            first, theirs = whole.setdefault(stack, (file, mine))
            differing = min((urn for urn in {**mine, **theirs} if mine.get(urn) != theirs.get(urn)), default=None)
            if differing is not None:
                only = next((one for one, urns in ((file, theirs), (first, mine)) if differing not in urns), None)
                raise Refusal(
                    "two states are of the same stack",
                    where=f"{first}, {file}",
                    why=f"only {only} has {differing}" if only else f"they tell different things of {differing}",
                    next_step=f"give one state of each stack, the newest{also}",
                )
    resources = tuple(one for _, urns in whole.values() for those in urns.values() for one in those)
    return replace(found, resources=resources)


def _states_of_two_times(files: Iterable[Path]) -> Snapshot:
    """The newest state of each stack together, and what the stacks were before where there is an older one of any."""
    states = {file: read_state(file) for file in files}
    times = {file: (one.stack, one.moment) for file, state in states.items() for one in state.evidence if one.moment}
    latest: dict[str | None, datetime] = {}
    for stack, time in times.values():
        latest[stack] = max(time, latest.get(stack, time))
    older = {file for file, (stack, time) in times.items() if time < latest[stack]}
    now = _as_one({file: state for file, state in states.items() if file not in older})
    stacks = {times[file][0] for file in older}
    then = {file: state for file, state in states.items() if file in older or times.get(file, ("",))[0] not in stacks}
    return replace(now, before=_as_one(then)) if older else now


def _by_stack(state: Snapshot) -> dict[str, dict[str, list[Resource]]]:
    """The resources of each stack by URN; one that waits to be deleted has the URN of the one that replaces it."""
    stacks: dict[str, dict[str, list[Resource]]] = {}
    for one in state.resources:
        stack = "::".join(one.urn.split("::")[:2])
        stacks.setdefault(stack, {}).setdefault(one.urn, []).append(one)
    return stacks


def snapshot(
    states: Sequence[Path],
    stacks: Sequence[str],
    *,
    live: bool = False,
    member_roles: Sequence[str] = (),
    at_two_times: bool | None = None,
) -> Snapshot:
    """What a command was asked to look at: live IAM, or states and stacks of the sandbox; by default all of its stacks.

    With live IAM the states only say for whom and why its doors and users were declared. With `at_two_times` there may
    be an older state of each stack; where it is False, the command would take one with other options. Raises Refusal
    where there is nothing to read.
    """
    read = _states_of_two_times if at_two_times else partial(together, also=_TWO_TIMES * (at_two_times is False))
    if live:
        from twokeys.access.reading.live import read_live  # noqa: PLC0415 - boto3 takes a third of a second to import

        console = Console(stderr=True)
        with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
            task = progress.add_task("Reading IAM of each account", total=None)
            there = read_live(
                member_roles=member_roles, progress=lambda done, of: progress.update(task, completed=done, total=of)
            )
        return _with_declarations(there, together(states)) if states else there
    if states and not stacks:
        return read(states)
    found = read([*states, *sandbox_states(Path.cwd(), stacks)])
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
