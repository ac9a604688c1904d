"""Calls that change who can enter, as CloudTrail records them of IAM, IAM Identity Center and Organizations. Pure.

https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html and
https://docs.aws.amazon.com/singlesignon/latest/userguide/logging-using-cloudtrail.html
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

from twokeys.access.model.requirements import in_words
from twokeys.access.reading.snapshot import mapping
from twokeys.answers.model import BOUNDARY, KEPT_BY_ID
from twokeys.audit.record import HIDDEN, SCIM
from twokeys.aws_reference import access_levels
from twokeys.iam import PolicyDocument, PolicyError, PolicyKind, Statement, account_as_a_whole, parse_policy
from twokeys.shown import listed

_SERVICES = ("iam", "sso", "sso-directory", "identitystore", "organizations")
MFA_DEVICE = "EnableMFADevice"
"""Whoever has a user's password or key may have a device of their own after it, which no state shows.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_EnableMFADevice.html
"""
MOVES = "MoveAccount"
"""https://docs.aws.amazon.com/organizations/latest/APIReference/API_MoveAccount.html"""
BEING = (
    *("UpdateAssumeRolePolicy", "CreateLoginProfile", "UpdateLoginProfile", "CreateAccessKey", "UpdateAccessKey"),
    MFA_DEVICE,
)
"""Calls of `WIDENING` that let somebody be a role or user, and give it nothing."""
HANDS_ON: Final = {
    "rolesanywhere": ("CreateTrustAnchor", "UpdateTrustAnchor", "CreateProfile", "UpdateProfile"),
    "eks": ("CreatePodIdentityAssociation", "UpdatePodIdentityAssociation"),
    "ssm": ("CreateActivation",),
}
"""Calls by which a service hands the roles that trust it to others, by service: no key changes, and more may come.

https://docs.aws.amazon.com/rolesanywhere/latest/APIReference/API_CreateTrustAnchor.html,
https://docs.aws.amazon.com/eks/latest/APIReference/API_CreatePodIdentityAssociation.html and
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateActivation.html
"""
_REFERENCE = "CustomerManagedPolicyReference"
ROOT_SESSIONS: Final = "EnableOrganizationsRootSessions"
TAKEN_BACK: Final = {
    **{
        f"{undo}{whose}Policy": f"{do}{whose}Policy"
        for do, undo in (("Attach", "Detach"), ("Put", "Delete"))
        for whose in ("Role", "User", "Group")
    },
    **{f"Delete{whose}PermissionsBoundary": f"Put{whose}PermissionsBoundary" for whose in ("Role", "User")},
    "RemoveUserFromGroup": "AddUserToGroup",
    **dict.fromkeys(("RemoveMemberFromGroup", "DeleteGroupMembership"), "CreateGroupMembership"),
    "DeleteAccessKey": "CreateAccessKey",
    "DeleteLoginProfile": "CreateLoginProfile",
    "DeactivateMFADevice": MFA_DEVICE,
    "DetachPolicy": "AttachPolicy",
    "DeletePermissionsBoundaryFromPermissionSet": "PutPermissionsBoundaryToPermissionSet",
    **{f"Detach{what}FromPermissionSet": f"Attach{what}ToPermissionSet" for what in ("ManagedPolicy", _REFERENCE)},
    "DeleteAccountAssignment": "CreateAccountAssignment",
    "DeleteInlinePolicyFromPermissionSet": "PutInlinePolicyToPermissionSet",
    "DisableOrganizationsRootSessions": ROOT_SESSIONS,
}
"""Calls that take away what others give to a role, user, group, permission set, account or organization."""
SAME: Final = {
    **TAKEN_BACK,
    "CreateRole": "UpdateAssumeRolePolicy",
    "AddMemberToGroup": "CreateGroupMembership",
    "UpdateLoginProfile": "CreateLoginProfile",
    "UpdateAccessKey": "CreateAccessKey",
    "CreatePolicy": "CreatePolicyVersion",
    "SetDefaultPolicyVersion": "CreatePolicyVersion",
    "UpdatePolicy": "UpdatePolicy",
    MOVES: MOVES,
}
"""Calls of which the last counts, with those to which they are the other end."""
WIDENING = (
    *dict.fromkeys(TAKEN_BACK.values()),
    *(one for one in TAKEN_BACK if "Polic" in one or "Boundary" in one or one == "RemoveUserFromGroup"),
    *("CreateRole", "UpdateAssumeRolePolicy", "UpdateLoginProfile", "PatchGroup", "UpdateUser", "EnableUser", MOVES),
    *("AcceptDelegationRequest", "SendDelegationToken", "UpdateAccessKey", "CreatePolicyVersion", "AddMemberToGroup"),
    *("CreateOpenIDConnectProvider", "AddClientIDToOpenIDConnectProvider", "UpdateOpenIDConnectProviderThumbprint"),
    *("CreateSAMLProvider", "UpdateSAMLProvider", "EnableOrganizationsRootCredentialsManagement", "AssociateProfile"),
    *("PutPermissionsPolicy", "PutMfaDeviceManagementForDirectory", "SetDefaultPolicyVersion", "UpdatePolicy"),
    *(f"{how}InstanceAccessControlAttributeConfiguration" for how in ("Create", "Update")),
    *("DisablePolicyType", "LeaveOrganization", "RemoveAccountFromOrganization", "AcceptHandshake", "CreateAccount"),
    *("RegisterDelegatedAdministrator", "EnableAWSServiceAccess", "PutResourcePolicy", "UpdatePassword"),
    *("AssociateDirectory", "ImportExternalIdPCertificate", "CreateBearerToken"),
    *(f"{how}ExternalIdPConfigurationForDirectory" for how in ("Create", "Update", "Enable")),
)
"""Calls that may let more in, as a new boundary or a policy that goes may: a Deny goes with it.

An event history, which is asked by name, is asked for them.
"""
PROVISIONS: Final = ("ProvisionPermissionSet", "CreateAccountAssignment")
"""Calls that bring to accounts what others changed of a permission set."""
DELETED: Final = ("DeleteRole", "DeleteUser", "DeleteGroup", "DeletePolicy", "DeletePermissionSet")
WRITES: Final = {
    "CreateRole": PolicyKind.TRUST,
    "UpdateAssumeRolePolicy": PolicyKind.TRUST,
    **dict.fromkeys(
        ("PutRolePolicy", "PutUserPolicy", "PutGroupPolicy", "CreatePolicy", "CreatePolicyVersion"), PolicyKind.IDENTITY
    ),
    "PutInlinePolicyToPermissionSet": PolicyKind.IDENTITY,
    "UpdatePolicy": PolicyKind.SCP,
}
"""Calls that say what a policy says from then on, and of which kind it is."""
_ACCOUNT = re.compile(r"\d{12}")
_OF_ACCOUNTS = ("targetId", "accountId")
"""What names the account that a call is about: CreateAccountAssignment, AttachPolicy and CloseAccount, among others."""
_DOCUMENTS = ("assumeRolePolicyDocument", "policyDocument", "inlinePolicy", "content")
_WHOSE = {**{f"{kind}Name": kind for kind in ("role", "user", "group")}, **KEPT_BY_ID, "policyArn": "policy"}
_WHAT = (
    *("policyArn", "managedPolicyArn", "policyName", "groupName"),
    *("principalId", "targetId", "memberId", "accessKeyId", "serialNumber"),
)
_ON = re.compile(r"on resource: (\S+)")
_LONGEST = 150
"""Characters of the longest value that is shown; what is longer is a document or a certificate."""
_UNTOLD = re.compile(
    r"(instanceArn|identityStoreId|tenantId|description|path|.*(token|password|metadata|uuid))", re.IGNORECASE
)
"""Parameters that tell nothing of who can enter, or nothing that may be printed."""
_MOST = 3


