"""Ways that lead through more than one role: role chaining.

A session of a role can assume the next role. So whoever opens a door to a role has every door of that role too.
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from twokeys.access.graph import Door, Graph
from twokeys.access.model.door_name import DoorName
from twokeys.access.model.principals import Principal
from twokeys.iam import Outcome


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """A way from a principal to a role, as the doors it leads through, in order."""

    doors: tuple[Door, ...]

    @property
    def source(self) -> Principal:
        """Where it begins."""
        return self.doors[0].source

    @property
    def target(self) -> Principal:
        """The role it ends in."""
        return self.doors[-1].target

    @property
    def id(self) -> DoorName:
        """`<source ARN> -> <target ARN>`, like a door's."""
        return DoorName(self.source.arn, self.target.arn)

    def __str__(self) -> str:
        return " -> ".join([self.source.arn, *(door.target.arn for door in self.doors)])


def paths_from(
    graph: Graph, starts: Callable[[Principal], bool], further: Iterable[Door] = (), *, perhaps: bool = False
) -> Iterator[Path]:
    """The shortest way from each starting principal to each role it can reach, in order of length.

    `further` are doors beside the graph's own. Only open doors count, those under conditions included: conditions can
    be met; with `perhaps`, also those that nothing known keeps shut. Doors within one account are steps of a way, but a
    way is only one if it leads into another account.
    """
    every = (*graph.doors, *graph.steps, *further)
    doors = _by_source(door for door in every if door.open or (perhaps and door.perhaps))
    for start in [principal for principal in doors if starts(principal)]:
        yield from _from(start, doors)


def without_conditions(graph: Graph, paths: Iterable[Path]) -> Iterator[Path]:
    """Beside each of these ways that asks for something, the shortest between its ends that does not, if there is one.

    Without it, a way through a further role would let somebody in without the MFA that a door of theirs asks for.
    """
    doors = _by_source(door for door in (*graph.doors, *graph.steps) if door.outcome is Outcome.ALLOW)
    asking: dict[Principal, set[Principal]] = defaultdict(set)
    for path in paths:
        if any(door.outcome is not Outcome.ALLOW for door in path.doors):
            asking[path.source].add(path.target)
    for start, targets in asking.items():
        yield from (path for path in _from(start, doors) if path.target in targets)


def leading_out(graph: Graph) -> frozenset[Principal]:
    """The roles from which an open way leads into an account that is not theirs."""
    before: dict[Principal, list[Principal]] = defaultdict(list)
    for step in graph.steps:
        if step.open:
            before[step.target].append(step.source)
    reached = {door.source for door in graph.doors if door.open}
    waiting = list(reached)
    while waiting:
        for source in before.get(waiting.pop(), ()):
            if source not in reached:
                reached.add(source)
                waiting.append(source)
    return frozenset(reached)


def _by_source(doors: Iterable[Door]) -> Mapping[Principal, list[Door]]:
    found: dict[Principal, list[Door]] = defaultdict(list)
    for door in doors:
        found[door.source].append(door)
    return found


def _from(start: Principal, doors: Mapping[Principal, list[Door]]) -> Iterator[Path]:
    reached = {start}
    waiting: deque[tuple[Door, ...]] = deque([()])
    while waiting:
        way = waiting.popleft()
        here = way[-1].target if way else start
        for door in doors.get(here, ()):
            if door.target not in reached:
                reached.add(door.target)
                longer = (*way, door)
                waiting.append(longer)
                if door.target.account != start.account:
                    yield Path(longer)
