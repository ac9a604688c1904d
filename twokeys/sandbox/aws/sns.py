"""SNS topics, their policies and subscriptions: https://docs.aws.amazon.com/sns/latest/api/."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from twokeys.sandbox.aws import tags
from twokeys.sandbox.aws.client import Aws, or_none
from twokeys.sandbox.aws.iam_rules import ARN, name_of
from twokeys.sandbox.aws.resource_type import AutoName, ResourceType
from twokeys.sandbox.engine.values import Properties

_TOPIC = {
    "deliveryPolicy": "DeliveryPolicy",
    "displayName": "DisplayName",
    "kmsMasterKeyId": "KmsMasterKeyId",
    "policy": "Policy",
    "signatureVersion": "SignatureVersion",
    "tracingConfig": "TracingConfig",
}
_SUBSCRIPTION = {
    "deliveryPolicy": "DeliveryPolicy",
    "filterPolicy": "FilterPolicy",
    "filterPolicyScope": "FilterPolicyScope",
    "rawMessageDelivery": "RawMessageDelivery",
    "redrivePolicy": "RedrivePolicy",
    "replayPolicy": "ReplayPolicy",
    "subscriptionRoleArn": "SubscriptionRoleArn",
}


# boto3's clients are generated at run time; `Any` is what boto3 itself declares without its stubs.
def _client(aws: Aws, known: Properties) -> Any:  # noqa: ANN401
    return aws.client("sns", known.get("region"))


def _text(value: Any) -> str:  # noqa: ANN401 - property values have no type
    return str(value).lower() if isinstance(value, bool) else str(value)


def _attributes(inputs: Properties, table: dict[str, str]) -> dict[str, str]:
    """What is set, as the API's texts."""
    return {theirs: _text(inputs[ours]) for ours, theirs in table.items() if inputs.get(ours) is not None}


def _told(attributes: dict[str, str], table: dict[str, str]) -> Properties:
    return {ours: attributes.get(theirs) or None for ours, theirs in table.items()}


def _topic_create(aws: Aws, inputs: Properties) -> str:
    pairs, attributes = tags.as_pairs(tags.all_tags(aws, inputs)), _attributes(inputs, _TOPIC)
    topic = _client(aws, inputs).create_topic(Name=name_of(inputs), Attributes=attributes, Tags=pairs)
    return str(topic["TopicArn"])


def _topic_read(aws: Aws, identifier: str, known: Properties) -> Properties | None:
    client = _client(aws, known)
    found = or_none(client.get_topic_attributes, TopicArn=identifier)
    if found is None:
        return None
    attributes = found["Attributes"]
    read = _told(attributes, _TOPIC)
    if read["signatureVersion"] is not None:
        read["signatureVersion"] = int(read["signatureVersion"])
    return {
        **read,
        "arn": identifier,
        "name": identifier.rpartition(":")[2],
        "owner": attributes["Owner"],
        "region": identifier.split(":")[3],
        "tagsAll": tags.from_pairs(client.list_tags_for_resource(ResourceArn=identifier)["Tags"]),
    }


def _topic_update(aws: Aws, identifier: str, old: Properties, new: Properties) -> None:
    client = _client(aws, new)
    _set_attributes(client.set_topic_attributes, {"TopicArn": identifier}, old, new, _TOPIC)
    put, removed = tags.changes(old.get("tagsAll") or {}, tags.all_tags(aws, new))
    if put:
        client.tag_resource(ResourceArn=identifier, Tags=put)
    if removed:
        client.untag_resource(ResourceArn=identifier, TagKeys=removed)


def _set_attributes(
    call: Callable[..., object], named: dict[str, str], old: Properties, new: Properties, table: dict[str, str]
) -> None:
    """Set what differs; what the program does not set any more is emptied, but for a policy, which always is there."""
    for ours, theirs in table.items():
        before, after = old.get(ours), new.get(ours)
        if before != after and (after is not None or ours != "policy"):
            call(**named, AttributeName=theirs, AttributeValue="" if after is None else _text(after))


def _topic_delete(aws: Aws, identifier: str, inputs: Properties) -> None:
    _client(aws, inputs).delete_topic(TopicArn=identifier)


def _policy_put(aws: Aws, inputs: Properties) -> str:
    _client(aws, inputs).set_topic_attributes(
        TopicArn=inputs["arn"], AttributeName="Policy", AttributeValue=inputs["policy"]
    )
    return str(inputs["arn"])


def _policy_read(aws: Aws, identifier: str, known: Properties) -> Properties | None:
    topic = _topic_read(aws, identifier, known)
    return None if topic is None else {name: topic[name] for name in ("arn", "owner", "policy", "region")}


