"""An identity provider lets in people and machines of one's own, not everybody who has an account there."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from itertools import starmap

from twokeys.access.carriers import by_every_anchor
from twokeys.access.exceptions import DoorConfig
from twokeys.access.federated import GUESTS, FederatedTrust, provider_name
from twokeys.access.findings import Finding, Rule
from twokeys.access.graph import Graph
from twokeys.access.judge import held_by
from twokeys.access.model.door_name import DoorName
from twokeys.access.model.names import EVERY_SERVICE
from twokeys.access.model.principals import Identity, Principal
from twokeys.access.rules.wildcards import open_to_everyone
from twokeys.doors.who import CARRIERS, ROLES_ANYWHERE
from twokeys.iam import ANY_PROVIDER, Outcome, Request, Unknown, evaluate_grant
from twokeys.iam.shared_providers import STS_AUDIENCE, SharedProvider
from twokeys.iam.sts import ASSUME_ROLE, WITH_SAML

_OPEN, _IDLE = "is open to others by", "cannot work as it stands with"
_CLUSTER = re.compile(r"oidc\.eks\.[\w-]+\.amazonaws\.com(?:\.cn)?/id/\w+", re.IGNORECASE)
_OF_NAMESPACE = re.compile(r"system:serviceaccount:[^:*?]+:")
_OPENING = (Outcome.ALLOW, Outcome.CONDITIONAL)
_SHARED = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc_secure-by-default.html"


def _federated(graph: Graph, _config: DoorConfig, _now: datetime) -> Iterable[Finding]:
    """Each once: `sts:*` lets a provider in by a web identity and by SAML, and one sentence says both."""
    return dict.fromkeys(_open_or_idle(graph))


def _open_or_idle(graph: Graph) -> Iterator[Finding]:
    for found in graph.federated:
        if _is_everyone(graph, found):
            continue
        wrong = None if found.unknown else _wrong(found)
        if wrong is None and GUESTS in map(found.open_by, found.sources) and (may := _leads_on(graph, found.role)):
            step = "demand that the amr of a token is authenticated, or take from the role what guests need not"
            wrong = _OPEN, f"{GUESTS} come in, whom nobody signed in, and {may}", step
        if wrong:
            headline, why, step = wrong
            said = f"{headline} {provider_name(found.federation)}: {why}"
            yield _finding(graph, found.role, said, step, found.sources)
        elif who := _unlimited(found):
            whom, example = who
            step = f"demand {found.federation.subject_key} by StringEquals, {example}"
            one = _finding(graph, found.role, f"lets in {whom}", step, found.sources)
            yield replace(one, advice=True, severity="medium")
    for role in graph.roles:
        trust = role.trust_policy
        if service := None if isinstance(trust, Unknown) else by_every_anchor(trust):
            why = f"{service}: {CARRIERS[ROLES_ANYWHERE]} comes in, for every trust anchor of the account"
            step = "demand the ARN of one trust anchor with ArnEquals on aws:SourceArn"
            if service == EVERY_SERVICE:
                why = "every AWS service, and some hand roles to others, as Roles Anywhere does"
                step = "name the one service that is to have the role, such as ec2.amazonaws.com"
            yield _finding(graph, role, f"{_OPEN} {why}", step, {})


def _is_everyone(graph: Graph, found: FederatedTrust) -> bool:
    """Whether it is a statement that admits everyone and names no provider: `wildcard-trust` speaks of that."""
    statement = found.federation.statement
    names = statement.principals.federated if statement.principals else ()
    return not names and statement.index in open_to_everyone(graph, found.role)


def _unlimited(found: FederatedTrust) -> tuple[str, str] | None:
    """Who comes in of a provider of one's own where no subject is demanded, and what to demand of it; None where less.

    An audience that is an app of one's own there limits them: so AWS's console makes such roles.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-idp_oidc.html
    """
    federation = found.federation
    if _CLUSTER.fullmatch(federation.prefix):
        every = any(map(_of_any_namespace, found.sources))
        whom = f"pods of every namespace of EKS cluster {federation.prefix}"
        return (whom, "as system:serviceaccount:NAMESPACE:NAME") if every else None
    read = {f"{federation.prefix}:{claim}".lower() for claim in ("aud", "sub")}
    more = federation.denials or any(one.lower_key not in read for one in federation.statement.conditions)
    audience = federation.admits("aud")
    if found.unknown or found.shared or more or federation.action == WITH_SAML or not federation.subject.anybody:
        return None
    whom = f"whoever can have a token of {federation.prefix}: other organizations, too, if it serves them"
    return (whom, "unless all of them are meant") if not audience.unresolved and audience.admits(STS_AUDIENCE) else None


def _of_any_namespace(subject: str) -> bool:
    """Whether service accounts of any namespace have a subject, so that whoever may make a pod has the role.

    https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html
    """
    return not {*subject}.isdisjoint("*?") and not _OF_NAMESPACE.match(subject)


def _wrong(found: FederatedTrust) -> tuple[str, str, str] | None:
    """What is wrong with a trust in a provider: a headline, why, and the next step."""
    federation = found.federation
    if federation.provider == ANY_PROVIDER:
        return _OPEN, "every provider that anybody makes in the account is admitted", "name the provider by its ARN"
    if found.names_nothing:
        why = f"{federation.provider!r} names no identity provider, and IAM takes no wildcard in such a name"
        return _IDLE, why, "name a provider by its ARN, or one that is built into AWS (accounts.google.com)"
    if found.foreign:
        return (
            _IDLE,
            f"{federation.provider} is of another account or partition, and IAM takes those of the role's only",
            "make the provider in the role's account, and name that one",
        )
    return _open(found, found.shared) if found.shared is not None else None


def _open(found: FederatedTrust, shared: SharedProvider) -> tuple[str, str, str] | None:
    """Everybody can have tokens of a shared provider: some claim has to name one tenant, and one's own at that."""
    step = f"demand {shared.key(shared.claims[0])} by StringEquals or StringLike, as in {shared.example}"
    if found.open_to_others:
        return _OPEN, f"everybody can have its tokens, and {found.open_to_others}", step
    asked = (*shared.claims, *([shared.instead] if shared.instead else []))
    if all(found.federation.admits(claim).anybody for claim in asked):
        return _IDLE, f"IAM refuses a trust policy that does not demand {shared.key(shared.claims[0])}", step
    return None


