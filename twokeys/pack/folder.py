"""A folder that the pulumi CLI takes as a policy pack: two files, which serve the pack of this installation."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from twokeys.errors import Refusal

_MAIN = '''"""Serves the policy pack to the engine."""

from twokeys.pack.serving import serve

serve()
'''
_DESCRIPTION = "Who can enter which account is proved before anything is applied."


def write_pack(directory: Path, environment: Path | None = None) -> list[Path]:
    """Write the two files of a pack; returns them.

    Args:
        directory: where; it is made if it is not there.
        environment: the virtual environment that the pack runs in; by default the one that runs now. Without one, the
            CLI takes the Python that it finds on PATH.

    Raises:
        Refusal: one of the files is there already, or the folder cannot be written.
    """
    if environment is None and sys.prefix != sys.base_prefix:
        environment = Path(sys.prefix)
    files = {directory / "PulumiPolicy.yaml": _project(directory, environment), directory / "__main__.py": _MAIN}
    for file in files:
        if file.exists():
            raise Refusal(
                "there is a policy pack already",
                where=str(file),
                why="nothing of yours is overwritten",
                next_step="name another folder, or remove the file first",
            )
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for file, text in files.items():
            file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Refusal(
            "the policy pack cannot be written",
            where=str(error.filename or directory),
            why=str(error.strerror),
            next_step="name a folder that you can write",
        ) from error
    return list(files)


def _project(directory: Path, environment: Path | None) -> str:
    runtime = "runtime: python\n" if environment is None else _runtime(directory, environment)
    return f"description: {_DESCRIPTION}\n{runtime}version: 0.1.0\n"


def _runtime(directory: Path, environment: Path) -> str:
    """An environment beside the pack is named relatively, so that the pack can be committed with the project.

    https://www.pulumi.com/docs/iac/languages-sdks/python/#virtual-environments
    """
    beside = directory.resolve().parent
    near = environment.resolve().is_relative_to(beside)
    named = os.path.relpath(environment, directory) if near else environment.resolve()
    return f"runtime:\n  name: python\n  options:\n    virtualenv: {named}\n"
