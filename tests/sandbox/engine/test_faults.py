"""What goes wrong, and that the state stays true: nothing is made twice, nothing is lost, and the refusal says why."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from pathlib import Path

import pytest

from tests.sandbox.engine.conftest import Bench
from twokeys.errors import Refusal
from twokeys.sandbox.engine.events import Event, Op, StepDone, StepStarted
from twokeys.sandbox.engine.plugin import ProviderError
from twokeys.sandbox.engine.state import StateFile

TWO = """
    p = Provider("p", account="1")
    a = Thing("a", name="a", opts=Opts(provider=p))
    b = Thing("b", name="b", opts=Opts(provider=p, depends_on=[a]))
"""


def names(bench: Bench) -> list[str]:
    return sorted(one["name"] for one in bench.world.objects.values())


def test_a_failed_create_keeps_what_was_done_and_the_next_update_goes_on(bench: Bench) -> None:
    def refuse(call: str, name: str) -> None:
        if (call, name) == ("create", "b"):
            raise ProviderError("no more things today")

    bench.world.fail = refuse
    failed = bench.up(TWO)
    assert not failed.ok
    assert failed.errors == "no more things today"
    assert [one.urn.rpartition("::")[2] for one in bench.state.load().resources if one.custom] == ["p", "a"]
    assert bench.state.load().pending == ()
    bench.world.fail = lambda *_: None
    assert bench.up().counts == {Op.SAME: 2, Op.CREATE: 1}


def test_a_create_whose_answer_was_lost_is_found_again_and_not_made_twice(bench: Bench) -> None:
    def lose(call: str, name: str) -> None:
        if (call, name) == ("created", "b"):
            raise ProviderError("the connection broke", uncertain=True)

    bench.world.fail = lose
    assert not bench.up(TWO).ok
    assert [one.urn.rpartition("::")[2] for one in bench.state.load().pending] == ["b"]
    assert names(bench) == ["a", "b"]
    bench.world.fail = lambda *_: None
    second = bench.up()
    assert second.ok
    assert "which an interrupted run had made" in second.messages
    assert bench.world.calls.count(("create", "b")) == 1
    assert names(bench) == ["a", "b"]
    assert bench.state.load().pending == ()


def test_what_a_lost_create_made_is_deleted_when_the_program_no_longer_wants_it(bench: Bench) -> None:
    def lose(call: str, name: str) -> None:
        if (call, name) == ("created", "b"):
            raise ProviderError("the connection broke", uncertain=True)

    bench.world.fail = lose
    bench.up(TWO)
    bench.world.fail = lambda *_: None
    assert bench.up('p = Provider("p", account="1")').ok
    assert names(bench) == []
    assert bench.state.load().pending == ()


def test_a_bug_in_a_provider_is_not_swallowed_and_leaves_the_create_pending(bench: Bench) -> None:
    def crash(call: str, name: str) -> None:
        if (call, name) == ("created", "a"):
            raise ZeroDivisionError("a bug")

    bench.world.fail = crash
    with pytest.raises(ZeroDivisionError, match="a bug"):
        bench.up(TWO)
    assert [one.urn.rpartition("::")[2] for one in bench.state.load().pending] == ["a"]


def test_a_damaged_state_is_refused_and_left_as_it_is(bench: Bench) -> None:
    bench.up(TWO)
    whole = bench.state.path.read_text()
    for damaged in (whole[:-30], "[]", '{"version": 2}', whole.replace('"custom"', '"costum"', 1), "\x00"):
        bench.state.path.write_text(damaged)
        with pytest.raises(Refusal) as refused:
            bench.up()
        assert str(bench.state.path) in refused.value.where
        assert bench.state.path.read_text() == damaged


def test_the_state_before_the_last_run_is_kept(bench: Bench) -> None:
    bench.up(TWO)
    before = json.loads(bench.state.path.read_text())
    bench.state.keep_backup()
    bench.up('p = Provider("p", account="1")')
    assert json.loads(bench.state.backup.read_text()) == before


def test_a_second_run_is_refused_and_told_who_runs(tmp_path: Path) -> None:
    with StateFile(tmp_path, "dev").locked("twokeys sandbox up dev"):
        with pytest.raises(Refusal) as refused, StateFile(tmp_path, "dev").locked("twokeys sandbox up dev"):
            raise AssertionError("two runs at once")
        assert f"process {os.getpid()}" in refused.value.why
        assert "`twokeys sandbox up dev`" in refused.value.why
        assert os.uname().nodename in refused.value.why
        with StateFile(tmp_path, "other").locked("twokeys sandbox up other"):
            pass
    with StateFile(tmp_path, "dev").locked("again"):
        pass


def test_a_lock_of_a_dead_process_does_not_block(tmp_path: Path) -> None:
    code = f"""
    import os, pathlib
    from twokeys.sandbox.engine.state import StateFile
    with StateFile(pathlib.Path({str(tmp_path)!r}), "dev").locked("killed"):
        os.kill(os.getpid(), 9)
    """
    killed = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert (tmp_path / "dev.holder.json").exists()
    with StateFile(tmp_path, "dev").locked("next"):
        holder = json.loads((tmp_path / "dev.holder.json").read_text())
        assert holder["command"] == "next"


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Refusal) as refused, StateFile(tmp_path / "file" / "stacks", "dev").locked("up"):
        raise AssertionError("locked in a file")
    assert "cannot be written" in refused.value.what


def test_a_read_only_folder_is_refused() -> None:
    root = os.geteuid() == 0  # root writes everywhere, so be somebody else for a moment
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o555)
        try:
            if root:
                os.seteuid(65534)
            with pytest.raises(Refusal) as refused, StateFile(folder, "dev").locked("up"):
                raise AssertionError("locked in a read-only folder")
        finally:
            if root:
                os.seteuid(0)
            folder.chmod(0o755)
        assert "Permission denied" in refused.value.why


def test_a_full_disk_stops_the_run_and_the_old_state_stays_valid(bench: Bench) -> None:
    bench.up(TWO)
    before = bench.state.path.read_text()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    def fill(event: Event) -> None:
        if isinstance(event, StepStarted) and event.step.op is Op.CREATE:
            resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))

    bench.on_event = fill
    try:
        with pytest.raises(Refusal) as refused:
            bench.up(TWO + '    Thing("c", name="c", opts=Opts(provider=p))\n')
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    assert "cannot be written" in refused.value.what
    state = bench.state.load()
    assert {one.urn.rpartition("::")[2] for one in state.resources} == {"proj-dev", "p", "a", "b"}
    assert names(bench) == ["a", "b"], "nothing is made that cannot be recorded"
    assert len(before) > 100
    bench.on_event = lambda _: None
    assert bench.up().ok
    assert not list(bench.state.path.parent.glob(".*")), "no half-written file stays behind"


@pytest.mark.parametrize("moment", ["start", "create", "delete"])
def test_ctrl_c_lets_the_running_step_end_and_leaves_a_valid_state(bench: Bench, moment: str) -> None:
    slow = TWO.replace('name="b"', 'name="b", sleep=0.5')
    if moment == "delete":
        bench.up(TWO)
        slow = 'p = Provider("p", account="1")'
    interrupted = threading.Event()

    def interrupt(event: Event) -> None:
        wanted = {"start": "proj-dev", "create": "b", "delete": "b"}[moment]
        if isinstance(event, StepStarted) and event.step.urn.endswith(f"::{wanted}") and not interrupted.is_set():
            interrupted.set()
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.2)

    bench.on_event = interrupt
    with pytest.raises(KeyboardInterrupt):
        bench.up(slow)
    state = bench.state.load()
    recorded = {one.urn.rpartition("::")[2] for one in state.resources if one.type == "mem:index:Thing"}
    assert recorded == set(names(bench)), "the state knows exactly what exists"
    assert state.pending == ()
    bench.on_event = lambda _: None
    assert bench.up(slow).ok


def test_parallel_operations_are_bounded(bench: Bench) -> None:
    bench.parallel = 3
    things = "\n".join(f'Thing("t{n}", sleep=0.1, opts=Opts(provider=p))' for n in range(12))
    assert bench.up('p = Provider("p", account="1")\n' + things).ok
    assert 1 < bench.world.most_running <= 3


def test_a_create_that_takes_longer_than_its_custom_timeout_fails_and_stays_pending(bench: Bench) -> None:
    run = bench.up("""
        p = Provider("p", account="1")
        Thing("a", name="a", sleep=2, opts=Opts(provider=p, custom_timeouts=pulumi.CustomTimeouts(create="200ms")))
    """)
    assert not run.ok
    assert "was not done after 0.2 s (custom timeout)" in run.errors
    assert len(bench.state.load().pending) == 1


def test_nothing_is_deleted_after_a_program_that_failed(bench: Bench) -> None:
    bench.up(TWO)
    for end in ("raise SystemExit(3)", "import os; os._exit(4)", 'pulumi.log.error("not well")'):
        run = bench.up(end)
        assert not run.ok, end
        assert names(bench) == ["a", "b"], end
    assert [type(event) for event in run.events if isinstance(event, StepDone)].count(StepDone) == 1
