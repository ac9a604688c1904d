"""Documents say what they mean."""

from collections.abc import Iterator
from datetime import datetime

from twokeys.access.findings import Config, Finding, Rule
from twokeys.access.graph import Graph, Judge
from twokeys.access.model.documents import Document
from twokeys.access.model.principals import Principal
from twokeys.access.model.requirements import ended
from twokeys.access.rules.refused import REFUSED
from twokeys.aws_reference import meant_policy, unknown_names
from twokeys.doors.expiry import until
from twokeys.iam import UNKNOWN, Caller, Outcome, PolicyKind, aws_managed, lint
from twokeys.iam.subjects import narrower_subject

_ELSEWHERE = frozenset({"open-trust", "third-party-without-external-id", "service-without-source"})


def _lint(graph: Graph, _config: Config, now: datetime) -> Iterator[Finding]:
    yield from _not_ours_to_change(graph)
    yield from _whole_tenants(graph)
    for document in graph.guards.documents.values():
        yield from _linted(graph, None, document, now)
    for principal in graph.principals:
        yield from _misspelt_policies(graph, principal)
        for document in (*filter(None, [principal.trust]), *principal.documents):
            yield from _linted(graph, principal, document, now)


_CHANGES = {"role": ("iam:UpdateAssumeRolePolicy", "iam:PutRolePolicy"), "group": ("iam:PutGroupPolicy",)}
"""What an update calls to change the keys of doors that are there."""


def _not_ours_to_change(graph: Graph) -> Iterator[Finding]:
    """Accounts whose control policies deny the program itself to change the roles and groups that it made there.

    What is read live tells of no program.
    """
    if any(one.caller for one in graph.snapshot.evidence):
        return
    judge = Judge(graph.guards, graph.accounts)
    enters = {entry.urn: Caller.parse(entry.assumes[-1]) for entry in graph.accounts.entries if entry.assumes}
    said: set[tuple[str, str]] = set()
    for one in graph.principals:
        resource = graph.snapshot.by_urn.get(one.urn or "")
        for action in _CHANGES.get(one.kind, ()) if resource and graph.guards.scps(one.account) else ():
            caller = enters.get(resource.provider or "") if resource else None
            verdict = judge.bound(one.account, action, one.arn, caller)
            by = verdict.decisions[0].document if verdict.outcome is Outcome.DENY else ""
            if by and (one.account, by) not in said:
                said.add((one.account, by))
                who = caller or f"everybody of account {graph.accounts.name(one.account)}"
                message = f"{by} denies {who} {action}, so the next update cannot change {one.kind} {one.arn}"
                step = f"except the role by which this program enters the account from that Deny ({by})"
                yield Finding(message, step, one.urn, source=one.source)


def _whole_tenants(graph: Graph) -> Iterator[Finding]:
    """Trusts by which everything that a tenant has at a shared provider comes in, and no other claim says less.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-idp_oidc.html#idp_oidc_Create_GitHub
    """
    for found in graph.federated:
        federation, shared = found.federation, found.shared
        claims = {one.lower_key.removeprefix(federation.prefix) for one in federation.statement.conditions}
        if shared is None or shared.forms is None or federation.denials or not claims <= {":sub", ":aud"}:
            continue
        for wanted in federation.subject.values:
            if less := narrower_subject(shared.issuer, wanted):
                message = (
                    f"The trust policy of role {graph.accounts.located(found.role)}"
                    f" lets in {wanted.text} of {shared.name}, so everything that this owner has there"
                )
                step = f"name what needs the role, as in {less}"
                yield Finding(message, step, found.role.urn, source=found.role.source)


def _misspelt_policies(graph: Graph, principal: Principal) -> Iterator[Finding]:
    """AWS's own policies that it does not have, and that are spelt almost as one of them: IAM refuses to attach them.

    https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
    """
    for arn in (one.arn for one in (*principal.documents, principal.boundary) if one and one.policy is UNKNOWN):
        if arn and (meant := meant_policy(arn)):
            message = f"The {principal.label} of account {graph.accounts.name(principal.account)} has {arn}"
            message += f", which AWS did not have on {aws_managed.day()}"
            yield Finding(message, f"write {meant}, if that is meant", principal.urn, source=principal.source)


def _linted(graph: Graph, principal: Principal | None, document: Document, now: datetime) -> Iterator[Finding]:
    if document.policy is UNKNOWN or document.urn is None:
        return
    kind = document.policy.kind
    account = principal.account if principal else None
    place = f" in account {graph.accounts.name(account)}" if account else ""
    organization = graph.accounts.held | graph.accounts.members
    linted = lint(document.policy, kind, account=account, organization=organization)
    for found in (*linted, *unknown_names(document.policy)):
        if found.rule not in _ELSEWHERE | REFUSED:
            message = f"The {document.title}{place} has a flaw at {found.path}: {found.message}"
            step = f"{found.next_step}; see {found.url}"
            yield Finding(message, step, document.urn, source=document.source)
    for one in document.policy.statements:
        over = ended(one)  # of a door that is over, `door-expired` speaks
        if over is not None and over <= now and (kind, one.effect) != (PolicyKind.TRUST, "Allow"):
            does = "denies nothing" if one.effect == "Deny" else "allows nothing"
            message = f"The {document.title}{place} has a statement that is over: it {does} since {until(over)}"
            step = "remove the statement, or set a later date"
            yield Finding(message, step, document.urn, source=document.source)


POLICY_LINT = Rule(
    name="policy-lint",
    description="Policy documents say what they mean.",
    severity="low",
    remediation="Correct the document as the page that is named describes.",
    url="https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html",
    check=_lint,
    mandatory=False,
)
"""Flaws that AWS accepts but that do not do what they look like, such as BoolIfExists for MFA, conditions that no
request meets, trusts in everything that an owner has at GitHub and the like, statements whose time is over, and
control policies that keep the program itself from changing the roles and groups that it made; and names of AWS's own
policies that are misspelt.

Unknown: a document that is not known is not linted. Does not check: what other rules look at (open trusts, external
IDs), and whether trusts in services limit their source: a service that hands a role to others is a door, listed with
its conditions.
"""