def _policy_delete(aws: Aws, identifier: str, inputs: Properties) -> None:
    """A topic always has a policy: back to the one that it was created with."""
    client = _client(aws, inputs)
    found = or_none(client.get_topic_attributes, TopicArn=identifier)
    if found is None:
        return
    owner = found["Attributes"]["Owner"]
    statement = {
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": [
            f"SNS:{action}"
            for action in (
                "GetTopicAttributes",
                "SetTopicAttributes",
                "AddPermission",
                "RemovePermission",
                "DeleteTopic",
                "Subscribe",
                "ListSubscriptionsByTopic",
                "Publish",
            )
        ],
        "Resource": identifier,
        "Condition": {"StringEquals": {"AWS:SourceOwner": owner}},
    }
    document = json.dumps({"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement]})
    client.set_topic_attributes(TopicArn=identifier, AttributeName="Policy", AttributeValue=document)


def _subscription_create(aws: Aws, inputs: Properties) -> str:
    subscription = _client(aws, inputs).subscribe(
        TopicArn=inputs["topic"],
        Protocol=inputs["protocol"],
        Endpoint=inputs["endpoint"],
        Attributes=_attributes(inputs, _SUBSCRIPTION),
        ReturnSubscriptionArn=True,
    )
    return str(subscription["SubscriptionArn"])


def _subscription_read(aws: Aws, identifier: str, known: Properties) -> Properties | None:
    found = or_none(_client(aws, known).get_subscription_attributes, SubscriptionArn=identifier)
    if found is None:
        return None
    attributes = found["Attributes"]
    return {
        **_told(attributes, _SUBSCRIPTION),
        "rawMessageDelivery": attributes["RawMessageDelivery"] == "true",
        "arn": identifier,
        "topic": attributes["TopicArn"],
        "protocol": attributes["Protocol"],
        "endpoint": attributes["Endpoint"],
        "ownerId": attributes["Owner"],
        "confirmationWasAuthenticated": attributes["ConfirmationWasAuthenticated"] == "true",
        "pendingConfirmation": attributes["PendingConfirmation"] == "true",
        "region": identifier.split(":")[3],
    }


def _subscription_update(aws: Aws, identifier: str, old: Properties, new: Properties) -> None:
    call = _client(aws, new).set_subscription_attributes
    _set_attributes(call, {"SubscriptionArn": identifier}, old, new, _SUBSCRIPTION)


def _subscription_delete(aws: Aws, identifier: str, inputs: Properties) -> None:
    _client(aws, inputs).unsubscribe(SubscriptionArn=identifier)


RESOURCE_TYPES = (
    ResourceType(
        type="aws:sns/topic:Topic",
        inputs=frozenset({*_TOPIC, "name", "namePrefix", "region", "tags"}),
        computed=frozenset({"arn", "owner"}),
        replaces=frozenset({"name", "namePrefix", "region"}),
        documents=frozenset({"deliveryPolicy", "policy"}),
        also_computed=frozenset({"policy", "region", "signatureVersion", "tracingConfig"}),
        unreadable=frozenset({"namePrefix"}),
        unsupported=dict.fromkeys(("contentBasedDeduplication", "fifoTopic"), "the sandbox makes standard topics only"),
        auto_name=AutoName(prefix_property="namePrefix", longest=256),
        taggable=True,
        create=_topic_create,
        read=_topic_read,
        update=_topic_update,
        delete=_topic_delete,
        identify=lambda aws, inputs: (
            f"arn:aws:sns:{inputs.get('region') or aws.region}:{aws.account}:{inputs['name']}"
            if "name" in inputs
            else None
        ),
    ),
    ResourceType(
        type="aws:sns/topicPolicy:TopicPolicy",
        inputs=frozenset({"arn", "policy", "region"}),
        required=frozenset({"arn", "policy"}),
        computed=frozenset({"owner"}),
        replaces=frozenset({"arn", "region"}),
        documents=frozenset({"policy"}),
        also_computed=frozenset({"region"}),
        validations={"arn": ARN},
        create=_policy_put,
        read=_policy_read,
        update=lambda aws, _identifier, _old, new: _policy_put(aws, new),
        delete=_policy_delete,
    ),
    ResourceType(
        type="aws:sns/topicSubscription:TopicSubscription",
        inputs=frozenset(
            {
                *_SUBSCRIPTION,
                "confirmationTimeoutInMinutes",
                "endpoint",
                "endpointAutoConfirms",
                "protocol",
                "region",
                "topic",
            }
        ),
        required=frozenset({"endpoint", "protocol", "topic"}),
        computed=frozenset({"arn", "confirmationWasAuthenticated", "ownerId", "pendingConfirmation"}),
        volatile=frozenset({"pendingConfirmation"}),
        replaces=frozenset({"endpoint", "protocol", "region", "topic"}),
        defaults={"confirmationTimeoutInMinutes": 1, "endpointAutoConfirms": False, "rawMessageDelivery": False},
        documents=frozenset({"deliveryPolicy", "filterPolicy", "redrivePolicy", "replayPolicy"}),
        also_computed=frozenset({"filterPolicyScope", "region"}),
        unreadable=frozenset({"confirmationTimeoutInMinutes", "endpointAutoConfirms"}),
        validations={"topic": ARN},
        create=_subscription_create,
        read=_subscription_read,
        update=_subscription_update,
        delete=_subscription_delete,
    ),
)

INVOKES: dict[str, Callable[[Aws, Properties], Properties]] = {}
