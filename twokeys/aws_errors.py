"""What to say when AWS gave no usable answer: sign in, ask for a permission, wait, or mend the way there."""

import os
import shlex
import traceback

from botocore import exceptions as raised
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from botocore.session import Session

from twokeys.errors import Refusal

PROFILE = "TWOKEYS_PROFILE"
"""The variable with the profile through which the shell came into the door that it is in; "" where it had keys."""
REGION = "TWOKEYS_REGION"
"""The variable with the region of that door, where the shell has none of its own."""
WITHIN = "TWOKEYS_WITHIN"
"""The variable that a command has which was begun with its door: a shell, say, that ends with it."""
DOOR = "TWOKEYS_DOOR"
"""The variable with the name of that door, for a prompt."""
BACK = "TWOKEYS_BACK"
"""The variable with what takes the shell out of its door, for `eval` in any shell."""
DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
_TOO_OFTEN = frozenset({"Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded"})
# https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
_NOT_SIGNED_IN = frozenset(
    {
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "IncompleteSignature",
        "MissingAuthenticationToken",
        "SignatureDoesNotMatch",
        "AuthFailure",
    }
)
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException"})
_SIGN_IN = "sign in (`aws sso login`, `aws configure`), or name a profile with --profile"
_GIVEN_BY = (
    "mend what gives them: a credential_process has to be a program that prints JSON"
    " (https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html), and a file that a profile"
    " or a variable names has to be there"
)
_STEPS: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
    (
        (raised.ProfileNotFound,),
        "name a profile that there is (`aws configure list-profiles`) with --profile or AWS_PROFILE, or unset it",
    ),
    ((raised.InfiniteLoopConfigError,), "give one of these profiles credentials of its own, and no source_profile"),
    ((raised.PartialCredentialsError,), "set what is missing, or take the other half away too"),
    (
        (raised.ConfigParseError, raised.InvalidConfigError),
        "correct that in the AWS config file, or name another profile",
    ),
    ((raised.MissingDependencyException,), '`pip install "botocore[crt]"`'),
    ((raised.SSOError, raised.TokenRetrievalError), "sign in again: `aws sso login{profile}`"),
    # botocore before 1.41 knows no `aws login`
    ((getattr(raised, "LoginError", raised.SSOError),), "sign in again: `aws login{profile}`"),
    ((raised.CredentialRetrievalError, raised.UnknownCredentialError), _GIVEN_BY),
    ((raised.NoRegionError,), "name a region: AWS_REGION, or `region` in the profile"),
    ((BotoCoreError,), _SIGN_IN),
    ((Exception,), _GIVEN_BY),
)
"""What helps, by what botocore raises; the first row that fits counts."""


def refusal_of(error: Exception, profile: str | None = None) -> Refusal | None:
    """A Refusal for what boto3 raised of AWS or of its configuration; None for what is neither.

    Of helpers, files and variables with credentials botocore passes on what Python raises.
    """
    if isinstance(error, BotoCoreError | ClientError | ResponseParserError):
        return no_answer(error, profile=profile)
    if isinstance(error, ValueError) and str(error).startswith("Invalid endpoint"):
        return Refusal(
            "AWS cannot be asked",
            where="AWS_ENDPOINT_URL",
            why=str(error),
            next_step="write it as in https://HOST or http://127.0.0.1:4566, or take it away for AWS itself",
        )
    passed = {frame.f_globals.get("__name__") for frame, _ in traceback.walk_tb(error.__traceback__)}
    return no_answer(error, profile=profile) if passed & {"botocore.credentials", "botocore.tokens"} else None


