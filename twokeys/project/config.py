"""What `Pulumi.yaml` and the files of stacks say, read as the pulumi CLI reads them.

https://www.pulumi.com/docs/iac/concepts/projects/project-file/ and .../concepts/config/ . A stack's file lies beside
`Pulumi.yaml`, in the folder that `stackConfigDir` names, or, for a shard of an environment, in `shards/`.
"""

import json
import re
import stat
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import yaml

from twokeys.errors import Refusal, nearest
from twokeys.project.shards import SHARDS
from twokeys.project.stack_yaml import as_text, loaded
from twokeys.shown import short

MOST_CONFIG: Final = 128 * 1024 - len("PULUMI_CONFIG=") - 1
"""Bytes of config, as JSON: a language host hands it over in one variable of the environment, which Linux ends at
128 KiB (MAX_ARG_STRLEN, https://man7.org/linux/man-pages/man2/execve.2.html)."""
_MOST_BYTES: Final = 8 * 1024 * 1024
_STACK: Final = re.compile(r"[A-Za-z0-9_.-]{1,100}")
"""https://www.pulumi.com/docs/iac/concepts/stacks/#create-stack"""
_STACK_FILE: Final = re.compile(r"Pulumi\.(?P<stack>.+)\.yaml")


@dataclass(frozen=True)
class Project:
    """A project on disk.

    Attributes:
        root: the folder with `Pulumi.yaml`.
        program: the program's main file.
        schema: the `config` section of `Pulumi.yaml`.
        config_folder: where the stacks' files are, from `root`.
    """

    root: Path
    name: str
    program: Path
    schema: Mapping[str, Any] = field(default_factory=dict)
    config_folder: str = "."

    def stack_file(self, stack: str) -> Path:
        """Where the config of a stack is, or would be; of a shard that has no other file, in `shards/`.

        Raises Refusal when no stack can have that name.
        """
        if not _STACK.fullmatch(stack):
            raise Refusal(
                f"{stack!r} as the name of a stack",
                where=str(self.root),
                why="the name of a stack has at most 100 letters, digits, hyphens, underscores and periods",
                next_step="name a stack by its file: `prod` for Pulumi.prod.yaml",
            )
        name = f"Pulumi.{stack}.yaml"
        beside, shard = self.root / self.config_folder / name, self.root / SHARDS / name
        return shard if shard.exists() and not beside.exists() else beside

    def stacks(self) -> dict[str, Path]:
        """The file of each stack and shard that has one, by the stack's name."""
        folders = (self.root / self.config_folder, self.root / SHARDS)
        files = [path for folder in folders for path in sorted(folder.glob("Pulumi.*.yaml"))]
        named = ((_STACK_FILE.fullmatch(path.name), path) for path in reversed(files))
        return dict(sorted((found["stack"], path) for found, path in named if found))


def load_project(root: Path, *, in_python: bool = True) -> Project:
    """Read `Pulumi.yaml`. Raises Refusal when it is not there, cannot be read, or is no project `in_python`."""
    path = root / "Pulumi.yaml"
    data = read_mapping(path)
    runtime = data.get("runtime")
    language = runtime.get("name") if isinstance(runtime, dict) else runtime
    if not data.get("name") or (in_python and language != "python"):
        raise Refusal(
            "this is not a Pulumi project in Python",
            where=str(path),
            why=f"its runtime is {language}" if data.get("name") and language else "it has no name, or no runtime",
            next_step="run this in the folder of a Pulumi project in Python, or name one with --project; for another"
            " language, `twokeys policies init policies`, then `pulumi preview --policy-pack policies`, on a local AWS"
            " with what `twokeys sandbox shell` prints in a Python project",
        )
    main = root / as_text(data.get("main") or ".")
    program = main if main.suffix == ".py" else main / "__main__.py"
    schema = data.get("config") or {}
    folder = data.get("stackConfigDir") or (schema if isinstance(schema, str) else ".")
    return Project(root, as_text(data["name"]), program, schema if isinstance(schema, dict) else {}, as_text(folder))


