"""A fleet on the pulumi CLI and an aws plugin, against the local AWS, where both are on PATH: `pytest -m engine`."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest

from tests.fleet.test_commands import TWOKEYS
from twokeys.sandbox.local_aws import LocalAws

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]
BOTH = ("prod-001", "prod-002")
PULUMI = ("pulumi", "-C", "shards")


@dataclass(frozen=True)
class Cloud:
    """A project with a backend of its own, and the local AWS."""

    project: Path
    environment: dict[str, str]

    def run(self, *command: str, check: bool = False) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=self.project, env=self.environment, capture_output=True, text=True, timeout=280, check=check
        )

    def fleet(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.run(*TWOKEYS, "fleet", *arguments)

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        command = [*TWOKEYS, "fleet", *arguments]
        return subprocess.Popen(command, cwd=self.project, env=self.environment, stdout=subprocess.PIPE, text=True)

    def told(self, *arguments: str) -> dict[str, dict[str, Any]]:
        """What came of each shard, by stack."""
        run = self.fleet(*arguments, "--json")
        assert "shards" in run.stdout, run.stdout + run.stderr
        return {shard["stack"]: shard for shard in json.loads(run.stdout)["shards"]}

    def in_aws(self) -> dict[str, list[str]]:
        """The ids of the member accounts, by e-mail: there must be one for each."""
        client = boto3.client(
            "organizations",
            endpoint_url=self.environment["AWS_ENDPOINT_URL"],
            region_name="us-east-1",
            aws_access_key_id="111111111111",
            aws_secret_access_key="test",
        )
        found: dict[str, list[str]] = {}
        for account in client.list_accounts()["Accounts"]:
            if account["Id"] != "111111111111":
                found.setdefault(account["Email"], []).append(account["Id"])
        return found

    def in_states(self) -> dict[str, dict[str, str]]:
        """The account ids that each shard's state holds, by name."""
        return {stack: self.accounts_of(stack) for stack in BOTH}

    def pending(self, stack: str) -> list[dict[str, Any]]:
        """What was being created when the CLI was killed."""
        state = json.loads(self.run(*PULUMI, "stack", "export", "-s", stack, check=True).stdout)
        return [one["resource"] for one in state["deployment"].get("pending_operations") or ()]

    def accounts_of(self, stack: str) -> dict[str, str]:
        state = json.loads(self.run(*PULUMI, "stack", "export", "-s", stack, check=True).stdout)
        return {
            one["urn"].rpartition("::")[2]: one["id"]
            for one in state["deployment"]["resources"]
            if one["type"] == "aws:organizations/account:Account"
        }


