"""`twokeys profiles`: AWS CLI profiles, or a page of switch-role links, for exactly the doors that somebody has."""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Container, Iterable, Mapping, Sequence, Set
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from twokeys.errors import Refusal, nearest, or_nearest
from twokeys.profiles.options import (
    ORGANIZATION,
    as_of,
    complete,
    doors_options,
    exports_of,
    mfa_serial,
    note,
    read_said,
)
from twokeys.shown import counted, listed

if TYPE_CHECKING:
    from twokeys.doors import Who
    from twokeys.exports import Exports
    from twokeys.profiles import awsconfig
    from twokeys.profiles.reading import Reading
    from twokeys.profiles.ways import Members, Way

_WOULD_CHANGE = 3
_NO_DOOR = (
    "there is no door of theirs in these exports: ask whoever publishes them, or have one opened for a while (`twokeys"
    " access open NAME --from DOOR --user NAME`, in the program's folder)"
)
_OF_THE_PAGE = frozenset({"states", "published", "person", "account", "groups", "sso_start_url", "page", "as_json"})
"""The options that a page takes."""


def _word(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """One printable word, as a setting of the config file is."""
    if value and not re.fullmatch("[!-~]+", value):
        raise click.BadParameter(f"{value!r} is not one word of printable ASCII", ctx, param)
    return value


def _named(ctx: click.Context, param: click.Parameter, value: str) -> str:
    """What every SDK's parser takes in a name: https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html"""
    if not re.fullmatch(r"[A-Za-z0-9_./%@:+-]*", value):
        raise click.BadParameter(f"{value!r}: use letters, digits and any of _ . / % @ : + -", ctx, param)
    return value


def _config(given: Path | None) -> Path:
    return given or Path(os.environ.get("AWS_CONFIG_FILE") or "~/.aws/config").expanduser()


def _profiles(ctx: click.Context, _: click.Parameter, begun: str) -> list[str]:
    """The profiles that there are, for TAB."""
    from twokeys import files
    from twokeys.profiles import awsconfig

    path = _config(ctx.params.get("config"))
    try:
        names = {*awsconfig.profiles_in(files.read_text(path), str(path)), *_credentials()[1]}
    except Refusal:
        return []
    return sorted(name for name in names if name.startswith(begun))


@click.command()
@doors_options
@click.option(
    "--person", metavar="NAME", shell_complete=complete, help="The IAM or Identity Center user whose doors these are."
)
@click.option(
    "--role", metavar="NAME", shell_complete=complete, help="The role (of a CI job, say) whose doors these are."
)
@click.option(
    "--account", default="", metavar="ID", help="The account of that user or role, if its name is in several."
)
@click.option("--group", "groups", multiple=True, metavar="NAME", help="A group the person is in, if no file says so.")
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to write; default: $AWS_CONFIG_FILE, else ~/.aws/config.",
)
@click.option(
    "--prefix",
    default="",
    metavar="TEXT",
    callback=_named,
    help="Put this before each profile's name (the door's name).",
)
@click.option(
    "--block",
    default="doors",
    metavar="NAME",
    show_default=True,
    callback=_named,
    help="The block of the file to rewrite.",
)
@click.option(
    "--source-profile",
    metavar="NAME",
    callback=_word,
    shell_complete=_profiles,
    help="The profile with your own credentials.  [default: default]",
)
@click.option(
    "--credential-source",
    type=click.Choice(["Environment", "Ec2InstanceMetadata", "EcsContainer"]),
    help="Where a CI job has its credentials, instead of a source profile.",
)
@click.option(
    "--region", callback=_word, help="The region of the profiles; default: the one the state has for the account."
)
@click.option("--mfa-serial", metavar="ARN", callback=mfa_serial, help="Your MFA device, if it is not called like you.")
@click.option(
    "--sso-session",
    default="twokeys",
    show_default=True,
    metavar="NAME",
    callback=_named,
    help="Identity Center's session.",
)
@click.option(
    "--sso-start-url", metavar="URL", callback=_word, help="Identity Center's address, if the state does not tell it."
)
@click.option(
    "--sso-region", metavar="REGION", callback=_word, help="Identity Center's region, if the state does not tell it."
)
@click.option("--replace", is_flag=True, help="Let the profiles of somebody else, or of another organization, go.")
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
    block: str,
    source_profile: str | None,
    credential_source: str | None,
    replace: bool,
    dry_run: bool,
    page: Path | None,
    as_json: bool,
    **chosen: Any,  # noqa: ANN401 - the options that `Choices` has by the same names
) -> int:
    """Write AWS CLI profiles for exactly the doors that a person or a role has, and for those behind their roles.

    The profiles stand in one marked block of the config file. Each run rewrites that block, so the profile of a door
    that is gone goes too; one of an account that the files do not show stays, which is said, and is refused where a
    door of the same name would take its place. Everything else in the file stays as it is, byte by byte, and a profile
    that you wrote yourself is never touched: one of the same name is refused.

    With --page it writes no profiles, but one HTML page, to be kept anywhere: a link for each door, which switches to
    its role in the AWS console, in the colour of its environment. It loads nothing and runs no script.

    \b
    Examples:
      twokeys profiles --person ada --from https://example.com/doors.json
      twokeys profiles --person ada --state prod.json --dry-run
      twokeys profiles --person ada --page ways-in.html
      aws sts get-caller-identity --profile prod-reader

    Exit codes: 0 done (or nothing to do), 1 refused, 2 wrong usage, 3 --dry-run found something to change.
    """
    from twokeys import files
    from twokeys.doors import Who
    from twokeys.profiles import awsconfig
    from twokeys.profiles.reading import accounts_shown, with_states
    from twokeys.profiles.sections import (
        Choices,
        account_of,
        ascii_line,
        mfa_from,
        no_profile,
        sections_for,
        session_name,
        session_of,
    )
    from twokeys.profiles.ways import beyond, ways_of

    _refuse_contradictions()
    who = Who("user" if person else "role", account, person or role or "")
    own_name = ascii_line(session_name(who.name))
    path = _config(config)
    ours = (Path.cwd() / ".twokeys").resolve() in Path(os.path.realpath(path)).parents
    exports = with_states(exports_of(states, published, sandbox=dry_run or ours or page is not None))
    told = read_said(exports)
    ways = ways_of(told.ways, told.members, who, groups)
    if not ways and not groups:
        _refuse_unknown(who, told.ways, told.members)
    if page:
        return _write_page(page, who, ways, told, exports, chosen["sso_start_url"], as_json=as_json)

    shown, unwritten = accounts_shown(exports), {way: why for way in ways if (why := no_profile(way))}
    written: dict[Way, Way | None] = dict.fromkeys(way for way in ways if way not in unwritten)
    written |= beyond((way for way in told.ways if no_profile(way) is None), written)
    secret, kept = _credentials()
    source = ("source_profile", source_profile or "default")
    source = ("credential_source", credential_source) if credential_source else source

    def stays(name: str, settings: Mapping[str, str]) -> bool:
        if settings.get("role_session_name", holder) != own_name:
            return False
        not_told = name.removeprefix(chosen["prefix"]) in told.unread or account_of(settings) not in shown
        return not_told or settings.get("role_arn") in {getattr(way, "role_arn", "") for way in unwritten}

    with contextlib.nullcontext() if dry_run else files.locked(path):
        old = files.read_text(path)
        had, holder = awsconfig.profiles_in(old, str(path)), awsconfig.holder_of(old, block, str(path)) or own_name
        choices = Choices(source=source, session=session_of(_settings_of(source, had, kept)), **chosen)
        sections = sections_for(who, written, choices, awsconfig.sso_sessions_in(old, block, str(path)))
        _refuse_shadowed(sections, secret, kept)
        _refuse_circle(source, {one.name for one in sections}, had)
        done = awsconfig.rewrite(old, block, sections, str(path), stays, holder=own_name)
        if not replace:
            _refuse_lost(had, done, own_name, holder, shown=shown, block=block, path=path)
        differs = done.text != old
        if differs and not dry_run:
            files.replace_text(path, old, done.text)
    notes = [
        *(f"{chosen['prefix']}{way.name} {why}" for way, why in unwritten.items()),
        *(f"{chosen['prefix']}{way.name} {why}" for way in written if (why := mfa_from(way, who, choices.session))),
        *(told.notes if as_json else ()),  # on standard error they are said already
        *_notes(source, {*kept, *had} - {one.name for one in sections}, ways),
        *_missing(done, path, exports, shown),
    ]
    difference = awsconfig.diff(old, done.text, str(path)) if dry_run else None
    if as_json:
        report = {"for": {"kind": who.kind, "name": who.name}, "file": str(path), "notes": notes, **_changes(done)}
        data = [*map(_way_data, ways), *(_way_data(way, before) for way, before in written.items() if before)]
        report |= {"ways": data, "written": differs and not dry_run}
        click.echo(json.dumps(report | ({"diff": difference} if dry_run else {})))
    else:
        _say(path, done, difference, notes)
    return _WOULD_CHANGE if dry_run and differs else 0


