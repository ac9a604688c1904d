"""`twokeys audit`: who can enter an account, through what, granted where, since when; and who really did."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from twokeys.answers.options import sources
from twokeys.audit import LEARNING
from twokeys.errors import Refusal
from twokeys.options import PACK_CONFIG_OF_STATES, InputPath

if TYPE_CHECKING:
    from twokeys.access.reading.snapshot import Snapshot
    from twokeys.answers.model import Answers
    from twokeys.audit.comparison import Comparison
    from twokeys.audit.trail import Trail


class _Moment(click.DateTime):
    """A day or a moment; of a day, its first moment or, with `whole`, its last."""

    def __init__(self, *, whole: bool = False) -> None:
        super().__init__(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"])
        self._whole = whole

    def get_metavar(self, *_: Any, **__: Any) -> str:  # noqa: ANN401 - click's releases ask for it otherwise
        return "DATE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401
        moment = super().convert(value, param, ctx).replace(tzinfo=UTC)
        return moment + timedelta(days=1, microseconds=-1) if self._whole and "T" not in value else moment


@click.command()
@click.argument("targets", nargs=-1, metavar="[TARGET]...")
@sources
@click.option(
    "--events",
    "logs",
    type=InputPath(exists=True, path_type=Path),
    multiple=True,
    help="CloudTrail log files, folders of them (AWSLogs), or what lookup-events printed; may be repeated.",
)
@click.option("--events-api", is_flag=True, help="CloudTrail's event history (90 days) of the credentials' account.")
@click.option(
    "--region",
    "regions",
    multiple=True,
    help="A region that counts, and where --events-api asks; may be repeated. Default: those that AWS enables by "
    "default, yours, the stack's and those with records.",
)
@click.option(
    "--from",
    "start",
    type=_Moment(),
    help="Compare events from this day (2026-10-01) or moment (2026-10-01T12:00:00) on, in UTC.",
)
@click.option(
    "--until", "end", type=_Moment(whole=True), help="Compare events up to this moment, or the end of this day (UTC)."
)
@click.option(
    "--at",
    type=_Moment(whole=True),
    help="Answer of the end of this day, or this moment (UTC), with the states of then.",
)
@click.option(
    "--learning-days",
    type=click.IntRange(0, 36_500),
    default=LEARNING,
    show_default=True,
    help="Days of the first records, those before --from too, that only teach what is usual.",
)
@click.option(
    "--person",
    metavar="NAME",
    help="Only what this user of IAM or of IAM Identity Center may enter, and with events what that user did.",
)
@PACK_CONFIG_OF_STATES
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Also write the report as an HTML file.")
@click.option(
    "--csv", "table", type=click.Path(dir_okay=False, path_type=Path), help="Also write the report as a CSV file."
)
@click.option("--keys", "with_keys", is_flag=True, help="Print where each key stands, and all that is not proved.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--exit-code",
    is_flag=True,
    help="Exit with 1 on what is to be looked at, such as a door without a key or an entry without a door, and on what "
    "is not shown, not proved or not known. Ways in, users with credentials and doors without a record of use are "
    "answers, and give 0.",
)
def audit(  # noqa: PLR0913 - one parameter an option
    *,
    targets: tuple[str, ...],
    shown: Callable[..., Snapshot],
    logs: tuple[Path, ...],
    events_api: bool,
    regions: tuple[str, ...],
    start: datetime | None,
    end: datetime | None,
    at: datetime | None,
    learning_days: int,
    person: str | None,
    pack_config: Path | None,
    html: Path | None,
    table: Path | None,
    with_keys: bool,
    as_json: bool,
    exit_code: bool,
) -> int:
    """Answer who can enter each TARGET (an account, an environment or a stack; default: every account).

    By the states of all stacks (--state), or what AWS has (--live); CloudTrail's records (--events) say who did.
    A name that a stack and an account share is every account of the stack; the account's id is that account alone.
    Changes nothing, and exits with 0 whatever the answer is, unless --exit-code is given.
    """
    from rich.console import Console

    from twokeys.answers.data import as_data
    from twokeys.answers.selection import into, of_person
    from twokeys.answers.summary import summary
    from twokeys.audit import report
    from twokeys.audit.against_states import against_states
    from twokeys.audit.comparison import compare
    from twokeys.audit.page import page
    from twokeys.audit.person import by_person
    from twokeys.audit.table import as_csv
    from twokeys.aws_reference import known_region
    from twokeys.files import write_output
    from twokeys.shown import in_utc

    _refuse_contradictions()
    now, period = at or datetime.now(UTC), (start, end or at)
    comparison = None
    there = shown(at_two_times=bool(logs or events_api))
    if at:
        _refuse_later(there, at)
    everywhere = _answers(there, pack_config, now)
    whole, target = into(everywhere, *targets), ", ".join(targets) or None
    if logs or events_api:
        named = tuple(known_region(one, "--region") for one in regions)
        trail = _from_files(logs, named, *period) if logs else _from_api(named, *period)
        comparison = compare(whole, trail, *period, learning_days=learning_days)
        whole = comparison.answers
    if at:
        dates = f"Dates in keys and of exceptions are held against {in_utc(at)} (--at)"
        whole = replace(whole, past=True, meanwhile=dates)
    people = comparison.people if comparison else ()
    answers = of_person(whole, person, people)
    if comparison is not None:
        comparison = by_person(comparison, answers, of_person(everywhere, person, people))
        answers = against_states(answers, comparison)
    if html is not None:
        write_output(html, page(answers, target, comparison, now))
    if table is not None:
        write_output(table, as_csv(answers, target, comparison, now))
    if as_json:
        made = datetime.now(UTC).isoformat(timespec="seconds")
        about = {"target": target, "made": made, "at": at.isoformat() if at else None}
        _print_json({**about, **as_data(answers, now)}, answers, comparison)
    else:
        report.show(answers, target, comparison, Console(), now, with_keys=with_keys)
        for file in (html, table):
            if file is not None:
                click.echo(f"Wrote {file}")
    not_known = not all(one.has for one in answers.long_term) or any(one.not_answered for one in answers.evidence)
    seen = comparison is not None and comparison.is_noteworthy
    return 1 if exit_code and (summary(answers, now).to_be_looked_at or not_known or seen) else 0


def _refuse_later(shown: Snapshot, at: datetime) -> None:
    for one in (*shown.evidence, *(shown.before.evidence if shown.before else ())):
        if one.moment is None or one.moment > at:
            raise Refusal(
                "this state is of after --at" if one.moment else "nothing tells whether this state is of before --at",
                where=one.name,
                why=f"it was written at {one.time}, so it may not show who could enter before"
                if one.moment
                else "it has no time in its manifest",
                next_step="give the state of that day (`pulumi stack export --version N --file FILE`), or a later --at",
            )


def _refuse_contradictions() -> None:
    """Options that do not go together: two sources of events, what is asked of events without any, an empty period; and
    a day that live IAM is not of, or nothing.
    """
    given = click.get_current_context().params
    start, end, logs, events_api = (given[name] for name in ("start", "end", "logs", "events_api"))
    if logs and events_api:
        raise click.UsageError("take events from --events or from --events-api")
    about_events = {"--from": start, "--until": end, "--region": given["regions"]}
    if (unused := [name for name, value in about_events.items() if value]) and not (logs or events_api):
        raise click.UsageError(f"{' and '.join(unused)} without events: give --events or --events-api")
    if (at := given["at"]) and (given["live"] or at > datetime.now(UTC)):
        raise click.UsageError("--at is for a moment that is over, and its states: leave out --at, or give --state")
    if end and at and end > at:
        raise click.UsageError("--until is later than --at: an answer of that moment knows of nothing after it")
    if start and (last := end or at) and start > last:
        raise click.UsageError(f"--from is later than --{'until' if end else 'at'}: give the earlier one to --from")
    if start and start > datetime.now(UTC):
        raise click.UsageError("--from is in the future, of which nothing is recorded: give an earlier day or moment")


def _print_json(about: Mapping[str, Any], answers: Answers, comparison: Comparison | None) -> None:
    """All as one object, whose entries, which may be many, are written one by one."""
    from twokeys.audit import data

    entries = data.as_data(answers, comparison) if comparison is not None else None
    before, here, after = json.dumps({**about, "events": entries}, indent=2).rpartition(data.POPULATION)
    click.echo(before + here[:-1] + (here and "\n"), nl=False)
    for number, one in enumerate(data.population(answers, comparison) if comparison is not None else ()):
        click.echo(f"{',' if number else ' '} {json.dumps(one)}")
    click.echo(here[-1:] + after)


def _answers(shown: Snapshot, config: Path | None, now: datetime) -> Answers:
    from twokeys.access.configuration import rules_config
    from twokeys.access.graph import build
    from twokeys.access.rules import RULES
    from twokeys.access.verdicts import check
    from twokeys.answers.reading import read

    graph = build(shown)
    if config is None:
        return read(graph)
    verdicts = check(graph, RULES, rules_config(config, RULES), now)
    return replace(read(graph), accepted=verdicts.accepted, expired=verdicts.expired)


def _from_files(
    paths: tuple[Path, ...], regions: tuple[str, ...], start: datetime | None, end: datetime | None
) -> Trail:
    from twokeys.audit.logs import kind
    from twokeys.audit.reading import read_files

    for file in filter(Path.is_file, paths):
        if service := kind(file)[0]:
            raise click.UsageError(f"--events {file}: it is a file of {service} and holds no events")
    with _progress("Reading CloudTrail logs") as show:

        def say(done: int, total: int, records: int) -> None:
            show(completed=done, total=total, read=f"{done}/{total} files, {records} records")

        return read_files(paths, regions, start, end, say)


def _from_api(regions: tuple[str, ...], start: datetime | None, end: datetime | None) -> Trail:
    from twokeys.audit.lookup import read_history

    with _progress("Asking CloudTrail") as show:
        return read_history(regions, start, end, lambda records: show(read=f"{records} records"))


@contextmanager
def _progress(what: str) -> Iterator[Callable[..., None]]:
    """What is being done, on a terminal's standard error; what it gives takes what rich's `Progress.update` does."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    console, columns = Console(stderr=True), (TextColumn(what), BarColumn(), TextColumn("{task.fields[read]}"))
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield partial(progress.update, progress.add_task("", total=None, read=""))
