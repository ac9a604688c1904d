"""Who does the work: processes on this machine, or the workers of a Dask cluster. No scheduler of ours."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final, Protocol

from twokeys.errors import Refusal
from twokeys.fleet.task import Result, Task
from twokeys.fleet.worker import run_shard

_DASK_SECONDS: Final = 20.0


class Workers(Protocol):
    """Where tasks go.

    Attributes:
        slots: how many of them are worked on at once.
    """

    slots: int

    def submit(self, task: Task) -> Future[Result]:
        """Give a task to a worker. The future fails when the worker dies; it is not tried again."""
        ...

    def stop(self) -> None:
        """Tell those that work to stop in order."""
        ...


class Pool:
    """This machine: a thread for each shard at work, which has a process of its own (`twokeys.fleet.worker`).

    Those processes end with this one, however it ends, and their engines stop in order then.
    """

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self.executor = ThreadPoolExecutor(slots)
        self._stopping = threading.Event()

    def submit(self, task: Task) -> Future[Result]:
        """See `Workers`."""
        return self.executor.submit(run_shard, task, self._stopping)

    def stop(self) -> None:
        """See `Workers`."""
        self._stopping.set()


@contextlib.contextmanager
def pool(slots: int) -> Iterator[Workers]:
    """Workers on this machine."""
    found = Pool(slots)
    with found.executor:
        yield found


class Dask:
    """The workers of a Dask cluster: https://distributed.dask.org. Each runs one task a thread."""

    def __init__(self, client: Any, slots: int) -> None:  # noqa: ANN401 - Dask declares no types
        self.slots = slots
        self._executor = client.get_executor(pure=False, retries=0)

    def submit(self, task: Task) -> Future[Result]:
        """See `Workers`."""
        future: Future[Result] = self._executor.submit(run_shard, task)
        return future

    def stop(self) -> None:
        """What has begun on other machines is left to end: it is a shard's time at most."""


@contextlib.contextmanager
def dask(address: str, at_most: int | None = None) -> Iterator[Workers]:
    """The workers of the cluster whose scheduler is at `address` ("tcp://10.0.0.1:8786").

    Raises:
        Refusal: Dask is not installed, nobody answers there, no worker is there, or the scheduler would run a task
            again whose worker died.
    """
    try:
        import distributed  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise Refusal(
            "there is no Dask to reach a scheduler with",
            where="--scheduler",
            why=str(error),
            next_step="install the extra: `pip install 'twokeys[dask]'`, or leave --scheduler out",
        ) from error
    try:
        client: Any = distributed.Client(  # type: ignore[no-untyped-call]
            address, timeout=_DASK_SECONDS, set_as_default=False
        )
    except (OSError, ValueError) as error:
        raise Refusal(
            "the scheduler cannot be reached",
            where=address,
            why=str(error) or "nobody answers there",
            next_step="start one (`dask scheduler`) and workers (`dask worker`), or correct the address",
        ) from error
    with client:
        _never_again(client, address)
        threads = sum(client.nthreads().values())
        if not threads:
            raise Refusal(
                "the cluster has no workers",
                where=address,
                why="its scheduler answers, and nobody has joined it",
                next_step=f"start some: `dask worker {address} --nthreads 1`, with this project at the same path",
            )
        yield Dask(client, min(threads, at_most or threads))


def _never_again(client: Any, address: str) -> None:  # noqa: ANN401 - as above
    """Refuse a scheduler that gives a dead worker's task to another: nobody knows how far the first has come."""
    allowed = client.run_on_scheduler(_allowed_failures)
    if allowed:
        raise Refusal(
            "the scheduler would try a lost shard again",
            where=address,
            why=f"its setting distributed.scheduler.allowed-failures is {allowed}; a shard whose worker died may still"
            " be changing AWS",
            next_step="start the scheduler with DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES=0",
        )


def _allowed_failures(dask_scheduler: Any) -> int:  # noqa: ANN401 - Dask gives it by this name
    return int(dask_scheduler.allowed_failures)


def opening(slots: int, scheduler: str | None) -> contextlib.AbstractContextManager[Workers]:
    """Workers on this machine, or with `scheduler` those of a cluster."""
    return dask(scheduler, slots) if scheduler else pool(slots)
