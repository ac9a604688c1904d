"""Amazon Resource Names of every partition, where an account may also be the symbol of one that does not exist yet.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeAlias, TypeGuard, get_args

DEFAULT_PARTITION = "aws"
Named: TypeAlias = Literal["role", "user", "group", "policy", "saml-provider", "oidc-provider"]
"""What of IAM an account can have several of, each by its name."""
ArnKind: TypeAlias = Literal[
    "role", "user", "group", "policy", "saml-provider", "oidc-provider", "root", "assumed-role", "federated-user"
]
_NAMED: frozenset[str] = frozenset(get_args(Named))
_WITH_PATH = frozenset({"role", "user", "group", "policy"})
_URLS = frozenset({"oidc-provider"})
_ACCOUNT_ID = re.compile(r"[0-9]{12}")
_SYMBOL = re.compile(r"account:[A-Za-z0-9_-]+")
_PARTITION = re.compile(r"aws(?:-[a-z]+)*")
_SEGMENTS = re.compile(r"([^:]*):([^:]*):([^:]*):([^:]*):(account:[A-Za-z0-9_-]+|[^:]*):(.*)", re.DOTALL)
_PARTITIONS = (
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("us-iso-", "aws-iso"),
    ("us-isob-", "aws-iso-b"),
    ("eu-isoe-", "aws-iso-e"),
    ("us-isof-", "aws-iso-f"),
    ("eusc-", "aws-eusc"),
)


class ArnError(ValueError):
    """A text is not an ARN; the message quotes it and says what is missing."""


@dataclass(slots=True, unsafe_hash=True)
class Arn:
    """The five named components after `arn:`; `str()` gives the text. Nothing changes one.

    `account` is empty, 12 digits, `aws` (the owner of AWS's managed policies) or a symbol such as `account:stage`.
    """

    partition: str
    service: str
    region: str
    account: str
    resource: str

    @classmethod
    def parse(cls, text: str) -> Arn | None:
        """Read a complete ARN of any partition, or None: what is missing or has a wildcard before its resource."""
        if not text.startswith("arn:"):
            return None
        try:
            return parse_arn(text)
        except ArnError:
            return None

    @classmethod
    def iam(cls, kind: Named, account: str, name: str, path: str = "/", partition: str = DEFAULT_PARTITION) -> Arn:
        """The ARN of something in IAM: `Arn.iam("role", "123456789012", "deployer", path="/ci/")`.

        `path` begins and ends with a slash; providers have none. `account` is an id, a symbol, or `aws` for a policy.
        """
        return cls(partition, "iam", "", account, f"{kind}{path if kind in _WITH_PATH else '/'}{name}")

    @classmethod
    def root(cls, account: str, partition: str = DEFAULT_PARTITION) -> Arn:
        """The ARN of an account's root, which in a policy stands for the account as a whole."""
        return cls(partition, "iam", "", account, "root")

    @classmethod
    def assumed_role(cls, account: str, role: str, session: str, partition: str = DEFAULT_PARTITION) -> Arn:
        """The ARN of a role's session; `role` is the name without its path, which such an ARN does not show."""
        return cls(partition, "sts", "", account, f"assumed-role/{role}/{session}")

    @property
    def kind(self) -> ArnKind | None:
        """What of IAM or STS it names; None for everything else, and where the name is missing."""
        if self.service not in ("iam", "sts"):
            return None
        kind, _, rest = self.resource.partition("/")
        if self.service == "iam":
            if self.resource == "root":
                return "root"
            # The URL of an OIDC provider may end with a slash, as that of Entra ID does.
            named = kind in _NAMED and rest.strip("/") and (rest[-1] != "/" or kind in _URLS)
            return kind if named else None  # type: ignore[return-value] # _NAMED holds just these
        if kind == "assumed-role" and rest.count("/") == 1 and all(rest.split("/")):
            return "assumed-role"
        return "federated-user" if kind == "federated-user" and rest else None

    @property
    def path(self) -> str:
        """The path of a role, user, group or policy, `/` or `/division/team/`; `/` for everything else."""
        if self.kind not in _WITH_PATH:
            return "/"
        return self.resource[self.resource.index("/") : self.resource.rindex("/") + 1]

    @property
    def name(self) -> str:
        """The name without its path: of an OIDC provider its URL without `https://`, of a session its role's name.

        `root` for a root; the whole resource for what is not of IAM.
        """
        kind = self.kind
        if kind is None or kind == "root":
            return self.resource
        if kind == "assumed-role":
            return self.resource.split("/")[1]
        return self.resource.rpartition("/")[2] if kind in _WITH_PATH else self.resource.partition("/")[2]

    @property
    def session(self) -> str | None:
        """The name of a role's session."""
        return self.resource.rpartition("/")[2] if self.kind == "assumed-role" else None

    @property
    def role(self) -> Arn | None:
        """Of a role: itself; of a session: its role, as far as its ARN tells: the role's path is not in it."""
        if self.kind == "role":
            return self
        if self.kind != "assumed-role":
            return None
        return Arn.iam("role", self.account, self.name, partition=self.partition)

    def __str__(self) -> str:
        return f"arn:{self.partition}:{self.service}:{self.region}:{self.account}:{self.resource}"


def is_account_id(value: object) -> TypeGuard[str]:
    """Whether a value is an account id: 12 digits."""
    return isinstance(value, str) and _ACCOUNT_ID.fullmatch(value) is not None


def is_account(text: str) -> bool:
    """Whether the text is an account id (12 digits) or the symbol of an account (`account:<slug>`)."""
    return is_account_id(text) or _SYMBOL.fullmatch(text) is not None


def account_id(value: object) -> str:
    """An account's id as text: `pulumi config set --path 'aws:allowedAccountIds[0]'` writes a number, without zeros."""
    return f"{value:012.0f}" if isinstance(value, int | float) else str(value)


def account_as_a_whole(principal: str) -> str | None:
    """The account that a name in a Principal element stands for as a whole: `123456789012` or the ARN of its root.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-accounts
    """
    if not principal.startswith("arn:"):
        return principal if is_account(principal) else None
    arn = Arn.parse(principal) if principal.endswith(":root") else None
    return arn.account if arn is not None and arn.kind == "root" and is_account(arn.account) else None


def partition_of_region(region: str | None) -> str:
    """The partition that a region lies in; `aws` if none is given or it is not known to be elsewhere.

    https://docs.aws.amazon.com/general/latest/gr/rande.html
    """
    return next((name for start, name in _PARTITIONS if (region or "").startswith(start)), DEFAULT_PARTITION)


def arn_segments(text: str) -> tuple[str, str, str, str, str, str] | None:
    """The six colon-delimited components of an ARN or ARN pattern, or None when there are fewer.

    The sixth keeps its colons. An account symbol in fifth place is one component although it holds a colon.
    """
    found = _SEGMENTS.fullmatch(text)
    return None if found is None else (found[1], found[2], found[3], found[4], found[5], found[6])


@lru_cache(maxsize=65536)
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
    if partition != DEFAULT_PARTITION and not _PARTITION.fullmatch(partition):
        raise ArnError(f"{text!r} is not an ARN: {partition!r} is no partition such as aws, aws-cn or aws-us-gov")
    if account not in ("", "aws") and not is_account(account):
        raise ArnError(f"{text!r} is not an ARN: {account!r} is neither 12 digits nor the symbol of an account")
    return Arn(partition, service, region, account, resource)
