"""The command line: what it offers, and in which voice it refuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import click
import pytest

from twokeys import cli
from twokeys.errors import Refusal


def _refuse() -> None:
    raise Refusal("the door is shut", where="stack stage", why="its grant is missing", next_step="add the grant")


@pytest.fixture
def refusing_command(monkeypatch: pytest.MonkeyPatch) -> None:
    command = click.Command("refuse", callback=lambda **_: _refuse(), params=[click.Option(["--json"], is_flag=True)])
    monkeypatch.setattr(cli._Rooms, "get_command", lambda *_: command)


@pytest.mark.usefixtures("refusing_command")
def test_a_refusal_says_what_where_why_and_the_next_step(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["twokeys", "refuse"])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 1
    assert capsys.readouterr().err.splitlines() == [
        "Refused: the door is shut",
        "  where: stack stage",
        "  why:   its grant is missing",
        "  next:  add the grant",
    ]


@pytest.mark.usefixtures("refusing_command")
def test_a_refusal_is_json_where_json_was_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["twokeys", "refuse", "--json"])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 1
    assert json.loads(capsys.readouterr().out)["refused"]["nextStep"] == "add the grant"


def test_an_unknown_command_is_a_usage_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["twokeys", "nonsense"])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 2
    assert "No such command 'nonsense'" in capsys.readouterr().err


def test_help_names_every_room_and_imports_none() -> None:
    script = (
        "import sys; sys.argv = ['twokeys', '--help']\n"
        "from twokeys.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(sorted(m for m in sys.modules if m in ('boto3', 'pulumi', 'grpc', 'rich', 'pydantic')))"
    )
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    for room in cli.ROOMS:
        assert room in shown
    assert shown.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("twokeys a", {"access", "account", "adopt", "audit"}),
        ("twokeys sandbox pre", {"preview"}),
        ("twokeys map --sv", {"--svg"}),
    ],
)
def test_a_shell_completes_commands_and_options(words: str, offered: set[str]) -> None:
    completion = {"_TWOKEYS_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    script = "import sys; sys.argv = ['twokeys']; from twokeys.cli import main; main()"
    shown = subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, **completion}, capture_output=True, text=True, check=False
    )
    assert {line.partition(",")[2] for line in shown.stdout.splitlines()} == offered
