"""Which shards have changed since a commit."""

import subprocess
from pathlib import Path

import pytest

from tests.fleet.conftest import Change
from tests.fleet.test_environment import split
from twokeys.errors import Refusal
from twokeys.fleet.inputs import changed_since
from twokeys.project.environment import Shard, load


def git(project: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    subprocess.run(["git", *identity, *arguments], cwd=project, check=True, capture_output=True)


@pytest.fixture
def shards(project: Path) -> tuple[Shard, ...]:
    """Two shards, committed."""
    split(project)
    (project / ".gitignore").write_text(".venv\n.twokeys\n")
    git(project, "init")
    git(project, "add", "-A")
    git(project, "commit", "-m", "begin")
    return load(project, "prod").shards


def since(project: Path, shards: tuple[Shard, ...]) -> set[str]:
    return set(changed_since(project, "HEAD", shards))


@pytest.mark.usefixtures("shards")
def test_a_changed_account_has_changed_its_shard_alone(project: Path, set_accounts: Change) -> None:
    set_accounts(["one", "two", "three", "four"])
    split(project)
    assert since(project, load(project, "prod").shards) == {"prod-002"}


@pytest.mark.usefixtures("shards")
def test_a_new_shard_has_changed_though_git_does_not_know_its_file(project: Path, set_accounts: Change) -> None:
    set_accounts(["one", "two", "three", "four", "five"])
    split(project)
    assert since(project, load(project, "prod").shards) == {"prod-002", "prod-003"}


@pytest.mark.parametrize("file", ["__main__.py", "components/new.py", "policies/new.py", "uv.lock"])
def test_a_change_of_the_program_or_the_policies_changes_every_shard(
    project: Path, shards: tuple[Shard, ...], file: str
) -> None:
    with (project / file).open("a") as changed:
        changed.write("\n")
    assert since(project, shards) == {"prod-001", "prod-002"}


def test_a_change_elsewhere_changes_no_shard(project: Path, shards: tuple[Shard, ...]) -> None:
    (project / "notes.txt").write_text("notes")
    assert since(project, shards) == set()


@pytest.mark.parametrize("reference", ["nowhere", "--output=/tmp/x", ""])
def test_a_commit_that_is_not_there_is_refused(project: Path, shards: tuple[Shard, ...], reference: str) -> None:
    with pytest.raises(Refusal, match="cannot be told what changed"):
        changed_since(project, reference, shards)


def test_outside_a_repository_it_is_refused(project: Path) -> None:
    split(project)
    with pytest.raises(Refusal, match="--since"):
        changed_since(project, "HEAD", load(project, "prod").shards)
