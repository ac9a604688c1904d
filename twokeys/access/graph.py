"""The access graph: every door between two accounts, with its two keys, and every half of a door.

A door is a (source principal, target role) pair across accounts. It opens with two keys: the role's trust policy admits
the principal, and the principal's own policies grant `sts:AssumeRole` on the role.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html

The graph is built from what the two kinds of document name, through indexes; no principal is ever tried at every role.
An account's root is one node: a trust in it opens for those principals of the account that hold a grant.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import lru_cache
from typing import cast

from twokeys.access.accounts import Accounts
from twokeys.access.documents import Document, Documents
from twokeys.access.exports import Exported
from twokeys.access.membership import join_declared_groups
from twokeys.access.names import ASSUME_ROLE, EVERYONE, granted_resources, trusted_names
from twokeys.access.not_read import NotRead
from twokeys.access.organization import Guards
from twokeys.access.principals import Loose, Principal, Principals
from twokeys.access.snapshot import Snapshot
from twokeys.access.translation import translate
from twokeys.iam import (
    UNKNOWN,
    Caller,
    Context,
    Outcome,
    Policies,
    PolicyDocument,
    Request,
    Unknown,
    Verdict,
    evaluate,
    evaluate_grant,
    evaluate_trust,
)
from twokeys.iam.truth import FREE

_ROOT = re.compile(r"(?:arn:[^:]+:iam::)?(\d{12}|account:[A-Za-z0-9_-]+)(?::root)?")
_PRINCIPAL = re.compile(r"arn:[^:]+:iam::(\d{12}|account:[A-Za-z0-9_-]+):(role|user)/(.+)")
_SESSION = re.compile(r"arn:[^:]+:sts::(\d{12}|account:[A-Za-z0-9_-]+):assumed-role/([^/]+)/.+")
_ACCOUNT_FIELD = re.compile(r"arn:[^:]+:iam::(\d{12}|account:[A-Za-z0-9_-]+)")
_ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
_WILD = re.compile(r"\*|\?|\$\{[^}]*\}")


class Key(Enum):
    """Whether one of a door's two keys is there."""

    PRESENT = "present"
    MISSING = "missing"
    UNPROVED = "unproved"


@dataclass(frozen=True, slots=True, eq=False)
class Door:
    """One way from a principal to a role. `asked` tells whether either side names the other by its own ARN."""

    source: Principal
    target: Principal
    trust: Verdict
    grant: Verdict
    asked: bool

    @property
    def trust_key(self) -> Key:
        """Whether the role's trust policy admits the principal."""
        return _key(self.trust)

    @property
    def grant_key(self) -> Key:
        """Whether the principal's side grants it the role."""
        return _key(self.grant)

    @property
    def crosses(self) -> bool:
        """Whether it leads from one account into another."""
        return self.source.account != self.target.account

    @property
    def outcome(self) -> Outcome:
        """The verdict on the door: both keys across accounts, as evaluation says within one."""
        both = (self.trust.outcome, self.grant.outcome)
        for outcome in (Outcome.DENY, Outcome.UNKNOWN, Outcome.CONDITIONAL):
            if outcome in both:
                return outcome
        return Outcome.ALLOW

    @property
    def open(self) -> bool:
        """Whether the principal can go through, perhaps under conditions."""
        return self.outcome in (Outcome.ALLOW, Outcome.CONDITIONAL)

    @property
    def id(self) -> str:
        """How people and exceptions name the door: `<source ARN> -> <target ARN>`."""
        return f"{self.source.arn} -> {self.target.arn}"


