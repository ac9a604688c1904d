"""https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html"""

from __future__ import annotations

import pytest

from twokeys.iam import Arn, ArnError, is_account, parse_arn


def test_an_arn_is_read_into_its_components():
    read = parse_arn("arn:aws-us-gov:iam::123456789012:role/path/name")
    assert read == Arn("aws-us-gov", "iam", "", "123456789012", "role/path/name")
    assert str(read) == "arn:aws-us-gov:iam::123456789012:role/path/name"


def test_the_resource_keeps_its_colons():
    assert parse_arn("arn:aws:sns:eu-west-1:123456789012:topic:sub:1").resource == "topic:sub:1"


def test_the_symbol_of_an_account_stands_where_its_id_will():
    read = parse_arn("arn:aws:iam::account:stage:role/deployer")
    assert (read.account, read.resource) == ("account:stage", "role/deployer")


def test_an_account_of_aws_owns_managed_policies():
    assert parse_arn("arn:aws:iam::aws:policy/AdministratorAccess").account == "aws"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "role/x",
        "arn:aws:iam::123456789012",
        "arn:aws:iam::12345678901:role/x",
        "arn:aws:iam::1234567890123:role/x",
        "arn:aws:iam::account::role/x",
        "arn:aws:iam::123456789012:",
        "arn::iam::123456789012:role/x",
        "ARN:aws:iam::123456789012:role/x",
        "arn:aws:iam::*:role/x",
    ],
)
def test_what_is_no_complete_arn_is_refused(text: str):
    with pytest.raises(ArnError, match="is not an ARN"):
        parse_arn(text)


@pytest.mark.parametrize(("text", "expected"), [
    ("123456789012", True), ("account:stage", True), ("account:a_b-C9", True),
    ("12345678901", False), ("1234567890123", False), ("account:", False), ("account:a b", False),
    ("١٢٣٤٥٦٧٨٩٠١٢", False), ("", False),
])  # fmt: skip
def test_an_account_is_twelve_digits_or_a_symbol(text: str, expected: bool):
    assert is_account(text) is expected
