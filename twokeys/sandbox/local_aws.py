"""The local AWS that the sandbox runs on: ministack, in a process of ours, on loopback only.

By default the server reads a pipe that only we hold open, and ends when the pipe does: at our exit, after Ctrl-C, and
after a crash of ours. Detached, it outlives the command once it is ready, so that `twokeys sandbox up` and a later
`shell` reach the same accounts through the same endpoint. `server.json` names its pid *and* its start time; a process
is only ever taken for ours, or ended, when both match, so a recycled pid is never touched.

Either way its accounts are written to disk at an orderly end, by ministack's own means, and are there when it starts
again, on the same port if it is free. One that is killed has forgotten them.
"""

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import boto3
import psutil
from pydantic import TypeAdapter, ValidationError

from twokeys.errors import Refusal
from twokeys.files import locked, make_folder, read_text, replace_text

MANAGEMENT_ACCOUNT = "111111111111"
"""The account that the sandbox's organization is created from, as in the classic example."""

DETACH = b"d"
"""What a server reads on its standard input when it is to outlive the end of that pipe."""

_COMMAND = (sys.executable, "-m", "twokeys.sandbox.local_server")
_LOOPBACK = "127.0.0.1"
# Systems take the ports of outgoing connections from above (Linux from 32768, macOS from 49152): a connection of
# anybody's could else be on a server's port when it starts again. https://www.rfc-editor.org/rfc/rfc6056#section-2.1
_PORTS = range(20_000, 32_768)
_PORTS_TRIED = 16
# One that is ended before it wrote its accounts has forgotten them, and a busy machine is no reason for that.
_READY_SECONDS = 120.0
_ANSWER_SECONDS = 20.0
_STOP_SECONDS = 30.0
_LOG_LINES = 15


@dataclass(frozen=True)
class _Record:
    """What `server.json` says: who serves this directory, and where."""

    pid: int
    started: float  # seconds since the epoch, as psutil tells it
    port: int

    def process(self) -> psutil.Process | None:
        """The server's process, or None when it ended or the pid belongs to somebody else by now."""
        try:
            process = psutil.Process(self.pid)
            the_very = abs(process.create_time() - self.started) <= 0.01
            return process if the_very and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.Error:
            return None


_RECORD: Final = TypeAdapter(_Record)


class LocalAws:
    """One running local AWS. Make it with `start` or `attach`.

    As a context manager it is stopped at the end, unless it is detached or was running already.
    """

    def __init__(
        self, directory: Path, record: _Record, *, detached: bool, child: subprocess.Popen[bytes] | None
    ) -> None:
        self.directory = directory
        self.endpoint = f"http://{_LOOPBACK}:{record.port}"
        self.detached = detached
        self.started_here = child is not None
        self.port, self.pid = record.port, record.pid
        self._record = record
        self._child = child

    @classmethod
    def start(cls, directory: Path, *, detached: bool = False) -> Self:
        """Run the local AWS whose accounts live in `directory`, or return the one that already serves it.

        It takes the port that this directory had last, so that endpoints in open shells stay right, or any free one.
        Raises Refusal when the directory cannot be written or when the server ends before it answers.
        """
        directory = directory.resolve()
        make_folder(directory / "tmp")
        directory.chmod(0o700)  # it holds keys of the accounts
        # Only one process at a time decides whether a server is there, so that two never serve one directory.
        with locked(_record_path(directory), _READY_SECONDS + _STOP_SECONDS):
            running = cls.attach(directory)
            if running is not None:
                return running
            left = _read_record(directory)
            if left is not None:  # if it is there it does not answer: two would serve the same accounts
                cls(directory, left, detached=True, child=None).stop()
            with _listen(left.port if left else 0) as listener:
                child = _launch(directory, listener)
                port = listener.getsockname()[1]
            return cls._when_ready(directory, child, port, detached=detached)

    @classmethod
    def attach(cls, directory: Path) -> Self | None:
        """The local AWS that serves `directory` now, or None; a stale pid file is no server."""
        directory = directory.resolve()
        record = _read_record(directory)
        if record is None or record.process() is None:
            return None
        found = cls(directory, record, detached=True, child=None)
        return found if _answers(found.endpoint) else None

    def environment(self, account: str = MANAGEMENT_ACCOUNT) -> dict[str, str]:
        """The variables with which the AWS CLI and boto3 are `account`'s root user in this local AWS."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": account,
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(
        self, service: str, key: str = MANAGEMENT_ACCOUNT, secret: str | None = None, token: str | None = None
    ) -> Any:  # noqa: ANN401 - boto3 makes clients at run time
        """A boto3 client; an account's id is the access key of its root user."""
        return boto3.client(  # type: ignore[call-overload] # the service is a variable
            service,
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=key,
            aws_secret_access_key=secret or "test",
            aws_session_token=token,
        )

    def stop(self) -> None:
        """End the server; its accounts stay on disk. A server that is already gone is no error."""
        process = self._record.process()
        if process is not None:
            ended = self._child or process  # a child of ours is reaped by its Popen, which psutil must not do first
            with contextlib.suppress(psutil.NoSuchProcess):
                for end in (signal.SIGTERM, signal.SIGKILL):
                    process.send_signal(end)
                    with contextlib.suppress(psutil.TimeoutExpired, subprocess.TimeoutExpired):
                        ended.wait(_STOP_SECONDS)
                        break
        if self._child is not None:
            _reap(self._child)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self.started_here and not self.detached:
            self.stop()

    @classmethod
    def _when_ready(cls, directory: Path, process: subprocess.Popen[bytes], port: int, *, detached: bool) -> Self:
        try:
            record = _Record(process.pid, psutil.Process(process.pid).create_time(), port)
            server = cls(directory, record, detached=detached, child=process)
            deadline = time.monotonic() + _READY_SECONDS
            while not _answers(server.endpoint):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise _never_ready(directory, process.poll())
                time.sleep(0.02)
            path = _record_path(directory)
            replace_text(path, read_text(path), _RECORD.dump_json(record).decode())
            if detached and process.stdin is not None:
                process.stdin.write(DETACH)
                process.stdin.close()
        except BaseException:
            process.kill()
            _reap(process)
            raise
        return server


