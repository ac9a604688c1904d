"""Which account is meant, what it is called, in which partition it lies and by which role it is entered.

Providers: https://www.pulumi.com/registry/packages/aws/api-docs/provider/ ; ARNs of Organizations:
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsorganizations.html
"""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.access.world import (
    CI,
    DEPLOYER,
    HUB,
    OUTSIDE,
    PROD,
    STAGE,
    World,
    arn,
    document,
    trusts,
    two_keys,
)  # fmt: skip
from twokeys.access.model.accounts import Accounts
from twokeys.access.model.environment import is_of_another_purpose, of_account
from twokeys.access.model.providers import entry
from twokeys.access.reading.snapshot import Resource, Snapshot
from twokeys.iam import UNKNOWN

STAGE_ROLE, PROD_ROLE = arn(STAGE, "role/in"), arn(PROD, "role/in")
ORGANIZATION = "o-a1b2c3d4e5"
OF_ORGANIZATION = f"arn:aws:organizations::{HUB}"


class Empty(World):
    def __init__(self) -> None:
        self.resources = []

    def accounts(self, own: str | None = None) -> Accounts:
        return Accounts(self.snapshot, own)

    def provide(self, name: str = "p", **inputs: object) -> Resource:
        return self.add("Provider", name, **inputs)

    def account(self, logical: str = "new", /, **values: object) -> Resource:
        return self.add("Account", logical, outputs=values)

    def refer(self, outputs: dict[str, Any], *, to_stack: bool = True) -> Resource:
        other = self.other_stack("other", "org/other", outputs)
        return other if to_stack else self.change(other, property_dependencies={"outputs": ("urn:other",)})


def roles(*arns: object) -> str:
    return json.dumps([{"roleArn": one} for one in arns])


def unpinned(name: str) -> str:
    return f"unknown (provider {name} is not pinned)"


ENTRIES: list[tuple[dict[str, object], tuple[object, object], str]] = [
    ({"assumeRoles": roles(CI, STAGE_ROLE)}, ((CI, STAGE_ROLE), ()), STAGE),
    ({"assumeRole": json.dumps({"roleArn": STAGE_ROLE})}, ((STAGE_ROLE,), ()), STAGE),
    ({"assumeRoleWithWebIdentity": json.dumps({"roleArn": CI})}, ((CI,), ()), HUB),
    ({"assumeRoleWithWebIdentity": json.dumps({"roleArn": CI}), "assumeRoles": roles(PROD_ROLE)}, (
        (CI, PROD_ROLE), ()
    ), PROD),
    ({"assumeRoles": roles(arn(STAGE, "user/in"))}, ((arn(STAGE, "user/in"),), ()), unpinned("p")),
    ({"assumeRoles": roles("arn:aws:iam::x:role/in")}, (("arn:aws:iam::x:role/in",), ()), unpinned("p")),
    ({"assumeRoles": "["}, (None, ()), unpinned("p")),
    ({"assumeRoles": UNKNOWN}, (None, ()), unpinned("p")),
    ({"assumeRoles": [UNKNOWN]}, (None, ()), unpinned("p")),
    ({"assumeRoles": roles(CI, None)}, (None, ()), unpinned("p")),
    ({"assumeRoleWithWebIdentity": UNKNOWN}, (None, ()), unpinned("p")),
    ({"assumeRoles": roles(PROD_ROLE), "assumeRole": json.dumps({"roleArn": STAGE_ROLE})}, (None, ()), unpinned("p")),
    ({"allowedAccountIds": json.dumps([STAGE])}, ((), (STAGE,)), STAGE),
    ({"allowedAccountIds": json.dumps([12345678901.0])}, ((), ("012345678901",)), "012345678901"),
    ({"allowedAccountIds": json.dumps([STAGE, PROD])}, ((), (STAGE, PROD)), unpinned("p")),
    ({"allowedAccountIds": [UNKNOWN]}, ((), None), unpinned("p")),
    ({"allowedAccountIds": UNKNOWN}, ((), None), unpinned("p")),
    ({"allowedAccountIds": json.dumps(["x"])}, ((), ("x",)), unpinned("p")),
    ({}, ((), ()), OUTSIDE),
    *(({key: "x"}, ((), ()), unpinned("p")) for key in (
        "accessKey", "token", "profile", "sharedCredentialsFiles", "sharedConfigFiles",
    )),
]  # fmt: skip


