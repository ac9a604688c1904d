"""`twokeys verify`: every door really tried, on the sandbox or on real AWS. It changes nothing in AWS."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from twokeys.errors import Refusal
from twokeys.options import FILE, PROFILE

if TYPE_CHECKING:
    from rich.console import Console

    from twokeys.doors import Who
    from twokeys.iam import Verdict
    from twokeys.verify.attempts import Probe
    from twokeys.verify.probes import MfaCode

_NOT_ENFORCED = "the local AWS does not enforce control policies"


@click.command()
@click.argument("stacks", nargs=-1, metavar="[STACK]...")
@click.option(
    "--state",
    "states",
    type=FILE,
    multiple=True,
    help="Real AWS: what `pulumi stack export` or `pulumi stack output --json` wrote; may be repeated.",
)
@click.option(
    "--profile", type=PROFILE, help="Real AWS: the profile to begin with. Default: the environment's credentials."
)
@click.option("--mfa-serial", help="Real AWS: your MFA device; a code is asked for at each door that wants one.")
@click.option("--rate", type=click.FloatRange(0.1, 50), default=5.0, show_default=True, help="Calls a second at most.")
@click.option("--verbose", is_flag=True, help="List every probe.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verify(  # noqa: PLR0913 - one parameter an option
    *,
    stacks: tuple[str, ...],
    states: tuple[Path, ...],
    profile: str | None,
    mfa_serial: str | None,
    rate: float,
    verbose: bool,
    as_json: bool,
) -> int:
    """Try the doors of each STACK of the sandbox (default: all), or with --state those of real AWS.

    Doors that must open are entered, and the caller identity is compared with the account; doors that must be shut are
    tried. On real AWS only sts:AssumeRole and sts:GetCallerIdentity are called, with your own credentials: what they
    cannot tell is said to be not probed. Exits with 1 when anything is not as expected, or nothing could be probed.
    """
    from rich.console import Console

    from twokeys.verify.attempts import Pace
    from twokeys.verify.credentials import probe_with
    from twokeys.verify.doors import exports

    if math.isnan(rate):
        raise click.BadParameter("nan is no number of calls", param_hint="--rate")
    if states and stacks:
        raise click.UsageError("name stacks of the sandbox, or files with --state, not both")
    if not states and (profile or mfa_serial):
        raise click.UsageError("--profile and --mfa-serial are for real AWS: add --state")
    found = (
        probe_with(profile, exports(_outputs(states)), _code(mfa_serial), Pace(rate))
        if states
        else _on_sandbox(stacks, rate)
    )
    probes = list(_shown(found, None if as_json else Console(stderr=True)))
    if not probes:
        raise Refusal(
            "there is nothing to verify",
            where=", ".join((*stacks, *map(str, states))) or "the sandbox",
            why="it exports neither a door nor an access role",
            next_step="name a stack that has doors",
        )
    if as_json:
        click.echo(json.dumps({"ok": _ok(probes), "probes": [one.as_dict() for one in probes]}, indent=2))
    else:
        _show(probes, Console(), verbose=verbose)
    return 0 if _ok(probes) else 1


def _outputs(files: Iterable[Path]) -> dict[str, Mapping[str, Any]]:
    """The outputs of stacks by file."""
    from twokeys.exports import read_exports

    return {str(file): read_exports(str(file)).outputs for file in files}


def _on_sandbox(stacks: tuple[str, ...], rate: float) -> Iterator[Probe]:
    """The sandbox can be anybody there, so it tries each door with its own caller.

    The local AWS keeps control policies and does not enforce them: what they shut is said from the states.
    """
    from twokeys.project.states import local_aws_of, sandbox_states
    from twokeys.sandbox.local_aws import LocalAws
    from twokeys.sandbox.probes import probe
    from twokeys.verify.attempts import Pace
    from twokeys.verify.doors import exports

    files = sandbox_states(Path.cwd())
    about = sandbox_states(Path.cwd(), stacks)
    whole, chosen = exports(_outputs(files)), exports(_outputs(about))
    with LocalAws.start(local_aws_of(files[0])) as aws:
        limited = _limited_by_control_policies(files)
        for one in probe(aws, whole, about=chosen.role_arns, pace=Pace(rate)):
            shut, why = limited.get((one.caller, one.role_arn, one.with_mfa), (False, ""))
            if shut:
                detail = f"AWS refuses it: {why}; {_NOT_ENFORCED}"
                yield replace(one, assumed=False, detail=detail, next_step="narrow that Deny, or take the door out")
            elif why and one.assumed:
                yield replace(one, detail=f"on AWS only under conditions: {why}; {_NOT_ENFORCED}", conditional=True)
            else:
                yield one


def _limited_by_control_policies(states: Iterable[Path]) -> dict[tuple[Who | None, str, bool], tuple[bool, str]]:
    """By who enters, the ARN of the role, and whether they bring MFA: whether control policies shut the door for every
    session, and which do.

    An account as a whole is limited as the least limited of those in it.
    """
    from twokeys.access.declared_doors import who
    from twokeys.access.graph import Judge, build
    from twokeys.access.model.principals import Identity
    from twokeys.access.reading.snapshot import Snapshot
    from twokeys.doors import Who
    from twokeys.exports import read_exports
    from twokeys.iam import Outcome

    graph = build(Snapshot.together((read_exports(str(file)).snapshot for file in states), "the sandbox"))
    found: dict[tuple[Who | None, str, bool], tuple[bool, str]] = {}
    judge = Judge(graph.guards, graph.accounts, with_mfa=True)
    plain = [(door, False) for door in chain(graph.doors, graph.steps)]
    mfa = [(judge.door(one.source, one.target), True) for one, _ in plain if isinstance(one.source, Identity)]
    for door, with_mfa in (*plain, *mfa):
        shut = door.outcome is Outcome.DENY
        verdicts: tuple[Verdict, ...] = (door.trust, door.grant)
        denials = [
            f"{one.document} denies it" if shut else f"{one.document} denies it {one.why}"
            for verdict in [one for one in verdicts if not shut or one.outcome is Outcome.DENY] or verdicts
            for one in verdict.decisions
            if one.effect == "Deny" and one.document.startswith(("SCP ", "RCP "))
        ]
        limit = shut and bool(denials), "; ".join(dict.fromkeys(denials))
        for caller in (who(door.source), Who("root", door.source.account)):
            key = caller, door.target.arn, with_mfa
            found[key] = min(limit, found.get(key, limit))
    return found


def _code(serial: str | None) -> MfaCode | None:
    if serial is None:
        return None
    return lambda: {"SerialNumber": serial, "TokenCode": click.prompt(f"A new code of {serial}", err=True)}


def _ok(probes: Iterable[Probe]) -> bool:
    """A door that can only be tried elsewhere is no failure; where nothing was tried that could be, all is open."""
    probes = list(probes)
    tried = [one for one in probes if one.probed]
    all_elsewhere = all(one.elsewhere for one in probes)
    return (bool(tried) or all_elsewhere) and all(one.as_expected for one in tried)


def _shown(found: Iterable[Probe], console: Console | None) -> Iterator[Probe]:
    """Say on the error stream what is being done while it is done."""
    if console is None:
        yield from found
        return
    with console.status("Trying doors") as status:
        for count, one in enumerate(found, 1):
            status.update(f"Trying doors: {count} tried")
            yield one


_STYLES = {"as expected": "green", "conditional": "cyan", "NOT as expected": "bold red", "not probed": "yellow"}


def _show(probes: list[Probe], console: Console, *, verbose: bool) -> None:
    """The verdict, then whatever is not as expected in full."""
    from rich.table import Table

    from twokeys.shown import cell, say, show_table

    probed = [one for one in probes if one.probed]
    right = sum(one.as_expected for one in probed)
    entered, refused = (sum(one.assumed is each for one in probes) for each in (True, False))
    under = sum(one.conditional for one in probed)
    some = f", {under} of them only under conditions on AWS" if under else ""
    why = dict.fromkeys(one.detail.partition(" (")[0] for one in probes if not one.probed)
    left = f"; {len(probes) - len(probed)} not probed: {'; '.join(why)}" if why else ""
    verdict = f"{right} of {len(probed)} probes went as expected{some}"
    say(console, f"{verdict}: {entered} let in, {refused} refused{left}", "green" if _ok(probes) else "bold red")
    for one in probes:
        if one.judged != "as expected":
            step = f" Next step: {one.next_step}." if one.next_step else ""
            say(console, f"{one.judged}: {one.name} ({one.role_arn}): {one.detail}.{step}", _STYLES[one.judged])
    if verbose:
        table = Table()
        for column in ("probe", "happened", ""):
            table.add_column(column, overflow="fold")
        for one in probes:
            table.add_row(cell(one.name), one.happened, one.judged, style=_STYLES[one.judged])
        show_table(console, table)
