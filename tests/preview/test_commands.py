"""`twokeys preview`, as it is called."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from twokeys.access.reading.snapshot import STACK, Resource, Snapshot
from twokeys.errors import Refusal
from twokeys.iam import UNKNOWN
from twokeys.preview.commands import preview
from twokeys.preview.program import exported
from twokeys.preview.values import UNKNOWN_TEXT

READER = {"managedPolicies": ["arn:aws:iam::aws:policy/ReadOnlyAccess"]}
DOOR = {"from": {"role": "ci"}, "to": {"role": "deployer"}, "permissions": READER, "reason": "r", "owner": "o"}
HALF = {"half": {**DOOR, "keys": ["trust"]}}


@pytest.fixture
def nothing_updated(monkeypatch: pytest.MonkeyPatch) -> None:
    """The checkout's own sandbox, if it has one, answers nothing."""
    monkeypatch.setattr("twokeys.project.states.states_made", lambda _: [])


@pytest.mark.usefixtures("nothing_updated")
def test_it_says_in_one_line_a_stack_what_was_judged(project_root: Path) -> None:
    done = CliRunner().invoke(preview, ["stage", "prod", "--project", str(project_root)], standalone_mode=False)
    assert done.return_value == 0
    assert "stage: 23 resources, nothing refused" in done.output
    assert "prod: 22 resources, nothing refused" in done.output
    assert done.output.count("stack organization/twokeys/management is not among the stacks whose states were") == 1
    assert "with `--state FILE`" in done.output
    assert "is not deployed" not in done.output, "nobody has looked"


@pytest.mark.usefixtures("programs_in_process", "nothing_updated")
def test_it_exits_with_1_and_says_the_violation_in_the_words_of_the_pack(project_root: Path) -> None:
    arguments = ["stage", "--json", "--project", str(project_root), "--config", f"twokeys:doors={json.dumps(HALF)}"]
    done = CliRunner().invoke(preview, arguments, standalone_mode=False)
    assert done.return_value == 1
    [told] = json.loads(done.stdout)
    assert told["ok"] is False
    assert [one["policy"] for one in told["violations"]] == ["door-needs-grant"]
    assert "Next step:" in told["violations"][0]["message"]


@pytest.mark.usefixtures("programs_in_process", "nothing_updated")
def test_the_configuration_of_the_pack_can_let_a_door_stand(project_root: Path, tmp_path: Path) -> None:
    door = "arn:aws:iam::account:identity:role/ci -> arn:aws:iam::account:stage:role/deployer"
    exception = {"door": door, "reason": "r", "owner": "o", "expires": "2999-01-01"}
    (tmp_path / "pack.json").write_text(json.dumps({"door-needs-grant": {"exceptions": [exception]}}))
    arguments = ["stage", "--project", str(project_root), "--config", f"twokeys:doors={json.dumps(HALF)}"]
    shown = CliRunner().invoke(preview, arguments, standalone_mode=False).output
    assert shown.count("CrossAccountAccess$aws:iam/role:Role::half") == 1
    pack = ["--policy-pack-config", str(tmp_path / "pack.json")]
    assert CliRunner().invoke(preview, [*arguments, *pack], standalone_mode=False).return_value == 0


def acme(folder: Path, config: str, program: str, *options: str) -> Result:
    """`twokeys preview dev` of a project of that config and program."""
    (folder / "Pulumi.yaml").write_text("name: acme\nruntime: python\n")
    (folder / "Pulumi.dev.yaml").write_text(config)
    (folder / "__main__.py").write_text(program)
    return CliRunner().invoke(preview, ["dev", "--project", str(folder), *options], standalone_mode=False)


