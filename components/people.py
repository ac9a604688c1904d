"""Principals of one account that doors start from. Nobody gets an access key or a password here."""

import json
from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_aws as aws

from twokeys.doors import PROPERTY, SymbolicDocument, render, symbol
from twokeys.doors.documents import trust_in_tokens
from twokeys.settings.models import PeopleSettings, PrincipalRoleSettings


class People(pulumi.ComponentResource):
    """Users, groups and roles in the provider's account.

    In a member account, whose id a first preview does not know, the roles' trust is declared with its symbol.
    """

    user_arns: pulumi.Output[dict[str, str]]
    """ARNs of the users by name."""
    group_members: pulumi.Output[dict[str, list[str]]]
    """Names of users by group."""
    role_arns: pulumi.Output[dict[str, str]]
    """ARNs of the roles by name."""

    def __init__(
        self,
        name: str,
        people: PeopleSettings,
        account_id: pulumi.Input[str],
        partition: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        account = symbol(people.account) if people.account else str(account_id)
        trusts = {role: trust_of(said, account, partition) for role, said in people.roles.items()}
        declared = {"account": account, PROPERTY: _documents(account, trusts)} if people.account else {}
        super().__init__("twokeys:people:People", name, declared, opts)
        # The engine would change people in place when they move into another account: AWS has others there.
        child = pulumi.ResourceOptions(parent=self, replacement_trigger=account)
        users = {user: aws.iam.User(user, name=user, opts=child) for user in people.users}
        groups = {group: aws.iam.Group(group, name=group, opts=child) for group in people.groups}
        for user, resource in users.items():
            joined = [groups[group].name for group, members in people.groups.items() if user in members]
            if joined:
                aws.iam.UserGroupMembership(user, user=resource.name, groups=joined, opts=child)
        audiences: dict[str, set[str]] = {}
        for oidc in (said.oidc for said in people.roles.values() if said.oidc):
            audiences.setdefault(oidc.issuer, set()).add(oidc.audience)
        providers = {
            issuer: aws.iam.OpenIdConnectProvider(
                issuer, url=f"https://{issuer}", client_id_lists=sorted(its), opts=child
            )
            for issuer, its in audiences.items()
        }
        roles = {
            role: aws.iam.Role(
                role,
                name=role,
                description=said.description,
                assume_role_policy=_rendered(trusts[role], account, account_id),
                opts=pulumi.ResourceOptions.merge(
                    child, pulumi.ResourceOptions(depends_on=[providers[said.oidc.issuer]] if said.oidc else [])
                ),
            )
            for role, said in people.roles.items()
        }
        self.user_arns = pulumi.Output.all(**{user: resource.arn for user, resource in users.items()})
        self.group_members = pulumi.Output.from_input(
            {group: list(members) for group, members in people.groups.items()}
        )
        self.role_arns = pulumi.Output.all(**{role: resource.arn for role, resource in roles.items()})
        self.register_outputs(
            {"userArns": self.user_arns, "groupMembers": self.group_members, "roleArns": self.role_arns}
        )


def trust_of(role: PrincipalRoleSettings, account_id: str, partition: str) -> dict[str, Any]:
    """The trust policy of a role that doors start from: in tokens of its OIDC provider, else in its account. Pure."""
    if oidc := role.oidc:
        provider = f"arn:{partition}:iam::{account_id}:oidc-provider/{oidc.issuer}"
        return trust_in_tokens(provider, oidc.issuer, oidc.audience, oidc.subjects)
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:{partition}:iam::{account_id}:root"},
        "Action": "sts:AssumeRole",
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def _rendered(trust: dict[str, Any], account: str, account_id: pulumi.Input[str]) -> pulumi.Input[str]:
    if account == account_id:
        return json.dumps(trust)
    return pulumi.Output.from_input(account_id).apply(lambda id_: render(trust, {account: id_}))


def _documents(account: str, trusts: Mapping[str, dict[str, Any]]) -> list[Any]:
    """What is declared of the trusts of a member account, with a symbol for its id."""
    return [
        SymbolicDocument(
            type="aws:iam/role:Role",
            name=role,
            account=account,
            property="assumeRolePolicy",
            properties={"name": role, "path": "/"},
            document=trust,
        ).to_props()
        for role, trust in trusts.items()
    ]
