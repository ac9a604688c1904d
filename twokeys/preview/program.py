"""Preview a program: what it registers, with `UNKNOWN` for what does not exist yet, and what the rules find in it."""

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from twokeys.access.graph import build
from twokeys.access.reading.snapshot import STACK, Snapshot
from twokeys.access.reading.type_names import ACCOUNT
from twokeys.access.rules import RULES
from twokeys.access.verdicts import Judged, Verdicts, check, of_providers_in_one
from twokeys.access.verdicts import judge as judge_rules
from twokeys.errors import Refusal
from twokeys.exports import read_exports
from twokeys.iam import UNKNOWN
from twokeys.pack.before import state_before
from twokeys.pack.deferral import ACCOUNT_FIRST, deferred
from twokeys.pack.other_states import Beside, as_of, other_states, settings_alone
from twokeys.pack.own_account import of_program
from twokeys.preview.process import run_in_process
from twokeys.preview.run import Run
from twokeys.preview.unknowns import Answer, Unknowns
from twokeys.preview.values import UNKNOWN_TEXT, on_wire
from twokeys.project import states as of_project
from twokeys.project.config import Project, as_full_key, load_config, read_config, read_mapping
from twokeys.shown import listed

_STATE_FIRST = "give the state that has the account (`--state FILE`, of `pulumi stack export --file FILE`), or make it"
_LEFT = (
    "account {name} is in the state and protected, and not in the program: the engine refuses to delete it. Next step: "
    'put it back; to close it, leave its entry in config with `state: closed` and `adopt: "{id}"`, then '
    "`pulumi state unprotect -s {stack} '{urn}'`, `pulumi up -s {stack}`, `twokeys account close {stack}`"
)
_SHORTEST_SECRET = 3


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
    not_there: set[str] | None = None,
    before: Snapshot | None = None,
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
        not_there: gets the names of the stacks that were asked for and are not among `stacks`.
        before: the state of the stack; what the program leaves as it is there has its ids and ARNs.
        python: the interpreter of the program's own virtual environment; this one by default.
        say: gets the program's messages, each with its severity.

    Raises Refusal when the program failed. A function's own exceptions are raised as they are.
    """
    answers = Unknowns(stacks or {}, calls or {}, account, set() if not_there is None else not_there)
    run = Run(project, stack, config or {}, answers, say or _say, there=before.by_urn if before else None)
    if isinstance(program, Path):
        run_in_process(
            run, program=program.resolve(), secret_keys=secret_keys, dry_run=True, python=python, output=output
        )
    else:
        from twokeys.preview import monitor  # noqa: PLC0415 - the only part that needs the SDK in this process

        monitor.run(program, run.answer, dry_run=True, **run.settings)
    return run.snapshot()


def judge(  # noqa: PLR0913 - all but the snapshot and the configuration by name
    snapshot: Snapshot,
    config: Mapping[str, Mapping[str, object]] | None = None,
    *,
    account: str | None = None,
    made: bool = False,
    beside: Beside | None = None,
    first: str = ACCOUNT_FIRST,
) -> Verdicts:
    """What the policy pack finds in a snapshot, in its words; a rule that fails has proved nothing.

    Args:
        config: the policy pack's configuration, by rule.
        account: as of `preview`.
        made: whether it is what came of an update; a preview leaves to the update what that judges in time.
        beside: what other stacks have that may hold a key, as `other_states` reads it.
        first: what to do where a document waits for an account.
    """
    given, now = config or {}, datetime.now(UTC)
    graph = joined = build(of_program(snapshot) if account else snapshot, own_account=account)
    judged = list(judge_rules(graph, RULES, settings_alone(given) if beside else given, now))
    theirs: list[Judged] = []
    if beside is not None:
        judged, theirs, joined = beside.judged(judged, judged, graph, account, lambda: None)
        theirs += [as_of(beside.others)] if beside.others.evidence else []
    if not made:
        judged, later = deferred(graph, judged, joined, first)
        judged += later
    found = [(one.mandatory, one.finding) for one in of_providers_in_one(graph, (*judged, *theirs))]
    mandatory, advisory = (tuple(one for level, one in found if level is wanted) for wanted in (True, False))
    excepted = {rule: settings for rule, settings in given.items() if "exceptions" in settings}
    rules = [one for one in RULES if one.name in excepted]
    return Verdicts(mandatory, advisory, not_used=check(graph, rules, excepted, now).not_used)


def stack_preview(  # noqa: PLR0913 - all but the stack by name
    project: Project,
    stack: str,
    overrides: Mapping[str, str],
    *,
    rules: Mapping[str, Mapping[str, object]],
    stacks: Mapping[str, Mapping[str, Any]] | None = None,
    account: str | None = None,
    not_there: set[str] | None = None,
    states: Sequence[Path] | None = None,
    shown: Sequence[Snapshot] = (),
    say: Callable[[str, str], None],
    output: IO[str] | None = None,
) -> tuple[Snapshot, Verdicts]:
    """What the program registers for a stack of its project, and what the rules find in it.

    `overrides` are config values that win over the stack's file; `say` gets the program's messages, each with its
    severity; `not_there` is as of `preview`. Among `states`, or on this machine, is that of the stack, if it has one;
    with None it has none. `shown` are previews of other stacks, which may have a key that is missing. Raises Refusal
    when the config or the program fails.
    """
    before = None if states is None else _state_of(project, stack, states)
    if before is not None:
        say("info", f"read: the state in {os.path.relpath(before.origin)}")
    own = f"urn:pulumi:{stack}::{project.name}"
    beside = other_states(rules, own, project.program.parent, shown=shown)
    hidden, path = stand_ins(project, stack), project.stack_file(stack)
    if path.exists() and read_mapping(path).get("environment"):
        # https://www.pulumi.com/docs/esc/integrations/infrastructure/pulumi-iac/
        why = f"{path.name} names an environment of Pulumi ESC: its config, which Pulumi Cloud has, is not read"
        say("warning", f"{why}. Next step: give what the program needs of it with --config KEY=VALUE")
    config = load_config(project, stack, hidden | {as_full_key(project, key): one for key, one in overrides.items()})
    without = _hiding({config[key]: f"[secret {key}]" for key in hidden})
    if made_up := [key for key, value in hidden.items() if config[key] == value]:
        one = "--config KEY=VALUE gives what it is"
        say("info", f"not known here, and 12 digits stand for each: the secret {listed(made_up)} of {path.name}; {one}")
    try:
        snapshot = preview(
            project.program,
            stack,
            config,
            project=project.name,
            secret_keys=tuple(hidden),
            stacks=stacks,
            account=account,
            not_there=not_there,
            before=before,
            python=interpreter(project.root),
            say=lambda severity, message: say(severity, without(message)),
            output=output,
        )
    except Refusal as refusal:
        told = {"what": refusal.what, "where": refusal.where, "why": refusal.why, "next_step": refusal.next_step}
        raise Refusal(**{key: without(text) for key, text in told.items()}) from refusal
    known = {found.get("email") for found in snapshot.of_type(ACCOUNT)}
    for left in before.of_type(ACCOUNT) if before else ():
        if left.protect and left.urn not in snapshot.by_urn and left.get("email") not in known:
            name = left.text("name") or left.name
            say("warning", _LEFT.format(name=name, id=left.text("id"), stack=stack, urn=left.urn))
    first = ACCOUNT_FIRST if states is None or before is not None else _STATE_FIRST
    judged = judge(snapshot, rules, account=account, beside=beside, first=first)
    mandatory, advisory = (
        tuple(one.reworded(without) for one in found) for found in (judged.mandatory, judged.advisory)
    )
    return snapshot, replace(judged, mandatory=mandatory, advisory=advisory)


def _state_of(project: Project, stack: str, states: Sequence[Path]) -> Snapshot | None:
    """The stack's own state: one that is given, that of a backend on this machine, or of the sandbox."""
    for named in (*map(str, states), None, *map(str, of_project.states_made(project.root))):
        found = state_before(project.name, stack, named)
        if found is not None and found.resources:
            return found
    return None


