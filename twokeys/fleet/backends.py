"""Where the states of shards are: what is asked of them before and after a run, without an engine."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from filelock import FileLock, Timeout

from twokeys.access.accounts import ACCOUNT
from twokeys.access.snapshot import Snapshot
from twokeys.access.state import parse_state, read_state
from twokeys.errors import Refusal
from twokeys.files import make_folder
from twokeys.fleet.inputs import file_digest
from twokeys.project.config import SHARDS

if TYPE_CHECKING:
    from twokeys.sandbox.engine.resource import Resource


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

    def holders(self, stacks: Iterable[str]) -> list[tuple[str, str]]:
        """Which stack has which account in its state, as (account's key in the config, stack).

        An account that a killed move has left in two stacks is told twice.
        """
        ...

    def move(self, account: str, source: str, destination: str) -> int:
        """Move everything of an account from one stack's state to another's; returns how many resources moved.

        Raises:
            Refusal: it cannot be moved, or somebody holds one of the stacks. What a killed move left is completed.
        """
        ...


@dataclass(frozen=True)
class SandboxBackend:
    """The sandbox's states on this machine.

    Attributes:
        root: the project's folder.
        directory: the sandbox's folder.
        faults: a fault plan for the local AWS.
    """

    root: Path
    directory: Path
    faults: Path | None = None
    name: str = "sandbox"

    @contextmanager
    def working(self) -> Iterator[None]:
        """The local AWS runs.

        Raises:
            Refusal: another fleet is at work here; the local AWS that it has started would end with it.
        """
        # An engine takes a second to import; a run in which nothing has changed needs none.
        from twokeys.project.config import load_project  # noqa: PLC0415
        from twokeys.sandbox.stack import Sandbox  # noqa: PLC0415

        with _alone(self.directory), Sandbox(load_project(self.root), self.directory).local_aws(self.faults):
            yield

    def fingerprints(self, stacks: Iterable[str]) -> Mapping[str, str | None]:
        """The digests of the state files."""
        return {stack: file_digest(self._state(stack)) for stack in stacks}

    def snapshots(self, stacks: Iterable[str]) -> Iterator[Snapshot]:
        """The state files, read."""
        for path in map(self._state, stacks):
            if path.exists():
                yield read_state(path, may_be_empty=True)

    def holders(self, stacks: Iterable[str]) -> list[tuple[str, str]]:
        """From the state files."""
        return _holders(self, stacks)

    def move(self, account: str, source: str, destination: str) -> int:
        """See `Backend`; both states are locked meanwhile."""
        from twokeys.project.config import load_project  # noqa: PLC0415
        from twokeys.sandbox.engine.move import move_resources  # noqa: PLC0415 - as above
        from twokeys.sandbox.engine.of_account import resources_of_account  # noqa: PLC0415
        from twokeys.sandbox.engine.state import StateFile  # noqa: PLC0415

        of, to = (StateFile(self.directory / "stacks", stack) for stack in (source, destination))
        urns = tuple(resources_of_account(of.load().resources, account))
        project = load_project(self.root).name
        return len(move_resources(of, to, urns, project=project, command="twokeys fleet move").moved)

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

    def holders(self, stacks: Iterable[str]) -> list[tuple[str, str]]:
        """From the exported states: that takes about a second each."""
        return _holders(self, stacks)

    def move(self, account: str, source: str, destination: str) -> int:
        """See `Backend`; by `pulumi state move`, which writes the destination before the source."""
        from twokeys.fleet.automation import forget, move, open_stack  # noqa: PLC0415 - as above
        from twokeys.sandbox.engine.of_account import resources_of_account  # noqa: PLC0415

        folder = str(self.root / SHARDS)
        open_stack(destination, folder)
        held, there = self._resources(source), self._resources(destination)
        urns = resources_of_account(map(_outline, held), account)
        written = {_identity(one) for one in there}
        if urns and all(_identity(one) in written for one in held if one["urn"] in urns and not _provider(one)):
            forget(source, urns, folder)  # a move was killed in between
        else:
            move(source, destination, urns, folder)
        return len(urns)

    def _resources(self, stack: str) -> list[dict[str, Any]]:
        from twokeys.fleet.automation import export  # noqa: PLC0415 - as above

        found: list[dict[str, Any]] = json.loads(export(stack, str(self.root)))["deployment"].get("resources") or []
        return found


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """The operating system's lock, so that nothing stays of it when its owner is killed."""
    path = directory / "fleet" / "running.lock"
    make_folder(path.parent)
    try:
        with FileLock(path, timeout=0):
            yield
    except Timeout as error:
        raise Refusal(
            "a second fleet in one sandbox",
            where=str(path),
            why="another `twokeys fleet` works in it, and the local AWS ends when that is done",
            next_step="wait until it is done, or work in another one with --state",
        ) from error


def _outline(told: Mapping[str, Any]) -> Resource:
    """As much of a resource of the CLI's state as says whose it is: the rest may be encrypted, or unknown to us."""
    from twokeys.sandbox.engine.resource import Resource  # noqa: PLC0415 - as above

    inputs = {"door": told.get("inputs", {}).get("door")}
    return Resource(told["urn"], told["type"], told["custom"], inputs=inputs, parent=told.get("parent", ""))


def _identity(told: Mapping[str, Any]) -> tuple[str, str]:
    """Which object a resource is, whichever stack it is in."""
    return told["urn"].partition("::")[2], told.get("id", "")


def _provider(told: Mapping[str, Any]) -> bool:
    """Whether it is a provider: a stack keeps its own where it has one of the same inputs."""
    return str(told["type"]).startswith("pulumi:providers:")


def _holders(backend: Backend, stacks: Iterable[str]) -> list[tuple[str, str]]:
    return [
        (account.name, state.stack)
        for state in backend.snapshots(stacks)
        for account in state.of_type(ACCOUNT)
        if state.stack is not None
    ]
