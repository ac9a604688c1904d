"""What an engine's process has started and left running, wherever it hangs now.

The engine's process leads a session of its own (`twokeys.fleet.worker`), and its process group has the pulumi CLI in
it. The CLI puts its language host and its plugins into groups of their own, so that Ctrl-C does not reach them before
it has ended in order; when it is killed they stay. In the session they all are, whoever their parent is by then.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

import psutil

_END_SECONDS: Final = 20.0


def end_session(session: int) -> None:
    """End what a dead engine's process left: its process group is asked first, so that a CLI can save its state."""
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
    for pid in _members(session):
        if pid != session:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _members(session: int) -> Iterator[int]:
    for pid in psutil.pids():
        with suppress(ProcessLookupError, PermissionError):
            if os.getsid(pid) == session:
                yield pid
