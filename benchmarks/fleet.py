"""A fleet on the pulumi CLI, beside one stack and beside what others would do, each in one run.

    uv run python benchmarks/fleet.py shards
    uv run python benchmarks/fleet.py all --accounts 42 --write

Accounts have one door each, seven resources an account. The pulumi CLI and an aws plugin have to be on PATH
(`twokeys sandbox get-pulumi`; our plugin stands in for the vendor's where that is not there). What is compared is
processor time, which a busy machine changes little; the clock's time is told beside it. `--write` puts the tables into
docs/benchmarks-fleet.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from fleet_lab import cli_on_path, lab, up
from fleet_page import MIB, publish, say, table

PLAIN = Path(__file__).with_name("plain_calls.py")


def shards(accounts: int) -> tuple[str, str]:
    """One stack against shards of about 150 resources: the same accounts, the same program, the same policies."""
    with lab(accounts) as found:
        whole = up(found)
    with lab(accounts) as found:
        found.twokeys("fleet", "split", "prod", "--json")
        split = up(found, "--parallel", "2")
    head = (
        "",
        "processor / shards",
        "written / shards",
        "memory / shards",
        "processor s",
        "MiB written",
        "peak MiB",
        "s",
    )
    named = (("one stack", whole), (f"{len(split.told['shards'])} shards, 2 at once", split))
    rows = [
        (
            name,
            f"{run.processor / split.processor:.2f} x",
            f"{run.written / split.written:.2f} x",
            f"{run.memory / split.memory:.2f} x",
            f"{run.processor:.0f}",
            f"{run.written / MIB:.0f}",
            f"{run.memory / MIB:,.0f}",
            f"{run.seconds:.0f}",
        )
        for name, run in named
    ]
    return "A first update with policies; the local AWS's own work is not counted.", table(head, rows)


def plain(accounts: int) -> tuple[str, str]:
    """An update against plain boto3 calls for the same work, on the same local AWS."""
    with lab(accounts) as found:
        found.twokeys("fleet", "split", "prod", "--json")
        ours = up(found)
    with lab(accounts) as found:
        peer = found.run(sys.executable, str(PLAIN), str(accounts))
    named = {"`twokeys fleet up`, with policies": ours, "boto3": peer}
    rows = [
        (name, f"{run.processor / peer.processor:.0f} x", f"{run.processor:.1f}", f"{run.seconds:.0f}")
        for name, run in named.items()
    ]
    note = "Plain calls keep no state, preview nothing, prove nothing and cannot be run twice."
    return note, table(("", "processor / boto3", "processor s", "s"), rows)


PARTS: dict[str, Callable[[int], tuple[str, str]]] = {"shards": shards, "plain": plain}


def main() -> None:
    """Measure one part, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=[*PARTS, "all"])
    parser.add_argument("--accounts", type=int, default=42)
    parser.add_argument("--write", action="store_true", help="put the tables into docs/benchmarks-fleet.md")
    arguments = parser.parse_args()
    with cli_on_path():
        for name, part in PARTS.items():
            if arguments.part in (name, "all"):
                say(f"{name}: {part.__doc__}")
                note, text = part(arguments.accounts)
                command = f"uv run python benchmarks/fleet.py {name} --accounts {arguments.accounts} --write"
                publish(name, command, f"{arguments.accounts} accounts. {note}", text, write=arguments.write)


if __name__ == "__main__":
    main()
