"""One program for every stack: what a stack is follows from its config (see Pulumi.yaml)."""

from pathlib import Path

import pulumi

from components.account_provider import account_provider
from components.accounts import Accounts
from components.caller_identity import caller_arn
from components.identity_center import IdentityCenter
from components.organization import Organization
from components.organization_wide import OrganizationWide
from components.stack_config import stack_settings
from twokeys.settings.models import MANAGEMENT

settings = stack_settings()
parent = account_provider(
    MANAGEMENT, account_id=settings.management_account_id, region=settings.region, tags=settings.tags
)
in_parent = pulumi.ResourceOptions(provider=parent)
parent_arn = caller_arn(parent, settings.management_account_id, account=MANAGEMENT)

pulumi.export("parent_account_id", parent_arn.apply(lambda arn: arn.split(":")[4]))
pulumi.export("parent_caller_arn", parent_arn)
pulumi.export("readme", Path(__file__).with_name("Pulumi.README.md").read_text(encoding="utf-8"))

organization, identities, wide, people = None, None, None, None
if settings.organization:
    organization = Organization("organization", settings, settings.organization, in_parent)
    if center := settings.people.identity_center:
        after = pulumi.ResourceOptions(provider=parent, depends_on=organization.resources)
        identities = IdentityCenter("identity-center", center, after)
        pulumi.export("identity_center", {"instance_arn": identities.instance_arn})
        pulumi.export("identity_ids", dict(identities.id_of))
    pulumi.export("organization_id", organization.organization_id)
    pulumi.export("root_id", organization.root_id)
    pulumi.export("organizational_unit_ids", dict(organization.unit_ids))
    pulumi.export("control_policy_denials", organization.denials)
    if unit := settings.organization.quarantine:
        pulumi.export("quarantine", {"organizational_unit_id": organization.unit_ids[unit]})

accounts = Accounts(settings, parent, organization, identities)
members = accounts.members()
not_entered = accounts.not_entered()
if organization:
    wide = OrganizationWide(settings, parent, organization, members)
    people = wide.people()
    if settings.people.account:
        pulumi.export("people_account_id", members[settings.people.account].id)
    pulumi.export("user_arns", people.user_arns)
    pulumi.export("group_members", people.group_members)
    pulumi.export("role_arns", people.role_arns)
doors = accounts.doors(members, [people] if people else [])

if wide and people:
    wide.delegated_administrators()
    if trail := wide.audit_trail():
        pulumi.export("audit_trail", {"trail_arn": trail.trail_arn, "bucket": trail.bucket, "key_arn": trail.key_arn})
    if bill := wide.bill():
        pulumi.export("cost_report_bucket", bill.report_bucket)
    if grants := wide.grants(people):
        pulumi.export("organization_grants", [grant.grant for grant in grants.values()])
    if break_glass := wide.break_glass(people):
        about = {"role_arn": break_glass.role_arn, "topic_arn": break_glass.topic_arn, "users": break_glass.users}
        pulumi.export("break_glass", about)

if not_entered:
    pulumi.export("not_entered_account_ids", not_entered)
if closed := settings.closed():
    pulumi.export("closed_account_ids", closed)
if members or doors:
    pulumi.export("doors", [door.door for door in doors.values()])
if members:
    if len(members) == 1:
        pulumi.export("child_account_id", next(iter(members.values())).id)
    pulumi.export("member_account_ids", {name: member.id for name, member in members.items()})
    environments = {name: found for name in members if (found := settings.environment_of(name))}
    pulumi.export("member_account_environments", environments)
    pulumi.export("member_account_parents", {name: member.parent_id for name, member in members.items()})
    pulumi.export("member_caller_arns", {name: member.caller_arn for name, member in members.items()})
    pulumi.export("access_role_arns", {name: member.access_role_arn for name, member in members.items()})
    if external := {name: said for name in members if (said := settings.accounts[name].access.external_id)}:
        pulumi.export("access_external_ids", external)  # doors of other stacks that start there enter by the same role
    pulumi.export("switch_role_urls", accounts.switch_role_urls(members))
