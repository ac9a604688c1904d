"""The demo's last chapter: every command answers from the states of the stacks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from twokeys.sandbox.answers import ask


def _outputs(state: Path) -> dict[str, Any]:
    resources = json.loads(state.read_text())["deployment"]["resources"]
    found: dict[str, Any] = next(one["outputs"] for one in resources if one["type"] == "pulumi:pulumi:Stack")
    return found


@pytest.fixture
def states(project_root: Path) -> list[Path]:
    folder = project_root / "tests" / "map" / "states"
    return [folder / f"{name}.json" for name in ("management", "stage", "prod")]


def test_every_command_answers_and_leaves_its_page(
    states: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outputs = {path.stem: _outputs(path) for path in states}
    assert ask(states, tmp_path / "answers", tmp_path / "organization.svg", outputs) == []
    told = capsys.readouterr().out
    made = {path.name for path in (tmp_path / "answers").iterdir()}
    assert {"audit.html", "aws-config", "ways-in.html", "map.html", "bill.svg"} <= made
    for command in ("audit prod", "profiles write", "profiles page", "map", "costs"):
        assert f"twokeys {command}" in told
    assert (tmp_path / "organization.svg").read_text().startswith("<")


def test_a_command_that_refuses_is_told_and_the_others_go_on(states: list[Path], tmp_path: Path) -> None:
    outputs = {path.stem: _outputs(path) for path in states}
    (tmp_path / "answers").mkdir()
    (tmp_path / "answers" / "aws-config").write_text("[profile stage-developer]\nregion = eu-central-1\n")
    failed = ask(states, tmp_path / "answers", tmp_path / "organization.svg", outputs)
    assert len(failed) == 1
    assert "profiles write" in failed[0]
    assert "stage-developer" in failed[0]
    assert (tmp_path / "answers" / "map.html").exists()