SECRET_ACCOUNT = """
import json, pulumi, pulumi_aws as aws

target = pulumi.Config().require_secret("target")
hub = aws.Provider("hub", region="us-east-1", allowed_account_ids=["111111111111"])
access = target.apply(lambda id: f"arn:aws:iam::{id}:role/OrganizationAccountAccessRole")
roles = [aws.ProviderAssumeRoleArgs(role_arn=access)]
web = aws.Provider("web", region="us-east-1", allowed_account_ids=[target], assume_roles=roles)


def policy(**statement):
    allowed = {"Effect": "Allow", "Action": "sts:AssumeRole", **statement}
    return json.dumps({"Version": "2012-10-17", "Statement": [allowed]})


def role(name, provider, principal):
    trust = policy(Principal=principal)
    aws.iam.Role(name, name=name, assume_role_policy=trust, opts=pulumi.ResourceOptions(provider=provider))


role("deployer", web, {"AWS": "arn:aws:iam::111111111111:role/ci"})
role("ci", hub, {"Service": "ec2.amazonaws.com"})
grant = target.apply(lambda id: policy(Resource=f"arn:aws:iam::{id}:role/GRANTED"))
aws.iam.RolePolicy("grant", role="ci", policy=grant, opts=pulumi.ResourceOptions(provider=hub))
target.apply(lambda id: pulumi.log.info(f"into {id}"))
"""


@pytest.mark.parametrize("given", [(), ("--config", "target=222222222222")])
def test_a_secret_of_the_config_is_judged_and_not_printed(tmp_path: Path, given: tuple[str, ...]) -> None:
    """As by the engine, which gives the pack what a secret is (`KeepSecrets`), and writes `[secret]` in its messages:
    https://github.com/pulumi/pulumi/blob/v3.274.1/sdk/go/common/resource/plugin/analyzer_plugin.go and
    https://github.com/pulumi/pulumi/blob/v3.274.1/pkg/engine/events.go
    """
    config = "config:\n  acme:target: {secure: v1:abc=:def}\n"
    done = acme(tmp_path, config, SECRET_ACCOUNT.replace("GRANTED", "deployer"), *given)
    assert done.return_value == 0, done.output
    assert "5 resources, nothing refused" in done.output
    assert "into [secret acme:target]" in done.output
    refused = acme(tmp_path, config, SECRET_ACCOUNT.replace("GRANTED", "other"), *given, "--json")
    assert refused.return_value == 1
    (stack,) = json.loads(refused.stdout)
    (found,) = (one for one in stack["violations"] if one["policy"] == "door-needs-grant")
    assert found["door"].endswith("-> arn:aws:iam::[secret acme:target]:role/deployer")
    assert "role/deployer in account [secret acme:target] trusts" in found["message"]
    assert "222222222222" not in refused.stdout


def test_a_secret_of_three_characters_is_hidden_and_a_shorter_one_is_not(tmp_path: Path) -> None:
    """https://github.com/pulumi/pulumi/blob/v3.274.1/sdk/go/common/util/logging/log.go"""
    config = "config:\n  acme:long: {secure: v1:abc=:def}\n  acme:short: {secure: v1:abc=:def}\n"
    program = "import pulumi\n\npulumi.log.info('given ' + ' '.join(map(pulumi.Config().get, ('long', 'short'))))\n"
    done = acme(tmp_path, config, program, "--config", "long=xyz", "--config", "short=pq")
    assert "given [secret acme:long] pq" in done.output


HUB_AND_DEV = """
import pulumi

if pulumi.get_stack() == "hub":
    pulumi.export("who", pulumi.Config().require("who"))
    pulumi.export("key", pulumi.Output.secret("hidden"))
else:
    outputs = pulumi.StackReference("organization/acme/hub").outputs
    outputs["who"].apply(lambda who: pulumi.log.info(f"from {who}"))
    outputs.apply(lambda all: pulumi.log.info(f"from {all['key']}"))
"""


def test_what_the_previews_of_others_export_is_what_a_stack_reads_in_any_order(tmp_path: Path) -> None:
    """A group and a door from it come in one change: the state of the first stack does not have the group yet."""
    stack = {"urn": "urn:pulumi:hub::acme::pulumi:pulumi:Stack::acme-hub", "type": "pulumi:pulumi:Stack"}
    deployment = {"resources": [{**stack, "custom": False, "outputs": {"who": "alice", "key": "old"}}]}
    (tmp_path / "hub.json").write_text(json.dumps({"version": 3, "deployment": deployment}))
    (tmp_path / "Pulumi.hub.yaml").write_text("config: {acme:who: carol}\n")
    given = ("--state", str(tmp_path / "hub.json"))
    assert "from alice" in acme(tmp_path, "config: {}\n", HUB_AND_DEV, *given).output
    for order in (["hub", "dev"], ["dev", "hub"]):
        both = CliRunner().invoke(preview, [*order, "--project", str(tmp_path), *given], standalone_mode=False)
        assert "from carol" in both.output
        assert "from alice" not in both.output
        assert "read: the outputs of hub" not in both.output
        assert "hidden" not in both.output, "unknown, as in a state"


