"""What the first sheet says of each thing that somebody has to look at: who, into what, when, from where; in order."""

import re
from dataclasses import replace

import pytest

from tests.access.test_identity_center import center
from tests.access.test_translation import put
from tests.access.world import CI, HUB, MFA, OUTSIDE, STAGE, World, arn, document, grants, replaced, trusts, two_keys
from tests.audit.cloudtrail import called, entry
from tests.audit.test_comparison import CI_SESSION, DEPLOYER, at, caller, compared, in_session, root_sessions
from tests.audit.test_taken_back import READ_ONLY, of_ann, of_set
from tests.audit.test_two_times import CLOSED, OF_BOTH, OF_CI, UNGRANTED, of_two_times
from twokeys.answers.reading import read
from twokeys.answers.selection import of_person
from twokeys.audit.against_states import against_states, not_in_states
from twokeys.audit.coverage import WasRead
from twokeys.audit.events import at_the_top, to_look_at
from twokeys.audit.person import by_person
from twokeys.audit.to_look_at import to_look_at as each_use

BRIEFLY = ((1, "Attach"), (3, "Detach"))
POLICY = {"policyId": "p-12345678", "targetId": STAGE}


@pytest.mark.parametrize("on_unit", [True, False])
def test_a_control_policy_that_was_detached_for_a_while_is_named_once_and_its_return_lets_nobody_in(
    on_unit: bool,
) -> None:
    """https://docs.aws.amazon.com/organizations/latest/APIReference/API_DetachPolicy.html."""
    world = two_keys()
    for kind, of_it in (
        ("policy:Policy", {"id": "p-12345678", "name": "guard-rails", "content": document(trusts(CI))}),
        ("policyAttachment:PolicyAttachment", POLICY | {"targetId": "ou-1" if on_unit else STAGE}),
    ):
        put(world, f"aws:organizations/{kind}", kind, world.hub, **of_it)
    of_organizations = {"eventSource": "organizations.amazonaws.com", "requestParameters": POLICY}
    calls = [
        called(HUB, at(1, hour), f"{do}Policy", "eve", **of_organizations)
        for hour, do in enumerate(("Detach", "Attach"))
    ]
    found = compared(world, *calls, from_states=True)
    answers = found.answers
    assert not against_states(answers, found).changed_since
    ((when, line),) = found.sheet.lines
    assert (when, line) == (
        "2026-09-02 09:00",
        "user eve of management -> DetachPolicy until 09-02 10:00 of organization policy guard-rails in "
        f"{STAGE} from 192.0.2.0",
    )


def test_a_root_session_says_what_it_was_limited_to() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user-privileged-task.html."""
    task = {"arn": "arn:aws:iam::aws:policy/root-task/S3UnlockBucketPolicy"}
    asked = {"targetPrincipal": STAGE, "taskPolicyArn": task}
    world = root_sessions()
    found = compared(world, entry(CI_SESSION, "", at(0), eventName="AssumeRoot", requestParameters=asked))
    ((_, line),) = found.sheet.lines
    assert " -> root user limited to S3UnlockBucketPolicy of stage (administrator) from " in line


def test_of_those_who_came_without_a_door_the_strongest_is_first_and_who_was_let_in_for_a_while_last() -> None:
    world, names = two_keys(), {"deployer": "", "reader": "ReadOnlyAccess", "admin": "AdministratorAccess"}
    for role, policy in names.items():
        if policy:
            managed = [f"arn:aws:iam::aws:policy/{policy}"]
            world.role(role, world.stage, document(trusts(CI)), managedPolicyArns=managed)
            grant = document(grants(arn(STAGE, f"role/{role}")))
            world.add("RolePolicy", role, world.hub, role="ci", name=role, policy=grant)
    calls = [
        entry(arn(OUTSIDE, f"user/{name}"), arn(STAGE, f"role/{name}"), at(day), sourceIPAddress=f"198.51.100.{day}")
        for day, name in enumerate(names, 1)
    ]
    late = arn(OUTSIDE, "user/late")
    for day, whom in ((4, [CI, late]), (6, [CI])):
        asked = {"roleName": "admin", "policyDocument": document(trusts(*whom))}
        calls.append(called(STAGE, at(day), "UpdateAssumeRolePolicy", "eve", requestParameters=asked))
    found = compared(world, *calls, entry(late, arn(STAGE, "role/admin"), at(5)))
    said = [line for _, line in found.sheet.lines if "without a door" in line]
    assert [line.partition(" of ")[0] for line in said] == [
        f"user {who}" for who in ("admin", "reader", "deployer", "late")
    ]
    assert " -> role admin of " in said[0]
    assert "(administrator) from 198.51.100.3: without a door" in said[0]


def test_who_perhaps_came_by_a_door_is_counted_apart_from_who_did() -> None:
    """No record tells the organization of its caller's account.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
    """
    world, shared = two_keys(), arn(STAGE, "role/shared")
    world.add("Organization", "org", world.hub, outputs={"id": "o-a1b2c3d4e5"})
    ours = {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}
    world.role("shared", world.stage, document(trusts("*", condition=ours)))
    callers = [arn(OUTSIDE, "user/agent"), CI_SESSION]
    came = [entry(who, role, at(day)) for day, (who, role) in enumerate(zip(callers, (shared, DEPLOYER), strict=True))]
    found = compared(world, *came, entry(arn(OUTSIDE, "user/mallory"), DEPLOYER, at(2)))
    (entered, *_) = at_the_top(found.answers, found)
    assert entered.partition(". Next step")[0] == (
        f"Entered by a door or perhaps by one: user agent of {OUTSIDE} (no permissions 1; 1 perhaps by a door), "
        "role ci of management (no permissions 1)"
    )


def test_who_entered_by_a_door_is_who_began_the_session_that_came() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining."""
    world = World()
    world.resources.remove(world.hub)
    world.role("deployer", world.stage, document(trusts(CI)))
    begun = in_session(entry(arn(HUB, "user/ann"), CI, at(0)), "", "ASIA1")
    came = in_session(entry(CI_SESSION, DEPLOYER, at(0, 1)), "ASIA1", "ASIA2")
    found = compared(world, begun, came, from_states=True)
    assert at_the_top(found.answers, found)[0].startswith(f"Entered by a door: user ann of {HUB} (")


