"""The doors of real AWS, tried with the credentials that somebody has."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from twokeys.aws_errors import no_answer
from twokeys.verify.attempts import Attempts, Keys, Pace, Probe
from twokeys.verify.doors import Exports
from twokeys.verify.probes import MfaCode, probe_as


def probe_with(profile: str | None, found: Exports, mfa: MfaCode | None, pace: Pace) -> Iterator[Probe]:
    """Try what stacks export with the credentials of a profile, or without one those of the environment.

    Raises Refusal when there are none, they can assume no role at all, or AWS cannot be asked with them.
    """
    try:
        session = boto3.Session(profile_name=profile)
        credentials = session.get_credentials()
        if credentials is None:
            raise NoCredentialsError
        frozen = credentials.get_frozen_credentials()
        keys = Keys(str(frozen.access_key), str(frozen.secret_key), frozen.token or None)
        yield from probe_as(Attempts(partial(_sts, session), pace), keys, found, mfa)
    except (BotoCoreError, ClientError) as error:
        raise no_answer(error, profile=profile) from error


def _sts(session: boto3.Session, keys: Keys) -> Any:  # noqa: ANN401 - boto3's clients are made at run time
    return session.client(
        "sts",
        region_name=session.region_name or "us-east-1",
        aws_access_key_id=keys.access,
        aws_secret_access_key=keys.secret,
        aws_session_token=keys.token,
    )
