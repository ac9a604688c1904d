"""Amazon Resource Names, where an account may also be the symbol of an account that does not exist yet.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_ACCOUNT = re.compile(r"[0-9]{12}|account:[A-Za-z0-9_-]+")
_SEGMENTS = re.compile(r"([^:]*):([^:]*):([^:]*):([^:]*):(account:[A-Za-z0-9_-]+|[^:]*):(.*)", re.DOTALL)


class ArnError(ValueError):
    """A text is not an ARN; the message quotes it and says what is missing."""


@dataclass(frozen=True, slots=True)
class Arn:
    """The five named components after `arn:`.

    `account` is empty, 12 digits, `aws` (the owner of AWS's managed policies) or a symbol such as `account:stage`.
    """

    partition: str
    service: str
    region: str
    account: str
    resource: str

    def __str__(self) -> str:
        return f"arn:{self.partition}:{self.service}:{self.region}:{self.account}:{self.resource}"


def is_account(text: str) -> bool:
    """Whether the text is an account id (12 digits) or the symbol of an account (`account:<slug>`)."""
    return _ACCOUNT.fullmatch(text) is not None


def arn_segments(text: str) -> tuple[str, str, str, str, str, str] | None:
    """The six colon-delimited components of an ARN or ARN pattern, or None when there are fewer.

    The sixth keeps its colons. An account symbol in fifth place is one component although it holds a colon.
    """
    found = _SEGMENTS.fullmatch(text)
    return None if found is None else (found[1], found[2], found[3], found[4], found[5], found[6])


def parse_arn(text: str) -> Arn:
    """Read a complete ARN, without wildcards in its first five components.

    Raises:
        ArnError: a component is missing, or the account is neither empty, an id, `aws` nor a symbol.
    """
    segments = arn_segments(text)
    if segments is None:
        raise ArnError(f"{text!r} is not an ARN: arn:partition:service:region:account:resource has six components")
    prefix, partition, service, region, account, resource = segments
    if prefix != "arn":
        raise ArnError(f"{text!r} is not an ARN: it does not begin with 'arn:'")
    if not partition or not service or not resource:
        raise ArnError(f"{text!r} is not an ARN: the partition, the service and the resource must not be empty")
    if account not in ("", "aws") and not is_account(account):
        raise ArnError(f"{text!r} is not an ARN: {account!r} is neither 12 digits nor the symbol of an account")
    return Arn(partition, service, region, account, resource)
