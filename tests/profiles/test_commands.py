"""`twokeys profiles`, as it is typed."""

import json
import os
from contextlib import nullcontext
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import boto3
import pytest
from click import UsageError
from click.shell_completion import ShellComplete
from click.testing import CliRunner, Result

from tests.access.states import write_state
from tests.access.world import HUB, MFA, arn, document, grants, trusts, two_keys
from tests.profiles.doors import MANAGEMENT, PROD, STAGE, deployment, door, outputs, people, resource, write
from tests.profiles.test_ways import identity_center, only
from twokeys import cli
from twokeys.answers.commands import access
from twokeys.errors import Refusal
from twokeys.profiles.commands import profiles


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "config"
    file.write_text("# mine\n[default]\nregion = us-west-2\naws_access_key_id = a\naws_secret_access_key = b\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    return file


def run(*arguments: str) -> Result:
    return CliRunner().invoke(profiles, arguments, standalone_mode=False, catch_exceptions=False)


def settings(name: str) -> dict[str, str]:
    """What boto3 makes of the profile."""
    return dict(boto3.Session(profile_name=name)._session.get_scoped_config())


CENTER = {"start_url": "https://example.awsapps.com/start", "region": "eu-central-1"}


def assigned(name: str, who: str = "ada", **more: Any) -> dict[str, Any]:
    """A door through IAM Identity Center."""
    role = "aws-reserved/sso.amazonaws.com/AWSReservedSSO_Reader"
    return door(name, kind="identity-center-user", names=(who,), role=role, documents=False, **more)


def test_a_person_s_doors_become_profiles_that_boto3_reads(config: Path, tmp_path: Path) -> None:
    stage = write(tmp_path, "stage.json", outputs(door("stage-reader", mfa=True, seconds=14400)))
    parent = write(tmp_path, "management.json", deployment(*people({})))
    before = config.read_text()
    done = run("--person", "ada", "--state", stage, "--state", parent)
    # Settings: https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-files.html#cli-configure-files-settings
    assert settings("stage-reader") == {
        "role_arn": f"arn:aws:iam::{STAGE}:role/reader",
        "source_profile": "default",
        "role_session_name": "ada",
        "mfa_serial": f"arn:aws:iam::{MANAGEMENT}:mfa/ada",
        "duration_seconds": "14400",
        "region": "us-west-2",  # of the source profile, where nothing tells the account's
    }
    assert config.read_text().startswith(f"{before}\n# >>> twokeys doors >>>\n")
    assert done.stderr == ""


@pytest.mark.usefixtures("config")
def test_what_the_person_chooses_is_in_the_profile(tmp_path: Path) -> None:
    stage = write(tmp_path, "stage.json", outputs(door("reader", mfa=True, external_id="Unique-ID")))
    run(
        *("--person", "ada", "--state", stage, "--prefix", "acme-"),
        *("--source-profile", "acme"),
        *("--mfa-serial", f"arn:aws:iam::{MANAGEMENT}:mfa/phone"),
    )
    assert settings("acme-reader") == {
        "role_arn": f"arn:aws:iam::{STAGE}:role/reader",
        "source_profile": "acme",
        "role_session_name": "ada",
        "mfa_serial": f"arn:aws:iam::{MANAGEMENT}:mfa/phone",
        "external_id": "Unique-ID",
        "duration_seconds": "3600",
    }
    with pytest.raises(Refusal, match=f"that device is in account {PROD}"):
        run("--person", "ada", "--state", stage, "--mfa-serial", f"arn:aws:iam::{PROD}:mfa/ada")


@pytest.mark.usefixtures("config")
@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("frankfurt", "no AWS region has this name.*give a region such as us-east-1 or eu-central-1"),
        ("eu-gov-central-9", "no AWS region has this name"),
        ("eu-westt-1", "write eu-west-1, if that is meant"),
        ("eu-central-9", None),  # which botocore may not know yet
    ],
)
def test_a_region_that_aws_does_not_have_is_refused(tmp_path: Path, name: str, why: str | None) -> None:
    """https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html"""
    file = write(tmp_path, "doors.json", outputs(door("a"), assigned("b"), identity_center=CENTER))
    with nullcontext() if why is None else pytest.raises(Refusal, match=why):
        run("--person", "ada", "--from", file, "--sso-region", name)
        assert boto3.Session()._session.full_config["sso_sessions"]["twokeys"]["sso_region"] == name


def test_where_nothing_tells_a_door_s_region_it_is_that_of_its_source(config: Path, tmp_path: Path) -> None:
    told, silent = door("a", target=PROD), door("b")
    run("--person", "ada", "--from", write(tmp_path, "d.json", outputs(told, silent, regions={PROD: "eu-north-1"})))
    assert (settings("a")["region"], settings("b")["region"]) == ("eu-north-1", "us-west-2")
    assert "region = us-west-2" in config.read_text()


@pytest.mark.usefixtures("config")
def test_where_nothing_tells_identity_center_s_region_the_other_profiles_are_written(tmp_path: Path) -> None:
    file = write(tmp_path, "d.json", outputs(door("a"), assigned("b"), identity_center={"start_url": "https://x.y"}))
    done = run("--person", "ada", "--from", file)
    assert done.stdout.splitlines()[0] == "+ profile a"
    assert "b is by Identity Center, and" in done.stderr
    assert "give --sso-region." in done.stderr
    assert "+ profile b" in run("--person", "ada", "--from", file, "--sso-region", "eu-west-1").stdout
    assert "= profile b" in run("--person", "ada", "--from", file).stdout  # as the block has it
    empty = {"start_url": "", "region": "eu-west-1"}  # which tells no address, and so takes none away
    more = write(tmp_path, "e.json", outputs(identity_center=empty))
    assert "+ profile z-b" in run("--person", "ada", "--prefix", "z-", "--from", file, "--from", more).stdout
    # the same Identity Center has the address that it began with beside one that its owner chose:
    # https://docs.aws.amazon.com/singlesignon/latest/userguide/howtochangeURL.html
    assert "~ profile b" not in run("--person", "ada", "--from", file, "--sso-start-url", "https://acme.x.y").stdout
    assert "= profile b" in run("--person", "ada", "--from", file).stdout


