"""Whom a trust in many really means, and what can be said of a principal whose name is still to be made up.

Expectations: `aws:PrincipalArn` compares "the ARN of the principal that made the request", of a session its role's.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn
"""

from collections.abc import Sequence
from typing import Any

import pytest

from tests.access.world import (
    CI,
    DEPLOYER,
    HUB,
    OUTSIDE,
    PROD,
    SERVICE,
    STAGE,
    World,
    arn,
    document,
    grants,
    replaced,
    trusts,
)
from twokeys.access.keys import statements
from twokeys.iam import UNKNOWN, Outcome

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
    assert world_of(picking(elsewhere)).rules() == ["door-needs-trust"]


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


def test_a_role_without_a_name_is_to_be_granted_by_its_output() -> None:
    """Nobody can write its ARN: https://www.pulumi.com/docs/iac/concepts/resources/names/#autonaming"""
    world = World()
    world.role("ci", world.hub)
    world.role("late-1a2b3c4", world.stage, document(trusts(CI)))
    assert "sts:AssumeRole on arn:" in next(statements(world.graph)).next_step, "that name is the program's"
    world.change(world.resources[-1], name="late")
    assert "allows sts:AssumeRole on the output `arn` of role late, or take" in next(statements(world.graph)).next_step


def test_a_name_that_is_not_known_matters_wherever_a_document_may_name_it() -> None:
    """Unlike one that AWS's provider makes up, which nobody can have written down yet."""
    world = prefixed(trusts(ROOT))
    ci = next(one for one in world.resources if one.name == "ci")
    values = {"name": UNKNOWN, "path": "/", "assumeRolePolicy": document(trusts(ROOT))}
    world.change(ci, inputs=values, outputs=values)
    assert world.rules() == ["unproved-door"]


def test_a_name_to_be_made_up_matters_where_a_condition_reads_it() -> None:
    denial = trusts("*", condition={"ArnLike": {"aws:PrincipalArn": arn(HUB, "role/ci-*")}}, effect="Deny")
    assert prefixed(trusts(ROOT), denial).rules() == ["unproved-door"]


def test_a_name_to_be_made_up_is_nobody_that_a_trust_names() -> None:
    assert prefixed(trusts(arn(HUB, "role/ci-20261124"))).rules() == ["door-needs-grant", "unproved-door"]


@pytest.mark.parametrize(("trusted", "rule"), [("ci", "door-needs-grant"), ("api-1a2b3c4", "unproved-door")])
def test_a_name_to_be_made_up_hides_no_key_that_another_lacks(trusted: str, rule: str) -> None:
    """Pulumi makes it up from the logical name: https://www.pulumi.com/docs/iac/concepts/resources/names/#autonaming"""
    world = World()
    world.add("Role", "api", world.hub, assumeRolePolicy=SERVICE, outputs={"name": UNKNOWN, "path": "/"})
    world.role("deployer", world.stage, document(trusts(arn(HUB, f"role/{trusted}"))))
    assert world.refused == [rule]


def test_a_role_with_a_prefix_answers_a_grant_on_that_prefix() -> None:
    for pattern, rules in (
        ("role/deployer-*", ["wildcard-grant"]),
        ("role/deploy", ["door-needs-trust", "unproved-door"]),
    ):
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


def tagged(key: str, value: str, operator: str = "StringEquals") -> dict[str, Any]:
    return trusts(ROOT, condition={operator: {key: value}})


BLUE = "aws:PrincipalTag/Team"
TAGGING = {**trusts(ROOT), "Action": ["sts:AssumeRole", "sts:TagSession"]}


@pytest.mark.parametrize(
    ("trust", "of_caller", "outcome"),
    [
        (tagged(BLUE, "blue"), {}, Outcome.ALLOW), (tagged(BLUE, "red"), {}, Outcome.DENY),
        (tagged("aws:PrincipalTag/env", "prod"), {}, Outcome.DENY),
        (tagged("aws:PrincipalTag/env", "prod", "StringNotEquals"), {}, Outcome.ALLOW),
        (tagged(BLUE, "red"), {"assumeRolePolicy": document(TAGGING)}, Outcome.CONDITIONAL),
        (tagged(BLUE, "red"), {"assumeRolePolicy": UNKNOWN}, Outcome.CONDITIONAL),
        (tagged(BLUE, "red"), {"tags": {"team": UNKNOWN}}, Outcome.CONDITIONAL),
        (tagged("aws:PrincipalTag/env", "prod"), {"tagsAll": UNKNOWN, "tags": UNKNOWN}, Outcome.CONDITIONAL),
        (tagged("iam:ResourceTag/env", "stage"), {}, Outcome.ALLOW),
        (tagged("aws:ResourceTag/ENV", "prod"), {}, Outcome.DENY),
        (tagged("aws:ResourceTag/env", "${aws:PrincipalTag/env}"), {"tags": {"env": "stage"}}, Outcome.ALLOW),
        (tagged("aws:ResourceTag/env", "${aws:PrincipalTag/env}"), {}, Outcome.DENY),
        (tagged("aws:RequestTag/env", "prod"), {}, Outcome.DENY),
    ],
)  # fmt: skip
def test_a_tag_counts_as_the_stack_has_it_unless_the_session_may_have_another(
    trust: dict[str, Any], of_caller: dict[str, Any], outcome: Outcome
) -> None:
    """Session tags go before those of the role; to pass them the role's trust policy has to allow sts:TagSession.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principaltag
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_permissions-required
    """
    world = world_of(trust)
    replaced(world, "ci", **{"tags": {"team": "blue"}, **of_caller})
    replaced(world, "deployer", tags={"env": "stage"})
    [door] = [one for one in world.graph.doors if (one.source.arn, one.target.arn) == (CI, DEPLOYER)]
    assert door.outcome is outcome


