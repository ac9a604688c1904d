"""CloudTrail records, as AWS documents them, become uses of roles."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.access.world import World
from tests.audit.cloudtrail import (
    ASSUME_ROOT,
    BY_A_SERVICE,
    CALLER,
    IN_THE_CALLERS_ACCOUNT,
    IN_THE_ROLES_ACCOUNT,
    OWNER,
    ROLE_CHAINING,
    WITH_SAML,
    called,
    denied,
    signed_in,
)
from twokeys.answers.model import Party
from twokeys.answers.reading import read
from twokeys.audit.record import BY_PROVIDER, ENTERING, resolved
from twokeys.audit.trail import Trail
from twokeys.audit.words import used
from twokeys.doors import Who
from twokeys.doors.who import ROLES_ANYWHERE


def trail(*records: dict[str, object]) -> Trail:
    found = Trail()
    for record in records:
        found.add(record)
    return found


def test_a_call_across_accounts_counts_once_and_its_caller_is_told_whichever_record_comes_first() -> None:
    for records in (
        (IN_THE_CALLERS_ACCOUNT, IN_THE_ROLES_ACCOUNT),
        (IN_THE_ROLES_ACCOUNT, IN_THE_CALLERS_ACCOUNT),
        (IN_THE_ROLES_ACCOUNT, IN_THE_CALLERS_ACCOUNT, IN_THE_CALLERS_ACCOUNT),
    ):
        (use,) = trail(*records).uses()
        assert use.caller.who == Who("user", CALLER, "JohnDoe")
        assert use.id == IN_THE_ROLES_ACCOUNT["eventID"], "by which lookup-events of the entered account finds it"
        assert (use.account, use.role, use.region, use.source) == (OWNER, "EC2-dev", "us-east-2", "192.0.2.101")
        assert use.time == datetime(2014, 7, 18, 15, 7, 39, tzinfo=UTC)
        assert use.failed is None


def test_the_roles_account_alone_tells_only_the_callers_account_and_unique_id() -> None:
    (use,) = trail(IN_THE_ROLES_ACCOUNT).uses()
    assert use.caller.who == Who("principal", CALLER)
    assert (use.unique_id, use.caller_session) == ("AIDAQRSTUVWXYZEXAMPLE", None)


def test_a_caller_whom_nobody_signed_in_is_anonymous() -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-request-identification.html"""
    nobody = {"type": "AWSAccount", "principalId": "", "accountId": "ANONYMOUS_PRINCIPAL"}
    (use,) = trail({**IN_THE_ROLES_ACCOUNT, "userIdentity": nobody}).uses()
    assert (str(use.caller), use.caller.short) == ("an anonymous caller", "an anonymous caller")


def test_a_caller_that_is_told_by_its_unique_id_is_found_among_the_known_principals() -> None:
    john = Party(Who("user", CALLER, "JohnDoe"))
    (use,) = trail(IN_THE_ROLES_ACCOUNT).uses()
    assert resolved(use, {"AIDAQRSTUVWXYZEXAMPLE": john}).caller == john
    assert resolved(use, {"AIDASOMEBODYELSE": john}).names_caller is False


def test_a_session_of_a_role_is_the_role_that_issued_it() -> None:
    (use,) = trail(ROLE_CHAINING).uses()
    assert use.caller.who == Who("role", "111111111111", "JohnRole1")
    assert (use.unique_id, use.caller_session) == ("AROAIN5ATK5U7KEXAMPLE", "JohnRole1")
    assert "UTC role JohnRole1 of management (111111111111) as JohnRole1 ->" in used(use, read(World().graph))
    account = {"type": "AWSAccount", "principalId": "AROAIN5ATK5U7KEXAMPLE:JohnRole1", "accountId": "111111111111"}
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html
    carried = {"userIdentity": {**account, "sessionContext": {"sourceIdentity": "john"}}}
    asked = {
        "userIdentity": account,
        "requestParameters": ROLE_CHAINING["requestParameters"] | {"sourceIdentity": "john"},
    }
    for by in (carried, asked):
        (use,) = trail({**ROLE_CHAINING, **by}).uses()
        assert (use.caller_session, use.source_identity) == ("JohnRole1", "john")
        assert "(111111111111) as JohnRole1 for john (AROAIN5ATK5U7KEXAMPLE) ->" in used(use, read(World().graph))


