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
from typing import TYPE_CHECKING, Any, Final

from twokeys.access.reading.snapshot import Snapshot
from twokeys.access.reading.state import parse_state
from twokeys.access.reading.type_names import ACCOUNT
from twokeys.doors import symbol
from twokeys.errors import Refusal
from twokeys.project.shards import SHARDS

if TYPE_CHECKING:
    from pulumi import automation

_NAMED_AFTER_IT: Final = frozenset(
    {
        "twokeys:accounts:MemberAccount",
        "twokeys:accounts:AccountBaseline",
        "twokeys:bill:AccountBudget",
        "pulumi:providers:aws",
    }
)


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
    """The stack, made when it is not there yet; the one that a person has selected stays selected.

    Raises Refusal when the CLI is not installed, or does not open it.
    """
    from pulumi import automation  # noqa: PLC0415 - it takes its time to import

    class Unselecting(automation.LocalWorkspace):
        """Each command of the Automation API names its stack, so none needs to be selected."""

        def select_stack(self, stack_name: str) -> None:
            self._run_pulumi_cmd_sync(["stack", "--stack", stack_name])

        def create_stack(self, stack_name: str) -> None:
            self._run_pulumi_cmd_sync(["stack", "init", stack_name, "--no-select"])

    cli()
    try:
        return automation.Stack.create_or_select(name, Unselecting(work_dir=folder))
    except automation.CommandError as error:
        raise refused(f"stack {name} cannot be opened", folder, error) from error


@dataclass(frozen=True)
class Backend:
    """The states of the project in the folder `root`."""

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

        `pulumi state move` writes the destination before the source: what a killed move left is completed. It copies
        providers and takes no name of one, so one that moved is deleted from the source's state afterwards, unless
        something there still needs it. Raises Refusal when it cannot be moved, or somebody holds one of the stacks.
        """
        open_stack(destination, str(self.root / SHARDS))
        held = self._resources(source)
        there = {_identity(one) for one in self._resources(destination)}
        urns = resources_of_account(held, account)
        of_it = [one for one in held if one["urn"] in urns]
        providers = [one["urn"] for one in of_it if one["type"].startswith("pulumi:providers:")]
        others = [one for one in of_it if one["urn"] not in providers]
        if urns and all(_identity(one) in there for one in others):  # a move was killed in between
            self._state("delete", *reversed(urns), "--stack", source, "--yes", "--force")
        else:
            told = [one["urn"] for one in others]
            self._state("move", "--source", source, "--dest", destination, "--yes", *told)
            for urn in providers:
                self._state("delete", urn, "--stack", source, "--yes", needed=False)
        return len(urns)

    def _state(self, *arguments: str, needed: bool = True) -> None:
        """`pulumi state`, which changes states and nothing else."""
        command = [cli(), "state", *arguments]
        done = subprocess.run(  # noqa: S603 - the CLI
            command, cwd=self.root / SHARDS, capture_output=True, text=True, check=False
        )
        if done.returncode and needed:
            raise Refusal(
                "the resources cannot be moved",
                where=f"pulumi state {arguments[0]}",
                why=(done.stderr or done.stdout).strip(),
                next_step="mend that, and run `twokeys fleet move` with the environment again: it goes on from here",
            )

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


def _identity(told: Mapping[str, Any]) -> tuple[str, str]:
    """Which object a resource is, whichever stack it is in."""
    return told["urn"].partition("::")[2], told.get("id", "")


def refused(what: str, folder: str, error: Exception) -> Refusal:
    """What the CLI would not do, in its own words."""
    said = (line.strip().removeprefix("stderr: ") for line in str(error).splitlines())
    lines = [line for line in said if line.startswith("error:")]
    step = "log in to the backend (`pulumi login`), and set PULUMI_CONFIG_PASSPHRASE if it asks for one"
    if "failed to load checkpoint" in str(error):
        step = "the state is damaged, as a full disk leaves it: put the newest whole copy in its place"
    return Refusal(what, where=folder, why=" ".join(lines) or str(error), next_step=step)


def resources_of_account(resources: Iterable[Mapping[str, Any]], account: str) -> list[str]:
    """The URNs of everything that belongs to the account with that key in the config, in the order of the state.

    That is what `components/accounts.py` makes of it: the components and the provider named after it, the doors whose
    declared target it is, and all their children. The grant of a door belongs to the door, though it is made in the
    management account. Empty for an account that the state does not have. `resources` are those of a deployment as
    `pulumi stack export` prints it; secrets may be encrypted.
    """
    target = symbol(account)
    found: dict[str, None] = {}
    for one in resources:  # a parent always stands before its children
        named = one["type"] in _NAMED_AFTER_IT and one["urn"].rpartition("::")[2] == account
        if one.get("parent") in found or named or _leads_to(one, target):
            found[one["urn"]] = None
    return list(found)


def _leads_to(one: Mapping[str, Any], target: str) -> bool:
    """Whether it is a door (`door`, see `twokeys.doors.Door`) into that account."""
    door = (one.get("inputs") or {}).get("door")
    return not one.get("custom") and isinstance(door, dict) and (door.get("target") or {}).get("account") == target
