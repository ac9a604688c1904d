"""`twokeys sandbox up`: the unmodified program on the SDK's mocks, each resource judged and then really made.

There is no second update: a sandbox is thrown away and made again.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import IO, Any

from twokeys.access.findings import Finding
from twokeys.access.graph import Graph
from twokeys.access.reading.snapshot import STACK, Snapshot
from twokeys.access.rules import RULES
from twokeys.access.verdicts import Verdicts
from twokeys.access.verdicts import judge as judge_rules
from twokeys.errors import Refusal
from twokeys.pack.other_states import Beside, other_states, settings_alone
from twokeys.preview.process import run_in_process
from twokeys.preview.program import interpreter, judge, stack_preview
from twokeys.preview.run import Asked, Run
from twokeys.project.config import load_config
from twokeys.sandbox.box import Sandbox
from twokeys.sandbox.local_aws import LocalAws
from twokeys.sandbox.making import LocalMaker
from twokeys.sandbox.states import write_state
from twokeys.shown import joined

Config = Mapping[str, Mapping[str, object]]


@dataclass(frozen=True)
class Done:
    """How an `up` went.

    `stage` is what was judged last ("preview", "update" or "result"); `failed`, why it ended where no rule stopped it.
    """

    stack: str
    stage: str
    snapshot: Snapshot
    verdicts: Verdicts
    failed: Refusal | None = None
    outputs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether everything was made and nothing mandatory was found."""
        return self.failed is None and not self.verdicts.mandatory


@dataclass(frozen=True)
class StackRun:
    """One stack in a sandbox: `overrides` win over its file, and `rules` is the policy pack's configuration."""

    sandbox: Sandbox
    name: str
    overrides: Mapping[str, str] = field(default_factory=dict)
    rules: Config = field(default_factory=dict)
    say: Callable[[str, str], None] = lambda _severity, _message: None
    output: IO[str] | None = None

    @property
    def state(self) -> Path:
        """Where its state is written."""
        return self.sandbox.stacks / f"{self.name}.json"

    def preview(self) -> Done:
        """What the rules find before anything exists.

        Raises Refusal when the program fails or its config cannot be used.
        """
        box = self.sandbox
        up = {name: outputs for name in box.up if (outputs := box.stack_outputs(name)) is not None}
        not_there: set[str] = set()
        snapshot, verdicts = stack_preview(
            box.project,
            self.name,
            self.overrides,
            rules=self.rules,
            stacks=up,
            not_there=not_there,
            say=self.say,
            output=self.output,
        )
        names = (name.rpartition("/") for name in not_there)  # `stack`, or `organization/project/stack`
        own = {stack for of, _, stack in names if of.rpartition("/")[2] in ("", box.project.name)}
        first = sorted((own - {self.name}) & box.project.stacks().keys())
        return Done(self.name, "preview", snapshot, verdicts, self._too_early(first) if first else None)

    def _too_early(self, first: Sequence[str]) -> Refusal:
        return Refusal(
            f"stack {self.name} before {joined(first)}",
            where=str(self.sandbox.stacks),
            why=f"it reads what {joined(first)} export{'s' * (len(first) == 1)}, and that is not up here",
            next_step=f"twokeys sandbox up {' '.join([*first, self.name])}",
        )

    def make(self, aws: LocalAws, done: Callable[[Asked], None] = lambda _asked: None) -> Done:
        """Make it, each resource judged before; its state is written, also when it fails half-way.

        Raises Refusal when the config cannot be used or the state cannot be written.
        """
        project, config = self.sandbox.project, load_config(self.sandbox.project, self.name, self.overrides)
        environment = self.sandbox.environment(aws)
        maker = LocalMaker(environment, self._mandatory, self.sandbox.stack_outputs, done, self._beside)
        run = Run(project.name, self.name, config, maker, self.say)
        failed = None
        made_with = {"overrides": self.overrides, "rules": self.rules}
        write_state(self.state, run, made_with)  # a run that is killed is known to have begun: all is made again
        try:
            run_in_process(
                run,
                program=project.program,
                dry_run=False,
                python=interpreter(project.root),
                environment=environment,
                output=self.output,
            )
        except Refusal as refusal:
            failed = refusal
        finally:
            maker.close()
            write_state(self.state, run, made_with)
        snapshot = run.snapshot()
        if maker.refused:
            return Done(self.name, "update", snapshot, Verdicts(tuple(maker.refused), ()))
        if failed is not None:
            if not any(one.provider for one in snapshot.resources):
                self.state.unlink()  # nothing was made, so that the stack is not up
            return Done(self.name, "update", snapshot, Verdicts((), ()), failed)
        outputs = next((one.outputs for one in snapshot.resources if one.type == STACK), {})
        verdicts = judge(snapshot, self.rules, made=True, beside=self._beside)
        return Done(self.name, "result", snapshot, verdicts, outputs=outputs)

    @cached_property
    def _beside(self) -> Beside | None:
        project = self.sandbox.project
        return other_states(self.rules, f"urn:pulumi:{self.name}::{project.name}", project.program.parent)

    def _mandatory(self, graph: Graph) -> Iterable[Finding]:
        judged = judge_rules(graph, RULES, settings_alone(self.rules), datetime.now(UTC))
        return (one.finding for one in judged if one.mandatory)
