"""What a shard's result hangs on, as one digest: a shard whose digest is that of its last success needs no engine."""

import hashlib
import json
import subprocess
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from twokeys.errors import Refusal
from twokeys.files import make_folder, write_output
from twokeys.project.environment import Shard, stored_config

PROGRAM: Final = ("Pulumi.yaml", "Pulumi.README.md", "__main__.py", "uv.lock", "components", "twokeys", "policies")
"""What the program is made of, in the project's folder. What of it is not there counts as not there."""


def program_digest(root: Path) -> str:
    """The digest of the program, the policies and the locked packages: a change of any of them concerns every shard."""
    return folder_digest(root, PROGRAM)


def folder_digest(folder: Path, names: Iterable[str] = (".",)) -> str:
    """The digest of files by their paths in the folder and their bytes; of folders, everything in them."""
    digest = hashlib.sha256()
    for path in sorted(_files(folder, names)):
        digest.update(f"{path.relative_to(folder)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def shard_digest(shard: Shard, program: str, beside: Mapping[str, Any]) -> str:
    """The digest of one shard's inputs.

    `beside` is whatever else a run hangs on, JSON-ready: engine, policy packs, the state that it starts from, what it
    reads from the management stack.
    """
    inputs = {"stack": shard.stack, "config": stored_config(shard.file), "program": program, "beside": beside}
    return hashlib.sha256(json.dumps(inputs, sort_keys=True, default=str).encode()).hexdigest()


def changed_since(root: Path, reference: str, shards: Iterable[Shard]) -> frozenset[str]:
    """The stacks whose inputs in Git differ from those at `reference`, uncommitted and untracked changes included.

    A change of the program or of the policies is a change of every stack. Raises Refusal when Git is not there, this is
    no repository, or it has no such commit.
    """
    listed = list(shards)
    paths = [*PROGRAM, *(str(shard.file.relative_to(root)) for shard in listed)]
    commit = _git(root, "rev-parse", "--verify", "--end-of-options", f"{reference}^{{commit}}").strip()
    changed = _git(root, "diff", "--name-only", "--relative", "-z", commit, "--", *paths)
    changed += _git(root, "ls-files", "--others", "--exclude-standard", "-z", "--", *paths)
    touched = set(changed.split("\0")) - {""}
    files = {str(shard.file.relative_to(root)): shard.stack for shard in listed}
    if touched - set(files):
        return frozenset(files.values())
    return frozenset(files[path] for path in touched)


def _git(root: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - git, with arguments of ours and a reference that it checks itself
            ["git", *arguments],  # noqa: S607 - wherever it is installed
            cwd=root,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as error:
        raise _no_git(str(error)) from error
    if done.returncode != 0:
        raise _no_git(done.stderr.strip() or f"git ended with code {done.returncode}")
    return done.stdout


def _no_git(why: str) -> Refusal:
    return Refusal(
        "it cannot be told what changed",
        where="--since",
        why=why,
        next_step="name a commit of this repository, or leave --since out: then all shards are looked at",
    )


def _files(folder: Path, names: Iterable[str]) -> Iterable[Path]:
    for name in names:
        path = folder / name
        if path.is_file():
            yield path
        elif path.is_dir():
            yield from (one for one in path.rglob("*") if one.is_file() and "__pycache__" not in one.parts)


class Ledger:
    """The digest of each shard when an update of it succeeded, or a preview found nothing to do: one file a shard.

    It may be lost: then everything is run once more.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def last(self, stack: str) -> str | None:
        """The last of a stack; None when there was none, or the file cannot be read."""
        with suppress(OSError, ValueError):
            return (self._folder / stack).read_text(encoding="utf-8")
        return None

    def record(self, stack: str, digest: str) -> None:
        """Remember it. Raises Refusal when the folder cannot be written."""
        make_folder(self._folder)
        write_output(self._folder / stack, digest)
