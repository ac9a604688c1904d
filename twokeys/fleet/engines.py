"""What a host does with a task: the sandbox's own engine on the local AWS, or the pulumi CLI on the user's backend."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from twokeys.errors import Refusal
from twokeys.fleet.task import Operation, Task
from twokeys.project.config import load_project
from twokeys.sandbox.engine.events import Report
from twokeys.sandbox.engine.policy_host import PackChoice
from twokeys.sandbox.engine.values import Properties
from twokeys.sandbox.probes import probe
from twokeys.sandbox.stack import Sandbox, SandboxStack
from twokeys.verify.attempts import Probe
from twokeys.verify.doors import exports


@dataclass(frozen=True)
class Ended:
    """How a task ended; a preview or an update has told the rest as events.

    Attributes:
        changes: probes by judgement.
        problems: probes that went wrong.
    """

    ok: bool
    changes: Mapping[str, int] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


class Engine(Protocol):
    """One task on one engine."""

    def run(self, report: Report, step: Callable[[], None]) -> Ended:
        """Do it; `step` is called after each probe.

        Raises:
            Refusal: it cannot be begun.
            KeyboardInterrupt: it was told to stop, and has.
        """
        ...


class SandboxEngine:
    """The sandbox's own engine, on the local AWS that whoever runs the fleet has started."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._box = Sandbox(load_project(Path(task.folder)), Path(task.sandbox))

    def run(self, report: Report, step: Callable[[], None]) -> Ended:
        """See `Engine`."""
        task = self._task
        with self._box.attached() as aws:
            if task.operation is Operation.VERIFY:
                return judged(probe(aws, exports(self._outputs())), step)
            packs = tuple(PackChoice(Path(pack), config) for pack, config in task.packs)
            stack = SandboxStack(self._box, task.stack, aws, packs, task.overrides, task.parallel, task.command)
            outcome = (stack.up if task.operation is Operation.UP else stack.preview)(report)
            return Ended(outcome.ok)

    def _outputs(self) -> dict[str, Properties]:
        outputs = self._box.stack_outputs(self._task.stack)
        if outputs is None:
            raise never_updated(self._task.stack)
        return {self._task.stack: outputs}


def judged(probes: Iterable[Probe], step: Callable[[], None]) -> Ended:
    """Try doors, and count what happened."""
    counted: Counter[str] = Counter()
    problems = []
    for one in probes:
        step()
        counted[one.judged] += 1
        if one.probed and not one.as_expected:
            problems.append(f"{one.judged}: {one.name} ({one.role_arn}): {one.detail}")
    return Ended(not problems, counted, tuple(problems))


def never_updated(stack: str) -> Refusal:
    """A stack without outputs has no doors to try."""
    return Refusal(
        f"stack {stack} cannot be verified",
        where="its outputs",
        why="it was never updated, so there is no door to try",
        next_step="update it first",
    )


def open_engine(task: Task) -> Engine:
    """The engine that a task asks for."""
    if task.engine == "sandbox":
        return SandboxEngine(task)
    from twokeys.fleet.automation import PulumiEngine  # noqa: PLC0415 - it builds on this module

    return PulumiEngine(task)