def test_the_strongest_policy_that_a_plan_gave_is_named_with_who_may_enter_by_it() -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html."""
    world, administrator = two_keys(), "arn:aws:iam::aws:policy/AdministratorAccess"
    replaced(world, "deployer", managedPolicyArns=[administrator])
    asked = [
        {"roleName": "deployer", "policyArn": one} for one in (administrator, "arn:aws:iam::aws:policy/ReadOnlyAccess")
    ]
    calls = (
        called(STAGE, at(1), f"{do}RolePolicy", "eve", requestParameters=one)
        for do, one in zip(("Attach", "Detach"), asked, strict=True)
    )
    found = compared(world, *calls, from_states=True)
    said = "AttachRolePolicy (AdministratorAccess) of deployer in"
    (line,) = (line for _, line in found.sheet.planned if "AttachRolePolicy" in line)
    assert line.startswith(
        f"user eve of {STAGE} -> {said} {STAGE}, which role ci of management may enter (administrator) "
    )


def test_the_text_has_what_is_to_be_looked_at_in_the_order_of_the_first_sheet() -> None:
    """However often one principal did something, each kind is among the first."""
    world, ann = two_keys(), arn(HUB, "user/ann")
    world.add("User", "ann", world.hub, name="ann")
    world.add("UserPolicy", "ann", world.hub, user="ann", policy=document(grants(arn(STAGE, "role/reader"))))
    world.role("reader", world.stage, document(trusts(ann, condition=MFA)))
    without = [
        entry(ann, "", at(day), userIdentity=caller("false"), requestParameters={"roleArn": arn(STAGE, "role/reader")})
        | {"sourceIPAddress": f"192.0.2.{day}", "eventID": f"{day}"}
        for day in range(1, 20)
    ]
    logging = called(STAGE, at(4), "StopLogging", "zoe", eventSource="cloudtrail.amazonaws.com")
    found = compared(world, *without, logging, entry(arn(HUB, "user/eve"), DEPLOYER, at(30)))
    answers = read(world.graph)
    page = [line.partition(" of ")[0] for _, line in found.sheet.lines]
    text = [said.partition(" UTC ")[2].partition(" of ")[0] for _, said in each_use(answers, found)[0]]
    assert page == ["user eve", "user zoe", "user ann"]
    assert text == [*page, *["user ann"] * 18]


@pytest.mark.parametrize("policy", ["AdministratorAccess", "PowerUserAccess"])
@pytest.mark.parametrize("back", [False, True])
def test_what_a_permission_set_was_given_and_no_account_has_is_in_the_list_which_the_exit_code_follows(
    policy: str, *, back: bool
) -> None:
    """https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_AttachManagedPolicyToPermissionSet.html."""
    asked_for = {"managedPolicyArn": f"arn:aws:iam::aws:policy/{policy}"}
    calls = [of_set(1, "AttachManagedPolicyToPermissionSet", asked_for)]
    calls += [of_set(2, "DetachManagedPolicyFromPermissionSet", asked_for)] * back
    found = compared(center(), *calls, from_states=True)
    ((_, line),) = found.sheet.lines
    said = "never provisioned" if back else "not provisioned yet: the next provisioning makes it real"
    until = " until 09-03 09:00" * back
    assert line.endswith(f" ({policy}){until} of Admin in management from 192.0.2.0, {said}")
    assert "may enter" not in line, "nobody could"
    assert to_look_at(found)[1:] == [f"1. 2026-09-02 09:00 {line}"]
    assert replace(found, was_read=WasRead(), doors=(), steps=()).is_noteworthy


@pytest.mark.parametrize("older", [False, True])
def test_what_both_states_show_to_be_taken_away_is_changed_and_not_to_be_looked_at(*, older: bool) -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_DetachRolePolicy.html."""
    old, new = two_keys(), two_keys()
    put(old, "aws:iam/rolePolicyAttachment:RolePolicyAttachment", "p", old.stage, role="deployer", policyArn=READ_ONLY)
    gone = {"requestParameters": {"roleName": "deployer", "policyArn": READ_ONLY}}
    call = called(STAGE, at(2), "DetachRolePolicy", "eve", **gone)
    found = of_two_times(old, new, call) if older else compared(new, call, from_states=True)
    found = replace(found, unusual=(), was_read=WasRead(), doors=(), steps=())
    assert found.is_noteworthy is not older
    changed = [line for line in at_the_top(found.answers, found) if line.startswith("Changed, as the states show it: ")]
    assert len(changed) == older


