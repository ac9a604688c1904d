"""Fault plans: the same calls of the local AWS are hit in every run, as AWS and its SDKs know it."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest
import yaml
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError
from botocore.loaders import Loader

from tests.sandbox.aws.conftest import trust
from tests.sandbox.conftest import Run
from twokeys.errors import Refusal
from twokeys.sandbox.local_aws import LocalAws
from twokeys.sandbox.local_server.faults import FailureReason, Plan, key_of, load

TRUST = trust("arn:aws:iam::111111111111:root")


@pytest.fixture
def planned(tmp_path: Path) -> Iterator[Callable[..., LocalAws]]:
    """Starts a local AWS with these rules; a directory of its own each time, unless one is named."""
    running: list[LocalAws] = []

    def start(*rules: dict[str, Any], seed: int = 7, directory: str | None = None) -> LocalAws:
        plan = tmp_path / f"plan-{len(running)}.yaml"
        plan.write_text(yaml.safe_dump({"seed": seed, "rules": list(rules)}))
        running.append(LocalAws.start(tmp_path / (directory or f"aws-{len(running)}"), faults=plan))
        return running[-1]

    yield start
    for server in running:
        server.stop()


@pytest.fixture
def api() -> Iterator[Callable[..., Any]]:
    made: list[Any] = []

    def make(server: LocalAws, service: str, *, mode: str = "standard", tries: int = 1, **more: Any) -> Any:
        config = Config(retries={"mode": mode, "total_max_attempts": tries}, **more)
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
    except ConnectionClosedError:
        return "cut"
    return "ok"


@pytest.mark.parametrize("mode", ["standard", "adaptive", "legacy"])
def test_the_retry_modes_of_the_sdk_get_over_throttling(
    mode: str, planned: Callable[..., LocalAws], api: Callable[..., Any]
) -> None:
    """https://docs.aws.amazon.com/boto3/latest/guide/retries.html: each mode retries on throttling errors."""
    server = planned({"throttle": 0.3})
    iam, organizations, sts = (api(server, service, mode=mode, tries=10) for service in ("iam", "organizations", "sts"))
    organizations.create_organization(FeatureSet="ALL")
    answers = [sts.get_caller_identity()]
    for number in range(12):
        answers.append(iam.create_role(RoleName=f"role-{number}", AssumeRolePolicyDocument=TRUST))
    answers.append(organizations.describe_organization())
    assert len(iam.list_roles()["Roles"]) == 12
    assert sum(answer["ResponseMetadata"]["RetryAttempts"] for answer in answers) > 0


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
    planned: Callable[..., LocalAws],
    api: Callable[..., Any],
) -> None:
    with pytest.raises(ClientError) as error:
        getattr(api(planned({"throttle": 1}), service), operation)(**arguments)
    assert error.value.response["Error"]["Code"] == code
    assert error.value.response["Error"]["Message"] == "Rate exceeded"
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert error.value.response["ResponseMetadata"]["HTTPHeaders"]["x-twokeys-fault"] == "throttle"


def test_an_error_answer_is_the_modelled_one_and_nothing_happens(
    planned: Callable[..., LocalAws], api: Callable[..., Any]
) -> None:
    fault = {"code": "ConcurrentModificationException", "status": 400, "message": "a < b & c", "first": 2}
    server = planned(
        {"service": "organizations", "operation": "CreateOrganization", "error": fault},
        {"service": "iam", "operation": "CreateRole", "error": {"code": "ServiceFailure", "status": 500, "first": 1}},
    )
    organizations, iam = api(server, "organizations"), api(server, "iam", tries=2)
    for _ in range(2):
        with pytest.raises(organizations.exceptions.ConcurrentModificationException, match="a < b & c"):
            organizations.create_organization(FeatureSet="ALL")
        assert outcome(organizations.describe_organization) == "AWSOrganizationsNotInUseException"
    organizations.create_organization(FeatureSet="ALL")
    made = iam.create_role(RoleName="role", AssumeRolePolicyDocument=TRUST)  # the SDK retries a 500
    assert made["ResponseMetadata"]["RetryAttempts"] == 1


