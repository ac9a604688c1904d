"""From settings to component arguments: pure, one function a component; `Output`s are only passed through."""

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_aws as aws

from components.account_baseline import AccountBaselineArgs, PasswordPolicyArgs
from components.account_budget import AccountBudgetArgs
from components.cross_account_access import CrossAccountAccessArgs
from components.identity_center_access import IdentityCenterAccessArgs
from components.member_account import AlternateContactArgs, MemberAccountArgs
from twokeys.settings import MANAGEMENT, DoorSettings, Settings, asks_for_mfa, permission_set_name, who


def session_name(stack: str) -> str:
    """The name under which this program's sessions stand in CloudTrail: 2 to 64 characters of [A-Za-z0-9_+=,.@-].

    https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
    """
    return f"twokeys-{stack}"[:64]


def member_account_args(
    settings: Settings, account: str, *, stack: str, parent_id: pulumi.Input[str] | None
) -> MemberAccountArgs:
    """The arguments of one MemberAccount component."""
    member = settings.accounts[account]
    args: MemberAccountArgs = {
        "account_name": settings.name_of(account),
        "email": settings.email_of(account),
        "role_name": member.access.role,
        "session_name": session_name(stack),
        "region": settings.region,
        "partition": settings.partition,
        "ready_seconds": member.access.ready_seconds,
        "contacts": _contacts(
            settings.baseline.contacts.model_dump(exclude_none=True) | member.contacts.model_dump(exclude_none=True)
        ),
        "tags": dict(member.tags),
    }
    if parent_id is not None:
        args["parent_id"] = parent_id
    if not member.access.enter:
        args["enter"] = False
    if member.adopt:
        args["adopt"] = member.adopt
    if member.access.external_id:
        args["external_id"] = member.access.external_id
    return args


def baseline_args(settings: Settings, account: str) -> AccountBaselineArgs | None:
    """The arguments of the AccountBaseline component of one account, if it asks for anything."""
    baseline = settings.baseline_of(account)
    args: AccountBaselineArgs = {
        "block_public_s3": baseline.block_public_s3,
        "encrypt_ebs": baseline.encrypt_ebs,
        "close_default_vpc": baseline.close_default_vpc,
    }
    if baseline.alias:
        args["alias"] = baseline.alias
    if baseline.password_policy:
        policy: PasswordPolicyArgs = {
            "minimum_length": baseline.password_policy.minimum_length,
            "reuse_prevention": baseline.password_policy.reuse_prevention,
        }
        if baseline.password_policy.max_age_days:
            policy["max_age_days"] = baseline.password_policy.max_age_days
        args["password_policy"] = policy
    return args if any(args.values()) else None


def budget_args(settings: Settings, account: str, *, account_id: pulumi.Input[str]) -> AccountBudgetArgs | None:
    """The arguments of the AccountBudget component of one account, if it has a budget."""
    budget = settings.accounts[account].budget
    if budget is None:
        return None
    return {
        "account_id": account_id,
        "monthly": budget.monthly,
        "notify": list(budget.notify),
        "actual": list(budget.actual),
        "forecast": list(budget.forecast),
    }


def identity_center_door_args(
    settings: Settings,
    door: DoorSettings,
    *,
    source_id: pulumi.Input[str],
    instance_arn: pulumi.Input[str],
    target_account_id: pulumi.Input[str],
) -> IdentityCenterAccessArgs:
    """The arguments of one IdentityCenterAccess component."""
    source, account = who(door.source), settings.target_account_of(door)
    args: IdentityCenterAccessArgs = {
        "source_kind": source.kind,
        "source": source.name,
        "source_id": source_id,
        "source_account_id": settings.management_account_id,
        "instance_arn": instance_arn,
        "target_account": account,
        "target_account_id": target_account_id,
        "permission_set": permission_set_name(account, door),
        "managed_policy_arns": list(door.permissions.managed_policies),
        "statements": list(door.permissions.statements),
        "session_seconds": door.session_seconds,
        "reason": door.reason,
        "owner": door.owner,
    }
    if door.expires:
        args["expires"] = door.expires.isoformat()
    return args


def door_args(  # noqa: PLR0913 - a door joins two accounts
    settings: Settings,
    door: DoorSettings,
    *,
    target_account_id: pulumi.Input[str],
    source_account_id: pulumi.Input[str],
    source_provider: aws.Provider,
    target_provider: aws.Provider,
    members: pulumi.Input[list[str]],
) -> CrossAccountAccessArgs:
    """The arguments of one CrossAccountAccess component."""
    source = who(door.source)
    args: CrossAccountAccessArgs = {
        "source_kind": source.kind,
        "source_account_id": source_account_id,
        "target_account": settings.target_account_of(door),
        "target_account_id": target_account_id,
        "role": door.target.role,
        "source_provider": source_provider,
        "target_provider": target_provider,
        "members": members,
        "managed_policy_arns": list(door.permissions.managed_policies),
        "statements": list(door.permissions.statements),
        "session_seconds": door.session_seconds,
        "mfa": asks_for_mfa(door),
        "conditions": {operator: dict(keys) for operator, keys in door.conditions.items()},
        "keys": list(door.keys),
        "reason": door.reason,
        "owner": door.owner,
        "partition": settings.partition,
    }
    if (account := settings.source_account_of(door)) != MANAGEMENT:
        args["source_account"] = account
    if source.kind != "root":
        args["source"] = source.name
    elif door.source.grant_to is not None:
        args["grant_to_kind"], args["grant_to"] = who(door.source.grant_to)
    if door.permissions.boundary:
        args["permissions_boundary"] = door.permissions.boundary
    if door.external_id:
        args["external_id"] = door.external_id
    if door.expires:
        args["expires"] = door.expires.isoformat()
    return args


def _contacts(contacts: Mapping[str, Mapping[str, Any]]) -> dict[str, AlternateContactArgs]:
    return {
        kind.upper(): {
            "name": contact["name"],
            "title": contact["title"],
            "email": contact["email"],
            "phone": contact["phone"],
        }
        for kind, contact in contacts.items()
    }
