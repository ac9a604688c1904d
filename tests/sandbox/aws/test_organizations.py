"""Accounts are made once, units and policies behave as AWS Organizations documents.

https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateAccount.html and the operations beside it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from tests.sandbox.aws.conftest import ACCOUNT, ORGANIZATION, Driver, Organized, trust, urn
from twokeys.sandbox.aws import organizations
from twokeys.sandbox.engine.plugin import ProviderError

UNIT = "aws:organizations/organizationalUnit:OrganizationalUnit"
STAGE = {"name": "stage", "email": "example+stage@company.com"}


def accounts_of(driver: Driver) -> list[str]:
    found = driver.api("organizations").list_accounts()["Accounts"]
    return [account["Id"] for account in found if account["Id"] != driver.account]


def test_a_new_account_has_an_access_role_that_the_management_account_can_assume(organized: Organized) -> None:
    """https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_access.html."""
    account = organized.account("stage")
    inside = organized.driver.member(account)
    role = inside.api("iam").get_role(RoleName="OrganizationAccountAccessRole")["Role"]
    attached = inside.api("iam").list_attached_role_policies(RoleName="OrganizationAccountAccessRole")
    assert role["AssumeRolePolicyDocument"] == json.loads(trust(f"arn:aws:iam::{organized.driver.account}:root"))
    assert [one["PolicyName"] for one in attached["AttachedPolicies"]] == ["AdministratorAccess"]
    inside.provider.close()


def test_the_access_role_has_the_name_that_was_asked_for(organized: Organized) -> None:
    account = organized.account("stage", roleName="Entrance")
    sts = organized.driver.api("sts")
    sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/Entrance", RoleSessionName="test")
    with pytest.raises(ClientError, match="AccessDenied"):
        sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole", RoleSessionName="test")


def test_a_new_account_is_in_its_unit(organized: Organized) -> None:
    unit, _ = organized.driver.up(UNIT, "unit", name="workloads", parentId=organized.root)
    account = organized.account("stage", parentId=unit, tags={"environment": "stage"})
    parents = organized.driver.api("organizations").list_parents(ChildId=account)["Parents"]
    assert parents == [{"Id": unit, "Type": "ORGANIZATIONAL_UNIT"}]


def test_a_create_that_was_cut_short_is_finished_and_makes_no_second_account(organized: Organized) -> None:
    """Killed after CreateAccount, before the account was moved, tagged or written into any state."""
    driver = organized.driver
    unit, _ = driver.up(UNIT, "unit", name="workloads", parentId=organized.root)
    driver.api("organizations").create_account(AccountName=STAGE["name"], Email=STAGE["email"])
    inputs = driver.check(ACCOUNT, "stage", {**STAGE, "parentId": unit, "tags": {"a": "b"}})
    found = driver.provider.find(ACCOUNT, urn(ACCOUNT, "stage"), inputs)
    assert found is not None
    assert accounts_of(driver) == [found[0]]
    assert (found[1]["parentId"], found[1]["tagsAll"]) == (unit, {"a": "b"})
    again, outputs = driver.provider.create(ACCOUNT, urn(ACCOUNT, "stage"), inputs)
    assert (again, outputs) == found
    assert accounts_of(driver) == [again]


def test_the_e_mail_is_compared_without_regard_to_case(organized: Organized) -> None:
    first = organized.account("stage")
    second, _ = organized.driver.up(ACCOUNT, "stage", name="stage", email="Example+Stage@Company.com")
    assert second == first


def test_the_e_mail_of_a_closed_account_makes_no_second_one(organized: Organized) -> None:
    """A closed account stays SUSPENDED for 90 days and keeps its e-mail address."""
    driver = organized.driver
    account = organized.account("stage")
    driver.api("organizations").close_account(AccountId=account)
    with pytest.raises(ProviderError, match=rf"belongs to the account {account}.*\n.*SUSPENDED.*90 days"):
        driver.up(ACCOUNT, "stage", **STAGE)
    with pytest.raises(ProviderError, match="SUSPENDED"):
        driver.provider.find(ACCOUNT, urn(ACCOUNT, "stage"), driver.check(ACCOUNT, "stage", STAGE))
    assert accounts_of(driver) == [account]


def test_the_e_mail_of_an_account_with_another_name_is_refused(organized: Organized) -> None:
    organized.account("stage")
    with pytest.raises(ProviderError, match="it is named stage, not other"):
        organized.driver.up(ACCOUNT, "other", name="other", email=STAGE["email"])


def test_nothing_is_found_for_an_account_that_was_never_asked_for(organized: Organized) -> None:
    inputs = organized.driver.check(ACCOUNT, "stage", STAGE)
    assert organized.driver.provider.find(ACCOUNT, urn(ACCOUNT, "stage"), inputs) is None


@pytest.mark.parametrize("changed", ["name", "email", "roleName"])
def test_an_account_is_replaced_by_another_name_e_mail_or_role_name(management: Driver, changed: str) -> None:
    """https://github.com/pulumi/pulumi-aws/issues/6242."""
    old = {**STAGE, "roleName": "Entrance"}
    assert management.diff(ACCOUNT, "stage", old, {**old, changed: "x@company.com"}).replaces == (changed,)


