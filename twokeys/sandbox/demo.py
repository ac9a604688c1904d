"""The whole story on one machine: what is proved, what is refused, and every door really tried."""

import contextlib
import io
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from textwrap import shorten
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from twokeys.access.graph import build
from twokeys.answers.reading import read
from twokeys.answers.selection import into
from twokeys.answers.sources import snapshot
from twokeys.answers.summary import by_principal, summary
from twokeys.answers.words import through
from twokeys.project.config import load_config
from twokeys.sandbox.answers import ask
from twokeys.sandbox.box import Sandbox
from twokeys.sandbox.local_aws import LocalAws
from twokeys.sandbox.probes import probe
from twokeys.sandbox.report import Report, Verdicts
from twokeys.sandbox.up import StackRun
from twokeys.shown import folded
from twokeys.verify.attempts import Probe
from twokeys.verify.doors import exports

STACKS: Final = ("management", "stage", "prod")
"""In the order in which they depend on each other."""
DOORS: Final = "twokeys:doors"
MISSING_KEY: Final = "door-needs-grant"
"""The rule that must refuse a door whose grant is taken away."""
_WIDTH: Final = 78
_MOST_WAYS: Final = 6
_TELLING: Final = ("without MFA", "access role of prod", "without a grant", "tries door prod")
"""Probes that a reader wants to see refused."""


@dataclass
class Story:
    """How the demo went: outputs by stack, who can enter prod, as lines, and what is not as it should be."""

    outputs: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    probes: list[Probe] = field(default_factory=list)
    entering: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def tell(box: Sandbox, aws: LocalAws, console: Console, *, verbose: bool = False) -> Story:
    """Run the story; it ends at the first run that fails, and says so."""
    story = Story()
    half = next((found for name in STACKS if (found := _half_open(box, name))), None)
    for name in STACKS:
        if half and half[1].name == name and not _refuse_one_key(story, *half, console):
            return story
        with Report(console, verbose=verbose) as report:
            done = report.run(StackRun(box, name, say=report.say, output=report.printed), aws)
        if not done.ok:
            story.failed.append(f"stack {name} could not be brought up")
            return story
        story.outputs[name] = done.outputs
    _enter(story, box, console, verbose=verbose)
    _probe(story, aws, console, verbose=verbose)
    return story


def show_answers(story: Story, box: Sandbox, picture: Path, console: Console, *, verbose: bool) -> None:
    """Ask every command what it knows of the states, and say where it left its pages and pictures."""
    folder, said = box.directory / "answers", io.StringIO()
    with contextlib.ExitStack() as quiet:
        if not verbose:
            quiet.enter_context(contextlib.redirect_stdout(said))
            quiet.enter_context(contextlib.redirect_stderr(said))
        story.failed += ask(_states(box), folder, picture, story.outputs)
    console.print()
    _print(console, f"pictures {_short(picture)}, in {_short(folder)}:", 9)
    _print(console, "         audit.html map.html ways-in.html bill.svg (the bill is invented)", 9)


def _enter(story: Story, box: Sandbox, console: Console, *, verbose: bool) -> None:
    answers = into(read(build(snapshot(tuple(_states(box)), (), live=False))), "prod")
    alike: dict[tuple[int, str], list[str]] = defaultdict(list)
    for source, entrances in by_principal(answers.ways):
        for one in entrances:
            only = f" ({' and '.join(one.conditions)})" if one.conditions else ""
            alike[len(one.through), f"{one.role}: {one.level.word}{through(one.through)}{only}"].append(source.short)
    nearest_first = sorted(alike.items(), key=lambda item: item[0][0])
    story.entering = [f"{', '.join(sources)} -> {into_what}" for (_, into_what), sources in nearest_first]
    console.print()
    _print(console, f"who can enter prod: {summary(answers, datetime.now(UTC)).sentence}", 2)
    for line in story.entering if verbose else story.entering[:_MOST_WAYS]:
        _print(console, "  " + line.replace(f" of {STACKS[0]}", ""))
    if not verbose and len(story.entering) > _MOST_WAYS:
        rest = sum(len(sources) for _, sources in nearest_first[_MOST_WAYS:])
        _print(console, f"  and {rest} ways more (--verbose shows them)")


def _probe(story: Story, aws: LocalAws, console: Console, *, verbose: bool) -> None:
    with console.status("really assuming each role") if console.is_terminal else contextlib.nullcontext():
        story.probes += probe(aws, exports(story.outputs))
    entered = sum(bool(one.assumed) for one in story.probes)
    refused = sum(one.assumed is False for one in story.probes)
    left = len(story.probes) - entered - refused
    went_well = sum(one.as_expected for one in story.probes)
    tried = f"{entered} roles really assumed, {refused} attempts refused" + (f", {left} not probed" if left else "")
    console.print()
    _print(console, f"probes: {went_well} of {len(story.probes)} as expected: {tried}")
    for one in story.probes if verbose else _telling(story.probes):
        name = one.name if verbose else shorten(one.name, _WIDTH - 10, placeholder=" ...")
        _print(console, f"  {one.happened:<8} {name}", 11, style="red" if one.failed else None)
    story.failed += [f"a probe did not go as expected: {one.name}" for one in story.probes if one.failed]


def _telling(probes: list[Probe]) -> Iterator[Probe]:
    """One that is let in by the access role, one by a door, one of each kind that is refused, and all that fail."""
    yield from (one for one in probes if not one.as_expected)
    well = [one for one in probes if one.as_expected]
    for wanted in ("by its access role", "enters by door", *_TELLING):
        yield from [one for one in well if wanted in one.name][:1]


def _half_open(box: Sandbox, name: str) -> tuple[str, StackRun] | None:
    """The first door of a stack, and the stack without its grant; None where there is no door."""
    doors = json.loads(load_config(box.project, name, {}).get(DOORS, "{}"))
    if not doors:
        return None
    door = next(iter(doors))
    overrides = {DOORS: json.dumps(doors | {door: doors[door] | {"keys": ["trust"]}})}
    return door, StackRun(box, name, overrides, output=io.StringIO())


def _refuse_one_key(story: Story, door: str, run: StackRun, console: Console) -> bool:
    """Preview the stack with the grant of one door taken away; the rules must refuse it, before anything exists."""
    done = run.preview()
    found = [one for one in done.verdicts.mandatory if one.rule == MISSING_KEY]
    if not found:
        others = ", ".join(sorted({one.rule for one in done.verdicts.mandatory}))
        why = f"it was refused for {others}" if others else "nothing was found"
        story.failed.append(f"door {door} of stack {run.name} was not refused for its missing grant: {why}")
        return False
    _print(console, f"{run.name:<11} refused  door {door} without its grant; no account yet:", 12)
    for line in (found[0].message, f"Next step: {found[0].steps[0]}."):
        _print(console, f"{'':<12}{line}", 12)
    return True


def _print(console: Console, line: str, indent: int | None = None, style: str | None = None) -> None:
    text = "\n".join(folded(line, min(_WIDTH, console.width), indent))
    console.print(Text(text, style=style) if style else Verdicts()(text), soft_wrap=True)


def _states(box: Sandbox) -> list[Path]:
    return [box.stacks / f"{name}.json" for name in STACKS]


def _short(path: Path) -> str:
    """A path as one types it from here."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
