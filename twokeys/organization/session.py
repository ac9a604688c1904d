"""The session that the commands read AWS with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from twokeys.aws_errors import malformed_endpoint, no_answer


@contextmanager
def aws_session(profile: str | None, region: str | None) -> Iterator[boto3.Session]:
    """A session, and a Refusal in place of what boto3 raises when AWS gives no usable answer."""
    try:
        yield boto3.Session(profile_name=profile, region_name=region)
    except (BotoCoreError, ClientError) as error:
        raise no_answer(error) from error
    except ValueError as error:
        if (refusal := malformed_endpoint(error)) is None:
            raise
        raise refusal from error