@lru_cache(maxsize=10_000)
def is_change(source: str, name: str) -> bool:
    """Whether a call of a service (`iam.amazonaws.com`) is one that AWS gives the access level Write, but for tags, or
    hands a role on.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
    """
    service, _, domain = source.partition(".")
    if source == SCIM:  # which is not in AWS's reference
        return not name.startswith(("Get", "List"))
    if name in HANDS_ON.get(service, ()) and domain.startswith("amazonaws.com"):
        return True
    levels = access_levels(f"{service}:{name}") if service in _SERVICES and domain.startswith("amazonaws.com") else ()
    return any("Write" in level and "Tagging" not in level for level in levels)


def _asked(record: Mapping[str, Any], *names: str) -> Iterator[str]:
    asked = mapping(record.get("requestParameters"))
    return (one for name in names if isinstance(one := asked.get(name), str))


def account_of(record: Mapping[str, Any]) -> str | None:
    """The account that a call names as what it is about; None where it names none."""
    return next(filter(_ACCOUNT.fullmatch, _asked(record, *_OF_ACCOUNTS)), None)


def changed_of(record: Mapping[str, Any]) -> tuple[str, str, str]:
    """Whom a call changes (its kind and its name; a permission set's ARN, a policy's, the id of a group of IAM Identity
    Center) and what of it: a policy, a group, a member, an access key, the principal and the account of an assignment.

    Each is empty where it names none. Who makes an access key for itself need not name itself, and the root user is no
    user of IAM. https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccessKey.html
    """
    name, asked = str(record.get("eventName")), dict(mapping(record.get("requestParameters")))
    if name.endswith("AccessKey"):
        made, caller = (mapping(record.get(one)) for one in ("responseElements", "userIdentity"))
        own = {"userName": caller.get("userName")}
        asked = {
            key: value for each in (own, mapping(made.get("accessKey")), asked) for key, value in each.items() if value
        }
        if caller.get("type") == "Root" and not mapping(record.get("requestParameters")).get("userName"):
            return "root-user", "root user", str(asked.get("accessKeyId") or "")
    if name == "CreatePolicy":
        asked = {"policyArn": mapping(mapping(record.get("responseElements")).get("policy")).get("arn")}
    if name == "PatchGroup":
        asked["groupId"] = asked.get("id")
    if name == MOVES:
        return "account", str(asked.get("accountId") or ""), ""
    member = {**asked, **mapping(asked.get("member"))}.get("memberId")  # the console's call has it one deeper
    asked["memberId"] = mapping(member).get("userId", member)
    own_policy = mapping(asked.get("customerManagedPolicyReference")).get("name")
    found = ((key, kind, one) for key, kind in _WHOSE.items() if isinstance(one := asked.get(key), str))
    key, kind, whose = next(found, ("", "", ""))
    what = [one for one in (*(asked.get(each) for each in _WHAT if each != key), own_policy) if isinstance(one, str)]
    return kind, whose, BOUNDARY if "PermissionsBoundary" in name else " ".join(what)


