"""A folder that the pulumi CLI takes as a policy pack: a description and a program, which serve an installed pack."""

import os
import sys
from importlib.metadata import version
from pathlib import Path

from twokeys.errors import Refusal

_MAIN = '''"""Serves the policy pack to the engine."""

from twokeys.pack.serving import serve

serve()
'''
_OWN = "venv"
_DESCRIPTION = "Who can enter which account is proved before anything is applied."


def write_pack(directory: Path, *, publishable: bool = False) -> list[Path]:
    """Write the files of a pack; returns those that were not there as they are to be.

    Args:
        directory: where; it is made if it is not there. The pack runs in the virtual environment that runs now; without
            one, the CLI takes the Python that it finds on PATH.
        publishable: the pack has an environment of its own, `venv` in its folder, for `pulumi policy publish`: Pulumi
            Cloud hands the folder to other machines, whose CLI makes the environment from its requirements.txt
            (https://www.pulumi.com/docs/insights/policy/policy-packs/), which names a wheel in the folder: what an
            index has under our name may be another's. `venv` is not published, since .gitignore names it.

    Raises:
        Refusal: one of the files is there with something else in it, or the folder cannot be written.
    """
    environment = directory / _OWN if publishable else running_environment()
    files = {directory / "PulumiPolicy.yaml": _project(directory, environment), directory / "__main__.py": _MAIN}
    if publishable:
        files[directory / "requirements.txt"] = f"./twokeys-{version('twokeys')}-py3-none-any.whl[policies]\n"
        files[directory / ".gitignore"] = f"{_OWN}\n"
    files = {file: text for file, text in files.items() if not file.is_file() or file.read_bytes() != text.encode()}
    for file in files:
        if file.exists():
            raise Refusal(
                "there is another policy pack already",
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


def running_environment() -> Path | None:
    """The virtual environment of this process; None without one."""
    return Path(sys.prefix) if sys.prefix != sys.base_prefix else None


def named_environment(directory: Path, environment: Path) -> Path:
    """How a pack names its environment: relatively where it is beside the pack, so that the pack can be committed.

    https://www.pulumi.com/docs/iac/languages-sdks/python/#virtual-environments
    """
    near = environment.resolve().is_relative_to(directory.resolve().parent)
    return Path(os.path.relpath(environment, directory)) if near else environment.resolve()


def _project(directory: Path, environment: Path | None) -> str:
    runtime = "runtime: python\n"
    if environment is not None:
        named = named_environment(directory, environment)
        runtime = f"runtime:\n  name: python\n  options:\n    virtualenv: {named}\n"
    return f"description: {_DESCRIPTION}\n{runtime}version: 0.1.0\n"
