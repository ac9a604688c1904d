"""Uses of roles and root sessions, read from CloudTrail records: who assumed (or tried to assume) what, when, whence.

Records: https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html and
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html

One call across accounts is recorded in both: in the caller's account with its ARN, in the role's account with the
caller's account and unique id only. Both carry the same `sharedEventID` and count once. A call that is denied is
recorded in the caller's account only. A role that somebody switched to in the console is recorded by AWS Sign-In as
`SwitchRole`, and mostly as AssumeRole as well: then it counts once. A root or IAM user who signs in to the account's
own console is recorded as `ConsoleLogin`; that of a role's session adds nothing to the call that assumed the role.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html
AssumeRoot is recorded in the caller's account; what its session does, in the member's, by an identity of type Root with
`assumedRoot`: without the first, the second is the use. So it is of a role's session whose beginning has no record.
https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-track-privileged-tasks.html
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from sys import intern
from typing import Any

from twokeys.answers.model import Party
from twokeys.audit.changes import account_of, changed, changed_of, is_change, trusted
from twokeys.audit.coverage import Coverage
from twokeys.audit.logs import Source, time_of
from twokeys.doors import Who
from twokeys.iam import Arn
from twokeys.iam.conditions import parse_network
from twokeys.iam.shared_providers import shared_provider
from twokeys.iam.truth import FREE, UNKNOWN, Values

SIGN_IN, ROOT, SESSION = "ConsoleLogin", "AssumeRoot", "session"
"""The last is no call: a session of a role of which no record tells who began it."""
EVENTS = ("AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", ROOT, "SwitchRole", SIGN_IN)
_SOURCES = {**dict.fromkeys(EVENTS, "sts.amazonaws.com"), **dict.fromkeys(EVENTS[-2:], "signin.amazonaws.com")}
_SIGNED_IN = ("SwitchRole", SIGN_IN)
TEMPORARY = "temporary"
"""Calls with credentials that do not last, of a user or of whom one made a federated user, under one name."""
BY_KEY = ("CreateUser", "CreateAccessKey", "GetSessionToken", "GetFederationToken")
"""Calls that make credentials, which are counted where an IAM user made them with an access key of its own."""
LOGGING = {
    "StopLogging": "logging was stopped",
    "DeleteTrail": "a trail was deleted",
    "UpdateTrail": "a trail was changed",
    "PutEventSelectors": "what a trail logs was changed",
}
"""Calls after which a trail may log less. https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_StopLogging.html"""
_LONG_TERM = "AKIA"
"""How the id of an access key begins that does not end.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-prefixes
"""
_LONGEST = timedelta(hours=12)
"""How long a session of a role lasts at most.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_update-role-settings.html
"""
_AT_ONCE = timedelta(minutes=1)
"""How far apart the two records of one switch in the console, or a call and the session that it began, are at most."""
_ACCOUNT = re.compile(r"(?:arn:[^:]+:iam::)?(\d{12})(?::root)?")
_IDENTITY_CENTER = "AWSSSO_"
"""How the SAML provider's name begins that IAM Identity Center makes in each account.

