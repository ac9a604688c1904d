"""Stacks, and environments that are split into shards (docs/fleet.md)."""

from __future__ import annotations

from pathlib import Path

import pytest

from twokeys.errors import Refusal
from twokeys.project.stacks import read_settings

PROJECT = "name: twokeys\nruntime: python\n"
CONFIG = """config:
  twokeys:managementAccountId: "111111111111"
  twokeys:rootEmail: example@company.com
  twokeys:accounts: {%s}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Environment prod with an account in each of two shards, and the stack stage."""
    (tmp_path / "shards").mkdir()
    for folder in (tmp_path, tmp_path / "shards"):
        (folder / "Pulumi.yaml").write_text(PROJECT)
    for name, accounts in (
        ("Pulumi.prod", "one: {}, two: {}"),
        ("Pulumi.stage", "stage: {}"),
        ("shards/Pulumi.prod-001", "one: {}"),
        ("shards/Pulumi.prod-002", "two: {}"),
    ):
        (tmp_path / f"{name}.yaml").write_text(CONFIG % accounts)
    return tmp_path


def test_a_shard_is_a_stack_whose_file_people_edit_is_its_environments(root: Path) -> None:
    found = read_settings(root, "prod-002")
    assert list(found.settings.accounts) == ["two"]
    assert (found.file, found.environment) == ("Pulumi.prod.yaml", "prod")


def test_a_stack_that_is_not_split_is_read_from_its_own_file(root: Path) -> None:
    found = read_settings(root, "stage")
    assert (list(found.settings.accounts), found.file, found.environment) == (["stage"], "Pulumi.stage.yaml", "")


def test_a_stack_with_a_file_of_its_own_is_no_shard_whatever_its_name(root: Path) -> None:
    (root / "Pulumi.prod-002.yaml").write_text(CONFIG % "other: {}")
    assert read_settings(root, "prod-002").environment == ""


def test_an_environment_that_is_split_is_refused_with_its_shards(root: Path) -> None:
    with pytest.raises(Refusal, match="2 shards, prod-001 to prod-002") as refused:
        read_settings(root, "prod")
    assert "twokeys fleet list prod" in refused.value.next_step


def test_a_shard_that_is_not_there_is_refused(root: Path) -> None:
    with pytest.raises(Refusal, match=r"Pulumi\.prod-003\.yaml"):
        read_settings(root, "prod-003")