ONE_KEY_EACH = """
import json, pulumi, pulumi_aws as aws

def document(**said):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", **said}]})

hub, dev = "111111111111", "222222222222"
mine = hub if pulumi.get_stack() == "hub" else dev
own = pulumi.ResourceOptions(provider=aws.Provider("own", allowed_account_ids=[mine], region="eu-west-1"))
trusts = document(Principal={"AWS": f"arn:aws:iam::{hub}:role/ci"})
grants = document(Resource=f"arn:aws:iam::{dev}:role/deployer")
if mine == hub:
    service = document(Principal={"Service": "ec2.amazonaws.com"})
    ci = aws.iam.Role("ci", name="ci", assume_role_policy=service, opts=own)
    aws.iam.RolePolicy("enter", role=ci.name, policy=grants, opts=own)
else:
    aws.iam.Role("deployer", name="deployer", assume_role_policy=trusts, opts=own)
"""


def test_a_key_that_a_stack_lacks_may_be_in_the_preview_of_another_one_in_any_order(tmp_path: Path) -> None:
    """Neither has a state before its first update, and each was refused for the want of the other's key."""
    (tmp_path / "Pulumi.hub.yaml").write_text("config: {}\n")
    alone = acme(tmp_path, "config: {}\n", ONE_KEY_EACH)
    assert (alone.return_value, "`twokeys preview` takes both stacks" in alone.output) == (1, True)
    for order in (["hub", "dev"], ["dev", "hub"]):
        both = CliRunner().invoke(preview, [*order, "--project", str(tmp_path)], standalone_mode=False)
        assert both.return_value == 0, both.output


REFUSED_IN_DEV = """
import json, pulumi, pulumi_aws as aws

if pulumi.get_stack() == "dev":
    trust = {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}
    aws.iam.Role("open", assume_role_policy=json.dumps({"Version": "2012-10-17", "Statement": [trust]}))
"""


