"""`twokeys assume` and `twokeys console`: go through a door that somebody has."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from twokeys.errors import Refusal, nearest
from twokeys.options import PROFILE
from twokeys.profiles.options import (
    DOORS,
    any_file,
    complete,
    doors_options,
    exports_of,
    like,
    mfa_serial,
    note,
    read_said,
)
from twokeys.shown import counted, in_utc, joined, printable

if TYPE_CHECKING:
    from twokeys.assume.session import Session
    from twokeys.profiles.reading import Reading
    from twokeys.profiles.ways import Way

_OF_ROLES = ("seconds", "external_id", "mfa_serial", "mfa_code")
_NOT_OF_SANDBOX = 'run eval "$(twokeys sandbox shell --user NAME)" first, or name other doors with --from'
_SLIP = 0.8
"""How much of the name of a door is alike: many begin with that of one account."""
_NO_COMMAND = 127
"""As a shell says it."""
_SHELLS = frozenset({"bash", "csh", "dash", "fish", "ksh", "pwsh", "sh", "tcsh", "zsh"})

_external_id = like(r"[A-Za-z0-9_+=,.@:/-]{2,1224}", ": an external ID has 2 to 1224 letters, digits and +=,.@:/_-")
"""https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html"""


def _through(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print JSON."),
        click.option(
            "--external-id", metavar="ID", callback=_external_id, help="The external ID that the door asks for."
        ),
        click.option(
            "--mfa-serial", metavar="ARN", callback=mfa_serial, help="Your MFA device, if it is not called like you."
        ),
        click.option("--mfa-code", metavar="CODE", help="The code of that device; default: it is asked for."),
        click.option(
            "--seconds", type=click.IntRange(900, 43_200), help="How long; default: as long as the role allows."
        ),
        click.option(
            "--profile", type=PROFILE, help="The profile with your own credentials; default: the environment."
        ),
        doors_options,
    ):
        command = option(command)
    return command


def _end_eval(*, for_a_shell: bool) -> None:
    """Let `eval "$(...)" && ...` not go on after a refusal."""
    if for_a_shell and not sys.stdout.isatty():
        click.echo("false")


class _BeforeACommand(click.Command):
    """A command whose own options end at `--`: what stands behind it is another command, with its own."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        own = args[: args.index("--")] if "--" in args else args
        try:
            if not ctx.resilient_parsing and self._has_command(ctx, own):  # which TAB needs, of a line that is begun
                raise click.UsageError("put -- before the command: twokeys assume DOOR -- aws s3 ls", ctx)
            rest = super().parse_args(ctx, [*own])
        except click.UsageError:
            _end_eval(for_a_shell=own == args and "--json" not in args)
            raise
        ctx.params["command"] = tuple(args[len(own) + 1 :])
        ctx.meta["--"] = own != args
        return rest

    def _has_command(self, ctx: click.Context, args: list[str]) -> bool:
        """Whether a command follows DOOR, whose options may be none of ours."""
        parser = self.make_parser(ctx)
        parser.ignore_unknown_options = True
        said, _, _ = parser.parse_args([*args])
        command = said["command"]  # a tuple, or what click has for nothing
        return isinstance(command, tuple) and not any(word.startswith("-") for word in (said["door"], *command[:1]))


def _complete_command(ctx: click.Context, param: click.Parameter, begun: str) -> list[CompletionItem]:
    """The `--` that is missing; behind it the commands on PATH, and then files: for TAB."""
    if not ctx.meta.get("--"):
        return [CompletionItem("--")]
    if ctx.params["command"] or "/" in begun or not begun:
        return any_file(ctx, param, begun)
    folders = [Path(one) for one in os.get_exec_path() if Path(one).is_dir()]
    return [*map(CompletionItem, sorted({one.name for folder in folders for one in folder.glob(f"{escape(begun)}*")}))]


