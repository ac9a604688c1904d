"""Both keys at every door: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html

"The requester must have an identity-based policy that allows the request, and the resource-based policy in the other
account must allow it": each correct stack has both and passes in silence, each wrong one differs from it in one place.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.access.world import (
    CI,
    DEPLOYER,
    HUB,
    MFA,
    OUTSIDE,
    PROD,
    SERVICE,
    STAGE,
    TYPES,
    World,
    arn,
    document,
    grants,
    replaced,
    trusts,
    two_keys,
)
from twokeys.access.keys import statements
from twokeys.access.reading.snapshot import Resource
from twokeys.iam import UNKNOWN

ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"


def world_of(build: Callable[[World], object]) -> World:
    world = World()
    build(world)
    return world


def role_to_role(world: World, trust: str, *, ci_inputs: dict[str, object] | None = None) -> None:
    world.role("ci", world.hub, **(ci_inputs or {}))
    world.role("deployer", world.stage, trust)


def group(world: World, *members: str) -> None:
    world.add("Group", "developers", world.hub, name="developers")
    world.add("GroupPolicy", "enter", world.hub, group="developers", name="enter", policy=document(grants(DEPLOYER)))
    for user in members:
        world.add("User", user, world.hub, name=user)
        world.add("UserGroupMembership", user, world.hub, user=user, groups=["developers"])


def managed(world: World, kind: str, **holder: object) -> None:
    policy = world.add("Policy", "enter", world.hub, name="enter", policy=document(grants(DEPLOYER)))
    made_from = {"policyArn": [policy]}
    world.add(kind, "attached", world.hub, made_from=made_from, **holder)


SERVICES_ONLY = json.loads(SERVICE)["Statement"][0]
GRANTED = [grants(DEPLOYER)]
TAGGED = {"StringEquals": {"aws:RequestTag/team": "web"}}
"""Of a session tag: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_permissions-required"""
PASSING = {**trusts(CI), "Action": "sts:TagSession"}
IDENTIFIED = {"StringLike": {"sts:SourceIdentity": "*"}}
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html"""
SETTING = ["sts:AssumeRole", "sts:SetSourceIdentity"]
ROLE_TO_ROLE: dict[str, tuple[list[Any], list[Any], dict[str, Any], list[str]]] = {
    # trust statements of deployer, policy statements of ci, its other inputs, the rules that refuse it
    "grant in the role itself": (
        [trusts(CI)], [], {"inlinePolicies": [{"name": "enter", "policy": document(grants(DEPLOYER))}]}, []),
    "grant by an administrators policy": ([trusts(CI)], [], {"managedPolicyArns": [ADMIN]}, []),
    "grant by a pattern of one account": ([trusts(CI)], [grants(arn(STAGE, "role/deploy*"))], {}, ["wildcard-grant"]),
    "trust in the account and grant to a role": ([trusts(arn(HUB, "root"))], GRANTED, {}, []),
    "trust in the account by its bare id": ([trusts(HUB)], GRANTED, {}, []),
    "trust in the account limited to the role": (
        [trusts(arn(HUB, "root"), condition={"ArnLike": {"aws:PrincipalArn": CI}})], GRANTED, {}, []),
    "trust in an organization that is not shown to be ours": (
        [trusts("*", condition={"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}})],
        GRANTED, {}, ["external-id"]),
    "trust with an external id": ([trusts(CI, condition={"StringEquals": {"sts:ExternalId": "x"}})], GRANTED, {}, []),
    "trust with a session tag that both sides let pass": (
        [trusts(CI, condition=TAGGED), PASSING], [*GRANTED, grants(DEPLOYER, action="sts:TagSession")], {}, []),
    "trust with a session tag that the grant lets nobody pass": (
        [trusts(CI, condition=TAGGED), PASSING], GRANTED, {}, ["door-needs-trust"]),
    "trust with a session tag that itself lets nobody pass": (
        [trusts(CI, condition=TAGGED)], [*GRANTED, grants(DEPLOYER, action="sts:TagSession")], {},
        ["door-needs-trust"]),
    "trust with a source identity that both sides let set": (
        [{**trusts(CI, condition=IDENTIFIED), "Action": SETTING}], [{**grants(DEPLOYER), "Action": SETTING}], {}, []),
    "trust with a source identity that itself lets nobody set": (
        [trusts(CI, condition=IDENTIFIED)], [{**grants(DEPLOYER), "Action": SETTING}], {}, ["door-needs-trust"]),
    "grant with a session tag that nobody may pass": (
        [trusts(CI)], [{**grants(DEPLOYER), "Condition": TAGGED}], {}, ["door-needs-grant"]),
    "trust without any session tag": (
        [trusts(CI, condition={"Null": {"aws:RequestTag/team": "true"}})], GRANTED, {}, []),
    "deny of something else": (
        [trusts(CI)], [grants(DEPLOYER), grants(arn(STAGE, "role/other"), effect="Deny")], {}, []),
    "trust in a unique id": ([trusts("AROAEXAMPLEID12345678")], [], {}, ["policy-lint", "unproved-door"]),
    "no grant": ([trusts(CI)], [], {}, ["door-needs-grant"]),
    "trust in the account and no grant in it": ([trusts(arn(HUB, "root"))], [], {}, ["door-needs-grant"]),
    "one character off in the grant": (
        [trusts(CI)], [grants(arn(STAGE, "role/deployr"))], {}, ["door-needs-grant", "door-needs-trust"]),
    "other case in the trust": ([trusts(arn(HUB, "role/CI"))], GRANTED, {}, ["door-needs-grant", "door-needs-trust"]),
    "grant of another action": (
        [trusts(CI)], [grants(DEPLOYER, action="sts:GetCallerIdentity")], {}, ["door-needs-grant"]),
    "only read only access": ([trusts(CI)], [], {"managedPolicyArns": [READ_ONLY]}, ["door-needs-grant"]),
    "no trust": ([SERVICES_ONLY], GRANTED, {}, ["door-needs-trust"]),
    "trust that an explicit deny kills": ([trusts(CI), trusts(CI, effect="Deny")], GRANTED, {}, ["door-needs-trust"]),
    "trust in the account limited to another role": (
        [trusts(arn(HUB, "root"), condition={"ArnLike": {"aws:PrincipalArn": arn(HUB, "role/other")}})],
        GRANTED, {}, ["door-needs-grant", "door-needs-trust"]),
    "grant on a pattern that nothing answers": (
        [SERVICES_ONLY], [grants(arn(STAGE, "role/deploy*"))], {}, ["door-needs-trust", "wildcard-grant"]),
    "trust in sessions by a pattern that matches none": (
        [trusts(CI, f"arn:aws:sts::{HUB}:assumed-role/ci/*")], GRANTED, {}, ["policy-lint", "unproved-door"]),
    "boundary made elsewhere": (
        [trusts(CI)], GRANTED, {"permissionsBoundary": arn(HUB, "policy/elsewhere")}, ["unproved-door"]),
    "aws managed policy that is newer than the data": (
        [trusts(CI)], [], {"managedPolicyArns": ["arn:aws:iam::aws:policy/MadeAfterTheData"]}, ["unproved-door"]),
    "trust that aws would refuse": (
        [{"Effect": "Allow", "NotPrincipal": {"AWS": CI}, "Action": "sts:AssumeRole"}], [], {}, ["unproved-door"]),
}  # fmt: skip


@pytest.mark.parametrize("name", ROLE_TO_ROLE)
def test_a_role_that_another_accounts_role_enters(name: str) -> None:
    trust, policy, inputs, rules = ROLE_TO_ROLE[name]
    world = World()
    role_to_role(world, document(*trust), ci_inputs=inputs)
    if policy:
        world.add("RolePolicy", "enter", world.hub, role="ci", name="enter", policy=document(*policy))
    assert world.rules() == rules


@pytest.mark.parametrize(
    ("trust", "bounded", "lacks"),
    [(SERVICE, False, True), (SERVICE, True, False), (document(trusts(CI)), False, False)],
)
def test_a_policy_that_is_not_known_yet_can_deny_a_grant_that_is_known_and_gives_no_trust(
    trust: str, bounded: bool, lacks: bool
) -> None:
    world = World()
    role_to_role(world, trust, ci_inputs={"permissionsBoundary": UNKNOWN} if bounded else None)
    world.grant("ci", world.hub, DEPLOYER)
    world.add("RolePolicy", "data", world.hub, role="ci", name="data", policy=UNKNOWN)
    assert ("door-needs-trust" in world.refused) is lacks


CORRECT: dict[str, Callable[[World], object]] = {}
WRONG: dict[str, tuple[Callable[[World], object], list[str]]] = {}


def correct(build: Callable[[World], object]) -> Callable[[World], object]:
    CORRECT[build.__name__.replace("_", " ")] = build
    return build


def wrong(*rules: str) -> Callable[[Callable[[World], object]], Callable[[World], object]]:
    def register(build: Callable[[World], object]) -> Callable[[World], object]:
        WRONG[build.__name__.replace("_", " ")] = (build, sorted(rules))
        return build

    return register


@correct
def role_and_inline_grant(world: World) -> None:
    role_to_role(world, document(trusts(CI)))
    world.grant("ci", world.hub, DEPLOYER)


@correct
def grant_in_a_managed_policy_whose_arn_is_not_known_yet(world: World) -> None:
    role_to_role(world, document(trusts(CI)))
    managed(world, "RolePolicyAttachment", role="ci")


@correct
def role_whose_name_is_not_known_yet_beside_the_one_that_a_door_is_about(world: World) -> None:
    role_and_inline_grant(world)
    world.add("Role", "other", world.hub, name=UNKNOWN, assumeRolePolicy=SERVICE)


@correct
def grant_attached_to_many_at_once(world: World) -> None:
    role_to_role(world, document(trusts(CI)))
    managed(world, "PolicyAttachment", roles=["ci"])


@correct
def trust_in_the_account_and_grant_to_a_group(world: World) -> None:
    world.role("deployer", world.stage, document(trusts(arn(HUB, "root"), condition=MFA)))
    group(world)


@correct
def trust_in_a_user_and_grant_to_its_group(world: World) -> None:
    world.role("deployer", world.stage, document(trusts(arn(HUB, "user/alice"), condition=MFA)))
    group(world, "alice")


@correct
def trust_in_a_user_and_grant_to_a_group_that_lists_it(world: World) -> None:
    world.role("deployer", world.stage, document(trusts(arn(HUB, "user/alice"), condition=MFA)))
    group(world)
    user = world.add("User", "alice", world.hub, name="alice")
    world.add("GroupMembership", "members", world.hub, group="developers", made_from={"users": [user]})


@correct
def trust_in_a_user_and_grant_to_the_user(world: World) -> None:
    world.add("User", "alice", world.hub, name="alice")
    world.add("UserPolicy", "enter", world.hub, user="alice", name="enter", policy=document(grants(DEPLOYER)))
    world.role("deployer", world.stage, document(trusts(arn(HUB, "user/alice"), condition=MFA)))


@correct
def trust_in_a_service(world: World) -> None:
    world.role("deployer", world.stage)


@correct
def trust_in_the_roles_own_account(world: World) -> None:
    world.role("deployer", world.stage, document(trusts(arn(STAGE, "root"))))


@correct
def grant_within_the_account(world: World) -> None:
    world.role("ci", world.hub)
    world.grant("ci", world.hub, arn(HUB, "role/elsewhere"))


@correct
def grant_on_awss_own_access_role(world: World) -> None:
    world.role("ci", world.hub)
    world.grant("ci", world.hub, arn(STAGE, "role/OrganizationAccountAccessRole"))


@correct
def access_role_of_an_invited_account(world: World) -> None:
    world.role("OrganizationAccountAccessRole", world.stage, document(trusts(arn(HUB, "root"))))


@correct
def role_of_control_tower_that_trusts_the_management_account(world: World) -> None:
    """https://docs.aws.amazon.com/controltower/latest/userguide/enroll-manually.html. AWSControlTowerAdmin has
    https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSControlTowerServiceRolePolicy.html
    """
    world.add("Organization", "o", world.hub, outputs={"masterAccountId": HUB})
    world.role("AWSControlTowerExecution", world.stage, document(trusts(arn(HUB, "root"))))


@wrong("external-id")
def role_called_as_control_towers_that_trusts_another_account(world: World) -> None:
    world.add("Organization", "o", world.hub, outputs={"masterAccountId": HUB})
    world.role("AWSControlTowerExecution", world.stage, document(trusts(arn(PROD, "root"))))


@correct
def role_with_a_path(world: World) -> None:
    world.role("ci", world.hub)
    world.role("deployer", world.stage, document(trusts(CI)), path="/ops/")
    world.grant("ci", world.hub, arn(STAGE, "role/ops/deployer"))


@correct
def boundary_that_allows(world: World) -> None:
    boundary = world.add("Policy", "limit", world.hub, name="limit", policy=document(grants("*")))
    ci = world.role("ci", world.hub)
    world.change(
        ci,
        inputs={**(ci.inputs or {}), "permissionsBoundary": UNKNOWN},
        property_dependencies={"permissionsBoundary": (boundary.urn,)},
    )
    world.role("deployer", world.stage, document(trusts(CI)))
    world.grant("ci", world.hub, DEPLOYER)


@correct
def chain_through_a_third_account(world: World) -> None:
    prod = world.provider("shared-data", PROD)
    role_to_role(world, document(trusts(CI)))
    world.grant("ci", world.hub, DEPLOYER)
    world.role("inner", prod, document(trusts(DEPLOYER)))
    world.grant("deployer", world.stage, arn(PROD, "role/inner"))


@correct
def trust_alone_known_in_a_new_account_with_a_service(world: World) -> None:
    world.role("deployer", world.new_account())


@correct
def service_control_policy_that_denies_something_else(world: World) -> None:
    chain_through_a_third_account(world)
    guard(world, document(grants("*", effect="Deny", action="s3:*")))


@correct
def trust_in_the_access_role_of_a_member_account(world: World) -> None:
    """AWS makes it with AdministratorAccess, which grants it every role."""
    access_role = arn(STAGE, "role/OrganizationAccountAccessRole")
    world.role("inner", world.provider("tools", PROD), document(trusts(access_role)))


@correct
def provider_that_enters_by_a_web_identity(world: World) -> None:
    role = json.dumps({"roleArn": arn(PROD, "role/deploy"), "webIdentityToken": "x"})
    prod = world.add("Provider", "prod", allowedAccountIds=f'["{PROD}"]', assumeRoleWithWebIdentity=role)
    world.role("ci", world.hub)
    world.role("deployer", prod, document(trusts(CI)))
    world.grant("ci", world.hub, arn(PROD, "role/deployer"))


@correct
def grant_of_a_role_that_the_program_only_reads(world: World) -> None:
    inline = [{"name": "enter", "policy": document(grants(DEPLOYER))}]
    outputs = {"name": "ci", "assumeRolePolicy": SERVICE, "inlinePolicies": inline}
    world.add("Role", "ci", world.hub, outputs=outputs)
    world.role("deployer", world.stage, document(trusts(CI)))


@correct
def grant_of_this_program_to_a_role_that_it_only_reads(world: World) -> None:
    """Measured on the engine: a policy is shown nothing that is read, and what is made from it depends on its URN."""
    world.change(world.grant("ci", world.hub, DEPLOYER), made_from_hidden=frozenset({"role"}))
    trusting = world.role("deployer", world.stage, document(trusts(CI)))
    world.change(trusting, made_from_hidden=frozenset({"assumeRolePolicy"}))


@correct
def trust_of_a_role_that_was_read_as_a_state_shows_it(world: World) -> None:
    world.role("ci", world.hub)
    world.grant("ci", world.hub, DEPLOYER)
    shown = {"name": "deployer", "path": "/", "arn": DEPLOYER, "assumeRolePolicy": document(trusts(CI))}
    world.change(world.add("Role", "read", world.stage, outputs=shown), inputs={})


@correct
def grant_to_a_role_whose_name_is_written_in_another_case(world: World) -> None:
    role_to_role(world, document(trusts(CI)))
    world.grant("CI", world.hub, DEPLOYER)


@correct
def trust_in_one_member_of_the_group_that_holds_the_grant(world: World) -> None:
    world.role("deployer", world.stage, document(trusts(arn(HUB, "user/alice"), condition=MFA)))
    group(world, "alice", "bob")


@wrong("wildcard-grant")
def trust_in_one_member_of_the_group_that_holds_a_grant_by_a_pattern(world: World) -> None:
    world.role("deployer", world.stage, document(trusts(arn(HUB, "user/alice"), condition=MFA)))
    group(world, "alice", "bob")
    replaced(world, "enter", policy=document(grants(arn(STAGE, "role/deploye?"))))


def guard(world: World, content: str) -> None:
    policy = world.add("ControlPolicy", "guard", world.hub, name="guard", content=content)
    world.add("ControlPolicyAttachment", "guard", world.hub, made_from={"policyId": [policy]}, targetId=STAGE)


@wrong("door-needs-grant")
def managed_policy_that_is_not_attached(world: World) -> None:
    role_to_role(world, document(trusts(CI)))
    world.add("Policy", "enter", world.hub, name="enter", policy=document(grants(DEPLOYER)))


@wrong("door-needs-grant")
def second_principal_without_grant(world: World) -> None:
    role_to_role(world, document(trusts(CI, arn(HUB, "role/cd"))))
    world.role("cd", world.hub)
    world.grant("ci", world.hub, DEPLOYER)


@wrong("door-needs-grant", "door-needs-trust")
def path_forgotten_in_the_grant(world: World) -> None:
    world.role("ci", world.hub)
    world.role("deployer", world.stage, document(trusts(CI)), path="/ops/")
    world.grant("ci", world.hub, DEPLOYER)


@wrong("door-needs-grant")
def grant_that_an_explicit_deny_kills(world: World) -> None:
    role_to_role(world, document(trusts(CI)))
    policy = document(grants(DEPLOYER), grants("*", effect="Deny"))
    world.add("RolePolicy", "enter", world.hub, role="ci", name="enter", policy=policy)


@wrong("door-needs-grant")
def grant_that_a_boundary_kills(world: World) -> None:
    limit = arn(HUB, "policy/limit")
    world.add("Policy", "limit", world.hub, name="limit", policy=document(grants("*", action="s3:*")))
    role_to_role(world, document(trusts(CI)), ci_inputs={"permissionsBoundary": limit})
    world.grant("ci", world.hub, DEPLOYER)


@wrong("door-needs-grant")
def grant_that_a_service_control_policy_kills(world: World) -> None:
    chain_through_a_third_account(world)
    guard(world, document(grants("*", effect="Deny")))


@wrong("door-needs-grant", "door-needs-trust")
def grant_to_a_group_that_the_user_is_not_in(world: World) -> None:
    world.role("deployer", world.stage, document(trusts(arn(HUB, "user/bob"), condition=MFA)))
    world.add("User", "bob", world.hub, name="bob")
    group(world, "alice")


@wrong("door-needs-trust")
def grant_on_the_access_role_from_a_member_account(world: World) -> None:
    world.provider("prod", PROD)
    world.role("sneak", world.stage)
    world.grant("sneak", world.stage, arn(PROD, "role/OrganizationAccountAccessRole"))


@wrong("unproved-door")
def grant_on_a_role_of_an_account_outside_the_stack(world: World) -> None:
    world.role("ci", world.hub)
    world.grant("ci", world.hub, arn(PROD, "role/deployer"))


@wrong("unproved-door")
def grant_on_the_access_role_of_an_account_that_is_not_shown(world: World) -> None:
    world.role("ci", world.hub)
    world.grant("ci", world.hub, arn(OUTSIDE, "role/OrganizationAccountAccessRole"))


@wrong("unproved-door")
def attachment_that_a_list_of_all_who_have_the_policy_removes(world: World) -> None:
    role_to_role(world, document(trusts(arn(HUB, "root"))))
    world.role("other", world.hub)
    world.add("Policy", "enter", world.hub, name="enter", policy=document(grants(DEPLOYER)))
    world.add("RolePolicyAttachment", "one", world.hub, role="ci", policyArn=arn(HUB, "policy/enter"))
    world.add("PolicyAttachment", "all", world.hub, roles=["other"], policyArn=arn(HUB, "policy/enter"))


@wrong("door-needs-grant", "door-needs-trust", "unproved-door")
def membership_that_a_list_of_the_whole_group_removes(world: World) -> None:
    world.role("deployer", world.stage, document(trusts(arn(HUB, "user/alice"), condition=MFA)))
    world.add("User", "alice", world.hub, name="alice")
    world.add("Group", "staff", world.hub, name="staff")
    world.add("GroupPolicy", "enter", world.hub, group="staff", name="enter", policy=document(grants(DEPLOYER)))
    world.add("UserGroupMembership", "one", world.hub, user="alice", groups=["staff"])
    world.add("GroupMembership", "all", world.hub, group="staff", users=["bob"])


def role_of_the_name_of_a_user(world: World, name: str) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html"""
    world.role(name, world.stage, document(trusts(arn(HUB, "user/alice"), condition=MFA)))
    world.add("User", "alice", world.hub, name="alice")
    own = document(grants(arn(STAGE, "role/${aws:username}")))
    world.add("UserPolicy", "own", world.hub, user="alice", name="own", policy=own)


@correct
def grant_of_the_role_of_a_users_own_name(world: World) -> None:
    role_of_the_name_of_a_user(world, "alice")


@wrong("door-needs-grant", "door-needs-trust")
def grant_of_the_role_of_another_name(world: World) -> None:
    role_of_the_name_of_a_user(world, "bob")


@wrong("unproved-door")
def attachment_to_a_known_user_and_to_one_that_is_not_known(world: World) -> None:
    world.role("deployer", world.stage, document(trusts(HUB, condition=MFA)))
    alice = world.add("User", "alice", world.hub, name="alice")
    managed(world, "PolicyAttachment", users=["alice", UNKNOWN])
    (attached,) = [one for one in world.resources if one.name == "attached"]
    world.change(attached, property_dependencies={**attached.property_dependencies, "users": (alice.urn,)})


@wrong("provider-enters-its-account", "unproved-door")
def provider_pinned_to_what_is_no_account(world: World) -> None:
    odd = world.add("Provider", "odd", allowedAccountIds='["2222"]')
    world.role("deployer", odd, document(trusts(CI)))
    world.role("ci", world.hub)


@wrong("unproved-door")
def grant_that_is_not_known_yet(world: World) -> None:
    deployer = world.role("deployer", world.new_account(), document(trusts(CI)))
    world.role("ci", world.hub)
    world.add("RolePolicy", "enter", world.hub, role="ci", name="enter", made_from={"policy": [deployer]})


@wrong("unproved-door")
def attachment_of_something_not_known_yet(world: World) -> None:
    world.role("ci", world.hub)
    world.add("RolePolicyAttachment", "enter", world.hub, role="ci", policyArn=UNKNOWN)


@wrong("door-needs-grant")
def new_account_without_grant(world: World) -> None:
    world.role("deployer", world.new_account(), document(trusts(CI)))
    world.role("ci", world.hub)


@wrong("provider-enters-its-account", "unproved-door")
def role_under_a_provider_that_is_not_pinned(world: World) -> None:
    loose = world.provider("loose", STAGE, assume=False, pin=False)
    world.role("ci", world.hub)
    world.role("deployer", loose, document(trusts(CI)))
    world.grant("ci", world.hub, DEPLOYER)


@pytest.mark.parametrize("name", CORRECT)
def test_a_correct_stack_passes_in_silence(name: str) -> None:
    assert [finding.text for finding in world_of(CORRECT[name]).findings()] == []


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_stack_is_refused_by_these_rules_and_no_other(name: str) -> None:
    build, rules = WRONG[name]
    assert world_of(build).rules() == rules


def test_outputs_that_still_list_a_removed_grant_do_not_hide_that_it_is_gone() -> None:
    """A role's outputs list inline policies that other resources made, until the next refresh."""
    world = two_keys(granted=False)
    ci = world.resources[2]
    stale = [{"name": "enter", "policy": document(grants(DEPLOYER))}]
    world.change(ci, outputs={**ci.outputs, "inlinePolicies": stale})
    assert world.rules() == ["door-needs-grant"]


# What is said ---------------------------------------------------------------------------------------------------------

Said = tuple[str, str, str, str, str]
SAID: dict[str, tuple[Callable[[World], object], list[Said]]] = {}
NO_PROOF, NO_GRANT, NO_TRUST = "a key is not proved", "the grant key is missing", "the trust key is missing"
TRUSTS = f"Role {DEPLOYER} in account {STAGE} trusts"
TRUSTS_CI = f"{TRUSTS} {CI} of account {HUB}, but"
HOLDS = f"Role ci of account {HUB} is granted sts:AssumeRole on"
BETWEEN = f"The door from {CI} of account {HUB} to role {DEPLOYER} in account {STAGE}"
DOOR = f"{CI} -> {DEPLOYER}"
OTHER = arn(STAGE, "role/other")
LOOSE = "arn:aws:iam::account:unpinned--loose:role"
NOT_PINNED = "account unknown (provider loose is not pinned)"
PIN = (
    "set allowed_account_ids of that provider to the one account that it works in (of a default provider: "
    "aws:allowedAccountIds in the stack's config, or `twokeys preview --account ID`)"
)
EXCEPT = "make an exception in the pack's configuration, with reason, owner and expiry"
READ_TOO = (
    'name the state of %s in the configuration of the policy pack: {"other-stacks": {"states": ["FILE"]}} '
    "(or read it by the component OtherStack; before it has a state, `twokeys preview` takes both stacks)"
)
IF_ELSEWHERE = f", or, if it is made in another stack, {READ_TOO % 'that stack'}"
ELSEWHERE = f"{READ_TOO % 'the stack that holds the %s'}, or {EXCEPT}"
GRANT_FIRST = (
    f"{READ_TOO % 'the stack that holds the trust'}; where another stack has still to make the trust, this grant goes "
    "first, as alone it opens nothing, by an exception until that stack is updated and its state exported again: "
    '{"unproved-door": {"exceptions": [{"door": "%s", "reason": "its trust comes next", "owner": "...", '
    '"expires": "YYYY-MM-DD", "stack": "twokeys/stage"}]}}'
)
BUT_OF_AWS = " but OrganizationAccountAccessRole"  # https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_access.html
GIVE = f"give role ci a policy that allows sts:AssumeRole on {DEPLOYER}, or take role ci out of the trust policy"
LET = f"let role ci assume {DEPLOYER} there too (%s), or take role ci out of the trust policy"
NARROW = "narrow the Deny of %s, or take role ci out of the trust policy"
BOUNDED, DENIED = "permissions boundary does not allow it", "inline policy enter of role ci denies it"
ADD = "add %s to the Principal of that role's trust policy, or remove the grant"
MEMBERS = "those members of the group who are to come in (AWS takes no group there)"
NEITHER = f"but the trust policy of that role names neither it nor its account: {NO_TRUST}"
UNSEEN = "is made from something that this program only reads, and the engine shows a policy nothing that is only read"
IMPORT = (
    "take that role into this program (option import_), so that the pack is shown its policies, read the stack that "
    f"makes it by the component OtherStack, or {EXCEPT}"
)
ADMINS = arn(HUB, "role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admins_0123456789abcdef")


def says(*said: Said) -> Callable[[Callable[[World], object]], Callable[[World], object]]:
    """What is the matter, message, next step, door, and the resource that it is shown at."""

    def register(build: Callable[[World], object]) -> Callable[[World], object]:
        SAID[build.__name__.replace("_", " ")] = (build, list(said))
        return build

    return register


def prod_is_listed(world: World) -> None:
    outputs = {"id": "o-a1b2c3d4e5", "masterAccountId": HUB, "accounts": [{"id": PROD}]}
    world.add("Organization", "o", world.hub, outputs=outputs)


def trusted(world: World, *principals: str, provider: Resource | None = None) -> Resource:
    return world.role("deployer", provider or world.stage, document(trusts(*principals)))


def not_pinned(world: World) -> Resource:
    return world.provider("loose", STAGE, assume=False, pin=False)


says(
    (NO_GRANT, f"{TRUSTS} {arn(HUB, 'role/cd')} of account {HUB}, but no policy of role cd grants sts:AssumeRole on it"
     f": {NO_GRANT}", GIVE.replace("ci", "cd"), DOOR.replace("/ci", "/cd"), "deployer"),
)(second_principal_without_grant)  # fmt: skip
says((NO_GRANT, f"{TRUSTS_CI} {BOUNDED}: {NO_GRANT}", LET % BOUNDED, DOOR, "deployer"))(grant_that_a_boundary_kills)
says((NO_GRANT, f"{TRUSTS_CI} {DENIED}: {NO_GRANT}", NARROW % "inline policy enter of role ci", DOOR, "deployer"))(
    grant_that_an_explicit_deny_kills
)
says(
    (NO_GRANT, f"Role arn:aws:iam::account:new:role/deployer in account new (id not known yet) trusts {CI} of account "
     f"{HUB}, but no policy of role ci grants sts:AssumeRole on it: {NO_GRANT}",
     "give role ci a policy that allows sts:AssumeRole on arn:aws:iam::account:new:role/deployer (with "
     "CrossAccountAccess or `twokeys.declared`, as that id is not known yet), or take role ci out of the trust "
     "policy",
     f"{CI} -> arn:aws:iam::account:new:role/deployer", "deployer"),
)(new_account_without_grant)  # fmt: skip
says(
    (NO_PROOF, f"The role deployer lives in {NOT_PINNED}, and its trust policy names {CI}: whether that is a door is "
     "not proved", PIN, f"* -> {LOOSE}/deployer", "deployer"),
    (NO_PROOF, f"{HOLDS} {DEPLOYER} in account {STAGE}, but the role of that name lives in {NOT_PINNED}: the trust key "
     "is not proved", PIN, DOOR, "ci-grant"),
)(role_under_a_provider_that_is_not_pinned)  # fmt: skip
says(
    (NO_GRANT, f"{TRUSTS} {arn(HUB, 'user/bob')} of account {HUB}, but no policy of user bob grants sts:AssumeRole on "
     f"it: {NO_GRANT}", GIVE.replace("role ci", "user bob"), f"{arn(HUB, 'user/bob')} -> {DEPLOYER}", "deployer"),
    *((NO_TRUST, f"{who.capitalize()} of account {HUB} is granted sts:AssumeRole on role {DEPLOYER} in account {STAGE}"
       f", {NEITHER}", ADD % named, f"{arn(HUB, who.replace(' ', '/'))} -> {DEPLOYER}", "deployer")
      for who, named in (("group developers", MEMBERS), ("user alice", arn(HUB, "user/alice")))),
)(grant_to_a_group_that_the_user_is_not_in)  # fmt: skip
says(
    (NO_PROOF, f"{HOLDS} {arn(PROD, 'role/deployer')} in account {PROD}, but that account is not in this stack and no "
     "stack reference shows the role's trust: the trust key is not proved",
     GRANT_FIRST % f"{CI} -> {arn(PROD, 'role/deployer')}",
     f"{CI} -> {arn(PROD, 'role/deployer')}", "ci-grant"),
)(grant_on_a_role_of_an_account_outside_the_stack)  # fmt: skip


@says((NO_TRUST, f"{HOLDS} role {DEPLOYER} in account {STAGE}, but trust policy (NotNow) denies it: {NO_TRUST}",
       "narrow the Deny of trust policy (NotNow), or remove the grant", DOOR, "deployer"))  # fmt: skip
def denial_in_the_trust(world: World) -> None:
    role_to_role(world, document(trusts(CI), {**trusts(CI, effect="Deny"), "Sid": "NotNow"}))
    world.grant("ci", world.hub, DEPLOYER)


@says((NO_TRUST, f"{HOLDS} role {DEPLOYER} in account {STAGE}, but the trust policy of that role admits it only "
       f"under aws:PrincipalAccount StringEquals {PROD} (it has {HUB}) and aws:username StringLike a* (it has none), "
       f"which it cannot meet: {NO_TRUST}", "correct that condition, or remove the grant", DOOR,
       "deployer"))  # fmt: skip
def condition_in_the_trust_that_keeps_out_whom_it_names(world: World) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html"""
    mistyped = {"StringEquals": {"aws:PrincipalAccount": PROD}, "StringLike": {"aws:username": "a*"}, **MFA}
    role_to_role(world, document(trusts(CI, condition=mistyped)))
    world.grant("ci", world.hub, DEPLOYER)


@says((NO_TRUST, f"Group developers of account {HUB} is granted sts:AssumeRole on role {DEPLOYER} in account {STAGE}, "
       "but the trust policy of that role admits it only under aws:PrincipalOrgID StringEquals o-9z8y7x6w5v (it has "
       f"o-a1b2c3d4e5), which it cannot meet: {NO_TRUST}", "correct that condition, or remove the grant",
       f"{arn(HUB, 'group/developers')} -> {DEPLOYER}", "deployer"))  # fmt: skip
def mistyped_organization_in_the_trust_in_an_account(world: World) -> None:
    prod_is_listed(world)
    group(world)
    mistyped = {"StringEquals": {"aws:PrincipalOrgID": "o-9z8y7x6w5v"}}
    world.role("deployer", world.stage, document(trusts(arn(HUB, "root"), condition=mistyped)))


@says((NO_GRANT, f"{TRUSTS_CI} role ci is granted it only under aws:PrincipalAccount StringEquals {PROD} (it has {HUB})"
       f", which it cannot meet: {NO_GRANT}", "correct that condition, or take role ci out of the trust policy", DOOR,
       "deployer"))  # fmt: skip
def condition_in_the_grant_that_its_holder_cannot_meet(world: World) -> None:
    role_to_role(world, document(trusts(CI)))
    never = {"Condition": {"StringEquals": {"aws:PrincipalAccount": PROD}}}
    policy = document({**grants(DEPLOYER), **never})
    world.add("RolePolicy", "enter", world.hub, role="ci", name="enter", policy=policy)


# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_Date
@says((NO_GRANT, f"{TRUSTS_CI} no policy of role ci grants sts:AssumeRole on it: {NO_GRANT}",
       GIVE.replace(", or", ", whose trust policy admits it until 2026-10-31, or"), DOOR, "deployer"))  # fmt: skip
def trust_with_an_end_and_no_grant(world: World) -> None:
    role_to_role(world, document(trusts(CI, condition={"DateLessThan": {"aws:CurrentTime": "2026-11-01T00:00:00Z"}})))


THERE = "with a provider of account %s, if that is meant, or"


@says((NO_TRUST, f"{HOLDS} {DEPLOYER} in account {STAGE}, but no role of this stack answers to that and trusts it: "
       f"{NO_TRUST}", f"make role deployer {THERE % STAGE} add the role with a trust policy that "
       f"names {CI}, or correct the ARN, or remove the grant{IF_ELSEWHERE}", DOOR, "deployer"))  # fmt: skip
def role_made_by_the_provider_of_the_account_that_is_to_come_in(world: World) -> None:
    world.role("ci", world.hub)
    world.grant("ci", world.hub, DEPLOYER)
    trusted(world, CI, provider=world.hub)


@says((NO_GRANT, f"{TRUSTS_CI} this stack has neither that role nor a grant for it: {NO_GRANT}",
       f"make role ci {THERE % HUB} {GIVE}{IF_ELSEWHERE}", DOOR,
       "deployer"))  # fmt: skip
def caller_made_by_the_provider_of_the_account_that_it_is_to_enter(world: World) -> None:
    world.role("ci", world.stage)
    trusted(world, CI)


@says((NO_GRANT, f"{TRUSTS_CI} this stack has neither that role nor a grant for it: {NO_GRANT}", GIVE + IF_ELSEWHERE,
       DOOR, "deployer"))  # fmt: skip
def trust_in_a_role_that_is_not_here(world: World) -> None:
    trusted(world, CI)


# Names are unique whatever their case, but an ARN is compared with it, and with its path:
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
@says((NO_GRANT, f"{TRUSTS} {arn(HUB, 'role/CI')} of account {HUB}, but this stack has neither that role nor a grant "
       f"for it: {NO_GRANT}", f"write {CI}, if that is meant, or {GIVE.replace('role ci', 'role CI')}{IF_ELSEWHERE}",
       f"{arn(HUB, 'role/CI')} -> {DEPLOYER}", "deployer"))  # fmt: skip
def trust_in_a_role_that_differs_by_case(world: World) -> None:
    world.role("ci", world.hub)
    trusted(world, arn(HUB, "role/CI"))


@says((NO_GRANT, f"{TRUSTS} {arn(HUB, 'role/cj')} of account {HUB}, but this stack has neither that role nor a grant "
       f"for it: {NO_GRANT}", f"{GIVE.replace('role ci', 'role cj')}{IF_ELSEWHERE}",
       f"{arn(HUB, 'role/cj')} -> {DEPLOYER}", "deployer"),
      (NO_TRUST, f"{HOLDS} role {DEPLOYER} in account {STAGE}, {NEITHER}", ADD % CI, DOOR, "deployer"))  # fmt: skip
def trust_in_a_misspelt_short_name_whose_grant_is_here(world: World) -> None:
    world.role("ci", world.hub)
    world.grant("ci", world.hub, DEPLOYER)
    trusted(world, arn(HUB, "role/cj"))


@says((NO_TRUST, f"{HOLDS} {arn(STAGE, 'role/app/other')} in account {STAGE}, but no role of this stack answers to "
       f"that and trusts it: {NO_TRUST}", f"write {OTHER}, if that is meant, or add the role with a trust policy that "
       f"names {CI}, or correct the ARN, or remove the grant{IF_ELSEWHERE}", f"{CI} -> {arn(STAGE, 'role/app/other')}",
       "ci-grant"))  # fmt: skip
def grant_on_a_role_that_differs_by_its_path(world: World) -> None:
    world.role("ci", world.hub)
    world.role("other", world.stage)
    world.grant("ci", world.hub, arn(STAGE, "role/app/other"))


@says((NO_PROOF, f"{TRUSTS} {arn(PROD, 'role/ci')} of account {PROD}, but that account is not in this stack and no "
       "stack reference shows a grant: the grant key is not proved", ELSEWHERE % "grant",
       f"{arn(PROD, 'role/ci')} -> {DEPLOYER}", "deployer"))  # fmt: skip
def trust_in_a_role_of_an_account_that_is_only_listed(world: World) -> None:
    prod_is_listed(world)
    trusted(world, arn(PROD, "role/ci"))


@says(*((NO_PROOF, f"{TRUSTS} {whom} as a whole, but no principal of this stack or of a referenced one{BUT_OF_AWS} is "
         "granted it: the grant key is not proved", first + ELSEWHERE % "grant", f"{named} -> {DEPLOYER}", "deployer")
        for named, whom, first in ((arn(PROD, "root"), f"account {PROD}", ""),
                                   ("o-a1b2c3d4e5", "organization o-a1b2c3d4e5",
                                    "name the principals that shall enter, "))))  # fmt: skip
def trust_in_many_of_whom_nobody_is_here(world: World) -> None:
    prod_is_listed(world)
    of_organization = trusts("*", condition={"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}})
    world.role("deployer", world.stage, document(trusts(PROD), of_organization))


@says((NO_GRANT, f"{TRUSTS} account {HUB} as a whole, but nobody there is granted sts:AssumeRole on it by this stack: "
       f"{NO_GRANT}", f"give those who shall enter a policy that allows sts:AssumeRole on {DEPLOYER}{IF_ELSEWHERE}",
       f"{arn(HUB, 'root')} -> {DEPLOYER}", "deployer"))  # fmt: skip
def trust_in_an_account_of_the_stack(world: World) -> None:
    trusted(world, HUB)


@says((NO_PROOF, f"{TRUSTS} {ADMINS} of account {HUB}, but what that role may do is said by a permission set of IAM "
       "Identity Center, which is not read: the grant key is not proved",
       f"see that the permission set allows sts:AssumeRole on {DEPLOYER}, and {EXCEPT}; or let people enter that "
       "account itself by a permission set (`via: identity-center`)",
       f"{ADMINS} -> {DEPLOYER}", "deployer"))  # fmt: skip
def trust_in_the_role_of_a_permission_set(world: World) -> None:
    """Nobody but AWS changes such a role.

    https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html
    """
    trusted(world, ADMINS)


@says(
    (NO_PROOF, f"The role ci lives in {NOT_PINNED}, and it is granted {DEPLOYER}: whether that is a door is not proved",
     PIN, f"* -> {LOOSE}/ci", "ci"),
    (NO_PROOF, f"{TRUSTS_CI} role ci of this stack lives in {NOT_PINNED}: the grant key is not proved", PIN, DOOR,
     "deployer"),
)  # fmt: skip
def grant_to_a_role_that_is_not_pinned(world: World) -> None:
    hub = not_pinned(world)
    world.role("ci", hub)
    world.grant("ci", hub, DEPLOYER)
    trusted(world, CI)


@says((NO_PROOF, f"The user ann lives in {NOT_PINNED}, and it is granted {OTHER}: whether that is a door is not proved",
       PIN, f"{LOOSE[:-4]}user/ann -> *", "ann"))  # fmt: skip
def grant_of_a_user_who_is_not_pinned_on_a_role_that_is_not_here(world: World) -> None:
    hub = not_pinned(world)
    world.add("User", "ann", hub, name="ann")
    world.add("UserPolicy", "enter", hub, user="ann", name="enter", policy=document(grants(OTHER)))


@says((NO_PROOF, f"The role deployer lives in {NOT_PINNED}, and its trust policy names {arn(HUB, 'root')}: whether "
       "that is a door is not proved", PIN, f"* -> {LOOSE}/deployer", "deployer"))  # fmt: skip
def trust_of_a_role_that_is_not_pinned_in_an_account(world: World) -> None:
    trusted(world, arn(HUB, "root"), provider=not_pinned(world))


@says((NO_PROOF, f"{BETWEEN} is not proved: the name of role ci is not known yet, so nothing says which documents are "
       "about it", "give role ci a name that is known in preview", DOOR, "ci"))  # fmt: skip
def trust_where_the_name_of_a_role_there_is_not_known_yet(world: World) -> None:
    world.add("Role", "ci", world.hub, name=UNKNOWN, assumeRolePolicy=SERVICE)
    trusted(world, CI)


@says((NO_PROOF, f"{BETWEEN} is not proved: the path of role ci is not known yet, so nothing says which documents are "
       "about it", "give role ci a path that is known in preview", DOOR, "ci"))  # fmt: skip
def grant_to_a_role_whose_path_is_not_known_yet(world: World) -> None:
    world.role("ci", world.hub, path=UNKNOWN)
    world.grant("ci", world.hub, DEPLOYER)
    trusted(world, CI)


@says((NO_PROOF, f"{HOLDS} {OTHER} in account {STAGE}, but the name of a role of this stack there is not known yet: "
       "the trust key is not proved", "give that role a name and a path that are known in preview",
       f"{CI} -> {OTHER}", "ci-grant"))  # fmt: skip
def grant_where_the_name_of_a_role_there_is_not_known_yet(world: World) -> None:
    world.role("ci", world.hub)
    world.grant("ci", world.hub, OTHER)
    world.add("Role", "target", world.stage, name=UNKNOWN, assumeRolePolicy=SERVICE)


@says((NO_PROOF, f"{BETWEEN} has a grant key that is not proved: managed policy elsewhere: "
       f"{arn(HUB, 'policy/elsewhere')} is made outside this stack",
       f"take that policy into this program, so that the pack is shown what it says, or {EXCEPT}", DOOR,
       "deployer"))  # fmt: skip
def boundary_that_is_made_elsewhere(world: World) -> None:
    role_to_role(world, document(trusts(CI)), ci_inputs={"permissionsBoundary": arn(HUB, "policy/elsewhere")})
    world.grant("ci", world.hub, DEPLOYER)


@says((NO_GRANT, f"{BETWEEN} has two keys that no request can turn at once: sts:ExternalId StringEquals (not shown) "
       "and sts:ExternalId StringEquals (not shown)",
       "let the grant and the trust policy ask for the same, or remove one of them", DOOR, "deployer"))  # fmt: skip
def keys_that_exclude_each_other(world: World) -> None:
    asking = [{"Condition": {"StringEquals": {"sts:ExternalId": value}}} for value in "xy"]
    role_to_role(world, document({**trusts(CI), **asking[0]}))
    policy = document({**grants(DEPLOYER), **asking[1]})
    world.add("RolePolicy", "enter", world.hub, role="ci", name="enter", policy=policy)


AWS_POLICY = "arn:aws:iam::aws:policy"


def made_elsewhere(roles: int) -> Callable[[World], object]:
    def build(world: World) -> None:
        loose = not_pinned(world)
        world.role("lost", loose)
        for role, policy, provider in (("lost", "x", loose), ("ci", "some", world.hub), ("ci", "more", world.hub)):
            given = arn(HUB, f"policy/{policy}")
            world.add("RolePolicyAttachment", policy, provider, role=role, policyArn=given)
        world.add("RolePolicyAttachment", "read", world.hub, role="ci", policyArn=f"{AWS_POLICY}/ReadOnlyAccess")
        world.role("ci", world.hub)
        for number in range(roles):
            world.role(f"r{number}", world.stage, document(trusts(arn(HUB, "root"))))

    return build


OF_ELSEWHERE = "; ".join(
    f"managed policy {name}: {arn(HUB, f'policy/{name}')} is made outside this stack" for name in ("some", "more")
)
for roles, more in ((3, ""), (4, " and 1 more")):
    SAID[f"policies made elsewhere under {roles} trusts"] = (made_elsewhere(roles), [
        (NO_PROOF, f"What role ci of account {HUB} may enter is not proved: {OF_ELSEWHERE}; trust policies leave it to "
         "such grants who enters "
         + ", ".join(f"{arn(STAGE, f'role/r{number}')} in account {STAGE}" for number in range(3)) + more,
         f"take that policy into this program, so that the pack is shown what it says, or {EXCEPT}", f"{CI} -> *",
         "ci"),
    ])  # fmt: skip


@says(*((NO_PROOF, f"The role {name} lives in {NOT_PINNED}, and its trust policy names {whom}: whether that is a door "
         "is not proved", PIN, f"* -> {LOOSE}/{name}", name)
        for name, whom in (("asking", CI), ("open", arn(OUTSIDE, "root")))))  # fmt: skip
def trusts_of_roles_that_are_not_pinned(world: World) -> None:
    """A third party with an external ID comes from outside wherever the role lives."""
    loose, asking = not_pinned(world), {"StringEquals": {"sts:ExternalId": "x"}}
    federated = {"Effect": "Allow", "Principal": {"Federated": "accounts.google.com"}}
    world.role("federated", loose, document({**federated, "Action": "sts:AssumeRoleWithWebIdentity"}))
    world.role("third", loose, document(trusts(arn(OUTSIDE, "root"), condition=asking)))
    world.role("asking", loose, document(trusts(CI, condition=asking)))
    world.role("open", loose, document(trusts(arn(OUTSIDE, "root"))))


GOV_HUB, GOV_STAGE = (f"arn:aws-us-gov:iam::{account}" for account in (HUB, STAGE))


@says(
    (NO_TRUST, f"Group staff of account {HUB} is granted sts:AssumeRole on role {GOV_STAGE}:role/closed in account "
     f"{STAGE}, {NEITHER}", ADD % MEMBERS,
     f"{GOV_HUB}:group/staff -> {GOV_STAGE}:role/closed", "closed"),
    (NO_GRANT, f"Role {GOV_STAGE}:role/open in account {STAGE} trusts account {HUB} as a whole, but nobody there is "
     f"granted sts:AssumeRole on it by this stack: {NO_GRANT}", "give those who shall enter a policy that allows "
     f"sts:AssumeRole on {GOV_STAGE}:role/open{IF_ELSEWHERE}",
     f"{GOV_HUB}:root -> {GOV_STAGE}:role/open", "open"),
)  # fmt: skip
def halves_of_doors_in_another_partition(world: World) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html"""
    world.resources.clear()
    hub, stage = (
        world.add("Provider", name, region="us-gov-west-1", allowedAccountIds=json.dumps([account]))
        for name, account in (("hub", HUB), ("stage", STAGE))
    )
    world.add("Group", "staff", hub, name="staff")
    policy = document(grants(f"{GOV_STAGE}:role/closed"))
    world.add("GroupPolicy", "enter", hub, group="staff", name="enter", policy=policy)
    world.role("closed", stage)
    world.role("open", stage, document(trusts(HUB)))


@says((NO_TRUST, f"{HOLDS} role {DEPLOYER} in account {STAGE}, {NEITHER}", ADD % CI, DOOR, "deployer"))
def policy_of_a_role_that_is_not_here(world: World) -> None:
    world.grant("ci", world.hub, DEPLOYER)
    world.role("deployer", world.stage)


WAITING = (
    "write the document from values that are known in preview, such as an ARN that is written out (a role's, where it "
    "has a `name`; a trust policy's with `depends_on` that role), or create what it waits for in an earlier update, or "
    "declare it as `python -m pydoc twokeys.declared` shows"
)


@says(
    (NO_PROOF, "The inline policy enter of role ci is not proved: it is not known yet and no component declares it",
     WAITING, f"{arn(STAGE, 'role/ci')} -> *", "enter"),
    (NO_PROOF, f"{TRUSTS} organization o-a1b2c3d4e5 as a whole, but no principal of this stack or of a referenced one"
     f"{BUT_OF_AWS} is granted it: the grant key is not proved",
     "name the principals that shall enter, " + ELSEWHERE % "grant", f"o-a1b2c3d4e5 -> {DEPLOYER}", "deployer"),
    (NO_GRANT, f"{TRUSTS} account {HUB} as a whole, but nobody there is granted sts:AssumeRole on it by this stack: "
     f"{NO_GRANT}", f"give those who shall enter a policy that allows sts:AssumeRole on {DEPLOYER}{IF_ELSEWHERE}",
     f"{arn(HUB, 'root')} -> {DEPLOYER}", "deployer"),
)  # fmt: skip
def trust_in_an_organization_beside_a_policy_of_its_own_account_that_is_not_known_yet(world: World) -> None:
    """Within the role's account a trust in everyone needs no grant, so whoever holds one there tells of no other."""
    prod_is_listed(world)
    of_organization = trusts("*", condition={"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}})
    world.role("deployer", world.stage, document(of_organization, trusts(HUB)))
    world.role("ci", world.stage)
    world.add("RolePolicy", "enter", world.stage, role="ci", name="enter", policy=UNKNOWN)


@says((NO_PROOF, f"{HOLDS} {arn(STAGE, 'role/ops/deployer')} in account {STAGE}, but the role of that name lives in "
       f"{NOT_PINNED}: the trust key is not proved", PIN, f"{CI} -> {arn(STAGE, 'role/ops/deployer')}",
       "ci-grant"))  # fmt: skip
def grant_on_a_role_with_a_path_that_is_not_pinned(world: World) -> None:
    world.role("deployer", not_pinned(world), path="/ops/")
    world.role("ci", world.hub)
    world.grant("ci", world.hub, arn(STAGE, "role/ops/deployer"))


SHOW = "export the state with `pulumi stack export --show-secrets --file FILE`, and keep that file to yourself"


@says(
    (NO_PROOF, "The inline policy enter of role ci is not proved: what is not known yet in it may let somebody in: "
     "Statement[0].Resource", SHOW, f"{CI} -> *", "enter"),
    (NO_PROOF, f"{BETWEEN} has a grant key that is not proved: Resource of statement 0 of the identity-based policy 1",
     SHOW, DOOR, "deployer"),
)  # fmt: skip
def grant_in_a_secret_that_is_not_shown(world: World) -> None:
    role_to_role(world, document(trusts(CI)))
    policy = {"Version": "2012-10-17", "Statement": [{**grants(), "Resource": UNKNOWN}]}
    enter = world.add("RolePolicy", "enter", world.hub, role="ci", name="enter", policy=policy)
    world.change(enter, secrets=frozenset({"policy"}))


@says(*((NO_TRUST, f"{HOLDS} {name} in account {STAGE}, but no role of this stack answers to that and trusts it: "
         f"{NO_TRUST}", f"add the role with a trust policy that names {CI}, or correct the ARN, or remove the grant"
         f"{IF_ELSEWHERE}", f"{CI} -> {name}", "ci-grant") for name in (OTHER, arn(STAGE, "role/o*"))))  # fmt: skip
def grant_on_roles_that_are_not_here(world: World) -> None:
    world.role("ci", world.hub)
    world.grant("ci", world.hub, OTHER, arn(STAGE, "role/o*"))


@says((NO_PROOF, f"{TRUSTS_CI} that policy {UNSEEN}: the grant key is not proved",
       f"write the grant into this program as a policy of that role, or {IMPORT}", DOOR, "deployer"))  # fmt: skip
def trust_that_is_made_from_what_is_only_read(world: World) -> None:
    world.change(trusted(world, CI), made_from_hidden=frozenset({"assumeRolePolicy"}))


@says((NO_PROOF, f"{HOLDS} {OTHER} in account {STAGE}, but the inline policy grant of role ci {UNSEEN}: the trust key "
       "is not proved", IMPORT, f"{CI} -> {OTHER}", "ci-grant"))  # fmt: skip
def grant_that_is_made_from_what_is_only_read(world: World) -> None:
    world.role("ci", world.hub)
    world.change(world.grant("ci", world.hub, OTHER), made_from_hidden=frozenset({"policy"}))


def exported_by_prod(world: World, trust: dict[str, Any]) -> None:
    place = {"type": TYPES["Role"], "name": "x", "account": PROD, "property": "assumeRolePolicy"}
    declared = {**place, "properties": {"name": "x", "path": "/"}, "document": json.loads(document(trust))}
    target = {"account": PROD, "role": "x"}
    door = {"name": "x", "source": {"kind": "role", "account": HUB, "names": ["ci"]}, "target": target}
    outputs = {"outputs": {"doors": [{"name": "x", "door": door, "documents": [declared]}]}}
    world.add("StackReference", "prod", name="o/p/prod", outputs=outputs)


ACCESS_ROLE = arn(PROD, "role/OrganizationAccountAccessRole")
SNEAK = arn(STAGE, "role/sneak")
NOT_SHOWN = (
    "that account is not in this stack and no stack reference shows the role's trust: the trust key is not proved"
)


@says(
    (NO_PROOF, f"{HOLDS} {ACCESS_ROLE} in account {PROD}, but {NOT_SHOWN}", ELSEWHERE % "trust",
     f"{CI} -> {ACCESS_ROLE}", "ci-grant"),
    (NO_TRUST, f"Role sneak of account {STAGE} is granted sts:AssumeRole on {ACCESS_ROLE} in account {PROD}, but AWS "
     f"made that role to trust only the management account {HUB}: {NO_TRUST}",
     f"grant a role of account {PROD} that trusts {SNEAK}, or remove the grant", f"{SNEAK} -> {ACCESS_ROLE}", "sneak"),
    (NO_PROOF, f"Role sneak of account {STAGE} is granted sts:AssumeRole on {arn(PROD, 'role/ops/x')} in account "
     f"{PROD}, but {NOT_SHOWN}", GRANT_FIRST % f"{SNEAK} -> {arn(PROD, 'role/ops/x')}",
     f"{SNEAK} -> {arn(PROD, 'role/ops/x')}", "sneak"),
)  # fmt: skip
def grants_on_roles_of_an_account_that_only_another_stack_tells_of(world: World) -> None:
    """https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_access.html"""
    exported_by_prod(world, trusts(CI, condition=MFA))
    world.role("ci", world.hub)
    world.grant("ci", world.hub, ACCESS_ROLE)
    policy = document(grants(ACCESS_ROLE, arn(PROD, "role/ops/x")))
    world.role("sneak", world.stage, inlinePolicies=[{"name": "p", "policy": policy}])


@says((NO_TRUST, f"Role sneak of account {STAGE} is granted sts:AssumeRole on {ACCESS_ROLE} in account {PROD}, but no "
       f"role of this stack answers to that and trusts it: {NO_TRUST}",
       f"add the role with a trust policy that names {SNEAK}, or correct the ARN, or remove the grant{IF_ELSEWHERE}",
       f"{SNEAK} -> {ACCESS_ROLE}", "sneak"))  # fmt: skip
def grant_on_an_access_role_where_nothing_tells_the_management_account(world: World) -> None:
    world.resources.remove(world.hub)
    world.provider("prod", PROD)
    world.role("sneak", world.stage, inlinePolicies=[{"name": "p", "policy": document(grants(ACCESS_ROLE))}])


@says((NO_GRANT, f"The door from {CI} of account {HUB} to role {arn(PROD, 'role/x')} in account {PROD} has two keys "
       "that no request can turn at once: sts:ExternalId StringEquals (not shown) "
       "and sts:ExternalId StringEquals (not shown)",
       "let the grant and the trust policy ask for the same, or remove one of them", f"{CI} -> {arn(PROD, 'role/x')}",
       "ci"))  # fmt: skip
def keys_of_two_stacks_that_exclude_each_other(world: World) -> None:
    asking = [{"Condition": {"StringEquals": {"sts:ExternalId": value}}} for value in "xy"]
    exported_by_prod(world, {**trusts(CI), **asking[0]})
    policy = document({**grants(arn(PROD, "role/x")), **asking[1]})
    world.role("ci", world.hub, inlinePolicies=[{"name": "p", "policy": policy}])


LEAF = "what is not known yet in it may let somebody in: Statement[0].Effect, Statement[1].Effect"


@says(
    (NO_PROOF, f"The trust policy of role deployer is not proved: {LEAF}", WAITING, f"* -> {DEPLOYER}", "deployer"),
)  # fmt: skip
def trust_that_may_be_a_denial(world: World) -> None:
    statement = {**trusts(CI), "Effect": UNKNOWN}
    role_to_role(world, {"Version": "2012-10-17", "Statement": [statement, statement]})  # type: ignore[arg-type]
    world.grant("ci", world.hub, DEPLOYER)


NOT_YET = "is not proved: it is not known yet and no component declares it"


@says((NO_PROOF, f"The trust policy of role deployer {NOT_YET}", WAITING, f"* -> {DEPLOYER}", "deployer"))
def grant_on_a_role_whose_trust_is_not_known_yet(world: World) -> None:
    world.role("ci", world.hub)
    world.grant("ci", world.hub, DEPLOYER)
    world.role("deployer", world.stage, UNKNOWN)


@says(
    (NO_PROOF, f"The inline policy enter of role ci {NOT_YET}", WAITING, f"{CI} -> *", "enter"),
    (NO_PROOF, f"What role cd of account {HUB} may enter is not proved: {OF_ELSEWHERE.partition('; ')[0]}; trust "
     f"policies leave it to such grants who enters {arn(STAGE, 'role/OrganizationAccountAccessRole')} in account "
     f"{STAGE}, {DEPLOYER} in account {STAGE}",
     f"take that policy into this program, so that the pack is shown what it says, or {EXCEPT}",
     f"{arn(HUB, 'role/cd')} -> *", "cd"),
)  # fmt: skip
def policies_that_are_not_known_in_an_account_that_is_trusted_as_a_whole(world: World) -> None:
    trusted(world, HUB)
    world.role("ci", world.hub)
    world.add("RolePolicy", "enter", world.hub, role="ci", name="enter", policy=UNKNOWN)
    world.role("cd", world.hub, managedPolicyArns=[arn(HUB, "policy/some")])


@says((NO_PROOF, f"What role cd of account {HUB} may enter is not proved: {OF_ELSEWHERE.partition('; ')[0]}; trust "
       f"policies leave it to such grants who enters {arn(STAGE, 'role/OrganizationAccountAccessRole')} in account "
       f"{STAGE}, {CI} in account {HUB}",
       f"take that policy into this program, so that the pack is shown what it says, or {EXCEPT}",
       f"{arn(HUB, 'role/cd')} -> *", "cd"))  # fmt: skip
def policy_made_elsewhere_beside_a_grant_of_a_role_that_leads_on(world: World) -> None:
    """It may deny what the grant allows: that step within one account is not proved either."""
    world.role("ci", world.hub, document(trusts(HUB)), inlinePolicies=[{"name": "p", "policy": document(*GRANTED)}])
    trusted(world, CI)
    own = {"name": "p", "policy": document(grants(CI))}
    world.role("cd", world.hub, managedPolicyArns=[arn(HUB, "policy/some")], inlinePolicies=[own])


@says()
def step_of_a_providers_chain_whose_grant_is_not_shown(world: World) -> None:
    trusted(world, CI)
    world.add("Provider", "chained", assumeRoles=json.dumps([{"roleArn": CI}, {"roleArn": DEPLOYER}]))


@pytest.mark.parametrize("name", SAID)
def test_what_is_said_names_both_sides_the_place_and_the_next_step(name: str) -> None:
    build, expected = SAID[name]
    world = world_of(build)
    world.resources = [replace(one, source=f"{one.name}.py:1") for one in world.resources]
    said = list(statements(world.graph))
    places = [(one.urn or "").rpartition(":")[2] for one in said]
    assert [(one.lack.value, one.message, one.next_step, one.door) for one in said] == [row[:4] for row in expected]
    assert places == [row[4] for row in expected]
    assert [one.source for one in said] == [f"{place}.py:1" if place != "ci-grant" else "ci.py:1" for place in places]


def test_a_sentence_that_begins_with_a_principal_keeps_the_case_of_its_name() -> None:
    world = World()
    world.role("DeployProd", world.hub)
    world.grant("DeployProd", world.hub, DEPLOYER)
    (said,) = statements(world.graph)
    assert said.message.startswith("Role DeployProd of account ")
