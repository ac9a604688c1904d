"""Whatever is killed, and whenever: the next run converges, no account is made twice, and nothing is lost.

The numbers of a whole run (`pytest -m "engine and long" tests/fleet/test_recovery.py`) are in docs/faults.md.
"""

import random
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.fleet.cloud import Cloud, cloud, empty
from tests.fleet.conftest import environment_of, write_stack
from tests.sandbox.conftest import TWOKEYS
from twokeys.access_role import ACCESS_ROLE

pytestmark = [pytest.mark.engine, pytest.mark.timeout(1800)]
STACKS, KILLS = 10, 6
UPDATE = ("pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "--stack")
VICTIMS = (
    "pulumi up of an environment",
    "the CLI of twokeys fleet up",
    "the process that leads that CLI",
    "twokeys fleet up and everything below it",
    "pulumi up of the management stack",
)
WHOLE_COPY = """cd "$1/.pulumi"; for copy in $(ls -t backups/twokeys/$2/*.json); do
  python3 -m json.tool "$copy" > /dev/null 2>&1 && cp "$copy" stacks/twokeys/$2.json && break; done"""
"""What docs/faults.md says to run: the copy that the cut-off update made is cut off itself."""
SLOW = 0.4
"""Calls as slow as AWS's, in seconds, so that a kill meets some of them under way."""
ENVIRONMENT, MANAGEMENT_STACK = 10, 30
"""After how many writes of the state a kill comes at the latest; a first update writes it five times as often."""


def rounds(*victims: int) -> list[object]:
    """Seeds with the number of kills: one in CI of three victims, and for `-m long` one after another."""
    chosen = [seed for seed in range(STACKS) if seed % len(VICTIMS) in victims]
    few = [pytest.param(seed + 100, 1) for seed in chosen if seed in (0, 1, 4)]
    return [*few, *(pytest.param(seed, KILLS, marks=pytest.mark.long) for seed in chosen)]


@pytest.fixture(scope="module")
def made(project_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    roles = tuple(f"ci-{seed}" for seed in (*range(STACKS), 100, 101))  # AWS takes 10,240 characters of grants a role
    place = tmp_path_factory.mktemp("recovery")
    with cloud(project_root, place, roles, SLOW) as found:
        yield found


@pytest.mark.parametrize(("seed", "kills"), rounds(0, 1, 2, 3))
def test_after_kills_at_random_moments_the_next_run_converges(seed: int, kills: int, made: Cloud) -> None:
    names, stack = [f"r{seed}-one", f"r{seed}-two"], f"r{seed}"
    write_stack(made.project, stack, environment_of(names, source=f"ci-{seed}"))
    made.run("pulumi", "stack", "init", stack, check=True)
    plain = seed % len(VICTIMS) == 0
    converges(made, stack, (*UPDATE, stack) if plain else (*TWOKEYS, "fleet", "up", stack), seed, kills)
    accounts = made.accounts(stack)
    assert {name: len(ids) for name, ids in accounts.items()} == dict.fromkeys(names, 1)
    for (account,) in accounts.values():
        roles = {role["RoleName"] for role in made.client("iam", account).list_roles()["Roles"]}
        assert {role for role in roles if not role.startswith("AWSServiceRole")} == {ACCESS_ROLE, "deployer"}
    assert len(made.client("iam").list_role_policies(RoleName=f"ci-{seed}")["PolicyNames"]) == len(names)


def test_after_a_full_disk_the_newest_whole_copy_of_the_state_leads_on(made: Cloud) -> None:
    """docs/faults.md; in the disk's place stands a limit on the size of files, which is met in the same write."""
    stack, config = "full", environment_of(["full-one"], source="ci-0")
    write_stack(made.project, stack, config)
    made.run("pulumi", "stack", "init", stack, check=True)
    made.run(*UPDATE, stack, check=True)
    write_stack(made.project, stack, config | {"twokeys:tags": {f"tag-{number}": "x" * 250 for number in range(10)}})
    room = made.state_file(stack).stat().st_size // 1024 + 1
    full = made.run("bash", "-c", f'ulimit -f {room}; exec "$@"', "bash", *UPDATE, stack)
    assert "An IO error occurred while writing the new snapshot file" in full.stdout + full.stderr
    damaged = made.fleet("recover", stack)
    assert damaged.returncode == 1
    assert "put the newest whole copy in its place" in damaged.stderr
    made.run("bash", "-c", WHOLE_COPY, "bash", made.variables["PULUMI_BACKEND_URL"].removeprefix("file://"), stack)
    recovered = made.fleet("recover", stack)
    assert recovered.returncode == 0, recovered.stdout + recovered.stderr
    made.run(*UPDATE, stack, check=True)
    made.run("pulumi", "preview", "--expect-no-changes", "--non-interactive", "--stack", stack, check=True)
    assert {name: len(ids) for name, ids in made.accounts(stack).items()} == {"full-one": 1}


@pytest.mark.parametrize(("seed", "kills"), rounds(4))
def test_after_kills_of_the_organizations_own_update_the_next_one_converges(
    seed: int, kills: int, project_root: Path, tmp_path: Path
) -> None:
    with empty(project_root, tmp_path, SLOW) as made:
        shutil.copy(project_root / "Pulumi.management.yaml", made.project)
        converges(made, "management", (*UPDATE, "management"), seed, kills)
        organizations = made.client("organizations")
        units = Counter(
            unit["Name"]
            for root in organizations.list_roots()["Roots"]
            for unit in organizations.list_organizational_units_for_parent(ParentId=root["Id"])["OrganizationalUnits"]
        )
        listed = organizations.list_policies(Filter="SERVICE_CONTROL_POLICY")["Policies"]
        assert set((units | Counter(one["Name"] for one in listed)).values()) == {1}


def converges(made: Cloud, stack: str, update: tuple[str, ...], seed: int, kills: int) -> None:
    """Kill so many updates one after another; after each, the stack is recovered, and after the last it is complete."""
    chance, begun = random.Random(seed), []
    for _ in range(kills):
        pending = kill_in_the_middle(made, stack, update, seed, chance)
        if pending is None:
            break  # it came to its end before
        begun += pending
        assert (done := made.fleet("recover", stack)).returncode == 0, done.stdout + done.stderr
        assert creates_pending(made, stack) == []
    assert (done := made.run(*update)).returncode == 0, (begun, done.stdout + done.stderr)
    preview = made.run("pulumi", "preview", "--expect-no-changes", "--non-interactive", "--stack", stack)
    assert preview.returncode == 0, (begun, preview.stdout + preview.stderr)


def kill_in_the_middle(made: Cloud, stack: str, update: tuple[str, ...], seed: int, chance: random.Random) -> list[str]:
    """Begin the update, kill its victim after a random number of writes of the state, wait until nothing of it is left.

    Returns the types of what was pending then; None when the update was done before.
    """
    victim = VICTIMS[seed % len(VICTIMS)]
    writes = chance.randint(0, MANAGEMENT_STACK if "management" in victim else ENVIRONMENT)
    running = subprocess.Popen(
        update, cwd=made.project, env=made.variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    tree = psutil.Process(running.pid)
    seen, last, until = -1, None, time.monotonic() + 240
    while running.poll() is None and seen < writes and time.monotonic() < until:
        time.sleep(0.005)
        now = made.state_file(stack).stat().st_mtime_ns
        seen, last = (seen, last) if now == last or not made.locked(stack) else (seen + 1, now)
    time.sleep(chance.uniform(0, 0.3))
    everything = [tree, *tree.children(recursive=True)] if running.poll() is None else []
    chosen = everything
    if victim.startswith("pulumi"):
        chosen = everything[:1]
    elif victim.startswith("the"):
        part = "twokeys.fleet.host" if "leads" in victim else " up "
        chosen = [one for one in everything[1:] if part in " ".join(_line(one))][:1]
    for one in chosen:
        with suppress(psutil.NoSuchProcess):
            one.send_signal(signal.SIGKILL)
    code = running.wait(200)
    # What is left stops by itself; the next run must not have to wait for a person.
    assert psutil.wait_procs(everything, timeout=120)[1] == []
    types = creates_pending(made, stack)
    there = len(made.written(stack).get("resources") or ())
    print(f"seed {seed}: {victim}, {len(chosen)} killed at write {seen} with {there} resources; pending: {types}")
    assert chosen or code == 0
    return types if chosen else None


def creates_pending(made: Cloud, stack: str) -> list[str]:
    """The types of what was being created; the CLI itself forgets an update that was under way, and makes it again."""
    pending = made.written(stack).get("pending_operations") or []
    return [one["resource"]["type"] for one in pending if one["type"] == "creating"]


def _line(process: psutil.Process) -> list[str]:
    with suppress(psutil.Error):
        return process.cmdline()
    return []
