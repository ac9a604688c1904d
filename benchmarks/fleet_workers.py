"""Shards beside each other: more workers, slower calls, and another executor."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import yaml
from fleet_lab import Lab, Measured, lab, up
from fleet_page import MIB, machine, plot, publish, say, table

LATENCIES = (0, 50, 200)
WORKERS = (1, 2, 4, 8, 16)
SHARDS = 16
IDEAL = """\
The ideal is the time of one worker divided by the workers, or the processor seconds divided by the processors,
whichever is more: here an engine works more than it waits."""


def workers(_: argparse.Namespace) -> None:
    """1 to 16 workers with latency injected into every API call, against the ideal."""
    times: dict[int, dict[int, Measured]] = {}
    for latency in LATENCIES:
        times[latency] = {}
        for count in WORKERS:
            with lab(SHARDS) as found:
                found.twokeys("fleet", "split", "prod", "--capacity", "10", "--json")
                with _latency(found, latency) as faults:
                    times[latency][count] = up(found, "--parallel", str(count), "--no-policies", *faults)
            say(f"{count} workers, {latency} ms: {times[latency][count].seconds:.1f} s")
    rows = []
    for latency, runs in times.items():
        one = runs[WORKERS[0]]
        for count, run in runs.items():
            ideal = max(one.seconds / count, run.processor / (os.cpu_count() or 1))
            rows.append(
                (
                    f"{latency} ms",
                    count,
                    f"{one.seconds / run.seconds:.2f} x",
                    f"{ideal / run.seconds:.0%}",
                    f"{run.seconds:.1f}",
                    f"{ideal:.1f}",
                    f"{run.memory / MIB:,.0f}",
                )
            )
    lines = {
        f"{latency} ms a call": {float(count): runs[1].seconds / run.seconds for count, run in runs.items()}
        for latency, runs in times.items()
    }
    lines["as many times as workers"] = {float(count): float(count) for count in WORKERS}
    plot("fleet-workers", f"Speed-up of {SHARDS} shards", ("workers", "times as fast as one worker"), lines)
    head = ("latency", "workers", "as fast as one", "of the ideal", "s", "ideal, s", "peak MiB")
    note = f"{SHARDS} shards of one account on {machine()}.\n{IDEAL}"
    plots = "![Times as fast as one worker, by workers](fleet-workers.svg)"
    publish("workers", "uv run python benchmarks/fleet.py workers", "\n\n".join((note, table(head, rows), plots)))


def executors(_: argparse.Namespace) -> None:
    """The process pool against Dask on the same machine."""
    rows = []
    with lab(24) as found:
        found.twokeys("fleet", "split", "prod", "--capacity", "20", "--json")
        up(found)
        for name, more in (("process pool", ("--parallel", "2")), ("Dask, 2 workers", None)):
            if more is not None:
                runs = [up(found, "--all", *more) for _ in range(3)]
            else:
                with _cluster() as address:
                    runs = [up(found, "--all", "--scheduler", address) for _ in range(3)]
            rows.append((name, runs))
            say(f"{name}: {', '.join(f'{run.seconds:.1f}' for run in runs)} s")
    best = {name: min(run.seconds for run in runs) for name, runs in rows}
    first = next(iter(best.values()))
    cells = [(name, f"{seconds / first:.2f} x", f"{seconds:.1f}") for name, seconds in best.items()]
    note = f"12 shards of two accounts, all run, nothing to change; the best of three, on {machine()}."
    text = "\n\n".join((note, table(("executor", "time / process pool", "s"), cells)))
    publish("executors", "uv run python benchmarks/fleet.py executors", text)


@contextmanager
def _latency(found: Lab, milliseconds: int) -> Iterator[tuple[str, ...]]:
    """The option that makes every API call take so much longer."""
    if not milliseconds:
        yield ()
        return
    rules: list[dict[str, Any]] = [{"service": "*", "operation": "*", "latencyMs": milliseconds}]
    plan = found.folder / "faults.yaml"
    plan.write_text(yaml.safe_dump({"seed": 1, "rules": rules}))
    yield ("--faults", str(plan))


@contextmanager
def _cluster() -> Iterator[str]:
    """A Dask scheduler and two workers on this machine."""
    import distributed  # noqa: PLC0415 - an extra
    from dask import config  # noqa: PLC0415

    with (
        config.set({"distributed.scheduler.allowed-failures": 0}),
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
    ):
        yield cluster.scheduler_address
