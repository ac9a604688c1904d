"""A stack in a temporary folder, with a program that the test writes and a package that lives in memory."""

from __future__ import annotations

import os
import textwrap
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.engine.memory import MemoryPlugin, World
from twokeys.sandbox.engine.books import Settings
from twokeys.sandbox.engine.events import Diagnostic, Event, Op, Severity, StepDone, Violation
from twokeys.sandbox.engine.policy_host import PackChoice
from twokeys.sandbox.engine.run import Outcome, Surroundings, run_destroy, run_program, run_refresh
from twokeys.sandbox.engine.state import StateFile

PRELUDE = """
import json
import pulumi
from pulumi import ResourceOptions as Opts


class Thing(pulumi.CustomResource):
    def __init__(self, resource_name, /, opts=None, **inputs):
        super().__init__("mem:index:Thing", resource_name, {"arn": None, "serial": None, **inputs}, opts)

    arn: pulumi.Output[str]


class Provider(pulumi.ProviderResource):
    def __init__(self, resource_name, /, opts=None, **inputs):
        super().__init__("mem", resource_name, inputs, opts)


class Group(pulumi.ComponentResource):
    def __init__(self, name, props=None, opts=None):
        super().__init__("test:index:Group", name, props, opts)
"""


@dataclass
class Run:
    """What one run did."""

    ok: bool
    outputs: dict[str, Any]
    events: list[Event]
    outcome: Outcome

    @property
    def ops(self) -> dict[str, Op]:
        """Logical name to operation; the stack is left out."""
        done = (event.step for event in self.events if isinstance(event, StepDone))
        return {step.urn.rpartition("::")[2]: step.op for step in done if step.type != "pulumi:pulumi:Stack"}

    @property
    def steps(self) -> list[tuple[Op, str]]:
        """Operations and logical names in the order in which they ended; unchanged ones are left out."""
        done = (event.step for event in self.events if isinstance(event, StepDone))
        return [
            (step.op, step.urn.rpartition("::")[2])
            for step in done
            if step.op is not Op.SAME and step.type != "pulumi:pulumi:Stack"
        ]

    @property
    def counts(self) -> Counter[Op]:
        return Counter(self.ops.values())

    @property
    def errors(self) -> str:
        return "\n".join(
            event.message for event in self.events if isinstance(event, Diagnostic) and event.severity is Severity.ERROR
        )

    @property
    def messages(self) -> str:
        return "\n".join(event.message for event in self.events if isinstance(event, Diagnostic))

    @property
    def violations(self) -> list[Violation]:
        return [event for event in self.events if isinstance(event, Violation)]


@dataclass
class Bench:
    """A stack that a test works on."""

    folder: Path
    world: World = field(default_factory=World)
    config: dict[str, str] = field(default_factory=dict)
    other_stacks: dict[str, dict[str, Any]] = field(default_factory=dict)
    packs: tuple[PackChoice, ...] = ()
    stack: str = "dev"
    secret_keys: tuple[str, ...] = ()
    ignore_protect: bool = False
    parallel: int = 4
    on_event: Callable[[Event], None] = lambda _: None

    @property
    def state(self) -> StateFile:
        return StateFile(self.folder / "stacks", self.stack)

    def program(self, text: str) -> None:
        (self.folder / "__main__.py").write_text(PRELUDE + textwrap.dedent(text))

    def preview(self, text: str | None = None) -> Run:
        return self._run(text, dry_run=True)

    def up(self, text: str | None = None) -> Run:
        return self._run(text, dry_run=False)

    def destroy(self) -> Run:
        events: list[Event] = []
        outcome = run_destroy(self._settings(False), self.state.load(), self._around(events))
        return Run(outcome.ok, outcome.outputs, events, outcome)

    def refresh(self, *targets: str, preview: bool = False) -> Run:
        events: list[Event] = []
        outcome = run_refresh(self._settings(preview), self.state.load(), targets, self._around(events))
        return Run(outcome.ok, outcome.outputs, events, outcome)

    def _run(self, text: str | None, *, dry_run: bool) -> Run:
        if text is not None:
            self.program(text)
        events: list[Event] = []
        outcome = run_program(
            self.folder / "__main__.py",
            self._settings(dry_run),
            self.state.load(),
            self.packs,
            self._around(events),
        )
        return Run(outcome.ok, outcome.outputs, events, outcome)

    def _settings(self, dry_run: bool) -> Settings:
        return Settings(
            "proj",
            self.stack,
            self.config,
            secret_keys=self.secret_keys,
            dry_run=dry_run,
            parallel=self.parallel,
            ignore_protect=self.ignore_protect,
        )

    def _around(self, events: list[Event]) -> Surroundings:
        def report(event: Event) -> None:
            events.append(event)
            self.on_event(event)

        return Surroundings(
            plugins={"mem": MemoryPlugin(self.world)},
            stack_outputs=self.other_stacks.get,
            report=report,
            save=self.state.save,
            environment=dict(os.environ),
        )


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)
