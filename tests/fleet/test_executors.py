"""Who does the work: the pool of this machine and the workers of a Dask cluster treat a shard alike."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import distributed
import psutil
import pytest
from dask import config as dask_config

from twokeys.errors import Refusal
from twokeys.fleet.executors import Workers, dask, opening, pool
from twokeys.fleet.run import run
from twokeys.fleet.task import Operation, Result, State, Task
from twokeys.sandbox.local_aws import LocalAws

HOST = "twokeys.fleet.host"


@pytest.fixture
def cluster() -> Iterator[str]:
    """The address of a scheduler with one worker, which does not try again what a dead worker had."""
    with (
        dask_config.set({"distributed.scheduler.allowed-failures": 0}),
        distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as found,
    ):
        yield found.scheduler_address


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[Task]:
    """The preview of a program that takes its time."""
    (tmp_path / "Pulumi.yaml").write_text("{name: slow, runtime: python}")
    (tmp_path / "Pulumi.slow.yaml").write_text("config: {}")
    (tmp_path / "__main__.py").write_text("import time; time.sleep(600)")
    sandbox = tmp_path / ".twokeys"
    with LocalAws.start(sandbox / "aws"):
        yield Task(Operation.PREVIEW, "slow", str(tmp_path), "sandbox", sandbox=str(sandbox))


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


def kill_the_worker_once_it_works() -> psutil.Process:
    """SIGKILL for whoever has started an engine's process; returns that process."""
    until = time.monotonic() + 120
    while not (found := hosts()):
        assert time.monotonic() < until
        time.sleep(0.05)
    time.sleep(1)  # it is in the middle of its task
    parent = found[0].ppid()
    os.kill(parent, signal.SIGKILL)
    return found[0]


@pytest.mark.parametrize("where", ["pool", "dask"])
def test_what_an_engine_refuses_comes_back_as_a_result(where: str, tmp_path: Path, cluster: str) -> None:
    task = Task(Operation.PREVIEW, "prod-001", str(tmp_path), "sandbox", sandbox=str(tmp_path))
    with opening(1, cluster if where == "dask" else None)(lambda _stack, _done: None) as workers:
        for result in ran(workers, task):
            assert result.state is State.FAILED
            assert "there is no Pulumi.yaml" in result.problems[0]


@pytest.mark.parametrize("where", ["pool", "dask"])
def test_a_worker_that_is_killed_loses_its_shard_and_its_engine_and_nothing_is_tried_again(
    where: str, slow: Task, cluster: str
) -> None:
    killed: list[psutil.Process] = []
    killing = threading.Thread(target=lambda: killed.append(kill_the_worker_once_it_works()))
    opened: AbstractContextManager[Workers] = opening(1, cluster if where == "dask" else None)(lambda _s, _d: None)
    with opened as workers:
        killing.start()
        results = ran(workers, slow)
        killing.join()
        assert [result.state for result in results] == [State.LOST, State.WAITING]
        psutil.wait_procs(killed, timeout=60)
        assert not killed[0].is_running() or killed[0].status() == psutil.STATUS_ZOMBIE
        assert hosts() == []  # nobody has begun it again


def test_a_scheduler_that_would_try_a_lost_shard_again_is_refused() -> None:
    with (
        distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as found,
        pytest.raises(Refusal, match=r"allowed-failures is 3.*ALLOWED_FAILURES=0"),
        dask(found.scheduler_address, None, lambda _stack, _done: None),
    ):
        raise AssertionError("it was not refused")


def test_a_cluster_without_workers_is_refused() -> None:
    with (
        dask_config.set({"distributed.scheduler.allowed-failures": 0}),
        distributed.LocalCluster(n_workers=0, dashboard_address=None) as found,
        pytest.raises(Refusal, match="the cluster has no workers"),
        dask(found.scheduler_address, None, lambda _stack, _done: None),
    ):
        raise AssertionError("it was not refused")


def test_a_pool_without_tasks_ends_at_once() -> None:
    with pool(2, lambda _stack, _done: None) as workers:
        assert run([], workers, begun=lambda _: None, ended=lambda _: None) == []
