"""Who does the work: a process pool on this machine, or the workers of a Dask cluster. No scheduler of ours."""

from __future__ import annotations

import contextlib
import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from functools import partial
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Event
from typing import Any, Final, Protocol

from twokeys.errors import Refusal
from twokeys.fleet.task import Result, Task
from twokeys.fleet.worker import Progress, run_shard

_TOPIC: Final = "twokeys-fleet"
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
    """Workers on this machine."""

    def __init__(self, executor: Executor, slots: int, stopping: Event) -> None:
        self.slots = slots
        self._executor = executor
        self._stopping = stopping

    def submit(self, task: Task) -> Future[Result]:
        """See `Workers`."""
        return self._executor.submit(_in_pool, task)

    def stop(self) -> None:
        """See `Workers`."""
        self._stopping.set()


@contextlib.contextmanager
def pool(slots: int, progress: Progress) -> Iterator[Workers]:
    """A process pool. Its workers end with this process, however it ends, and their engines stop in order then."""
    context = multiprocessing.get_context("spawn")
    said: SimpleQueue[tuple[str, int] | None] = context.SimpleQueue()
    stopping = context.Event()
    listening = threading.Thread(target=_listen, args=(said, progress), daemon=True)
    listening.start()
    executor = ProcessPoolExecutor(slots, mp_context=context, initializer=_begin, initargs=(said, stopping))
    try:
        yield Pool(executor, slots, stopping)
    finally:
        executor.shutdown(wait=True, cancel_futures=True)
        said.put(None)
        listening.join()


def _listen(said: SimpleQueue[tuple[str, int] | None], progress: Progress) -> None:
    while (told := said.get()) is not None:
        progress(*told)


_pooled: dict[str, Any] = {}


def _begin(said: SimpleQueue[tuple[str, int] | None], stopping: Event) -> None:
    """In a new worker of the pool."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the command, which then says `stop`
    _pooled.update(said=said, stopping=stopping)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None  # noqa: S101 - this is a worker
    multiprocessing.connection.wait([parent.sentinel])
    os._exit(1)  # the engine's host sees its pipe end, and stops in order


def _in_pool(task: Task) -> Result:
    said = _pooled["said"]
    return run_shard(task, lambda stack, done: said.put((stack, done)), _pooled["stopping"])


class Dask:
    """The workers of a Dask cluster: https://distributed.dask.org. Each runs one task a thread."""

    def __init__(self, client: Any, slots: int) -> None:  # noqa: ANN401 - Dask declares no types
        self.slots = slots
        self._executor = client.get_executor(pure=False, retries=0)

    def submit(self, task: Task) -> Future[Result]:
        """See `Workers`."""
        future: Future[Result] = self._executor.submit(_on_cluster, task)
        return future

    def stop(self) -> None:
        """What has begun on other machines is left to end: it is a shard's time at most."""


@contextlib.contextmanager
def dask(address: str, at_most: int | None, progress: Progress) -> Iterator[Workers]:
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
            next_step="install the extra: `uv sync --extra dask`, or leave --scheduler out to work on this machine",
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
        client.subscribe_topic(_TOPIC, lambda event: progress(*event[1]))
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


def _on_cluster(task: Task) -> Result:
    from distributed import get_worker  # noqa: PLC0415 - on a worker

    worker = get_worker()
    return run_shard(task, lambda stack, done: worker.log_event(_TOPIC, (stack, done)))


Opening = Callable[[Progress], contextlib.AbstractContextManager[Workers]]
"""Opens workers that tell how far they are."""


def opening(slots: int, scheduler: str | None) -> Opening:
    """Workers on this machine, or with `scheduler` those of a cluster."""
    return partial(dask, scheduler, slots) if scheduler else partial(pool, slots)
