"""KMS keys and their aliases: https://docs.aws.amazon.com/kms/latest/APIReference/.

A deleted key waits for its end, 30 days unless `deletionWindowInDays` says otherwise; it counts as gone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from twokeys.sandbox.aws import tags
from twokeys.sandbox.aws.client import Aws, code, or_none
from twokeys.sandbox.aws.resource_type import AutoName, ResourceType, between, matches, one_of
from twokeys.sandbox.engine.values import Properties

_NO_KEY_STORES = "the local AWS has no custom key stores"


# boto3's clients are generated at run time; `Any` is what boto3 itself declares without its stubs.
def _client(aws: Aws, known: Properties) -> Any:  # noqa: ANN401
    return aws.client("kms", known.get("region"))


def _pairs(of: dict[str, str]) -> list[dict[str, str]]:
    return [{"TagKey": key, "TagValue": value} for key, value in sorted(of.items())]


def _key_create(aws: Aws, inputs: Properties) -> str:
    client = _client(aws, inputs)
    key = client.create_key(
        Description=inputs.get("description", ""),
        KeyUsage=inputs["keyUsage"],
        KeySpec=inputs["customerMasterKeySpec"],
        MultiRegion=bool(inputs.get("multiRegion")),
        BypassPolicyLockoutSafetyCheck=bool(inputs.get("bypassPolicyLockoutSafetyCheck")),
        Tags=_pairs(tags.all_tags(aws, inputs)),
        **({"Policy": inputs["policy"]} if inputs.get("policy") else {}),
    )["KeyMetadata"]["KeyId"]
    if inputs.get("enableKeyRotation"):
        _rotate(client, key, inputs)
    if not inputs["isEnabled"]:
        client.disable_key(KeyId=key)
    return str(key)


def _rotate(client: Any, key: str, inputs: Properties) -> None:  # noqa: ANN401 - as above
    period = inputs.get("rotationPeriodInDays")
    client.enable_key_rotation(KeyId=key, **({"RotationPeriodInDays": int(period)} if period else {}))


def _key_read(aws: Aws, identifier: str, known: Properties) -> Properties | None:
    client = _client(aws, known)
    found = or_none(client.describe_key, KeyId=identifier)
    if found is None or found["KeyMetadata"]["KeyState"] == "PendingDeletion":
        return None
    key = found["KeyMetadata"]
    rotation = client.get_key_rotation_status(KeyId=identifier) if key["KeySpec"] == "SYMMETRIC_DEFAULT" else {}
    rotates = rotation.get("KeyRotationEnabled", False)
    return {
        "arn": key["Arn"],
        "keyId": key["KeyId"],
        "customerMasterKeySpec": key["KeySpec"],
        "description": key["Description"] or None,
        "enableKeyRotation": rotates,
        "isEnabled": key["Enabled"],
        "keyUsage": key["KeyUsage"],
        "multiRegion": key["MultiRegion"],
        "policy": client.get_key_policy(KeyId=identifier, PolicyName="default")["Policy"],
        "region": key["Arn"].split(":")[3],
        "rotationPeriodInDays": rotation.get("RotationPeriodInDays") if rotates else None,
        "tagsAll": {pair["TagKey"]: pair["TagValue"] for pair in client.list_resource_tags(KeyId=identifier)["Tags"]},
    }


def _key_update(aws: Aws, identifier: str, old: Properties, new: Properties) -> None:
    client = _client(aws, new)
    if new["isEnabled"] and not old.get("isEnabled"):
        client.enable_key(KeyId=identifier)
    client.update_key_description(KeyId=identifier, Description=new.get("description", ""))
    if new.get("policy") and new["policy"] != old.get("policy"):
        client.put_key_policy(
            KeyId=identifier,
            PolicyName="default",
            Policy=new["policy"],
            BypassPolicyLockoutSafetyCheck=bool(new.get("bypassPolicyLockoutSafetyCheck")),
        )
    if new.get("enableKeyRotation"):
        _rotate(client, identifier, new)
    elif old.get("enableKeyRotation"):
        client.disable_key_rotation(KeyId=identifier)
    if old.get("isEnabled") and not new["isEnabled"]:
        client.disable_key(KeyId=identifier)
    wanted, before = tags.all_tags(aws, new), old.get("tagsAll") or {}
    changed = {key: value for key, value in wanted.items() if before.get(key) != value}
    if changed:
        client.tag_resource(KeyId=identifier, Tags=_pairs(changed))
    if before.keys() - wanted.keys():
        client.untag_resource(KeyId=identifier, TagKeys=sorted(before.keys() - wanted.keys()))


def _key_delete(aws: Aws, identifier: str, inputs: Properties) -> None:
    try:
        _client(aws, inputs).schedule_key_deletion(
            KeyId=identifier, PendingWindowInDays=int(inputs.get("deletionWindowInDays") or 30)
        )
    except ClientError as error:
        if code(error) != "KMSInvalidStateException":  # it is on its way out already
            raise


def _alias_create(aws: Aws, inputs: Properties) -> str:
    _client(aws, inputs).create_alias(AliasName=inputs["name"], TargetKeyId=inputs["targetKeyId"])
    return str(inputs["name"])


def _alias_read(aws: Aws, identifier: str, known: Properties) -> Properties | None:
    client = _client(aws, known)
    pages = client.get_paginator("list_aliases").paginate()
    found = next((one for page in pages for one in page["Aliases"] if one["AliasName"] == identifier), None)
    if found is None:
        return None
    return {
        "name": identifier,
        "arn": found["AliasArn"],
        "region": found["AliasArn"].split(":")[3],
        "targetKeyId": found["TargetKeyId"],
        "targetKeyArn": client.describe_key(KeyId=found["TargetKeyId"])["KeyMetadata"]["Arn"],
    }


def _alias_update(aws: Aws, identifier: str, _old: Properties, new: Properties) -> None:
    _client(aws, new).update_alias(AliasName=identifier, TargetKeyId=new["targetKeyId"])


def _alias_delete(aws: Aws, identifier: str, inputs: Properties) -> None:
    _client(aws, inputs).delete_alias(AliasName=identifier)


def _same_key(old: str, new: str) -> bool:
    """A key's id and its ARN name the same key."""
    return old.rpartition("/")[2] == new.rpartition("/")[2]