https://docs.aws.amazon.com/singlesignon/latest/userguide/using-service-linked-roles.html
"""
_NOBODY = Party(Who("principal", ""))
"""Who began a session of which no record tells it."""
_INSTANCE = re.compile(r"i-[0-9a-f]+")
_SESSION = re.compile(r"arn:[^:]+:sts::\d{12}:assumed-role/[^/]+/(.+)")
_TRAIL = re.compile(r"arn:[^:]+:cloudtrail:[^:]+:(\d{12}):trail/.+")
"""A delegated administrator names the organization's trail, which is the management account's, by its ARN.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-delegated-administrator.html
"""
_ROLE = re.compile(r"arn:[^:]+:iam::(\d{12}):role/(.+)")
_ON_RESOURCE = re.compile(r"on resource: (arn:[^:]+:iam::\d{12}:role/\S+)")


@dataclass(frozen=True, slots=True)
class Use:
    """One attempt to assume a role or a member account's root, or to sign in to the account itself.

    `role` is the role's name, empty for a root session and a sign-in; `task` is the policy that a root session was
    limited to; `failed` is the error, None when it succeeded. `unique_id` is the caller's (AIDA..., AROA...), and
    `caller_session` and `source_identity` tell which session of the caller's role it was, and for whom; `session` is
    the name of the one that was asked for. A source identity that the caller's session does not carry may be asked for
    with the call, and goes with the new session. `source` is the source IP address or the AWS service that called.
    """

    id: str
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
    """The AWS service that called for the caller."""

    @property
    def target(self) -> Who:
        """What was assumed."""
        return Who("role", self.account, self.role) if self.role else Who("root-user", self.account, "root user")

    def lookup(self, key: str) -> Values:
        """What the record shows of a condition key of the call, given in lower case; FREE where it does not tell.

        A call through a VPC endpoint has no aws:SourceIp, and one with a user's own access key nothing about MFA.
        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
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
                by_key = not self.mfa and (self.by or "").startswith(_LONG_TERM)
                return () if by_key else (str(self.mfa).lower(),)
            case "aws:multifactorauthage" if self.mfa is not None:
                return UNKNOWN if self.mfa else ()  # how long ago it was, no record tells
            case "sts:externalid" if self.external_id is not None:
                return (self.external_id,) if self.external_id else ()
            case "aws:userid" if self.unique_id and self.caller_session:
                return (f"{self.unique_id}:{self.caller_session}",)
            case "sts:rolesessionname" if self.session:
                return (self.session,)
            case "sts:sourceidentity" | "aws:sourceidentity" if self.source_identity:
                return (self.source_identity,)
        return FREE

    @property
    def told(self) -> bool:
        """Whether the record tells the caller, not only its account."""
        return self.caller.who.kind != "principal"


@dataclass(frozen=True, slots=True)
class Change:
    """A call that changes who can enter, what it changes, in words, and whom a new trust policy trusts.

    `everywhere` tells that it is about the organization or its Identity Center as a whole.
    """

    use: Use
    what: str
    trusts: str
    everywhere: bool
    of: tuple[str, str] = ("", "")
    """The name of the role, user or group, and the policy of it."""
    recorded: str = ""
    """The account that recorded the call: an assignment's is in the state of it, not of the member account."""

    def __str__(self) -> str:
        """What it changes, whom a new trust policy trusts, and why it failed, in words."""
        failed, trusts = (
            f"{word} {said}" if said else "" for word, said in (("failed:", self.use.failed), ("trusts", self.trusts))
        )
        return "; ".join(filter(None, (failed, self.what, trusts)))


@dataclass
class Calls:
    """Calls of one name by a root user or with a user's own access key: how many, and the last of them."""

    last: Use
    count: int = 1

    def add(self, use: Use) -> None:
        """Take one more."""
        self.count += 1
        self.last = max(self.last, use, key=lambda one: (one.time, one.id))


