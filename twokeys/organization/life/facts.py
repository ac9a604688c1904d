"""What is known of a stack's accounts: what config says, what the state holds and what AWS tells. Frozen, pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from twokeys.access.model.accounts import Accounts
from twokeys.access.reading.snapshot import PROVIDER, STACK, Resource, Snapshot
from twokeys.access.reading.tokens import ACCOUNT
from twokeys.organization.model import Organization
from twokeys.settings.models import Settings


@dataclass(frozen=True)
class Facts:
    """Everything that is decided upon.

    Attributes:
        stack: the stack's name.
        file: the config file that people edit, for next steps.
        left: what its state still has of each account that config calls closed, the account itself included.
        caller: the account that the credentials are in.
        organization: as AWS has it, closed accounts included.
        environment: of a shard, the environment that it is a part of.
    """

    stack: str
    file: str
    settings: Settings
    caller: str
    organization: Organization
    environment: str = ""
    left: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def update(self) -> str:
        """The command that updates the stack; a shard's config is brought up to date first."""
        if self.environment:
            fleet = f"twokeys fleet up {self.environment} --shard {self.stack}"
            return f"twokeys fleet split {self.environment} && {fleet}"
        return f"pulumi up -s {self.stack}"


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
        if isinstance(door, Mapping) and _names(door, account):
            yield f"door {door.get('name', '')}"


def _concerns(accounts: Accounts, resource: Resource, account: str) -> bool:
    if resource.type == ACCOUNT:
        return accounts.named_by(resource) == account
    if resource.type == PROVIDER:
        return accounts.of_provider(resource.urn) == account
    in_it = resource.provider is not None and accounts.of_provider(resource.provider) == account
    return in_it or _names(resource.inputs or {}, account)


def _names(value: object, account: str) -> bool:
    """Whether plain data has the account's id as a value anywhere."""
    if isinstance(value, Mapping):
        return any(_names(inner, account) for inner in value.values())
    if isinstance(value, list | tuple):
        return any(_names(inner, account) for inner in value)
    return value == account
