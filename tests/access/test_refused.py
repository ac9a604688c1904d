"""What IAM refuses when a document is saved is a finding before the update fails half way.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-entity-length
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

import json
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
    TYPES,
    World,
    arn,
    document,
    grants,
    trusts,
    two_keys,
)
from twokeys.iam import UNKNOWN, policy_size

RULE = "policy-refused"


def refused(world: World) -> tuple[int, int]:
    """How many findings of the rule are mandatory, and how many are advice."""
    verdicts = world.check()
    return tuple(sum(one.rule == RULE for one in found) for found in (verdicts.mandatory, verdicts.advisory))  # type: ignore[return-value]


def long(characters: int) -> dict[str, Any]:
    """A document of that many characters without white space, which grants nothing of doors."""
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": ""}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    more = characters - len(json.dumps(policy, separators=(",", ":")))
    statement["Resource"] = "arn:aws:s3:::" + "x" * (more - len("arn:aws:s3:::"))
    return policy


@pytest.mark.parametrize(("kind", "most"), [("role", 10_240), ("user", 2_048), ("group", 5_120)])
def test_the_inline_policies_of_one_principal_share_a_quota(kind: str, most: int) -> None:
    for size, expected in ((most, 0), (most + 1, 1)):
        world = two_keys()
        name = {"name": "long", **({"assumeRolePolicy": SERVICE} if kind == "role" else {})}
        world.add(kind.capitalize(), "long", world.hub, **name)
        for number, part in enumerate((1_000, size - 1_000)):
            key: dict[str, object] = {kind: "long", "name": f"p{number}", "policy": long(part)}
            world.add(f"{kind.capitalize()}Policy", f"p{number}", world.hub, **key)
        assert refused(world) == (expected, 0), size


@pytest.mark.parametrize(("kind", "most"), [("role", 10_240), ("user", 2_048), ("group", 5_120)])
def test_grants_that_wait_for_the_id_of_an_account_are_measured_as_they_are_declared(kind: str, most: int) -> None:
    """The accounts are made one after the other, and the last grant would fail half way through an update."""
    type_ = f"{kind.capitalize()}Policy"
    policies = most // (policy_size(document(grants(arn("1" * 12, "role/auditor")))) or 0)
    for count, expected in ((policies, 0), (policies + 1, 1)):
        world = two_keys()
        for one in (f"n{number}" for number in range(count)):
            role = world.role("auditor", world.new_account(one))
            said = json.loads(document(grants(arn(f"account:{one}", "role/auditor"))))
            names: dict[str, Any] = {kind: "team", "name": one}
            place = {"type": TYPES[type_], "name": one, "account": HUB, "property": "policy", "properties": names}
            component = world.add("Component", one, symbolicDocuments=[place | {"document": said}])
            world.add(type_, one, world.hub, parent=component, made_from={"policy": [role]}, **names)
        assert refused(world) == (expected, 0), count


def test_white_space_does_not_count_and_what_is_not_known_is_not_measured() -> None:
    world = two_keys()
    world.add("Policy", "p", world.hub, name="p", policy=json.dumps(long(6_144), indent=8))
    world.add("Policy", "q", world.hub, name="q", policy={**long(7_000), "Id": UNKNOWN})
    assert refused(world) == (0, 0)
    world.add("Policy", "r", world.hub, name="r", policy=long(6_145))
    assert refused(world) == (1, 0)


def test_a_trust_policy_may_be_longer_where_its_quota_was_raised() -> None:
    for more, expected in ((0, (0, 0)), (60, (0, 1)), (300, (1, 0))):
        world = two_keys()
        principals = {
            "Service": [f"service-number-{number}.amazonaws.com" for number in range(more)] or "a.amazonaws.com"
        }
        trust = {"Effect": "Allow", "Principal": principals, "Action": "sts:AssumeRole"}
        world.role("long", world.stage, document(trust))
        assert refused(world) == expected


@pytest.mark.parametrize("statement", [
    {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:PrincipalAccount": HUB}},
    },
    {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": ["sts:AssumeRole", "s3:GetObject"]},
    trusts(CI.replace("arn:aws:", "arn:aws-us-gov:")),
])  # fmt: skip
def test_a_trust_policy_that_iam_does_not_save_is_refused(statement: dict[str, Any]) -> None:
    world = two_keys()
    world.role("wrong", world.stage, document(statement))
    assert refused(world) == (1, 0)


@pytest.mark.parametrize(("kind", "more"), [
    ("Role", {"assumeRolePolicy": SERVICE, "permissionsBoundary": "{}"}),
    ("Role", {"assumeRolePolicy": SERVICE, "managedPolicyArns": ["{}"]}), ("User", {"permissionsBoundary": "{}"}),
    ("RolePolicyAttachment", {"role": "deployer", "policyArn": "{}"}), ("PolicyAttachment", {"policyArn": "{}"}),
])  # fmt: skip
def test_a_managed_policy_of_another_account_is_refused(kind: str, more: dict[str, Any]) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html"""
    for account, expected in ((HUB, 1), (STAGE, 0), ("aws", 0)):
        world = two_keys()
        given = arn(account, "policy/ReadOnlyAccess")
        filled = {key: [given] if value == ["{}"] else given if value == "{}" else value for key, value in more.items()}
        made = world.add(kind, "x", world.stage, **({"name": "x"} | filled))
        found = [one for one in world.findings() if one.rule == RULE]
        assert [one.urn for one in found] == [made.urn] * expected
        assert all(f"in account {STAGE} is given {given}, and IAM takes" in one.message for one in found)