def test_a_user_has_the_tags_of_its_own_and_of_a_group_s_members_none_are_known() -> None:
    world = world_of({**tagged(BLUE, "blue"), "Principal": {"AWS": "*"}}, granted=[])
    for name, team in (("ann", "blue"), ("bob", "red")):
        world.add("User", name, world.hub, name=name, tags={"team": team})
        world.add("UserPolicy", name, world.hub, user=name, name="g", policy=document(grants(DEPLOYER)))
    world.add("Group", "staff", world.hub, name="staff")
    world.add("GroupPolicy", "staff", world.hub, group="staff", name="g", policy=document(grants(DEPLOYER)))
    found = {one.source.name: one.outcome for one in world.graph.doors}
    outcomes = {"ann": Outcome.ALLOW, "bob": Outcome.DENY, "staff": Outcome.CONDITIONAL}
    assert found | outcomes == found


def test_a_tag_that_the_provider_may_leave_out_stays_open() -> None:
    """https://www.pulumi.com/registry/packages/aws/api-docs/provider/#providerignoretags"""
    world = world_of(tagged("aws:PrincipalTag/env", "prod"))
    replaced(world, "hub", ignoreTags={"keyPrefixes": ["env"]})
    assert Outcome.CONDITIONAL in [one.outcome for one in world.graph.doors if one.target.arn == DEPLOYER]


def test_a_step_of_everybody_is_told_apart_by_tags() -> None:
    world = world_of(trusts(CI))
    world.role("open", world.hub, document({**tagged(BLUE, "blue"), "Principal": {"AWS": "*"}}))
    replaced(world, "ci", tags={"team": "blue"})
    outcomes = {one.source.name: one.outcome for one in world.graph.steps if one.target.name == "open"}
    assert outcomes == {"ci": Outcome.ALLOW, "nightly": Outcome.DENY}


def test_a_step_of_everybody_is_told_apart_by_who_may_pass_tags_to_it() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_permissions-required"""
    world = world_of(trusts(CI), granted=())
    for name in ("one", "two"):
        world.role(name, world.hub, document({**TAGGING, "Principal": {"AWS": "*"}}))
    untagged = {**grants("*", effect="Deny"), "Condition": {"StringNotEquals": {"aws:RequestTag/team": "blue"}}}
    world.add("Policy", "blue-only", world.hub, name="blue-only", policy=document(untagged))
    for name in ("ci", "nightly"):
        policy = arn(HUB, "policy/blue-only")
        world.add("RolePolicyAttachment", name, world.hub, role=name, policyArn=policy)
    no_tags = document(grants(arn(HUB, "role/two"), action="sts:TagSession", effect="Deny"))
    world.add("RolePolicy", "no-tags", world.hub, role="ci", name="no-tags", policy=no_tags)
    outcomes = {one.source.name: one.outcome for one in world.graph.steps if one.target.name == "two"}
    assert (outcomes["ci"], outcomes["nightly"]) == (Outcome.DENY, Outcome.CONDITIONAL)


CI_ID = "AROAEXAMPLEROLECI00"


@pytest.mark.parametrize(
    ("operator", "value", "outcome"),
    [
        ("StringLike", f"{CI_ID}:*", Outcome.ALLOW), ("StringLike", "AROA*", Outcome.ALLOW),
        ("StringLike", f"{CI_ID}:ann*", Outcome.CONDITIONAL), ("StringLike", "*:ann", Outcome.CONDITIONAL),
        ("StringEquals", f"{CI_ID}:ann", Outcome.CONDITIONAL), ("StringEquals", f"{CI_ID}:*", Outcome.DENY),
        ("StringEquals", "AIDAEXAMPLEUSERANN0", Outcome.DENY), ("StringLike", "AROAANOTHER00000000:*", Outcome.DENY),
        ("StringNotLike", "AROAANOTHER00000000:*", Outcome.ALLOW), ("StringNotLike", f"{CI_ID}:*", Outcome.DENY),
        ("StringNotEqualsIfExists", f"{CI_ID}:ann", Outcome.CONDITIONAL), ("Null", "true", Outcome.DENY),
    ],
)  # fmt: skip
def test_of_a_role_aws_userid_is_its_unique_id_and_the_name_of_the_session(
    operator: str, value: str, outcome: Outcome
) -> None:
    """A session's name has 2 to 64 characters.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#principaltable
    https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
    """
    world = world_of(tagged("aws:userid", value, operator))
    replaced(world, "ci", uniqueId=CI_ID)
    [door] = [one for one in world.graph.doors if (one.source.arn, one.target.arn) == (CI, DEPLOYER)]
    assert door.outcome is outcome
