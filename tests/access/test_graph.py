"""Whatever lets somebody in is a door, a step of a way, or said not to be proved.

What is open and what is not: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
and https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_access.html
"""

import gc
import itertools
import json
from dataclasses import replace
from typing import Any, cast

import pytest

from tests.access.test_translation import put
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
from twokeys.access.graph import Door, Judge, Key, build
from twokeys.access.model.access_roles import entered_by_access_role
from twokeys.access.model.environment import of_account
from twokeys.access.model.not_proved import NotProved
from twokeys.access.model.principals import Identity, Principal
from twokeys.access.paths import leading_out, paths_from, without_conditions
from twokeys.access.reading.snapshot import Pending, Resource, Snapshot
from twokeys.errors import Refusal
from twokeys.iam import UNKNOWN, Caller, Outcome, Unknown

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
ACCESS_ROLE_OF_PROD = arn(PROD, "role/OrganizationAccountAccessRole")
OURS, THEIRS = "o-ours000000", "o-theirs0000"


def everyone(**condition: Any) -> str:
    """A trust in everyone that IAM takes, with the conditions of a statement."""
    statement = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    return document(statement | ({"Condition": condition} if condition else {}))


def organization(world: World, **outputs: object) -> World:
    made = {"arn": f"arn:aws:organizations::{HUB}:organization/{OURS}", "id": OURS, "masterAccountId": HUB}
    world.add("Organization", "organization", world.hub, outputs=made | outputs)
    return world


def member(world: World, name: str, account: str, **more: object) -> None:
    outputs = {
        "id": account,
        "arn": f"arn:aws:organizations::{HUB}:account/{OURS}/{account}",
        "name": name,
        "email": f"a+{name}@example.com",
        "tags": {"environment": name},
        **more,
    }
    world.add("Account", name, world.hub, protect=True, outputs=outputs)


def administrator(world: World, role: str) -> None:
    world.add("RolePolicyAttachment", f"{role}-admin", world.hub, role=role, policyArn=ADMINISTRATOR)


def ways(world: World) -> set[str]:
    return {str(path) for path in paths_from(world.graph, lambda _: True)}


# AWS's own access role ------------------------------------------------------------------------------------------------


def with_prod() -> World:
    world = World()
    member(world, "stage", STAGE)
    member(world, "prod", PROD)
    return world


def test_people_enter_a_member_account_through_the_role_that_they_may_assume_in_the_management_account() -> None:
    world = with_prod()
    for user in ("alice", "bob"):
        world.add("User", user, world.hub, name=user)
    people = [arn(HUB, f"user/{user}") for user in ("alice", "bob")]
    world.role("break-glass", world.hub, document(trusts(*people, condition=MFA)))
    administrator(world, "break-glass")
    for user in people:
        assert f"{user} -> {arn(HUB, 'role/break-glass')} -> {ACCESS_ROLE_OF_PROD}" in ways(world)


@pytest.mark.parametrize("by", ["an exact grant", "AdministratorAccess"])
@pytest.mark.parametrize("made_by", ["AWS", "the program"])
def test_stage_does_not_reach_prod_through_the_management_account(by: str, made_by: str) -> None:
    world = with_prod()
    world.role("ci", world.stage)
    world.role("hop", world.hub, document(trusts(arn(STAGE, "role/ci"))))
    world.grant("ci", world.stage, arn(HUB, "role/hop"))
    if made_by == "the program":
        prod = world.provider("prod", PROD)
        world.role("OrganizationAccountAccessRole", prod, document(trusts(arn(HUB, "root"))))
    if by == "AdministratorAccess":
        administrator(world, "hop")
    else:
        policy = document(grants(ACCESS_ROLE_OF_PROD))
        world.add("RolePolicy", "hop-grant", world.hub, role="hop", name="grant", policy=policy)
    found = [finding for finding in world.findings() if finding.rule == "environments-isolated"]
    door = f"{arn(STAGE, 'role/ci')} -> {ACCESS_ROLE_OF_PROD}"
    (step,) = {finding.next_step for finding in found if finding.door == door}
    assert f'FILE): {{"environments-isolated": {{"exceptions": [{{"door": "{door}"' in step, "what to copy"


def test_an_adopted_account_is_entered_by_the_role_that_its_component_tells_and_perhaps_by_aws_s_own() -> None:
    """AWS makes no role in an account that is invited:
    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_access.html
    """
    world = World()
    told = world.add("MemberAccount", "prod", outputs={"accessRoleArn": arn(PROD, "role/Enter")})
    adopted = {"id": PROD, "name": "prod"}
    world.add("Account", "prod", world.hub, outputs=adopted, protect=True, parent=told)
    world.role("admin", world.hub)
    administrator(world, "admin")
    for role in ("Enter", "OrganizationAccountAccessRole"):
        assert f"{arn(HUB, 'role/admin')} -> {arn(PROD, f'role/{role}')}" in ways(world)
    world.role("helpdesk", world.hub)
    world.grant("helpdesk", world.hub, arn(PROD, "role/Enter"))
    assert world.refused == ["access-role-reserved"]


def test_a_provider_below_another_stack_works_in_the_account_that_it_is_named_after() -> None:
    """https://www.pulumi.com/docs/iac/concepts/stacks/#stackreferences: its id is unknown before that stack exists."""
    world = World()
    other = world.add("OtherStack", "shared", name="organization/twokeys/shared", made_from={"outputs": []})
    unknown: dict[str, list[Resource]] = {"assumeRoles": [], "allowedAccountIds": []}
    tools = world.add("Provider", "tools", parent=other, made_from=unknown)
    graph = world.graph
    assert graph.accounts.of_provider(tools.urn) == "account:tools"
    assert graph.accounts.name("account:tools") == "tools (id not known yet)"
    assert not [finding for finding in world.findings() if finding.rule == "provider-enters-its-account"]
    exports = {"member_account_ids": {"tools": PROD}, "member_account_environments": {"tools": "prod"}}
    shown = {"outputs": ("urn:pulumi:stage::twokeys::pulumi:pulumi:StackReference::organization/twokeys/shared",)}
    said = {"name": "organization/twokeys/shared", "outputs": exports}
    world.change(other, inputs=said, outputs=said, property_dependencies=shown)
    role = json.dumps([{"roleArn": arn(PROD, "role/Enter")}])
    world.change(tools, inputs={"assumeRoles": role, "allowedAccountIds": json.dumps([PROD])}, property_dependencies={})
    world.role("admin", world.hub)
    administrator(world, "admin")
    accounts = world.graph.accounts
    assert accounts.canonical("account:tools") == accounts.of_provider(tools.urn) == PROD
    assert (accounts.name(PROD), of_account(accounts, PROD)) == (f"tools ({PROD})", "prod")
    assert f"{arn(HUB, 'role/admin')} -> {arn(PROD, 'role/Enter')}" in ways(world), "its access role, by its own name"


def test_a_role_that_a_provider_assumes_is_not_in_use_by_another_member_account() -> None:
    world = World()
    prod = world.provider("prod", PROD)
    world.role("OrganizationAccountAccessRole", prod, document(trusts(arn(HUB, "root"), arn(STAGE, "root"))))
    assert "door-needs-grant" in world.refused


# Within one account ---------------------------------------------------------------------------------------------------


def chain(trust: str) -> World:
    """stage/ci -> hub/b -> hub/x -> prod/y, where `trust` is that of hub/x."""
    world = with_prod()
    world.role("ci", world.stage)
    world.role("b", world.hub, document(trusts(arn(STAGE, "role/ci"))))
    world.grant("ci", world.stage, arn(HUB, "role/b"))
    world.role("x", world.hub, trust)
    world.role("y", world.provider("prod", PROD), document(trusts(arn(HUB, "role/x"))))
    world.grant("x", world.hub, arn(PROD, "role/y"))
    return world


@pytest.mark.parametrize("condition", [
    {"StringEquals": {"aws:PrincipalAccount": HUB}},
    {"StringEquals": {"aws:PrincipalOrgID": OURS}},
    {"ArnLike": {"aws:PrincipalArn": arn(HUB, "role/*")}},
    {"StringEquals": {"aws:PrincipalAccount": [HUB, PROD]}, "IpAddress": {"aws:SourceIp": "192.0.2.0/24"}},
], ids=["account", "organization", "ARN", "with another condition"])  # fmt: skip
def test_a_trust_in_everyone_admits_each_principal_of_its_own_account_without_a_grant(condition: Any) -> None:
    """ "No implicit denial in an identity-based policy limits permissions granted to the principal" within an account.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
    """
    world = chain(everyone(**condition))
    way = f"{arn(STAGE, 'role/ci')} -> {arn(HUB, 'role/b')} -> {arn(HUB, 'role/x')} -> {arn(PROD, 'role/y')}"
    assert way in ways(world)
    assert "environments-isolated" in world.refused


def test_a_trust_in_the_root_of_its_own_account_is_a_step_for_who_holds_a_grant() -> None:
    world = chain(document(trusts(HUB)))
    policy = document(grants(arn(HUB, "role/x")))
    world.add("RolePolicy", "step", world.hub, role="b", name="step", policy=policy)
    assert "environments-isolated" in world.refused


# Policies that nobody knows -------------------------------------------------------------------------------------------

SOMEWHERE = arn(HUB, "policy/made-elsewhere")
UNRECORDED = "arn:aws:iam::aws:policy/MadeAfterTheData"


def test_a_policy_that_nobody_knows_is_no_matter_where_no_trust_leaves_it_to_grants() -> None:
    world = World()
    world.resources.remove(world.stage)
    world.role("unknown", world.hub, managedPolicyArns=[SOMEWHERE])
    world.role("admin", world.hub, document(trusts(arn(HUB, "root"))))
    assert world.rules() == []


