"""What is killed at random moments, and how many runs it takes to converge."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

import yaml
from fleet_lab import ROOT
from fleet_page import publish, say, table

sys.path.insert(0, str(ROOT))  # the trials are the tests'

from tests.fleet.trial import KINDS, Trial, prepare, try_once

RECOVERY = """\
Six accounts in three shards, two at once; a SIGKILL at a random moment of the first six seconds of work; in every
other trial 5 % of all calls are throttled. Converged
means: the next runs succeed, then nothing is left to do, every e-mail has one account, states and organization hold
the same accounts, no role or grant is missing or too many, and every door opens and shuts as declared. “Nothing” was
killed where the run was over by then."""


def recovery(arguments: argparse.Namespace) -> None:
    """Kill something at a random moment, again and again, and count how many runs it takes to converge."""
    trials: list[Trial] = []
    with tempfile.TemporaryDirectory(prefix="twokeys-recovery-") as folder:
        prepared = prepare(Path(folder), ROOT)
        plan = Path(folder, "faults.yaml")
        rules = [{"service": "*", "operation": "*", "throttle": 0.05}]
        plan.write_text(yaml.safe_dump({"seed": 7, "rules": rules}))
        for seed in range(arguments.trials):
            trials.append(try_once(prepared, Path(folder), seed, plan if seed % 2 else None))
            say(f"{trials[-1]}")
    rows = []
    for kind in (*KINDS, "nothing"):
        found = [trial for trial in trials if trial.killed == kind]
        runs = Counter(trial.runs for trial in found)
        wrong = sum(bool(trial.wrong) for trial in found)
        again = ", ".join(f"{count} after {number}" for number, count in sorted(runs.items()))
        rows.append((kind, len(found), len(found) - wrong, again or "-"))
    note = f"{len(trials)} trials. {RECOVERY}"
    head = ("killed", "trials", "converged", "runs it took")
    publish("recovery", "uv run python benchmarks/fleet.py recovery", "\n\n".join((note, table(head, rows))))
    for trial in trials:
        for wrong_one in trial.wrong:
            raise SystemExit(f"trial {trial.seed} has not converged: {wrong_one}")
