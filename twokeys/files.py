"""Changing a file that belongs to a person: all of it or nothing, and with everything about it as it was."""

import contextlib
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from secrets import token_hex

from filelock import FileLock, Timeout

from twokeys.errors import Refusal

# Bytes that are not UTF-8 survive the way through text and back.
_ENCODING = {"encoding": "utf-8", "errors": "surrogateescape"}


def read_text(path: Path) -> str:
    """The text of a file, every byte of it; "" for a file that does not exist. Refuses what cannot be read."""
    _regular(path)
    with _refusing(path):
        try:
            return path.read_bytes().decode(**_ENCODING)
        except FileNotFoundError:
            return ""


@contextlib.contextmanager
def locked(path: Path, seconds: float = 10) -> Iterator[None]:
    """Keep other runs of ours away from the file; refuses when one holds it for longer than these seconds.

    The folder is made when it is missing, for its owner only, as the AWS CLI does.
    """
    target = _regular(path)
    with _refusing(path):
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = FileLock(target.with_name(f".{target.name}.twokeys.lock"), mode=0o600)
        try:
            lock.acquire(timeout=seconds)
        except Timeout as error:
            if not os.path.exists(lock.lock_file):
                raise OSError(0, f"no lock can be made beside it: {lock.lock_file}") from error
            raise Refusal(
                "the file is in use",
                where=str(path),
                why=f"another run of this command has held it for {seconds:g} seconds",
                next_step="let it finish and try again",
            ) from error
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            os.unlink(lock.lock_file)  # before its release: whoever waits sees that it is gone, and makes another
        lock.release()


def replace_text(path: Path, old: str, new: str) -> None:
    """Replace the file's text in one step: a reader, or a crash at any moment, sees the old text or the new one.

    A link keeps being a link, mode and owner stay; a new file is for its owner only (0600). To be called under
    `locked`. Refuses a file that is no longer `old`, is read-only, or cannot be written.
    """
    target = _regular(path)
    with _refusing(path):
        status = target.stat() if target.exists() else None
        if status and not status.st_mode & stat.S_IWUSR:
            raise Refusal(
                "the file is read-only",
                where=str(path),
                why="whoever took away its write permission wants it to stay as it is",
                next_step=f"chmod u+w {target}",
            )
        draft = target.with_name(f".{target.name}.twokeys.tmp")
        draft.unlink(missing_ok=True)  # a killed run may have left one; the lock says that nobody writes it now
        with _written(draft, target, new, 0o600):
            if read_text(path) != old:
                raise _changed(path)
            os.replace(draft, target)
        _sync(target.parent)


def _changed(path: Path) -> Refusal:
    return Refusal(
        "the file was changed by somebody else",
        where=str(path),
        why="it is no longer what this command read",
        next_step="run the command again",
    )


def make_folder(path: Path) -> None:
    """Make a folder, and those above it, when it is not there. Refuses where that cannot be done."""
    with _refusing(path):
        path.mkdir(parents=True, exist_ok=True)


def write_output(path: Path, text: str, *, instead_of: str | None = None) -> None:
    """Write a file that a command makes (a page, a picture) whole or not at all, replacing an older one.

    Refuses to where the older one is no longer `instead_of`: somebody else has changed it.
    """
    if instead_of is not None and read_text(path) != instead_of:
        raise _changed(path)
    write_outputs({path: text})


def write_outputs(texts: Mapping[Path, str]) -> None:
    """Write several such files: no older one is replaced before all are written out beside their places."""
    with contextlib.ExitStack() as drafts:
        written = []
        for path, text in texts.items():
            target = _regular(path)
            draft = target.with_name(f".{target.name}.{token_hex(8)}")
            with _refusing(path):
                drafts.enter_context(_written(draft, target, text, 0o666))
            written.append((path, draft, target))
        for path, draft, target in written:
            with _refusing(path):
                os.replace(draft, target)


@contextlib.contextmanager
def _written(draft: Path, target: Path, text: str, mode: int) -> Iterator[None]:
    """The text in a draft with the target's mode and owner, which is gone afterwards unless it took the target's place.

    `mode` is that of a new target, less what the umask takes.
    """
    status = target.stat() if target.exists() else None
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            if status:
                if (status.st_uid, status.st_gid) != (os.geteuid(), os.getegid()):
                    os.fchown(file.fileno(), status.st_uid, status.st_gid)
                os.fchmod(file.fileno(), stat.S_IMODE(status.st_mode))
            file.write(text.encode(**_ENCODING))
            file.flush()
            os.fsync(file.fileno())
        yield
    finally:
        draft.unlink(missing_ok=True)


def _regular(path: Path) -> Path:
    """Where the path leads; refuses a folder, a device or a pipe, which cannot be replaced in one step."""
    target = _real(path)
    with _refusing(path):
        if target.exists() and not target.is_file():
            raise Refusal(
                "only a file can be read or written",
                where=str(path),
                why="there is something else of that name",
                next_step="name a file, or a path where nothing is yet",
            )
    return target


def _real(path: Path) -> Path:
    """Where a link leads, also when nothing is there yet; refuses links that lead in a circle."""
    with _refusing(path):
        if path.is_symlink():
            with contextlib.suppress(FileNotFoundError):
                path.stat()
        return Path(os.path.realpath(path))


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _refusing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Refusal(
            "the file cannot be read or written",
            where=str(path),
            why=error.strerror or str(error),
            next_step="mend the path or its permissions, or name another file",
        ) from error
