"""Uses of roles, read from CloudTrail records: who assumed (or tried to assume) which role, when, from where.

Records: https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html and
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html

One call across accounts is recorded in both: in the caller's account with its ARN, in the role's account with the
caller's account and unique id only. Both carry the same `sharedEventID` and count once. A call that is denied is
recorded in the caller's account only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from twokeys.answers.model import Party
from twokeys.doors import Who
from twokeys.iam import Arn

EVENTS = ("AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity")
_STS = "sts.amazonaws.com"
_ROLE = re.compile(r"arn:[^:]+:iam::(\d{12}):role/(.+)")
_ON_RESOURCE = re.compile(r"on resource: (arn:[^:]+:iam::\d{12}:role/\S+)")


@dataclass(frozen=True, slots=True)
class Use:
    """One attempt to assume a role. `failed` is the error code, None when the role was assumed.

    `unique_id` is the caller's (AIDA..., AROA...); `source` is the source IP address or the AWS service that called.
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
    failed: str | None = None

    @property
    def told(self) -> bool:
        """Whether the record tells the caller, not only its account."""
        return self.caller.who.kind != "principal"


@dataclass
class Trail:
    """The uses among CloudTrail records, each call once, and the period that all records span."""

    start: datetime | None = None
    end: datetime | None = None
    records: int = 0
    unreadable: int = 0
    """Records of assumed roles that lack their time, or the role: counted, never guessed at."""
    _uses: dict[str, Use] = field(default_factory=dict)

    def add(self, record: Mapping[str, Any]) -> None:
        """Take one record; records of other calls only widen the period."""
        self.records += 1
        time = _time(record.get("eventTime"))
        concerns = record.get("eventSource") == _STS and record.get("eventName") in EVENTS
        if time is not None:
            self.start = min(self.start or time, time)
            self.end = max(self.end or time, time)
        if not concerns:
            return
        use = _use(record, time) if time is not None else None
        if use is None:
            self.unreadable += 1
            return
        known = self._uses.get(use.id)
        if known is None or (not known.told and use.told):
            self._uses[use.id] = use

    def uses(self, start: datetime | None = None, end: datetime | None = None) -> list[Use]:
        """The uses in order of time (then id), from `start` to `end` inclusive."""
        chosen = [
            use
            for use in self._uses.values()
            if (start is None or use.time >= start) and (end is None or use.time <= end)
        ]
        return sorted(chosen, key=lambda use: (use.time, use.id))


def resolved(use: Use, principals: Mapping[str, Party]) -> Use:
    """The use with its caller found by unique id, where the record tells the account only and the sources know it."""
    known = principals.get(use.unique_id or "")
    return replace(use, caller=known) if not use.told and known is not None else use


def _use(record: Mapping[str, Any], time: datetime) -> Use | None:
    role = next((found for arn in _role_arns(record) if (found := _ROLE.fullmatch(arn))), None)
    identity = record.get("sharedEventID") or record.get("eventID")
    if role is None or not isinstance(identity, str):
        return None
    told = _mapping(record.get("userIdentity"))
    return Use(
        id=identity,
        time=time,
        event=str(record["eventName"]),
        caller=_caller(told),
        unique_id=str(told["principalId"]).partition(":")[0] if told.get("principalId") else None,
        account=role.group(1),
        role=role.group(2).rpartition("/")[2],
        region=str(record.get("awsRegion") or "unknown"),
        source=str(record.get("sourceIPAddress") or "unknown"),
        session=_text(_mapping(record.get("requestParameters")).get("roleSessionName")),
        failed=_text(record.get("errorCode")) or ("failed" if record.get("errorMessage") else None),
    )


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


def _caller(told: Mapping[str, Any]) -> Party:
    """Who called; a principal without a name where the record tells only the account."""
    kind, account = told.get("type"), str(told.get("accountId") or "")
    issuer = _mapping(_mapping(told.get("sessionContext")).get("sessionIssuer"))
    for text in (issuer.get("arn"), told.get("arn")):
        arn = Arn.parse(text) if isinstance(text, str) else None
        if arn is not None and arn.kind in ("user", "role"):
            return Party(Who(arn.kind, arn.account, arn.name), str(arn))
        if arn is not None and arn.role is not None:
            return Party(Who("role", arn.account, arn.name), str(arn.role))
    if kind == "AWSService" or (kind is None and told.get("invokedBy")):
        return Party(Who("service", account, str(told.get("invokedBy") or "unknown")))
    if kind in ("SAMLUser", "WebIdentityUser"):
        return Party(Who("federated", account, f"{told.get('userName')} of {told.get('identityProvider')}"))
    if kind == "Root":
        return Party(Who("root", account), str(told.get("arn") or ""))
    return Party(Who("principal", account))


def _time(value: object) -> datetime | None:
    try:
        time = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return time.astimezone(UTC) if time is not None and time.tzinfo is not None else None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
