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
from components.organization import Organization
from components.organization_grant import OrganizationGrant
from components.people import People
from twokeys.settings.models import MANAGEMENT, PeopleSettings, Settings


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
        settings, opts = self._settings, pulumi.ResourceOptions(provider=self._where_people_live)
        return People("people", settings.people, self._people_account_id, settings.partition, opts)

    def audit_trail(self) -> AuditTrail | None:
        """The organization's trail."""
        settings, audit = self._settings, self._settings.audit
        if audit is None:
            return None
        archive = self._members[audit.account]
        return AuditTrail(
            "audit-trail",
            settings=settings,
            audit=audit,
            organization_id=self._organization.organization_id,
            archive_account_id=archive.id,
            management_provider=self._parent,
            archive_provider=archive.provider,
            opts=pulumi.ResourceOptions(depends_on=[self._organization]),
        )

    def delegated_administrators(self) -> dict[str, Delegation]:
        """Who looks after which services, by account, and the analyzer of the organization."""
        audit = self._settings.audit
        if audit is None:
            return {}
        delegations = {
            account: Delegation(f"delegation-{account}", self._members[account].id, services, self._in_parent)
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
        bill = self._settings.bill
        return Bill("bill", self._settings, bill, self._in_parent) if bill else None

    def break_glass(self, people: People) -> BreakGlass | None:
        """The way for emergencies; its trust waits for its users, who live in the management account."""
        said, account, partition = (
            self._settings.people.break_glass,
            self._settings.management_account_id,
            self._settings.partition,
        )
        if said is None:
            return None
        if self._settings.people.account:  # where all others live
            users, opts = PeopleSettings(users=said.users), pulumi.ResourceOptions(provider=self._parent)
            people = People("break-glass-users", users, account, partition, opts)
        after = pulumi.ResourceOptions(provider=self._parent, depends_on=[people])
        return BreakGlass("break-glass", said, account, partition, after)

    def grants(self, people: People) -> dict[str, OrganizationGrant]:
        """The grants of a role in every account; they wait for the people."""
        settings, organization = self._settings, self._organization
        after = pulumi.ResourceOptions(provider=self._where_people_live, depends_on=[organization, people])
        return {
            name: OrganizationGrant(
                name,
                settings=settings,
                organization=organization.resource_name,
                organization_id=organization.organization_id,
                source_account_id=self._people_account_id,
                opts=after,
            )
            for name in settings.organization_grants
        }
