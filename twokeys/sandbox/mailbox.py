"""`twokeys sandbox mailbox`: the e-mail that AWS would have sent."""

from __future__ import annotations

import json
from pathlib import Path

import click

from twokeys.options import FOLDER, PROJECT

_FILE = Path("aws", "mailbox.jsonl")
DIRECTORY = click.option(
    "--state",
    "directory",
    type=FOLDER,
    help="Where states and the local AWS are kept. Default: .twokeys in the project.",
)
"""The folder of a sandbox."""


@click.command()
@click.argument("address", required=False)
@PROJECT
@DIRECTORY
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def mailbox(address: str | None, project: Path, directory: Path | None, as_json: bool) -> int:
    """Show the e-mail that the local AWS sent, oldest first: to ADDRESS, or to everybody.

    AWS mails a code to the new address of an account (`twokeys account email`); nothing leaves this machine.
    """
    file = (directory or project / ".twokeys") / _FILE
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    mails = [mail for line in lines if (mail := json.loads(line)) and address in (None, mail["to"])]
    if as_json:
        click.echo(json.dumps(mails, indent=2))
        return 0
    for mail in mails:
        click.echo(f"to {mail['to']}: {mail['subject']}\n  {mail['text']}")
    if not mails:
        click.echo("no mail", err=True)
    return 0
