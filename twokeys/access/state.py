"""A snapshot from a state: what `pulumi stack export` prints, a deployment file, or a checkpoint of a local backend.

Format: https://www.pulumi.com/docs/iac/concepts/state-and-backends/ (deployment version 3).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from twokeys.access.snapshot import Resource, Snapshot
from twokeys.access.wire import OUTPUT, SECRET, SIGNATURE, UNKNOWNS
from twokeys.errors import Refusal
from twokeys.iam import UNKNOWN

_SANDBOX = Path(".twokeys", "stacks")
_DEMO = Path(".twokeys", "demo", "stacks")


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


def sandbox_states(project: Path, stacks: Sequence[str] = ()) -> list[Path]:
    """The sandbox's state files of the named stacks, or of all; where it has none, those that its demo left.

    Raises Refusal where there is none.
    """
    folder = next((place for place in (project / _SANDBOX, project / _DEMO) if _states_in(place)), project / _SANDBOX)
    there = _states_in(folder)
    for stack in stacks:
        if stack not in there:
            raise Refusal(
                f"there is no state of stack {stack}",
                where=str(folder),
                why=f"it holds {', '.join(there)}" if there else "the sandbox has updated no stack here",
                next_step=f"run `twokeys sandbox up {stack}`, or pass a `pulumi stack export` with `--state FILE`",
            )
    if not there:
        raise Refusal(
            "there is no state to read",
            where=str(folder),
            why="the sandbox has updated no stack here, and no --state was given",
            next_step="run `twokeys sandbox demo`, or pass with `--state FILE` what `pulumi stack export` writes",
        )
    return [there[stack] for stack in stacks] if stacks else list(there.values())


def _states_in(folder: Path) -> dict[str, Path]:
    return {path.stem: path for path in sorted(folder.glob("*.json")) if not path.name.endswith(".holder.json")}


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
        return UNKNOWN if value in UNKNOWNS else value
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        signature = value.get(SIGNATURE)
        if signature == SECRET:
            return _plain(json.loads(value["plaintext"])) if "plaintext" in value else UNKNOWN
        if signature == OUTPUT:
            return _plain(value["value"]) if "value" in value else UNKNOWN
        return {key: _plain(item) for key, item in value.items()}
    return value


def _place(position: str | None) -> str | None:
    """`project:///__main__.py#12,3` as `__main__.py:12`."""
    if not position:
        return None
    file, _, line = position.partition("#")
    return f"{file.removeprefix('project:///')}:{line.partition(',')[0]}" if line else file
