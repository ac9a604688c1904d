"""What a fleet's run looks like while it happens and at its end."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from twokeys.fleet.layout import MIB, Slots
from twokeys.fleet.task import Operation, Result, State, Task
from twokeys.shown import counted, show_table

_STYLES: Final = {
    State.DONE: "green",
    State.UNCHANGED: "dim",
    State.FAILED: "red",
    State.LOST: "bold red",
    State.STOPPED: "yellow",
    State.WAITING: "yellow",
}
_PROBLEMS_SHOWN: Final = 20


class Display(Progress):
    """What is done and what is worked on, on a console; says nothing without one."""

    def __init__(self, console: Console | None, operation: Operation, shards: int) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        super().__init__(*columns, console=console, transient=True, disable=console is None)
        self._operation = operation.value
        self._shards = self.add_task(self._operation, total=shards)

    def begun(self, task: Task) -> None:
        """A shard is begun."""
        self.update(self._shards, description=f"{self._operation} {task.stack}")

    def ended(self, result: Result) -> None:
        """A shard has ended."""
        self.advance(self._shards)
        if not self.disable and result.state is not State.WAITING:
            text = f"{result.stack}: {result.state.value}, {in_words(result)}, {result.seconds:.1f} s"
            self.console.print(text, style=_STYLES[result.state], highlight=False, soft_wrap=True)


def in_words(result: Result) -> str:
    """What happened to a shard's resources ("12 create, 3 same")."""
    if result.settled:
        return f"nothing to do ({result.resources} resources)"
    counted = sorted(result.changes.items(), key=lambda one: (one[0] == "same", one[0]))
    return ", ".join(f"{count} {op}" for op, count in counted) or "nothing done"


@dataclass(frozen=True)
class Report:
    """What came of a run.

    `slots` is None on a cluster, which decides itself how much is done at once; `findings` is what the rules say of all
    shards together.
    """

    environment: str
    operation: Operation
    results: Sequence[Result]
    slots: Slots | None
    seconds: float
    findings: Sequence[str] = ()

    @property
    def ok(self) -> bool:
        """Whether every shard is as it should be."""
        return all(one.state in (State.DONE, State.UNCHANGED) for one in self.results) and not self.findings

    def show(self, console: Console) -> None:
        """The summary, and everything that is wrong with its shard."""
        problems = [f"{one.stack}: {problem}" for one in self.results for problem in _shown(one.problems)]
        for text in (*problems, *self.findings):
            console.print(text, style="red", markup=False, highlight=False, soft_wrap=True)
        title = f"{self.operation.value}: {counted(len(self.results), 'shard')}"
        table = Table("", "shards", title=title, title_justify="left")
        states = Counter(one.state for one in self.results)
        for state in (one for one in State if states[one]):
            table.add_row(state.value, str(states[state]), style=_STYLES[state])
        show_table(console, table)
        changes = sum((Counter(one.changes) for one in self.results), Counter[str]())
        memory = max((one.memory for one in self.results), default=0)
        at_once = f", {self.slots.count} at once ({self.slots.why})" if self.slots and memory else ""
        done = ", ".join(f"{count} {op}" for op, count in sorted(changes.items())) or "nothing done"
        if changes and self.operation is not Operation.VERIFY:
            done += ", as the engine counts: with stacks, components and providers"
        peak = f", {memory / MIB:,.0f} MiB at most" if memory else ""
        console.print(f"{done}; {self.seconds:.1f} s{at_once}{peak}", highlight=False)
        if states[State.LOST] + states[State.STOPPED] + states[State.WAITING]:
            step = "run the same command again: what is done stays done, and it goes on from there"
            console.print(f"next: {step}", style="yellow", highlight=False)
        elif not self.ok:
            console.print("next: see above", style="yellow", highlight=False)

    def as_json(self) -> dict[str, Any]:
        """The same as JSON-ready data."""
        return {
            "environment": self.environment,
            "operation": self.operation.value,
            "ok": self.ok,
            "seconds": round(self.seconds, 3),
            "slots": None if self.slots is None else {"count": self.slots.count, "why": self.slots.why},
            "shards": [{**asdict(one), "state": one.state.value} for one in self.results],
            "findings": list(self.findings),
        }


def _shown(problems: Sequence[str]) -> list[str]:
    left = len(problems) - _PROBLEMS_SHOWN
    return [*problems[:_PROBLEMS_SHOWN], *([f"and {left} more"] if left > 0 else [])]
