"""An account's life on the pulumi CLI: taken over, quarantined and back, renamed, closed, and never made twice.

Expected are the operations that each edit asks for, and what the local AWS then has. What a closed account is to a
plugin: terraform-provider-aws answers "not found" for the state CLOSED
(https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/organizations/account.go).
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.engine.conftest import Engine, one_plugin, steps
from tests.sandbox.account_life import STACK, Config, World, config, worlds
from twokeys.project.config import load_project
from twokeys.sandbox.get_pulumi import find_pulumi
from twokeys.sandbox.pulumi_box import PulumiBox
from twokeys.sandbox.pulumi_events import Ran, run

pytestmark = [pytest.mark.engine, pytest.mark.timeout(1800)]

MEMBER, ACCOUNT = "MemberAccount", "Account"


@dataclass(frozen=True)
class Life:
    """The stack of `tests.sandbox.account_life` on the CLI."""

    world: World
    engine: Engine

    def pulumi(self, *arguments: str) -> Ran:
        found = find_pulumi()
        assert found is not None
        mirror = self.engine.box.reflect()
        return run(found, [*arguments, "--stack", STACK], mirror, self.engine.environment)

    def up(self, said: Config) -> set[str]:
        """What an update of this config does, which its preview has to have said."""
        self.world.write(said)
        done = self.pulumi("up", "--yes")
        assert done.code == 0, done.errors
        previewed, updated = steps(done)
        assert previewed == updated
        return updated

    def refused(self, said: Config) -> str:
        """Why the preview of this config fails."""
        self.world.write(said)
        done = self.pulumi("preview")
        assert done.code != 0
        return done.errors

    def account(self, *arguments: str, code: int = 0) -> Any:
        """`twokeys account ARGUMENTS` with the stack's state."""
        state = self.world.project / "state.json"
        self.engine.ran("stack", "export", "--stack", STACK, "--file", str(state))
        command = [sys.executable, "-c", "from twokeys.cli import main; main()", "account", *arguments]
        done = subprocess.run(
            [*command, "--state", str(state), "--json"],
            cwd=self.world.project,
            env=self.engine.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def life(project_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    folder = tmp_path_factory.mktemp("life")
    for world in worlds(project_root, folder):
        world.write(config())
        box = PulumiBox(load_project(folder), folder / ".twokeys")
        with one_plugin(Engine(box, world.aws, box.open(world.aws))) as engine:
            yield Life(world, engine)


def test_from_its_adoption_to_its_closing_an_account_is_never_made_twice_nor_closed_by_an_update(life: Life) -> None:
    world, organizations = life.world, life.world.client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    shop = organizations.create_account(AccountName="shop", Email="shop@company.com")["CreateAccountStatus"]
    adopt = {"adopt": shop["AccountId"], "email": "shop@company.com", "access": {"enter": False}}
    organization = {**config()["organization"], "adopt": organizations.describe_organization()["Organization"]["Id"]}
    del organization["trustedServices"]

    # One account is taken over as it is (each later step shows that nothing of it is left to do), the other is made.
    stage = config()["accounts"]["stage"]
    said = config(organization=organization, accounts={"stage": stage, "shop": adopt})
    said["doors"] = {"stage-reader": said["doors"]["stage-reader"]}
    assert {f"import {ACCOUNT} shop", f"create {ACCOUNT} stage"} < (done := life.up(said))
    assert not any(step.endswith(" shop") for step in done - {f"import {ACCOUNT} shop", f"create {MEMBER} shop"})
    identifier = world.accounts()["stage"]["Id"]

    # A quota that is used up: the update says so, nothing is made, and the next one goes on.
    quota = world.client("service-quotas").request_service_quota_increase
    quota(ServiceCode="organizations", QuotaCode="L-E619E033", DesiredValue=3)
    world.write({**said, "accounts": {**said["accounts"], "more": {}}})
    full = life.pulumi("up", "--yes", "--skip-preview")
    assert full.code != 0
    assert "ACCOUNT_LIMIT_EXCEEDED" in full.errors
    assert set(world.accounts()) == {"stage", "shop"}

    # Quarantined: its door goes, and it is moved.
    shut = {**said, "doors": {}, "accounts": {**said["accounts"], "stage": {**stage, "state": "quarantined"}}}
    assert f"update {ACCOUNT} stage" in (done := life.up(shut))
    assert {step.split()[0] for step in done - {f"update {ACCOUNT} stage"}} == {"delete"}
    assert world.unit_of(identifier) == "Quarantine"

    # Back, with another name: one update in place, once the organization trusts the service that renames.
    trusting = {**organization, "trustedServices": ["account.amazonaws.com"]}
    back = {**shut, "organization": trusting, "accounts": {**said["accounts"], "stage": {**stage, "name": "Staging"}}}
    assert life.up(back) == {f"update {ACCOUNT} stage", "update Organization organization"}
    assert world.accounts()["Staging"]["Id"] == identifier
    assert world.unit_of(identifier) == "Workloads"

    # Closed elsewhere: a refresh drops it, config that still adopts it is refused, config that says so keeps it.
    organizations.close_account(AccountId=adopt["adopt"])
    assert life.pulumi("refresh", "--yes", "--skip-preview").code == 0
    assert "does not exist" in life.refused(back)
    gone = {**back, "accounts": {**back["accounts"], "shop": {**adopt, "state": "closed"}}}
    assert life.up(gone) == {f"delete {MEMBER} shop"}

    # Closed from here: protected until somebody says otherwise, then forgotten, and open at AWS until that closes it.
    stage = {**gone["accounts"]["stage"], "state": "closed", "adopt": identifier}
    last = {**gone, "accounts": {**gone["accounts"], "stage": stage}}
    assert "protected" in life.refused(last)
    assert life.account("close", STACK, "--yes", code=1)["refused"][0]["account"] == "stage"
    urn = f"urn:pulumi:{STACK}::twokeys::twokeys:accounts:MemberAccount$aws:organizations/account:Account::stage"
    life.engine.ran("state", "unprotect", urn, "--stack", STACK, "--yes")
    assert {f"delete {ACCOUNT} stage", f"delete {MEMBER} stage"} < (done := life.up(last))
    assert {step.split()[0] for step in done} == {"delete"}
    assert world.accounts()["Staging"]["State"] == "ACTIVE"
    assert life.account("close", STACK, "--yes")["closed"] == ["stage"]
    assert {one["State"] for one in world.accounts().values()} == {"CLOSED"}

    # Nothing is left to do, also after a refresh, and no account was made a second time.
    assert life.pulumi("refresh", "--yes", "--skip-preview").code == 0
    assert steps(life.pulumi("preview")) == [set()]
    assert len(world.accounts()) == 2
