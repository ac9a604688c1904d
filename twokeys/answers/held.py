"""What accounts hold beside doors, by the names that CloudTrail's records have for it: an audit compares the two."""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain

from twokeys.access.declared_doors import who
from twokeys.access.graph import Graph
from twokeys.access.identity_center import ASSIGNMENT, MEMBERSHIP, PERMISSION_SET, POLICIES_OF_SETS
from twokeys.access.model.documents import Document
from twokeys.access.model.identities import id_of
from twokeys.access.model.organization import CONTROL_POLICIES
from twokeys.access.model.principals import IDENTITY_PROVIDERS
from twokeys.access.reading.snapshot import Resource, items, mapping, project_of
from twokeys.access.reading.type_names import (
    ACCESS_KEY,
    CONTROL_POLICY,
    CONTROL_POLICY_ATTACHMENT,
    DELEGATED_ADMINISTRATOR,
    MANAGED_POLICY,
    ORGANIZATIONAL_UNIT,
)
from twokeys.answers.model import BOUNDARY, KEPT_BY_ID
from twokeys.answers.summary import SHORT
from twokeys.doors import Who
from twokeys.iam import Arn, PolicyKind

_TAKES = {"clientIdLists": "client ID", "thumbprintLists": "thumbprint", "samlMetadataDocument": "metadata of sha256"}


def trusting(graph: Graph) -> dict[Who, frozenset[str]]:
    """The other accounts that each role trusts as a whole."""
    found: dict[Who, set[str]] = {who(role): set() for role in graph.roles}
    for trust in graph.open_trusts:
        if trust.account not in (None, trust.role.account) and trust.role.urn is not None:
            found[who(trust.role)].add(trust.account)
    return {role: frozenset(accounts) for role, accounts in found.items()}


def assigners(graph: Graph) -> Iterator[str]:
    """Who administers IAM Identity Center there can assign anybody anywhere but in the management account.

    https://docs.aws.amazon.com/singlesignon/latest/userguide/delegated-admin.html
    """
    for resource in graph.snapshot.of_type(DELEGATED_ADMINISTRATOR):
        account = resource.text("accountId")
        if account and resource.text("servicePrincipal") == "sso.amazonaws.com":
            yield graph.accounts.canonical(account)


def providers(graph: Graph) -> Iterator[tuple[tuple[str, str], dict[str, frozenset[str]]]]:
    """What an identity provider is told to take: a value that is not known yet, or a secret, is left out.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateOpenIDConnectProvider.html
    https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateSAMLProvider.html
    """
    for resource in graph.snapshot.of_type(*IDENTITY_PROVIDERS):
        said = {}
        for key, word in _TAKES.items():
            value = resource.get(key)
            each = value if isinstance(value, list | tuple) else [value]
            if key not in resource.secrets and all(isinstance(one, str) for one in each):
                said[key] = frozenset(f"{word} {_short(one)}" for one in map(str, each))
        name = (resource.text("url") or "").removeprefix("https://") or resource.text("name") or resource.name
        yield (graph.accounts.of(resource), name), said


def written(graph: Graph) -> dict[tuple[str, ...], datetime]:
    """When the state was written that shows each principal, account, managed policy and permission set."""
    times: dict[str | None, datetime | None] = {one.stack: one.moment for one in graph.snapshot.evidence if one.stack}
    shown: list[tuple[str, tuple[str, ...]]] = []
    for principal in graph.principals:
        if principal.urn:
            shown.append((principal.urn, (principal.account, principal.kind, principal.name)))
            shown.append((principal.urn, (principal.account, "", "")))
    for one in graph.snapshot.of_type(MANAGED_POLICY):
        shown.append((one.urn, (graph.accounts.of(one), "policy", one.text("arn") or "")))
    for one in graph.snapshot.of_type(PERMISSION_SET):
        shown.append((one.urn, (graph.accounts.of(one), "set", one.text("arn") or "")))
    found: dict[tuple[str, ...], datetime] = {}
    for urn, key in shown:
        if time := times.get(project_of(urn)):
            found[key] = max(found.get(key, time), time)
    return found


