"""Where accounts are and what runs at once: shards, slots, and the jobs of a CI system. Pure.

Which shard an account is in is decided once, when the account is new, and never again by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from twokeys.project.environment import Shard
    from twokeys.settings.models import DoorSettings, Settings

CAPACITY = 150
"""Resources in a shard. A state is written whole at each change, so what a stack writes grows with the square of its
size, while each stack costs about a second by itself. The two meet at 100 to 200 resources (docs/scale.md)."""
MIB: Final = 1024 * 1024
PULUMI_BYTES: Final = 560 * MIB
"""What a shard takes, less its providers: the pulumi CLI, the program and the policy pack (measured: docs/scale.md)."""
PROVIDER_BYTES: Final = 300 * MIB
"""What one provider process takes with the vendor's plugin: 170 to 430 MB (pulumi-aws#5860, #5226). Each account of a
shard has one, and the management account."""
MOST_JOBS: Final = 256
"""Jobs in one matrix of GitHub Actions at most.

https://docs.github.com/en/actions/reference/limits
"""


@dataclass(frozen=True)
class Placement:
    """Accounts by shard number; a shard that lost its last account is still there, until its stack is gone.

    `placed` are new, `removed` are recorded and gone; `overfull` shards hold more than the capacity, as accounts grow.
    """

    shards: Mapping[int, tuple[str, ...]]
    placed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    overfull: Mapping[int, int] = field(default_factory=dict)


def place(sizes: Mapping[str, int], recorded: Mapping[int, Iterable[str]], capacity: int = CAPACITY) -> Placement:
    """Give each account its shard: the one it is recorded in, or the first with room for it, or a new one.

    `sizes` are the resources that each account brings, and `recorded` the accounts of each shard now, none in two.
    """
    home = {account: number for number, accounts in recorded.items() for account in accounts}
    shards: dict[int, list[str]] = {number: [] for number in sorted(recorded)}
    for account in home:
        if account in sizes:
            shards[home[account]].append(account)
    filled = {number: sum(sizes[account] for account in accounts) for number, accounts in shards.items()}
    placed = [account for account in sizes if account not in home]
    for account in placed:
        new = max(shards, default=0) + 1
        number = next((one for one in sorted(filled) if filled[one] + sizes[account] <= capacity), new)
        shards.setdefault(number, []).append(account)
        filled[number] = filled.get(number, 0) + sizes[account]
    return Placement(
        {number: tuple(accounts) for number, accounts in shards.items()},
        tuple(placed),
        tuple(account for account in home if account not in sizes),
        {number: size for number, size in filled.items() if size > capacity and len(shards[number]) > 1},
    )


@dataclass(frozen=True)
class Slots:
    """How many, and why."""

    count: int
    why: str


def shard_bytes(accounts: int) -> int:
    """What a shard of that many accounts takes, in bytes."""
    return PULUMI_BYTES + (accounts + 1) * PROVIDER_BYTES


def slots(wanted: int | None, processors: int, memory: int, each: int) -> Slots:
    """How many shards at once: what is wanted (by default one a processor), as far as the memory goes, at least one.

    `memory` are the bytes that may be used, `each` those that one shard takes.
    """
    asked = wanted or processors
    fitting = max(1, memory // each)
    if fitting < asked:
        return Slots(fitting, f"{memory / MIB:,.0f} MiB of memory, {each / MIB:,.0f} MiB a shard")
    return Slots(asked, "--parallel" if wanted else f"{processors} processors")


def matrix_of(shards: Iterable[Shard]) -> dict[str, list[dict[str, object]]]:
    """A matrix as `fromJSON` of GitHub Actions takes it: `{"include": [{name, shards, arguments, accounts}]}`.

    `arguments` are for `twokeys fleet`: `--shard prod-001 --shard prod-002`. More shards than jobs are spread evenly in
    their order, so that a job's shards are next to each other.
    """
    listed = list(shards)
    jobs = min(len(listed), MOST_JOBS)
    bounds = [round(index * len(listed) / jobs) for index in range(jobs + 1)] if jobs else []
    groups = [listed[start:end] for start, end in pairwise(bounds)]
    return {
        "include": [
            {
                "name": group[0].stack if len(group) == 1 else f"{group[0].stack} to {group[-1].stack}",
                "shards": [shard.stack for shard in group],
                "arguments": " ".join(f"--shard {shard.stack}" for shard in group),
                "accounts": sum(len(shard.accounts) for shard in group),
            }
            for group in groups
        ]
    }


def account_sizes(settings: Settings) -> dict[str, int]:
    """How many resources each account brings into its stack, in the order of the settings: its own and its doors'.

    A test holds this to what the program really registers (`components.accounts`).
    """
    sizes = {account: _account(settings, account) for account in settings.accounts}
    for door in settings.doors.values():
        sizes[settings.target_account_of(door)] += _door(door)
    return sizes


def _account(settings: Settings, account: str) -> int:
    member, baseline = settings.accounts[account], settings.baseline_of(account)
    if member.state == "closed":
        return 0
    contacts = settings.baseline.contacts.model_dump(exclude_none=True) | member.contacts.model_dump(exclude_none=True)
    asked = sum(
        (
            bool(baseline.alias),
            bool(baseline.password_policy),
            baseline.block_public_s3,
            baseline.encrypt_ebs,
            2 * baseline.close_default_vpc,
        )
    )
    # the component, the account and its provider
    return 3 + len(contacts) + (asked + 1 if asked else 0) + (2 if member.budget else 0)


def _door(door: DoorSettings) -> int:
    permissions = door.permissions
    policies = len(permissions.managed_policies) + bool(permissions.statements)
    if door.via == "identity-center":
        return 3 + policies  # the component, the permission set and its assignment
    return 1 + (1 + policies if "trust" in door.keys else 0) + ("grant" in door.keys)
