"""`twokeys access open`: the change of a stack's config that opens a door for a while, for review."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from twokeys.errors import Refusal, nearest
from twokeys.options import PACK_CONFIG, PROJECT, InputPath
from twokeys.shown import in_utc

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twokeys.project.config import Project
    from twokeys.settings.models import Settings

_FILE = InputPath(path_type=Path, dir_okay=False)
_HOUR = 3600
"""How long a session may last of a role that says nothing of it, in seconds."""


@click.command("open")
@click.argument("door")
@click.option("--for", "lasts", metavar="TIME", help="How long from now, not from the update: 2h, 90m, 3d or 1d12h.")
@click.option("--until", "end", metavar="MOMENT", help="The last day (2027-01-31) or a moment (2027-01-31T15:00Z).")
@click.option("--reason", required=True, help="Why it is needed: it stands in the config, in AWS and in every answer.")
@click.option("--from", "copy_of", metavar="DOOR", help="Make DOOR a copy of this one, with a role of its own.")
@click.option("--user", help="With --from: the one who comes through the copy. Default: whoever comes now.")
@click.option("--role", help="With --from: what its role is called. Default: as the new door.")
@click.option("--stack", help="The stack that the door is in, where several have one of this name.")
@PACK_CONFIG
@click.option(
    "--state", "states", multiple=True, type=_FILE, help="The stack's own state, or one for stack references."
)
@PROJECT
@click.option("--dry-run", is_flag=True, help="Show the change, and write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON and nothing else.")
def open_command(  # noqa: PLR0913 - one parameter an option
    *,
    door: str,
    lasts: str | None,
    end: str | None,
    reason: str,
    copy_of: str | None,
    user: str | None,
    role: str | None,
    stack: str | None,
    pack_config: Path | None,
    states: tuple[Path, ...],
    project: Path,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Write into a stack's file that DOOR is open for a while: for review, nothing happens in AWS yet.

    DOOR is a temporary door (one with `expires`) that is opened anew, or, with --from, a new one. Others of the file
    that are over are taken out. The change is previewed first; what `twokeys preview` refuses is not written. The
    update makes the door, and AWS closes it.
    """
    from twokeys.project.config import load_project, read_config

    if copy_of is None and (user is not None or role is not None):
        raise click.UsageError("--user and --role say what is other about a copy: name its original with --from")
    if not (project / "Pulumi.yaml").exists():
        raise Refusal(
            f"the door {door} cannot be opened from here",
            where=str(project.resolve()),
            why="there is no Pulumi.yaml: it is the config of the program's stack that opens a door",
            next_step="run this in the program's folder, or name it with --project; without one, ask the door's owner",
        )
    found = load_project(project.resolve())

    from twokeys.doors.expiry import left, until
    from twokeys.files import read_text, write_output
    from twokeys.preview.program import outputs_of  # which says first that the extra is missing
    from twokeys.project.stacks import settings_of
    from twokeys.project.states import states_made
    from twokeys.settings.models import DoorSettings
    from twokeys.temporary.change import DOORS, Opening, closing_minute, opened, written

    now, known = datetime.now(UTC), outputs_of(states or states_made(found.root))
    closes = _closes(lasts, end, now)
    name, file = _stack_with(found, copy_of or door, stack, door if copy_of else None)
    settings = settings_of(found, name)  # refuses a config that says less than a door has
    doors = read_config(file)[DOORS]
    outside = settings.is_outside(DoorSettings.model_validate(doors[copy_of or door]))
    if user and outside:
        raise Refusal(
            f"a copy of {copy_of} for {user}",
            where=str(file),
            why=f"who comes through {copy_of} is of another company, and so would be a user of that name",
            next_step="leave --user out, or name the door of one of your own users",
        )
    opening = Opening(door, closes, " ".join(reason.split()), copy_of, user, role, outside=outside)
    old = read_text(file)
    longest = max(_HOUR, int((opening.closes - closing_minute(now)).total_seconds()))
    entry = opened(doors, opening, file, longest)
    over = [
        one for one, of in settings.doors.items() if one in doors and one != door and of.expires and of.expires <= now
    ]
    new = written(old, opening, entry, over, file)
    wanted = {name: of for name, of in {**doors, door: entry}.items() if name not in over}
    warnings = _refuse_what_preview_refuses(found, name, wanted, pack_config=pack_config, known=known, states=states)
    judged = warnings is not None
    if not dry_run:
        write_output(file, new, instead_of=old)
    changes = _diff(file.name, old, new)
    said = warnings or []
    session = int(entry.get("sessionSeconds", _HOUR))
    shut = entry.get("via") == "identity-center"  # whose permission set denies everything from then on
    ends = datetime.fromtimestamp(opening.closes.timestamp() + (0 if shut else session), UTC)
    if as_json:
        data = {
            "door": door,
            "stack": name,
            "file": str(file),
            "expires": opening.closes.isoformat(),
            "lastSessionEnds": ends.isoformat(),
            "sessionSeconds": session,
            "previewed": judged,
            "states": sorted(known),
            "warnings": said,
            "takenOut": over,
            "written": not dry_run,
            "diff": changes,
        }
        click.echo(json.dumps(data, indent=2))
        return
    click.echo(changes, nl=False)
    click.echo(f"{door} {left(opening.closes, now)} ({until(opening.closes)})")
    click.echo(
        "a session that is open then can do nothing any more"
        if shut
        else f"a session lasts {session / 3600:g} h at most, so the last one ends by {in_utc(ends)}"
    )
    for line in (
        *(f"{one} is {left(settings.doors[one].expires or now, now)}: taken out" for one in over),
        *(f"warning: {one}" for one in said),
    ):
        click.echo(line)
    read = f", with the states of {', '.join(sorted(known))}" if known else ""
    click.echo(f"previewed{read}: nothing refused" if judged else f"not previewed: {name} is split into shards")
    if dry_run:
        click.echo("Nothing written (--dry-run).")
        return
    click.echo(f"Wrote {file}. " + _next_step(name, project, split=not judged))


