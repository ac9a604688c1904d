"""From the settings of the management stack to component arguments: pure, one function a component."""

import pulumi

from components.bill import AnomalyArgs, BillArgs, ReportArgs, tag_policy
from components.break_glass import BreakGlassArgs
from components.identity_center import IdentityCenterArgs
from components.organization import OrganizationArgs, PolicyArgs, UnitArgs
from components.organization_grant import OrganizationGrantArgs
from components.people import PeopleArgs, PrincipalRoleArgs
from twokeys.settings import (
    GuardRailSettings,
    OrganizationGrantSettings,
    OrganizationSettings,
    PrincipalRoleSettings,
    Settings,
    UnitSettings,
    all_units,
    asks_for_mfa,
    guard_rail_surroundings,
    guard_rails,
    guard_rails_document,
    who,
)


def organization_args(settings: Settings, organization: OrganizationSettings) -> OrganizationArgs:
    """The arguments of the Organization component."""
    units = organization.organizational_units
    args: OrganizationArgs = {
        "create": organization.create,
        "organizational_units": list(all_units(organization)),
        "existing_units": {path: unit.id for path, unit in units.items() if unit.id},
        "units": {path: _unit(unit) for path, unit in units.items()},
        "policy_types": list(organization.policy_types),
        "trusted_services": list(organization.trusted_services),
        "policies": _policies(settings, organization),
        "centralized_root_access": bool(organization.centralized_root_access),
        "root_access_is_on": organization.centralized_root_access == "adopt",
        "delegated_administrators": {
            account: {"services": list(said.services), "adopt": list(said.adopt)}
            for account, said in organization.delegated_administrators.items()
        },
    }
    if organization.adopt:
        args["adopt"] = organization.adopt
    return args


def people_args(settings: Settings, account_id: pulumi.Input[str]) -> PeopleArgs:
    """The arguments of the People component; `account_id` is of the account they live in."""
    people = settings.people
    args: PeopleArgs = {
        "account_id": account_id,
        "users": list(people.users),
        "groups": {group: list(members) for group, members in people.groups.items()},
        "roles": {name: _principal_role(role) for name, role in people.roles.items()},
        "partition": settings.partition,
    }
    if people.account:
        args["account"] = people.account
    return args


def break_glass_users_args(settings: Settings) -> PeopleArgs | None:
    """Of the People component with the users for emergencies, where all others live in a member account."""
    said = settings.people.break_glass
    if said is None or settings.people.account is None:
        return None
    return {
        "account_id": settings.management_account_id,
        "users": list(said.users),
        "groups": {},
        "roles": {},
        "partition": settings.partition,
    }


def break_glass_args(settings: Settings) -> BreakGlassArgs | None:
    """The arguments of the BreakGlass component, if there is one."""
    said = settings.people.break_glass
    if said is None:
        return None
    return {
        "account_id": settings.management_account_id,
        "role": said.role,
        "users": list(said.users),
        "notify": list(said.notify),
        "session_seconds": said.session_seconds,
        "partition": settings.partition,
    }


def identity_center_args(settings: Settings) -> IdentityCenterArgs | None:
    """The arguments of the IdentityCenter component, if there is one."""
    said = settings.people.identity_center
    if said is None:
        return None
    return {
        "users": {
            name: {"given_name": user.given_name, "family_name": user.family_name, "email": user.email}
            for name, user in said.users.items()
        },
        "groups": {group: list(members) for group, members in said.groups.items()},
    }


def organization_grant_args(
    settings: Settings,
    grant: OrganizationGrantSettings,
    *,
    organization: str | None,
    organization_id: pulumi.Input[str],
    source_account_id: pulumi.Input[str],
) -> OrganizationGrantArgs:
    """The arguments of one OrganizationGrant component; `organization` names the resource that the stack makes."""
    source = who(grant.source)
    args: OrganizationGrantArgs = {
        "source_kind": source.kind,
        "source": source.name,
        "source_account_id": source_account_id,
        "role": grant.target.role,
        "organization_id": organization_id,
        "mfa": asks_for_mfa(grant),
        "reason": grant.reason,
        "owner": grant.owner,
        "partition": settings.partition,
    }
    if settings.people.account:
        args["source_account"] = settings.people.account
    if organization:
        args["organization"] = organization
    if grant.expires:
        args["expires"] = grant.expires.isoformat()
    return args


def bill_args(settings: Settings) -> BillArgs | None:
    """The arguments of the Bill component, if there is one."""
    bill = settings.bill
    if bill is None:
        return None
    args: BillArgs = {
        "account_id": settings.management_account_id,
        "cost_allocation_tags": list(bill.tags),
        "region": settings.region,
        "partition": settings.partition,
    }
    if bill.anomalies:
        args["anomalies"] = AnomalyArgs(
            notify=list(bill.anomalies.notify),
            minimum_impact=bill.anomalies.minimum_impact,
            frequency=bill.anomalies.frequency,
        )
    if bill.report:
        bucket = bill.report.bucket or f"cost-report-{settings.management_account_id}"
        args["report"] = ReportArgs(bucket=bucket, keep_days=bill.report.keep_days)
    return args


def _policies(settings: Settings, organization: OrganizationSettings) -> dict[str, PolicyArgs]:
    policies = {name: _policy(said) for name, said in organization.service_control_policies.items()}
    policies |= {name: {**_policy(said), "type": said.type} for name, said in organization.policies.items()}
    around = guard_rail_surroundings(settings, organization)
    for target, names in guard_rails(organization).items():
        policies[f"guard-rails-{target}"] = {
            "document": guard_rails_document(names, around),
            "targets": [target],
            "description": f"Guard rails: {', '.join(names)}",
        }
    if settings.bill and settings.bill.tags:
        tags = {key: (list(tag.values), list(tag.enforced_for)) for key, tag in settings.bill.tags.items()}
        policies["cost-tags"] = {
            "document": tag_policy(tags),
            "targets": list(settings.bill.tag_targets),
            "description": "Tags that split the bill",
            "type": "TAG_POLICY",
        }
    return policies


def _policy(said: GuardRailSettings) -> PolicyArgs:
    args: PolicyArgs = {
        "document": said.document,
        "targets": list(said.targets),
        "description": said.description,
        "tags": dict(said.tags),
        "attached": dict(said.attached),
    }
    if said.name:
        args["name"] = said.name
    if said.adopt:
        args["adopt"] = said.adopt
    return args


def _unit(said: UnitSettings) -> UnitArgs:
    args: UnitArgs = {"tags": dict(said.tags)}
    if said.name:
        args["name"] = said.name
    if said.adopt:
        args["adopt"] = said.adopt
    return args


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
