"""The record of Cost Explorer, data exports, Access Analyzer and GuardDuty's delegation; nothing acts on it.

https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/,
https://docs.aws.amazon.com/access-analyzer/latest/APIReference/ and
https://docs.aws.amazon.com/guardduty/latest/APIReference/API_EnableOrganizationAdminAccount.html.
"""

import uuid
from datetime import UTC, datetime

from ministack.core.responses import get_account_id, get_region

from twokeys.sandbox.local_server import records
from twokeys.sandbox.local_server.records import Kind
from twokeys.sandbox.local_server.supplement import Payload

_tag_status = records.store("ce.tags")  # tag key -> status
_administrators = records.store("guardduty.administrators")  # region -> account id


def install() -> None:
    """Answer them."""
    monitors = Kind("AnomalyMonitor", "MonitorArn", _with_arn("ce", "MonitorArn"), unknown="UnknownMonitorException")
    subscriptions = Kind(
        "AnomalySubscription",
        "SubscriptionArn",
        _with_arn("ce", "SubscriptionArn"),
        unknown="UnknownSubscriptionException",
    )
    tags = {"UpdateCostAllocationTagsStatus": _update_tag_status, "ListCostAllocationTags": _list_tags}
    records.serve("ce", (monitors, subscriptions), tags)
    records.serve("bcm-data-exports", (Kind("Export", "ExportArn", _export),))
    analyzers = Kind("Analyzer", "analyzerName", _analyzer, unique=("analyzerName",))
    records.serve("accessanalyzer", (analyzers,), scope="access-analyzer")
    records.serve(
        "guardduty",
        (),
        {
            "EnableOrganizationAdminAccount": _enable_administrator,
            "DisableOrganizationAdminAccount": _disable_administrator,
            "ListOrganizationAdminAccounts": _list_administrators,
        },
    )


def _with_arn(service: str, key: str) -> records.Operation:
    kind = key.removesuffix("Arn").lower()
    return lambda _: {key: f"arn:aws:{service}:us-east-1:{get_account_id()}:{kind}/{uuid.uuid4()}"}


def _export(payload: Payload) -> Payload:
    named = _with_arn("bcm-data-exports", "ExportArn")(payload)
    return {**named, "ExportName": payload["Name"], "StatusCode": "HEALTHY"}


def _update_tag_status(payload: Payload) -> Payload:
    """A tag key counts as known as soon as it is named, as nothing costs here."""
    for one in payload["CostAllocationTagsStatus"]:
        _tag_status[one["TagKey"]] = one["Status"]
    return {"Errors": []}


def _list_tags(payload: Payload) -> Payload:
    wanted = payload.get("TagKeys")
    return {
        "CostAllocationTags": [
            {"TagKey": key, "Type": "AWSGenerated" if key.startswith("aws:") else "UserDefined", "Status": status}
            for key, status in sorted(_tag_status.items())
            if wanted is None or key in wanted
        ]
    }


def _analyzer(payload: Payload) -> Payload:
    name = payload["analyzerName"]
    return {
        "arn": f"arn:aws:access-analyzer:{get_region()}:{get_account_id()}:analyzer/{name}",
        "name": name,
        "createdAt": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "status": "ACTIVE",
        "tags": payload.get("tags") or {},
    }


def _enable_administrator(payload: Payload) -> Payload:
    _administrators[get_region()] = payload["adminAccountId"]
    return {}


def _disable_administrator(_: Payload) -> Payload:
    _administrators.pop(get_region(), None)
    return {}


def _list_administrators(_: Payload) -> Payload:
    account = _administrators.get(get_region())
    return {"adminAccounts": [{"adminAccountId": account, "adminStatus": "ENABLED"}] if account else []}
