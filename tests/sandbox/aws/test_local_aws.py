"""The local AWS as a process: how it starts, what it survives, and that it never outlives what it should."""

import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest
from botocore.config import Config

from tests.sandbox.aws.conftest import trust
from twokeys.errors import Refusal
from twokeys.sandbox import local_aws
from twokeys.sandbox.local_aws import LocalAws

TRUST = trust("arn:aws:iam::111111111111:root")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "aws"


@pytest.fixture
def started(directory: Path) -> Iterator[LocalAws]:
    with LocalAws.start(directory) as running:
        yield running
    attached = LocalAws.attach(directory)
    if attached is not None:
        attached.stop()


@pytest.fixture
def api() -> Iterator[Callable[..., Any]]:
    made: list[Any] = []

    def make(server: LocalAws, service: str, account: str = "111111111111", **keys: str) -> Any:
        settings = {"aws_access_key_id": account, "aws_secret_access_key": "test", **keys}
        once = Config(retries={"total_max_attempts": 1})
        made.append(
            boto3.client(service, endpoint_url=server.endpoint, region_name="us-east-1", config=once, **settings)
        )
        return made[-1]

    yield make
    for client in made:
        client.close()


def until(condition: Callable[[], bool], seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return condition()


def test_it_answers_on_loopback_and_on_no_other_address(started: LocalAws) -> None:
    assert LocalAws.attach(started.directory)
    listening = [c.laddr for c in psutil.Process(started.pid).net_connections("inet") if c.status == "LISTEN"]
    assert [tuple(address) for address in listening] == [("127.0.0.1", started.port)]


def test_it_never_sees_the_callers_aws_settings(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAREAL")
    monkeypatch.setenv("DOCKER_HOST", "unix:///var/run/docker.sock")
    with LocalAws.start(directory) as running:
        seen = psutil.Process(running.pid).environ()
    assert "AWS_ACCESS_KEY_ID" not in seen
    assert seen["DOCKER_HOST"].endswith("no-docker.sock")


def test_what_was_made_is_there_after_an_orderly_end(directory: Path, api: Callable[..., Any]) -> None:
    with LocalAws.start(directory) as first:
        organizations = api(first, "organizations")
        organizations.create_organization(FeatureSet="ALL")
        organizations.create_account(Email="a+stage@b.co", AccountName="stage")
        api(first, "iam").create_role(RoleName="deploy", AssumeRolePolicyDocument=TRUST)
        api(first, "service-quotas").request_service_quota_increase(
            ServiceCode="organizations", QuotaCode="L-E619E033", DesiredValue=12
        )
    with LocalAws.start(directory) as again:
        assert again.endpoint == first.endpoint
        assert [one["Name"] for one in api(again, "organizations").list_accounts()["Accounts"]][-1] == "stage"
        assert api(again, "iam").get_role(RoleName="deploy")["Role"]["RoleName"] == "deploy"
        quota = api(again, "service-quotas").get_service_quota(ServiceCode="organizations", QuotaCode="L-E619E033")
        assert quota["Quota"]["Value"] == 12


def test_another_port_is_taken_when_the_last_one_is_not_free(directory: Path) -> None:
    with LocalAws.start(directory) as first:
        port = first.port
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port))
        taken.listen()
        with LocalAws.start(directory) as second:
            assert LocalAws.attach(second.directory)
            assert second.port != port


def test_a_second_start_finds_the_running_one(started: LocalAws, directory: Path) -> None:
    with LocalAws.start(directory) as second:
        assert (second.pid, second.endpoint) == (started.pid, started.endpoint)
        assert not second.started_here
    assert LocalAws.attach(started.directory)


def test_one_that_hangs_is_ended_so_that_no_two_serve_the_same_accounts(
    started: LocalAws, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.kill(started.pid, signal.SIGSTOP)
    monkeypatch.setattr(local_aws, "_STOP_SECONDS", 0.2)  # a stopped process ends no sooner, however long one waits
    monkeypatch.setattr(local_aws, "_ANSWER_SECONDS", 1.0)
    with LocalAws.start(directory) as second:
        assert second.pid != started.pid
        assert not psutil.pid_exists(started.pid) or psutil.Process(started.pid).status() == psutil.STATUS_ZOMBIE


def test_a_server_that_ends_at_start_up_is_refused_with_what_it_said(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        local_aws, "_COMMAND", (sys.executable, "-c", "import sys; print('no module named ministack'); sys.exit(3)")
    )
    with pytest.raises(Refusal, match=r"(?s)ended with code 3.*no module named ministack") as refusal:
        LocalAws.start(directory)
    assert refusal.value.where.endswith("server.log")


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(
            {"pid": os.getpid(), "started": psutil.Process().create_time() - 1, "port": 1},
            id="a pid that somebody else has by now",
        ),
        pytest.param({"pid": 2**22 - 1, "started": 1.0, "port": 1}, id="a pid that nobody has"),
        pytest.param({"pid": "half"}, id="half a record"),
    ],
)
def test_a_stale_pid_file_is_no_server_and_nobody_is_killed(directory: Path, record: dict[str, Any]) -> None:
    directory.mkdir()
    (directory / "server.json").write_text(json.dumps(record))
    assert LocalAws.attach(directory) is None
    with LocalAws.start(directory) as running:
        assert LocalAws.attach(running.directory)
        assert running.started_here


def test_a_detached_one_is_found_by_a_later_process_and_can_be_stopped_there(directory: Path) -> None:
    started = subprocess.run(
        [sys.executable, "-c", _START.format(directory=str(directory), detached=True, then="print(server.endpoint)")],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    found = LocalAws.attach(directory)
    assert found is not None
    try:
        assert found.endpoint == started.stdout.strip()
        assert LocalAws.attach(found.directory)
    finally:
        found.stop()
    assert LocalAws.attach(found.directory) is None
    assert LocalAws.attach(directory) is None


_START = textwrap.dedent(
    """
    import os, signal, sys, time
    from pathlib import Path
    from twokeys.sandbox.local_aws import LocalAws
    server = LocalAws.start(Path({directory!r}), detached={detached})
    {then}
    """
)


@pytest.mark.parametrize(
    "end",
    [
        pytest.param("os.kill(os.getpid(), signal.SIGKILL)", id="kill -9"),
        pytest.param("os._exit(1)", id="a crash without cleanup"),
        pytest.param("os.kill(os.getpid(), signal.SIGINT); time.sleep(30)", id="Ctrl-C"),
        pytest.param("pass", id="the end of the program without stopping it"),
    ],
)
def test_it_ends_with_the_process_that_started_it(directory: Path, end: str) -> None:
    subprocess.run(
        [sys.executable, "-c", _START.format(directory=str(directory), detached=False, then=end)],
        capture_output=True,
        timeout=60,
        check=False,
    )
    record = local_aws._read_record(directory)
    assert record is not None
    assert until(lambda: record.process() is None)
