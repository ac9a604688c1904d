"""How a fleet grows: shards beside one stack, as far as it goes, and run again."""

from __future__ import annotations

import argparse
from collections.abc import Callable

import yaml
from fleet_lab import Measured, lab, up
from fleet_page import MIB, exponent, machine, plot, publish, say, table

SIZES = (50, 100, 200, 400)
GROWTH = (200, 1000, 2000)


def shards(arguments: argparse.Namespace) -> None:
    """One stack against shards of about 150 resources: the same accounts, the same program, the same policies."""
    sizes = [size for size in SIZES if size <= arguments.largest] or [arguments.largest]
    split: dict[int, Measured] = {}
    whole: dict[int, Measured] = {}
    for size in sizes:
        with lab(size) as found:
            found.twokeys("fleet", "split", "prod", "--json")
            split[size] = up(found)
            say(f"{size} accounts in shards: {split[size].seconds:.0f} s")
        if size <= arguments.largest_stack:
            with lab(size) as found:
                whole[size] = up(found)
                say(f"{size} accounts in one stack: {whole[size].seconds:.0f} s")
    rows = []
    for size in sizes:
        ours, one = split[size], whole.get(size)
        rows.append(
            (
                f"{size:,}",
                f"{one.seconds / ours.seconds:.1f} x" if one else "-",
                f"{one.written / ours.written:.1f} x" if one else "-",
                f"{one.memory / ours.memory:.2f} x" if one else "-",
                len(ours.told["shards"]),
                f"{ours.seconds:.0f}",
                f"{one.seconds:.0f}" if one else "-",
                f"{ours.written / MIB:,.0f}",
                f"{one.written / MIB:,.0f}" if one else "-",
                f"{ours.memory / MIB:,.0f}",
                f"{one.memory / MIB:,.0f}" if one else "-",
            )
        )
    head = (
        "accounts",
        "time, one stack / shards",
        "written",
        "memory",
        "shards",
        "shards, s",
        "one stack, s",
        "shards, MiB written",
        "one stack",
        "shards, peak MiB",
        "one stack",
    )
    growth = [*_growth("shards", split), *_growth("one stack", whole)]
    lines = {"shards": {float(size): run.seconds for size, run in split.items()}}
    lines["one stack"] = {float(size): run.seconds for size, run in whole.items()}
    plot("fleet-shards", "First update of an environment", ("accounts", "seconds"), lines)
    text = "\n\n".join(
        (
            f"On {machine()}; policies on, the local AWS's own work included in the time.",
            table(head, rows),
            table(("", "growth exponent"), [(name, f"{value:.2f}") for name, value in growth]),
            "![Seconds by accounts, one stack and shards](fleet-shards.svg)",
        )
    )
    publish("shards", "uv run python benchmarks/fleet.py shards", text)


def growth(arguments: argparse.Namespace) -> None:
    """Shards alone, as far as it goes: one stack would take the square of it."""
    runs: dict[int, Measured] = {}
    again: dict[int, Measured] = {}
    for size in [size for size in GROWTH if size <= arguments.largest] or [arguments.largest]:
        with lab(size) as found:
            found.twokeys("fleet", "split", "prod", "--json")
            runs[size] = up(found)
            again[size] = up(found)
        say(f"{size} accounts in shards: {runs[size].seconds:.0f} s, again {again[size].seconds:.1f} s")
    rows = [
        (
            f"{size:,}",
            f"{run.seconds / size / (first.seconds / first_size):.2f} x",
            f"{run.memory / first.memory:.2f} x",
            len(run.told["shards"]),
            f"{run.seconds:.0f}",
            f"{run.seconds / size:.2f}",
            f"{run.processor:.0f}",
            f"{run.written / MIB:,.0f}",
            f"{run.memory / MIB:,.0f}",
            f"{again[size].seconds:.1f}",
        )
        for first_size, first in [next(iter(runs.items()))]
        for size, run in runs.items()
    ]
    head = (
        "accounts",
        "time an account / first row",
        "memory / first row",
        "shards",
        "s",
        "s an account",
        "processor s",
        "MiB written",
        "peak MiB",
        "again, unchanged, s",
    )
    exponents = [(name, f"{value:.2f}") for name, value in _growth("shards", runs)]
    note = f"On {machine()}; policies on, the local AWS's own work included in the time."
    text = "\n\n".join((note, table(head, rows), table(("", "growth exponent"), exponents)))
    publish("growth", "uv run python benchmarks/fleet.py growth", text)


def rerun(arguments: argparse.Namespace) -> None:
    """What it costs to run again when nothing, or one account, has changed."""
    accounts = min(200, arguments.largest)
    with lab(accounts) as found:
        found.twokeys("fleet", "split", "prod", "--json")
        first = up(found)
        unchanged = up(found)
        every = up(found, "--all")
        config = yaml.safe_load((found.folder / "Pulumi.prod.yaml").read_text())["config"]
        config["twokeys:accounts"]["account-00001"]["tags"] = {"team": "payments"}
        found.write("prod", config)
        found.twokeys("fleet", "split", "prod", "--json")
        one = up(found)
    rows = [
        (name, f"{run.seconds / first.seconds:.1%}", f"{run.seconds:.1f}", _ran(run))
        for name, run in (
            ("the first update", first),
            ("again, unchanged", unchanged),
            ("one account changed", one),
            ("again, every shard asked (`--all`)", every),
        )
    ]
    text = table(("run", "time / first", "s", "shards that needed an engine"), rows)
    note = f"{accounts} accounts, on {machine()}."
    publish("rerun", "uv run python benchmarks/fleet.py rerun", "\n\n".join((note, text)))


def _growth(name: str, runs: dict[int, Measured]) -> list[tuple[str, float]]:
    if len(runs) < 2:
        return []
    values: dict[str, Callable[[Measured], float]] = {
        "time": lambda run: run.seconds,
        "bytes written": lambda run: run.written,
        "peak memory": lambda run: run.memory,
    }
    return [
        (f"{name}, {what}", exponent({size: value(run) for size, run in runs.items()}))
        for what, value in values.items()
    ]


def _ran(run: Measured) -> str:
    told = run.told["shards"]
    return f"{sum(shard['state'] != 'unchanged' for shard in told)} of {len(told)}"
