"""The one place that makes an `aws.Provider`: every resource of the program says by it which account it is for."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

_RETRY_MODE, _MAX_RETRIES = "standard", 25
"""How often a throttled call is tried again; the SDK waits between the attempts, longer each time, with jitter.

https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
"""


def session_name() -> str:
    """The name under which this program's sessions stand in CloudTrail: 2 to 64 characters of [A-Za-z0-9_+=,.@-].

    https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
    """
    return f"twokeys-{pulumi.get_stack()}"[:64]


@dataclass(frozen=True)
class AssumedRole:
    """How a provider enters its account: the role's ARN, and what AssumeRole is called with."""

    arn: pulumi.Input[str]
    session_name: str
    session_seconds: int = 3600
    external_id: pulumi.Input[str | None] = None


def account_provider(  # noqa: PLR0913 - each says one thing about the account
    name: str,
    *,
    account_id: pulumi.Input[str],
    region: str,
    role: AssumedRole | None = None,
    tags: Mapping[str, str] | None = None,
    parent: pulumi.Resource | None = None,
) -> aws.Provider:
    """The provider of one account, shared by everything in that account.

    It works in no other account: `account_id` is pinned, so credentials that lead elsewhere are refused before the
    first call. Without `role` the surrounding credentials are used as they are (the management account); with it the
    provider assumes that role first.
    """
    return aws.Provider(
        name,
        region=region,
        allowed_account_ids=[account_id],
        assume_roles=[_assume(role)] if role else None,
        retry_mode=_RETRY_MODE,
        max_retries=_MAX_RETRIES,
        default_tags=aws.ProviderDefaultTagsArgs(tags=dict(tags)) if tags else None,
        opts=pulumi.ResourceOptions(parent=parent),
    )


def _assume(role: AssumedRole) -> aws.ProviderAssumeRoleArgs:
    # A dict in its place would be serialised with keys that the provider ignores: it would then assume nothing.
    return aws.ProviderAssumeRoleArgs(
        role_arn=role.arn,
        session_name=role.session_name,
        duration=f"{role.session_seconds}s",
        external_id=role.external_id,
    )
