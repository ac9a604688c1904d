"""What the local AWS lacks is kept in a record that says so, obeys IAM and outlives a restart, and has no effect."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from rich.console import Console

from tests.sandbox.aws.conftest import Driver, Organized, urn
from twokeys.sandbox.aws import types_page
from twokeys.sandbox.engine.events import Op, Step, StepDone
from twokeys.sandbox.engine.plugin import ProviderError
from twokeys.sandbox.local_aws import LocalAws
from twokeys.sandbox.report import Report

ANALYZER = "aws:accessanalyzer/analyzer:Analyzer"
BLOCK = "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock"
MONITOR = "aws:costexplorer/anomalyMonitor:AnomalyMonitor"
KEPT = "kept in the sandbox's own record, not in the local AWS"


def test_the_documentation_lists_the_types_and_where_each_is_kept(project_root: Path) -> None:
    assert (project_root / "docs/sandbox-types.md").read_text() == types_page.page()


def shown(type: str, *, preview: bool) -> str:
    output = io.StringIO()
    report = Report(Console(file=output, width=200), preview=preview)
    report(StepDone(Step(Op.CREATE, urn(type, "it"), type), 0.0))
    return output.getvalue()


@pytest.mark.parametrize("preview", [True, False])
def test_an_operation_on_a_record_says_so_and_no_other_does(preview: bool) -> None:
    assert KEPT in shown(ANALYZER, preview=preview)
    assert KEPT not in shown("aws:cloudtrail/trail:Trail", preview=preview)


def reader(management: Driver, *actions: str) -> Any:
    """A user of the account who may do these actions only, as the keys that sign for them."""
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    management.up("aws:iam/user:User", "user", name="reader")
    management.up("aws:iam/userPolicy:UserPolicy", "policy", user="reader", name="read", policy=policy)
    return management.api("iam").create_access_key(UserName="reader")["AccessKey"]


@pytest.mark.parametrize(
    ("service", "allowed", "may", "may_not"),
    [
        pytest.param(
            "ce",
            "ce:GetAnomalyMonitors",
            lambda client: client.get_anomaly_monitors(),
            lambda client: client.list_cost_allocation_tags(),
            id="JSON",
        ),
        pytest.param(
            "accessanalyzer",
            "access-analyzer:ListAnalyzers",
            lambda client: client.list_analyzers(),
            lambda client: client.create_analyzer(analyzerName="a", type="ACCOUNT"),
            id="REST",
        ),
        pytest.param(
            "guardduty",
            "guardduty:ListOrganizationAdminAccounts",
            lambda client: client.list_organization_admin_accounts(),
            lambda client: client.enable_organization_admin_account(AdminAccountId="111111111111"),
            id="REST, by POST",
        ),
        pytest.param(
            "ec2",
            "ec2:GetEbsEncryptionByDefault",
            lambda client: client.get_ebs_encryption_by_default(),
            lambda client: client.enable_ebs_encryption_by_default(),
            id="query",
        ),
    ],
)
def test_a_record_is_guarded_by_iam_policies(  # noqa: PLR0917 - fixtures and the case
    management: Driver, client_of: Callable[..., Any], service: str, allowed: str, may: Any, may_not: Any
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html."""
    keys = reader(management, allowed)
    client = client_of(service, keys["AccessKeyId"], keys["SecretAccessKey"])
    may(client)
    with pytest.raises(ClientError, match=r"AccessDenied|UnauthorizedOperation"):
        may_not(client)


def test_the_public_access_block_of_an_account_is_guarded_by_iam_policies(management: Driver) -> None:
    """https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html."""
    keys = reader(management, "s3:GetAccountPublicAccessBlock")
    inputs = {"accessKey": keys["AccessKeyId"], "secretKey": keys["SecretAccessKey"]}
    allowed = Driver(management.plugin, management.plugin.configure(inputs))
    assert allowed.provider.read(BLOCK, urn(BLOCK, "b"), management.account, {}, {}) is None
    with pytest.raises(ProviderError) as refused:
        allowed.up(BLOCK, "b", blockPublicAcls=True)
    assert "AccessDenied" in str(refused.value)
    allowed.provider.close()


def test_an_operation_that_a_record_lacks_is_refused_by_its_name(management: Driver) -> None:
    with pytest.raises(ClientError, match="record of guardduty has no operation GET /detector"):
        management.api("guardduty").list_detectors()
    with pytest.raises(ClientError, match="record of ce has no operation GetCostForecast"):
        management.api("ce").get_cost_forecast(
            TimePeriod={"Start": "2026-01-01", "End": "2026-02-01"}, Metric="BLENDED_COST", Granularity="MONTHLY"
        )


