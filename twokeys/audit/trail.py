"""Uses of roles and root sessions, read from CloudTrail records: who assumed (or tried to assume) what, when, whence.

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

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from twokeys.access.reading.snapshot import mapping
from twokeys.answers.model import Party
from twokeys.audit.changes import (
    Call,
    account_of,
    call_of,
    changed,
    changed_of,
    effect_of,
    is_change,
    membership_of,
    trusted,
    written_by,
)
from twokeys.audit.coverage import Coverage
from twokeys.audit.logs import Source, time_of
from twokeys.audit.record import (
    EARLIER,
    ENTERING,
    LONG_TERM,
    ROLE,
    ROOT,
    ROOT_SESSION,
    SESSION,
    SIGN_IN,
    SIGN_INS,
    Use,
    called,
    caller_session,
    event_id,
    failed,
    in_root_session,
    is_management,
    recorded_in,
    shared_id,
    text,
    use_of,
)
from twokeys.doors import Who
from twokeys.iam import PolicyDocument

_SIGNED_IN = ("SwitchRole", SIGN_IN)
TEMPORARY = "temporary"
"""Calls with credentials that do not last, of a user or of whom one made a federated user, under one name."""
BY_KEY = ("CreateUser", "CreateAccessKey", "GetSessionToken", "GetFederationToken")
"""Calls that make credentials, which are counted where an IAM user made them with an access key of its own."""
_STOPS = {"StopLogging": "logging was stopped", "DeleteTrail": "a trail was deleted"}
"""Calls after which a trail logs nothing until StartLogging."""
_ALTERS = {"UpdateTrail": "a trail was changed", "PutEventSelectors": "what a trail logs was changed"}
"""Calls after which a trail may log less."""
LOGGING = {**_STOPS, **_ALTERS}
"""What each of them did. https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_StopLogging.html"""
LONGEST = timedelta(hours=12)
"""How long a session of a role lasts at most.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_update-role-settings.html
"""
_AT_ONCE = timedelta(minutes=1)
"""How far apart the two records of one switch in the console, or a call and the session that it began, are at most."""
_DOUBLES = {name for name, one in ENTERING.items() if one.is_double}
_NOBODY = Party(Who("principal", ""))
"""Who began a session of which no record tells it."""
_TRAIL = re.compile(r"arn:[^:]+:cloudtrail:[^:]+:(\d{12}):trail/.+")
"""A delegated administrator names the organization's trail, which is the management account's, by its ARN.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-delegated-administrator.html
"""


@dataclass(frozen=True, slots=True)
class Change:
    """A call that changes who can enter, what it changes by its parameters, and who called.

    `everywhere` tells that it is about the organization or its Identity Center as a whole.
    """

    use: Use
    call: Call
    parameters: str
    everywhere: bool
    of: tuple[str, str, str] = ("", "", "")
    """Whom it changes, and what of it, as `changed_of` has them."""
    recorded: str = ""
    """The account that recorded the call: an assignment's is in the state of it, not of the member account."""
    policy: PolicyDocument | None = None
    """What its policy says from then on."""
    gives: str = ""
    undone: bool = False
    boundary: str = ""
    """The three of `effect_of`."""
    membership: str = ""
    """The id of the membership that it makes or takes away."""

    @property
    def whom(self) -> tuple[str, str, str]:
        """Whom it changes, by account, kind and name, as `Answers.written` has them."""
        return (self.recorded, *self.of[:2])

    @property
    def held(self) -> tuple[str, str, str, str]:
        """That, and what of it, as `Answers.holds` has them."""
        return (self.recorded, *self.of)

    @property
    def key(self) -> tuple[str, ...]:
        """What it gives, writes or takes away: of what is neither, the call with its parameters."""
        return (self.gives, *self.held, "" if self.call.gives and self.of[1] else self.parameters)

    @property
    def is_own(self) -> bool:
        """Whether a user called of itself, or began the session that did."""
        return (self.use.begun_by or self.use).caller.who == Who("user", self.recorded, self.of[1])

    @property
    def trusts(self) -> str:
        """Whom a new trust policy trusts."""
        return trusted(self.policy)

    def __str__(self) -> str:
        """What it changes, whom a new trust policy trusts, and why it failed, in words."""
        failed, trusts = (
            f"{word} {said}" if said else "" for word, said in (("failed:", self.use.failed), ("trusts", self.trusts))
        )
        return "; ".join(filter(None, (failed, self.parameters, trusts)))


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
    changes: dict[str, Change] = field(default_factory=dict)
    """Calls that change who can enter, by id, also those outside the period."""
    in_root: dict[tuple[str, Who, str], Calls] = field(default_factory=dict)
    """Calls in root sessions, by account, name and, as who called, the id of the session's access key."""
    delegated: dict[tuple[str, Who, str], Calls] = field(default_factory=dict)
    """Calls of product providers by temporary delegation: by account, who delegated, and the provider's account."""
    same_id: dict[str, Use] = field(default_factory=dict)
    """Calls whose id another call has, too, by the id that they are kept under."""
    _uses: dict[str, Use] = field(default_factory=dict)
    _began: dict[str | None, Use] = field(default_factory=dict)
    """What began each session, by the id of its access key."""
    _logging: dict[str, tuple[str, Use]] = field(default_factory=dict)
    _named: set[str] = field(default_factory=set)
    """The ids of the calls that are counted by name; there are too many of the others."""
    _tokens: dict[str | None, str | None] = field(default_factory=dict)
    """With which access key of a user each session of GetSessionToken was begun, by the id of its own."""
    _as_root: dict[str, Use] = field(default_factory=dict)
    """The first call of each root session, by the id of its access key."""
    _last: dict[str, datetime] = field(default_factory=dict)
    """When a session of a role called last, by the id of its access key."""
    _in_roles: dict[tuple[str, str, str], tuple[datetime, Use]] = field(default_factory=dict)
    """When each session of a role began at the earliest, and its first call, by role, session and beginning."""

    def add(
        self, record: Mapping[str, Any], file: str = "", *, delivered: bool = False, copy: bool = False
    ) -> datetime | None:
        """Take one record and give its time; records of other calls only widen the period and what is covered.

        `delivered` tells that CloudTrail wrote the file, with all that its trail logs, `copy` that another file of its
        name was read.
        """
        self.records += 1
        time = time_of(record.get("eventTime"))
        name, service = text(record.get("eventName")), text(record.get("eventSource"))
        if record.get("eventCategory") == "Insight":  # about the number of calls, not a call
            return time
        kind = mapping(record.get("userIdentity")).get("type")
        again = name in SIGN_INS and kind == "AssumedRole"  # its call of AssumeRole is recorded, too
        concerns = name is None or (name in ENTERING and service in (ENTERING[name].source, None) and not again)
        use = use_of(record, time) if concerns and name and service and time is not None else None
        if time is not None:
            self.start = min(self.start or time, time)
            self.end = max(self.end or time, time)
            for account in recorded_in(record, use):
                self.coverage.saw(
                    account,
                    str(record.get("awsRegion") or ""),
                    time,
                    covers=delivered and is_management(record),
                    read=record.get("readOnly") is True,
                    delivered=delivered,
                    counts=not (copy or self.outside(time)),
                )
        if use is not None:
            use = self._by_id(use, self._uses.get)
            known, entered = self._uses.get(use.shared, use), recorded_in(record, use) == {use.account}
            kept = use if not known.names_caller else known
            self._uses[use.shared] = use = replace(kept, id=(use if entered else known).id)
            self._began |= {use.key: use} if use.key else {}
        elif concerns or time is None:
            self._cannot_read(record, time, file, hides=concerns or name in LOGGING)
        else:
            if name in LOGGING or name == "StartLogging":
                self._log(record, time)
            if not self.outside(time):
                self._call(record, time)
            self._change(record, time)
        if delivered and kind == "AssumedRole" and name not in (None, *_SIGNED_IN) and time and not self.outside(time):
            self._in_role(record, time)  # of what is not delivered, as a selection, the beginning may be left out
        return time

    @property
    def logging(self) -> list[tuple[str, Use]]:
        """Calls of `LOGGING` and StartLogging, each with the trail's name."""
        return [(trail, self.begun(use)) for trail, use in self._logging.values()]

    def stops(self) -> Iterator[tuple[Use, datetime | None]]:
        """The calls that stopped or deleted a trail, and when it was started again; None where it was not."""
        stopped: dict[tuple[str, str], Use] = {}
        for trail, use in sorted(self._of_trails(), key=lambda one: (one[1].time, one[1].id)):
            of = (use.account, trail)
            if use.event in _STOPS:
                stopped.setdefault(of, use)
            elif use.event == "StartLogging" and of in stopped:
                yield stopped.pop(of), use.time
        yield from ((use, None) for use in stopped.values())

    def alters(self) -> Iterator[Use]:
        """The calls that changed a trail, or what it logs."""
        return (use for _, use in self._of_trails() if use.event in _ALTERS)

    def _of_trails(self) -> Iterator[tuple[str, Use]]:
        """The calls that did what they ask for to the trail that the records are of; the event history is of none.

        https://docs.aws.amazon.com/awscloudtrail/latest/userguide/how-cloudtrail-works.html#how-cloudtrail-works-eventhistory
        """
        if not any(one.caller for one in self.sources):
            yield from (one for one in self.logging if not one[1].failed)

    def _log(self, record: Mapping[str, Any], time: datetime) -> None:
        parameters = mapping(record.get("requestParameters"))
        named = str(parameters.get("name") or parameters.get("trailName") or "")
        arn, trail = _TRAIL.fullmatch(named), named.rpartition("/")[2]
        owners = {arn.group(1)} if arn and not failed(record) else recorded_in(record, None)
        for account in owners if record.get("eventSource") == "cloudtrail.amazonaws.com" else ():
            use = called(record, mapping(record.get("userIdentity")), Who("root-user", account, "root user"), time)
            use = self._by_id(use, lambda id: self._logging.get(id, ("", None))[1])
            self._logging[use.shared] = (trail, use)

    def _change(self, record: Mapping[str, Any], time: datetime) -> None:
        source, name, named = str(record.get("eventSource")), str(record.get("eventName")), account_of(record)
        if not is_change(source, name):
            return
        recorded = next(iter(recorded_in(record, None)), "")
        if account := named or recorded:
            use = called(record, mapping(record.get("userIdentity")), Who("root-user", account, "root user"), time)
            call = call_of(source, name)
            of_account = call.hands_on or (source.partition(".")[0] == "iam" and "Organizations" not in name)
            everywhere = named is None and not of_account
            use = self._by_id(use, lambda id: self.changes[id].use if id in self.changes else None)
            gives, undone, boundary = effect_of(record)
            of, policy = changed_of(record), written_by(record)
            said, member = changed(record), membership_of(record)
            self.changes[use.shared] = Change(
                use, call, said, everywhere, of, recorded, policy, gives, undone, boundary, member
            )

    def _by_id(self, use: Use, known: Callable[[str], Use | None]) -> Use:
        """The use under its id, or under another where that is the id of another call."""
        shared, number = use.shared, 1
        while (other := known(use.shared)) is not None and not _is_same(use, other):
            number += 1
            again = f"{shared} ({number})"
            use = replace(use, shared=again, id=again if use.id == use.shared else use.id)
            self.same_id[again] = use
        return use

    def outside(self, time: datetime) -> bool:
        """Whether a moment is not of the period that is asked of."""
        return not (self.since or time) <= time <= (self.until or time)

    def _cannot_read(self, record: Mapping[str, Any], time: datetime | None, file: str, *, hides: bool) -> None:
        name, place = text(record.get("eventName")), f" in {file}" if file else ""
        needed = {"eventName": name, "eventSource": text(record.get("eventSource")), "eventTime": time}
        lacks = next((field for field, there in needed.items() if not there), "what was assumed")
        said = f"{name or 'record'} {event_id(record) or 'without an id'}{place}, which lacks {lacks}"
        self.unreadable.setdefault(str(shared_id(record) or self.records), said)
        outside = time is not None and self.outside(time)
        for account in () if not hides or outside or failed(record) else recorded_in(record, None) or ("",):
            self.hidden.setdefault(account, said)

    def _call(self, record: Mapping[str, Any], time: datetime) -> None:
        """Take a call by a root session, a root user, or with the access key of a user.

        Of a root user it is AWS's own query for its use that leaves out what AWS did for the account.
        https://docs.aws.amazon.com/securityhub/latest/userguide/cloudwatch-controls.html#cloudwatch-1
        """
        user_identity = mapping(record.get("userIdentity"))
        account, key = text(user_identity.get("accountId")), text(user_identity.get("accessKeyId")) or ""
        kind, name = user_identity.get("type"), str(record.get("eventName"))
        issuer = mapping(mapping(user_identity.get("sessionContext")).get("sessionIssuer"))
        by_root = kind == "Root" or (kind == "FederatedUser" and issuer.get("type") == "Root")
        root = by_root and not user_identity.get("invokedBy") and record.get("eventType") != "AwsServiceEvent"
        delegated = text(mapping(user_identity.get("invokedByDelegate")).get("accountId"))
        if account is None or not (delegated or root or (kind in ("IAMUser", "FederatedUser") and key)):
            return
        use = called(record, user_identity, Who("root-user", account, "root user"), time)
        self._tokens |= {use.key: use.by} if use.key else {}
        if use.delegate:
            self._count(self.delegated, (account, use.caller.who, use.delegate), use)
            return
        if root and in_root_session(user_identity):
            self._as_root[key] = min(self._as_root.get(key, use), use, key=lambda one: (one.time, one.id))
            self._count(self.in_root, (account, Who("root-user", account, key), name), use)
            return
        lasts = "" if key.startswith(LONG_TERM) else TEMPORARY
        of = (account, use.caller.who, name if root or (name in BY_KEY and not lasts) else lasts)
        self._count(self.calls, of, use)

    def _count(self, calls: dict[tuple[str, Who, str], Calls], of: tuple[str, Who, str], use: Use) -> None:
        if of[2] and use.shared in self._named:  # delivered by another trail, too
            return
        self._named |= {use.shared} if of[2] else set()
        if of in calls:
            calls[of].add(use)
        else:
            calls[of] = Calls(use)

    def _in_role(self, record: Mapping[str, Any], time: datetime) -> None:
        """Take a call by a role's session, but for those of AWS services, which nobody enters.

        The access key of the console, or of a session of which nothing tells when it began, says nothing of the call.
        https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
        (`sessionIssuer`, `creationDate`, `ec2RoleDelivery`, `inScopeOf`, `invokedBy`),
        https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
        (`sessionCredentialFromConsole`). Anybody may name a session as an instance's is.
        """
        user_identity = mapping(record.get("userIdentity"))
        context = mapping(user_identity.get("sessionContext"))
        role = ROLE.fullmatch(str(mapping(context.get("sessionIssuer")).get("arn")))
        name = caller_session(record, user_identity) or ""
        service = user_identity.get("invokedBy") or user_identity.get("inScopeOf") or context.get("ec2RoleDelivery")
        service = service or user_identity.get("invokedByDelegate")  # which `delegated` has
        if role is None or service or role.group(2).startswith("aws-service-role/"):
            return
        if key := text(user_identity.get("accessKeyId")):
            self._last[key] = max(self._last.get(key, time), time)
        created = mapping(context.get("attributes")).get("creationDate")
        of = (role.group(0), name, str(created))
        if of not in self._in_roles or time < self._in_roles[of][1].time:
            use = called(record, user_identity, Who("role", role.group(1), role.group(2)), time)
            began, console = time_of(created), str(record.get("sessionCredentialFromConsole")).lower() == "true"
            use = replace(
                use, event=SESSION, caller=_NOBODY, unique_id=None, session=name, arn=role.group(0), began=began
            )
            self._in_roles[of] = (began or time - LONGEST, replace(use, by=use.by if began and not console else None))

    def _begun_by_nobody(self, longest: Mapping[Who, timedelta]) -> Iterator[Use]:
        """The sessions of roles without a record of their beginning, also those from before the period."""
        into: dict[tuple[str, str], list[Use]] = defaultdict(list)
        for use in self._uses.values():
            if use.role and use.failed is None:
                into[use.account, use.role.rpartition("/")[2]].append(use)
        first_of = {account: one.oldest for account, one in self.coverage.accounts.items()}
        for began, session in self._in_roles.values():
            first = first_of.get(session.account)
            begun_by = into[session.account, session.role.rpartition("/")[2]]
            lasts = longest.get(session.target, LONGEST)
            if first is not None and not any(_begins(use, session, began, lasts) for use in begun_by):
                earlier = began < max(self.since or first, first)
                yield replace(session, event=EARLIER) if earlier else session

    def begun(self, use: Use) -> Use:
        """A call with the entry that began its session, as access keys tell, which has the one before it, and so on;
        one in a root session is by whom the key of that was given to.
        """
        by, chain, before = use.by, dict[str | None, Use](), None
        root = self._began.get(by)
        if root and root.event == ROOT and use.caller.who.name == ROOT_SESSION:
            by, use = root.by, replace(use, caller=root.caller, caller_session=root.caller_session, in_root=True)
        while by not in chain and (one := self._began.get(by)):
            chain[by], by = one, one.by
        for one in (*reversed(chain.values()), use):
            use = before = replace(one, entered_by=before, own_key=self._tokens.get(one.by, one.by))
        return use

    def all_changes(self, joined: Mapping[str, tuple[str, str, str]] = MappingProxyType({})) -> Iterator[Change]:
        """The calls that change who can enter. `joined` are memberships that the sources know by id."""
        members = {**joined} | {one.membership: one.of for one in self.changes.values() if one.of[1]}
        for one in self.changes.values():
            of = members.get(one.membership, one.of) if one.membership else one.of
            yield replace(one, use=self.begun(one.use), of=of)

    def uses(
        self,
        start: datetime | None = None,
        end: datetime | None = None,
        longest: Mapping[Who, timedelta] = MappingProxyType({}),
    ) -> list[Use]:
        """The uses in order of time (then id), from `start` to `end` inclusive; `longest` are sessions of roles."""
        times: dict[tuple[Who, Who], list[datetime]] = defaultdict(list)
        for use in self._uses.values():
            if use.event == "AssumeRole":
                times[use.caller.who, use.target].append(use.time)
        begun = {use.key for use in self._uses.values() if use.event == ROOT}
        sessions = [
            replace(use, event=ROOT, caller=_NOBODY, unique_id=None)
            for key, use in self._as_root.items()
            if key not in begun
        ]
        shown: dict[tuple[Who, str | None], list[Use]] = defaultdict(list)
        for _, one in self._in_roles.values():
            shown[one.target, one.session].append(one)
        chosen = [
            self.begun(_with_mfa(use, shown[use.target, use.session]) if use.event == "SwitchRole" else use)
            for use in (*self._uses.values(), *sessions, *self._begun_by_nobody(longest))
            if (start is None or use.time >= start) and (end is None or use.time <= end) and not _is_double(use, times)
        ]
        chosen = [replace(use, last=self._last[use.key]) if use.key in self._last else use for use in chosen]
        return sorted(chosen, key=lambda use: (use.time, use.id))


