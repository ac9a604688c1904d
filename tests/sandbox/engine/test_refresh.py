"""A refresh beyond what `test_like_pulumi` compares: previews, creates that a killed run left behind, interruptions."""

from __future__ import annotations

import os
import signal
from dataclasses import replace

import pytest

from tests.sandbox.engine.conftest import Bench
from twokeys.errors import Refusal
from twokeys.sandbox.engine.events import Diagnostic, Event, Op, StepDone, StepStarted
from twokeys.sandbox.engine.plugin import ProviderError
from twokeys.sandbox.engine.state import Snapshot

TWO = """
    p = Provider("p", account="1")
    a = Thing("a", name="a", size=1, opts=Opts(provider=p))
    b = Thing("b", name="b", size=1, opts=Opts(provider=p, depends_on=[a], ignore_changes=["size"]))
"""


def names(bench: Bench) -> list[str]:
    return [one.urn.rpartition("::")[2] for one in bench.state.load().resources if one.type == "mem:index:Thing"]


def left_pending(bench: Bench, name: str) -> None:
    """Update with a create whose answer is lost."""

    def lose(call: str, of: str) -> None:
        if (call, of) == ("created", name):
            raise ProviderError("the connection broke", uncertain=True)

    bench.world.fail = lose
    assert not bench.up(TWO).ok
    bench.world.fail = lambda *_: None


def test_a_preview_says_what_would_change_and_writes_nothing(bench: Bench) -> None:
    bench.up(TWO)
    before = bench.state.path.read_text()
    bench.world.objects["id-a"]["size"] = 2
    del bench.world.objects["id-b"]
    run = bench.refresh(preview=True)
    assert run.ok
    assert run.ops == {"p": Op.SAME, "a": Op.UPDATE, "b": Op.DELETE}
    assert bench.state.path.read_text() == before


def test_an_ignored_change_is_told_though_it_is_no_update(bench: Bench) -> None:
    bench.up(TWO)
    bench.world.objects["id-b"]["size"] = 2
    run = bench.refresh()
    assert run.ops["b"] is Op.SAME
    assert "taken over size" in run.messages
    assert bench.up(TWO).counts == {Op.SAME: 3}


def test_the_update_after_a_refresh_makes_again_what_was_gone(bench: Bench) -> None:
    bench.up(TWO)
    del bench.world.objects["id-a"]
    assert bench.refresh().ops["a"] is Op.DELETE
    assert bench.up(TWO).ops == {"p": Op.SAME, "a": Op.CREATE, "b": Op.SAME}


def test_what_a_lost_create_made_is_taken_into_the_state(bench: Bench) -> None:
    left_pending(bench, "b")
    assert bench.refresh(preview=True).ok
    assert names(bench) == ["a"], "a preview resolves nothing"
    assert bench.refresh().ops["b"] is Op.IMPORT
    assert names(bench) == ["a", "b"]
    assert bench.state.load().pending == ()
    assert bench.up(TWO).counts == {Op.SAME: 3}
    assert bench.world.calls.count(("create", "b")) == 1


def test_a_create_that_never_happened_is_forgotten(bench: Bench) -> None:
    left_pending(bench, "b")
    del bench.world.objects["id-b"]
    run = bench.refresh()
    assert run.ok
    assert "had begun to create it and did not" in run.messages
    assert bench.state.load().pending == ()


def test_a_create_stays_pending_when_nobody_can_say_what_became_of_it(bench: Bench) -> None:
    left_pending(bench, "b")
    bench.world.refused.append("1")
    run = bench.refresh()
    assert not run.ok
    assert [one.urn.rpartition("::")[2] for one in bench.state.load().pending] == ["b"]
    assert names(bench) == ["a"]


def test_an_interrupted_replacement_is_left_to_the_next_update(bench: Bench) -> None:
    bench.up(TWO)
    state = bench.state.load()
    bench.state.save(Snapshot(state.resources, (replace(state.resources[-1], id=""),)))
    run = bench.refresh()
    assert run.ok
    assert "the next update goes on with it" in run.messages
    assert len(bench.state.load().pending) == 1


def test_one_account_that_cannot_be_entered_does_not_keep_the_others_from_being_read(bench: Bench) -> None:
    bench.up(TWO + '    Thing("c", name="c", size=1, opts=Opts(provider=Provider("q", account="2")))\n')
    for one in bench.world.objects.values():
        one["size"] = 9
    bench.world.refused.append("2")
    run = bench.refresh()
    assert not run.ok
    refused = [one for one in run.events if isinstance(one, Diagnostic) and one.message == "the account refused us"]
    assert [one.urn.rpartition("::")[2] for one in refused] == ["c"]
    sizes = {one.id: one.inputs["size"] for one in bench.state.load().resources if "size" in one.inputs}
    assert sizes == {"id-a": 9, "id-b": 9, "id-c": 1}


def test_what_was_read_before_an_interruption_is_in_the_state(bench: Bench) -> None:
    bench.up(TWO)
    bench.parallel = 1
    for one in bench.world.objects.values():
        one["size"] = 9

    def interrupt(event: Event) -> None:
        if isinstance(event, StepDone) and event.step.urn.endswith("::a"):
            os.kill(os.getpid(), signal.SIGINT)

    bench.on_event = interrupt
    with pytest.raises(KeyboardInterrupt):
        bench.refresh()
    sizes = {one.id: one.inputs["size"] for one in bench.state.load().resources if "size" in one.inputs}
    assert sizes["id-a"] == 9


def test_a_state_that_cannot_be_written_stops_the_refresh(bench: Bench) -> None:
    bench.up(TWO)
    bench.parallel = 1
    bench.world.objects["id-a"]["size"] = 2
    folder = bench.state.path.parent

    def vanish(event: Event) -> None:
        if isinstance(event, StepStarted) and folder.is_dir():
            folder.rename(folder.with_name("moved"))
            folder.write_text("in the way")

    bench.on_event = vanish
    with pytest.raises(Refusal) as refused:
        bench.refresh()
    assert "cannot be written" in refused.value.what
