"""The command line: what it offers, and in which voice it refuses."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.shell_completion import BashComplete

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


def _broken(*_: object, **_options: object) -> None:
    raise KeyError("a key that nobody looked for\x1b[31m")


@pytest.fixture
def broken_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twokeys.answers.sources.together", _broken)
    monkeypatch.setattr(sys, "argv", ["twokeys", "audit", "--state", __file__])


@pytest.mark.usefixtures("broken_command")
def test_an_error_that_nobody_foresaw_is_said_to_be_a_defect_and_where_it_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 70  # EX_SOFTWARE: https://man.openbsd.org/sysexits.3
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert "\x1b" not in said
    assert "what:  KeyError: 'a key that nobody looked for" in said
    assert "where: twokeys/answers/sources.py:" in said
    assert "report it" in said


@pytest.mark.usefixtures("broken_command")
def test_a_defect_is_json_where_json_was_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    sys.argv.append("--json")
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 70
    assert json.loads(capsys.readouterr().out)["defect"]["what"].startswith("KeyError")


@pytest.mark.parametrize("how", ["option", "variable"])
@pytest.mark.usefixtures("broken_command")
def test_the_traceback_of_a_defect_is_shown_on_request(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if how == "option":
        sys.argv.insert(1, "--traceback")
    else:
        monkeypatch.setenv("TWOKEYS_TRACEBACK", "1")
    with pytest.raises(KeyError):
        cli.main()


def test_a_reader_that_has_enough_ends_a_command_in_silence() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-c", "from twokeys.cli import main; main()", "--help"]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert done.stderr == ""
    assert done.returncode == 1


def test_an_unknown_command_is_a_usage_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["twokeys", "nonsense"])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 2
    assert "No such command 'nonsense'" in capsys.readouterr().err


def test_the_help_of_each_command_is_quick_and_fits_80_columns() -> None:
    commands = {name: cli._twokeys.get_command(click.Context(cli._twokeys), name) for name in cli.COMMANDS}
    groups = {name: sorted(found.commands) for name, found in commands.items() if isinstance(found, click.Group)}
    assert {"demo", "down", "up", "shell"} <= set(groups["sandbox"])
    all_words = [(), *((name,) for name in commands), *((name, one) for name, them in groups.items() for one in them)]
    run = subprocess.run(
        [sys.executable, "-c", _HELP], input=json.dumps(all_words), capture_output=True, text=True, check=True
    )
    helps = json.loads(run.stdout)
    assert all(name in helps[0][1] for name in cli.COMMANDS)
    for words, shown, imported in helps:
        assert shown.startswith(" ".join(("Usage: twokeys", *words)))
        assert imported == [], f"the help of {words} imports {imported}"
        assert max(map(len, shown.splitlines())) <= 80, shown


def _options(command: click.Command) -> set[str]:
    found = {word for one in command.params if isinstance(one, click.Option) for word in one.opts}
    below = command.list_commands(click.Context(command)) if isinstance(command, click.Group) else ()
    groups = (command.get_command(click.Context(command), name) for name in below)  # type: ignore[attr-defined]
    return found.union(*(_options(one) for one in groups if one is not None))


def test_every_option_is_in_a_test_or_on_a_page(project_root: Path) -> None:
    files = [*(project_root / "tests").rglob("test_*.py"), *project_root.glob("docs/*.md"), project_root / "README.md"]
    words = {word for file in files for word in re.findall(r"(?<![\w-])--?[a-z][\w-]*", file.read_text())}
    missing = sorted(_options(cli._twokeys) - words)
    assert not missing, f"a test beside the command's others, or a line of its page, for each of {missing}"


# Reads commands, and says what the `--help` of each prints, which modules are there then that take a tenth of a second
# or more to import, and pull in more of their kind.
_HELP = """
import contextlib, io, json, sys
SLOW = "boto3 botocore dask distributed grpc ministack pulumi pydantic pygal rich yaml".split()
said = []
for words in json.load(sys.stdin):
    sys.argv = ["twokeys", *words, "--help"]
    from twokeys.cli import main
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.suppress(SystemExit):
        main()
    said.append((words, out.getvalue(), [one for one in SLOW if one in sys.modules]))
