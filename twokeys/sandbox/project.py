"""What `Pulumi.yaml` and `Pulumi.<stack>.yaml` say, read as the CLI reads them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from twokeys.errors import Refusal
from twokeys.stack_yaml import loaded

_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}


@dataclass(frozen=True)
class Project:
    """A project on disk.

    Attributes:
        root: the folder with `Pulumi.yaml`.
        program: the program's main file.
        schema: the `config` section of `Pulumi.yaml`.
    """

    root: Path
    name: str
    program: Path
    schema: Mapping[str, Any]

    def stack_file(self, stack: str) -> Path:
        """Where the config of a stack is."""
        return self.root / f"Pulumi.{stack}.yaml"


@dataclass(frozen=True)
class StackConfig:
    """A stack's config as the program gets it: full key to text, objects and lists as compact JSON."""

    values: Mapping[str, str]
    secret_keys: tuple[str, ...] = ()


def load_project(root: Path) -> Project:
    """Read `Pulumi.yaml`.

    Raises:
        Refusal: it is not there, or it is not a Python project.
    """
    path = root / "Pulumi.yaml"
    data = _read(path)
    runtime = data.get("runtime")
    if "name" not in data or (runtime.get("name") if isinstance(runtime, dict) else runtime) != "python":
        raise Refusal(
            "the project cannot be read",
            where=str(path),
            why="it has no name, or its runtime is not python",
            next_step="run this in the folder of a Pulumi project in Python, or name one with --project",
        )
    main = root / str(data.get("main", "."))
    program = main if main.suffix == ".py" else main / "__main__.py"
    return Project(root, str(data["name"]), program, data.get("config") or {})


def load_config(project: Project, stack: str, overrides: Mapping[str, str]) -> StackConfig:
    """The stack's config with the project's defaults; `overrides` win over both.

    Raises:
        Refusal: the stack's file is not there, a value is missing or of the wrong type, or it is encrypted.
    """
    path = project.stack_file(stack)
    data = _read(path)
    given = {_full(project, key): value for key, value in (data.get("config") or {}).items()}
    given |= {_full(project, key): value for key, value in overrides.items()}
    values: dict[str, Any] = {}
    for key, declared in project.schema.items():
        full = _full(project, key)
        if full in given:
            _check_type(path, full, declared, given[full])
        elif isinstance(declared, dict) and ("default" in declared or "value" in declared):
            given[full] = declared.get("value", declared.get("default"))
        elif not isinstance(declared, dict):
            given[full] = declared
        else:
            raise Refusal(
                f"stack {stack} is missing the configuration value {full}",
                where=str(path),
                why=f"Pulumi.yaml declares it without a default ({declared.get('description', 'no description')})",
                next_step=f"add `{full}:` to the `config` section",
            )
    for key, value in given.items():
        if isinstance(value, dict) and "secure" in value:
            raise Refusal(
                f"the configuration value {key} cannot be decrypted",
                where=str(path),
                why="it is encrypted, and the sandbox has no secrets provider",
                next_step=f"give it on the command line: --config {key}=VALUE",
            )
        values[key] = value
    return StackConfig({key: _text(value) for key, value in values.items() if value is not None})


def _read(path: Path) -> dict[str, Any]:
    try:
        data = loaded(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise Refusal(
            f"{path.name} cannot be read",
            where=str(path),
            why=error.strerror if isinstance(error, OSError) and error.strerror else str(error),
            next_step="run this in the project's folder, or name it with --project; a stack needs its own file",
        ) from error
    if not isinstance(data, dict):
        raise Refusal(
            f"{path.name} cannot be read",
            where=str(path),
            why="it is not a YAML mapping",
            next_step="see https://www.pulumi.com/docs/iac/concepts/projects/project-file/",
        )
    return data


def _full(project: Project, key: str) -> str:
    return key if ":" in key else f"{project.name}:{key}"


def _check_type(path: Path, key: str, declared: Any, value: Any) -> None:  # noqa: ANN401 - YAML
    wanted = declared.get("type") if isinstance(declared, dict) else None
    if wanted is None or wanted not in _TYPES or isinstance(value, str):
        return  # text is what the CLI itself writes for every type; the program parses it
    if not isinstance(value, _TYPES[wanted]) or (isinstance(value, bool) and wanted != "boolean"):
        raise Refusal(
            f"the configuration value {key} has the wrong type",
            where=str(path),
            why=f"it must be of type {wanted}, it is {value!r}",
            next_step="correct the value",
        )


def _text(value: Any) -> str:  # noqa: ANN401 - YAML
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return json.dumps(value, separators=(",", ":"), default=str)
    return str(value)