@pytest.mark.parametrize(("when", "there"), [("after", ["anna"]), ("before", [])])
def test_a_connection_that_is_cut_leaves_the_change_done_or_not(
    when: str, there: list[str], planned: Callable[..., LocalAws], api: Callable[..., Any]
) -> None:
    server = planned({"service": "iam", "operation": "CreateUser", "cut": {"when": when}}, directory="aws")
    with pytest.raises(ConnectionClosedError):
        api(server, "iam").create_user(UserName="anna")
    process = psutil.Process(server.pid)
    process.kill()
    process.wait()
    again = planned({"service": "iam", "operation": "GetUser", "latencyMs": 1}, directory="aws")
    assert [user["UserName"] for user in api(again, "iam").list_users()["Users"]] == there


def test_a_call_that_hangs_is_cut_at_last_and_holds_up_nobody_else(
    planned: Callable[..., LocalAws], api: Callable[..., Any]
) -> None:
    server = planned(
        {"service": "iam", "operation": "CreateUser", "hang": 60},
        {"service": "iam", "operation": "CreateGroup", "hang": {"seconds": 0.2, "first": 1}},
        {"service": "iam", "operation": "CreateRole", "latencyMs": 60_000},
    )
    impatient = api(server, "iam", read_timeout=1)
    with ThreadPoolExecutor(2) as threads:
        waiting = [
            threads.submit(impatient.create_user, UserName="anna"),
            threads.submit(impatient.create_role, RoleName="role", AssumeRolePolicyDocument=TRUST),
        ]
        assert api(server, "sts").get_caller_identity()["Account"] == "111111111111"
        assert not any(one.done() for one in waiting)
        for one in waiting:
            with pytest.raises(ReadTimeoutError):
                one.result()
    iam = api(server, "iam")
    with pytest.raises(ConnectionClosedError):
        iam.create_group(GroupName="people")
    iam.create_group(GroupName="people")
    assert iam.list_users()["Users"] == []


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
    def told(seed: int) -> list[str]:
        server = planned(
            {"service": "iam", "throttle": 0.3, "error": {"code": "ServiceFailure", "status": 500, "share": 0.2}},
            {"service": "iam", "cut": {"when": "after", "share": 0.2}},
            seed=seed,
        )
        iam = api(server, "iam")
        return [
            outcome(iam.tag_role, RoleName=f"role-{number % 10}", Tags=[{"Key": "k", "Value": "v"}])
            for number in range(60)
        ]

    first, again, other = told(1), told(1), told(2)
    assert first == again
    assert first != other
    assert set(first) == {"NoSuchEntity", "Throttling", "ServiceFailure", "cut"}


def test_the_outcomes_of_parallel_clients_do_not_depend_on_their_order(
    planned: Callable[..., LocalAws], api: Callable[..., Any]
) -> None:
    """In new directories, with other account ids, by other numbers of clients in another order: the same calls fail."""

    def told(clients: int, order: random.Random) -> dict[str, list[str]]:
        server = planned({"throttle": 0.4})
        organizations = api(server, "organizations", tries=20, max_pool_connections=clients)
        organizations.create_organization(FeatureSet="ALL")
        accounts = {
            name: organizations.create_account(Email=f"{name}@b.co", AccountName=name)["CreateAccountStatus"][
                "AccountId"
            ]
            for name in "abcdefgh"
        }
        once = api(server, "organizations", max_pool_connections=clients)

        def tag(name: str) -> list[str]:
            tags = [{"Key": "owner", "Value": "ours"}]
            return [outcome(once.tag_resource, ResourceId=accounts[name], Tags=tags) for _ in range(5)]

        names = list(accounts)
        order.shuffle(names)
        with ThreadPoolExecutor(clients) as threads:
            return dict(zip(names, threads.map(tag, names), strict=True))

    alone, together = told(1, random.Random(1)), told(8, random.Random(2))
    assert alone == together
    assert len({tuple(sequence) for sequence in alone.values()}) > 1


def test_made_up_ids_do_not_count_and_an_account_stands_for_its_address() -> None:
    names = {"123456789012": "a@b.co", "210987654321": "a@b.co", "333333333333": "c@b.co"}.get
    for one, other, same in (
        ("arn:aws:iam::123456789012:role/x", "arn:aws:iam::210987654321:role/x", True),
        ("arn:aws:iam::123456789012:role/x", "arn:aws:iam::333333333333:role/x", False),
        ('{"ParentId": "r-0a1b2c"}', '{"ParentId": "r-ffffff"}', True),
        ('{"ParentId": "r-0a1b2c"}', '{"ParentId": "ou-0a1b-0123456789"}', False),
        ("RoleName=r-1", "RoleName=r-2", False),
        ("Token=8c1e6a90-3f0e-4c38-9a73-4b5b7a9d2f10", "Token=0c1e6a90-3f0e-4c38-9a73-4b5b7a9d2f11", True),
        ("Expires=1234567890123", "Expires=1234567890124", False),
    ):
        assert (key_of("", one, names) == key_of("", other, names)) == same, (one, other)
    assert key_of("123456789012", "", names) == key_of("210987654321", "", names)


