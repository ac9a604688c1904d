"""A fleet's update beside plain calls for the same work."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from fleet_lab import lab, measured, up
from fleet_page import machine, publish, table

PLAIN = Path(__file__).with_name("plain_calls.py")
MOTO = "moto[server,organizations,iam,sts]==5.2.5"


def plain(arguments: argparse.Namespace) -> None:
    """An update against plain boto3 calls for the same work, on the same local AWS and on moto."""
    accounts = min(50, arguments.largest)
    with lab(accounts) as found:
        found.twokeys("fleet", "split", "prod", "--json")
        ours = {"`twokeys fleet up`, with policies": up(found)}
    with lab(accounts) as found:
        found.twokeys("fleet", "split", "prod", "--json")
        ours["`twokeys fleet up`, without"] = up(found, "--no-policies")
    with lab(accounts) as found:
        ours["boto3, on the same local AWS"] = found.run(sys.executable, str(PLAIN), "aws", str(accounts))
    with tempfile.TemporaryDirectory() as folder:
        python = ["uv", "run", "--quiet", "--no-project", "--with", MOTO, "python"]
        ours[f"boto3, on moto {MOTO.rpartition('==')[2]} (checks no trust)"] = measured(
            [*python, str(PLAIN), "moto", str(accounts)], Path(folder)
        )
    first = ours["boto3, on the same local AWS"].seconds
    rows = [(name, f"{run.seconds / first:.1f} x", f"{run.seconds:.1f}") for name, run in ours.items()]
    note = (
        f"{accounts} accounts with a role and its grant each, on {machine()}. Plain calls keep no state,\n"
        "preview nothing, prove nothing and cannot be run twice."
    )
    text = "\n\n".join((note, table(("", "time / boto3", "s"), rows)))
    publish("plain", "uv run python benchmarks/fleet.py plain", text)
