"""What the fleet's benchmarks share: projects of N accounts on a local AWS, commands measured, tables and plots."""

from __future__ import annotations

import json
import math
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
import pygal
import yaml
from pygal.style import Style

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGE = DOCS / "benchmarks-fleet.md"
TWOKEYS = [sys.executable, "-c", "from twokeys.cli import main; main()"]
MIB = 1024 * 1024

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
        told: its JSON output.
    """

    seconds: float
    processor: float
    memory: int
    told: Any


class Lab:
    """A project in a temporary folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, stack: str, config: Mapping[str, Any]) -> None:
        """Give a stack its config."""
        (self.folder / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump({"config": dict(config)}, sort_keys=False))

    def twokeys(self, *arguments: str) -> Measured:
        """Run `twokeys ARGUMENTS --json`; it must succeed."""
        return measured([*TWOKEYS, *arguments], self.folder)


@contextmanager
def lab(accounts: int, *, deployed: bool = True) -> Iterator[Lab]:
    """A project with an organization, which is deployed already by default, and an environment prod that is not."""
    with tempfile.TemporaryDirectory(prefix="twokeys-benchmark-") as folder:
        found = Lab(Path(folder))
        for name in ("Pulumi.yaml", "Pulumi.README.md", "__main__.py", "uv.lock"):
            shutil.copy(ROOT / name, folder)
        for name in ("components", "policies"):
            shutil.copytree(ROOT / name, Path(folder, name), ignore=shutil.ignore_patterns("__pycache__"))
        Path(folder, ".venv").symlink_to(sys.prefix)
        found.write("management", management(accounts))
        found.write("prod", environment(accounts))
        if deployed:
            found.twokeys("sandbox", "up", "management", "--skip-preview", "--json")
        yield found


def measured(command: Sequence[str], folder: Path) -> Measured:
    """Run a command that prints JSON, and watch its processes."""
    began = time.monotonic()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=subprocess.PIPE, text=True)
        watch = _Watch(process.pid)
        _, errors = process.communicate()
        seconds = time.monotonic() - began
        processor, memory = watch.end()
        output.seek(0)
        text = output.read()
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(command[-6:])} failed:\n{errors}\n{text[-3000:]}")
    return Measured(seconds, processor, memory, json.loads(text) if text.strip() else None)


class _Watch:
    """Samples a tree of processes."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._memory = 0
        self._processor: dict[tuple[int, float], float] = {}
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def end(self) -> tuple[float, int]:
        """Processor seconds and the most memory at once."""
        self._done.set()
        self._thread.join()
        return sum(self._processor.values()), self._memory

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
                except psutil.Error:
                    continue
            self._memory = max(self._memory, memory)


def exponent(points: Mapping[int, float]) -> float:
    """The growth exponent: the slope of a straight line through the points' logarithms."""
    logs = [(math.log(size), math.log(value)) for size, value in points.items()]
    mean_x, mean_y = (sum(values) / len(logs) for values in zip(*logs, strict=True))
    return sum((x - mean_x) * (y - mean_y) for x, y in logs) / sum((x - mean_x) ** 2 for x, _ in logs)


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)


Lines = Mapping[str, Mapping[float, float]]


def plot(name: str, title: str, axes: tuple[str, str], lines: Lines, *, log: bool = False) -> None:
    """Draw lines into docs/NAME.svg, each a mapping of x to y; `axes` are what x and y are called."""
    colours = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#332288")
    style = Style(colors=colours, background="#ffffff", plot_background="#ffffff", font_family="system-ui, sans-serif")
    chart = pygal.XY(
        style=style,
        js=[],
        title=title,
        x_title=axes[0],
        y_title=axes[1],
        logarithmic=log,
        legend_at_bottom=True,
        stroke_style={"width": 3},
        width=900,
        height=520,
    )
    for label, points in lines.items():
        chart.add(label, sorted(points.items()))
    (DOCS / f"{name}.svg").write_bytes(chart.render())


def publish(section: str, command: str, text: str) -> None:
    """Put a section into docs/benchmarks-fleet.md in place of the one that is there, and print it."""
    page = PAGE.read_text(encoding="utf-8")
    begin, end = f"<!-- {section} -->", f"<!-- end of {section} -->"
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(end)
    if not rest:
        raise SystemExit(f"{PAGE} has no place for {section}")
    PAGE.write_text(f"{before}{begin}\n\n    {command}\n\n{text.strip()}\n\n{end}{after}", encoding="utf-8")
    print(text)


def say(text: str) -> None:
    """Progress, on the error stream."""
    print(text, file=sys.stderr, flush=True)


def machine() -> str:
    """What it runs on, in words."""
    memory = psutil.virtual_memory().total / MIB / 1024
    return f"{os.cpu_count()} processors, {memory:.0f} GiB, Python {sys.version.split()[0]}"
