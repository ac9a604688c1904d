"""A hub and a member account with as many resources as RESOURCES says: a role, the role it enters, and its grant."""

import json
import os
from typing import Any

import pulumi
import pulumi_aws as aws

HUB, STAGE = "111111111111", os.environ["STAGE_ACCOUNT"]


def document(**statement: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


enter = aws.ProviderAssumeRoleArgs(role_arn=f"arn:aws:iam::{STAGE}:role/OrganizationAccountAccessRole")
hub = aws.Provider("hub", region="us-east-1", allowed_account_ids=[HUB])
stage = aws.Provider("stage", region="us-east-1", allowed_account_ids=[STAGE], assume_roles=[enter])
in_hub, in_stage = pulumi.ResourceOptions(provider=hub), pulumi.ResourceOptions(provider=stage)
service = document(Principal={"Service": "ec2.amazonaws.com"}, Action="sts:AssumeRole")

for number in range((int(os.environ["RESOURCES"]) - 3) // 3):
    ci, door = f"ci-{number}", f"door-{number}"
    aws.iam.Role(ci, name=ci, assume_role_policy=service, opts=in_hub)
    trust = document(Principal={"AWS": f"arn:aws:iam::{HUB}:role/{ci}"}, Action="sts:AssumeRole")
    aws.iam.Role(door, name=door, assume_role_policy=trust, opts=in_stage)
    grant = document(Action="sts:AssumeRole", Resource=f"arn:aws:iam::{STAGE}:role/{door}")
    aws.iam.RolePolicy(ci, name="enter", role=ci, policy=grant, opts=in_hub)