def test_a_root_user_is_called_that_and_not_its_account() -> None:
    # https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html: Root
    root = {"type": "Root", "principalId": CALLER, "arn": f"arn:aws:iam::{CALLER}:root", "accountId": CALLER}
    (use,) = trail({**IN_THE_CALLERS_ACCOUNT, "userIdentity": root}).uses()
    assert str(use.caller) == f"root user of {CALLER}"


def test_services_and_people_of_identity_providers_are_known_apart() -> None:
    service, saml = trail(BY_A_SERVICE, WITH_SAML).uses()
    assert (service.caller.who.kind, service.caller.who.name) == ("service", "ec2.amazonaws.com")
    assert (saml.caller.who, saml.account) == (Who("saml", "", "Shibboleth SamlExample"), "444455556666")


def test_people_of_identity_center_and_jobs_of_github_are_named() -> None:
    by_center = {
        **WITH_SAML,
        "userIdentity": {**WITH_SAML["userIdentity"], "userName": "ann@company.com"},
        "requestParameters": {
            "roleArn": f"arn:aws:iam::{OWNER}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Ops_0123456789abcdef",
            "principalArn": f"arn:aws:iam::{OWNER}:saml-provider/AWSSSO_0123456789abcdef_DO_NOT_DELETE",
        },
    }
    subject = "repo:acme/app:ref:refs/heads/main"
    by_github = {
        **IN_THE_ROLES_ACCOUNT,
        "eventName": "AssumeRoleWithWebIdentity",
        "sharedEventID": None,
        "eventID": "by-github",
        "userIdentity": {
            "type": "WebIdentityUser",
            "principalId": f"arn:aws:iam::{OWNER}:oidc-provider/token.actions.githubusercontent.com:sts:{subject}",
            "userName": subject,
            "identityProvider": f"arn:aws:iam::{OWNER}:oidc-provider/token.actions.githubusercontent.com",
        },
    }
    github, center = trail(by_center, by_github).uses()
    assert center.caller.who == Who("identity-center-user", "", "ann@company.com")
    assert center.role == "AWSReservedSSO_Ops_0123456789abcdef"
    assert github.caller.who == Who("web-identity", "", f"GitHub {subject}")


IN_A_ROOT_SESSION = {"sessionContext": {"assumedRoot": "true"}}
# https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoot.html: the account as 12 digits or its root's ARN
TASK = "arn:aws:iam::aws:policy/root-task/S3UnlockBucketPolicy"


@pytest.mark.parametrize(("target", "task"), [(OWNER, TASK), (f"arn:aws:iam::{OWNER}:root", {"arn": TASK})])
def test_a_root_session_is_an_entry_into_the_account_s_root(target: str, task: object) -> None:
    asked = {"targetPrincipal": target, "taskPolicyArn": task, "durationSeconds": 900}
    (use,) = trail({**IN_THE_CALLERS_ACCOUNT, "eventName": "AssumeRoot", "requestParameters": asked}).uses()
    assert (use.target, use.task) == (Who("root-user", OWNER, "root user"), "S3UnlockBucketPolicy")
    assert f"-> root user, limited to S3UnlockBucketPolicy, of {OWNER} from" in used(use, read(World().graph))
    assert use.caller.who == Who("user", CALLER, "JohnDoe")


def test_a_root_session_s_first_call_is_its_use_where_no_record_of_assume_root_is_there() -> None:
    """AWS's example of AssumeRoot has no id."""
    (use,) = trail(ASSUME_ROOT).uses()
    assert (use.account, use.task, use.caller.who.name) == ("222222222222", "S3UnlockBucketPolicy", "JohnDoe")
    session = {"type": "Root", "accountId": "222222222222", "accessKeyId": "ASIAIOSFODNN8EXAMPLE"}
    calls = [
        called("222222222222", f"2024-10-25T20:5{minute}:00Z", "x", userIdentity={**session, **IN_A_ROOT_SESSION})
        for minute in (4, 3)
    ]
    assert [use.event for use in trail(ASSUME_ROOT, *calls).uses()] == ["AssumeRoot"]
    (use,) = trail(*calls).uses()
    assert (use.event, use.time.minute, use.target.kind, use.names_caller) == ("AssumeRoot", 53, "root-user", False)
    assert trail(called("222222222222", "2024-10-25T20:53:00Z", "x", userIdentity=session)).uses() == []


