"""A door to another stack is proved by that stack's state, which the pack's configuration names.

Across accounts both keys are needed, and each stack shows one:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
"""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.access.world import CI, DEPLOYER, HUB, OUTSIDE, STAGE, World, arn, document, grants, trusts
from tests.pack.engine_requests import Engine
from twokeys.access.reading.snapshot import Resource
from twokeys.errors import Refusal
from twokeys.pack.other_states import other_states

TOOLS = "urn:pulumi:tools::central::"
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:x"}
WRITTEN = "2026-11-01T10:00:00Z"
States = Callable[..., dict[str, Any]]


@pytest.fixture(params=[True, False], ids=["preview", "update"])
def preview(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def states(tmp_path: Path) -> States:
    """Writes a state of the stack `tools`; gives the configuration that names it."""

    def write(*resources: dict[str, Any], name: str = "tools.json", **deployment: Any) -> dict[str, Any]:
        manifest = {"time": WRITTEN}
        state = {"version": 3, "deployment": {"manifest": manifest, "resources": list(resources), **deployment}}
        (tmp_path / name).write_text(json.dumps(state))
        return {"other-stacks": {"states": [str(tmp_path / name)]}}

    return write


def resource(kind: str, logical: str, /, *, provider: bool = True, **values: Any) -> dict[str, Any]:
    made = {"urn": f"{TOOLS}{kind}::{logical}", "type": kind, "id": logical, "custom": True, "inputs": values}
    by = {"provider": f"{TOOLS}pulumi:providers:aws::default::1"} if provider else {}
    return {**made, "outputs": values, **by}


def default_provider(**values: Any) -> dict[str, Any]:
    return resource("pulumi:providers:aws", "default", provider=False, **values)


def ci(*granted: str, policy: object = None) -> list[dict[str, Any]]:
    """The stack `tools`: role ci in account HUB by a default provider, and what it is granted."""
    role = resource("aws:iam/role:Role", "ci", name="ci", arn=CI, assumeRolePolicy=document(trusts(arn(HUB, "root"))))
    enter = policy or document(grants(*granted))
    given = resource("aws:iam/rolePolicy:RolePolicy", "enter", role="ci", name="enter", policy=enter)
    return [default_provider(), role, *([given] if granted or policy else [])]


def app(*trusted: str) -> World:
    """The stack `app`: role deployer in account STAGE, and nothing else."""
    world = World()
    world.resources.remove(world.hub)
    world.role("deployer", world.stage, document(trusts(*trusted or (CI,))))
    return world


def refused(world: World, config: dict[str, Any], *, preview: bool) -> list[str]:
    found = Engine(config, preview=preview).analyze(world.resources)
    return sorted({one.policyName for one in found} - {"other-stacks"})


def in_the_gate(world: World, config: dict[str, Any]) -> list[str]:
    """What stops the role before it is made."""
    engine, by_urn = Engine(config, preview=False), {one.urn: one for one in world.resources}
    return [found.policyName for one in world.resources for found in engine.judge(one, by_urn)]


def test_without_the_state_nobody_shows_the_grant(preview: bool) -> None:
    (found,) = Engine(preview=preview).analyze(app().resources)
    assert found.policyName == "external-id"
    assert '{"other-stacks": {"states": ["FILE"]}}' in found.message


def test_a_door_whose_grant_is_in_the_named_state_is_proved(states: States, preview: bool) -> None:
    assert refused(app(), states(*ci(DEPLOYER)), preview=preview) == []


def test_of_when_the_state_is_is_said_in_preview(states: States) -> None:
    found = Engine(states(*ci(DEPLOYER))).analyze(app().resources)
    assert [WRITTEN in one.message and "tools.json" in one.message for one in found] == [True]


@pytest.mark.parametrize("granted", [(), (arn(STAGE, "role/other"),)])
def test_a_state_without_the_grant_proves_nothing(states: States, granted: tuple[str, ...], preview: bool) -> None:
    assert "door-needs-grant" in refused(app(), states(*ci(*granted)), preview=preview)


def test_a_trust_whose_grant_the_state_lacks_is_never_made(states: States) -> None:
    assert in_the_gate(app(), states(*ci())) == ["door-needs-grant"]


def test_a_principal_of_an_account_that_no_state_shows_stays_refused(states: States, preview: bool) -> None:
    outsider = arn(OUTSIDE, "role/ci")
    assert "external-id" in refused(app(CI, outsider), states(*ci(DEPLOYER)), preview=preview)


def test_a_grant_that_is_secret_in_the_state_is_refused_with_its_file(states: States, preview: bool) -> None:
    config = states(*ci(policy=SECRET))
    found = [
        one for one in Engine(config, preview=preview).analyze(app().resources) if one.policyName != "other-stacks"
    ]
    assert {one.policyName for one in found} == {"unproved-door"}
    assert all("tools.json" in one.message and "--show-secrets" in one.message for one in found)


def test_a_grant_that_is_secret_in_the_state_stops_the_role_before_it_is_made(states: States) -> None:
    assert in_the_gate(app(), states(*ci(policy=SECRET))) == ["unproved-door"]


def test_an_update_that_was_stopped_in_the_other_stack_proves_nothing(states: States, preview: bool) -> None:
    provider, role, given = ci(DEPLOYER)
    stopped = {"pending_operations": [{"type": "creating", "resource": given}]}
    assert {"unproved-door", "door-needs-grant"} & {*refused(app(), states(provider, role, **stopped), preview=preview)}


def test_what_is_wrong_in_the_other_stack_alone_is_not_refused_here(states: States, preview: bool) -> None:
    elsewhere = document(trusts(arn(OUTSIDE, "role/x")))
    theirs = resource(
        "aws:iam/role:Role", "theirs", name="theirs", arn=arn(HUB, "role/theirs"), assumeRolePolicy=elsewhere
    )
    assert refused(app(), states(*ci(DEPLOYER), theirs), preview=preview) == []


def test_a_grant_is_proved_by_the_trust_in_the_named_state(states: States, preview: bool) -> None:
    world = World()
    world.role("ci", world.hub)
    world.grant("ci", world.hub, DEPLOYER)
    world.resources.remove(world.stage)

    def deployer(*trusted: str) -> dict[str, Any]:
        trust = document(trusts(*trusted))
        role = resource("aws:iam/role:Role", "deployer", name="deployer", arn=DEPLOYER, assumeRolePolicy=trust)
        return states(default_provider(), role)

    assert refused(world, deployer(CI), preview=preview) == []
    assert refused(world, deployer(arn(STAGE, "root")), preview=preview) == ["door-needs-trust"]


def test_a_wide_open_trust_is_refused_whatever_the_other_stack_holds(states: States, preview: bool) -> None:
    assert "wildcard-trust" in refused(app(CI, "*"), states(*ci(DEPLOYER)), preview=preview)


def test_a_closed_way_between_environments_is_seen_through_the_other_stack(states: States, preview: bool) -> None:
    closed = {"closed": [{"from": "stage", "to": "prod"}], "accounts": {HUB: "stage", STAGE: "prod"}}
    config = {**states(*ci(DEPLOYER)), "environments-isolated": closed}
    assert refused(app(), config, preview=preview) == ["environments-isolated"]
    assert in_the_gate(app(), config) == ["environments-isolated"]


def test_a_state_that_once_read_a_role_of_this_stack_does_not_speak_for_it(states: States, preview: bool) -> None:
    old = resource("aws:iam/role:Role", "old", name="deployer", arn=DEPLOYER, assumeRolePolicy=document(trusts(CI)))
    world = app(arn(OUTSIDE, "role/x"))
    assert "external-id" in refused(world, states(*ci(DEPLOYER), old), preview=preview)


def test_default_providers_of_two_stacks_are_not_in_one_account(states: States, preview: bool) -> None:
    world = app()
    alike = replace(world.stage, name="default", inputs={}, outputs={})
    world.resources[world.resources.index(world.stage)] = alike
    provider, role, given = ci(DEPLOYER)
    del role["inputs"]["arn"]
    assert refused(world, states(provider, {**role, "outputs": role["inputs"]}, given), preview=preview) != []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, "No such file"),
        ("\xff", "not JSON"),
        ('{"version": 9, "deployment": {}}', "version 9"),
        ('{"version": 3, "deployment": {}}', "holds no resource"),
    ],
)
def test_a_state_that_cannot_be_read_is_refused_with_its_name(tmp_path: Path, text: str | None, why: str) -> None:
    file = tmp_path / "tools.json"
    if text is not None:
        file.write_text(text)
    for preview in (True, False):
        found = Engine({"other-stacks": {"states": [str(file)]}}, preview=preview).analyze(app().resources)
        (said,) = [one.message for one in found if one.policyName == "every-rule-ran" and not one.urn][-1:]
        assert "tools.json" in said
        assert why in said
        assert "Next step" in said


def test_a_state_of_this_very_stack_is_refused(states: States, preview: bool) -> None:
    mine: list[Resource] = app().resources
    held = [{"urn": one.urn, "type": one.type, "inputs": one.inputs, "outputs": {}} for one in mine]
    assert "every-rule-ran" in refused(app(), states(*held), preview=preview)


@pytest.mark.parametrize("settings", [{"state": "tools.json"}, {"states": "tools.json"}, {"states": [1]}])
def test_settings_that_name_no_files_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(Refusal, match="list of files"):
        other_states(settings, "urn:pulumi:app::app")
