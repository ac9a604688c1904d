"""The decision on one request, from every policy that bears on it.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html

Explicit denials come first. What must allow is then an expression of and/or over the matching Allow statements:
within one account the trust policy alone if it names the caller itself, else also the identity-based policies, as
limited by boundary, session policies and SCPs; across accounts always both sides.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from typing import NamedTuple, TypeAlias

from twokeys.iam.arn import parse_arn
from twokeys.iam.documents import PolicyDocument
from twokeys.iam.logic import And, Or, allowing, decide, decide_open, denied, missing
from twokeys.iam.matches import NO_DENIALS, Match, Rules, Side, joined, side_of
from twokeys.iam.principals import Caller, CallerKind, Form
from twokeys.iam.request import ASSUME_ROOT, Request
from twokeys.iam.truth import Unknown
from twokeys.iam.verdict import ALLOW, DENY, Verdict, Why

_ASSUME_ROLE = "sts:assumerole"
_WITH_SAML = "sts:assumerolewithsaml"
_WITH_WEB_IDENTITY = "sts:assumerolewithwebidentity"
_FEDERATED_ACTIONS = frozenset({_WITH_SAML, _WITH_WEB_IDENTITY})
Levels: TypeAlias = tuple[tuple[PolicyDocument | Unknown, ...], ...]
"""Control policies by level, from the root of the organization to the account."""


@dataclass(slots=True, eq=False)
class Policies:
    """Everything that bears on one decision; any document can be `UNKNOWN`. Nothing changes one.

    Attributes:
        identity: the identity-based policies of the caller: attached, inline, and those of its groups.
        trust: the resource-based policy of the target; for a role its trust policy.
        boundary: the permissions boundary of the caller.
        session: the session policies that were passed when the caller's session began; None (or none) for no limit.
        scps: the SCPs of the caller's account, one tuple per level from the root to the account. Empty when none
            apply, as in the management account. Every level must allow; within a level one policy is enough.
        rcps: likewise the RCPs of the target's account. They only deny: RCPFullAWSAccess, which allows everything, is
            on every level for good, and no other RCP can allow.
            https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
    """

    identity: tuple[PolicyDocument | Unknown, ...] = ()
    trust: PolicyDocument | Unknown | None = None
    boundary: PolicyDocument | Unknown | None = None
    session: tuple[PolicyDocument | Unknown, ...] | None = None
    scps: Levels = ()
    rcps: Levels = ()
    _own: dict[str, _Own] = field(default_factory=dict, init=False, repr=False)
    _layers: dict[str, _Layers] = field(default_factory=dict, init=False, repr=False)

    def own(self, action: str) -> _Own:
        """What the caller's side says about an action, which is given in lower case."""
        found = self._own.get(action)
        if found is None:
            found = self._own[action] = _own(self, action)
        return found

    def about(self, action: str) -> _Layers:
        """What all policies say about an action, which is given in lower case."""
        found = self._layers.get(action)
        if found is None:
            found = self._layers[action] = _Layers(self, action)
        return found

    def on(self, trust: PolicyDocument | Unknown | None, rcps: Levels) -> Policies:
        """The same on another resource; what the caller's side says is worked out once for all of them."""
        found = replace(self, trust=trust, rcps=rcps)
        found._own = self._own
        return found

    def binding(self, caller: Caller) -> Policies:
        """Those that bind a caller: no SCP or RCP binds a service-linked role."""
        return replace(self, scps=(), rcps=()) if caller.is_service_linked else self


def evaluate(request: Request, policies: Policies) -> Verdict:
    """Decide a request as AWS would.

    A value that is not resolved yet never turns into ALLOW: where it matters the outcome is UNKNOWN. Neither does a
    free key: the outcome is ALLOW only if it is for every value. Not decided here: whether caller and target exist,
    quotas, session durations, and role chaining's limit of one hour.

    For sts:AssumeRoot the resource is the root of the member account, which has no policy: only the caller's side
    decides. Whether root sessions are enabled and the caller is in the management account is not looked at.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user-privileged-task.html

    Raises:
        ArnError: the request's resource is not an ARN.
    """
    caller, action, target = request.caller, request.action.lower(), parse_arn(request.resource)
    if caller.ordinary and caller.partition == target.partition and action not in _FEDERATED_ACTIONS:
        layers = policies._layers.get(action) or policies.about(action)
    else:
        refusal = _barred(request) or _mismatched(request)
        if refusal is not None:
            return refusal
        layers = policies.binding(caller).about(action)
        if caller.kind in _WITHOUT_GRANT:
            return _decided(request, layers.resource)
    if caller.account != target.account or action == ASSUME_ROOT:
        return _decided(request, layers.both)
    return _within_account(request, layers)


