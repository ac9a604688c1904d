"""The doors of a graph with what there is of their keys, and what may let somebody in and is not proved."""

from collections.abc import Iterator
from functools import cached_property

from twokeys.access.graph import Door, Graph
from twokeys.access.judge import Key
from twokeys.access.keys import Lack, Statement, denial, statements
from twokeys.access.model.principals import Principal
from twokeys.access.model.requirements import MFA, MFA_BUT_OF_KEYS, in_words
from twokeys.answers.model import DoorAnswer, NotProved, Party
from twokeys.answers.parties import Parties
from twokeys.doors import Who
from twokeys.doors.documents import KEYS
from twokeys.iam import Arn, Outcome, Verdict


class Doors:
    """What the graph, and the statements about keys, say of doors."""

    def __init__(self, graph: Graph, parties: Parties) -> None:
        self._graph = graph
        self._parties = parties
        self._statements = list(statements(graph))

    def read(self) -> Iterator[DoorAnswer]:
        """The doors of the graph, and those of which it has only one key: what its statements about keys tell.

        A pattern that grants a role which does not trust the principal is no door, but one that a control policy shuts
        is, into a role that AWS made. A group's door is left out where those of its members are there: AWS takes no
        group as a principal.
        """
        said = {statement.door: statement for statement in self._statements}
        by_members = {(group, door.target) for door in self._graph.doors for group in door.source.groups}
        for door in self._graph.doors:
            statement = said.pop(door.id, None)
            keys = self._keys(door, statement)
            no_door = Key.PRESENT not in keys and Key.MISSING in keys and statement is None
            meant = door.asked or door.open or statement is not None or _is_shut_as_made(door)
            if no_door or (door.source, door.target) in by_members or not meant:
                continue
            yield self._door(door, keys, statement)
        for id, statement in said.items():
            if id in self._halves:
                yield self._one_key(*self._halves[id], statement)

    def not_proved(self) -> Iterator[NotProved]:
        """What the graph cannot prove shut, and resources that may let somebody in and are not read."""
        ends = self._halves | {
            door.id: (self._parties.of(door.source), self._parties.target(door.target)) for door in self._graph.doors
        }
        said = set()
        for one in self._statements:
            said.add(one.door)
            if one.lack is Lack.PROOF:
                yield NotProved(one.message, one.next_step, one.door, one.urn, *ends.get(one.door, ()))
        for door in self._graph.doors:
            unsure = door.outcome is Outcome.UNKNOWN and Key.MISSING not in (door.trust_key, door.grant_key)
            if unsure and door.asked and door.id not in said:
                why = "; ".join((*door.trust.unknowns, *door.grant.unknowns))
                about = f"Whether {door.source.arn} can enter {door.target.arn} is not known: {why}"
                step = "update the stack, so that what it hangs on is known"
                yield NotProved(about, step, door.id, door.target.urn, *ends[door.id])
        for unread in self._graph.not_read:
            resource = unread.resource
            about = f"Whom {resource.label} lets in is not proved: it {unread.why}"
            yield NotProved(about, unread.next_step, unread.door, resource.urn)
        for name, why in self._parties.declared.unreadable.items():
            about = f"The reason, owner and end of door {name} are not known: its declaration cannot be read: {why}"
            yield NotProved(about, "update the stack of that door, or TwoKeys here if the stack's is newer", name)

    def _keys(self, door: Door, statement: Statement | None) -> tuple[Key, Key]:
        """Trust and grant. What these stacks cannot show is not proved: only a statement says that a key is missing, or
        the trust policy of a role that is here.

        Of a door between two accounts of which one is not known nothing is proved: it may be no door.
        """
        if not self._parties.between_known(door):
            return Key.UNPROVED, Key.UNPROVED
        trust, grant = door.trust_key, door.grant_key
        here = door.target.urn is not None or _is_shut_as_made(door)
        if trust is Key.MISSING and statement is None and here:
            return trust, grant
        if {trust, grant} == {Key.PRESENT, Key.MISSING} and (statement is None or statement.lack is Lack.PROOF):
            return (Key.PRESENT, Key.UNPROVED) if trust is Key.PRESENT else (Key.UNPROVED, Key.PRESENT)
        return trust, grant

    def _door(self, door: Door, keys: tuple[Key, Key], statement: Statement | None) -> DoorAnswer:
        trust, grant = (
            Key.DENIED if key is Key.MISSING and denial(door, name) else key
            for key, name in zip(keys, KEYS, strict=True)
        )
        return DoorAnswer(
            source=self._parties.of(door.source),
            target=self._parties.target(door.target),
            trust=trust,
            grant=grant,
            verdict=Outcome.UNKNOWN.value if Key.UNPROVED in keys else door.outcome.value,
            conditions=conditions(door),
            declared=self._parties.declaration(door),
            problem=statement.message if statement else None,
            next_step=statement.next_step if statement else self._as_others_of_its_group(door),
            explanation=f"The trust alone: {door.trust.explain()}\nThe grant alone: {door.grant.explain()}",
        )

    def _as_others_of_its_group(self, door: Door) -> str | None:
        """What to do about a member whom the trust leaves out while it names others of the group that has the grant."""
        group = next((one for one in door.source.groups if (one, door.target) in self._entered_by_group), None)
        if group is None or door.trust_key is not Key.MISSING:
            return None
        let_in = f"name {door.source.arn} in its trust policy (in the door's `members`)"
        return f"other members of group {group.name} come in; {let_in}, if {door.source.label} shall, too"

    @cached_property
    def _entered_by_group(self) -> set[tuple[Principal, Principal]]:
        return self._graph.entered_by_members()

    @cached_property
    def _halves(self) -> dict[str, tuple[Party, Party]]:
        """The ends of what is half a door, by how statements name it: open trusts, and grants that nothing answers."""
        found: dict[str, tuple[Party, Party]] = {}
        for trust in self._graph.open_trusts:
            if trust.account is not None:
                arn = Arn.parse(trust.role.arn)
                root = str(Arn.root(trust.account, arn.partition if arn else "aws"))
                whom = Party(Who("root", trust.account), root, self._parties.names.of(trust.account))
                found[f"{root} -> {trust.role.arn}"] = whom, self._parties.of(trust.role)
        for grant in self._graph.lone_grants:
            role = Arn.parse(grant.resource)
            if role is not None and role.kind == "role":
                account = self._graph.accounts.canonical(role.account)
                target = Party(Who("role", account, role.name), grant.resource, self._parties.names.of(account))
                found[f"{grant.source.arn} -> {grant.resource}"] = self._parties.of(grant.source), target
        return found

    def _one_key(self, source: Party, target: Party, statement: Statement) -> DoorAnswer:
        """A door with one key: a trust in an account as a whole or in everyone, or a grant on a role not there."""
        other = Key.UNPROVED if statement.lack is Lack.PROOF else Key.MISSING
        trusted = source.who.kind == "root"
        return DoorAnswer(
            source=source,
            target=target,
            trust=Key.PRESENT if trusted else other,
            grant=other if trusted else Key.PRESENT,
            verdict=(Outcome.UNKNOWN if other is Key.UNPROVED else Outcome.DENY).value,
            declared=self._parties.declared.of(source.who, (), target.who),
            problem=statement.message,
            next_step=statement.next_step,
        )


def _is_shut_as_made(door: Door) -> bool:
    """Of a role that AWS made: its own trust policy denies nobody."""
    return door.target.made_by_aws and denial(door, "trust") is not None


def conditions(door: Door) -> tuple[str, ...]:
    """What a door asks for, in words."""
    keys: tuple[Verdict, ...] = (door.trust, door.grant)
    said = dict.fromkeys(in_words(one) for key in keys for one in key.requirements)
    return tuple(one for one in said if one != MFA_BUT_OF_KEYS or MFA not in said)
