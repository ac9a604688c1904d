"""The story of the demo on the pulumi CLI: a door with one key refused, each stack made, unchanged, without drift."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from twokeys.project.config import read_config
from twokeys.sandbox.demo import DOORS, MISSING_KEY, STACKS
from twokeys.sandbox.local_aws import LocalAws
from twokeys.sandbox.probes import probe
from twokeys.sandbox.pulumi_box import PulumiBox, clean_environment
from twokeys.sandbox.pulumi_events import Ran, run
from twokeys.verify.doors import exports

_UNCHANGED: Final = {"same", "read"}


@dataclass
class _Story:
    box: PulumiBox
    environment: Mapping[str, str]
    pulumi: Path
    console: Console
    failed: list[str] = field(default_factory=list)

    def command(self, *arguments: str) -> Ran:
        return run(self.pulumi, ["--cwd", str(self.box.mirror), *arguments], self.box.mirror, self.environment)


def tell(box: PulumiBox, aws: LocalAws, pulumi: Path, console: Console) -> list[str]:
    """Run the story; what did not go as it should, in words, and empty when all did."""
    environment = {**clean_environment(), **box.open(aws)}
    story = _Story(box, environment, pulumi, console)
    refused = next((stack for stack in STACKS if _doors(box, stack)), None)
    for stack in STACKS:
        console.rule(f"[bold]{stack}[/]", align="left")
        if stack == refused and not _refuse_one_key(story, stack):
            return story.failed
        if not _update(story, stack):
            return story.failed
    console.rule("[bold]doors[/]: really assuming each role", align="left")
    outputs = {stack: _outputs(story, stack) for stack in STACKS}
    for one in probe(aws, exports(outputs)):
        console.print(f"{one.happened} {one.judged}  {one.name}", markup=False, highlight=False, soft_wrap=True)
        if one.failed:
            story.failed.append(f"a probe did not go as expected: {one.name}")
    return story.failed


def _update(story: _Story, stack: str) -> bool:
    """Update with the pack, which previews first; update again, refresh; whether all went well."""
    pack = ("--policy-pack", str(story.box.project.root / "policies"))
    now = ("--yes", "--skip-preview")
    for told, arguments, unchanged in (
        ("up", ("up", "--yes", *pack), False),
        ("up again", ("up", *now), True),
        ("refresh", ("refresh", *now), True),
    ):
        ran = story.command(*arguments, "--stack", stack)
        counted = ", ".join(f"{count} {operation}" for operation, count in sorted(ran.changes.items()))
        story.console.print(f"{told:<9} {counted}", highlight=False)
        if ran.code:
            wrong = [message for _, level, message in ran.violations if level == "mandatory"]
            why = "\n".join((*wrong, ran.errors))
            story.failed.append(f"pulumi {told} of stack {stack} failed: {why}")
            return False
        if unchanged and not ran.changes.keys() <= _UNCHANGED:
            story.failed.append(f"pulumi {told} of stack {stack} changed something: {counted}")
            return False
    return True


def _refuse_one_key(story: _Story, stack: str) -> bool:
    """Preview the stack with the grant of one door taken away; the pack must refuse it, before anything exists."""
    doors = _doors(story.box, stack)
    name = next(iter(doors))
    story.box.reflect({stack: {DOORS: {**doors, name: {**doors[name], "keys": ["trust"]}}}})
    pack = ("--policy-pack", str(story.box.project.root / "policies"))
    ran = story.command("preview", *pack, "--stack", stack)
    story.box.reflect()
    told = [message for rule, level, message in ran.violations if (rule, level) == (MISSING_KEY, "mandatory")]
    if told and ran.code:
        story.console.print(f"preview without the grant of door {name}: refused, before its account exists")
        for message in told:
            story.console.print(f"  {message}", style="dim", markup=False, highlight=False, soft_wrap=True)
        return True
    if ran.code and ran.errors:
        story.failed.append(f"the preview of stack {stack} without the grant of door {name} failed: {ran.errors}")
    else:
        story.failed.append(f"door {name} of stack {stack} was not refused though its grant is missing")
    return False


def _doors(box: PulumiBox, stack: str) -> dict[str, Any]:
    doors = read_config(box.project.stack_file(stack)).get(DOORS) or {}
    return dict(doors)


def _outputs(story: _Story, stack: str) -> dict[str, Any]:
    ran = story.command("stack", "output", "--show-secrets", "--stack", stack)
    told: dict[str, Any] = json.loads(ran.said[ran.said.index("{") : ran.said.rindex("}") + 1])
    return told
