"""The state that a preview starts from, where the pack can get at it: the engine does not show it to a policy."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlparse

from twokeys.access.snapshot import Snapshot
from twokeys.access.state import parse_state, read_state

_PROJECT = Path(__file__).resolve().parent.parent


def state_before(stack_urn: str, named: str | None) -> Snapshot | None:
    """The state of the stack before the operation; None where there is none, or where the pack cannot reach it.

    Looked for, in this order: the file that the policy's configuration names, the sandbox's own state, the stack's file
    in a backend on this machine (`file://`). A named file that is no state raises Refusal.
    """
    if named is not None:
        return read_state(Path(named), may_be_empty=True)
    scope, project = stack_urn.split("::")[:2]
    stack = scope.removeprefix("urn:pulumi:")
    for file in (_PROJECT / ".twokeys" / "stacks" / f"{stack}.json", *_in_backend(project, stack)):
        if file.is_file():
            return parse_state(file.read_text(encoding="utf-8"), origin=str(file))
    return None


def _in_backend(project: str, stack: str) -> list[Path]:
    backend = urlparse(os.environ.get("PULUMI_BACKEND_URL", ""))
    if backend.scheme != "file":
        return []
    root = Path((backend.netloc + backend.path).replace("~", str(Path.home()), 1)) / ".pulumi" / "stacks"
    return [root / project / f"{stack}.json", root / f"{stack}.json"]
