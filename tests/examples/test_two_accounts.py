"""The two accounts, previewed and really made."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from twokeys.preview.commands import preview
from twokeys.sandbox.commands import sandbox


@pytest.fixture
def example(tmp_path: Path, project_root: Path) -> Path:
    """The example with a sandbox of its own, as far below the components as it is in the repository."""
    (tmp_path / "components").symlink_to(project_root / "components")
    return Path(shutil.copytree(project_root / "examples/two-accounts", tmp_path / "examples/two-accounts"))


def test_the_program_is_as_short_as_its_page_says(project_root: Path) -> None:
    folder = project_root / "examples/two-accounts"
    lines = [line for line in (folder / "__main__.py").read_text().splitlines() if line]
    assert f"is {len(lines)} lines" in (folder / "README.md").read_text()
    assert len(lines) <= 25


def test_parent_and_child_are_made_and_each_is_entered_by_its_own_provider(example: Path) -> None:
    options = ["dev", "--project", str(example)]
    assert CliRunner().invoke(preview, options, standalone_mode=False).return_value == 0
    try:
        done = CliRunner().invoke(sandbox, ["up", *options, "--json"], standalone_mode=False)
        assert done.return_value == 0, done.output
    finally:
        CliRunner().invoke(sandbox, ["down", "--project", str(example)], standalone_mode=False)
    (told,) = json.loads(done.stdout)
    outputs = told["outputs"]
    assert outputs["parent_account_id"] == "111111111111"
    assert outputs["child_account_id"] != outputs["parent_account_id"]
    role = f"arn:aws:sts::{outputs['child_account_id']}:assumed-role/OrganizationAccountAccessRole/"
    assert outputs["child_caller_arn"].startswith(role)
