"""The edge to boto3: the calls that change an account, and when accounts were closed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from twokeys.aws_errors import no_answer

_CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 10})
_ORGANIZATIONS_REGION = "us-east-1"
"""Where CloudTrail has the events of AWS Organizations."""


class NotClosedError(Exception):
    """AWS refused to close an account: `reason` is that of a ConstraintViolationException, or the error's code."""

    def __init__(self, reason: str, message: str) -> None:
        self.reason = reason
        super().__init__(message)


class Aws:
    """AWS Organizations and Account Management with one set of credentials.

    Every method refuses (`Refusal`) when AWS cannot be asked or says no, but for `closings`.
    """

    def __init__(self, session: boto3.Session) -> None:
        self._session = session
        self._clients: dict[str, Any] = {}

    def closings(self, since: datetime) -> tuple[datetime, ...] | None:
        """When accounts were closed from here, as CloudTrail's event history tells; None when it may not be asked."""
        attribute = {"AttributeKey": "EventName", "AttributeValue": "CloseAccount"}
        client = self._client("cloudtrail", _ORGANIZATIONS_REGION)
        try:
            pages = client.get_paginator("lookup_events").paginate(LookupAttributes=[attribute], StartTime=since)
            events = [event for page in pages for event in page["Events"]]
        except (ClientError, BotoCoreError):
            return None  # the quota is then told as far as it is known without: see `closing.Quota`
        times = [event["EventTime"] for event in events if '"errorCode"' not in event.get("CloudTrailEvent", "")]
        return tuple(time.astimezone(UTC) for time in times) or None

    def start_email(self, account: str, address: str) -> None:
        """Have AWS mail a code to the new address.

        https://docs.aws.amazon.com/accounts/latest/APIReference/API_StartPrimaryEmailUpdate.html
        """
        with _asking("account:StartPrimaryEmailUpdate"):
            self._client("account").start_primary_email_update(AccountId=account, PrimaryEmail=address)

    def accept_email(self, account: str, address: str, code: str) -> None:
        """https://docs.aws.amazon.com/accounts/latest/APIReference/API_AcceptPrimaryEmailUpdate.html"""
        with _asking("account:AcceptPrimaryEmailUpdate"):
            self._client("account").accept_primary_email_update(AccountId=account, PrimaryEmail=address, Otp=code)

    def close(self, account: str) -> None:
        """Close a member account; AWS goes on with it in the background.

        Raises NotClosedError when AWS refuses this account, or refuses to close any more of them.
        """
        client = self._client("organizations")
        with _asking("organizations:CloseAccount"):
            try:
                client.close_account(AccountId=account)
            except client.exceptions.AccountAlreadyClosedException:
                return
            except (client.exceptions.ConstraintViolationException, client.exceptions.ConflictException) as error:
                code = error.response["Error"]
                raise NotClosedError(str(error.response.get("Reason") or code["Code"]), code["Message"]) from error

    def _client(self, service: str, region: str | None = None) -> Any:  # noqa: ANN401 - boto3 makes clients at run time
        if service not in self._clients:
            make: Callable[..., Any] = self._session.client
            self._clients[service] = make(
                service, region_name=region or self._session.region_name or _ORGANIZATIONS_REGION, config=_CONFIG
            )
        return self._clients[service]


@contextmanager
def _asking(action: str) -> Iterator[None]:
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise no_answer(error, asked=action) from error
