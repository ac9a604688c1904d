"""Budgets and cost and usage reports: https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/.

Both APIs are in us-east-1 only.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from twokeys.sandbox.aws import tags
from twokeys.sandbox.aws.client import Aws, or_none
from twokeys.sandbox.aws.iam_rules import name_of
from twokeys.sandbox.aws.resource_type import AutoName, ResourceType, matches, one_of
from twokeys.sandbox.aws.shapes import from_api, to_api
from twokeys.sandbox.engine.values import Properties

_HOME = "us-east-1"
_NOTIFICATION = ("comparisonOperator", "notificationType", "threshold", "thresholdType")
_COST_TYPES = {
    "includeCredit": True,
    "includeDiscount": True,
    "includeOtherSubscription": True,
    "includeRecurring": True,
    "includeRefund": True,
    "includeSubscription": True,
    "includeSupport": True,
    "includeTax": True,
    "includeUpfront": True,
    "useAmortized": False,
    "useBlended": False,
}
_REPORT = {
    "additionalArtifacts": "AdditionalArtifacts",
    "additionalSchemaElements": "AdditionalSchemaElements",
    "compression": "Compression",
    "format": "Format",
    "refreshClosedReports": "RefreshClosedReports",
    "reportName": "ReportName",
    "reportVersioning": "ReportVersioning",
    "s3Bucket": "S3Bucket",
    "s3Prefix": "S3Prefix",
    "s3Region": "S3Region",
    "timeUnit": "TimeUnit",
}
_MOMENT = "%Y-%m-%d_%H:%M"


# boto3's clients are generated at run time; `Any` is what boto3 itself declares without its stubs.
def _budgets(aws: Aws) -> Any:  # noqa: ANN401
    return aws.client("budgets", _HOME)


def _budget(inputs: Properties, name: str) -> Properties:
    budget: Properties = {
        "BudgetName": name,
        "BudgetType": inputs["budgetType"],
        "TimeUnit": inputs["timeUnit"],
    }
    if inputs.get("limitAmount") is not None:
        budget["BudgetLimit"] = {"Amount": inputs["limitAmount"], "Unit": inputs.get("limitUnit") or "USD"}
    if inputs.get("costFilters"):
        budget["CostFilters"] = {one["name"]: one["values"] for one in inputs["costFilters"]}
    if inputs.get("costTypes"):
        budget["CostTypes"] = to_api({**_COST_TYPES, **inputs["costTypes"]})
    period = {"Start": inputs.get("timePeriodStart"), "End": inputs.get("timePeriodEnd")}
    if any(period.values()):
        budget["TimePeriod"] = {
            name: datetime.strptime(text, _MOMENT).replace(tzinfo=UTC) for name, text in period.items() if text
        }
    return budget


def _notification(inputs: Properties) -> tuple[Properties, list[Properties]]:
    """(notification, subscribers) as the API has them."""
    subscribers = [
        {"SubscriptionType": kind, "Address": address}
        for kind, name in (("EMAIL", "subscriberEmailAddresses"), ("SNS", "subscriberSnsTopicArns"))
        for address in inputs.get(name) or ()
    ]
    return to_api({name: inputs[name] for name in _NOTIFICATION}), subscribers


def _budget_create(aws: Aws, inputs: Properties) -> str:
    account, name = inputs.get("accountId") or aws.account, name_of(inputs)
    pairs = tags.as_pairs(tags.all_tags(aws, inputs))
    notifications = map(_notification, inputs.get("notifications") or ())
    _budgets(aws).create_budget(
        AccountId=account,
        Budget=_budget(inputs, name),
        NotificationsWithSubscribers=[{"Notification": one, "Subscribers": who} for one, who in notifications],
        **({"ResourceTags": pairs} if pairs else {}),
    )
    return f"{account}:{name}"


def _budget_arn(identifier: str) -> str:
    account, _, name = identifier.partition(":")
    return f"arn:aws:budgets::{account}:budget/{name}"


def _budget_read(aws: Aws, identifier: str, _known: Properties) -> Properties | None:
    account, _, name = identifier.partition(":")
    client = _budgets(aws)
    found = or_none(client.describe_budget, AccountId=account, BudgetName=name)
    if found is None:
        return None
    budget = found["Budget"]
    limit, filters = budget.get("BudgetLimit") or {}, budget.get("CostFilters") or {}
    pages = client.get_paginator("describe_notifications_for_budget").paginate(AccountId=account, BudgetName=name)
    notifications = [one for page in pages for one in page["Notifications"]]
    return {
        "accountId": account,
        "arn": _budget_arn(identifier),
        "budgetType": budget["BudgetType"],
        "costFilters": [{"name": key, "values": filters[key]} for key in sorted(filters)] or None,
        "costTypes": from_api(budget.get("CostTypes")),
        "limitAmount": limit.get("Amount"),
        "limitUnit": limit.get("Unit"),
        "name": name,
        "notifications": [_notification_read(client, account, name, one) for one in notifications] or None,
        "tagsAll": tags.from_pairs(client.list_tags_for_resource(ResourceARN=_budget_arn(identifier))["ResourceTags"]),
        "timePeriodEnd": budget["TimePeriod"]["End"].astimezone(UTC).strftime(_MOMENT),
        "timePeriodStart": budget["TimePeriod"]["Start"].astimezone(UTC).strftime(_MOMENT),
        "timeUnit": budget["TimeUnit"],
    }


def _notification_read(client: Any, account: str, budget: str, notification: Properties) -> Properties:  # noqa: ANN401
    asked = {key: value for key, value in notification.items() if key != "NotificationState"}
    subscribers = client.describe_subscribers_for_notification(
        AccountId=account, BudgetName=budget, Notification=asked
    )["Subscribers"]
    addresses = {
        kind: [one["Address"] for one in subscribers if one["SubscriptionType"] == kind] for kind in ("EMAIL", "SNS")
    }
    read: Properties = from_api(asked)
    return {**read, "subscriberEmailAddresses": addresses["EMAIL"], "subscriberSnsTopicArns": addresses["SNS"]}


def _budget_update(aws: Aws, identifier: str, old: Properties, new: Properties) -> None:
    account, _, name = identifier.partition(":")
    client = _budgets(aws)
    client.update_budget(AccountId=account, NewBudget=_budget(new, name))
    before, after = (list(map(_notification, known.get("notifications") or ())) for known in (old, new))
    for notification, _subscribers in [one for one in before if one not in after]:
        client.delete_notification(AccountId=account, BudgetName=name, Notification=notification)
    for notification, subscribers in [one for one in after if one not in before]:
        client.create_notification(
            AccountId=account, BudgetName=name, Notification=notification, Subscribers=subscribers
        )
    put, removed = tags.changes(old.get("tagsAll") or {}, tags.all_tags(aws, new))
    if put:
        client.tag_resource(ResourceARN=_budget_arn(identifier), ResourceTags=put)
    if removed:
        client.untag_resource(ResourceARN=_budget_arn(identifier), ResourceTagKeys=removed)


def _budget_delete(aws: Aws, identifier: str, _known: Properties) -> None:
    account, _, name = identifier.partition(":")
    _budgets(aws).delete_budget(AccountId=account, BudgetName=name)


def _same_notifications(old: list[Properties], new: list[Properties]) -> bool:
    """Neither the order of notifications nor that of their subscribers means anything."""

    def comparable(notifications: list[Properties]) -> list[tuple[str, list[str]]]:
        pairs = map(_notification, notifications)
        return sorted(
            (repr({**one, "Threshold": float(one["Threshold"])}), sorted(map(repr, who))) for one, who in pairs
        )

    return comparable(old) == comparable(new)


def _reports(aws: Aws) -> Any:  # noqa: ANN401 - as above
    return aws.client("cur", _HOME)


def _report(inputs: Properties) -> Properties:
    return {theirs: inputs[ours] for ours, theirs in _REPORT.items() if inputs.get(ours) is not None}


def _report_create(aws: Aws, inputs: Properties) -> str:
    client, name = _reports(aws), inputs["reportName"]
    pairs = tags.as_pairs(tags.all_tags(aws, inputs))
    client.put_report_definition(ReportDefinition=_report(inputs), **({"Tags": pairs} if pairs else {}))
    if pairs:  # the local AWS does not keep those of the create
        client.tag_resource(ReportName=name, Tags=pairs)
    return str(name)


def _report_read(aws: Aws, identifier: str, _: Properties) -> Properties | None:
    client = _reports(aws)
    pages = client.get_paginator("describe_report_definitions").paginate()
    reports = {one["ReportName"]: one for page in pages for one in page["ReportDefinitions"]}
    report = reports.get(identifier)
    if report is None:
        return None
    return {
        **{ours: report.get(theirs) for ours, theirs in _REPORT.items()},
        "arn": f"arn:aws:cur:{_HOME}:{aws.account}:definition/{identifier}",
        "tagsAll": tags.from_pairs(client.list_tags_for_resource(ReportName=identifier)["Tags"]),
    }


def _report_update(aws: Aws, identifier: str, old: Properties, new: Properties) -> None:
    client = _reports(aws)
    client.modify_report_definition(ReportName=identifier, ReportDefinition=_report(new))
    put, removed = tags.changes(old.get("tagsAll") or {}, tags.all_tags(aws, new))
    if put:
        client.tag_resource(ReportName=identifier, Tags=put)
    if removed:
        client.untag_resource(ReportName=identifier, TagKeys=removed)


def _report_delete(aws: Aws, identifier: str, known: Properties) -> None:
    if _report_read(aws, identifier, known) is not None:
        _reports(aws).delete_report_definition(ReportName=identifier)


RESOURCE_TYPES = (
    ResourceType(
        type="aws:budgets/budget:Budget",
        inputs=frozenset(
            {
                "accountId",
                "budgetType",
                "costFilters",
                "costTypes",
                "limitAmount",
                "limitUnit",
                "name",
                "namePrefix",
                "notifications",
                "tags",
                "timePeriodEnd",
                "timePeriodStart",
                "timeUnit",
            }
        ),
        required=frozenset({"budgetType", "timeUnit"}),
        computed=frozenset({"arn"}),
        replaces=frozenset({"accountId", "name", "namePrefix"}),
        also_computed=frozenset({"accountId", "costFilters", "costTypes", "limitUnit", "timePeriodStart"}),
        defaults={"timePeriodEnd": "2087-06-15_00:00"},
        same={
            "costTypes": lambda old, new: {**_COST_TYPES, **old} == {**_COST_TYPES, **new},
            "limitAmount": lambda old, new: float(old) == float(new),
            "notifications": _same_notifications,
        },
        unordered=frozenset({"costFilters"}),
        unreadable=frozenset({"namePrefix"}),
        validations={
            "accountId": matches(r"\d{12}", "a 12-digit account id"),
            "budgetType": one_of(
                "USAGE",
                "COST",
                "RI_UTILIZATION",
                "RI_COVERAGE",
                "SAVINGS_PLANS_UTILIZATION",
                "SAVINGS_PLANS_COVERAGE",
            ),
            "limitAmount": matches(r"\d+(\.\d+)?", "a number"),
            "timePeriodEnd": matches(r"\d{4}-\d{2}-\d{2}_\d{2}:\d{2}", "a time as in 2027-01-31_00:00"),
            "timePeriodStart": matches(r"\d{4}-\d{2}-\d{2}_\d{2}:\d{2}", "a time as in 2027-01-31_00:00"),
            "timeUnit": one_of("DAILY", "MONTHLY", "QUARTERLY", "ANNUALLY"),
        },
        auto_name=AutoName(prefix_property="namePrefix", longest=100),
        taggable=True,
        create=_budget_create,
        read=_budget_read,
        update=_budget_update,
        delete=_budget_delete,
        identify=lambda aws, inputs: (
            f"{inputs.get('accountId') or aws.account}:{inputs['name']}" if "name" in inputs else None
        ),
    ),
    ResourceType(
        type="aws:cur/reportDefinition:ReportDefinition",
        inputs=frozenset({*_REPORT, "tags"}),
        required=frozenset(
            {
                "additionalSchemaElements",
                "compression",
                "format",
                "reportName",
                "s3Bucket",
                "s3Prefix",
                "s3Region",
                "timeUnit",
            }
        ),
        computed=frozenset({"arn"}),
        replaces=frozenset(
            {
                "additionalArtifacts",
                "additionalSchemaElements",
                "refreshClosedReports",
                "reportName",
                "reportVersioning",
                "timeUnit",
            }
        ),
        defaults={"refreshClosedReports": True, "reportVersioning": "CREATE_NEW_REPORT"},
        unordered=frozenset({"additionalArtifacts", "additionalSchemaElements"}),
        validations={"timeUnit": one_of("HOURLY", "DAILY", "MONTHLY")},
        taggable=True,
        create=_report_create,
        read=_report_read,
        update=_report_update,
        delete=_report_delete,
        identify=lambda _, inputs: inputs["reportName"],
        set_after=frozenset({"tags"}),
    ),
)

INVOKES: dict[str, Callable[[Aws, Properties], Properties]] = {}
