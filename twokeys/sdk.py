"""Less of the SDK for a process that the CLI starts at every command: importing `pulumi` is most of its start."""

import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType


def leave_out_the_sdk() -> None:
    """Let `pulumi.runtime.proto` be imported without `pulumi`, in a process that needs nothing else of it.

    Where `pulumi` is imported already, as by the vendor's runner of policy packs, nothing is left to be saved.
    """
    spec = None if "pulumi" in sys.modules else find_spec("pulumi")
    if spec is None or not spec.submodule_search_locations:
        return
    folder = Path(spec.submodule_search_locations[0])
    for name in ("pulumi", "pulumi.runtime", "pulumi.runtime.proto"):
        package = ModuleType(name)
        package.__path__ = [str(folder.joinpath(*name.split(".")[1:]))]
        sys.modules[name] = package


def leave_out_automation() -> None:
    """Let `pulumi` be imported without what drives the CLI and makes providers out of Python: a third of its import."""
    for name in ("pulumi.automation", "pulumi.dynamic"):
        sys.modules[name] = ModuleType(name)