@pytest.mark.usefixtures("config")
def test_a_ci_role_takes_its_credentials_from_its_environment_and_needs_no_mfa(tmp_path: Path) -> None:
    stage = write(tmp_path, "s.json", outputs(door("deployer", kind="role", names=("ci",), mfa=True, seconds=14400)))
    run("--role", "ci", "--state", stage, "--credential-source", "Environment")
    assert settings("deployer") == {
        "role_arn": f"arn:aws:iam::{STAGE}:role/reader",
        "credential_source": "Environment",
        "role_session_name": "ci",
        # Role chaining: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html, one hour at most
        "duration_seconds": "3600",
    }


@pytest.mark.usefixtures("config")
def test_identity_center_assignments_share_one_session(tmp_path: Path) -> None:
    state = write(tmp_path, "management.json", identity_center())
    run("--person", "ada", "--state", state, "--prefix", "acme-")
    # https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-sso.html
    its_own = {"sso_session": "acme-twokeys", "sso_account_id": STAGE, "sso_role_name": "ReadOnly"}
    assert settings("acme-stage-ReadOnly").items() >= its_own.items()
    assert boto3.Session()._session.full_config["sso_sessions"] == {
        "acme-twokeys": {
            "sso_start_url": "https://d-1234567890.awsapps.com/start",
            "sso_region": "eu-west-1",
            "sso_registration_scopes": "sso:account:access",
        }
    }


def test_a_session_that_the_file_has_of_that_identity_center_is_used_whatever_it_is_called(
    config: Path, tmp_path: Path
) -> None:
    config.write_text("[sso-session acme]\nsso_region = eu-west-1\nsso_start_url = https://acme.awsapps.com/start/#/\n")
    state = write(tmp_path, "management.json", identity_center())
    arguments = ("--person", "bob", "--state", state)
    run(*arguments)  # the state tells another address
    assert settings("prod-ReadOnly")["sso_session"] == "twokeys"
    run(*arguments, "--sso-start-url", "https://acme.awsapps.com/start")
    assert settings("prod-ReadOnly")["sso_session"] == "acme"
    assert config.read_text().count("[sso-session ") == 1
    doors = write(tmp_path, "d.json", outputs(assigned("b", "bob", target=PROD)))  # which does not tell the region
    run("--person", "bob", "--from", doors, "--sso-start-url", "https://acme.awsapps.com/start")
    assert settings("b")["sso_session"] == "acme"
    run(*arguments, "--sso-start-url", "https://acme.awsapps.com/start", "--sso-region", "us-east-1")
    assert settings("prod-ReadOnly")["sso_session"] == "twokeys"
    config.write_text(elsewhere := config.read_text().partition("#")[0].replace("acme", "twokeys"))
    with pytest.raises(Refusal, match="sso-session twokeys is already there"):
        run(*arguments)
    assert config.read_text() == elsewhere


@pytest.mark.usefixtures("config")
def test_a_door_behind_a_role_has_a_profile_whose_source_is_the_door_to_that_role(tmp_path: Path) -> None:
    """https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-role.html (source_profile), role chaining."""
    source = {"kind": "role", "account": MANAGEMENT, "names": ["emergency"]}
    first = door("emergency", target=MANAGEMENT, role="emergency", mfa=True, seconds=7200)
    exported = outputs(first, door("prod", target=PROD, source=source, seconds=7200))
    stage = write(tmp_path, "stage.json", exported)
    told = json.loads(run("--person", "ada", "--state", stage, "--prefix", "x-", "--json").stdout)
    assert [way.get("through") for way in told["ways"]] == [None, "emergency"]
    assert settings("x-prod") == {
        "role_arn": f"arn:aws:iam::{PROD}:role/reader",
        "source_profile": "x-emergency",
        "role_session_name": "ada",
        "duration_seconds": "3600",
        "region": "us-west-2",
    }
    assert settings("x-emergency")["duration_seconds"] == "7200"


KEYS = "aws_access_key_id = A\naws_secret_access_key = B\n"
BEGUN, SHUT = "only if that began with it", "stays shut, as its source is the session of a role"


@pytest.mark.usefixtures("config")
@pytest.mark.parametrize(
    ("kept", "source", "said", "asks"),
    [
        ("config", "sso_session = x\nsso_account_id = 1\nsso_role_name = y\n", SHUT, False),
        ("config", f"{KEYS}aws_session_token = C\n", BEGUN, False),
        ("config", KEYS, "", True),
        ("credentials", f"{KEYS}aws_session_token = C\n", BEGUN, False),
        ("credentials", "web_identity_token_file = /t\nrole_arn = arn:aws:iam::111111111111:role/r\n", SHUT, False),
        ("credentials", "credential_process = /bin/true\n", BEGUN, True),
    ],
)
def test_what_mfa_needs_of_a_source_that_is_a_session_is_said_and_a_role_entered_for_an_hour_at_most_from_it(  # noqa: PLR0917 - a row of the table
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: str, source: str, said: str, asks: bool
) -> None:
    """AssumeRole's credentials carry no MFA, GetSessionToken's may:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining"""
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    (tmp_path / kept).write_text(f"[{'profile ' if kept == 'config' else ''}hub]\n{source}")
    behind = door("behind", role="r", source={"kind": "role", "account": STAGE, "names": ["reader"]}, target=PROD)
    stage = write(tmp_path, "stage.json", outputs(door("a", mfa=True), door("b", role="b", seconds=43200), behind))
    noted = run("--person", "ada", "--state", stage, "--source-profile", "hub", "--prefix", "x-").stderr
    shut = ": x-a, x-b, x-behind.\n" if said == SHUT else ": x-a, x-behind.\n"  # x-b's trust names a user
    assert (said in noted, bool(said)) == (True, shut in noted)
    assert ("mfa_serial" in settings("x-a")) == asks
    assert settings("x-b")["duration_seconds"] == ("3600" if said else "43200")  # of a session's session


