"""The ways into accounts, and who may take each: pure.

Deliberately not decided here: whether both keys of a door hold (the policy pack and `twokeys access` prove that).
A door whose source is a whole account (`root`) belongs to those that its grants name; without a grant it is nobody's in
particular and therefore in nobody's profiles.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from twokeys.access.model.requirements import Period, pausing
from twokeys.answers.published import fit
from twokeys.aws_reference import regions
from twokeys.doors import Declaration, Who
from twokeys.doors.expiry import left, on
from twokeys.doors.who import IAM_PEOPLE
from twokeys.errors import Refusal, nearest
from twokeys.iam import Arn
from twokeys.iam.sts import permission_set_of


class _Way(Declaration):
    """A door as one of those who come through it takes it: what it asks is asked of `source`, and may not be of others.

    `admitted` are the only users whom the trust names, None if it names others too.

    A trust cannot name a group, so of a group's members only these come in:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    `environment` is "" where nothing tells it.
    """

    name: str
    source: Who
    account: str
    account_name: str
    opens: datetime | None = None
    pauses: tuple[Period, ...] = ()
    conditions: tuple[str, ...] = ()
    environment: str = ""
    admitted: frozenset[str] | None = None
    region: str | None = None
    permits: str | None = None
    """How strong its role is, in words: "read"."""


class RoleWay(_Way):
    """A role behind a door, and what a session must show there."""

    role: str
    role_arn: str
    source_arn: str = ""
    """Of a role that comes: what a job names."""
    mfa: bool = False
    asks_external_id: bool = False
    external_id: str | None = None
    max_session_seconds: int | None = None

    @property
    def partition(self) -> str:
        """The partition that the role is in."""
        return self.role_arn.split(":")[1]

    @property
    def held(self) -> bool:
        """Whether the file has the external ID, if the door asks for one."""
        return not self.asks_external_id or self.external_id is not None


class AssignmentWay(_Way):
    """A permission set that Identity Center assigns in an account; `sso_region` is the one of the Identity Center."""

    permission_set: str
    start_url: str | None = None
    sso_region: str | None = None

    @property
    def partition(self) -> str | None:
        """The partition that Identity Center is in, where that is known."""
        return regions().get(self.sso_region or "")


Way = RoleWay | AssignmentWay


def apart(account_name: str, name: str) -> str:
    """A name with the account's before it: that of a way where others are called as it is."""
    return fit(f"{account_name}-{name}")


def called(ways: Iterable[Way], door: str) -> list[Way]:
    """The ways through the door that somebody calls so: by its name (with its account's after an @) or by its role."""
    name, _, account = door.rpartition("@")
    ways = list(ways)
    return [way for way in ways if way.name == fit(door) or (isinstance(way, RoleWay) and way.role_arn == door)] or [
        way
        for way in ways
        if account in (way.account, way.account_name) and way.name in (fit(name), apart(way.account_name, name))
    ]


def least(ways: Iterable[Way]) -> Way:
    """Of the ways through a door the one that asks least of who takes it."""
    return min(ways, key=_asks)


def _asks(way: Way) -> tuple[bool, bool, bool]:
    shut = bool(closed(way) or not_yet(way))
    return (shut, not way.held, way.mfa) if isinstance(way, RoleWay) else (shut, False, False)


def closed(way: Way) -> str | None:
    """Since when a temporary way is closed, in words; None for one that is open."""
    now = datetime.now(UTC)
    return left(way.expires, now) if way.expires and way.expires <= now else None


def not_yet(way: Way) -> str | None:
    """From when a way is open that is not open yet, or not at the moment, in words; None for any other."""
    now = datetime.now(UTC)
    waits = [way.opens] if way.opens and way.opens > now else []
    waits += [end for _, end in pausing(way.pauses, now)]
    return f"opens {on(max(waits))}" if waits else None


def owner_of(ways: Iterable[Way]) -> str:
    """Whom to ask about these."""
    owners = " or ".join(sorted({way.owner for way in ways if way.owner}))
    return f"its owner ({owners})" if owners else "whoever runs the stacks"


