"""`twokeys costs`: one bill by account, service and tag, from Cost Explorer or an exported report."""

from __future__ import annotations

import hashlib
import io
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from twokeys.costs.breakdown import ACCOUNT, SERVICE, Costs, Dimension, Question
from twokeys.errors import Refusal
from twokeys.options import PROFILE, is_named_pipe

if TYPE_CHECKING:
    from rich.progress import Progress

_CHUNK = 1 << 16


def _read_by(_: click.Context, __: click.Parameter, texts: tuple[str, ...]) -> tuple[tuple[Dimension, ...], ...]:
    breakdowns = []
    for text in texts:
        try:
            by = tuple(Dimension.parse(part.strip()) for part in text.split(","))
        except ValueError as error:
            raise click.BadParameter(f"{error}.") from error
        if len(set(by)) < len(by):
            raise click.BadParameter(f"{text!r} names one of them twice.")
        breakdowns.append(by)
    return tuple(dict.fromkeys(breakdowns))


@click.command()
@click.option(
    "--by",
    "breakdowns",
    callback=_read_by,
    metavar="WHAT",
    multiple=True,
    default=("account", "service"),
    help="What to break down by: account, service or tag:KEY. Each --by is a table; `--by account,tag:team` is "
    "one table by both.  [default: --by account --by service]",
)
@click.option(
    "--file",
    "reports",
    multiple=True,
    metavar="FILE",
    help="An exported report: legacy CUR, CUR 2.0 or FOCUS, CSV (plain or gzip) or Parquet; - is the standard input. "
    "Of one that comes in parts, its manifest or all of them. Without it, the Cost Explorer API is asked.",
)
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d", "%Y-%m"]), help="The first day (UTC).")
@click.option("--to", "end", type=click.DateTime(["%Y-%m-%d", "%Y-%m"]), help="The day after the last, as AWS counts.")
@click.option("--currency", metavar="CODE", help="Only lines in this currency, of a --file that has several.")
@click.option("--state", "states", multiple=True, metavar="FILE", help="A stack's exports, for the names of accounts.")
@click.option("--profile", type=PROFILE, help="The AWS profile to ask Cost Explorer with.")
@click.option("--picture", type=click.Path(path_type=Path, dir_okay=False), help="Draw the bill as an SVG file.")
@click.option("--json", "as_json", is_flag=True, help="Print everything, exactly, as JSON.")
def costs(  # noqa: PLR0913 - one parameter an option
    *,
    breakdowns: tuple[tuple[Dimension, ...], ...],
    reports: tuple[str, ...],
    first: date | None,
    end: date | None,
    currency: str | None,
    states: tuple[str, ...],
    profile: str | None,
    picture: Path | None,
    as_json: bool,
) -> None:
    """Break the bill down by account, service and tag, with a picture.

    Credits, refunds, adjustments and taxes are shown apart, and costs without a tag as such. Amounts are exact
    decimals (JSON has every digit that AWS sent).

    Without --file the Cost Explorer API is asked, in the management account, for --from to --to (the last whole month
    by default): a page and one more for each table and the picture, at $0.01 each. A report is read as a stream,
    whatever its size.

    \b
    Examples:
      twokeys costs --by account --by tag:team --from 2026-10 --picture bill.svg
      twokeys costs --file cur-1.csv.gz --file cur-2.csv.gz --by account --json

    Exit codes: 0 done, 1 refused (nothing was printed), 2 wrong usage.
    """
    from twokeys import files
    from twokeys.costs.picture import draw
    from twokeys.costs.tables import as_data, print_tables
    from twokeys.exports import account_names, read_exports
    from twokeys.shown import printable

    first, end = _day(first), _day(end)
    if profile and reports:
        raise click.UsageError("--profile is for Cost Explorer: a --file is read without AWS.")
    if currency and not reports:
        raise click.UsageError("--currency is for a --file: Cost Explorer answers in one currency.")
    if not reports:
        first, end = _whole_month(first, end)
    if first and end and first >= end:
        raise click.UsageError(f"--from {first} does not lie before --to {end}.")
    followed = _followed(reports)
    wanted = dict.fromkeys((*breakdowns, (ACCOUNT, SERVICE))) if picture else breakdowns
    question = Question(tuple(wanted), first, end, currency and currency.upper())
    names = account_names([read_exports(each) for each in states])
    found = _from_reports(followed, question) if reports else _from_explorer(profile, question)
    found = found.named(names)
    made = datetime.now(UTC).isoformat(timespec="seconds")
    days = f"{found.first} to {found.end - timedelta(days=1)}" if found.first and found.end else ""
    if picture:
        files.write_output(picture, draw(found, f"Costs by account and service{f', {days}' if days else ''}"))
    found = replace(found, breakdowns=tuple(found.breakdown(*by) for by in breakdowns))
    if as_json:
        click.echo(json.dumps({"made": made, "version": version("twokeys"), **as_data(found)}, ensure_ascii=False))
    else:
        click.echo(f"Costs of {days} (UTC)" if days else "Costs of days that the report does not say")
        print_tables(found)
        click.echo(f"Made at {made} by TwoKeys {version('twokeys')}{', from (sha256):' if found.files else ''}")
        for file, sha256 in found.files:
            click.echo(f"{sha256}  {printable(file)}")
        if not found.names:
            click.echo("Accounts get their names from the states of the stacks: --state FILE, for each.")
        if picture:
            click.echo(f"Picture: {picture}")


