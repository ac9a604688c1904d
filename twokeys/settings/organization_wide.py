"""Contradictions in what only the management stack says: guard rails, audit, bill, the way for emergencies. Pure."""

from collections.abc import Iterator, Mapping

from twokeys.settings.audit import TRUSTED_SERVICES, AuditSettings
from twokeys.settings.bill import BillSettings
from twokeys.settings.guard_rails import AUDIT_BUCKET_PREFIX, Surroundings, guard_rails_document
from twokeys.settings.models import ROOT, SERVICE_CONTROL_POLICY, OrganizationSettings, Settings, all_units, guard_rails
from twokeys.settings.policies import too_large
from twokeys.settings.problem import Problem, no_account, no_unit, those_there


def organization_wide(settings: Settings) -> Iterator[Problem]:
    """What clashes in it, and that it stands in the stack that has `organization`."""
    organization = settings.organization
    for key, value in (("audit", settings.audit), ("bill", settings.bill)):
        if value is not None and organization is None:
            why = "it is for the whole organization and belongs to the stack that has `organization`"
            step = f"move `{key}` to the management stack's config"
            yield Problem(key, "(set)", why, step)
    if organization is None:
        return
    yield from _guard_rails(settings, organization)
    if settings.audit is not None:
        yield from _audit(settings, settings.audit)
    if settings.bill is not None:
        yield from _bill(settings, organization, settings.bill)
    yield from _break_glass(settings)
    yield from _trusted_services(settings, organization)


def guard_rail_surroundings(settings: Settings, organization: OrganizationSettings) -> Surroundings:
    """What the guard rails of an organization have to know."""
    audit = settings.audit
    return Surroundings(
        access_roles=organization.access_roles,
        allowed_regions=organization.allowed_regions,
        audit_bucket=(audit.bucket if audit else None) or f"{AUDIT_BUCKET_PREFIX}*",
        partition=settings.partition,
    )


def _guard_rails(settings: Settings, organization: OrganizationSettings) -> Iterator[Problem]:
    rails = guard_rails(organization)
    asked = {name for names in rails.values() for name in names}
    for target, names in rails.items():
        key = f"organization.guardRails.{target}"
        yield from _target(organization, key, target)
        if SERVICE_CONTROL_POLICY not in organization.policy_types:
            why = "guard rails are service control policies, and this policy type is off"
            step = "add SERVICE_CONTROL_POLICY to organization.policyTypes"
            yield Problem(key, list(organization.policy_types), why, step)
        document = guard_rails_document(names, guard_rail_surroundings(settings, organization))
        yield from too_large(key, SERVICE_CONTROL_POLICY, document)
    if "allowed-regions" in asked and settings.region not in organization.allowed_regions:
        why = f"the guard rail allowed-regions would forbid the region that the providers work in, {settings.region}"
        step = f"list the allowed regions, {settings.region} among them"
        yield Problem("organization.allowedRegions", list(organization.allowed_regions), why, step)
    if organization.allowed_regions and "allowed-regions" not in asked:
        why = "no target has the guard rail allowed-regions, so this would do nothing"
        step = "add allowed-regions to a target of organization.guardRails"
        yield Problem("organization.allowedRegions", list(organization.allowed_regions), why, step)
    for account, member in settings.accounts.items():
        if asked and member.access.role not in organization.access_roles:
            why = "the guard rails do not know this access role, so they would bind it"
            step = "add it to organization.accessRoles"
            yield Problem(f"accounts.{account}.access.role", member.access.role, why, step)


def _target(organization: OrganizationSettings, key: str, target: str) -> Iterator[Problem]:
    if target != ROOT and target not in all_units(organization):
        yield no_unit(
            key, target, all_units(organization), f"write {ROOT} or a path of organization.organizationalUnits"
        )


def _audit(settings: Settings, audit: AuditSettings) -> Iterator[Problem]:
    known = those_there(settings.accounts)
    yield from _member(settings, "audit.account", audit.account)
    looked_after: dict[str, str] = {}
    for account, services in audit.delegated_administrators.items():
        key = f"audit.delegatedAdministrators.{account}"
        yield from _member(settings, key, account)
        for service in services:
            if service in looked_after:
                why = f"{looked_after[service]} looks after it already; accounts of this stack: {known}"
                yield Problem(key, service, why, "name one account for it")
            looked_after[service] = account


def _member(settings: Settings, key: str, account: str) -> Iterator[Problem]:
    if account not in settings.accounts:
        yield no_account(key, account, settings.accounts)


def _bill(settings: Settings, organization: OrganizationSettings, bill: BillSettings) -> Iterator[Problem]:
    for target in bill.tag_targets:
        yield from _target(organization, "bill.tagTargets", target)
    if bill.tags and "TAG_POLICY" not in organization.policy_types:
        why = "a tag policy cannot be attached while its policy type is off"
        yield Problem("bill.tags", list(bill.tags), why, "add TAG_POLICY to organization.policyTypes")
    yield from untagged(settings.tags, bill)


def untagged(tags: Mapping[str, str], bill: BillSettings) -> Iterator[Problem]:
    """Tags of the bill that a stack's own default tags lack or contradict."""
    for key, tag in bill.tags.items():
        if key not in tags:
            yield Problem(
                f"bill.tags.{key}", key, "what this stack makes would not have this tag", "add the tag to `tags`"
            )
        elif tag.values and tags[key] not in tag.values:
            why = f"this stack's own value of the tag is {tags[key]!r}"
            step = "add it to the values, or change it in `tags`"
            yield Problem(f"bill.tags.{key}.values", list(tag.values), why, step)


def _break_glass(settings: Settings) -> Iterator[Problem]:
    people = settings.people
    if people.break_glass is None or people.account is not None:
        return  # where people live elsewhere, its users are made for it
    for user in people.break_glass.users:
        if user not in people.users:
            yield Problem("people.breakGlass.users", user, "no user has this name", "add the user to people.users")
    if people.break_glass.role in people.roles:
        why, step = "people.roles has a role of this name", "choose another name for one of them"
        yield Problem("people.breakGlass.role", people.break_glass.role, why, step)


def needed_services(settings: Settings) -> dict[str, str]:
    """The services that need trusted access for what a management stack's config asks, each with the key that asks."""
    organization, audit = settings.organization, settings.audit
    needed: dict[str, str] = {}
    if organization is not None and organization.centralized_root_access:
        needed["iam.amazonaws.com"] = "organization.centralizedRootAccess"
    if audit is not None:
        needed["cloudtrail.amazonaws.com"] = "audit"
        if audit.access_analyzer:
            needed["access-analyzer.amazonaws.com"] = "audit.accessAnalyzer"
        for account, services in audit.delegated_administrators.items():
            for service in services:
                key = f"audit.delegatedAdministrators.{account}"
                needed |= dict.fromkeys(TRUSTED_SERVICES[service], key)
    if settings.people.identity_center is not None:
        needed["sso.amazonaws.com"] = "people.identityCenter"
    return needed


def _trusted_services(settings: Settings, organization: OrganizationSettings) -> Iterator[Problem]:
    """What a service that works across the organization needs; an organization that is only looked up is not judged."""
    if not organization.create:
        return
    for principal, key in needed_services(settings).items():
        if principal not in organization.trusted_services:
            why = (
                "this service works across accounts only with trusted access"
                " (https://docs.aws.amazon.com/organizations/latest/userguide/orgs_integrate_services_list.html)"
            )
            step = f"add {principal} to organization.trustedServices"
            yield Problem(key, principal, why, step)