def _listen(last: int) -> socket.socket:
    """A listening loopback socket; the server inherits it, so no port is lost between finding and using it."""
    for candidate in (last, *random.sample(_PORTS, _PORTS_TRIED)) if last else random.sample(_PORTS, _PORTS_TRIED):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((_LOOPBACK, candidate))
            listener.listen(128)
        except OSError:
            listener.close()
        else:
            return listener
    raise Refusal(
        "the local AWS cannot listen",
        where=_LOOPBACK,
        why=f"none of {_PORTS_TRIED} ports that were tried is free",
        next_step="end what listens on this machine's ports, and run the command again",
    )


def _launch(directory: Path, listener: socket.socket) -> subprocess.Popen[bytes]:
    with _log_path(directory).open("wb") as log:
        return subprocess.Popen(  # noqa: S603 - our own module, by this very interpreter
            [*_COMMAND, str(listener.fileno())],
            env=_server_environment(directory, listener.getsockname()[1]),
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=(listener.fileno(),),
            # Ctrl-C goes to every process of the terminal's group; the server must outlive it until we are done.
            start_new_session=True,
        )


def _server_environment(directory: Path, port: int) -> dict[str, str]:
    """What ministack reads. Nothing of the caller's AWS or Docker settings gets in."""
    kept = {
        name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "LC_ALL", "PYTHONPATH")
    }
    return kept | {
        "AUTH": "true",
        "BIND_HOST": _LOOPBACK,
        "GATEWAY_PORT": str(port),
        "MINISTACK_ACCOUNT_ID": MANAGEMENT_ACCOUNT,
        "LOG_LEVEL": "WARNING",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(directory / "state"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(directory / "s3"),
        "TMPDIR": str(directory / "tmp"),
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        # ministack removes containers of other ministacks when it finds a Docker daemon; it must find none.
        "DOCKER_HOST": f"unix://{directory / 'no-docker.sock'}",
    }


def _never_ready(directory: Path, code: int | None) -> Refusal:
    lines = _log_path(directory).read_text(errors="replace").splitlines()[-_LOG_LINES:]
    how = "it did not answer in time" if code is None else f"it ended with code {code} before it answered"
    return Refusal(
        "the local AWS did not start",
        where=str(_log_path(directory)),
        why=how + (", and said last:\n  " + "\n  ".join(lines) if lines else " and said nothing"),
        next_step="read the log; if the kept accounts are damaged, remove the directory and run `up` again",
    )


def _reap(child: subprocess.Popen[bytes]) -> None:
    if child.stdin is not None:
        child.stdin.close()
    child.wait()


def _answers(endpoint: str) -> bool:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # never through a proxy: it is loopback
    try:
        with direct.open(f"{endpoint}/_ministack/health", timeout=_ANSWER_SECONDS) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _record_path(directory: Path) -> Path:
    return directory / "server.json"


def _log_path(directory: Path) -> Path:
    return directory / "server.log"


def _read_record(directory: Path) -> _Record | None:
    """None too for half a record: it names no process for certain, so there is nothing to attach to or to end."""
    try:
        return _RECORD.validate_json(_record_path(directory).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None
