"""`twokeys access`: who can enter which account, from a state, a sandbox stack or live IAM."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from twokeys.answers.options import sources
from twokeys.options import FILE, PACK_CONFIG_OF_STATES, ROLES, Group, InputPath

if TYPE_CHECKING:
    from twokeys.access.reading.snapshot import Snapshot


_STATES = InputPath(exists=True, path_type=Path)
"""A state, or a folder of the states of several stacks."""


@click.group(cls=Group)
def access() -> None:
    """Who can enter which account, and what a change does to that."""


@access.command("check")
@sources
@PACK_CONFIG_OF_STATES
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check_command(*, shown: Callable[[], Snapshot], pack_config: Path | None, as_json: bool) -> int:
    """List who can enter which account, with two keys or without, and run the rules of the policy pack.

    A grant that no document read here holds is "not shown" and no violation: give the states of all stacks.
    Exits with 0 when no mandatory rule is violated, 1 when one is, 2 when the command is called wrongly.
    """
    from rich.console import Console

    from twokeys.access.configuration import rules_config
    from twokeys.access.graph import build
    from twokeys.access.rules import RULES
    from twokeys.access.verdicts import check
    from twokeys.answers.check import as_data, show
    from twokeys.answers.reading import read

    graph = build(shown())
    now = datetime.now(UTC)
    verdicts = check(graph, RULES, rules_config(pack_config, RULES), now)
    if as_json:
        click.echo(json.dumps(as_data(read(graph), verdicts, now), indent=2))
    else:
        show(read(graph), verdicts, Console(), now)
    return 1 if verdicts.mandatory else 0


@access.command("diff")
@click.argument("before", type=_STATES)
@click.argument("after", type=_STATES, required=False)
@click.option("--plan", type=FILE, help="Compare with the plan that `pulumi preview --save-plan FILE` wrote.")
@click.option("--live", is_flag=True, help="Compare with real IAM: what differs from the state is drift.")
@ROLES("--member-role", "member_roles")
@click.option(
    "--state", "states", type=FILE, multiple=True, help="The state of another stack, read together with both sides."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown"]),
    default="text",
    show_default=True,
    help="Lines, or Markdown for a pull request.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--exit-code",
    is_flag=True,
    help="Exit with 1 when a way in is gained, lost, changed or not proved, or something is not shown or not known.",
)
def diff_command(  # noqa: PLR0913 - one parameter an option
    before: Path,
    after: Path | None,
    *,
    plan: Path | None,
    live: bool,
    member_roles: tuple[str, ...],
    states: tuple[Path, ...],
    form: str,
    as_json: bool,
    exit_code: bool,
) -> int:
    """Show the ways in that lead from state BEFORE to state AFTER, to a plan, or to what is there (--live).

    BEFORE and AFTER may each be a folder that holds one state of each stack (*.json): all are compared at once.
    """
    from rich.console import Console

    from twokeys.access.graph import build
    from twokeys.answers.changes import changes, drift
    from twokeys.answers.changes_shown import as_data, in_markdown, lines
    from twokeys.answers.reading import read
    from twokeys.answers.sources import snapshot, together
    from twokeys.answers.summary import not_looked_at, not_shown, scope
    from twokeys.shown import say

    if [after is not None, plan is not None, live].count(True) != 1:
        raise click.UsageError("name exactly one of a second state, --plan and --live")
    old_states, new_stacks = _files(before), ""
    there = together([*old_states, *states], may_be_empty=[] if live else old_states)
    old = read(build(there))
    if live:
        new = read(build(snapshot((), (), live=True, member_roles=member_roles)))
        found = drift(old, new)
    else:
        then = _planned(before, plan, states) if plan is not None else together([*_files(after or before), *states])
        if after is not None:
            then, new_stacks = _of_new_stacks((before, there), (after, then))
        new = read(build(then))
        found = replace(changes(old, new), not_shown=not_shown(new) or not_shown(old))
    said = ". ".join(filter(None, (new_stacks, scope(new, old))))
    found = replace(found, scope=said or None, not_looked_at=not_looked_at(new), read=(old.evidence, new.evidence))
    if as_json:
        click.echo(json.dumps(as_data(found), indent=2))
    elif form == "markdown":
        click.echo(in_markdown(found), nl=False)
    else:
        for line in lines(found):
            say(Console(), line)
    not_known = found.not_shown or any(one.not_answered for side in found.read for one in side)
    return 1 if exit_code and (found or not_known) else 0


@access.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@sources
def export_command(file: Path, *, shown: Callable[[], Snapshot]) -> None:
    """Write the ways in to FILE, for `twokeys profiles --from`: nothing secret, so that it can be published.

    It says who may enter which account as which role, under which conditions; no external ID, no policy document.
    """
    from twokeys.access.graph import build
    from twokeys.answers.model import State
    from twokeys.answers.published import KINDS, published
    from twokeys.answers.reading import read
    from twokeys.answers.summary import not_shown, scope
    from twokeys.files import write_output
    from twokeys.shown import counted, listed, printable

    found = read(build(shown()))
    doors = published(found)
    write_output(file, json.dumps(doors, indent=2) + "\n")
    within = sum(len(way.steps) == 1 and way.target.who.kind == "role" for way in found.within)
    across = len(doors["doors"]) - within
    inside = f", and {counted(within, 'role')} that users enter in their own account" if within else ""
    click.echo(f"Wrote {file}: {counted(across, 'door')} between accounts (one for each principal and role){inside}")
    for line in dict.fromkeys(f"Not proved: {one.message}. Next step: {one.next_step}" for one in found.not_proved):
        click.echo(printable(line))
    direct = [way for way in found.ways if len(way.steps) == 1]
    roots = sum(way.target.who.kind == "root-user" for way in direct)
    left = [f"{one.source.short} -> {one.target.short} ({one.lacks})" for one in found.doors if one.state is State.SHUT]
    left += [
        f"{way.source.short} -> {way.target.arn}"
        for way in direct
        if way.target.who.kind == "role" and way.source.who.kind not in KINDS and not way.as_aws_made_it
    ]
    if left := [*left, *[counted(roots, "root session")] * bool(roots)]:
        click.echo(printable(f"Left out, as no profile begins them: {listed(left, 3)}; `twokeys access check` has all"))
    for line in filter(None, (not_shown(found), scope(found))):
        click.echo(printable(line))


def _files(path: Path) -> list[Path]:
    """The states that a folder holds, or the one that a file is."""
    from twokeys.errors import Refusal

    files = sorted(path.glob("*.json")) if path.is_dir() else [path]
    if not files:
        step = "copy there what `pulumi stack export` wrote of each stack, as *.json"
        raise Refusal("this folder holds no state", where=str(path), why="no file in it ends in .json", next_step=step)
    return files


def _of_new_stacks(*sides: tuple[Path, Snapshot]) -> tuple[Snapshot, str]:
    """The second side, and which stacks it alone has, in words: one may be new, or lack on the first side. Of whom such
    a stack puts into groups that both sides show, nothing tells whether they were there before.

    Raises Refusal where the first side has a stack that the second has not.
    """
    from twokeys.access.identity_center import MEMBERSHIP
    from twokeys.access.reading.snapshot import stack_of
    from twokeys.errors import Refusal
    from twokeys.shown import listed

    stacks = [{str(stack_of(one.stack)) for one in side.evidence if one.stack} for _, side in sides]
    (before, _), (after, then) = sides
    gone, new = stacks[0] - stacks[1], stacks[1] - stacks[0]
    if gone:
        said = [f"only {side} has {listed(sorted(own))}" for side, own in ((before, gone), (after, new)) if own]
        raise Refusal(
            "two states of different stacks",
            where=f"{before}, {after}",
            why=f"{' and '.join(said)}: what differs is no change of either",
            next_step="compare the states of the same stacks; give those of other stacks with `--state FILE`",
        )
    both = (one for one in then.resources if not (one.type == MEMBERSHIP and str(stack_of(one.urn)) in new))
    if not new:
        return then, ""
    only = f"Only {after} has {listed(sorted(new))}, all of whose ways are said to be gained"
    return replace(then, resources=tuple(both)), only


def _planned(before: Path, plan: Path, states: tuple[Path, ...]) -> Snapshot:
    """What a plan leads to, with the other stacks as they are."""
    from twokeys.access.reading.snapshot import Snapshot
    from twokeys.access.reading.state import read_plan, read_state
    from twokeys.answers.sources import together

    if before.is_dir():
        raise click.UsageError("--plan is of one stack: name its state, and those of the others with --state")
    planned = read_plan(plan, read_state(before, may_be_empty=True))
    others = [together(states)] if states else []
    return Snapshot.together([planned, *others], planned.origin)
