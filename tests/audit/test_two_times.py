"""What states of a period's beginning tell beside those of its end."""

import csv
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.access.states import write_state
from tests.access.test_identity_center import attach, center
from tests.access.test_translation import put
from tests.access.world import (
    CI,
    DEPLOYER,
    HUB,
    MFA,
    OUTSIDE,
    PROD,
    STAGE,
    World,
    arn,
    document,
    grants,
    trusts,
    two_keys,
)
from tests.audit.cloudtrail import called, entry
from tests.audit.test_comparison import CI_SESSION, DAY, at, compared
from tests.audit.test_taken_back import ADMINISTRATOR, PROVISIONED, READ_ONLY, TO_ALL, of_ann, of_set
from twokeys.access.graph import build
from twokeys.access.reading.snapshot import Evidence, Snapshot, project_of
from twokeys.answers.model import Party
from twokeys.answers.permissions import Level
from twokeys.answers.reading import read
from twokeys.answers.selection import into, of_person
from twokeys.audit import history
from twokeys.audit.commands import audit
from twokeys.audit.comparison import Comparison, compare
from twokeys.audit.data import as_data
from twokeys.audit.differs import NO_CALL
from twokeys.audit.events import at_the_top
from twokeys.audit.events import taken_back as lines
from twokeys.audit.first_sheet import first_sheet
from twokeys.audit.person import by_person
from twokeys.audit.strengths import strength
from twokeys.audit.table import as_csv
from twokeys.audit.trail import Trail
from twokeys.audit.words import kind_of
from twokeys.doors import Who
from twokeys.errors import Refusal

BY, PERHAPS, NONE = "entry by a door", "entry perhaps by a door", "entry without a door"
UNGRANTED = called(HUB, at(2), "DeleteRolePolicy", "eve", requestParameters={"roleName": "ci", "policyName": "grant"})
DETACHED = called(HUB, at(2.5), "DetachRolePolicy", "eve", requestParameters={"roleName": "ci", "policyArn": "other"})
LEFT = called(HUB, at(2), "DeleteGroupMembership", "eve", requestParameters={"membershipId": "m-1"}) | {
    "eventSource": "identitystore.amazonaws.com"
}
OF_CI, OF_BOTH = (document(trusts(CI, *more)) for more in ((), (arn(OUTSIDE, "root"),)))
JOINED = {
    **LEFT,
    "eventName": "CreateGroupMembership",
    "eventID": "joined",
    "eventTime": at(3),
    "requestParameters": {"groupId": "g-1", "memberId": {"userId": "u-1"}},
}
CLOSED = called(
    STAGE, at(2), "UpdateAssumeRolePolicy", "eve", requestParameters={"roleName": "deployer", "policyDocument": OF_CI}
)
ATTACHED = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
MALLORY = arn(OUTSIDE, "user/mallory")


def of_two_times(
    before: World, now: World, *records: dict[str, Any], then: float = -1, until: float | None = None
) -> Comparison:
    """What came of records, by a state of so many days after them and by one of 30 days after them."""

    def shown(world: World, days: float) -> Snapshot:
        stack = project_of(world.resources[0].urn)
        evidence = Evidence("state.json", (DAY + timedelta(days=days)).isoformat(), stack=stack)
        return replace(world.snapshot, is_state=True, evidence=(evidence,))

    end = DAY + timedelta(days=until) if until else None
    trail = Trail(start=DAY, until=end)
    for record in records:
        trail.add(record, delivered=True)
    answers = read(build(replace(shown(now, 30), before=shown(before, then))))
    return compare(into(answers, STAGE), trail, None, end, learning_days=0)


def members(*, shown: bool) -> World:
    """Ann is in a group of Identity Center, or somebody else alone is."""
    world = center()
    world.resources = [one for one in world.resources if not one.type.endswith("GroupMembership")]
    for number, name in ((1, "ann"), (2, "bob")):
        if shown or name == "bob":
            of = {"groupId": "g-1", "memberId": f"u-{number}", "membershipId": f"m-{number}"}
            put(world, "aws:identitystore/groupMembership:GroupMembership", name, world.hub, **of)
    return world