def switched(time: str) -> dict[str, Any]:
    """A role that JohnDoe switched to in the console, as AWS Sign-In records it."""
    return {
        "eventSource": "signin.amazonaws.com",
        "eventName": "SwitchRole",
        "eventTime": time,
        "eventID": f"switch {time}",
        "awsRegion": "us-east-2",
        "sourceIPAddress": "192.0.2.101",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": "AROAQRSTUVWXYZEXAMPLE:JohnDoe",
            "arn": f"arn:aws:sts::{OWNER}:assumed-role/EC2-dev/JohnDoe",
            "accountId": OWNER,
        },
        "responseElements": {"SwitchRole": "Success"},
        "additionalEventData": {"SwitchFrom": f"arn:aws:iam::{CALLER}:user/JohnDoe"},
    }


def test_a_switch_in_the_console_counts_once_beside_its_call_of_assume_role() -> None:
    (alone,) = trail(switched("2014-07-18T16:00:00Z")).uses()
    assert (alone.caller.who, alone.target) == (Who("user", CALLER, "JohnDoe"), Who("role", OWNER, "EC2-dev"))
    (failed,) = trail(switched("2014-07-18T16:00:00Z") | {"responseElements": {"SwitchRole": "Failure"}}).uses()
    assert (alone.failed, failed.failed) == (None, "Failure")
    both = trail(switched("2014-07-18T15:07:40Z"), IN_THE_CALLERS_ACCOUNT)
    assert [use.event for use in both.uses()] == ["AssumeRole"]


@pytest.mark.parametrize(
    ("came_from", "session"), [("user/JohnDoe", None), ("assumed-role/break-glass/emergency-1", "emergency-1")]
)
def test_a_switch_tells_the_session_that_it_came_from(came_from: str, session: str | None) -> None:
    service = "sts" if session else "iam"
    record = switched("2014-07-18T16:00:00Z")
    record["additionalEventData"] = {"SwitchFrom": f"arn:aws:{service}::{CALLER}:{came_from}"}
    assert [use.caller_session for use in trail(record).uses()] == [session]


@pytest.mark.parametrize(
    ("created", "said", "known"),
    [
        ("16:00:00", "true", True),
        ("16:00:00", "false", False),
        ("17:00:00", "true", None),
    ],  # the last of another session
)
def test_whether_a_switch_was_with_mfa_is_what_the_calls_of_its_session_tell(
    created: str, said: str, *, known: bool | None
) -> None:
    """https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html."""
    switch = switched("2014-07-18T16:00:00Z")
    issuer = {"type": "Role", "arn": f"arn:aws:iam::{OWNER}:role/EC2-dev", "accountId": OWNER}
    attributes = {"creationDate": f"2014-07-18T{created}Z", "mfaAuthenticated": said}
    context = {"sessionIssuer": issuer, "attributes": attributes}
    call = called(OWNER, "2014-07-18T17:05:00Z", "ListUsers")
    found = Trail()
    found.add(switch, delivered=True)
    found.add(call | {"userIdentity": {**switch["userIdentity"], "sessionContext": context}}, delivered=True)
    assert [use.mfa for use in found.uses() if use.event == "SwitchRole"] == [known]


def test_an_insight_about_calls_is_no_call() -> None:
    # https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-insights-events-with-cloudtrail.html
    assert trail({**IN_THE_CALLERS_ACCOUNT, "eventCategory": "Insight"}).uses() == []


def test_a_denied_call_names_its_role_in_the_message() -> None:
    role = f"arn:aws:iam::{OWNER}:role/path/EC2-dev"
    (use,) = trail(denied(f"arn:aws:iam::{CALLER}:user/JohnDoe", role, "2014-07-18T15:07:39Z")).uses()
    assert (use.account, use.role, use.failed) == (OWNER, "EC2-dev", "AccessDenied")


def test_other_calls_only_widen_the_period() -> None:
    other = {**IN_THE_CALLERS_ACCOUNT, "eventName": "GetCallerIdentity", "eventTime": "2014-07-01T00:00:00Z"}
    found = trail(IN_THE_CALLERS_ACCOUNT, other)
    assert len(found.uses()) == 1
    assert found.start == datetime(2014, 7, 1, tzinfo=UTC)
    assert found.end == datetime(2014, 7, 18, 15, 7, 39, tzinfo=UTC)


