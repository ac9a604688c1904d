"""EventBridge rules and their targets, and CloudWatch alarms: https://docs.aws.amazon.com/eventbridge/latest/APIReference/.

In the provider both are of the module `cloudwatch`, under their older names.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twokeys.sandbox.aws import tags
from twokeys.sandbox.aws.client import Aws, or_none
from twokeys.sandbox.aws.iam_rules import ARN, name_of
from twokeys.sandbox.aws.resource_type import AutoName, ResourceType, one_of, same_shape
from twokeys.sandbox.aws.shapes import from_api, to_api
from twokeys.sandbox.engine.plugin import ProviderError
from twokeys.sandbox.engine.values import Properties

_RULE = {
    "description": "Description",
    "eventPattern": "EventPattern",
    "scheduleExpression": "ScheduleExpression",
    "state": "State",
}
_NESTED = {"deadLetterConfig": "DeadLetterConfig", "retryPolicy": "RetryPolicy"}
_TARGET = {"arn": "Arn", "input": "Input", "inputPath": "InputPath", "roleArn": "RoleArn"}
_ALARM = {
    "actionsEnabled": "ActionsEnabled",
    "alarmActions": "AlarmActions",
    "alarmDescription": "AlarmDescription",
    "comparisonOperator": "ComparisonOperator",
    "datapointsToAlarm": "DatapointsToAlarm",
    "evaluationPeriods": "EvaluationPeriods",
    "extendedStatistic": "ExtendedStatistic",
    "insufficientDataActions": "InsufficientDataActions",
    "metricName": "MetricName",
    "name": "AlarmName",
    "namespace": "Namespace",
    "okActions": "OKActions",
    "period": "Period",
    "statistic": "Statistic",
    "threshold": "Threshold",
    "treatMissingData": "TreatMissingData",
    "unit": "Unit",
}
_WHOLE_NUMBERS = {"datapointsToAlarm", "evaluationPeriods", "period"}
_ACTIONS = frozenset({"alarmActions", "insufficientDataActions", "okActions"})
_DEFAULT_BUS = "default"


# boto3's clients are generated at run time; `Any` is what boto3 itself declares without its stubs.
def _events(aws: Aws, known: Properties) -> Any:  # noqa: ANN401
    return aws.client("events", known.get("region"))


def _rule_put(aws: Aws, inputs: Properties, name: str, **more: object) -> None:
    settings = {theirs: inputs[ours] for ours, theirs in _RULE.items() if inputs.get(ours) is not None}
    _events(aws, inputs).put_rule(Name=name, EventBusName=inputs["eventBusName"], **settings, **more)


def _rule_create(aws: Aws, inputs: Properties) -> str:
    name = name_of(inputs)
    pairs = tags.as_pairs(tags.all_tags(aws, inputs))
    _rule_put(aws, inputs, name, **({"Tags": pairs} if pairs else {}))
    return _rule_id(inputs["eventBusName"], name)


def _rule_id(bus: str, name: str) -> str:
    return name if bus == _DEFAULT_BUS else f"{bus}/{name}"


def _rule_named(identifier: str) -> tuple[str, str]:
    """(bus, name) of a rule's id."""
    bus, _, name = identifier.rpartition("/")
    return bus or _DEFAULT_BUS, name


def _rule_read(aws: Aws, identifier: str, known: Properties) -> Properties | None:
    bus, name = _rule_named(identifier)
    client = _events(aws, known)
    rule = or_none(client.describe_rule, Name=name, EventBusName=bus)
    if rule is None:
        return None
    return {
        **{ours: rule.get(theirs) or None for ours, theirs in _RULE.items()},
        "arn": rule["Arn"],
        "eventBusName": bus,
        "name": name,
        "region": rule["Arn"].split(":")[3],
        "tagsAll": tags.from_pairs(client.list_tags_for_resource(ResourceARN=rule["Arn"])["Tags"]),
    }


def _rule_update(aws: Aws, identifier: str, old: Properties, new: Properties) -> None:
    client = _events(aws, new)
    cleared = {ours: "" for ours in _RULE if old.get(ours) and new.get(ours) is None and ours != "state"}
    _rule_put(aws, {**new, **cleared}, _rule_named(identifier)[1])
    put, removed = tags.changes(old.get("tagsAll") or {}, tags.all_tags(aws, new))
    if put:
        client.tag_resource(ResourceARN=old["arn"], Tags=put)
    if removed:
        client.untag_resource(ResourceARN=old["arn"], TagKeys=removed)


