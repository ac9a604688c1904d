"""`twokeys sandbox`: the stacks of this project against a local AWS on this machine."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

import click

from twokeys.errors import Refusal
from twokeys.options import PROJECT
from twokeys.policy_packs import chosen_packs, policy_options
from twokeys.sandbox.mailbox import mailbox
from twokeys.sandbox.pulumi_commands import get_pulumi, pulumi_demo, shell

if TYPE_CHECKING:
    from rich.console import Console

    from twokeys.sandbox.demo import OpenStack
    from twokeys.sandbox.engine.policy_host import PackChoice
    from twokeys.sandbox.local_aws import LocalAws
    from twokeys.sandbox.report import Report
    from twokeys.sandbox.stack import Operations, Sandbox

_Command = TypeVar("_Command", bound=Callable[..., Any])


@dataclass(frozen=True)
class _Choices:
    """What the options say."""

    sandbox: Sandbox
    faults: Path | None
    packs: tuple[PackChoice, ...]
    overrides: Mapping[str, str]
    engine: str
    parallel: int
    console: Console | None
    diff: bool

    def open(self, aws: LocalAws) -> OpenStack:
        """Stacks by name, on the chosen engine."""
        from twokeys.sandbox.pulumi_cli import PulumiStack
        from twokeys.sandbox.stack import SandboxStack

        def opened(name: str, more: Mapping[str, str] = MappingProxyType({}), /) -> Operations:
            overrides = {**self.overrides, **more}
            if self.engine == "pulumi":
                return PulumiStack(self.sandbox, name, aws, self.packs, overrides, self.parallel)
            command = shlex.join(["twokeys", *sys.argv[1:]])
            return SandboxStack(self.sandbox, name, aws, self.packs, overrides, self.parallel, command)

        return opened


@click.group()
def sandbox() -> None:
    """Run the stacks against a local AWS on this machine: no account, no credentials, nothing but loopback.

    The program is the very one that `pulumi up` runs. Each resource is really created in the local AWS, in the right
    account, with credentials that were obtained by assuming the right role; both keys of a door are enforced there.
    Everything is kept in .twokeys; remove that folder to start anew.
    """


sandbox.add_command(mailbox)
sandbox.add_command(shell)
sandbox.add_command(get_pulumi)
sandbox.add_command(pulumi_demo)


_FAULTS = click.option(
    "--faults",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A fault plan for the local AWS: calls that are slow, throttled, refused or cut (docs/faults.md).",
)


def _options(command: _Command) -> _Command:
    """The options that every run shares."""
    for option in (
        PROJECT,
        click.option(
            "--state",
            "directory",
            type=click.Path(path_type=Path, file_okay=False),
            help="Where states and the local AWS are kept. Default: .twokeys in the project.",
        ),
        click.option(
            "--engine",
            type=click.Choice(["sandbox", "pulumi"]),
            default="sandbox",
            help="Our own engine (default), or the pulumi CLI with the aws plugin, against the same local AWS.",
        ),
        policy_options,
        click.option(
            "--config",
            "overrides",
            multiple=True,
            metavar="KEY=VALUE",
            help="A config value that wins over the stack's file; may be repeated.",
        ),
        click.option("--parallel", type=click.IntRange(1, 64), default=8, help="Operations at once. Default: 8."),
        _FAULTS,
        click.option("--diff", is_flag=True, help="Show what changes in each resource, policy documents included."),
        click.option("--json", "as_json", is_flag=True, help="Print the result as JSON and nothing else."),
    ):
        command = option(command)
    return command


@sandbox.command()
@click.argument("stack")
@_options
def preview(stack: str, **options: Any) -> int:  # noqa: ANN401 - click gives what `_options` declares
    """Say what an update of STACK would do, and check it with the policies. Changes nothing.

    Exits with 1 when something is wrong: the program fails, an input is not accepted, or a mandatory policy is broken.
    """
    choices = _choices(**options)
    with choices.sandbox.local_aws(choices.faults) as aws:
        return _run(choices, "preview", stack, choices.open(aws)(stack).preview)


@sandbox.command()
@click.argument("stack")
@click.option("--skip-preview", is_flag=True, help="Update at once; policies then only see each resource as it comes.")
@_options
def up(stack: str, skip_preview: bool, **options: Any) -> int:  # noqa: ANN401
    """Preview STACK with the policies and, when nothing is wrong, update it.

    A run that was killed is continued by the next one: what it had begun is looked for before anything is made again.
    Only one run at a time may change a stack. Exits with 0, 1 (failed or refused) or 130 (Ctrl-C; the state is valid).
    """
    choices = _choices(**options)
    with choices.sandbox.local_aws(choices.faults) as aws:
        operations = choices.open(aws)(stack)
        if not skip_preview:
            code = _run(choices, "preview", stack, operations.preview, quiet_when_ok=choices.console is None)
            if code:
                return code
        return _run(choices, "up", stack, operations.up)


@sandbox.command()
@click.argument("stack")
@click.option("--force-unprotect", is_flag=True, help="Delete protected resources too.")
@_options
def destroy(stack: str, force_unprotect: bool, **options: Any) -> int:  # noqa: ANN401
    """Delete everything that STACK made, in reverse order of dependency.

    Protected resources, such as accounts, are refused unless --force-unprotect is given. An account with
    `retain_on_delete` stays in the organization, as on AWS, where accounts are closed by hand; to get rid of everything
    at once, remove .twokeys.
    """
    choices = _choices(**options)
    with choices.sandbox.local_aws(choices.faults) as aws:
        operations = choices.open(aws)(stack)
        return _run(
            choices, "destroy", stack, lambda report: operations.destroy(report, force_unprotect=force_unprotect)
        )


@sandbox.command()
@click.argument("stack")
@click.option("--preview", is_flag=True, help="Only say what would change in the state.")
@click.option("--target", "targets", multiple=True, metavar="URN", help="Read only this resource; may be repeated.")
@_options
def refresh(stack: str, preview: bool, targets: tuple[str, ...], **options: Any) -> int:  # noqa: ANN401
    """Read every object of STACK again and bring its state to what is there; the program is not run.

    For what was changed outside of TwoKeys: an account that was renamed or got another e-mail address in AWS (say the
    same in the config afterwards, and the next preview is unchanged), an object that somebody deleted (the next update
    makes it anew). An object that cannot be read stays in the state as it is, and the exit code is 1.
    """
    choices = _choices(**options)
    with choices.sandbox.local_aws() as aws:
        operations = choices.open(aws)(stack)
        name = "refresh preview" if preview else "refresh"
        return _run(choices, name, stack, lambda report: operations.refresh(report, preview=preview, targets=targets))


@sandbox.command()
@click.argument("source")
@click.argument("destination")
@click.argument("urns", nargs=-1, required=True, metavar="URN...")
@click.option("--preview", is_flag=True, help="Only say what would move.")
@_options
def move(source: str, destination: str, urns: tuple[str, ...], preview: bool, **options: Any) -> int:  # noqa: ANN401
    """Move resources from the state of stack SOURCE to that of DESTINATION; nothing happens to the objects themselves.

    The named resources go with their children. A provider that they need is copied; name it too, and it leaves SOURCE
    unless something there still needs it. Dependencies between the two stacks are cut, and told. Move the config in
    the same step, before either stack is updated. A move that was killed is completed by the same command.
    """
    from twokeys.sandbox.engine.move import move_resources
    from twokeys.sandbox.engine.state import StateFile

    choices = _choices(**options)
    if choices.engine == "pulumi":
        return _move_with_pulumi(choices, source, destination, urns, preview=preview)
    box = choices.sandbox
    states = StateFile(box.stacks, source), StateFile(box.stacks, destination)
    command = shlex.join(["twokeys", *sys.argv[1:]])
    done = move_resources(*states, urns, project=box.project.name, command=command, preview=preview)
    if choices.console is None:
        cut = [{"urn": one.urn, "dependency": one.dependency, "kind": one.kind} for one in done.cut]
        told = {"source": source, "destination": destination, "moved": done.moved, "copied": done.copied, "cut": cut}
        click.echo(json.dumps(told, indent=2))
        return 0
    for urn in done.moved:
        click.echo(f"{'would move' if preview else 'moved'} {urn}")
    for urn in done.copied:
        click.echo(f"{'would copy' if preview else 'copied'} {urn}")
    for one in done.cut:
        click.echo(f"cut {one.urn}\n    from {one.dependency} ({one.kind})")
    return 0


def _move_with_pulumi(choices: _Choices, source: str, destination: str, urns: tuple[str, ...], *, preview: bool) -> int:
    from twokeys.sandbox.pulumi_cli import PulumiStack

    if preview:
        raise click.UsageError("--preview goes with the sandbox's own engine: `pulumi state move` has none")
    with choices.sandbox.local_aws() as aws:
        said = PulumiStack(choices.sandbox, source, aws).move(destination, urns)
    told = {"source": source, "destination": destination, "said": said}
    click.echo(said if choices.console else json.dumps(told, indent=2))
    return 0


@sandbox.command()
@click.option("--keep", is_flag=True, help="Go on with what an earlier demo left, instead of starting anew.")
@click.option(
    "--picture",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where to draw the organization (SVG). Default: organization.svg beside the states.",
)
@_options
def demo(keep: bool, picture: Path | None, **options: Any) -> int:  # noqa: ANN401
    """Tell the whole story: management, stage and prod previewed, updated and updated again, then every door tried.

    Starts in a fresh .twokeys/demo. First a door whose grant is taken away must be refused in preview, before its
    account exists. Each update is checked with the policies; the second one must change nothing; then each declared
    door is really entered, and what must be refused is really tried: without a grant, without MFA, from the other
    account. At the end the organization is drawn from the states, and each command is asked what it knows of them
    (their pages and pictures are left in answers/; the bill there is invented). Exits with 1 when anything is not as it
    should be.
    """
    from twokeys.project.config import load_config as stack_config
    from twokeys.sandbox.answers import ask
    from twokeys.sandbox.demo import STACKS, tell

    project: Path = options["project"]
    if options["directory"] is None:
        options["directory"] = project / ".twokeys" / "demo"
    choices = _choices(**options)
    if not keep:
        _start_anew(choices.sandbox.directory)
    box = choices.sandbox
    config = {name: stack_config(box.project, name, choices.overrides).values for name in STACKS}
    with box.local_aws(choices.faults) as aws:
        story = tell(choices.open(aws), config, aws, choices.console, diff=choices.diff)
    if story.ok and choices.engine == "sandbox":
        drawn = _draw(box, picture)
        if choices.console is not None:
            story.failed += ask(_states(box), box.directory / "answers", story.outputs, choices.console)
            choices.console.print(f"the organization: {drawn}", highlight=False, soft_wrap=True)
    if choices.console is None:
        click.echo(json.dumps(story.as_json(), indent=2))
    else:
        for reason in story.failed:
            choices.console.print(reason, style="red", markup=False, highlight=False)
    return 0 if story.ok else 1


def _draw(box: Sandbox, picture: Path | None) -> Path:
    """Draw the organization as the states show it."""
    from twokeys.files import write_output
    from twokeys.map.drawing import draw
    from twokeys.map.sources import read

    target = picture or box.directory / "organization.svg"
    write_output(target, draw(read(_states(box))))
    return target


def _states(box: Sandbox) -> list[Path]:
    from twokeys.sandbox.demo import STACKS

    return [box.stacks / f"{name}.json" for name in STACKS]


def _run(
    choices: _Choices, operation: str, stack: str, run: Callable[[Report], Any], *, quiet_when_ok: bool = False
) -> int:
    from twokeys.sandbox.report import Report

    if choices.console is not None:
        choices.console.rule(f"[bold]{stack}[/]: {operation}", align="left")
    with Report(choices.console, preview=operation.endswith("preview"), diff=choices.diff) as report:
        outcome = run(report)
    report.conclude(outcome)
    if choices.console is None and not (quiet_when_ok and outcome.ok):
        click.echo(json.dumps({"stack": stack, "operation": operation, **report.as_json(outcome)}, indent=2))
    return 0 if outcome.ok else 1


def _choices(  # noqa: PLR0913 - one argument an option
    *,
    project: Path,
    directory: Path | None,
    engine: str,
    packs: tuple[Path, ...],
    pack_configs: tuple[Path, ...],
    no_policies: bool,
    overrides: tuple[str, ...],
    parallel: int,
    faults: Path | None,
    diff: bool,
    as_json: bool,
) -> _Choices:
    from rich.console import Console

    from twokeys.sandbox.engine.policy_host import PackChoice

    box = _sandbox(project, directory)
    named = chosen_packs(box.project.root, packs, pack_configs, no_policies=no_policies)
    chosen = tuple(PackChoice(pack, config) for pack, config in named)
    console = None if as_json else Console()
    return _Choices(box, faults, chosen, dict(_override(one) for one in overrides), engine, parallel, console, diff)


def _sandbox(project: Path, directory: Path | None) -> Sandbox:
    from twokeys.project.config import load_project
    from twokeys.sandbox.stack import Sandbox

    root = project.resolve()
    return Sandbox(load_project(root), (directory or root / ".twokeys").resolve())


def _override(text: str) -> tuple[str, str]:
    key, separator, value = text.partition("=")
    if not separator or not key:
        raise click.UsageError(f"--config takes KEY=VALUE, not {text!r}")
    return key, value


def _start_anew(directory: Path) -> None:
    """Remove what an earlier demo left; never a folder that is not a sandbox's."""
    from twokeys.sandbox.local_aws import LocalAws

    if not directory.exists():
        return
    if any(name not in ("answers", "aws", "organization.svg", "pulumi", "stacks") for name in os.listdir(directory)):
        raise Refusal(
            "the demo cannot start anew there",
            where=str(directory),
            why="the folder holds something that no demo put there",
            next_step="name an empty folder with --state, or use --keep",
        )
    running = LocalAws.attach(directory / "aws")
    if running is not None:
        running.stop()
    shutil.rmtree(directory)