def _refuse_contradictions() -> None:
    """Options that do not go together: two names or none, two sources of credentials, `--page` and one of profiles."""
    run = click.get_current_context()
    if bool(run.params["person"]) == bool(run.params["role"]):
        raise click.UsageError("Say whose doors: either --person NAME or --role NAME.")
    if run.params["source_profile"] and run.params["credential_source"]:
        raise click.UsageError("Give --source-profile or --credential-source, not both.")
    given = (
        one for one in run.command.params if run.get_parameter_source(one.name or "") is ParameterSource.COMMANDLINE
    )
    others = [one.opts[0] for one in given if one.name not in _OF_THE_PAGE]
    if run.params["page"] == Path("-") and run.params["as_json"]:
        raise click.UsageError("--page - prints the page: leave out --json.")
    if run.params["page"] and others:
        raise click.UsageError(f"--page writes no profiles and is for a --person: leave out {' and '.join(others)}.")


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
    from twokeys.profiles.ways import beyond, closed, not_yet

    behind = beyond((way for way in told.ways if not closed(way)), (way for way in ways if not closed(way)))
    shown = {**dict.fromkeys(ways), **behind}

    text = page_of(who.name, shown, [each for each in map(as_of, exports) if each], start_url)
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
    notes = [*_dates(exports), *([] if ways else [_NO_DOOR])]
    if as_json:
        report = {"for": {"kind": who.kind, "name": who.name}, "file": str(page)}
        data = [_way_data(way, before) for way, before in shown.items()]
        click.echo(json.dumps(report | {"ways": data, "notes": [*told.notes, *notes]}))
        return 0
    for each in notes:
        note(each)
    shut = sum(bool(closed(way) or not_yet(way)) for way in shown)
    apart = f", and {shut} that {'is' if shut == 1 else 'are'} not open" if shut else ""
    click.echo(f"{page}: {counted(len(shown) - shut, 'open door')} of {who.name}{apart}")
    return 0


