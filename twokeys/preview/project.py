"""What a preview takes from around the program: its interpreter, and the outputs of other stacks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from twokeys.access.configuration import read_configuration
from twokeys.access.rules import RULES
from twokeys.errors import Refusal
from twokeys.exports import read_exports
from twokeys.policy_packs import load_config
from twokeys.project.config import read_mapping


def interpreter(root: Path) -> Path | None:
    """The Python of the project's own virtual environment, where it has one.

    https://www.pulumi.com/docs/iac/languages-sdks/python/#virtual-environments: `runtime.options.virtualenv` names it;
    with `toolchain: uv` it is `.venv`.
    """
    runtime = read_mapping(root / "Pulumi.yaml").get("runtime")
    options = (runtime.get("options") if isinstance(runtime, dict) else None) or {}
    folder = options.get("virtualenv") or (".venv" if options.get("toolchain") == "uv" else None)
    if folder is None:
        return None
    found = root / folder / "bin" / "python"
    return found if found.exists() else None


def rules_config(file: Path | None) -> dict[str, dict[str, object]]:
    """The policy pack's configuration in a file; empty where none is named.

    Raises Refusal when it cannot be read, or names a rule, level or setting that there is not.
    """
    return {} if file is None else read_configuration(load_config(file), RULES, where=str(file))


def outputs_of(states: Iterable[Path]) -> dict[str, Mapping[str, Any]]:
    """The outputs that each state file holds, by the name of its stack.

    Raises Refusal for a file that is no state, or does not say of which stack it is.
    """
    found: dict[str, Mapping[str, Any]] = {}
    for path in states:
        exports = read_exports(str(path))
        stack = exports.snapshot.stack
        if stack is None:
            raise Refusal(
                "the stack of this file cannot be told",
                where=str(path),
                why="it holds outputs without resources",
                next_step="give what `pulumi stack export --file FILE` writes",
            )
        found[stack] = exports.outputs
    return found
