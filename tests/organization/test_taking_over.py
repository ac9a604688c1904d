"""A whole organization that somebody else made becomes a stack, and nothing in AWS changes by it.

https://www.pulumi.com/docs/iac/concepts/resources/options/import/: an import fails or shows a change unless what is
declared is what is there, so `imports only` is the proof that the config says everything.
"""

from __future__ import annotations

import json
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
import yaml

from tests.organization.existing import Existing, deny
from tests.sandbox.conftest import Run


def steps(run: CompletedProcess[str]) -> list[tuple[str, str, str]]:
    """(operation, type, name) of each step that does something."""
    assert run.returncode == 0, run.stdout + run.stderr
    shown = json.loads(run.stdout)
    return [
        (step["op"], step["type"], step["urn"].rpartition("::")[2]) for step in shown["steps"] if step["op"] != "same"
    ]


def touching_aws(found: list[tuple[str, str, str]]) -> set[str]:
    """Operations on what is in AWS; providers and components are in the state only."""
    return {op for op, type, _ in found if type.startswith("aws:")}


def names(found: list[tuple[str, str, str]], type: str) -> set[str]:
    return {name for op, its, name in found if its == type and op == "import"}


def without_adopt(value: Any) -> Any:
    """Config with nothing of adopting left, but in the accounts of one name: only what exists may share a name."""
    if isinstance(value, dict):
        if value.get("name") == "Same name":
            return value
        kept = {key: without_adopt(inner) for key, inner in value.items() if key not in ("adopt", "attached")}
        return {key: True if inner == "adopt" else inner for key, inner in kept.items()}
    return value


def test_an_organization_is_imported_whole_and_aws_stays_as_it_is(
    existing: Existing, adopt: Run, twokeys: Run, project: Path
) -> None:
    before = existing.live()
    assert adopt().returncode == 0

    previewed = steps(twokeys("sandbox", "preview", "adopted", "--json"))
    assert touching_aws(previewed) == {"import"}
    assert len(names(previewed, "aws:organizations/organizationalUnit:OrganizationalUnit")) == 8
    assert len(names(previewed, "aws:organizations/account:Account")) == 7
    assert len(names(previewed, "aws:organizations/policy:Policy")) == 4
    assert len(names(previewed, "aws:organizations/policyAttachment:PolicyAttachment")) == 1 + 4 + 2
    assert len(names(previewed, "aws:organizations/delegatedAdministrator:DelegatedAdministrator")) == 3
    assert names(previewed, "aws:iam/organizationsFeatures:OrganizationsFeatures") == {"organization"}
    assert existing.live() == before

    assert touching_aws(steps(twokeys("sandbox", "up", "adopted", "--skip-preview", "--json"))) == {"import"}
    assert existing.live() == before
    assert steps(twokeys("sandbox", "preview", "adopted", "--json")) == []

    file = project / "Pulumi.adopted.yaml"
    config = yaml.safe_load(file.read_text())
    file.write_text(yaml.safe_dump(without_adopt(config)))
    assert steps(twokeys("sandbox", "up", "adopted", "--skip-preview", "--json")) == []
    assert existing.live() == before


def test_accounts_get_stacks_of_their_own_by_unit_or_by_tag(existing: Existing, adopt: Run, twokeys: Run) -> None:
    before = existing.live()
    written = json.loads(adopt("--environment-by", "ou", "--out", "Pulumi.whole.yaml", "--json").stdout)["stacks"]
    assert {one["stack"]: one["accounts"] for one in written} == {
        "whole": 3,  # those in the root
        "r-d-gr-e-100": 2,
        "workloads-web-prod": 1,
        "workloads-web-prod-blue-deep": 1,
    }
    for stack in ("whole", "workloads-web-prod"):
        assert touching_aws(steps(twokeys("sandbox", "up", stack, "--skip-preview", "--json"))) == {"import"}
        assert steps(twokeys("sandbox", "preview", stack, "--json")) == []
    assert existing.live() == before

    written = json.loads(adopt("--environment-by", "tag:environment", "--yes", "--json").stdout)["stacks"]
    assert {one["stack"]: one["accounts"] for one in written} == {"adopted": 6, "prod": 1}


