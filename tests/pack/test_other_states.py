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
from pulumi.runtime.proto.analyzer_pb2 import ADVISORY, MANDATORY, POLICY_SEVERITY_HIGH

from tests.access.world import CI, DEPLOYER, HUB, OUTSIDE, STAGE, World, arn, document, grants, trusts, two_keys
from tests.pack.engine_requests import Engine
from twokeys.access.graph import Graph, build
from twokeys.access.reading.snapshot import Resource, Snapshot
from twokeys.access.rules import RULES
from twokeys.errors import Refusal
from twokeys.pack.other_states import Beside, other_states

TOOLS = "urn:pulumi:tools::central::"
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:x"}
SELF = arn(STAGE, "root")
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
BETWEEN = {"closed": [{"from": "stage", "to": "prod"}], "accounts": {HUB: "stage", STAGE: "prod"}}
CLOSED: dict[str, Any] = {"environments-isolated": BETWEEN}
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


def elsewhere(made: dict[str, Any]) -> list[dict[str, Any]]:
    """A resource of the other state in an account of its own, with its provider."""
    provider = resource("pulumi:providers:aws", "elsewhere", provider=False)
    return [provider, {**made, "provider": f"{provider['urn']}::1"}]


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


def central(*granted: str) -> World:
    """The stack `tools` as a program: role ci in account HUB, and what it is granted."""
    world = World()
    world.role("ci", world.hub, document(trusts(arn(HUB, "root"))))
    if granted:
        world.grant("ci", world.hub, *granted)
    world.resources.remove(world.stage)
    return world


def deployer(*trusted: str) -> dict[str, Any]:
    """The role deployer as the other state shows it."""
    trust = document(trusts(*trusted))
    return resource("aws:iam/role:Role", "deployer", name="deployer", arn=DEPLOYER, assumeRolePolicy=trust)


def excepted(rule: str, stack: str | None = None, expires: str = "2099-12-31") -> dict[str, Any]:
    one = {"door": f"{CI} -> {DEPLOYER}", "reason": "first half", "owner": "platform", "expires": expires}
    return {rule: {"exceptions": [one | ({"stack": stack} if stack else {})]}}


@pytest.fixture
def was(tmp_path: Path) -> Callable[[World], dict[str, Any]]:
    """Writes the state before of the stack itself; gives the configuration that names it."""

    def write(world: World) -> dict[str, Any]:
        held = [
            {
                "urn": one.urn,
                "type": one.type,
                "id": one.name,
                "custom": True,
                "external": one.stays,
                "inputs": one.inputs,
                "outputs": one.inputs,
                **({"provider": f"{one.provider}::1"} if one.provider else {}),
            }
            for one in world.resources
        ]
        text = json.dumps({"version": 3, "deployment": {"manifest": {"time": WRITTEN}, "resources": held}})
        (tmp_path / "before.json").write_text(text)
        return {"doors-changed": {"state": str(tmp_path / "before.json")}}

    return write


def said(world: World, config: dict[str, Any], rule: str) -> str:
    """What preview says by a rule."""
    return "\n".join(one.message for one in Engine(config).analyze(world.resources) if one.policyName == rule)


def refused(world: World, config: dict[str, Any], *, preview: bool) -> list[str]:
    found = Engine(config, preview=preview).analyze(world.resources)
    return sorted({one.policyName for one in found} - {"other-stacks", "doors-changed"})


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
    assert refused(central(DEPLOYER), states(default_provider(), deployer(CI)), preview=preview) == []
    others = states(default_provider(), deployer(arn(STAGE, "root")))
    assert refused(central(DEPLOYER), others, preview=preview) == ["door-needs-trust"]
    assert "add it to central/tools, in which it is not (if its state is old, export it again)" in said(
        central(arn(STAGE, "role/gone")), others, "door-needs-trust"
    )


def test_a_wide_open_trust_is_refused_whatever_the_other_stack_holds(states: States, preview: bool) -> None:
    assert "wildcard-trust" in refused(app(CI, "*"), states(*ci(DEPLOYER)), preview=preview)


