"""A run over shards, with workers of which the test decides how they end."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import pytest

from twokeys.fleet.run import run
from twokeys.fleet.task import Operation, Result, State, Task
from twokeys.fleet.worker import RESULT, TASK


def tasks(count: int) -> list[Task]:
    return [Task(Operation.UP, f"prod-{number:03d}", ".") for number in range(1, count + 1)]


class Threads:
    """Workers that are threads of the test."""

    def __init__(self, slots: int, work: Callable[[Task], Result]) -> None:
        self.slots = slots
        self.stopped = threading.Event()
        self.most = 0
        self._running: set[str] = set()
        self._work = work
        self._lock = threading.Lock()
        self._executor = ThreadPoolExecutor(32)

    def submit(self, task: Task) -> Future[Result]:
        with self._lock:
            self._running.add(task.stack)
            self.most = max(self.most, len(self._running))
        return self._executor.submit(self._do, task)

    def stop(self) -> None:
        self.stopped.set()

    def _do(self, task: Task) -> Result:
        try:
            return self._work(task)
        finally:
            with self._lock:
                self._running.discard(task.stack)


def done(task: Task) -> Result:
    return Result(task.stack, State.DONE)


def ran(workers: Threads, count: int, **more: Any) -> dict[str, State]:
    more = {"begun": lambda _: None, "ended": lambda _: None, **more}
    return {result.stack: result.state for result in run(tasks(count), workers, **more)}


def test_each_shard_is_done_once_and_no_more_at_once_than_there_are_slots() -> None:
    seen = []

    def work(task: Task) -> Result:
        seen.append(task.stack)
        return done(task)

    workers = Threads(3, work)
    assert set(ran(workers, 20).values()) == {State.DONE}
    assert sorted(seen) == [task.stack for task in tasks(20)]
    assert workers.most <= 3


def test_after_a_workers_death_nothing_more_is_begun_and_nothing_is_tried_again() -> None:
    begun: list[str] = []

    def work(task: Task) -> Result:
        if task.stack == "prod-002":
            raise BrokenProcessPool("a process was terminated abruptly")
        return done(task)

    states = ran(Threads(1, work), 5, begun=lambda task: begun.append(task.stack))
    assert states["prod-001"] is State.DONE
    assert states["prod-002"] is State.LOST
    assert {states[f"prod-00{number}"] for number in (3, 4, 5)} == {State.WAITING}
    assert begun == ["prod-001", "prod-002"]


def test_ctrl_c_tells_those_that_work_to_stop_and_begins_no_more() -> None:
    workers: Threads

    def work(task: Task) -> Result:
        assert workers.stopped.wait(10)
        return Result(task.stack, State.STOPPED)

    def begun(task: Task) -> None:
        if task.stack == "prod-002":
            raise KeyboardInterrupt

    workers = Threads(2, work)
    states = ran(workers, 4, begun=begun)
    assert states["prod-001"] is State.STOPPED
    assert states["prod-003"] is State.WAITING
    assert len(states) == 4


def test_only_so_many_shards_create_accounts_at_once() -> None:
    creating = {task.stack for task in tasks(8)}
    workers = Threads(8, done)
    assert set(ran(workers, 8, creating=creating, creating_at_once=2).values()) == {State.DONE}
    assert workers.most <= 2


@pytest.mark.parametrize("operation", Operation)
def test_a_task_and_its_result_survive_the_way_to_a_worker(operation: Operation) -> None:
    task = Task(operation, "prod-001", "/p", (("/p/policies", {"all": "advisory"}),))
    assert TASK.validate_json(TASK.dump_json(task)) == task
    result = Result("prod-001", State.FAILED, {"create": 2}, ("it broke",), ("mind",), 1.5, 10)
    assert RESULT.validate_json(RESULT.dump_json(result)) == result
