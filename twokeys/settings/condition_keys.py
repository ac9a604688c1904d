"""Condition keys that AWS knows for every request. Pure.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html (those of sts)
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from typing import Any

from twokeys.errors import nearest

_PAGE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html"
_STS_PAGE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html"

_KNOWN: Mapping[str, list[str]] = json.loads(files("twokeys.settings").joinpath("aws_lists.json").read_text("utf-8"))[
    "conditionKeys"
]
"""The keys by namespace; one that ends in a slash is followed by a name of one's own."""


def condition_problems(conditions: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Keys that AWS does not have, which could never match, as (why, next step).

    Only keys of `aws:` and `sts:` are looked up: those of services and of identity providers are many and grow.
    """
    for keys in conditions.values():
        for key in keys:
            namespace, _, name = key.partition(":")
            known = _KNOWN.get(namespace.casefold())
            if known is not None and not _is_known(name, known):
                page = _STS_PAGE if namespace.casefold() == "sts" else _PAGE
                yield f"{key} is no condition key of AWS ({page})", _nearest(namespace, name, known)


def _is_known(name: str, known: Sequence[str]) -> bool:
    low = name.casefold()
    return any(
        low.startswith(each.casefold()) and len(low) > len(each) if each.endswith("/") else low == each.casefold()
        for each in known
    )


def _nearest(namespace: str, name: str, known: Sequence[str]) -> str:
    close = nearest(name, known)
    return f"write {namespace}:{close}, if that is meant" if close else "correct the key"
