"""What a rule is and what it finds; how a rule is run so that nothing it does can turn into a pass."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from itertools import product
from typing import Annotated, Any, Generic, Literal, TypeAlias, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from twokeys.access.graph import SHOW_SECRETS, Graph
from twokeys.access.model.door_name import DoorName, with_stand_ins
from twokeys.access.reading.snapshot import Resource, Snapshot, place_of, stack_of
from twokeys.iam import Arn, account_as_a_whole

_A_LINE = 100
Severity = Literal["low", "medium", "high", "critical"]
Level = Literal["advisory", "mandatory", "remediate", "disabled"]
"""Pulumi's enforcement levels; nothing is remediated here, so `remediate` is `mandatory`, as in Pulumi."""
Subject: TypeAlias = tuple[str, str | None, DoorName | None]
"""A rule, a resource and a door: what a finding is about, however it is worded."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One violation: a sentence, the next step, and the resource and the door it is about.

    `door` is `<source ARN> -> <target ARN>`, with `*` for a side that is not one principal: exceptions name it so.
    `advice` tells that it is only advice where the rule's level is not set: the stack is not of the kind that the rule
    is for. `severity` is there where it is another one than the rule's. `rule` is set by who runs the rule.
    `about_exception` tells that it is about an exception of the configuration.
    """

    message: str
    next_step: str
    urn: str | None = None
    door: DoorName | None = None
    source: str | None = None
    advice: bool = False
    severity: Severity | None = None
    rule: str = ""
    about_exception: bool = False

    @property
    def subject(self) -> Subject:
        """What tells it from other findings."""
        return self.rule, self.urn, self.door

    @property
    def sides(self) -> tuple[str, str]:
        """The source and the target of its door as it names them; empty where it is about none."""
        return (self.door.source, self.door.target) if self.door else ("", "")

    @property
    def steps(self) -> list[str]:
        """The next step, and those that may be taken in its place, each with its "or": parted outside of brackets."""
        found, depth = [""], 0
        for piece in re.split(r"([(\[{]|[)\]}]|; |, (?=or ))", self.next_step):
            depth += (piece in ("(", "[", "{")) - (piece in (")", "]", "}"))
            if piece in ("; ", ", ") and not depth:
                found.append("")
            else:
                found[-1] += piece
        return found

    @property
    def text(self) -> str:
        """The finding as it is shown to people: what is wrong, and on lines of their own the ways to mend it."""
        place = f" ({self.source})" if self.source else ""
        at = place_of(self.urn or "")
        where = f" [{at}]" if at and at not in self.message else ""
        end = "" if self.message.endswith("\n") else f"{place}.{where}\n"  # a list ends by itself
        parted = "\n  ".join(self.steps) if len(self.next_step) > _A_LINE else self.next_step
        return f"{self.message}{end}Next step: {parted}."


def declaring(snapshot: Snapshot, urn: str | None) -> Iterator[tuple[Resource, str]]:
    """The components above a resource that declare a door, each with the door's name."""
    resource = snapshot.by_urn.get(urn or "")
    for component in map(snapshot.by_urn.get, snapshot.ancestors(resource) if resource else ()):
        declared = component.get("door") if component else None
        if component and isinstance(declared, Mapping) and "name" in declared:
            yield component, str(declared["name"])


def where_declared(component: Resource) -> str:
    """Where a door is written that a component declares: in its stack's config, unless a program says it itself."""
    return f"in Pulumi.{stack_of(component.urn)}.yaml (or in the program that declares it)"


