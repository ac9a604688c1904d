"""A stack in the sandbox: its config, its state and the local AWS, brought together with the engine."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from twokeys.errors import Refusal
from twokeys.project.config import Project, load_config
from twokeys.sandbox.aws import AwsPlugin
from twokeys.sandbox.engine.books import Settings
from twokeys.sandbox.engine.events import Report
from twokeys.sandbox.engine.policy_host import PackChoice
from twokeys.sandbox.engine.resource import STACK_TYPE
from twokeys.sandbox.engine.run import Outcome, run_destroy, run_program, run_refresh
from twokeys.sandbox.engine.state import Snapshot, StateFile
from twokeys.sandbox.engine.surroundings import Surroundings
from twokeys.sandbox.engine.values import Properties
from twokeys.sandbox.local_aws import LocalAws

ORGANIZATION = "organization"
"""The organization in full stack names, as self-managed backends call it."""


class Operations(Protocol):
    """What can be done with a stack, whichever engine does it."""

    def preview(self, report: Report) -> Outcome:
        """Say what an update would do; changes nothing."""
        ...

    def up(self, report: Report) -> Outcome:
        """Update the stack."""
        ...

    def destroy(self, report: Report, *, force_unprotect: bool) -> Outcome:
        """Delete everything in the stack."""
        ...

    def refresh(self, report: Report, *, preview: bool, targets: tuple[str, ...]) -> Outcome:
        """Bring the state to what is there; only those URNs when there are any."""
        ...


@dataclass(frozen=True)
class Sandbox:
    """Where the sandbox keeps things.

    Attributes:
        directory: its folder, `.twokeys` in the project by default.
    """

    project: Project
    directory: Path

    @property
    def stacks(self) -> Path:
        """The folder of the states."""
        return self.directory / "stacks"

    @contextmanager
    def local_aws(self, faults: Path | None = None) -> Iterator[LocalAws]:
        """The local AWS: the one that runs already, else one that ends with us; with faults when a plan is given.

        Meanwhile the user's own AWS settings are hidden from this process, so that boto3 finds none of them.
        """
        with _hidden(self._nowhere), LocalAws.start(self.directory / "aws", faults=faults) as aws:
            yield aws

    @contextmanager
    def attached(self) -> Iterator[LocalAws]:
        """The local AWS that somebody else has started, and ends.

        Raises:
            Refusal: none is running.
        """
        with _hidden(self._nowhere):
            aws = LocalAws.attach(self.directory / "aws")
            if aws is None:
                raise Refusal(
                    "there is no local AWS to work on",
                    where=str(self.directory / "aws"),
                    why="it is not running, or does not answer any more",
                    next_step="run the command again: it starts the local AWS with everything that it kept",
                )
            yield aws

    def environment(self, aws: LocalAws) -> dict[str, str]:
        """The environment of programs and policy packs: ours, with the local AWS in place of any real one."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "PULUMI_"))}
        return kept | self._nowhere | aws.environment()

    @property
    def _nowhere(self) -> dict[str, str]:
        """Variables that keep the AWS SDKs from the user's files and from a machine's own credentials."""
        missing = str(self.directory / "no-aws-config")
        files = {"AWS_CONFIG_FILE": missing, "AWS_SHARED_CREDENTIALS_FILE": missing}
        return files | {"AWS_EC2_METADATA_DISABLED": "true"}

    def stack_outputs(self, name: str) -> Properties | None:
        """The outputs of a stack of this project, by short or full name; None when it was never updated."""
        *of, stack = name.split("/")
        if of not in ([], [self.project.name], [ORGANIZATION, self.project.name]):
            return None
        state = StateFile(self.stacks, stack)
        if not state.exists:
            return None
        return next((one.outputs for one in state.load().resources if one.type == STACK_TYPE), {})