@click.command(cls=_BeforeACommand)
@click.argument("door", default="", metavar="[DOOR]", shell_complete=complete)
@_through
@click.option(
    "--region", help="The region; default: the environment's, else the one that the file has for the account."
)
@click.option("--all", "of_others", is_flag=True, help="Without DOOR: list the doors of others, too.")
@click.argument("command", nargs=-1, type=click.UNPROCESSED, shell_complete=_complete_command)
def assume(
    *,
    door: str,
    command: tuple[str, ...],
    as_json: bool,
    of_others: bool,
    **how: Any,  # noqa: ANN401 - `_through`
) -> int:
    """Open DOOR for one COMMAND, or print the session for a shell; without DOOR, say which there are.

    Nothing is kept on disk. A door that asks for MFA asks you for the code.

    \b
    Examples:
      twokeys assume stage-developer -- aws s3 ls
      twokeys assume stage-developer -- bash
      eval "$(twokeys assume stage-developer)"
      twokeys assume stage-developer --json

    Exit codes: COMMAND's own (128 and its number for a signal); 1 refused, 2 wrong usage, 127 no such COMMAND.
    """
    from twokeys.aws_errors import BACK, WITHIN

    if command and as_json:
        raise click.UsageError("--json prints the session, and with a command nothing is printed: leave one out")
    if door and command and shutil.which(command[0]) is None:
        click.echo(f"{command[0]} is no command that is on PATH, so no session was begun", err=True)
        return _NO_COMMAND
    try:
        if not (door or command):
            if given := _options(how, *_OF_ROLES, "region"):
                raise click.UsageError(f"{given} is for a DOOR: name one, or leave it out")
            _say_doors(how["profile"], how["states"], how["published"], as_json=as_json, of_others=of_others)
            return 0
        ways, reading = _ways(door, how["profile"], how.pop("states"), how.pop("published"))
        if sys.stdout.isatty() and not (command or as_json):
            called = shlex.quote(door)
            raise Refusal(
                f"door {door}",
                where="this terminal",
                why="its keys would be printed here, and this shell not be in it",
                next_step=f'for this shell, eval "$(twokeys assume {called})"; for one within it, until `exit`,'
                f" twokeys assume {called} -- bash",
            )
        session = _open(ways, reading, **how)
    except Exception:
        _end_eval(for_a_shell=not (command or as_json))
        raise
    if command:
        surroundings = {name: value for name, value in os.environ.items() if name not in session.unset}
        if Path(command[0]).name in _SHELLS and all(word.startswith("-") for word in command[1:]):
            note(f"in {session.way.name} until {in_utc(session.expires)}; back: `exit`")
        stopping = signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C is for the command, which may go on
        try:
            there = surroundings | session.marked() | {WITHIN: "1", BACK: "exit"}
            ended = subprocess.run(command, env=there, check=False).returncode  # noqa: S603
        except OSError as error:
            raise Refusal(
                f"the command {command[0]}", where="this machine", why=str(error), next_step="name one that runs here"
            ) from error
        finally:
            signal.signal(signal.SIGINT, stopping)
        return ended if ended >= 0 else 128 - ended  # ended by a signal, as a shell says it
    if as_json:
        click.echo(json.dumps(session.environment | {"arn": session.arn}))
    else:
        click.echo(session.evaluated)
        note(f'this shell is in {session.way.name} until {in_utc(session.expires)}; back: `eval "${BACK}"`')
    return 0


@click.command()
@click.argument("door", shell_complete=complete)
@_through
@click.option("--to", "destination", metavar="PAGE", help="The console's page, as in /s3/home; default: its home.")
@click.option("--region", help="The region to open the console in; default: the last one that you were in.")
@click.option("--open", "in_browser", is_flag=True, help="Open it in your browser.")
def console(
    *,
    door: str,
    destination: str | None,
    in_browser: bool,
    as_json: bool,
    **how: Any,  # noqa: ANN401 - `_through`
) -> int:
    """Print the address that signs a browser in through DOOR; of Identity Center's, the access portal's.

    Any other one holds a sign-in token: whoever has it within fifteen minutes is signed in, so do not pass it on.
    """
    from twokeys.assume.session import console_address, console_page, local_aws
    from twokeys.doors.switch_role import shortcut_url
    from twokeys.iam import Arn
    from twokeys.profiles.ways import AssignmentWay, least, whose

    region = how["region"]
    if destination and region and not destination.startswith("/"):
        raise click.UsageError("--to names a page with its region: leave --region out, or name a path")
    ways, reading = _ways(door, how["profile"], how.pop("states"), how.pop("published"))
    way, arn = least(ways), None
    if destination or region:
        destination = console_page(destination or "/", way.partition or "aws", region)
    if isinstance(way, AssignmentWay) and (way.start_url or "").startswith("https://"):
        note(f"it is for {whose(ways, reading.accounts)}")
        address = shortcut_url(way.start_url or "", way.account, way.permission_set, destination)
    elif where := local_aws(how["profile"]):
        raise Refusal(
            "signing in to the console",
            where=where,
            why="the credentials are those of a local AWS, which has no console",
            next_step=f"go through the door with the AWS CLI: `twokeys assume {door} -- aws ...`",
        )
    else:
        session = _open(ways, reading, **how)
        parsed, arn = Arn.parse(session.arn), session.arn
        address = console_address(session, parsed.partition if parsed else "aws", destination)
    if in_browser:
        click.launch(address)
    click.echo(json.dumps({"address": address, "arn": arn}) if as_json else address)
    return 0


