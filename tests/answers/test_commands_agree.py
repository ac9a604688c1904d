"""One read model: whatever one command says of who can enter, all say. Tried on worlds that chance makes."""

import csv
import json
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result

from tests.access.states import write_state
from tests.access.test_translation import put
from tests.access.world import HUB, MFA, OUTSIDE, PROD, STAGE, World, arn, document, grants, trusts
from twokeys.access.graph import build
from twokeys.access.reading.type_names import ROLE
from twokeys.answers.commands import access
from twokeys.answers.model import State
from twokeys.answers.published import published
from twokeys.answers.reading import read
from twokeys.answers.sources import together
from twokeys.audit.commands import audit
from twokeys.doors import Who
from twokeys.exports import read_exports
from twokeys.map.commands import map_
from twokeys.map.model import Map
from twokeys.profiles.commands import profiles
from twokeys.profiles.reading import read_ways
from twokeys.profiles.ways import people
from twokeys.sandbox.local_aws import LocalAws
from twokeys.sandbox.verify_command import verify
from twokeys.verify.attempts import Attempts, Keys
from twokeys.verify.doors import exports
from twokeys.verify.probes import probe_as

DEMO = [Path(__file__).parent.parent / "map" / "states" / f"{name}.json" for name in ("management", "stage", "prod")]
GITHUB = "token.actions.githubusercontent.com"
OF_APP = {"StringEquals": {f"{GITHUB}:sub": "repo:acme/app:ref:refs/heads/main"}}
OF_SET = {"permissionSetArn": "arn:aws:sso:::permissionSet/ssoins-1111222233334444/ps-1111222233334444"}
Ends = tuple[str, str, str, str, str, str]


def federated(provider: str, action: str, condition: Mapping[str, Any]) -> dict[str, Any]:
    who = {"Principal": {"Federated": provider}}
    return {**trusts(condition=condition), **who, "Action": f"sts:AssumeRoleWith{action}"}


def a_world(seed: int) -> World:
    """Two to three accounts with users, a group, roles, access roles, providers of identities, and doors by chance."""
    rng = random.Random(seed)
    world = World()
    for name, account in (("stage", STAGE), ("prod", PROD)):
        world.add("Account", name, world.hub, name=name, outputs={"id": account, "name": name})
    places = {HUB: world.hub, STAGE: world.stage, PROD: world.provider("prod", PROD)}
    roles = [(account, f"role-{account[0]}{number}") for account in places for number in range(rng.randint(1, 3))]
    users = [f"user-{number}" for number in range(rng.randint(1, 3))]
    for user in users:
        world.add("User", user, world.hub, name=user)
    world.add("Group", "team", world.hub, name="team")
    if rng.random() < 0.7:
        world.add("UserGroupMembership", "in", world.hub, user=users[0], groups=["team"])
    everybody = [arn(HUB, f"user/{user}") for user in users] + [arn(account, f"role/{name}") for account, name in roles]
    for account, name in roles:
        named = [rng.choice([*everybody, arn(HUB, "root"), arn(OUTSIDE, "role/vendor"), "*"]) for _ in range(2)]
        statements = [trusts(*dict.fromkeys(named), condition=rng.choice([None, None, MFA]))]
        if rng.random() < 0.2:
            statements.append(federated(arn(account, f"oidc-provider/{GITHUB}"), "WebIdentity", OF_APP))
        world.role(name, places[account], document(*statements))
    targets = [arn(account, f"role/{name}") for account, name in roles]
    targets += [arn(PROD, "role/OrganizationAccountAccessRole"), "*", arn(STAGE, "role/*")]
    for number, (account, name) in enumerate(roles):
        if rng.random() < 0.6:
            policy = document(grants(rng.choice(targets)))
            world.add("RolePolicy", f"r{number}", places[account], role=name, name="g", policy=policy)
    for user in users:
        if rng.random() < 0.6:
            world.add("UserPolicy", user, world.hub, user=user, name="g", policy=document(grants(rng.choice(targets))))
    world.add("GroupPolicy", "team", world.hub, group="team", name="g", policy=document(grants(rng.choice(targets))))
    _limit(rng, world, users, targets)
    _identity_center(rng, world, targets)
    enabled = rng.choice(([], ["RootSessions"]))
    world.add("OrganizationsFeatures", "features", world.hub, enabledFeatures=enabled)
    if rng.random() < 0.5:
        statement = {**grants(arn(PROD, "root")), "Action": "sts:AssumeRoot"}
        world.add("UserPolicy", "root", world.hub, user=users[0], name="r", policy=document(statement))
    if rng.random() < 0.4:
        somewhere = world.provider("somewhere", "", pin=False, assume=False)
        named = rng.choice([*everybody, arn(OUTSIDE, "root"), "*"])
        world.role("somewhere", somewhere, document(trusts(named)))
    return world


