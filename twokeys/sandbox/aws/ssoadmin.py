"""IAM Identity Center's permission sets and assignments, kept on record: nobody signs in to the local AWS.

https://docs.aws.amazon.com/singlesignon/latest/APIReference/.
"""

from __future__ import annotations

from typing import Any

from twokeys.sandbox.aws import tags
from twokeys.sandbox.aws.client import Aws, or_none, timestamp
from twokeys.sandbox.aws.iam_rules import ARN
from twokeys.sandbox.aws.resource_type import AutoName, ResourceType, matches, one_of
from twokeys.sandbox.engine.plugin import ProviderError
from twokeys.sandbox.engine.values import Properties

_SET = {"description": "Description", "relayState": "RelayState", "sessionDuration": "SessionDuration"}
_ASSIGNMENT = {
    "principalId": "PrincipalId",
    "principalType": "PrincipalType",
    "targetId": "TargetId",
    "targetType": "TargetType",
    "permissionSetArn": "PermissionSetArn",
    "instanceArn": "InstanceArn",
}
_SET_KEYS = frozenset({"instanceArn", "permissionSetArn"})


# boto3's clients are generated at run time; `Any` is what boto3 itself declares without its stubs.
def _client(aws: Aws, known: Properties) -> Any:  # noqa: ANN401
    return aws.client("sso-admin", known.get("region"))


def _region(aws: Aws, known: Properties) -> str:
    return str(known.get("region") or aws.region)


def _in(permission_set: str, instance: str) -> dict[str, str]:
    return {"PermissionSetArn": permission_set, "InstanceArn": instance}


def _set_create(aws: Aws, inputs: Properties) -> str:
    settings = {theirs: inputs[ours] for ours, theirs in _SET.items() if inputs.get(ours)}
    created = _client(aws, inputs).create_permission_set(
        Name=inputs["name"],
        InstanceArn=inputs["instanceArn"],
        Tags=tags.as_pairs(tags.all_tags(aws, inputs)),
        **settings,
    )
    return f"{created['PermissionSet']['PermissionSetArn']},{inputs['instanceArn']}"


def _set_read(aws: Aws, identifier: str, known: Properties) -> Properties | None:
    arn, _, instance = identifier.partition(",")
    client = _client(aws, known)
    found = or_none(client.describe_permission_set, **_in(arn, instance))
    if found is None:
        return None
    described = found["PermissionSet"]
    pairs = client.list_tags_for_resource(InstanceArn=instance, ResourceArn=arn)["Tags"]
    return {
        **{ours: described.get(theirs) for ours, theirs in _SET.items()},
        "arn": arn,
        "createdDate": timestamp(described["CreatedDate"]),
        "instanceArn": instance,
        "name": described["Name"],
        "region": _region(aws, known),
        "tagsAll": tags.from_pairs(pairs),
    }


def _set_update(aws: Aws, identifier: str, old: Properties, new: Properties) -> None:
    arn, _, instance = identifier.partition(",")
    client = _client(aws, new)
    # What is left out is cleared, so everything that is set is told, changed or not.
    settings = {theirs: new[ours] for ours, theirs in _SET.items() if new.get(ours)}
    client.update_permission_set(**_in(arn, instance), **settings)
    put, removed = tags.changes(old.get("tagsAll") or {}, tags.all_tags(aws, new))
    if put:
        client.tag_resource(InstanceArn=instance, ResourceArn=arn, Tags=put)
    if removed:
        client.untag_resource(InstanceArn=instance, ResourceArn=arn, TagKeys=removed)


def _set_delete(aws: Aws, identifier: str, inputs: Properties) -> None:
    arn, _, instance = identifier.partition(",")
    _client(aws, inputs).delete_permission_set(**_in(arn, instance))


def _set_named(aws: Aws, inputs: Properties) -> str | None:
    client, instance = _client(aws, inputs), inputs["instanceArn"]
    pages = client.get_paginator("list_permission_sets").paginate(InstanceArn=instance)
    for arn in [arn for page in pages for arn in page["PermissionSets"]]:
        if client.describe_permission_set(**_in(arn, instance))["PermissionSet"]["Name"] == inputs["name"]:
            return f"{arn},{instance}"
    return None


