"""The organization's trail: what is made, in which account, and who may write.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-create-and-update-an-organizational-trail-by-using-the-aws-cli.html
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-kms-key-policy-for-cloudtrail.html
"""

import json
from typing import Any

import pulumi
import pulumi_aws as aws

from components.audit_trail import AuditTrail
from components.delegation import Delegation
from tests.components.mock_engine import Run, run
from twokeys.settings.audit import AuditSettings, RetentionSettings
from twokeys.settings.models import Settings

ARCHIVE, BUCKET = "333333333333", "audit-trail-333333333333"
TRAIL = "arn:aws:cloudtrail:us-east-1:111111111111:trail/organization"


def make(*, preview: bool = False) -> Run:
    def program() -> None:
        management = aws.Provider("management", region="us-east-1")
        archive = aws.Provider("log-archive", region="us-east-1")
        AuditTrail(
            "audit-trail",
            settings=Settings(management_account_id="111111111111", root_email="example@company.com"),
            audit=AuditSettings(account="log-archive", retention=RetentionSettings(lock_mode="COMPLIANCE")),
            organization_id="o-a1b2c3d4e5",
            archive_account_id=ARCHIVE,
            management_provider=management,
            archive_provider=archive,
        )

    return run(program, stack="management", preview=preview)


def policy(done: Run) -> dict[str, dict[str, Any]]:
    (made,) = done.of("aws:s3/bucketPolicy:BucketPolicy").values()
    return {statement["Sid"]: statement for statement in json.loads(made.inputs["policy"])["Statement"]}


def test_the_trail_hears_every_account_and_region_its_files_can_be_checked_and_it_waits_for_the_bucket() -> None:
    done = make()
    trail = done.one("aws:cloudtrail/trail:Trail", "audit-trail")
    assert "management" in trail.provider
    assert trail.inputs["isOrganizationTrail"] is True
    assert trail.inputs["isMultiRegionTrail"] is True
    assert trail.inputs["includeGlobalServiceEvents"] is True
    assert trail.inputs["enableLogFileValidation"] is True
    (policy,) = done.of("aws:s3/bucketPolicy:BucketPolicy").values()
    assert policy.urn in trail.property_dependencies["s3BucketName"]


def test_bucket_and_key_are_in_the_account_that_keeps_the_logs() -> None:
    done = make()
    for resource in done.resources:
        if resource.type.startswith(("aws:s3/", "aws:kms/")):
            assert "::log-archive::" in resource.provider, resource.urn
    key, bucket = done.one("aws:kms/key:Key", "audit-trail"), done.one("aws:s3/bucket:Bucket", "audit-trail")
    assert key.protect
    assert key.retain_on_delete
    assert bucket.protect
    assert bucket.retain_on_delete


def test_only_this_trail_of_the_organization_writes_into_the_bucket() -> None:
    statements = policy(make())
    owner = {"s3:x-amz-acl": "bucket-owner-full-control", "aws:SourceArn": TRAIL}
    write = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": "s3:PutObject"}
    assert statements["AWSCloudTrailAclCheck20150319"] == {
        "Sid": "AWSCloudTrailAclCheck20150319",
        "Effect": "Allow",
        "Principal": {"Service": "cloudtrail.amazonaws.com"},
        "Action": "s3:GetBucketAcl",
        "Resource": f"arn:aws:s3:::{BUCKET}",
        "Condition": {"StringEquals": {"aws:SourceArn": TRAIL}},
    }
    for sid, owned in (
        ("AWSCloudTrailWrite20150319", "111111111111"),
        ("AWSCloudTrailOrganizationWrite20150319", "o-a1b2c3d4e5"),
    ):
        resource = {"Resource": f"arn:aws:s3:::{BUCKET}/AWSLogs/{owned}/*"}
        assert statements[sid] == {"Sid": sid, **write, **resource, "Condition": {"StringEquals": owner}}
    assert {sid for sid, each in statements.items() if each["Effect"] == "Deny"} == {"OnlyWithTls"}


def test_the_trail_encrypts_and_the_archive_account_decides_who_decrypts() -> None:
    key = json.loads(make().one("aws:kms/key:Key", "audit-trail").inputs["policy"])
    admin, encrypt, describe = key["Statement"]
    assert admin["Principal"] == {"AWS": f"arn:aws:iam::{ARCHIVE}:root"}
    assert encrypt["Action"] == "kms:GenerateDataKey*"
    assert encrypt["Condition"] == {
        "StringEquals": {"aws:SourceArn": TRAIL},
        "StringLike": {"kms:EncryptionContext:aws:cloudtrail:arn": "arn:aws:cloudtrail:*:111111111111:trail/*"},
    }
    assert describe["Action"] == "kms:DescribeKey"
    assert describe["Condition"] == {"StringEquals": {"aws:SourceArn": TRAIL}}


def test_the_bucket_is_private_versioned_locked_and_cleared_in_time() -> None:
    done = make()
    public = done.one("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "audit-trail").inputs
    assert all(public[key] for key in ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls"))
    assert public["restrictPublicBuckets"]
    assert done.one("aws:s3/bucket:Bucket", "audit-trail").inputs["objectLockEnabled"] is True
    lock = done.one("aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration", "audit-trail")
    assert lock.inputs["rule"] == {"defaultRetention": {"mode": "COMPLIANCE", "days": 365}}
    versioning = done.one("aws:s3/bucketVersioning:BucketVersioning", "audit-trail")
    assert versioning.inputs["versioningConfiguration"] == {"status": "Enabled"}
    assert versioning.urn in lock.dependencies
    lifecycle = done.one("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", "audit-trail")
    (rule,) = lifecycle.inputs["rules"]
    assert rule["transitions"] == [{"days": 90, "storageClass": "GLACIER"}]
    assert rule["expiration"] == {"days": 2555}


def test_what_is_known_of_the_bucket_s_policy_is_known_before_anything_exists() -> None:
    assert set(policy(make(preview=True))) >= {"AWSCloudTrailOrganizationWrite20150319", "OnlyWithTls"}


def test_delegated_administrators_are_registered_one_after_the_other() -> None:
    services = ["config.amazonaws.com", "config-multiaccountsetup.amazonaws.com"]

    def program() -> None:
        parent = aws.Provider("management", region="us-east-1")
        opts = pulumi.ResourceOptions(provider=parent)
        Delegation("delegation-security", ARCHIVE, ["config", "guardduty"], opts)

    done = run(program, stack="management")
    first, second = (
        done.one("aws:organizations/delegatedAdministrator:DelegatedAdministrator", f"delegation-security-{service}")
        for service in services
    )
    assert first.inputs == {"accountId": ARCHIVE, "servicePrincipal": services[0]}
    assert first.urn in second.dependencies
    guardduty = done.one("aws:guardduty/organizationAdminAccount:OrganizationAdminAccount", "delegation-security")
    assert guardduty.inputs == {"adminAccountId": ARCHIVE}
    assert second.urn in guardduty.dependencies
