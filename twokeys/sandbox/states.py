"""The states of a sandbox: deployments in Pulumi's format, which every answer reads as it reads the CLI's.

https://www.pulumi.com/docs/iac/concepts/state-and-backends/ (deployment version 3).
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from twokeys.access.reading.snapshot import STACK
from twokeys.access.reading.state import read_state
from twokeys.access.reading.wire import SECRET, SIGNATURE
from twokeys.files import make_folder, read_text, replace_text
from twokeys.preview.run import Made, Run
from twokeys.preview.values import unsecret


def write_state(path: Path, run: Run, made_with: Mapping[str, Any]) -> None:
    """Write what a run made, for nobody but its owner to read; a reader sees all of it or nothing.

    `made_with` is what it was made with beside its file, as `beside_file` reads it.

    Raises Refusal when the folder cannot be written.
    """
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    deployment = {
        "manifest": {"time": now, "magic": "", "version": f"twokeys-{version('twokeys')}"},
        "resources": [_resource(one, now) for one in run.made],
        "metadata": made_with,
    }
    make_folder(path.parent)
    replace_text(path, read_text(path), json.dumps({"version": 3, "deployment": deployment}, indent=1))


def beside_file(path: Path) -> dict[str, Any]:
    """What a stack was made with beside its file."""
    return dict(json.loads(read_text(path) or "{}").get("deployment", {}).get("metadata", {}))


def stack_outputs(path: Path) -> dict[str, Any] | None:
    """The outputs of the stack in a state file; None where there is none.

    Raises Refusal when the file is no state.
    """
    if not path.exists():
        return None
    return next((dict(one.outputs) for one in read_state(path).resources if one.type == STACK), {})


def _resource(made: Made, now: str) -> dict[str, Any]:
    """Empty fields are left out, as Pulumi leaves them out."""
    asked = made.asked
    fields = {
        "urn": asked.urn,
        "custom": asked.custom,
        "id": made.id,
        "type": asked.type,
        "inputs": _kept(asked.inputs),
        "outputs": _kept(made.outputs),
        "parent": asked.parent,
        "protect": asked.protect,
        "external": asked.external,
        "dependencies": list(asked.dependencies),
        "provider": asked.provider,
        "propertyDependencies": {key: list(urns) for key, urns in asked.property_dependencies.items()},
        "additionalSecretOutputs": list(asked.secret_outputs),
        "importID": asked.import_id,
        "retainOnDelete": asked.retain_on_delete,
        "created": now if asked.custom else "",
        "modified": now if asked.custom else "",
    }
    return {key: value for key, value in fields.items() if value or key == "custom"}


def _kept(value: Any) -> Any:  # noqa: ANN401 - JSON
    """As a state keeps values: a secret's text under its own mark, whole numbers as such."""
    if isinstance(value, Mapping):
        if value.get(SIGNATURE) == SECRET:
            return {SIGNATURE: SECRET, "plaintext": json.dumps(unsecret(value["value"]))}
        return value if SIGNATURE in value else {key: _kept(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_kept(item) for item in value]
    return unsecret(value)
