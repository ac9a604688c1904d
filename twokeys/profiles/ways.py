"""The ways into accounts, and who may take each: pure.

Deliberately not decided here: whether both keys of a door hold (the policy pack and `twokeys access` prove that).
A door whose source is a whole account (`root`) belongs to those that its grants name; without a grant it is nobody's in
particular and therefore in nobody's profiles.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from twokeys.answers.published import fit
from twokeys.doors import Declaration, Who
from twokeys.doors.expiry import left, on
from twokeys.errors import Refusal
from twokeys.iam.sts import permission_set_of


class _Way(Declaration):
    """`admitted` are the only users whom the trust names, None if it names others too.

    A trust cannot name a group, so of a group's members only these come in:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    `environment` is "" where nothing tells it.
    """

    name: str
    sources: tuple[Who, ...]
    account: str
    account_name: str
    opens: datetime | None = None
    environment: str = ""
    admitted: frozenset[str] | None = None
    region: str | None = None


class RoleWay(_Way):
    """A role behind a door, and what a session must show there.

    `without_mfa` are the sources that MFA is not asked of, where it is of others.
    """

    role: str
    role_arn: str
    mfa: bool = False
    without_mfa: frozenset[Who] = frozenset()
    asks_external_id: bool = False
    external_id: str | None = None
    max_session_seconds: int | None = None


class AssignmentWay(_Way):
    """A permission set that Identity Center assigns in an account; `region` is the one of the Identity Center."""

    permission_set: str
    start_url: str | None = None


Way = RoleWay | AssignmentWay


def with_account(way: Way, name: str) -> str:
    """A name with the account's before it: that of a way where others are called as it is."""
    return apart(way.account_name, name)


def apart(account_name: str, name: str) -> str:
    """The same of a way that is only known by its account and its name."""
    return fit(f"{account_name}-{name}")


def taken_by(way: Way, source: Who) -> Way:
    """The way as one of its sources takes it: without MFA where that is asked of others only."""
    plain = isinstance(way, RoleWay) and source in way.without_mfa
    return way.model_copy(update={"mfa": False}) if plain else way


def asks_mfa(way: RoleWay, caller: str) -> bool:
    """Whether a role asks a caller for MFA, by the caller's ARN."""
    return way.mfa and Who.named(caller) not in way.without_mfa


def closed(way: Way) -> str | None:
    """Since when a temporary way is closed, in words; None for one that is open."""
    now = datetime.now(UTC)
    return left(way.expires, now) if way.expires and way.expires <= now else None


def not_yet(way: Way) -> str | None:
    """From when a way is open that is not open yet, in words; None for any other."""
    return f"opens {on(way.opens)}" if way.opens and way.opens > datetime.now(UTC) else None


def beyond(ways: Iterable[Way], own: Iterable[Way]) -> dict[Way, Way]:
    """The ways that begin with the role behind one of these, or behind one of those: each with the one before it.

    A role's session carries no MFA, so that what asks for it is no way from there:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html
    """
    reached = list(own)
    taken, before = {way.name for way in reached}, dict[Way, Way]()
    every = [(source, taken_by(way, source)) for way in ways for source in way.sources]
    for first in reached:  # which grows
        for source, way in every:
            opens = way.name not in taken and isinstance(way, RoleWay) and not way.mfa
            if opens and _is_behind(source, first):
                before[way] = first
                taken.add(way.name)
                reached.append(way)
    return before


def _is_behind(who: Who, way: Way) -> bool:
    """Whether this is the role that a way ends in; AWS calls that of a permission set `AWSReservedSSO_<it>_<suffix>`.

    https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html
    """
    if who.kind != "role" or who.account != way.account:
        return False
    if isinstance(way, RoleWay):
        return who.name == way.role.rpartition("/")[2]
    return permission_set_of(who.name) == way.permission_set


Members = Mapping[Who, frozenset[str]]
"""The users of each group, as far as exports tell: the members of a group that is not in it are unknown."""


def ways_of(ways: Iterable[Way], members: Members, who: Who, groups: Iterable[str] = ()) -> tuple[Way, ...]:
    """The ways that one principal has: those that name it and those of its groups.

    `who.account` may be "" (any account); `groups` are group names that the caller says the person is in. Refuses one
    that is not there, and when it depends on a group whose members neither the exports nor the trust tell: leaving a
    way out would be as wrong as adding one.
    """
    ways = tuple(ways)
    _refuse_unknown_groups(groups, ways, members)
    said = frozenset(groups)
    found = ((way, next((one for one in way.sources if _may(who, one, way, members, said)), None)) for way in ways)
    return tuple(taken_by(way, source) for way, source in found if source)


def _refuse_unknown_groups(groups: Iterable[str], ways: Iterable[Way], members: Members) -> None:
    named = {*members, *(who for way in ways for who in way.sources)}
    known = sorted({who.name for who in named if who.kind in ("group", "identity-center-group")})
    if unknown := [name for name in groups if name not in (*known, "none")]:
        raise Refusal(
            f"no group is called {unknown[0]}",
            where="groups of these exports",
            why=f"the groups there are {', '.join(known)}" if known else "no door there is for a group",
            next_step="name one of them (--group none for none)" if known else "leave --group out",
        )


def is_for(way: Way, caller: str, members: Members) -> bool | None:
    """Whether a door names a caller, as far as its file says; None where that depends on what it does not."""
    who = Who.named(caller)
    if who is None or not {"user", "role", "group"} >= {source.kind for source in way.sources}:
        return None
    try:
        return bool(ways_of([way], members, who))
    except Refusal:
        return None


def known_people(ways: Iterable[Way], members: Members) -> frozenset[str]:
    """The names of all users that the exports tell of: those whom a way names, and the members of groups."""
    bearers = {who.name for who in people(ways, members) if who.kind in ("user", "identity-center-user")}
    return frozenset(bearers.union(*members.values()))


def known_roles(ways: Iterable[Way]) -> frozenset[str]:
    """The names of all roles that a way names."""
    return frozenset(who.name for way in ways for who in way.sources if who.kind == "role")


def people(ways: Iterable[Way], members: Members) -> dict[Who, tuple[Way, ...]]:
    """The ways of each user and role that is known to have one, and of each group whose members are unknown."""
    found: dict[Who, dict[str, Way]] = {}
    for way in ways:
        for source in way.sources:
            for bearer in _bearers(source, way, members):
                found.setdefault(bearer, {})[way.name] = taken_by(way, source)
    return {who: tuple(found[who].values()) for who in sorted(found, key=lambda each: (each.name.lower(), each.kind))}


def _bearers(source: Who, way: Way, members: Members) -> Iterable[Who]:
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


def _may(who: Who, source: Who, way: Way, members: Members, said: frozenset[str]) -> bool:
    if who.account and source.account and who.account != source.account:
        return False
    if source.kind in (who.kind, f"identity-center-{who.kind}"):
        return source.name == who.name
    if who.kind != "user" or source.kind not in ("group", "identity-center-group"):
        return False
    bearers = _bearers(source, way, members)
    if list(bearers) != [source]:
        return who.name in {bearer.name for bearer in bearers}
    if not said:
        raise Refusal(
            f"the doors of {who.name} are not known",
            where=f"door {way.name}",
            why=f"it opens to the group {source.name}, and none of the given files says who is in it",
            next_step="also give the state of the stack that holds the people, or name the groups of this person with "
            "--group (--group none for none).",
        )
    return source.name in said
