"""In random organizations the graph misses nobody who can enter a role, and opens nothing that is closed.

What is true is found in random_worlds.py, from AWS's pages, without the product.
"""

import os
from functools import cache

import pytest

from tests.access.random_worlds import Organization, State, make, reachable, truth
from twokeys.access.graph import Door, Graph, build
from twokeys.access.paths import paths_from
from twokeys.iam import Outcome

SEED = int(os.environ.get("WORLDS_SEED", "20261126"))
CI, LONG = 150, 5_000
STATES = {
    Outcome.ALLOW: State.OPEN,
    Outcome.CONDITIONAL: State.OPEN,
    Outcome.UNKNOWN: State.UNKNOWN,
    Outcome.DENY: State.CLOSED,
}


def found_by(graph: Graph, organization: Organization) -> dict[tuple[str, str], State]:
    arns = {who.arn for who in organization.people}
    doors: list[Door] = [*graph.doors, *graph.steps]
    return {
        (door.source.arn, door.target.arn): STATES[door.outcome]
        for door in doors
        if door.source.kind in ("role", "user") and {door.source.arn, door.target.arn} <= arns
    }


@cache
def made(seed: int) -> tuple[Organization, dict[tuple[str, str], State]]:
    """A world and what is true in it, which takes longer than the graph."""
    organization = make(seed)
    return organization, truth(organization)


def differences(seed: int) -> list[str]:
    """What the graph of a world says otherwise than is true, in words."""
    organization, right = made(seed)
    graph = build(organization.snapshot)
    found = found_by(graph, organization)
    wrong = [
        f"{seed}: {source} -> {target} is {state.value}, not {found.get((source, target), State.CLOSED).value}"
        for (source, target), state in right.items()
        if found.get((source, target), State.CLOSED) is not state
    ]
    ways = {(path.source.arn, path.target.arn) for path in paths_from(graph, lambda one: one.kind in ("role", "user"))}
    wrong += [f"{seed}: the way {start} -> {end}" for start, end in sorted(ways ^ reachable(organization, right))]
    federated = {door.target.arn for door in graph.doors if door.source.arn.endswith("heads/main") and door.open}
    assigned = {
        (door.source.arn, door.target.arn) for door in graph.doors if door.source.kind == "identity-center-group"
    }
    wrong += [f"{seed}: federated {one}" for one in sorted(organization.federated - federated)]
    return wrong + [f"{seed}: assigned {one}" for one in sorted(assigned ^ organization.assigned)]


def test_random_worlds_hold_every_answer() -> None:
    states = [state for seed in range(SEED, SEED + 40) for state in made(seed)[1].values()]
    assert all(states.count(state) > 20 for state in State)


def test_the_graph_misses_nobody_and_opens_nothing_that_is_closed() -> None:
    assert [one for seed in range(SEED, SEED + CI) for one in differences(seed)] == []


@pytest.mark.parametrize("seed", [5_000_519, 20_261_452])
def test_what_random_worlds_once_found_is_right(seed: int) -> None:
    """Conditions of trust policy and grant that exclude each other, beside a policy that nobody has shown.

    And a trust policy that denies who comes with MFA, under an RCP that denies who comes without.
    """
    assert differences(seed) == []


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_the_graph_misses_nobody_in_5_000_worlds() -> None:
    assert [one for seed in range(SEED, SEED + LONG) for one in differences(seed)] == []
