"""A copy of the project in a temporary folder, and the command line."""

import functools
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import in_process
from tests.in_process import Twokeys
from twokeys.sandbox.local_aws import LocalAws

TWOKEYS = (sys.executable, "-c", "from twokeys.cli import main; main()")
Run = Twokeys


def copied(root: Path, folder: Path) -> Path:
    """The program, without its stacks."""
    folder.mkdir(exist_ok=True)
    for name in ("Pulumi.yaml", "Pulumi.README.md", "__main__.py", "uv.lock"):
        shutil.copy(root / name, folder)
    for name in ("components", "policies"):
        shutil.copytree(root / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / ".venv").symlink_to(sys.prefix)  # where the real engine looks for the policy pack's packages
    return folder


@pytest.fixture
def project(tmp_path: Path, project_root: Path) -> Iterator[Path]:
    """The project as it is in the repository, with a sandbox folder of its own."""
    copy = copied(project_root, tmp_path / "project")
    for path in project_root.glob("Pulumi.*.yaml"):
        shutil.copy(path, copy)
    yield copy
    for aws in copy.glob(".twokeys/**/aws"):
        running = LocalAws.attach(aws)
        if running is not None:
            running.stop()


_SMALL_ORGANIZATION = """\
config:
  twokeys:managementAccountId: "111111111111"
  twokeys:rootEmail: example@company.com
  twokeys:organization:
    organizationalUnits: {Workloads/Stage: {}, Workloads/Prod: {}}
  twokeys:people:
    users: [alice]
    groups: {developers: [alice]}
    roles: {ci: {}}
"""


@pytest.fixture
def small_organization(project: Path) -> None:
    """A management stack with only what the doors of stage and prod need, for tests that are about something else.

    People live in the management account here, so that it makes no other.
    """
    (project / "Pulumi.management.yaml").write_text(_SMALL_ORGANIZATION)
    for stack in ("stage", "prod"):
        file = project / f"Pulumi.{stack}.yaml"
        file.write_text(file.read_text().replace("  twokeys:people: {account: identity}\n", ""))


@pytest.fixture
def twokeys(project: Path) -> Twokeys:
    """Run `twokeys ARGUMENTS` in the project; standard output and error are captured."""
    return functools.partial(in_process.twokeys, folder=project)
