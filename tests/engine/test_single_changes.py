"""A preview shows what a change changes, and the update then does just that, with the pack, which refuses neither.

Each change is one command, `pulumi up`, whose events hold both: its preview's operations, then the update's.
"""

from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.engine.conftest import Engine, engine_in, one_plugin, steps
from tests.engine.single_changes import (
    ACCOUNTS,
    ORGANIZATION,
    PEOPLE,
    PROD,
    REFUSED,
    STAGE,
    UPDATES,
    Change,
    Config,
    chosen,
)
from twokeys.sandbox.get_pulumi import find_pulumi
from twokeys.sandbox.pulumi_events import Ran, run

pytestmark = [pytest.mark.engine, pytest.mark.timeout(7200)]


@pytest.fixture
def fresh(project_root: Path, tmp_path: Path) -> Iterator[Engine]:
    """Stacks that no other test has changed."""
    with engine_in(project_root, tmp_path) as made, one_plugin(made) as quicker:
        yield quicker


def test_a_change_of_each_kind_shows_itself_and_nothing_else(fresh: Engine) -> None:
    _tried(fresh, "management", _slim(fresh), chosen([*ORGANIZATION, *PEOPLE], few=True))
    _tried(fresh, "stage", {}, chosen(STAGE, few=True))


@pytest.mark.long
def test_each_change_of_the_organization_shows_itself_and_nothing_else(fresh: Engine) -> None:
    _tried(fresh, "management", _slim(fresh), ORGANIZATION)


@pytest.mark.long
def test_each_change_of_people_and_the_bill_shows_itself_and_nothing_else(fresh: Engine) -> None:
    _tried(fresh, "management", _slim(fresh), PEOPLE)


@pytest.mark.long
def test_each_change_of_audit_and_accounts_shows_itself_and_nothing_else(fresh: Engine) -> None:
    _tried(fresh, "management", {}, ACCOUNTS)


@pytest.mark.long
def test_each_change_of_an_account_and_its_doors_shows_itself_and_nothing_else(fresh: Engine) -> None:
    _tried(fresh, "management", _slim(fresh), [])
    _tried(fresh, "stage", {}, STAGE)
    _tried(fresh, "prod", {}, PROD)


def _tried(engine: Engine, stack: str, base: Config, changes: Iterable[Change]) -> None:
    said = {**_own(engine, stack), **base}
    made = _ran(engine, stack, said, "up", "--yes", "--skip-preview")
    assert made.code == 0, made.errors
    wrong, pack = [], str(engine.box.project.root / "policies")
    for change in changes:
        edited = deepcopy(said)
        change.edit(edited)
        does = next(iter(change.does), "")
        if does.startswith(REFUSED):
            refused = _ran(engine, stack, edited, "preview", "--policy-pack", pack)
            why = (refused.errors, *(rule for rule, level, _ in refused.violations if level == "mandatory"))
            wrong += (
                [change.what] if refused.code == 0 or not any(does.removeprefix(REFUSED) in one for one in why) else []
            )
            continue
        done = _ran(engine, stack, edited, "up", "--yes", "--policy-pack", pack)
        assert done.code == 0, f"{change.what}: {done.errors}; before: {wrong}"
        previewed, updated = steps(done)
        only_updates = {step.split()[0] for step in updated} == {"update"}
        if previewed != updated or not (only_updates if change.does == {UPDATES} else updated == change.does):
            wrong.append(f"{change.what}: previewed {sorted(previewed)}, did {sorted(updated)}")
        said = edited
    assert wrong == []


def _slim(engine: Engine) -> Config:
    """The management stack without what takes time, and with two developers."""
    people = {**_own(engine, "management")["people"], "groups": {"developers": ["alice", "bob"]}}
    identity = {"organizationalUnit": "Identity"}
    return {"audit": {}, "baseline": {}, "accounts": {"identity": identity}, "people": people}


def _own(engine: Engine, stack: str) -> Config:
    """The project's own keys of a stack's config, parsed."""
    file = engine.box.project.root / f"Pulumi.{stack}.yaml"
    config = yaml.safe_load(file.read_text())["config"]
    return {key.removeprefix("twokeys:"): value for key, value in config.items() if key.startswith("twokeys:")}


def _ran(engine: Engine, stack: str, config: Mapping[str, Any], *arguments: str) -> Ran:
    mirror = engine.box.reflect({stack: {f"twokeys:{key}": value for key, value in config.items()}})
    pulumi = find_pulumi()
    assert pulumi is not None
    return run(pulumi, [*arguments, "--stack", stack], mirror, engine.environment)
