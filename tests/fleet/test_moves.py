"""An account that is in another stack's state than its config."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import pytest

from tests.fleet.test_environment import split
from twokeys.errors import Refusal
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


def test_an_account_that_no_stack_has_is_a_new_one(project: Path) -> None:
    held = Held(("one", "prod-001"))
    look(project, held, "prod-001")
    assert held.asked == ["prod-001", "prod-002", "prod-003", "prod"]


def test_accounts_of_a_shard_whose_file_is_gone_are_found_in_its_state(project: Path) -> None:
    (project / "shards/Pulumi.prod-002.yaml").unlink()
    split(project, capacity=100)
    with pytest.raises(Refusal, match="three is in the state of another stack"):
        look(project, Held(("one", "prod-001"), ("two", "prod-001"), ("three", "prod-002")), "prod-001")
