"""Where the states of shards are: what is asked of them before and after a run, without an engine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from twokeys.access.snapshot import Snapshot
from twokeys.access.state import read_state
from twokeys.errors import Refusal
from twokeys.fleet.environment import Environment, Shard
from twokeys.fleet.inputs import file_digest

ACCOUNT: Final = "aws:organizations/account:Account"


class Backend(Protocol):
    """The states of one project."""

    @property
    def name(self) -> str:
        """The engine's, as a task has it."""
        ...

    def working(self) -> AbstractContextManager[object]:
        """What has to be there while shards are worked on."""
        ...

    def fingerprints(self, stacks: Iterable[str]) -> Mapping[str, str | None]:
        """Something that changes whenever a stack's state does; None for a stack without one."""
        ...

    def snapshots(self, stacks: Iterable[str]) -> Iterator[Snapshot]:
        """The states, of those stacks that have one."""
        ...


@dataclass(frozen=True)
class SandboxBackend:
    """The sandbox's states on this machine.

    Attributes:
        root: the project's folder.
        directory: the sandbox's folder.
    """

    root: Path
    directory: Path
    name: str = "sandbox"

    @contextmanager
    def working(self) -> Iterator[None]:
        """The local AWS runs."""
        # An engine takes a second to import; a run in which nothing has changed needs none.
        from twokeys.sandbox.project import load_project  # noqa: PLC0415
        from twokeys.sandbox.stack import Sandbox  # noqa: PLC0415

        with Sandbox(load_project(self.root), self.directory).local_aws():
            yield

    def fingerprints(self, stacks: Iterable[str]) -> Mapping[str, str | None]:
        """The digests of the state files."""
        return {stack: file_digest(self._state(stack)) for stack in stacks}

    def snapshots(self, stacks: Iterable[str]) -> Iterator[Snapshot]:
        """The state files, read."""
        for path in map(self._state, stacks):
            if path.exists():
                yield read_state(path)

    def _state(self, stack: str) -> Path:
        return self.directory / "stacks" / f"{stack}.json"


def refuse_misplaced(backend: Backend, environment: Environment, shards: Iterable[Shard]) -> None:
    """An account in another stack's state than the one that its config is in would be made a second time.

    Raises:
        Refusal: there is such an account.
    """
    listed = list(shards)
    home = {account: shard.stack for shard in listed for account in shard.accounts}
    stacks = {shard.stack for shard in listed} | {environment.name}
    for snapshot in backend.snapshots(sorted(stacks)):
        for account in snapshot.of_type(ACCOUNT):
            if account.name in home and home[account.name] != snapshot.stack:
                raise Refusal(
                    f"account {account.name} is in the state of another stack",
                    where=f"stack {snapshot.stack}",
                    why=f"its config is in {home[account.name]}, which would make a second account for its e-mail",
                    next_step=f"run `twokeys fleet move {environment.name}`, which moves it there in the states, too",
                )
