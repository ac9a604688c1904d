"""One function a shard: it has the engine's process do the work, and neither outlives the other.

The engine works in a process of its own (`twokeys.fleet.host`), one for each thread of a worker, kept for the next
shard because starting it costs a second. The two hold each other through pipes:

- The host's standard input is a pipe that only the worker holds. When the worker is gone, however that happened, the
  pipe ends, and the host stops its engine in order: what was begun is finished or stays pending in the state.
- When the host dies in the middle of a shard, the worker ends what the host left running (the `pulumi` CLI, if that is
  the engine) and says that the shard is lost. It is not tried again: nobody knows how far it came.
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
from collections.abc import Callable
from typing import IO, Final, Protocol

from twokeys.fleet.leftovers import end_session
from twokeys.fleet.task import Result, State, Task

HOST: Final = (sys.executable, "-P", "-m", "twokeys.fleet.host")
_STOP_SECONDS: Final = 90.0
_LOG_LINES: Final = 10


class Stop(Protocol):
    """A flag that somebody else sets: an Event of `threading` or of `multiprocessing`."""

    def is_set(self) -> bool:
        """Whether it is set."""
        ...


Progress = Callable[[str, int], None]
"""Told a stack's name and how many of its resources are done."""

_mine = threading.local()


def run_shard(task: Task, progress: Progress | None = None, stop: Stop | None = None) -> Result:
    """Do one shard's work. Never raises for what happens to the engine: that is a result.

    Args:
        progress: told now and then how far it is.
        stop: set by somebody else, it makes the engine stop in order.
    """
    host: _Host | None = getattr(_mine, "host", None)
    if host is None or not host.alive:
        host = _mine.host = _Host()
    began = time.monotonic()
    result = host.work(task, progress or (lambda _stack, _done: None), stop or threading.Event())
    if result is None:
        how = host.end()
        _mine.host = None
        return Result(task.stack, State.LOST, problems=(how,), seconds=time.monotonic() - began)
    return result


class _Host:
    """The engine's process, as its worker sees it."""

    def __init__(self) -> None:
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed in `end`
        # A session of its own: Ctrl-C in a terminal reaches the command alone, and whatever the host starts is in its
        # session, so that it can be ended with it.
        self._process = subprocess.Popen(  # noqa: S603 - our own module, by this very interpreter
            HOST, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True, start_new_session=True
        )

    @property
    def alive(self) -> bool:
        """Whether it can be given another task."""
        return self._process.poll() is None

    def work(self, task: Task, progress: Progress, stop: Stop) -> Result | None:
        """Give it a task and wait; None when it died before it answered."""
        assert self._process.stdin is not None and self._process.stdout is not None  # noqa: S101, PT018 - PIPE
        done = threading.Event()
        watching = threading.Thread(target=self._watch, args=(stop, done), daemon=True)
        try:
            self._process.stdin.write(task.to_json() + "\n")
            self._process.stdin.flush()
            watching.start()
            for line in self._process.stdout:
                told = json.loads(line)
                if "result" in told:
                    return Result.from_dict(told["result"])
                progress(task.stack, told["done"])
        except (OSError, ValueError):
            return None  # half a line, or a broken pipe: it died
        finally:
            done.set()
        return None

    def end(self) -> str:
        """See that nothing of it is left; returns how it ended, in words."""
        with contextlib.suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()
        code = self._process.wait()
        end_session(self._process.pid)
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._log.seek(0)
        said = self._log.read().decode(errors="replace").splitlines()[-_LOG_LINES:]
        self._log.close()
        how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
        last = "\n  ".join(["; it said last:", *said]) if said else ""
        return f"the engine's process {how}, so nobody knows how far it came{last}"

    def _watch(self, stop: Stop, done: threading.Event) -> None:
        """Pass on that it is to stop; a host that does not is killed."""
        while not done.wait(0.1):
            if stop.is_set():
                with contextlib.suppress(OSError):
                    self._process.send_signal(signal.SIGINT)
                if not done.wait(_STOP_SECONDS):
                    self._process.kill()
                return
