"""Each type is made, read, changed, imported and removed in a real local AWS; an independent client looks on.

Properties, defaults and ids are those of https://www.pulumi.com/registry/packages/aws/api-docs/ (version 7).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from tests.sandbox.aws.conftest import Driver, Organized, grant, trust, urn
from twokeys.sandbox.aws import client
from twokeys.sandbox.aws.catalogue import RESOURCE_TYPES
from twokeys.sandbox.engine.plugin import Diff
from twokeys.sandbox.engine.values import Secret
from twokeys.sandbox.local_server.supplement import RECORD

EC2_TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
)
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
DENY_LEAVE = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Action": "organizations:LeaveOrganization", "Resource": "*"}],
    }
)
SAML = f'<EntityDescriptor entityID="https://idp.example.com/{"x" * 1000}"/>'  # AWS wants 1000 characters at least


@dataclass
class Case:
    """`make` and `change` are inputs (given what `prepare` made); `id` and `outputs` what AWS and the provider say."""

    type: str
    make: Callable[[dict[str, Any]], dict[str, Any]]
    outputs: Callable[[dict[str, Any]], dict[str, Any]]
    id: Callable[[dict[str, Any]], str] | None = None
    change: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    prepare: Callable[[Driver, dict[str, Any]], dict[str, Any]] = lambda _driver, known: known
    import_knows: tuple[str, ...] = field(default=())
    """Inputs that no API tells, so an import cannot know them."""
    importable: bool = True
    import_id: Callable[[dict[str, Any]], str] | None = None
    """What an import names it by, where that is not its id."""


def a_role(driver: Driver, known: dict[str, Any]) -> dict[str, Any]:
    driver.up("aws:iam/role:Role", "role", name="deployer", assumeRolePolicy=EC2_TRUST)
    return known


def a_user(driver: Driver, known: dict[str, Any]) -> dict[str, Any]:
    driver.up("aws:iam/user:User", "user", name="ci")
    driver.up("aws:iam/user:User", "user2", name="dev")
    return known


def a_group(driver: Driver, known: dict[str, Any]) -> dict[str, Any]:
    driver.up("aws:iam/group:Group", "group", name="engineers")
    driver.up("aws:iam/group:Group", "group2", name="auditors")
    return known


def people(driver: Driver, known: dict[str, Any]) -> dict[str, Any]:
    return a_user(driver, a_group(driver, a_role(driver, known)))


def a_unit(driver: Driver, known: dict[str, Any]) -> dict[str, Any]:
    unit, _ = driver.up(
        "aws:organizations/organizationalUnit:OrganizationalUnit", "unit", name="workloads", parentId=known["root"]
    )
    return {**known, "unit": unit}


def a_member(driver: Driver, known: dict[str, Any]) -> dict[str, Any]:
    member, _ = driver.up("aws:organizations/account:Account", "member", name="member", email="m@company.com")
    return {**known, "member": member}


def a_policy_and_unit(driver: Driver, known: dict[str, Any]) -> dict[str, Any]:
    policy, _ = driver.up("aws:organizations/policy:Policy", "policy", name="stay", content=DENY_LEAVE)
    return {**a_unit(driver, known), "policy": policy}


def trusted(driver: Driver, known: dict[str, Any]) -> dict[str, Any]:
    driver.api("organizations").enable_aws_service_access(ServicePrincipal="config.amazonaws.com")
    return a_member(driver, known)


def a_bucket(driver: Driver, known: dict[str, Any]) -> dict[str, Any]:
    bucket, _ = driver.up("aws:s3/bucket:Bucket", "bucket", bucket=f"trail-{driver.account}")
    return {**known, "bucket": bucket}


def a_locked_bucket(driver: Driver, known: dict[str, Any]) -> dict[str, Any]:
    name = f"locked-{driver.account}"
    bucket, _ = driver.up("aws:s3/bucket:Bucket", "bucket", bucket=name, objectLockEnabled=True)
    return {**known, "bucket": bucket}


def two_keys(driver: Driver, known: dict[str, Any]) -> dict[str, Any]:
    return {**known, "keys": [driver.up("aws:kms/key:Key", name)[0] for name in ("one", "two")]}


def a_topic(driver: Driver, known: dict[str, Any]) -> dict[str, Any]:
    return {**known, "topic": driver.up("aws:sns/topic:Topic", "topic", name="alarms")[0]}


def a_rule_and_topic(driver: Driver, known: dict[str, Any]) -> dict[str, Any]:
    driver.up("aws:cloudwatch/eventRule:EventRule", "rule", name="break-glass", scheduleExpression="rate(1 day)")
    return a_topic(driver, known)


def a_default_vpc(driver: Driver, known: dict[str, Any]) -> dict[str, Any]:
    return {**known, "vpc": driver.up("aws:ec2/defaultVpc:DefaultVpc", "vpc")[0]}


def trust_service(driver: Driver, known: dict[str, Any], service: str) -> dict[str, Any]:
    driver.api("organizations").enable_aws_service_access(ServicePrincipal=service)
    return known


def a_monitor(driver: Driver, known: dict[str, Any]) -> dict[str, Any]:
    type = "aws:costexplorer/anomalyMonitor:AnomalyMonitor"
    return {**known, "monitor": driver.up(type, "m", monitorType="DIMENSIONAL", monitorDimension="SERVICE")[0]}


def an_instance(driver: Driver, known: dict[str, Any]) -> dict[str, Any]:
    found = driver.provider.invoke("aws:ssoadmin/getInstances:getInstances", {})
    return {**known, "instance": found["arns"][0], "store": found["identityStoreIds"][0]}


def a_permission_set(driver: Driver, known: dict[str, Any]) -> dict[str, Any]:
    known = an_instance(driver, known)
    type = "aws:ssoadmin/permissionSet:PermissionSet"
    _, outputs = driver.up(type, "set", name="Auditor", instanceArn=known["instance"])
    return {**known, "set": outputs["arn"]}


def a_directory(driver: Driver, known: dict[str, Any]) -> dict[str, Any]:
    known = an_instance(driver, known)
    store = {"identityStoreId": known["store"]}
    _, user = driver.up("aws:identitystore/user:User", "jane", userName="jane", displayName="Jane", **store)
    _, group = driver.up("aws:identitystore/group:Group", "engineers", displayName="engineers", **store)
    return {**known, "user": user["userId"], "group": group["groupId"]}


def in_the_set(known: dict[str, Any]) -> dict[str, Any]:
    return {"permissionSetArn": known["set"], "instanceArn": known["instance"]}


def key_policy(account: str, action: str) -> str:
    owner = {"AWS": f"arn:aws:iam::{account}:root"}
    statement = {"Effect": "Allow", "Principal": owner, "Action": ["kms:PutKeyPolicy", action], "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def topic_policy(topic: str, action: str) -> str:
    who = {"Service": "events.amazonaws.com"}
    statement = {"Effect": "Allow", "Principal": who, "Action": action, "Resource": topic}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def delegation(account: str, action: str) -> str:
    who = {"AWS": f"arn:aws:iam::{account}:root"}
    statement = {"Effect": "Allow", "Principal": who, "Action": f"organizations:{action}", "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def report(known: dict[str, Any]) -> dict[str, Any]:
    return {
        "reportName": "daily",
        "timeUnit": "DAILY",
        "format": "Parquet",
        "compression": "Parquet",
        "additionalSchemaElements": ["RESOURCES", "SPLIT_COST_ALLOCATION_DATA"],
        "additionalArtifacts": ["ATHENA"],
        "s3Bucket": f"costs-{known['account']}",
        "s3Prefix": "cur",
        "s3Region": "us-east-1",
    }


def export(known: dict[str, Any], granularity: str) -> dict[str, Any]:
    output = {"overwrite": "OVERWRITE_REPORT", "format": "PARQUET", "compression": "PARQUET", "outputType": "CUSTOM"}
    bucket = {"s3Bucket": f"costs-{known['account']}", "s3Prefix": "cur2", "s3Region": "us-east-1"}
    tables = {"COST_AND_USAGE_REPORT": {"TIME_GRANULARITY": granularity, "INCLUDE_RESOURCES": "TRUE"}}
    return {
        "name": "cur2",
        "dataQueries": [{"queryStatement": "SELECT line_item_usage_account_id", "tableConfigurations": tables}],
        "destinationConfigurations": [{"s3Destinations": [{**bucket, "s3OutputConfigurations": [output]}]}],
        "refreshCadences": [{"frequency": "SYNCHRONOUS"}],
    }


def subscription(known: dict[str, Any]) -> dict[str, Any]:
    impact = {"key": "ANOMALY_TOTAL_IMPACT_ABSOLUTE", "matchOptions": ["GREATER_THAN_OR_EQUAL"], "values": ["100"]}
    return {
        "name": "finance",
        "frequency": "DAILY",
        "monitorArnLists": [known["monitor"]],
        "subscribers": [{"type": "EMAIL", "address": "finance@company.com"}],
        "thresholdExpression": {"ands": [{"dimension": impact}, {"dimension": {**impact, "values": ["10"]}}]},
    }


def bucket_policy(bucket: str, action: str) -> str:
    statement = {"Effect": "Deny", "Principal": "*", "Action": action, "Resource": f"arn:aws:s3:::{bucket}/*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


CASES = {
    "Organization": Case(
        type="aws:organizations/organization:Organization",
        make=lambda _: {"enabledPolicyTypes": ["TAG_POLICY"]},
        change=lambda _: {
            "enabledPolicyTypes": ["SERVICE_CONTROL_POLICY"],
            "awsServiceAccessPrincipals": ["cloudtrail.amazonaws.com"],
        },
        outputs=lambda known: {
            "featureSet": "ALL",
            "masterAccountId": known["account"],
            "nonMasterAccounts": [],
            "enabledPolicyTypes": ["TAG_POLICY"],
        },
    ),
    "OrganizationalUnit": Case(
        type="aws:organizations/organizationalUnit:OrganizationalUnit",
        make=lambda known: {"name": "workloads", "parentId": known["root"], "tags": {"team": "core"}},
        change=lambda known: {"name": "work", "parentId": known["root"], "tags": {"owner": "core"}},
        outputs=lambda known: {
            "name": "workloads",
            "parentId": known["root"],
            "accounts": [],
            "tagsAll": {"team": "core"},
        },
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
            "name": "stage",
            "email": "example+stage@company.com",
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
        outputs=lambda _: {"name": "stay", "type": "SERVICE_CONTROL_POLICY", "tagsAll": {"a": "b"}},
    ),
    "organizations PolicyAttachment": Case(
        type="aws:organizations/policyAttachment:PolicyAttachment",
        prepare=a_policy_and_unit,
        make=lambda known: {"policyId": known["policy"], "targetId": known["unit"]},
        id=lambda known: f"{known['unit']}:{known['policy']}",
        outputs=lambda known: {"policyId": known["policy"], "targetId": known["unit"]},
    ),
    "DelegatedAdministrator": Case(
        type="aws:organizations/delegatedAdministrator:DelegatedAdministrator",
        prepare=trusted,
        make=lambda known: {"accountId": known["member"], "servicePrincipal": "config.amazonaws.com"},
        id=lambda known: f"{known['member']}/config.amazonaws.com",
        outputs=lambda known: {
            "accountId": known["member"],
            "name": "member",
            "email": "m@company.com",
            "status": "ACTIVE",
        },
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
            "maxSessionDuration": 7200,
            "forceDetachPolicies": False,
            "permissionsBoundary": ADMINISTRATOR,
            "managedPolicyArns": [READ_ONLY],
            "tagsAll": {"a": "b"},
        },
    ),
    "InstanceProfile": Case(
        type="aws:iam/instanceProfile:InstanceProfile",
        prepare=a_role,
        make=lambda _: {"name": "runner", "role": "deployer", "tags": {"a": "b"}},
        change=lambda _: {"name": "runner", "tags": {"c": "d"}},
        id=lambda _: "runner",
        outputs=lambda known: {
            "arn": f"arn:aws:iam::{known['account']}:instance-profile/runner",
            "path": "/",
            "role": "deployer",
        },
    ),
    "RolePolicy": Case(
        type="aws:iam/rolePolicy:RolePolicy",
        prepare=a_role,
        make=lambda _: {"name": "enter", "role": "deployer", "policy": grant("*")},
        change=lambda _: {"name": "enter", "role": "deployer", "policy": grant("arn:aws:iam::111111111111:role/a")},
        id=lambda _: "deployer:enter",
        outputs=lambda _: {"name": "enter", "role": "deployer", "policy": grant("*")},
    ),
    "GroupPolicy": Case(
        type="aws:iam/groupPolicy:GroupPolicy",
        prepare=a_group,
        make=lambda _: {"name": "enter", "group": "engineers", "policy": grant("*")},
        change=lambda _: {"name": "enter", "group": "engineers", "policy": grant("arn:aws:iam::111111111111:role/a")},
        id=lambda _: "engineers:enter",
        outputs=lambda _: {"name": "enter", "group": "engineers"},
    ),
    "UserPolicy": Case(
        type="aws:iam/userPolicy:UserPolicy",
        prepare=a_user,
        make=lambda _: {"name": "enter", "user": "ci", "policy": grant("*")},
        change=lambda _: {"name": "enter", "user": "ci", "policy": grant("arn:aws:iam::111111111111:role/a")},
        id=lambda _: "ci:enter",
        outputs=lambda _: {"name": "enter", "user": "ci"},
    ),
    "RolePolicyAttachment": Case(
        type="aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        prepare=a_role,
        make=lambda _: {"role": "deployer", "policyArn": READ_ONLY},
        id=lambda _: f"deployer/{READ_ONLY}",
        outputs=lambda _: {"role": "deployer", "policyArn": READ_ONLY},
    ),
    "GroupPolicyAttachment": Case(
        type="aws:iam/groupPolicyAttachment:GroupPolicyAttachment",
        prepare=a_group,
        make=lambda _: {"group": "engineers", "policyArn": READ_ONLY},
        id=lambda _: f"engineers/{READ_ONLY}",
        outputs=lambda _: {"group": "engineers", "policyArn": READ_ONLY},
    ),
    "UserPolicyAttachment": Case(
        type="aws:iam/userPolicyAttachment:UserPolicyAttachment",
        prepare=a_user,
        make=lambda _: {"user": "ci", "policyArn": READ_ONLY},
        id=lambda _: f"ci/{READ_ONLY}",
        outputs=lambda _: {"user": "ci", "policyArn": READ_ONLY},
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
        outputs=lambda _: {"users": ["ci"], "groups": ["engineers"], "roles": []},
        importable=False,
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
        outputs=lambda _: {"group": "engineers", "users": ["ci"]},
        importable=False,
    ),
    "UserGroupMembership": Case(
        type="aws:iam/userGroupMembership:UserGroupMembership",
        prepare=people,
        make=lambda _: {"user": "ci", "groups": ["engineers"]},
        change=lambda _: {"user": "ci", "groups": ["engineers", "auditors"]},
        id=lambda _: "ci/engineers",
        outputs=lambda _: {"user": "ci", "groups": ["engineers"]},
    ),
    "AccessKey": Case(
        type="aws:iam/accessKey:AccessKey",
        prepare=a_user,
        make=lambda _: {"user": "ci"},
        change=lambda _: {"user": "ci", "status": "Inactive"},
        outputs=lambda _: {"user": "ci", "status": "Active"},
        importable=False,
    ),
    "AccountAlias": Case(
        type="aws:iam/accountAlias:AccountAlias",
        make=lambda known: {"accountAlias": f"twokeys-{known['account']}"},
        id=lambda known: f"twokeys-{known['account']}",
        outputs=lambda known: {"accountAlias": f"twokeys-{known['account']}"},
    ),
    "AccountPasswordPolicy": Case(
        type="aws:iam/accountPasswordPolicy:AccountPasswordPolicy",
        make=lambda _: {"minimumPasswordLength": 14, "requireSymbols": True, "maxPasswordAge": 90},
        change=lambda _: {"minimumPasswordLength": 20, "requireSymbols": True, "maxPasswordAge": 90},
        id=lambda _: "iam-account-password-policy",
        outputs=lambda _: {
            "minimumPasswordLength": 14,
            "requireSymbols": True,
            "expirePasswords": True,
            "allowUsersToChangePassword": True,
        },
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
    "AlternativeContact": Case(
        type="aws:account/alternativeContact:AlternativeContact",
        prepare=a_member,
        make=lambda known: {
            "accountId": known["member"],
            "alternateContactType": "SECURITY",
            "name": "Security",
            "title": "CISO",
            "emailAddress": "security@company.com",
            "phoneNumber": "+1234567890",
        },
        change=lambda known: {
            "accountId": known["member"],
            "alternateContactType": "SECURITY",
            "name": "Security team",
            "title": "CISO",
            "emailAddress": "sec@company.com",
            "phoneNumber": "+1234567890",
        },
        id=lambda known: f"{known['member']}/SECURITY",
        outputs=lambda known: {"accountId": known["member"], "title": "CISO"},
    ),
    "AlternativeContact of the own account": Case(
        type="aws:account/alternativeContact:AlternativeContact",
        make=lambda _: {
            "alternateContactType": "BILLING",
            "name": "Billing",
            "title": "CFO",
            "emailAddress": "billing@company.com",
            "phoneNumber": "+1234567890",
        },
        id=lambda _: "BILLING",
        outputs=lambda _: {"alternateContactType": "BILLING", "name": "Billing"},
    ),
    "Bucket": Case(
        type="aws:s3/bucket:Bucket",
        make=lambda known: {"bucket": f"trail-{known['account']}", "tags": {"a": "b"}},
        change=lambda known: {"bucket": f"trail-{known['account']}", "tags": {"c": "d"}, "forceDestroy": True},
        id=lambda known: f"trail-{known['account']}",
        outputs=lambda known: {"arn": f"arn:aws:s3:::trail-{known['account']}", "region": "us-east-1"},
        import_knows=("forceDestroy",),
    ),
    "BucketV2": Case(
        type="aws:s3/bucketV2:BucketV2",
        make=lambda known: {"bucket": f"v2-{known['account']}", "region": "eu-central-1"},
        id=lambda known: f"v2-{known['account']}",
        outputs=lambda known: {
            "bucketRegion": "eu-central-1",
            "bucketRegionalDomainName": f"v2-{known['account']}.s3.eu-central-1.amazonaws.com",
        },
    ),
    "BucketPolicy": Case(
        type="aws:s3/bucketPolicy:BucketPolicy",
        prepare=a_bucket,
        make=lambda known: {"bucket": known["bucket"], "policy": bucket_policy(known["bucket"], "s3:GetObject")},
        change=lambda known: {"bucket": known["bucket"], "policy": bucket_policy(known["bucket"], "s3:PutObject")},
        id=lambda known: known["bucket"],
        outputs=lambda known: {"bucket": known["bucket"]},
    ),
    "BucketPublicAccessBlock": Case(
        type="aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        prepare=a_bucket,
        make=lambda known: {"bucket": known["bucket"], "blockPublicAcls": True, "restrictPublicBuckets": True},
        change=lambda known: {"bucket": known["bucket"], "blockPublicAcls": True, "ignorePublicAcls": True},
        id=lambda known: known["bucket"],
        outputs=lambda _: {"blockPublicAcls": True, "blockPublicPolicy": False, "restrictPublicBuckets": True},
    ),
    "PrimaryContact": Case(
        type="aws:account/primaryContact:PrimaryContact",
        prepare=a_member,
        make=lambda known: {
            "accountId": known["member"],
            "addressLine1": "1 Main Street",
            "city": "Seattle",
            "countryCode": "US",
            "fullName": "Jane Doe",
            "phoneNumber": "+1234567890",
            "postalCode": "98101",
        },
        change=lambda known: {
            "accountId": known["member"],
            "addressLine1": "2 Main Street",
            "city": "Seattle",
            "countryCode": "US",
            "fullName": "Jane Doe",
            "phoneNumber": "+1234567890",
            "postalCode": "98101",
        },
        id=lambda known: known["member"],
        outputs=lambda _: {"fullName": "Jane Doe", "city": "Seattle"},
    ),
    "BucketVersioning": Case(
        type="aws:s3/bucketVersioning:BucketVersioning",
        prepare=a_bucket,
        make=lambda known: {"bucket": known["bucket"], "versioningConfiguration": {"status": "Enabled"}},
        change=lambda known: {"bucket": known["bucket"], "versioningConfiguration": {"status": "Suspended"}},
        id=lambda known: known["bucket"],
        outputs=lambda _: {"versioningConfiguration": {"status": "Enabled"}},
    ),
    "BucketLifecycleConfiguration": Case(
        type="aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        prepare=a_bucket,
        make=lambda known: {
            "bucket": known["bucket"],
            "rules": [
                {
                    "id": "logs",
                    "status": "Enabled",
                    "filter": {"and": {"prefix": "AWSLogs/", "tags": {"kind": "log"}}},
                    "transitions": [{"days": 90, "storageClass": "GLACIER"}],
                    "expiration": {"days": 400},
                    "noncurrentVersionExpiration": {"noncurrentDays": 30},
                    "abortIncompleteMultipartUpload": {"daysAfterInitiation": 7},
                }
            ],
        },
        change=lambda known: {
            "bucket": known["bucket"],
            "rules": [{"id": "all", "status": "Enabled", "filter": {}, "expiration": {"days": 10}}],
        },
        id=lambda known: known["bucket"],
        outputs=lambda known: {"bucket": known["bucket"], "region": "us-east-1"},
    ),
    "BucketObjectLockConfiguration": Case(
        type="aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
        prepare=a_locked_bucket,
        make=lambda known: {
            "bucket": known["bucket"],
            "rule": {"defaultRetention": {"mode": "GOVERNANCE", "days": 365}},
        },
        change=lambda known: {
            "bucket": known["bucket"],
            "rule": {"defaultRetention": {"mode": "COMPLIANCE", "years": 1}},
        },
        id=lambda known: known["bucket"],
        outputs=lambda _: {"objectLockEnabled": "Enabled"},
    ),
    "BucketServerSideEncryptionConfiguration": Case(
        type="aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        prepare=a_bucket,
        make=lambda known: {
            "bucket": known["bucket"],
            "rules": [
                {
                    "applyServerSideEncryptionByDefault": {
                        "sseAlgorithm": "aws:kms",
                        "kmsMasterKeyId": f"arn:aws:kms:us-east-1:{known['account']}:key/{KEY_ID}",
                    },
                    "bucketKeyEnabled": True,
                }
            ],
        },
        change=lambda known: {
            "bucket": known["bucket"],
            "rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}],
        },
        id=lambda known: known["bucket"],
        outputs=lambda known: {"bucket": known["bucket"]},
    ),
    "BucketOwnershipControls": Case(
        type="aws:s3/bucketOwnershipControls:BucketOwnershipControls",
        prepare=a_bucket,
        make=lambda known: {"bucket": known["bucket"], "rule": {"objectOwnership": "BucketOwnerPreferred"}},
        change=lambda known: {"bucket": known["bucket"], "rule": {"objectOwnership": "BucketOwnerEnforced"}},
        id=lambda known: known["bucket"],
        outputs=lambda _: {"rule": {"objectOwnership": "BucketOwnerPreferred"}},
    ),
    "AccountPublicAccessBlock": Case(
        type="aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock",
        make=lambda _: {"blockPublicAcls": True, "blockPublicPolicy": True},
        change=lambda _: {"blockPublicAcls": True, "restrictPublicBuckets": True},
        id=lambda known: known["account"],
        outputs=lambda known: {
            "accountId": known["account"],
            "blockPublicAcls": True,
            "ignorePublicAcls": False,
        },
    ),
    "Trail": Case(
        type="aws:cloudtrail/trail:Trail",
        prepare=a_bucket,
        make=lambda known: {
            "name": "organization",
            "s3BucketName": known["bucket"],
            "isOrganizationTrail": True,
            "isMultiRegionTrail": True,
            "enableLogFileValidation": True,
            "kmsKeyId": f"arn:aws:kms:us-east-1:{known['account']}:key/{KEY_ID}",
            "eventSelectors": [
                {
                    "readWriteType": "WriteOnly",
                    "includeManagementEvents": True,
                    "dataResources": [{"type": "AWS::S3::Object", "values": ["arn:aws:s3"]}],
                }
            ],
            "tags": {"a": "b"},
        },
        change=lambda known: {
            "name": "organization",
            "s3BucketName": known["bucket"],
            "isMultiRegionTrail": True,
            "enableLogging": False,
            "s3KeyPrefix": "trail",
            "tags": {"c": "d"},
        },
        id=lambda known: f"arn:aws:cloudtrail:us-east-1:{known['account']}:trail/organization",
        outputs=lambda known: {
            "arn": f"arn:aws:cloudtrail:us-east-1:{known['account']}:trail/organization",
            "homeRegion": "us-east-1",
            "enableLogging": True,
            "includeGlobalServiceEvents": True,
            "tagsAll": {"a": "b"},
        },
    ),
    "Trail with advanced selectors": Case(
        type="aws:cloudtrail/trail:Trail",
        prepare=a_bucket,
        make=lambda known: {
            "name": "data",
            "s3BucketName": known["bucket"],
            "advancedEventSelectors": [
                {
                    "name": "Objects of other buckets",
                    "fieldSelectors": [
                        {"field": "eventCategory", "equals": ["Data"]},
                        {"field": "resources.type", "equals": ["AWS::S3::Object"]},
                        {"field": "resources.ARN", "notStartsWiths": [f"arn:aws:s3:::{known['bucket']}/"]},
                    ],
                }
            ],
        },
        change=lambda known: {"name": "data", "s3BucketName": known["bucket"]},
        outputs=lambda _: {"homeRegion": "us-east-1"},
    ),
    "Key": Case(
        type="aws:kms/key:Key",
        make=lambda known: {
            "description": "Logs.",
            "enableKeyRotation": True,
            "deletionWindowInDays": 7,
            "policy": key_policy(known["account"], "kms:*"),
            "tags": {"a": "b"},
        },
        change=lambda known: {
            "description": "All logs.",
            "isEnabled": False,
            "policy": key_policy(known["account"], "kms:Decrypt"),
            "tags": {"c": "d"},
        },
        outputs=lambda _: {
            "customerMasterKeySpec": "SYMMETRIC_DEFAULT",
            "keyUsage": "ENCRYPT_DECRYPT",
            "isEnabled": True,
            "multiRegion": False,
            "rotationPeriodInDays": 365,
            "tagsAll": {"a": "b"},
        },
        import_knows=("deletionWindowInDays",),
    ),
    "Alias": Case(
        type="aws:kms/alias:Alias",
        prepare=two_keys,
        make=lambda known: {"name": "alias/logs", "targetKeyId": known["keys"][0]},
        change=lambda known: {"name": "alias/logs", "targetKeyId": known["keys"][1]},
        id=lambda _: "alias/logs",
        outputs=lambda known: {
            "arn": f"arn:aws:kms:us-east-1:{known['account']}:alias/logs",
            "targetKeyArn": f"arn:aws:kms:us-east-1:{known['account']}:key/{known['keys'][0]}",
        },
    ),
    "Topic": Case(
        type="aws:sns/topic:Topic",
        make=lambda _: {"name": "alarms", "displayName": "Alarms", "tags": {"a": "b"}},
        change=lambda known: {
            "name": "alarms",
            "policy": topic_policy(f"arn:aws:sns:us-east-1:{known['account']}:alarms", "sns:Publish"),
            "tags": {"c": "d"},
        },
        id=lambda known: f"arn:aws:sns:us-east-1:{known['account']}:alarms",
        outputs=lambda known: {"owner": known["account"], "tagsAll": {"a": "b"}},
    ),
    "TopicPolicy": Case(
        type="aws:sns/topicPolicy:TopicPolicy",
        prepare=a_topic,
        make=lambda known: {"arn": known["topic"], "policy": topic_policy(known["topic"], "sns:Publish")},
        change=lambda known: {"arn": known["topic"], "policy": topic_policy(known["topic"], "sns:Subscribe")},
        id=lambda known: known["topic"],
        outputs=lambda known: {"owner": known["account"]},
    ),
    "TopicSubscription": Case(
        type="aws:sns/topicSubscription:TopicSubscription",
        prepare=a_topic,
        make=lambda known: {"topic": known["topic"], "protocol": "email", "endpoint": "security@company.com"},
        change=lambda known: {
            "topic": known["topic"],
            "protocol": "email",
            "endpoint": "security@company.com",
            "filterPolicy": json.dumps({"severity": ["high"]}),
        },
        outputs=lambda known: {"ownerId": known["account"], "rawMessageDelivery": False},
    ),
    "EventRule": Case(
        type="aws:cloudwatch/eventRule:EventRule",
        make=lambda _: {
            "name": "break-glass",
            "description": "Somebody broke the glass.",
            "eventPattern": json.dumps({"source": ["aws.sts"], "detail": {"eventName": ["AssumeRole"]}}),
            "tags": {"a": "b"},
        },
        change=lambda _: {
            "name": "break-glass",
            "eventPattern": json.dumps({"source": ["aws.signin"]}),
            "state": "DISABLED",
            "forceDestroy": True,
            "tags": {"c": "d"},
        },
        id=lambda _: "break-glass",
        outputs=lambda known: {
            "arn": f"arn:aws:events:us-east-1:{known['account']}:rule/break-glass",
            "eventBusName": "default",
            "state": "ENABLED",
            "tagsAll": {"a": "b"},
        },
    ),
    "EventTarget": Case(
        type="aws:cloudwatch/eventTarget:EventTarget",
        prepare=a_rule_and_topic,
        make=lambda known: {
            "rule": "break-glass",
            "targetId": "alarms",
            "arn": known["topic"],
            "inputTransformer": {"inputPaths": {"who": "$.detail.userIdentity.arn"}, "inputTemplate": '"<who>"'},
        },
        change=lambda known: {
            "rule": "break-glass",
            "targetId": "alarms",
            "arn": known["topic"],
            "input": '"alarm"',
            "retryPolicy": {"maximumRetryAttempts": 3, "maximumEventAgeInSeconds": 600},
        },
        id=lambda _: "break-glass-alarms",
        import_id=lambda _: "break-glass/alarms",
        outputs=lambda _: {"eventBusName": "default", "rule": "break-glass", "targetId": "alarms"},
    ),
    "MetricAlarm": Case(
        type="aws:cloudwatch/metricAlarm:MetricAlarm",
        prepare=a_topic,
        make=lambda known: {
            "name": "root-used",
            "alarmDescription": "The root user was here.",
            "comparisonOperator": "GreaterThanOrEqualToThreshold",
            "evaluationPeriods": 1,
            "metricName": "RootUse",
            "namespace": "TwoKeys",
            "dimensions": {"Account": "prod"},
            "period": 60,
            "statistic": "Sum",
            "threshold": 1,
            "alarmActions": [known["topic"]],
            "tags": {"a": "b"},
        },
        change=lambda _: {
            "name": "root-used",
            "comparisonOperator": "GreaterThanThreshold",
            "evaluationPeriods": 2,
            "metricName": "RootUse",
            "namespace": "TwoKeys",
            "period": 300,
            "statistic": "Maximum",
            "threshold": 0,
            "treatMissingData": "notBreaching",
            "actionsEnabled": False,
            "tags": {"c": "d"},
        },
        id=lambda _: "root-used",
        outputs=lambda known: {
            "arn": f"arn:aws:cloudwatch:us-east-1:{known['account']}:alarm:root-used",
            "actionsEnabled": True,
            "treatMissingData": "missing",
            "tagsAll": {"a": "b"},
        },
    ),
    "Budget": Case(
        type="aws:budgets/budget:Budget",
        make=lambda known: {
            "name": "stage",
            "budgetType": "COST",
            "timeUnit": "MONTHLY",
            "limitAmount": "100",
            "limitUnit": "USD",
            "timePeriodStart": "2026-01-01_00:00",
            "costFilters": [{"name": "LinkedAccount", "values": [known["account"]]}],
            "costTypes": {"includeCredit": False},
            "notifications": [
                {
                    "comparisonOperator": "GREATER_THAN",
                    "notificationType": "ACTUAL",
                    "threshold": 80,
                    "thresholdType": "PERCENTAGE",
                    "subscriberEmailAddresses": ["finance@company.com", "cto@company.com"],
                },
                {
                    "comparisonOperator": "GREATER_THAN",
                    "notificationType": "FORECASTED",
                    "threshold": 100,
                    "thresholdType": "PERCENTAGE",
                    "subscriberSnsTopicArns": [f"arn:aws:sns:us-east-1:{known['account']}:alarms"],
                },
            ],
            "tags": {"a": "b"},
        },
        change=lambda _: {
            "name": "stage",
            "budgetType": "COST",
            "timeUnit": "MONTHLY",
            "limitAmount": "200.5",
            "limitUnit": "USD",
            "timePeriodStart": "2026-01-01_00:00",
            "notifications": [
                {
                    "comparisonOperator": "GREATER_THAN",
                    "notificationType": "ACTUAL",
                    "threshold": 80,
                    "thresholdType": "PERCENTAGE",
                    "subscriberEmailAddresses": ["finance@company.com"],
                }
            ],
            "tags": {"c": "d"},
        },
        id=lambda known: f"{known['account']}:stage",
        outputs=lambda known: {
            "accountId": known["account"],
            "arn": f"arn:aws:budgets::{known['account']}:budget/stage",
            "timePeriodEnd": "2087-06-15_00:00",
            "tagsAll": {"a": "b"},
        },
    ),
    "ReportDefinition": Case(
        type="aws:cur/reportDefinition:ReportDefinition",
        make=lambda known: {**report(known), "tags": {"a": "b"}},
        change=lambda known: {**report(known), "s3Prefix": "reports", "tags": {"c": "d"}},
        id=lambda _: "daily",
        outputs=lambda known: {
            "arn": f"arn:aws:cur:us-east-1:{known['account']}:definition/daily",
            "refreshClosedReports": True,
            "reportVersioning": "CREATE_NEW_REPORT",
            "tagsAll": {"a": "b"},
        },
    ),
    "Export": Case(
        type="aws:bcmdata/export:Export",
        make=lambda known: {"export": export(known, "HOURLY"), "tags": {"a": "b"}},
        change=lambda known: {"export": export(known, "DAILY"), "tags": {"c": "d"}},
        outputs=lambda _: {"tagsAll": {"a": "b"}},
    ),
    "CostAllocationTag": Case(
        type="aws:costexplorer/costAllocationTag:CostAllocationTag",
        make=lambda _: {"tagKey": "environment", "status": "Active"},
        change=lambda _: {"tagKey": "environment", "status": "Inactive"},
        id=lambda _: "environment",
        outputs=lambda _: {"type": "UserDefined"},
    ),
    "AnomalyMonitor": Case(
        type="aws:costexplorer/anomalyMonitor:AnomalyMonitor",
        make=lambda _: {
            "name": "services",
            "monitorType": "DIMENSIONAL",
            "monitorDimension": "SERVICE",
            "tags": {"a": "b"},
        },
        change=lambda _: {
            "name": "all services",
            "monitorType": "DIMENSIONAL",
            "monitorDimension": "SERVICE",
            "tags": {"c": "d"},
        },
        outputs=lambda _: {"tagsAll": {"a": "b"}},
    ),
    "AnomalyMonitor of a tag": Case(
        type="aws:costexplorer/anomalyMonitor:AnomalyMonitor",
        make=lambda _: {
            "name": "stage",
            "monitorType": "CUSTOM",
            "monitorSpecification": json.dumps({"Tags": {"Key": "environment", "Values": ["stage"]}}),
        },
        outputs=lambda _: {"monitorType": "CUSTOM"},
    ),
    "AnomalySubscription": Case(
        type="aws:costexplorer/anomalySubscription:AnomalySubscription",
        prepare=a_monitor,
        make=lambda known: {**subscription(known), "tags": {"a": "b"}},
        change=lambda known: {**subscription(known), "frequency": "WEEKLY", "tags": {"c": "d"}},
        outputs=lambda known: {"accountId": known["account"], "tagsAll": {"a": "b"}},
    ),
    "ResourcePolicy": Case(
        type="aws:organizations/resourcePolicy:ResourcePolicy",
        make=lambda known: {"content": delegation(known["account"], "ListAccounts"), "tags": {"a": "b"}},
        change=lambda known: {"content": delegation(known["account"], "DescribeAccount"), "tags": {"c": "d"}},
        outputs=lambda _: {"tagsAll": {"a": "b"}},
    ),
    "organizations Policy of tags": Case(
        type="aws:organizations/policy:Policy",
        make=lambda _: {
            "name": "tags",
            "type": "TAG_POLICY",
            "content": json.dumps({"tags": {"environment": {"tag_key": {"@@assign": "environment"}}}}),
        },
        outputs=lambda _: {"type": "TAG_POLICY"},
    ),
    "OrganizationsFeatures": Case(
        type="aws:iam/organizationsFeatures:OrganizationsFeatures",
        prepare=lambda driver, known: trust_service(driver, known, "iam.amazonaws.com"),
        make=lambda _: {"enabledFeatures": ["RootSessions"]},
        change=lambda _: {"enabledFeatures": ["RootCredentialsManagement", "RootSessions"]},
        outputs=lambda _: {"enabledFeatures": ["RootSessions"]},
    ),
    "Analyzer": Case(
        type="aws:accessanalyzer/analyzer:Analyzer",
        prepare=lambda driver, known: trust_service(driver, known, "access-analyzer.amazonaws.com"),
        make=lambda _: {"analyzerName": "organization", "type": "ORGANIZATION", "tags": {"a": "b"}},
        change=lambda _: {"analyzerName": "organization", "type": "ORGANIZATION", "tags": {"c": "d"}},
        id=lambda _: "organization",
        outputs=lambda known: {
            "arn": f"arn:aws:access-analyzer:us-east-1:{known['account']}:analyzer/organization",
            "tagsAll": {"a": "b"},
        },
    ),
    "Analyzer of unused access": Case(
        type="aws:accessanalyzer/analyzer:Analyzer",
        make=lambda _: {
            "analyzerName": "unused",
            "type": "ACCOUNT_UNUSED_ACCESS",
            "configuration": {"unusedAccess": {"unusedAccessAge": 90}},
        },
        id=lambda _: "unused",
        outputs=lambda _: {"type": "ACCOUNT_UNUSED_ACCESS"},
    ),
    "OrganizationAdminAccount": Case(
        type="aws:guardduty/organizationAdminAccount:OrganizationAdminAccount",
        prepare=a_member,
        make=lambda known: {"adminAccountId": known["member"]},
        id=lambda known: known["member"],
        outputs=lambda known: {"adminAccountId": known["member"]},
    ),
    "PermissionSet": Case(
        type="aws:ssoadmin/permissionSet:PermissionSet",
        prepare=an_instance,
        make=lambda known: {
            "name": "Auditor",
            "instanceArn": known["instance"],
            "description": "Looks.",
            "sessionDuration": "PT4H",
            "tags": {"a": "b"},
        },
        change=lambda known: {
            "name": "Auditor",
            "instanceArn": known["instance"],
            "relayState": "https://console.aws.amazon.com/",
            "tags": {"c": "d"},
        },
        outputs=lambda _: {"sessionDuration": "PT4H", "tagsAll": {"a": "b"}},
    ),
    "ManagedPolicyAttachment": Case(
        type="aws:ssoadmin/managedPolicyAttachment:ManagedPolicyAttachment",
        prepare=a_permission_set,
        make=lambda known: {**in_the_set(known), "managedPolicyArn": READ_ONLY},
        id=lambda known: f"{READ_ONLY},{known['set']},{known['instance']}",
        outputs=lambda _: {"managedPolicyName": "ReadOnlyAccess"},
    ),
    "PermissionSetInlinePolicy": Case(
        type="aws:ssoadmin/permissionSetInlinePolicy:PermissionSetInlinePolicy",
        prepare=a_permission_set,
        make=lambda known: {**in_the_set(known), "inlinePolicy": grant("*")},
        change=lambda known: {**in_the_set(known), "inlinePolicy": grant("arn:aws:iam::111111111111:role/a")},
        id=lambda known: f"{known['set']},{known['instance']}",
        outputs=lambda known: {"permissionSetArn": known["set"]},
    ),
    "AccountAssignment": Case(
        type="aws:ssoadmin/accountAssignment:AccountAssignment",
        prepare=lambda driver, known: a_directory(driver, a_member(driver, a_permission_set(driver, known))),
        make=lambda known: {
            **in_the_set(known),
            "principalId": known["group"],
            "principalType": "GROUP",
            "targetId": known["member"],
            "targetType": "AWS_ACCOUNT",
        },
        id=lambda known: f"{known['group']},GROUP,{known['member']},AWS_ACCOUNT,{known['set']},{known['instance']}",
        outputs=lambda known: {"targetId": known["member"]},
    ),
    "identitystore User": Case(
        type="aws:identitystore/user:User",
        prepare=an_instance,
        make=lambda known: {
            "identityStoreId": known["store"],
            "userName": "jane",
            "displayName": "Jane Doe",
            "name": {"givenName": "Jane", "familyName": "Doe"},
            "emails": {"value": "jane@company.com", "primary": True},
        },
        change=lambda known: {
            "identityStoreId": known["store"],
            "userName": "jane",
            "displayName": "Jane Roe",
            "name": {"givenName": "Jane", "familyName": "Roe"},
            "title": "Engineer",
        },
        outputs=lambda _: {"userStatus": "ENABLED", "externalIds": []},
    ),
    "identitystore Group": Case(
        type="aws:identitystore/group:Group",
        prepare=an_instance,
        make=lambda known: {
            "identityStoreId": known["store"],
            "displayName": "engineers",
            "description": "They build.",
        },
        change=lambda known: {"identityStoreId": known["store"], "displayName": "builders"},
        outputs=lambda _: {"externalIds": []},
    ),
    "identitystore GroupMembership": Case(
        type="aws:identitystore/groupMembership:GroupMembership",
        prepare=a_directory,
        make=lambda known: {
            "identityStoreId": known["store"],
            "groupId": known["group"],
            "memberId": known["user"],
        },
        outputs=lambda known: {"memberId": known["user"]},
    ),
    "EncryptionByDefault": Case(
        type="aws:ebs/encryptionByDefault:EncryptionByDefault",
        make=lambda _: {"enabled": True},
        change=lambda _: {"enabled": False},
        id=lambda _: "us-east-1",
        outputs=lambda _: {"enabled": True},
    ),
    "EventTarget with an automatic id": Case(
        type="aws:cloudwatch/eventTarget:EventTarget",
        prepare=a_rule_and_topic,
        make=lambda known: {"rule": "break-glass", "arn": known["topic"]},
        change=lambda known: {"rule": "break-glass", "arn": known["topic"], "input": '"alarm"'},
        outputs=lambda _: {"eventBusName": "default"},
        import_id=lambda _: "break-glass/it-" + hashlib.sha256(b"seed of it").hexdigest()[:7],
    ),
    "DefaultSecurityGroup": Case(
        type="aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
        prepare=a_default_vpc,
        make=lambda known: {"vpcId": known["vpc"]},
        change=lambda known: {
            "vpcId": known["vpc"],
            "ingress": [
                {
                    "protocol": "tcp",
                    "fromPort": 443,
                    "toPort": 443,
                    "cidrBlocks": ["10.0.0.0/8", "172.16.0.0/12"],
                    "description": "Web.",
                },
                {"protocol": "-1", "fromPort": 0, "toPort": 0, "self": True},
            ],
            "tags": {"a": "b"},
        },
        outputs=lambda known: {"name": "default", "ownerId": known["account"], "tagsAll": {}},
    ),
    "DefaultVpc": Case(
        type="aws:ec2/defaultVpc:DefaultVpc",
        make=lambda _: {"tags": {"a": "b"}},
        change=lambda _: {"enableDnsHostnames": False, "forceDestroy": True, "tags": {"c": "d"}},
        outputs=lambda known: {
            "cidrBlock": "172.31.0.0/16",
            "existingDefaultVpc": True,
            "ownerId": known["account"],
            "tagsAll": {"a": "b"},
        },
    ),
}
# The provider has the same resource under an older name too.
CASES |= {
    f"{name}V2": replace(CASES[name], type=older)
    for name in list(CASES)
    if (older := CASES[name].type.replace(f"b{name[1:]}:{name}", f"b{name[1:]}V2:{name}V2")) in RESOURCE_TYPES
    and older not in {case.type for case in CASES.values()}
}

KEPT_BY_AWS = {
    "BucketObjectLockConfiguration",
    "BucketServerSideEncryptionConfiguration",
    "BucketVersioning",
    "CostAllocationTag",
    "DefaultSecurityGroup",
    "EncryptionByDefault",
    "PrimaryContact",
    "TopicPolicy",
}
"""AWS has no call that removes it, so removing the resource leaves it, in its default state if it has one."""


def test_every_type_has_a_round_trip() -> None:
    assert {case.type for case in CASES.values()} == RESOURCE_TYPES.keys()


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
    provider, plugin, where = driver.provider, driver.plugin, urn(case.type, "it")

    written = answers(request.getfixturevalue("monkeypatch"), driver)

    inputs = driver.check(case.type, "it", case.make(known))
    preview = plugin.preview(case.type, where, inputs, None)
    assert provider.find(case.type, where, inputs) is None
    identifier, outputs = provider.create(case.type, where, inputs)
    # What is said to be really made is not answered by a record of ours, and what is said to be a record is.
    assert any(RECORD in headers for headers in written) == RESOURCE_TYPES[case.type].record
    if case.id is not None:
        assert identifier == case.id(known)
    assert outputs | case.outputs(known) == outputs
    assert inputs.items() <= outputs.items()
    if RESOURCE_TYPES[case.type].identify is not None:
        assert provider.find(case.type, where, inputs) == (identifier, outputs)
    assert outputs.keys() - preview.keys() <= RESOURCE_TYPES[case.type].inputs
    assert plugin.diff(case.type, where, identifier, inputs, outputs, inputs, ()) == Diff(())

    read = provider.read(case.type, where, identifier, inputs, plain(outputs))
    assert read == (identifier, inputs, outputs)
    if case.importable:
        imported = provider.read(case.type, where, case.import_id(known) if case.import_id else identifier, {}, {})
        assert imported is not None
        difference = plugin.diff(case.type, where, identifier, imported[1], imported[2], inputs, ())
        assert set(difference.changed) <= set(case.import_knows)

    if case.change is not None:
        changed = driver.check(case.type, "it", case.change(known), inputs)
        difference = plugin.diff(case.type, where, identifier, inputs, outputs, changed, ())
        assert difference.changed
        assert difference.replaces == ()
        after = provider.update(case.type, where, identifier, inputs, plain(outputs), changed)
        assert changed.items() <= after.items()
        assert provider.read(case.type, where, identifier, changed, plain(after)) == (identifier, changed, after)
        inputs, outputs = changed, after

    provider.delete(case.type, where, identifier, inputs, plain(outputs))
    gone = provider.read(case.type, where, identifier, inputs, plain(outputs))
    if name == "GroupMembership":  # it is what the group has, and the group is still there
        assert gone is not None
        assert gone[2]["users"] == []
    else:
        assert (gone is not None) == (name.removesuffix("V2") in KEPT_BY_AWS)
    provider.delete(case.type, where, identifier, inputs, plain(outputs))


def answers(monkeypatch: pytest.MonkeyPatch, driver: Driver) -> list[dict[str, str]]:
    """The headers of the answers to everything that the driver writes from now on."""
    heard: list[dict[str, str]] = []
    make = client.make_client

    def listen(http_response: Any, model: Any, **_: object) -> None:
        if not model.name.startswith(("Get", "List", "Describe", "Head")):
            heard.append({name.lower(): value for name, value in http_response.headers.items()})

    def listening(*arguments: Any, **options: Any) -> Any:
        made = make(*arguments, **options)
        made.meta.events.register("after-call", listen)
        return made

    monkeypatch.setattr(client, "make_client", listening)
    driver.provider.close()  # clients are made anew
    return heard


def plain(outputs: dict[str, Any]) -> dict[str, Any]:
    """As the engine hands outputs to a plugin: secrets unwrapped."""
    return {name: value.value if isinstance(value, Secret) else value for name, value in outputs.items()}
