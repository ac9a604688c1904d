"""One bill: what splits it, what watches it, and where it is exported to."""

import json
from typing import Any

import pulumi
import pulumi_aws as aws

from components.account_budget import AccountBudget
from components.bill import Bill, tag_policy
from tests.components.mock_engine import Run, run
from twokeys.settings.bill import BillSettings, BudgetSettings, CostTagSettings
from twokeys.settings.models import Settings

ACCOUNT, BUCKET = "111111111111", "cost-report-111111111111"


def make(**more: Any) -> Run:
    def program() -> None:
        parent = aws.Provider("management", region="us-east-1")
        made = Bill(
            "bill",
            Settings(management_account_id=ACCOUNT, root_email="example@company.com"),
            BillSettings.model_validate({"tags": {"environment": {}}, **more}),
            pulumi.ResourceOptions(provider=parent),
        )
        pulumi.export("bucket", made.report_bucket)

    return run(program, stack="management")


def test_a_tag_that_splits_the_bill_is_activated() -> None:
    # https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_UpdateCostAllocationTagsStatus.html
    done = make()
    tags = done.of("aws:costexplorer/costAllocationTag:CostAllocationTag")
    assert [tag.inputs for tag in tags.values()] == [{"tagKey": "environment", "status": "Active"}]
    assert done.exports.get("bucket") is None


def test_unusual_costs_are_reported_from_the_impact_on_that_config_says() -> None:
    # https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_AnomalySubscription.html
    done = make(anomalies={"notify": ["b@company.com"], "minimumImpact": 100.0, "frequency": "DAILY"})
    monitor = done.one("aws:costexplorer/anomalyMonitor:AnomalyMonitor", "bill")
    assert (monitor.inputs["monitorType"], monitor.inputs["monitorDimension"]) == ("DIMENSIONAL", "SERVICE")
    subscription = done.one("aws:costexplorer/anomalySubscription:AnomalySubscription", "bill").inputs
    assert subscription["subscribers"] == [{"type": "EMAIL", "address": "b@company.com"}]
    assert subscription["thresholdExpression"] == {
        "dimension": {
            "key": "ANOMALY_TOTAL_IMPACT_ABSOLUTE",
            "matchOptions": ["GREATER_THAN_OR_EQUAL"],
            "values": ["100"],
        }
    }


def test_the_report_goes_into_a_bucket_that_only_exports_of_this_account_write() -> None:
    # https://docs.aws.amazon.com/cur/latest/userguide/dataexports-s3-bucket.html
    done = make(report={"keepDays": 400})
    (made,) = done.of("aws:s3/bucketPolicy:BucketPolicy").values()
    allowed, denied = json.loads(made.inputs["policy"])["Statement"]
    assert allowed["Principal"] == {"Service": ["billingreports.amazonaws.com", "bcm-data-exports.amazonaws.com"]}
    assert allowed["Condition"]["StringLike"] == {
        "aws:SourceAccount": ACCOUNT,
        "aws:SourceArn": [
            f"arn:aws:cur:us-east-1:{ACCOUNT}:definition/*",
            f"arn:aws:bcm-data-exports:us-east-1:{ACCOUNT}:export/*",
        ],
    }
    assert denied["Effect"] == "Deny"
    export = done.one("aws:bcmdata/export:Export", "bill").inputs["export"]
    (query,) = export["dataQueries"]
    assert query["queryStatement"].startswith("SELECT ")
    assert query["queryStatement"].endswith(" FROM COST_AND_USAGE_REPORT")
    assert {"line_item_usage_account_id", "resource_tags"} <= set(query["queryStatement"].replace(",", "").split())
    assert done.exports["bucket"] == BUCKET


def test_a_tag_policy_says_spelling_values_and_what_is_held_to_them() -> None:
    # https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_example-tag-policies.html
    environment = CostTagSettings(values=("stage", "prod"), enforced_for=("s3:bucket",))
    assert tag_policy({"environment": environment, "owner": CostTagSettings()}) == {
        "tags": {
            "environment": {
                "tag_key": {"@@assign": "environment"},
                "tag_value": {"@@assign": ["stage", "prod"]},
                "enforced_for": {"@@assign": ["s3:bucket"]},
            },
            "owner": {"tag_key": {"@@assign": "owner"}},
        }
    }


def test_a_budget_counts_one_account_and_tells_at_each_threshold() -> None:
    # https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_budgets_Notification.html
    def program() -> None:
        parent = aws.Provider("management", region="us-east-1")
        AccountBudget(
            "stage",
            BudgetSettings(monthly=500, notify=("b@company.com",)),
            "222222222222",
            pulumi.ResourceOptions(provider=parent),
        )

    budget = run(program).one("aws:budgets/budget:Budget", "stage").inputs
    assert (budget["limitAmount"], budget["limitUnit"], budget["timeUnit"]) == ("500.00", "USD", "MONTHLY")
    assert budget["costFilters"] == [{"name": "LinkedAccount", "values": ["222222222222"]}]
    told = [(each["notificationType"], each["threshold"]) for each in budget["notifications"]]
    assert told == [("ACTUAL", 80), ("ACTUAL", 100), ("FORECASTED", 100)]
