"""The engine's protocol, which the SDK ships, without the SDK: importing `pulumi` is most of a plugin's start."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType


def leave_out_the_sdk() -> None:
    """Let `pulumi.runtime.proto` be imported without `pulumi`, in a process that needs nothing else of it."""
    spec = find_spec("pulumi")
    if spec is None or not spec.submodule_search_locations:
        return
    folder = Path(spec.submodule_search_locations[0])
    for name in ("pulumi", "pulumi.runtime", "pulumi.runtime.proto"):
        package = ModuleType(name)
        package.__path__ = [str(folder.joinpath(*name.split(".")[1:]))]
        sys.modules[name] = package
