"""One attempt at a role: `sts:AssumeRole`, then `sts:GetCallerIdentity` with what it gave, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from types_boto3_sts import STSClient
    from types_boto3_sts.type_defs import GetCallerIdentityResponseTypeDef

    from twokeys.doors import Who

SESSION: Final = "twokeys-probe"
REFUSAL: Final = "AccessDenied"
"""The only error that says the role is shut: others (throttling, expired credentials) say nothing of it.

https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
"""

_SHUT: Final = (
    "see in `twokeys access check` (real AWS: with --live and all states) which of its keys is missing, and update the"
    " stack that has it"
)
_OPEN: Final = (
    "see in `twokeys audit --keys` (real AWS: with --live and all states) which statements let them in, and take out"
    " what is too wide"
)
_UNANSWERED: Final = "mend what the error names and try again: it says nothing of the door"


@dataclass(frozen=True)
class Keys:
    """Credentials of somebody. `token` is there when they are temporary."""

    access: str
    secret: str
    token: str | None = None


@dataclass(frozen=True)
class Probe:
    """One attempt.

    Attributes:
        name: what was tried, as a sentence.
        expected: whether the role should be assumed.
        assumed: whether it was; None when that was not probed.
        detail: the caller identity's ARN, the refusal, or why it was not probed.
        next_step: when it did not go as expected, or was not probed, what the reader can do about it.
        right_account: whether the session then was in the account that the role's ARN names.
        elsewhere: whether it can only be probed elsewhere, as a door of IAM Identity Center: nobody's fault.
        caller: who tried a door for which it was made, where anybody can be tried, and `with_mfa` whether they brought
            a code of their MFA device.
        conditional: whether AWS asks for more than was asked for here; `detail` then says what.
    """

    name: str
    role_arn: str
    expected: bool
    assumed: bool | None
    detail: str
    next_step: str | None = None
    right_account: bool = True
    elsewhere: bool = False
    caller: Who | None = None
    with_mfa: bool = False
    conditional: bool = False

    @property
    def probed(self) -> bool:
        """Whether it says anything."""
        return self.assumed is not None

    @property
    def as_expected(self) -> bool:
        """Whether it went as it should; what was not probed did not."""
        return self.expected == self.assumed and self.right_account

    @property
    def failed(self) -> bool:
        """Whether it went otherwise, or could have been probed here and was not."""
        return not self.as_expected and not self.elsewhere

    @property
    def happened(self) -> str:
        """What came of it, in words."""
        return {True: "assumed", False: "refused", None: "not probed"}[self.assumed]

    @property
    def judged(self) -> str:
        """How that is to be taken, in words."""
        if not self.probed:
            return "not probed"
        if not self.as_expected:
            return "NOT as expected"
        return "conditional" if self.conditional else "as expected"

    def as_dict(self) -> dict[str, object]:
        """The probe as JSON-ready data; the role is named as every answer names one."""
        account, name = self.role_arn.split(":")[4], self.role_arn.rpartition("/")[2]
        return {
            "name": self.name,
            "target": {"kind": "role", "account": account, "name": name, "arn": self.role_arn},
            "expected": "assumed" if self.expected else "refused",
            "happened": self.happened,
            "asExpected": self.as_expected if self.probed else None,
            "conditional": self.conditional,
            "detail": self.detail,
            "nextStep": self.next_step,
        }


class Pace:
    """Keeps calls apart: at most `rate` a second; 0 is without a limit."""

    def __init__(
        self, rate: float, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._interval = 1 / rate if rate else 0.0
        self._clock = clock
        self._sleep = sleep
        self._next = clock()

    def wait(self) -> None:
        """Wait for the next call's turn."""
        now = self._clock()
        if now < self._next:
            self._sleep(self._next - now)
        self._next = max(now, self._next) + self._interval


class Attempts:
    """Attempts with anybody's credentials. `sts` gives a client that signs with them."""

    def __init__(self, sts: Callable[[Keys], STSClient], pace: Pace) -> None:
        self._sts = sts
        self._pace = pace

    def identity(self, keys: Keys) -> GetCallerIdentityResponseTypeDef:
        """Whose credentials these are. Raises what boto3 raises."""
        self._pace.wait()
        return self._sts(keys).get_caller_identity()

    def assume(self, keys: Keys, role_arn: str, arguments: Mapping[str, str] | None = None) -> Keys:
        """Credentials of a session in the role. Raises what boto3 raises."""
        self._pace.wait()
        asked = {"RoleArn": role_arn, "RoleSessionName": SESSION, **(arguments or {})}
        given = self._sts(keys).assume_role(**asked)["Credentials"]  # type: ignore[arg-type]  # STS takes only text here
        return Keys(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])

    def attempt(
        self, name: str, keys: Keys, role_arn: str, *, expected: bool, arguments: Mapping[str, str] | None = None
    ) -> Probe:
        """Try to assume a role, and look where the session is; `arguments` are AssumeRole's own (`ExternalId`...)."""
        probe = partial(Probe, name, role_arn, expected)
        try:
            identity = self.identity(self.assume(keys, role_arn, arguments))
        except ClientError as error:
            said = error.response["Error"]
            detail = f"{said['Code']}: {said['Message']}"
            if said["Code"] == REFUSAL:
                return probe(assumed=False, detail=detail, next_step=_SHUT if expected else None)
            return probe(assumed=None, detail=detail, next_step=_UNANSWERED)
        except BotoCoreError as error:
            return probe(assumed=None, detail=str(error), next_step=_UNANSWERED)
        right = identity["Account"] == role_arn.split(":")[4]
        step = None if expected and right else _OPEN
        return probe(assumed=True, detail=identity["Arn"], next_step=step, right_account=right)
