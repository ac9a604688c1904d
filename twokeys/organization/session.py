"""What the commands read AWS with."""

from __future__ import annotations

import boto3

from twokeys.aws_reference import known_region


def aws_session(profile: str | None, region: str | None) -> boto3.Session:
    """A session; what boto3 raises when AWS gives no usable answer is for the command line.

    Raises Refusal when AWS has no region of that name.
    """
    if region is not None:
        known_region(region, "--region")
    return boto3.Session(profile_name=profile, region_name=region)
