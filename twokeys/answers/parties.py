"""The two ends of a door as answers name them, and what its program declares of it."""

from dataclasses import replace

from twokeys.access.declared_doors import DeclaredDoors, who
from twokeys.access.graph import Door, Graph
from twokeys.access.model.principals import Principal
from twokeys.answers.account_names import AccountNames
from twokeys.answers.model import Party
from twokeys.doors import DeclaredDoor, Who


class Parties:
    """The principals of a graph as answers name them."""

    def __init__(self, graph: Graph) -> None:
        self._accounts = graph.accounts
        self.declared = DeclaredDoors(graph)
        self.names = AccountNames(graph)
        self.members = {one.source: one.members for one in graph.identity_center.assignments}

    def of(self, principal: Principal) -> Party:
        """A principal, with the place of its account and, of a group of Identity Center, its members."""
        name = self.names.of(principal.account) if principal.account else ""
        return Party(who(principal), principal.arn, name, self.members.get(principal, ()))

    def target(self, principal: Principal) -> Party:
        """The role behind a door, or the root user of a member account, whom sts:AssumeRoot makes one for a while.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-enable-root-access.html
        """
        party = self.of(principal)
        return (
            replace(party, who=Who("root-user", principal.account, "root user")) if principal.kind == "root" else party
        )

    def declaration(self, door: Door) -> DeclaredDoor | None:
        """What is declared of a door, if anything is."""
        return self.declared.of(who(door.source), map(who, door.source.groups), who(door.target))

    def between_known(self, door: Door) -> bool:
        """Whether it is known that a door leads from one account into another, or from outside every account."""
        if not door.source.account or not door.crosses:
            return True
        return self._accounts.pinned(door.source.account) and self._accounts.pinned(door.target.account)
