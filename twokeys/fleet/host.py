"""`python -m twokeys.fleet.host`: the engine's process of a worker. Tasks come in, and results go out, as JSON lines.

Standard input is a pipe that only the worker holds (`twokeys.fleet.worker`). Its end, or SIGINT, interrupts what is
running as Ctrl-C does: the engine finishes or notes what it has begun.
"""

from __future__ import annotations

import json
import os
import queue
import resource
import signal
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any, Final, TextIO

import psutil

from twokeys.errors import Refusal
from twokeys.fleet.engines import open_engine
from twokeys.fleet.leftovers import end_others
from twokeys.fleet.task import Operation, Result, State, Task
from twokeys.sandbox.engine.events import Event, Severity, StepDone
from twokeys.sandbox.engine.report import Report

_EVERY_SECONDS: Final = 0.5
_IDLE_SECONDS: Final = 1.0
_GRACE_SECONDS: Final = 45.0


def main() -> None:
    """Work until standard input ends."""
    # What libraries print must not get between our lines.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    signal.signal(signal.SIGINT, signal.default_int_handler)
    tasks: queue.Queue[str | None] = queue.Queue()
    threading.Thread(target=_listen, args=(tasks,), daemon=True).start()
    while True:
        try:
            line = tasks.get()
        except KeyboardInterrupt:
            continue  # it came when the task was done already
        if line is None:
            return
        _answer(answers, {"result": _work(Task.from_json(line), answers).as_dict()})


def _listen(tasks: queue.Queue[str | None]) -> None:
    for line in sys.stdin:
        tasks.put(line)
    tasks.put(None)
    # The worker is gone. An idle host ends by itself; a busy one stops in order, and at once if that takes too long.
    for _ in range(2):
        time.sleep(_IDLE_SECONDS)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(_GRACE_SECONDS)
    end_others(os.getpid())
    os.kill(os.getpid(), signal.SIGKILL)


def _work(task: Task, answers: TextIO) -> Result:
    began, written = time.monotonic(), _written()
    report = Report(None, preview=task.operation is not Operation.UP)
    progress = _Progress(task.stack, answers)

    def listen(event: Event) -> None:
        report(event)
        if isinstance(event, StepDone):
            progress.step()

    try:
        ended = open_engine(task).run(listen, progress.step)
        state, changes = (State.DONE if ended.ok else State.FAILED), dict(ended.changes)
        problems = [*ended.problems, *_problems(report)]
    except KeyboardInterrupt:
        state, changes = State.STOPPED, {}
        problems = ["it was told to stop, and did so in order: what it had begun is in the state"]
    except Refusal as refusal:
        state, changes, problems = State.FAILED, {}, [str(refusal)]
    return Result(
        task.stack,
        state,
        changes or {op.value: count for op, count in report.counts.items()},
        tuple(problems),
        tuple(_advice(report)),
        seconds=time.monotonic() - began,
        memory=_peak_memory(),
        written=_written() - written,
    )


class _Progress:
    """Says how far a task is, at most twice a second."""

    def __init__(self, stack: str, answers: TextIO) -> None:
        self._stack = stack
        self._answers = answers
        self._done = 0
        self._said = 0.0
        self._lock = threading.Lock()

    def step(self) -> None:
        """One more resource is done, or one more probe; called from any thread."""
        with self._lock:
            self._done += 1
            if time.monotonic() - self._said >= _EVERY_SECONDS:
                self._said = time.monotonic()
                _answer(self._answers, {"done": self._done})


def _answer(answers: TextIO, told: dict[str, Any]) -> None:
    try:
        answers.write(json.dumps(told) + "\n")
        answers.flush()
    except BrokenPipeError:
        return  # the worker is gone: `_listen` sees to the rest


def _problems(report: Report) -> Iterator[str]:
    for violation in report.violations:
        if violation.mandatory:
            yield f"policy {violation.policy}: {violation.urn}: {violation.message}"
    for one in report.diagnostics:
        if one.severity is Severity.ERROR:
            yield f"{one.urn}: {one.message}" if one.urn else one.message


def _advice(report: Report) -> Iterator[str]:
    for violation in report.violations:
        if not violation.mandatory:
            yield f"policy {violation.policy}: {violation.urn}: {violation.message}"
    for one in report.diagnostics:
        if one.severity is Severity.WARNING:
            yield one.message


def _peak_memory() -> int:
    """The most that this process or one of its children has had at once, in bytes."""
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return peak if sys.platform == "darwin" else peak * 1024


def _written() -> int:
    """What this process has written so far, in bytes; 0 where the system keeps no count."""
    counters = getattr(psutil.Process(), "io_counters", None)
    return int(counters().write_chars) if counters and hasattr(counters(), "write_chars") else 0


if __name__ == "__main__":
    main()
