"""`twokeys fleet`: an environment with many accounts, run as many stacks."""

from __future__ import annotations

import json
import os
import shlex
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeVar

import click
import psutil
from rich.console import Console
from rich.table import Table

from twokeys.errors import Refusal
from twokeys.fleet.backends import Backend, PulumiBackend, SandboxBackend, refuse_misplaced
from twokeys.fleet.environment import Environment, load, shard_name
from twokeys.fleet.executors import opening
from twokeys.fleet.matrix import MOST_JOBS, matrix_of
from twokeys.fleet.orders import Order
from twokeys.fleet.placement import CAPACITY, Placement, place
from twokeys.fleet.report import Display, as_json, conclude, succeeded
from twokeys.fleet.run import run
from twokeys.fleet.sizes import account_sizes
from twokeys.fleet.slots import Slots, shard_bytes, slots
from twokeys.fleet.task import Operation, Result, Task

_Command = TypeVar("_Command", bound=Callable[..., Any])
_GIB = 1024**3


@click.group()
def fleet() -> None:
    """An environment with many accounts, run as many stacks of about 150 resources: its shards.

    `twokeys fleet split prod` gives each account of Pulumi.prod.yaml its shard, once and for good; preview, up and
    verify then work on all shards, several at once. An environment that is not split is one shard.
    """


_project = click.option(
    "--project",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="The folder with Pulumi.yaml. Default: this one.",
)
_json = click.option("--json", "as_json_", is_flag=True, help="Print the result as JSON and nothing else.")
_only = click.option("--shard", "only", multiple=True, metavar="STACK", help="Only this shard; may be repeated.")
_since = click.option("--since", metavar="COMMIT", help="Leave out shards that have not changed since this Git commit.")


def _options(command: _Command) -> _Command:
    """The options of a run."""
    for option in (
        _project,
        click.option(
            "--state",
            "directory",
            type=click.Path(path_type=Path, file_okay=False),
            help="Where the sandbox and the fleet keep things. Default: .twokeys in the project.",
        ),
        click.option(
            "--engine",
            type=click.Choice(["pulumi", "sandbox"]),
            default="pulumi",
            show_default=True,
            help="The pulumi CLI with your own backend, credentials and AWS; or the sandbox's engine on a local AWS.",
        ),
        _only,
        _since,
        click.option(
            "--all", "anyway", is_flag=True, help="Run shards that are unchanged since their last success, too."
        ),
        click.option(
            "--parallel",
            type=click.IntRange(1, 1000),
            help="Shards at once. Default: one a processor, as far as there is memory.",
        ),
        click.option("--memory", type=click.FloatRange(min=0.1), help="GiB to use at most. Default: what is free."),
        click.option(
            "--operations", type=click.IntRange(1, 64), default=8, show_default=True, help="At once in each shard."
        ),
        click.option(
            "--scheduler",
            metavar="ADDRESS",
            help="Work on a Dask cluster (tcp://host:8786) instead of this machine. Needs the extra `dask`.",
        ),
        click.option(
            "--policy-pack",
            "packs",
            multiple=True,
            type=click.Path(path_type=Path, file_okay=False),
            help="A policy pack to check with; may be repeated. Default: policies/ in the project.",
        ),
        click.option(
            "--policy-pack-config",
            "pack_configs",
            multiple=True,
            type=click.Path(path_type=Path, dir_okay=False),
            help="A JSON file with the configuration of the policy pack in the same place.",
        ),
        click.option("--no-policies", is_flag=True, help="Check with no policy pack."),
        _json,
    ):
        command = option(command)
    return command


@fleet.command()
@click.argument("environment")
@_options
def preview(**options: Any) -> int:  # noqa: ANN401 - click gives what `_options` declares
    """Say what an update of ENVIRONMENT would do, shard by shard, each checked with the policies. Changes nothing.

    A shard that nothing has changed for since its last success is not run: not its config, the program, the policies,
    its state or the management stack. Exits with 0 when every shard is fine, with 1 otherwise.
    """
    return _run(Operation.PREVIEW, **options)


@fleet.command()
@click.argument("environment")
@_options
def up(**options: Any) -> int:  # noqa: ANN401
    """Update ENVIRONMENT, several shards at once, each checked with the policies.

    Unchanged shards are not run. Ctrl-C stops in order. A shard whose worker or engine dies is told as lost and is not
    tried again by itself: look why, and run the same command again, which goes on from what the states say.
    """
    return _run(Operation.UP, **options)


@fleet.command()
@click.argument("environment")
@_options
def verify(**options: Any) -> int:  # noqa: ANN401
    """Try the doors of ENVIRONMENT, shard by shard, and prove both keys of each over all shards together.

    The doors of a shard are really entered, and what must be shut is tried. Then the rules of the policy pack are run
    over the states of all shards and of the management stack as one, so that a key may be in another shard.
    """
    return _run(Operation.VERIFY, **options)


