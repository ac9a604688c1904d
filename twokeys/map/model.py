"""What a map shows of the answers at a moment: accounts and units, ways in, and the doors that are not open."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import cached_property

from twokeys.answers.model import Account, Answers, DoorAnswer, State, Step, Time, Way
from twokeys.answers.words import not_now
from twokeys.doors import Who

OUTSIDE = "In no account"
"""Where those stand that belong to none: people of Identity Center or a SAML provider, web identities, everyone."""

OPEN = "open to anybody"
WAY, WITHIN = "way in", "within an account"


class Look(Enum):
    """How one is drawn: as the state of its keys, or as one that its dates keep shut; the worst last."""

    OPEN = "open"
    DATED = "dated"
    UNPROVED = "unproved"
    SHUT = "shut"


KINDS = {
    "role": "by a role",
    "user": "by a user",
    "group": "by a group",
    "root": "by an account as a whole",
    "identity-center-user": "by IAM Identity Center",
    "identity-center-group": "by IAM Identity Center",
    "web-identity": "by a web identity",
    "saml": "by SAML",
    "service": "by an AWS service",
    "outsider": "by an organization as a whole",
    "everyone": "by anybody in AWS",
}


@dataclass(frozen=True)
class Map:
    """Everything on one map, in a stable order; `now` is the moment for which it is said what is open."""

    answers: Answers
    now: datetime

    @cached_property
    def accounts(self) -> dict[str, Account]:
        """By id each account, and whatever else stands at an end of a door: that stands outside the units."""
        doors: tuple[Step | DoorAnswer, ...] = (*self.answers.steps, *self.answers.doors)
        others = {party.who.account: party.place for one in doors for party in (one.source, one.target)}
        known = {id: Account(id, place if id else OUTSIDE, None, None) for id, place in others.items()}
        known |= self.answers.accounts
        return {one.id: one for one in sorted(known.values(), key=lambda account: (account.name, account.id))}

    @cached_property
    def doors(self) -> tuple[Way | DoorAnswer, ...]:
        """Every way that an audit lists, and the doors that are not open; as people look for them."""
        shut = (door for door in self.answers.doors if door.state is not State.OPEN)
        return tuple(sorted((*self.answers.all_ways, *shut), key=self._order))

    @cached_property
    def units(self) -> tuple[tuple[str, ...], ...]:
        """The paths of all organizational units, so that one without accounts is seen too."""
        paths = {unit for account in self.accounts.values() if (unit := account.unit)} | set(self.answers.units)
        return tuple(sorted({path[:depth] for path in paths for depth in range(1, len(path) + 1)}))

    @cached_property
    def memberships(self) -> tuple[tuple[Who, Who], ...]:
        """Pairs of a user and a group: who is let in where a door names a group."""
        pairs = {(user.who, group.who) for user, group in self.answers.memberships}
        return tuple(sorted(pairs, key=lambda pair: (pair[1].name, pair[0].name, pair[0].account)))

    @property
    def principals(self) -> tuple[Who, ...]:
        """Everyone a door lets in, the users of a group that it names included; sorted by name, then account."""
        found = {door.source.who for door in self.doors}
        found |= {user for user, group in self.memberships if group in found}
        return tuple(sorted(found, key=lambda who: (who.name, who.kind, who.account)))

    @property
    def unproved(self) -> tuple[str, ...]:
        """What may let somebody in and is no arrow, as nobody knows whom or where to."""
        return tuple(one.message for one in self.answers.not_proved if one.source is None or one.target is None)

    def look(self, one: Way | Step | DoorAnswer) -> Look:
        """How it is drawn: its dates come first, as AWS refuses it whatever is known of its keys."""
        dated = not isinstance(one, DoorAnswer) and one.at(self.now) is not Time.NOW
        return Look.DATED if dated else Look(one.state.value)

    def lacks(self, one: Way | Step | DoorAnswer) -> str:
        """What is known of its keys, and how its dates keep it shut: "both keys", "both keys, opens 2027-06-01"."""
        shut = "" if isinstance(one, DoorAnswer) else not_now(one, self.now)
        return f"{one.lacks}, {shut}" if shut else one.lacks

    def counted_as(self, one: Way | DoorAnswer) -> str:
        """What every command counts it as: "way in", "within an account", "way not open yet", "door with no grant"."""
        if is_within(one):
            return WITHIN
        if isinstance(one, DoorAnswer):
            return f"door with {one.lacks}"
        time = one.at(self.now)
        return WAY if time is Time.NOW else f"way {time.value}"

    def doors_of(self, principal: Who) -> tuple[Way | DoorAnswer, ...]:
        """The ways and doors of a principal and of its groups, and those behind a role that it may reach.

        A way through other roles is one of its own. What is behind a door that is not proved is no way yet, so it is
        looked for here; a door that is shut leads nowhere.
        """
        waiting = [principal, *(group for user, group in self.memberships if user == principal)]
        seen = set(waiting)
        found: list[Way | DoorAnswer] = []
        while waiting:
            for door in self._by_source.get(waiting.pop(0), ()):
                found.append(door)
                if door.state is State.UNPROVED and door.target.who not in seen:
                    seen.add(door.target.who)
                    waiting.append(door.target.who)
        return tuple(found)

    @cached_property
    def _by_source(self) -> dict[Who, list[Way | DoorAnswer]]:
        found: dict[Who, list[Way | DoorAnswer]] = {}
        for door in self.doors:
            found.setdefault(door.source.who, []).append(door)
        return found

    def _order(self, door: Way | DoorAnswer) -> tuple[str, ...]:
        """What all the world may enter by and what others may first; by the account's name, then the role, then who."""
        source, target = door.source.who, door.target.who
        names = self.accounts[target.account].name, self.accounts[source.account].name
        way = door if isinstance(door, Way) else None
        first = "0" if way and way.open_to else "1" if way and way.third_party else "2"
        return (first, names[0], target.account, target.name, names[1], source.label, source.account, name_of(door))


def name_of(one: Way | DoorAnswer) -> str:
    """What a declaration calls it, or else from whom it leads to whom."""
    return one.declared.name if one.declared else f"{one.source.who.label} to {one.target.who.called}"


def is_within(one: Way | DoorAnswer) -> bool:
    """Whether it leads from nowhere but its own account into that account."""
    return one.source.who.account == one.target.who.account


def arrows_of(one: Way | DoorAnswer) -> tuple[Step | DoorAnswer, ...]:
    """The doors that are drawn for it."""
    return one.steps if isinstance(one, Way) else (one,)


def kinds_of(one: Way | DoorAnswer) -> Iterator[str]:
    """The words that it can be filtered by."""
    yield KINDS.get(one.source.who.kind, one.source.who.kind)
    if isinstance(one, Way):
        if one.open_to:
            yield OPEN
        elif one.third_party:
            yield "by a third party"
        if one.through:
            yield "through other roles"
        if one.by_access_role:
            yield "by AWS's access role"
        if one.target.who.kind == "root-user":
            yield "by a root session"
        if is_within(one):
            yield WITHIN
