"""How long the command line takes to start."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

from fleet_page import machine, publish, table

from twokeys.cli import COMMANDS

GOAL_HELP_MS = 300


def cli(_: argparse.Namespace) -> None:
    """How long the command line takes to start."""
    rows = []
    for arguments in (["--help"], *([name, "--help"] for name in sorted(COMMANDS))):
        times = []
        for _ in range(7):
            began = time.perf_counter()
            subprocess.run([str(Path(sys.prefix, "bin/twokeys")), *arguments], capture_output=True, check=True)
            times.append(time.perf_counter() - began)
        best = sorted(times)[len(times) // 2] * 1000
        rows.append((f"`twokeys {' '.join(arguments)}`", f"{best / GOAL_HELP_MS:.2f} x", f"{best:.0f}"))
    note = f"The median of seven, on {machine()}; the goal is {GOAL_HELP_MS} ms."
    text = "\n\n".join((note, table(("command", "time / goal", "ms"), rows)))
    publish("cli", "uv run python benchmarks/fleet.py cli", text)
