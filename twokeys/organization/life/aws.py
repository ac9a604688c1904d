"""The edge to boto3: the calls that change an account."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from twokeys.aws_errors import no_answer
from twokeys.organization.reading import RETRIES


class NotClosedError(Exception):
    """AWS refused to close an account: `reason` is that of a ConstraintViolationException, or the error's code."""

    def __init__(self, reason: str, message: str) -> None:
        self.reason = reason
        super().__init__(message)


def client_of(session: boto3.Session, service: str) -> Any:  # noqa: ANN401 - boto3 makes clients at run time
    """A client of "organizations" or "account"."""
    return session.client(service, region_name=session.region_name or "us-east-1", config=RETRIES)  # type: ignore[call-overload]


def change_email(client: Any, account: str, address: str, code: str | None) -> None:  # noqa: ANN401 - as above
    """Have AWS mail a code to the new address, or give it the code, which makes it the address of the root user.

    https://docs.aws.amazon.com/accounts/latest/APIReference/API_StartPrimaryEmailUpdate.html
    Raises Refusal when AWS cannot be asked or says no.
    """
    if code is None:
        with _asking("account:StartPrimaryEmailUpdate"):
            client.start_primary_email_update(AccountId=account, PrimaryEmail=address)
    else:
        with _asking("account:AcceptPrimaryEmailUpdate"):
            client.accept_primary_email_update(AccountId=account, PrimaryEmail=address, Otp=code)


def close(client: Any, account: str) -> None:  # noqa: ANN401 - as above
    """Close a member account; AWS goes on with it in the background.

    Raises NotClosedError when AWS refuses this account, or refuses to close any more of them, and Refusal when it
    cannot be asked.
    """
    with _asking("organizations:CloseAccount"):
        try:
            client.close_account(AccountId=account)
        except client.exceptions.AccountAlreadyClosedException:
            return
        except (client.exceptions.ConstraintViolationException, client.exceptions.ConflictException) as error:
            code = error.response["Error"]
            raise NotClosedError(str(error.response.get("Reason") or code["Code"]), code["Message"]) from error


@contextmanager
def _asking(action: str) -> Iterator[None]:
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise no_answer(error, asked=action) from error