print(json.dumps(said))
"""


@pytest.mark.parametrize("command", ["access check --live", "audit --live", "map --live", "preflight stage", "costs"])
def test_a_profile_that_is_not_there_is_refused_by_every_command_that_asks_aws(
    command: str, project_root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project_root)
    monkeypatch.setenv("AWS_PROFILE", "nope")
    monkeypatch.setattr(sys, "argv", ["twokeys", *command.split()])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 1
    assert "The config profile (nope) could not be found" in capsys.readouterr().err


CONFIG = """
[profile program]
credential_process = FOLDER/nope
[profile no-program]
credential_process = FOLDER/config
[profile prints]
credential_process = echo hello
[profile fails]
credential_process = cat FOLDER/nope
[profile token]
role_arn = arn:aws:iam::111111111111:role/x
web_identity_token_file = FOLDER/nope
[profile circle]
role_arn = arn:aws:iam::111111111111:role/x
source_profile = back
[profile back]
role_arn = arn:aws:iam::111111111111:role/x
source_profile = circle
[profile source]
role_arn = arn:aws:iam::111111111111:role/x
source_profile = nope
[profile center]
sso_session = nope
sso_account_id = 111111111111
sso_role_name = x
[profile half]
aws_access_key_id = AKIAIOSFODNN7EXAMPLE
[profile login]
login_session = arn:aws:iam::111111111111:user/ada
"""
"""https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html"""


@pytest.mark.parametrize(
    ("profile", "why", "step"),
    [
        ("program", "No such file or directory: 'FOLDER/nope'", "mend what gives them"),
        ("no-program", "Permission denied: 'FOLDER/config'", "mend what gives them"),
        ("prints", "JSONDecodeError", "has to be a program that prints JSON"),
        ("fails", "custom-process: cat: FOLDER/nope", "mend what gives them"),
        ("token", "No such file or directory: 'FOLDER/nope'", "mend what gives them"),
        ("circle", "Infinite loop", "and no source_profile"),
        ("source", "does not exist", "correct that in the AWS config file"),
        ("center", "sso-session does not exist", "correct that in the AWS config file"),
        ("half", "missing: aws_secret_access_key", "set what is missing"),
        ("login", "Missing Dependency", 'pip install "botocore[crt]"'),
    ],
)
def test_credentials_that_cannot_be_had_are_refused_with_the_profile_the_cause_and_what_helps(
    *,
    profile: str,
    why: str,
    step: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "config").write_text(CONFIG.replace("FOLDER", str(tmp_path)))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    refused = _refused(["costs", "--json", "--profile", profile], monkeypatch, capsys)
    assert refused["where"] == f"the AWS credentials of profile {profile}"
    assert why.replace("FOLDER", str(tmp_path)) in refused["why"]
    assert step in refused["nextStep"]


def test_a_session_of_the_shell_that_is_over_is_said_to_be_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("AWS_CREDENTIAL_EXPIRATION", "2026-01-31T15:00:00+00:00")
    (tmp_path / "config").write_text("[default]\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_PROFILE", "default")  # boto3 takes the keys
    refused = _refused(["costs", "--json"], monkeypatch, capsys)
    assert refused["where"] == "the AWS credentials"
    assert refused["why"] == "the session in this shell ended at 2026-01-31T15:00:00+00:00"
    assert refused["nextStep"].startswith("`unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN")


def _refused(words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    monkeypatch.setattr(sys, "argv", ["twokeys", *words])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 1
    refused: dict[str, str] = json.loads(capsys.readouterr().out)["refused"]
    return refused


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


def test_a_shell_completes_the_value_of_every_option_of_every_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """https://click.palletsprojects.com/en/stable/shell-completion/"""
    monkeypatch.chdir(tmp_path)
    asked = 0
    waiting: list[tuple[list[str], click.Command]] = [([], cli._twokeys)]
    while waiting:
        words, command = waiting.pop()
        if isinstance(command, click.Group):
            ctx = click.Context(command)
            parts = ((name, command.get_command(ctx, name)) for name in command.list_commands(ctx))
            waiting += [([*words, name], part) for name, part in parts if part is not None]
            continue
        for option in (each.opts[0] for each in command.params if isinstance(each, click.Option)):
            for typed in ([option], [option, "x"], [option, "x", "--", "y"]):
                BashComplete(cli._twokeys, {}, "twokeys", "_TWOKEYS_COMPLETE").get_completions([*words, *typed], "w")
                asked += 1
    assert asked > 300


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (1, "access check --policy-pack-config PIPE --state FILE"),
        (1, "access check --state PIPE"),
        (1, "access open door --for 2h --reason r --policy-pack-config PIPE"),
        (1, "audit --state PIPE"),
        (1, "audit --state FILE --events PIPE"),
        (1, "map --state PIPE"),
        (1, "preview stage --policy-pack-config PIPE"),
        (1, "profiles --person alice --state PIPE"),
        (1, "profiles --person alice --from PIPE"),
        (1, "costs --file PIPE"),
        (1, "costs --file LOOP"),
        (1, "access check --state NONE"),
        (1, "access diff FILE NONE"),
        (1, "access diff FILE FILE --state NONE"),
        (1, "access export OUT --state NONE"),
        (1, "audit --state NONE"),
        (1, "audit --state FILE --events NONE"),
        (1, "audit nope --state FILE"),
        (1, "map --state NONE"),
        (1, "verify --state NONE"),
        (1, "profiles --person alice --from NONE"),
        (1, "assume door --from NONE"),
        (1, "costs --file NONE"),
        (1, "account close stage --state NONE"),
        (1, "preview stage --policy-pack-config NONE"),
        (1, "preview stage --project LOOP"),
        (1, f"preview stage --policy-pack-config {'n' * 300}"),
        (1, "access check --state DEEP"),
        (1, "access check --state FILE --policy-pack-config DEEP"),
        (1, "access diff FILE --plan DEEP"),
        (1, "assume door --from DEEP"),
        (1, "sandbox up stage --policy-pack-config PIPE"),
        (1, "preview nope"),
        (1, "preview ../x"),
        (1, f"fleet recover {'x' * 300}"),
        (1, "preview malformed"),
        (1, "sandbox up malformed"),
        (2, "sandbox shell --account 123"),
        (2, "sandbox shell nope"),
        (2, "sandbox refresh nope"),
        (2, "access diff FILE"),
        (2, "access check --live --stack stage"),
        (2, "audit --from 2026-01-01"),
        (2, "costs --by nope"),
        (2, "costs --currency EUR"),
        (2, "audit --nope"),
    ],
)
def test_what_cannot_be_asked_is_refused_at_once_in_a_few_lines_and_nothing_is_written(
    *,
    code: int,
    words: str,
    tmp_path: Path,
    project_root: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """1: what is asked cannot be answered or done. 2: the command line is wrong in itself. See docs/README.md."""
    shutil.copy(project_root / "Pulumi.yaml", tmp_path)
    (tmp_path / "Pulumi.malformed.yaml").write_text("config:\n  a: [1\n")
    os.mkfifo(tmp_path / "PIPE")
    (tmp_path / "LOOP").symlink_to(tmp_path / "LOOP")
    (tmp_path / "DEEP").write_text("[" * 100_000)
    shutil.copy(project_root / "tests/map/states/stage.json", tmp_path / "FILE")
    before = {path.name for path in tmp_path.iterdir()}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["twokeys", *words.split()])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == code
    said = capsys.readouterr()
    assert said.out == ("false\n" if words.startswith("assume") else "")  # for `eval "$(...)" && ...`
    assert 1 < len(said.err.splitlines()) <= 5, said.err
    assert {path.name for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize(("completing", "said"), [({}, "Stopped."), ({"_TWOKEYS_COMPLETE": "bash_complete"}, "")])
@pytest.mark.parametrize("during", ["click", "twokeys.assume.commands"])
def test_ctrl_c_ends_the_first_moments_and_tab_without_a_traceback(
    during: str, completing: dict[str, str], said: str
) -> None:
    script = f"""
import os, signal, sys
class Stop:
    def find_spec(self, name, *_):
        if name == {during!r}:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Stop())
sys.argv = ["twokeys", "assume"]
from twokeys.__main__ import main
main()
"""
    words = {"COMP_WORDS": "twokeys assume ", "COMP_CWORD": "2", **completing}
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, env=os.environ | words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.strip()) == (130, said)


def test_a_standard_input_that_a_shell_closed_is_an_empty_one() -> None:
    command = [str(Path(sys.executable).with_name("twokeys")), "costs", "--file", "-"]
    done = subprocess.run(["sh", "-c", 'exec "$@" <&-', "sh", *command], capture_output=True, text=True, check=False)
    assert (done.returncode, "it is empty" in done.stderr) == (1, True)
