"""The record of IAM Identity Center: permission sets, assignments, users and groups.

https://docs.aws.amazon.com/singlesignon/latest/APIReference/ and
https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/. An organization's management account has one
instance from the start, which on AWS somebody enables in the console. Nobody signs in, and an assignment makes no role
in its account.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Callable
from typing import Any, TypeAlias

from ministack.core.responses import AccountScopedDict, get_account_id

from twokeys.sandbox.local_server import organizations, records
from twokeys.sandbox.local_server.supplement import ApiError

Payload: TypeAlias = dict[str, Any]

_permission_sets = records.store("sso.permission-sets")  # ARN -> {"set", "policies": {arn: name}, "inline", "tags"}
_assignments = records.store("sso.assignments")  # joined key -> assignment
_users = records.store("identitystore.users")
_groups = records.store("identitystore.groups")
_memberships = records.store("identitystore.memberships")

_requests = records.store("sso.requests")  # request id -> status

_ASSIGNMENT = ("PrincipalId", "PrincipalType", "TargetId", "TargetType", "PermissionSetArn", "InstanceArn")


def install() -> None:
    """Answer both services."""
    records.serve_json(
        "sso",
        {
            "ListInstances": lambda _: {"Instances": [_instance()] if _has_instance() else []},
            "CreatePermissionSet": _create_permission_set,
            "DescribePermissionSet": lambda payload: {"PermissionSet": _permission_set(payload)["set"]},
            "ListPermissionSets": lambda _: {"PermissionSets": _permission_sets.keys()},
            "UpdatePermissionSet": _update_permission_set,
            "DeletePermissionSet": _delete_permission_set,
            "AttachManagedPolicyToPermissionSet": _attach,
            "DetachManagedPolicyFromPermissionSet": _detach,
            "ListManagedPoliciesInPermissionSet": _list_attached,
            "PutInlinePolicyToPermissionSet": lambda payload: _set_inline(payload, payload["InlinePolicy"]),
            "GetInlinePolicyForPermissionSet": lambda payload: {"InlinePolicy": _permission_set(payload)["inline"]},
            "ListCustomerManagedPolicyReferencesInPermissionSet": _list_own_policies,
            "GetPermissionsBoundaryForPermissionSet": _no_boundary,
            "ListAccountsForProvisionedPermissionSet": _list_accounts,
            "DeleteInlinePolicyFromPermissionSet": lambda payload: _set_inline(payload, ""),
            "CreateAccountAssignment": _create_assignment,
            "DeleteAccountAssignment": _delete_assignment,
            "DescribeAccountAssignmentCreationStatus": lambda payload: {
                "AccountAssignmentCreationStatus": _status(payload, "AccountAssignmentCreationRequestId")
            },
            "DescribeAccountAssignmentDeletionStatus": lambda payload: {
                "AccountAssignmentDeletionStatus": _status(payload, "AccountAssignmentDeletionRequestId")
            },
            "ProvisionPermissionSet": _provision,
            "DescribePermissionSetProvisioningStatus": lambda payload: {
                "PermissionSetProvisioningStatus": _status(payload, "ProvisionPermissionSetRequestId")
            },
            "ListAccountAssignments": _list_assignments,
            "TagResource": _tag,
            "UntagResource": _untag,
            "ListTagsForResource": _list_tags,
        },
    )
    records.serve_json(
        "identitystore",
        {
            **_directory("User", "UserName", _users),
            **_directory("Group", "DisplayName", _groups),
            "CreateGroupMembership": _create_membership,
            "DescribeGroupMembership": lambda payload: _existing(_memberships, payload["MembershipId"]),
            "DeleteGroupMembership": _delete_membership,
            "ListGroupMemberships": _list_memberships,
        },
    )


def _has_instance() -> bool:
    account: str = get_account_id()
    return organizations.organization_of(account) == account


def _instance() -> Payload:
    """The one instance; its ids derive from the account's."""
    digest = hashlib.sha256(get_account_id().encode()).hexdigest()
    return {
        "InstanceArn": f"arn:aws:sso:::instance/ssoins-{digest[:16]}",
        "IdentityStoreId": f"d-{digest[:10]}",
        "OwnerAccountId": get_account_id(),
        "Status": "ACTIVE",
    }


def _refuse_other_instances(payload: Payload) -> None:
    if not _has_instance() or payload["InstanceArn"] != _instance()["InstanceArn"]:
        raise ApiError("ResourceNotFoundException", f"No instance {payload['InstanceArn']} exists in this account.")


def _create_permission_set(payload: Payload) -> Payload:
    _refuse_other_instances(payload)
    if any(one["set"]["Name"] == payload["Name"] for one in _permission_sets.values()):
        raise ApiError("ConflictException", f"A permission set {payload['Name']} exists.")
    arn = f"{payload['InstanceArn'].replace(':instance/', ':permissionSet/')}/ps-{uuid.uuid4().hex[:16]}"
    described = {
        "Name": payload["Name"],
        "PermissionSetArn": arn,
        "CreatedDate": int(time.time()),
        **_settings(payload),
    }
    tags = {pair["Key"]: pair["Value"] for pair in payload.get("Tags") or ()}
    _permission_sets[arn] = {"set": described, "policies": {}, "inline": "", "tags": tags}
    return {"PermissionSet": described}


