"""The stacks of a project and their settings; an environment may be split into many stacks, its shards."""

from dataclasses import dataclass
from pathlib import Path

from twokeys.errors import Refusal
from twokeys.project.config import Project, load_config, load_project, read_mapping
from twokeys.project.shards import NUMBERED, SHARDS, shard_files, shard_name
from twokeys.settings import PROJECT, parse
from twokeys.settings.models import Settings


@dataclass(frozen=True)
class StackSettings:
    """A stack's settings and where they are said.

    `file` is the file that people edit, from the project's folder; `environment` that which a shard is a part of, else
    "".
    """

    settings: Settings
    file: str
    environment: str = ""


def refuse_another_program(root: Path) -> None:
    """Raises Refusal where a folder has the project of another program: no stack of it reads config of TwoKeys."""
    path = root / "Pulumi.yaml"
    name = read_mapping(path).get("name") if path.exists() else PROJECT
    if name != PROJECT:
        raise Refusal(
            "this is the project of another program",
            where=str(path),
            why=f"its name is {name}, and config of TwoKeys is read by the program of project {PROJECT} alone",
            next_step=f"run this in a checkout of TwoKeys, whose project is {PROJECT}; beside a program of your own,"
            " `twokeys access`, `twokeys policies` and `twokeys preview` need no such config",
        )


def read_settings(root: Path, stack: str) -> StackSettings:
    """The settings of a stack of the project, or of a shard in its folder `shards/`.

    Raises Refusal when there is no such stack, its config cannot be used, or it is an environment that is split into
    shards.
    """
    project = load_project(root)
    file = project.stack_file(stack)
    if shards := shards_of(project, stack):
        raise Refusal(
            f"{stack} is no stack but an environment",
            where=file.name,
            why=f"it is split into {len(shards)} shards, {shards[0]} to {shards[-1]}",
            next_step=f"name a shard; `twokeys fleet split {stack} --check` says which account is in which",
        )
    settings = settings_of(project, stack)
    shard = NUMBERED.fullmatch(stack)
    if shard is not None and file.parent == root / SHARDS:
        return StackSettings(settings, f"Pulumi.{shard['environment']}.yaml", shard["environment"])
    return StackSettings(settings, file.name)


def settings_of(project: Project, stack: str) -> Settings:
    """The settings of a stack, a shard or an environment. Raises Refusal where its config cannot be used."""
    return parse(stack, load_config(project, stack, for_program=False))


def shards_of(project: Project, environment: str) -> list[str]:
    """The stacks that an environment is split into, in the order of their numbers; none when it is not split."""
    return [shard_name(environment, number) for number in shard_files(project.root, environment)]
