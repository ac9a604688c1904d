"""`twokeys assume` and `twokeys console`, through doors of the local AWS, which enforces both keys.

ASSUME https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html (DurationSeconds, TokenCode)
CONSOLE https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_enable-console-custom-url.html
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from time import time
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import boto3
import pytest
from botocore.credentials import SSOProvider
from botocore.tokens import SSOTokenProvider
from click import UsageError
from click.testing import CliRunner, Result

from tests.profiles.doors import MANAGEMENT, PROD, STAGE, door, outputs, write
from tests.profiles.test_local_aws import allow, local_aws  # noqa: F401 - the fixture
from tests.profiles.test_ways import identity_center
from twokeys.assume import session as sessions
from twokeys.assume.commands import assume, console
from twokeys.doors import RESERVED
from twokeys.errors import Refusal
from twokeys.sandbox.local_aws import LocalAws
from twokeys.sandbox.local_server.mfa import totp
from twokeys.sandbox.person import make_device, remove_device

WHO = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])"
READER = f"arn:aws:sts::{STAGE}:assumed-role/reader/ada"
READER_ROLE = f"arn:aws:iam::{STAGE}:role/ops/reader"


@pytest.fixture(autouse=True)
def _as_ada(local_aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811 - the fixture
    made = local_aws.client("iam", MANAGEMENT).create_access_key(UserName="ada")["AccessKey"]
    monkeypatch.setenv("AWS_ENDPOINT_URL", local_aws.endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", made["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", made["SecretAccessKey"])
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


@pytest.fixture
def doors(tmp_path: Path) -> str:
    return write(tmp_path, "doors.json", outputs(door("stage-reader", role="ops/reader", external_id="Unique-ID")))


def run(*arguments: str, command: Any = assume) -> Result:
    return CliRunner().invoke(command, list(arguments), standalone_mode=False, catch_exceptions=False)


def listed(*arguments: str) -> list[str]:
    """The lines of the list that a pipe gets: a comment behind `false`, for a shell that evaluates it."""
    false, *said = run(*arguments).stdout.splitlines()
    assert false == "false"
    assert all(line.startswith("# ") for line in said)
    return [line[2:] for line in said]


def test_a_command_runs_in_a_session_of_the_door_s_role(doors: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    script = f"{WHO[:-1]}, __import__('os').environ['TWOKEYS_DOOR'], file=open({str(out)!r}, 'w'))"
    done = run("stage-reader", "--from", doors, "--", sys.executable, "-c", script)
    assert (done.return_value, done.stderr) == (0, "")
    assert out.read_text() == f"{READER} stage-reader\n"
    for command, noted in (("sh", True), ("true", False)):
        shell = run("stage-reader", "--from", doors, "--", command, "-e")
        assert shell.stderr.startswith("Note: in stage-reader until ") == noted


def test_the_command_s_exit_code_is_the_answer_and_one_that_is_not_there_begins_no_session(doors: str) -> None:
    assert run("stage-reader", "--from", doors, "--", sys.executable, "-c", "raise SystemExit(7)").return_value == 7
    # https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_08_02 (exit status for commands)
    kill = "import os, signal; os.kill(os.getpid(), signal.SIGTERM)"
    assert run("stage-reader", "--from", doors, "--", sys.executable, "-c", kill).return_value == 128 + 15
    # Ctrl-C, which a terminal sends to both, is the command's: a psql or a shell goes on after it
    both = "import os, signal, time; os.kill(os.getppid(), signal.SIGINT); time.sleep(0.5); raise SystemExit(5)"
    assert run("stage-reader", "--from", doors, "--", sys.executable, "-c", both).return_value == 5
    absent = run("stage-reader", "--from", doors, "--", "no-such-command")
    assert absent.return_value == 127
    assert "no-such-command is no command that is on PATH" in absent.stderr
    for command in ("true", "stage-reader"):
        with pytest.raises(
            Refusal, match=r"no door is named.*1 door is there, 1 of them yours.*`twokeys assume` lists"
        ):
            run("--from", doors, "--", command)


@pytest.mark.parametrize("of", [("user", "ada"), ("group", "developers")])
def test_a_user_whom_the_role_trusts_without_mfa_is_not_asked_for_what_others_show(
    tmp_path: Path, of: tuple[str, str]
) -> None:
    entries = [
        door("a", role="ops/reader", external_id="Unique-ID", mfa=mfa, kind=kind, names=(who,), documents=False)
        for mfa, kind, who in ((True, "user", "bob"), (False, *of))
    ]
    doors = write(tmp_path, "doors.json", outputs(*entries))
    said = json.loads(run("a", "--from", doors, "--external-id", "Unique-ID", "--json").stdout)
    assert said["arn"] == READER


def evaluating(shell: str, doors: str, *more: str) -> list[dict[str, str]]:
    """What is in the environment of a shell that evaluates the session of the door, before and after, and the way back.

    fish puts the lines of `eval (...)` into one: https://fishshell.com/docs/current/fish_for_bash_users.html
    """
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not on this machine")
    out = Path(doors).with_name("out")
    out.write_text(run("stage-reader", "--from", doors, *more).stdout)
    evaluated = f"eval (cat {out})" if shell == "fish" else f'set -eu; eval "$(cat {out})"'
    script = f'env -0; printf "\\1"; {evaluated}; env -0; printf "\\1"; eval "$TWOKEYS_BACK"; env -0'
    seen = subprocess.run([shell, "-c", script], check=True, capture_output=True, text=True)
    assert seen.stderr == ""
    return [dict(one.split("=", 1) for one in env.split("\0") if one) for env in seen.stdout.split("\1")]


@pytest.mark.parametrize("shell", ["sh", "bash", "zsh", "ksh", "fish"])
def test_a_shell_whose_own_keys_are_in_its_environment_has_them_again_on_the_way_back(
    doors: str, monkeypatch: pytest.MonkeyPatch, shell: str
) -> None:
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    before, inside, after = (
        {name: value for name, value in env.items() if name[:3] in {"AWS", "TWO"}} for env in evaluating(shell, doors)
    )
    assert after == before
    assert before["AWS_SECRET_ACCESS_KEY"] not in inside.values(), "no command gets it"
    for name in ("TWOKEYS_PROFILE", "TWOKEYS_BACK"):
        monkeypatch.setenv(name, inside[name])
    second = sessions.Session("", "", "", datetime.now(UTC), "", None, "default", read(doors)[0]).evaluated
    assert "$TWOKEYS_OWN_AWS_SECRET_ACCESS_KEY" in second
    assert "eval 'TWOKEYS_OWN_" not in second, "that would keep the keys of the first door"


@pytest.mark.parametrize("own", ["nothing", "profile", "keys"])
def test_the_way_back_from_a_door_that_was_opened_with_profile_is_to_what_the_shell_had(
    doors: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: str
) -> None:
    pair = {name: os.environ[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    said = [f"{name.lower()} = {value}" for name, value in pair.items()]
    (tmp_path / "config").write_text("\n".join(["[profile mine]", *said, "[profile work]", *said]))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    for name in pair if own != "keys" else ():
        monkeypatch.delenv(name)
    if own == "profile":
        monkeypatch.setenv("AWS_PROFILE", "work")
    before, inside, after = evaluating("sh", doors, "--profile", "mine")
    assert (inside["TWOKEYS_PROFILE"], "AWS_PROFILE" in inside) == ("mine", False)
    kept = ("AWS", "TWO")
    assert {n: v for n, v in after.items() if n.startswith(kept)} == {
        n: v for n, v in before.items() if n.startswith(kept)
    }
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    for name, value in inside.items():  # and on to a second door, with another profile
        monkeypatch.setenv(name, value)
    second = run("stage-reader", "--from", doors, "--profile", "work").stdout
    assert ('AWS_PROFILE="$TWOKEYS_OWN_AWS_PROFILE"' in second) == (own == "profile"), "the first one's"
    assert "AWS_PROFILE=work" not in second


@pytest.mark.parametrize("shell", ["sh", "bash", "zsh", "fish"])
def test_without_a_command_a_shell_gets_the_session_and_the_way_back(
    doors: str, monkeypatch: pytest.MonkeyPatch, shell: str
) -> None:
    monkeypatch.setenv("TWOKEYS_DOORS", doors)
    Path(doors).with_name("config").write_text("[profile mine]\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(Path(doors).with_name("config")))
    monkeypatch.setenv("AWS_PROFILE", "mine")
    monkeypatch.setenv("TWOKEYS_PROFILE", "mine")
    monkeypatch.setenv("TWOKEYS_WITHIN", "1")  # in a shell that was begun with a door
    _, said, after = evaluating(shell, doors)
    monkeypatch.delenv("TWOKEYS_WITHIN")
    assert "AWS_PROFILE" not in said
    assert after["AWS_PROFILE"] == "mine"
    assert {name for name in said.keys() - after if name.startswith(("AWS", "TWOKEYS"))} == {
        "AWS_SESSION_TOKEN",
        "AWS_CREDENTIAL_EXPIRATION",
        "AWS_REGION",
        "TWOKEYS_PROFILE",
        "TWOKEYS_DOOR",
        "TWOKEYS_BACK",
    }, "what it had before it has again"
    monkeypatch.delenv("AWS_PROFILE")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, said[name])
    assert boto3.client("sts").get_caller_identity()["Arn"] == READER
    hers = ["Yours:", "  stage-reader  stage  with an external ID"]
    assert listed() == hers, "of ada, who is behind the session"
    for name in ("TWOKEYS_DOOR", "TWOKEYS_BACK"):
        monkeypatch.setenv(name, said[name])
    monkeypatch.setenv("AWS_CREDENTIAL_EXPIRATION", "2199-11-29T10:00:00+00:00")
    within = 'This shell is in stage-reader until 2199-11-29 10:00 UTC; back: `eval "$TWOKEYS_BACK"`'
    assert listed() == [within, *hers]
    assert listed("--profile", "mine")[0] == "Yours:", "whose credentials are others"
    monkeypatch.delenv("TWOKEYS_BACK")
    monkeypatch.setenv("TWOKEYS_PROFILE", "")  # as where its own keys were in its environment
    assert listed()[2] == f"{hers[1]}, after `unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN`"
    with pytest.raises(Refusal, match=r"for user ada, and this shell is already in stage-reader\.") as again:
        run("stage-reader", "--mfa-code", "123456")
    assert again.value.next_step.startswith("`unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("TWOKEYS_BACK", said["TWOKEYS_BACK"])
    with pytest.raises(Refusal, match=r'Next step: `eval "\$TWOKEYS_BACK"` first'):
        run("stage-reader")
    monkeypatch.setenv("TWOKEYS_WITHIN", "1")
    with pytest.raises(Refusal, match="Next step: `exit` first"):
        run("stage-reader")
    assert "TWOKEYS_WITHIN" in sessions.Session("", "", "", datetime.now(UTC), "", None, "mine", read(doors)[0]).unset


def test_a_shell_in_a_door_opens_the_next_one_and_the_same_anew_by_the_profile_that_it_came_with(
    doors: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = [f"{name} = {os.environ[name.upper()]}" for name in ("aws_access_key_id", "aws_secret_access_key")]
    (tmp_path / "config").write_text("\n".join(["[default]", "[profile mine]", *pair]))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    assert "export TWOKEYS_PROFILE=mine;" in run("stage-reader", "--from", doors).stdout, "which has the same key"
    monkeypatch.setenv("TWOKEYS_PROFILE", "mine")
    session = json.loads(run("stage-reader", "--from", doors, "--profile", "mine", "--json").stdout)
    assert session.pop("arn") == READER
    for name, value in session.items():
        monkeypatch.setenv(name, value)
    for token in (session["AWS_SESSION_TOKEN"], "one that is over"):
        monkeypatch.setenv("AWS_SESSION_TOKEN", token)
        again = run("stage-reader", "--from", doors)
        assert "export TWOKEYS_PROFILE=mine;" in again.stdout
        assert json.loads(run("stage-reader", "--from", doors, "--json").stdout)["arn"] == READER


def test_a_user_s_session_lasts_as_long_as_the_role_allows_and_a_session_s_one_hour(doors: str) -> None:
    exported = json.loads(Path(doors).read_text())
    exported["doors"][0]["door"]["maxSessionSeconds"] = 7200
    Path(doors).write_text(json.dumps(exported))
    (way,) = read(doors)
    asked = [
        sessions._asked(way, f"arn:aws:sts::{MANAGEMENT}:assumed-role/x/ada", sessions.Given(), chained=chained)
        for chained in (False, True)
    ]
    assert [each["DurationSeconds"] for each in asked] == [7200, 3600]
    user = f"arn:aws:iam::{MANAGEMENT}:user/a"  # STS takes 2 to 64 characters
    assert sessions._asked(way, user, sessions.Given(), chained=False)["RoleSessionName"] == "a-user"
    with pytest.raises(Refusal, match="give --seconds 7200 or fewer") as longer:
        run("stage-reader", "--from", doors, "--seconds", "7201")
    assert longer.value.why == "its sessions last 7200 seconds at most"


def read(doors: str) -> Any:
    """The ways of a file."""
    from twokeys.exports import read_exports
    from twokeys.profiles.reading import read_ways

    return read_ways([read_exports(doors)]).ways


def test_doors_of_one_name_are_named_by_their_accounts(tmp_path: Path) -> None:
    same = write(tmp_path, "same.json", outputs(door("reader", role="ops/reader"), door("reader", target=PROD)))
    with pytest.raises(Refusal) as several:
        run("reader", "--from", same)
    assert several.value.next_step == "name prod-reader or stage-reader, if that is meant"
    for name in ("stage-reader", "reader@stage", f"reader@{STAGE}", f"stage-reader@{STAGE}"):
        with pytest.raises(Refusal, match="door stage-reader"):  # the trust asks for an external ID
            run(name, "--from", same)
    with pytest.raises(Refusal, match="no door is called reader@nowhere"):
        run("reader@nowhere", "--from", same)


def test_a_shut_door_an_unknown_one_and_no_place_to_look_are_refused_with_the_next_step(
    doors: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # this project may have a sandbox
    with pytest.raises(Refusal) as shut:
        run("stage-reader", "--from", doors, "--external-id", "Another-ID")
    assert "AccessDenied" in shut.value.why
    assert str(shut.value).count(f"arn:aws:iam::{STAGE}:role/ops/reader") == 1, "where the door is"
    said = "by its file the door is yours: the file is old or the door is not made (ask whoever publishes it)"
    assert shut.value.next_step == f"{said}, or it asks for another --external-id"
    office = {"mfa": False, "externalId": True, "conditions": ["aws:SourceIp IpAddress 203.0.113.0/24"]}
    office_only = door("stage-reader", role="ops/reader", external_id="Another-ID", requires=office)
    with pytest.raises(Refusal, match=r"yours: it is open only from 203\.0\.113\.0/24; or the file is old"):
        run("stage-reader", "--from", write(tmp_path, "office.json", outputs(office_only)))
    bobs = write(tmp_path, "bobs.json", outputs(door("stage-reader", role="ops/reader", names=("bob",))))
    with pytest.raises(Refusal) as not_hers:
        run("stage-reader", "--from", bobs, "--external-id", "Another-ID")
    assert not_hers.value.why == "it is for user bob, and you are user ada, and none in this file is yours"
    with pytest.raises(Refusal) as unknown:
        run("stage-raeder", "--from", doors)
    assert unknown.value.next_step == "name stage-reader, if that is meant"
    old = outputs(door("b", permits="write"), door("a", names=("bob",)), door("c"), as_of="2026-11-28T06:30:12+00:00")
    with pytest.raises(Refusal, match=r"as of 2026-11-28 06:30 UTC\): 3 doors are there, 2 of them yours\.") as since:
        run("stage-queue", "--from", write(tmp_path, "old.json", old))
    newer = "if the door was made since, ask for a newer file"
    assert since.value.next_step == f"{newer}; name one that `twokeys assume` lists"
    hers = door("stage-reader", role="ops/reader")
    with pytest.raises(Refusal) as unlike:
        run("stage-raider", "--from", write(tmp_path, "old.json", outputs(hers, as_of="2026-11-28T06:30:12+00:00")))
    assert unlike.value.next_step == f"name stage-reader, if that is meant; {newer}"
    daves = door("stage-ext", names=("dave",))  # https://docs.python.org/3/library/difflib.html: two thirds are alike
    with pytest.raises(Refusal) as unlike:
        run("stage-queue", "--from", write(tmp_path, "old.json", outputs(hers, daves)))
    assert unlike.value.next_step == "name one that `twokeys assume` lists"
    with pytest.raises(UsageError, match="TWOKEYS_DOORS"):
        run("stage-reader")
    with pytest.raises(UsageError, match="not both"):
        run("stage-reader", "--from", doors, "--state", doors)
    for command in ("aws sts get-caller-identity", "aws sts --output text", "ls -l", "ls -h"):
        with pytest.raises(UsageError, match="put -- before the command"):
            run("stage-reader", *command.split(), "--from", doors)
    with pytest.raises(UsageError, match="--seconds and --mfa-code is for a DOOR"):
        run("--from", doors, "--mfa-code", "123456", "--seconds", "900")
    with pytest.raises(UsageError, match="--json prints the session"):
        run("stage-reader", "--from", doors, "--json", "--", "true")
    (tmp_path / ".twokeys" / "stacks").mkdir(parents=True)
    (tmp_path / ".twokeys" / "stacks" / "stage.json").write_text(Path(doors).read_text())
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    with pytest.raises(Refusal, match="your credentials would be sent to AWS"):
        run("stage-reader")


@pytest.mark.parametrize(
    ("dates", "since"),
    [
        ({"expires": "2026-01-31T15:00Z"}, "is closed since 2026-01-31"),
        ({"opens": "2999-06-01T00:00:00Z"}, "not open yet"),
    ],
)
def test_aws_decides_whether_a_door_is_shut_by_its_dates_which_an_older_file_may_not_know(
    tmp_path: Path, dates: dict[str, str], since: str
) -> None:
    def published(**more: Any) -> str:
        told = outputs(door("stage-reader", role="ops/reader", **more, **dates), as_of="2026-11-28T06:30:12+00:00")
        return write(tmp_path, "doors.json", told)

    opened = run("stage-reader", "--from", published(external_id="Unique-ID"), "--json")
    assert json.loads(opened.stdout)["arn"] == READER
    assert ("AWS let you in: ask for a newer file" in opened.stderr) == ("expires" in dates)
    asking = published(external_id="Another-ID", mfa=True, owner="platform")
    by_its_file = rf"by its file \(as of 2026-11-28 06:30 UTC\) it .*{since}"
    with pytest.raises(Refusal, match=by_its_file) as shut:  # before a code is asked for
        run("stage-reader", "--from", asking)
    opened = "ask its owner (platform) for `twokeys access open stage-reader --for 2h --reason TEXT`"
    assert (opened == shut.value.next_step) == ("expires" in dates)
    with pytest.raises(Refusal, match="MultiFactorAuthentication failed"):
        run("stage-reader", "--from", asking, "--mfa-code", "123456")
    with pytest.raises(Refusal, match=rf"{by_its_file}.*, and An error occurred \(AccessDenied\)"):
        run("stage-reader", "--from", published(external_id="Another-ID"))


def test_a_door_is_suggested_among_one_s_own_and_known_by_its_role(tmp_path: Path) -> None:
    bobs, hers = door("stage", names=("bob",), role="x"), door("stage-reader", role="ops/reader")
    doors = write(tmp_path, "doors.json", outputs(bobs | {"name": "stagebob"}, hers, door("prod-reader", target=PROD)))
    for asked in ("stage", STAGE, "stage-raeder"):
        with pytest.raises(Refusal) as refused:
            run(asked, "--from", doors)
        assert refused.value.next_step == "name stage-reader, if that is meant"
    hers["door"]["requires"]["externalId"] = True
    write(tmp_path, "doors.json", outputs(hers))
    said = run(READER_ROLE, "--from", doors, "--external-id", "Unique-ID", "--json")
    assert json.loads(said.stdout)["arn"] == READER


@pytest.mark.parametrize("named", ["option", "environment"])
def test_a_profile_of_a_door_gives_its_source_s_credentials_and_asks_for_no_code_of_its_own(
    doors: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    """https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-role.html#cli-configure-role-mfa"""
    pair = [f"{name} = {os.environ[name.upper()]}" for name in ("aws_access_key_id", "aws_secret_access_key")]
    (tmp_path / "credentials").write_text("\n".join(["[mine]", *pair]))
    asks = f"role_arn = {READER_ROLE}\nsource_profile = mine\nmfa_serial = arn:aws:iam::{MANAGEMENT}:mfa/ada\n"
    (tmp_path / "config").write_text(f"[profile stage-reader]\n{asks}")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name, file in (("AWS_CONFIG_FILE", "config"), ("AWS_SHARED_CREDENTIALS_FILE", "credentials")):
        monkeypatch.setenv(name, str(tmp_path / file))
    if named == "environment":
        monkeypatch.setenv("AWS_PROFILE", "stage-reader")
    option = ["--profile", "stage-reader"] if named == "option" else []
    said = run("stage-reader", "--from", doors, *option, "--json")
    assert json.loads(said.stdout)["arn"] == READER


