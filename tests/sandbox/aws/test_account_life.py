"""Renaming and closing, as AWS documents them.

ACCOUNT https://docs.aws.amazon.com/accounts/latest/APIReference/ (PutAccountName)
CLOSE https://docs.aws.amazon.com/organizations/latest/APIReference/API_CloseAccount.html
STATE https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_account_state.html
"""

from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.sandbox.aws.conftest import ACCESS_ROLE, ORGANIZATION, Driver, Organized
from twokeys.sandbox.local_aws import LocalAws


def reason(error: pytest.ExceptionInfo[ClientError]) -> str:
    """The reason of a ConstraintViolationException."""
    assert error.value.response["Error"]["Code"] == "ConstraintViolationException"
    return str(error.value.response["Reason"])  # type: ignore[typeddict-item]


def test_a_member_account_is_renamed_from_the_management_account(organized: Organized) -> None:
    driver = organized.driver
    account = organized.account("stage")
    driver.api("account").put_account_name(AccountId=account, AccountName="staging")
    assert driver.api("organizations").describe_account(AccountId=account)["Account"]["Name"] == "staging"
    inside = driver.member(account)
    inside.api("account").put_account_name(AccountName="from within")
    assert driver.api("organizations").describe_account(AccountId=account)["Account"]["Name"] == "from within"
    inside.provider.close()


@pytest.mark.parametrize("name", ["", "x" * 51, "a<b"])
def test_a_name_that_aws_does_not_take_is_refused(organized: Organized, name: str) -> None:
    """ACCOUNT: AccountName has 1 to 50 characters, pattern [ -;=?-~]+."""
    account = organized.account("stage")
    session = boto3.Session(region_name="us-east-1")
    unchecked = session.client(
        "account",
        endpoint_url=organized.driver.provider.aws.endpoint,
        aws_access_key_id=organized.driver.account,
        aws_secret_access_key="test",
        config=Config(parameter_validation=False),
    )
    with pytest.raises(ClientError, match="ValidationException"):
        unchecked.put_account_name(AccountId=account, AccountName=name)
    unchecked.close()


def test_names_of_members_need_trusted_access(management: Driver) -> None:
    """https://docs.aws.amazon.com/accounts/latest/reference/using-orgs-trusted-access.html"""
    management.up(ORGANIZATION, "organization")
    account = management.up("aws:organizations/account:Account", "stage", name="stage", email="a@company.com")[0]
    client = management.api("account")
    with pytest.raises(client.exceptions.AccessDeniedException, match=r"account\.amazonaws\.com"):
        client.put_account_name(AccountId=account, AccountName="b")


def test_a_closed_account_cannot_be_entered_and_keeps_its_address(organized: Organized) -> None:
    """STATE and CLOSE: the status is SUSPENDED. The root user's e-mail address can't be reused if you close an account.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_close.html
    """
    driver, client = organized.driver, organized.driver.api("organizations")
    account = organized.account("stage")
    driver.api("organizations").close_account(AccountId=account)
    found = client.describe_account(AccountId=account)["Account"]
    assert (found["Status"], found["State"]) == ("SUSPENDED", "CLOSED")
    with pytest.raises(ClientError, match="AccessDenied"):
        driver.api("sts").assume_role(RoleArn=f"arn:aws:iam::{account}:role/{ACCESS_ROLE}", RoleSessionName="test")
    with pytest.raises(ClientError, match="AccountAlreadyClosedException"):
        client.close_account(AccountId=account)
    with pytest.raises(ClientError, match="AccessDenied"):
        driver.api("account").put_account_name(AccountId=account, AccountName="x")
    status = client.create_account(AccountName="again", Email="Example+Stage@company.com")["CreateAccountStatus"]
    assert (status["State"], status["FailureReason"]) == ("FAILED", "EMAIL_ALREADY_EXISTS")


def test_the_management_account_and_delegated_administrators_are_not_closed(organized: Organized) -> None:
    """ConstraintViolationException of CLOSE lists both reasons."""
    client = organized.driver.api("organizations")
    account = organized.account("security")
    client.enable_aws_service_access(ServicePrincipal="config.amazonaws.com")
    client.register_delegated_administrator(AccountId=account, ServicePrincipal="config.amazonaws.com")
    with pytest.raises(ClientError) as error:
        client.close_account(AccountId=account)
    assert reason(error) == "CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG"
    with pytest.raises(ClientError) as error:
        client.close_account(AccountId=organized.driver.account)
    assert reason(error) == "CANNOT_CLOSE_MANAGEMENT_ACCOUNT"


def test_an_account_s_life_outlives_an_orderly_end(tmp_path: Any) -> None:
    with LocalAws.start(tmp_path / "aws") as aws:
        organizations, named = aws.client("organizations"), aws.client("account")
        organizations.create_organization(FeatureSet="ALL")
        organizations.enable_aws_service_access(ServicePrincipal="account.amazonaws.com")
        request = {"AccountName": "first", "Email": "first@company.com"}
        first = organizations.create_account(**request)["CreateAccountStatus"]["AccountId"]
        request = {"AccountName": "second", "Email": "second@company.com"}
        second = organizations.create_account(**request)["CreateAccountStatus"]["AccountId"]
        organizations.close_account(AccountId=second)
        named.put_account_name(AccountId=first, AccountName="renamed")
    with LocalAws.start(tmp_path / "aws") as again:
        organizations = again.client("organizations")
        assert organizations.describe_account(AccountId=first)["Account"]["Name"] == "renamed"
        assert organizations.describe_account(AccountId=second)["Account"]["State"] == "CLOSED"
