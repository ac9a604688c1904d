"""What every command that answers asks for: where to read from. Said once, so that they all read alike."""

from collections.abc import Callable
from functools import partial, wraps
from pathlib import Path
from typing import Any

import click

from twokeys.options import FILE, ROLES


def sources(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options `--state`, `--stack`, `--live` and `--member-role`, as `shown`: a call of it reads what they name."""

    @wraps(command)
    def asking(
        *arguments: Any,  # noqa: ANN401 - the command's
        states: tuple[Path, ...],
        stacks: tuple[str, ...],
        live: bool,
        member_roles: tuple[str, ...],
        **others: Any,  # noqa: ANN401 - the command's
    ) -> Any:  # noqa: ANN401 - the command's
        from twokeys.answers.sources import snapshot

        if live and stacks:
            raise click.UsageError("--live goes with --state, which says what was declared, and not with --stack")
        shown = partial(snapshot, states, stacks, live=live, member_roles=member_roles)
        return command(*arguments, shown=shown, **others)

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
            ROLES("--member-role", "member_roles"),
        )
    ):
        asking = option(asking)
    return asking
