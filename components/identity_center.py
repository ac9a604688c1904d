"""People of IAM Identity Center, which has to be switched on in the console first: no API does that for a company."""

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_aws as aws

from components.refusing import ProgramRefusal
from twokeys.settings.people import IdentityCenterSettings


class IdentityCenter(pulumi.ComponentResource):
    """Users and groups in the identity store of the provider's organization and region.

    The instance is looked for after everything in the component's `depends_on`: pass the organization.
    """

    def __init__(self, name: str, said: IdentityCenterSettings, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("twokeys:people:IdentityCenter", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        after = opts.depends_on if opts else None
        found = aws.ssoadmin.get_instances_output(opts=pulumi.InvokeOutputOptions(parent=self, depends_on=after))
        self.instance_arn: pulumi.Output[str] = found.arns.apply(_only)
        store = found.identity_store_ids.apply(_only)
        users = {
            user: aws.identitystore.User(
                f"identity-{user}",
                identity_store_id=store,
                user_name=user,
                display_name=f"{person.given_name} {person.family_name}",
                name=aws.identitystore.UserNameArgs(given_name=person.given_name, family_name=person.family_name),
                emails=aws.identitystore.UserEmailsArgs(value=person.email, primary=True),
                opts=child,
            )
            for user, person in said.users.items()
        }
        groups = {
            group: aws.identitystore.Group(f"identity-{group}", identity_store_id=store, display_name=group, opts=child)
            for group in said.groups
        }
        for group, members in said.groups.items():
            for user in members:
                aws.identitystore.GroupMembership(
                    f"identity-{group}-{user}",
                    identity_store_id=store,
                    group_id=groups[group].group_id,
                    member_id=users[user].user_id,
                    opts=child,
                )
        self.id_of: Mapping[str, pulumi.Output[str]] = {
            **{f"user/{user}": made.user_id for user, made in users.items()},
            **{f"group/{group}": made.group_id for group, made in groups.items()},
        }
        """The id in the identity store of each, known on its own: another who is still to be made changes nothing."""
        self.register_outputs({"instanceArn": self.instance_arn, "ids": dict(self.id_of)})


def _only(found: Sequence[str]) -> str:
    """AWS has at most one instance of an organization: none means that nobody has switched it on."""
    if len(found) != 1:
        raise ProgramRefusal(
            "people.identityCenter",
            where="IAM Identity Center of this organization and region",
            why=f"it has {len(found)} instances",
            next_step="switch IAM Identity Center on in the console of the management account, in this region",
        )
    return found[0]
