"""Which statements of a document match a request, and what their match hangs on.

What of a statement is the same for every request is worked out once for a document and an action. Most matches hang on
nothing: those are found without making anything.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from twokeys.iam.conditions import ConditionClause
from twokeys.iam.documents import PolicyDocument, Statement
from twokeys.iam.globs import glob
from twokeys.iam.principals import Caller, CallerKind, Form
from twokeys.iam.request import Request
from twokeys.iam.truth import FALSE, FREE, TRUE, Lookup, Truth, Unknown
from twokeys.iam.verdict import Requirement


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
        return TRUE if name == self.session else FALSE

    def requirement(self) -> Requirement:
        """As a condition on aws:userid."""
        return Requirement("StringLike", "aws:userid", (f"*:{self.session}",))


Atom: TypeAlias = ConditionClause | ResourceAtom | SessionAtom
"""A condition on free keys: what it reads, whether it holds once they have values, and it as data."""


class Match(NamedTuple):
    """A statement that matches if all its atoms hold and its unresolved values turn out so.

    `statement` is None for a document or statement that is not resolved yet. `form` is how a Principal names the
    caller, None when that is not resolved, or does not matter.
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


def meets(clause: ConditionClause, request: Request) -> Truth:
    """Whether a request meets a clause; of some keys only how their one value goes on is free, or some values are not.

    Of a role aws:userid is its unique id, a colon and a session name of 2 to 64 characters.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#principaltable
    """
    found = clause.evaluate(request.lookup)
    clause = clause.with_values(request.lookup) if found is Truth.FREE else clause
    if found is not Truth.FREE or len(clause.keys) > 1 or clause.base.family not in ("string", "null"):
        return found
    key, begins = clause.lower_key, request.context.begins.get(clause.lower_key)
    never = request.context.never.get(key)
    if never is not None and clause.patterns and all(_is_within(one.text, never) for one in clause.patterns):
        either = {clause.evaluate({key: values}.__getitem__) for values in ((), (_OTHER,))}
        return either.pop() if len(either) == 1 else found
    lengths: tuple[int, ...] = (0, 1, 2, 64)
    if key == _USERID and request.caller.kind is CallerKind.ROLE and request.caller.unique_id:
        lengths, begins = (2, 3, 64), f"{request.caller.unique_id}:"
    if begins is None:
        return found
    first, *others = (clause.evaluate({key: (begins + _OTHER * length,)}.__getitem__) for length in lengths)
    wanted = [one.text.lower() for one in clause.patterns if one.wild or not set(one.text) & set("*?")]
    some = any(map(glob(f"{begins.lower()}*").overlaps, map(glob, wanted)))
    settled = {first, *others} == {first} and (not some or (first is TRUE) is not clause.base.negated)
    return first if settled else found


def _is_within(pattern: str, never: str) -> bool:
    """Whether all that a pattern matches are values that a key never has."""
    return pattern.startswith(never) if never.endswith("/") else pattern == never


_USERID, _OTHER = "aws:userid", "\ue000"
_Naming: TypeAlias = tuple[Form | None, tuple[Atom, ...], tuple[str, ...]]
"""A way of naming the caller: its form, session atoms, unresolved names."""
_UNNAMED: tuple[_Naming, ...] = ((None, (), ()),)


