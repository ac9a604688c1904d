"""The profiles of somebody's ways, written into a block of the AWS config file: what is refused, what stays, why."""

import os
from collections.abc import Iterable, Mapping, Sequence, Set
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from twokeys import files
from twokeys.doors import Who
from twokeys.errors import Refusal, or_nearest
from twokeys.exports import Exports
from twokeys.profiles import awsconfig
from twokeys.profiles.options import as_of
from twokeys.profiles.reading import TOGETHER, Reading
from twokeys.profiles.sections import (
    Choices,
    ascii_line,
    has_credentials,
    mfa_from,
    no_profile,
    sections_for,
    session_name,
    session_of,
)
from twokeys.profiles.ways import RoleWay, Way, beyond
from twokeys.shown import listed


@dataclass(frozen=True)
class Written:
    """What was written, or with a dry run would be.

    `ways` are those that have a profile, each with the one that it is behind; `difference` is a unified diff, which may
    be empty though the text `differs`; `notes` are sentences about what may keep somebody from using a profile.
    """

    ways: Mapping[Way, Way | None]
    change: awsconfig.Change
    differs: bool
    difference: str
    notes: tuple[str, ...]


NO_DOOR = "there is no door of theirs in this file: ask whoever runs the stacks for one"
"""What helps somebody who has none of these doors."""


def config_file() -> Path:
    """The AWS CLI's config file."""
    return Path(os.environ.get("AWS_CONFIG_FILE") or "~/.aws/config").expanduser()


def credentials() -> tuple[Path, dict[str, Mapping[str, str]]]:
    """The credentials file and its profiles, which win over those of the config file."""
    path = Path(os.environ.get("AWS_SHARED_CREDENTIALS_FILE") or "~/.aws/credentials").expanduser()
    return path, awsconfig.profiles_in(files.read_text(path), str(path), credentials=True)


def write(  # noqa: PLR0913, PLR0917 - whose profiles, what the exports tell, what was chosen
    who: Who,
    ways: Sequence[Way],
    told: Reading,
    exports: Sequence[Exports],
    given: Mapping[str, str | None],
    path: Path,
    *,
    dry_run: bool,
) -> Written:
    """Write a profile for each of these ways that can have one, and for those behind them; `given` are options by name.

    With `dry_run`, nothing is written into the file at `path`.

    Raises:
        Refusal: a profile would take the place of somebody's own, of another's in the block, or lead elsewhere; the
            file cannot be read or written.
    """
    own_name = ascii_line(session_name(who.name))
    secret, kept = credentials()

    with nullcontext() if dry_run else files.locked(path):
        old = files.read_text(path)
        mine = awsconfig.by_hand(old)
        had, by_hand = (awsconfig.profiles_in(text, str(path)) for text in (old, mine))
        choices = Choices.of({name: said for name, said in given.items() if said})
        first, block = _settings_of(choices.source, had, kept), f"{choices.prefix}doors"
        sessions, own_sessions = (awsconfig.sso_sessions_in(text, str(path)) for text in (old, mine))
        choices = replace(
            choices,
            session=session_of(first),
            region=first.get("region"),
            sso_before=sessions.get(choices.sso_session, {}),
            sso_sessions=own_sessions,
        )
        holder = awsconfig.holders(old).get(block, own_name)
        unwritten = {way: why for way in told.ways if (why := no_profile(way, choices))}
        written: dict[Way, Way | None] = dict.fromkeys(way for way in ways if way not in unwritten)
        written |= beyond((way for way in told.ways if way not in unwritten), written)
        sections = sections_for(who, written, choices)
        shadowed = [one.name for one in sections if one.kind == "profile" and one.name in kept]
        awsconfig.refuse_taken(
            shadowed, str(secret), "what the credentials file has of that name would be mixed with ours"
        )
        done = awsconfig.rewrite(old, block, sections, str(path), holder=own_name)
        _refuse_circle(choices.source, had, done, str(path))
        _refuse_lost(had, done, own_name, holder, f"{path}: the block {block}", {way.account for way in told.ways})
        differs = done.text != old
        if differs and not dry_run:
            files.replace_text(path, old, done.text)
    own = {one for one in (*kept, *by_hand) if has_credentials(_settings_of(("source_profile", one), by_hand, kept))}
    notes = (
        *(f"{choices.prefix}{way.name} {unwritten[way]}" for way in ways if way in unwritten),
        *mfa_from(written, who, choices),
        *_notes(choices.source, has_credentials(first), own, ways),
        *([] if ways else [NO_DOOR]),
        *_missing(exports),
    )
    return Written(written, done, differs, awsconfig.diff(old, done.text, block, str(path)), notes)