@pytest.mark.parametrize(("inputs", "said", "account"), ENTRIES)
def test_a_provider_works_in_the_account_of_its_last_role_or_of_its_only_id(
    inputs: dict[str, object], said: tuple[object, object], account: str
) -> None:
    """Without role, pin and credentials of its own it works with those of the environment."""
    world = Empty()
    provider = world.provide(**inputs)
    found = entry(provider)
    assert ((found.assumes, found.allowed), found.name, found.urn) == (said, "p", provider.urn)
    accounts = world.accounts(own=OUTSIDE)
    assert accounts.name(accounts.of_provider(provider.urn)) == account
    native = replace(provider, type="pulumi:providers:aws-native")
    assert Accounts(Snapshot((native,)), OUTSIDE).of_provider(native.urn) == accounts.of_provider(provider.urn)


@pytest.mark.parametrize("key", ["assumeRoles", "assumeRole", "assumeRoleWithWebIdentity", "allowedAccountIds"])
def test_a_provider_works_in_the_account_that_its_role_or_its_pin_is_made_from(key: str) -> None:
    world = Empty()
    account = world.account()
    provider = world.add("Provider", "in", made_from={key: [account]})
    assert world.accounts().of_provider(provider.urn) == "account:new"


def test_a_provider_works_in_the_account_of_the_provider_that_makes_its_role() -> None:
    world = Empty()
    hub = world.provide("hub", allowedAccountIds=json.dumps([HUB]))
    inner = world.add("Provider", "inner", made_from={"assumeRoles": [world.add("Role", "r", hub)]})
    outer = world.add("Provider", "outer", made_from={"assumeRole": [world.add("Role", "s", inner)]})
    assert {world.accounts().of_provider(one.urn) for one in (inner, outer)} == {HUB}


def test_providers_that_are_made_from_roles_of_each_other_are_in_no_known_account() -> None:
    """No engine makes them; a file that is called a state can say so."""
    world = Empty()
    first, second = world.provide("a"), world.provide("b")
    for provider, other in ((first, second), (second, first)):
        role = world.add("Role", f"of-{other.name}", other)
        world.change(provider, property_dependencies={"assumeRoles": (role.urn,)})
    accounts = world.accounts()
    assert {accounts.name(accounts.of_provider(one.urn)) for one in (first, second)} == {unpinned("b")}
    below = world.add("Provider", "b", parent=world.add("Component", "c"), profile="x")
    accounts = world.accounts()
    assert accounts.of_provider(below.urn) != accounts.of_provider(second.urn), "of one name under different parents"
    assert accounts.name(accounts.of_provider(below.urn)) == unpinned("b")


