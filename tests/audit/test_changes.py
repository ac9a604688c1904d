"""Calls that change who can enter, as CloudTrail records them."""

import csv
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from click.testing import CliRunner

from tests.access.test_identity_center import SET_ARN, center
from tests.access.test_translation import put
from tests.access.world import CI, DEPLOYER, HUB, MFA, OUTSIDE, PROD, STAGE, arn, document, grants, trusts, two_keys
from tests.audit.cloudtrail import called, entry
from tests.audit.test_comparison import CI_SESSION, DAY, at, compared
from twokeys.access.reading.snapshot import Evidence
from twokeys.answers.model import Answers
from twokeys.answers.reading import read
from twokeys.answers.selection import into, of_person
from twokeys.answers.summary import not_shown, summary
from twokeys.audit.against_states import against_states, not_in_states, taken_back
from twokeys.audit.changes import (
    CALLS,
    MOVES,
    TAKEN_BACK,
    account_of,
    changed,
    changed_of,
    is_change,
    trusted,
    written_by,
)
from twokeys.audit.comparison import Comparison
from twokeys.audit.data import as_data
from twokeys.audit.events import at_the_top, headline
from twokeys.audit.person import by_person
from twokeys.audit.record import SCIM
from twokeys.audit.table import as_csv
from twokeys.audit.to_look_at import to_look_at
from twokeys.audit.who_called import who_began
from twokeys.aws_reference import access_levels
from twokeys.doors import Who
from twokeys.iam import PolicyKind

# The record of CreateUser is AWS's own:
# https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html
CREATE_USER: dict[str, Any] = {
    "eventSource": "iam.amazonaws.com",
    "eventName": "CreateUser",
    "requestParameters": {"userName": "Richard_Roe"},
    "responseElements": {
        "user": {
            "createDate": "Jul 19, 2023 9:25:09 PM",
            "userName": "Richard_Roe",
            "arn": "arn:aws:iam::888888888888:user/Richard_Roe",
            "path": "/",
            "userId": "EXAMPLE6E4XEGITWATV6R",
        }
    },
}
CREATE_ROLE = {"eventSource": "iam.amazonaws.com", "eventName": "CreateRole"}
ADMINISTRATOR, READ, LOOK = (
    f"arn:aws:iam::aws:policy/{name}" for name in ("AdministratorAccess", "ReadOnlyAccess", "SecurityAudit")
)
OWN = arn(HUB, "policy/own")


def told(answers: Answers, found: Comparison) -> Answers:
    """The answers with what the records say of their time."""
    return against_states(answers, replace(found, not_in_states=not_in_states(answers, found.changes)))


@pytest.mark.parametrize(
    ("source", "name", "is_one"),
    [
        *(
            ("iam", name, True)
            for name in ("UpdateAssumeRolePolicy", "PutRolePolicy", "AttachRolePolicy", "CreateRole")
        ),
        *(("iam", name, True) for name in ("DeleteRole", "CreateAccessKey", "CreateLoginProfile", "PutUserPolicy")),
        *(("iam", name, True) for name in ("AttachUserPolicy", "CreateOpenIDConnectProvider", "CreateSAMLProvider")),
        *(("iam", name, True) for name in ("AddUserToGroup", "CreatePolicyVersion", "EnableOrganizationsRootSessions")),
        *(("sso", name, True) for name in ("CreateAccountAssignment", "PutInlinePolicyToPermissionSet")),
        *(("sso", name, False) for name in ("Federate", "Authenticate", "ListInstances")),
        ("identitystore", "CreateGroupMembership", True),
        ("sso-directory", "AddMemberToGroup", True),
        ("organizations", "AttachPolicy", True),
        *(("identitystore-scim", name, True) for name in ("PatchGroup", "CreateUser", "PutUser", "DeleteGroup")),
        ("identitystore-scim", "ListUsers", False),
        *(("iam", name, False) for name in ("ListUsers", "GetRole", "TagRole", "GenerateCredentialReport", "Nothing")),
        ("s3", "PutBucketPolicy", False),
        *(
            ("rolesanywhere", verb + what, True)
            for what in ("TrustAnchor", "Profile")
            for verb in ("Create", "Update", "Enable")
        ),
        *(("rolesanywhere", name, True) for name in ("UpdateCrl", "DisableCrl", "DeleteCrl")),
        *(("rolesanywhere", name, True) for name in ("PutAttributeMapping", "DeleteAttributeMapping")),
        *(("rolesanywhere", name, False) for name in ("DisableTrustAnchor", "DeleteProfile", "ImportCrl", "EnableCrl")),
        *(("eks", name, True) for name in ("CreatePodIdentityAssociation", "UpdatePodIdentityAssociation")),
        ("eks", "CreateCluster", False),
        *(("ssm", name, True) for name in ("CreateActivation", "UpdateManagedInstanceRole")),
    ],
)
def test_a_change_of_keys_is_a_write_call_of_the_services_that_keep_them(source: str, name: str, is_one: bool) -> None:
    """Access levels: https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
    and https://docs.aws.amazon.com/singlesignon/latest/userguide/scim-logging-using-cloudtrail.html.

    Roles handed on: https://docs.aws.amazon.com/rolesanywhere/latest/APIReference/API_Operations.html ("certificates in
    the trust anchor chain are authorized"; a disabled list revokes nothing) and
    https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_UpdateManagedInstanceRole.html.
    """
    assert is_change(f"{source}.amazonaws.com", name) is is_one
    assert not is_change(f"{source}.example.com", name)


@pytest.mark.parametrize("call", CALLS)
def test_the_event_history_is_asked_for_changes_only(call: str) -> None:
    service, name = call.split(":")
    assert is_change(f"{service}.amazonaws.com", name)
    levels = {"Write"} if f"{service}.amazonaws.com" == SCIM else access_levels(call)
    assert any("Write" in one for one in levels), f"AWS gives {call} no access level that changes anything"


_GIVES = {"Detach": ("Attach",), "Delete": ("Put", "Create"), "Remove": ("Add",), "Disable": ("Enable",)}
_GIVES["Deactivate"] = _GIVES["Disable"]
_DOCUMENTS = {"AssumeRolePolicyDocument", "PolicyDocument", "InlinePolicy", "Content"}


