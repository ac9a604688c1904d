"""The whole story on one machine: a door with one key refused, the stacks updated twice, and every door tried."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from textwrap import indent
from typing import Any, Final, Protocol

from rich.console import Console
from rich.markup import escape

from twokeys.sandbox.local_aws import LocalAws
from twokeys.sandbox.probes import probe
from twokeys.sandbox.report import Report, shown_outputs
from twokeys.sandbox.stack import Operations
from twokeys.verify.attempts import Probe
from twokeys.verify.doors import exports

STACKS: Final = ("management", "stage", "prod")
"""In the order in which they depend on each other."""
_DOORS: Final = "twokeys:doors"
_MISSING_KEY: Final = "door-needs-grant"
"""The rule of the pack that must refuse a door whose grant is taken away."""


class OpenStack(Protocol):
    """Gives a stack by its name, with whichever engine; `overrides` win over its config."""

    def __call__(self, name: str, overrides: Mapping[str, str] = ..., /) -> Operations:
        """The stack."""
        ...


@dataclass
class Story:
    """How the demo went.

    Attributes:
        runs: (stack, what was done, its report as JSON-ready data), in order.
        outputs: stack name to its outputs.
        refusal: the preview that must be refused, as JSON-ready data; None where no stack has a door.
        failed: why it is not the story that it should be; empty when it is.
    """

    runs: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    refusal: dict[str, Any] | None = None
    probes: list[Probe] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether every run ended well, every second update changed nothing, and every probe went as expected."""
        return not self.failed

    def as_json(self) -> dict[str, Any]:
        """Everything as JSON-ready data."""
        return {
            "ok": self.ok,
            "failed": self.failed,
            "runs": [{"stack": stack, "operation": operation, **report} for stack, operation, report in self.runs],
            "outputs": self.outputs,
            "refusal": self.refusal,
            "probes": [one.as_dict() for one in self.probes],
        }


def tell(
    open_stack: OpenStack,
    config: Mapping[str, Mapping[str, str]],
    aws: LocalAws,
    console: Console | None,
    *,
    diff: bool = False,
) -> Story:
    """Run the story; it ends at the first run that fails, and says so.

    Args:
        open_stack: gives the stacks.
        config: stack name to its config, from which the refused door is made.
        console: where to tell it; None keeps quiet.
    """
    story = Story()
    refused = next((name for name in STACKS if _half_open(config[name])), None)
    for name in STACKS:
        if name == refused and not _refuse_one_key(story, open_stack, config[name], name, console):
            return story
        if not _update_twice(story, open_stack(name), name, console, diff=diff):
            return story
    if console is not None:
        console.rule("[bold]probes[/]: really assuming each role", align="left")
    for one in probe(aws, exports(story.outputs)):
        story.probes.append(one)
        if not one.as_expected:
            story.failed.append(f"a probe did not go as expected: {one.name}")
        if console is not None:
            _show_probe(console, one)
    if console is not None:
        _show_accounts(console, story)
    return story


def _update_twice(story: Story, stack: Operations, name: str, console: Console | None, *, diff: bool) -> bool:
    """Preview, update, and update again, which must change nothing; whether to go on."""
    for operation, run in (("preview", stack.preview), ("up", stack.up), ("up again", stack.up)):
        if console is not None:
            console.rule(f"[bold]{name}[/]: {operation}", align="left")
        with Report(console, preview=operation == "preview", diff=diff) as report:
            outcome = run(report)
        report.conclude(outcome, outputs=operation == "up")
        story.runs.append((name, operation, report.as_json(outcome)))
        if not outcome.ok:
            story.failed.append(f"{operation} of stack {name} failed")
            return False
        if operation == "up again" and not report.unchanged:
            story.failed.append(f"the second update of stack {name} changed something: {report.summary()}")
    story.outputs[name] = shown_outputs(outcome.outputs)
    return True


def _refuse_one_key(
    story: Story, open_stack: OpenStack, config: Mapping[str, str], name: str, console: Console | None
) -> bool:
    """Preview the stack with the grant of one door taken away; the policies must refuse it, before anything exists."""
    door, overrides = _half_open(config) or ("", {})
    operation = f"preview, with the grant taken away from door {door}"
    if console is not None:
        console.rule(f"[bold]{name}[/]: {operation}", align="left")
    with Report(None, preview=True) as report:
        outcome = open_stack(name, overrides).preview(report)
    story.refusal = {"stack": name, "door": door, **report.as_json(outcome)}
    told = [one for one in report.violations if one.policy == _MISSING_KEY and one.mandatory]
    if outcome.ok or not told:
        story.failed.append(f"door {door} of stack {name} was not refused though its grant is missing")
        return False
    if console is not None:
        console.print("refused [green]as expected[/], before the account exists:", highlight=False)
        for one in told:
            text = indent(one.message, "  ")
            console.print(text, style="dim", markup=False, highlight=False, soft_wrap=True)
    return True


def _half_open(config: Mapping[str, str]) -> tuple[str, dict[str, str]] | None:
    """The first door of a stack, and the config in which it has no grant; None where there is no door."""
    doors = json.loads(config.get(_DOORS, "{}"))
    if not doors:
        return None
    name = next(iter(doors))
    return name, {_DOORS: json.dumps(doors | {name: doors[name] | {"keys": ["trust"]}})}


def _show_probe(console: Console, one: Probe) -> None:
    mark = f"[green]{one.judged}[/]" if one.as_expected else f"[bold red]{one.judged}[/]"
    console.print(f"{one.happened} {mark}  {escape(one.name)}", highlight=False, soft_wrap=True)
    console.print(f"  [dim]{escape(one.detail)}[/]", highlight=False, soft_wrap=True)


def _show_accounts(console: Console, story: Story) -> None:
    management = story.outputs[STACKS[0]]
    console.rule("[bold]accounts[/]", align="left")
    _show_facts(console, f"management  {management['parent_account_id']}", {"caller": management["parent_caller_arn"]})
    for outputs in story.outputs.values():
        for name, account in outputs.get("member_account_ids", {}).items():
            caller = outputs.get("member_caller_arns", {}).get(name, "")
            role = outputs.get("access_role_arns", {}).get(name, "")
            _show_facts(console, f"{name}  {account}", {"caller": caller, "access role": role})
    console.rule("[bold]doors[/]", align="left")
    for outputs in story.outputs.values():
        for entry in outputs.get("doors", []):
            door = entry["door"]
            source, target, requires = door["source"], door["target"], door["requires"]
            asked = [words for words, key in (("MFA", "mfa"), ("an external ID", "externalId")) if requires[key]]
            facts = {
                "who": f"{source['kind']} {', '.join(source['names'])} of account {source['account']}",
                "role": f"arn:aws:iam::{target['account']}:role/{target['role']}",
                "asks for": " and ".join(asked),
                "reason": door.get("reason", ""),
            }
            _show_facts(console, door["name"], facts)
    went_well = sum(one.as_expected for one in story.probes)
    colour = "green" if story.ok else "red"
    console.rule("[bold]result[/]", align="left")
    console.print(f"[{colour}]{went_well} of {len(story.probes)} probes went as expected[/]", highlight=False)


def _show_facts(console: Console, title: str, facts: Mapping[str, str]) -> None:
    console.print(f"[bold]{escape(title)}[/]", highlight=False, soft_wrap=True)
    for name, value in facts.items():
        if value:
            console.print(f"  {name:<12}{escape(value)}", highlight=False, soft_wrap=True)