@pytest.mark.parametrize(
    ("option", "value"),
    [("--prefix", "x\n"), ("--source-profile", "a\nb"), ("--mfa-serial", "a b"), ("--mfa-serial", "foo")],
)
def test_a_word_that_no_config_file_takes_is_refused_by_the_name_of_its_option(option: str, value: str) -> None:
    result = CliRunner().invoke(profiles, ["--person", "ada", "--state", "x", option, value])
    assert (result.exit_code, option in result.output) == (2, True)


@pytest.mark.usefixtures("config")
def test_a_door_that_cannot_be_read_keeps_no_other_from_its_profile_and_is_named(tmp_path: Path) -> None:
    bad = door("b", role="b", seconds=-1)
    stage = write(tmp_path, "stage.json", outputs(door("a"), bad, door("c", target="account:new", role="c")))
    told = run("--person", "ada", "--state", stage)
    assert "the door b is not read: door.maxSessionSeconds" in told.stderr
    assert "the door c is not read: it names account:new" in told.stderr
    assert "+ profile a" in told.stdout
    notes = json.loads(run("--person", "ada", "--state", stage, "--json").stdout)["notes"]
    assert [note.split()[2] for note in notes if "is not read" in note] == ["b", "c"]


@pytest.mark.usefixtures("config")
@pytest.mark.parametrize("first", [0, 1])
def test_each_source_of_a_role_shows_mfa_as_the_statement_that_trusts_it_asks(tmp_path: Path, first: int) -> None:
    ci = {"kind": "role", "account": PROD, "names": ["ci"]}
    entries = [door("a", mfa=True), door("a", source=ci, trusted=[f"arn:aws:iam::{PROD}:role/ci"])]
    enters_ci = door("to-ci", names=("bob",), target=PROD, role="ci")
    stage = write(tmp_path, "s.json", outputs(entries[first], entries[1 - first], enters_ci))
    run("--person", "ada", "--from", stage, "--from", write(tmp_path, "again.json", outputs(*entries)))
    assert settings("a")["mfa_serial"] == f"arn:aws:iam::{MANAGEMENT}:mfa/ada"
    run("--role", "ci", "--from", stage, "--prefix", "ci-")
    assert "mfa_serial" not in settings("ci-a")
    run("--person", "bob", "--from", stage, "--prefix", "bob-")
    assert settings("bob-a")["source_profile"] == "bob-to-ci"


def test_a_profile_says_under_which_conditions_its_door_is_open(config: Path, tmp_path: Path) -> None:
    office = {"mfa": False, "externalId": False, "conditions": ["aws:SourceIp IpAddress 203.0.113.0/24"]}
    pauses = [["2021-01-01T00:00:00Z", "2999-01-01T00:00:00Z"]]
    said = door("a", requires=office, pauses=pauses, permits="write")
    run("--person", "ada", "--from", write(tmp_path, "doors.json", outputs(said)))
    comment = "# stage - permits: write - opens 2999-01-01 - only from 203.0.113.0/24\n"
    assert f"[profile a]\n{comment}" in config.read_text()


def test_the_profile_of_a_door_that_is_gone_goes_too(config: Path, tmp_path: Path) -> None:
    before = config.read_bytes()
    run("--person", "ada", "--state", write(tmp_path, "s.json", outputs(door("a"), door("b", target=PROD))))
    told = run("--person", "ada", "--state", write(tmp_path, "s.json", outputs(door("b", target=PROD), door("c"))))
    assert told.output.splitlines()[:3] == ["+ profile c", "- profile a", "= profile b"]
    assert set(boto3.Session().available_profiles) == {"default", "b", "c"}
    with pytest.raises(Refusal, match="no user is named there"):
        run("--person", "ada", "--state", write(tmp_path, "s.json", outputs()))
    run("--person", "ada", "--state", write(tmp_path, "s.json", outputs(group_members={"quiet": ["ada"]})))
    assert config.read_bytes() == before


@pytest.mark.parametrize("both", [False, True])
def test_the_profiles_of_somebody_else_stay(config: Path, tmp_path: Path, both: bool) -> None:
    bobs = door("a", names=("ada", "bob")) if both else door("b", names=("bob",), role="b")
    stage = write(tmp_path, "stage.json", outputs(*([] if both else [door("a")]), bobs))
    run("--person", "ada", "--state", stage)
    before = config.read_bytes()
    arguments = ("--person", "bob", "--state", stage)
    for dry in ((), ("--dry-run",)):
        with pytest.raises(Refusal, match=r"the profiles there are of ada .*the block doors") as refused:
            run(*arguments, *dry)
        assert "--prefix" in refused.value.next_step
    assert config.read_bytes() == before
    run(*arguments, "--prefix", "bob-")
    assert config.read_bytes().startswith(before)
    assert settings("bob-a" if both else "bob-b")["role_session_name"] == "bob"


