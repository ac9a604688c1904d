"""What the local AWS keeps on disk: everything, at the cost of what changed, and never over what it cannot read."""

from __future__ import annotations

import copy
import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ministack.core import persistence
from ministack.core.responses import AccountRegionScopedDict, AccountScopedDict, request_scope

from twokeys.sandbox.local_server.kept import DamagedError, Kept, NotKeptError
from twokeys.sandbox.local_server.tracking import Tracked, TrackedConstants, TrackedStore, track

KEYS = st.one_of(
    st.text(max_size=4), st.integers(), st.tuples(st.text(max_size=2), st.integers()), st.sampled_from("ab")
)
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(), st.binary(max_size=4), st.lists(st.text(), max_size=3)
)
OBJECTS = st.recursive(LEAVES, lambda inner: st.dictionaries(KEYS, inner, max_size=4), max_leaves=12)
EACH_EXAMPLE_HAS_ITS_OWN_FOLDER = [HealthCheck.function_scoped_fixture]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[..., Kept]]:
    """Opens a folder's file after closing what was open before."""
    last: list[Kept] = []

    def reopen(directory: Path = tmp_path / "state") -> Kept:
        while last:
            last.pop().close()
        last.append(Kept(directory))
        return last[0]

    yield reopen
    while last:
        last.pop().close()


@st.composite
def stores(draw: st.DrawFn) -> Any:
    if draw(st.booleans()):
        return AccountScopedDict.from_dict(draw(st.dictionaries(st.tuples(st.sampled_from("12"), KEYS), OBJECTS)))
    keys = st.tuples(st.sampled_from("12"), st.just("us-east-1"), KEYS)
    return AccountRegionScopedDict.from_dict(draw(st.dictionaries(keys, OBJECTS)))


STATES = st.dictionaries(
    st.sampled_from(["iam", "s3", "organizations"]),
    st.dictionaries(st.sampled_from(["roles", "users", "tags"]), st.one_of(OBJECTS, stores()), max_size=3),
    max_size=3,
)


def plain(state: Any) -> Any:
    """A state as something that compares by value, with the kinds of its stores and the order of its entries."""
    if isinstance(state, AccountScopedDict | AccountRegionScopedDict):
        kind = AccountScopedDict if isinstance(state, AccountScopedDict) else AccountRegionScopedDict
        return kind.__name__, [(key, plain(value)) for key, value in dict(state._data).items()]
    if isinstance(state, dict):
        return "dict", [(key, plain(value)) for key, value in state.items()]
    return state