def interpreter(root: Path) -> Path | None:
    """The Python of the project's own virtual environment, where it has one.

    https://www.pulumi.com/docs/iac/languages-sdks/python/#virtual-environments: `runtime.options.virtualenv` names it;
    with `toolchain: uv` it is `.venv`.
    """
    runtime = read_mapping(root / "Pulumi.yaml").get("runtime")
    options = (runtime.get("options") if isinstance(runtime, dict) else None) or {}
    folder = options.get("virtualenv") or (".venv" if options.get("toolchain") == "uv" else None)
    if folder is None:
        return None
    found = root / folder / "bin" / "python"
    return found if found.exists() else None


def stand_ins(project: Project, stack: str) -> dict[str, str]:
    """What stands for each secret in a stack's config, by full key: only the pulumi CLI has what decrypts it.

    12 digits, other ones for each, so that what is an account's id makes an ARN. Raises Refusal when the file cannot be
    read.
    """
    given = read_config(project.stack_file(stack))
    secrets = [key for key, value in given.items() if isinstance(value, dict) and value.keys() == {"secure"}]
    return {as_full_key(project, key): f"{number:012}" for number, key in enumerate(secrets, 1)}


def _hiding(secrets: Mapping[str, str]) -> Callable[[str], str]:
    """Puts a secret's name in its place in what is printed, as the engine puts `[secret]`.

    https://github.com/pulumi/pulumi/blob/v3.274.1/sdk/go/common/util/logging/log.go also leaves short ones as they are.
    """
    written = {form: name for text, name in secrets.items() for form in (text, json.dumps(text)[1:-1])}
    hidden = [text for text in written if len(text) >= _SHORTEST_SECRET and text.casefold() not in ("true", "false")]
    either = re.compile("|".join(map(re.escape, sorted(hidden, key=len, reverse=True))) or "(?!)")
    return lambda text: either.sub(lambda found: written[found[0]], text)


