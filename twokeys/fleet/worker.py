"""One function a shard: a process of its own does the work (`twokeys.fleet.host`), and neither outlives the other.

- The process's standard input is a pipe that only the worker holds. When the worker is gone, however that happened, the
  pipe ends, and the process stops its engine in order: what was begun is finished or stays pending in the state.
- When the process dies in the middle of its shard, the worker ends what it left running (the `pulumi` CLI) and says
  that the shard is lost. It is not tried again: nobody knows how far it came.
"""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import tempfile
import threading
import time
from typing import IO, Final

from twokeys.fleet.leftovers import end_session
from twokeys.fleet.task import Result, State, Task

HOST: Final = (sys.executable, "-P", "-m", "twokeys.fleet.host")
_STOP_SECONDS: Final = 90.0
_LOG_LINES: Final = 10


def run_shard(task: Task, stop: threading.Event | None = None) -> Result:
    """Do one shard's work; `stop` makes the engine stop in order. What happens to the engine is a result."""
    began = time.monotonic()
    with tempfile.TemporaryFile() as log:
        # A session of its own: Ctrl-C in a terminal reaches the command alone, and whatever the process starts is in
        # its session, so that it can be ended with it.
        process = subprocess.Popen(  # noqa: S603 - our own module, by this very interpreter
            HOST, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True
        )
        done = threading.Event()
        threading.Thread(target=_watch, args=(process, stop or threading.Event(), done), daemon=True).start()
        try:
            result = _answer(process, task)
        finally:
            done.set()
            _close(process)
        if result is not None:
            return result
        end_session(process.pid)
        return Result(task.stack, State.LOST, problems=(_ending(process, log),), seconds=time.monotonic() - began)


def _answer(process: subprocess.Popen[str], task: Task) -> Result | None:
    """What the process says of its task; None when it died before it said anything."""
    assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 - PIPE
    with contextlib.suppress(OSError, ValueError):  # a broken pipe, or half a line: it died
        process.stdin.write(task.to_json() + "\n")
        process.stdin.flush()
        return Result.from_dict(json.loads(process.stdout.readline()))
    return None


def _close(process: subprocess.Popen[str]) -> None:
    """Let it end, and wait for that."""
    for pipe in (process.stdin, process.stdout):
        with contextlib.suppress(OSError):  # what was not written yet has nobody to read it
            if pipe is not None:
                pipe.close()
    process.wait()


def _ending(process: subprocess.Popen[str], log: IO[bytes]) -> str:
    """How it ended, in words."""
    code = process.returncode
    log.seek(0)
    said = log.read().decode(errors="replace").splitlines()[-_LOG_LINES:]
    how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
    last = "\n  ".join(["; it said last:", *said]) if said else ""
    return f"the engine's process {how}, so nobody knows how far it came{last}"


def _watch(process: subprocess.Popen[str], stop: threading.Event, done: threading.Event) -> None:
    """Pass on that it is to stop; a process that does not is killed."""
    while not done.wait(0.1):
        if stop.is_set():
            process.send_signal(signal.SIGINT)
            if not done.wait(_STOP_SECONDS):
                process.kill()
            return