@pytest.mark.usefixtures("existing")
def test_a_file_that_exists_is_replaced_only_when_that_is_said(adopt: Run, project: Path) -> None:
    file = project / "Pulumi.adopted.yaml"
    file.write_text("mine")
    refused = adopt("--no-enter")
    assert refused.returncode == 1
    assert "files are not replaced unasked" in refused.stderr
    assert file.read_text() == "mine"
    assert adopt("--no-enter", "--yes").returncode == 0
    assert "adopt: o-" in file.read_text()


def test_accounts_that_cannot_be_managed_are_left_out_and_the_reason_said(
    existing: Existing, adopt: Run, project: Path
) -> None:
    left = {one["what"]: one for one in json.loads(adopt("--json").stdout)["leftOut"]}
    suspended = left[f"account {existing.ids['suspended']} (Gone)"]
    # https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-closing.html: 90 days
    assert "CLOSED" in suspended["why"]
    assert "90 days" in suspended["nextStep"]
    invited = left[f"account {existing.ids['invited']} (Invited)"]
    assert "AccessDenied" in invited["why"]
    # https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_create-cross-account-role.html
    assert '"AWS": "arn:aws:iam::111111111111:root"' in invited["nextStep"]
    text = (project / "Pulumi.adopted.yaml").read_text()
    assert f"# Not taken over: account {existing.ids['invited']}" in text
    assert existing.ids["invited"] not in yaml.safe_dump(yaml.safe_load(text))


def test_another_access_role_opens_accounts_that_have_no_usual_one(
    existing: Existing, adopt: Run, project: Path
) -> None:
    trust = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111111111111:root"}, "Action": "sts:AssumeRole"}
    existing.client("iam", existing.ids["invited"]).create_role(
        RoleName="Vendor", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )
    adopt("--access-role", "OrganizationAccountAccessRole", "--access-role", "Vendor")
    accounts = yaml.safe_load((project / "Pulumi.adopted.yaml").read_text())["config"]["twokeys:accounts"]
    assert accounts["invited"]["access"] == {"role": "Vendor"}
    assert "access" not in accounts["shop"]


@pytest.mark.parametrize("account", ["222222222222", "member"])
def test_what_is_no_management_account_is_refused(
    existing: Existing, account: str, adopt: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", existing.ids["shop"] if account == "member" else account)
    refused = adopt()
    assert refused.returncode == 1
    expected = "a member account cannot" if account == "member" else "there is no organization to take over"
    assert f"Refused: {expected}" in refused.stderr
    assert not (project / "Pulumi.adopted.yaml").exists()


def test_a_missing_permission_is_named_and_nothing_is_written(
    existing: Existing, adopt: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    iam = existing.client("iam")
    iam.create_user(UserName="clerk")
    allowed = ["organizations:Describe*", "organizations:ListRoots", "organizations:ListOrganizationalUnitsForParent"]
    statement = {"Effect": "Allow", "Action": allowed, "Resource": "*"}
    iam.put_user_policy(
        UserName="clerk",
        PolicyName="some",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
    key = iam.create_access_key(UserName="clerk")["AccessKey"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
    refused = adopt()
    assert refused.returncode == 1
    assert "organizations:ListAccountsForParent" in refused.stderr
    assert "organizations:ListRoots" not in refused.stderr
    assert not (project / "Pulumi.adopted.yaml").exists()


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_three_hundred_accounts_are_taken_over_unchanged(bare: Existing, adopt: Run, twokeys: Run) -> None:
    root = bare.begin()
    bare.client("organizations").enable_policy_type(RootId=root, PolicyType="SERVICE_CONTROL_POLICY")
    units = [bare.unit(root, f"Unit {number}") for number in range(10)]
    for number in range(300):
        bare.account(f"Account {number}", f"account-{number}@company.com", units[number % 10])
    for number, unit in enumerate(units):
        bare.policy(f"policy {number}", deny("s3:*"), unit)
    before = bare.live()
    assert adopt().returncode == 0
    assert touching_aws(steps(twokeys("sandbox", "up", "adopted", "--skip-preview", "--json", timeout=1800))) == {
        "import"
    }
    assert steps(twokeys("sandbox", "preview", "adopted", "--json", timeout=1800)) == []
    assert bare.live() == before