@dataclass(frozen=True, slots=True, eq=False)
class Trust:
    """What a role's trust policy says of one AWS principal: an ARN, an account as a whole, or everyone.

    `account` is None for everyone. `holders` are the doors of those who hold a grant for the role under this trust.
    """

    role: Principal
    names: str
    account: str | None
    holders: tuple[Door, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Grant:
    """What a principal's policy grants that no role of the stack answers: `resource` is the ARN or the pattern.

    `own` tells that the policy is the principal's and not that of one of its groups, which answers for itself.
    """

    source: Principal
    resource: str
    document: Document
    own: bool = True


@dataclass
class Graph:
    """Who can enter which account, as far as a snapshot tells.

    `doors` lead from one account into another; `inner` lead from a principal to a role within one account, and matter
    for role chaining. `open_trusts` are those in accounts as a whole or in everyone. `lone_grants` name a role that is
    not in the stack, or a pattern that no role of the stack answers. `strangers` are roles with a trusted name that
    does not tell whose it is. `blind` are documents that nothing is known of. `not_read` are resources that may let
    somebody in and are not read.
    """

    snapshot: Snapshot
    accounts: Accounts
    documents: Documents
    principals: Principals
    exported: Exported
    guards: Guards
    not_read: tuple[NotRead, ...] = ()
    doors: list[Door] = field(default_factory=list)
    inner: list[Door] = field(default_factory=list)
    open_trusts: list[Trust] = field(default_factory=list)
    lone_grants: list[Grant] = field(default_factory=list)
    strangers: list[tuple[Principal, str]] = field(default_factory=list)

    @property
    def roles(self) -> Iterator[Principal]:
        """The roles of the stack."""
        return (found for found in self.principals if found.kind == "role" and found.urn is not None)

    @property
    def loose(self) -> Iterable[Loose]:
        """Resources of which it cannot be told whom they give what."""
        return self.principals.loose

    @property
    def blind(self) -> Iterator[Document]:
        """The documents of the stack's resources that nothing is known of, each once."""
        seen: set[int] = set()
        for document in self._all_documents():
            if document.policy is UNKNOWN and document.urn is not None and id(document) not in seen:
                seen.add(id(document))
                yield document

    def _all_documents(self) -> Iterator[Document]:
        for principal in self.principals:
            if principal.trust is not None:
                yield principal.trust
            yield from principal.documents
            if principal.boundary is not None:
                yield principal.boundary
        yield from self.principals.managed_policies


def build(snapshot: Snapshot, names: Mapping[str, str] | None = None) -> Graph:
    """Build the graph of a snapshot, in time near to linear in its documents and doors.

    `names` gives accounts that are no resource of the snapshot a name, by id.
    """
    translation = translate(snapshot, Accounts(snapshot, names))
    snapshot = translation.snapshot
    accounts = Accounts(snapshot, names)
    documents = Documents(snapshot, accounts)
    principals = Principals(snapshot, accounts, documents)
    exported = Exported(snapshot)
    join_declared_groups(documents, principals, exported)
    guards = Guards(snapshot, accounts, documents)
    graph = Graph(snapshot, accounts, documents, principals, exported, guards, translation.not_read)
    _Builder(graph, exported.join(principals, documents)).run()
    return graph


class _Builder:
    """Finds candidate doors from both sides and has each judged once."""

    def __init__(self, graph: Graph, roles_elsewhere: Iterable[Principal]) -> None:
        self._graph = graph
        self._principals = graph.principals
        self._judge = Judge(graph.guards, graph.accounts)
        self._doors: dict[tuple[Principal, Principal], Door] = {}
        self._roles = {role.arn: role for role in (*roles_elsewhere, *graph.roles)}
        self._exact: dict[str, list[Principal]] = defaultdict(list)
        self._wide: dict[str, dict[Principal, list[re.Pattern[str]]]] = defaultdict(dict)
        self._grants = list(self._read_grants())

    def run(self) -> None:
        """Fill the graph."""
        for role in self._roles.values():
            if role.trust is not None and role.trust.policy is not UNKNOWN:
                self._from_trust(role, role.trust.policy)
        self._from_grants()
        for door in self._doors.values():
            (self._graph.doors if door.crosses else self._graph.inner).append(door)

    def _read_grants(self) -> Iterator[Grant]:
        resources: dict[int, tuple[str, ...]] = {}
        for principal in self._principals:
            for document in principal.all_documents:
                if document.policy is UNKNOWN:
                    continue
                if id(document.policy) not in resources:
                    resources[id(document.policy)] = granted_resources(document.policy)
                for resource in resources[id(document.policy)]:
                    if _WILD.search(resource):
                        self._wide[principal.account].setdefault(principal, []).append(_glob(resource))
                    else:
                        self._exact[resource].append(principal)
                    yield Grant(principal, resource, document, own=document in principal.documents)

    def _from_trust(self, role: Principal, trust: PolicyDocument) -> None:
        for name in trusted_names(trust):
            if name == EVERYONE:
                self._from_open_trust(role, name, None)
            elif found := _ROOT.fullmatch(name):
                self._from_open_trust(role, name, self._graph.accounts.canonical(found.group(1)))
            elif principal := self._named(name):
                self._door(principal, role, asked=True)
            else:
                self._graph.strangers.append((role, name))

    def _from_open_trust(self, role: Principal, name: str, account: str | None) -> None:
        exact = [found for found in self._exact.get(role.arn, ()) if account is None or found.account == account]
        accounts = list(self._wide) if account is None else [account]
        wide = [
            principal
            for some in accounts
            for principal, patterns in self._wide.get(some, {}).items()
            if any(pattern.fullmatch(role.arn) for pattern in patterns)
        ]
        doors = [self._door(principal, role, asked=True) for principal in dict.fromkeys(exact)]
        doors += [self._door(principal, role, asked=False) for principal in wide if principal not in exact]
        self._graph.open_trusts.append(Trust(role, name, account, tuple(doors)))

    def _from_grants(self) -> None:
        answered: dict[Principal, list[str]] = defaultdict(list)
        for source, target in self._doors:
            for holder in (source, *source.groups):
                answered[holder].append(target.arn)
        for grant in self._grants:
            role = self._roles.get(grant.resource)
            if role is not None:
                self._door(grant.source, role, asked=True)
            elif _half_a_door(grant.resource) and grant.document.stack is None and grant.own:
                pattern = _glob(grant.resource)
                if not any(pattern.fullmatch(arn) for arn in answered[grant.source]):
                    self._graph.lone_grants.append(grant)

    def _named(self, name_of_trust: str) -> Principal | None:
        """The principal that a trust names; one that the stack does not have becomes an outsider.

        AWS makes the access role of a member account with AdministratorAccess.
        https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_access.html
        """
        if found := self._principals.by_arn.get(name_of_trust):
            return found
        canonical = self._graph.accounts.canonical
        if session := _SESSION.fullmatch(name_of_trust):
            return self._principals.outsider(canonical(session.group(1)), "role", session.group(2))
        parts = _PRINCIPAL.fullmatch(name_of_trust)
        if parts is None:
            return None
        account, kind, resource = canonical(parts.group(1)), parts.group(2), parts.group(3)
        name = resource.rpartition("/")[2]
        known = self._principals.named(account, kind, name)
        if known is not None and known.urn is None:
            known.arn = name_of_trust
            return known
        made = self._principals.outsider(account, kind, resource if known else name, name_of_trust)
        if kind == "role" and resource == self._graph.accounts.access_role(account) and self._is_member(account):
            made.documents.append(self._principals.managed_document(_ADMINISTRATOR))
        return made

    def _is_member(self, account: str) -> bool:
        accounts = self._graph.accounts
        return accounts.is_ours(account) and account != accounts.management

    def _door(self, source: Principal, target: Principal, *, asked: bool) -> Door:
        place = (source, target)
        door = self._doors.get(place)
        if door is None:
            door = self._doors[place] = self._judge.door(source, target, asked=asked)
        return door


class Judge:
    """Puts one (principal, role) pair to the evaluation, with everything that bears on it."""

    def __init__(self, guards: Guards, accounts: Accounts) -> None:
        self._guards = guards
        self._accounts = accounts
        self._policies: dict[Principal, Policies] = {}

    def door(self, source: Principal, target: Principal, *, asked: bool) -> Door:
        """The door between two principals, judged: each key on its own, or as AWS does within one account."""
        request = Request(Caller(source.caller_arn), ASSUME_ROLE, target.arn, self._context(source, target))
        admits = target.trust.policy if target.trust else UNKNOWN
        rcps = self._guards.rcps(target.account)
        whole = replace(self._of(source), trust=admits, rcps=rcps)
        if source.account == target.account:
            verdict = evaluate(request, whole)
            return Door(source, target, verdict, verdict, asked)
        trust, grant = evaluate_trust(request, admits), evaluate_grant(request, whole)
        if rcps and Outcome.DENY not in (trust.outcome, grant.outcome):
            verdict = evaluate(request, whole)
            trust = verdict if verdict.outcome is Outcome.DENY else trust
        return Door(source, target, trust, grant, asked)

    def _context(self, source: Principal, target: Principal) -> Context:
        """Nothing is said of the request, and of a group's member not even the name; but whose the target is.

        A principal without a settled name has an ARN that nobody knows yet, and conditions on it are open.

        An account that the stack works in, makes or lists is of its organization.
        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-resourceorgid
        """
        nameless = FREE if source.kind == "group" else UNKNOWN if source.unsettled else None
        keys = ("aws:PrincipalArn", "aws:username", "aws:userid") if nameless is not None else ()
        values = cast("dict[str, tuple[str, ...] | Unknown]", dict.fromkeys(keys, nameless))
        if self._accounts.organization and self._accounts.is_ours(target.account):
            values["aws:ResourceOrgID"] = (self._accounts.organization,)
        return Context(values=values, complete=False)

    def _of(self, source: Principal) -> Policies:
        if source not in self._policies:
            self._policies[source] = Policies(
                identity=tuple(document.policy for document in source.all_documents),
                trust=None,
                boundary=source.boundary.policy if source.boundary else None,
                scps=self._guards.scps(source.account),
            )
        return self._policies[source]


def _half_a_door(resource: str) -> bool:
    """Whether a granted resource means certain roles of one account, not whatever there is."""
    parts = resource.split(":role/", 1)
    return len(parts) == 2 and _ACCOUNT_FIELD.fullmatch(parts[0]) is not None


@lru_cache(maxsize=4096)
def _glob(resource: str) -> re.Pattern[str]:
    """A pattern that matches at least what the resource matches; the evaluation has the last word."""
    return re.compile(".*".join(map(re.escape, _WILD.split(resource))), re.DOTALL)


def _key(verdict: Verdict) -> Key:
    if verdict.outcome is Outcome.DENY:
        return Key.MISSING
    return Key.UNPROVED if verdict.outcome is Outcome.UNKNOWN else Key.PRESENT
