"""The local AWS lets nobody in with one key: trust policy *and* grant, as AWS has it across accounts.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html. The sandbox's
demonstration stands or falls with this, so it is shown through the very providers that a program uses.
"""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.aws.conftest import Driver, Organized, grant, trust
from twokeys.sandbox.aws.client import ProviderError

CreateClient = Callable[..., Any]


class TwoAccounts:
    """A user `ci` in the management account, a role `deployer` in a member account, and no key yet."""

    def __init__(self, organized: Organized, client_of: CreateClient) -> None:
        self.organized = organized
        self.source = organized.driver
        self.account = organized.account("stage")
        self.target = organized.driver.member(self.account)
        _, user = self.source.up("aws:iam/user:User", "ci", name="ci")
        self.user_arn = user["arn"]
        self.role_arn = f"arn:aws:iam::{self.account}:role/deployer"
        _, key = self.source.up("aws:iam/accessKey:AccessKey", "key", user="ci")
        created = key["secret"].value
        identifier = self.source.api("iam").list_access_keys(UserName="ci")["AccessKeyMetadata"][0]["AccessKeyId"]
        self.sts = client_of("sts", identifier, created)

    def trust(self, document: str) -> None:
        self.target.up("aws:iam/role:Role", "deployer", name="deployer", assumeRolePolicy=document)

    def grant(self, *resources: str) -> None:
        self.source.up("aws:iam/userPolicy:UserPolicy", "enter", name="enter", user="ci", policy=grant(*resources))

    def enter(self, **arguments: str) -> str:
        answer = self.sts.assume_role(RoleArn=self.role_arn, RoleSessionName="test", **arguments)
        return str(answer["AssumedRoleUser"]["Arn"])


@pytest.fixture
def two(organized: Organized, client_of: CreateClient) -> Any:
    accounts = TwoAccounts(organized, client_of)
    yield accounts
    accounts.target.provider.close()


def test_both_keys_open_the_door(two: TwoAccounts) -> None:
    two.trust(trust(two.user_arn))
    two.grant(two.role_arn)
    assert two.enter() == f"arn:aws:sts::{two.account}:assumed-role/deployer/test"


def test_a_trust_policy_alone_does_not(two: TwoAccounts) -> None:
    two.trust(trust(two.user_arn))
    with pytest.raises(ClientError, match="AccessDenied"):
        two.enter()


