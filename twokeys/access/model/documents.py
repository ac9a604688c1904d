"""The policy documents of a snapshot: the real one where it is known, the declared one until then, else unknown."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache, partial

from twokeys import doors
from twokeys.access.model.accounts import Accounts
from twokeys.access.reading.snapshot import Resource, Snapshot, holds_unknown
from twokeys.doors import SymbolicDocument
from twokeys.iam import (
    UNKNOWN,
    ConditionClause,
    PolicyDocument,
    PolicyError,
    PolicyKind,
    Statement,
    Unknown,
    parse_policy,
)
from twokeys.iam.principals import OF_ONE
from twokeys.iam.verdict import says_nothing

_UNQUOTED = " of the policy grammar; it holds a secret, so nothing of it is quoted"
_DOCUMENTS = (str, Mapping)
_TEXTS = frozenset({"string", "binary"})
_SAYS_WHO = ("aws:principal", "aws:source", "aws:resource", "aws:multifactor", "aws:federated", "saml:")


@dataclass(slots=True, eq=False)
class Document:
    """One policy document and where it stands. Nothing changes one.

    `policy` is UNKNOWN where nothing tells what the document says; `problem` then says why, as a clause, and
    `faulty` that it is known and wrong. `waits_for` names the resources that it is made from. `declared` tells that a
    component's declaration stands in for it; `stack` names the other stack that exports it. `hidden` tells that it
    holds a secret that the source does not show. `next_step` is what helps, where that is nothing usual. `arn`
    is that of a managed policy, where it is known, `inline` the name of an inline policy. `anew` has whom a trust names
    as they were before they were made anew, each with when that was.
    """

    policy: PolicyDocument | Unknown
    title: str
    urn: str | None = None
    source: str | None = None
    problem: str | None = None
    faulty: bool = False
    waits_for: tuple[str, ...] = ()
    declared: bool = False
    stack: str | None = None
    hidden: bool = False
    next_step: str | None = None
    arn: str | None = None
    inline: str | None = None
    anew: Mapping[str, datetime] = field(default_factory=dict)

    @property
    def statements(self) -> tuple[Statement, ...]:
        """What it says; nothing where that is not known."""
        return () if isinstance(self.policy, Unknown) else self.policy.statements

    @property
    def name(self) -> str:
        """The policy as people name it: "PowerUserAccess", "inline policy deploy of role deployer"."""
        return self.title if self.arn is None else self.arn.rpartition("/")[2]

    @property
    def own_name(self) -> str:
        """The same beside its role or user: "inline policy deploy"."""
        return f"inline policy {self.inline}" if self.inline and self.arn is None else self.name


@dataclass(frozen=True, slots=True)
class DeclaredDocument:
    """A symbolic document as a component gave it, with the resource that it covers (None: there is no such one)."""

    document: SymbolicDocument
    component: Resource
    covers: Resource | None


@dataclass(frozen=True, slots=True)
class BadDeclaration:
    """A component whose `symbolicDocuments` cannot be read."""

    component: Resource
    why: str


class Documents:
    """Finds the documents of a snapshot's resources."""

    def __init__(self, snapshot: Snapshot, accounts: Accounts) -> None:
        self._snapshot = snapshot
        self._accounts = accounts
        self._parsed: dict[tuple[str, PolicyKind], PolicyDocument | PolicyError] = {}
        self.declared: list[DeclaredDocument] = []
        self.bad_declarations: list[BadDeclaration] = []
        self._by_place: dict[tuple[str, str], SymbolicDocument] = {}
        self._read_declarations()

    def of(self, resource: Resource, key: str, kind: PolicyKind, title: str) -> Document:
        """The document that a property of a resource holds."""
        return self.read(resource, key, resource.get(key), kind, title)

    def read(self, resource: Resource, key: str, value: object, kind: PolicyKind, title: str) -> Document:
        """A document given as JSON text or as a mapping; anything else is unknown unless a declaration covers it."""
        secret, made = key in resource.secrets, partial(Document, title=title, urn=resource.urn, source=resource.source)
        if isinstance(value, _DOCUMENTS):
            parsed = self.parse(value, kind)
            if isinstance(parsed, PolicyError):
                why = f"it breaks the rule {parsed.rule!r}{_UNQUOTED}" if secret else f"it cannot be read: {parsed}"
                return made(UNKNOWN, problem=why, faulty=True)
            return made(masked(parsed) if secret else parsed, hidden=secret and holds_unknown(value))
        if secret:
            return made(UNKNOWN, problem="it is a secret, which the state holds encrypted", hidden=True)
        declared = self._by_place.get((resource.urn, key))
        if declared is not None:
            parsed = self.parse(doors.resolve(declared.document, self._accounts.ids), kind)
            if isinstance(parsed, PolicyError):
                return made(UNKNOWN, problem=f"its declaration cannot be read: {parsed}")
            return made(parsed, declared=True)
        why = "it is not known yet and no component declares it"
        return made(UNKNOWN, problem=why, waits_for=self._waits_for(resource, key))

    def parse(self, value: str | Mapping[str, object], kind: PolicyKind) -> PolicyDocument | PolicyError:
        """Parse a document once, however often it is attached."""
        if isinstance(value, str):
            return parsed(value, kind)
        place = (json.dumps(value, sort_keys=True, default=repr), kind)
        if place not in self._parsed:
            self._parsed[place] = parsed(value, kind)
        return self._parsed[place]

    def declared_property(self, resource: Resource, key: str) -> str | None:
        """An identifying property (a name, a path, a role) as a declaration of the resource gives it."""
        if not self._by_place:
            return None
        for place in ("assumeRolePolicy", "policy"):
            declared = self._by_place.get((resource.urn, place))
            if declared is not None and key in declared.properties:
                return declared.properties[key]
        return None

    def _read_declarations(self) -> None:
        components = [found for found in self._snapshot.resources if doors.PROPERTY in (found.inputs or found.outputs)]
        if not components:
            return
        places: dict[tuple[str, str], list[Resource]] = defaultdict(list)
        for resource in (*self._snapshot.resources, *self._snapshot.left_out):
            places[resource.type, resource.name].append(resource)
        for component in components:
            for document in self._declarations(component):
                covers = [
                    resource
                    for resource in places[document.type, document.name]
                    if component.urn in self._snapshot.ancestors(resource)
                ]
                found = covers[0] if len(covers) == 1 else None
                if found in self._snapshot.left_out:
                    continue
                self.declared.append(DeclaredDocument(document, component, found))
                if found is not None and found.inputs is not None:  # a declaration stands only for what is shown
                    self._by_place[found.urn, document.property] = document

    def _declarations(self, component: Resource) -> Iterator[SymbolicDocument]:
        listed = (component.inputs or component.outputs)[doors.PROPERTY]
        if not isinstance(listed, list):
            self.bad_declarations.append(BadDeclaration(component, "it is not a list that is known in preview"))
            return
        for item in listed:
            try:
                yield SymbolicDocument.read(item, newer=False)
            except ValueError as error:
                self.bad_declarations.append(BadDeclaration(component, str(error)))

    def _waits_for(self, resource: Resource, key: str) -> tuple[str, ...]:
        if key in resource.made_from_hidden:
            return ("something that this program only reads",)
        urns = resource.property_dependencies.get(key, ())
        return tuple(self._snapshot.by_urn[urn].name if urn in self._snapshot.by_urn else urn for urn in urns)


