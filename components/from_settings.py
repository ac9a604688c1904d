"""From settings to component arguments: pure, one function a component; `Output`s are only passed through."""

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_aws as aws

from components.cross_account_access import CrossAccountAccessArgs
from components.member_account import AlternateContactArgs, MemberAccountArgs
from components.organization import GuardRailArgs, OrganizationArgs
from components.people import PeopleArgs, PrincipalRoleArgs
from twokeys.settings import (
    DoorSettings,
    GuardRailSettings,
    OrganizationSettings,
    PrincipalRoleSettings,
    Settings,
    all_units,
    asks_for_mfa,
    who,
)


def session_name(stack: str) -> str:
    """The name under which this program's sessions stand in CloudTrail: 2 to 64 characters of [A-Za-z0-9_+=,.@-].

    https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
    """
    return f"twokeys-{stack}"[:64]


def organization_args(organization: OrganizationSettings) -> OrganizationArgs:
    """The arguments of the Organization component."""
    return {
        "create": organization.create,
        "organizational_units": list(all_units(organization)),
        "existing_units": {path: unit.id for path, unit in organization.organizational_units.items() if unit.id},
        "policy_types": list(organization.policy_types),
        "trusted_services": list(organization.trusted_services),
        "service_control_policies": {
            name: _guard_rail(guard_rail) for name, guard_rail in organization.service_control_policies.items()
        },
    }


def people_args(settings: Settings) -> PeopleArgs:
    """The arguments of the People component."""
    people = settings.people
    return {
        "account_id": settings.management_account_id,
        "users": list(people.users),
        "groups": {group: list(members) for group, members in people.groups.items()},
        "roles": {name: _principal_role(role) for name, role in people.roles.items()},
        "partition": settings.partition,
    }


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
        "contacts": _contacts(member.contacts.model_dump(exclude_none=True)),
        "tags": dict(member.tags),
    }
    if parent_id is not None:
        args["parent_id"] = parent_id
    if member.adopt:
        args["adopt"] = member.adopt
    if member.access.external_id:
        args["external_id"] = member.access.external_id
    return args


def door_args(  # noqa: PLR0913 - a door joins two accounts
    settings: Settings,
    door: DoorSettings,
    *,
    target_account_id: pulumi.Input[str],
    source_provider: aws.Provider,
    target_provider: aws.Provider,
    members: pulumi.Input[list[str]],
) -> CrossAccountAccessArgs:
    """The arguments of one CrossAccountAccess component."""
    source = who(door.source)
    args: CrossAccountAccessArgs = {
        "source_kind": source.kind,
        "source_account_id": settings.management_account_id,
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


def _guard_rail(guard_rail: GuardRailSettings) -> GuardRailArgs:
    return {
        "document": guard_rail.document,
        "targets": list(guard_rail.targets),
        "description": guard_rail.description,
    }


def _principal_role(role: PrincipalRoleSettings) -> PrincipalRoleArgs:
    args: PrincipalRoleArgs = {}
    if role.description:
        args["description"] = role.description
    if role.oidc:
        args["oidc"] = {
            "issuer": role.oidc.issuer,
            "audience": role.oidc.audience,
            "subjects": list(role.oidc.subjects),
        }
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
