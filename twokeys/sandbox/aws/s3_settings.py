"""What a bucket has beside itself, each a resource of its own, and the account's block of public access.

https://docs.aws.amazon.com/AmazonS3/latest/API/. A setting that AWS cannot remove (encryption, object lock, versioning
once it was on) goes back to AWS's default when its resource is deleted, as with the provider.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from botocore.exceptions import ClientError

from twokeys.sandbox.aws import tags
from twokeys.sandbox.aws.client import Aws, code, or_none
from twokeys.sandbox.aws.resource_type import ResourceType, matches, one_of, same_shape
from twokeys.sandbox.aws.s3 import PUBLIC_ACCESS_BLOCK
from twokeys.sandbox.aws.shapes import from_api, to_api
from twokeys.sandbox.engine.values import Properties

_MFA_DELETE = {"mfaDelete": "MFADelete"}
_LIFECYCLE = {"id": "ID"}
_ENCRYPTION = {
    "sseAlgorithm": "SSEAlgorithm",
    "kmsMasterKeyId": "KMSMasterKeyID",
    "blockedEncryptionTypes": "BlockedEncryptionTypes",
}


# boto3's clients are generated at run time; `Any` is what boto3 itself declares without its stubs.
def _client(aws: Aws, known: Properties) -> Any:  # noqa: ANN401
    return aws.client("s3", known.get("region"))


def _setting(  # noqa: PLR0913 - the parts of a resource
    names: Iterable[str],
    *,
    inputs: frozenset[str],
    required: frozenset[str],
    put: Callable[[Any, str, Properties], object],
    get: Callable[[Any, str], Properties | None],
    delete: Callable[[Any, str], object],
    also_computed: frozenset[str] = frozenset(),
    **table: Any,  # noqa: ANN401 - further columns of the table
) -> tuple[ResourceType, ...]:
    """The resource under its names; its id is the bucket's."""

    def apply(aws: Aws, new: Properties) -> str:
        put(_client(aws, new), new["bucket"], new)
        return str(new["bucket"])

    def read(aws: Aws, identifier: str, known: Properties) -> Properties | None:
        found = get(_client(aws, known), identifier)
        region = str(known.get("region") or aws.region)
        return None if found is None else {"bucket": identifier, "region": region, **found}

    return tuple(
        ResourceType(
            type=f"aws:s3/{name[0].lower()}{name[1:]}:{name}",
            inputs=inputs | {"bucket", "region"},
            required=required | {"bucket"},
            replaces=frozenset({"bucket", "region"}),
            also_computed=also_computed | {"region"},
            create=apply,
            read=read,
            update=lambda aws, _identifier, _old, new: apply(aws, new),
            delete=lambda aws, identifier, known: delete(_client(aws, known), identifier),
            identify=lambda _, new: new["bucket"],
            **table,
        )
        for name in names
    )


def _versioning_put(client: Any, bucket: str, new: Properties) -> None:  # noqa: ANN401 - as above
    mfa = {"MFA": new["mfa"]} if new.get("mfa") else {}
    wanted = to_api(new["versioningConfiguration"], _MFA_DELETE)
    if wanted.get("Status") != "Disabled":  # AWS has no such state; it is that of a bucket nobody asked to version
        client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=wanted, **mfa)


def _versioning_get(client: Any, bucket: str) -> Properties | None:  # noqa: ANN401 - as above
    found = or_none(client.get_bucket_versioning, Bucket=bucket)
    if found is None:
        return None
    configuration = {"status": found.get("Status") or "Disabled"}
    if found.get("MFADelete"):
        configuration["mfaDelete"] = found["MFADelete"]
    return {"versioningConfiguration": configuration}


