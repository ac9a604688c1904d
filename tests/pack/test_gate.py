"""The update gate: each resource is judged before it is made, and only for what nothing later can put right.

The engine asks about each resource, with known values, before it makes it; both keys are needed across accounts:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.access.states import write_state
from tests.access.test_declared import NEW, NEW_ID, TARGET, declared_door, symbolic
from tests.access.test_identity_center import RESERVED
from tests.access.test_keys import CORRECT, world_of
from tests.access.test_rules import two_environments
from tests.access.test_translation import made, native, put, stack, template
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
    replaced,
    trusts,
    two_keys,
)
from tests.pack.engine_requests import Engine
from tests.pack.test_neighbourhood import mandatory
from twokeys.access.reading.snapshot import Resource
from twokeys.iam import UNKNOWN
from twokeys.pack import analyzer, own_account
from twokeys.pack.analyzer import Analyzer
from twokeys.pack.changed import DOORS_CHANGED
from twokeys.pack.gate import Gate
from twokeys.pack.relevance import may_let_in

OPEN = document(trusts("*"))
FROM_SSM = "{{resolve:ssm:somebody}}"


def refused(
    world: World,
    *,
    before: Path | None = None,
    order: Callable[[Resource], object] | None = None,
    aliases: Mapping[str, list[str]] | None = None,
) -> list[str]:
    """The resources that an update refuses, each with its rule, in the order in which it comes to them."""
    config = {DOORS_CHANGED: {"state": str(before)}} if before else {}
    engine = Engine(config, preview=False)
    by_urn = {resource.urn: resource for resource in world.resources}
    resources = sorted(world.resources, key=order) if order else world.resources  # type: ignore[arg-type]
    also = aliases or {}
    found = [(one, each) for one in resources for each in engine.judge(one, by_urn, also.get(one.urn, ()))]
    return [f"{each.policyName}: {one.name}" for one, each in found]


def base(trust: object = SERVICE) -> World:
    world = World()
    world.role("ci", world.hub)
    world.role("deployer", world.stage, trust)
    return world


def known(name: str) -> World | None:
    """A correct stack as an update shows it: without a value that is not known, and with its accounts made before."""
    world = world_of(CORRECT[name])
    shown = json.dumps([dict(one.inputs or {}) for one in world.resources], default=str)
    return None if "UNKNOWN" in shown or "account:new" in shown else world


def test_what_was_said_of_a_resource_is_not_said_again_of_the_stack() -> None:
    """`pulumi policy analyze` goes on after a violation: it asks about each resource of a state, then about the stack.

    https://github.com/pulumi/pulumi/blob/master/pkg/cmd/pulumi/policy/policy_analyze.go
    """
    world = World()
    world.role("open", world.stage, document(trusts("*")))
    engine = Engine(preview=False)
    found = engine.analyze(world.resources)
    assert len(found) == len({(one.policyName, one.urn, one.message) for one in found})
    assert [one.policyName for one in found].count("wildcard-trust") == 1
    again = engine.analyze(world.resources)  # the next analysis of the same process says it anew
    assert [one.policyName for one in again] == [one.policyName for one in found]


def test_the_policy_that_makes_the_role_of_guests_one_that_enters_others_is_refused_before_it_is_made() -> None:
    """https://docs.aws.amazon.com/cognito/latest/developerguide/role-trust-and-permissions.html"""
    claims = "cognito-identity.amazonaws.com"
    guests = {
        "Effect": "Allow",
        "Principal": {"Federated": claims},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {
            "StringEquals": {f"{claims}:aud": "us-east-1:12345678-dead-beef-cafe-123456790ab"},
            "ForAnyValue:StringLike": {f"{claims}:amr": "unauthenticated"},
        },
    }
    for action, found in ("mobileanalytics:PutEvents", []), ("*", ["federated-trust: does"]):
        world = base(document(guests))
        does = document(grants("*", action=action))
        world.add("RolePolicy", "does", world.stage, role="deployer", name="does", policy=does)
        assert refused(world) == found


ORGANIZATION = "trust in the organization"
"""The stack does not tell that the organization is its own, so the grant has to be there before the trust."""


@pytest.mark.parametrize("name", [name for name in CORRECT if known(name)])
@pytest.mark.parametrize("backwards", [False, True], ids=["in order", "backwards"])
def test_a_correct_stack_is_made_whatever_comes_first(name: str, *, backwards: bool) -> None:
    world = known(name)
    assert world is not None
    first = [one for one in world.resources if one.type.startswith(("pulumi:", "test:", "twokeys:"))]
    made = [one for one in world.resources if one not in first]
    world.resources = first + (made[::-1] if backwards else made)
    assert refused(world) == (["unproved-door: deployer"] if name == ORGANIZATION and not backwards else [])


@pytest.mark.parametrize(("trust", "rule"), [
    (json.dumps({"Version": "2012-10-17"}), "unproved-door"),
    (SERVICE.replace("ec2.amazonaws.com", "*"), "federated-trust"),
], ids=["no policy", "every service"])  # fmt: skip
def test_a_trust_in_whom_nobody_can_prove_is_refused_whatever_comes_later(trust: object, rule: str) -> None:
    """Outsiders, everyone and other shapes of such documents: tests/pack/attacks."""
    assert f"{rule}: deployer" in refused(base(trust))


def test_a_name_that_is_still_to_be_made_up_excuses_no_trust_in_somebody_else() -> None:
    world = World()
    world.add("Role", "another", world.stage, namePrefix="another-", assumeRolePolicy=SERVICE)
    world.role("deployer", world.stage, document(trusts("AIDACKCEVSQ6C2EXAMPLE")))
    assert "unproved-door: deployer" in refused(world)


