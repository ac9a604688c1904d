"""The calls that AWS has for an account's life, on accounts that the real program made in the local AWS.

What a second update does (moving, quarantine, closing) is tried with the pulumi CLI.
"""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from tests.in_process import twokeys
from tests.sandbox.account_life import STACK, World, config, worlds

pytestmark = pytest.mark.usefixtures("programs_in_process")
Run = Callable[..., Any]
NEW = "new+stage@company.com"


@pytest.fixture
def world(tmp_path: Path, project_root: Path) -> Iterator[World]:
    yield from worlds(project_root, tmp_path)


@pytest.fixture
def account(world: World) -> Run:
    """Run `twokeys account ARGUMENTS --json` in the project."""

    def run(*arguments: str, code: int = 0) -> Any:
        with mock.patch.dict(os.environ, world.aws.environment()):
            done = twokeys("account", *arguments, "--json", folder=world.project)
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout)

    return run


def test_an_account_is_made_in_its_unit_and_given_another_address(world: World, account: Run) -> None:
    said = config()
    world.up(said)
    stage = world.accounts()["stage"]["Id"]
    assert world.unit_of(stage) == "Workloads"
    account("email", STACK, "stage", NEW, "--yes")
    assert world.accounts()["stage"]["Email"] == "example+stage@company.com"
    mail = json.loads((world.aws.directory / "mailbox.jsonl").read_text().splitlines()[-1])
    assert mail["to"] == NEW
    account("email", STACK, "stage", NEW, "--otp", mail["text"].split()[-1], "--yes")
    assert world.accounts()["stage"]["Email"] == NEW
    assert world.accounts()["stage"]["Id"] == stage


def test_an_account_that_the_state_still_has_is_not_closed(world: World, account: Run) -> None:
    said = config()
    world.up(said)
    stage = {**said["accounts"]["stage"], "state": "closed", "adopt": world.accounts()["stage"]["Id"]}
    closed = {**said["accounts"], "stage": stage}
    world.write({**said, "accounts": closed, "doors": {"prod-reader": said["doors"]["prod-reader"]}})
    refusal = account("close", STACK, "--yes", code=1)["refused"]
    assert "the state still holds" in refusal[0]["why"]
    assert f"pulumi up -s {STACK}" in refusal[0]["nextStep"]
    assert world.accounts()["stage"]["State"] == "ACTIVE"


def test_no_address_is_changed_without_trusted_access(world: World, account: Run) -> None:
    said = config()
    del said["organization"]["trustedServices"]
    world.up(said)
    told = account("email", STACK, "stage", NEW, "--yes", code=1)
    (missing,) = [check for check in told["checks"] if not check["ok"]]
    assert "account.amazonaws.com" in missing["nextStep"]
    assert told["done"] is False
