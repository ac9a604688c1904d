"""docs/account-life.md, followed by the letter: its config written down, its commands run."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.sandbox.conftest import Run

_BLOCK = re.compile(r"^```(yaml|sh)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FAILS = "# exits with 1"


def steps(page: str) -> Iterator[tuple[str, str]]:
    """("yaml", text) and ("sh", one command), in the order of the page."""
    for kind, text in _BLOCK.findall(page):
        if kind == "yaml":
            yield kind, text
        else:
            yield from (("sh", line) for line in text.splitlines())


def write_down(project: Path, text: str) -> None:
    """Put the keys of a block into the file that its first line names."""
    file = project / text.splitlines()[0].removeprefix("# ")
    whole = yaml.safe_load(file.read_text())
    whole["config"] |= yaml.safe_load(text)
    file.write_text(yaml.safe_dump(whole, sort_keys=False))


def mailed_code(project: Path) -> str:
    lines = (project / ".twokeys" / "aws" / "mailbox.jsonl").read_text().splitlines()
    return str(json.loads(lines[-1])["text"].split()[-1])


@pytest.mark.timeout(900)
def test_the_page_can_be_followed(project: Path, project_root: Path, twokeys: Run) -> None:
    page = (project_root / "docs/account-life.md").read_text()
    for kind, text in steps(page):
        if kind == "yaml":
            write_down(project, text)
            continue
        command, _, _ = text.partition("#")
        if "--otp CODE" in command:
            command = command.replace("CODE", mailed_code(project))
        words = shlex.split(command)
        assert words[0] == "twokeys"
        done = twokeys(*words[1:])
        assert done.returncode == (1 if _FAILS in text else 0), f"{text}\n{done.stdout}{done.stderr}"
    assert "1 closed" not in page  # outputs are not copied there, where they would grow old