@dataclass
class Trail:
    """The uses among CloudTrail records, each call once, and the period that all records span."""

    start: datetime | None = None
    end: datetime | None = None
    records: int = 0
    unreadable: dict[str, str] = field(default_factory=dict)
    """Records, by id, that lack their time, or what may be an entry its name or role: which, and where."""
    hidden: dict[str, str] = field(default_factory=dict)
    """In what a use may be that cannot be read, by account; an empty one for all."""
    sources: list[Source] = field(default_factory=list)
    since: datetime | None = None
    until: datetime | None = None
    """Of which period `calls` are."""
    coverage: Coverage = field(default_factory=Coverage)
    calls: dict[tuple[str, Who, str], Calls] = field(default_factory=dict)
    """By account, caller and name: those of root users, and those that users made with access keys of their own."""
    logging: dict[str, tuple[str, Use]] = field(default_factory=dict)
    """Calls of `LOGGING` and StartLogging, by id, each with the trail's name."""
    changes: dict[str, Change] = field(default_factory=dict)
    """Calls that change who can enter, by id."""
    _uses: dict[str, Use] = field(default_factory=dict)
    _named: set[str] = field(default_factory=set)
    """The ids of the calls that are counted by name; there are too many of the others."""
    _as_root: dict[str, Use] = field(default_factory=dict)
    """The first call of each root session, by the id of its access key."""
    _in_roles: dict[tuple[str, str, str], tuple[datetime, Use]] = field(default_factory=dict)
    """When each session of a role began at the earliest, and its first call, by role, session and beginning."""

    def add(self, record: Mapping[str, Any], file: str = "", *, delivered: bool = False) -> datetime | None:
        """Take one record and give its time; records of other calls only widen the period and what is covered.

        `delivered` tells that CloudTrail wrote the file, with all that its trail logs.
        """
        self.records += 1
        time = time_of(record.get("eventTime"))
        name, service = _text(record.get("eventName")), _text(record.get("eventSource"))
        if record.get("eventCategory") == "Insight":  # about the number of calls, not a call
            return time
        kind = _mapping(record.get("userIdentity")).get("type")
        again = name == SIGN_IN and kind == "AssumedRole"  # its call of AssumeRole is recorded, too
        concerns = name is None or (name in EVENTS and service in (_SOURCES[name], None) and not again)
        use = _use(record, time) if concerns and name and service and time is not None else None
        if time is not None:
            self.start = min(self.start or time, time)
            self.end = max(self.end or time, time)
            for account in _recorded_in(record, use):
                region, read = str(record.get("awsRegion") or ""), record.get("readOnly") is True
                self.coverage.saw(account, region, time, covers=delivered and _is_management(record), read=read)
        if use is not None:
            known = self._uses.get(use.id)
            if known is None or (not known.told and use.told):
                self._uses[use.id] = use
        elif concerns or time is None:
            self._cannot_read(record, time, file, hides=concerns or name in LOGGING)
        else:
            if name in LOGGING or name == "StartLogging":
                self._log(record, time)
            if not self._outside(time):
                self._call(record, time)
                self._change(record, time)
        if delivered and kind == "AssumedRole" and name not in (None, *_SIGNED_IN) and time and not self._outside(time):
            self._in_role(record, time)  # of what is not delivered, as a selection, the beginning may be left out
        return time

    def stops(self) -> Iterator[tuple[Use, datetime | None]]:
        """The calls that stopped or deleted a trail, and when it was started again; None where it was not."""
        stopped: dict[tuple[str, str], Use] = {}
        for trail, use in sorted(self.logging.values(), key=lambda one: (one[1].time, one[1].id)):
            of = (use.account, trail)
            if use.event in ("StopLogging", "DeleteTrail") and not use.failed:
                stopped.setdefault(of, use)
            elif use.event == "StartLogging" and not use.failed and of in stopped:
                yield stopped.pop(of), use.time
        yield from ((use, None) for use in stopped.values())

    def _log(self, record: Mapping[str, Any], time: datetime) -> None:
        asked = _mapping(record.get("requestParameters"))
        named = str(asked.get("name") or asked.get("trailName") or "")
        arn, trail = _TRAIL.fullmatch(named), named.rpartition("/")[2]
        owners = {arn.group(1)} if arn and not _failed(record) else _recorded_in(record, None)
        for account in owners if record.get("eventSource") == "cloudtrail.amazonaws.com" else ():
            use = _called(record, _mapping(record.get("userIdentity")), Who("root-user", account, "root user"), time)
            self.logging[use.id] = (trail, use)

    def _change(self, record: Mapping[str, Any], time: datetime) -> None:
        source, named = str(record.get("eventSource")), account_of(record)
        if not is_change(source, str(record.get("eventName"))):
            return
        recorded = next(iter(_recorded_in(record, None)), "")
        if account := named or recorded:
            use = _called(record, _mapping(record.get("userIdentity")), Who("root-user", account, "root user"), time)
            everywhere = named is None and not source.startswith("iam.")
            said = changed(record), trusted(record)
            self.changes[use.id] = Change(use, *said, everywhere, changed_of(record), recorded)

    def _outside(self, time: datetime) -> bool:
        return not (self.since or time) <= time <= (self.until or time)

    def _cannot_read(self, record: Mapping[str, Any], time: datetime | None, file: str, *, hides: bool) -> None:
        name, place = _text(record.get("eventName")), f" in {file}" if file else ""
        needed = {"eventName": name, "eventSource": _text(record.get("eventSource")), "eventTime": time}
        lacks = next((field for field, there in needed.items() if not there), "what was assumed")
        said = f"{name or 'record'} {_identity(record) or 'without an id'}{place}, which lacks {lacks}"
        self.unreadable.setdefault(str(_identity(record) or self.records), said)
        outside = time is not None and self._outside(time)
        for account in () if not hides or outside or _failed(record) else _recorded_in(record, None) or ("",):
            self.hidden.setdefault(account, said)

    def _call(self, record: Mapping[str, Any], time: datetime) -> None:
        """Take a call by a root session, a root user, or with the access key of a user.

        Of a root user it is AWS's own query for its use that leaves out what AWS did for the account.
        https://docs.aws.amazon.com/securityhub/latest/userguide/cloudwatch-controls.html#cloudwatch-1
        """
        told = _mapping(record.get("userIdentity"))
        account, key = _text(told.get("accountId")), _text(told.get("accessKeyId")) or ""
        kind, name = told.get("type"), str(record.get("eventName"))
        issuer = _mapping(_mapping(told.get("sessionContext")).get("sessionIssuer"))
        by_root = kind == "Root" or (kind == "FederatedUser" and issuer.get("type") == "Root")
        root = by_root and not told.get("invokedBy") and record.get("eventType") != "AwsServiceEvent"
        if account is None or not (root or (kind in ("IAMUser", "FederatedUser") and key)):
            return
        use = _called(record, told, Who("root-user", account, "root user"), time)
        if root and str(_mapping(told.get("sessionContext")).get("assumedRoot")).lower() == "true":
            self._as_root[key] = min(self._as_root.get(key, use), use, key=lambda one: (one.time, one.id))
            return
        lasts = "" if key.startswith(_LONG_TERM) else TEMPORARY
        of = (account, use.caller.who, name if root or (name in BY_KEY and not lasts) else lasts)
        if of[2] and use.id in self._named:  # delivered by another trail, too
            return
        self._named |= {use.id} if of[2] else set()
        if of in self.calls:
            self.calls[of].add(use)
        else:
            self.calls[of] = Calls(use)

    def _in_role(self, record: Mapping[str, Any], time: datetime) -> None:
        """Take a call by a role's session, but for those of AWS services, which nobody enters.

        The access key of the console, or of a session of which nothing tells when it began, says nothing of the call.
        https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
        (`sessionIssuer`, `creationDate`, `ec2RoleDelivery`, `inScopeOf`, `invokedBy`),
        https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
        (`sessionCredentialFromConsole`) and, of instances' sessions,
        https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_switch-role-ec2.html
        """
        told = _mapping(record.get("userIdentity"))
        context = _mapping(told.get("sessionContext"))
        role = _ROLE.fullmatch(str(_mapping(context.get("sessionIssuer")).get("arn")))
        name = _caller_session(record, told) or ""
        service = told.get("invokedBy") or told.get("inScopeOf") or context.get("ec2RoleDelivery")
        if role is None or service or role.group(2).startswith("aws-service-role/") or _INSTANCE.fullmatch(name):
            return
        created = _mapping(context.get("attributes")).get("creationDate")
        of = (role.group(0), name, str(created))
        if of not in self._in_roles or time < self._in_roles[of][1].time:
            use = _called(record, told, Who("role", role.group(1), role.group(2)), time)
            use = replace(use, event=SESSION, caller=_NOBODY, unique_id=None, session=name, arn=role.group(0))
            began, console = time_of(created), str(record.get("sessionCredentialFromConsole")).lower() == "true"
            self._in_roles[of] = (began or time - _LONGEST, replace(use, by=use.by if began and not console else None))

    def _begun_by_nobody(self) -> Iterator[Use]:
        """The sessions of roles that began in the period and the records, without a record of their beginning."""
        into: dict[tuple[str, str], list[Use]] = defaultdict(list)
        for use in self._uses.values():
            if use.role and use.failed is None:
                into[use.account, use.role.rpartition("/")[2]].append(use)
        first_of = {account: one.first for account, one in self.coverage.accounts.items()}
        for began, session in self._in_roles.values():
            first = first_of.get(session.account)
            if (
                first is not None
                and began >= max(self.since or first, first)
                and not any(
                    _begins(use, session, began) for use in into[session.account, session.role.rpartition("/")[2]]
                )
            ):
                yield session

    def uses(self, start: datetime | None = None, end: datetime | None = None) -> list[Use]:
        """The uses in order of time (then id), from `start` to `end` inclusive."""
        called: dict[tuple[Who, Who], list[datetime]] = defaultdict(list)
        for use in self._uses.values():
            if use.event == "AssumeRole":
                called[use.caller.who, use.target].append(use.time)
        begun = {use.key for use in self._uses.values() if use.event == ROOT}
        sessions = [
            replace(use, event=ROOT, caller=_NOBODY, unique_id=None)
            for key, use in self._as_root.items()
            if key not in begun
        ]
        chosen = [
            use
            for use in (*self._uses.values(), *sessions, *self._begun_by_nobody())
            if (start is None or use.time >= start) and (end is None or use.time <= end) and not _is_double(use, called)
        ]
        return sorted(chosen, key=lambda use: (use.time, use.id))