@pytest.mark.parametrize("policy", ["ReadOnlyAccess", "job-function/SystemAdministrator", "AmazonS3FullAccess"])
def test_a_policy_of_aws_that_says_nothing_of_roles_opens_nothing(policy: str) -> None:
    """https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html"""
    world = two_keys()
    world.role("other", world.stage, document(trusts(HUB)))
    world.role("holder", world.hub, managedPolicyArns=[f"arn:aws:iam::aws:policy/{policy}"])
    assert not [door for door in world.graph.doors if door.source.name == "holder" and door.outcome is not Outcome.DENY]


@pytest.mark.parametrize("policy", ["AdministratorAccess-Amplify", "PowerUserAccess", "AdministratorAccess"])
def test_a_policy_of_aws_that_grants_roles_opens_those_that_trust_its_account(policy: str) -> None:
    """https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AdministratorAccess-Amplify.html"""
    world = two_keys()
    world.role("reader", world.stage, document(trusts(HUB)))
    world.role("holder", world.hub, managedPolicyArns=[f"arn:aws:iam::aws:policy/{policy}"])
    assert f"{arn(HUB, 'role/holder')} -> {arn(STAGE, 'role/reader')}" in ways(world)


# Whom a trust policy names --------------------------------------------------------------------------------------------

ELSEWHERE, WIDE = arn(HUB, "role/elsewhere"), arn(HUB, "role/team/wide")
PUZZLE, HALF_KNOWN = arn(HUB, "role/puzzle"), arn(HUB, "role/half-known")
INNER, RIDDLE, OTHER = (arn(STAGE, f"role/{name}") for name in ("inner", "riddle", "other"))
ACCESS_ROLE_OF_STAGE = arn(STAGE, "role/OrganizationAccountAccessRole")
OF_HUB = {
    CI: "role ci: ALLOW, asked",
    ELSEWHERE: "role elsewhere: ALLOW, asked",
    WIDE: "role wide: ALLOW",
    PUZZLE: "role puzzle: UNKNOWN",
    HALF_KNOWN: "role half-known: UNKNOWN, asked",
}
OF_STAGE = {
    INNER: "role inner: ALLOW",
    ACCESS_ROLE_OF_STAGE: "role OrganizationAccountAccessRole: ALLOW",
    RIDDLE: "role riddle: UNKNOWN",
}
OF_PROD = {ACCESS_ROLE_OF_PROD: "role OrganizationAccountAccessRole: ALLOW"}
OF_ALL = OF_HUB | OF_STAGE | OF_PROD
WITHOUT_GRANT = {OTHER: "role other: ALLOW"}
FOREIGN = {arn(OUTSIDE, "root"): "outsider root: ALLOW"}


def session(account: str, rest: str) -> str:
    return f"arn:aws:sts::{account}:assumed-role/{rest}"


def organization_with_holders() -> World:
    """Who holds a grant for stage's role deployer by its ARN or a pattern, has a policy that is not known, or none."""
    world = organization(World())
    member(world, "stage-account", STAGE)
    member(world, "prod", PROD)
    for name in ("ci", "elsewhere"):
        world.grant(name, world.hub, DEPLOYER)
    world.grant("wide", world.hub, arn(STAGE, "role/dep*"))
    world.grant("inner", world.stage, arn(STAGE, "role/d*"))
    for name, provider, more in (
        ("ci", world.hub, {}),
        ("wide", world.hub, {"path": "/team/"}),
        ("puzzle", world.hub, {"managedPolicyArns": [SOMEWHERE]}),
        ("half-known", world.hub, {"managedPolicyArns": [SOMEWHERE]}),
        ("none", world.hub, {}),
        ("inner", world.stage, {}),
        ("riddle", world.stage, {"managedPolicyArns": [SOMEWHERE]}),
        ("other", world.stage, {}),
    ):
        world.role(name, provider, **more)
    world.grant("half-known", world.hub, DEPLOYER)
    world.add("User", "alice", world.hub, name="alice", path="/staff/")
    return world


