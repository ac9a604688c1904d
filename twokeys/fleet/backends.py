"""Where the states of shards are: what is asked of them before and after a run, without an engine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from twokeys.access.snapshot import Snapshot
from twokeys.access.state import parse_state, read_state
from twokeys.errors import Refusal
from twokeys.fleet.environment import Environment
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

    def holders(self, stacks: Iterable[str]) -> Mapping[str, str]:
        """Which of the stacks has each account in its state, as far as that is told without an engine."""
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

    def holders(self, stacks: Iterable[str]) -> Mapping[str, str]:
        """From the state files."""
        states = {stack: self.snapshots([stack]) for stack in stacks}
        return {
            account.name: stack
            for stack, found in states.items()
            for state in found
            for account in state.of_type(ACCOUNT)
        }

    def _state(self, stack: str) -> Path:
        return self.directory / "stacks" / f"{stack}.json"


@dataclass(frozen=True)
class PulumiBackend:
    """The backend that the pulumi CLI is logged in to.

    Attributes:
        root: the project's folder.
    """

    root: Path
    name: str = "pulumi"

    @contextmanager
    def working(self) -> Iterator[None]:
        """Nothing of ours has to be there."""
        yield

    def fingerprints(self, stacks: Iterable[str]) -> Mapping[str, str | None]:
        """When each stack was updated last, in one question to the backend."""
        from twokeys.fleet.automation import last_updates  # noqa: PLC0415 - it takes its time to import

        updates = last_updates(str(self.root))
        return {stack: updates.get(stack) for stack in stacks}

    def snapshots(self, stacks: Iterable[str]) -> Iterator[Snapshot]:
        """Each stack's state, exported: that takes about a second each."""
        from twokeys.fleet.automation import export  # noqa: PLC0415 - as above

        for stack, updated in self.fingerprints(stacks).items():
            if updated is not None:
                yield parse_state(export(stack, str(self.root)), f"stack {stack}")

    def holders(self, stacks: Iterable[str]) -> Mapping[str, str]:  # noqa: ARG002 - as the protocol has it
        """Not told: it would take a second a stack. Here AWS itself refuses a second account for an e-mail."""
        return {}


def refuse_misplaced(backend: Backend, environment: Environment) -> None:
    """An account in another stack's state than the one that its config is in would be made a second time.

    Raises:
        Refusal: there is such an account.
    """
    home = {account: shard.stack for shard in environment.shards for account in shard.accounts}
    holders = backend.holders([*(shard.stack for shard in environment.shards), environment.name])
    misplaced = sorted(account for account, stack in holders.items() if home.get(account, stack) != stack)
    if misplaced:
        first = misplaced[0]
        others = f" (and {len(misplaced) - 1} more)" if len(misplaced) > 1 else ""
        raise Refusal(
            f"account {first} is in the state of another stack{others}",
            where=f"stack {holders[first]}",
            why=f"its config is in {home[first]}, which would make a second account for its e-mail",
            next_step=f"run `twokeys fleet move {environment.name}`: it moves it in the states, too",
        )
