"""What let somebody in during a period and was taken back in it."""

import csv
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.access.test_identity_center import RESERVED, SET_ARN, assign, attach, center, put
from tests.access.world import CI, DEPLOYER, HUB, OUTSIDE, PROD, STAGE, World, arn, document, grants, trusts, two_keys
from tests.audit.cloudtrail import called, entry, signed_in
from tests.audit.test_changes import BY_SERVICE_ROLE, told
from tests.audit.test_comparison import CI_SESSION, DAY, PERSON, SAML, at, compared
from twokeys.access.reading.snapshot import Evidence
from twokeys.answers.model import Answers, Party
from twokeys.answers.permissions import Level
from twokeys.answers.reading import read
from twokeys.answers.selection import into, of_person
from twokeys.audit.against_states import not_in_states, taken_back, with_entries
from twokeys.audit.changes import CALLS
from twokeys.audit.comparison import Comparison
from twokeys.audit.coverage import WasRead
from twokeys.audit.data import as_data
from twokeys.audit.events import NOT_LOOKED_AT, at_the_top
from twokeys.audit.events import taken_back as lines
from twokeys.audit.events import to_look_at as at_the_first_sheet
from twokeys.audit.person import by_person
from twokeys.audit.report import title
from twokeys.audit.table import as_csv
from twokeys.audit.to_look_at import to_look_at
from twokeys.audit.who_called import about
from twokeys.audit.words import kind_of
from twokeys.doors import Who

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
VENDOR, OF_CI = document(trusts(arn(OUTSIDE, "root"))), document(trusts(CI))
WHOLE = f"account {OUTSIDE} as a whole"
"""What the ARN of an account's root is in a trust policy.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-accounts
"""
OF_BOTH = document(trusts(CI, arn(OUTSIDE, "root")))
NEW, OURS = {"roleName": "vendor"}, {"roleName": "deployer"}
MADE = ("CreateRole", NEW | {"assumeRolePolicyDocument": VENDOR})
STRONG = ("AttachRolePolicy", NEW | {"policyArn": ADMINISTRATOR})
GONE = ("DeleteRole", NEW)
LAMBDA = document({"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"})

ALL, READ = (document({"Effect": "Allow", "Action": what, "Resource": "*"}) for what in ("*", "s3:GetObject"))


def _put(policy: str) -> tuple[str, dict[str, Any]]:
    return "PutRolePolicy", NEW | {"policyName": "p", "policyDocument": policy}


def changes(account: str, *calls: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        called(account, at(hour), name, "eve", requestParameters=asked) for hour, (name, asked) in enumerate(calls, 1)
    ]


def asked(*calls: tuple[str, dict[str, Any]], account: str = STAGE, days: int = -1) -> tuple[Answers, Comparison]:
    """Who can enter stage, by states so many days from the events, and what came of calls in an account."""
    world = two_keys()
    written = {key: DAY + timedelta(days=days) for key in read(world.graph).written or {}}
    written |= {(one, "", ""): DAY + timedelta(days=days) for one in (HUB, STAGE)}
    written |= {(STAGE, "role", "deployer"): DAY + timedelta(days=days)}
    answers = replace(into(read(world.graph), STAGE), from_states=True, written=written)
    found = compared(world, *changes(account, *calls))
    return answers, replace(found, answers=answers, taken_back=taken_back(answers, found.changes))


