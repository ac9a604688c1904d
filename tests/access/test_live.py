"""Identity Center and root access read with boto3 from the local AWS.

https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_ListAccountAssignments.html
What AWS says in other cases is answered in its place, checked by botocore against AWS's own model of each operation.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, NoCredentialsError
from botocore.validate import validate_parameters

from tests.access.world import TODAY, document, grants
from twokeys.access.graph import build
from twokeys.access.reading.live import _region, read_live
from twokeys.access.reading.since import NOT_KNOWN, Since
from twokeys.access.reading.snapshot import NotAnswered, Resource
from twokeys.access.reading.type_names import ACCESS_KEY, MFA_DEVICE, PASSWORD
from twokeys.access.rules import RULES
from twokeys.access.verdicts import check
from twokeys.answers.reading import read
from twokeys.answers.summary import not_shown
from twokeys.errors import Refusal
from twokeys.sandbox.local_aws import LocalAws

HUB = "111111111111"


@pytest.fixture
def organization(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The client of an organization in the local AWS, whose management account the environment has."""
    with LocalAws.start(tmp_path / "aws") as aws:
        for name, value in aws.environment(HUB).items():
            monkeypatch.setenv(name, value)
        client = boto3.client("organizations")
        client.create_organization(FeatureSet="ALL")
        yield client


def test_assignments_are_doors_with_the_names_of_people_and_what_they_may_do(organization: Any) -> None:
    organization.enable_aws_service_access(ServicePrincipal="sso.amazonaws.com")
    center: Any = boto3.client("sso-admin")
    store: Any = boto3.client("identitystore")
    (instance,) = center.list_instances()["Instances"]
    shared = {"InstanceArn": instance["InstanceArn"]}
    directory = {"IdentityStoreId": instance["IdentityStoreId"]}
    group = store.create_group(DisplayName="admins", **directory)["GroupId"]
    user = store.create_user(UserName="ann", DisplayName="A", Name={"GivenName": "A", "FamilyName": "E"}, **directory)
    store.create_group_membership(GroupId=group, MemberId={"UserId": user["UserId"]}, **directory)
    made = center.create_permission_set(Name="Admin", SessionDuration="PT2H", **shared)["PermissionSet"]
    about = {**shared, "PermissionSetArn": made["PermissionSetArn"]}
    granted = document(grants("arn:aws:iam::222222222222:role/deployer"))
    center.put_inline_policy_to_permission_set(InlinePolicy=granted, **about)
    administrator = "arn:aws:iam::aws:policy/AdministratorAccess"
    center.attach_managed_policy_to_permission_set(ManagedPolicyArn=administrator, **about)
    assigned = {"PrincipalType": "GROUP", "PrincipalId": group, "TargetId": HUB, "TargetType": "AWS_ACCOUNT"}
    center.create_account_assignment(**assigned, **about)
    graph = build(read_live())
    (assignment,) = graph.identity_center.assignments
    assert (assignment.source.name, assignment.members, assignment.role.account) == ("admins", ("ann",), HUB)
    assert assignment.permission_set is not None
    assert assignment.permission_set.session_seconds == 7200
    assert {one.title for one in assignment.role.documents} == {
        "inline policy of permission set Admin",
        "managed policy AdministratorAccess",
    }


def test_accounts_have_the_access_role_that_was_read_in_them_and_no_other(organization: Any) -> None:
    """AWS does not tell the name that an account's access role was given.

    https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateAccount.html (RoleName)
    """
    roles = {"lake": "AWSAFTExecution", "plain": "OrganizationAccountAccessRole"}
    for name, role in roles.items():
        organization.create_account(Email=f"{name}@example.com", AccountName=name, RoleName=role)
    there = read_live(member_roles=tuple(roles.values()))
    (one,) = there.evidence
    assert (len(one.accounts), one.not_answered) == (3, ())
    found = read(build(there))
    assert (found.ways, not_shown(found)) == ((), None), "nobody is in the management account"
    ways = [way for way in found.if_granted if way.as_aws_made_it]
    assert {(way.target.place, way.target.who.name) for way in ways} == set(roles.items())
    (left,) = read_live(member_roles=("Mine", "Theirs")).evidence
    assert {each.action for each in left.not_answered} == {"sts:AssumeRole on Mine or Theirs"}


