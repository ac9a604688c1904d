"""From states to what a map shows. The states in `states/` are of a real update of this program's three stacks.

They were exported from Pulumi's engine, which ran against a local AWS, and cut down to what a state says of resources,
each of them a line.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest

from tests.access.world import HUB, arn, document, trusts, two_keys
from twokeys.access.graph import build
from twokeys.access.judge import Key
from twokeys.access.model.principals import HOLDERS, PrincipalKind
from twokeys.answers.model import Account, Party, State
from twokeys.answers.reading import read as read_answers
from twokeys.answers.sources import together
from twokeys.doors import Who
from twokeys.errors import Refusal
from twokeys.map.model import KINDS, Map, kinds_of
from twokeys.map.page import data
from twokeys.map.scenes import overview

STATES = Path(__file__).parent / "states"
ALL = [STATES / f"{stack}.json" for stack in ("management", "stage", "prod")]


def read(states: list[Path], name: str | None = None) -> Map:
    return Map(read_answers(build(together(states)), name), datetime.now(UTC))


Edit = Callable[[list[dict[str, Any]]], None]


@pytest.fixture
def edited(tmp_path: Path) -> Callable[..., Map]:
    """The organization of the three states after an edit of the resources of one of them."""

    def edited(stack: str, edit: Edit) -> Map:
        states = []
        for path in ALL:
            state = json.loads(path.read_text())
            if path.stem == stack:
                edit(state["deployment"]["resources"])
            states.append(tmp_path / path.name)
            states[-1].write_text(json.dumps(state))
        return read(states)

    return edited


def one(resources: list[dict[str, Any]], type: str, name: str) -> dict[str, Any]:
    (found,) = [each for each in resources if each["type"] == type and each["urn"].endswith(f"::{name}")]
    return found


def trust_of(resources: list[dict[str, Any]], name: str, change: Callable[[str], str]) -> None:
    """Change the trust policy of a role."""
    role = one(resources, "aws:iam/role:Role", name)
    for side in ("inputs", "outputs"):
        role[side]["assumeRolePolicy"] = change(role[side]["assumeRolePolicy"])


def door(whole: Map, account: str, role: str) -> Any:
    (found,) = [each for each in whole.doors if each.target.who == Who("role", account, role)]
    return found


def test_three_stacks_together_show_the_accounts_in_their_units() -> None:
    whole = read(ALL)
    assert whole.answers.name == "Organization o-1637f8ec99"
    assert [(one.id, one.name, one.environment, one.unit) for one in whole.accounts.values()] == [
        ("111111111111", "management", None, ()),
        ("333333333333", "prod", "prod", ("Workloads", "Prod")),
        ("222222222222", "stage", "stage", ("Workloads", "Stage")),
    ]
    assert whole.units == (("Workloads",), ("Workloads", "Prod"), ("Workloads", "Stage"))


def test_three_stacks_together_show_each_door_with_both_keys_and_why_it_is_there() -> None:
    whole = read(ALL)
    declared = [found for found in whole.doors if "by AWS's access role" not in kinds_of(found)]
    assert [(found.source.who.label, found.target.who.account, found.target.who.name) for found in declared] == [
        ("role ci", "333333333333", "deployer"),
        ("user alice", "333333333333", "read-only"),
        ("role ci", "222222222222", "deployer"),
        ("user alice", "222222222222", "developer"),
    ]
    assert {found.lacks for found in declared} == {"both keys"}
    assert {(found.state, found.lacks) for found in whole.doors if found not in declared} == {
        (State.UNPROVED, "grant not shown")
    }
    developer = door(whole, "222222222222", "developer")
    assert (developer.declared.name, developer.declared.owner, developer.declared.reason) == (
        "stage-developer",
        "platform",
        "Looking into what runs on stage",
    )
    assert (developer.max_session_seconds, developer.conditions) == (14400, ("MFA",))
    explained = data(whole)["doors"][whole.doors.index(developer)]["explanation"]
    assert "trust key: trust policy of role developer, statement 0" in explained


def test_a_group_is_shown_as_who_is_in_it() -> None:
    alice, developers = Who("user", "111111111111", "alice"), Who("group", "111111111111", "developers")
    assert read(ALL).memberships == ((alice, developers),)


def test_a_door_whose_grant_is_gone_lacks_it_and_says_the_next_step(edited) -> None:
    def without_grant(resources: list[dict[str, Any]]) -> None:
        resources.remove(one(resources, "aws:iam/rolePolicy:RolePolicy", "stage-deployer-grant"))

    whole = edited("stage", without_grant)
    broken = door(whole, "222222222222", "deployer")
    assert (broken.trust, broken.grant, broken.state) == (Key.PRESENT, Key.MISSING, State.SHUT)
    assert broken.lacks == "no grant"
    assert "Next step: " in data(whole)["doors"][whole.doors.index(broken)]["explanation"]


def test_a_door_whose_trust_names_somebody_else_lacks_the_trust(edited) -> None:
    def other_trust(resources: list[dict[str, Any]]) -> None:
        trust_of(resources, "stage-deployer", lambda trust: trust.replace(":role/ci", ":role/cd"))

    doors = [each for each in edited("stage", other_trust).doors if each.target.who.name == "deployer"]
    doors = [each for each in doors if each.target.who.account == "222222222222"]
    states = {each.source.who.name: (each.trust, each.grant) for each in doors}
    assert states["ci"] == (Key.MISSING, Key.PRESENT)
    assert states["cd"] == (Key.PRESENT, Key.MISSING)


def test_a_trust_in_an_account_that_no_stack_shows_is_a_door_from_outside(edited) -> None:
    def vendor(resources: list[dict[str, Any]]) -> None:
        trust_of(resources, "stage-deployer", lambda trust: trust.replace("111111111111:role/ci", "999999999999:root"))

    whole = edited("stage", vendor)
    found = next(each for each in whole.doors if each.source.who.account == "999999999999")
    assert (found.source.who.kind, found.lacks) == ("root", "trust; the grant is not ours")
    assert whole.accounts["999999999999"] == Account("999999999999", "999999999999", None, None)


def test_nothing_is_proved_of_a_role_whose_account_is_not_pinned(edited) -> None:
    def unpinned(resources: list[dict[str, Any]]) -> None:
        provider = one(resources, "pulumi:providers:aws", "stage")
        for side in ("inputs", "outputs"):
            for key in ("assumeRoles", "allowedAccountIds"):
                provider[side].pop(key, None)
        provider["propertyDependencies"] = {}
        for each in resources:
            if each.get("provider", "").startswith(provider["urn"]):
                each.get("outputs", {}).pop("arn", None)

    whole = edited("stage", unpinned)
    found = [each for each in whole.doors if "unpinned" in each.target.who.account]
    assert found
    assert all(each.state is State.UNPROVED for each in found)
    assert Who("everyone", "") not in whole.principals
    assert any("not pinned" in account.name for account in whole.accounts.values())


def test_a_stack_alone_places_its_accounts_by_what_the_management_stack_exports_and_a_name_can_be_given() -> None:
    whole = read([STATES / "stage.json"], "Example Ltd")
    assert whole.answers.name == "Example Ltd"
    assert whole.accounts["222222222222"].unit == ("Workloads", "Stage")


def test_an_account_that_the_organization_lists_but_no_stack_has_is_shown(edited) -> None:
    def listed(resources: list[dict[str, Any]]) -> None:
        found = one(resources, "aws:organizations/organization:Organization", "organization")
        found["outputs"]["accounts"] = [{"id": "444444444444", "name": "sandbox"}]

    assert ("444444444444", "sandbox") in [(one.id, one.name) for one in edited("management", listed).accounts.values()]


def test_units_that_go_in_a_circle_do_not_hang_the_map(edited) -> None:
    def circle(resources: list[dict[str, Any]]) -> None:
        unit = one(resources, "aws:organizations/organizationalUnit:OrganizationalUnit", "Workloads")
        unit["outputs"]["parentId"] = unit["inputs"]["parentId"] = unit["id"]

    assert edited("management", circle).units


def test_an_external_id_is_named_as_a_requirement(edited) -> None:
    trust = document(trusts(arn(HUB, "user/alice"), condition={"StringEquals": {"sts:ExternalId": "s3cret"}}))

    def external_id(resources: list[dict[str, Any]]) -> None:
        trust_of(resources, "stage-developer", lambda _: trust)

    assert door(edited("stage", external_id), "222222222222", "developer").conditions == ("external ID",)


@pytest.mark.parametrize("content", ["", "[]", "not json", '{"version": 3}'])
def test_a_file_that_is_no_state_is_refused_by_name(tmp_path: Path, content: str) -> None:
    path = tmp_path / "broken.json"
    path.write_text(content)
    with pytest.raises(Refusal) as refused:
        read([path])
    assert refused.value.where == str(path)


def test_a_root_session_is_a_kind_of_way_of_its_own() -> None:
    found = read_answers(two_keys().graph)
    way, *_ = found.ways
    root = Party(Who("root-user", way.account, "root"))
    way = replace(way, steps=(*way.steps[:-1], replace(way.steps[-1], target=root)))
    assert "by a root session" in kinds_of(way)


def test_each_kind_of_principal_has_its_words_in_the_filter_and_a_name_that_people_say() -> None:
    missing = set(get_args(PrincipalKind)) - KINDS.keys()
    assert not missing, f"twokeys/map/model.py: say in KINDS how {missing} come in"
    raw = {kind for kind in KINDS.keys() - {*HOLDERS} if Who(kind, "", "x").label == f"{kind} x"}
    assert not raw, f"twokeys/doors/who.py: say in Who.label what people call {raw}"


def test_a_closed_account_says_so_on_the_map() -> None:
    """https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_close.html"""
    world, old = two_keys(), "333333333333"
    listed = [{"id": HUB, "name": "hub"}, {"id": old, "name": "old", "status": "SUSPENDED"}]
    about = {"id": "o-a1b2c3d4e5", "masterAccountId": HUB, "accounts": listed}
    world.add("Organization", "org", world.hub, outputs=about)
    scene = overview(Map(read_answers(world.graph), datetime.now(UTC)))
    (closed,) = (box for outer in scene.boxes for box in outer.children if box.about == (old,))
    assert closed.lines == ("old", old, "closed")