def _versioning_delete(client: Any, bucket: str) -> None:  # noqa: ANN401 - as above
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html: a bucket with a lock stays versioned."""
    if client.get_bucket_versioning(Bucket=bucket).get("Status") != "Enabled":
        return
    try:
        client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    except ClientError as error:
        if code(error) != "InvalidBucketState":
            raise


def _lifecycle_put(client: Any, bucket: str, new: Properties) -> None:  # noqa: ANN401 - as above
    size = new.get("transitionDefaultMinimumObjectSize")
    client.put_bucket_lifecycle_configuration(
        Bucket=bucket,
        LifecycleConfiguration={"Rules": [_rule_to_api(rule) for rule in new.get("rules") or ()]},
        **({"TransitionDefaultMinimumObjectSize": size} if size else {}),
    )


def _rule_to_api(rule: Properties) -> Properties:
    converted: Properties = to_api(rule, _LIFECYCLE)
    both = converted.get("Filter", {}).get("And")
    if both and "Tags" in both:
        both["Tags"] = tags.as_pairs(rule["filter"]["and"]["tags"])
    if "Prefix" not in converted:
        converted.setdefault("Filter", {})
    return converted


def _rule_from_api(rule: Properties) -> Properties:
    converted: Properties = from_api(rule, _LIFECYCLE)
    both = converted.get("filter", {}).get("and")
    if both and "tags" in both:
        both["tags"] = tags.from_pairs(rule["Filter"]["And"]["Tags"])
    if both and both.get("objectSizeGreaterThan") == 0:  # told where nothing was set
        del both["objectSizeGreaterThan"]
    return converted


def _lifecycle_get(client: Any, bucket: str) -> Properties | None:  # noqa: ANN401 - as above
    found = or_none(client.get_bucket_lifecycle_configuration, Bucket=bucket)
    if found is None:
        return None
    return {
        "rules": [_rule_from_api(rule) for rule in found["Rules"]],
        "transitionDefaultMinimumObjectSize": found.get("TransitionDefaultMinimumObjectSize"),
    }


def _lock_put(client: Any, bucket: str, new: Properties) -> None:  # noqa: ANN401 - as above
    lock = to_api({name: new.get(name) for name in ("objectLockEnabled", "rule")})
    client.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration=lock)


def _lock_get(client: Any, bucket: str) -> Properties | None:  # noqa: ANN401 - as above
    found = or_none(client.get_object_lock_configuration, Bucket=bucket)
    return None if found is None else dict(from_api(found["ObjectLockConfiguration"]))


def _lock_delete(client: Any, bucket: str) -> None:  # noqa: ANN401 - as above
    """A bucket keeps its lock for ever; the rule that locks new objects goes."""
    client.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"})


def _encryption_put(client: Any, bucket: str, new: Properties) -> None:  # noqa: ANN401 - as above
    rules = to_api(new["rules"], _ENCRYPTION)
    client.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules})


def _encryption_get(client: Any, bucket: str) -> Properties | None:  # noqa: ANN401 - as above
    found = or_none(client.get_bucket_encryption, Bucket=bucket)
    return (
        None if found is None else {"rules": from_api(found["ServerSideEncryptionConfiguration"]["Rules"], _ENCRYPTION)}
    )


def _same_encryption(old: Any, new: Any) -> bool:  # noqa: ANN401 - property values have no type
    """No `bucketKeyEnabled` means false."""
    return same_shape(*([{"bucketKeyEnabled": False, **rule} for rule in rules] for rules in (old, new)))


def _ownership_put(client: Any, bucket: str, new: Properties) -> None:  # noqa: ANN401 - as above
    client.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls={"Rules": [to_api(new["rule"])]})


def _ownership_get(client: Any, bucket: str) -> Properties | None:  # noqa: ANN401 - as above
    found = or_none(client.get_bucket_ownership_controls, Bucket=bucket)
    return None if found is None else {"rule": from_api(found["OwnershipControls"]["Rules"][0])}


def _account_put(aws: Aws, inputs: Properties) -> str:
    account = inputs.get("accountId") or aws.account
    settings = {theirs: bool(inputs.get(ours)) for ours, theirs in PUBLIC_ACCESS_BLOCK.items()}
    aws.client("s3control").put_public_access_block(AccountId=account, PublicAccessBlockConfiguration=settings)
    return str(account)


def _account_read(aws: Aws, identifier: str, _: Properties) -> Properties | None:
    found = or_none(aws.client("s3control").get_public_access_block, AccountId=identifier)
    if found is None:
        return None
    settings = found["PublicAccessBlockConfiguration"]
    return {
        "accountId": identifier,
        **{ours: settings.get(theirs, False) for ours, theirs in PUBLIC_ACCESS_BLOCK.items()},
    }


def _account_delete(aws: Aws, identifier: str, _: Properties) -> None:
    aws.client("s3control").delete_public_access_block(AccountId=identifier)


RESOURCE_TYPES = (
    *_setting(
        ("BucketVersioning", "BucketVersioningV2"),
        inputs=frozenset({"mfa", "versioningConfiguration"}),
        required=frozenset({"versioningConfiguration"}),
        unreadable=frozenset({"mfa"}),
        same={"versioningConfiguration": same_shape},
        put=_versioning_put,
        get=_versioning_get,
        delete=_versioning_delete,
    ),
    *_setting(
        ("BucketLifecycleConfiguration", "BucketLifecycleConfigurationV2"),
        inputs=frozenset({"rules", "transitionDefaultMinimumObjectSize"}),
        required=frozenset(),
        also_computed=frozenset({"transitionDefaultMinimumObjectSize"}),
        same={"rules": same_shape},
        put=_lifecycle_put,
        get=_lifecycle_get,
        delete=lambda client, bucket: client.delete_bucket_lifecycle(Bucket=bucket),
    ),
    *_setting(
        ("BucketObjectLockConfiguration", "BucketObjectLockConfigurationV2"),
        inputs=frozenset({"objectLockEnabled", "rule"}),
        required=frozenset(),
        defaults={"objectLockEnabled": "Enabled"},
        validations={"objectLockEnabled": one_of("Enabled")},
        same={"rule": same_shape},
        put=_lock_put,
        get=_lock_get,
        delete=_lock_delete,
    ),
    *_setting(
        ("BucketServerSideEncryptionConfiguration", "BucketServerSideEncryptionConfigurationV2"),
        inputs=frozenset({"rules"}),
        required=frozenset({"rules"}),
        same={"rules": _same_encryption},
        put=_encryption_put,
        get=_encryption_get,
        delete=lambda client, bucket: client.delete_bucket_encryption(Bucket=bucket),
    ),
    *_setting(
        ("BucketOwnershipControls",),
        inputs=frozenset({"rule"}),
        required=frozenset({"rule"}),
        put=_ownership_put,
        get=_ownership_get,
        delete=lambda client, bucket: client.delete_bucket_ownership_controls(Bucket=bucket),
    ),
    ResourceType(
        type="aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock",
        inputs=frozenset({"accountId", *PUBLIC_ACCESS_BLOCK}),
        replaces=frozenset({"accountId"}),
        defaults=dict.fromkeys(PUBLIC_ACCESS_BLOCK, False),
        also_computed=frozenset({"accountId"}),
        validations={"accountId": matches(r"\d{12}", "a 12-digit account id")},
        create=_account_put,
        read=_account_read,
        update=lambda aws, _identifier, _old, new: _account_put(aws, new),
        delete=_account_delete,
        identify=lambda aws, inputs: inputs.get("accountId") or aws.account,
        record=True,
    ),
)

INVOKES: dict[str, Callable[[Aws, Properties], Properties]] = {}
