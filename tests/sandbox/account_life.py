"""One stack with an organization and two accounts, made in a sandbox from a copy of the program."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.sandbox.conftest import copied
from twokeys.project.config import load_project
from twokeys.project.stack_yaml import dumped
from twokeys.sandbox.box import Sandbox
from twokeys.sandbox.local_aws import MANAGEMENT_ACCOUNT, LocalAws
from twokeys.sandbox.up import StackRun

STACK = "all"
Config = dict[str, Any]


def door(role: str, account: str) -> Config:
    return {
        "from": {"role": "ci"},
        "to": {"account": account, "role": role},
        "permissions": {"managedPolicies": ["arn:aws:iam::aws:policy/ReadOnlyAccess"]},
        "reason": "Looking",
        "owner": "platform",
    }


def config(**changes: Any) -> Config:
    """The organization with accounts stage and prod and a door into each; `changes` win."""
    return {
        "managementAccountId": MANAGEMENT_ACCOUNT,
        "rootEmail": "example@company.com",
        "organization": {
            "trustedServices": ["account.amazonaws.com"],
            "organizationalUnits": {"Workloads": {}},
            "quarantine": "Quarantine",
        },
        "people": {"roles": {"ci": {}}},
        "accounts": {"stage": {"organizationalUnit": "Workloads"}, "prod": {"organizationalUnit": "Workloads"}},
        "doors": {"stage-reader": door("reader", "stage"), "prod-reader": door("reader", "prod")},
        **changes,
    }


@dataclass
class World:
    """The project and its local AWS."""

    project: Path
    aws: LocalAws

    def write(self, said: Config) -> None:
        named = {f"twokeys:{key}": value for key, value in said.items()}
        (self.project / f"Pulumi.{STACK}.yaml").write_text(dumped({"config": named}))

    def up(self, said: Config) -> None:
        self.write(said)
        done = StackRun(Sandbox(load_project(self.project), self.project / ".twokeys"), STACK).make(self.aws)
        assert done.ok, (done.failed, done.verdicts.mandatory)

    def client(self, service: str) -> Any:
        return self.aws.client(service)

    def accounts(self) -> dict[str, dict[str, Any]]:
        """The member accounts that the organization has, by name."""
        found = self.client("organizations").list_accounts()["Accounts"]
        return {one["Name"]: one for one in found if one["Id"] != MANAGEMENT_ACCOUNT}

    def unit_of(self, account: str) -> str:
        """The name of the unit that an account is in."""
        organizations = self.client("organizations")
        parent = organizations.list_parents(ChildId=account)["Parents"][0]["Id"]
        unit = organizations.describe_organizational_unit(OrganizationalUnitId=parent)
        return str(unit["OrganizationalUnit"]["Name"])


def worlds(root: Path, folder: Path) -> Iterator[World]:
    """A copy of the program in `folder` with a local AWS of its own."""
    with LocalAws.start(folder / ".twokeys" / "aws") as aws:
        yield World(copied(root, folder), aws)
