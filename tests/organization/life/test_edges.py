"""What is read from a state, and what AWS's answers are taken for."""

from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from tests.access.world import HUB, World
from tests.organization.life.test_decisions import facts
from twokeys.access.reading.snapshot import Snapshot
from twokeys.errors import Refusal
from twokeys.organization.life.aws import Aws, NotClosedError
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
    return left_of(Snapshot(tuple(world.resources)), OLD)


def test_an_account_that_the_state_has_is_held_and_left(world: World) -> None:
    assert held_accounts(Snapshot(tuple(world.resources))) == {"old": OLD}
    assert left(world) == ("Account old",)


def test_nothing_is_left_of_an_account_that_the_state_does_not_have() -> None:
    assert left(World()) == ()


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


def test_an_account_that_is_not_made_yet_is_not_held() -> None:
    world = World()
    world.add("Account", "new", world.hub, name="new")
    assert held_accounts(Snapshot(tuple(world.resources))) == {}


@pytest.fixture
def aws() -> Aws:
    return Aws(boto3.Session("AKIDEXAMPLE", "secret", region_name="us-east-1"))


def refuse(aws: Aws, service: str, operation: str, code: str, **more: Any) -> Stubber:
    stub = Stubber(aws._client(service))
    stub.add_client_error(operation, code, "no", modeled_fields=more or None)
    return stub


def test_the_reason_of_a_refused_closing_is_told(aws: Aws) -> None:
    code, reason = "ConstraintViolationException", "CLOSE_ACCOUNT_QUOTA_EXCEEDED"
    with refuse(aws, "organizations", "close_account", code, Reason=reason), pytest.raises(NotClosedError) as error:
        aws.close(OLD)
    assert error.value.reason == reason


def test_an_account_that_is_closed_already_is_as_good_as_closed(aws: Aws) -> None:
    with refuse(aws, "organizations", "close_account", "AccountAlreadyClosedException") as asked:
        aws.close(OLD)
    asked.assert_no_pending_responses()


@pytest.mark.parametrize("code", ["AccessDeniedException", "ServiceException"])
def test_any_other_answer_is_a_refusal_that_says_what_was_asked(aws: Aws, code: str) -> None:
    with refuse(aws, "organizations", "close_account", code), pytest.raises(Refusal) as refusal:
        aws.close(OLD)
    assert refusal.value.where == "organizations:CloseAccount"


def test_what_remains_after_a_new_address_names_commands_for_the_shard() -> None:
    known = replace(facts(), stack="prod-001", file="Pulumi.prod.yaml", environment="prod")
    assert remaining(known, "stage", "new@company.com") == [
        "write `email: new@company.com` under `twokeys:accounts.stage` in Pulumi.prod.yaml",
        "let the state learn it: `pulumi -C shards refresh -s prod-001`",
        "see that nothing changes: `twokeys fleet split prod && twokeys fleet preview prod --shard prod-001`",
    ]
