"""One trial of a fleet's recovery: something is killed at a random moment, and the next runs must converge.

A trial is repeatable as far as a kill can be: its seed decides what is killed, how, and when, counted from the moment
at which the first engine is there.
"""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import boto3
import psutil

from tests.fleet.conftest import MANAGEMENT, environment_of, write_stack
from twokeys.access.state import read_state
from twokeys.sandbox.local_aws import LocalAws

TWOKEYS: Final = (sys.executable, "-c", "from twokeys.cli import main; main()")
NAMES: Final = [f"account-{number}" for number in range(6)]
ACCESS_ROLE: Final = "OrganizationAccountAccessRole"
ACCOUNT: Final = "aws:organizations/account:Account"
VICTIMS: Final = {
    "the engine": "twokeys.fleet.host",
    "a worker": "multiprocessing.spawn",
    "the program": "twokeys.sandbox.engine.run_program",
    "the local AWS": "twokeys.sandbox.local_server",
}
"""What may be killed, by a part of its command line; beside these the command itself, and everything at once."""
KINDS: Final = (*VICTIMS, "the command", "the machine")
LATEST_SECONDS: Final = 6.0
MOST_RUNS: Final = 4
# The policy pack starts a process a shard and has no part in what is tried here.
_ENGINE: Final = ("--engine", "sandbox", "--no-policies", "--json")


@dataclass(frozen=True)
class Trial:
    """What happened.

    Attributes:
        killed: what was killed, in words; "nothing" when the run was over by then.
        after: seconds after the first engine was there.
        runs: how many runs it took until one succeeded, the killed one not counted.
        wrong: what is not as it must be; empty when it has converged.
    """

    seed: int
    killed: str
    after: float
    runs: int
    wrong: tuple[str, ...]


def prepare(folder: Path, project_root: Path) -> Path:
    """A project whose organization is deployed and whose environment is split into three shards of two accounts."""
    project = folder / "project"
    project.mkdir(parents=True)
    for name in ("Pulumi.yaml", "Pulumi.README.md", "__main__.py", "pyproject.toml", "uv.lock"):
        shutil.copy(project_root / name, project / name)
    for name in ("components", "policies"):
        shutil.copytree(project_root / name, project / name, ignore=shutil.ignore_patterns("__pycache__"))
    (project / ".venv").symlink_to(sys.prefix)
    write_stack(project, "management", MANAGEMENT)
    write_stack(project, "prod", environment_of(NAMES))
    for arguments in (("sandbox", "up", "management"), ("fleet", "split", "prod", "--capacity", "14")):
        subprocess.run([*TWOKEYS, *arguments], cwd=project, check=True, capture_output=True)
    return project


