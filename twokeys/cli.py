"""The `twokeys` command: it only names the commands; each is imported when it is asked for."""

import importlib
import itertools
import json
import os
import sys
import traceback
from importlib.metadata import version
from typing import NoReturn

import click

from twokeys.errors import Refusal, nearest
from twokeys.extras import missing
from twokeys.shown import columns, folded, printable

COMMANDS = {
    "access": ("twokeys.answers.commands:access", "Who can enter which account, and what a change does to that."),
    "account": ("twokeys.organization.life.commands:account", "An account's life: a new e-mail address, its closing."),
    "adopt": ("twokeys.organization.adopt_command:adopt", "Take an existing organization over, into config."),
    "assume": ("twokeys.assume.commands:assume", "Go through a door: a session for one command, or for a shell."),
    "audit": ("twokeys.audit.commands:audit", "Who can enter an account, since when, and who really did."),
    "console": ("twokeys.assume.commands:console", "The address that signs a browser in through a door."),
    "costs": ("twokeys.costs.commands:costs", "What accounts, services and tags cost, with a picture."),
    "fleet": ("twokeys.fleet.commands:fleet", "An environment with many accounts, run as many stacks."),
    "map": ("twokeys.map.commands:map_", "Pictures of the organization and its doors."),
    "policies": ("twokeys.pack.commands:policies", "The policy pack for a Pulumi project of your own."),
    "preflight": ("twokeys.organization.preflight_command:preflight", "What would stop a stack's first update."),
    "preview": (
        "twokeys.preview.commands:preview",
        "What a first update would make, judged by the rules; no CLI, no AWS.",
    ),
    "profiles": (
        "twokeys.profiles.commands:profiles",
        "AWS CLI profiles, or a page of links, for the doors somebody has.",
    ),
    "sandbox": ("twokeys.sandbox.commands:sandbox", "Run the stacks against a local AWS on this machine."),
    "verify": (
        "twokeys.sandbox.verify_command:verify",
        "Really try the doors: those that open and those that must be shut.",
    ),
}
_PARTS = {"access": "twokeys.temporary.open_command:open_command"}
"""Commands of a group that live above the group's own folder."""


class _Commands(click.Group):
    """A group whose members are imported only when they are called, so that `--help` stays fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        if cmd_name not in COMMANDS:
            raise click.UsageError(
                f"No such command {cmd_name!r}."
                + (f" Did you mean {near!r}?" if (near := nearest(cmd_name, COMMANDS)) else ""),
                ctx,
            )
        command = _imported(COMMANDS[cmd_name][0])
        if cmd_name in _PARTS and isinstance(command, click.Group):
            command.add_command(_imported(_PARTS[cmd_name]))
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in sorted(COMMANDS)])


def _imported(place: str) -> click.Command:
    module, _, attribute = place.partition(":")
    command = getattr(importlib.import_module(module), attribute)
    assert isinstance(command, click.Command)  # noqa: S101 - the places are ours
    return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="twokeys")
@click.option("--traceback", is_flag=True, help="Show where a defect of TwoKeys is. (Or TWOKEYS_TRACEBACK=1.)")
def _twokeys(**_: bool) -> None:
    """Know, before anything is applied, exactly who can enter which AWS account."""


def main() -> NoReturn:
    """Run the command line; a refusal is printed as four lines (or as JSON after `--json`) and exits with 1.

    What nobody foresaw is a defect of TwoKeys: it says so, and exits with 70 (EX_SOFTWARE of sysexits.h).
    """
    sys.stdin = sys.stdin or open(os.devnull, encoding="utf-8")  # noqa: SIM115 - closed by a shell's `<&-`
    try:
        code = _twokeys.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("Stopped.", err=True)
        sys.exit(130)
    except Refusal as refusal:
        _refuse(refusal)
    except Exception as error:
        if isinstance(error, ImportError) and (lacking := missing(error, _command() or "")):
            _refuse(lacking)
        if "botocore" in sys.modules:  # AWS or its configuration may be why, and no defect of ours
            from twokeys.aws_errors import refusal_of  # noqa: PLC0415 - it imports botocore

            if refused := refusal_of(error, _profile()):
                _refuse(refused)
        if "--traceback" in sys.argv or os.environ.get("TWOKEYS_TRACEBACK", "0") != "0":
            raise
        _say_defect(error)
    sys.exit(code if isinstance(code, int) else 0)


def _command() -> str | None:
    return next((word for word in sys.argv[1:] if word in COMMANDS), None)


def _profile() -> str | None:
    """The profile that the command line names, in front of another command's line."""
    own = sys.argv[: sys.argv.index("--")] if "--" in sys.argv else sys.argv
    words = [word for arg in own for word in arg.split("=", 1)]
    return next((name for option, name in itertools.pairwise(words) if option == "--profile"), None)


def _say_defect(error: Exception) -> NoReturn:
    """Name an error that nobody foresaw: what it is and the last line of ours that it came through."""
    ours = [frame for frame in traceback.extract_tb(error.__traceback__) if "/twokeys/" in frame.filename]
    where = f"twokeys/{ours[-1].filename.rpartition('/twokeys/')[2]}:{ours[-1].lineno}" if ours else "twokeys"
    what = f"{type(error).__name__}: {error}"
    about = f"twokeys {version('twokeys')}, Python {sys.version.split()[0]}, {sys.platform}"
    step = (
        "report it to the repository that you have TwoKeys from, with these lines and what you did; "
        "TWOKEYS_TRACEBACK=1 shows where it is"
    )
    if "--json" in sys.argv:
        click.echo(json.dumps({"defect": {"what": what, "where": where, "about": about, "nextStep": step}}))
    else:
        called = " ".join(["twokeys", *filter(None, [_command()])])
        why = "an error that TwoKeys did not foresee; what it would have answered is not known"
        _say(f"Failed: {called} has a defect; it is not you", what=what, where=f"{where} ({about})", why=why, next=step)
    sys.exit(70)


def _refuse(refusal: Refusal) -> NoReturn:
    if "--json" in sys.argv:
        click.echo(json.dumps({"refused": refusal.as_dict()}))
    else:
        _say(f"Refused: {refusal.what}", where=refusal.where, why=refusal.why, next=refusal.next_step)
    sys.exit(1)


def _say(heading: str, **more: str) -> None:
    """A heading and what belongs to it, each line of it fit for a terminal."""
    width = columns(terminal=sys.stderr.isatty())
    lines = [heading, *(f"  {f'{name}:':<6} {text}" for name, text in more.items())]
    for line in [one.rstrip() for text in lines for one in text.split("\n")]:
        click.echo("\n".join(folded(printable(line), width, 9)), err=True)