@pytest.mark.parametrize(
    ("before", "now", "change", "said"),
    [
        (two_keys(), two_keys(granted=False), UNGRANTED, [BY, NONE]),
        (two_keys(), two_keys(granted=False), DETACHED, [PERHAPS, PERHAPS]),  # of something else
        (two_keys(), two_keys(), UNGRANTED, [BY, BY]),  # somebody gave it again
    ],
)
def test_who_came_by_a_door_that_older_states_alone_have_came_by_it_until_its_end(
    before: World, now: World, change: dict[str, Any], said: list[str]
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRolePolicy.html."""
    found = of_two_times(before, now, entry(CI_SESSION, DEPLOYER, at(1)), change, entry(CI_SESSION, DEPLOYER, at(3)))
    assert [kind_of(one) for one in found.population] == said
    if said[1] == NONE:
        after = "the door into role deployer of 222222222222 (2026-09-03 09:00 UTC, DeleteRolePolicy by user eve of "
        assert found.population[1].unmet[-1].startswith(f"after being taken from {after}")


@pytest.mark.parametrize(("change", "said"), [((LEFT,), [BY, NONE]), ((), [PERHAPS, PERHAPS])])
def test_the_older_state_names_whom_a_membership_is_of_that_nothing_but_its_id_names(
    change: tuple[dict[str, Any], ...], said: list[str]
) -> None:
    """https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/API_DeleteGroupMembership.html."""
    found = of_two_times(members(shown=True), members(shown=False), of_ann(1.5), *change, of_ann(2.5))
    assert [kind_of(one) for one in found.population] == said
    assert not [line for line in at_the_top(found.answers, found) if line.startswith("Not known")]


def test_of_a_person_a_group_that_lost_its_last_member_and_one_of_the_other_service_are_left_out() -> None:
    """A group of IAM Identity Center has only users of its identity store:
    https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/API_CreateGroupMembership.html
    """
    emptied = center()
    emptied.resources = [one for one in emptied.resources if not one.type.endswith("GroupMembership")]
    lost, never_shown = of_two_times(center(), emptied, of_ann(1)).answers, read(emptied.graph)
    for answers, kind, members in (
        (never_shown, "identity-center-user", [("perhaps zoe",)]),
        (never_shown, "user", []),
        (lost, "identity-center-user", []),
    ):
        own = of_person(answers, "zoe", {Who(kind, HUB if kind == "user" else "", "zoe")})  # type: ignore[arg-type]
        assert [way.source.members for way in own.ways] == members


@pytest.mark.parametrize(("again", "said"), [(False, [BY, NONE, BY, BY]), (True, [BY, NONE, BY, NONE])])
def test_who_was_taken_from_a_group_has_no_door_until_put_back_nor_after_that_was_taken_back(
    said: list[str], *, again: bool
) -> None:
    """https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/API_CreateGroupMembership.html."""
    ends = [LEFT, JOINED, *([LEFT | {"eventTime": at(4), "eventID": "again"}] if again else [])]
    came = [of_ann(days) for days in (1.5, 2.5, 3.5, 4.5)]
    found = of_two_times(members(shown=True), members(shown=not again), *came, *ends)
    assert [kind_of(one) for one in found.population] == said
    assert [why[:30] for why in found.population[1].unmet if "after" in why] == ["after being taken from Identit"]
    briefly = "by a membership that was given and taken back"
    assert [one.use for one in found.unusual if briefly in one.why] == [found.population[2].use] * again


def test_until_when_the_session_of_somebody_who_left_may_have_lasted_is_said() -> None:
    """https://docs.aws.amazon.com/singlesignon/latest/userguide/revoke-user-permissions.html.

    A call of a session has its access key, as AssumeRole answered:
    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
    """
    came = of_ann(1.95) | {"responseElements": {"credentials": {"accessKeyId": "ASIAANN"}}}
    session = f"arn:aws:sts::{STAGE}:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/ann"
    of = {"sessionContext": {"sessionIssuer": {"type": "Role", "arn": came["requestParameters"]["roleArn"]}}}
    by = entry(session, "", at(0))["userIdentity"] | {"accessKeyId": "ASIAANN"} | of
    worked = [called(STAGE, at(days), "GetUser", readOnly=True, userIdentity=by) for days in (1.96, 2.1, 2.06)]
    until = "; a session may have lasted until 2026-09-03 11:48 UTC"
    for calls, last in (((), ""), (worked[:1], ""), (worked, ", and called last 2026-09-03 11:24 UTC")):
        found = of_two_times(members(shown=True), members(shown=False), came, LEFT, *calls)
        (gone,) = found.taken_back
        assert gone.came(found.answers).endswith(f", last 2026-09-03 07:48 UTC{until}{last}")
        ((_, line),) = found.sheet.planned
        assert line.endswith(f" from 192.0.2.0{until}{last}")


def test_a_membership_gives_what_its_group_may_enter_through_other_roles_too_and_not_every_role() -> None:
    trail = Trail(start=DAY)
    trail.add(JOINED, delivered=True)
    answers = read(members(shown=True).graph)
    way = next(one for one in answers.ways if one.source.who.kind == "identity-center-group")
    (door,) = way.steps
    on = replace(door, source=door.target, target=Party(Who("role", PROD, "writer")))
    of_bob = replace(door, source=Party(Who("user", HUB, "bob")), target=Party(Who("role", PROD, "admin")))
    ways = tuple(
        replace(way, steps=steps, permissions=replace(way.permissions, level=level))
        for level, steps in ((Level.READ, (door,)), (Level.WRITE, (door, on)), (Level.ADMINISTRATOR, (of_bob,)))
    )
    (joined,) = trail.all_changes()
    assert strength(joined, replace(answers, ways=ways)) is Level.WRITE


def test_a_policy_that_the_older_state_shows_its_holder_without_was_not_there_before_it_was_first_written() -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html (adds or updates)."""
    written = {"roleName": "ci", "policyName": "grant", "policyDocument": document(grants(DEPLOYER))}
    put_it = called(HUB, at(2), "PutRolePolicy", "eve", requestParameters=written)
    without, of_another = two_keys(granted=False), two_keys(granted=False)
    of_another.grant("ci", of_another.hub, arn(PROD, "role/x"))
    for before, said in ((without, []), (of_another, ["PutRolePolicy"])):
        found = of_two_times(before, two_keys(), put_it)
        assert [one.change.use.event for one in found.taken_back] == said


def test_whoever_met_what_a_door_asked_for_until_it_was_changed_came_by_it_until_then() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html (external ID)."""
    asks = [document(trusts(MALLORY, condition={"StringEquals": {"sts:ExternalId": f"id-{one}"}})) for one in (1, 2)]
    changed = CLOSED | {"requestParameters": {"roleName": "deployer", "policyDocument": asks[1]}}
    came = [
        entry(MALLORY, DEPLOYER, at(days)) | {"requestParameters": {"roleArn": DEPLOYER, "externalId": f"id-{which}"}}
        for days, which in ((1, 1), (3, 2), (4, 1))
    ]
    found = of_two_times(*map(two_keys, asks), *came, changed)
    assert [kind_of(one) for one in found.population] == [BY, BY, PERHAPS]
    assert found.population[2].unmet[0].startswith("with another external ID than its door asks for")
    (one,) = found.taken_back
    assert one.lost == f"user mallory of {OUTSIDE} if external ID (now another)"


@pytest.mark.parametrize(("back", "said"), [((), [BY, PERHAPS, PERHAPS]), ((4,), [BY, PERHAPS, BY])])
def test_a_trust_policy_that_is_written_again_keeps_what_it_took_away_before(
    back: tuple[float, ...], said: list[str]
) -> None:
    """The last call before an entry tells: https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAssumeRolePolicy.html."""
    asks = [document(trusts(MALLORY, condition={"StringEquals": {"sts:ExternalId": f"id-{one}"}})) for one in (1, 2)]
    wrote = [
        CLOSED
        | {
            "eventID": f"w{days}",
            "eventTime": at(days),
            "requestParameters": {"roleName": "deployer", "policyDocument": asks[which]},
        }
        for days, which in [(2, 1), *((days, 0) for days in back), (6, 1)]
    ]
    came = [
        entry(MALLORY, DEPLOYER, at(days)) | {"requestParameters": {"roleArn": DEPLOYER, "externalId": "id-1"}}
        for days in (1, 3, 5)
    ]
    found = of_two_times(*map(two_keys, asks), *came, *wrote)
    assert [kind_of(one) for one in found.population] == said
    assert found.population[1].unmet[0].startswith("with another external ID than its door asks for")


def test_a_door_that_asks_for_less_now_is_one_door_and_still_the_only_one_of_a_third_party() -> None:
    """Its record names no principal: https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html."""
    old, new = (
        document(trusts(MALLORY, condition={"StringEquals": {"sts:ExternalId": ids}})) for ids in ("1", ["1", "2"])
    )
    came = entry(MALLORY, DEPLOYER, at(1)) | {
        "userIdentity": {"type": "AWSAccount", "principalId": "AIDAX", "accountId": OUTSIDE},
        "requestParameters": {"roleArn": DEPLOYER, "externalId": "1"},
        "recipientAccountId": STAGE,
    }
    (one,) = of_two_times(two_keys(old), two_keys(new), came).population
    assert (kind_of(one), len(one.doors)) == (BY, 1)


def test_what_differs_between_two_states_and_no_call_explains_is_said_first() -> None:
    """A change that no record has: of a trust policy, UpdateAssumeRolePolicy would be one.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAssumeRolePolicy.html
    """
    said, recorded = f"role deployer of {STAGE} (trust policy): no permissions", entry(CI_SESSION, DEPLOYER, at(1))
    recorded |= {"recipientAccountId": STAGE}
    for calls, expected in (((), [said]), ((CLOSED,), []), ((CLOSED | {"errorCode": "AccessDenied"},), [said])):
        found = of_two_times(two_keys(OF_BOTH), two_keys(OF_CI), recorded, *calls)
        assert [what for kind, what in lines(found.answers, found) if kind == NO_CALL] == expected
        on_sheet = [what for _, what in found.sheet.lines if NO_CALL in what]
        may = f"which role ci of management, account {OUTSIDE} as a whole may enter"
        assert on_sheet == [f"{one}, {may}: {NO_CALL}" for one in expected]
        rows = csv.DictReader(as_csv(found.answers, None, found, DAY).splitlines())
        differing = [row for row in rows if row["what"] == NO_CALL]
        assert [row["why"] for row in differing] == expected
        columns = ("into role", "permissions", "not before", "not after")
        of = ["deployer", "no permissions", "2026-08-31T09:00:00Z", "2026-10-01T09:00:00Z"]
        assert [[row[one] for one in columns] for row in differing] == [of] * len(expected)
        assert as_data(found.answers, found)["unexplained"] == expected
    assert not of_two_times(two_keys(OF_BOTH), two_keys(OF_CI)).unexplained, "that nothing is recorded is said"
    assert not of_two_times(two_keys(OF_CI), two_keys(OF_CI), recorded).unexplained
    for days, explains in ((2, True), (31, False)):  # after the period, before or after the later state
        found = of_two_times(two_keys(OF_BOTH), two_keys(OF_CI), recorded, CLOSED | {"eventTime": at(days)}, until=1.5)
        assert (not found.unexplained, found.changes) == (explains, ())


@pytest.mark.parametrize("weaker", [True, False])
def test_how_strong_a_role_was_at_an_entry_is_by_the_policies_that_it_had_then(*, weaker: bool) -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_DetachRolePolicy.html: NoSuchEntity, if it has it not."""
    old, new = (ADMINISTRATOR, READ_ONLY) if weaker else (READ_ONLY, ADMINISTRATOR)
    worlds = [two_keys() for _ in range(2)]
    for world, policy in zip(worlds, (old, new), strict=True):
        put(world, ATTACHED, "p", world.stage, role="deployer", policyArn=policy)
    calls = [
        called(STAGE, at(2), f"{do}RolePolicy", "eve", requestParameters={"roleName": "deployer", "policyArn": policy})
        for do, policy in (("Attach", new), ("Detach", old))
    ]
    came = [entry(CI_SESSION, DEPLOYER, at(days)) for days in (1, 3)]
    found = of_two_times(*worlds, *came, *calls)
    strong, weak = Level.ADMINISTRATOR, Level.READ
    assert [*found.strengths.values()] == ([strong, weak] if weaker else [weak, strong])
    named = [name for way in found.answers.ways for name in way.permissions.names if not way.by_access_role]
    assert named == [f"{new.rpartition('/')[2]} since 2026-09-03 09:00 UTC"]
    said = [one.words(found.answers).partition(": ")[2] for one in found.taken_back]
    assert said == ["administrator (AdministratorAccess), in the older states, until 2026-09-03 09:00 UTC"] * weaker


@pytest.mark.parametrize(
    ("calls", "strengths"),
    [
        ([], ["administrator"] * 3),  # at any time between the states
        ([2.0], ["administrator"] * 3),  # nothing brought it to the account
        ([2.0, 2.6], ["administrator", "administrator", "read"]),
        ([2.0, 2.0], ["administrator", "read", "read"]),  # as one run of the engine does
    ],
)
def test_what_a_permission_set_gives_is_as_it_was_when_the_account_was_last_provisioned(
    calls: list[float], strengths: list[str]
) -> None:
    """https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_DetachManagedPolicyFromPermissionSet.html."""
    worlds = [center() for _ in range(2)]
    for world, policy in zip(worlds, (ADMINISTRATOR, READ_ONLY), strict=True):
        attach(world, "ManagedPolicyAttachment", managedPolicyArn=policy)
    changed = [
        of_set(days, f"{do}PermissionSet", {"managedPolicyArn": policy})
        for days in calls[:1]
        for do, policy in (("AttachManagedPolicyTo", READ_ONLY), ("DetachManagedPolicyFrom", ADMINISTRATOR))
    ]
    changed += [of_set(days, PROVISIONED, TO_ALL) for days in calls[1:]]
    found = of_two_times(*worlds, *(of_ann(days) for days in (1.5, 2.5, 2.8)), *changed)
    assert [level.word for level in found.strengths.values()] == strengths


@pytest.mark.parametrize(
    ("boundaries", "call", "strengths"),
    [
        ((READ_ONLY, ""), "Delete", ["read", "administrator"]),
        (("", READ_ONLY), "Put", ["administrator", "read"]),
        ((READ_ONLY, ""), "", ["administrator", "administrator"]),
        (("", READ_ONLY), "", ["administrator", "administrator"]),
    ],
)
def test_a_permissions_boundary_limits_a_role_while_it_is_there(
    boundaries: tuple[str, str], call: str, strengths: list[str]
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRolePermissionsBoundary.html."""
    worlds = [two_keys(**({"permissionsBoundary": one} if one else {})) for one in boundaries]
    for world in worlds:
        put(world, ATTACHED, "p", world.stage, role="deployer", policyArn=ADMINISTRATOR)
    asked_for = {"roleName": "deployer", "permissionsBoundary": READ_ONLY}
    event = f"{call}RolePermissionsBoundary"
    changed = [called(STAGE, at(2), event, "eve", requestParameters=asked_for)] if call else []
    found = of_two_times(*worlds, *(entry(CI_SESSION, DEPLOYER, at(days)) for days in (1, 3)), *changed)
    assert [level.word for level in found.strengths.values()] == strengths


@pytest.mark.parametrize(
    ("boundary", "strengths"), [(READ_ONLY, ["read", "administrator"]), ("", ["administrator"] * 2)]
)
def test_the_boundary_that_a_role_was_made_with_limits_it_until_another_call(
    boundary: str, strengths: list[str]
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html (PermissionsBoundary)."""
    world = two_keys()
    put(world, ATTACHED, "p", world.stage, role="deployer", policyArn=ADMINISTRATOR)
    whom = {"roleName": "deployer"}
    made = whom | {"assumeRolePolicyDocument": OF_CI} | ({"permissionsBoundary": boundary} if boundary else {})
    done = (
        (0.5, "CreateRole", made),
        (0.6, "AttachRolePolicy", whom | {"policyArn": ADMINISTRATOR}),
        *([(2, "DeleteRolePermissionsBoundary", whom)] if boundary else []),
    )
    calls = [called(STAGE, at(days), event, "eve", requestParameters=of) for days, event, of in done]
    found = of_two_times(World(), world, *(entry(CI_SESSION, DEPLOYER, at(days)) for days in (1, 3)), *calls)
    assert [level.word for level in found.strengths.values()] == strengths


OF_ANN = {"userName": "ann"}
ENTERS = {"policyName": "enter", "policyDocument": document(grants(DEPLOYER))}


@pytest.mark.parametrize(
    ("calls", "said"),
    [
        ([("PutUserPermissionsBoundary", {"permissionsBoundary": READ_ONLY})], [BY, NONE]),
        ([("PutUserPermissionsBoundary", {"permissionsBoundary": ADMINISTRATOR})], [PERHAPS, PERHAPS]),
        (
            [("DeleteUser", {}), ("CreateUser", {"permissionsBoundary": READ_ONLY}), ("PutUserPolicy", ENTERS)],
            [BY, NONE],
        ),
    ],
    ids=["put", "of all", "made with it"],
)
def test_a_boundary_that_allows_no_role_closes_the_doors_of_its_user(
    calls: list[tuple[str, dict[str, str]]], said: list[str]
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html,
    https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPermissionsBoundary.html and
    https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html (PermissionsBoundary).
    """
    ann = arn(HUB, "user/ann")
    worlds = [two_keys(document(trusts(ann))) for _ in range(2)]
    for world, more in zip(worlds, ({}, {"permissionsBoundary": READ_ONLY}), strict=True):
        put(world, "aws:iam/user:User", "ann", world.hub, name="ann", arn=ann, **more)
        policy = document(grants(DEPLOYER))
        put(world, "aws:iam/userPolicy:UserPolicy", "enter", world.hub, user="ann", name="enter", policy=policy)
    done = [
        called(HUB, at(2 + number / 10), event, "eve", requestParameters=OF_ANN | of)
        for number, (event, of) in enumerate(calls)
    ]
    found = of_two_times(*worlds, *(entry(ann, DEPLOYER, at(days)) for days in (1, 3)), *done)
    assert [kind_of(one) for one in found.population] == said


@pytest.mark.parametrize("taken", [False, True])
def test_a_key_that_is_given_again_and_again_is_looked_at_a_few_times_each(
    monkeypatch: pytest.MonkeyPatch, *, taken: bool
) -> None:
    """AWS refuses no call that attaches what is attached already:
    https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html.
    """
    count, seen = 200, []
    ends = history._ends
    monkeypatch.setattr(history, "_ends", lambda *calls: seen.append(calls) or ends(*calls))
    asked_for = {"roleName": "deployer", "policyArn": ADMINISTRATOR}
    calls = [
        called(STAGE, at(1 + number / count), "AttachRolePolicy", "eve", requestParameters=asked_for)
        | {"eventID": f"a{number}"}
        for number in range(count)
    ]
    gone = [called(STAGE, at(3), "DetachRolePolicy", "eve", requestParameters=asked_for)] * taken
    found = of_two_times(two_keys(), two_keys(), *calls, *gone)
    assert len(found.changes) == count + taken
    assert len(seen) < 10 * count


def test_a_weaker_policy_for_a_while_makes_no_role_stronger_though_the_two_overlap() -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html: one call for each policy."""
    worlds = [two_keys() for _ in range(2)]
    for world in worlds:
        put(world, ATTACHED, "p", world.stage, role="deployer", policyArn=ADMINISTRATOR)
    done = (
        (2, "Attach", READ_ONLY),
        (2, "Detach", ADMINISTRATOR),
        (4, "Attach", ADMINISTRATOR),
        (4.1, "Detach", READ_ONLY),
    )
    calls = [
        called(
            STAGE, at(days), f"{do}RolePolicy", "eve", requestParameters={"roleName": "deployer", "policyArn": policy}
        )
        for days, do, policy in done
    ]
    found = of_two_times(*worlds, *(entry(CI_SESSION, DEPLOYER, at(days)) for days in (1, 3, 5)), *calls)
    assert [*found.strengths.values()] == [Level.ADMINISTRATOR, Level.READ, Level.ADMINISTRATOR]
    assert not [line for line in at_the_top(found.answers, found) if "stronger" in line]


@pytest.mark.parametrize("then", [-1, 2.5])
def test_whom_a_trust_policy_let_in_before_it_was_written_anew_the_older_state_says_if_it_is_older(then: float) -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAssumeRolePolicy.html."""
    came = [entry(MALLORY, DEPLOYER, at(days)) for days in (1, 3)]
    found = of_two_times(two_keys(OF_BOTH if then < 0 else OF_CI), two_keys(OF_CI), *came, CLOSED, then=then)
    top = " ".join(at_the_top(found.answers, found))
    assert [kind_of(one) for one in found.population] == [BY if then < 0 else NONE, NONE]
    if then < 0:
        (one,) = found.taken_back
        whom = f"account {OUTSIDE} as a whole -> role deployer of {STAGE}"
        assert one.words(found.answers) == (f"{whom}: no permissions, in the older states, until 2026-09-03 09:00 UTC")
        assert [use.time for use in one.entered] == [DAY + timedelta(days=1)]
        assert "Changed, as the states show it: 2026-09-03 09:00 user eve of " in top
        assert f"which no longer lets in account {OUTSIDE} as a whole" in top
        assert not [what for _, what in found.sheet.lines if what.startswith("user eve")]
    else:
        assert "Next step: the older states do not show it: ask who called" in top


def test_a_trust_policy_that_asks_for_less_took_nothing_away_and_is_to_be_looked_at() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html."""
    with_mfa, closes = document(trusts(CI, condition=MFA)), {"aws:CurrentTime": "2026-10-16T00:00:00Z"}
    until = document(trusts(CI, condition={"DateLessThan": closes}))
    for asked, words in ((with_mfa, "MFA"), (until, "until 2026-10-15")):
        found = of_two_times(two_keys(asked), two_keys(OF_CI), entry(CI_SESSION, DEPLOYER, at(1)), CLOSED)
        assert not found.taken_back
        ((_, line),) = ((when, what) for when, what in found.sheet.lines if "UpdateAssumeRolePolicy" in what)
        assert f"which lets in role ci of management (before only if {words})" in line
        assert not found.sheet.planned
    by_update = replace(found.answers, updated_by=(arn(STAGE, "user/eve"),))
    assert "which lets in" not in str(first_sheet(replace(found, answers=by_update)).lines)


def test_two_states_of_a_stack_are_told_apart_by_their_times_and_only_with_events(tmp_path: Path) -> None:
    """The newer one answers who can enter; the engine writes the time into each (`manifest.time`)."""
    old, new = write_state(tmp_path / "old", two_keys()), write_state(tmp_path / "new", two_keys(granted=False))
    for file, day in ((old, "2026-09-01"), (new, "2026-09-30")):
        state = json.loads(file.read_text())
        state["deployment"]["manifest"] = {"time": f"{day}T09:00:00Z"}
        file.write_text(json.dumps(state))
    logs = tmp_path / "events.json"
    logs.write_text(json.dumps({"Records": [UNGRANTED, entry(CI_SESSION, DEPLOYER, at(1))]}))

    def ran(*arguments: object) -> Any:
        return CliRunner().invoke(audit, [str(one) for one in arguments], standalone_mode=False)

    for states in ((old, new), (new, old)):
        given = [one for state in states for one in ("--state", state)]
        refused = ran(*given).exception
        assert isinstance(refused, Refusal)
        assert "with `--events` it also takes one of the period's beginning" in refused.next_step
        found = json.loads(ran(*given, "--events", logs, "--json").stdout)
        assert [one["what"] for one in found["events"]["population"]] == [BY]
        assert not [way for way in found["ways"] if way["source"]["name"] == "ci"]
        assert [one["time"][:10] for one in found["evidence"]["read"]] == ["2026-09-30", "2026-09-01"]


def test_a_boundary_that_a_role_was_made_anew_with_did_not_limit_it_before() -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html (PermissionsBoundary)."""
    world, whom = two_keys(permissionsBoundary=READ_ONLY), {"roleName": "deployer"}
    put(world, ATTACHED, "p", world.stage, role="deployer", policyArn=ADMINISTRATOR)
    made = whom | {"assumeRolePolicyDocument": OF_CI, "permissionsBoundary": READ_ONLY}
    calls = [
        called(STAGE, at(2 + hour / 24), event, "eve", requestParameters=of)
        for hour, (event, of) in enumerate((("DeleteRole", whom), ("CreateRole", made)))
    ]
    came = (entry(CI_SESSION, DEPLOYER, at(days)) for days in (1, 3))
    found = compared(world, *came, *calls, from_states=True)
    assert [level.word for level in found.strengths.values()] == ["administrator", "read"]


def test_of_a_person_what_differs_without_a_call_is_kept_of_a_role_that_the_person_may_enter() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html."""
    worlds = [two_keys(document(trusts(arn(HUB, "user/ann"), *more))) for more in ((arn(OUTSIDE, "root"),), ())]
    for world in worlds:
        put(world, "aws:iam/user:User", "ann", world.hub, name="ann", arn=arn(HUB, "user/ann"))
        policy = document(grants(DEPLOYER))
        put(world, "aws:iam/userPolicy:UserPolicy", "enter", world.hub, user="ann", name="enter", policy=policy)
    recorded = entry(CI_SESSION, DEPLOYER, at(1)) | {"recipientAccountId": STAGE}
    found = of_two_times(*worlds, recorded)
    kept = [
        [one.whom[2] for one in by_person(found, of_person(found.answers, who.name, {who})).unexplained]
        for who in (Who("user", HUB, "ann"), Who("user", HUB, "zoe"))
    ]
    assert kept == [["deployer"], []]


def test_a_role_that_was_deleted_was_as_strong_as_the_older_states_show_it() -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRole.html: its policies are detached before."""
    before, now, whom = two_keys(), two_keys(), {"roleName": "deployer"}
    put(before, ATTACHED, "p", before.stage, role="deployer", policyArn=READ_ONLY)
    now.resources = [one for one in now.resources if one.name != "deployer"]
    calls = [
        called(STAGE, at(2, hour), event, "eve", requestParameters=of)
        for hour, (event, of) in enumerate(
            (("DetachRolePolicy", whom | {"policyArn": READ_ONLY}), ("DeleteRole", whom))
        )
    ]
    found = of_two_times(before, now, entry(CI_SESSION, DEPLOYER, at(1)), *calls)
    assert [*found.strengths.values()] == [Level.READ]
    (was,) = [one for one in found.taken_back if one.change.use.event == "DeleteRole"]
    assert was.permissions == (Level.READ, ("ReadOnlyAccess",))
    assert strength(was.change, found.answers) is Level.READ
