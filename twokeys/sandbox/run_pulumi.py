"""What `pulumi` is in `twokeys sandbox shell`: the same command, in the mirror of the project that it was called in.

`python -m twokeys.sandbox.run_pulumi PULUMI ROOT DIRECTORY ARGUMENT...`
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from twokeys.errors import Refusal
from twokeys.project.config import load_project
from twokeys.sandbox.pulumi_box import PulumiBox

_FILES: Final = (
    "--config-file",
    "--event-log",
    "--file",
    "--import-file",
    "--out",
    "--plan",
    "--policy-pack",
    "--policy-pack-config",
    "--save-plan",
)
"""Options of the CLI that name a file or folder."""


def command(pulumi: Path, box: PulumiBox, folder: Path, arguments: Sequence[str]) -> list[str]:
    """What to run for a command that was called in `folder`; the mirror is made anew for one of this project.

    `config` goes to the project's own files, which are where people look for what they set; the stack is the one that
    is selected in the mirror, as the CLI keeps a selection for each folder.
    """
    elsewhere = any(one in ("-C", "--cwd") or one.startswith("--cwd=") for one in arguments)
    project = next((one for one in (folder, *folder.parents) if (one / "Pulumi.yaml").exists()), None)
    if elsewhere or project != box.project.root.resolve():
        return [str(pulumi), *arguments]
    if arguments[:1] == ["config"]:
        asked = [str(pulumi), "--cwd", str(box.reflect()), "stack", "--show-name"]
        selected = subprocess.run(asked, check=False, capture_output=True, text=True).stdout.strip()  # noqa: S603
        # It counts where no -s is given: https://www.pulumi.com/docs/iac/cli/environment-variables/
        return [*(["env", f"PULUMI_STACK={selected}"] if selected else []), str(pulumi), *arguments]
    return [str(pulumi), "--cwd", str(box.reflect()), *_absolute(folder, arguments)]


def _absolute(folder: Path, arguments: Sequence[str]) -> list[str]:
    """The arguments with every file where it was meant to be: beside where the command was called."""
    made: list[str] = []
    before = ""
    for argument in arguments:
        name, separator, value = argument.partition("=")
        if before in _FILES:
            made.append(str(folder / argument))
        elif separator and name in _FILES:
            made.append(f"{name}={folder / value}")
        else:
            made.append(argument)
        before = argument
    return made


def main(arguments: Sequence[str]) -> None:
    """Become the CLI, or say on standard error why not and exit with 1."""
    pulumi, root, directory, *rest = arguments
    try:
        box = PulumiBox(load_project(Path(root)), Path(directory))
        wanted = command(Path(pulumi), box, Path.cwd().resolve(), rest)
    except Refusal as refusal:
        sys.exit(f"Refused: {refusal}")
    os.execvp(wanted[0], wanted)  # noqa: S606 - the CLI that the user installed, in this process's place


if __name__ == "__main__":
    main(sys.argv[1:])
