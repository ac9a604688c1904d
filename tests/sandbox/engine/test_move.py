"""Moving resources between two states: what goes, what is copied, what is refused, and a kill in the middle."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

from tests.sandbox.engine.conftest import Bench
from twokeys.errors import Refusal
from twokeys.sandbox.engine.events import Op
from twokeys.sandbox.engine.move import Cut, Move, move_resources
from twokeys.sandbox.engine.resource import provider_urn
from twokeys.sandbox.engine.state import Snapshot, StateFile

# What is in which stack follows from the config, as in the real program.
PROGRAM = """
    shared = Provider("shared", account="1")
    for account in json.loads(pulumi.Config().require("accounts")):
        member = Group(account)
        made = Thing(account, name=account, opts=Opts(provider=shared, parent=member, protect=True))
        own = Provider(account, account=made.arn)
        Thing(f"{account}-in", name=f"{account}-in", opts=Opts(provider=own, depends_on=[member]))
    pulumi.export("accounts", pulumi.Config().require("accounts"))
"""
ONE = (
    "urn:pulumi:a::proj::test:index:Group::one",
    "urn:pulumi:a::proj::pulumi:providers:mem::one",
    "urn:pulumi:a::proj::mem:index:Thing::one-in",
)


class Stacks:
    """Stack `a` with the accounts one and two, and stack `b` with three."""

    def __init__(self, folder: Path) -> None:
        self.a, self.b = Bench(folder, stack="a"), Bench(folder, stack="b")
        self.b.world = self.a.world
        for bench, accounts in ((self.a, '["one", "two"]'), (self.b, '["three"]')):
            bench.config = {"proj:accounts": accounts}
            assert bench.up(PROGRAM).ok

    def move(self, *urns: str, preview: bool = False) -> Move:
        return move_resources(self.a.state, self.b.state, urns, project="proj", preview=preview)

    def edit_config(self) -> None:
        self.a.config = {"proj:accounts": '["two"]'}
        self.b.config = {"proj:accounts": '["three", "one"]'}

    def unchanged(self) -> bool:
        """Whether neither program has anything to do with its stack."""
        runs = [self.a.preview(PROGRAM), self.b.preview(PROGRAM)]
        return all(run.ok and set(run.counts) == {Op.SAME} for run in runs)

    def written(self) -> tuple[str, str]:
        return self.a.state.path.read_text(), self.b.state.path.read_text()


@pytest.fixture
def stacks(tmp_path: Path) -> Stacks:
    return Stacks(tmp_path)


def whole(state: Snapshot) -> bool:
    """Pulumi's integrity rule: whatever a resource refers to stands before it."""
    known = {""}
    for one in state.resources:
        wanted = {one.parent, provider_urn(one.provider), one.deleted_with, *one.dependencies, *one.replace_with}
        wanted |= {urn for urns in one.property_dependencies.values() for urn in urns}
        if not wanted <= known:
            return False
        known.add(one.urn)
    return True


def test_after_a_move_with_the_config_neither_stack_has_anything_to_do(stacks: Stacks) -> None:
    move = stacks.move(*ONE)
    assert set(move.moved) == {*ONE, "urn:pulumi:a::proj::test:index:Group$mem:index:Thing::one"}
    assert move.copied == ("urn:pulumi:a::proj::pulumi:providers:mem::shared",)
    assert move.cut == ()
    assert whole(stacks.a.state.load())
    assert whole(stacks.b.state.load())
    stacks.edit_config()
    assert stacks.unchanged()
    assert sorted(stacks.a.world.objects) == ["id-one", "id-one-in", "id-three", "id-three-in", "id-two", "id-two-in"]
    assert stacks.a.up(PROGRAM).ok
    assert stacks.b.up(PROGRAM).ok
    assert stacks.a.world.calls.count(("create", "one")) == 1
    assert not [call for call in stacks.a.world.calls if call[0] == "delete"]


def test_a_provider_that_is_not_named_stays_in_the_source_as_pulumi_leaves_it(stacks: Stacks) -> None:
    move = stacks.move(ONE[0], ONE[2])
    assert ONE[1] in move.copied
    stacks.edit_config()
    assert stacks.a.preview(PROGRAM).ops["one"] is Op.DELETE
    assert set(stacks.b.preview(PROGRAM).counts) == {Op.SAME}


