"""Roles that the program only reads (`Role.get`): the engine shows a policy nothing of them.

Measured on the engine, preview and update: neither the resource phase nor the stack phase has a resource that is read.
A property made from it depends on its URN all the same. What is read is known in preview if its id and provider are.
"""

from dataclasses import replace

from tests.access.world import CI, DEPLOYER, HUB, World, arn, document, trusts
from twokeys.access.snapshot import Resource
from twokeys.iam import UNKNOWN


def made_from_read(world: World, resource: Resource, key: str) -> None:
    world.change(resource, made_from_hidden=frozenset({key}))


def test_a_role_that_is_only_read_takes_a_grant_of_this_program() -> None:
    world = World()
    made_from_read(world, world.grant("ci", world.hub, DEPLOYER), "role")
    made_from_read(world, world.role("deployer", world.stage, document(trusts(CI))), "assumeRolePolicy")
    assert world.rules() == []


def test_the_trust_of_a_role_that_is_only_read_is_not_proved_and_the_step_shows_it() -> None:
    world = World()
    world.role("ci", world.hub)
    made_from_read(world, world.grant("ci", world.hub, DEPLOYER), "policy")
    (finding,) = world.findings()
    assert (finding.rule, finding.door) == ("unproved-door", f"{CI} -> {DEPLOYER}")
    assert "is made from something that this program only reads" in finding.message
    assert "import_" in finding.next_step


def test_the_grants_of_a_role_that_is_only_read_are_not_proved_and_the_step_adds_one() -> None:
    world = World()
    made_from_read(world, world.role("deployer", world.stage, document(trusts(CI))), "assumeRolePolicy")
    (finding,) = world.findings()
    assert (finding.rule, finding.door) == ("unproved-door", f"{CI} -> {DEPLOYER}")
    assert "write the grant into this program as a policy of that role" in finding.next_step


def test_what_is_read_later_than_preview_is_named_as_what_the_document_waits_for() -> None:
    world = World()
    role = world.role("deployer", world.stage, UNKNOWN)
    made_from_read(world, role, "assumeRolePolicy")
    (finding,) = world.findings()
    assert finding.rule == "unproved-door"
    assert "made from something that this program only reads" in finding.message


def test_a_state_shows_a_role_that_was_read_and_its_trust_counts() -> None:
    """A state holds what was read, with all that AWS told of it and no inputs."""
    world = World()
    world.role("ci", world.hub)
    world.grant("ci", world.hub, DEPLOYER)
    shown = {"name": "deployer", "path": "/", "arn": DEPLOYER, "assumeRolePolicy": document(trusts(CI))}
    world.resources.append(replace(world.add("Role", "read", world.stage, outputs=shown), inputs={}))
    world.resources.pop(-2)
    assert world.rules() == []
    stranger = document(trusts(arn(HUB, "role/other")))
    world.change(world.resources[-1], outputs={**shown, "assumeRolePolicy": stranger})
    assert world.rules() == ["door-needs-grant", "door-needs-trust"]


def test_a_document_that_iam_would_refuse_is_to_be_corrected() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html"""
    world = World()
    statement = {"Effect": "Allow", "NotPrincipal": {"AWS": CI}, "Action": "sts:AssumeRole"}
    world.role("deployer", world.stage, document(statement))
    (finding,) = world.findings()
    assert finding.next_step.startswith("correct the document")