def test_one_stack_that_is_refused_is_enough_to_exit_with_1(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.other.yaml").write_text("config: {}\n")
    assert acme(tmp_path, "config: {}\n", REFUSED_IN_DEV).return_value == 1
    for stacks, code in ((["other"], 0), (["dev", "other"], 1), (["other", "dev"], 1)):
        done = CliRunner().invoke(preview, [*stacks, "--project", str(tmp_path)], standalone_mode=False)
        assert done.return_value == code, done.output


def test_what_a_preview_does_not_know_yet_is_as_it_was_to_the_stack_that_reads_it() -> None:
    stack = Resource(
        "urn:pulumi:hub::acme::pulumi:pulumi:Stack::s",
        STACK,
        "s",
        outputs={"ids": {"a": UNKNOWN, "b": "new", "c": UNKNOWN}},
    )
    ids = {"a": "old", "b": "new", "c": UNKNOWN_TEXT}
    assert exported(Snapshot(resources=(stack,)), {"ids": {"a": "old", "b": "old"}}) == {"ids": ids}


def test_a_program_that_refuses_a_secret_does_not_print_it(tmp_path: Path) -> None:
    program = "import pulumi\nraise ValueError(pulumi.Config().require('target'))\n"
    done = acme(tmp_path, "config:\n  acme:target: {secure: v1:abc=:def}\n", program)
    assert isinstance(done.exception, Refusal)
    assert "ValueError: [secret acme:target]" in str(done.exception)


def test_that_an_environment_of_pulumi_esc_is_not_read_is_said(tmp_path: Path) -> None:
    """https://www.pulumi.com/docs/esc/integrations/infrastructure/pulumi-iac/"""
    done = acme(tmp_path, "environment: [acme/dev]\n", "")
    assert done.return_value == 0, done.exception
    assert "Pulumi.dev.yaml names an environment of Pulumi ESC" in done.output


def test_what_to_do_about_a_protected_account_that_left_the_program_is_said(tmp_path: Path) -> None:
    """The engine refuses to delete it before a stack policy is asked (CLI 3.274.1), and proposes to unprotect it.

    https://www.pulumi.com/docs/iac/concepts/options/protect/
    """
    urn = "urn:pulumi:dev::acme::aws:organizations/account:Account::web"
    account = {"urn": urn, "type": "aws:organizations/account:Account", "custom": True, "id": "222222222222"}
    deployment = {"resources": [{**account, "protect": True, "inputs": {"name": "web", "email": "web@example.com"}}]}
    (tmp_path / "dev.json").write_text(json.dumps({"version": 3, "deployment": deployment}))
    config, given = "config: {}\n", ("--state", str(tmp_path / "dev.json"))
    said = " ".join(acme(tmp_path, config, "", *given).output.split())
    assert "account web is in the state and protected, and not in the program" in said
    assert 'leave its entry in config with `state: closed` and `adopt: "222222222222"`' in said
    kept = (
        "import pulumi, pulumi_aws as aws\n"
        "aws.organizations.Account('www', email='web@example.com', opts=pulumi.ResourceOptions(protect=True))\n"
    )
    assert "in the state and protected" not in acme(tmp_path, config, kept, *given).output, "it has an alias"
    (made := tmp_path / ".twokeys" / "stacks").mkdir(parents=True)
    (tmp_path / "dev.json").rename(made / "dev.json")
    assert "in the state and protected" in acme(tmp_path, config, "").output, "the state that the sandbox wrote"


@pytest.mark.parametrize(
    ("name", "made", "refusal"), [("ci", 1, ""), ("cii", 1, "cii"), ("ci", 0, "wait for the update to end")]
)
def test_a_stack_reference_is_answered_from_the_state_of_the_sandbox(
    tmp_path: Path, name: str, made: int, refusal: str
) -> None:
    program = (
        "import pulumi\n"
        "roles = pulumi.StackReference('organization/acme/hub').require_output('roles')\n"
        f"roles.apply(lambda roles: roles[{name!r}])\n"
    )
    stack = "pulumi:pulumi:Stack"
    urn = f"urn:pulumi:hub::acme::{stack}::acme-hub"
    hub = {"urn": urn, "type": stack, "custom": False, "outputs": {"roles": {"ci": "arn"}}}
    state = tmp_path / ".twokeys" / "stacks" / "hub.json"
    state.parent.mkdir(parents=True)
    state.write_text(json.dumps({"version": 3, "deployment": {"resources": [hub] * made}}))
    done = acme(tmp_path, "config: {}\n", program)
    assert (done.return_value == 0) == (not refusal)
    if not refusal:
        first = f"read: the outputs of hub in {os.path.relpath(state.parent)}"
        assert [line for line in done.output.splitlines() if "read" in line] == [first], "one line says it"
    else:
        assert refusal in str(done.exception)


@pytest.mark.parametrize("account", ["123", "12345678901a", "١٢٣٤٥٦٧٨٩٠١٢"])
def test_an_account_that_is_none_is_refused(project_root: Path, account: str) -> None:
    done = CliRunner().invoke(preview, ["stage", "--project", str(project_root), "--account", account])
    assert done.exit_code == 2
    assert "12 digits" in done.output


def test_a_stack_without_a_file_is_refused(project_root: Path) -> None:
    done = CliRunner().invoke(preview, ["nope", "--project", str(project_root)])
    assert isinstance(done.exception, Refusal)
    assert "Pulumi.nope.yaml" in done.exception.where


def test_a_program_that_refuses_its_config_names_the_line(tmp_path: Path) -> None:
    program = "from components.stack_config import stack_settings\nstack_settings()\n"
    done = acme(tmp_path, "config:\n  twokeys:rootEmail: me@company.com\n  twokeys:regoin: eu-west-1\n", program)
    assert isinstance(done.exception, Refusal)
    assert "- twokeys:regoin = eu-west-1: there is no such setting" in done.exception.why
