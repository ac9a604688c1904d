"""The edge to boto3: the call that closes an account."""

from collections.abc import Callable
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from twokeys.aws_errors import no_answer
from twokeys.organization.reading import organizations_client


class NotClosedError(Exception):
    """AWS refused to close an account: `reason` is that of a ConstraintViolationException, or the error's code."""

    def __init__(self, reason: str, message: str) -> None:
        self.reason = reason
        super().__init__(message)


def closing(session: boto3.Session) -> Callable[[str], None]:
    """What closes a member account by its id, with these credentials; AWS goes on with it in the background.

    It raises NotClosedError when AWS refuses this account, or refuses to close any more of them, and Refusal when AWS
    cannot be asked.
    """
    client: Any = organizations_client(session)

    def close(account: str) -> None:
        try:
            client.close_account(AccountId=account)
        except client.exceptions.AccountAlreadyClosedException:
            return
        except (client.exceptions.ConstraintViolationException, client.exceptions.ConflictException) as error:
            code = error.response["Error"]
            raise NotClosedError(str(error.response.get("Reason") or code["Code"]), code["Message"]) from error
        except (ClientError, BotoCoreError) as error:
            raise no_answer(error, asked="organizations:CloseAccount") from error

    return close
