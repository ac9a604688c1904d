"""`twokeys sandbox refresh` with the repository's own program, after somebody changed an account in AWS itself."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.sandbox.conftest import Run


def told(run: subprocess.CompletedProcess[str]) -> Any:
    assert run.stdout.strip(), run.stderr
    return json.loads(run.stdout)


def change_account(project: Path, name: str, **changes: str) -> None:
    """What AWS's own flows do to an account, in what the local AWS keeps while it is not running.

    https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-update-acct-name.html
    """
    kept = project / ".twokeys" / "aws" / "state" / "organizations.json"
    data = json.loads(kept.read_text())
    found = list(accounts(data, name))
    assert len(found) == 1
    found[0].update(changes)
    kept.write_text(json.dumps(data))


def accounts(data: Any, name: str) -> Any:
    if isinstance(data, dict):
        if data.get("Name") == name and "Email" in data:
            yield data
        data = list(data.values())
    if isinstance(data, list):
        for inner in data:
            yield from accounts(inner, name)


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

    change_account(project, "stage", Name="Staging", Email="staging@company.com")
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
