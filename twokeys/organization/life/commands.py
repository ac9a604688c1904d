"""`twokeys account`: closing, by the call that AWS has for it; a dry run unless told."""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from twokeys.errors import Refusal
from twokeys.loopback import is_loopback
from twokeys.options import FILE, PROJECT, Group

if TYPE_CHECKING:
    import boto3

    from twokeys.access.reading.snapshot import Snapshot
    from twokeys.organization.life.facts import Facts
    from twokeys.project.stacks import StackSettings


@click.group(cls=Group)
def account() -> None:
    """A member account's life: its closing.

    A new account, another name, a move to another unit, quarantine (`state: quarantined`) and taking an account out of
    the stack (`state: closed`) are changes of config, and an update makes them. What an update cannot do is here.
    """


@account.command()
@click.argument("stack")
@PROJECT
@click.option(
    "--state",
    type=FILE,
    help="What `pulumi stack export -s STACK` wrote. On a local AWS by default the sandbox's state.",
)
@click.option("--profile", help="The AWS profile to use. Default: the environment's credentials.")
@click.option("--region", help="The region whose endpoints are asked. Default: the environment's.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--yes", is_flag=True, help="Do it. Without this, nothing is changed: it is said what would happen.")
def close(  # noqa: PLR0913 - one parameter an option
    *, stack: str, project: Path, state: Path | None, profile: str | None, region: str | None, as_json: bool, yes: bool
) -> int:
    """Close the accounts of STACK that config calls closed and the state has nothing of any more.

    They are taken in the order of the config, until AWS's quota of 30 days is used up: the rest stays queued, and the
    same command goes on later. Nothing but config, state and AWS says what is queued. A closed account cannot be
    used; AWS Support can reopen it for 90 days, and its e-mail address is never free again. Exits with 1 when an
    account must not be closed, or AWS refuses one.
    """
    from rich.console import Console

    from twokeys.access.reading.state import read_state
    from twokeys.organization.life.aws import closing
    from twokeys.organization.life.closing import quota, require_management, standings, work_through
    from twokeys.organization.life.report import ClosingReport
    from twokeys.organization.reading import aws_session
    from twokeys.project.stacks import read_settings
    from twokeys.project.states import sandbox_states

    config = read_settings(project.resolve(), stack)
    if state is None:
        _refuse_real_aws_for_the_sandbox(profile)
        state = sandbox_states(project.resolve(), (stack,))[0]
    session = aws_session(profile, region)
    facts = _facts(stack, config, read_state(state), session)
    require_management(facts)
    found, now = standings(facts), datetime.now(UTC)
    queue = [one for one in found if one.place == "queued"]
    allowed = quota(facts)
    done = work_through(queue, closing(session), time.sleep) if yes else None
    refused = [one for one in found if one.place == "refused"] + list(done.refused if done else ())
    report = ClosingReport(stack, found, queue, done, refused, allowed, now)
    if as_json:
        click.echo(json.dumps(report.as_json(), indent=2))
    else:
        report.show(Console(soft_wrap=True, highlight=False, markup=False))
    return 1 if refused or (done is not None and done.failed) else 0


def _refuse_real_aws_for_the_sandbox(profile: str | None) -> None:
    """The accounts of the sandbox's state are of a local AWS: only that may be asked about them."""
    if profile is not None or not is_loopback(os.environ.get("AWS_ENDPOINT_URL", "")):
        raise Refusal(
            "which AWS the stack is on cannot be told",
            where="--state",
            why="without it the state is the sandbox's, and the credentials here are not those of a local AWS",
            next_step="name what `pulumi stack export -s STACK --file FILE` wrote with --state FILE,"
            ' or run this after eval "$(twokeys sandbox shell)"',
        )


def _facts(stack: str, config: StackSettings, snapshot: Snapshot, session: boto3.Session) -> Facts:
    from twokeys.organization.life.facts import Facts, left_of
    from twokeys.organization.reading import read_live

    live = read_live(session, accounts_only=True)
    organization, caller, missing = live.organization, live.caller.account, sorted(set(live.unread.values()))
    if organization is None or organization.management_account != caller or missing:
        why = "it belongs to no organization"
        if missing:
            why = f"not permitted: {', '.join(missing)}"
        elif organization is not None:
            manager = organization.management_account
            why = f"only the organization's management account, {manager}, may ask and change what is asked here"
        raise Refusal(
            "asking about accounts from here",
            where=f"account {caller}",
            why=why,
            next_step="use credentials of the management account that may",
        )
    return Facts(
        stack=stack,
        file=config.file,
        settings=config.settings,
        caller=caller,
        organization=organization,
        environment=config.environment,
        left={account: left_of(snapshot, identifier) for account, identifier in config.settings.closed().items()},
    )
