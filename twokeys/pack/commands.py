"""`twokeys policies`: the pack for a project of one's own."""

from __future__ import annotations

from pathlib import Path

import click


@click.group()
def policies() -> None:
    """The policy pack for a Pulumi project of your own, in any language."""


@policies.command("init")
@click.argument("directory", type=click.Path(path_type=Path))
def init_command(directory: Path) -> None:
    """Write a policy pack into DIRECTORY: `pulumi preview --policy-pack DIRECTORY` then uses it.

    It runs in the Python environment that this command runs in.
    """
    from twokeys.pack.folder import write_pack

    for file in write_pack(directory):
        click.echo(f"wrote {file}")
    click.echo(f"next: pulumi preview --policy-pack {directory}")
