"""What is read from a state, and what AWS's answers are taken for."""

from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from tests.access.world import HUB, World
from tests.organization.life.test_decisions import facts
from twokeys.access.snapshot import Snapshot
from twokeys.errors import Refusal
from twokeys.organization.life.aws import NotClosedError, client_of, close
from twokeys.organization.life.changes import remaining
from twokeys.organization.life.facts import held_accounts, left_of

OLD = "444444444444"
ARN = f"arn:aws:organizations::{HUB}:account/o-a1b2c3d4e5/{OLD}"


@pytest.fixture
def world() -> World:
    made = World()
    made.add("Account", "old", made.hub, name="Old", outputs={"arn": ARN})
    return made


def left(world: World) -> tuple[str, ...]:
    return tuple(left_of(Snapshot(tuple(world.resources)), OLD))


def test_an_account_that_the_state_has_is_held_and_left(world: World) -> None:
    assert held_accounts(Snapshot(tuple(world.resources))) == {"old": OLD}
    assert left(world) == ("Account old",)


def test_a_provider_and_what_it_made_are_still_there(world: World) -> None:
    provider = world.provider("old", OLD)
    world.role("reader", provider)
    assert left(world) == ("Account old", "aws old", "Role reader")


def test_what_the_management_account_holds_about_it_is_still_there(world: World) -> None:
    """Contacts, budgets, delegations and assignments name the account's id."""
    world.add("Component", "delegation", world.hub, accountId=OLD)
    world.add("Component", "budget", world.hub, filters=[{"values": [OLD]}])
    world.add("Component", "other", world.hub, accountId="5" * 12)
    assert left(world) == ("Account old", "Door delegation", "Door budget")


def closing(code: str, **more: Any) -> None:
    """Close an account of an AWS that answers with that error."""
    client = client_of(boto3.Session("AKIDEXAMPLE", "secret", region_name="us-east-1"), "organizations")
    with Stubber(client) as stub:
        stub.add_client_error("close_account", code, "no", modeled_fields=more or None)
        close(client, OLD)


def test_the_reason_of_a_refused_closing_is_told_and_one_that_is_closed_already_is_as_good_as_closed() -> None:
    with pytest.raises(NotClosedError) as error:
        closing("ConstraintViolationException", Reason="CLOSE_ACCOUNT_QUOTA_EXCEEDED")
    assert error.value.reason == "CLOSE_ACCOUNT_QUOTA_EXCEEDED"
    closing("AccountAlreadyClosedException")


@pytest.mark.parametrize("code", ["AccessDeniedException", "ServiceException"])
def test_any_other_answer_is_a_refusal_that_says_what_was_asked(code: str) -> None:
    with pytest.raises(Refusal) as refusal:
        closing(code)
    assert refusal.value.where == "organizations:CloseAccount"


def test_what_remains_after_a_new_address_names_commands_for_the_shard() -> None:
    known = replace(facts(), stack="prod-001", file="Pulumi.prod.yaml", environment="prod")
    assert remaining(known, "stage", "new@company.com") == [
        "write `email: new@company.com` under `twokeys:accounts.stage` in Pulumi.prod.yaml",
        "let the state learn it: `pulumi -C shards refresh -s prod-001`",
        "see that nothing changes: `twokeys fleet split prod && twokeys fleet preview prod --shard prod-001`",
    ]
