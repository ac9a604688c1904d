"""The two accounts, previewed and really made."""

import json
import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.organization.existing import MANAGEMENT, Existing, deny
from twokeys.organization.adopt_command import adopt
from twokeys.preview.commands import preview
from twokeys.sandbox.commands import sandbox
from twokeys.sandbox.local_aws import LocalAws


@pytest.fixture
def example(tmp_path: Path, project_root: Path) -> Path:
    """The example with a sandbox of its own, as far below the components as it is in the repository."""
    (tmp_path / "components").symlink_to(project_root / "components")
    return Path(shutil.copytree(project_root / "examples/two-accounts", tmp_path / "examples/two-accounts"))


def test_the_program_is_as_short_as_its_page_says(project_root: Path) -> None:
    folder = project_root / "examples/two-accounts"
    lines = [line for line in (folder / "__main__.py").read_text().splitlines() if line]
    assert f"is {len(lines)} lines" in (folder / "README.md").read_text()
    assert len(lines) <= 25


def test_parent_and_child_are_made_and_each_is_entered_by_its_own_provider(example: Path) -> None:
    options = ["dev", "--project", str(example)]
    assert CliRunner().invoke(preview, options, standalone_mode=False).return_value == 0
    try:
        done = CliRunner().invoke(sandbox, ["up", *options, "--json"], standalone_mode=False)
        assert done.return_value == 0, done.output
    finally:
        CliRunner().invoke(sandbox, ["down", "--project", str(example)], standalone_mode=False)
    (told,) = json.loads(done.stdout)
    outputs = told["outputs"]
    assert outputs["parent_account_id"] == "111111111111"
    assert outputs["child_account_id"] != outputs["parent_account_id"]
    role = f"arn:aws:sts::{outputs['child_account_id']}:assumed-role/OrganizationAccountAccessRole/"
    assert outputs["child_caller_arn"].startswith(role)


_ID = re.compile(r"\b(o-[a-z0-9]{10,32}|ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}|p-[0-9a-z]{8,128}|\d{12})\b")


def _make_by_hand(existing: Existing) -> None:
    """Two units with an account each, a policy that is attached to one of them, centralized root access."""
    root, api, iam = existing.begin(), existing.client("organizations"), existing.client("iam")
    api.enable_policy_type(RootId=root, PolicyType="SERVICE_CONTROL_POLICY")
    api.enable_aws_service_access(ServicePrincipal="iam.amazonaws.com")
    iam.enable_organizations_root_credentials_management()
    iam.enable_organizations_root_sessions()
    units = {name: existing.unit(root, name) for name in ("Data", "Shop")}
    for name, unit in units.items():
        existing.account(name.lower(), f"{name.lower()}@company.com", unit)
    leave = deny("organizations:LeaveOrganization")
    existing.policy("nobody-leaves", leave, units["Data"], Description="Nobody leaves")


def _config(file: Path) -> str:
    """What a file says below its first line, which has the time, with ids by number: AWS chooses them."""
    seen: dict[str, str] = {}
    text = file.read_text().partition("\n")[2]
    return _ID.sub(lambda found: seen.setdefault(found[0], f"<{len(seen)}>"), text)


def test_the_config_is_what_adopt_writes(tmp_path: Path, project_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "Pulumi.adopted.yaml"
    with LocalAws.start(tmp_path / "aws") as aws:
        for name, value in aws.environment(MANAGEMENT).items():
            monkeypatch.setenv(name, value)
        _make_by_hand(Existing(aws))
        done = CliRunner().invoke(adopt, ["--out", str(file)])
    assert done.exit_code == 0, done.output
    assert "units: 2, policies: 1, accounts: 2" in done.output
    assert _config(file) == _config(project_root / "examples/taken-over/Pulumi.adopted.yaml")


def test_its_preview_is_without_a_finding(project_root: Path) -> None:
    project = project_root / "examples/taken-over"
    done = CliRunner().invoke(preview, ["adopted", "--project", str(project), "--verbose"], standalone_mode=False)
    assert done.return_value == 0, done.output
    assert done.output.count("+ aws:organizations/account:Account ") == 2
    assert "nothing refused" in done.output
