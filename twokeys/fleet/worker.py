"""One function a shard: a process of its own does the work (`twokeys.fleet.host`), and neither outlives the other.

- The process's standard input is a pipe that only the worker holds. When the worker is gone, however that happened, the
  pipe ends, and the process stops its engine in order: what was begun is finished or stays pending in the state.
- When the process dies in the middle of its shard, the worker ends what it left running and says that the shard is
  lost. It is not tried again: nobody knows how far it came.

The process leads a session, and its process group has the pulumi CLI in it. The CLI puts its language host and its
plugins into groups of their own, where Ctrl-C does not reach them before it has ended in order; killed, it leaves them.
In the session they all are, whoever their parent is by then.
"""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from typing import IO, Final

import psutil
from pydantic import TypeAdapter

from twokeys.fleet.task import Result, State, Task

TASK: Final = TypeAdapter(Task)
RESULT: Final = TypeAdapter(Result)
"""How a task goes to the process and its result comes back: each as a line of JSON."""
HOST: Final = (sys.executable, "-P", "-m", "twokeys.fleet.host")
_STOP_SECONDS: Final = 90.0
_END_SECONDS: Final = 20.0
_LOG_LINES: Final = 10


def run_shard(task: Task, stop: threading.Event | None = None) -> Result:
    """Do one shard's work; `stop` makes the engine stop in order. What happens to the engine is a result."""
    began = time.monotonic()
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(  # noqa: S603 - our own module, by this very interpreter
            HOST, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, start_new_session=True
        )
        done = threading.Event()
        threading.Thread(target=_watch, args=(process, stop or threading.Event(), done), daemon=True).start()
        try:
            result = _answer(process, task)
        finally:
            done.set()
            for pipe in (process.stdin, process.stdout):
                with suppress(OSError):  # what was not written yet has nobody to read it
                    pipe.close()  # type: ignore[union-attr] # both are PIPE
            process.wait()
        if result is not None:
            return result
        _end_session(process.pid)
        return Result(task.stack, State.LOST, problems=(_ending(process, log),), seconds=time.monotonic() - began)


def _answer(process: subprocess.Popen[bytes], task: Task) -> Result | None:
    """What the process says of its task; None when it died before it said anything."""
    assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 - PIPE
    with suppress(OSError, ValueError):  # a broken pipe, or half a line: it died
        process.stdin.write(TASK.dump_json(task) + b"\n")
        process.stdin.flush()
        return RESULT.validate_json(process.stdout.readline())
    return None


def _ending(process: subprocess.Popen[bytes], log: IO[bytes]) -> str:
    """How it ended, in words."""
    code = process.returncode
    log.seek(0)
    said = log.read().decode(errors="replace").splitlines()[-_LOG_LINES:]
    how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
    last = "\n  ".join(["; it said last:", *said]) if said else ""
    return f"the engine's process {how}, so nobody knows how far it came{last}"


def _watch(process: subprocess.Popen[bytes], stop: threading.Event, done: threading.Event) -> None:
    """Pass on that it is to stop; a process that does not is killed."""
    while not done.wait(0.1):
        if stop.is_set():
            process.send_signal(signal.SIGINT)
            if not done.wait(_STOP_SECONDS):
                process.kill()
            return


def _end_session(session: int) -> None:
    """End what a dead process left: its process group is asked first, so that a CLI can save its state."""
    for what, seconds in ((signal.SIGINT, _END_SECONDS), (signal.SIGKILL, 1.0)):
        until = time.monotonic() + seconds
        try:
            os.killpg(session, what)
            while time.monotonic() < until:
                os.killpg(session, 0)
                time.sleep(0.05)
        except ProcessLookupError:
            break
    end_others(session)


def end_others(session: int) -> None:
    """Kill whoever is in the session but its leader. To be called when the CLI is gone: without it they do nothing."""
    for pid in psutil.pids():
        with suppress(ProcessLookupError, PermissionError):
            if pid != session and os.getsid(pid) == session:
                os.kill(pid, signal.SIGKILL)
