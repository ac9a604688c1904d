"""What the real engine (pulumi 3.260.0) did with the programs in `cases.py`, ours does too.

The recordings hold its steps, errors, exported state and everything that a policy pack was shown.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.engine.cases import CASES
from tests.sandbox.engine.conftest import Bench, Run
from twokeys.sandbox.engine.events import Op, StepDone
from twokeys.sandbox.engine.policy_host import PackChoice

HERE = Path(__file__).parent
# One operation of ours is two steps there: the new object, and the statement that it replaces the old one.
REAL_OPS = {Op.REPLACE: ["create-replacement", "replace"]}
ADVICE = (
    " ",
    "Traceback",
    "because it",
    "as it is",
    "`pulumi state",
    "update failed",
    "preview failed",
    "update that stack",
)
RANDOM = [
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"), "UUID"),
    (re.compile(r"(?<=[a-z])-[0-9a-f]{7}(?![0-9a-z])"), "-RANDOM"),
]


@pytest.mark.parametrize("name", CASES)
def test_each_program_is_treated_as_pulumi_treats_it(
    name: str, bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    recording = json.loads((HERE / "recordings" / f"{name}.json").read_text())
    case = CASES[name]
    bench.packs = (PackChoice(HERE / "recorder"),)
    bench.config = {
        ("" if ":" in key else "proj:") + key.removesuffix("[0]"): json.dumps([value]) if "[0]" in key else value
        for key, value in case.config.items()
    }
    for number, ((operation, program), real) in enumerate(zip(case.runs, recording["runs"], strict=True)):
        record = tmp_path / f"{number}.jsonl"
        record.touch()
        monkeypatch.setenv("RECORD_FILE", str(record))
        bench.other_stacks = {"organization/proj/dev": stack_outputs(bench)}
        run = operate(bench, operation, program)
        where = f"run {number} ({operation})"
        assert run.ok == real["ok"], f"{where}: {run.errors}"
        assert reason(run.errors) == reason("\n".join(real["errors"])), where
        if real["ok"]:
            assert steps(run) == Counter((op, urn) for op, urn in real["steps"]), where
            shown = [json.loads(line) for line in record.read_text().splitlines()]
            assert comparable(shown) == comparable(real["policy"]), where
        assert state(bench) == {one["urn"]: stable(one) for one in without_deleted(real["resources"])}, where


def operate(bench: Bench, operation: str, text: str) -> Run:
    verb, *targets = operation.split()
    if verb == "destroy":
        return bench.destroy()
    if verb == "refresh":
        bench.world.refused.clear()
        exec(text, {"objects": bench.world.objects, "refused": bench.world.refused})
        return bench.refresh(*targets)
    return bench.preview(text) if verb == "preview" else bench.up(text)


def stack_outputs(bench: Bench) -> dict[str, Any]:
    return next((one.outputs for one in bench.state.load().resources if not one.parent and not one.custom), {})


def steps(run: Run) -> Counter[tuple[str, str]]:
    done = (event.step for event in run.events if isinstance(event, StepDone))
    return Counter((op, step.urn) for step in done for op in REAL_OPS.get(step.op, [step.op.value]))


def comparable(lines: list[dict[str, Any]]) -> list[str]:
    return sorted(json.dumps(stable(line), sort_keys=True) for line in lines)


def state(bench: Bench) -> dict[str, Any]:
    resources = [one.to_json() for one in bench.state.load().resources]
    for one in resources:
        for key in ("created", "modified"):
            one.pop(key, None)
    return {one["urn"]: stable(one) for one in without_deleted(resources)}


def without_deleted(resources: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for one in resources if not one.get("delete")]


def stable(value: Any) -> Any:
    """The value without what is random, without the engine's private keys, and with lists of URNs in one order."""
    if isinstance(value, dict):
        return {key: stable(inner) for key, inner in value.items() if key != "__internal"}
    if isinstance(value, list):
        items = [stable(inner) for inner in value]
        return (
            sorted(items) if items and all(isinstance(one, str) and one.startswith("urn:") for one in items) else items
        )
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str):
        for pattern, replacement in RANDOM:
            value = pattern.sub(replacement, value)
    return value


def reason(errors: str) -> str:
    """What an error says first; the program's paths and each engine's advice are left out."""
    lines = [line.removeprefix("Preview failed: ") for line in errors.splitlines()]
    return "\n".join(line for line in lines if not line.startswith(ADVICE))
