"""A project on the pulumi CLI and an aws plugin, both on PATH, with a backend of its own and the local AWS."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from tests.fleet.conftest import MANAGEMENT, environment_of, small, write_stack
from tests.fleet.slow import slow
from tests.sandbox.conftest import TWOKEYS
from twokeys.sandbox.local_aws import LocalAws

ROLES = ("ci", "auditor", "visitor")
NAMES = ("one", "two", "three")


@dataclass(frozen=True)
class Cloud:
    """The project, and the variables that its commands run with."""

    project: Path
    variables: dict[str, str]

    def run(self, *command: str, check: bool = False) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=self.project, env=self.variables, capture_output=True, text=True, timeout=280, check=check
        )

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        command = [*TWOKEYS, "fleet", *arguments]
        return subprocess.Popen(command, cwd=self.project, env=self.variables, stdout=subprocess.PIPE, text=True)

    def fleet(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.run(*TWOKEYS, "fleet", *arguments)

    def shards(self, *arguments: str) -> dict[str, dict[str, Any]]:
        """What came of each shard, by stack."""
        run = self.fleet(*arguments, "--json")
        assert "shards" in run.stdout, run.stdout + run.stderr
        return {shard["stack"]: shard for shard in json.loads(run.stdout)["shards"]}

    def write(self, environment: str, *, source: str = "ci", capacity: int = 14) -> list[str]:
        """An environment of three accounts with a door each, split: the first two in the first shard. Its accounts."""
        names = [f"{environment}-{name}" for name in NAMES]
        write_stack(self.project, environment, environment_of(names, source=source))
        done = self.fleet("split", environment, "--capacity", str(capacity))
        assert done.returncode == 0, done.stderr
        return names

    def management(self, config: dict[str, Any]) -> None:
        """Update the management stack to that config."""
        write_stack(self.project, "management", config)
        done = self.run("pulumi", "up", "--yes", "--skip-preview", "--stack", "management")
        assert done.returncode == 0, done.stdout + done.stderr

    def client(self, service: str, account: str = "111111111111") -> Any:
        """A client of the local AWS, as the root of that account."""
        return boto3.client(  # type: ignore[call-overload] # the service is a variable
            service,
            endpoint_url=self.variables["AWS_ENDPOINT_URL"],
            region_name="us-east-1",
            aws_access_key_id=account,
            aws_secret_access_key="test",
        )

    def accounts(self, environment: str) -> dict[str, list[str]]:
        """The ids of the environment's accounts at AWS, by name: there must be one for each."""
        found: dict[str, list[str]] = {}
        for page in self.client("organizations").get_paginator("list_accounts").paginate():
            for account in page["Accounts"]:
                if account["Name"].startswith(f"{environment}-"):
                    found.setdefault(account["Name"], []).append(account["Id"])
        return found

    def state(self, stack: str) -> dict[str, Any]:
        """A stack's deployment."""
        exported = self.run("pulumi", "stack", "export", "-s", stack, check=True).stdout
        deployment: dict[str, Any] = json.loads(exported)["deployment"]
        return deployment

    @property
    def _backend(self) -> Path:
        return Path(self.variables["PULUMI_BACKEND_URL"].removeprefix("file://"), ".pulumi")

    def files(self) -> Iterator[Path]:
        """All that the backend holds."""
        return (path for path in self._backend.rglob("*") if path.is_file())

    def locked(self, stack: str) -> bool:
        """Whether a run holds the stack, or has left it locked."""
        return any(self._backend.glob(f"locks/organization/*/{stack}/*.json"))

    def state_file(self, stack: str) -> Path:
        """Where the backend keeps a stack's state."""
        return self._backend / "stacks" / "twokeys" / f"{stack}.json"

    def written(self, stack: str) -> dict[str, Any]:
        """A stack's deployment as the backend has it now."""
        deployment: dict[str, Any] = json.loads(self.state_file(stack).read_text())["checkpoint"].get("latest") or {}
        return deployment

    def leave_pending(self, stack: str, operation: str, kind: str) -> None:
        """Have the backend hold an operation as pending: `pulumi stack import` would take it away."""
        file = self.state_file(stack)
        held = json.loads(file.read_text())
        latest = held["checkpoint"]["latest"]
        resource = next(one for one in latest["resources"] if one["type"] == kind)
        latest["pending_operations"] = [{"resource": resource, "type": operation}]
        file.write_text(json.dumps(held))

    def held(self, stack: str) -> dict[str, str]:
        """The account ids that a shard's state holds, by name."""
        return {
            one["urn"].rpartition("::")[2]: one["id"]
            for one in self.state(stack).get("resources") or ()
            if one["type"] == "aws:organizations/account:Account"
        }


@contextmanager
def empty(project_root: Path, place: Path, slowest: float = 0.0) -> Iterator[Cloud]:
    """A cloud without an organization, whose calls take up to `slowest` seconds."""
    for name in ("project", "backend"):
        (place / name).mkdir(parents=True)
    project = small(project_root, place / "project")
    with LocalAws.start(place / "aws") as aws, slow(aws.port, slowest) as endpoint:
        variables = {
            **os.environ,
            **aws.environment(),
            "AWS_ENDPOINT_URL": endpoint,
            "PULUMI_HOME": str(place / "home"),
            "PULUMI_BACKEND_URL": (place / "backend").as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "a test",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }
        found = Cloud(project, variables)
        found.run("pulumi", "stack", "init", "management", check=True)
        yield found


@contextmanager
def cloud(project_root: Path, place: Path, roles: tuple[str, ...] = ROLES, slowest: float = 0.0) -> Iterator[Cloud]:
    """A cloud with its organization, whose management account has these roles."""
    with empty(project_root, place, slowest) as found:
        found.management({**MANAGEMENT, "twokeys:people": {"roles": {role: {} for role in roles}}})
        yield found