def no_answer(error: Exception, *, asked: str = "", profile: str | None = None) -> Refusal:
    """A Refusal for what boto3 raised.

    Args:
        asked: the action that was called ("organizations:ListRoots"), where that is known better than boto3 says it.
        profile: the profile that was asked with, where one was named.
    """
    if isinstance(error, ClientError):
        return _answered(error, asked or error.operation_name, profile)
    if isinstance(error, raised.HTTPClientError | raised.ConnectionError | ResponseParserError):
        comes_back = '; a sandbox that is gone comes back with its shell, eval "$(twokeys sandbox shell ...)"'
        in_sandbox = f"; AWS_ENDPOINT_URL is set{comes_back}" if os.environ.get("AWS_ENDPOINT_URL") else ""
        return Refusal(
            "AWS cannot be reached",
            where=asked or "the network",
            why=" ".join(str(error).split()).rstrip("."),
            next_step=f"look at the network and a proxy, and run this again{in_sandbox}",
        )
    where = asked or f"the AWS credentials{_of(profile)}"
    why = str(error).strip().rstrip(".") if isinstance(error, BotoCoreError) else f"{type(error).__name__}: {error}"
    named = _named(profile)
    step = next(step for classes, step in _STEPS if isinstance(error, classes))
    step = step.replace("{profile}", f" --profile {shlex.quote(named)}" if named else "")
    if isinstance(error, RuntimeError) and "still expired" in str(error):
        why, step = _ended(profile)
    return Refusal("AWS cannot be asked", where=where, why=why, next_step=step)


def _named(profile: str | None) -> str | None:
    """The profile whose credentials are taken, where one is named."""
    return None if in_shell(profile) else profile or os.environ.get("AWS_PROFILE")


def _of(profile: str | None) -> str:
    named = _named(profile)
    return f" of profile {named}" if named else ""


def _ended(profile: str | None) -> tuple[str, str]:
    """That a session is over, and the way back."""
    if not in_shell(profile):
        return "the session is over", f"your session has expired: {_SIGN_IN}"
    at = os.environ.get("AWS_CREDENTIAL_EXPIRATION")
    return (
        f"the session in this shell ended{f' at {at}' if at else ''}",
        f"{leave()}, or give --profile {shlex.quote(os.environ.get(PROFILE) or 'NAME')}",
    )


def leave() -> str:
    """How the user's shell forgets the keys in its environment variables, which win over the default profile's."""
    if WITHIN in os.environ:
        return "`exit`"
    if BACK in os.environ:
        return f'`eval "${BACK}"`'
    return "`unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN`"


def profile_names() -> list[str]:
    """The profiles that there are; none where a file of them cannot be read."""
    try:
        return sorted(Session().available_profiles)
    except BotoCoreError:
        return []


def in_shell(profile: str | None) -> bool:
    """Whether the keys are those of the environment variables, to which boto3 prefers only a profile that is named.

    One that AWS_PROFILE names counts for nothing beside them.
    """
    return not profile and "AWS_ACCESS_KEY_ID" in os.environ


def _answered(error: ClientError, asked: str, profile: str | None) -> Refusal:
    code, why = error.response["Error"].get("Code", ""), str(error).rstrip(".")
    where = f"{asked}, with the credentials{of}" if (of := _of(profile)) else asked
    if code in _EXPIRED:
        _, step = _ended(profile)
        return Refusal("the AWS credentials are not valid", where=where, why=why, next_step=step)
    if code in _NOT_SIGNED_IN:
        dead = f"{leave()}: keys in the environment win where no --profile is given; then " if in_shell(profile) else ""
        return Refusal("the AWS credentials are not valid", where=where, why=why, next_step=dead + _SIGN_IN)
    if code in _TOO_OFTEN:
        step = "run this again in some minutes: others ask the same account, and it was tried for long already"
        return Refusal("AWS is asked too often", where=where, why=why, next_step=step)
    if code == "ForbiddenException" and error.operation_name == "GetRoleCredentials":
        step = "the profile's permission set is not assigned to you, or not any more: ask whoever owns that door"
        return Refusal("Identity Center gives no session", where=where, why=why, next_step=step)
    if code in DENIED:
        step = f"allow {asked}, or use credentials that may (--profile)"
        return Refusal("AWS says no", where=where, why=why, next_step=step)
    step = "correct what AWS names; where it names a fault of its own, run this again"
    return Refusal("AWS says no", where=where, why=why, next_step=step)