def _limit(rng: random.Random, world: World, users: list[str], targets: list[str]) -> None:
    """A permissions boundary, and control policies of both kinds."""
    if rng.random() < 0.4:
        text, name = document(grants(rng.choice(targets))), arn(HUB, "policy/limit")
        world.add("Policy", "limit", world.hub, name="limit", arn=name, policy=text)
        holder = next(one for one in world.resources if one.type.endswith(":User") and one.name == users[-1])
        inputs = {**(holder.inputs or {}), "permissionsBoundary": name}
        world.change(holder, inputs=inputs, outputs=inputs)
    for kind, whose in (("SERVICE_CONTROL_POLICY", {}), ("RESOURCE_CONTROL_POLICY", {"Principal": "*"})):
        if rng.random() < 0.4:
            content = document({**grants(rng.choice(targets), effect="Deny"), **whose})
            world.add("ControlPolicy", kind, world.hub, id=f"p-{kind}", type=kind, content=content)
            world.add(
                "ControlPolicyAttachment", kind, world.hub, policyId=f"p-{kind}", targetId=rng.choice((STAGE, PROD))
            )


def _identity_center(rng: random.Random, world: World, targets: list[str]) -> None:
    if rng.random() < 0.3:
        return
    said: list[tuple[str, dict[str, object]]] = [
        ("permissionSet", {"name": "dev", "arn": OF_SET["permissionSetArn"], "sessionDuration": "PT2H"}),
        ("permissionSetInlinePolicy", {**OF_SET, "inlinePolicy": document(grants(rng.choice(targets)))}),
    ]
    for number, account in enumerate(rng.sample((HUB, STAGE, PROD), rng.randint(1, 3))):
        kind = rng.choice(("USER", "GROUP"))
        whom = {"principalType": kind, "principalId": f"{kind}-{number}", "targetType": "AWS_ACCOUNT"}
        said.append(("accountAssignment", {**OF_SET, **whom, "targetId": account}))
    for number, (type_, inputs) in enumerate(said):
        put(world, f"aws:ssoadmin/{type_}:{type_[0].upper()}{type_[1:]}", f"{type_}-{number}", world.hub, **inputs)


def run(command: Any, *arguments: object) -> Result:
    result = CliRunner().invoke(command, [str(one) for one in arguments], standalone_mode=False)
    assert result.exception is None, result.exception
    return result


def told(command: Any, *arguments: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(command, *arguments).stdout)
    return found


def ends(one: dict[str, Any]) -> Ends:
    source, target = one["source"], one["target"]
    return (
        *(source[key] for key in ("kind", "account", "name")),
        *(target[key] for key in ("kind", "account", "name")),
    )


