"""Which shard an account is in: decided once, when the account is new, and never again by itself. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

CAPACITY = 150
"""Resources in a shard. A state is written whole at each change, so what a stack writes grows with the square of its
size, while each stack costs about a second by itself. The two meet at 100 to 200 resources (docs/scale.md)."""


@dataclass(frozen=True)
class Placement:
    """Accounts by shard.

    Attributes:
        shards: accounts by shard number; a shard that lost its last account is still there, until its stack is gone.
        placed: the accounts that are new in it.
        removed: the accounts that were recorded and are no longer in the environment.
        overfull: shards that hold more than the capacity, with their size: accounts grow, and never move by themselves.
    """

    shards: Mapping[int, tuple[str, ...]]
    placed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    overfull: Mapping[int, int] = field(default_factory=dict)


def place(sizes: Mapping[str, int], recorded: Mapping[int, Iterable[str]], capacity: int = CAPACITY) -> Placement:
    """Give each account its shard: the one it is recorded in, or the first with room for it, or a new one.

    Args:
        sizes: the environment's accounts, in its order, with the number of resources that each brings.
        recorded: the accounts of each shard as they are now.
        capacity: how many resources a shard may get. An account that is larger than that has a shard of its own.

    Raises:
        ValueError: an account is recorded in two shards.
    """
    home: dict[str, int] = {}
    for number, accounts in recorded.items():
        for account in accounts:
            if account in home:
                raise ValueError(f"account {account} is in two shards, {home[account]} and {number}")
            home[account] = number
    shards: dict[int, list[str]] = {number: [] for number in sorted(recorded)}
    for account in home:
        if account in sizes:
            shards[home[account]].append(account)
    filled = {number: sum(sizes[account] for account in accounts) for number, accounts in shards.items()}
    placed = [account for account in sizes if account not in home]
    roomy = sorted(filled)
    for account in placed:
        roomy = [number for number in roomy if filled[number] < capacity]
        new = max(shards, default=0) + 1
        number = next((one for one in roomy if filled[one] + sizes[account] <= capacity), new)
        if number == new:
            shards[number], filled[number] = [], 0
            roomy.append(number)
        shards[number].append(account)
        filled[number] += sizes[account]
    return Placement(
        {number: tuple(accounts) for number, accounts in shards.items()},
        tuple(placed),
        tuple(account for account in home if account not in sizes),
        {number: size for number, size in filled.items() if size > capacity and len(shards[number]) > 1},
    )
