"""How Pulumi writes what JSON cannot say: secrets, outputs, and values that are not known yet.

https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/properties.go
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from twokeys.iam import UNKNOWN

SIGNATURE = "4dabf18193072939515e22adb298388d"
"""The key of an object that is no object but one of the following."""
SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - marks a secret, is none
OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
UNKNOWNS = frozenset(
    {
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)
"""The texts that stand for a value that is not known yet: one for each kind of value."""


def properties(values: Mapping[str, Any]) -> dict[str, object]:
    """Properties as plain data, secrets in the clear where they are shown, and UNKNOWN for what is not told."""
    return {key: _plain(value) for key, value in values.items()}


def secrets(properties: Iterable[tuple[str, Any]]) -> frozenset[str]:
    """The names of the properties that are, or hold, a secret."""
    return frozenset(key for key, value in properties if holds_secret(value))


def _plain(value: Any) -> object:  # noqa: ANN401 - JSON
    """A state has a secret as JSON text or encrypted, a message of the engine as a value, and numbers as doubles."""
    if isinstance(value, str):
        return UNKNOWN if value in UNKNOWNS else value
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        if value.get(SIGNATURE) in (SECRET, OUTPUT):
            shown = json.loads(value["plaintext"]) if "plaintext" in value else value.get("value", UNKNOWN)
            return _plain(shown)
        return {key: _plain(item) for key, item in value.items()}
    return int(value) if isinstance(value, float) and value.is_integer() else value


def holds_secret(value: Any) -> bool:  # noqa: ANN401 - JSON
    """Whether a value is, or holds, a secret."""
    if isinstance(value, list):
        return any(map(holds_secret, value))
    if not isinstance(value, Mapping):
        return False
    signature = value.get(SIGNATURE)
    marked = signature == SECRET or (signature == OUTPUT and bool(value.get("secret")))
    return marked or any(map(holds_secret, value.values()))