def test_the_account_of_a_resource_is_its_own_or_that_of_its_provider_as_an_arn_of_iam_tells_it() -> None:
    world = Empty()
    absent = "urn:pulumi:stage::twokeys::pulumi:providers:aws::A.b"
    shown = world.add("Role", "shown", outputs={"arn": CI})
    inside = world.change(world.add("Role", "r", outputs={"arn": CI}), provider=absent)
    world.add("Role", "s", outputs={"arn": STAGE_ROLE})
    queue = replace(shown, provider="urn::of-queues", outputs={"arn": f"arn:aws:sqs:eu-west-1:{HUB}:q"})
    odd = replace(shown, provider="urn::odd", outputs={"arn": "arn:aws:iam::aws:policy/x"})
    world.resources += [queue, odd]
    seen = world.provide("seen", profile="x")
    world.add("Role", "t", seen, outputs={"arn": arn(PROD, "role/t")})
    accounts = world.accounts()
    assert accounts.of_provider(seen.urn) == PROD
    assert accounts.of(inside) == accounts.of_provider(absent) == HUB
    assert [accounts.name(accounts.of(one)) for one in (shown, queue, odd)] == [
        "unknown (no provider is shown)", unpinned("of-queues"), unpinned("odd")
    ]  # fmt: skip
    assert accounts.of(replace(shown, account=PROD, provider=absent)) == PROD
    without_it = Empty().accounts(own=PROD)
    assert without_it.name(without_it.of_provider(absent)) == unpinned("A_b")
    assert Empty().accounts().name(Empty().accounts().of_provider(absent)) == unpinned("A_b")
    assert Empty().accounts().name(Accounts.of_stack_set("all")) == "unknown (any that StackSet all deploys to)"


def test_an_account_is_called_by_its_name_and_its_id() -> None:
    world = Empty()
    world.account("named", id=STAGE, name="Acme Stage")
    world.account("a.b", id="id")
    world.account("a_b", arn=f"{OF_ORGANIZATION}:account/{ORGANIZATION}/{PROD}", id="id")
    world.account("x", arn=f"arn:aws:iam::{HUB}:account/{OUTSIDE}")
    accounts = world.accounts()
    assert accounts.ids == {"account:named": STAGE, "account:a_b-": PROD}
    names = {
        one: accounts.name(one) for one in ("account:named", STAGE, "account:a_b", PROD, "account:x", HUB, OUTSIDE)
    }
    assert names == {
        "account:named": "Acme Stage (id not known yet)",
        STAGE: f"Acme Stage ({STAGE})",
        "account:a_b": "a.b (id not known yet)",
        PROD: f"a_b ({PROD})",
        "account:x": "x (id not known yet)",
        HUB: HUB,
        OUTSIDE: OUTSIDE,
    }
    assert [accounts.named_by(one) for one in world.resources] == [STAGE, "account:a_b", PROD, "account:x"]
    assert accounts.resource("account:named") is accounts.resource(STAGE) is world.resources[0]
    assert accounts.members == {STAGE, "account:a_b", PROD, "account:x"}


@pytest.mark.parametrize(("outputs", "organization"), [
    ([{"arn": f"{OF_ORGANIZATION}:organization/{ORGANIZATION}"}], ORGANIZATION),
    ([{"id": ORGANIZATION}], ORGANIZATION),
    ([{"arn": "unclear", "id": ORGANIZATION}], ORGANIZATION),
    ([{"id": "id"}], "organization:org-0"),
    ([{"id": ORGANIZATION}, {"id": "o-z9y8x7w6v5"}], None),
    ([], None),
])  # fmt: skip
def test_the_organization_is_the_one_that_is_shown(outputs: list[dict[str, object]], organization: str | None) -> None:
    world = Empty()
    for number, values in enumerate(outputs):
        world.add("Organization", f"org-{number}", outputs=values)
    assert world.accounts().organization == organization


def test_the_organization_may_be_told_by_another_stack() -> None:
    world = Empty()
    world.refer({"organization_id": ORGANIZATION})
    assert world.accounts().organization == ORGANIZATION


Setup = Callable[[Empty], object]


def _organizes(world: Empty, *, member_role: str | None = None) -> None:
    """A provider of the hub without a role, one of the stage that assumes a role, both used for Organizations."""
    hub = world.provide("hub", allowedAccountIds=json.dumps([HUB]))
    stage = world.provide("stage", assumeRoles=roles(arn(STAGE, f"role/{member_role}") if member_role else STAGE_ROLE))
    if member_role is None:
        world.add("ControlPolicy", "guard", stage)
        world.add("OrganizationalUnit", "ou", hub)