def evaluate_trust(request: Request, trust: PolicyDocument | Unknown | None) -> Verdict:
    """Whether the trust policy alone admits the caller, as if from another account: the first key.

    Naming the caller's account counts. That root users cannot assume roles is not looked at here (nor is it for
    sessions of GetFederationToken), so that the caller `...:root` can stand for whoever its account lets in.
    """
    refusal = _mismatched(request)
    if refusal is not None:
        return refusal
    return _decided(request, side_of(trust, request.action_name, _TRUST))


def evaluate_grant(request: Request, policies: Policies) -> Verdict:
    """Whether the caller's side alone grants the request: the second key.

    Looks at identity-based policies, permissions boundary, session policies and SCPs. Services and federated people
    need no grant.
    """
    caller, action = request.caller, request.action.lower()
    if caller.ordinary and caller.partition == request.target.partition and action not in _FEDERATED_ACTIONS:
        return _decided(request, policies.own(action).side)
    if caller.kind in _WITHOUT_GRANT:
        return Verdict.of_rule(ALLOW, "caller", f"a {caller.kind.value} principal needs no identity-based policy")
    refusal = _barred(request) or _mismatched(request)
    return refusal or _decided(request, policies.binding(caller).own(action).side)


_TRUST = "trust policy"
_WITHOUT_GRANT = frozenset({CallerKind.SERVICE, CallerKind.FEDERATED})


class _Own(NamedTuple):
    """The caller's side."""

    scps: tuple[Rules, ...]
    identity: Rules
    limits: tuple[Rules, ...]
    side: Side


def identity_label(number: int) -> str:
    """What decisions call an identity-based policy by its place, from 1."""
    return f"identity-based policy {number}"


def _own(policies: Policies, action: str) -> _Own:
    sides = [side_of(document, action, identity_label(number)) for number, document in enumerate(policies.identity, 1)]
    identity = _gate("identity-based policies", sides)
    scps: tuple[Rules, ...] = ()
    limits: tuple[Rules, ...] = ()
    if policies.boundary is not None:
        boundary = side_of(policies.boundary, action, "permissions boundary")
        limits = boundary.gates
        sides.append(boundary)
    if policies.session:
        session = _numbered(policies.session, action, "session policy")
        limits += (_gate("session policies", session),)
        sides += session
    for number, level in enumerate(_levels(policies.scps, action, "SCP"), 1):
        scps += (_gate(f"SCPs at level {number}", level),)
        sides += level
    return _Own(scps, identity, limits, Side(_denies(sides), (*scps, identity, *limits)))


class _Layers:
    """The statements of all policies about one action, put together once for each sort of request."""

    def __init__(self, policies: Policies, action: str) -> None:
        self.own = own = policies.own(action)
        trust = side_of(policies.trust, action, _TRUST)
        of_rcps = list(chain.from_iterable(_levels(policies.rcps, action, "RCP")))
        denies = _denies((trust, own.side, *of_rcps))
        (self.trust,) = trust.gates
        self.resource = Side(_denies((trust, *of_rcps)), trust.gates)
        """The resource's side alone."""
        self.both = Side(denies, own.side.gates if action == ASSUME_ROOT else (self.trust, *own.side.gates))
        self.within = {
            Form.DIRECT: Side(denies, own.scps),
            Form.ROLE: Side(denies, (*own.scps, *own.limits)),
            Form.ACCOUNT: Side(denies, own.side.gates),
        }
        """What limits a caller of the role's own account whom its trust policy names in a certain form."""


def _numbered(documents: Iterable[PolicyDocument | Unknown], action: str, label: str, where: str = "") -> list[Side]:
    return [
        side_of(document, action, getattr(document, "title", None) or f"{label} {number}{where}")
        for number, document in enumerate(documents, 1)
    ]


def _levels(levels: Levels, action: str, label: str) -> list[list[Side]]:
    return [_numbered(level, action, label, f" at level {number}") for number, level in enumerate(levels, 1)]


def _gate(label: str, found: Iterable[Side]) -> Rules:
    return joined(label, [gate for one in found for gate in one.gates])


def _denies(found: Iterable[Side]) -> Rules:
    some = [one.denies for one in found if one.denies is not NO_DENIALS]
    return joined("denials", some) if some else NO_DENIALS


