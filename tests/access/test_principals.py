"""Whom each resource of pulumi-aws gives which policy, and what is said where nothing tells.

https://www.pulumi.com/registry/packages/aws/api-docs/iam/
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.access.world import CI, HUB, MFA, PROD, SERVICE, STAGE, TYPES, World, arn, document, grants, trusts
from twokeys.access.model.accounts import Accounts
from twokeys.access.model.documents import Document, Documents
from twokeys.access.model.not_proved import NotProved
from twokeys.access.model.principal_policies import read_principals
from twokeys.access.model.principals import Principals
from twokeys.access.reading.snapshot import Resource
from twokeys.iam import UNKNOWN

READS = document(grants("*", action="s3:GetObject"))
ENTERS = document(grants(arn(STAGE, "role/deployer")))
WITH_PRINCIPAL = document(trusts(CI))
REFUSED = (
    "it cannot be read: Statement[0].Principal (line 1, column 61): an identity-based policy has no Principal: it "
    "applies to what it is attached to"
)
UNQUOTED = (
    "it breaks the rule 'principal-in-identity-policy' of the policy grammar; it holds a secret, so nothing of it is "
    "quoted"
)
UNRECORDED = "arn:aws:iam::aws:policy/service-role/MadeAfterTheData"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
ONE_ROLE = "run `pulumi refresh` on the stacks that have it, and let one of them make the role"
DIFFER = "two resources are this principal, and do not give it the same permissions boundary"
ONE_OF_TWO = "it is one of several policies of this stack, and not known yet which"
NOT_YET = "it is not known yet and no component declares it"
NO_ARN = "its ARN is not known yet and hangs on no policy of this stack"


def read(world: World, *, is_state: bool = False) -> Principals:
    snapshot = replace(world.snapshot, is_state=is_state)
    accounts = Accounts(snapshot)
    return read_principals(snapshot, accounts, Documents(snapshot, accounts))


def said(one: Document) -> str:
    made_from = f" (made from {', '.join(one.waits_for)})" if one.waits_for else ""
    return one.title if one.problem is None else f"{one.title}: {one.problem}{made_from}"


def made_from(world: World, resource: Resource, **behind: str) -> Resource:
    """The resource with what its properties are made from, as URNs."""
    return world.change(resource, property_dependencies={key: (urn,) for key, urn in behind.items()})


def managed_policies(world: World) -> None:
    world.add("Policy", "read", world.hub, name="read", path="/team/", policy=READS)
    world.add("Policy", "odd", world.hub, name="odd", policy=WITH_PRINCIPAL)
    made_up = {"name": UNKNOWN, "policy": READS, "arn": arn(HUB, "policy/made-up-1a2b3c4")}
    world.add("Policy", "made-up", world.hub, outputs=made_up)
    world.add("Policy", "later", world.hub, policy=ENTERS)
    china = world.add("Provider", "china", region="cn-north-1", allowedAccountIds=f'["{PROD}"]')
    world.add("Policy", "there", china, name="there", policy=READS)
    there = f"arn:aws-cn:iam::{PROD}:policy/there"
    world.role("there", china, managedPolicyArns=[there])
    world.add("RolePolicyAttachment", "elsewhere", china, role="elsewhere", policyArn=there)
    listed = ["policy/team/read", "policy/odd", "policy/made-up-1a2b3c4", "policy/read"]
    world.role("ci", world.hub, managedPolicyArns=[arn(HUB, one) for one in listed])
    for name in ("ReadOnlyAccess", "service-role/MadeAfterTheData"):
        world.add("RolePolicyAttachment", name, world.hub, role="cd", policyArn=f"arn:aws:iam::aws:policy/{name}")
    world.role("all", world.hub, managedPolicyArns=UNKNOWN)
    some = world.role("some", world.hub, managedPolicyArns=[arn(HUB, "policy/odd"), UNKNOWN])
    made_from(world, some, managedPolicyArns=world.resources[5].urn)


NONE = {"name": "", "policy": ""}
"""What the provider makes of an empty item: https://github.com/pulumi/pulumi-aws/issues/4050."""


