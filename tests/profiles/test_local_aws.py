"""A written profile, really used: boto3 assumes the role through it on the local AWS and is in the right account."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import CliRunner

from tests.profiles.doors import MANAGEMENT, STAGE, door, outputs, write
from twokeys.profiles.commands import profiles
from twokeys.sandbox.local_aws import LocalAws


def allow(action: str, **more: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, **more}]})


@pytest.fixture(scope="module")
def local_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """Ada in the management account, with a grant for one role in stage that trusts her and asks for an external ID."""
    with LocalAws.start(tmp_path_factory.mktemp("aws")) as running:
        parent, stage = running.client("iam", MANAGEMENT), running.client("iam", STAGE)
        parent.create_user(UserName="ada")
        role = f"arn:aws:iam::{STAGE}:role/ops/reader"
        parent.put_user_policy(UserName="ada", PolicyName="door", PolicyDocument=allow("sts:AssumeRole", Resource=role))
        trust = allow(
            "sts:AssumeRole",
            Principal={"AWS": f"arn:aws:iam::{MANAGEMENT}:user/ada"},
            Condition={"StringEquals": {"sts:ExternalId": "Unique-ID"}},
        )
        stage.create_role(RoleName="reader", Path="/ops/", AssumeRolePolicyDocument=trust, MaxSessionDuration=7200)
        yield running


@pytest.fixture
def config(tmp_path: Path, local_aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> Path:
    file, credentials = tmp_path / "config", tmp_path / "credentials"
    key = local_aws.client("iam", MANAGEMENT).create_access_key(UserName="ada")["AccessKey"]
    pair = f"aws_access_key_id = {key['AccessKeyId']}\naws_secret_access_key = {key['SecretAccessKey']}\n"
    file.write_text("[profile ada]\nregion = us-east-1\n")
    credentials.write_text(f"[ada]\n{pair}")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    monkeypatch.setenv("AWS_ENDPOINT_URL", local_aws.endpoint)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(credentials))
    return file


def write_profiles(tmp_path: Path, *doors: dict[str, Any]) -> None:
    state = write(tmp_path, "stage.json", outputs(*doors))
    chosen = ["--person", "ada", "--state", state, "--source-profile", "ada"]
    result = CliRunner().invoke(profiles, chosen, standalone_mode=False)
    assert result.exception is None, result.exception


@pytest.mark.usefixtures("config")
def test_a_written_profile_is_a_way_into_the_right_account(tmp_path: Path) -> None:
    write_profiles(tmp_path, door("stage-reader", role="ops/reader", external_id="Unique-ID"))
    identity = boto3.Session(profile_name="stage-reader").client("sts").get_caller_identity()
    assert identity["Account"] == STAGE
    assert identity["Arn"] == f"arn:aws:sts::{STAGE}:assumed-role/reader/ada"


@pytest.mark.usefixtures("config")
def test_a_written_profile_of_a_door_behind_a_role_goes_through_both(tmp_path: Path, local_aws: LocalAws) -> None:
    parent, stage = local_aws.client("iam", MANAGEMENT), local_aws.client("iam", STAGE)
    ada, hub = f"arn:aws:iam::{MANAGEMENT}:user/ada", f"arn:aws:iam::{MANAGEMENT}:role/hub"
    behind = f"arn:aws:iam::{STAGE}:role/behind"
    parent.create_role(RoleName="hub", AssumeRolePolicyDocument=allow("sts:AssumeRole", Principal={"AWS": ada}))
    grant = allow("sts:AssumeRole", Resource=behind)
    parent.put_role_policy(RoleName="hub", PolicyName="on", PolicyDocument=grant)
    stage.create_role(RoleName="behind", AssumeRolePolicyDocument=allow("sts:AssumeRole", Principal={"AWS": hub}))
    source = {"kind": "role", "account": MANAGEMENT, "names": ["hub"]}
    write_profiles(tmp_path, door("hub", target=MANAGEMENT, role="hub"), door("on", role="behind", source=source))
    identity = boto3.Session(profile_name="on").client("sts").get_caller_identity()
    assert identity["Arn"] == f"arn:aws:sts::{STAGE}:assumed-role/behind/ada"


@pytest.mark.usefixtures("config")
def test_without_a_name_the_doors_are_those_of_whoever_has_the_credentials(tmp_path: Path) -> None:
    """https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html"""
    stage = write(tmp_path, "stage.json", outputs(door("mine"), door("not-mine", names=("bob",))))
    done = CliRunner().invoke(
        profiles, ["--state", stage, "--source-profile", "ada"], standalone_mode=False, catch_exceptions=False
    )
    assert "the doors are those of user ada, whose credentials you have" in done.stderr
    assert set(boto3.Session().available_profiles) == {"ada", "mine"}
