"""One record of CloudTrail as a use: who called, what was assumed, when, whence. Pure.

Records: https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html and
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from sys import intern
from typing import Any, NamedTuple

from twokeys.access.reading.snapshot import mapping
from twokeys.answers.model import Party
from twokeys.doors import Who
from twokeys.doors.who import ROLES_ANYWHERE
from twokeys.iam import Arn
from twokeys.iam.operators import parse_network
from twokeys.iam.shared_providers import shared_provider
from twokeys.iam.sts import permission_set_of
from twokeys.iam.truth import FREE, UNKNOWN, Values

SIGN_IN, ROOT = "ConsoleLogin", "AssumeRoot"
SESSIONS = SESSION, EARLIER = "session", "earlier session"
"""These are no calls: a session of a role of which no record tells who began it, in the period or before it."""
ROOT_SESSION = "root session"
"""Who called in a session of the root user's that somebody began from another account."""
LOGIN = "AuthorizeOAuth2Access"
"""What somebody who runs `aws login` confirms in a browser, for credentials that are renewed without another such call.

https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html (its example is of a role's session)
"""
SIGN_INS = {SIGN_IN: "console", LOGIN: "aws login"}
BY_CERTIFICATE = "CreateSession"
"""https://docs.aws.amazon.com/rolesanywhere/latest/userguide/authentication-create-session.html"""


class Entering(NamedTuple):
    """Of a call that enters its `eventSource`; of whom who come by an identity provider it is, by the kinds of their
    doors' sources, none of whom use the others; and whether CloudTrail may have it as AssumeRole of the same, too.
    """

    source: str
    by_provider: tuple[str, ...] = ()
    is_double: bool = False


_STS, _SIGN_IN = "sts.amazonaws.com", "signin.amazonaws.com"
ENTERING = {
    **dict.fromkeys(("AssumeRole", ROOT), Entering(_STS)),
    "AssumeRoleWithSAML": Entering(_STS, ("saml", "identity-center-user", "identity-center-group")),
    "AssumeRoleWithWebIdentity": Entering(_STS, ("web-identity",)),
    BY_CERTIFICATE: Entering(ROLES_ANYWHERE, is_double=True),
    "SwitchRole": Entering(_SIGN_IN, is_double=True),
    **dict.fromkeys(SIGN_INS, Entering(_SIGN_IN)),
}
"""The calls that enter, by name: `_target` has what was entered, and `_caller` who came.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_sts-comparison.html
"""
BY_PROVIDER = frozenset(kind for one in ENTERING.values() for kind in one.by_provider)
"""Who comes by an identity provider: recorded in the role's account only."""
SCIM = "identitystore-scim.amazonaws.com"
"""How an identity provider's own calls are recorded, which name no caller.

https://docs.aws.amazon.com/singlesignon/latest/userguide/scim-logging-using-cloudtrail.html
"""
HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
"""What stands for a value that may be a secret, as a user's name that nobody has.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html
"""
LONG_TERM, USER_ID = "AKIA", "AIDA"
"""How the id of an access key begins that does not end, and a user's unique id.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-prefixes
"""
_ACCOUNT = re.compile(r"(?:arn:[^:]+:iam::)?(\d{12})(?::root)?")
_IDENTITY_CENTER = "AWSSSO_"
"""How the SAML provider's name begins that IAM Identity Center makes in each account.

https://docs.aws.amazon.com/singlesignon/latest/userguide/using-service-linked-roles.html
"""
_SESSION = re.compile(r"arn:[^:]+:sts::\d{12}:assumed-role/[^/]+/(.+)")
ROLE = re.compile(r"arn:[^:]+:iam::(\d{12}):role/(.+)")
_ON_RESOURCE = re.compile(r"on resource: (arn:[^:]+:iam::\d{12}:role/\S+)")


