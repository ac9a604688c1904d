"""The session that the commands read AWS with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from twokeys.aws_errors import no_answer
from twokeys.errors import Refusal


@contextmanager
def aws_session(profile: str | None, region: str | None) -> Iterator[boto3.Session]:
    """A session, and a Refusal in place of what boto3 raises when AWS gives no usable answer."""
    try:
        yield boto3.Session(profile_name=profile, region_name=region)
    except (BotoCoreError, ClientError) as error:
        raise no_answer(error) from error
    except ValueError as error:
        if not str(error).startswith("Invalid endpoint"):  # botocore has no class of its own for it
            raise
        raise Refusal(
            "AWS cannot be asked",
            where="AWS_ENDPOINT_URL",
            why=str(error),
            next_step="write it as in https://HOST or http://127.0.0.1:4566, or take it away for AWS itself",
        ) from error
