"""A worker and its engine's process: neither outlives the other, and what happens to the engine is a result."""

import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from twokeys.fleet import worker
from twokeys.fleet.task import Operation, State, Task

Script = Callable[[str], None]
TASK = Task(Operation.UP, "prod-001", ".")

# What every stand-in for the engine's process begins with: it reads its task, and knows how to answer.
PREAMBLE = """
import json, os, signal, subprocess, sys, time
def answer(**said):
    print(json.dumps(said), flush=True)
def done(**more):
    said = {"stack": "prod-001", "state": "done", "changes": {"create": 2}, "problems": [], "advice": []}
    answer(**{**said, **more})
def task():
    line = sys.stdin.readline()
    if not line:
        sys.exit(0)
    return json.loads(line)
"""


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Script:
    """Puts a script in the place of the engine's process."""

    def written(text: str) -> None:
        script = tmp_path / "host.py"
        script.write_text(PREAMBLE + textwrap.dedent(text))
        monkeypatch.setattr(worker, "HOST", (sys.executable, str(script)))

    return written


def gone(pid: int, seconds: float = 60) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


def test_a_process_that_dies_makes_its_shard_lost_and_says_how(host: Script) -> None:
    host("""
        task()
        print("out of memory, they say", file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """)
    result = worker.run_shard(TASK)
    assert result.state is State.LOST
    assert "killed by signal 9" in result.problems[0]
    assert "out of memory, they say" in result.problems[0]


# What the engine's process starts, as the pulumi CLI starts its plugins: `group` is one of its own.
LEFT = """
    task()
    code = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); print('on', flush=True); time.sleep(600)"
    left = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, process_group={group})
    left.stdout.readline()
    open({pid!r}, "w").write(str(left.pid))
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_dead_process_left_running_is_asked_to_end_and_then_ended(
    host: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "_END_SECONDS", 1.0)
    host(LEFT.format(group=None, pid=str(tmp_path / "pid")))
    began = time.monotonic()
    assert worker.run_shard(TASK).state is State.LOST
    assert gone(int((tmp_path / "pid").read_text()))
    assert time.monotonic() - began > 1.0  # it was given its time


def test_an_engine_that_is_to_stop_stops_in_order(host: Script) -> None:
    stop = threading.Event()
    stop.set()
    host("""
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            task()
            time.sleep(600)
        except KeyboardInterrupt:
            done(state="stopped")
    """)
    assert worker.run_shard(TASK, stop).state in (State.STOPPED, State.LOST)  # lost: before its handler was there