def test_each_account_has_a_record_of_its_own(organized: Organized) -> None:
    stage = organized.driver.member(organized.account("stage"))
    organized.driver.up(ANALYZER, "a", analyzerName="mine")
    stage.up(BLOCK, "b", blockPublicAcls=True)
    assert stage.api("accessanalyzer").list_analyzers()["analyzers"] == []
    assert organized.driver.provider.read(BLOCK, urn(BLOCK, "b"), organized.driver.account, {}, {}) is None
    stage.provider.close()


def test_each_region_has_a_record_of_its_own(management: Driver) -> None:
    for region in ("us-east-1", "eu-central-1"):
        management.up(ANALYZER, region, analyzerName="mine", region=region)
    provider, where = management.provider, urn(ANALYZER, "us-east-1")
    provider.delete(ANALYZER, where, "mine", {"region": "us-east-1"}, {})
    assert provider.read(ANALYZER, where, "mine", {"region": "us-east-1"}, {}) is None
    assert provider.read(ANALYZER, where, "mine", {"region": "eu-central-1"}, {}) is not None


def test_a_record_outlives_the_local_aws(tmp_path: Path) -> None:
    from twokeys.sandbox.aws import AwsPlugin

    for run in range(2):
        with LocalAws.start(tmp_path) as local:
            provider = AwsPlugin(local.environment()).configure({})
            if run == 0:
                provider.create(BLOCK, urn(BLOCK, "b"), {"blockPublicAcls": True})
                provider.create(MONITOR, urn(MONITOR, "m"), {"name": "m", "monitorType": "DIMENSIONAL"})
            found = provider.read(BLOCK, urn(BLOCK, "b"), "111111111111", {}, {})
            assert found is not None
            assert found[2]["blockPublicAcls"] is True
            assert len(provider.aws.client("ce").get_anomaly_monitors()["AnomalyMonitors"]) == 1
            provider.close()


def test_an_analyzer_for_the_organization_needs_trusted_access_and_a_delegated_administrator(
    organized: Organized,
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-delegated-administrator.html."""
    driver, audit = organized.driver, organized.account("audit")
    member, service = driver.member(audit), "access-analyzer.amazonaws.com"
    with pytest.raises(ProviderError, match="Trusted access of access-analyzer"):
        member.up(ANALYZER, "a", analyzerName="organization", type="ORGANIZATION")
    driver.api("organizations").enable_aws_service_access(ServicePrincipal=service)
    with pytest.raises(ProviderError, match="no delegated administrator"):
        member.up(ANALYZER, "a", analyzerName="organization", type="ORGANIZATION")
    delegated = "aws:organizations/delegatedAdministrator:DelegatedAdministrator"
    driver.up(delegated, "d", accountId=audit, servicePrincipal=service)
    assert member.up(ANALYZER, "a", analyzerName="organization", type="ORGANIZATION")[0] == "organization"
    member.provider.close()


def test_root_access_is_centralized_only_with_trusted_access(organized: Organized) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-enable-root-access.html."""
    with pytest.raises(ProviderError, match=r"Trusted access of iam\.amazonaws\.com is missing"):
        organized.driver.up(
            "aws:iam/organizationsFeatures:OrganizationsFeatures", "f", enabledFeatures=["RootSessions"]
        )


def test_a_permission_set_that_is_assigned_is_kept(organized: Organized) -> None:
    """https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_DeletePermissionSet.html: ConflictException."""
    driver, stage = organized.driver, organized.account("stage")
    instance = driver.provider.invoke("aws:ssoadmin/getInstances:getInstances", {})
    named = {"instanceArn": instance["arns"][0]}
    type = "aws:ssoadmin/permissionSet:PermissionSet"
    identifier, permission_set = driver.up(type, "auditor", name="Auditor", **named)
    store = {"identityStoreId": instance["identityStoreIds"][0]}
    _, jane = driver.up("aws:identitystore/user:User", "jane", userName="jane", displayName="Jane", **store)
    driver.up(
        "aws:ssoadmin/accountAssignment:AccountAssignment",
        "jane",
        permissionSetArn=permission_set["arn"],
        principalId=jane["userId"],
        principalType="USER",
        targetId=stage,
        targetType="AWS_ACCOUNT",
        **named,
    )
    with pytest.raises(ProviderError, match="delete its assignments first"):
        driver.provider.delete(type, urn(type, "auditor"), identifier, named, {})


def test_an_account_without_an_organization_has_no_identity_center(management: Driver) -> None:
    assert management.provider.invoke("aws:ssoadmin/getInstances:getInstances", {})["arns"] == []


def test_a_member_may_not_activate_cost_allocation_tags(organized: Organized) -> None:
    """https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/activating-tags.html."""
    member = organized.driver.member(organized.account("stage"))
    with pytest.raises(ProviderError, match="doesn't have access to cost allocation tags"):
        member.up("aws:costexplorer/costAllocationTag:CostAllocationTag", "t", tagKey="team", status="Active")
    member.provider.close()
