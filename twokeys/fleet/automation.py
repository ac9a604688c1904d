"""Shards with the pulumi CLI, through the Automation API: the user's own backend, credentials and AWS."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import boto3
from pulumi import automation

from twokeys.errors import Refusal
from twokeys.fleet.engines import Ended, judged, never_updated
from twokeys.fleet.leftovers import end_others
from twokeys.fleet.locks import owners
from twokeys.fleet.pending import account_names, creating, identifiers, taken_over
from twokeys.fleet.task import Operation, Task
from twokeys.organization.creations import accounts_made
from twokeys.sandbox.engine.events import Diagnostic, Event, Report, Severity
from twokeys.sandbox.engine.policy_host import PackChoice
from twokeys.sandbox.engine.run import Outcome
from twokeys.sandbox.pulumi_cli import cli, ended, move_with_cli, pack_files, relay
from twokeys.verify.attempts import Pace
from twokeys.verify.credentials import probe_with
from twokeys.verify.doors import exports

_POLL_SECONDS: Final = 0.1
_PROBES_A_SECOND: Final = 5.0


class PulumiEngine:
    """The pulumi CLI, as whoever runs the fleet has set it up."""

    def __init__(self, task: Task) -> None:
        self._task = task

    def run(self, report: Report, step: Callable[[], None]) -> Ended:
        """See `twokeys.fleet.engines.Engine`."""
        stack = open_stack(self._task.stack, self._task.folder)
        if self._task.operation is Operation.VERIFY:
            return _verified(self._task.stack, stack, step)
        with TemporaryDirectory() as folder:
            packs, configs = pack_files(
                (PackChoice(Path(pack), config) for pack, config in self._task.packs), Path(folder)
            )
            operate = stack.up if self._task.operation is Operation.UP else stack.preview
            arguments: dict[str, Any] = {
                "policy_packs": packs,
                "policy_pack_configs": configs,
                "parallel": self._task.parallel,
            }
            locked = _Locked(self._task.stack, report)
            arguments["on_event"] = relay(locked)

            def work() -> None:
                if self._task.operation is Operation.UP:
                    _take_over(stack, locked)
                operate(**arguments)

            try:
                outcome = _interruptible(lambda: ended(stack, work, locked))
            finally:
                end_others(os.getpid())  # a CLI that was killed leaves its language host and its plugins
            return Ended(outcome.ok, problems=locked.advice)


def _take_over(stack: automation.Stack, report: Report) -> None:
    """Take over what a killed run had begun to create, see `twokeys.fleet.pending`.

    Raises:
        Refusal: AWS cannot be asked, or an account that was begun cannot be told from another.
        CommandError: the CLI does not write the state, or cannot read what is there.
    """
    state = stack.export_stack()
    deployment = state.deployment or {}
    begun = creating(deployment)
    if not begun:
        return
    names = account_names(begun)
    accounts = accounts_made(boto3.Session(), names) if names else {}
    found = identifiers(deployment, accounts)
    if not found:
        return  # the CLI says itself what is pending
    deployment = taken_over(deployment, found, accounts)
    stack.import_stack(automation.Deployment(version=state.version, deployment=deployment))
    for one in begun:
        urn = one["urn"]
        what = f"is looked at as {found[urn]}" if urn in found else "is asked for anew, which AWS may refuse"
        report(Diagnostic(Severity.WARNING, f"an earlier run was killed while it created this: it {what}", urn))
    stack.refresh(target=list(found))


class _Locked:
    """Passes events on, and remembers whether the CLI said that somebody holds the stack."""

    def __init__(self, stack: str, report: Report) -> None:
        self._stack = stack
        self._report = report
        self.advice: tuple[str, ...] = ()

    def __call__(self, event: Event) -> None:
        self._report(event)
        if isinstance(event, Diagnostic) and owners(event.message):
            environment = self._stack.rpartition("-")[0] or self._stack
            self.advice = (f"if that run is dead, `twokeys fleet unlock {environment} {self._stack}` proves it",)


def open_stack(name: str, folder: str) -> automation.Stack:
    """The stack, made when it is not there yet.

    Raises:
        Refusal: the CLI is not installed, or does not open it.
    """
    cli()
    try:
        return automation.create_or_select_stack(name, work_dir=folder)
    except automation.CommandError as error:
        raise _refused(f"stack {name} cannot be opened", folder, error) from error


def last_updates(folder: str) -> dict[str, str | None]:
    """When each stack of the project was updated last, by short name.

    Raises:
        Refusal: the CLI is not installed, or cannot ask the backend.
    """
    cli()
    try:
        stacks = automation.LocalWorkspace(work_dir=folder).list_stacks()
    except automation.CommandError as error:
        raise _refused("the backend cannot be asked", folder, error) from error
    return {one.name.rpartition("/")[2]: str(one.last_update) if one.last_update else None for one in stacks}


def export(name: str, folder: str) -> str:
    """A stack's state as `pulumi stack export` prints it, secrets encrypted. Raises Refusal as `last_updates`."""
    cli()
    try:
        found = automation.LocalWorkspace(work_dir=folder).export_stack(name)
    except automation.CommandError as error:
        raise _refused(f"the state of stack {name} cannot be read", folder, error) from error
    return json.dumps({"version": found.version, "deployment": found.deployment})


