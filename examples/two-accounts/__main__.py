"""A parent account, and a child account that it makes and enters."""

import sys
from pathlib import Path

import pulumi

sys.path.append(str(Path(__file__).resolve().parents[2]))  # components/ lies in the root of this repository
from components.account_provider import AssumedRole, account_provider
from components.caller_identity import caller_arn
from components.member_account import MemberAccount
from components.organization import Organization
from twokeys.settings.models import MemberSettings, OrganizationSettings, Settings

config, region = pulumi.Config(), "us-east-1"
parent_id, root_email = config.require("parentAccountId"), config.require("rootEmail")
child_of_root = {"child": MemberSettings()}  # its address is the root's with +child before the @
settings = Settings(management_account_id=parent_id, root_email=root_email, region=region, accounts=child_of_root)

parent = account_provider("parent", account_id=parent_id, region=region)
in_parent = pulumi.ResourceOptions(provider=parent)
organization = Organization("organization", settings, OrganizationSettings(), in_parent)

after = pulumi.ResourceOptions(provider=parent, depends_on=[organization])
account = MemberAccount("child", settings, opts=after)
role = AssumedRole(account.access_role_arn, session_name="two-accounts")
child = account_provider("child", account_id=account.account_id, region=region, role=role)

for name, provider, id_ in (("parent", parent, parent_id), ("child", child, account.account_id)):
    arn = caller_arn(provider, id_, account=name, depends_on=[account])  # asks AWS who the program is there
    pulumi.export(f"{name}_account_id", arn.apply(lambda it: it.split(":")[4]))
    pulumi.export(f"{name}_caller_arn", arn)
