"""The gate reads what bears on a resource only, and says what it would say of the whole stack.

Random organizations and small stacks, registered in random orders, some upon a state before: each answer of the gate is
held against that of a gate which builds the graph of everything for each resource.
"""

import json
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import pytest

from tests.access.random_worlds import make
from tests.access.test_keys import CORRECT, WRONG, world_of
from tests.access.world import HUB, STAGE, TODAY, World, arn, document, trusts
from twokeys.access.accounts import ROLE
from twokeys.access.findings import Finding
from twokeys.access.graph import Graph
from twokeys.access.report import judge
from twokeys.access.rules import RULES
from twokeys.access.snapshot import Resource, Snapshot
from twokeys.pack.gate import Gate
from twokeys.pack.neighbourhood import Neighbourhood
from twokeys.pack.relevance import may_let_in

_FIRST = ("pulumi:", "aws:organizations", "test:", "twokeys:")


def mandatory(graph: Graph) -> Iterable[Finding]:
    return (one.finding for one in judge(graph, RULES, {}, TODAY) if one.mandatory)


def answers(resources: Sequence[Resource], before: Snapshot | None) -> list[list[Finding]]:
    """What a gate says of each resource, in this order."""
    gate = Gate(before, mandatory)
    by_urn = {one.urn: one for one in resources}
    said = []
    for resource in resources:
        if provider := by_urn.get(resource.provider or ""):
            gate.show(provider)
        if resource.type.startswith("pulumi:") or not may_let_in(resource):
            gate.show(resource)
        else:
            said.append(sorted(gate.judge(resource), key=str))
    return said


def same_as_of_the_whole(
    resources: Sequence[Resource], before: Snapshot | None, monkeypatch: pytest.MonkeyPatch
) -> tuple[int, int]:
    """Holds both gates against each other; returns how many were judged, and how many refused."""
    near = answers(resources, before)
    with monkeypatch.context() as patched:
        patched.setattr(Neighbourhood, "around", lambda *_: None)
        assert near == answers(resources, before)
    return len(near), len(list(filter(None, near)))


def in_some_order(resources: Iterable[Resource], chance: random.Random, *, frame_first: bool) -> list[Resource]:
    shuffled = list(resources)
    chance.shuffle(shuffled)
    return sorted(shuffled, key=lambda one: frame_first and not one.type.startswith(_FIRST))


def as_native(resource: Resource) -> Resource:
    """The same role as the package aws-native makes it; whatever else it is stays."""
    if resource.type != ROLE or resource.text("assumeRolePolicy") is None:
        return resource
    keys = {"name": "roleName", "path": "path", "permissionsBoundary": "permissionsBoundary"}
    given = {native: resource.get(key) for key, native in keys.items() if resource.get(key) is not None}
    trust = json.loads(resource.text("assumeRolePolicy") or "")
    inputs = {**given, "assumeRolePolicyDocument": trust}
    return replace(resource, type="aws-native:iam:Role", inputs=inputs, outputs={**inputs, "arn": resource.get("arn")})


def random_case(seed: int) -> tuple[list[Resource], Snapshot | None]:
    chance = random.Random(seed)
    world = [as_native(one) if chance.random() < 0.1 else one for one in make(seed).snapshot.resources]
    resources = in_some_order(world, chance, frame_first=chance.random() < 0.7)
    if chance.random() < 0.5:  # as an update shows them
        resources = [one if one.type.startswith(_FIRST) else replace(one, outputs={}) for one in resources]
    there = [one for one in world if chance.random() < 0.8]
    return resources, Snapshot(tuple(there)) if chance.random() < 0.4 else None


def test_random_organizations_are_answered_as_the_whole_is(monkeypatch: pytest.MonkeyPatch) -> None:
    judged, refused = zip(*(same_as_of_the_whole(*random_case(seed), monkeypatch) for seed in range(5)), strict=True)
    assert sum(judged) > sum(refused) > 0


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_hundreds_of_random_organizations_are_answered_as_the_whole_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(1_000, 1_400):
        same_as_of_the_whole(*random_case(seed), monkeypatch)


def test_small_stacks_in_any_order_are_answered_as_the_whole_is(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(20261126)
    for build in (*CORRECT.values(), *(build for build, _ in WRONG.values())):
        world = world_of(build)
        there = Snapshot(tuple(one for one in world.resources if chance.random() < 0.6))
        before = chance.choice([None, there])
        order = in_some_order(world.resources, chance, frame_first=chance.random() < 0.5)
        same_as_of_the_whole(order, before, monkeypatch)


def pairs(world: World, number: int) -> None:
    target = arn(STAGE, f"role/t{number}")
    world.role(f"s{number}", world.hub)
    world.grant(f"s{number}", world.hub, target)
    trust = arn(HUB, "root" if number % 2 else f"role/s{number}")
    world.role(f"t{number}", world.stage, document(trusts(trust)))


def into_an_account_each(world: World, number: int) -> None:
    account = f"4{number:011}"
    provider = world.provider(f"in-{number}", account)
    world.role(f"s{number}", world.hub)
    world.grant(f"s{number}", world.hub, arn(account, "role/target"))
    trust = document(trusts(arn(HUB, f"role/s{number}")))
    world.add("Role", f"t{number}", provider, name="target", assumeRolePolicy=trust)


@pytest.mark.parametrize("add", [pairs, into_an_account_each], ids=lambda add: add.__name__)
def test_the_hundredth_door_reads_no_more_than_the_tenth(
    add: Callable[[World, int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World()
    for number in range(100):
        add(world, number)
    read: list[int] = []
    around = Neighbourhood.around

    def counted(*given: object) -> object:
        found = around(*given)  # type: ignore[arg-type]
        if found is not None:
            read.append(len(found[1].resources))
        return found

    monkeypatch.setattr(Neighbourhood, "around", counted)
    assert not any(answers(world.resources, None))
    assert len(read) > 190
    assert max(read[-20:]) <= max(read[20:40])
