"""`twokeys verify` as its user meets it: on the sandbox, and with credentials of one's own as on real AWS."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.access.world import MFA, World, arn, document, grants, trusts
from tests.verify.conftest import ALICE, CI, DEPLOYER, DEVELOPER, HUB, PARTNER, STACKS, STAGE, exported, trust_in
from twokeys.errors import Refusal
from twokeys.sandbox.local_aws import LocalAws
from twokeys.sandbox.probes import probe
from twokeys.sandbox.verify_command import verify
from twokeys.verify.attempts import Keys
from twokeys.verify.doors import exports

KeysOf = Callable[[str], Keys]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(verify, [*arguments, "--rate", "50"], standalone_mode=False)


def probes(result: Result) -> dict[str, dict[str, Any]]:
    assert result.exception is None, result.exception
    return {one["name"]: one for one in json.loads(result.stdout)["probes"]}


@pytest.fixture
def outputs(tmp_path: Path) -> list[str]:
    """The options that name what `pulumi stack output --json` wrote of each stack."""
    for name, told in STACKS.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(told))
    return [option for name in STACKS for option in ("--state", str(tmp_path / f"{name}.json"))]


@pytest.fixture
def signed_in(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> Callable[[Keys], None]:
    def sign_in(keys: Keys) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", keys.access)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", keys.secret)

    return sign_in


@pytest.fixture
def sandbox(aws: LocalAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder whose sandbox has the stacks, and whose local AWS is the one that runs."""
    monkeypatch.chdir(tmp_path)
    stacks = tmp_path / ".twokeys" / "stacks"
    stacks.mkdir(parents=True)
    (tmp_path / ".twokeys" / "aws").symlink_to(aws.directory)
    for name, told in STACKS.items():
        stack = {
            "urn": f"urn:pulumi:{name}::twokeys::pulumi:pulumi:Stack::twokeys-{name}",
            "type": "pulumi:pulumi:Stack",
            "outputs": {"parent_account_id": HUB, **told},
        }
        (stacks / f"{name}.json").write_text(json.dumps({"version": 3, "deployment": {"resources": [stack]}}))
    return tmp_path


@pytest.mark.usefixtures("sandbox")
def test_on_the_sandbox_each_door_is_tried_by_its_own_caller_and_nothing_is_left_behind(aws: LocalAws) -> None:
    result = run("--json")
    found = probes(result)
    assert result.return_value == 0
    assert found["role ci enters by door stage-deployer"]["happened"] == "assumed"
    assert found["alice of group people enters by door stage-developer"]["happened"] == "assumed"
    assert found["alice of group people tries door stage-developer without MFA"]["happened"] == "refused"
    assert found["user alice tries door stage-partner with a wrong external ID"]["happened"] == "refused"
    assert found["the administrator of stage tries door prod-reader"]["happened"] == "refused"
    office = found["user alice enters by door stage-office"]
    assert (office["asExpected"], office["detail"]) == (None, "needs aws:SourceIp IpAddress 203.0.113.0/24")
    iam = aws.client("iam", HUB)
    assert {user["UserName"] for user in iam.list_users()["Users"]} == {"alice", "bob"}
    assert iam.list_access_keys(UserName="alice")["AccessKeyMetadata"] == []


@pytest.mark.usefixtures("sandbox")
def test_one_stack_is_verified_also_from_inside_the_others() -> None:
    result = run("stage", "--json")
    found = probes(result)
    assert result.return_value == 0
    assert {one["target"]["account"] for one in found.values()} == {"222222222222"}
    assert found["the administrator of prod tries the access role of stage"]["happened"] == "refused"
    assert "the management account's administrator enters prod by its access role" not in found


def test_a_role_that_only_others_enter_is_to_be_tried_from_there(aws: LocalAws) -> None:
    """https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html"""
    provider = {"Federated": arn(HUB, "oidc-provider/token.actions.githubusercontent.com")}
    trust = document({**trusts(), "Principal": provider, "Action": "sts:AssumeRoleWithWebIdentity"})
    aws.client("iam", HUB).create_role(RoleName="pipeline", AssumeRolePolicyDocument=trust)
    door = exported("stage-pipeline", ("role", "pipeline"), DEPLOYER, trust_in(arn(HUB, "role/pipeline")))
    entering, _ = probe(aws, exports({"stage": {"parent_account_id": HUB, "doors": [door]}}))
    assert (entering.probed, entering.elsewhere, entering.failed) == (False, True, False)
    assert entering.detail.startswith("only whom its trust policy names enters role pipeline")
    assert "workflow of GitHub Actions" in (entering.next_step or "")
    vendor = "777788889999"
    door = exported("stage-vendor", ("role", "scanner"), DEPLOYER, trust_in(arn(vendor, "role/scanner")))
    door["door"]["source"]["account"] = vendor
    entering, _ = probe(aws, exports({"stage": {"parent_account_id": HUB, "doors": [door]}}))
    assert (entering.elsewhere, entering.detail) == (True, f"its account {vendor} is another company's")