def _refuse_circle(
    source: tuple[str, str], had: Mapping[str, Mapping[str, str]], done: awsconfig.Change, where: str
) -> None:
    """Refuse a source profile that is one of the block, or has its own credentials from one."""
    ours, name = {*done.added, *done.changed, *done.removed, *done.kept}, source[1]
    for _ in range(len(had) + 1 if source[0] == "source_profile" else 0):
        if f"profile {name}" in ours:
            raise Refusal(
                f"the profile {source[1]} cannot be the source",
                where=f"{where}: [profile {name}]",
                why="it is in the block that this writes, so its credentials would come from itself",
                next_step="name the profile with your own credentials with --source-profile",
            )
        name = had.get(name, {}).get("source_profile", "")


def _notes(source: tuple[str, str], ready: bool, own: Set[str], ways: Sequence[Way]) -> list[str]:
    """What is no reason to refuse, but will keep somebody from using a profile.

    `ready` is whether the source has credentials, `own` are the profiles with some that are not ours.
    """
    profile = source[1] if source[0] == "source_profile" and any(isinstance(way, RoleWay) for way in ways) else None
    if profile is None or ready:
        return []
    if "AWS_ACCESS_KEY_ID" in os.environ and profile == "default":
        return [
            "your credentials are in the environment, which no source profile reads: take them with"
            " --credential-source Environment"
        ]
    other = f", or name another with --source-profile: {listed(sorted(own))}" if own else ""
    make = or_nearest(f"`aws configure --profile {profile}`{other}", profile, own)
    return [f"the source profile {profile} has no credentials yet: {make}"]


def _refuse_lost(  # noqa: PLR0913, PLR0917 - what was there, what comes of it, whose it is
    had: Mapping[str, Mapping[str, str]], done: awsconfig.Change, name: str, holder: str, where: str, into: Set[str]
) -> None:
    """Refuse to change the block unasked where it loses profiles of somebody else, or of another organization.

    That they are where nothing stays, and none leads `into` an account of this one's doors.

    A profile of Identity Center does not say whose it is: then it is the block's holder's.
    """
    lost = [had.get(one.removeprefix("profile "), {}) for one in (*done.removed, *done.changed)]
    if others := ", ".join(sorted({each.get("role_session_name", holder) for each in lost} - {name})):
        raise Refusal(
            f"the profiles there are of {others}",
            where=where,
            why=f"they would go, for those of {name}",
            next_step=f"give those of {name} a --prefix, or remove that block from the file first",
        )
    arns = [one.get("role_arn", f"::::{one.get('sso_account_id', '')}") for one in lost]
    accounts = {arn.split(":")[4] for arn in arns} - {""}
    stays = any(one.startswith("profile ") for one in done.kept)
    if accounts and not stays and into and accounts.isdisjoint(into):
        raise Refusal(
            "the profiles there are of another organization",
            where=where,
            why=f"they would go: these doors lead into none of their accounts, {', '.join(sorted(accounts))}",
            next_step="give these --prefix org2-, or remove that block from the file first",
        )


def _settings_of(
    source: tuple[str, str], had: Mapping[str, Mapping[str, str]], kept: Mapping[str, Mapping[str, str]]
) -> Mapping[str, str]:
    """What is set where the first credentials come from; of one name, the credentials file wins."""
    kind, name = source
    return {kind: name} if kind == "credential_source" else {**had.get(name, {}), **kept.get(name, {})}


def _missing(exports: Sequence[Exports]) -> Iterable[str]:
    """Of when these exports are, and what they do not tell."""
    yield from dates(exports)
    for each in exports:
        if isinstance(unseen := each.outputs.get("accounts_not_shown"), list) and unseen:
            yield f"{each.where} does not show the users and roles of {', '.join(map(str, unseen))}, nor ways by them"


def dates(exports: Iterable[Exports]) -> Iterable[str]:
    """Of when each published file is."""
    return (f"{each.where} is {said}" for each in exports if each.where != TOGETHER and (said := as_of(each)))