def membership_of(record: Mapping[str, Any]) -> str:
    """The id of a membership of IAM Identity Center that a call makes or takes away; what takes it away has no other.

    https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/API_CreateGroupMembership.html
    """
    said = (mapping(record.get(one)).get("membershipId") for one in ("requestParameters", "responseElements"))
    return next((one.rpartition("/")[2] for one in said if isinstance(one, str)), "")


def effect_of(record: Mapping[str, Any]) -> tuple[str, bool, str]:
    """The call that gives what this one gives or takes away, whether it takes it, and the ARN of a new boundary or,
    as it is in the parameters, where an account moved.

    The first is empty where nothing changes: a policy's new version that is not its default, another name of one.
    """
    name, asked = str(record.get("eventName")), mapping(record.get("requestParameters"))
    stays = name == "CreatePolicyVersion" and bool(asked) and str(asked.get("setAsDefault")).lower() != "true"
    stays = stays or (name == "UpdatePolicy" and bool(asked) and "content" not in asked)
    undone = name in TAKEN_BACK or (name == "UpdateAccessKey" and asked.get("status") == "Inactive")
    moved = f"sourceParentId {asked.get('destinationParentId')}" if name == MOVES else ""
    return "" if stays else SAME.get(name, name), undone, moved or next(_asked(record, "permissionsBoundary"), "")