@pytest.mark.parametrize(("statement", "admitted", "as_a_whole"), [
    *(
        (trusts(name), {said or name: f"{who}, asked"}, [])
        for name, said, who in (
            (CI, None, "role ci: ALLOW"),
            (arn(HUB, "role/team/wide"), None, "role wide: ALLOW"),
            (arn(HUB, "role/wide"), None, "role /wide: DENY"),  # the one of that name has a path
            (arn(HUB, "user/staff/alice"), None, "user alice: DENY"),
            (arn(HUB, "user/alice"), None, "user /alice: DENY"),
            (arn(HUB, "user/bob"), None, "user bob: DENY"),
            (ELSEWHERE, None, "role elsewhere: ALLOW"),
            (arn(HUB, "role/team/elsewhere"), None, "role elsewhere: ALLOW"),  # its grant is given to the name
            (arn(HUB, "role/team/absent"), None, "role absent: DENY"),
            (session(HUB, "ci/build"), CI, "role ci: CONDITIONAL"),
            (session(HUB, "absent/build"), arn(HUB, "role/absent"), "role absent: DENY"),
        )
    ),
    *(
        (trusts(name), {name: f"outsider {who}: ALLOW"}, [])
        for name, who in (
            (arn(OUTSIDE, "role/x"), "x"),
            (arn(OUTSIDE, "user/team/x"), "x"),
            (session(OUTSIDE, "x/me"), "x"),
        )
    ),
    (trusts(OUTSIDE), FOREIGN, []),
    (trusts(arn(OUTSIDE, "root")), FOREIGN, []),
    (trusts(HUB), OF_HUB, [(HUB, HUB, OF_HUB)]),
    (trusts(arn(HUB, "root")), OF_HUB, [(arn(HUB, "root"), HUB, OF_HUB)]),
    (trusts(STAGE), OF_STAGE, [(STAGE, STAGE, OF_STAGE)]),
    (trusts(PROD), OF_PROD, [(PROD, PROD, OF_PROD)]),
    (trusts("*"), OF_ALL | WITHOUT_GRANT | {"*": "everyone *: ALLOW"}, [("*", None, OF_ALL)]),
    *(
        (trusts("*", condition={"StringEquals": condition}), admitted, as_a_whole)
        for condition, admitted, as_a_whole in (
            ({"aws:PrincipalOrgID": OURS}, OF_ALL | WITHOUT_GRANT, [(OURS, None, OF_ALL)]),
            (
                {"aws:PrincipalOrgID": "${aws:ResourceOrgID}"},
                OF_ALL | WITHOUT_GRANT,
                [("${aws:ResourceOrgID}", None, OF_ALL)],
            ),
            ({"aws:PrincipalOrgID": THEIRS}, {THEIRS: f"outsider {THEIRS}: ALLOW"}, []),
            ({"aws:PrincipalAccount": [HUB, OUTSIDE]}, OF_HUB | FOREIGN, [(HUB, HUB, OF_HUB)]),
            (
                {"aws:PrincipalAccount": "${aws:ResourceAccount}"},
                OF_STAGE | WITHOUT_GRANT,
                [("${aws:ResourceAccount}", STAGE, OF_STAGE)],
            ),
            (
                {"aws:PrincipalAccount": ["${aws:ResourceAccount}", OUTSIDE]},
                OF_STAGE | WITHOUT_GRANT | FOREIGN,
                [("${aws:ResourceAccount}", STAGE, OF_STAGE)],
            ),
            ({"aws:PrincipalArn": CI}, {CI: "role ci: ALLOW, asked"}, []),
        )
    ),
])  # fmt: skip
def test_a_trust_admits_exactly_those_whom_it_names(
    statement: dict[str, Any], admitted: dict[str, str], as_a_whole: list[tuple[str, str | None, dict[str, str]]]
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html

    An ARN has its path: no other is the same principal. The name of a role or user is all that a policy is given to.
    """
    world = organization_with_holders()
    world.role("deployer", world.stage, document(statement))
    graph = world.graph
    doors = [one for one in (*graph.doors, *graph.steps) if one.target.arn == DEPLOYER]
    said = {
        one.source.arn: f"{one.source.kind} {one.source.name}: {one.outcome.name}" + ", asked" * one.asked
        for one in doors
        if one.trust_key is not Key.MISSING
    }
    assert said == admitted
    assert all(one.source.account == (one.source.arn.split(":") + [""] * 5)[4] for one in doors)
    trusted = [one for one in graph.open_trusts if one.role.arn == DEPLOYER]
    found = [(one.names, one.account, {door.source.arn for door in one.holders}) for one in trusted]
    assert found == [(names, account, set(holders)) for names, account, holders in as_a_whole]
    assert {door for one in trusted for door in one.holders} <= {*doors}
    assert graph.not_proved == []
    if OTHER not in admitted and THEIRS not in admitted:
        assert {one.source.arn for one in doors if not one.crosses} <= {*admitted}, "nobody else is tried"


@pytest.mark.parametrize("name", [
    session(HUB, "ci/*"),
    arn(HUB, "role/c*"),
    arn(HUB, "role/c?"),
    arn(OUTSIDE, "role/c*"),
    "AROAABCDEFGHIJKLMNOPQ",
    "arn:aws:iam:::role/x",
    "arn:aws:iam::aws:role/x",
    f"arn:aws:sts::{HUB}:federated-user/x",
])  # fmt: skip
def test_a_trusted_name_that_tells_nobody_in_particular_is_not_proved(name: str) -> None:
    """ "You cannot use a wildcard to match part of a principal name or ARN"; a unique id is what a deleted one leaves.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    """
    world = organization_with_holders()
    role = world.role("deployer", world.stage, document(trusts(name)))
    world.change(role, source="__main__.py:7")
    graph = world.graph
    assert graph.not_proved == [
        NotProved(
            f"Whom role {DEPLOYER} in account stage-account ({STAGE}) lets in by the name {name}",
            "AWS leaves such a unique id of a user or role that was deleted, and then lets nobody in by it"
            if name.startswith("AROA")
            else "that name does not tell who it is",
            "name the principal by its ARN, or take it out of the trust policy",
            f"{name} -> {DEPLOYER}",
            role.urn,
            "__main__.py:7",
        )
    ]
    assert not [one for one in graph.doors if one.target.arn == DEPLOYER and one.trust_key is not Key.MISSING]


DECLARE = (
    "write the document from values that are known in preview, such as an ARN that is written out (a role's, where it "
    "has a `name`; a trust policy's with `depends_on` that role), or create what it waits for in an earlier update, or "
    "declare it as `python -m pydoc twokeys.declared` shows"
)
ANOTHER_STATE = (
    "export the state again after the update that makes what it waits for, or read the state of the stack that makes "
    "that together with this one (`--state` may be repeated)"
)
BY_A_PROVIDER = {"Effect": "Allow", "Principal": {"Federated": UNKNOWN}, "Action": "sts:AssumeRoleWithWebIdentity"}
OPEN_PRINCIPAL = {**trusts(CI), "Principal": UNKNOWN}


def unproved_in_every_way() -> Snapshot:
    """One of each kind of document that is not known, and of whatever else may let somebody in."""
    world = organization_with_holders()
    secret, limit = {"secrets": frozenset({"assumeRolePolicy"})}, arn(HUB, "policy/limit")
    behind = {"property_dependencies": {"assumeRolePolicy": ("urn:bucket", "urn:topic")}}
    world.role("by-provider", world.stage, {"Version": "2012-10-17", "Statement": [BY_A_PROVIDER]})
    world.role("late", world.stage, UNKNOWN)
    world.change(world.role("made-of", world.stage, UNKNOWN), **behind)
    world.role("wrong", world.stage, "{")
    leaves = {"Version": "2012-10-17", "Statement": [OPEN_PRINCIPAL, trusts(CI), OPEN_PRINCIPAL]}
    world.role("leaves", world.stage, leaves)
    world.change(world.role("secret", world.stage, UNKNOWN), **secret)
    world.change(world.role("secret-leaf", world.stage, {**leaves, "Statement": [OPEN_PRINCIPAL]}), **secret)
    world.add("Policy", "limit", world.hub, name="limit", policy=UNKNOWN)
    for name in ("one", "two"):
        world.role(name, world.hub, permissionsBoundary=limit, managedPolicyArns=[limit])
    world.add("Policy", "unheld", world.hub, name="unheld", policy=UNKNOWN)
    world.role("twice", world.stage, document(trusts(CI)))
    world.add("Role", "again", world.stage, name="twice", assumeRolePolicy=document(trusts(HUB)))
    world.add("RolePolicy", "whose", world.hub, role=UNKNOWN, name="g", policy=document(grants(DEPLOYER)))
    world.resources.append(
        Resource("urn:cc", "aws:cloudcontrol/resource:Resource", "cc", {"typeName": UNKNOWN}, provider=world.stage.urn)
    )
    world.add("StackReference", "other", name="o/p/other", outputs={"outputs": {"doors": [{"door": {}}]}})
    resources = tuple(replace(one, source=f"{one.name}.py") for one in world.resources)
    half = Resource("urn:half", "aws:iam/role:Role", "half", source="half.py")
    bucket, thing = replace(half, type="aws:s3/bucket:Bucket"), replace(half, type="odd:index:Thing")
    pending = (Pending("creating", half), Pending("updating", bucket), Pending("importing", thing))
    return Snapshot(resources, pending=pending)


@pytest.mark.parametrize(("is_state", "later"), [(False, DECLARE), (True, ANOTHER_STATE)])
def test_what_is_not_proved_says_what_why_and_what_to_do_where(is_state: bool, later: str) -> None:
    def urn(kind: str, name: str) -> str:
        return f"urn:pulumi:stage::twokeys::{TYPES[kind]}::{name}"

    def trust_of(role: str, why: str, step: str) -> NotProved:
        door = f"* -> {arn(STAGE, f'role/{role}')}"
        return NotProved(f"The trust policy of role {role}", why, step, door, urn("Role", role), f"{role}.py")

    def stopped(what: str, doing: str) -> NotProved:
        why = f"the last update was stopped while it was {doing} it"
        why += ", so whether it is there, and what it says, is not known"
        step = "run `pulumi refresh`, or `pulumi up` to its end, and export the state again"
        return NotProved(f"{what} half", why, step, "urn:half -> *", "urn:half", "half.py")

    no_name = "it is not JSON: Expecting property name enclosed in double quotes"
    not_yet, leaf = "it is not known yet and no component declares it", "Statement[0].Principal"
    may_let_in = "what is not known yet in it may let somebody in: "
    show = "export the state with `pulumi stack export --show-secrets --file FILE`, and keep that file to yourself"
    correct = "correct the document as the reason says; IAM would refuse it too"
    one_role = "run `pulumi refresh` on the stacks that have it, and let one of them make the role"
    name_it = "name the principal by a value that is known in preview, or by the output of one resource"
    accept = "or make an exception in the pack's configuration, with reason, owner and expiry"
    update = "let that stack and this program use one version of TwoKeys: update the older one"
    provider_or_tenant = "the provider, or the claim that names its tenant, is not known yet"
    by_provider = "Whom the trust policy of role by-provider lets in by an identity provider that is not known yet"
    both = f"{urn('Role', 'twice')} and {urn('Role', 'again')} are both this role and do not say the same"
    limit, unheld = urn("Policy", "limit"), urn("Policy", "unheld")
    whose, other = urn("RolePolicy", "whose"), urn("StackReference", "other")
    expected = [
        replace(trust_of("by-provider", provider_or_tenant, later), what=by_provider),
        trust_of("late", not_yet, later),
        trust_of("made-of", f"{not_yet} (it is made from urn:bucket, urn:topic)", later),
        trust_of("wrong", f"it cannot be read: the document (line 1, column 2): {no_name}", correct),
        trust_of("leaves", f"{may_let_in}{leaf}, Statement[2].Principal", later),
        trust_of("secret", "it is a secret, which the state holds encrypted", show),
        trust_of("secret-leaf", may_let_in + leaf, show),
        NotProved("The managed policy limit", not_yet, later, f"{arn(HUB, 'role/one')} -> *", limit, "limit.py"),
        trust_of("twice", both, one_role),
        NotProved("The managed policy unheld", not_yet, later, f"{unheld} -> *", unheld, "unheld.py"),
        NotProved(
            "What aws:iam/rolePolicy:RolePolicy whose gives to whom",
            "the role that it belongs to is not known yet", name_it, f"{whose} -> *", whose, "whose.py"),
        NotProved(
            "What aws:cloudcontrol/resource:Resource cc makes", "it makes a resource of a type that is not known yet",
            f"make it with resources of pulumi-aws, {accept}", "urn:cc -> *", "urn:cc", "cc.py"),
        stopped("aws:iam/role:Role", "creating"),
        stopped("odd:index:Thing", "importing"),
        NotProved(
            "What stack o/p/other exports about doors", "it cannot be read: doors: name: it is missing", update,
            "stack o/p/other -> *", other),
    ]  # fmt: skip
    said = build(replace(unproved_in_every_way(), is_state=is_state)).not_proved
    assert [replace(one, document=None) for one in said] == expected
    about = [one.document.title for one in said if one.document]
    assert about == ["trust policy of role by-provider", *(one.what.removeprefix("The ") for one in expected[1:10])]


# Conditions that say whose the caller is ------------------------------------------------------------------------------


def limited(condition: dict[str, Any], principal: str = "*") -> World:
    """ci of the management account holds the grant; the trust is limited to somebody."""
    world = organization(World())
    world.role("ci", world.hub)
    trust = document(
        {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole", "Condition": condition}
    )
    world.role("deployer", world.stage, trust)
    world.grant("ci", world.hub, DEPLOYER)
    return world


@pytest.mark.parametrize("condition", [
    {"StringEquals": {"aws:PrincipalAccount": [HUB, OUTSIDE]}},
    {"StringEquals": {"aws:PrincipalOrgID": [OURS, THEIRS]}},
    {"StringEquals": {"aws:PrincipalOrgID": THEIRS}},
    {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": [f"{OURS}/*", f"{THEIRS}/r-ab12/*"]}},
    {"ArnLike": {"aws:PrincipalArn": [arn(HUB, "role/*"), arn(OUTSIDE, "role/*")]}},
    {"StringEquals": {"aws:PrincipalArn": [CI, arn(OUTSIDE, "role/x")]}},
])  # fmt: skip
def test_a_condition_that_also_admits_somebody_foreign_admits_somebody_foreign(condition: Any) -> None:
    assert "external-id" in limited(condition).refused


@pytest.mark.parametrize("principal", ["*", arn(OUTSIDE, "root"), arn(OUTSIDE, "role/x")])
def test_an_account_that_comes_in_only_as_one_of_ours_has_a_grant_that_nobody_shows(principal: str) -> None:
    condition: dict[str, Any] = {"StringEquals": {"aws:PrincipalOrgID": OURS}}
    if principal == "*":
        condition["StringEquals"]["aws:PrincipalAccount"] = [HUB, OUTSIDE]
    found = [one for one in limited(condition, principal).check().mandatory if one.rule == "external-id"]
    assert ["the grant key is not proved" in finding.message for finding in found] == [True]


def test_an_outsider_whom_a_denial_keeps_out_is_none() -> None:
    world = two_keys()
    world.role("closed", world.stage, document(trusts(OUTSIDE), trusts("*", effect="Deny")))
    assert world.rules() == []


def test_a_foreign_value_with_an_external_id_is_a_third_party() -> None:
    condition = {"StringEquals": {"aws:PrincipalAccount": [HUB, OUTSIDE], "sts:ExternalId": "xyz-1"}}
    world = limited(condition)
    assert world.refused == []
    assert "third-party-named" in world.rules()


ORGANIZATIONS = {
    "its id": {"StringEquals": {"aws:PrincipalOrgID": OURS}},
    "its id in capitals": {"StringEqualsIgnoreCase": {"aws:PrincipalOrgID": OURS.upper()}},
    "its paths": {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": f"{OURS}/r-ab12/*"}},
    "its id, and a name": {
        "StringEquals": {"aws:PrincipalOrgID": OURS},
        "ArnLike": {"aws:PrincipalArn": arn("*", "role/ci")},
    },
}


@pytest.mark.parametrize("condition", ORGANIZATIONS.values(), ids=list(ORGANIZATIONS))
@pytest.mark.parametrize("holder", ["itself", "another of its account", "one of another account"])
@pytest.mark.parametrize("shown", [True, False], ids=["ours", "not shown to be ours"])
def test_a_grant_proves_a_trust_in_an_organization_if_that_is_ours_and_it_is_of_another_account(
    condition: dict[str, Any], holder: str, shown: bool
) -> None:
    """Across accounts both keys are needed; within one a trust in everyone needs none, so a grant there is no key.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
    """
    world = organization(World()) if shown else World()
    world.role("open", world.stage, everyone(**condition))
    name = "open" if holder == "itself" else "ci"
    provider = world.hub if holder == "one of another account" else world.stage
    if name == "ci":
        world.role(name, provider)
    world.add("RolePolicyAttachment", "admin", provider, role=name, policyArn=ADMINISTRATOR)
    proved = [] if provider is world.hub else ["unproved-door"]
    assert world.refused == (proved if shown else ["external-id"])


def test_the_organization_is_that_of_the_accounts_that_are_shown() -> None:
    """Each part of an organization has its id in its ARN.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsorganizations.html
    """
    world = World()
    member(world, "stage-account", STAGE)
    assert world.graph.accounts.organization == OURS


@pytest.mark.parametrize("other", ["${aws:ResourceAccount}", "12345"])
def test_a_foreign_account_is_one_whatever_stands_beside_it(other: str) -> None:
    world = two_keys()
    world.role("open", world.stage, everyone(StringEquals={"aws:PrincipalAccount": [other, OUTSIDE]}))
    assert world.refused == ["external-id"]


@pytest.mark.parametrize(
    "principal",
    [{"AWS": f"arn:aws-us-gov:iam::{OUTSIDE}:root"}, {"CanonicalUser": "79a59df900b949e5"}, {"CanonicalUser": "*"}],
)
def test_a_principal_that_no_role_of_this_partition_can_have_is_refused(principal: dict[str, str]) -> None:
    world = two_keys()
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    world.role("odd", world.stage, document(statement))
    assert world.refused != []


# Third parties --------------------------------------------------------------------------------------------------------


def vendor(condition: Any = None, principal: str = "464622532012") -> World:
    world = two_keys()
    trust = trusts(arn(principal, "root"), condition=condition)
    world.role("vendor", world.stage, document(trust))
    return world


def test_an_outsider_with_an_external_id_is_a_conditional_door_whose_grant_is_not_ours() -> None:
    world = vendor({"StringEquals": {"sts:ExternalId": "abc123"}})
    (door,) = [one for one in world.graph.doors if one.source.kind == "outsider"]
    assert (door.outcome, door.trust_key, door.grant_key) == (Outcome.CONDITIONAL, Key.PRESENT, Key.NOT_OURS)
    assert world.refused == []
    (finding,) = world.check().advisory
    assert '"thirdParties": [{"account": "464622532012"' in finding.next_step


def test_a_third_party_that_is_named_with_owner_and_reason_may_come_in_for_good() -> None:
    named = {"account": "464622532012", "name": "datadog", "owner": "platform", "reason": "monitoring"}
    config = {"third-party-named": {"thirdParties": [named]}}
    assert vendor({"StringEquals": {"sts:ExternalId": "abc123"}}).rules(config) == []
    assert vendor({"StringEquals": {"sts:ExternalId": ["abc123", "*"]}}).refused == [], "no call brings a star"
    assert vendor().rules(config) == ["external-id"], "a name is no external ID"


@pytest.mark.parametrize("condition", [
    None,
    {"StringLike": {"sts:ExternalId": "*"}},
    {"StringLike": {"sts:ExternalId": ["a*", "b"]}},
    {"StringLike": {"sts:ExternalId": "?*"}},
    {"StringEquals": {"sts:ExternalId": "${aws:PrincipalAccount}"}},
    {"StringNotEquals": {"sts:ExternalId": "x"}},
    {"StringEqualsIfExists": {"sts:ExternalId": "x"}},
    {"Null": {"sts:ExternalId": "false"}},
    {"ForAllValues:StringEquals": {"sts:ExternalId": "x"}},
])  # fmt: skip
def test_an_external_id_that_anybody_can_show_is_none(condition: Any) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html"""
    assert vendor(condition).refused == ["external-id"]


def test_whoever_comes_from_outside_has_the_ways_of_the_role_that_lets_it_in() -> None:
    world = two_keys()
    replaced(world, "ci", assumeRolePolicy=document(trusts(arn(OUTSIDE, "role/x"))))
    assert f"{arn(OUTSIDE, 'role/x')} -> {CI} -> {DEPLOYER}" in ways(world)


def test_the_account_that_the_environments_credentials_belong_to_is_no_outsider() -> None:
    world = World()
    world.resources.clear()
    default = world.add("Provider", "default")
    world.role("app", default, document(trusts(arn(HUB, "root"))))
    native = {"roleName": "ours", "assumeRolePolicyDocument": json.loads(document(trusts(arn(HUB, "root"))))}
    for translated in (False, True):
        if translated:
            world.resources.append(Resource("urn:native", "aws-native:iam:Role", "n", native, provider=default.urn))
        assert {one.source.kind for one in build(world.snapshot).doors} == {"outsider"}
        named = build(world.snapshot, own_account=HUB)
        assert (named.doors, len(list(named.roles))) == ([], 1 + translated)
        assert world.refused == ["unproved-door"]


# Grants ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("statement", "wide"), [
    ({"Action": "*:*", "Resource": "*"}, True),
    ({"Action": "s*:AssumeRole", "Resource": "*"}, True),
    ({"Action": "sts:A*", "Resource": "*"}, True),
    ({"Action": ["s3:GetObject", "*"], "Resource": "*"}, True),
    ({"NotAction": ["iam:*"], "Resource": "*"}, True),
    ({"Action": "sts:AssumeRole", "NotResource": "arn:aws:s3:::x"}, True),
    ({"Action": "sts:AssumeRole", "Resource": [DEPLOYER, arn(STAGE, "role/D*")]}, True),
    ({"Action": "sts:AssumeRole", "Resource": arn(STAGE, "role/?eployer")}, True),
    ({"Action": "sts:AssumeRole", "Resource": arn(STAGE, "role/${aws:username}")}, True),
    ({"Action": "*", "Resource": "*"}, False),
    ({"Action": "s3:*", "Resource": "*"}, False),
    ({"NotAction": "s3:*", "Resource": "arn:aws:s3:::bucket/*"}, False),
    ({"Action": "sts:AssumeRole", "Resource": arn(HUB, "role/app-*")}, False),
    ({"NotAction": ["sts:*"], "Resource": "*"}, False),
])  # fmt: skip
@pytest.mark.parametrize("held", [True, False])
def test_a_grant_that_means_roles_to_come_is_refused_also_where_nobody_holds_it_yet(
    statement: dict[str, Any], wide: bool, held: bool
) -> None:
    """A grant of everything, of other things or within the account is none."""
    world = two_keys()
    holder = {"role": "ci"} if held else {}
    policy = document({"Effect": "Allow", **statement})
    world.add("RolePolicy" if held else "Policy", "wide", world.hub, name="wide", policy=policy, **holder)
    assert "wildcard-grant" in world.refused if wide else world.rules() == []


