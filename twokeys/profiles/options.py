"""Where the doors stand, the states of the stacks or one published file: what every command for people asks."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from twokeys.exports import Exports

DOORS = "TWOKEYS_DOORS"
_Command = TypeVar("_Command", bound=Callable[..., Any])


def doors_options(command: _Command) -> _Command:
    """`--state` and `--from`, as `states` and `published`: what `exports_of` takes."""
    for option in (
        click.option(
            "--state",
            "states",
            multiple=True,
            metavar="FILE",
            help="What a stack exports: `pulumi stack export`, `pulumi stack output --json` or a sandbox state; - is "
            "the standard input. Give one for each stack, also the one that holds the people.",
        ),
        click.option(
            "--from",
            "published",
            metavar="URL_OR_FILE",
            help=f"One file for everybody, instead of states: what `twokeys access export` wrote. Default: ${DOORS}.",
        ),
    ):
        command = option(command)
    return command


def exports_of(states: tuple[str, ...], published: str | None, *, sandbox: bool = False) -> list[Exports]:
    """What the states or the published file export; where none is named, the file of `$TWOKEYS_DOORS`.

    Args:
        sandbox: whether the states of this project's sandbox will do where nothing else is named.

    Raises:
        click.UsageError: both are named, or neither.
        Refusal: one cannot be read.
    """
    from twokeys.exports import read_exports
    from twokeys.project.states import sandbox_states

    named = states or published
    published = published or (None if named else os.environ.get(DOORS))
    if sandbox and not states and not published:
        states = tuple(map(str, sandbox_states(Path.cwd())))
    if bool(states) == bool(published):
        raise click.UsageError(
            f"Say where the doors stand: --from URL_OR_FILE (or ${DOORS}), or --state FILE for each stack."
        )
    return [read_exports(each) for each in ((published,) if published else states)]
