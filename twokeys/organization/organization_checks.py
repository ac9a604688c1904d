"""Checks of credentials and of the organization as a whole before the first create: pure functions to findings."""

from collections.abc import Iterator, Sequence

from twokeys.organization.findings import CheckResult, failure, warning
from twokeys.organization.model import ALL_FEATURES, SERVICE_CONTROL_POLICY, Live, Organization
from twokeys.organization.plan import Fate, Plan, wanted
from twokeys.settings.models import OrganizationSettings, all_units, is_unit_id
from twokeys.settings.organization_wide import needed_services
from twokeys.shown import listed

ACCOUNT_MANAGEMENT = "account.amazonaws.com"


def credentials(plans: Sequence[Plan], live: Live) -> Iterator[CheckResult]:
    """They are the management account's, and no root user's, which may assume no role.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html. A local AWS lets its root users.
    """
    caller = live.caller
    for plan in plans:
        wanted = plan.settings.management_account_id
        if wanted != caller.account:
            yield failure(
                f"stack {plan.stack}",
                f"its management account is {wanted}, and these credentials are of {caller.account} ({caller.arn})",
                f"use credentials of account {wanted}, or correct managementAccountId",
            )
        elif caller.is_root_user and not caller.local:
            yield failure(
                f"stack {plan.stack}",
                f"{caller.arn} is a root user, which may not assume roles, so it can enter no account",
                "use a role or a user of the management account",
            )


def existence(plans: Sequence[Plan], live: Live) -> Iterator[CheckResult]:
    """The organization is there with all features, is managed by this account, and is the one that config adopts.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_org_support-all-features.html
    """
    organization, account = live.organization, live.caller.account
    making = [plan.stack for plan in plans if (said := plan.settings.organization) and said.create and not said.adopt]
    adopting = {plan.stack: said.adopt for plan in plans if (said := plan.settings.organization) and said.adopt}
    if organization is None:
        if not making:
            yield failure(f"account {account}", "there is none", "update the stack that has `organization` first")
        return
    where = f"organization {organization.id}"
    if organization.management_account != account:
        yield failure(
            where,
            f"account {organization.management_account} manages it, and these credentials are of {account}",
            f"use credentials of account {organization.management_account}",
        )
        return
    for stack, adopted in adopting.items():
        if adopted != organization.id:
            yield failure(f"stack {stack}", f"it adopts {adopted}", f"say `adopt: {organization.id}`")
    if making:
        yield warning(
            where,
            "it exists already",
            f"nothing, if stack {making[0]} made it; else say `adopt: {organization.id}`, or creating it fails",
        )
    if organization.features != ALL_FEATURES:
        yield failure(
            where,
            f"its feature set is {organization.features}: it has no policies and closes no accounts",
            "enable all features in the AWS Organizations console",
        )


def trusted_access(
    plans: Sequence[Plan], everything: Sequence[Plan], organization: Organization
) -> Iterator[CheckResult]:
    """Services that work across accounts are trusted already, or will be by the stack that manages the organization.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_integrate_services_list.html, and for contacts and
    new names of member accounts https://docs.aws.amazon.com/accounts/latest/reference/using-orgs-trusted-access.html
    """
    managing = [said for plan in everything if (said := plan.settings.organization) and said.create]
    coming = {service for said in managing for service in said.trusted_services}
    needed: dict[str, str] = {}
    for plan in plans:
        needed |= {service: f"{key} of stack {plan.stack}" for service, key in needed_services(plan.settings).items()}
        contacts = [plan.settings.baseline.contacts, *(one.contacts for one in plan.settings.accounts.values())]
        if any(one.model_dump(exclude_none=True) for one in contacts):
            needed[ACCOUNT_MANAGEMENT] = f"contacts of stack {plan.stack}"
        for one in wanted([plan], organization):
            if one.fate in (Fate.THERE, Fate.ADOPT) and one.account is not None and one.account.name != one.name:
                needed[ACCOUNT_MANAGEMENT] = f"the new name of {one.where}"
    for service, key in needed.items():
        if service not in coming.union(organization.trusted_services):
            yield failure(
                key,
                f"{service} has no trusted access",
                f"add {service} to organization.trustedServices of the management stack and update that first",
            )


