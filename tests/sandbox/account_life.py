"""One stack with an organization and two accounts, run on the sandbox from a copy of the program."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import yaml

from twokeys.project.config import load_project
from twokeys.sandbox.engine.events import Diagnostic, Event, Op, Severity, StepDone
from twokeys.sandbox.engine.policy_host import PackChoice
from twokeys.sandbox.engine.resource import STACK_TYPE
from twokeys.sandbox.local_aws import MANAGEMENT_ACCOUNT, LocalAws
from twokeys.sandbox.stack import Sandbox, SandboxStack

PROGRAM = ("__main__.py", "Pulumi.yaml", "Pulumi.README.md", "components", "policies")
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
class Seen:
    """What one operation did."""

    ok: bool = False
    events: list[Event] = field(default_factory=list)

    @property
    def done(self) -> dict[str, Op]:
        """Each step that changed something, by type and name."""
        steps = [event.step for event in self.events if isinstance(event, StepDone)]
        return {
            f"{step.type.rpartition(':')[2]} {step.urn.rpartition('::')[2]}": step.op
            for step in steps
            if step.op is not Op.SAME and step.type != STACK_TYPE
        }

    @property
    def errors(self) -> str:
        return "\n".join(
            one.message for one in self.events if isinstance(one, Diagnostic) and one.severity is Severity.ERROR
        )


@dataclass
class World:
    """The project and its local AWS."""

    project: Path
    aws: LocalAws

    def write(self, said: Config) -> None:
        named = {f"twokeys:{key}": value for key, value in said.items()}
        (self.project / f"Pulumi.{STACK}.yaml").write_text(yaml.safe_dump({"config": named}))

    def preview(self, said: Config) -> Seen:
        return self._run(said, lambda stack: stack.preview)

    def up(self, said: Config) -> Seen:
        seen = self._run(said, lambda stack: stack.up)
        assert seen.ok, seen.errors
        return seen

    def refresh(self, said: Config) -> Seen:
        seen = self._run(said, lambda stack: stack.refresh)
        assert seen.ok, seen.errors
        return seen

    def fails(self, said: Config) -> str:
        """The errors of an update that must fail; no account may have been made by it."""
        before = self.accounts()
        seen = self._run(said, lambda stack: stack.up)
        assert not seen.ok
        assert self.accounts() == before
        return seen.errors

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.aws.endpoint,
            region_name="us-east-1",
            aws_access_key_id=MANAGEMENT_ACCOUNT,
            aws_secret_access_key="test",
        )

    def accounts(self) -> dict[str, dict[str, Any]]:
        """The member accounts that the organization has, by name."""
        found = self.client("organizations").list_accounts()["Accounts"]
        return {one["Name"]: one for one in found if one["Id"] != MANAGEMENT_ACCOUNT}

    def outputs(self) -> dict[str, Any]:
        return dict(self._sandbox().stack_outputs(STACK) or {})

    def unit_of(self, account: str) -> str:
        """The name of the unit that an account is in."""
        organizations = self.client("organizations")
        parent = organizations.list_parents(ChildId=account)["Parents"][0]["Id"]
        unit = organizations.describe_organizational_unit(OrganizationalUnitId=parent)
        return str(unit["OrganizationalUnit"]["Name"])

    def _sandbox(self) -> Sandbox:
        return Sandbox(load_project(self.project), self.project / ".twokeys")

    def _run(self, said: Config, operation: Callable[[SandboxStack], Callable[..., Any]]) -> Seen:
        self.write(said)
        seen = Seen()
        stack = SandboxStack(self._sandbox(), STACK, self.aws, packs=(PackChoice(self.project / "policies"),))
        seen.ok = operation(stack)(seen.events.append).ok
        return seen


def worlds(root: Path, folder: Path) -> Iterator[World]:
    """A copy of the program in `folder` with a local AWS of its own."""
    for name in PROGRAM:
        source, target = root / name, folder / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    with LocalAws.start(folder / ".twokeys" / "aws") as aws:
        yield World(folder, aws)
