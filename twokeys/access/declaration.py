"""Doors as they are declared: documents whose account ids may still be symbols.

The id of an account that does not exist yet is unknown, and so is every JSON document that names it. A component
therefore also declares the structure its JSON is made from, with the symbol `account:<name>` where an id will stand;
the id of an organization that the stack makes has the symbol `organization:<name>`. `render` makes the real JSON from
the same structure, so the declared and the real document cannot drift.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Literal, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

SYMBOL_PREFIX = "account:"
_ORGANIZATION_PREFIX = "organization:"
_SLUG = r"[A-Za-z0-9_-]+"
_SYMBOL = re.compile(rf"{SYMBOL_PREFIX}{_SLUG}")
# A symbol stands alone or in the account field of an ARN, and nowhere else: other text that looks like one is text.
_PLACE = re.compile(rf"^(arn:[^:]*:[^:]*:[^:]*:)?((?:{SYMBOL_PREFIX}|{_ORGANIZATION_PREFIX}){_SLUG})(?(1)(?=:)|$)")
ACCOUNT = rf"^(\d{{12}}|{SYMBOL_PREFIX}{_SLUG})$"

Json = TypeVar("Json")

PROPERTY = "symbolicDocuments"
"""The property of a component that holds its symbolic documents."""

OTHER_STACK = "twokeys:access:OtherStack"
"""A component that repeats a stack reference: the engine shows a policy no resource that is only read."""
DOORS_OUTPUT = "doors"
"""The stack output that holds the exported doors."""
GRANTS_OUTPUT = "organization_grants"
"""The stack output that holds the exported grants for every account of the organization.

It stands beside `doors` and not in it: whoever reads `doors` takes each for a way into one account.
"""
ORGANIZATION_OUTPUT = "organization_id"
"""The stack output that tells the organization's id."""
MEMBERS_OUTPUT = "group_members"
"""The stack output that tells the users of each group."""
ACCOUNT_OUTPUT = "parent_account_id"
"""The stack output that tells the account of those groups."""


class UnresolvedSymbolError(ValueError):
    """A document still names an account or organization by its symbol where its id has to stand."""


class _Declared(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)

    def to_props(self) -> dict[str, Any]:
        """The declaration as plain JSON values with camelCase keys: what a component registers and a stack exports."""
        return self.model_dump(mode="json", by_alias=True)


class SymbolicDocument(_Declared):
    """One policy document of one resource, as declared.

    It covers the resource with this type and logical name that has the declaring component among its ancestors.
    `account` is a 12-digit id or a symbol; `properties` are the identifying inputs that are known (a role's `name` and
    `path`, a group policy's `group` and `name`); `document` is the policy document with symbols where ids will stand.
    """

    type: str
    name: str
    account: str = Field(pattern=ACCOUNT)
    property: Literal["assumeRolePolicy", "policy"]
    properties: dict[str, str]
    document: dict[str, Any]


class DoorSource(_Declared):
    """Who may go through a door: roles, users or groups by name, or an account's root (then `names` is empty)."""

    kind: Literal["role", "user", "group", "root"]
    account: str = Field(pattern=ACCOUNT)
    names: tuple[str, ...] = ()


class DoorTarget(_Declared):
    """The role behind a door."""

    account: str = Field(pattern=ACCOUNT)
    role: str


class DoorRequirements(_Declared):
    """What a session must show at a door beside its identity."""

    mfa: bool = False
    external_id: bool = False


class Door(_Declared):
    """The summary of a door for people and exports; `expires` is the last day on which the door may exist."""

    name: str
    source: DoorSource
    target: DoorTarget
    requires: DoorRequirements = DoorRequirements()
    max_session_seconds: int | None = None
    reason: str | None = None
    owner: str | None = None
    expires: date | None = None


class OrganizationGrant(_Declared):
    """The summary of a grant of the role of one name in every account of the organization, as `Door` is of a door."""

    name: str
    source: DoorSource
    role: str
    mfa: bool = False
    reason: str | None = None
    owner: str | None = None
    expires: date | None = None


class ExportedGrant(_Declared):
    """A grant as the stack output `organization_grants` lists it, so that other stacks can prove this key by it."""

    name: str
    grant: OrganizationGrant
    documents: tuple[SymbolicDocument, ...]


class ExportedDoor(_Declared):
    """A door as the stack output `doors` lists it, so that another stack can prove the key that lives elsewhere."""

    name: str
    door: Door
    documents: tuple[SymbolicDocument, ...]


def symbol(account: str) -> str:
    """The symbol of the account whose `aws:organizations/account:Account` resource has this logical name.

    Raises ValueError when the name holds anything but letters, digits, hyphens and underscores.
    """
    return SYMBOL_PREFIX + _slug(account)


def organization_symbol(organization: str) -> str:
    """The symbol of the id of the `aws:organizations/organization:Organization` resource with this logical name.

    Raises ValueError as `symbol` does.
    """
    return _ORGANIZATION_PREFIX + _slug(organization)


def is_symbol(account: str) -> bool:
    """Whether an account is named by a symbol instead of its 12-digit id."""
    return _SYMBOL.fullmatch(account) is not None


def resolve(value: Json, ids: Mapping[str, str]) -> Json:
    """A copy of a JSON value with each symbol that `ids` knows replaced by its id; others stay.

    `ids` maps symbols ("account:stage", "organization:organization") to ids. Keys of objects are left alone: AWS puts
    no account there.
    """
    return cast("Json", _replace(value, ids))


def symbols(value: object) -> frozenset[str]:
    """The symbols that stand in a JSON value."""
    return frozenset(found for text in _texts(value) if (found := _symbol_in(text)) is not None)


def render(document: Mapping[str, Any], ids: Mapping[str, str]) -> str:
    """The real policy document as JSON text, made from a structured one with its symbols replaced by ids.

    Raises UnresolvedSymbolError when `ids` lacks a symbol of the document.
    """
    resolved = resolve(dict(document), ids)
    if missing := symbols(resolved):
        raise UnresolvedSymbolError(f"no id is known for {', '.join(sorted(missing))}")
    return json.dumps(resolved)


def _slug(name: str) -> str:
    if not re.fullmatch(_SLUG, name):
        raise ValueError(f"{name!r} cannot be a symbol: use letters, digits, hyphens and underscores")
    return name


def _replace(value: object, ids: Mapping[str, str]) -> object:
    if isinstance(value, str):
        found = _PLACE.match(value)
        if found is None or found.group(2) not in ids:
            return value
        return value[: found.start(2)] + ids[found.group(2)] + value[found.end(2) :]
    if isinstance(value, Mapping):
        return {key: _replace(item, ids) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_replace(item, ids) for item in value]
    return value


def _symbol_in(text: str) -> str | None:
    found = _PLACE.match(text)
    return found.group(2) if found else None


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
