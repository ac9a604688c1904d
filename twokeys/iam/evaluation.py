"""The decision on one request, from every policy that bears on it.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html

Explicit denials come first. What must allow is then an expression of and/or over the matching Allow statements:
within one account the trust policy alone if it names the caller itself, else also the identity-based policies, as
limited by boundary, session policies and SCPs; across accounts always both sides.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from twokeys.iam.documents import PolicyDocument
from twokeys.iam.logic import And, Formula, Or, decide
from twokeys.iam.matches import Match, Scan, scan
from twokeys.iam.principals import Caller, CallerKind, Form
from twokeys.iam.request import ASSUME_ROOT, ROLE_ACTIONS, Context, Request
from twokeys.iam.settled import Layers, layers_of, settled, settled_grant, settled_trust
from twokeys.iam.truth import Unknown
from twokeys.iam.verdict import Decision, Outcome, Requirement, Verdict, Why

__all__ = [
    "Caller",
    "CallerKind",
    "Context",
    "Decision",
    "Outcome",
    "Policies",
    "Request",
    "Requirement",
    "Verdict",
    "evaluate",
    "evaluate_grant",
    "evaluate_trust",
]

_ASSUME_ROLE = "sts:assumerole"
_WITH_SAML = "sts:assumerolewithsaml"
_WITH_WEB_IDENTITY = "sts:assumerolewithwebidentity"


@dataclass(frozen=True)
class Policies:
    """Everything that bears on one decision; any document can be `UNKNOWN`.

    Attributes:
        identity: the identity-based policies of the caller: attached, inline, and those of its groups.
        trust: the resource-based policy of the target; for a role its trust policy.
        boundary: the permissions boundary of the caller.
        session: the session policies that were passed when the caller's session began; None (or none) for no limit.
        scps: the SCPs of the caller's account, one tuple per level from the root to the account. Empty when none
            apply, as in the management account. Every level must allow; within a level one policy is enough.
        rcps: likewise the RCPs of the target's account. AWS attaches RCPFullAWSAccess to every level for good, so a
            level need not list it.
    """

    identity: tuple[PolicyDocument | Unknown, ...] = ()
    trust: PolicyDocument | Unknown | None = None
    boundary: PolicyDocument | Unknown | None = None
    session: tuple[PolicyDocument | Unknown, ...] | None = None
    scps: tuple[tuple[PolicyDocument | Unknown, ...], ...] = ()
    rcps: tuple[tuple[PolicyDocument | Unknown, ...], ...] = ()
    _about: dict[str, Layers | None] = field(default_factory=dict, init=False, repr=False, compare=False)

    def about(self, action: str) -> Layers | None:
        """The statements about an action, which is given in lower case; None if some are not resolved."""
        if action not in self._about:
            self._about[action] = layers_of(self, action)
        return self._about[action]


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
    refusal = None if _is_possible(request) else _impossible(request)
    if refusal is not None:
        return refusal
    outcome = settled(request, policies)
    if outcome is None:
        return _evaluated(request, policies)
    return Verdict.explained_by(outcome, lambda: _evaluated(request, policies).why)


def _evaluated(request: Request, policies: Policies) -> Verdict:
    side = _CallerSide(request, policies)
    trust = _scanned(request, policies.trust, "trust policy", policies)
    rcps = () if request.caller.is_service_linked else _levels(request, policies.rcps, "RCP")
    denies = [*trust.denies, *side.denies, *(deny for level in rcps for one in level for deny in one.denies)]
    gates: list[Formula] = [Or("RCPs", _allows(level)) for level in rcps if any(one.has_allow for one in level)]
    same_account = request.caller.account == request.target.account
    if request.caller.kind in (CallerKind.SERVICE, CallerKind.FEDERATED):
        gates.append(Or("trust policy", trust.allows))
    elif request.action_name == ASSUME_ROOT:
        gates += [side.scp_gate, side.identity_gate, side.limits]
    elif same_account:
        gates += [side.scp_gate, _within_account(request, trust, side)]
    else:
        gates += [Or("trust policy", trust.allows), side.scp_gate, side.identity_gate, side.limits]
    return decide(And(tuple(gates)), tuple(denies), request)


def evaluate_trust(request: Request, trust: PolicyDocument | Unknown | None) -> Verdict:
    """Whether the trust policy alone admits the caller, as if from another account: the first key.

    Naming the caller's account counts. That root users cannot assume roles is not looked at here (nor is it for
    sessions of GetFederationToken), so that the caller `...:root` can stand for whoever its account lets in.
    """
    refusal = None if _is_possible(request) else _mismatched(request)
    if refusal is not None:
        return refusal
    outcome = settled_trust(request, trust)
    if outcome is None:
        return _evaluated_trust(request, trust)
    return Verdict.explained_by(outcome, lambda: _evaluated_trust(request, trust).why)


def _evaluated_trust(request: Request, trust: PolicyDocument | Unknown | None) -> Verdict:
    found = _scanned(request, trust, "trust policy", Policies())
    return decide(Or("trust policy", found.allows), found.denies, request)


def evaluate_grant(request: Request, policies: Policies) -> Verdict:
    """Whether the caller's side alone grants the request: the second key.

    Looks at identity-based policies, permissions boundary, session policies and SCPs. Services and federated people
    need no grant.
    """
    if request.caller.kind in (CallerKind.SERVICE, CallerKind.FEDERATED):
        why = f"a {request.caller.kind.value} principal needs no identity-based policy"
        return Verdict.explained_by(
            Outcome.ALLOW, lambda: Why(decisions=(Decision("caller", None, None, "Allow", why),))
        )
    refusal = None if _is_possible(request) else _impossible(request)
    if refusal is not None:
        return refusal
    outcome = settled_grant(request, policies)
    if outcome is None:
        return _evaluated_grant(request, policies)
    return Verdict.explained_by(outcome, lambda: _evaluated_grant(request, policies).why)


def _evaluated_grant(request: Request, policies: Policies) -> Verdict:
    side = _CallerSide(request, policies)
    return decide(And((side.scp_gate, side.identity_gate, side.limits)), side.denies, request)


class _CallerSide:
    """What the policies on the caller's side say: identity-based, boundary, session and SCPs."""

    def __init__(self, request: Request, policies: Policies) -> None:
        caller = request.caller
        if caller.kind in (CallerKind.SERVICE, CallerKind.FEDERATED):
            policies = Policies()
        identity = _numbered(request, policies.identity, "identity-based policy")
        self.identity_gate: Formula = Or("identity-based policies", _allows(identity))
        if caller.kind is CallerKind.ROOT:
            self.identity_gate = And(())
        found = list(identity)
        limits: list[Formula] = []
        if policies.boundary is not None:
            boundary = _scanned(request, policies.boundary, "permissions boundary", policies)
            limits.append(Or("permissions boundary", boundary.allows))
            found.append(boundary)
        if policies.session:
            session = _numbered(request, policies.session, "session policy")
            limits.append(Or("session policies", _allows(session)))
            found += session
        self.limits = And(tuple(limits))
        scps = () if caller.is_service_linked else _levels(request, policies.scps, "SCP")
        self.scp_gate = And(
            tuple(Or(f"SCPs at level {number}", _allows(level)) for number, level in enumerate(scps, 1))
        )
        found += [one for level in scps for one in level]
        self.denies = tuple(deny for one in found for deny in one.denies)


