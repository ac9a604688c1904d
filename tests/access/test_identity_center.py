"""IAM Identity Center in the graph: assignments are doors, permission sets are what their roles may do.

https://docs.aws.amazon.com/singlesignon/latest/userguide/permissionsetsconcept.html
https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html
"""

from dataclasses import replace
from typing import Any

import pytest

from tests.access.test_translation import put
from tests.access.world import HUB, OUTSIDE, PROD, STAGE, TYPES, World, arn, document, grants, trusts
from twokeys.access.graph import Door
from twokeys.access.identity_center import Assignment, IdentityCenter, identity_center
from twokeys.access.model.accounts import Accounts
from twokeys.access.model.documents import Documents
from twokeys.access.model.not_proved import NotProved
from twokeys.access.model.principal_policies import read_principals
from twokeys.access.paths import paths_from
from twokeys.access.reading.snapshot import Resource
from twokeys.iam import UNKNOWN, Outcome

INSTANCE = "arn:aws:sso:::instance/ssoins-1"
SET_ARN = "arn:aws:sso:::permissionSet/ssoins-1/ps-1"
RESERVED = "role/aws-reserved/sso.amazonaws.com/"
TARGET = arn(STAGE, "role/deployer")


def center(*, world: World | None = None, **assignment: object) -> World:
    """Group admins of Identity Center is assigned the permission set Admin in the stage account."""
    world = world or World()
    said = {"name": "Admin", "arn": SET_ARN, "sessionDuration": "PT4H"}
    put(world, "aws:ssoadmin/permissionSet:PermissionSet", "admin", world.hub, **said)
    put(world, "aws:identitystore/group:Group", "admins", world.hub, displayName="admins", groupId="g-1")
    put(world, "aws:identitystore/user:User", "ann", world.hub, userName="ann", userId="u-1")
    put(world, "aws:identitystore/groupMembership:GroupMembership", "m", world.hub, groupId="g-1", memberId="u-1")
    assign(world, "a", **assignment)
    return world


def assign(world: World, name: str, **changes: object) -> Resource:
    values: dict[str, object] = {
        "permissionSetArn": SET_ARN,
        "principalType": "GROUP",
        "principalId": "g-1",
        "targetType": "AWS_ACCOUNT",
        "targetId": STAGE,
        **changes,
    }
    return put(world, "aws:ssoadmin/accountAssignment:AccountAssignment", name, world.hub, **values)


def attach(world: World, kind: str, **values: object) -> None:
    type_ = f"aws:ssoadmin/{kind[0].lower()}{kind[1:]}:{kind}"
    put(world, type_, f"p-{kind}", world.hub, permissionSetArn=SET_ARN, **values)


def of_center(world: World) -> list[Door]:
    return [door for door in world.graph.doors if door.source.kind.startswith("identity-center")]


PATTERN = {"ArnLike": {"aws:PrincipalArn": arn(HUB, f"{RESERVED}*AWSReservedSSO_Admin_*")}}


def into_stage(world: World, principal: str = arn(HUB, "root"), condition: Any = PATTERN) -> World:
    world.role("deployer", world.stage, document(trusts(principal, condition=condition)))
    return world


def test_a_trust_that_names_the_role_by_pattern_is_answered_by_the_permission_set() -> None:
    world = into_stage(center(targetId=HUB))
    attach(world, "PermissionSetInlinePolicy", inlinePolicy=document(grants(TARGET)))
    ways = [str(path) for path in paths_from(world.graph, lambda one: one.kind == "identity-center-group")]
    assert [way for way in ways if way.startswith("identity-center:group/admins") and way.endswith(TARGET)]
    assert not world.refused


def test_without_a_grant_in_the_permission_set_it_is_half_a_door() -> None:
    assert into_stage(center(targetId=HUB)).refused == ["door-needs-grant"]


