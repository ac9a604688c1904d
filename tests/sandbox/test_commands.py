"""`twokeys sandbox` as its user meets it: in a process of its own, with the repository's own program."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

from tests.sandbox.conftest import TWOKEYS, Run
from twokeys.sandbox.engine.state import StateFile


def accounts_of(environment: dict[str, str]) -> dict[str, str]:
    """Account name to id, from the local AWS itself."""
    organizations = boto3.client(
        "organizations",
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        region_name="us-east-1",
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key="test",
    )
    return {one["Name"]: one["Id"] for one in organizations.list_accounts()["Accounts"]}


def told(run: subprocess.CompletedProcess[str]) -> Any:
    assert run.stdout.strip(), run.stderr
    return json.loads(run.stdout)


def test_the_demo_tells_the_whole_story_and_every_probe_goes_as_expected(twokeys: Run) -> None:
    run = twokeys("sandbox", "demo", "--json")
    story = told(run)
    assert story["failed"] == []
    assert run.returncode == 0
    assert [(one["stack"], one["operation"]) for one in story["runs"]] == [
        (stack, operation) for stack in ("management", "stage", "prod") for operation in ("preview", "up", "up again")
    ]
    assert not story["refusal"]["ok"]
    assert [(one["policy"], one["mandatory"]) for one in story["refusal"]["violations"]] == [("door-needs-grant", True)]
    assert story["refusal"]["stack"] == "stage"
    for one in story["runs"]:
        assert one["violations"] == []
        assert one["policyPacks"] != []
        if one["operation"] == "up again":
            assert set(one["changes"]) <= {"same", "read"}
    assert story["outputs"]["stage"]["parent_account_id"] == "111111111111"
    children = {story["outputs"][stack]["child_account_id"] for stack in ("stage", "prod")}
    assert len(children) == 2
    probes = story["probes"]
    assert all(one["asExpected"] for one in probes)
    assert {one["expected"] for one in probes} == {"assumed", "refused"}
    for door in ("stage-deployer", "stage-developer", "prod-deployer", "prod-read-only"):
        assert any(one["name"].endswith(f"enters by door {door}") and one["happened"] == "assumed" for one in probes)
    assert any("without MFA" in one["name"] and one["happened"] == "refused" for one in probes)
    assert any("administrator of stage tries door prod" in one["name"] for one in probes)


def test_a_door_whose_grant_is_taken_away_is_refused_in_preview(twokeys: Run, project: Path) -> None:
    assert twokeys("sandbox", "up", "management", "--no-policies", "--skip-preview").returncode == 0
    doors = yaml.safe_load((project / "Pulumi.stage.yaml").read_text())["config"]["twokeys:doors"]
    doors["stage-deployer"]["keys"] = ["trust"]
    run = twokeys("sandbox", "preview", "stage", "--json", "--config", f"twokeys:doors={json.dumps(doors)}")
    assert run.returncode == 1
    mandatory = [one for one in told(run)["violations"] if one["mandatory"]]
    assert any("role/deployer" in one["message"] and "grant" in one["message"] for one in mandatory)
    assert any("stage" in one["message"] for one in mandatory)


def test_a_forgotten_stack_is_named_and_nothing_is_made(twokeys: Run) -> None:
    run = twokeys("sandbox", "preview", "nowhere", "--no-policies")
    assert run.returncode == 1
    assert "Pulumi.nowhere.yaml" in run.stderr
    assert "next:" in run.stderr


@pytest.mark.usefixtures("small_organization")
def test_shell_leaves_the_local_aws_running_until_it_is_stopped(twokeys: Run) -> None:
    assert twokeys("sandbox", "up", "management", "--no-policies", "--skip-preview").returncode == 0
    environment = told(twokeys("sandbox", "shell", "--json"))
    assert list(accounts_of(environment).values()) == ["111111111111"]
    exports = twokeys("sandbox", "shell").stdout
    assert f"export AWS_ENDPOINT_URL={environment['AWS_ENDPOINT_URL']}" in exports
    assert twokeys("sandbox", "shell", "--stop").stderr.strip() == "stopped"
    assert twokeys("sandbox", "shell", "--stop").stderr.strip() == "no local AWS was running"


def test_pulumi_as_the_engine_says_how_to_get_it_when_it_is_not_there(
    twokeys: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    run = twokeys("sandbox", "preview", "stage", "--engine", "pulumi", "--no-policies")
    assert run.returncode == 1
    assert "the pulumi CLI is not installed" in run.stderr
    assert "https://www.pulumi.com/docs/iac/download-install/" in run.stderr


@pytest.mark.usefixtures("small_organization")
@pytest.mark.parametrize("begun", ["Pulumi program", "account"])
def test_ctrl_c_exits_with_130_and_the_next_update_goes_on(twokeys: Run, project: Path, begun: str) -> None:
    assert twokeys("sandbox", "up", "management", "--no-policies", "--skip-preview").returncode == 0
    command = [*TWOKEYS, "sandbox", "up", "stage", "--no-policies", "--skip-preview"]
    update = subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    state = project / ".twokeys" / "stacks" / "stage.json"
    wanted = {"Pulumi program": "pulumi:pulumi:Stack", "account": "organizations/account:Account"}[begun]
    deadline = time.monotonic() + 120
    while wanted not in (state.read_text() if state.exists() else ""):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    update.send_signal(signal.SIGINT)
    output, errors = update.communicate(timeout=120)
    assert update.returncode == 130, output + errors
    json.loads(state.read_text())
    assert twokeys("sandbox", "up", "stage", "--no-policies", "--skip-preview").returncode == 0
    environment = told(twokeys("sandbox", "shell", "--json"))
    assert len(accounts_of(environment)) == 2


def test_a_second_run_at_the_same_time_is_refused_and_told_who_holds_the_stack(twokeys: Run, project: Path) -> None:
    with StateFile(project / ".twokeys" / "stacks", "management").locked("twokeys sandbox up management"):
        run = twokeys("sandbox", "up", "management", "--no-policies", "--skip-preview")
    assert run.returncode == 1
    assert f"process {os.getpid()}" in run.stderr
    assert "`twokeys sandbox up management`" in run.stderr


@pytest.mark.usefixtures("small_organization")
def test_destroy_refuses_protected_accounts_and_forgets_them_when_forced(twokeys: Run, project: Path) -> None:
    for stack in ("management", "stage"):
        assert twokeys("sandbox", "up", stack, "--no-policies", "--skip-preview").returncode == 0
    refused = twokeys("sandbox", "destroy", "stage", "--no-policies", "--json")
    assert refused.returncode == 1
    assert any("because it is protected" in one["message"] for one in told(refused)["diagnostics"])
    forced = twokeys("sandbox", "destroy", "stage", "--no-policies", "--force-unprotect", "--json")
    assert forced.returncode == 0, forced.stdout
    assert not (project / ".twokeys" / "stacks" / "stage.json").exists()


def test_nothing_of_the_users_aws_reaches_the_program(twokeys: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID"):
        monkeypatch.setenv(name, "real")
    run = twokeys("sandbox", "preview", "management", "--no-policies", "--json")
    assert told(run)["ok"], "a profile that does not exist, or real keys, would have failed it"