def _begins(use: Use, session: Use, began: datetime) -> bool:
    """Whether a session is that of an entry into its role: by the access key, or by its name.

    Where both records have a key and it is not the same, a session of this name is another one, but for one that began
    with the call, as of a service that hands on other keys.
    """
    if use.key and session.by:
        if use.key == session.by:
            return True
        if abs(began - use.time) > _AT_ONCE:
            return False
    return use.session in (session.session, None) and timedelta() <= session.time - use.time <= _LONGEST


def _is_double(use: Use, called: Mapping[tuple[Who, Who], list[datetime]]) -> bool:
    """Whether a switch in the console is there as the call of AssumeRole too; `called` has the times of these calls."""
    times = called.get((use.caller.who, use.target), [])
    return use.event == "SwitchRole" and any(abs(time - use.time) <= _AT_ONCE for time in times)


def resolved(use: Use, principals: Mapping[str, Party]) -> Use:
    """The use with its caller found by unique id, where the record tells the account only and the sources know it."""
    known = principals.get(use.unique_id or "")
    return replace(use, caller=known) if not use.told and known is not None else use


def _is_management(record: Mapping[str, Any]) -> bool:
    """https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html."""
    return record.get("eventCategory", "Management") == "Management" and record.get("managementEvent") is not False


def _recorded_in(record: Mapping[str, Any], use: Use | None) -> set[str]:
    """The account whose trail has a record; empty where nothing tells it."""
    told = _mapping(record.get("userIdentity"))
    own = _text(told.get("accountId")) if told.get("type") != "AWSAccount" else None
    account = _text(record.get("recipientAccountId")) or own or (use.account if use is not None else None)
    return {account} if account else set()


