"""Probes with one person's own credentials, against a local AWS that enforces both keys."""

import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from tests.verify.conftest import HUB
from twokeys.doors import Who
from twokeys.errors import Refusal
from twokeys.sandbox.local_aws import LocalAws
from twokeys.sandbox.local_server.mfa import totp
from twokeys.sandbox.person import make_device, remove_device
from twokeys.verify.attempts import Attempts, Keys, Probe
from twokeys.verify.doors import Exports
from twokeys.verify.probes import probe_as

KeysOf = Callable[[str], Keys]


def judged(probes: list[Probe]) -> dict[str, str]:
    return {one.name: one.judged if one.judged != "as expected" else one.happened for one in probes}


def test_a_user_enters_by_its_own_doors_and_by_no_other(attempts: Attempts, keys_of: KeysOf, found: Exports) -> None:
    made = list(probe_as(attempts, keys_of("alice"), found))
    assert all(one.probed or (one.detail and one.next_step) for one in made)
    probes = judged(made)
    alice = f"user alice of account {HUB}"
    assert probes == {
        f"{alice} tries door stage-deployer": "refused",
        f"role ci of account {HUB} enters by door stage-deployer": "not probed",
        f"{alice} tries door stage-developer without MFA": "refused",
        f"{alice} enters by door stage-developer": "not probed",
        f"{alice} enters by door stage-partner": "assumed",
        f"{alice} tries door stage-partner with a wrong external ID": "refused",
        f"{alice} enters by door stage-office": "not probed",
        f"{alice} tries door prod-reader": "refused",
        f"role ci of account {HUB} enters by door prod-reader": "not probed",
        f"{alice} enters by door prod-support": "not probed",
        f"{alice} enters stage by its access role": "not probed",
        f"{alice} enters prod by its access role": "not probed",
    }


def test_with_a_device_the_door_that_asks_for_mfa_opens(
    aws: LocalAws, attempts: Attempts, keys_of: KeysOf, found: Exports
) -> None:
    iam = aws.client("iam", HUB)
    serial, seed = make_device(iam, "alice", "alice")

    def code() -> dict[str, str]:
        return {"SerialNumber": serial, "TokenCode": totp(seed, time.time())}

    try:
        probes = judged(list(probe_as(attempts, keys_of("alice"), found, code)))
        # A session that began with MFA carries it:
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html
        keys = keys_of("alice")
        sts = aws.client("sts", keys.access, keys.secret)
        kept = [sts.get_session_token(**given)["Credentials"] for given in (code(), {})]
        role = next(one.role_arn for one in found.doors if one.name == "stage-developer")
        sessions = [Keys(one["AccessKeyId"], one["SecretAccessKey"], one["SessionToken"]) for one in kept]
        assert attempts.assume(sessions[0], role)
        with pytest.raises(ClientError, match="AccessDenied"):
            attempts.assume(sessions[1], role)
    finally:
        remove_device(iam, "alice", serial)
    assert probes[f"user alice of account {HUB} enters by door stage-developer"] == "assumed"


@pytest.mark.parametrize(
    ("door", "caller", "without", "enters"),
    [
        ("stage-deployer", "role ci", "NOT as expected", "not probed"),
        ("stage-partner", "user alice", "not probed", "assumed"),
    ],
)
def test_a_session_at_a_door_that_opens_without_the_mfa_it_should_ask_for(  # noqa: PLR0917 - a row of the table
    door: str,
    caller: str,
    without: str,
    enters: str,
    aws: LocalAws,
    attempts: Attempts,
    keys_of: KeysOf,
    found: Exports,
) -> None:
    """AssumeRole's session carries no MFA, GetSessionToken's may:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html"""
    if caller == "role ci":
        session = attempts.assume(Keys(HUB, "test"), f"arn:aws:iam::{HUB}:role/ci")
    else:
        keys = keys_of("alice")
        kept = aws.client("sts", keys.access, keys.secret).get_session_token()["Credentials"]
        session = Keys(kept["AccessKeyId"], kept["SecretAccessKey"], kept["SessionToken"])
    doors = tuple(replace(one, mfa=True) if one.name == door else one for one in found.doors)
    probes = judged(list(probe_as(attempts, session, replace(found, doors=doors))))
    assert probes[f"{caller} of account {HUB} tries door {door} without MFA"] == without
    assert probes[f"{caller} of account {HUB} enters by door {door}"] == enters


def test_a_role_session_enters_by_the_roles_doors(attempts: Attempts, found: Exports) -> None:
    session = attempts.assume(Keys(HUB, "test"), f"arn:aws:iam::{HUB}:role/ci")
    probes = judged(list(probe_as(attempts, session, found)))
    assert probes[f"role ci of account {HUB} enters by door stage-deployer"] == "assumed"
    assert probes[f"role ci of account {HUB} enters by door prod-reader"] == "assumed"
    assert probes[f"role ci of account {HUB} tries door stage-partner"] == "refused"


@pytest.mark.parametrize(
    ("door", "trusted", "user", "tried", "step"),
    [
        ("stage-partner", "somebody-else", "alice", "tries", "let them in"),
        ("stage-deployer", "bob", "bob", "enters by", "keys is missing"),
    ],
)
def test_a_door_that_opens_and_should_not_or_the_other_way_is_told(  # noqa: PLR0917 - a row of the table
    door: str, trusted: str, user: str, tried: str, step: str, attempts: Attempts, keys_of: KeysOf, found: Exports
) -> None:
    other = frozenset({Who("user", HUB, trusted)})
    doors = tuple(replace(one, trusted=other) if one.name == door else one for one in found.doors)
    made = list(probe_as(attempts, keys_of(user), replace(found, doors=doors)))
    name = f"user {user} of account {HUB} {tried} door {door}"
    assert judged(made)[name] == "NOT as expected"
    assert [one.name for one in made if one.next_step and step in one.next_step] == [name]


def test_a_root_user_can_verify_nothing(attempts: Attempts, found: Exports) -> None:
    with pytest.raises(Refusal, match="cannot verify doors"):
        list(probe_as(attempts, Keys(HUB, "test"), found))


def test_whoever_enters_an_account_as_administrator_stays_out_of_the_others(
    aws: LocalAws, attempts: Attempts, keys_of: KeysOf, found: Exports
) -> None:
    iam = aws.client("iam", HUB)
    allowed = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}]}'
    iam.put_user_policy(UserName="bob", PolicyName="admin", PolicyDocument=allowed)
    asking = tuple(replace(one, mfa=one.name == "prod-support") for one in found.doors)
    try:
        probes = judged(list(probe_as(attempts, keys_of("bob"), found)))
        asked = judged(list(probe_as(attempts, keys_of("bob"), replace(found, doors=asking))))
    finally:
        iam.delete_user_policy(UserName="bob", PolicyName="admin")
    assert probes[f"user bob of account {HUB} enters stage by its access role"] == "assumed"
    assert probes[f"user bob of account {HUB} enters by door prod-support"] == "assumed"
    assert probes["the administrator of stage tries the access role of prod"] == "refused"
    assert probes["the administrator of stage tries door prod-reader"] == "refused"
    assert "NOT as expected" not in probes.values()
    # A trust in the account as a whole that lets in without the MFA that the door is said to ask for
    assert asked[f"user bob of account {HUB} tries door prod-support without MFA"] == "NOT as expected"