def _decided(request: Request, side: Side) -> Verdict:
    """Denied if a denial matches or a gate does not allow; allowed if none does and all do; else `logic` decides."""
    denies: tuple[Match, ...] = ()
    denying, gates = side
    for rule in denying.all and (denying.few or denying.about(request)):
        found = rule.matches(request)
        if found:
            if found is rule.certain:
                return denied(found)
            denies += found
    hanging: tuple[Or, ...] = ()
    allows: tuple[Match, ...] = ()
    for gate in gates:
        some: tuple[Match, ...] = ()
        for rule in gate.few or gate.about(request):
            found = rule.matches(request)
            if found:
                if found is rule.certain:
                    break
                some += found
        else:
            if not some:
                return Verdict(DENY, partial(_missing, request, gates))
            hanging += (Or(gate.label, some),)
            allows += some
    if not hanging and not denies:
        return Verdict(ALLOW, partial(_allowed, request, gates))
    return decide_open(partial(_formula, request, gates), And(hanging), allows, denies, request)


def _missing(request: Request, gates: tuple[Rules, ...]) -> Why:
    return missing(_formula(request, gates))


def _allowed(request: Request, gates: tuple[Rules, ...]) -> Why:
    return allowing(_formula(request, gates))


def _formula(request: Request, gates: Iterable[Rules]) -> And:
    return And(tuple([Or(gate.label, _matching(gate, request)) for gate in gates]))


def _matching(rules: Rules, request: Request) -> tuple[Match, ...]:
    return tuple([match for rule in rules.about(request) for match in rule.matches(request)])


def _within_account(request: Request, layers: _Layers) -> Verdict:
    """Same account: what must allow depends on how the trust policy names the caller."""
    best: Form | None = None
    for rule in layers.trust.about(request):
        found = rule.matches(request)
        if found:
            form = rule.form(request.caller) if found is rule.certain else None
            if form is None:
                return _by_form(request, layers)
            best = form if best is None or form > best else best
    outcome = DENY if best is None else _decided(request, layers.within[best]).outcome
    return Verdict(outcome, lambda: _by_form(request, layers).why)


def _by_form(request: Request, layers: _Layers) -> Verdict:
    """The verdict within an account, with all ways in which the trust policy names the caller."""
    trust = tuple([match for rule in layers.trust.about(request) for match in rule.closely(request)])
    denies = _matching(layers.both.denies, request)
    named = {form: Or(_TRUST, tuple(match for match in trust if match.form in (form, None))) for form in Form}
    limits = _formula(request, layers.own.limits)
    delegated = And((Or(_TRUST, trust), And((*_formula(request, (layers.own.identity,)).parts, limits))))
    shared = _formula(request, layers.own.scps)
    ways = (named[Form.DIRECT],), (named[Form.ROLE], limits)
    either = Or(_TRUST, (), (*(And(way) for way in ways if way[0].matches), delegated))
    return decide(And((*shared.parts, either)), denies, request)


def _barred(request: Request) -> Verdict | None:
    """Callers that can neither assume a role nor begin a root session.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_sts-comparison.html
    https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoot.html
    """
    if request.action_name not in (_ASSUME_ROLE, ASSUME_ROOT):
        return None
    if request.caller.kind is CallerKind.ROOT:
        return _refused("an account's root user can neither assume a role nor begin a root session")
    if request.caller.kind is CallerKind.FEDERATED_USER:
        return _refused("a session of GetFederationToken can call nothing of STS but GetCallerIdentity")
    return None


def _mismatched(request: Request) -> Verdict | None:
    """Callers that do not go with the operation or the partition."""
    caller, action, partition = request.caller, request.action_name, request.target.partition
    if caller.partition and caller.partition != partition:
        return _refused(f"the caller is in partition {caller.partition}, the target in {partition}")
    if caller.kind is not CallerKind.FEDERATED:
        if action in (_WITH_SAML, _WITH_WEB_IDENTITY):
            return _refused(f"{request.action} is called by a federated person, not by a {caller.kind.value}")
    elif action == _ASSUME_ROLE:
        return _refused("a federated person assumes a role with AssumeRoleWithSAML or AssumeRoleWithWebIdentity")
    elif action == _WITH_SAML and not caller.is_saml_provider:
        return _refused("AssumeRoleWithSAML is for people of a SAML provider")
    elif action == _WITH_WEB_IDENTITY and caller.is_saml_provider:
        return _refused("AssumeRoleWithWebIdentity is for people of an OIDC or web identity provider")
    return None


def _refused(why: str) -> Verdict:
    return Verdict.of_rule(DENY, "STS", why)