def _use(record: Mapping[str, Any], time: datetime) -> Use | None:
    target = _target(record)
    return _called(record, _mapping(record.get("userIdentity")), target, time) if target is not None else None


def _called(record: Mapping[str, Any], told: Mapping[str, Any], target: Who, time: datetime) -> Use:
    asked, answered = _mapping(record.get("requestParameters")), _mapping(record.get("responseElements"))
    task = asked.get("taskPolicyArn")
    task = _mapping(task).get("arn", task)
    return Use(
        id=str(_identity(record) or f"{time:%Y-%m-%dT%H:%M:%SZ} {record['eventName']} {told.get('principalId')}"),
        time=time,
        event=intern(str(record["eventName"])),
        caller=_caller(record, told, asked),
        unique_id=intern(str(told["principalId"]).partition(":")[0]) if told.get("principalId") else None,
        account=intern(target.account),
        role=intern(target.name if target.kind == "role" else ""),
        region=intern(str(record.get("awsRegion") or "unknown")),
        source=intern(str(record.get("sourceIPAddress") or "unknown")),
        session=_text(asked.get("roleSessionName")),
        caller_session=_caller_session(record, told),
        source_identity=_text(_mapping(told.get("sessionContext")).get("sourceIdentity"))
        or _text(asked.get("sourceIdentity")),
        failed=_failed(record),
        task=task.rpartition("/")[2] if isinstance(task, str) else None,
        mfa=_mfa(record, told, asked),
        external_id=intern(_text(asked.get("externalId")) or "")
        if asked and record["eventName"] == "AssumeRole"
        else None,
        endpoint=_text(record.get("vpcEndpointId")),
        arn=intern(next((arn for arn in _role_arns(record) if _ROLE.fullmatch(arn)), "")),
        by=_text(told.get("accessKeyId")),
        key=_text(_mapping(answered.get("credentials")).get("accessKeyId")),
        role_id=intern(str(_mapping(answered.get("assumedRoleUser")).get("assumedRoleId") or "").partition(":")[0])
        or None,
        invoked_by=_service(told.get("invokedBy")) or _service(record.get("sourceIPAddress")),
    )


