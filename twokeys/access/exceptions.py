"""Exceptions: doors that a rule lets stand for a while, with who answers for each, and what is wrong with them."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import date
from itertools import product
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from twokeys.access.findings import Config, Finding, Rule, Said
from twokeys.access.graph import Graph
from twokeys.access.model.door_name import DoorName, with_stand_ins
from twokeys.doors import resolve
from twokeys.iam import Arn, account_as_a_whole


def _a_stack(name: str) -> str:
    if not re.fullmatch(r"([A-Za-z0-9_.-]+/)?[A-Za-z0-9_.-]+", name):
        raise ValueError("it is the name of a stack (`prod`), or its project's and its own (`network/prod`)")
    return name


class DoorException(Config):
    """A door that a rule lets stand: which, why, who answers for it, and the last day on which it holds.

    It is for the stack that makes the role, or what else the rule is about: one configuration serves many stacks.
    `stack` says that it is for the stacks of that name only, with `PROJECT/` before it for those of one project; also
    when nothing makes the role any more.
    """

    door: str = Field(description="The door as the violation names it: <source ARN> -> <target ARN>.")
    reason: Said
    owner: Said
    expires: date
    stack: Annotated[str, AfterValidator(_a_stack)] | None = None

    @property
    def name(self) -> DoorName:
        """The door with its two sides."""
        source, _, target = self.door.partition(" -> ")
        return DoorName(source, target)


class DoorConfig(Config):
    """A rule about doors can let single doors stand."""

    exceptions: tuple[DoorException, ...] = ()


@dataclass(frozen=True, slots=True)
class Accepted:
    """An exception by which a rule lets a door stand that it would refuse, or did until it expired."""

    rule: str
    exception: DoorException

    def __str__(self) -> str:
        one = self.exception
        return f"{self.rule}: {one.door}, until {one.expires}; {one.owner} answers for it: {one.reason}"


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one rule; `failure` is an error of the rule itself, which no one may take for a pass.

    `not_used` are the exceptions that are passed over, as another stack may need them.
    """

    findings: tuple[Finding, ...] = ()
    failure: Finding | None = None
    accepted: tuple[Accepted, ...] = ()
    expired: tuple[Accepted, ...] = ()
    not_used: tuple[Accepted, ...] = ()


def apply(
    rule: Rule[Any], exceptions: Sequence[DoorException], findings: Sequence[Finding], graph: Graph, today: date
) -> Result:
    """The findings without those of doors that may stand.

    An exception that has expired or that no finding needed is itself a finding, in the stack that it is for; an expired
    one whose stack is not known is advice.
    """
    spelt = {one.door: _spellings(one.door, graph) for one in findings if one.door}
    found = {ends for door in spelt for ends in spelt[door]}
    ours = {ends for one in findings if one.door and not graph.snapshot.is_beside(one.urn) for ends in spelt[one.door]}
    known = (_with_ids(one, graph) for one in exceptions)
    named = [one for one in known if one.stack is None or one.stack in graph.snapshot.names]
    here = [one for one in named if one.stack or one.name.ends in ours or _is_of(one, rule, graph)]
    elsewhere = [one for one in named if one not in here]
    perhaps = [one for one in elsewhere if one.expires < today and _may_be_of(one, rule, graph)]
    over: dict[tuple[str, ...], DoorException] = {one.name.ends: one for one in here if one.expires < today}
    stand = {one.name.ends for one in named if one.expires >= today}
    left = [one for one in findings if one.door is None or stand.isdisjoint(spelt[one.door])]

    def as_accepted(some: Iterable[DoorException]) -> tuple[Accepted, ...]:
        return tuple(Accepted(rule.name, one) for one in some)

    return Result(
        (
            *(_no_longer_excepted(one, over, spelt) for one in left),
            *_wrong(rule.name, found, here, today),
            *(replace(_expired(one), advice=True) for one in perhaps),
        ),
        accepted=as_accepted(one for one in here if one.expires >= today and one.name.ends in found),
        expired=as_accepted(one for one in (*here, *perhaps) if one.expires < today),
        not_used=as_accepted(one for one in elsewhere if one.expires >= today),
    )


