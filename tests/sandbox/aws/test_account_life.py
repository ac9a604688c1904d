"""Renaming, new addresses and closing, as AWS documents them.

ACCOUNT https://docs.aws.amazon.com/accounts/latest/APIReference/ (PutAccountName, StartPrimaryEmailUpdate and beside)
CLOSE https://docs.aws.amazon.com/organizations/latest/APIReference/API_CloseAccount.html
STATE https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_account_state.html
"""

import json

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.aws.conftest import ACCESS_ROLE, Organized
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
