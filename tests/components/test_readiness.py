"""Waiting for a new account, with a clock that jumps.

AWS: "It can take a few minutes before you can successfully access the new account."
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_create.html
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from components import readiness
from components.readiness import AccessRole, NotYetError, wait_until_assumable
from components.refusing import ProgramRefusal

ROLE = AccessRole("arn:aws:iam::222222222222:role/OrganizationAccountAccessRole", "twokeys-stage", "us-east-1", "abc")
# Kept from before the fixture that answers for it.
REALLY_ASSUME = readiness.assume


class Jumping:
    def __init__(self) -> None:
        self.time = 1000.0

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds


def refuse(times: int) -> Callable[[AccessRole], Awaitable[None]]:
    left = [times]

    async def attempt(role: AccessRole) -> None:
        assert role == ROLE
        left[0] -= 1
        if left[0] >= 0:
            raise NotYetError("AccessDenied")

    return attempt


def wait(attempt: Callable[[AccessRole], Awaitable[None]], timeout: float) -> tuple[float, list[str]]:
    clock, said = Jumping(), list[str]()
    waiting = wait_until_assumable(
        ROLE, timeout_seconds=timeout, attempt=attempt, clock=clock.now, sleep=clock.sleep, say=said.append
    )
    asyncio.run(waiting)
    return clock.time - 1000, said


def test_an_account_that_can_be_entered_is_not_waited_for() -> None:
    assert wait(refuse(0), 600) == (0, [])


def test_it_waits_as_long_as_aws_refuses_and_says_so_every_half_minute() -> None:
    seconds, said = wait(refuse(12), 600)
    assert 60 < seconds < 150
    assert said[0] == f"waiting until {ROLE.arn} can be assumed (0 of 600 s)"
    assert 2 < len(said) <= seconds // 30 + 1


def test_the_wait_is_bounded() -> None:
    clock = Jumping()
    with pytest.raises(ProgramRefusal) as refusal:
        asyncio.run(
            wait_until_assumable(ROLE, timeout_seconds=60, attempt=refuse(10**6), clock=clock.now, sleep=clock.sleep)
        )
    assert clock.time - 1000 <= 60
    assert ROLE.arn in refusal.value.where
    assert "still refused after" in refusal.value.why
    assert "run the update again" in refusal.value.next_step


class Sts:
    """An STS on loopback that gives one answer and keeps what it was asked."""

    def __init__(self, status: int, body: str) -> None:
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer.asked.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, format: str, *args: object) -> None:
                del format, args

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> Sts:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def error(code: str, message: str = "no") -> str:
    return f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"


SESSION = """<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
<AccessKeyId>ASIAEXAMPLEEXAMPLE00</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>
<Expiration>2030-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"""


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLEEXAMPLE00")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setattr(readiness, "assume", REALLY_ASSUME)
    readiness.sts_client.cache_clear()
    return monkeypatch


def test_the_role_is_assumed_with_its_session_name_and_external_id(credentials: pytest.MonkeyPatch) -> None:
    with Sts(200, SESSION) as sts:
        credentials.setenv("AWS_ENDPOINT_URL", sts.url)
        asyncio.run(wait_until_assumable(ROLE, timeout_seconds=1))
    (asked,) = sts.asked
    assert "Action=AssumeRole" in asked
    assert "RoleSessionName=twokeys-stage" in asked
    assert "ExternalId=abc" in asked


def test_accounts_share_one_client(credentials: pytest.MonkeyPatch) -> None:
    async def enter() -> None:
        await asyncio.gather(*(REALLY_ASSUME(replace(ROLE, session_name=f"twokeys-{number}")) for number in range(6)))

    with Sts(200, SESSION) as sts:
        credentials.setenv("AWS_ENDPOINT_URL", sts.url)
        asyncio.run(enter())
    assert len(sts.asked) == 6
    assert readiness.sts_client.cache_info().misses == 1


def test_without_an_external_id_none_is_sent(credentials: pytest.MonkeyPatch) -> None:
    with Sts(200, SESSION) as sts:
        credentials.setenv("AWS_ENDPOINT_URL", sts.url)
        asyncio.run(REALLY_ASSUME(replace(ROLE, external_id=None)))
    assert "ExternalId" not in sts.asked[0]


def test_a_refusal_that_passes_by_itself_is_told_from_one_that_does_not(credentials: pytest.MonkeyPatch) -> None:
    with Sts(403, error("AccessDenied")) as sts:
        credentials.setenv("AWS_ENDPOINT_URL", sts.url)
        with pytest.raises(NotYetError):
            asyncio.run(REALLY_ASSUME(ROLE))


@pytest.mark.parametrize(
    "body",
    [
        error("ExpiredToken"),
        # https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html: not with root user credentials
        error("AccessDenied", "Roles may not be assumed by root accounts."),
    ],
)
def test_a_refusal_for_good_ends_the_wait_at_once(credentials: pytest.MonkeyPatch, body: str) -> None:
    with Sts(403, body) as sts:
        credentials.setenv("AWS_ENDPOINT_URL", sts.url)
        with pytest.raises(ProgramRefusal):
            asyncio.run(wait_until_assumable(ROLE, timeout_seconds=600))
    assert len(sts.asked) == 1


def test_missing_credentials_end_the_wait_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "assume", REALLY_ASSUME)
    readiness.sts_client.cache_clear()
    with pytest.raises(ProgramRefusal, match="credentials"):
        asyncio.run(wait_until_assumable(ROLE, timeout_seconds=600))
