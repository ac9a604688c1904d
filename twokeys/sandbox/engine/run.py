"""One run from beginning to end: services, policy packs and program started, driven, and ended in order."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from twokeys.sandbox.engine.books import Settings
from twokeys.sandbox.engine.control import Stopped
from twokeys.sandbox.engine.deployment import Deployment
from twokeys.sandbox.engine.events import Diagnostic, Severity
from twokeys.sandbox.engine.monitor import Engine, Monitor, serving
from twokeys.sandbox.engine.policy_host import PackChoice, Packs, PolicyPack
from twokeys.sandbox.engine.program import Program
from twokeys.sandbox.engine.refresh import Refresh
from twokeys.sandbox.engine.resource import Resource
from twokeys.sandbox.engine.run_program import EXIT_REPORTED
from twokeys.sandbox.engine.state import Snapshot
from twokeys.sandbox.engine.surroundings import Surroundings
from twokeys.sandbox.engine.values import Properties

_POLL_SECONDS: Final = 0.05
_ABANDON_SECONDS: Final = 60.0
_END_SECONDS: Final = 15.0


@dataclass(frozen=True)
class Outcome:
    """How a run ended; why it failed was reported as events."""

    ok: bool
    outputs: Properties
    resources: tuple[Resource, ...]


def run_program(
    program: Path, settings: Settings, prior: Snapshot, packs: tuple[PackChoice, ...], around: Surroundings
) -> Outcome:
    """Preview or update: run the program and bring the stack to what it asks for.

    Raises:
        Refusal: a policy pack cannot be used, or the state cannot be written.
        KeyboardInterrupt: the user stopped it; what was running is finished, or left as pending in the state.
    """
    engine = Engine(around.report)
    with ExitStack() as ending:
        engine_address = ending.enter_context(serving(engine))
        started = [
            ending.enter_context(PolicyPack(pack, settings, engine_address, around.environment, around.report))
            for pack in packs
        ]
        deployment = Deployment(settings, prior, around, Packs(started) if started else None)
        monitor = Monitor(deployment)
        monitor_address = ending.enter_context(serving(monitor))
        running = Program(
            program,
            settings,
            monitor=monitor_address,
            engine=engine_address,
            environment=around.environment,
            report=around.report,
        )
        ending.callback(running.end)
        try:
            _drive(running, monitor, engine, deployment)
        finally:
            _come_to_rest(deployment)
        return Outcome(not deployment.failed and not engine.errors, deployment.outputs, deployment.resources)


def run_destroy(settings: Settings, prior: Snapshot, around: Surroundings) -> Outcome:
    """Delete everything that the state holds; the program is not run.

    Raises:
        Refusal, KeyboardInterrupt: as `run_program`.
    """
    deployment = Deployment(settings, prior, around)
    return _without_program(deployment, deployment.destroy)


def run_refresh(settings: Settings, prior: Snapshot, targets: tuple[str, ...], around: Surroundings) -> Outcome:
    """Bring the state to what is there; the program is not run. With targets only those URNs are read.

    Raises:
        Refusal: the state cannot be written.
        KeyboardInterrupt: the user stopped it; what was read is in the state.
    """
    refresh = Refresh(settings, prior, around, targets)
    return _without_program(refresh, refresh.run)


def _without_program(run: Deployment | Refresh, work: Callable[[], None]) -> Outcome:
    try:
        _in_background(work)
    finally:
        _come_to_rest(run)
    return Outcome(not run.failed, run.outputs, run.resources)


def _drive(program: Program, monitor: Monitor, engine: Engine, deployment: Deployment) -> None:
    """Wait for the program to say that it is done, or to end, or for a failure."""
    code: int | None = None
    while not monitor.program_done.wait(_POLL_SECONDS) and not deployment.stopped:
        code = program.exit_code()
        if code is not None:
            break
    if deployment.stopped:
        program.end()
        return
    if code not in (None, 0):
        program.wait(_END_SECONDS)
        deployment.failed = True
        if code != EXIT_REPORTED:
            engine.errors += 1
            deployment.report(Diagnostic(Severity.ERROR, f"the program ended with exit code {code}"))
        deployment.stop()
    elif engine.errors:
        deployment.stop()
    else:
        _in_background(deployment.finish)
    monitor.release()
    program.wait(_END_SECONDS)


def _in_background(work: Callable[[], None]) -> None:
    """Do it in a thread, so that Ctrl-C reaches only the waiting here and never the middle of a provider call."""

    def quietly() -> None:
        try:
            work()
        except Stopped:
            return  # why was reported when it was raised

    thread = threading.Thread(target=quietly, daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(_POLL_SECONDS)


def _come_to_rest(run: Deployment | Refresh) -> None:
    """Let what is running end; a second Ctrl-C, or a long time, abandons it: its create stays pending in the state."""
    run.stop()
    run.settle(_ABANDON_SECONDS)
    if run.error is not None:
        raise run.error