@settings(max_examples=60, suppress_health_check=EACH_EXAMPLE_HAS_ITS_OWN_FOLDER, deadline=None)
@given(state=st.dictionaries(st.sampled_from(["roles", "users", "tags"]), st.one_of(OBJECTS, stores()), max_size=3))
def test_what_was_kept_is_read_as_it_was(
    state: dict[str, Any], opened: Callable[..., Kept], tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory = tmp_path_factory.mktemp("kept")
    opened(directory).keep({"iam": state})
    assert plain(opened(directory).state("iam")) == plain(state)


@settings(max_examples=60, suppress_health_check=EACH_EXAMPLE_HAS_ITS_OWN_FOLDER, deadline=None)
@given(steps=st.lists(STATES, min_size=2, max_size=4))
def test_each_change_leads_to_the_state_of_now_whatever_was_there_before(
    steps: list[dict[str, Any]], opened: Callable[..., Kept], tmp_path_factory: pytest.TempPathFactory
) -> None:
    def unordered(state: Any) -> Any:
        kind, entries = plain(state) if isinstance(plain(state), tuple) else ("", None)
        return plain(state) if entries is None else (kind, {repr(key): unordered(value) for key, value in inner(state)})

    def inner(state: Any) -> Any:
        return (state if isinstance(state, dict) else dict(state._data)).items()

    directory = tmp_path_factory.mktemp("kept")
    kept = opened(directory)
    now: dict[str, Any] = {}
    for states in steps:
        kept.keep(copy.deepcopy(states))
        now |= states
    kept = opened(directory)
    for service, state in now.items():
        found = kept.state(service)
        assert found is not None
        assert unordered(found) == unordered(state)


def _set(store: Any, key: str) -> None:
    store[key] = {"Name": key, "Inline": {}, "Tags": []}


def _change_one(store: Any, key: str) -> None:
    if (found := store.get(key)) is not None:
        found["Inline"][key] = "a document"


def _change_all(store: Any, key: str) -> None:
    for one in store.values():
        one["Tags"].append(key)
    for _, one in store.items():
        one["Inline"].pop(key, None)


def _remove(store: Any, key: str) -> None:
    store.pop(key, None)


def _default(store: Any, key: str) -> None:
    store.setdefault(key, {"Inline": {}, "Tags": []})["Inline"]["default"] = key


def _delete(store: Any, key: str) -> None:
    if key in store:
        del store[key]


def _merge(store: Any, key: str) -> None:
    store.update({key: {"Inline": {key: key}, "Tags": [key]}})


def _clear(store: Any, _: str) -> None:
    store.clear()


CHANGES = st.sampled_from([_set, _set, _change_one, _change_all, _remove, _default, _delete, _merge, _clear])


@settings(max_examples=60, suppress_health_check=EACH_EXAMPLE_HAS_ITS_OWN_FOLDER, deadline=None)
@given(changes=st.lists(st.tuples(CHANGES, st.sampled_from("12"), st.sampled_from("abc"), st.booleans()), max_size=25))
def test_a_tracked_store_is_kept_as_ministacks_own_would_be(
    changes: list[tuple[Any, str, str, bool]], opened: Callable[..., Kept], tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory = tmp_path_factory.mktemp("kept")
    ours, theirs = AccountScopedDict(), AccountScopedDict()
    track(ours)
    kept = opened(directory)
    for change, account, key, keep in changes:
        with request_scope(account, "us-east-1"):
            for store in (ours, theirs):
                change(store, key)
            assert (ours.keys(), ours.values(), ours.items()) == (theirs.keys(), theirs.values(), theirs.items())
            assert (list(ours), len(ours), bool(ours)) == (list(theirs), len(theirs), bool(theirs))
        if keep:
            kept.keep({"iam": {"roles": ours}})
    kept.keep({"iam": {"roles": ours}})
    found = opened(directory).state("iam")
    assert found is not None
    assert found["roles"].to_dict() == theirs.to_dict()


def test_a_change_costs_its_own_rows_whatever_is_there_already(opened: Callable[..., Kept]) -> None:
    """The management account holds a grant per door in one group: a new one must not rewrite those of the others."""
    policies = AccountScopedDict()
    track(policies)
    kept = opened()
    with request_scope("111111111111", "us-east-1"):
        policies["people"] = {f"to-{number}": "x" * 500 for number in range(2000)}
        kept.keep({"iam": {"group_inline_policies": policies}})
        before = kept._database.total_changes
        policies["people"]["to-2000"] = "one more"
        kept.keep({"iam": {"group_inline_policies": policies}})
        assert kept._database.total_changes == before + 1
        kept.keep({"iam": {"group_inline_policies": policies}})
        assert kept._database.total_changes == before + 1
        del policies["people"]["to-7"]
        kept.keep({"iam": {"group_inline_policies": policies}})
        assert kept._database.total_changes == before + 2


def test_what_nobody_touched_is_not_looked_at(opened: Callable[..., Kept]) -> None:
    store = AccountScopedDict()
    track(store)
    with request_scope("111111111111", "us-east-1"):
        store["seen"], store["unseen"] = {"a": 1}, {"a": 1}
        opened().keep({"iam": {"roles": store}})
        assert store["seen"]
        assert store._data.take() == {("111111111111", "seen")}
    assert isinstance(store, TrackedStore)


def test_what_never_changes_is_looked_at_once() -> None:
    sessions, others = TrackedConstants({}), Tracked({})
    for store in (sessions, others):
        store["key"] = {"Arn": "arn"}
        assert store.take() == {"key"}
        assert list(store.values()) == [store["key"]]
        assert store.get("none") is None
    assert sessions.take() == set()
    assert others.take() == {"key"}
    assert sessions.popitem() == ("key", {"Arn": "arn"})
    assert sessions.take() == {"key"}


def test_what_was_not_committed_is_rolled_back_and_what_was_is_there(tmp_path: Path) -> None:
    """A process that is killed closes nothing: another one then finds the files as they are at that moment."""
    kept = Kept(tmp_path / "state")
    kept.keep({"iam": {"users": {"kept": 1}}})
    kept._database.execute("BEGIN IMMEDIATE")
    kept._database.execute("DELETE FROM kept")
    (tmp_path / "copy").mkdir()
    for file in (tmp_path / "state").iterdir():
        (tmp_path / "copy" / file.name).write_bytes(file.read_bytes())
    kept._database.execute("ROLLBACK")
    kept.close()
    again = Kept(tmp_path / "copy")
    assert again.state("iam") == {"users": {"kept": 1}}
    again.close()


def test_what_json_cannot_hold_is_not_kept(opened: Callable[..., Kept]) -> None:
    with pytest.raises(NotKeptError, match="not JSON serializable"):
        opened().keep({"iam": {"users": {"one": object()}}})


def test_a_file_that_is_another_by_now_is_not_written(opened: Callable[..., Kept], tmp_path: Path) -> None:
    kept = opened()
    file = tmp_path / "state" / "kept.sqlite"
    file.rename(tmp_path / "aside")
    file.write_bytes(b"")
    with pytest.raises(NotKeptError, match="another file"):
        kept.keep({"iam": {"users": {"one": 1}}})


def test_two_never_keep_in_one_file(opened: Callable[..., Kept], tmp_path: Path) -> None:
    opened().keep({"iam": {"users": {"one": 1}}})
    with pytest.raises(DamagedError, match="in use by another process"):
        Kept(tmp_path / "state")


def test_a_state_of_a_later_ministack_is_refused_and_left(
    opened: Callable[..., Kept], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(persistence, "STATE_FORMAT_VERSION", 99)
    opened().keep({"iam": {"users": {"one": 1}}})
    monkeypatch.undo()
    with pytest.raises(DamagedError, match=r"state of iam has format 99, which a later ministack wrote"):
        opened()
    monkeypatch.setattr(persistence, "STATE_FORMAT_VERSION", 99)
    assert opened().state("iam") == {"users": {"one": 1}}


def test_a_file_of_a_later_format_of_ours_is_refused(opened: Callable[..., Kept], tmp_path: Path) -> None:
    opened().close()
    with sqlite3.connect(tmp_path / "state" / "kept.sqlite") as database:
        database.execute("PRAGMA user_version = 2")
    database.close()
    with pytest.raises(DamagedError, match="its format is 2, and this version reads 1"):
        opened()


def before(directory: Path, service: str, state: dict[str, Any]) -> Path:
    """Write a state in the form that ministack itself gives it: `ministack.core.persistence.save_state`."""
    directory.mkdir(exist_ok=True)
    wrapped = {"__ministack_format__": persistence._state_format_version(service), "payload": state}
    path = directory / f"{service}.json"
    path.write_text(json.dumps(wrapped, default=persistence._json_default))
    return path


@settings(max_examples=25, suppress_health_check=EACH_EXAMPLE_HAS_ITS_OWN_FOLDER, deadline=None)
@given(entries=st.dictionaries(st.tuples(st.sampled_from("12"), KEYS), st.dictionaries(st.text(), LEAVES)))
def test_states_of_the_form_of_before_are_carried_over_once(
    entries: dict[Any, Any], opened: Callable[..., Kept], tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory = tmp_path_factory.mktemp("kept")
    store = AccountScopedDict.from_dict(entries)
    path = before(directory, "iam", {"roles": store})
    text = path.read_text()
    carried = opened(directory)
    assert plain(carried.state("iam")) == plain({"roles": store})
    assert (directory / "carried-over" / "iam.json").read_text() == text
    assert not path.exists()
    carried.keep({"iam": {"roles": AccountScopedDict()}})
    path.write_text(text)  # as if the first start had been killed before it moved the file aside
    assert plain(opened(directory).state("iam")) == plain({"roles": AccountScopedDict()})


@pytest.mark.parametrize("damage", ['{"__ministack_format__": 2, "payl', "[]", '{"payload": {}}'])
def test_a_damaged_state_of_before_is_refused_and_nothing_is_made(
    damage: str, tmp_path: Path, opened: Callable[..., Kept]
) -> None:
    path = before(tmp_path, "iam", {})
    path.write_text(damage)
    before(tmp_path, "organizations", {})
    with pytest.raises(DamagedError, match=r"kept state .*iam.json is damaged"):
        opened(tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["iam.json", "organizations.json"]
    assert path.read_text() == damage
