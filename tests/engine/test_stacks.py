"""The three stacks on the pulumi CLI: previewed, made, made again without a change, refreshed without drift."""

import json

import pytest

from tests.engine.conftest import Engine
from tests.engine.events import run
from twokeys.sandbox.demo import STACKS
from twokeys.sandbox.get_pulumi import find_pulumi
from twokeys.sandbox.probes import probe
from twokeys.verify.doors import exports

pytestmark = [pytest.mark.engine, pytest.mark.timeout(1200)]


def test_the_stacks_of_the_demo_are_made_once_on_the_pulumi_cli_and_their_doors_open_to_nobody_else(
    engine: Engine,
) -> None:
    """Expected of each door: to whom it names it opens, and to nobody else.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
    """
    files = {path: path.read_bytes() for path in engine.box.project.root.glob("Pulumi*.yaml")}
    pulumi, mirror, outputs = find_pulumi(), engine.box.reflect(), {}
    assert pulumi is not None
    for stack, made in zip(STACKS, (98, 24, 23), strict=True):
        for operation, done in (
            (("up", "--yes", "--policy-pack", str(engine.box.project.root / "policies")), "create"),
            (("up", "--yes", "--skip-preview"), "same"),
            (("refresh", "--yes", "--skip-preview"), "same"),
        ):
            ran = run(pulumi, [*operation, "--stack", stack], mirror, engine.environment)
            assert ran.code == 0, ran.errors
            assert ran.changes.keys() <= {done, "read"}, operation
            assert operation[0] == "refresh" or ran.changes[done] == made  # a refresh counts what is read, too
        outputs[stack] = json.loads(engine.ran("stack", "output", "--json", "--show-secrets", "--stack", stack))
    tried = list(probe(engine.aws, exports(outputs)))
    assert len(tried) > 30
    assert not [one.name for one in tried if one.failed]
    assert {path: path.read_bytes() for path in files} == files, "the CLI writes into stack files; these are people's"


def test_an_account_is_protected_from_destroy(engine: Engine) -> None:
    """https://www.pulumi.com/docs/iac/concepts/options/protect/"""
    refused = engine.pulumi("destroy", "-s", "stage", "--yes")
    assert refused.returncode != 0
    assert "protected" in refused.stdout + refused.stderr
