"""`twokeys fleet` as its user meets it: what needs no engine (the rest: test_engine.py)."""

import os
import subprocess
from pathlib import Path
from unittest import mock

import pytest

from tests.fleet.conftest import Change
from tests.in_process import said, twokeys
from twokeys.project.environment import load


def fleet(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `twokeys fleet ARGUMENTS` in the project, without a pulumi CLI."""
    with mock.patch.dict(os.environ, {"PATH": os.pathsep.join(("/usr/bin", "/bin"))}):  # git is there
        return twokeys("fleet", *arguments, folder=project)


def test_an_environment_is_split_and_a_new_account_changes_one_shard(project: Path, set_accounts: Change) -> None:
    assert fleet(project, "split", "prod", "--capacity", "14").returncode == 0
    listed = said(fleet(project, "split", "prod", "--capacity", "14", "--check", "--json"))["shards"]
    assert listed == {"prod-001": ["one", "two"], "prod-002": ["three"]}
    set_accounts(["one", "two", "three", "four"])
    refused = fleet(project, "preview", "prod")
    assert refused.returncode == 1
    assert "twokeys fleet split prod" in refused.stderr
    checked = fleet(project, "split", "prod", "--capacity", "14", "--check", "--json")
    assert checked.returncode == 1
    assert [Path(file).name for file in said(checked)["files"]] == ["Pulumi.prod-002.yaml"]
    written = fleet(project, "split", "prod", "--capacity", "14")
    assert (written.returncode, "1 account placed, 1 file written" in written.stdout) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nobody", "--to", "prod-001"), "there is no account nobody"),
        (("one", "--to", "prod-007"), "there is no shard prod-007"),
        (("one", "--to", "stage-001"), "is called prod-001"),
        (("one",), "name accounts and, with --to, their shard"),
    ],
)
def test_a_move_that_makes_no_sense_is_refused_and_writes_nothing(
    project: Path, arguments: tuple[str, ...], said: str
) -> None:
    fleet(project, "split", "prod", "--capacity", "14")
    before = load(project, "prod").recorded()
    run = fleet(project, "move", "prod", *arguments)
    assert run.returncode in (1, 2)
    assert said in run.stderr
    assert load(project, "prod").recorded() == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("preview", "nowhere"), "there is no Pulumi.nowhere.yaml"),
        (("up", "management"), "there once for the whole organization"),
        (("up", "prod", "--shard", "prod-009"), "there is no shard prod-009"),
        (("up", "prod", "--since", "nowhere"), "it cannot be told what changed"),
        (("preview", "prod"), "the pulumi CLI is not installed"),
        (("recover", "prod"), "the pulumi CLI is not installed"),
    ],
)
def test_bad_input_is_refused_with_a_next_step(project: Path, arguments: tuple[str, ...], said: str) -> None:
    run = fleet(project, *arguments)
    assert run.returncode == 1
    assert said in run.stderr
    assert "next:" in run.stderr


def test_the_matrix_names_each_shard(project: Path) -> None:
    fleet(project, "split", "prod", "--capacity", "10")
    jobs = said(fleet(project, "matrix", "prod"))["include"]
    assert [job["arguments"] for job in jobs] == [f"--shard prod-00{number}" for number in (1, 2, 3)]