def inline_policies(world: World) -> None:
    unnamed, unknown = {"policy": READS}, {"name": UNKNOWN, "policy": READS}
    odd = {"name": "odd", "policy": WITH_PRINCIPAL}
    listed = [{}, {"name": "one", "policy": READS}, UNKNOWN, unnamed, unknown, odd]
    made_from(world, world.role("ci", world.hub, inlinePolicies=listed), inlinePolicies="urn:bucket")
    world.role("all", world.hub, inlinePolicies=UNKNOWN)
    world.role("no-list", world.hub, inlinePolicies=listed[1])
    world.add("Role", "only-read", world.hub, outputs={"name": "only-read", "inlinePolicies": [*listed[:2], NONE]})
    world.add("RolePolicy", "g", world.hub, role="cd", policy=WITH_PRINCIPAL)
    group = world.add("Group", "staff", world.hub, name="staff")
    world.add("GroupPolicy", "g", world.hub, made_from={"group": [group]}, name="g", policy=READS)
    world.add("UserPolicy", "g", world.hub, user=UNKNOWN, name="g", policy=ENTERS)


def members_and_boundaries(world: World) -> None:
    world.add("Policy", "limit", world.hub, name="limit", policy=READS)
    limited = {"permissionsBoundary": arn(HUB, "policy/limit")}
    ann = world.add("User", "ann", world.hub, name="ann", **limited)
    world.add("Role", "bare", world.hub, name="bare", assumeRolePolicy=SERVICE, permissionsBoundary="")
    for name in ("staff", "ops"):
        world.add("Group", name, world.hub, name=name)
    world.add("GroupMembership", "m", world.hub, group="staff", users=["ANN", "bob"])
    world.add("GroupMembership", "n", world.hub, group="ops", users=[UNKNOWN], made_from={"users": [ann]})
    world.add("UserGroupMembership", "o", world.hub, user="bob", groups=["ops"])
    world.add("UserGroupMembership", "p", world.hub, user="bob", groups=UNKNOWN)
    for name in ("twice", "alike"):
        world.role(name, world.hub, **limited)
        world.add("Role", f"{name}-again", world.hub, name=name, assumeRolePolicy=SERVICE)
    world.change(world.resources[-1], outputs={"name": "alike", "assumeRolePolicy": SERVICE, **limited})
    either = world.role("either", world.hub)
    two = tuple(world.add("Policy", name, world.hub, name=name, policy=READS).urn for name in ("one", "two"))
    world.change(either, property_dependencies={"permissionsBoundary": two})


def lists_of_all(world: World) -> None:
    for name in ("read", "enter", "more"):
        world.add("Policy", name, world.hub, name=name, policy=READS if name == "read" else ENTERS)
    both = {"inlinePolicies": [{"name": "own", "policy": READS}], "managedPolicyArns": [arn(HUB, "policy/read")]}
    world.role("ci", world.hub, **both)
    own = [{"name": "own", "policy": ENTERS}]
    world.role("cg", world.hub, inlinePolicies=own)
    world.add("Role", "cg-in-another-stack", world.hub, outputs={"name": "cg", "inlinePolicies": own})
    world.add("RolePolicy", "own-of-another-text", world.hub, role="cg", name="own", policy=READS)
    world.role("cd", world.hub)
    for role in ("ci", "cd"):
        world.grant(role, world.hub, arn(STAGE, "role/deployer"))
        for policy in ("read", "enter"):
            given = arn(HUB, f"policy/{policy}")
            world.add("RolePolicyAttachment", f"{role}-{policy}", world.hub, role=role, policyArn=given)
    world.add("RolePoliciesExclusive", "x", world.hub, roleName="cd", policyNames=[UNKNOWN])
    world.add("RolePoliciesExclusive", "of", world.hub, roleName=UNKNOWN, policyNames=[])
    world.add("RolePoliciesExclusive", "y", world.hub, roleName="cd", policyNames=["other"])
    arns = [arn(HUB, "policy/read"), arn(HUB, "policy/more")]
    world.add("RolePolicyAttachmentsExclusive", "z", world.hub, roleName="cd", policyArns=arns)
    world.role("cf", world.hub)
    (more,) = [one for one in world.resources if one.name == "more"]
    world.add("RolePolicyAttachmentsExclusive", "w", world.hub, made_from={"policyArns": [more]}, roleName="cf")
    world.role("ce", world.hub)
    world.add("RolePolicy", "kept", world.hub, role="ce", name="kept", policy=ENTERS)
    world.add("RolePolicyAttachmentsExclusive", "none", world.hub, roleName="ce", policyArns=[])
    world.add("RolePolicyAttachment", "to", world.hub, role=UNKNOWN, policyArn=arns[0])


REMOVED = "so that each update of it removes this one"