def _attachment_create(aws: Aws, inputs: Properties) -> str:
    where = _in(inputs["permissionSetArn"], inputs["instanceArn"])
    _client(aws, inputs).attach_managed_policy_to_permission_set(ManagedPolicyArn=inputs["managedPolicyArn"], **where)
    return _attachment_id(inputs)


def _attachment_id(inputs: Properties) -> str:
    return ",".join(inputs[name] for name in ("managedPolicyArn", "permissionSetArn", "instanceArn"))


def _attachment_read(aws: Aws, identifier: str, known: Properties) -> Properties | None:
    policy, permission_set, instance = identifier.split(",")
    found = or_none(_client(aws, known).list_managed_policies_in_permission_set, **_in(permission_set, instance))
    attached = {one["Arn"]: one["Name"] for one in (found or {}).get("AttachedManagedPolicies", ())}
    if policy not in attached:
        return None
    return {
        "instanceArn": instance,
        "managedPolicyArn": policy,
        "managedPolicyName": attached[policy],
        "permissionSetArn": permission_set,
        "region": _region(aws, known),
    }


def _attachment_delete(aws: Aws, identifier: str, inputs: Properties) -> None:
    policy, permission_set, instance = identifier.split(",")
    _client(aws, inputs).detach_managed_policy_from_permission_set(
        ManagedPolicyArn=policy, **_in(permission_set, instance)
    )


def _inline_put(aws: Aws, inputs: Properties) -> str:
    where = _in(inputs["permissionSetArn"], inputs["instanceArn"])
    _client(aws, inputs).put_inline_policy_to_permission_set(InlinePolicy=inputs["inlinePolicy"], **where)
    return f"{inputs['permissionSetArn']},{inputs['instanceArn']}"


def _inline_read(aws: Aws, identifier: str, known: Properties) -> Properties | None:
    permission_set, _, instance = identifier.partition(",")
    found = or_none(_client(aws, known).get_inline_policy_for_permission_set, **_in(permission_set, instance))
    if found is None or not found["InlinePolicy"]:
        return None
    return {
        "inlinePolicy": found["InlinePolicy"],
        "instanceArn": instance,
        "permissionSetArn": permission_set,
        "region": _region(aws, known),
    }


def _inline_delete(aws: Aws, identifier: str, inputs: Properties) -> None:
    permission_set, _, instance = identifier.partition(",")
    _client(aws, inputs).delete_inline_policy_from_permission_set(**_in(permission_set, instance))


def _assignment_create(aws: Aws, inputs: Properties) -> str:
    answer = _client(aws, inputs).create_account_assignment(
        **{theirs: inputs[ours] for ours, theirs in _ASSIGNMENT.items()}
    )
    _refuse_failed(answer["AccountAssignmentCreationStatus"])
    return _assignment_id(inputs)


def _assignment_id(inputs: Properties) -> str:
    return ",".join(inputs[name] for name in _ASSIGNMENT)


def _refuse_failed(status: Properties) -> None:
    if status["Status"] != "SUCCEEDED":
        raise ProviderError("the assignment was refused", (str(status.get("FailureReason") or status["Status"]),))


def _assignment_read(aws: Aws, identifier: str, known: Properties) -> Properties | None:
    assignment = dict(zip(_ASSIGNMENT, identifier.split(","), strict=True))
    where = _in(assignment["permissionSetArn"], assignment["instanceArn"])
    client = _client(aws, known)
    if or_none(client.describe_permission_set, **where) is None:
        return None
    pages = client.get_paginator("list_account_assignments").paginate(AccountId=assignment["targetId"], **where)
    found = {(one["PrincipalType"], one["PrincipalId"]) for page in pages for one in page["AccountAssignments"]}
    if (assignment["principalType"], assignment["principalId"]) not in found:
        return None
    return {**assignment, "region": _region(aws, known)}