MANAGEMENT: list[tuple[Setup, str | None]] = [
    (lambda world: world.add("OrganizationalUnit", "ou", arn=f"{OF_ORGANIZATION}:ou/{ORGANIZATION}/ou-1"), HUB),
    (lambda world: world.add("Organization", "o", masterAccountId=HUB), HUB),
    (lambda world: world.add("Organization", "o", masterAccountId="x"), None),
    (lambda world: world.add("ControlPolicy", "p", arn="arn:aws:organizations::aws:policy/scp/p"), None),
    (lambda world: world.add("Role", "r", arn=CI), None),
    (_organizes, HUB),
    (lambda world: _organizes(world, member_role="OrganizationAccountAccessRole"), HUB),
    (lambda world: _organizes(world, member_role="deployer"), None),
    (lambda world: world.provide("hub", allowedAccountIds=json.dumps([HUB])), None),
]  # fmt: skip


@pytest.mark.parametrize(("make", "management"), MANAGEMENT)
def test_the_management_account_is_where_the_organization_is_managed(make: Setup, management: str | None) -> None:
    world = Empty()
    make(world)
    assert world.accounts().management == management


def test_members_are_the_accounts_that_are_made_or_listed_and_ours_are_those_it_works_in_too() -> None:
    world = Empty()
    listed = {"accounts": [{"id": HUB}, {"id": STAGE}, {"id": "x"}, UNKNOWN], "nonMasterAccounts": [{"id": PROD}]}
    world.add("Organization", "o", masterAccountId=HUB, **listed)
    world.account("made", id="4" * 12)
    world.provide("other", allowedAccountIds=json.dumps(["5" * 12]))
    accounts = world.accounts()
    assert accounts.members == {STAGE, PROD, "4" * 12}
    assert accounts.held == {"5" * 12}
    assert {one for one in (HUB, STAGE, PROD, "4" * 12, "5" * 12, OUTSIDE) if not accounts.is_ours(one)} == {OUTSIDE}


def test_the_access_role_of_an_account_is_as_aws_made_it_else_as_it_is_told() -> None:
    """`OrganizationAccountAccessRole` may be there beside a name that is only told.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_access.html
    """
    world = Empty()
    world.account("made", id=STAGE, roleName="Made")
    world.account("plain", id="4" * 12)
    world.add("MemberAccount", "adopted", accessRoleArn=arn(PROD, "role/path/Adopted"))
    world.add("MemberAccount", "not-yet", accessRoleArn=UNKNOWN)
    world.add("Component", "unrelated", accessRoleArn=arn("4" * 12, "role/Unrelated"))
    other = world.refer({})
    world.add("Provider", "theirs", parent=other, assumeRoles=roles(PROD_ROLE, CI, arn(OUTSIDE, "role/Theirs")))
    world.add("Provider", "user", parent=other, assumeRoles=roles(arn("4" * 12, "user/U")))
    world.add("Provider", "below", parent=world.resources[0], assumeRoles=roles(arn("4" * 12, "role/Below")))
    world.provide("without-parent", assumeRoles=roles(arn("4" * 12, "role/Alone")))
    accounts = world.accounts()
    aws = "OrganizationAccountAccessRole"
    told = {STAGE: "Made", PROD: "Adopted", OUTSIDE: "Theirs", "4" * 12: aws, HUB: aws}
    assert {one: accounts.access_role(one) for one in told} == told
    assert {one: accounts.access_roles(one) for one in told} == {
        STAGE: {"Made"}, PROD: {"Adopted", aws}, OUTSIDE: {"Theirs", aws}, "4" * 12: {aws}, HUB: {aws}
    }  # fmt: skip


