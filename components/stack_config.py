"""The edge between Pulumi's config and our settings: read once, when the program starts."""

from collections.abc import Mapping
from pathlib import Path

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env

from components.refusing import ProgramRefusal, program_refusal
from twokeys.errors import Refusal
from twokeys.project.shards import SHARDS, shard_files
from twokeys.settings import parse
from twokeys.settings.models import Settings


def stack_settings() -> Settings:
    """The settings of the stack that is running. Raises ProgramRefusal before anything is registered."""
    _refuse_split(pulumi.get_stack(), Path.cwd())
    return settings_of({**get_config_env(), **CONFIG.get()})


def settings_of(config: Mapping[str, object]) -> Settings:
    """The settings that a program writes itself, by the keys of a stack's config. Raises ProgramRefusal."""
    try:
        return parse(pulumi.get_stack(), config)
    except Refusal as refusal:
        raise program_refusal(refusal) from None


def _refuse_split(stack: str, project: Path) -> None:
    """An environment that is split into shards is no stack any more: it would make every account a second time."""
    if shard_files(project, stack):
        raise ProgramRefusal(
            f"stack {stack} as a whole",
            where=str(project / SHARDS),
            why="it is split: each of its accounts is in the stack of a shard",
            next_step=f"run `twokeys fleet preview {stack}`, or one shard: `pulumi -C shards preview -s {stack}-001`",
        )
