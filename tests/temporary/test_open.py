"""`twokeys access open`: one place of a stack's file changes, and only to what a preview lets pass."""

import json
import os
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner

from twokeys.errors import Refusal
from twokeys.project.config import read_config
from twokeys.project.states import states_made
from twokeys.temporary.change import Opening, closing_minute, lasting, opened
from twokeys.temporary.open_command import _next_step, open_command

pytestmark = pytest.mark.usefixtures("programs_in_process")
CONFIG = """\
# Who may enter shop.
config:
  twokeys:managementAccountId: "111111111111"
  twokeys:rootEmail: example@company.com
  twokeys:accounts: {shop: {}}
  twokeys:doors:
    shop-reader:   # for good
      from: {user: alice}
      to: {role: team/reader}
      permissions: {managedPolicies: [arn:aws:iam::aws:policy/ReadOnlyAccess]}
      mfa: false
      reason: Looking into what runs
      owner: platform
    # The next one is open for a while.
    shop-fix:
      from: {user: bob}
      to: {role: fix}
      permissions: {managedPolicies: [arn:aws:iam::aws:policy/ReadOnlyAccess]}
      reason: >
        The queue
        is stuck
      owner: platform
      expires: 2026-01-31   # a day long past

  # What comes last.
  twokeys:tags: {team: shop}
"""


MANAGEMENT = """\
config:
  twokeys:managementAccountId: "111111111111"
  twokeys:rootEmail: example@company.com
  twokeys:organization: {create: true}
  twokeys:people: {users: [alice, bob]}
"""


@pytest.fixture
def shop(tmp_path: Path, project_root: Path) -> Path:
    for name in ("Pulumi.yaml", "__main__.py", "components", "twokeys"):
        (tmp_path / name).symlink_to(project_root / name)
    (tmp_path / "Pulumi.shop.yaml").write_text(CONFIG)
    return tmp_path


def call(project: Path, *arguments: str) -> str:
    command = [*arguments, "--project", str(project)]
    return CliRunner().invoke(open_command, command, standalone_mode=False, catch_exceptions=False).stdout


def refusal(project: Path, *arguments: str) -> Any:
    before = (project / "Pulumi.shop.yaml").read_text()
    with pytest.raises((Refusal, click.UsageError)) as refused:
        call(project, "--reason", "r", *arguments)
    assert (project / "Pulumi.shop.yaml").read_text() == before
    assert [one.name for one in project.iterdir() if one.name.startswith(".")] == []
    return refused.value


def changed(diff: str) -> list[str]:
    return [line for line in diff.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]


def test_a_temporary_door_is_opened_again_by_changing_its_end_and_its_reason_alone(shop: Path) -> None:
    end = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%MZ")
    told = json.loads(call(shop, "shop-fix", "--until", end, "--reason", "Stuck:\nagain", "--json"))
    assert told["written"]
    assert told["previewed"]
    assert changed(told["diff"]) == [
        "-      reason: >",
        "-        The queue",
        "-        is stuck",
        "+      reason: 'Stuck: again'",
        "-      expires: 2026-01-31   # a day long past",
        f'+      expires: "{end}"   # a day long past',
    ]
    door = read_config(shop / "Pulumi.shop.yaml")["twokeys:doors"]["shop-fix"]
    assert (door["reason"], door["expires"]) == ("Stuck: again", end)
    ends = datetime.fromisoformat(told["lastSessionEnds"]) - datetime.fromisoformat(told["expires"])
    assert ends == timedelta(hours=1)  # the longest session of a role that says none: CreateRole, MaxSessionDuration


def test_what_the_preview_warns_of_is_said_before_its_result(shop: Path) -> None:
    (shop / "Pulumi.shop.yaml").write_text(CONFIG.replace("{shop: {}}", "{shop: {organizationalUnit: Shops}}"))
    said = call(shop, "shop-fix", "--for", "2h", "--reason", "r", "--dry-run").splitlines()
    (warning,) = [line for line in said if line.startswith("warning: ")]
    assert "stack organization/twokeys/management is not among the stacks whose states were read" in warning
    assert said[said.index(warning) + 1] == "previewed: nothing refused"