@fleet.command()
@click.argument("environment")
@_project
@click.option("--capacity", type=click.IntRange(10, 10_000), default=CAPACITY, show_default=True, help="Resources.")
@click.option("--check", "only_check", is_flag=True, help="Write nothing; exit with 1 when something would be written.")
@_json
def split(environment: str, project: Path, capacity: int, *, only_check: bool, as_json_: bool) -> int:
    """Give each account of ENVIRONMENT its shard, and write the shards' config into shards/.

    An account that has a shard keeps it, whatever is added or removed; a new one goes into the first shard with room.
    To move one, use `twokeys fleet move`. Commit what this writes: it is the record of where each account is.
    """
    found = load(project.resolve(), environment)
    try:
        placement = place(account_sizes(found.settings), found.recorded(), capacity)
    except ValueError as error:
        raise Refusal(
            f"environment {environment} cannot be split",
            where=str(found.folder),
            why=str(error),
            next_step="take it out of the file of the shard whose state does not have it",
        ) from error
    changed = found.outdated(placement) if only_check else found.write(placement)
    if as_json_:
        click.echo(json.dumps(_placement_data(found, placement, changed, capacity), indent=2))
    else:
        _show_placement(Console(), found, placement, changed=len(changed), check=only_check)
    return 1 if only_check and changed else 0


@fleet.command("list")
@click.argument("environment")
@_project
@_json
def list_(environment: str, project: Path, *, as_json_: bool) -> int:
    """Show the shards of ENVIRONMENT: their accounts, about how many resources, and when they were last complete."""
    found = load(project.resolve(), environment)
    sizes = account_sizes(found.settings)
    rows = [
        {
            "shard": shard.stack,
            "accounts": list(shard.accounts),
            "resources": sum(sizes[account] for account in shard.accounts),
        }
        for shard in found.shards
    ]
    if as_json_:
        click.echo(json.dumps({"environment": environment, "shards": rows}, indent=2))
        return 0
    table = Table(
        "shard", "accounts", "about", "which", title=f"{environment}: {len(rows)} shards", title_justify="left"
    )
    for row in rows:
        accounts = row["accounts"]
        assert isinstance(accounts, list)  # noqa: S101 - just made
        table.add_row(str(row["shard"]), str(len(accounts)), f"{row['resources']} resources", ", ".join(accounts))
    Console().print(table)
    return 0


@fleet.command()
@click.argument("environment")
@_project
@_since
@click.option(
    "--jobs", type=click.IntRange(1, MOST_JOBS), default=MOST_JOBS, show_default=True, help="At most so many."
)
def matrix(environment: str, project: Path, since: str | None, jobs: int) -> int:
    """Print ENVIRONMENT's shards as the matrix of a CI system: JSON for GitHub Actions' `fromJSON`.

    Each job then runs `twokeys fleet preview ENVIRONMENT ${{ matrix.arguments }}`. docs/scale.md has a workflow.
    """
    from twokeys.fleet.inputs import changed_since  # noqa: PLC0415 - only with --since

    found = load(project.resolve(), environment)
    shards = found.shards
    if since is not None:
        touched = changed_since(found.root, since, shards)
        shards = tuple(shard for shard in shards if shard.stack in touched)
    click.echo(json.dumps(matrix_of(shards, jobs)))
    return 0


@fleet.command()
@click.argument("environment")
@click.argument("shard")
@_project
@click.option("--machine-lost", metavar="HOST", help="This machine is gone for good, and with it the run that held it.")
def unlock(environment: str, shard: str, project: Path, machine_lost: str | None) -> int:
    """Take away the lock that a dead run left on SHARD of ENVIRONMENT, in a self-managed backend of the pulumi CLI.

    Only a lock whose owner is proved to be dead is taken away: a process of this machine that does not exist any more.
    Of another machine nobody can tell from here; run this there, or say that the machine is lost. Afterwards run the
    same `twokeys fleet up` again: operations that were pending are found and finished. The sandbox needs no unlocking.
    """
    from twokeys.fleet.locks import holding, prove_dead, release  # noqa: PLC0415 - the CLI is needed only here
    from twokeys.sandbox.pulumi_cli import cli  # noqa: PLC0415

    found = {one.stack: one for one in load(project.resolve(), environment).shards}
    if shard not in found:
        raise click.UsageError(f"{environment} has no shard {shard}; it has {', '.join(list(found)[:10])}")
    folder = str(found[shard].folder)
    held = holding(cli(), shard, folder)
    proofs = [prove_dead(owner, os.uname().nodename, machine_lost) for owner in held]
    if held:
        release(cli(), shard, folder)
    for proof in proofs:
        click.echo(f"{shard} is unlocked: {proof}")
    if not proofs:
        click.echo(f"{shard} is not locked")
    return 0


