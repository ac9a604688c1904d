"""Where states are looked for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from twokeys.errors import Refusal
from twokeys.project.states import local_aws_of, sandbox_states


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


def test_the_states_of_the_cli_in_the_shell_come_before_those_of_the_demo(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: proj\nruntime: python\n")
    demo = tmp_path / ".twokeys" / "demo" / "stacks"
    demo.mkdir(parents=True)
    (demo / "prod.json").touch()
    shell = tmp_path / ".twokeys" / "pulumi" / "backend" / ".pulumi" / "stacks" / "proj"
    shell.mkdir(parents=True)
    for name, latest in (("management", None), ("stage", {"resources": []})):
        (shell / f"{name}.json").write_text(json.dumps({"version": 3, "checkpoint": {"latest": latest}}))
    assert sandbox_states(tmp_path) == [demo / "prod.json"]
    assert local_aws_of(tmp_path, demo / "prod.json") == tmp_path / ".twokeys" / "demo" / "aws"
    updated = {"resources": [{"urn": "urn:pulumi:stage::proj::pulumi:pulumi:Stack::proj-stage"}]}
    (shell / "stage.json").write_text(json.dumps({"version": 3, "checkpoint": {"latest": updated}}))
    assert sandbox_states(tmp_path) == [shell / "stage.json"]
    assert local_aws_of(tmp_path, shell / "stage.json") == tmp_path / ".twokeys" / "aws", "where `up` has it too"
    (shell / "management.json").write_text("{")
    assert sandbox_states(tmp_path) == [shell / "management.json", shell / "stage.json"]  # its reader refuses it


def test_where_the_sandbox_never_ran_the_next_step_is_said(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="no state to read") as refused:
        sandbox_states(tmp_path)
    assert "twokeys sandbox demo" in refused.value.next_step
