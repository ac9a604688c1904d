"""What a run is told, what it works on, and what it has settled so far."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from twokeys.sandbox.engine.events import Op, Step, Violation
from twokeys.sandbox.engine.plugin import Diff
from twokeys.sandbox.engine.providers import EngineError, Handle
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


class Books:
    """What is known so far, and kept in the state at every change; `lock` guards all of it.

    `olds` are the resources of the state that no registration has taken over yet. `absent` does not exist yet,
    `replaced` gets a new object in this run.

    Args:
        prior: the state before the run.
        save: given the whole state whenever it changed; None in a preview.
    """

    def __init__(self, prior: Snapshot, save: Callable[[Snapshot], None] | None) -> None:
        self.lock = threading.RLock()
        self.olds = dict(enumerate(prior.resources))
        self.left_pending = {one.urn: one for one in prior.pending}
        self.news: dict[str, Resource] = {}
        self.pending: dict[str, Resource] = {}
        self.goals: dict[str, Goal] = {}
        self.claimed: set[str] = set()
        self.absent: set[str] = set()
        self.replaced: set[str] = set()
        self._children: dict[str, list[str]] = {}
        self._save = save

    def snapshot(self) -> Snapshot:
        """The state as it is now: what this run has settled, then what it has not come to."""
        pending = {**self.left_pending, **self.pending}
        return Snapshot((*self.news.values(), *self.olds.values()), tuple(pending.values()))

    def persist(self) -> None:
        """Keep the state as it is now."""
        if self._save is not None:
            self._save(self.snapshot())

    def claim(self, goal: Goal) -> int | None:
        """Take the URN for this registration and find the resource that it had in the state."""
        with self.lock:
            if goal.urn in self.claimed:
                raise EngineError(f"Duplicate resource URN '{goal.urn}'; try giving it a unique name")
            if goal.parent and goal.parent not in self.claimed:
                raise EngineError(f"could not find parent resource {goal.parent}")
            self.claimed.add(goal.urn)
            self.goals[goal.urn] = goal
            self._children.setdefault(goal.parent, []).append(goal.urn)
            for urn in (goal.urn, *goal.aliases):
                for position, one in self.olds.items():
                    if one.urn == urn and not one.delete:
                        return position
            return None

    def old(self, position: int | None) -> Resource | None:
        """The resource at that position of the state."""
        return None if position is None else self.olds[position]

    def settle(self, new: Resource, position: int | None, *, mark_deleted: bool = False) -> None:
        """Put the resource in the place of its old one, which with `mark_deleted` is still to be deleted."""
        with self.lock:
            if position is not None:
                old = self.olds.pop(position)
                if mark_deleted:
                    self.olds[position] = replace(old, delete=True)
            self.news[new.urn] = new
            self.pending.pop(new.urn, None)
            self.left_pending.pop(new.urn, None)
            self.persist()

    def forget(self, position: int) -> None:
        """Take the old resource at that position out of the state."""
        with self.lock:
            del self.olds[position]
            self.persist()

    def is_absent(self, urn: str) -> bool:
        """Whether it, or a resource of that component, does not exist yet."""
        found = self.news.get(urn)
        if found is None or found.custom:
            return urn in self.absent
        return any(self.is_absent(child) for child in self._children.get(urn, ()))
