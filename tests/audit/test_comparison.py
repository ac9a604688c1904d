"""Doors against what CloudTrail saw. docs/audit-events-words.md defines what is unusual; each test is one sentence."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tests.access.test_identity_center import attach, center, put
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
    replaced,
    trusts,
    two_keys,
)
from tests.audit.cloudtrail import BY_A_SERVICE, called, denied, entry, read_event, signed_in
from twokeys.access.reading.since import NOT_KNOWN, Since
from twokeys.access.reading.snapshot import Evidence
from twokeys.answers.model import NotProved
from twokeys.answers.permissions import Level
from twokeys.answers.reading import read
from twokeys.answers.selection import into
from twokeys.audit.comparison import Comparison, compare
from twokeys.audit.coverage import Coverage, Period
from twokeys.audit.entries import DoorUse, Usage
from twokeys.audit.events import entered, headline
from twokeys.audit.logs import Source
from twokeys.audit.strengths import strength
from twokeys.audit.to_look_at import to_look_at
from twokeys.audit.trail import Trail
from twokeys.audit.words import door_use, sign_ins, used, uses
from twokeys.doors import Who

CI_SESSION = f"arn:aws:sts::{HUB}:assumed-role/ci/run-1"
DAY, LONG_AGO = datetime(2026, 9, 1, 9, 0, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)

OF_OLD, CHANGED = Since(LONG_AGO, LONG_AGO), DAY + timedelta(days=5)


def at(days: float, hours: float = 0) -> str:
    return (DAY + timedelta(days=days, hours=hours)).isoformat().replace("+00:00", "Z")


def of_old(world: World, made: Since = OF_OLD) -> World:
    """A stack that nobody has changed for long, or of which is known what `made` says, where nothing else is."""
    for one in [one for one in world.resources if one.since == NOT_KNOWN]:
        world.change(one, since=made)
    return world


def compared(
    world: World,
    *records: dict[str, Any],
    learning_days: int = 0,
    target: str | None = STAGE,
    covered: tuple[str, ...] = (HUB, STAGE),
    made: Since = OF_OLD,
    from_states: bool = False,
    start: datetime | None = None,
) -> Comparison:
    of_old(world, made)
    trail = Trail(start=DAY, coverage=Coverage(("us-east-1",)))
    for record in records:
        trail.add(record, delivered=True)
    for account in covered:
        trail.coverage.asked(account, "us-east-1", DAY, trail.end or DAY)
    answers = replace(into(read(world.graph), target), from_states=from_states)
    return compare(answers, trail, start, learning_days=learning_days)


def usage(found: Comparison) -> dict[str, Usage]:
    return {str(one.door.target.who.name): one.usage for one in found.doors}


def whys(found: Comparison) -> list[tuple[str, ...]]:
    return [one.why for one in found.unusual]


def test_a_door_is_used_by_its_principals_entries_into_its_role_and_never_used_without_them() -> None:
    world = two_keys()
    world.role("reader", world.stage, document(trusts(CI)))
    world.add(
        "RolePolicy", "more", world.hub, role="ci", name="more", policy=document(grants(arn(STAGE, "role/reader")))
    )
    found = compared(world, entry(CI_SESSION, DEPLOYER, at(0)), entry(CI_SESSION, DEPLOYER, at(1)))
    assert usage(found) == {"deployer": Usage.USED, "reader": Usage.NEVER, "OrganizationAccountAccessRole": Usage.NEVER}
    (deployer,) = [one for one in found.doors if one.usage is Usage.USED]
    assert (deployer.count, deployer.last) == (2, DAY + timedelta(days=1))
    assert found.undeclared == ()


def test_doors_lead_into_what_is_asked_for_and_what_else_is_entered_on_the_way_or_there_is_a_step() -> None:
    world = two_keys()
    replaced(world, "ci", assumeRolePolicy=document(trusts(arn(PROD, "role/first"))))
    prod = world.provider("prod", PROD)
    world.role("first", prod)
    world.grant("first", prod, CI)
    world.add("User", "ann", world.stage, name="ann")
    world.role("own", world.stage, document(trusts(arn(STAGE, "user/ann"))))
    answers = into(read(of_old(world).graph), STAGE)
    (deployer,) = [step for way in answers.ways for step in way.steps if step.target.who.name == "deployer"][:1]
    doubted = replace(answers, not_proved=(NotProved("a policy", "", "", None, deployer.source, deployer.target),))
    found = compare(doubted, Trail(start=DAY, end=DAY))
    assert {one.door.target.who.name for one in found.doors} == {"deployer", "OrganizationAccountAccessRole"}
    assert {one.door.target.who.name for one in found.steps} == {"ci", "own"}
    assert deployer in [one.door for one in found.doors]  # with its keys: a way that is open is proved


def test_a_root_session_is_used_by_whom_it_is_granted_to() -> None:
    found = compared(
        root_sessions(),
        entry(CI_SESSION, "", at(0), eventName="AssumeRoot", requestParameters={"targetPrincipal": STAGE}),
    )
    assert usage(found)["root user"] is Usage.USED
    assert found.undeclared == ()


def test_an_entry_that_no_door_explains_is_told() -> None:
    ann = f"arn:aws:iam::{HUB}:user/ann"
    found = compared(two_keys(), entry(ann, DEPLOYER, at(0)))
    assert [use.caller.who.name for use in found.undeclared] == ["ann"]


def test_an_entry_into_another_account_is_not_looked_at() -> None:
    found = compared(two_keys(), entry(CI_SESSION, arn(PROD, "role/reader"), at(0)))
    assert (found.entries, found.undeclared, found.unusual) == (0, (), ())


def test_whoever_the_management_account_grants_it_may_use_the_access_role() -> None:
    role = arn(STAGE, "role/OrganizationAccountAccessRole")
    found = compared(two_keys(), entry(f"arn:aws:iam::{HUB}:user/admin", role, at(0)))
    assert usage(found)["OrganizationAccountAccessRole"] is Usage.USED
    assert found.undeclared == ()
    stranger = compared(two_keys(), entry(f"arn:aws:iam::{OUTSIDE}:user/admin", role, at(0)))
    assert len(stranger.undeclared) == 1


def test_an_account_that_nothing_shows_perhaps_comes_by_a_trust_in_the_whole_organization() -> None:
    """No record tells the organization of its caller's account.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
    """
    world = two_keys()
    world.add("Organization", "org", world.hub, outputs={"id": "o-a1b2c3d4e5"})
    ours = {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}
    world.role("shared", world.stage, document(trusts("*", condition=ours)))
    found = compared(world, entry(f"arn:aws:iam::{OUTSIDE}:user/agent", arn(STAGE, "role/shared"), at(0)))
    assert (usage(found)["shared"], found.undeclared) == (Usage.PERHAPS, ())


def test_a_third_party_s_account_needs_no_records_as_the_role_s_has_each_entry_from_there() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html: both accounts record AssumeRole."""
    world = two_keys()
    outside = {"StringEquals": {"sts:ExternalId": "abc-123"}}
    world.role("vendor", world.stage, document(trusts(arn(OUTSIDE, "root"), condition=outside)))
    found = compared(world, entry(CI_SESSION, DEPLOYER, at(0)), learning_days=14)
    assert (usage(found)["vendor"], found.was_read.not_covered, found.is_noteworthy) == (Usage.NEVER, {}, False)
    lost = compared(world, entry(CI_SESSION, DEPLOYER, at(0)), learning_days=14, covered=(HUB,))
    assert (usage(lost)["vendor"], [*lost.was_read.not_covered], lost.is_noteworthy) == (Usage.NOT_KNOWN, [STAGE], True)


def test_a_use_of_a_door_from_outside_is_explained_by_it() -> None:
    world = World()
    world.role("vendor", world.stage, document(trusts(arn(OUTSIDE, "root"))))
    found = compared(world, entry(f"arn:aws:iam::{OUTSIDE}:user/agent", arn(STAGE, "role/vendor"), at(0)))
    assert found.undeclared == ()
    assert [(one.door.target.who.name, bool(one.door.keys)) for one in found.doors if one.usage is Usage.USED] == [
        ("vendor", True)
    ]


GITHUB = f"arn:aws:iam::{STAGE}:oidc-provider/token.actions.githubusercontent.com"
SAML, WEB = "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"
JOB = {"type": "WebIdentityUser", "userName": "repo:acme/app:ref:refs/heads/main", "identityProvider": GITHUB}
PERSON = {"type": "SAMLUser", "userName": "ann", "identityProvider": "S"}
OKTA = f"arn:aws:iam::{STAGE}:saml-provider/Okta"