@pytest.mark.parametrize("change", [{"parentId": "r-abcd"}, {"tags": {"a": "b"}}, {"closeOnDeletion": True}])
def test_an_account_is_moved_tagged_and_marked_in_place(management: Driver, change: dict[str, Any]) -> None:
    difference = management.diff(ACCOUNT, "stage", STAGE, {**STAGE, **change})
    assert (difference.changed, difference.replaces) == (tuple(change), ())


def test_an_account_in_govcloud_is_refused(management: Driver) -> None:
    _, failures = management.plugin.check(ACCOUNT, urn(ACCOUNT, "a"), {}, {**STAGE, "createGovcloud": True}, b"")
    assert [(one.property, one.reason) for one in failures] == [
        ("createGovcloud", "the sandbox makes no accounts in AWS GovCloud (US)")
    ]


@pytest.mark.parametrize("email", ["a@b.c", f"{'x' * 60}@b.co", "no at sign", "spaces in@it.com"])
def test_an_e_mail_that_aws_would_refuse_is_refused_in_preview(management: Driver, email: str) -> None:
    _, failures = management.plugin.check(ACCOUNT, urn(ACCOUNT, "a"), {}, {"name": "a", "email": email}, b"")
    assert [one.property for one in failures] == ["email"]


def test_closing_on_deletion_suspends_the_account_and_keeping_only_removes_it(organized: Organized) -> None:
    driver, client = organized.driver, organized.driver.api("organizations")
    closed, kept = organized.account("closed"), organized.account("kept")
    driver.provider.delete(ACCOUNT, urn(ACCOUNT, "closed"), closed, {"closeOnDeletion": True}, {})
    driver.provider.delete(ACCOUNT, urn(ACCOUNT, "kept"), kept, {"closeOnDeletion": False}, {})
    assert client.describe_account(AccountId=closed)["Account"]["Status"] == "SUSPENDED"
    with pytest.raises(client.exceptions.AccountNotFoundException):
        client.describe_account(AccountId=kept)


