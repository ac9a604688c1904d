"""Who the program is in an account. https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html"""

from __future__ import annotations

import pulumi
import pytest

from components.account_provider import account_provider
from components.caller_identity import caller_arn
from components.refusing import ProgramRefusal
from tests.components.mock_engine import Run, run


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
