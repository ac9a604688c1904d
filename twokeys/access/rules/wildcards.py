"""A door leads from somebody to somewhere: neither side is `*`."""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import lru_cache

from twokeys.access.exceptions import DoorConfig
from twokeys.access.findings import Finding, Rule
from twokeys.access.graph import Graph
from twokeys.access.model.documents import Document
from twokeys.access.model.door_name import EXCEPT, DoorName
from twokeys.access.model.names import USERNAME, could_be_role, resources_of
from twokeys.access.model.principals import Principal
from twokeys.access.model.requirements import as_denied, demanded_values, limits_callers
from twokeys.access_role import ACCESS_ROLE
from twokeys.doors.who import IAM_PEOPLE
from twokeys.iam import UNKNOWN, Arn, Glob, PolicyDocument, Principals, Statement, Unknown
from twokeys.iam.matching import as_completed
from twokeys.iam.sts import ASSUME_ROLE, IN_TRUSTS
from twokeys.iam.truth import Truth

_ROLE_OF_ANY_ACCOUNT = re.compile(r"arn:[^:*?]+:iam::\*:role/(?:[^*?$]+/)?([^*?/$]+)")
_CLOUDFORMATION = re.compile(r"cloudformation\.([a-z0-9-]+\.)?amazonaws\.com")
_RESOURCE_ORGANIZATION, _OWN_ACCOUNT = "aws:resourceorgid", "${aws:PrincipalAccount}"


def _open_trusts(graph: Graph, _config: DoorConfig, _now: datetime) -> Iterator[Finding]:
    for role in graph.roles:
        if places := open_to_everyone(graph, role):
            door = DoorName("*", role.arn)
            statements = f"statement{'s' if len(places) > 1 else ''} {', '.join(map(str, places))}"
            message = (
                f"The trust policy of role {graph.accounts.located(role)} admits everyone ({statements}), and no "
                "condition there limits it to known principals, nor does a Deny beside it"
            )
            step = (
                "name the principals by their ARNs, or admit your organization alone by a StringEquals condition on "
                f"aws:PrincipalOrgID (a grant in another of its accounts then has to be in view), or {EXCEPT}"
            )
            yield Finding(message, step, role.urn, door, role.source)


def open_to_everyone(graph: Graph, role: Principal) -> list[int]:
    """The places of the statements by which a role's trust policy admits everyone; none of one that is not known."""
    if role.trust is None or role.trust.policy is UNKNOWN:
        return []
    found = as_denied(role.trust.policy, graph.guards.denials(role))
    return [one.index for one in found if _admits_everyone(one) and not limits_callers(one)]


def _admits_everyone(statement: Statement) -> bool:
    whom, assumes = statement.principals, any(statement.covers_action(one) is not Truth.FALSE for one in IN_TRUSTS)
    return statement.effect == "Allow" and assumes and whom is not None and whom.everyone


def _wide_grants(graph: Graph, _config: DoorConfig, _now: datetime) -> Iterator[Finding]:
    for who, account, document, resource in granting(graph, _wide_resources):
        holder = Arn.parse(who)
        of_user = holder is not None and holder.kind in IAM_PEOPLE and USERNAME.sub("name", resource)
        if not (of_user and _exact_enough(of_user, account)) and not _of_stack_sets(graph, document, resource):
            yield _wide(graph, who, account, document, resource)


def _of_stack_sets(graph: Graph, document: Document, resource: str) -> bool:
    """Whether AWS CloudFormation alone holds the grant, of a role of one name: so StackSets enter target accounts.

    In an opt-in Region it is that Region's own service. A permission set gives its policy to people, too.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-prereqs-self-managed.html
    """
    if document.urn in graph.identity_center.given or not _is_one_name(graph, resource):
        return False
    trusts = [one.trust_policy for one in graph.principals if document in one.documents]
    return bool(trusts) and all(map(_admits_cloudformation_alone, trusts))


