"""Nested properties: `camelCase` in a program, `PascalCase` in most APIs, which write some names in their own way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


# Property values have no type, and neither have boto3's.
def to_api(value: Any, names: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401
    """The value with the API's names; `names` has those that do more than begin with a capital. None is left out."""
    names = names or {}
    if isinstance(value, dict):
        return {
            names.get(key) or f"{key[0].upper()}{key[1:]}": to_api(inner, names)
            for key, inner in value.items()
            if inner is not None
        }
    return [to_api(item, names) for item in value] if isinstance(value, list) else value


def from_api(value: Any, names: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401
    """The reverse of `to_api`, with the same `names`."""
    return _from_api(value, {theirs: ours for ours, theirs in (names or {}).items()})


def _from_api(value: Any, names: Mapping[str, str]) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return {
            names.get(key) or f"{key[0].lower()}{key[1:]}": _from_api(inner, names)
            for key, inner in value.items()
            if inner is not None
        }
    return [_from_api(item, names) for item in value] if isinstance(value, list) else value