def of_call(service: str, name: str) -> tuple[set[str], set[str]]:
    """What a call has to be given by AWS's own model of it, and all that it is given and answers."""
    model = botocore.session.get_session().get_service_model({"sso": "sso-admin"}.get(service, service))
    asked, answered = (getattr(model.operation_model(name), f"{side}_shape") for side in ("input", "output"))
    told = dict(answered.members) if answered else {}
    inner = [key for one in told.values() for key in getattr(one, "members", ())]
    return set(asked.required_members if asked else ()), {*(asked.members if asked else ()), *told, *inner}


@pytest.mark.parametrize("one", [one for one in CALLS if CALLS[one].gives and not one.startswith("sso-directory:")])
def test_a_call_gives_takes_or_writes_what_awss_model_of_it_says(one: str) -> None:
    service, name = one.split(":")
    call, (required, told) = CALLS[one], of_call(service, name)
    giver = CALLS[f"{service}:{call.gives}"]
    assert bool(call.writes) == bool(told & _DOCUMENTS), "it writes the document that it is given, if any"
    is_trust = any("AssumeRolePolicy" in part for part in (name, *told))
    kind = PolicyKind.TRUST if is_trust else PolicyKind.SCP if service == "organizations" else PolicyKind.IDENTITY
    assert call.writes in (None, kind)
    assert call.gives in TAKEN_BACK or giver.writes or name == MOVES, "nothing takes away what it gives"
    assert call.writes or required <= of_call(service, call.gives)[1], f"it is not about what {call.gives} gives"
    if call.takes:
        what = name.replace("From", "To")
        assert call.gives in [what.replace(verb, give) for verb, gives in _GIVES.items() for give in gives]


MADE = {"accessKeyId": "AKIA1", "userName": "zoe", "status": "Active"}


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (CREATE_USER, "userName Richard_Roe"),
        (
            {"requestParameters": {"roleName": "deployer", "policyArn": ADMINISTRATOR}},
            f"roleName deployer, policyArn {ADMINISTRATOR}",
        ),
        (
            {
                "requestParameters": {
                    "roleName": "x",
                    "assumeRolePolicyDocument": document(trusts(arn(OUTSIDE, "root"))),
                }
            },
            f"roleName x; trusts account {OUTSIDE} as a whole",
        ),
        *(
            ({"requestParameters": {"roleName": "x", "policyDocument": document(of)}}, f"roleName x; trusts {whom}")
            for provider, whom in (
                ("saml-provider/okta", "anybody of SAML okta"),
                ("oidc-provider/token.actions.githubusercontent.com", "anybody of GitHub"),
                ("oidc-provider/id.example/a", "anybody of id.example/a"),
            )
            for of in (trusts("x") | {"Principal": {"Federated": arn(STAGE, provider)}},)
        ),
        (
            {"requestParameters": {"roleName": "x", "policyDocument": document(trusts("*"))}},
            "roleName x; trusts everyone",
        ),
        (
            {"requestParameters": {"roleName": "x", "policyDocument": document(trusts("x") | {"Principal": "*"})}},
            "roleName x; trusts everyone",
        ),
        (
            {
                "requestParameters": {
                    "roleName": "x",
                    "policyDocument": document(trusts(CI, condition=MFA), trusts(OUTSIDE)),
                }
            },
            f"roleName x; trusts {CI} if MFA; account {OUTSIDE} as a whole",
        ),
        ({"requestParameters": {"roleName": "x", "policyDocument": '{"Statement": ['}}, "roleName x"),
        ({"requestParameters": {"userName": "zoe", "password": "HIDDEN_DUE_TO_SECURITY_REASONS"}}, "userName zoe"),
        (
            {
                "requestParameters": {
                    "httpBody": {"userName": "HIDDEN_DUE_TO_SECURITY_REASONS"},
                    "tenantId": "t",
                    "id": "g",
                }
            },
            "id g",
        ),
        ({"requestParameters": {"memberId": {"userId": "1"}, "groupId": "2"}}, "userId 1, groupId 2"),
        (
            {"requestParameters": None, "responseElements": {"accessKey": {**MADE, "createDate": "Nov 16, 2026"}}},
            "accessKeyId AKIA1, userName zoe",
        ),
        (
            {"requestParameters": {"userName": "zoe"}, "responseElements": {"accessKey": MADE}},
            "userName zoe, accessKeyId AKIA1",
        ),
        (
            {"errorMessage": "User: x is not authorized to perform: iam:CreateUser on resource: arn:aws:iam::1:user/y"},
            "arn:aws:iam::1:user/y",
        ),
        ({}, ""),
    ],
)
def test_a_change_says_what_it_changes_and_whom_a_new_trust_policy_trusts(record: dict[str, Any], said: str) -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html: the request's parameters."""
    trusts = trusted(written_by({**CREATE_ROLE, **record}))
    assert changed(record) + (f"; trusts {trusts}" if trusts else "") == said