@pytest.mark.parametrize("asked", [{}, {"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}])
def test_within_one_account_a_trust_that_names_the_user_opens_it_and_no_other_trust(
    two: TwoAccounts, asked: dict[str, Any]
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_roles.html; an account delegates to grants."""
    two.role_arn = f"arn:aws:iam::{two.source.account}:role/own"
    _, other = two.source.up("aws:iam/user:User", "other", name="other")
    for principal, opens in ((two.user_arn, not asked), (two.user_arn[:25] + ":root", False), (other["arn"], False)):
        two.source.up("aws:iam/role:Role", "own", name="own", assumeRolePolicy=trust(principal, **asked))
        if opens:
            assert two.enter().endswith(":assumed-role/own/test")
        else:
            with pytest.raises(ClientError, match="AccessDenied"):
                two.enter()
        two.source.api("iam").delete_role(RoleName="own")


def test_a_grant_alone_does_not(two: TwoAccounts) -> None:
    two.trust(trust(f"arn:aws:iam::{two.account}:root"))
    two.grant(two.role_arn)
    with pytest.raises(ClientError, match="AccessDenied"):
        two.enter()


@pytest.mark.parametrize("given", [{}, {"ExternalId": "wrong"}])
def test_a_wrong_external_id_does_not(two: TwoAccounts, given: dict[str, str]) -> None:
    two.trust(trust(two.user_arn, Condition={"StringEquals": {"sts:ExternalId": "right"}}))
    two.grant(two.role_arn)
    with pytest.raises(ClientError, match="AccessDenied"):
        two.enter(**given)
    assert two.enter(ExternalId="right")


def test_a_trust_policy_cannot_name_a_principal_that_does_not_exist(
    two: TwoAccounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html."""
    nobody = two.user_arn.replace("user/ci", "user/nobody")
    monkeypatch.setattr("twokeys.sandbox.aws.iam.MOST_SECONDS", 0)
    with pytest.raises(ProviderError, match=r"MalformedPolicyDocument: Invalid principal in policy.*nobody"):
        two.trust(trust(nobody))


def test_a_trust_policy_waits_for_a_principal_that_is_in_the_making(two: TwoAccounts) -> None:
    """As AWS's provider: https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/iam/role.go."""
    late = two.user_arn.replace("user/ci", "user/late")
    with ThreadPoolExecutor() as pool:
        trusted = pool.submit(two.trust, trust(late))
        time.sleep(0.3)
        two.source.up("aws:iam/user:User", "late", name="late")
        trusted.result()


def test_a_provider_assumes_its_roles_with_their_external_id(organized: Organized) -> None:
    account = organized.account("stage")
    inside = organized.driver.member(account)
    protected = trust(
        f"arn:aws:iam::{organized.driver.account}:root", Condition={"StringEquals": {"sts:ExternalId": "right"}}
    )
    _, role = inside.up("aws:iam/role:Role", "door", name="door", assumeRolePolicy=protected)
    inside.provider.close()

    def configured(**settings: str) -> Driver:
        return organized.driver.member(account, assumeRoles=[{"roleArn": role["arn"], **settings}])

    with pytest.raises(ProviderError, match=rf"assuming the role {role['arn']} was refused"):
        configured(externalId="wrong")
    opened = configured(externalId="right", sessionName="me", duration="15m")
    identity = opened.provider.invoke("aws:index/getCallerIdentity:getCallerIdentity", {})
    assert identity["arn"] == f"arn:aws:sts::{account}:assumed-role/door/me"
    opened.provider.close()


def test_a_provider_refuses_a_role_to_assume_that_has_no_arn(organized: Organized) -> None:
    """https://github.com/pulumi/pulumi-aws/issues/5271"""
    with pytest.raises(ProviderError, match=r"(?s)IAM Role ARN not set in assume role.*It has role_arn"):
        organized.driver.member("111111111111", assumeRoles=[{"role_arn": "arn:aws:iam::111111111111:role/x"}])


def test_a_provider_assumes_one_role_through_another(organized: Organized) -> None:
    """`assumeRoles` is a chain: each role is assumed with the session of the one before."""
    first, second = organized.account("first"), organized.account("second")
    inside = organized.driver.member(second)
    through = f"arn:aws:iam::{first}:role/OrganizationAccountAccessRole"
    _, role = inside.up("aws:iam/role:Role", "inner", name="inner", assumeRolePolicy=trust(through))
    inside.provider.close()
    chained = organized.driver.member(second, assumeRoles=[{"roleArn": through}, {"roleArn": role["arn"]}])
    identity = chained.provider.invoke("aws:index/getCallerIdentity:getCallerIdentity", {})
    assert identity["arn"] == f"arn:aws:sts::{second}:assumed-role/inner/pulumi"
    chained.provider.close()


def granted_in(organization: str) -> str:
    statement = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Resource": "arn:aws:iam::*:role/deployer",
        "Condition": {"StringEquals": {"aws:ResourceOrgID": organization}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_a_grant_for_the_organization_opens_its_accounts_and_no_other(
    two: TwoAccounts, client_of: CreateClient
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-resourceorgid"""
    organization = two.source.api("organizations").describe_organization()["Organization"]["Id"]
    outside = "700000000007"  # an account that no organization has
    assert outside != two.account
    two.trust(trust(two.user_arn))
    client_of("iam", outside).create_role(RoleName="deployer", AssumeRolePolicyDocument=trust(two.user_arn))
    elsewhere = f"arn:aws:iam::{outside}:role/deployer"
    enters = {"name": "enter", "user": "ci"}

    two.source.up("aws:iam/userPolicy:UserPolicy", "enter", **enters, policy=granted_in(organization))
    assert two.enter() == f"arn:aws:sts::{two.account}:assumed-role/deployer/test"
    with pytest.raises(ClientError, match="AccessDenied"):
        two.sts.assume_role(RoleArn=elsewhere, RoleSessionName="test")

    two.source.up("aws:iam/userPolicy:UserPolicy", "enter", **enters, policy=granted_in("o-z9y8x7w6v5"))
    with pytest.raises(ClientError, match="AccessDenied"):
        two.enter()

    # That the account outside is really there and trusts the user: without the condition it opens.
    two.source.up("aws:iam/userPolicy:UserPolicy", "enter", **enters, policy=grant("arn:aws:iam::*:role/deployer"))
    assert two.sts.assume_role(RoleArn=elsewhere, RoleSessionName="test")


def test_a_trust_in_the_organization_admits_its_members(two: TwoAccounts) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalorgid"""
    organization = two.source.api("organizations").describe_organization()["Organization"]["Id"]
    other = two.organized.account("other")
    member = two.organized.driver.member(other)
    bound = {"StringEquals": {"aws:PrincipalOrgID": organization}}
    two.trust(trust(f"arn:aws:iam::{other}:root", Condition=bound))  # type: ignore[arg-type] # conditions nest
    entered = member.api("sts").assume_role(RoleArn=two.role_arn, RoleSessionName="test")
    assert entered["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{two.account}:assumed-role/deployer/test"
    member.provider.close()
