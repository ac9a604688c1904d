"""What a run is told, what it works on, and what it has settled so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from twokeys.sandbox.engine.events import Op, Step, Violation
from twokeys.sandbox.engine.plugin import Diff
from twokeys.sandbox.engine.providers import Handle
from twokeys.sandbox.engine.resource import Goal, Resource
from twokeys.sandbox.engine.state import Snapshot
from twokeys.sandbox.engine.values import Properties


@dataclass(frozen=True)
class Settings:
    """What a run is told.

    Attributes:
        config: full key ("project:key") to value, objects as JSON.
        parallel: how many provider operations may run at once.
        ignore_protect: delete and replace protected resources too.
    """

    project: str
    stack: str
    config: Mapping[str, str]
    secret_keys: tuple[str, ...] = ()
    organization: str = "organization"
    dry_run: bool = False
    parallel: int = 8
    ignore_protect: bool = False


@dataclass(frozen=True)
class Registered:
    """The answer to a registration: `id` is "" when it is not known yet."""

    urn: str
    id: str
    outputs: Properties


@dataclass(frozen=True)
class Subject:
    """A resource as a policy looks at it: inputs when it is checked alone, outputs when the stack is."""

    resource: Resource
    properties: Properties
    provider: Resource | None
    goal: Goal | None


@dataclass(frozen=True)
class Work:
    """One custom resource to bring to its goal; `position` and `old` are where and what it is in the state."""

    handle: Handle
    goal: Goal
    new: Resource
    seed: bytes
    position: int | None = None
    old: Resource | None = None

    def step(self, op: Op, diff: Diff | None = None) -> Step:
        """The operation as it is reported."""
        return Step(
            op,
            self.goal.urn,
            self.goal.type,
            self.old.id if self.old else self.goal.import_id,
            diff.changed or diff.replaces if diff else (),
            diff.replaces if diff else (),
            self.old.inputs if self.old else None,
            self.new.inputs,
        )


class Policies(Protocol):
    """The policy packs of a run."""

    def analyze(self, subject: Subject) -> tuple[Properties | None, tuple[Violation, ...]]:
        """Check one resource; the properties are there when a policy remediated them."""
        ...

    def analyze_stack(self, subjects: tuple[Subject, ...]) -> tuple[Violation, ...]:
        """Check the whole stack."""
        ...


@dataclass
class Books:
    """What is known so far; `olds` are the resources of the state that no registration has taken over yet."""

    olds: dict[int, Resource]
    left_pending: dict[str, Resource]
    news: dict[str, Resource] = field(default_factory=dict)
    pending: dict[str, Resource] = field(default_factory=dict)
    goals: dict[str, Goal] = field(default_factory=dict)
    claimed: set[str] = field(default_factory=set)
    absent: set[str] = field(default_factory=set)
    replaced: set[str] = field(default_factory=set)
    aliased: dict[str, str] = field(default_factory=dict)
    children: dict[str, list[str]] = field(default_factory=dict)
    in_flight: int = 0

    def snapshot(self) -> Snapshot:
        """The state as it is now: what this run has settled, then what it has not come to."""
        pending = {**self.left_pending, **self.pending}
        return Snapshot((*self.news.values(), *self.olds.values()), tuple(pending.values()))