def test_a_trust_policy_names_whom_it_allows_and_not_all_of_many() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_effect.html: Deny lets nobody in."""
    roles = [arn(OUTSIDE, f"role/{name}") for name in "abcd"]
    of = document(trusts(*roles), trusts(arn(OUTSIDE, "role/denied"), effect="Deny"))
    said = trusted(written_by({**CREATE_ROLE, "requestParameters": {"policyDocument": of}}))
    assert said == f"{roles[0]}, {roles[1]} and 2 more, less whom it denies"


@pytest.mark.parametrize(
    ("asked", "account", "of"),
    [
        ({"targetId": "ou-ab12-cd34ef56", "policyId": "p-1"}, None, ("policy", "p-1", "ou-ab12-cd34ef56")),
        ({"targetId": STAGE, "permissionSetArn": "set", "principalId": "ann"}, STAGE, ("set", "set", f"ann {STAGE}")),
        ({"accountId": STAGE}, STAGE, ("", "", "")),
        ({"groupName": "devs", "policyName": "grant"}, None, ("group", "devs", "grant")),
        ({"groupName": "devs", "userName": "ann"}, None, ("user", "ann", "devs")),
        ({"roleName": "deployer", "policyName": "deployer"}, None, ("role", "deployer", "deployer")),
        ({"groupName": "ops", "userName": "ops"}, None, ("user", "ops", "ops")),
    ],
)
def test_a_call_names_the_account_and_whom_it_is_about(
    asked: dict[str, str], account: str | None, of: tuple[str, str, str]
) -> None:
    """A control policy is attached to a root, a unit or an account, and a user is added to a group.

    https://docs.aws.amazon.com/organizations/latest/APIReference/API_AttachPolicy.html (`TargetId`),
    https://docs.aws.amazon.com/organizations/latest/APIReference/API_CloseAccount.html (`AccountId`) and
    https://docs.aws.amazon.com/IAM/latest/APIReference/API_AddUserToGroup.html
    """
    record = {"requestParameters": asked}
    assert (account_of(record), changed_of(record)) == (account, of)


def assignment(account: str) -> dict[str, Any]:
    """https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_CreateAccountAssignment.html."""
    asked = {"targetId": account, "targetType": "AWS_ACCOUNT", "principalType": "USER", "principalId": "9067-ann"}
    return called(
        HUB, at(2), "CreateAccountAssignment", "eve", eventSource="sso.amazonaws.com", requestParameters=asked
    )


@pytest.mark.parametrize(
    ("record", "account"),
    [
        (called(STAGE, at(1), "CreateRole", "eve"), STAGE),
        (called(HUB, at(1), "PutUserPolicy", "eve"), HUB),  # where the grant of a door stands
        (called(PROD, at(1), "CreateRole", "eve"), None),
        (assignment(STAGE), STAGE),
        (assignment(PROD), None),
        (called(PROD, at(1), "AttachManagedPolicyToPermissionSet", "eve", eventSource="sso.amazonaws.com"), PROD),
        (called(STAGE, at(1), "ListUsers", "eve"), None),
    ],
)
def test_changes_are_those_of_the_audited_accounts_of_where_doors_begin_and_of_the_whole_organization(
    record: dict[str, Any], account: str | None
) -> None:
    """An organization's delegated administrator may change permission sets for all accounts.

    https://docs.aws.amazon.com/singlesignon/latest/userguide/delegated-admin.html
    """
    world = two_keys()
    found = compared(world, entry(CI_SESSION, DEPLOYER, at(0)), record, {**record, "requestID": "again"})
    assert [one.use.account for one in found.changes] == ([account] if account else [])
    assert (", 1 change of keys, " in headline(read(world.graph), found)) is (account is not None)


LIVE = Evidence("live AWS", caller=arn(HUB, "role/auditor"))


@pytest.mark.parametrize(
    ("read_at", "evidence", "before", "after"),
    [
        (timedelta(days=-3), Evidence("hub.json"), True, False),
        (timedelta(hours=-3), Evidence("hub.json"), False, False),
        (timedelta(days=9), Evidence("hub.json"), False, True),
        (timedelta(days=9), LIVE, False, True),
        (timedelta(hours=9), LIVE, False, False),
    ],
)
def test_what_lies_between_the_records_and_what_was_read_is_not_shown(
    read_at: timedelta, evidence: Evidence, before: bool, after: bool
) -> None:
    """What stood in the period may have been taken away by the time of what was read, be it states or live IAM."""
    world = two_keys()
    found = compared(world, *(called(HUB, at(hour), "CreateUser", "eve") for hour in (1, 2)))
    assert found.start is not None
    assert found.end is not None
    moment = found.start + read_at
    said = replace(evidence, time=moment.isoformat())
    now = told(replace(read(world.graph), from_states=evidence is not LIVE, evidence=(said,)), found)
    first, last, then = (f"{one:%Y-%m-%d %H:%M} UTC" for one in (found.start, found.end, moment))
    assert (f"changes of keys between {then} and {first}" in str(not_shown(now))) is before
    gone = f"what the period had and was taken away between {last} and {then}"
    assert (gone in str(not_shown(now)), summary(now, DAY).may_be_more) == (after, before or after)


def test_each_next_step_of_what_is_not_shown_is_said_once_and_of_a_past_day_none_that_nobody_can_take() -> None:
    changed, between = {"CreateAccessKey of ann": "ann"}, "a day and another"
    now = replace(read(two_keys().graph), from_states=True, changed_since=changed, not_recorded=between)
    *_, steps = str(not_shown(now)).partition("Next step: ")
    then = "let a stack make what no stack made; give the logs of that time too; or ask live IAM (`--live`)"
    assert steps == f"ask who called; if nobody stands for it, make the user's keys inactive first; {then}"
    *_, steps = str(not_shown(replace(now, changed_since={"PutRolePolicy of x": ""}))).partition("Next step: ")
    assert steps == f"give newer states (`pulumi refresh`); {then}"
    *_, steps = str(not_shown(replace(now, not_recorded_after="a day and the next"))).partition("Next step: ")
    assert "newer" not in steps, "they are of after the period"
    assert "may be missing here, or stronger than said. Next step: " in str(not_shown(now)), "a policy gives more"
    *_, steps = str(not_shown(replace(now, past=True))).partition("Next step: ")
    key = "ask who called; if nobody stands for it, make the user's keys inactive first"
    assert steps == f"{key}; give the logs of that time too", "a key of then may work still"
    *_, steps = str(not_shown(replace(now, past=True, changed_since={"PutRolePolicy of x": ""}))).partition("step: ")
    assert steps == "look at the changes themselves; give the logs of that time too"


def test_of_one_person_a_change_of_another_user_is_not_what_is_not_shown() -> None:
    """Nor is a trust policy that lets in another account; what is recorded without a name may be anybody's."""
    world = two_keys()
    for name in ("ann", "bob"):
        world.add("User", name, world.hub, name=name)
    calls = [
        called(HUB, at(hour), "AttachUserPolicy", "eve", requestParameters={"userName": name, "policyArn": READ})
        for hour, name in ((1, "ann"), (2, "bob"))
    ]
    trust = {"roleName": "new", "policyDocument": OF_ONE}
    found = compared(world, *calls, called(STAGE, at(3), "UpdateAssumeRolePolicy", "eve", requestParameters=trust))
    answers = replace(read(world.graph), from_states=True)
    found = replace(found, not_in_states=not_in_states(answers, found.changes))
    assert len(against_states(answers, found).changed_since) == 3
    own = of_person(answers, "ann", {Who("user", HUB, "ann")})
    told = against_states(own, by_person(found, own))
    assert "changes of keys that the states do not have and that may concern ann (" in str(not_shown(told))
    said = "; ".join(told.changed_since)
    assert ("of ann (ReadOnlyAccess) in" in said, "of new in" in said, "of bob (" in said) == (True, False, False)


