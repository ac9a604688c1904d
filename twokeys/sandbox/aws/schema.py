"""What a resource type of the AWS provider has, as the Python SDK declares it."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, get_origin

from pulumi import _types

# A module of the SDK that another thread is importing may be handed out half made, without its classes.
_importing = threading.Lock()


@dataclass(frozen=True)
class Schema:
    """Names of inputs, and the outputs that no program can set with their kinds: "str", "list", "dict", "number"."""

    inputs: frozenset[str] = frozenset()
    computed: Mapping[str, str] = field(default_factory=dict)


@cache
def schema(token: str) -> Schema:
    """The schema of a type by its token; empty for a type that this version of the SDK does not have."""
    _, _, rest = token.partition(":")
    path, _, name = rest.partition(":")
    folder = path.partition("/")[0]
    try:
        with _importing:
            module = importlib.import_module("pulumi_aws" if folder == "index" else f"pulumi_aws.{folder}")
            resource, arguments = getattr(module, name), getattr(module, f"{name}Args")
    except (ImportError, AttributeError):
        return Schema()
    inputs = frozenset(_types.input_type_py_to_pulumi_names(arguments).values())
    types = _types.resource_types(resource)
    return Schema(inputs, {key: _kind(type) for key, type in types.items() if key not in inputs})


def _kind(type: Any) -> str:  # noqa: ANN401 - whatever an annotation may be
    if type in (bool, int, float):
        return "number"
    if type is str:
        return "str"
    origin = get_origin(type)
    return "list" if (origin is not None and issubclass(origin, list | tuple)) or "Sequence" in str(type) else "dict"
