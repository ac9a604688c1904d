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

    several = partial(click.option, multiple=True)
    for option in (
        ROLES("--member-role", "member_roles"),
        click.option("--live", is_flag=True, help="Real IAM, by your AWS credentials; --state says what was declared."),
        several("--stack", "stacks", help="A stack of the sandbox; may be repeated. Default: all of them."),
        several(
            "--state", "states", type=FILE, help="What `pulumi stack export` wrote; of several all are read together."
        ),
    ):
        asking = option(asking)
    return asking
