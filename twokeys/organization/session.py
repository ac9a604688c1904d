"""The session that the commands read AWS with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from twokeys.aws_errors import malformed_endpoint, no_answer
from twokeys.errors import Refusal, or_nearest
from twokeys.settings.values import regions


@contextmanager
def aws_session(profile: str | None, region: str | None) -> Iterator[boto3.Session]:
    """A session, and a Refusal in place of what boto3 raises when AWS gives no usable answer, and of no region."""
    if region is not None and region not in regions():
        raise Refusal(
            f"{region!r} as a region",
            where="--region",
            why="no AWS region has this name",
            next_step=or_nearest("give a region such as us-east-1 or eu-central-1", region, regions()),
        )
    try:
        yield boto3.Session(profile_name=profile, region_name=region)
    except (BotoCoreError, ClientError) as error:
        raise no_answer(error) from error
    except ValueError as error:
        if (refusal := malformed_endpoint(error)) is None:
            raise
        raise refusal from error