def move(source: str, destination: str, urns: Iterable[str], folder: str) -> None:
    """`pulumi state move` to another stack, whose config is in that folder. Raises Refusal when it is refused."""
    move_with_cli(source, destination, urns, Path(folder))


def forget(stack: str, urns: Iterable[str], folder: str) -> None:
    """Take resources out of a stack's state, in one step; nothing happens to the objects. Children stand after parents.

    Raises:
        Refusal: the CLI does not do it, something that stays depends on one of them, or somebody holds the stack.
    """
    command = [cli(), "state", "delete", *reversed(list(urns)), "--stack", stack, "--yes", "--force"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - the CLI
    if done.returncode:
        raise Refusal(
            f"what has moved away cannot be taken out of stack {stack}",
            where=folder,
            why=(done.stderr or done.stdout).strip(),
            next_step="mend that, and run `twokeys fleet move` with the environment again: it goes on from here",
        )


def _interruptible(work: Callable[[], Outcome]) -> Outcome:
    """Do it so that an interrupt reaches the CLI, which then ends in order, before it reaches the caller."""
    done: list[Outcome] = []
    failed: list[BaseException] = []

    def doing() -> None:
        try:
            done.append(work())
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=doing, daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            thread.join(_POLL_SECONDS)
    except KeyboardInterrupt:
        # The CLI and what it started are in our process group; a second interrupt makes it end at once.
        ours = signal.signal(signal.SIGINT, signal.SIG_IGN)
        os.killpg(os.getpgid(0), signal.SIGINT)
        thread.join()
        signal.signal(signal.SIGINT, ours)
        raise
    if failed:
        raise failed[0]
    return done[0]


def _verified(name: str, stack: automation.Stack, step: Callable[[], None]) -> Ended:
    """Try the doors with the surrounding credentials: on real AWS nobody can be everybody."""
    outputs = {key: output.value for key, output in stack.outputs().items()}
    if not outputs:
        raise never_updated(name)
    return judged(probe_with(None, exports({name: outputs}), None, Pace(_PROBES_A_SECOND)), step)


def _refused(what: str, folder: str, error: automation.CommandError) -> Refusal:
    lines = [line.strip() for line in str(error).splitlines() if line.strip().startswith("error:")]
    return Refusal(
        what,
        where=folder,
        why=" ".join(lines) or str(error),
        next_step="log in to the backend (`pulumi login`), and set PULUMI_CONFIG_PASSPHRASE if it asks for one",
    )
