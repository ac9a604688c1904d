"""A run over shards: as many at once as there are slots, none tried twice, and everything that is known told."""

from collections.abc import Callable, Collection, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Final

from twokeys.fleet.executors import Workers
from twokeys.fleet.task import Result, State, Task

_POLL_SECONDS: Final = 0.2

Begun = Callable[[Task], None]
Ended = Callable[[Result], None]


def run(  # noqa: PLR0913 - all by name
    tasks: Iterable[Task],
    workers: Workers,
    *,
    begun: Begun,
    ended: Ended,
    creating: Collection[str] = (),
    creating_at_once: int = 1,
) -> list[Result]:
    """Have each task done once, in their order as far as slots allow.

    After a worker's death nothing more is begun, because what killed it (the memory, an operator) may kill the next.
    Ctrl-C tells those that work to stop in order, waits for them and begins no more; a second one leaves them to it.

    `creating` are stacks that may create accounts, of which `creating_at_once` are worked on at a time.
    """
    waiting = list(tasks)
    running: dict[Future[Result], Task] = {}
    results: list[Result] = []
    going = True

    def conclude(result: Result) -> None:
        results.append(result)
        ended(result)

    def begin() -> None:
        while going and len(running) < workers.slots:
            makers = sum(task.stack in creating for task in running.values())
            ready = (task for task in waiting if task.stack not in creating or makers < creating_at_once)
            task = next(ready, None)
            if task is None:
                return
            running[workers.submit(task)] = task
            waiting.remove(task)
            begun(task)

    while waiting or running:
        try:
            begin()
            if not running:
                break
            done, _ = wait(running, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED)
            for future in done:
                task = running.pop(future)
                result, lost = _result(future, task)
                going = going and not lost
                conclude(result)
        except KeyboardInterrupt:
            if not going:
                raise
            going = False
            workers.stop()
    for task in waiting:
        conclude(Result(task.stack, State.WAITING))
    return results


def _result(future: Future[Result], task: Task) -> tuple[Result, bool]:
    """The result, and whether the worker died. Whatever a future fails with, the shard is lost: nobody answered."""
    error = future.exception()
    if error is None:
        return future.result(), False
    why = (
        f"its worker died ({type(error).__name__}: {error}), so nobody knows how far it came; the engine stops with it"
    )
    return Result(task.stack, State.LOST, problems=(why,)), True
