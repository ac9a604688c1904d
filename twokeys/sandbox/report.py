"""What bringing a stack up looks like to its user: a bar while it lasts, a line for each step, or JSON."""

from __future__ import annotations

import io
import json
import time
from typing import Any, Final

from rich.console import Console
from rich.highlighter import RegexHighlighter
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from twokeys.access.reading.snapshot import STACK
from twokeys.preview.run import Asked
from twokeys.sandbox.aws.catalogue import is_kept
from twokeys.sandbox.local_aws import LocalAws
from twokeys.sandbox.up import Done, StackRun
from twokeys.shown import columns, folded

_WIDTH: Final = 80
_INDENT: Final = 21
"""Where the third column of a step begins."""
_TOGETHER: Final = "\N{NO-BREAK SPACE}"
"""Between what is not to be parted at the end of a line."""


class Verdicts(RegexHighlighter):
    """What a line is about in bold; what went well in green, what was refused in red."""

    highlights = (
        r"^(?P<bold>[\w-]+(?= {2})|who can enter prod|probes|pictures)",
        r"(?P<green>nothing refused|as expected|^  assumed)",
        r"^([\w-]+)? +(?P<red>refused) ",
    )


class Report:
    """Shows one run; as a context manager it takes its bar away at the end.

    Attributes:
        printed: what the program itself printed; shown when the run fails, or with `verbose`.
    """

    def __init__(self, console: Console, *, verbose: bool = False) -> None:
        self.printed = io.StringIO()
        self._console = console
        self._verbose = verbose
        bar = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[last]}"))
        self._progress = Progress(*bar, console=console, transient=True, disable=not console.is_terminal)

    def __enter__(self) -> Report:
        self._progress.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._progress.stop()

    def say(self, severity: str, message: str) -> None:
        """A message of the program: shown at once, but for what is only to be known with `verbose`."""
        if severity != "info" or self._verbose:
            self._line(message if severity == "info" else f"{severity}: {message}", style="dim")

    def run(self, stack: StackRun, aws: LocalAws) -> Done:
        """Preview the stack and make it, and say what came of it."""
        first = stack.preview()
        resources = [one for one in first.snapshot.resources if one.type != STACK]
        found = _counted(first)
        self._step(f"{stack.name:<11} preview  {len(resources)} resources: {found}")
        if not first.ok:
            self._show_findings(first)
            self._show_failure(first)
            return first
        began, made = time.monotonic(), []
        total = sum(one.provider is not None for one in resources)
        task = self._progress.add_task(stack.name, total=total, last="")

        def on_made(asked: Asked) -> None:
            made.append(asked)
            self._progress.update(task, advance=1, last=asked.name)
            if self._verbose:
                kept = "  (kept as declared)" if is_kept(asked.type) else ""
                self._line(f"  + {asked.type} {asked.name}{kept}")

        done = stack.make(aws, on_made)
        self._progress.remove_task(task)
        kept = sum(is_kept(one.type) for one in made)
        real = f"{len(made) - kept} objects in the local AWS" + (f", {kept} kept as declared" if kept else "")
        self._step(f"{'':<11} made     {real} ({time.monotonic() - began:.1f}{_TOGETHER}s)")
        self._show_accounts(done)
        self._show_findings(done)
        self._show_failure(done)
        return done

    def _show_failure(self, done: Done) -> None:
        if done.failed is not None:
            self._line(self.printed.getvalue().rstrip(), style="dim")
            what, where, step = done.failed.what, done.failed.where, done.failed.next_step
            self._line(f"failed: {what}: {done.failed.why}\n  where: {where}\n  next:  {step}", style="red")

    def show_outputs(self, done: Done) -> None:
        """How many outputs there are."""
        if said := sum(value not in ({}, [], None) for value in done.outputs.values()):
            self._step(f"{'':<11} outputs  {said}: --json shows them")

    def _show_accounts(self, done: Done) -> None:
        accounts = done.outputs.get("member_account_ids") or {}
        if accounts:
            listed = ", ".join(f"{name}{_TOGETHER}{account}" for name, account in accounts.items())
            self._step(f"{'':<11} new      {listed}")

    def _show_findings(self, done: Done) -> None:
        for level, findings in (("mandatory", done.verdicts.mandatory), ("advisory", done.verdicts.advisory)):
            for one in findings if level == "mandatory" or self._verbose else ():
                self._line(f"policy {one.rule} ({level}): {one.urn or 'the stack'}", style="red")
                self._line(one.text)

    def _step(self, line: str) -> None:
        width = min(_WIDTH, self._console.width)
        lines = folded(line if width > 2 * _INDENT else line.replace(_TOGETHER, " "), width, _INDENT)
        self._console.print(Verdicts()("\n".join(lines).replace(_TOGETHER, " ")), soft_wrap=True)

    def _line(self, text: str, style: str | None = None) -> None:
        if text:
            width = columns(terminal=self._console.is_terminal) and self._console.width
            text = "\n".join(part for line in text.split("\n") for part in folded(line, width))
            self._console.print(
                text if style else Verdicts()(text), style=style, markup=False, highlight=False, soft_wrap=True
            )


def as_data(done: Done) -> dict[str, Any]:
    """A run as JSON-ready data; what is secret or unknown is not in it."""
    return {
        "stack": done.stack,
        "ok": done.ok,
        "stage": done.stage,
        "failed": done.failed.as_dict() if done.failed else None,
        "resources": [
            {"urn": one.urn, "type": one.type, "kept": is_kept(one.type)}
            for one in done.snapshot.resources
            if one.type != STACK
        ],
        "violations": [
            {"policy": one.rule, "mandatory": mandatory, "urn": one.urn, "message": one.text}
            for mandatory, found in ((True, done.verdicts.mandatory), (False, done.verdicts.advisory))
            for one in found
        ],
        "outputs": json.loads(json.dumps(dict(done.outputs), default=lambda _: "[unknown]")),
    }


def _counted(done: Done) -> str:
    rules = dict.fromkeys(one.rule for one in done.verdicts.advisory)
    advice = f", {len(done.verdicts.advisory)} advisory ({', '.join(rules)}: see --verbose)" if rules else ""
    return f"{len(done.verdicts.mandatory) or 'nothing'} refused{advice}"