def test_the_profiles_of_identity_center_say_in_their_block_whose_they_are(config: Path, tmp_path: Path) -> None:
    every = outputs(assigned("a"), assigned("b", "bob"), identity_center=CENTER)
    stage = write(tmp_path, "stage.json", every)
    run("--person", "ada", "--state", stage)
    before = config.read_bytes()
    with pytest.raises(Refusal, match=r"the profiles there are of ada .*the block doors"):
        run("--person", "bob", "--state", stage)
    assert config.read_bytes() == before
    config.write_bytes(before.replace(b"# for ada\n", b""))  # as an earlier version wrote it
    run("--person", "ada", "--state", stage)
    assert config.read_bytes() == before


def test_a_config_file_that_is_a_link_to_itself_is_refused(config: Path, tmp_path: Path) -> None:
    stage = write(tmp_path, "stage.json", outputs(door("a")))
    config.unlink()
    config.symlink_to(config)
    with pytest.raises(Refusal, match="Too many levels of symbolic links"):
        run("--person", "ada", "--state", stage)


@pytest.mark.parametrize(
    ("words", "begun", "expected"),
    [
        (["assume"], "s", "stage"),
        (["profiles", "--person"], "", "ada,bob"),
        (["profiles", "--role"], "", "ci"),
        (["profiles", "--account"], "sta", "stage"),
        (["console"], "y", ""),
        (["sandbox", "shell", "--user"], "a", "ada"),
    ],
)
def test_the_tab_key_completes_doors_and_people(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], begun: str, expected: str
) -> None:
    doors = outputs(door("stage"), door("prod", names=("bob",), target=PROD), door("x-1", kind="role", names=("ci",)))
    monkeypatch.setenv("TWOKEYS_DOORS", write(tmp_path, "doors.json", doors))
    found = ShellComplete(cli._twokeys, {}, "twokeys", "_TWOKEYS_COMPLETE").get_completions(words, begun)
    assert ",".join(one.value for one in found) == expected
    (tmp_path / "doors.json").write_text("<html>")
    assert not ShellComplete(cli._twokeys, {}, "twokeys", "_TWOKEYS_COMPLETE").get_completions(words, begun)
    monkeypatch.delenv("TWOKEYS_DOORS")
    (tmp_path / ".twokeys" / "stacks").mkdir(parents=True)
    write(tmp_path / ".twokeys" / "stacks", "stage.json", doors)
    monkeypatch.chdir(tmp_path)
    found = ShellComplete(cli._twokeys, {}, "twokeys", "_TWOKEYS_COMPLETE").get_completions(words, begun)
    assert ",".join(one.value for one in found) == expected


def test_the_tab_key_offers_files_where_one_is_named_and_after_two_dashes_what_a_shell_would(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "two-keys-of").touch()
    monkeypatch.setenv("PATH", str(tmp_path))

    def offered(*words: str, begun: str = "") -> list[tuple[str, str]]:
        shell = ShellComplete(cli._twokeys, {}, "twokeys", "_TWOKEYS_COMPLETE")
        return [(one.type, one.value) for one in shell.get_completions([*words], begun)]

    for option in ("--from", "--state"):
        assert offered("assume", option, begun="ba") == [("file", "ba")]
    assert offered("assume", "stage") == [("plain", "--")]
    assert offered("assume", "stage", "--", begun="two-") == [("plain", "two-keys-of")]
    for words in (("cat",), ("aws", "--cli-input-json")):
        assert offered("assume", "stage", "--", *words, begun="ba") == [("file", "ba")]


