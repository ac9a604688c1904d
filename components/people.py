"""Principals of one account that doors start from. Nobody gets an access key or a password here."""

import json
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from twokeys.doors import PROPERTY, SymbolicDocument, render, symbol
from twokeys.doors.documents import trust_in_tokens


class OidcTrustArgs(TypedDict):
    """Whose tokens a role takes."""

    issuer: str
    """The issuer without https://, as in token.actions.githubusercontent.com."""
    audience: str
    """The audience that a token must name."""
    subjects: list[str]
    """The subjects that a token may have; `*` and `?` are wildcards."""


class PrincipalRoleArgs(TypedDict):
    """A role that doors start from."""

    description: NotRequired[str]
    """What it is for."""
    oidc: NotRequired[OidcTrustArgs]
    """Whose tokens it takes; without it, the role trusts its own account."""


class PeopleArgs(TypedDict):
    """Who there is."""

    account_id: pulumi.Input[str]
    """The 12-digit id of the account they live in: known, unless `account` names its resource."""
    account: NotRequired[str]
    """The logical name of the resource of the account they live in, where that is a member account of this stack."""
    users: list[str]
    """Names of users."""
    groups: dict[str, list[str]]
    """Names of users by group."""
    roles: dict[str, PrincipalRoleArgs]
    """Roles by name."""
    partition: NotRequired[str]
    """The partition that stands in ARNs, `aws` by default."""


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

    def __init__(self, name: str, args: PeopleArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        account = symbol(args["account"]) if "account" in args else str(args["account_id"])
        trusts = {role: trust_of(said, account, args.get("partition", "aws")) for role, said in args["roles"].items()}
        super().__init__("twokeys:people:People", name, _declared(args, account, trusts), opts)
        # The engine would change people in place when they move into another account: AWS has others there.
        child = pulumi.ResourceOptions(parent=self, replacement_trigger=account)
        users = {user: aws.iam.User(user, name=user, opts=child) for user in args["users"]}
        groups = {group: aws.iam.Group(group, name=group, opts=child) for group in args["groups"]}
        for user, resource in users.items():
            joined = [groups[group].name for group, members in args["groups"].items() if user in members]
            if joined:
                aws.iam.UserGroupMembership(user, user=resource.name, groups=joined, opts=child)
        issuers = _issuers(args)
        providers = {
            issuer: aws.iam.OpenIdConnectProvider(
                issuer, url=f"https://{issuer}", client_id_lists=sorted(audiences), opts=child
            )
            for issuer, audiences in issuers.items()
        }
        roles = {
            role: aws.iam.Role(
                role,
                name=role,
                description=said.get("description"),
                assume_role_policy=_rendered(args, account, trusts[role]),
                opts=pulumi.ResourceOptions.merge(
                    child,
                    pulumi.ResourceOptions(depends_on=[providers[said["oidc"]["issuer"]]] if "oidc" in said else []),
                ),
            )
            for role, said in args["roles"].items()
        }
        self.user_arns = pulumi.Output.all(**{user: resource.arn for user, resource in users.items()})
        self.group_members = pulumi.Output.from_input(args["groups"])
        self.role_arns = pulumi.Output.all(**{role: resource.arn for role, resource in roles.items()})
        self.register_outputs(
            {"userArns": self.user_arns, "groupMembers": self.group_members, "roleArns": self.role_arns}
        )


def trust_of(role: PrincipalRoleArgs, account_id: str, partition: str) -> dict[str, Any]:
    """The trust policy of a role that doors start from: in tokens of its OIDC provider, else in its account. Pure."""
    if "oidc" in role:
        oidc = role["oidc"]
        provider = f"arn:{partition}:iam::{account_id}:oidc-provider/{oidc['issuer']}"
        return trust_in_tokens(provider, oidc["issuer"], oidc["audience"], oidc["subjects"])
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:{partition}:iam::{account_id}:root"},
        "Action": "sts:AssumeRole",
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def _rendered(args: PeopleArgs, account: str, trust: dict[str, Any]) -> pulumi.Input[str]:
    if "account" not in args:
        return json.dumps(trust)
    return pulumi.Output.from_input(args["account_id"]).apply(lambda id_: render(trust, {account: id_}))


def _declared(args: PeopleArgs, account: str, trusts: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What the component tells of a member account: where they live, and the trusts, with a symbol for its id."""
    if "account" not in args:
        return {}
    documents = [
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
    return {"account": account, PROPERTY: documents}


def _issuers(args: PeopleArgs) -> dict[str, set[str]]:
    issuers: dict[str, set[str]] = {}
    for role in args["roles"].values():
        if "oidc" in role:
            issuers.setdefault(role["oidc"]["issuer"], set()).add(role["oidc"]["audience"])
    return issuers