def _mfa(record: Mapping[str, Any], told: Mapping[str, Any], asked: Mapping[str, Any]) -> bool | None:
    """Whether the caller showed an MFA device: at the sign-in, with the session, or with the call itself.

    STS refuses a call whose device or code is wrong. A call with a user's own access key has no session. https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
    """
    if record["eventName"] == SIGN_IN:
        said = _mapping(record.get("additionalEventData")).get("MFAUsed")
    else:
        said = _mapping(_mapping(told.get("sessionContext")).get("attributes")).get("mfaAuthenticated")
        said = "false" if said is None and str(told.get("accessKeyId")).startswith(_LONG_TERM) else said
        said = "true" if _text(asked.get("serialNumber")) else said
    return {"yes": True, "true": True, "no": False, "false": False}.get(str(said).lower())


def _identity(record: Mapping[str, Any]) -> str | None:
    ids = (record.get("sharedEventID"), record.get("eventID"), record.get("requestID"))
    return next(filter(None, map(_text, ids)), None)


def _failed(record: Mapping[str, Any]) -> str | None:
    return _text(record.get("errorCode")) or _text(record.get("errorMessage"))


def _target(record: Mapping[str, Any]) -> Who | None:
    """The role, or the root of the account; None where the record does not tell it."""
    if record["eventName"] == ROOT:
        asked = _text(_mapping(record.get("requestParameters")).get("targetPrincipal"))
        account = _ACCOUNT.fullmatch(asked or "")
        return Who("root-user", account.group(1), "root user") if account else None
    if record["eventName"] == SIGN_IN:
        own = _text(_mapping(record.get("userIdentity")).get("accountId"))
        return Who("root-user", own, "root user") if own else None
    if record["eventName"] == "SwitchRole":
        arn = Arn.parse(str(_mapping(record.get("userIdentity")).get("arn")))
        return Who("role", arn.account, arn.name) if arn is not None and arn.role is not None else None
    role = next((found for arn in _role_arns(record) if (found := _ROLE.fullmatch(arn))), None)
    return Who("role", role.group(1), role.group(2)) if role else None


