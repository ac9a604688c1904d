"""What counts as an account that cannot be entered, and what as an AWS that gave no answer.

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html and .../CommonErrors.html
"""

from __future__ import annotations

from typing import cast

import boto3
import pytest
from botocore.exceptions import ClientError

from twokeys.organization.entering import Entrance, try_entrances

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


def test_an_account_whose_role_refuses_cannot_be_entered() -> None:
    assert entered("AccessDenied") == {"222222222222": "AccessDenied: No.", "333333333333": None}


@pytest.mark.parametrize("code", ["Throttling", "ExpiredToken", "InternalFailure", "ServiceUnavailable"])
def test_an_aws_without_an_answer_makes_no_account_one_that_cannot_be_entered(code: str) -> None:
    with pytest.raises(ClientError):
        entered(code)
