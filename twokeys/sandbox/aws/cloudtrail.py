"""CloudTrail: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twokeys.sandbox.aws import tags
from twokeys.sandbox.aws.client import Aws, or_none
from twokeys.sandbox.aws.resource_type import AutoName, ResourceType, matches, same_shape
from twokeys.sandbox.aws.shapes import from_api, to_api
from twokeys.sandbox.engine.values import Properties

_SETTINGS = {
    "cloudWatchLogsGroupArn": "CloudWatchLogsLogGroupArn",
    "cloudWatchLogsRoleArn": "CloudWatchLogsRoleArn",
    "enableLogFileValidation": "EnableLogFileValidation",
    "includeGlobalServiceEvents": "IncludeGlobalServiceEvents",
    "isMultiRegionTrail": "IsMultiRegionTrail",
    "isOrganizationTrail": "IsOrganizationTrail",
    "kmsKeyId": "KmsKeyId",
    "s3BucketName": "S3BucketName",
    "s3KeyPrefix": "S3KeyPrefix",
    "snsTopicName": "SnsTopicName",
}
_SELECTORS = {"dataResources": "DataResources", "excludeManagementEventSources": "ExcludeManagementEventSources"}
_FIELDS = {
    "endsWiths": "EndsWith",
    "notEndsWiths": "NotEndsWith",
    "notEquals": "NotEquals",
    "notStartsWiths": "NotStartsWith",
    "startsWiths": "StartsWith",
}
_DEFAULT_SELECTORS = [{"readWriteType": "All", "includeManagementEvents": True}]


# boto3's clients are generated at run time; `Any` is what boto3 itself declares without its stubs.
def _client(aws: Aws, known: Properties) -> Any:  # noqa: ANN401
    return aws.client("cloudtrail", known.get("region"))


def _settings(inputs: Properties) -> Properties:
    return {theirs: inputs[ours] for ours, theirs in _SETTINGS.items() if inputs.get(ours) is not None}


def _create(aws: Aws, inputs: Properties) -> str:
    client = _client(aws, inputs)
    pairs = tags.as_pairs(tags.all_tags(aws, inputs))
    arn = str(client.create_trail(Name=inputs["name"], TagsList=pairs, **_settings(inputs))["TrailARN"])
    if inputs.get("cloudWatchLogsGroupArn"):  # the local AWS does not keep that of the create
        client.update_trail(Name=arn, **_settings(inputs))
    if inputs.get("enableLogging"):
        client.start_logging(Name=arn)
    _select(client, arn, inputs)
    return arn


def _select(client: Any, arn: str, inputs: Properties) -> None:  # noqa: ANN401 - as above
    if inputs.get("eventSelectors"):
        selectors = to_api(inputs["eventSelectors"], _SELECTORS)
        client.put_event_selectors(TrailName=arn, EventSelectors=selectors)
    elif inputs.get("advancedEventSelectors"):
        advanced = to_api(inputs["advancedEventSelectors"], _FIELDS)
        client.put_event_selectors(TrailName=arn, AdvancedEventSelectors=advanced)


def _read(aws: Aws, identifier: str, known: Properties) -> Properties | None:
    client = _client(aws, known)
    found = or_none(client.get_trail, Name=identifier)
    if found is None:
        return None
    trail = found["Trail"]
    told = client.get_event_selectors(TrailName=identifier)
    pairs = client.list_tags(ResourceIdList=[identifier])["ResourceTagList"][0]["TagsList"]
    read = {ours: trail.get(theirs) or None for ours, theirs in _SETTINGS.items() if ours != "enableLogFileValidation"}
    selectors = from_api(told.get("EventSelectors"), _SELECTORS)
    return {
        **read,
        **{ours: trail.get(theirs, False) for ours, theirs in _SETTINGS.items() if theirs.startswith("Is")},
        "includeGlobalServiceEvents": trail["IncludeGlobalServiceEvents"],
        "enableLogFileValidation": trail["LogFileValidationEnabled"],
        "enableLogging": client.get_trail_status(Name=identifier)["IsLogging"],
        "eventSelectors": None if same_shape(selectors, _DEFAULT_SELECTORS) else selectors,
        "advancedEventSelectors": from_api(told.get("AdvancedEventSelectors"), _FIELDS),
        "name": trail["Name"],
        "arn": trail["TrailARN"],
        "homeRegion": trail["HomeRegion"],
        "region": trail["HomeRegion"],
        "snsTopicArn": trail.get("SnsTopicARN") or "",
        "tagsAll": tags.from_pairs(pairs),
    }


def _update(aws: Aws, identifier: str, old: Properties, new: Properties) -> None:
    client = _client(aws, new)
    cleared = {_SETTINGS[name]: "" for name in _SETTINGS if old.get(name) and new.get(name) is None}
    client.update_trail(Name=identifier, **cleared, **_settings(new))
    if old.get("enableLogging") != new.get("enableLogging"):
        (client.start_logging if new.get("enableLogging") else client.stop_logging)(Name=identifier)
    selectors = {name: new.get(name) for name in ("eventSelectors", "advancedEventSelectors")}
    if any(selectors.values()):
        _select(client, identifier, new)
    elif old.get("eventSelectors") or old.get("advancedEventSelectors"):
        _select(client, identifier, {"eventSelectors": _DEFAULT_SELECTORS})
    put, removed = tags.changes(old.get("tagsAll") or {}, tags.all_tags(aws, new))
    if put:
        client.add_tags(ResourceId=identifier, TagsList=put)
    if removed:
        client.remove_tags(ResourceId=identifier, TagsList=[{"Key": key} for key in removed])


def _delete(aws: Aws, identifier: str, inputs: Properties) -> None:
    _client(aws, inputs).delete_trail(Name=identifier)


RESOURCE_TYPES = (
    ResourceType(
        type="aws:cloudtrail/trail:Trail",
        inputs=frozenset(
            {*_SETTINGS, "advancedEventSelectors", "enableLogging", "eventSelectors", "name", "region", "tags"}
        ),
        required=frozenset({"s3BucketName"}),
        computed=frozenset({"arn", "homeRegion", "snsTopicArn"}),
        volatile=frozenset({"snsTopicArn"}),
        replaces=frozenset({"name", "region"}),
        defaults={
            "enableLogFileValidation": False,
            "enableLogging": True,
            "includeGlobalServiceEvents": True,
            "isMultiRegionTrail": False,
            "isOrganizationTrail": False,
        },
        also_computed=frozenset({"region"}),
        same={"eventSelectors": same_shape, "advancedEventSelectors": same_shape},
        validations={
            "kmsKeyId": matches(r"arn:aws[a-z-]*:kms:.+", "the ARN of a key"),
            "name": matches(r"[a-zA-Z0-9][\w.-]{2,127}", "3 to 128 letters, digits or characters of ._-"),
        },
        unsupported={"insightSelectors": "the local AWS has no CloudTrail Insights"},
        auto_name=AutoName(longest=128),
        taggable=True,
        create=_create,
        read=_read,
        update=_update,
        delete=_delete,
        identify=lambda aws, inputs: (
            f"arn:aws:cloudtrail:{inputs.get('region') or aws.region}:{aws.account}:trail/{inputs['name']}"
        ),
        set_after=frozenset({"advancedEventSelectors", "enableLogging", "eventSelectors", "tags"}),
    ),
)

INVOKES: dict[str, Callable[[Aws, Properties], Properties]] = {}
