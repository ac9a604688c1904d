"""Every type that the sandbox does not really make: kept as declared, with an id, a name and an ARN that are invented.

It has no effect in the local AWS, nothing of it is refused, and a refresh finds what was declared.
"""

from __future__ import annotations

import hashlib
from typing import Final

from twokeys.sandbox.aws.client import Aws
from twokeys.sandbox.aws.resource_type import Created, ResourceType
from twokeys.sandbox.engine.plugin import CheckFailure, Diff
from twokeys.sandbox.engine.values import Properties, has_unknown

_NAMES: Final = ("name", "bucket", "functionName", "clusterIdentifier", "identifier")


class DeclaredType(ResourceType):
    """A resource type of which only the token is known."""

    def check(
        self,
        urn: str,
        olds: Properties,
        news: Properties,
        random_seed: bytes,
    ) -> tuple[Properties, tuple[CheckFailure, ...]]:
        """The inputs as they are, with a name that Pulumi would make where there is none."""
        if any(name in news for name in _NAMES):
            return news, ()
        made = f"{urn.rpartition('::')[2]}-{hashlib.sha256(random_seed).hexdigest()[:7]}"
        return {**news, "name": olds.get("name") or made}, ()

    def diff(self, urn: str, old: Properties, new: Properties, ignore_changes: tuple[str, ...]) -> Diff:  # noqa: ARG002
        """What differs; nothing replaces the object, as nothing is there that could not be changed."""
        ignored = {path.partition(".")[0].partition("[")[0] for path in ignore_changes}
        names = sorted((old.keys() | new.keys()) - ignored)
        return Diff(tuple(name for name in names if old.get(name) != new.get(name) or has_unknown(new.get(name))))

    def preview(self, inputs: Properties, old_outputs: Properties | None) -> Properties:
        """What is declared; to the SDK every output that is missing in a preview is unknown."""
        return {**(old_outputs or {}), **inputs}


def declared(token: str) -> ResourceType:
    """The type of a token ("aws:rds/instance:Instance") that the catalogue does not have."""
    return DeclaredType(
        token, frozenset(), lambda aws, inputs: _made(token, aws, inputs), _known, _nothing, lambda *_: None
    )


def _made(token: str, aws: Aws, inputs: Properties) -> Created:
    name = next(str(inputs[one]) for one in _NAMES if one in inputs)
    service = token.split(":")[1].split("/", maxsplit=1)[0]
    invented = {"arn": f"arn:aws:{service}:{aws.region}:{aws.account}:{name}"}
    return Created(name, {key: value for key, value in invented.items() if key not in inputs})


def _known(aws: Aws, identifier: str, known: Properties) -> Properties | None:  # noqa: ARG001 - as every type's
    """What was declared. Nothing is there to be looked up, so nothing can be imported."""
    return known or None


def _nothing(aws: Aws, identifier: str, inputs: Properties) -> None:  # noqa: ARG001 - as every type's
    return None
