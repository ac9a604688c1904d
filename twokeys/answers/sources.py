"""Where the answers come from: states that are read together, stacks of the sandbox, or live IAM."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from twokeys.access.snapshot import Resource, Snapshot
from twokeys.access.state import read_state
from twokeys.errors import Refusal
from twokeys.project.states import sandbox_states


def together(files: Iterable[Path]) -> Snapshot:
    """The snapshot that several states show together, as one organization.

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
        return read_state(named[0])
    states = [read_state(file) for file in named]
    found = Snapshot.together(states, f"the states {', '.join(file.name for file in named)}")
    known: dict[str, Resource] = {}
    for resource in found.resources:
        other = known.setdefault(resource.urn, resource)
        if other != resource:
            raise Refusal(
                "two states are of the same stack",
                where=", ".join(map(str, named)),
                why=f"they tell different things of {resource.urn}",
                next_step="give one state of each stack, the newest",
            )
    whole: dict[str, tuple[Path, set[str]]] = {}
    for file, state in zip(named, states, strict=True):
        urns = {resource.urn for resource in state.resources}
        for stack in {_stack(urn) for urn in urns}:
            mine = {urn for urn in urns if _stack(urn) == stack}
            first, theirs = whole.setdefault(stack, (file, mine))
            if mine != theirs:
                only = min(mine ^ theirs)
                raise Refusal(
                    "two states are of the same stack",
                    where=f"{first}, {file}",
                    why=f"only {file if only in mine else first} has {only}",
                    next_step="give one state of each stack, the newest",
                )
    return replace(found, resources=tuple(known.values()))


def _stack(urn: str) -> str:
    """What a URN begins with: the stack and its project."""
    return "::".join(urn.split("::")[:2])


def snapshot(states: Sequence[Path], stacks: Sequence[str], *, live: bool = False, member_role: str = "") -> Snapshot:
    """What a command was asked to look at: live IAM, or states and stacks of the sandbox; by default all of its stacks.

    Raises Refusal where there is nothing to read.
    """
    if live:
        from twokeys.access.live import read_live  # noqa: PLC0415 - boto3 takes a third of a second to import

        return read_live(member_role=member_role)
    return together([*states, *(sandbox_states(Path.cwd(), stacks) if stacks or not states else ())])
