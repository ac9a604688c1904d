"""Cost allocation tags, anomaly detection and data exports, kept on record: the local AWS has no costs.

https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/. The APIs are in us-east-1 only.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from twokeys.sandbox.aws import tags
from twokeys.sandbox.aws.client import Aws, or_none
from twokeys.sandbox.aws.resource_type import AutoName, ResourceType, one_of, same_shape
from twokeys.sandbox.aws.shapes import from_api, to_api
from twokeys.sandbox.engine.plugin import ProviderError
from twokeys.sandbox.engine.values import Properties

_HOME = "us-east-1"
_EXPRESSION = {"ands": "And", "ors": "Or", "dimension": "Dimensions", "costCategory": "CostCategories"}
_SUBSCRIPTION = {
    "frequency": "Frequency",
    "monitorArnLists": "MonitorArnList",
    "name": "SubscriptionName",
}


# boto3's clients are generated at run time; `Any` is what boto3 itself declares without its stubs.
def _explorer(aws: Aws) -> Any:  # noqa: ANN401
    return aws.client("ce", _HOME)


def _exports(aws: Aws) -> Any:  # noqa: ANN401
    return aws.client("bcm-data-exports", _HOME)


def _resource_tags(client: Any, arn: str) -> dict[str, str]:  # noqa: ANN401 - as above
    return tags.from_pairs(client.list_tags_for_resource(ResourceArn=arn)["ResourceTags"])


def _retag(aws: Aws, client: Any, arn: str, old: Properties, new: Properties) -> None:  # noqa: ANN401 - as above
    put, removed = tags.changes(old.get("tagsAll") or {}, tags.all_tags(aws, new))
    if put:
        client.tag_resource(ResourceArn=arn, ResourceTags=put)
    if removed:
        client.untag_resource(ResourceArn=arn, ResourceTagKeys=removed)


def _tag_put(aws: Aws, key: str, status: str) -> str:
    answer = _explorer(aws).update_cost_allocation_tags_status(
        CostAllocationTagsStatus=[{"TagKey": key, "Status": status}]
    )
    for error in answer["Errors"]:
        raise ProviderError(f"the tag key {key} was refused", (f"{error['Code']}: {error['Message']}",))
    return key


def _tag_read(aws: Aws, identifier: str, _: Properties) -> Properties | None:
    found = _explorer(aws).list_cost_allocation_tags(TagKeys=[identifier])["CostAllocationTags"]
    return {"tagKey": identifier, "status": found[0]["Status"], "type": found[0]["Type"]} if found else None


def _monitor_create(aws: Aws, inputs: Properties) -> str:
    monitor = {"MonitorName": inputs["name"], "MonitorType": inputs["monitorType"]}
    if inputs.get("monitorDimension"):
        monitor["MonitorDimension"] = inputs["monitorDimension"]
    if inputs.get("monitorSpecification"):
        monitor["MonitorSpecification"] = json.loads(inputs["monitorSpecification"])
    created = _explorer(aws).create_anomaly_monitor(
        AnomalyMonitor=monitor, ResourceTags=tags.as_pairs(tags.all_tags(aws, inputs))
    )
    return str(created["MonitorArn"])


def _monitor_read(aws: Aws, identifier: str, _: Properties) -> Properties | None:
    client = _explorer(aws)
    monitors = _all(client.get_anomaly_monitors, "AnomalyMonitors")
    monitor = next((one for one in monitors if one["MonitorArn"] == identifier), None)
    if monitor is None:
        return None
    specification = monitor.get("MonitorSpecification")
    return {
        "arn": identifier,
        "name": monitor["MonitorName"],
        "monitorType": monitor["MonitorType"],
        "monitorDimension": monitor.get("MonitorDimension"),
        "monitorSpecification": json.dumps(specification) if specification else None,
        "tagsAll": _resource_tags(client, identifier),
    }


def _all(call: Callable[..., Any], key: str) -> list[Properties]:
    """All pages of a listing that boto3 has no paginator for."""
    answer = call()
    items: list[Properties] = list(answer[key])
    while answer.get("NextPageToken"):
        answer = call(NextPageToken=answer["NextPageToken"])
        items += answer[key]
    return items


def _monitor_update(aws: Aws, identifier: str, old: Properties, new: Properties) -> None:
    client = _explorer(aws)
    client.update_anomaly_monitor(MonitorArn=identifier, MonitorName=new["name"])
    _retag(aws, client, identifier, old, new)


def _monitor_delete(aws: Aws, identifier: str, known: Properties) -> None:
    if _monitor_read(aws, identifier, known) is not None:
        _explorer(aws).delete_anomaly_monitor(MonitorArn=identifier)


def _subscription(inputs: Properties) -> Properties:
    subscription = {theirs: inputs[ours] for ours, theirs in _SUBSCRIPTION.items()}
    subscription["Subscribers"] = to_api(inputs["subscribers"])
    if inputs.get("thresholdExpression"):
        subscription["ThresholdExpression"] = to_api(inputs["thresholdExpression"], _EXPRESSION)
    return subscription


def _subscription_create(aws: Aws, inputs: Properties) -> str:
    created = _explorer(aws).create_anomaly_subscription(
        AnomalySubscription=_subscription(inputs), ResourceTags=tags.as_pairs(tags.all_tags(aws, inputs))
    )
    return str(created["SubscriptionArn"])


def _subscription_read(aws: Aws, identifier: str, _: Properties) -> Properties | None:
    client = _explorer(aws)
    subscriptions = _all(client.get_anomaly_subscriptions, "AnomalySubscriptions")
    found = next((one for one in subscriptions if one["SubscriptionArn"] == identifier), None)
    if found is None:
        return None
    return {
        **{ours: found[theirs] for ours, theirs in _SUBSCRIPTION.items()},
        "accountId": found["AccountId"],
        "arn": identifier,
        "subscribers": [{"address": one["Address"], "type": one["Type"]} for one in found["Subscribers"]],
        "tagsAll": _resource_tags(client, identifier),
        "thresholdExpression": from_api(found.get("ThresholdExpression"), _EXPRESSION),
    }


def _subscription_update(aws: Aws, identifier: str, old: Properties, new: Properties) -> None:
    client = _explorer(aws)
    client.update_anomaly_subscription(SubscriptionArn=identifier, **_subscription(new))
    _retag(aws, client, identifier, old, new)


def _subscription_delete(aws: Aws, identifier: str, known: Properties) -> None:
    if _subscription_read(aws, identifier, known) is not None:
        _explorer(aws).delete_anomaly_subscription(SubscriptionArn=identifier)


def _export_to_api(export: Properties) -> Properties:
    """The provider keeps as lists of one what the API has as one."""
    (query,) = export["dataQueries"]
    (destination,) = export["destinationConfigurations"]
    (bucket,) = destination["s3Destinations"]
    (output,) = bucket["s3OutputConfigurations"]
    (cadence,) = export["refreshCadences"]
    tables = query.get("tableConfigurations")
    return {
        "Name": export["name"],
        **({"Description": export["description"]} if export.get("description") else {}),
        "DataQuery": {
            "QueryStatement": query["queryStatement"],
            **({"TableConfigurations": tables} if tables else {}),
        },
        "DestinationConfigurations": {
            "S3Destination": {
                **{name: bucket[ours] for ours, name in _DESTINATION.items()},
                "S3OutputConfigurations": to_api(output),
            }
        },
        "RefreshCadence": to_api(cadence),
    }


_DESTINATION = {"s3Bucket": "S3Bucket", "s3Prefix": "S3Prefix", "s3Region": "S3Region"}


def _export_from_api(export: Properties) -> Properties:
    query, bucket = export["DataQuery"], export["DestinationConfigurations"]["S3Destination"]
    destination = {ours: bucket[name] for ours, name in _DESTINATION.items()}
    output = from_api(bucket["S3OutputConfigurations"])
    return {
        "name": export["Name"],
        "description": export.get("Description"),
        "exportArn": export["ExportArn"],
        "dataQueries": [
            {"queryStatement": query["QueryStatement"], "tableConfigurations": query.get("TableConfigurations")}
        ],
        "destinationConfigurations": [{"s3Destinations": [{**destination, "s3OutputConfigurations": [output]}]}],
        "refreshCadences": [from_api(export["RefreshCadence"])],
    }


def _export_create(aws: Aws, inputs: Properties) -> str:
    created = _exports(aws).create_export(
        Export=_export_to_api(inputs["export"]), ResourceTags=tags.as_pairs(tags.all_tags(aws, inputs))
    )
    return str(created["ExportArn"])


def _export_read(aws: Aws, identifier: str, _: Properties) -> Properties | None:
    client = _exports(aws)
    found = or_none(client.get_export, ExportArn=identifier)
    if found is None:
        return None
    return {
        "arn": identifier,
        "export": _export_from_api(found["Export"]),
        "tagsAll": _resource_tags(client, identifier),
    }


def _export_update(aws: Aws, identifier: str, old: Properties, new: Properties) -> None:
    client = _exports(aws)
    client.update_export(ExportArn=identifier, Export=_export_to_api(new["export"]))
    _retag(aws, client, identifier, old, new)


def _export_delete(aws: Aws, identifier: str, _: Properties) -> None:
    _exports(aws).delete_export(ExportArn=identifier)


def _export_named(aws: Aws, inputs: Properties) -> str | None:
    exports = aws.pages("bcm-data-exports", "list_exports", "Exports")
    return next((one["ExportArn"] for one in exports if one["ExportName"] == inputs["export"]["name"]), None)


def _same_export(old: Properties, new: Properties) -> bool:
    """`exportArn` is an output that the provider keeps among the inputs."""
    return same_shape(*({name: one[name] for name in one if name != "exportArn"} for one in (old, new)))


def _is_export(export: Any) -> str | None:  # noqa: ANN401 - property values have no type
    try:
        _export_to_api(export)
    except (KeyError, TypeError, ValueError) as error:
        return f"expected a name, one query, one S3 destination with one output and one cadence ({error})"
    return None


RESOURCE_TYPES = (
    ResourceType(
        type="aws:costexplorer/costAllocationTag:CostAllocationTag",
        inputs=frozenset({"status", "tagKey"}),
        required=frozenset({"status", "tagKey"}),
        computed=frozenset({"type"}),
        replaces=frozenset({"tagKey"}),
        validations={"status": one_of("Active", "Inactive")},
        create=lambda aws, inputs: _tag_put(aws, inputs["tagKey"], inputs["status"]),
        read=_tag_read,
        update=lambda aws, identifier, _old, new: _tag_put(aws, identifier, new["status"]),
        delete=lambda aws, identifier, _known: _tag_put(aws, identifier, "Inactive"),
        identify=lambda _, inputs: inputs["tagKey"],
        set_after=frozenset({"status"}),
        record=True,
    ),
    ResourceType(
        type="aws:costexplorer/anomalyMonitor:AnomalyMonitor",
        inputs=frozenset({"monitorDimension", "monitorSpecification", "monitorType", "name", "tags"}),
        required=frozenset({"monitorType"}),
        computed=frozenset({"arn"}),
        replaces=frozenset({"monitorDimension", "monitorSpecification", "monitorType"}),
        documents=frozenset({"monitorSpecification"}),
        validations={
            "monitorDimension": one_of("SERVICE", "LINKED_ACCOUNT", "TAG", "COST_CATEGORY"),
            "monitorType": one_of("DIMENSIONAL", "CUSTOM"),
        },
        auto_name=AutoName(longest=1024),
        taggable=True,
        create=_monitor_create,
        read=_monitor_read,
        update=_monitor_update,
        delete=_monitor_delete,
        record=True,
    ),
    ResourceType(
        type="aws:costexplorer/anomalySubscription:AnomalySubscription",
        inputs=frozenset({*_SUBSCRIPTION, "accountId", "subscribers", "tags", "thresholdExpression"}),
        required=frozenset({"frequency", "monitorArnLists", "subscribers"}),
        computed=frozenset({"arn"}),
        replaces=frozenset({"accountId", "name"}),
        unordered=frozenset({"monitorArnLists", "subscribers"}),
        also_computed=frozenset({"accountId", "thresholdExpression"}),
        same={"thresholdExpression": same_shape},
        validations={"frequency": one_of("DAILY", "IMMEDIATE", "WEEKLY")},
        auto_name=AutoName(longest=1024),
        taggable=True,
        create=_subscription_create,
        read=_subscription_read,
        update=_subscription_update,
        delete=_subscription_delete,
        record=True,
    ),
    ResourceType(
        type="aws:bcmdata/export:Export",
        inputs=frozenset({"export", "tags"}),
        computed=frozenset({"arn"}),
        replaces_when={"export": lambda old, new: old["name"] != new["name"]},
        same={"export": _same_export},
        validations={"export": _is_export},
        unsupported={"timeouts": "the sandbox's record of an export is made at once"},
        taggable=True,
        create=_export_create,
        read=_export_read,
        update=_export_update,
        delete=_export_delete,
        identify=_export_named,
        record=True,
    ),
)

INVOKES: dict[str, Callable[[Aws, Properties], Properties]] = {}
