"""What lets CloudTrail write the organization's trail, as AWS documents it. Pure."""

from typing import Any


def trail_arn(*, partition: str, region: str, account: str, trail: str) -> str:
    """The ARN of a trail; it names the account that owns it, for an organization the management account."""
    return f"arn:{partition}:cloudtrail:{region}:{account}:trail/{trail}"


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
