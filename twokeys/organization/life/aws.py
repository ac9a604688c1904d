"""The edge to boto3: the calls that change an account."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from twokeys.aws_errors import no_answer

_CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 10})
_REGION = "us-east-1"
"""Where AWS Organizations is asked, unless somebody says another."""


class NotClosedError(Exception):
    """AWS refused to close an account: `reason` is that of a ConstraintViolationException, or the error's code."""

    def __init__(self, reason: str, message: str) -> None:
        self.reason = reason
        super().__init__(message)


class Aws:
    """AWS Organizations and Account Management with one set of credentials.

    Every method refuses (`Refusal`) when AWS cannot be asked or says no.
    """

    def __init__(self, session: boto3.Session) -> None:
        self._session = session
        self._clients: dict[str, Any] = {}

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

    def _client(self, service: str) -> Any:  # noqa: ANN401 - boto3 makes clients at run time
        if service not in self._clients:
            make: Callable[..., Any] = self._session.client
            self._clients[service] = make(service, region_name=self._session.region_name or _REGION, config=_CONFIG)
        return self._clients[service]


@contextmanager
def _asking(action: str) -> Iterator[None]:
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise no_answer(error, asked=action) from error
