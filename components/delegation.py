"""Who looks after the organization's security services: a member account, and not the management account."""

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from twokeys.settings.audit import TRUSTED_SERVICES, DelegatedService


class Delegation(pulumi.ComponentResource):
    """Delegated administrators, registered by the management account, whose provider is the component's.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_integrate_delegated_admin.html
    """

    def __init__(
        self,
        name: str,
        account_id: pulumi.Input[str],
        services: Sequence[DelegatedService],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("twokeys:audit:Delegation", name, {}, opts)
        # AWS takes one registration of an account at a time.
        done: list[pulumi.Resource] = []
        # GuardDuty delegates by a call of its own.
        for principal in (one for service in services if service != "guardduty" for one in TRUSTED_SERVICES[service]):
            done.append(
                aws.organizations.DelegatedAdministrator(
                    f"{name}-{principal}",
                    account_id=account_id,
                    service_principal=principal,
                    opts=pulumi.ResourceOptions(parent=self, depends_on=list(done)),
                )
            )
        if "guardduty" in services:
            # https://docs.aws.amazon.com/guardduty/latest/APIReference/API_EnableOrganizationAdminAccount.html
            done.append(
                aws.guardduty.OrganizationAdminAccount(
                    name, admin_account_id=account_id, opts=pulumi.ResourceOptions(parent=self, depends_on=list(done))
                )
            )
        self.register_outputs({})
