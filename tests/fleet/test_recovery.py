"""Whatever is killed, and whenever: the next run converges, no account is made twice, and nothing is lost."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.fleet.cloud import Cloud, cloud
from tests.fleet.test_commands import TWOKEYS
from twokeys.access_role import ACCESS_ROLE

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]
KILLS = 50
MOST_RUNS = 4
LATEST_SECONDS = 8.0
VICTIMS = ("the CLI", "the engine's process", "the command", "everything")


@pytest.fixture(scope="module")
def made(project_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    roles = tuple(f"ci-{seed}" for seed in range(KILLS))  # AWS takes 10,240 characters of grants a role
    with cloud(project_root, tmp_path_factory.mktemp("recovery"), roles) as found:
        yield found


@pytest.mark.parametrize("seed", range(4))
def test_after_a_kill_at_a_random_moment_the_next_run_converges(seed: int, made: Cloud) -> None:
    converges(made, seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(4, KILLS))
def test_after_many_kills_the_next_run_converges(seed: int, made: Cloud) -> None:
    converges(made, seed)


def converges(made: Cloud, seed: int) -> None:
    environment = f"r{seed}"
    names = made.write(environment, source=f"ci-{seed}")
    kill_in_the_middle(made, environment, seed)
    for _ in range(MOST_RUNS):
        for stack in (f"{environment}-001", f"{environment}-002"):
            made.fleet("unlock", environment, stack)
        done = made.fleet("up", environment)
        if done.returncode == 0:
            break
    assert done.returncode == 0, done.stdout + done.stderr
    for stack, shard in made.shards("preview", environment, "--all").items():
        assert (shard["state"], set(shard["changes"]) <= {"same", "read"}) == ("done", True), (stack, shard)
    accounts = made.accounts(environment)
    assert {name: len(ids) for name, ids in accounts.items()} == dict.fromkeys(names, 1)
    held = {**made.held(f"{environment}-001"), **made.held(f"{environment}-002")}
    assert held == {name: ids[0] for name, ids in accounts.items()}
    for account in held.values():
        roles = {role["RoleName"] for role in made.client("iam", account).list_roles()["Roles"]}
        assert {role for role in roles if not role.startswith("AWSServiceRole")} == {ACCESS_ROLE, "deployer"}
    assert len(made.client("iam").list_role_policies(RoleName=f"ci-{seed}")["PolicyNames"]) == len(names)


def kill_in_the_middle(made: Cloud, environment: str, seed: int) -> None:
    chance = random.Random(seed)
    command = [*TWOKEYS, "fleet", "up", environment, "--parallel", "2"]
    running = subprocess.Popen(
        command, cwd=made.project, env=made.variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    tree = psutil.Process(running.pid)
    while running.poll() is None and not _named(tree, " up "):
        time.sleep(0.02)
    time.sleep(chance.uniform(0, LATEST_SECONDS))
    everything = [tree, *tree.children(recursive=True)] if running.poll() is None else []
    victims = {
        "the CLI": _named(tree, " up "),
        "the engine's process": _named(tree, "twokeys.fleet.host"),
        "the command": everything[:1],
        "everything": everything,
    }[VICTIMS[seed % len(VICTIMS)]]
    chosen = victims if VICTIMS[seed % len(VICTIMS)] == "everything" else victims[:1]
    for one in chosen:
        with suppress(psutil.NoSuchProcess):
            one.send_signal(signal.SIGKILL)
    running.wait(120)
    # What is left stops by itself; the next run must not have to wait for a person.
    assert psutil.wait_procs(everything, timeout=120)[1] == []


def _named(process: psutil.Process, part: str) -> list[psutil.Process]:
    """Processes below it with that in their command line; the CLI's is `pulumi up ...`."""
    found = []
    with suppress(psutil.Error):
        for one in process.children(recursive=True):
            with suppress(psutil.Error):
                line = " ".join(one.cmdline())
                if part in line and (part.strip() != "up" or one.name() == "pulumi"):
                    found.append(one)
    return found