@pytest.mark.parametrize("of_nobody_here", [False, True])
@pytest.mark.parametrize(
    ("by", "whom", "looked_at"),
    [("user/eve", "zoe", True), ("user/zoe", "zoe", False), ("user/zoe", "", False), ("role/zoe", "zoe", True)],
)
def test_a_key_that_somebody_made_for_somebody_else_and_no_state_shows_is_to_be_looked_at(
    by: str, whom: str, *, looked_at: bool, of_nobody_here: bool
) -> None:
    """Without a user's name it is the caller's: https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccessKey.html."""
    world = two_keys()
    kind, _, name = by.partition("/")
    if of_nobody_here:  # which a state shows, and who enters no account that is asked for
        put(world, "aws:iam/user:User", "zoe", world.hub, name="zoe", arn=arn(HUB, "user/zoe"))
    world.role("zoe", world.hub, document(trusts(CI)))
    made = {
        "requestParameters": {"userName": whom} if whom else None,
        "responseElements": {"accessKey": {"accessKeyId": "AKIA1", "userName": "zoe", "status": "Active"}},
    }
    call = called(HUB, at(1), "CreateAccessKey", name, **made)
    call["userIdentity"] |= {"userName": name}
    if kind == "role":
        call["userIdentity"] = entry(f"arn:aws:sts::{HUB}:assumed-role/zoe/s", "", at(1))["userIdentity"]
    found = of_two_times(world, world, call)
    if of_nobody_here:
        ways = tuple(way for way in found.answers.ways if not way.by_access_role)
        own = replace(found.answers, ways=ways, before=None)
        found = replace(found, answers=own, not_in_states=not_in_states(own, found.changes))
        assert not found.not_in_states
    of_keys = [line for _, line in found.sheet.lines if "CreateAccessKey" in line]
    said = [line.partition(" -> ")[2].partition(" in ")[0] for line in of_keys]
    assert said == ["CreateAccessKey (AKIA1) of zoe"] * (looked_at and not of_nobody_here)


def test_an_entry_by_a_brief_membership_is_right_after_those_without_a_door() -> None:
    """https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/API_CreateGroupMembership.html."""
    world = center()
    put(world, "aws:identitystore/user:User", "bob", world.hub, userName="bob", userId="u-2")
    of = {"groupId": "g-1", "memberId": {"userId": "u-2"}}
    records = [
        called(HUB, at(day), f"{do}GroupMembership", "eve", eventSource="identitystore.amazonaws.com")
        | {"requestParameters": of}
        for day, do in ((1, "Create"), (2, "Delete"))
    ]
    records += [of_ann(1.5, "bob"), of_ann(3, "carl")]
    records += [called(HUB, at(0), "StopLogging", "zoe", eventSource="cloudtrail.amazonaws.com")]
    lines = [line for _, line in compared(world, *records, from_states=True).sheet.lines]
    assert ["without a door" in lines[0], "given and taken back" in lines[1], "StopLogging" in lines[2]] == [True] * 3
    assert [" carl -> " in lines[0], " bob -> " in lines[1]] == [True] * 2