class Config(BaseModel):
    """What can be set of a rule; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


def _a_stack(name: str) -> str:
    if not re.fullmatch(r"([A-Za-z0-9_.-]+/)?[A-Za-z0-9_.-]+", name):
        raise ValueError("it is the name of a stack (`prod`), or its project's and its own (`network/prod`)")
    return name


Said = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"[\p{L}\p{N}\p{P}\p{S}]")]
"""Something that a reader can see: neither spaces nor characters that are not shown."""


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


C = TypeVar("C", bound=Config)


@dataclass(frozen=True)
class Rule(Generic[C]):
    """A pure rule with what people need to know of it.

    `check` takes the graph, the rule's configuration and the moment at which it is judged, and yields findings.
    `mandatory` is the enforcement when the pack's configuration says nothing else. `keys` are those that it is about,
    and so whose stack its exceptions are for: the grant's, which holds the source, the trust's or either.
    `waits_for_values` tells that it asks for what is not known yet: of a secret that a state does not show, the next
    step is another one. `another_stack_answers` tells that it asks whether a key is there, and whose it is, which the
    state of another stack may show. `may_follow` is what the rest of the same update may bring that makes a finding
    untrue, so that the update gate has to ask for it: None lets no such resource be made.
    """

    name: str
    description: str
    severity: Severity
    remediation: str
    url: str
    check: Callable[[Graph, C, datetime], Iterable[Finding]]
    config: type[C] = Config  # type: ignore[assignment]
    mandatory: bool = True
    keys: Literal["grant", "trust", "either"] = "trust"
    waits_for_values: bool = False
    another_stack_answers: bool = False
    may_follow: Literal["grant", "trust", "proof", "what is declared", "holder", "removal"] | None = None

    @property
    def of_a_grant(self) -> bool:
        """Whether it may be about a grant whose trust another stack may show."""
        return self.another_stack_answers and self.keys != "trust"


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


def run(rule: Rule[Any], graph: Graph, config: Mapping[str, object], now: datetime) -> Result:
    """Run a rule and apply its exceptions; never raises.

    `config` are its settings, as `twokeys.access.configuration` read them. An exception that has expired or that no
    finding needed is itself a finding, in the stack that it is for; an expired one whose stack is not known is advice.
    `now` is the moment at which it is judged.
    """
    accepted: tuple[Accepted, ...] = ()
    expired: tuple[Accepted, ...] = ()
    not_used: tuple[Accepted, ...] = ()
    try:
        settings = rule.config.model_validate(dict(config))
        findings = tuple(rule.check(graph, settings, now))
        if isinstance(settings, DoorConfig):
            spelt = {one.door: _spellings(one.door, graph) for one in findings if one.door}
            ours = {one.door for one in findings if one.door and not graph.snapshot.is_beside(one.urn)}
            found = {ends for door in ours for ends in spelt[door]}
            today = now.astimezone(UTC).date()
            named = [one for one in settings.exceptions if one.stack is None or one.stack in graph.snapshot.names]
            here = [one for one in named if one.stack or one.name.ends in found or _is_of(one, rule, graph)]
            perhaps = [one for one in named if one not in here and _may_be_of(one, rule, graph)]
            expired = tuple(Accepted(rule.name, one) for one in (*here, *perhaps) if one.expires < today)
            not_used = tuple(Accepted(rule.name, one) for one in named if one not in here and one.expires >= today)
            wrong, accepted = _used(rule.name, {ends for door in spelt for ends in spelt[door]}, here, today)
            stand = {one.name.ends for one in named if one.expires >= today}
            over: dict[tuple[str, ...], DoorException] = {one.name.ends: one for one in here if one.expires < today}
            left = [one for one in findings if one.door is None or stand.isdisjoint(spelt[one.door])]
            findings = (*(_no_longer_excepted(one, over, spelt) for one in left), *wrong)
            findings += tuple(replace(_expired(one), advice=True) for one in perhaps if one.expires < today)
    except Exception as error:  # a rule that fails has proved nothing
        message = f"The rule {rule.name} failed with {type(error).__name__}: {error}; it has proved nothing"
        step = "report this as a defect of TwoKeys; until it is mended, no change can be shown to be safe"
        return Result(failure=Finding(message, step, rule=rule.name))
    shown = tuple(_of_the_stack(replace(finding, rule=rule.name), rule, graph) for finding in findings)
    return Result(shown, accepted=accepted, expired=expired, not_used=not_used)


def _of_the_stack(finding: Finding, rule: Rule[Any], graph: Graph) -> Finding:
    """The finding, at a resource that the stack has: one that a template makes is shown at the template."""
    resource = graph.snapshot.by_urn.get(finding.urn or "")
    if resource is None:
        return finding
    if rule.waits_for_values and resource.hides_secret:
        finding = replace(finding, next_step=SHOW_SECRETS)
    return replace(finding, urn=resource.made_by) if resource.made_by else finding


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


def _used(
    rule: str, found: Set[tuple[str, ...]], here: Iterable[DoorException], today: date
) -> tuple[list[Finding], tuple[Accepted, ...]]:
    """What is wrong with the exceptions that are for this stack, and those that a door that is found needs."""
    accepted, wrong = [], []
    for one in here:
        if one.expires < today:
            wrong += [] if one.name.ends in found else [_expired(one)]
        elif one.name.ends not in found:
            message = f"The exception for the door {one.door} ({one.reason}) is not used: nothing here needs it"
            step = f"remove it from the configuration of {rule}, or correct its door"
            wrong.append(Finding(message, step, about_exception=True))
        else:
            accepted.append(Accepted(rule, one))
    return wrong, tuple(accepted)


def _spellings(door: DoorName, graph: Graph) -> set[tuple[str, ...]]:
    """The two sides of a door, as an exception may name them."""
    return set(product(*(_called(side, graph) for side in door.ends)))


def _called(side: str, graph: Graph) -> set[str]:
    """A side as it is and, where it is a principal whose name is made up, as a refusal prints it."""
    principal = graph.principals.by_arn.get(side)
    resource = graph.snapshot.by_urn.get(principal.urn or "") if principal else None
    return {side, with_stand_ins(side, [resource] if resource else [])}