def test_an_account_is_not_there_before_its_time_and_then_it_is_whole(
    planned: Callable[..., LocalAws], api: Callable[..., Any]
) -> None:
    """https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateAccountStatus.html."""
    rule = {"service": "organizations", "operation": "CreateAccount", "pendingSeconds": 2}
    server = planned(rule, directory="aws")
    organizations = api(server, "organizations")
    organizations.create_organization(FeatureSet="ALL")
    begun = organizations.create_account(Email="stage@b.co", AccountName="stage")["CreateAccountStatus"]
    assert begun["State"] == "IN_PROGRESS"
    assert "AccountId" not in begun
    process = psutil.Process(server.pid)
    process.kill()  # what was begun goes on, whoever serves
    process.wait()
    with LocalAws.start(server.directory) as again:
        organizations = api(again, "organizations")
        if time.time() < begun["RequestedTimestamp"].timestamp() + 2:
            pending = organizations.list_create_account_status(States=["IN_PROGRESS"])["CreateAccountStatuses"]
            assert [one["Id"] for one in pending] in ([begun["Id"]], [])
        deadline = time.monotonic() + 20
        status = begun
        while status["State"] == "IN_PROGRESS" and time.monotonic() < deadline:
            time.sleep(0.1)
            status = organizations.describe_create_account_status(CreateAccountRequestId=begun["Id"])[
                "CreateAccountStatus"
            ]
        assert (status["State"], status["AccountName"]) == ("SUCCEEDED", "stage")
        account = organizations.describe_account(AccountId=status["AccountId"])["Account"]
        assert (account["Email"], account["Status"]) == ("stage@b.co", "ACTIVE")
        role = f"arn:aws:iam::{account['Id']}:role/OrganizationAccountAccessRole"
        assert api(again, "sts").assume_role(RoleArn=role, RoleSessionName="whole")["Credentials"]
        finished = organizations.list_create_account_status(States=["SUCCEEDED"])["CreateAccountStatuses"]
        assert [one["Id"] for one in finished] == [begun["Id"]]


def test_a_creation_fails_with_the_reason_of_the_plan_or_with_its_own(
    planned: Callable[..., LocalAws], api: Callable[..., Any]
) -> None:
    failure = {"reason": "ACCOUNT_LIMIT_EXCEEDED", "first": 1}
    rule = {"service": "organizations", "operation": "CreateAccount", "pendingSeconds": 0, "failure": failure}
    organizations = api(planned(rule), "organizations")
    organizations.create_organization(FeatureSet="ALL")

    def create(email: str) -> dict[str, Any]:
        begun = organizations.create_account(Email=email, AccountName="stage")["CreateAccountStatus"]
        ended: dict[str, Any] = organizations.describe_create_account_status(CreateAccountRequestId=begun["Id"])
        return {key: ended["CreateAccountStatus"].get(key) for key in ("State", "FailureReason")}

    assert create("stage@b.co") == {"State": "FAILED", "FailureReason": "ACCOUNT_LIMIT_EXCEEDED"}
    assert len(organizations.list_accounts()["Accounts"]) == 1
    assert create("stage@b.co") == {"State": "SUCCEEDED", "FailureReason": None}
    assert create("stage@b.co") == {"State": "FAILED", "FailureReason": "EMAIL_ALREADY_EXISTS"}
    assert len(organizations.list_accounts()["Accounts"]) == 2


def test_who_may_create_no_account_is_told_so_at_once(
    planned: Callable[..., LocalAws], api: Callable[..., Any]
) -> None:
    server = planned({"service": "organizations", "operation": "CreateAccount", "pendingSeconds": 5})
    organizations = api(server, "organizations")
    said = outcome(organizations.create_account, Email="a@b.co", AccountName="a")
    assert said == "AWSOrganizationsNotInUseException"


