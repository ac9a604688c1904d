"""Documents say what they mean."""

from collections.abc import Iterator
from datetime import datetime

from twokeys.access.findings import Config, Finding, Rule
from twokeys.access.graph import Graph, Judge
from twokeys.access.model.documents import Document
from twokeys.access.model.principals import Principal
from twokeys.access.model.requirements import ended, organizations_demanded
from twokeys.access.rules.refused import REFUSED
from twokeys.aws_reference import unknown_names
from twokeys.doors.expiry import until
from twokeys.doors.who import IAM_PEOPLE
from twokeys.iam import UNKNOWN, Arn, Caller, Outcome, PolicyKind, Statement, lint
from twokeys.iam.subjects import narrower_subject

_ELSEWHERE = frozenset({"open-trust", "third-party-without-external-id", "service-without-source"})


def _lint(graph: Graph, _config: Config, now: datetime) -> Iterator[Finding]:
    yield from _shut_in(graph)
    yield from _not_ours_to_change(graph)
    yield from _whole_tenants(graph)
    for document in graph.guards.documents.values():
        yield from _linted(graph, None, document, now)
    for principal in graph.principals:
        for document in (*filter(None, [principal.trust]), *principal.documents):
            yield from _linted(graph, principal, document, now)


def _shut_in(graph: Graph) -> Iterator[Finding]:
    """Accounts with users or groups, out of which a control policy lets nobody; roles of others need not leave."""
    people = [one for one in graph.principals if one.urn is not None and one.kind in IAM_PEOPLE]
    judge = Judge(graph.guards, graph.accounts)
    for account in dict.fromkeys(one.account for one in people):
        verdict = judge.shut_in(account)
        if verdict.outcome is Outcome.DENY:
            by = verdict.decisions[0].document
            message = f"Nobody of account {graph.accounts.name(account)} can enter another account, as {by} denies it"
            yield Finding(message, f"narrow that Deny ({by}) if doors are to start there")


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
        if shared is None or shared.keys is None or federation.denials or not claims <= {":sub", ":aud"}:
            continue
        for wanted in federation.subject.values:
            if less := narrower_subject(shared.issuer, wanted):
                message = (
                    f"The trust policy of role {graph.accounts.located(found.role)}"
                    f" lets in {wanted.text} of {shared.name}, so everything that this owner has there"
                )
                step = f"name what needs the role, as in {less}"
                yield Finding(message, step, found.role.urn, source=found.role.source)


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
        if kind is PolicyKind.TRUST and (asked := _of_another_organization(graph, one)):
            message = (
                f"The {document.title}{place} admits principals of organization {graph.accounts.organization} only as"
                f" those of {asked}, which they are not"
            )
            step = f"write {graph.accounts.organization} in its condition, or leave the condition out"
            yield Finding(message, step, document.urn, source=document.source)
        over = ended(one)  # of a door that is over, `door-expired` speaks
        if over is not None and over <= now and (kind, one.effect) != (PolicyKind.TRUST, "Allow"):
            does = "denies nothing" if one.effect == "Deny" else "allows nothing"
            message = f"The {document.title}{place} has a statement that is over: it {does} since {until(over)}"
            step = "remove the statement, or set a later date"
            yield Finding(message, step, document.urn, source=document.source)


def _of_another_organization(graph: Graph, statement: Statement) -> str | None:
    """The organizations whose paths a statement demands of principals that are all of one's own, which is none of them.

    Their organization's id is judged with the door.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalorgpaths
    """
    own, demanded = graph.accounts.organization, organizations_demanded(statement)
    named = statement.principals.aws if statement.principals and statement.effect == "Allow" else ()
    arns = [Arn.parse(name) if isinstance(name, str) else None for name in named]
    by_id = any(clause.lower_key == "aws:principalorgid" for clause in statement.conditions)
    if not own or by_id or not demanded or own in demanded or any(one.startswith("${") for one in demanded):
        return None
    ours = arns and all(arn is not None and graph.is_ours(arn.account) for arn in arns)
    return ", ".join(sorted(demanded)) if ours else None


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
control policies that let nobody out of an account with users, or keep the program itself from changing the roles and
groups that it made.

Unknown: a document that is not known is not linted. Does not check: what other rules look at (open trusts, external
IDs), and whether trusts in services limit their source: a service that hands a role to others is a door, listed with
its conditions.
"""
