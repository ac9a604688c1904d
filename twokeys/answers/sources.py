"""Where the answers come from: states that are read together, stacks of the sandbox, or live IAM."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from twokeys.access.snapshot import Resource, Snapshot
from twokeys.access.state import read_state, sandbox_states
from twokeys.errors import Refusal

_STACK = "pulumi:pulumi:Stack"


def together(files: Iterable[Path]) -> Snapshot:
    """The snapshot that several states show together, as one organization.

    Raises Refusal where one is no state or shows nothing, or where two are of the same stack and differ: what they say
    together was never so at one time.
    """
    found: dict[str, tuple[Path, Resource]] = {}
    names = []
    for file in dict.fromkeys(files):
        snapshot = read_state(file)
        names.append(file.name)
        if all(resource.type == _STACK for resource in snapshot.resources):
            raise Refusal(
                "this state shows nothing",
                where=str(file),
                why="it has no resource, so that nobody could enter is not what it proves",
                next_step="export the stack after its update: `pulumi stack export --file FILE`",
            )
        for resource in snapshot.resources:
            known = found.setdefault(resource.urn, (file, resource))
            if known[1] != resource and known[0] != file:
                raise Refusal(
                    "two states are of the same stack",
                    where=f"{known[0]}, {file}",
                    why=f"they tell different things of {resource.urn}",
                    next_step="give one state of each stack, the newest",
                )
    if not found:
        raise Refusal(
            "there is no state to read",
            where="--state",
            why="no file was named",
            next_step="pass with `--state FILE` what `pulumi stack export` writes, once for each stack",
        )
    what = "the state" if len(names) == 1 else "the states"
    return Snapshot(tuple(resource for _, resource in found.values()), f"{what} {', '.join(names)}")


def snapshot(states: Sequence[Path], stacks: Sequence[str], *, live: bool = False, member_role: str = "") -> Snapshot:
    """What a command was asked to look at: live IAM, or states and stacks of the sandbox; by default all of its stacks.

    Raises Refusal where there is nothing to read.
    """
    if live:
        from twokeys.access.live import read_live  # noqa: PLC0415 - boto3 takes a third of a second to import

        return read_live(member_role=member_role)
    return together([*states, *(sandbox_states(Path.cwd(), stacks) if stacks or not states else ())])
