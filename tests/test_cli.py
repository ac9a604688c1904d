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
    monkeypatch.setattr(cli._Commands, "get_command", lambda *_: command)


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


def test_help_names_every_command() -> None:
    shown, _ = _help_of()
    for name in cli.COMMANDS:
        assert name in shown


def test_the_help_of_no_room_and_of_none_of_its_commands_imports_what_is_slow_to_import() -> None:
    commands = {name: cli._twokeys.get_command(click.Context(cli._twokeys), name) for name in cli.COMMANDS}
    groups = {name: sorted(found.commands) for name, found in commands.items() if isinstance(found, click.Group)}
    assert {"demo", "down", "up", "shell", "mailbox"} <= set(groups["sandbox"])
    for words in [(), *((name,) for name in commands), *((name, one) for name, them in groups.items() for one in them)]:
        shown, imported = _help_of(*words)
        assert shown.startswith(" ".join(("Usage: twokeys", *words)))
        assert imported == "[]", f"the help of {words} imports {imported}"


# What takes a tenth of a second or more to import, and pulls in more of its kind.
_SLOW = {"boto3", "botocore", "dask", "distributed", "grpc", "ministack", "pulumi", "pydantic", "pygal", "rich", "yaml"}


def _help_of(*words: str) -> tuple[str, str]:
    """What `twokeys WORDS --help` prints, and what it imports of `_SLOW`."""
    script = (
        f"import sys; sys.argv = ['twokeys', *{words!r}, '--help']\n"
        "from twokeys.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        f"print(sorted({_SLOW!r} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    shown, _, imported = run.stdout.removesuffix("\n").rpartition("\n")
    return shown, imported


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("twokeys a", {"access", "account", "adopt", "assume", "audit"}),
        ("twokeys sandbox dem", {"demo"}),
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
