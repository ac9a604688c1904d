"""A person is taken out of the config, and two previews of the real program show every door that closes."""

import json
from pathlib import Path
from typing import Any

import pytest

from twokeys.access.graph import build
from twokeys.access.reading.snapshot import Snapshot
from twokeys.answers.changes import changes
from twokeys.answers.reading import read
from twokeys.doors import Who
from twokeys.errors import Refusal
from twokeys.preview import preview

pytestmark = pytest.mark.usefixtures("programs_in_process")
READ = {"managedPolicies": ["arn:aws:iam::aws:policy/ReadOnlyAccess"]}


def door(role: str, account: str, **source: Any) -> dict[str, Any]:
    to = {"account": account, "role": role}
    return {"from": source, "to": to, "permissions": READ, "reason": "Looking", "owner": "platform"}


ALICE = {"prod-on-call": door("on-call", "prod", user="alice")}


def previewed(root: Path, users: list[str], doors: dict[str, Any]) -> Snapshot:
    said = {
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
    config = {f"twokeys:{key}": value if isinstance(value, str) else json.dumps(value) for key, value in said.items()}
    return preview(root / "__main__.py", "all", config, project="twokeys")


def test_every_door_of_a_person_who_leaves_is_lost_and_no_other(project_root: Path) -> None:
    before = build(previewed(project_root, ["alice", "bob"], ALICE))
    after = build(previewed(project_root, ["bob"], {}))
    lost = [(way.source.who, way.target.arn) for way in changes(read(before), read(after)).lost]
    assert {arn for who, arn in lost if who == Who("user", "111111111111", "alice")} == {
        "arn:aws:iam::account:stage:role/developer",
        "arn:aws:iam::account:prod:role/reader",
        "arn:aws:iam::account:prod:role/on-call",
    }
    assert "bob" not in [who.name for who, _ in lost]


def test_a_door_that_still_names_who_left_is_refused(project_root: Path) -> None:
    with pytest.raises(Refusal, match=r"twokeys:doors\.prod-on-call\.from = alice"):
        previewed(project_root, ["bob"], ALICE)
