"""The record of IAM Identity Center: permission sets, assignments, users and groups.

https://docs.aws.amazon.com/singlesignon/latest/APIReference/ and
https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/. An organization's management account has one
instance from the start, which on AWS somebody enables in the console. Nobody signs in, and an assignment makes no role
in its account.
"""

import hashlib
import time
import uuid
from typing import Any

from ministack.core.responses import get_account_id

from twokeys.sandbox.local_server import organizations, records
from twokeys.sandbox.local_server.records import Kind, Operation
from twokeys.sandbox.local_server.supplement import ApiError, Payload

_ASSIGNMENT = ("PrincipalId", "PrincipalType", "TargetId", "TargetType", "PermissionSetArn", "InstanceArn")


def install() -> None:
    """Answer both services."""
    records.serve(
        "sso-admin",
        (_SETS,),
        {
            "ListInstances": lambda _: {"Instances": [_instance()] if _has_instance() else []},
            "UpdatePermissionSet": lambda payload: _change(payload, {"Description": None, "RelayState": None}, payload),
            "DeletePermissionSet": _delete_permission_set,
            "AttachManagedPolicyToPermissionSet": _attach,
            "DetachManagedPolicyFromPermissionSet": _detach,
            "DeleteInlinePolicyFromPermissionSet": lambda payload: _change(payload, {"InlinePolicy": ""}),
            "GetPermissionsBoundaryForPermissionSet": _no_boundary,
            "ListAccountsForProvisionedPermissionSet": _list_accounts,
            "ListAccountAssignments": _list_assignments,
            "CreateAccountAssignment": _create_assignment,
            "DeleteAccountAssignment": _delete_assignment,
            "ProvisionPermissionSet": _provision,
            "DescribeAccountAssignmentCreationStatus": _status("AccountAssignmentCreation"),
            "DescribeAccountAssignmentDeletionStatus": _status("AccountAssignmentDeletion"),
            "DescribePermissionSetProvisioningStatus": _status("PermissionSetProvisioning", "ProvisionPermissionSet"),
        },
        scope="sso",
    )
    records.serve("identitystore", (_USERS, _GROUPS, _MEMBERSHIPS), {**_directory(_USERS), **_directory(_GROUPS)})


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


def _refuse_others(payload: Payload, member: str) -> None:
    if not _has_instance() or payload[member] != _instance()[member]:
        raise ApiError("ResourceNotFoundException", f"No {member} {payload[member]} exists in this account.")


def _new_permission_set(payload: Payload) -> Payload:
    _refuse_others(payload, "InstanceArn")
    below = payload["InstanceArn"].replace(":instance/", ":permissionSet/")
    return {
        "PermissionSetArn": f"{below}/ps-{uuid.uuid4().hex[:16]}",
        "CreatedDate": int(time.time()),
        "SessionDuration": payload.get("SessionDuration") or "PT1H",
        "InlinePolicy": "",
        "AttachedManagedPolicies": [],
        "CustomerManagedPolicyReferences": [],  # none can be attached here
    }


def _new_in_directory(key: str) -> Operation:
    def new(payload: Payload) -> Payload:
        _refuse_others(payload, "IdentityStoreId")
        return {key: str(uuid.uuid4())}

    return new


_SETS = Kind("PermissionSet", "PermissionSetArn", _new_permission_set, ("Name",))
_USERS = Kind("User", "UserId", _new_in_directory("UserId"), ("UserName",))
_GROUPS = Kind("Group", "GroupId", _new_in_directory("GroupId"), ("DisplayName",))
_MEMBERSHIPS = Kind("GroupMembership", "MembershipId", _new_in_directory("MembershipId"), ("GroupId", "MemberId"))
_assignments = records.store("sso.assignments")  # joined key -> assignment
_requests = records.store("sso.requests")  # request id -> status


def _change(payload: Payload, *changes: Payload) -> Payload:
    named = {_SETS.key: payload[_SETS.key]}
    _SETS.change({key: value for change in changes for key, value in change.items()} | named)
    return {}


def _delete_permission_set(payload: Payload) -> Payload:
    _SETS.delete(payload)
    return {}


def _attach(payload: Payload) -> Payload:
    policies, arn = _SETS.one(payload)["AttachedManagedPolicies"], payload["ManagedPolicyArn"]
    attached = {"Arn": arn, "Name": arn.rpartition("/")[2]}
    return _change(payload, {"AttachedManagedPolicies": [*policies, attached]})


