"""`twokeys account`: addresses and closing, by the calls that AWS has for them; dry runs unless told."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from twokeys.errors import Refusal
from twokeys.loopback import is_loopback
from twokeys.options import FILE, PROFILE, PROJECT, Group

if TYPE_CHECKING:
    import boto3

    from twokeys.access.reading.snapshot import Snapshot
    from twokeys.organization.life.aws import Aws
    from twokeys.organization.life.facts import Facts
    from twokeys.project.stacks import StackSettings

_Command = TypeVar("_Command", bound=Callable[..., Any])


@click.group(cls=Group)
def account() -> None:
    """A member account's life: its e-mail address, its closing.

    A new account, another name, a move to another unit, quarantine (`state: quarantined`) and taking an account out of
    the stack (`state: closed`) are changes of config, and an update makes them. What an update cannot do is here.
    Without --yes nothing is changed: it is said what would happen, and what stands in the way.
    """


def _options(command: _Command) -> _Command:
    for option in (
        PROJECT,
        click.option(
            "--state",
            "state",
            type=FILE,
            help="What `pulumi stack export -s STACK` wrote. On a local AWS by default the sandbox's state.",
        ),
        click.option("--profile", type=PROFILE, help="The AWS profile to use. Default: the environment's credentials."),
        click.option("--region", help="The region whose endpoints are asked. Default: the environment's."),
        click.option("--json", "as_json", is_flag=True, help="Print JSON."),
    ):
        command = option(command)
    return command


_YES = click.option("--yes", is_flag=True, help="Do it. Without this, nothing is changed.")


@account.command()
@click.argument("stack")
@click.argument("name", metavar="ACCOUNT")
@click.argument("new_address")
@click.option("--otp", metavar="CODE", help="The code that AWS mailed to the new address: the second step.")
@_YES
@_options
def email(  # noqa: PLR0913, PLR0917 - click gives the options as arguments
    stack: str,
    name: str,
    new_address: str,
    otp: str | None,
    yes: bool,
    as_json: bool,
    **where: Any,  # noqa: ANN401
) -> int:
    """Give ACCOUNT (its key in the config of STACK) a new e-mail address, in the two steps that AWS has.

    First AWS mails a code to the new address; the same command with --otp CODE then makes it the address of the root
    user. Until then the old one stays. A local AWS keeps the mail in `mailbox.jsonl` of its folder. Exits with 1 when a
    precondition does not hold.
    """
    from twokeys.organization.life.changes import email_checks, remaining
    from twokeys.organization.life.report import email_as_json, show_email

    if otp == "":  # an empty variable of a script: without a code AWS would mail another one
        raise click.UsageError("--otp has no code: give the one that AWS mailed, or leave --otp out to have one mailed")
    facts, aws = _opened(stack, **where)
    if name not in facts.settings.accounts:
        raise Refusal(
            f"there is no account {name} in stack {stack}",
            where=facts.file,
            why=f"it has {', '.join(facts.settings.accounts) or 'none'}",
            next_step="name one by its key in `twokeys:accounts`",
        )
    identifier, there = facts.id_of(name), facts.at_aws(name)
    old, checks = there.email if there else "", email_checks(facts, name, new_address)
    fits = all(check.ok for check in checks)
    done = yes and fits and old != new_address
    if otp:
        what, left = "give AWS the code (AcceptPrimaryEmailUpdate)", remaining(facts, name, new_address)
    else:
        again = f"twokeys account email {stack} {name} {new_address} --otp CODE --yes"
        what = "have AWS mail a code there (StartPrimaryEmailUpdate)"
        left = [f"read the code: the mailbox of {new_address}", f"give it to AWS: `{again}`"]
    if done and otp:
        aws.accept_email(identifier, new_address, otp)
    elif done:
        aws.start_email(identifier, new_address)
    if as_json:
        said = {"account": name, "id": identifier, **email_as_json(old, new_address, checks, left, done=done)}
        click.echo(json.dumps(said, indent=2))
    else:
        click.echo(f"account {name} ({identifier or 'not made'}): e-mail address {old!r} -> {new_address!r}")
        show_email(what, checks, left, done=done, there=old == new_address)
    return 0 if fits else 1


@account.command()
@click.argument("stack")
@_YES
@_options
def close(stack: str, yes: bool, as_json: bool, **where: Any) -> int:  # noqa: ANN401
    """Close the accounts of STACK that config calls closed and the state has nothing of any more.

    They are taken in the order of the config, until AWS's quota of 30 days is used up: the rest stays queued, and the
    same command goes on later. Nothing but config, state and AWS says what is queued. A closed account cannot be
    used; AWS Support can reopen it for 90 days, and its e-mail address is never free again. Exits with 1 when an
    account must not be closed, or AWS refuses one.
    """
    from rich.console import Console

    from twokeys.organization.life.closing import standings, work_through
    from twokeys.organization.life.report import ClosingReport

    facts, aws = _opened(stack, **where)
    found, now = standings(facts), datetime.now(UTC)
    queue = [one for one in found if one.place == "queued"]
    done = work_through(queue, aws.close, time.sleep) if yes else None
    refused = [one for one in found if one.place == "refused"] + list(done.refused if done else ())
    report = ClosingReport(stack, found, queue, done, refused, now)
    if as_json:
        click.echo(json.dumps(report.as_json(), indent=2))
    else:
        report.show(Console(soft_wrap=True, highlight=False, markup=False))
    return 1 if refused or (done is not None and done.failed) else 0


def _opened(
    stack: str, *, project: Path, state: Path | None, profile: str | None, region: str | None
) -> tuple[Facts, Aws]:
    """What is known of a stack, and the AWS that the credentials are for."""
    from twokeys.access.reading.state import read_state
    from twokeys.organization.life.aws import Aws
    from twokeys.organization.reading import aws_session
    from twokeys.project.stacks import read_settings
    from twokeys.project.states import sandbox_states

    config = read_settings(project.resolve(), stack)
    if state is None:
        _refuse_real_aws_for_the_sandbox(profile)
        state = sandbox_states(project.resolve(), (stack,))[0]
    session = aws_session(profile, region)
    return _facts(stack, config, read_state(state), session), Aws(session)


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
    from twokeys.organization.life.facts import Facts, held_accounts, left_of
    from twokeys.organization.managed import managed
    from twokeys.organization.reading import read_live

    live = read_live(session, accounts_only=True)
    return Facts(
        stack=stack,
        file=config.file,
        settings=config.settings,
        held=held_accounts(snapshot),
        organization=managed(
            live, "accounts cannot be changed from here", management=config.settings.management_account_id
        ),
        environment=config.environment,
        left={account: left_of(snapshot, identifier) for account, identifier in config.settings.closed().items()},
    )
