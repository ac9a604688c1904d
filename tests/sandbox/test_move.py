"""One account moves from one stack of the repository's own program to another, and nothing in AWS is touched."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.sandbox.conftest import Run
from twokeys.sandbox.engine.of_account import resources_of_account
from twokeys.sandbox.engine.resource import Resource, urn_type
from twokeys.sandbox.engine.state import StateFile


def told(run: subprocess.CompletedProcess[str]) -> Any:
    assert run.stdout.strip(), run.stderr
    return json.loads(run.stdout)


def settings_of(*accounts: str) -> dict[str, Any]:
    """A stack's config as `Pulumi.stage.yaml` has it, with a door of each kind of source into each account."""

    def door(account: str, source: dict[str, Any]) -> dict[str, Any]:
        return {
            "from": source,
            "to": {"account": account, "role": f"by-{next(iter(source))}"},
            "permissions": {"managedPolicies": ["arn:aws:iam::aws:policy/ReadOnlyAccess"]},
            "reason": "a test",
            "owner": "ops",
        }

    return {
        "config": {
            "twokeys:managementAccountId": "111111111111",
            "twokeys:rootEmail": "example@company.com",
            "twokeys:baseline": {"passwordPolicy": {"minimumLength": 14}, "blockPublicS3": True},
            "twokeys:accounts": {
                account: {
                    "organizationalUnit": "Workloads/Stage",
                    "budget": {"monthly": 500, "notify": ["billing@company.com"]},
                }
                for account in accounts
            },
            "twokeys:doors": {
                f"{account}-{next(iter(source))}": door(account, source)
                for account in accounts
                for source in ({"role": "ci"}, {"group": "developers", "members": ["alice"]})
            },
        }
    }


def configure(project: Path, stack: str, *accounts: str) -> None:
    (project / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump(settings_of(*accounts), sort_keys=False))


def state(project: Path, stack: str) -> tuple[Resource, ...]:
    return StateFile(project / ".twokeys" / "stacks", stack).load().resources


def objects(*stacks: tuple[Resource, ...]) -> set[tuple[str, str]]:
    """Everything that is really there in AWS, by type and id."""
    return {(one.type, one.id) for stack in stacks for one in stack if one.type.startswith("aws:")}


@pytest.mark.usefixtures("small_organization")
def test_an_account_moves_to_another_stack_and_both_previews_have_nothing_to_make_or_delete(
    twokeys: Run, project: Path
) -> None:
    configure(project, "a", "one", "two")
    configure(project, "b", "three")
    for stack in ("management", "a", "b"):
        run = twokeys("sandbox", "up", stack, "--no-policies", "--skip-preview", "--json")
        assert run.returncode == 0, run.stdout
    before = objects(state(project, "a"), state(project, "b"))

    urns = resources_of_account(state(project, "a"), "one")
    run = twokeys("sandbox", "move", "a", "b", *urns, "--json")
    assert run.returncode == 0, run.stderr
    moved = told(run)
    assert set(moved["moved"]) == set(urns)
    assert [urn.rpartition("::")[2] for urn in moved["copied"]] == ["management"]
    # The destination has a reference to the management stack of its own; the next update depends on that one.
    assert {urn_type(one["dependency"]) for one in moved["cut"]} == {"pulumi:pulumi:StackReference"}
    configure(project, "a", "two")
    configure(project, "b", "three", "one")

    for stack, changes in (("a", []), ("b", [("update", "pulumi:providers:aws", ["assumeRoles"])])):
        preview = told(twokeys("sandbox", "preview", stack, "--json"))
        assert preview["ok"], preview["diagnostics"]
        assert [one for one in preview["violations"] if one["mandatory"]] == []
        done = [
            (one["op"], urn_type(one["urn"]), one["changed"])
            for one in preview["steps"]
            if one["op"] not in ("same", "read")
        ]
        # The session name under which the provider enters the account has the stack's name in it.
        assert done == changes, stack
    for stack in ("a", "b"):
        up = twokeys("sandbox", "up", stack, "--no-policies", "--skip-preview", "--json")
        assert up.returncode == 0, up.stdout
        assert set(told(up)["changes"]) <= {"same", "read", "update"}
    assert objects(state(project, "a"), state(project, "b")) == before


def test_what_belongs_to_an_account_is_everything_named_after_it_and_every_door_into_it() -> None:
    def resource(type: str, name: str, parent: str = "", **inputs: Any) -> Resource:
        chain = f"{parent.split('::')[2]}${type}" if parent else type
        return Resource(f"urn:pulumi:s::twokeys::{chain}::{name}", type, custom=False, inputs=inputs, parent=parent)

    mine = resource("twokeys:accounts:MemberAccount", "one")
    door = resource("twokeys:access:CrossAccountAccess", "in", door={"target": {"account": "account:one"}})
    people = resource("twokeys:access:IdentityCenterAccess", "sso", door={"target": {"account": "account:one"}})
    other = resource("twokeys:access:CrossAccountAccess", "one", door={"target": {"account": "account:two"}})
    state = [
        mine,
        resource("aws:organizations/account:Account", "one", mine.urn),
        resource("twokeys:accounts:MemberAccount", "one-more"),
        resource("pulumi:providers:aws", "one"),
        resource("pulumi:providers:aws", "management"),
        resource("twokeys:accounts:AccountBaseline", "one"),
        resource("twokeys:bill:AccountBudget", "one"),
        other,
        resource("aws:iam/role:Role", "one", other.urn),
        door,
        resource("aws:iam/role:Role", "in", door.urn),
        people,
    ]
    found = resources_of_account(state, "one")
    assert found == [state[index].urn for index in (0, 1, 3, 5, 6, 9, 10, 11)]
    assert resources_of_account(state, "nobody") == []
