"""Projects with an environment to split: the real program, copied, with small configs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.sandbox.conftest import copied

MANAGEMENT: dict[str, Any] = {
    "twokeys:managementAccountId": "111111111111",
    "twokeys:rootEmail": "example@company.com",
    "twokeys:organization": {"create": True, "organizationalUnits": {"Workloads/Prod": {}}},
    "twokeys:people": {"roles": {"ci": {"description": "Deploys to the member accounts."}}},
}
SHARED: dict[str, Any] = {
    "twokeys:managementAccountId": "111111111111",
    "twokeys:rootEmail": "example@company.com",
    "twokeys:tags": {"environment": "prod"},
}


def account(name: str) -> dict[str, Any]:
    return {name: {"organizationalUnit": "Workloads/Prod"}}


def door(name: str, source: str = "ci") -> dict[str, Any]:
    permissions = {"managedPolicies": ["arn:aws:iam::aws:policy/PowerUserAccess"]}
    told = {"from": {"role": source}, "to": {"account": name, "role": "deployer"}, "permissions": permissions}
    return {f"{name}-deployer": {**told, "reason": "Deployments", "owner": "platform"}}


def environment_of(names: list[str], doors: bool = True, source: str = "ci") -> dict[str, Any]:
    accounts = {key: value for name in names for key, value in account(name).items()}
    ways = {key: value for name in names for key, value in door(name, source).items()} if doors else {}
    return {**SHARED, "twokeys:accounts": accounts, "twokeys:doors": ways}


def write_stack(project: Path, name: str, config: dict[str, Any]) -> Path:
    path = project / f"Pulumi.{name}.yaml"
    path.write_text(yaml.safe_dump({"config": config}, sort_keys=False))
    return path


def small(project_root: Path, folder: Path) -> Path:
    """The program with a small organization."""
    write_stack(copied(project_root, folder), "management", MANAGEMENT)
    return folder


@pytest.fixture
def project(tmp_path: Path, project_root: Path) -> Path:
    """The program with a small organization, and an environment prod of three accounts that is not split."""
    write_stack(small(project_root, tmp_path), "prod", environment_of(["one", "two", "three"]))
    return tmp_path


Change = Callable[[list[str]], Path]


@pytest.fixture
def set_accounts(project: Path) -> Change:
    """Gives environment prod these accounts."""
    return lambda names: write_stack(project, "prod", environment_of(names))
