"""Who looks after the organization's security services: a member account, and not the management account."""

from typing import TypedDict

import pulumi
import pulumi_aws as aws


class DelegationArgs(TypedDict):
    """One account, and the services that it looks after for all."""

    account_id: pulumi.Input[str]
    """The id of the member account."""
    service_principals: list[str]
    """Services that Organizations delegates, as in access-analyzer.amazonaws.com."""
    guardduty: bool
    """Whether it also looks after GuardDuty, which delegates by a call of its own."""


class Delegation(pulumi.ComponentResource):
    """Delegated administrators, registered by the management account, whose provider is the component's.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_integrate_delegated_admin.html
    """

    account_id: pulumi.Output[str]
    """The account's id; there only when it is the delegated administrator."""

    def __init__(self, name: str, args: DelegationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("twokeys:audit:Delegation", name, {}, opts)
        # AWS takes one registration of an account at a time.
        done: list[pulumi.Resource] = []
        for service in args["service_principals"]:
            done.append(
                aws.organizations.DelegatedAdministrator(
                    f"{name}-{service}",
                    account_id=args["account_id"],
                    service_principal=service,
                    opts=pulumi.ResourceOptions(parent=self, depends_on=list(done)),
                )
            )
        if args["guardduty"]:
            # https://docs.aws.amazon.com/guardduty/latest/APIReference/API_EnableOrganizationAdminAccount.html
            done.append(
                aws.guardduty.OrganizationAdminAccount(
                    name,
                    admin_account_id=args["account_id"],
                    opts=pulumi.ResourceOptions(parent=self, depends_on=list(done)),
                )
            )
        self.account_id = pulumi.Output.all(args["account_id"], *(each.urn for each in done)).apply(
            lambda known: str(known[0])
        )
        self.register_outputs({"accountId": self.account_id})
