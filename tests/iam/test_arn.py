"""https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html"""

from datetime import date
from typing import Any

import pytest

from twokeys.iam import (
    Arn,
    ArnError,
    PolicyKind,
    account_as_a_whole,
    aws_managed,
    is_account,
    parse_arn,
    parse_policy,
    partition_of_region,
)


@pytest.mark.parametrize("arn", [
    Arn("aws-us-gov", "iam", "", "123456789012", "role/path/name"),
    Arn("aws", "sns", "eu-west-1", "123456789012", "topic:sub:1"),
    Arn("aws", "iam", "", "account:stage", "role/deployer"), Arn("aws", "iam", "", "aws", "policy/AdministratorAccess"),
], ids=str)  # fmt: skip
def test_an_arn_is_read_into_its_components(arn: Arn):
    text = ":".join(("arn", arn.partition, arn.service, arn.region, arn.account, arn.resource))
    assert (parse_arn(text), str(arn)) == (arn, text)


@pytest.mark.parametrize("text", [
    "",
    "role/x",
    "arn:aws:iam::123456789012",
    "arn:aws:iam::12345678901:role/x",
    "arn:aws:iam::1234567890123:role/x",
    "arn:aws:iam::account::role/x",
    "arn:aws:iam::123456789012:",
    "arn::iam::123456789012:role/x",
    "arn:aws:::123456789012:role/x",
    "arn:amazon:iam::123456789012:role/x",
    "ARN:aws:iam::123456789012:role/x",
    "arn:aws:iam::*:role/x",
    "arn:*:iam::123456789012:role/x",
    "arn:${aws:partition}:iam::123456789012:role/x",
])  # fmt: skip
def test_what_is_no_complete_arn_is_refused(text: str):
    assert Arn.parse(text) is None
    with pytest.raises(ArnError, match="is not an ARN"):
        parse_arn(text)


@pytest.mark.parametrize(("text", "expected"), [
    ("123456789012", True), ("account:stage", True), ("account:a_b-C9", True),
    ("12345678901", False), ("1234567890123", False), ("account:", False), ("account:a b", False),
    ("١٢٣٤٥٦٧٨٩٠١٢", False), ("", False),
])  # fmt: skip
def test_an_account_is_twelve_digits_or_a_symbol(text: str, expected: bool):
    assert is_account(text) is expected


# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html


@pytest.mark.parametrize(("text", "kind", "path", "name"), [
    ("arn:aws:iam::123456789012:root", "root", "/", "root"),
    ("arn:aws:iam::123456789012:role/aws-service-role/access-analyzer.amazonaws.com/AWSServiceRoleForAccessAnalyzer",
     "role", "/aws-service-role/access-analyzer.amazonaws.com/", "AWSServiceRoleForAccessAnalyzer"),
    ("arn:aws-us-gov:iam::123456789012:user/JohnDoe", "user", "/", "JohnDoe"),
    ("arn:aws:iam::123456789012:group/division_abc/subdivision_xyz/product_A/Developers",
     "group", "/division_abc/subdivision_xyz/product_A/", "Developers"),
    ("arn:aws-cn:iam::aws:policy/job-function/ViewOnlyAccess", "policy", "/job-function/", "ViewOnlyAccess"),
    ("arn:aws:iam::123456789012:saml-provider/ADFSProvider", "saml-provider", "/", "ADFSProvider"),
    ("arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE",
     "oidc-provider", "/", "oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE"),
    ("arn:aws:iam::123456789012:oidc-provider/acme.auth0.com/", "oidc-provider", "/", "acme.auth0.com/"),
    ("arn:aws:sts::123456789012:assumed-role/Accounting-Role/Mary", "assumed-role", "/", "Accounting-Role"),
    ("arn:aws:sts::123456789012:federated-user/Mary", "federated-user", "/", "Mary"),
    ("arn:aws:iam::account:stage:role/ci/deployer", "role", "/ci/", "deployer"),
    ("arn:aws:iam::123456789012:role/", None, "/", "role/"),
    ("arn:aws:iam::123456789012:role/ci/", None, "/", "role/ci/"),
    ("arn:aws:sts::123456789012:assumed-role/x", None, "/", "assumed-role/x"),
    ("arn:aws:sts::123456789012:assumed-role//x", None, "/", "assumed-role//x"),
    ("arn:aws:iam::123456789012:oidc-provider//", None, "/", "oidc-provider//"),
    ("arn:aws:s3:::role/x", None, "/", "role/x"),
])  # fmt: skip
def test_an_arn_of_iam_says_what_it_names(text: str, kind: str | None, path: str, name: str):
    read = parse_arn(text)
    assert (read.kind, read.path, read.name, str(read)) == (kind, path, name, text)


