"""The session that the commands read AWS with."""

from __future__ import annotations

import boto3

from twokeys.aws_reference import regions
from twokeys.errors import Refusal, or_nearest


def aws_session(profile: str | None, region: str | None) -> boto3.Session:
    """A session; what boto3 raises when AWS gives no usable answer is for the command line.

    Raises:
        Refusal: AWS has no region of that name.
    """
    if region is not None and region not in regions():
        raise Refusal(
            f"{region!r} as a region",
            where="--region",
            why="no AWS region has this name",
            next_step=or_nearest("give a region such as us-east-1 or eu-central-1", region, regions()),
        )
    return boto3.Session(profile_name=profile, region_name=region)