def _day(moment: date | None) -> date | None:
    """Click reads a datetime; a bill has days."""
    return date(moment.year, moment.month, moment.day) if moment else None


def _whole_month(first: date | None, end: date | None) -> tuple[date, date]:
    """The days asked for; what is not said is the last whole month (UTC, as bills are) or that of --from or --to."""
    if first and end:
        return first, end
    if first:
        return first, (first.replace(day=1) + timedelta(days=32)).replace(day=1)
    end = end or datetime.now(UTC).date().replace(day=1)
    return (end - timedelta(days=1)).replace(day=1), end


def _followed(reports: tuple[str, ...]) -> dict[str, str]:
    """The files to read, each with the manifest that names it, or ""."""
    from twokeys.costs.overlap import files_of

    files: list[tuple[str, str]] = []
    for each in reports:
        manifest = each if each.lower().endswith(".json") else ""
        with _refusing(each):
            files += [(file, manifest) for file in (files_of(each) if manifest else [each])]
    if len({os.path.realpath(file) for file, _ in files}) < len(files):
        raise click.UsageError("A --file is given twice, and would be counted twice.")
    return dict(files)


@contextmanager
def _refusing(report: str) -> Iterator[None]:
    try:
        if is_named_pipe(Path(report)):
            raise OSError(None, "it is a pipe by name, and opening it waits for whoever writes")
        yield
    except OSError as error:
        raise Refusal(
            "the report cannot be read",
            where=report,
            why=error.strerror or str(error),
            next_step="give the path of an exported Cost and Usage Report, CUR 2.0 or FOCUS export",
        ) from error


def _from_reports(reports: dict[str, str], question: Question) -> Costs:
    from rich.markup import escape

    from twokeys.costs.usage_report import Ledger, is_parquet, read_csv, read_parquet

    ledger = Ledger(question, manifests={file: manifest for file, manifest in reports.items() if manifest})
    with _progress() as progress:
        for report in reports:
            if report == "-":
                hashed = _Hashed(sys.stdin.buffer)
                read_csv(hashed.peekable(), "the standard input", ledger)
                ledger.hashes[report] = hashed.sha256.hexdigest()
                continue
            # Opened once: it may be a pipe that a shell holds open.
            with _refusing(report), progress.open(report, "rb", description=escape(report)) as opened:
                hashed = _Hashed(opened)
                stream = hashed.peekable()
                if is_parquet(stream):
                    while stream.read(_CHUNK):
                        pass
                    task = progress.add_task(escape(report), total=1)
                    read_parquet(report, ledger, partial(progress.update, task))
                else:
                    read_csv(stream, report, ledger)
                ledger.hashes[report] = hashed.sha256.hexdigest()
    return ledger.costs(", ".join(reports))


class _Hashed(io.RawIOBase):
    """A stream, and the sha256 of what was read of it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.sha256 = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        read = self._stream.read(len(buffer))
        self.sha256.update(read)
        buffer[: len(read)] = read
        return len(read)

    def peekable(self) -> io.BufferedReader[io.RawIOBase]:
        return io.BufferedReader(self, _CHUNK)


def _from_explorer(profile: str | None, question: Question) -> Costs:
    from twokeys.costs import explorer

    with _progress() as progress:
        progress.add_task("Asking Cost Explorer", total=None)
        return explorer.ask(explorer.client(profile), question)


@contextmanager
def _progress() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        yield progress