def _closes(lasts: str | None, end: str | None, now: datetime) -> datetime:
    """When the door closes. Raises Refusal or UsageError where that cannot be told, or is over."""
    from twokeys.doors.expiry import closing_time
    from twokeys.temporary.change import closing_minute, lasting

    if lasts is not None and end is not None:
        raise click.UsageError("give --for or --until, not both")
    if lasts is None and end is None:
        raise click.UsageError("say with --for how long, or with --until until when")
    try:
        closes = closing_minute(now + lasting(lasts)) if lasts is not None else closing_minute(closing_time(end))
    except (ValueError, OverflowError):
        asked, example = f"--for {lasts}", "2h, 90m, 3d or 1d12h"
        if end is not None:
            asked, example = f"--until {end}", "2027-01-31, or with its time zone 2027-01-31T15:00Z (Z for UTC)"
        raise click.UsageError(f"{asked}: write it as {example}") from None
    if closes <= now:
        raise Refusal(
            "the door would be closed already",
            where="--until",
            why=f"{end} is over",
            next_step="name a later day or moment",
        )
    return closes


def _stack_with(project: Project, door: str, stack: str | None, copy: str | None) -> tuple[str, Path]:
    """The stack whose file has a door of this name, and the file; of an environment, the one that people edit.

    `copy` is what a copy of the door is called; None to open the door itself. Raises Refusal where there is none, more
    than one and none was chosen, or the name of the copy is taken.
    """
    doors = _doors_of(project)
    files = {name: project.stacks()[name] for name in doors}
    asked = project.stack_file(stack) if stack is not None else None
    where = ", ".join(map(str, files.values())) or str(project.root)
    having = [name for name, said in doors.items() if door in said]
    if not having:
        raise _no_such_door(door, {one: entry for said in doors.values() for one, entry in said.items()}, copy, where)
    chosen = [name for name in having if stack in (None, name)]
    if len(chosen) != 1:
        raise Refusal(
            f"more than one stack has a door {door}" if chosen else f"there is no door {door} in stack {stack}",
            where=", ".join(str(files[name]) for name in chosen) or str(asked),
            why="only one of them is to be opened" if chosen else f"it is in stack {having[0]}",
            next_step="choose with --stack" if chosen else f"write --stack {having[0]}, or leave --stack out",
        )
    taken = next((files[name] for name, said in doors.items() if copy in said), None)
    if taken is not None:
        raise Refusal(
            f"there is a door {copy} already",
            where=str(taken),
            why="a copy needs a name of its own",
            next_step="leave --from out to open that one again, or choose another name",
        )
    return chosen[0], files[chosen[0]]


def _doors_of(project: Project) -> dict[str, dict[str, Any]]:
    """The doors that the file of each stack has; not those of shards, which people do not edit."""
    from twokeys.project.config import read_config
    from twokeys.project.shards import SHARDS
    from twokeys.temporary.change import DOORS

    files = {name: file for name, file in project.stacks().items() if file.parent != project.root / SHARDS}
    said = {name: read_config(file).get(DOORS) for name, file in files.items()}
    return {name: doors if isinstance(doors, dict) else {} for name, doors in said.items()}


def _temporary(doors: Mapping[str, Any]) -> list[str]:
    return [one for one, entry in doors.items() if isinstance(entry, dict) and "expires" in entry]


