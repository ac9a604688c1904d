"""The edge to boto3: the call that closes an account."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from twokeys.aws_errors import no_answer

_CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 10})


class NotClosedError(Exception):
    """AWS refused to close an account: `reason` is that of a ConstraintViolationException, or the error's code."""

    def __init__(self, reason: str, message: str) -> None:
        self.reason = reason
        super().__init__(message)


class Organizations:
    """AWS Organizations with one set of credentials."""

    def __init__(self, session: boto3.Session) -> None:
        self.client: Any = session.client(
            "organizations", region_name=session.region_name or "us-east-1", config=_CONFIG
        )

    def close(self, account: str) -> None:
        """Close a member account; AWS goes on with it in the background.

        Raises NotClosedError when AWS refuses this account, or refuses to close any more of them, and Refusal when it
        cannot be asked.
        """
        errors = self.client.exceptions
        try:
            self.client.close_account(AccountId=account)
        except errors.AccountAlreadyClosedException:
            return
        except (errors.ConstraintViolationException, errors.ConflictException) as error:
            said = error.response["Error"]
            raise NotClosedError(str(error.response.get("Reason") or said["Code"]), said["Message"]) from error
        except (ClientError, BotoCoreError) as error:
            raise no_answer(error, asked="organizations:CloseAccount") from error
