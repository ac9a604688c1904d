"""What a map shows: the organization's units, its accounts, and the doors between them. Frozen, and free of drawing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from twokeys.answers.model import Account, Key, State, Time, lacks_of, state_of
from twokeys.doors import Declaration, Who

OUTSIDE = "Outside AWS"
"""Where those stand that belong to no account: web identities, users of a SAML provider, everyone."""

ROOT_USER = "root user"
"""What stands in the place of a role for a root session; no role can have a name with a space."""

WAY, WITHIN = "way in", "within an account"
NOTHING_SAID = Declaration()

__all__ = ["OUTSIDE", "Account", "Door", "Key", "Organization", "State", "Who", "doors_of", "organization"]


@dataclass(frozen=True)
class Door:
    """A way in, also one through other roles, or a door that lacks a key or is not proved.

    `verdict` is ALLOW, DENY, CONDITIONAL or UNKNOWN, or None where only the two keys are known. `requirements` say in
    words what a session must show beside its identity. `steps` are the doors of a way, each an arrow; a door that is
    not open has none. `permissions` says how strong the role is; `kinds` are the words that it can be filtered by.
    `explanation` may have several lines.
    """

    name: str
    source: Who
    account: str
    role: str
    trust: Key
    grant: Key
    verdict: str | None = None
    time: Time = Time.NOW
    not_now: str = ""
    """How its dates keep it shut, in words: "opens 2027-06-01"."""
    requirements: tuple[str, ...] = ()
    max_session_seconds: int | None = None
    declared: Declaration = NOTHING_SAID
    explanation: str = ""
    through: tuple[str, ...] = ()
    steps: tuple[Door, ...] = ()
    permissions: str | None = None
    kinds: tuple[str, ...] = ()

    @cached_property
    def target(self) -> Who:
        """What it leads into: a role, or the root user of an account by a root session."""
        return Who("root-user" if self.role == ROOT_USER else "role", self.account, self.role)

    @cached_property
    def state(self) -> State:
        """Open, not proved, or shut."""
        return state_of(self.trust, self.grant, self.verdict)

    @cached_property
    def lacks(self) -> str:
        """The state in words, which never needs a colour: "both keys", "no grant", "both keys, opens 2027-06-01"."""
        crossing = [lacks_of(step.trust, step.grant, step.verdict) for step in self.steps if not step.within]
        keys = " and ".join(dict.fromkeys(crossing)) or lacks_of(self.trust, self.grant, self.verdict)
        return f"{keys}, {self.not_now}" if self.not_now else keys

    @property
    def within(self) -> bool:
        """Whether it leads from nowhere but its own account into that account."""
        return self.source.account == self.account

    @property
    def counted_as(self) -> str:
        """What every command counts it as: "way in", "within an account", "way not open yet", "door with no grant"."""
        if self.within:
            return WITHIN
        if self.time is not Time.NOW:
            return f"way {self.time.value}"
        return WAY if self.state is State.OPEN or self.grant is Key.NOT_SHOWN else f"door with {self.lacks}"

    @property
    def arrows(self) -> tuple[Door, ...]:
        """The doors that are drawn for it."""
        return self.steps or (self,)

    @cached_property
    def accounts(self) -> frozenset[str]:
        """Every account that it touches."""
        return frozenset(id for one in self.arrows for id in (one.source.account, one.account))


@dataclass(frozen=True)
class Organization:
    """Everything on one map. Build it with `organization`: then each account that a door names is among `accounts`.

    `units` are the paths of all organizational units, so that one without accounts is seen too. `memberships` are pairs
    of a user and a group: who is let in where a door names a group. `unproved` says what may let somebody in and is no
    arrow, as nobody knows whom or where to.
    """

    name: str
    accounts: tuple[Account, ...]
    doors: tuple[Door, ...]
    units: tuple[tuple[str, ...], ...] = ()
    memberships: tuple[tuple[Who, Who], ...] = ()
    unproved: tuple[str, ...] = ()
    origin: str = ""
    """What it was read from: "the states management.json, stage.json"."""
    limits: tuple[str, ...] = ()
    """Whom what was read cannot show, and what is not looked at, in sentences."""

    @property
    def principals(self) -> tuple[Who, ...]:
        """Everyone a door lets in, the users of a group that it names included; sorted by name, then account."""
        found = {door.source for door in self.doors}
        found |= {user for user, group in self.memberships if group in found}
        return tuple(sorted(found, key=lambda who: (who.name, who.kind, who.account)))

    @property
    def environments(self) -> tuple[str, ...]:
        """The environments that accounts name, sorted."""
        return tuple(sorted({account.environment for account in self.accounts if account.environment}))


def organization(
    name: str,
    accounts: Iterable[Account],
    doors: Iterable[Door],
    units: Iterable[tuple[str, ...]] = (),
    memberships: Iterable[tuple[Who, Who]] = (),
) -> Organization:
    """An organization in a stable order, in which each account that only a door names stands outside the units.

    Every unit above an account or another unit is listed. An account that is given twice is shown as it was last given.
    """
    known = {account.id: account for account in accounts}
    given = tuple(doors)
    for door in given:
        for id in door.accounts:
            known.setdefault(id, Account(id=id, name=id or OUTSIDE, unit=None))
    listed = tuple(sorted(given, key=lambda door: _door_order(door, known)))
    paths = {unit for account in known.values() if (unit := account.unit)} | set(units)
    whole = {path[:depth] for path in paths for depth in range(1, len(path) + 1)}
    return Organization(
        name=name,
        accounts=tuple(sorted(known.values(), key=lambda account: (account.name, account.id))),
        doors=listed,
        units=tuple(sorted(whole)),
        memberships=tuple(sorted(set(memberships), key=lambda pair: (pair[1].name, pair[0].name, pair[0].account))),
    )


def doors_of(whole: Organization, principal: Who) -> tuple[Door, ...]:
    """The ways and doors of a principal and of its groups, and those behind a role that it may reach.

    A way through other roles is one of its own. What is behind a door that is not proved is no way yet, so it is looked
    for here; a door that is shut leads nowhere.
    """
    by_source: dict[Who, list[Door]] = {}
    for door in whole.doors:
        by_source.setdefault(door.source, []).append(door)
    waiting = [principal, *(group for user, group in whole.memberships if user == principal)]
    seen = set(waiting)
    found: list[Door] = []
    while waiting:
        for door in by_source.get(waiting.pop(0), ()):
            found.append(door)
            if door.state is State.UNPROVED and door.target not in seen:
                seen.add(door.target)
                waiting.append(door.target)
    return tuple(found)


def _door_order(door: Door, accounts: Mapping[str, Account]) -> tuple[str, ...]:
    """By the account's name, then the role, then who comes: as people look for them."""
    source, target = door.source, accounts[door.account]
    return (target.name, target.id, door.role, accounts[source.account].name, source.label, source.account, door.name)
