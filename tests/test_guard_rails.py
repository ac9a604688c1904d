"""Each guard rail, evaluated: what it forbids, and what it leaves alone.

A member account's administrator may do everything by its own policies, so what is denied is denied by the guard rail.
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html
"""

import json
from dataclasses import replace
from typing import get_args

import pytest

from twokeys.iam import Caller, Context, Outcome, Policies, PolicyKind, Request, evaluate_grant, parse_policy
from twokeys.settings.guard_rails import GuardRail, Surroundings, guard_rails_document

ACCOUNT = "222222222222"
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
ADMINISTRATOR = parse_policy(EVERYTHING)
FULL_ACCESS = parse_policy(EVERYTHING, PolicyKind.SCP)
AROUND = Surroundings(
    access_roles=["OrganizationAccountAccessRole", "Access"],
    allowed_regions=["us-east-1", "eu-central-1"],
    audit_bucket="audit-trail-*",
)
SOMEBODY = f"arn:aws:iam::{ACCOUNT}:role/admin"
ACCESS_ROLE = f"arn:aws:iam::{ACCOUNT}:role/OrganizationAccountAccessRole"
ROOT_USER = f"arn:aws:iam::{ACCOUNT}:root"
SELF = f"arn:aws:organizations::111111111111:account/o-a1b2c3d4e5/{ACCOUNT}"
TRAIL = f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/organization"
LOGS = "arn:aws:s3:::audit-trail-333333333333"
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1"
INSTANCE = f"arn:aws:ec2:eu-west-1:{ACCOUNT}:instance/*"
BUCKET = "arn:aws:s3:::company-app"


def happens(guard_rail: GuardRail, caller: str, action: str, resource: str, **context: str) -> Outcome:
    values = {key.replace("_", ":", 1): (value,) for key, value in context.items()}
    rail = parse_policy(guard_rails_document([guard_rail], AROUND), PolicyKind.SCP)
    request = Request(Caller(caller), action, resource, Context(values, complete=True))
    without = Policies(identity=(ADMINISTRATOR,), trust=None, scps=((FULL_ACCESS,),))
    assert evaluate_grant(request, without).outcome is Outcome.ALLOW, "it is the guard rail that decides"
    return evaluate_grant(request, replace(without, scps=((FULL_ACCESS, rail),))).outcome


@pytest.mark.parametrize(
    ("guard_rail", "caller", "action", "resource", "context"),
    [
        ("quarantine", SOMEBODY, "s3:ListBucket", BUCKET, {}),
        ("quarantine", SOMEBODY, "ec2:RunInstances", INSTANCE, {}),
        ("quarantine", SOMEBODY, "sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/other", {}),
        ("quarantine", ROOT_USER, "iam:CreateAccessKey", f"arn:aws:iam::{ACCOUNT}:user/a", {}),
        ("stay-in-organization", SOMEBODY, "organizations:LeaveOrganization", SELF, {}),
        ("stay-in-organization", ACCESS_ROLE, "organizations:LeaveOrganization", SELF, {}),
        ("no-root-user", ROOT_USER, "s3:ListBucket", BUCKET, {}),
        ("no-root-user", ROOT_USER, "iam:CreateAccessKey", f"arn:aws:iam::{ACCOUNT}:user/a", {}),
        ("keep-audit-trail", SOMEBODY, "cloudtrail:StopLogging", TRAIL, {}),
        ("keep-audit-trail", SOMEBODY, "cloudtrail:DeleteTrail", TRAIL, {}),
        ("keep-audit-trail", SOMEBODY, "cloudtrail:UpdateTrail", TRAIL, {}),
        ("keep-audit-trail", SOMEBODY, "s3:DeleteBucket", LOGS, {}),
        ("keep-audit-trail", SOMEBODY, "s3:PutBucketPolicy", LOGS, {}),
        ("keep-audit-trail", SOMEBODY, "s3:DeleteObjectVersion", f"{LOGS}/AWSLogs/1.json.gz", {}),
        ("keep-audit-trail", SOMEBODY, "kms:ScheduleKeyDeletion", KEY, {"kms_ResourceAliases": "alias/audit-trail"}),
        ("allowed-regions", SOMEBODY, "ec2:RunInstances", INSTANCE, {"aws_RequestedRegion": "eu-west-1"}),
        ("allowed-regions", SOMEBODY, "s3:CreateBucket", BUCKET, {"aws_RequestedRegion": "us-east-2"}),
        ("keep-access-role", SOMEBODY, "iam:DeleteRole", ACCESS_ROLE, {}),
        ("keep-access-role", SOMEBODY, "iam:UpdateAssumeRolePolicy", f"arn:aws:iam::{ACCOUNT}:role/Access", {}),
        ("keep-access-role", ACCESS_ROLE, "iam:DetachRolePolicy", ACCESS_ROLE, {}),
    ],
)
def test_a_guard_rail_forbids(
    guard_rail: GuardRail, caller: str, action: str, resource: str, context: dict[str, str]
) -> None:
    assert happens(guard_rail, caller, action, resource, **context) is Outcome.DENY