# Exceptions and declarations ------------------------------------------------------------------------------------------


def test_an_exception_for_one_role_of_unknown_trust_excuses_no_other_of_its_name() -> None:
    world = World()
    world.role("deployer", world.stage, UNKNOWN)
    world.add("Role", "prod-deployer", world.provider("prod", PROD), name="deployer", assumeRolePolicy=UNKNOWN)
    doors = [finding.door for finding in world.check().mandatory]
    assert doors == [f"* -> {arn(account, 'role/deployer')}" for account in (STAGE, PROD)]
    entry = {"door": doors[0], "reason": "r", "owner": "o", "expires": "2027-01-01"}
    left = world.check({"unproved-door": {"exceptions": [entry]}}).mandatory
    assert [finding.door for finding in left] == doors[1:]


def test_a_document_that_is_declared_twice_is_refused() -> None:
    world = World()
    world.role("ci", world.hub)
    place = {"type": "aws:iam/rolePolicy:RolePolicy", "name": "g", "account": HUB, "property": "policy"}
    documents = [json.loads(document(grants(one))) for one in ("*", DEPLOYER)]
    declared = [{**place, "properties": {"role": "ci", "name": "g"}, "document": one} for one in documents]
    component = world.add("Component", "c", symbolicDocuments=declared)
    world.role("deployer", world.stage, document(trusts(CI)))
    world.add("RolePolicy", "g", world.hub, parent=component, role="ci", name="g", policy=UNKNOWN)
    assert "declared-equals-real" in world.refused


# Unknown leaves -------------------------------------------------------------------------------------------------------

ASSUME = "sts:AssumeRole"
BY_CI = {"AWS": CI}


