"""A snapshot from a state: what `pulumi stack export` prints, a deployment file, or a checkpoint of a local backend.

Format: https://www.pulumi.com/docs/iac/concepts/state-and-backends/ (deployment version 3).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from twokeys.access.snapshot import Resource, Snapshot
from twokeys.errors import Refusal
from twokeys.iam import UNKNOWN

_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - marks a secret in a state, is none
_OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
_UNKNOWNS = frozenset(
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


def read_state(path: Path) -> Snapshot:
    """The snapshot of a state file.

    Raises Refusal when the file cannot be read or is no state.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Refusal(
            "the state cannot be read",
            where=str(path),
            why=str(error),
            next_step="name a file that `pulumi stack export --file FILE` wrote",
        ) from error
    return parse_state(text, origin=str(path))


def parse_state(text: str, origin: str = "this state") -> Snapshot:
    """The snapshot of a state given as JSON text.

    Resources that wait to be deleted are left out. Secrets are UNKNOWN unless the state shows them in plain text
    (`--show-secrets`). Raises Refusal when the text is no state.
    """
    try:
        document = json.loads(text)
        deployment = document.get("deployment") or document["checkpoint"]["latest"]
        resources = deployment.get("resources") or []
        return Snapshot(tuple(_resources(resources)), origin)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refusal(
            "this is no state",
            where=origin,
            why=f"a deployment of version 3 with resources is needed ({type(error).__name__}: {error})",
            next_step="export the state again with `pulumi stack export --file FILE`",
        ) from error


def _resources(resources: Iterable[Mapping[str, Any]]) -> Iterable[Resource]:
    for found in resources:
        if found.get("delete"):
            continue
        urn: str = found["urn"]
        provider = found.get("provider") or ""
        yield Resource(
            urn=urn,
            type=found["type"],
            name=urn.rpartition("::")[2],
            inputs=properties(found.get("inputs") or {}),
            outputs=properties(found.get("outputs") or {}),
            provider=provider.rpartition("::")[0] or None,
            parent=found.get("parent") or None,
            dependencies=tuple(found.get("dependencies") or ()),
            property_dependencies={
                key: tuple(urns) for key, urns in (found.get("propertyDependencies") or {}).items() if urns
            },
            protect=bool(found.get("protect")),
            source=_place(found.get("sourcePosition")),
            created=found.get("created") or None,
            modified=found.get("modified") or None,
        )


def properties(values: Mapping[str, Any]) -> dict[str, object]:
    """Properties as a state holds them, as plain data with UNKNOWN for what it does not tell."""
    return {key: _plain(value) for key, value in values.items()}


def _plain(value: Any) -> object:  # noqa: ANN401 - JSON
    if isinstance(value, str):
        return UNKNOWN if value in _UNKNOWNS else value
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        signature = value.get(_SIGNATURE)
        if signature == _SECRET:
            return _plain(json.loads(value["plaintext"])) if "plaintext" in value else UNKNOWN
        if signature == _OUTPUT:
            return _plain(value["value"]) if "value" in value else UNKNOWN
        return {key: _plain(item) for key, item in value.items()}
    return value


def _place(position: str | None) -> str | None:
    """`project:///__main__.py#12,3` as `__main__.py:12`."""
    if not position:
        return None
    file, _, line = position.partition("#")
    return f"{file.removeprefix('project:///')}:{line.partition(',')[0]}" if line else file
