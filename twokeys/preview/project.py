"""A preview of a stack of a project, and what it takes from around the program: interpreter, other stacks' outputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import IO, Any

from twokeys.access.configuration import read_configuration
from twokeys.access.report import Verdicts
from twokeys.access.rules import RULES
from twokeys.access.snapshot import Snapshot
from twokeys.errors import Refusal
from twokeys.exports import read_exports
from twokeys.policy_packs import load_config as load_pack_config
from twokeys.preview.program import judge, preview
from twokeys.project.config import Project, load_config, read_config, read_mapping


def stack_preview(  # noqa: PLR0913 - all but the stack by name
    project: Project,
    stack: str,
    overrides: Mapping[str, str],
    *,
    rules: Mapping[str, Mapping[str, object]],
    stacks: Mapping[str, Mapping[str, Any]] | None = None,
    account: str | None = None,
    say: Callable[[str, str], None],
    output: IO[str] | None = None,
) -> tuple[Snapshot, Verdicts]:
    """What the program registers for a stack of its project, and what the rules find in it.

    `overrides` are config values that win over the stack's file; `say` gets the program's messages, each with its
    severity. Raises Refusal when the config or the program fails.
    """
    hidden = placeholders(project, stack)
    config = load_config(project, stack, hidden | dict(overrides))
    snapshot = preview(
        project.program,
        stack,
        config.values,
        project=project.name,
        secret_keys=(*config.secret_keys, *(key if ":" in key else f"{project.name}:{key}" for key in hidden)),
        stacks=stacks,
        account=account,
        python=interpreter(project.root),
        say=say,
        output=output,
    )
    return snapshot, judge(snapshot, rules, account=account)


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


def placeholders(project: Project, stack: str) -> dict[str, str]:
    """A text in place of each secret in a stack's config: only the pulumi CLI has what decrypts it.

    Raises Refusal when the file cannot be read.
    """
    given = read_config(project.stack_file(stack))
    secrets = (key for key, value in given.items() if isinstance(value, dict) and value.keys() == {"secure"})
    return {key: f"[secret {key}]" for key in secrets}


def rules_config(file: Path | None) -> dict[str, dict[str, object]]:
    """The policy pack's configuration in a file; empty where none is named.

    Raises Refusal when it cannot be read, or names a rule, level or setting that there is not.
    """
    return {} if file is None else read_configuration(load_pack_config(file), RULES, where=str(file))


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
