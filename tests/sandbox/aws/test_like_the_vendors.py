"""What the local plugin and the vendor's agree on, type by type.

Expected is what the SDK's own pages say (https://www.pulumi.com/registry/packages/aws/api-docs/) and, for what a change
replaces, `ForceNew` in the schemas of terraform-provider-aws 6.48.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.aws.conftest import Driver, trust, urn
from twokeys.sandbox.aws.catalogue import resource_type
from twokeys.sandbox.aws.generic import generic
from twokeys.sandbox.aws.schema import schema

BUCKET, USER = "aws:s3/bucket:Bucket", "aws:identitystore/user:User"
BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
RULE, ACCOUNT = "aws:cloudwatch/eventRule:EventRule", "aws:organizations/account:Account"
MEMBERSHIP = "aws:identitystore/groupMembership:GroupMembership"
TRUST = trust("111111111111")
NAME = {"familyName": "Example", "givenName": "Alice"}


@pytest.mark.parametrize(
    ("type", "old", "new", "replaces"),
    [
        (BUCKET, {"objectLockEnabled": False}, {"objectLockEnabled": True}, ("objectLockEnabled",)),
        (BUCKET, {"bucket": "a"}, {"bucket": "b"}, ("bucket",)),
        (RULE, {"state": "ENABLED"}, {"state": "DISABLED"}, ()),
        (RULE, {"name": "a"}, {"name": "b"}, ("name",)),
        (USER, {"name": NAME}, {"name": {**NAME, "givenName": "Alicia"}}, ()),
        (USER, {"userName": "alice"}, {"userName": "alicia"}, ("userName",)),
        ("aws:identitystore/group:Group", {"displayName": "a"}, {"displayName": "b"}, ()),
        (MEMBERSHIP, {"memberId": "a"}, {"memberId": "b"}, ("memberId",)),
        ("aws:budgets/budget:Budget", {"limitAmount": "5"}, {"limitAmount": "6"}, ()),
        (ACCOUNT, {"name": "a"}, {"name": "b"}, ()),
        (ACCOUNT, {"roleName": "a"}, {"roleName": "b"}, ("roleName",)),
    ],
)
def test_a_change_replaces_or_updates_as_it_does_there(
    type: str, old: dict[str, Any], new: dict[str, Any], replaces: tuple[str, ...]
) -> None:
    found = resource_type(type).diff(urn(type, "it"), old, new, ())
    assert (found.changed, found.replaces) == (tuple(new), replaces)


@pytest.mark.parametrize(
    ("type", "defaults"),
    [
        (
            BLOCK,
            dict.fromkeys(("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"), False),
        ),
        (ACCOUNT, {"closeOnDeletion": False, "createGovcloud": False}),
        (USER, {}),
    ],
)
def test_what_a_program_leaves_out_is_filled_in_as_it_is_there(type: str, defaults: dict[str, Any]) -> None:
    checked = resource_type(type).check(urn(type, "it"), {}, {"name": "it"}, b"1")
    assert checked == {"name": "it", **defaults}


def test_a_rules_state_is_what_the_program_says() -> None:
    assert "state" in schema(RULE).inputs
    assert "state" not in generic(RULE).computed


def test_a_person_of_identity_center_has_a_name_in_parts_and_an_id_of_its_own(management: Driver) -> None:
    identifier, outputs = management.up(USER, "alice", userName="alice", name=NAME)
    assert outputs["name"] == NAME
    assert outputs["userId"] == identifier
    assert "alice" not in identifier


def test_the_id_of_an_attachment_is_the_role_and_the_policy(management: Driver) -> None:
    management.up("aws:iam/role:Role", "it", name="it", assumeRolePolicy=TRUST)
    arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    attachment = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
    assert management.up(attachment, "it", role="it", policyArn=arn)[0] == f"it/{arn}"
