"""Where the states of a project's stacks are on this machine."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from twokeys.errors import Refusal, or_nearest
from twokeys.project.config import load_project, read_mapping

NOT_READ: Final = "is not among the stacks whose states were read"
"""What `twokeys preview` answers a program that asks for the outputs of another stack; who knows if it is deployed."""

_SANDBOX: Final = Path(".twokeys")
_MADE: Final = _SANDBOX / "stacks"
_OF_THE_CLI: Final = Path("backend", ".pulumi", "stacks")
_OF_THE_DEMO: Final = _SANDBOX / "demo" / "stacks"


def sandbox_states(project: Path, stacks: Sequence[str] = ()) -> list[Path]:
    """The sandbox's state files of the named stacks, or of all.

    They are those of `twokeys sandbox up`, else those of the pulumi CLI in its shell, else those that its demo left.
    Raises Refusal when there is none, or not the one that is named.
    """
    folder, there = _found(project)
    for stack in stacks:
        if stack not in there:
            step = f"run `twokeys sandbox up {stack}` (in its shell: `pulumi up -s {stack}`), or pass a"
            raise Refusal(
                f"there is no state of stack {stack}",
                where=str(folder),
                why=f"it holds {', '.join(there)}" if there else "the sandbox has updated no stack here",
                next_step=or_nearest(f"{step} `pulumi stack export` with `--state FILE`", stack, there),
            )
    if not there:
        raise Refusal(
            "there is no state to read",
            where=str(folder),
            why="the sandbox has updated no stack here, or is still at it, and no --state was given",
            next_step="wait for the update to end, run `twokeys sandbox demo`, or pass with `--state FILE` what"
            " `pulumi stack export` writes",
        )
    return [there[stack] for stack in stacks] if stacks else list(there.values())


def not_whole(project: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The stacks that are none of `sandbox_states`, and those that the CLI's shell has locked: it may be updating them.

    The CLI keeps a file for each operation that holds a stack's lock; one that was killed leaves it.
    """
    folder, there = _found(project)
    locks = folder.parents[1] / "locks" / "organization" / folder.name
    locked = tuple(sorted({lock.parent.name for lock in locks.glob("*/*.json")}))
    known = load_project(project, in_python=False).stacks() if (project / "Pulumi.yaml").exists() else {}
    return tuple(sorted(known.keys() - there.keys())), locked


def states_made(project: Path) -> list[Path]:
    """All state files of `sandbox_states`; none where nothing was made yet."""
    return list(_found(project)[1].values())


def local_aws_of(state: Path) -> Path:
    """Where the accounts live in which a stack of `sandbox_states` was made: up and the CLI's shell share theirs."""
    return state.parents[5 if state.parts[-4] == ".pulumi" else 1] / "aws"


def _found(project: Path) -> tuple[Path, dict[str, Path]]:
    """The folder that counts, and its states by stack."""
    folder = project / _MADE
    there = _states_in(folder)
    of_shell = Path(os.environ.get("PULUMI_HOME", "")).parent  # of another project, in whose shell this is
    for backend in (of_shell / _OF_THE_CLI, project / _SANDBOX / "pulumi" / _OF_THE_CLI):
        if not there and backend.is_dir():
            folder = backend / str(read_mapping(project / "Pulumi.yaml").get("name"))
            there = {stack: path for stack, path in _states_in(folder).items() if not _is_empty(path)}
    if not there and (left := _states_in(project / _OF_THE_DEMO)):
        folder, there = project / _OF_THE_DEMO, left
    return folder, there


def _states_in(folder: Path) -> dict[str, Path]:
    return {path.stem: path for path in sorted(folder.glob("*.json")) if not path.name.endswith(".holder.json")}


def _is_empty(path: Path) -> bool:
    """Whether this is the checkpoint of a stack that was created and not updated yet; what cannot be read is none."""
    try:
        latest = json.loads(path.read_bytes())["checkpoint"]["latest"]
    except (ValueError, LookupError, TypeError):
        return False
    return not (latest or {}).get("resources")
