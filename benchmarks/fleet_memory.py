"""Memory with the pulumi CLI, where every provider is a process."""

from __future__ import annotations

import argparse
import shutil

from fleet_lab import TWOKEYS, lab, measured
from fleet_page import MIB, machine, publish, say, table

from twokeys.sandbox.local_aws import LocalAws

WITH_CLI = ("--engine", "pulumi", "--no-policies", "--skip-preview", "--json")


def memory(_: argparse.Namespace) -> None:
    """With the pulumi CLI: a provider process for each account in one stack, against shards one after the other."""
    if shutil.which("pulumi") is None:
        say("memory: the pulumi CLI and an aws plugin are not on PATH; this part is left out")
        return
    rows = []
    for accounts in (10, 20):
        with lab(accounts, deployed=False) as found:
            found.twokeys("sandbox", "up", "management", *WITH_CLI)
            one = found.twokeys("sandbox", "up", "prod", *WITH_CLI)
        with lab(accounts, deployed=False) as found:
            found.twokeys("sandbox", "up", "management", *WITH_CLI)
            found.twokeys("fleet", "split", "prod", "--capacity", "70", "--json")
            backend = (found.folder / ".twokeys/pulumi/backend").as_uri()
            cli_finds = {"PULUMI_BACKEND_URL": backend, "PULUMI_CONFIG_PASSPHRASE": "sandbox"}
            with LocalAws.start(found.folder / ".twokeys/aws") as aws:
                variables = [f"{name}={value}" for name, value in {**aws.environment(), **cli_finds}.items()]
                command = [*TWOKEYS, "fleet", "up", "prod", "--no-policies", "--json", "--parallel", "1"]
                ours = measured(["env", *variables, *command], found.folder)
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
