"""`twokeys preflight`: what would stop a stack's first update, found before it begins. It only reads AWS."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from twokeys.options import PROFILE, PROJECT
from twokeys.organization.findings import CheckResult, Status

if TYPE_CHECKING:
    import boto3
    from rich.console import Console

    from twokeys.organization.model import Live
    from twokeys.organization.plan import Plan

_STYLES = {Status.WARNING: "yellow", Status.FAILURE: "bold red"}
_COUNTED = {Status.WARNING: "warning", Status.FAILURE: "failure"}


@click.command()
@click.argument("stacks", nargs=-1, required=True, metavar="STACK...")
@PROJECT
@click.option("--no-enter", is_flag=True, help="Do not try to enter the accounts that exist.")
@click.option("--profile", type=PROFILE, help="The AWS profile to use. Default: the environment's credentials.")
@click.option("--region", help="The region to ask. Default: that of the credentials, or us-east-1.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def preflight(  # noqa: PLR0913 - one parameter an option
    *, stacks: tuple[str, ...], project: Path, no_enter: bool, profile: str | None, region: str | None, as_json: bool
) -> int:
    """Check before the first create everything that can be known of each STACK (or environment), in one go.

    Credentials, the organization and its features, trusted access and policy types, organizational units, whether
    e-mail addresses and names are taken (by suspended accounts too, and among all stack files of the project), what is
    adopted, requests under way, the account quota, and whether accounts that exist can be entered (sts:AssumeRole is
    really called). Nothing is changed. What cannot be known for want of a permission is a failure that names the
    permission; each failure says what to do. Exits with 0 when nothing fails; warnings do not count.
    """
    from rich.console import Console

    from twokeys.organization.preflight import preflight as findings_of
    from twokeys.organization.preflight import read_project
    from twokeys.organization.reading import aws_session, read_live

    known = read_project(project.resolve(), stacks)
    session = aws_session(profile, region)
    with Console(stderr=True).status("Reading the organization"):
        live = read_live(session)
        tried = None if no_enter else _enter(session, live, known.chosen)
    findings = list(findings_of(known, live, tried))
    failed = any(one.status is Status.FAILURE for one in findings)
    if as_json:
        click.echo(json.dumps({"ok": not failed, "findings": [one.as_dict() for one in findings]}, indent=2))
    else:
        _show(findings, Console())
    return 1 if failed else 0


def _enter(session: boto3.Session, live: Live, plans: tuple[Plan, ...]) -> dict[str, str | None]:
    """A root user may assume nothing, and is refused already; in a member account there is nobody to enter."""
    from twokeys.organization.entering import try_entrances
    from twokeys.organization.plan import entrances, wanted

    organization, caller = live.organization, live.caller
    if organization is None or (caller.is_root_user and not caller.local):
        return {}
    return try_entrances(session, entrances(wanted(plans, organization), organization), partition=caller.partition)


def _show(findings: list[CheckResult], console: Console) -> None:
    from twokeys.shown import counted, say

    for one in findings:
        if one.status is not Status.PASS:
            say(console, f"{one.status.value} of {one.check}, {one.where}: {one.what}", _STYLES[one.status])
            if one.next_step:
                say(console, f"  Next step: {one.next_step}.")
    counts = Counter(one.status for one in findings)
    right = ", ".join(one.check for one in findings if one.status is Status.PASS)
    say(console, f"as it must be: {right or 'nothing'}")
    found = [counted(counts[one], word) for one, word in _COUNTED.items()]
    console.print(", ".join((f"{counts[Status.PASS]} passed", *found)))
