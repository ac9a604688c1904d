"""`twokeys sandbox refresh` with the repository's own program, after somebody changed an account in AWS itself."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

from tests.sandbox.conftest import Run
from twokeys.sandbox.local_aws import MANAGEMENT_ACCOUNT, LocalAws


def told(run: subprocess.CompletedProcess[str]) -> Any:
    assert run.stdout.strip(), run.stderr
    return json.loads(run.stdout)


def change_account(project: Path, account: str, *, name: str, email: str) -> None:
    """AWS's own flows: a new name, and a new address that is accepted with the code that was mailed to it.

    https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-update-acct-name.html
    https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-update-root-user-email.html
    """
    with LocalAws.start(project / ".twokeys" / "aws") as aws:
        keys = {"aws_access_key_id": MANAGEMENT_ACCOUNT, "aws_secret_access_key": "test"}
        session = boto3.Session(region_name="us-east-1", **keys)
        organizations = session.client("organizations", endpoint_url=aws.endpoint)
        organizations.enable_aws_service_access(ServicePrincipal="account.amazonaws.com")
        (id_,) = [one["Id"] for one in organizations.list_accounts()["Accounts"] if one["Name"] == account]
        client = session.client("account", endpoint_url=aws.endpoint)
        client.put_account_name(AccountId=id_, AccountName=name)
        client.start_primary_email_update(AccountId=id_, PrimaryEmail=email)
        mail = json.loads((aws.directory / "mailbox.jsonl").read_text().splitlines()[-1])
        client.accept_primary_email_update(AccountId=id_, PrimaryEmail=email, Otp=mail["text"].split()[-1])


def configure(project: Path, account: str, **changes: str) -> None:
    path = project / f"Pulumi.{account}.yaml"
    settings = yaml.safe_load(path.read_text())
    settings["config"]["twokeys:accounts"][account].update(changes)
    path.write_text(yaml.safe_dump(settings, sort_keys=False))


@pytest.mark.usefixtures("small_organization")
def test_an_account_that_aws_renamed_is_unchanged_after_a_refresh_and_an_edit_of_the_config(
    twokeys: Run, project: Path
) -> None:
    for stack in ("management", "stage"):
        assert twokeys("sandbox", "up", stack, "--no-policies", "--skip-preview").returncode == 0
    made = told(twokeys("sandbox", "refresh", "stage", "--preview", "--json"))
    assert set(made["changes"]) == {"same"}, "nothing was changed, so a refresh finds nothing"

    change_account(project, "stage", name="Staging", email="staging@company.com")
    configure(project, "stage", name="Staging", email="staging@company.com")
    refused = told(twokeys("sandbox", "preview", "stage", "--no-policies", "--json"))
    assert not refused["ok"]
    assert any("account stage" in one["message"] for one in refused["diagnostics"])

    refreshed = twokeys("sandbox", "refresh", "stage", "--json")
    assert refreshed.returncode == 0, refreshed.stdout
    (taken,) = [one for one in told(refreshed)["diagnostics"] if "taken over" in one["message"]]
    assert taken["urn"].endswith("::stage")
    assert "email, name" in taken["message"]

    preview = told(twokeys("sandbox", "preview", "stage", "--json"))
    assert preview["ok"], preview["diagnostics"]
    assert preview["violations"] == []
    assert set(preview["changes"]) <= {"same", "read"}


def test_a_target_that_is_not_in_the_stack_is_named(twokeys: Run) -> None:
    run = twokeys("sandbox", "refresh", "management", "--target", "urn:pulumi:management::twokeys::a:b:C::d", "--json")
    assert run.returncode == 1
    assert any("no resource named" in one["message"] for one in told(run)["diagnostics"])
