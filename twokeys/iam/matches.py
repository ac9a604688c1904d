"""Which statements of a document match a request, and what their match hangs on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from twokeys.iam.conditions import ConditionClause
from twokeys.iam.documents import PolicyDocument, Statement, Statements
from twokeys.iam.principals import Form
from twokeys.iam.request import Request
from twokeys.iam.truth import FREE, Lookup, Truth, Unknown
from twokeys.iam.verdict import Requirement


@dataclass(frozen=True, slots=True)
class ClauseAtom:
    """A line of a Condition element."""

    clause: ConditionClause

    @property
    def keys(self) -> tuple[str, ...]:
        """The clause's own key and those of its variables."""
        return self.clause.keys

    def evaluate(self, lookup: Lookup) -> Truth:
        """As the clause says."""
        return self.clause.evaluate(lookup)

    def requirement(self) -> Requirement:
        """The clause."""
        return Requirement(self.clause.operator, self.clause.key, tuple(str(value) for value in self.clause.values))


@dataclass(frozen=True, slots=True)
class ResourceAtom:
    """A Resource element whose variables are free."""

    statement: Statement
    resource: str

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the variables."""
        return tuple(key for pattern in self.statement.resource_patterns for key in pattern.keys)

    def evaluate(self, lookup: Lookup) -> Truth:
        """As the statement says."""
        return self.statement.covers_resource(self.resource, lookup)

    def requirement(self) -> Requirement:
        """The names of the element that hold variables."""
        names = tuple(pattern.text for pattern in self.statement.resource_patterns if pattern.keys)
        return Requirement("Resource", self.resource, names, negated=self.statement.resources is None)


@dataclass(frozen=True, slots=True)
class SessionAtom:
    """The caller, of whom only the role is known, is the session of this name."""

    session: str

    @property
    def keys(self) -> tuple[str, ...]:
        """The key that holds the session name."""
        return ("aws:userid",)

    def evaluate(self, lookup: Lookup) -> Truth:
        """Whether aws:userid ends in the session name."""
        found = lookup("aws:userid")
        if found is FREE:
            return Truth.FREE
        if isinstance(found, Unknown):
            return Truth.UNKNOWN
        name = found[0].partition(":")[2] if found else None
        return Truth.TRUE if name == self.session else Truth.FALSE

    def requirement(self) -> Requirement:
        """As a condition on aws:userid."""
        return Requirement("StringLike", "aws:userid", (f"*:{self.session}",))


Atom: TypeAlias = ClauseAtom | ResourceAtom | SessionAtom
"""A condition on free keys: what it reads, whether it holds once they have values, and it as data."""


class Match(NamedTuple):
    """A statement that matches if all its atoms hold and its unresolved values turn out so.

    `statement` is None for a document or statement that is not resolved yet. `form` is how a Principal names the
    caller, None when that is not resolved.
    """

    document: str
    statement: Statement | None
    atoms: tuple[Atom, ...] = ()
    unknowns: tuple[str, ...] = ()
    form: Form | None = None

    @property
    def certain(self) -> bool:
        """Whether nothing is left to find out."""
        return not self.atoms and not self.unknowns


class Scan(NamedTuple):
    """The matching statements of one document; `has_allow` is whether it has any Allow statement, matching or not."""

    allows: tuple[Match, ...] = ()
    denies: tuple[Match, ...] = ()
    has_allow: bool = False


_NOTHING = Scan()


def scan(request: Request, document: PolicyDocument | Unknown | None, label: str, *, bounded: bool) -> Scan:
    """Find the statements of a document that match or may match a request.

    A document that is not resolved yet may allow and may deny. `bounded` is whether the caller has a permissions
    boundary, which a NotPrincipal with Deny always denies.
    """
    if document is None:
        return _NOTHING
    if isinstance(document, Unknown):
        match = Match(label, None, unknowns=(f"the {label}",))
        return Scan((match,), (match,), has_allow=True)
    about = document.about(request.action_name)
    allows = _matching(request, about.allows, label, bounded=bounded)
    denies = _matching(request, about.denies, label, bounded=bounded)
    if document.unresolved:
        unresolved = tuple(Match(label, None, unknowns=(f"{path} of the {label}",)) for path in document.unresolved)
        allows, denies = (*allows, *unresolved), (*denies, *unresolved)
    return Scan(allows, denies, document.has_allow)


def _matching(request: Request, statements: Statements, label: str, *, bounded: bool) -> tuple[Match, ...]:
    found: list[Match] = []
    for statement in statements.about(request.caller, request.resource) if statements.all else ():
        found += _matches(request, statement, label, bounded=bounded)
    return tuple(found)


def _matches(request: Request, statement: Statement, label: str, *, bounded: bool) -> list[Match]:
    """The ways in which a statement matches: one, or for a Principal one per way of naming the caller."""
    action = statement.covers_action(request.action_name)
    if action is Truth.FALSE:
        return []
    unknowns: list[str] = []
    atoms: list[Atom] = []
    if action is Truth.UNKNOWN:
        unknowns.append(_of(statement, label, "Action"))
    namings = _namings(request, statement, label, bounded=bounded)
    if not namings:
        return []
    covered = statement.covers_resource(request.resource, request.lookup)
    if covered is Truth.FALSE:
        return []
    if covered is Truth.UNKNOWN:
        unknowns.append(_of(statement, label, "Resource"))
    elif covered is Truth.FREE:
        atoms.append(ResourceAtom(statement, request.resource))
    for clause in statement.conditions:
        held = clause.evaluate(request.lookup)
        if held is Truth.FALSE:
            return []
        if held is Truth.UNKNOWN:
            unknowns.append(f"{clause.path} of the {label}")
        elif held is Truth.FREE:
            atoms.append(ClauseAtom(clause.with_values(request.lookup)))
    unknowns += [f"{path} of the {label}" for path in statement.unresolved]
    if not atoms and not unknowns:
        return [Match(label, statement, more, unnamed, form) for form, more, unnamed in namings]
    return [Match(label, statement, (*more, *atoms), (*unnamed, *unknowns), form) for form, more, unnamed in namings]


_UNNAMED: list[tuple[Form | None, tuple[Atom, ...], tuple[str, ...]]] = [(None, (), ())]


def _namings(
    request: Request, statement: Statement, label: str, *, bounded: bool
) -> list[tuple[Form | None, tuple[Atom, ...], tuple[str, ...]]]:
    """How the statement names the caller: form, session atoms, unresolved names. Empty when it does not."""
    if statement.principals is None and statement.not_principals is None:
        return _UNNAMED
    if statement.not_principals is not None:
        denies = statement.effect == "Deny"
        spared = statement.not_principals.spares(request.caller, denies=denies)
        if denies and bounded:
            spared = Truth.FALSE
        if spared is Truth.TRUE:
            return []
        return [(Form.DIRECT, (), (_of(statement, label, "Principal"),) if spared is Truth.UNKNOWN else ())]
    if statement.principals is None:
        return _UNNAMED
    found: list[tuple[Form | None, tuple[Atom, ...], tuple[str, ...]]] = []
    for naming in statement.principals.names(request.caller):
        if naming.found is Truth.UNKNOWN:
            found.append((None, (), (_of(statement, label, "Principal"),)))
            continue
        atoms: tuple[Atom, ...] = ()
        if naming.session is not None:
            atom = SessionAtom(naming.session)
            held = atom.evaluate(request.lookup)
            if held is Truth.UNKNOWN:
                found.append((naming.form, (), (f"aws:userid of {request.caller}",)))
                continue
            if held is Truth.FALSE and request.lookup("aws:userid") != ():
                continue
            if held is not Truth.TRUE:
                atoms = (atom,)
        found.append((naming.form, atoms, ()))
    return found


def _of(statement: Statement, label: str, element: str) -> str:
    return f"{element} of {statement.label} of the {label}"
