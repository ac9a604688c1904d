"""A parent account, and a child account that it makes and enters."""

import sys
from pathlib import Path

import pulumi

sys.path.append(str(Path(__file__).resolve().parents[2]))  # components/ lies in the root of this repository
from components.account_provider import AssumedRole, account_provider
from components.caller_identity import caller_arn
from components.member_account import MemberAccount
from components.organization import Organization

config, region = pulumi.Config(), "us-east-1"
parent_id, (local, domain) = config.require("parentAccountId"), config.require("rootEmail").split("@")

parent = account_provider("parent", account_id=parent_id, region=region)
in_parent = pulumi.ResourceOptions(provider=parent)
organization = Organization("organization", {"create": True, "organizational_units": []}, in_parent)

member = {"account_name": "child", "email": f"{local}+child@{domain}", "role_name": "OrganizationAccountAccessRole"}
access = {"session_name": "two-accounts", "region": region}
after = pulumi.ResourceOptions(provider=parent, depends_on=[organization])
account = MemberAccount("child", {**member, **access}, after)
role = AssumedRole(account.access_role_arn, session_name="two-accounts")
child = account_provider("child", account_id=account.account_id, region=region, role=role)

for name, provider, id_ in (("parent", parent, parent_id), ("child", child, account.account_id)):
    arn = caller_arn(provider, id_, account=name, depends_on=[account])  # asks AWS who the program is there
    pulumi.export(f"{name}_account_id", arn.apply(lambda it: it.split(":")[4]))
    pulumi.export(f"{name}_caller_arn", arn)