@pytest.mark.parametrize(
    ("calls", "said"),
    [
        (
            [MADE, STRONG, ("DetachRolePolicy", NEW | {"policyArn": ADMINISTRATOR}), GONE],
            "-> role vendor of 222222222222: administrator (AdministratorAccess), from 02 to 05",
        ),
        ([MADE, GONE], "-> role vendor of 222222222222: no permissions, from 02 to 03"),
        (
            [MADE, _put(ALL), _put(READ), GONE],  # as strong as it was at most
            "-> role vendor of 222222222222: administrator (p), from 02 to 05",
        ),
        (
            [(f"{do}Role", one) for do, one in (("Create", MADE[1]), ("Delete", NEW))] + [MADE],
            "-> role vendor of 222222222222: no permissions, from 02 to 03",
        ),
        (
            [("UpdateAssumeRolePolicy", OURS | {"policyDocument": trust}) for trust in (VENDOR, OF_CI)],
            "-> role deployer of 222222222222: no permissions, from 02 to 03",
        ),
        (
            [("UpdateAssumeRolePolicy", NEW | {"policyDocument": trust}) for trust in (VENDOR, LAMBDA)],
            "-> role vendor of 222222222222: not known, from 02 to 03",  # nothing shows what it may
        ),
        (
            [("UpdateAssumeRolePolicy", OURS | {"policyDocument": trust}) for trust in (OF_BOTH, OF_CI)],
            "-> role deployer of 222222222222: no permissions, from 02 to 03",  # not whose way still stands
        ),
        ([MADE, STRONG], ""),  # it stands: a change that the states do not have
        ([("UpdateAssumeRolePolicy", OURS | {"policyDocument": OF_CI})] * 2, ""),  # as it is
        ([("CreateRole", NEW | {"assumeRolePolicyDocument": LAMBDA}), GONE], ""),  # for a service alone
    ],
)
def test_a_trust_policy_that_was_taken_back_says_whom_it_let_in_how_strong_and_when(
    calls: list[tuple[str, dict[str, Any]]], said: str
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html (AssumeRolePolicyDocument)."""
    answers, found = asked(*calls)
    lines = [one.words(answers) for one in found.taken_back if one.permissions]
    said = re.sub(r"(0\d)", r"2026-09-\1 09:00 UTC", said)
    assert lines == [f"{WHOLE} {said}"] * bool(said)
    assert [one for one in found.taken_back if not one.permissions and one.change.of[0] != "role"] == []
    assert bool(replace(found, unusual=()).sheet.lines) is bool(found.taken_back or found.not_in_states)


def test_of_whom_a_trust_policy_let_in_what_that_of_now_asks_for_besides_is_said() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html (external ID)."""
    scanner = arn(OUTSIDE, "role/scanner")
    now = document(trusts(CI), trusts(scanner, condition={"StringEquals": {"sts:ExternalId": "1"}}))
    opened = document(trusts(CI, scanner, arn(PROD, "root")))
    calls = [("UpdateAssumeRolePolicy", OURS | {"policyDocument": one}) for one in (opened, now)]
    found = compared(two_keys(now), *changes(STAGE, *calls), from_states=True)
    (one,) = (one for one in found.taken_back if one.permissions)
    assert one.lost == f"role scanner of {OUTSIDE} (now only if external ID), account {PROD} as a whole"


MEMBER, KEY = {"userName": "bob", "groupName": "devs"}, {"userName": "bob", "accessKeyId": "AKIA1"}


@pytest.mark.parametrize(
    ("calls", "days", "said"),
    [
        ([("AddUserToGroup", MEMBER), ("RemoveUserFromGroup", MEMBER)], -1, ["AddUserToGroup of bob (devs)"]),
        ([("RemoveUserFromGroup", MEMBER)], 9, ["RemoveUserFromGroup of bob (devs)"]),
        ([("DeleteRole", {"roleName": "old"})], 9, ["DeleteRole of old"]),
        (
            [("DeleteRole", OURS), ("CreateRole", OURS | {"assumeRolePolicyDocument": OF_CI})],
            9,
            ["DeleteRole of deployer"],
        ),
        ([("DeleteRole", OURS)], -1, []),  # the states show what it was
        ([("DeleteAccessKey", KEY)], 9, []),  # the user is shown, or was deleted, too
        (
            [("UpdateAssumeRolePolicy", OURS | {"policyDocument": OF_CI})],
            9,
            ["UpdateAssumeRolePolicy of deployer"],  # what it said before is in no state
        ),
        (
            [("PutRolePolicy", OURS | {"policyName": "x", "policyDocument": document(grants(DEPLOYER))})],
            9,
            ["PutRolePolicy of deployer (x)"],
        ),
        ([("UpdateAssumeRolePolicy", OURS | {"policyDocument": OF_CI})], -1, []),
        (
            [("PutRolePolicy", OURS | {"policyName": "x", "policyDocument": document(grants(DEPLOYER))})],
            -1,
            [],  # a change that the states do not have
        ),
    ],
)
def test_what_else_was_taken_back_is_named_as_not_judged(
    calls: list[tuple[str, dict[str, Any]]], days: int, said: list[str]
) -> None:
    answers, found = asked(*calls, account=STAGE if "roleName" in calls[0][1] else HUB, days=days)
    place = STAGE if "roleName" in calls[0][1] else "management"
    assert [one.words(answers).partition(" from ")[0] for one in found.taken_back] == [
        f"{one} in {place}" for one in said
    ]
    assert all(one.permissions is None for one in found.taken_back)
    given = any(one.since for one in found.taken_back)
    gone = any(said) and calls[0][0] != "PutRolePolicy"  # which may have been the first
    assert [line.partition(" in the period")[0] for line in at_the_top(answers, found) if line.startswith("Not")] == [
        "Not known is whom keys let in before 1 change"
    ] * bool(said and not given)
    found = replace(found, was_read=WasRead(), doors=(), steps=(), unusual=())
    assert found.is_noteworthy is (gone or bool(found.not_in_states))


@pytest.mark.parametrize(
    ("calls", "said"),
    [
        ([GONE, MADE, GONE], ["CreateRole", "DeleteRole"]),  # of the role before, nothing says whom it let in
        (
            [
                *(("UpdateAssumeRolePolicy", OURS | {"policyDocument": trust}) for trust in (VENDOR, OF_CI)),
                *((f"{do}RolePolicy", OURS | {"policyArn": ADMINISTRATOR}) for do in ("Attach", "Detach")),
            ],
            ["UpdateAssumeRolePolicy", "AttachRolePolicy"],
        ),
        (
            [
                ("UpdateAssumeRolePolicy", OURS | {"policyDocument": OF_BOTH}),
                *((f"{do}RolePolicy", OURS | {"policyArn": ADMINISTRATOR}) for do in ("Attach", "Detach")),
                ("UpdateAssumeRolePolicy", OURS | {"policyDocument": OF_CI}),
            ],
            ["UpdateAssumeRolePolicy", "AttachRolePolicy"],  # whoever always may enter was given more in it, too
        ),
    ],
)
def test_how_strong_a_role_was_while_it_was_open_says_nothing_of_another_time(
    calls: list[tuple[str, dict[str, Any]]], said: list[str]
) -> None:
    assert [one.change.use.event for one in asked(*calls)[1].taken_back] == said


@pytest.mark.parametrize(
    ("calls", "said"),
    [
        (
            [(f"{do}RolePolicy", OURS | {"policyArn": ADMINISTRATOR}) for do in ("Attach", "Detach")],
            "was given more: role ci of management -> role deployer of 222222222222: administrator (Administrator",
        ),
        (
            [
                ("PutRolePolicy", OURS | {"policyName": "x", "policyDocument": document(grants(DEPLOYER))}),
                ("DeleteRolePolicy", OURS | {"policyName": "x"}),
            ],
            "was given or taken away, not judged: PutRolePolicy of deployer (x)",
        ),
    ],
)
def test_a_role_that_was_stronger_for_a_while_says_how_strong_but_for_what_lets_it_enter_others(
    calls: list[tuple[str, dict[str, Any]]], said: str
) -> None:
    answers, found = asked(*calls)
    (line,) = lines(answers, found)
    assert ": ".join(line).startswith(said)
    assert found.is_noteworthy


TO_STAGE, TO_PROD = ({"targetType": "AWS_ACCOUNT", "targetId": one} for one in (STAGE, PROD))
TO_ALL = {"targetType": "ALL_PROVISIONED_ACCOUNTS"}
PROVISIONED, ASSIGNED = "ProvisionPermissionSet", "CreateAccountAssignment"
FROM, TAKEN_FROM_IT = "from 2026-09-02 09:00 UTC", "taken from the set 2026-09-03 09:00 UTC"


def of_set(days: float, event: str, asked_for: dict[str, Any]) -> dict[str, Any]:
    """A call about the permission set Admin, as the management account records it."""
    of = {"requestParameters": {"permissionSetArn": SET_ARN} | asked_for, "eventID": f"{event} {days} {asked_for}"}
    return called(HUB, at(days), event, "eve", eventSource="sso.amazonaws.com") | of


@pytest.mark.parametrize(
    ("provisioned", "said", "days"),
    [
        (
            [(1, PROVISIONED, TO_STAGE), (2.6, PROVISIONED, TO_PROD), (3, PROVISIONED, TO_ALL)],
            f"{FROM} to 2026-09-04 09:00 UTC, when it was provisioned anew ({TAKEN_FROM_IT})",
            ["02", "03"],
        ),
        (
            [(1, PROVISIONED, TO_ALL), (2, PROVISIONED, TO_ALL)],
            f"{FROM} to 2026-09-03 09:00 UTC, when it was provisioned anew ({TAKEN_FROM_IT})",
            ["02"],
        ),
        (
            [(1, ASSIGNED, TO_STAGE | {"principalType": "USER", "principalId": "u-2"})],
            f"{FROM} on: {TAKEN_FROM_IT} and not provisioned since in what was read, so it may still be there",
            ["02", "03", "04"],
        ),
        (
            [(1, PROVISIONED, TO_PROD), (2.6, PROVISIONED, TO_STAGE)],
            f"given to the set 2026-09-02 09:00 UTC, {TAKEN_FROM_IT}, never provisioned",
            [],
        ),
    ],
)
@pytest.mark.parametrize(
    ("calls", "gives"),
    [
        (
            ("AttachManagedPolicyTo", "DetachManagedPolicyFrom"),
            ({"managedPolicyArn": ADMINISTRATOR}, "AdministratorAccess"),
        ),
        (("PutInlinePolicyTo", "DeleteInlinePolicyFrom"), ({"inlinePolicy": ALL}, "inline policy")),
    ],
)
def test_an_account_has_of_a_permission_set_what_was_last_provisioned_there(
    calls: tuple[str, str],
    gives: tuple[dict[str, Any], str],
    provisioned: list[tuple[float, str, dict[str, Any]]],
    said: str,
    days: list[str],
) -> None:
    """https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_AttachManagedPolicyToPermissionSet.html,
    API_ProvisionPermissionSet.html (TargetType) and API_CreateAccountAssignment.html ("will automatically be
    provisioned").
    """
    world = center()
    attach(world, "ManagedPolicyAttachment", managedPolicyArn=READ_ONLY)
    asked_for, policy = gives
    changed = [of_set(day, f"{do}PermissionSet", asked_for) for day, do in enumerate(calls, 1)]
    changed += [of_set(*one) for one in provisioned]
    found = compared(world, *(of_ann(day) for day in (0.5, 1.5, 2.5, 3.5)), *changed, from_states=True)
    answers = found.answers
    one = found.taken_back[0]
    strong = f"administrator (ReadOnlyAccess, {policy}), {said}"
    assert one.words(answers) == f"Identity Center group admins -> permission set Admin, in {STAGE}: {strong}"
    assert [f"{use.time:%d}" for use in one.entered] == days
    administrator = {use.id for use in one.entered}
    assert {id for id, level in found.strengths.items() if level is Level.ADMINISTRATOR} == administrator
    strengths = {str(way.permissions) for way in answers.ways if way.source.who.name == "admins"}
    assert strengths == {"administrator" if "still" in said else "read"}
    rows = [*csv.DictReader(as_csv(answers, None, found, DAY).splitlines())]
    (row,) = [row for row in rows if row["what"] in ("was given more", "was given to a permission set")]
    assert {one["begun by"] for one in rows if one["what"].startswith("was ")} == {"user eve of management"}
    given = {"who": "Identity Center group admins", "into": "permission set Admin", "permissions": "administrator"}
    assert [row["account"], row["who"], row["into role"], row["permissions"]] == [STAGE, *given.values()]
    data = as_data(answers, found)["takenBack"][0]
    assert {key: data[key] for key in ("account", *given)} == {"account": STAGE} | given
    assert compared(world, *changed, target=HUB).taken_back[0].permissions is None, "nobody enters it by the set"


@pytest.mark.parametrize(
    ("provisioned", "strength", "said", "entered"),
    [
        ([], "administrator", f"on: {TAKEN_FROM_IT} and not provisioned since in what was read, so it may s", 2),
        ([(2.2, PROVISIONED, TO_ALL)], "read", "to 2026-09-03 13:48 UTC, when it was provisioned anew (taken from", 1),
    ],
)
def test_what_a_set_had_before_the_records_an_account_may_have_after_it_was_taken_away(
    provisioned: list[tuple[float, str, dict[str, Any]]], strength: str, said: str, entered: int
) -> None:
    """https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_DetachManagedPolicyFromPermissionSet.html."""
    world = center()
    attach(world, "ManagedPolicyAttachment", managedPolicyArn=READ_ONLY)
    calls = [(2, "DetachManagedPolicyFromPermissionSet", {"managedPolicyArn": ADMINISTRATOR}), *provisioned]
    found = compared(world, of_ann(1.5), of_ann(2.5), *(of_set(*one) for one in calls), from_states=True)
    (one,) = found.taken_back
    assert one.between.startswith(f"from before the records {said}")
    assert ([one.places, len(one.entered)], found.is_noteworthy) == ([(STAGE,), entered], True)
    assert {str(way.permissions) for way in found.answers.ways if way.source.who.name == "admins"} == {strength}


@pytest.mark.parametrize("policy", ["AdministratorAccess", "AWSDenyAll", "AWSCompromisedKeyQuarantineV3"])
@pytest.mark.parametrize("again", [True, False])
def test_a_policy_that_was_taken_away_made_nobody_stronger_if_it_denies_nothing(policy: str, *, again: bool) -> None:
    """https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSCompromisedKeyQuarantineV3.html."""
    attached = OURS | {"policyArn": ADMINISTRATOR.replace("AdministratorAccess", policy)}
    calls, world = [("DetachRolePolicy", attached)], two_keys(managedPolicyArns=[attached["policyArn"]])
    calls += [("AttachRolePolicy", attached)] * again
    found = compared(world, *changes(STAGE, *calls), from_states=True)
    denies = policy != "AdministratorAccess"
    said = [f"DetachRolePolicy of deployer ({policy})"] * (again and denies)
    assert [one.words(found.answers).partition(" in ")[0] for one in found.taken_back] == said
    (way,) = [one for one in found.answers.ways if not one.by_access_role]
    assert way.permissions.names[0].partition(" (")[0] == policy


@pytest.mark.parametrize(("person", "kept"), [("carl", True), ("dave", False)])
def test_of_a_person_what_a_set_had_when_the_person_entered_by_it_is_kept(person: str, kept: bool) -> None:
    """https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_ProvisionPermissionSet.html."""
    given = (f"{do}PermissionSet" for do in ("AttachManagedPolicyTo", "DetachManagedPolicyFrom"))
    calls = [of_set(day, one, {"managedPolicyArn": ADMINISTRATOR}) for day, one in enumerate(given, 1)]
    found = compared(center(), of_ann(1.5, "carl"), *calls, of_set(1, PROVISIONED, TO_ALL), from_states=True)
    answers = of_person(found.answers, person, {Who("identity-center-user", "", person)})
    said = [one.words(answers).partition(",")[0] for one in by_person(found, answers).taken_back]
    assert said == ["permission set Admin"] * kept, "in no group that has a way"


@pytest.mark.parametrize(("boundary", "strength"), [("", "administrator"), (READ_ONLY, "read")])
def test_a_policy_that_a_call_gave_and_states_do_not_have_is_said_at_the_ways_into_its_role(
    boundary: str, strength: str
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html."""
    early = entry(CI_SESSION, DEPLOYER, at(0.5))
    world = two_keys(**{"permissionsBoundary": boundary} if boundary else {})
    found = compared(world, early, *changes(STAGE, GIVEN), from_states=True)
    (way,) = [one for one in found.answers.ways if not one.by_access_role]
    assert (str(way.permissions), way.permissions.names) == (
        strength,
        ("AdministratorAccess (AttachRolePolicy, 2026-09-02 09:00 UTC)",),
    )
    assert [*found.strengths.values()] == [Level.NONE], "before it had more"


@pytest.mark.parametrize(("has", "said"), [(ADMINISTRATOR, []), (READ_ONLY, [f"{FROM} on, and not in what was read"])])
def test_live_iam_tells_what_the_role_of_a_permission_set_has(has: str, said: list[str]) -> None:
    """IAM has the role in each account, and nothing of the set that it is made of."""
    world = center()
    attach(world, "ManagedPolicyAttachment", managedPolicyArn=has)
    answers = replace(into(read(world.graph), STAGE), from_states=False, holds={})
    calls = (
        of_set(1, "AttachManagedPolicyToPermissionSet", {"managedPolicyArn": ADMINISTRATOR}),
        (1, PROVISIONED, TO_ALL),
    )
    found = compared(world, calls[0], of_set(*calls[1]))
    assert [one.between for one in taken_back(answers, found.changes) if one.change.of[0] == "set"] == said


@pytest.mark.parametrize("ids", ["ab", "ba"])
def test_of_two_calls_in_one_second_either_may_be_the_last(ids: str) -> None:
    """https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html."""
    records = changes(STAGE, *(("UpdateAssumeRolePolicy", OURS | {"policyDocument": one}) for one in (VENDOR, OF_CI)))
    answers, _ = asked()
    found = compared(
        two_keys(), *(one | {"eventTime": at(1), "eventID": id} for one, id in zip(records, ids, strict=True))
    )
    (one,) = taken_back(answers, found.changes)
    assert (one.since, one.until, one.change.trusts) == (one.change.use.time, one.since, WHOLE)
    assert len(told(answers, found).changed_since) == 1


def test_a_role_that_identity_center_deletes_is_judged_by_what_is_called_there() -> None:
    deleted = called(STAGE, at(1), "DeleteRole", requestParameters={"roleName": "AWSReservedSSO_a"})
    assert taken_back(read(two_keys().graph), compared(two_keys(), deleted).changes)
    assert not compared(two_keys(), {**deleted, "userIdentity": BY_SERVICE_ROLE}).taken_back


def test_live_iam_does_not_have_what_was_there_in_the_period_and_went_after_it() -> None:
    """IAM tells of what is there now."""
    world = two_keys()
    found = compared(world, *changes(STAGE, MADE, STRONG))
    live = Evidence("live AWS", (DAY + timedelta(days=9)).isoformat(), caller=arn(HUB, "role/auditor"))
    answers = replace(read(world.graph), from_states=False, evidence=(live,))
    (one,) = taken_back(answers, found.changes)
    assert one.words(answers).startswith(f"{WHOLE} -> role vendor of {STAGE}: administrator (Admin")
    assert one.words(answers).endswith("from 2026-09-02 09:00 UTC on, and not in what was read")


def test_text_table_and_json_have_who_into_what_and_when_and_of_a_person_not_what_is_another_users() -> None:
    answers, found = asked(MADE, STRONG, GONE, ("AddUserToGroup", MEMBER), ("RemoveUserFromGroup", MEMBER))
    answers = replace(answers, accounts=read(two_keys().graph).accounts)
    rows = [
        row for row in csv.DictReader(as_csv(answers, None, found, DAY).splitlines()) if row["what"].startswith("was ")
    ]
    assert next((row["what"], row["who"], row["into role"], row["permissions"]) for row in rows) == (
        *("was open", WHOLE, "vendor", "administrator"),
    )
    assert (rows[0]["not before"], rows[0]["not after"]) == ("2026-09-02T09:00:00Z", "2026-09-04T09:00:00Z")
    of_roles = [row["into role"] for row in csv.DictReader(as_csv(answers, None, found, DAY).splitlines())][-5:]
    assert of_roles == ["vendor"] * 3 + [""] * 2  # the changes of keys
    assert [" -> AttachRolePolicy of " in said for _, said in to_look_at(answers, found)[1]] == [True]
    (first, *_) = as_data(answers, found)["takenBack"]
    assert (first["who"], first["into"], first["permissions"]) == (WHOLE, "vendor", "administrator")
    assert (first["from"][:10], first["until"][:10]) == ("2026-09-02", "2026-09-04")
    more = [(f"{do}RolePolicy", OURS | {"policyArn": ADMINISTRATOR}) for do in ("Attach", "Detach")]
    found = replace(found, taken_back=found.taken_back + asked(*more)[1].taken_back)  # of a role that neither may enter
    for person, kept in (("bob", True), ("ann", False)):
        own = by_person(found, of_person(answers, person, {Who("user", HUB, person)}))
        assert [one.change.use.event for one in own.taken_back] == ["AddUserToGroup"] * kept
        assert [", ended by the same (" in said for _, said in lines(answers, own)] == [True] * kept


@pytest.mark.parametrize(
    ("trusted", "kept"),
    [
        (arn(OUTSIDE, "root"), False),
        (arn(OUTSIDE, "role/vendor"), False),
        (arn(HUB, "user/ann"), False),
        (arn(HUB, "user/bob"), True),
        (arn(HUB, "role/x"), True),
        (arn(HUB, "root"), True),
        ("*", True),
    ],
)
def test_of_a_person_what_a_trust_policy_let_in_is_kept_that_may_be_the_person_or_a_role_of_ours(
    trusted: str, kept: bool
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html."""
    answers, found = asked(("CreateRole", NEW | {"assumeRolePolicyDocument": document(trusts(trusted))}), GONE)
    answers = replace(answers, names=answers.names | {OUTSIDE: "a third party"})
    own = by_person(found, of_person(answers, "bob", {Who("user", HUB, "bob")}))
    assert [bool(one.lost) for one in own.taken_back] == [True] * kept


def test_of_a_person_an_assignment_of_another_user_or_of_a_group_of_others_is_not_kept() -> None:
    """https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_CreateAccountAssignment.html."""
    ids = ("u-carol", "u-dave", "g-carol", "g-dave", "?")
    calls = [
        called(HUB, at(days + number / 10), f"{do}AccountAssignment", "eve", eventSource="sso.amazonaws.com")
        | {"requestParameters": {"permissionSetArn": SET_ARN, "principalId": one}}
        for days, do in ((1, "Create"), (2, "Delete"))
        for number, one in enumerate(ids)
    ]
    answers = asked()[0]
    found = compared(two_keys(), *calls)
    found = replace(found, answers=answers, taken_back=taken_back(answers, found.changes))
    who = {one: Party(Who(f"identity-center-{'user' if one[0] == 'u' else 'group'}", "", one[2:])) for one in ids[:4]}
    members = tuple((who[f"u-{one}"], who[f"g-{one}"]) for one in ("carol", "dave"))
    answers = replace(answers, principals={**answers.principals, **who}, memberships=members)
    own = by_person(found, of_person(answers, "carol"))
    assert [one.change.of[2] for one in own.taken_back] == ["u-carol", "g-carol", "?"]


def test_the_title_has_the_period_and_who_entered_is_named_below_it() -> None:
    answers, found = asked()
    found = replace(compared(two_keys(), entry(arn(HUB, "user/mallory"), DEPLOYER, at(1))), asked=(DAY, None))
    assert title(answers, STAGE, found).startswith(f"Who can enter {STAGE}, and who did from 2026-09-01 09:00 UTC (")
    assert title(answers, STAGE, None).startswith(f"Who can enter {STAGE} (")
    assert at_the_top(answers, found) == ["Entered by a door: nobody"]
    step = "ask who it was and what they did, take away what still lets them in, or let a stack make it"
    assert at_the_first_sheet(found)[0].endswith(f" below. Next step for who came without a door: {step}")


def test_calls_by_which_services_hand_roles_to_others_are_counted_at_the_top() -> None:
    """https://docs.aws.amazon.com/rolesanywhere/latest/APIReference/API_CreateTrustAnchor.html.

    IAM Identity Center has an UpdateProfile of its own: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsiamidentitycenter.html
    """
    calls = [("rolesanywhere", "CreateTrustAnchor"), ("ssm", "CreateActivation"), ("ssm", "CreateActivation")]
    calls.append(("sso", "UpdateProfile"))
    records = [
        called(STAGE, at(hour), name, "eve", eventSource=f"{service}.amazonaws.com")
        for hour, (service, name) in enumerate(calls, 1)
    ]
    failed = called(PROD, at(4), "CreateProfile", "eve", eventSource="rolesanywhere.amazonaws.com", errorCode="Denied")
    found = compared(two_keys(), *records, failed)
    assert at_the_top(read(two_keys().graph), found) == [
        f"Hands roles to others than their services: CreateTrustAnchor in {STAGE} (1), CreateActivation in {STAGE} (2)"
    ]
    named = {"rolesanywhere": "IAM Roles Anywhere", "eks": "EKS", "ssm": "Systems Manager"}
    services = {name.partition(":")[0] for name, call in CALLS.items() if call.hands_on}
    assert services == named.keys(), "name it in `named`, and say it in NOT_LOOKED_AT of twokeys/audit/events.py"
    assert all(f" {one} " in NOT_LOOKED_AT.replace(",", " ") for one in named.values())


OPENED, CLOSED = (("UpdateAssumeRolePolicy", OURS | {"policyDocument": one}) for one in (OF_BOTH, OF_CI))
GIVEN, TAKEN = ((f"{do}RolePolicy", OURS | {"policyArn": ADMINISTRATOR}) for do in ("Attach", "Detach"))


@pytest.mark.parametrize(
    ("calls", "caller", "days", "said"),
    [
        ([OPENED, CLOSED], arn(OUTSIDE, "user/mallory"), 1.5, "while it was open (UpdateAssumeRolePolicy of deployer"),
        ([OPENED], arn(OUTSIDE, "user/mallory"), 1.5, "while it was open (UpdateAssumeRolePolicy of deployer in "),
        ([OPENED, CLOSED], arn(OUTSIDE, "user/mallory"), 2.5, ""),
        ([OPENED, CLOSED], CI_SESSION, 1.5, ""),  # which it lets in now as well
        ([GIVEN, TAKEN], CI_SESSION, 1.5, "while it had more (AttachRolePolicy of deployer (AdministratorAccess) in "),
        ([GIVEN, TAKEN], CI_SESSION, 0.5, ""),
    ],
)
def test_an_entry_says_while_what_it_was_and_the_change_who_entered(
    calls: list[tuple[str, dict[str, Any]]], caller: str, days: float, said: str
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAssumeRolePolicy.html."""
    answers = replace(into(read(two_keys().graph), STAGE), from_states=True)
    found = joined(answers, *changes(STAGE, *calls), entry(caller, DEPLOYER, at(days)))
    table = csv.DictReader(as_csv(answers, None, found, DAY).splitlines())
    (row,) = [row for row in table if row["what"].startswith("entry ")]
    assert row["why"].startswith(said)
    assert bool(row["why"]) is bool(said)
    stood = [one for one in (*found.taken_back, *found.not_in_states) if one.entered]
    assert len(stood) == bool(said)
    if said:
        assert " from 2026-09-02 09:00 UTC" in row["why"]
        how = "entered by it" if "open" in said else "entered meanwhile"
        assert stood[0].came(answers).startswith(f"; {how}: ")
        assert stood[0].came(answers).endswith(" (1), last 2026-09-02 21:00 UTC")


@pytest.mark.parametrize(
    ("person", "account", "by_it"), [("ann", STAGE, True), ("bob", STAGE, False), ("ann", PROD, False)]
)
def test_who_of_identity_center_entered_within_an_assignment_is_said(person: str, account: str, *, by_it: bool) -> None:
    """https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_CreateAccountAssignment.html."""
    of = {"permissionSetArn": SET_ARN, "principalId": "u-1", "principalType": "USER", "targetId": account}
    calls = [
        called(HUB, at(days), f"{do}AccountAssignment", "eve", eventSource="sso.amazonaws.com", requestParameters=of)
        for days, do in ((1, "Create"), (2, "Delete"))
    ]
    answers = read(center().graph)
    found = joined(answers, of_ann(1.5, person), of_ann(2.5, person), *calls, world=center(targetId=PROD))
    stood = [one for one in found.taken_back if one.entered]
    kinds = [[kind_of(one).partition(" by a door")[1] for one in found.population]]
    assert (kinds == [[" by a door", ""]]) is by_it
    (first, _), briefly = found.population, "by an assignment that was given and taken back"
    assert ([briefly in one.why for one in found.unusual if one.use == first.use] == [True]) is by_it
    assert [use.caller.who.name for one in stood for use in one.entered] == [person] * by_it
    level = [row for row in joined(answers, *calls, world=center(targetId=PROD)).taken_back if account == STAGE]
    assert [": not known, from " in row.words(answers) for row in level] == [True] * len(level), "as in prod"
    within = "within the assignment (CreateAccountAssignment of Admin ("
    assert [one.meanwhile(one.entered[0], answers).startswith(within) for one in stood] == [True] * by_it


def test_an_assignment_that_was_taken_back_is_as_strong_as_its_set_and_sessions_last_as_long_as_was_asked() -> None:
    """https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithSAML.html (DurationSeconds)."""
    of = {"permissionSetArn": SET_ARN, "principalId": "u-1", "principalType": "USER", "targetId": STAGE}
    calls = [
        called(HUB, at(days), f"{do}AccountAssignment", "eve", eventSource="sso.amazonaws.com", requestParameters=of)
        for days, do in ((1, "Create"), (2, "Delete"))
    ]
    came = of_ann(1.95)
    came["requestParameters"] |= {"durationSeconds": 28_800}
    world = center(targetId=PROD)
    attach(world, "ManagedPolicyAttachment", managedPolicyArn=ADMINISTRATOR)
    found = compared(world, *calls, came, from_states=True)
    (gone,) = found.taken_back
    assert ": administrator, from 2026-09-02 09:00 UTC to 2026-09-03 09:00 UTC" in gone.words(found.answers)
    (line,) = [line for _, line in found.sheet.lines if "AccountAssignment" in line]
    assert " (administrator) from " in line
    assert line.endswith("; a session may have lasted until 2026-09-03 15:48 UTC")


@pytest.mark.parametrize(("person", "by_it"), [("bob", True), ("ann", False), ("carl", False)])
@pytest.mark.parametrize(
    ("source", "calls", "member"),
    [
        ("identitystore", ("CreateGroupMembership", "DeleteGroupMembership"), {"memberId": {"userId": "u-2"}}),
        (
            "sso-directory",
            ("AddMemberToGroup", "RemoveMemberFromGroup"),
            {"member": {"memberId": "u-2"}},
        ),  # the console
    ],
)
def test_who_entered_while_in_a_group_is_said_at_the_membership_and_at_the_entry(
    source: str, calls: tuple[str, str], member: dict[str, Any], person: str, *, by_it: bool
) -> None:
    """https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/API_CreateGroupMembership.html."""
    world = center()
    put(world, "aws:identitystore/user:User", "bob", world.hub, userName="bob", userId="u-2")
    changed = [
        called(
            HUB, at(days), name, eventSource=f"{source}.amazonaws.com", requestParameters={"groupId": "g-1", **member}
        )
        for days, name in enumerate(calls, 1)
    ]
    found = compared(world, of_ann(1.5, person), of_ann(2.5, "bob"), *changed)
    (one,) = (one for one in found.taken_back if one.since)
    of = f"{calls[0]} of Identity Center group admins (Identity Center user bob) in management"
    assert one.words(found.answers).startswith(f"{of} from 2026-09-02 09:00 UTC to 2026-09-03 09:00 UTC")
    assert [use.caller.who.name for use in one.entered] == [person] * by_it
    said = [why for each in found.meanwhile(found.answers).values() for why in each]
    assert [why.startswith(f"while in Identity Center group admins ({of} from 2026-09-0") for why in said] == [
        True
    ] * by_it


NAMED = {"groupId": "g-1", "memberId": {"userId": "u-1"}}
OF_ANN = {"permissionSetArn": SET_ARN, "principalType": "USER", "principalId": "u-1", **TO_STAGE}
SHOWN = "aws:identitystore/groupMembership:GroupMembership", "m"


@pytest.mark.parametrize(
    ("source", "call", "whom", "shown"),
    [
        ("identitystore", "DeleteGroupMembership", NAMED, False),
        ("identitystore", "DeleteGroupMembership", NAMED, True),
        ("identitystore", "DeleteGroupMembership", {"membershipId": "m-1"}, True),
        ("sso-directory", "RemoveMemberFromGroup", {"groupId": "g-1", "member": {"memberId": "u-1"}}, False),
        ("sso", "DeleteAccountAssignment", OF_ANN, False),
        ("sso", "DeleteAccountAssignment", OF_ANN, True),
    ],
)
def test_who_was_let_in_before_the_records_came_by_a_door_until_that_ended_and_by_none_afterwards(
    source: str, call: str, whom: dict[str, Any], *, shown: bool
) -> None:
    """https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/API_DeleteGroupMembership.html,
    https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_DeleteAccountAssignment.html.

    States of the period's beginning show it, those of its end do not.
    """
    world = center(**({"principalType": "USER", "principalId": "u-1"} if source == "sso" else {}))
    world.resources = [one for one in world.resources if not (one.type.endswith(("GroupMembership", "Assignment")))]
    put(world, "aws:identitystore/user:User", "bob", world.hub, userName="bob", userId="u-2")
    of_bob = {"groupId": "g-1", "memberId": "u-2", "membershipId": "m-2"}
    put(world, "aws:identitystore/groupMembership:GroupMembership", "m2", world.hub, **of_bob)
    assign(world, "of admins", targetId=STAGE if source != "sso" else PROD)
    if shown and source == "sso":
        assign(world, "of ann", principalType="USER", principalId="u-1")
    elif shown:
        put(world, *SHOWN, world.hub, groupId="g-1", memberId="u-1", membershipId="m-1")
    gone = called(HUB, at(2), call, "eve", eventSource=f"{source}.amazonaws.com", requestParameters=whom)
    found = compared(world, gone, of_ann(1.5), of_ann(2.5), *([] if source == "sso" else [of_ann(2.6, "bob")]))
    by, after, *of_others = found.population
    assert (len(by.doors), by.perhaps, after.doors, [bool(one.doors) for one in of_others]) == (
        *(1, "", ()),
        [True] * (source != "sso"),
    )
    (said,) = found.meanwhile(found.answers)[by.use.id]
    assert said.endswith(f", until 2026-09-03 09:00 UTC ({stated(found)}, by user eve of management)")
    assert after.unmet[-1].startswith("after being taken from ")
    assert after.unmet[-1].endswith(f" (2026-09-03 09:00 UTC, {call} by user eve of management)")
    first, *_ = (row for _, row in to_look_at(found.answers, found)[0])
    assert "after being taken from" in first
    assert not any("before" in line for line in at_the_top(found.answers, found)), "the call names who it was"


def stated(found: Comparison) -> str:
    """The call that is said to have taken back something, with what it is of."""
    (one,) = found.taken_back
    return about(one.change, found.answers)


def test_a_membership_that_nothing_names_but_its_id_is_counted_among_what_is_not_known() -> None:
    """https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/API_DeleteGroupMembership.html."""
    asked_for = {"membershipId": "m-9"}
    records = called(HUB, at(1), "DeleteGroupMembership", "eve", requestParameters=asked_for)
    found = compared(center(), records | {"eventSource": "identitystore.amazonaws.com"}, from_states=True)
    assert at_the_top(found.answers, found)[-1].startswith("Not known is whom keys let in before 1 change in the per")


def test_a_policy_of_a_user_concerns_the_entries_by_them_into_what_it_names_and_says_that_the_caller_had_more() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html."""
    mallory, answers = {"userName": "mallory", "policyName": "p"}, into(read(two_keys().graph), STAGE)
    came = entry(arn(HUB, "user/mallory"), DEPLOYER, at(1.5))
    for named, said in ((DEPLOYER, "while the caller had more"), (arn(STAGE, "role/other"), "")):
        given = ("PutUserPolicy", mallory | {"policyDocument": document(grants(named))})
        found = joined(answers, *changes(HUB, given, ("DeleteUserPolicy", mallory)), came)
        whys = [why.partition(" (")[0] for each in found.meanwhile(answers).values() for why in each]
        assert whys == [said] * bool(said)


def test_what_a_role_still_has_it_was_given_before_an_entry_and_not_meanwhile() -> None:
    answers = replace(into(read(two_keys().graph), STAGE), from_states=True)
    found = joined(answers, *changes(STAGE, GIVEN), entry(CI_SESSION, DEPLOYER, at(1.5)))
    (said,) = found.meanwhile(answers).values()
    assert [why.partition(" (")[0] for why in said] == ["after it was given more"]


def test_an_identity_provider_that_was_made_and_deleted_is_given_and_taken_back() -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteSAMLProvider.html (SAMLProviderArn) and
    API_DeleteOpenIDConnectProvider.html (OpenIDConnectProviderArn); what makes one names it.
    """
    saml, oidc = arn(STAGE, "saml-provider/okta"), arn(STAGE, "oidc-provider/id.example/a")
    made = [("CreateSAMLProvider", {"name": "okta"}), ("CreateOpenIDConnectProvider", {"url": "https://id.example/a"})]
    gone = [("DeleteSAMLProvider", {"sAMLProviderArn": saml})]
    gone += [("DeleteOpenIDConnectProvider", {"openIDConnectProviderArn": oidc})]
    found = compared(two_keys(), *changes(STAGE, *made, *gone), from_states=True)
    assert [one.words(found.answers).partition(" in ")[0] for one in found.taken_back] == [
        *("CreateSAMLProvider of okta", "CreateOpenIDConnectProvider of id.example/a")
    ]
    assert not found.not_in_states
    assert len(compared(two_keys(), *changes(STAGE, *made), from_states=True).not_in_states) == len(made)


def test_entries_are_alike_that_were_while_the_same_stood_and_who_had_more_is_before_many_who_had_not() -> None:
    more = [(f"{do}RolePolicy", OURS | {"policyArn": ADMINISTRATOR}) for do in ("Attach", "Detach")]
    mallory = (entry(arn(HUB, "user/mallory"), DEPLOYER, at(days)) for days in (0.5, 1.5, 2.5, 3.5))
    found = compared(two_keys(), *mallory, *changes(STAGE, *more), from_states=True)
    one, many = (said for what, said in to_look_at(found.answers, found)[0] if "without a door" in what)
    assert ("while it had more" in one, ", the last of " in one) == (True, False)
    assert ("while it had more" in many, ", the last of 3 since " in many) == (False, True)


def test_of_an_address_what_succeeded_is_before_what_failed() -> None:
    """https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html."""
    failed = {"responseElements": {"ConsoleLogin": "Failure"}, "errorMessage": "Failed authentication"}
    without = {"additionalEventData": {"MFAUsed": "No"}, "sourceIPAddress": "192.0.2.101"}
    world = two_keys()
    world.add("User", "dora", world.stage, name="dora")
    came = entry(arn(HUB, "user/mallory"), DEPLOYER, at(1))
    signed = [signed_in(STAGE, at(2), **failed | without), signed_in(STAGE, at(3), "dora", **without)]
    found = compared(world, came, *signed)
    said = [row for _, row in to_look_at(found.answers, found)[0]]
    assert ["mallory" in said[0], "user dora" in said[1], "root user" in said[2]] == [True] * 3


def of_ann(days: float, person: str = "ann") -> dict[str, Any]:
    """An entry of a person by the permission set Admin into stage."""
    role = arn(STAGE, f"{RESERVED}AWSReservedSSO_Admin_0123456789abcdef")
    provider = arn(STAGE, "saml-provider/AWSSSO_0123456789abcdef_DO_NOT_DELETE")
    by = {"eventName": SAML, "userIdentity": {**PERSON, "userName": person}}
    return entry(CI_SESSION, role, at(days), **by) | {"requestParameters": {"roleArn": role, "principalArn": provider}}


def joined(answers: Answers, *records: dict[str, Any], world: World | None = None) -> Comparison:
    """What came of the records, held against the answers."""
    found = compared(world or two_keys(), *records)
    came = [one.use for one in found.population]
    stood = (one(answers, found.changes) for one in (taken_back, not_in_states))
    gone, there = (with_entries(each, came, answers) for each in stood)
    return replace(found, taken_back=gone, not_in_states=there)


def test_of_a_person_are_not_calls_about_another_of_identity_center_or_control_policies_of_accounts_of_others() -> None:
    """https://docs.aws.amazon.com/organizations/latest/APIReference/API_AttachPolicy.html (TargetId) and
    https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/API_DeleteUser.html (UserId).
    """
    world = center()
    world.add("User", "olga", world.hub, name="olga", arn=arn(HUB, "user/olga"), uniqueId="AIDAOLGA")
    calls = [
        *(("identitystore", "DeleteUser", {"userId": user}) for user in ("u-1", "u-9")),
        ("identitystore", "DeleteGroupMembership", {"membershipId": "m-9"}),  # of whom, nothing tells
        *(("organizations", "DetachPolicy", {"policyId": "p-1", "targetId": where}) for where in (STAGE, PROD, "ou-1")),
    ]
    records = [
        called(HUB, at(day), name, "eve", eventSource=f"{service}.amazonaws.com", requestParameters=asked)
        for day, (service, name, asked) in enumerate(calls, 1)
    ]
    found = compared(world, *records, target=None)
    of = {
        person: [
            " ".join(one.change.of[1:]).strip() for one in by_person(found, of_person(found.answers, person)).taken_back
        ]
        for person in ("ann", "olga")
    }
    assert {person: sorted(each) for person, each in of.items()} == {
        "ann": ["", f"p-1 {STAGE}", "p-1 ou-1", "u-1"],
        "olga": ["p-1 ou-1"],
    }
