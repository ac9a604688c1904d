"""The three stacks on the pulumi CLI: previewed, made, made again without a change, refreshed without drift."""

import io

import pytest
from rich.console import Console

from tests.engine.conftest import Engine
from twokeys.sandbox.demo import STACKS
from twokeys.sandbox.get_pulumi import find_pulumi
from twokeys.sandbox.pulumi_demo import tell

pytestmark = [pytest.mark.engine, pytest.mark.timeout(1200)]


def test_the_story_of_the_demo_is_the_same_on_the_pulumi_cli(engine: Engine) -> None:
    """Each stack is previewed with the pack, made, unchanged and without drift; a door with one key is refused in
    preview; and every door opens to whom it names, and to nobody else:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
    """
    files = {path: path.read_bytes() for path in engine.box.project.root.glob("Pulumi*.yaml")}
    said = io.StringIO()
    pulumi = find_pulumi()
    assert pulumi is not None
    assert tell(engine.box, engine.aws, pulumi, Console(file=said, width=200)) == [], said.getvalue()
    for stack, made in zip(STACKS, (98, 24, 23), strict=True):
        assert f"{made} create" in said.getvalue(), stack
        assert f"{made} same" in said.getvalue(), stack
    assert "refused, before its account exists" in said.getvalue()
    assert {path: path.read_bytes() for path in files} == files, "the CLI writes into stack files; these are people's"


def test_an_account_is_protected_from_destroy(engine: Engine) -> None:
    """https://www.pulumi.com/docs/iac/concepts/options/protect/"""
    refused = engine.pulumi("destroy", "-s", "stage", "--yes")
    assert refused.returncode != 0
    assert "protected" in refused.stdout + refused.stderr