def test_a_trust_in_a_role_whose_name_is_still_to_be_made_up_is_left_to_the_end() -> None:
    world = World()
    world.add("Role", "ci", world.hub, namePrefix="ci-", assumeRolePolicy=SERVICE)
    made = arn(HUB, "role/ci-20261126000000000000000001")
    world.role("deployer", world.stage, document(trusts(made)))
    assert refused(world) == []


def test_a_grant_whose_trust_may_still_come_is_made_and_one_that_came_too_late_is_not() -> None:
    world = World()
    world.role("ci", world.hub)
    world.grant("ci", world.hub, DEPLOYER)
    assert refused(world) == []
    world.role("deployer", world.stage)
    assert refused(world) == []
    world.resources.insert(3, world.resources.pop())
    assert refused(world) == ["door-needs-trust: ci-grant"]


def test_a_grant_on_the_role_that_aws_makes_in_each_account_is_no_half_of_a_door_but_in_one_that_is_made_now() -> None:
    """No input tells the id of a new account; a second id is of another account.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_access.html
    """
    world = World()
    world.add("Account", "new", world.hub, protect=True, name="new", email="a+new@example.com")
    for name, account in (("ci", NEW_ID), ("cd", PROD)):
        world.role(name, world.hub)
        grant = world.grant(name, world.hub, arn(account, "role/OrganizationAccountAccessRole"))
    world.provider("enters", NEW_ID)
    assert refused(world) == ["unproved-door: cd-grant"]
    (found,) = Engine(preview=False).judge(grant, {one.urn: one for one in world.resources})
    assert "alone it opens nothing" not in found.message


def test_a_trust_in_the_organization_that_the_update_makes_is_made_after_it_and_one_in_another_is_not() -> None:
    """No input tells the id of an organization, as no input tells an account's; CI comes in as one of it, too."""
    world = World()
    world.add("Organization", "own", world.hub, featureSet="ALL")
    world.role("ci", world.hub)
    world.grant("ci", world.hub, DEPLOYER)
    for name, organization in (("deployer", "o-exampleorgid"), ("another", "o-anotherorgid")):
        condition = {"StringEquals": {"aws:PrincipalOrgID": organization}}
        world.role(name, world.stage, document(trusts("*", condition=condition)))
    assert refused(world) == ["external-id: another"]


def test_the_unique_id_of_a_role_that_is_there_is_that_role(tmp_path: Path) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids

    One that is made anew, as by another path, has another id.
    """
    for path, found in (("/", []), ("/new/", ["unproved-door: deployer"])):
        world = base()
        world.resources[2] = replace(
            world.resources[2], outputs={"name": "ci", "arn": CI, "uniqueId": "AROAEXAMPLEEXAMPLE11"}
        )
        world.grant("ci", world.hub, DEPLOYER)
        before = write_state(tmp_path / "before.json", world)
        world.resources[2] = replace(world.resources[2], inputs={**(world.resources[2].inputs or {}), "path": path})
        trust = document(trusts("AROAEXAMPLEEXAMPLE11"))
        world.resources[3] = replace(world.resources[3], inputs={"name": "deployer", "assumeRolePolicy": trust})
        assert refused(world, before=before) == found


def test_a_grant_on_everything_of_a_native_group_is_refused() -> None:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-group.html

    Other shapes: tests/pack/attacks.
    """
    world = base()
    policies = [{"policyName": "wide", "policyDocument": json.loads(document(grants("*")))}]
    put(world, "aws-native:iam:Group", "all", native(world, HUB), groupName="all", policies=policies)
    assert "wildcard-grant" in {found.partition(":")[0] for found in refused(world)}


STACK_SET = "aws:cloudformation/stackSet:StackSet"


@pytest.mark.parametrize(
    ("targets", "found"),
    [({"accountId": STAGE}, []), ({"deploymentTargets": {"organizationalUnitIds": ["ou-1"]}}, ["unproved-door: i"])],
    ids=["an account", "accounts that are not shown"],
)
def test_a_new_stack_set_is_judged_with_its_instances(
    tmp_path: Path, targets: dict[str, object], found: list[str]
) -> None:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-concepts.html

    One that is there may have instances that nobody shows.
    """

    def body(trust: str) -> str:
        return json.dumps(template(R=made("AWS::IAM::Role", RoleName="o", AssumeRolePolicyDocument=json.loads(trust))))

    world = base()
    world.grant("ci", world.hub, arn(STAGE, "role/o"))
    put(world, STACK_SET, "set", world.hub, name="set", templateBody=body(SERVICE))
    there = write_state(tmp_path / "before.json", world)
    world.resources[-1] = replace(
        world.resources[-1], inputs={"name": "set", "templateBody": body(document(trusts(CI)))}
    )
    type_ = "aws:cloudformation/stackSetInstance:StackSetInstance"
    put(world, type_, "i", world.hub, stackSetName="set", **targets)
    assert refused(world) == found
    assert "unproved-door: set" in refused(world, before=there)


@pytest.mark.parametrize("grant", [grants("*"), grants("*", action="sts:AssumeRoot")])
def test_a_new_policy_that_may_be_a_boundary_is_judged_where_somebody_gets_it(
    tmp_path: Path, grant: dict[str, object]
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html: a boundary grants nothing."""
    world = World()
    before = write_state(tmp_path / "before.json", world)
    world.add("Policy", "limit", world.hub, name="limit", policy=document(grant))
    limit = arn(HUB, "policy/limit")
    world.role("ci", world.hub, permissionsBoundary=limit)
    assert refused(world, before=before) == refused(world) == []  # nobody tells what is in Pulumi Cloud's state
    world.role("robot", world.hub, managedPolicyArns=[limit])
    for state in (before, None):
        assert [one.partition(": ")[2] for one in refused(world, before=state)] == ["robot"]