def _permission_set(payload: Payload) -> Payload:
    _refuse_other_instances(payload)
    return _existing(_permission_sets, payload["PermissionSetArn"])


def _change(payload: Payload, **changes: object) -> None:
    _permission_sets[payload["PermissionSetArn"]] = {**_permission_set(payload), **changes}


def _update_permission_set(payload: Payload) -> Payload:
    """A setting that is left out is cleared."""
    described = _permission_set(payload)["set"]
    kept = {name: described[name] for name in ("Name", "PermissionSetArn", "CreatedDate")}
    _change(payload, set={**kept, **_settings(payload)})
    return {}


def _settings(payload: Payload) -> Payload:
    optional = {name: payload[name] for name in ("Description", "RelayState") if payload.get(name)}
    return {"SessionDuration": payload.get("SessionDuration") or "PT1H", **optional}


def _delete_permission_set(payload: Payload) -> Payload:
    _permission_set(payload)
    if any(one["PermissionSetArn"] == payload["PermissionSetArn"] for one in _assignments.values()):
        raise ApiError("ConflictException", "The permission set is assigned; delete its assignments first.")
    _permission_sets.pop(payload["PermissionSetArn"])
    return {}


def _attach(payload: Payload) -> Payload:
    policies, arn = _permission_set(payload)["policies"], payload["ManagedPolicyArn"]
    if arn in policies:
        raise ApiError("ConflictException", f"The policy {arn} is attached to the permission set.")
    _change(payload, policies={**policies, arn: arn.rpartition("/")[2]})
    return {}


def _detach(payload: Payload) -> Payload:
    policies, arn = _permission_set(payload)["policies"], payload["ManagedPolicyArn"]
    if arn not in policies:
        raise ApiError("ResourceNotFoundException", f"The policy {arn} is not attached to the permission set.")
    _change(payload, policies={key: name for key, name in policies.items() if key != arn})
    return {}


def _list_attached(payload: Payload) -> Payload:
    policies = _permission_set(payload)["policies"]
    return {"AttachedManagedPolicies": [{"Arn": arn, "Name": name} for arn, name in policies.items()]}


def _set_inline(payload: Payload, document: str) -> Payload:
    _change(payload, inline=document)
    return {}


def _create_assignment(payload: Payload) -> Payload:
    _permission_set(payload)
    _existing(_users if payload["PrincipalType"] == "USER" else _groups, payload["PrincipalId"])
    if organizations.organization_of(payload["TargetId"]) != get_account_id():
        raise ApiError("ResourceNotFoundException", f"No account {payload['TargetId']} is in the organization.")
    assignment = {name: payload[name] for name in _ASSIGNMENT}
    _assignments[",".join(assignment.values())] = assignment
    return {"AccountAssignmentCreationStatus": _done(assignment)}


def _delete_assignment(payload: Payload) -> Payload:
    assignment = {name: payload[name] for name in _ASSIGNMENT}
    _existing(_assignments, ",".join(assignment.values()))
    _assignments.pop(",".join(assignment.values()))
    return {"AccountAssignmentDeletionStatus": _done(assignment)}


def _done(assignment: Payload) -> Payload:
    """How a request went that AWS works on for a while; its caller asks again by its id until it is done."""
    named = {name: value for name, value in assignment.items() if name != "InstanceArn"}
    status = {"Status": "SUCCEEDED", "RequestId": str(uuid.uuid4()), "CreatedDate": int(time.time()), **named}
    _requests[status["RequestId"]] = status
    return status


def _status(payload: Payload, key: str) -> Payload:
    _refuse_other_instances(payload)
    return _existing(_requests, payload[key])


def _provision(payload: Payload) -> Payload:
    """Nothing is to be done: an assignment makes no role in its account here."""
    _permission_set(payload)
    target = {"AccountId": payload["TargetId"]} if payload.get("TargetId") else {}
    status = _done({"PermissionSetArn": payload["PermissionSetArn"], **target})
    return {"PermissionSetProvisioningStatus": status}


def _list_assignments(payload: Payload) -> Payload:
    _permission_set(payload)
    return {
        "AccountAssignments": [
            {
                "AccountId": one["TargetId"],
                **{name: one[name] for name in ("PermissionSetArn", "PrincipalId", "PrincipalType")},
            }
            for one in _assignments.values()
            if (one["TargetId"], one["PermissionSetArn"]) == (payload["AccountId"], payload["PermissionSetArn"])
        ]
    }


def _list_own_policies(payload: Payload) -> Payload:
    """None can be attached here."""
    _permission_set(payload)
    return {"CustomerManagedPolicyReferences": []}


def _no_boundary(payload: Payload) -> Payload:
    """None can be attached here, and AWS has no answer for none."""
    _permission_set(payload)
    raise ApiError("ResourceNotFoundException", "The permission set has no permissions boundary.")


