"""What can be answered about who can enter: frozen data, free of where it came from and how it is shown."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from functools import cached_property

from twokeys.access.exceptions import Accepted
from twokeys.access.judge import Key
from twokeys.access.model.documents import Document
from twokeys.access.model.door_name import DoorName
from twokeys.access.model.requirements import Period, pausing, requires_mfa
from twokeys.access.reading.since import Since
from twokeys.access.reading.snapshot import Evidence
from twokeys.answers.permissions import Permissions
from twokeys.doors import DeclaredDoor, Who
from twokeys.iam import Requirement
from twokeys.iam.external_id import asks_for_external_id
from twokeys.iam.sts import permission_set_of

BOTH = "both keys"
_WITHOUT_GRANT = {
    Key.NOT_OURS: "trust; the grant is not ours",
    Key.NOT_NEEDED: "trust; no grant is needed",
    Key.NOT_SHOWN: "grant not shown",
}


OUTSIDE, NOT_SHOWN_INSIDE = "outside the organization", "not shown to be in the organization"
"""What is known of an account that is not shown to be ours, where all of the organization are listed and elsewhere."""

PASSWORD, ACCESS_KEY, BOUNDARY = "a password", "an access key", "permissions boundary"
KEPT_BY_ID = {"permissionSetArn": "set", "groupId": "identity-center-group", "policyId": "policy"}
"""The kinds of `Answers.holds` that states and CloudTrail's records name alike, by the property that names one."""
ANY_ANCHOR = "any trust anchor"
"""Whose certificates a role takes that names none of the account's trust anchors to IAM Roles Anywhere."""
ANONYMOUS = Who("principal", "ANONYMOUS_PRINCIPAL")
"""What CloudTrail says of a caller whom nobody signed in, as an account's id."""
_USER_ID = re.compile(r"(?:[0-9a-f]{10}-)?[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
"""What a user of the identity store is called whose name nothing shows.

https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/API_MemberId.html
"""


class Time(Enum):
    """Whether a way is open at a moment, as the dates in its keys have it; the worst last."""

    NOW = "open"
    LATER = "not open yet"
    OVER = "closed by date"


class State(Enum):
    """What a door is: open with both keys, not proved either way, or shut for want of one; the worst last."""

    OPEN = "open"
    UNPROVED = "unproved"
    SHUT = "shut"


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody at an end of a door: who, the ARN (empty where there is none), and what people call the account.

    `members` are those of a group of IAM Identity Center that are shown. Others may be in it: memberships come by SCIM
    or by hand, too. https://docs.aws.amazon.com/singlesignon/latest/userguide/provision-automatically.html
    """

    who: Who
    arn: str = ""
    account_name: str = ""
    members: tuple[str, ...] = field(default=(), compare=False)

    @property
    def place(self) -> str:
        """The account without its id, or its id where it has no name; empty for those that belong to none."""
        return self.account_name.removesuffix(f" ({self.who.account})") or self.who.account

    @property
    def permission_set(self) -> Who | None:
        """The permission set that AWS made a role of, as what is entered in its account; None of another role."""
        name = permission_set_of(self.arn or self.who.name)
        return Who("set", self.who.account, name) if name else None

    @property
    def short(self) -> str:
        """In words, without the account's id: "role ci of management"."""
        return self._in(self.place)

    def __str__(self) -> str:
        return self._in(self.account_name or self.who.account)

    def _in(self, place: str) -> str:
        if self.who.kind == "root":
            return f"account {place} as a whole"
        if self.who == ANONYMOUS:
            return "an anonymous caller"
        if self.who.kind == "principal":
            return f"somebody of account {place}" if place else "somebody who is not named"
        return f"{self.who.label} of {place}" if place else self.who.label


@dataclass(frozen=True, slots=True)
class KeyPlace:
    """Where a key of a door stands: the document, the resource that holds it, and the statement that turns the key.

    `urn` is an ARN where live AWS was read. `statement` counts from 0. `stack` names the other stack that the document
    was read from. `since` is None of what dates no key, such as AWS's own policies: then its attachment does. `held` is
    the key in `Answers.holds`.
    """

    document: str
    urn: str | None = None
    statement: int | None = None
    sid: str | None = None
    source: str | None = None
    stack: str | None = None
    since: Since | None = None
    held: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One door of a way, with its two keys.

    `grants` may be several documents that take part; () where the trust needs none (within one account) or where AWS
    itself holds that key. `conditions` say in words what a session must show beside its identity.
    """

    source: Party
    target: Party
    conditions: tuple[str, ...]
    trust: KeyPlace | None
    grants: tuple[KeyPlace, ...]
    declared: DeclaredDoor | None = None
    """The declaration that was written for this door."""
    grant: Key = Key.PRESENT
    opens: datetime | None = None
    """The moment before which AWS refuses it, where a key says one."""
    closes: datetime | None = None
    """The moment from which AWS refuses it or, of its session, everything: as a key or a policy of its role says."""
    pauses: tuple[Period, ...] = ()
    """From when until when AWS refuses it in between."""
    requirements: tuple[tuple[Requirement, ...], tuple[Requirement, ...]] = field(default=((), ()), repr=False)
    """What `conditions` say in words, of the trust and of the grant, with the external IDs: never to be printed."""

    hangs_on: tuple[str, ...] = ()
    """The documents that are not known, where it is neither open nor shut before they are."""

    @property
    def keys(self) -> tuple[KeyPlace, ...]:
        """Both keys."""
        return (*((self.trust,) if self.trust else ()), *self.grants)

    @property
    def since(self) -> Since:
        """Since when both keys are there."""
        return Since.all_of(key.since for key in self.keys if key.since)

    @property
    def ends(self) -> tuple[Who, Who]:
        """Who comes, and what is entered: no two doors have both in common."""
        return self.source.who, self.target.who

    @property
    def crosses(self) -> bool:
        """Whether it leads from one account into another, or from outside of AWS into one."""
        return self.source.who.account != self.target.who.account

    @property
    def grant_key(self) -> Key:
        """The grant; a door within one account may need none, as its trust names who comes."""
        return self.grant if self.crosses or self.grants else Key.NOT_NEEDED

    @property
    def state(self) -> State:
        """OPEN, or UNPROVED where nothing that was read holds the grant, or the trust."""
        return State.UNPROVED if self.trust is None or self.grant is Key.NOT_SHOWN else State.OPEN

    @property
    def lacks(self) -> str:
        """That in words: "both keys", "trust; no grant is needed", "grant not shown"."""
        return "trust not shown" if self.trust is None else _WITHOUT_GRANT.get(self.grant_key, BOTH)

    def at(self, now: datetime) -> Time:
        """Whether AWS takes its keys at a moment, by their dates: the one place that says so."""
        if self.closes is not None and self.closes <= now:
            return Time.OVER
        waits = (self.opens is not None and self.opens > now) or pausing(self.pauses, now)
        return Time.LATER if waits else Time.NOW


@dataclass(frozen=True, slots=True)
class Way:
    """A way into an account: who, into which role, through which doors, under which conditions, how strong.

    `verdict` is ALLOW, CONDITIONAL or, of one that may be open, UNKNOWN. `permissions` are those of its last role.
    `max_session_seconds` counts role chaining's limit in, `role_session_seconds` is what the role allows.
    `by_access_role` means that it ends in the role that AWS makes in each member account for the management account.
    """

    steps: tuple[Step, ...]
    verdict: str
    conditions: tuple[str, ...]
    permissions: Permissions
    max_session_seconds: int | None = None
    by_access_role: bool = False
    beyond: Party | None = None
    """The role that AWS makes in each member account, where it leads on from it through others, or through it: whoever
    has that administers the account, so that all else there follows."""
    role_session_seconds: int | None = None
    third_party: str | None = None
    """Of one that comes from an account or organization of others: `OUTSIDE` or `NOT_SHOWN_INSIDE`."""
    open_to: str | None = None
    """Where whoever has an account comes in: an identity provider, such as GitHub, AWS; `ANY_ANCHOR`, `GUESTS`."""

    @property
    def source(self) -> Party:
        """Who comes."""
        return self.steps[0].source

    @property
    def doors(self) -> tuple[DoorName, ...]:
        """The doors that it leads through, by name."""
        return tuple(DoorName(step.source.arn, step.target.arn) for step in self.steps)

    @property
    def as_aws_made_it(self) -> bool:
        """Whether it is what AWS makes with an account: its access role, for the management account as a whole."""
        return self.by_access_role and self.source.who.kind == "root"

    @property
    def external_id(self) -> bool:
        """Whether whoever comes is asked for an external ID."""
        return any(asks_for_external_id(key) for step in self.steps for key in step.requirements)

    @property
    def mfa(self) -> bool:
        """Whether whoever comes has to be signed in with MFA."""
        return any(requires_mfa(key) for step in self.steps for key in step.requirements)

    @property
    def hangs_on(self) -> tuple[str, ...]:
        """The documents that are not known and that it is open by, if it is."""
        return tuple(dict.fromkeys(one for step in self.steps for one in step.hangs_on))

    @property
    def target(self) -> Party:
        """The role it ends in."""
        return self.steps[-1].target

    @property
    def account(self) -> str:
        """The account it leads into."""
        return self.target.who.account

    @property
    def through(self) -> tuple[Party, ...]:
        """The roles in between."""
        return tuple(step.target for step in self.steps[:-1])

    @property
    def declared(self) -> DeclaredDoor | None:
        """The declaration that was written for this way: one door, for whom it lets in. None for any other way."""
        return self.steps[0].declared if len(self.steps) == 1 else None

    @property
    def state(self) -> State:
        """OPEN, or UNPROVED as soon as a door on the way is."""
        return max((step.state for step in self.steps), key=list(State).index)

    @property
    def lacks(self) -> str:
        """What is known of the keys of its doors between accounts, or of the one within an account: "both keys".

        Of a way with a door that is not proved, what is known of that one's.
        """
        not_proved = [step for step in self.steps if step.state is State.UNPROVED]
        steps = not_proved or [step for step in self.steps if step.crosses] or self.steps
        return " and ".join(dict.fromkeys(step.lacks for step in steps))

    @property
    def opens(self) -> datetime | None:
        """The moment before which AWS refuses it, as its keys have it."""
        return max((step.opens for step in self.steps if step.opens), default=None)

    @property
    def closes(self) -> datetime | None:
        """The moment from which AWS refuses it, as its documents have it: what a declaration says closes nothing."""
        return min((step.closes for step in self.steps if step.closes), default=None)

    @property
    def pauses(self) -> tuple[Period, ...]:
        """From when until when AWS refuses a door on the way in between."""
        return tuple(one for step in self.steps for one in step.pauses)

    def at(self, now: datetime) -> Time:
        """Whether AWS takes all of its keys at a moment, by their dates."""
        return max((step.at(now) for step in self.steps), key=list(Time).index)

    @property
    def expires(self) -> datetime | None:
        """The first moment from which a door on the way is closed, as its keys or its declaration have it."""
        declared = (step.declared.expires for step in self.steps if step.declared)
        return min(filter(None, (self.closes, *declared)), default=None)

    @property
    def why(self) -> str:
        """What the door was written for and who answers for it; how else one comes to have the way."""
        return "; ".join((self.reason, *(self.declared.details if self.declared else ())))

    @property
    def reason(self) -> str:
        """What the door was written for, without who answers for it."""
        if self.declared is not None:
            return "; ".join(part for part in (self.declared.name, self.declared.reason) if part)
        last = self.steps[-1]
        if last.declared is not None:
            return f"by the door {last.declared.name} of {last.source.who.label}"
        if self.source.who.assigned:
            return "assigned in IAM Identity Center; `aws sso-admin list-account-assignments` says who is"
        if self.target.who.kind == "root-user":
            return "centralized root access"
        return "AWS's own access role" if self.by_access_role else "not declared"

    @property
    def since(self) -> Since:
        """Since when all keys are there."""
        return Since.all_of(key.since for step in self.steps for key in step.keys if key.since)


@dataclass(frozen=True, slots=True)
class DoorAnswer:
    """What answers say of a door: one (source principal, target role) pair across accounts, open or not.

    `verdict` is ALLOW, DENY, CONDITIONAL or UNKNOWN. `problem` and `next_step` are there where a key lacks or is not
    proved; `explanation` is what the evaluation says of each key.
    """

    source: Party
    target: Party
    trust: Key
    grant: Key
    verdict: str
    conditions: tuple[str, ...] = ()
    declared: DeclaredDoor | None = None
    problem: str | None = None
    next_step: str | None = None
    explanation: str = ""

    @property
    def state(self) -> State:
        """SHUT as soon as a key is missing or the verdict is DENY; OPEN only with both keys and no doubt."""
        keys = {self.trust, self.grant}
        if Key.MISSING in keys or self.verdict == "DENY":
            return State.SHUT
        return State.UNPROVED if Key.UNPROVED in keys or self.verdict == "UNKNOWN" else State.OPEN

    @property
    def lacks(self) -> str:
        """The state in words, which never needs a colour: "both keys", "no grant", "trust not proved", "denied"."""
        keys = (("trust", self.trust), ("grant", self.grant))
        missing = [name for name, key in keys if key is Key.MISSING]
        unproved = [name for name, key in keys if key is Key.UNPROVED]
        if missing:
            return "no " + ", no ".join(missing)
        if self.state is State.SHUT:
            return "denied"
        if unproved:
            return " and ".join(unproved) + " not proved"
        return _WITHOUT_GRANT.get(self.grant, "both keys") if self.state is State.OPEN else "not proved"


@dataclass(frozen=True, slots=True)
class NotProved:
    """Something that may let somebody in and that nothing here proves or refutes.

    `source` and `target` are there where it is about one principal (or account, or everyone) and one role.
    """

    message: str
    next_step: str
    door: str
    urn: str | None = None
    source: Party | None = None
    target: Party | None = None


@dataclass(frozen=True, slots=True)
class LongTerm:
    """A user with a password or an access key of its own, and which, in words; how strong it is, if it is shown.

    `has` is empty for a user that is newer than AWS's credential report: it may have either. `mfa` tells whether it has
    an MFA device, None where nothing does.
    """

    user: Party
    has: tuple[str, ...]
    mfa: bool | None = None
    permissions: Permissions | None = None

    @property
    def words(self) -> str:
        """What it has: "has a password of its own and no MFA device"."""
        if self.has:
            return f"has {' and '.join(self.has)} of its own" + (" and no MFA device" if self.mfa is False else "")
        return "may have a password or an access key of its own, as it is newer than AWS's credential report"

    def __str__(self) -> str:
        strength = f"{self.permissions}: " if self.permissions else ""
        return f"{strength}{self.user.short} {self.words}"


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the organization: its id (or symbol, before it has one), what people call it, its environment.

    `unit` is the path of its organizational unit from the root down, () for the root itself; None for an account that
    is not shown to be a member. `region` is the one that all of its providers work in. `called` are all names that
    people may ask for it by, in lower case: also its stack's, so it does not tell which is the management account.
    """

    id: str
    name: str
    environment: str | None = None
    unit: tuple[str, ...] | None = ()
    region: str | None = None
    called: frozenset[str] = frozenset()
    management: bool = False
    closed: bool = False
    """Closed, or suspended by AWS: nobody enters it, or comes from there."""


@dataclass(frozen=True, slots=True)
class Portal:
    """Where people sign in to IAM Identity Center: the access portal's address and the region of the instance."""

    start_url: str
    region: str | None = None


@dataclass(frozen=True)
class Answers:
    """Who can enter the accounts of an organization, as far as what was read shows.

    `ways` are all that are open, those through other roles and under conditions included; `doors` all that are asked
    for on one side at least, open or not; `within` the roles that users enter in their own account, such as
    break-glass; `principals` those of the sources by their unique ids (AIDA..., AROA...; of Identity Center, its own).
    """

    origin: str
    name: str
    accounts: Mapping[str, Account]
    ways: tuple[Way, ...]
    doors: tuple[DoorAnswer, ...]
    not_proved: tuple[NotProved, ...]
    within: tuple[Way, ...] = ()
    perhaps: tuple[Way, ...] = ()
    """Beside those, what may be open as well: a door is neither open nor shut before a document is known.

    `by_access_role` is that of these doors: whoever has a policy that is not known may enter what AWS made."""
    if_granted: tuple[Way, ...] = ()
    """What whoever holds a grant could enter, as access roles trust the management account and roles the organization:
    those of `ways` whose grant is not shown, and those of whom everybody who may hold one is shown."""
    long_term: tuple[LongTerm, ...] = ()
    units: tuple[tuple[str, ...], ...] = ()
    memberships: tuple[tuple[Party, Party], ...] = ()
    """A user and a group that it is in."""
    principals: Mapping[str, Party] = field(default_factory=dict)
    portal: Portal | None = None
    ids: Mapping[str, str] = field(default_factory=dict)
    """The ids that are known, by symbol: of accounts and of organizations."""
    names: Mapping[str, str] = field(default_factory=dict)
    """What people call each account that is known, by its id, also those that were not asked for, each permission
    set, by its ARN, and each control policy and organizational unit, by its id."""
    shown: frozenset[str] = frozenset()
    """The accounts of which a user or role is shown, or whose IAM was read live."""
    users: frozenset[Who] = frozenset()
    """The users that are shown."""
    trusting: Mapping[Who, frozenset[str]] = field(default_factory=dict)
    """The other accounts of ours that each role trusts as a whole: whoever is granted the role there comes in."""
    assigners: frozenset[str] = frozenset()
    """The member accounts that administer IAM Identity Center for the organization."""
    written: Mapping[tuple[str, ...], datetime] = field(default_factory=dict)
    """When the state was written that shows a role, user, group, managed policy ("policy", its ARN) or permission set
    ("set", its ARN), by account, kind and name; by account and two empty texts, the last of its states."""
    holds: Mapping[tuple[str, ...], Document | None] = field(default_factory=dict)
    """What each role, user, group, permission set and policy has, by account, kind and name as in `written` (a group
    of IAM Identity Center and a control policy by their ids) and by what it is: a policy's name or ARN, BOUNDARY, a
    group, a member, the principal and account of an assignment, a control policy's target; nothing for a trust policy,
    a set's inline policy and what a policy says. What is no document is None."""
    joined: Mapping[str, tuple[str, str, str]] = field(default_factory=dict)
    """Whom each membership of IAM Identity Center is of, by its id: the kind, the group and the member, as in `holds`.
    """
    changed_since: Mapping[str, str] = field(default_factory=dict)
    """The changes of keys that CloudTrail saw and the states do not have, in words, and the user each is of, if any."""
    before: Answers | None = None
    """The answers of older states of the same stacks, of which `principals`, `names` and `joined` are here as well."""
    past: bool = False
    """Whether the answer is of a moment that is over."""
    not_recorded: str = ""
    """Between when no record tells of changes of keys: the oldest state is older than the records. Empty if nothing."""
    not_recorded_after: str = ""
    """The same of the time after the records and before what was read, in which what stood may have been taken away."""
    meanwhile: str = ""
    """Of when the answer is, where somebody asked for a moment, in words."""
    evidence: tuple[Evidence, ...] = ()
    from_states: bool = False
    """Whether only what stacks made is shown."""
    without_state: tuple[str, ...] = ()
    """The stacks whose states should be here and are not."""
    unfinished: tuple[str, ...] = ()
    """The stacks of which an update is under way, or was stopped."""
    updated_by: tuple[str, ...] = ()
    """The ARNs of those who ran the updates, as far as stacks export them."""
    controls: Mapping[str, tuple[Document, ...]] = field(default_factory=dict)
    """The control policies that bind each account, where the organization itself is shown."""
    services: Mapping[Who, frozenset[str]] = field(default_factory=dict)
    """The AWS services that each role's trust policy may let in, of those that may not let in any."""
    providers: Mapping[tuple[str, str], Mapping[str, frozenset[str]]] = field(default_factory=dict)
    """Whose tokens and assertions an identity provider takes, in words, by its account and name."""
    person: str = ""
    """Of whom alone this is, where somebody asked for one person."""
    accepted: tuple[Accepted, ...] | None = None
    """The exceptions by which doors stand; None where nobody gave the policy pack's configuration."""
    expired: tuple[Accepted, ...] = ()
    """Those that have expired."""

    @property
    def all_ways(self) -> tuple[Way, ...]:
        """The ways in, and those of users within their own account."""
        return (*self.ways, *self.within)

    @cached_property
    def _held(self) -> Mapping[tuple[str, ...], dict[str, Document | None]]:
        found = defaultdict[tuple[str, ...], dict[str, Document | None]](dict)
        for (*whom, name), said in self.holds.items():
            found[tuple(whom)][name] = said
        return found

    def held_by(self, whom: tuple[str, ...]) -> Mapping[str, Document | None]:
        """The documents of `holds` of one holder, by name."""
        return self._held.get(whom, {})

    @cached_property
    def _into(self) -> Mapping[Who, list[tuple[int, Way]]]:
        found = defaultdict[Who, list[tuple[int, Way]]](list)
        for number, way in enumerate(self.all_ways):
            of_set = way.target.permission_set
            for who in (way.target.who, *((of_set, replace(of_set, account="")) if of_set else ())):
                found[who].append((number, way))
        return found

    def ways_into(self, whom: Iterable[Who]) -> list[Way]:
        """The ways into roles, or into those that AWS makes of permission sets, in an account or ('') in any."""
        found = {number: way for who in whom for number, way in self._into.get(who, ())}
        return [found[number] for number in sorted(found)]

    @property
    def steps(self) -> list[Step]:
        """The doors of all ways; one that several lead through is there as often."""
        return [step for way in self.all_ways for step in way.steps]

    def account_name(self, account: str) -> str:
        """What people call an account, without its id; its id where it has no name."""
        return Party(Who("root", account), account_name=self.names.get(account, "")).place

    @cached_property
    def _members(self) -> Mapping[Who, set[str | None]]:
        found: dict[Who, set[str | None]] = {}
        for user, group in self.memberships:
            found.setdefault(group.who, set()).add(None if _USER_ID.fullmatch(user.who.name) else user.who.name)
        return found

    def is_member(self, user: str, group: Who) -> bool | None:
        """Whether somebody is in a group; None where no member of it is or was shown, or one whose name is not."""
        was_shown = self.before and group in self.before._members
        members = self._members.get(group, set() if was_shown else {None})
        return user in members or (None if None in members else False)

    def named(self, party: Party) -> Party:
        """The party with what people call its account."""
        return replace(party, account_name=self.names.get(party.who.account, ""))