def load_config(
    project: Project, stack: str, overrides: Mapping[str, str] | None = None, *, for_program: bool = True
) -> Mapping[str, str]:
    """The stack's config with the project's defaults, as the program gets it: full key to text.

    Objects and lists are compact JSON; `overrides`, as on a command line, win over both.
    An override of a key that `Pulumi.yaml` declares an object or a list is YAML; any other is the text itself.
    `for_program` is False for a file that is only read, as that of an environment which is split into shards: it may be
    larger than any program could be given. Raises Refusal when no stack can have that name, its file is not there, a
    value is missing or of the wrong type, it is encrypted, or all of it is too much for a program.
    """
    path = project.stack_file(stack)
    given: dict[str, Any] = {}
    for key, value in read_config(path).items():
        if (full := as_full_key(project, key)) in given:
            raise _unreadable(path, f"{full} stands twice, once without its namespace", "take out one of the two")
        given[full] = value
    for key, text in (overrides or {}).items():
        given[as_full_key(project, key)] = _overriding(project, key, text)
    _complete(project, stack, path, given, {as_full_key(project, key) for key in overrides or ()})
    for key, value in given.items():
        if _encrypted(value):
            raise Refusal(
                f"the configuration value {key} cannot be decrypted",
                where=str(path),
                why="it is encrypted, and only the pulumi CLI has the stack's secrets provider",
                next_step=f"give it on the command line: --config {key}=VALUE",
            )
    # The CLI sorts the keys of objects, as Go does with every map.
    compact = partial(json.dumps, separators=(",", ":"), sort_keys=True)
    config = {key: (compact if isinstance(one, dict | list) else as_text)(one) for key, one in given.items()}
    if for_program:
        _refuse_too_much(config, stack)
    return config


def read_config(path: Path) -> dict[str, Any]:
    """The `config` section of a stack's file: keys as they are written, values as YAML.

    A stack without config needs no file (the CLI 3.274.1 runs one); a misspelt one shows where other stacks have files.
    Raises Refusal when other stacks have such a file and this one has none, or it is no stack's.
    """
    if not path.is_symlink() and not path.exists() and not any(path.parent.glob("Pulumi.*.yaml")):
        return {}
    data = read_mapping(path)
    for key in data:
        if "config" not in data and nearest(key, ["config"], 0.8):
            raise _unreadable(path, f"it has no `config`, and {key!r} looks like one misspelt")
    config = data.get("config") or {}
    if not isinstance(config, dict):
        raise _unreadable(path, "its `config` is not a mapping")
    return config


def read_mapping(path: Path) -> dict[str, Any]:
    """A file of YAML whose top is a mapping; an empty file is an empty one.

    Raises Refusal when there is no such file, or it is no file, no YAML or no mapping (see
    `twokeys.project.stack_yaml`).
    """
    try:
        data = loaded(_text_of(path))
    except FileNotFoundError as error:
        stack = _STACK_FILE.fullmatch(path.name)
        others = [
            found["stack"] for each in path.parent.glob("Pulumi.*.yaml") if (found := _STACK_FILE.fullmatch(each.name))
        ]
        near = nearest(stack["stack"], others) if stack else None
        raise Refusal(
            f"there is no {path.name}",
            where=str(path),
            why=f"the stacks there are {', '.join(sorted(others))}"
            if stack and others
            else "a project has a Pulumi.yaml, and each of its stacks a file beside it",
            next_step=f"write {near}, if that is meant"
            if near
            else "run this in the project's folder, or name it with --project",
        ) from error
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        words = ", ".join(one for one in (error.context, error.problem) if one)
        raise _unreadable(path, f"it is no YAML: {words}{place}") from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise _unreadable(path, str(error)) from error
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise _unreadable(path, "it is not a YAML mapping")
    return data


def as_full_key(project: Project, key: str) -> str:
    """A key with its namespace: the project's, where it is written without."""
    return key if ":" in key else f"{project.name}:{key}"


def _text_of(path: Path) -> str:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):  # to open a pipe would wait for whoever writes into it
        raise OSError(None, "it is a folder, a pipe or a device, and a file is needed")
    if status.st_size > _MOST_BYTES:
        raise OSError(None, f"it has {status.st_size:,} bytes, and the largest fleet's has less than {_MOST_BYTES:,}")
    return path.read_text(encoding="utf-8")


