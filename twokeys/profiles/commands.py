"""`twokeys profiles`: AWS CLI profiles, or a page of switch-role links, for exactly the doors that somebody has."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from twokeys.errors import Refusal
from twokeys.options import PROFILE
from twokeys.profiles.options import complete, doors_options, exports_of, like, mfa_serial, note, read_said
from twokeys.shown import counted, joined, listed

if TYPE_CHECKING:
    from twokeys.doors import Who
    from twokeys.exports import Exports
    from twokeys.profiles.reading import Reading
    from twokeys.profiles.ways import Way
    from twokeys.profiles.writing import Written

_WOULD_CHANGE = 3
_SIGNS = {"added": "+", "changed": "~", "removed": "-", "kept": "="}
_OF_THE_PAGE = frozenset({"states", "published", "person", "account", "groups", "sso_start_url", "page", "as_json"})
"""The options that a page takes."""


_EVERY_SDK = "what every SDK reads: https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html"
_word = like("[!-~]+", f" is not one word of printable ASCII ({_EVERY_SDK})")
_named = like(r"[A-Za-z0-9_./%@:+-]+", f": use letters, digits and any of _ . / % @ : + - ({_EVERY_SDK})")


@click.command()
@doors_options
@click.option(
    "--person",
    metavar="NAME",
    shell_complete=complete,
    help="The IAM or Identity Center user whose doors these are.  [default: whose credentials you have]",
)
@click.option(
    "--role", metavar="NAME", shell_complete=complete, help="The role (of a CI job, say) whose doors these are."
)
@click.option(
    "--account",
    default="",
    metavar="ID",
    shell_complete=complete,
    help="The account of that user or role, if its name is in several; or its name.",
)
@click.option("--group", "groups", multiple=True, metavar="NAME", help="A group the person is in, if no file says so.")
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to write.  [default: $AWS_CONFIG_FILE, else ~/.aws/config]",
)
@click.option(
    "--prefix",
    default="",
    metavar="TEXT",
    callback=_named,
    help="Put this before each profile's name, and keep these profiles in a block of their own: of a second "
    "organization, or of somebody else.",
)
@click.option(
    "--source-profile", type=PROFILE, callback=_word, help="The profile with your own credentials.  [default: default]"
)
@click.option(
    "--credential-source",
    type=click.Choice(["Environment", "Ec2InstanceMetadata", "EcsContainer"]),
    help="Where a CI job has its credentials, instead of a source profile.",
)
@click.option("--mfa-serial", metavar="ARN", callback=mfa_serial, help="Your MFA device, if it is not called like you.")
@click.option(
    "--sso-start-url", metavar="URL", callback=_word, help="Identity Center's address, if the state does not tell it."
)
@click.option(
    "--sso-region", metavar="REGION", callback=_word, help="Identity Center's region, if the state does not tell it."
)
@click.option("--dry-run", is_flag=True, help="Show the change as a diff and write nothing; exit 3 if there is one.")
@click.option(
    "--page",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write an HTML page with a console link for each door of --person, and no profiles.",
)
@click.option("--json", "as_json", is_flag=True, help="Say what was done as JSON.")
def profiles(  # noqa: PLR0913 - one parameter an option
    *,
    states: tuple[str, ...],
    published: tuple[str, ...],
    person: str | None,
    role: str | None,
    account: str,
    groups: tuple[str, ...],
    config: Path | None,
    dry_run: bool,
    page: Path | None,
    as_json: bool,
    **chosen: str | None,
) -> int:
    """Write AWS CLI profiles for exactly the doors that a person or a role has, and for those behind their roles.

    The profiles stand in one marked block of the AWS CLI's config file. Each run rewrites that block, so the profile of
    a door that is gone, or that the files do not show, goes too. Everything else in the file stays as it is, byte by
    byte, and a profile that you wrote yourself is never touched: one of the same name is refused.

    With --page it writes no profiles, but one HTML page, to be kept anywhere: a link for each door, which switches to
    its role in the AWS console, in the colour of its environment: red where a word of its name begins with prod, prd
    or live. It loads nothing and runs no script.

    \b
    Examples:
      twokeys profiles
      twokeys profiles --person ada --from https://example.com/doors.json
      twokeys profiles --person ada --state prod.json --dry-run
      twokeys profiles --person ada --page ways-in.html
      aws sts get-caller-identity --profile prod-reader

    Exit codes: 0 done (or nothing to do), 1 refused, 2 wrong usage, 3 --dry-run found something to change.
    """
    from twokeys.doors import Who
    from twokeys.profiles.reading import with_states
    from twokeys.profiles.ways import refuse_unknown, ways_of
    from twokeys.profiles.writing import config_file, write

    _refuse_contradictions()
    path = config or config_file()
    ours = (Path.cwd() / ".twokeys").resolve() in Path(os.path.realpath(path)).parents
    exports = with_states(exports_of(states, published, sandbox=dry_run or ours or page is not None))
    told = read_said(exports)
    account = next((one for one, name in told.accounts.items() if name == account), account)
    who = Who("user" if person else "role", account, person or role or "")
    who = who if who.name else _caller(told, chosen["source_profile"])
    ways = ways_of(told.ways, told.members, who, groups)
    if not groups and (account or not ways):
        refuse_unknown(who, told.ways, told.members, told.accounts)
    if page:
        return _write_page(page, who, ways, told, exports, chosen["sso_start_url"], as_json=as_json)

    done = write(who, ways, told, exports, chosen, path, dry_run=dry_run)
    if as_json:
        about = {"for": {"kind": who.kind, "name": who.name}, "file": str(path), "notes": [*told.notes, *done.notes]}
        click.echo(json.dumps(about | _as_data(ways, done, dry_run=dry_run)))
    else:
        _say(path, done, dry_run=dry_run)
    return _WOULD_CHANGE if dry_run and done.differs else 0


def _caller(told: Reading, profile: str | None) -> Who:
    """Whose credentials these are, or who is behind their role. Raises Refusal with those there are, if nobody says."""
    from twokeys.doors import Who
    from twokeys.profiles.callers import caller_of
    from twokeys.profiles.ways import known_people, who_is_behind

    arn, why = caller_of(profile)
    who = who_is_behind(told.ways, arn, told.members) if arn else None
    if who is None or not who.name or who.kind == "root":
        people = sorted(known_people(told.ways, told.members))
        raise Refusal(
            "whose doors these are to be is not known",
            where="your credentials",
            why=why or f"they are {arn}'s, which is no user and no role",
            next_step=f"name yourself with --person ({listed(people, 20)})" if people else "name the role with --role",
        )
    note(f"the doors are those of {who.label}, whose credentials you have")
    return Who("role" if who.kind == "role" else "user", who.account, who.name)


def _refuse_contradictions() -> None:
    """Options that do not go together: two names, two sources of credentials, `--page` and one of profiles."""
    run = click.get_current_context()
    if run.params["person"] and run.params["role"]:
        raise click.UsageError("Say whose doors: either --person NAME or --role NAME.")
    if run.params["account"] and not (run.params["person"] or run.params["role"]):
        raise click.UsageError("--account is that of --person NAME or --role NAME: name one, or leave it out.")
    if run.params["source_profile"] and run.params["credential_source"]:
        raise click.UsageError("Give --source-profile or --credential-source, not both.")
    given = (
        one for one in run.command.params if run.get_parameter_source(one.name or "") is ParameterSource.COMMANDLINE
    )
    others = [one.opts[0] for one in given if one.name not in _OF_THE_PAGE]
    if run.params["page"] == Path("-") and run.params["as_json"]:
        raise click.UsageError("--page - prints the page: leave out --json.")
    if run.params["page"] and others:
        raise click.UsageError(f"--page writes no profiles and is for a --person: leave out {joined(others)}.")


def _write_page(  # noqa: PLR0913, PLR0917 - what the command was given
    page: Path,
    who: Who,
    ways: Sequence[Way],
    told: Reading,
    exports: Sequence[Exports],
    start_url: str | None,
    *,
    as_json: bool,
) -> int:
    from twokeys import files
    from twokeys.profiles.page import page_of
    from twokeys.profiles.ways import beyond, closed
    from twokeys.profiles.writing import NO_DOOR, dates

    behind = beyond((way for way in told.ways if not closed(way)), (way for way in ways if not closed(way)))
    shown = {**dict.fromkeys(ways), **behind}

    text, links = page_of(who.name, shown, told.dates, start_url, f"{NO_DOOR[0].upper()}{NO_DOOR[1:]}.")
    if page == Path("-"):
        click.echo(text, nl=False)
        return 0
    old = files.read_text(page)
    if old.strip() and "<title>Ways in for " not in old:
        raise Refusal(
            "the page is not written",
            where=str(page),
            why="that file is there and is no page of ways in, so it would be lost",
            next_step="name another file, or remove that one",
        )
    files.write_output(page, text)
    notes = [*dates(exports), *([] if ways else [NO_DOOR])]
    if as_json:
        data = [way_data(way, before) for way, before in shown.items()]
        about = {"for": {"kind": who.kind, "name": who.name}, "file": str(page), "ways": data}
        click.echo(json.dumps(about | {"notes": [*told.notes, *notes]}))
        return 0
    for each in notes:
        note(each)
    without_link = f"; {others} without one say why" if (others := len(shown) - links) else ""
    click.echo(f"{page}: {counted(links, 'link')} to doors of {who.name}{without_link}")
    return 0


def way_data(way: Way, through: Way | None = None) -> dict[str, object]:
    """A way, its role named as every answer names one; `through` is the door before it, `now` as answers say it."""
    from twokeys.answers.model import Time
    from twokeys.profiles.ways import closed, not_yet

    role = getattr(way, "role", None) or getattr(way, "permission_set", "")
    target = {"kind": "role", "account": way.account, "accountName": way.account_name, "name": role}
    told = {
        "target": target | {"arn": getattr(way, "role_arn", None)},
        "declared": {"name": way.name, **way.said},
        "kind": "role" if hasattr(way, "role_arn") else "identity-center",
        "source": {"kind": way.source.kind, "account": way.source.account, "name": way.source.name}
        | {"arn": getattr(way, "source_arn", "") or None},
        "permits": way.permits,
        "mfa": getattr(way, "mfa", False),
        "externalId": getattr(way, "asks_external_id", False),
        "conditions": list(way.conditions),
        "now": (Time.OVER if closed(way) else Time.LATER if not_yet(way) else Time.NOW).value,
    }
    return told | ({"through": through.name} if through else {})


def _as_data(ways: Sequence[Way], done: Written, *, dry_run: bool) -> dict[str, object]:
    headers = {name: getattr(done.change, name) for name in _SIGNS}
    data = [*map(way_data, ways), *(way_data(way, before) for way, before in done.ways.items() if before)]
    difference = {"diff": done.difference} if dry_run else {}
    return {**headers, "ways": data, "written": done.differs and not dry_run, **difference}


def _say(path: Path, done: Written, *, dry_run: bool) -> None:
    for one in done.notes:  # before a diff, which may be long
        note(one)
    click.echo(done.difference if dry_run else "", nl=False)
    change = done.change
    if dry_run and not done.differs:
        click.echo(f"{path}: nothing would change")
        return
    for name, sign in _SIGNS.items():
        for header in getattr(change, name):
            click.echo(f"{sign} {header}")
    around = done.differs and not (change.added or change.changed or change.removed)
    click.echo(
        f"{path}: {len(change.added)} added, {len(change.changed)} changed, {len(change.removed)} removed, "
        f"{len(change.kept)} unchanged{', the lines between them as they were made' if around else ''}"
        f"{' (nothing is written: --dry-run)' if dry_run else ''}"
    )
