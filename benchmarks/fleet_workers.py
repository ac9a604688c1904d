"""Shards beside each other: more workers, slower calls, and another executor."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager

from fleet_lab import Lab, Measured, lab, up
from fleet_page import MIB, machine, plot, publish, say, table

LATENCIES = (0, 50, 200)
WORKERS = (1, 2, 4, 8, 16)
SHARDS = 16
IDEAL = """\
The ideal is the time of one worker divided by the workers, or the processor seconds divided by the processors,
whichever is more: here an engine works more than it waits."""


def workers(arguments: argparse.Namespace) -> None:
    """1 to 16 workers with latency injected into every API call, against the ideal."""
    shards = min(SHARDS, arguments.largest)
    times: dict[int, dict[int, Measured]] = {}
    for latency in LATENCIES:
        times[latency] = {}
        for count in (one for one in WORKERS if one <= shards):
            with lab(shards, latency=latency) as found:
                found.twokeys("fleet", "split", "prod", "--capacity", "10", "--json")
                times[latency][count] = up(found, "--parallel", str(count), "--no-policies")
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
    lines["as many times as workers"] = {float(count): float(count) for count in times[0]}
    plot("fleet-workers", f"Speed-up of {shards} shards", ("workers", "times as fast as one worker"), lines)
    head = ("latency", "workers", "as fast as one", "of the ideal", "s", "ideal, s", "peak MiB")
    note = f"{shards} shards of one account on {machine()}.\n{IDEAL}"
    plots = "![Times as fast as one worker, by workers](fleet-workers.svg)"
    publish("workers", "uv run python benchmarks/fleet.py workers", "\n\n".join((note, table(head, rows), plots)))


def executors(arguments: argparse.Namespace) -> None:
    """Processes of the command against Dask on the same machine."""
    rows = []
    with lab(min(24, arguments.largest)) as found:
        found.twokeys("fleet", "split", "prod", "--capacity", "20", "--json")
        up(found)
        for name, more in (("processes, 2 at once", ("--parallel", "2")), ("Dask, 2 workers", None)):
            if more is not None:
                runs = [up(found, "--all", *more) for _ in range(3)]
            else:
                with _cluster(found) as address:
                    runs = [up(found, "--all", "--scheduler", address) for _ in range(3)]
            rows.append((name, runs))
            say(f"{name}: {', '.join(f'{run.seconds:.1f}' for run in runs)} s")
    best = {name: min(run.seconds for run in runs) for name, runs in rows}
    first = next(iter(best.values()))
    cells = [(name, f"{seconds / first:.2f} x", f"{seconds:.1f}") for name, seconds in best.items()]
    note = f"Shards of two accounts, all run, nothing to change; the best of three, on {machine()}."
    text = "\n\n".join((note, table(("executor", "time / first row", "s"), cells)))
    publish("executors", "uv run python benchmarks/fleet.py executors", text)


@contextmanager
def _cluster(found: Lab) -> Iterator[str]:
    """A Dask scheduler and two workers on this machine."""
    import distributed  # noqa: PLC0415 - an extra
    from dask import config  # noqa: PLC0415

    os.environ.update(found.variables)  # workers have the credentials of whoever starts them
    with (
        config.set({"distributed.scheduler.allowed-failures": 0}),
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
    ):
        yield cluster.scheduler_address