def _ways(
    door: str, profile: str | None, states: tuple[str, ...], published: tuple[str, ...]
) -> tuple[list[Way], Reading]:
    """The ways through one door: one for each of those whom it is for."""
    from twokeys.assume.session import own_doors
    from twokeys.profiles.reading import TOGETHER, with_states
    from twokeys.profiles.ways import called

    exports = with_states(exports_of(states, published, sandbox=True))
    reading = read_said(exports)
    ways = called(reading.ways, door)
    elsewhere = _elsewhere(profile, states, published)
    if not ways:
        where = ", ".join([*(one.where for one in exports if one.where != TOGETHER), *reading.dates])
        raise _no_door(door, reading, [] if elsewhere else [*own_doors(profile, reading)[0]], where)
    if elsewhere:
        raise Refusal(
            f"door {door}",
            where=exports[0].where,
            why="it is a door of the sandbox, and your credentials would be sent to AWS",
            next_step=_NOT_OF_SANDBOX,
        )
    return ways, reading


def _elsewhere(profile: str | None, states: tuple[str, ...], published: tuple[str, ...]) -> bool:
    """Whether the doors are the sandbox's, and the credentials none of it."""
    from twokeys.assume.session import local_aws

    return not (states or published or os.environ.get(DOORS)) and local_aws(profile) is None


def _say_doors(
    profile: str | None, states: tuple[str, ...], published: tuple[str, ...], *, as_json: bool, of_others: bool
) -> None:
    """The caller's own doors; of the others, their number, or where all are asked for each."""
    from twokeys.assume.session import own_doors
    from twokeys.aws_errors import DOOR, in_shell, leave
    from twokeys.profiles.commands import way_data
    from twokeys.profiles.options import moment
    from twokeys.profiles.reading import with_states
    from twokeys.profiles.ways import least

    reading = read_said(with_states(exports_of(states, published, sandbox=True)))
    elsewhere = _elsewhere(profile, states, published)
    mine, why, away = ({}, _NOT_OF_SANDBOX, frozenset[str]()) if elsewhere else own_doors(profile, reading)
    if why:
        note(why)
    own = {way.name for way in mine}
    others: dict[str, list[Way]] = {}
    for way in reading.ways:
        if way.name not in own:
            others.setdefault(way.name, []).append(way)
    if as_json:
        said = {"yours": None if why and not mine else [way_data(way, before) for way, before in mine.items()]}
        said |= {"others": [way_data(least(ways)) for ways in others.values()]} if of_others else {}
        click.echo(json.dumps(said))
    else:
        first = {
            way: [*([f"behind {one.name}"] if one else ()), *([f"after {leave()}"] if way.name in away else ())]
            for way, one in mine.items()
        }
        lines = [*map(printable, _lines(reading, first, [*others.values()], known=not why, of_others=of_others))]
        if in_shell(profile) and (inside := os.environ.get(DOOR)):
            ends = moment(os.environ.get("AWS_CREDENTIAL_EXPIRATION"))
            lines.insert(0, f"This shell is in {inside}{f' until {in_utc(ends)}' if ends else ''}; back: {leave()}")
        if not sys.stdout.isatty():  # eval of nothing, as the AWS CLI prints, would pass; first, as fish joins lines
            note("this is a list, of which `eval` fails: name a DOOR for a session")
            lines = ["false", *(f"# {line}" for line in lines)]
        click.echo("\n".join(lines))


