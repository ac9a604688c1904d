"""CloudTrail records, as AWS documents them, become uses of roles."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.audit.cloudtrail import (
    BY_A_SERVICE,
    CALLER,
    IN_THE_CALLERS_ACCOUNT,
    IN_THE_ROLES_ACCOUNT,
    OWNER,
    ROLE_CHAINING,
    WITH_SAML,
    denied,
)
from twokeys.answers.model import Party
from twokeys.audit.trail import Trail, resolved
from twokeys.doors import Who


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
        assert (use.account, use.role, use.region, use.source) == (OWNER, "EC2-dev", "us-east-2", "192.0.2.101")
        assert use.time == datetime(2014, 7, 18, 15, 7, 39, tzinfo=UTC)
        assert use.failed is None


def test_the_roles_account_alone_tells_only_the_callers_account_and_unique_id() -> None:
    (use,) = trail(IN_THE_ROLES_ACCOUNT).uses()
    assert use.caller.who == Who("principal", CALLER)
    assert use.unique_id == "AIDAQRSTUVWXYZEXAMPLE"


def test_a_caller_that_is_told_by_its_unique_id_is_found_among_the_known_principals() -> None:
    john = Party(Who("user", CALLER, "JohnDoe"))
    (use,) = trail(IN_THE_ROLES_ACCOUNT).uses()
    assert resolved(use, {"AIDAQRSTUVWXYZEXAMPLE": john}).caller == john
    assert resolved(use, {"AIDASOMEBODYELSE": john}).told is False


def test_a_session_of_a_role_is_the_role_that_issued_it() -> None:
    (use,) = trail(ROLE_CHAINING).uses()
    assert use.caller.who == Who("role", "111111111111", "JohnRole1")
    assert use.unique_id == "AROAIN5ATK5U7KEXAMPLE"


def test_services_and_federated_people_are_told_apart() -> None:
    service, saml = trail(BY_A_SERVICE, WITH_SAML).uses()
    assert (service.caller.who.kind, service.caller.who.name) == ("service", "ec2.amazonaws.com")
    assert (saml.caller.who.kind, saml.account) == ("federated", "444455556666")


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
    no_time = {**IN_THE_CALLERS_ACCOUNT, "eventTime": "yesterday"}
    no_identity = {**IN_THE_CALLERS_ACCOUNT, "userIdentity": "?", "requestParameters": [], "resources": ["x"]}
    found = trail(no_role, no_time, no_identity)
    assert (found.uses(), found.unreadable, found.records) == ([], 3, 3)


def test_uses_can_be_limited_to_a_period() -> None:
    found = trail(IN_THE_CALLERS_ACCOUNT, ROLE_CHAINING)
    assert [use.role for use in found.uses()] == ["EC2-dev", "JohnRole2"]
    assert [use.role for use in found.uses(start=datetime(2019, 1, 1, tzinfo=UTC))] == ["JohnRole2"]
    assert [use.role for use in found.uses(end=datetime(2019, 1, 1, tzinfo=UTC))] == ["EC2-dev"]
