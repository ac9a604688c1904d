"""A stack in the sandbox: its config, its state and the local AWS, brought together with the engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from twokeys.project.config import load_config
from twokeys.sandbox.aws import AwsPlugin
from twokeys.sandbox.box import ORGANIZATION, Sandbox
from twokeys.sandbox.engine.books import Settings
from twokeys.sandbox.engine.events import Report
from twokeys.sandbox.engine.policy_host import PackChoice
from twokeys.sandbox.engine.run import Outcome, run_destroy, run_program, run_refresh
from twokeys.sandbox.engine.state import Snapshot, StateFile
from twokeys.sandbox.engine.surroundings import Surroundings
from twokeys.sandbox.local_aws import LocalAws

__all__ = ["ORGANIZATION", "Operations", "Sandbox", "SandboxStack"]


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


def _never(snapshot: Snapshot) -> None:
    raise AssertionError(f"a preview tried to write {len(snapshot.resources)} resources")
