"""What is on one picture: boxes within boxes, and arrows between them, few enough to be read.

A picture of every door of 500 accounts is no picture (laid out it is 89,000 pixels wide), so a scene shows as much
detail as can be read: roles, else accounts, else organizational units down to some depth, and the doors between two
boxes as one arrow for each state. What is wrong is not folded away while it is rare: an account at a door that is not
open stays a box of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import cast

from twokeys.access.judge import Key
from twokeys.answers.model import Account, DoorAnswer, State, Step, Way
from twokeys.answers.permissions import Level
from twokeys.answers.words import asked_of_session
from twokeys.doors import Who
from twokeys.doors.who import Kind
from twokeys.iam import is_account_id
from twokeys.map.model import OPEN, WAY, WITHIN, Look, Map, arrows_of
from twokeys.shown import counted, folded, listed

MOST_ARROWS, MOST_BOXES = 12, 40
MOST_ACCOUNTS = 12
"""Up to how many accounts none is folded into its unit, however many arrows there are."""
MOST_EXCEPTIONS = 8
"""Up to how many accounts with a door that is not open stay out of the box that their unit is folded into."""

_ROLES, _ACCOUNTS = 1_000_001, 1_000_000
"""Levels of detail; a smaller number is the depth down to which organizational units are told apart."""

_MOST_NAMED, _WIDTH, _WIDEST_STATE = 4, 22, 30
"""How many lines name the doors of one arrow, and how wide they are; how wide those that say what it lacks."""

SIGNS = {Look.OPEN: "✓", Look.DATED: "◷", Look.UNPROVED: "?", Look.SHUT: "✗"}


@dataclass(frozen=True)
class Box:
    """A box of a scene, with the boxes in it.

    `kind` is "root", "unit", "outside", "account", "accounts" (several in one box) or "principal" (also the role behind
    a door); `about` is what it stands for: a unit's path, an account's id, or a principal's kind, account and name.
    `lines` is its text.
    """

    key: str
    kind: str
    about: tuple[str, ...]
    lines: tuple[str, ...]
    children: tuple[Box, ...] = ()


@dataclass(frozen=True)
class Arrow:
    """One or more doors from one box, alike in what they lack; `source` and `targets` are the boxes' keys.

    Those that let the same come into the same roles of several accounts or units are one arrow with a head at each. It
    is drawn in halves, the grant from the source to the middle and the trust from there to the targets, so that it
    shows which key is missing; one from a box into itself is drawn in that box. `around` is the key of the innermost
    box that holds all ends, if there is one. `doors` are the ways that lead along it, also those that lead on.
    """

    key: str
    source: str
    targets: tuple[str, ...]
    around: str | None
    grant: Look
    trust: Look
    lines: tuple[str, ...]
    title: str
    """For a reader who does not see it: "group developers of management to role readonly of prod: ✗ no grant"."""
    doors: tuple[Way | DoorAnswer, ...]


@dataclass(frozen=True)
class Scene:
    """The whole organization with all its doors, before it is laid out."""

    subtitle: str
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]


_Doors = dict[Step | DoorAnswer, list[Way | DoorAnswer]]
"""The doors of an arrow, each with the ways that lead through it."""
Segment = tuple[str, tuple[str, ...]]
Path = tuple[Segment, ...]
"""Where a box is, from the outermost box in: (kind, about) of each box around it, and its own."""


def overview(whole: Map) -> Scene:
    """The whole organization, in the most detail that can be read."""
    units = [(), *whole.units]
    for level in (_ROLES, _ACCOUNTS, *range(max(map(len, units)), -1, -1)):
        drawing = _Drawing(whole, level)
        drawing.add_units(unit[:level] for unit in units)
        if drawing.fits():
            break
    boxes = drawing.boxes()
    return Scene(f"{counted(len(whole.answers.accounts), 'account')}, {_counts(whole)}", boxes, drawing.arrows())


class _Drawing:
    """Accounts, shown down to a level of detail, and the doors between them."""

    def __init__(self, whole: Map, level: int) -> None:
        self._accounts = whole.accounts
        self._level = level
        self._apart = _exceptions(whole.doors) | {""}  # GitHub and the like are in no account: none of those counted
        folded = [account for account in whole.accounts.values() if account.id not in self._apart]
        self._together = Counter(self._surroundings(account) for account in folded)
        self._paths: dict[Path, None] = {}
        for account in sorted(whole.accounts.values(), key=lambda account: (account.unit is None, account.unit or ())):
            self._paths[self._account_path(account)] = None
        self._whole = whole
        self._between: dict[tuple[Path, Path, str, Look], _Doors] = {}
        """The doors by their ends and what they lack."""
        for door in whole.doors:
            for one in arrows_of(door):
                ends = self._end(one.source.who, one), self._end(one.target.who, one)
                self._between.setdefault((*ends, one.lacks, whole.look(one)), {}).setdefault(one, []).append(door)
        self._keys: dict[Path, str] = {}

    def fits(self) -> bool:
        around = {path[:depth] for path in self._paths for depth in range(len(path))}
        few = len(self._between) <= MOST_ARROWS
        few |= self._level == _ACCOUNTS and len(self._accounts) <= MOST_ACCOUNTS
        return few and len(self._paths.keys() - around) <= MOST_BOXES

    def add_units(self, units: Iterable[tuple[str, ...]]) -> None:
        """Show these units even where they are empty."""
        self._paths.update(dict.fromkeys(map(_unit_path, units)))

    def boxes(self) -> tuple[Box, ...]:
        """The outermost boxes."""
        tree: dict[Path, dict[Path, None]] = {}
        for path in self._paths:
            for depth in range(len(path)):
                tree.setdefault(path[:depth], {})[path[: depth + 1]] = None
        return tuple(self._box(path, tree) for path in tree.get((), ()))

    def arrows(self) -> tuple[Arrow, ...]:
        """The arrows, between boxes that `boxes` has made."""
        alike: dict[tuple[object, ...], tuple[Path, tuple[str, ...], tuple[Look, Look], dict[Path, _Doors]]] = {}
        for (source, target, _, look), doors in self._between.items():
            first = next(iter(doors))
            lacks = {self._whole.lacks(one) for one in doors}
            known = lacks.pop() if len(lacks) == 1 else f"{first.lacks}, shut by date"
            lines = _label(source, target, folded(f"{SIGNS[look]} {known}", _WIDEST_STATE, 0), doors)
            apart = target if source == target or target[-1][0] == "principal" else None
            halves = _halves(first, look)
            same = frozenset((one.source.who, one.target.who.name) for one in doors)  # a label may only count them
            into = alike.setdefault((source, apart, lines, halves, same), (source, lines, halves, {}))[-1]
            into.setdefault(target, {}).update(doors)
        return tuple(
            self._arrow(f"arrow-{number}", source, into, lines, halves)
            for number, (source, lines, halves, into) in enumerate(alike.values(), start=1)
        )

    def _arrow(
        self, key: str, source: Path, into: Mapping[Path, _Doors], lines: tuple[str, ...], halves: tuple[Look, Look]
    ) -> Arrow:
        ends = {(one.source.who, one.target.who) for doors in into.values() for one in doors}
        many = len(ends) > len({(who.label, role.called) for who, role in ends})
        lines = (*lines, counted(len(ends), "door")) if many else lines
        most = min(map(len, (source, *into))) + (source in into)
        shared = max(depth for depth in range(most) if {one[:depth] for one in into} == {source[:depth]})
        targets = ", ".join(map(self._name_and_place, into))
        return Arrow(
            key=key,
            source=self._keys[source],
            targets=tuple(self._keys[target] for target in into),
            around=self._keys[source[:shared]] if shared else None,
            grant=halves[0],
            trust=halves[1],
            lines=lines,
            title=f"{self._name_and_place(source)} to {targets}: {' '.join(lines)}",
            doors=tuple(dict.fromkeys(way for doors in into.values() for ways in doors.values() for way in ways)),
        )

    def _box(self, path: Path, tree: dict[Path, dict[Path, None]]) -> Box:
        key = self._keys[path] = f"box-{len(self._keys) + 1}"
        kind, about = path[-1]
        inner = list(tree.get(path, ()))
        lines = self._lines(kind, about, path)
        if kind == "unit" and not inner:
            return Box(key, kind, about, (*lines, "no accounts"))
        if kind in ("unit", "outside") and len(inner) == 1 and inner[0][-1][0] == "accounts":
            self._keys[inner[0]] = key
            return Box(key, kind, about, (*lines, *self._lines("accounts", about, inner[0])))
        return Box(key, kind, about, lines, tuple(self._box(child, tree) for child in inner))

    def _lines(self, kind: str, about: tuple[str, ...], path: Path) -> tuple[str, ...]:
        if kind == "root":
            return ("Organization root",)
        if kind == "unit":
            return (f"OU {about[-1]}",)
        if kind == "outside":
            return ("Outside the organization's accounts",)
        if kind == "accounts":
            depth = len(path) - 1
            beside = (other[depth] for other in self._paths if other[:depth] == path[:depth] and len(other) > depth)
            apart = any(kind == "account" and about != ("",) for kind, about in beside)
            return (f"{self._together[path[:depth]]} {'other ' if apart else ''}accounts",)
        if kind == "account":
            return _account_lines(self._accounts[about[0]])
        return (Who(cast(Kind, about[0]), about[1], about[2]).label,)

    def _name_and_place(self, path: Path) -> str:
        kind, about = path[-1]
        place = f" of {self._accounts[about[1]].name}" if kind == "principal" else ""
        return self._lines(kind, about, path)[0] + place

    def _surroundings(self, account: Account) -> Path:
        if account.unit is None:
            return (("outside", ()),)
        return _unit_path(account.unit[: self._level])

    def _account_path(self, account: Account) -> Path:
        around = self._surroundings(account)
        together = self._level < _ACCOUNTS and account.id not in self._apart and self._together[around] > 1
        own: Segment = ("accounts", around[-1][1]) if together else ("account", (account.id,))
        return (*around, own)

    def _path(self, who: Who) -> Path:
        path = self._account_path(self._accounts[who.account])
        if self._level < _ROLES:
            return path
        return (*path, ("principal", (who.kind, who.account, who.called)))

    def _end(self, who: Who, door: Step | DoorAnswer) -> Path:
        """Where an arrow ends: for the many doors that are open, at the unit whose accounts are folded into one box."""
        path = self._path(who)
        account = self._accounts[who.account]
        around = self._surroundings(account)
        folded = self._level < _ACCOUNTS and self._together[around] > 1
        if folded and door.state is State.OPEN and around[-1][0] != "root":
            return around
        self._paths[path] = None
        return path


def _account_lines(account: Account) -> tuple[str, ...]:
    """An account in words: its name, its id or that it has none yet, its environment by another name, and if closed."""
    id = account.id if is_account_id(account.id) else "not created yet" if account.unit is not None else ""
    closed = "closed" if account.closed else ""
    return tuple(dict.fromkeys(line for line in (account.name, id, account.environment, closed) if line))


@cache
def _unit_path(unit: tuple[str, ...]) -> Path:
    return (("root", ()), *(("unit", unit[:depth]) for depth in range(1, len(unit) + 1)))


def _exceptions(doors: Iterable[Way | DoorAnswer]) -> frozenset[str]:
    shut = [door for door in doors if door.state is not State.OPEN]
    apart = {party.who.account for door in shut for party in (door.target, door.source)}
    return frozenset(apart) if len(apart) <= MOST_EXCEPTIONS else frozenset()


def _halves(door: Step | DoorAnswer, look: Look) -> tuple[Look, Look]:
    """How the halves of an arrow, grant and trust, are drawn; one that is denied with both keys is shut on both."""
    if isinstance(door, Step):
        return look, look if look is Look.DATED else Look.OPEN
    if Key.PRESENT is door.trust is door.grant:
        return look, look
    looks = {Key.MISSING: Look.SHUT, Key.DENIED: Look.SHUT, Key.UNPROVED: Look.UNPROVED}
    return looks.get(door.grant, Look.OPEN), looks.get(door.trust, Look.OPEN)


def _label(
    source: Path, target: Path, known: Iterable[str], doors: Mapping[Step | DoorAnswer, Collection[Way | DoorAnswer]]
) -> tuple[str, ...]:
    """Who comes into which role, where the boxes do not say it; what is known of the keys; what a session must show.

    An administrator's role is called so. `doors` are those of the arrow, each with the ways that lead through it.
    """
    if source[-1][0] == target[-1][0] == "principal":
        strong = ["administrator"] if any(_administrator(door, ways) for door, ways in doors.items()) else []
        strong += dict.fromkeys(said for door, ways in doors.items() if (said := _outside(door, ways)))
        return (*known, *strong, *filter(None, dict.fromkeys(asked_of_session(door.conditions) for door in doors)))
    into: dict[tuple[str, str], dict[str, None]] = {}
    for door, ways in doors.items():
        how = "administrator" if _administrator(door, ways) else ""
        marks = ", ".join(filter(None, (_outside(door, ways), how)))
        needs = f" ({marks})" if marks else ""
        needs += f", {asked_of_session(door.conditions)}" if door.conditions else ""
        into.setdefault((door.source.who.label, needs), {})[door.target.who.called] = None
    alike: dict[tuple[tuple[str, ...], str], list[str]] = {}
    for (who, needs), roles in into.items():
        alike.setdefault((tuple(roles), needs), []).append(who)
    named = [f"{listed(who)} → {listed(roles)}{needs}" for (roles, needs), who in alike.items()]
    if len(named) > _MOST_NAMED:
        people, aims = {who for who, _ in into}, {door.target.who.name for door in doors}
        named = [f"{counted(len(people), 'principal')} → {counted(len(aims), 'role')}"]
    return (*(line for name in named for line in folded(name, _WIDTH, 0)), *known)


def _outside(door: Step | DoorAnswer, ways: Iterable[Way | DoorAnswer]) -> str:
    """What an arrow says by which all the world may come, or others."""
    there = [way for way in ways if isinstance(way, Way) and way.source.who == door.source.who]
    return (
        OPEN if any(way.open_to for way in there) else next((way.third_party for way in there if way.third_party), "")
    )


def _administrator(door: Step | DoorAnswer, ways: Iterable[Way | DoorAnswer]) -> bool:
    ends = (way for way in ways if isinstance(way, Way) and way.target.who == door.target.who)
    return any(way.permissions.level is Level.ADMINISTRATOR for way in ends)


def kinds_counted(whole: Map) -> list[str]:
    """What there may be to count, in the order in which it is said."""
    return [WAY, WITHIN, *sorted(set(map(whole.counted_as, whole.doors)) - {WAY, WITHIN})]


def _counts(whole: Map) -> str:
    """How many ways in, ways within an account, and doors that are not open, as every command counts them."""
    numbers = Counter(map(whole.counted_as, whole.doors))
    unsure = sum(whole.counted_as(door) == WAY and whole.look(door) is Look.UNPROVED for door in whole.doors)
    ways, within, *trouble = kinds_counted(whole)
    return ", ".join(
        (
            f"{counted(numbers[ways], 'way')} in" + (f" ({unsure} with a key not shown)" if unsure else ""),
            *([f"{numbers[within]} {within}"] if numbers[within] else []),
            *(f"{counted(numbers[what], noun)} {more}" for what in trouble for noun, _, more in [what.partition(" ")]),
        )
    )
