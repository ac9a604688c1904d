"""Each type is made, read, changed, imported and removed in a real local AWS; an independent client looks on.

Properties, defaults and ids are those of https://www.pulumi.com/registry/packages/aws/api-docs/ (version 7).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.sandbox.aws.conftest import Driver, Organized, grant, trust, urn
from twokeys.sandbox.aws.catalogue import RESOURCE_TYPES, resource_type
from twokeys.sandbox.aws.resource_type import Diff, Secret
from twokeys.sandbox.aws.schema import schema

EC2_TRUST = trust("x").replace('"AWS": "x"', '"Service": "ec2.amazonaws.com"')
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
DENY_LEAVE = grant("*").replace("sts:AssumeRole", "organizations:LeaveOrganization").replace("Allow", "Deny")
SAML = f'<EntityDescriptor entityID="https://idp.example.com/{"x" * 1000}"/>'  # AWS wants 1000 characters at least


@dataclass
class Case:
    """`make` and `change` are inputs (given what `prepare` made); `id` and `outputs` what AWS and the provider say."""

    type: str
    make: Callable[[dict[str, Any]], dict[str, Any]]
    outputs: Callable[[dict[str, Any]], dict[str, Any]] = lambda _known: {}
    """What it says besides the inputs."""
    id: Callable[[dict[str, Any]], str] | None = None
    change: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    prepare: Callable[[Driver, dict[str, Any]], dict[str, Any]] = lambda _driver, known: known
    import_knows: tuple[str, ...] = field(default=())
    """Inputs that no API tells, so an import cannot know them."""
    importable: bool = True


def people(driver: Driver, known: dict[str, Any]) -> dict[str, Any]:
    driver.up("aws:iam/role:Role", "role", name="deployer", assumeRolePolicy=EC2_TRUST)
    for name in ("ci", "dev"):
        driver.up("aws:iam/user:User", name, name=name)
    for name in ("engineers", "auditors"):
        driver.up("aws:iam/group:Group", name, name=name)
    return known


def a_unit(driver: Driver, known: dict[str, Any]) -> dict[str, Any]:
    unit, _ = driver.up(
        "aws:organizations/organizationalUnit:OrganizationalUnit", "unit", name="workloads", parentId=known["root"]
    )
    return {**known, "unit": unit}


def a_policy_and_unit(driver: Driver, known: dict[str, Any]) -> dict[str, Any]:
    policy, _ = driver.up("aws:organizations/policy:Policy", "policy", name="stay", content=DENY_LEAVE)
    return {**a_unit(driver, known), "policy": policy}


def trusting_iam(driver: Driver, known: dict[str, Any]) -> dict[str, Any]:
    driver.api("organizations").enable_aws_service_access(ServicePrincipal="iam.amazonaws.com")
    return known


HOLDERS = {"role": "deployer", "group": "engineers", "user": "ci"}


def inline(kind: str) -> Case:
    inputs = {"name": "enter", kind: HOLDERS[kind], "policy": grant("*")}
    return Case(
        type=f"aws:iam/{kind}Policy:{kind.capitalize()}Policy",
        prepare=people,
        make=lambda _: inputs,
        change=lambda _: {**inputs, "policy": grant("arn:aws:iam::111111111111:role/a")},
        id=lambda _: f"{HOLDERS[kind]}:enter",
    )


def attachment(kind: str) -> Case:
    inputs = {kind: HOLDERS[kind], "policyArn": READ_ONLY}
    return Case(
        type=f"aws:iam/{kind}PolicyAttachment:{kind.capitalize()}PolicyAttachment",
        prepare=people,
        make=lambda _: inputs,
        id=lambda _: f"{HOLDERS[kind]}/{READ_ONLY}",
    )


CASES = {
    **{f"{kind} policy": inline(kind) for kind in HOLDERS},
    **{f"{kind} policy attachment": attachment(kind) for kind in HOLDERS},
    "Organization": Case(
        type="aws:organizations/organization:Organization",
        make=lambda _: {"enabledPolicyTypes": ["TAG_POLICY"]},
        change=lambda _: {
            "enabledPolicyTypes": ["SERVICE_CONTROL_POLICY"],
            "awsServiceAccessPrincipals": ["cloudtrail.amazonaws.com"],
        },
        outputs=lambda known: {"featureSet": "ALL", "masterAccountId": known["account"], "nonMasterAccounts": []},
    ),
    "OrganizationalUnit": Case(
        type="aws:organizations/organizationalUnit:OrganizationalUnit",
        make=lambda known: {"name": "workloads", "parentId": known["root"], "tags": {"team": "core"}},
        change=lambda known: {"name": "work", "parentId": known["root"], "tags": {"owner": "core"}},
        outputs=lambda _: {"accounts": [], "tagsAll": {"team": "core"}},
    ),
    "Account": Case(
        type="aws:organizations/account:Account",
        prepare=a_unit,
        make=lambda _: {"name": "stage", "email": "example+stage@company.com", "closeOnDeletion": True},
        change=lambda known: {
            "name": "stage",
            "email": "example+stage@company.com",
            "closeOnDeletion": False,
            "parentId": known["unit"],
            "tags": {"environment": "stage"},
        },
        outputs=lambda _: {
            "status": "ACTIVE",
            "state": "ACTIVE",
            "joinedMethod": "CREATED",
            "govcloudId": "",
            "tagsAll": {},
        },
        import_knows=("closeOnDeletion",),
    ),
    "organizations Policy": Case(
        type="aws:organizations/policy:Policy",
        make=lambda _: {"name": "stay", "content": DENY_LEAVE, "tags": {"a": "b"}},
        change=lambda _: {"name": "remain", "content": DENY_LEAVE.replace("Leave", "Close"), "description": "Stay."},
        outputs=lambda _: {"type": "SERVICE_CONTROL_POLICY", "tagsAll": {"a": "b"}},
    ),
    "organizations PolicyAttachment": Case(
        type="aws:organizations/policyAttachment:PolicyAttachment",
        prepare=a_policy_and_unit,
        make=lambda known: {"policyId": known["policy"], "targetId": known["unit"]},
        id=lambda known: f"{known['unit']}:{known['policy']}",
    ),
    "Role": Case(
        type="aws:iam/role:Role",
        prepare=people,
        make=lambda _: {
            "name": "reader",
            "path": "/people/",
            "assumeRolePolicy": EC2_TRUST,
            "description": "Reads.",
            "maxSessionDuration": 7200,
            "permissionsBoundary": ADMINISTRATOR,
            "managedPolicyArns": [READ_ONLY],
            "inlinePolicies": [{"name": "enter", "policy": grant("*")}],
            "tags": {"a": "b"},
        },
        change=lambda known: {
            "name": "reader",
            "path": "/people/",
            "assumeRolePolicy": trust(f"arn:aws:iam::{known['account']}:user/ci"),
            "managedPolicyArns": [ADMINISTRATOR],
            "inlinePolicies": [{"name": "go", "policy": grant("*")}],
            "tags": {"c": "d"},
        },
        id=lambda _: "reader",
        outputs=lambda known: {
            "arn": f"arn:aws:iam::{known['account']}:role/people/reader",
            "forceDetachPolicies": False,
            "tagsAll": {"a": "b"},
        },
    ),
    "iam Policy": Case(
        type="aws:iam/policy:Policy",
        make=lambda _: {"name": "enter", "policy": grant("*"), "description": "Enter.", "tags": {"a": "b"}},
        change=lambda _: {
            "name": "enter",
            "policy": grant("arn:aws:iam::111111111111:role/a"),
            "description": "Enter.",
            "tags": {"c": "d"},
        },
        id=lambda known: f"arn:aws:iam::{known['account']}:policy/enter",
        outputs=lambda known: {
            "arn": f"arn:aws:iam::{known['account']}:policy/enter",
            "path": "/",
            "attachmentCount": 0,
            "tagsAll": {"a": "b"},
        },
    ),
    "PolicyAttachment": Case(
        type="aws:iam/policyAttachment:PolicyAttachment",
        prepare=people,
        make=lambda _: {"name": "all", "policyArn": READ_ONLY, "users": ["ci"], "groups": ["engineers"]},
        change=lambda _: {"name": "all", "policyArn": READ_ONLY, "users": ["dev"], "roles": ["deployer"]},
        id=lambda _: "all",
        outputs=lambda _: {"roles": []},
        importable=False,
    ),
    "OrganizationsFeatures": Case(
        type="aws:iam/organizationsFeatures:OrganizationsFeatures",
        prepare=trusting_iam,
        make=lambda _: {"enabledFeatures": ["RootSessions"]},
        change=lambda _: {"enabledFeatures": ["RootCredentialsManagement"]},
    ),
    "User": Case(
        type="aws:iam/user:User",
        make=lambda _: {"name": "ci", "path": "/bots/", "permissionsBoundary": ADMINISTRATOR, "tags": {"a": "b"}},
        change=lambda _: {"name": "robot", "path": "/robots/", "tags": {"c": "d"}},
        id=lambda _: "ci",
        outputs=lambda known: {"arn": f"arn:aws:iam::{known['account']}:user/bots/ci", "forceDestroy": False},
    ),
    "Group": Case(
        type="aws:iam/group:Group",
        make=lambda _: {"name": "engineers"},
        change=lambda _: {"name": "people", "path": "/all/"},
        id=lambda _: "engineers",
        outputs=lambda known: {"arn": f"arn:aws:iam::{known['account']}:group/engineers", "path": "/"},
    ),
    "GroupMembership": Case(
        type="aws:iam/groupMembership:GroupMembership",
        prepare=people,
        make=lambda _: {"name": "all", "group": "engineers", "users": ["ci"]},
        change=lambda _: {"name": "all", "group": "engineers", "users": ["dev"]},
        id=lambda _: "all",
        importable=False,
    ),
    "UserGroupMembership": Case(
        type="aws:iam/userGroupMembership:UserGroupMembership",
        prepare=people,
        make=lambda _: {"user": "ci", "groups": ["engineers"]},
        change=lambda _: {"user": "ci", "groups": ["engineers", "auditors"]},
        id=lambda _: "ci/engineers",
    ),
    "AccessKey": Case(
        type="aws:iam/accessKey:AccessKey",
        prepare=people,
        make=lambda _: {"user": "ci"},
        change=lambda _: {"user": "ci", "status": "Inactive"},
        outputs=lambda _: {"status": "Active"},
        importable=False,
    ),
    "OpenIdConnectProvider": Case(
        type="aws:iam/openIdConnectProvider:OpenIdConnectProvider",
        make=lambda _: {
            "url": "https://token.actions.githubusercontent.com",
            "clientIdLists": ["sts.amazonaws.com"],
            "thumbprintLists": ["a" * 40],
            "tags": {"a": "b"},
        },
        change=lambda _: {
            "url": "https://token.actions.githubusercontent.com",
            "clientIdLists": ["sigstore"],
            "thumbprintLists": ["b" * 40],
            "tags": {"c": "d"},
        },
        id=lambda known: f"arn:aws:iam::{known['account']}:oidc-provider/token.actions.githubusercontent.com",
        outputs=lambda known: {
            "arn": f"arn:aws:iam::{known['account']}:oidc-provider/token.actions.githubusercontent.com",
            "tagsAll": {"a": "b"},
        },
    ),
    "SamlProvider": Case(
        type="aws:iam/samlProvider:SamlProvider",
        make=lambda _: {"name": "idp", "samlMetadataDocument": SAML, "tags": {"a": "b"}},
        change=lambda _: {"name": "idp", "samlMetadataDocument": SAML.replace("idp.", "sso."), "tags": {"c": "d"}},
        id=lambda known: f"arn:aws:iam::{known['account']}:saml-provider/idp",
        outputs=lambda known: {"arn": f"arn:aws:iam::{known['account']}:saml-provider/idp"},
    ),
}


def test_every_type_has_a_round_trip() -> None:
    missing = sorted(RESOURCE_TYPES.keys() - {case.type for case in CASES.values()})
    assert not missing, f"add to CASES one of each of {missing}, made, read, changed, imported and removed"


@pytest.mark.parametrize("name", CASES)
def test_it_is_made_read_changed_imported_and_removed(name: str, request: pytest.FixtureRequest) -> None:
    case = CASES[name]
    needs_none = name == "Organization"
    driver: Driver
    if needs_none:
        driver, known = request.getfixturevalue("management"), {}
    else:
        organized: Organized = request.getfixturevalue("organized")
        driver, known = organized.driver, {"root": organized.root}
    known = case.prepare(driver, {**known, "account": driver.account})
    provider, known_type, where = driver.provider, resource_type(case.type), urn(case.type, "it")

    inputs = driver.check(case.type, "it", case.make(known))
    preview = known_type.preview(inputs, None)
    identifier, outputs = provider.create(case.type, where, inputs)
    if case.id is not None:
        assert identifier == case.id(known)
    assert outputs | case.outputs(known) == outputs
    assert inputs.items() <= outputs.items()
    assert outputs.keys() - preview.keys() <= schema(case.type).inputs.keys()
    assert known_type.diff(where, inputs, inputs, ()) == Diff(())

    read = provider.read(case.type, where, identifier, inputs, plain(outputs))
    assert read == (identifier, inputs, outputs)
    if case.importable:
        imported = provider.read(case.type, where, identifier, {}, {})
        assert imported is not None
        difference = known_type.diff(where, imported[1], inputs, ())
        assert set(difference.changed) <= set(case.import_knows)

    if case.change is not None:
        changed = driver.check(case.type, "it", case.change(known), inputs)
        difference = known_type.diff(where, inputs, changed, ())
        assert difference.changed
        assert difference.replaces == ()
        after = provider.update(case.type, where, identifier, inputs, plain(outputs), changed)
        assert changed.items() <= after.items()
        assert provider.read(case.type, where, identifier, changed, plain(after)) == (identifier, changed, after)
        inputs, outputs = changed, after

    provider.delete(case.type, where, identifier, inputs)
    gone = provider.read(case.type, where, identifier, inputs, plain(outputs))
    if name == "GroupMembership":  # it is what the group has, and the group is still there
        assert gone is not None
        assert gone[2]["users"] == []
    else:
        assert gone is None
    provider.delete(case.type, where, identifier, inputs)


def plain(outputs: dict[str, Any]) -> dict[str, Any]:
    """As the engine hands outputs to a plugin: secrets unwrapped."""
    return {name: value.value if isinstance(value, Secret) else value for name, value in outputs.items()}
