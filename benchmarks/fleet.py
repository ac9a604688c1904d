"""How a fleet grows, beside one stack and beside what others would do, each in one run.

    uv run python benchmarks/fleet.py all
    uv run python benchmarks/fleet.py shards --largest 2000 --largest-stack 400

Every part writes its section of docs/benchmarks-fleet.md and its plot, ratios first. Accounts have one door each, seven
resources an account. The pulumi CLI and an aws plugin have to be on PATH; `--largest 2` is the smallest trial. The
machine should be quiet: wall time is measured, since waiting is part of what is compared.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

from fleet_calls import plain
from fleet_growth import GROWTH, growth, rerun, shards
from fleet_memory import memory
from fleet_page import say
from fleet_startup import cli
from fleet_workers import executors, workers

PARTS: dict[str, Callable[[argparse.Namespace], None]] = {
    "cli": cli,
    "rerun": rerun,
    "plain": plain,
    "executors": executors,
    "workers": workers,
    "memory": memory,
    "shards": shards,
    "growth": growth,
}


def main() -> None:
    """Measure one part, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=[*PARTS, "all"])
    parser.add_argument("--largest", type=int, default=GROWTH[-1], help="accounts in shards")
    parser.add_argument(
        "--largest-stack", type=int, default=200, help="accounts in one stack, which takes their square"
    )
    arguments = parser.parse_args()
    for name, part in PARTS.items():
        if arguments.part in (name, "all"):
            say(f"{name}: {(part.__doc__ or '').strip()}")
            part(arguments)


if __name__ == "__main__":
    main()
