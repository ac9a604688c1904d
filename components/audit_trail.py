"""The organization's trail: every call of every account, into an account that holds nothing else."""

import json
from typing import Any

import pulumi
import pulumi_aws as aws

from components.private_bucket import PrivateBucket
from twokeys.settings.audit import AuditSettings
from twokeys.settings.guard_rails import AUDIT_BUCKET_PREFIX, AUDIT_KEY_ALIAS
from twokeys.settings.models import Settings


class AuditTrail(pulumi.ComponentResource):
    """A trail of the whole organization with validated log files.

    Trail in the management account, bucket and key in the account that keeps the logs. The key is protected and stays
    in AWS when the stack is destroyed: without it the logs cannot be read.
    """

    trail_arn: pulumi.Output[str]
    """The trail's ARN."""
    bucket: pulumi.Output[str]
    """The log bucket's name."""
    key_arn: pulumi.Output[str]
    """The ARN of the key that encrypts the logs."""

    def __init__(  # noqa: PLR0913 - all but the name by name
        self,
        name: str,
        *,
        settings: Settings,
        audit: AuditSettings,
        organization_id: pulumi.Input[str],
        archive_account_id: pulumi.Input[str],
        management_provider: aws.Provider,
        archive_provider: aws.Provider,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("twokeys:audit:AuditTrail", name, {}, opts)
        partition, management = settings.partition, settings.management_account_id
        trail = f"arn:{partition}:cloudtrail:{settings.region}:{management}:trail/{audit.trail}"
        called = audit.bucket or pulumi.Output.concat(AUDIT_BUCKET_PREFIX, archive_account_id)
        in_archive = pulumi.ResourceOptions(parent=self, provider=archive_provider)
        key = aws.kms.Key(
            name,
            description="Encrypts the logs of the organization's trail",
            enable_key_rotation=True,
            policy=pulumi.Output.from_input(archive_account_id).apply(
                lambda archive: json.dumps(
                    key_policy(partition=partition, archive=archive, management=management, trail=trail)
                )
            ),
            opts=pulumi.ResourceOptions(parent=self, provider=archive_provider, protect=True, retain_on_delete=True),
        )
        aws.kms.Alias(name, name=AUDIT_KEY_ALIAS, target_key_id=key.id, opts=in_archive)
        bucket = PrivateBucket(
            name,
            bucket=called,
            statements=pulumi.Output.all(bucket=called, organization=organization_id).apply(
                lambda known: bucket_statements(
                    f"arn:{partition}:s3:::{known['bucket']}",
                    trail=trail,
                    management=management,
                    organization=known["organization"],
                )
            ),
            keep_days=audit.retention.keep_days,
            retention=audit.retention,
            kms_key_arn=key.arn,
            partition=partition,
            opts=in_archive,
        )
        made = aws.cloudtrail.Trail(
            name,
            name=audit.trail,
            s3_bucket_name=bucket.bucket,
            kms_key_id=key.arn,
            is_organization_trail=True,
            is_multi_region_trail=True,
            include_global_service_events=True,
            enable_log_file_validation=True,
            opts=pulumi.ResourceOptions(
                parent=self, provider=management_provider, depends_on=opts.depends_on if opts else None
            ),
        )
        self.trail_arn, self.bucket, self.key_arn = made.arn, bucket.bucket, key.arn
        self.register_outputs({"trailArn": self.trail_arn, "bucket": self.bucket, "keyArn": self.key_arn})


def bucket_statements(bucket_arn: str, *, trail: str, management: str, organization: str) -> list[dict[str, Any]]:
    """Statements of the log bucket's policy: this trail of the organization writes, and no other.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-create-and-update-an-organizational-trail-by-using-the-aws-cli.html
    """
    cloudtrail = {"Service": "cloudtrail.amazonaws.com"}
    owned = {"s3:x-amz-acl": "bucket-owner-full-control", "aws:SourceArn": trail}
    return [
        {
            "Sid": "AWSCloudTrailAclCheck20150319",
            "Effect": "Allow",
            "Principal": cloudtrail,
            "Action": "s3:GetBucketAcl",
            "Resource": bucket_arn,
            "Condition": {"StringEquals": {"aws:SourceArn": trail}},
        },
        {
            "Sid": "AWSCloudTrailWrite20150319",
            "Effect": "Allow",
            "Principal": cloudtrail,
            "Action": "s3:PutObject",
            "Resource": f"{bucket_arn}/AWSLogs/{management}/*",
            "Condition": {"StringEquals": owned},
        },
        {
            "Sid": "AWSCloudTrailOrganizationWrite20150319",
            "Effect": "Allow",
            "Principal": cloudtrail,
            "Action": "s3:PutObject",
            "Resource": f"{bucket_arn}/AWSLogs/{organization}/*",
            "Condition": {"StringEquals": owned},
        },
    ]


def key_policy(*, partition: str, archive: str, management: str, trail: str) -> dict[str, Any]:
    """The key policy: the trail encrypts, and the log archive account decides who decrypts.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-kms-key-policy-for-cloudtrail.html
    """
    cloudtrail = {"Service": "cloudtrail.amazonaws.com"}
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Enable IAM user permissions",
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:{partition}:iam::{archive}:root"},
                "Action": "kms:*",
                "Resource": "*",
            },
            {
                "Sid": "Allow CloudTrail to encrypt logs",
                "Effect": "Allow",
                "Principal": cloudtrail,
                "Action": "kms:GenerateDataKey*",
                "Resource": "*",
                "Condition": {
                    "StringEquals": {"aws:SourceArn": trail},
                    "StringLike": {
                        "kms:EncryptionContext:aws:cloudtrail:arn": f"arn:{partition}:cloudtrail:*:{management}:trail/*"
                    },
                },
            },
            {
                "Sid": "Allow CloudTrail to describe key",
                "Effect": "Allow",
                "Principal": cloudtrail,
                "Action": "kms:DescribeKey",
                "Resource": "*",
                "Condition": {"StringEquals": {"aws:SourceArn": trail}},
            },
        ],
    }
