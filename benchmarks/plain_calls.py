"""The work of a fleet's update as plain boto3 calls: accounts, each with a role and the grant for it.

python benchmarks/plain_calls.py ACCOUNTS
"""

from __future__ import annotations

import json
import sys
import time

import boto3

GRANTS = 40
"""Doors from one role, as in the fleet that is compared."""


def document(**statement: object) -> str:
    """A policy document of one statement."""
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def plain(accounts: int) -> None:
    """The same work as plain boto3 calls."""
    session = boto3.Session(region_name="us-east-1")
    organizations, iam = session.client("organizations"), session.client("iam")
    for number in range(accounts):
        email, name = f"example+plain-{number}@company.com", f"plain-{number}"
        status = organizations.create_account(Email=email, AccountName=name)["CreateAccountStatus"]
        while status["State"] == "IN_PROGRESS":
            time.sleep(0.1)
            status = organizations.describe_create_account_status(CreateAccountRequestId=status["Id"])[
                "CreateAccountStatus"
            ]
        account = status["AccountId"]
        access = f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole"
        keys = session.client("sts").assume_role(RoleArn=access, RoleSessionName="plain")["Credentials"]
        member = session.client(
            "iam",
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )
        source_role = f"ci-{number // GRANTS:03d}"
        source = f"arn:aws:iam::111111111111:role/{source_role}"
        trust = document(Effect="Allow", Principal={"AWS": source}, Action="sts:AssumeRole")
        role = member.create_role(RoleName="ci", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        member.attach_role_policy(RoleName="ci", PolicyArn="arn:aws:iam::aws:policy/PowerUserAccess")
        grant = document(Effect="Allow", Action="sts:AssumeRole", Resource=role)
        iam.put_role_policy(RoleName=source_role, PolicyName=name, PolicyDocument=grant)
    print(json.dumps({"accounts": accounts}))


if __name__ == "__main__":
    plain(int(sys.argv[1]))
