"""`kill -9` of the process that runs an update: the program and the policy packs, its children, end by themselves."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from twokeys.sandbox.engine.supervised import supervised

ROOT = Path(__file__).parents[3]
# Says a line for each event, so that it can be killed at each of them; the program would go on for minutes.
UPDATE = """
    import sys
    from pathlib import Path
    from tests.sandbox.engine.conftest import Bench
    from twokeys.sandbox.engine.policy_host import PackChoice

    bench = Bench(Path(sys.argv[1]))
    bench.packs = (PackChoice(Path(sys.argv[2])),)
    bench.on_event = lambda event: print(type(event).__name__, flush=True)
    print("begun", flush=True)
    bench.up('''
        import asyncio
        p = Provider("p", account="1")
        for name in "abcd":
            Thing(name, size=1, opts=Opts(provider=p))
        pulumi.export("late", pulumi.Output.from_input(asyncio.sleep(300)))
    ''')
"""


def eventually(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def marked(mark: str) -> list[psutil.Process]:
    """The processes that were started by a run with that mark."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("TEST_MARK") == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


@pytest.mark.parametrize("moment", range(1, 11))
def test_nothing_is_left_running_after_the_run_was_killed(tmp_path: Path, moment: int) -> None:
    mark = str(tmp_path)
    run = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(UPDATE), str(tmp_path), str(Path(__file__).parent / "recorder")],
        cwd=ROOT,
        env={**os.environ, "TEST_MARK": mark, "RECORD_FILE": str(tmp_path / "record")},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert run.stdout is not None
    for _ in range(moment):
        assert run.stdout.readline()
    run.kill()
    run.wait()
    run.stdout.close()
    try:
        assert eventually(lambda: not marked(mark), 5), [one.cmdline() for one in marked(mark)]
    finally:
        for process in marked(mark):
            process.kill()


def test_a_process_whose_parent_was_killed_while_it_started_ends_too(tmp_path: Path) -> None:
    """The shell ends at once, so what it started never sees the parent that its command line names."""
    (tmp_path / "waits.py").write_text("import time; time.sleep(300)")
    mark = str(tmp_path)
    subprocess.run(
        ["sh", "-c", '"$@" & :', "sh", *supervised("waits")],
        env={**os.environ, "TEST_MARK": mark, "PYTHONPATH": f"{tmp_path}:{ROOT}"},
        check=True,
    )
    try:
        assert eventually(lambda: not marked(mark), 5)
    finally:
        for process in marked(mark):
            process.kill()
