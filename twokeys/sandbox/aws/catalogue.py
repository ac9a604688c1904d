"""Everything the sandbox's AWS provider knows, by token."""

from __future__ import annotations

from collections.abc import Callable

from twokeys.sandbox.aws import (
    account,
    billing,
    cloudtrail,
    cloudwatch,
    costs,
    ec2,
    ec2_group,
    iam_account,
    iam_attachments,
    iam_people,
    iam_policies,
    iam_providers,
    iam_roles,
    identitystore,
    kms,
    organizations,
    s3,
    s3_settings,
    security,
    sns,
    ssoadmin,
    sts,
)
from twokeys.sandbox.aws.client import Aws
from twokeys.sandbox.aws.resource_type import ResourceType
from twokeys.sandbox.engine.values import Properties

_MODULES = (
    organizations,
    account,
    iam_roles,
    iam_attachments,
    iam_policies,
    iam_people,
    iam_providers,
    iam_account,
    ssoadmin,
    identitystore,
    s3,
    s3_settings,
    kms,
    cloudtrail,
    security,
    cloudwatch,
    sns,
    billing,
    costs,
    ec2,
    ec2_group,
    sts,
)

RESOURCE_TYPES: dict[str, ResourceType] = {known.type: known for module in _MODULES for known in module.RESOURCE_TYPES}

INVOKES: dict[str, Callable[[Aws, Properties], Properties]] = {
    token: function for module in _MODULES for token, function in module.INVOKES.items()
}

RECORDED = "kept in the sandbox's own record, not in the local AWS"
"""What is said of every operation on an object whose API the local AWS lacks: it has no effect there."""


def is_record(type: str) -> bool:
    """Whether objects of this type are kept in the sandbox's own record only; a type that is not AWS's never is."""
    return type in RESOURCE_TYPES and RESOURCE_TYPES[type].record
