"""An account that is in another stack's state than its config."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import pytest

from tests.fleet.test_environment import split
from twokeys.errors import Refusal
from twokeys.fleet import backend
from twokeys.fleet.backend import Backend
from twokeys.fleet.moves import refuse_misplaced
from twokeys.project.environment import load


class Held:
    """A backend of which only is known which stack holds which account; it remembers who was asked for."""

    def __init__(self, *held: tuple[str, str]) -> None:
        self._held = held
        self.asked: list[str] = []

    def holders(self, stacks: Iterable[str]) -> list[tuple[str, str]]:
        chosen = list(stacks)
        self.asked += chosen
        return [(account, stack) for account, stack in self._held if stack in chosen]


def look(project: Path, held: Held, *stacks: str) -> None:
    refuse_misplaced(cast(Backend, cast(Any, held)), load(project, "prod"), stacks)


@pytest.fixture(autouse=True)
def _two_shards(project: Path) -> None:
    split(project)  # one and two in the first, three in the second


def test_where_every_account_is_in_its_stack_no_other_stack_is_asked(project: Path) -> None:
    held = Held(("one", "prod-001"), ("two", "prod-001"), ("three", "prod-002"))
    look(project, held, "prod-001")
    assert held.asked == ["prod-001"]


@pytest.mark.parametrize(
    "held",
    [
        [("one", "prod-001"), ("two", "prod-002"), ("three", "prod-002")],  # a move was killed before the states
        [("one", "prod"), ("two", "prod"), ("three", "prod")],  # the environment was one stack until it was split
        [("one", "prod-001"), ("two", "prod-001"), ("three", "prod-001"), ("three", "prod-002")],  # killed in between
    ],
)
def test_an_account_in_another_stack_is_refused_before_it_is_made_a_second_time(
    project: Path, held: list[tuple[str, str]]
) -> None:
    with pytest.raises(Refusal, match="is in the state of another stack"):
        look(project, Held(*held), "prod-001")


def test_accounts_of_a_shard_whose_file_is_gone_are_found_in_its_state(project: Path) -> None:
    (project / "shards/Pulumi.prod-002.yaml").unlink()
    split(project, capacity=100)
    with pytest.raises(Refusal, match="three is in the state of another stack"):
        look(project, Held(("one", "prod-001"), ("two", "prod-001"), ("three", "prod-002")), "prod-001")


# As `pulumi stack export` 3.260 writes resources: with positions in the program, and with secrets encrypted.
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:abc"}


def exported(stack: str, name: str, type: str, **more: object) -> dict[str, object]:
    urn = f"urn:pulumi:{stack}::twokeys::{type}::{name}"
    return {"urn": urn, "type": type, "custom": False, "sourcePosition": "project:///__main__.py#7,4", **more}


def state(stack: str) -> list[dict[str, object]]:
    return [
        exported(stack, "one", "twokeys:accounts:MemberAccount", inputs={"email": SECRET}),
        exported(stack, "two", "twokeys:accounts:MemberAccount"),
        exported(stack, "in", "twokeys:access:Door", inputs={"door": {"target": {"account": "account:one"}}}),
    ]


@pytest.fixture
def states(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[dict[str, object]]]:
    """Stands in for the backend: the resources of each stack."""
    held: dict[str, list[dict[str, object]]] = {"prod-001": state("prod-001"), "prod-002": []}
    monkeypatch.setattr(backend, "open_stack", lambda _name, _folder: None)
    monkeypatch.setattr(Backend, "_export", lambda _self, name: json.dumps({"deployment": {"resources": held[name]}}))
    return held


Calls = list[tuple[str, ...]]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """What the CLI was asked to do."""
    asked: Calls = []
    monkeypatch.setattr(Backend, "_state", lambda _self, *said, **_more: asked.append(said))
    return asked


def urns(stack: str) -> list[str]:
    return [str(state(stack)[index]["urn"]) for index in (0, 2)]


@pytest.mark.usefixtures("states")
def test_an_account_is_moved_with_its_doors_whatever_else_the_state_of_the_cli_holds(
    tmp_path: Path, calls: Calls
) -> None:
    assert Backend(tmp_path).move("one", "prod-001", "prod-002") == 2
    stacks = ("--source", "prod-001", "--dest", "prod-002", "--yes")
    assert calls == [("move", *stacks, *urns("prod-001"))]


def test_a_move_that_was_killed_after_it_had_written_the_destination_is_completed(
    tmp_path: Path, states: dict[str, list[dict[str, object]]], calls: Calls
) -> None:
    """`pulumi state move` saves the destination first, then the source (pkg/cmd/pulumi/state/state_move.go)."""
    states["prod-002"] = state("prod-002")
    assert Backend(tmp_path).move("one", "prod-001", "prod-002") == 2
    assert calls == [("delete", *reversed(urns("prod-001")), "--stack", "prod-001", "--yes", "--force")]


def test_another_account_of_that_name_in_the_destination_is_left_to_the_cli_to_refuse(
    tmp_path: Path, states: dict[str, list[dict[str, object]]], calls: Calls
) -> None:
    states["prod-002"] = [{**one, "id": "222222222222"} for one in state("prod-002")]
    Backend(tmp_path).move("one", "prod-001", "prod-002")
    assert [call[0] for call in calls] == ["move"]