@pytest.mark.parametrize("seed", range(24))
def test_check_audit_map_diff_and_export_say_the_same(tmp_path: Path, seed: int) -> None:
    state = write_state(tmp_path / "state.json", a_world(seed))
    nothing = World()
    nothing.add("User", "nobody", nothing.hub, name="nobody")
    empty = write_state(tmp_path / "empty.json", nothing)

    audited, checked = told(audit, "--state", state, "--json"), told(access, "check", "--state", state, "--json")
    mapped, changed = told(map_, "--state", state, "--json"), told(access, "diff", empty, state, "--json")
    for part in ("ways", "within", "doors", "notProved", "accounts", "summary"):
        assert audited[part] == checked[part] == mapped[part]
    gained = {ends(way) for way in changed["gained"]}
    before = {ends(way) for way in told(audit, "--state", empty, "--json")["ways"]}
    ways = {ends(way): way for way in audited["ways"]}
    assert gained | before == ways.keys() | before | set(map(ends, audited["within"]))

    one_by_one = [way for account in audited["accounts"] for way in told_of(account["account"], state)]
    assert set(map(ends, one_by_one)) == ways.keys(), "each account by itself says what all together say"

    open_doors = {ends(door) for door in audited["doors"] if door["state"] == "open"}
    direct = {place for place, way in ways.items() if len(way["steps"]) == 1 and way["source"]["kind"] != "root"}
    assert direct <= open_doors <= ways.keys(), "an open door is a way of one step"
    unproved = {ends(one) for one in audited["notProved"] if one.get("source") and one.get("target")}
    assert not unproved & direct, "nothing is open and not proved"

    answers = read(build(together([state])))
    doors = [door for door in Map(answers, datetime.now(UTC)).doors if door.state is State.OPEN]
    on_the_map = {(door.source.who, door.target.who, door.lacks) for door in doors}
    listed = [way for way in (*answers.ways, *answers.within) if way.state is State.OPEN]
    assert on_the_map == {(way.source.who, way.target.who, way.lacks) for way in listed}

    unsure = f"{len(audited['notProved'])} not proved"
    pictured = run(map_, "--state", state, "--svg", tmp_path / "map.svg").output
    assert unsure in pictured
    text = run(audit, "--state", state, "--keys", "--csv", tmp_path / "audit.csv").output
    assert unsure in text or not audited["notProved"]
    rows = Counter(row["what"] for row in csv.DictReader((tmp_path / "audit.csv").read_text().splitlines()))
    assert rows["way in"] == audited["summary"]["ways"]
    assert rows["within its account"] == len(audited["within"])
    assert rows["door without a key or denied"] == audited["summary"]["doorsWithoutAKey"]
    assert rows["not proved"] == audited["summary"]["notProved"]
    assert rows["not shown"] == (audited["notShown"] is not None) + (audited["scope"] is not None)
    lacking = [door for door in audited["doors"] if door["state"] != "open" and ends(door) not in unproved]
    assert rows["door not proved"] == len(lacking) - rows["door without a key or denied"]
    assert all(f"{door['target']['label']} of {door['target']['accountName']}" in text for door in lacking)
    for way in answers.ways:
        assert (
            f"{way.source} -> {way.target.who.label}" in text or f"{way.source.short} -> {way.target.who.label}" in text
        )


