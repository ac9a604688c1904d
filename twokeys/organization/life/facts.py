"""What is known of a stack's accounts: what config says, what the state holds and what AWS tells. Frozen, pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from twokeys.organization.model import Account
from twokeys.settings.models import Settings


@dataclass(frozen=True)
class Facts:
    """Everything that is decided upon.

    Attributes:
        stack: the stack's name.
        file: the config file that people edit, for next steps.
        held: the ids of the accounts that its state has, by their key in config.
        left: what its state still has of each account that config calls closed, the account itself included.
        caller: the account that the credentials are in.
        management: the organization's management account.
        features: ALL or CONSOLIDATED_BILLING.
        trusted: service principals with trusted access.
        accounts: every account of the organization by id, closed ones and the management account included.
        delegated: ids of accounts that are delegated administrators of some service.
        sandbox: whether this is the local AWS.
        environment: of a shard, the environment that it is a part of.
    """

    stack: str
    file: str
    settings: Settings
    held: Mapping[str, str]
    caller: str
    management: str
    features: str
    trusted: frozenset[str]
    accounts: Mapping[str, Account]
    delegated: frozenset[str] = frozenset()
    environment: str = ""
    left: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def id_of(self, account: str) -> str:
        """The id of an account that config names: as config says if it is closed, else as the state has it; or ""."""
        return self.settings.closed().get(account) or self.held.get(account, "")

    def at_aws(self, account: str) -> Account | None:
        """What AWS has of an account that config names."""
        return self.accounts.get(self.id_of(account))

    @property
    def update(self) -> str:
        """The command that updates the stack; a shard's config is brought up to date first."""
        return self._run("up")

    @property
    def preview(self) -> str:
        """The command that previews the stack."""
        return self._run("preview")

    @property
    def refresh(self) -> str:
        """The command by which the state learns what AWS has."""
        return f"pulumi{' -C shards' if self.environment else ''} refresh -s {self.stack}"

    def _run(self, operation: str) -> str:
        if self.environment:
            fleet = f"twokeys fleet {operation} {self.environment} --shard {self.stack}"
            return f"twokeys fleet split {self.environment} && {fleet}"
        return f"pulumi {operation} -s {self.stack}"
