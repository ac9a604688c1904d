"""Memory, where every provider is a process."""

from __future__ import annotations

import argparse

from fleet_lab import lab, up
from fleet_page import MIB, machine, publish, say, table


def memory(arguments: argparse.Namespace) -> None:
    """A provider process for each account in one stack, against shards one after the other."""
    rows = []
    for accounts in [size for size in (10, 20) if size <= arguments.largest] or [arguments.largest]:
        with lab(accounts) as found:
            one = up(found, "--no-policies")
        with lab(accounts) as found:
            found.twokeys("fleet", "split", "prod", "--capacity", "70", "--json")
            ours = up(found, "--no-policies", "--parallel", "1")
        say(f"{accounts} accounts: one stack {one.memory / MIB:,.0f} MiB, shards {ours.memory / MIB:,.0f} MiB")
        rows.append(
            (
                accounts,
                f"{one.memory / ours.memory:.1f} x",
                f"{one.memory / MIB:,.0f}",
                f"{ours.memory / MIB:,.0f}",
                f"{one.seconds:.0f}",
                f"{ours.seconds:.0f}",
            )
        )
    head = (
        "accounts",
        "memory, one stack / shards",
        "one stack, peak MiB",
        "shards, peak MiB",
        "one stack, s",
        "shards, s",
    )
    note = f"Shards of ten accounts, one at a time, without policies; the pulumi CLI on {machine()}."
    publish("memory", "uv run python benchmarks/fleet.py memory", "\n\n".join((note, table(head, rows))))
