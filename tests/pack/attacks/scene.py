"""What all programs stand on: three accounts with a provider each, and the documents that they write."""

import json
from functools import cached_property
from typing import Any

import pulumi
import pulumi_aws as aws

HUB, STAGE, PROD, FOREIGN = "111111111111", "222222222222", "333333333333", "999999999999"
SERVICE = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}


def arn(account: str, rest: str) -> str:
    return f"arn:aws:iam::{account}:{rest}"


CI = arn(HUB, "role/ci")
DEPLOYER = arn(STAGE, "role/deployer")


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def trusts(principal: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **more}


def grants(*resources: Any, action: str = "sts:AssumeRole") -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": list(resources)}


def text(*statements: dict[str, Any]) -> str:
    return json.dumps(document(*statements))


class Scene:
    """The accounts, each with its provider when it is used; `step` counts the runs of one program, from 1."""

    def __init__(self, step: int) -> None:
        self.step = step
        self._topic: aws.sns.Topic | None = None

    @cached_property
    def hub(self) -> aws.Provider:
        return aws.Provider("hub", region="us-east-1", allowed_account_ids=[HUB])

    @cached_property
    def stage(self) -> aws.Provider:
        return self._entered("stage", STAGE)

    @cached_property
    def prod(self) -> aws.Provider:
        return self._entered("prod", PROD)

    def _entered(self, name: str, account: str) -> aws.Provider:
        role = arn(account, "role/OrganizationAccountAccessRole")
        return aws.Provider(
            name,
            region="us-east-1",
            assume_roles=[aws.ProviderAssumeRoleArgs(role_arn=role)],
            allowed_account_ids=[account],
        )

    def at(self, provider: aws.Provider, **options: Any) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(provider=provider, **options)

    def late(self, value: Any) -> pulumi.Output[Any]:
        """A value that preview does not know: it waits for a resource that opens nothing."""
        if self._topic is None:
            self._topic = aws.sns.Topic("late", opts=self.at(self.hub))
        return self._topic.arn.apply(lambda _arn: value)

    def ci(self, **more: Any) -> aws.iam.Role:
        return aws.iam.Role("ci", name="ci", assume_role_policy=text(SERVICE), opts=self.at(self.hub), **more)

    def deployer(self, trust: Any, **more: Any) -> aws.iam.Role:
        options = self.at(self.stage, depends_on=more.pop("depends_on", None))
        return aws.iam.Role("deployer", name="deployer", assume_role_policy=trust, opts=options, **more)

    def grant(self, policy: Any, role: Any = "ci", **options: Any) -> aws.iam.RolePolicy:
        return aws.iam.RolePolicy("grant", name="grant", role=role, policy=policy, opts=self.at(self.hub, **options))

    def new_account(self) -> tuple[aws.organizations.Account, aws.Provider]:
        account = aws.organizations.Account(
            "new", name="new", email="a+new@example.com", opts=self.at(self.hub, protect=True)
        )
        role = account.id.apply(lambda known: arn(known, "role/OrganizationAccountAccessRole"))
        entered = aws.Provider(
            "in-new",
            region="us-east-1",
            assume_roles=[aws.ProviderAssumeRoleArgs(role_arn=role)],
            allowed_account_ids=[account.id],
        )
        return account, entered
