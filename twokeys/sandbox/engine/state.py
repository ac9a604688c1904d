"""A stack's state: one file in Pulumi's deployment v3, written atomically, and a lock that says who holds it."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
from filelock import FileLock, Timeout

from twokeys.errors import Refusal
from twokeys.sandbox.engine.resource import Resource


@dataclass(frozen=True)
class Snapshot:
    """Everything a state holds.

    Attributes:
        resources: in an order in which each comes after what it depends on.
        pending: creates that were begun; an entry that is still here when a run starts was left by a killed run.
    """

    resources: tuple[Resource, ...] = ()
    pending: tuple[Resource, ...] = ()


def now() -> str:
    """The time in the form that a state uses."""
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


class StateFile:
    """The state of one stack in one file; the state before the last run is beside it as `.bak`."""

    def __init__(self, directory: Path, stack: str) -> None:
        self.stack = stack
        self.path = directory / f"{stack}.json"
        self.backup = directory / f"{stack}.json.bak"
        self._lock = directory / f"{stack}.lock"
        self._holder = directory / f"{stack}.holder.json"

    @property
    def exists(self) -> bool:
        """Whether the stack was ever updated."""
        return self.path.exists()

    def load(self) -> Snapshot:
        """The state; empty for a stack that was never updated.

        Raises:
            Refusal: the file is damaged or holds what this engine does not read; it is left as it is.
        """
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return Snapshot()
        except (OSError, UnicodeDecodeError) as error:
            raise self._damaged(str(error)) from error
        try:
            return _parse(json.loads(text))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            detail = f"{type(error).__name__} {error}" if isinstance(error, KeyError | AttributeError) else str(error)
            raise self._damaged(detail) from error

    def save(self, snapshot: Snapshot) -> None:
        """Replace the state; a reader sees the old one or the new one, never half of one.

        Raises:
            Refusal: the folder is read-only or full; the old state is still there and valid.
        """
        manifest = json.dumps({"time": now(), "magic": "", "version": f"twokeys-{version('twokeys')}"})
        resources = ",\n".join(one.text for one in snapshot.resources)
        pending = ",\n".join(f'{{"resource":{one.text},"type":"creating"}}' for one in snapshot.pending)
        text = (
            f'{{"version":3,"deployment":{{"manifest":{manifest},\n"resources":[\n{resources}\n],'
            f'\n"pending_operations":[{pending}],"metadata":{{}}}}}}'
        )
        _write(self.path, text, self._unwritable)

    def keep_backup(self) -> None:
        """Keep the present state as `.bak`, before a run changes it."""
        if self.exists:
            _write(self.backup, self.path.read_text(encoding="utf-8"), self._unwritable)

    @contextmanager
    def locked(self, command: str) -> Iterator[None]:
        """Hold the stack for one run. The lock is the operating system's, so a dead process never holds it.

        Raises:
            Refusal: another run holds it (the refusal says who), or the folder cannot be written.
        """
        lock = FileLock(self._lock, timeout=0)
        try:
            self._lock.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except Timeout as held:
            raise Refusal(
                f"stack {self.stack} is being changed by another run",
                where=str(self._lock),
                why=self._describe_holder(),
                next_step="wait until that run is done, or stop it with Ctrl-C where it runs; then run this again",
            ) from held
        except OSError as error:
            raise self._unwritable(error) from error
        try:
            holder = {
                "pid": os.getpid(),
                "host": os.uname().nodename,
                "started": now(),
                "command": command,
                "user": psutil.Process().username(),
            }
            _write(self._holder, json.dumps(holder), self._unwritable)
            yield
        finally:
            self._holder.unlink(missing_ok=True)
            lock.release()

    def remove(self) -> None:
        """Forget the stack's state, its backup included."""
        self.path.unlink(missing_ok=True)
        self.backup.unlink(missing_ok=True)

    def _describe_holder(self) -> str:
        try:
            held = json.loads(self._holder.read_text(encoding="utf-8"))
            return (
                f"process {held['pid']} of {held['user']} on {held['host']} holds it since {held['started']}, "
                f"running `{held['command']}`"
            )
        except (OSError, ValueError, KeyError):
            return "a process that has only just started holds it"

    def _damaged(self, detail: str) -> Refusal:
        restore = f"copy {self.backup} over it" if self.backup.exists() else "move it away and start the stack anew"
        return Refusal(
            f"the state of stack {self.stack} cannot be read",
            where=str(self.path),
            why=f"it is not a deployment in version 3 that the sandbox wrote ({detail}); it was left as it is",
            next_step=f"look into the file; to go back to the state before the last run, {restore}",
        )

    def _unwritable(self, error: OSError) -> Refusal:
        return Refusal(
            f"the state of stack {self.stack} cannot be written",
            where=str(error.filename or self.path.parent),
            why=f"{error.strerror}; what is there already is complete and valid",
            next_step="free some space or make the folder writable, then run the same command again; it continues",
        )


def _parse(data: Any) -> Snapshot:  # noqa: ANN401 - JSON
    if data["version"] != 3:
        raise ValueError(f"its version is {data['version']!r}")
    deployment = data["deployment"]
    return Snapshot(
        tuple(Resource.from_json(one) for one in deployment.get("resources", ())),
        tuple(Resource.from_json(one["resource"]) for one in deployment.get("pending_operations", ())),
    )


def _write(path: Path, text: str, refusal: Any) -> None:  # noqa: ANN401
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        temporary = Path(name)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise refusal(error) from error
