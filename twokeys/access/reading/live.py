"""A snapshot of what really is: IAM and Organizations, read with boto3.

Reads only: GetCallerIdentity, in each account GetAccountAuthorizationDetails, ListRoles and, where it has users, its
credential report, and in the management account the accounts, their tags, the control policies with what they are
attached to, IAM Identity Center and centralized root access.
https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
The result has the shape of a stack's resources, so that everything after it is the same code.
"""

from __future__ import annotations

import csv
import io
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from twokeys.access.reading.live_identity_center import identity_center, pages
from twokeys.access.reading.since import NOT_KNOWN, Since
from twokeys.access.reading.snapshot import PROVIDER, Evidence, NotAnswered, Resource, Snapshot
from twokeys.access.reading.type_names import (
    ACCESS_KEY,
    ACCOUNT,
    CONTROL_POLICY,
    CREDENTIALS,
    DELEGATED_ADMINISTRATOR,
    GROUP,
    MANAGED_POLICY,
    MFA_DEVICE,
    ORGANIZATION,
    ORGANIZATIONAL_UNIT,
    PASSWORD,
    ROLE,
    USER,
)
from twokeys.access_role import ACCESS_ROLE
from twokeys.errors import Refusal
from twokeys.iam import Arn, parse_arn

if TYPE_CHECKING:
    from types_boto3_iam import IAMClient
    from types_boto3_iam.type_defs import GetAccountAuthorizationDetailsResponseTypeDef
    from types_boto3_organizations import OrganizationsClient
    from types_boto3_sts import STSClient

_ACCOUNTS_AT_ONCE = 8
_COLUMNS = {
    PASSWORD: ("password_enabled",),
    ACCESS_KEY: ("access_key_1_active", "access_key_2_active"),
    MFA_DEVICE: ("mfa_active",),
}
_A_PAGE, _SECONDS_FOR_A_REPORT = 1000, 60
_NO_ROOT_ACCESS = (
    "AccountNotManagementOrDelegatedAdministratorException",
    "OrganizationNotFoundException",
    "ServiceAccessNotEnabledException",
)
_SCP, _RCP = "SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"


