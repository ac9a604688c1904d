"""How a provider gets into its account: the roles it assumes, what it is pinned to, whose credentials it has."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from twokeys.access.reading.snapshot import Resource, mapping
from twokeys.iam import UNKNOWN, Arn, account_id, is_account_id

ASSUMES = ("assumeRoles", "assumeRole")
"""What a provider assumes; the second as aws-native and versions of pulumi-aws before 7 have it."""
CREDENTIALS = ("profile", "accessKey", "secretKey", "token", "sharedCredentialsFiles", "sharedConfigFiles")


@dataclass(frozen=True)
class ProviderEntry:
    """How a provider gets into its account: the roles it assumes in order, and the ids it may work in."""

    urn: str
    name: str
    assumes: tuple[str, ...] | None
    """The role ARNs; empty: none; None: it assumes a role whose ARN is not known yet."""
    allowed: tuple[str, ...] | None
    """`allowedAccountIds`; empty: not pinned; None: pinned to an id that is not known yet."""
    credentials: tuple[str | None, ...]
    """Its own profile, key, secret, token and files; None for each that it takes from the environment."""
    without_role: bool = False
    """Whether something that it assumes has other keys than `roleArn`."""
    session: str | None = None
    """The name of its session in the last role, where it gives one."""

    @property
    def is_default(self) -> bool:
        """Whether it is the one that the engine makes of the stack's config."""
        return self.name == "default" or self.name.startswith("default_")

    @property
    def tells_none(self) -> bool:
        """Whether nothing of it says in which account it works: it assumes no role and is not pinned."""
        return self.assumes == () and self.allowed == ()

    @property
    def own_credentials(self) -> bool:
        """Whether it has a profile or keys of its own, as each account has one with IAM Identity Center."""
        return any(self.credentials)

    @property
    def by_the_environment(self) -> bool:
        """Whether it works with the credentials of the environment, and with no role."""
        return self.assumes == () and not self.own_credentials

    @property
    def assumed_account(self) -> str | None:
        """The account of the last role it assumes, if that is known."""
        arn = Arn.parse(self.assumes[-1]) if self.assumes else None
        return arn.account if arn is not None and arn.kind == "role" and is_account_id(arn.account) else None


def entry(provider: Resource) -> ProviderEntry:
    """How a provider gets into its account: by a web identity's role first, then by the roles it assumes in order.

    Provider inputs reach us as JSON strings; an unreadable one is unknown. So are roles under both the key of
    pulumi-aws 7 and the one of the versions before, as each plugin reads its own only.
    """
    by_roles = [listed(provider, key) for key in ASSUMES]
    chain = [listed(provider, "assumeRoleWithWebIdentity"), *by_roles]
    roles = [mapping(one) for each in chain for one in each or ()]
    arns = [one["roleArn"] for one in roles if isinstance(one.get("roleArn"), str)]
    known = None not in chain and not all(by_roles) and len(arns) == len(roles)
    session = roles[-1].get("sessionName") if roles else None
    allowed = listed(provider, "allowedAccountIds")
    return ProviderEntry(
        urn=provider.urn,
        name=provider.name,
        assumes=tuple(arns) if known else None,
        allowed=tuple(map(account_id, allowed)) if allowed is not None and UNKNOWN not in allowed else None,
        credentials=tuple(
            str(provider.get(key)) if provider.get(key) and listed(provider, key) != [] else None for key in CREDENTIALS
        ),
        without_role=any(one and "roleArn" not in one for each in by_roles for one in map(mapping, each or ())),
        session=session if isinstance(session, str) else None,
    )


def listed(provider: Resource, key: str) -> Iterable[object] | None:
    """A list among a provider's inputs; [] where it is absent, None where it is not known."""
    value = provider.get(key)
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return None
    if value is None or isinstance(value, Mapping):
        return [] if value is None else [value]
    return value if isinstance(value, list) else None
