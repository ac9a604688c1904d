"""The same story with the pulumi CLI and an aws plugin, where both are on PATH: `pytest -m engine`."""

from __future__ import annotations

import json

import pytest

from tests.sandbox.conftest import Run


@pytest.mark.engine
def test_the_demo_goes_the_same_way_on_the_real_engine(twokeys: Run) -> None:
    real = json.loads(twokeys("sandbox", "demo", "--engine", "pulumi", "--json", timeout=280).stdout)
    ours = json.loads(twokeys("sandbox", "demo", "--json").stdout)
    assert real["failed"] == ours["failed"] == []
    assert [one["name"] for one in real["probes"]] == [one["name"] for one in ours["probes"]]
    for theirs, mine in zip(real["runs"], ours["runs"], strict=True):
        assert theirs["changes"] == mine["changes"], f"{mine['operation']} of {mine['stack']}"
    for stack, outputs in ours["outputs"].items():
        assert real["outputs"][stack].keys() == outputs.keys()