def test_so_is_one_of_a_known_account_where_the_role_is_made_in_an_account_to_come() -> None:
    for account, expected in ((HUB, (1, 0)), ("999999999999", (0, 0))):
        world = two_keys()
        made = world.role("x", world.new_account(), permissionsBoundary=arn(account, "policy/x"))
        assert refused(world) == expected
        assert all(one.urn == made.urn for one in world.findings() if one.rule == RULE)


def test_what_iam_saves_is_not_refused() -> None:
    """Access Analyzer reports these as errors; IAM saves them, and they do not work."""
    world = two_keys()
    world.role("r", world.hub)
    both = {"Effect": "Allow", "Action": "sts:AssumRole", "Resource": arn(HUB, "role/x")}
    private = {**grants(DEPLOYER), "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}
    world.add("RolePolicy", "p", world.hub, role="ci", name="p", policy=document(both, private))
    assert refused(world) == (0, 0)


@pytest.mark.parametrize("account", [HUB, OUTSIDE])
def test_a_group_in_a_trust_policy_is_refused_once(account: str) -> None:
    """ "You cannot identify a user group as a principal in a policy": reference_policies_elements_principal.html."""
    world = two_keys()
    world.role("x", world.stage, document(trusts(arn(account, "group/people"))))
    (found,) = world.check().mandatory
    assert (found.rule, found.steps[0]) == (RULE, "name its users")


@pytest.mark.parametrize(("named", "meant"), [
    ("role/deployerr", DEPLOYER),
    ("role/depolyer", DEPLOYER),
    ("role/app/deployer", DEPLOYER),
    ("user/alce", arn(STAGE, "user/alice")),
    ("role/deployer", None),
    ("role/deployer-prod", None),
    ("role/alice", None),
    ("role/aws-service-role/eks.amazonaws.com/AWSServiceRoleForAmazonEKS", None),
])  # fmt: skip
def test_a_trust_in_a_principal_that_the_stack_makes_under_almost_that_name_is_advice(
    named: str, meant: str | None
) -> None:
    """IAM takes no principal that is not there, and another stack may make it.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    """
    world = two_keys()
    world.add("User", "alice", world.stage, name="alice")
    world.role("app", world.stage, document(trusts(arn(STAGE, named))))
    assert refused(world) == (0, 1 if meant else 0)
    steps = [one.next_step for one in world.check().advisory if one.rule == RULE]
    assert all(step.startswith(f"write {meant}, if that is meant") for step in steps)


@pytest.mark.parametrize("key", ["inlinePolicies", "dependencies", None])
@pytest.mark.parametrize("there", [False, True])
def test_a_trust_in_a_principal_that_waits_for_the_role_is_advice_while_it_is_not_there(
    key: str | None, *, there: bool
) -> None:
    """ "Invalid principal in policy" is what AWS's provider tries again, and so an order that is left open is none."""
    world = two_keys()
    deployer = next(one for one in world.resources if one.name == "deployer")
    later = {"inlinePolicies": (deployer.urn,)} if key == "inlinePolicies" else {}
    ci = next(one for one in world.resources if one.name == "ci")
    outputs = {**(ci.inputs or {}), **({"arn": CI} if there else {})}
    behind = (deployer.urn,) if key == "dependencies" else ()
    world.change(ci, outputs=outputs, dependencies=behind, property_dependencies=later)
    assert refused(world) == (0, 1 if key and not there else 0)
    assert all("role ci waits for that role" in one.message for one in world.check().advisory if one.rule == RULE)


@pytest.mark.parametrize(("account", "made", "expected"), [
    ({}, False, 1), ({}, True, 0), ({"id": PROD}, False, 0),
])  # fmt: skip
def test_a_policy_for_somebody_of_an_account_to_come_whom_nothing_makes_is_advice(
    account: dict[str, str], *, made: bool, expected: int
) -> None:
    """AWS makes nobody but the access role: orgs_manage_accounts_access.html; PutRolePolicy has NoSuchEntity."""
    world = two_keys()
    there = world.new_account()
    if account:
        new = next(one for one in world.resources if one.type == TYPES["Account"])
        world.change(new, outputs={**(new.inputs or {}), **account})
    if made:
        world.role("runner", there)
    world.grant("runner", there, DEPLOYER)
    assert refused(world) == (0, expected)
