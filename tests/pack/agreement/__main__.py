"""Plain roles, users, groups and policies as `spec.json` describes them: no component of ours is in it."""

import json
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws

spec: dict[str, Any] = json.loads(Path(__file__).with_name("spec.json").read_text(encoding="utf-8"))


def provider(name: str, account: str, *, enter: bool) -> pulumi.ResourceOptions:
    """The provider of one account, as options."""
    role = aws.ProviderAssumeRoleArgs(role_arn=f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole")
    made = aws.Provider(name, region="us-east-1", allowed_account_ids=[account], assume_roles=[role] if enter else None)
    return pulumi.ResourceOptions(provider=made)


opts = {
    "hub": provider("hub", spec["accounts"]["hub"], enter=False),
    "stage": provider("stage", spec["accounts"]["stage"], enter=True),
}
made: dict[str, Any] = {}
for source in spec["sources"]:
    name = source["name"]
    if source["kind"] == "role":
        made[name] = aws.iam.Role(name, name=name, assume_role_policy=json.dumps(source["trust"]), opts=opts["hub"])
    else:
        made[name] = aws.iam.User(name, name=name, opts=opts["hub"])
for role in spec["roles"]:
    aws.iam.Role(
        role["name"],
        name=role["name"],
        assume_role_policy=json.dumps(role["trust"]),
        opts=pulumi.ResourceOptions.merge(opts["stage"], pulumi.ResourceOptions(depends_on=list(made.values()))),
    )
for number, grant in enumerate(spec["grants"]):
    holder, policy, way = made[grant["to"]], json.dumps(grant["document"]), grant["way"]
    label = f"{grant['to']}-{number}"
    is_role = isinstance(holder, aws.iam.Role)
    if way == "inline" and is_role:
        aws.iam.RolePolicy(label, name=label, role=holder.name, policy=policy, opts=opts["hub"])
    elif way == "inline":
        aws.iam.UserPolicy(label, name=label, user=holder.name, policy=policy, opts=opts["hub"])
    elif way == "managed":
        arn = aws.iam.Policy(label, name=label, policy=policy, opts=opts["hub"]).arn
        if is_role:
            aws.iam.RolePolicyAttachment(label, role=holder.name, policy_arn=arn, opts=opts["hub"])
        else:
            aws.iam.UserPolicyAttachment(label, user=holder.name, policy_arn=arn, opts=opts["hub"])
    else:
        group = aws.iam.Group(label, name=label, opts=opts["hub"])
        aws.iam.GroupPolicy(label, name=label, group=group.name, policy=policy, opts=opts["hub"])
        aws.iam.UserGroupMembership(label, user=holder.name, groups=[group.name], opts=opts["hub"])