@pytest.mark.parametrize(
    ("guard_rail", "caller", "action", "resource", "context"),
    [
        ("stay-in-organization", SOMEBODY, "organizations:DescribeOrganization", SELF, {}),
        ("no-root-user", SOMEBODY, "s3:ListBucket", BUCKET, {}),
        ("no-root-user", f"arn:aws:iam::{ACCOUNT}:role/root", "s3:ListBucket", BUCKET, {}),
        # A session of centralized root access, which the management account asks for:
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user-privileged-task.html
        ("no-root-user", ROOT_USER, "s3:DeleteBucketPolicy", BUCKET, {"aws_AssumedRoot": "true"}),
        ("keep-audit-trail", SOMEBODY, "cloudtrail:LookupEvents", TRAIL, {}),
        ("keep-audit-trail", ACCESS_ROLE, "cloudtrail:UpdateTrail", TRAIL, {}),
        ("keep-audit-trail", SOMEBODY, "s3:PutBucketPolicy", BUCKET, {}),
        ("keep-audit-trail", SOMEBODY, "s3:GetObject", f"{LOGS}/AWSLogs/1.json.gz", {}),
        ("keep-audit-trail", ACCESS_ROLE, "s3:PutBucketPolicy", LOGS, {}),
        ("keep-audit-trail", SOMEBODY, "kms:ScheduleKeyDeletion", KEY, {"kms_ResourceAliases": "alias/app"}),
        ("keep-audit-trail", SOMEBODY, "kms:ScheduleKeyDeletion", KEY, {}),
        ("allowed-regions", SOMEBODY, "ec2:RunInstances", INSTANCE, {"aws_RequestedRegion": "eu-central-1"}),
        ("allowed-regions", SOMEBODY, "iam:CreateRole", SOMEBODY, {"aws_RequestedRegion": "us-west-2"}),
        ("allowed-regions", SOMEBODY, "sts:GetCallerIdentity", SOMEBODY, {"aws_RequestedRegion": "eu-west-1"}),
        ("allowed-regions", ACCESS_ROLE, "ec2:RunInstances", INSTANCE, {"aws_RequestedRegion": "eu-west-1"}),
        ("keep-access-role", SOMEBODY, "iam:DeleteRole", f"arn:aws:iam::{ACCOUNT}:role/app", {}),
        ("keep-access-role", SOMEBODY, "iam:GetRole", ACCESS_ROLE, {}),
        ("quarantine", ACCESS_ROLE, "iam:DeleteRole", f"arn:aws:iam::{ACCOUNT}:role/app", {}),
        ("quarantine", f"arn:aws:iam::{ACCOUNT}:role/Access", "ec2:TerminateInstances", INSTANCE, {}),
    ],
)
def test_a_guard_rail_leaves_alone(
    guard_rail: GuardRail, caller: str, action: str, resource: str, context: dict[str, str]
) -> None:
    assert happens(guard_rail, caller, action, resource, **context) is Outcome.ALLOW


def test_all_guard_rails_together_are_one_policy_within_aws_s_size() -> None:
    # https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
    document = guard_rails_document(get_args(GuardRail), AROUND)
    assert len(json.dumps(document, separators=(",", ":"))) <= 5120
    sids = [statement["Sid"] for statement in document["Statement"]]
    assert len(sids) == len(set(sids)) == 8
    assert all(statement["Effect"] == "Deny" for statement in document["Statement"])


def test_what_was_not_asked_for_is_not_forbidden() -> None:
    document = guard_rails_document(["stay-in-organization"], AROUND)
    assert [statement["Sid"] for statement in document["Statement"]] == ["StayInOrganization"]
