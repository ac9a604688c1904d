"""A slow AWS: the same calls of the local AWS are throttled in every run, as AWS and its SDKs know it."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from http.client import HTTPConnection
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from twokeys.sandbox.local_aws import LocalAws


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., LocalAws]]:
    """Starts a local AWS that is so slow, in a directory of its own."""
    running: list[LocalAws] = []

    def start(**how: float) -> LocalAws:
        running.append(LocalAws.start(tmp_path_factory.mktemp("slow"), **how))
        return running[-1]

    yield start
    for server in running:
        server.stop()


@pytest.fixture(scope="module")
def throttling(started: Callable[..., LocalAws]) -> LocalAws:
    """Throttles every call."""
    return started(throttled=1.0)


@pytest.fixture
def api() -> Iterator[Callable[..., Any]]:
    made: list[Any] = []

    def make(server: LocalAws, service: str) -> Any:
        config = Config(retries={"mode": "standard", "total_max_attempts": 1})
        keys = {"aws_access_key_id": "111111111111", "aws_secret_access_key": "test"}
        made.append(boto3.client(service, endpoint_url=server.endpoint, region_name="us-east-1", config=config, **keys))
        return made[-1]

    yield make
    for client in made:
        client.close()


def outcome(call: Callable[..., Any], **arguments: Any) -> str:
    try:
        call(**arguments)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "ok"


@pytest.mark.parametrize(
    ("service", "operation", "arguments", "code", "status"),
    [
        # https://docs.aws.amazon.com/organizations/latest/APIReference/CommonErrors.html and botocore's service models
        ("organizations", "describe_organization", {}, "TooManyRequestsException", 400),
        ("iam", "list_roles", {}, "Throttling", 400),
        ("sts", "get_caller_identity", {}, "Throttling", 400),
        ("account", "get_contact_information", {}, "TooManyRequestsException", 429),
        # https://docs.aws.amazon.com/ec2/latest/devguide/errors-overview.html
        ("ec2", "describe_vpcs", {}, "RequestLimitExceeded", 503),
        # https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
        ("s3", "list_buckets", {}, "SlowDown", 503),
        ("sso-admin", "list_instances", {}, "ThrottlingException", 400),
    ],
)
def test_each_service_throttles_with_its_own_error(  # noqa: PLR0917 - a column an argument
    service: str,
    operation: str,
    arguments: dict[str, Any],
    code: str,
    status: int,
    throttling: LocalAws,
    api: Callable[..., Any],
) -> None:
    with pytest.raises(ClientError) as error:
        getattr(api(throttling, service), operation)(**arguments)
    assert error.value.response["Error"]["Code"] == code
    assert error.value.response["Error"]["Message"] == "Rate exceeded"
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


def test_a_throttled_connection_is_used_again(throttling: LocalAws) -> None:
    # A body that comes after its headers, as the SDKs send it: https://www.rfc-editor.org/rfc/rfc9112#section-9.3
    statuses = []
    with closing(HTTPConnection(throttling.endpoint.removeprefix("http://"), timeout=10)) as connection:
        connection.connect()
        connection.auto_open = 0  # a closed connection is an error, not a new connection
        for _ in range(2):
            connection.putrequest("POST", "/")
            connection.putheader("Content-Length", "4")
            connection.endheaders()
            time.sleep(0.2)
            connection.send(b"body")
            answer = connection.getresponse()
            answer.read()
            statuses.append(answer.status)
    assert statuses == [400, 400]


def test_a_call_waits(started: Callable[..., LocalAws], api: Callable[..., Any]) -> None:
    sts = api(started(slowest=1.0), "sts")
    begun = time.monotonic()
    sts.get_caller_identity()
    assert time.monotonic() - begun >= 0.25


def test_every_run_has_the_same_outcomes(started: Callable[..., LocalAws], api: Callable[..., Any]) -> None:
    def sequence() -> list[str]:
        iam = api(started(throttled=0.3), "iam")
        return [outcome(iam.get_role, RoleName=f"role-{number}") for number in range(30)]

    first = sequence()
    assert first == sequence()
    assert set(first) == {"NoSuchEntity", "Throttling"}
