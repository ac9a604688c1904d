"""One grant in the management stack, a trust in every account of every shard: on disk, and for real on the local AWS.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html: both keys open;
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html: why there is one grant for all.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.fleet.conftest import MANAGEMENT, environment_of, write_stack
from twokeys.errors import Refusal
from twokeys.fleet.environment import load, stored_config
from twokeys.fleet.placement import place
from twokeys.fleet.sizes import account_sizes
from twokeys.sandbox.local_aws import LocalAws

TWOKEYS = (sys.executable, "-c", "from twokeys.cli import main; main()")
HUB = "111111111111"
SANDBOX = ("--engine", "sandbox", "--json")
GRANT = {"from": {"role": "auditor"}, "to": {"role": "auditor"}, "reason": "The audit", "owner": "security"}
AUDITOR: dict[str, Any] = {
    "from": {"role": "auditor"},
    "to": {"account": "*", "role": "auditor"},
    "keys": ["trust"],
    "permissions": {"managedPolicies": ["arn:aws:iam::aws:policy/SecurityAudit"]},
    "reason": "The audit",
    "owner": "security",
}


def management(project: Path, **grants: object) -> None:
    roles = {"ci": {}, "auditor": {}, "stranger": {}}
    config = {**MANAGEMENT, "twokeys:people": {"roles": roles}, "twokeys:organizationGrants": grants}
    write_stack(project, "management", config)


def environment(project: Path, names: list[str], **door: object) -> None:
    write_stack(project, "prod", {**environment_of(names, doors=False), "twokeys:doors": {"auditor": AUDITOR | door}})


def run(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [*TWOKEYS, *arguments]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=300, check=False)


def split(project: Path) -> None:
    found = load(project, "prod")
    found.write(place(account_sizes(found.settings), found.recorded(), 14))


def test_a_door_into_every_account_is_in_every_shard_and_counted_for_each_account(project: Path) -> None:
    environment(project, ["one", "two", "three"])
    assert account_sizes(load(project, "prod").settings) == {"one": 6, "two": 6, "three": 6}
    split(project)
    shards = load(project, "prod").shards
    assert [shard.accounts for shard in shards] == [("one", "two"), ("three",)]
    assert [stored_config(shard.file)["twokeys:doors"] for shard in shards] == [{"auditor": AUDITOR}] * 2


def test_a_new_account_gets_the_door_without_a_change_to_the_other_shards(project: Path) -> None:
    environment(project, ["one", "two", "three"])
    split(project)
    before = (project / "shards/Pulumi.prod-001.yaml").read_text()
    environment(project, ["one", "two", "three", "four"])
    split(project)
    assert (project / "shards/Pulumi.prod-001.yaml").read_text() == before
    assert set(load(project, "prod").settings.doors) == {f"{name}-auditor" for name in ("one", "two", "three", "four")}


def test_an_environment_with_more_grants_than_aws_takes_is_refused_and_told_of_the_one_grant(project: Path) -> None:
    names = [f"a{number}" for number in range(100)]
    environment(project, names, keys=["trust", "grant"])
    with pytest.raises(Refusal, match=r"10240 of a role.*organizationGrants"):
        load(project, "prod")
    refused = run(project, "fleet", "split", "prod")
    assert refused.returncode == 1
    assert "organizationGrants" in refused.stderr
    assert not (project / "shards").exists()
    environment(project, names)
    assert len(load(project, "prod").settings.doors) == 100


@pytest.fixture
def organization(project: Path) -> Iterator[Path]:
    """The project with two shards of prod; its local AWS is stopped afterwards."""
    environment(project, ["one", "two", "three"])
    yield project
    running = LocalAws.attach(project / ".twokeys/aws")
    if running is not None:
        running.stop()


def told(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.stdout.strip(), done.stderr
    return json.loads(done.stdout)


def problems(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    return {shard["stack"]: " ".join(shard["problems"]) for shard in told(done)["shards"]}


def test_one_grant_lets_the_auditor_into_every_account_of_two_shards_and_nobody_else(organization: Path) -> None:
    project = organization
    management(project, auditor=GRANT)
    previewed = run(project, "sandbox", "preview", "management", "--json")
    assert previewed.returncode == 0, previewed.stdout
    assert run(project, "sandbox", "up", "management").returncode == 0
    assert run(project, "fleet", "split", "prod", "--capacity", "14").returncode == 0
    for operation in ("preview", "up", "verify"):
        done = run(project, "fleet", operation, "prod", *SANDBOX)
        assert done.returncode == 0, done.stdout
        assert {shard["stack"] for shard in told(done)["shards"]} == {"prod-001", "prod-002"}
    assert told(done)["findings"] == []
    _auditor_enters_and_a_stranger_does_not(project)

    management(project)
    assert run(project, "sandbox", "up", "management").returncode == 0
    withdrawn = run(project, "fleet", "verify", "prod", *SANDBOX)
    assert withdrawn.returncode == 1
    assert len([one for one in told(withdrawn)["findings"] if one.startswith("door-needs-grant")]) == 3


def _auditor_enters_and_a_stranger_does_not(project: Path) -> None:
    with LocalAws.start(project / ".twokeys/aws") as aws:
        listed = _client(aws, "organizations", HUB, "test").list_accounts()["Accounts"]
        members = [one["Id"] for one in listed if one["Id"] != HUB]
        assert len(members) == 3
        iam = _client(aws, "iam", HUB, "test")
        assert iam.list_role_policies(RoleName="auditor")["PolicyNames"] == ["assume-organization-auditor"]
        for member in members:
            role = f"arn:aws:iam::{member}:role/auditor"
            assert _enters(aws, "auditor", role)
            assert not _enters(aws, "stranger", role)


def _enters(aws: LocalAws, source: str, role: str) -> bool:
    root = _client(aws, "sts", HUB, "test")
    keys = root.assume_role(RoleArn=f"arn:aws:iam::{HUB}:role/{source}", RoleSessionName="test")["Credentials"]
    sts = _client(aws, "sts", keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    try:
        sts.assume_role(RoleArn=role, RoleSessionName="test")
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDenied":
            raise
        return False
    return True


def _client(aws: LocalAws, service: str, key: str, secret: str, token: str | None = None) -> Any:
    return boto3.client(  # type: ignore[call-overload] # the service is a variable
        service,
        endpoint_url=aws.endpoint,
        region_name="us-east-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
    )


@pytest.mark.parametrize(
    "grants",
    [
        {},
        {"auditor": {**GRANT, "to": {"role": "auditors"}}},
        {"auditor": {**GRANT, "from": {"role": "stranger"}}},
    ],
    ids=["no grant", "another role", "another source"],
)
def test_a_trust_that_the_management_stack_does_not_grant_is_refused_in_preview(
    organization: Path, grants: dict[str, object]
) -> None:
    management(organization, **grants)
    assert run(organization, "sandbox", "up", "management").returncode == 0
    assert run(organization, "fleet", "split", "prod", "--capacity", "14").returncode == 0
    done = run(organization, "fleet", "preview", "prod", *SANDBOX)
    assert done.returncode == 1
    assert all("door-needs-grant" in found for found in problems(done).values()), problems(done)
