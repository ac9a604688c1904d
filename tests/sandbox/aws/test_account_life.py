"""Renaming, new addresses and closing, as AWS documents them.

ACCOUNT https://docs.aws.amazon.com/accounts/latest/APIReference/ (PutAccountName, StartPrimaryEmailUpdate and beside)
CLOSE https://docs.aws.amazon.com/organizations/latest/APIReference/API_CloseAccount.html
STATE https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_account_state.html
"""

import json
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.sandbox.aws.conftest import ACCESS_ROLE, ORGANIZATION, Driver, Organized
from twokeys.sandbox.local_aws import LocalAws

NEW = "new+stage@company.com"


def code_for(aws: LocalAws, address: str) -> str:
    """The code in the last mail to an address."""
    mails = [json.loads(line) for line in (aws.directory / "mailbox.jsonl").read_text().splitlines()]
    return str([mail["text"] for mail in mails if mail["to"] == address][-1].split()[-1])


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


def test_a_new_address_is_the_account_s_once_the_mailed_code_comes_back(
    organized: Organized, local_aws: LocalAws
) -> None:
    driver = organized.driver
    account, client = organized.account("stage"), organized.driver.api("account")
    assert client.start_primary_email_update(AccountId=account, PrimaryEmail=NEW)["Status"] == "PENDING"
    assert client.get_primary_email(AccountId=account)["PrimaryEmail"] == "example+stage@company.com"
    with pytest.raises(client.exceptions.ValidationException):
        client.accept_primary_email_update(AccountId=account, PrimaryEmail=NEW, Otp="000000")
    accepted = client.accept_primary_email_update(AccountId=account, PrimaryEmail=NEW, Otp=code_for(local_aws, NEW))
    assert accepted["Status"] == "ACCEPTED"
    assert client.get_primary_email(AccountId=account)["PrimaryEmail"] == NEW
    assert driver.api("organizations").describe_account(AccountId=account)["Account"]["Email"] == NEW
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.accept_primary_email_update(AccountId=account, PrimaryEmail=NEW, Otp=code_for(local_aws, NEW))


def test_an_address_in_use_is_no_new_address(organized: Organized) -> None:
    """ACCOUNT: ConflictException, if you change a root user's e-mail to one that is already in use."""
    account, other = organized.account("stage"), organized.account("prod")
    organized.driver.api("organizations").close_account(AccountId=other)
    client = organized.driver.api("account")
    with pytest.raises(client.exceptions.ConflictException):
        client.start_primary_email_update(AccountId=account, PrimaryEmail="Example+Prod@company.com")


def test_names_and_addresses_of_members_need_trusted_access(management: Driver) -> None:
    """https://docs.aws.amazon.com/accounts/latest/reference/using-orgs-trusted-access.html"""
    management.up(ORGANIZATION, "organization")
    account = management.up("aws:organizations/account:Account", "stage", name="stage", email="a@company.com")[0]
    client = management.api("account")
    for call in (
        lambda: client.put_account_name(AccountId=account, AccountName="b"),
        lambda: client.start_primary_email_update(AccountId=account, PrimaryEmail=NEW),
        lambda: client.get_primary_email(AccountId=account),
    ):
        with pytest.raises(client.exceptions.AccessDeniedException, match=r"account\.amazonaws\.com"):
            call()


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