def _rule_delete(aws: Aws, identifier: str, inputs: Properties) -> None:
    bus, name = _rule_named(identifier)
    client = _events(aws, inputs)
    if or_none(client.describe_rule, Name=name, EventBusName=bus) is None:
        return
    if inputs.get("forceDestroy"):
        targets = client.list_targets_by_rule(Rule=name, EventBusName=bus)["Targets"]
        if targets:
            client.remove_targets(Rule=name, EventBusName=bus, Ids=[one["Id"] for one in targets], Force=True)
    client.delete_rule(Name=name, EventBusName=bus, Force=bool(inputs.get("forceDestroy")))


def _target_put(aws: Aws, inputs: Properties) -> None:
    target = inputs["targetId"]
    settings = {theirs: inputs[ours] for ours, theirs in _TARGET.items() if inputs.get(ours) is not None}
    nested = {theirs: to_api(inputs[ours]) for ours, theirs in _NESTED.items() if inputs.get(ours)}
    transformer = inputs.get("inputTransformer")
    if transformer:
        nested["InputTransformer"] = {
            "InputTemplate": transformer["inputTemplate"],
            "InputPathsMap": transformer.get("inputPaths") or {},
        }
    answer = _events(aws, inputs).put_targets(
        Rule=inputs["rule"], EventBusName=inputs["eventBusName"], Targets=[{"Id": target, **settings, **nested}]
    )
    for failed in answer["FailedEntries"]:
        raise ProviderError(f"the target {target} was refused", (f"{failed['ErrorCode']}: {failed['ErrorMessage']}",))


def _target_create(aws: Aws, inputs: Properties) -> str:
    _target_put(aws, inputs)
    return _target_id(inputs)


def _target_id(known: Properties) -> str:
    bus, rule, target = known["eventBusName"], known["rule"], known["targetId"]
    return f"{rule}-{target}" if bus == _DEFAULT_BUS else f"{bus}-{rule}-{target}"


def _target_named(identifier: str, known: Properties) -> tuple[str, str, str]:
    """(bus, rule, target): the id joins them by hyphens, which names have too; an import is asked for with slashes."""
    if known.get("rule"):
        return known["eventBusName"], known["rule"], known["targetId"]
    *bus_named, rule, target = identifier.split("/")
    return "/".join(bus_named) or _DEFAULT_BUS, rule, target


def _target_read(aws: Aws, identifier: str, known: Properties) -> Properties | None:
    if not known.get("rule") and "/" not in identifier:
        raise ProviderError(f"{identifier} names no target", ("Import it as RULE/TARGET or BUS/RULE/TARGET.",))
    bus, rule, name = _target_named(identifier, known)
    found = or_none(_events(aws, known).list_targets_by_rule, Rule=rule, EventBusName=bus)
    target = next((one for one in (found or {}).get("Targets", ()) if one["Id"] == name), None)
    if target is None:
        return None
    transformer = target.get("InputTransformer")
    return {
        **{ours: target.get(theirs) for ours, theirs in _TARGET.items()},
        **{ours: from_api(target.get(theirs)) for ours, theirs in _NESTED.items()},
        "inputTransformer": transformer
        and {"inputTemplate": transformer["InputTemplate"], "inputPaths": transformer.get("InputPathsMap") or None},
        "eventBusName": bus,
        "region": str(known.get("region") or aws.region),
        "rule": rule,
        "targetId": name,
    }


def _target_delete(aws: Aws, identifier: str, inputs: Properties) -> None:
    bus, rule, target = _target_named(identifier, inputs)
    _events(aws, inputs).remove_targets(
        Rule=rule, EventBusName=bus, Ids=[target], Force=bool(inputs.get("forceDestroy"))
    )


def _alarms(aws: Aws, known: Properties) -> Any:  # noqa: ANN401 - as above
    return aws.client("cloudwatch", known.get("region"))


def _alarm_put(aws: Aws, inputs: Properties) -> str:
    settings = {theirs: inputs[ours] for ours, theirs in _ALARM.items() if inputs.get(ours) is not None}
    settings.update({_ALARM[name]: int(inputs[name]) for name in _WHOLE_NUMBERS if inputs.get(name)})
    dimensions = [{"Name": name, "Value": value} for name, value in sorted((inputs.get("dimensions") or {}).items())]
    pairs = tags.as_pairs(tags.all_tags(aws, inputs))
    _alarms(aws, inputs).put_metric_alarm(**settings, Dimensions=dimensions, **({"Tags": pairs} if pairs else {}))
    return str(inputs["name"])


