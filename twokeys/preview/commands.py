"""`twokeys preview`: what a first update would make, and whether every way into an account is proved."""

from __future__ import annotations

import json
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from twokeys.options import ACCOUNT, CONFIG, PACK_CONFIG, PROJECT, InputPath

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twokeys.access.reading.snapshot import Snapshot
    from twokeys.access.verdicts import Verdicts

_FILE = InputPath(path_type=Path, dir_okay=False)


@click.command()
@click.argument("stacks", nargs=-1, required=True, metavar="STACK...")
@PROJECT
@CONFIG
@PACK_CONFIG
@click.option(
    "--state", "states", multiple=True, type=_FILE, help="The stack's own state, or one for stack references."
)
@click.option("--account", type=ACCOUNT, help="The account that the program's own credentials would be in.")
@click.option("--verbose", is_flag=True, help="List every resource.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON and nothing else.")
def preview(  # noqa: PLR0913 - one parameter an option
    *,
    stacks: tuple[str, ...],
    project: Path,
    overrides: Mapping[str, str],
    pack_config: Path | None,
    states: tuple[Path, ...],
    account: str | None,
    verbose: bool,
    as_json: bool,
) -> int:
    """Run the program of each STACK on Pulumi's mocks, with unknowns for what is not there, then the rules.

    Needs no pulumi CLI, no AWS, no credentials and no network. It shows a first preview: what AWS already has is not
    looked at, but in the state of the stack (--state, or of a backend on this machine). What other stacks export,
    and the keys that they hold, is that of their previews where they are named as well, in whatever order, else read
    from --state, by default from the stacks that the sandbox has updated.
    Exits with 1 when a mandatory rule is violated or the program fails.
    """
    from twokeys.access.configuration import rules_config
    from twokeys.access.rules import RULES
    from twokeys.errors import Refusal
    from twokeys.pack.other_states import is_about_key
    from twokeys.preview.program import exported, outputs_of, stack_preview
    from twokeys.project.config import load_project
    from twokeys.project.states import states_made
    from twokeys.shown import printable

    found = load_project(project.resolve())
    rules = rules_config(pack_config, RULES)
    read = states or states_made(found.root)
    known = outputs_of(read)
    there = "" if states else f" in {', '.join(sorted({os.path.relpath(path.parent) for path in read}))}"
    others = sorted(known.keys() - set(stacks))
    header = [("info", f"read: the outputs of {', '.join(others)}{there}")] if others else []
    results: list[tuple[str, Snapshot, Verdicts, list[tuple[str, str]]]] = []
    said: set[tuple[str, str]] = set()
    waiting, begun = [*dict.fromkeys(stacks)], set[str]()
    run = partial(stack_preview, found, overrides=overrides, rules=rules, account=account, states=states)
    while waiting:
        stack, *later = waiting
        messages, asked = [*header], set[str]()
        failed = None
        try:
            snapshot, verdicts = run(
                stack,
                stacks={one: known[one] for one in known if one not in later or one in begun},
                not_there=asked,
                say=lambda severity, message, kept=messages: kept.append((severity, message)),  # type: ignore[misc]
            )
        except Refusal as refusal:
            failed = refusal
        names = {name.rpartition("/")[2] for name in asked} - begun
        if first := [one for one in later if one in names]:  # it reads what these export
            begun.add(stack)
            waiting = [*first, stack, *(one for one in later if one not in first)]
            continue
        if failed:
            raise failed
        waiting = later
        known[stack] = exported(snapshot, known.get(stack, {}))
        results.append((stack, snapshot, verdicts, messages))
    for place, (stack, _, verdicts, messages) in enumerate(results):
        shown = [each for name, each, *_ in results if name != stack]
        if shown and any(map(is_about_key, verdicts.mandatory)):
            results[place] = stack, *run(stack, stacks=known, shown=shown, say=lambda *_: None), messages
        if not as_json:
            _show(*results[place][:3], [one for one in messages if one not in said], verbose=verbose)
            said.update(messages)
    not_used = [one for one in results[0][2].not_used if all(one in verdicts.not_used for _, _, verdicts, _ in results)]
    if as_json:
        click.echo(json.dumps([_as_data(*one) for one in results], indent=2))
    else:
        for one in not_used:
            click.echo(printable(f"exception not used here: {one}"))
    return 1 if any(verdicts.mandatory for _, _, verdicts, _ in results) else 0


def _show(
    stack: str, snapshot: Snapshot, verdicts: Verdicts, messages: list[tuple[str, str]], *, verbose: bool
) -> None:
    from rich.console import Console

    from twokeys.access.findings import texts_of
    from twokeys.access.reading.snapshot import STACK
    from twokeys.shown import say

    console = Console()
    for severity, message in messages:
        for line in message.split("\n"):
            say(console, line if severity == "info" else f"{severity}: {line}", "dim")
    resources = [one for one in snapshot.resources if one.type != STACK]
    if verbose:
        for one in resources:
            say(console, f"  + {one.type} {one.name}")
    for level, findings in (("mandatory", verdicts.mandatory), ("advisory", verdicts.advisory)):
        for rule, text in texts_of(findings):
            say(console, f"policy {rule} ({level}):", "bold")
            for line in text.split("\n"):
                say(console, line)
    advice = f", {len(verdicts.advisory)} advisory" if verdicts.advisory else ""
    judged = f"{len(verdicts.mandatory)} refused{advice}" if verdicts.mandatory else f"nothing refused{advice}"
    style = "red" if verdicts.mandatory else "green"
    say(console, f"{stack}: {len(resources)} resources, {judged}", style)


def _as_data(stack: str, snapshot: Snapshot, verdicts: Verdicts, messages: list[tuple[str, str]]) -> Mapping[str, Any]:
    return {
        "stack": stack,
        "ok": not verdicts.mandatory,
        "resources": [
            {"urn": one.urn, "type": one.type, "provider": one.provider, "parent": one.parent, "protect": one.protect}
            for one in snapshot.resources
        ],
        "violations": [
            {"policy": one.rule, "mandatory": level, "urn": one.urn, "message": one.text, "door": one.door}
            for level, findings in ((True, verdicts.mandatory), (False, verdicts.advisory))
            for one in findings
        ],
        "messages": [{"severity": severity, "message": message} for severity, message in messages],
    }
