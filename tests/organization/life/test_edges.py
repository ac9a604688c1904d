"""What is read from a state, and what AWS's answers are taken for."""

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from tests.access.world import HUB, World
from twokeys.access.reading.snapshot import Snapshot
from twokeys.errors import Refusal
from twokeys.organization.life.aws import NotClosedError, closing
from twokeys.organization.life.facts import left_of

OLD = "444444444444"
ARN = f"arn:aws:organizations::{HUB}:account/o-a1b2c3d4e5/{OLD}"


@pytest.fixture
def world() -> World:
    made = World()
    made.add("Account", "old", made.hub, name="Old", outputs={"arn": ARN})
    return made


def left(world: World) -> tuple[str, ...]:
    return left_of(Snapshot(tuple(world.resources)), OLD)


def test_an_account_that_the_state_has_is_left(world: World) -> None:
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


@pytest.fixture
def organizations(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The client that is asked, of nobody's credentials."""
    client = boto3.client(
        "organizations", aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="secret", region_name="us-east-1"
    )
    monkeypatch.setattr("twokeys.organization.life.aws.organizations_client", lambda _: client)
    return client


def refuse(organizations: Any, code: str, **more: Any) -> Stubber:
    stub = Stubber(organizations)
    stub.add_client_error("close_account", code, "no", modeled_fields=more or None)
    return stub


def close() -> None:
    closing(boto3.Session())(OLD)


def test_the_reason_of_a_refused_closing_is_told(organizations: Any) -> None:
    code, reason = "ConstraintViolationException", "CLOSE_ACCOUNT_QUOTA_EXCEEDED"
    with refuse(organizations, code, Reason=reason), pytest.raises(NotClosedError) as error:
        close()
    assert error.value.reason == reason


def test_an_account_that_is_closed_already_is_as_good_as_closed(organizations: Any) -> None:
    with refuse(organizations, "AccountAlreadyClosedException") as asked:
        close()
    asked.assert_no_pending_responses()


@pytest.mark.parametrize("code", ["AccessDeniedException", "ServiceException"])
def test_any_other_answer_is_a_refusal_that_says_what_was_asked(organizations: Any, code: str) -> None:
    with refuse(organizations, code), pytest.raises(Refusal) as refusal:
        close()
    assert refusal.value.where == "organizations:CloseAccount"
