"""The doors that a change opens and closes, those through other roles included."""

from __future__ import annotations

from dataclasses import dataclass

from twokeys.access.graph import Graph
from twokeys.access.paths import Path, paths_from


@dataclass(frozen=True, slots=True)
class Way:
    """A way into another account as a change sees it: who, which role, through which roles, under what conditions."""

    source: str
    target: str
    through: tuple[str, ...]
    conditions: tuple[str, ...]

    def __str__(self) -> str:
        through = f" through {', '.join(self.through)}" if self.through else ""
        conditions = f" if {' and '.join(self.conditions)}" if self.conditions else ""
        return f"{self.source} -> {self.target}{through}{conditions}"


@dataclass(frozen=True, slots=True)
class Changes:
    """`changed` pairs a way before and after, where it leads through other roles or under other conditions."""

    gained: tuple[Way, ...]
    lost: tuple[Way, ...]
    changed: tuple[tuple[Way, Way], ...]

    def __bool__(self) -> bool:
        return bool(self.gained or self.lost or self.changed)


def changes(before: Graph, after: Graph) -> Changes:
    """What the step from one graph to another opens and closes.

    Accounts are compared by id, or by symbol while they have none: an account that gets its id in between is the same.
    Ways that are not proved count as closed on both sides; `unproved-door` tells of them.
    """
    names = {symbol: identity for graph in (before, after) for symbol, identity in graph.accounts.ids.items()}
    old, new = _ways(before, names), _ways(after, names)
    return Changes(
        gained=tuple(new[place] for place in new if place not in old),
        lost=tuple(old[place] for place in old if place not in new),
        changed=tuple((old[place], new[place]) for place in new if place in old and old[place] != new[place]),
    )


def _ways(graph: Graph, names: dict[str, str]) -> dict[tuple[str, str], Way]:
    found = (_way(path, names) for path in paths_from(graph, lambda _principal: True))
    return {(way.source, way.target): way for way in found}


def _way(path: Path, names: dict[str, str]) -> Way:
    doors = path.doors
    requirements = [one for door in doors for key in (door.trust, door.grant) for one in key.requirements]
    return Way(
        source=_with_ids(path.source.arn, names),
        target=_with_ids(path.target.arn, names),
        through=tuple(_with_ids(door.target.arn, names) for door in doors[:-1]),
        conditions=tuple(sorted({_with_ids(str(one), names) for one in requirements})),
    )


def _with_ids(text: str, names: dict[str, str]) -> str:
    for symbol, identity in names.items():
        text = text.replace(f":{symbol}:", f":{identity}:")
    return text
