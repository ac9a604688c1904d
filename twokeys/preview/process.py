"""A program in a process of its own: a clean interpreter, the program's own virtual environment, no credentials."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import FileIO
from pathlib import Path
from threading import Lock
from typing import IO, Any, Final

from twokeys.errors import Refusal
from twokeys.preview.run import ELSEWHERE, Run

_MONITOR: Final = Path(__file__).with_name("monitor.py")
# `-c` keeps this folder off the program's module path.
_START: Final = """
import runpy, sys
try:
    import grpc, pulumi
except ModuleNotFoundError as error:
    sys.exit(f"ModuleNotFoundError: {error}")
runpy.run_path(sys.argv.pop(1), run_name="__main__")
"""
_THREADS: Final = 16
_NO_ANSWER: Final = "get can only be used with classes decorated with"
"""What pulumi-aws raises where it reads the answer of a plain look-up, and there is none."""
_BY_CLI: Final = (
    "preview it with the pulumi CLI: `twokeys policies init policies`, then `pulumi preview --policy-pack policies`"
)


def run_in_process(  # noqa: PLR0913 - all by name
    run: Run,
    *,
    program: Path,
    secret_keys: tuple[str, ...] = (),
    dry_run: bool,
    python: Path | None = None,
    environment: Mapping[str, str] | None = None,
    output: IO[str] | None = None,
) -> None:
    """Run a program to its end, answering it from `run`.

    Args:
        python: the interpreter; by default this one.
        environment: variables that win over this process's own, without its AWS and Pulumi settings.
        output: where what the program prints goes; by default standard error.

    Raises Refusal when the program failed, said an error, or cannot be started; one that it raised itself, as it is.
    """
    run.folder = program if program.is_dir() else program.parent
    out_read, out_write = os.pipe()
    in_read, in_write = os.pipe()
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "PULUMI_"))}
    kept |= {"AWS_EC2_METADATA_DISABLED": "true", "PULUMI_CONFIG": json.dumps(run.config), **(environment or {})}
    target = output or sys.stderr
    process = subprocess.Popen(  # noqa: S603 - our own script, by the program's interpreter
        [python or sys.executable, "-c", _START, str(_MONITOR), str(out_write), str(in_read)],
        cwd=run.folder,
        env=kept,
        pass_fds=(out_write, in_read),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    os.close(out_write)
    os.close(in_read)
    settings = {"program": str(program), "dry_run": dry_run, "secretKeys": list(secret_keys), **run.settings}
    printed: list[str] = []
    try:
        with (
            os.fdopen(out_read, encoding="utf-8") as questions,
            os.fdopen(in_write, "wb", buffering=0) as answers,
            ThreadPoolExecutor(_THREADS) as pool,
        ):
            pool.submit(_pass_on, process, target, printed)
            try:
                ended = _serve(run, settings, questions, answers, pool)
            except BaseException:
                process.kill()  # the pool waits for what it prints
                raise
    finally:
        if process.poll() is None:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
        process.wait()
        assert process.stdout is not None  # noqa: S101 - PIPE
        process.stdout.close()
    if ended is None:
        last = "".join(printed[-3:])
        lacks = last.startswith("ModuleNotFoundError")
        why = last if lacks else f"its process ended with code {process.returncode}: {last}"
        raise _failed(run.stack, str(program), why)
    if refusal := ended.get("refusal"):
        raise Refusal(**refusal)
    if "reason" in ended:
        raise _failed(run.stack, str(ended["where"]), str(ended["reason"]), run.unanswered)
    if run.errors:
        raise _failed(run.stack, str(program), run.errors[0])


def _serve(
    run: Run, settings: Mapping[str, Any], questions: IO[str], answers: FileIO, pool: ThreadPoolExecutor
) -> Mapping[str, Any] | None:
    """Answer until the program has ended: {} when it ended well, its failure, None when it was cut short."""
    lock = Lock()

    def reply(number: int, answer: Mapping[str, Any]) -> None:
        line = json.dumps({"number": number, "answer": answer}).encode() + b"\n"
        with lock, suppress(BrokenPipeError):  # a program that has ended hears nothing more
            while line:
                line = line[answers.write(line) :]

    def work(number: int, kind: str, what: Mapping[str, Any]) -> None:
        try:
            answer = run.answer(kind, what)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        reply(number, answer)

    for line in questions:
        asked = json.loads(line)
        number, kind, what = asked["number"], asked["kind"], asked["what"]
        if kind == "settings":
            reply(number, settings)
        elif kind in ("done", "failed"):
            reply(number, {})
            return dict(what)
        else:
            pool.submit(work, number, kind, what)
    return None


def _pass_on(process: subprocess.Popen[str], target: IO[str], printed: list[str]) -> None:
    assert process.stdout is not None  # noqa: S101 - PIPE
    for line in process.stdout:
        printed.append(line)
        target.write(line)


def _failed(stack: str, where: str, why: str, unanswered: Sequence[str] = ()) -> Refusal:
    why, _, said = why.partition("Next step: ")
    step = said or "correct the program or the config of the stack, then run this again"
    if why.startswith("ModuleNotFoundError"):
        module = why.partition("'")[2].partition("'")[0].partition(".")[0]
        package = {"grpc": "pulumi", "google": "pulumi"}.get(module, module.replace("_", "-"))
        typed = f" (pip install {package})" if package.startswith("pulumi") else ""
        step = (
            f"install what the program imports{typed} into the project's virtual environment, or into the one of this"
            " `twokeys`"
        )
    elif ELSEWHERE in why:
        step = _BY_CLI
    elif unanswered:
        asked = dict.fromkeys(one.rpartition(":")[2] for one in unanswered)
        needed = f"what only AWS can tell ({', '.join(asked)})"
        why = f"it looks up {needed}" if _NO_ANSWER in why else f"it may need {needed}: {why}"
        pin = " name the account of the program's credentials (--account), or pin its provider (allowed_account_ids);"
        caller = pin if "getCallerIdentity" in asked else ""
        step = (
            "look it up by the function's `_output` form, whose value may be unknown, or take it from the stack's"
            f" config;{caller} or {_BY_CLI}"
        )
    return Refusal(f"the program of stack {stack} failed", where=where, why=why.rstrip(". \n"), next_step=step)