def _run(  # noqa: PLR0913 - one argument an option
    operation: Operation,
    *,
    environment: str,
    project: Path,
    directory: Path | None,
    engine: str,
    only: tuple[str, ...],
    since: str | None,
    anyway: bool,
    parallel: int | None,
    memory: float | None,
    operations: int,
    scheduler: str | None,
    packs: tuple[Path, ...],
    pack_configs: tuple[Path, ...],
    no_policies: bool,
    as_json_: bool,
) -> int:
    began = time.monotonic()
    root = project.resolve()
    found = load(root, environment)
    sandbox = (directory or root / ".twokeys").resolve()
    order = Order(
        operation,
        found,
        _backend(engine, root, sandbox),
        only,
        anyway,
        since,
        _packs(root, packs, pack_configs, no_policies=no_policies),
        sandbox=sandbox,
        parallel=operations,
        command=shlex.join(["twokeys", *sys.argv[1:]]),
    )
    refuse_misplaced(order.backend, found)
    tasks, results = order.divide()
    largest = max((len(shard.accounts) for shard in order.shards), default=0)
    free = int(memory * _GIB) if memory else psutil.virtual_memory().available
    room = slots(parallel, os.cpu_count() or 1, free, shard_bytes(engine, largest))
    console = None if as_json_ else Console()
    sizes = account_sizes(found.settings)
    expected = {shard.stack: sum(sizes[one] for one in shard.accounts) for shard in order.shards}
    expected = {task.stack: expected[task.stack] for task in tasks}
    if tasks:
        results = [*results, *_work(order, tasks, room, scheduler, Display(console, operation, expected))]
    results.sort(key=lambda one: one.stack)
    findings = _proved_together(order) if operation is Operation.VERIFY else []
    shown = None if scheduler else room
    if console is None:
        click.echo(json.dumps(as_json(environment, operation, results, shown, began, findings), indent=2))
    else:
        conclude(console, operation, results, shown, began, findings)
    return 0 if succeeded(results) and not findings else 1


def _placement_data(found: Environment, placement: Placement, changed: Iterable[Path], capacity: int) -> dict[str, Any]:
    return {
        "environment": found.name,
        "capacity": capacity,
        "shards": {shard_name(found.name, number): list(accounts) for number, accounts in placement.shards.items()},
        "placed": list(placement.placed),
        "removed": list(placement.removed),
        "overfull": {shard_name(found.name, number): size for number, size in placement.overfull.items()},
        "files": [str(path) for path in changed],
    }


def _show_placement(console: Console, found: Environment, placement: Placement, *, changed: int, check: bool) -> None:
    sizes = account_sizes(found.settings)
    table = Table("shard", "accounts", "about", title=f"{found.name}: {len(sizes)} accounts", title_justify="left")
    for number, accounts in placement.shards.items():
        size = sum(sizes[account] for account in accounts)
        table.add_row(shard_name(found.name, number), str(len(accounts)), f"{size} resources")
    console.print(table)
    for number, size in placement.overfull.items():
        text = f"{shard_name(found.name, number)} has grown to about {size} resources: move accounts out if it is slow"
        console.print(text, style="yellow", highlight=False, soft_wrap=True)
    if placement.removed:
        console.print(f"no longer in the environment: {', '.join(placement.removed)}", highlight=False, soft_wrap=True)
    verb = "would be written" if check else "written"
    told = f"{len(placement.placed)} accounts placed, {changed} files {verb}" if changed else "everything is up to date"
    console.print(told + (": commit them" if changed and not check else ""), highlight=False)


def _work(order: Order, tasks: list[Task], room: Slots, scheduler: str | None, display: Display) -> list[Result]:
    def ended(result: Result) -> None:
        order.settle(result)
        display.ended(result)

    with ExitStack() as ending:
        ending.enter_context(order.backend.working())
        workers = ending.enter_context(opening(room.count, scheduler)(display.progress))
        ending.enter_context(display)
        return run(
            tasks,
            workers,
            begun=display.begun,
            ended=ended,
            creating=order.creating() if order.operation is Operation.UP else (),
            creating_at_once=order.creating_at_once,
        )


def _proved_together(order: Order) -> list[str]:
    from twokeys.fleet.proof import prove  # noqa: PLC0415 - the graph is only for `verify`

    stacks = [order.environment.management, *(shard.stack for shard in order.environment.shards)]
    config = order.packs[0][1] if order.packs else {}
    return prove(order.backend.snapshots(stacks), order.environment.name, config)


def _backend(engine: str, root: Path, sandbox: Path) -> Backend:
    return SandboxBackend(root, sandbox) if engine == "sandbox" else PulumiBackend(root)


def _packs(
    root: Path, packs: tuple[Path, ...], configs: tuple[Path, ...], *, no_policies: bool
) -> tuple[tuple[Path, Mapping[str, Any]], ...]:
    if len(configs) > max(len(packs), 1):
        raise click.UsageError("there are more --policy-pack-config than --policy-pack")
    if no_policies and (packs or configs):
        raise click.UsageError("--no-policies goes with no other policy option")
    if no_policies:
        return ()
    folders = [pack.resolve() for pack in packs] or [root / "policies"]
    loaded = [_pack_config(path) for path in configs]
    return tuple((folder, loaded[index] if index < len(loaded) else {}) for index, folder in enumerate(folders))


def _pack_config(path: Path) -> Mapping[str, Any]:
    from twokeys.sandbox.engine.policy_host import load_config  # noqa: PLC0415 - it imports an engine

    return load_config(path)