def trust_of(**elements: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": BY_CI, "Action": ASSUME, **elements}
    return {"Version": "2012-10-17", "Statement": [statement]}


# What counts as unknown in a statement of either kind is a row of `LEAVES` in test_names.py.
@pytest.mark.parametrize("trust", [trust_of(Principal={"AWS": [CI, UNKNOWN]}), {"Statement": UNKNOWN}])
def test_an_unknown_part_of_a_trust_that_may_let_somebody_in_is_not_proved(trust: dict[str, Any]) -> None:
    world = two_keys()
    world.role("other", world.stage, {"Version": "2012-10-17", **trust})
    found = [finding for finding in world.check().mandatory if finding.rule == "unproved-door"]
    assert f"* -> {arn(STAGE, 'role/other')}" in [finding.door for finding in found]


@pytest.mark.parametrize("place", ["RolePolicy", "inlinePolicies", "Policy", "GroupPolicy"])
def test_an_unknown_part_of_a_policy_that_may_grant_a_role_is_not_proved(place: str) -> None:
    world = two_keys()
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ASSUME, "Resource": UNKNOWN}]}
    if place == "inlinePolicies":
        world.role("a", world.hub, SERVICE, inlinePolicies=[{"name": "x", "policy": policy}])
    elif place == "Policy":
        world.add("Policy", "x", world.hub, name="x", policy=policy)
    elif place == "GroupPolicy":
        world.add("Group", "a", world.hub, name="a")
        world.add("GroupPolicy", "x", world.hub, group="a", name="x", policy=policy)
    else:
        world.role("a", world.hub)
        world.add("RolePolicy", "x", world.hub, role="a", name="x", policy=policy)
    assert "unproved-door" in world.refused


@pytest.mark.parametrize("trust", [
    trust_of(Sid=UNKNOWN),
    trust_of(Condition=UNKNOWN),
    trust_of(Condition={"StringEquals": {"sts:ExternalId": UNKNOWN}}),
    trust_of(Condition={"StringEquals": UNKNOWN}),
    {"Version": UNKNOWN, "Statement": [trusts(CI)]},
    {"Version": "2012-10-17", "Statement": [trusts(CI), {**trusts(CI), "Effect": "Deny", "Principal": UNKNOWN}]},
])  # fmt: skip
def test_what_can_only_narrow_a_trust_may_come_to_be_known_later(trust: dict[str, Any]) -> None:
    world = two_keys(trust)
    assert world.refused == []
    assert [door.open for door in world.graph.doors if door.target.arn == DEPLOYER] == [True]


def test_a_defect_in_reading_a_stack_is_a_refusal_with_its_reason() -> None:
    world = two_keys()
    world.resources.append(cast("Resource", None))
    with pytest.raises(Refusal) as refused:
        _ = build(replace(world.snapshot, origin="stack stage"))
    assert (refused.value.what, refused.value.where) == ("who can enter cannot be read", "stack stage")
    reason = "'NoneType' object has no attribute 'type'; this is a defect of TwoKeys, so nothing here is proved"
    assert refused.value.why == f"AttributeError: {reason}"
    assert refused.value.next_step == "report it, with the resource that it is about if the reason names one"
    assert gc.isenabled()


def test_a_way_under_a_condition_that_is_not_known_yet_counts_as_open_between_environments() -> None:
    world = with_prod()
    world.role("ci", world.stage)
    prod = world.provider("prod", PROD)
    trust = trusts(arn(STAGE, "role/ci"), condition={"StringEquals": {"sts:ExternalId": UNKNOWN}})
    world.role("deployer", prod, {"Version": "2012-10-17", "Statement": [trust]})
    world.grant("ci", world.stage, arn(PROD, "role/deployer"))
    assert world.refused == ["environments-isolated"]


# Partitions -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("partition", "region"), [("aws", "eu-west-1"), ("aws-us-gov", "us-gov-west-1"), ("aws-cn", "cn-north-1")]
)
def test_a_door_across_stacks_has_two_keys_in_every_partition(partition: str, region: str) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html"""

    def inside(account: str, rest: str) -> str:
        return f"arn:{partition}:iam::{account}:{rest}"

    role, source = inside(STAGE, "role/deployer"), inside(HUB, "role/ci")
    world = World()
    world.resources.clear()
    assumed = json.dumps([{"roleArn": inside(STAGE, "role/OrganizationAccountAccessRole")}])
    stage = world.add("Provider", "stage", region=region, allowedAccountIds=json.dumps([STAGE]), assumeRoles=assumed)
    world.role("deployer", stage, document(trusts(source)))
    vendor = trusts(OUTSIDE, condition={"StringEquals": {"sts:ExternalId": "vendor-1"}})
    world.role("vendor", stage, document(vendor))
    place = {"type": "aws:iam/rolePolicy:RolePolicy", "name": "g", "account": HUB, "property": "policy"}
    exported = {**place, "properties": {"role": "ci", "name": "g"}, "document": json.loads(document(grants(role)))}
    door = {
        "name": "deploy",
        "source": {"kind": "role", "account": HUB, "names": ["ci"]},
        "target": {"account": STAGE, "role": "deployer"},
    }
    outputs = {"doors": [{"name": "deploy", "door": door, "documents": [exported]}], "parent_account_id": HUB}
    world.add("StackReference", "management", name="organization/p/management", outputs={"outputs": outputs})
    assert world.refused == []
    from_outside = f"{inside(OUTSIDE, 'root')} -> {inside(STAGE, 'role/vendor')}"
    assert {one.id for one in world.graph.doors if one.open} == {f"{source} -> {role}", from_outside}


# Size -----------------------------------------------------------------------------------------------------------------


def test_forty_stars_and_two_thousand_statements_are_read_to_the_end() -> None:
    """Matching that tried every place for every star would not come back in anybody's life."""
    world = World()
    world.role("ci", world.hub)
    names = [f"{'a' * 60}-{number}" for number in range(200)]
    for name in names:
        world.role(name, world.stage, document(trusts(arn(HUB, "root"))))
    statements = [grants(arn(STAGE, f"role/{name}")) for name in names for _ in range(10)]
    starred = grants(arn(STAGE, "role/" + "a*" * 40 + "b"))
    policy = document(*statements, starred)
    world.add("RolePolicy", "many", world.hub, role="ci", name="many", policy=policy)
    assert len([door for door in world.graph.doors if door.open and door.source.name == "ci"]) == len(names)


def test_a_trust_in_everyone_is_judged_once_for_all_whom_nothing_tells_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each holds a grant of its own, which a trust in everyone does not ask for."""
    judged: list[str] = []

    def counted(judge: Judge, source: Principal, target: Principal, *, asked: bool = False) -> Door:
        judged.append(source.name)
        return door(judge, source, target, asked=asked)

    door = Judge.door
    monkeypatch.setattr(Judge, "door", counted)
    world = World()
    for number in range(60):
        world.role(f"one-{number}", world.stage)
        world.grant(f"one-{number}", world.stage, arn(PROD, f"role/{number}"))
    denied = document(grants("*", effect="Deny"))
    world.add("RolePolicy", "no", world.stage, role="one-7", name="no", policy=denied)
    but = {"ArnNotLike": {"aws:PrincipalArn": arn(STAGE, "role/one-1*")}}
    for number in range(4):
        trust = document(trusts("*", condition=but), trusts(arn(STAGE, "role/one-1")))
        world.role(f"open-{number}", world.stage, trust)
    steps = {(one.source.name, one.target.name) for one in world.graph.steps if one.open and one.source.urn}
    assert len(judged) <= 4 * 7
    shut = {"one-7", *(f"one-1{number}" for number in range(10))}
    everybody = {f"one-{number}" for number in range(60)} | {f"open-{number}" for number in range(4)}
    assert {source for source, target in steps if target == "open-0"} == everybody - shut - {"open-0"}


ALICE_ARN = arn(STAGE, "user/alice")
FIRST, SECOND = (Caller(arn(STAGE, f"user/{name}"), unique_id=f"AIDA{name.upper():X<17}") for name in ("ann", "ben"))


@pytest.mark.parametrize("key", sorted(key for key, has in FIRST.context.items() if SECOND.context[key] != has))
def test_a_trust_in_everyone_keeps_out_whom_it_denies_by_any_key_in_which_two_users_differ(key: str) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#principaltable"""
    world = World()
    for user in (FIRST, SECOND):
        world.add("User", user.name, world.stage, name=user.name, outputs={"uniqueId": user.unique_id})
    denied = trusts("*", effect="Deny", condition={"StringEquals": {key: SECOND.context[key][0]}})
    world.role("open", world.stage, document(trusts("*"), denied))
    assert {step.source.name for step in world.graph.steps if step.open and step.source.urn} == {"ann"}


@pytest.mark.parametrize(("statements", "denied", "inside"), [
    ([trusts("*")], {}, {"alice", "bob", "one"}),
    ([trusts("*"), trusts(arn(STAGE, "user/bob"), effect="Deny")], {}, {"alice", "one"}),
    ([trusts("*"), trusts(arn(STAGE, "root"), effect="Deny")], {}, set()),
    ([trusts("*")], {"alice": "role/open", "bob": "role/another"}, {"bob", "one"}),
    ([trusts("*")], {"alice": "role/${aws:username}", "bob": "role/o*"}, {"alice", "one"}),
    (
        [trusts("*", condition={"StringEquals": {"aws:PrincipalArn": arn(STAGE, "user/${aws:username}")}})],
        {},
        {"alice", "bob"},
    ),
    ([trusts("*")], {"alice": UNKNOWN}, {"bob", "one"}),
    (
        [trusts("*", condition={"ArnLike": {"aws:PrincipalArn": [ALICE_ARN, arn(STAGE, "x/${aws:username}")]}})],
        {},
        {"alice"},
    ),
    (
        [trusts("*", condition={"StringLike": {"aws:username": "b*"}}), trusts(arn(STAGE, "role/one"))],
        {"bob": "role/another"},
        {"bob", "one"},
    ),
])  # fmt: skip
def test_a_trust_in_everyone_admits_each_whom_no_denial_and_no_condition_keeps_out(
    statements: list[dict[str, Any]], denied: dict[str, Any], inside: set[str]
) -> None:
    """A role has no `aws:username`, and a variable without a value is in no text.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
    """
    world = World()
    world.role("one", world.stage)
    for user in ("alice", "bob"):
        world.add("User", user, world.stage, name=user)
    for user, role in denied.items():
        policy = UNKNOWN if role is UNKNOWN else document(grants(arn(STAGE, role), effect="Deny"))
        world.add("UserPolicy", f"no-{user}", world.stage, user=user, name="no", policy=policy)
    world.role("open", world.stage, document(*statements))
    steps = [one for one in world.graph.steps if one.target.name == "open" and one.source.urn]
    assert {one.source.name for one in steps if one.open} == inside
    assert all(one.trust.why for one in steps)