@dataclass(frozen=True)
class SandboxStack:
    """One stack on the sandbox's own engine.

    Attributes:
        packs: the policy packs that every preview and update is checked with.
        overrides: config values that win over the stack's file.
        command: what the user ran, for the holder of the lock.
    """

    sandbox: Sandbox
    name: str
    aws: LocalAws
    packs: tuple[PackChoice, ...] = ()
    overrides: Mapping[str, str] = field(default_factory=dict)
    parallel: int = 8
    command: str = "twokeys sandbox"

    @property
    def state(self) -> StateFile:
        """Where its state is."""
        return StateFile(self.sandbox.stacks, self.name)

    def preview(self, report: Report) -> Outcome:
        """Say what an update would do; changes nothing and needs no lock.

        Raises:
            Refusal: the config, the state or a policy pack cannot be used.
        """
        return self._run(report, dry_run=True, save=_never)

    def up(self, report: Report) -> Outcome:
        """Update the stack.

        Raises:
            Refusal: as `preview`; also when another run holds the stack, or the state cannot be written.
        """
        with self.state.locked(self.command):
            self.state.load()
            self.state.keep_backup()
            return self._run(report, dry_run=False, save=self.state.save)

    def destroy(self, report: Report, *, force_unprotect: bool = False) -> Outcome:
        """Delete everything in the stack, in reverse order of dependency; its empty state is removed.

        Raises:
            Refusal: as `up`.
        """
        with self.state.locked(self.command):
            prior = self.state.load()
            self.state.keep_backup()
            settings = self._settings(dry_run=False, ignore_protect=force_unprotect)
            outcome = run_destroy(settings, prior, self._around(report, self.state.save))
            if outcome.ok:
                self.state.remove()
            return outcome

    def refresh(self, report: Report, *, preview: bool = False, targets: tuple[str, ...] = ()) -> Outcome:
        """Read every object of the stack again (or only those URNs), and bring the state to what is there.

        The program is not run and its config not read. A preview changes nothing and needs no lock.

        Raises:
            Refusal: the state cannot be read; as `up` when it is no preview.
        """
        settings = Settings(
            self.sandbox.project.name,
            self.name,
            {},
            organization=ORGANIZATION,
            dry_run=preview,
            parallel=self.parallel,
        )
        if preview:
            return run_refresh(settings, self.state.load(), targets, self._around(report, _never))
        with self.state.locked(self.command):
            prior = self.state.load()
            self.state.keep_backup()
            return run_refresh(settings, prior, targets, self._around(report, self.state.save))

    def _run(self, report: Report, *, dry_run: bool, save: Callable[[Snapshot], None]) -> Outcome:
        program = self.sandbox.project.program
        settings = self._settings(dry_run=dry_run)
        return run_program(program, settings, self.state.load(), self.packs, self._around(report, save))

    def _settings(self, *, dry_run: bool, ignore_protect: bool = False) -> Settings:
        config = load_config(self.sandbox.project, self.name, self.overrides)
        return Settings(
            self.sandbox.project.name,
            self.name,
            config.values,
            secret_keys=config.secret_keys,
            organization=ORGANIZATION,
            dry_run=dry_run,
            parallel=self.parallel,
            ignore_protect=ignore_protect,
        )

    def _around(self, report: Report, save: Callable[[Snapshot], None]) -> Surroundings:
        environment = self.sandbox.environment(self.aws)
        return Surroundings(
            plugins={"aws": AwsPlugin(environment)},
            stack_outputs=self.sandbox.stack_outputs,
            report=report,
            save=save,
            environment=environment,
        )


@contextmanager
def _hidden(instead: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    for name in before:
        if name.startswith("AWS_"):
            del os.environ[name]
    os.environ.update(instead)
    try:
        yield
    finally:
        for name in instead:
            del os.environ[name]
        os.environ.update({name: value for name, value in before.items() if name.startswith("AWS_")})


def _never(snapshot: Snapshot) -> None:
    raise AssertionError(f"a preview tried to write {len(snapshot.resources)} resources")
