"""What IAM's names, paths and documents look like: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from twokeys.sandbox.aws.resource_type import matches
from twokeys.sandbox.engine.values import Properties

_NAME = "letters, digits or characters of +=,.@-_"
ROLE_NAME = matches(r"[\w+=,.@-]{1,64}", f"1 to 64 {_NAME}")
USER_NAME = ROLE_NAME
GROUP_NAME = matches(r"[\w+=,.@-]{1,128}", f"1 to 128 {_NAME}")
POLICY_NAME = GROUP_NAME
PATH = matches(r"/|/[\x21-\x7e]{1,510}/", "a path that begins and ends with /")
ARN = matches(r"arn:[\w-]+:[\w-]+:[\w-]*:(\d{12}|aws)?:.+", "an ARN")


def name_of(inputs: Properties) -> str:
    """The object's name: as given, or made from its prefix."""
    return str(inputs.get("name") or f"{inputs['namePrefix']}{uuid.uuid4().hex[:26]}")


def as_text(document: Any) -> str:  # noqa: ANN401 - boto3 parses policy documents that are JSON
    """A policy document as the provider keeps it: JSON text."""
    return document if isinstance(document, str) else json.dumps(document, separators=(",", ":"))


def set_each(
    old: Iterable[str] | None,
    new: Iterable[str] | None,
    *,
    add: Callable[[str], object],
    remove: Callable[[str], object],
) -> None:
    """Lead a set from old to new: what is new first, so that nobody loses access in between."""
    before, after = set(old or ()), set(new or ())
    for item in sorted(after - before):
        add(item)
    for item in sorted(before - after):
        remove(item)
