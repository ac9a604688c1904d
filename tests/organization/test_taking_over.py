"""A whole organization that somebody else made becomes a stack, and nothing in AWS changes by it.

https://www.pulumi.com/docs/iac/concepts/resources/options/import/: an import fails or shows a change unless what is
declared is what is there, so `imports only` is the proof that the config says everything.
"""

import json
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import yaml

from tests.organization.existing import Existing, deny
from tests.sandbox.conftest import Run

pytestmark = pytest.mark.usefixtures("programs_in_process")
Imported = list[tuple[bool, str, str]]


def taken(run: CompletedProcess[str], project: Path, stack: str) -> Imported:
    """(whether it was imported, type, name) of each resource of AWS that is in the state after an update."""
    assert run.returncode == 0, run.stdout + run.stderr
    state = json.loads((project / ".twokeys" / "stacks" / f"{stack}.json").read_text())
    resources = state["deployment"]["resources"]
    of_aws = [one for one in resources if one["type"].startswith("aws:")]
    return [("importID" in one, one["type"], one["urn"].rpartition("::")[2]) for one in of_aws]


def names(found: Imported, type: str) -> set[str]:
    return {name for imported, its, name in found if its == type and imported}


def test_an_organization_is_imported_whole_and_aws_stays_as_it_is(
    existing: Existing, adopt: Run, twokeys: Run, project: Path
) -> None:
    before = existing.live()
    assert adopt().returncode == 0

    found = taken(twokeys("sandbox", "up", "adopted"), project, "adopted")
    assert all(imported for imported, _, _ in found)
    assert len(names(found, "aws:organizations/organizationalUnit:OrganizationalUnit")) == 8
    assert len(names(found, "aws:organizations/account:Account")) == 7
    assert len(names(found, "aws:organizations/policy:Policy")) == 4
    assert len(names(found, "aws:organizations/policyAttachment:PolicyAttachment")) == 1 + 4 + 2
    assert len(names(found, "aws:organizations/delegatedAdministrator:DelegatedAdministrator")) == 3
    assert names(found, "aws:iam/organizationsFeatures:OrganizationsFeatures") == {"organization"}
    assert existing.live() == before


def test_an_import_that_is_not_what_the_config_says_is_refused(anew: Existing, adopt: Run, twokeys: Run) -> None:
    assert adopt().returncode == 0
    organizations = anew.client("organizations")
    root = organizations.list_roots()["Roots"][0]["Id"]
    unit = organizations.list_organizational_units_for_parent(ParentId=root)["OrganizationalUnits"][0]
    organizations.update_organizational_unit(OrganizationalUnitId=unit["Id"], Name="Renamed since")
    refused = twokeys("sandbox", "up", "adopted")
    assert refused.returncode == 1
    assert "inputs to import do not match the existing resource" in refused.stdout
    assert f"{unit['Id']}: name differ" in refused.stdout


def test_accounts_get_stacks_of_their_own_by_unit_or_by_tag(
    existing: Existing, adopt: Run, twokeys: Run, project: Path
) -> None:
    before = existing.live()
    written = json.loads(adopt("--environment-by", "ou", "--out", "Pulumi.whole.yaml", "--json").stdout)["stacks"]
    assert {one["stack"]: one["accounts"] for one in written} == {
        "whole": 3,  # those in the root
        "r-d-gr-e-100": 2,
        "workloads-web-prod": 1,
        "workloads-web-prod-blue-deep": 1,
    }
    for stack in ("whole", "workloads-web-prod"):
        found = taken(twokeys("sandbox", "up", stack), project, stack)
        assert all(imported for imported, _, _ in found)
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
    assert "or say --yes" in refused.stderr
    assert file.read_text() == "mine"
    (project / "Pulumi.example.yaml").write_text("config: {}\n")
    done = adopt("--no-enter", "--yes")
    assert done.returncode == 0
    assert "Remove those that came as examples" in done.stdout
    said = done.stdout.partition("came as examples")[2]
    assert "Pulumi.example.yaml" in said
    assert "; to rehearse on a local AWS, leave all as it is and go on." in said
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


def test_another_access_role_opens_accounts_that_have_no_usual_one(anew: Existing, adopt: Run, project: Path) -> None:
    trust = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111111111111:root"}, "Action": "sts:AssumeRole"}
    anew.client("iam", anew.ids["invited"]).create_role(
        RoleName="Vendor", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )
    adopt("--access-role", "OrganizationAccountAccessRole", "--access-role", "Vendor")
    accounts = yaml.safe_load((project / "Pulumi.adopted.yaml").read_text())["config"]["twokeys:accounts"]
    assert accounts["invited"]["access"] == {"role": "Vendor"}
    assert "access" not in accounts["shop"]
    left = json.loads(adopt("--access-role", "Vendor", "--yes", "--json").stdout)["leftOut"]
    assert f"account {anew.ids['shop']} (shop)" in {one["what"] for one in left}, "no other role than the one named"


@pytest.mark.usefixtures("existing")
def test_an_account_without_an_organization_is_refused(
    adopt: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "222222222222")
    refused = adopt()
    assert refused.returncode == 1
    assert "Refused: the organization cannot be taken over" in refused.stderr
    assert not (project / "Pulumi.adopted.yaml").exists()


def test_a_missing_permission_is_named_and_nothing_is_written(
    existing: Existing, adopt: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed = ("Describe*", "ListRoots", "ListOrganizationalUnitsForParent")
    key = existing.clerk(*(f"organizations:{action}" for action in allowed))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key.access)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key.secret)
    refused = adopt()
    assert refused.returncode == 1
    assert "organizations:ListAccountsForParent" in refused.stderr
    assert "organizations:ListRoots" not in refused.stderr
    assert not (project / "Pulumi.adopted.yaml").exists()


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_three_hundred_accounts_are_taken_over_unchanged(
    bare: Existing, adopt: Run, twokeys: Run, project: Path
) -> None:
    root = bare.begin()
    bare.client("organizations").enable_policy_type(RootId=root, PolicyType="SERVICE_CONTROL_POLICY")
    units = [bare.unit(root, f"Unit {number}") for number in range(10)]
    for number in range(300):
        bare.account(f"Account {number}", f"account-{number}@company.com", units[number % 10])
    for number, unit in enumerate(units):
        bare.policy(f"policy {number}", deny("s3:*"), unit)
    before = bare.live()
    assert adopt().returncode == 0
    found = taken(twokeys("sandbox", "up", "adopted", timeout=1800), project, "adopted")
    assert all(imported for imported, _, _ in found)
    assert bare.live() == before


@pytest.mark.parametrize("role", ["", "a b", "r" * 65])
def test_a_name_that_no_role_can_have_is_a_usage_error_before_aws_is_asked(adopt: Run, role: str) -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html#API_CreateRole_RequestParameters."""
    refused = adopt("--access-role", role)
    assert refused.returncode == 2
    assert f"--access-role {role!r}" in refused.stderr
