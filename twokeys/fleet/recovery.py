"""A stack after a run of it was killed: unlocked, and what the run had begun to create taken over.

A self-managed backend's lock has no lease: it names the process, the host and the time, and stays until somebody
deletes it. It is taken away only when its owner is proved to be dead.
"""

import os
import re
import subprocess
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import psutil
from pulumi import automation

from twokeys.errors import Refusal
from twokeys.fleet.backend import cli, open_stack, refused
from twokeys.fleet.pending import creating, identifiers, refusal, taken_over, unclear
from twokeys.organization.creations import looked_up

# What `pulumi` says of each lock that is in its way (pkg/backend/diy/lock.go).
_LOCK: Final = re.compile(
    r"created by (?P<user>.+)@(?P<host>\S+) \(pid (?P<pid>\d+)\) at (?P<at>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S*)"
)
_SAME_MOMENT_SECONDS: Final = 2.0


def recovered(stack: str, folder: Path, machine_lost: str | None) -> list[str]:
    """Make a stack ready for its next update; returns what was done, one text each.

    Raises Refusal when the lock's owner may be alive, AWS cannot be asked, or a create is unclear.
    """
    cli()
    try:
        _mend_attributes(stack, folder)
        unlocked = unlock(stack, folder, machine_lost)
        opened = open_stack(stack, str(folder))
        state = opened.export_stack()
        taken = take_over(opened, state, str(folder))
        further = ((opened.export_stack() if taken else state).deployment or {}).get("pending_operations") or ()
    except automation.CommandError as error:
        raise refused(f"stack {stack} cannot be recovered", str(folder), error) from error
    again = "was not done when a run was killed: the next update warns of it, and does it again"
    return [*unlocked, *taken, *(f"{one['resource']['urn']}: {one['type']} it {again}" for one in further)]


def take_over(stack: automation.Stack, state: automation.Deployment, folder: str) -> list[str]:
    """Take over what by its state a killed run had begun to create, see `twokeys.fleet.pending`; what became of each.

    Raises Refusal when AWS cannot be asked, an account that was begun cannot be told from another, or it is unclear
    whether something was made. Raises CommandError when the CLI does not write the state, or cannot read what is there.
    """
    deployment = state.deployment or {}
    begun = creating(deployment)
    if not begun:
        return []
    by_aws = looked_up(begun)
    found = {**identifiers(deployment), **{urn: identifier for urn, (identifier, _) in by_aws.items()}}
    left = unclear(begun, found)
    if stack.export_stack().deployment != state.deployment:
        raise Refusal(
            f"stack {stack.name} is being worked on",
            where=folder,
            why="its state changed while AWS was asked what of it is there",
            next_step="wait for the run that does that, then run the same command again",
        )
    deployment = taken_over(deployment, found, {urn: arn for urn, (_, arn) in by_aws.items()}, left)
    stack.import_stack(automation.Deployment(version=state.version, deployment=deployment))
    if found:
        stack.refresh(target=list(found))
    if left:
        raise refusal(stack.name, folder, left)
    became = {urn: f"it is looked at as {identifier}" for urn, identifier in found.items()}
    killed = "a run was killed while it created this"
    return [f"{one['urn']}: {killed}: {became.get(one['urn'], 'it is asked for anew')}" for one in begun]


@dataclass(frozen=True)
class Owner:
    """Who holds a lock.

    `at` is when the lock was taken, in seconds since the epoch.
    """

    user: str
    host: str
    pid: int
    at: float

    def __str__(self) -> str:
        return f"process {self.pid} of {self.user} on {self.host}"


def owners(text: str) -> tuple[Owner, ...]:
    """The owners of the locks that the CLI's message names; none when it is not about locks."""
    return tuple(
        Owner(one["user"], one["host"], int(one["pid"]), datetime.fromisoformat(one["at"]).timestamp())
        for one in _LOCK.finditer(text)
    )


def prove_dead(owner: Owner, here: str, machine_lost: str | None) -> str:
    """Why the owner is known to be dead.

    `here` is this machine's name, as it stands in locks; `machine_lost` one that a person says is gone for good. Raises
    Refusal when it may be alive.
    """
    if owner.host == here:
        if not _alive(owner):
            return f"{owner} does not exist any more"
        raise Refusal(
            "the lock of a run that is going on",
            where=str(owner),
            why="that process is alive",
            next_step="wait until it is done, or stop it with Ctrl-C where it runs",
        )
    if owner.host == machine_lost:
        return f"{owner.host} is said to be lost"
    raise Refusal(
        "the lock of a run on another machine",
        where=str(owner),
        why="from here nobody can tell whether that process is alive, and two runs of one stack would undo each other",
        next_step=f"run this on {owner.host}; if that machine is gone for good, say so: --machine-lost {owner.host}",
    )


def _alive(owner: Owner) -> bool:
    """Whether the very process is there: one that began after the lock was taken has only got its number."""
    try:
        process = psutil.Process(owner.pid)
        began, status = process.create_time(), process.status()
    except psutil.NoSuchProcess:
        return False
    return began <= owner.at + _SAME_MOMENT_SECONDS and status != psutil.STATUS_ZOMBIE


def unlock(stack: str, folder: Path, machine_lost: str | None) -> list[str]:
    """Take away the locks of dead runs, in a self-managed backend; returns why each owner is known to be dead.

    Raises Refusal when an owner may be alive, or the CLI does not say who holds the stack, or does not unlock it.
    """
    held = _holding(stack, folder)
    proofs = [prove_dead(owner, os.uname().nodename, machine_lost) for owner in held]
    if held:
        said = _output(stack, folder, "cancel", "--yes")
        if _holding(stack, folder):
            raise Refusal(
                f"stack {stack} could not be unlocked",
                where=str(folder),
                why=said,
                next_step="run `pulumi cancel` there and see what it says",
            )
    return [f"unlocked, since {proof}" for proof in proofs]


def _mend_attributes(stack: str, folder: Path) -> None:
    """Take away what a kill left empty beside a state that is whole.

    A `file://` backend writes a state in one step and the file of its attributes in two; while that is empty the CLI
    cannot read the state ("failed to load checkpoint: EOF"), and it needs none.
    """
    where = automation.LocalWorkspace(work_dir=str(folder)).who_am_i().url or ""
    if where.startswith("file://"):
        root = Path(where.removeprefix("file://")).expanduser() / ".pulumi"
        for path in (*root.glob(f"stacks/*/{stack}.json*.attrs"), *root.glob(f"locks/*/*/{stack}/*.attrs")):
            if not path.stat().st_size:
                path.unlink()


def _holding(stack: str, folder: Path) -> tuple[Owner, ...]:
    """Renaming a stack to its own name takes the lock first and then fails, because a stack of that name exists."""
    said = _output(stack, folder, "stack", "rename", stack)
    found = owners(said)
    if not found and "already exists" not in said:
        raise Refusal(
            f"it cannot be told who holds stack {stack}",
            where=str(folder),
            why=said or "the CLI said nothing",
            next_step="log in to the backend (`pulumi login`), or look at the stack with `pulumi stack`",
        )
    return found


def _output(stack: str, folder: Path, *arguments: str) -> str:
    command = [cli(), *arguments, "--stack", stack, "--non-interactive"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - the CLI
    return (done.stderr + done.stdout).strip()