Answers = dict[tuple[str, str], Any]
A_PAGE = {"PageSize": 1000}
"""The most: https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoles.html."""


def stored(kind: str, identity: str, **more: object) -> dict[str, object]:
    """One of the identity store, with what AWS's model requires of it."""
    arn = f"arn:aws:identitystore:::{kind.lower()}/00000000-0000-0000-0000-000000000000"
    return {"IdentityStoreId": "d-0123456789", f"{kind}Id": identity, f"{kind}Arn": arn, **more}


DAY, LATER = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC)
STAGE, GONE, OLD = "2" * 12, "3" * 12, "4" * 12
INSTANCE, SET = (
    "arn:aws:sso:::instance/ssoins-0123456789abcdef",
    "arn:aws:sso:::permissionSet/ssoins-0123456789abcdef/ps-0123456789abcdef",
)
TRUST = {"Version": "2012-10-17", "Statement": []}


def iam(account: str, rest: str) -> str:
    return f"arn:aws-us-gov:iam::{account}:{rest}"


BY = f"arn:aws-us-gov:sts::{HUB}:assumed-role/x/y"
IN_STAGE = ("AssumeRole", f"{iam(STAGE, 'role/In')} twokeys-access")


_client = cache(boto3.Session("x", "x", region_name="us-gov-west-1").client)