@pytest.mark.parametrize(("inputs", "partition"), [
    ({"region": "cn-north-1"}, "aws-cn"),
    ({"region": "us-gov-west-1"}, "aws-us-gov"),
    ({"region": "eu-west-1"}, "aws"),
    ({}, "aws"),
    ({"assumeRoles": roles(CI, STAGE_ROLE.replace(":aws:", ":aws-cn:"))}, "aws-cn"),
    ({"assumeRoles": roles(STAGE_ROLE.replace(":aws:", ":aws-us-gov:")), "region": "cn-north-1"}, "aws-us-gov"),
])  # fmt: skip
def test_a_partition_is_that_of_the_role_or_the_region_of_a_provider(inputs: dict[str, object], partition: str) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html."""
    world = Empty()
    provider = world.provide(**{"allowedAccountIds": json.dumps([STAGE]), **inputs})
    role = world.add("Role", "r", provider)
    accounts = world.accounts()
    assert accounts.partition(STAGE) == accounts.partition(OUTSIDE) == accounts.partition_of(role) == partition
    assert accounts.partition_of(replace(role, outputs={"arn": CI})) == "aws"
    assert accounts.partition_of(replace(role, provider=None)) == "aws"
    assert Empty().accounts().partition(STAGE) == "aws"
    elsewhere = next(one for one in ("us-iso-east-1", "cn-north-1") if one != inputs.get("region"))
    world.provide("second", allowedAccountIds=json.dumps([PROD]), region=elsewhere)
    accounts = world.accounts()
    assert (accounts.partition(STAGE), accounts.partition(OUTSIDE)) == (partition, "aws")
    assert accounts.partition(PROD) == "aws-iso"


def test_what_is_known_of_the_accounts_of_another_stack() -> None:
    """Nothing of it is believed that does not come from a stack reference; a provider tells its account's name."""
    outputs = {
        "member_account_ids": {"a.b": STAGE, "prod": UNKNOWN},
        "member_account_environments": {"a.b": "stage", "prod": UNKNOWN},
    }
    world = Empty()
    other = world.refer(outputs)
    provider = world.add("Provider", "prod", parent=other, assumeRoles=UNKNOWN)
    accounts = world.accounts()
    assert accounts.ids == {"account:a_b": STAGE}
    assert (accounts.name(STAGE), of_account(accounts, STAGE)) == (f"a.b ({STAGE})", "stage")
    assert accounts.of_provider(provider.urn) == "account:prod"
    assert (accounts.name("account:prod"), of_account(accounts, "account:prod")) == ("prod (id not known yet)", "prod")
    for less in ({"member_account_ids": outputs["member_account_ids"], "member_account_environments": UNKNOWN}, {}):
        world = Empty()
        world.refer(less)
        assert of_account(world.accounts(), STAGE) is None
    world = Empty()
    world.refer(outputs, to_stack=False)
    assert world.accounts().ids == {}


def _tagged(**values: object) -> Setup:
    return lambda world: world.account("x", id=STAGE, **values)


def _with_default_tags(tags: object) -> Setup:
    return lambda world: world.provide(allowedAccountIds=json.dumps([STAGE]), defaultTags=tags)


ENVIRONMENTS: list[tuple[Setup, str | None]] = [
    (_tagged(tags={"environment": "qa"}, tagsAll={"environment": "prod"}), "qa"),
    (_tagged(tags={}, tagsAll={"environment": "prod"}), "prod"),
    (_tagged(name="acme-prod"), "prod"),
    (lambda world: world.account("prod", id=STAGE), "prod"),
    (lambda world: world.account("prod", id=STAGE, name="acme-stage"), None),
    (_tagged(name=""), None),
    (_with_default_tags(json.dumps({"tags": {"environment": "prod"}})), "prod"),
    (_with_default_tags({"tags": {"environment": "prod"}}), "prod"),
    (lambda world: world.provide("prod", allowedAccountIds=json.dumps([STAGE]), defaultTags=
        json.dumps({"tags": {"environment": "sandbox"}})), "sandbox"),
    (_with_default_tags("{"), None),
    (_with_default_tags(UNKNOWN), None),
    (lambda world: world.provide("prod", allowedAccountIds=json.dumps([STAGE])), "prod"),
    (lambda world: world.provide("prod", allowedAccountIds=json.dumps([PROD])), None),
    (lambda world: (_tagged(name="acme-stage")(world), world.provide("prod", assumeRoles=roles(STAGE_ROLE))), "stage"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "environment"), ENVIRONMENTS)