def _with_ids(exception: DoorException, graph: Graph) -> DoorException:
    """An exception with the ids of accounts that are known now: preview names a new account by its symbol."""
    sides = resolve([exception.name.source, exception.name.target], graph.accounts.ids)
    return exception.model_copy(update={"door": DoorName(*sides)})


def _is_of(exception: DoorException, rule: Rule[Any], graph: Graph) -> bool:
    """Whether the stack makes all that an exception is for, so that no other stack needs it."""
    sides = _sides(exception, rule, graph)
    return bool(sides) and all(
        any(urn is not None and not graph.snapshot.is_beside(urn) for urn in _urns(side, graph)) for side in sides
    )


def _urns(side: str, graph: Graph) -> tuple[str | None, ...]:
    principals = graph.principals.by_arn
    alike = [arn for arn in principals if side in _called(arn, graph)] if side.endswith("?") else [side]
    return side if side in graph.snapshot.by_urn else None, *(one.urn for one in map(principals.get, alike) if one)


def _may_be_of(exception: DoorException, rule: Rule[Any], graph: Graph) -> bool:
    """Whether what an exception is for is in an account that the stack works in: it, or another one, may have made it.

    Until it expires, the other one may need it.
    """
    arns = ((side, Arn.parse(side)) for side in _sides(exception, rule, graph))
    accounts = {account_as_a_whole(side) or (arn.account if arn else None) for side, arn in arns}
    own = (one.urn for one in graph.accounts.entries if not graph.snapshot.is_beside(one.urn))
    return not accounts.isdisjoint(map(graph.accounts.of_provider, own))


def _sides(exception: DoorException, rule: Rule[Any], graph: Graph) -> tuple[str, ...]:
    """What an exception is for: the source of a grant, else the role, or the resource.

    A role that AWS makes is no stack's, so that its door is the source's. Of a door that is not proved either stack may
    lack the other one's key.
    """
    source, target = exception.name.source, exception.name.target
    if rule.keys == "either":
        return tuple(one for one in (source, target) if ":" in one and not account_as_a_whole(one))
    role = graph.principals.by_arn.get(target)
    by_aws = graph.accounts.is_access_role(target) and not (role and role.urn)
    return (source if by_aws or rule.keys == "grant" or target == "*" else target,)


def _expired(one: DoorException) -> Finding:
    return Finding(
        f"The exception for the door {one.door} ({one.reason}) expired on {one.expires}",
        f"close the door, or ask {one.owner} to renew the exception",
        door=one.name,
        about_exception=True,
    )


def _no_longer_excepted(
    finding: Finding, over: Mapping[tuple[str, ...], DoorException], spelt: Mapping[DoorName, Set[tuple[str, ...]]]
) -> Finding:
    """The finding of a door, which says that the exception that it had has expired."""
    ends = over.keys() & spelt[finding.door] if finding.door else ()
    about = [_expired(over[one]) for one in ends]
    if not about:
        return finding
    said = "; ".join((finding.message, *(one.message[:1].lower() + one.message[1:] for one in about)))
    return replace(finding, message=said, next_step=about[0].next_step)


def _wrong(rule: str, found: Set[tuple[str, ...]], here: Iterable[DoorException], today: date) -> Iterator[Finding]:
    """What is wrong with the exceptions that are for this stack."""
    for one in here:
        if one.name.ends not in found:
            unused = f"The exception for the door {one.door} ({one.reason}) is not used: nothing here needs it"
            step = f"remove it from the configuration of {rule}, or correct its door"
            yield _expired(one) if one.expires < today else Finding(unused, step, about_exception=True)


def _spellings(door: DoorName, graph: Graph) -> set[tuple[str, ...]]:
    """The two sides of a door, as an exception may name them."""
    return set(product(*(_called(side, graph) for side in door.ends)))


def _called(side: str, graph: Graph) -> set[str]:
    """A side as it is and, where it is a principal whose name is made up, as a refusal prints it."""
    principal = graph.principals.by_arn.get(side)
    resource = graph.snapshot.by_urn.get(principal.urn or "") if principal else None
    return {side, with_stand_ins(side, [resource] if resource else [])}