def test_a_create_waits_until_the_account_is_made(management: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    """CreateAccount is asynchronous on AWS; the local AWS answers at once, so AWS's answers are given here."""
    monkeypatch.setattr(organizations.time, "sleep", lambda _: None)
    status = {"Id": "car-12345678", "AccountName": "stage", "State": "IN_PROGRESS"}
    made = {**status, "State": "SUCCEEDED", "AccountId": "222222222222"}
    with Stubber(management.api("organizations")) as stub:
        for answer in (status, status, made):
            stub.add_response(
                "describe_create_account_status",
                {"CreateAccountStatus": answer},
                {"CreateAccountRequestId": "car-12345678"},
            )
        assert organizations._ended(management.provider.aws, "stage", status) == made
        stub.assert_no_pending_responses()


def test_an_account_that_is_still_being_made_is_waited_for_instead_of_made_twice(management: Driver) -> None:
    status = {"Id": "car-12345678", "AccountName": "stage", "State": "IN_PROGRESS"}
    made = {**status, "State": "SUCCEEDED", "AccountId": "222222222222"}
    account = {"Id": "222222222222", "Email": STAGE["email"], "Name": "stage", "Status": "ACTIVE"}
    with Stubber(management.api("organizations")) as stub:
        stub.add_response(
            "list_create_account_status", {"CreateAccountStatuses": [status]}, {"States": ["IN_PROGRESS"]}
        )
        stub.add_response("describe_create_account_status", {"CreateAccountStatus": made})
        stub.add_response("list_accounts", {"Accounts": [{**account, "JoinedMethod": "CREATED"}]})
        assert organizations._account_identify(management.provider.aws, STAGE) == "222222222222"
        stub.assert_no_pending_responses()


IN_PROGRESS = {"Id": "car-12345678", "AccountName": "stage", "State": "IN_PROGRESS"}
TAKEN = {**IN_PROGRESS, "State": "FAILED", "FailureReason": "EMAIL_ALREADY_EXISTS"}
MADE = {
    "Id": "222222222222",
    "Email": STAGE["email"],
    "Name": "stage",
    "Status": "ACTIVE",
    "State": "ACTIVE",
    "JoinedMethod": "CREATED",
}


def told(stub: Stubber, *accounts: dict[str, Any], pending: tuple[dict[str, Any], ...] = ()) -> None:
    """One look for the account: the requests under way, how they end, and the accounts that are there."""
    stub.add_response("list_create_account_status", {"CreateAccountStatuses": list(pending)})
    for request in pending:
        ended = {**request, "State": "SUCCEEDED", "AccountId": "222222222222"}
        stub.add_response("describe_create_account_status", {"CreateAccountStatus": ended})
    stub.add_response("list_accounts", {"Accounts": list(accounts)})


def create(driver: Driver, answers: Callable[[Stubber], None]) -> str:
    inputs = driver.check(ACCOUNT, "stage", STAGE)
    with Stubber(driver.api("organizations")) as stub:
        answers(stub)
        made = organizations._account_create(driver.provider.aws, inputs)
        stub.assert_no_pending_responses()
    return made


@pytest.mark.parametrize("failure", ["ACCOUNT_LIMIT_EXCEEDED", "EMAIL_ALREADY_EXISTS"])
def test_the_reason_of_a_failed_create_is_said(management: Driver, failure: str) -> None:
    """https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateAccountStatus.html lists the reasons."""

    def answers(stub: Stubber) -> None:
        told(stub)
        stub.add_response("create_account", {"CreateAccountStatus": {**TAKEN, "FailureReason": failure}})
        told(stub)

    with pytest.raises(ProviderError, match=f"stage was not made: {failure}") as error:
        create(management, answers)
    assert ("elsewhere has it" in str(error.value)) == (failure == "EMAIL_ALREADY_EXISTS")


def test_an_account_whose_answer_was_lost_is_found_and_not_made_twice(management: Driver) -> None:
    """A create that is sent again fails with EMAIL_ALREADY_EXISTS, for the first one made the account.

    https://github.com/hashicorp/terraform-provider-aws/issues/24897
    """

    def answers(stub: Stubber) -> None:
        told(stub)
        stub.add_response("create_account", {"CreateAccountStatus": TAKEN})
        told(stub, MADE)
        stub.add_response("list_tags_for_resource", {"Tags": []})
        stub.add_response("list_parents", {"Parents": [{"Id": "r-ab12", "Type": "ROOT"}]})

    assert create(management, answers) == "222222222222"


def test_of_two_runs_at_once_the_second_waits_for_the_account_of_the_first(management: Driver) -> None:
    """The first one's account is not listed yet while its request is under way, under whatever name."""

    def answers(stub: Stubber) -> None:
        told(stub)
        stub.add_response("create_account", {"CreateAccountStatus": TAKEN})
        told(stub, {**MADE, "Name": "other"}, pending=({**IN_PROGRESS, "AccountName": "other"},))

    with pytest.raises(ProviderError, match="it is named other, not stage"):
        create(management, answers)


def test_a_request_that_failed_before_does_not_stand_in_the_way(management: Driver) -> None:
    """One that is still under way and then fails leaves the address free."""
    made = {**IN_PROGRESS, "State": "SUCCEEDED", "AccountId": "222222222222"}

    def answers(stub: Stubber) -> None:
        stub.add_response("list_create_account_status", {"CreateAccountStatuses": [IN_PROGRESS]})
        failed = {**TAKEN, "FailureReason": "INTERNAL_FAILURE"}
        stub.add_response("describe_create_account_status", {"CreateAccountStatus": failed})
        stub.add_response("list_accounts", {"Accounts": []})
        stub.add_response("create_account", {"CreateAccountStatus": made})
        stub.add_response("list_parents", {"Parents": [{"Id": "r-ab12", "Type": "ROOT"}]})

    assert create(management, answers) == "222222222222"


@pytest.mark.parametrize(
    ("state", "status"),
    [("PENDING_CLOSURE", "PENDING_CLOSURE"), ("CLOSED", "SUSPENDED"), ("SUSPENDED", "SUSPENDED"), (None, "SUSPENDED")],
)
def test_an_account_out_of_use_is_refused_by_its_state_and_none_is_made(
    management: Driver, state: str | None, status: str
) -> None:
    """https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_account_state.html"""
    found = {**MADE, "Status": status, **({"State": state} if state else {})}
    if state is None:
        found.pop("State")
    with pytest.raises(ProviderError, match=f"it is {state or status}.*\n.*another e-mail"):
        create(management, lambda stub: told(stub, found))


def test_waiting_for_an_account_ends(management: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(organizations, "_CREATE_ACCOUNT_SECONDS", -1.0)
    with pytest.raises(ProviderError, match=r"still being made.*\n.*waits for this one and makes no other"):
        organizations._ended(management.provider.aws, "stage", {"Id": "car-1", "State": "IN_PROGRESS"})


def test_a_second_organization_is_refused(organized: Organized) -> None:
    with pytest.raises(ProviderError, match="AlreadyInOrganizationException"):
        organized.driver.up(ORGANIZATION, "again")


def test_an_organization_whose_create_was_cut_short_is_finished(management: Driver) -> None:
    management.api("organizations").create_organization(FeatureSet="ALL")
    inputs = management.check(ORGANIZATION, "o", {"enabledPolicyTypes": ["SERVICE_CONTROL_POLICY"]})
    found = management.provider.find(ORGANIZATION, urn(ORGANIZATION, "o"), inputs)
    assert found is not None
    assert found[1]["enabledPolicyTypes"] == ["SERVICE_CONTROL_POLICY"]
    assert found[1]["roots"][0]["policyTypes"] == [{"type": "SERVICE_CONTROL_POLICY", "status": "ENABLED"}]


def test_only_going_back_to_consolidated_billing_replaces_an_organization(management: Driver) -> None:
    billing = {"featureSet": "CONSOLIDATED_BILLING"}
    assert management.diff(ORGANIZATION, "o", {}, billing).replaces == ("featureSet",)
    assert management.diff(ORGANIZATION, "o", billing, {}).replaces == ()


def test_the_root_is_known_while_trusted_services_change(management: Driver) -> None:
    """Else the units below it would have an unknown parent, and be replaced."""
    roots = [{"id": "r-ab12"}]
    inputs = management.check(ORGANIZATION, "o", {"awsServiceAccessPrincipals": ["account.amazonaws.com"]})
    assert management.plugin.preview(ORGANIZATION, urn(ORGANIZATION, "o"), inputs, {"roots": roots})["roots"] == roots


def test_a_unit_is_replaced_by_another_parent_only(management: Driver) -> None:
    old = {"name": "a", "parentId": "r-abcd"}
    assert management.diff(UNIT, "u", old, {**old, "parentId": "r-efgh"}).replaces == ("parentId",)
    assert management.diff(UNIT, "u", old, {**old, "name": "b"}).replaces == ()


def test_a_unit_with_accounts_in_it_is_not_removed(organized: Organized) -> None:
    unit, _ = organized.driver.up(UNIT, "unit", name="workloads", parentId=organized.root)
    organized.account("stage", parentId=unit)
    with pytest.raises(ProviderError, match="OrganizationalUnitNotEmptyException"):
        organized.driver.provider.delete(UNIT, urn(UNIT, "unit"), unit, {}, {})


def test_a_second_unit_of_one_name_is_refused_and_a_cut_short_one_is_found(organized: Organized) -> None:
    unit, _ = organized.driver.up(UNIT, "unit", name="workloads", parentId=organized.root)
    with pytest.raises(ProviderError, match="DuplicateOrganizationalUnitException"):
        organized.driver.up(UNIT, "again", name="workloads", parentId=organized.root)
    inputs = organized.driver.check(UNIT, "unit", {"name": "workloads", "parentId": organized.root})
    found = organized.driver.provider.find(UNIT, urn(UNIT, "unit"), inputs)
    assert found is not None
    assert found[0] == unit


def test_a_policy_of_a_type_that_is_not_enabled_cannot_be_attached(organized: Organized) -> None:
    content = json.dumps({"tags": {}})
    policy, _ = organized.driver.up("aws:organizations/policy:Policy", "p", content=content, type="TAG_POLICY")
    with pytest.raises(ProviderError, match="PolicyTypeNotEnabledException"):
        organized.driver.up(
            "aws:organizations/policyAttachment:PolicyAttachment", "a", policyId=policy, targetId=organized.root
        )


@pytest.mark.parametrize(
    "type", ["aws:organizations/policy:Policy", "aws:organizations/policyAttachment:PolicyAttachment"]
)
def test_skip_destroy_leaves_the_object_in_place(organized: Organized, type: str) -> None:
    driver, client = organized.driver, organized.driver.api("organizations")
    content = json.dumps({"Version": "2012-10-17", "Statement": []})
    policy, _ = driver.up("aws:organizations/policy:Policy", "p", content=content)
    attachment = {"policyId": policy, "targetId": organized.root}
    identifier, _ = driver.up("aws:organizations/policyAttachment:PolicyAttachment", "a", **attachment)
    ids = {"aws:organizations/policy:Policy": policy}
    driver.provider.delete(type, urn(type, "x"), ids.get(type, identifier), {**attachment, "skipDestroy": True}, {})
    assert client.list_targets_for_policy(PolicyId=policy)["Targets"][0]["TargetId"] == organized.root


def test_a_delegated_administrator_needs_trusted_access_of_its_service(organized: Organized) -> None:
    account = organized.account("audit")
    with pytest.raises(ProviderError, match="ConstraintViolationException"):
        organized.driver.up(
            "aws:organizations/delegatedAdministrator:DelegatedAdministrator",
            "d",
            accountId=account,
            servicePrincipal="guardduty.amazonaws.com",
        )


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


def test_an_account_without_an_organization_is_told_so(management: Driver) -> None:
    with pytest.raises(ProviderError, match="AWSOrganizationsNotInUseException"):
        management.provider.invoke("aws:organizations/getOrganization:getOrganization", {})


def test_units_are_looked_up_by_their_parent(organized: Organized) -> None:
    unit, outputs = organized.driver.up(UNIT, "unit", name="workloads", parentId=organized.root)
    token = "aws:organizations/getOrganizationalUnits:getOrganizationalUnits"
    assert organized.driver.provider.invoke(token, {"parentId": organized.root})["children"] == [
        {"id": unit, "arn": outputs["arn"], "name": "workloads"}
    ]


def test_a_members_contacts_need_trusted_access_of_account_management(
    management: Driver, client_of: Callable[..., Any]
) -> None:
    """https://docs.aws.amazon.com/accounts/latest/reference/using-orgs-trusted-access.html."""
    management.up(ORGANIZATION, "organization")
    account, _ = management.up(ACCOUNT, "stage", **STAGE)
    contact = {
        "accountId": account,
        "alternateContactType": "BILLING",
        "title": "CFO",
        "emailAddress": "cfo@company.com",
        "phoneNumber": "+1234567890",
    }
    with pytest.raises(ProviderError, match=r"Trusted access of account.amazonaws.com is not enabled"):
        management.up("aws:account/alternativeContact:AlternativeContact", "billing", **contact)
    elsewhere = client_of("account", "999999999998")
    with pytest.raises(ClientError, match="AccessDenied"):
        elsewhere.get_alternate_contact(AccountId=account, AlternateContactType="BILLING")
