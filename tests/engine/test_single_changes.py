"""A preview shows what a change changes, and the update then does just that.

Each step is one edit of the example's config on stacks that are up. Expected are the operations that the edit asks for,
as Pulumi names them (https://www.pulumi.com/docs/iac/concepts/how-pulumi-works/).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

import pytest
import yaml

from tests.engine.conftest import Engine
from twokeys.sandbox.get_pulumi import find_pulumi
from twokeys.sandbox.pulumi_events import Ran, run

pytestmark = [pytest.mark.engine, pytest.mark.timeout(1800)]

Config = dict[str, Any]
Change = tuple[str, str, Callable[[Config], object], set[str]]

DOOR = {
    "from": {"role": "ci"},
    "to": {"role": "reader"},
    "permissions": {"managedPolicies": ["arn:aws:iam::aws:policy/ReadOnlyAccess"]},
    "reason": "Looking in",
    "owner": "platform",
}
UNIT, POLICY = "organizationalUnit:OrganizationalUnit", "policy:Policy"
FEW: list[Change] = [
    (
        "an organizational unit",
        "management",
        lambda config: config["organization"]["organizationalUnits"].update({"Workloads/Test": {}}),
        {f"create {UNIT} Workloads/Test"},
    ),
    ("a user", "management", lambda config: config["people"]["users"].append("carol"), {"create user:User carol"}),
    (
        "a tag of an account",
        "management",
        lambda config: config["accounts"]["security"].update({"tags": {"team": "security"}}),
        {"update account:Account security"},
    ),
    (
        "a budget",
        "stage",
        lambda config: config["accounts"]["stage"]["budget"].update({"monthly": 600}),
        {"update budget:Budget stage"},
    ),
    (
        "a door",
        "stage",
        lambda config: config["doors"].update({"look": DOOR}),
        {
            "create access:CrossAccountAccess look",
            "create role:Role look",
            "create rolePolicyAttachment:RolePolicyAttachment look-ReadOnlyAccess",
            "create rolePolicy:RolePolicy look-grant",
        },
    ),
    (
        "what a door allows",
        "stage",
        lambda config: config["doors"]["stage-developer"]["permissions"]["statements"][0].update({"Sid": "Queries"}),
        # The component declares its documents, so it changes with them.
        {
            "update access:CrossAccountAccess stage-developer",
            "update rolePolicy:RolePolicy stage-developer-permissions",
        },
    ),
]


def test_each_single_change_shows_itself_and_nothing_else(engine: Engine) -> None:
    said = {stack: _own(engine, stack) for stack in ("management", "stage")}
    for stack, config in said.items():
        assert _updated(engine, stack, config).code == 0
    for what, stack, edit, expected in FEW:
        said[stack] = deepcopy(said[stack])
        edit(said[stack])
        previewed = engine.previewed(stack, _overrides(said[stack]))
        assert previewed.code == 0, f"{what}: {previewed.errors}"
        assert _steps(previewed) == expected, what
        done = _updated(engine, stack, said[stack])
        assert done.code == 0, f"{what}: {done.errors}"
        assert _steps(done) == expected, what


def _own(engine: Engine, stack: str) -> Config:
    """The project's own keys of a stack's config, parsed."""
    file = engine.box.project.root / f"Pulumi.{stack}.yaml"
    config = yaml.safe_load(file.read_text())["config"]
    return {key.removeprefix("twokeys:"): value for key, value in config.items() if key.startswith("twokeys:")}


def _overrides(config: Mapping[str, Any]) -> dict[str, Any]:
    return {f"twokeys:{key}": value for key, value in config.items()}


def _updated(engine: Engine, stack: str, config: Mapping[str, Any]) -> Ran:
    mirror = engine.box.reflect({stack: _overrides(config)})
    pulumi = find_pulumi()
    assert pulumi is not None
    arguments = ["up", "--yes", "--skip-preview", "--stack", stack, "--policy-pack", str(mirror / "policies")]
    return run(pulumi, arguments, mirror, engine.environment)


def _steps(ran: Ran) -> set[str]:
    """`create user:User carol` for each resource of ours or of AWS that does not stay the same."""
    found = [one["resourcePreEvent"]["metadata"] for one in ran.events if "resourcePreEvent" in one]
    return {
        f"{step['op']} {step['type'].split('/')[-1].removeprefix('twokeys:')} {step['urn'].rpartition('::')[2]}"
        for step in found
        if step["op"] != "same" and not step["type"].startswith("pulumi:pulumi:")
    }
