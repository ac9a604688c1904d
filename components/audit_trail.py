"""The organization's trail: every call of every account, into an account that holds nothing else."""

import json
from typing import TypedDict

import pulumi
import pulumi_aws as aws

from components.audit_documents import bucket_statements, key_policy, trail_arn
from components.private_bucket import PrivateBucket


class AuditTrailArgs(TypedDict):
    """Whose calls are written down, where and for how long."""

    trail: str
    """The trail's name."""
    bucket: pulumi.Input[str]
    """The log bucket's name, unique across AWS."""
    key_alias: str
    """The alias of the key that encrypts the logs, as in alias/audit-trail."""
    management_account_id: str
    """The 12-digit id of the management account, which owns the trail."""
    organization_id: pulumi.Input[str]
    """The organization's id, o-..."""
    archive_account_id: pulumi.Input[str]
    """The id of the account that keeps the logs."""
    management_provider: aws.Provider
    """The provider of the management account."""
    archive_provider: aws.Provider
    """The provider of the account that keeps the logs."""
    region: str
    """The region of trail, bucket and key; the trail hears all regions."""
    partition: str
    """The partition that stands in ARNs."""
    keep_days: int
    """After how many days logs go away."""
    archive_after_days: int
    """After how many days logs move to S3 Glacier Flexible Retrieval."""
    locked_days: int
    """For how many days nobody can delete a log file."""
    lock_mode: str
    """GOVERNANCE or COMPLIANCE."""


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

    def __init__(self, name: str, args: AuditTrailArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("twokeys:audit:AuditTrail", name, {}, opts)
        partition, management = args["partition"], args["management_account_id"]
        trail = trail_arn(partition=partition, region=args["region"], account=management, trail=args["trail"])
        in_archive = pulumi.ResourceOptions(parent=self, provider=args["archive_provider"])
        key = aws.kms.Key(
            name,
            description="Encrypts the logs of the organization's trail",
            enable_key_rotation=True,
            policy=pulumi.Output.from_input(args["archive_account_id"]).apply(
                lambda archive: json.dumps(
                    key_policy(partition=partition, archive=archive, management=management, trail=trail)
                )
            ),
            opts=pulumi.ResourceOptions(
                parent=self, provider=args["archive_provider"], protect=True, retain_on_delete=True
            ),
        )
        aws.kms.Alias(name, name=args["key_alias"], target_key_id=key.id, opts=in_archive)
        bucket = PrivateBucket(
            name,
            {
                "bucket": args["bucket"],
                "statements": pulumi.Output.all(bucket=args["bucket"], organization=args["organization_id"]).apply(
                    lambda known: bucket_statements(
                        f"arn:{partition}:s3:::{known['bucket']}",
                        trail=trail,
                        management=management,
                        organization=known["organization"],
                    )
                ),
                "keep_days": args["keep_days"],
                "archive_after_days": args["archive_after_days"],
                "locked_days": args["locked_days"],
                "lock_mode": args["lock_mode"],
                "kms_key_arn": key.arn,
                "partition": partition,
            },
            in_archive,
        )
        made = aws.cloudtrail.Trail(
            name,
            name=args["trail"],
            s3_bucket_name=bucket.bucket,
            kms_key_id=key.arn,
            is_organization_trail=True,
            is_multi_region_trail=True,
            include_global_service_events=True,
            enable_log_file_validation=True,
            opts=pulumi.ResourceOptions(
                parent=self, provider=args["management_provider"], depends_on=opts.depends_on if opts else None
            ),
        )
        self.trail_arn, self.bucket, self.key_arn = made.arn, bucket.bucket, key.arn
        self.register_outputs({"trailArn": self.trail_arn, "bucket": self.bucket, "keyArn": self.key_arn})