def read_live(
    session: boto3.Session | None = None,
    *,
    member_roles: Sequence[str] = (ACCESS_ROLE,),
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> Snapshot:
    """The snapshot of the session's account and, from a management account, of every active member account.

    Members are read by assuming the first of `member_roles` that works in each, several at once; `progress` is told of
    how many out of how many are read. A member account that cannot be entered or read is among what AWS did not answer.
    Raises Refusal when the first account cannot be read, nor whether it manages others; BotoCoreError when AWS cannot
    be asked at all.
    """
    session = session or boto3.Session(region_name=_region())
    try:
        sts = session.client("sts")
        caller = sts.get_caller_identity()
        account, partition = caller["Account"], parse_arn(caller["Arn"]).partition
        resources, not_known = _account(session.client("iam"), account, caller["Arn"])
        resources.append(_provider(account))
        organization = session.client("organizations")
        members = list(_organization(organization, account))
        if members:
            members += identity_center(session, _maker(account))
            members += _root_access(session.client("iam"), organization, account)
    except ClientError as error:
        raise Refusal(
            "live IAM cannot be read",
            where="the account of your credentials",
            why=str(error),
            next_step=f"use credentials that may call {error.operation_name} there",
        ) from error
    resources += members
    active = (str(one.outputs["id"]) for one in members if one.type == ACCOUNT and one.outputs["state"] == "ACTIVE")
    ids = [one for one in active if one != account]
    roles = [[Arn.iam("role", one, name, partition=partition) for name in member_roles] for one in ids]
    with ThreadPoolExecutor(_ACCOUNTS_AT_ONCE) as pool:
        for done, (found, unanswered) in enumerate(pool.map(_members(session, sts, caller["Arn"]), roles), 1):
            progress(done, len(roles))
            resources += found
            not_known += unanswered
    unread = {one.account for one in not_known}
    origin, now = f"live accounts, seen from {account}", datetime.now(UTC).isoformat(timespec="seconds")
    read = Evidence(
        origin,
        now,
        caller=caller["Arn"],
        region=session.region_name,
        not_answered=tuple(not_known),
        accounts=tuple(one for one in (account, *ids) if one not in unread),
    )
    return Snapshot(tuple(resources), origin, evidence=(read,))


def _region() -> str:
    """Where STS is asked; boto3 itself does not read AWS_REGION, as every other SDK does."""
    return boto3.Session().region_name or os.environ.get("AWS_REGION") or "us-east-1"


def _maker(account: str) -> Callable[[str, str, Mapping[str, object]], Resource]:
    return lambda type_, name, values: _made(type_, name, account, values)


def _root_access(iam: IAMClient, organizations: OrganizationsClient, account: str) -> Iterator[Resource]:
    """Whether root sessions are switched on, who else may begin them, and who else administers IAM Identity Center.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user-access-management.html
    https://docs.aws.amazon.com/singlesignon/latest/userguide/delegated-admin.html
    """
    try:
        enabled = iam.list_organizations_features().get("EnabledFeatures", [])
    except ClientError as error:
        if error.response["Error"]["Code"] not in _NO_ROOT_ACCESS:
            raise
        enabled = []
    values: dict[str, object] = {"enabledFeatures": list(enabled)}
    yield _made("aws:iam/organizationsFeatures:OrganizationsFeatures", "features", account, values)
    for service in ("iam", "sso"):
        principal = f"{service}.amazonaws.com"
        listing = "list_delegated_administrators", "DelegatedAdministrators"
        for administrator in pages(organizations, *listing, ServicePrincipal=principal):
            values = {"accountId": administrator["Id"], "servicePrincipal": principal}
            yield _made(DELEGATED_ADMINISTRATOR, f"{administrator['Id']}/{service}", account, values)


def _members(
    session: boto3.Session, sts: STSClient, caller: str
) -> Callable[[Sequence[Arn]], tuple[list[Resource], list[NotAnswered]]]:
    """Reads an account by the first of some roles that works in it.

    A session, other than its clients, is not for several threads at once.

    https://boto3.amazonaws.com/v1/documentation/api/latest/guide/session.html#multithreading-or-multiprocessing-with-sessions
    """
    making = Lock()

    def read(roles: Sequence[Arn]) -> tuple[list[Resource], list[NotAnswered]]:
        failed = []
        for role in roles:
            asker, action = caller, f"sts:AssumeRole on {' or '.join(one.name for one in roles)}"
            try:
                assumed = sts.assume_role(RoleArn=str(role), RoleSessionName="twokeys-access")["Credentials"]
                with making:
                    inside = session.client(
                        "iam",
                        aws_access_key_id=assumed["AccessKeyId"],
                        aws_secret_access_key=assumed["SecretAccessKey"],
                        aws_session_token=assumed["SessionToken"],
                    )
                asker, action = str(role), "iam:GetAccountAuthorizationDetails"
                found, not_answered = _account(inside, role.account, asker)
                return [*found, _provider(role.account, role)], not_answered
            except (BotoCoreError, ClientError) as error:
                code = error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
                failed.append(NotAnswered(f"the IAM of account {role.account}", action, code, asker, role.account))
        return [], [max(failed, key=lambda one: one.caller != caller)]

    return read


def _provider(account: str, role: Arn | None = None) -> Resource:
    inputs: dict[str, object] = {"allowedAccountIds": json.dumps([account])}
    if role is not None:
        inputs["assumeRoles"] = json.dumps([{"roleArn": str(role)}])
    return Resource(urn=_provider_urn(account), type=PROVIDER, name=account, inputs=inputs)


def _provider_urn(account: str) -> str:
    return f"account {account}"


def _account(iam: IAMClient, account: str, caller: str) -> tuple[list[Resource], list[NotAnswered]]:
    """The IAM of an account, and what beside its policies AWS did not tell the caller."""
    paginator = iam.get_paginator("get_account_authorization_details")
    details = list(paginator.paginate(PaginationConfig={"PageSize": _A_PAGE}))
    not_answered: list[NotAnswered] = []

    def known(what: str, ask: Callable[[IAMClient], dict[str, Any]]) -> dict[str, Any]:
        try:
            return ask(iam)
        except ClientError as error:
            code, action = error.response["Error"]["Code"], f"iam:{error.operation_name}"
            not_answered.append(NotAnswered(what, action, code, caller))
            return {}

    sessions = known("how long sessions of roles last at most", _longest_sessions)
    has_users = any(page.get("UserDetailList") for page in details)
    credentials = known("which users have passwords, access keys and MFA devices", _credentials) if has_users else {}
    return list(_principals(details, account, sessions, credentials)), not_answered


def _principals(
    details: list[GetAccountAuthorizationDetailsResponseTypeDef],
    account: str,
    sessions: Mapping[str, int | None],
    credentials: Mapping[str, Mapping[str, bool]],
) -> Iterator[Resource]:
    newer = dict.fromkeys(_COLUMNS) if credentials else None
    for page in details:
        for policy in page.get("Policies", []):
            yield from _policy(policy, account)
        for group in page.get("GroupDetailList", []):
            yield from _principal(group, account, "group", GROUP)
        for user in page.get("UserDetailList", []):
            name = user["UserName"]
            own: dict[str, object] = {CREDENTIALS: credentials.get(name, newer), "tags": _tags(user)}
            yield from _principal(user, account, "user", USER, own)
            values = {"user": name, "groups": list(user.get("GroupList", []))}
            membership = "aws:iam/userGroupMembership:UserGroupMembership"
            since = Since(user.get("CreateDate"))
            yield _made(membership, name, account, values, part_of=user["Arn"], since=since)
        for role in page.get("RoleDetailList", []):
            more = {"maxSessionDuration": sessions.get(role["RoleName"]), "tags": _tags(role)}
            yield from _principal(role, account, "role", ROLE, more)


def _tags(found: Mapping[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in found.get("Tags", [])}


def _longest_sessions(iam: IAMClient) -> dict[str, int | None]:
    """How many seconds a session of each role lasts at most, which GetAccountAuthorizationDetails does not tell.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoles.html
    """
    roles = pages(iam, "list_roles", "Roles", PaginationConfig={"PageSize": _A_PAGE})
    return {role["RoleName"]: role.get("MaxSessionDuration") for role in roles}


def _credentials(iam: IAMClient) -> dict[str, dict[str, bool]]:
    """Whether each user has a password, an active access key and an MFA device, as the credential report has it.

    AWS makes a new one where the last is four hours old. Raises ClientError where it is not ready in a minute.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html
    """
    for _ in range(_SECONDS_FOR_A_REPORT):
        if iam.generate_credential_report()["State"] == "COMPLETE":
            break
        time.sleep(1)
    report = csv.DictReader(io.StringIO(iam.get_credential_report()["Content"].decode()))
    return {
        row["user"]: {kind: any(row[one].lower() == "true" for one in columns) for kind, columns in _COLUMNS.items()}
        for row in report
    }


def _policy(policy: Mapping[str, Any], account: str) -> Iterator[Resource]:
    for version in policy.get("PolicyVersionList", []):
        if version.get("IsDefaultVersion"):
            values = {
                "arn": policy["Arn"],
                "name": policy["PolicyName"],
                "path": policy.get("Path"),
                "policy": version["Document"],
            }
            made, changed = policy.get("CreateDate"), policy.get("UpdateDate")
            since = Since(made, made if made == changed else None, changed)
            # One of AWS's own has the same ARN in each account that it was read in.
            shared = None if f":{account}:" in policy["Arn"] else f"{policy['Arn']} in {account}"
            yield _made(MANAGED_POLICY, policy["Arn"], account, values, part_of=shared, since=since)


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
    since = Since(found.get("CreateDate"))
    yield _made(type_, name, account, values, since=since)
    for policy in found.get(f"{kind.capitalize()}PolicyList", []):
        values = {kind: name, "name": policy["PolicyName"], "policy": policy["PolicyDocument"]}
        type_of_policy = f"aws:iam/{kind}Policy:{kind.capitalize()}Policy"
        yield _made(
            type_of_policy, f"{name}/{policy['PolicyName']}", account, values, part_of=found["Arn"], since=since
        )
    for policy in found.get("AttachedManagedPolicies", []):
        values = {kind: name, "policyArn": policy["PolicyArn"]}
        type_of_attachment = f"aws:iam/{kind}PolicyAttachment:{kind.capitalize()}PolicyAttachment"
        what = f"{name}/{policy['PolicyArn']}"
        yield _made(type_of_attachment, what, account, values, part_of=found["Arn"], since=since)


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
    root = organizations.list_roots()["Roots"][0]
    values: dict[str, object] = {"id": described["Id"], "masterAccountId": account, "roots": [{"id": root["Id"]}]}
    yield _made(ORGANIZATION, "organization", account, values)
    for parent, found in _children(organizations, root["Id"]):
        if found["Id"].startswith("ou-"):
            values = {"id": found["Id"], "parentId": parent, "name": found["Name"]}
            yield _made(ORGANIZATIONAL_UNIT, found["Id"], account, values)
        else:
            joined, values = found.get("JoinedTimestamp"), _account_values(organizations, found, parent)
            yield _made(ACCOUNT, found["Name"], account, values, since=Since(joined, joined))
    for policy_type in root.get("PolicyTypes", []):
        if policy_type["Type"] in (_SCP, _RCP) and policy_type["Status"] == "ENABLED":
            yield from _control_policies(organizations, account, policy_type["Type"])


def _account_values(organizations: OrganizationsClient, found: Mapping[str, Any], parent: str) -> dict[str, object]:
    """`Status` is what `State` was called until 2026.

    https://docs.aws.amazon.com/organizations/latest/APIReference/API_Account.html
    """
    tags = pages(organizations, "list_tags_for_resource", "Tags", ResourceId=found["Id"])
    return {
        "id": found["Id"],
        "arn": found.get("Arn"),
        "name": found["Name"],
        "email": found.get("Email"),
        "state": found.get("State") or found["Status"],
        "parentId": parent,
        "tags": {tag["Key"]: tag["Value"] for tag in tags},
    }


def _children(organizations: OrganizationsClient, parent: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The accounts and units below a root or unit, at any depth, each with its parent."""
    for found in pages(organizations, "list_accounts_for_parent", "Accounts", ParentId=parent):
        yield parent, found
    for unit in pages(organizations, "list_organizational_units_for_parent", "OrganizationalUnits", ParentId=parent):
        yield parent, unit
        yield from _children(organizations, unit["Id"])


def _control_policies(organizations: OrganizationsClient, account: str, kind: str) -> Iterator[Resource]:
    """Those of a type that is enabled, with what they are attached to; nobody can detach RCPFullAWSAccess.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
    """
    for summary in pages(organizations, "list_policies", "Policies", Filter=kind):
        if summary["AwsManaged"] and kind == _RCP:
            continue
        content = organizations.describe_policy(PolicyId=summary["Id"])["Policy"]["Content"]
        values = {"id": summary["Id"], "type": kind, "content": content, "awsManaged": summary["AwsManaged"] or None}
        yield _made(CONTROL_POLICY, summary["Name"], account, values)
        for target in pages(organizations, "list_targets_for_policy", "Targets", PolicyId=summary["Id"]):
            values = {"policyId": summary["Id"], "targetId": target["TargetId"]}
            name = f"{summary['Name']}/{target['TargetId']}"
            yield _made("aws:organizations/policyAttachment:PolicyAttachment", name, account, values)


def _made(  # noqa: PLR0913 - what a resource is made of
    type_: str,
    name: str,
    account: str,
    values: Mapping[str, object],
    *,
    part_of: str | None = None,
    since: Since = NOT_KNOWN,
) -> Resource:
    """A resource with the ARN or id that AWS gave it where one of a stack has its URN.

    What has none, as an inline policy, begins with that of what it is a part of.
    """
    own = values.get("arn") or values.get("id")
    part = f"{part_of or values.get('permissionSetArn') or account} {type_.rpartition(':')[2]} {name}"
    return Resource(
        urn=str(own) if own and part_of is None else part,
        type=type_,
        name=name,
        outputs={key: value for key, value in values.items() if value is not None},
        provider=_provider_urn(account),
        protect=True,
        since=since,
    )