def test_a_policy_whose_account_is_not_known_is_judged_at_once_as_nobody_knows_its_arn(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    world = World()
    before = write_state(tmp_path / "before.json", world)
    free = world.provider("free", HUB, assume=False, pin=False)
    world.add("Policy", "limit", free, name="limit", policy=document(grants("*")))
    for own, found in ((None, "limit"), (HUB, "robot")):
        monkeypatch.setattr(analyzer, "own_account", lambda _providers, own=own: own)
        world.role("robot", free, managedPolicyArns=[arn(HUB, "policy/limit")])
        assert [one for one in refused(world, before=before) if "wildcard" in one] == [f"wildcard-grant: {found}"]
        world.resources.pop()


def test_the_account_that_aws_told_of_the_first_provider_is_not_that_of_the_profile_of_a_later_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html"""
    monkeypatch.setattr(own_account, "_caller", lambda credentials, *_: STAGE if credentials[0] else HUB)
    for values in ({}, {"profile": "stage"}):
        world = World()
        for name, given in (("first", {}), ("second", values)):
            world.role(name, world.add("Provider", f"of-{name}", **given), document(trusts(CI)))
        assert ("unproved-door: second" in refused(world)) is bool(values)


def test_a_policy_that_was_there_before_is_judged_when_it_changes_as_others_may_hold_it(tmp_path: Path) -> None:
    world = World()
    policy = world.add("Policy", "limit", world.hub, name="limit", policy=document(grants(DEPLOYER)))
    before = write_state(tmp_path / "before.json", world)
    world.change(policy, inputs={**(policy.inputs or {}), "policy": document(grants("*"))})
    assert refused(world, before=before) == ["wildcard-grant: limit"]
    renamed = replace(world.resources.pop(), urn=policy.urn.replace("::limit", "::boundary"), name="boundary")
    world.resources.append(renamed)
    assert refused(world, before=before, aliases={renamed.urn: [policy.urn]}) == ["wildcard-grant: boundary"]


@pytest.mark.parametrize("parts", [
    {"Role": made("AWS::IAM::Role", AssumeRolePolicyDocument=json.loads(document(trusts(FROM_SSM))))},
    {"Role": made("AWS::IAM::Role", AssumeRolePolicyDocument=json.loads(SERVICE), ManagedPolicyArns=[FROM_SSM])},
    {"Policy": made("AWS::IAM::RolePolicy", RoleName="ci", PolicyName="p",
                    PolicyDocument=json.loads(document(grants(FROM_SSM))))},
])  # fmt: skip
def test_a_name_that_aws_makes_up_excuses_nothing_else_that_cannot_be_read(parts: dict[str, dict[str, Any]]) -> None:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html"""
    world = base()
    world.add("Role", "made-up", world.hub, namePrefix="other", assumeRolePolicy=SERVICE)
    stack(world, template(**parts), world.hub)
    assert [one.partition(":")[0] for one in refused(world)] == ["unproved-door"]


def test_an_inline_policy_of_a_permission_set_is_no_boundary_and_who_has_the_set_another_stack_says() -> None:
    """https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_PutInlinePolicyToPermissionSet.html"""
    world = World()
    wide = {"permissionSetArn": "ps-1", "inlinePolicy": document(grants("*"))}
    kind = "aws:ssoadmin/permissionSetInlinePolicy:PermissionSetInlinePolicy"
    put(world, kind, "i", world.hub, **wide)
    assert "wildcard-grant: i" in refused(world)


@pytest.mark.parametrize("grant", [grants("*"), grants("*", action="sts:AssumeRoot")])
@pytest.mark.parametrize("exclusive", [False, True])
def test_a_policy_that_a_permission_set_holds_by_name_is_no_boundary_whoever_has_the_set(
    tmp_path: Path, grant: dict[str, object], *, exclusive: bool
) -> None:
    """AWS gives it to whoever is assigned the set where that policy is, which another stack may do.

    https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_CustomerManagedPolicyReference.html
    """
    world = World()
    before = write_state(tmp_path / "before.json", world)
    world.add("Policy", "wide", world.hub, name="wide", path="/own/", policy=document(grant))
    kind = "aws:ssoadmin/customerManagedPolicyAttachment:CustomerManagedPolicyAttachment"
    kind = kind.replace("Attachment", "AttachmentsExclusive") if exclusive else kind
    for path, found in (("/", []), ("/own/", ["given"])):
        named = {"name": "wide", "path": path}
        said = {"customerManagedPolicyReferences": [named]} if exclusive else {"customerManagedPolicyReference": named}
        put(world, kind, "given", world.hub, permissionSetArn="ps-1", **said)
        assert [one.partition(": ")[2] for one in refused(world, before=before)] == found
        world.resources.insert(2, world.resources.pop())
        assert [one.partition(": ")[2] for one in refused(world, before=before)] == (["wide"] if found else [])
        world.resources.pop(2)


def test_a_component_that_makes_its_trust_last_has_lost_a_grant_that_is_not_there_by_then() -> None:
    world = World()
    door = world.add("Component", "door", trustAfterGrant=True)
    world.role("ci", world.hub)
    world.add("Role", "deployer", world.stage, parent=door, name="deployer", assumeRolePolicy=document(trusts(CI)))
    assert refused(world) == ["door-needs-grant: deployer"]
    world.grant("ci", world.hub, DEPLOYER)
    world.resources.insert(4, world.resources.pop())
    assert refused(world) == []


def door_for(*, members: list[str], grant: str) -> World:
    """A component's door for the members of a group, or by a policy of each, from an account below a control policy."""
    world, said = World(), {"name": "scp", "content": document({"Effect": "Allow", "Action": "*", "Resource": "*"})}
    world.add("ControlPolicy", "scp", world.hub, outputs={**said, "id": "p-1"}, **said)
    world.add("ControlPolicyAttachment", "scp", world.hub, policyId="p-1", targetId=PROD)
    people = world.provider("people", PROD)
    door = world.add("Component", "door", trustAfterGrant=True)
    for name in ("alice", "bob"):
        world.add("User", name, people, name=name)
    world.add("Group", "developers", people, name="developers")
    if grant == "group":
        world.add("GroupMembership", "all", people, name="all", group="developers", users=members)
        world.add("GroupPolicy", "grant", people, parent=door, group="developers", policy=document(grants(DEPLOYER)))
    else:
        for name in members:
            world.add("UserPolicy", f"of-{name}", people, parent=door, user=name, policy=document(grants(DEPLOYER)))
    trust = document(trusts(*(arn(PROD, f"user/{name}") for name in members)))
    world.add("Role", "deployer", world.stage, parent=door, name="deployer", assumeRolePolicy=trust)
    return world


@pytest.mark.parametrize("grant", ["group", "each"])
@pytest.mark.parametrize("was", ["group", "each"])
def test_a_door_may_lose_a_member_and_get_its_grant_by_another_policy_in_one_update(
    tmp_path: Path, was: str, grant: str
) -> None:
    """The trust of a role that comes later still changes, and a grant that the program has no more is deleted last."""
    state = write_state(tmp_path / "before.json", door_for(members=["alice", "bob"], grant=was))
    assert refused(door_for(members=["alice"], grant=grant), before=state) == []


def test_a_component_may_declare_what_it_makes_later() -> None:
    world, _ = declared_door(ids={NEW: NEW_ID})
    assert "declared-equals-real: door" not in refused(world)


def test_a_refused_resource_is_not_counted_as_made_afterwards() -> None:
    world = base(OPEN)
    world.grant("ci", world.hub, DEPLOYER)
    assert refused(world) == ["wildcard-trust: deployer"]


def test_what_was_there_before_proves_a_key_and_is_not_refused_again(tmp_path: Path) -> None:
    before = base(OPEN)
    before.grant("ci", before.hub, DEPLOYER)
    state = write_state(tmp_path / "before.json", before)
    now = base(OPEN)
    assert refused(now, before=state) == []
    changed = base(document(trusts(arn(OUTSIDE, "root"))))
    assert "external-id: deployer" in refused(changed, before=state)


@pytest.mark.parametrize(("kind", "named"), [("Group", "default_7_51_1"), ("Group", "more")])
def test_what_the_program_has_no_more_is_deleted_last_and_refuses_nothing_before(
    tmp_path: Path, kind: str, named: str
) -> None:
    """https://www.pulumi.com/docs/iac/concepts/how-pulumi-works/: deletions come at the end of an update."""
    before = World()
    before.resources.clear()
    free = before.provider(named, HUB, assume=False, pin=False)
    before.add(kind, "old", free, name="old")
    state = write_state(tmp_path / "before.json", before)
    now = World()
    now.resources.clear()
    home, prod = now.provider("home", HUB, assume=False), now.provider("prod", PROD)
    now.role("ci", home)
    now.grant("ci", home, arn(PROD, "role/deployer"))
    now.role("deployer", prod, document(trusts(CI)))
    assert refused(now, before=state) == []
    now.resources.append(free)
    now.add(kind, "old", free, name="old", path="/changed/")
    rule = "no-default-provider" if named.startswith("default") else "provider-enters-its-account"
    assert rule in Engine(preview=False).rules(now.resources)
    now.role("late", free, document(trusts(arn(PROD, "role/deployer"))))
    assert f"{rule}: late" in refused(now, before=state)


def test_the_state_of_another_project_tells_nothing(tmp_path: Path) -> None:
    other = base(OPEN)
    state = write_state(tmp_path / "before.json", other)
    state.write_text(state.read_text().replace("::twokeys::", "::another::"))
    assert refused(base(OPEN), before=state) == ["wildcard-trust: deployer"]


def test_a_resource_that_moved_is_not_counted_twice(tmp_path: Path) -> None:
    before = base(document(trusts(CI)))
    before.grant("ci", before.hub, DEPLOYER)
    state = write_state(tmp_path / "before.json", before)
    engine = Engine({DOORS_CHANGED: {"state": str(state)}}, preview=False)
    old = before.resources[3]
    moved = replace(old, urn=old.urn.replace("::deployer", "::moved"), name="moved")
    assert engine.judge(moved, {one.urn: one for one in before.resources}, aliases=[old.urn]) == []


def test_an_attachment_is_the_second_key_of_a_closed_way() -> None:
    world = World()
    prod = world.provider("prod", PROD)
    world.role("worker", world.stage)
    policy = document(grants(arn(PROD, "role/target")))
    world.add("Policy", "enter", world.stage, name="enter", policy=policy)
    world.role("target", prod, document(trusts(arn(STAGE, "role/worker"))))
    world.add("RolePolicyAttachment", "attached", world.stage, role="worker", policyArn=arn(STAGE, "policy/enter"))
    assert refused(world) == ["environments-isolated: attached"]


def test_a_delegated_administrator_is_the_second_key_of_root_sessions() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-enable-root-access.html"""
    world = World()
    prod = world.provider("prod", PROD)
    world.add("OrganizationsFeatures", "features", world.hub, enabledFeatures=["RootSessions"])
    world.role("any", prod)
    world.role("worker", world.stage)
    policy = document(grants(arn(PROD, "root"), action="sts:AssumeRoot"))
    world.add("RolePolicy", "key", world.stage, role="worker", name="key", policy=policy)
    given = {"accountId": STAGE, "servicePrincipal": "iam.amazonaws.com"}
    world.add("DelegatedAdministrator", "delegated", world.hub, **given)
    assert set(refused(world)) == {"environments-isolated: delegated"}


DENIED = document(grants("*", effect="Deny", action="sts:*"))


def closing_units(world: World, above_stage: str) -> None:
    """An SCP on an outer unit, and stage below an inner one of it or elsewhere; ids are in outputs only."""
    for kind, name, above, identity in (
        ("OrganizationalUnit", "outer", "r-1", "ou-outer"),
        ("OrganizationalUnit", "inner", "ou-outer", "ou-inner"),
        ("Account", "stage", above_stage, STAGE),
    ):
        asked = {"name": name, "parentId": above}
        world.add(kind, name, world.hub, protect=True, outputs={**asked, "id": identity}, **asked)
    said = {"name": "scp", "content": DENIED}
    world.add("ControlPolicy", "scp", world.hub, outputs={**said, "id": "p-1"}, **said)
    world.add("ControlPolicyAttachment", "scp", world.hub, policyId="p-1", targetId="ou-outer")


def closed_way(closed_by: str, *, still: bool) -> World:
    """A role of stage with a grant on one of prod that trusts its account: `closed_by` closes the way, or no more."""
    world = World()
    prod = world.provider("prod", PROD)
    if closed_by == "organizational unit":
        closing_units(world, "ou-inner" if still else "r-1")
    world.role("target", prod, document(trusts(arn(STAGE, "root"))))
    says = closed_by == "what a boundary says"
    limit = [grants("*", action="*"), *([] if says and not still else [grants("*", effect="Deny")])]
    world.add("Policy", "limit", world.stage, name="limit", policy=document(*limit))
    bounds = says or (closed_by == "boundary" and still)
    bounded = {"permissionsBoundary": arn(STAGE, "policy/limit")} if bounds else {}
    world.role("worker", world.stage, **bounded)
    world.grant("worker", world.stage, arn(PROD, "role/target"))
    if closed_by == "deny":
        reads = document({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"})
        policy = DENIED if still else reads
        world.add("RolePolicy", "limits", world.stage, role="worker", name="limits", policy=policy)
    if closed_by == "control policy":
        content = DENIED if still else document(grants("*", effect="Deny", action="s3:*"))
        scp = world.add("ControlPolicy", "scp", world.hub, id="p-1", type="SERVICE_CONTROL_POLICY", content=content)
        world.add("ControlPolicyAttachment", "scp", world.hub, policyId=scp.inputs["id"], targetId=STAGE)  # type: ignore[index]
    return world


@pytest.mark.parametrize(("closed_by", "opened"), [
    ("boundary", "worker"),
    ("what a boundary says", "limit"),
    ("deny", "limits"),
    ("control policy", "scp"),
    ("organizational unit", "stage"),
], ids=str)  # fmt: skip
def test_what_closed_a_way_is_not_taken_away_in_silence(closed_by: str, opened: str, tmp_path: Path) -> None:
    """A grant works where neither a boundary, a Deny nor an SCP stops it.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
    """
    before = write_state(tmp_path / "before.json", closed_way(closed_by, still=True))
    assert refused(closed_way(closed_by, still=True), before=before) == []
    world = closed_way(closed_by, still=False)
    assert set(refused(world, before=before)) == {f"environments-isolated: {opened}"}
    made = next(one for one in world.resources if one.name == opened and one.type != TYPES["Provider"])
    renamed = world.change(made, urn=f"{made.urn}-by-another-name")
    aliases = {renamed.urn: [made.urn]}
    assert set(refused(world, before=before, aliases=aliases)) == {f"environments-isolated: {opened}"}


@pytest.mark.parametrize("kind", ["SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"])
def test_an_attachment_that_only_shuts_a_door_is_refused_once_nothing_can_take_that_door_away(kind: str) -> None:
    """A role or a grant that the update has still to come to may lose its half: then the stack phase has the word.

    A new policy has an id once it is made, which no input holds.
    """
    world = two_keys()
    management = world.provider("management", OUTSIDE, assume=False)
    replaced(world, "hub", assumeRoles=json.dumps([{"roleArn": arn(HUB, "role/OrganizationAccountAccessRole")}]))
    before = world.snapshot
    everyone = {"Principal": "*"} if kind.startswith("RESOURCE") else {}
    values = {"content": document({**grants(DEPLOYER, effect="Deny"), **everyone}), "type": kind}
    world.add("ControlPolicy", "cp", management, outputs={**values, "id": "p-1"}, **values)
    world.add("ControlPolicyAttachment", "at", management, policyId="p-1", targetId=STAGE if everyone else HUB)
    rule = f"door-needs-{'trust' if everyone else 'grant'}"
    assert Engine().rules(world.resources) == [rule]
    for late, found in ((None, [rule]), ("deployer", []), ("ci-grant", [])):
        gate = Gate(before, mandatory, made=lambda: world.snapshot)
        for one in world.resources:
            if one.name not in (late, "at"):
                gate.show(replace(one, outputs={}))
        attachment = replace(world.resources[-1], outputs={})
        assert gate.concerns(attachment)
        assert [one.rule for one in gate.judge(attachment)] == found


PERIMETER = document({
    "Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole", "Resource": "*",
    "Condition": {"StringNotEqualsIfExists": {"aws:PrincipalAccount": HUB}},
})  # fmt: skip


def behind_a_perimeter(*, native: bool) -> World:
    """A resource control policy of stage that keeps others than the hub out, and a role there that trusts everyone."""
    world, said = World(), {"name": "rcp", "type": "RESOURCE_CONTROL_POLICY", "content": PERIMETER}
    if native:
        put(world, "aws-native:organizations:Policy", "attached", world.hub, **said, targetIds=[STAGE])
    else:
        world.add("ControlPolicy", "rcp", world.hub, outputs={**said, "id": "p-1"}, **said)
        world.add("ControlPolicyAttachment", "attached", world.hub, policyId="p-1", targetId=STAGE)
    world.role("ci", world.hub)
    world.grant("ci", world.hub, arn(STAGE, "role/open"))
    world.role("open", world.stage, OPEN)
    return world


@pytest.mark.parametrize("native", [False, True])
def test_a_control_policy_closes_nothing_in_the_update_that_attaches_it(tmp_path: Path, *, native: bool) -> None:
    """AWS may refuse it, and what does not wait for it is made beside it.

    https://www.pulumi.com/docs/iac/concepts/options/dependson/
    """
    world = behind_a_perimeter(native=native)
    there = world.resources
    assert Engine().rules(there) == []
    for name, found in (("attached", ["wildcard-trust: open"]), ("", [])):
        world.resources = [one for one in there if one.name not in (name, "open")]
        before = write_state(tmp_path / "before.json", world)
        world.resources = there
        assert refused(world, before=before) == found
    if native:  # what is attached is in its inputs, and nobody tells what was attached before
        assert refused(world) == []


def test_a_control_policy_that_is_renamed_closes_what_it_closed_though_another_takes_its_name(tmp_path: Path) -> None:
    """https://www.pulumi.com/docs/iac/concepts/options/aliases/"""
    world = behind_a_perimeter(native=False)
    opened = world.resources.pop()
    before = write_state(tmp_path / "before.json", world)
    there = next(one for one in world.resources if one.name == "rcp")
    renamed = world.change(there, urn=f"{there.urn}-by-another-name")
    world.add("ControlPolicy", "rcp", world.hub, type="RESOURCE_CONTROL_POLICY", content=PERIMETER)
    world.resources.append(opened)
    assert refused(world, before=before, aliases={renamed.urn: [there.urn]}) == []


@pytest.mark.parametrize(("native", "name", "was"), [
    (False, "attached", {"targetId": PROD}),
    (True, "attached", {"targetIds": [PROD]}),
    (False, "rcp", {"content": PERIMETER.replace("sts:AssumeRole", "s3:GetObject")}),
    (True, "attached", {"content": PERIMETER.replace("sts:AssumeRole", "s3:GetObject")}),
])  # fmt: skip
def test_a_control_policy_closes_no_more_in_the_update_that_changes_it(
    native: bool, name: str, was: dict[str, object], tmp_path: Path
) -> None:
    world = behind_a_perimeter(native=native)
    there = [replace(one, inputs=one.outputs or one.inputs) if one.name == "rcp" else one for one in world.resources]
    world.resources = [
        replace(one, inputs={**(one.inputs or {}), **was}, outputs={**one.outputs, **was}) if one.name == name else one
        for one in there
        if one.name != "open"
    ]
    before = write_state(tmp_path / "before.json", world)
    world.resources = there
    assert refused(world, before=before) == ["wildcard-trust: open"]


def test_a_control_policy_made_by_cloud_control_closes_nothing_in_the_update_that_makes_it(tmp_path: Path) -> None:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-organizations-policy.html"""
    said = {"Name": "rcp", "Type": "RESOURCE_CONTROL_POLICY", "Content": json.loads(PERIMETER), "TargetIds": [STAGE]}
    world, made = World(), {"typeName": "AWS::Organizations::Policy", "desiredState": json.dumps(said)}
    before = write_state(tmp_path / "before.json", world)
    put(world, "aws:cloudcontrol/resource:Resource", "attached", world.hub, **made)
    world.role("open", world.stage, OPEN)
    assert "wildcard-trust" not in Engine().rules(world.resources)
    assert refused(world, before=before) == ["wildcard-trust: open"]


@pytest.mark.parametrize(("arn_before", "assigned", "found"), [
    ("ps-mine", "ps-mine", []),
    ("ps-mine", "ps-elsewhere", ["unproved-door: a"]),
    (None, "ps-late", []),  # it may be the one that has just been made: its ARN is in no input
])  # fmt: skip
def test_an_assignment_of_a_permission_set_made_elsewhere_is_refused_before_it_is_made(
    arn_before: str | None, assigned: str, found: list[str], tmp_path: Path
) -> None:
    world = World()
    made = put(world, "aws:ssoadmin/permissionSet:PermissionSet", "mine", world.hub, name="mine")
    if arn_before:
        world.change(made, outputs={"arn": arn_before, "name": "mine"})
        before = write_state(tmp_path / "before.json", world)
    said = {"permissionSetArn": assigned, "principalId": "g-1", "principalType": "GROUP", "targetId": PROD}
    put(world, "aws:ssoadmin/accountAssignment:AccountAssignment", "a", world.hub, **said)
    assert refused(world, before=before if arn_before else None) == found


@pytest.mark.parametrize("late", [True, False])
@pytest.mark.parametrize("maker", ["native", "cloud control", "template"])
def test_an_assignment_by_another_maker_is_refused_as_one_of_pulumi_aws_is(maker: str, *, late: bool) -> None:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sso-assignment.html"""
    world = World()
    said = {"PermissionSetArn": "ps", "PrincipalId": "g", "PrincipalType": "GROUP", "TargetId": PROD}
    world.add("Account", "new", world.hub, protect=True, name="new", email="a+new@example.com")
    if late:  # the state tells the ids of what pulumi-aws made only
        put(world, "aws-native:sso:PermissionSet", "set", native(world, HUB), name="set")
    if maker == "native":
        inputs = {key[0].lower() + key[1:]: value for key, value in said.items()}
        put(world, "aws-native:sso:Assignment", "a", native(world, HUB), **inputs)
    elif maker == "cloud control":
        document = {"typeName": "AWS::SSO::Assignment", "desiredState": json.dumps(said)}
        put(world, "aws:cloudcontrol/resource:Resource", "a", world.hub, **document)
    else:
        stack(world, template(a=made("AWS::SSO::Assignment", **said)), world.hub)
    gate = Gate(None, mandatory, made=lambda: World().snapshot)
    found = [each.rule for one in world.resources for each in gate.judge(replace(one, outputs={}))]
    assert found == ([] if late else ["unproved-door"])


def test_an_assignment_of_a_permission_set_made_elsewhere_is_refused_where_a_trust_leaves_who_enters_to_grants() -> (
    None
):
    world = World()
    said = {"permissionSetArn": "ps", "principalId": "g-1", "principalType": "GROUP", "targetId": STAGE}
    put(world, "aws:ssoadmin/accountAssignment:AccountAssignment", "a", world.hub, **said)
    assert refused(world) == []
    world.role("open", world.hub, document(trusts(STAGE)))
    assert refused(world) == ["unproved-door: open"]
    assert refused(world, order=lambda one: one.name == "a") == ["unproved-door: a"]


@pytest.mark.parametrize("order", [lambda _: 0, lambda one: one.name == "deployer"])
@pytest.mark.parametrize("grant", [True, False])
def test_a_trust_in_an_account_stands_where_a_permission_set_of_the_same_update_may_have_the_grant(
    order: Callable[[Resource], object], *, grant: bool
) -> None:
    """Which set is assigned is known by its ARN, which is an output."""
    for preview in (True, False):
        world, sso = World(), "aws:ssoadmin/"
        world.role("deployer", world.stage, document(trusts(HUB)))
        made = put(world, f"{sso}permissionSet:PermissionSet", "set", world.hub, name="set")
        later = {"permissionSetArn": UNKNOWN, "made_from": {"permissionSetArn": [made]}}
        of = later if preview else {"permissionSetArn": "ps"}
        policy = {**of, "inlinePolicy": document(grants(DEPLOYER if grant else CI))}
        put(world, f"{sso}permissionSetInlinePolicy:PermissionSetInlinePolicy", "i", world.hub, **policy)
        said = {"principalId": "g-1", "principalType": "GROUP", "targetId": HUB}
        put(world, f"{sso}accountAssignment:AccountAssignment", "a", world.hub, **of, **said)
        if preview:
            assert Engine().rules(world.resources) == ([] if grant else ["door-needs-grant"])
        else:
            assert refused(world, order=order) == []


@pytest.mark.parametrize("session", [False, True])
def test_a_set_of_the_same_update_excuses_no_trust_in_the_role_of_another(tmp_path: Path, *, session: bool) -> None:
    """https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html"""
    name = "AWSReservedSSO_Admin_0123456789abcdef"
    trusted = f"arn:aws:sts::{HUB}:assumed-role/{name}/ann" if session else arn(HUB, f"{RESERVED}{name}")
    for set_name, told in (("Unrelated", ["unproved-door: deployer"]), ("Admin", [])):
        world = World()
        put(world, "aws:ssoadmin/permissionSet:PermissionSet", "set", world.hub, name=set_name)
        world.role("deployer", world.stage, document(trusts(trusted)))
        assert refused(world) == told
    made_before = World()
    said = {"name": "Admin", "arn": "ps-1"}
    put(made_before, "aws:ssoadmin/permissionSet:PermissionSet", "set", world.hub, **said)
    before = write_state(tmp_path / "before.json", made_before)
    assert refused(world, before=before) == ["unproved-door: deployer"]


@pytest.mark.parametrize("assigned_before", [False, True])
def test_a_set_of_the_same_update_excuses_no_more_assignments_than_may_be_of_it(
    tmp_path: Path, *, assigned_before: bool
) -> None:
    """An assignment says the ARN of its set, which a new set has not got yet: each of two cannot be the one new set."""
    world, before = World(), World()
    said = {"principalId": "g-1", "principalType": "GROUP"}
    assigned = "aws:ssoadmin/accountAssignment:AccountAssignment"
    put(before, assigned, "old", before.hub, permissionSetArn="ps-1", targetId=PROD, **said)
    state = write_state(tmp_path / "before.json", before)
    put(world, "aws:ssoadmin/permissionSet:PermissionSet", "set", world.hub, name="set")
    put(world, assigned, "first", world.hub, permissionSetArn="ps-1", targetId=HUB, **said)
    put(world, assigned, "second", world.hub, permissionSetArn="ps-2", targetId=HUB, **said)
    world.role("deployer", world.stage, document(trusts(arn(HUB, "root"))))
    known = state if assigned_before else None
    assert refused(world, before=known) == [f"unproved-door: {'first' if assigned_before else 'second'}"]


@pytest.mark.parametrize(
    ("made", "assigned", "found"),
    [(True, "ps-new", []), (True, "ps-elsewhere", ["unproved-door"]), (False, "ps-elsewhere", ["unproved-door"])],
)
def test_a_set_of_the_same_update_excuses_no_assignment_where_the_state_tells_the_arns_of_what_is_made(
    assigned: str, found: list[str], *, made: bool
) -> None:
    """An input is known once what it is made from is there: https://www.pulumi.com/docs/iac/concepts/inputs-outputs/"""
    world, now = World(), World()
    world.role("deployer", world.stage, document(trusts(HUB)))
    sso = "aws:ssoadmin/"
    new = put(world, f"{sso}permissionSet:PermissionSet", "new", world.hub, name="new")
    policy = {"permissionSetArn": "ps-new", "inlinePolicy": document(grants(DEPLOYER))}
    put(world, f"{sso}permissionSetInlinePolicy:PermissionSetInlinePolicy", "i", world.hub, **policy)
    said = {"permissionSetArn": assigned, "principalId": "g-1", "principalType": "GROUP", "targetId": HUB}
    assignment = put(world, f"{sso}accountAssignment:AccountAssignment", "a", world.hub, **said)
    if made:
        now.resources.append(replace(new, outputs={"arn": "ps-new", "name": "new"}))
    gate = Gate(None, mandatory, made=lambda: now.snapshot)
    for one in world.resources[:-1]:
        gate.show(replace(one, outputs={}))
    assert [one.rule for one in gate.judge(replace(assignment, outputs={}))] == found


@pytest.mark.parametrize(
    ("key", "action"), [("aws:RequestTag/team", "sts:TagSession"), ("sts:SourceIdentity", "sts:SetSourceIdentity")]
)
def test_what_lets_a_caller_pass_something_is_judged_with_the_door_that_asks_for_it(
    tmp_path: Path, key: str, action: str
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_permissions-required

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html
    """
    world, inner = World(), arn(PROD, "role/inner")
    two_environments(world)
    world.role("deployer", world.stage)
    tagged = trusts(DEPLOYER, condition={"StringEquals": {key: "web"}})
    world.role("inner", world.prod, document(tagged, {**trusts(DEPLOYER), "Action": action}))  # type: ignore[attr-defined]
    world.grant("deployer", world.stage, inner)
    assert world.rules() == ["door-needs-trust"]
    before = write_state(tmp_path / "before.json", world)
    passing = document(grants(inner, action=action))
    world.add("RolePolicy", "tags", world.stage, role="deployer", name="tags", policy=passing)
    assert refused(world, before=before) == ["environments-isolated: tags"]


def test_in_preview_nothing_is_refused_before_the_whole_is_known() -> None:
    engine = Engine(preview=True)
    assert [found for one in base(OPEN).resources for found in engine.judge(one)] == []


@pytest.mark.parametrize("given", [
    {"inlinePolicies": [UNKNOWN]},
    {"managedPolicyArns": [UNKNOWN]},
    *({"inlinePolicies": [{"name": "x", "policy": document(grants(DEPLOYER, action=action))}]}
      for action in ("sts:AssumeRole", "STS:*", "st?:AssumeRole", "*:AssumeRole", "*")),
    {"inlinePolicies": [{"name": "x", "policy": document({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"})}]},
])  # fmt: skip
def test_what_may_hold_a_grant_is_judged_before_it_is_made(given: dict[str, Any]) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html"""
    world = World()
    assert may_let_in(world.role("ci", world.hub, **given))
    assert not may_let_in(world.role("other", world.hub))


@pytest.mark.parametrize("own", [
    {"accessKey": UNKNOWN, "secretKey": "x"}, {"sharedConfigFiles": '["x"]'}, {"sharedCredentialsFiles": '["x"]'}, {}
])  # fmt: skip
def test_aws_is_not_asked_whose_credentials_are_not_known_yet_or_stand_in_other_files(
    own: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """https://www.pulumi.com/registry/packages/aws/installation-configuration/"""
    monkeypatch.setattr(own_account, "_caller", lambda *_: HUB)
    assert own_account.own_account([World().add("Provider", "more", **own)]) == (None if own else HUB)


def test_a_value_that_cannot_be_read_refuses_the_resource(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> bool:
        raise RuntimeError("boom")

    monkeypatch.setattr("twokeys.pack.gate.may_let_in", broken)
    (found,) = Engine(analyzer=Analyzer(), preview=False).judge(base(OPEN).resources[2])
    assert found.policyName == "every-rule-ran"
    assert "RuntimeError: boom" in found.message


def new_door(
    trust: str, grant: str, *, real_trust: str | None = None, real_grant: str | None = None, first: str = "grant"
) -> World:
    """A declared door into an account that this update makes: its id is in no input but its provider's."""
    world = World()
    world.add("Account", "new", world.hub, protect=True, name="new", email="a+new@example.com", outputs={})
    world.role("ci", world.hub)
    component = world.add(
        "Component",
        "door",
        symbolicDocuments=[
            symbolic("Role", "deployer", NEW, "assumeRolePolicy", trust, name="deployer", path="/"),
            symbolic("RolePolicy", "grant", HUB, "policy", grant, role="ci", name="enter"),
        ],
    )
    known = (real_grant or grant).replace(NEW, NEW_ID)
    role = {"name": "deployer", "path": "/", "assumeRolePolicy": (real_trust or trust).replace(NEW, NEW_ID)}
    if first == "grant":
        world.add("RolePolicy", "grant", world.hub, parent=component, role="ci", name="enter", policy=known)
    inside = world.provider("in-new", NEW_ID)
    world.add("Role", "deployer", inside, parent=component, **role)
    if first != "grant":
        world.add("RolePolicy", "grant", world.hub, parent=component, role="ci", name="enter", policy=known)
    return world


GOOD = (document(trusts(CI)), document(grants(TARGET)))


@pytest.mark.parametrize("first", ["grant", "trust"])
def test_a_declared_door_into_an_account_of_the_same_update_is_made_in_either_order(first: str) -> None:
    assert refused(new_door(*GOOD, first=first)) == []


@pytest.mark.parametrize("first", ["grant", "trust"])
def test_a_real_document_that_differs_from_its_declaration_is_refused_before_it_is_made(first: str) -> None:
    assert "declared-equals-real: deployer" in refused(new_door(*GOOD, real_trust=OPEN, first=first))
    other = document(grants(f"arn:aws:iam::{NEW}:role/another"))
    assert "declared-equals-real: grant" in refused(new_door(*GOOD, real_grant=other, first=first))
    twice = document(grants(TARGET, f"arn:aws:iam::{OUTSIDE}:role/x"))
    assert "declared-equals-real: grant" in refused(new_door(*GOOD, real_grant=twice, first=first))