def try_once(prepared: Path, folder: Path, seed: int, faults: Path | None = None) -> Trial:
    """Run one trial in a copy of what `prepare` made."""
    project = folder / f"trial-{seed}"
    shutil.copytree(prepared, project, symlinks=True)
    chance = random.Random(seed)
    kind, after = KINDS[seed % len(KINDS)], chance.uniform(0, LATEST_SECONDS)
    more = ("--faults", str(faults)) if faults else ()
    killed = _kill_in_the_middle(project, kind, after, chance, more)
    wrong: list[str] = []
    runs = 0
    while runs < MOST_RUNS:
        runs += 1
        done = _fleet(project, "up", *more)
        if done.returncode == 0:
            break
    else:
        wrong.append(f"it had not converged after {runs} runs: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    wrong.extend(_differences(project))
    shutil.rmtree(project)
    return Trial(seed, killed, after, runs, tuple(wrong))


def _kill_in_the_middle(project: Path, kind: str, after: float, chance: random.Random, more: Iterable[str]) -> str:
    command = [*TWOKEYS, "fleet", "up", "prod", "--parallel", "2", *_ENGINE, *more]
    running = subprocess.Popen(
        command, cwd=project, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    tree = psutil.Process(running.pid)
    while running.poll() is None and not _found(tree, VICTIMS["the engine"]):
        time.sleep(0.02)
    time.sleep(after)
    everything = _tree(tree)
    killed = "nothing"
    if running.poll() is None:
        victims = {"the command": [tree], "the machine": everything}.get(kind) or _found(tree, VICTIMS.get(kind, "-"))
        if victims:
            chosen = victims if kind == "the machine" else [chance.choice(victims)]
            for one in chosen:
                with suppress(psutil.NoSuchProcess):
                    one.send_signal(signal.SIGKILL)
            killed = kind
    running.wait(120)
    # What is left stops by itself; the next run must not have to wait for a person.
    _, alive = psutil.wait_procs(everything, timeout=60)
    if alive:
        raise AssertionError(f"still running: {[one.cmdline() for one in alive]}")
    return killed


def _tree(process: psutil.Process) -> list[psutil.Process]:
    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _found(process: psutil.Process, part: str) -> list[psutil.Process]:
    found = []
    for one in _tree(process):
        with suppress(psutil.Error):
            if part in " ".join(one.cmdline()):
                found.append(one)
    return found


def _fleet(project: Path, operation: str, *more: str) -> subprocess.CompletedProcess[str]:
    command = [*TWOKEYS, "fleet", operation, "prod", *_ENGINE, *more]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=240, check=False)


def _differences(project: Path) -> list[str]:
    """What is not as it would be if nothing had been killed."""
    wrong = []
    again = _fleet(project, "preview", "--all")
    for shard in json.loads(again.stdout)["shards"]:
        if not set(shard["changes"]) <= {"same", "read"} or shard["state"] != "done":
            wrong.append(f"{shard['stack']} is not settled: {shard['state']} {shard['changes']} {shard['problems']}")
    verified = json.loads(_fleet(project, "verify").stdout)
    if not verified["ok"]:
        wrong.append(f"not every door is as declared: {verified}")
    with LocalAws.start(project / ".twokeys/aws") as aws:
        wrong.extend(_accounts_wrong(project, aws))
    return wrong


def _accounts_wrong(project: Path, aws: LocalAws) -> list[str]:
    """Accounts that are twice, missing, or in no state; roles and grants that nobody asked for."""
    wrong = []
    listed = _client(aws, "organizations", "111111111111").list_accounts()["Accounts"]
    emails = Counter(account["Email"] for account in listed)
    wrong.extend(f"{count} accounts for {email}" for email, count in emails.items() if count > 1)
    members = {one["Name"]: one["Id"] for one in listed if one["Id"] != "111111111111"}
    if set(members) != set(NAMES):
        wrong.append(f"the organization has the accounts {sorted(members)}")
    held: Counter[str] = Counter()
    for state in (project / ".twokeys/stacks").glob("prod-*.json"):
        held.update(
            str(account.text("id") or _id(state, account.urn)) for account in read_state(state).of_type(ACCOUNT)
        )
    if held != Counter(members.values()):
        wrong.append(f"the states hold {dict(held)}, the organization has {members}")
    for name, account in members.items():
        roles = {role["RoleName"] for role in _client(aws, "iam", account).list_roles()["Roles"]}
        roles = {role for role in roles if not role.startswith("AWSServiceRole")}
        if roles != {ACCESS_ROLE, "deployer"}:
            wrong.append(f"account {name} has the roles {sorted(roles)}")
    grants = _client(aws, "iam", "111111111111").list_role_policies(RoleName="ci")["PolicyNames"]
    if len(grants) != len(NAMES):
        wrong.append(f"role ci has the grants {sorted(grants)}")
    return wrong


def _id(state: Path, urn: str) -> str:
    resources = json.loads(state.read_text())["deployment"]["resources"]
    return next(str(one["id"]) for one in resources if one["urn"] == urn)


def _client(aws: LocalAws, service: str, account: str) -> Any:
    return boto3.client(  # type: ignore[call-overload]
        service,
        endpoint_url=aws.endpoint,
        region_name="us-east-1",
        aws_access_key_id=account,
        aws_secret_access_key="test",
    )
