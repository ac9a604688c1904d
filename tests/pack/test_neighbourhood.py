"""The gate reads what bears on a resource only, and says what it would say of the whole stack.

Random organizations and small stacks, registered in random orders, some upon a state before: each answer of the gate is
held against that of a gate which builds the graph of everything for each resource.
"""

import json
import random
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pulumi_aws
import pytest

from tests.access.random_worlds import make
from tests.access.test_keys import CORRECT, WRONG, world_of
from tests.access.world import CI, HUB, SERVICE, STAGE, TODAY, World, arn, document, trusts
from twokeys.access.findings import Finding
from twokeys.access.graph import Door, Graph, _Builder, build
from twokeys.access.model.principals import Principal
from twokeys.access.reading.snapshot import Resource, Snapshot
from twokeys.access.reading.type_names import GROUP, MANAGED_POLICY, ROLE, USER
from twokeys.access.reading.types import _OF_AWS, Reading, TypeOf, aws_type, type_of
from twokeys.access.rules import RULES
from twokeys.access.rules.wildcards import WILDCARD_TRUST
from twokeys.access.verdicts import judge
from twokeys.doors.who import ROLES_ANYWHERE
from twokeys.iam import UNKNOWN, Outcome, Verdict
from twokeys.iam.verdict import Why
from twokeys.pack.gate import Gate
from twokeys.pack.neighbourhood import Neighbourhood

_FIRST = ("pulumi:", "aws:organizations", "test:", "twokeys:")


def mandatory(graph: Graph) -> Iterable[Finding]:
    return (one.finding for one in judge(graph, RULES, {}, TODAY) if one.mandatory)


SMALL = (*CORRECT.values(), *(build for build, _ in WRONG.values()))
Findings = Callable[[Graph], Iterable[Finding]]


def answers(resources: Sequence[Resource], before: Snapshot | None, findings: Findings = mandatory) -> list[Finding]:
    """What a gate says of the resources, in this order."""
    gate = Gate(before, findings)
    by_urn = {one.urn: one for one in resources}
    said: list[Finding] = []
    for resource in resources:
        if provider := by_urn.get(resource.provider or ""):
            gate.show(provider)
        if resource.type.startswith("pulumi:") or not gate.concerns(resource):
            gate.show(resource)
        else:
            said += sorted(gate.judge(resource), key=str)
    return said


def same_as_of_the_whole(
    resources: Sequence[Resource],
    before: Snapshot | None,
    monkeypatch: pytest.MonkeyPatch,
    findings: Findings = mandatory,
) -> list[Finding]:
    """Holds both gates against each other; returns what they find."""
    near = answers(resources, before, findings)
    with monkeypatch.context() as patched:
        patched.setattr(Neighbourhood, "around", lambda *_: None)
        if findings is every_door:
            patched.setattr(Gate, "concerns", lambda *_: True)
        assert near == answers(resources, before, findings)
    return near


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
    assert all(same_as_of_the_whole(*random_case(seed), monkeypatch) for seed in range(5))


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_hundreds_of_random_organizations_are_answered_as_the_whole_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(1_000, 1_400):
        same_as_of_the_whole(*random_case(seed), monkeypatch)