class Aws:
    """A session whose calls have the given answers, by operation and whatever of the parameters tells calls apart."""

    def __init__(self, answers: Answers, region: str | None = "us-gov-west-1") -> None:
        self.answers, self.region_name = answers, region
        self.clients: list[tuple[str, dict[str, str]]] = []

    def client(self, service: str, **options: str) -> Any:
        self.clients.append((service, options))
        asked = partial(self._answer, _client(service), inside=options.get("aws_access_key_id", ""))
        return _Asked(asked)

    def _answer(self, client: Any, operation: str, inside: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        assert parameters.pop("PaginationConfig", A_PAGE) == A_PAGE
        name = client.meta.method_to_api_mapping[operation]
        model = client.meta.service_model.operation_model(name)
        if parameters or model.input_shape:
            validate_parameters(parameters, model.input_shape)
        place = " ".join(filter(None, (inside, *(str(one) for key, one in parameters.items() if key not in _ALWAYS))))
        answer = self.answers[name, place]
        if isinstance(answer, str):
            raise ClientError({"Error": {"Code": answer, "Message": "no"}}, name)
        if isinstance(answer, Exception):
            raise answer
        for page in answer if isinstance(answer, list) else [answer]:
            validate_parameters(page, model.output_shape)
            yield page


class _Asked:
    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def get_paginator(self, operation: str) -> Any:
        return SimpleNamespace(paginate=partial(self._answer, operation))

    def __getattr__(self, operation: str) -> Any:
        return lambda **parameters: next(self._answer(operation, **parameters))


_ALWAYS = ("InstanceArn", "IdentityStoreId")


def policy(name: str, **more: object) -> dict[str, object]:
    return {"PolicyName": name, "PolicyDocument": json.dumps(TRUST), **more}


def ou(number: int) -> str:
    return f"ou-a1b2-{number:08}"


def account_of(identity: str, name: str, **more: object) -> dict[str, object]:
    return {"Id": identity, "Name": name, **more}


def role(name: str, **more: object) -> dict[str, object]:
    values = {"RoleName": name, "RoleId": "AROA0123456789ABCDEF", "Arn": iam(HUB, f"role/{name}"), "Path": "/"}
    return {**values, "CreateDate": DAY, **more}


def report(*users: str) -> dict[str, object]:
    """The columns that count: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html."""
    columns = "user,password_enabled,access_key_1_active,access_key_2_active,mfa_active"
    return {"Content": "\n".join([columns, "<root_account>,not_supported,false,false,false", *users]).encode()}


IN_HUB: list[dict[str, object]] = [
    {
        "Policies": [
            {"Arn": iam(HUB, "policy/p/own"), "PolicyName": "own", "Path": "/p/", "CreateDate": DAY,
             "UpdateDate": LATER, "PolicyVersionList": [
                {"Document": "old", "IsDefaultVersion": False}, {"Document": "new", "IsDefaultVersion": True},
            ]},
            {"Arn": iam(HUB, "policy/bare"), "PolicyName": "bare"},
            {"Arn": iam(HUB, "policy/once"), "PolicyName": "once", "CreateDate": DAY, "UpdateDate": DAY,
             "PolicyVersionList": [{"Document": "first", "IsDefaultVersion": True}]},
        ],
        "GroupDetailList": [
            {"GroupName": "g", "GroupId": "AGPA0123456789ABCDEF", "Path": "/", "Arn": iam(HUB, "group/g"),
             "CreateDate": DAY, "GroupPolicyList": [policy("inline")],
             "AttachedManagedPolicies": [{"PolicyName": "own", "PolicyArn": iam(HUB, "policy/p/own")}]},
        ],
    },
    {
        "UserDetailList": [
            {"UserName": "u", "UserId": "AIDA0123456789ABCDEF", "Arn": iam(HUB, "user/u"),
             "UserPolicyList": [policy("inline")], "GroupList": ["g"],
             "PermissionsBoundary": {"PermissionsBoundaryArn": iam(HUB, "policy/p/own")}},
            {"UserName": "alone", "Arn": iam(HUB, "user/alone"), "Tags": [{"Key": "owner", "Value": "a"}]},
        ],
        "RoleDetailList": [
            {"RoleName": "r", "RoleId": "AROA0123456789ABCDEF", "Arn": iam(HUB, "role/r"),
             "AssumeRolePolicyDocument": "trust", "RolePolicyList": [policy("inline")],
             "Tags": [{"Key": "owner", "Value": "a"}],
             "AttachedManagedPolicies": [{"PolicyName": "own", "PolicyArn": iam(HUB, "policy/p/own")}]},
        ],
    },
]  # fmt: skip
ALL: Answers = {
    ("GetCallerIdentity", ""): {"Account": HUB, "Arn": BY},
    ("GetAccountAuthorizationDetails", ""): IN_HUB,
    ("ListRoles", ""): [{"Roles": []}, {"Roles": [role("r", MaxSessionDuration=7200), role("elsewhere")]}],
    ("GenerateCredentialReport", ""): {"State": "COMPLETE"},
    ("GetCredentialReport", ""): report("u,true,false,false,true", "alone,FALSE,false,TRUE,FALSE"),
    ("DescribeOrganization", ""): {"Organization": {"Id": "o-a1b2c3d4e5", "MasterAccountId": HUB}},
    ("ListRoots", ""): {"Roots": [{"Id": "r-a1b2", "PolicyTypes": [
        {"Type": kind, "Status": "ENABLED"}
        for kind in ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY", "TAG_POLICY")
    ]}]},
    ("ListAccountsForParent", "r-a1b2"): [
        {"Accounts": [account_of(HUB, "hub", State="ACTIVE")]},
        {"Accounts": [account_of(OLD, "old", Status="SUSPENDED")]},
    ],
    ("ListOrganizationalUnitsForParent", "r-a1b2"): [{"OrganizationalUnits": [{"Id": ou(1), "Name": "one"}]}],
    ("ListAccountsForParent", ou(1)): {"Accounts": [account_of(GONE, "gone", State="CLOSED")]},
    ("ListOrganizationalUnitsForParent", ou(1)): [
        {"OrganizationalUnits": []}, {"OrganizationalUnits": [{"Id": ou(2), "Name": "two"}]}
    ],
    ("ListAccountsForParent", ou(2)): {"Accounts": [
        account_of(
            STAGE, "stage", State="ACTIVE", Arn=f"arn:aws:organizations::{HUB}:account/o-a1b2c3d4e5/{STAGE}",
            Email="a@example.com", JoinedTimestamp=DAY,
        ),
    ]},
    ("ListOrganizationalUnitsForParent", ou(2)): {"OrganizationalUnits": []},
    ("ListTagsForResource", STAGE): [{"Tags": [{"Key": "a", "Value": "1"}]}, {"Tags": [{"Key": "b", "Value": "2"}]}],
    **{("ListTagsForResource", one): {"Tags": []} for one in (HUB, OLD, GONE)},
    ("ListPolicies", "SERVICE_CONTROL_POLICY"): [
        {"Policies": [{"Id": "p-FullAWSAccess", "Name": "FullAWSAccess", "AwsManaged": True}]},
        {"Policies": [{"Id": "p-01234567", "Name": "guard", "AwsManaged": False}]},
    ],
    ("DescribePolicy", "p-FullAWSAccess"): {"Policy": {"Content": "all"}},
    ("ListTargetsForPolicy", "p-FullAWSAccess"): {"Targets": [{"TargetId": "r-a1b2"}]},
    ("DescribePolicy", "p-01234567"): {"Policy": {"Content": "says"}},
    ("ListTargetsForPolicy", "p-01234567"): [{"Targets": [{"TargetId": "r-a1b2"}]}, {"Targets": [{"TargetId": STAGE}]}],
    ("ListPolicies", "RESOURCE_CONTROL_POLICY"): {
        "Policies": [{"Id": "p-RCPFullAWSAccess", "Name": "RCPFullAWSAccess", "AwsManaged": True}]
    },
    ("ListInstances", ""): [{"Instances": [{"InstanceArn": INSTANCE, "IdentityStoreId": "d-0123456789"}]}],
    ("ListPermissionSets", ""): [{"PermissionSets": [SET]}, {"PermissionSets": [f"{SET[:-1]}0"]}],
    ("DescribePermissionSet", SET): {"PermissionSet": {"Name": "Admin", "SessionDuration": "PT2H"}},
    ("ListManagedPoliciesInPermissionSet", SET): {"AttachedManagedPolicies": [{"Arn": "arn:aws:iam::aws:policy/A"}]},
    ("ListCustomerManagedPolicyReferencesInPermissionSet", SET): [
        {"CustomerManagedPolicyReferences": [{"Name": "own", "Path": "/p/"}]},
        {"CustomerManagedPolicyReferences": [{"Name": "two"}]},
    ],
    ("GetInlinePolicyForPermissionSet", SET): {"InlinePolicy": "inline"},
    ("GetPermissionsBoundaryForPermissionSet", SET): {
        "PermissionsBoundary": {"CustomerManagedPolicyReference": {"Name": "limit"}}
    },
    ("ListAccountsForProvisionedPermissionSet", SET): [{"AccountIds": [STAGE]}, {}],
    ("ListAccountAssignments", f"{STAGE} {SET}"): {
        "AccountAssignments": [{"PrincipalType": "GROUP", "PrincipalId": "g-1", "AccountId": STAGE}]
    },
    ("DescribePermissionSet", f"{SET[:-1]}0"): {"PermissionSet": {"Name": "View"}},
    ("ListManagedPoliciesInPermissionSet", f"{SET[:-1]}0"): {},
    ("ListCustomerManagedPolicyReferencesInPermissionSet", f"{SET[:-1]}0"): {},
    ("GetInlinePolicyForPermissionSet", f"{SET[:-1]}0"): {},
    ("GetPermissionsBoundaryForPermissionSet", f"{SET[:-1]}0"): {
        "PermissionsBoundary": {"ManagedPolicyArn": "arn:aws:iam::aws:policy/B"}
    },
    ("ListAccountsForProvisionedPermissionSet", f"{SET[:-1]}0"): {},
    ("ListUsers", ""): [
        {"Users": []}, {"Users": [stored("User", "u-1", UserName="ann", Revision="1")]}
    ],
    ("ListGroups", ""): {"Groups": [stored("Group", "g-1", DisplayName="admins", Revision="1")]},
    ("ListGroupMemberships", "g-1"): {
        "GroupMemberships": [stored("Membership", "m-1", MemberId={"UserId": "u-1"})]
    },
    ("ListOrganizationsFeatures", ""): {"EnabledFeatures": ["RootSessions"]},
    ("ListDelegatedAdministrators", "iam.amazonaws.com"): [
        {"DelegatedAdministrators": []}, {"DelegatedAdministrators": [{"Id": STAGE}]}
    ],
    ("ListDelegatedAdministrators", "sso.amazonaws.com"): {"DelegatedAdministrators": [{"Id": STAGE}]},
    IN_STAGE: {"Credentials": {
        "AccessKeyId": "inside-stage-0123", "SecretAccessKey": "s", "SessionToken": "t", "Expiration": DAY,
    }},
    ("ListRoles", "inside-stage-0123"): {"Roles": []},
    ("GetAccountAuthorizationDetails", "inside-stage-0123"): {
        "GroupDetailList": [{"GroupName": "g", "Arn": iam(STAGE, "group/g")}]
    },
}  # fmt: skip


def of(account: str, type_: str, name: str, /, *, since: Since = NOT_KNOWN, **outputs: object) -> Resource:
    folder, _, kind = type_.partition(":")
    type_ = f"aws:{folder}/{kind[0].lower()}{kind[1:]}:{kind}"
    holder = next((iam(account, f"{one}/{outputs[one]}") for one in ("role", "user", "group") if one in outputs), None)
    part = f"{holder or outputs.get('permissionSetArn', account)} {kind} {name}"
    return Resource(
        str(outputs.get("arn") or outputs.get("id") or part), type_, name, outputs=outputs, protect=True,
        provider=f"account {account}", since=since,
    )  # fmt: skip


def provider(account: str, **inputs: object) -> Resource:
    values = {"allowedAccountIds": json.dumps([account]), **inputs}
    return Resource(f"account {account}", "pulumi:providers:aws", account, values)


FIRST = Since(DAY)
OWN, ONCE = iam(HUB, "policy/p/own"), iam(HUB, "policy/once")
HUBS = [
    of(HUB, "iam:Policy", OWN, since=Since(DAY, None, LATER), arn=OWN, name="own", path="/p/", policy="new"),
    of(HUB, "iam:Policy", ONCE, since=Since(DAY, DAY, DAY), arn=ONCE, name="once", policy="first"),
    of(HUB, "iam:Group", "g", since=FIRST, name="g", path="/", arn=iam(HUB, "group/g"),
       uniqueId="AGPA0123456789ABCDEF"),
    of(HUB, "iam:GroupPolicy", "g/inline", since=FIRST, group="g", name="inline", policy=json.dumps(TRUST)),
    of(HUB, "iam:GroupPolicyAttachment", f"g/{OWN}", since=FIRST, group="g", policyArn=OWN),
    of(HUB, "iam:User", "u", name="u", arn=iam(HUB, "user/u"), permissionsBoundary=OWN,
       uniqueId="AIDA0123456789ABCDEF", credentials={PASSWORD: True, ACCESS_KEY: False, MFA_DEVICE: True}, tags={}),
    of(HUB, "iam:UserPolicy", "u/inline", user="u", name="inline", policy=json.dumps(TRUST)),
    of(HUB, "iam:UserGroupMembership", "u", user="u", groups=["g"]),
    of(HUB, "iam:User", "alone", name="alone", arn=iam(HUB, "user/alone"),
       credentials={PASSWORD: False, ACCESS_KEY: True, MFA_DEVICE: False}, tags={"owner": "a"}),
    of(HUB, "iam:UserGroupMembership", "alone", user="alone", groups=[]),
    of(HUB, "iam:Role", "r", name="r", arn=iam(HUB, "role/r"), assumeRolePolicy="trust", maxSessionDuration=7200,
       uniqueId="AROA0123456789ABCDEF", tags={"owner": "a"}),
    of(HUB, "iam:RolePolicy", "r/inline", role="r", name="inline", policy=json.dumps(TRUST)),
    of(HUB, "iam:RolePolicyAttachment", f"r/{OWN}", role="r", policyArn=OWN),
    provider(HUB),
]  # fmt: skip
ORGANIZED = [
    of(HUB, "organizations:Organization", "organization", id="o-a1b2c3d4e5", masterAccountId=HUB,
       roots=[{"id": "r-a1b2"}]),
    of(HUB, "organizations:Account", "hub", id=HUB, name="hub", state="ACTIVE", parentId="r-a1b2", tags={}),
    of(HUB, "organizations:Account", "old", id=OLD, name="old", state="SUSPENDED", parentId="r-a1b2", tags={}),
    of(HUB, "organizations:OrganizationalUnit", ou(1), id=ou(1), parentId="r-a1b2", name="one"),
    of(HUB, "organizations:Account", "gone", id=GONE, name="gone", state="CLOSED", parentId=ou(1), tags={}),
    of(HUB, "organizations:OrganizationalUnit", ou(2), id=ou(2), parentId=ou(1), name="two"),
    of(HUB, "organizations:Account", "stage", since=Since(DAY, DAY), id=STAGE, name="stage", state="ACTIVE",
       parentId=ou(2), arn=f"arn:aws:organizations::{HUB}:account/o-a1b2c3d4e5/{STAGE}", email="a@example.com",
       tags={"a": "1", "b": "2"}),
    of(HUB, "organizations:Policy", "FullAWSAccess", id="p-FullAWSAccess", type="SERVICE_CONTROL_POLICY",
       content="all", awsManaged=True),
    of(HUB, "organizations:PolicyAttachment", "FullAWSAccess/r-a1b2", policyId="p-FullAWSAccess", targetId="r-a1b2"),
    of(HUB, "organizations:Policy", "guard", id="p-01234567", type="SERVICE_CONTROL_POLICY", content="says"),
    of(HUB, "organizations:PolicyAttachment", "guard/r-a1b2", policyId="p-01234567", targetId="r-a1b2"),
    of(HUB, "organizations:PolicyAttachment", f"guard/{STAGE}", policyId="p-01234567", targetId=STAGE),
]  # fmt: skip
VIEW = f"{SET[:-1]}0"
CENTER = [
    of(HUB, "ssoadmin:PermissionSet", "Admin", arn=SET, name="Admin", sessionDuration="PT2H"),
    of(HUB, "ssoadmin:ManagedPolicyAttachment", "Admin/arn:aws:iam::aws:policy/A", permissionSetArn=SET,
       managedPolicyArn="arn:aws:iam::aws:policy/A"),
    of(HUB, "ssoadmin:CustomerManagedPolicyAttachment", "Admin/own", permissionSetArn=SET,
       customerManagedPolicyReference={"name": "own", "path": "/p/"}),
    of(HUB, "ssoadmin:CustomerManagedPolicyAttachment", "Admin/two", permissionSetArn=SET,
       customerManagedPolicyReference={"name": "two", "path": "/"}),
    of(HUB, "ssoadmin:PermissionSetInlinePolicy", "Admin", permissionSetArn=SET, inlinePolicy="inline"),
    of(HUB, "ssoadmin:PermissionsBoundaryAttachment", "Admin", permissionSetArn=SET,
       permissionsBoundary={"customerManagedPolicyReference": {"name": "limit", "path": "/"}}),
    of(HUB, "ssoadmin:AccountAssignment", f"Admin/{STAGE}/g-1", permissionSetArn=SET, principalType="GROUP",
       principalId="g-1", targetType="AWS_ACCOUNT", targetId=STAGE),
    of(HUB, "ssoadmin:PermissionSet", "View", arn=VIEW, name="View"),
    of(HUB, "ssoadmin:PermissionsBoundaryAttachment", "View", permissionSetArn=VIEW,
       permissionsBoundary={"managedPolicyArn": "arn:aws:iam::aws:policy/B"}),
    of(HUB, "identitystore:User", "u-1", userId="u-1", userName="ann"),
    of(HUB, "identitystore:Group", "g-1", groupId="g-1", displayName="admins"),
    of(HUB, "identitystore:GroupMembership", "g-1/u-1", groupId="g-1", memberId="u-1"),
]  # fmt: skip
ROOT_ACCESS = [
    of(HUB, "iam:OrganizationsFeatures", "features", enabledFeatures=["RootSessions"]),
    *(
        of(
            HUB,
            "organizations:DelegatedAdministrator",
            f"{STAGE}/{service}",
            accountId=STAGE,
            servicePrincipal=f"{service}.amazonaws.com",
        )
        for service in ("iam", "sso")
    ),
]
STAGES = [
    of(STAGE, "iam:Group", "g", name="g", arn=iam(STAGE, "group/g")),
    provider(STAGE, assumeRoles=json.dumps([{"roleArn": iam(STAGE, "role/In")}])),
]


@pytest.mark.parametrize("region", ["us-gov-west-1", None])
def test_everything_that_aws_says_is_there_as_a_stack_has_it(region: str | None) -> None:
    """Answers: https://docs.aws.amazon.com/IAM/latest/APIReference/ , .../organizations/ and .../singlesignon/;

    properties: https://www.pulumi.com/registry/packages/aws/api-docs/
    """
    aws: Any = Aws(ALL, region)
    told: list[tuple[int, int]] = []
    found = read_live(aws, member_roles=("In",), progress=lambda done, of: told.append((done, of)))
    assert told == [(1, 1)]
    assert found.origin == f"live accounts, seen from {HUB}"
    (read,) = found.evidence
    assert (read.name, read.accounts, read.caller, read.region) == (
        found.origin,
        (HUB, STAGE),
        f"arn:aws-us-gov:sts::{HUB}:assumed-role/x/y",
        region,
    )
    assert abs(datetime.now(UTC) - datetime.fromisoformat(read.time or "")) < timedelta(minutes=5)
    assert list(found.resources) == [*HUBS, *ORGANIZED, *CENTER, *ROOT_ACCESS, *STAGES]
    options = dict(aws.clients)
    assert options["sso-admin"] == options["identitystore"] == {"region_name": region or "us-east-1"}
    keys = {"aws_access_key_id": "inside-stage-0123", "aws_secret_access_key": "s", "aws_session_token": "t"}
    assert options["iam"] == keys


def less(resources: list[Resource], key: str, value: object = None) -> list[Resource]:
    """The resources with another value of a property where they have it, or without it."""
    kept = [{name: one for name, one in resource.outputs.items() if name != key} for resource in resources]
    more = {} if value is None else {key: value}
    return [
        replace(one, outputs={**outputs, **more}) if key in one.outputs else one
        for one, outputs in zip(resources, kept, strict=True)
    ]


ALONE: Answers = {("DescribeOrganization", ""): "AWSOrganizationsNotInUseException"}
LESS: list[tuple[Answers, list[Resource]]] = [
    (ALONE, HUBS),
    ({("DescribeOrganization", ""): {"Organization": {"MasterAccountId": STAGE}}}, HUBS),
    ({**ALONE, ("ListRoles", ""): "AccessDenied"}, less(HUBS, "maxSessionDuration")),
    *(({**ALONE, (asked, ""): said}, less(HUBS, "credentials"))
        for asked, said in (("GenerateCredentialReport", "AccessDenied"), ("GetCredentialReport", "ReportInProgress"))),
    ({**ALONE, ("GetCredentialReport", ""): report()},
        less(HUBS, "credentials", dict.fromkeys((PASSWORD, ACCESS_KEY, MFA_DEVICE)))),
    ({("ListRoots", ""): {"Roots": [
        {"Id": "r-a1b2", "PolicyTypes": [{"Type": "SERVICE_CONTROL_POLICY", "Status": "PENDING_DISABLE"}]}
    ]}},
        [*HUBS, *ORGANIZED[:-5], *CENTER, *ROOT_ACCESS, *STAGES]),
    ({("GetPermissionsBoundaryForPermissionSet", SET): "ResourceNotFoundException"},
        [*HUBS, *ORGANIZED, *(one for one in CENTER if one.name != "Admin" or "Boundary" not in one.type),
            *ROOT_ACCESS, *STAGES]),
    *(({("ListOrganizationsFeatures", ""): said}, [*HUBS, *ORGANIZED, *CENTER,
        of(HUB, "iam:OrganizationsFeatures", "features", enabledFeatures=[]), *ROOT_ACCESS[1:], *STAGES])
        for said in (dict[str, Any](), "OrganizationNotFoundException", "ServiceAccessNotEnabledException",
            "AccountNotManagementOrDelegatedAdministratorException")),
]  # fmt: skip


@pytest.mark.parametrize(("answers", "expected"), LESS)
def test_what_an_account_does_not_have_is_not_there(answers: Answers, expected: list[Resource]) -> None:
    aws: Any = Aws({**ALL, **answers})
    assert list(read_live(aws, member_roles=("In",)).resources) == expected


@pytest.mark.parametrize(("seconds", "error"), [(2, None), (99, "ReportInProgress")])
def test_a_credential_report_is_waited_for_but_not_for_ever(
    monkeypatch: pytest.MonkeyPatch, seconds: int, error: str | None
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_GenerateCredentialReport.html: STARTED, then COMPLETE."""
    denied: Answers = {**ALL, ("ListRoles", "inside-stage-0123"): "AccessDenied"}
    making: Answers = {("GenerateCredentialReport", ""): {"State": "STARTED"}}
    aws: Any = Aws({**denied, **making, ("GetCredentialReport", ""): "ReportInProgress"})
    slept: list[float] = []

    def sleep(time: float) -> None:
        slept.append(time)
        if sum(slept) == seconds:
            aws.answers = denied

    monkeypatch.setattr("time.sleep", sleep)
    (read,) = read_live(aws, member_roles=("In",)).evidence
    by = f"arn:aws-us-gov:sts::{HUB}:assumed-role/x/y"
    report = NotAnswered(
        "which users have passwords, access keys and MFA devices", "iam:GetCredentialReport", error or "", by
    )
    sessions = "how long sessions of roles last at most"
    in_stage = NotAnswered(sessions, "iam:ListRoles", "AccessDenied", iam(STAGE, "role/In"))
    assert read.not_answered == (*([report] if error else []), in_stage)
    assert sum(slept) == min(seconds, 60)


@pytest.mark.parametrize("place", [
    ("GetCallerIdentity", ""),
    ("DescribeOrganization", ""),
    ("ListPolicies", "RESOURCE_CONTROL_POLICY"),
    ("GetPermissionsBoundaryForPermissionSet", SET),
    ("ListOrganizationsFeatures", ""),
])  # fmt: skip
def test_what_cannot_be_read_is_refused_with_what_helps(place: tuple[str, str]) -> None:
    """Not passed over: what was not read cannot be shown to be closed."""
    aws: Any = Aws({**ALL, place: "AccessDeniedException"})
    with pytest.raises(Refusal) as refused:
        read_live(aws, member_roles=("In",))
    assert refused.value.as_dict() == {
        "what": "live IAM cannot be read",
        "where": "the account of your credentials",
        "why": f"An error occurred (AccessDeniedException) when calling the {place[0]} operation: no",
        "nextStep": f"use credentials that may call {place[0]} there",
    }


@pytest.mark.parametrize(("place", "said", "why"), [
    (IN_STAGE, "AccessDenied", f"AccessDenied to sts:AssumeRole on In by {BY}"),
    (IN_STAGE, NoCredentialsError(), f"NoCredentialsError to sts:AssumeRole on In by {BY}"),
    (("GetAccountAuthorizationDetails", "inside-stage-0123"), "AccessDenied",
        f"AccessDenied to iam:GetAccountAuthorizationDetails by {iam(STAGE, 'role/In')}"),
])  # fmt: skip
def test_a_member_account_that_cannot_be_read_is_not_proved_and_the_others_are(
    place: tuple[str, str], said: Any, why: str
) -> None:
    """Not passed over: what was not read cannot be shown to be closed."""
    aws: Any = Aws({**ALL, place: said})
    there = read_live(aws, member_roles=("In",))
    assert there.evidence[0].accounts == (HUB,)
    (one,) = (one for one in check(build(there), RULES, {}, TODAY).mandatory if f"AWS answered {why}" in one.message)
    assert (one.rule, one.door) == ("unproved-door", f"* -> {iam(STAGE, 'root')}")
    excuse = {"door": one.door, "reason": "theirs", "owner": "them", "expires": "9999-12-31"}
    judged = check(build(there), RULES, {"unproved-door": {"exceptions": [excuse]}}, TODAY)
    assert (len(judged.accepted), one in judged.mandatory) == (1, False)


@pytest.mark.parametrize(("variables", "region"), [
    ({}, "us-east-1"),
    ({"AWS_REGION": "eu-west-1"}, "eu-west-1"),
    ({"AWS_DEFAULT_REGION": "eu-north-1", "AWS_REGION": "eu-west-1"}, "eu-north-1"),
])  # fmt: skip
def test_the_region_is_that_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, variables: Mapping[str, str], region: str
) -> None:
    """https://docs.aws.amazon.com/sdkref/latest/guide/feature-region.html."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert _region() == region
    asked: list[str] = []

    def session(region_name: str | None = None) -> Any:
        asked.append(region_name or "")
        answers: Answers = ALL | {("DescribeOrganization", ""): "AWSOrganizationsNotInUseException"}
        return Aws(answers, variables.get("AWS_DEFAULT_REGION"))

    monkeypatch.setattr(boto3, "Session", session)
    assert list(read_live().resources) == HUBS
    assert asked == ["", region]
