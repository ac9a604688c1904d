"""What a resource type of the AWS provider has, as the Python SDK declares it."""

import builtins
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
    """The inputs, and the outputs that no program can set, with their kinds: "str", "list", "dict", "number"."""

    inputs: Mapping[str, str] = field(default_factory=dict)
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
            resource = getattr(module, name)
            # Where a property's type has the name already (`s3.BucketVersioningArgs`), the SDK says InitArgs.
            arguments = getattr(module, f"{name}InitArgs", None) or getattr(module, f"{name}Args")
    except (ImportError, AttributeError):
        return Schema()
    inputs = frozenset(_types.input_type_py_to_pulumi_names(arguments).values())
    kinds = {key: _kind(type) for key, type in _types.resource_types(resource).items()}
    return Schema(
        {key: kind for key, kind in kinds.items() if key in inputs},
        {key: kind for key, kind in kinds.items() if key not in inputs},
    )


def _kind(type: Any) -> str:  # noqa: ANN401 - whatever an annotation may be
    if type in (bool, int, float):
        return "number"
    if type is str:
        return "str"
    origin = get_origin(type)
    listed = isinstance(origin, builtins.type) and issubclass(origin, list | tuple)
    return "list" if listed or "Sequence" in str(type) else "dict"