def test_of_a_person_control_policies_are_after_what_is_the_persons_and_of_all_they_are_before() -> None:
    """A policy binds all of its target: https://docs.aws.amazon.com/organizations/latest/APIReference/API_DetachPolicy.html."""
    world = center()
    detached = called(HUB, at(2), "DetachPolicy", "eve", eventSource="organizations.amazonaws.com")
    assigned = of_set(3, "CreateAccountAssignment", {"principalType": "USER", "principalId": "u-1", "targetId": STAGE})
    found = compared(world, detached | {"requestParameters": POLICY}, assigned, of_ann(1), from_states=True)
    found = replace(found, unusual=())
    own = by_person(found, of_person(found.answers, "ann"))
    calls = [re.findall("DetachPolicy|CreateAccountAssignment", str(one.sheet.lines)) for one in (found, own)]
    assert calls == [["DetachPolicy", "CreateAccountAssignment"], ["CreateAccountAssignment", "DetachPolicy"]]
    assert [one.use.event for one in own.changes] == ["DetachPolicy", "CreateAccountAssignment"], "as many as are said"


def test_what_changed_as_the_states_show_it_is_in_order_of_time() -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAssumeRolePolicy.html; what is judged is last."""
    closed = CLOSED | {"eventTime": at(3)}
    found = of_two_times(two_keys(OF_BOTH), two_keys(OF_CI, granted=False), UNGRANTED, closed)
    assert [when for when, _ in found.sheet.planned] == ["2026-09-03 09:00", "2026-09-04 09:00"]


@pytest.mark.parametrize("leads_here", [True, False])
def test_who_joined_and_who_left_a_group_are_a_line_each_where_it_leads_into_what_was_asked(
    *, leads_here: bool
) -> None:
    """https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/API_DeleteGroupMembership.html."""
    old, new = (center(targetId=STAGE if leads_here else HUB) for _ in range(2))
    put(old, "aws:identitystore/user:User", "bob", old.hub, userName="bob", userId="u-2")
    replaced(old, "m", memberId="u-2", membershipId="m-2")
    asked = {
        "CreateGroupMembership": {"groupId": "g-1", "memberId": {"userId": "u-1"}},
        "DeleteGroupMembership": {"membershipId": "m-2"},
        "DeleteUser": {"userId": "u-2"},
    }
    calls = [
        called(HUB, at(day), call, "eve", eventSource="identitystore.amazonaws.com", requestParameters=of)
        for day, (call, of) in enumerate(asked.items())
    ]
    sheet = of_two_times(old, new, *calls).sheet
    assert [
        (when, what.partition(" -> ")[2].partition(" of ")[0]) for when, what in sorted([*sheet.planned, *sheet.lines])
    ] == [
        ("2026-09-01 09:00", "CreateGroupMembership (Identity Center user ann)"),
        ("2026-09-02 09:00", "DeleteGroupMembership (Identity Center user bob)"),
        ("2026-09-03 09:00", "DeleteUser"),
    ] * leads_here


def test_who_entered_what_was_stronger_for_a_while_is_on_its_line() -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html."""
    asked = {"roleName": "deployer", "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}
    calls = [called(STAGE, at(day), f"{do}RolePolicy", "eve", requestParameters=asked) for day, do in BRIEFLY]
    found = compared(two_keys(), *calls, entry(CI_SESSION, DEPLOYER, at(2)), from_states=True)
    (line,) = (line for _, line in found.sheet.lines if "AttachRolePolicy" in line)
    assert "; entered meanwhile: role ci of management" in line


def test_what_the_root_user_did_is_first_and_what_still_stands_is_before_what_was_taken_back() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/root-user-best-practices.html."""
    policy = "arn:aws:iam::aws:policy/AdministratorAccess"
    briefly = [
        called(
            STAGE, at(day), f"{do}RolePolicy", "eve", requestParameters={"roleName": "deployer", "policyArn": policy}
        )
        for day, do in BRIEFLY
    ]
    made = [
        called(STAGE, at(4, hour), name, "eve", requestParameters={"userName": whom, **more})
        for hour, (name, whom, more) in enumerate((
            ("CreateAccessKey", "zoe", {}),
            ("AttachUserPolicy", "shadow", {"policyArn": policy}),
            ("CreateAccessKey", "shadow", {}),
        ))
    ]  # fmt: skip
    for call in made[1:]:
        call["userIdentity"] = entry(arn(STAGE, "root"), "", at(1))["userIdentity"]
    lines = [line for _, line in compared(two_keys(), *briefly, *made, from_states=True).sheet.lines]
    (of_root,) = (line for line in lines if "of shadow" in line)
    assert f"AttachUserPolicy (AdministratorAccess), CreateAccessKey of shadow in {STAGE} (administrator)" in of_root
    stands, over = (next(line for line in lines if what in line) for what in ("of zoe", "AttachRolePolicy"))
    assert lines.index(of_root) < lines.index(stands) < lines.index(over)
