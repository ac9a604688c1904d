"""`--live`: since when is IAM's own CreateDate, as far as IAM keeps one."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest

from twokeys.access.graph import build
from twokeys.access.reading.live import read_live
from twokeys.access.reading.snapshot import PROVIDER, Resource, Snapshot
from twokeys.access.reading.type_names import ACCESS_KEY, MFA_DEVICE, PASSWORD, USER
from twokeys.answers.data import as_data, step_data
from twokeys.answers.model import Answers, Way
from twokeys.answers.reading import read
from twokeys.answers.selection import into
from twokeys.answers.summary import not_looked_at, scope
from twokeys.answers.words import since
from twokeys.audit.page import page
from twokeys.audit.report import what_was_read
from twokeys.audit.table import as_csv
from twokeys.sandbox.local_aws import LocalAws

if TYPE_CHECKING:
    from types_boto3_iam import IAMClient

HUB = "111111111111"


def document(**statement: object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


def test_keys_are_there_since_their_resources_were_made_or_later_where_iam_keeps_no_time(
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
        for user in ("ann", "bob", "zed"):
            iam.create_user(UserName=user)
        people = [f"arn:aws:iam::{HUB}:user/{user}" for user in ("ann", "bob")]
        trust = document(Principal={"AWS": people}, Action="sts:AssumeRole")
        inside.create_role(RoleName="reader", AssumeRolePolicyDocument=trust, MaxSessionDuration=7200)
        grant = document(Action="sts:AssumeRole", Resource=role)
        made = iam.create_policy(PolicyName="enter", PolicyDocument=grant)["Policy"]["Arn"]
        iam.attach_user_policy(UserName="ann", PolicyArn=made)
        iam.create_login_profile(UserName="ann", Password="Not-a-real-1")
        iam.create_access_key(UserName="ann")
        iam.put_user_policy(UserName="bob", PolicyName="enter", PolicyDocument=grant)
        inside.create_user(UserName="pat")
        inside.create_access_key(UserName="pat")
        inside.attach_user_policy(UserName="pat", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
        iam.attach_user_policy(UserName="zed", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
        there = read_live()
        everywhere = read(build(there))
        found = into(everywhere, "prod")
        arn, auditor = _auditor(iam)
        in_part = read(build(read_live(auditor)))
    told = {way.source.who.name: way for way in found.ways if way.target.who.name == "reader"}
    assert set(told) == {"ann", "bob"}
    assert (told["ann"].max_session_seconds, what_was_read(found, None)[0][1].split(", ")[-3:-1]) == (
        7200,
        [f"accounts {HUB}", prod],
    )
    ann, bob = told["ann"].steps[0], told["bob"].steps[0]
    assert ann.trust and ann.trust.since and ann.trust.since.first  # noqa: PT018 - one fact
    assert before <= ann.trust.since.first <= datetime.now(UTC) + timedelta(seconds=2)
    assert [grant.document for grant in ann.grants] == [
        "managed policy enter",
        "attachment of managed policy enter to user ann",
    ]
    assert [grant.document for grant in bob.grants] == ["inline policy enter of user bob"]
    assert [since(way.since)[-9:] for way in told.values()] == [" or later"] * 2
    assert {party.who.name for party in found.principals.values()} >= {"ann", "bob", "reader"}
    hers, *his = sorted(found.long_term, key=str)[::-1]
    assert list(map(str, his)) == ["administrator: user pat of prod has an access key of its own and no MFA device"]
    assert [one.user.arn for one in his] == [f"arn:aws:iam::{prod}:user/pat"]
    assert (hers.user.who.name, hers.has) == ("ann", ("a password", "an access key")), "she comes in from elsewhere"
    assert "access keys and MFA devices of root users," in not_looked_at(found)
    assert scope(everywhere) is None
    assert len(there.by_urn) == len(there.resources), "a policy of AWS's own is in both accounts"
    assert found.accounts[prod].environment == "prod"
    _has_keys_at(found, told["bob"], role, people[1])
    assert scope(in_part) == (
        f"Not known: how long sessions of roles last at most (AWS answered AccessDenied to iam:ListRoles by {arn}); "
        "which users have passwords, access keys and MFA devices (AWS answered AccessDenied to "
        f"iam:GenerateCredentialReport by {arn}). Next step: allow them these actions, as AWS's policy "
        "IAMReadOnlyAccess does; after another error, try again"
    )
    assert [one.user.who.name for one in in_part.long_term] == ["pat"]


def _auditor(iam: "IAMClient") -> tuple[str, boto3.Session]:
    """A user who may read all but three things."""
    arn = iam.create_user(UserName="auditor")["User"]["Arn"]
    allowed = document(
        NotAction=["iam:ListRoles", "iam:GenerateCredentialReport", "iam:GetCredentialReport"], Resource="*"
    )
    iam.put_user_policy(UserName="auditor", PolicyName="read", PolicyDocument=allowed)
    key = iam.create_access_key(UserName="auditor")["AccessKey"]
    return arn, boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name="us-east-1")


def _has_keys_at(found: Answers, way: Way, role: str, user: str) -> None:
    (step,) = map(step_data, way.steps)
    assert [(one["urn"], one["arn"], one["statement"]) for one in (step["trust"], *step["grants"])] == [
        (None, role, 0),
        (None, user, 0),
    ]
    now = datetime.now(UTC)
    assert f"statement 0, {user}" in as_csv(found, None, None, now)
    assert f" or later<br><small>{user}</small>" in page(found, None, None, now).replace("<wbr>", "")
    assert "urn:" not in as_csv(found, None, None, now) + page(found, None, None, now) + json.dumps(as_data(found, now))


def test_a_user_newer_than_the_credential_report_may_have_either() -> None:
    values = {
        "name": "pat",
        "arn": f"arn:aws:iam::{HUB}:user/pat",
        "credentials": dict.fromkeys((PASSWORD, ACCESS_KEY, MFA_DEVICE)),
    }
    provider = Resource(f"account {HUB}", PROVIDER, HUB, {"allowedAccountIds": json.dumps([HUB])})
    user = Resource(str(values["arn"]), USER, "pat", outputs=values, provider=provider.urn)
    (one,) = read(build(Snapshot((provider, user)))).long_term
    assert str(one).startswith(f"no permissions: user pat of {HUB} may have a password or an access key of its own")
