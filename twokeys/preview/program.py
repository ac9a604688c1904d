"""Preview a program: what it registers, with `UNKNOWN` for what does not exist yet, and what the rules find in it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import IO, Any

from twokeys.access.report import Verdicts
from twokeys.access.report import judge as judged_by
from twokeys.access.rules import RULES
from twokeys.access.snapshot import Snapshot
from twokeys.pack.deferral import deferred
from twokeys.pack.own_account import graph_of
from twokeys.preview.process import run_in_process
from twokeys.preview.run import Run
from twokeys.preview.unknowns import Answer, Unknowns


def preview(  # noqa: PLR0913 - all but the program and the stack by name
    program: Path | Callable[[], None],
    stack: str = "test",
    config: Mapping[str, str] | None = None,
    *,
    project: str = "project",
    secret_keys: tuple[str, ...] = (),
    stacks: Mapping[str, Mapping[str, Any]] | None = None,
    calls: Mapping[str, Answer] | None = None,
    account: str | None = None,
    python: Path | None = None,
    say: Callable[[str, str], None] | None = None,
    output: IO[str] | None = None,
) -> Snapshot:
    """The stack that a program describes, as its first preview shows it to the policies.

    Args:
        program: a folder with `__main__.py`, or a file, which gets a process of its own; or a function, called here.
        config: full keys (`project:key`) to text, lists and objects as JSON.
        stacks: outputs of other stacks, by name; what is read from any other stack is unknown.
        calls: answers to functions, by token: what a plain look-up, which AWS would answer, is to return.
        account: the account of the credentials that the program would run with.
        python: the interpreter of the program's own virtual environment; this one by default.
        say: gets the program's messages, each with its severity.

    Raises:
        Refusal: the program failed. A function's own exceptions are raised as they are.
    """
    answers = Unknowns(stacks or {}, calls or {}, account)
    run = Run(project, stack, config or {}, answers, say or _say)
    if isinstance(program, Path):
        run_in_process(
            run,
            program=program.resolve(),
            project=project,
            stack=stack,
            config=config or {},
            secret_keys=secret_keys,
            dry_run=True,
            python=python,
            output=output,
        )
    else:
        from twokeys.preview import monitor  # noqa: PLC0415 - the only part that needs the SDK in this process

        monitor.run(program, run.answer, project=project, stack=stack, dry_run=True, config=config or {})
    return run.snapshot()


def judge(
    snapshot: Snapshot,
    config: Mapping[str, Mapping[str, object]] | None = None,
    today: date | None = None,
    *,
    account: str | None = None,
    made: bool = False,
) -> Verdicts:
    """What the policy pack finds in a snapshot, in its words; a rule that fails has proved nothing.

    Args:
        config: the policy pack's configuration, by rule.
        account: as of `preview`.
        made: whether it is what came of an update; a preview leaves to the update what that judges in time.
    """
    graph = graph_of(snapshot, account)
    judged = list(judged_by(graph, RULES, config or {}, today or datetime.now(UTC)))
    if not made:
        judged, later = deferred(graph, judged)
        judged += later
    found = [(one.mandatory, one.finding) for one in judged]
    return Verdicts(tuple(one for level, one in found if level), tuple(one for level, one in found if not level))


def _say(severity: str, message: str) -> None:
    if severity != "info":
        sys.stderr.write(f"{severity}: {message}\n")
