"""Which shards have changed since a Git commit."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from twokeys.errors import Refusal
from twokeys.project.environment import Shard

PROGRAM: Final = ("Pulumi.yaml", "Pulumi.README.md", "__main__.py", "uv.lock", "components", "twokeys", "policies")
"""What the program is made of, in the project's folder. What of it is not there counts as not there."""


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
