"""Where the doors stand, the states of the stacks or one published file: what every command for people asks."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Set
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem

from twokeys.errors import Refusal
from twokeys.shown import in_utc, printable

if TYPE_CHECKING:
    from twokeys.exports import Exports
    from twokeys.profiles.reading import Reading

DOORS = "TWOKEYS_DOORS"
_SAY_WHERE = f"Say where the doors stand: --from URL_OR_FILE (or ${DOORS}), or --state FILE for each stack."


ORGANIZATION = "--prefix org2- --source-profile NAME (your credentials there)"
"""How to have profiles of a second organization beside those of the first."""
_Command = TypeVar("_Command", bound=Callable[..., Any])


def any_file(_: click.Context, __: click.Parameter, begun: str) -> list[CompletionItem]:
    """The files of the folder, for TAB."""
    return [CompletionItem(begun, type="file")]


def doors_options(command: _Command) -> _Command:
    """`--state` and `--from`, as `states` and `published`: what `exports_of` takes."""
    for option in (
        click.option(
            "--state",
            "states",
            multiple=True,
            metavar="FILE",
            shell_complete=any_file,
            help="What a stack exports: `pulumi stack export`, `pulumi stack output --json` or a sandbox state; - is "
            "the standard input. Give one for each stack, also the one that holds the people.",
        ),
        click.option(
            "--from",
            "published",
            multiple=True,
            metavar="URL_OR_FILE",
            shell_complete=any_file,
            help="A file for everybody, instead of states: what `twokeys access export` wrote; - is the standard "
            f"input. Several files of one organization count together. Default: ${DOORS}, else the sandbox's states.",
        ),
    ):
        command = option(command)
    return command


def complete(ctx: click.Context, param: click.Parameter, begun: str) -> list[str]:
    """The doors (one's own, else all), people, roles or accounts of the file that is named, or the sandbox's: TAB.

    Where an address is named, which is asked when one runs the command, the doors that have profiles.
    """
    from twokeys.files import read_text
    from twokeys.profiles.awsconfig import doors_in
    from twokeys.profiles.reading import Reading, read_ways, with_states
    from twokeys.profiles.ways import known_people, known_roles
    from twokeys.profiles.writing import config_file
    from twokeys.project.states import sandbox_states

    named = ctx.params.get("states") or ctx.params.get("published") or (os.environ.get(DOORS, ""),)
    files = [each for each in named if each != "-" and Path(each).is_file()]
    try:
        files = files or [*map(str, sandbox_states(Path.cwd()) if named == ("",) else ())]
        told = read_ways(with_states(exports_of((), tuple(files)))) if files else Reading((), {})
        doors = {way.name for way in told.ways} if files else doors_in(read_text(config_file()))
    except Refusal:
        return []
    people, names = known_people(told.ways, told.members), {"role": known_roles(told.ways)}
    of_option = names | {"person": people, "user": people, "account": {*told.accounts.values()}}
    known = [of_option[param.name]] if param.name in of_option else [_own(told, names), doors]
    found = (sorted(name for name in of if name.startswith(begun)) for of in known)
    return next(filter(None, found), [])


def _own(told: Reading, names: Mapping[str, Set[str]]) -> set[str]:
    """The doors of those for whom `twokeys profiles` wrote: whose are the credentials, AWS alone could say."""
    from twokeys.doors import Who
    from twokeys.files import read_text
    from twokeys.profiles.awsconfig import holders
    from twokeys.profiles.ways import beyond, ways_of
    from twokeys.profiles.writing import config_file

    try:
        whose = {
            Who("role" if one in names["role"] else "user", "", one)
            for one in holders(read_text(config_file())).values()
        }
        ways = [way for who in whose for way in ways_of(told.ways, told.members, who)]
    except Refusal:
        return set()
    return {way.name for way in (*ways, *beyond(told.ways, ways))}


def read_said(exports: list[Exports]) -> Reading:
    """What `read_ways` reads, with its notes on standard error."""
    from twokeys.profiles.reading import read_ways

    told = read_ways(exports)
    for each in told.notes:
        note(each)
    return told


def like(pattern: str, why_not: str) -> Callable[[click.Context, click.Parameter, str | None], str | None]:
    """The callback of an option that takes only what a pattern does."""

    def checked(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
        if value and not re.fullmatch(pattern, value):
            raise click.BadParameter(f"{value!r}{why_not}", ctx, param)
        return value

    return checked


mfa_serial = like(
    r"[A-Za-z0-9_+=/:,.@-]{9,256}",
    " is no ARN of an MFA device (arn:aws:iam::ACCOUNT:mfa/NAME), and no serial number of 9 to 256 characters",
)
"""An MFA device as AssumeRole names it: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html"""


def moment(said: object) -> datetime | None:
    """A moment in ISO 8601, in UTC; None for anything else."""
    try:
        return datetime.fromisoformat(str(said)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def as_of(exports: Exports) -> str:
    """Of when a published file is, in words; "" where it does not say so."""
    written = moment(exports.outputs.get("as_of"))
    ahead = ", which is to come: its clock or this one is wrong" if written and written > datetime.now(UTC) else ""
    return f"as of {in_utc(written)}{ahead}" if written else ""


def note(text: str) -> None:
    """Say on standard error what is worth knowing and no reason to refuse."""
    click.echo(f"Note: {printable(text)}.", err=True)


def exports_of(states: tuple[str, ...], published: tuple[str, ...], *, sandbox: bool = False) -> list[Exports]:
    """What the states or the published files export; where none is named, the file of `$TWOKEYS_DOORS`.

    `sandbox` is whether the states of this project's sandbox will do where nothing else is named; which they are is
    then said on standard error. Raises click.UsageError when both are named, or neither. Raises Refusal when one cannot
    be read.
    """
    from twokeys.exports import read_exports

    if states and published:
        raise click.UsageError("give --from or --state, not both: one file for everybody, or a state for each stack")
    named = states or published or tuple(filter(None, [os.environ.get(DOORS)]))
    if "" in named:
        raise click.UsageError(f"a name is empty. {_SAY_WHERE}")
    if sandbox and not named:
        named = _of_the_sandbox()
    if not named:
        raise click.UsageError(
            f'{_SAY_WHERE} Those of the sandbox are written in its shell: eval "$(twokeys sandbox shell --user NAME)"'
        )
    try:
        return [read_exports(each) for each in named]
    except Refusal as refusal:
        if not states and not published and os.environ.get(DOORS):
            refusal.where += f", from ${DOORS}"
        raise


def _of_the_sandbox() -> tuple[str, ...]:
    from twokeys.project.states import sandbox_states

    try:
        found = sandbox_states(Path.cwd())
    except Refusal as refusal:
        raise click.UsageError(f"{_SAY_WHERE} There is no sandbox in this folder either.") from refusal
    names = ", ".join(path.stem for path in found)
    folder = os.path.relpath(found[0].parent)
    note(f"the doors are the sandbox's ({names} in {folder})")
    return tuple(map(str, found))