@pytest.mark.parametrize("listed", [[], ["arn:aws:iam::aws:policy/ReadOnlyAccess"]])
def test_a_grant_that_a_list_of_all_policies_takes_away_again_is_no_key(listed: list[str]) -> None:
    """https://www.pulumi.com/registry/packages/aws/api-docs/ssoadmin/managedpolicyattachmentsexclusive/"""
    world = into_stage(center(targetId=HUB))
    attach(world, "ManagedPolicyAttachment", managedPolicyArn=AWS_POLICY)
    assert not world.refused
    attach(world, "ManagedPolicyAttachmentsExclusive", managedPolicyArns=listed)
    assert world.refused == ["door-needs-grant", "unproved-door"]


def test_a_grant_of_a_permission_set_without_a_trust_is_half_a_door() -> None:
    world = center(targetId=HUB)
    world.role("deployer", world.stage)
    attach(world, "PermissionSetInlinePolicy", inlinePolicy=document(grants(TARGET)))
    assert world.refused == ["door-needs-trust"]


def test_the_role_that_aws_makes_of_a_permission_set_is_in_an_account_to_come_too() -> None:
    """https://docs.aws.amazon.com/singlesignon/latest/userguide/permissionsetsconcept.html"""
    world = center(targetId=UNKNOWN)
    world.new_account()
    account = next(one for one in world.resources if one.type == TYPES["Account"])
    assigned = next(one for one in world.resources if one.type.endswith(":AccountAssignment"))
    world.change(assigned, property_dependencies={**assigned.property_dependencies, "targetId": (account.urn,)})
    attach(world, "PermissionSetInlinePolicy", inlinePolicy=document(grants(arn(OUTSIDE, "role/*"))))
    assert "policy-refused" not in [one.rule for one in world.check().advisory]


NAMED = "AWSReservedSSO_Admin_0123456789abcdef"