def _is_possible(request: Request) -> bool:
    """Whether a role or user asks for what roles and users ask for, in its own partition: the common case."""
    caller = request.caller
    if not caller.has_policies or request.action_name in (_WITH_WEB_IDENTITY, _WITH_SAML):
        return False
    return caller.partition == request.target.partition


def _impossible(request: Request) -> Verdict | None:
    """What STS refuses whatever the policies say."""
    return _barred(request) or _mismatched(request)


def _barred(request: Request) -> Verdict | None:
    """Callers that cannot assume a role at all.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_sts-comparison.html
    """
    if request.action_name != _ASSUME_ROLE:
        return None
    if request.caller.kind is CallerKind.ROOT:
        return _refused("an account's root user cannot assume a role")
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
    return Verdict.explained_by(Outcome.DENY, lambda: Why(decisions=(Decision("STS", None, None, "Deny", why),)))


def _within_account(request: Request, trust: Scan, side: _CallerSide) -> Formula:
    """Same account: what must allow depends on how the resource-based policy names the caller.

    A role's trust policy must always name the caller; other resources can also be opened by identity-based policies
    alone.
    """
    by_form = {form: tuple(match for match in trust.allows if match.form in (form, None)) for form in Form}
    direct = Or("trust policy", by_form[Form.DIRECT])
    as_role = And((Or("trust policy", by_form[Form.ROLE]), side.limits))
    delegated = And((side.identity_gate, side.limits))
    if request.action_name in ROLE_ACTIONS:
        delegated = And((Or("trust policy", trust.allows), delegated))
    return Or("trust policy", (), (direct, as_role, delegated))


def _scanned(request: Request, document: PolicyDocument | Unknown | None, label: str, policies: Policies) -> Scan:
    return scan(request, document, label, bounded=policies.boundary is not None)


def _numbered(request: Request, documents: Iterable[PolicyDocument | Unknown], label: str) -> tuple[Scan, ...]:
    return tuple(
        scan(request, document, f"{label} {number}", bounded=False) for number, document in enumerate(documents, 1)
    )


def _levels(
    request: Request, levels: tuple[tuple[PolicyDocument | Unknown, ...], ...], label: str
) -> tuple[tuple[Scan, ...], ...]:
    return tuple(
        tuple(
            scan(request, document, f"{label} {number} at level {level}", bounded=False)
            for number, document in enumerate(documents, 1)
        )
        for level, documents in enumerate(levels, 1)
    )


def _allows(scans: tuple[Scan, ...]) -> tuple[Match, ...]:
    return scans[0].allows if len(scans) == 1 else tuple(match for one in scans for match in one.allows)