@pytest.mark.parametrize(("build", "held", "unclear"), [
    (
        managed_policies,
        {
            "role there": ["managed policy there"],
            "role ci": [
                "managed policy read",
                f"managed policy odd: {REFUSED}",
                "managed policy made-up",
                f"managed policy read: {arn(HUB, 'policy/read')} is made outside this stack",
            ],
            "role all": [f"a policy that all attaches: {NO_ARN}"],
            "role some": ["managed policy later", f"managed policy odd: {REFUSED}"],
            "role cd": [
                "managed policy ReadOnlyAccess",
                f"managed policy MadeAfterTheData: what {UNRECORDED} grants is not recorded here",
            ],
            "role elsewhere": ["managed policy there"],
        },
        [],
    ),
    (
        inline_policies,
        {
            "role ci": [
                "inline policy one of role ci",
                f"inline policy without a known name of role ci: {NOT_YET} (made from urn:bucket)",
                "inline policy without a known name of role ci",
                "inline policy without a known name of role ci",
                f"inline policy odd of role ci: {REFUSED}",
            ],
            "role all": [f"inline policy without a known name of role all: {NOT_YET}"],
            "role no-list": [f"inline policy without a known name of role no-list: {NOT_YET}"],
            "role only-read": ["inline policy one of role only-read"],
            "group staff": ["inline policy g of group staff"],
            "role cd": [f"inline policy g of role cd: {REFUSED}"],
        },
        [("UserPolicy g", "the user that it belongs to is not known yet")],
    ),
    (
        members_and_boundaries,
        {
            "user ann": ["within managed policy limit", "in staff", "in ops"],
            "role twice": [f"within permissions boundary of role twice: {DIFFER}"],
            "role alike": ["within managed policy limit"],
            "role either": [f"within permissions boundary of role either: {ONE_OF_TWO}"],
            "user bob": ["in staff", "in ops"],
        },
        [("UserGroupMembership p", "the groups that it names are not known yet")],
    ),
    (
        lists_of_all,
        {
            "role ci": ["inline policy own of role ci", "managed policy read", "managed policy read"],
            "role cd": ["managed policy read", "managed policy more"],
            "role cf": ["managed policy more"],
            "role ce": ["inline policy kept of role ce"],
            "role cg": ["inline policy own of role cg"] * 2,
        },
        [
            ("RolePolicyAttachment to", "the principal that it attaches a policy to is not known yet"),
            ("inline policy grant of role ci", f"role ci has a list of all its policies, {REMOVED}"),
            ("managed policy enter of ci", f"role ci has a list of all its policies, {REMOVED}"),
            ("RolePoliciesExclusive x", "the policies that it lets stay are not known yet"),
            ("RolePoliciesExclusive of", "the role whose policies it removes is not known yet"),
            ("inline policy grant of role cd", f"y lists all the inline policies, {REMOVED}"),
            ("managed policy enter of cd", f"z lists all the attached policies, {REMOVED}"),
        ],
    ),
])  # fmt: skip
def test_each_has_the_policies_that_the_resources_give_it(
    build: Callable[[World], None], held: dict[str, list[str]], unclear: list[tuple[str, str]]
) -> None:
    """A list of all removes the others: what may be a grant is then not proved, what grants nothing is gone."""
    world = World()
    build(world)
    world.resources[:] = [replace(one, source=f"{one.name}.py") for one in world.resources]
    principals = read(world)
    found = {
        f"{one.kind} {one.name}": [
            *map(said, one.documents),
            *(f"within {said(boundary)}" for boundary in (one.boundary,) if boundary),
            *(f"in {group.name}" for group in one.groups),
        ]
        for one in principals
    }
    assert {name: has for name, has in found.items() if has} == held
    for one in principals:
        if one.boundary and one.boundary.problem:
            step = {DIFFER: ONE_ROLE}.get(one.boundary.problem)
            assert (one.boundary.policy, one.boundary.urn, one.boundary.next_step) == (UNKNOWN, one.urn, step)
        for held_ in one.documents:
            if held_.problem == NO_ARN:
                assert (held_.urn, held_.source) == (one.urn, one.source)
    assert [replace(one, document=None) for one in principals.not_proved] == [
        unproved(world, what, why) for what, why in unclear
    ]
    assert all(one.document is None or f"The {one.document.title}" == one.what for one in principals.not_proved)


