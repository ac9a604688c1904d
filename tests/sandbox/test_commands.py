"""`twokeys sandbox` as its user meets it, with the repository's own program: in processes where they end early."""

import html
import json
import re
import signal
import stat
import subprocess
from collections import defaultdict
from collections.abc import Iterable
from difflib import unified_diff
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest
import yaml

from tests.access.states import write_state
from tests.access.test_identity_center import put
from tests.access.world import HUB, STAGE, World, arn, document, trusts, two_keys
from tests.in_process import said
from tests.sandbox.conftest import TWOKEYS, Run
from twokeys.errors import Refusal
from twokeys.sandbox import demo
from twokeys.sandbox.local_aws import LocalAws
from twokeys.sandbox.person import account_of, made_with


def accounts_of(aws: LocalAws) -> dict[str, str]:
    """Account name to id, from the local AWS itself."""
    return {one["Name"]: one["Id"] for one in aws.client("organizations").list_accounts()["Accounts"]}


def _alike(lines: Iterable[str]) -> list[str]:
    """Lines without what differs from run to run."""
    return [re.sub(r"\d{12}|[\d.]+(?=\ss\))", "", line.replace("\xa0", " ")).rstrip() for line in lines]


@pytest.mark.usefixtures("programs_in_process")
def test_the_demo_tells_the_whole_story_on_a_screen_and_leaves_states_that_every_answer_reads(
    twokeys: Run, project: Path, project_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stories: list[demo.Story] = []
    tell = demo.tell
    monkeypatch.setattr(demo, "tell", lambda *given, **named: stories.append(tell(*given, **named)) or stories[0])
    run = twokeys("sandbox", "demo", "--state", ".twokeys")
    assert (run.returncode, run.stderr) == (0, ""), run.stdout + run.stderr
    lines = run.stdout.splitlines()
    assert len(lines) <= 45
    assert max(map(len, lines)) <= 80
    assert lines[-2].startswith("pictures ")
    assert (project / lines[-2].split()[1].rstrip(",")).is_file()
    drawn: dict[str, str] = defaultdict(str)
    picture = (project_root / "docs/demo.svg").read_text()
    for x, line, text in re.findall(r" x=\"([\d.]+)\".*?-line-(\d+)\)\">([^<]*)</text>", picture):
        drawn[line] = drawn[line].ljust(round(float(x) / 12.2)) + html.unescape(text)  # as wide as rich draws a column
    pictured, printed = _alike(drawn.values()), _alike(["$ scripts/demo", *lines[:-2]])
    difference = "\n".join(unified_diff(pictured[: len(printed)], printed, "docs/demo.svg", "printed", lineterm=""))
    same = "".join("".join(pictured).split()).startswith("".join("".join(printed).split()))  # lines may break elsewhere
    assert same, f"docs/demo.svg shows another text than the demo prints: run scripts/pictures\n{difference}"

    [story] = stories
    assert story.failed == []
    assert list(story.outputs) == ["management", "stage", "prod"]
    assert re.search("^stage +refused ", run.stdout, re.MULTILINE), "a door with one key is refused"
    assert story.outputs["stage"]["parent_account_id"] == "111111111111"
    children = {story.outputs[stack]["child_account_id"] for stack in ("stage", "prod")}
    assert len(children) == 2
    # who can enter prod: also in an emergency, and by the role that AWS itself makes in each account
    assert any("break-glass" in line for line in story.entering)
    assert any("OrganizationAccountAccessRole" in line for line in story.entering)
    probes = [one.as_dict() for one in story.probes]
    assert all(one["asExpected"] for one in probes)
    assert {one["expected"] for one in probes} == {"assumed", "refused"}
    for door in ("stage-deployer", "stage-developer", "prod-deployer", "prod-read-only"):
        assert any(one["name"].endswith(f"enters by door {door}") and one["happened"] == "assumed" for one in probes)
    assert any("without MFA" in one["name"] and one["happened"] == "refused" for one in probes)
    assert any("administrator of stage tries door prod" in one["name"] for one in probes)

    state = project / ".twokeys" / "stacks" / "stage.json"
    assert stat.S_IMODE(state.stat().st_mode) == 0o600
    assert stat.S_IMODE((project / ".twokeys" / "aws").stat().st_mode) == 0o700
    checked = twokeys("access", "check", "--state", str(state), "--json")
    assert checked.returncode == 0, checked.stdout
    assert twokeys("audit", "stage", "--json").returncode == 0
    assert all(one["asExpected"] for one in said(twokeys("verify", "stage", "--json", "--rate", "50"))["probes"])

    misspelt = twokeys("sandbox", "shell", "--user", "alica")
    first, second = (said(twokeys("sandbox", "shell", "--user", "alice", "--json")) for _terminal in range(2))
    assert (misspelt.returncode, "name alice" in misspelt.stderr, first) == (1, True, second)  # the first one goes on
    for name, value in second.items():
        monkeypatch.setenv(name, value)
    assert "+ profile stage-developer" in twokeys("profiles", "--person", "alice").stdout
    assert boto3.Session(profile_name="default").client("sts").get_caller_identity()["Arn"].endswith(":user/alice")
    code, stage = twokeys("sandbox", "mfa-code").stdout.strip(), story.outputs["stage"]["child_account_id"]
    assumed = twokeys("assume", "stage-developer", "--mfa-code", code, "--json")
    assert said(assumed)["arn"] == f"arn:aws:sts::{stage}:assumed-role/developer/alice"
    assert "the doors are the sandbox's" in assumed.stderr
    assert twokeys("sandbox", "shell", "--stop").returncode == 0


@pytest.mark.usefixtures("programs_in_process", "small_organization")
def test_beside_a_door_of_identity_center_a_door_is_opened_with_the_states_that_up_made(
    twokeys: Run, project: Path
) -> None:
    management, stage = project / "Pulumi.management.yaml", project / "Pulumi.stage.yaml"
    name = "{givenName: A, familyName: B, email: a@company.com}"
    center = f"    identityCenter: {{users: {{alice: {name}}}}}\n    users:"
    trusted = "organization:\n    trustedServices: [sso.amazonaws.com]\n"
    told = management.read_text().replace("organization:\n", trusted).replace("    users:", center)
    management.write_text(told)
    doors = yaml.safe_load(stage.read_text())
    permissions = {"managedPolicies": ["arn:aws:iam::aws:policy/ReadOnlyAccess"]}
    reader = {"from": {"user": "alice"}, "to": {"role": "reader"}, "via": "identity-center", "permissions": permissions}
    doors["config"]["twokeys:doors"]["stage-reader"] = reader | {"reason": "r", "owner": "o"}
    stage.write_text(yaml.safe_dump(doors))
    made = twokeys("sandbox", "up", "management", "stage", "--json")
    assert made.returncode == 0, made.stdout + made.stderr
    assert '"type": "aws:ssoadmin/accountAssignment:AccountAssignment"' in made.stdout
    copy = ("--from", "stage-developer", "--for", "2h", "--reason", "r")
    opened = twokeys("access", "open", "stage-queue", *copy)
    assert "previewed, with the states of management, stage: nothing refused" in opened.stdout, opened.stderr
    assert "stage-queue" in stage.read_text()


def without_grant(project: Path) -> Any:
    """The doors of stage, and the trust alone of one of them."""
    doors = yaml.safe_load((project / "Pulumi.stage.yaml").read_text())["config"]["twokeys:doors"]
    doors["stage-deployer"]["keys"] = ["trust"]
    return doors


@pytest.mark.usefixtures("programs_in_process")
@pytest.mark.parametrize("of", ["organization/network/prod", "organization/twokeys/prod"])
def test_a_stack_of_another_project_and_the_stack_itself_are_nothing_to_make_first(
    twokeys: Run, project: Path, of: str
) -> None:
    (project / "__main__.py").write_text(f"import pulumi\npulumi.export('x', pulumi.StackReference({of!r}).outputs)\n")
    assert "sandbox up prod prod" not in twokeys("sandbox", "up", "prod").stdout


@pytest.mark.usefixtures("small_organization", "programs_in_process")
def test_a_door_without_its_grant_is_refused_and_a_shell_finds_what_was_made_before_and_nothing_else(
    twokeys: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID"):
        monkeypatch.setenv(name, "real")  # a profile that does not exist, or such keys, would fail what sees them
    alone = twokeys("sandbox", "up", "stage")
    assert alone.returncode == 1
    assert alone.stdout.endswith("next:  twokeys sandbox up management stage\n")
    assert "made" not in alone.stdout
    assert not (project / ".twokeys" / "stacks").exists(), "a stack of which nothing was made is not up"
    assert said(twokeys("sandbox", "up", "management", "--json"))[0]["ok"]

    doors = json.dumps(without_grant(project))
    run = twokeys("sandbox", "up", "stage", "--json", "--config", f"twokeys:doors={doors}")
    assert run.returncode == 1
    [one] = said(run)
    assert one["stage"] == "preview"
    (refused,) = [each for each in one["violations"] if each["mandatory"]]
    assert refused["policy"] == "door-needs-grant"
    assert "Next step: take `keys: [trust]` out of door stage-deployer in Pulumi.stage.yaml" in refused["message"]

    environment = said(twokeys("sandbox", "shell", "--json"))
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID"):
        monkeypatch.delenv(name)
    running = LocalAws.attach(project / ".twokeys" / "aws")
    assert running is not None
    assert list(accounts_of(running).values()) == ["111111111111"]
    monkeypatch.setenv("TWOKEYS_DOORS", "doors.json")
    shell = twokeys("sandbox", "shell")
    assert "TWOKEYS_DOORS is unset in this shell" in shell.stderr
    assert f"export AWS_ENDPOINT_URL={environment['AWS_ENDPOINT_URL']}" in shell.stdout
    assert "made (management) is in this local AWS and in no state of the CLI" in shell.stderr
    with monkeypatch.context() as there:
        for name, value in environment.items():
            there.setenv(name, value)
        stopped = twokeys("sandbox", "shell", "--stop")
        left = subprocess.run(["sh", "-c", f"{stopped.stdout}\nenv"], capture_output=True, text=True, check=True)
    assert stopped.stderr.strip() == "stopped"
    assert environment["AWS_ENDPOINT_URL"] not in left.stdout, "the shell points at it no more"
    assert "\nAWS_" not in left.stdout
    assert twokeys("sandbox", "shell", "--stop").stderr.strip() == "no local AWS was running"
    demo_s = project / ".twokeys" / "demo"
    demo_s.mkdir()
    (project / ".twokeys" / "stacks").rename(demo_s / "stacks")
    assert [made_with(account, project) for account in ("111111111111", "999999999999")] == [demo_s, None]


def test_a_forgotten_stack_is_named_and_nothing_is_made(twokeys: Run) -> None:
    run = twokeys("sandbox", "up", "nowhere")
    assert run.returncode == 1
    assert "Pulumi.nowhere.yaml" in run.stderr
    assert "next:" in run.stderr


def begin(project: Path, *arguments: str, until: str) -> subprocess.Popen[str]:
    """Start an `up` and wait until a line says that."""
    command = [*TWOKEYS, "sandbox", "up", *arguments, "--verbose"]
    pipe = subprocess.PIPE
    update = subprocess.Popen(command, cwd=project, stdout=pipe, stderr=subprocess.STDOUT, text=True)
    assert update.stdout is not None
    for line in update.stdout:
        if until in line:
            return update
    raise AssertionError(f"it ended with {update.wait()} before it said {until!r}")


@pytest.mark.usefixtures("small_organization", "programs_in_process")
def test_a_run_whose_local_aws_dies_ends_and_the_next_one_begins_anew(twokeys: Run, project: Path) -> None:
    update = begin(project, "management", until="aws:iam/user:User")
    server = json.loads((project / ".twokeys" / "aws" / "server.json").read_text())
    psutil.Process(server["pid"]).kill()
    output, _ = update.communicate(timeout=120)
    assert update.returncode == 1, output
    assert "local AWS" in output
    assert twokeys("sandbox", "up", "management").returncode == 0


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("small_organization", "programs_in_process")
def test_ctrl_c_exits_with_130_and_leaves_no_server_and_what_is_up_is_made_again_with_all_that_are_up(
    twokeys: Run, project: Path
) -> None:
    update = begin(project, "management", until="aws:organizations/organization:Organization")
    server = json.loads((project / ".twokeys" / "aws" / "server.json").read_text())
    update.send_signal(signal.SIGINT)
    output, _ = update.communicate(timeout=120)
    assert update.returncode == 130, output
    assert not psutil.pid_exists(server["pid"])

    (project / "pack.json").write_text('{"door-needs-grant": "advisory"}')
    kept = ("--config", "twokeys:rootEmail=kept@company.com")
    config = (*kept, "--config", f"twokeys:doors={json.dumps(without_grant(project))}")
    first = said(twokeys("sandbox", "up", "management", "--json", *kept))
    first += said(twokeys("sandbox", "up", "stage", "--json", *config, "--policy-pack-config", "pack.json"))
    again = said(twokeys("sandbox", "up", "management", "--json"))
    assert [one["stack"] for one in again] == ["management", "stage"]
    assert all(one["ok"] for one in (*first, *again))
    assert "kept+stage@company.com" in (project / ".twokeys" / "stacks" / "stage.json").read_text()
    before, now = (runs[1]["outputs"]["child_account_id"] for runs in (first, again))
    with LocalAws.start(project / ".twokeys" / "aws") as aws:
        assert accounts_of(aws)["stage"] == now == before
    states = {path: path.read_bytes() for path in (project / ".twokeys" / "stacks").iterdir()}
    nobody = json.dumps({"d": {"from": {"user": "nobody"}, "to": {"role": "r"}, "reason": "Tests"}})
    for wrong in (config, ("--config", f"twokeys:doors={nobody}")):  # without the rules' configuration; by the program
        refused = twokeys("sandbox", "up", "stage", *wrong)
        assert refused.returncode == 1
        assert refused.stdout.endswith("still up, as before: management, stage\n")
        assert {path: path.read_bytes() for path in (project / ".twokeys" / "stacks").iterdir()} == states
    with LocalAws.start(project / ".twokeys" / "aws") as aws:
        assert accounts_of(aws)["stage"] == now


@pytest.mark.usefixtures("programs_in_process")
def test_up_asks_the_states_of_other_stacks_for_the_other_key_as_the_pack_does(twokeys: Run, project: Path) -> None:
    world = World()
    world.role("ci", world.stage)
    world.grant("ci", world.stage, arn(HUB, "role/target"))
    state = write_state(project / "tools.json", world)
    (project / "__main__.py").write_text(f"""
import pulumi
import pulumi_aws as aws

hub = aws.Provider("hub", region="eu-west-1", allowed_account_ids=["{HUB}"])
trust = {document(trusts(arn(STAGE, "root")))!r}
aws.iam.Role("target", name="target", assume_role_policy=trust, opts=pulumi.ResourceOptions(provider=hub))
""")
    (project / "Pulumi.yaml").write_text("name: target\nruntime: python\n")
    (project / "Pulumi.dev.yaml").touch()
    config = project / "pack.json"
    config.write_text(json.dumps({"other-stacks": {"states": [state.name]}}))
    refused = twokeys("sandbox", "up", "dev")
    assert (refused.returncode, "external-id" in refused.stdout) == (1, True)
    made = twokeys("sandbox", "up", "dev", "--policy-pack-config", str(config))
    assert made.returncode == 0, made.stdout + made.stderr


def test_down_forgets_everything_and_touches_nothing_else(twokeys: Run, project: Path) -> None:
    kept = project / ".twokeys" / "notes.txt"
    kept.parent.mkdir()
    kept.write_text("mine")
    (project / ".twokeys" / "stacks").mkdir()
    (project / ".twokeys" / "demo" / "stacks").mkdir(parents=True)
    assert twokeys("sandbox", "down").returncode == 0
    assert [path.name for path in (project / ".twokeys").rglob("*")] == ["notes.txt"]
    kept.unlink()
    assert twokeys("sandbox", "down").returncode == 0
    assert not kept.parent.exists()


@pytest.mark.parametrize(
    ("user", "account", "said"),
    [
        ("ann", None, f"several users are called ann .* one is in each of {HUB}, {STAGE}. .* --account"),
        ("ann", "999999999999", f"nobody of 999999999999 is called ann .* {HUB}, {STAGE}. .* --account"),
        ("ci", None, "ci is a role .* `twokeys verify STACK`, or be one of ann"),
        ("anna", None, "nobody is called anna .* the users are ann.* name ann"),
        ("erin", None, r"erin signs in at IAM Identity Center .* `twokeys profiles --person erin --dry-run`"),
        ("ann", STAGE, None),
    ],
)
def test_somebody_of_the_sandbox_is_named_with_the_account_where_several_have_one_of_that_name(
    tmp_path: Path, user: str, account: str | None, said: str | None
) -> None:
    world = two_keys()
    for place in (world.hub, world.stage):
        world.add("User", "ann", place, name="ann")
    put(world, "aws:identitystore/user:User", "erin", world.hub, userName="erin", userId="u-1")
    states = [write_state(tmp_path / "state.json", world)]
    if said is None:
        assert account_of(user, states, account) == account
        return
    with pytest.raises(Refusal) as refused:
        account_of(user, states, account)
    assert re.search(said, str(refused.value))