def whose(ways: Iterable[Way], accounts: Mapping[str, str]) -> str:
    """For whom a door is, in words: with the account, but of people of these accounts (names by id)."""
    return " or ".join(dict.fromkeys(_labelled(way.source, accounts) for way in ways))


def _labelled(who: Who, accounts: Mapping[str, str]) -> str:
    ours = who.kind in IAM_PEOPLE and who.account in accounts
    return who.label if ours or not who.account else f"{who.label} of account {accounts.get(who.account, who.account)}"


def own_device(serial: str, account: str) -> str:
    """The MFA device that a user of this account named as theirs. Raises Refusal where it is in another.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html (SerialNumber)
    """
    arn = Arn.parse(serial)
    if arn and arn.account != account:
        raise Refusal(
            f"--mfa-serial {serial}",
            where=f"account {account}",
            why=f"that device is in account {arn.account}, and AWS takes codes of your own, which are in this one",
            next_step="name one that `aws iam list-mfa-devices` lists",
        )
    return serial


def asks(way: Way) -> list[str]:
    """What a session must show at a door, or who gives it, in words."""
    asked = {"with MFA": way.mfa, "with an external ID": way.asks_external_id} if isinstance(way, RoleWay) else {}
    return [words for words, each in asked.items() if each] or ["by Identity Center"] * isinstance(way, AssignmentWay)


def only_if(way: Way) -> str:
    """What a session must be beside what it shows, as part of a sentence: "only from 203.0.113.0/24"."""
    said = (f"if {one}".replace("if aws:SourceIp IpAddress ", "from ") for one in way.conditions)
    return f"only {' and '.join(said)}" if way.conditions else ""


def beyond(ways: Iterable[Way], own: Iterable[Way]) -> dict[Way, Way]:
    """The ways that begin with the role behind one of these, or behind one of those: each with the one before it.

    AWS calls the role of a permission set `AWSReservedSSO_<it>_<suffix>`:
    https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html
    A role's session carries no MFA, so that what asks for it is no way from there:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html
    """
    reached = list(own)
    taken, before = {way.name for way in reached}, dict[Way, Way]()
    leads: dict[tuple[type[Way], str, str | None], list[Way]] = defaultdict(list)
    for way in ways:
        if isinstance(way, RoleWay) and not way.mfa and way.source.kind == "role":
            leads[RoleWay, way.source.account, way.source.name].append(way)
            leads[AssignmentWay, way.source.account, permission_set_of(way.source.name)].append(way)
    for first in reached:  # which grows
        role = first.role.rpartition("/")[2] if isinstance(first, RoleWay) else first.permission_set
        for way in leads[type(first), first.account, role]:
            if way.name not in taken:
                before[way] = first
                taken.add(way.name)
                reached.append(way)
    return before


Members = Mapping[Who, frozenset[str]]
"""The users of each group, as far as exports tell: the members of a group that is not in it are unknown."""


def ways_of(ways: Iterable[Way], members: Members, who: Who, groups: Iterable[str] = ()) -> tuple[Way, ...]:
    """The ways that one principal has, itself or by its groups: of each door, the one that asks least.

    `who.account` may be "" (any account); `groups` are group names that the caller says the person is in. Refuses one
    that is not there, and when it depends on a group whose members neither the exports nor the trust tell: leaving a
    way out would be as wrong as adding one.
    """
    ways = tuple(ways)
    _refuse_unknown_groups(groups, ways, members)
    said = frozenset(groups)
    found: dict[str, Way] = {}
    for way in sorted(ways, key=_asks):
        if way.name not in found and _may(who, way, members, said):
            found[way.name] = way
    return tuple(way for way in ways if way is found.get(way.name))


def _refuse_unknown_groups(groups: Iterable[str], ways: Iterable[Way], members: Members) -> None:
    named = {*members, *(way.source for way in ways)}
    known = sorted({who.name for who in named if who.kind in ("group", "identity-center-group")})
    if unknown := [name for name in groups if name not in (*known, "none")]:
        raise Refusal(
            f"no group is called {unknown[0]}",
            where="groups of this file",
            why=f"the groups there are {', '.join(known)}" if known else "no door there is for a group",
            next_step="name one of them (--group none for none)" if known else "leave --group out",
        )