def _lines(
    reading: Reading, mine: Mapping[Way, list[str]], others: Sequence[list[Way]], *, known: bool, of_others: bool
) -> Iterator[str]:
    """A line a door, the caller's own first, each with what comes before it; `known` is whether all of them are."""
    from twokeys.profiles.ways import least, whose

    name, account = (
        max((len(getattr(way, which)) for way in reading.ways), default=0) for which in ("name", "account_name")
    )

    def row(way: Way, *more: str) -> str:
        return f"  {way.name:{name}}  {way.account_name:{account}}  {_about(way, *more)}".rstrip()

    yield f"Yours ({', '.join(reading.dates)}):" if reading.dates else "Yours:"
    yield from (row(way, *first) for way, first in mine.items())
    if not mine:
        yield "  none" if known else "  not known"
    called = "Of others" if known else "Others"
    if of_others:
        yield f"{called}:"
        for ways in others:
            of = dict.fromkeys(getattr(way, "source_arn", "") or whose([way], reading.accounts) for way in ways)
            yield row(least(ways), f"for {' or '.join(of)}")
    elif others:
        yield f"{called}: {len(others)}, which --all lists"


def _about(way: Way, *more: str) -> str:
    """What a door permits, what it asks for, and until when it is open."""
    from twokeys.doors.expiry import until
    from twokeys.profiles.ways import asks, closed, not_yet, only_if

    ends = f"until {until(way.expires)}" if way.expires else ""
    dates = closed(way) or not_yet(way) or ends
    strength = "permissions not known" if way.permits == "not known" else way.permits
    return ", ".join(filter(None, [strength, *asks(way), *more, only_if(way), dates]))


def _no_door(door: str, reading: Reading, mine: list[Way], where: str) -> Refusal:
    """Which doors may be meant, where one is asked for that is not there, or none: the caller's own first."""
    from twokeys.profiles.ways import apart

    known, own = [*dict.fromkeys(way.name for way in reading.ways)], [way.name for way in mine]
    there = {way.name for way in mine or reading.ways if door in (way.account, way.account_name)}
    there |= {way.name for way in reading.ways if way.name == apart(way.account_name, door)}
    slip = nearest(door, own, _SLIP) or nearest(door, known, _SLIP)
    close = [name for name in known if name in there] or [*filter(None, [slip])]
    yours = f", {len(own)} of them yours" if own else ""
    steps = [f"name {' or '.join(close[:4])}, if that is meant"] if close else []
    steps += ["if the door was made since, ask for a newer file"] if door and reading.dates else []
    steps += [] if close else ["name one that `twokeys assume` lists"]
    return Refusal(
        f"no door is called {door}" if door else "no door is named",
        where=where,
        why=f"{counted(len(known), 'door')} {'is' if len(known) == 1 else 'are'} there{yours}",
        next_step="; ".join(steps),
    )


def _open(ways: list[Way], reading: Reading, **how: Any) -> Session:  # noqa: ANN401 - `_through`
    from twokeys.assume.session import Given, open_session
    from twokeys.doors.expiry import left
    from twokeys.profiles.ways import RoleWay, closed

    session = open_session(ways, reading, Given(**how), _asked_code)
    way = session.way
    if (given := _options(how, *_OF_ROLES)) and not isinstance(way, RoleWay):
        note(f"{given} did not count: what a session of Identity Center is, its permission set says")
    if since := closed(way):
        note(f"by its file {way.name} is {since}, and AWS let you in: ask for a newer file")
    elif way.expires and way.expires < session.expires:
        ends = f"ends {session.expires:%H:%M} UTC" if isinstance(way, RoleWay) else "can do nothing from then on"
        note(f"{way.name} {left(way.expires, datetime.now(UTC))}, and this session {ends}")
    return session


def _options(how: Mapping[str, Any], *names: str) -> str:
    """Those of these options that are given."""
    return joined([f"--{name.replace('_', '-')}" for name in names if how[name]])


def _asked_code(door: str, serial: str, denied: str) -> str:
    if not sys.stdin.isatty():
        raise Refusal(
            f"door {door}",
            where=serial,
            why=denied or "it asks for the code of that device, and there is no terminal to ask you at",
            next_step="give the code with --mfa-code" + ", unless your session began with MFA" * bool(denied),
        )
    if denied:
        note(denied)
    while True:
        code = "".join(str(click.prompt(f"Code of {serial}", err=True)).split())
        if re.fullmatch("[0-9]{6}", code):
            return code
        click.echo("a code has six digits", err=True)
