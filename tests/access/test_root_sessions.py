"""Root sessions: who may act as the root user of a member account, and which grants of that are refused.

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoot.html
"""

from typing import Any

import pytest

from tests.access.world import HUB, OUTSIDE, PROD, STAGE, TYPES, World, arn, document, grants, two_keys
from twokeys.iam import UNKNOWN


def organization(*features: str) -> World:
    world = two_keys()
    world.add("Organization", "org", world.hub, id="o-ours000000", masterAccountId=HUB)
    world.add("Account", "stage", world.hub, protect=True, name="stage", email="a@x.com", id=STAGE)
    if features:
        world.add("OrganizationsFeatures", "features", world.hub, enabledFeatures=list(features))
    return world


def root_doors(world: World) -> set[tuple[str, str, str]]:
    doors = [door for door in world.graph.doors if door.target.kind == "root"]
    return {(door.source.name, door.target.account, door.outcome.value) for door in doors}


def policy(world: World, role: str, *statements: dict[str, Any]) -> None:
    world.add("RolePolicy", f"{role}-root", world.hub, role=role, name="root", policy=document(*statements))


def test_a_grant_of_root_sessions_is_a_door_into_the_account_that_it_names() -> None:
    world = organization("RootCredentialsManagement", "RootSessions")
    policy(world, "ci", grants(arn(STAGE, "root"), action="sts:AssumeRoot"))
    world.role("deputy", world.hub)
    policy(world, "deputy", grants(arn(OUTSIDE, "root"), action="s3:*"))
    assert root_doors(world) == {("ci", STAGE, "ALLOW")}
    assert not world.refused
    world.resources = [one for one in world.resources if one.type != TYPES["Account"]]
    assert root_doors(world) == {("ci", STAGE, "ALLOW")}  # another stack may make the account


@pytest.mark.parametrize(
    "resource", ["*", "arn:aws:iam::*:root", "arn:aws:iam::2*:root", "arn:aws:iam", "arn:aws:iam::*"]
)
@pytest.mark.parametrize("action", ["sts:AssumeRoot", "sts:assumero*", "STS:AssumeRoot", "*:AssumeRoot", "s*:*"])
def test_a_grant_of_root_sessions_that_names_no_account_is_refused(resource: str, action: str) -> None:
    world = two_keys()
    assert not world.refused
    world.add("Policy", "nobody's", world.hub, name="nobody's", policy=document(grants(resource, action=action)))
    assert "root-session-grant" in world.refused
    world = two_keys()
    policy(world, "ci", grants(resource, action=action))
    assert "root-session-grant" in world.refused


def test_a_grant_of_root_sessions_on_an_account_says_which_and_a_deny_of_them_all_leaves_none() -> None:
    """An ARN that lacks components is completed: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html."""
    world = two_keys()
    policy(world, "ci", grants(f"arn:aws:iam::{STAGE}", action="sts:AssumeRoot"))
    (finding,) = [one for one in world.findings() if one.rule == "root-session-grant"]
    assert f"the root user of account {STAGE}" in finding.message
    for denied, refused in (("*", False), ("arn:aws:iam::*:root", False), (arn(STAGE, "root"), True)):
        world.resources.pop()
        denial = grants(denied, effect="Deny", action="sts:AssumeRoot")
        policy(world, "ci", grants("*", action="sts:AssumeRoot"), denial)
        assert ("root-session-grant" in world.refused) is refused


