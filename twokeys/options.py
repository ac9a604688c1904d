"""Options that commands have in common, said once so that they read the same everywhere."""

from __future__ import annotations

from pathlib import Path

import click

PROJECT = click.option(
    "--project",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="The folder with Pulumi.yaml. Default: this one.",
)
