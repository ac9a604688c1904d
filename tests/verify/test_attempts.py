"""One attempt: what counts as assumed, as refused, and as no answer; and how fast attempts follow each other."""

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from twokeys.verify.attempts import Attempts, Keys, Pace, Probe

ROLE = "arn:aws:iam::222222222222:role/deployer"
KEYS = Keys("AKIAIOSFODNN7EXAMPLE", "secret")
GIVEN = {
    "Credentials": {
        "AccessKeyId": "ASIAIOSFODNN7EXAMPLE",
        "SecretAccessKey": "secret",
        "SessionToken": "token",
        "Expiration": "2026-11-24T13:00:00Z",
    }
}


def attempt(prepare: Any, *, expected: bool = True) -> Probe:
    sts = boto3.client("sts", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
    with Stubber(sts) as stub:
        prepare(stub)
        probe = Attempts(lambda _keys: sts, Pace(0)).attempt("ci enters", KEYS, ROLE, expected=expected)
        stub.assert_no_pending_responses()
        return probe


def landing(account: str) -> Any:
    def prepare(stub: Stubber) -> None:
        stub.add_response("assume_role", GIVEN, {"RoleArn": ROLE, "RoleSessionName": "twokeys-probe"})
        identity = {"Account": account, "Arn": f"arn:aws:sts::{account}:assumed-role/deployer/x", "UserId": "AROA:x"}
        stub.add_response("get_caller_identity", identity, {})

    return prepare


def failing(code: str) -> Any:
    return lambda stub: stub.add_client_error("assume_role", code, "no")


def test_a_role_is_assumed_when_the_session_is_in_the_account_that_its_arn_names() -> None:
    probe = attempt(landing("222222222222"))
    assert (probe.assumed, probe.as_expected, probe.judged) == (True, True, "as expected")


@pytest.mark.parametrize("expected", [True, False])
def test_a_session_in_another_account_is_never_as_expected(*, expected: bool) -> None:
    probe = attempt(landing("333333333333"), expected=expected)
    assert (probe.assumed, probe.as_expected) == (True, False)


def test_access_denied_is_a_refusal() -> None:
    probe = attempt(failing("AccessDenied"), expected=False)
    assert (probe.assumed, probe.as_expected) == (False, True)
    assert attempt(failing("AccessDenied")).judged == "NOT as expected"


@pytest.mark.parametrize("code", ["ExpiredToken", "Throttling", "InvalidClientTokenId", "RegionDisabledException"])
def test_any_other_error_says_nothing_of_the_door(code: str) -> None:
    """https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html."""
    probe = attempt(failing(code), expected=False)
    assert (probe.probed, probe.as_expected, probe.judged) == (False, False, "not probed")
    assert probe.as_dict()["asExpected"] is None
    assert probe.next_step


def test_calls_are_kept_apart() -> None:
    now, slept = [100.0], []

    def sleep(seconds: float) -> None:
        slept.append(round(seconds, 3))
        now[0] += seconds

    pace = Pace(5, clock=lambda: now[0], sleep=sleep)
    pace.wait()
    pace.wait()
    now[0] += 0.05
    pace.wait()
    now[0] += 60
    pace.wait()
    assert slept == [0.2, 0.15]