RESOURCE_TYPES = (
    ResourceType(
        type="aws:kms/key:Key",
        inputs=frozenset(
            {
                "bypassPolicyLockoutSafetyCheck",
                "customerMasterKeySpec",
                "deletionWindowInDays",
                "description",
                "enableKeyRotation",
                "isEnabled",
                "keyUsage",
                "multiRegion",
                "policy",
                "region",
                "rotationPeriodInDays",
                "tags",
            }
        ),
        computed=frozenset({"arn", "keyId"}),
        replaces=frozenset({"customerMasterKeySpec", "keyUsage", "multiRegion", "region"}),
        defaults={
            "bypassPolicyLockoutSafetyCheck": False,
            "customerMasterKeySpec": "SYMMETRIC_DEFAULT",
            "enableKeyRotation": False,
            "isEnabled": True,
            "keyUsage": "ENCRYPT_DECRYPT",
        },
        documents=frozenset({"policy"}),
        also_computed=frozenset({"description", "multiRegion", "policy", "region", "rotationPeriodInDays"}),
        unreadable=frozenset({"bypassPolicyLockoutSafetyCheck", "deletionWindowInDays"}),
        validations={
            "deletionWindowInDays": between(7, 30),
            "keyUsage": one_of("ENCRYPT_DECRYPT", "SIGN_VERIFY", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT"),
            "rotationPeriodInDays": between(90, 2560),
        },
        unsupported=dict.fromkeys(("customKeyStoreId", "xksKeyId"), _NO_KEY_STORES),
        taggable=True,
        create=_key_create,
        read=_key_read,
        update=_key_update,
        delete=_key_delete,
    ),
    ResourceType(
        type="aws:kms/alias:Alias",
        inputs=frozenset({"name", "region", "targetKeyId"}),
        required=frozenset({"targetKeyId"}),
        computed=frozenset({"arn", "targetKeyArn"}),
        volatile=frozenset({"targetKeyArn"}),
        replaces=frozenset({"name", "region"}),
        also_computed=frozenset({"region"}),
        same={"targetKeyId": _same_key},
        validations={"name": matches(r"alias/(?!aws/)[\w/-]{1,250}", "alias/ and 1 to 250 letters, digits or /_-")},
        unsupported={"namePrefix": "the sandbox names an alias by its name, or after the resource"},
        auto_name=AutoName(longest=250, begins="alias/"),
        create=_alias_create,
        read=_alias_read,
        update=_alias_update,
        delete=_alias_delete,
        identify=lambda _, inputs: inputs["name"],
    ),
)

INVOKES: dict[str, Callable[[Aws, Properties], Properties]] = {}
