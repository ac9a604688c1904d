"""What is read of a live organization, in how many calls, and what a missing permission leaves out."""

from __future__ import annotations

from collections import Counter
from typing import cast

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.organization.existing import MANAGEMENT, Existing
from twokeys.organization.entering import Entrance, try_entrances
from twokeys.organization.model import Live
from twokeys.organization.reading import read_live


def calls(session: boto3.Session, *, tags: bool = False) -> Counter[str]:
    """How often each operation is called in one reading."""
    counted: Counter[str] = Counter()
    session.events.register(
        "before-call.organizations", lambda model, **_: counted.update([model.name]), unique_id="count"
    )
    read_live(session, tags=tags)
    return counted


def test_a_grown_organization_is_read_whole(existing: Existing) -> None:
    organization, ids = existing.live().organization, existing.ids
    assert organization is not None
    assert organization.management_account == MANAGEMENT
    assert organization.policy_types == ("SERVICE_CONTROL_POLICY", "TAG_POLICY")
    assert organization.unit_by_id[ids["level-5"]].path == "Workloads/Web/Prod/Blue/Deep"
    assert dict(organization.unit_by_id[ids["level-3"]].tags) == {"environment": "prod"}
    # https://docs.aws.amazon.com/organizations/latest/APIReference/API_Account.html: State, which replaces Status
    assert organization.account_by_id[ids["suspended"]].state == "CLOSED"
    assert organization.account_by_id[ids["shop"]].parent == ids["level-3"]
    assert organization.account_by_email["twin-1@company.com"].id == ids["twin 1"]
    assert set(organization.delegated_administrators[ids["deep"]]) == {
        "access-analyzer.amazonaws.com",
        "config.amazonaws.com",
    }
    targets = {policy.id: set(policy.targets) for policy in organization.policies}
    assert targets[ids["tag policy"]] == {ids["root"], ids["level-5"]}
    assert targets[ids["unused"]] == set()
    assert organization.root_features == ("RootCredentialsManagement", "RootSessions")


def test_calls_grow_with_units_and_policies_and_not_with_accounts(bare: Existing) -> None:
    root = bare.begin()
    unit = bare.unit(root, "Unit")
    bare.account("first", "first@company.com", unit)
    few = calls(bare.session())
    for number in range(12):
        bare.account(f"account {number}", f"account-{number}@company.com", unit)
    assert calls(bare.session()) == few
    # Tags are told of one object at a time: API_ListTagsForResource. 1 unit, 14 accounts, no policy of one's own.
    assert calls(bare.session(), tags=True) - few == Counter(ListTagsForResource=15)


def test_a_member_account_sees_whose_organization_it_is_in_and_no_more(existing: Existing) -> None:
    # https://docs.aws.amazon.com/organizations/latest/APIReference/API_DescribeOrganization.html: any account may
    live = read_live(existing.session(existing.ids["shop"]))
    assert live.organization is not None
    assert live.organization.management_account == MANAGEMENT
    assert live.organization.accounts == ()


def test_what_may_not_be_read_is_named_by_its_permission(existing: Existing) -> None:
    key = existing.clerk("organizations:DescribeOrganization", "organizations:ListRoots")
    live: Live = read_live(boto3.Session(key.access, key.secret, region_name="us-east-1"))
    assert live.unread == {
        "organizational units": "organizations:ListOrganizationalUnitsForParent",
        "accounts": "organizations:ListAccountsForParent",
        "policies": "organizations:ListPolicies",
        "trusted access": "organizations:ListAWSServiceAccessForOrganization",
        "delegated administrators": "organizations:ListDelegatedAdministrators",
        "pending requests": "organizations:ListCreateAccountStatus",
        "invitations": "organizations:ListHandshakesForOrganization",
        "account quota": "servicequotas:GetServiceQuota",
        "resource policy": "organizations:DescribeResourcePolicy",
    }


DOORS = [Entrance("222222222222", "Access"), Entrance("333333333333", "Access", "id")]


class Session:
    """Answers AssumeRole of the first account with an error."""

    region_name = "us-east-1"

    def __init__(self, code: str) -> None:
        self._code = code

    def client(self, *_: object, **__: object) -> Session:
        return self

    def assume_role(self, *, RoleArn: str, RoleSessionName: str, ExternalId: str | None = None) -> None:  # noqa: ARG002, N803
        if "222222222222" in RoleArn:
            raise ClientError({"Error": {"Code": self._code, "Message": "No."}}, "AssumeRole")


def entered(code: str) -> dict[str, str | None]:
    return try_entrances(cast(boto3.Session, Session(code)), DOORS)


@pytest.mark.parametrize("code", ["Throttling", "ExpiredToken", "InternalFailure", "ServiceUnavailable"])
def test_an_aws_without_an_answer_makes_no_account_one_that_cannot_be_entered(code: str) -> None:
    with pytest.raises(ClientError):
        entered(code)
