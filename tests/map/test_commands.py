"""`twokeys map` on the command line."""

import json
from html import unescape
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.access.states import write_state
from tests.access.test_translation import put
from tests.access.world import STAGE, World, document, trusts
from tests.map.test_sources import ALL, STATES
from twokeys.answers.summary import IN_SHORT
from twokeys.errors import Refusal
from twokeys.map.commands import map_

THREE = [argument for path in ALL for argument in ("--state", str(path))]


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(map_, arguments)


def test_the_summary_fits_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    said = [line for line in run(*THREE).stdout.splitlines() if not line.startswith("Wrote")]
    assert len(said) > 1
    assert max(map(len, said)) <= 40


LIMITS = (
    "From states as of 2026-11-24 11:32 UTC: only users and roles that stacks made; live IAM also has those made "
    "otherwise.",
    "Not looked at: policies of buckets, keys, queues and other data; network ways; what a role may do once it is "
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/root-user-sign-in.html
    "entered; code that runs with a role; what IAM Identity Center and other identity providers ask at sign-in; root "
    "users, who sign in to their account with its e-mail address; passwords and access keys that no stack made; "
    "whether MFA devices exist.",
)


def test_a_picture_and_a_page_are_written_and_summed_up() -> None:
    done = run(*THREE)
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines() == [
        "Organization o-1637f8ec99: 3 accounts, 6 ways in (4 doors, 2 with a key not shown), "
        "0 doors without a key or denied, 0 not proved",
        *(
            f"  the account as a whole of management -> role OrganizationAccountAccessRole of {name}: grant not shown"
            for name in ("prod", "stage")
        ),
        LIMITS[0],
        f"{IN_SHORT}.",
        "Wrote map.svg",
        "Wrote map.html",
    ]
    page = unescape(Path("map.html").read_text().replace("<wbr>", ""))
    assert all(f'<p class="quiet">{line}</p>' in page for line in LIMITS)
    assert Path("map.svg").read_text().startswith("<?xml")
    assert Path("map.html").read_text().startswith("<!doctype html>")
    assert sorted(path.name for path in Path().iterdir()) == ["map.html", "map.svg"]


def test_people_of_identity_center_stand_in_no_account_and_the_suffix_of_their_role_is_a_star() -> None:
    """https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html"""
    world = World()
    arn = "arn:aws:sso:::permissionSet/ssoins-1111222233334444/ps-1111222233334444"
    put(world, "aws:ssoadmin/permissionSet:PermissionSet", "dev", world.hub, name="dev", arn=arn)
    said = {"principalType": "GROUP", "principalId": "team", "targetType": "AWS_ACCOUNT", "targetId": STAGE}
    put(world, "aws:ssoadmin/accountAssignment:AccountAssignment", "a", world.hub, permissionSetArn=arn, **said)
    assert run("--state", str(write_state(Path("state.json"), world))).exit_code == 0
    for page in (Path(name).read_text() for name in ("map.svg", "map.html")):
        assert "In no account" in page
        assert "AWSReservedSSO_dev_*" in page
        assert "dev_?" not in page


def test_only_what_was_asked_for_is_written() -> None:
    assert run(*THREE, "--svg", "doors.svg").exit_code == 0
    assert [path.name for path in Path().iterdir()] == ["doors.svg"]


def test_json_is_all_that_is_printed() -> None:
    done = run(*THREE, "--json")
    told = json.loads(done.stdout)
    assert {(way["declared"] or {}).get("name") for way in told["ways"]} == {
        None,
        "stage-deployer",
        "stage-developer",
        "prod-deployer",
        "prod-read-only",
    }
    assert {door["state"] for door in told["doors"]} == {"open"}
    assert not list(Path().iterdir())


def test_a_door_that_lacks_a_key_is_named_in_the_summary() -> None:
    state = json.loads((STATES / "stage.json").read_text())
    resources = state["deployment"]["resources"]
    state["deployment"]["resources"] = [one for one in resources if not one["urn"].endswith("::stage-deployer-grant")]
    Path("broken.json").write_text(json.dumps(state))
    done = run("--state", str(ALL[0]), "--state", "broken.json", "--svg", "map.svg")
    assert "  role ci of management -> role deployer of stage: no grant" in done.stdout.splitlines()


def test_the_sandboxs_stacks_are_drawn_where_no_state_is_given() -> None:
    folder = Path(".twokeys/stacks")
    folder.mkdir(parents=True)
    for path in ALL:
        (folder / path.name).write_bytes(path.read_bytes())
    assert "3 accounts, 6 ways in" in run("--svg", "map.svg").stdout
    assert "2 accounts" in run("--stack", "prod", "--svg", "map.svg").stdout


def test_without_any_state_it_is_refused() -> None:
    refused = run()
    assert isinstance(refused.exception, Refusal)
    assert "no state to read" in str(refused.exception)


def test_a_file_that_cannot_be_replaced_is_refused_and_the_old_one_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("map.svg").write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    refused = run(*THREE, "--svg", "map.svg")
    assert isinstance(refused.exception, Refusal)
    assert refused.exception.why == "No space left on device"
    assert Path("map.svg").read_text() == "old"
    assert [path.name for path in Path().iterdir()] == ["map.svg"]


def test_a_folder_that_is_not_there_is_refused() -> None:
    refused = run(*THREE, "--html", "nowhere/map.html")
    assert isinstance(refused.exception, Refusal)
    assert refused.exception.where == "nowhere/map.html"


def test_what_is_not_proved_and_no_arrow_is_said_beside_the_map(tmp_path: Path) -> None:
    world = World()
    world.role("vendor", world.stage, document(trusts("AROAEXAMPLEID12345678")))
    done = run("--state", str(write_state(tmp_path / "state.json", world)), "--html", "map.html")
    (said,) = [line for line in done.stdout.splitlines() if "AROAEXAMPLEID12345678" in line]
    assert "not on the map" in said
    assert "AROAEXAMPLEID12345678" in Path("map.html").read_text()
