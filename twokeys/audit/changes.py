"""Calls that change who can enter, as CloudTrail records them of IAM, IAM Identity Center and Organizations, and those
by which other services hand roles on. Pure.

https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html and
https://docs.aws.amazon.com/singlesignon/latest/userguide/logging-using-cloudtrail.html
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

from twokeys.access.model.requirements import in_words
from twokeys.access.reading.snapshot import mapping
from twokeys.answers.model import BOUNDARY, KEPT_BY_ID
from twokeys.audit.record import HIDDEN, SCIM
from twokeys.aws_reference import access_levels
from twokeys.iam import PolicyDocument, PolicyError, PolicyKind, Statement, account_as_a_whole, parse_policy
from twokeys.iam.shared_providers import shared_provider
from twokeys.shown import listed

_SERVICES = ("iam", "sso", "sso-directory", "identitystore", "organizations")
TRUST: Final = "UpdateAssumeRolePolicy"
ROOT_SESSIONS: Final = "EnableOrganizationsRootSessions"
MFA_DEVICE: Final = "EnableMFADevice"
"""Whoever has a user's password or key may have a device of their own after it, which no state shows.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_EnableMFADevice.html
"""
MOVES: Final = "MoveAccount"
"""https://docs.aws.amazon.com/organizations/latest/APIReference/API_MoveAccount.html"""
CONTROLS: Final = ("AttachPolicy", "UpdatePolicy", MOVES)
"""Calls that change which control policies bind whom, or what these say."""
LETS_IN = ASSIGNS, JOINS = "CreateAccountAssignment", "CreateGroupMembership"
"""Calls that let in whom they name, by IAM Identity Center."""
BEING = (TRUST, "CreateLoginProfile", "CreateAccessKey", MFA_DEVICE)
"""Calls that let somebody be a role or user, and give it nothing."""


@dataclass(frozen=True, slots=True)
class Call:
    """What a call does to what lets somebody in.

    `gives` is the call that gives what it gives, writes or takes away: of all that have it in common the last counts,
    of those without one each. `takes` tells that it takes that away, `widens` that it may let more in, `deletes` that
    it deletes who has something, or a policy, and `hands_on` that a service hands the roles that trust it to others.
    `writes` is the kind of the policy of which it says what it says from then on.
    """

    gives: str = ""
    takes: bool = False
    widens: bool = False
    deletes: bool = False
    hands_on: bool = False
    writes: PolicyKind | None = None