def _no_such_door(door: str, every: Mapping[str, Any], copy: str | None, where: str) -> Refusal:
    """Why none of all these doors is meant, and which may be."""
    from twokeys.temporary.change import DOORS

    names = sorted(every if copy else _temporary(every))
    if names:
        why = f"the {'doors' if copy else 'doors that can be opened again'} are {', '.join(names)}"
    elif every:
        why = f"no door of theirs has `expires`, as one to open again has: {', '.join(every)}"
    else:
        why = f"no stack's file has {DOORS}"
    if near := nearest(door, names):
        step = f"write {near}, if that is meant"
    elif copy and every:
        step = "name one of them"
    elif every:
        like = nearest(door, every) or "DOOR"
        step = f"open a copy of a door, with a name of its own: twokeys access open NAME --from {like}"
    else:
        step = "name with --project the folder whose stacks have doors; a role of a program of your own is opened there"
    return Refusal(f"there is no door {door}", where=where, why=why, next_step=step)


def _refuse_what_preview_refuses(  # noqa: PLR0913 - all but the stack and its doors by name
    project: Project,
    stack: str,
    doors: Mapping[str, Any],
    *,
    pack_config: Path | None,
    known: Mapping[str, Mapping[str, Any]],
    states: tuple[Path, ...],
) -> list[str] | None:
    """What a preview with these doors warns of; None for an environment that is split: only its config is checked.

    Raises Refusal where the config contradicts itself, the program fails or a mandatory rule is violated.
    """
    from twokeys.access.configuration import rules_config
    from twokeys.access.rules import RULES
    from twokeys.preview.program import stack_preview
    from twokeys.project.config import load_config
    from twokeys.project.stacks import shards_of
    from twokeys.settings import parse
    from twokeys.temporary.change import DOORS

    rules, overrides = rules_config(pack_config, RULES), {DOORS: json.dumps(doors)}
    settings = parse(stack, load_config(project, stack, overrides, for_program=False))
    _refuse_unknown(project, settings)
    if shards_of(project, stack):
        return None
    said: list[tuple[str, str]] = []
    _, verdicts = stack_preview(
        project, stack, overrides, rules=rules, stacks=known, states=states, say=lambda *one: said.append(one)
    )
    if verdicts.mandatory:
        first, *more = verdicts.mandatory
        others = "".join(f"\n  and {one.rule}: {one.message}" for one in more)
        raise Refusal(
            f"the preview of stack {stack} refuses this ({first.rule})",
            where=first.urn or f"stack {stack}",
            why=f"{first.message}{others}",
            next_step=first.next_step,
        )
    return [message for severity, message in said if severity == "warning"]


def _refuse_unknown(project: Project, settings: Settings) -> None:
    """Refuse a door for somebody whom the management stack's file does not make, where that is in this project."""
    from twokeys.project.stacks import settings_of
    from twokeys.settings.models import MANAGEMENT, made_by_management

    stack = settings.management_stack.rpartition("/")[2] if settings.management_stack else MANAGEMENT
    if stack not in project.stacks():
        return
    people = settings_of(project, stack).people
    known = {"user": {*people.users}, "group": {*people.groups}, "role": {*people.roles}}
    for name, door in settings.doors.items():
        for one in made_by_management(settings, door):
            if one.name not in (there := known.get(one.kind, {one.name})):
                near = nearest(one.name, there)
                raise Refusal(
                    f"{one.kind} {one.name} of door {name}",
                    where=str(project.stack_file(stack)),
                    why=f"people there has no such {one.kind}; it has: {', '.join(sorted(there)) or 'none'}",
                    next_step=(f"write {near}, if that is meant, or " if near else "name one of them, or ")
                    + f"add it to people.{one.kind}s of stack {stack} first",
                )


def _diff(name: str, old: str, new: str) -> str:
    from difflib import unified_diff

    lines = unified_diff(old.splitlines(), new.splitlines(), f"a/{name}", f"b/{name}", lineterm="")
    return "".join(f"{line}\n" for line in lines)


def _next_step(stack: str, project: Path, *, split: bool) -> str:
    from twokeys.project.states import states_made

    made = sorted(states_made(project.resolve()), key=lambda path: path.stat().st_mtime_ns)
    stacks = " ".join(dict.fromkeys([*(path.stem for path in made), stack]))  # the demo's are made with it
    update = f"twokeys fleet up {stack}" if split else f"pulumi up -s {stack}"
    if made and not split and ".pulumi" not in made[0].parts:  # in the CLI's shell that is all
        update += f" (on the sandbox: twokeys sandbox up {stacks})"
    review = f"twokeys fleet split {stack}, have it reviewed" if split else "have it reviewed"
    return (
        f"Next: {review}, then {update}, and publish doors.json anew: twokeys access export. After its end take the"
        " door out of the file, as the next `twokeys access open` does: until then updates are refused (door-expired)."
    )