def test_the_region_is_the_one_that_is_asked_for_else_that_of_the_shell_else_the_door_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = door("stage-reader", role="ops/reader", external_id="Unique-ID")
    doors = write(tmp_path, "doors.json", outputs(entry, regions={STAGE: "eu-central-1"}))

    def regions(*option: str) -> set[str]:
        said = json.loads(run("stage-reader", "--from", doors, "--json", *option).stdout)
        return {said["AWS_REGION"], said["AWS_DEFAULT_REGION"]}

    assert regions() == {"us-east-1"}  # AWS_DEFAULT_REGION
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert regions() == {"eu-west-1"}
    assert regions("--region", "eu-north-1") == {"eu-north-1"}
    for wrong in ("eu-westt-1", "cn-north-1"):
        with pytest.raises(Refusal, match=f"'{wrong}' as a region"):
            regions("--region", wrong)
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    assert regions() == {"eu-central-1"}
    monkeypatch.setenv("TWOKEYS_PROFILE", "work")
    shown = run("stage-reader", "--from", doors)
    assert shown.stderr.endswith('; back: `eval "$TWOKEYS_BACK"`.\n')
    assert " AWS_REGION AWS_DEFAULT_REGION TWOKEYS_PROFILE TWOKEYS_DOOR TWOKEYS_REGION TWOKEYS_BACK;" in shown.stdout
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "TWOKEYS_REGION"):  # in this shell now, for the next door
        assert f"export {name}=eu-central-1;" in shown.stdout
        monkeypatch.setenv(name, "eu-central-1")
    write(tmp_path, "doors.json", outputs(entry, regions={STAGE: "ap-south-1"}))
    assert regions() == {"ap-south-1"}
    write(tmp_path, "doors.json", outputs(entry))
    elsewhere = run("stage-reader", "--from", doors).stdout
    assert "unset AWS_REGION AWS_DEFAULT_REGION TWOKEYS_REGION" in elsewhere
    assert "eu-central-1" not in elsewhere
    monkeypatch.setenv("AWS_REGION", "eu-west-1")  # somebody's own again
    assert regions() == {"eu-west-1"}


