"""`twokeys fleet split`, `move`, `matrix` and `recover`: where accounts are, and what runs where."""

import json
from pathlib import Path

import click

from twokeys.fleet.layout import CAPACITY, account_sizes, matrix_of, place
from twokeys.options import PROJECT

JSON = click.option("--json", "as_json_", is_flag=True, help="Print the result as JSON and nothing else.")
SINCE = click.option("--since", metavar="COMMIT", help="Leave out shards that have not changed since this Git commit.")


@click.command()
@click.argument("environment")
@PROJECT
@click.option("--capacity", type=click.IntRange(10, 10_000), default=CAPACITY, show_default=True, help="Resources.")
@click.option("--check", "only_check", is_flag=True, help="Write nothing; exit with 1 when something would be written.")
@JSON
def split(environment: str, project: Path, capacity: int, *, only_check: bool, as_json_: bool) -> int:
    """Give each account of ENVIRONMENT its shard, and write the shards' config into shards/.

    An account that has a shard keeps it, whatever is added or removed; a new one goes into the first shard with room.
    To move one, use `twokeys fleet move`. Commit what this writes: it is the record of where each account is.
    """
    from twokeys.fleet.split import outdated, write
    from twokeys.project.environment import load
    from twokeys.project.shards import shard_name
    from twokeys.shown import counted

    found = load(project.resolve(), environment)
    sizes = account_sizes(found.settings)
    placement = place(sizes, found.recorded_once(), capacity)
    changed = tuple(outdated(found, placement)) if only_check else write(found, placement)
    shards = {shard_name(environment, number): list(accounts) for number, accounts in placement.shards.items()}
    overfull = {shard_name(environment, number): size for number, size in placement.overfull.items()}
    if as_json_:
        told = {"environment": environment, "capacity": capacity, "shards": shards, "placed": list(placement.placed)}
        more = {"removed": list(placement.removed), "overfull": overfull, "files": [str(path) for path in changed]}
        click.echo(json.dumps({**told, **more}, indent=2))
        return 1 if only_check and changed else 0
    _show(f"{environment}: {counted(len(sizes), 'account')}", shards, sizes)
    for stack, size in overfull.items():
        click.echo(f"{stack} has grown to about {size} resources: move accounts out if it is slow")
    if placement.removed:
        click.echo(f"no longer in the environment: {', '.join(placement.removed)}")
    verb = f"would be written: `twokeys fleet split {environment}`" if only_check else "written: commit them"
    done = f"{counted(len(placement.placed), 'account')} placed, {counted(len(changed), 'file')} {verb}"
    click.echo(done if changed else "everything is up to date")
    return 1 if only_check and changed else 0


@click.command()
@click.argument("environment")
@PROJECT
@SINCE
def matrix(environment: str, project: Path, since: str | None) -> int:
    """Print ENVIRONMENT's shards as the matrix of a CI system: JSON for GitHub Actions' `fromJSON`.

    Each job then runs `twokeys fleet preview ENVIRONMENT ${{ matrix.arguments }}`.
    """
    from twokeys.fleet.inputs import changed_since
    from twokeys.project.environment import load

    found = load(project.resolve(), environment)
    shards = found.shards
    if since is not None:
        touched = changed_since(found.root, since, shards)
        shards = tuple(shard for shard in shards if shard.stack in touched)
    click.echo(json.dumps(matrix_of(shards)))
    return 0


@click.command()
@click.argument("environment")
@click.argument("accounts", nargs=-1)
@click.option(
    "--to", "shard", metavar="SHARD", help="The shard that the accounts move to; the next number is a new one."
)
@click.option("--preview", is_flag=True, help="Only say what would move.")
@PROJECT
@JSON
def move(  # noqa: PLR0913 - one argument an option
    environment: str, accounts: tuple[str, ...], *, shard: str | None, preview: bool, project: Path, as_json_: bool
) -> int:
    """Move ACCOUNTS of ENVIRONMENT to another shard, in the config and in the states; nothing happens in AWS.

    Without ACCOUNTS, whatever is in the state of another stack than its config is moved there: after `twokeys fleet
    split` of an environment that was one stack until then, and after a move that was killed. Run `twokeys fleet up`
    afterwards: it updates the session names of the moved accounts' providers, and nothing else.
    """
    from twokeys.fleet.backend import Backend
    from twokeys.fleet.moves import Move, moved, outstanding, stacks_of
    from twokeys.fleet.split import write
    from twokeys.project.environment import load
    from twokeys.project.shards import shard_number

    root = project.resolve()
    found = load(root, environment)
    if bool(accounts) != (shard is not None):
        raise click.UsageError("name accounts and, with --to, their shard; or neither")
    if shard is not None:
        number = shard_number(environment, shard)
        if number is None:
            raise click.UsageError(f"a shard of {environment} is called {environment}-001, not {shard}")
        _ = found.shards  # refuses files that are not up to date: what is moved by hand must not be lost
        placement = moved(found, accounts, number)
    # The states are asked before the config is written: where they cannot be, nothing has been changed.
    backend = Backend(root)
    holders = backend.holders(stacks_of(found))
    if shard is not None and not preview:
        write(found, placement)
        found = load(root, environment)
    if preview and shard is not None:
        moves = [Move(account, stack, shard) for account, stack in holders if account in accounts and stack != shard]
    else:
        moves = outstanding(holders, found)
    told = []
    for one in moves:
        count = 0 if preview else backend.move(one.account, one.source, one.destination)
        told.append({"account": one.account, "from": one.source, "to": one.destination, "resources": count})
        if not as_json_:
            verb = "would move" if preview else f"moved with {count} resources"
            click.echo(f"{one.account}: {verb} from {one.source} to {one.destination}")
    if as_json_:
        click.echo(json.dumps({"environment": environment, "preview": preview, "moves": told}, indent=2))
    elif not moves:
        click.echo("in the states, every account is where its config is")
    return 0


@click.command()
@click.argument("stack")
@PROJECT
@click.option("--machine-lost", metavar="HOST", help="This machine is gone for good, and with it the run that held it.")
def recover(stack: str, project: Path, machine_lost: str | None) -> int:
    """Make STACK of the project ready for its next update after a run of it was killed: a shard, or any other stack.

    A lock is taken away only when its owner is proved to be dead: a process of this machine that does not exist any
    more. Of another machine nobody can tell from here; run this there, or say that the machine is lost. Creates that
    were begun are taken over, as `twokeys fleet up` does it by itself; what cannot be is named, with what to do.
    """
    from twokeys.fleet.recovery import recovered
    from twokeys.project.config import load_project
    from twokeys.project.shards import SHARDS

    root = project.resolve()
    file = load_project(root).stack_file(stack)
    if not file.exists():
        raise click.UsageError(f"there is no {file.name}")
    done = recovered(stack, file.parent if file.parent.name == SHARDS else root, machine_lost)
    for text in done or ["no lock of a dead run, and no create that was begun"]:
        click.echo(f"{stack}: {text}")
    return 0


def _show(title: str, shards: dict[str, list[str]], sizes: dict[str, int]) -> None:
    from rich.console import Console
    from rich.table import Table

    from twokeys.shown import counted, show_table

    table = Table("shard", "accounts", "about", "which", title=title, title_justify="left")
    for stack, accounts in shards.items():
        size = sum(sizes[account] for account in accounts)
        table.add_row(stack, str(len(accounts)), counted(size, "resource"), ", ".join(accounts))
    show_table(Console(), table)
