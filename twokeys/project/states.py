"""Where the states of a project's stacks are on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from twokeys.errors import Refusal

_PLACES: Final = (Path(".twokeys", "stacks"), Path(".twokeys", "demo", "stacks"))


def sandbox_states(project: Path, stacks: Sequence[str] = ()) -> list[Path]:
    """The sandbox's state files of the named stacks, or of all; where it has none, those that its demo left.

    Raises:
        Refusal: there is none, or not the one that is named.
    """
    folder = next((project / place for place in _PLACES if _states_in(project / place)), project / _PLACES[0])
    there = _states_in(folder)
    for stack in stacks:
        if stack not in there:
            raise Refusal(
                f"there is no state of stack {stack}",
                where=str(folder),
                why=f"it holds {', '.join(there)}" if there else "the sandbox has updated no stack here",
                next_step=f"run `twokeys sandbox up {stack}`, or pass a `pulumi stack export` with `--state FILE`",
            )
    if not there:
        raise Refusal(
            "there is no state to read",
            where=str(folder),
            why="the sandbox has updated no stack here, and no --state was given",
            next_step="run `twokeys sandbox demo`, or pass with `--state FILE` what `pulumi stack export` writes",
        )
    return [there[stack] for stack in stacks] if stacks else list(there.values())


def _states_in(folder: Path) -> dict[str, Path]:
    return {path.stem: path for path in sorted(folder.glob("*.json")) if not path.name.endswith(".holder.json")}
