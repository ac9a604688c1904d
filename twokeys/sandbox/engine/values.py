"""Property values: plain Python on our side, Pulumi's protobuf encoding on the wire, and its JSON encoding in a state.

On our side a property value is None, bool, int, float, str, list, dict with str keys, `UNKNOWN`, `Secret`,
`OutputValue` or `ResourceReference`. The signatures that mark the special ones on the wire are Pulumi's
(https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/sig/sig.go). Assets and archives are refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from google.protobuf import struct_pb2

# What a property may hold has no type of its own: the shapes are those of the docstring above.
PropertyValue = Any
Properties = dict[str, PropertyValue]

_SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
_SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - the mark of a secret, not one
_OUTPUT: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
_REFERENCE: Final = "5cf8f73096256a8f31e491e813e4eb8e"
_REFUSED: Final = {
    "c44067f5952c0a294b673a41bacd8c17": "an asset",
    "0def7320c3a5731c473e5ecbe6d01bc7": "an archive",
}
_UNKNOWN: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


class UnsupportedValueError(ValueError):
    """A property value that this engine does not carry; the message names its kind."""


class Unknown(Enum):
    """The type of `UNKNOWN`: a value that nobody can know before the update."""

    UNKNOWN = "unknown"

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown.UNKNOWN


@dataclass(frozen=True)
class Secret:
    """A value that must not be shown; `value` is the plain one."""

    value: PropertyValue

    def __repr__(self) -> str:
        return "Secret(...)"


@dataclass(frozen=True)
class OutputValue:
    """A value with the URNs it hangs on, as invokes and remote components send it; UNKNOWN when it is not known."""

    value: PropertyValue
    secret: bool = False
    dependencies: tuple[str, ...] = ()


@dataclass(frozen=True)
class ResourceReference:
    """A resource as a value; `id` is None for a component, "" or UNKNOWN where the id is not known yet."""

    urn: str
    id: PropertyValue = None
    package_version: str = ""


SPECIAL: Final = (Secret, OutputValue, ResourceReference)


def from_struct(struct: struct_pb2.Struct) -> Properties:
    """The properties in a protobuf struct. Keys that hold null are left out, as the engine leaves them out.

    Raises:
        UnsupportedValueError: an asset or an archive is in it.
    """
    decoded = {key: from_value(value) for key, value in struct.fields.items()}
    return {key: value for key, value in decoded.items() if value is not None}


def from_value(value: struct_pb2.Value) -> PropertyValue:
    """One protobuf value as Python; whole numbers become int, as they are written in a state."""
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return _from_object({key: from_value(inner) for key, inner in value.struct_value.fields.items()})
    if kind == "list_value":
        return [from_value(inner) for inner in value.list_value.values]
    if kind == "string_value":
        return UNKNOWN if value.string_value == _UNKNOWN else value.string_value
    if kind == "number_value":
        return int(value.number_value) if value.number_value.is_integer() else value.number_value
    if kind == "bool_value":
        return value.bool_value
    return None


def _from_object(fields: Properties) -> PropertyValue:
    signature = fields.get(_SIGNATURE)
    if signature is None:
        return {key: value for key, value in fields.items() if value is not None}
    if signature == _SECRET:
        return Secret(fields.get("value"))
    if signature == _OUTPUT:
        return OutputValue(
            fields.get("value", UNKNOWN), bool(fields.get("secret")), tuple(fields.get("dependencies") or ())
        )
    if signature == _REFERENCE:
        return ResourceReference(fields["urn"], fields.get("id"), fields.get("packageVersion") or "")
    raise UnsupportedValueError(
        f"the sandbox does not carry {_REFUSED.get(str(signature), f'values marked {signature}')}"
    )


def to_struct(
    properties: Mapping[str, PropertyValue], *, secrets: bool = True, references: bool = True
) -> struct_pb2.Struct:
    """Properties as a protobuf struct.

    Args:
        properties: what to encode.
        secrets: False sends the plain value instead, for a peer that does not accept secrets.
        references: False sends a resource reference as its id, or its URN for a component, for the same reason.
    """
    struct = struct_pb2.Struct()
    for key, value in properties.items():
        struct.fields[key].CopyFrom(to_value(value, secrets=secrets, references=references))
    return struct


def to_value(value: PropertyValue, *, secrets: bool = True, references: bool = True) -> struct_pb2.Value:
    """One Python value as protobuf; see `to_struct` for the switches."""
    if value is None:
        return struct_pb2.Value(null_value=struct_pb2.NULL_VALUE)
    if value is UNKNOWN:
        return struct_pb2.Value(string_value=_UNKNOWN)
    if isinstance(value, bool):
        return struct_pb2.Value(bool_value=value)
    if isinstance(value, int | float):
        return struct_pb2.Value(number_value=value)
    if isinstance(value, str):
        return struct_pb2.Value(string_value=value)
    if isinstance(value, list | tuple):
        inner = [to_value(item, secrets=secrets, references=references) for item in value]
        return struct_pb2.Value(list_value=struct_pb2.ListValue(values=inner))
    if isinstance(value, Mapping):
        return struct_pb2.Value(struct_value=to_struct(value, secrets=secrets, references=references))
    if isinstance(value, Secret):
        if not secrets:
            return to_value(value.value, secrets=secrets, references=references)
        return _marked(_SECRET, {"value": value.value}, references=references)
    if isinstance(value, OutputValue):
        return to_value(Secret(value.value) if value.secret else value.value, secrets=secrets, references=references)
    if isinstance(value, ResourceReference):
        return _marked(_REFERENCE, _reference_fields(value)) if references else to_value(plain(value))
    raise UnsupportedValueError(f"the sandbox does not carry values of type {type(value).__name__}")


def _marked(signature: str, fields: Mapping[str, PropertyValue], *, references: bool = True) -> struct_pb2.Value:
    return struct_pb2.Value(struct_value=to_struct({_SIGNATURE: signature, **fields}, references=references))


def _reference_fields(reference: ResourceReference) -> Properties:
    fields: Properties = {"urn": reference.urn}
    if reference.id is not None:
        fields["id"] = "" if reference.id is UNKNOWN else reference.id
    if reference.package_version:
        fields["packageVersion"] = reference.package_version
    return fields


def to_state(value: PropertyValue) -> PropertyValue:
    """A value as JSON-ready data in the encoding of a state (`pulumi stack export --show-secrets`)."""
    if value is UNKNOWN:
        return _UNKNOWN
    if isinstance(value, Secret):
        return {_SIGNATURE: _SECRET, "plaintext": json.dumps(to_state(value.value), separators=(",", ":"))}
    if isinstance(value, OutputValue):
        return to_state(Secret(value.value) if value.secret else value.value)
    if isinstance(value, ResourceReference):
        return {_SIGNATURE: _REFERENCE, **_reference_fields(value)}
    if isinstance(value, Mapping):
        return {key: to_state(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [to_state(inner) for inner in value]
    return value


def from_state(value: PropertyValue) -> PropertyValue:
    """The reverse of `to_state`.

    Raises:
        UnsupportedValueError: a secret that is encrypted (only an export with plain secrets can be read), or an asset.
    """
    if value == _UNKNOWN:
        return UNKNOWN
    if isinstance(value, list):
        return [from_state(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    signature = value.get(_SIGNATURE)
    if signature is None:
        return {key: from_state(inner) for key, inner in value.items()}
    if signature == _SECRET and "plaintext" not in value:
        raise UnsupportedValueError("the state holds an encrypted secret; export it with plain secrets")
    if signature == _SECRET:
        return Secret(from_state(json.loads(value["plaintext"])))
    return _from_object({key: from_state(inner) for key, inner in value.items()})


def map_special(value: PropertyValue, replace: Callable[[PropertyValue], PropertyValue]) -> PropertyValue:
    """The value with `replace` applied to every Secret, OutputValue and ResourceReference, outermost first."""
    if isinstance(value, SPECIAL):
        replaced = replace(value)
        return replaced if isinstance(replaced, SPECIAL) else map_special(replaced, replace)
    if isinstance(value, Mapping):
        return {key: map_special(inner, replace) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [map_special(inner, replace) for inner in value]
    return value


def plain(value: PropertyValue) -> PropertyValue:
    """The value without marks: secrets and outputs unwrapped, a reference as its id (its URN for a component)."""

    def unwrapped(special: PropertyValue) -> PropertyValue:
        if isinstance(special, ResourceReference):
            return special.urn if special.id is None else special.id or UNKNOWN
        return special.value

    return map_special(value, unwrapped)


def has_unknown(value: PropertyValue) -> bool:
    """Whether anything in the value is not known."""
    return any(inner is UNKNOWN for inner in _leaves(plain(value)))


def has_secret(value: PropertyValue) -> bool:
    """Whether anything in the value is a secret."""
    found = False

    def note(special: PropertyValue) -> PropertyValue:
        nonlocal found
        found = found or isinstance(special, Secret) or (isinstance(special, OutputValue) and special.secret)
        return special.urn if isinstance(special, ResourceReference) else special.value

    map_special(value, note)
    return found


def _leaves(value: PropertyValue) -> Iterator[PropertyValue]:
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    else:
        yield value