@pytest.mark.parametrize("original", ["shop-reader", "shop-fix"])
@pytest.mark.parametrize("layout", ["block", "flow"])
def test_a_door_whose_time_is_over_is_taken_out_of_the_file_and_keeps_no_other_shut(
    shop: Path, original: str, layout: str
) -> None:
    file = shop / "Pulumi.shop.yaml"
    if layout == "flow":
        doors = json.dumps(read_config(file)["twokeys:doors"], default=str)
        head, rest = CONFIG.split("  twokeys:doors:\n")
        file.write_text(f"{head}  twokeys:doors: {doors}\n\n  # What{rest.partition('  # What')[2]}")
    done = ("shop-queue", "--from", original, "--for", "2h", "--reason", "r")
    said = call(shop, *done, "--dry-run")
    assert "shop-fix is closed since 2026-02-01 00:00 UTC: taken out" in said  # the end of its last day
    assert json.loads(call(shop, *done, "--json"))["takenOut"] == ["shop-fix"]
    assert set(read_config(file)["twokeys:doors"]) == {"shop-reader", "shop-queue"}
    assert "# What comes last." in file.read_text()
    assert ("# The next one is open for a while." in file.read_text()) is (layout == "block")


def test_other_stacks_are_as_the_sandbox_has_updated_them_as_in_a_preview(shop: Path) -> None:
    """https://www.pulumi.com/docs/iac/concepts/stacks/#stackreferences"""
    (shop / "__main__.py").unlink()
    (shop / "__main__.py").write_text(
        "import pulumi\n"
        "roles = pulumi.StackReference('organization/twokeys/hub').require_output('roles')\n"
        "roles.apply(lambda roles: roles['ci'])\n"
    )
    stack, state = "pulumi:pulumi:Stack", shop / ".twokeys" / "stacks" / "hub.json"
    state.parent.mkdir(parents=True)
    for outputs in ({"roles": {"ci": "arn"}}, {"roles": {}}):
        hub = {"urn": f"urn:pulumi:hub::twokeys::{stack}::twokeys-hub", "type": stack, "custom": False}
        state.write_text(json.dumps({"version": 3, "deployment": {"resources": [hub | {"outputs": outputs}]}}))
        with nullcontext() if outputs["roles"] else pytest.raises(Refusal, match=r"failed.*'ci'"):
            call(shop, "shop-fix", "--for", "2h", "--reason", "r", "--dry-run")


def test_the_packs_longest_time_holds(shop: Path) -> None:
    pack = shop / "pack.json"
    pack.write_text(json.dumps({"door-expired": {"mostDays": 2}}))
    refused = refusal(shop, "shop-fix", "--for", "9d", "--policy-pack-config", str(pack))
    assert "mostDays 2" in refused.why