def _list_accounts(payload: Payload) -> Payload:
    _permission_set(payload)
    assigned = (one for one in _assignments.values() if one["PermissionSetArn"] == payload["PermissionSetArn"])
    return {"AccountIds": list(dict.fromkeys(one["TargetId"] for one in assigned))}


def _tag(payload: Payload) -> Payload:
    new = {pair["Key"]: pair["Value"] for pair in payload["Tags"]}
    return _retag(payload, lambda tags: {**tags, **new})


def _untag(payload: Payload) -> Payload:
    return _retag(payload, lambda tags: {key: tags[key] for key in tags if key not in payload["TagKeys"]})


def _retag(payload: Payload, change: Callable[[dict[str, str]], dict[str, str]]) -> Payload:
    kept = _existing(_permission_sets, payload["ResourceArn"])
    _permission_sets[payload["ResourceArn"]] = {**kept, "tags": change(kept["tags"])}
    return {}


def _list_tags(payload: Payload) -> Payload:
    tags = _existing(_permission_sets, payload["ResourceArn"])["tags"]
    return {"Tags": [{"Key": key, "Value": value} for key, value in sorted(tags.items())]}


def _directory(kind: str, unique: str, store: AccountScopedDict) -> dict[str, Callable[[Payload], Payload]]:
    """The operations on users or groups; `unique` is the attribute that no two of them share."""
    key = f"{kind}Id"

    def create(payload: Payload) -> Payload:
        _refuse_other_stores(payload)
        if any(one[unique] == payload[unique] for one in store.values()):
            raise ApiError("ConflictException", f"A {kind.lower()} {payload[unique]} exists.")
        identifier = str(uuid.uuid4())
        store[identifier] = {**payload, key: identifier}
        return {key: identifier, "IdentityStoreId": payload["IdentityStoreId"]}

    def describe(payload: Payload) -> Payload:
        return _existing(store, payload[key])

    def update(payload: Payload) -> Payload:
        changed = dict(_existing(store, payload[key]))
        for operation in payload["Operations"]:
            _set(changed, operation["AttributePath"], operation.get("AttributeValue"))
        store[payload[key]] = changed
        return {}

    def delete(payload: Payload) -> Payload:
        _existing(store, payload[key])
        store.pop(payload[key])
        for identifier, one in _memberships.items():
            if payload[key] in (one["GroupId"], one["MemberId"]["UserId"]):
                _memberships.pop(identifier)
        return {}

    def identify(payload: Payload) -> Payload:
        wanted = payload["AlternateIdentifier"]["UniqueAttribute"]["AttributeValue"]
        for identifier, one in store.items():
            if one[unique] == wanted:
                return {key: identifier, "IdentityStoreId": one["IdentityStoreId"]}
        raise ApiError("ResourceNotFoundException", f"No {kind.lower()} {wanted} exists.")

    return {
        f"Create{kind}": create,
        f"Describe{kind}": describe,
        f"Update{kind}": update,
        f"Delete{kind}": delete,
        f"Get{kind}Id": identify,
        f"List{kind}s": lambda _: {f"{kind}s": store.values()},
    }


def _set(described: Payload, path: str, value: object) -> None:
    """`path` is an attribute as the API's own names are, in camel case, or one inside the user's name."""
    *parents, last = [f"{part[0].upper()}{part[1:]}" for part in path.split(".")]
    for parent in parents:
        described[parent] = dict(described.get(parent) or {})
        described = described[parent]
    if value is None:
        described.pop(last, None)
    else:
        described[last] = _capitalised(value)


def _capitalised(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Attributes' values have lower-case names in an update and capitals everywhere else."""
    if isinstance(value, dict):
        return {f"{key[0].upper()}{key[1:]}": _capitalised(inner) for key, inner in value.items()}
    return [_capitalised(item) for item in value] if isinstance(value, list) else value


def _refuse_other_stores(payload: Payload) -> None:
    if not _has_instance() or payload["IdentityStoreId"] != _instance()["IdentityStoreId"]:
        raise ApiError("ResourceNotFoundException", f"No identity store {payload['IdentityStoreId']} exists here.")


def _create_membership(payload: Payload) -> Payload:
    _refuse_other_stores(payload)
    _existing(_groups, payload["GroupId"])
    _existing(_users, payload["MemberId"]["UserId"])
    same = (payload["GroupId"], payload["MemberId"])
    if any((one["GroupId"], one["MemberId"]) == same for one in _memberships.values()):
        raise ApiError("ConflictException", "The user is a member of the group.")
    identifier = str(uuid.uuid4())
    _memberships[identifier] = {**payload, "MembershipId": identifier}
    return {"MembershipId": identifier, "IdentityStoreId": payload["IdentityStoreId"]}


def _delete_membership(payload: Payload) -> Payload:
    _existing(_memberships, payload["MembershipId"])
    _memberships.pop(payload["MembershipId"])
    return {}


def _list_memberships(payload: Payload) -> Payload:
    return {"GroupMemberships": [one for one in _memberships.values() if one["GroupId"] == payload["GroupId"]]}


def _existing(store: AccountScopedDict, key: str) -> Payload:
    found: Payload | None = store.get(key)
    if found is None:
        raise ApiError("ResourceNotFoundException", f"{key} does not exist.")
    return found
