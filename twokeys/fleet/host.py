"""`python -m twokeys.fleet.host`: the process that does one shard's work, and leads the session of its CLI.

The task comes as a line of JSON on standard input, a pipe that only the worker holds (`twokeys.fleet.worker`). Its end,
or SIGINT, stops what is running as Ctrl-C does: the engine finishes or notes what it has begun. The result is one line
of JSON on standard output.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import threading
import time
from contextlib import suppress
from typing import Final

from twokeys.errors import Refusal
from twokeys.fleet.shard import Seen, work
from twokeys.fleet.task import RESULT, TASK, Result, State, Task
from twokeys.fleet.worker import end_others

_GRACE_SECONDS: Final = 90.0


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


if __name__ == "__main__":
    main()