_NOTHING = Call()
_HOLDERS = ("Role", "User", "Group")
_GIVEN: tuple[tuple[str, str, bool, PolicyKind | None], ...] = (
    # The calls that give, of which the first names all; those that take away, and whether that may let more in, as a
    # Deny goes with a policy or a boundary; the kind of the policy that the first ones write
    *((f"iam:Attach{one}Policy", f"iam:Detach{one}Policy", True, None) for one in _HOLDERS),
    *((f"iam:Put{one}Policy", f"iam:Delete{one}Policy", True, PolicyKind.IDENTITY) for one in _HOLDERS),
    *((f"iam:Put{one}PermissionsBoundary", f"iam:Delete{one}PermissionsBoundary", True, None) for one in _HOLDERS[:2]),
    ("iam:AddUserToGroup", "iam:RemoveUserFromGroup", True, None),
    (f"iam:{TRUST} iam:CreateRole", "", False, PolicyKind.TRUST),
    ("iam:CreatePolicyVersion", "", False, PolicyKind.IDENTITY),
    ("iam:CreateAccessKey iam:UpdateAccessKey", "iam:DeleteAccessKey", False, None),
    ("iam:CreateLoginProfile iam:UpdateLoginProfile", "iam:DeleteLoginProfile", False, None),
    (f"iam:{MFA_DEVICE}", "iam:DeactivateMFADevice", False, None),
    *((f"iam:Create{one}Provider", f"iam:Delete{one}Provider", False, None) for one in ("SAML", "OpenIDConnect")),
    (f"iam:{ROOT_SESSIONS}", "iam:DisableOrganizationsRootSessions", False, None),
    ("sso:CreateAccountAssignment", "sso:DeleteAccountAssignment", False, None),
    *((f"sso:Attach{one}ToPermissionSet", f"sso:Detach{one}FromPermissionSet", True, None)
      for one in ("ManagedPolicy", "CustomerManagedPolicyReference")),
    ("sso:PutInlinePolicyToPermissionSet", "sso:DeleteInlinePolicyFromPermissionSet", True, PolicyKind.IDENTITY),
    ("sso:PutPermissionsBoundaryToPermissionSet", "sso:DeletePermissionsBoundaryFromPermissionSet", True, None),
    ("identitystore:CreateGroupMembership sso-directory:AddMemberToGroup",
     "identitystore:DeleteGroupMembership sso-directory:RemoveMemberFromGroup", False, None),
    ("organizations:AttachPolicy", "organizations:DetachPolicy", True, None),
    ("organizations:UpdatePolicy", "", False, PolicyKind.SCP),
    (f"organizations:{MOVES}", "", False, None),
)  # fmt: skip
_WIDEN = """
    iam:AcceptDelegationRequest iam:SendDelegationToken
    iam:AddClientIDToOpenIDConnectProvider iam:UpdateOpenIDConnectProviderThumbprint iam:UpdateSAMLProvider
    iam:EnableOrganizationsRootCredentialsManagement iam:UpdateUser identitystore:UpdateUser sso-directory:UpdateUser
    identitystore-scim:PatchGroup sso-directory:EnableUser sso-directory:UpdatePassword sso-directory:CreateBearerToken
    sso-directory:ImportExternalIdPCertificate sso-directory:CreateExternalIdPConfigurationForDirectory
    sso-directory:UpdateExternalIdPConfigurationForDirectory sso-directory:EnableExternalIdPConfigurationForDirectory
    sso:AssociateDirectory sso:AssociateProfile sso:PutPermissionsPolicy sso:PutMfaDeviceManagementForDirectory
    sso:CreateInstanceAccessControlAttributeConfiguration sso:UpdateInstanceAccessControlAttributeConfiguration
    organizations:AcceptHandshake organizations:CreateAccount organizations:DisablePolicyType
    organizations:EnableAWSServiceAccess organizations:LeaveOrganization organizations:PutResourcePolicy
    organizations:RegisterDelegatedAdministrator organizations:RemoveAccountFromOrganization
"""
_DELETE = """
    iam:DeleteRole iam:DeleteUser iam:DeleteGroup iam:DeletePolicy sso:DeletePermissionSet organizations:DeletePolicy
    identitystore:DeleteUser identitystore:DeleteGroup sso-directory:DeleteUser sso-directory:DeleteGroup
    identitystore-scim:DeleteUser identitystore-scim:DeleteGroup
"""
_HAND_ON = """
    rolesanywhere:CreateTrustAnchor rolesanywhere:UpdateTrustAnchor rolesanywhere:EnableTrustAnchor
    rolesanywhere:CreateProfile rolesanywhere:UpdateProfile rolesanywhere:EnableProfile
    rolesanywhere:PutAttributeMapping rolesanywhere:DeleteAttributeMapping
    rolesanywhere:UpdateCrl rolesanywhere:DisableCrl rolesanywhere:DeleteCrl
    eks:CreatePodIdentityAssociation eks:UpdatePodIdentityAssociation
    ssm:CreateActivation ssm:UpdateManagedInstanceRole
"""
"""Calls that change no document of IAM, and after which more may come: also certificates that a list no longer revokes,
and sessions with other tags, which trust policies may ask for.

https://docs.aws.amazon.com/rolesanywhere/latest/APIReference/API_Operations.html,
https://docs.aws.amazon.com/eks/latest/APIReference/API_CreatePodIdentityAssociation.html and
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_UpdateManagedInstanceRole.html
"""


def _rows() -> Iterator[tuple[str, Call]]:
    for give, take, widens, writes in _GIVEN:
        gives = give.split()[0].partition(":")[2]
        yield from ((one, Call(gives, widens=True, writes=writes)) for one in give.split())
        yield from ((one, Call(gives, takes=True, widens=widens)) for one in take.split())
    yield "iam:CreatePolicy", Call("CreatePolicyVersion", writes=PolicyKind.IDENTITY)  # which nobody has yet
    yield "iam:SetDefaultPolicyVersion", Call("CreatePolicyVersion", widens=True)
    yield "sso:ProvisionPermissionSet", _NOTHING
    for names, each in ((_WIDEN, Call(widens=True)), (_DELETE, Call(deletes=True)), (_HAND_ON, Call(hands_on=True))):
        yield from ((one, each) for one in names.split())


CALLS: Final = dict(_rows())
"""The calls that matter for who can enter, by service and name: an event history is asked for them by name."""
TAKEN_BACK: Final = frozenset(one.gives for one in CALLS.values() if one.takes)
"""Calls that give what others take away."""
PROVISIONS: Final = ("ProvisionPermissionSet", "CreateAccountAssignment")
"""Calls that bring to accounts what others changed of a permission set."""
_ACCOUNT = re.compile(r"\d{12}")
_OF_ACCOUNTS = ("targetId", "accountId")
"""What names the account that a call is about: CreateAccountAssignment, AttachPolicy and CloseAccount, among others."""
_DOCUMENTS = ("assumeRolePolicyDocument", "policyDocument", "inlinePolicy", "content")
_WHOSE = {
    **{f"{kind}Name": kind for kind in ("role", "user", "group")},
    **KEPT_BY_ID,
    "policyArn": "policy",
    "userId": "identity-center-user",
}
_PROVIDERS = ("name", "url", "sAMLProviderArn", "openIDConnectProviderArn")
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
    if source == SCIM:  # which is not in AWS's reference
        return not name.startswith(("Get", "List"))
    service, _, domain = source.partition(".")
    if not domain.startswith("amazonaws.com"):
        return False
    levels = access_levels(f"{service}:{name}") if service in _SERVICES else ()
    return call_of(source, name).hands_on or any("Write" in level and "Tagging" not in level for level in levels)


