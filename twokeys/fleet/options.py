"""The options that `twokeys fleet`'s commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from twokeys.fleet.backends import Backend

ENGINE = click.option(
    "--engine",
    type=click.Choice(["pulumi", "sandbox"]),
    default="pulumi",
    show_default=True,
    help="The pulumi CLI with your own backend, credentials and AWS; or the sandbox's engine on a local AWS.",
)
STATE = click.option(
    "--state",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the sandbox and the fleet keep things. Default: .twokeys in the project.",
)
JSON = click.option("--json", "as_json_", is_flag=True, help="Print the result as JSON and nothing else.")
ONLY = click.option("--shard", "only", multiple=True, metavar="STACK", help="Only this shard; may be repeated.")
SINCE = click.option("--since", metavar="COMMIT", help="Leave out shards that have not changed since this Git commit.")


def open_backend(engine: str, root: Path, sandbox: Path, faults: Path | None = None) -> Backend:
    """The states of the project in that folder, on that engine."""
    from twokeys.fleet.backends import PulumiBackend, SandboxBackend

    return SandboxBackend(root, sandbox, faults) if engine == "sandbox" else PulumiBackend(root)