def test_small_stacks_in_any_order_are_answered_as_the_whole_is(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(20261126)
    for world in map(world_of, SMALL):
        there = Snapshot(tuple(one for one in world.resources if chance.random() < 0.6))
        before = chance.choice([None, there])
        order = in_some_order(world.resources, chance, frame_first=chance.random() < 0.5)
        same_as_of_the_whole(order, before, monkeypatch)


def open_doors(graph: Graph) -> list[Door]:
    return [one for one in (*graph.doors, *graph.steps) if one.outcome is not Outcome.DENY]


def every_door(graph: Graph) -> Iterable[Finding]:
    rule = WILDCARD_TRUST.name  # whose findings nothing later makes untrue
    return (Finding("", "", one.target.urn, one.id, rule=rule) for one in open_doors(graph))


def doors_of(graph: Graph) -> set[str]:
    return {one.id for one in (*graph.doors, *graph.steps)}


CARRIED = document({**json.loads(SERVICE)["Statement"][0], "Principal": {"Service": ROLES_ANYWHERE}})
WORLDS = [
    *(world_of(one).snapshot for one in (*SMALL, lambda world: world.role("carried", world.stage, CARRIED))),
    make(9).snapshot,
]
"""Each source of doors is needed in one of them."""


def test_the_gate_sees_every_door_whatever_source_makes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for world in WORLDS:
        same_as_of_the_whole(world.resources, None, monkeypatch, every_door)
    sources = _Builder.SOURCES
    made = [doors_of(build(world)) for world in WORLDS]
    for source in sources:
        monkeypatch.setattr(_Builder, "SOURCES", [one for one in sources if one is not source])
        assert [doors_of(build(world)) for world in WORLDS] != made, f"no world here needs {source.__name__}"


def said(graph: Graph) -> set[object]:
    unread = {(one.resource.urn, one.why) for one in graph.not_read}
    return unread | {(one.urn, one.what, one.why) for one in graph.not_proved} | set(mandatory(graph))


SHOWS_ACCOUNTS = ("pulumi:providers:aws", "aws:organizations/organization:Organization")
"""They say which accounts and organizations there are, and let nobody in."""


def test_no_property_that_is_not_known_takes_a_door_away_in_silence() -> None:
    """Of whichever source: the unknown may be the one whom it lets in, or what lets somebody in."""
    for world in WORLDS:
        known = build(world)
        for resource in world.resources:
            for key in resource.inputs if resource.type not in SHOWS_ACCOUNTS else ():
                unknown = replace(resource, **{
                    of: {**values, key: UNKNOWN} if key in values else values
                    for of, values in (("inputs", resource.inputs), ("outputs", resource.outputs))
                })  # fmt: skip
                graph = build(Snapshot(tuple(unknown if one is resource else one for one in world.resources)))
                fewer = len(open_doors(graph)) < len(open_doors(known))
                assert not fewer or said(graph) - said(known), f"nothing is said of {resource.type}'s {key}, not known"


TOKENS = {
    token
    for service in ("accountaccess", "iam", "identitystore", "organizations", "ssoadmin")
    for file in (Path(pulumi_aws.__file__).parent / service).glob("*.py")
    for token in re.findall(r"'(aws:\w+/\w+:\w+)'", file.read_text())
}
NEW = ("aws:ssm/activation:Activation", "aws:iam/gift:Gift", "aws:ssoadmin/gift:Gift")
READ = [
    *sorted(one for one in TOKENS - {GROUP, MANAGED_POLICY, ROLE, USER} if type_of(one) == TypeOf(Reading.READ)),
    *NEW,
]
"""All that let somebody in but those that others name."""
OPEN = Verdict(Outcome.ALLOW, Why())


@pytest.mark.parametrize("token", READ)
def test_a_way_in_by_a_type_that_is_read_is_judged_before_it_is_made(
    token: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """A source of doors that nobody has told the gate of: everyone comes in as the role that the resource names."""
    monkeypatch.setitem(_OF_AWS, str(aws_type(token)), TypeOf(Reading.READ))
    type_of.cache_clear()
    request.addfinalizer(type_of.cache_clear)
    world = World()
    world.role("worker", world.stage)
    world.role("judged-first", world.stage, document(trusts(CI)))
    world.change(world.add("Command", "way", world.stage, role="worker"), type=token)

    def join(builder: Any) -> None:
        everyone = Principal("*", "everyone", "", "*")
        for resource in builder._graph.snapshot.of_type(token):
            for role in builder._roles.values():
                if role.name == resource.text("role"):
                    builder._join([Door(everyone, role, OPEN, OPEN)])

    monkeypatch.setattr(_Builder, "SOURCES", (*_Builder.SOURCES, join))
    assert len(answers(world.resources, None, every_door)) == 1


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
