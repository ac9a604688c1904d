"""`twokeys audit`: who can enter an account, through what, granted where, since when; and who really did."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from twokeys.access_role import ACCESS_ROLE
from twokeys.audit.model import LEARNING

if TYPE_CHECKING:
    from rich.progress import Progress

    from twokeys.access.snapshot import Snapshot
    from twokeys.audit.comparison import Comparison
    from twokeys.audit.model import Picture
    from twokeys.audit.trail import Trail

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_DAY = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"])


@click.command()
@click.argument("target", required=False)
@click.option("--state", "states", type=_FILE, multiple=True, help="What `pulumi stack export` wrote; may be repeated.")
@click.option("--stack", "stacks", multiple=True, help="A stack of the sandbox; may be repeated. Default: all of them.")
@click.option("--live", is_flag=True, help="Real IAM, read with the AWS credentials of the environment.")
@click.option("--member-role", default=ACCESS_ROLE, show_default=True, help="With --live: the role to read by.")
@click.option(
    "--events",
    "logs",
    type=click.Path(exists=True, path_type=Path),
    multiple=True,
    help="CloudTrail log files, or folders of them, as CloudTrail delivers them; may be repeated.",
)
@click.option("--events-api", is_flag=True, help="CloudTrail's event history (90 days) of the credentials' account.")
@click.option(
    "--region", "regions", multiple=True, help="With --events-api: where to ask. Default: yours and us-east-1."
)
@click.option("--from", "start", type=_DAY, help="Compare events from this day or moment on (UTC).")
@click.option("--until", "end", type=_DAY, help="Compare events up to this day or moment (UTC).")
@click.option("--learning-days", type=click.IntRange(0), default=LEARNING, show_default=True, help="See docs/audit.md.")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Also write the report as an HTML file.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--exit-code", is_flag=True, help="Exit with 1 on an entry without a door or an unusual one.")
def audit(  # noqa: PLR0913 - one parameter an option
    *,
    target: str | None,
    states: tuple[Path, ...],
    stacks: tuple[str, ...],
    live: bool,
    member_role: str,
    logs: tuple[Path, ...],
    events_api: bool,
    regions: tuple[str, ...],
    start: datetime | None,
    end: datetime | None,
    learning_days: int,
    html: Path | None,
    as_json: bool,
    exit_code: bool,
) -> int:
    """Answer who can enter TARGET (an account, an environment or a stack; default: every account).

    Give the states of all stacks of an organization, so that both keys of each door are seen. Changes nothing.
    """
    from rich.console import Console

    from twokeys.access.graph import build
    from twokeys.audit.entries import picture
    from twokeys.audit.page import page
    from twokeys.audit.report import as_data, show
    from twokeys.files import write_output

    if live and (states or stacks):
        raise click.UsageError("--live goes with neither --state nor --stack")
    if logs and events_api:
        raise click.UsageError("take events from --events or from --events-api")
    found = picture(build(_snapshot(states, stacks, live=live, member_role=member_role)), target)
    comparison = None
    if logs or events_api:
        period = (_utc(start), _utc(end))
        trail = _from_files(logs) if logs else _from_api(regions, *period)
        comparison = _compared(found, trail, period, learning_days)
    if html is not None:
        write_output(html, page(found, comparison, f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"))
    if as_json:
        click.echo(json.dumps(as_data(found, comparison), indent=2))
    else:
        show(found, comparison, Console())
        if html is not None:
            click.echo(f"Wrote {html}")
    return 1 if exit_code and comparison is not None and comparison.noteworthy else 0


def _snapshot(states: tuple[Path, ...], stacks: tuple[str, ...], *, live: bool, member_role: str) -> Snapshot:
    from twokeys.access.state import read_states
    from twokeys.project.states import sandbox_states

    if live:
        from twokeys.access.live import read_live

        return read_live(member_role=member_role)
    files = [*states, *(sandbox_states(Path.cwd(), stacks) if stacks or not states else ())]
    return read_states(files)


def _compared(
    found: Picture, trail: Trail, period: tuple[datetime | None, datetime | None], learning_days: int
) -> Comparison:
    from twokeys.audit.comparison import compare

    start, end = period
    return compare(
        found,
        trail.uses(start, end),
        start or trail.start,
        end or trail.end,
        learning_days=learning_days,
        unreadable=trail.unreadable,
    )


def _from_files(paths: Iterable[Path]) -> Trail:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    from twokeys.audit.logs import log_files, records
    from twokeys.audit.trail import Trail

    files, trail = log_files(paths), Trail()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TextColumn("{task.fields[records]} records"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        total = sum(file.stat().st_size for file in files)
        task = progress.add_task("Reading CloudTrail logs", total=total, records=0)
        for file in files:
            for record in records(file):
                trail.add(record)
            progress.update(task, advance=file.stat().st_size, records=trail.records)
    return trail


def _from_api(regions: tuple[str, ...], start: datetime | None, end: datetime | None) -> Trail:
    import boto3
    from rich.console import Console
    from rich.progress import Progress, TextColumn

    from twokeys.audit.lookup import HISTORY, looked_up
    from twokeys.audit.trail import Trail

    session = boto3.Session()
    now = datetime.now(UTC)
    start, end = start or now - HISTORY, end or now
    asked = list(dict.fromkeys(regions or (session.region_name or "us-east-1", "us-east-1")))
    trail = Trail(start=start, end=end)
    with Progress(TextColumn("{task.description}"), console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(f"Asking CloudTrail in {', '.join(asked)}", total=None)
        for record in _counted(looked_up(session, asked, start, end), progress, task):
            trail.add(record)
    return trail


def _counted(found: Iterator[dict[str, Any]], progress: Progress, task: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401
    for count, record in enumerate(found, 1):
        progress.update(task, description=f"Asking CloudTrail: {count} records")
        yield record


def _utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment is not None else None