def refuse_unknown(who: Who, ways: Sequence[Way], members: Members, accounts: Mapping[str, str]) -> None:
    """Somebody whom no export names is more likely misspelt than without doors; profiles would then be removed."""
    roles = known_roles(ways)
    known = known_people(ways, members) if who.kind == "user" else roles
    if who.name in known:
        _refuse_other_account(who, ways, members, accounts)
        return
    close = nearest(who.name, known)
    named = (
        f"name {close}, if that is who you mean"
        if close
        else f"{'name one of them, ' if known else ''}give the states of all stacks, or ask for a newer file"
    )
    if who.kind == "user" and who.name in roles:
        named = f"{who.name} is a role: --role {who.name}"
    elif who.kind == "role" and who.name in known_people(ways, members):
        named = f"{who.name} is a person: --person {who.name}"
    raise Refusal(
        f"no {who.kind} is called {who.name}",
        where=f"{who.kind}s of this file",
        why=f"the {who.kind}s there are {', '.join(sorted(known))}" if known else f"no {who.kind} is named there",
        next_step=named,
    )


def _refuse_other_account(who: Who, ways: Sequence[Way], members: Members, accounts: Mapping[str, str]) -> None:
    same = {one for one in people(ways, members) if one.name == who.name}
    same |= {group for group, users in members.items() if who.name in users}
    having = {one.account if one.kind in (*IAM_PEOPLE, "role") else "Identity Center" for one in same}
    if who.account and having and not having & {who.account, ""}:
        raise Refusal(
            f"{who.name} is nobody of account {accounts.get(who.account, who.account)}",
            where="this file",
            why=f"{who.name} is in {', '.join(sorted(accounts.get(one, one) for one in having))}",
            next_step="name that account, or leave --account out",
        )


def for_caller(ways: Sequence[Way], who: Who | None, members: Members) -> tuple[Sequence[Way], bool | None]:
    """The ways through one door that a caller may have, and whether the file says that one of them is theirs.

    That is None where it depends on what the file does not say.
    """
    try:
        own = ways_of(ways, members, who) if who else ()
    except Refusal:
        return ways, None
    person = who is not None and who.kind in ("user", "identity-center-user")
    of_center = {"identity-center-user", "identity-center-group"} if person else set()
    known = who is not None and {"user", "role", "group"} | of_center >= {way.source.kind for way in ways}
    return own or ways, bool(own) if own or known else None


def own_ways(ways: Iterable[Way], who: Who | None, members: Members) -> list[Way]:
    """The ways of a caller, of each door the one that asks least, as far as the file says whose a door is."""
    return [least(had) for had, own in _by_door(ways, who, members) if own]


def unsaid(ways: Sequence[Way], who: Who | None, members: Members) -> list[str]:
    """The doors of which the file does not say whether they are a caller's, or of whoever may be behind a role."""
    entered = {Who.named(way.role_arn) for way in ways if isinstance(way, RoleWay)}
    if who and who.kind == "role" and who not in entered:
        return []  # behind a CI job's role is nobody whom the file names
    return [had[0].name for had, own in _by_door(ways, who, members) if own is None]


def reached(ways: Sequence[Way], who: Who | None, members: Members, caller: str = "") -> dict[Way, Way | None]:
    """The ways of a caller, and those behind them: each with the one before it.

    A session of a permission set's role, by its ARN, is proof of its assignment, whatever the file says of members.
    """
    inside, account = permission_set_of(caller), caller.split(":")[4] if caller else ""
    own = [
        *own_ways(ways, who, members),
        *(
            way
            for way in ways
            if isinstance(way, AssignmentWay) and (way.permission_set, way.account) == (inside, account)
        ),
    ]
    return {**dict.fromkeys(own), **beyond(ways, own)}


def who_is_behind(ways: Sequence[Way], caller: str, members: Members) -> Who | None:
    """The user whose name a role's session has: of Identity Center, or one whose ways lead there; else the caller.

    https://docs.aws.amazon.com/singlesignon/latest/userguide/cloudtrail-workforce-id-use-cases.html
    """
    who, name = Who.named(caller), caller.rpartition("/")[2]
    if ":assumed-role/" not in caller:
        return who
    if permission_set_of(caller):
        return Who("identity-center-user", "", name)
    accounts = {way.source.account for way in ways if way.source.kind in IAM_PEOPLE}
    for user in (Who("user", account, name) for account in sorted(accounts)):
        theirs = [way for way in reached(ways, user, members) if isinstance(way, RoleWay)]
        if any(Who.named(way.role_arn) == who for way in theirs):
            return user
    return who