def _role_arns(record: Mapping[str, Any]) -> Iterator[str]:
    """Where the role may stand: the request, the resources, and, when a call was denied, only the error message."""
    asked = _text(_mapping(record.get("requestParameters")).get("roleArn"))
    if asked is not None:
        yield asked
    resources = record.get("resources")
    for resource in resources if isinstance(resources, list) else ():
        arn = _mapping(resource).get("ARN") or _mapping(resource).get("arn")
        if isinstance(arn, str):
            yield arn
    message = _ON_RESOURCE.search(str(record.get("errorMessage") or ""))
    if message is not None:
        yield message.group(1)


def _caller_session(record: Mapping[str, Any], told: Mapping[str, Any]) -> str | None:
    """The name of the role's session that called, which the role's account has behind the unique id."""
    switch = record["eventName"] == "SwitchRole"
    arn = _mapping(record.get("additionalEventData")).get("SwitchFrom") if switch else told.get("arn")
    if session := _SESSION.fullmatch(str(arn)):
        return session.group(1)
    by_id = told.get("type") == "AWSAccount"
    return _text(str(told.get("principalId") or "").partition(":")[2]) if by_id else None


def _caller(record: Mapping[str, Any], told: Mapping[str, Any], asked: Mapping[str, Any]) -> Party:
    """Who called; a principal without a name where the record tells only the account."""
    kind, account = told.get("type"), str(told.get("accountId") or "")
    issuer = _mapping(_mapping(told.get("sessionContext")).get("sessionIssuer"))
    arns = (issuer.get("arn"), told.get("arn"))
    if record["eventName"] == "SwitchRole":
        arns = (_mapping(record.get("additionalEventData")).get("SwitchFrom"), None)
    for text in arns:
        if isinstance(text, str) and (party := _named(text)):
            return party
    if kind == "AWSService" or (kind is None and told.get("invokedBy")):
        return Party(Who("service", account, str(told.get("invokedBy") or "unknown")))
    if kind == "SAMLUser":
        return _by_saml(told, asked)
    if kind == "WebIdentityUser":
        return _by_web_identity(told)
    if kind == "IAMUser" and _text(told.get("userName")):  # who could not sign in has no ARN
        return Party(Who("user", account, str(told["userName"])))
    if kind == "Root" or issuer.get("type") == "Root":  # also whom it made a federated user
        return Party(Who("root-user", account, "root user"), str(told.get("arn") or ""))
    return Party(Who("principal", account))


@lru_cache(maxsize=10_000)
def _named(text: str) -> Party | None:
    """The user or role of an ARN, also of a role's session."""
    arn = Arn.parse(text)
    if arn is not None and arn.kind in ("user", "role"):
        return Party(Who(arn.kind, arn.account, arn.name), str(arn))
    return Party(Who("role", arn.account, arn.name), str(arn.role)) if arn is not None and arn.role else None


def _by_saml(told: Mapping[str, Any], asked: Mapping[str, Any]) -> Party:
    person, arn = str(told.get("userName") or "unknown"), str(asked.get("principalArn") or "")
    provider = arn.rpartition("/")[2] or str(told.get("identityProvider") or "unknown")
    if provider.startswith(_IDENTITY_CENTER):
        return Party(Who("identity-center-user", "", person), arn)
    return Party(Who("saml", "", f"{provider} {person}"), arn)


def _by_web_identity(told: Mapping[str, Any]) -> Party:
    provider = str(told.get("identityProvider") or "unknown")
    issuer = provider.partition(":oidc-provider/")[2] or provider
    shared = shared_provider(issuer)
    return Party(Who("web-identity", "", f"{shared.name if shared else issuer} {told.get('userName')}"), provider)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _service(value: object) -> str | None:
    """An AWS service by the name that it calls as.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
    """
    return value if isinstance(value, str) and value.endswith(".amazonaws.com") else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
