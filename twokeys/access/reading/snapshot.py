"""What a stack holds, whoever tells it: the resources of a preview, an update, a state file or live accounts.

An adapter turns its source into a `Snapshot`; everything after it reads only this model. A property is plain JSON data;
`twokeys.iam.UNKNOWN` stands where the engine does not know a value yet.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Literal

from twokeys.access.reading.since import NOT_KNOWN, Since
from twokeys.doors import OTHER_STACK
from twokeys.iam import UNKNOWN
from twokeys.iam.leaves import leaves

PROVIDER = "pulumi:providers:aws"
_TELL_ACCOUNT = frozenset({"assumeRole", "assumeRoles", "assumeRoleWithWebIdentity", "allowedAccountIds"})
STACK_REFERENCE = "pulumi:pulumi:StackReference"
STACK = "pulumi:pulumi:Stack"


def mapping(value: object) -> Mapping[str, Any]:
    """A value that should be an object, as one; whatever else it is has no keys."""
    return value if isinstance(value, Mapping) else {}


def items(value: object) -> list[object]:
    """A value that should be a list, as one: nothing has no items, and what is not known is one that is not known."""
    return value if isinstance(value, list) else [] if value is None else [value]


def is_stack_reference(urn: str) -> bool:
    """Whether a URN is that of a stack reference."""
    return f"::{STACK_REFERENCE}::" in urn


def stack_of(urn: str) -> str | None:
    """The stack that a URN names; None of what was read live."""
    return urn.removeprefix("urn:pulumi:").partition("::")[0] if urn.startswith("urn:pulumi:") else None


def project_of(urn: str) -> str:
    """What the URNs of a stack begin with: its name and its project's, as two projects may have a stack `prod`."""
    return "::".join(urn.split("::")[:2])


def place_of(urn: str) -> str:
    """Where people find a resource: its URN, or of one that was read live the ARN of what it is or is a part of."""
    return urn.partition(" ")[0] if urn.startswith("arn:") else urn


