"""What a map shows: the organization's units, its accounts, and the doors between them. Frozen, and free of drawing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum


class Key(Enum):
    """One of a door's two keys, the trust in the target or the grant in the source, as far as it is known."""

    PRESENT = "present"
    MISSING = "missing"
    UNKNOWN = "unknown"


class State(Enum):
    """What a door looks like: open with both keys, not proved either way, or shut for want of one; the worst last."""

    OPEN = "open"
    UNPROVED = "unproved"
    SHUT = "shut"


@dataclass(frozen=True)
class Principal:
    """Who a door lets in: `kind` is "role", "user", "group", "root" or another word of AWS; a root has no name."""

    kind: str
    account: str
    name: str = ""

    @property
    def label(self) -> str:
        """The principal in words, without its account: "role ci", or "root"."""
        return f"{self.kind} {self.name}".rstrip()


@dataclass(frozen=True)
class Account:
    """An account of the map.

    `id` is 12 digits, or the symbol ("account:stage") of an account that does not exist yet. `unit` is the path of its
    organizational unit from the root down, () for the root itself, and None for an account that is no member of the
    organization as far as the map's sources know.
    """

    id: str
    name: str
    environment: str | None = None
    unit: tuple[str, ...] | None = ()


@dataclass(frozen=True)
class Door:
    """One (source principal, target role) pair across accounts, with both keys.

    `verdict` is ALLOW, DENY, CONDITIONAL or UNKNOWN, or None where only the two keys are known. `requirements` say in
    words what a session must show beside its identity. `explanation` is text that may have several lines.
    """

    name: str
    source: Principal
    account: str
    role: str
    trust: Key
    grant: Key
    verdict: str | None = None
    requirements: tuple[str, ...] = ()
    max_session_seconds: int | None = None
    reason: str | None = None
    owner: str | None = None
    expires: datetime | None = None
    explanation: str = ""

    @property
    def state(self) -> State:
        """SHUT as soon as a key is missing or the verdict is DENY; OPEN only with both keys and no doubt."""
        keys = {self.trust, self.grant}
        if Key.MISSING in keys or self.verdict == "DENY":
            return State.SHUT
        if Key.UNKNOWN in keys or self.verdict == "UNKNOWN":
            return State.UNPROVED
        return State.OPEN

    @property
    def lacks(self) -> str:
        """The state in words, which never needs a colour: "both keys", "no grant", "trust not proved"."""
        keys = (("trust", self.trust), ("grant", self.grant))
        missing = [name for name, key in keys if key is Key.MISSING]
        unknown = [name for name, key in keys if key is Key.UNKNOWN]
        if missing:
            return "no " + ", no ".join(missing)
        if self.state is State.SHUT:
            return "denied"
        if unknown:
            return " and ".join(unknown) + " not proved"
        return "both keys" if self.state is State.OPEN else "not proved"


@dataclass(frozen=True)
class Organization:
    """Everything on one map. Build it with `organization`: then each account that a door names is among `accounts`.

    `units` are the paths of all organizational units, so that one without accounts is seen too. `memberships` are pairs
    of a user and a group: who is let in where a door names a group.
    """

    name: str
    accounts: tuple[Account, ...]
    doors: tuple[Door, ...]
    units: tuple[tuple[str, ...], ...] = ()
    memberships: tuple[tuple[Principal, Principal], ...] = ()

    @property
    def principals(self) -> tuple[Principal, ...]:
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
    memberships: Iterable[tuple[Principal, Principal]] = (),
) -> Organization:
    """An organization in a stable order, in which each account that only a door names stands outside the units.

    Every unit above an account or another unit is listed. An account that is given twice is shown as it was last given.
    """
    known = {account.id: account for account in accounts}
    listed = tuple(sorted(doors, key=_door_order))
    for door in listed:
        for id in (door.source.account, door.account):
            known.setdefault(id, Account(id=id, name=id, unit=None))
    paths = {unit for account in known.values() if (unit := account.unit)} | set(units)
    whole = {path[:depth] for path in paths for depth in range(1, len(path) + 1)}
    return Organization(
        name=name,
        accounts=tuple(sorted(known.values(), key=lambda account: (account.name, account.id))),
        doors=listed,
        units=tuple(sorted(whole)),
        memberships=tuple(sorted(set(memberships), key=lambda pair: (pair[1].name, pair[0].name, pair[0].account))),
    )


def doors_of(whole: Organization, principal: Principal) -> tuple[Door, ...]:
    """The doors of a principal: its own, those of its groups, and those behind roles that it can reach (role chaining).

    A door that is shut leads nowhere, so nothing behind it is listed; one that is not proved may be open, so what is
    behind it is.
    """
    by_source: dict[Principal, list[Door]] = {}
    for door in whole.doors:
        by_source.setdefault(door.source, []).append(door)
    waiting = [principal, *(group for user, group in whole.memberships if user == principal)]
    seen = set(waiting)
    found: list[Door] = []
    while waiting:
        for door in by_source.get(waiting.pop(0), ()):
            found.append(door)
            behind = Principal("role", door.account, door.role)
            if door.state is not State.SHUT and behind not in seen:
                seen.add(behind)
                waiting.append(behind)
    return tuple(found)


def _door_order(door: Door) -> tuple[str, ...]:
    source = door.source
    return (door.account, door.role, source.account, source.kind, source.name, door.name)