def test_the_tab_key_offers_the_doors_of_whoever_has_profiles_and_after_profile_those_of_the_file(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    behind = door("beyond", kind="role", names=("reader",), target=PROD)
    behind["door"]["source"]["account"] = STAGE
    doors = outputs(door("stage"), door("prod", names=("bob",), target=PROD), behind)
    monkeypatch.setenv("TWOKEYS_DOORS", write(tmp_path, "doors.json", doors))

    def offered(*words: str, begun: str = "") -> str:
        shell = ShellComplete(cli._twokeys, {}, "twokeys", "_TWOKEYS_COMPLETE")
        return " ".join(one.value for one in shell.get_completions([*words], begun))

    assert offered("assume") == "beyond prod stage"
    config.write_text("[profile day]\nregion = us-east-1\n")
    run("--person", "ada")
    assert (offered("assume"), offered("console", begun="p")) == ("beyond stage", "prod")
    for command in ("assume", "costs", "verify", "preflight", "adopt"):
        assert offered(command, "--profile") == "beyond day stage"
    monkeypatch.setenv("TWOKEYS_DOORS", "https://example.com/doors.json")  # which TAB does not ask
    assert (offered("assume"), offered("profiles", "--person")) == ("beyond stage", "")
    assert offered("profiles", "--source-profile", begun="d") == "day"
    monkeypatch.setenv("TWOKEYS_DOORS", str(tmp_path / "doors.json"))
    config.write_text("[profile day]\n")
    run("--person", "ada", "--prefix", "o-")
    monkeypatch.setenv("TWOKEYS_DOORS", "https://example.com/doors.json")
    assert offered("assume") == "beyond stage"
    monkeypatch.setenv("TWOKEYS_DOORS", str(tmp_path / "doors.json"))
    config.write_text("[[")
    assert (offered("assume"), offered("assume", "--profile")) == ("beyond prod stage", "")


def test_a_file_that_the_surroundings_name_and_is_not_there_is_said_to_be_theirs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWOKEYS_DOORS", str(tmp_path / "none.json"))
    with pytest.raises(Refusal) as refused:
        run("--person", "ada")
    assert refused.value.where == f"{tmp_path}/none.json, from $TWOKEYS_DOORS"


@pytest.mark.usefixtures("config")
def test_several_published_files_count_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [write(tmp_path, f"{name}.json", outputs(door(name), accounts_shown=[STAGE])) for name in ("a", "b")]
    monkeypatch.setenv("HOME", str(tmp_path))
    told = run("--person", "ada", "--from", files[0], "--from", "~/b.json")
    assert told.stdout.splitlines()[:2] == ["+ profile a", "+ profile b"]
    assert "Note" not in told.stderr


def _of_another_organization(exported: dict[str, Any]) -> dict[str, Any]:
    text = json.dumps(exported)
    for account in (MANAGEMENT, STAGE, PROD):
        text = text.replace(account, str((int(account[0]) + 6) % 10) * 12)
    return dict(json.loads(text))


def test_profiles_of_a_second_organization_stand_in_a_block_of_their_own(config: Path, tmp_path: Path) -> None:
    exported = outputs(assigned("stage-reader"), identity_center=CENTER)
    first = write(tmp_path, "one.json", exported)
    second = write(tmp_path, "two.json", _of_another_organization(exported))
    run("--person", "ada", "--from", first)
    before = config.read_bytes()
    with pytest.raises(Refusal, match="two organizations") as together:
        run("--person", "ada", "--from", first, "--from", second)
    typed = "--prefix org2- --source-profile NAME"
    assert f"profiles of the second: --from {second} {typed}" in together.value.next_step
    with pytest.raises(Refusal, match=r"the profiles there are of another organization .*the block doors") as alone:
        run("--person", "ada", "--from", second)
    assert "--prefix org2-" in alone.value.next_step
    assert config.read_bytes() == before
    run("--person", "ada", "--from", second, *typed.split())
    assert {"stage-reader", "org2-stage-reader"} < {*boto3.Session().available_profiles}
    assert config.read_bytes().startswith(before)


@pytest.mark.usefixtures("config")
def test_doors_of_one_name_in_two_files_are_called_by_their_accounts_which_is_said(tmp_path: Path) -> None:
    old = write(tmp_path, "old.json", outputs(door("stage-a"), accounts_shown=[STAGE]))
    other = write(tmp_path, "other.json", outputs(door("stage-a", target=PROD), accounts_shown=[PROD]))
    renamed = run("--person", "ada", "--from", old, "--from", other)
    names = "2 doors are called stage-a, so here they are prod-stage-a and stage-stage-a"
    assert f"Note: {names}." in renamed.stderr
    both = write(tmp_path, "both.json", outputs(door("stage-a"), door("stage-a", target=PROD)))
    assert "doors are called" not in run("--person", "ada", "--from", both).stderr, "of one file they always are"


def test_a_region_that_two_files_say_differently_is_not_known() -> None:
    said = [outputs(door("a", target=PROD), regions={PROD: region}) for region in ("eu-west-1", "us-east-1")]
    assert [only(*said[:1]).region, only(*said).region] == ["eu-west-1", None]


@pytest.mark.usefixtures("config")
@pytest.mark.parametrize(("first", "shut"), [("good", False), ("over", True)])
def test_of_two_files_the_first_says_when_a_door_ends_also_where_it_has_no_end(
    tmp_path: Path, first: str, shut: bool
) -> None:
    ends = {"good": {}, "over": {"expires": "2026-01-31", "opens": "2999-01-01T00:00Z"}}
    files = [write(tmp_path, f"{one}.json", outputs(door("a", **ends[one]))) for one in sorted(ends, key=first.__ne__)]
    told = run("--person", "ada", "--from", files[0], "--from", files[1])
    assert ("a is closed since 2026-02-01 00:00 UTC" in told.stderr) == shut
    assert "opens" not in Path(os.environ["AWS_CONFIG_FILE"]).read_text()


def test_a_group_that_no_door_is_for_is_refused(tmp_path: Path) -> None:
    said = write(tmp_path, "s.json", outputs(door("a", kind="group", names=("developers",), documents=False)))
    with pytest.raises(Refusal, match=r"no group is called developer .*the groups there are developers"):
        run("--person", "ada", "--from", said, "--group", "developer")
    with pytest.raises(Refusal, match="no door there is for a group"):
        run("--person", "ada", "--from", write(tmp_path, "n.json", outputs(door("a"))), "--group", "developers")
    with pytest.raises(UsageError, match="a name is empty"):
        run("--person", "ada", "--from", "")


def test_a_dry_run_shows_the_diff_writes_nothing_and_says_3_until_there_is_nothing_to_do(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = write(tmp_path, "stage.json", outputs(door("a")))
    before = sorted(tmp_path.iterdir()), config.read_bytes()
    result = run("--person", "ada", "--state", stage, "--dry-run")
    assert result.return_value == 3
    assert "+[profile a]\n" in result.output
    assert (sorted(tmp_path.iterdir()), config.read_bytes()) == before
    run("--person", "ada", "--state", stage)
    result = run("--person", "ada", "--state", stage, "--dry-run")
    assert (result.return_value, result.output) == (0, f"{config}: nothing would change\n")
    written = config.read_text()
    config.write_text(written.replace("[profile a]", "# of mine\n[profile a]"))
    said = run("--person", "ada", "--state", stage, "--dry-run").output
    assert "1 unchanged, the lines between them as they were made (nothing is written: --dry-run)" in said
    config.write_text(written)
    longer = write(tmp_path, "longer.json", outputs(door("a"), door("b")))
    shown = run("--person", "ada", "--state", longer, "--dry-run").stdout
    assert "\n@@ -16,4 +16,12 @@\n" in shown  # 1-based lines of the file, as `patch` takes them
    assert "\n+\n # <<< twokeys doors <<<\n+ profile b\n= profile a\n" in shown
    assert shown.endswith("1 added, 0 changed, 0 removed, 1 unchanged (nothing is written: --dry-run)\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "new" / "config"))
    result = run("--person", "ada", "--state", stage, "--dry-run")
    assert result.return_value == 3
    assert not (tmp_path / "new").exists()
    other = tmp_path / "other"
    assert run("--person", "ada", "--state", stage, "--config", str(other)).return_value == 0
    assert ("[profile a]" in other.read_text(), (tmp_path / "new").exists()) == (True, False)


def test_json_says_what_was_done(config: Path, tmp_path: Path) -> None:
    stage = write(tmp_path, "stage.json", outputs(door("a")))
    told: dict[str, Any] = json.loads(run("--person", "ada", "--state", stage, "--json").output)
    (way,) = told.pop("ways")  # named by the fields of every other answer
    assert way["target"]["arn"].startswith(f"arn:aws:iam::{way['target']['account']}:role/")
    assert (way["target"]["kind"], way["declared"]["name"]) == ("role", "a")
    assert told == {
        "for": {"kind": "user", "name": "ada"},
        "file": str(config),
        "written": True,
        "added": ["profile a"],
        "changed": [],
        "removed": [],
        "kept": [],
        "notes": [],
    }
    assert json.loads(run("--person", "ada", "--state", stage, "--json").output)["written"] is False


def test_a_source_profile_that_has_no_credentials_yet_is_noted(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # botocore refuses such a profile when it is used, so it is told when it is written:
    # https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-role.html (what a source profile has to hold)
    stage = write(tmp_path, "stage.json", outputs(door("a")))
    told = json.loads(run("--person", "ada", "--state", stage, "--source-profile", "hub", "--json").output)
    assert told["notes"] == [
        "the source profile hub has no credentials yet: `aws configure --profile hub`, or name another with "
        "--source-profile: default"
    ]
    before = config.read_text()
    config.write_text(before + "[profile hub]\nregion = us-east-1\n")
    again = json.loads(run("--person", "ada", "--state", stage, "--source-profile", "hub", "--json").output)
    assert again["notes"] == told["notes"], "a region alone opens nothing"
    config.write_text(before + "[profile hub]\naws_access_key_id = a\naws_secret_access_key = b\n")
    misspelt = run("--person", "ada", "--state", stage, "--source-profile", "hbu")
    assert "hbu has no credentials yet: write hub, if" in misspelt.stderr
    other_block = run("--person", "ada", "--state", stage, "--source-profile", "no", "--prefix", "x-")
    assert other_block.stderr.endswith("or name another with --source-profile: default, hub.\n"), "none of ours"
    config.write_text("")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    told = json.loads(run("--person", "ada", "--state", stage, "--dry-run", "--json").output)
    assert "--credential-source Environment" in told["notes"][0]
    stage = write(tmp_path, "stage.json", outputs(door("a"), group_members={"quiet": ["eve"]}))
    asked = "there is no door of theirs in this file: ask whoever runs the stacks for one"
    assert asked in run("--person", "eve", "--state", stage).stderr
    assert "twokeys" not in config.read_text()


def test_a_source_that_is_of_the_block_itself_is_refused(config: Path, tmp_path: Path) -> None:
    """A circle of profiles opens nothing: botocore.exceptions.InfiniteLoopConfigError."""
    config.write_text(config.read_text() + "[profile by-hand]\nsource_profile = a\nrole_arn = x\n")
    arguments = ("--person", "ada", "--state", write(tmp_path, "stage.json", outputs(door("a", mfa=True))))
    for source in ("a", "by-hand"):
        with pytest.raises(Refusal, match=f"the profile {source} cannot be the source .*profile a"):
            run(*arguments, "--source-profile", source)
    run(*arguments)
    with pytest.raises(Refusal, match="the profile a cannot be the source"):  # which goes with its door
        run("--person", "ada", "--state", write(tmp_path, "other.json", outputs(door("b"))), "--source-profile", "a")


@pytest.mark.usefixtures("config")
def test_what_is_declared_of_a_door_of_identity_center_is_published_with_those_who_have_none(tmp_path: Path) -> None:
    state, role = identity_center(), "aws-reserved/sso.amazonaws.com/AWSReservedSSO_ReadOnly"
    said = {"reason": "Tickets", "owner": "platform", "expires": "2999-01-01T00:00:00Z"}
    declared = door("sso", kind="identity-center-group", names=("developers",), role=role, documents=False, **said)
    resources = state["deployment"]["resources"]
    del resources[1]["outputs"]["region"]  # a resource that says none is in its provider's
    provider = people({}, MANAGEMENT)
    resources[1]["provider"] = f"{provider[0]['urn']}::p1"
    resources += provider
    resources[0]["outputs"] = outputs(declared)
    resources.append(resource("aws:identitystore/user:User", "eve", {"userId": "u-3", "userName": "eve"}))
    file = str(tmp_path / "doors.json")
    arguments = ["export", file, "--state", write(tmp_path, "s.json", state)]
    assert CliRunner().invoke(access, arguments, standalone_mode=False).exception is None
    told = json.loads(Path(file).read_text())
    assert told["identity_center"] == {"start_url": "https://d-1234567890.awsapps.com/start", "region": "eu-central-1"}
    (sso,) = [one["door"] for one in told["doors"] if one["name"] == "sso"]
    assert sso | said == sso
    permits = {
        one["permits"]
        for of in (("--from", file), ("--state", str(tmp_path / "s.json")))
        for one in json.loads(run("--person", "ada", *of, "--dry-run", "--json").stdout)["ways"]
    }
    assert permits == {sso["permits"]}
    assert "there is no door of theirs" in run("--person", "eve", "--from", file).stderr


def test_a_dry_run_shows_no_line_of_the_person_s_own(config: Path, tmp_path: Path) -> None:
    config.write_bytes(b"[default]\naws_secret_access_key = wJalrXUtnFEMI")
    shown = run("--person", "ada", "--state", write(tmp_path, "stage.json", outputs(door("a"))), "--dry-run").output
    assert [line for line in shown.splitlines() if line.startswith("-")] == [f"--- {config}"]
    assert "wJalr" not in shown


def test_exports_that_do_not_speak_of_doors_are_refused_and_take_nothing_away(config: Path, tmp_path: Path) -> None:
    run("--person", "ada", "--state", write(tmp_path, "stage.json", outputs(door("a"))))
    before = config.read_bytes()
    with pytest.raises(Refusal, match=r"no door at all.*ask whoever publishes it"):
        run("--person", "ada", "--state", write(tmp_path, "other.json", {"parent_account_id": MANAGEMENT}))
    assert config.read_bytes() == before


def test_somebody_of_another_account_is_refused_and_nothing_is_taken_away(config: Path, tmp_path: Path) -> None:
    stage = write(tmp_path, "stage.json", outputs(door("a")))
    run("--person", "ada", "--state", stage, "--account", MANAGEMENT)
    before = config.read_bytes()
    run("--person", "ada", "--state", stage, "--account", "management")
    for other in (STAGE, "stage"):
        with pytest.raises(Refusal, match=r"nobody of account stage.*is in management"):
            run("--person", "ada", "--state", stage, "--account", other)
    center = write(tmp_path, "center.json", identity_center())  # whose people are of no account
    with pytest.raises(Refusal, match=r"bob is nobody of account stage.*is in Identity Center"):
        run("--person", "bob", "--state", center, "--account", "stage")
    assert config.read_bytes() == before


@pytest.mark.usefixtures("config")
def test_a_door_of_the_only_account_of_its_kind_may_go_while_others_stay(tmp_path: Path) -> None:
    both = write(tmp_path, "both.json", outputs(door("a"), door("p", role="p", target=PROD)))
    run("--person", "ada", "--from", both)
    gone = run("--person", "ada", "--from", write(tmp_path, "one.json", outputs(door("a")))).stdout
    assert gone.splitlines()[:2] == ["- profile p", "= profile a"]


@pytest.mark.usefixtures("config")
def test_a_profile_that_the_credentials_file_has_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    credentials = tmp_path / "credentials"
    credentials.write_text("[a]\naws_access_key_id = x\naws_secret_access_key = y\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(credentials))
    with pytest.raises(Refusal, match="credentials file"):
        run("--person", "ada", "--state", write(tmp_path, "stage.json", outputs(door("a"))))


@pytest.mark.usefixtures("config")
def test_a_closed_door_has_no_profile_nor_has_one_whose_external_id_is_not_there(tmp_path: Path) -> None:
    closed = door("c", role="c", expires="2026-01-31T15:00Z")
    published = write(
        tmp_path, "doors.json", outputs(door("a", external_id="x-1", documents=False), door("b", role="b"), closed)
    )
    told = run("--person", "ada", "--from", published)
    assert told.stdout.splitlines()[0] == "+ profile b"
    assert "`twokeys assume a --external-id ID`" in told.stderr
    assert "c is closed since 2026-01-31 15:00 UTC" in told.stderr
    assert set(boto3.Session().available_profiles) == {"default", "b"}
    stage = write(tmp_path, "stage.json", outputs(door("a", external_id="x-1"), door("c", role="c")))
    run("--person", "ada", "--state", stage)
    assert settings("c")["role_arn"] == f"arn:aws:iam::{STAGE}:role/c"
    assert settings("a")["external_id"] == "x-1"
    assert {"- profile a", "- profile c"} < {*run("--person", "ada", "--from", published).stdout.splitlines()}


def test_a_hostile_export_cannot_write_a_profile_of_its_own(config: Path, tmp_path: Path) -> None:
    before = config.read_bytes()
    hostile = "x\n[profile evil]\x1b[2J\u202e\ncredential_process = rm -rf /"
    for exported in (door("a", external_id=hostile), door("a", role=hostile), door("a", partition=hostile)):
        with pytest.raises(Refusal):
            run("--person", "ada", "--state", write(tmp_path, "stage.json", outputs(exported)))
    run("--person", "ada", "--state", write(tmp_path, "stage.json", outputs(door("a", reason=hostile), door(hostile))))
    assert config.read_bytes().startswith(before)
    assert "# stage - x [profile evil]\\x1b[2J\\u202e credential_process = rm -rf /\n" in config.read_text()
    safe = "x-profile-evil-2J-credential_process-rm--rf-/"
    assert set(boto3.Session().available_profiles) == {"default", "a", safe}
    assert settings(safe)["role_arn"] == f"arn:aws:iam::{STAGE}:role/reader"


def test_where_the_doors_stand_has_to_be_said_and_for_one_only() -> None:
    assert CliRunner().invoke(profiles, ["--person", "ada"]).exit_code == 2
    both = ["--person", "ada", "--role", "ci", "--state", "x"]
    assert "either --person NAME" in CliRunner().invoke(profiles, both).output
    assert "name one, or leave it out" in CliRunner().invoke(profiles, ["--account", STAGE, "--state", "x"]).output
    assert CliRunner().invoke(profiles, ["ada"]).exit_code == 2


@pytest.mark.usefixtures("config")
def test_without_a_name_and_without_credentials_the_persons_are_listed(tmp_path: Path) -> None:
    stage = write(tmp_path, "stage.json", outputs(door("a"), door("b", names=("bob",))))
    with pytest.raises(Refusal) as refused:
        run("--state", stage)
    assert refused.value.next_step == "name yourself with --person (ada, bob)"


@pytest.mark.usefixtures("config")
def test_somebody_of_whom_nothing_tells_is_refused_with_those_there_are(tmp_path: Path) -> None:
    stage = write(tmp_path, "stage.json", outputs(door("a"), door("b", names=("bob",))))
    with pytest.raises(Refusal, match="no user is called adda") as refused:
        run("--person", "adda", "--state", stage)
    assert refused.value.why == "the users there are ada, bob"
    assert "ada" in refused.value.next_step
    with pytest.raises(Refusal) as refused:
        run("--person", "jürgen", "--state", write(tmp_path, "hub.json", outputs(door("e", names=("emergency-2",)))))
    assert refused.value.next_step == "name one of them, give the states of all stacks, or ask for a newer file"
    deploys = write(tmp_path, "ci.json", outputs(door("c", kind="role", names=("ci",))))
    with pytest.raises(Refusal, match="no user is called ci") as refused:
        run("--person", "ci", "--state", stage, "--state", deploys)
    assert refused.value.next_step == "ci is a role: --role ci"


@pytest.mark.usefixtures("config")
def test_a_door_of_identity_center_becomes_a_profile_that_signs_in_there(tmp_path: Path) -> None:
    """https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-sso.html: session, account and permission set."""
    regions = {STAGE: "eu-north-1"}
    stage = write(tmp_path, "s.json", outputs(assigned("stage-developer"), identity_center=CENTER, regions=regions))
    run("--person", "ada", "--state", stage)
    its_own = {"sso_session": "twokeys", "sso_account_id": STAGE, "sso_role_name": "Reader", "region": "eu-north-1"}
    assert settings("stage-developer") == its_own
    assert boto3.Session()._session.full_config["sso_sessions"]["twokeys"]["sso_region"] == CENTER["region"]


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """What `twokeys access export` writes of a stack in which ann may enter stage, and break-glass at home."""
    world = two_keys()
    world.add("User", "ann", world.hub, name="ann")
    world.add("User", "bob", world.hub, name="bob", uniqueId="AIDABOB")
    ann = arn(HUB, "user/ann")
    world.role("reader", world.stage, document(trusts(ann, condition=MFA)))
    world.add("UserPolicy", "g", world.hub, user="ann", name="g", policy=document(grants(arn(STAGE, "role/reader"))))
    world.role("break-glass", world.hub, document(trusts(ann, condition=MFA)))
    state = write_state(tmp_path / "state.json", world)
    file = tmp_path / "doors.json"
    done = CliRunner().invoke(access, ["export", str(file), "--state", str(state)], standalone_mode=False)
    assert done.exception is None, done.exception
    return file


@pytest.mark.usefixtures("config")
@pytest.mark.parametrize("source", ["--from doors.json", "--state state.json"])
def test_a_published_file_and_its_states_give_the_same_profiles_and_break_glass(published: Path, source: str) -> None:
    option, name = source.split()
    run("--person", "ann", option, str(published.parent / name))
    assert settings("222222222222-reader")["role_arn"] == arn(STAGE, "role/reader")
    assert settings("management-break-glass") == {
        "role_arn": arn(HUB, "role/break-glass"),
        "source_profile": "default",
        "role_session_name": "ann",
        "mfa_serial": arn(HUB, "mfa/ann"),
        "region": "us-west-2",
    }
    run("--person", "bob", option, str(published.parent / name), "--prefix", "x-")  # he is there, and has no door
    with pytest.raises(Refusal, match="no user is called ben") as refused:
        run("--person", "ben", option, str(published.parent / name))
    assert refused.value.why == "the users there are ann, bob"


class _Sending(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        """The file; a path that is an address sends on to it."""
        if self.path.startswith("/status/"):
            self.send_error(int(self.path[-3:]))
        elif "://" not in self.path:
            super().do_GET()
        else:
            self.send_response(302)
            self.send_header("Location", self.path[1:])
            self.end_headers()


@pytest.mark.usefixtures("config")
def test_a_published_file_is_read_from_its_address_over_https_or_from_this_machine(published: Path) -> None:
    (published.parent / "sign-in").write_text("<!doctype html>")
    handler = partial(_Sending, directory=str(published.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            here = f"http://127.0.0.1:{server.server_port}"
            run("--person", "ann", "--from", f"{here}/doors.json")
            for where, why in (
                (f"{here}/http://127.1:{server.server_port}/doors.json", "not https"),
                (f"{here}/sign-in", "a page.*download it again, or ask whoever publishes it"),
                (f"{here}/nothing", "404 File not found.*ask whoever publishes it"),
                (f"{here}/status/401", "401.*download it in your browser"),
                (f"{here}/status/503", "503.*in some minutes"),
            ):
                with pytest.raises(Refusal, match=why):
                    run("--person", "ann", "--from", where)
        finally:
            server.shutdown()
            thread.join()
    assert settings("222222222222-reader")["role_arn"] == arn(STAGE, "role/reader")
    run("--person", "ann", "--from", published.as_uri())
    for where in ("http://doors.example/doors.json", "s3://doors/doors.json", "https://[doors", "https://a:b@doors"):
        with pytest.raises(Refusal, match="published doors cannot be read"):
            run("--person", "ann", "--from", where)
