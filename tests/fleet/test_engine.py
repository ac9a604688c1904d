"""A fleet on the pulumi CLI and an aws plugin, against the local AWS, where both are on PATH: `pytest -m engine`."""

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest
import yaml
from botocore.exceptions import ClientError

from tests.fleet.cloud import NAMES, ROLES, Cloud, cloud
from tests.fleet.conftest import MANAGEMENT, environment_of, write_stack
from tests.fleet.test_organization_doors import AUDITOR, GRANT
from twokeys.fleet.layout import account_sizes
from twokeys.project.environment import load

ACCOUNT = "aws:organizations/account:Account"

pytestmark = [pytest.mark.engine, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def made(project_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with cloud(project_root, tmp_path_factory.mktemp("fleet")) as found:
        yield found


def states(shards: dict[str, dict[str, object]]) -> dict[str, object]:
    return {stack: shard["state"] for stack, shard in shards.items()}


def test_a_fleet_is_previewed_updated_verified_and_left_alone_when_unchanged_and_an_account_moves(made: Cloud) -> None:
    one, two, three = made.write("a")
    both = ("a-001", "a-002")
    previewed = made.shards("preview", "a")
    assert states(previewed) == dict.fromkeys(both, "done"), previewed
    sizes = account_sizes(load(made.project, "a").settings)
    beside = previewed["a-002"]["changes"]["create"] - sizes[three]  # the stack, its management provider, ...
    assert previewed["a-001"]["changes"]["create"] == sizes[one] + sizes[two] + beside
    updated = made.shards("up", "a")
    assert states(updated) == dict.fromkeys(both, "done"), updated
    assert {stack: one["changes"] for stack, one in updated.items()} == {
        stack: one["changes"] for stack, one in previewed.items()
    }
    assert made.fleet("split", "a", "--check").returncode == 0  # the CLI has written into the shards' files
    for again in ("up", "preview"):
        assert states(made.shards(again, "a")) == dict.fromkeys(both, "unchanged")
    proved = json.loads(made.fleet("verify", "a", "--json").stdout)
    assert proved["findings"] == []
    assert all(set(shard["changes"]) <= {"as expected", "not probed"} for shard in proved["shards"]), proved
    accounts, before = made.accounts("a"), {stack: made.held(stack) for stack in both}
    assert {name for state in before.values() for name in state} == {one, two, three}

    would = json.loads(made.fleet("move", "a", two, "--to", "a-002", "--preview", "--json").stdout)["moves"]
    assert [(each["account"], each["from"], each["to"]) for each in would] == [(two, "a-001", "a-002")]
    assert {stack: made.held(stack) for stack in both} == before
    exported = made.run("pulumi", "-C", "shards", "stack", "export", "-s", "a-001", check=True).stdout
    moved = made.fleet("move", "a", two, "--to", "a-002")
    assert moved.returncode == 0, moved.stdout + moved.stderr
    # The CLI writes the destination first: a kill in between would have left the source as it was.
    file = made.project / "before.json"
    file.write_text(exported)
    made.run("pulumi", "-C", "shards", "stack", "import", "-s", "a-001", "--file", str(file), check=True)
    refused = made.fleet("preview", "a")
    assert (refused.returncode, "is in the state of another stack" in refused.stderr) == (1, True), refused.stderr
    completed = made.fleet("move", "a")
    assert completed.returncode == 0, completed.stdout + completed.stderr
    moved_id = before["a-001"].pop(two)
    assert {stack: made.held(stack) for stack in both} == {
        "a-001": before["a-001"],
        "a-002": {**before["a-002"], two: moved_id},
    }
    after = made.shards("preview", "a")
    assert set(after["a-001"]["changes"]) <= {"same", "read"}, after
    assert after["a-002"]["changes"]["update"] == 1, after  # the session name has the stack's name in it
    assert set(after["a-002"]["changes"]) <= {"same", "read", "update"}, after
    assert set(states(made.shards("up", "a")).values()) <= {"done", "unchanged"}
    assert made.accounts("a") == accounts
    again = made.shards("preview", "a", "--all")
    assert {op for one in again.values() for op in one["changes"]} <= {"same", "read"}, again


def test_a_door_with_one_key_fails_its_shard_and_no_other_and_a_split_environment_is_no_stack(made: Cloud) -> None:
    one, _, _ = made.write("b", capacity=10)
    config = yaml.safe_load((made.project / "Pulumi.b.yaml").read_text())["config"]
    config["twokeys:doors"][f"{one}-deployer"]["keys"] = ["trust"]
    write_stack(made.project, "b", config)
    assert made.fleet("split", "b", "--capacity", "10").returncode == 0
    shards = made.shards("preview", "b")
    assert states(shards) == {"b-001": "failed", "b-002": "done", "b-003": "done"}
    assert any("door-needs-grant" in problem for problem in shards["b-001"]["problems"])
    made.run("pulumi", "stack", "init", "b")
    whole = made.run("pulumi", "preview", "--stack", "b")
    assert whole.returncode != 0
    assert "it is split" in whole.stdout + whole.stderr


def test_no_account_is_made_when_it_is_known_that_one_could_not_be(made: Cloud) -> None:
    _, two, _ = made.write("c", capacity=10)
    email = f"example+{two}@company.com"
    made.client("organizations").create_account(Email=email, AccountName="somebody-elses")
    run = made.fleet("up", "c")
    assert run.returncode == 1
    assert email in run.stderr
    assert "twokeys preflight c" in run.stderr
    assert made.accounts("c") == {}


def test_ctrl_c_stops_in_order_and_the_same_command_goes_on(made: Cloud) -> None:
    made.write("d")
    running = made.begin("up", "d", "--parallel", "1", "--json")
    cli_that_creates(made, "d-001", psutil.Process(running.pid))
    children = psutil.Process(running.pid).children(recursive=True)
    running.send_signal(signal.SIGINT)
    output, _ = running.communicate(timeout=120)
    stopped = {shard["stack"]: shard["state"] for shard in json.loads(output)["shards"]}
    assert running.returncode == 1
    assert stopped == {"d-001": "stopped", "d-002": "not begun"}
    assert psutil.wait_procs(children, timeout=120)[1] == []
    again = made.shards("up", "d")
    assert set(states(again).values()) <= {"done", "unchanged"}, again
    assert [len(ids) for ids in made.accounts("d").values()] == [1, 1, 1]


def test_an_environment_that_was_one_stack_is_split_and_its_accounts_move_in_the_states_alone(made: Cloud) -> None:
    names = [f"e-{name}" for name in NAMES]
    write_stack(made.project, "e", environment_of(names))
    assert states(made.shards("up", "e")) == {"e": "done"}
    before = made.accounts("e")
    assert made.fleet("split", "e", "--capacity", "14").returncode == 0
    refused = made.fleet("preview", "e")
    assert refused.returncode == 1
    assert "is in the state of another stack (and 2 more)" in refused.stderr
    assert made.fleet("move", "e").returncode == 0
    assert json.loads(made.fleet("move", "e", "--json").stdout)["moves"] == []
    for shard in made.shards("preview", "e").values():
        assert set(shard["changes"]) <= {"same", "read", "update", "create"}, shard
        assert shard["changes"].get("create", 0) <= 2, shard  # a new stack's own, and its management provider
    assert set(states(made.shards("up", "e")).values()) == {"done"}
    assert made.accounts("e") == before


def test_one_grant_lets_the_auditor_into_every_account_of_two_shards_and_nobody_else(made: Cloud) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html"""
    names = [f"f-{name}" for name in NAMES]
    roles = {role: {"description": "A test"} for role in ROLES}
    write_stack(made.project, "f", {**environment_of(names, doors=False), "twokeys:doors": {"auditor": AUDITOR}})
    assert made.fleet("split", "f", "--capacity", "12").returncode == 0
    for shard in made.shards("preview", "f").values():  # nothing grants it yet
        assert any("door-needs-grant" in problem for problem in shard["problems"]), shard
    made.management(
        {**MANAGEMENT, "twokeys:people": {"roles": roles}, "twokeys:organizationGrants": {"auditor": GRANT}}
    )
    assert states(made.shards("up", "f")) == {"f-001": "done", "f-002": "done"}
    assert json.loads(made.fleet("verify", "f", "--json").stdout)["findings"] == []
    for (account,) in made.accounts("f").values():
        assert enters(made, "auditor", f"arn:aws:iam::{account}:role/auditor")
        assert not enters(made, "visitor", f"arn:aws:iam::{account}:role/auditor")
    made.management({**MANAGEMENT, "twokeys:people": {"roles": roles}})
    findings = json.loads(made.fleet("verify", "f", "--json").stdout)["findings"]
    assert len([one for one in findings if one.startswith("door-needs-grant")]) == 3


def enters(made: Cloud, source: str, role: str) -> bool:
    arn = f"arn:aws:iam::111111111111:role/{source}"
    keys = made.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
    sts = boto3.client(
        "sts",
        endpoint_url=made.variables["AWS_ENDPOINT_URL"],
        region_name="us-east-1",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    try:
        sts.assume_role(RoleArn=role, RoleSessionName="test")
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDenied":
            raise
        return False
    return True


def test_a_cli_that_was_killed_leaves_a_lock_that_only_proof_takes_away_and_no_account_is_made_twice(
    made: Cloud,
) -> None:
    made.write("g")
    running = made.begin("up", "g", "--shard", "g-001", "--json")
    cli = cli_that_creates(made, "g-001", psutil.Process(running.pid))
    suspend_in_the_middle(made, cli, "g", "g-001")  # alive: a second update finds the stack locked
    started = psutil.Process(running.pid).children(recursive=True)
    locked = made.shards("up", "g", "--shard", "g-001")["g-001"]
    assert locked["state"] == "failed"
    assert any("twokeys fleet recover g-001" in problem for problem in locked["problems"]), locked
    living = made.fleet("recover", "g-001")
    assert living.returncode == 1
    assert "that process is alive" in living.stderr
    cli.kill()  # its lock stays
    (shard,) = json.loads(running.communicate(timeout=120)[0])["shards"]
    assert (running.returncode, shard["state"]) == (1, "failed")
    assert psutil.wait_procs(started, timeout=120)[1] == []

    # Its account was made and is not in the state: AWS would refuse a second one for its e-mail address.
    assert ACCOUNT in pending(made.state("g-001"))
    recovered = made.fleet("recover", "g-001")
    assert (recovered.returncode, f"process {cli.pid} " in recovered.stdout) == (0, True), recovered.stdout
    assert not made.state("g-001").get("pending_operations")
    assert "no lock of a dead run" in made.fleet("recover", "g-001").stdout
    again = made.shards("up", "g", "--shard", "g-001")["g-001"]
    assert again["state"] == "done", "\n".join(again["problems"])
    accounts = made.accounts("g")
    assert {len(ids) for ids in accounts.values()} == {1}
    assert sorted(made.held("g-001").values()) == sorted(ids[0] for ids in accounts.values())
    assert not made.state("g-001").get("pending_operations")
    after = made.shards("preview", "g", "--shard", "g-001", "--all")["g-001"]
    assert set(after["changes"]) <= {"same", "read"}, after
    made.leave_pending("g-001", "updating", ACCOUNT)
    said = made.fleet("recover", "g-001").stdout
    assert "updating it was not done when a run was killed" in said, said


def test_a_state_whose_attributes_a_kill_left_empty_is_read_again(made: Cloud) -> None:
    """One kill of 44 left it so: a file:// backend writes STACK.json in one step, and STACK.json.attrs in two."""
    write_stack(made.project, "h", environment_of(["h-one"]))
    made.run("pulumi", "stack", "init", "h", check=True)
    Path(f"{made.state_file('h')}.attrs").write_text("")
    assert "failed to load checkpoint" in made.run("pulumi", "stack", "export", "--stack", "h").stderr
    made.run("pulumi", "stack", "init", "selected", check=True)
    recovered = made.fleet("recover", "h")
    assert recovered.returncode == 0, recovered.stdout + recovered.stderr
    assert made.run("pulumi", "stack", "--show-name", check=True).stdout.strip() == "selected"
    made.run("pulumi", "stack", "rm", "selected", "--yes", check=True)
    made.run("pulumi", "stack", "export", "--stack", "h", check=True)


def suspend_in_the_middle(made: Cloud, cli: psutil.Process, environment: str, stack: str) -> None:
    """Suspend the CLI while AWS has an account that the state does not have, and every file of the backend is whole."""

    def is_the_middle() -> bool:
        # A file:// backend empties the attributes of a file before it writes them.
        whole = all(file.stat().st_size for file in made.files())
        return whole and ACCOUNT in pending(made.written(stack)) and made.accounts(environment) != {}

    until = time.monotonic() + 300
    cli.suspend()
    while not is_the_middle():
        assert time.monotonic() < until
        cli.resume()
        time.sleep(0.01)
        cli.suspend()


def pending(deployment: dict[str, Any]) -> set[str]:
    return {one["resource"]["type"] for one in deployment.get("pending_operations") or ()}


def cli_that_creates(made: Cloud, stack: str, command: psutil.Process) -> psutil.Process:
    """The CLI's process of the shard, as soon as it asks for an account: it is in the middle of its work."""
    until = time.monotonic() + 400
    while not (made.state_file(stack).exists() and ACCOUNT in pending(made.written(stack))):
        assert time.monotonic() < until
        time.sleep(0.02)
    return next(one for one in command.children(recursive=True) if one.name() == "pulumi" and "up" in one.cmdline())