MASKS = ("(secret)", "(another secret)")
"""What stands for a text that a state holds encrypted: one that is asked for, and one that is excluded."""


def masked(policy: PolicyDocument) -> PolicyDocument:
    """A secret document as messages may quote it: without the texts of conditions, but for those that say who.

    A value that is a wildcard only, or a date, a number or the like, is no secret. What is masked may be any other
    masked text, and is never the one that a Deny or a negated condition excludes: that would close an open door.
    """
    return replace(policy, statements=tuple(map(_masked_statement, policy.statements)))


def _masked_statement(statement: Statement) -> Statement:
    denies = statement.effect == "Deny"
    return replace(statement, sid=None, conditions=tuple(_masked_clause(one, denies) for one in statement.conditions))


def _masked_clause(clause: ConditionClause, denies: bool) -> ConditionClause:
    key = clause.lower_key
    says_who = key.startswith(_SAYS_WHO) or key in OF_ONE or key.endswith((":sub", ":aud"))
    if says_who or clause.base.family not in _TEXTS:
        return clause
    mask = MASKS[denies is not clause.base.negated]
    values = (value if isinstance(value, Unknown) or says_nothing(value) else mask for value in clause.values)
    return replace(clause, values=tuple(values))


def parsed(value: str | Mapping[str, object], kind: PolicyKind) -> PolicyDocument | PolicyError:
    """A document, or the error that it is; a text is read once."""
    return _of_text(value, kind) if isinstance(value, str) else _parse(value, kind)


def _parse(value: str | Mapping[str, object], kind: PolicyKind) -> PolicyDocument | PolicyError:
    try:
        return parse_policy(value, kind)
    except PolicyError as error:
        return error


_of_text = lru_cache(maxsize=8192)(_parse)
"""Texts stay read from one graph to the next: an update builds one for each resource that it judges."""
