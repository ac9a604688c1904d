"""Stacks, environments that are split into shards (docs/fleet.md), and where their states are looked for."""

import json
from pathlib import Path

import pytest

from twokeys.errors import Refusal
from twokeys.project.stacks import read_settings
from twokeys.project.states import local_aws_of, not_whole, sandbox_states

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
    assert "twokeys fleet split prod --check" in refused.value.next_step


def test_a_shard_that_is_not_there_is_refused(root: Path) -> None:
    with pytest.raises(Refusal, match=r"Pulumi\.prod-003\.yaml"):
        read_settings(root, "prod-003")


def test_the_sandboxs_states_are_found_and_its_other_files_are_not(tmp_path: Path) -> None:
    folder = tmp_path / ".twokeys" / "stacks"
    folder.mkdir(parents=True)
    for name in ("prod.json", "stage.json", "stage.json.bak", "stage.lock", "stage.holder.json"):
        (folder / name).touch()
    assert sandbox_states(tmp_path) == [folder / "prod.json", folder / "stage.json"]
    assert sandbox_states(tmp_path, ["stage"]) == [folder / "stage.json"]
    with pytest.raises(Refusal, match="no state of stack dev") as refused:
        sandbox_states(tmp_path, ["dev"])
    assert "prod, stage" in refused.value.why


def test_the_states_of_the_cli_in_the_shell_come_before_those_of_the_demo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: proj\nruntime: python\n")
    demo = tmp_path / ".twokeys" / "demo" / "stacks"
    demo.mkdir(parents=True)
    (demo / "prod.json").touch()
    shell = tmp_path / ".twokeys" / "pulumi" / "backend" / ".pulumi" / "stacks" / "proj"
    shell.mkdir(parents=True)
    for name, latest in (("management", None), ("stage", {"resources": []})):
        (shell / f"{name}.json").write_text(json.dumps({"version": 3, "checkpoint": {"latest": latest}}))
    assert sandbox_states(tmp_path) == [demo / "prod.json"]
    assert local_aws_of(demo / "prod.json") == tmp_path / ".twokeys" / "demo" / "aws"
    updated = {"resources": [{"urn": "urn:pulumi:stage::proj::pulumi:pulumi:Stack::proj-stage"}]}
    (shell / "stage.json").write_text(json.dumps({"version": 3, "checkpoint": {"latest": updated}}))
    assert sandbox_states(tmp_path) == [shell / "stage.json"]
    assert local_aws_of(shell / "stage.json") == tmp_path / ".twokeys" / "aws", "where `up` has it too"
    lock = tmp_path / ".twokeys" / "pulumi" / "backend" / ".pulumi" / "locks" / "organization" / "proj"
    for stack in ("stage", "prod"):
        (tmp_path / f"Pulumi.{stack}.yaml").touch()
        (lock / stack).mkdir(parents=True)  # which stays when a lock is released
    (lock / "stage" / "0.json").touch()
    assert not_whole(tmp_path) == (("prod",), ("stage",))
    (shell / "management.json").write_text("{")
    assert sandbox_states(tmp_path) == [shell / "management.json", shell / "stage.json"]  # its reader refuses it
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / ".twokeys" / "pulumi" / "home"))
    another = tmp_path / "another"
    another.mkdir()
    (another / "Pulumi.yaml").write_text("name: proj\nruntime: nodejs\n")
    assert sandbox_states(another) == sandbox_states(tmp_path), "in the shell every project is on that local AWS"
    assert not_whole(another) == ((), ("stage",))


def test_where_the_sandbox_never_ran_the_next_step_is_said(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="no state to read") as refused:
        sandbox_states(tmp_path)
    assert "twokeys sandbox demo" in refused.value.next_step
