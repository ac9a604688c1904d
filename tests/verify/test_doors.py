"""The doors that stacks export, read for probing."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.access.world import trusts
from tests.verify.conftest import CI, DEPLOYER, HUB, STACKS, STAGE
from twokeys.doors import Who
from twokeys.errors import Refusal
from twokeys.verify.doors import DoorToTry, exports


def test_doors_and_access_roles_of_all_stacks_are_read_together() -> None:
    found = exports(STACKS)
    assert found.management == HUB
    assert [door.name for door in found.doors] == [
        "stage-deployer",
        "stage-developer",
        "stage-partner",
        "stage-office",
        "prod-reader",
        "prod-support",
    ]
    assert found.doors[0].role_arn == DEPLOYER
    assert found.doors[0].trusted == {Who("role", HUB, "ci")}
    assert found.doors[1].mfa
    assert found.doors[2].external == {"ExternalId": "ticket-7"}
    assert [door.needs for door in found.doors if door.needs] == ["aws:SourceIp IpAddress 203.0.113.0/24"]
    assert set(found.access_roles) == {"stage", "prod"}


def tried(*statements: Mapping[str, Any], **properties: str) -> DoorToTry:
    """The first door of `STACKS`, with these statements in its trust policy and these properties of its role."""
    door = STACKS["stage"]["doors"][0]
    (document,) = door["documents"]
    changed = {**document, "properties": {"name": "deployer", **properties}, "document": {"Statement": statements}}
    (found,) = exports({"stage": {"parent_account_id": HUB, "doors": [{**door, "documents": [changed]}]}}).doors
    return found


def test_the_way_for_emergencies_is_tried_by_its_users_with_mfa() -> None:
    said = {"role_arn": f"arn:aws:iam::{HUB}:role/break-glass", "users": ["emergency-1", "emergency-2"]}
    (door,) = exports({"management": {"parent_account_id": HUB, "break_glass": said}}).doors
    users = (Who("user", HUB, "emergency-1"), Who("user", HUB, "emergency-2"))
    assert (door.role_arn, door.sources, door.trusted, door.mfa) == (said["role_arn"], users, {*users}, True)


@pytest.mark.parametrize(
    ("arn", "who"),
    [
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
        (f"arn:aws:iam::{HUB}:user/division_abc/alice", Who("user", HUB, "alice")),
        (f"arn:aws:iam::{HUB}:role/service/ci", Who("role", HUB, "ci")),
        (f"arn:aws:sts::{HUB}:assumed-role/ci/run-1", Who("role", HUB, "ci")),
        (f"arn:aws-cn:iam::{HUB}:root", Who("root", HUB, "")),
        (f"arn:aws:sts::{HUB}:federated-user/bob", None),
        ("*", Who("everyone", "")),
    ],
)
def test_a_principal_is_known_by_its_arn_whatever_its_path_or_session(arn: str, who: Who | None) -> None:
    assert Who.named(arn) == who


def test_outputs_that_do_not_tell_the_management_account_are_refused() -> None:
    with pytest.raises(Refusal, match=r"do not tell who may enter.*another program's doors .*check --live"):
        exports({"stage": STACKS["stage"]})


def test_a_door_that_cannot_be_read_is_refused_with_its_place() -> None:
    with pytest.raises(Refusal, match="stack stage") as refused:
        exports({"stage": {"parent_account_id": HUB, "doors": [{"name": "x", "documents": [], "door": {"name": "x"}}]}})
    assert refused.value.why == "door.source: it is missing"


def test_a_door_needs_nothing_where_one_of_its_statements_asks_for_nothing() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html"""
    of_office = trusts(CI, condition={"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}})
    assert (tried(of_office).needs != "", tried(of_office, trusts(CI)).needs) == (True, "")


def test_the_roles_partition_and_path_are_those_of_its_documents() -> None:
    principal = {"AWS": f"arn:aws-cn:iam::{HUB}:role/ci"}
    found = tried({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}, path="/ops/")
    assert found.role_arn == f"arn:aws-cn:iam::{STAGE}:role/ops/deployer"
