"""What a run looks like to its user: lines while it happens, a summary at its end, or the same as JSON."""

from __future__ import annotations

import difflib
import json
import threading
from collections import Counter
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.status import Status

from twokeys.sandbox.aws.catalogue import RECORDED, is_record
from twokeys.sandbox.engine.events import (
    Diagnostic,
    Event,
    Op,
    PackStarted,
    Severity,
    Step,
    StepDone,
    StepStarted,
    Violation,
)
from twokeys.sandbox.engine.resource import qualified_type, urn_name
from twokeys.sandbox.engine.run import Outcome
from twokeys.sandbox.engine.values import UNKNOWN, Properties, PropertyValue, Secret, plain

_SIGNS: Final = {
    Op.CREATE: ("green", "+", "create", "created"),
    Op.UPDATE: ("yellow", "~", "update", "updated"),
    Op.REPLACE: ("magenta", "+-", "replace", "replaced"),
    Op.DELETE: ("red", "-", "delete", "deleted"),
    Op.DELETE_REPLACED: ("red", "--", "delete old", "old one deleted"),
    Op.IMPORT: ("cyan", "=", "import", "imported"),
    Op.READ: ("cyan", ">", "read", "read"),
    Op.DISCARD: ("cyan", "<", "forget", "forgotten"),
    Op.SAME: ("dim", " ", "unchanged", "unchanged"),
}
_COUNTED: Final = (Op.CREATE, Op.UPDATE, Op.REPLACE, Op.DELETE, Op.IMPORT)
# A README is for the stack's page; in a terminal it would bury the other outputs.
_LONG: Final = 400