@dataclass(frozen=True, slots=True)
class Use:
    """One attempt to assume a role or a member account's root, or to sign in to the account itself.

    `role` is the role's name, empty for a root session and a sign-in; `task` is the policy that a root session was
    limited to; `failed` is the error, None when it succeeded. `unique_id` is the caller's (AIDA..., AROA...), and
    `caller_session` and `source_identity` tell which session of the caller's role it was, and for whom; `session` is
    the name of the one that was asked for. A source identity that the caller's session does not carry may be asked for
    with the call, and goes with the new session. `id` is the eventID of one record, that of the account that was
    entered if it was read, and `shared` what both accounts' records of the call have. `source` is the source IP address
    or the AWS service that called.
    """

    id: str
    shared: str
    time: datetime
    event: str
    caller: Party
    unique_id: str | None
    account: str
    role: str
    region: str
    source: str
    session: str | None = None
    caller_session: str | None = None
    source_identity: str | None = None
    failed: str | None = None
    task: str | None = None
    mfa: bool | None = None
    """Whether the sign-in, or the session that called, was with MFA; None where the record does not tell it."""
    external_id: str | None = field(default=None, repr=False)
    """The external ID that a call of AssumeRole named, not to be printed; empty for none, None where it is not told."""
    endpoint: str | None = None
    """The VPC endpoint that the call came through."""
    arn: str = ""
    """The role's."""
    by: str | None = None
    """The id of the access key that the call was made with."""
    key: str | None = None
    """The id of the access key that the new session has."""
    role_id: str | None = None
    """The unique id of the role that was assumed (AROA...)."""
    invoked_by: str | None = None
    """The AWS service that called with the caller's identity and permissions.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_forward_access_sessions.html
    """
    began: datetime | None = None
    """When a session began of which no record tells who began it."""
    last: datetime | None = None
    """When the session that it began called last, as the access key tells."""
    delegate: str | None = None
    """The account of the product provider that called, to whom the caller delegated access for some time.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/temporary-delegation-cloudtrail.html
    """
    in_root: bool = False
    """Whether the call was made in a root session that the caller began."""
    own_key: str | None = None
    """That of them, or with which the user began the session that it is of, by GetSessionToken."""
    lasts: int = 0
    """For how many seconds a session was asked for; 0 where the record does not tell it."""
    entered_by: Use | None = None
    """The entry by which the session that called was begun, as its access key tells."""

    @property
    def entries_before(self) -> list[Use]:
        """Those that led to the session that called, the last first."""
        return [self.entered_by, *self.entered_by.entries_before] if self.entered_by else []

    @property
    def begun_by(self) -> Use | None:
        """The first of them that is nobody's who only hands a role on, as a service does to what runs there."""
        return next((one for one in reversed(self.entries_before) if one.caller.who.kind != "service"), None)

    @property
    def target(self) -> Who:
        """What was assumed."""
        return Who("role", self.account, self.role) if self.role else Who("root-user", self.account, "root user")

    def lookup(self, key: str) -> Values:
        """What the record shows of a condition key of the call, given in lower case; FREE where it does not tell.

        A call through a VPC endpoint has no aws:SourceIp, and one with a user's own access key nothing about MFA.
        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#principaltable
        """
        match key:
            case "aws:currenttime":
                return (f"{self.time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",)
            case "aws:epochtime":
                return (str(int(self.time.timestamp())),)
            case "aws:sourceip" if self.endpoint:
                return ()
            case "aws:sourceip" if parse_network(self.source):
                return (self.source,)
            case "aws:multifactorauthpresent" if self.mfa is not None:
                by_key = not self.mfa and (self.by or "").startswith(LONG_TERM)
                return () if by_key else (str(self.mfa).lower(),)
            case "aws:multifactorauthage" if self.mfa is not None:
                return UNKNOWN if self.mfa else ()  # how long ago it was, no record tells
            case "sts:externalid" if self.external_id is not None:
                return (self.external_id,) if self.external_id else ()
            case "aws:userid" if self.unique_id and self.caller_session:
                return (f"{self.unique_id}:{self.caller_session}",)
            case "aws:userid" if self.unique_id and self.unique_id.startswith(USER_ID):
                return (self.unique_id,)
            case "sts:rolesessionname" if self.session:
                return (self.session,)
            case "sts:sourceidentity" | "aws:sourceidentity" if self.source_identity:
                return (self.source_identity,)
        return FREE

    @property
    def path(self) -> str:
        """The role's name with its path, as the record has it; without that of a permission set's role."""
        found = ROLE.fullmatch(self.arn)
        return found.group(2) if found and not self.permission_set else self.role

    @property
    def permission_set(self) -> str | None:
        """The permission set that AWS made the role of."""
        return permission_set_of(self.arn or self.role)

    @property
    def entered_set(self) -> Who | None:
        """The permission set that AWS made the role of, as what is entered in its account."""
        return Party(self.target, self.arn).permission_set

    @property
    def names_caller(self) -> bool:
        """Whether the record names the caller, not only its account."""
        return self.caller.who.kind != "principal"


