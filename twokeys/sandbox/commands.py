"""`twokeys sandbox`: the stacks of this project against a local AWS on this machine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from twokeys.options import CONFIG, FOLDER, PACK_CONFIG, PROJECT, Group
from twokeys.sandbox.pulumi_commands import get_pulumi, mfa_code, pulumi_demo, shell

if TYPE_CHECKING:
    from twokeys.sandbox.box import Sandbox

_DIRECTORY = click.option(
    "--state",
    "directory",
    type=FOLDER,
    help="Where states and the local AWS are kept. Default: .twokeys in the project.",
)
_VERBOSE = click.option("--verbose", is_flag=True, help="Show every resource, every probe and what is only advised.")


@click.group(cls=Group)
def sandbox() -> None:
    """Run the stacks against a local AWS on this machine: no account, no credentials, nothing but loopback.

    The program is the very one that `pulumi up` runs. Roles, users, policies and accounts are really made, in the
    right account, with credentials that were obtained by assuming the right role; both keys of a door are enforced.
    Every other type is kept as declared. A sandbox is not updated: it is thrown away and made again.
    """


for _each in (shell, mfa_code, get_pulumi, pulumi_demo):
    sandbox.add_command(_each)


@sandbox.command()
@click.argument("stacks", nargs=-1, required=True, metavar="STACK...")
@PROJECT
@_DIRECTORY
@CONFIG
@PACK_CONFIG
@_VERBOSE
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON and nothing else.")
def up(  # noqa: PLR0913, PLR0917 - click gives the options as arguments
    stacks: tuple[str, ...],
    project: Path,
    directory: Path | None,
    overrides: Mapping[str, str],
    pack_config: Path | None,
    verbose: bool,
    as_json: bool,
) -> int:
    """Preview each STACK, then make it: each resource is judged by the rules before it is made.

    A stack that is up already is made again, with all that are up, in a fresh local AWS: the others with the --config
    and the rules' configuration that each was made with. Exits with 1 when a mandatory rule is violated or the program
    fails: what was up before is then as it was, and a first time keeps what was made until then, in its state.
    """
    from rich.console import Console

    from twokeys.access.configuration import rules_config
    from twokeys.access.rules import RULES
    from twokeys.project.config import load_config
    from twokeys.sandbox.report import Report, as_data
    from twokeys.sandbox.states import beside_file
    from twokeys.sandbox.up import StackRun

    box = _sandbox(project, directory)
    asked = {"overrides": overrides, "rules": rules_config(pack_config, RULES)}
    console = Console(quiet=as_json)
    wanted = list(dict.fromkeys(stacks))
    for name in wanted:
        load_config(box.project, name, overrides)  # refuses what cannot be used, before anything is made
    there = {name: beside_file(box.stacks / f"{name}.json") for name in box.up}
    fresh = box
    if again := [one for one in wanted if one in there]:
        console.print(f"{', '.join(again)} is up: everything is made again", highlight=False, soft_wrap=True)
        wanted = [*there, *(one for one in wanted if one not in there)]
        fresh = replace(box, directory=box.directory / "again")
        fresh.remove()
    runs, ok = [], False
    try:
        with fresh.local_aws() as aws:
            for name in wanted:
                with Report(console, verbose=verbose) as report:
                    how = asked if name in stacks else there[name]
                    run = StackRun(fresh, name, **how, say=report.say, output=report.printed)
                    done = report.run(run, aws)
                    report.show_outputs(done)
                runs.append(as_data(done))
                if not done.ok:
                    break
        ok = all(one["ok"] for one in runs)
    finally:
        if again and ok:
            fresh.take_place_of(box)
        elif again:
            fresh.remove()
            console.print(f"still up, as before: {', '.join(there)}", highlight=False, soft_wrap=True)
    if as_json:
        click.echo(json.dumps(runs, indent=2))
    return 0 if ok else 1


@sandbox.command()
@PROJECT
@_DIRECTORY
def down(project: Path, directory: Path | None) -> int:
    """End the local AWS and forget everything in it; the demo's too."""
    box = _sandbox(project, directory)
    for name in ("demo", "again", "."):
        replace(box, directory=box.directory / name).remove()
    click.echo(f"nothing is up any more in {box.directory}")
    return 0


@sandbox.command()
@PROJECT
@_DIRECTORY
@click.option(
    "--picture",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where to draw the organization (SVG). Default: organization.svg beside the states.",
)
@_VERBOSE
def demo(project: Path, directory: Path | None, picture: Path | None, verbose: bool) -> int:
    """Tell the whole story: management, stage and prod proved and made, then every door tried.

    Starts in a fresh .twokeys/demo. A door whose grant is taken away must be refused in preview, before its account
    exists; then each declared door is really entered, and what must be refused is really tried: without a grant,
    without MFA, from the other account. At the end every command is asked what it knows of the states (its pages and
    pictures are left in answers/; the bill there is invented). Exits with 1 when anything is not as it should be.
    """
    from rich.console import Console

    from twokeys.sandbox.demo import show_answers, tell

    box = _sandbox(project, directory or project / ".twokeys" / "demo")
    console = Console(soft_wrap=True, highlight=False, markup=False)
    box.remove()
    with box.local_aws() as aws:
        story = tell(box, aws, console, verbose=verbose)
    if not story.failed:
        target = (picture or box.directory / "organization.svg").resolve()
        show_answers(story, box, target, console, verbose=verbose)
    for reason in story.failed:
        console.print(reason, style="red")
    return 1 if story.failed else 0


def _sandbox(project: Path, directory: Path | None) -> Sandbox:
    from twokeys.project.config import load_project
    from twokeys.sandbox.box import Sandbox

    root = project.resolve()
    return Sandbox(load_project(root), (directory or root / ".twokeys").resolve())