@pytest.fixture
def cloud(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """The organization is made; environment prod is split: one and two in the first shard, three in the second."""
    (project / "pyproject.toml").unlink()  # without it the CLI installs nothing into the environment that we share
    place = tmp_path_factory.mktemp("pulumi")
    (place / "backend").mkdir()
    with LocalAws.start(place / "aws") as aws:
        environment = {
            **os.environ,
            **aws.environment(),
            "PULUMI_HOME": str(place / "home"),
            "PULUMI_BACKEND_URL": (place / "backend").as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "a test",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }
        made = Cloud(project, environment)
        made.run("pulumi", "stack", "init", "management", check=True)
        made.run("pulumi", "up", "--yes", "--skip-preview", "--stack", "management", check=True)
        assert made.fleet("split", "prod", "--capacity", "14").returncode == 0
        yield made


def test_a_fleet_is_previewed_updated_left_alone_when_unchanged_and_an_account_moves(cloud: Cloud) -> None:
    previewed = cloud.told("preview", "prod")
    assert {stack: one["state"] for stack, one in previewed.items()} == dict.fromkeys(BOTH, "done"), previewed
    updated = cloud.told("up", "prod")
    assert {stack: one["state"] for stack, one in updated.items()} == dict.fromkeys(BOTH, "done"), updated
    assert {stack: one["changes"] for stack, one in updated.items()} == {
        stack: one["changes"] for stack, one in previewed.items()
    }
    assert cloud.fleet("split", "prod", "--check").returncode == 0  # the CLI has written into the shards' files
    for again in ("up", "preview"):
        unchanged = cloud.told(again, "prod")
        assert {stack: one["state"] for stack, one in unchanged.items()} == dict.fromkeys(BOTH, "unchanged")
    accounts, states = cloud.in_aws(), cloud.in_states()
    assert {name for state in states.values() for name in state} == {"one", "two", "three"}

    would = json.loads(cloud.fleet("move", "prod", "two", "--to", "prod-002", "--preview", "--json").stdout)["moves"]
    assert [(one["account"], one["from"], one["to"]) for one in would] == [("two", "prod-001", "prod-002")]
    assert cloud.in_states() == states
    before = cloud.run(*PULUMI, "stack", "export", "-s", "prod-001", check=True).stdout
    moved = cloud.fleet("move", "prod", "two", "--to", "prod-002")
    assert moved.returncode == 0, moved.stdout + moved.stderr
    # The CLI writes the destination first: a kill in between would have left the source as it was.
    (cloud.project / "before.json").write_text(before)
    cloud.run(*PULUMI, "stack", "import", "-s", "prod-001", "--file", str(cloud.project / "before.json"), check=True)
    completed = cloud.fleet("move", "prod")
    assert completed.returncode == 0, completed.stdout + completed.stderr
    two = states["prod-001"].pop("two")
    assert cloud.in_states() == {"prod-001": states["prod-001"], "prod-002": {**states["prod-002"], "two": two}}
    after = cloud.told("preview", "prod")
    assert set(after["prod-001"]["changes"]) <= {"same", "read"}, after
    assert after["prod-002"]["changes"]["update"] == 1, after  # the session name has the stack's name in it
    assert set(after["prod-002"]["changes"]) <= {"same", "read", "update"}, after
    assert {one["state"] for one in cloud.told("up", "prod").values()} <= {"done", "unchanged"}
    assert cloud.in_aws() == accounts
    again = cloud.told("preview", "prod", "--all")
    assert {op for one in again.values() for op in one["changes"]} <= {"same", "read"}, again


def test_a_cli_that_was_killed_leaves_a_lock_that_only_proof_takes_away_and_no_account_is_made_twice(
    cloud: Cloud,
) -> None:
    running = cloud.begin("up", "prod", "--shard", "prod-001", "--json")
    cli = _cli_that_creates(cloud, psutil.Process(running.pid))
    cli.suspend()  # alive, and not done before we have asked
    started = psutil.Process(running.pid).children(recursive=True)
    living = cloud.fleet("unlock", "prod", "prod-001")
    assert living.returncode == 1
    assert "that process is alive" in living.stderr
    cli.kill()  # its lock stays
    (shard,) = json.loads(running.communicate(timeout=120)[0])["shards"]
    assert (running.returncode, shard["state"]) == (1, "failed")
    assert psutil.wait_procs(started, timeout=20)[1] == []

    locked = cloud.told("up", "prod", "--shard", "prod-001")["prod-001"]
    assert locked["state"] == "failed"
    assert any("twokeys fleet unlock prod prod-001" in problem for problem in locked["problems"]), locked
    unlocked = cloud.fleet("unlock", "prod", "prod-001")
    assert (unlocked.returncode, f"process {cli.pid} " in unlocked.stdout) == (0, True), unlocked.stdout
    assert "is not locked" in cloud.fleet("unlock", "prod", "prod-001").stdout

    # Its account was made and is not in the state: AWS would refuse a second one for its e-mail address.
    (pending,) = cloud.pending("prod-001")
    assert pending["type"] == "aws:organizations/account:Account"
    again = cloud.told("up", "prod", "--shard", "prod-001")["prod-001"]
    assert again["state"] == "done", "\n".join(again["problems"])
    accounts = cloud.in_aws()
    assert {len(ids) for ids in accounts.values()} == {1}
    assert sorted(cloud.accounts_of("prod-001").values()) == sorted(ids[0] for ids in accounts.values())
    assert cloud.pending("prod-001") == []
    after = cloud.told("preview", "prod", "--shard", "prod-001", "--all")["prod-001"]
    assert set(after["changes"]) <= {"same", "read"}, after


def _cli_that_creates(cloud: Cloud, command: psutil.Process) -> psutil.Process:
    """The CLI's process of the shard, as soon as the first account is there: it is in the middle of its work."""
    until = time.monotonic() + 120
    while not cloud.in_aws():
        assert time.monotonic() < until
        time.sleep(0.05)
    return next(one for one in command.children(recursive=True) if one.name() == "pulumi" and "up" in one.cmdline())
