"""Tags: a mapping in a program, a list of pairs in the APIs, the provider's default tags merged in."""

from __future__ import annotations

from collections.abc import Mapping

from twokeys.sandbox.aws.client import Aws
from twokeys.sandbox.aws.resource_type import Properties


def all_tags(aws: Aws, inputs: Properties) -> dict[str, str]:
    """The provider's default tags with the object's own, which win."""
    return {**aws.default_tags, **(inputs.get("tags") or {})}


def as_pairs(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """`[{"Key": ..., "Value": ...}]`, as IAM and Organizations want them."""
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def from_pairs(pairs: list[dict[str, str]] | None) -> dict[str, str]:
    """The reverse of `as_pairs`."""
    return {pair["Key"]: pair["Value"] for pair in pairs or ()}


def changes(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[list[dict[str, str]], list[str]]:
    """(pairs to set, keys to remove) that lead from the old tags to the new."""
    return as_pairs({key: value for key, value in new.items() if old.get(key) != value}), sorted(
        old.keys() - new.keys()
    )