def holds_unknown(value: object) -> bool:
    """Whether a value is not known, or something in it is not."""
    return any(one is UNKNOWN for one in leaves(value))


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource: what the program asked for (`inputs`) and what is known to come of it (`outputs`).

    One that was read live has no URN: what stands there begins with AWS's own ARN or id.
    `inputs` is None where the source does not have them. `source` is the program's file and line, where it is known.
    `since` is since when it is in AWS as it is here.
    `property_dependencies` holds the URNs that each property is made from; none of them, for a property that is there,
    means that the source does not show it.
    `secrets` names the properties that hold a secret, shown or not: no message may quote them. `account` is where it
    lives, where that is not its provider's account. `made_by` is the URN of the resource of the stack that makes it,
    where it is no resource of the stack itself: one of a CloudFormation template, say. `made_from_hidden` names the
    properties that are made from what the program only reads (`Role.get`), where the source does not show that.
    `autoname` is what the stack's config has it called where it is given no name; None: as Pulumi does by default.
    `stays` tells that AWS keeps it where the program has it no more: it is only read, or `retainOnDelete`.
    """

    urn: str
    type: str
    name: str
    inputs: Mapping[str, object] | None = None
    outputs: Mapping[str, object] = field(default_factory=dict)
    provider: str | None = None
    parent: str | None = None
    dependencies: tuple[str, ...] = ()
    property_dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    protect: bool = False
    source: str | None = None
    since: Since = NOT_KNOWN
    secrets: frozenset[str] = frozenset()
    account: str | None = None
    made_by: str | None = None
    made_from_hidden: frozenset[str] = frozenset()
    autoname: str | None = None
    stays: bool = field(default=False, compare=False)

    @property
    def label(self) -> str:
        """What messages call it: its type and its logical name."""
        return f"{self.type} {self.name}"

    def get(self, key: str) -> object:
        """The value of a property: None where it is absent, UNKNOWN where it is or may be there but is not known yet.

        What came of a resource wins over what was asked for; what was asked for stands in where the engine shows
        nothing (the resources of a provider that cannot be configured yet).
        """
        came = self.outputs.get(key)
        if came is not None and came is not UNKNOWN:
            return came
        asked = self.asked(key)
        return came if asked is None else asked

    def asked(self, key: str) -> object:
        """The value that the program asked for, without what the cloud added: see `get`."""
        if self.inputs is None:
            return UNKNOWN if key in self.property_dependencies and key not in self.outputs else self.outputs.get(key)
        value = self.inputs.get(key)
        return UNKNOWN if value is None and self.property_dependencies.get(key) else value

    @property
    def is_there(self) -> bool:
        """Whether it exists in AWS: a preview shows an id of AWS's provider then, of the sandbox's at least an ARN."""
        return any(isinstance(self.outputs.get(key), str) for key in ("id", "arn"))

    @property
    def hides_secret(self) -> bool:
        """Whether it has a secret that the source does not show; of a provider, one that tells its account."""
        keys = self.secrets & _TELL_ACCOUNT if self.type == PROVIDER else self.secrets
        return any(holds_unknown(self.get(key)) for key in keys)

    def text(self, key: str) -> str | None:
        """The value of a property if it is a known, non-empty string."""
        value = self.get(key)
        return value if isinstance(value, str) and value else None


@dataclass(frozen=True, slots=True)
class Referred:
    """What a stack reads of another one's outputs, and the resource that shows it.

    `shown` tells that it comes from a stack reference: nothing but that says what another stack exports.
    """

    resource: Resource
    stack: str
    outputs: Mapping[str, object]
    shown: bool = True

    @property
    def project(self) -> str:
        """What the URNs of the stack that is read begin with, as `project_of` has it."""
        before, _, name = self.stack.rpartition("/")
        return f"urn:pulumi:{name}::{before.rpartition('/')[2]}"


@dataclass(frozen=True, slots=True)
class Pending:
    """A resource that the engine was about to create, update or import when it was stopped: it may be there."""

    operation: Literal["creating", "updating", "importing"]
    resource: Resource


@dataclass(frozen=True, slots=True)
class NotAnswered:
    """What AWS did not tell, in words; the action that asks for it, AWS's error code, and the ARN of who asked.

    `account` is one of which nothing was told.
    """

    what: str
    action: str
    error: str
    caller: str
    account: str | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was read: a state file, or accounts that live AWS told of.

    `time` is when the engine wrote the state (`manifest.time`) or when AWS was asked, in ISO 8601. Only a file has a
    `sha256`, in hexadecimal digits; only live accounts have a `caller` (an ARN), the region that was asked, and
    `accounts`, the ids of those whose IAM was read. `stack` is whose state a file is, as `project_of` has it.
    """

    name: str
    time: str | None = None
    sha256: str | None = None
    caller: str | None = None
    region: str | None = None
    not_answered: tuple[NotAnswered, ...] = ()
    accounts: tuple[str, ...] = ()
    stack: str | None = None

    @property
    def moment(self) -> datetime | None:
        """`time` as a moment; None where it is none, or does not tell its zone."""
        try:
            moment = datetime.fromisoformat(self.time or "")
        except ValueError:
            return None
        return moment if moment.tzinfo else None


