"""The state that an operation starts from, where the pack can get at it: the engine does not show it to a policy."""

import gzip
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlparse

import yaml

from twokeys.access.reading.since import NOT_KNOWN
from twokeys.access.reading.snapshot import Snapshot
from twokeys.access.reading.state import parse_state, read_state


def state_before(project: str, stack: str, named: str | None = None) -> Snapshot | None:
    """The state of a stack before the operation; None where there is none, or where the pack cannot reach it.

    Looked for, in this order: the file `named`; the stack's file in a backend on this machine (`file://`). A state of
    another project or stack is passed over, a named one included.

    Raises:
        Refusal: a file that is there is no state.
    """
    if named is not None:
        return _of(project, stack, read_state(Path(named), may_be_empty=True))
    for file in _in_backend(project, stack):
        if file.is_file():
            text = gzip.decompress(file.read_bytes()).decode() if file.suffix == ".gz" else file.read_text("utf-8")
            return _of(project, stack, parse_state(text, origin=str(file)))
    return None


def _of(project: str, stack: str, state: Snapshot) -> Snapshot | None:
    """The state if it is of this project and stack: another one tells nothing of what is there.

    Without its dates: what it is compared with has none.
    """
    prefix = f"urn:pulumi:{stack}::{project}::"
    if not all(resource.urn.startswith(prefix) for resource in state.resources):
        return None
    return replace(state, resources=tuple(replace(one, since=NOT_KNOWN) for one in state.resources))


def _in_backend(project: str, stack: str) -> Iterator[Path]:
    """Where a backend on this machine keeps a stack.

    https://www.pulumi.com/docs/iac/concepts/state-and-backends/#local-filesystem
    """
    backend = urlparse(_backend())
    if backend.scheme != "file":
        return
    root = Path(unquote(backend.netloc + backend.path)).expanduser() / ".pulumi" / "stacks"
    for folder in (root / project, root):
        yield folder / f"{stack}.json"
        yield folder / f"{stack}.json.gz"


def _backend() -> str:
    """The backend as the CLI finds it: the environment, the project's file, the last `pulumi login`."""
    if url := os.environ.get("PULUMI_BACKEND_URL"):
        return url
    return _in_project() or _logged_in_to() or ""


def _in_project() -> str | None:
    """`backend.url` of the Pulumi.yaml that the CLI found from the folder it runs in."""
    for folder in (Path.cwd(), *Path.cwd().parents):
        file = folder / "Pulumi.yaml"
        if file.is_file():
            try:
                settings = yaml.safe_load(file.read_text(encoding="utf-8"))
                return str(settings["backend"]["url"])
            except (OSError, yaml.YAMLError, KeyError, TypeError):
                return None
    return None


def _logged_in_to() -> str | None:
    home = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
    try:
        return str(json.loads((home / "credentials.json").read_text(encoding="utf-8"))["current"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