def _refuse_unknown(who: Who, ways: Sequence[Way], members: Members) -> None:
    """Somebody whom no export names is more likely misspelt than without doors; profiles would then be removed."""
    from twokeys.profiles.ways import known_people, known_roles

    roles = known_roles(ways)
    known = known_people(ways, members) if who.kind == "user" else roles
    if who.name in known:
        _refuse_other_account(who, ways, members)
        return
    close = nearest(who.name, known)
    named = (
        f"name {close}, if that is who you mean"
        if close
        else f"{'name one of them, or ' if known else ''}give all stacks"
    )
    if who.kind == "user" and who.name in roles:
        named = f"{who.name} is a role: --role {who.name}"
    elif who.kind == "role" and who.name in known_people(ways, members):
        named = f"{who.name} is a person: --person {who.name}"
    raise Refusal(
        f"no {who.kind} is called {who.name}",
        where=f"{who.kind}s of these exports",
        why=f"the {who.kind}s there are {', '.join(sorted(known))}" if known else f"no {who.kind} is named there",
        next_step=named,
    )


def _refuse_other_account(who: Who, ways: Sequence[Way], members: Members) -> None:
    from twokeys.profiles.ways import people

    accounts = {one.account for one in people(ways, members) if one.name == who.name}
    accounts |= {group.account for group, users in members.items() if who.name in users}
    if who.account and accounts and not accounts & {who.account, ""}:
        raise Refusal(
            f"{who.name} is nobody of account {who.account}",
            where="these exports",
            why=f"{who.name} is in {', '.join(sorted(accounts))}",
            next_step="name that account, or leave --account out",
        )


