"""Documents that IAM refuses: said before an update fails half way."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from twokeys import doors
from twokeys.access.findings import Config, Finding, Rule
from twokeys.access.graph import Graph
from twokeys.access.model.documents import Document
from twokeys.access.model.principals import ATTACHMENT_TO_MANY, ATTACHMENTS, HOLDERS, INLINE_POLICIES, Principal
from twokeys.access.reading.snapshot import Resource, Snapshot, items
from twokeys.access.reading.type_names import ROLE, USER
from twokeys.access.rules.wildcards import open_to_everyone
from twokeys.doors import SymbolicDocument
from twokeys.iam import (
    INLINE_POLICY_SIZES,
    MANAGED_POLICY_SIZE,
    MOST_FOR_A_TRUST_POLICY,
    TRUST_POLICY_SIZE,
    UNKNOWN,
    Arn,
    PolicyKind,
    is_account_id,
    lint,
    parse_arn,
    policy_size,
)

NAME = "policy-refused"
_QUOTAS = (
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-entity-length"
)
_PARTITIONS = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html"
_PRINCIPALS = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html"
_MANAGED = "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html"
_ID = "111111111111"
"""Every account's id, and at least an organization's, is as long."""
_Declared = Mapping[tuple[str, str], SymbolicDocument]
_BARE_STAR = "bare-star-principal"
REFUSED = frozenset({_BARE_STAR, "group-principal", "action-in-trust-policy"})
"""What the linter finds and IAM refuses when the document is saved. Other errors of the linter are saved and do not
work, and a name of a principal that is no name is `unproved-door`'s.
"""


def _refused(graph: Graph, _config: Config, _now: datetime) -> Iterator[Finding]:
    declared: _Declared = {
        (one.covers.urn, one.document.property): one.document for one in graph.documents.declared if one.covers
    }
    for principal in graph.principals:
        if principal.trust is not None and principal.trust.urn is not None:
            yield from _trust(graph, principal, principal.trust, declared)
        yield from _inline(graph, principal, declared)
        yield from _in_account_to_come(graph, principal)
    yield from _of_other_accounts(graph)
    for document in graph.principals.managed_policies:
        resource = graph.snapshot.by_urn.get(document.urn or "")
        size = _size(resource, "policy", declared) if resource else 0
        if size > MANAGED_POLICY_SIZE:
            yield _too_long(f"The {document.title}", size, MANAGED_POLICY_SIZE, document)


def _is_open(graph: Graph, role: Principal, path: str) -> bool:
    """Whether a place is where a trust policy admits everyone: `wildcard-trust` speaks of that."""
    return path in [f"Statement[{place}].Principal" for place in open_to_everyone(graph, role)]


def _trust(graph: Graph, role: Principal, trust: Document, declared: _Declared) -> Iterator[Finding]:
    resource = graph.snapshot.by_urn.get(trust.urn or "")
    size, usual = _size(resource, "assumeRolePolicy", declared) if resource else 0, TRUST_POLICY_SIZE
    if size > usual:
        limit = MOST_FOR_A_TRUST_POLICY if size > MOST_FOR_A_TRUST_POLICY else usual
        yield _too_long(f"The {trust.title}", size, limit, trust, advice=limit == usual)
    if trust.policy is UNKNOWN:
        return
    for found in lint(trust.policy, PolicyKind.TRUST):
        if found.rule in REFUSED and not (found.rule == _BARE_STAR and _is_open(graph, role, found.path)):
            message = f"IAM refuses the {trust.title}{_in(graph, role)}, at {found.path}: {found.message}"
            yield Finding(message, f"{found.next_step}; see {found.url}", trust.urn, source=trust.source)
    own = parse_arn(role.arn)
    for statement in trust.policy.statements:
        for name in statement.principals.aws if statement.principals else ():
            named = Arn.parse(name) if isinstance(name, str) else None
            if named is None:
                continue
            about = f"The {trust.title}{_in(graph, role)} names {name}, and "
            if named.partition != own.partition:
                about += f"no principal of partition {named.partition} can be named in partition {own.partition}"
                step = f"name a principal of partition {own.partition}; see {_PARTITIONS}"
            elif named.account == own.account and (near := _near(graph, named)):
                about += "this stack makes none: where nobody else has, IAM refuses that trust policy"
                step = f"write {near.arn}, if that is meant; see {_PRINCIPALS}"
            elif (made := graph.principals.by_arn.get(str(name))) and _is_after(graph.snapshot, made, trust):
                about += f"{made.label} waits for that role: IAM refuses a trust in a principal that is not there yet"
                step = f"make {made.label} from nothing of {role.label}, and let that have `depends_on` {made.label}"
                step += f", or name its account with a condition that aws:PrincipalArn is {name}; see {_PRINCIPALS}"
            else:
                continue
            advice = named.partition == own.partition
            yield Finding(about, step, trust.urn, source=trust.source, advice=advice)


def _is_after(snapshot: Snapshot, named: Principal, trust: Document) -> bool:
    """Whether whom a trust policy names is still to be made, and waits for the role.

    Where neither waits for the other, AWS's provider tries again until both are there (`retryCreateRole`).
    """
    made = snapshot.by_urn.get(named.urn or "")
    return made is not None and not made.is_there and trust.urn in snapshot.all_behind([made.urn])


def _near(graph: Graph, named: Arn) -> Principal | None:
    """Whom of the stack a misspelt ARN most likely means; of another account a key of the door is missing.

    Another stack may make what it names, so only a slip of a letter counts: `deployer-prod` beside `deployer` is none.
    """
    kind, _, path = named.resource.partition("/")
    if kind not in HOLDERS or str(named) in graph.principals.by_arn:
        return None
    name = path.rpartition("/")[2]
    near = graph.principals.near(kind, named.account, name, cutoff=0.8)
    return near if near and abs(len(near.name) - len(name)) <= 1 else None


def _inline(graph: Graph, principal: Principal, declared: _Declared) -> Iterator[Finding]:
    """Inline policies of one principal share a quota."""
    documents = [document for document in principal.documents if document.urn is not None]
    resources = {document.urn: graph.snapshot.by_urn.get(document.urn or "") for document in documents}
    size = sum(_inline_size(one, declared) for one in resources.values() if one)
    limit = INLINE_POLICY_SIZES.get(principal.kind)
    if limit is not None and size > limit:
        what = f"The text of all inline policies of {principal.label}{_in(graph, principal)}"
        yield _too_long(what, size, limit, documents[0])


def _in_account_to_come(graph: Graph, principal: Principal) -> Iterator[Finding]:
    """Somebody of an account to come whom nothing makes; without the state an account that is there seems to come.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_access.html: AWS makes one role.
    """
    accounts = graph.accounts
    to_come = accounts.by_symbol.keys() - accounts.ids.keys()
    if principal.urn is not None or principal.account not in to_come or principal in graph.access_roles:
        return
    for document in principal.documents:
        resource = graph.snapshot.by_urn.get(document.urn or "")
        if resource is None or resource.type not in INLINE_POLICIES:  # a permission set's role has its policies
            continue
        account = accounts.name(principal.account)
        about = f"The {document.title} cannot be made: account {account} is still to come, and at first nobody is in it"
        about += " but its access role. IAM refuses a policy for nobody, and a trust in nobody"
        step = f"make {principal.label} here, or make account {account} and {principal.label} there first"
        yield Finding(about, step, resource.urn, source=resource.source, advice=True)


def _of_other_accounts(graph: Graph) -> Iterator[Finding]:
    """An account whose id is not known yet is none of those whose ids are."""
    known = {graph.accounts.management, *graph.accounts.held, *graph.accounts.members}
    for resource in graph.snapshot.of_type(ROLE, USER, *ATTACHMENTS, ATTACHMENT_TO_MANY):
        account = graph.accounts.of(resource)
        given = [*items(resource.asked("managedPolicyArns")), *map(resource.get, ("permissionsBoundary", "policyArn"))]
        for arn in (Arn.parse(one) for one in given if isinstance(one, str)):
            if arn is None or not is_account_id(arn.account) or arn.account == account:
                continue
            if is_account_id(account) or (graph.accounts.pinned(account) and arn.account in known):
                message = f"{resource.label} in account {graph.accounts.name(account)} is given {arn}"
                why = ", and IAM takes a managed policy of that account or of AWS only"
                inline = "" if str(arn) == resource.get("permissionsBoundary") else ", or write it inline instead"
                step = f"name one of those{inline}; see {_MANAGED}"
                yield Finding(message + why, step, resource.urn, source=resource.source)


def _inline_size(resource: Resource, declared: _Declared) -> int:
    own = _size(resource, "policy", declared) if resource.type in INLINE_POLICIES else 0
    listed = resource.asked("inlinePolicies")  # what came of a role also lists the policies of other resources
    texts = [item.get("policy") for item in listed if isinstance(item, Mapping)] if isinstance(listed, list) else []
    return own + sum(policy_size(text) or 0 for text in texts if isinstance(text, str | Mapping))


def _size(resource: Resource, key: str, declared: _Declared) -> int:
    """The characters of a document as IAM counts them; of one not known yet what it declares, else 0."""
    policy, said = resource.get(key), declared.get((resource.urn, key))
    size = policy_size(policy) if isinstance(policy, str | Mapping) else None
    if size is None and said is not None:
        size = policy_size(doors.resolve(said.document, dict.fromkeys(doors.symbols(said.document), _ID)))
    return size or 0


def _too_long(what: str, size: int, limit: int, document: Document, *, advice: bool = False) -> Finding:
    more = " unless the account's quota was raised" if advice else ""
    message = f"{what} has {size:,} characters without white space, and IAM takes {limit:,}{more}"
    step = f"say less, with wildcards where that is right, or spread it over roles or managed policies; see {_QUOTAS}"
    return Finding(message, step, document.urn, source=document.source, advice=advice)


def _in(graph: Graph, principal: Principal) -> str:
    return f" in account {graph.accounts.name(principal.account)}"


POLICY_REFUSED = Rule(
    name=NAME,
    description="IAM takes each policy document as it is.",
    severity="medium",
    remediation="Correct the document as the page that is named describes.",
    url=_QUOTAS,
    check=_refused,
)
"""What IAM refuses when a document is saved: too many characters (a trust policy between 2,048 and 8,192 only where its
quota was not raised, so that is advice), a Principal that is the text `*` or a group, an action of another service in a
trust policy, a principal of another partition, a managed policy of another account (as a boundary too).

Unknown: a document with an unknown part is measured as it is declared, else not; one that is not known at all is left
to `unproved-door`. Does not check: names of principals of the role's own account that are not there, unless the stack
makes one of almost that name, which is advice; and errors that IAM saves (`policy-lint`).
"""
