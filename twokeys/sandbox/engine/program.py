"""Start the program in its own process, pass on what it prints, and end it when the run is over."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from twokeys.sandbox.engine.books import Settings
from twokeys.sandbox.engine.events import Diagnostic, Report, Severity
from twokeys.sandbox.engine.supervised import supervised


class Program:
    """A running program.

    Args:
        path: its `__main__.py`; it runs in that folder.
        monitor: where the resource monitor answers.
        engine: where the engine's own service answers.
        environment: the whole environment of the process.
    """

    def __init__(  # noqa: PLR0913 - all by name
        self,
        path: Path,
        settings: Settings,
        *,
        monitor: str,
        engine: str,
        environment: Mapping[str, str],
        report: Report,
    ) -> None:
        self._report = report
        self._muted = threading.Event()
        told = {
            "program": str(path),
            "monitor": monitor,
            "engine": engine,
            "project": settings.project,
            "stack": settings.stack,
            "organization": settings.organization,
            "config": dict(settings.config),
            "secretKeys": list(settings.secret_keys),
            "parallel": settings.parallel,
            "dryRun": settings.dry_run,
        }
        # A session of its own, so that Ctrl-C in the terminal reaches us alone and we end it in order.
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            supervised("twokeys.sandbox.engine.run_program"),
            cwd=path.parent,
            env={**environment, "PULUMI_CONFIG": json.dumps(told["config"])},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self._process.stdin is not None  # noqa: S101 - PIPE
        json.dump(told, self._process.stdin)
        self._process.stdin.close()
        self._readers = [
            threading.Thread(target=self._pass_on, args=(stream, severity), daemon=True)
            for stream, severity in ((self._process.stdout, Severity.INFO), (self._process.stderr, Severity.WARNING))
        ]
        for reader in self._readers:
            reader.start()

    def exit_code(self) -> int | None:
        """The exit code, or None while it runs."""
        return self._process.poll()

    def wait(self, seconds: float) -> int | None:
        """Wait that long for the end; the exit code, or None when it still runs."""
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        for reader in self._readers:
            reader.join(seconds)
        return code

    def end(self) -> None:
        """End it now; what it still prints about that is not passed on."""
        self._muted.set()
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(2)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                for reader in self._readers:
                    reader.join(2)
                stream.close()

    def _pass_on(self, stream: IO[str], severity: Severity) -> None:
        for line in stream:
            if not self._muted.is_set():
                self._report(Diagnostic(severity, line.rstrip("\n")))