def _detach(payload: Payload) -> Payload:
    policies, arn = _SETS.one(payload)["AttachedManagedPolicies"], payload["ManagedPolicyArn"]
    return _change(payload, {"AttachedManagedPolicies": [one for one in policies if one["Arn"] != arn]})


def _no_boundary(payload: Payload) -> Payload:
    """None can be attached here, and AWS has no answer for none."""
    _SETS.one(payload)
    raise ApiError("ResourceNotFoundException", "The permission set has no permissions boundary.")


def _create_assignment(payload: Payload) -> Payload:
    _SETS.one(payload)
    if payload["PrincipalType"] == "USER":
        _USERS.one({"UserId": payload["PrincipalId"]})
    else:
        _GROUPS.one({"GroupId": payload["PrincipalId"]})
    if organizations.organization_of(payload["TargetId"]) != get_account_id():
        raise ApiError("ResourceNotFoundException", f"No account {payload['TargetId']} is in the organization.")
    assignment = {name: payload[name] for name in _ASSIGNMENT}
    _assignments[",".join(assignment.values())] = assignment
    return {"AccountAssignmentCreationStatus": _done(assignment)}


def _delete_assignment(payload: Payload) -> Payload:
    assignment = {name: payload[name] for name in _ASSIGNMENT}
    if _assignments.pop(",".join(assignment.values()), None) is None:
        raise ApiError("ResourceNotFoundException", "The assignment does not exist.")
    return {"AccountAssignmentDeletionStatus": _done(assignment)}


def _provision(payload: Payload) -> Payload:
    """Nothing is to be done: an assignment makes no role in its account here."""
    _SETS.one(payload)
    target = {"AccountId": payload["TargetId"]} if payload.get("TargetId") else {}
    return {"PermissionSetProvisioningStatus": _done({"PermissionSetArn": payload["PermissionSetArn"], **target})}


def _done(assignment: Payload) -> Payload:
    """How a request went that AWS works on for a while; its caller asks again by its id until it is done."""
    named = {name: value for name, value in assignment.items() if name != "InstanceArn"}
    status = {"Status": "SUCCEEDED", "RequestId": str(uuid.uuid4()), "CreatedDate": int(time.time()), **named}
    _requests[status["RequestId"]] = status
    return status


def _status(of: str, request: str = "") -> Operation:
    def status(payload: Payload) -> Payload:
        identifier = payload[f"{request or of}RequestId"]
        if identifier not in _requests:
            raise ApiError("ResourceNotFoundException", f"No request {identifier} was made.")
        return {f"{of}Status": _requests[identifier]}

    return status


def _list_assignments(payload: Payload) -> Payload:
    wanted = (payload["AccountId"], payload["PermissionSetArn"])
    names = ("PermissionSetArn", "PrincipalId", "PrincipalType")
    return {
        "AccountAssignments": [
            {"AccountId": one["TargetId"], **{name: one[name] for name in names}}
            for one in _assignments.values()
            if (one["TargetId"], one["PermissionSetArn"]) == wanted
        ]
    }


def _list_accounts(payload: Payload) -> Payload:
    assigned = (one for one in _assignments.values() if one["PermissionSetArn"] == payload["PermissionSetArn"])
    return {"AccountIds": list(dict.fromkeys(one["TargetId"] for one in assigned))}


def _directory(kind: Kind) -> dict[str, Operation]:
    """What is more than keeping and telling users or groups."""

    def update(payload: Payload) -> Payload:
        changed = dict(kind.one(payload))
        for operation in payload["Operations"]:
            _set(changed, operation["AttributePath"], operation.get("AttributeValue"))
        kind.kept[payload[kind.key]] = changed
        return {}

    def delete(payload: Payload) -> Payload:
        kind.delete(payload)
        for identifier, one in _MEMBERSHIPS.kept.items():
            if payload[kind.key] in (one["GroupId"], one["MemberId"]["UserId"]):
                _MEMBERSHIPS.kept.pop(identifier)
        return {}

    def identify(payload: Payload) -> Payload:
        wanted = payload["AlternateIdentifier"]["UniqueAttribute"]["AttributeValue"]
        for one in kind.listed({kind.unique[0]: wanted}):
            return {kind.key: one[kind.key], "IdentityStoreId": one["IdentityStoreId"]}
        raise ApiError("ResourceNotFoundException", f"No {kind.name.lower()} {wanted} exists.")

    return {f"Update{kind.name}": update, f"Delete{kind.name}": delete, f"Get{kind.name}Id": identify}


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
