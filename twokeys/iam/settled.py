"""Most requests, decided with booleans: those on which nothing is open, or only one sort of thing.

Many times as fast as with a formula. Answers None where it takes one; `evaluation` then decides.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from twokeys.iam.cases import independent
from twokeys.iam.conditions import ConditionClause
from twokeys.iam.documents import About, PolicyDocument, Statement, Statements
from twokeys.iam.matches import ClauseAtom
from twokeys.iam.principals import CallerKind, Form
from twokeys.iam.request import ASSUME_ROOT, ROLE_ACTIONS, Request
from twokeys.iam.truth import Truth, Unknown
from twokeys.iam.verdict import Outcome

if TYPE_CHECKING:
    from twokeys.iam.evaluation import Policies

_Documents: TypeAlias = Iterable[PolicyDocument | Unknown | None]
_Free: TypeAlias = list[ConditionClause | None]
"""The conditions on free keys that were met; None for something else that is free."""
_TRUE, _FALSE, _UNKNOWN, _FREE = Truth.TRUE, Truth.FALSE, Truth.UNKNOWN, Truth.FREE


class Layers(NamedTuple):
    """The statements of all policies about one action; of each gate one must allow.

    `rcps` are those levels that must allow: AWS's own full access is on each and need not be listed.
    """

    own_denies: Statements
    other_denies: Statements
    trust: Statements
    identity: Statements
    limits: tuple[Statements, ...]
    scps: tuple[Statements, ...]
    rcps: tuple[Statements, ...]


def layers_of(policies: Policies, action: str) -> Layers | None:
    """The statements about an action; None where a document, or what a statement is about, is not resolved."""
    limits: list[_Documents] = [] if policies.boundary is None else [(policies.boundary,)]
    if policies.session:
        limits.append(policies.session)
    own = [_layer(action, documents) for documents in (policies.identity, *limits, *policies.scps)]
    trust = _layer(action, (policies.trust,))
    rcps = [_layer(action, documents) for documents in policies.rcps]
    if None in own or trust is None or None in rcps:
        return None
    allows = [_allowing(layer) for layer in own]
    first_scp = 1 + len(limits)
    return Layers(
        Statements(one for layer in own for about in layer or () for one in about.denies.all),
        Statements(one for layer in (trust, *rcps) for about in layer or () for one in about.denies.all),
        _allowing(trust),
        allows[0],
        tuple(allows[1:first_scp]),
        tuple(allows[first_scp:]),
        tuple(
            _allowing(layer)
            for layer, documents in zip(rcps, policies.rcps, strict=True)
            if any(isinstance(document, PolicyDocument) and document.has_allow for document in documents)
        ),
    )


def _allowing(layer: list[About] | None) -> Statements:
    if layer is not None and len(layer) == 1:
        return layer[0].allows
    return Statements(one for about in layer or () for one in about.allows.all)


def _layer(action: str, documents: _Documents) -> list[About] | None:
    known = [document for document in documents if document is not None]
    abouts = [document.about(action) for document in known if isinstance(document, PolicyDocument)]
    return None if len(abouts) < len(known) or any(about.unsure for about in abouts) else abouts


def settled(request: Request, policies: Policies) -> Outcome | None:
    """As `evaluation.evaluate`."""
    caller, action = request.caller, request.action_name
    if not caller.has_policies:
        return _without_policies(request, policies)
    layers = policies.about(action)
    if layers is None or caller.is_service_linked:
        return None
    own, others, trust, identity, limits, scps, rcps = layers
    denies = (own, others)
    bounded = policies.boundary is not None
    if action == ASSUME_ROOT:
        return _decided(request, denies, (identity, *limits, *scps, *rcps), bounded=bounded)
    if caller.account != request.target.account:
        return _decided(request, denies, (trust, identity, *limits, *scps, *rcps), bounded=bounded)
    outcome = _decided(request, denies, (*scps, *rcps), bounded=bounded)
    if outcome is Outcome.ALLOW:
        return _within_account(request, layers, bounded=bounded)
    return outcome if outcome is Outcome.DENY else None


def _without_policies(request: Request, policies: Policies) -> Outcome | None:
    """Services and federated people need no grant: only the resource's side counts."""
    if request.caller.kind not in (CallerKind.SERVICE, CallerKind.FEDERATED) or policies.rcps or policies.boundary:
        return None
    return settled_trust(request, policies.trust)


def settled_trust(request: Request, trust: PolicyDocument | Unknown | None) -> Outcome | None:
    """As `evaluation.evaluate_trust`."""
    if not isinstance(trust, PolicyDocument):
        return None
    about = trust.about(request.action_name)
    return None if about.unsure else _decided(request, (about.denies,), (about.allows,), bounded=False)


