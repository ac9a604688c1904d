"""Accounts that do not exist yet: the declared documents are judged, and later compared with the real ones."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.access.world import (
    CI,
    DEPLOYER,
    HUB,
    OUTSIDE,
    PROD,
    SERVICE,
    STAGE,
    TYPES,
    World,
    arn,
    document,
    grants,
    trusts,
)
from twokeys.access.declared_doors import DeclaredDoors, who
from twokeys.access.graph import build
from twokeys.access.model.accounts import Accounts
from twokeys.access.model.documents import Documents
from twokeys.access.model.exports import Exported
from twokeys.access.model.membership import join_declared_groups
from twokeys.access.model.principal_policies import read_principals
from twokeys.access.model.principals import Principal, PrincipalKind
from twokeys.access.reading.snapshot import STACK, Evidence, Resource, project_of
from twokeys.doors import ACCOUNT_OUTPUT, MEMBERS_OUTPUT, PEOPLE_OUTPUT, Who, render
from twokeys.iam import UNKNOWN, PolicyDocument

NEW = "account:new"
NEW_ID = "4" * 12
TARGET = f"arn:aws:iam::{NEW}:role/deployer"


def parsed(text: str) -> dict[str, Any]:
    loaded = json.loads(text)
    assert isinstance(loaded, dict)
    return loaded


def symbolic(kind: str, logical: str, account: str, key: str, text: str, /, **properties: str) -> dict[str, Any]:
    return {
        "type": TYPES[kind],
        "name": logical,
        "account": account,
        "property": key,
        "properties": properties,
        "document": parsed(text),
    }


def declared_door(
    trust: str = document(trusts(CI)), grant: str = document(grants(TARGET)), *, ids: dict[str, str] | None = None
) -> tuple[World, Resource]:
    """A door into a new account as the engine shows it: `{}` for what lives there, unless `ids` has the id."""
    world = World()
    inside = world.new_account()
    documents = [
        symbolic("Role", "deployer", NEW, "assumeRolePolicy", trust, name="deployer", path="/"),
        symbolic("RolePolicy", "grant", HUB, "policy", grant, role="ci", name="enter"),
    ]
    component = world.add("Component", "door", symbolicDocuments=documents)
    role = world.add(
        "Role", "deployer", inside, parent=component, outputs={}, name="deployer", assumeRolePolicy=UNKNOWN
    )
    world.add(
        "RolePolicy",
        "grant",
        world.hub,
        parent=component,
        made_from={"policy": [role]},
        **{"role": "ci", "name": "enter"},
    )
    if ids:
        account = next(one for one in world.resources if one.type == TYPES["Account"])
        world.change(account, outputs={**(account.inputs or {}), "id": ids[NEW]})
        for resource in list(world.resources):
            for symbolic_document in documents:
                if resource.name == symbolic_document["name"] and resource.type == symbolic_document["type"]:
                    text = render(symbolic_document["document"], ids)
                    values = {**(resource.inputs or {}), symbolic_document["property"]: text}
                    world.change(resource, inputs=values, outputs=values)
    return world, component


def test_a_declared_door_into_a_new_account_is_proved_before_the_account_exists() -> None:
    world, _ = declared_door()
    assert [finding.text for finding in world.findings()] == []
    (door,) = world.graph.doors
    assert door.id == f"{CI} -> {TARGET}"
    assert door.open


@pytest.mark.parametrize(("trust", "grant", "rules"), [
    (document(trusts(CI)), document(grants(f"arn:aws:iam::{NEW}:role/deployr")), ["door-needs-grant"]),
    (document(trusts(arn(HUB, "role/cd"))), document(grants(TARGET)), ["door-needs-grant", "door-needs-trust"]),
    (document(trusts("*")), document(grants(TARGET)), ["wildcard-trust"]),
])  # fmt: skip
def test_a_declared_door_with_one_key_is_refused_before_the_account_exists(
    trust: str, grant: str, rules: list[str]
) -> None:
    world, _ = declared_door(trust, grant)
    assert set(rules) <= set(world.rules())


def test_a_declaration_covers_only_what_lives_below_its_component() -> None:
    world, _ = declared_door()
    for resource in list(world.resources):
        if resource.name == "grant":
            world.change(resource, parent=None)
    assert world.rules() == ["declared-equals-real", "unproved-door"]


def test_the_same_verdict_comes_from_the_real_documents() -> None:
    world, _ = declared_door(ids={NEW: NEW_ID})
    assert world.rules() == []
    assert [door.target.arn for door in world.graph.doors] == [arn(NEW_ID, "role/deployer")]


def test_the_order_of_lists_and_the_form_of_an_account_are_no_difference() -> None:
    world, _ = declared_door(document(trusts(CI, HUB)), ids={NEW: NEW_ID})
    role = next(one for one in world.resources if one.type == TYPES["Role"])
    text = document(trusts(f"arn:aws:iam::{HUB}:root", CI))
    world.change(role, outputs={**role.outputs, "assumeRolePolicy": text})
    assert world.rules() == []


def test_a_trust_in_everyone_of_aws_does_not_stand_for_one_in_an_identity_provider_beside() -> None:
    world, _ = declared_door(document(trusts("*")), ids={NEW: NEW_ID})
    role = next(one for one in world.resources if one.type == TYPES["Role"])
    both = {**trusts("*"), "Principal": {"AWS": "*", "Federated": arn(NEW_ID, "saml-provider/corp")}}
    world.change(role, outputs={**role.outputs, "assumeRolePolicy": document(both)})
    assert "declared-equals-real" in world.rules()


@pytest.mark.parametrize(("change", "part"), [
    ({"assumeRolePolicy": document(trusts(CI, HUB))}, "says something else"),
    ({"name": "deployer2"}, "its name is declared as deployer, but is deployer2"),
])  # fmt: skip
def test_a_real_resource_that_is_not_as_declared_is_refused(change: dict[str, object], part: str) -> None:
    world, _ = declared_door(ids={NEW: NEW_ID})
    role = next(one for one in world.resources if one.type == TYPES["Role"])
    world.change(role, outputs={**role.outputs, **change})
    messages = [finding.message for finding in world.findings() if finding.rule == "declared-equals-real"]
    assert len(messages) == 1
    assert part in messages[0]


def test_a_declaration_for_another_account_than_the_providers_is_refused() -> None:
    world, _ = declared_door()
    role = next(one for one in world.resources if one.type == TYPES["Role"])
    world.change(role, provider=world.stage.urn)
    assert "declared-equals-real" in world.rules()


def exported(stack_document: dict[str, Any], **more: object) -> dict[str, object]:
    door = {
        "name": "deploy",
        "source": {"kind": "role", "account": HUB, "names": ["ci"]},
        "target": {"account": "3" * 12, "role": "x"},
    }
    return {"doors": [{"name": "deploy", "door": door, "documents": [stack_document]}], **more}


def test_a_grant_here_is_proved_by_the_trust_that_another_stack_exports() -> None:
    world = World()
    world.role("ci", world.hub)
    target = arn("3" * 12, "role/x")
    world.grant("ci", world.hub, target)
    assert world.rules() == ["unproved-door"]
    trust = symbolic("Role", "x", "3" * 12, "assumeRolePolicy", document(trusts(CI)), name="x", path="/")
    world.add("StackReference", "other", name="org/twokeys/prod", outputs={"outputs": exported(trust)})
    assert world.rules() == []


def test_a_stack_that_a_component_repeats_proves_as_its_reference_does_which_it_is_made_from_or_stands_beside() -> None:
    """The engine (pulumi 3.274) shows the component with what it is made from, but no stack reference.

    Both keys: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
    """
    world = World()
    world.role("audited", world.stage, document(trusts(CI)))
    assert world.rules() == ["door-needs-grant"]
    grants_it = document(grants(arn("2" * 12, "role/audited")))
    grant = symbolic("RolePolicy", "g", HUB, "policy", grants_it, role="ci", name="enter")
    repeats = world.other_stack("other", "org/twokeys/prod", exported(grant))
    assert world.rules() == []
    made_up = world.change(repeats, property_dependencies={})
    assert world.rules() == ["door-needs-grant", "unproved-door"]
    assert made_up.urn in [finding.urn for finding in world.check().mandatory]
    world.change(made_up, property_dependencies=repeats.property_dependencies)
    world.add("StackReference", "org/twokeys/prod", name="org/twokeys/prod", outputs={"outputs": {"doors": []}})
    assert world.rules() == ["door-needs-grant"]


def test_a_trust_here_is_proved_by_the_grant_that_another_stack_exports() -> None:
    world = World()
    outside = arn("3" * 12, "role/auditor")
    role = arn("2" * 12, "role/audited")
    world.role("audited", world.stage, document(trusts(outside)))
    assert world.rules() == ["external-id"]
    grant = symbolic("RolePolicy", "g", "3" * 12, "policy", document(grants(role)), role="auditor", name="enter")
    world.add("StackReference", "other", name="org/twokeys/prod", outputs={"outputs": exported(grant)})
    assert world.rules() == []


@pytest.mark.parametrize(("trusted", "rules"), [("role/p/x", []), ("role/x", ["unproved-door"])])
def test_an_exported_role_has_the_path_that_its_stack_gives_it(trusted: str, rules: list[str]) -> None:
    """Its name alone is what a policy is given to: https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html"""
    world = World()
    role, deployer = arn(PROD, "role/p/x"), arn(STAGE, "role/deployer")
    world.role("ci", world.hub)
    world.grant("ci", world.hub, role)
    world.role("deployer", world.stage, document(trusts(arn(PROD, trusted))))
    grant = symbolic("RolePolicy", "g", PROD, "policy", document(grants(deployer)), role="x", name="enter")
    trust = symbolic("Role", "x", PROD, "assumeRolePolicy", document(trusts(CI)), name="x", path="/p/")
    outputs = exported(grant)
    outputs["doors"][0]["documents"].append(trust)
    world.add("StackReference", "other", name="org/twokeys/prod", outputs={"outputs": outputs})
    assert f"{CI} -> {role}" in [door.id for door in world.graph.doors if door.open]
    assert world.rules() == rules


def test_a_member_account_that_another_stack_lists_has_its_access_role() -> None:
    """https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_access.html"""
    world = World()
    world.role("admin", world.hub, managedPolicyArns=["arn:aws:iam::aws:policy/AdministratorAccess"])
    world.role("helpdesk", world.hub)
    role = arn(PROD, "role/OrganizationAccountAccessRole")
    world.grant("helpdesk", world.hub, role)
    assert world.rules() == ["unproved-door"]
    world.add("StackReference", "o", name="a/b/org", outputs={"outputs": {"member_account_ids": {"prod": PROD}}})
    entering = {door.source.name for door in world.graph.doors if door.open and door.target.arn == role}
    assert (world.rules(), entering) == (["access-role-reserved"], {"admin", "helpdesk"})


def test_an_exported_trust_in_somebody_else_is_no_proof() -> None:
    world = World()
    world.role("ci", world.hub)
    world.grant("ci", world.hub, arn("3" * 12, "role/x"))
    trust = symbolic("Role", "x", "3" * 12, "assumeRolePolicy", document(trusts(arn(HUB, "role/cd"))), name="x")
    world.add("StackReference", "other", name="org/twokeys/prod", outputs={"outputs": exported(trust)})
    assert world.rules() == ["door-needs-trust"]


ALICE = arn(HUB, "user/alice")
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}


def group_door(
    world: World,
    *,
    members: list[str] | None,
    trusted: Sequence[str] = (ALICE,),
    kind: str = "group",
    names: Sequence[str] = ("org/team/people",),
    condition: dict[str, Any] = MFA,
) -> None:
    """A door for a group that another stack makes: its trust names the members."""
    target = arn("2" * 12, "role/reader")
    trust = document(trusts(*trusted, condition=condition))
    documents = [
        symbolic("GroupPolicy", "grant", HUB, "policy", document(grants(target)), group="people", name="enter"),
        symbolic("Role", "reader", "2" * 12, "assumeRolePolicy", trust, name="reader", path="/"),
    ]
    door = {
        "name": "reader",
        "source": {"kind": kind, "account": HUB, "names": list(names)},
        "target": {"account": "2" * 12, "role": "reader"},
    }
    component = world.add("Component", "door", symbolicDocuments=documents, door=door)
    world.add("Role", "reader", world.stage, parent=component, name="reader", path="/", assumeRolePolicy=trust)
    world.add(
        "GroupPolicy",
        "grant",
        world.hub,
        parent=component,
        group="people",
        name="enter",
        policy=document(grants(target)),
    )
    if members is not None:
        outputs = {"parent_account_id": HUB, "group_members": {"people": members}}
        world.add("StackReference", "management", name="org/twokeys/management", outputs={"outputs": outputs})


def joined(world: World) -> dict[str, list[str]]:
    accounts = Accounts(world.snapshot)
    documents = Documents(world.snapshot, accounts)
    principals = read_principals(world.snapshot, accounts, documents)
    join_declared_groups(accounts, documents, principals, Exported(world.snapshot))
    return {one.arn: [group.arn for group in one.groups] for one in principals if one.groups}


BOB, PEOPLE = arn(HUB, "user/team/bob"), arn(HUB, "group/people")
JOINED: list[tuple[list[str] | None, list[str], list[str]]] = [
    (None, [ALICE, BOB, arn("account:hub", "user/eve")], [ALICE, BOB, arn(HUB, "user/eve")]),
    (["bob"], [ALICE, BOB], [BOB]),
    ([], [ALICE, BOB], []),
    (None, [arn("2" * 12, "user/alice"), arn(HUB, "role/alice"), HUB, BOB], [BOB]),
]


@pytest.mark.parametrize(("members", "trusted", "joining"), JOINED)
def test_the_users_of_a_trust_are_in_the_group_of_their_door(
    members: list[str] | None, trusted: list[str], joining: list[str]
) -> None:
    world = World()
    world.add("Account", "hub", world.hub, id=HUB)
    group_door(world, members=members, trusted=trusted)
    documents = [symbolic("Role", "x", HUB, "assumeRolePolicy", document(grants("*")), name="x")]
    world.add("Component", "broken", symbolicDocuments=documents, door=world.resources[3].get("door"))
    assert joined(world) == {one: [PEOPLE] for one in joining}
    world.add("Component", "later", symbolicDocuments=[], door={"name": "x"})
    world.resources.reverse()
    assert joined(world) == {one: [PEOPLE] for one in joining}


def test_nobody_joins_a_group_that_is_shown_or_of_a_door_that_is_none_of_a_group() -> None:
    world = World()
    group_door(world, members=None, names=["shown", "people"])
    world.add("Group", "shown", world.hub, name="shown")
    assert joined(world) == {ALICE: [PEOPLE]}
    world.add("Group", "people", world.hub, name="people")
    assert joined(world) == {}
    world = World()
    group_door(world, members=None, kind="user")
    assert joined(world) == {}
    world = World()
    group_door(world, members=None)
    component = next(one for one in world.resources if one.name == "door")
    world.change(component, inputs={**(component.inputs or {}), "door": {"name": 5}}, outputs={})
    assert joined(world) == {}


def test_a_user_who_is_not_in_the_group_according_to_its_stack_holds_no_grant() -> None:
    world = World()
    group_door(world, members=["bob"])
    assert "door-needs-grant" in world.rules()


NOBODY: dict[str, object] = {"people_account_id": HUB, "group_members": {}, "user_arns": {}, "role_arns": {}}


@pytest.mark.parametrize(("says", "there", "open_"), [
    (None, "", {"ALICE", "CI", "EVE"}),
    ({}, "", {"ALICE", "CI", "EVE"}),  # which tells of nobody, neither that they are gone
    (NOBODY | {"people_account_id": PROD}, "", {"ALICE", "CI", "EVE"}),  # as another company's of that name does
    (NOBODY, "older", {"ALICE", "CI", "EVE"}),  # who may have been made since
    (NOBODY, "elsewhere", {"EVE"}),
    (NOBODY, "", set()),
    (NOBODY | {"user_arns": {"eve": arn(HUB, "user/eve")}}, "", {"EVE"}),
    (NOBODY, "hub", {"CI"}),
    (NOBODY, "unpinned", {"CI"}),
])  # fmt: skip
def test_who_is_gone_from_the_stack_that_made_them_holds_no_grant_of_another_one(
    says: dict[str, object] | None, there: str, open_: set[str]
) -> None:
    """A role or user that is deleted has no policies, whatever the state of a stack that gave it one still says.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html
    """
    world = World()
    group_door(world, members=None, trusted=[ALICE])
    eve, users = arn(HUB, "user/eve"), arn(STAGE, "role/for-users")
    world.add("UserPolicy", "eve", world.hub, user="eve", name="enter", policy=document(grants(users)))
    world.role("for-users", world.stage, document(trusts(eve)))
    world.role("deployer", world.stage, document(trusts(CI)))
    world.grant("ci", world.hub, DEPLOYER)
    if says is not None:
        once = {
            "people_account_id": HUB,
            "group_members": {"people": ["alice"]},
            "user_arns": {"eve": eve},
            "role_arns": {"ci": CI},
        }
        world.add("StackReference", "management", name="org/hub/management", outputs={"outputs": once})
        stack = Resource("urn:pulumi:management::hub::pulumi:pulumi:Stack::m", STACK, "m", outputs=says)
        world.resources.append(stack)
    if there == "elsewhere":
        outputs = {"outputs": {"user_arns": {"eve": eve}}}
        world.add("StackReference", "moved", name="org/people/prod", outputs=outputs)
    elif there in ("hub", "unpinned"):
        role = world.role("ci", world.hub if there == "hub" else world.provider("any", HUB, assume=False, pin=False))
        world.change(role, urn="urn:pulumi:management::hub::aws:iam/role:Role::ci")
    names, stacks = (
        {"ALICE": ALICE, "CI": CI, "EVE": eve},
        [project_of(world.resources[0].urn), "urn:pulumi:management::hub"],
    )
    times = ["2026-09-02T00:00:00Z", "2026-09-01T00:00:00Z" if there == "older" else "2026-09-03T00:00:00Z"]
    evidence = tuple(Evidence("state", time, stack=stack) for time, stack in zip(times, stacks, strict=True))
    graph = build(replace(world.snapshot, evidence=evidence))
    assert {door.source.arn for door in graph.doors if door.open} == {names[one] for one in open_}


NARROWED = {"Version": "2012-10-17", "Statement": [{**trusts(CI), "Condition": UNKNOWN}]}
FAULTY = "it breaks the rule 'not-json' of the policy grammar; it holds a secret, so nothing of it is quoted"
ENCRYPTED = "it is a secret, which the state holds encrypted"
LATER = "it is not known yet and no component declares it"


@pytest.mark.parametrize(("given", "secret", "told"), [
    (SERVICE, False, {}),
    (SERVICE, True, {}),
    (NARROWED, False, {}),
    (NARROWED, True, {"hidden": True}),
    ("{", True, {"problem": FAULTY, "faulty": True}),
    (UNKNOWN, True, {"problem": ENCRYPTED, "hidden": True}),
    (UNKNOWN, False, {"problem": LATER, "waits_for": ("x", "urn:gone")}),
    (["no document"], False, {"problem": LATER, "waits_for": ("x", "urn:gone")}),
])  # fmt: skip
def test_a_document_says_where_it_stands_and_why_it_is_not_known(
    given: object, secret: bool, told: dict[str, object]
) -> None:
    world = World()
    behind = world.role("x", world.hub)
    role = world.role("r", world.stage, given)
    waiting = {"assumeRolePolicy": (behind.urn, "urn:gone")}
    secrets = frozenset({"assumeRolePolicy"} if secret else ())
    world.change(role, source="main.py:3", property_dependencies=waiting, secrets=secrets)
    trust = next(one.trust for one in world.graph.roles if one.name == "r")
    assert trust is not None
    assert (trust.policy is UNKNOWN) is bool(told.get("problem"))
    usual = {"faulty": False, "hidden": False, "declared": False, "problem": None, "waits_for": (), "stack": None}
    where = {"title": "trust policy of role r", "urn": role.urn, "source": "main.py:3", "next_step": None}
    assert {name: getattr(trust, name) for name in (*usual, *where)} == usual | where | told


@pytest.mark.parametrize(("declared", "told"), [
    (document(trusts(CI)), {"declared": True, "problem": None}),
    (document(grants("*")), {"declared": False, "problem": "its declaration cannot be read: "}),
    (None, {"declared": False, "problem": LATER, "waits_for": ("something that this program only reads",)}),
])  # fmt: skip
def test_a_declaration_stands_in_for_a_document_that_is_not_known_yet(
    declared: str | None, told: dict[str, object]
) -> None:
    world, component = declared_door(declared or document(trusts(CI)))
    if declared is None:
        world.change(component, inputs={"symbolicDocuments": []})
    role = next(one for one in world.resources if one.name == "deployer")
    world.change(role, source="main.py:3", made_from_hidden=frozenset({"assumeRolePolicy"}))
    graph = world.graph
    trust = next(one.trust for one in graph.roles if one.urn == role.urn)
    assert trust is not None
    assert (trust.title, trust.urn, trust.source) == ("trust policy of role deployer", role.urn, "main.py:3")
    assert (trust.policy is UNKNOWN) is bool(told["problem"])
    assert (trust.problem or "").startswith(str(told["problem"] or ""))
    assert (trust.declared, trust.waits_for) == (told["declared"], told.get("waits_for", ()))


ENTER = {**symbolic("RolePolicy", "grant", HUB, "policy", document(grants(TARGET)), role="ci", name="enter")}


@pytest.mark.parametrize(("listed", "why"), [
    (UNKNOWN, "it is not a list that is known in preview"),
    ([ENTER, {**ENTER, "account": None}], "account: it should be a text, not null"),
    (["x", ENTER], 'it should be an object, not "x"'),
])  # fmt: skip
def test_a_declaration_that_cannot_be_read_says_why_and_leaves_the_others(listed: object, why: str) -> None:
    world, component = declared_door()
    changed = world.change(component, inputs={"symbolicDocuments": listed}, outputs={})
    documents = world.graph.documents
    assert [(one.component, one.why) for one in documents.bad_declarations] == [(changed, why)]
    assert [one.document.type for one in documents.declared] == [TYPES["RolePolicy"]] * (listed is not UNKNOWN)
    grant = next(one for one in world.resources if one.name == "grant")
    read = [documents.declared_property(grant, key) for key in ("role", "name", "path")]
    assert read == (["ci", "enter", None] if listed is not UNKNOWN else [None, None, None])
    assert {"declared-equals-real", "unproved-door"} <= set(world.rules())


@pytest.mark.parametrize("secret", [False, True])
def test_what_stands_in_a_secret_document_is_masked_but_for_who_comes_in(secret: bool) -> None:
    condition: dict[str, dict[str, Any]] = {
        "StringEquals": {"sts:ExternalId": "s3cr3t", "aws:PrincipalTag/team": "web", "aws:SourceIdentity": "ann",
                         "saml:aud": "https://x", "cognito-identity.amazonaws.com:aud": "us-east-1:1",
                         "accounts.google.com:sub": "1", "aws:username": "bob", "aws:UserAgent": "s3cr3t"},
        "StringLike": {"sts:RoleSessionName": ["*", "a?*", "TRUE"]}, "StringNotEquals": {"sts:TransitiveTagKeys": "t"},
        "DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"}, "Bool": {"aws:SecureTransport": "true"},
    }  # fmt: skip
    world = World()
    statements = [{**trusts(CI, effect=effect, condition=condition), "Sid": effect} for effect in ("Allow", "Deny")]
    role = world.role("r", world.stage, document(*statements))
    world.change(role, secrets=frozenset({"assumeRolePolicy"} if secret else ()))
    trust = next(one.trust for one in world.graph.roles if one.name == "r")
    assert trust is not None
    assert isinstance(trust.policy, PolicyDocument)
    masked = {
        "Allow": {"s3cr3t": "(secret)", "a?*": "(secret)", "t": "(another secret)"},
        "Deny": {"s3cr3t": "(another secret)", "a?*": "(another secret)", "t": "(secret)"},
    }
    for statement in trust.policy.statements:
        mask = masked[statement.effect] if secret else {}
        assert statement.sid == (None if secret else statement.effect)
        for clause in statement.conditions:
            given = condition[clause.operator][clause.key]
            values = given if isinstance(given, list) else [given]
            assert list(clause.values) == [mask.get(value, value) for value in values]


# What stacks say of their doors for people ----------------------------------------------------------------------------

RESERVED = "aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin"


def said(
    name: str, kind: str = "role", names: tuple[str, ...] = ("ci",), role: str = "deploy/deployer", **more: Any
) -> Any:
    source = {"kind": kind, "account": HUB, "names": list(names)}
    return {"name": name, "source": source, "target": {"account": STAGE, "role": role}, **more}


def test_a_door_is_declared_by_components_and_by_the_outputs_of_stacks() -> None:
    """https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html"""
    world = World()
    for name, value in (("a", said("own", names=("ci", "x/nightly"))), ("b", 5), ("c", {"name": "half"})):
        world.add("Component", name, door=value)
    for_account = said("whole", "root", (), "whole", grantTo={"kind": "user", "account": HUB, "names": ["ann"]})
    people = said("people", "identity-center-group", ("admins",), RESERVED)
    listed = [5, {"door": 5}, {"door": said("devs", "group", ("devs",))}, {"door": for_account}, {"door": people}]
    listed += [{"door": said("newer", role="newer", newer=1)}, {"door": said("long", maxSessionSeconds=86400)}]
    world.other_stack("o", "org/p/o", {"doors": listed})
    world.other_stack("p", "org/p/p", {"doors": 5})
    world.role("long", world.stage, maxSessionDuration=7200.0)
    world.role("odd", world.stage, maxSessionDuration="long")
    graph = world.graph
    doors = DeclaredDoors(graph)
    assert doors.unreadable == {"long": "maxSessionSeconds: it should be less than or equal to 43200, not 86400"}

    def of(source: Who, role: str, *groups: Who) -> str | None:
        door = doors.of(source, groups, Who("role", STAGE, role))
        return door.name if door else None

    ann, admin = Who("user", HUB, "ann"), Who("identity-center-user", "", "a")
    admins = Who("identity-center-group", "", "admins")
    assert of(Who("role", HUB, "ci"), "deployer") == of(Who("role", HUB, "nightly"), "deployer") == "own"
    assert of(Who("role", HUB, "other"), "deployer") is of(Who("role", HUB, "ci"), "other") is None
    assert of(ann, "deployer", Who("group", HUB, "ops"), Who("group", HUB, "devs")) == "devs"
    assert of(Who("role", HUB, "ci"), "newer") == "newer"  # a field that is not known is passed over
    assert of(ann, "whole") == of(Who("root", HUB), "whole") == "whole"
    for suffix, name in (("0123456789abcdef", "people"), ("?" * 16, "people"), ("0123456789ABCDEF", None)):
        assert of(admin, f"AWSReservedSSO_Admin_{suffix}", admins) == name
    lengths = {role.name: role.max_session_seconds for role in graph.roles}
    assert lengths == {"long": 7200, "odd": None}


@pytest.mark.parametrize(("kind", "of", "account", "name", "expected"), [
    ("role", CI, HUB, "ci", Who("role", HUB, "ci")),
    ("outsider", arn(OUTSIDE, "role/p/x"), OUTSIDE, "x", Who("role", OUTSIDE, "x")),
    ("outsider", arn(OUTSIDE, "root"), OUTSIDE, "root", Who("root", OUTSIDE)),
    ("outsider", "o-abcdefghij", "", "o-abcdefghij", Who("outsider", "", "o-abcdefghij")),
    ("root", arn(HUB, "root"), HUB, "root", Who("root", HUB)),
    ("everyone", "*", "", "everyone", Who("everyone", "")),
])  # fmt: skip
def test_a_principal_is_named_as_declarations_name_it(
    kind: PrincipalKind, of: str, account: str, name: str, expected: Who
) -> None:
    assert who(Principal(of, kind, account, name)) == expected


UPDATE = "let that stack and this program use one version of TwoKeys: update the older one"
REFER = "let OtherStack refer to that stack itself, or give it the outputs of a pulumi.StackReference as they are"
SAID_ONLY = "this program says so, and nothing shows that it is what a reference to that stack gives"


def test_what_another_stack_exports_of_its_doors_is_read_or_said_to_be_wrong() -> None:
    world = World()
    trust = symbolic("Role", "deployer", STAGE, "assumeRolePolicy", document(trusts(CI)), name="d", path="/p/")
    grant = symbolic("RolePolicy", "g", HUB, "policy", document(grants(arn(STAGE, "role/p/d"))), role="ci", name="g")
    wrong = {**symbolic("Role", "wrong", STAGE, "assumeRolePolicy", document()), "document": {"Statement": 5}}
    own = symbolic("Role", "here", STAGE, "assumeRolePolicy", document(trusts("*")))
    fine = {"name": "d", "door": said("d"), "documents": [trust, grant, grant, wrong, own]}
    members = {"devs": ["ann", "bob"], "odd": [5], "none": "x"}
    outputs = {
        "doors": [fine, 5, {"name": "half"}],
        "organization_grants": [5],
        MEMBERS_OUTPUT: members,
        PEOPLE_OUTPUT: HUB,
    }
    read = world.other_stack("o", "org/p/o", outputs)
    said_only = {"organization_grants": [5], MEMBERS_OUTPUT: members}
    only = world.add("OtherStack", "only", outputs={"name": "org/p/only", "outputs": said_only})
    world.add("OtherStack", "nothing", outputs={"name": "org/p/nothing", "outputs": {"doors": []}})
    world.other_stack("self", "org/twokeys/stage", {"doors": [5]})
    world.role("here", world.stage)
    world.role("ci", world.hub)
    exported = Exported(world.snapshot)
    assert [(one.urn, one.what, one.why, one.next_step) for one in exported.not_proved] == [
        (read.urn, "What stack org/p/o exports about doors", f"it cannot be read: {why}", UPDATE)
        for why in (
            "doors: it should be an object, not 5",
            "doors: door: it is missing",
            "organization_grants: it should be an object, not 5",
        )
    ] + [(only.urn, "What stack org/p/only exports about doors", SAID_ONLY, REFER)]
    in_prod = {ACCOUNT_OUTPUT: PROD, MEMBERS_OUTPUT: {"ops": []}}
    for number, outputs in enumerate((in_prod, {PEOPLE_OUTPUT: HUB, MEMBERS_OUTPUT: 5}, {MEMBERS_OUTPUT: members})):
        world.other_stack(f"m{number}", f"org/p/m{number}", outputs)
    members_of = {(HUB, "devs"): frozenset({"ann", "bob"}), (PROD, "ops"): frozenset()}
    assert Exported(world.snapshot).members == members_of
    assert exported.accounts == {HUB, STAGE}
    assert [one.name for one in exported.documents] == ["deployer", "g", "g", "wrong", "here"]
    graph = world.graph
    snapshot = world.snapshot
    accounts = Accounts(snapshot)
    documents = Documents(snapshot, accounts)
    principals = read_principals(snapshot, accounts, documents)
    roles = {role.arn: role for role in exported.join(principals, documents)}
    assert roles.keys() == {arn(STAGE, "role/p/d"), arn(STAGE, "role/wrong")}
    from_there, broken = roles[arn(STAGE, "role/p/d")].trust, roles[arn(STAGE, "role/wrong")].trust
    assert from_there is not None
    assert broken is not None
    assert (from_there.title, from_there.stack) == ("assumeRolePolicy of deployer in stack org/p/o", "org/p/o")
    assert (broken.title, broken.stack) == ("assumeRolePolicy of wrong in stack org/p/o", "org/p/o")
    assert str(broken.problem).startswith("what stack org/p/o exports cannot be read: ")
    assert broken.policy is UNKNOWN
    (given,) = principals.mentioned(HUB, "role", "ci").documents
    assert (given.title, given.stack) == ("policy of g in stack org/p/o", "org/p/o")
    assert [door.id for door in graph.doors if door.open] == [f"{CI} -> {arn(STAGE, 'role/p/d')}"]