def test_the_environment_of_an_account_is_in_its_tags_or_its_names(make: Setup, environment: str | None) -> None:
    world = Empty()
    make(world)
    assert of_account(world.accounts(), STAGE) == environment


@pytest.mark.parametrize(("make", "other"), [
    (_tagged(name="shared-services"), True),
    (lambda world: world.account("network", id=STAGE), True),
    (lambda world: world.account("network", id=STAGE, name="prod"), False),
    (_tagged(name="data"), False),
    (lambda world: world.provide("tools", allowedAccountIds=json.dumps([STAGE])), True),
    (lambda world: world.provide("tools", allowedAccountIds=json.dumps([PROD])), False),
    (lambda world: world.add("Organization", "o", masterAccountId=STAGE), True),
])  # fmt: skip
def test_an_account_is_of_another_purpose_as_its_names_say(make: Setup, *, other: bool) -> None:
    world = Empty()
    make(world)
    assert is_of_another_purpose(world.accounts(), STAGE) is other


@pytest.mark.parametrize(
    ("said", "listed", "open_"),
    [
        ({}, [], True), ({"status": "SUSPENDED"}, [], False), ({"state": "CLOSED", "status": "SUSPENDED"}, [], False),
        ({"state": "PENDING_CLOSURE"}, [], True), ({}, [{"id": STAGE, "status": "SUSPENDED"}], False),
        ({"status": "ACTIVE"}, [{"id": STAGE, "status": "SUSPENDED"}], True),
    ],
)  # fmt: skip
def test_nobody_enters_or_comes_from_a_closed_account(
    said: dict[str, str], listed: list[dict[str, str]], open_: bool
) -> None:
    """It "can no longer be used for any AWS activity" but by its root user, to view past bills.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_close.html
    """
    world = two_keys()
    world.add("Organization", "org", world.hub, id="o-a1b2c3d4e5", masterAccountId=HUB, accounts=listed)
    world.add("Account", "stage", world.hub, id=STAGE, name="stage", **said)
    world.role("back", world.hub, document(trusts(DEPLOYER)))
    world.grant("deployer", world.stage, arn(HUB, "role/back"))
    graph = world.graph
    assert bool(graph.doors) is open_
    assert bool(graph.access_roles) is open_


def test_half_a_door_of_a_closed_account_is_to_be_removed() -> None:
    """Its roles can be used again only once AWS has reinstated it, within 90 days.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_close.html
    """
    world = World()
    closed = [{"id": PROD, "name": "prod", "status": "SUSPENDED"}]
    world.add("Organization", "org", world.hub, id="o-a1b2c3d4e5", masterAccountId=HUB, accounts=closed)
    world.role("ci", world.hub, document(trusts(arn(PROD, "root"))))
    world.grant("ci", world.hub, arn(PROD, "role/deployer"))
    grant, trust = sorted((one.rule, one.message, one.next_step) for one in world.check().mandatory)
    assert (grant[0], grant[2]) == ("door-needs-grant", "take it out of the trust policy")
    assert (trust[0], trust[2]) == ("door-needs-trust", "remove the grant")
    assert all("that account is closed" in said for _, said, _ in (grant, trust))


def test_an_account_that_nothing_names_is_called_by_its_alias() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/console-account-alias.html"""
    world = two_keys()
    alias = "aws:iam/accountAlias:AccountAlias"
    values = {"accountAlias": "acme-stage"}
    world.resources.append(
        Resource(urn=f"urn:pulumi:stage::twokeys::{alias}::a", type=alias, name="a", inputs=values, outputs=values,
                 provider=world.stage.urn)
    )  # fmt: skip
    accounts = world.graph.accounts
    assert (accounts.name(STAGE), accounts.name(PROD)) == (f"acme-stage ({STAGE})", PROD)
