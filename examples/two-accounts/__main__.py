"""A parent account, and a child account that it makes and enters."""

import sys
from pathlib import Path

import pulumi

sys.path.append(str(Path(__file__).resolve().parents[2]))  # components/ lies in the root of this repository
from components.account_provider import AssumedRole, account_provider
from components.caller_identity import caller_arn
from components.member_account import MemberAccount
from components.organization import Organization
from components.stack_config import settings_of
from twokeys.settings.models import OrganizationSettings

config, region = pulumi.Config(), "us-east-1"
parent_id, email = config.require("parentAccountId"), config.require("rootEmail")
said = {"managementAccountId": parent_id, "rootEmail": email, "region": region, "accounts": {"child": {}}}
settings = settings_of(said)  # the child's address is the root's with +child before the @

parent = account_provider("parent", account_id=parent_id, region=region)
organization = Organization("organization", settings, OrganizationSettings(), pulumi.ResourceOptions(provider=parent))

after = pulumi.ResourceOptions(provider=parent, depends_on=[organization])
account = MemberAccount("child", settings, opts=after)
role = AssumedRole(account.access_role_arn, session_name="two-accounts")
child = account_provider("child", account_id=account.account_id, region=region, role=role)

for name, provider, id_ in (("parent", parent, parent_id), ("child", child, account.account_id)):
    arn = caller_arn(provider, id_, account=name, depends_on=[account])  # asks AWS who the program is there
    pulumi.export(f"{name}_account_id", arn.apply(lambda it: it.split(":")[4]))
    pulumi.export(f"{name}_caller_arn", arn)
