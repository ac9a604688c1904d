"""Whether accounts can be entered: their access roles are really assumed, several at once, and let go again.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_access.html
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

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


def try_entrances(
    session: boto3.Session, entrances: Iterable[Entrance], *, partition: str = "aws"
) -> dict[str, str | None]:
    """For each account None when it can be entered, else what AWS answered.

    Raises what boto3 raises for anything but a refusal of AWS.
    """
    sts: Any = session.client("sts", region_name=session.region_name or "us-east-1", config=RETRIES)
    wanted = list(entrances)

    def attempt(entrance: Entrance) -> str | None:
        role = f"arn:{partition}:iam::{entrance.account}:role/{entrance.role}"
        external = {"ExternalId": entrance.external_id} if entrance.external_id else {}
        try:
            sts.assume_role(RoleArn=role, RoleSessionName=SESSION_NAME, **external)
        except ClientError as error:
            if error.response["Error"]["Code"] not in DENIED:
                raise  # an account that AWS had no time for is not one that cannot be entered
            return f"{error.response['Error']['Code']}: {error.response['Error'].get('Message', '')}"
        return None

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return {one.account: answer for one, answer in zip(wanted, pool.map(attempt, wanted), strict=True)}
