"""What a state holds of each account."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from twokeys.access.accounts import ACCOUNT, Accounts
from twokeys.access.snapshot import PROVIDER, Resource, Snapshot

_ARN = re.compile(r"arn:[^:]+:organizations::\d{12}:account/o-[^/]+/(\d{12})")
_STACK = "pulumi:pulumi:Stack"


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
        if resource.type == _STACK:
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
