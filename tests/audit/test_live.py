"""`--live`: since when is IAM's own CreateDate, as far as IAM keeps one."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest

from twokeys.access.graph import build
from twokeys.access.live import read_live
from twokeys.answers.reading import read
from twokeys.answers.selection import into
from twokeys.answers.words import since
from twokeys.sandbox.local_aws import LocalAws

HUB = "111111111111"


def document(**statement: object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


def test_keys_are_there_since_their_resources_were_made_and_an_inline_policys_time_is_not_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = datetime.now(UTC) - timedelta(seconds=2)
    with LocalAws.start(tmp_path / "aws") as aws:
        for name, value in aws.environment(HUB).items():
            monkeypatch.setenv(name, value)
        organizations, iam = boto3.client("organizations"), boto3.client("iam")
        organizations.create_organization(FeatureSet="ALL")
        status = organizations.create_account(Email="aws+prod@example.com", AccountName="prod")["CreateAccountStatus"]
        prod = status.get("AccountId") or organizations.list_accounts()["Accounts"][-1]["Id"]
        inside = boto3.client("iam", aws_access_key_id=prod, aws_secret_access_key="test")
        role = f"arn:aws:iam::{prod}:role/reader"
        for user in ("ann", "bob"):
            iam.create_user(UserName=user)
        people = [f"arn:aws:iam::{HUB}:user/{user}" for user in ("ann", "bob")]
        trust = document(Principal={"AWS": people}, Action="sts:AssumeRole")
        inside.create_role(RoleName="reader", AssumeRolePolicyDocument=trust)
        grant = document(Action="sts:AssumeRole", Resource=role)
        made = iam.create_policy(PolicyName="enter", PolicyDocument=grant)["Policy"]["Arn"]
        iam.attach_user_policy(UserName="ann", PolicyArn=made)
        iam.put_user_policy(UserName="bob", PolicyName="enter", PolicyDocument=grant)
        found = into(read(build(read_live())), "prod")
    told = {way.source.who.name: way for way in found.ways if way.target.who.name == "reader"}
    assert set(told) == {"ann", "bob"}
    ann, bob = told["ann"].steps[0], told["bob"].steps[0]
    assert ann.trust is not None
    assert ann.trust.created is not None
    assert before <= datetime.fromisoformat(ann.trust.created) <= datetime.now(UTC) + timedelta(seconds=2)
    assert [grant.document for grant in ann.grants] == [
        "managed policy enter",
        "attachment of managed policy enter to user ann",
    ]
    assert [(grant.document, grant.created) for grant in bob.grants] == [("inline policy enter of user bob", None)]
    assert told["bob"].since is None
    assert told["bob"].not_before == ann.trust.created
    assert since(told["bob"]).endswith(" UTC or later")
    assert {party.who.name for party in found.principals.values()} >= {"ann", "bob", "reader"}
