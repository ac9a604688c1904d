"""No more accounts are registered at once than config allows, and nothing waits for a turn that never ends."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Coroutine
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from components.member_account import MemberAccount, MemberAccountArgs
from components.turns import Turns
from tests.components import mock_engine
from tests.components.mock_engine import run

ACCOUNT = "aws:organizations/account:Account"


@pytest.fixture
def most(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many accounts were being registered at each registration, itself included."""
    seen: list[int] = []
    lock, inside = threading.Lock(), 0
    register = mock_engine._Answers.new_resource

    def counting(self: Any, args: Any) -> Any:
        nonlocal inside
        if args.typ != ACCOUNT:
            return register(self, args)
        with lock:
            inside += 1
            seen.append(inside)
        time.sleep(0.02)  # so that those that may come at once do
        with lock:
            inside -= 1
        return register(self, args)

    monkeypatch.setattr(mock_engine._Answers, "new_resource", counting)
    return seen


def accounts(count: int, at_once: int) -> None:
    parent = aws.Provider("management", region="us-east-1")
    turns = Turns(at_once)
    for number in range(count):
        turn = turns.next()
        args: MemberAccountArgs = {
            "account_name": f"a{number}",
            "email": f"a{number}@company.com",
            "role_name": "Access",
            "session_name": "twokeys",
            "region": "us-east-1",
            "turn": turn.come,
        }
        made = MemberAccount(f"a{number}", args, pulumi.ResourceOptions(provider=parent))
        turn.ends_with(made.account.id)


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize("at_once", [1, 3])
def test_at_most_so_many_accounts_are_registered_at_once(most: list[int], at_once: int, preview: bool) -> None:
    done = run(lambda: accounts(9, at_once), preview=preview)
    assert len(done.of(ACCOUNT)) == 9
    assert max(most) == at_once


def test_a_turn_adds_nothing_to_what_is_registered() -> None:
    with_turns = run(lambda: accounts(1, 1)).one(ACCOUNT, "a0")
    assert with_turns.inputs["name"] == "a0"
    assert with_turns.property_dependencies["name"] == ()


class Resolved:
    """What a turn asks of an output: how it ends."""

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error

    async def future(self) -> str:
        if self._error:
            raise self._error
        return "known"


def loop(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 10))


def test_a_turn_whose_output_is_over_before_it_came_is_passed_on() -> None:
    async def work() -> None:
        turns = Turns(1)
        first, second, third = turns.next(), turns.next(), turns.next()
        assert await first.come
        second.ends_with(Resolved())  # type: ignore[arg-type]
        await asyncio.sleep(0)
        assert not second.come.done()
        first.ends_with(Resolved())  # type: ignore[arg-type]
        assert await third.come

    loop(work())


def test_a_failed_output_ends_a_turn_as_a_known_one_does() -> None:
    async def work() -> None:
        turns = Turns(1)
        first, second = turns.next(), turns.next()
        first.ends_with(Resolved(ValueError("not made")))  # type: ignore[arg-type]
        assert await second.come

    loop(work())
