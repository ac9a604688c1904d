"""Waiting until a new account can be entered: AWS may refuse its access role for minutes after the account exists.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_create.html
"""

import asyncio
import functools
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import boto3
import pulumi
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from components.refusing import ProgramRefusal

# What AssumeRole answers while a new account, or its role, has not yet reached every part of AWS.
_NOT_YET = frozenset({"AccessDenied", "AccessDeniedException", "InvalidClientTokenId", "RegionDisabledException"})
# The root user of the management account may not assume roles, however long it waits.
_FOR_GOOD = "may not be assumed by root"
# https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
_WITH_RETRIES = Config(retries={"mode": "standard", "total_max_attempts": 5})
_making_client = threading.Lock()
_FIRST_PAUSE, _LONGEST_PAUSE, _PROGRESS_EVERY = 1.0, 15.0, 30.0


@dataclass(frozen=True)
class AccessRole:
    """The role to enter, and what AssumeRole is called with."""

    arn: str
    session_name: str
    region: str
    external_id: str | None = None


class NotYetError(Exception):
    """AWS refused for a reason that passes by itself in a new account."""


@functools.cache
def sts_client(region: str) -> Any:  # noqa: ANN401 - boto3's clients are made at run time
    """One client for all accounts: any number of threads may use a client, and each would cost 70 ms to make."""
    return boto3.Session().client("sts", region_name=region, config=_WITH_RETRIES)


async def assume(role: AccessRole) -> None:
    """Assume the role once with the surrounding credentials, and let the session go.

    Raises NotYetError when that may still come, and what boto3 raises for anything else.
    """

    def call() -> None:
        with _making_client:
            sts = sts_client(role.region)
        if role.external_id is None:
            sts.assume_role(RoleArn=role.arn, RoleSessionName=role.session_name)
        else:
            sts.assume_role(RoleArn=role.arn, RoleSessionName=role.session_name, ExternalId=role.external_id)

    try:
        await asyncio.to_thread(call)
    except ClientError as error:
        if error.response["Error"]["Code"] in _NOT_YET and _FOR_GOOD not in str(error):
            raise NotYetError(str(error)) from error
        raise


async def wait_until_assumable(  # noqa: PLR0913 - all but the role by name
    role: AccessRole,
    *,
    timeout_seconds: float = 600,
    attempt: Callable[[AccessRole], Awaitable[None]] | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    say: Callable[[str], None] = pulumi.log.info,
) -> None:
    """Return once the role could be assumed; say every half minute that it waits.

    Raises ProgramRefusal after `timeout_seconds`, or at once when AWS refuses for a reason that does not pass.
    """
    attempt = attempt or assume
    started = clock()
    said_at: float | None = None
    pause = _FIRST_PAUSE
    while True:
        try:
            await attempt(role)
        except NotYetError as error:
            now = clock()
            if now - started + pause > timeout_seconds:
                raise _gave_up(role, f"still refused after {now - started:.0f} seconds: {error}") from None
            if said_at is None or now - said_at >= _PROGRESS_EVERY:
                say(f"waiting until {role.arn} can be assumed ({now - started:.0f} of {timeout_seconds:.0f} s)")
                said_at = now
            await sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
        except (ClientError, BotoCoreError) as error:
            raise _gave_up(role, str(error)) from None
        else:
            return


def _gave_up(role: AccessRole, why: str) -> ProgramRefusal:
    return ProgramRefusal(
        "entering the account",
        where=role.arn,
        why=why,
        next_step="check that the surrounding credentials may call sts:AssumeRole on this role and that the role"
        " trusts the management account, then run the update again: it continues from here",
    )
