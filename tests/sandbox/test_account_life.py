"""The whole life of an account, on the local AWS, by the real program and the real commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.account_life import STACK, Config, World, config, worlds
from twokeys.sandbox.aws import organizations
from twokeys.sandbox.engine.events import Op

Run = Callable[..., subprocess.CompletedProcess[str]]
NEW = "new+stage@company.com"


@pytest.fixture
def world(tmp_path: Path, project_root: Path) -> Iterator[World]:
    yield from worlds(project_root, tmp_path)


@pytest.fixture
def account(world: World) -> Run:
    """Run `twokeys account ARGUMENTS --json` in the project."""

    def run(*arguments: str, code: int = 0) -> Any:
        command = [sys.executable, "-c", "from twokeys.cli import main; main()", "account", *arguments, "--json"]
        environment = {**os.environ, **world.aws.environment()}
        done = subprocess.run(command, cwd=world.project, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout)

    return run


def without(said: Config, account: str, state: str) -> Config:
    """The config with an account put out of use, and no door into it."""
    accounts = {**said["accounts"], account: {**said["accounts"][account], "state": state}}
    return {**said, "accounts": accounts, "doors": {k: v for k, v in said["doors"].items() if account not in k}}


def test_an_account_lives_from_its_making_to_its_end(world: World, account: Run) -> None:  # noqa: PLR0915 - one life
    # created, then moved in place
    said = config(accounts={"stage": {}, "prod": {"organizationalUnit": "Workloads"}})
    world.up(said)
    stage = world.accounts()["stage"]["Id"]
    said["accounts"]["stage"]["organizationalUnit"] = "Workloads"
    assert world.preview(said).done == {"Account stage": Op.UPDATE}
    assert world.up(said).done == {"Account stage": Op.UPDATE}
    assert world.unit_of(stage) == "Workloads"
    assert world.preview(said).done == {}

    # quarantined: refused with its door, moved without it, the same account
    shut = without(said, "stage", "quarantined")
    refused = world.preview({**shut, "doors": said["doors"]})
    assert not refused.ok
    assert "doors.stage-reader.to.account" in refused.errors
    assert "remove the door" in refused.errors
    planned = world.preview(shut).done
    assert planned["Account stage"] is Op.UPDATE
    assert Op.REPLACE not in planned.values()
    assert world.up(shut).done == planned
    assert world.unit_of(stage) == "Quarantine"
    assert world.preview(shut).done == {}
    assert world.accounts()["stage"]["Id"] == stage

    # returned, renamed and given another address
    world.up(said)
    assert world.unit_of(stage) == "Workloads"
    assert account("rename", STACK, "stage", "Staging")["done"] is False
    assert world.accounts().keys() == {"stage", "prod"}
    assert account("rename", STACK, "stage", "Staging", "--yes")["done"] is True
    assert account("rename", STACK, "stage", "Staging", "--yes")["alreadyThere"] is True
    account("email", STACK, "stage", NEW, "--yes")
    assert world.accounts()["Staging"]["Email"] == "example+stage@company.com"
    mail = json.loads((world.aws.directory / "mailbox.jsonl").read_text().splitlines()[-1])
    assert mail["to"] == NEW
    account("email", STACK, "stage", NEW, "--otp", mail["text"].split()[-1], "--yes")
    assert world.accounts()["Staging"]["Email"] == NEW
    renamed = {"name": "Staging", "email": NEW}
    said["accounts"]["stage"] |= renamed
    before = world.preview(said)
    assert not before.ok
    assert "`twokeys sandbox refresh all`" in before.errors
    world.refresh(said)
    after = world.preview(said)
    assert after.ok, after.errors
    assert after.done == {}

    # stripped: nothing is left but the account, and then it is closed
    closed = without(said, "stage", "closed")
    world.write(closed)
    refusal = account("close", STACK, "--yes", code=1)["refused"]
    assert "door stage-reader" in refusal[0]["why"]
    assert Op.REPLACE not in world.up(closed).done.values()
    assert world.outputs()["closed_account_ids"] == {"stage": stage}
    assert world.outputs()["member_account_ids"].keys() == {"prod"}
    assert account("close", STACK)["queued"] == ["stage"]
    assert world.accounts()["Staging"]["State"] == "ACTIVE"
    assert account("close", STACK, "--yes")["closed"] == ["stage"]
    assert world.accounts()["Staging"]["State"] == "CLOSED"
    assert world.preview(closed).done == {}
    assert account("close", STACK, "--yes")["closed"] == []

    # its address makes no second account, and forgetting it deletes nothing
    again = {**closed, "accounts": {**closed["accounts"], "again": {"email": NEW, "name": "Staging 2"}}}
    refused = world.preview(again)
    assert "it is also the address of" in refused.errors
    world.write(closed)
    forgotten = {**closed, "accounts": {"prod": closed["accounts"]["prod"]}}
    world.aws.directory.joinpath("closing.json").write_text('{"kept_days": 0}')
    assert account("list", STACK)["accounts"][1]["nextStep"].startswith("remove its entry from Pulumi.all.yaml")
    assert world.up(forgotten).done == {"Account stage": Op.DELETE, "MemberAccount stage": Op.DELETE}
    assert world.preview(forgotten).done == {}
    assert "EMAIL_ALREADY_EXISTS" in world.fails(
        {**forgotten, "accounts": {**forgotten["accounts"], "again": {"email": NEW}}}
    )


def test_a_closed_account_that_is_in_no_state_is_never_made(world: World) -> None:
    said = config()
    never = {**said, "accounts": {**said["accounts"], "never": {"state": "closed"}}}
    assert "is closed in the config and not in this stack's state" in world.preview(never).errors
    world.up(said)
    assert "is closed in the config and not in this stack's state" in world.fails(never)
    assert "never" not in world.accounts()


def test_closing_stops_at_the_quota_and_goes_on_from_where_it_stopped(world: World, account: Run) -> None:
    names = ["a", "b", "c"]
    said = config(accounts={name: {} for name in names}, doors={})
    world.up(said)
    closed = {**said, "accounts": {name: {"state": "closed"} for name in names}}
    world.up(closed)
    limits = world.aws.directory / "closing.json"
    limits.write_text('{"quota": 2}')
    first = account("close", STACK, "--yes")
    assert (first["closed"], first["queued"]) == (["a", "b"], ["c"])
    assert first["stopped"].startswith("CLOSE_ACCOUNT_QUOTA_EXCEEDED")
    assert "at the latest" in first["goesOn"]
    limits.write_text('{"quota": 2, "window_days": 0}')
    assert account("close", STACK, "--yes")["closed"] == ["c"]


def test_a_delegated_administrator_is_not_closed(world: World, account: Run) -> None:
    said = config()
    world.up(said)
    closed = without(said, "stage", "closed")
    world.up(closed)
    client = world.client("organizations")
    client.enable_aws_service_access(ServicePrincipal="config.amazonaws.com")
    client.register_delegated_administrator(
        AccountId=world.outputs()["closed_account_ids"]["stage"], ServicePrincipal="config.amazonaws.com"
    )
    client.close()
    refused = account("close", STACK, "--yes", code=1)
    assert refused["closed"] == []
    assert "delegated administrator" in refused["refused"][0]["why"]


def test_nothing_is_renamed_without_trusted_access(world: World, account: Run) -> None:
    said = config()
    del said["organization"]["trustedServices"]
    world.up(said)
    told = account("rename", STACK, "stage", "Staging", "--yes", code=1)
    (missing,) = [check for check in told["checks"] if not check["ok"]]
    assert "account.amazonaws.com" in missing["nextStep"]
    assert told["done"] is False
    assert "stage" in world.accounts()


def test_at_most_so_many_accounts_are_in_the_making_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    lock, inside, most = threading.Lock(), 0, 0
    identify, move = organizations._account_identify, organizations._move

    def begins(*arguments: Any, **named: Any) -> Any:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        time.sleep(0.1)  # so that those that may come at once do
        return identify(*arguments, **named)

    def ends(*arguments: Any) -> None:
        nonlocal inside
        move(*arguments)
        with lock:
            inside -= 1

    monkeypatch.setattr(organizations, "_account_identify", begins)
    monkeypatch.setattr(organizations, "_move", ends)
    world.up(config(accounts={f"a{number}": {} for number in range(7)}, accountsAtOnce=2, doors={}))
    assert len(world.accounts()) == 7
    assert most == 2