def policy_types(plans: Sequence[Plan], organization: Organization) -> Iterator[CheckResult]:
    """Types of policies that an organization, which is only looked up, would have to have enabled.

    https://docs.aws.amazon.com/organizations/latest/userguide/enable-policy-type.html. Where a stack manages the
    organization its settings refuse a type that they do not enable.
    """
    for plan in plans:
        said = plan.settings.organization
        if said is None or said.create:
            continue
        where = f"stack {plan.stack}"
        needed: set[str] = {policy.type for policy in said.policies.values()}
        if said.service_control_policies or said.guard_rails:
            needed.add(SERVICE_CONTROL_POLICY)
        if plan.settings.bill and plan.settings.bill.tags:
            needed.add("TAG_POLICY")
        for kind in sorted(needed - set(organization.policy_types)):
            yield failure(where, f"{kind} is not enabled", "enable it, or let the stack manage the organization")


def units(plans: Sequence[Plan], everything: Sequence[Plan], organization: Organization) -> Iterator[CheckResult]:
    """Units that config names are there, or are made by the stack that has `organization`; ids lead to what is meant.

    https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateOrganizationalUnit.html
    """
    made = {path for plan in everything if (said := plan.settings.organization) for path in all_units(said)}
    for plan in plans:
        if plan.settings.organization:
            yield from _own_units(plan, plan.settings.organization, organization)
        for key, member in plan.settings.accounts.items():
            unit = member.organizational_unit
            where = f"accounts.{key}.organizationalUnit of stack {plan.stack}"
            if unit is None or (unit in organization.unit_by_id if is_unit_id(unit) else unit in made):
                continue
            if is_unit_id(unit):
                yield failure(where, f"the organization has no unit {unit}", "correct the id")
            elif found := organization.unit_by_path.get(unit):
                yield failure(
                    where,
                    f"{unit} is in AWS ({found.id}), and the stack that has `organization` does not know it",
                    f"add it there to organizationalUnits as {unit}: {{adopt: {found.id}}}, or write {found.id} here",
                )
            else:
                yield failure(
                    where,
                    f"{unit} is neither in AWS nor made by a stack of this project",
                    "add it to organization.organizationalUnits of the management stack",
                )


def _own_units(plan: Plan, said: OrganizationSettings, organization: Organization) -> Iterator[CheckResult]:
    again = []
    for path in all_units(said):
        unit = said.organizational_units.get(path)
        where = f"organization.organizationalUnits.{path} of stack {plan.stack}"
        identifier = unit and (unit.adopt or unit.id)
        if not identifier:
            if found := organization.unit_by_path.get(path):
                again.append(f"{path} ({found.id})")
            continue
        there = organization.unit_by_id.get(identifier)
        name = (unit.name if unit else None) or path.rpartition("/")[2]
        if there is None:
            yield failure(where, f"the organization has no unit {identifier}", "correct the id")
        elif unit and unit.adopt and there.names[-1] != name:
            yield failure(
                where,
                f"{identifier} is named {there.names[-1]!r}, and would be renamed to {name!r}",
                f"say `name: {there.names[-1]}`",
            )
    yield from _there_already(plan, again)


def _there_already(plan: Plan, again: Sequence[str]) -> Iterator[CheckResult]:
    if again:
        step = f"nothing, if stack {plan.stack} made them; else say `adopt: ID` for each, or making them fails"
        yield warning(listed(again, most=8), "they exist already", step)


def policies(plans: Sequence[Plan], organization: Organization) -> Iterator[CheckResult]:
    """Adopted policies exist with the name and attachments that config says; no other policy has a new one's name.

    https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreatePolicy.html (DuplicatePolicyException)
    """
    by_id = {policy.id: policy for policy in organization.policies}
    by_name = {(policy.type, policy.name): policy for policy in organization.policies}
    for plan in plans:
        said = plan.settings.organization
        again = []
        for key, policy in (said.every_policy if said else {}).items():
            where = f"policy {key} of stack {plan.stack}"
            kind, name = policy.kind, policy.name or key
            there = by_id.get(policy.adopt or "")
            if not policy.adopt:
                if found := by_name.get((kind, name)):
                    again.append(f"{name} ({found.id})")
            elif there is None:
                yield failure(where, f"the organization has no policy {policy.adopt}", "correct the id")
            elif (there.type, there.name) != (kind, name):
                yield failure(
                    where,
                    f"{there.id} is {there.name!r} of type {there.type}, and config says {name!r} of type {kind}",
                    "correct the id, the name or the type",
                )
            elif missing := sorted(set(policy.attached.values()) - set(there.targets)):
                yield failure(where, f"it is not attached to {listed(missing, most=8)}", "take these out of `attached`")
        yield from _there_already(plan, again)