def _refuse_too_much(config: Mapping[str, str], stack: str) -> None:
    size = len(json.dumps(config, separators=(",", ":")).encode())
    if size > MOST_CONFIG:
        largest = max(config, key=lambda key: len(config[key]))
        raise Refusal(
            f"the config of stack {stack} is too large",
            where=largest,
            why=f"it has {size:,} bytes as JSON, and a program takes it in one variable of {MOST_CONFIG:,} at most",
            next_step=f"spread it over several stacks: `twokeys fleet split {stack}` does that with accounts and doors",
        )


def _complete(project: Project, stack: str, path: Path, given: dict[str, Any], overriding: Set[str]) -> None:
    """Check the values against `Pulumi.yaml`, and add what it says itself; `overriding` are of the command line."""
    for key, declared in project.schema.items():
        full = as_full_key(project, key)
        if full in given:
            if not _has_its_type(declared, given[full]):
                raise Refusal(
                    f"the configuration value {full} has the wrong type",
                    where="--config" if full in overriding else str(path),
                    why=f"it must be of type {declared['type']}, it is {short(given[full])}",
                    next_step=_WRITTEN.get(declared["type"], "correct the value"),
                )
        elif not isinstance(declared, dict):
            given[full] = declared
        elif "value" in declared or "default" in declared:
            given[full] = declared.get("value", declared.get("default"))
        elif full.startswith(f"{project.name}:"):
            raise Refusal(
                f"stack {stack} is missing the configuration value {full}",
                where=str(path),
                why=f"Pulumi.yaml declares it without a default ({declared.get('description', 'no description')})",
                next_step=f"add `{full}:` to the `config` section",
            )


def _overriding(project: Project, key: str, text: str) -> Any:  # noqa: ANN401 - YAML
    full = as_full_key(project, key)
    declared = next((one for name, one in project.schema.items() if as_full_key(project, name) == full), None)
    if not isinstance(declared, dict) or declared.get("type") not in ("object", "array"):
        return text
    try:
        return loaded(_ESCAPE.sub(_in_yaml, text))
    except yaml.YAMLError as error:
        raise Refusal(
            f"the configuration value {full} cannot be read",
            where="--config",
            why=f"it is of type {declared['type']}, and {short(text)} is no YAML: {error}",
            next_step=f"write it as JSON or YAML: --config '{full}={{...}}'",
        ) from error


# JSON escapes a character above U+FFFF as two surrogates, and YAML knows no such pair.
_ESCAPE: Final = re.compile(r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|.)", re.DOTALL)


def _in_yaml(escape: re.Match[str]) -> str:
    return json.loads(f'"{escape[0]}"') if len(escape[0]) > 2 else escape[0]


def _has_its_type(declared: Any, value: Any) -> bool:  # noqa: ANN401 - YAML
    if not isinstance(declared, dict) or "type" not in declared or _encrypted(value):
        return True
    return _fits(declared, value if isinstance(value, dict | list) else as_text(value))


_WRITTEN: Final = {
    "object": "write `key: value` lines below it, indented deeper than it, or {} for none",
    "array": "write a list, as in [one, two]",
    "integer": "write a whole number",
    "boolean": "write true or false",
}


def _fits(declared: Mapping[str, Any], value: object) -> bool:
    """As `ValidateConfigValue` of the CLI: text may stand for a whole number or a truth value, and never for an object.

    What is no object or list comes as text, but for the items of a list.
    """
    items = declared.get("items")
    match declared.get("type"):
        case "string":
            return isinstance(value, str)
        case "integer":
            return re.fullmatch(r"[-+]?[0-9]+", as_text(value)) is not None
        case "boolean":
            return as_text(value) in ("true", "false")
        case "object":
            return isinstance(value, dict)
        case "array":
            return isinstance(value, list) and (not isinstance(items, dict) or all(_fits(items, one) for one in value))
        case _:
            return True


def _encrypted(value: object) -> bool:
    """Whether a value is a secret, or has one anywhere."""
    if isinstance(value, dict):
        if set(value) == {"secure"} and isinstance(value["secure"], str):
            return True
        return any(map(_encrypted, value.values()))
    return isinstance(value, list) and any(map(_encrypted, value))


def _unreadable(path: Path, why: str, step: str = "mend the file, or name another") -> Refusal:
    return Refusal(f"{path.name} cannot be read", where=str(path), why=why, next_step=step)