def test_who_administers_identity_center_from_a_member_account_that_nothing_shows_is_not_shown() -> None:
    """https://docs.aws.amazon.com/singlesignon/latest/userguide/delegated-admin.html"""
    answers = read(two_keys().graph)
    assert "administers IAM Identity Center" not in str(not_shown(answers))
    said = "who administers IAM Identity Center from 999988887777, and can assign anybody but in the"
    assert said in str(not_shown(replace(answers, assigners=frozenset({"999988887777"}))))


@pytest.mark.parametrize(
    ("source", "name", "later"),
    [
        *(("iam", name, True) for name in ("CreateAccessKey", "PutRolePermissionsBoundary", "DetachRolePolicy")),
        ("sso", "AttachCustomerManagedPolicyReferenceToPermissionSet", True),
        ("sso", "DeleteInlinePolicyFromPermissionSet", True),
        *(("iam", name, True) for name in ("EnableOrganizationsRootCredentialsManagement", "SendDelegationToken")),
        ("sso", "ProvisionPermissionSet", False),
        *(("sso-directory", name, True) for name in ("AddMemberToGroup", "ImportExternalIdPCertificate")),
        *(("organizations", name, True) for name in ("RegisterDelegatedAdministrator", "AcceptHandshake")),
        *(
            ("organizations", name, True)
            for name in ("DetachPolicy", "UpdatePolicy", "DisablePolicyType", "MoveAccount")
        ),
        *(("iam", name, False) for name in ("DeleteRole", "DeleteAccessKey", "ChangePassword", "EnableMFADevice")),
        ("sso", "DeleteAccountAssignment", False),
    ],
)
def test_what_may_let_more_in_after_the_state_was_written_is_not_shown(source: str, name: str, later: bool) -> None:
    """A boundary or a policy that goes may take a Deny with it, and a control policy limits whole accounts.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-enable-root-access.html
    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies-temporary-delegation.html
    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_integrate_delegated_admin.html
    """
    world = two_keys()
    found = compared(world, called(HUB, at(2), name, "eve", eventSource=f"{source}.amazonaws.com"))
    answers = replace(read(world.graph), from_states=True, written={(HUB, "", ""): DAY})
    assert [one.use.event for one in found.changes] == [name]
    assert bool(told(answers, found).changed_since) is later


