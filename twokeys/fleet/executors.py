"""Who does the work: processes on this machine, or the workers of a Dask cluster. No scheduler of ours."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from twokeys.errors import Refusal
from twokeys.fleet.task import Result, Task
from twokeys.fleet.worker import run_shard

_DASK_SECONDS: Final = 20.0


@dataclass(frozen=True)
class Workers:
    """Where tasks go, `slots` of them at once.

    The future of `submit` fails when the worker dies; the task is not tried again. `stop` tells those that work to stop
    in order; what has begun on other machines is left to end, which is a shard's time at most.
    """

    slots: int
    submit: Callable[[Task], Future[Result]]
    stop: Callable[[], None]


def opening(slots: int, scheduler: str | None) -> contextlib.AbstractContextManager[Workers]:
    """Workers on this machine, or with `scheduler` those of a cluster."""
    return dask(scheduler, slots) if scheduler else pool(slots)


@contextlib.contextmanager
def pool(slots: int) -> Iterator[Workers]:
    """This machine: a thread for each shard at work, which has a process of its own (`twokeys.fleet.worker`).

    Those processes end with this one, however it ends, and their engines stop in order then.
    """
    stopping = threading.Event()
    with ThreadPoolExecutor(slots) as threads:
        yield Workers(slots, lambda task: threads.submit(run_shard, task, stopping), stopping.set)


@contextlib.contextmanager
def dask(address: str, at_most: int | None = None) -> Iterator[Workers]:
    """The workers of the cluster whose scheduler is at `address` ("tcp://10.0.0.1:8786"): https://distributed.dask.org.

    Raises Refusal when nobody answers there, no worker is there, or the scheduler would run a task again whose worker
    died: nobody knows how far the first has come.
    """
    import distributed  # noqa: PLC0415 - an extra

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
        if allowed := client.run_on_scheduler(_allowed_failures):
            raise Refusal(
                "the scheduler would try a lost shard again",
                where=address,
                why=f"its setting distributed.scheduler.allowed-failures is {allowed}; a shard whose worker died may"
                " still be changing AWS",
                next_step="start the scheduler with DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES=0",
            )
        threads = sum(client.nthreads().values())
        if not threads:
            raise Refusal(
                "the cluster has no workers",
                where=address,
                why="its scheduler answers, and nobody has joined it",
                next_step=f"start some: `dask worker {address} --nthreads 1`, with this project at the same path",
            )
        executor = client.get_executor(pure=False, retries=0)
        yield Workers(min(threads, at_most or threads), lambda task: executor.submit(run_shard, task), lambda: None)


def _allowed_failures(dask_scheduler: Any) -> int:  # noqa: ANN401 - Dask gives it by this name, and declares no types
    return int(dask_scheduler.allowed_failures)
