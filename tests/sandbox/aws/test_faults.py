"""Fault plans: the same calls of the local AWS are hit in every run, as AWS and its SDKs know it."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from botocore.config import Config
from botocore.exceptions import ClientError

from twokeys.errors import Refusal
from twokeys.sandbox.local_aws import LocalAws
from twokeys.sandbox.local_server.faults import load


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., LocalAws]]:
    """Starts a local AWS with these rules, in a directory of its own."""
    running: list[LocalAws] = []

    def start(*rules: dict[str, Any], seed: int = 7) -> LocalAws:
        folder = tmp_path_factory.mktemp("planned")
        (folder / "plan.yaml").write_text(yaml.safe_dump({"seed": seed, "rules": list(rules)}))
        running.append(LocalAws.start(folder / "aws", faults=folder / "plan.yaml"))
        return running[-1]

    yield start
    for server in running:
        server.stop()


@pytest.fixture(scope="module")
def throttling(planned: Callable[..., LocalAws]) -> LocalAws:
    """Throttles every call."""
    return planned({"throttle": 1})


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
    assert error.value.response["ResponseMetadata"]["HTTPHeaders"]["x-twokeys-fault"] == "throttle"


def test_a_call_waits_for_its_latency(planned: Callable[..., LocalAws], api: Callable[..., Any]) -> None:
    """Both rules match, so both latencies are waited for."""
    server = planned({"latencyMs": 200}, {"service": "sts", "latencyMs": 100, "jitterMs": 1})
    sts = api(server, "sts")
    begun = time.monotonic()
    sts.get_caller_identity()
    assert time.monotonic() - begun >= 0.3


def test_one_seed_gives_one_sequence_of_outcomes_and_another_seed_another(
    planned: Callable[..., LocalAws], api: Callable[..., Any]
) -> None:
    def sequence(seed: int) -> list[str]:
        iam = api(planned({"service": "iam", "throttle": 0.3}, seed=seed), "iam")
        return [outcome(iam.get_role, RoleName=f"role-{number}") for number in range(60)]

    first, again, other = sequence(1), sequence(1), sequence(2)
    assert first == again
    assert first != other
    assert set(first) == {"NoSuchEntity", "Throttling"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[", "neither YAML nor JSON"),
        ("a plan", "holds no keys"),
        ("rules: [{service: iam, latencyMs: fast}]", r"rules\[0\]\.latencyMs\): .*number.*'fast'"),
        ("rules: [{latencyMs: 1}, {service: iam, latency: 5}]", r"rules\[1\]\.latency\): Extra inputs"),
        ("rules: [{service: iamm, latencyMs: 5}]", r"rules\[0\]\.service\): .*'iam'.*'iamm'"),
        ("rules: [{throttle: 1.5}]", r"rules\[0\]\.throttle\): .*less than or equal to 1"),
        ("rules: [{throttle: -1}]", "greater than or equal to 0"),
        ("rules: [{cut: {when: after}}]", "Extra inputs"),
        ("seed: x", "seed.*'x'"),
        ("seeds: 1", "seeds.*Extra inputs"),
    ],
)
def test_a_bad_plan_is_refused_before_anything_is_started(text: str, said: str, tmp_path: Path) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text(text)
    with pytest.raises(Refusal, match=rf"(?s)plan cannot be used .*plan\.yaml.*{said}.*Next step: "):
        LocalAws.start(tmp_path / "aws", faults=plan)
    assert not (tmp_path / "aws").exists()


def test_a_plan_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"nowhere\.yaml\): No such file"):
        load(tmp_path / "nowhere.yaml")


def test_a_server_that_runs_already_is_given_no_plan(local_aws: LocalAws, tmp_path: Path) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text("rules: [{latencyMs: 2}]")
    with pytest.raises(Refusal, match=r"cannot be given a fault plan .*already running"):
        LocalAws.start(local_aws.directory, faults=plan)


def test_the_example_of_the_documentation_does_what_it_says(project_root: Path, tmp_path: Path) -> None:
    blocks = dict(re.findall(r"```(\w+)\n(.*?)```", (project_root / "docs/faults.md").read_text(), re.DOTALL))
    (tmp_path / "faults.yaml").write_text(blocks["yaml"])
    run = subprocess.run(
        [sys.executable, "-c", blocks["python"]], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout == blocks["text"]
