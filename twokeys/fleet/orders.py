"""What a run has to do: which shards, as which tasks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from twokeys.errors import Refusal
from twokeys.fleet.backend import Backend
from twokeys.fleet.inputs import changed_since
from twokeys.fleet.task import Operation, Result, State, Task
from twokeys.project.environment import Environment, Shard

CREATIONS: Final = 5
"""How many accounts are created at a time, over all shards: AWS Control Tower runs five account operations at once.

https://docs.aws.amazon.com/controltower/latest/userguide/limits.html
"""


@dataclass(frozen=True)
class Order:
    """What somebody asked for.

    Attributes:
        only: the shards that were named; none means all.
        since: a commit; shards that have not changed since it are left out.
        packs: folders of policy packs, each with its configuration.
        parallel: the engine's operations at once, in each shard.
    """

    operation: Operation
    environment: Environment
    backend: Backend
    only: tuple[str, ...] = ()
    since: str | None = None
    packs: tuple[tuple[Path, Mapping[str, Any]], ...] = ()
    parallel: int = 8

    @cached_property
    def shards(self) -> tuple[Shard, ...]:
        """The shards that it is about. Raises Refusal when a named one is not there."""
        there = {shard.stack: shard for shard in self.environment.shards}
        for name in self.only:
            if name not in there:
                raise Refusal(
                    f"there is no shard {name}",
                    where=f"environment {self.environment.name}",
                    why=f"it has {', '.join(list(there)[:10])}{' ...' if len(there) > 10 else ''}",
                    next_step=f"name one of them; `twokeys fleet split {self.environment.name} --check` shows all",
                )
        return tuple(shard for name, shard in there.items() if not self.only or name in self.only)

    def divide(self) -> tuple[list[Task], list[Result]]:
        """The tasks, and the results of those shards that need no engine."""
        touched = {shard.stack for shard in self.shards}
        if self.since is not None:
            touched &= changed_since(self.environment.root, self.since, self.shards)
        packs = tuple((str(folder), config) for folder, config in self.packs)
        tasks = [
            Task(self.operation, shard.stack, str(shard.folder), packs, self.parallel)
            for shard in self.shards
            if shard.stack in touched
        ]
        unchanged = [Result(shard.stack, State.UNCHANGED) for shard in self.shards if shard.stack not in touched]
        return tasks, unchanged

    @property
    def creating_at_once(self) -> int:
        """How many stacks that create accounts are worked on at once: all together create `CREATIONS` at a time."""
        return max(1, CREATIONS // self.environment.accounts_at_once)
