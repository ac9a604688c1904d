"""How many shards are worked on at once: as many as there is memory for. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MIB: Final = 1024 * 1024
PULUMI_BYTES: Final = 560 * MIB
"""What a shard takes, less its providers: the pulumi CLI, the program and the policy pack (measured: docs/scale.md)."""
PROVIDER_BYTES: Final = 300 * MIB
"""What one provider process takes with the vendor's plugin: 170 to 430 MB (pulumi-aws#5860, #5226). Each account of a
shard has one, and the management account."""


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

    Args:
        memory: bytes that may be used.
        each: bytes that one shard takes.
    """
    asked = wanted or processors
    fitting = max(1, memory // each)
    if fitting < asked:
        return Slots(fitting, f"{memory / MIB:,.0f} MiB of memory, {each / MIB:,.0f} MiB a shard")
    return Slots(asked, "--parallel" if wanted else f"{processors} processors")
