"""Symbols: what stands in a declared document for the id of an account or organization that does not exist yet.

The id of an account that does not exist yet is unknown, and so is every JSON document that names it. A component
therefore also declares the structure its JSON is made from, with the symbol `account:<name>` where an id will stand;
the id of an organization that the stack makes has the symbol `organization:<name>`. `render` makes the real JSON from
the same structure, so the declared and the real document cannot drift.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from twokeys.iam.leaves import mapped, texts

SYMBOL_PREFIX = "account:"
_ORGANIZATION_PREFIX = "organization:"
_SLUG = r"[A-Za-z0-9_-]+"
# A symbol stands alone or in the account field of an ARN, and nowhere else: other text that looks like one is text.
_PLACE = re.compile(rf"^(arn:[^:]*:[^:]*:[^:]*:)?((?:{SYMBOL_PREFIX}|{_ORGANIZATION_PREFIX}){_SLUG})(?(1)(?=:)|$)")
ACCOUNT = rf"^(\d{{12}}|{SYMBOL_PREFIX}{_SLUG})$"
"""What names an account: its 12-digit id, or its symbol."""

Json = TypeVar("Json")


class UnresolvedSymbolError(ValueError):
    """A document still names an account or organization by its symbol where its id has to stand."""


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


def resolve(value: Json, ids: Mapping[str, str]) -> Json:
    """A copy of a JSON value with each symbol that `ids` knows replaced by its id; others stay.

    `ids` maps symbols ("account:stage", "organization:organization") to ids. Keys of objects are left alone: AWS puts
    no account there.
    """
    return cast("Json", mapped(lambda one: _replace(one, ids), value))


def symbols(value: object) -> frozenset[str]:
    """The symbols that stand in a JSON value."""
    return frozenset(found.group(2) for text in texts(value) if (found := _PLACE.match(text)))


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


def _replace(text: object, ids: Mapping[str, str]) -> object:
    found = _PLACE.match(text) if isinstance(text, str) else None
    if found is None or found.group(2) not in ids:
        return text
    return found.string[: found.start(2)] + ids[found.group(2)] + found.string[found.end(2) :]
