"""What a reader of the demo sees: every command answers from the states, and what went well or not stands out."""

import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from twokeys.sandbox.answers import ask
from twokeys.sandbox.report import Report, Verdicts


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
    for command in ("audit prod", "profiles", "map", "costs"):
        assert f"twokeys {command}" in told
    assert (tmp_path / "organization.svg").read_text().startswith("<")


def test_a_command_that_refuses_is_told_and_the_others_go_on(states: list[Path], tmp_path: Path) -> None:
    outputs = {path.stem: _outputs(path) for path in states}
    (tmp_path / "answers").mkdir()
    (tmp_path / "answers" / "aws-config").write_text("[profile stage-developer]\nregion = eu-central-1\n")
    failed = ask(states, tmp_path / "answers", tmp_path / "organization.svg", outputs)
    assert len(failed) == 1
    assert "profiles" in failed[0]
    assert "stage-developer" in failed[0]
    assert (tmp_path / "answers" / "map.html").exists()


@pytest.mark.parametrize(
    ("line", "marked"),
    [
        ("stage       preview  23 resources: nothing refused", {"stage": "bold", "nothing refused": "green"}),
        ("stage       refused  door ci without its grant", {"stage": "bold", "refused": "red"}),
        ("stage       preview  9 resources: 2 refused", {"stage": "bold"}),
        ("probes: 47 of 47 as expected: 9 assumed, 38 refused", {"probes": "bold", "as expected": "green"}),
        ("  assumed  role ci enters by door ci", {"assumed": "green"}),
        ("  refused  a user without a grant", {"refused": "red"}),
        ("who can enter prod: 12 ways", {"who can enter prod": "bold"}),
        ("  role refused of identity -> assumed: write", {}),
    ],
)
def test_a_verdict_has_its_colour_and_nothing_else_has(line: str, marked: dict[str, str]) -> None:
    text = Verdicts()(line)
    assert {text.plain[one.start : one.end].strip(): one.style for one in text.spans} == marked


def test_outputs_are_counted() -> None:
    outputs = {"none": [], "plain": "a", "doors": ["front"]}
    out = io.StringIO()
    Report(Console(file=out, width=80)).show_outputs(SimpleNamespace(outputs=outputs))  # type: ignore[arg-type]
    assert "outputs  2: --json" in out.getvalue()