def began_by(ways: Iterable[Way], who: Who) -> Who:
    """The role whose session comes through the only way into this role, of a CI job say, else this one.

    That role is behind no door itself: so nobody whom the file names is behind the session.
    """
    into = [(Who.named(way.role_arn), way.source) for way in ways if isinstance(way, RoleWay)]
    entered, sources = {role for role, _ in into}, {source for role, source in into if role == who}
    only = sources.pop() if len(sources) == 1 else who
    return only if only.kind == "role" and only not in entered else who


def _by_door(ways: Iterable[Way], who: Who | None, members: Members) -> list[tuple[Sequence[Way], bool | None]]:
    doors: dict[str, list[Way]] = defaultdict(list)
    for way in ways:
        doors[way.name].append(way)
    return [for_caller(doors[name], who, members) for name in sorted(doors)]


def before(door: Sequence[Way], ways: Iterable[Way], who: Who | None, members: Members) -> Way | None:
    """The way through which a caller comes to this door, which is not theirs: None if the file shows none open now.

    It may be behind another one itself. No external ID is known for it.
    """
    names = {way.name for way in door}
    usable = [way for way in ways if isinstance(way, RoleWay) and (way.name in names or not any(_asks(way)[:2]))]
    behind = beyond(usable, own_ways(usable, who, members))
    return next((first for way, first in behind.items() if way.name in names), None)


def known_people(ways: Iterable[Way], members: Members) -> frozenset[str]:
    """The names of all users that the exports tell of: those whom a way names, and the members of groups."""
    bearers = {who.name for who in people(ways, members) if who.kind in ("user", "identity-center-user")}
    return frozenset(bearers.union(*members.values()))


def known_roles(ways: Iterable[Way]) -> frozenset[str]:
    """The names of all roles that a way names."""
    return frozenset(way.source.name for way in ways if way.source.kind == "role")


def people(ways: Iterable[Way], members: Members) -> dict[Who, tuple[Way, ...]]:
    """The ways of each user and role that is known to have one, and of each group whose members are unknown."""
    found: dict[Who, dict[str, Way]] = {}
    for way in ways:
        for bearer in _bearers(way, members):
            found.setdefault(bearer, {})[way.name] = way
    return {who: tuple(found[who].values()) for who in sorted(found, key=lambda each: (each.name.lower(), each.kind))}


def _bearers(way: Way, members: Members) -> Iterable[Who]:
    source = way.source
    if source.kind not in ("group", "identity-center-group"):
        return [source]
    known = [each for each in (members.get(source), way.admitted) if each is not None]
    if not known:
        return [source]
    names = frozenset.intersection(*known)
    return [
        Who("identity-center-user" if source.kind == "identity-center-group" else "user", source.account, name)
        for name in names
    ]


def _may(who: Who, way: Way, members: Members, said: frozenset[str]) -> bool:
    source = way.source
    if who.account and source.account and who.account != source.account:
        return False
    if source.kind in (who.kind, f"identity-center-{who.kind}"):
        permission_set = permission_set_of(source.name)  # whose role has a suffix that only AWS knows
        return source.name == who.name or (permission_set is not None and permission_set == permission_set_of(who.name))
    if source.kind not in ("group", "identity-center-group") or f"{source.kind.removesuffix('group')}user" not in (
        who.kind,
        f"identity-center-{who.kind}",
    ):
        return False
    bearers = _bearers(way, members)
    if list(bearers) != [source]:
        return who.name in {bearer.name for bearer in bearers}
    if not said:
        raise Refusal(
            f"the doors of {who.name} are not known",
            where=f"door {way.name}",
            why=f"it opens to the group {source.name}, and none of the given files says who is in it",
            next_step="also give the state of the stack that holds the people, or name the groups of this person with "
            "--group (--group none for none)",
        )
    return source.name in said