def _alarm_read(aws: Aws, identifier: str, known: Properties) -> Properties | None:
    client = _alarms(aws, known)
    found = client.describe_alarms(AlarmNames=[identifier])["MetricAlarms"]
    if not found:
        return None
    alarm = found[0]
    return {
        **{ours: alarm.get(theirs) or None for ours, theirs in _ALARM.items()},
        "actionsEnabled": alarm["ActionsEnabled"],
        "threshold": alarm.get("Threshold"),
        "arn": alarm["AlarmArn"],
        "dimensions": {one["Name"]: one["Value"] for one in alarm["Dimensions"]} or None,
        "region": alarm["AlarmArn"].split(":")[3],
        "tagsAll": tags.from_pairs(client.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"]),
    }


def _alarm_update(aws: Aws, _identifier: str, old: Properties, new: Properties) -> None:
    client = _alarms(aws, new)
    _alarm_put(aws, new)
    put, removed = tags.changes(old.get("tagsAll") or {}, tags.all_tags(aws, new))
    if put:
        client.tag_resource(ResourceARN=old["arn"], Tags=put)
    if removed:
        client.untag_resource(ResourceARN=old["arn"], TagKeys=removed)


def _alarm_delete(aws: Aws, identifier: str, inputs: Properties) -> None:
    _alarms(aws, inputs).delete_alarms(AlarmNames=[identifier])


RESOURCE_TYPES = (
    ResourceType(
        type="aws:cloudwatch/eventRule:EventRule",
        inputs=frozenset({*_RULE, "eventBusName", "forceDestroy", "name", "namePrefix", "region", "tags"}),
        computed=frozenset({"arn"}),
        replaces=frozenset({"eventBusName", "name", "namePrefix", "region"}),
        defaults={"eventBusName": _DEFAULT_BUS, "forceDestroy": False},
        documents=frozenset({"eventPattern"}),
        also_computed=frozenset({"region", "state"}),
        unreadable=frozenset({"forceDestroy", "namePrefix"}),
        validations={"state": one_of("ENABLED", "DISABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS")},
        unsupported={"isEnabled": "the provider deprecated it; set state to ENABLED or DISABLED"},
        auto_name=AutoName(prefix_property="namePrefix", longest=64),
        taggable=True,
        create=_rule_create,
        read=_rule_read,
        update=_rule_update,
        delete=_rule_delete,
        identify=lambda _, inputs: _rule_id(inputs["eventBusName"], inputs["name"]) if "name" in inputs else None,
    ),
    ResourceType(
        type="aws:cloudwatch/eventTarget:EventTarget",
        inputs=frozenset(
            {
                *_TARGET,
                *_NESTED,
                "eventBusName",
                "forceDestroy",
                "inputTransformer",
                "region",
                "rule",
                "targetId",
            }
        ),
        required=frozenset({"arn", "rule"}),
        replaces=frozenset({"eventBusName", "region", "rule", "targetId"}),
        defaults={"eventBusName": _DEFAULT_BUS, "forceDestroy": False},
        also_computed=frozenset({"region"}),
        same={"deadLetterConfig": same_shape, "inputTransformer": same_shape, "retryPolicy": same_shape},
        unreadable=frozenset({"forceDestroy"}),
        validations={"arn": ARN},
        auto_name=AutoName(property="targetId", longest=64),
        create=_target_create,
        read=_target_read,
        update=lambda aws, _identifier, _old, new: _target_put(aws, new),
        delete=_target_delete,
        identify=lambda _, inputs: _target_id(inputs),
    ),
    ResourceType(
        type="aws:cloudwatch/metricAlarm:MetricAlarm",
        inputs=frozenset({*_ALARM, "dimensions", "region", "tags"}),
        computed=frozenset({"arn"}),
        replaces=frozenset({"name", "region"}),
        defaults={"actionsEnabled": True, "treatMissingData": "missing"},
        unordered=_ACTIONS,
        also_computed=frozenset({"region"}),
        unsupported={"metricQueries": "the local AWS knows alarms on one metric only"},
        auto_name=AutoName(longest=255),
        taggable=True,
        create=_alarm_put,
        read=_alarm_read,
        update=_alarm_update,
        delete=_alarm_delete,
        identify=lambda _, inputs: inputs["name"],
    ),
)

INVOKES: dict[str, Callable[[Aws, Properties], Properties]] = {}