def resolved(use: Use, principals: Mapping[str, Party]) -> Use:
    """The use with its caller found by unique id, where the record tells the account only and the sources know it."""
    known = principals.get(use.unique_id or "")
    return replace(use, caller=known) if not use.names_caller and known is not None else use


def is_management(record: Mapping[str, Any]) -> bool:
    """https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html."""
    return record.get("eventCategory", "Management") == "Management" and record.get("managementEvent") is not False


def recorded_in(record: Mapping[str, Any], use: Use | None) -> set[str]:
    """The account whose trail has a record; empty where nothing tells it."""
    user_identity = mapping(record.get("userIdentity"))
    own = text(user_identity.get("accountId")) if user_identity.get("type") != "AWSAccount" else None
    account = text(record.get("recipientAccountId")) or own or (use.account if use is not None else None)
    return {account} if account else set()


def use_of(record: Mapping[str, Any], time: datetime) -> Use | None:
    """The use that a record of `ENTERING` tells; None where it does not tell what was assumed."""
    target = _target(record)
    return called(record, mapping(record.get("userIdentity")), target, time) if target is not None else None


def called(record: Mapping[str, Any], user_identity: Mapping[str, Any], target: Who, time: datetime) -> Use:
    """A call of somebody as a use of a target."""
    parameters, response = mapping(record.get("requestParameters")), mapping(record.get("responseElements"))
    task = parameters.get("taskPolicyArn")
    task = mapping(task).get("arn", task)
    without_id = f"{time:%Y-%m-%dT%H:%M:%SZ} {record['eventName']} {user_identity.get('principalId')}"
    return Use(
        id=event_id(record) or without_id,
        shared=shared_id(record) or without_id,
        time=time,
        event=intern(str(record["eventName"])),
        caller=_caller(record, user_identity, parameters),
        unique_id=intern(str(user_identity["principalId"]).partition(":")[0])
        if user_identity.get("principalId")
        else None,
        account=intern(target.account),
        role=intern(target.name if target.kind == "role" else ""),
        region=intern(str(record.get("awsRegion") or "unknown")),
        source=intern(str(record.get("sourceIPAddress") or "unknown")),
        session=_session(user_identity)
        if record["eventName"] == "SwitchRole"
        else text(parameters.get("roleSessionName")),
        caller_session=caller_session(record, user_identity),
        source_identity=text(mapping(user_identity.get("sessionContext")).get("sourceIdentity"))
        or text(parameters.get("sourceIdentity")),
        failed=failed(record),
        task=task.rpartition("/")[2] if isinstance(task, str) else None,
        mfa=_mfa(record, user_identity, parameters),
        external_id=intern(text(parameters.get("externalId")) or "")
        if parameters and record["eventName"] == "AssumeRole"
        else None,
        endpoint=text(record.get("vpcEndpointId")),
        arn=intern(next((arn for arn in _role_arns(record) if ROLE.fullmatch(arn)), "")),
        by=text(user_identity.get("accessKeyId")),
        key=text(
            mapping(mapping(_first(response.get("credentialSet")) or response).get("credentials")).get("accessKeyId")
        ),
        role_id=intern(str(mapping(response.get("assumedRoleUser")).get("assumedRoleId") or "").partition(":")[0])
        or None,
        invoked_by=text(user_identity.get("invokedBy")),
        delegate=text(mapping(user_identity.get("invokedByDelegate")).get("accountId")),
        lasts=lasts if isinstance(lasts := parameters.get("durationSeconds"), int) else 0,
    )


