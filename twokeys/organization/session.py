"""The session that the commands read AWS with: the caller's credentials, or the sandbox's local AWS."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from twokeys.aws_errors import no_answer
from twokeys.sandbox.local_aws import LocalAws


@contextmanager
def aws_session(profile: str | None, region: str | None, *, sandbox: Path | None) -> Iterator[boto3.Session]:
    """A session, and a Refusal in place of what boto3 raises when AWS gives no usable answer.

    With `sandbox`, the sandbox's folder (.twokeys), it is of the management account of the local AWS there, which runs
    meanwhile.
    """
    try:
        if sandbox is None:
            yield boto3.Session(profile_name=profile, region_name=region)
            return
        place = sandbox / "aws"
        with LocalAws.attach(place) or LocalAws.start(place) as aws, _environment(aws.environment()):
            yield boto3.Session(region_name=region)
    except (BotoCoreError, ClientError) as error:
        raise no_answer(error) from error


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    before = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    for name in before:
        del os.environ[name]
    os.environ.update(variables)
    try:
        yield
    finally:
        for name in variables:
            os.environ.pop(name, None)
        os.environ.update(before)
