"""A fleet on the pulumi CLI, beside one stack and beside plain boto3 calls, all in one run.

    uv run python benchmarks/fleet.py [--accounts 42]

Accounts have one door each, seven resources an account. That needs a pulumi CLI (`twokeys sandbox get-pulumi`); our aws
plugin stands in for the vendor's where that is not there. What is compared is processor time, which a busy machine
changes little: of all processes of a command, the local AWS apart.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import psutil
import yaml

from twokeys.sandbox.get_pulumi import find_pulumi
from twokeys.sandbox.local_aws import MANAGEMENT_ACCOUNT, LocalAws
from twokeys.sandbox.pulumi_box import place_plugins

ROOT = Path(__file__).resolve().parent.parent
TWOKEYS = (sys.executable, "-c", "from twokeys.cli import main; main()")
GRANTS = 40
"""Doors from one role: AWS takes 10,240 characters of inline policies a role, and a grant has about 230.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""
COMMON = {"twokeys:managementAccountId": MANAGEMENT_ACCOUNT, "twokeys:rootEmail": "example@company.com"}


def management(accounts: int) -> dict[str, Any]:
    """An organization with a role for every forty accounts."""
    roles = {source(number): {"description": "Deploys to some accounts."} for number in range(0, accounts, GRANTS)}
    organization = {"create": True, "organizationalUnits": {"Workloads": {}}}
    return {**COMMON, "twokeys:organization": organization, "twokeys:people": {"roles": roles}}


def source(number: int) -> str:
    return f"ci-{number // GRANTS:03d}"


def environment(accounts: int) -> dict[str, Any]:
    """An environment of accounts with one door each."""
    names = [f"account-{number:05d}" for number in range(accounts)]
    permissions = {"managedPolicies": ["arn:aws:iam::aws:policy/PowerUserAccess"]}
    said = {"permissions": permissions, "reason": "Deployments", "owner": "platform"}
    doors = {
        f"{name}-ci": {**said, "from": {"role": source(number)}, "to": {"account": name, "role": "ci"}}
        for number, name in enumerate(names)
    }
    members = {name: {"organizationalUnit": "Workloads"} for name in names}
    return {**COMMON, "twokeys:accounts": members, "twokeys:doors": doors}


@dataclass(frozen=True)
class Measured:
    """Seconds by the clock; processor seconds; the most memory at once, in MiB (RSS summed)."""

    seconds: float
    processor: float
    memory: float


Run = Callable[..., Measured]


@contextmanager
def lab(accounts: int) -> Iterator[Run]:
    """Runs commands in a project whose organization is made, and an environment prod that is not."""
    pulumi = find_pulumi()
    if pulumi is None:
        raise SystemExit("there is no pulumi CLI: `twokeys sandbox get-pulumi`, then this again")
    with tempfile.TemporaryDirectory(prefix="twokeys-benchmark-") as name, LocalAws.start(Path(name, "aws")) as aws:
        place = Path(name)
        folder, plugins, backend = (place / part for part in ("project", "plugins", "backend"))
        for made in (folder, plugins, backend):
            made.mkdir()
        for part in ("Pulumi.yaml", "Pulumi.README.md", "__main__.py", "uv.lock"):
            shutil.copy(ROOT / part, folder)
        for part in ("components", "policies"):
            shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        (folder / ".venv").symlink_to(sys.prefix)
        for stack, config in (("management", management(accounts)), ("prod", environment(accounts))):
            (folder / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump({"config": config}, sort_keys=False))
        path = os.pathsep.join((str(pulumi.parent), os.environ.get("PATH", os.defpath)))
        place_plugins(plugins, pulumi, path)
        variables = {
            **os.environ,
            **aws.environment(),
            "PATH": os.pathsep.join((str(plugins), path)),
            "PULUMI_HOME": str(place / "home"),
            "PULUMI_BACKEND_URL": backend.as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "a benchmark",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }

        def run(*command: str) -> Measured:
            return measured(command, folder, variables)

        run("pulumi", "stack", "init", "management")
        run("pulumi", "up", "--yes", "--skip-preview", "--stack", "management")
        yield run


def measured(command: tuple[str, ...], folder: Path, variables: dict[str, str]) -> Measured:
    """Run a command, which must succeed, and watch its processes."""
    began, memory = time.monotonic(), 0
    processor: dict[tuple[int, float], float] = {}
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, cwd=folder, env=variables, stdout=said, stderr=said)
        while process.poll() is None:
            now = 0
            for one in psutil.Process().children(recursive=True):
                try:
                    if "twokeys.sandbox.local_server" not in one.cmdline():
                        now += one.memory_info().rss
                        processor[one.pid, one.create_time()] = sum(one.cpu_times()[:2])
                except psutil.Error:  # it has ended
                    continue
            memory = max(memory, now)
            time.sleep(0.1)
        if process.returncode:
            said.seek(0)
            raise SystemExit(f"{' '.join(command[-6:])} failed:\n{said.read()[-3000:]}")
    return Measured(time.monotonic() - began, sum(processor.values()), memory / 2**20)


def plain(accounts: int) -> None:
    """The same work as plain boto3 calls, by the surrounding credentials."""

    def document(**statement: object) -> str:
        return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})

    organizations, iam, sts = (boto3.client(name, region_name="us-east-1") for name in ("organizations", "iam", "sts"))
    for number in range(accounts):
        name = f"plain-{number}"
        made = organizations.create_account(Email=f"example+{name}@company.com", AccountName=name)
        while (status := made["CreateAccountStatus"])["State"] == "IN_PROGRESS":
            time.sleep(0.1)
            made = organizations.describe_create_account_status(CreateAccountRequestId=status["Id"])
        access = f"arn:aws:iam::{status['AccountId']}:role/OrganizationAccountAccessRole"
        keys = sts.assume_role(RoleArn=access, RoleSessionName="plain")["Credentials"]
        member = boto3.client(
            "iam",
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )
        principal = {"AWS": f"arn:aws:iam::{MANAGEMENT_ACCOUNT}:role/{source(number)}"}
        trust = document(Principal=principal, Action="sts:AssumeRole")
        role = member.create_role(RoleName="ci", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        member.attach_role_policy(RoleName="ci", PolicyArn="arn:aws:iam::aws:policy/PowerUserAccess")
        grant = document(Action="sts:AssumeRole", Resource=role)
        iam.put_role_policy(RoleName=source(number), PolicyName=name, PolicyDocument=grant)


def main() -> None:
    """Print the table as Markdown, ratios first."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=42)
    parser.add_argument("--plain", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.plain:
        plain(chosen.accounts)
        return
    up = (*TWOKEYS, "fleet", "up", "prod")
    with lab(chosen.accounts) as run:
        found = {"one stack": run(*up)}
    with lab(chosen.accounts) as run:
        run(*TWOKEYS, "fleet", "split", "prod")
        ours = found["shards, 2 at once"] = run(*up, "--parallel", "2")
    with lab(chosen.accounts) as run:
        found["boto3"] = run(
            sys.executable, str(Path(__file__).resolve()), "--plain", "--accounts", str(chosen.accounts)
        )
    print("| | processor / shards | memory / shards | processor s | peak MiB | s |\n|---|---|---|---|---|---|")
    for name, one in found.items():
        ratios = f"{one.processor / ours.processor:.2f} x | {one.memory / ours.memory:.2f} x"
        print(f"| {name} | {ratios} | {one.processor:.1f} | {one.memory:,.0f} | {one.seconds:.0f} |")


if __name__ == "__main__":
    main()