class Rule:
    """A statement that is, or may be, about an action.

    Attributes:
        certain: what `matches` returns, the very same each time, where the match hangs on nothing.
    """

    __slots__ = (
        "_action",
        "_conditions",
        "_direct",
        "_exact",
        "_label",
        "_listed",
        "_plain",
        "_resources",
        "_statement",
        "certain",
    )  # fmt: skip

    def __init__(self, label: str, statement: Statement, action: Truth) -> None:
        named, resources = statement.principals, statement.resources
        self.certain = (Match(label, statement),)
        self._label = label
        self._statement = statement
        self._conditions = statement.conditions
        self._action = action
        self._listed = None if named is None or named.everyone else named.listed
        self._resources: frozenset[str] | None = None
        self._exact = False
        if statement.not_resources is not None:
            self._resources = frozenset()
        elif resources is not None and "*" not in resources:
            self._resources = statement.exact_resources
            self._exact = len(self._resources) == len(resources)
        self._plain = action is TRUE and not statement.unresolved and (named is None or named.plain)
        self._direct = self._plain and not (named is not None and named.has_sessions)

    @property
    def names(self) -> frozenset[str | Unknown] | None:
        """Names of callers, or else of resources, one of which a request that it matches has; None for all requests."""
        if not self._direct:
            return None
        if self._listed is not None:
            return self._listed
        return self._resources if self._exact else None

    def matches(self, request: Request) -> tuple[Match, ...]:
        """The ways in which the statement matches, whatever the form of its Principal; empty if it does not.

        Where one way is certain, it is the only one.
        """
        if not self._direct and (not self._plain or request.caller.kind is CallerKind.ROLE):
            found = self.closely(request)
            for match in found:
                if match.certain:
                    return self.certain
            return found
        if self._listed is not None and self._listed.isdisjoint(request.caller.names):
            return ()
        if self._resources is not None and request.resource not in self._resources:
            if self._exact:
                return ()
            covered = self._statement.covers_resource(request.resource, request.lookup)
            if covered is not TRUE:
                return () if covered is FALSE else self.closely(request)
        if not self._conditions:
            return self.certain
        atoms: tuple[Atom, ...] = ()
        for clause in self._conditions:
            met = meets(clause, request)
            if met is TRUE:
                continue
            if met is FALSE:
                return ()
            if met is Truth.UNKNOWN:
                return self.closely(request)
            atoms += (clause.with_values(request.lookup),)
        return (Match(self._label, self._statement, atoms),) if atoms else self.certain

    def form(self, caller: Caller) -> Form | None:
        """Of a match that is certain: the form of the Principal that demands least; None where there is more to see."""
        named = self._statement.principals
        return named.form(caller) if self._plain and named is not None else None

    def closely(self, request: Request) -> tuple[Match, ...]:
        """The ways in which the statement matches: one, or for a Principal one per way of naming the caller."""
        statement, label = self._statement, self._label
        namings = self._namings(request)
        covered = statement.covers_resource(request.resource, request.lookup) if namings else FALSE
        if covered is FALSE:
            return ()
        unknowns: list[str] = []
        atoms: list[Atom] = []
        if self._action is Truth.UNKNOWN:
            unknowns.append(self._of("Action"))
        if covered is Truth.UNKNOWN:
            unknowns.append(self._of("Resource"))
        elif covered is Truth.FREE:
            atoms.append(ResourceAtom(statement, request.resource))
        for clause in statement.conditions:
            met = meets(clause, request)
            if met is FALSE:
                return ()
            if met is Truth.UNKNOWN:
                unknowns.append(f"{clause.path} of the {label}")
            elif met is Truth.FREE:
                atoms.append(clause.with_values(request.lookup))
        unknowns += [f"{path} of the {label}" for path in statement.unresolved]
        return tuple(
            [Match(label, statement, (*more, *atoms), (*unnamed, *unknowns), form) for form, more, unnamed in namings]
        )

    def _namings(self, request: Request) -> Iterable[_Naming]:
        """How the statement names the caller; empty when it does not."""
        statement = self._statement
        if statement.principals is None:
            return _UNNAMED
        found: list[_Naming] = []
        for naming in statement.principals.names(request.caller):
            if naming.found is Truth.UNKNOWN:
                found.append((None, (), (self._of("Principal"),)))
                continue
            atoms: tuple[Atom, ...] = ()
            if naming.session is not None:
                atom = SessionAtom(naming.session)
                is_it = atom.evaluate(request.lookup)
                if is_it is Truth.UNKNOWN:
                    found.append((naming.form, (), (f"aws:userid of {request.caller}",)))
                    continue
                if is_it is FALSE and request.lookup(_USERID) != ():
                    continue
                if is_it is not TRUE:
                    atoms = (atom,)
            found.append((naming.form, atoms, ()))
        return found

    def _of(self, element: str) -> str:
        return f"{element} of {self._statement.label} of the {self._label}"


class Unresolved:
    """A document, or a statement of one, that is not resolved yet: it may match whatever is asked."""

    __slots__ = ("_found",)
    certain = None
    names = None

    def __init__(self, label: str, what: str) -> None:
        self._found = (Match(label, None, unknowns=(what,)),)

    def matches(self, _request: Request) -> tuple[Match, ...]:
        """That it may match."""
        return self._found

    closely = matches

    def form(self, _caller: Caller) -> Form | None:
        """Nothing is certain here."""
        return None


class Rules:
    """Some statements, in order, and which of them can match a request: long lists are searched by exact names.

    `label` names their policies for messages. `few` is all of a short list, which need not be searched; empty for a
    long one.
    """

    __slots__ = ("_by_name", "_others", "all", "few", "label")

    def __init__(self, label: str, rules: Iterable[Rule | Unresolved] = ()) -> None:
        self.label = label
        self.all = tuple(rules)
        self.few = self.all if len(self.all) <= _FEW else ()
        if self.few == self.all:
            return
        self._by_name: dict[str | Unknown, list[int]] = {}
        self._others: list[int] = []
        for place, rule in enumerate(self.all):
            for name in rule.names or ():
                self._by_name.setdefault(name, []).append(place)
            if rule.names is None:
                self._others.append(place)

    def about(self, request: Request) -> Iterable[Rule | Unresolved]:
        """Those that may match a request."""
        if self.few or not self.all:
            return self.few
        names = (*request.caller.names, request.resource)
        places = {place for name in names for place in self._by_name.get(name, ())}
        return [self.all[place] for place in sorted(places.union(self._others))]


_FEW = 8
NO_DENIALS = Rules("denials")


def joined(label: str, several: Iterable[Rules]) -> Rules:
    """The statements of several documents as one list; `label` names them for messages."""
    return Rules(label, [rule for rules in several for rule in rules.all])


class Side(NamedTuple):
    """What must not deny, and what must allow, each for itself."""

    denies: Rules
    gates: tuple[Rules, ...]


def side_of(document: PolicyDocument | Unknown | None, action: str, label: str) -> Side:
    """The statements of a document about an action, which is given in lower case; `label` names it for messages.

    A document that is not resolved yet may allow and may deny.
    """
    if not isinstance(document, PolicyDocument):
        rules = Rules(label, () if document is None else (Unresolved(label, f"the {label}"),))
        return Side(rules, (rules,))
    found = document.sides.get((action, label))
    if found is None:
        found = document.sides[action, label] = _side_of(document, action, label)
    return found


def _side_of(document: PolicyDocument, action: str, label: str) -> Side:
    allows: list[Rule | Unresolved] = []
    denies: list[Rule | Unresolved] = []
    for statement in document.statements:
        covered = statement.covers_action(action)
        if covered is not FALSE:
            rules = allows if statement.effect == "Allow" else denies
            rules.append(Rule(label, statement, covered))
    for path in document.unresolved:
        unresolved = Unresolved(label, f"{path} of the {label}")
        allows.append(unresolved)
        denies.append(unresolved)
    return Side(Rules(label, denies) if denies else NO_DENIALS, (Rules(label, allows),))
