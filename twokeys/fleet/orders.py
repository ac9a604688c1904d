"""What a run has to do: which shards, as which tasks, and which of them are as they should be already."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from twokeys.errors import Refusal
from twokeys.fleet.backend import Backend
from twokeys.fleet.inputs import Ledger, changed_since, folder_digest, program_digest, shard_digest
from twokeys.fleet.task import Operation, Result, State, Task
from twokeys.project.environment import Environment, Shard

CREATIONS: Final = 5
"""How many accounts are created at a time, over all shards: AWS Control Tower runs five account operations at once.

https://docs.aws.amazon.com/controltower/latest/userguide/limits.html
"""


@dataclass(frozen=True)
class Order:
    """What somebody asked for: `only` these shards (none means all), `anyway` also those that are unchanged."""

    operation: Operation
    environment: Environment
    backend: Backend
    only: tuple[str, ...] = ()
    anyway: bool = False
    since: str | None = None
    packs: tuple[tuple[Path, Mapping[str, Any]], ...] = ()

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

    @property
    def ledger(self) -> Ledger:
        """When each shard was as it should be."""
        return Ledger(self.environment.root / ".twokeys" / "fleet")

    def divide(self) -> tuple[list[Task], list[Result]]:
        """The tasks, and the results of those shards that need no engine."""
        tasks, unchanged = [], []
        touched = None
        if self.since is not None:
            touched = changed_since(self.environment.root, self.since, self.shards)
        states = self.backend.fingerprints(shard.stack for shard in self.shards)
        for shard in self.shards:
            same = touched is not None and shard.stack not in touched
            same = same or self.ledger.last(shard.stack) == self._digest(shard, states[shard.stack])
            if same and not self.anyway and self.operation is not Operation.VERIFY:
                unchanged.append(Result(shard.stack, State.UNCHANGED))
            else:
                packs = tuple((str(folder), config) for folder, config in self.packs)
                tasks.append(Task(self.operation, shard.stack, str(shard.folder), packs))
        return tasks, unchanged

    def creating(self) -> frozenset[str]:
        """The stacks that may create accounts: those that were never seen to be complete."""
        return frozenset(shard.stack for shard in self.shards if self.ledger.last(shard.stack) is None)

    @property
    def creating_at_once(self) -> int:
        """How many of those are worked on at once, so that all together create no more than `CREATIONS` at a time."""
        return max(1, CREATIONS // self.environment.accounts_at_once)

    def settle(self, result: Result) -> None:
        """Remember that a shard is as it should be."""
        complete = result.state is State.DONE and self.operation is Operation.UP
        if complete or (self.operation is Operation.PREVIEW and result.settled):
            shard = next(one for one in self.shards if one.stack == result.stack)
            state = self.backend.fingerprints([shard.stack])[shard.stack]
            self.ledger.record(result.stack, self._digest(shard, state))

    @cached_property
    def _shared(self) -> tuple[str, dict[str, Any]]:
        """What every shard hangs on: the program's digest, and the packs and the management stack's last update."""
        management = self.environment.management
        packs = [(folder_digest(folder), config) for folder, config in self.packs]
        updated = self.backend.fingerprints([management])[management]
        return program_digest(self.environment.root), {"packs": packs, "management": updated}

    def _digest(self, shard: Shard, state: str | None) -> str:
        program, beside = self._shared
        return shard_digest(shard, program, {**beside, "state": state})
