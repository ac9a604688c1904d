"""`twokeys preview` finds what the real preview finds, word for word: on the stacks as they are, and with one key."""

import json
from typing import Any

import pytest

from tests.engine.conftest import Engine
from twokeys.pack.changed import DOORS_CHANGED
from twokeys.preview.program import judge, preview
from twokeys.project.config import load_config, read_config

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]
# The others are of the same kinds. The story of test_stacks.py previews and makes all three stacks with the pack, and
# tests/preview finds nothing in any of them.
STACKS = ["stage", *(pytest.param(one, marks=pytest.mark.long) for one in ("management", "prod"))]
ONE_KEY = [
    ("stage", "stage-deployer", "trust"),
    ("prod", "prod-deployer", "grant"),
    pytest.param("stage", "stage-developer", "grant", marks=pytest.mark.long),
    pytest.param("prod", "prod-read-only", "trust", marks=pytest.mark.long),
]


def by_mocks(engine: Engine, stack: str, overrides: dict[str, Any] | None = None) -> list[tuple[str, str, str]]:
    project = engine.box.project
    given = {key: json.dumps(value) for key, value in (overrides or {}).items()}
    config = load_config(project, stack, given)
    verdicts = judge(preview(project.program, stack, config, project=project.name))
    found = [(one, "mandatory") for one in verdicts.mandatory] + [(one, "advisory") for one in verdicts.advisory]
    return sorted((one.rule, level, one.text) for one, level in found)


@pytest.mark.parametrize("stack", STACKS)
def test_a_stack_in_order_is_found_in_order_by_both(stack: str, engine: Engine) -> None:
    assert by_mocks(engine, stack) == []
    real = engine.previewed(stack)
    assert {rule for rule, _, _ in real.violations} == {DOORS_CHANGED}, "a new stack gains each of its ways"
    assert real.code == 0, real.errors


@pytest.mark.parametrize(("stack", "door", "key"), ONE_KEY)
def test_a_door_with_one_key_is_refused_by_both_in_the_same_words(
    stack: str, door: str, key: str, engine: Engine
) -> None:
    """A role is assumed across accounts by a trust and a grant, both:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
    """
    doors = read_config(engine.box.project.stack_file(stack))["twokeys:doors"]
    # What a role has is said where it is made, so a door that is only a grant says nothing of it.
    said = ("from", "to", "reason", "owner") if key == "grant" else tuple(doors[door])
    one_key = {name: doors[door][name] for name in said} | {"keys": [key]}
    overrides = {"twokeys:doors": {**doors, door: one_key}}
    expected = by_mocks(engine, stack, overrides)
    missing = {"trust": "door-needs-grant", "grant": "door-needs-trust"}[key]
    assert (missing, "mandatory") in {(rule, level) for rule, level, _ in expected}
    real = engine.previewed(stack, overrides)
    assert real.code != 0
    # The SDK puts the rule's own description before what it found. Mocks have no state to compare with.
    found = [(rule, level, text.partition("\n")[2]) for rule, level, text in real.violations if rule != DOORS_CHANGED]
    assert found == expected
