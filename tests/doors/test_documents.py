"""The documents of a door, from AWS's descriptions of trust policies and of AssumeRole across accounts.

- https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
- https://docs.aws.amazon.com/IAM/latest/UserGuide/tutorial_cross-account-with-roles.html
- https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html
- https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html
"""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic.alias_generators import to_camel

from twokeys.doors import Declaration, Who, render
from twokeys.doors.documents import (
    OWN_CONDITIONS,
    DoorPlan,
    OwnCondition,
    door,
    grant_document,
    name_of,
    path_of,
    symbolic_documents,
    trust_document,
)
from twokeys.doors.expiry import closing_time, open_until, until
from twokeys.iam import Caller, Context, Outcome, Policies, PolicyKind, Request, evaluate_grant, parse_policy


def planned(**changes: Any) -> DoorPlan:
    plan = {
        "name": "stage-deployer",
        "kind": "role",
        "source": "ci",
        "source_account": "111111111111",
        "grantee_kind": "role",
        "grantee": "ci",
        "target_account": "account:stage",
        "role": "deployer",
    }
    return DoorPlan.model_validate({**plan, **changes})


PLAN = planned()


def test_the_trust_names_exactly_the_source_role() -> None:
    assert trust_document(PLAN) == {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111111111111:role/ci"}, "Action": "sts:AssumeRole"}
        ],
    }


def test_the_grant_names_exactly_the_target_role() -> None:
    assert grant_document(PLAN) == {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "arn:aws:iam::account:stage:role/deployer"}
        ],
    }


@pytest.mark.parametrize(
    ("kind", "source", "principal"),
    [
        ("user", "alice", "arn:aws:iam::111111111111:user/alice"),
        ("role", "deploy/ci", "arn:aws:iam::111111111111:role/deploy/ci"),
        ("root", "", "arn:aws:iam::111111111111:root"),
        # AWS takes no group as a principal: it is trusted as its members.
        ("group", "developers", [f"arn:aws:iam::111111111111:user/{name}" for name in ("alice", "web/bob")]),
    ],
)
def test_each_kind_of_source_has_its_own_arn(kind: str, source: str, principal: str | list[str]) -> None:
    plan = planned(kind=kind, source=source, members=("alice", "web/bob"))
    assert trust_document(plan)["Statement"][0]["Principal"] == {"AWS": principal}


def test_mfa_and_external_id_become_conditions_beside_those_of_the_door() -> None:
    plan = planned(
        mfa=True,
        external_id="abc-123",
        conditions={"StringEquals": {"aws:PrincipalOrgID": "o-a1"}, "IpAddress": {"aws:SourceIp": ["10.0.0.0/8"]}},
    )
    assert trust_document(plan)["Statement"][0]["Condition"] == {
        "StringEquals": {"aws:PrincipalOrgID": "o-a1", "sts:ExternalId": "abc-123"},
        "IpAddress": {"aws:SourceIp": ["10.0.0.0/8"]},
        "Bool": {"aws:MultiFactorAuthPresent": "true"},
    }


def test_a_field_that_is_not_set_makes_no_condition_and_an_external_id_that_nobody_can_show_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # StringEquals "" is met by nobody: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
    monkeypatch.setitem(OWN_CONDITIONS, "members", OwnCondition("IpAddress", "acme:Members", list))
    condition = trust_document(planned(members=(), external_id=""))["Statement"][0]["Condition"]
    assert condition == {"StringEquals": {"sts:ExternalId": ""}}


def test_the_conditions_that_were_declared_stay_as_they_are() -> None:
    conditions = {"Bool": {"aws:SecureTransport": "true"}}
    trust_document(planned(mfa=True, conditions=conditions))
    assert conditions == {"Bool": {"aws:SecureTransport": "true"}}


def test_a_partition_stands_in_every_arn() -> None:
    plan = planned(partition="aws-cn")
    assert "arn:aws:" not in json.dumps([trust_document(plan), grant_document(plan)])


