"""The one place that makes providers. Its inputs: https://www.pulumi.com/registry/packages/aws/api-docs/provider/"""

import ast
import json
from pathlib import Path

import pulumi
import pytest

from components.account_provider import AssumedRole, account_provider
from components.caller_identity import caller_arn
from components.refusing import ProgramRefusal
from tests.components.mock_engine import Run, run

PROVIDER = "pulumi:providers:aws"


def test_a_member_s_provider_assumes_its_access_role_and_is_pinned_to_its_account() -> None:
    role = AssumedRole("arn:aws:iam::222222222222:role/Access", "twokeys-stage", 900, "abc")
    done = run(
        lambda: (
            account_provider("stage", account_id="222222222222", region="eu-west-1", role=role, tags={"a": "b"})
            and None
        )
    )
    inputs = done.one(PROVIDER, "stage").inputs
    assert json.loads(inputs["allowedAccountIds"]) == ["222222222222"]
    assert json.loads(inputs["assumeRoles"]) == [
        {
            "roleArn": "arn:aws:iam::222222222222:role/Access",
            "sessionName": "twokeys-stage",
            "duration": "900s",
            "externalId": "abc",
        }
    ]
    assert json.loads(inputs["defaultTags"]) == {"tags": {"a": "b"}}
    assert inputs["region"] == "eu-west-1"


def test_the_management_provider_is_pinned_assumes_nothing_and_tries_a_throttled_call_again() -> None:
    """https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html"""
    done = run(lambda: account_provider("management", account_id="111111111111", region="us-east-1") and None)
    inputs = done.one(PROVIDER, "management").inputs
    assert json.loads(inputs["allowedAccountIds"]) == ["111111111111"]
    assert "assumeRoles" not in inputs
    assert (inputs["retryMode"], json.loads(inputs["maxRetries"])) == ("standard", 25)


def test_no_other_place_makes_a_provider(project_root: Path) -> None:
    makers = [
        path.name
        for path in [project_root / "__main__.py", *(project_root / "components").glob("*.py")]
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "aws.Provider"
    ]
    assert makers == ["account_provider.py"]


def ask(account_id: str) -> Run:
    def program() -> None:
        provider = account_provider("stage", account_id=account_id, region="us-east-1")
        pulumi.export("arn", caller_arn(provider, account_id, account="stage"))

    return run(program)


def test_the_caller_is_told_when_the_account_is_the_right_one() -> None:
    assert ask("222222222222").exports["arn"] == "arn:aws:sts::222222222222:assumed-role/x/y"


def test_a_caller_in_another_account_ends_the_update() -> None:
    with pytest.raises(ProgramRefusal) as refusal:
        ask("333333333333")
    assert "222222222222" in refusal.value.why
    assert "333333333333" in refusal.value.why
    assert refusal.value.where == "arn:aws:sts::222222222222:assumed-role/x/y"
