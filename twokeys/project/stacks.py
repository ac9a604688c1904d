"""The stacks of a project and their settings; an environment may be split into many stacks, its shards."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from twokeys.errors import Refusal
from twokeys.project.config import SHARDS, Project, load_config, load_project
from twokeys.settings import Settings, parse

_DIGITS: Final = 3
_NUMBERED: Final = re.compile(rf"(?P<environment>.+)-(?P<number>[0-9]{{{_DIGITS},}})")


@dataclass(frozen=True)
class StackSettings:
    """A stack's settings and where they are said.

    Attributes:
        file: the file that people edit, from the project's folder.
        environment: of a shard, the environment that it is a part of; else "".
    """

    settings: Settings
    file: str
    environment: str = ""


def read_settings(root: Path, stack: str) -> StackSettings:
    """The settings of a stack of the project, or of a shard in its folder `shards/`.

    Raises:
        Refusal: there is no such stack, its config cannot be used, or it is an environment that is split into shards.
    """
    project = load_project(root)
    file = project.stack_file(stack)
    if shards := shards_of(project, stack):
        raise Refusal(
            f"{stack} is no stack but an environment",
            where=file.name,
            why=f"it is split into {len(shards)} shards, {shards[0]} to {shards[-1]}",
            next_step=f"name a shard; `twokeys fleet list {stack}` says which account is in which",
        )
    settings = settings_of(project, stack)
    shard = _NUMBERED.fullmatch(stack)
    if shard is not None and file.parent == root / SHARDS:
        return StackSettings(settings, f"Pulumi.{shard['environment']}.yaml", shard["environment"])
    return StackSettings(settings, file.name)


def settings_of(project: Project, stack: str) -> Settings:
    """The settings of a stack, a shard or an environment. Raises Refusal where its config cannot be used."""
    return parse(stack, load_config(project, stack, for_program=False).values)


def shards_of(project: Project, environment: str) -> list[str]:
    """The stacks that an environment is split into, in the order of their numbers; none when it is not split."""
    return [shard_name(environment, number) for number in shard_files(project.root, environment)]


def shard_files(root: Path, environment: str) -> dict[int, Path]:
    """The files of an environment's shards by number, in that order."""
    found = {}
    for path in (root / SHARDS).glob("Pulumi.*.yaml"):
        number = shard_number(environment, path.name.removeprefix("Pulumi.").removesuffix(".yaml"))
        if number is not None:
            found[number] = path
    return dict(sorted(found.items()))


def shard_name(environment: str, number: int) -> str:
    """The stack of a shard: `prod-001`."""
    return f"{environment}-{number:0{_DIGITS}d}"


def shard_number(environment: str, stack: str) -> int | None:
    """The number of a shard by its stack's name; None for a name that no shard of the environment has."""
    numbered = _NUMBERED.fullmatch(stack)
    number = int(numbered["number"]) if numbered else 0
    return number if number and shard_name(environment, number) == stack else None
