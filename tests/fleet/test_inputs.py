"""What a shard's result hangs on, and what is remembered of it: that may be lost; that it cannot be written is said."""

import subprocess
from pathlib import Path

import pytest

from tests.fleet.conftest import Change
from tests.fleet.test_environment import split
from twokeys.errors import Refusal
from twokeys.fleet.inputs import Ledger, changed_since, program_digest, shard_digest
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


def test_the_digest_changes_with_the_program_the_config_and_what_is_beside_it_but_not_with_a_comment(
    project: Path, shards: tuple[Shard, ...]
) -> None:
    before = shard_digest(shards[0], program_digest(project), {"state": "a"})
    assert shard_digest(shards[0], program_digest(project), {"state": "b"}) != before
    assert shard_digest(shards[1], program_digest(project), {"state": "a"}) != before
    shards[0].file.write_text("# a comment\n" + shards[0].file.read_text())
    (project / "components/__pycache__").mkdir(exist_ok=True)
    (project / "components/__pycache__/new.cpython-311.pyc").write_text("made anew by each run")
    assert shard_digest(shards[0], program_digest(project), {"state": "a"}) == before
    (project / "components/new.py").write_text("")
    assert shard_digest(shards[0], program_digest(project), {"state": "a"}) != before


@pytest.mark.usefixtures("shards")
def test_a_changed_account_has_changed_its_shard_alone(project: Path, set_accounts: Change) -> None:
    set_accounts(["one", "two", "three", "four"])
    split(project)
    assert since(project, load(project, "prod").shards) == {"prod-002"}


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


def test_what_is_recorded_is_there_afterwards_and_a_damaged_entry_costs_a_run(tmp_path: Path) -> None:
    Ledger(tmp_path).record("prod-001", "abc")
    assert (Ledger(tmp_path).last("prod-001"), Ledger(tmp_path).last("prod-002")) == ("abc", None)
    (tmp_path / "prod-001").write_bytes(b"\xff")
    assert Ledger(tmp_path).last("prod-001") is None
