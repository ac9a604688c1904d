"""The pulumi CLI in the environment that `twokeys sandbox shell` gives, on the repository's own program."""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from twokeys.project.config import load_project
from twokeys.sandbox.get_pulumi import find_pulumi
from twokeys.sandbox.local_aws import LocalAws
from twokeys.sandbox.pulumi_box import PulumiBox, clean_environment
from twokeys.sandbox.pulumi_events import Ran, run


@dataclass(frozen=True)
class Engine:
    """Runs `pulumi` as a user of the shell does."""

    box: PulumiBox
    aws: LocalAws
    variables: Mapping[str, str]

    @property
    def environment(self) -> dict[str, str]:
        """What the shell gives to every command."""
        return {**clean_environment(), **self.variables}

    def pulumi(self, *arguments: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
        """One command; standard output and error are captured."""
        return subprocess.run(
            [str(self.box.binaries / "pulumi"), *arguments, "--non-interactive"],
            cwd=folder or self.box.project.root,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )

    def previewed(self, stack: str, overrides: Mapping[str, Any] | None = None) -> Ran:
        """`pulumi preview` with the pack; `overrides`, parsed, win over the stack's config."""
        mirror = self.box.reflect({stack: overrides or {}})
        pulumi = find_pulumi()
        assert pulumi is not None
        pack = str(self.box.project.root / "policies")
        return run(pulumi, ["preview", "--stack", stack, "--policy-pack", pack], mirror, self.environment)

    def ran(self, *arguments: str) -> str:
        """One command that must succeed; what it printed."""
        done = self.pulumi(*arguments)
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
        return done.stdout


@contextmanager
def one_plugin(made: Engine) -> Iterator[Engine]:
    """The same with one process of our plugin for all commands, to which the CLI connects: a start takes seconds.

    https://www.pulumi.com/docs/iac/guides/building-extending/debugging/debugging-packages/ Where the vendor's plugin is
    installed, that is what runs.
    """
    ours = made.box.binaries / "pulumi-resource-aws"
    if not ours.exists():
        yield made
        return
    with subprocess.Popen([str(ours)], env=made.environment, stdout=subprocess.PIPE, text=True) as plugin:
        assert plugin.stdout is not None
        port = plugin.stdout.readline().strip()
        yield replace(made, variables={**made.variables, "PULUMI_DEBUG_PROVIDERS": f"aws:{port}"})
        plugin.terminate()


@contextmanager
def engine_in(project_root: Path, folder: Path) -> Iterator[Engine]:
    """A backend and a local AWS in a folder."""
    box = PulumiBox(load_project(project_root), folder)
    with LocalAws.start(box.directory / "aws") as aws:
        yield Engine(box, aws, box.open(aws))


@pytest.fixture(scope="module")
def engine(project_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A backend and a local AWS of this module's own."""
    with engine_in(project_root, tmp_path_factory.mktemp("box")) as made:
        yield made


def steps(ran: Ran) -> list[set[str]]:
    """For each operation of a command (of `up` its preview, then the update): `create User carol` and so on.

    Only resources of ours or of AWS that do not stay the same, providers included.
    """
    operations: list[set[str]] = []
    for event in ran.events:
        if "preludeEvent" in event:
            operations.append(set())
        step = event.get("resourcePreEvent", {}).get("metadata")
        if step and step["op"] != "same" and not step["type"].startswith("pulumi:pulumi:"):
            kind, name = step["type"].rpartition(":")[2], step["urn"].rpartition("::")[2]
            operations[-1].add(f"{step['op']} {kind} {name}")
    return operations