@dataclass(frozen=True)
class Snapshot:
    """The resources of one stack (or of live accounts) at one moment; `origin` says whose, for people.

    `pending` is what may be there beside them, or instead of one of them. `left_out` are resources of the program that
    this operation does not make and that are not there either (`--target`, `--exclude`). `is_state` tells that outputs
    are what the engine last saw, and not what an operation makes of them. `evidence` is what it was read from. Two
    things are missing: what the stacks of `without_state` make, and what an operation on those of `unfinished`, which
    is under way or was stopped, has not made yet. `beside` are the stacks, as `project_of` has them, that are there for
    the keys which they hold, and are not asked about.
    """

    resources: tuple[Resource, ...]
    origin: str = "this stack"
    pending: tuple[Pending, ...] = ()
    left_out: tuple[Resource, ...] = ()
    is_state: bool = False
    evidence: tuple[Evidence, ...] = ()
    without_state: tuple[str, ...] = ()
    unfinished: tuple[str, ...] = ()
    beside: frozenset[str] = frozenset()
    before: Snapshot | None = None

    @classmethod
    def together(cls, snapshots: Iterable[Snapshot], origin: str) -> Snapshot:
        """Several snapshots as one."""
        parts = tuple(snapshots)
        return cls(
            resources=tuple(one for part in parts for one in part.resources),
            origin=origin,
            pending=tuple(one for part in parts for one in part.pending),
            is_state=any(part.is_state for part in parts),
            evidence=tuple(one for part in parts for one in part.evidence),
            unfinished=tuple(one for part in parts for one in part.unfinished),
        )

    @cached_property
    def by_urn(self) -> Mapping[str, Resource]:
        """Each resource by its URN."""
        return {resource.urn: resource for resource in self.resources}

    def is_beside(self, urn: str | None) -> bool:
        """Whether a resource is one of another stack, which is there only for the keys that it holds."""
        return urn is not None and project_of(urn) in self.beside

    @property
    def stack(self) -> str | None:
        """The name of the stack, as its URNs have it."""
        return stack_of(self.resources[0].urn) if self.resources else None

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What people call the stack, or each of several states': by its name, and by its project's and its own."""
        urns = (one.urn for one in self.resources if one.urn.startswith("urn:pulumi:") and not self.is_beside(one.urn))
        each = (one.removeprefix("urn:pulumi:").split("::") for one in dict.fromkeys(map(project_of, urns)))
        return tuple(name for stack, project in each for name in (stack, f"{project}/{stack}"))

    @cached_property
    def referred(self) -> tuple[Referred, ...]:
        """What the snapshot shows of other stacks: by a reference itself, or by a component that repeats one.

        The engine shows a policy no reference, but tells of each property of a component what it is made from. Where
        the reference is there too, as in a state, it speaks for itself.
        """
        found = []
        for one in self.of_type(STACK_REFERENCE, OTHER_STACK):
            outputs, behind = one.get("outputs"), one.property_dependencies.get("outputs", ())
            if isinstance(outputs, Mapping) and self.by_urn.keys().isdisjoint(filter(is_stack_reference, behind)):
                shown = one.type == STACK_REFERENCE or any(map(is_stack_reference, behind))
                found.append(Referred(one, one.text("name") or one.name, outputs, shown))
        return tuple(found)

    @property
    def stack_outputs(self) -> Iterator[Mapping[str, object]]:
        """The outputs of the stacks that the snapshot refers to, and of those it holds."""
        yield from (one.outputs for one in self.referred if one.shown)
        yield from (one.outputs for one in self.of_type(STACK))

    def of_type(self, *types: str) -> Iterator[Resource]:
        """The resources of the given types, in the snapshot's order."""
        places = sorted(place for type_ in types for place in self._places.get(type_, ()))
        return (self.resources[place] for place in places)

    @cached_property
    def _places(self) -> Mapping[str, list[int]]:
        """Where the resources of each type stand: asked for each door, a search of them all takes their square."""
        found: dict[str, list[int]] = defaultdict(list)
        for place, resource in enumerate(self.resources):
            found[resource.type].append(place)
        return found

    def behind(self, resource: Resource, key: str, *types: str) -> Resource | None:
        """The one resource of the given types that a property was made from, or None if there is not exactly one."""
        found = {
            urn: self.by_urn[urn]
            for urn in resource.property_dependencies.get(key, ())
            if urn in self.by_urn and self.by_urn[urn].type in types
        }
        return next(iter(found.values())) if len(found) == 1 else None

    def all_behind(self, urns: Iterable[str], *, parents: bool = False) -> set[str]:
        """The URNs of everything that resources hang on, themselves included."""
        seen: set[str] = set()
        ahead = list(urns)
        while ahead:
            urn = ahead.pop()
            if urn not in seen:
                seen.add(urn)
                if found := self.by_urn.get(urn):
                    ahead += found.dependencies
                    ahead += [one for behind in found.property_dependencies.values() for one in behind]
                    ahead += [found.provider] if found.provider else []
                    ahead += [found.parent] if found.parent and parents else []
        return seen

    def ancestors(self, resource: Resource) -> Iterator[str]:
        """The URNs of a resource's parents, nearest first."""
        seen: set[str] = set()
        parent = resource.parent
        while parent is not None and parent not in seen:
            seen.add(parent)
            yield parent
            above = self.by_urn.get(parent)
            parent = above.parent if above else None