class Report:
    """Collects the events of one run, and shows them unless it is quiet.

    Args:
        console: where to show them; None collects only.
        preview: whether the run only says what it would do.
        diff: show what changes in each resource.
    """

    def __init__(self, console: Console | None, *, preview: bool, diff: bool = False) -> None:
        self.steps: list[Step] = []
        self.diagnostics: list[Diagnostic] = []
        self.violations: list[Violation] = []
        self.packs: list[PackStarted] = []
        self._console = console
        self._preview = preview
        self._diff = diff
        self._running: dict[str, str] = {}
        self._lock = threading.Lock()
        self._status: Status | None = None

    def __enter__(self) -> Report:
        if self._console is not None:
            self._status = self._console.status("starting")
            self._status.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None

    def __call__(self, event: Event) -> None:
        """Take one event; called from any thread."""
        with self._lock:
            if isinstance(event, StepStarted):
                self._running[event.step.urn] = f"{_verb(event.step.op)} {urn_name(event.step.urn)}"
            elif isinstance(event, StepDone):
                self._running.pop(event.step.urn, None)
                self.steps.append(event.step)
                self._show_step(event)
            elif isinstance(event, Violation):
                self.violations.append(event)
            elif isinstance(event, PackStarted):
                self.packs.append(event)
            elif event.severity is not Severity.DEBUG:
                self.diagnostics.append(event)
                self._show_diagnostic(event)
            if self._status is not None:
                self._status.update(", ".join(list(self._running.values())[:4]) or "working")

    @property
    def counts(self) -> Counter[Op]:
        """How many resources each operation concerned."""
        return Counter(step.op for step in self.steps)

    @property
    def unchanged(self) -> bool:
        """Whether nothing was, or would be, done."""
        return not any(self.counts[op] for op in _COUNTED)

    def summary(self) -> str:
        """The changes in one line ("12 created, 3 unchanged")."""
        words = [
            f"{self.counts[op]} {'to ' + _SIGNS[op][2] if self._preview else _SIGNS[op][3]}"
            for op in _COUNTED
            if self.counts[op]
        ]
        same = self.counts[Op.SAME]
        return ", ".join([*words, f"{same} unchanged"] if words else [f"unchanged ({same} resources)"])

    def conclude(self, outcome: Outcome, *, outputs: bool = True) -> None:
        """Show violations, outputs (unless they are known from the run before) and the summary."""
        if self._console is None:
            return
        for violation in self.violations:
            self._show_violation(violation)
        for pack in self.packs:
            found = sum(violation.pack == pack.name for violation in self.violations)
            result = f"{found} violation{'' if found == 1 else 's'}" if found else "no violation"
            self._console.print(f"policy pack {pack.name}: {pack.policies} policies, {result}", highlight=False)
        shown = shown_outputs(outcome.outputs)
        if shown and outputs and not self._preview:
            self._console.print("outputs:")
            for key in sorted(shown):
                text = shown[key] if isinstance(shown[key], str) else json.dumps(shown[key])
                cut = text if len(text) <= _LONG else f"({len(text)} characters; --json shows them)"
                self._console.print(f"  {escape(key)}: {escape(cut)}", highlight=False, soft_wrap=True)
        colour = "green" if outcome.ok else "red"
        ending = "" if outcome.ok else " - failed"
        self._console.print(f"[{colour}]{self.summary()}{ending}[/]", highlight=False)

    def as_json(self, outcome: Outcome) -> dict[str, Any]:
        """Everything as JSON-ready data; secrets are not in it."""
        return {
            "ok": outcome.ok,
            "changes": {op.value: count for op, count in sorted(self.counts.items(), key=lambda one: one[0].value)},
            "steps": [
                {
                    "op": step.op.value,
                    "urn": step.urn,
                    "type": step.type,
                    "id": step.id,
                    "record": is_record(step.type),
                    "changed": list(step.changed),
                    "replaces": list(step.replaces),
                }
                for step in self.steps
            ],
            "policyPacks": [{"name": pack.name, "policies": pack.policies} for pack in self.packs],
            "violations": [
                {
                    "policy": one.policy,
                    "pack": one.pack,
                    "mandatory": one.mandatory,
                    "urn": one.urn,
                    "message": one.message,
                    "severity": one.severity,
                }
                for one in self.violations
            ],
            "diagnostics": [
                {"severity": one.severity.value, "urn": one.urn, "message": one.message} for one in self.diagnostics
            ],
            "outputs": shown_outputs(outcome.outputs),
        }

    def _show_step(self, done: StepDone) -> None:
        step = done.step
        if self._console is None or step.op is Op.SAME:
            return
        colour, sign, verb, past = _SIGNS[step.op]
        why = f" [dim]({', '.join(step.changed)})[/]" if step.changed else ""
        kept = f" [dim]({RECORDED})[/]" if is_record(step.type) else ""
        took = f" [dim]{done.seconds:.1f} s[/]" if done.seconds >= 0.1 else ""
        kind = qualified_type(step.urn).rpartition("$")[2]
        word = verb if self._preview else past
        line = f"[{colour}]{sign:>2} {word:<9}[/] {escape(kind)} [bold]{escape(urn_name(step.urn))}[/]{why}{kept}{took}"
        self._console.print(line, highlight=False, soft_wrap=True)
        if self._diff:
            for text, style in _difference(step):
                self._console.print(f"      {escape(text)}", style=style, highlight=False, soft_wrap=True)

    def _show_diagnostic(self, one: Diagnostic) -> None:
        if self._console is None:
            return
        style = {Severity.ERROR: "red", Severity.WARNING: "yellow"}.get(one.severity, "dim")
        where = f"{one.urn}\n" if one.urn else ""
        mark = "" if one.severity is Severity.INFO else f"{one.severity.value}: "
        self._console.print(f"{mark}{where}{one.message}", style=style, markup=False, highlight=False, soft_wrap=True)

    def _show_violation(self, one: Violation) -> None:
        assert self._console is not None  # noqa: S101 - checked by the caller
        style = "red" if one.mandatory else "yellow"
        level = "mandatory" if one.mandatory else "advisory"
        title = f"policy {one.policy} ({level}): {one.urn}"
        self._console.print(title, style=style, markup=False, highlight=False, soft_wrap=True)
        self._console.print(one.message, markup=False, highlight=False, soft_wrap=True)


def shown_outputs(outputs: Properties) -> dict[str, Any]:
    """Outputs as JSON-ready data, with "[secret]" and "[unknown]" in place of what cannot be shown."""
    shown: dict[str, Any] = _shown(outputs)
    return shown


def _shown(value: PropertyValue) -> PropertyValue:
    if isinstance(value, Secret):
        return "[secret]"
    if value is UNKNOWN:
        return "[unknown]"
    if isinstance(value, dict):
        return {key: _shown(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_shown(inner) for inner in value]
    return plain(value)


def _difference(step: Step) -> list[tuple[str, str]]:
    """The inputs before and after, as the lines that differ; all of them for what is new."""
    old, new = _lines(step.old), _lines(step.new if step.op not in (Op.DELETE, Op.DELETE_REPLACED) else None)
    styles = {"+": "green", "-": "red"}
    return [(line, styles[line[0]]) for line in difflib.ndiff(old, new) if line[0] in styles]


def _lines(properties: Properties | None) -> list[str]:
    if not properties:
        return []
    return json.dumps(_parsed(_shown(properties)), indent=2, sort_keys=True).splitlines()


def _parsed(value: PropertyValue) -> PropertyValue:
    """Policy documents are JSON in a string; they compare better as what they hold."""
    if isinstance(value, dict):
        return {key: _parsed(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_parsed(inner) for inner in value]
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _verb(op: Op) -> str:
    return _SIGNS[op][2]