ROOT_OF_STAGE = arn(STAGE, "root")
BY_NAME = grants(ROOT_OF_STAGE, action="sts:AssumeRoot")
FROM_AN_ADDRESS = {**BY_NAME, "Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}}


def of_ours(operator: str, **values: str) -> dict[str, Any]:
    return {**BY_NAME, "Condition": {operator: {f"aws:{key}": value for key, value in values.items()}}}


@pytest.mark.parametrize(("features", "statements", "boundary", "door"), [
    (["RootSessions"], [BY_NAME], None, {"ALLOW"}),
    (["RootSessions"], [grants("*", action="*")], None, {"ALLOW"}),
    (["RootSessions"], [FROM_AN_ADDRESS], None, {"CONDITIONAL"}),
    (["RootSessions"], [of_ours("StringEquals", PrincipalOrgID="o-ours000000")], None, {"ALLOW"}),
    (["RootSessions"], [of_ours("StringEquals", PrincipalOrgID="o-other00000")], None, set()),
    (["RootSessions"], [BY_NAME, {**BY_NAME, "Effect": "Deny"}], None, set()),
    (["RootSessions"], [{**BY_NAME, "Effect": "Deny"}], None, set()),
    (["RootSessions"], [grants(arn(HUB, "root"), action="sts:AssumeRoot")], None, set()),
    (["RootSessions"], [grants("*", action="s3:*")], None, set()),
    (["RootSessions"], [BY_NAME], grants("*", action="s3:*"), set()),
    (["RootSessions"], [BY_NAME], grants("*", action="sts:*"), {"ALLOW"}),
    ([UNKNOWN], [BY_NAME], None, {"CONDITIONAL"}),
    (None, [BY_NAME], None, {"CONDITIONAL"}),
    (None, [grants("*", action="*")], None, set()),
    (None, [grants("*", action="STS:*")], None, {"CONDITIONAL"}),
    ([], [BY_NAME], None, set()),
])  # fmt: skip
def test_who_begins_root_sessions(features: Any, statements: Any, boundary: Any, door: set[str]) -> None:
    world = organization()
    if features is not None:
        world.add("OrganizationsFeatures", "features", world.hub, enabledFeatures=features)
    limited = {"permissionsBoundary": arn(HUB, "policy/limit")} if boundary else {}
    world.add("Policy", "limit", world.hub, name="limit", policy=document(boundary or BY_NAME))
    world.role("keeper", world.hub, **limited)
    policy(world, "keeper", *statements)
    assert {outcome for name, _, outcome in root_doors(world) if name == "keeper"} == door


def test_which_member_of_a_group_begins_a_root_session_is_its_condition() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-username"""
    world = organization("RootSessions")
    world.add("Group", "keepers", world.hub, name="keepers")
    only_ann = document(of_ours("StringEquals", username="ann"))
    world.add("GroupPolicy", "keepers", world.hub, group="keepers", name="root", policy=only_ann)
    assert root_doors(world) == {("keepers", STAGE, "CONDITIONAL")}


@pytest.mark.parametrize(("administrator", "enters"), [
    ({"accountId": STAGE, "servicePrincipal": "iam.amazonaws.com"}, True),
    ({"accountId": STAGE, "servicePrincipal": UNKNOWN}, True),
    ({"accountId": STAGE, "servicePrincipal": "sso.amazonaws.com"}, False),
    ({"made_from": "accountId", "servicePrincipal": "iam.amazonaws.com"}, True),
    ({"servicePrincipal": "iam.amazonaws.com"}, False),
    (None, False),
])  # fmt: skip
def test_of_a_member_account_only_the_delegated_administrator_begins_root_sessions(
    administrator: Any, enters: bool
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-enable-root-access.html"""
    world = organization("RootSessions")
    account = next(one for one in world.resources if one.type == "aws:organizations/account:Account")
    world.add("Account", "prod", world.hub, protect=True, name="prod", email="b@x.com", id=PROD)
    if administrator:
        made_from = {administrator.pop("made_from"): [account]} if "made_from" in administrator else {}
        world.add("DelegatedAdministrator", "d", world.hub, made_from=made_from, **administrator)
    world.role("keeper", world.stage)
    values = {
        "role": "keeper",
        "name": "root",
        "policy": document(grants("*", arn(HUB, "root"), action="sts:AssumeRoot")),
    }
    world.add("RolePolicy", "keeper-root", world.stage, **values)
    by_keeper = {door for door in root_doors(world) if door[0] == "keeper"}
    assert by_keeper == ({("keeper", PROD, "ALLOW")} if enters else set())
    for door in world.graph.doors:
        if door.target.kind == "root":
            assert (door.target.arn, door.target.name, door.asked) == (arn(PROD, "root"), "root", False)
    scp = world.add(
        "ControlPolicy", "scp", world.hub, content=document(grants("*", effect="Deny", action="sts:AssumeRoot"))
    )
    world.add("ControlPolicyAttachment", "scp", world.hub, made_from={"policyId": [scp]}, targetId=STAGE)
    assert root_doors(world) == set()


def test_where_nothing_tells_the_management_account_root_sessions_may_begin_in_any_that_is_worked_in() -> None:
    world = World()
    world.resources.remove(world.stage)
    world.role("ci", world.hub)
    policy(world, "ci", BY_NAME)
    assert world.graph.accounts.management is None
    assert root_doors(world) == {("ci", STAGE, "CONDITIONAL")}


def test_root_sessions_begin_in_the_account_that_makes_the_accounts() -> None:
    world = two_keys()
    world.add("Account", "prod", world.hub, protect=True, name="prod", email="b@x.com", id=PROD)
    policy(world, "ci", grants(arn(PROD, "root"), action="sts:AssumeRoot"))
    assert root_doors(world) == {("ci", PROD, "CONDITIONAL")}


@pytest.mark.parametrize("statement", [
    grants("*", effect="Deny", action="sts:AssumeRoot"),
    grants("*", action="s3:*"),
    grants(arn(STAGE, "role/deploy*"), action="sts:*"),
])  # fmt: skip
def test_a_deny_of_root_sessions_and_a_grant_of_something_else_are_no_grant_of_them(statement: dict[str, Any]) -> None:
    world = two_keys()
    policy(world, "ci", statement)
    assert "root-session-grant" not in world.refused