def test_a_closed_way_between_environments_is_seen_through_the_other_stack(states: States, preview: bool) -> None:
    config = {**states(*ci(DEPLOYER)), **CLOSED}
    assert refused(app(), config, preview=preview) == ["environments-isolated"]
    assert in_the_gate(app(), config) == ["environments-isolated"]


def test_a_grant_that_completes_a_closed_way_is_refused(states: States, preview: bool) -> None:
    config = {**states(default_provider(), deployer(CI)), **CLOSED}
    for granted in (DEPLOYER, arn(STAGE, "role/deploy*")):
        assert "environments-isolated" in refused(central(granted), config, preview=preview)
        assert "environments-isolated" in in_the_gate(central(granted), config)
    assert in_the_gate(central(arn(STAGE, "role/other")), config) == []
    assert refused(central(), config, preview=preview) == ["door-needs-grant"]
    assert in_the_gate(central(DEPLOYER), states(default_provider(), deployer(CI))) == []
    assert in_the_gate(central(DEPLOYER), states(default_provider(), deployer(SELF))) == []  # its trust may come


@pytest.mark.parametrize("by", ["attachment", "managedPolicyArns", "inline", "group", "boundary"])
def test_whatever_gives_the_grant_completes_a_closed_way(
    states: States, was: Callable[[World], dict[str, Any]], by: str, preview: bool
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html"""
    world, config = central(), {**states(default_provider(), deployer(CI, arn(HUB, "user/ann"))), **CLOSED}
    role = world.resources[-1]
    if by == "attachment":
        last = world.add("RolePolicyAttachment", "last", world.hub, role="ci", policyArn=ADMINISTRATOR)
    elif by == "managedPolicyArns":
        last = world.change(role, inputs={**(role.inputs or {}), "managedPolicyArns": [ADMINISTRATOR]})
    elif by == "inline":
        last = world.add("RolePolicy", "last", world.hub, role="ci", policy=document(grants("*", action="*")))
    elif by == "group":
        world.add("User", "ann", world.hub, name="ann")
        world.add("Group", "all", world.hub, name="all")
        world.add("GroupPolicy", "enter", world.hub, group="all", policy=document(grants(DEPLOYER)))
        last = world.add("UserGroupMembership", "last", world.hub, user="ann", groups=["all"])
    else:
        world.add("Policy", "limit", world.hub, name="limit", policy=document(grants("*", action="s3:*")))
        given = world.grant("ci", world.hub, DEPLOYER)
        world.resources.append(world.resources.pop(world.resources.index(role)))
        world.change(role, inputs={**(role.inputs or {}), "permissionsBoundary": arn(HUB, "policy/limit")})
        config |= was(world)
        assert "environments-isolated" not in in_the_gate(world, config) + refused(world, config, preview=preview)
        assert given in world.resources
        last = world.change(world.resources[-1], inputs=role.inputs)
    assert "environments-isolated" in refused(world, config, preview=preview)
    engine, by_urn = Engine(config, preview=False), {one.urn: one for one in world.resources}
    found = {one.urn: [each.policyName for each in engine.judge(one, by_urn)] for one in world.resources}
    assert "environments-isolated" in found.pop(last.urn)
    assert not any("environments-isolated" in each for each in found.values())


def test_a_closed_way_through_this_stack_is_refused_wherever_it_begins_and_ends(states: States, preview: bool) -> None:
    """Roles can be chained: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining"""
    deep = arn(OUTSIDE, "role/deep")
    last = resource("aws:iam/role:Role", "deep", name="deep", arn=deep, assumeRolePolicy=document(trusts(DEPLOYER)))
    accounts = {HUB: "stage", STAGE: "shared", OUTSIDE: "prod"}
    closed = {"environments-isolated": {"closed": [{"from": "stage", "to": "prod"}], "accounts": accounts}}
    world = app()
    config = {**states(*ci(DEPLOYER), *elsewhere(last)), **closed}
    assert refused(world, config, preview=preview) == ["door-needs-grant"]  # the trust of deep waits for its grant
    assert in_the_gate(world, config) == []
    world.grant("deployer", world.stage, deep)
    assert refused(world, config, preview=preview) == ["environments-isolated"]
    assert in_the_gate(world, config) == ["environments-isolated"]


def test_a_grant_to_a_role_of_another_stack_completes_a_closed_way(states: States, preview: bool) -> None:
    world = central()
    world.resources.pop()
    config = {**states(*ci(), *elsewhere(deployer(CI))), **CLOSED}
    assert refused(world, config, preview=preview) == in_the_gate(world, config) == []
    world.grant("ci", world.hub, DEPLOYER)
    assert refused(world, config, preview=preview) == in_the_gate(world, config) == ["environments-isolated"]


def test_a_trust_made_from_a_role_whose_grant_is_in_the_named_state_is_left_to_the_update(states: States) -> None:
    world, enter, theirs = app(), ci(arn(STAGE, "role/late"))[-1], default_provider(allowedAccountIds=[HUB])
    made = world.role("ci", world.provider("hub", HUB))
    world.add("Role", "late", world.stage, name="late", made_from={"assumeRolePolicy": [made]})
    del world.resources[1]
    assert refused(world, states(theirs), preview=True) == ["unproved-door"]
    assert refused(world, states(theirs, enter), preview=True) == ["judged-in-the-update"]


def test_a_resource_is_judged_with_what_bears_on_it_in_the_other_stacks(
    states: States, monkeypatch: pytest.MonkeyPatch
) -> None:
    names, sizes = [f"r{number}" for number in range(20)], []

    def counted(snapshot: Snapshot, **settings: Any) -> Graph:
        sizes.append(len(snapshot.resources))
        return build(snapshot, **settings)

    monkeypatch.setattr("twokeys.pack.other_states.build", counted)
    theirs = [
        resource("aws:iam/role:Role", f"d-{name}", name=f"d-{name}", arn=arn(STAGE, f"role/d-{name}"), **trust)
        for name in names
        for trust in [{"assumeRolePolicy": document(trusts(arn(HUB, f"role/{name}")))}]
    ]
    world = central()
    for name in names:
        world.role(name, world.hub)
        world.grant(name, world.hub, arn(STAGE, f"role/d-{name}"))
    assert in_the_gate(world, states(default_provider(), *theirs)) == []
    assert len([size for size in sizes if size > len(names)]) == 1  # the first tells of an account


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
    ("text", "why"), [(None, "No such file"), ("\xff", "not JSON"), ('{"version": 9, "deployment": {}}', "version 9")]
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
        other_states({"other-stacks": settings}, "urn:pulumi:app::app")


@pytest.mark.parametrize("empty", [None, {}, {"resources": []}])
def test_a_stack_that_is_still_empty_has_no_key(tmp_path: Path, empty: object, preview: bool) -> None:
    """`pulumi stack init` makes one: https://www.pulumi.com/docs/iac/cli/commands/pulumi_stack_init/"""
    (tmp_path / "app.json").write_text(json.dumps({"version": 3, "deployment": empty}))
    config = {"other-stacks": {"states": [str(tmp_path / "app.json")]}}
    assert refused(central(), config, preview=preview) == []
    assert refused(central(DEPLOYER), config, preview=preview) == ["unproved-door"]
    excuse = excepted("unproved-door", "twokeys/stage")
    assert refused(central(DEPLOYER), config | excuse, preview=preview) == []


def test_a_first_door_is_made_grant_first_by_the_exception_that_the_refusal_offers(
    states: States, preview: bool
) -> None:
    """IAM takes no trust in a role that is not there, and a grant of one opens nothing without it.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    """
    without = states(default_provider(), resource("aws:s3/bucket:Bucket", "b", arn="arn:aws:s3:::b"), deployer(SELF))
    (refusal,) = [
        one for one in Engine(without).analyze(central(DEPLOYER).resources) if one.policyName == "door-needs-trust"
    ]
    offered = json.loads(refusal.message[refusal.message.index("{") :].rstrip(". "))
    (one,) = offered["door-needs-trust"]["exceptions"]
    one["expires"] = "2099-12-31"
    assert refused(central(DEPLOYER), without | offered, preview=preview) == []
    assert "which goes first" in said(app(), states(*ci()), "door-needs-grant")
    assert refused(app(), states(*ci(DEPLOYER)) | offered, preview=preview) == [
        "door-needs-trust"
    ]  # its stack is `app`
    with_trust = states(default_provider(), deployer(CI))
    assert refused(central(DEPLOYER), with_trust, preview=preview) == []
    assert "is not used" in said(central(DEPLOYER), with_trust | offered, "door-needs-trust")


def test_a_rule_that_fails_on_what_a_change_makes_is_no_pass_beside_the_others() -> None:
    def broken(graph: Graph, *_: object) -> list[Any]:
        if any(graph.roles):
            raise RuntimeError("boom")
        return []

    beside = Beside(Snapshot(()), {}, [replace(RULES[0], check=broken)])
    (failed,) = beside.completed(Snapshot(()), app().snapshot, None)
    assert "boom" in failed.message


def test_an_exception_counts_for_the_rule_that_refuses_beside_the_other_stack(states: States, preview: bool) -> None:
    others = states(*ci())
    assert refused(app(), others | excepted("door-needs-grant"), preview=preview) == []
    assert in_the_gate(app(), others | excepted("door-needs-grant")) == []
    assert refused(app(), others | excepted("external-id"), preview=preview) == ["door-needs-grant", "external-id"]
    assert in_the_gate(app(), others | excepted("external-id")) == ["door-needs-grant"]
    assert "is not used" in said(app(), others | excepted("external-id"), "external-id")
    assert "is not used" in said(app(), states(*ci(DEPLOYER)) | excepted("door-needs-grant"), "door-needs-grant")
    assert "expired on" in said(app(), others | excepted("door-needs-grant", expires="2026-01-01"), "door-needs-grant")


def test_an_exception_of_another_rule_counts_for_the_door_that_both_stacks_show(states: States, preview: bool) -> None:
    closed = {"closed": [{"from": "stage", "to": "prod"}], "accounts": {HUB: "stage", STAGE: "prod"}}
    rule = {"environments-isolated": closed | excepted("environments-isolated")["environments-isolated"]}
    assert refused(app(), states(*ci(DEPLOYER)) | rule, preview=preview) == []
    assert refused(app(), states(*ci(DEPLOYER)) | excepted("environments-isolated"), preview=preview) == [
        "environments-isolated"
    ]


def test_an_exception_of_the_other_stack_is_passed_over(states: States, preview: bool) -> None:
    for rule in ("door-needs-trust", "unproved-door"):
        assert refused(app(), states(*ci(DEPLOYER)) | excepted(rule), preview=preview) == []
    expired = excepted("door-needs-trust", expires="2026-01-01")
    assert refused(app(), states(*ci(DEPLOYER)) | expired, preview=preview) == []


@pytest.mark.parametrize("key", ["trust", "grant"])
def test_the_door_that_a_change_completes_or_takes_apart_is_listed(
    states: States, was: Callable[[World], dict[str, Any]], key: str
) -> None:
    """As `twokeys access diff BEFORE AFTER --state OTHER` lists it."""
    if key == "trust":
        half, whole, others = app(SELF), app(SELF, CI), states(*ci(DEPLOYER))
    else:
        half, whole, others = central(), central(DEPLOYER), states(default_provider(), deployer(CI))
    new = World()
    new.resources.clear()
    for before in (half, new) if key == "trust" else (half,):  # of an account not shown, a trust alone counts as open
        gained = said(whole, others | was(before), "doors-changed")
        assert "\n+ role ci of " in gained
        assert f"-> role deployer of {STAGE}" in gained
        assert "not shown to be in the organization" not in gained
    assert "\n- role ci of " in said(half, others | was(whole), "doors-changed")
    assert said(whole, others | was(whole), "doors-changed") == ""


def test_of_a_stack_that_is_new_every_way_is_gained(was: Callable[[World], dict[str, Any]]) -> None:
    (new := World()).resources.clear()
    assert f"\n+ role ci of management -> role deployer of {STAGE}" in said(two_keys(), was(new), "doors-changed")


def test_a_trust_widened_to_the_account_is_said_and_takes_no_door_away(
    states: States, was: Callable[[World], dict[str, Any]]
) -> None:
    wider, narrow, others = app(arn(HUB, "root")), app(CI), states(*ci(DEPLOYER))
    widened = said(wider, others | was(narrow), "doors-changed")
    assert f"trust policy of role deployer of {STAGE}: gained account management as a whole" in widened
    assert "role ci" not in widened
    assert "lost account management as a whole" in said(narrow, others | was(wider), "doors-changed")


def test_a_grant_is_not_taken_from_a_trust_that_stands_in_another_state(
    states: States, was: Callable[[World], dict[str, Any]]
) -> None:
    others = states(default_provider(), deployer(CI))
    for before in ({}, was(central(DEPLOYER))):
        text = said(central(), others | before, "door-needs-grant")
        assert "take that trust away first" in text
        assert "tools.json" in text
        assert refused(central(), others | before | excepted("door-needs-grant", "stage"), preview=True) == []
    assert refused(central(), others | was(central()), preview=True) == []  # the other stack's own half
    nothing = World()
    nothing.resources.clear()
    nothing.add("OtherStack", "left")
    assert refused(nothing, others | was(central(DEPLOYER)), preview=True) == ["external-id"]  # its account is gone too


def test_a_trust_may_be_taken_first_and_the_grant_that_is_left_is_said(
    states: States, was: Callable[[World], dict[str, Any]]
) -> None:
    others = states(*ci(DEPLOYER))
    gone = app(SELF)
    (left,) = [
        one for one in Engine(others | was(app(CI))).analyze(gone.resources) if one.policyName == "door-needs-trust"
    ]
    assert (left.enforcementLevel, left.severity) == (ADVISORY, POLICY_SEVERITY_HIGH)
    assert "take that grant away in its stack too" in left.message
    assert "tools.json" in left.message
    assert refused(gone, others | was(gone), preview=True) == []


def test_a_control_policy_that_closed_a_way_of_other_stacks_is_not_loosened(
    states: States, was: Callable[[World], dict[str, Any]], preview: bool
) -> None:
    """An SCP limits the accounts that it is attached to, whichever stack made what is in them.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html
    """

    def guardrails(action: str) -> World:
        world = World()
        world.resources.clear()
        management = world.provider("management", OUTSIDE, assume=False)
        said = {"name": "scp", "content": document(grants("*", effect="Deny", action=action)), "id": "p-1"}
        world.add("ControlPolicy", "scp", management, **said)
        world.add("ControlPolicyAttachment", "scp", management, policyId="p-1", targetId=HUB)
        return world

    closed, loosened = guardrails("sts:AssumeRole"), guardrails("s3:*")
    config = {**states(*ci(DEPLOYER), *elsewhere(deployer(CI))), **CLOSED}
    assert refused(closed, config | was(closed), preview=preview) == []
    assert "environments-isolated" in refused(loosened, config | was(closed), preview=preview)
    assert refused(loosened, config | was(loosened), preview=preview) == []  # it is the other stacks' own


def guarded(kind: str, *, shut: bool = True, attached: bool = True, own: bool = False, at: str = "") -> World:
    """A stack that attaches an SCP to account HUB or an RCP to account STAGE, if nothing else, and may make role ci."""
    world, rcp = World(), kind.startswith("RESOURCE")
    world.resources.clear()
    management = world.provider("management", OUTSIDE, assume=False)
    if own:
        world.role("ci", world.provider("hub", HUB), document(trusts(arn(HUB, "root"))))
    deny = {**grants("*", effect="Deny", action="sts:AssumeRole"), **({"Principal": "*"} if rcp else {})}
    content = document(deny if shut else {**deny, "Action": "s3:*"})
    world.add("ControlPolicy", "cp", management, name="cp", content=content, type=kind, id="p-1")
    if attached:
        world.add("ControlPolicyAttachment", "at", management, policyId="p-1", targetId=at or (STAGE if rcp else HUB))
    return world


KINDS = pytest.mark.parametrize("kind", ["SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"])


@KINDS
@pytest.mark.parametrize("own", [True, False], ids=["own role", "theirs"])
def test_a_control_policy_that_shuts_doors_of_other_stacks_is_refused_once_where_it_is_made(
    states: States, was: Callable[[World], dict[str, Any]], kind: str, own: bool, preview: bool
) -> None:
    """Both bind an account whichever stack made what is in it, an RCP also the trusts there.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
    """
    rcp = kind.startswith("RESOURCE")
    second = arn(STAGE, "role/second")
    more = resource("aws:iam/role:Role", "second", name="second", arn=second, assumeRolePolicy=document(trusts(CI)))
    provider, role, given = ci(DEPLOYER, second)
    provider["inputs"] = provider["outputs"] = {"allowedAccountIds": [HUB]}
    enters = {
        "allowedAccountIds": [STAGE],
        "assumeRoles": [{"roleArn": arn(STAGE, "role/OrganizationAccountAccessRole")}],
    }
    theirs = elsewhere(deployer(CI))
    theirs[0]["inputs"] = theirs[0]["outputs"] = enters
    others = states(provider, *([] if own else [role]), given, *theirs, {**more, "provider": theirs[1]["provider"]})
    shut = guarded(kind, own=own)
    step = f"narrow the Deny of {'RCP' if rcp else 'SCP'} cp at account"
    for before in (guarded(kind, shut=False, own=own), guarded(kind, attached=False, own=own)):
        config = others | was(before)
        said = Engine(config, preview=preview).analyze(shut.resources)
        found = [one for one in said if one.enforcementLevel == MANDATORY]
        key = [one for one in found if one.policyName == f"door-needs-{'trust' if rcp else 'grant'}"]
        assert [(step in one.message, "with 1 more" in one.message) for one in key] == [(True, True)]
        assert [one.policyName for one in found if one not in key] == ["provider-enters-its-account"] * rcp
        assert preview or sorted(in_the_gate(shut, config)) == sorted(one.policyName for one in found)
    assert refused(shut, others | was(shut), preview=preview) == []


@KINDS
def test_what_a_control_policy_may_shut_is_said_where_no_state_of_another_stack_is_named(
    was: Callable[[World], dict[str, Any]], kind: str
) -> None:
    """Also where nobody tells what was; what denies nobody a role, or only root users, shuts nothing.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_examples_general.html
    """
    shut, loose = guarded(kind), guarded(kind, shut=False)
    at = f"{'RCP cp at account ' + STAGE if kind.startswith('RESOURCE') else 'SCP cp at account ' + HUB} denies it"
    for config in ({}, was(loose), was(guarded(kind, attached=False))):
        (found,) = [one for one in Engine(config).analyze(shut.resources) if one.policyName == "other-stacks"]
        assert (found.enforcementLevel, at in found.message) == (ADVISORY, True)
        assert f"each stack that makes roles or grants in {at.split()[4]} in the config" in found.message
    assert said(shut, was(shut), "other-stacks") == said(loose, {}, "other-stacks") == ""
    assert "or grants there in" in said(guarded(kind, at="ou-ab12-cd345678"), {}, "other-stacks")
    for one in [one for one in shut.resources if one.name == "cp" and kind.startswith("RESOURCE")]:
        spares = {"Condition": {"StringNotEquals": {"aws:PrincipalAccount": OUTSIDE}}}  # the management account
        content = {
            "content": document(grants("*", effect="Deny", action="sts:AssumeRole") | {"Principal": "*"} | spares)
        }
        sparing = guarded(kind)
        sparing.role("ci", sparing.provider("hub", HUB))
        sparing.change(one, inputs={**(one.inputs or {}), **content}, outputs={**one.outputs, **content})
        assert at in said(sparing, {}, "other-stacks")
    root = {"Condition": {"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:root"}}}
    deny = {"Effect": "Deny", "Action": "*", "Resource": "*", **root}
    for one in [one for one in shut.resources if one.name == "cp"]:
        content = {"content": document({**deny, "Principal": "*"} if kind.startswith("RESOURCE") else deny)}
        shut.change(one, inputs={**(one.inputs or {}), **content}, outputs={**one.outputs, **content})
    assert said(shut, {}, "other-stacks") == ""