REGIONS = {"StringNotEquals": {"aws:RequestedRegion": ["eu-central-1", "us-east-1"]}}
PERIMETER = {"NotIpAddressIfExists": {"aws:SourceIp": "203.0.113.0/24"}, "BoolIfExists": {"aws:ViaAWSService": "false"}}
BUT_CI = {"ArnNotLike": {"aws:PrincipalArn": CI}}
SHUT, ON_AWS = "NOT as expected", "on AWS only under conditions: RCP r at"


def deny(world: World, target: str, condition: dict[str, Any]) -> None:
    """A resource control policy that denies entering under a condition."""
    denying = {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole", "Resource": "*", "Condition": condition}
    said = {"arn": "arn:aws:organizations::1:policy/o-1/p-r", "type": "RESOURCE_CONTROL_POLICY"}
    world.add("ControlPolicy", "r", world.hub, **said, content=document(denying))
    world.add("ControlPolicyAttachment", "r", world.hub, policyId="p-r", targetId=target)


def add_to_the_state_of_stage(sandbox: Path, world: World) -> None:
    file = sandbox / ".twokeys" / "stacks" / "stage.json"
    state = json.loads(file.read_text())
    kept = ("urn", "type", "inputs", "outputs")
    for one in world.resources:
        provider = f"{one.provider}::id" if one.provider else ""
        state["deployment"]["resources"].append(
            {key: getattr(one, key) for key in kept}
            | {"provider": provider, "custom": True, "id": (one.text("arn") or one.name).rpartition("/")[2]}
        )
    file.write_text(json.dumps(state))


@pytest.mark.parametrize(
    ("target", "condition", "judged", "detail"),
    [
        (STAGE, {}, SHUT, f"AWS refuses it: RCP r at account stage ({STAGE}) denies it"),
        ("ou-ab12-00000002", {}, SHUT, "AWS refuses it: RCP r at unit Workloads/Stage denies it"),
        ("ou-ab12-00000001", {}, SHUT, "AWS refuses it: RCP r at unit Workloads denies it"),
        ("r-ab12", {}, SHUT, "AWS refuses it: RCP r at the root denies it"),
        (
            "ou-ab12-00000001",
            REGIONS,
            "conditional",
            f"{ON_AWS} unit Workloads denies it if aws:RequestedRegion StringNotEquals (eu-central-1 or us-east-1)",
        ),
        (STAGE, PERIMETER, "conditional", f"{ON_AWS} account stage ({STAGE}) denies it if"),
        (STAGE, BUT_CI, "as expected", "arn:aws:sts::"),
        (STAGE, REGIONS | BUT_CI, "as expected", "arn:aws:sts::"),
    ],
)
def test_what_control_policies_shut_is_not_as_expected_and_what_they_narrow_is_conditional(
    sandbox: Path, target: str, condition: dict[str, Any], judged: str, detail: str
) -> None:
    """The local AWS lets in. A state keeps the ids of units outside their outputs.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
    """
    world = World()
    units = {"Workloads": "r-ab12", "Stage": "ou-ab12-00000001"}
    for place, (name, parent) in enumerate(units.items(), 1):
        of = f"arn:aws:organizations::{HUB}:ou/o-a1b2c3d4e5/ou-ab12-0000000{place}"
        world.add("OrganizationalUnit", name, world.hub, name=name, parentId=parent, arn=of)
    of = f"arn:aws:organizations::{HUB}:account/o-a1b2c3d4e5/{STAGE}"
    world.add("Account", "stage", world.hub, name="stage", parentId="ou-ab12-00000002", arn=of)
    world.role("ci", world.hub)
    world.grant("ci", world.hub, DEPLOYER)
    world.role("deployer", world.stage, document(trusts(CI)))
    deny(world, target, condition)
    add_to_the_state_of_stage(sandbox, world)
    result = run("stage", "--json")
    found = probes(result)
    one = found["role ci enters by door stage-deployer"]
    step = "narrow that Deny, or take the door out" if judged == SHUT else None
    assert (result.return_value, one["nextStep"]) == (1 if step else 0, step)
    assert (one["asExpected"], one["conditional"]) == (judged != SHUT, judged == "conditional")
    assert one["detail"].startswith(detail)
    assert found["alice of group people enters by door stage-developer"]["asExpected"]
    shown = " ".join(run("stage").output.split())
    assert ("1 of them only under conditions on AWS" in shown) == (judged == "conditional")
    assert (f"{judged}: role ci enters by door stage-deployer" in shown) == (judged != "as expected")


def test_a_control_policy_that_asks_for_mfa_is_met_by_who_brings_it_and_a_condition_for_who_does_not(
    sandbox: Path,
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-multifactorauthpresent"""
    world = World()
    world.add("User", "alice", world.hub, name="alice", arn=ALICE)
    enter = document(grants(DEVELOPER, PARTNER))
    world.add("UserPolicy", "enter", world.hub, user="alice", name="enter", policy=enter)
    world.role("developer", world.stage, document(trusts(ALICE, condition=MFA)))
    world.role("partner", world.stage, document(trusts(ALICE)))
    deny(world, STAGE, {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}})
    add_to_the_state_of_stage(sandbox, world)
    found = probes(run("stage", "--json"))
    entered = [
        found["alice of group people enters by door stage-developer"],
        found["user alice enters by door stage-partner"],
    ]
    assert [(one["asExpected"], one["conditional"]) for one in entered] == [(True, False), (True, True)]
    assert "aws:MultiFactorAuthPresent" in entered[1]["detail"]


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ("management", "there is nothing to verify"),
        ("dev", "there is no state of stack dev"),
        (f"--state {__file__}", "this is neither a file of doors"),
    ],
)
@pytest.mark.usefixtures("sandbox")
def test_what_cannot_be_verified_is_refused(words: str, what: str) -> None:
    refused = run(*words.split()).exception
    assert isinstance(refused, Refusal)
    assert what in refused.what


def test_on_real_aws_your_own_credentials_try_each_door(
    outputs: list[str], signed_in: Callable[[Keys], None], keys_of: KeysOf
) -> None:
    signed_in(keys_of("alice"))
    result = run(*outputs)
    assert result.return_value == 0, result.output
    assert "not probed: role ci of account 111111111111 enters by door stage-deployer" in result.output
    assert "Next step: run this with the credentials of role ci of account 111111111111." in result.output
    text = " ".join(result.output.split())
    assert text.startswith("5 of 5 probes went as expected: 1 let in, 4 refused; 7 not probed: these credentials are")
    assert "; needs aws:SourceIp IpAddress 203.0.113.0/24" in text


def test_without_credentials_it_is_refused(outputs: list[str]) -> None:
    refused = run(*outputs).exception
    assert isinstance(refused, Refusal)
    assert "--profile" in refused.next_step


def test_credentials_that_aws_does_not_know_are_refused(outputs: list[str], signed_in: Callable[[Keys], None]) -> None:
    signed_in(Keys("AKIAIOSFODNN7EXAMPLE", "wrong"))
    result = run(*outputs)
    assert isinstance(result.exception, Refusal), result.output


def test_options_of_real_aws_are_not_for_the_sandbox(outputs: list[str]) -> None:
    assert "real AWS" in str(run("--profile", "x").exception)
    assert "not both" in str(run("stage", *outputs).exception)


def test_a_correct_deployment_whose_doors_all_lead_through_identity_center_does_not_fail(
    tmp_path: Path, signed_in: Callable[[Keys], None], keys_of: KeysOf
) -> None:
    """Its roles are entered at the access portal, not with keys.

    https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html
    """
    door = {
        "name": "stage-developer",
        "source": {"kind": "identity-center-group", "account": HUB, "names": ["developers"]},
        "target": {"account": STAGE, "role": "aws-reserved/sso.amazonaws.com/AWSReservedSSO_stage-developer"},
    }
    outputs = {"parent_account_id": HUB, "doors": [{"name": "stage-developer", "door": door, "documents": []}]}
    (tmp_path / "stage.json").write_text(json.dumps(outputs))
    signed_in(keys_of("alice"))
    result = run("--state", str(tmp_path / "stage.json"), "--json")
    assert result.return_value == 0
    ((name, probe),) = probes(result).items()
    assert name == "Identity Center group developers enters by door stage-developer"
    assert probe["happened"] == "not probed"
    assert "aws sso login" in probe["nextStep"]
    nan = CliRunner().invoke(verify, [*outputs, "--rate", "nan"], standalone_mode=False)
    assert "no number of calls" in str(nan.exception)
