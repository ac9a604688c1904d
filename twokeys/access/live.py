"""A snapshot of what really is: IAM and Organizations, read with boto3.

Reads only: GetCallerIdentity, GetAccountAuthorizationDetails, of each user GetLoginProfile and ListAccessKeys, and in
the management account the accounts, their tags, the control policies with what they are attached to, IAM Identity
Center and centralized root access.
https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
The result has the shape of a stack's resources, so that everything after it is the same code.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from twokeys.access.accounts import ACCOUNT, ORGANIZATIONAL_UNIT, ROLE
from twokeys.access.live_identity_center import identity_center
from twokeys.access.principals import ACCESS_KEY, CREDENTIALS, GROUP, MANAGED_POLICY, PASSWORD, USER
from twokeys.access.snapshot import PROVIDER, Evidence, Resource, Snapshot
from twokeys.access_role import ACCESS_ROLE
from twokeys.errors import Refusal
from twokeys.iam import Arn, parse_arn

if TYPE_CHECKING:
    from types_boto3_iam import IAMClient
    from types_boto3_organizations import OrganizationsClient

_DENIED, _NO_SUCH = ("AccessDenied", "AccessDeniedException"), "NoSuchEntity"
_NO_ROOT_ACCESS = (
    "AccountNotManagementOrDelegatedAdministratorException",
    "OrganizationNotFoundException",
    "ServiceAccessNotEnabledException",
)
_SCOPE = "urn:pulumi:live::aws"
_SCP, _RCP = "SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"


def read_live(session: boto3.Session | None = None, *, member_role: str = ACCESS_ROLE) -> Snapshot:
    """The snapshot of the session's account and, from a management account, of every active member account.

    Members are read by assuming `member_role` in each. Raises Refusal when the first account cannot be read, nor
    whether it manages others, or a member account cannot be entered: what was not read cannot be shown to be closed;
    BotoCoreError when AWS cannot be asked at all.
    """
    session = session or boto3.Session(region_name=_region())
    try:
        caller = session.client("sts").get_caller_identity()
        account, partition = caller["Account"], parse_arn(caller["Arn"]).partition
        resources = [*_account(session.client("iam"), account), _provider(account)]
        organization = session.client("organizations")
        members = list(_organization(organization, account))
        if members:
            members += identity_center(session, _maker(account))
            members += _root_access(session.client("iam"), organization, account)
    except ClientError as error:
        raise _refused("the account of your credentials", error) from error
    resources += members
    for member in members:
        if member.type == ACCOUNT and member.outputs["id"] != account and member.outputs["state"] == "ACTIVE":
            resources += _member(session, Arn.iam("role", str(member.outputs["id"]), member_role, partition=partition))
    origin, now = f"live accounts, seen from {account}", datetime.now(UTC).isoformat(timespec="seconds")
    read = Evidence(origin, now, caller=caller["Arn"], region=session.region_name)
    return Snapshot(tuple(resources), origin, evidence=(read,))


def _region() -> str:
    """Where STS is asked; boto3 itself does not read AWS_REGION, as every other SDK does."""
    return boto3.Session().region_name or os.environ.get("AWS_REGION") or "us-east-1"


def _maker(account: str) -> Callable[[str, str, Mapping[str, object]], Resource]:
    return lambda type_, name, values: _made(type_, name, account, values)


def _root_access(iam: IAMClient, organizations: OrganizationsClient, account: str) -> Iterator[Resource]:
    """Whether root sessions are switched on, and who else than the management account may begin them.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user-access-management.html
    """
    try:
        enabled = iam.list_organizations_features().get("EnabledFeatures", [])
    except ClientError as error:
        if error.response["Error"]["Code"] not in _NO_ROOT_ACCESS:
            raise
        enabled = []
    values: dict[str, object] = {"enabledFeatures": list(enabled)}
    yield _made("aws:iam/organizationsFeatures:OrganizationsFeatures", "features", account, values)
    pages = organizations.get_paginator("list_delegated_administrators").paginate(ServicePrincipal="iam.amazonaws.com")
    for administrator in (one for page in pages for one in page["DelegatedAdministrators"]):
        values = {"accountId": administrator["Id"], "servicePrincipal": "iam.amazonaws.com"}
        type_ = "aws:organizations/delegatedAdministrator:DelegatedAdministrator"
        yield _made(type_, f"{administrator['Id']}/iam", account, values)


def _member(session: boto3.Session, role: Arn) -> list[Resource]:
    try:
        sts = session.client("sts")
        assumed = sts.assume_role(RoleArn=str(role), RoleSessionName="twokeys-access")["Credentials"]
        inside = session.client(
            "iam",
            aws_access_key_id=assumed["AccessKeyId"],
            aws_secret_access_key=assumed["SecretAccessKey"],
            aws_session_token=assumed["SessionToken"],
        )
        return [*_account(inside, role.account), _provider(role.account, role)]
    except (BotoCoreError, ClientError) as error:
        raise _refused(f"account {role.account} through role {role.name}", error) from error


def _refused(where: str, error: Exception) -> Refusal:
    asked = error.operation_name if isinstance(error, ClientError) else "AssumeRole"
    return Refusal(
        "live IAM cannot be read",
        where=where,
        why=str(error),
        next_step=f"use credentials that may call {asked} there, or name the role with --member-role",
    )


def _provider(account: str, role: Arn | None = None) -> Resource:
    inputs: dict[str, object] = {"allowedAccountIds": json.dumps([account])}
    if role is not None:
        inputs["assumeRoles"] = json.dumps([{"roleArn": str(role)}])
    return Resource(urn=_provider_urn(account), type=PROVIDER, name=account, inputs=inputs)


def _provider_urn(account: str) -> str:
    return f"{_SCOPE}::{PROVIDER}::{account}"


def _account(iam: IAMClient, account: str) -> Iterator[Resource]:
    for page in iam.get_paginator("get_account_authorization_details").paginate():
        for policy in page.get("Policies", []):
            yield from _policy(policy, account)
        for group in page.get("GroupDetailList", []):
            yield from _principal(group, account, "group", GROUP)
        for user in page.get("UserDetailList", []):
            yield from _principal(user, account, "user", USER, {CREDENTIALS: _credentials(iam, user["UserName"])})
            yield _made(
                "aws:iam/userGroupMembership:UserGroupMembership",
                user["UserName"],
                account,
                {"user": user["UserName"], "groups": list(user.get("GroupList", []))},
            )
        for role in page.get("RoleDetailList", []):
            yield from _principal(role, account, "role", ROLE)


def _policy(policy: Mapping[str, Any], account: str) -> Iterator[Resource]:
    for version in policy.get("PolicyVersionList", []):
        if version.get("IsDefaultVersion"):
            values = {
                "arn": policy["Arn"],
                "name": policy["PolicyName"],
                "path": policy.get("Path"),
                "policy": version["Document"],
            }
            created, modified = policy.get("CreateDate"), policy.get("UpdateDate")
            yield _made(MANAGED_POLICY, policy["Arn"], account, values, created=created, modified=modified)


def _credentials(iam: IAMClient, user: str) -> dict[str, bool | None]:
    """Whether a user has a password and an active access key; None is for what the caller may not ask.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetLoginProfile.html
    https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAccessKeys.html
    """

    def has_active_key() -> bool:
        pages = iam.get_paginator("list_access_keys").paginate(UserName=user)
        return any(key.get("Status") == "Active" for page in pages for key in page["AccessKeyMetadata"])

    return {
        PASSWORD: _unless_denied(lambda: bool(iam.get_login_profile(UserName=user)["LoginProfile"])),
        ACCESS_KEY: _unless_denied(has_active_key),
    }


def _unless_denied(ask: Callable[[], bool]) -> bool | None:
    try:
        return ask()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in _DENIED:
            return None
        if code == _NO_SUCH:
            return False
        raise


def _principal(
    found: Mapping[str, Any], account: str, kind: str, type_: str, more: Mapping[str, object] | None = None
) -> Iterator[Resource]:
    name = found[f"{kind.capitalize()}Name"]
    boundary = found.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    values = {
        "name": name,
        "path": found.get("Path"),
        "arn": found["Arn"],
        "assumeRolePolicy": found.get("AssumeRolePolicyDocument"),
        "permissionsBoundary": boundary,
        "uniqueId": found.get(f"{kind.capitalize()}Id"),
        **(more or {}),
    }
    yield _made(type_, name, account, values, created=found.get("CreateDate"))
    for policy in found.get(f"{kind.capitalize()}PolicyList", []):
        values = {kind: name, "name": policy["PolicyName"], "policy": policy["PolicyDocument"]}
        type_of_policy = f"aws:iam/{kind}Policy:{kind.capitalize()}Policy"
        yield _made(type_of_policy, f"{name}/{policy['PolicyName']}", account, values)
    for policy in found.get("AttachedManagedPolicies", []):
        values = {kind: name, "policyArn": policy["PolicyArn"]}
        type_of_attachment = f"aws:iam/{kind}PolicyAttachment:{kind.capitalize()}PolicyAttachment"
        yield _made(type_of_attachment, f"{name}/{policy['PolicyArn']}", account, values)


def _organization(organizations: OrganizationsClient, account: str) -> Iterator[Resource]:
    """Accounts, organizational units and control policies; nothing when this is not a management account.

    Whoever may not ask is refused: a management account would pass over its members.
    https://docs.aws.amazon.com/organizations/latest/APIReference/API_DescribeOrganization.html
    """
    try:
        described = organizations.describe_organization()["Organization"]
        if described.get("MasterAccountId") != account:
            return
    except ClientError as error:
        if error.response["Error"]["Code"] == "AWSOrganizationsNotInUseException":
            return
        raise
    yield _made(
        "aws:organizations/organization:Organization",
        "organization",
        account,
        {"id": described["Id"], "masterAccountId": account},
    )
    parents = dict(_children(organizations, organizations.list_roots()["Roots"][0]["Id"]))
    for page in organizations.get_paginator("list_accounts").paginate():
        for found in page["Accounts"]:
            values = _account_values(organizations, found, parents)
            yield _made(ACCOUNT, found["Name"], account, values, created=found.get("JoinedTimestamp"))
    for child, parent in parents.items():
        if child.startswith("ou-"):
            yield _made(ORGANIZATIONAL_UNIT, child, account, {"id": child, "parentId": parent})
    for kind in (_SCP, _RCP):
        yield from _control_policies(organizations, account, kind)


def _account_values(
    organizations: OrganizationsClient, found: Mapping[str, Any], parents: Mapping[str, str]
) -> dict[str, object]:
    """`Status` is what `State` was called until 2026.

    https://docs.aws.amazon.com/organizations/latest/APIReference/API_Account.html
    """
    pages = organizations.get_paginator("list_tags_for_resource").paginate(ResourceId=found["Id"])
    return {
        "id": found["Id"],
        "arn": found.get("Arn"),
        "name": found["Name"],
        "email": found.get("Email"),
        "state": found.get("State") or found["Status"],
        "parentId": parents.get(found["Id"]),
        "tags": {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]},
    }


def _children(organizations: OrganizationsClient, parent: str) -> Iterator[tuple[str, str]]:
    for accounts in organizations.get_paginator("list_accounts_for_parent").paginate(ParentId=parent):
        yield from ((found["Id"], parent) for found in accounts["Accounts"])
    for units in organizations.get_paginator("list_organizational_units_for_parent").paginate(ParentId=parent):
        for unit in units["OrganizationalUnits"]:
            yield unit["Id"], parent
            yield from _children(organizations, unit["Id"])


def _control_policies(organizations: OrganizationsClient, account: str, kind: Any) -> Iterator[Resource]:  # noqa: ANN401
    try:
        pages = list(organizations.get_paginator("list_policies").paginate(Filter=kind))
    except ClientError as error:
        if error.response["Error"]["Code"] in ("PolicyTypeNotEnabledException", "InvalidInputException"):
            return
        raise
    for summary in (policy for page in pages for policy in page["Policies"]):
        if summary.get("AwsManaged"):
            continue
        content = organizations.describe_policy(PolicyId=summary["Id"])["Policy"]["Content"]
        values = {"id": summary["Id"], "type": kind, "content": content}
        yield _made("aws:organizations/policy:Policy", summary["Name"], account, values)
        for page in organizations.get_paginator("list_targets_for_policy").paginate(PolicyId=summary["Id"]):
            for target in page["Targets"]:
                values = {"policyId": summary["Id"], "targetId": target["TargetId"]}
                name = f"{summary['Name']}/{target['TargetId']}"
                yield _made("aws:organizations/policyAttachment:PolicyAttachment", name, account, values)


def _made(  # noqa: PLR0913 - what a resource is made of
    type_: str,
    name: str,
    account: str,
    values: Mapping[str, object],
    *,
    created: datetime | None = None,
    modified: datetime | None = None,
) -> Resource:
    return Resource(
        urn=f"{_SCOPE}::{account}::{type_}::{name}",
        type=type_,
        name=name,
        outputs={key: value for key, value in values.items() if value is not None},
        provider=_provider_urn(account),
        protect=True,
        created=created.isoformat() if created else None,
        modified=modified.isoformat() if modified else None,
    )
