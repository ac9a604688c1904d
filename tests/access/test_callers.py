"""Whom a trust in many really means, and what can be said of a principal whose name is still to be made up.

Expectations: `aws:PrincipalArn` compares "the ARN of the principal that made the request", of a session its role's.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.access.world import CI, DEPLOYER, HUB, OUTSIDE, PROD, STAGE, World, arn, document, grants, trusts
from twokeys.iam import UNKNOWN

ROOT = arn(HUB, "root")
NIGHTLY = arn(HUB, "role/nightly")


def world_of(*statements: dict[str, object], granted: Sequence[str] = ("ci",)) -> World:
    world = World()
    for name in ("ci", "nightly"):
        world.role(name, world.hub)
        if name in granted:
            world.grant(name, world.hub, DEPLOYER)
    world.role("deployer", world.stage, document(*statements))
    return world


def picking(*arns: str, operator: str = "ArnEquals", of: str = ROOT) -> dict[str, object]:
    return trusts(of, condition={operator: {"aws:PrincipalArn": list(arns)}})


@pytest.mark.parametrize("of", [ROOT, HUB, "*"])
@pytest.mark.parametrize("operator", ["ArnEquals", "ArnLike", "StringEquals", "StringLike"])
def test_each_principal_that_a_condition_picks_from_many_needs_a_grant(of: str, operator: str) -> None:
    world = world_of(picking(CI, NIGHTLY, operator=operator, of=of), granted=["ci", "nightly"])
    assert world.rules() == []
    world = world_of(picking(CI, NIGHTLY, operator=operator, of=of))
    assert [(one.rule, one.door) for one in world.findings()] == [("door-needs-grant", f"{NIGHTLY} -> {DEPLOYER}")]


def test_a_condition_by_pattern_leaves_it_at_somebody_of_the_account() -> None:
    assert world_of(picking(arn(HUB, "role/*"), operator="ArnLike")).rules() == []
    assert world_of(picking(arn(HUB, "role/*"), operator="ArnLike"), granted=[]).rules() == ["door-needs-grant"]


def test_a_condition_that_need_not_be_met_picks_nobody() -> None:
    for operator in ("ArnNotEquals", "ArnEqualsIfExists"):
        assert world_of(picking(arn(HUB, "role/other"), operator=operator), granted=[]).rules() == ["door-needs-grant"]


def test_a_condition_that_picks_from_another_account_than_the_principal_opens_nothing() -> None:
    elsewhere = arn(PROD, "role/ci")
    assert world_of(picking(elsewhere)).rules() == ["door-needs-grant", "door-needs-trust"]


def test_a_condition_that_picks_an_outsider_from_everyone_asks_for_an_external_id() -> None:
    assert world_of(picking(arn(OUTSIDE, "role/x"), of="*"), granted=[]).rules() == ["external-id"]


def prefixed(*statements: dict[str, object]) -> World:
    """A role with `namePrefix`, as the engine shows it: its name comes with the update, the grant hangs on the role."""
    world = World()
    shown = {"namePrefix": "ci-", "name": UNKNOWN, "path": "/"}
    ci = world.add("Role", "ci", world.hub, namePrefix="ci-", assumeRolePolicy=document(trusts(ROOT)), outputs=shown)
    made_from = {"role": [ci]}
    world.add("RolePolicy", "enter", world.hub, made_from=made_from, name="enter", policy=document(grants(DEPLOYER)))
    world.role("deployer", world.stage, document(*statements))
    return world


def test_a_name_to_be_made_up_does_not_matter_where_an_account_is_trusted() -> None:
    assert prefixed(trusts(ROOT)).rules() == []


def test_a_name_to_be_made_up_matters_where_a_condition_reads_it() -> None:
    denial = trusts("*", condition={"ArnLike": {"aws:PrincipalArn": arn(HUB, "role/ci-*")}}, effect="Deny")
    assert prefixed(trusts(ROOT), denial).rules() == ["unproved-door"]


def test_a_name_to_be_made_up_is_nobody_that_a_trust_names() -> None:
    assert prefixed(trusts(arn(HUB, "role/ci-20261124"))).rules() == ["unproved-door"]


def test_a_role_with_a_prefix_answers_a_grant_on_that_prefix() -> None:
    for pattern, rules in (("role/deployer-*", ["wildcard-grant"]), ("role/deploy", ["unproved-door"])):
        world = World()
        world.role("ci", world.hub)
        world.grant("ci", world.hub, arn(STAGE, pattern))
        trust = document(trusts(CI))
        shown = {"namePrefix": "deployer-", "name": UNKNOWN, "path": "/", "assumeRolePolicy": trust}
        world.add("Role", "target", world.stage, namePrefix="deployer-", assumeRolePolicy=trust, outputs=shown)
        assert world.rules() == rules


def test_a_holder_by_pattern_whose_boundary_is_made_elsewhere_is_not_proved() -> None:
    """A permissions boundary limits what identity-based policies grant, and this one cannot be read.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
    """
    for boundary, rules in ((None, []), (arn(HUB, "policy/elsewhere"), ["unproved-door"])):
        world = World()
        world.role("ci", world.hub, permissionsBoundary=boundary)
        world.grant("ci", world.hub, arn(STAGE, "role/deploy*"))
        world.role("deployer", world.stage, document(trusts(ROOT)))
        assert world.rules() == [*rules, "wildcard-grant"]
