"""Turns what the engine shows a policy into a snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pulumi_policy import PolicyResource, ResourceValidationArgs
from pulumi_policy.proxy import (
    UNKNOWN_ARCHIVE_VALUE,
    UNKNOWN_ARRAY_VALUE,
    UNKNOWN_ASSET_VALUE,
    UNKNOWN_BOOLEAN_VALUE,
    UNKNOWN_NUMBER_VALUE,
    UNKNOWN_OBJECT_VALUE,
    UNKNOWN_STRING_VALUE,
)

from twokeys.access.snapshot import Resource, Snapshot
from twokeys.iam import UNKNOWN

_UNKNOWNS = frozenset(
    {
        UNKNOWN_ARCHIVE_VALUE,
        UNKNOWN_ARRAY_VALUE,
        UNKNOWN_ASSET_VALUE,
        UNKNOWN_BOOLEAN_VALUE,
        UNKNOWN_NUMBER_VALUE,
        UNKNOWN_OBJECT_VALUE,
        UNKNOWN_STRING_VALUE,
    }
)


class Inputs:
    """What the program asked for, resource by resource, kept until the engine shows the whole stack."""

    def __init__(self) -> None:
        self._by_urn: dict[str, Mapping[str, object]] = {}

    def record(self, args: ResourceValidationArgs) -> None:
        """Keep the inputs of one resource; called in the resource phase."""
        self._by_urn[args.urn] = properties(args.props)

    def snapshot(self, resources: Iterable[PolicyResource]) -> Snapshot:
        """The stack as the engine shows it, completed by the inputs where it shows nothing."""
        return Snapshot(tuple(self._resource(found) for found in resources))

    def _resource(self, found: PolicyResource) -> Resource:
        return Resource(
            urn=found.urn,
            type=found.resource_type,
            name=found.name,
            inputs=self._by_urn.get(found.urn),
            outputs=properties(found.props),
            provider=found.provider.urn if found.provider else None,
            parent=found.parent.urn if found.parent else None,
            dependencies=tuple(one.urn for one in found.dependencies),
            property_dependencies={
                key: tuple(one.urn for one in behind) for key, behind in found.property_dependencies.items()
            },
            protect=found.opts.protect,
        )


def properties(props: Mapping[str, object]) -> dict[str, object]:
    """A policy's view of properties as plain data, with UNKNOWN where the engine does not know a value yet.

    Reading an unknown through that view raises; its own way to what lies beneath does not.
    """
    return {str(key): plain(value) for key, value in _beneath(props).items()}


def plain(value: object) -> object:
    """One value of a policy's view, unwrapped; assets and archives stay what they are."""
    if isinstance(value, str):
        return UNKNOWN if value in _UNKNOWNS else value
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in _beneath(value).items()}
    if isinstance(value, Sequence):
        return [plain(item) for item in _beneath(value)]
    return value


def _beneath(value: Any) -> Any:  # noqa: ANN401 - whatever the SDK wraps
    """What the SDK's checking views wrap; it unwraps them by this same key when it sends them on."""
    return value if isinstance(value, dict | list | tuple) else value["__target"]
