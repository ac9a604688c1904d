"""Who does the work: the pool of this machine and the workers of a Dask cluster treat a shard alike."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

import distributed
import psutil
import pytest
from dask import config as dask_config

from twokeys.errors import Refusal
from twokeys.fleet.executors import Workers, dask, opening
from twokeys.fleet.run import run
from twokeys.fleet.task import Operation, Result, State, Task

HOST = "twokeys.fleet.host"


@contextmanager
def scheduler() -> Iterator[str]:
    """The address of a scheduler with one worker, which does not try again what a dead worker had."""
    with (
        dask_config.set({"distributed.scheduler.allowed-failures": 0}),
        distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0") as found,
    ):
        yield found.scheduler_address


CLI = """#!/bin/sh
case "$1" in version) echo v3.274.1;; *) exec sleep 600;; esac
"""


@pytest.fixture
def slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Task:
    """A task whose CLI answers what version it is, and nothing else for ten minutes."""
    (tmp_path / "Pulumi.yaml").write_text("{name: slow, runtime: python}")
    cli = tmp_path / "bin/pulumi"
    cli.parent.mkdir()
    cli.write_text(CLI)
    cli.chmod(0o755)
    monkeypatch.setenv("PATH", f"{cli.parent}{os.pathsep}{os.environ['PATH']}")
    return Task(Operation.PREVIEW, "slow", str(tmp_path))


def ran(workers: Workers, task: Task) -> list[Result]:
    return run([task, task], workers, begun=lambda _: None, ended=lambda _: None)


def hosts() -> list[psutil.Process]:
    found = []
    for one in psutil.Process().children(recursive=True):
        try:
            if HOST in " ".join(one.cmdline()) and one.status() != psutil.STATUS_ZOMBIE:
                found.append(one)
        except psutil.Error:
            continue
    return found


def kill_once_it_works(whom: Callable[[psutil.Process], int]) -> psutil.Process:
    """SIGKILL for the engine's process, or whoever has started it; returns that process."""
    until = time.monotonic() + 120
    while not (found := [(one, started) for one in hosts() if any(map(sleeps, started := descendants(one)))]):
        assert time.monotonic() < until
        time.sleep(0.05)
    engine, started = found[0]
    os.kill(whom(engine), signal.SIGKILL)
    psutil.wait_procs([engine, *started], timeout=60)
    assert not [one for one in started if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
    return engine


def descendants(engine: psutil.Process) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):  # it ended just now
        return engine.children(recursive=True)
    return []


def sleeps(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return "sleep" in process.name()
    return False


@pytest.mark.parametrize("where", ["pool", "dask"])
def test_what_an_engine_refuses_comes_back_as_a_result(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with scheduler() if where == "dask" else nullcontext() as address, opening(1, address) as workers:
        for result in ran(workers, Task(Operation.PREVIEW, "prod-001", str(tmp_path))):
            assert result.state is State.FAILED
            assert "the pulumi CLI is not installed" in result.problems[0]


def test_an_engine_that_is_killed_loses_its_shard_and_what_it_started_and_no_other(slow: Task) -> None:
    with opening(1, None) as workers, ThreadPoolExecutor(1) as killing:
        first = killing.submit(kill_once_it_works, lambda engine: engine.pid)
        second = killing.submit(kill_once_it_works, lambda engine: engine.pid)
        assert [result.state for result in ran(workers, slow)] == [State.LOST, State.LOST]
        assert first.result() != second.result()


def test_a_worker_that_is_killed_loses_its_shard_and_its_engine_and_nothing_is_tried_again(slow: Task) -> None:
    with scheduler() as address, opening(1, address) as workers, ThreadPoolExecutor(1) as killing:
        killed = killing.submit(kill_once_it_works, lambda engine: engine.ppid())
        assert [result.state for result in ran(workers, slow)] == [State.LOST, State.WAITING]
        assert not killed.result().is_running() or killed.result().status() == psutil.STATUS_ZOMBIE
        assert hosts() == []  # nobody has begun it again


def test_a_scheduler_that_would_try_a_lost_shard_again_is_refused() -> None:
    with (
        distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0") as found,
        pytest.raises(Refusal, match=r"allowed-failures is 3.*ALLOWED_FAILURES=0"),
        dask(found.scheduler_address),
    ):
        raise AssertionError("it was not refused")


def test_a_cluster_without_workers_is_refused() -> None:
    with (
        dask_config.set({"distributed.scheduler.allowed-failures": 0}),
        distributed.LocalCluster(n_workers=0, dashboard_address=":0") as found,
        pytest.raises(Refusal, match="the cluster has no workers"),
        dask(found.scheduler_address),
    ):
        raise AssertionError("it was not refused")
