"""`twokeys map`: pictures of the organization and its doors."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from twokeys.answers.options import sources

if TYPE_CHECKING:
    from twokeys.access.reading.snapshot import Snapshot
    from twokeys.map.model import Map

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(name="map")
@sources
@click.option("--svg", type=_FILE, help="Where to write the picture.")
@click.option("--html", type=_FILE, help="Where to write the page.")
@click.option("--json", "as_json", is_flag=True, help="Print the answers as JSON instead of a summary.")
def map_(*, shown: Callable[[], Snapshot], svg: Path | None, html: Path | None, as_json: bool) -> None:
    """Draw who can enter which account: a picture, and a page to search and filter it that works offline.

    Give all stacks of an organization, so that both keys of each door are seen. A door that lacks a key is drawn, not
    refused: `twokeys access check` is what refuses. Without --svg, --html and --json, map.svg and map.html are written.
    """
    from twokeys.access.graph import build
    from twokeys.answers.data import as_data
    from twokeys.answers.reading import read
    from twokeys.files import write_output
    from twokeys.map.drawing import draw
    from twokeys.map.model import Map
    from twokeys.map.page import page

    answers = read(build(shown()))
    now = datetime.now(UTC)
    whole = Map(answers, now)
    if svg is None and html is None and not as_json:
        svg, html = Path("map.svg"), Path("map.html")
    if svg is not None:
        write_output(svg, draw(whole))
    if html is not None:
        write_output(html, page(whole))
    if as_json:
        click.echo(json.dumps(as_data(answers, now), indent=2))
    else:
        _summary(whole, [path for path in (svg, html) if path is not None])


def _summary(whole: Map, written: list[Path]) -> None:
    from rich.console import Console

    from twokeys.answers.model import State
    from twokeys.answers.summary import IN_SHORT, not_shown, scope, summary
    from twokeys.shown import counted, say

    answers = whole.answers
    shut = [door for door in whole.doors if door.state is State.SHUT]
    unproved = [door for door in whole.doors if door.state is State.UNPROVED]
    within = f"{len(answers.within)} within an account, " if answers.within else ""
    console = Console()
    say(
        console,
        f"{answers.name}: {counted(len(answers.accounts), 'account')}, "
        f"{summary(answers, whole.now).ways_in}, {within}{counted(len(shut), 'door')} without a key or denied, "
        f"{len(answers.not_proved)} not proved",
    )
    for door in (*shut, *unproved):
        source, target = (
            f"{who.label} of {whole.accounts[who.account].name}" for who in (door.source.who, door.target.who)
        )
        say(console, f"  {source} -> {target}: {whole.lacks(door)}")
    for message in whole.unproved:
        say(console, f"  not on the map, as nobody knows whose door it is: {message}")
    for line in (not_shown(answers), scope(answers), IN_SHORT):
        if line:
            say(console, f"{line}.")
    for path in written:
        click.echo(f"Wrote {path}")
