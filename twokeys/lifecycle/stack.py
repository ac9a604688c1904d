"""A stack's config and state, read from files: the project's own, and the sandbox's state or an exported one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from twokeys.access.accounts import ACCOUNT, Accounts
from twokeys.access.snapshot import PROVIDER, Resource, Snapshot
from twokeys.errors import Refusal
from twokeys.lifecycle.facts import Held
from twokeys.sandbox.project import load_config, load_project
from twokeys.settings import Settings, parse

_ARN = re.compile(r"arn:[^:]+:organizations::\d{12}:account/o-[^/]+/(\d{12})")
_SHARD = re.compile(r"(?P<environment>.+)-\d{3,}")
_SHARDS = "shards"
_STACK = "pulumi:pulumi:Stack"
_MEMBER_ACCOUNT = "twokeys:accounts:MemberAccount"


@dataclass(frozen=True)
class StackConfig:
    """A stack's settings and where they are said.

    Attributes:
        file: the file that people edit, from the project's folder.
        environment: of a shard, the environment that it is a part of; else "".
    """

    settings: Settings
    file: str
    environment: str = ""


def read_settings(root: Path, stack: str) -> StackConfig:
    """The settings of a stack of the project, or of a shard in its folder `shards/`.

    Raises:
        Refusal: there is no such stack, its config cannot be used, or it is an environment that is split into shards.
    """
    project = load_project(root)
    shard = _SHARD.fullmatch(stack)
    file = project.stack_file(stack)
    if shard is not None and not file.exists() and (root / _SHARDS / file.name).exists():
        settings = parse(stack, load_config(replace(project, root=root / _SHARDS), stack, {}).values)
        return StackConfig(settings, f"Pulumi.{shard['environment']}.yaml", shard["environment"])
    if shards := _shards_of(root, stack):
        raise Refusal(
            f"{stack} is no stack but an environment",
            where=file.name,
            why=f"it is split into {len(shards)} shards, {shards[0]} to {shards[-1]}",
            next_step=f"name a shard; `twokeys fleet list {stack}` says which account is in which",
        )
    return StackConfig(parse(stack, load_config(project, stack, {}).values), file.name)


def _shards_of(root: Path, environment: str) -> list[str]:
    names = (path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in root.glob(f"{_SHARDS}/Pulumi.*.yaml"))
    found = (_SHARD.fullmatch(name) for name in sorted(names))
    return [shard[0] for shard in found if shard and shard["environment"] == environment]


def held_accounts(snapshot: Snapshot) -> dict[str, Held]:
    """Each account of a state by its logical name, which is its key in config."""
    accounts = Accounts(snapshot)
    found = {}
    for resource in snapshot.of_type(ACCOUNT):
        arn = _ARN.fullmatch(resource.text("arn") or "")
        if arn is not None:
            found[resource.name] = Held(arn[1], tuple(_left(snapshot, accounts, arn[1])))
    return found


def _left(snapshot: Snapshot, accounts: Accounts, account: str) -> Iterator[str]:
    """What a state has in an account or about it, beside the account itself and its component."""
    for resource in snapshot.resources:
        if resource.type == _STACK:
            yield from _doors(resource, account)
        elif resource.type not in (ACCOUNT, _MEMBER_ACCOUNT) and _concerns(accounts, resource, account):
            yield f"{resource.type.rpartition(':')[2]} {resource.name}"


def _doors(stack: Resource, account: str) -> Iterator[str]:
    doors = stack.outputs.get("doors")
    for door in doors if isinstance(doors, list) else ():
        if isinstance(door, Mapping) and _names(door, account):
            yield f"door {door.get('name', '')}"


def _concerns(accounts: Accounts, resource: Resource, account: str) -> bool:
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