def _credentials() -> tuple[Path, dict[str, Mapping[str, str]]]:
    """The credentials file and its profiles, which win over those of the config file."""
    from twokeys import files
    from twokeys.profiles import awsconfig

    path = Path(os.environ.get("AWS_SHARED_CREDENTIALS_FILE") or "~/.aws/credentials").expanduser()
    return path, awsconfig.profiles_in(files.read_text(path), str(path), credentials=True)


def _refuse_shadowed(sections: Iterable[awsconfig.Section], secret: Path, known: Mapping[str, object]) -> None:
    for section in sections:
        if section.kind == "profile" and section.name in known:
            raise Refusal(
                f"the profile {section.name} is already there",
                where=f"{secret}: [{section.name}]",
                why="the credentials file has settings of that name, which would be mixed with ours",
                next_step="rename or remove it, or give our profiles a --prefix",
            )


def _notes(source: tuple[str, str], known: Set[str], ways: Sequence[Way]) -> list[str]:
    """What is no reason to refuse, but will keep somebody from using a profile; `known` are those of others than us."""
    from twokeys.profiles.ways import RoleWay

    if not ways:
        return [_NO_DOOR]
    profile = source[1] if source[0] == "source_profile" and any(isinstance(way, RoleWay) for way in ways) else None
    if profile is None or profile in known:
        return []
    if "AWS_ACCESS_KEY_ID" in os.environ and profile == "default":
        return [
            "your credentials are in the environment, which no source profile reads: take them with"
            " --credential-source Environment"
        ]
    other = f", or name another with --source-profile: {listed(sorted(known))}" if known - {profile} else ""
    make = or_nearest(f"make it with `aws configure --profile {profile}`{other}", profile, known)
    return [f"the source profile {profile} is not there yet: {make}"]


def _refuse_lost(  # noqa: PLR0913 - what the block holds, and what would come
    had: Mapping[str, Mapping[str, str]],
    done: awsconfig.Change,
    name: str,
    holder: str,
    *,
    shown: frozenset[str],
    block: str,
    path: Path,
) -> None:
    """Refuse to change the block unasked where it loses profiles of somebody else, or of accounts that are not shown.

    A profile of Identity Center does not say whose it is: then it is the block's holder's.
    """
    from twokeys.profiles import awsconfig
    from twokeys.profiles.sections import account_of

    lost = (had.get(one.removeprefix("profile "), {}) for one in (*done.removed, *done.changed))
    if others := ", ".join(sorted({each.get("role_session_name", holder) for each in lost} - {name})):
        raise Refusal(
            f"the block {block} holds the profiles of {others}",
            where=str(path),
            why=f"they would go, for those of {name}",
            next_step=f"give {name} another --block (and a --prefix where names are the same), or let those of {others}"
            " go with --replace",
        )
    after = awsconfig.profiles_in(done.text, str(path))
    held = {
        f"sso-session {settings.get('sso_session')}" for one, settings in after.items() if f"profile {one}" in done.held
    }

    def leads_elsewhere(header: str) -> bool:
        was, to = (account_of(each.get(header.removeprefix("profile "), {})) for each in (had, after))
        return was not in {*shown, to} or header in held

    if moved := [header for header in done.changed if leads_elsewhere(header)]:
        raise Refusal(
            f"the block {block} holds {listed(moved)} of accounts that these exports do not show",
            where=str(path),
            why="each would lead elsewhere then: another organization has doors of the same names, or an account was"
            " made anew under its old name",
            next_step=f"write another organization's with {ORGANIZATION}; of an account made anew, let the old ones go"
            " with --replace",
        )


