"""`twokeys adopt`: an organization that exists becomes config. It only reads AWS."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from twokeys.errors import Refusal
from twokeys.options import PROFILE, ROLES

if TYPE_CHECKING:
    import boto3
    from rich.console import Console

    from twokeys.organization.adoption import Adoption, Entered
    from twokeys.organization.model import Live


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("Pulumi.adopted.yaml"),
    show_default=True,
    help="The management stack's file; its name gives the stack's. Files of environments are written beside it.",
)
@click.option(
    "--environment-by",
    metavar="ou|tag:NAME",
    help="Give accounts stacks of their own: one for each organizational unit that holds accounts, or for each value of"
    " a tag. Default: all accounts in the management stack.",
)
@ROLES("--access-role", "roles")
@click.option(
    "--root-email", help="The address from which accounts to come derive theirs. Default: the management account's own."
)
@click.option("--no-enter", is_flag=True, help="Do not try to enter the accounts; take all active ones over.")
@click.option("--yes", is_flag=True, help="Replace files that exist.")
@click.option("--profile", type=PROFILE, help="The AWS profile to use. Default: the environment's credentials.")
@click.option("--region", help="The region that the stacks work in. Default: that of the credentials, or us-east-1.")
@click.option("--json", "as_json", is_flag=True, help="Print what was written and what was left out as JSON.")
def adopt(  # noqa: PLR0913 - one parameter an option
    *,
    out: Path,
    environment_by: str | None,
    roles: tuple[str, ...],
    root_email: str | None,
    no_enter: bool,
    yes: bool,
    profile: str | None,
    region: str | None,
    as_json: bool,
) -> int:
    """Read an organization that exists and write the config of stacks that take it over.

    With credentials of the management account. Reads the organization, its units, policies, trusted services,
    delegated administrators and accounts, tries the access role of each account, and writes the management stack's
    file (and with --environment-by one for each environment). Nothing is changed in AWS, neither now nor by the first
    update, which imports: `pulumi preview -s adopted` shows imports, and creates of what only the state has (providers
    and components). What cannot be taken over is listed with its reason and what to do. Exits with 1 when nothing could
    be written; files that exist are replaced with --yes only.
    """
    from rich.console import Console

    from twokeys.organization.adoption import adopt as adoption_of
    from twokeys.organization.adoption import environments_by, refuse_unadoptable
    from twokeys.organization.reading import aws_session, read_live
    from twokeys.project.stacks import refuse_another_program

    stack = _stack_of(out)
    refuse_another_program(out.parent)
    split = environments_by(environment_by) if environment_by else None
    if not yes:
        _refuse_existing([out])  # the rest is known once AWS was asked, which takes its time
    session = aws_session(profile, region)
    with Console(stderr=True).status("Reading the organization"):
        live = read_live(session, tags=True)
        organization = refuse_unadoptable(live)
        entered = {} if no_enter else _enter(session, live, roles)
    made = adoption_of(
        organization,
        stack=stack,
        region=session.region_name or "us-east-1",
        entered=entered,
        root_email=root_email or organization.management_email,
        environment_of=split(organization) if split else lambda _: None,
        partition=live.caller.partition,
    )
    written = _write(made, out, live, replace=yes)
    if as_json:
        stacks = [
            {"stack": stack.name, "file": str(path), "accounts": len(stack.config.get("accounts", {}))}
            for stack, path in zip(made.stacks, written, strict=True)
        ]
        click.echo(json.dumps({"stacks": stacks, "leftOut": [one.as_dict() for one in made.left_out]}, indent=2))
    else:
        _show(made, written, Console(), local=live.caller.local)
    return 0


def _stack_of(out: Path) -> str:
    named = re.fullmatch(r"Pulumi\.([A-Za-z0-9_.-]{1,100})\.yaml", out.name)
    if named is None:
        raise click.UsageError(f"--out names a stack's file, such as Pulumi.adopted.yaml, not {out.name!r}")
    return named[1]


def _enter(session: boto3.Session, live: Live, roles: tuple[str, ...]) -> dict[str, Entered]:
    """Try the roles one after the other in those accounts that no earlier one opened."""
    from twokeys.organization.adoption import Entered
    from twokeys.organization.entering import Entrance, try_entrances
    from twokeys.organization.model import ACTIVE

    assert live.organization is not None  # noqa: S101 - the caller has it from there
    left = [
        account.id
        for account in live.organization.accounts
        if account.state == ACTIVE and account.id != live.caller.account
    ]
    entered: dict[str, Entered] = {}
    for role in roles:
        entrances = [Entrance(account, role) for account in left]
        for account, why_not in try_entrances(session, entrances, partition=live.caller.partition).items():
            entered[account] = Entered(None, f"{role}: {why_not}") if why_not else Entered(role)
        left = [account for account in left if entered[account].role is None]
    return entered


def _write(made: Adoption, out: Path, live: Live, *, replace: bool) -> list[Path]:
    """The files, all of them or none; none is replaced unasked."""
    from twokeys.files import write_outputs
    from twokeys.organization.stack_file import stack_file

    assert live.organization is not None  # noqa: S101 - as above
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    origin = (
        f"Written by `twokeys adopt` at {now} from organization {live.organization.id}, as {live.caller.arn} saw it."
    )
    texts = {
        out.with_name(f"Pulumi.{stack.name}.yaml"): stack_file(
            stack, origin=origin, left_out=made.left_out if stack is made.stacks[0] else ()
        )
        for stack in made.stacks
    }
    if not replace:
        _refuse_existing(texts)
    write_outputs(texts)
    return list(texts)


def _refuse_existing(files: Iterable[Path]) -> None:
    there = [str(path) for path in files if path.exists()]
    if there:
        raise Refusal(
            "files are not replaced unasked",
            where=", ".join(there),
            why="they exist, and may say what nothing else says",
            next_step="name another file with --out, move them away, or say --yes",
        )


def _show(made: Adoption, written: list[Path], console: Console, *, local: bool) -> None:
    from rich.markup import escape

    for stack, path in zip(made.stacks, written, strict=True):
        organization = stack.config.get("organization", {})
        counted = {
            "units": organization.get("organizationalUnits"),
            "policies": organization.get("serviceControlPolicies", {}) | organization.get("policies", {}),
            "accounts": stack.config.get("accounts"),
        }
        taken = ", ".join(f"{what}: {len(found)}" for what, found in counted.items() if found) or "nothing"
        console.print(f"[green]{escape(str(path))}[/] {taken}", highlight=False)
    for one in made.left_out:
        console.print(
            f"[yellow]not taken over[/] {escape(one.what)}: {escape(one.why)}. Next step: {escape(one.next_step)}.",
            highlight=False,
            soft_wrap=True,
        )
    stacks = " ".join(stack.name for stack in made.stacks)
    names = " and ".join(
        f"`pulumi stack init {stack.name} && pulumi preview -s {stack.name}`" for stack in made.stacks[:2]
    )
    console.print(
        f"Next: `twokeys preflight {stacks}`, then {names}, the management stack first. Expect imports, and"
        " creates of providers and components only: those are in the state and not in AWS.",
        highlight=False,
        soft_wrap=True,
    )
    if beside := sorted({*written[0].parent.glob("Pulumi.*.yaml")} - {*written}):
        claimed = (
            f"Remove those that came as examples, and update none of them: {', '.join(one.name for one in beside)}"
            f"{'; to rehearse on a local AWS, leave all as it is and go on' if local else ''}"
        )
        console.print(
            f"{claimed}. A stack claims the accounts and the organization that its file names.",
            highlight=False,
            soft_wrap=True,
        )