def unproved(world: World, what: str, why: str) -> NotProved:
    """A resource that does not say whom it gives what, or a policy that one of a role's lists removes."""
    kind, _, name = what.partition(" ")
    if kind in TYPES:
        urn = next(one.urn for one in world.resources if (one.type, one.name) == (TYPES[kind], name))
        step = "name the principal by a value that is known in preview, or by the output of one resource"
        return NotProved(f"What {TYPES[kind]} {name} gives to whom", why, step, f"{urn} -> *", urn, f"{name}.py")
    title, role = what.removesuffix(" of ci").removesuffix(" of cd"), what[-2:]
    made = f"{role}-grant" if kind == "inline" else "enter"
    urn = next(one.urn for one in world.resources if one.name == made)
    step = "add it to that list, or take the list out"
    return NotProved(f"The {title}", why, step, f"{arn(HUB, f'role/{role}')} -> *", urn, f"{made}.py")


@pytest.mark.parametrize(("inputs", "name", "unsettled", "prefixed"), [
    ({"name": "ci", "path": "/ops/"}, "ci", None, False),
    ({"name": "ci", "namePrefix": "c"}, "ci", None, False),
    ({"name": "ci", "path": UNKNOWN}, "ci", "path", False),
    ({"name": "ci", "namePrefix": "c", "path": UNKNOWN}, "ci", "path", False),
    ({"namePrefix": "ci-"}, f"ci-{'?' * 26}", "name", True),
    ({"namePrefix": "ci-", "name": UNKNOWN, "path": "/ops/"}, f"ci-{'?' * 26}", "name", True),
    ({"namePrefix": "ci-", "path": UNKNOWN}, f"ci-{'?' * 26}", "name", False),
    ({"name": UNKNOWN}, "logical-???????", "name", False),
    ({}, "logical-???????", "name", False),
])  # fmt: skip
def test_a_name_that_the_provider_makes_up_or_that_is_not_known_stands_for_none(
    inputs: dict[str, object], name: str, unsettled: str | None, *, prefixed: bool
) -> None:
    """https://www.pulumi.com/docs/iac/concepts/resources/names/#autonaming"""
    world = World()
    made = world.add("Role", "logical", world.hub, assumeRolePolicy=SERVICE, **inputs)
    again = replace(made, urn="urn:below-another-component")
    world.resources.append(again)
    principals = read(world)
    role = principals.by_urn.get(made.urn)
    assert role is not None
    path = "/ops/" if inputs.get("path") == "/ops/" else "/"
    assert (role.name, role.arn) == (name, arn(HUB, f"role{path}{name}"))
    assert (role.unsettled, role.prefixed) == (unsettled, prefixed)
    assert role.trust is not None
    assert role.trust.title == f"trust policy of role {name}"
    both = [role, principals.by_urn.get(again.urn)]
    assert list(principals) == both[: 2 if unsettled else 1]
    assert list(principals.unsettled("role", HUB)) == (both if unsettled else [])


def test_two_of_one_name_are_one_where_their_account_is_known() -> None:
    world = World()
    for provider in (world.provider("somewhere", "", pin=False), world.hub):
        made = [world.role("ci", provider) for _ in range(2)]
        made[1] = world.change(made[1], urn=f"{made[1].urn}-again")
        principals = read(world)
        one, other = (principals.by_urn[one.urn] for one in made)
        assert (one is other) == (provider is world.hub)
        assert {one, other} <= set(principals.namesakes("role", "ci"))
    user = principals.mentioned(HUB, "user", "ann")
    assert (user.trust_policy, user.arn) == (UNKNOWN, arn(HUB, "user/ann"))


