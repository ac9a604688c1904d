"""`python -m twokeys.fleet.host`: the process that does one shard's work, and leads the session of its pulumi CLI.

The task comes as a line of JSON on standard input, a pipe that only the worker holds (`twokeys.fleet.worker`). Its end,
or SIGINT, stops what is running as Ctrl-C does: the engine finishes or notes what it has begun. The result is one line
of JSON on standard output.
"""

import json
import os
import re
import resource
import signal
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import psutil
from pulumi import automation

from twokeys.errors import Refusal
from twokeys.fleet.backend import open_stack
from twokeys.fleet.recovery import owners, take_over
from twokeys.fleet.task import Operation, Result, State, Task
from twokeys.fleet.worker import RESULT, TASK, end_others
from twokeys.verify.attempts import Pace
from twokeys.verify.credentials import probe_with
from twokeys.verify.doors import exports

_GRACE_SECONDS: Final = 90.0
_PROBES_A_SECOND: Final = 5.0
_OPERATIONS: Final = 8
"""At once in each shard."""


class Seen:
    """What became of a shard, gathered while it is worked on. Problems and advice are one text each."""

    def __init__(self, stack: str) -> None:
        self.changes: Counter[str] = Counter()
        self.problems: list[str] = []
        self.advice: list[str] = []
        self.stopped = False
        self._stack = stack

    def __call__(self, event: automation.EngineEvent) -> None:
        """Take an event of the CLI's engine."""
        if (said := event.diagnostic_event) is not None and said.severity in ("error", "warning"):
            message = _without_colour(said.message)
            if said.severity == "warning":
                self.advice.append(message)
            else:
                self.failed(f"{said.urn}: {message}" if said.urn else message)
        elif event.policy_event is not None:
            found = event.policy_event
            text = f"policy {found.policy_name}: {found.resource_urn or ''}: {_without_colour(found.message)}"
            (self.problems if found.enforcement_level == "mandatory" else self.advice).append(text)
        elif event.summary_event is not None:
            changes = event.summary_event.resource_changes
            self.changes = Counter({str(getattr(op, "value", op)): count for op, count in changes.items()})

    def failed(self, why: str) -> None:
        """Take a problem; one of a lock comes with the next step."""
        self.problems.append(why)
        if owners(why):
            self.problems.append(f"if that run is dead, `twokeys fleet recover {self._stack}` proves it")

    def tried(self, task: Task, stack: automation.Stack) -> None:
        """Try the doors with the surrounding credentials: on real AWS nobody can be everybody."""
        outputs = {key: output.value for key, output in stack.outputs().items()}
        if not outputs:
            raise Refusal(
                f"stack {task.stack} cannot be verified",
                where="its outputs",
                why="it was never updated, so there is no door to try",
                next_step="update it first",
            )
        for one in probe_with(None, exports({task.stack: outputs}), None, Pace(_PROBES_A_SECOND)):
            self.changes[one.judged] += 1
            if one.probed and not one.as_expected:
                self.problems.append(f"{one.judged}: {one.name} ({one.role_arn}): {one.detail}")


def main() -> None:
    """Do the work of the task on standard input."""
    # What libraries print must not get between our lines.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    signal.signal(signal.SIGINT, signal.default_int_handler)
    line = sys.stdin.readline()
    if line:
        done = threading.Event()
        threading.Thread(target=_end_with_the_worker, args=(done,), daemon=True).start()
        result = result_of(TASK.validate_json(line))
        done.set()
        with suppress(BrokenPipeError), answers:  # the worker is gone, and with it whoever would read this
            answers.write(RESULT.dump_json(result) + b"\n")


def result_of(task: Task) -> Result:
    """Do a task; whatever the engine says of it is its result."""
    began, seen = time.monotonic(), Seen(task.stack)
    try:
        work(task, seen)
        state = State.FAILED if seen.problems else State.DONE
    except KeyboardInterrupt:
        state = State.STOPPED
        seen.problems.insert(0, "it was told to stop, and did so in order: what it had begun is in the state")
    except Refusal as refusal:
        state = State.FAILED
        seen.problems.append(str(refusal))
    finally:
        end_others(os.getpid())  # a CLI that was killed leaves its language host and its plugins
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return Result(
        task.stack,
        state,
        dict(seen.changes),
        tuple(seen.problems),
        tuple(seen.advice),
        seconds=time.monotonic() - began,
        memory=peak if sys.platform == "darwin" else peak * 1024,
    )


def _end_with_the_worker(done: threading.Event) -> None:
    """When the worker is gone before the work is done, stop in order, and at once if that takes too long."""
    sys.stdin.read()
    if done.is_set():
        return
    os.kill(os.getpid(), signal.SIGINT)
    if not done.wait(_GRACE_SECONDS):
        end_others(os.getpid())
        os.kill(os.getpid(), signal.SIGKILL)


def work(task: Task, seen: Seen) -> None:
    """Do a task, in the main thread. What is wrong with it is in `seen`.

    Raises Refusal when it cannot be begun. Raises KeyboardInterrupt when it was told to stop, and has.
    """
    signal.signal(signal.SIGINT, lambda *_: _stop(seen))
    try:
        _operate(task, seen)
    except automation.CommandError as error:
        if not seen.problems:  # what its engine says comes as events
            seen.failed(f"the pulumi CLI failed: {error}")
    finally:
        if seen.stopped:
            raise KeyboardInterrupt


def _stop(seen: Seen) -> None:
    """Pass an interrupt on to the CLI that runs, once: a second one would make it end at once and leave its lock.

    Nothing is raised while it runs. The Automation API waits for it in `Thread.join`, and a join that an exception ends
    takes its thread for dead (https://github.com/python/cpython/issues/90882), so that nobody would wait any longer.
    """
    if not psutil.Process().children():
        raise KeyboardInterrupt
    if not seen.stopped:
        seen.stopped = True
        os.killpg(0, signal.SIGINT)  # the CLI is in our group; what it starts is in groups of its own


def _operate(task: Task, seen: Seen) -> None:
    stack = open_stack(task.stack, task.folder)
    if task.operation is Operation.VERIFY:
        seen.tried(task, stack)
        return
    if task.operation is Operation.UP:
        seen.advice += take_over(stack, stack.export_stack(), task.folder)
    with TemporaryDirectory() as folder:
        configs = [Path(folder, f"{index}.json") for index in range(len(task.packs))]
        for path, (_, config) in zip(configs, task.packs, strict=True):
            path.write_text(json.dumps(config), encoding="utf-8")
        arguments: dict[str, Any] = {
            "policy_packs": [pack for pack, _ in task.packs],
            "policy_pack_configs": [str(path) for path in configs],
            "parallel": _OPERATIONS,
            "on_event": seen,
        }
        if seen.stopped:  # while a shorter command ran
            raise KeyboardInterrupt
        (stack.up if task.operation is Operation.UP else stack.preview)(**arguments)


def _without_colour(text: str) -> str:
    return re.sub(r"<\{%.*?%\}>", "", text).strip()


if __name__ == "__main__":
    main()
