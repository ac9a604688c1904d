"""What to say when AWS gave no usable answer: sign in, ask for a permission, wait, or mend the way there."""

from __future__ import annotations

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, ProfileNotFound
from botocore.exceptions import ConnectionError as NoConnectionError

from twokeys.errors import Refusal

DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
_TOO_OFTEN = frozenset({"Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded"})
# https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
_NOT_SIGNED_IN = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "IncompleteSignature",
        "MissingAuthenticationToken",
        "SignatureDoesNotMatch",
        "AuthFailure",
    }
)
_SIGN_IN = (
    "sign in (`aws sso login`, `aws configure`), name a profile with --profile, or for the sandbox run"
    ' eval "$(twokeys sandbox shell ...)"'
)


def no_answer(error: BotoCoreError | ClientError, *, asked: str = "") -> Refusal:
    """A Refusal for what boto3 raised.

    Args:
        asked: the action that was called ("organizations:ListRoots"), where that is known better than boto3 says it.
    """
    if isinstance(error, ClientError):
        return _answered(error, asked or error.operation_name)
    if isinstance(error, HTTPClientError | NoConnectionError):
        return Refusal(
            "AWS cannot be reached",
            where=asked or "the network",
            why=str(error).rstrip("."),
            next_step="look at the network, a proxy, and AWS_ENDPOINT_URL where it is set, and run this again; a"
            " sandbox that is gone comes back with `twokeys sandbox up`, and its shell anew",
        )
    absent = "name a profile that there is (`aws configure list-profiles`) with --profile or AWS_PROFILE, or unset it"
    step = absent if isinstance(error, ProfileNotFound) else _SIGN_IN
    return Refusal("AWS cannot be asked", where=asked or "the AWS credentials", why=str(error), next_step=step)


def malformed_endpoint(error: ValueError) -> Refusal | None:
    """A Refusal for an AWS_ENDPOINT_URL that is no address; None for any other error of that class."""
    if not str(error).startswith("Invalid endpoint"):
        return None
    return Refusal(
        "AWS cannot be asked",
        where="AWS_ENDPOINT_URL",
        why=str(error),
        next_step="write it as in https://HOST or http://127.0.0.1:4566, or take it away for AWS itself",
    )


def _answered(error: ClientError, asked: str) -> Refusal:
    code, why = error.response["Error"].get("Code", ""), str(error).rstrip(".")
    if code in _NOT_SIGNED_IN:
        return Refusal("the AWS credentials are not valid", where=asked, why=why, next_step=_SIGN_IN)
    if code in _TOO_OFTEN:
        step = "run this again in some minutes: others ask the same account, and it was tried for long already"
        return Refusal("AWS is asked too often", where=asked, why=why, next_step=step)
    if code in DENIED:
        step = f"allow {asked}, or use credentials that may (--profile)"
        return Refusal("AWS says no", where=asked, why=why, next_step=step)
    step = "correct what AWS names; where it names a fault of its own, run this again"
    return Refusal("AWS says no", where=asked, why=why, next_step=step)