def _settings_of(
    source: tuple[str, str], had: Mapping[str, Mapping[str, str]], kept: Mapping[str, Mapping[str, str]]
) -> Mapping[str, str]:
    """What is set where the first credentials come from; of one name, the credentials file wins."""
    kind, name = source
    return {kind: name} if kind == "credential_source" else {**had.get(name, {}), **kept.get(name, {})}


def _refuse_circle(source: tuple[str, str], ours: Container[str], profiles: Mapping[str, Mapping[str, str]]) -> None:
    """Refuse a source profile that has its own credentials through one that this run writes.

    Of such a circle the AWS CLI says InfiniteLoopConfigError.
    """
    seen: list[str] = []
    at = source[1] if source[0] == "source_profile" else None
    while at and at not in seen:
        seen.append(at)
        if at in ours:
            raise Refusal(
                f"--source-profile {source[1]}",
                where=" -> ".join(seen),
                why="that is one of the profiles that this run writes, and cannot be their source too",
                next_step="name the profile that has your own credentials",
            )
        at = profiles.get(at, {}).get("source_profile")


def _missing(done: awsconfig.Change, path: Path, exports: Sequence[Exports], shown: frozenset[str]) -> Iterable[str]:
    """What these exports do not tell: the profiles that stay for that, what happened since, and what is left out."""
    from twokeys.profiles import awsconfig
    from twokeys.profiles.sections import account_of

    for name, settings in awsconfig.profiles_in(done.text, str(path)).items() if done.held else ():
        if f"profile {name}" in done.held and account_of(settings) not in shown:
            yield (
                f"{name} stays as it was, since these exports do not show account {account_of(settings)}; if that door"
                " is gone, delete the profile by hand"
            )
    yield from _dates(exports)
    for each in exports:
        if isinstance(unseen := each.outputs.get("accounts_not_shown"), list) and unseen:
            yield f"{each.where} does not show the users and roles of {', '.join(map(str, unseen))}, nor ways by them"


def _dates(exports: Iterable[Exports]) -> Iterable[str]:
    return (f"{each.where} is {said}" for each in exports if (said := as_of(each)))


def _way_data(way: Way, through: Way | None = None) -> dict[str, object]:
    """A way, its role named as every answer names one; `through` is the door before it."""
    role = getattr(way, "role", None) or getattr(way, "permission_set", "")
    target = {"kind": "role", "account": way.account, "accountName": way.account_name, "name": role}
    told = {"target": target | {"arn": getattr(way, "role_arn", None)}, "declared": {"name": way.name, **way.said}}
    return told | ({"through": through.name} if through else {})


def _changes(done: awsconfig.Change) -> dict[str, object]:
    return {"added": done.added, "changed": done.changed, "removed": done.removed, "kept": done.kept}


def _say(path: Path, done: awsconfig.Change, difference: str | None, notes: Iterable[str]) -> None:
    for one in notes:  # before a diff, which may be long
        note(one)
    if difference is not None:
        click.echo(difference or f"{path}: nothing would change\n", nl=False)
        return
    for sign, headers in (("+", done.added), ("~", done.changed), ("-", done.removed), ("=", done.kept)):
        for header in headers:
            click.echo(f"{sign} {header}")
    click.echo(
        f"{path}: {len(done.added)} added, {len(done.changed)} changed, {len(done.removed)} removed, "
        f"{len(done.kept)} unchanged"
    )
