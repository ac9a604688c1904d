"""One shard's work, and what came of it: plain data that goes to a worker, on this machine or another, and back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class Operation(Enum):
    """What is done with each shard."""

    PREVIEW = "preview"
    UP = "up"
    VERIFY = "verify"


class State(Enum):
    """How a shard's work ended.

    FAILED: the engine or a policy says no, and said why. LOST: the worker or its engine died, so that nobody knows how
    far it came; it is not tried again by itself. STOPPED: it was said to stop and did so in order. UNCHANGED: nothing
    it hangs on has changed, so the engine was not asked. WAITING: it was not begun.
    """

    DONE = "done"
    FAILED = "failed"
    LOST = "lost"
    STOPPED = "stopped"
    UNCHANGED = "unchanged"
    WAITING = "not begun"


@dataclass(frozen=True)
class Task:
    """What a worker has to know; `packs` are folders of policy packs, each with its configuration."""

    operation: Operation
    stack: str
    folder: str
    packs: tuple[tuple[str, Mapping[str, Any]], ...] = ()


@dataclass(frozen=True)
class Result:
    """What came of a task.

    `changes` are resources by operation (`create`, `same`, ...), or probes by judgement for `verify`; `memory` is the
    peak of the engine's process and its children, in bytes (`resource.getrusage`).
    """

    stack: str
    state: State
    changes: Mapping[str, int] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    seconds: float = 0.0
    memory: int = 0

    @property
    def resources(self) -> int:
        """How many resources the stack has, or would have."""
        return sum(count for op, count in self.changes.items() if not op.startswith("delete"))

    @property
    def settled(self) -> bool:
        """Whether the engine found nothing to do."""
        return self.state is State.DONE and set(self.changes) <= {"same", "read"}