def told_of(account: str, state: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = told(audit, account, "--state", state, "--json")["ways"]
    return found


@pytest.mark.parametrize("seed", range(24))
def test_profiles_offer_exactly_the_doors_that_an_audit_lists_for_a_person(tmp_path: Path, seed: int) -> None:
    state = write_state(tmp_path / "state.json", a_world(seed))
    run(access, "export", tmp_path / "doors.json", "--state", state)
    published = read_ways([read_exports(str(tmp_path / "doors.json"))])
    offered = {
        (who, way.account, way.role.rpartition("/")[2])  # type: ignore[union-attr]
        for who, ways in people(published.ways, published.members).items()
        for way in ways
        if who.kind == "user"
    }
    answers = read(build(together([state])))
    audited = {
        (way.source.who, way.account, way.target.who.name)
        for way in (*answers.ways, *answers.within)
        if way.source.who.kind == "user"
        and len(way.steps) == 1
        and way.target.who.kind != "root-user"  # no profile of the AWS CLI calls sts:AssumeRoot
    }
    assert offered == audited


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    with LocalAws.start(tmp_path_factory.mktemp("sandbox") / "aws") as running:
        yield running


@pytest.mark.parametrize(
    ("kind", "trust"),
    [
        ("role", trusts(arn(HUB, "role/ci"))),
        ("role", trusts(f"arn:aws:sts::{HUB}:assumed-role/ci/session")),
        ("user", trusts(arn(HUB, "user/ada"))),
        ("group", trusts(arn(HUB, "root"))),
        ("everyone", trusts("*")),
        ("outsider", trusts("*", condition={"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}})),
        ("role", trusts(arn(OUTSIDE, "role/vendor"))),
        ("root", trusts(OUTSIDE)),
        ("web-identity", federated(arn(STAGE, f"oidc-provider/{GITHUB}"), "WebIdentity", OF_APP)),
        ("saml", federated(arn(STAGE, "saml-provider/corp"), "SAML", {})),
        ("saml", federated(arn(STAGE, "saml-provider/AWSSSO_0123456789abcdef_DO_NOT_DELETE"), "SAML", {})),
        ("service", {**trusts(), "Principal": {"Service": "rolesanywhere.amazonaws.com"}}),
        ("service", {**trusts(), "Principal": {"Service": "*"}}),
        ("identity-center-user", trusts(arn(HUB, "role/x"))),
        ("identity-center-group", trusts(arn(HUB, "role/x"))),
    ],
)
def test_every_command_answers_whoever_comes_in(
    aws: LocalAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, trust: dict[str, Any]
) -> None:
    """Few of them have an ARN, or call AWS at all."""
    world = World()
    enter = document(grants("*"), grants("*", action="sts:AssumeRoot"))
    world.add("Account", "stage", world.hub, name="stage", outputs={"id": STAGE, "name": "stage"})
    world.add("OrganizationsFeatures", "features", world.hub, enabledFeatures=["RootSessions"])
    world.role("ci", world.hub)
    world.add("User", "ada", world.hub, name="ada")
    world.add("Group", "team", world.hub, name="team")
    for holder, name in (("role", "ci"), ("user", "ada"), ("group", "team")):
        world.add(f"{holder.capitalize()}Policy", holder, world.hub, **{holder: name}, name="enter", policy=enter)
    world.role("deployer", world.stage, document(trust))
    if kind.startswith("identity-center-"):
        whom = {"principalType": kind.rpartition("-")[2].upper(), "principalId": "ada", "targetType": "AWS_ACCOUNT"}
        put(world, "aws:ssoadmin/accountAssignment:AccountAssignment", "a", world.hub, targetId=STAGE, **whom, **OF_SET)
    access_roles = {"stage": arn(STAGE, "role/OrganizationAccountAccessRole")}
    put(world, "pulumi:pulumi:Stack", "twokeys-stage", parent_account_id=HUB, access_role_arns=access_roles)
    (tmp_path / ".twokeys" / "stacks").mkdir(parents=True)
    (tmp_path / ".twokeys" / "aws").symlink_to(aws.directory)
    state = write_state(tmp_path / ".twokeys" / "stacks" / "stage.json", world)
    monkeypatch.chdir(tmp_path)
    assert kind in {door["source"]["kind"] for door in told(audit, "--json")["doors"]}
    for command in (audit, map_):
        run(command)
    for words in ("check", "export doors.json", f"diff {state} {state}"):
        run(access, *words.split())
    run(profiles, *["--person", "ada", "--group", "none", "--dry-run"])
    assert told(verify, "--json", "--rate", "50")["probes"]


@dataclass
class AsAudited(Attempts):
    """An AWS in which exactly the ways that an audit lists are open, each under its conditions."""

    who: Who
    listed: Mapping[tuple[Who, str], tuple[str, ...]]

    def identity(self, keys: Keys) -> Any:
        return {"Arn": arn(self.who.account, f"{self.who.kind}/{self.who.name}"), "Account": keys.access}

    def assume(self, _keys: Keys, role_arn: str, arguments: Mapping[str, str] | None = None) -> Keys:
        conditions = self.listed.get((self.who, role_arn))
        if conditions is None or (conditions and not arguments):
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "shut"}}, "AssumeRole")
        return Keys(role_arn.split(":")[4], "")


@pytest.mark.parametrize("seed", range(24))
def test_verify_tries_nothing_shut_that_an_audit_lists_and_nothing_open_that_it_does_not(seed: int) -> None:
    """Of doors as components export them: each names whom it trusts. A door without its grant neither calls open."""
    world = a_world(seed)
    answers = read(build(world.snapshot))
    ways = [way for way in (*answers.ways, *answers.within) if len(way.steps) == 1]
    trusting = {one.name: one.inputs["assumeRolePolicy"] for one in world.resources if one.inputs and one.type == ROLE}
    doors = []
    for door in published(answers)["doors"]:
        if (role := door["door"]["target"]["role"]) in trusting and '"*"' not in trusting[role]:
            trust = {
                "type": ROLE,
                "name": role,
                "account": door["door"]["target"]["account"],
                "property": "assumeRolePolicy",
                "properties": {},
                "document": json.loads(trusting[role]),
            }
            doors.append({**door, "documents": [trust]})
    found = exports({"stage": {"parent_account_id": HUB, "doors": doors}})
    shut = {(door.source.who, door.target.arn) for door in answers.doors if door.state.value != "open"}
    for who in {door.source.who for door in answers.doors if door.source.who.kind == "user"}:
        aws = AsAudited(who, {(way.source.who, way.target.arn): way.conditions for way in ways})
        for probe in probe_as(aws, Keys(who.account, ""), found, lambda: {"TokenCode": "1"}):
            assert probe.as_expected or not probe.probed or (probe.expected and (who, probe.role_arn) in shut), probe


def test_verify_expects_open_what_the_audit_lists() -> None:
    answers = read(build(together(DEMO)))
    ways = {(way.source.who, way.target.arn) for way in answers.ways if len(way.steps) == 1}
    members = {(user.who, group.who) for user, group in answers.memberships}
    for door in exports({str(file): read_exports(str(file)).outputs for file in DEMO}).doors:
        for source in door.sources:
            users = [user for user, group in members if group == source] or [source]
            assert users != [Who("root", HUB)]
            assert all((user, door.role_arn) in ways for user in users)