def _assignment_delete(aws: Aws, identifier: str, inputs: Properties) -> None:
    if _assignment_read(aws, identifier, inputs) is None:
        return
    assignment = dict(zip(_ASSIGNMENT.values(), identifier.split(","), strict=True))
    answer = _client(aws, inputs).delete_account_assignment(**assignment)
    _refuse_failed(answer["AccountAssignmentDeletionStatus"])


def _get_instances(aws: Aws, args: Properties) -> Properties:
    instances = _client(aws, args).get_paginator("list_instances").paginate()
    found = [one for page in instances for one in page["Instances"]]
    region = _region(aws, args)
    return {
        "id": region,
        "arns": [one["InstanceArn"] for one in found],
        "identityStoreIds": [one["IdentityStoreId"] for one in found],
        "region": region,
    }


RESOURCE_TYPES = (
    ResourceType(
        type="aws:ssoadmin/permissionSet:PermissionSet",
        inputs=frozenset({*_SET, "instanceArn", "name", "region", "tags"}),
        required=frozenset({"instanceArn"}),
        computed=frozenset({"arn", "createdDate"}),
        replaces=frozenset({"instanceArn", "name", "region"}),
        defaults={"sessionDuration": "PT1H"},
        also_computed=frozenset({"region"}),
        validations={
            "instanceArn": ARN,
            "name": matches(r"[\w+=,.@-]{1,32}", "1 to 32 letters, digits or characters of +=,.@-_"),
            "sessionDuration": matches(
                r"PT(?=\d)(\d+H)?(\d+M)?(\d+S)?", "a duration of ISO 8601 in hours, minutes and seconds, as in PT4H"
            ),
        },
        auto_name=AutoName(longest=32),
        taggable=True,
        create=_set_create,
        read=_set_read,
        update=_set_update,
        delete=_set_delete,
        identify=_set_named,
        record=True,
    ),
    ResourceType(
        type="aws:ssoadmin/managedPolicyAttachment:ManagedPolicyAttachment",
        inputs=_SET_KEYS | {"managedPolicyArn", "region"},
        required=_SET_KEYS | {"managedPolicyArn"},
        computed=frozenset({"managedPolicyName"}),
        also_computed=frozenset({"region"}),
        validations={"instanceArn": ARN, "managedPolicyArn": ARN, "permissionSetArn": ARN},
        create=_attachment_create,
        read=_attachment_read,
        delete=_attachment_delete,
        identify=lambda _, inputs: _attachment_id(inputs),
        record=True,
    ),
    ResourceType(
        type="aws:ssoadmin/permissionSetInlinePolicy:PermissionSetInlinePolicy",
        inputs=_SET_KEYS | {"inlinePolicy", "region"},
        required=_SET_KEYS | {"inlinePolicy"},
        replaces=_SET_KEYS | {"region"},
        documents=frozenset({"inlinePolicy"}),
        also_computed=frozenset({"region"}),
        validations={"instanceArn": ARN, "permissionSetArn": ARN},
        create=_inline_put,
        read=_inline_read,
        update=lambda aws, _identifier, _old, new: _inline_put(aws, new),
        delete=_inline_delete,
        identify=lambda _, inputs: f"{inputs['permissionSetArn']},{inputs['instanceArn']}",
        record=True,
    ),
    ResourceType(
        type="aws:ssoadmin/accountAssignment:AccountAssignment",
        inputs=frozenset({*_ASSIGNMENT, "region"}),
        required=frozenset(_ASSIGNMENT),
        also_computed=frozenset({"region"}),
        validations={
            "instanceArn": ARN,
            "permissionSetArn": ARN,
            "principalType": one_of("USER", "GROUP"),
            "targetId": matches(r"\d{12}", "a 12-digit account id"),
            "targetType": one_of("AWS_ACCOUNT"),
        },
        create=_assignment_create,
        read=_assignment_read,
        delete=_assignment_delete,
        identify=lambda _, inputs: _assignment_id(inputs),
        record=True,
    ),
)

INVOKES = {"aws:ssoadmin/getInstances:getInstances": _get_instances}
