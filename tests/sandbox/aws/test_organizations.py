"""Accounts are made once, units and policies behave as AWS Organizations documents.

https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateAccount.html and the operations beside it.
"""

import json
from pathlib import Path

import pytest

from tests.sandbox.aws.conftest import ACCOUNT, Organized, trust, urn
from twokeys.sandbox.aws.client import ProviderError
from twokeys.sandbox.local_aws import LocalAws

UNIT = "aws:organizations/organizationalUnit:OrganizationalUnit"
STAGE = {"name": "stage", "email": "example+stage@company.com"}


def test_a_new_account_has_an_access_role_that_the_management_account_can_assume(organized: Organized) -> None:
    """https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_access.html."""
    account = organized.account("stage")
    inside = organized.driver.member(account)
    role = inside.api("iam").get_role(RoleName="OrganizationAccountAccessRole")["Role"]
    attached = inside.api("iam").list_attached_role_policies(RoleName="OrganizationAccountAccessRole")
    assert role["AssumeRolePolicyDocument"] == json.loads(trust(f"arn:aws:iam::{organized.driver.account}:root"))
    assert [one["PolicyName"] for one in attached["AttachedPolicies"]] == ["AdministratorAccess"]
    inside.provider.close()


def test_what_is_made_in_an_organization_has_the_same_id_in_each_run(tmp_path: Path) -> None:
    """So that `twokeys access diff` can compare two runs of the sandbox."""
    runs = []
    for folder in ("first", "second"):
        with LocalAws.start(tmp_path / folder) as aws:
            client = aws.client("organizations")
            organization = client.create_organization(FeatureSet="ALL")["Organization"]["Id"]
            for name in ("stage", "prod"):
                client.create_account(AccountName=name, Email=f"example+{name}@company.com")
            ids = {one["Name"]: one["Id"] for one in client.list_accounts()["Accounts"]}
            root = client.list_roots()["Roots"][0]["Id"]
            unit = client.create_organizational_unit(ParentId=root, Name="workloads")["OrganizationalUnit"]
            guard = {"Name": "guard", "Description": "guard", "Type": "SERVICE_CONTROL_POLICY"}
            policy = client.create_policy(**guard, Content='{"Version": "2012-10-17", "Statement": []}')["Policy"]
            runs.append((organization, ids, unit, policy))
    assert runs[0] == runs[1]
    assert len(set(runs[0][1].values())) == 3


def test_an_account_is_renamed_in_place(organized: Organized) -> None:
    """https://docs.aws.amazon.com/accounts/latest/APIReference/API_PutAccountName.html, with trusted access."""
    driver, client = organized.driver, organized.driver.api("organizations")
    client.enable_aws_service_access(ServicePrincipal="account.amazonaws.com")
    account = organized.account("old")
    inputs = {"name": "old", "email": "example+old@company.com"}
    found = driver.provider.update(ACCOUNT, urn(ACCOUNT, "old"), account, inputs, {}, {**inputs, "name": "new"})
    assert found["name"] == client.describe_account(AccountId=account)["Account"]["Name"] == "new"


def test_a_closed_account_is_not_found(organized: Organized) -> None:
    """As terraform-provider-aws answers for the state CLOSED, so a refresh drops it and an import fails."""
    driver, account = organized.driver, organized.account("old")
    driver.api("organizations").close_account(AccountId=account)
    assert driver.provider.read(ACCOUNT, urn(ACCOUNT, "old"), account, {}, {}) is None


def test_closing_on_deletion_suspends_the_account_and_keeping_only_removes_it(organized: Organized) -> None:
    driver, client = organized.driver, organized.driver.api("organizations")
    closed, kept = organized.account("closed"), organized.account("kept")
    driver.provider.delete(ACCOUNT, urn(ACCOUNT, "closed"), closed, {"closeOnDeletion": True})
    driver.provider.delete(ACCOUNT, urn(ACCOUNT, "kept"), kept, {"closeOnDeletion": False})
    assert client.describe_account(AccountId=closed)["Account"]["Status"] == "SUSPENDED"
    with pytest.raises(client.exceptions.AccountNotFoundException):
        client.describe_account(AccountId=kept)


def test_an_address_that_another_account_has_is_refused_with_both_ways_out(organized: Organized) -> None:
    """https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateAccountStatus.html"""
    organized.account("stage")
    with pytest.raises(ProviderError, match=r"EMAIL_ALREADY_EXISTS(?s:.*)give it another `email`.*`adopt: ID`"):
        organized.driver.up(ACCOUNT, "other", name="other", email="example+stage@company.com")


def test_a_unit_with_accounts_in_it_is_not_removed(organized: Organized) -> None:
    unit, _ = organized.driver.up(UNIT, "unit", name="workloads", parentId=organized.root)
    organized.account("stage", parentId=unit)
    with pytest.raises(ProviderError, match="OrganizationalUnitNotEmptyException"):
        organized.driver.provider.delete(UNIT, urn(UNIT, "unit"), unit, {})


def test_the_look_up_tells_what_the_resource_tells(organized: Organized) -> None:
    stage = organized.account("stage")
    found = organized.driver.provider.invoke("aws:organizations/getOrganization:getOrganization", {})
    assert [account["id"] for account in found["nonMasterAccounts"]] == [stage]
    assert found["roots"][0]["id"] == organized.root
    assert found["masterAccountId"] == organized.driver.account
    assert found["awsServiceAccessPrincipals"] == ["account.amazonaws.com"]
    assert found["enabledPolicyTypes"] == ["SERVICE_CONTROL_POLICY"]


def test_a_member_account_sees_its_organization_and_cannot_change_it(organized: Organized) -> None:
    inside = organized.driver.member(organized.account("stage"))
    found = inside.provider.invoke("aws:organizations/getOrganization:getOrganization", {})
    assert found["masterAccountId"] == organized.driver.account
    with pytest.raises(ProviderError, match="AccessDeniedException"):
        inside.up(UNIT, "unit", name="mine", parentId=organized.root)
    inside.provider.close()


def test_units_are_looked_up_by_their_parent(organized: Organized) -> None:
    unit, outputs = organized.driver.up(UNIT, "unit", name="workloads", parentId=organized.root)
    token = "aws:organizations/getOrganizationalUnits:getOrganizationalUnits"
    assert organized.driver.provider.invoke(token, {"parentId": organized.root})["children"] == [
        {"id": unit, "arn": outputs["arn"], "name": "workloads"}
    ]
