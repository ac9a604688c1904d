"""A small bill in each form that AWS delivers it, and the sums that a pencil gives for it.

Columns: https://docs.aws.amazon.com/cur/latest/userguide/Lineitem-columns.html (legacy) and
https://docs.aws.amazon.com/cur/latest/userguide/table-dictionary-cur2-line-item.html (CUR 2.0).
"""

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass

STAGE, PROD = "222222222222", "333333333333"


@dataclass(frozen=True)
class Line:
    account: str
    code: str
    service: str
    amount: str
    kind: str = "Usage"
    team: str = ""
    day: str = "2026-10-01"
    currency: str = "USD"


EC2, S3 = ("AmazonEC2", "Amazon Elastic Compute Cloud"), ("AmazonS3", "Amazon Simple Storage Service")

BILL = (
    Line(STAGE, *EC2, "0.1", team="web"),
    Line(STAGE, *EC2, "0.2", team="web", day="2026-10-02"),
    Line(STAGE, *S3, "0.0000000001"),
    Line(PROD, *EC2, "10.5", team="data", day="2026-10-31"),
    Line(PROD, *EC2, "-0.5", kind="SavingsPlanNegation", team="data"),
    Line(PROD, *S3, "1E-7"),
    Line(PROD, *EC2, "-2.25", kind="Credit"),
    Line(PROD, *S3, "-0.75", kind="Refund"),
    Line(PROD, *EC2, "1.90", kind="Tax"),
    Line(STAGE, *S3, "0.05", kind="Tax"),
)
# By hand: 0.1 + 0.2 = 0.3, which a binary float does not say.
BY_ACCOUNT = {(STAGE,): "0.3000000001", (PROD,): "10.0000001"}
BY_SERVICE = {(EC2[1],): "10.3", (S3[1],): "0.0000001001"}
BY_TEAM = {("web",): "0.3", ("data",): "10.0", ("",): "0.0000001001"}
CHARGES, TOTAL = "10.3000001001", "9.2500001001"
APART = {(PROD, "credit"): "-2.25", (PROD, "refund"): "-0.75", (PROD, "tax"): "1.90", (STAGE, "tax"): "0.05"}


def legacy(lines: Iterable[Line] = BILL, *, end: str = "\r\n") -> bytes:
    """A legacy report: one column for each tag, `resourceTags/user:KEY`."""
    header = [
        *("identity/LineItemId", "lineItem/UsageAccountId", "lineItem/LineItemType", "lineItem/UsageStartDate"),
        *("lineItem/ProductCode", "lineItem/CurrencyCode", "lineItem/UnblendedCost", "lineItem/BlendedCost"),
        *(
            "lineItem/LineItemDescription",
            "product/ProductName",
            "resourceTags/aws:createdBy",
            "resourceTags/user:Team",
        ),
    ]
    rows = [
        [
            *(str(index), line.account, line.kind, f"{line.day}T00:00:00Z"),
            *(line.code, line.currency, line.amount, "" if line.kind == "Discount" else "1"),
            *('$0.1 per hour, "on demand",\nor so', line.service, "Root:1", line.team),
        ]
        for index, line in enumerate(lines)
    ]
    return _csv([header, *rows], end)


def cur2(lines: Iterable[Line] = BILL) -> bytes:
    """A CUR 2.0 export: products and tags are maps, accounts have names."""
    header = [
        *("bill_payer_account_id", "line_item_usage_account_id", "line_item_usage_account_name"),
        *("line_item_line_item_type", "line_item_usage_start_date", "line_item_product_code"),
        *("line_item_currency_code", "line_item_unblended_cost", "product", "resource_tags"),
    ]
    names = {STAGE: "Staging", PROD: "Production"}
    rows = [
        [
            *("111111111111", line.account, names[line.account], line.kind, f"{line.day}T00:00:00.000Z", line.code),
            *(line.currency, line.amount, json.dumps({"product_name": line.service, "region": "us-east-1"})),
            json.dumps({"user_team": line.team} if line.team else {}),
        ]
        for line in lines
    ]
    return _csv([header, *rows], "\n")


def _csv(rows: list[list[str]], end: str) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator=end).writerows(rows)
    return text.getvalue().encode()
