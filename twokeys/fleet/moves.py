"""An account moves from one shard to another only when somebody says so: first in the config, then in the states.

In this order, because the files say where an account belongs: a move that is killed in between is completed by the next
`twokeys fleet move`, and until then nothing runs (`refuse_misplaced`).
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from twokeys.errors import Refusal
from twokeys.fleet.backend import Backend
from twokeys.fleet.layout import Placement
from twokeys.project.environment import Environment
from twokeys.project.shards import shard_name, shard_number


@dataclass(frozen=True)
class Move:
    """An account that is in the state of one stack and belongs to another."""

    account: str
    source: str
    destination: str


def moved(environment: Environment, accounts: Iterable[str], number: int) -> Placement:
    """The placement after accounts were given another shard; a number that is not there yet is a new shard.

    Raises Refusal when the environment is not split, or has no such account.
    """
    recorded, name, chosen = environment.recorded(), environment.name, list(accounts)
    there = environment.settings.accounts
    last = max(recorded, default=0)
    unknown = [account for account in chosen if account not in there]
    if not recorded:
        what, why = "there is no shard to move between", "the environment is not split"
        step = f"run `twokeys fleet split {name}`"
    elif unknown:
        what, why = f"there is no account {unknown[0]} to move", f"it has {', '.join(list(there)[:10])}"
        step = "name accounts by their keys in the config"
    elif number > last + 1:
        what, why = f"there is no shard {shard_name(name, number)}", f"the last one is {shard_name(name, last)}"
        step = f"name one that is there, or {shard_name(name, last + 1)} to open a new one"
    else:
        shards = {one: tuple(name for name in names if name not in chosen) for one, names in recorded.items()}
        shards[number] = (*shards.get(number, ()), *chosen)
        return Placement(dict(sorted(shards.items())))
    raise Refusal(what, where=f"environment {name}", why=why, next_step=step)


def outstanding(holders: Iterable[tuple[str, str]], environment: Environment) -> list[Move]:
    """The accounts whose state is not where their config is."""
    home = {account: shard.stack for shard in environment.shards for account in shard.accounts}
    return [
        Move(account, stack, home[account])
        for account, stack in sorted(holders)
        if account in home and home[account] != stack
    ]


def refuse_misplaced(backend: Backend, environment: Environment, stacks: Collection[str]) -> None:
    """An account in another stack's state than the one that its config is in would be made a second time.

    The other stacks are only asked when one of `stacks` would make an account: to ask the CLI takes a second a stack.
    `stacks` are about to be run. Raises Refusal when there is such an account.
    """
    held = backend.holders(stacks)
    found = outstanding(held, environment)
    closed = environment.settings.closed()
    config = {
        (account, one.stack)
        for one in environment.shards
        if one.stack in stacks
        for account in one.accounts
        if account not in closed
    }
    if not found and not config <= set(held):
        found = outstanding(backend.holders(one for one in stacks_of(environment) if one not in stacks), environment)
    if found:
        first = found[0]
        others = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise Refusal(
            f"account {first.account} is in the state of another stack{others}",
            where=f"stack {first.source}",
            why=f"its config is in {first.destination}, which would make a second account for its e-mail",
            next_step=f"run `twokeys fleet move {environment.name}`: it moves it in the states, too",
        )


def stacks_of(environment: Environment) -> list[str]:
    """The stacks that may have accounts of the environment: its shards, and the one it was before it was split.

    Those whose file is gone are among them: of every number up to the next one, whose file may be the one that is gone.
    """
    last = max(shard_number(environment.name, shard.stack) or 0 for shard in environment.shards)
    return [*(shard_name(environment.name, number) for number in range(1, last + 2)), environment.name]
