"""The states of an environment's stacks, in the backend that the pulumi CLI is logged in to.

Whoever runs the fleet has set up the CLI, its backend and its credentials; all goes through the Automation API
(https://www.pulumi.com/docs/iac/automation-api/), or the CLI itself where that has no call.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twokeys.access.accounts import ACCOUNT
from twokeys.access.snapshot import PROVIDER, Snapshot
from twokeys.access.state import parse_state
from twokeys.errors import Refusal
from twokeys.fleet.ownership import resources_of_account
from twokeys.project.config import SHARDS

if TYPE_CHECKING:
    from pulumi import automation


def cli() -> str:
    """The path of the pulumi CLI. Raises Refusal when it is not installed."""
    path = shutil.which("pulumi")
    if path is None:
        raise Refusal(
            "a fleet cannot be run",
            where="PATH",
            why="the pulumi CLI is not installed",
            next_step="install it (https://www.pulumi.com/docs/iac/download-install/, or `twokeys sandbox get-pulumi`)",
        )
    return path


def open_stack(name: str, folder: str) -> automation.Stack:
    """The stack, made when it is not there yet.

    Raises:
        Refusal: the CLI is not installed, or does not open it.
    """
    from pulumi import automation  # noqa: PLC0415 - it takes its time to import

    cli()
    try:
        return automation.create_or_select_stack(name, work_dir=folder)
    except automation.CommandError as error:
        raise refused(f"stack {name} cannot be opened", folder, error) from error


@dataclass(frozen=True)
class Backend:
    """The states of one project.

    Attributes:
        root: the project's folder.
    """

    root: Path

    def fingerprints(self, stacks: Iterable[str]) -> Mapping[str, str | None]:
        """When each stack was updated last, in one question to the backend; None for a stack without a state."""
        from pulumi import automation  # noqa: PLC0415 - as above

        cli()
        try:
            listed = automation.LocalWorkspace(work_dir=str(self.root)).list_stacks()
        except automation.CommandError as error:
            raise refused("the backend cannot be asked", str(self.root), error) from error
        updates = {one.name.rpartition("/")[2]: one.last_update for one in listed}
        return {stack: str(updates[stack]) if updates.get(stack) else None for stack in stacks}

    def snapshots(self, stacks: Iterable[str]) -> Iterator[Snapshot]:
        """The states, exported, of those stacks that have one: that takes about a second each."""
        for stack, updated in self.fingerprints(stacks).items():
            if updated is not None:
                yield parse_state(self._export(stack), f"stack {stack}")

    def holders(self, stacks: Iterable[str]) -> list[tuple[str, str]]:
        """Which stack has which account in its state, as (account's key in the config, stack).

        An account that a killed move has left in two stacks stands in it twice.
        """
        return [
            (account.name, state.stack)
            for state in self.snapshots(stacks)
            for account in state.of_type(ACCOUNT)
            if state.stack is not None
        ]

    def move(self, account: str, source: str, destination: str) -> int:
        """Move everything of an account from one stack's state to another's; returns how many resources moved.

        `pulumi state move` writes the destination before the source: what a killed move left is completed.

        Raises:
            Refusal: it cannot be moved, or somebody holds one of the stacks.
        """
        folder = self.root / SHARDS
        open_stack(destination, str(folder))
        held, there = self._resources(source), self._resources(destination)
        urns = resources_of_account(held, account)
        written = {_identity(one) for one in there}
        if urns and all(_identity(one) in written for one in held if one["urn"] in urns and not _provider(one)):
            _forget(source, urns, folder)  # a move was killed in between
        else:
            _move(source, destination, urns, folder)
        return len(urns)

    def _resources(self, stack: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self._export(stack))["deployment"].get("resources") or []
        return found

    def _export(self, stack: str) -> str:
        """A state as `pulumi stack export` prints it, secrets encrypted."""
        from pulumi import automation  # noqa: PLC0415 - as above

        cli()
        try:
            found = automation.LocalWorkspace(work_dir=str(self.root)).export_stack(stack)
        except automation.CommandError as error:
            raise refused(f"the state of stack {stack} cannot be read", str(self.root), error) from error
        return json.dumps({"version": found.version, "deployment": found.deployment})


def _move(source: str, destination: str, urns: Iterable[str], folder: Path) -> None:
    """`pulumi state move`, which copies providers and takes no name of one.

    A provider that moved is deleted from the source's state afterwards, unless something there still needs it.
    """
    named = list(urns)
    providers = [urn for urn in named if f"::{PROVIDER}::" in urn or f"${PROVIDER}::" in urn]
    others = [urn for urn in named if urn not in providers]
    moved = _state(folder, "move", "--source", source, "--dest", destination, "--yes", *others)
    if moved.returncode:
        raise Refusal(
            "the resources cannot be moved",
            where=f"stack {source}",
            why=(moved.stderr or moved.stdout).strip(),
            next_step="mend that, and run `twokeys fleet move` with the environment again: it goes on from here",
        )
    for urn in providers:
        _state(folder, "delete", urn, "--stack", source, "--yes")


def _forget(stack: str, urns: list[str], folder: Path) -> None:
    """Take resources out of a stack's state, in one step; nothing happens to the objects."""
    done = _state(folder, "delete", *reversed(urns), "--stack", stack, "--yes", "--force")
    if done.returncode:
        raise Refusal(
            f"what has moved away cannot be taken out of stack {stack}",
            where=str(folder),
            why=(done.stderr or done.stdout).strip(),
            next_step="mend that, and run `twokeys fleet move` with the environment again: it goes on from here",
        )


def _state(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [cli(), "state", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - the CLI


def _identity(told: Mapping[str, Any]) -> tuple[str, str]:
    """Which object a resource is, whichever stack it is in."""
    return told["urn"].partition("::")[2], told.get("id", "")


def _provider(told: Mapping[str, Any]) -> bool:
    """Whether it is a provider: a stack keeps its own where it has one of the same inputs."""
    return str(told["type"]).startswith("pulumi:providers:")


def refused(what: str, folder: str, error: Exception) -> Refusal:
    """What the CLI would not do, in its own words."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip().startswith("error:")]
    return Refusal(
        what,
        where=folder,
        why=" ".join(lines) or str(error),
        next_step="log in to the backend (`pulumi login`), and set PULUMI_CONFIG_PASSPHRASE if it asks for one",
    )
