"""A program cannot say of another stack what that one does not export, where the pack can read its state."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.access.world import CI, DEPLOYER, HUB, STAGE, World, document, grants, trusts
from tests.pack.engine_requests import Engine

REFERENCE = "urn:pulumi:stage::twokeys::pulumi:pulumi:StackReference::hub"
Write = Callable[[dict[str, Any]], None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes the state of the stack `hub` of the project `organization` into a backend on this machine.

    Beside it is one that a CLI from before projects wrote, of another project's stack of the same name, which the
    engine does not read: https://github.com/pulumi/pulumi/blob/v3.274.0/pkg/backend/diy/store.go (StackBasePath).
    """
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path}")
    folder = tmp_path / ".pulumi" / "stacks" / "organization"
    folder.mkdir(parents=True)

    def to(outputs: dict[str, Any]) -> None:
        kind = "pulumi:pulumi:Stack"
        stack = {"urn": f"urn:pulumi:hub::organization::{kind}::organization-hub", "type": kind, "outputs": outputs}
        other = {**stack, "urn": f"urn:pulumi:hub::before::{kind}::before-hub"}
        for place, one in ((folder, stack), (folder.parent, other)):
            state = {"version": 3, "checkpoint": {"latest": {"resources": [one]}}}
            (place / "hub.json").write_text(json.dumps(state))

    return to


def exports() -> dict[str, Any]:
    """The grant of role ci on role deployer, as its stack exports it."""
    place = {"type": "aws:iam/rolePolicy:RolePolicy", "name": "enter", "account": HUB, "property": "policy"}
    said = {**place, "properties": {"role": "ci", "name": "enter"}, "document": json.loads(document(grants(DEPLOYER)))}
    source, target = {"kind": "role", "account": HUB, "names": ["ci"]}, {"account": STAGE, "role": "deployer"}
    door = {"name": "d", "door": {"name": "d", "source": source, "target": target}, "documents": [said]}
    return {"doors": [door], "parent_account_id": HUB}


def world(said: dict[str, Any]) -> World:
    """A role that trusts ci, whose grant another stack has, as this program says."""
    made = World()
    values = {"name": "acme/organization/hub", "outputs": said}
    other = made.add("OtherStack", "hub")
    made.change(other, inputs=values, outputs=values, property_dependencies={"outputs": (REFERENCE,)})
    made.role("deployer", made.stage, document(trusts(CI)))
    return made


@pytest.mark.parametrize("preview", [True, False], ids=["preview", "update"])
def test_what_the_other_stack_exports_is_believed(write: Write, *, preview: bool) -> None:
    write({**exports(), "bucket": "logs"})
    assert Engine(preview=preview).rules(world(exports()).resources) == []


@pytest.mark.parametrize("preview", [True, False], ids=["preview", "update"])
def test_a_grant_that_the_other_stack_does_not_export_is_not_believed(write: Write, *, preview: bool) -> None:
    write({**exports(), "doors": []})
    assert "unproved-door" in Engine(preview=preview).rules(world(exports()).resources)


def test_a_null_that_no_sdk_sends_is_no_difference(write: Write) -> None:
    exported = exports()
    exported["doors"][0]["door"]["expires"] = None
    write({**exported, "contact": None})
    assert Engine(preview=False).rules(world({**exports(), "contact": None}).resources) == []


def test_a_secret_that_a_state_keeps_to_itself_is_no_difference(write: Write) -> None:
    secret = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:x"}
    write({**exports(), "parent_account_id": secret})
    assert Engine().rules(world(exports()).resources) == []


def test_a_stack_whose_state_is_elsewhere_is_believed_as_the_engine_shows_it(write: Write) -> None:
    del write
    assert Engine().rules(world(exports()).resources) == []
