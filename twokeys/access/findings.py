"""What a rule is and what it finds."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Generic, Literal, Self, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, StringConstraints
from pydantic.alias_generators import to_camel

from twokeys.access.graph import Graph
from twokeys.access.model.door_name import DoorName
from twokeys.access.reading.snapshot import Resource, Snapshot, mapping, place_of, stack_of
from twokeys.doors.symbols import SYMBOL_PREFIX
from twokeys.iam import is_account_id
from twokeys.shown import listed

_A_LINE, _MOST = 100, 50
_ACCOUNT = re.compile(r"\b\d{12}\b|(?<=\baccount:)[\w-]+|(?<=\baccount )[^()]+(?= \()")
"""What messages say of an account: its id, its symbol, its name before what else it is called."""
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
    `about_exception` tells that it is about an exception of the configuration, `denied` that another policy than the
    key's own document shuts what is there.
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
    denied: bool = False

    @property
    def subject(self) -> Subject:
        """What tells it from other findings."""
        return self.rule, self.urn, self.door

    @property
    def sides(self) -> tuple[str, str]:
        """The source and the target of its door as it names them; empty where it is about none."""
        return (self.door.source, self.door.target) if self.door else ("", "")

    def reworded(self, words: Callable[[str], str]) -> Self:
        """The finding with what people read of it put in other words."""
        door = self.door and DoorName(words(self.door.source), words(self.door.target))
        return replace(self, message=words(self.message), next_step=words(self.next_step), door=door)

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


def texts_of(findings: Iterable[Finding]) -> Iterator[tuple[str, str]]:
    """The rule and the text of each; of those that differ only in which accounts they name one, with these accounts."""
    groups: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for one in findings:
        groups[one.rule, _ACCOUNT.sub("", one.message)].append(one)
    for (rule, _), (first, *others) in groups.items():
        named = {*_ACCOUNT.findall(first.message)}
        more = [each for one in others for each in _ACCOUNT.findall(one.message) if each not in named]
        where = listed([each for each in more if not is_account_id(each)] or more, most=_MOST)
        same = f"\nThe same with {len(others)} more, but for the account{where and f': {where}'} (--json has each)."
        yield rule, first.text + (same if others else "")


def declaring(snapshot: Snapshot, urn: str | None) -> Iterator[tuple[Resource, str]]:
    """The components above a resource that declare a door, each with the door's name."""
    resource = snapshot.by_urn.get(urn or "")
    for component in map(snapshot.by_urn.get, snapshot.ancestors(resource) if resource else ()):
        declared = component.get("door") if component else None
        if component and isinstance(declared, Mapping) and "name" in declared:
            yield component, str(declared["name"])


def where_declared(component: Resource, snapshot: Snapshot) -> str:
    """Where a door is written that a component declares: in its stack's config, unless a program says it itself.

    One into every account is written once there, with none in its name.
    """
    beside = [_without_account(each) for each in snapshot.of_type(component.type)]
    name = _without_account(component)
    into_all = f'; one into account "*" is called {name} there' if name and beside.count(name) > 1 else ""
    return f"in Pulumi.{stack_of(component.urn)}.yaml (or in the program that declares it{into_all})"


def _without_account(component: Resource) -> str | None:
    declared = mapping(component.get("door"))
    account = str(mapping(declared.get("target")).get("account")).removeprefix(SYMBOL_PREFIX)
    name = str(declared.get("name"))
    return name.removeprefix(f"{account}-") if name.startswith(f"{account}-") else None


class Config(BaseModel):
    """What can be set of a rule; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


Said = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"[\p{L}\p{N}\p{P}\p{S}]")]
"""Something that a reader can see: neither spaces nor characters that are not shown."""


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
