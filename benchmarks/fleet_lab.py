"""Projects of N accounts with the pulumi CLI on a local AWS, and commands measured with all their processes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import yaml

from twokeys.sandbox.get_pulumi import find_pulumi
from twokeys.sandbox.local_aws import LocalAws
from twokeys.sandbox.pulumi_box import place_plugins

ROOT = Path(__file__).resolve().parent.parent
TWOKEYS = [sys.executable, "-c", "from twokeys.cli import main; main()"]

GRANTS = 40
"""Doors from one role: AWS takes 10,240 characters of inline policies a role, and a grant has about 230.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""


def management(accounts: int) -> dict[str, Any]:
    """An organization with a role for every forty accounts."""
    roles = {_source(number): {"description": "Deploys to some accounts."} for number in range(0, accounts, GRANTS)}
    return {
        "twokeys:managementAccountId": "111111111111",
        "twokeys:rootEmail": "example@company.com",
        "twokeys:organization": {"create": True, "organizationalUnits": {"Workloads": {}}},
        "twokeys:people": {"roles": roles},
    }


def _source(number: int) -> str:
    return f"ci-{number // GRANTS:03d}"


def environment(accounts: int) -> dict[str, Any]:
    """An environment of accounts with one door each: seven resources an account."""
    names = [f"account-{number:05d}" for number in range(accounts)]
    door = {"permissions": {"managedPolicies": ["arn:aws:iam::aws:policy/PowerUserAccess"]}}
    said = {**door, "reason": "Deployments", "owner": "platform"}
    return {
        "twokeys:managementAccountId": "111111111111",
        "twokeys:rootEmail": "example@company.com",
        "twokeys:tags": {"environment": "prod"},
        "twokeys:accounts": {name: {"organizationalUnit": "Workloads"} for name in names},
        "twokeys:doors": {
            f"{name}-ci": {**said, "from": {"role": _source(number)}, "to": {"account": name, "role": "ci"}}
            for number, name in enumerate(names)
        },
    }


@dataclass(frozen=True)
class Measured:
    """What a command took.

    Attributes:
        seconds: by the clock.
        processor: seconds of all its processes that could be seen, the local AWS apart.
        memory: the most that its processes had at once, in bytes (RSS summed, the local AWS apart).
        written: bytes that they wrote, as far as the system counts them.
        told: its JSON output.
    """

    seconds: float
    processor: float
    memory: int
    written: int
    told: Any


class Lab:
    """A project in a temporary folder, and the variables that its commands run with."""

    def __init__(self, folder: Path, variables: Mapping[str, str]) -> None:
        self.folder = folder
        self.variables = variables

    def write(self, stack: str, config: Mapping[str, Any]) -> None:
        """Give a stack its config."""
        (self.folder / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump({"config": dict(config)}, sort_keys=False))

    def twokeys(self, *arguments: str) -> Measured:
        """Run `twokeys ARGUMENTS`, which prints JSON; it must succeed."""
        return self.run(*TWOKEYS, *arguments)

    def run(self, *command: str) -> Measured:
        """Run a command that prints JSON; it must succeed."""
        return measured(command, self.folder, self.variables)


@contextmanager
def cli_on_path() -> Iterator[None]:
    """The pulumi CLI goes on PATH, with our plugins where the vendor's are not there."""
    pulumi = find_pulumi()
    if pulumi is None:
        raise SystemExit("there is no pulumi CLI: `twokeys sandbox get-pulumi`, then this again")
    with tempfile.TemporaryDirectory(prefix="twokeys-plugins-") as folder:
        path = os.pathsep.join((str(pulumi.parent), os.environ.get("PATH", os.defpath)))
        place_plugins(Path(folder), pulumi, path)
        os.environ["PATH"] = os.pathsep.join((folder, path))
        yield


@contextmanager
def lab(accounts: int) -> Iterator[Lab]:
    """A project whose organization is made, and an environment prod that is not."""
    with tempfile.TemporaryDirectory(prefix="twokeys-benchmark-") as place:
        folder = Path(place, "project")
        folder.mkdir()
        for name in ("Pulumi.yaml", "Pulumi.README.md", "__main__.py", "uv.lock"):
            shutil.copy(ROOT / name, folder)
        for name in ("components", "policies"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        (folder / ".venv").symlink_to(sys.prefix)
        Path(place, "backend").mkdir()
        with _aws(Path(place)) as variables:
            found = Lab(folder, {**os.environ, **variables})
            found.write("management", management(accounts))
            found.write("prod", environment(accounts))
            for command in (
                ["stack", "init", "management"],
                ["up", "--yes", "--skip-preview", "--stack", "management"],
            ):
                subprocess.run(
                    ["pulumi", *command], cwd=folder, env=dict(found.variables), check=True, capture_output=True
                )
            yield found


@contextmanager
def _aws(place: Path) -> Iterator[dict[str, str]]:
    """A local AWS, and the variables by which the CLI and boto3 find it and a backend beside it."""
    with LocalAws.start(place / "aws") as aws:
        yield {
            **aws.environment(),
            "PULUMI_HOME": str(place / "home"),
            "PULUMI_BACKEND_URL": (place / "backend").as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "a benchmark",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }


def measured(command: Sequence[str], folder: Path, variables: Mapping[str, str] | None = None) -> Measured:
    """Run a command that prints JSON, and watch its processes."""
    began = time.monotonic()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, cwd=folder, env=variables, stdout=output, stderr=subprocess.PIPE, text=True)
        watch = _Watch(process.pid)
        _, errors = process.communicate()
        seconds = time.monotonic() - began
        processor, memory, written = watch.end()
        output.seek(0)
        text = output.read()
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(command[-6:])} failed:\n{errors}\n{text[-3000:]}")
    return Measured(seconds, processor, memory, written, json.loads(text) if text.strip() else None)


class _Watch:
    """Samples a tree of processes."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._memory = 0
        self._processor: dict[tuple[int, float], float] = {}
        self._written: dict[tuple[int, float], int] = {}
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def end(self) -> tuple[float, int, int]:
        """Processor seconds, the most memory at once, and bytes written."""
        self._done.set()
        self._thread.join()
        return sum(self._processor.values()), self._memory, sum(self._written.values())

    def _run(self) -> None:
        while not self._done.wait(0.1):
            memory = 0
            try:
                tree = [self._process, *self._process.children(recursive=True)]
            except psutil.NoSuchProcess:
                return
            for one in tree:
                try:
                    if "twokeys.sandbox.local_server" in one.cmdline():
                        continue
                    memory += one.memory_info().rss
                    times = one.cpu_times()
                    self._processor[one.pid, one.create_time()] = times.user + times.system
                    if hasattr(one, "io_counters"):
                        self._written[one.pid, one.create_time()] = one.io_counters().write_chars
                except psutil.Error:
                    continue
            self._memory = max(self._memory, memory)


def up(found: Lab, *more: str) -> Measured:
    """Update the environment."""
    return found.twokeys("fleet", "up", "prod", "--json", *more)
