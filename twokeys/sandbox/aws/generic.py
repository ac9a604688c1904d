"""Every type that is not of IAM, STS or Organizations: kept as it was declared, with ids and ARNs that look like AWS's.

Nothing of it is in the local AWS: it has no effect there, and there is no drift. What is computed of it is made up.
"""

from __future__ import annotations

import re
import uuid
from functools import cache
from typing import Any, Final

from twokeys.sandbox.aws.client import Aws
from twokeys.sandbox.aws.resource_type import AutoName, Properties, ResourceType
from twokeys.sandbox.aws.schema import schema

_NAMES: Final = ("name", "bucket")
"""Inputs that the provider makes up where a program leaves them out."""
_BARE: Final = ("s3", "sns", "sqs")
"""Services whose ARNs have no kind before the name: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html."""


@cache
def generic(token: str) -> ResourceType:
    """The type of this token."""
    known = schema(token)
    named = next((name for name in _NAMES if name in known.inputs), None)
    return ResourceType(
        type=token,
        computed=frozenset(known.computed) | {"arn"},
        auto_name=AutoName(named, 63) if named else None,
        taggable="tagsAll" in known.computed,
        create=lambda aws, inputs: _made(aws, token, inputs),
        read=lambda _aws, _id, declared: dict(declared) or None,
        update=lambda _aws, _id, _old, _new: None,
        delete=lambda _aws, _id, _inputs: None,
    )


def _made(aws: Aws, token: str, inputs: Properties) -> tuple[str, Properties]:
    service, _, rest = token.partition(":")[2].partition("/")
    kind = re.sub(r"(?<!^)(?=[A-Z])", "-", rest.rpartition(":")[2]).lower()
    named = next((str(inputs[name]) for name in _NAMES if inputs.get(name)), None)
    identifier = named or f"{kind}-{uuid.uuid4().hex[:17]}"
    region = str(inputs.get("region") or aws.region)
    place = "::" if service == "s3" else f"{region}:{aws.account}:"
    arn = f"arn:aws:{service}:{place}{identifier if service in _BARE else f'{kind}/{identifier}'}"
    computed = {**schema(token).computed, "arn": "str"}
    return identifier, {
        name: _plausible(name, of, identifier, arn) for name, of in computed.items() if name != "tagsAll"
    }


def _plausible(name: str, kind: str, identifier: str, arn: str) -> Any:  # noqa: ANN401 - as the property has it
    if kind != "str":
        return {"list": [], "dict": {}, "number": 0}[kind]
    return arn if name == "arn" or name.endswith("Arn") else identifier
