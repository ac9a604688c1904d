"""CloudTrail's event history: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html."""

import ast
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from tests.audit.cloudtrail import IN_THE_CALLERS_ACCOUNT, ROLE_CHAINING
from twokeys.audit.lookup import ASKED, looked_up
from twokeys.errors import Refusal

START, END = datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 11, 24, tzinfo=UTC)


class Session:
    """A session whose clients answer what is stubbed, region by region."""

    def __init__(self, stub: Callable[[str, Stubber], None]) -> None:
        self._stub = stub
        self.stubs: list[Stubber] = []
        self._clients: dict[str, Any] = {}

    def client(self, service: str, region_name: str) -> Any:
        if region_name not in self._clients:
            client = boto3.client(
                service, region_name=region_name, aws_access_key_id="test", aws_secret_access_key="test"
            )
            self._clients[region_name] = client
            stub = Stubber(client)
            self._stub(region_name, stub)
            stub.activate()
            self.stubs.append(stub)
        return self._clients[region_name]


def asked(key: str, value: str, token: str | None = None) -> dict[str, Any]:
    attributes = [{"AttributeKey": key, "AttributeValue": value}]
    more = {"NextToken": token} if token else {}
    return {"LookupAttributes": attributes, "StartTime": START, "EndTime": END, **more}


def answer(*records: dict[str, Any], token: str | None = None) -> dict[str, Any]:
    events = [{"EventId": one["eventID"], "CloudTrailEvent": json.dumps(one)} for one in records]
    return {"Events": events, **({"NextToken": token} if token else {})}


def test_every_page_of_every_event_and_region_is_read_at_two_calls_a_second() -> None:
    def stub(region: str, stub: Stubber) -> None:
        for key, value in ASKED:
            if region == "us-east-1" and value == "AssumeRole":
                stub.add_response("lookup_events", answer(IN_THE_CALLERS_ACCOUNT, token="next"), asked(key, value))
                stub.add_response("lookup_events", answer(ROLE_CHAINING), asked(key, value, "next"))
            else:
                stub.add_response("lookup_events", answer(), asked(key, value))

    session, pauses = Session(stub), []
    found = list(looked_up(session, ["us-east-1", "eu-central-1"], START, END, pauses.append))  # type: ignore[arg-type]
    assert [record["eventID"] for record in found] == [IN_THE_CALLERS_ACCOUNT["eventID"], ROLE_CHAINING["eventID"]]
    assert (pauses.count(0.5), pauses.count(0.25), len(pauses)) == (1, 2 * len(ASKED), 2 * len(ASKED) + 1)
    for one in session.stubs:
        one.assert_no_pending_responses()


def test_it_is_asked_for_every_call_that_the_audit_knows_by_name(project_root: Path) -> None:
    """Of none is it known otherwise that there was one. StartLogging ends what bears on the records of a trail only."""
    services = ("cloudtrail", "iam", "identitystore", "organizations", "sso-admin", "sts")
    api = {name for one in services for name in boto3.client(one, "us-east-1").meta.service_model.operation_names}
    trees = [ast.parse(file.read_text()) for file in (project_root / "twokeys/audit").glob("*.py")]
    words = {node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    assert words & api - {value for _, value in ASKED} == {"StartLogging"}


def test_a_refusal_of_the_api_names_the_region_and_the_next_step() -> None:
    def stub(_region: str, stub: Stubber) -> None:
        stub.add_client_error("lookup_events", "AccessDeniedException", "not authorized")

    with pytest.raises(Refusal) as refused:
        list(looked_up(Session(stub), ["us-east-1"], START, END, lambda _seconds: None))  # type: ignore[arg-type]
    assert "us-east-1" in refused.value.where
    assert "cloudtrail:LookupEvents" in refused.value.next_step