BEARING: list[Any] = [
    document(grants("*", action="*"), *more)
    for more in (
        [],
        [grants("*", effect="Deny")],
        [grants(arn(STAGE, "role/open-0"), effect="Deny")],
        [grants(arn(STAGE, "role/${aws:username}"), effect="Deny")],
        [grants("*", effect="Deny") | {"Condition": {"StringEquals": {"aws:ResourceTag/team": "red"}}}],
        [grants("*", effect="Deny") | {"Condition": {"StringEquals": {"aws:PrincipalTag/team": "red"}}}],
        [grants("*", effect="Deny") | {"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "false"}}}],
    )
] + [document(grants(arn(PROD, "role/x"))), UNKNOWN]


def test_those_who_differ_in_one_document_are_judged_together_as_each_is_alone() -> None:
    """Each document as an own policy, as that of a group and as a boundary, of users and roles, tagged and not."""
    world, someone = World(), itertools.count()
    for number, said in enumerate(BEARING):
        limit = arn(STAGE, f"policy/limit-{number}")
        world.add("Policy", f"limit-{number}", world.stage, policy=said, name=f"limit-{number}", outputs={"arn": limit})
        world.add("Group", f"group-{number}", world.stage, name=f"group-{number}")
        world.add("GroupPolicy", f"g-{number}", world.stage, group=f"group-{number}", name="g", policy=said)
        for tags, kind in itertools.product(({}, {"team": "red"}), ("User", "Role")):
            for how in ("boundary", "own", "group")[: 3 if kind == "User" else 2]:
                name = f"one-{next(someone)}"
                limits = {"permissionsBoundary": limit} if how == "boundary" else {}
                trusted = {"assumeRolePolicy": SERVICE} if kind == "Role" else {}
                world.add(kind, name, world.stage, name=name, tags=tags, **limits, **trusted)
                if how == "own":
                    of = {kind.lower(): name}
                    world.add(f"{kind}Policy", f"p-{name}", world.stage, name="p", policy=said, **of)
                if how == "group":
                    world.add("UserGroupMembership", f"in-{name}", world.stage, user=name, groups=[f"group-{number}"])
    for number, tags in enumerate(({}, {"team": "red"})):
        world.role(f"open-{number}", world.stage, document(trusts("*")), tags=tags)
    graph = world.graph
    judge = Judge(graph.guards, graph.accounts)
    sources = [one for one in graph.principals if isinstance(one, Identity) and one.kind in ("user", "role")]
    outcomes: set[Outcome] = set()
    for target in [one for one in graph.roles if one.name.startswith("open")]:
        for step in judge.steps(sources, target):
            alone = Judge(graph.guards, graph.accounts).door(step.source, target)
            assert step.outcome is alone.outcome, (step.source.name, target.name)
            outcomes.add(step.outcome)
    assert outcomes == {*Outcome}


def test_a_boundary_keeps_out_whom_it_denies_of_two_who_differ_in_nothing_else() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html"""
    world = World()
    for user, said in (("anna", BEARING[0]), ("bob", BEARING[1])):
        limit = arn(STAGE, f"policy/{user}")
        world.add("Policy", f"of-{user}", world.stage, name=user, policy=said, outputs={"arn": limit})
        world.add("User", user, world.stage, name=user, permissionsBoundary=limit)
    world.role("open", world.stage, document(trusts("*")))
    assert {one.source.name for one in world.graph.steps if one.open and one.source.kind == "user"} == {"anna"}


def control(world: World, statement: dict[str, Any] | Unknown, target: str = STAGE, **outputs: object) -> World:
    """The organization with stage in it, and a resource control policy."""
    organization(world, **outputs)
    member(world, "stage-account", STAGE)
    policy: object = statement
    if not isinstance(statement, Unknown):
        every = {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole", "Resource": "*"}
        policy = {"Version": "2012-10-17", "Statement": [{**every, **statement}]}
    made = world.add("ControlPolicy", "rcp", world.hub, name="rcp", type="RESOURCE_CONTROL_POLICY", content=policy)
    world.add("ControlPolicyAttachment", "rcp", world.hub, made_from={"policyId": [made]}, targetId=target)
    return world


OURS_ONLY = {"Condition": {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": OURS}}}
HUB_ONLY = {"Condition": {"StringNotEquals": {"aws:PrincipalAccount": HUB}}}


def perimeter(*others: object, operator: str = "StringNotEqualsIfExists") -> dict[str, Any]:
    """AWS's data perimeter, which spares roles with a tag, services and the accounts of certain others.

    https://github.com/aws-samples/data-perimeter-policy-examples/blob/main/resource_control_policies/identity_perimeter_rcp.json
    """
    spared = {"aws:PrincipalOrgID": OURS, "aws:ResourceTag/dp:exclude:identity": "true"}
    accounts = {"aws:PrincipalAccount": list(others)} if others else {}
    services = {"BoolIfExists": {"aws:PrincipalIsAWSService": "false"}}
    return {"Action": ["s3:*", "sts:AssumeRole"], "Condition": {operator: spared | accounts, **services}}


ALICE = {"Condition": {"ArnLike": {"aws:PrincipalArn": ALICE_ARN}}}
NOTHING = {"Action": "s3:GetObject"}
WITHOUT_MFA = {"Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}}


@pytest.mark.parametrize(("principal", "condition", "rcp", "outcome"), [
    (OUTSIDE, {}, NOTHING, Outcome.ALLOW),
    (OUTSIDE, {}, HUB_ONLY, Outcome.DENY),
    (OUTSIDE, {}, OURS_ONLY, Outcome.CONDITIONAL),
    (OUTSIDE, {"aws:username": "ann"}, NOTHING, Outcome.CONDITIONAL),
    (OUTSIDE, {"aws:PrincipalType": "User"}, NOTHING, Outcome.CONDITIONAL),
    ("*", {"aws:PrincipalType": "User"}, NOTHING, Outcome.CONDITIONAL),
    (OUTSIDE, {"aws:ResourceOrgID": OURS}, NOTHING, Outcome.ALLOW),
    (OUTSIDE, {"aws:ResourceOrgID": THEIRS}, NOTHING, Outcome.DENY),
    (arn(OUTSIDE, "user/ann"), {"aws:username": "ann"}, NOTHING, Outcome.ALLOW),
    (arn(OUTSIDE, "user/ann"), {"aws:username": "bob"}, NOTHING, Outcome.DENY),
    (arn(OUTSIDE, "role/x"), {}, HUB_ONLY, Outcome.DENY),
    ("*", {"aws:PrincipalOrgID": THEIRS}, NOTHING, Outcome.ALLOW),
    (OUTSIDE, {"aws:PrincipalOrgID": THEIRS}, OURS_ONLY, Outcome.DENY),
    (OUTSIDE, {"sts:ExternalId": "x"}, OURS_ONLY, Outcome.CONDITIONAL),
])  # fmt: skip
def test_an_outsider_comes_in_as_far_as_the_trust_and_the_control_policies_of_the_role_let_it(
    principal: str, condition: dict[str, str], rcp: dict[str, Any], outcome: Outcome
) -> None:
    """https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_examples.html"""
    world = control(World(), rcp)
    world.role("open", world.stage, document(trusts(principal, condition={"StringEquals": condition})))
    (door,) = [one for one in world.graph.doors if one.target.name == "open" and one.source.kind != "role"]
    assert (door.outcome, door.grant_key, door.grant.outcome) == (outcome, Key.NOT_OURS, Outcome.ALLOW)
    (grant,) = door.grant.decisions
    assert (grant.document, grant.effect) == ("grant", "Allow")
    assert grant.why.startswith("it is made in an account that is not shown to be ours")


LISTED = [{"id": HUB, "name": "hub"}, {"id": STAGE, "name": "stage"}]
VENDOR = arn(OUTSIDE, "role/vendor")


@pytest.mark.parametrize(("condition", "comes_in"), [
    ({"StringNotEqualsIfExists": {"aws:PrincipalOrgID": OURS}}, False),
    ({"StringNotEquals": {"aws:PrincipalOrgID": OURS}}, False),
    ({"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "${aws:ResourceOrgID}"}}, False),
    ({"StringNotLikeIfExists": {"aws:PrincipalOrgPaths": f"{OURS}/*"}}, False),
    ({"ForAllValues:StringNotLike": {"aws:PrincipalOrgPaths": f"{OURS}/r-ab12/*"}}, False),
    ({"StringNotEqualsIfExists": {"aws:PrincipalOrgID": [OURS, THEIRS]}}, True),
    ({"StringNotLikeIfExists": {"aws:PrincipalOrgID": "o-*"}}, True),
    ({"ForAnyValue:StringNotEquals": {"aws:PrincipalOrgID": OURS}}, True),  # not without the key
    ({"StringEquals": {"aws:PrincipalOrgID": OURS}}, True),
    ({"Null": {"aws:PrincipalOrgID": "true"}}, True),
])  # fmt: skip
@pytest.mark.parametrize("trusted", [OUTSIDE, VENDOR])
@pytest.mark.parametrize("listed", [[], LISTED])
def test_a_control_policy_that_spares_ones_own_organization_shuts_out_an_account_that_is_none_of_it(
    condition: dict[str, Any], comes_in: bool, trusted: str, listed: list[dict[str, str]]
) -> None:
    """Whether it is one of it is known where every account of the organization is listed.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalorgid
    """
    world = control(World(), {"Condition": condition}, accounts=listed)
    world.role("open", world.stage, document(trusts(trusted, condition={"StringEquals": {"sts:ExternalId": "x-1"}})))
    (door,) = world.graph.doors
    assert door.outcome is (Outcome.DENY if listed and not comes_in else Outcome.CONDITIONAL)


@pytest.mark.parametrize(("parent", "trusted", "outcome"), [
    ("ou-ab12-11111111", "r-ab12/ou-ab12-11111111/*", Outcome.ALLOW),
    ("ou-ab12-22222222", "r-ab12/ou-ab12-11111111/*", Outcome.ALLOW),  # a unit of that one
    ("ou-ab12-22222222", "r-ab12/ou-ab12-11111111/", Outcome.DENY),
    ("ou-ab12-33333333", "r-ab12/ou-ab12-11111111/*", Outcome.DENY),
    ("r-ab12", "r-ab12/ou-ab12-11111111/*", Outcome.DENY),
    ("r-ab12", "r-ab12/", Outcome.ALLOW),
    (None, "r-ab12/ou-ab12-11111111/*", Outcome.CONDITIONAL),
    (None, "r-ab12/", Outcome.CONDITIONAL),
    (None, "r-ab12/ou-*", Outcome.CONDITIONAL),  # "the child OUs, but not directly to the parent"
    (None, "r-ab12/*", Outcome.ALLOW),  # as of the management account, whose place nothing shows
    (None, "*", Outcome.ALLOW),
    (None, "r-zz99/*", Outcome.DENY),
    ("ou-ab12-44444444", "r-ab12/ou-ab12-11111111/*", Outcome.CONDITIONAL),  # a unit that nothing shows
])  # fmt: skip
def test_a_trust_in_an_organizational_unit_admits_the_accounts_below_it(
    parent: str | None, trusted: str, outcome: Outcome
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalorgpaths"""
    world = organization(World(), roots=[{"id": "r-ab12"}])
    for name, above in (("1", "r-ab12"), ("2", "ou-ab12-11111111"), ("3", "r-ab12")):
        made = {"id": f"ou-ab12-{name * 8}"}
        world.add("OrganizationalUnit", name, world.hub, name=name, parentId=above, outputs=made)
    member(world, "prod", PROD, **({"parentId": parent} if parent else {}))
    prod = world.provider("prod", PROD)
    world.role("auditor", prod)
    world.grant("auditor", prod, DEPLOYER)
    condition = {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": f"{OURS}/{trusted}"}}
    world.role("deployer", world.stage, document(trusts("*", condition=condition)))
    found = [one for one in world.graph.doors if one.source.name == "auditor" and one.target.arn == DEPLOYER]
    assert [one.outcome for one in found] == [outcome]


@pytest.mark.parametrize(("rcp", "tags", "comes"), [
    ({}, {}, "nobody"),
    ({"Action": "sts:*"}, {}, "nobody"),
    ({"Resource": arn(STAGE, "role/o*")}, {}, "nobody"),
    ({"Resource": arn(STAGE, "role/x*")}, {}, "everyone"),
    ({"Action": "sts:AssumeRoleWithSAML"}, {}, "everyone"),
    (HUB_ONLY, {}, "ci"),
    (OURS_ONLY, {}, "ci"),
    *(({**OURS_ONLY, "Resource": one}, {}, "everyone") for one in (UNKNOWN, arn(STAGE, "role/${aws:username}"))),
    (UNKNOWN, {}, "everyone"),
    (perimeter(), {}, "ci"),
    (perimeter(), {"owner": UNKNOWN}, "ci"),
    (perimeter(), {"DP:exclude:Identity": "true"}, "everyone"),
    (perimeter(), {"dp:exclude:identity": UNKNOWN}, "everyone"),
    (perimeter(), UNKNOWN, "everyone"),
    (perimeter(PROD), {}, "ci"),
    (perimeter("*"), {}, "everyone"),
    (perimeter(UNKNOWN), {}, "everyone"),
    (perimeter(operator="StringEqualsIfExists"), {}, "everyone"),
])  # fmt: skip
def test_a_trust_in_everyone_is_refused_where_control_policies_leave_more_than_certain_others(
    rcp: dict[str, Any] | Unknown, tags: Any, comes: str
) -> None:
    """https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html"""
    world = control(World(), rcp)
    world.role("ci", world.hub)
    world.grant("ci", world.hub, arn(STAGE, "role/open"))
    world.role("open", world.stage, document(trusts("*")), tags=tags)
    doors = [one for one in (*world.graph.doors, *world.graph.steps) if one.target.name == "open" and one.open]
    inside = {one.source.kind if one.source.kind == "everyone" else one.source.name for one in doors}
    assert ("wildcard-trust" in world.rules()) is (comes == "everyone")
    assert comes in inside or (comes, inside) == ("nobody", set())


@pytest.mark.parametrize("listed", [[], [{"id": HUB, "name": "hub"}, {"id": STAGE, "name": "stage"}]])
@pytest.mark.parametrize(("account", "rules"), [(STAGE, []), (OUTSIDE, ["wildcard-trust"])])
def test_a_control_policy_of_the_root_does_not_limit_a_trust_in_an_account_outside_the_organization(
    account: str, rules: list[str], listed: list[dict[str, str]]
) -> None:
    """https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html"""
    world = control(World(), perimeter(), "r-abcd", accounts=listed)
    world.role("ci", world.hub)
    world.grant("ci", world.hub, arn(account, "role/open"))
    world.role("open", world.provider("other", account), document(trusts("*")))
    assert world.rules() == rules


@pytest.mark.parametrize(("model", "rule"), [("SERVICE_MANAGED", "unproved-door"), ("SELF_MANAGED", "wildcard-trust")])
def test_a_stack_set_with_service_managed_permissions_deploys_to_accounts_of_the_organization_only(
    model: str, rule: str
) -> None:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-orgs-associate-stackset-with-org.html"""
    world = control(World(), OURS_ONLY, "r-abcd")
    trust = json.loads(document(trusts("*")))
    role = {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "open", "AssumeRolePolicyDocument": trust}}
    said = {"permissionModel": model, "templateBody": json.dumps({"Resources": {"R": role}})}
    put(world, "aws:cloudformation/stackSet:StackSet", "all", world.hub, **said)
    assert [one.rule for one in world.check().mandatory] == [rule]


def test_an_account_that_a_perimeter_spares_comes_in_from_outside_and_is_found_once() -> None:
    world = control(World(), perimeter(OUTSIDE))
    world.role("open", world.stage, document(trusts(arn(OUTSIDE, "root"))))
    (found,) = [one for one in world.findings() if one.rule == "external-id"]
    assert "not known to be in the organization" in found.message


@pytest.mark.parametrize(("trust", "granted", "rcp", "keys", "outcome"), [
    ({}, True, NOTHING, (Key.PRESENT, Key.PRESENT), Outcome.ALLOW),
    ({}, True, OURS_ONLY, (Key.PRESENT, Key.PRESENT), Outcome.ALLOW),
    ({}, True, WITHOUT_MFA, (Key.PRESENT, Key.PRESENT), Outcome.CONDITIONAL),
    ({}, True, UNKNOWN, (Key.PRESENT, Key.PRESENT), Outcome.CONDITIONAL),
    (
        {},
        True,
        {"Condition": {"StringNotEquals": {"aws:PrincipalAccount": UNKNOWN}}},
        (Key.PRESENT, Key.PRESENT),
        Outcome.CONDITIONAL,
    ),
    *(
        ({}, True, {"Condition": {"StringEquals": condition}}, (Key.MISSING, Key.PRESENT), Outcome.DENY)
        for condition in ({"aws:PrincipalAccount": HUB}, {"aws:PrincipalOrgID": OURS}, {"aws:ResourceOrgID": OURS})
    ),
    ({}, False, NOTHING, (Key.PRESENT, Key.MISSING), Outcome.DENY),
    (
        MFA,
        True,
        {"Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}}},
        (Key.MISSING, Key.PRESENT),
        Outcome.DENY,
    ),
])  # fmt: skip
def test_a_control_policy_of_the_role_limits_whom_its_trust_policy_lets_in(
    trust: dict[str, Any], granted: bool, rcp: dict[str, Any] | Unknown, keys: tuple[Key, Key], outcome: Outcome
) -> None:
    """https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html"""
    world = control(World(), rcp)
    world.role("ci", world.hub)
    world.role("deployer", world.stage, document(trusts(CI, condition=trust)))
    if granted:
        world.grant("ci", world.hub, DEPLOYER)
    (door,) = [one for one in world.graph.doors if one.target.arn == DEPLOYER]
    assert (door.trust_key, door.grant_key, door.outcome) == (*keys, outcome)


@pytest.mark.parametrize(("rcp", "inside"), [(NOTHING, {"alice", "bob"}), (ALICE, {"bob"}), ({}, set())])
def test_a_control_policy_tells_those_apart_whom_a_trust_in_everyone_admits(
    rcp: dict[str, Any], inside: set[str]
) -> None:
    world = control(World(), rcp)
    for user in ("alice", "bob"):
        world.add("User", user, world.stage, name=user)
    world.role("open", world.stage, document(trusts("*")))
    steps = [one for one in world.graph.steps if one.target.name == "open" and one.source.kind == "user"]
    assert {one.source.name for one in steps if one.open} == inside


ANN, EXTERNAL_ID = {"StringEquals": {"aws:username": "ann"}}, {"StringEquals": {"sts:ExternalId": UNKNOWN}}
LATER = ("is met by", ("a value that is not known yet",))


@pytest.mark.parametrize(("trust", "grant", "outcome"), [
    ({"Condition": ANN}, {}, Outcome.CONDITIONAL),
    ({"Condition": EXTERNAL_ID}, {}, Outcome.CONDITIONAL),
    ({"Condition": EXTERNAL_ID}, MFA, Outcome.CONDITIONAL),
    ({"Condition": EXTERNAL_ID}, {"StringEquals": {"aws:username": UNKNOWN}}, Outcome.CONDITIONAL),
    ({"Condition": MFA | EXTERNAL_ID}, {}, Outcome.CONDITIONAL),
    ({"Condition": EXTERNAL_ID, "Effect": UNKNOWN}, {}, Outcome.UNKNOWN),
    ({"Condition": MFA, "Effect": UNKNOWN}, {}, Outcome.UNKNOWN),
    ({"Effect": UNKNOWN}, MFA, Outcome.UNKNOWN),
])  # fmt: skip
def test_a_condition_on_who_a_member_of_a_group_is_or_that_is_not_known_yet_may_be_met(
    trust: dict[str, Any], grant: dict[str, Any], outcome: Outcome
) -> None:
    """A group is no principal, its members are: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_groups.html"""
    world = World()
    world.add("Group", "people", world.hub, name="people")
    policy = {"Version": "2012-10-17", "Statement": [grants(DEPLOYER) | {"Condition": grant}]}
    world.add("GroupPolicy", "grant", world.hub, group="people", name="grant", policy=policy)
    world.role("deployer", world.stage, trust_of(Principal={"AWS": arn(HUB, "root")}, **trust))
    (door,) = [one for one in world.graph.doors if one.source.kind == "group"]
    assert door.outcome is outcome
    if outcome is Outcome.CONDITIONAL:
        required = door.trust.requirements
        waiting = [one.key for one in required if (one.operator, one.values) == LATER]
        unknown = ["Statement[0].Condition.StringEquals.sts:ExternalId of the trust policy"]
        assert waiting == (unknown if trust["Condition"] != ANN else [])
        assert any(one.key == "aws:MultiFactorAuthPresent" for one in required) == ("Bool" in trust["Condition"])
        assert door.trust.decisions


@pytest.mark.parametrize(
    ("denial", "outcome"), [(document(grants("*", effect="Deny")), Outcome.DENY), (UNKNOWN, Outcome.CONDITIONAL)]
)
def test_a_control_policy_that_a_member_account_manages_binds_that_one_and_not_the_management_account(
    denial: str | Unknown, outcome: Outcome
) -> None:
    """The ARN of a policy has the id of the management account, whoever the organization lets manage policies.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_delegate_policies.html
    """
    world = World()
    prod = world.provider("prod", PROD)
    policy = f"arn:aws:organizations::{HUB}:policy/o-abcdefghij/service_control_policy/p-1"
    world.add("ControlPolicy", "p", prod, id="p-1", type="SERVICE_CONTROL_POLICY", arn=policy, content=denial)
    world.add("ControlPolicyAttachment", "a", prod, policyId="p-1", targetId="r-abcd")
    for name, provider in (("ci", world.hub), ("ops", prod)):
        world.role(name, provider)
        world.grant(name, provider, DEPLOYER)
    world.role("deployer", world.stage, document(trusts(CI, arn(PROD, "role/ops"))))
    found = {door.source.name: door.outcome for door in world.graph.doors if door.asked}
    assert found == {"ci": Outcome.ALLOW, "ops": outcome}


def test_a_trust_in_the_unique_id_of_a_role_that_is_there_is_one_in_that_role() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids"""
    unique = "AROAABCDEFGHIJKLMNOPQ"
    world = two_keys(document(trusts(unique)))
    ci = next(one for one in world.resources if one.name == "ci")
    world.change(ci, outputs={**(ci.inputs or {}), "uniqueId": unique})
    graph = world.graph
    assert [(one.source.arn, one.target.arn, one.outcome) for one in graph.doors] == [(CI, DEPLOYER, Outcome.ALLOW)]
    assert graph.not_proved == []


# Ways through several roles -------------------------------------------------------------------------------------------


def test_a_way_that_asks_for_mfa_has_one_beside_it_that_leads_around_that() -> None:
    """Role chaining: the role between asks for nothing."""
    world = two_keys(document(trusts(CI), trusts(arn(HUB, "user/ann"), condition=MFA)))
    world.add("User", "ann", world.hub, name="ann")
    world.add("UserPolicy", "ann", world.hub, user="ann", name="ann", policy=document(grants(CI, DEPLOYER)))
    replaced(world, "ci", assumeRolePolicy=document(trusts(arn(HUB, "user/ann"))))
    graph = world.graph
    shortest = list(paths_from(graph, lambda one: one.name in ("ann", "ci")))
    assert [str(way) for way in shortest] == [f"{CI} -> {DEPLOYER}", f"{arn(HUB, 'user/ann')} -> {DEPLOYER}"]
    assert [str(way) for way in without_conditions(graph, shortest)] == [
        f"{arn(HUB, 'user/ann')} -> {CI} -> {DEPLOYER}"
    ]


def test_the_shortest_way_to_each_role_of_another_account_and_the_roles_that_lead_out() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining"""
    world = two_keys()
    prod = world.provider("prod", PROD)
    inner, home, last = arn(PROD, "role/inner"), arn(HUB, "role/home"), arn(STAGE, "role/last")
    world.role("inner", prod, document(trusts(DEPLOYER, CI)))
    world.grant("deployer", world.stage, inner, home)
    world.role("home", world.hub, document(trusts(DEPLOYER)))
    world.role("last", world.stage, document(trusts(inner)))
    world.grant("inner", prod, last)
    world.role("starter", world.hub)
    world.grant("starter", world.hub, CI)
    replaced(world, "ci", assumeRolePolicy=document(trusts(arn(HUB, "role/starter"))))
    world.role("closed", world.stage, document(trusts(arn(HUB, "role/alone"))))
    world.role("alone", world.hub)
    graph = world.graph
    ways = list(paths_from(graph, lambda one: one.name == "starter"))
    through = f"{arn(HUB, 'role/starter')} -> {CI} -> {DEPLOYER}"
    assert [str(way) for way in ways] == [through, f"{through} -> {inner}", f"{through} -> {inner} -> {last}"]
    assert {way.source.name for way in ways} == {"starter"}
    assert [way.target.name for way in ways] == ["deployer", "inner", "last"]
    assert ways[-1].id == f"{arn(HUB, 'role/starter')} -> {last}"
    assert {one.name for one in leading_out(graph)} == {"starter", "ci", "deployer", "inner"}


def test_an_access_role_is_as_aws_makes_it_unless_the_program_has_it() -> None:
    """https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_access.html and
    https://docs.aws.amazon.com/controltower/latest/userguide/awscontroltowerexecution.html
    """
    world = organization(World())
    member(world, "stage", STAGE)
    world.add("Account", "own", world.hub, name="own", email="o@x.com", id="5" * 12, roleName="Own")
    tower = json.dumps([{"roleArn": arn("6" * 12, "role/AWSControlTowerExecution")}])
    other = json.dumps(
        [{"roleArn": arn("7" * 12, "role/deployer")}, {"roleArn": arn(HUB, "role/OrganizationAccountAccessRole")}]
    )
    world.add("Provider", "tower", allowedAccountIds=json.dumps(["6" * 12]), assumeRoles=tower)
    world.add("Provider", "other", assumeRoles=other)
    prod = world.provider("prod", PROD)
    world.role("OrganizationAccountAccessRole", prod)
    renamed = json.dumps([{"roleArn": arn("5" * 12, "role/Own")}])
    world.add("Provider", "renamed", assumeRoles=renamed)
    china = json.dumps([{"roleArn": f"arn:aws-cn:iam::{'8' * 12}:role/OrganizationAccountAccessRole"}])
    world.add("Provider", "china", region="cn-north-1", allowedAccountIds=json.dumps(["8" * 12]), assumeRoles=china)
    world.role("boss", world.hub)
    administrator(world, "boss")
    world.add("User", "alice", world.hub, name="alice")
    graph = world.graph
    assert [one.name for one in graph.roles] == ["OrganizationAccountAccessRole", "boss"]
    made = {role.account: role for role in graph.access_roles}
    boss = graph.principals.named(HUB, "role", "boss")
    assert boss is not None
    assert {account: role.name for account, role in made.items()} == {
        STAGE: "OrganizationAccountAccessRole",
        "5" * 12: "Own",
        "6" * 12: "AWSControlTowerExecution",
        "8" * 12: "OrganizationAccountAccessRole",
    }
    for role in made.values():
        assert role.made_by_aws
        assert [one.title for one in role.documents] == [one.title for one in boss.documents]
        assert [one.policy for one in role.documents] == [one.policy for one in boss.documents]
        assert role.trust is not None
        assert role.trust.title == f"trust policy of role {role.name}, as AWS made it"
        (statement,) = role.trust.policy.statements
        partition = "aws-cn" if role.account == "8" * 12 else "aws"
        assert [str(one) for one in statement.principals.aws] == [f"arn:{partition}:iam::{HUB}:root"]
        assert statement.actions == ("sts:AssumeRole",)
    assert list(entered_by_access_role(graph.accounts)) == [
        (STAGE, "OrganizationAccountAccessRole"),
        ("6" * 12, "AWSControlTowerExecution"),
        (PROD, "OrganizationAccountAccessRole"),
        ("5" * 12, "Own"),
        ("8" * 12, "OrganizationAccountAccessRole"),
    ]


@pytest.mark.parametrize(("trust", "perhaps"), [
    (document(trusts(CI)), False), (UNKNOWN, True), (document(trusts(CI), trusts(CI, effect="Deny")), False),
])  # fmt: skip
def test_only_a_door_that_is_not_known_to_be_open_or_shut_is_perhaps_open(trust: object, perhaps: bool) -> None:
    """A Deny counts more than any Allow:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
    """
    assert {door.perhaps for door in two_keys(trust).graph.doors} == {perhaps}
