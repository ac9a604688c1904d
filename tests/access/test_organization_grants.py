"""One grant for the role of one name in every account of the organization, as the rules read it.

Expectations: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-resourceorgid
and https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
"""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.access.test_declared import symbolic
from tests.access.world import HUB, PROD, STAGE, World, arn, document, trusts
from tests.pack.engine_requests import Engine
from twokeys.access.graph import Key, build
from twokeys.access.reading.snapshot import Snapshot
from twokeys.iam import UNKNOWN

ORGANIZATION, ANOTHER = "o-a1b2c3d4e5", "o-z9y8x7w6v5"
AUDITOR = arn(HUB, "role/auditor")
EVERYWHERE = "arn:aws:iam::*:role/audited"
BOUND = {"StringEquals": {"aws:ResourceOrgID": ORGANIZATION}}
SYMBOL = "organization:organization"


def grant(
    resource: str = EVERYWHERE, condition: dict[str, Any] | None = None, action: str = "sts:AssumeRole"
) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    return statement | {"Condition": BOUND if condition is None else condition}


def exported(statement: dict[str, Any], *, source: str = "auditor", organization: str = ORGANIZATION) -> dict[str, Any]:
    """The outputs of a management stack with a grant, as `ExportedGrant` describes them."""
    policy = symbolic("RolePolicy", "audit", HUB, "policy", document(statement), role=source, name="enter")
    summary = {"name": "audit", "source": {"kind": "role", "account": HUB, "names": [source]}, "role": "audited"}
    listed = [{"name": "audit", "grant": summary, "documents": [policy]}]
    return {"parent_account_id": HUB, "organization_id": organization, "organization_grants": listed}


def shard(outputs: dict[str, Any] | None, trusted: str = AUDITOR) -> World:
    """A stack that makes trusts only, in two accounts, and what it reads from the management stack."""
    world = World()
    prod = world.provider("prod", PROD)
    world.role("audited", world.stage, document(trusts(trusted)))
    world.add("Role", "audited-prod", prod, name="audited", assumeRolePolicy=document(trusts(trusted)))
    world.other_stack("management", "organization/twokeys/management", outputs or {})
    return world


def both(world: World) -> list[str]:
    """What the rules and the pack over the engine's protocol say; they must not differ."""
    found = world.rules()
    assert Engine().rules(world.resources) == found
    return found


def test_a_trust_is_proved_by_the_organizations_grant_that_the_management_stack_exports() -> None:
    world = shard(exported(grant()))
    assert both(world) == []
    doors = world.graph.doors
    assert {door.id for door in doors} == {f"{AUDITOR} -> {arn(one, 'role/audited')}" for one in (STAGE, PROD)}
    assert all(door.open and door.grant_key is Key.PRESENT for door in doors)


@pytest.mark.parametrize(
    "outputs",
    [
        None,
        exported(grant("arn:aws:iam::*:role/auditd")),
        exported(grant("arn:aws:iam::*:role/audit/audited")),
        exported(grant(), source="another"),
        exported(grant(condition={"StringEquals": {"aws:ResourceOrgID": ANOTHER}})),
        exported(grant(condition={"StringNotEquals": {"aws:ResourceOrgID": ORGANIZATION}})),
        exported(grant(action="sts:TagSession")),
        exported(grant() | {"Effect": "Deny"}),
    ],
    ids=["no grant", "another role", "another path", "another source", "another organization", "not", "action", "deny"],
)
def test_a_trust_without_the_organizations_grant_is_refused(outputs: dict[str, Any] | None) -> None:
    assert both(shard(outputs)) == ["door-needs-grant"]