def _mfa(record: Mapping[str, Any], user_identity: Mapping[str, Any], parameters: Mapping[str, Any]) -> bool | None:
    """Whether the caller showed an MFA device: at the sign-in, with the session, or with the call itself.

    STS refuses a call whose device or code is wrong. A call with a user's own access key has no session. https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
    """
    if record["eventName"] == SIGN_IN:
        said = mapping(record.get("additionalEventData")).get("MFAUsed")
    else:
        said = mapping(mapping(user_identity.get("sessionContext")).get("attributes")).get("mfaAuthenticated")
        said = "false" if said is None and str(user_identity.get("accessKeyId")).startswith(LONG_TERM) else said
        said = "true" if text(parameters.get("serialNumber")) else said
    return {"yes": True, "true": True, "no": False, "false": False}.get(str(said).lower())


def in_root_session(user_identity: Mapping[str, Any]) -> bool:
    """Whether who called did it in a session that AssumeRoot began.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-track-privileged-tasks.html
    """
    return str(mapping(user_identity.get("sessionContext")).get("assumedRoot")).lower() == "true"


def event_id(record: Mapping[str, Any]) -> str | None:
    """The record's own id: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/shared-event-ID.html."""
    return text(record.get("eventID")) or text(record.get("requestID"))


def shared_id(record: Mapping[str, Any]) -> str | None:
    """What both accounts' records of a call share, else the record's own id."""
    return text(record.get("sharedEventID")) or event_id(record)


def failed(record: Mapping[str, Any]) -> str | None:
    """The error of a call, None when it succeeded. A sign-in or a switch of roles may tell it in its answer alone.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html
    """
    answer = mapping(record.get("responseElements")).get(str(record.get("eventName")))
    said = text(record.get("errorCode")) or text(record.get("errorMessage"))
    return said or ("Failure" if answer == "Failure" else None)


def _target(record: Mapping[str, Any]) -> Who | None:
    """The role, or the root of the account; None where the record does not tell it."""
    if record["eventName"] == ROOT:
        asked = text(mapping(record.get("requestParameters")).get("targetPrincipal"))
        account = _ACCOUNT.fullmatch(asked or "")
        return Who("root-user", account.group(1), "root user") if account else None
    if record["eventName"] in SIGN_INS:
        own = text(mapping(record.get("userIdentity")).get("accountId"))
        return Who("root-user", own, "root user") if own else None
    if record["eventName"] == "SwitchRole":
        arn = Arn.parse(str(mapping(record.get("userIdentity")).get("arn")))
        return Who("role", arn.account, arn.name) if arn is not None and arn.role is not None else None
    role = next((found for arn in _role_arns(record) if (found := ROLE.fullmatch(arn))), None)
    return Who("role", role.group(1), role.group(2)) if role else None


def _role_arns(record: Mapping[str, Any]) -> Iterator[str]:
    """Where the role may stand: the request, the resources, and, when a call was denied, only the error message."""
    asked = text(mapping(record.get("requestParameters")).get("roleArn"))
    if asked is not None:
        yield asked
    resources = record.get("resources")
    for resource in resources if isinstance(resources, list) else ():
        arn = mapping(resource).get("ARN") or mapping(resource).get("arn")
        if isinstance(arn, str):
            yield arn
    message = _ON_RESOURCE.search(str(record.get("errorMessage") or ""))
    if message is not None:
        yield message.group(1)


