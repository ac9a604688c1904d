"""Where the answers come from: states that are read together, stacks of the sandbox, or live IAM."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from twokeys.access.snapshot import Resource, Snapshot
from twokeys.access.state import read_states
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
    found = read_states(named)
    if len(named) == 1:
        return found
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
    return replace(found, resources=tuple(known.values()))


def snapshot(states: Sequence[Path], stacks: Sequence[str], *, live: bool = False, member_role: str = "") -> Snapshot:
    """What a command was asked to look at: live IAM, or states and stacks of the sandbox; by default all of its stacks.

    Raises Refusal where there is nothing to read.
    """
    if live:
        from twokeys.access.live import read_live  # noqa: PLC0415 - boto3 takes a third of a second to import

        return read_live(member_role=member_role)
    return together([*states, *(sandbox_states(Path.cwd(), stacks) if stacks or not states else ())])
