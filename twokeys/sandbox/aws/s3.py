"""S3 buckets, their policies and their public access block: https://docs.aws.amazon.com/AmazonS3/latest/API/.

Of a bucket the sandbox knows its name, region, tags, object lock and whether `forceDestroy` empties it; what the
provider keeps in resources of its own (versioning, encryption) has to be declared there and is not supported here.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from twokeys.sandbox.aws import tags
from twokeys.sandbox.aws.client import Aws, or_none
from twokeys.sandbox.aws.resource_type import AutoName, ResourceType, matches
from twokeys.sandbox.engine.values import Properties

PUBLIC_ACCESS_BLOCK = {
    "blockPublicAcls": "BlockPublicAcls",
    "blockPublicPolicy": "BlockPublicPolicy",
    "ignorePublicAcls": "IgnorePublicAcls",
    "restrictPublicBuckets": "RestrictPublicBuckets",
}
_BUCKET_NAME = matches(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "3 to 63 lower-case letters, digits, dots or hyphens")


# boto3's clients are generated at run time; `Any` is what boto3 itself declares without its stubs.
def _client(aws: Aws, inputs: Properties) -> Any:  # noqa: ANN401
    return aws.client("s3", inputs.get("region"))


def _bucket_create(aws: Aws, inputs: Properties) -> str:
    client = _client(aws, inputs)
    name = str(inputs.get("bucket") or f"{inputs['bucketPrefix']}{uuid.uuid4().hex[:26]}")
    region = inputs.get("region") or aws.region
    elsewhere = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    locked = {"ObjectLockEnabledForBucket": True} if inputs.get("objectLockEnabled") else {}
    client.create_bucket(Bucket=name, **elsewhere, **locked)
    _set_tags(client, name, tags.all_tags(aws, inputs))
    return name


def _set_tags(client: Any, bucket: str, wanted: dict[str, str]) -> None:  # noqa: ANN401 - as above
    if wanted:
        client.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags.as_pairs(wanted)})
    else:
        client.delete_bucket_tagging(Bucket=bucket)


def _bucket_read(aws: Aws, identifier: str, known: Properties) -> Properties | None:
    client = _client(aws, known)
    if or_none(client.head_bucket, Bucket=identifier) is None:
        return None
    region = client.get_bucket_location(Bucket=identifier).get("LocationConstraint") or "us-east-1"
    tagging = or_none(client.get_bucket_tagging, Bucket=identifier)
    lock = or_none(client.get_object_lock_configuration, Bucket=identifier)
    return {
        "bucket": identifier,
        "arn": f"arn:aws:s3:::{identifier}",
        "objectLockEnabled": lock is not None,
        "region": region,
        "bucketRegion": region,
        "bucketDomainName": f"{identifier}.s3.amazonaws.com",
        "bucketRegionalDomainName": f"{identifier}.s3.{region}.amazonaws.com",
        "tagsAll": tags.from_pairs(tagging and tagging["TagSet"]),
    }


def _bucket_update(aws: Aws, identifier: str, _old: Properties, new: Properties) -> None:
    _set_tags(_client(aws, new), identifier, tags.all_tags(aws, new))


def _bucket_delete(aws: Aws, identifier: str, inputs: Properties) -> None:
    client = _client(aws, inputs)
    if inputs.get("forceDestroy") and or_none(client.head_bucket, Bucket=identifier) is not None:
        unlocked = {"BypassGovernanceRetention": True} if inputs.get("objectLockEnabled") else {}
        for version in _versions(client, identifier):
            client.delete_object(Bucket=identifier, Key=version["Key"], VersionId=version["VersionId"], **unlocked)
    client.delete_bucket(Bucket=identifier)


def _versions(client: Any, bucket: str) -> list[Any]:  # noqa: ANN401 - as above
    pages = client.get_paginator("list_object_versions").paginate(Bucket=bucket)
    return [one for page in pages for kind in ("Versions", "DeleteMarkers") for one in page.get(kind, ())]


def _policy_put(aws: Aws, inputs: Properties) -> str:
    _client(aws, inputs).put_bucket_policy(Bucket=inputs["bucket"], Policy=inputs["policy"])
    return str(inputs["bucket"])


def _policy_read(aws: Aws, identifier: str, known: Properties) -> Properties | None:
    found = or_none(_client(aws, known).get_bucket_policy, Bucket=identifier)
    return None if found is None else {"bucket": identifier, "policy": found["Policy"], "region": _region(aws, known)}


def _policy_delete(aws: Aws, identifier: str, inputs: Properties) -> None:
    _client(aws, inputs).delete_bucket_policy(Bucket=identifier)


def _block_put(aws: Aws, inputs: Properties) -> str:
    settings = {theirs: bool(inputs.get(ours)) for ours, theirs in PUBLIC_ACCESS_BLOCK.items()}
    _client(aws, inputs).put_public_access_block(Bucket=inputs["bucket"], PublicAccessBlockConfiguration=settings)
    return str(inputs["bucket"])


def _block_read(aws: Aws, identifier: str, known: Properties) -> Properties | None:
    found = or_none(_client(aws, known).get_public_access_block, Bucket=identifier)
    if found is None:
        return None
    settings = found["PublicAccessBlockConfiguration"]
    return {
        "bucket": identifier,
        "region": _region(aws, known),
        **{ours: settings.get(theirs, False) for ours, theirs in PUBLIC_ACCESS_BLOCK.items()},
    }


def _block_delete(aws: Aws, identifier: str, inputs: Properties) -> None:
    if not inputs.get("skipDestroy"):
        _client(aws, inputs).delete_public_access_block(Bucket=identifier)


def _region(aws: Aws, known: Properties) -> str:
    return str(known.get("region") or aws.region)


def _bucket(type: str) -> ResourceType:
    return ResourceType(
        type=type,
        inputs=frozenset({"bucket", "bucketPrefix", "forceDestroy", "objectLockEnabled", "region", "tags"}),
        computed=frozenset({"arn", "bucketDomainName", "bucketRegion", "bucketRegionalDomainName"}),
        replaces=frozenset({"bucket", "bucketPrefix", "objectLockEnabled", "region"}),
        defaults={"forceDestroy": False},
        also_computed=frozenset({"objectLockEnabled", "region"}),
        unreadable=frozenset({"bucketPrefix", "forceDestroy"}),
        validations={"bucket": _BUCKET_NAME},
        auto_name=AutoName(property="bucket", prefix_property="bucketPrefix", longest=63, lower_case=True),
        taggable=True,
        create=_bucket_create,
        read=_bucket_read,
        update=_bucket_update,
        delete=_bucket_delete,
        identify=lambda _, inputs: inputs.get("bucket"),
        set_after=frozenset({"tags"}),
    )


RESOURCE_TYPES = (
    _bucket("aws:s3/bucket:Bucket"),
    _bucket("aws:s3/bucketV2:BucketV2"),
    ResourceType(
        type="aws:s3/bucketPolicy:BucketPolicy",
        inputs=frozenset({"bucket", "policy", "region"}),
        required=frozenset({"bucket", "policy"}),
        replaces=frozenset({"bucket", "region"}),
        documents=frozenset({"policy"}),
        also_computed=frozenset({"region"}),
        create=_policy_put,
        read=_policy_read,
        update=lambda aws, _identifier, _old, new: _policy_put(aws, new),
        delete=_policy_delete,
        identify=lambda _, inputs: inputs["bucket"],
    ),
    ResourceType(
        type="aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        inputs=frozenset({"bucket", "region", "skipDestroy", *PUBLIC_ACCESS_BLOCK}),
        required=frozenset({"bucket"}),
        replaces=frozenset({"bucket", "region"}),
        also_computed=frozenset({"region"}),
        unreadable=frozenset({"skipDestroy"}),
        create=_block_put,
        read=_block_read,
        update=lambda aws, _identifier, _old, new: _block_put(aws, new),
        delete=_block_delete,
    ),
)

INVOKES: dict[str, Callable[[Aws, Properties], Properties]] = {}
