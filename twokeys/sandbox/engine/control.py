"""The control of a run: what is going on, what failed, and that nothing new is begun after a stop.

Everything is called from many threads at once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as CallTimeout
from contextlib import contextmanager
from typing import TypeVar

from twokeys.sandbox.engine.books import Settings
from twokeys.sandbox.engine.events import Diagnostic, Report, Severity, Step, StepDone, StepStarted
from twokeys.sandbox.engine.plugin import ProviderError
from twokeys.sandbox.engine.providers import EngineError
from twokeys.sandbox.engine.resource import Goal

_Answer = TypeVar("_Answer")


class Stopped(Exception):  # noqa: N818 - not an error of its own: what stopped the run was reported
    """The run was stopped by an error or by the user; nothing new is begun."""


class Control:
    """What each part of a run asks before it begins something, and tells when it ends.

    Args:
        report: told every event, from any thread.
    """

    def __init__(self, settings: Settings, report: Report) -> None:
        self.settings = settings
        self.report = report
        self.failed = False
        self.error: BaseException | None = None
        self._idle = threading.Condition()
        self._in_flight = 0
        self._slots = threading.BoundedSemaphore(settings.parallel)
        self._stop = threading.Event()

    def stop(self) -> None:
        """Begin nothing new; what is running is finished or abandoned by `wait`."""
        self._stop.set()

    @property
    def stopped(self) -> bool:
        """Whether nothing new is begun any more."""
        return self._stop.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait until nothing is running any more; False when something still is after that time."""
        with self._idle:
            return self._idle.wait_for(lambda: self._in_flight == 0, seconds)

    @contextmanager
    def guarded(self, urn: str) -> Iterator[None]:
        """Count what is running, and let every failure stop the run: reported once, never lost."""
        with self._idle:
            self.go_on()
            self._in_flight += 1
        try:
            yield
        except Stopped:
            self.failed = True
            raise
        except (ProviderError, EngineError) as error:
            self._fail(Diagnostic(Severity.ERROR, str(error), urn))
            raise Stopped from error
        except BaseException as error:
            self.failed = True
            self.error = self.error or error
            self.stop()
            raise Stopped from error
        finally:
            with self._idle:
                self._in_flight -= 1
                self._idle.notify_all()

    @contextmanager
    def stepping(self, step: Step) -> Iterator[None]:
        """Do one operation when there is room for it, and report its beginning and its good end."""
        with self._slots:
            self.go_on()
            self.report(StepStarted(step))
            began = time.monotonic()
            yield
            self.report(StepDone(step, time.monotonic() - began))

    def go_on(self) -> None:
        """Raise Stopped when nothing new is to be begun."""
        if self._stop.is_set():
            raise Stopped

    def _fail(self, diagnostic: Diagnostic) -> None:
        self.failed = True
        self.stop()
        self.report(diagnostic)

    def refuse(self, message: str, urn: str = "", *, fatal: bool = True) -> None:
        """Fail; a preview goes on, to show everything that is wrong."""
        if fatal and not self.settings.dry_run:
            raise EngineError(message)
        self.failed = True
        self.report(Diagnostic(Severity.ERROR, message, urn))

    def timed(self, goal: Goal, operation: str, call: Callable[[], _Answer]) -> _Answer:
        """The call's answer, within the custom timeout of the goal for that operation."""
        return self.limited(goal.timeouts.get(operation), goal.urn, operation, call)

    def limited(self, seconds: float | None, urn: str, operation: str, call: Callable[[], _Answer]) -> _Answer:
        """The call's answer; an uncertain ProviderError when it is not there after those seconds."""
        if seconds is None:
            return call()
        executor = ThreadPoolExecutor(1)
        try:
            return executor.submit(call).result(seconds)
        except CallTimeout as error:
            message = f"the {operation} of {urn} was not done after {seconds:g} s (custom timeout)"
            raise ProviderError(message, uncertain=True) from error
        finally:
            executor.shutdown(wait=False)
