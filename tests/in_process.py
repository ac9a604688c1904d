"""Commands and programs without a process of their own: starting one takes a second or two.

Where the process itself is what is tested (signals, exit codes, what is imported), tests start one.
"""

import contextlib
import io
import json
import runpy
import subprocess
import sys
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from unittest import mock

import boto3

from components import readiness
from twokeys import cli
from twokeys.preview import monitor, process
from twokeys.preview.run import Run

Twokeys = Callable[..., subprocess.CompletedProcess[str]]


def twokeys(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """`twokeys ARGUMENTS` in a folder, as its user types it."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    boto3.DEFAULT_SESSION = None  # it would keep the credentials of the command before
    with (
        contextlib.chdir(folder),
        mock.patch.object(sys, "argv", ["twokeys", *arguments]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        warnings.catch_warnings(),
    ):
        # a server that a command leaves behind is a child of this process, which has not ended
        warnings.filterwarnings("ignore", "subprocess .* is still running", ResourceWarning)
        try:
            cli.main()
        except SystemExit as ended:
            code = ended.code
    texts = [(one.flush(), one.buffer.getvalue().decode())[1] for one in (out, err)]
    return subprocess.CompletedProcess(["twokeys", *arguments], code, *texts)


def said(run: subprocess.CompletedProcess[str]) -> Any:
    """What a command printed as JSON."""
    assert run.stdout.strip(), run.stderr
    return json.loads(run.stdout)


def run_in_process(  # what twokeys.preview.process offers
    run: Run,
    *,
    program: Path,
    python: Path | None = None,
    environment: Mapping[str, str] | None = None,
    output: Any = None,
    **settings: Any,
) -> None:
    """The repository's own program, or another whose modules nothing else names as it does."""
    del python, output
    readiness.sts_client.cache_clear()  # of another local AWS
    try:
        with mock.patch.dict("os.environ", environment or {}):
            settings |= run.settings
            monitor.run(lambda: runpy.run_path(str(program), run_name="__main__"), run.answer, **settings)
    except Exception as error:
        raise process._failed(run.stack, str(program), str(error)) from error
    if run.errors:
        raise process._failed(run.stack, str(program), run.errors[0])
