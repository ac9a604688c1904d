"""Config as the CLI reads it: https://www.pulumi.com/docs/iac/concepts/config/ ."""

from __future__ import annotations

from pathlib import Path

import pytest

from twokeys.errors import Refusal
from twokeys.sandbox.project import load_config, load_project

PROJECT = """
name: proj
runtime: {name: python}
config:
  pulumi:disable-default-providers: {value: [aws]}
  region: {type: string, default: us-east-1}
  count: {type: integer}
  tree: {type: object, default: {}}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text(PROJECT)
    return tmp_path


def test_values_reach_the_program_as_text_with_defaults_and_overrides(root: Path) -> None:
    (root / "Pulumi.dev.yaml").write_text("config:\n  count: 3\n  proj:flag: true\n  proj:tree: {a: [1, x]}\n")
    config = load_config(load_project(root), "dev", {"region": "eu-west-1"})
    assert config.values == {
        "pulumi:disable-default-providers": '["aws"]',
        "proj:region": "eu-west-1",
        "proj:count": "3",
        "proj:tree": '{"a":[1,"x"]}',
        "proj:flag": "true",
    }


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("config: {}", "proj:count"),
        ("config: {count: [1]}", "proj:count"),
        ("config: {count: 1, password: {secure: v1:abc}}", "proj:password"),
        ("config: [", "Pulumi.dev.yaml"),
        ("just text", "Pulumi.dev.yaml"),
    ],
)
def test_a_wrong_stack_file_is_refused_by_name(root: Path, text: str, named: str) -> None:
    (root / "Pulumi.dev.yaml").write_text(text)
    with pytest.raises(Refusal) as refused:
        load_config(load_project(root), "dev", {})
    assert named in refused.value.what
    assert "Pulumi.dev.yaml" in refused.value.where


def test_a_folder_without_a_project_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"Pulumi\.yaml"):
        load_project(tmp_path)