def written_by(record: Mapping[str, Any]) -> PolicyDocument | None:
    """What a call's policy says from then on; None for a call that writes none, or none that can be read."""
    kind = WRITES.get(str(record.get("eventName")))
    if "RESOURCE_CONTROL_POLICY" in str(record.get("responseElements")):
        kind = PolicyKind.RCP
    try:
        return parse_policy(next(_asked(record, *_DOCUMENTS), ""), kind) if kind else None
    except PolicyError:
        return None


def changed(record: Mapping[str, Any]) -> str:
    """What a call changes: its parameters as AWS names them, but for documents.

    Of a call without any, as CreateAccessKey of oneself, what AWS answered; of a denied one, the resource of its error.
    """
    said = [*_values(record.get("requestParameters"))] or [*_values(record.get("responseElements"))]
    refused = _ON.search(str(record.get("errorMessage") or ""))
    return ", ".join(said or ([refused.group(1)] if refused else []))


def _values(asked: object) -> Iterator[str]:
    for key, value in mapping(asked).items():
        if isinstance(value, Mapping):
            yield from _values(value)
        elif (
            isinstance(value, str)
            and 0 < len(value) <= _LONGEST
            and value[0] not in "{<"
            and value != HIDDEN
            and not _UNTOLD.fullmatch(key)
        ):
            yield f"{key} {value}"


def trusted(
    policy: PolicyDocument | None, still: Sequence[Statement] = (), named: Callable[[str], str] | None = None
) -> str:
    """Whom a trust policy allows to come, and what it asks of them; empty for no trust policy.

    Not those whom these statements let in as well; of whom they ask for more, that is said.
    """
    names = lets_in(policy.statements, still) if policy else {}
    more = {one: f" (now only if {asked})" for asked, each in lets_in(still).items() for one in each if asked}
    said = [
        listed([(named or _in_words)(one) + more.get(one, "") for one in each], most=_MOST)
        + (f" if {asked}" if asked else "")
        for asked, each in names.items()
        if each
    ]
    denied = ", less whom it denies" if policy and any(one.effect == "Deny" for one in policy.statements) else ""
    return "; ".join(said) + denied * bool(said)


def _in_words(principal: str) -> str:
    """A name in a Principal element: the root of an account stands for all of it, not for its root user."""
    whole = account_as_a_whole(principal)
    return f"account {whole} as a whole" if whole else principal


def lets_in(statements: Iterable[Statement], still: Sequence[Statement] = ()) -> dict[str, list[str]]:
    """The names of those, by what is asked of them."""
    names: dict[str, list[str]] = defaultdict(list)
    for one in statements:
        if one.effect == "Allow" and (whom := one.principals) is not None:
            asked = " and ".join(in_words(clause.requirement()) for clause in one.conditions)
            nobody = replace(whom, everyone=False, aws=(), federated=(), service=())
            alone = [("everyone", replace(nobody, everyone=True))] * whom.everyone
            alone += [(str(name), replace(nobody, aws=(name,))) for name in whom.aws]
            alone += [(str(name), replace(nobody, federated=(name,))) for name in whom.federated]
            alone += [(str(name), replace(nobody, service=(name,))) for name in whom.service]
            lost = (name for name, own in alone if not any(map(replace(one, principals=own).part_of, still)))
            names[asked] += ["everyone" if name == "*" else name for name in lost]
    return names
