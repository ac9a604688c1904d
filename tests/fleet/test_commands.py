"""`twokeys fleet` as its user meets it: in a process of its own, with the real program on the local AWS."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest
from filelock import FileLock

from tests.fleet.conftest import Change, environment_of, write_stack
from twokeys.access.state import read_state
from twokeys.fleet.environment import load
from twokeys.fleet.sizes import account_sizes
from twokeys.sandbox.local_aws import LocalAws

TWOKEYS = (sys.executable, "-c", "from twokeys.cli import main; main()")
Fleet = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def fleet(project: Path) -> Iterator[Fleet]:
    """Run `twokeys fleet ARGUMENTS` in the project."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return twokeys(project, "fleet", *arguments)

    yield run
    running = LocalAws.attach(project / ".twokeys/aws")
    if running is not None:
        running.stop()


def twokeys(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [*TWOKEYS, *arguments]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=240, check=False)


def told(run: subprocess.CompletedProcess[str]) -> Any:
    assert run.stdout.strip(), run.stderr
    return json.loads(run.stdout)


def states(run: subprocess.CompletedProcess[str]) -> dict[str, str]:
    return {shard["stack"]: shard["state"] for shard in told(run)["shards"]}


SANDBOX = ("--engine", "sandbox", "--json")


def test_an_environment_is_split_previewed_updated_and_verified_and_what_is_unchanged_is_not_run(
    project: Path, fleet: Fleet, set_accounts: Change
) -> None:
    assert twokeys(project, "sandbox", "up", "management").returncode == 0
    assert fleet("split", "prod", "--capacity", "14").returncode == 0
    previewed = fleet("preview", "prod", *SANDBOX)
    assert states(previewed) == {"prod-001": "done", "prod-002": "done"}
    sizes = account_sizes(load(project, "prod").settings)
    assert sizes == {"one": 7, "two": 7, "three": 7}
    creations = {shard["stack"]: shard["changes"]["create"] for shard in told(previewed)["shards"]}
    beside = creations["prod-002"] - sizes["three"]  # the stack, its management provider
    assert creations == {"prod-001": 14 + beside, "prod-002": 7 + beside}

    updated = fleet("up", "prod", *SANDBOX)
    assert states(updated) == {"prod-001": "done", "prod-002": "done"}
    assert updated.returncode == 0
    for again in ("up", "preview"):
        assert states(fleet(again, "prod", *SANDBOX)) == {"prod-001": "unchanged", "prod-002": "unchanged"}
    assert states(fleet("up", "prod", "--all", "--shard", "prod-001", *SANDBOX)) == {"prod-001": "done"}

    verified = fleet("verify", "prod", *SANDBOX)
    assert verified.returncode == 0
    assert told(verified)["findings"] == []
    for shard in told(verified)["shards"]:
        assert set(shard["changes"]) == {"as expected"}

    set_accounts(["one", "two", "three", "four"])
    refused = fleet("preview", "prod", "--engine", "sandbox")
    assert refused.returncode == 1
    assert "twokeys fleet split prod" in refused.stderr
    assert fleet("split", "prod", "--capacity", "14", "--check").returncode == 1
    assert fleet("split", "prod", "--capacity", "14").returncode == 0
    assert states(fleet("preview", "prod", *SANDBOX)) == {"prod-001": "unchanged", "prod-002": "done"}


def test_a_whole_environment_is_no_stack_any_more_once_it_is_split(project: Path, fleet: Fleet) -> None:
    fleet("split", "prod")
    run = twokeys(project, "sandbox", "preview", "prod", "--json")
    assert run.returncode == 1
    assert "it is split: each of its accounts is in the stack of a shard" in run.stdout


def test_an_environment_that_was_one_stack_is_split_and_its_accounts_move_in_the_states_alone(
    project: Path, fleet: Fleet
) -> None:
    assert twokeys(project, "sandbox", "up", "management").returncode == 0
    assert twokeys(project, "sandbox", "up", "prod").returncode == 0
    before = _accounts(project)
    fleet("split", "prod", "--capacity", "14")
    refused = fleet("preview", "prod", "--engine", "sandbox")
    assert refused.returncode == 1
    assert "is in the state of another stack (and 2 more)" in refused.stderr
    assert "twokeys fleet move prod" in refused.stderr
    would = told(fleet("move", "prod", "--preview", *SANDBOX))["moves"]
    assert [(one["account"], one["to"]) for one in would] == [
        ("one", "prod-001"),
        ("three", "prod-002"),
        ("two", "prod-001"),
    ]
    assert fleet("move", "prod", *SANDBOX).returncode == 0
    assert told(fleet("move", "prod", *SANDBOX))["moves"] == []
    _nothing_but_session_names_changes(fleet("preview", "prod", *SANDBOX))

    moved = fleet("move", "prod", "three", "--to", "prod-001", *SANDBOX)
    assert moved.returncode == 0
    assert load(project, "prod").recorded() == {1: ("one", "two", "three"), 2: ()}
    _nothing_but_session_names_changes(fleet("preview", "prod", *SANDBOX))
    assert fleet("up", "prod", *SANDBOX).returncode == 0
    assert _accounts(project) == before
    verified = fleet("verify", "prod", "--shard", "prod-001", *SANDBOX)
    assert told(verified)["ok"], verified.stdout


def _nothing_but_session_names_changes(run: subprocess.CompletedProcess[str]) -> None:
    """The session name of a provider has the stack's name in it; it is updated in place."""
    assert run.returncode == 0, run.stdout
    for shard in told(run)["shards"]:
        assert set(shard["changes"]) <= {"same", "read", "update", "create"}, shard
        assert shard["changes"].get("create", 0) <= 2, shard  # a new stack's own, and its management provider


