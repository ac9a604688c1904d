"""The files of an environment's shards, made of the environment's own file."""

from pathlib import Path
from typing import Any, Final

from twokeys.files import make_folder, read_text, write_output
from twokeys.fleet.layout import Placement
from twokeys.project.config import read_mapping
from twokeys.project.environment import Environment, stored_config
from twokeys.project.stack_yaml import dumped

_PROJECT_NOTE: Final = """\
# Made by `twokeys fleet split` from ../Pulumi.yaml; change that file, not this one. The shards are stacks of the same
# project and program: `pulumi -C shards preview -s prod-001 --policy-pack ../policies`.
"""
_STACK_NOTE: Final = """\
# Made by `twokeys fleet split {environment}` from Pulumi.{environment}.yaml; change that file, not this one.
# It is also the record that these accounts are in this stack: an account moves only by `twokeys fleet move`.
"""


def write(environment: Environment, placement: Placement) -> tuple[Path, ...]:
    """Write the shards' files, each whole or not at all; the ones that say the same already are left alone.

    What a stack's file holds beside its config (the salt of its secrets) stays. Returns what was written.
    """
    make_folder(environment.folder)
    changed = outdated(environment, placement)
    for path, text in changed.items():
        write_output(path, text)
    return tuple(changed)


def outdated(environment: Environment, placement: Placement) -> dict[Path, str]:
    """The files that `write` would write, with their text."""
    changed = {}
    project = environment.folder / "Pulumi.yaml"
    text = _PROJECT_NOTE + dumped(_project(environment))
    if read_text(project) != text:
        changed[project] = text
    for number, accounts in placement.shards.items():
        path = environment.shard_file(number)
        config = environment.shard_config(accounts)
        kept = read_mapping(path) if path.exists() else {}
        # By what it says, not by its bytes: the CLI writes a stack's file in its own way.
        if not kept or stored_config(path) != config:
            changed[path] = _STACK_NOTE.format(environment=environment.name) + dumped({**kept, "config": config})
    return changed


def _project(environment: Environment) -> dict[str, Any]:
    """The project file of the shards: the same project, its program and its Python environment one folder up.

    The CLI looks for the Python environment beside Pulumi.yaml.
    """
    project = read_mapping(environment.root / "Pulumi.yaml")
    runtime = project.get("runtime")
    said: dict[str, Any] = runtime if isinstance(runtime, dict) else {"name": runtime or "python"}
    options = {**(said.get("options") or {}), "virtualenv": "../.venv"}
    return {
        **project,
        "main": f"../{project.get('main', '')}",
        "runtime": {"name": said.get("name", "python"), "options": options},
    }