def test_a_record_without_role_or_time_is_counted_and_never_guessed_at() -> None:
    no_role = {**IN_THE_CALLERS_ACCOUNT, "requestParameters": None, "resources": None}
    times = [
        {**IN_THE_CALLERS_ACCOUNT, "eventTime": time, "sharedEventID": time}
        for time in ("yesterday", "0001-01-01T00:00:00+01:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-01:00")
    ]
    no_identity = {**ROLE_CHAINING, "userIdentity": "?", "requestParameters": [], "resources": ["x"]}
    nobody = signed_in(OWNER, "2014-07-18T15:07:39Z", userIdentity={"type": "IAMUser"})
    found = trail(no_role, *times, no_identity, nobody, no_role)
    assert (found.uses(), len(found.unreadable), found.records) == ([], 7, 8), "delivered twice, it counts once"


@pytest.mark.parametrize("value", [None, "", 7, [], {}])
@pytest.mark.parametrize("field", ["eventName", "eventSource", "eventTime"])
def test_a_record_whose_call_service_or_time_is_damaged_may_be_an_entry_and_is_named(field: str, value: object) -> None:
    """Required fields: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html"""
    found = Trail()
    found.add({**IN_THE_ROLES_ACCOUNT, field: value}, "log.json")
    (said,) = found.unreadable.values()
    assert (found.uses(), found.hidden, said.partition(" in ")[2]) == (
        [],
        {OWNER: said},
        f"log.json, which lacks {field}",
    )


@pytest.mark.parametrize(("event", "hides"), [("StopLogging", True), ("ListUsers", False)])
def test_a_record_without_a_time_is_named_and_one_that_may_have_stopped_a_trail_hides_entries(
    event: str, hides: bool
) -> None:
    found = trail(called(OWNER, "", event, eventSource="cloudtrail.amazonaws.com"))
    (said,) = found.unreadable.values()
    assert (said.endswith("which lacks eventTime"), found.hidden) == (True, {OWNER: said} if hides else {})


def test_uses_can_be_limited_to_a_period() -> None:
    found = trail(IN_THE_CALLERS_ACCOUNT, ROLE_CHAINING)
    assert [use.role for use in found.uses()] == ["EC2-dev", "JohnRole2"]
    assert [use.role for use in found.uses(start=datetime(2019, 1, 1, tzinfo=UTC))] == ["JohnRole2"]
    assert [use.role for use in found.uses(end=datetime(2019, 1, 1, tzinfo=UTC))] == ["EC2-dev"]


def test_each_call_that_enters_tells_who_came_and_counts_from_its_own_service_only() -> None:
    """S3 has a CreateSession, too: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateSession.html"""
    job = {"type": "WebIdentityUser", "userName": "job", "identityProvider": "token.actions.githubusercontent.com"}
    role = {"roleArn": f"arn:aws:iam::{OWNER}:role/EC2-dev"}
    by_certificate = {"userIdentity": {"type": "Unknown"}, "eventSource": ROLES_ANYWHERE, "requestParameters": role}
    records = [
        *(IN_THE_CALLERS_ACCOUNT, WITH_SAML, ASSUME_ROOT, switched("2014-07-18T16:00:00Z")),
        {**IN_THE_ROLES_ACCOUNT, "eventName": "AssumeRoleWithWebIdentity", "userIdentity": job},
        called(OWNER, "2014-07-18T16:00:00Z", "CreateSession", **by_certificate),
        signed_in(OWNER, "2014-07-18T16:00:00Z", "JohnDoe"),
        signed_in(OWNER, "2025-11-17T22:51:32Z", "JohnDoe", eventName="AuthorizeOAuth2Access"),
    ]
    lacking = ENTERING.keys() - {record["eventName"] for record in records}
    assert {"web-identity", "saml", "identity-center-user", "identity-center-group"} == BY_PROVIDER
    assert not lacking, f"add the record that AWS documents of each of {sorted(lacking)}"
    for record in records:
        (use,) = trail(record).uses()
        kind, kinds = use.caller.who.kind, ENTERING[use.event].by_provider
        assert use.names_caller, use.event
        assert (kind in kinds) if kinds else (kind not in BY_PROVIDER), f"{use.event} lets in a {kind}: say so of it"
        assert trail({**record, "eventSource": "s3.amazonaws.com"}).uses() == [], record["eventName"]
