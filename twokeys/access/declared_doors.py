"""What the stacks say of their doors for people: name, reason, owner, expiry. It decides nothing."""

from collections.abc import Iterable, Iterator, Mapping

from twokeys.access.graph import Graph
from twokeys.access.model.principals import Principal
from twokeys.doors import DeclaredDoor, Who
from twokeys.iam.sts import permission_set_of


class DeclaredDoors:
    """The declarations of a graph's doors, from components and from the output `doors` of stacks.

    `unreadable` are those that cannot be read: what they say of a door is then missing in every answer.
    """

    def __init__(self, graph: Graph) -> None:
        self._snapshot = graph.snapshot
        self.unreadable: dict[str, str] = {}
        self._doors: dict[tuple[Who, Who], DeclaredDoor] = {}
        canonical = graph.accounts.canonical
        for door in self._all():
            role = Who("role", canonical(door.target.account), door.target.role)
            for one in (*door.source.principals, *door.whom):
                self._doors[Who(one.kind, canonical(one.account), one.name), role] = door

    def of(self, source: Who, groups: Iterable[Who], role: Who) -> DeclaredDoor | None:
        """The declaration that was written for a door: it names the principal, or a group of it.

        One for an account as a whole is for whom its grant names, not for everybody else there who holds a grant too.
        """
        if permission_set_of(role.name):
            role = Who(role.kind, role.account, role.name.rpartition("_")[0])
        return next((found for who in (source, *groups) if (found := self._doors.get((who, role)))), None)

    def _all(self) -> Iterator[DeclaredDoor]:
        listed = [resource.get("door") for resource in self._snapshot.resources]
        for outputs in self._snapshot.stack_outputs:
            doors = outputs.get("doors")
            listed += [one.get("door") for one in doors if isinstance(one, Mapping)] if isinstance(doors, list) else []
        for door in listed:
            # Another component's property of the same name may be anything.
            if isinstance(door, Mapping) and "source" in door and "target" in door:
                try:
                    yield DeclaredDoor.read(door)
                except ValueError as error:
                    self.unreadable[str(door.get("name"))] = str(error)


def who(principal: Principal) -> Who:
    """A principal as declarations and records name it: an outsider by what its ARN says that it is."""
    named = Who.named(principal.arn) if principal.kind == "outsider" else None
    return named or Who(
        principal.kind, principal.account, "" if principal.kind in ("root", "everyone") else principal.name
    )