@pytest.mark.parametrize(("first", "second", "same"), [
    ([trusts(CI, HUB)], [trusts(arn(HUB, "root"), CI)], True),
    ([trusts(CI), trusts(HUB)], [trusts(HUB), trusts(CI)], True),
    ([trusts("*")], [trusts("*", CI)], True),
    ([trusts(CI)], [trusts(HUB)], False),
    ([trusts(CI)], [trusts("*")], False),
    ([trusts(CI)], [trusts(CI, effect="Deny")], False),
    ([trusts(CI, condition=MFA)], [trusts(CI, condition=MFA)], True),
    ([trusts(CI)], [trusts(CI, condition=MFA)], False),
    ([trusts(CI)], [{**trusts(CI), "Action": ["sts:AssumeRole", "sts:TagSession"]}], False),
    ([trusts(CI)], [{**trusts(CI), "Principal": {"AWS": CI, "Service": "ec2.amazonaws.com"}}], False),
    (
        [{**trusts(CI), "Principal": {"AWS": [CI, UNKNOWN]}}] * 2,
        [{**trusts(CI), "Principal": {"AWS": [UNKNOWN, CI]}}],
        True,
    ),
    (UNKNOWN, [trusts(CI)], None),
    ([trusts(CI)], UNKNOWN, None),
])  # fmt: skip
def test_two_resources_that_are_one_role_say_the_same_or_nothing_is_known(
    first: Any, second: Any, same: bool | None
) -> None:
    """A name is unique: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html"""
    world = World()
    trust = [one if one is UNKNOWN else {"Version": "2012-10-17", "Statement": one} for one in (first, second)]
    made = world.change(world.role("ci", world.hub, trust[0]), source="a.py")
    again = world.add("Role", "again", world.hub, name="ci", path="/ops/", assumeRolePolicy=trust[1])
    principals = read(world)
    (role,) = principals
    assert principals.by_arn == {CI: role, arn(HUB, "role/ops/ci"): role}
    assert role.trust is not None
    assert (role.trust.policy is not UNKNOWN) == (same is True)
    assert role.trust.problem == (
        {True: None, None: NOT_YET}.get(same, f"{made.urn} and {again.urn} are both this role and do not say the same")
    )
    if same is False:
        told = (role.trust.title, role.trust.urn, role.trust.source, role.trust.next_step)
        assert told == ("trust policy of role ci", made.urn, "a.py", ONE_ROLE)


@pytest.mark.parametrize("encrypted", [0, 1])
@pytest.mark.parametrize("other", ["abc", "*"])
def test_a_trust_that_one_of_two_states_holds_encrypted_is_the_one_that_the_other_tells(
    encrypted: int, other: str
) -> None:
    """https://www.pulumi.com/docs/iac/concepts/secrets/"""
    world = World()
    for number in range(2):
        condition = {"StringLike": {"sts:ExternalId": other if number == encrypted else "abc"}}
        trust = document(trusts(CI, condition=condition))
        made = world.add("Role", f"of-{number}", world.hub, name="role", assumeRolePolicy=trust)
        world.change(made, secrets=frozenset({"assumeRolePolicy"} if number == encrypted else ()))
    (role,) = read(world)
    assert role.trust is not None
    assert ("abc" in str(role.trust.policy), role.trust.policy is UNKNOWN) == (other == "abc", other == "*")


def test_what_a_refresh_saw_and_may_open_a_role_that_is_here_is_not_proved() -> None:
    """Only of a role that the stack makes: of one that it reads, what was seen is all there is."""
    world = World()
    world.add("Role", "only-read", world.hub, outputs={"name": "only-read", "managedPolicyArns": [ADMINISTRATOR]})
    world.role("deployer", world.stage)
    world.add("Account", "prod", world.hub, name="prod", id=PROD, roleName="Enter")
    role = world.role("ci", world.hub, inlinePolicies=[{"name": "own", "policy": READS}])
    granted = {
        "here": arn(STAGE, "role/deployer"),
        "star": arn(STAGE, "role/dep*"),
        "access": arn(PROD, "role/Enter"),
        "variable": arn(STAGE, "role/${aws:username}"),
        "elsewhere": arn(PROD, "role/eXtra"),
    }
    inline = [{"name": name, "policy": document(grants(one))} for name, one in granted.items()]
    inline += [{"name": "own", "policy": ENTERS}, {"name": "odd", "policy": WITH_PRINCIPAL}, {"name": "empty"}]
    arns = [arn(HUB, "policy/elsewhere"), "arn:aws:iam::aws:policy/ReadOnlyAccess", ADMINISTRATOR]
    outputs = {**(role.inputs or {}), "inlinePolicies": inline, "managedPolicyArns": arns}
    hidden = frozenset({"inlinePolicies"})
    role = world.change(role, outputs=outputs, source="ci.py", secrets=hidden)
    assert read(world).not_proved == []
    principals = read(world, is_state=True)
    titles = [
        f"managed policy elsewhere: {arns[0]} is made outside this stack",
        "managed policy AdministratorAccess",
        *(f"inline policy {name}" for name in ("here", "star", "access", "variable")),
        f"inline policy odd: {UNQUOTED}",
    ]
    assert [said(one.document) for one in principals.not_proved if one.document] == titles
    assert [replace(one, document=None) for one in principals.not_proved] == [
        NotProved(
            f"Whether role ci still has {title.partition(':')[0]}",
            "the state lists it as its last refresh saw it, and no resource here gives it to the role",
            "run `pulumi refresh` and export the state again; if the role still has it, attach it in this program, or "
            "detach it",
            f"{CI} -> *",
            role.urn,
            "ci.py",
        )
        for title in titles
    ]
