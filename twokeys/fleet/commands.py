"""`twokeys fleet`: an environment with many accounts, run as many stacks."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from twokeys.errors import Refusal
from twokeys.fleet.layout_commands import JSON, SINCE, matrix, move, recover, split
from twokeys.fleet.task import Operation, Result, Task
from twokeys.options import PROJECT, Group
from twokeys.policy_packs import chosen_packs, policy_options

if TYPE_CHECKING:
    from twokeys.fleet.layout import Slots
    from twokeys.fleet.orders import Order
    from twokeys.fleet.report import Display

_GIB = 1024**3
_HELP = {
    Operation.PREVIEW: """Say what an update of ENVIRONMENT would do, shard by shard, checked with the policies.

    Changes nothing. A shard that nothing has changed for since its last success is not run: not its config, the
    program, the policies, its state or the management stack. Exits with 0 when every shard is fine, with 1 otherwise.
    """,
    Operation.UP: """Update ENVIRONMENT, several shards at once, each checked with the policies.

    Before the first account is made, what would stop one is looked for, as `twokeys preflight` does it. Unchanged
    shards are not run. Ctrl-C stops in order. A shard whose worker or engine dies is lost and is not tried again by
    itself: look why, and run the same command again, which goes on from what the states say.
    """,
    Operation.VERIFY: """Try the doors of ENVIRONMENT, and prove both keys of each over all shards together.

    The doors of a shard are really entered, and what must be shut is tried. Then the rules of the policy pack are run
    over the states of all shards and of the management stack as one, so that a key may be in another shard.
    """,
}
_OPTIONS = (
    PROJECT,
    click.option("--shard", "only", multiple=True, metavar="STACK", help="Only this shard; may be repeated."),
    SINCE,
    click.option("--all", "anyway", is_flag=True, help="Run shards that are unchanged since their last success, too."),
    click.option(
        "--parallel",
        type=click.IntRange(1, 1000),
        help="Shards at once. Default: one a processor, as far as there is memory.",
    ),
    click.option("--memory", type=click.FloatRange(min=0.1), help="GiB to use at most. Default: what is free."),
    click.option(
        "--scheduler",
        metavar="ADDRESS",
        help="Work on a Dask cluster (tcp://host:8786) instead of this machine. Needs the extra `dask`.",
    ),
    policy_options,
    JSON,
)


@click.group(cls=Group)
def fleet() -> None:
    """An environment with many accounts, run as many stacks of about 150 resources: its shards.

    `twokeys fleet split prod` gives each account of Pulumi.prod.yaml its shard, once and for good; preview, up and
    verify then work on all shards, several at once, with the pulumi CLI, its backend and its credentials. An
    environment that is not split is one shard. To try it on a local AWS: eval "$(twokeys sandbox shell)".
    """


def _command(operation: Operation) -> click.Command:
    def called(environment: str, **options: Any) -> int:  # noqa: ANN401 - click gives what `_OPTIONS` declares
        return _run(operation, environment, **options)

    for option in (*_OPTIONS, click.argument("environment")):
        called = option(called)
    return click.command(operation.value, help=_HELP[operation])(called)


for _each in (*map(_command, Operation), split, move, matrix, recover):
    fleet.add_command(_each)


def _run(  # noqa: PLR0913 - one argument an option
    operation: Operation,
    environment: str,
    *,
    project: Path,
    only: tuple[str, ...],
    since: str | None,
    anyway: bool,
    parallel: int | None,
    memory: float | None,
    scheduler: str | None,
    packs: tuple[Path, ...],
    pack_configs: tuple[Path, ...],
    no_policies: bool,
    as_json_: bool,
) -> int:
    import psutil
    from rich.console import Console

    from twokeys.fleet.backend import Backend
    from twokeys.fleet.layout import shard_bytes, slots
    from twokeys.fleet.moves import refuse_misplaced
    from twokeys.fleet.orders import Order
    from twokeys.fleet.report import Display, Report
    from twokeys.project.environment import load

    began = time.monotonic()
    root = project.resolve()
    found = load(root, environment)
    chosen = chosen_packs(root, packs, pack_configs, no_policies=no_policies)
    order = Order(operation, found, Backend(root), only, anyway, since, chosen)
    tasks, results = order.divide()
    if operation is not Operation.VERIFY:
        refuse_misplaced(order.backend, found, [task.stack for task in tasks])
    largest = max((len(shard.accounts) for shard in order.shards), default=0)
    free = int(memory * _GIB) if memory else psutil.virtual_memory().available
    at_once = slots(parallel, os.cpu_count() or 1, free, shard_bytes(largest))
    console = None if as_json_ else Console()
    if tasks:
        results = [*results, *_work(order, tasks, at_once, scheduler, Display(console, operation, len(tasks)))]
    findings = _proved_together(order) if operation is Operation.VERIFY else []
    ordered = sorted(results, key=lambda one: one.stack)
    seconds = time.monotonic() - began
    report = Report(environment, operation, ordered, None if scheduler else at_once, seconds, findings)
    if console is None:
        click.echo(json.dumps(report.as_json(), indent=2))
    else:
        report.show(console)
    return 0 if report.ok else 1


def _work(order: Order, tasks: list[Task], at_once: Slots, scheduler: str | None, display: Display) -> list[Result]:
    from twokeys.fleet.executors import opening
    from twokeys.fleet.lookahead import refuse_what_would_stop
    from twokeys.fleet.run import run

    def ended(result: Result) -> None:
        display.ended(result)
        try:
            order.settle(result)
        except Refusal as refusal:  # what is done is done; it only costs a run that nobody remembers it
            click.echo(f"{result.stack}: the next run will look at it again, since {refusal}", err=True)

    creating = order.creating() if order.operation is Operation.UP else frozenset()
    if creating.intersection(task.stack for task in tasks):
        known = order.environment.settings.accounts
        coming = [key for shard in order.shards if shard.stack in creating for key in shard.accounts]
        refuse_what_would_stop(
            order.environment.root, order.environment.name, [key for key in coming if not known[key].adopt]
        )
    with opening(at_once.count, scheduler) as workers, display:
        return run(
            tasks, workers, begun=display.begun, ended=ended, creating=creating, creating_at_once=order.creating_at_once
        )


def _proved_together(order: Order) -> list[str]:
    """What the rules find in the states of all shards as one: a key may be in another stack than its door."""
    from datetime import UTC, datetime

    from twokeys.access.graph import build
    from twokeys.access.reading.snapshot import Snapshot
    from twokeys.access.rules import RULES
    from twokeys.access.verdicts import check

    stacks = [order.environment.management, *(shard.stack for shard in order.environment.shards)]
    together = Snapshot.together(order.backend.snapshots(stacks), order.environment.name)
    verdicts = check(build(together), RULES, order.packs[0][1] if order.packs else {}, datetime.now(UTC))
    return [f"{finding.rule}: {finding.text}" for finding in verdicts.mandatory]