@pytest.mark.parametrize(
    ("condition", "caller", "later"), [(None, "eve", False), (MFA, "eve", True), (MFA, "ann", False)]
)
def test_a_new_mfa_device_of_another_user_may_let_more_in_where_a_way_asks_for_mfa_and_no_state_shows_it(
    condition: dict[str, Any] | None, caller: str, *, later: bool
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_EnableMFADevice.html and API_DeactivateMFADevice.html."""
    device = {"userName": "ann", "serialNumber": arn(HUB, "mfa/new")}
    enabled, gone = (
        called(HUB, at(hour), f"{what}MFADevice", caller, requestParameters=device)
        for hour, what in ((2, "Enable"), (3, "Deactivate"))
    )
    for records in ([enabled], [enabled, gone]):
        world = two_keys()
        world.role("other", world.stage, document(trusts(CI, condition=condition)))
        world.grant("ci", world.hub, arn(STAGE, "role/other"))
        found = compared(world, *records)
        assert len(found.changes) == len(records), "it is said anyway"
        written = {(HUB, "", ""): DAY + timedelta(days=9), (HUB, "user", "ann"): DAY}
        answers = replace(read(world.graph), from_states=True, written=written)
        assert bool(told(answers, found).changed_since) is (later and len(records) == 1)
        assert [one.change.use.event for one in taken_back(answers, found.changes)] == ["EnableMFADevice"] * (
            later and len(records) == 2
        )


GRANT, OTHER = document(grants(DEPLOYER)), document(grants(arn(STAGE, "role/other")))
OF_CI, OF_ANN = {"roleName": "ci"}, {"userName": "ann"}
OF_DEPLOYER, OWN_ROLE = {"roleName": "deployer"}, arn(HUB, "role/own")
OF_ONE, OF_THREE, WITHOUT_MFA = (document(trusts(*who)) for who in ([OUTSIDE], [CI, OUTSIDE, PROD], [OWN_ROLE]))
OF_SET = {"permissionSetArn": SET_ARN}
OF_CONTROL, ATTACHED = {"policyId": "p-1"}, "policyAttachment:PolicyAttachment"
AWAY, BACK = (
    {"accountId": STAGE, "sourceParentId": source, "destinationParentId": destination}
    for source, destination in (("ou-1", "r-1"), ("r-1", "ou-1"))
)
ASSIGNED = OF_SET | {"principalId": "g-1", "targetId": STAGE}
MEMBER = {"groupId": "g-1", "memberId": {"userId": "u-2"}}
OF_CONSOLE = {"groupId": "g-1", "member": {"memberId": "u-2"}}
"""As the console asks, by a call that no page of AWS describes."""
"""What deletes it names its id alone, which AWS answered to its creation.

https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/API_DeleteGroupMembership.html
"""


SERVICES = ("iam", "sso", "identitystore", "sso-directory", "organizations", "identitystore-scim")


@pytest.mark.parametrize(
    ("made_by_hand", "later"),
    [
        ([("AttachRolePolicy", OF_CI | {"policyArn": ADMINISTRATOR})], True),
        ([(f"{do}RolePolicy", OF_CI | {"policyArn": ADMINISTRATOR}) for do in ("Attach", "Detach")], False),
        ([("AttachRolePolicy", {"roleName": role, "policyArn": READ}) for role in ("ci", "deployer")], False),
        ([("AttachRolePolicy", {"roleName": "both", "policyArn": LOOK})], False),
        ([("DetachRolePolicy", OF_CI | {"policyArn": READ})], False),  # nobody enters it
        ([("DetachRolePolicy", {"roleName": "deployer", "policyArn": READ})], False),  # which denies nothing
        ([(f"{do}RolePolicy", OF_CI | {"policyArn": READ}) for do in ("Detach", "Attach")], False),
        ([("AttachUserPolicy", OF_ANN | {"policyArn": LOOK})], False),
        ([("PutRolePolicy", OF_CI | {"policyName": "grant", "policyDocument": GRANT})], False),
        ([("PutRolePolicy", OF_CI | {"policyName": "grant", "policyDocument": OTHER})], True),
        ([("PutRolePolicy", OF_CI | {"policyName": "more", "policyDocument": GRANT})], True),
        ([("PutRolePolicy", {"roleName": "both", "policyName": "own", "policyDocument": GRANT})], False),
        ([("UpdateAssumeRolePolicy", OF_DEPLOYER | {"policyDocument": OF_ONE})], False),  # of those it lets in
        ([("UpdateAssumeRolePolicy", OF_DEPLOYER | {"policyDocument": OF_THREE})], True),
        ([("UpdateAssumeRolePolicy", OF_DEPLOYER | {"policyDocument": WITHOUT_MFA})], True),
        ([("AddUserToGroup", OF_ANN | {"groupName": "devs"})], False),
        ([("AddUserToGroup", OF_ANN | {"groupName": "admins"})], True),
        ([("CreateAccountAssignment", ASSIGNED)], False),
        ([("CreateAccountAssignment", ASSIGNED | {"principalId": "u-1"})], True),
        ([(f"{do}AccountAssignment", ASSIGNED | {"principalId": "u-1"}) for do in ("Create", "Delete")], False),
        ([("AttachManagedPolicyToPermissionSet", OF_SET | {"managedPolicyArn": READ})], False),
        ([("AttachManagedPolicyToPermissionSet", OF_SET | {"managedPolicyArn": LOOK})], False),
        ([("AttachManagedPolicyToPermissionSet", OF_SET | {"managedPolicyArn": ADMINISTRATOR})], True),
        ([("DetachManagedPolicyFromPermissionSet", OF_SET | {"managedPolicyArn": READ})], False),
        ([("PutInlinePolicyToPermissionSet", OF_SET | {"inlinePolicy": GRANT})], True),
        ([(f"{do}PermissionSet", OF_SET) for do in ("PutInlinePolicyTo", "DeleteInlinePolicyFrom")], False),
        ([("CreatePolicyVersion", {"policyArn": OWN, "policyDocument": GRANT, "setAsDefault": True})], False),
        ([("CreatePolicyVersion", {"policyArn": OWN, "policyDocument": OTHER, "setAsDefault": True})], True),
        ([("CreatePolicyVersion", {"policyArn": OWN, "policyDocument": OTHER, "setAsDefault": False})], False),
        ([("CreatePolicyVersion", {"policyArn": OWN, "policyDocument": OTHER})], False),  # AWS's default is false
        ([("SetDefaultPolicyVersion", {"policyArn": OWN, "versionId": "v2"})], True),
        ([("CreateAccessKey", OF_ANN)], True),
        ([("CreateLoginProfile", OF_ANN)], True),
        ([("UpdateAccessKey", OF_ANN | {"accessKeyId": "AKIA1", "status": "Active"})], True),
        ([("UpdateAccessKey", OF_ANN | {"accessKeyId": "AKIA1", "status": "Inactive"})], False),
        ([("CreateAccessKey", {"userName": "zoe", "accessKeyId": "AKIA1"})], False),
        ([("CreateAccessKey", {"userName": "zoe", "accessKeyId": "AKIA2"})], True),  # a user may have two
        ([("CreateLoginProfile", {"userName": "zoe"})], True),
        ([("DeleteRolePermissionsBoundary", {"roleName": "both"})], True),
        ([("DeleteRolePermissionsBoundary", OF_CI)], False),
        ([("PutRolePermissionsBoundary", {"roleName": "both", "permissionsBoundary": LOOK})], False),
        ([("PutRolePermissionsBoundary", {"roleName": "both", "permissionsBoundary": READ})], True),
        ([("PutRolePermissionsBoundary", OF_CI | {"permissionsBoundary": READ})], False),  # limits only
        ([("RemoveUserFromGroup", OF_ANN | {"groupName": "devs"})], True),
        ([("RemoveUserFromGroup", OF_ANN | {"groupName": "admins"})], False),
        ([("AttachUserPolicy", {"userName": "ci", "policyArn": READ})], True),  # not the role of that name
        ([("DetachPolicy", OF_CONTROL | {"targetId": "ou-1"})], True),
        ([("DetachPolicy", OF_CONTROL | {"targetId": "ou-2"})], False),
        ([(f"{do}Policy", OF_CONTROL | {"targetId": "ou-1"}) for do in ("Detach", "Attach")], False),
        ([("UpdatePolicy", OF_CONTROL | {"content": OTHER})], True),
        ([("UpdatePolicy", OF_CONTROL | {"content": GRANT})], False),
        ([("UpdatePolicy", OF_CONTROL | {"name": "other"})], False),
        ([("CreateGroupMembership", {"groupId": "g-1", "memberId": {"userId": "u-1"}})], False),
        ([("CreateGroupMembership", MEMBER)], True),
        ([("CreateGroupMembership", MEMBER), ("DeleteGroupMembership", {"membershipId": "m-2"})], False),
        ([("CreateGroupMembership", MEMBER), ("RemoveMemberFromGroup", {"groupId": "g-1", "memberId": "u-2"})], False),
        ([("DeleteGroupMembership", {"membershipId": "m-2"}), ("CreateGroupMembership", MEMBER)], True),
        ([("AddMemberToGroup", OF_CONSOLE)], True),
        ([(f"{do}Group", OF_CONSOLE) for do in ("AddMemberTo", "RemoveMemberFrom")], False),
        ([("PatchGroup", {"id": "g-1"})], True),
        ([("MoveAccount", AWAY)], True),
        ([("MoveAccount", AWAY), ("MoveAccount", BACK)], False),
        ([("MoveAccount", AWAY), ("MoveAccount", BACK), ("MoveAccount", AWAY)], True),
        ([("CreateOpenIDConnectProvider", {"url": "https://known.example"})], False),
        ([("CreateOpenIDConnectProvider", {"url": "https://other.example"})], True),
    ],
)
def test_what_was_made_by_hand_is_not_in_a_state_however_new_it_is(
    made_by_hand: list[tuple[str, dict[str, Any]]], later: bool
) -> None:
    """https://www.pulumi.com/docs/iac/cli/commands/pulumi_up/: an update reads what AWS has with `--refresh` only."""
    world = center()
    world.role("ci", world.hub, managedPolicyArns=[READ])
    world.role("deployer", world.hub, document(trusts(CI, OUTSIDE), trusts(OWN_ROLE, condition=MFA)))
    world.role("both", world.hub, inlinePolicies=[{"name": "own", "policy": GRANT}], permissionsBoundary=LOOK)
    world.grant("ci", world.hub, DEPLOYER)
    world.add("RolePolicyAttachmentsExclusive", "of-deployer", world.hub, roleName="deployer", policyArns=[READ])
    world.add("PolicyAttachment", "many", world.hub, policyArn=LOOK, roles=["both"], users=["ann"])
    for kind, policies in (("", {"managedPolicyArn": READ}), ("sExclusive", {"managedPolicyArns": [LOOK]})):
        token = f"aws:ssoadmin/managedPolicyAttachment{kind}:ManagedPolicyAttachment{kind}"
        put(world, token, kind, world.hub, permissionSetArn=SET_ARN, **policies)
    world.add("User", "ann", world.hub, name="ann")
    world.add("UserGroupMembership", "ann", world.hub, user="ann", groups=["devs"])
    world.add("Policy", "own", world.hub, name="own", arn=OWN, policy=GRANT)
    world.add("User", "zoe", world.hub, name="zoe")
    world.add("AccessKey", "zoe", world.hub, user="zoe", id="AKIA1")
    put(world, "aws:iam/openIdConnectProvider:OpenIdConnectProvider", "known", world.hub, url="https://known.example")
    for kind, of_it in (
        ("policy:Policy", {"id": "p-1", "content": GRANT}),
        (ATTACHED, OF_CONTROL | {"targetId": "ou-1"}),
    ):
        put(world, f"aws:organizations/{kind}", kind, world.hub, **of_it)
    calls = [
        called(
            HUB,
            at(number + 1),
            name,
            "eve",
            eventSource=next(one for each in SERVICES if is_change(one := f"{each}.amazonaws.com", name)),
            requestParameters=asked,
            responseElements={"membershipId": "m-2"} if name == "CreateGroupMembership" else None,
        )
        for number, (name, asked) in enumerate(made_by_hand)
    ]
    found = compared(world, *calls)
    shown = read(world.graph)
    of = [("", ""), ("user", "ann"), ("set", SET_ARN), *(("role", name) for name in ("ci", "deployer", "both"))]
    written = {(HUB, *one): DAY + timedelta(days=9) for one in of}
    said = told(replace(shown, from_states=True, written=written), found).changed_since
    assert [one.partition(" ")[0] for one in said] == [made_by_hand[-1][0]] * later
    assert all(" by user eve of " in one for one in said)


@pytest.mark.parametrize(
    ("name", "asked", "later"),
    [
        ("UpdateAssumeRolePolicy", {"roleName": "nightly"}, False),
        ("CreateAccessKey", {"userName": "nightly"}, False),
        ("UpdateAssumeRolePolicy", {"roleName": "ci"}, True),
        ("UpdateAssumeRolePolicy", {"roleName": "new"}, True),  # which no state shows
        ("CreateAccessKey", {}, True),  # of whoever calls
        ("AttachRolePolicy", {"roleName": "nightly", "policyArn": ADMINISTRATOR}, True),  # which may be a grant
    ],
)
def test_who_may_be_somebody_of_another_account_matters_only_if_an_answer_is_about_it(
    name: str, asked: dict[str, str], later: bool
) -> None:
    world = two_keys()
    found = compared(world, called(HUB, at(2), name, "eve", requestParameters=asked))
    ours = [(HUB, kind, name) for kind in ("role", "user") for name in ("ci", "nightly")]
    written = dict.fromkeys([*ours, (HUB, "", "")], DAY)
    answers = replace(into(read(world.graph), STAGE), from_states=True, written=written)
    own_way = replace(answers, ways=tuple(way for way in answers.ways if not way.by_access_role))
    assert bool(told(own_way, found).changed_since) is later
    whole = replace(read(world.graph), from_states=True, written=written)
    assert told(whole, found).changed_since, "the account is asked for"
    assert told(answers, found).changed_since, "the access role lets in whoever of the account holds a grant"


def test_text_and_page_say_what_is_alike_once_and_table_and_json_have_each_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.audit.test_commands import PROD, STATES
    from twokeys.audit.commands import audit

    of_ours, of_another = (
        {"requestParameters": {"roleName": "x", "assumeRolePolicyDocument": document(trusts(arn(account, "root")))}}
        for account in (HUB, OUTSIDE)
    )
    asked = {"roleName": "deployer", "policyArn": ADMINISTRATOR}
    calls = [
        called(PROD, "2026-09-02T10:00:00Z", "AttachRolePolicy", "eve", requestParameters=asked),
        called(PROD, "2026-09-03T10:00:00Z", "CreateUser", "eve", errorCode="AccessDenied"),
        *(called(PROD, f"2026-09-04T10:00:{number}Z", "CreateRole", "zoe", **of_ours) for number in range(10, 25)),
        called(PROD, "2026-09-04T10:00:15Z", "CreateRole", "zoe", requestID="other", eventID="other", **of_another),
    ]
    monkeypatch.chdir(tmp_path)
    Path("log.json").write_text(json.dumps({"Records": calls}))
    states = [word for state in sorted(STATES.glob("*.json")) for word in ("--state", str(state))]
    words = ["prod", *states, "--events", "log.json", "--csv", "a.csv", "--html", "a.html"]
    text, events = (
        CliRunner().invoke(audit, [*words, *more], standalone_mode=False).output for more in ([], ["--json"])
    )
    first = f"2026-09-02 10:00:00 UTC user eve of prod ({PROD}) -> AttachRolePolicy of prod ({PROD}) from 192.0.2.0"
    assert f"\nunusual, changed: {first} in us-east-1 (" in text
    of_nobody = "calls with an access key of a user that nothing read shows, 1 time"
    assert f"): other {of_nobody}; roleName deployer, policyArn {ADMINISTRATOR}\n" in text
    assert f"): CreateUser {of_nobody}; failed: AccessDenied\n" in text
    assert [text.count(f"-> {call} of prod (") for call in ("AttachRolePolicy", "CreateUser")] == [1, 1], "each once"
    (often,) = (line for line in text.splitlines() if "-> CreateRole of prod (" in line)
    assert often.startswith("unusual, changed (9): "), "but for those that were open"
    of_ours = f"roleName x; trusts account {HUB} as a whole"
    assert f"), the last of 9 since 2026-09-04 10:00 UTC: {of_ours}; other {of_nobody[:-6]}16 times" in often
    assert f"\nwas open: account {OUTSIDE} as a whole -> role x of prod: " in text, "and not once more as a change"
    rows = [row for row in csv.DictReader(Path("a.csv").read_text().splitlines()) if row["what"] == "change of keys"]
    asked_for = f"roleName deployer, policyArn {ADMINISTRATOR}"
    assert [(row["into role"], row["policies"]) for row in rows[:2]] == [("deployer", "AdministratorAccess"), ("", "")]
    assert [(row["who"], row["account"], row["call"], row["why"]) for row in rows[:2]] == [
        (
            "user eve",
            PROD,
            "AttachRolePolicy",
            f"AttachRolePolicy of deployer (AdministratorAccess) in prod: {asked_for}",
        ),
        ("user eve", PROD, "CreateUser", "CreateUser in prod: failed: AccessDenied"),
    ]
    listed = json.loads(events.partition("\nWrote")[0])["events"]["changes"]
    assert [(one["event"], one["caller"]["name"], one["changed"], one["failed"]) for one in listed[:2]] == [
        ("AttachRolePolicy", "eve", f"roleName deployer, policyArn {ADMINISTRATOR}", None),
        ("CreateUser", "eve", "", "AccessDenied"),
    ]
    page = Path("a.html").read_text().replace("<wbr>", "")
    events_shown = page.partition('id="events"')[2]
    assert (len(rows), len(listed), events_shown.count("-&gt; CreateRole of prod")) == (len(calls), len(calls), 1)


def by(service: str) -> str:
    return document({"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"})


BY_SERVICE = by("lambda.amazonaws.com")
LOGS = document({"Effect": "Allow", "Action": ["logs:PutLogEvents", "s3:GetObject"], "Resource": "*"})
LAMBDA = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
OF_NEW, KEY = {"roleName": "new"}, {"userName": "eve", "accessKeyId": "AKIA1"}
BY_SERVICE_ROLE = {
    "type": "AssumedRole",
    "accountId": HUB,
    "sessionContext": {
        "sessionIssuer": {
            "type": "Role",
            "accountId": HUB,
            "arn": arn(HUB, "role/aws-service-role/sso.amazonaws.com/AWSServiceRoleForSSO"),
        }
    },
}
TRUST_IN_ALL = document(trusts("*"))
OF_EVE = {"userName": "eve"}


@pytest.mark.parametrize(
    ("calls", "later"),
    [
        ([("CreateAccessKey", OF_EVE)], True),
        ([("CreateLoginProfile", OF_EVE)], True),
        ([("AttachUserPolicy", OF_EVE | {"policyArn": ADMINISTRATOR})], True),
        ([("CreateAccessKey", OF_EVE), ("DeleteUser", OF_EVE)], False),
        ([("CreateAccessKey", OF_EVE), ("DeleteUser", OF_EVE), ("CreateLoginProfile", OF_EVE)], True),
        ([("CreateRole", {"roleName": "new", "assumeRolePolicyDocument": TRUST_IN_ALL})], True),
        ([("CreateRole", {"roleName": "new", "assumeRolePolicyDocument": BY_SERVICE})], False),
        ([("AttachRolePolicy", {"roleName": "new", "policyArn": ADMINISTRATOR})], True),  # it may be a grant
        ([("AttachRolePolicy", {"roleName": "new", "policyArn": READ})], False),
        ([("CreateRole", {"roleName": "new", "assumeRolePolicyDocument": "cut"})], True),
        *(
            ([("CreateRole", OF_NEW | {"assumeRolePolicyDocument": by(service)})], True)
            for service in ("rolesanywhere.amazonaws.com", "pods.eks.amazonaws.com", "*")
        ),
        (
            [
                ("CreateRole", OF_NEW | {"assumeRolePolicyDocument": BY_SERVICE}),
                ("AttachRolePolicy", OF_NEW | {"policyArn": LAMBDA}),
                ("PutRolePolicy", OF_NEW | {"policyName": "logs", "policyDocument": LOGS}),
            ],
            False,
        ),
        ([("PutRolePolicy", OF_NEW | {"policyName": "enters", "policyDocument": GRANT})], True),
        *(
            ([("CreatePolicy", {"policyDocument": says}), ("AttachRolePolicy", OF_NEW | {"policyArn": OWN})], later)
            for says, later in ((LOGS, False), (GRANT, True))
        ),
        ([("CreateAccessKey", KEY), ("DeleteAccessKey", KEY)], False),
        ([("CreateAccessKey", KEY), ("DeleteAccessKey", KEY | {"accessKeyId": "AKIA2"})], True),
        ([("CreateAccessKey", KEY), ("UpdateAccessKey", KEY | {"status": "Inactive"})], False),
        ([(f"{do}UserPolicy", OF_EVE | {"policyArn": ADMINISTRATOR}) for do in ("Attach", "Detach")], False),
        (
            [("UpdateAssumeRolePolicy", OF_NEW | {"policyDocument": trust}) for trust in (TRUST_IN_ALL, BY_SERVICE)],
            False,
        ),
        (
            [("UpdateAssumeRolePolicy", OF_NEW | {"policyDocument": trust}) for trust in (BY_SERVICE, TRUST_IN_ALL)],
            True,
        ),
    ],
)
def test_somebody_whom_no_stack_made_is_in_no_state_however_new_it_is(
    calls: list[tuple[str, dict[str, Any]]], later: bool
) -> None:
    """A role for services only is no way in, unless it gets a grant of its own, and what is undone counts no more.

    It is so with an older state, too: it tells of nothing that was made after it.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-services
    """
    records = [
        called(HUB, at(number), name, "zoe", requestParameters=asked, responseElements={"policy": {"arn": OWN}})
        for number, (name, asked) in enumerate(calls, 1)
    ]
    world = two_keys()
    for days in (9, 0):
        answers = replace(read(world.graph), from_states=True, written={(HUB, "", ""): DAY + timedelta(days=days)})
        assert bool(told(answers, compared(world, *records)).changed_since) is later
    by_service = [{**one, "userIdentity": BY_SERVICE_ROLE} for one in records]
    assert not told(answers, compared(world, *by_service)).changed_since, "its assignment answers"


@pytest.mark.parametrize(
    ("record", "whose"),
    [
        ({"responseElements": {"accessKey": {"userName": "ann", "accessKeyId": "AKIA1"}}}, "AKIA1"),
        ({"userIdentity": {"userName": "ann"}}, ""),
    ],
)
def test_an_access_key_that_somebody_makes_for_itself_is_of_whom_the_answer_or_the_caller_names(
    record: dict[str, Any], whose: str
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccessKey.html: UserName is not required."""
    assert changed_of({"eventName": "CreateAccessKey", "requestParameters": None, **record}) == ("user", "ann", whose)


def test_a_user_of_identity_center_who_is_deleted_is_named() -> None:
    """https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/API_DeleteUser.html: `UserId`."""
    deleted = {"eventSource": "identitystore.amazonaws.com", "requestParameters": {"userId": "u-1"}}
    found = compared(center(), called(HUB, at(1), "DeleteUser", **deleted))
    (one,) = found.taken_back
    assert one.words(found.answers).startswith("DeleteUser of Identity Center user ann in management from before the")
    (top,) = [one for one in at_the_top(found.answers, found) if one.startswith("Not known")]
    assert top.endswith("give the states of the period's beginning as well, with the same `--events`")


def test_an_identity_provider_that_changes_a_group_is_named_as_what_it_calls() -> None:
    """https://docs.aws.amazon.com/singlesignon/latest/userguide/scim-logging-using-cloudtrail.html."""
    of = {"eventSource": SCIM, "userIdentity": {"type": "WebIdentityUser", "accountId": HUB, "accessKeyId": "xxxx"}}
    (change,) = compared(two_keys(), called(HUB, at(1), "PatchGroup", requestParameters={"id": "g-1"}, **of)).changes
    assert (change.use.caller.who.name, change.of) == (SCIM, ("identity-center-group", "g-1", ""))


def test_the_time_of_a_state_tells_of_calls_by_who_ran_its_update_only() -> None:
    """An organization's own settings are in no document that could be held against a call."""
    world = two_keys()
    moved = {"accountId": STAGE, "destinationParentId": "ou-1"}
    of = {"eventSource": "organizations.amazonaws.com", "requestParameters": moved}
    found = compared(world, called(HUB, at(1), "MoveAccount", "eve", **of))
    for days, ran, later in ((9, "user/eve", False), (9, "user/zoe", True), (0, "user/eve", True)):
        answers = replace(
            read(world.graph),
            from_states=True,
            written={(HUB, "", ""): DAY + timedelta(days=days)},
            updated_by=(arn(HUB, ran),),
        )
        assert bool(told(answers, found).changed_since) is later


def test_a_change_in_a_session_says_who_began_the_first_of_the_sessions_that_lead_to_it() -> None:
    """`accessKeyId` of a call is that of the credentials which AssumeRole gave its session.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html
    """
    session = called(STAGE, at(3), "CreateUser", "x")
    session["userIdentity"] |= {"type": "AssumedRole", "arn": f"arn:aws:sts::{STAGE}:assumed-role/deployer/s1"}
    session["userIdentity"] |= {"principalId": "AROADEPLOYER:s1", "accessKeyId": "ASIA2"}
    keys = ({"responseElements": {"credentials": {"accessKeyId": f"ASIA{number}"}}} for number in (1, 2))
    unnamed = {"type": "AWSAccount", "principalId": "AIDAEVE", "accountId": OUTSIDE}
    role, given, last = arn(HUB, "role/ci"), *keys
    first = entry(arn(HUB, "user/ann"), role, at(1), **given)
    then = entry(CI_SESSION, DEPLOYER, at(2), **last)
    then["userIdentity"]["accessKeyId"] = "ASIA1"
    alone = entry(arn(OUTSIDE, "user/eve"), DEPLOYER, at(2), **last, recipientAccountId=STAGE)
    answers = read(two_keys().graph)
    for records, who in (
        ([first, then], "user ann of management"),
        ([then], f"role ci of management as {CI_SESSION.rpartition('/')[2]}"),
        ([alone | {"userIdentity": unnamed}], f"somebody of account {OUTSIDE} (AIDAEVE)"),
        ([], ""),
    ):
        found = compared(two_keys(), *records, session)
        said = f"role deployer of {STAGE} as s1{f', begun by {who}' if who else ''}"
        (row,) = [
            row for row in csv.DictReader(as_csv(answers, None, found, DAY).splitlines()) if row["call"] == "CreateUser"
        ]
        assert row["begun by"] == who
        assert who_began(found.changes[0].use, answers) == (who or said)
        assert as_data(answers, found)["changes"][0]["begunBy"] == (who or None)
        assert [
            one for _, one in to_look_at(answers, found)[1] if f"as s1{said.partition('as s1')[2]} -> CreateUser" in one
        ]
