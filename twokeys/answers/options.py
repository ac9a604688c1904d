"""What every command that answers asks for: where to read from. Said once, so that they all read alike."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from twokeys.access_role import ACCESS_ROLE
from twokeys.options import FILE

Command = TypeVar("Command", bound=Callable[..., Any])


def sources(command: Command) -> Command:
    """The options `--state`, `--stack`, `--live` and `--member-role`, as `states`, `stacks`, `live`, `member_role`."""
    for option in reversed(
        (
            click.option(
                "--state",
                "states",
                type=FILE,
                multiple=True,
                help="What `pulumi stack export` wrote; may be repeated: all are read together.",
            ),
            click.option(
                "--stack",
                "stacks",
                multiple=True,
                help="A stack of the sandbox; may be repeated. Default: all of them.",
            ),
            click.option(
                "--live",
                is_flag=True,
                help="Real IAM, read with your AWS credentials; --state then says what was declared.",
            ),
            click.option(
                "--member-role", default=ACCESS_ROLE, show_default=True, help="With --live: the role to read by."
            ),
        )
    ):
        command = option(command)
    return command


def asked(stacks: tuple[str, ...], *, live: bool) -> None:
    """Refuse options that exclude each other."""
    if live and stacks:
        raise click.UsageError("--live goes with --state, which says what was declared, and not with --stack")