def by_credentials(name: str) -> tuple[str, str]:
    """Which calls of a user are counted under a name, and with what they were made, in words."""
    if name == TEMPORARY:
        return "", "temporary credentials"
    return f"{name if name in BY_KEY else 'other'} ", "an access key"


def _begins(use: Use, session: Use, began: datetime, longest: timedelta) -> bool:
    """Whether a session is that of an entry into its role: by the access key, or by its name.

    Where both records have a key and it is not the same, a session of this name is another one, but for one that began
    with the call, as of a service that hands on other keys.
    """
    if use.key and session.by:
        if use.key == session.by:
            return True
        if abs(began - use.time) > _AT_ONCE:
            return False
    if session.began and session.began < use.time - _AT_ONCE:
        return False
    return use.session in (session.session, None) and timedelta() <= session.time - use.time <= longest


def _with_mfa(use: Use, sessions: Iterable[Use]) -> Use:
    """A switch of roles in the console, which does not tell of MFA, with what the calls of its session tell.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
    (`mfaAuthenticated`)
    """
    said = {one.mfa for one in sessions if one.began and abs(one.began - use.time) <= _AT_ONCE}
    return replace(use, mfa=said.pop()) if use.mfa is None and len(said) == 1 else use


def _is_double(use: Use, called: Mapping[tuple[Who, Who], list[datetime]]) -> bool:
    """Whether a call is there as AssumeRole too; `called` has the times of these."""
    times = called.get((use.caller.who, use.target), [])
    return use.event in _DOUBLES and any(abs(time - use.time) <= _AT_ONCE for time in times)


def _is_same(use: Use, other: Use) -> bool:
    """Whether two records with one id are of one call: that of the role's account may not name who called."""
    call = (use.event, use.target, use.caller.who.account, use.session, use.failed, use.time)
    whose = use.caller == other.caller or not (use.names_caller and other.names_caller)
    return whose and call == (
        *(other.event, other.target, other.caller.who.account, other.session, other.failed, other.time),
    )