def _admits_cloudformation_alone(trust: PolicyDocument | Unknown) -> bool:
    return trust is not UNKNOWN and all(
        one.principals is not None
        and one.principals == Principals(service=one.principals.service)
        and all(isinstance(name, str) and _CLOUDFORMATION.fullmatch(name) for name in one.principals.service)
        for one in trust.statements
        if one.effect == "Allow"
    )


def granting(
    graph: Graph, resources: Callable[[Graph, Document, str], Iterable[str]]
) -> Iterator[tuple[str, str, Document, str]]:
    """Each document with its holder and account, and each of the `resources` of the two, once for all who hold it and
    not again as AWS completes it.

    A policy that nobody holds yet stands for itself; a permissions boundary grants nothing, unless a permission set has
    it as well. Where it is not known which policy is a boundary (a transform gives it), the update tells.
    """
    seen: set[tuple[int, str]] = set()
    for who, account, document in _held(graph):
        for resource in resources(graph, document, account):
            if (id(document), resource) not in seen:
                seen.update((id(document), one) for one in as_completed(resource))
                yield who, account, document, resource


def _held(graph: Graph) -> Iterator[tuple[str, str, Document]]:
    for principal in graph.principals:
        for document in principal.documents:
            yield principal.arn, principal.account, document
    boundaries = {principal.boundary for principal in graph.principals}
    any_is = any(one.boundary and one.boundary.urn and one.boundary.urn == one.urn for one in graph.principals)
    for document in graph.principals.managed_policies:
        urn = document.urn
        of_set = graph.identity_center.given.get(urn or "")
        if urn is not None and (of_set or not (any_is or document in boundaries)):
            yield of_set or urn, graph.accounts.of(graph.snapshot.by_urn[urn]), document


def _wide_resources(graph: Graph, document: Document, account: str) -> Iterator[str]:
    partition = graph.accounts.partition(account)
    for statement in _grants(document) if document.urn is not None else ():
        for resource in resources_of(statement, partition):
            if _exact_enough(resource, account) or _of_own_account(statement, account):
                continue
            if _one_role_of_the_organization(graph, statement, resource):
                continue
            if not is_denied(document, ASSUME_ROLE, resource, f"arn:{partition}:iam::*:role/*"):
                yield resource


def _grants(document: Document) -> list[Statement]:
    """What grants sts:AssumeRole otherwise than by saying that its holder is an administrator."""
    about = [one for one in document.statements if one.effect == "Allow" and one.actions != ("*",)]
    return [one for one in about if one.covers_action(ASSUME_ROLE) is Truth.TRUE]


def is_denied(document: Document, action: str, resource: str, everything: str) -> bool:
    """Whether a Deny beside a grant certainly takes all of it away; of `*` it grants what `everything` names."""
    denials = [one for one in document.statements if one.effect == "Deny" and one.covers_action(action) is Truth.TRUE]
    about = [one for one in denials if not (one.conditions or one.unresolved)]
    names = [name for one in about for name in one.resources or () if isinstance(name, str)]
    granted = Glob(everything if Glob(resource).everything else resource)
    return any(Glob(name).covers(granted) for name in names)


@lru_cache(maxsize=65536)
def _exact_enough(resource: str, own: str) -> bool:
    arn = Arn.parse(resource)
    inside = arn is not None and arn.service == "iam" and arn.account == own
    return inside or not Glob(resource).wild or not could_be_role(resource)


