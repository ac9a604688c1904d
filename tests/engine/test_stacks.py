"""The three stacks on the pulumi CLI: previewed, made, made again without a change, refreshed without drift."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.engine.conftest import Engine
from twokeys.sandbox.probes import probe
from twokeys.verify.doors import exports

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]
STACKS = ("management", "stage", "prod")


def outputs(engine: Engine, stack: str) -> dict[str, object]:
    told: dict[str, object] = json.loads(engine.ran("stack", "output", "--json", "--show-secrets", "-s", stack))
    return told


@pytest.fixture(scope="module")
def files(project_root: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in project_root.glob("Pulumi*.yaml")}


@pytest.mark.parametrize("stack", STACKS)
def test_a_stack_is_previewed_made_unchanged_and_without_drift(
    stack: str, engine: Engine, files: dict[Path, bytes]
) -> None:
    preview = engine.previewed(stack)
    assert (preview.code, preview.violations) == (0, []), preview.errors
    engine.ran("up", "-s", stack, "--yes", "--skip-preview", "--policy-pack", "policies")
    engine.ran("up", "-s", stack, "--yes", "--skip-preview", "--expect-no-changes")
    engine.ran("refresh", "-s", stack, "--yes", "--skip-preview", "--expect-no-changes")
    assert {path: path.read_bytes() for path in files} == files, "the CLI writes into stack files; these are people's"


def test_every_door_that_was_made_opens_and_nothing_else_does(engine: Engine) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html"""
    made = {stack: outputs(engine, stack) for stack in STACKS}
    assert made["stage"]["parent_account_id"] == "111111111111"
    assert len({made[stack]["child_account_id"] for stack in ("stage", "prod")}) == 2
    probes = probe(engine.aws, exports(made))
    assert [one.name for one in probes if not one.as_expected] == []
    assert {one.expected for one in probes} == {"assumed", "refused"}


def test_an_account_is_protected_from_destroy(engine: Engine) -> None:
    """https://www.pulumi.com/docs/iac/concepts/options/protect/"""
    refused = engine.pulumi("destroy", "-s", "stage", "--yes")
    assert refused.returncode != 0
    assert "protected" in refused.stdout + refused.stderr
