"""What is known of a stack's accounts: what config says, what the state holds and what AWS tells. Frozen, pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from twokeys.access.model.accounts import Accounts
from twokeys.access.reading.snapshot import PROVIDER, STACK, Resource, Snapshot
from twokeys.access.reading.type_names import ACCOUNT
from twokeys.iam.leaves import leaves
from twokeys.organization.model import Account, Organization
from twokeys.settings.models import Settings

_ARN = re.compile(r"arn:[^:]+:organizations::\d{12}:account/o-[^/]+/(\d{12})")


@dataclass(frozen=True)
class Facts:
    """Everything that is decided upon.

    Attributes:
        stack: the stack's name.
        file: the config file that people edit, for next steps.
        held: the ids of the accounts that its state has, by their key in config.
        left: what its state still has of each account that config calls closed, the account itself included.
        organization: as AWS has it, closed accounts included.
        environment: of a shard, the environment that it is a part of.
    """

    stack: str
    file: str
    settings: Settings
    held: Mapping[str, str]
    organization: Organization
    environment: str = ""
    left: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def id_of(self, account: str) -> str:
        """The id of an account that config names: as config says if it is closed, else as the state has it; or ""."""
        return self.settings.closed().get(account) or self.held.get(account, "")

    def at_aws(self, account: str) -> Account | None:
        """What AWS has of an account that config names."""
        return self.organization.account_by_id.get(self.id_of(account))

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


def held_accounts(snapshot: Snapshot) -> dict[str, str]:
    """The id of each account of a state by its logical name, which is its key in config."""
    found = {}
    for resource in snapshot.of_type(ACCOUNT):
        arn = _ARN.fullmatch(resource.text("arn") or "")
        if arn is not None:
            found[resource.name] = arn[1]
    return found


def left_of(snapshot: Snapshot, account: str) -> tuple[str, ...]:
    """What a state has of the account with this id, in it or about it, the account itself included."""
    accounts = Accounts(snapshot)
    return tuple(_left(snapshot, accounts, account))


def _left(snapshot: Snapshot, accounts: Accounts, account: str) -> Iterator[str]:
    for resource in snapshot.resources:
        if resource.type == STACK:
            yield from _doors(resource, account)
        elif _concerns(accounts, resource, account):
            yield f"{resource.type.rpartition(':')[2]} {resource.name}"


def _doors(stack: Resource, account: str) -> Iterator[str]:
    doors = stack.outputs.get("doors")
    for door in doors if isinstance(doors, list) else ():
        if account in leaves(door):
            yield f"door {door.get('name', '')}"


def _concerns(accounts: Accounts, resource: Resource, account: str) -> bool:
    if resource.type == ACCOUNT:
        return accounts.named_by(resource) == account
    if resource.type == PROVIDER:
        return accounts.of_provider(resource.urn) == account
    in_it = resource.provider is not None and accounts.of_provider(resource.provider) == account
    return in_it or account in leaves(resource.inputs)