@pytest.mark.parametrize(
    ("arguments", "printed"),
    [
        (["stage-reader", "--seconds", "abc"], "false\n"),
        (["stage-reader", "aws"], "false\n"),
        (["stage-reader", "--seconds", "abc", "--json"], ""),
        (["stage-reader", "--seconds", "abc", "--", "aws"], ""),
    ],
)
def test_a_wrong_option_ends_an_eval_too(arguments: list[str], printed: str) -> None:
    result = CliRunner().invoke(assume, arguments)
    assert (result.exit_code, result.stdout) == (2, printed)


def test_a_door_that_asks_for_mfa_asks_for_the_code_of_the_user_s_device(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A device that is not there: the local AWS refuses the code, after it was asked for.
    asking = write(tmp_path, "mfa.json", outputs(door("stage-reader", role="ops/reader", mfa=True)))
    arguments = ["stage-reader", "--from", asking]
    with monkeypatch.context() as at_a_terminal:
        tty = SimpleNamespace(isatty=lambda: True)
        terminal = SimpleNamespace(stdin=tty, stdout=sys.stdout)
        at_a_terminal.setattr("twokeys.assume.commands.sys", terminal)
        result = CliRunner().invoke(assume, arguments, input="12345\n123 456\n", standalone_mode=False)
    asked = f"Code of arn:aws:iam::{MANAGEMENT}:mfa/ada: "
    assert f"{asked}12345\na code has six digits\n{asked}123 456\n" in result.output
    piped = CliRunner().invoke(assume, arguments, input="a line for the command\n", standalone_mode=False)
    assert (piped.stdout, piped.stderr) == ("false\n", "")  # nothing is asked; `eval` ends with false
    assert isinstance(piped.exception, Refusal)
    assert piped.exception.next_step == "give the code with --mfa-code"
    assert isinstance(result.exception, Refusal)
    assert f"the next code of arn:aws:iam::{MANAGEMENT}:mfa/ada" in result.exception.next_step
    with pytest.raises(Refusal) as malformed:
        run(*arguments, "--mfa-code", "12345")
    assert malformed.value.next_step == f"give the six digits that arn:aws:iam::{MANAGEMENT}:mfa/ada shows"


def test_a_profile_that_asks_for_a_code_itself_is_refused_where_there_is_no_terminal(
    doors: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asks(**_: object) -> None:
        raise EOFError  # as getpass does, with which botocore asks

    monkeypatch.setattr(sessions.boto3, "Session", asks)
    with pytest.raises(Refusal, match=r"profile hub .* no terminal to ask you at"):
        run("stage-reader", "--from", doors, "--profile", "hub")


def test_a_session_that_may_have_begun_with_mfa_is_tried_before_a_code_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html"""
    kept = boto3.client("sts").get_session_token()["Credentials"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", kept["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", kept["SecretAccessKey"])
    monkeypatch.setenv("AWS_SESSION_TOKEN", kept["SessionToken"])
    asking = door("stage-reader", role="ops/reader", external_id="Unique-ID", mfa=True)
    done = run("stage-reader", "--from", write(tmp_path, "mfa.json", outputs(asking)), "--json")
    assert json.loads(done.stdout)["arn"].startswith(f"arn:aws:sts::{STAGE}:assumed-role/reader/")
    assert "Code of" not in done.output
    asking["door"]["requires"]["conditions"] = ["aws:SourceIp IpAddress 203.0.113.0/24"]
    elsewhere = write(tmp_path, "mfa.json", outputs(asking))
    with pytest.raises(Refusal, match=r"without a code: .*AccessDenied.*it is open only from 203.0.113.0/24\. Next"):
        run("stage-reader", "--from", elsewhere, "--external-id", "Another-ID")
    of_bob = door("stage-reader", role="ops/reader", names=("bob",), mfa=True)
    bobs = CliRunner().invoke(assume, ["stage-reader", "--from", write(tmp_path, "mfa.json", outputs(of_bob))])
    assert bobs.stderr == "", "what AWS says of a door that is another's is no matter"


def test_a_code_that_is_given_is_sent_to_a_door_that_does_not_open_without_it_whatever_its_file_says(
    doors: str,
) -> None:
    opened = run("stage-reader", "--from", doors, "--mfa-code", "123456", "--json")
    assert json.loads(opened.stdout)["arn"] == READER, "a wrong code shuts no door that asks for none"
    assert "Note: --mfa-code did not count" in opened.stderr
    denied = ("stage-reader", "--from", doors, "--external-id", "Another-ID")  # as one does that asks for MFA
    ada = f"arn:aws:iam::{MANAGEMENT}:mfa/ada"
    for device in (ada.replace("ada", "phone"), ada):
        option = ["--mfa-serial", device] if device != ada else []
        with pytest.raises(Refusal, match=f"MultiFactorAuthentication failed.*next code of {device};"):  # not there
            run(*denied, "--mfa-code", "123456", *option)
    with pytest.raises(Refusal, match=f"that device is in account {STAGE}, and AWS takes codes of your own"):
        run(*denied, "--mfa-code", "1", "--mfa-serial", f"arn:aws:iam::{STAGE}:mfa/ada")


def test_nobody_is_asked_for_the_code_of_a_door_that_its_file_says_is_another_s(tmp_path: Path) -> None:
    bobs = write(tmp_path, "mfa.json", outputs(door("stage-reader", role="ops/reader", names=("bob",), mfa=True)))
    with pytest.raises(Refusal, match="it is for user bob"):
        run("stage-reader", "--from", bobs)


def test_of_a_door_that_is_another_s_it_is_said_whose_it_is_and_which_are_one_s_own(tmp_path: Path) -> None:
    entries = (
        door("deploy", kind="role", names=("ci",), reason="Deployments", owner="platform", permits="write"),
        door("stage-reader", role="ops/reader"),
        door("behind", target=PROD, source={"kind": "role", "account": STAGE, "names": ["reader"]}),
    )
    with pytest.raises(Refusal) as refused:
        run("deploy", "--from", write(tmp_path, "doors.json", outputs(*entries)))
    yours = "stage-reader, behind"  # as the list has them
    assert refused.value.why == f"it is for role ci of account management, and you are user ada; yours: {yours}"
    assert refused.value.next_step == "ask its owner (platform) for a door of your own"


def test_of_another_company_s_door_it_is_said_whose_it_is_before_what_it_asks(tmp_path: Path) -> None:
    scanner = {"kind": "role", "account": "777788889999", "names": ["scanner"]}
    file = write(tmp_path, "doors.json", outputs(door("scan", source=scanner, external_id="x-1", documents=False)))
    whose = "role scanner of account 777788889999"
    with pytest.raises(Refusal, match=f"it is for {whose}, and you are user ada"):
        run("scan", "--from", file)
    arn = "arn:aws:iam::777788889999:role/scanner"
    assert listed("--from", file, "--all")[-1] == f"  scan  stage  with an external ID, for {arn}"
    for command in (assume, console):  # https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
        with pytest.raises(UsageError, match="an external ID has 2 to 1224 letters"):
            run("scan", "--from", file, "--external-id", "x", command=command)


def test_a_door_behind_another_is_gone_through_with_one_code_and_no_terminal(
    tmp_path: Path,
    local_aws: LocalAws,  # noqa: F811 - the fixture
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The code is the user's, and a role's session carries no MFA:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html"""
    parent, stage = local_aws.client("iam", MANAGEMENT), local_aws.client("iam", STAGE)
    serial, seed = make_device(parent, "ada", "ada")
    hub, last = f"arn:aws:iam::{MANAGEMENT}:role/hub", f"arn:aws:iam::{STAGE}:role/last"
    ada = {"AWS": f"arn:aws:iam::{MANAGEMENT}:user/ada"}
    asks = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    made = [
        (parent, "hub", allow("sts:AssumeRole", Principal=ada, Condition=asks)),
        (stage, "middle", allow("sts:AssumeRole", Principal={"AWS": hub})),
        (stage, "last", allow("sts:AssumeRole", Principal={"AWS": f"arn:aws:iam::{STAGE}:role/middle"})),
        (stage, "end", allow("sts:AssumeRole", Principal={"AWS": last})),
    ]
    for account, name, trust in made:
        account.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
        account.put_role_policy(RoleName=name, PolicyName="on", PolicyDocument=allow("sts:AssumeRole", Resource="*"))
    entries = [
        door("hub", target=MANAGEMENT, role="hub", mfa=True),
        door("middle", role="middle", source={"kind": "role", "account": MANAGEMENT, "names": ["hub"]}),
        door("last", role="last", source={"kind": "role", "account": STAGE, "names": ["middle"]}),
        door("keyed", role="keyed", source={"kind": "role", "account": STAGE, "names": ["middle"]}, documents=False),
        door("end", role="end", source={"kind": "role", "account": STAGE, "names": ["last"]}),
    ]
    entries[3]["door"]["requires"]["externalId"] = True
    ends = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
    entries[2]["door"] |= {"expires": ends, "maxSessionSeconds": 43200}
    doors = write(tmp_path, "doors.json", outputs(*entries))
    try:
        with pytest.raises(Refusal, match=f"door hub .{serial}"):
            run("last", "--from", doors)
        for arguments, why in ((("last", "--seconds", "7200"), "an hour at most"), (("keyed",), "an external ID")):
            with pytest.raises(Refusal, match=why):  # before a code is asked for, which AWS takes once
                run(*arguments, "--from", doors)
        done = run("last", "--from", doors, "--mfa-code", totp(seed, time()), "--json")
    finally:
        remove_device(parent, "ada", serial)
    assert json.loads(done.stdout)["arn"] == last.replace(":iam:", ":sts:").replace("role", "assumed-role") + "/ada"
    # Role chaining: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining
    lasts = datetime.fromisoformat(json.loads(done.stdout)["AWS_CREDENTIAL_EXPIRATION"]) - datetime.now(UTC)
    assert lasts < timedelta(seconds=3601)
    assert "Note: last closes in 4 min, and this session ends" in done.stderr
    for name, value in json.loads(done.stdout).items():  # in that door, whose session has no device for the code
        monkeypatch.setenv(name, value)
    on = run("end", "--from", doors, "--mfa-code", "123456", "--json")
    assert json.loads(on.stdout)["arn"] == f"arn:aws:sts::{STAGE}:assumed-role/end/ada"
    assert "Note: --mfa-code did not count" in on.stderr


@pytest.mark.parametrize("caller", [f"arn:aws:iam::{MANAGEMENT}:root", READER])
def test_whoever_is_no_user_has_no_mfa_device_to_be_asked_for(tmp_path: Path, caller: str) -> None:
    """Only users and root users have one: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa.html"""
    (way,) = read(write(tmp_path, "mfa.json", outputs(door("stage-reader", role="ops/reader", mfa=True))))
    with pytest.raises(Refusal, match="is no IAM user"):
        sessions._device(way, caller)


@contextmanager
def answering(said: object) -> Iterator[tuple[str, dict[str, str]]]:
    """The address of a server that answers everything with this, and what it was asked last."""
    asked: dict[str, str] = {}

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.clear()
            asked.update(parse_qsl(urlsplit(self.path).query))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(said).encode())

        def log_message(self, *_: Any) -> None:
            """Nothing: the request holds keys."""

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


def test_a_door_of_identity_center_is_opened_by_the_sign_in_that_its_profile_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-sso.html"""
    state = write(tmp_path, "management.json", identity_center())
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    with pytest.raises(Refusal, match=r"for Identity Center group developers, by.*no profile.*write it with"):
        run("stage-ReadOnly", "--state", state)
    (tmp_path / "config").write_text(
        "[sso-session acme]\nsso_region = eu-west-1\nsso_start_url = https://acme.awsapps.com/start\n"
        f"[profile ro]\nsso_session = acme\nsso_account_id = {STAGE}\nsso_role_name = ReadOnly\nregion = eu-west-2\n"
    )
    for provider in (SSOProvider, SSOTokenProvider):
        monkeypatch.setattr(provider, "_SSO_TOKEN_CACHE_DIR", str(tmp_path))
    with pytest.raises(Refusal, match="sign in: `aws sso login --profile ro`"):
        run("stage-ReadOnly", "--state", state)
    given: Any = boto3.client("sts").get_session_token()["Credentials"]
    names = {"accessKeyId": "AccessKeyId", "secretAccessKey": "SecretAccessKey", "sessionToken": "SessionToken"}
    ends = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    keys = {to: given[of] for to, of in names.items()} | {"expiration": int(ends.timestamp() * 1000)}
    token = {
        "accessToken": "t",
        "expiresAt": f"{ends:%Y-%m-%dT%H:%M:%SZ}",
        "startUrl": "https://acme.awsapps.com/start",
    }
    (tmp_path / f"{hashlib.sha1(b'acme').hexdigest()}.json").write_text(json.dumps(token))
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    # https://docs.aws.amazon.com/singlesignon/latest/PortalAPIReference/API_GetRoleCredentials.html
    with answering({"roleCredentials": keys}) as (portal, asked):
        monkeypatch.setenv("AWS_ENDPOINT_URL_SSO", portal)
        done = run("stage-ReadOnly", "--state", state, "--json", "--seconds", "900")
        soon = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
        closing = door("ro", kind="identity-center-user", role=f"{RESERVED}ReadOnly", expires=soon, documents=False)
        closed = run("ro", "--from", write(tmp_path, "doors.json", outputs(closing)), "--json")
    assert "Note: ro closes in 4 min, and this session can do nothing from then on.\n" in closed.stderr
    assert "--seconds did not count" in done.stderr, "GetRoleCredentials takes no duration"
    said = json.loads(done.stdout)
    assert asked == {"account_id": STAGE, "role_name": "ReadOnly"}
    assert (said["AWS_ACCESS_KEY_ID"], said["AWS_REGION"]) == (given["AccessKeyId"], "eu-west-2")
    assert datetime.fromisoformat(said["AWS_CREDENTIAL_EXPIRATION"]) == ends
    shown = run(  # which needs no credentials: the local AWS's are there
        "stage-ReadOnly", "--state", state, "--to", "https://console.aws.amazon.com/?b", command=console
    )
    assert "it is for Identity Center group developers" in shown.stderr
    # https://docs.aws.amazon.com/singlesignon/latest/userguide/createshortcutlink.html
    assert shown.stdout.strip() == (
        f"https://d-1234567890.awsapps.com/start/#/console?account_id={STAGE}&role_name=ReadOnly"
        "&destination=https%3A%2F%2Fconsole.aws.amazon.com%2F%3Fb"
    )


def test_without_a_door_those_there_are_are_listed_one_s_own_first_and_eval_runs_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = (
        door("a", names=("bob",), role="x", mfa=True),
        door("b", role="ops/reader", permits="read", expires="2026-01-31T15:00Z"),
        door("c", role="y", permits="write", expires="2999-01-31T15:00Z"),
    )
    file = write(tmp_path, "doors.json", outputs(*entries))
    shown = run("--from", file)
    assert (shown.return_value, shown.stderr.count("of which `eval` fails: name a DOOR")) == (0, 1)
    for text in (shown.stdout, shown.stdout.replace("\n", " ")):  # eval "$(...)", and without the quotes
        evaluated = subprocess.run(["sh", "-c", text], capture_output=True, text=True, check=False)
        assert (evaluated.returncode, evaluated.stdout, evaluated.stderr) == (1, "", "")
    yours = [
        "Yours:",
        "  b  stage  read, closed since 2026-01-31 15:00 UTC",
        "  c  stage  write, until 2999-01-31 15:00 UTC",
    ]
    assert listed("--from", file) == [*yours, "Of others: 1, which --all lists"]
    assert listed("--from", file, "--all") == [*yours, "Of others:", "  a  stage  with MFA, for user bob"]
    of_job = write(tmp_path, "job.json", outputs(door("j", kind="role", names=("ops/ci",), permits="read")))
    arn = f"arn:aws:iam::{MANAGEMENT}:role/ops/ci"
    assert listed("--from", of_job, "--all")[-1] == f"  j  stage  read, for {arn}"
    assert json.loads(run("--from", of_job, "--all", "--json").stdout)["others"][0]["source"]["arn"] == arn
    dated = write(tmp_path, "dated.json", outputs(*entries, as_of="2026-11-28T06:30:12+00:00"))
    assert listed("--from", dated)[0] == "Yours (as of 2026-11-28 06:30 UTC):"
    for option, others in (((), {}), (("--all",), {"others": ["a"]})):
        said = json.loads(run("--from", file, "--json", *option).stdout)
        names = {whose: [one["declared"]["name"] for one in ways] for whose, ways in said.items()}
        assert names == {"yours": ["b", "c"]} | others
    asked = [{name: one[name] for name in ("permits", "mfa", "externalId", "now")} for one in said["yours"][:1]]
    assert asked == [{"permits": "read", "mfa": False, "externalId": False, "now": "closed by date"}]
    elsewhere = json.dumps(outputs(*entries)).replace(MANAGEMENT, "777777777777")
    unshown = run("--from", write(tmp_path, "other.json", json.loads(elsewhere))).stderr
    why = f"your credentials are of account {MANAGEMENT}, which this file does not show"
    assert why in unshown
    with pytest.raises(Refusal, match=why):
        run("a", "--from", str(tmp_path / "other.json"))
    known = listed("--state", write(tmp_path, "center.json", identity_center()))
    assert known == [
        "Yours:",
        "  stage-ReadOnly  stage  permissions not known, by Identity Center",
        "Of others: 1, which --all lists",
    ]
    group = door("d", kind="identity-center-group", names=("others",), documents=False)
    unsaid = run("--from", write(tmp_path, "group.json", outputs(*entries, group))).output
    why = "the file does not say who is in a group, or signs in at Identity Center (whether d is yours)"
    assert unsaid.startswith(f"Note: {why}.\n")
    assert unsaid.endswith("\n# Others: 2, which --all lists\n")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    unreached = run("--from", str(tmp_path / "doors.json")).output
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    without = run("--from", str(tmp_path / "doors.json")).output
    assert json.loads(run("--from", str(tmp_path / "doors.json"), "--json").stdout)["yours"] is None
    center = run("--state", str(tmp_path / "center.json")).output
    assert "Unable to locate credentials; sign in" in center
    assert "by Identity Center, `twokeys profiles --person NAME` writes a profile for each door" in center
    assert "twokeys profiles" not in without
    for shown, why in ((unreached, "Could not connect to the endpoint"), (without, "Unable to locate credentials")):
        assert f"Note: {why}" in shown
        assert shown.endswith("\n# Yours:\n#   not known\n# Others: 3, which --all lists\n")


def test_a_job_in_a_door_is_told_the_doors_of_the_role_that_it_came_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = f"arn:aws:sts::{STAGE}:assumed-role/deploy/GitHubActions"
    monkeypatch.setattr(sessions, "_signed_in", lambda *_: (None, None, caller))
    monkeypatch.setenv("TWOKEYS_DOOR", "deploy")
    entries = [
        door("deploy", kind="role", names=("ci",), role="deploy"),
        door("next", role="next", source={"kind": "role", "account": STAGE, "names": ["deploy"]}),
        door("finance", kind="identity-center-group", names=("others",), documents=False),
    ]
    file = write(tmp_path, "doors.json", outputs(*entries))
    said = [" ".join(line.split()) for line in listed("--from", file)[1:]]
    own = "deploy stage after `unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN`"
    assert said[1:] == [own, "next stage behind deploy", "Of others: 1, which --all lists"]
    people = door("deploy", kind="group", names=("developers",), role="deploy", documents=False)
    unsaid = run("--from", write(tmp_path, "doors.json", outputs(*entries, people))).stderr
    assert "who began your session of role deploy (whether finance is yours); `unset AWS_" in unsaid


def test_at_a_terminal_no_keys_are_printed_but_how_the_shell_comes_into_the_door(
    doors: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = SimpleNamespace(stdin=sys.stdin, stdout=SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("twokeys.assume.commands.sys", terminal)
    with pytest.raises(Refusal) as refused:
        run("stage-reader", "--from", doors)
    assert refused.value.next_step.startswith('for this shell, eval "$(twokeys assume stage-reader)"; for one within')


@pytest.fixture
def sign_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, dict[str, str]]]:
    monkeypatch.setattr(sessions, "local_aws", lambda _: None)
    with answering({"SigninToken": "token-of-the-console"}) as (address, asked):
        consoles = {"aws": (f"{address}/federation", "https://console.aws.amazon.com/")}
        monkeypatch.setattr(sessions, "_CONSOLES", consoles)
        yield f"{address}/federation", asked


def test_the_console_s_address_signs_in_as_the_role_and_holds_no_keys(
    doors: str, sign_in: tuple[str, dict[str, str]]
) -> None:
    federation, asked = sign_in
    for region, destination in (
        ((), "https://console.aws.amazon.com/"),
        # https://docs.aws.amazon.com/singlesignon/latest/userguide/howtopermrelaystate.html
        (("--region", "us-east-2"), "https://us-east-2.console.aws.amazon.com/"),
        (("--to", "/s3/home"), "https://console.aws.amazon.com/s3/home"),
        (("--to", "/s3/home", "--region", "us-east-2"), "https://us-east-2.console.aws.amazon.com/s3/home"),
        (("--to", "https://health.aws.amazon.com/#x"), "https://health.aws.amazon.com/#x"),
    ):
        address = run("stage-reader", "--from", doors, *region, command=console).stdout.strip()
        assert address.startswith(federation)
        assert dict(parse_qsl(urlsplit(address).query)) == {
            "Action": "login",
            "Issuer": "twokeys",
            "Destination": destination,
            "SigninToken": "token-of-the-console",
        }
    with pytest.raises(Refusal, match="us-east-one"):
        run("stage-reader", "--from", doors, "--region", "us-east-one", command=console)
    for page in ("https://aws.amazon.com.evil/", "https://evil/\\@x.aws.amazon.com", "http://x.aws.amazon.com/"):
        with pytest.raises(Refusal, match="it is no address of that console"):
            run("stage-reader", "--from", doors, "--to", page, command=console)
    assert asked["Action"] == "getSigninToken"
    assert json.loads(asked["Session"]).keys() == {"sessionId", "sessionKey", "sessionToken"}


def test_a_local_aws_has_no_console_which_is_said_before_anybody_is_asked_for_a_code(doors: str) -> None:
    with pytest.raises(Refusal, match="has no console"):
        run("stage-reader", "--from", doors, command=console)
    with pytest.raises(Refusal, match="name stage-reader, if that is meant"):
        run("stage-raeder", "--from", doors, command=console)


@pytest.mark.usefixtures("sign_in")
def test_a_console_that_does_not_answer_is_refused_without_a_key_in_the_message(
    doors: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "_CONSOLES", {"aws": ("http://127.0.0.1:9/federation", "x")})
    with pytest.raises(Refusal) as refused:
        run("stage-reader", "--from", doors, command=console)
    assert "Session" not in str(refused.value)


def test_a_state_that_is_named_wins_over_the_published_file_of_the_surroundings(
    doors: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWOKEYS_DOORS", "/nowhere/doors.json")
    with pytest.raises(Refusal, match="no door is called nope") as refused:
        run("nope", "--state", doors)
    assert refused.value.where == doors