def _leads_on(graph: Graph, role: Identity) -> str:
    """What makes a role more than one for guests: it enters others, or may change what it may do itself; or nothing.

    https://docs.aws.amazon.com/cognito/latest/developerguide/iam-roles.html
    """
    if any(door.source is role and door.open for door in (*graph.doors, *graph.steps)):
        return "the role enters others"
    policies = held_by(role, graph.guards)

    def may(action: str, resource: str) -> bool:
        return evaluate_grant(Request(role.caller, action, resource), policies).outcome in _OPENING

    if may(ASSUME_ROLE, role.arn):
        return "the role may assume roles"
    full = any(one.arn is not None and one.arn.endswith(":policy/IAMFullAccess") for one in role.all_documents)
    return "the role may change its own permissions" if full or any(starmap(may, role.own_changes)) else ""


def _finding(graph: Graph, role: Principal, wrong: str, step: str, sources: Mapping[str, Principal]) -> Finding:
    account = graph.accounts.name(role.account)
    message = f"The trust policy of role {role.arn} in account {account} {wrong}"
    who = "*" if len(sources) != 1 else next(iter(sources.values())).arn
    return Finding(message, step, role.urn, DoorName(who, role.arn), role.source)


FEDERATED_TRUST = Rule(
    name="federated-trust",
    description="A trust in an identity provider names one's own people and machines there.",
    severity="critical",
    remediation="Name the provider of the role's account, and your own tenant in the claim that tells it.",
    url=_SHARED,
    check=_federated,
    config=DoorConfig,
)
"""A provider that all the world shares (GitHub, GitLab, HCP Terraform, Pulumi Cloud, Cognito, Google and others of
AWS's page) needs a claim that names one tenant to its end: not `*`, nor `repo:*`, nor `repo:acme*`, not under IfExists
or ForAllValues. A subject that no token has lets nobody in: `policy-lint` says so. Every provider (`*`), a provider of
another account and a trust in Roles Anywhere that names no trust anchor are refused. So are guests of a Cognito
identity pool where the role enters others or may change its own permissions; an app's guests with less are not. Advice
is that pods of every namespace of an EKS cluster come in, since the cluster is one's own, and that whoever has a token
of an issuer outside the table does, where nothing is demanded but the audience of STS.

Unknown: a provider, or a tenant, that is not known yet is left to `unproved-door`. Does not check: whether the tenant
that is named is yours, whether an identity pool takes guests, what subjects a provider of your own hands out, and MFA
of federated people.
"""
