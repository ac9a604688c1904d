"""What a fleet's run looks like while it happens and at its end."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from twokeys.fleet.slots import MIB, Slots
from twokeys.fleet.task import Operation, Result, State, Task

_STYLES: Final = {
    State.DONE: "green",
    State.UNCHANGED: "dim",
    State.FAILED: "red",
    State.LOST: "bold red",
    State.STOPPED: "yellow",
    State.WAITING: "yellow",
}
_GOOD: Final = (State.DONE, State.UNCHANGED)
_RUNNING_SHOWN: Final = 4
_PROBLEMS_SHOWN: Final = 20


class Display:
    """Progress per shard on a console; says nothing without one."""

    def __init__(self, console: Console | None, operation: Operation, expected: Mapping[str, int]) -> None:
        self._console = console
        self._operation = operation
        self._expected = expected
        self._done: dict[str, int] = {}
        self._lock = threading.Lock()
        self._bar: Progress | None = None

    def __enter__(self) -> Display:
        if self._console is not None and self._expected:
            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("shards"),
                TimeElapsedColumn(),
                TextColumn("[dim]{task.fields[now]}"),
            )
            self._bar = Progress(*columns, console=self._console, transient=True)
            self._task = self._bar.add_task(self._operation.value, total=len(self._expected), now="")
            self._bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def begun(self, task: Task) -> None:
        """A shard is begun."""
        self.progress(task.stack, 0)

    def progress(self, stack: str, done: int) -> None:
        """How many resources of a shard are done; called from any thread."""
        with self._lock:
            self._done[stack] = done
            self._show_running()

    def ended(self, result: Result) -> None:
        """A shard has ended."""
        with self._lock:
            self._done.pop(result.stack, None)
            if self._bar is not None:
                self._bar.advance(self._task)
            self._show_running()
            if self._console is not None and result.state is not State.WAITING:
                style = _STYLES[result.state]
                text = f"{result.stack}: {result.state.value}, {in_words(result)}, {result.seconds:.1f} s"
                self._console.print(text, style=style, highlight=False, soft_wrap=True)

    def _show_running(self) -> None:
        if self._bar is not None:
            shown = [f"{stack} {done}/~{self._expected.get(stack, 0)}" for stack, done in self._done.items()]
            more = f" and {len(shown) - _RUNNING_SHOWN} more" if len(shown) > _RUNNING_SHOWN else ""
            self._bar.update(self._task, now=", ".join(shown[:_RUNNING_SHOWN]) + more)


def in_words(result: Result) -> str:
    """What happened to a shard's resources ("12 create, 3 same")."""
    if result.settled:
        return f"nothing to do ({result.resources} resources)"
    told = [f"{count} {op}" for op, count in sorted(result.changes.items()) if op != "same"]
    same = result.changes.get("same", 0)
    return ", ".join([*told, *([f"{same} same"] if same else [])]) or "nothing done"


def conclude(  # noqa: PLR0913, PLR0917 - what there is to tell
    console: Console,
    operation: Operation,
    results: Iterable[Result],
    slots: Slots | None,
    began: float,
    findings: Iterable[str] = (),
) -> None:
    """The summary, and everything that is wrong with its shard."""
    listed, wrong = list(results), list(findings)
    for result in listed:
        for problem in result.problems[:_PROBLEMS_SHOWN]:
            console.print(f"{result.stack}: {problem}", style="red", markup=False, highlight=False, soft_wrap=True)
        if len(result.problems) > _PROBLEMS_SHOWN:
            console.print(f"{result.stack}: and {len(result.problems) - _PROBLEMS_SHOWN} more", style="red")
    for finding in wrong:
        console.print(finding, style="red", markup=False, highlight=False, soft_wrap=True)
    table = Table("", "shards", title=f"{operation.value}: {len(listed)} shards", title_justify="left")
    for state, count in sorted(Counter(one.state for one in listed).items(), key=lambda one: list(State).index(one[0])):
        table.add_row(state.value, str(count), style=_STYLES[state])
    console.print(table)
    changes: Counter[str] = Counter()
    for one in listed:
        changes.update(one.changes)
    told = ", ".join(f"{count} {op}" for op, count in sorted(changes.items()))
    worked = [one for one in listed if one.memory]
    with_slots = f", {slots.count} at once ({slots.why})" if slots and worked else ""
    memory = f", {max(one.memory for one in worked) / MIB:,.0f} MiB in the largest process" if worked else ""
    console.print(f"{told or 'nothing done'}; {time.monotonic() - began:.1f} s{with_slots}{memory}", highlight=False)
    if not succeeded(listed):
        lost = any(one.state in (State.LOST, State.STOPPED, State.WAITING) for one in listed)
        step = "run the same command again: what is done stays done, and it goes on from there" if lost else "see above"
        console.print(f"next: {step}", style="yellow", highlight=False)


def as_json(  # noqa: PLR0913, PLR0917 - what there is to tell
    environment: str,
    operation: Operation,
    results: Iterable[Result],
    slots: Slots | None,
    began: float,
    findings: Iterable[str] = (),
) -> dict[str, Any]:
    """The same as JSON-ready data."""
    listed, wrong = list(results), list(findings)
    return {
        "environment": environment,
        "operation": operation.value,
        "ok": succeeded(listed) and not wrong,
        "seconds": round(time.monotonic() - began, 3),
        "slots": None if slots is None else {"count": slots.count, "why": slots.why},
        "shards": [one.as_dict() for one in listed],
        "findings": wrong,
    }


def succeeded(results: Iterable[Result]) -> bool:
    """Whether every shard is as it should be."""
    return all(one.state in _GOOD for one in results)