def _accounts(project: Path) -> dict[str, str]:
    found = {}
    for state in sorted((project / ".twokeys/stacks").glob("prod*.json")):
        if not state.name.endswith((".holder.json", ".bak")):
            for resource in json.loads(state.read_text())["deployment"]["resources"]:
                if resource["type"] == "aws:organizations/account:Account":
                    found[resource["urn"].rpartition("::")[2]] = resource["id"]
    return found


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nobody", "--to", "prod-001"), "there is no account nobody"),
        (("one", "--to", "prod-007"), "there is no shard prod-007"),
        (("one", "--to", "stage-001"), "is called prod-001"),
        (("one",), "name accounts and, with --to, their shard"),
    ],
)
def test_a_move_that_makes_no_sense_is_refused_and_writes_nothing(
    project: Path, fleet: Fleet, arguments: tuple[str, ...], said: str
) -> None:
    fleet("split", "prod", "--capacity", "14")
    before = load(project, "prod").recorded()
    run = fleet("move", "prod", *arguments, "--engine", "sandbox")
    assert run.returncode in (1, 2)
    assert said in run.stderr
    assert load(project, "prod").recorded() == before


def test_a_door_with_one_key_fails_its_shard_and_no_other(project: Path, fleet: Fleet) -> None:
    assert twokeys(project, "sandbox", "up", "management").returncode == 0
    config = environment_of(["one", "two"])
    config["twokeys:doors"]["one-deployer"]["keys"] = ["trust"]
    write_stack(project, "prod", config)
    fleet("split", "prod", "--capacity", "10")
    run = fleet("preview", "prod", *SANDBOX)
    assert run.returncode == 1
    assert states(run) == {"prod-001": "failed", "prod-002": "done"}
    problems = told(run)["shards"][0]["problems"]
    assert any("door-needs-grant" in problem for problem in problems)


def test_no_account_is_made_when_it_is_known_that_one_could_not_be(project: Path, fleet: Fleet) -> None:
    assert twokeys(project, "sandbox", "up", "management").returncode == 0
    with LocalAws.start(project / ".twokeys/aws") as aws:
        organizations = boto3.client(
            "organizations",
            endpoint_url=aws.endpoint,
            region_name="us-east-1",
            aws_access_key_id="111111111111",
            aws_secret_access_key="test",
        )
        organizations.create_account(Email="example+two@company.com", AccountName="somebody-elses")
    fleet("split", "prod", "--capacity", "10")
    run = fleet("up", "prod", "--engine", "sandbox")
    assert run.returncode == 1
    assert "example+two@company.com" in run.stderr
    assert "twokeys preflight prod" in run.stderr
    assert not _states(project)


def test_ctrl_c_stops_in_order_and_the_same_command_goes_on(project: Path, fleet: Fleet) -> None:
    assert twokeys(project, "sandbox", "up", "management").returncode == 0
    fleet("split", "prod", "--capacity", "10")
    command = [*TWOKEYS, "fleet", "up", "prod", "--parallel", "1", *SANDBOX]
    running = subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, text=True)
    first = project / ".twokeys/stacks/prod-001.json"
    until = time.monotonic() + 120
    while not first.exists():  # its first resource is in the state: it is in the middle
        assert time.monotonic() < until
        time.sleep(0.01)
    children = psutil.Process(running.pid).children(recursive=True)
    running.send_signal(signal.SIGINT)
    output, _ = running.communicate(timeout=120)
    stopped = {shard["stack"]: shard["state"] for shard in json.loads(output)["shards"]}
    assert running.returncode == 1
    assert stopped["prod-001"] in ("stopped", "done")
    assert stopped["prod-003"] == "not begun"
    psutil.wait_procs(children, timeout=10)
    assert not [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
    assert set(states(fleet("up", "prod", *SANDBOX)).values()) <= {"done", "unchanged"}
    assert {len(list(read_state(path).of_type("aws:organizations/account:Account"))) for path in _states(project)} == {
        1
    }


def test_a_second_fleet_in_one_sandbox_is_refused_while_the_first_is_at_work(project: Path, fleet: Fleet) -> None:
    lock = project / ".twokeys/fleet/running.lock"
    lock.parent.mkdir(parents=True)
    with FileLock(lock):
        run = fleet("preview", "prod", "--engine", "sandbox")
    assert run.returncode == 1
    assert "another `twokeys fleet` works in it" in run.stderr


def _states(project: Path) -> list[Path]:
    return sorted((project / ".twokeys/stacks").glob("prod-*.json"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("preview", "nowhere"), "there is no Pulumi.nowhere.yaml"),
        (("up", "management"), "there once for the whole organization"),
        (("up", "prod", "--shard", "prod-009"), "there is no shard prod-009"),
        (("up", "prod", "--scheduler", "tcp://127.0.0.1:9"), "the scheduler cannot be reached"),
        (("up", "prod", "--since", "nowhere"), "it cannot be told what changed"),
    ],
)
def test_bad_input_is_refused_with_a_next_step(fleet: Fleet, arguments: tuple[str, ...], said: str) -> None:
    run = fleet(*arguments, "--engine", "sandbox")
    assert run.returncode == 1
    assert said in run.stderr
    assert "next:" in run.stderr


def test_without_the_pulumi_cli_it_is_said_what_is_missing(project: Path) -> None:
    command = [*TWOKEYS, "fleet", "preview", "prod"]
    environment = {**os.environ, "PATH": "/nowhere"}
    run = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "the pulumi CLI is not installed" in run.stderr


def test_the_matrix_names_each_shard(fleet: Fleet) -> None:
    fleet("split", "prod", "--capacity", "10")
    jobs = told(fleet("matrix", "prod"))["include"]
    assert [job["arguments"] for job in jobs] == [f"--shard prod-00{number}" for number in (1, 2, 3)]