def names_of(graph: Graph) -> dict[str, str]:
    """What each permission set, control policy and organizational unit is called that is shown, by the ARN of the first
    and the ids of the others.
    """
    found = ((one.text("arn"), one) for one in graph.snapshot.of_type(PERMISSION_SET))
    others = ((id_of(one), one) for one in graph.snapshot.of_type(CONTROL_POLICY, ORGANIZATIONAL_UNIT))
    return {id: one.text("name") or id for id, one in chain(found, others) if id}


def holds(graph: Graph) -> Iterator[tuple[tuple[str, ...], Document | None]]:
    """What principals hold and managed policies say, each with its document."""
    for one in graph.principals:
        whose = (one.account, one.kind, one.name)
        yield from (((*whose, group.name), None) for group in one.groups)
        yield from (((*whose, said.inline or said.arn or ""), said) for said in one.documents)
        if one.trust:
            yield (*whose, ""), one.trust
        if one.boundary:
            yield (*whose, BOUNDARY), one.boundary
    for key in graph.snapshot.of_type(ACCESS_KEY):
        yield (graph.accounts.of(key), "user", key.text("user") or key.name, id_of(key)), None
    for said in graph.principals.managed_policies:
        arn = Arn.parse(said.arn or "")
        if arn is not None:
            yield (arn.account, "policy", str(arn), ""), said


def organization_holds(graph: Graph) -> Iterator[tuple[tuple[str, ...], Document | None]]:
    """What is held in IAM Identity Center and Organizations."""
    snapshot, documents = graph.snapshot, graph.documents
    for resource in snapshot.of_type(ASSIGNMENT, MEMBERSHIP, CONTROL_POLICY_ATTACHMENT, *POLICIES_OF_SETS):
        kind, key = next(((kind, text) for key, kind in KEPT_BY_ID.items() if (text := resource.text(key))), ("", ""))
        whose, inline = (graph.accounts.of(resource), kind, key), resource.get("inlinePolicy") is not None
        for what in given_by(resource):
            said = documents.of(resource, "inlinePolicy", PolicyKind.IDENTITY, what) if inline else None
            yield (*whose, what), said
    for resource in snapshot.of_type(CONTROL_POLICY):
        of = CONTROL_POLICIES.get(resource.text("type") or "SERVICE_CONTROL_POLICY")
        said = documents.of(resource, "content", of, "") if of else None
        yield (graph.accounts.of(resource), "policy", id_of(resource), ""), said


def memberships_by_id(graph: Graph) -> dict[str, tuple[str, str, str]]:
    """Of which group of IAM Identity Center and of which member each membership is."""
    said = (map(one.text, ("membershipId", "groupId", "memberId")) for one in graph.snapshot.of_type(MEMBERSHIP))
    return {id: ("identity-center-group", group, member) for id, group, member in said if id and group and member}


def given_by(resource: Resource) -> Iterable[str]:
    """What a resource of IAM Identity Center or Organizations gives, as calls name it."""
    if resource.get("permissionsBoundary") is not None:
        return (BOUNDARY,)
    given = [text for key in ("principalId", "targetId", "memberId") if (text := resource.text(key))]
    managed, own = "managedPolicyArn", "customerManagedPolicyReference"
    arns = [*items(resource.get(f"{managed}s")), resource.get(managed)]
    names = [mapping(one).get("name") for one in (*items(resource.get(f"{own}s")), resource.get(own))]
    return [one for one in (*arns, *names) if isinstance(one, str)] or [" ".join(given)]


def _short(value: str) -> str:
    """A value as it is said: a document by its sha256."""
    return hashlib.sha256(value.encode()).hexdigest()[:SHORT] if value.lstrip().startswith("<") else value
