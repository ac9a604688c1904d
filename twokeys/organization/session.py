"""What the commands read AWS with: a session, and a word on how far a long read has come."""

from __future__ import annotations

import time

import boto3
import click

from twokeys.aws_reference import known_region
from twokeys.organization.reading import Say

_QUIET_SECONDS = 2.0


def aws_session(profile: str | None, region: str | None) -> boto3.Session:
    """A session; what boto3 raises when AWS gives no usable answer is for the command line.

    Raises Refusal when AWS has no region of that name.
    """
    if region is not None:
        known_region(region, "--region")
    return boto3.Session(profile_name=profile, region_name=region)


def progress() -> Say:
    """Say on the error stream how far a long read has come, two seconds apart: a short one says nothing."""
    said = time.monotonic()

    def say(text: str) -> None:
        nonlocal said
        if time.monotonic() - said > _QUIET_SECONDS:
            said = time.monotonic()
            click.echo(f"... {text}", err=True)

    return say
