"""What the management stack makes for the whole organization beside accounts and doors.

That is audit, bill, emergencies, and the grants that lead into every account.
"""

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from components.accounts import Account
from components.audit_trail import AuditTrail
from components.bill import Bill
from components.break_glass import BreakGlass
from components.delegation import Delegation
from components.from_organization_settings import (
    bill_args,
    break_glass_args,
    break_glass_users_args,
    organization_grant_args,
    people_args,
)
from components.organization import Organization
from components.organization_grant import OrganizationGrant
from components.people import People
from twokeys.settings import AUDIT_BUCKET_PREFIX, AUDIT_KEY_ALIAS, MANAGEMENT, TRUSTED_SERVICES, Settings


class OrganizationWide:
    """Each part only when config asks for it. Everything in the management account goes through `parent`."""

    def __init__(
        self, settings: Settings, parent: aws.Provider, organization: Organization, members: Mapping[str, Account]
    ) -> None:
        self._settings = settings
        self._parent = parent
        self._organization = organization
        self._members = members
        lived_in = members[settings.people.account] if settings.people.account else None
        self._where_people_live = lived_in.provider if lived_in else parent
        self._people_account_id = lived_in.id if lived_in else settings.management_account_id
        self._in_parent = pulumi.ResourceOptions(provider=parent, depends_on=[organization])

    def people(self) -> People:
        """Users, groups and roles that doors start from, in the account where config says that they live."""
        args = people_args(self._settings, self._people_account_id)
        return People("people", args, pulumi.ResourceOptions(provider=self._where_people_live))

    def audit_trail(self) -> AuditTrail | None:
        """The organization's trail."""
        settings, audit = self._settings, self._settings.audit
        if audit is None:
            return None
        archive = self._members[audit.account]
        return AuditTrail(
            "audit-trail",
            {
                "trail": audit.trail,
                "bucket": audit.bucket or archive.id.apply(lambda id_: f"{AUDIT_BUCKET_PREFIX}{id_}"),
                "key_alias": AUDIT_KEY_ALIAS,
                "management_account_id": settings.management_account_id,
                "organization_id": self._organization.organization_id,
                "archive_account_id": archive.id,
                "management_provider": self._parent,
                "archive_provider": archive.provider,
                "region": settings.region,
                "partition": settings.partition,
                "keep_days": audit.retention.keep_days,
                "archive_after_days": audit.retention.archive_after_days,
                "locked_days": audit.retention.locked_days,
                "lock_mode": audit.retention.lock_mode,
            },
            pulumi.ResourceOptions(depends_on=[self._organization]),
        )

    def delegated_administrators(self) -> dict[str, Delegation]:
        """Who looks after which services, by account, and the analyzer of the organization."""
        audit = self._settings.audit
        if audit is None:
            return {}
        delegations = {
            account: Delegation(
                f"delegation-{account}",
                {
                    "account_id": self._members[account].id,
                    "service_principals": [
                        principal
                        for service in services
                        if service != "guardduty"
                        for principal in TRUSTED_SERVICES[service]
                    ],
                    "guardduty": "guardduty" in services,
                },
                self._in_parent,
            )
            for account, services in audit.delegated_administrators.items()
        }
        if audit.access_analyzer:
            # https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-delegated-administrator.html
            administrators = audit.delegated_administrators.items()
            account = next((name for name, its in administrators if "access-analyzer" in its), MANAGEMENT)
            aws.accessanalyzer.Analyzer(
                "organization",
                analyzer_name="organization",
                type="ORGANIZATION",
                opts=pulumi.ResourceOptions(
                    provider=self._parent if account == MANAGEMENT else self._members[account].provider,
                    depends_on=[self._organization, *delegations.values()],
                ),
            )
        return delegations

    def bill(self) -> Bill | None:
        """What splits and watches the bill."""
        args = bill_args(self._settings)
        return Bill("bill", args, self._in_parent) if args else None

    def break_glass(self, people: People) -> BreakGlass | None:
        """The way for emergencies; its trust waits for its users, who live in the management account."""
        args = break_glass_args(self._settings)
        if args is None:
            return None
        if its := break_glass_users_args(self._settings):
            people = People("break-glass-users", its, pulumi.ResourceOptions(provider=self._parent))
        return BreakGlass("break-glass", args, pulumi.ResourceOptions(provider=self._parent, depends_on=[people]))

    def grants(self, people: People) -> dict[str, OrganizationGrant]:
        """The grants of a role in every account; they wait for the people."""
        settings, organization = self._settings, self._organization
        after = pulumi.ResourceOptions(provider=self._where_people_live, depends_on=[organization, people])
        return {
            name: OrganizationGrant(
                name,
                organization_grant_args(
                    settings,
                    grant,
                    organization=organization.resource_name,
                    organization_id=organization.organization_id,
                    source_account_id=self._people_account_id,
                ),
                after,
            )
            for name, grant in settings.organization_grants.items()
        }