def outputs_of(states: Iterable[Path]) -> dict[str, Mapping[str, Any]]:
    """The outputs that each state file holds, by the name of its stack.

    Raises Refusal for a file that is no state, or does not say of which stack it is.
    """
    found: dict[str, Mapping[str, Any]] = {}
    for path in states:
        exports = read_exports(str(path))
        stack = exports.snapshot.stack
        if stack is None:
            why, step = "it holds outputs without resources", "give what `pulumi stack export --file FILE` writes"
            if exports.snapshot.is_state:
                why = "it holds no resources: an update is under way or was stopped, or the stack is destroyed"
                step = "wait for the update to end; where none runs, update the stack again, or leave its state out"
            raise Refusal("the stack of this file cannot be told", where=str(path), why=why, next_step=step)
        found[stack] = exports.outputs
    return found


def exported(snapshot: Snapshot, was: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the stack of a preview exports, on the wire: where that is not known, what it exported before, if it did.

    A secret is not known, as in a state that is read.
    """
    found = next(iter(snapshot.of_type(STACK)), None)
    outputs = found.outputs if found else {}
    known = {key: UNKNOWN if found and key in found.secrets else one for key, one in outputs.items()}
    return _else_before(on_wire(known), was)  # type: ignore[no-any-return] # JSON


def _else_before(new: Any, old: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(new, dict):
        before = old if isinstance(old, dict) else {}
        return {key: _else_before(one, before.get(key)) for key, one in new.items()}
    return old if new == UNKNOWN_TEXT and old is not None else new


def _say(severity: str, message: str) -> None:
    if severity != "info":
        sys.stderr.write(f"{severity}: {message}\n")