def settled_grant(request: Request, policies: Policies) -> Outcome | None:
    """As `evaluation.evaluate_grant`. What is on the resource's side has no say."""
    layers = policies.about(request.action_name)
    if layers is None or not request.caller.has_policies or request.caller.is_service_linked:
        return None
    gates = (layers.identity, *layers.limits, *layers.scps)
    return _decided(request, (layers.own_denies,), gates, bounded=False)


def _within_account(request: Request, layers: Layers, *, bounded: bool) -> Outcome | None:
    """What must allow depends on how the trust policy names the caller: see `evaluation`."""
    if request.action_name not in ROLE_ACTIONS:
        return None
    best: Form | None = None
    for statement in layers.trust.about(request.caller, request.resource):
        matches = _matches(request, statement, [], bounded=bounded)
        if matches is _FALSE:
            continue
        if matches is not _TRUE or statement.principals is None:
            return None
        for naming in statement.principals.names(request.caller):
            if naming.found is not _TRUE:
                return None
            best = naming.form if best is None or naming.form > best else best
    if best is None:
        return Outcome.DENY
    if best is Form.DIRECT:
        return Outcome.ALLOW
    gates = layers.limits if best is Form.ROLE else (layers.identity, *layers.limits)
    return _decided(request, (), gates, bounded=bounded)


def _decided(
    request: Request, denies: tuple[Statements, ...], gates: tuple[Statements, ...], *, bounded: bool
) -> Outcome | None:
    """Denied if a denial matches or a gate does not allow; allowed if none does and all do.

    If all that is open is unresolved, it can turn out either way; if all that is open are free keys, each of which can
    be met or not by itself, then the request is allowed under conditions.
    """
    free: _Free = []
    unknown = False
    for layer in denies:
        for statement in layer.about(request.caller, request.resource):
            denied = _matches(request, statement, free, bounded=bounded)
            if denied is _TRUE:
                return Outcome.DENY
            unknown = unknown or denied is _UNKNOWN
    for gate in gates:
        allowed = _allows(request, gate, free, bounded=bounded)
        if allowed is _FALSE:
            return Outcome.DENY
        unknown = unknown or allowed is _UNKNOWN
    if not free:
        return Outcome.UNKNOWN if unknown else Outcome.ALLOW
    clauses = [clause for clause in free if clause is not None]
    if unknown or len(clauses) < len(free) or not independent([ClauseAtom(clause) for clause in clauses]):
        return None
    return Outcome.CONDITIONAL


def _allows(request: Request, gate: Statements, free: _Free, *, bounded: bool) -> Truth:
    """Whether a statement of a gate matches; if one does for certain, what the others hang on does not matter."""
    before = len(free)
    found = _FALSE
    for statement in gate.about(request.caller, request.resource):
        matches = _matches(request, statement, free, bounded=bounded)
        if matches is _TRUE:
            del free[before:]
            return _TRUE
        if matches is not _FALSE and found is not _UNKNOWN:
            found = matches
    return found


def _matches(request: Request, statement: Statement, free: _Free, *, bounded: bool) -> Truth:
    """Whether a statement about the action matches. What it hangs on, if free, is added to `free`."""
    before = len(free)
    found = _UNKNOWN if statement.unresolved else _TRUE
    if statement.principals is not None:
        named = statement.principals.certainly(request.caller)
    elif statement.not_principals is not None:
        named = _not_spared(request, statement, bounded=bounded)
    else:
        named = _TRUE
    if named is _FALSE:
        return _FALSE
    if named is not _TRUE:
        found = _hang(found, named, free, None)
    if not statement.every_resource:
        covered = statement.covers_resource(request.resource, request.lookup)
        if covered is _FALSE:
            del free[before:]
            return _FALSE
        if covered is not _TRUE:
            found = _hang(found, covered, free, None)
    for clause in statement.conditions:
        held = clause.evaluate(request.lookup)
        if held is _FALSE:
            del free[before:]
            return _FALSE
        if held is not _TRUE:
            found = _hang(found, held, free, clause if len(clause.keys) == 1 else None)
    return found


def _hang(found: Truth, on: Truth, free: _Free, clause: ConditionClause | None) -> Truth:
    if on is _FREE:
        free.append(clause)
    return _UNKNOWN if _UNKNOWN in (found, on) else _FREE


def _not_spared(request: Request, statement: Statement, *, bounded: bool) -> Truth:
    """A permissions boundary of the caller makes NotPrincipal with Deny deny it in any case."""
    denies = statement.effect == "Deny"
    if statement.not_principals is None or (denies and bounded):
        return _TRUE
    spared = statement.not_principals.spares(request.caller, denies=denies)
    return spared if spared is _UNKNOWN else _FALSE if spared is _TRUE else _TRUE
