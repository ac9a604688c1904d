"""Where states are looked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from twokeys.errors import Refusal
from twokeys.project.states import sandbox_states


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


def test_where_the_sandbox_never_ran_the_next_step_is_said(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="no state to read") as refused:
        sandbox_states(tmp_path)
    assert "twokeys sandbox demo" in refused.value.next_step
