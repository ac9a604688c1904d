"""The record of Cost Explorer's settings and of data exports; no cost is computed and nothing is exported.

https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/. Only the management account may activate cost
allocation tags (https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/activating-tags.html); as there are no
costs here, a tag key counts as known as soon as it is named.
"""

from __future__ import annotations

import uuid
from typing import Any, TypeAlias

from ministack.core.responses import get_account_id

from twokeys.sandbox.local_server import organizations, records
from twokeys.sandbox.local_server.supplement import ApiError

Payload: TypeAlias = dict[str, Any]

_tag_status = records.store("ce.tags")
_monitors = records.store("ce.monitors")
_subscriptions = records.store("ce.subscriptions")
_exports = records.store("bcm-data-exports.exports")
_tags = records.store("billing.resource-tags")


def install() -> None:
    """Answer both services."""
    records.serve_json(
        "ce",
        {
            "UpdateCostAllocationTagsStatus": _update_tag_status,
            "ListCostAllocationTags": _list_tags,
            "CreateAnomalyMonitor": _create_monitor,
            "UpdateAnomalyMonitor": _update_monitor,
            "DeleteAnomalyMonitor": _delete_monitor,
            "GetAnomalyMonitors": _get_monitors,
            "CreateAnomalySubscription": _create_subscription,
            "UpdateAnomalySubscription": _update_subscription,
            "DeleteAnomalySubscription": _delete_subscription,
            "GetAnomalySubscriptions": _get_subscriptions,
            "TagResource": _tag,
            "UntagResource": _untag,
            "ListTagsForResource": _list_resource_tags,
        },
    )
    records.serve_json(
        "bcm-data-exports",
        {
            "CreateExport": _create_export,
            "UpdateExport": _update_export,
            "DeleteExport": _delete_export,
            "GetExport": _get_export,
            "ListExports": _list_exports,
            "TagResource": _tag,
            "UntagResource": _untag,
            "ListTagsForResource": _list_resource_tags,
        },
    )


def _update_tag_status(payload: Payload) -> Payload:
    if organizations.organization_of(get_account_id()) not in (None, get_account_id()):
        raise ApiError("AccessDeniedException", "Linked account doesn't have access to cost allocation tags.")
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


def _arn(kind: str) -> str:
    return f"arn:aws:ce::{get_account_id()}:{kind}/{uuid.uuid4()}"


def _create_monitor(payload: Payload) -> Payload:
    arn = _arn("anomalymonitor")
    _monitors[arn] = {**payload["AnomalyMonitor"], "MonitorArn": arn}
    _set_tags(arn, payload.get("ResourceTags"))
    return {"MonitorArn": arn}


def _update_monitor(payload: Payload) -> Payload:
    arn = payload["MonitorArn"]
    monitor = _monitor(arn)
    _monitors[arn] = {**monitor, "MonitorName": payload.get("MonitorName") or monitor["MonitorName"]}
    return {"MonitorArn": arn}


def _delete_monitor(payload: Payload) -> Payload:
    _monitor(payload["MonitorArn"])
    _monitors.pop(payload["MonitorArn"])
    return {}


def _get_monitors(payload: Payload) -> Payload:
    named = payload.get("MonitorArnList")
    return {"AnomalyMonitors": _monitors.values() if named is None else [_monitor(arn) for arn in named]}


def _monitor(arn: str) -> Payload:
    monitor: Payload | None = _monitors.get(arn)
    if monitor is None:
        raise ApiError("UnknownMonitorException", f"No anomaly monitor {arn} exists.")
    return monitor


def _create_subscription(payload: Payload) -> Payload:
    subscription = payload["AnomalySubscription"]
    for monitor in subscription["MonitorArnList"]:
        _monitor(monitor)
    arn = _arn("anomalysubscription")
    _subscriptions[arn] = {**subscription, "SubscriptionArn": arn, "AccountId": get_account_id()}
    _set_tags(arn, payload.get("ResourceTags"))
    return {"SubscriptionArn": arn}


def _update_subscription(payload: Payload) -> Payload:
    arn = payload["SubscriptionArn"]
    kept = ("Frequency", "MonitorArnList", "Subscribers", "SubscriptionName", "ThresholdExpression")
    changed = {name: payload[name] for name in kept if name in payload}
    for monitor in changed.get("MonitorArnList", ()):
        _monitor(monitor)
    _subscriptions[arn] = {**_subscription(arn), **changed}
    return {"SubscriptionArn": arn}


def _delete_subscription(payload: Payload) -> Payload:
    _subscription(payload["SubscriptionArn"])
    _subscriptions.pop(payload["SubscriptionArn"])
    return {}


def _get_subscriptions(payload: Payload) -> Payload:
    named = payload.get("SubscriptionArnList")
    found = _subscriptions.values() if named is None else [_subscription(arn) for arn in named]
    return {"AnomalySubscriptions": found}


def _subscription(arn: str) -> Payload:
    subscription: Payload | None = _subscriptions.get(arn)
    if subscription is None:
        raise ApiError("UnknownSubscriptionException", f"No anomaly subscription {arn} exists.")
    return subscription


def _create_export(payload: Payload) -> Payload:
    export = payload["Export"]
    if any(one["Name"] == export["Name"] for one in _exports.values()):
        raise ApiError("ValidationException", f"An export with the name {export['Name']} exists.")
    arn = f"arn:aws:bcm-data-exports:us-east-1:{get_account_id()}:export/{export['Name']}-{uuid.uuid4()}"
    _exports[arn] = {**export, "ExportArn": arn}
    _set_tags(arn, payload.get("ResourceTags"))
    return {"ExportArn": arn}


def _update_export(payload: Payload) -> Payload:
    arn = payload["ExportArn"]
    _export(arn)
    _exports[arn] = {**payload["Export"], "ExportArn": arn}
    return {"ExportArn": arn}


def _delete_export(payload: Payload) -> Payload:
    _export(payload["ExportArn"])
    _exports.pop(payload["ExportArn"])
    return {"ExportArn": payload["ExportArn"]}


def _get_export(payload: Payload) -> Payload:
    return {"Export": _export(payload["ExportArn"]), "ExportStatus": {"StatusCode": "HEALTHY"}}


def _list_exports(_: Payload) -> Payload:
    return {
        "Exports": [
            {"ExportArn": arn, "ExportName": export["Name"], "ExportStatus": {"StatusCode": "HEALTHY"}}
            for arn, export in _exports.items()
        ]
    }


def _export(arn: str) -> Payload:
    export: Payload | None = _exports.get(arn)
    if export is None:
        raise ApiError("ResourceNotFoundException", f"No export {arn} exists.")
    return export


def _set_tags(arn: str, pairs: list[dict[str, str]] | None) -> None:
    _tags[arn] = {pair["Key"]: pair["Value"] for pair in pairs or ()}


def _tag(payload: Payload) -> Payload:
    new = {pair["Key"]: pair["Value"] for pair in payload["ResourceTags"]}
    _tags[payload["ResourceArn"]] = {**(_tags.get(payload["ResourceArn"]) or {}), **new}
    return {}


def _untag(payload: Payload) -> Payload:
    kept = _tags.get(payload["ResourceArn"]) or {}
    _tags[payload["ResourceArn"]] = {key: kept[key] for key in kept if key not in payload["ResourceTagKeys"]}
    return {}


def _list_resource_tags(payload: Payload) -> Payload:
    kept = _tags.get(payload["ResourceArn"]) or {}
    return {"ResourceTags": [{"Key": key, "Value": value} for key, value in sorted(kept.items())]}
