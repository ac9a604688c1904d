"""Options that commands have in common, said once so that they read the same everywhere."""

import re
import stat
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import click
from click.shell_completion import CompletionItem

from twokeys.access_role import ACCESS_ROLE
from twokeys.errors import Refusal

_WHOLE = 1000


class InputPath(click.Path):
    """A path that is read. A named pipe is refused: opening it waits for whoever writes. `<(COMMAND)` is taken."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401
        """The path. Fails for a named pipe, and for what no path can be: links in a circle, a name too long."""
        path = super().convert(value, param, ctx)
        try:
            named_pipe = is_named_pipe(Path(str(path)).resolve())
        except (OSError, RuntimeError) as error:
            self.fail(f"{value!r} leads nowhere: {getattr(error, 'strerror', None) or error}", param, ctx)
        if named_pipe:
            self.fail(f"{value} is a pipe, and a file is needed", param, ctx)
        return path

    def fail(self, message: str, param: click.Parameter | None = None, ctx: click.Context | None = None) -> NoReturn:
        """Raises Refusal: the command line is right, and what it names is not there to be read."""
        where = param.get_error_hint(ctx) if param is not None and ctx is not None else "the command line"
        step = "name what is there and may be read"
        raise Refusal("there is nothing to read", where=where.strip("'"), why=message.rstrip("."), next_step=step)


def is_named_pipe(path: Path) -> bool:
    """Whether this is a pipe by name and not one that a shell holds open (/dev/fd/63)."""
    return not str(path).startswith(("/dev/", "/proc/")) and path.exists() and stat.S_ISFIFO(path.stat().st_mode)


class Group(click.Group):
    """A group whose help gives the whole first sentence of each command: click cuts one off at the line's end."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The commands, and what they are for."""
        rows = [(name, command.get_short_help_str(_WHOLE)) for name, command in sorted(self.commands.items())]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


class _AccountId(click.ParamType[str]):
    name = "ID"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ANN401
        if not re.fullmatch("[0-9]{12}", value):
            self.fail(f"an account id has 12 digits, and {value!r} has not", param, ctx)
        return str(value)


class _Profile(click.ParamType[str]):
    name = "NAME"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002
        from twokeys.aws_errors import profile_names

        return [CompletionItem(name) for name in profile_names() if name.startswith(incomplete)]


FILE = InputPath(exists=True, dir_okay=False, path_type=Path)
"""A file that is read and is there."""
FOLDER = InputPath(file_okay=False, path_type=Path)
"""A folder, which need not be there."""
ACCOUNT = _AccountId()
"""The id of an account."""
PROFILE = _Profile()
"""A profile of the AWS config file."""


def _overrides(_: click.Context, __: click.Parameter, texts: tuple[str, ...]) -> dict[str, str]:
    split = [text.partition("=") for text in texts]
    if wrong := next((text for text, (key, sign, _) in zip(texts, split, strict=True) if not (key and sign)), None):
        raise click.UsageError(f"--config takes KEY=VALUE, not {wrong!r}")
    return {key: value for key, _, value in split}


CONFIG = click.option(
    "--config",
    "overrides",
    multiple=True,
    callback=_overrides,
    metavar="KEY=VALUE",
    help="A config value that wins over the file's.",
)
"""Config values by key, as `overrides`."""
_PACK_CONFIG = partial(
    click.option,
    "pack_config",
    "--policy-pack-config",
    type=InputPath(path_type=Path, dir_okay=False),
    help="Exceptions and enforcement by rule, as JSON.",
)
PACK_CONFIG = _PACK_CONFIG()
PACK_CONFIG_OF_STATES = _PACK_CONFIG("--config")
"""The same where no program has config values, by its earlier name too."""


def _roles(_: click.Context, option: click.Parameter, names: tuple[str, ...]) -> tuple[str, ...]:
    if wrong := [name for name in names if not re.fullmatch(r"[\w+=,.@-]{1,64}", name, re.ASCII)]:
        raise click.UsageError(f"{option.opts[0]} {wrong[0]!r}: a role's name has 1 to 64 letters, digits and +=,.@_-")
    return tuple(dict.fromkeys(names)) or (ACCESS_ROLE,)


ROLES = partial(
    click.option,
    multiple=True,
    callback=_roles,
    help=f"A role by which AWS is asked in member accounts; of several the first that works. Default: {ACCESS_ROLE}.",
)
"""The roles to try in member accounts, in their order, and no other, under the name that a command gives the option."""
PROJECT = click.option("--project", type=FOLDER, default=Path(), help="The folder with Pulumi.yaml. Default: this one.")
