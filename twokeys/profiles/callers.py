"""Whose credentials are in place."""

import boto3
from botocore.config import Config

from twokeys.aws_errors import refusal_of

QUICK = Config(connect_timeout=5, retries={"mode": "standard", "total_max_attempts": 2})
"""Somebody waits: of a network that is down, boto3's five attempts say so after 14 seconds.

https://docs.aws.amazon.com/boto3/latest/guide/retries.html
"""


def caller_of(profile: str | None) -> tuple[str, str]:
    """The ARN of who has these credentials, and why nobody says it: one of the two is empty.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
    """
    try:
        session = boto3.Session(profile_name=profile)
        sts = session.client("sts", region_name=session.region_name or "us-east-1", config=QUICK)
        return str(sts.get_caller_identity()["Arn"]), ""
    except EOFError:
        return "", f"profile {profile or 'default'} asks for an MFA code itself, and there is no terminal to ask you at"
    except Exception as error:
        if (refusal := refusal_of(error, profile)) is None:
            raise
        return "", refusal.why