@pytest.mark.parametrize(
    ("spared", "found"), [(ORGANIZATION, []), (ANOTHER, ["door-needs-trust", "provider-enters-its-account"])]
)
def test_a_trust_that_a_control_policy_of_the_management_stack_shuts_is_refused_where_it_is_made(
    spared: str, found: list[str]
) -> None:
    """https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html"""
    condition = {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": spared}}
    denial = trusts(effect="Deny", condition=condition) | {"Principal": "*", "Resource": "*"}
    said = {"name": "perimeter", "type": "RESOURCE_CONTROL_POLICY", "targets": [STAGE, PROD]}
    policies = {"control_policy_denials": [{**said, "document": json.loads(document(denial))}]}
    world = shard(exported(grant()) | policies)
    assert both(world) == found
    assert all("RCP perimeter at account" in one.message for one in world.findings())


def test_a_trust_in_somebody_else_is_not_opened_by_the_grant_of_the_auditor() -> None:
    assert both(shard(exported(grant()), trusted=arn(HUB, "role/somebody"))) == ["door-needs-grant"]


def test_an_export_that_cannot_be_read_is_no_proof() -> None:
    outputs = exported(grant())
    del outputs["organization_grants"][0]["documents"]
    world = shard(outputs)
    assert both(world) == ["door-needs-grant", "unproved-door"]
    assert "documents: it is missing" in next(one.text for one in world.findings() if one.rule == "unproved-door")


def management(statement: dict[str, Any], *, known: bool = True) -> World:
    """A management stack with the grant as its component declares it; the organization may not exist yet."""
    world = World()
    world.add("Organization", "organization", world.hub, outputs={"id": ORGANIZATION} if known else {"id": UNKNOWN})
    world.role("auditor", world.hub)
    declared = symbolic("RolePolicy", "audit", HUB, "policy", document(statement), role="auditor", name="enter")
    component = world.add("Component", "audit", symbolicDocuments=[declared])
    real = document(grant()) if known else UNKNOWN
    world.add("RolePolicy", "audit", world.hub, parent=component, role="auditor", name="enter", policy=real)
    return world


@pytest.mark.parametrize("known", [False, True], ids=["in the first preview", "once the id is known"])
def test_the_management_stack_makes_the_grant_without_a_finding(known: bool) -> None:
    statement = grant(condition={"StringEquals": {"aws:ResourceOrgID": SYMBOL}})
    assert both(management(statement, known=known)) == []


@pytest.mark.parametrize("known", [False, True], ids=["in the first preview", "once the id is known"])
def test_in_the_management_stack_the_grant_opens_its_own_accounts_too(known: bool) -> None:
    world = management(grant(condition={"StringEquals": {"aws:ResourceOrgID": SYMBOL}}), known=known)
    world.role("audited", world.stage, document(trusts(AUDITOR)))
    assert both(world) == []
    assert all(door.open for door in world.graph.doors)


def test_a_declaration_for_another_organization_than_the_real_grant_is_refused() -> None:
    assert "declared-equals-real" in both(management(grant(condition={"StringEquals": {"aws:ResourceOrgID": ANOTHER}})))


UNBOUND: list[tuple[str, dict[str, Any]]] = [
    ("no condition", grant(condition={})),
    ("if it exists", grant(condition={"StringEqualsIfExists": {"aws:ResourceOrgID": ORGANIZATION}})),
    ("not", grant(condition={"StringNotEquals": {"aws:ResourceOrgID": ORGANIZATION}})),
    ("any", grant(condition={"StringLike": {"aws:ResourceOrgID": "*"}})),
    ("alike", grant(condition={"StringLike": {"aws:ResourceOrgID": "o-*"}})),
    ("all values", grant(condition={"ForAllValues:StringEquals": {"aws:ResourceOrgID": ORGANIZATION}})),
    ("two", grant(condition={"StringEquals": {"aws:ResourceOrgID": [ORGANIZATION, ANOTHER]}})),
    ("another organization", grant(condition={"StringEquals": {"aws:ResourceOrgID": ANOTHER}})),
    ("the caller's organization", grant(condition={"StringEquals": {"aws:PrincipalOrgID": ORGANIZATION}})),
    ("every role", grant("arn:aws:iam::*:role/*")),
    ("some roles", grant("arn:aws:iam::*:role/audit*")),
    ("everything", grant("*")),
    ("by a tag of the caller's", grant("arn:aws:iam::*:role/${aws:PrincipalTag/team}")),
    ("by a tag, as a path", grant("arn:aws:iam::*:role/${aws:PrincipalTag/team}/audited")),
    ("the access role", grant("arn:aws:iam::*:role/OrganizationAccountAccessRole")),
]


@pytest.mark.parametrize("statement", [each for _, each in UNBOUND], ids=[name for name, _ in UNBOUND])
def test_a_grant_for_any_account_is_too_wide_unless_it_is_one_role_of_this_organization(
    statement: dict[str, Any],
) -> None:
    world = World()
    world.add("Organization", "organization", world.hub, outputs={"id": ORGANIZATION})
    world.role("auditor", world.hub)
    world.add("RolePolicy", "audit", world.hub, role="auditor", name="enter", policy=document(statement))
    assert "wildcard-grant" in both(world)


def test_a_grant_of_the_access_role_of_every_account_is_not_told_to_name_it_otherwise() -> None:
    """https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_access-cross-account-role.html"""
    world = World()
    world.role("auditor", world.hub)
    policy = document(grant("arn:aws:iam::*:role/OrganizationAccountAccessRole"))
    world.add("RolePolicy", "audit", world.hub, role="auditor", name="enter", policy=policy)
    (found,) = world.findings()
    assert "administrator of every member account" in found.message
    other, _, exception = found.next_step.partition(", or make an exception ")
    assert other == "grant a role that is made for the purpose"
    excuse = json.loads(exception.partition(": ")[2])["wildcard-grant"]["exceptions"][0]
    excuse |= {"reason": "of Control Tower", "owner": "platform", "expires": "2999-01-01"}
    assert world.rules({"wildcard-grant": {"exceptions": [excuse]}}) == []


def test_an_account_that_the_stack_does_not_show_is_not_said_to_be_of_the_organization() -> None:
    world = shard(exported(grant()))
    (first, _) = world.graph.doors
    assert not first.grant.requirements
    outside = arn("9" * 12, "role/audited")
    trust = symbolic("Role", "audited", "9" * 12, "assumeRolePolicy", document(trusts(AUDITOR)), name="audited")
    world.other_stack("elsewhere", "organization/other/stack", {"doors": [door(trust)]})
    found = next(one for one in world.graph.doors if one.target.arn == outside)
    assert [str(one) for one in found.grant.requirements] == [f"aws:ResourceOrgID StringEquals {ORGANIZATION}"]


def door(trust: dict[str, Any]) -> dict[str, Any]:
    summary = {
        "name": "audited",
        "source": {"kind": "role", "account": HUB, "names": ["auditor"]},
        "target": {"account": trust["account"], "role": "audited"},
    }
    return {"name": "audited", "door": summary, "documents": [trust]}


def other_stack(world: World, name: str) -> World:
    for resource in list(world.resources):
        world.change(resource, urn=resource.urn.replace("pulumi:stage::", f"pulumi:{name}::"))
    return world


def test_the_states_of_a_shard_and_of_management_together_show_both_keys() -> None:
    whole = [*other_stack(management(grant()), "management").resources, *shard(exported(grant())).resources]
    graph = build(Snapshot(tuple(whole)))
    assert {door.target.account for door in graph.doors if door.open} == {STAGE, PROD}


def test_together_an_export_that_is_no_longer_true_proves_nothing() -> None:
    """What a shard once read is in its state; the management stack has withdrawn the grant since."""
    without = other_stack(World(), "management")
    without.role("auditor", without.hub)
    other_stack(without, "management")
    whole = World()
    whole.resources = [*without.resources, *shard(exported(grant())).resources]
    assert whole.rules() == ["door-needs-grant"]


@pytest.mark.parametrize(("expires", "rules"), [("2026-11-24", []), ("2026-11-23", ["door-expired"])])
def test_a_grant_for_the_organization_is_over_after_its_last_day(expires: str, rules: list[str]) -> None:
    world = management(grant())
    component = next(one for one in world.resources if one.name == "audit" and one.type.startswith("test:"))
    summary = {"name": "audit", "source": {"kind": "role", "account": HUB, "names": ["auditor"]}, "role": "audited"}
    inputs = {**(component.inputs or {}), "organizationGrant": {**summary, "expires": expires}}
    world.resources[world.resources.index(component)] = replace(component, inputs=inputs)
    assert world.rules() == rules