def test_the_reasons_are_those_that_aws_has() -> None:
    model = Loader().load_service_model("organizations", "service-2")
    assert set(FailureReason.__args__) == set(model["shapes"]["CreateAccountFailureReason"]["enum"])  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[", "neither YAML nor JSON"),
        ("a plan", "holds no keys"),
        ("rules: [{service: iam, latencyMs: fast}]", r"rules\[0\]\.latencyMs\): .*number.*'fast'"),
        ("rules: [{latencyMs: 1}, {service: iam, latency: 5}]", r"rules\[1\]\.latency\): Extra inputs"),
        ("rules: [{service: iamm, latencyMs: 5}]", r"rules\[0\]\.service\): .*'iam'.*'iamm'"),
        ("rules: [{service: iam, operation: CreateRol, latencyMs: 5}]", "no operation CreateRol; CreateRole is near"),
        ("rules: [{operation: CreateRole, latencyMs: 5}]", "needs its service"),
        ("rules: [{throttle: 1.5}]", r"rules\[0\]\.throttle\.share\): .*less than or equal to 1"),
        ("rules: [{throttle: -1}]", "greater than or equal to 0"),
        ("rules: [{cut: {share: 1}}]", r"rules\[0\]\.cut\.when\): Field required"),
        ("rules: [{cut: {when: during}}]", "'before' or 'after'"),
        ("rules: [{error: {code: 'a b'}}]", "pattern"),
        ("rules: [{error: {code: A, status: 200}}]", "greater than or equal to 400"),
        ("rules: [{service: iam, pendingSeconds: 1}]", "operation CreateAccount"),
        ("rules: [{service: iam}]", "the rule does nothing"),
        (
            "rules: [{service: organizations, operation: CreateAccount, failure: {reason: WHY}}]",
            r"failure\.reason\): .*INTERNAL_FAILURE",
        ),
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


def test_json_and_yaml_say_the_same(tmp_path: Path) -> None:
    data = {"seed": 3, "rules": [{"service": "iam", "throttle": 0.5, "hang": {"seconds": 1, "first": 2}}]}
    for name, text in (("a.json", json.dumps(data)), ("a.yaml", yaml.safe_dump(data))):
        (tmp_path / name).write_text(text)
    plan = load(tmp_path / "a.json")
    assert plan == load(tmp_path / "a.yaml")
    assert plan.digest == load(tmp_path / "a.yaml").digest != Plan(seed=4, rules=plan.rules).digest


def test_a_server_that_runs_with_another_plan_is_refused(planned: Callable[..., LocalAws], tmp_path: Path) -> None:
    server = planned({"latencyMs": 1}, directory="aws")
    other = tmp_path / "other.yaml"
    other.write_text("rules: [{latencyMs: 2}]")
    for faults in (other, None):
        with pytest.raises(Refusal, match=r"already running .*plan-0\.yaml.*--faults as it was given then"):
            LocalAws.start(server.directory, faults=faults)
    with LocalAws.start(server.directory, faults=tmp_path / "plan-0.yaml") as same:
        assert same.pid == server.pid
    server.stop()
    with LocalAws.start(server.directory) as plain, pytest.raises(Refusal, match="with no fault plan"):
        LocalAws.start(plain.directory, faults=other)


@pytest.mark.parametrize(
    "command", [("preview", "management"), ("up", "management"), ("destroy", "management"), ("demo",)]
)
def test_each_command_refuses_a_bad_plan(command: tuple[str, ...], twokeys: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("rules: [{}]")
    run = twokeys("sandbox", *command, "--faults", str(tmp_path / "bad.yaml"))
    assert run.returncode == 1
    assert re.search(r"where: .*bad\.yaml: rules\[0\]\n  why: +the rule does nothing", run.stderr)


def test_an_update_gets_over_throttling(twokeys: Run, tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text("rules: [{throttle: {share: 0.5, first: 1}}]")
    run = twokeys("sandbox", "up", "management", "--no-policies", "--json", "--faults", str(tmp_path / "plan.yaml"))
    assert run.returncode == 0, run.stderr + run.stdout


def test_the_example_of_the_documentation_does_what_it_says(project_root: Path, tmp_path: Path) -> None:
    blocks = dict(re.findall(r"```(\w+)\n(.*?)```", (project_root / "docs/faults.md").read_text(), re.DOTALL))
    (tmp_path / "faults.yaml").write_text(blocks["yaml"])
    run = subprocess.run(
        [sys.executable, "-c", blocks["python"]], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout == blocks["text"]
