"""Whether accounts can be entered: their access roles are really assumed, several at once, and let go again.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_access.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import boto3
from botocore.exceptions import ClientError

from twokeys.aws_errors import DENIED
from twokeys.organization.reading import AT_ONCE, RETRIES

SESSION_NAME = "twokeys-preflight"


@dataclass(frozen=True)
class Entrance:
    """The access role of an account, and what AssumeRole is called with."""

    account: str
    role: str
    external_id: str | None = None

    def arn(self, partition: str) -> str:
        """The role's ARN."""
        return f"arn:{partition}:iam::{self.account}:role/{self.role}"


def try_entrances(
    session: boto3.Session,
    entrances: Iterable[Entrance],
    *,
    partition: str = "aws",
    say: Callable[[str], None] = lambda _: None,
) -> dict[str, str | None]:
    """For each account None when it can be entered, else what AWS answered.

    Raises what boto3 raises for anything but a refusal of AWS.
    """
    sts = session.client("sts", region_name=session.region_name or "us-east-1", config=RETRIES)
    wanted = list(entrances)

    def attempt(entrance: Entrance) -> str | None:
        role = entrance.arn(partition)
        try:
            if entrance.external_id is None:
                sts.assume_role(RoleArn=role, RoleSessionName=SESSION_NAME)
            else:
                sts.assume_role(RoleArn=role, RoleSessionName=SESSION_NAME, ExternalId=entrance.external_id)
        except ClientError as error:
            if error.response["Error"]["Code"] not in DENIED:
                raise  # an account that AWS had no time for is not one that cannot be entered
            return f"{error.response['Error']['Code']}: {error.response['Error'].get('Message', '')}"
        return None

    found: dict[str, str | None] = {}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for entrance, answer in zip(wanted, pool.map(attempt, wanted), strict=True):
            found[entrance.account] = answer
            if len(found) % 50 == 0:
                say(f"tried to enter {len(found)} of {len(wanted)} accounts")
    return found
