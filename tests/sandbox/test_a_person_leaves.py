"""A person is taken out of the config, and one preview of the real program shows every door that closes."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from twokeys.project.config import load_project
from twokeys.sandbox.engine.events import Diagnostic, Event, Op, Severity, StepDone, Violation
from twokeys.sandbox.engine.policy_host import PackChoice
from twokeys.sandbox.local_aws import LocalAws
from twokeys.sandbox.stack import Sandbox, SandboxStack

PROGRAM = ("__main__.py", "Pulumi.yaml", "Pulumi.README.md", "components", "policies")
READ = {"managedPolicies": ["arn:aws:iam::aws:policy/ReadOnlyAccess"]}


def door(role: str, account: str, **source: Any) -> dict[str, Any]:
    to = {"account": account, "role": role}
    return {"from": source, "to": to, "permissions": READ, "reason": "Looking", "owner": "platform"}


def config(users: list[str], doors: dict[str, Any]) -> dict[str, Any]:
    return {
        "managementAccountId": "111111111111",
        "rootEmail": "example@company.com",
        "organization": {"create": True},
        "people": {"users": users, "groups": {"developers": users}},
        "accounts": {"stage": {}, "prod": {}},
        "doors": {
            "stage-developer": door("developer", "stage", group="developers"),
            "prod-reader": door("reader", "prod", group="developers"),
            **doors,
        },
    }


ALICE = {"prod-on-call": door("on-call", "prod", user="alice")}


@dataclass
class Seen:
    ok: bool
    events: list[Event] = field(default_factory=list)

    @property
    def deleted(self) -> set[str]:
        steps = [event.step for event in self.events if isinstance(event, StepDone)]
        return {f"{step.type} {step.urn.rpartition('::')[2]}" for step in steps if step.op is Op.DELETE}

    @property
    def lost(self) -> set[str]:
        told = [one.message for one in self.events if isinstance(one, Violation) and one.policy == "doors-changed"]
        return {line[2:].partition(" if ")[0] for text in told for line in text.splitlines() if line.startswith("- ")}

    @property
    def errors(self) -> list[str]:
        return [one.message for one in self.events if isinstance(one, Diagnostic) and one.severity is Severity.ERROR]


@pytest.fixture
def project(tmp_path: Path, project_root: Path) -> Path:
    for name in PROGRAM:
        source, target = project_root / name, tmp_path / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    return tmp_path


def run(operation: Callable[[SandboxStack], Callable[..., Any]], project: Path, aws: LocalAws, said: Any) -> Seen:
    named = {f"twokeys:{key}": value for key, value in said.items()}
    (project / "Pulumi.all.yaml").write_text(yaml.safe_dump({"config": named}))
    seen = Seen(ok=False)
    stack = SandboxStack(
        Sandbox(load_project(project), project / ".twokeys"), "all", aws, packs=(PackChoice(project / "policies"),)
    )
    seen.ok = operation(stack)(seen.events.append).ok
    return seen


def test_one_preview_shows_every_door_of_a_person_who_leaves(project: Path) -> None:
    with LocalAws.start(project / ".twokeys" / "aws") as aws:
        made = run(lambda stack: stack.up, project, aws, config(["alice", "bob"], ALICE))
        assert made.ok, made.errors
        seen = run(lambda stack: stack.preview, project, aws, config(["bob"], {}))
        assert seen.ok, seen.errors
        stage, prod = (_account(aws, name) for name in ("stage", "prod"))
    alice = "arn:aws:iam::111111111111:user/alice"
    assert seen.lost == {
        f"{alice} -> arn:aws:iam::{stage}:role/developer",
        f"{alice} -> arn:aws:iam::{prod}:role/reader",
        f"{alice} -> arn:aws:iam::{prod}:role/on-call",
    }
    assert seen.deleted >= {
        "aws:iam/user:User alice",
        "aws:iam/userGroupMembership:UserGroupMembership alice",
        "aws:iam/role:Role prod-on-call",
    }


def test_a_door_that_still_names_who_left_is_refused(project: Path) -> None:
    with LocalAws.start(project / ".twokeys" / "aws") as aws:
        seen = run(lambda stack: stack.preview, project, aws, config(["bob"], ALICE))
    assert not seen.ok
    assert any("twokeys:doors.prod-on-call.from = alice" in error for error in seen.errors)


def _account(aws: LocalAws, name: str) -> str:
    import boto3

    environment = aws.environment("111111111111")
    organizations = boto3.client(
        "organizations",
        endpoint_url=aws.endpoint,
        region_name="us-east-1",
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )
    return next(each["Id"] for each in organizations.list_accounts()["Accounts"] if each["Name"] == name)