@pytest.mark.parametrize(("named", "place", "outcome"), [
    (arn(HUB, f"{RESERVED}{NAMED}"), RESERVED, Outcome.ALLOW),
    (arn(HUB, f"{RESERVED}eu-west-1/{NAMED}"), f"{RESERVED}eu-west-1/", Outcome.ALLOW),
    (f"arn:aws:sts::{HUB}:assumed-role/{NAMED}/ann@example.com", RESERVED, Outcome.CONDITIONAL),
])  # fmt: skip
def test_a_trust_that_names_the_role_or_a_session_of_it_means_the_same_role(
    named: str, place: str, outcome: Outcome
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-role-session"""
    world = into_stage(center(targetId=HUB), named, None)
    (finding,) = world.check().mandatory
    assert (finding.rule, "give permission set Admin a policy" in finding.next_step) == ("door-needs-grant", True)
    attach(world, "PermissionSetInlinePolicy", inlinePolicy=document(grants(TARGET)))
    doors = {door.id: door.outcome for door in world.graph.doors}
    assert doors[f"{arn(HUB, place + NAMED)} -> {TARGET}"] is outcome  # type: ignore[index]
    assert not world.refused


def test_the_role_of_another_permission_set_does_not_answer() -> None:
    other = {"ArnLike": {"aws:PrincipalArn": arn(HUB, f"{RESERVED}*AWSReservedSSO_Auditor_*")}}
    world = into_stage(center(targetId=HUB), condition=other)
    attach(world, "PermissionSetInlinePolicy", inlinePolicy=document(grants(TARGET)))
    assert world.refused


def test_a_boundary_of_a_permission_set_limits_its_role() -> None:
    world = into_stage(center(targetId=HUB))
    attach(world, "PermissionSetInlinePolicy", inlinePolicy=document(grants(TARGET)))
    boundary = {"managedPolicyArn": "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"}
    attach(world, "PermissionsBoundaryAttachment", permissionsBoundary=boundary)
    assert world.refused


def test_a_policy_of_ones_own_is_that_of_each_account() -> None:
    world = into_stage(center(targetId=HUB))
    world.add("Policy", "enter", world.hub, name="enter", path="/", policy=document(grants(TARGET)))
    attach(world, "CustomerManagedPolicyAttachment", customerManagedPolicyReference={"name": "enter", "path": "/"})
    assert not world.refused
    assert any(door.target.arn == TARGET and door.open for door in world.graph.doors)


def test_an_entitlement_opens_the_role_that_trusts_the_service() -> None:
    """https://www.pulumi.com/registry/packages/aws/api-docs/accountaccess/entitlement/."""
    service = {"Effect": "Allow", "Principal": {"Service": "account-access.amazonaws.com"}, "Action": "sts:AssumeRole"}
    world = center()
    world.role("developer", world.stage, document(service))
    said = {
        "principalRole": {"principal": {"identityCenter": {"userId": "u-1"}}, "roleArn": arn(STAGE, "role/developer")}
    }
    put(world, "aws:accountaccess/entitlement:Entitlement", "e", world.hub, entitlement=said)
    doors = {(door.source.name, door.target.name): door.outcome for door in of_center(world)}
    assert doors["ann", "developer"] is Outcome.ALLOW


def test_the_same_permission_set_in_two_accounts_makes_two_roles() -> None:
    world = center()
    assign(world, "b", targetId=PROD)
    assign(world, "c", targetId=PROD, principalType="USER", principalId="u-1")
    assert {(door.source.name, door.target.account) for door in of_center(world)} == {
        ("admins", STAGE),
        ("admins", PROD),
        ("ann", PROD),
    }
    assert len({door.target for door in of_center(world)}) == 2


def test_a_policy_of_a_permission_set_that_nobody_is_assigned_yet_is_judged() -> None:
    world = World()
    attach(world, "PermissionSetInlinePolicy", inlinePolicy=document(grants("*")))
    assert world.refused == ["wildcard-grant"]


def read(world: World) -> IdentityCenter:
    accounts = Accounts(world.snapshot)
    documents = Documents(world.snapshot, accounts)
    return identity_center(world.snapshot, accounts, documents, read_principals(world.snapshot, accounts, documents))


def bare(*resources: tuple[str, str, dict[str, object]]) -> World:
    """Resources by type and name, of which each may be made from earlier ones by their names."""
    world = World()
    for type_, name, values in resources:
        behind = {
            key: [one for one in world.resources if one.name in names]
            for key, names in dict(values.pop("made_from", {})).items()  # type: ignore[call-overload]
        }
        put(world, f"aws:{type_}", name, world.hub, **values, made_from=behind)
    return world


ADMIN = ("ssoadmin/permissionSet:PermissionSet", "admin", {"name": "Admin", "arn": SET_ARN})
OF_SET = {"permissionSetArn": SET_ARN}
ASSIGNED = {**OF_SET, "principalType": "GROUP", "principalId": "g-1", "targetId": STAGE}
RESERVED_ROLE = arn(STAGE, f"{RESERVED}AWSReservedSSO_Admin_{'?' * 16}")
IN_STAGE = ("Admin", 3600, RESERVED_ROLE)


def assigned(**changes: object) -> tuple[str, str, dict[str, object]]:
    return ("ssoadmin/accountAssignment:AccountAssignment", "a", {**ASSIGNED, **changes})


def entitled(role: object, **changes: object) -> tuple[str, str, dict[str, object]]:
    whom = {"principal": {"identityCenter": changes.pop("whom", {"groupId": "g-1"})}, "roleArn": role}
    return ("accountaccess/entitlement:Entitlement", "e", {"entitlement": {"principalRole": whom}, **changes})


def role(name: str, trust: object = None, **values: object) -> tuple[str, str, dict[str, object]]:
    return ("iam/role:Role", name, {"name": name, "assumeRolePolicy": trust or document(), **values})


def member(name: str, **values: object) -> tuple[str, str, dict[str, object]]:
    return ("identitystore/groupMembership:GroupMembership", name, {"groupId": "g-1", "memberId": "u-1", **values})


GROUP: tuple[str, str, dict[str, object]] = (
    "identitystore/group:Group",
    "g",
    {"displayName": "admins", "groupId": "g-1"},
)
NAMELESS: tuple[str, str, dict[str, object]] = ("identitystore/group:Group", "g", {"id": "d-1/g-1"})
ANN: tuple[str, str, dict[str, object]] = ("identitystore/user:User", "u", {"userName": "ann", "userId": "u-1"})
EXACT = arn(STAGE, f"{RESERVED}eu-west-1/AWSReservedSSO_Admin_0123456789abcdef")
ELSEWHERE = arn(PROD, "role/path/elsewhere")

WHO_WHERE: list[tuple[list[Any], tuple[object, ...]]] = [
    ([ADMIN, assigned()], ("group/g-1", *IN_STAGE, ())),
    *(([ADMIN, assigned(targetType=kind)], ("group/g-1", *IN_STAGE, ())) for kind in (None, UNKNOWN)),
    ([ADMIN, assigned(principalType="USER", principalId="u-1"), ANN], ("user/ann", *IN_STAGE, ())),
    ([ADMIN, NAMELESS, assigned()], ("group/g", *IN_STAGE, ())),
    ([GROUP, ANN, member("m"), member("n"), member("o", memberId="u-2"), ADMIN, assigned()],
        ("group/admins", *IN_STAGE, ("ann", "u-2"))),
    ([GROUP, ANN, member("m", groupId=UNKNOWN, memberId=UNKNOWN, made_from={"groupId": ["g"], "memberId": ["u"]}),
        ADMIN, assigned()], ("group/admins", *IN_STAGE, ("ann",))),
    ([GROUP, ANN, member("m", groupId=UNKNOWN), member("n", memberId=UNKNOWN), ADMIN, assigned()],
        ("group/admins", *IN_STAGE, ())),
    ([GROUP, ADMIN, assigned(principalId=UNKNOWN, made_from={"principalId": ["g"]})],
        ("group/admins", *IN_STAGE, ())),
    ([("ssoadmin/permissionSet:PermissionSet", "Named", {"id": SET_ARN, "sessionDuration": "PT1H30M5S"}), assigned()],
        ("group/g-1", "Named", 5405, RESERVED_ROLE.replace("Admin", "Named"), ())),
    ([("ssoadmin/permissionSet:PermissionSet", "s", {"name": "Admin", "sessionDuration": "unclear"}),
        assigned(permissionSetArn=UNKNOWN, made_from={"permissionSetArn": ["s"]})], ("group/g-1", *IN_STAGE, ())),
    ([ADMIN, assigned(region="eu-west-1")], ("group/g-1", "Admin", 3600, arn(STAGE,
        f"{RESERVED}eu-west-1/AWSReservedSSO_Admin_{'?' * 16}"), ())),
    ([ADMIN, assigned(region="us-east-1")], ("group/g-1", *IN_STAGE, ())),
    ([(*ADMIN[:2], {**ADMIN[2], "region": "eu-west-1"}), assigned()], ("group/g-1", "Admin", 3600, arn(STAGE,
        f"{RESERVED}eu-west-1/AWSReservedSSO_Admin_{'?' * 16}"), ())),
    ([("organizations/account:Account", "new", {}), ADMIN, assigned(targetId=UNKNOWN, made_from={"targetId": ["new"]})],
        ("group/g-1", "Admin", 3600, RESERVED_ROLE.replace(STAGE, "account:new"), ())),
    ([role("r", document(trusts(EXACT))), ADMIN, assigned()], ("group/g-1", "Admin", 3600, EXACT, ())),
    ([role("r", document(trusts(EXACT.replace(STAGE, PROD)))), ADMIN, assigned(region="us-east-1")],
        ("group/g-1", *IN_STAGE, ())),
    ([role("AWSReservedSSO_Admin_0123456789abcdef", path=f"/{RESERVED[5:]}"), ADMIN, assigned(targetId=HUB)],
        ("group/g-1", "Admin", 3600, arn(HUB, f"{RESERVED}AWSReservedSSO_Admin_0123456789abcdef"), ())),
    ([role("AWSReservedSSO_Admin_0123456789abcdef"), ADMIN, assigned()], ("group/g-1", *IN_STAGE, ())),
    ([("iam/user:User", "user", {"name": "AWSReservedSSO_Admin_0123456789abcdef"}), ADMIN,
        assigned(targetId=HUB)], ("group/g-1", "Admin", 3600, RESERVED_ROLE.replace(STAGE, HUB), ())),
    ([GROUP, ANN, member("m"), role("developer"), entitled(arn(HUB, "role/developer"))],
        ("group/admins", None, None, arn(HUB, "role/developer"), ("ann",))),
    ([role("developer"), entitled(UNKNOWN, whom={"userId": "u-1"}, made_from={"entitlement": ["developer"]})],
        ("user/u-1", None, None, arn(HUB, "role/developer"), ())),
    ([GROUP, role("developer"), entitled(arn(HUB, "role/developer"), whom={"groupId": UNKNOWN}, made_from={
        "entitlement": ["g"]})], ("group/admins", None, None, arn(HUB, "role/developer"), ())),
]  # fmt: skip


def _told(one: Assignment) -> tuple[object, ...]:
    of_set = one.permission_set
    source = one.source.arn.removeprefix("identity-center:")
    return (source, of_set and of_set.name, of_set and of_set.session_seconds, one.role.arn, one.members)


@pytest.mark.parametrize(("resources", "expected"), WHO_WHERE)
def test_whom_an_assignment_or_an_entitlement_lets_in_where(resources: list[Any], expected: tuple[object, ...]) -> None:
    """Names of the roles: https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html."""
    found = read(bare(*((type_, name, dict(values)) for type_, name, values in resources)))
    assert [_told(one) for one in found.assignments] == [expected]
    assert found.not_proved == ()
    (assignment,) = found.assignments
    assert assignment.resource.name in ("a", "e")
    assert assignment.source.kind == f"identity-center-{str(expected[0]).partition('/')[0]}"
    assert assignment.door.asked
    texts = [step.why for step in (*assignment.door.trust.decisions, *assignment.door.grant.decisions)]
    if assignment.permission_set is not None:
        assert texts == [
            "AWS makes the role of the permission set, for those who are assigned it",
            "people of IAM Identity Center need no grant but their assignment",
        ]


@pytest.mark.parametrize(("region", "trusted", "path"), [
    ("eu-west-1", "", "eu-west-1/"),
    ("us-east-1", "eu-west-1/", ""),
    (None, "", ""),
    (None, "eu-west-1/", "eu-west-1/"),
    (None, "*/", "*/"),
])  # fmt: skip
def test_the_region_of_a_role_is_that_of_its_provider_where_nothing_nearer_tells_one(
    region: object, trusted: str, path: str
) -> None:
    """A provider takes it from the environment too: then a trust policy may tell it.

    https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html
    """
    pattern = arn(STAGE, f"{RESERVED}{trusted}AWSReservedSSO_Admin_*")
    trust = document(trusts(STAGE, condition={"ArnLike": {"aws:PrincipalArn": pattern}}))
    world = bare(ADMIN, assigned())
    world.role("open", world.stage, trust)
    world.resources.insert(0, world.resources.pop())
    world.change(world.hub, inputs={**(world.hub.inputs or {}), "region": region}, outputs={})
    for place in (path, trusted):
        expected = arn(STAGE, f"{RESERVED}{place}AWSReservedSSO_Admin_{'?' * 16}")
        assert [one.role.arn for one in read(world).assignments] == [expected]
        world.resources.append(replace(world.resources.pop(), provider=None))


EXCEPT = "or make an exception in the pack's configuration, with reason, owner and expiry"
NAME_IT = (
    "write it from values that are known in preview, or update the stack that exports them first; `twokeys preview` "
    f"takes its state with `--state FILE`; {EXCEPT}"
)
SHOW_SET = f"make the permission set in this program, so that its policies are shown, {EXCEPT}"
SHOW_ROLE = f"make the role in this program, so that its trust policy is shown, {EXCEPT}"
URN = "urn:pulumi:stage::twokeys::aws:"
OF_ASSIGNMENT, OF_ENTITLEMENT = (
    "ssoadmin/accountAssignment:AccountAssignment",
    "accountaccess/entitlement:Entitlement",
)


def unclear(of: str, name: str, which: str) -> NotProved:
    what, why = f"Whom aws:{of} {name} lets into which account", f"{which} that it names is not known yet"
    return NotProved(what, why, NAME_IT, f"{URN}{of}::{name} -> *", f"{URN}{of}::{name}", "a.py:1")


def not_shown(name: str, account: str = STAGE) -> NotProved:
    what = f"What permission set {name} lets its people do in account {account}"
    urn = f"{URN}{OF_ASSIGNMENT}::a"
    door = f"{urn} -> {RESERVED_ROLE.replace('Admin', name).replace(STAGE, account)}"
    advice = account == STAGE  # which the stack works in
    return NotProved(what, "it is made outside this stack", SHOW_SET, door, urn, "a.py:1", advice=advice)


UNCLEAR: list[tuple[list[Any], NotProved, int]] = [
    *(([assigned(targetId=UNKNOWN, targetType=kind)], unclear(OF_ASSIGNMENT, "a", "the account"), 0)
      for kind in ("AWS_ACCOUNT", UNKNOWN)),
    ([assigned(targetId="everywhere")], unclear(OF_ASSIGNMENT, "a", "the account"), 0),
    ([assigned(principalId=UNKNOWN)], unclear(OF_ASSIGNMENT, "a", "the user or group"), 0),
    ([assigned(principalType=UNKNOWN)], unclear(OF_ASSIGNMENT, "a", "the user or group"), 0),
    ([entitled(UNKNOWN)], unclear(OF_ENTITLEMENT, "e", "the role"), 0),
    ([entitled(ELSEWHERE, whom={})], unclear(OF_ENTITLEMENT, "e", "the user or group"), 0),
    ([assigned()], not_shown("ps-1"), 1),
    ([assigned(targetId=PROD)], not_shown("ps-1", PROD), 1),
    ([assigned(permissionSetArn=UNKNOWN)], not_shown("that is not known yet"), 1),
    ([entitled(ELSEWHERE)], NotProved(
        f"Whether identity-center:group/g-1 can sign in to role elsewhere in account {PROD}",
        "its trust policy is made outside this stack", SHOW_ROLE, f"identity-center:group/g-1 -> {ELSEWHERE}",
        f"{URN}{OF_ENTITLEMENT}::e", "a.py:1",
    ), 1),
]  # fmt: skip


@pytest.mark.parametrize(("resources", "said", "doors"), UNCLEAR)
def test_what_is_not_proved_of_an_assignment_is_said_with_its_next_step(
    resources: list[Any], said: NotProved, doors: int
) -> None:
    world = bare(*((type_, name, dict(values)) for type_, name, values in resources))
    world.resources = [replace(one, source="a.py:1") for one in world.resources]
    found = read(world)
    assert (found.not_proved, len(found.assignments)) == ((said,), doors)
    assert [one.rule for one in (world.check().advisory if said.advice else world.check().mandatory)] == [
        "unproved-door"
    ]
    if said.next_step == SHOW_SET:
        (document,) = found.assignments[0].role.documents
        assert (document.policy, document.title, document.problem) == (
            UNKNOWN,
            said.what[5:].split(" lets")[0],
            said.why,
        )


def test_whose_account_an_assignment_is_in_is_told_by_aws_where_the_stack_shows_no_other_account() -> None:
    """Only an organization's instance has multi-account permissions, and only in accounts of its organization.

    https://docs.aws.amazon.com/singlesignon/latest/userguide/identity-center-instances.html
    """
    world = bare(assigned(targetId=PROD))
    assert world.refused == ["unproved-door"]
    world.resources.remove(world.stage)
    assert not world.refused
    world.role("open", world.hub, document(trusts(PROD)))
    assert world.refused == ["external-id"]


def test_what_a_permission_set_made_elsewhere_grants_is_refused_where_a_trust_leaves_it_to_that_who_comes_in() -> None:
    world = bare(assigned())
    assert not world.refused
    world.role("open", world.hub, document(trusts(STAGE)))
    assert world.refused == ["unproved-door"]
    attach(world, "PermissionSetInlinePolicy", inlinePolicy=document(grants("*")))
    assert world.refused == ["unproved-door", "wildcard-grant"]


def test_each_assignment_whose_permission_set_is_not_known_yet_is_said_by_itself() -> None:
    """They may be different ones: an exception for the first excuses nothing of the second."""
    world = bare(assigned(permissionSetArn=UNKNOWN))
    assign(world, "b", permissionSetArn=UNKNOWN)
    assert [one.urn for one in read(world).not_proved] == [one.urn for one in world.resources[-2:]]


def test_an_assignment_that_is_not_clear_or_of_another_target_hides_no_other() -> None:
    world = bare(ADMIN, assigned(targetType="OTHER"), assigned(targetId=UNKNOWN), assigned(targetId=PROD))
    found = read(world)
    assert [one.role.account for one in found.assignments] == [PROD]
    assert len(found.not_proved) == 1


AWS_POLICY = "arn:aws:iam::aws:policy/AdministratorAccess"
NOT_KNOWN = (UNKNOWN, "its ARN is not known yet", "a.py:1")
POLICIES: list[tuple[str, dict[str, object], list[str], str | None]] = [
    ("ManagedPolicyAttachment", {"managedPolicyArn": AWS_POLICY}, ["managed policy AdministratorAccess"], None),
    ("ManagedPolicyAttachment", {"managedPolicyArn": UNKNOWN}, ["a policy that p attaches"], None),
    ("ManagedPolicyAttachmentsExclusive", {"managedPolicyArns": [AWS_POLICY, UNKNOWN]},
        ["managed policy AdministratorAccess", "a policy that p attaches"], None),
    ("ManagedPolicyAttachmentsExclusive", {"managedPolicyArns": UNKNOWN}, ["a policy that p attaches"], None),
    ("CustomerManagedPolicyAttachment", {"customerManagedPolicyReference": {"name": "own", "path": "/x/"}},
        ["managed policy own"], None),
    ("CustomerManagedPolicyAttachment", {"customerManagedPolicyReference": {"name": "own"}},
        ["managed policy own"], None),
    ("CustomerManagedPolicyAttachment", {"customerManagedPolicyReference": {"name": UNKNOWN, "path": "/"}},
        ["a policy that p attaches"], None),
    ("CustomerManagedPolicyAttachment", {"customerManagedPolicyReference": {"name": "own", "path": UNKNOWN}},
        ["a policy that p attaches"], None),
    ("CustomerManagedPolicyAttachmentsExclusive", {
        "customerManagedPolicyReferences": [{"name": "own"}, {"name": "two"}],
    }, ["managed policy own", "managed policy two"], None),
    ("PermissionSetInlinePolicy", {"inlinePolicy": document(grants(TARGET))},
        ["inline policy of permission set Admin"], None),
    ("PermissionsBoundaryAttachment", {"permissionsBoundary": {"managedPolicyArn": AWS_POLICY}}, [],
        "managed policy AdministratorAccess"),
    ("PermissionsBoundaryAttachment", {"permissionsBoundary": {"customerManagedPolicyReference": {"name": "own"}}}, [],
        "managed policy own"),
    ("PermissionsBoundaryAttachment", {"permissionsBoundary": UNKNOWN}, [], "a policy that p attaches"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "values", "titles", "boundary"), POLICIES)
def test_every_policy_of_a_permission_set_is_one_of_its_role(
    kind: str, values: dict[str, object], titles: list[str], boundary: str | None
) -> None:
    """Attributes: https://www.pulumi.com/registry/packages/aws/api-docs/ssoadmin/ ; the path of a policy of one's own

    is "/" where nothing is said:
    https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_CustomerManagedPolicyReference.html
    """
    type_ = f"ssoadmin/{kind[0].lower()}{kind[1:]}:{kind}"
    own = (
        "iam/policy:Policy",
        "own",
        {"name": "own", "path": values.get("path", "/"), "policy": document(grants(TARGET))},
    )
    world = bare(
        ADMIN, own, (type_, "q", {"permissionSetArn": "another", **values}), (type_, "p", {**OF_SET, **values})
    )
    assign(world, "a", targetId=HUB)
    world.resources = [replace(one, source="a.py:1") for one in world.resources]
    (assignment,) = read(world).assignments
    role = assignment.role
    assert [one.title for one in role.documents] == titles
    assert (role.boundary.title if role.boundary else None) == boundary
    for one in (*role.documents, *([role.boundary] if role.boundary else [])):
        if one.title == "a policy that p attaches":
            assert (one.policy, one.problem, one.source, one.urn) == (*NOT_KNOWN, f"{URN}{type_}::p")
        else:
            assert (one.policy is UNKNOWN) == (one.title == "managed policy two" or "/x/" in str(values))