@pytest.mark.parametrize(
    ("principal", "action", "event", "said"),
    [
        ("*", "AssumeRole", SAML, Usage.NEVER),
        ("*", "AssumeRole", WEB, Usage.NEVER),
        ("*", "AssumeRole", "AssumeRole", Usage.USED),
        ("*", SAML, SAML, Usage.USED),
        ("*", SAML, WEB, Usage.NEVER),
        ("*", SAML, "AssumeRole", Usage.NEVER),
        ("*", WEB, WEB, Usage.USED),
        ("*", WEB, "AssumeRole", Usage.NEVER),
        ("*", "*", WEB, Usage.USED),
        ("*", "*", SAML, Usage.PERHAPS),  # one door for any provider is shown for both calls
        ("*", "*", "AssumeRole", Usage.USED),
        ({"Federated": OKTA}, SAML, SAML, Usage.USED),
        ({"Federated": f"{OKTA}2"}, SAML, SAML, Usage.NEVER),
        ({"Federated": GITHUB}, WEB, WEB, Usage.USED),
        ({"Federated": "arn:aws:iam::222222222222:oidc-provider/gitlab.com"}, WEB, WEB, Usage.NEVER),
    ],
)
def test_an_entry_is_by_a_door_only_if_its_call_and_its_provider_are_the_door_s(
    principal: object, action: str, event: str, said: Usage
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_sts-comparison.html."""
    world, role = World(), arn(STAGE, "role/open")
    world.role("open", world.stage, document({"Effect": "Allow", "Principal": principal, "Action": f"sts:{action}"}))
    record = entry(f"arn:aws:iam::{OUTSIDE}:user/eve", role, at(0), eventName=event)
    if event != "AssumeRole":
        record["userIdentity"] = PERSON if event == SAML else JOB
        record["requestParameters"] = {"roleArn": role, "principalArn": OKTA}
    found = compared(world, record)
    used = {one.usage for one in found.doors if one.door.target.who.name == "open"} - {Usage.NEVER}
    assert used == {said} - {Usage.NEVER}
    assert len(found.undeclared) == (said is Usage.NEVER)


@pytest.mark.parametrize(
    ("account", "unique_id", "known", "perhaps"),
    [
        (HUB, None, None, True),
        (HUB, "AROAANOTHER", None, True),
        (HUB, "AIDAUSER", None, False),  # ci is a role, and AIDA begins a user's id
        (HUB, "AROAANOTHER", "AROACI", False),
        (OUTSIDE, None, None, False),
    ],
)
def test_a_caller_of_whom_only_account_and_id_are_told_perhaps_used_each_door_that_may_be_his(
    account: str, unique_id: str | None, known: str | None, perhaps: bool
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-prefixes."""
    world = two_keys()
    ci = next(one for one in world.resources if one.name == "ci")
    world.change(ci, outputs={**ci.outputs, "uniqueId": known})
    told = {"type": "AWSAccount", "accountId": account, "principalId": unique_id}
    found = compared(world, entry(CI_SESSION, DEPLOYER, at(0), userIdentity=told))
    assert usage(found)["deployer"] is (Usage.PERHAPS if perhaps else Usage.NEVER)
    assert len(found.undeclared) == (not perhaps)


@pytest.mark.parametrize(("others", "said"), [((), Usage.USED), (("role/agent",), Usage.PERHAPS)])
def test_whoever_of_an_account_came_by_the_door_of_the_account_unless_there_is_another_for_one_of_it(
    others: tuple[str, ...], said: Usage
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-accounts."""
    world = World()
    world.role("vendor", world.stage, document(trusts(arn(OUTSIDE, "root"), *(arn(OUTSIDE, one) for one in others))))
    told = {"type": "AWSAccount", "accountId": OUTSIDE, "principalId": "AROAVENDOR:x"}
    found = compared(world, entry(CI_SESSION, arn(STAGE, "role/vendor"), at(0), userIdentity=told))
    used = [one for one in found.doors if one.door.source.who.account == OUTSIDE]
    assert [one.usage for one in used] == [said] * (1 + len(others))
    assert [one.perhaps for one in found.population] == ["the record does not name the caller" if others else ""]
    assert found.undeclared == ()


def test_where_nothing_tells_which_account_is_the_management_account_anybody_perhaps_used_the_access_role() -> None:
    """https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_access.html."""
    world = World()
    world.resources = [world.stage]
    role = arn(STAGE, "role/OrganizationAccountAccessRole")
    found = compared(world, entry(f"arn:aws:iam::{HUB}:user/admin", role, at(0)))
    assert usage(found) == {"OrganizationAccountAccessRole": Usage.PERHAPS}
    assert found.population[0].perhaps == "nothing shows whether the caller is whom the door is for"
    assert found.undeclared == ()


def test_services_and_calls_within_the_account_are_counted_apart() -> None:
    world = two_keys()
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    world.role("web", world.stage, document(trust))
    web = {"roleArn": arn(STAGE, "role/web")}
    service = {**BY_A_SERVICE, "requestParameters": web, "resources": [], "eventTime": at(0)}
    inside = entry(f"arn:aws:iam::{STAGE}:user/bob", DEPLOYER, at(0))
    found = compared(world, service, inside)
    assert found.apart == {"calls by AWS services": 1, "calls within the account": 1}
    assert (found.entries, found.unusual) == (0, ())


@pytest.mark.parametrize("trusted", ["pods.eks.amazonaws.com", "*"])
def test_a_service_that_hands_a_role_to_others_uses_its_door_and_the_session_is_begun_by_it(trusted: str) -> None:
    """EKS Pod Identity assumes the role for a pod. https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html"""
    world, pods = two_keys(), {"type": "AWSService", "invokedBy": "pods.eks.amazonaws.com"}
    trust = {"Effect": "Allow", "Principal": {"Service": trusted}, "Action": "sts:AssumeRole"}
    world.role("pod", world.stage, document(trust))
    of_pod = {"roleArn": arn(STAGE, "role/pod"), "roleSessionName": "eks"}
    call = {**BY_A_SERVICE, "userIdentity": pods, "requestParameters": of_pod, "resources": [], "eventTime": at(0)}
    failed = {**call, "sharedEventID": "x", "eventID": "x", "errorCode": "AccessDenied"}
    elsewhere = {**call, "sharedEventID": "y", "eventID": "y", "requestParameters": {"roleArn": DEPLOYER}}
    found = compared(world, call, failed, elsewhere, learning_days=0)
    assert (usage(found)["pod"], usage(found)["deployer"], found.entries) == (Usage.USED, Usage.NEVER, 2)
    assert found.apart == {"failed calls by AWS services": 1}
    assert ([one.role for one in found.undeclared], found.unusual) == (["deployer"], ())


@pytest.mark.parametrize(
    ("service", "role", "door"),
    [
        ("ec2.amazonaws.com", "deployer", False),  # whose trust policy lets in nobody but roles
        ("ec2.amazonaws.com", "another", True),  # of which nothing is shown
        ("ssm.amazonaws.com", "another", False),
    ],
)
def test_a_service_without_a_door_enters_where_it_hands_roles_on_or_the_role_does_not_trust_it(
    service: str, role: str, door: bool
) -> None:
    """https://docs.aws.amazon.com/systems-manager/latest/userguide/hybrid-multicloud-service-role.html (ssm)."""
    told = {"userIdentity": {"type": "AWSService", "invokedBy": service}, "eventTime": at(0), "resources": []}
    call = {**BY_A_SERVICE, **told, "requestParameters": {"roleArn": arn(STAGE, f"role/{role}")}}
    found = compared(two_keys(), call)
    assert (found.apart, len(found.undeclared)) == ({"calls by AWS services": 1} if door else {}, 0 if door else 1)


@pytest.mark.parametrize("target", [STAGE, None])
@pytest.mark.parametrize(
    ("trusted", "without"),
    [(None, True), ("lambda.amazonaws.com", True), ("ec2.us-east-1.amazonaws.com", False), ("*", False)],
)
def test_a_service_that_enters_a_role_on_the_way_which_does_not_trust_it_is_without_a_door(
    trusted: str | None, *, without: bool, target: str | None
) -> None:
    """In an account that is asked for it is an entry, in another on the way; once in both."""
    world = two_keys()
    service = {"Effect": "Allow", "Principal": {"Service": trusted}, "Action": "sts:AssumeRole"}
    trust = document(trusts(arn(HUB, "root")), *([service] if trusted else []))
    replaced(world, "ci", assumeRolePolicy=trust)
    told = {"userIdentity": {"type": "AWSService", "invokedBy": "ec2.amazonaws.com"}, "eventTime": at(0)}
    call = {**BY_A_SERVICE, **told, "resources": [], "requestParameters": {"roleArn": arn(HUB, "role/ci")}}
    answers, trail = into(read(world.graph), target), Trail()
    trail.add(call)
    found = compare(answers, trail)
    assert [(use.role, use.account) for use in found.undeclared] == [("ci", HUB)] * without


def test_a_session_of_roles_anywhere_is_an_entry_and_with_its_call_of_assume_role_one() -> None:
    """https://docs.aws.amazon.com/rolesanywhere/latest/userguide/authentication-create-session.html"""
    anywhere, asked = "rolesanywhere.amazonaws.com", {"roleArn": DEPLOYER}
    session = {
        **called(STAGE, at(0), "CreateSession", userIdentity={"type": "Unknown"}, eventSource=anywhere),
        "requestParameters": asked,
    }
    told = {"userIdentity": {"type": "AWSService", "invokedBy": anywhere}, "eventTime": at(0), "resources": []}
    assume = {**BY_A_SERVICE, **told, "requestParameters": asked}
    for records in ([session], [session, assume]):
        found = compared(two_keys(), *records)
        assert [(one.caller.who.name, one.role) for one in found.undeclared] == [(anywhere, "deployer")]


def test_two_calls_with_one_id_both_count_and_the_second_is_unusual() -> None:
    first, second = entry(CI_SESSION, DEPLOYER, at(0)), entry(f"arn:aws:iam::{HUB}:user/bob", DEPLOYER, at(0))
    of_the_role = {"userIdentity": {"type": "AWSAccount", "principalId": "AROAX:run-1", "accountId": HUB}}
    again = [{**record, "sharedEventID": "one"} for record in (first, second, first, second, first | of_the_role)]
    found = compared(two_keys(), *again, learning_days=14)
    assert (found.entries, [one.use.id for one in found.unusual]) == (2, [second["eventID"]])
    assert whys(found) == [("another call has the same sharedEventID or eventID, which CloudTrail gives once",)]


def test_a_role_of_another_path_was_another_role() -> None:
    """A name is unique in an account: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""
    found = compared(two_keys(), entry(CI_SESSION, arn(STAGE, "role/team/x/deployer"), at(0)))
    assert [one.perhaps for one in found.population] == ["role has another path than in what was read"]
    assert "-> role team/x/deployer of" in used(found.population[0].use, read(two_keys().graph))


def test_a_sign_in_is_counted_apart_and_that_of_the_root_user_or_a_failed_one_is_unusual() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/root-user-best-practices.html: monitor the root user."""
    by_role = {"type": "AssumedRole", "accountId": STAGE, "arn": f"arn:aws:sts::{STAGE}:assumed-role/ops/ann"}
    found = compared(
        two_keys(),
        signed_in(STAGE, at(0), additionalEventData={"MFAUsed": "No"}),
        signed_in(STAGE, at(1), "anaya", additionalEventData={"MFAUsed": "Yes"}),
        signed_in(STAGE, at(1.5), "anaya", additionalEventData={"MFAUsed": "No"}),
        signed_in(STAGE, at(2), "anaya", errorMessage="Failed authentication"),
        signed_in(STAGE, at(3), userIdentity=by_role),
        signed_in(PROD, at(4)),
        learning_days=14,
    )
    assert found.apart == {
        "failed sign-ins of IAM users within the account": 1,
        "sign-ins of IAM users within the account": 2,
        "sign-ins of the root user within the account": 1,
    }
    assert (found.entries, found.undeclared) == (0, ())
    assert [(one.use.caller.who.name, *one.why) for one in found.unusual] == [
        ("root user", "sign-in as the root user without MFA"),
        ("anaya", "sign-in of a user that nothing read shows"),
        ("anaya", "sign-in of a user that nothing read shows", "sign-in without MFA"),
        ("anaya", "failed attempt: Failed authentication"),
    ]
    assert [(one.user.who.name, [use.mfa for use in one.uses]) for one in found.sign_ins] == [("anaya", [True, False])]


def test_an_aws_login_counts_like_a_sign_in_at_the_console() -> None:
    """Example: https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html (OAuth2 authorization)."""
    said = {"eventName": "AuthorizeOAuth2Access", "responseElements": None, "additionalEventData": {"success": "true"}}
    by_role = {"type": "AssumedRole", "accountId": STAGE, "arn": f"arn:aws:sts::{STAGE}:assumed-role/ops/ann"}
    logins = [signed_in(STAGE, at(day), who, **said) for day, who in ((0, "yan"), (1, ""))]
    found = compared(two_keys(), *logins, signed_in(STAGE, at(2), **said | {"userIdentity": by_role}))
    assert whys(found) == [("sign-in as the root user",), ("sign-in of a user that nothing read shows",)]
    assert [sign_ins(one, read(two_keys().graph)).partition(", ")[0] for one in found.sign_ins] == [
        f"user yan of {STAGE} by aws login"
    ]


def caller(mfa: str | None, **changes: Any) -> dict[str, Any]:
    session = {"sessionContext": {"attributes": {"mfaAuthenticated": mfa}}} if mfa else {}
    return {"type": "IAMUser", "arn": f"arn:aws:iam::{HUB}:user/ann", "accountId": HUB, **session, **changes}


@pytest.mark.parametrize(
    ("told", "serial", "asked", "unusual"),
    [
        (caller("false"), None, True, True),
        (caller("true"), None, True, False),
        (caller("false"), f"arn:aws:iam::{HUB}:mfa/ann", True, False),
        (caller(None, accessKeyId="AKIAIOSFODNN7EXAMPLE"), None, True, True),
        (caller(None, accessKeyId="AKIAIOSFODNN7EXAMPLE"), f"arn:aws:iam::{HUB}:mfa/ann", True, False),
        (caller(None, accessKeyId="ASIAIOSFODNN7EXAMPLE"), None, True, False),  # the record does not tell
        (caller("false"), None, False, False),
    ],
)
def test_an_entry_without_the_mfa_that_its_door_asks_for_is_unusual(
    told: dict[str, Any], serial: str | None, asked: bool, unusual: bool
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html."""
    world, ann = two_keys(), arn(HUB, "user/ann")
    world.add("User", "ann", world.hub, name="ann")
    world.add("UserPolicy", "ann", world.hub, user="ann", policy=document(grants(arn(STAGE, "role/reader"))))
    world.role("reader", world.stage, document(trusts(ann, condition=MFA if asked else None)))
    request = {"roleArn": arn(STAGE, "role/reader"), "serialNumber": serial}
    found = compared(world, entry(ann, "", at(0), userIdentity=told, requestParameters=request), learning_days=14)
    assert (usage(found)["reader"], found.undeclared) == (Usage.PERHAPS if unusual else Usage.USED, ())
    assert whys(found) == ([("without the MFA that its door asks for",)] if unusual else [])


@pytest.mark.parametrize(
    ("condition", "mfa", "untold"),
    [
        (MFA, None, {"MFA": 1}),
        (MFA, "true", {}),
        ({"NumericLessThan": {"aws:MultiFactorAuthAge": "3600"}}, None, {"MFA": 1}),
        ({"NumericLessThan": {"aws:MultiFactorAuthAge": "3600"}}, "true", {}),  # how long ago, no record tells
        ({"NumericLessThan": {"aws:MultiFactorAuthAge": "3600"}}, "false", {}),
        (None, None, {}),
    ],
)
def test_it_is_counted_whose_record_does_not_tell_of_the_mfa_that_each_door_asks_for(
    condition: dict[str, Any] | None, mfa: str | None, untold: dict[str, int]
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-multifactorauthage"""
    world, ann = two_keys(), arn(HUB, "user/ann")
    world.add("User", "ann", world.hub, name="ann")
    world.add("UserPolicy", "ann", world.hub, user="ann", policy=document(grants(arn(STAGE, "role/reader"))))
    world.role("reader", world.stage, document(trusts(ann, condition=condition)))
    found = compared(world, entry(ann, arn(STAGE, "role/reader"), at(0), userIdentity=caller(mfa)))
    assert (found.not_shown, found.undeclared) == (untold, ())
    assert [one.perhaps for one in found.population] == [
        "without the MFA that its door asks for" if condition and mfa == "false" else ""
    ]


@pytest.mark.parametrize(
    ("asked", "request_parameters", "unusual"),
    [
        (True, {"externalId": "12345"}, False),
        (True, {}, True),
        (True, None, False),  # the record does not tell
        (False, {}, False),
    ],
)
def test_an_entry_without_the_external_id_that_its_door_asks_for_is_unusual(
    asked: bool, request_parameters: dict[str, Any] | None, unusual: bool
) -> None:
    """AWS's example: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html."""
    world, role = two_keys(), arn(STAGE, "role/vendor")
    condition = {"StringEquals": {"sts:ExternalId": "12345"}} if asked else None
    world.role("vendor", world.stage, document(trusts(arn(OUTSIDE, "root"), condition=condition)))
    record = entry(f"arn:aws:iam::{OUTSIDE}:user/agent", role, at(0), resources=[{"ARN": role}])
    named = request_parameters
    record["requestParameters"] = None if named is None else record["requestParameters"] | named
    found = compared(world, record, learning_days=14)
    assert (usage(found)["vendor"], found.undeclared) == (Usage.PERHAPS if unusual else Usage.USED, ())
    said = "without the external ID that its door asks for: the trust was another then, or the door was not used"
    assert whys(found) == ([(said,)] if unusual else [])
    assert [one.perhaps for one in found.population] == [said if unusual else ""]


THEN = "the trust was another then, or the door was not used"


@pytest.mark.parametrize(
    ("condition", "changes", "why"),
    [
        ({"DateLessThan": {"aws:CurrentTime": "2026-09-02T00:00:00Z"}}, {}, ""),
        (
            {"DateLessThan": {"aws:CurrentTime": "2026-08-31T00:00:00Z"}},
            {},
            "the door is closed since 2026-08-31 00:00 UTC",
        ),
        ({"DateGreaterThan": {"aws:EpochTime": "1"}}, {}, ""),
        (
            {"DateGreaterThan": {"aws:CurrentTime": "2026-09-02T00:00:00Z"}},
            {},
            "the call does not meet its door's condition from 2026-09-02",
        ),
        ({"StringEquals": {"sts:ExternalId": "12345"}}, {"externalId": "12345"}, ""),
        (
            {"StringEquals": {"sts:ExternalId": "12345"}},
            {"externalId": "54321"},
            "with another external ID than its door asks for",
        ),
        ({"StringLike": {"sts:RoleSessionName": "agent-*"}}, {"roleSessionName": "agent-1"}, ""),
        (
            {"StringLike": {"sts:RoleSessionName": "agent-*"}},
            {"roleSessionName": "x"},
            "the call does not meet its door's condition sts:RoleSessionName StringLike agent-*",
        ),
        (
            {"StringEquals": {"sts:SourceIdentity": "ann"}},
            {"sourceIdentity": "bob"},
            "the call does not meet its door's condition sts:SourceIdentity StringEquals ann",
        ),
        ({"StringEquals": {"aws:SourceVpc": "vpc-1"}}, {}, ""),  # the record does not tell
    ],
)
def test_an_entry_that_does_not_meet_a_condition_of_its_door_is_perhaps_and_unusual(
    condition: dict[str, Any], changes: dict[str, Any], why: str
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-sts."""
    found, said = entered_with(condition, changes), f"{why}: {THEN}"
    assert (usage(found)["vendor"], found.undeclared) == (Usage.PERHAPS if why else Usage.USED, ())
    assert whys(found) == ([(said,)] if why else [])
    assert [one.perhaps for one in found.population] == [said if why else ""]
    assert "54321" not in repr(found)


@pytest.mark.parametrize(
    ("condition", "address", "endpoint", "used"),
    [
        ({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, "203.0.113.9", None, True),
        ({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, "198.51.100.7", None, False),
        ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, "10.0.0.7", "vpce-1a2b3c4d", False),
        ({"IpAddressIfExists": {"aws:SourceIp": "203.0.113.0/24"}}, "10.0.0.7", "vpce-1a2b3c4d", True),
        ({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, "AWS Internal", None, True),  # the record does not tell
    ],
)
def test_an_entry_from_an_address_that_its_door_is_not_open_to_is_perhaps_and_unusual(
    condition: dict[str, Any], address: str, endpoint: str | None, used: bool
) -> None:
    """A call through a VPC endpoint has no aws:SourceIp.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-sourceip
    """
    found = entered_with(condition, {}, sourceIPAddress=address, vpcEndpointId=endpoint)
    assert (usage(found)["vendor"], len(found.unusual)) == ((Usage.USED, 0) if used else (Usage.PERHAPS, 1))


def test_an_entry_that_only_meets_the_conditions_of_one_door_is_no_use_of_another() -> None:
    """Each customer's external ID is another, and the role's account records no name of who calls.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html
    https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html
    """
    world, role = two_keys(), arn(STAGE, "role/vendor")
    ids = {arn(OUTSIDE, "role/one"): "1", arn(OUTSIDE, "role/two"): "2"}
    admitted = [trusts(one, condition={"StringEquals": {"sts:ExternalId": id}}) for one, id in ids.items()]
    world.role("vendor", world.stage, document(*admitted))
    told = {"type": "AWSAccount", "accountId": OUTSIDE, "principalId": "AROAVENDOR:x"}
    asked = {"roleArn": role, "roleSessionName": "x", "externalId": "2"}
    record = entry(arn(OUTSIDE, "role/two"), role, at(0), userIdentity=told)
    found = compared(world, {**record, "requestParameters": asked})
    uses = {one.door.source.who.name: one.usage for one in found.doors}
    assert (uses["one"], uses["two"]) == (Usage.NEVER, Usage.USED)
    assert [one.perhaps for one in found.population] == [""], "AWS lets in nobody else of an account that is not ours"


def entered_with(condition: dict[str, Any], asked: dict[str, Any], **changes: Any) -> Comparison:
    """An entry of a vendor into a role whose trust has a condition, and lets a source identity be set.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html
    """
    world, role = two_keys(), arn(STAGE, "role/vendor")
    trust = trusts(arn(OUTSIDE, "root"), condition=condition) | {"Action": ["sts:AssumeRole", "sts:SetSourceIdentity"]}
    world.role("vendor", world.stage, document(trust))
    record = entry(f"arn:aws:iam::{OUTSIDE}:user/agent", role, at(0), resources=[{"ARN": role}], **changes)
    record["requestParameters"] |= asked
    return compared(world, record, learning_days=14)


@pytest.mark.parametrize(("unique_id", "used"), [("AIDAAGENT", Usage.USED), ("AIDAOTHER", Usage.PERHAPS)])
def test_an_entry_of_a_user_uses_a_door_for_a_user_s_unique_id_if_it_is_that_user_s(
    unique_id: str, used: Usage
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#principaltable."""
    assert usage(entered_with({"StringEquals": {"aws:userid": unique_id}}, {}))["vendor"] == used


OF_HUB = {"requestParameters": {"name": f"arn:aws:cloudtrail:us-east-1:{HUB}:trail/ours"}}


@pytest.mark.parametrize(
    ("event", "account", "changes", "why", "said"),
    [
        ("StopLogging", STAGE, {}, ["logging was stopped (ours)"], f"user eve of {STAGE} called StopLogging"),
        ("DeleteTrail", STAGE, {}, ["a trail was deleted (ours)"], f"user eve of {STAGE} called DeleteTrail"),
        ("UpdateTrail", STAGE, {}, ["a trail was changed (ours)"], None),
        ("PutEventSelectors", STAGE, {}, ["what a trail logs was changed (ours)"], None),
        ("StopLogging", STAGE, {"errorCode": "AccessDenied"}, ["failed attempt: AccessDenied (ours)"], None),
        ("StopLogging", HUB, {}, ["logging was stopped (ours)"], "user eve of management called StopLogging"),
        ("StopLogging", PROD, {}, [], None),
        ("StopLogging", PROD, OF_HUB, ["logging was stopped (ours)"], f"user eve of {PROD} called StopLogging"),
        ("DeleteTrail", PROD, OF_HUB, ["a trail was deleted (ours)"], f"user eve of {PROD} called DeleteTrail"),
        ("StopLogging", STAGE, OF_HUB | {"errorCode": "No"}, ["failed attempt: No (ours)"], None),
        ("StopLogging", STAGE, {"eventSource": "other.amazonaws.com"}, [], None),
        (
            "StopLogging",
            STAGE,
            {"again": at(3)},
            ["logging was stopped until 2026-09-04 09:00 UTC (ours)"],
            f"user eve of {STAGE} called StopLogging",
        ),
        ("StopLogging", STAGE, {"again": at(-1)}, ["logging was stopped until 2026-08-31 09:00 UTC (ours)"], None),
    ],
)
def test_who_stopped_or_changed_a_trail_is_unusual_and_nothing_is_known_until_it_was_started(
    event: str, account: str, changes: dict[str, Any], why: list[str], said: str | None
) -> None:
    """https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_StopLogging.html (`Name`: a name or an ARN)."""
    again = changes.get("again")
    call = {"eventSource": "cloudtrail.amazonaws.com", "requestParameters": {"name": "ours"}}
    stop = called(account, at(-2 if again == at(-1) else 2), event, "eve", **{**call, **changes})
    start = called(account, again or at(0), "StartLogging", "eve", **call)
    start["requestParameters"] = {"name": f"arn:aws:cloudtrail:us-east-1:{account}:trail/ours"}
    records = [read_event(STAGE, at(day)) for day in range(5)]
    trail = Trail(coverage=Coverage(("us-east-1",)))
    for record in (*records, stop, *([start] if again else [])):
        trail.add(record, delivered=True)
    world = two_keys()
    world.add("User", "eve", world.stage, name="eve", uniqueId="AIDAEVE")
    found = compare(into(read(world.graph), STAGE), trail, DAY)
    assert [one for unusual in found.unusual for one in unusual.why] == why
    end = f"to {again[:10]} 09:00 UTC" if again else "on"
    lacks = found.was_read.accounts[0].lacks
    assert lacks == (f"in us-east-1 from 2026-09-03 09:00 UTC {end}, as {said}" if said else None)
    days = {"us-east-1": [date(2026, 9, day) for day in range(3, 5 if again else 6)]}
    assert found.was_read.accounts[0].days == (days if said else {})


def test_the_event_history_goes_on_where_a_trail_is_stopped_or_changed() -> None:
    """https://docs.aws.amazon.com/awscloudtrail/latest/userguide/how-cloudtrail-works.html#how-cloudtrail-works-eventhistory"""
    trail = Trail(coverage=Coverage(("us-east-1",)), sources=[Source("history", caller="arn")])
    first, last = (datetime.fromisoformat(at(day)) for day in (0, 4))
    trail.coverage.asked(STAGE, "us-east-1", first, last)
    for day, event in ((0, "StopLogging"), (4, "PutEventSelectors")):
        trail.add(called(STAGE, at(day), event, eventSource="cloudtrail.amazonaws.com"))
    found = compare(into(read(two_keys().graph), STAGE), trail, DAY)
    named = [one.use.event for one in found.unusual if not one.why[0].startswith("call as")]
    assert (named, found.was_read.accounts[0].lacks) == (["StopLogging", "PutEventSelectors"], None)


def test_a_region_that_was_never_covered_is_not_so_because_a_trail_was_stopped() -> None:
    trail = Trail(coverage=Coverage(("eu-west-1", "us-east-1")))
    call = {"eventSource": "cloudtrail.amazonaws.com", "requestParameters": {"name": "ours"}}
    for record in (*(read_event(STAGE, at(day)) for day in range(5)), called(STAGE, at(2), "StopLogging", **call)):
        trail.add(record, delivered=True)
    stopped = f"in us-east-1 from 2026-09-03 09:00 UTC on, as root user of {STAGE} called StopLogging"
    lacks = compare(into(read(two_keys().graph), STAGE), trail, DAY).was_read.accounts[0].lacks
    assert lacks == f"{stopped}, and also in eu-west-1"


def test_why_an_account_is_not_covered_names_the_longest_stop_by_who_began_the_session_and_the_days_without_files() -> (
    None
):
    """A call's `accessKeyId` is that of its session: AWS's userIdentity page."""
    trail = Trail(coverage=Coverage(("us-east-1",)))
    ann = entry(f"arn:aws:iam::{STAGE}:user/ann", arn(STAGE, "role/ops"), at(1), recipientAccountId=STAGE)
    trail.add({**ann, "responseElements": {"credentials": {"accessKeyId": "ASIA1"}}}, delivered=True)
    by = in_session(entry(f"arn:aws:sts::{STAGE}:assumed-role/ops/s", "", at(1)), "ASIA1", "")["userIdentity"]
    for name, begin, end in (("short", 1, 1.1), ("ours", 1, 2)):
        call = {"eventSource": "cloudtrail.amazonaws.com", "requestParameters": {"name": name}, "userIdentity": by}
        for event, day in (("StopLogging", begin), ("StartLogging", end)):
            trail.add(called(STAGE, at(day), event, **call, eventID=f"{name} {event}"), delivered=True)
    for day in (0, 1, 2, 5):
        trail.add(read_event(STAGE, at(day)), delivered=True)
    found = compare(into(read(two_keys().graph), STAGE), trail, DAY).was_read.accounts[0]
    stop = f"from 2026-09-02 09:00 UTC to 2026-09-03 09:00 UTC, as user ann of {STAGE} called StopLogging"
    assert found.lacks == f"in us-east-1 {stop} (1 more such gap) and on 2026-09-04 to 2026-09-05"
    assert found.lost == 4


@pytest.mark.parametrize(
    ("event", "account", "reads", "said"),
    [
        ("PutEventSelectors", STAGE, (0, 1, 2), " since it was changed on 2026-09-03"),
        ("UpdateTrail", HUB, (0, 1, 2), " since it was changed on 2026-09-03"),
        ("PutEventSelectors", STAGE, (0, 3), None),
        ("PutEventSelectors", STAGE, (), ""),
        ("PutEventSelectors", PROD, (0,), None),
    ],
)
def test_after_a_trail_was_changed_a_read_event_has_to_show_that_it_still_logs_them(
    event: str, account: str, reads: tuple[int, ...], said: str | None
) -> None:
    """https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_EventSelector.html: `ReadWriteType`."""
    trail = Trail(coverage=Coverage(("us-east-1",)))
    for day in range(5):
        trail.add(read_event(STAGE, at(day), readOnly=day in reads), delivered=True)
    trail.add(called(account, at(2), event, "eve", eventSource="cloudtrail.amazonaws.com"))
    found = compare(into(read(two_keys().graph), STAGE), trail)
    why = f"in us-east-1 where nothing shows that its trail logs read events{said}"
    assert found.was_read.accounts[0].lacks == (None if said is None else why)
    days = {"us-east-1": [date(2026, 9, day) for day in range(3 if said else 1, 6)]}
    assert found.was_read.accounts[0].days == ({} if said is None else days)


@pytest.mark.parametrize(
    ("told", "assumed", "known", "count"),
    [
        ("AROACI:run-1", "AROADEPLOYER:x", {"ci": "AROACI", "deployer": "AROADEPLOYER"}, 1),
        ("AROAOLD:run-1", "AROADEPLOYER:x", {"ci": "AROACI"}, 0),
        ("AROACI:run-1", "AROAOLD:x", {"deployer": "AROADEPLOYER"}, 0),
        ("AROAOLD:run-1", "AROAOLD:x", {}, 1),
    ],
)
def test_an_entry_with_another_unique_id_of_caller_or_role_is_not_counted_as_the_door_s(
    told: str, assumed: str, known: dict[str, str], count: int
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids."""
    world = two_keys()
    for name, unique_id in known.items():
        role = next(one for one in world.resources if one.name == name)
        world.change(role, outputs={**role.outputs, "uniqueId": unique_id})
    record = entry(CI_SESSION, DEPLOYER, at(0), responseElements={"assumedRoleUser": {"assumedRoleId": assumed}})
    record["userIdentity"] |= {"principalId": told}
    found = compared(world, record)
    (door,) = [one for one in found.doors if one.door.target.who.name == "deployer"]
    assert (door.usage, door.count) == (Usage.USED if count else Usage.PERHAPS, count)
    assert (", perhaps 1 time" in door_use(door)) == (not count)
    assert [one.perhaps.startswith("caller or role has another") for one in found.population] == [not count]
    assert found.undeclared == ()


@pytest.mark.parametrize(
    ("account", "changes"), [(HUB, {"invokedBy": "cloudformation.amazonaws.com"}), (HUB, {}), (OUTSIDE, {})]
)
def test_a_call_that_a_service_makes_as_its_caller_is_the_caller_s_entry(account: str, changes: dict[str, Any]) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/access_forward_access_sessions.html"""
    told = {"type": "AWSAccount", "principalId": "AROAX:s", "accountId": account, **changes}
    found = compared(two_keys(), entry(CI_SESSION, arn(STAGE, "role/stacksets"), at(0), userIdentity=told))
    assert (found.apart, len(found.undeclared), found.entries) == ({}, 1, 1)
    said = used(found.undeclared[0], read(two_keys().graph))
    assert ("through cloudformation.amazonaws.com in" in said) == bool(changes)


def test_only_its_service_can_call_as_a_service_linked_role() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-service-linked-role"""
    linked = arn(HUB, "role/aws-service-role/stacksets.cloudformation.amazonaws.com/AWSServiceRoleForX")
    issuer = {"sessionContext": {"sessionIssuer": {"type": "Role", "arn": linked, "accountId": HUB}}}
    told = {"type": "AssumedRole", "accountId": HUB, "invokedBy": "cloudformation.amazonaws.com", **issuer}
    called = entry(CI_SESSION, arn(STAGE, "role/stacksets-exec-1"), at(0), userIdentity=told, sharedEventID="shared")
    of_member = {**called, "userIdentity": {"type": "AWSAccount", "principalId": "AROAX:s", "accountId": HUB}}
    of_member["recipientAccountId"] = STAGE
    found = compared(two_keys(), called, of_member)
    assert (found.apart, found.entries) == ({"calls by AWS services": 1}, 0)
    (alone,) = compared(two_keys(), of_member).undeclared
    assert "-> role stacksets-exec-1 (named as StackSets name theirs) of" in used(alone, read(two_keys().graph))


def test_a_sign_in_without_mfa_to_an_account_on_the_way_is_unusual_and_one_elsewhere_is_not() -> None:
    """https://docs.aws.amazon.com/securityhub/latest/userguide/cloudwatch-controls.html#cloudwatch-3."""
    signed = [
        signed_in(account, at(day), "ann", additionalEventData={"MFAUsed": mfa})
        for account in (HUB, PROD)
        for day, mfa in enumerate(("No", "Yes"))
    ]
    found = compared(two_keys(), *signed)
    assert [(one.use.account, one.why[-1]) for one in found.unusual] == [(HUB, "sign-in without MFA")]
    assert found.apart == {"sign-ins on the way as the root user or without MFA": 1}


def test_failed_sign_ins_of_who_has_a_way_in_are_unusual_in_the_account_on_the_way_and_one_line() -> None:
    """Example: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html."""
    failed = {"errorMessage": "Failed authentication", "responseElements": {"ConsoleLogin": "Failure"}}
    hidden = "HIDDEN_DUE_TO_SECURITY_REASONS"  # a name that nobody has: the user's own, mistyped, or the password
    signed = [
        signed_in(account, at(day), who, sourceIPAddress=f"192.0.2.{day}", **failed)
        for account, who in ((HUB, "ann"), (HUB, "zoe"), (PROD, "ann"), (HUB, ""), (HUB, hidden))
        for day in range(3)
    ]
    world = two_keys(document(trusts(arn(HUB, "user/ann"))))
    world.add("User", "ann", world.hub, name="ann", arn=arn(HUB, "user/ann"))
    world.add("UserPolicy", "ann", world.hub, user="ann", name="grant", policy=document(grants(DEPLOYER)))
    found = compared(world, *signed)
    assert [one.use.caller.who.name for one in found.unusual] == ["root user"] * 3 + [hidden, "ann"] * 3
    assert found.apart == {"failed sign-ins on the way": 9}  # each that is listed
    assert found.people == {Who("user", HUB, "ann")}
    rows = [said for _, said in to_look_at(read(world.graph), found)[0]]
    assert ["the last of 3 since 2026-09-01 09:00 UTC from 3 addresses" in said for said in rows] == [True] * 3
    assert [" UTC a user name that nobody has of management " in said for said in rows].count(True) == 1


def test_accounts_are_in_the_order_of_how_many_ways_lead_through_them_not_of_their_names() -> None:
    world = two_keys()
    world.role("z", world.provider("zeta", PROD), document(trusts(CI)))
    world.add("RolePolicy", "z", world.hub, role="ci", name="z", policy=document(grants(arn(PROD, "role/z"))))
    found = compare(read(of_old(world).graph), Trail(start=DAY, end=DAY))
    leads = [one.account for one in found.was_read.accounts]
    assert (leads[0], {*leads}) == (HUB, {HUB, STAGE, PROD})


DAYS = frozenset(range(10))


@pytest.mark.parametrize(
    ("account", "region", "days", "said"),
    [
        (STAGE, "us-east-1", DAYS, ""),
        (HUB, "us-east-1", DAYS, ""),
        (STAGE, "us-east-1", DAYS - {0, 1}, f"{STAGE} is not covered in us-east-1 before 2026-09-03"),
        (STAGE, "us-east-1", DAYS - {8, 9}, f"{STAGE} is not covered in us-east-1 after 2026-09-08"),
        (STAGE, "us-east-1", DAYS - {4}, f"{STAGE} is not covered in us-east-1 on 2026-09-05"),
        (STAGE, "us-east-1", DAYS - {0, 4, 6, 9}, "before 2026-09-02 and on 2026-09-05, 2026-09-07 and after"),
        (STAGE, "us-east-1", {4}, f"{STAGE} is not covered in us-east-1 before 2026-09-05 and after 2026-09-05"),
        (STAGE, "eu-central-1", DAYS, f"{STAGE} is not covered in us-east-1; management is not covered"),
        (PROD, "us-east-1", DAYS, f"{STAGE} is not covered; management is not covered"),
        (OUTSIDE, "us-east-1", DAYS, f"{STAGE} is not covered; management is not covered"),
    ],
)
def test_a_door_has_no_record_of_use_only_where_one_of_its_accounts_has_records_on_every_day(
    account: str, region: str, days: frozenset[int], said: str
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html: the global endpoint's region."""
    nothing = [
        entry(CI_SESSION, "", at(day), eventName="GetCallerIdentity", recipientAccountId=account, awsRegion=region)
        for day in days
    ]
    ends = [entry(CI_SESSION, "", at(day), eventName="x", recipientAccountId="000000000000") for day in (0, 9)]
    found = compared(two_keys(), *nothing, *ends, covered=())
    assert set(usage(found).values()) == {Usage.NOT_KNOWN if said else Usage.NEVER}
    places = {STAGE: STAGE, HUB: "management"}
    assert said in "; ".join(
        f"{places[one.account]} is not covered {one.lacks}".rstrip() for one in found.was_read.accounts
    )
    assert all(("is not covered" in one.not_known) is bool(said) for one in found.doors)
    span = None if said else (DAY, DAY + timedelta(days=9))
    assert {one.covered for one in found.doors} == {span}
    assert all(bool(one.days) is (one.lacks is not None) for one in found.was_read.accounts)
    missing = {"us-east-1": [(DAY + timedelta(days=day)).date() for day in sorted(DAYS - days)]}
    whole = {"us-east-1": [(DAY + timedelta(days=day)).date() for day in sorted(DAYS)]}
    there = region == "us-east-1" and account in (HUB, STAGE)
    expected = (missing if days != DAYS else {}) if there else whole
    assert {one.account: one.days for one in found.was_read.accounts}[account if there else STAGE] == expected


SELECTED = "by log files with management events"


@pytest.mark.parametrize(
    ("changes", "delivered", "said"),
    [
        ({}, True, None),
        ({"managementEvent": None, "eventCategory": "Management"}, True, None),
        ({}, False, SELECTED),  # as of lookup-events, which may have asked for one event name
        ({"eventCategory": "Data", "managementEvent": False}, True, SELECTED),
        ({"managementEvent": False}, True, SELECTED),
        ({"eventCategory": "NetworkActivity"}, True, SELECTED),
        ({"readOnly": False}, True, "in us-east-1 where nothing shows that its trail logs read events"),
        ({"readOnly": None}, True, "in us-east-1 where nothing shows that its trail logs read events"),
    ],
)
def test_only_management_events_of_log_files_cover_and_one_has_to_be_a_read_event(
    changes: dict[str, Any], delivered: bool, said: str | None
) -> None:
    """https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html."""
    trail = Trail(coverage=Coverage(("us-east-1",)))
    for day in range(3):
        trail.add(read_event(STAGE, at(day), **changes), delivered=delivered)
    found = compare(into(read(of_old(two_keys()).graph), STAGE), trail)
    assert found.was_read.accounts[0].lacks == said
    assert set(usage(found).values()) == {Usage.NOT_KNOWN if said else Usage.NEVER}


@pytest.mark.parametrize(
    ("hours", "said", "lacking"),
    [
        ([(0, 24), (24, 48)], None, []),
        ([(24, 48), (0, 24), (0, 24), (3, 4)], None, []),
        (
            [(0, 24), (25, 48)],
            "in us-east-1 from 2026-09-02 00:00 to 2026-09-02 01:00 UTC, of which there is no digest",
            [2],
        ),
        (
            [(0, 1), (24, 25)],
            "in us-east-1 from 2026-09-01 01:00 to 2026-09-02 00:00 UTC (1 more such gap), of which there is no digest",
            [1, 2],
        ),
        (
            [(0, 1), (2, 3), (4, 48)],
            "in us-east-1 from 2026-09-01 01:00 to 2026-09-01 02:00 UTC (1 more such gap), of which there is no digest",
            [1],
        ),
        (
            [(0, 23), (24, 48)],
            "in us-east-1 from 2026-09-01 23:00 to 2026-09-02 00:00 UTC, of which there is no digest",
            [1],  # an hour that ends at midnight is of one day
        ),
        ([(0, 47)], "in us-east-1 after 2026-09-02 23:00 UTC, of which there is no digest", [2]),
        ([(1, 48)], "in us-east-1 before 2026-09-01 01:00 UTC, of which there is no digest", [1]),
        ([(-9, -8)], "in us-east-1 from 2026-09-01 00:00 to 2026-09-02 23:59 UTC, of which there is no digest", [1, 2]),
        ([(-30, -20), (-1, 50), (60, 61)], None, []),  # what is outside of the period does not matter
        ([(0, 1)], "in us-east-1 after 2026-09-01 01:00 UTC, of which there is no digest", [1, 2]),
    ],
)
def test_where_there_are_digests_no_hour_of_the_period_may_lack(
    hours: list[tuple[int, int]], said: str | None, lacking: list[int]
) -> None:
    """https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-intro.html."""
    midnight = DAY.replace(hour=0)
    coverage, end = Coverage(("us-east-1",)), midnight + timedelta(days=2, microseconds=-1)
    for day in (midnight, end):  # a log file of each day does not show that no other lacks
        coverage.saw(STAGE, "us-east-1", day, covers=True, read=True)
    for one in hours:
        span = [midnight + timedelta(hours=hour) for hour in one]
        coverage.digest(f"{STAGE}_CloudTrail-Digest_us-east-1_the-trail_us-east-1_20260901T100131Z.json.gz", *span)
    gaps = coverage.covered(STAGE, [], Period(midnight, end))
    assert (gaps.lacks, [day.day for day in gaps.days.get("us-east-1", ())]) == (said, lacking)


@pytest.mark.parametrize(
    ("digested", "asked", "said"),
    [
        ((1, 10), (None, None), None),  # records were delivered before the first digest, and the last is still to come
        ((3, 10), (None, None), "before 2026-09-01 03:00 UTC"),
        ((1, 8), (None, None), "after 2026-09-01 08:00 UTC"),
        ((0, 12), (0, 12), None),
        ((1, 12), (0, 12), "before 2026-09-01 01:00 UTC"),
        ((0, 11), (0, 12), "after 2026-09-01 11:00 UTC"),
    ],
)
def test_the_first_and_the_last_digests_may_lack_only_where_the_period_is_not_asked_for(
    digested: tuple[int, int], asked: tuple[int | None, int | None], said: str | None
) -> None:
    """A digest is delivered after its hour. validate-logs looks for it up to two hours after the period.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
    and https://github.com/aws/aws-cli/blob/develop/awscli/customizations/cloudtrail/validation.py
    """
    trail = Trail(coverage=Coverage(("us-east-1",)))
    midnight = DAY.replace(hour=0)
    for hour in (0, 12):
        trail.add(read_event(STAGE, f"2026-09-01T{hour:02}:00:00Z"), delivered=True)
    name = f"{STAGE}_CloudTrail-Digest_us-east-1_the-trail_us-east-1_20260901T100131Z.json.gz"
    trail.coverage.digest(name, *(midnight + timedelta(hours=hour) for hour in digested))
    period = (None if hour is None else midnight + timedelta(hours=hour) for hour in asked)
    found = compare(into(read(two_keys().graph), STAGE), trail, *period)
    assert found.was_read.accounts[0].lacks == (said and f"in us-east-1 {said}, of which there is no digest")


STOPPED = called(HUB, "2026-09-02T00:10:00Z", "StopLogging", "eve", eventSource="cloudtrail.amazonaws.com")


@pytest.mark.parametrize(
    ("records", "lacks"),
    [
        ([(HUB, "2026-09-01T22:30:00Z"), (STAGE, "2026-09-02T12:00:00Z")], "before 2026-09-02"),
        ([(STAGE, "2026-09-01T10:00:00Z"), (HUB, "2026-09-02T01:30:00Z")], "after 2026-09-01"),
        (
            [(STAGE, "2026-09-01T10:00:00Z"), STOPPED, (PROD, "2026-09-02T01:50:00Z")],
            "from 2026-09-02 00:10 UTC on, as user eve of management called StopLogging",
        ),
    ],
)
def test_without_digests_the_first_and_the_last_hours_of_the_period_count(
    records: list[tuple[str, str] | dict[str, Any]], lacks: str
) -> None:
    """Only a digest comes late.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
    """
    trail = Trail(coverage=Coverage(("us-east-1",)))
    for one in records:
        trail.add(one if isinstance(one, dict) else read_event(*one), delivered=True)
    found = compare(into(read(two_keys().graph), STAGE), trail)
    assert found.was_read.accounts[0].lacks == f"in us-east-1 {lacks}"
    assert (found.was_read.not_covered[STAGE], set(usage(found).values())) == (1, {Usage.NOT_KNOWN})


@pytest.mark.parametrize(("stopped", "covered"), [([], True), ([STOPPED], False)])
def test_no_digest_is_due_of_a_last_day_that_has_just_begun_but_a_trail_that_was_stopped_counts(
    stopped: list[dict[str, Any]], covered: bool
) -> None:
    trail = Trail(coverage=Coverage(("us-east-1",)))
    for one in (read_event(STAGE, "2026-09-01T10:00:00Z"), *stopped, read_event(HUB, "2026-09-02T01:50:00Z")):
        trail.add(one, delivered=True)
    name = f"{STAGE}_CloudTrail-Digest_us-east-1_the-trail_us-east-1_20260901T100131Z.json.gz"
    trail.coverage.digest(name, DAY.replace(hour=10), DAY.replace(hour=0) + timedelta(days=1))
    found = compare(into(read(two_keys().graph), STAGE), trail)
    assert (found.was_read.accounts[0].lacks is None) is covered


def test_the_digest_of_the_last_hour_till_now_is_still_to_come() -> None:
    now = datetime.now(UTC)
    trail = Trail(coverage=Coverage(("us-east-1",)))
    trail.add(read_event(STAGE, f"{now - timedelta(hours=29):%Y-%m-%dT%H:%M:%SZ}"), delivered=True)
    name = f"{STAGE}_CloudTrail-Digest_us-east-1_the-trail_us-east-1_20260901T100131Z.json.gz"
    trail.coverage.digest(name, now - timedelta(hours=30), now - timedelta(hours=1))
    found = compare(into(read(two_keys().graph), STAGE), trail, now - timedelta(hours=30), now + timedelta(hours=20))
    assert found.was_read.accounts[0].lacks is None


@pytest.mark.parametrize(
    ("account", "changes", "said"),
    [
        (STAGE, {}, Usage.NOT_KNOWN),
        (HUB, {}, Usage.NOT_KNOWN),
        (PROD, {}, Usage.NEVER),
        (None, {"userIdentity": {}}, Usage.NOT_KNOWN),
        (STAGE, {"errorCode": "ValidationError"}, Usage.NEVER),
    ],
)
def test_no_door_is_never_used_whose_use_may_be_a_record_that_does_not_tell_its_role(
    account: str | None, changes: dict[str, Any], said: Usage
) -> None:
    other = entry(CI_SESSION, "", at(0), eventName="GetCallerIdentity", recipientAccountId=HUB)
    unreadable = entry(CI_SESSION, "no role", at(0), recipientAccountId=account, **changes)
    assert set(usage(compared(two_keys(), other, unreadable)).values()) == {said}


def test_a_job_s_door_is_without_a_record_of_use_only_where_its_account_is_covered() -> None:
    world = two_keys()
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": GITHUB},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {"token.actions.githubusercontent.com:sub": "repo:acme/app:ref:refs/heads/main"}},
    }
    world.role("gha", world.stage, document(statement))
    found = compared(world, entry(CI_SESSION, "", at(0), eventName="GetCallerIdentity"), covered=(HUB,))
    assert (usage(found)["gha"], usage(found)["deployer"]) == (Usage.NOT_KNOWN, Usage.NEVER)


def root_sessions() -> World:
    world = two_keys()
    world.add("Organization", "org", world.hub, id="o-ours000000", masterAccountId=HUB)
    world.add("Account", "stage", world.hub, name="stage", email="a@x.com", id=STAGE)
    world.add("OrganizationsFeatures", "features", world.hub, enabledFeatures=["RootSessions"])
    policy = document({**grants(arn(STAGE, "root")), "Action": "sts:AssumeRoot"})
    world.add("RolePolicy", "root", world.hub, role="ci", name="root", policy=policy)
    return world


READS = (read_event(HUB, at(9)), read_event(STAGE, at(9)))


@pytest.mark.parametrize("caller", [HUB, STAGE])
def test_the_switch_of_root_sessions_dates_the_ways_to_root_users_whoever_turned_it(caller: str) -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_EnableOrganizationsRootSessions.html."""
    for calls, last in ((["Enable"], CHANGED), ([], DAY), (["Enable", "Disable"], None)):
        turned = [called(caller, at(5, hour), f"{name}OrganizationsRootSessions") for hour, name in enumerate(calls)]
        found = compared(root_sessions(), *turned, *READS, made=Since(LONG_AGO))
        (way,) = [way for way, _ in found.ways if way.target.who.kind == "root-user"]
        assert way.since == Since(LONG_AGO, last)


IN_THE_MEMBER = {"sessionContext": {"assumedRoot": "true"}}


@pytest.mark.parametrize(
    ("covered", "calls", "said"),
    [
        ((HUB,), {}, Usage.NEVER),
        ((STAGE,), {}, Usage.NOT_KNOWN),
        ((STAGE,), IN_THE_MEMBER, Usage.PERHAPS),
        ((HUB,), {"requestParameters": {}}, Usage.NOT_KNOWN),
    ],
)
def test_only_the_account_of_the_caller_tells_that_nobody_began_a_root_session(
    covered: tuple[str, ...], calls: dict[str, Any], said: Usage
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-track-privileged-tasks.html."""
    other = called(STAGE, at(0), "GetBucketPolicy", **(IN_THE_MEMBER if calls is IN_THE_MEMBER else {}))
    other["userIdentity"] |= calls if calls is IN_THE_MEMBER else {"type": "AWSService"}
    records = [other]
    if "requestParameters" in calls:
        records.append(entry(CI_SESSION, "", at(0), eventName="AssumeRoot", eventID=None, **calls))
    found = compared(root_sessions(), *records, covered=covered)
    assert usage(found)["root user"] is said
    assert found.undeclared == ()
    if "requestParameters" in calls:
        (door,) = [one for one in found.doors if one.door.target.who.kind == "root-user"]
        assert door.not_known.endswith("which lacks what was assumed")


@pytest.mark.parametrize(("given", "who"), [("ASIAROOT", "role ci"), ("ASIAOTHER", "root session")])
def test_a_change_of_keys_in_a_root_session_is_by_whom_assume_root_gave_its_access_key(given: str, who: str) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-track-privileged-tasks.html."""
    answer = {"credentials": {"accessKeyId": given}}
    request = {
        "targetPrincipal": STAGE,
        "taskPolicyArn": {"arn": "arn:aws:iam::aws:policy/root-task/IAMCreateRootUserPassword"},
    }
    begun = entry(CI_SESSION, "", at(0), eventName="AssumeRoot", requestParameters=request, responseElements=answer)
    change = called(STAGE, at(0, 0.1), "CreateLoginProfile", eventSource="iam.amazonaws.com")
    change["userIdentity"] |= {**IN_THE_MEMBER, "accessKeyId": "ASIAROOT"}
    world = root_sessions()
    found = compared(world, begun, change)
    ((label, said),) = [row for row in to_look_at(found.answers, found)[0] if " -> CreateLoginProfile " in row[1]]
    assert (label, said.endswith(": call in a root session, 1 time")) == ("unusual, changed", True)
    assert said.partition(" UTC ")[2].startswith(who)
    assert (" in a root session -> " in said) is (who == "role ci")
    (line,) = [line for _, line in compared(world, begun, change, from_states=True).sheet.lines if "Login" in line]
    assert " -> CreateLoginProfile of root user in " in line
    assert strength(found.changes[0], found.answers) is Level.ADMINISTRATOR
    assert (" in a root session from " in line) is (who == "role ci")
    unlocked = {**change, "eventName": "DeleteBucketPolicy", "eventSource": "s3.amazonaws.com"}
    calls = [unlocked | {"eventID": str(number)} for number in range(2)]
    ((_, said),) = [
        row for row in to_look_at(read(world.graph), compared(world, begun, *calls))[0] if "Bucket" in row[1]
    ]
    assert said.partition(" UTC ")[2].startswith(who)
    assert said.endswith(": call in a root session, 2 times")
    both = compared(world, begun, *calls, calls[0] | {"eventName": "DeleteQueue", "eventID": "3"}).sheet.lines
    assert ["call in a root session, 2" in line for _, line in both if "call in a root session" in line] == [False]


@pytest.mark.parametrize(
    "identity",
    [
        {"type": "AssumedRole", "arn": f"arn:aws:sts::{STAGE}:assumed-role/deployer/run", "accessKeyId": "ASIA1"},
        {"type": "IAMUser", "arn": arn(STAGE, "user/zoe"), "userName": "zoe", "accessKeyId": "ASIA1"},
    ],
)
def test_calls_of_a_product_provider_by_temporary_delegation_are_unusual_and_name_its_account(
    identity: dict[str, Any],
) -> None:
    """Its example: https://docs.aws.amazon.com/IAM/latest/UserGuide/temporary-delegation-cloudtrail.html."""
    issuer = {"type": "Role", "arn": DEPLOYER, "accountId": STAGE, "userName": "deployer"}
    context = {"sessionIssuer": issuer, "attributes": {"creationDate": at(0)}} if "role" in identity["arn"] else {}
    by = {"accountId": STAGE, **identity, "sessionContext": context, "invokedByDelegate": {"accountId": OUTSIDE}}
    calls = [called(STAGE, at(hour / 24), "GetUserPolicy", userIdentity=by) for hour in (1, 2)]
    found = compared(two_keys(), *calls)
    assert whys(found) == [("call of a product provider by temporary delegation, 2 times",)]
    ((_, said),) = to_look_at(read(two_keys().graph), found)[0]
    assert f" for product provider {OUTSIDE} -> GetUserPolicy of " in said
    assert found.entries == 0


def test_an_entry_of_a_product_provider_by_temporary_delegation_is_unusual() -> None:
    by = entry(CI_SESSION, DEPLOYER, at(1))
    by["userIdentity"] |= {"invokedByDelegate": {"accountId": OUTSIDE}}
    found = compared(two_keys(), entry(CI_SESSION, DEPLOYER, at(0)), by, learning_days=14)
    assert whys(found) == [("call of a product provider by temporary delegation",)]


def test_a_way_through_roles_is_used_where_each_session_began_the_next() -> None:
    """`accessKeyId` of the call is that of the session: AWS's userIdentity page."""
    world = two_keys()
    world.add("User", "ann", world.hub, name="ann")
    ann, keys = arn(HUB, "user/ann"), {"responseElements": {"credentials": {"accessKeyId": "ASIA1"}}}
    replaced(world, "ci", assumeRolePolicy=document(trusts(ann)))
    first = entry(ann, arn(HUB, "role/ci"), at(0), recipientAccountId=HUB, **keys)
    second = entry(CI_SESSION, DEPLOYER, at(0, 11))
    after, of_another = (
        {**second, "userIdentity": {**second["userIdentity"], "accessKeyId": key}} for key in ("ASIA1", "ASIA2")
    )
    for records, said in (
        ((first, after), Usage.USED),
        ((first, second), Usage.PERHAPS),
        ((first, of_another), Usage.NEVER),  # another session began it
        ((first, entry(CI_SESSION, DEPLOYER, at(1))), Usage.NEVER),  # no session lasts so long
        ((entry(ann, arn(HUB, "role/ci"), at(0, 12), recipientAccountId=HUB), second), Usage.NEVER),  # nor begins late
        ((second,), Usage.NEVER),
        ((first,), Usage.NEVER),
    ):
        found = compared(world, *records)
        (way,) = [use for way, use in found.ways if way.source.who.name == "ann"]
        assert way.usage is said, records
        assert len(found.ways) == 3
    found = compared(world, first, after)
    assert [(one.door.source.who.name, one.count) for one in found.steps] == [("ann", 1)]
    assert found.apart == {}, "a step on the way is counted as such, and not again as a call within the account"
    assert [(one.use.caller.who.name, one.on_the_way) for one in found.population] == [("ann", True), ("ci", False)]
    found = compared(world, second, covered=(STAGE,))
    (way,) = [use for way, use in found.ways if way.source.who.name == "ann"]
    assert (way.usage, way.not_known) == (Usage.NOT_KNOWN, "management is not covered")
    of, all_of = "of which it is not known whether", compared(world, second, covered=())
    lost = "not covered: {}management (1 day: 2026-09-01): entries and changes of keys there are not known"
    answers = read(world.graph)
    said, all_said = (headline(answers, one).partition(" 1 unusual, ")[2] for one in (found, all_of))
    assert (
        said
        == f"1 step on the way {of} it was used (user ann of management -> role ci of management); {lost.format('')}"
    )
    assert all_said.endswith("; " + lost.format(f"{STAGE}, "))
    assert all_said.startswith(f"1 door and 1 step on the way {of} they were used (")


def in_session(record: dict[str, Any], of: str, begins: str) -> dict[str, Any]:
    """A call with the key of a session, and the key of the session that it begins."""
    return {
        **record,
        "userIdentity": {**record["userIdentity"], "accessKeyId": of},
        "responseElements": {"credentials": {"accessKeyId": begins}},
        "recipientAccountId": HUB,
    }


@pytest.mark.parametrize("since", [0, 1.5])
def test_an_entry_from_a_session_that_was_begun_without_a_door_is_without_a_door_and_of_who_began_it(
    since: float,
) -> None:
    """`accessKeyId` of a call is that of its session, which the answer of AssumeRole has: AWS's userIdentity page.

    A foreign repository comes, perhaps before the period, and goes on by another role.
    """
    world, provider = two_keys(), GITHUB.replace(STAGE, HUB)
    world.role("other", world.hub, document(trusts(CI)))
    world.grant("other", world.hub, DEPLOYER)
    replaced(world, "deployer", assumeRolePolicy=document(trusts(f"arn:aws:iam::{HUB}:root")))
    said = {"StringLike": {"token.actions.githubusercontent.com:sub": "repo:acme/*"}}
    job = {"Effect": "Allow", "Principal": {"Federated": provider}, "Action": f"sts:{WEB}", "Condition": said}
    replaced(world, "ci", assumeRolePolicy=document(job))
    begun = []
    for repository, hours in (("acme", 0), ("octo", 1)):
        by = {**JOB, "userName": f"repo:{repository}/app:ref:refs/heads/main", "identityProvider": provider}
        record = entry(CI_SESSION, arn(HUB, "role/ci"), at(0, hours), eventName=WEB, userIdentity=by)
        begun.append(in_session(record, "", f"ASIA{repository}"))
    found = compared(
        world,
        *begun,
        in_session(entry(CI_SESSION, DEPLOYER, at(0, 2)), "ASIAacme", "ASIA2"),
        in_session(entry(CI_SESSION, arn(HUB, "role/other"), at(0, 3)), "ASIAocto", "ASIA3"),
        in_session(entry(f"arn:aws:sts::{HUB}:assumed-role/other/run-2", DEPLOYER, at(0, 4)), "ASIA3", "ASIA4"),
        start=DAY + timedelta(hours=since),
        learning_days=2,
    )
    assert [one.use.key for one in found.population if one.doors][-1] == "ASIA2"
    (came,) = [said for _, said in to_look_at(found.answers, found)[0] if "-> role deployer" in said]
    assert " as run-2, begun by GitHub repo:octo/app:ref:refs/heads/main -> role deployer " in came
    assert came.endswith(": session begun without a door")
    by_octo = compared(world, *begun, in_session(entry(CI_SESSION, DEPLOYER, at(0, 2)), "ASIAocto", "ASIA5"))
    so = [door_use(one) for one in by_octo.doors if one.usage is Usage.BEGUN_SO]
    assert [one.partition(", ")[2] for one in so] == ["1 time, as run-1, last 2026-09-01 11:00 UTC"]
    (who, *_) = entered(found.answers, found)
    assert who == "GitHub repo:octo/app:ref:refs/heads/main"
    ((_, line),) = found.sheet.lines
    assert "(no permissions, not known)" in line, "what one role may do is said beside another of which it is not known"


def test_a_session_of_an_account_of_which_no_role_is_shown_is_not_said_to_have_begun_without_a_door() -> None:
    """Of one stack's state, nobody knows whether the role of the other account trusts the repository that comes."""
    world, ci = World(), arn(HUB, "role/ci")
    world.resources.remove(world.hub)
    world.role("deployer", world.stage, document(trusts(ci)))
    by = {**JOB, "identityProvider": GITHUB.replace(STAGE, HUB)}
    begun = entry(CI_SESSION, ci, at(0), eventName=WEB, userIdentity=by)
    came = in_session(entry(CI_SESSION, DEPLOYER, at(0, 1)), "ASIA1", "ASIA2")
    found = compared(world, in_session(begun, "", "ASIA1"), came, from_states=True)
    (deployed,) = [one for one in found.population if one.use.key == "ASIA2"]
    assert (len(deployed.doors), deployed.unmet) == (1, ())


def test_what_runs_at_a_service_is_who_came_as_the_service_only_hands_its_role_on() -> None:
    """An instance has its role's keys from EC2, whose AssumeRole is in the log as well.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
    """
    world = two_keys()
    world.role("patcher", world.hub)
    by = {"type": "AWSService", "invokedBy": "ec2.amazonaws.com"}
    session = f"arn:aws:sts::{HUB}:assumed-role/patcher/i-1"
    handed = entry(session, arn(HUB, "role/patcher"), at(0), userIdentity=by)
    found = compared(
        world, in_session(handed, "", "ASIA1"), in_session(entry(session, DEPLOYER, at(1)), "ASIA1", "ASIA2")
    )
    assert next(iter(entered(found.answers, found))) == "role patcher of management"
    ((_, line),) = found.sheet.lines
    assert line.startswith("role patcher of management as i-1 -> role deployer of ")


@pytest.mark.parametrize("used", [False, True])
def test_doors_without_a_record_of_use_that_differ_in_the_account_alone_are_one_line(used: bool) -> None:
    entered = [entry(CI_SESSION, DEPLOYER, at(0))] * used
    (one,) = (
        one
        for one in compared(two_keys(), *entered, read_event(HUB, at(0))).doors
        if one.door.target.who.name == "deployer"
    )
    there = replace(
        one.door, target=replace(one.door.target, who=Who("role", PROD, "deployer"), account_name=f"prod ({PROD})")
    )
    lines = [said.partition(", 1 time")[0] for _, said in uses([one, replace(one, door=there)], ", ".join)]
    of, places = f"role ci of management ({HUB}) -> role deployer of", (STAGE, f"prod ({PROD})")
    assert lines == ([f"{of} {place}" for place in places] if used else [f"{of} {STAGE}, prod"])


def in_a_session(name: str = "s", **changes: Any) -> dict[str, Any]:
    """A call by a session of the deployer that began with the call before it.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
    """
    path, attributes = changes.pop("path", ""), {"creationDate": changes.pop("began", at(1))}
    issuer = {"type": "Role", "arn": arn(STAGE, f"role/{path}deployer"), "accountId": STAGE, "userName": "deployer"}
    identity = {
        "type": "AssumedRole",
        "principalId": f"AROAEXAMPLE:{name}",
        "arn": f"arn:aws:sts::{STAGE}:assumed-role/deployer/{name}",
        "accountId": STAGE,
        "accessKeyId": "ASIA1",
        "sessionContext": {"attributes": attributes, "sessionIssuer": issuer, **changes.pop("context", {})},
        **changes,
    }
    return called(STAGE, at(1, 1), "ListUsers", userIdentity=identity)


def with_session(*records: dict[str, Any], covered: tuple[str, ...] = (HUB, STAGE)) -> Comparison:
    return compared(two_keys(), read_event(STAGE, at(0)), read_event(HUB, at(0)), *records, covered=covered)


@pytest.mark.parametrize("covered", [(HUB, STAGE), ()])
def test_a_session_whose_assume_role_is_in_no_record_perhaps_came_by_each_door_into_its_role(
    covered: tuple[str, ...],
) -> None:
    found = with_session(in_a_session(), in_a_session(), covered=covered)
    assert (usage(found)["deployer"], found.entries) == (Usage.PERHAPS, 1)
    assert whys(found)[0][0] == "its AssumeRole is in no record"
    assert "1 session whose AssumeRole is in no record, 1 unusual" in headline(read(two_keys().graph), found)
    assert found.is_noteworthy


def test_a_session_whose_assume_role_is_in_no_record_is_without_a_door_where_its_role_has_none() -> None:
    """A role in no state, as a tool or somebody at the console made it."""
    issuer = {"sessionIssuer": {"type": "Role", "arn": arn(STAGE, "role/x")}, "attributes": {"creationDate": at(1)}}
    found = with_session(in_a_session(sessionContext=issuer))
    assert "1 entry (0 by a door, 1 without a door), 1 session whose" in headline(read(two_keys().graph), found)
    assert [use.role for use in found.undeclared] == ["x"]
    (((labels, said), *_), _) = to_look_at(read(two_keys().graph), found)
    assert labels == "without a door, unusual"
    assert "its AssumeRole is in no record" in said


def not_begun(found: Comparison) -> bool:
    return "1 session whose AssumeRole is in no record" in headline(found.answers, found)


def test_a_session_that_began_before_the_period_is_said_at_the_top_and_perhaps_came_by_each_door_into_its_role() -> (
    None
):
    found = with_session(in_a_session(began=at(-1)))
    assert (usage(found)["deployer"], found.entries, not_begun(found)) == (Usage.PERHAPS, 1, False)
    said = "1 session that began before the period was at work (role deployer of 222222222222, as s)"
    assert said in headline(read(two_keys().graph), found)
    assert found.population[0].perhaps == "the session began before the period, and nothing shows who began it"
    assert whys(found) == []
    issuer = {"sessionIssuer": {"type": "Role", "arn": arn(STAGE, "role/x")}, "attributes": {"creationDate": at(-1)}}
    found = with_session(in_a_session(sessionContext=issuer))
    assert (len(found.earlier), found.entries) == (1, 0)
    assert found.apart == {"sessions that began before the period, of roles without a door": 1}


BY_ASIA2 = {"responseElements": {"credentials": {"accessKeyId": "ASIA2"}}}


@pytest.mark.parametrize(
    ("changes", "entered", "begun"),
    [
        ({}, at(1, 0.2), False),
        ({"began": at(1, 0.21)}, at(1, 0.2), True),  # with the call, as of a service that hands on keys of its own
        ({"accessKeyId": ""}, at(1, 0.2), True),  # "for security reasons", says AWS's page
        ({"began": None}, at(1, 0.2), True),
        ({"sessionCredentialFromConsole": "true"}, at(1, 0.2), True),
        ({"sessionCredentialFromConsole": "true"}, at(0, 20), False),  # the role's sessions last an hour
        ({"sessionCredentialFromConsole": "true"}, at(1, 0.8), False),  # it was there before
        ({"name": "i-0123456789abcdef0"}, at(1, 0.2), False),  # as anybody may name one, with no key of an instance
    ],
)
def test_a_session_that_takes_the_name_of_another_is_known_by_its_access_key(
    changes: dict[str, Any], entered: str, begun: bool
) -> None:
    """`accessKeyId`: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html

    The console has keys of its own: `sessionCredentialFromConsole`,
    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
    """
    console = {key: changes.pop(key) for key in [*changes] if key == "sessionCredentialFromConsole"}
    call = in_a_session(**{"name": "session", "began": at(1, 0.5), **changes}) | console
    found = with_session(entry(CI_SESSION, DEPLOYER, entered, **BY_ASIA2), call)
    assert (found.entries, not_begun(found)) == ((1, False) if begun else (2, True))


@pytest.mark.parametrize(
    "records",
    [
        [in_a_session("i-0123456789abcdef0", context={"ec2RoleDelivery": "2.0"})],
        [in_a_session(path="aws-service-role/x.amazonaws.com/")],
        [in_a_session(invokedBy="cloudformation.amazonaws.com")],
        [in_a_session(inScopeOf={"issuerType": "AWS::Lambda::Function"})],
        [entry(CI_SESSION, DEPLOYER, at(1)), in_a_session("session")],
        [
            entry(CI_SESSION, DEPLOYER, at(1), responseElements={"credentials": {"accessKeyId": "ASIA1"}}),
            in_a_session("another"),
        ],
    ],
)
def test_a_session_that_a_service_or_a_record_explains_is_no_entry_of_its_own(records: list[dict[str, Any]]) -> None:
    found = with_session(*records)
    assert not not_begun(found)
    assert found.entries == len(records) - 1
    assert "a session" not in str(whys(found))


def test_a_user_with_an_access_key_whom_a_state_shows_is_usual() -> None:
    world = two_keys()
    world.add("User", "zoe", world.stage, name="zoe", uniqueId="AIDAZOE")
    assert compared(world, called(STAGE, at(0), "ListUsers", "zoe")).unusual == ()


UNKNOWN = " calls with an access key of a user that nothing read shows"


@pytest.mark.parametrize(
    ("user", "event", "changes", "unusual", "apart"),
    [
        ("", "CreateAccessKey", {}, ["call as the root user, 2 times"], {}),
        ("", "x", {"errorCode": "No"}, ["call as the root user, 2 times", "failed attempt: No"], {}),
        ("", "RotateKey", {"eventType": "AwsServiceEvent"}, [], {}),
        (
            "zoe",
            "CreateUser",
            {},
            [f"CreateUser{UNKNOWN}, 2 times"],
            {"CreateUser calls of user zoe of S with an access key": 2},
        ),
        (
            "zoe",
            "GetSessionToken",
            {},
            [f"GetSessionToken{UNKNOWN}, 2 times"],
            {"GetSessionToken calls of user zoe of S with an access key": 2},
        ),
        ("zoe", "ListUsers", {}, [f"other{UNKNOWN}, 3 times"], {"other calls of user zoe of S with an access key": 3}),
    ],
)
def test_calls_of_the_root_user_are_unusual_and_those_with_a_user_s_key_are_counted_apart(
    user: str, event: str, changes: dict[str, Any], unusual: list[str], apart: dict[str, int]
) -> None:
    """https://docs.aws.amazon.com/securityhub/latest/userguide/cloudwatch-controls.html#cloudwatch-1."""
    found = compared(two_keys(), *(called(STAGE, at(day), event, user, **changes) for day in (0, 1, 1)))
    assert [why for one in found.unusual for why in one.why] == unusual
    assert found.apart == {what.replace(" S ", f" {STAGE} "): count for what, count in apart.items()}
    assert compared(two_keys(), called(PROD, at(0), event, user, **changes)).unusual == ()


@pytest.mark.parametrize("issuer", ["IAMUser", "Root"])
@pytest.mark.parametrize("kind", ["FederatedUser", "IAMUser"])
def test_temporary_credentials_of_a_user_that_nothing_shows_and_of_the_root_user_are_unusual(
    kind: str, issuer: str
) -> None:
    """https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html."""
    made_by = arn(STAGE, "root" if issuer == "Root" else "user/zoe")
    session = {"sessionIssuer": {"type": issuer, "arn": made_by, "accountId": STAGE}}
    own = f"arn:aws:sts::{STAGE}:federated-user/x" if kind == "FederatedUser" else made_by
    told = {"type": issuer if kind == "IAMUser" else kind, "arn": own, "accountId": STAGE, "accessKeyId": "ASIA1"}
    call = called(STAGE, at(1), "DeleteBucket", userIdentity={**told, "sessionContext": session})
    found = compared(two_keys(), call, signed_in(STAGE, at(0), "zoe"))
    said = "calls with temporary credentials of a user that nothing read shows, 1 time"
    as_root = issuer == "Root"
    whys_of = [[said], ["call as the root user, 1 time"]][as_root]
    assert [one for why in whys(found) for one in why if "sign-in" not in one] == whys_of
    assert [one.use.event for one in found.unusual] == [
        *(["DeleteBucket"] if as_root else []),  # what the root user did comes first
        "ConsoleLogin",
        *([] if as_root else ["DeleteBucket"]),
    ]
    counted = {} if as_root else {f"calls of user zoe of {STAGE} with temporary credentials": 1}
    assert {what: count for what, count in found.apart.items() if "sign-in" not in what} == counted


def test_named_callers_without_a_door_are_first_and_sessions_that_nobody_is_seen_to_begin_are_last() -> None:
    """A terminal shows the first twelve lines, and a trail that logs writes only has no AssumeRole of any job: the
    sessions of a role are one line then, but for those of IAM Identity Center, each of which is a person. Its roles
    have a path that only AWS gives.

    https://docs.aws.amazon.com/singlesignon/latest/userguide/logging-using-cloudtrail.html
    https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html
    """
    world, ann = two_keys(), arn(HUB, "user/ann")
    world.add("User", "ann", world.hub, name="ann")
    world.add("UserPolicy", "ann", world.hub, user="ann", policy=document(grants(arn(STAGE, "role/reader"))))
    world.role("reader", world.stage, document(trusts(ann, condition=MFA)))
    request = {"roleArn": arn(STAGE, "role/reader")}
    path = "role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_0123456789abcdef"
    admin = {"sessionIssuer": {"type": "Role", "arn": arn(STAGE, path)}, "attributes": {"creationDate": at(1)}}
    copy = {"type": "Role", "arn": arn(STAGE, path.replace("aws-reserved/sso.amazonaws.com", "ops"))}
    records = [
        entry(CI_SESSION, DEPLOYER, at(0)),
        called(STAGE, at(1), "DeleteBucket"),
        entry(ann, "", at(2), userIdentity=caller("false"), requestParameters=request),
        entry(arn(HUB, "user/eve"), DEPLOYER, at(3)),
        called(STAGE, at(4), "StopLogging", "zoe", eventSource="cloudtrail.amazonaws.com"),
        *(in_a_session(name, sessionContext=admin) | {"eventID": name} for name in ("kim", "lee")),
        in_a_session("pat", sessionContext={**admin, "sessionIssuer": copy}) | {"eventID": "pat"},
    ]
    for number in range(9):
        changes = {"eventID": f"run-{number}", "sourceIPAddress": f"192.0.2.{number}"}
        records.append(in_a_session(f"run-{number}") | changes)
    lines, _ = to_look_at(read(world.graph), compared(world, *records))
    who = [said.partition(" UTC ")[2].partition(" of ")[0].partition(" -> ")[0] for _, said in lines]
    *named, kim, lee, jobs, copied = who
    assert named == ["user eve", "root user", "user zoe", "user ann", "role ci"]
    assert {kim, lee} == {f"Identity Center user {name}, by the session's name" for name in ("kim", "lee")}
    assert jobs.startswith("somebody who is not named as run-")
    assert copied == "somebody who is not named as pat"
    why = "the record does not name the caller; its AssumeRole is in no record"
    assert lines[-2][1].endswith(f"from 9 addresses, in sessions run-0, run-1 and 7 more: {why}")


def deployer(found: Comparison) -> DoorUse:
    return next(one for one in found.doors if one.door.target.who.name == "deployer")


@pytest.mark.parametrize(
    ("made", "said", "counted_from"),
    [
        (OF_OLD, Usage.NEVER, 0),
        (Since(None, LONG_AGO), Usage.NEVER, 0),  # imported
        (Since(LONG_AGO, DAY + timedelta(days=8)), Usage.NEVER, 8),  # opened then, or only tagged
        (Since(LONG_AGO, DAY + timedelta(days=10)), Usage.NOT_KNOWN, None),
        (Since(DAY + timedelta(days=10), DAY + timedelta(days=10)), Usage.LATER, 10),
    ],
)
def test_no_record_of_use_counts_from_when_the_last_key_can_have_come(
    made: Since, said: Usage, counted_from: int | None
) -> None:
    found = compared(two_keys(), *READS, made=made)
    door = deployer(found)
    since = door.covered[0] if door.covered else None
    assert (door.usage, since) == (said, None if counted_from is None else DAY + timedelta(days=counted_from % 10))
    assert deployer(compared(two_keys(), *READS, made=made, covered=())).usage is Usage.NOT_KNOWN


TRUST, ANOTHER = document(trusts(CI)), document(trusts(arn(HUB, "role/other")))
TRUSTED = {"roleName": "deployer", "policyDocument": TRUST}
GRANTED = {"roleName": "ci", "policyName": "grant", "policyDocument": document(grants(DEPLOYER))}


@pytest.mark.parametrize(
    ("made", "covered", "calls", "since", "usage"),
    [
        # IAM keeps no time of a change: where its records are whole, the last of them is the last that there was
        (Since(LONG_AGO), 2, [], Since(LONG_AGO, DAY), Usage.NEVER),
        (Since(LONG_AGO), 1, [], Since(LONG_AGO), Usage.NOT_KNOWN),
        (Since(LONG_AGO), 2, [("UpdateAssumeRolePolicy", TRUSTED)], Since(LONG_AGO, CHANGED), Usage.NEVER),
        (Since(LONG_AGO), 2, [("PutRolePolicy", GRANTED)], Since(LONG_AGO, CHANGED), Usage.NEVER),
        (Since(LONG_AGO), 2, [("DeleteRolePolicy", GRANTED)], Since(LONG_AGO), Usage.NOT_KNOWN),  # and it is there
        # where they are not, it has to be what the call wrote
        (Since(LONG_AGO), 0, [("UpdateAssumeRolePolicy", TRUSTED), ("PutRolePolicy", GRANTED)],
         Since(LONG_AGO, CHANGED), Usage.NOT_KNOWN),
        (Since(LONG_AGO), 0, [("UpdateAssumeRolePolicy", TRUSTED | {"policyDocument": ANOTHER})],
         Since(LONG_AGO, None, CHANGED), Usage.NOT_KNOWN),
        # what a state says is not older than a record of the same
        (OF_OLD, 2, [], OF_OLD, Usage.NEVER),
        (OF_OLD, 2, [("UpdateAssumeRolePolicy", TRUSTED)], Since(LONG_AGO, CHANGED), Usage.NEVER),
        (OF_OLD, 2, [("UpdateAssumeRolePolicy", TRUSTED | {"policyDocument": ANOTHER})], OF_OLD, Usage.NEVER),
        (Since(LONG_AGO, DAY + timedelta(days=8)), 2, [("UpdateAssumeRolePolicy", TRUSTED)],
         Since(LONG_AGO, DAY + timedelta(days=8)), Usage.NEVER),
    ],
)  # fmt: skip
def test_the_last_recorded_change_of_a_key_dates_it(
    made: Since, covered: int, calls: list[tuple[str, dict[str, Any]]], since: Since, usage: Usage
) -> None:
    """`CreateDate` is all that IAM keeps: https://docs.aws.amazon.com/IAM/latest/APIReference/API_RoleDetail.html."""
    of = {"UpdateAssumeRolePolicy": STAGE}
    records = [called(of.get(name, HUB), at(5), name, "eve", requestParameters=asked) for name, asked in calls]
    found = compared(two_keys(), *records, *READS, covered=(STAGE, HUB)[:covered], made=made)
    (way,) = [way for way, _ in found.ways if way.target.who.name == "deployer"]
    assert (way.since, deployer(found).usage) == (since, usage)


def test_records_that_end_before_iam_was_read_do_not_tell_that_nothing_was_changed() -> None:
    for hours, said in ((1, Usage.NEVER), (9, Usage.NOT_KNOWN)):
        trail = Trail(coverage=Coverage(("us-east-1",)))
        for account in (HUB, STAGE):
            trail.add(read_event(account, at(9)), delivered=True)
            trail.coverage.asked(account, "us-east-1", DAY, DAY + timedelta(days=9))
        answers = replace(read(of_old(two_keys(), Since(LONG_AGO)).graph), evidence=(Evidence("live", at(9, hours)),))
        door = deployer(compare(into(answers, STAGE), trail))
        assert (door.usage, "nothing dates trust policy of role deployer" in door.not_known) == (said, hours == 9)


def test_a_used_door_tells_its_sessions() -> None:
    world = two_keys()
    for one in world.resources:
        world.change(one, since=Since(DAY + timedelta(days=1), DAY + timedelta(days=1)))
    build = "b3f2c8a1-9d4e-4f7a-8c6b-2e1f5a3d9b7c"
    sessions = [CI_SESSION.replace("run-1", f"run-{number}") for number in (1, build, build, 3, 4)]
    records = [entry(session, DEPLOYER, at(day)) for day, session in enumerate(sessions)]
    records[0]["requestParameters"] |= {"sourceIdentity": "ann"}
    (door,) = [one for one in compared(world, *records).doors if one.count]
    assert (door.count, door.sessions) == (5, ["run-1", f"run-{build}", "run-3", "run-4"])
    assert ", 5 times, as run-1, run-b3f2c8a1-… and 2 more, for ann, last 2026-09-05" in door_use(door)


def test_the_first_entry_into_a_role_is_unusual_after_the_learning_period_only() -> None:
    assert whys(compared(two_keys(), entry(CI_SESSION, DEPLOYER, at(13)), learning_days=14)) == []
    assert whys(compared(two_keys(), entry(CI_SESSION, DEPLOYER, at(14)), learning_days=14)) == [
        ("this principal's first entry into this role",)
    ]
    twice = compared(
        two_keys(), entry(CI_SESSION, DEPLOYER, at(13)), entry(CI_SESSION, DEPLOYER, at(15)), learning_days=14
    )
    assert whys(twice) == []


def test_what_is_usual_is_learned_from_entries_into_accounts_that_are_not_asked_for_too() -> None:
    roles = ((DEPLOYER, "192.0.2.1"), (arn(PROD, "role/other"), "192.0.2.2"), (DEPLOYER, "192.0.2.2"))
    records = [entry(CI_SESSION, role, at(day), sourceIPAddress=one) for day, (role, one) in enumerate(roles)]
    first = ("this principal's first entry into this role",)
    assert whys(compared(two_keys(), *records)) == [first]
    assert whys(compared(two_keys(), records[0], records[2])) == [
        first,
        ("new source address 192.0.2.2 for this principal",),
    ]


def test_a_user_that_no_state_shows_is_said_with_who_made_it_where_the_records_have_that() -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html."""
    made = called(STAGE, at(1), "CreateUser", "eve", requestParameters={"userName": "svc"})
    own = {"type": "IAMUser", "accountId": STAGE, "userName": "svc", "arn": arn(STAGE, "user/svc")}
    used = called(STAGE, at(2), "ListBuckets", "svc", eventSource="s3.amazonaws.com")
    used["userIdentity"] = {**own, "accessKeyId": "AKIASVC"}
    for records, said in (
        ((made, used), f"of a user whom user eve of {STAGE} made 2026-09-02 09:00 UTC and no state shows, 1 time"),
        ((used,), "of a user that nothing read shows, 1 time"),
    ):
        (one,) = [one for one in compared(two_keys(), *records).unusual if one.use.caller.who.name == "svc"]
        assert one.why == (f"other calls with an access key {said}",)


def test_what_is_usual_is_learned_from_the_records_before_the_period_too_and_the_top_says_from_when_on() -> None:
    answers, trail = read(two_keys().graph), Trail()
    for day in (0, 16, 18):
        trail.add(entry(CI_SESSION, DEPLOYER, at(day), sourceIPAddress=f"192.0.2.{day // 18}"))
    other = entry(CI_SESSION.replace("/ci/", "/other/"), DEPLOYER, at(16))
    for days, unusual, since in ((14, 2, ""), (17, 1, " (habits judged from 2026-09-18 09:00 UTC on)"), (30, 0, None)):
        trail.add(other)
        found = compare(into(answers, STAGE), trail, DAY + timedelta(days=15), learning_days=days)
        assert len(found.unusual) == unusual
        said = "all of the period only teaches what is usual" if since is None else f"{unusual} unusual{since}"
        assert f"), {said}" in headline(answers, found)


def test_break_glass_is_unusual_at_any_time_by_its_persons_and_what_updates_enter_without_mfa_is_not() -> None:
    """docs/break-glass.md: nobody uses it unnoticed."""
    for condition, unusual in ((MFA, 3), (None, 0)):
        world, ann = root_sessions(), arn(HUB, "user/ann")
        world.add("User", "ann", world.hub, name="ann", arn=ann)
        replaced(world, "ci", assumeRolePolicy=document(trusts(ann, condition=condition)))
        begun = {"recipientAccountId": HUB, "responseElements": {"credentials": {"accessKeyId": "ASIA1"}}}
        root = {"eventName": "AssumeRoot", "requestParameters": {"targetPrincipal": STAGE}}
        after = entry(CI_SESSION, DEPLOYER, at(0, 1), **root)
        after["userIdentity"] |= {"accessKeyId": "ASIA1"}
        other = entry(CI_SESSION.replace("run-1", "bob"), DEPLOYER, at(2), **root)
        alone = entry(ann, CI, at(1), recipientAccountId=HUB)
        records = entry(ann, CI, at(0), **begun), after, alone, other
        found = compared(world, *records, target=None, learning_days=14)
        assert whys(found) == [("entry by break-glass",)] * unusual
        assert [one.use.time.day for one in found.unusual] == [1, 2, 3][:unusual]
        into_stage = compared(world, *records, learning_days=14)
        assert [one.use.time.day for one in into_stage.unusual] == [1, 3][:unusual], "of an account, who entered it"
    replaced(world, "ci", assumeRolePolicy=document(trusts(ann, condition=MFA)))
    people = [entry(CI_SESSION.replace("run-1", who), "", at(day), **root) for day, who in enumerate(("ann", "bob"))]
    first = ("entry by break-glass", "this principal's first entry into this role")
    assert whys(compared(world, *people)) == [first, first]


def test_where_all_of_the_period_only_teaches_what_is_usual_it_is_not_said_that_nothing_is_unusual() -> None:
    ever = "all of the period only teaches what is usual"
    world = two_keys()
    answers = read(world.graph)
    failed = denied(f"arn:aws:iam::{HUB}:user/ann", DEPLOYER, at(1))
    for records, said in (([], ever), ([failed], f"1 unusual, {ever}")):
        found = compared(world, entry(CI_SESSION, DEPLOYER, at(0)), *records, learning_days=14)
        top = f"CloudTrail of us-east-1 only: 1 entry (1 by a door, 0 without a door), {said}"
        assert headline(answers, found).startswith(top)
    found = compared(world, entry(CI_SESSION, DEPLOYER, at(0)), learning_days=0)
    assert ever not in headline(answers, found)


def test_a_new_source_address_and_a_new_region_are_unusual_for_one_who_entered_before() -> None:
    before = entry(CI_SESSION, DEPLOYER, at(0))
    moved = entry(CI_SESSION, DEPLOYER, at(20), sourceIPAddress="198.51.100.7", awsRegion="eu-central-1")
    again = entry(CI_SESSION, DEPLOYER, at(21), sourceIPAddress="198.51.100.7", awsRegion="eu-central-1")
    found = compared(two_keys(), before, moved, again, learning_days=14)
    assert whys(found) == [
        ("new source address 198.51.100.7 for this principal", "new region eu-central-1 for this principal")
    ]


def test_whoever_came_from_ever_new_addresses_has_none_that_is_usual() -> None:
    """Hosted runners come from another address each time; five runs, most of them from a new one, show it.

    A run that enters two accounts is one: what is asked of one account and of all has the same answer.
    """
    for days, of_days, unusual in ((5, 1, False), (4, 1, True), (6, 2, True), (7, 1.5, False)):
        runs = [
            entry(CI_SESSION, DEPLOYER, at(day + again / 100), sourceIPAddress=f"192.0.2.{day // of_days}")
            for day in range(days)
            for again in range(2)
        ]
        found = compared(two_keys(), *runs, entry(CI_SESSION, DEPLOYER, at(20)), learning_days=14)
        assert bool(found.unusual) is unusual, (days, of_days)


def test_runs_of_one_subject_of_an_identity_provider_without_a_door_are_one_line() -> None:
    """https://docs.github.com/en/actions/concepts/security/openid-connect (each run has a session and address)."""
    runs = [
        entry(f"arn:aws:iam::{OUTSIDE}:user/x", DEPLOYER, at(day), eventName=WEB, sourceIPAddress=f"192.0.2.{day}")
        | {"userIdentity": JOB, "requestParameters": {"roleArn": DEPLOYER, "roleSessionName": f"run-{day}"}}
        for day in range(22)
    ]
    ((what, said),), _ = to_look_at(read(two_keys().graph), compared(two_keys(), *runs, learning_days=14))
    assert what.startswith("without a door (22)")
    assert "the last of 22" in said


def test_who_had_no_door_is_first_the_strongest_role_before_others_and_then_what_came_from_their_address() -> None:
    world, admin = two_keys(granted=False), arn(STAGE, "role/admin")
    world.role("admin", world.stage, document(trusts(CI)), managedPolicyArns=["arn:aws:iam::aws:policy/IAMFullAccess"])
    world.grant("ci", world.hub, DEPLOYER, admin)
    found = compared(
        world,
        denied(arn(HUB, "user/ann"), DEPLOYER, at(1)),
        entry(arn(HUB, "user/eve"), DEPLOYER, at(2), sourceIPAddress="198.51.100.7"),
        entry(arn(HUB, "user/eva"), admin, at(3), sourceIPAddress="198.51.100.7"),
        denied(arn(HUB, "user/bob"), DEPLOYER, at(4)) | {"sourceIPAddress": "198.51.100.7"},
    )
    answers = read(world.graph)
    rows = [said.partition(" UTC user ")[2][:3] for _, said in to_look_at(answers, found)[0]]
    assert rows == ["eva", "eve", "bob", "ann"]
    came = {
        who[:8]: {level.word: count for (level, _), count in levels.items()}
        for who, (levels, _) in entered(answers, found).items()
    }
    assert list(came.items()) == [("user eva", {"administrator": 1}), ("user eve", {"no permissions": 1})]


def test_new_addresses_are_one_line_and_behind_first_entries_and_what_people_do() -> None:
    ci, ann, eve = CI_SESSION.replace(HUB, OUTSIDE), arn(OUTSIDE, "user/ann"), arn(OUTSIDE, "user/eve")
    world, vendor = World(), arn(STAGE, "role/vendor")
    world.role("vendor", world.stage, document(trusts(arn(OUTSIDE, "root"))))
    usual = [entry(who, vendor, at(hour / 24)) for hour in range(240) for who in (ci, ann)]
    moved = [entry(ci, vendor, at(20 + day), sourceIPAddress=f"198.51.100.{day}") for day in range(20)]
    late = [entry(who, vendor, at(50), sourceIPAddress="203.0.113.9") for who in (ann, eve)]
    found = compared(world, *usual, *moved, *late, learning_days=14)
    assert len(found.unusual) == 22
    lines, _ = to_look_at(read(world.graph), found)
    assert [said.partition(" UTC ")[2].partition(" of ")[0] for _, said in lines] == ["user eve", "user ann", "role ci"]
    assert lines[-1][1].endswith(": 20 new source addresses for this principal")


def test_what_is_usual_is_each_principal_s_own_by_unique_id_where_nothing_names_it() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html (of a call across accounts)."""
    first = ("this principal's first entry into this role",)
    other = CI_SESSION.replace("/ci/", "/other/")
    named = compared(two_keys(), entry(CI_SESSION, DEPLOYER, at(0)), entry(other, DEPLOYER, at(20)), learning_days=14)
    assert whys(named) == [first]
    told = [{"type": "AWSAccount", "accountId": HUB, "principalId": f"AROA{name}:x"} for name in ("ONE", "ONE", "TWO")]
    calls = [entry(CI_SESSION, DEPLOYER, at(10 * number), userIdentity=one) for number, one in enumerate(told)]
    assert [one.use.unique_id for one in compared(two_keys(), *calls, learning_days=7).unusual] == ["AROATWO"]


def test_two_hours_from_every_usual_hour_is_unusual_round_the_clock_and_one_hour_is_not() -> None:
    usual = [entry(CI_SESSION, DEPLOYER, at(day, hours=14)) for day in range(10)]  # 23 o'clock UTC
    for hours, unusual in ((15, False), (16, True), (13, False), (12, True)):
        found = compared(two_keys(), *usual, entry(CI_SESSION, DEPLOYER, at(20, hours)), learning_days=14)
        assert bool(found.unusual) is unusual, hours
    few = compared(two_keys(), *usual[1:], entry(CI_SESSION, DEPLOYER, at(20)), learning_days=14)
    assert few.unusual == (), "nine entries are too few to know what is usual"


def test_a_failed_attempt_is_unusual_at_any_time_and_teaches_nothing() -> None:
    ann = f"arn:aws:iam::{HUB}:user/ann"
    found = compared(two_keys(), denied(ann, DEPLOYER, at(0)), learning_days=14)
    assert whys(found) == [("failed attempt: AccessDenied",)]
    assert (found.entries, usage(found)["deployer"]) == (0, Usage.NEVER)
    after = compared(two_keys(), denied(CI_SESSION, DEPLOYER, at(0)), entry(CI_SESSION, DEPLOYER, at(20)))
    assert whys(after)[1] == ("this principal's first entry into this role",)


@pytest.mark.parametrize(
    ("by", "said"), [("eve", ", with access key AKIA1, which user eve of management made "), ("ann", "")]
)
def test_a_failed_attempt_says_by_whose_call_the_access_key_is_that_somebody_else_made(by: str, said: str) -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccessKey.html."""
    failed = denied(f"arn:aws:iam::{HUB}:user/ann", DEPLOYER, at(1))
    failed["userIdentity"] |= {"accessKeyId": "AKIA1"}
    made = {"responseElements": {"accessKey": {"userName": "ann", "accessKeyId": "AKIA1"}}}
    key = called(HUB, at(0), "CreateAccessKey", by, requestParameters={"userName": "ann"}, **made)
    found = compared(two_keys(), key, failed)
    why = next(why for one in found.unusual for why in one.why if why.startswith("failed"))
    assert why == f"failed attempt: AccessDenied{said and said + '2026-09-01 09:00 UTC'}"


def test_an_entry_by_an_access_key_that_somebody_else_made_is_unusual_at_any_time_and_says_by_whom() -> None:
    """A session of GetSessionToken is its user's: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html."""
    ann, made = f"arn:aws:iam::{HUB}:user/ann", {"accessKey": {"userName": "ann", "accessKeyId": "AKIA1"}}
    world = two_keys()
    world.role("hop", world.hub, document(trusts(ann)))
    key = called(HUB, at(0), "CreateAccessKey", "eve", requestParameters={"userName": "ann"}, responseElements=made)
    answer = {"responseElements": {"credentials": {"accessKeyId": "ASIATOKEN"}}}
    token = called(HUB, at(1), "GetSessionToken", "ann", eventSource="sts.amazonaws.com", **answer)
    token["userIdentity"] |= {"accessKeyId": "AKIA1"}
    hop = entry(f"arn:aws:sts::{HUB}:assumed-role/hop/ann", DEPLOYER, at(1, 4))
    records = [
        in_session(entry(ann, DEPLOYER, at(1, 1)), "AKIA1", "ASIA1"),
        in_session(entry(ann, DEPLOYER, at(1, 2)), "ASIATOKEN", "ASIA2"),
        in_session(entry(ann, arn(HUB, "role/hop"), at(1, 3)), "ASIATOKEN", "ASIA3"),
        in_session(hop, "ASIA3", "ASIA4"),
        in_session(entry(ann, DEPLOYER, at(1, 5)), "AKIA2", "ASIA5"),
    ]
    found = compared(world, key, token, *records, learning_days=14, from_states=True)
    said = "with access key AKIA1, which user eve of management made 2026-09-01 09:00 UTC"
    assert [one.use.key for one in found.unusual if said in one.why] == ["ASIA1", "ASIA2", "ASIA4"]
    of_key = [line for _, line in found.sheet.lines if said in line]
    assert "without a door" in of_key[0], "none is for ann, and both are said"
    (there,) = found.not_in_states
    assert [use.key for use in there.entered] == ["ASIA1", "ASIA2"]
    assert there.came(found.answers).startswith("; entered by it: user ann of management (2), last ")
    assert found.meanwhile(found.answers) == {}, "that it was by the key is said"
    world.add("AccessKey", "own", world.hub, user="ann", id="AKIA1")
    shown = compared(world, key, records[0], learning_days=14, from_states=True)
    assert not [one for one in shown.unusual if said in one.why]


def test_the_order_in_which_records_are_read_makes_no_difference() -> None:
    records = [
        entry(CI_SESSION, DEPLOYER, at(day), sourceIPAddress=f"192.0.2.{day % 3}", awsRegion="us-east-1")
        for day in range(20)
    ]
    assert compared(two_keys(), *records) == compared(two_keys(), *reversed(records))


def by_github(subject: str) -> dict[str, Any]:
    """A job of GitHub that assumed role gha of stage."""
    who = {"type": "WebIdentityUser", "userName": subject, "identityProvider": GITHUB}
    return entry(
        CI_SESSION,
        arn(STAGE, "role/gha"),
        at(0),
        eventName="AssumeRoleWithWebIdentity",
        userIdentity=who,
        eventID=subject,
    ) | {"sharedEventID": None}


@pytest.mark.parametrize(
    ("person", "assigned", "said"),
    [
        ("ann", {"principalType": "USER", "principalId": "u-1"}, Usage.USED),
        ("bob", {"principalType": "USER", "principalId": "u-1"}, None),
        ("ann", {}, Usage.USED),
        ("bob", {}, None),
        ("bob", {"principalId": "g-2"}, Usage.PERHAPS),  # nothing shows a member of that group
        ("bob", {"principalId": "g-3"}, Usage.PERHAPS),  # nor, of this one, the member's name
    ],
)
def test_a_person_of_identity_center_uses_the_door_of_the_assignment_and_another_has_none(
    person: str, assigned: dict[str, str], said: Usage | None
) -> None:
    """https://docs.aws.amazon.com/singlesignon/latest/userguide/identity-center-info-in-cloudtrail.html."""
    world = center(**assigned)
    of_nobody = {"groupId": "g-3", "memberId": "544894e8-80c1-707f-60e3-6361726f6c00"}
    put(world, "aws:identitystore/groupMembership:GroupMembership", "n", world.hub, **of_nobody)
    role = arn(STAGE, "role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_0123456789abcdef")
    provider = arn(STAGE, "saml-provider/AWSSSO_0123456789abcdef_DO_NOT_DELETE")
    record = entry(CI_SESSION, role, at(0), eventName=SAML, userIdentity={**PERSON, "userName": person})
    record["requestParameters"] = {"roleArn": role, "principalArn": provider}
    found = compared(world, record)
    used = [one.usage for one in found.doors if one.door.target.who.name.startswith("AWSReservedSSO_Admin")]
    assert (used, len(found.undeclared)) == ([said or Usage.NEVER], said is None)
    of_no_group = "in no membership of Identity Center group admins that is shown"
    assert (of_no_group in whys(found)[0]) is (said is None and not assigned)


def test_a_session_of_a_permission_set_s_role_in_the_management_account_uses_the_ways_of_that_role() -> None:
    """AWS ends the role's name: https://docs.aws.amazon.com/singlesignon/latest/userguide/permissionsetsconcept.html."""
    world, role = center(world=two_keys(), targetId=HUB), arn(STAGE, "role/OrganizationAccountAccessRole")
    attach(world, "ManagedPolicyAttachment", managedPolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    of_set = f"arn:aws:sts::{HUB}:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/ann"
    found = compared(world, entry(of_set, role, at(0)), entry(of_set.replace("Admin", "Other"), role, at(1)))
    (used,) = [one for one in found.doors if one.door.source.who.name.startswith("AWSReservedSSO_Admin_?")]
    assert (used.usage, used.count) == (Usage.USED, 1)
    assert [use.caller.who.name for use in found.undeclared] == ["AWSReservedSSO_Other_0123456789abcdef"]


def test_a_role_of_identity_center_whose_assignments_nobody_shows_is_entered_by_its_users_in_ways_and_events() -> None:
    """https://docs.aws.amazon.com/singlesignon/latest/userguide/permissionsetsconcept.html"""
    role = arn(STAGE, "role/AWSReservedSSO_Admin_0123456789abcdef")
    provider = arn(STAGE, "saml-provider/AWSSSO_0123456789abcdef_DO_NOT_DELETE")
    asked = {"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}}
    trust = {"Effect": "Allow", "Principal": {"Federated": provider}, "Action": "sts:AssumeRoleWithSAML"}
    world = two_keys()
    world.role("AWSReservedSSO_Admin_0123456789abcdef", world.stage, document({**trust, "Condition": asked}))
    record = entry(CI_SESSION, role, at(0), eventName=SAML, userIdentity={**PERSON, "userName": "ann"})
    record["requestParameters"] = {"roleArn": role, "principalArn": provider}
    found = compared(world, record)
    ((way, use),) = (one for one in found.ways if one[0].target.who.name.startswith("AWSReservedSSO_Admin"))
    assert (use.usage, found.undeclared) == (Usage.USED, ())
    assert (way.source.short, found.population[0].use.caller.short) == (
        "Identity Center user *",
        "Identity Center user ann",
    )
    assert "aws sso-admin list-account-assignments" in way.why


def test_a_job_uses_the_door_of_its_repository_and_another_has_none() -> None:
    world = World()
    condition = {
        "StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"},
        "StringLike": {"token.actions.githubusercontent.com:sub": "repo:acme/app:*"},
    }
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": GITHUB},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": condition,
    }
    world.role("gha", world.stage, document(statement))
    found = compared(world, by_github("repo:acme/app:ref:refs/heads/main"), by_github("repo:acme/other:ref:x"))
    assert usage(found)["gha"] is Usage.USED
    assert [use.caller.who.name for use in found.undeclared] == ["GitHub repo:acme/other:ref:x"]


def test_a_month_that_has_begun_may_be_asked_for_whole() -> None:
    world, now = two_keys(), datetime.now(UTC)
    trail = Trail(start=now - timedelta(days=2), coverage=Coverage(("us-east-1",)))
    trail.add(called(STAGE, f"{now:%Y-%m-%dT%H:%M:%SZ}", "CreateUser"), delivered=True)
    for account in (HUB, STAGE):
        trail.coverage.asked(account, "us-east-1", now - timedelta(days=2), now)
    asked = (
        compare(into(read(world.graph), STAGE), trail, trail.start, end) for end in (now, now + timedelta(days=28))
    )
    assert [one.was_read.not_covered for one in asked] == [{}, {}]


@pytest.mark.parametrize("caller", [arn(OUTSIDE, "user/evil"), arn(HUB, "user/mallory")])
def test_whoever_comes_into_a_role_from_which_a_way_leads_on_and_is_no_step_of_it_is_without_a_door(
    caller: str,
) -> None:
    """With their session's key they are through the door behind it, whose record names the role alone."""
    found = compared(two_keys(), entry(caller, CI, at(1)), entry(CI, DEPLOYER, at(2)))
    assert ([one.role for one in found.undeclared], found.entries, found.is_noteworthy) == (["ci"], 1, True)
    service = {**BY_A_SERVICE, "requestParameters": {"roleArn": CI}, "resources": [], "eventTime": at(1)}
    assert compared(two_keys(), service, entry(CI, DEPLOYER, at(2))).undeclared == ()