def _of_own_account(statement: Statement, own: str) -> bool:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-resourceaccount"""
    return any({*values} <= {own, _OWN_ACCOUNT} for values in demanded_values(statement, "aws:resourceaccount"))


def _one_role_of_the_organization(graph: Graph, statement: Statement, resource: str) -> bool:
    """Whether a statement is for the role of one name in every account of the organization and in no other account."""
    ours = graph.accounts.organization
    return _is_one_name(graph, resource) and any(
        clause.operator == "StringEquals"
        and clause.lower_key == _RESOURCE_ORGANIZATION
        and len(clause.values) == 1
        and ours in (None, *clause.values)
        for clause in statement.conditions
    )


def _is_one_name(graph: Graph, resource: str) -> bool:
    """Whether a resource is the role of one name in every account; a policy variable may be any name.

    The access role is never meant: it trusts the management account as a whole, so such a grant opens every account.
    """
    return _ROLE_OF_ANY_ACCOUNT.fullmatch(resource) is not None and not _is_access_role(graph, resource)


def _is_access_role(graph: Graph, resource: str) -> bool:
    found = _ROLE_OF_ANY_ACCOUNT.fullmatch(resource)
    access_roles = (graph.accounts.access_roles(account) for account in graph.accounts.members)
    return found is not None and found.group(1) in frozenset({ACCESS_ROLE}).union(*access_roles)


def _wide(graph: Graph, who: str, account: str, document: Document, resource: str) -> Finding:
    door, what = DoorName(who, resource), "which is not certain roles of one account"
    step = (
        "name the roles by their exact ARNs, or one role of every account with a StringEquals condition that "
        "aws:ResourceOrgID is the organization's id"
    )
    if _is_access_role(graph, resource):
        what = "the access role, by which its holder is an administrator of every member account"
        step = f"grant a role that is made for the purpose, or {EXCEPT}"
    message = (
        f"The {document.title} in account {graph.accounts.name(account)} grants sts:AssumeRole on {resource}, {what}"
    )
    partition = graph.accounts.partition(account)
    if any(one.not_actions is not None and resource in resources_of(one, partition) for one in _grants(document)):
        step = f"add sts:AssumeRole and sts:AssumeRoot to its NotAction; by a statement of its own, {step}"
    return Finding(message, step, document.urn, door, document.source)


WILDCARD_TRUST = Rule(
    name="wildcard-trust",
    description="A trust policy names who may come in; everyone is nobody in particular.",
    severity="critical",
    remediation="Name the principals by ARN, or limit `*` with a condition on aws:PrincipalOrgID.",
    url="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-anonymous",
    check=_open_trusts,
    config=DoorConfig,
)
"""`Principal: *` in a trust that no condition on the caller's organization, account or ARN limits.

A condition counts if the statement demands it (not negated, not IfExists) and each value says which organization or
account: not `*`, nor `o-*`, nor `arn:aws:iam::*:role/ci`, which is a role that anybody can make. Unknown: a trust
policy that is not known is left to `unproved-door`; a value that is not known limits nobody. A Deny beside it, or in a
resource control policy of the account, counts where it denies everyone, or everyone but certain organizations, accounts
or ARNs; it may spare roles with a tag that this one is known not to have. Does not check: whether those are ours
(`external-id`), and what a Deny on anything else takes away.
"""

WILDCARD_GRANT = Rule(
    name="wildcard-grant",
    description="A grant of sts:AssumeRole names the roles that it is for.",
    severity="high",
    remediation="Write the exact ARNs of the roles into Resource, or bind the grant with aws:ResourceOrgID.",
    url="https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_permissions-to-switch.html",
    check=_wide_grants,
    config=DoorConfig,
    keys="grant",
    may_follow="holder",
)
"""`sts:AssumeRole` on `*`, on every role of an account (`role/*`), on some (`role/deploy-*`), on roles of any account.

A pattern also means every later role that it matches; `role/${aws:username}` that a user or a group holds is one role
for each user, and a pattern of partitions (`arn:*:iam::ID:role/x`) leaves one role. Whatever Action or NotAction covers
sts:AssumeRole counts (`sts:*`, `*:*`, `s*:AssumeRole`, a list with `*`), unless a Deny beside it takes all of it away;
of a managed policy that nobody holds yet, too: of a new one, the update gate asks who gets it. One role by its exact
name in every account (`iam::*:role/x`) passes if StringEquals demands that aws:ResourceOrgID is the id of the
organization; where the stack does not tell that, any one id. The access role of accounts is not granted so. The
administration role of StackSets, which trusts AWS CloudFormation alone, needs no such condition. Unknown: a document or
an action that is not known is left to `unproved-door`. Does not check: `Action: *` by itself (the policy of an
administrator says what it is), AWS-managed policies, grants within the principal's own account.
"""