def test_what_another_stack_tells_of_control_policies_or_is_imported_is_nothing_new(
    was: Callable[[World], dict[str, Any]],
) -> None:
    """An import changes nothing at AWS: https://www.pulumi.com/docs/iac/guides/migration/import/"""
    kind = "SERVICE_CONTROL_POLICY"
    imported, nothing = guarded(kind), guarded(kind)
    nothing.resources[1:] = []
    imported.change(imported.resources[-1], outputs={**imported.resources[-1].outputs, "id": "at"})
    assert said(guarded(kind), was(nothing), "other-stacks")
    assert said(imported, was(nothing), "other-stacks") == ""
    deny = json.loads(document(grants("*", effect="Deny", action="sts:AssumeRole")))
    told = {"name": "cp", "type": kind, "targets": ["ou-ab12-cd345678"], "document": deny}
    world = World()
    world.other_stack("central", "management", {"control_policy_denials": [told]})
    assert said(world, was(nothing), "other-stacks") == said(world, {}, "other-stacks") == ""


def test_a_role_is_not_taken_away_whose_doors_another_stack_makes(
    states: States, was: Callable[[World], dict[str, Any]]
) -> None:
    """A policy is gone with its role: the trust that names it is all that is left.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html
    """
    provider, _, given = ci(DEPLOYER)
    provider["inputs"] = provider["outputs"] = {"allowedAccountIds": [HUB]}
    config = states(provider, given, *elsewhere(deployer(CI))) | was(central())
    without = central()
    without.resources.pop()
    assert refused(central(), config, preview=True) == []
    assert f"\n- role ci of {HUB} -> role deployer of {STAGE}" in said(without, config, "doors-changed")
    step = said(without, config, "door-needs-grant")
    assert "leave the role here" in step
    assert "take that trust away first" in step
    assert "where the role has to go first" in step


