"""Locks that a dead run left behind. What the CLI says of them is recorded from the real one, 3.260."""

import os
import subprocess
import sys

import psutil
import pytest

from twokeys.errors import Refusal
from twokeys.fleet.recovery import Owner, owners, prove_dead

RECORDED = """\
error: the stack is currently locked by 2 lock(s). Either wait for the other process(es) to end or delete the lock \
file with `pulumi cancel`.
  file:///tmp/b/.pulumi/locks/organization/twokeys/prod-001/25ec.json?no_tmp_dir=true: created by root@vm (pid 23607) \
at 2026-11-24T14:32:41Z
  file:///tmp/b/.pulumi/locks/organization/twokeys/prod-001/77aa.json?no_tmp_dir=true: created by ci@build-7 (pid 12) \
at 2026-11-24T15:32:41+01:00
"""


def dead_process() -> int:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_the_owners_are_read_from_what_the_cli_says() -> None:
    first, second = owners(RECORDED)
    assert (first.user, first.host, first.pid) == ("root", "vm", 23607)
    assert str(second) == "process 12 of ci on build-7"
    assert first.at == second.at  # the same moment, in two zones


@pytest.mark.parametrize(
    ("host", "living", "hours", "lost", "proof"),
    [
        ("here", False, 0, None, "does not exist any more"),
        ("here", True, -1, None, "does not exist any more"),  # it began after the lock, and has only got the number
        ("elsewhere", False, 0, "elsewhere", "elsewhere is said to be lost"),
        ("here", True, 1, None, "that process is alive"),
        ("here", True, 1, "here", "that process is alive"),
        ("elsewhere", False, 0, None, "run this on elsewhere"),
        ("elsewhere", False, 0, "somewhere", "run this on elsewhere"),
    ],
)
def test_a_lock_is_taken_away_only_from_a_process_that_is_proved_to_be_dead(
    host: str, living: bool, hours: int, lost: str | None, proof: str
) -> None:
    taken = psutil.Process().create_time() + 3600 * hours
    owner = Owner("me", host, os.getpid() if living else dead_process(), taken)
    if proof in ("that process is alive", "run this on elsewhere"):
        with pytest.raises(Refusal, match=proof):
            prove_dead(owner, "here", lost)
    else:
        assert proof in prove_dead(owner, "here", lost)