@pytest.fixture
def _unpreviewed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the preview, which other tests have."""
    monkeypatch.setattr("twokeys.temporary.open_command._refuse_what_preview_refuses", lambda *_, **__: [])


def _dry(shop: Path, *arguments: str) -> dict[str, Any]:
    """What would be written."""
    return dict(json.loads(call(shop, *arguments, "--reason", "Ticket 12", "--dry-run", "--json")))


@pytest.mark.usefixtures("_unpreviewed")
def test_a_copy_has_no_longer_sessions_than_it_is_open(shop: Path) -> None:
    longer = CONFIG.replace("      mfa: false", "      mfa: false\n      sessionSeconds: 14400", 1)
    (shop / "Pulumi.shop.yaml").write_text(longer)
    told = _dry(shop, "shop-queue", "--from", "shop-reader", "--for", "2h")
    assert told["sessionSeconds"] == 7200


@pytest.mark.usefixtures("_unpreviewed")
def test_a_copy_stands_behind_its_original_with_a_role_of_its_own_and_mfa_for_whom_it_lets_in(shop: Path) -> None:
    (shop / "Pulumi.shop.yaml").write_text(config := CONFIG.replace("2026-01-31 ", "2999-01-31 "))
    told = _dry(shop, "shop-queue", "--from", "shop-reader", "--user", "bob", "--until", "2099-01-31")
    assert (shop / "Pulumi.shop.yaml").read_text() == config
    assert told["diff"].splitlines()[2:] == [
        "@@ -11,6 +11,14 @@",
        "       mfa: false",
        "       reason: Looking into what runs",
        "       owner: platform",
        "+    shop-queue:",
        "+      from: {user: bob}",
        "+      to: {role: team/shop-queue}",
        "+      permissions:",
        "+        managedPolicies: ['arn:aws:iam::aws:policy/ReadOnlyAccess']",
        "+      owner: platform",
        "+      reason: Ticket 12",
        '+      expires: "2099-02-01T00:00Z"',
        "     # The next one is open for a while.",
        "     shop-fix:",
        "       from: {user: bob}",
    ]


@pytest.mark.usefixtures("_unpreviewed")
def test_a_session_by_identity_center_can_do_nothing_after_the_end_whatever_its_length(shop: Path) -> None:
    """The end stands in the permission set, which AWS asks at each call of a session:
    https://docs.aws.amazon.com/singlesignon/latest/userguide/permissionsetcustom.html
    """
    center = CONFIG.replace("to: {role: team/reader}", "to: {role: reader}\n      via: identity-center", 1)
    (shop / "Pulumi.shop.yaml").write_text(center.replace("      mfa: false\n", "", 1))
    asked = ("shop-queue", "--from", "shop-reader", "--user", "bob", "--for", "2h")
    told = _dry(shop, *asked)
    assert told["lastSessionEnds"] == told["expires"]
    assert "a session that is open then can do nothing any more" in call(shop, *asked, "--reason", "r", "--dry-run")


FLOW = (
    "twokeys:doors: {a: {from: {user: bob}, to: {role: r}, permissions: {managedPolicies: "
    "[arn:aws:iam::aws:policy/ReadOnlyAccess]}, reason: x, owner: o, expires: 2026-01-31}}"
)


@pytest.mark.usefixtures("_unpreviewed")
@pytest.mark.parametrize("whose", [("--user", "bob"), ()])
def test_a_copy_has_both_keys_where_the_grant_of_its_original_is_made_elsewhere(
    whose: tuple[str, ...], shop: Path
) -> None:
    """A door into every account has only its trust here; its grant names the role of that name alone."""
    text = CONFIG.replace("to: {role: team/reader}", 'to: {account: "*", role: reader}\n      keys: [trust]')
    (shop / "Pulumi.shop.yaml").write_text(text)
    call(shop, "help", "--from", "shop-reader", *whose, "--for", "2h", "--reason", "Looking")
    assert "keys" not in read_config(shop / "Pulumi.shop.yaml")["twokeys:doors"]["help"]


@pytest.mark.usefixtures("_unpreviewed")
def test_a_copy_of_another_company_s_door_has_only_the_key_that_we_can_make(shop: Path) -> None:
    text = CONFIG.replace(
        "from: {user: alice}",
        'from: {account: "777788889999", role: scanner}\n      keys: [trust]\n      externalId: x-1',
        1,
    )
    (shop / "Pulumi.shop.yaml").write_text(text)
    call(shop, "help", "--from", "shop-reader", "--for", "2h", "--reason", "Looking")
    assert read_config(shop / "Pulumi.shop.yaml")["twokeys:doors"]["help"]["keys"] == ["trust"]


@pytest.mark.usefixtures("_unpreviewed")
@pytest.mark.parametrize("door", [("a",), ("b", "--from", "a")])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_file_in_one_line_and_one_of_another_system_keep_their_layout(
    shop: Path, door: tuple[str, ...], newline: str
) -> None:
    head = CONFIG.partition("  twokeys:doors")[0]
    text = (head + f"  {FLOW}\n  twokeys:region: eu-west-1 # é 😀\n").replace("\n", newline)
    (shop / "Pulumi.shop.yaml").write_bytes(text.encode())
    diff = _dry(shop, *door, "--for", "2h")["diff"]
    assert len(changed(diff)) == 2
    assert "Ticket 12" in changed(diff)[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("shop-fixx", "--for", "2h"), "write shop-fix, if that is meant"),
        (("shop-reader", "--for", "2h"), "--from shop-reader"),
        (("shop-raeder", "--for", "2h"), "opened again are shop-fix. Next step: open a copy"),
        (("shop-fix", "--for", "2h", "--stack", "management"), "write --stack shop, or leave --stack out"),
        (("shop-fix", "--from", "shop-reader", "--for", "2h"), "choose another name"),
        (("elsewhere", "--from", "shop-reader", "--for", "2h"), "choose another name"),
        (("shop-fix", "--until", "2026-02-01T00:00Z"), "2026-02-01T00:00Z is over"),
        (("shop-fix", "--until", "2099-02-01T00:00"), "with its time zone 2027-01-31T15:00Z (Z for UTC)"),
        (("shop-fix", "--for", "soon"), "--for soon: write it as 2h"),
        (("new", "--from", "shop-reader", "--user", "zed", "--for", "2h"), "it has: alice, bob"),
        (("new", "--from", "vendor", "--user", "bob", "--for", "2h"), "of another company, and so would be a user"),
        (("new", "--from", "nope", "--for", "2h"), "name one of them"),
        (("new", "--from", "prod-break-glass", "--for", "2h"), "Next step: name one of them"),
        (
            ("new", "--from", "shop-reader", "--for", "2h", "--reason", "Łukasz 🚀"),
            "Łukasz 🚀 (config of stack shop): it",
        ),
        (("Shop!", "--from", "shop-reader", "--for", "2h"), "twokeys:doors.Shop! = Shop! (config of stack shop): this"),
    ],
)
def test_what_cannot_be_opened_is_refused_with_the_next_step(shop: Path, arguments: tuple[str, ...], said: str) -> None:
    (shop / "Pulumi.management.yaml").write_text(MANAGEMENT)
    (shop / "Pulumi.other.yaml").write_text("config: {twokeys:doors: {elsewhere: {}}}")
    vendor = (
        FLOW.partition("{a: ")[2].replace("bob}", "bob, account: '777788889999'}").replace("expires: 2026-01-31", "")
    )
    keyed = vendor.replace("{from", "{keys: [trust], externalId: shop-1, from").removesuffix("}")
    (shop / "Pulumi.shop.yaml").write_text(
        CONFIG.replace("  twokeys:doors:\n", f"  twokeys:doors:\n    vendor: {keyed}\n")
    )
    assert said in str(refusal(shop, *arguments))


@pytest.mark.usefixtures("_unpreviewed")
@pytest.mark.parametrize("layout", ["*anchor", "{<<: *anchor}", "'{}'"])
def test_a_layout_that_cannot_be_changed_in_one_place_is_refused(shop: Path, layout: str) -> None:
    head = CONFIG.partition("  twokeys:doors")[0]
    text = f"x: &anchor {FLOW.removeprefix('twokeys:doors: ')}\n{head}  twokeys:doors: {layout}\n"
    if layout == "'{}'":
        text = f"{head}  twokeys:doors: '{json.dumps({'a': 1})}'\n"
    (shop / "Pulumi.shop.yaml").write_text(text)
    refused = refusal(shop, "a", "--for", "2h")
    assert "by hand" in refused.next_step or "no stack's file" in refused.why


@pytest.mark.parametrize(
    ("text", "minutes"), [("2h", 120), ("90m", 90), ("3d", 4320), ("1d12h", 2160), ("1h 30m", 0), ("0h", 0), ("", 0)]
)
def test_how_long_is_said_in_days_hours_and_minutes(text: str, minutes: int) -> None:
    if not minutes:
        with pytest.raises(ValueError, match=f"^{text}$"):
            lasting(text)
    else:
        assert lasting(text) == timedelta(minutes=minutes)


def test_a_door_is_open_for_at_least_as_long_as_it_was_asked_for() -> None:
    assert closing_minute(datetime(2026, 11, 26, 12, 0, 1, tzinfo=UTC)).minute == 1
    assert closing_minute(datetime(2026, 11, 26, 12, 0, tzinfo=UTC)).minute == 0


@pytest.mark.parametrize(("longest", "lasts"), [(7_200, 7_200), (86_400, 14_400)])
def test_somebody_else_comes_from_the_same_account_for_no_longer_than_the_copy_is_open(
    longest: int, lasts: int
) -> None:
    people = {"group": "ops", "members": ["ann"], "account": "tools"}
    source = {"from": people, "to": {"role": "reader"}, "mfa": False, "sessionSeconds": 14_400}
    opening = Opening("fix", datetime(2099, 1, 1, tzinfo=UTC), "r", "reader", "bob")
    entry = opened({"reader": source}, opening, Path("Pulumi.shop.yaml"), longest)
    assert entry["from"] == {"user": "bob", "account": "tools"}
    assert entry["sessionSeconds"] == lasts
    assert "mfa" not in entry


def test_where_no_stack_has_doors_the_next_step_is_the_folder_that_has_them(shop: Path) -> None:
    (shop / "Pulumi.shop.yaml").write_text("config: {aws:region: eu-west-1}\n")
    for copying in ((), ("--from", "other")):
        refused = refusal(shop, "foo", "--for", "2h", *copying)
        assert refused.why == "no stack's file has twokeys:doors"
        assert "--project" in refused.next_step


def test_in_the_clis_shell_the_next_step_is_the_clis_update(shop: Path) -> None:
    name = yaml.safe_load((shop / "Pulumi.yaml").read_text())["name"]
    stacks = shop / ".twokeys" / "pulumi" / "backend" / ".pulumi" / "stacks" / name
    stacks.mkdir(parents=True)
    (stacks / "shop.json").write_text('{"checkpoint": {"latest": {"resources": [{}]}}}')
    assert states_made(shop)
    assert "then pulumi up -s shop, and publish" in _next_step("shop", shop, split=False)


def test_after_a_demo_the_sandbox_is_made_with_the_stacks_that_the_demo_had(shop: Path) -> None:
    stacks = shop / ".twokeys" / "demo" / "stacks"
    stacks.mkdir(parents=True)
    for at, name in enumerate(("management", "apps")):
        (stacks / f"{name}.json").write_text("{}")
        os.utime(stacks / f"{name}.json", (at, at))
    assert "(on the sandbox: twokeys sandbox up management apps shop)" in _next_step("shop", shop, split=False)
