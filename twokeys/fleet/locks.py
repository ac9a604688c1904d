"""A lock that a dead run left behind: it is taken away only when its owner is proved to be dead.

A self-managed backend's lock has no lease: it names the process, the host and the time, and stays until somebody
deletes it. (The sandbox's lock is the operating system's and cannot be left behind.)
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import psutil

from twokeys.errors import Refusal

# What `pulumi` says of each lock that is in its way (pkg/backend/diy/lock.go).
_LOCK: Final = re.compile(
    r"created by (?P<user>.+)@(?P<host>\S+) \(pid (?P<pid>\d+)\) at (?P<at>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S*)"
)
_SAME_MOMENT_SECONDS: Final = 2.0


@dataclass(frozen=True)
class Owner:
    """Who holds a lock.

    Attributes:
        at: when the lock was taken, in seconds since the epoch.
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

    Args:
        here: this machine's name, as it stands in locks.
        machine_lost: the machine that somebody says is gone for good; nobody but a person can know that.

    Raises:
        Refusal: it may be alive.
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


def holding(cli: str, stack: str, folder: str) -> tuple[Owner, ...]:
    """Who holds a stack's locks on any self-managed backend.

    Renaming a stack to its own name takes the lock first and then fails, because a stack of that name exists.

    Raises:
        Refusal: the CLI says something else than these two things.
    """
    command = [cli, "stack", "rename", stack, "--stack", stack, "--non-interactive"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - as named
    said = done.stderr + done.stdout
    found = owners(said)
    if not found and "already exists" not in said:
        raise Refusal(
            f"it cannot be told who holds stack {stack}",
            where=folder,
            why=said.strip() or f"the CLI ended with code {done.returncode}",
            next_step="log in to the backend (`pulumi login`), or look at the stack with `pulumi stack`",
        )
    return found


def release(cli: str, stack: str, folder: str) -> None:
    """Delete all locks of a stack (`pulumi cancel`). To be called only when their owners are proved to be dead.

    Raises:
        Refusal: the CLI could not.
    """
    command = [cli, "cancel", "--yes", "--stack", stack, "--non-interactive"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - as named
    if done.returncode != 0:
        raise Refusal(
            f"stack {stack} could not be unlocked",
            where=folder,
            why=(done.stderr or done.stdout).strip(),
            next_step="run `pulumi cancel` there and see what it says",
        )