def caller_session(record: Mapping[str, Any], user_identity: Mapping[str, Any]) -> str | None:
    """The name of the role's session that called, which the role's account has behind the unique id."""
    switch = record["eventName"] == "SwitchRole"
    from_ = {"arn": mapping(record.get("additionalEventData")).get("SwitchFrom")}
    if session := _session(from_ if switch else user_identity):
        return session
    by_id = user_identity.get("type") == "AWSAccount"
    return text(str(user_identity.get("principalId") or "").partition(":")[2]) if by_id else None


def _session(user_identity: Mapping[str, Any]) -> str | None:
    found = _SESSION.fullmatch(str(user_identity.get("arn")))
    return found.group(1) if found else None


def _caller(record: Mapping[str, Any], user_identity: Mapping[str, Any], parameters: Mapping[str, Any]) -> Party:
    """Who called; a principal without a name where the record tells only the account."""
    kind, account = user_identity.get("type"), str(user_identity.get("accountId") or "")
    issuer = mapping(mapping(user_identity.get("sessionContext")).get("sessionIssuer"))
    arns = (issuer.get("arn"), user_identity.get("arn"))
    if record["eventName"] == "SwitchRole":
        arns = (mapping(record.get("additionalEventData")).get("SwitchFrom"), None)
    for arn in arns:
        if isinstance(arn, str) and (party := _named(arn)):
            return party
    if record["eventName"] == BY_CERTIFICATE:
        return Party(Who("service", "", ROLES_ANYWHERE))
    if record.get("eventSource") == SCIM:
        return Party(Who("service", "", SCIM))
    if kind == "AWSService" or (kind is None and user_identity.get("invokedBy")):
        return Party(Who("service", account, str(user_identity.get("invokedBy") or "unknown")))
    if kind == "SAMLUser":
        return _by_saml(user_identity, parameters)
    if kind == "WebIdentityUser":
        return _by_web_identity(user_identity)
    if kind == "IAMUser" and text(user_identity.get("userName")):  # who could not sign in has no ARN
        return Party(Who("user", account, str(user_identity["userName"])))
    if kind == "Root" or issuer.get("type") == "Root":  # also whom it made a federated user
        name = ROOT_SESSION if in_root_session(user_identity) else "root user"
        return Party(Who("root-user", account, name), str(user_identity.get("arn") or ""))
    return Party(Who("principal", account))


@lru_cache(maxsize=10_000)
def _named(text: str) -> Party | None:
    """The user or role of an ARN, also of a role's session."""
    arn = Arn.parse(text)
    if arn is not None and arn.kind in ("user", "role"):
        return Party(Who(arn.kind, arn.account, arn.name), str(arn))
    return Party(Who("role", arn.account, arn.name), str(arn.role)) if arn is not None and arn.role else None


def _by_saml(user_identity: Mapping[str, Any], parameters: Mapping[str, Any]) -> Party:
    person, arn = str(user_identity.get("userName") or "unknown"), str(parameters.get("principalArn") or "")
    provider = arn.rpartition("/")[2] or str(user_identity.get("identityProvider") or "unknown")
    if provider.startswith(_IDENTITY_CENTER):
        return Party(Who("identity-center-user", "", person), arn)
    return Party(Who("saml", "", f"{provider} {person}"), arn)


def _by_web_identity(user_identity: Mapping[str, Any]) -> Party:
    provider = str(user_identity.get("identityProvider") or "unknown")
    issuer = provider.partition(":oidc-provider/")[2] or provider
    shared = shared_provider(issuer)
    return Party(
        Who("web-identity", "", f"{shared.name if shared else issuer} {user_identity.get('userName')}"), provider
    )


def _first(value: object) -> object:
    return value[0] if isinstance(value, list) and value else None


def text(value: object) -> str | None:
    """A value that should be text and not empty, as that; None for any other."""
    return value if isinstance(value, str) and value else None
