"""A bucket that nobody outside its account reads, and that only the named services write."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

from twokeys.settings.audit import RetentionSettings

Statements = Sequence[Mapping[str, Any]]


class PrivateBucket(pulumi.ComponentResource):
    """A bucket in the provider's account: no public access, no ACLs, versions kept, TLS only, encrypted.

    It is protected, and stays in AWS when the stack is destroyed: what it holds is evidence.
    """

    bucket: pulumi.Output[str]
    """The bucket's name; there only when its policy is in force, so that a service can be told to write."""

    def __init__(  # noqa: PLR0913 - all but the name by name
        self,
        name: str,
        *,
        bucket: pulumi.Input[str],
        statements: pulumi.Input[list[dict[str, Any]]],
        partition: str,
        keep_days: int,
        retention: RetentionSettings | None = None,
        kms_key_arn: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """With `statements` beside the denial of requests without TLS; without a key, S3's own encrypts it."""
        super().__init__("twokeys:storage:PrivateBucket", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        made = aws.s3.Bucket(
            name,
            bucket=bucket,
            object_lock_enabled=retention is not None,
            opts=pulumi.ResourceOptions(parent=self, protect=True, retain_on_delete=True),
        )
        public = aws.s3.BucketPublicAccessBlock(
            name,
            bucket=made.bucket,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=child,
        )
        aws.s3.BucketOwnershipControls(
            name, bucket=made.bucket, rule={"object_ownership": "BucketOwnerEnforced"}, opts=child
        )
        versioning = aws.s3.BucketVersioning(
            name, bucket=made.bucket, versioning_configuration={"status": "Enabled"}, opts=child
        )
        algorithm = "AES256" if kms_key_arn is None else "aws:kms"
        aws.s3.BucketServerSideEncryptionConfiguration(
            name,
            bucket=made.bucket,
            rules=[
                {
                    "apply_server_side_encryption_by_default": {
                        "sse_algorithm": algorithm,
                        "kms_master_key_id": kms_key_arn,
                    },
                    "bucket_key_enabled": None if kms_key_arn is None else True,
                }
            ],
            opts=child,
        )
        after = pulumi.ResourceOptions(parent=self, depends_on=[versioning])
        aws.s3.BucketLifecycleConfiguration(
            name,
            bucket=made.bucket,
            rules=[
                {
                    "id": "keep",
                    "status": "Enabled",
                    "filter": {"prefix": ""},
                    "transitions": [{"days": retention.archive_after_days, "storage_class": "GLACIER"}]
                    if retention
                    else [],
                    "expiration": {"days": keep_days},
                    "noncurrent_version_expiration": {"noncurrent_days": 30},
                }
            ],
            opts=after,
        )
        if retention is not None:
            aws.s3.BucketObjectLockConfiguration(
                name,
                bucket=made.bucket,
                rule={"default_retention": {"mode": retention.lock_mode, "days": retention.locked_days}},
                opts=after,
            )
        policy = aws.s3.BucketPolicy(
            name,
            bucket=made.bucket,
            policy=pulumi.Output.all(bucket=bucket, statements=statements).apply(
                lambda known: _policy(known["statements"], known["bucket"], partition)
            ),
            # S3 refuses two changes of a bucket's policy and its public access block at the same time.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[public]),
        )
        self.bucket = policy.bucket
        self.register_outputs({"bucket": self.bucket})


def _policy(statements: Statements, bucket: str, partition: str) -> str:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html"""
    arn = f"arn:{partition}:s3:::{bucket}"
    no_tls = {
        "Sid": "OnlyWithTls",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [*statements, no_tls]})
