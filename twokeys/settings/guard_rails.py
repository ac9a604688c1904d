"""The guard rails that config names: statements of service control policies. Pure.

A service control policy grants nothing and does not bind the management account:
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Literal

from twokeys.access_role import ACCESS_ROLE

GuardRail = Literal[
    "stay-in-organization", "no-root-user", "keep-audit-trail", "allowed-regions", "keep-access-role", "quarantine"
]
AUDIT_KEY_ALIAS = "alias/audit-trail"
AUDIT_BUCKET_PREFIX = "audit-trail-"
"""What the audit trail's key is called, and what its bucket's name begins with unless config names it."""

Statement = dict[str, Any]

# The exemptions that AWS documents for calls that are answered in us-east-1 whatever region one works in:
# https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_examples_general.html
_GLOBAL_SERVICES: list[str] = json.loads(files("twokeys.settings").joinpath("aws_lists.json").read_text("utf-8"))[
    "globalServices"
]


@dataclass(frozen=True)
class Surroundings:
    """What guard rails have to know of the organization: its access roles by name, regions, and the log bucket."""

    access_roles: Sequence[str] = (ACCESS_ROLE,)
    allowed_regions: Sequence[str] = ()
    audit_bucket: str = f"{AUDIT_BUCKET_PREFIX}*"
    partition: str = "aws"

    @property
    def access_role_arns(self) -> list[str]:
        """The access roles of every account."""
        return [f"arn:{self.partition}:iam::*:role/{role}" for role in self.access_roles]


def guard_rails_document(names: Iterable[GuardRail], around: Surroundings) -> dict[str, Any]:
    """One service control policy with the statements of all these guard rails, in the order of the list of them."""
    asked = set(names)
    statements = [statement for name, make in _STATEMENTS.items() if name in asked for statement in make(around)]
    return {"Version": "2012-10-17", "Statement": statements}


def _no_root_user(around: Surroundings) -> list[Statement]:
    """Sessions of centralized root access (sts:AssumeRoot) are spared: they come from the management account.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-assumedroot
    """
    condition = {
        "StringLike": {"aws:PrincipalArn": f"arn:{around.partition}:iam::*:root"},
        "Null": {"aws:AssumedRoot": "true"},
    }
    return [_deny("NoRootUser", ["*"]) | {"Condition": condition}]


def _keep_audit_trail(around: Surroundings) -> list[Statement]:
    """The trail, its bucket's protections and its key, for everyone but the access roles.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/best-practices-security.html
    """
    bucket = f"arn:{around.partition}:s3:::{around.audit_bucket}"
    trail = ["DeleteTrail", "PutEventSelectors", "StopLogging", "UpdateTrail"]
    protections = [
        "BypassGovernanceRetention",
        "DeleteBucket",
        "DeleteBucketPolicy",
        "DeleteObject",
        "DeleteObjectVersion",
        "PutBucketObjectLockConfiguration",
        "PutBucketPolicy",
        "PutBucketVersioning",
        "PutLifecycleConfiguration",
    ]
    unless = {"ArnNotLike": {"aws:PrincipalArn": around.access_role_arns}}
    alias = {"ForAnyValue:StringEquals": {"kms:ResourceAliases": AUDIT_KEY_ALIAS}}
    return [
        _deny("KeepTrail", [f"cloudtrail:{action}" for action in trail]) | {"Condition": unless},
        _deny("KeepLogs", [f"s3:{action}" for action in protections])
        | {"Resource": [bucket, f"{bucket}/*"], "Condition": unless},
        _deny("KeepLogKey", ["kms:DisableKey", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"])
        | {"Condition": unless | alias},
    ]


def _allowed_regions(around: Surroundings) -> list[Statement]:
    """https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_examples_general.html"""
    condition = {
        "StringNotEquals": {"aws:RequestedRegion": list(around.allowed_regions)},
        "ArnNotLike": {"aws:PrincipalArn": around.access_role_arns},
    }
    return [
        {
            "Sid": "AllowedRegions",
            "Effect": "Deny",
            "NotAction": _GLOBAL_SERVICES,
            "Resource": "*",
            "Condition": condition,
        }
    ]


def _keep_access_role(around: Surroundings) -> list[Statement]:
    """Nobody in the account changes the role by which the management account enters, the role itself included.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_examples_iam.html
    """
    actions = [
        "AttachRolePolicy",
        "DeleteRole",
        "DeleteRolePermissionsBoundary",
        "DeleteRolePolicy",
        "DetachRolePolicy",
        "PutRolePermissionsBoundary",
        "PutRolePolicy",
        "UpdateAssumeRolePolicy",
        "UpdateRole",
        "UpdateRoleDescription",
    ]
    return [_deny("KeepAccessRole", [f"iam:{action}" for action in actions]) | {"Resource": around.access_role_arns}]


def _quarantine(around: Surroundings) -> list[Statement]:
    """Nobody does anything in the account, its root user included; the access role may still look, repair and undo.

    https://docs.aws.amazon.com/whitepapers/latest/organizing-your-aws-environment/suspended-ou.html
    """
    condition = {"ArnNotLike": {"aws:PrincipalArn": around.access_role_arns}}
    return [_deny("Quarantine", ["*"]) | {"Condition": condition}]


_STATEMENTS: dict[GuardRail, Callable[[Surroundings], list[Statement]]] = {
    # https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_examples_general.html
    "stay-in-organization": lambda _: [_deny("StayInOrganization", ["organizations:LeaveOrganization"])],
    "no-root-user": _no_root_user,
    "keep-audit-trail": _keep_audit_trail,
    "allowed-regions": _allowed_regions,
    "keep-access-role": _keep_access_role,
    "quarantine": _quarantine,
}


def _deny(sid: str, actions: list[str]) -> Statement:
    return {"Sid": sid, "Effect": "Deny", "Action": actions, "Resource": "*"}
