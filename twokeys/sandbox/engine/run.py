"""One run from beginning to end: services, policy packs and program started, driven, and ended in order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from twokeys.sandbox.engine.books import Settings
from twokeys.sandbox.engine.deployment import Deployment, Stopped
from twokeys.sandbox.engine.events import Diagnostic, Report, Severity
from twokeys.sandbox.engine.monitor import Engine, Monitor, serving
from twokeys.sandbox.engine.plugin import Plugin
from twokeys.sandbox.engine.policy_host import PackChoice, Packs, PolicyPack
from twokeys.sandbox.engine.program import Program
from twokeys.sandbox.engine.refresh import Refresh
from twokeys.sandbox.engine.resource import Resource
from twokeys.sandbox.engine.run_program import EXIT_REPORTED
from twokeys.sandbox.engine.state import Snapshot
from twokeys.sandbox.engine.values import Properties

_POLL_SECONDS: Final = 0.05
_ABANDON_SECONDS: Final = 60.0
_END_SECONDS: Final = 15.0


@dataclass(frozen=True)
class Surroundings:
    """What a run works with.

    Attributes:
        plugins: package name to plugin.
        stack_outputs: the outputs of another stack by its full name, None for an unknown one.
        report: told every event, from any thread.
        save: given the whole state whenever it changed; never in a preview.
        environment: the whole environment of the program and the policy packs.
    """

    plugins: Mapping[str, Plugin]
    stack_outputs: Callable[[str], Properties | None]
    report: Report
    save: Callable[[Snapshot], None]
    environment: Mapping[str, str]


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
        deployment = _deployment(settings, prior, around, Packs(started) if started else None)
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
        return _outcome(deployment, engine)


def run_destroy(settings: Settings, prior: Snapshot, around: Surroundings) -> Outcome:
    """Delete everything that the state holds; the program is not run.

    Raises:
        Refusal, KeyboardInterrupt: as `run_program`.
    """
    deployment = _deployment(settings, prior, around, None)
    try:
        _in_background(deployment.destroy)
    finally:
        _come_to_rest(deployment)
    return _outcome(deployment, None)


def run_refresh(settings: Settings, prior: Snapshot, targets: tuple[str, ...], around: Surroundings) -> Outcome:
    """Bring the state to what is there; the program is not run. With targets only those URNs are read.

    Raises:
        Refusal: the state cannot be written.
        KeyboardInterrupt: the user stopped it; what was read is in the state.
    """
    refresh = Refresh(
        settings,
        prior=prior,
        plugins=around.plugins,
        save=around.save,
        report=around.report,
        stack_outputs=around.stack_outputs,
        targets=targets,
    )
    try:
        _in_background(refresh.run)
    finally:
        _come_to_rest(refresh)
    return Outcome(not refresh.failed, refresh.outputs, refresh.resources)


def _deployment(settings: Settings, prior: Snapshot, around: Surroundings, policies: Packs | None) -> Deployment:
    return Deployment(
        settings,
        prior=prior,
        plugins=around.plugins,
        save=around.save,
        report=around.report,
        stack_outputs=around.stack_outputs,
        policies=policies,
    )


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


def _come_to_rest(deployment: Deployment | Refresh) -> None:
    """Let what is running end; a second Ctrl-C, or a long time, abandons it: its create stays pending in the state."""
    deployment.stop()
    deployment.settle(_ABANDON_SECONDS)
    if deployment.error is not None:
        raise deployment.error


def _outcome(deployment: Deployment, engine: Engine | None) -> Outcome:
    failed = deployment.failed or (engine is not None and engine.errors > 0)
    return Outcome(not failed, deployment.outputs, deployment.resources)
