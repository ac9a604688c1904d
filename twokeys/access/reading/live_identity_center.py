"""IAM Identity Center as it is, read with boto3 in the management account: permission sets, assignments, people.

Reads only. https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_ListAccountAssignments.html and
https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/API_ListGroupMemberships.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    import boto3

    from twokeys.access.reading.snapshot import Resource

Make = Callable[[str, str, Mapping[str, object]], "Resource"]
"""Makes a resource of a type, a name and its values."""
_ABSENT = "ResourceNotFoundException"


def identity_center(session: boto3.Session, make: Make) -> Iterator[Resource]:
    """The permission sets, assignments, users and groups of the organization's instance, if this region has it.

    An instance is in one region. Raises ClientError where it may not be read.
    """
    center: Any = session.client("sso-admin", region_name=session.region_name or "us-east-1")
    for instance in pages(center, "list_instances", "Instances"):
        shared = {"InstanceArn": instance["InstanceArn"]}
        for arn in pages(center, "list_permission_sets", "PermissionSets", **shared):
            yield from _permission_set(center, make, shared, arn)
        store: Any = session.client("identitystore", region_name=session.region_name or "us-east-1")
        yield from _people(store, make, instance["IdentityStoreId"])


def _permission_set(center: Any, make: Make, shared: Mapping[str, str], arn: str) -> Iterator[Resource]:  # noqa: ANN401
    about = {**shared, "PermissionSetArn": arn}
    said = center.describe_permission_set(**about)["PermissionSet"]
    name, of_set = said["Name"], {"permissionSetArn": arn}
    values = {"arn": arn, "name": name, "sessionDuration": said.get("SessionDuration")}
    yield make("aws:ssoadmin/permissionSet:PermissionSet", name, values)
    for policy in pages(center, "list_managed_policies_in_permission_set", "AttachedManagedPolicies", **about):
        values = {**of_set, "managedPolicyArn": policy["Arn"]}
        yield make("aws:ssoadmin/managedPolicyAttachment:ManagedPolicyAttachment", f"{name}/{policy['Arn']}", values)
    listing = "list_customer_managed_policy_references_in_permission_set"
    for policy in pages(center, listing, "CustomerManagedPolicyReferences", **about):
        values = {**of_set, **_reference(policy)}
        type_ = "aws:ssoadmin/customerManagedPolicyAttachment:CustomerManagedPolicyAttachment"
        yield make(type_, f"{name}/{policy['Name']}", values)
    if inline := center.get_inline_policy_for_permission_set(**about).get("InlinePolicy"):
        values = {**of_set, "inlinePolicy": inline}
        yield make("aws:ssoadmin/permissionSetInlinePolicy:PermissionSetInlinePolicy", name, values)
    if boundary := _boundary(center, about):
        values = {**of_set, "permissionsBoundary": boundary}
        yield make("aws:ssoadmin/permissionsBoundaryAttachment:PermissionsBoundaryAttachment", name, values)
    for account in pages(center, "list_accounts_for_provisioned_permission_set", "AccountIds", **about):
        for one in pages(center, "list_account_assignments", "AccountAssignments", AccountId=account, **about):
            values = {
                **of_set,
                "principalType": one["PrincipalType"],
                "principalId": one["PrincipalId"],
                "targetType": "AWS_ACCOUNT",
                "targetId": account,
            }
            place = f"{name}/{account}/{one['PrincipalId']}"
            yield make("aws:ssoadmin/accountAssignment:AccountAssignment", place, values)


def _boundary(center: Any, about: Mapping[str, str]) -> Mapping[str, object] | None:  # noqa: ANN401
    """https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_GetPermissionsBoundaryForPermissionSet.html."""
    try:
        said = center.get_permissions_boundary_for_permission_set(**about)["PermissionsBoundary"]
    except ClientError as error:
        if error.response["Error"]["Code"] == _ABSENT:
            return None
        raise
    own = said.get("CustomerManagedPolicyReference")
    return _reference(own) if own else {"managedPolicyArn": said["ManagedPolicyArn"]}


def _reference(policy: Mapping[str, str]) -> dict[str, object]:
    return {"customerManagedPolicyReference": {"name": policy["Name"], "path": policy.get("Path", "/")}}


def _people(store: Any, make: Make, identity: str) -> Iterator[Resource]:  # noqa: ANN401
    about = {"IdentityStoreId": identity}
    for user in pages(store, "list_users", "Users", **about):
        values = {"userId": user["UserId"], "userName": user.get("UserName")}
        yield make("aws:identitystore/user:User", user["UserId"], values)
    for group in pages(store, "list_groups", "Groups", **about):
        values = {"groupId": group["GroupId"], "displayName": group.get("DisplayName")}
        yield make("aws:identitystore/group:Group", group["GroupId"], values)
        for one in pages(store, "list_group_memberships", "GroupMemberships", GroupId=group["GroupId"], **about):
            user = one["MemberId"]["UserId"]
            values = {"groupId": group["GroupId"], "memberId": user}
            yield make("aws:identitystore/groupMembership:GroupMembership", f"{group['GroupId']}/{user}", values)


def pages(client: Any, operation: str, key: str, **about: object) -> Iterator[Any]:  # noqa: ANN401
    """All items of a listing, page after page."""
    for page in client.get_paginator(operation).paginate(**about):
        yield from page.get(key, [])
