"""`twokeys preflight` against the local AWS, and the local AWS's account quota."""

import json
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import click
import pytest
from click.testing import CliRunner

from tests.organization.existing import Existing
from tests.sandbox.conftest import Run
from twokeys.errors import Refusal
from twokeys.organization.adopt_command import adopt
from twokeys.organization.life.commands import email
from twokeys.organization.preflight_command import preflight


def found(run: CompletedProcess[str]) -> list[dict[str, Any]]:
    assert run.stdout, run.stderr
    return list(json.loads(run.stdout)["findings"])


def failing(run: CompletedProcess[str]) -> dict[str, str]:
    return {one["check"]: one["what"] for one in found(run) if one["status"] == "failure"}


def test_the_projects_own_stacks_pass_before_anything_exists(bare: Existing, twokeys: Run) -> None:
    run = twokeys("preflight", "management", "stage", "prod", "stage", "--json")
    assert failing(run) == {}
    assert run.returncode == 0
    assert not bare.client("organizations").meta.endpoint_url.endswith("amazonaws.com")


def test_everything_that_is_wrong_is_found_in_one_go(anew: Existing, twokeys: Run, project: Path) -> None:
    (project / "Pulumi.lab.yaml").write_text(
        "config:\n"
        '  twokeys:managementAccountId: "111111111111"\n'
        "  twokeys:rootEmail: example@company.com\n"
        "  twokeys:accounts:\n"
        "    gone: {email: gone@company.com, name: Gone}\n"
        f"    invited: {{adopt: '{anew.ids['invited']}', name: Invited, email: invited@company.com}}\n"
        f"    wrong: {{adopt: '{anew.ids['shop']}'}}\n"
        "    new: {organizationalUnit: Nowhere}\n"
    )
    anew.client("service-quotas").request_service_quota_increase(
        ServiceCode="organizations", QuotaCode="L-E619E033", DesiredValue=10
    )
    run = twokeys("preflight", "lab", "--json")
    assert run.returncode == 1
    what = failing(run)
    assert set(what) == {"e-mail", "adopt", "units", "account quota", "access role"}
    assert "CLOSED" in what["e-mail"]
    assert "of 10 there are 0 left" in what["account quota"]
    assert "AccessDenied" in what["access role"]
    shown = twokeys("preflight", "lab", "--no-enter")
    assert shown.returncode == 1
    assert "4 failures" in shown.stdout


@pytest.mark.usefixtures("project")
def test_aws_that_cannot_be_asked_is_refused(twokeys: Run) -> None:
    refused = twokeys("preflight", "stage")
    assert refused.returncode == 1
    assert "Refused: AWS cannot be asked" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("preflight nothing", "there is no Pulumi.nothing.yaml"),
        ("preflight ../shared/cases", "'../shared/cases' as the name of a stack"),
        ("preflight stage --region us-east-11", "write us-east-1, if that is meant"),
        ("adopt --region eu-centrl-1", "write eu-central-1, if that is meant"),
        (f"adopt --out Pulumi.{'x' * 101}.yaml", "--out names a stack's file"),
    ],
)
@pytest.mark.usefixtures("bare")
def test_what_is_not_there_is_refused(twokeys: Run, arguments: str, said: str) -> None:
    assert said in twokeys(*arguments.split()).stderr


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("command", ["preflight stage", "access check --live", "audit --live"])
def test_an_endpoint_that_is_no_address_is_named(twokeys: Run, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLEEXAMPLE00")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "nowhere")
    refused = twokeys(*command.split())
    assert (refused.returncode, "AWS_ENDPOINT_URL" in refused.stderr) == (1, True)


@pytest.mark.parametrize(("command", "arguments"), [(preflight, ["dev"]), (adopt, [])])
def test_the_project_of_another_program_is_refused(
    command: click.Command, arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "Pulumi.yaml").write_text("{name: acme-net, runtime: python}")
    monkeypatch.chdir(tmp_path)
    refused = CliRunner().invoke(command, arguments).exception
    assert isinstance(refused, Refusal)
    assert "its name is acme-net" in refused.why
    assert [one.name for one in tmp_path.iterdir()] == ["Pulumi.yaml"]


def test_an_empty_code_is_refused_before_anything_is_asked() -> None:
    """StartPrimaryEmailUpdate would mail another code: a script's variable may be empty."""
    refused = CliRunner().invoke(email, ["stage", "stage", "new@company.com", "--otp", "", "--yes"])
    assert refused.exit_code == 2
    assert "--otp has no code" in refused.output