def test_the_declared_and_the_real_document_differ_in_the_account_only() -> None:
    plan = planned(statements=({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"},))
    for declared in symbolic_documents(plan):
        real = render(declared.document, {"account:stage": "222222222222"})
        assert json.loads(real.replace("222222222222", "account:stage")) == declared.document
    assert {each.property for each in symbolic_documents(plan)} == {"assumeRolePolicy", "policy"}


def test_each_document_is_declared_for_the_resource_that_holds_it() -> None:
    plan = planned(role="deploy/deployer", source="team/ci", grantee="team/ci", statements=({"Effect": "Allow"},))
    assert [(each.type, each.name, each.account, each.properties) for each in symbolic_documents(plan)] == [
        ("aws:iam/role:Role", "stage-deployer", "account:stage", {"name": "deployer", "path": "/deploy/"}),
        (
            "aws:iam/rolePolicy:RolePolicy",
            "stage-deployer-permissions",
            "account:stage",
            {"name": "stage-deployer", "role": "deployer"},
        ),
        (
            "aws:iam/rolePolicy:RolePolicy",
            "stage-deployer-grant",
            "111111111111",
            {"name": "assume-stage-deployer", "role": "ci"},
        ),
    ]


@pytest.mark.parametrize(("keys", "declared"), [(("trust",), ["assumeRolePolicy"]), (("grant",), ["policy"]), ((), [])])
def test_only_the_keys_that_are_made_are_declared(keys: tuple[str, ...], declared: list[str]) -> None:
    assert [each.property for each in symbolic_documents(planned(keys=keys))] == declared


def test_the_name_of_a_grant_stays_within_aws_s_128_characters() -> None:
    # https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html
    plan = planned(target_account=f"account:{'a' * 50}", role="r" * 64)
    assert len(plan.grant_name) <= 128


def test_the_summary_says_what_people_ask() -> None:
    plan = planned(mfa=True, reason="Deployments", owner="platform", expires="2027-01-31")
    assert door(plan).to_props() == {
        **dict.fromkeys(map(to_camel, Declaration.model_fields)),  # what nobody says of this one
        "name": "stage-deployer",
        "opens": None,
        "source": {"kind": "role", "account": "111111111111", "names": ["ci"]},
        "target": {"account": "account:stage", "role": "deployer", "partition": "aws"},
        "grantTo": None,
        "requires": {"mfa": True, "externalId": False},
        "maxSessionSeconds": 3600,
        "reason": "Deployments",
        "owner": "platform",
        "expires": "2027-02-01T00:00:00Z",
    }


def test_a_door_for_the_whole_account_says_whom_its_grant_is_for() -> None:
    plan = planned(kind="root", source="", grantee_kind="role", grantee="deploy/ci")
    assert door(plan).whom == (Who("role", "111111111111", "ci"),)
    assert door(plan).source.principals == (Who("root", "111111111111"),)


@pytest.mark.parametrize(
    ("written", "path", "name"), [("ci", "/", "ci"), ("deploy/ci", "/deploy/", "ci"), ("a/b/c", "/a/b/", "c")]
)
def test_a_path_and_a_name_come_apart(written: str, path: str, name: str) -> None:
    assert (path_of(written), name_of(written)) == (path, name)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("2027-01-31", "2027-01-31"),
        ("2027-01-31T15:00Z", "2027-01-31 15:00 UTC"),
        ("2027-01-31T15:00+02:00", "2027-01-31 13:00 UTC"),
    ],
)
def test_people_read_the_last_day_or_the_moment(written: str, shown: str) -> None:
    assert until(closing_time(written)) == shown


def test_a_moment_without_a_day_before_it_is_shown_as_it_is() -> None:
    """A policy may name it, as its dates are those of ISO 8601.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_Date
    """
    assert until(datetime.min.replace(tzinfo=UTC)).endswith("1-01-01")


@pytest.mark.parametrize("written", ["soon", "2027-02-30", "2027-01-31T15:00", "", None, "31.1.2027"])
def test_what_is_neither_a_day_nor_a_moment_with_its_zone_is_an_error(written: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        closing_time(written)


@pytest.mark.parametrize(
    ("now", "outcome"), [("2027-01-31T23:59:59Z", Outcome.ALLOW), ("2027-02-01T00:00:00Z", Outcome.DENY)]
)
def test_the_condition_holds_to_the_end_of_the_day_and_no_longer(now: str, outcome: Outcome) -> None:
    door = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Resource": "*",
        "Condition": open_until(closing_time("2027-01-31")),
    }
    policy = parse_policy({"Version": "2012-10-17", "Statement": [door]}, PolicyKind.IDENTITY)
    assert open_until(datetime(2027, 2, 1, tzinfo=UTC)) == door["Condition"]
    who = Caller("arn:aws:iam::111111111111:user/alice")
    role = "arn:aws:iam::222222222222:role/deployer"
    request = Request(who, "sts:AssumeRole", role, Context({"aws:CurrentTime": (now,)}))
    assert evaluate_grant(request, Policies(identity=(policy,))).outcome is outcome