def test_that_other_stacks_may_lose_doors_with_who_goes_is_said(was: Callable[[World], dict[str, Any]]) -> None:
    """Of whom enters another account, by a group too, or is exported; not of a role that is renamed or only read.

    https://www.pulumi.com/docs/iac/concepts/state-and-backends/ (`external`: AWS keeps it)
    """

    def advice(before: World, after: World) -> str:
        return said(after, was(before), "other-stacks")

    gone, plain, enters = central(), central(), central(DEPLOYER)
    gone.resources.pop()
    about = advice(enters, gone)
    assert "role ci, which this change takes away" in about
    assert f"each stack that makes roles or grants in {HUB}, {STAGE}" in about
    assert advice(plain, gone) == said(gone, {}, "other-stacks") == advice(enters, plain) == ""
    renamed = central()
    renamed.change(renamed.resources[-1], urn=f"{renamed.resources[-1].urn}-2")
    assert advice(enters, renamed) == ""
    exports = central()
    arns = {"role_arns": {"ci": CI}}
    exports.resources.append(
        Resource("urn:pulumi:stage::twokeys::pulumi:pulumi:Stack::s", "pulumi:pulumi:Stack", "s", inputs=arns)
    )
    assert "role ci" in advice(exports, gone)
    member = World()
    member.add("Group", "admins", member.hub, name="admins")
    member.add("GroupPolicy", "enter", member.hub, group="admins", name="enter", policy=document(grants(DEPLOYER)))
    left, without = World(), list(member.resources)
    member.add("User", "alice", member.hub, name="alice")
    member.add("UserGroupMembership", "in", member.hub, user="alice", groups=["admins"])
    left.resources = without
    assert "user alice, which" in advice(member, left)
    only_read = central(DEPLOYER)
    for one in only_read.resources[-2:]:
        only_read.change(one, stays=True)
    assert advice(only_read, gone) == said(gone, was(only_read), "doors-changed") == ""


def test_what_the_engine_leaves_in_aws_is_not_taken_from_the_doors_of_other_stacks(
    states: States, was: Callable[[World], dict[str, Any]]
) -> None:
    provider, _, given = ci(DEPLOYER)
    provider["inputs"] = provider["outputs"] = {"allowedAccountIds": [HUB]}
    others = states(provider, given, *elsewhere(deployer(CI)))
    before, gone = central(), central()
    gone.resources.pop()
    assert refused(gone, others | was(before), preview=True) == ["door-needs-grant"]
    before.change(before.resources[-1], stays=True)
    assert refused(gone, others | was(before), preview=True) == []
