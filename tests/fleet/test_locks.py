"""Locks that a dead run left behind. What the CLI says of them is recorded from the real one, 3.260."""

import os
import subprocess
import sys
import time

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


def test_another_message_names_no_owner() -> None:
    assert owners("error: a stack named prod-001 already exists") == ()


def test_a_process_of_this_machine_that_does_not_exist_is_dead() -> None:
    owner = Owner("me", "here", dead_process(), time.time())
    assert "does not exist any more" in prove_dead(owner, "here", None)


def test_a_process_that_lives_keeps_its_lock() -> None:
    owner = Owner("me", "here", os.getpid(), time.time())
    with pytest.raises(Refusal, match="that process is alive"):
        prove_dead(owner, "here", None)


def test_a_process_that_began_after_the_lock_has_only_got_its_number() -> None:
    taken = psutil.Process().create_time() - 3600
    assert "does not exist any more" in prove_dead(Owner("me", "here", os.getpid(), taken), "here", None)


def test_of_another_machine_nothing_is_proved_from_here() -> None:
    owner = Owner("me", "elsewhere", dead_process(), time.time())
    with pytest.raises(Refusal, match="run this on elsewhere"):
        prove_dead(owner, "here", None)


def test_a_machine_that_somebody_says_is_lost_is_lost_and_no_other() -> None:
    owner = Owner("me", "elsewhere", 1, time.time())
    assert prove_dead(owner, "here", "elsewhere") == "elsewhere is said to be lost"
    with pytest.raises(Refusal):
        prove_dead(owner, "here", "somewhere")


def test_that_this_machine_is_lost_does_not_kill_a_living_process() -> None:
    with pytest.raises(Refusal):
        prove_dead(Owner("me", "here", os.getpid(), time.time()), "here", "here")