def test_a_stack_that_was_never_updated_gets_a_root(stacks: Stacks, tmp_path: Path) -> None:
    new = StateFile(tmp_path / "stacks", "new")
    move_resources(stacks.a.state, new, ONE, project="proj")
    state = new.load()
    assert whole(state)
    assert state.resources[0].urn == "urn:pulumi:new::proj::pulumi:pulumi:Stack::proj-new"
    assert {one.parent for one in state.resources if one.urn.endswith("Group::one")} == {state.resources[0].urn}


def test_a_child_that_is_moved_without_its_parent_is_a_child_of_the_stack(stacks: Stacks) -> None:
    child = "urn:pulumi:a::proj::test:index:Group$mem:index:Thing::one"
    move = stacks.move(child)
    assert any(one.urn == "urn:pulumi:b::proj::mem:index:Thing::one" for one in move.destination.resources)
    provider, inside = ONE[1], ONE[2]
    assert Cut(provider, child, "dependencies") in move.cut
    assert Cut(provider, child, "propertyDependencies") in move.cut
    assert Cut(inside, child, "dependencies") in move.cut
    assert whole(move.source)
    assert whole(move.destination)


def test_a_preview_writes_nothing(stacks: Stacks) -> None:
    before = stacks.written()
    assert stacks.move(*ONE, preview=True).moved
    assert stacks.written() == before


def test_what_is_in_neither_stack_is_refused(stacks: Stacks) -> None:
    before = stacks.written()
    with pytest.raises(Refusal, match="cannot be moved") as refused:
        stacks.move(*ONE, "urn:pulumi:a::proj::mem:index:Thing::nowhere")
    assert "nowhere" in refused.value.why
    with pytest.raises(Refusal):
        stacks.move()
    assert stacks.written() == before


def test_what_has_another_object_of_that_name_in_the_destination_is_refused(stacks: Stacks) -> None:
    stacks.b.config = {"proj:accounts": '["three", "one"]'}
    stacks.b.world = replace(stacks.b.world, objects=dict(stacks.b.world.objects))
    for one in ("id-one", "id-one-in"):
        del stacks.b.world.objects[one]
    assert stacks.b.up(PROGRAM).ok
    state = stacks.b.state.load()
    other = tuple(replace(one, id="another") if one.id == "id-one" else one for one in state.resources)
    stacks.b.state.save(replace(state, resources=other))
    before = stacks.written()
    with pytest.raises(Refusal) as refused:
        stacks.move(*ONE)
    assert "is there already" in refused.value.why
    assert stacks.written() == before


def test_an_interrupted_create_is_finished_first(stacks: Stacks) -> None:
    state = stacks.a.state.load()
    stacks.a.state.save(replace(state, pending=(replace(state.resources[-1], id=""),)))
    with pytest.raises(Refusal) as refused:
        stacks.move(*ONE)
    assert "update or refresh" in refused.value.next_step


def test_a_stack_that_is_being_changed_is_left_alone(stacks: Stacks) -> None:
    before = stacks.written()
    for held in (stacks.a, stacks.b):
        with held.state.locked("twokeys sandbox up"), pytest.raises(Refusal) as refused:
            stacks.move(*ONE)
        assert "being changed by another run" in refused.value.what
    assert stacks.written() == before


@pytest.mark.parametrize("writes", range(4))
def test_a_move_that_was_killed_is_completed_by_the_same_call(stacks: Stacks, writes: int, tmp_path: Path) -> None:
    """The states are written four times: two backups, the destination, the source."""
    before = stacks.written()
    code = f"""
        import os
        from pathlib import Path
        from twokeys.sandbox.engine import state
        from twokeys.sandbox.engine.move import move_resources

        left, write = [{writes}], state._write
        def killed(path, text, refusal):
            if not path.name.endswith(".holder.json"):
                if not left[0]:
                    os.kill(os.getpid(), 9)
                left[0] -= 1
            write(path, text, refusal)
        state._write = killed
        folder = Path({str(tmp_path / "stacks")!r})
        move_resources(state.StateFile(folder, "a"), state.StateFile(folder, "b"), {ONE!r}, project="proj")
    """
    ended = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], env=dict(os.environ), check=False)
    assert ended.returncode == -9
    assert stacks.written()[0] == before[0], "nothing has left the source yet"
    assert (stacks.written()[1] != before[1]) == (writes == 3)
    stacks.move(*ONE)
    stacks.edit_config()
    assert stacks.unchanged()
    stacks.move(*ONE)
    assert stacks.unchanged(), "a completed move can be repeated"