def call_of(source: str, name: str) -> Call:
    """What a call of a service does; one that the table has not does nothing of it."""
    return CALLS.get(f"{source.partition('.')[0]}:{name}", _NOTHING)


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
    made, caller = (mapping(record.get(one)) for one in ("responseElements", "userIdentity"))
    of_root = caller.get("type") == "Root" and not asked.get("userName")
    if name.endswith("AccessKey"):
        own = {"userName": caller.get("userName")}
        asked = {
            key: value for each in (own, mapping(made.get("accessKey")), asked) for key, value in each.items() if value
        }
    if of_root and name.endswith(("AccessKey", "LoginProfile")):
        return "root-user", "root user", str(asked.get("accessKeyId") or "")
    if name == "CreatePolicy":
        asked = {"policyArn": mapping(mapping(record.get("responseElements")).get("policy")).get("arn")}
    answer = mapping(record.get("responseElements"))
    own_id = {**mapping(answer.get("user")), **answer}.get("userId")  # Identity Center hides the names of users
    asked = {"userId": own_id, **{key: one for key, one in asked.items() if one != HIDDEN}}
    if name == "PatchGroup":
        asked["groupId"] = asked.get("id")
    if name.endswith("Provider") and name.startswith(("Create", "Delete")):  # the one names it, the other its ARN
        named = next((one for key, one in asked.items() if key in _PROVIDERS and isinstance(one, str)), "")
        return "provider", named.partition("-provider/")[2] or named.removeprefix("https://"), ""
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
    call = call_of(str(record.get("eventSource")), name)
    stays = name == "CreatePolicyVersion" and bool(asked) and str(asked.get("setAsDefault")).lower() != "true"
    stays = stays or (name == "UpdatePolicy" and bool(asked) and "content" not in asked)
    undone = call.takes or (name == "UpdateAccessKey" and asked.get("status") == "Inactive")
    moved = f"sourceParentId {asked.get('destinationParentId')}" if name == MOVES else ""
    return "" if stays else call.gives or name, undone, moved or next(_asked(record, "permissionsBoundary"), "")


def written_by(record: Mapping[str, Any]) -> PolicyDocument | None:
    """What a call's policy says from then on; None for a call that writes none, or none that can be read."""
    kind = call_of(str(record.get("eventSource")), str(record.get("eventName"))).writes
    if "RESOURCE_CONTROL_POLICY" in str(record.get("responseElements")):
        kind = PolicyKind.RCP
    try:
        return parse_policy(next(_asked(record, *_DOCUMENTS), ""), kind) if kind else None
    except PolicyError:
        return None


def changed(record: Mapping[str, Any]) -> str:
    """What a call changes: its parameters as AWS names them, but for documents, and what else the answer names, as the
    new access key; of a denied one, the resource of its error.
    """
    named = (one for one in _values(record.get("responseElements")) if one.partition(" ")[0] in ("userName", *_WHAT))
    said = [*dict.fromkeys((*_values(record.get("requestParameters")), *named))]
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
    policy: PolicyDocument | None,
    still: Sequence[Statement] = (),
    named: Callable[[str], str] | None = None,
    when: str = "now",
) -> str:
    """Whom a trust policy allows to come, and what it asks of them; empty for no trust policy.

    Not those whom these statements, of another moment, let in as well; of whom they ask for more, that is said.
    """
    names = lets_in(policy.statements, still) if policy else {}
    now = {one: asked for asked, each in lets_in(still).items() for one in each if asked}
    more = {one: f" ({when} only if {asked})" for one, asked in now.items() if one not in names.get(asked, ())}
    said = [
        listed([(named or in_trust)(one) + more.get(one, "") for one in each], most=_MOST)
        + (f" if {asked}" if asked else "")
        + f" ({when} another)" * all(now.get(one) == asked for one in each)
        for asked, each in names.items()
        if each
    ]
    denied = ", less whom it denies" if policy and any(one.effect == "Deny" for one in policy.statements) else ""
    return "; ".join(said) + denied * bool(said)


def in_trust(principal: str) -> str:
    """A name in a Principal element: the root of an account stands for all of it, not for its root user; an identity
    provider for all whom it knows.
    """
    kind, _, provider = principal.rpartition(":")[2].partition("-provider/")
    if provider and kind in ("saml", "oidc"):
        shared = shared_provider(provider)
        return f"anybody of {f'SAML {provider}' if kind == 'saml' else shared.name if shared else provider}"
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
