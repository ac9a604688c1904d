"""The one place that makes providers. Its inputs: https://www.pulumi.com/registry/packages/aws/api-docs/provider/"""

from __future__ import annotations

import ast
import json
from pathlib import Path

from components.account_provider import AssumedRole, account_provider
from tests.components.mock_engine import run

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


def test_the_management_provider_is_pinned_and_assumes_nothing() -> None:
    done = run(lambda: account_provider("management", account_id="111111111111", region="us-east-1") and None)
    inputs = done.one(PROVIDER, "management").inputs
    assert json.loads(inputs["allowedAccountIds"]) == ["111111111111"]
    assert "assumeRoles" not in inputs


def test_a_throttled_call_is_tried_again_by_the_sdk_s_own_rules() -> None:
    """https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html"""
    done = run(lambda: account_provider("management", account_id="111111111111", region="us-east-1") and None)
    inputs = done.one(PROVIDER, "management").inputs
    assert inputs["retryMode"] == "standard"
    assert json.loads(inputs["maxRetries"]) == 25


def test_no_other_place_makes_a_provider(project_root: Path) -> None:
    makers = [
        path.name
        for path in [project_root / "__main__.py", *(project_root / "components").glob("*.py")]
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "aws.Provider"
    ]
    assert makers == ["account_provider.py"]
