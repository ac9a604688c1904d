"""`twokeys access`: who can enter which account, from a state, a sandbox stack or live IAM."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from twokeys.access_role import ACCESS_ROLE
from twokeys.errors import Refusal

if TYPE_CHECKING:
    from twokeys.access.snapshot import Snapshot

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def access() -> None:
    """Who can enter which account, and what a change does to that."""


@access.command("check")
@click.option("--state", type=_FILE, help="A state file, as `pulumi stack export --file FILE` writes it.")
@click.option("--stack", help="A stack of the sandbox (or of its demo), by name.")
@click.option("--live", is_flag=True, help="Real IAM, read with the AWS credentials of the environment.")
@click.option("--member-role", default=ACCESS_ROLE, show_default=True, help="With --live: the role to read by.")
@click.option("--config", type=_FILE, help="A policy pack configuration: exceptions and enforcement, by rule.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def check_command(  # noqa: PLR0913 - one parameter an option
    context: click.Context,
    *,
    state: Path | None,
    stack: str | None,
    live: bool,
    member_role: str,
    config: Path | None,
    as_json: bool,
) -> int:
    """List every door with its two keys, and run the rules of the policy pack.

    Exits with 0 when no mandatory rule is violated, 1 when one is, 2 when the command is called wrongly.
    """
    from rich.console import Console

    from twokeys.access.graph import build
    from twokeys.access.report import as_data, check, show
    from twokeys.access.rules import RULES

    snapshot = _snapshot(context, state, stack, live=live, member_role=member_role)
    graph = build(snapshot)
    verdicts = check(graph, RULES, _config(config), datetime.now(UTC).date())
    if as_json:
        click.echo(json.dumps(as_data(graph, verdicts), indent=2))
    else:
        show(graph, verdicts, Console())
    return 1 if verdicts.mandatory else 0


@access.command("diff")
@click.argument("before", type=_FILE)
@click.argument("after", type=_FILE, required=False)
@click.option("--plan", type=_FILE, help="Compare with the plan that `pulumi preview --save-plan FILE` wrote.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--exit-code", is_flag=True, help="Exit with 1 when a door is gained, lost or changed.")
def diff_command(before: Path, after: Path | None, plan: Path | None, *, as_json: bool, exit_code: bool) -> int:
    """Show the doors that lead from state BEFORE to state AFTER (or to a plan), those through other roles included."""
    from rich.console import Console

    from twokeys.access.diff import changes
    from twokeys.access.graph import build
    from twokeys.access.plan import read_plan
    from twokeys.access.report import changes_as_data, show_changes
    from twokeys.access.state import read_state

    if (after is None) == (plan is None):
        raise click.UsageError("name either a second state or --plan")
    old = read_state(before, may_be_empty=True)
    new = read_state(after, may_be_empty=True) if after is not None else read_plan(plan or before, old)
    found = changes(build(old), build(new))
    if as_json:
        click.echo(json.dumps(changes_as_data(found), indent=2))
    else:
        show_changes(found, Console())
    return 1 if exit_code and found else 0


def _snapshot(
    context: click.Context, state: Path | None, stack: str | None, *, live: bool, member_role: str
) -> Snapshot:
    from twokeys.access.state import read_state, sandbox_states

    if [state is not None, stack is not None, live].count(True) != 1:
        raise click.UsageError("name exactly one of --state, --stack and --live", context)
    if live:
        from twokeys.access.live import read_live

        return read_live(member_role=member_role)
    if state is not None:
        return read_state(state)
    assert stack is not None  # noqa: S101 - exactly one of the three is given
    return read_state(sandbox_states(Path(), [stack])[0])


def _config(file: Path | None) -> Mapping[str, Mapping[str, object]]:
    from twokeys.access.rules import RULES

    if file is None:
        return {}
    try:
        parsed = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise _bad_config(file, str(error)) from error
    if not isinstance(parsed, dict):
        raise _bad_config(file, "it is no JSON object")
    names = {rule.name for rule in RULES}
    if unknown := sorted(set(parsed) - names - {"all"}):
        raise _bad_config(file, f"there is no rule {', '.join(unknown)}")
    levels = {name: {"enforcementLevel": value} if isinstance(value, str) else value for name, value in parsed.items()}
    everywhere = levels.pop("all", {})
    return {name: {**everywhere, **levels.get(name, {})} for name in names}


def _bad_config(file: Path, why: str) -> Refusal:
    return Refusal(
        "the policy pack's configuration cannot be read",
        where=str(file),
        why=why,
        next_step='write it as {"<rule>": {"enforcementLevel": "mandatory", ...}}',
    )
