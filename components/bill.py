"""The one bill of the organization: what splits it, what watches it, and where it is exported to."""

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_aws as aws

from components.private_bucket import PrivateBucket
from twokeys.settings.bill import AnomaliesSettings, BillSettings, CostTagSettings, ReportSettings
from twokeys.settings.models import Settings

# Columns of CUR 2.0 that break a bill down by account, service, region and tag:
# https://docs.aws.amazon.com/cur/latest/userguide/table-dictionary-cur2.html
_COLUMNS = (
    *("identity_line_item_id", "identity_time_interval"),  # by which `twokeys costs` tells lines that stand twice
    "bill_billing_period_start_date",
    "bill_payer_account_id",
    "line_item_usage_account_id",
    "line_item_usage_account_name",
    "line_item_usage_start_date",
    "line_item_line_item_type",
    "line_item_product_code",
    "line_item_usage_type",
    "line_item_operation",
    "line_item_usage_amount",
    "line_item_unblended_cost",
    "line_item_currency_code",
    "product_region_code",
    "resource_tags",
)
_QUERY = f"SELECT {', '.join(_COLUMNS)} FROM COST_AND_USAGE_REPORT"  # noqa: S608 - all of it is written here


class Bill(pulumi.ComponentResource):
    """Cost allocation tags, an anomaly monitor and the exported report, in the management account's provider."""

    report_bucket: pulumi.Output[str | None]
    """The bucket of the cost and usage report, if there is one."""

    def __init__(
        self, name: str, settings: Settings, bill: BillSettings, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("twokeys:bill:Bill", name, {}, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        for tag in bill.tags:  # AWS knows a tag's key about a day after it was first used
            aws.costexplorer.CostAllocationTag(tag, tag_key=tag, status="Active", opts=self._child)
        self.report_bucket = pulumi.Output.from_input(None)
        if bill.anomalies:
            self._watch(name, bill.anomalies)
        if bill.report:
            self.report_bucket = self._export(name, settings, bill.report)
        self.register_outputs({"reportBucket": self.report_bucket})

    def _watch(self, name: str, said: AnomaliesSettings) -> None:
        """https://docs.aws.amazon.com/cost-management/latest/userguide/getting-started-ad.html"""
        monitor = aws.costexplorer.AnomalyMonitor(
            name, name=name, monitor_type="DIMENSIONAL", monitor_dimension="SERVICE", opts=self._child
        )
        aws.costexplorer.AnomalySubscription(
            name,
            name=name,
            frequency=said.frequency,
            monitor_arn_lists=[monitor.arn],
            subscribers=[{"type": "EMAIL", "address": address} for address in said.notify],
            threshold_expression={
                "dimension": {
                    "key": "ANOMALY_TOTAL_IMPACT_ABSOLUTE",
                    "match_options": ["GREATER_THAN_OR_EQUAL"],
                    "values": [f"{said.minimum_impact:g}"],
                }
            },
            opts=self._child,
        )

    def _export(self, name: str, settings: Settings, said: ReportSettings) -> pulumi.Output[str]:
        called = said.bucket or f"cost-report-{settings.management_account_id}"
        bucket = PrivateBucket(
            name,
            bucket=called,
            statements=report_statements(called, settings.management_account_id, settings.partition),
            keep_days=said.keep_days,
            partition=settings.partition,
            opts=self._child,
        )
        table = {
            "TIME_GRANULARITY": "DAILY",
            "INCLUDE_RESOURCES": "FALSE",
            "INCLUDE_SPLIT_COST_ALLOCATION_DATA": "FALSE",
            "INCLUDE_MANUAL_DISCOUNT_COMPATIBILITY": "FALSE",
        }
        aws.bcmdata.Export(
            name,
            export={
                "name": name,
                "data_queries": [{"query_statement": _QUERY, "table_configurations": {"COST_AND_USAGE_REPORT": table}}],
                "destination_configurations": [
                    {
                        "s3_destinations": [
                            {
                                "s3_bucket": bucket.bucket,
                                "s3_prefix": "cur",
                                "s3_region": settings.region,
                                "s3_output_configurations": [
                                    {
                                        "compression": "GZIP",
                                        "format": "TEXT_OR_CSV",
                                        "output_type": "CUSTOM",
                                        "overwrite": "OVERWRITE_REPORT",
                                    }
                                ],
                            }
                        ]
                    }
                ],
                "refresh_cadences": [{"frequency": "SYNCHRONOUS"}],
            },
            opts=self._child,
        )
        return bucket.bucket


def report_statements(bucket: str, account: str, partition: str) -> list[dict[str, Any]]:
    """Statements of the report bucket's policy: exports of this account write, and no other. Pure.

    https://docs.aws.amazon.com/cur/latest/userguide/dataexports-s3-bucket.html
    """
    arn = f"arn:{partition}:s3:::{bucket}"
    return [
        {
            "Sid": "EnableAWSDataExportsToWriteToS3AndCheckPolicy",
            "Effect": "Allow",
            "Principal": {"Service": ["billingreports.amazonaws.com", "bcm-data-exports.amazonaws.com"]},
            "Action": ["s3:PutObject", "s3:GetBucketPolicy"],
            "Resource": [f"{arn}/*", arn],
            "Condition": {
                "StringLike": {
                    "aws:SourceAccount": account,
                    "aws:SourceArn": [
                        f"arn:{partition}:cur:us-east-1:{account}:definition/*",
                        f"arn:{partition}:bcm-data-exports:us-east-1:{account}:export/*",
                    ],
                }
            },
        }
    ]


def tag_policy(tags: Mapping[str, CostTagSettings]) -> dict[str, Any]:
    """The tag policy for tags by key; empty lists of values and of resource types say nothing. Pure.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_example-tag-policies.html
    """
    return {
        "tags": {
            key: {"tag_key": {"@@assign": key}}
            | ({"tag_value": {"@@assign": list(tag.values)}} if tag.values else {})
            | ({"enforced_for": {"@@assign": list(tag.enforced_for)}} if tag.enforced_for else {})
            for key, tag in tags.items()
        }
    }