def test_arns_of_iam_are_made_in_every_partition():
    assert str(Arn.iam("role", "123456789012", "x")) == "arn:aws:iam::123456789012:role/x"
    assert str(Arn.iam("user", "account:stage", "x", "/a/", "aws-cn")) == "arn:aws-cn:iam::account:stage:user/a/x"
    assert str(Arn.iam("oidc-provider", "123456789012", "a.b/c")) == "arn:aws:iam::123456789012:oidc-provider/a.b/c"
    assert str(Arn.iam("saml-provider", "123456789012", "x", "/a/")) == "arn:aws:iam::123456789012:saml-provider/x"
    assert str(Arn.root("123456789012", "aws-us-gov")) == "arn:aws-us-gov:iam::123456789012:root"


def test_a_session_knows_its_role_and_its_own_name():
    session = Arn.assumed_role("123456789012", "ci", "build", "aws-eusc")
    assert str(session) == "arn:aws-eusc:sts::123456789012:assumed-role/ci/build"
    assert session.session == "build"
    assert session.role == Arn.iam("role", "123456789012", "ci", partition="aws-eusc")
    assert Arn.root("123456789012").role is None
    assert (session.role.role, session.role.session) == (session.role, None)


@pytest.mark.parametrize(("principal", "account"), [
    ("123456789012", "123456789012"), ("account:stage", "account:stage"),
    ("arn:aws-us-gov:iam::123456789012:root", "123456789012"), ("arn:aws:iam::account:stage:root", "account:stage"),
    ("arn:aws:iam::123456789012:role/root", None), ("arn:aws:iam::aws:root", None), ("*", None),
])  # fmt: skip
def test_an_account_as_a_whole_is_named_in_two_ways(principal: str, account: str | None):
    assert account_as_a_whole(principal) == account


# https://docs.aws.amazon.com/general/latest/gr/rande.html
@pytest.mark.parametrize(("region", "partition"), [
    ("eu-west-1", "aws"), ("us-east-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov"),
    ("us-iso-east-1", "aws-iso"), ("us-isob-east-1", "aws-iso-b"), ("eu-isoe-west-1", "aws-iso-e"),
    ("us-isof-south-1", "aws-iso-f"), ("eusc-de-east-1", "aws-eusc"), ("", "aws"), (None, "aws"),
])  # fmt: skip
def test_a_region_tells_its_partition(region: str | None, partition: str):
    assert partition_of_region(region) == partition


CONTROL_TOWER = "service-role/AWSControlTowerServiceRolePolicy"
ENTERED = ("AWSControlTowerExecution", "AWSControlTowerBlueprintAccess")


@pytest.mark.parametrize(("arn", "said"), [
    ("arn:aws:iam::aws:policy/AdministratorAccess", ({"Effect": "Allow", "Action": "*", "Resource": "*"},)),
    (f"arn:aws-cn:iam::aws:policy/{CONTROL_TOWER}",
     ({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": [f"arn:aws-cn:iam::*:role/{x}" for x in ENTERED]},)),
    ("arn:aws:iam::aws:policy/ReadOnlyAccess", ()), ("arn:aws:iam::aws:policy/NobodysAccess", None),
    ("arn:aws:iam::aws:role/AdministratorAccess", None), ("AdministratorAccess", None),
    ("arn:aws:iam::111111111111:policy/AdministratorAccess", None),
])  # fmt: skip
def test_what_a_managed_policy_of_aws_says_of_entering_roles(arn: str, said: Any):
    """https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSControlTowerServiceRolePolicy.html"""
    found, kind = aws_managed.document(arn), PolicyKind.IDENTITY
    written = parse_policy({"Version": "2012-10-17", "Statement": [*said]}, kind).statements if said else said
    assert (found and found.statements) == written
    assert aws_managed.is_known(arn) is (said is not None)
    assert aws_managed.is_aws_managed(arn) is ("iam::aws:policy/" in arn)
    names = aws_managed.names()
    assert (names["AWSControlTowerServiceRolePolicy"], names["ReadOnlyAccess"]) == (CONTROL_TOWER, "ReadOnlyAccess")
    assert date.fromisoformat(aws_managed.day())
