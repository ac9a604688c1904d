"""The access graph: every door between two accounts, with its two keys, and every half of a door.

A door is a (source principal, target role) pair across accounts. It opens with two keys: the role's trust policy admits
the principal, and the principal's own policies grant `sts:AssumeRole` on the role.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html

The graph is built from what the two kinds of document name, through indexes; no principal is ever tried at every role,
but for a role that admits everyone: within its account every principal comes in by such a trust without a grant.
An account's root is one node: a trust in it opens for those principals of the account that hold a grant, and may open
for those with a policy that is not known.
"""

import gc
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain

from twokeys.access.carriers import carried
from twokeys.access.federated import Federated, FederatedTrust, provider_name
from twokeys.access.federated import doors as federated_doors
from twokeys.access.identity_center import IdentityCenter, identity_center
from twokeys.access.judge import Door, Judge, Key
from twokeys.access.model.access_roles import access_roles
from twokeys.access.model.accounts import Accounts
from twokeys.access.model.documents import Document, Documents
from twokeys.access.model.door_name import DoorName
from twokeys.access.model.exports import Exported
from twokeys.access.model.made_anew import leave_out_former
from twokeys.access.model.membership import join_declared_groups
from twokeys.access.model.names import (
    EVERYONE,
    OWN_ACCOUNT,
    USERNAME,
    admits_everyone,
    granted_resources,
    open_leaves,
    trusted_names,
)
from twokeys.access.model.not_proved import NotProved
from twokeys.access.model.not_read import NotRead
from twokeys.access.model.organization import Guards
from twokeys.access.model.principal_policies import read_principals
from twokeys.access.model.principals import Holder, Identity, NotOurs, Outsider, Principal, Principals
from twokeys.access.model.translation import translate
from twokeys.access.reading.snapshot import Pending, Snapshot
from twokeys.access.reading.types import Reading, reading_of
from twokeys.access.root_sessions import root_sessions
from twokeys.errors import Refusal
from twokeys.iam import (
    UNKNOWN,
    Arn,
    Glob,
    Outcome,
    PolicyDocument,
    PolicyKind,
    account_as_a_whole,
    is_account,
    parse_arn,
)
from twokeys.iam.globs import glob
from twokeys.iam.principals import UNIQUE_ID

__all__ = ["DECLARE", "SHOW_SECRETS", "Door", "Grant", "Graph", "Judge", "Key", "Trust", "build"]

SHOW_SECRETS = "export the state with `pulumi stack export --show-secrets --file FILE`, and keep that file to yourself"
"""The next step where a state hides a secret."""
_CORRECT = "correct the document as the reason says; IAM would refuse it too"
DECLARE = (
    "write the document from values that are known in preview, such as an ARN that is written out (a role's, where it "
    "has a `name`; a trust policy's with `depends_on` that role), or create what it waits for in an earlier update, or "
    "declare it as `python -m pydoc twokeys.declared` shows"
)
"""The next step where a document is not known, and nobody declares it."""
_WHOM = (
    "declare it with values that are known in preview (a door for a group: with its `members`), or update the stack "
    "that tells them first; `twokeys preview` also takes that stack, or its state with `--state FILE`"
)
_ANOTHER_STATE = (
    "export the state again after the update that makes what it waits for, or read the state of the stack that makes "
    "that together with this one (`--state` may be repeated)"
)
_READ_IT = "allow that, as AWS's policy IAMReadOnlyAccess does, or name a role that may with --member-role"
_MOST_OPEN_FIRST = (Outcome.ALLOW, Outcome.CONDITIONAL, Outcome.UNKNOWN, Outcome.DENY)
_IAM = "aws:iam/"
_BY_ARN = "name the principal by its ARN, or take it out of the trust policy"


@dataclass(frozen=True, slots=True, eq=False)
class Trust:
    """What a role's trust policy says of one AWS principal that stands for many: an account, an organization, everyone.

    `account` is None for an organization and for everyone. `holders` are the doors of those who hold a grant for the
    role under this trust, or who may: they have a policy that is not known.
    """

    role: Identity
    names: str
    account: str | None
    holders: tuple[Door, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Grant:
    """What a principal's policy grants that no role of the stack answers: `resource` is the ARN or the pattern.

    `own` tells that the policy is the principal's and not that of one of its groups, which answers for itself.
    """

    source: Identity
    resource: str
    document: Document
    own: bool = True


@dataclass
class Graph:
    """Who can enter which account, as far as a snapshot tells.

    `doors` lead from one account into another, or in from outside every account; `steps` lead from a principal to a
    role within one account, and matter for role chaining. None leads into or out of a closed account. `access_roles`
    are the roles that AWS made in member accounts and that are no resources of the stack. `open_trusts` are those in
    accounts as a whole, in organizations or in everyone. `lone_grants` name a role that is not in the stack, or a
    pattern that no role of the stack answers. `identity_center` has the assignments of permission sets, `federated`
    what trust policies say of identity providers; both make doors. `not_read` are resources that may let somebody in
    and are not read; `not_proved` is everything else that may let somebody in and is not known.
    """

    snapshot: Snapshot
    accounts: Accounts
    documents: Documents
    principals: Principals
    exported: Exported
    guards: Guards
    not_read: tuple[NotRead, ...] = ()
    access_roles: tuple[Identity, ...] = ()
    identity_center: IdentityCenter = field(default_factory=IdentityCenter)
    federated: list[FederatedTrust] = field(default_factory=list)
    doors: list[Door] = field(default_factory=list)
    steps: list[Door] = field(default_factory=list)
    open_trusts: list[Trust] = field(default_factory=list)
    lone_grants: list[Grant] = field(default_factory=list)
    not_proved: list[NotProved] = field(default_factory=list)

    def entered_by_members(self) -> set[tuple[Principal, Principal]]:
        """Each group with a role whose trust names one of its members, as they are or were: AWS takes no group."""
        doors = (one for one in self.doors if one.trust_key is not Key.MISSING or one.target.named_anew(one.source))
        return {(group, door.target) for door in doors for group in door.source.groups}

    @property
    def roles(self) -> Iterator[Identity]:
        """The roles of the stack."""
        return (one for one in self.principals if one.kind == "role" and one.urn is not None)

    def trust_made_from(self, role: Principal) -> list[Identity | None]:
        """The resources of IAM that a role's trust policy is made from: as roles and users, None for each other one."""
        found = self.snapshot.by_urn
        made = found.get(role.urn or "")
        behind = made.property_dependencies.get("assumeRolePolicy", ()) if made else ()
        return [self.principals.by_urn.get(urn) for urn in behind if urn in found and found[urn].type.startswith(_IAM)]

    def is_ours(self, account: str) -> bool:
        """Whether an account is shown to be the organization's: by this stack or by one that it refers to."""
        return self.accounts.is_ours(account) or account in self.exported.accounts


def build(snapshot: Snapshot, own_account: str | None = None, gone: Collection[tuple[str, str, str]] = ()) -> Graph:
    """Build the graph of a snapshot, in time near to linear in its documents and doors.

    `own_account` is the 12-digit id of the account that the credentials of the environment belong to: that of a
    provider which neither assumes a role nor is pinned. `gone` are principals that were there before, by account, kind
    and name.

    Raises:
        Refusal: something could not be read that should have been, whatever it is: then nothing is proved.
    """
    try:
        with _without_collection():
            return _built(snapshot, own_account, gone)
    except Exception as error:
        raise Refusal(
            "who can enter cannot be read",
            where=snapshot.origin,
            why=f"{type(error).__name__}: {error}; this is a defect of TwoKeys, so nothing here is proved",
            next_step="report it, with the resource that it is about if the reason names one",
        ) from error


@contextmanager
def _without_collection() -> Iterator[None]:
    """Python's collector would walk all that is there again and again: half of the time of a large graph.

    What is made here has no cycles to collect, so it is put among what is old without a look at it. Later collections
    look at it as at everything else. https://docs.python.org/3/library/gc.html#gc.freeze
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.unfreeze()
        if enabled:
            gc.enable()


def _built(snapshot: Snapshot, own_account: str | None, gone: Collection[tuple[str, str, str]]) -> Graph:
    accounts = Accounts(snapshot, own_account)
    translation = translate(snapshot, accounts)
    if translation.snapshot is not snapshot:
        snapshot = translation.snapshot
        accounts = Accounts(snapshot, own_account)
    documents = Documents(snapshot, accounts)
    principals = read_principals(snapshot, accounts, documents)
    leave_out_former(snapshot, principals)
    exported = Exported(snapshot)
    join_declared_groups(accounts, documents, principals, exported)
    guards = Guards(snapshot, accounts, documents, exported)
    elsewhere = exported.join(principals, documents)
    principals.lose(exported.gone | set(gone))
    graph = Graph(snapshot, accounts, documents, principals, exported, guards, translation.not_read)
    graph.access_roles = tuple(access_roles(accounts, principals))
    graph.identity_center = identity_center(snapshot, accounts, documents, principals)
    _Builder(graph, elsewhere).run()
    graph.not_proved += _not_proved(graph)
    return graph


class _Builder:
    """Finds candidate doors from both sides and has each judged once."""

    def __init__(self, graph: Graph, roles_elsewhere: Iterable[Identity]) -> None:
        self._graph = graph
        self._principals = graph.principals
        self._judge = Judge(graph.guards, graph.accounts)
        self._doors: dict[tuple[Principal, Principal], Door] = {}
        self._roles = {role.arn: role for role in (*roles_elsewhere, *graph.access_roles, *graph.roles)}
        self._outside: dict[str, Outsider] = {}
        self._admit_everyone: list[Identity] = []
        self._exact: dict[str, list[Identity]] = defaultdict(list)
        self._wide: dict[str, dict[Identity, list[Glob]]] = defaultdict(dict)
        self._unknown: dict[str, dict[Identity, None]] = defaultdict(dict)
        self._grants = list(self._read_grants())

    def run(self) -> None:
        """Fill the graph."""
        for join in self.SOURCES:
            join(self)
        closed = self._graph.accounts.closed
        for door in self._doors.values():
            if closed.isdisjoint((door.source.account, door.target.account)):
                (self._graph.doors if door.crosses else self._graph.steps).append(door)

    @property
    def _trusts(self) -> Iterator[tuple[Identity, PolicyDocument]]:
        """The roles whose trust policy is known, with it."""
        for role in self._roles.values():
            if role.trust is not None and role.trust.policy is not UNKNOWN:
                yield role, role.trust.policy

    def _read_grants(self) -> Iterator[Grant]:
        resources: dict[tuple[int, str], tuple[str, ...]] = {}
        for principal in self._principals:
            partition = self._graph.accounts.partition(principal.account)
            for document in principal.all_documents:
                if document.policy is UNKNOWN:
                    self._unknown[principal.account][principal] = None
                    continue
                place = id(document.policy), partition
                if place not in resources:
                    resources[place] = granted_resources(document.policy, partition)
                for name in resources[place]:
                    resource = USERNAME.sub(principal.name, name) if principal.kind == "user" else name
                    if glob(resource).wild:
                        self._wide[principal.account].setdefault(principal, []).append(glob(resource))
                    else:
                        self._exact[resource].append(principal)
                    yield Grant(principal, resource, document, own=document in principal.documents)

    def _from_trusts(self) -> None:
        self._admit_everyone = [role for role, trust in self._trusts if self._from_trust(role, trust)]

    def _from_trust(self, role: Identity, trust: PolicyDocument) -> bool:
        """The doors that a trust names; returns whether everybody in the role's own account may come in by it."""
        within = False
        former = role.trust.anew if role.trust else ()
        for name in dict.fromkeys((*trusted_names(trust, self._graph.guards.denials(role)), *former)):
            account = role.account if name == OWN_ACCOUNT else account_as_a_whole(name)
            if account is not None:
                account = self._graph.accounts.canonical(account)
                within = within or account == role.account
                self._from_open_trust(role, name, account)
            elif name == EVERYONE or name.startswith(("o-", "${", "organization:")):  # no ARN or account is so
                within = True
                self._from_open_trust(role, name, None)
            elif principal := self._trusted(name):
                self._door(principal, role, asked=True)
            else:
                self._graph.not_proved.append(_names_nobody(role, name, self._graph.accounts))
        return within and admits_everyone(trust)

    def _from_open_trust(self, role: Identity, name: str, account: str | None) -> None:
        if self._is_outside(role, name, account):
            self._door(self._outsider(name, account), role)
            if account is not None or name != EVERYONE:
                return
        exact = dict.fromkeys(one for one in self._exact.get(role.arn, ()) if account in (None, one.account))
        accounts = list(self._wide) if account is None else [account]
        wide = [
            principal
            for some in accounts
            for principal, patterns in self._wide.get(some, {}).items()
            if any(one.matches(role.arn) for one in patterns)
        ]
        unknown = [one for some in ([account] if account else self._unknown) for one in self._unknown.get(some, ())]
        doors = [self._door(principal, role, asked=True) for principal in exact]
        others = dict.fromkeys((*wide, *unknown))
        doors += [self._door(principal, role) for principal in others if principal not in exact]
        if not role.made_by_aws:
            self._graph.open_trusts.append(Trust(role, name, account, tuple(doors)))

    def _from_within(self) -> None:
        """The steps of everybody in each role's own account: a trust in everyone is one in each of them by itself.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
        """
        by_account: dict[str, list[Identity]] = defaultdict(list)
        for principal in self._principals:
            by_account[principal.account].append(principal)
        for role in self._admit_everyone:
            others = [one for one in by_account[role.account] if one is not role and (one, role) not in self._doors]
            self._doors |= {(door.source, role): door for door in self._judge.steps(others, role)}

    def _from_providers(self) -> None:
        """Federated principals: the trust policy is their only key."""
        federated = Federated()
        of_assignments = {one.role for one in self._graph.identity_center.assignments}
        for role, trust in self._trusts:
            for found in federated.trusts(role, trust):
                if not (found.of_identity_center and role in of_assignments):
                    self._graph.federated.append(found)
                    self._from_provider(found)

    def _from_provider(self, found: FederatedTrust) -> None:
        role = found.role
        if found.unknown:
            self._graph.not_proved.append(_unknown_provider(found, _known_by(self._graph)))
        for door in federated_doors(found, self._judge):
            known = self._doors.setdefault((door.source, role), door)
            if _MOST_OPEN_FIRST.index(door.outcome) < _MOST_OPEN_FIRST.index(known.outcome):
                self._doors[door.source, role] = door  # another statement lets the same one in

    def _from_services(self) -> None:
        """Services that hand the role to others: they need no grant either."""
        for role, trust in self._trusts:
            self._join(carried(role, trust, self._graph.guards, self._judge))

    def _from_root_sessions(self) -> None:
        graph = self._graph
        self._join(root_sessions(graph.snapshot, graph.accounts, graph.principals, self._judge))

    def _from_assignments(self) -> None:
        self._graph.not_proved += self._graph.identity_center.not_proved
        self._join(assignment.door for assignment in self._graph.identity_center.assignments)

    def _from_grants(self) -> None:
        answered: dict[Principal, list[str]] = defaultdict(list)
        for source, target in self._doors:
            for holder in (source, *source.groups):
                answered[holder].append(target.arn)
        for grant in self._grants:
            role = self._roles.get(grant.resource)
            if role is not None and role.trust is not None:
                self._door(grant.source, role, asked=True)
            elif _half_a_door(grant.resource) and grant.document.stack is None and grant.own:
                answers = map(glob(grant.resource).matches, answered[grant.source])
                if not any(answers):
                    self._graph.lone_grants.append(grant)

    SOURCES = (
        _from_trusts,
        _from_providers,
        _from_services,
        _from_grants,
        _from_within,
        _from_assignments,
        _from_root_sessions,
    )
    """What makes doors, in this order; `federated`, `identity_center` and `root_sessions` read what some of them join.

    Where a source does not know whom it lets in, or where, it says so among `not_proved`: to make no door is no answer.
    An update judges the resources of each type that `reading.types` has as read, on the whole stack until `pack.parts`
    indexes what the type names.
    """

    def _join(self, doors: Iterable[Door]) -> None:
        self._doors |= {(door.source, door.target): door for door in doors}

    def _trusted(self, name_of_trust: str) -> Identity | Outsider | None:
        """The principal that a trust names by its ARN; None for a name that does not tell who that is."""
        if known := self._principals.by_arn.get(name_of_trust):
            return known
        arn = Arn.parse(name_of_trust)
        if arn is None or arn.kind not in ("role", "user", "assumed-role") or not is_account(arn.account):
            return None
        if "*" in name_of_trust or "?" in name_of_trust:  # no part of a principal's name can be a pattern
            return None
        account = self._graph.accounts.canonical(arn.account)
        if not self._graph.is_ours(account):
            return self._outsider(name_of_trust, account)
        if arn.kind == "assumed-role":
            return self._principals.mentioned(account, "role", arn.name)
        kind: Holder = "user" if arn.kind == "user" else "role"
        known = self._principals.named(account, kind, arn.name)
        if known is not None and known.urn is None and known.trust is None:
            known.arn = name_of_trust
        if known is not None and known.arn == name_of_trust:
            return known
        somebody_else = f"{arn.path}{arn.name}" if known else arn.name
        return self._principals.mentioned(account, kind, somebody_else, name_of_trust)

    def _is_outside(self, role: Identity, name: str, account: str | None) -> bool:
        """Whether a trusted name stands for others than us: a foreign account, everyone, an organization.

        One that nothing shows to be ours is foreign, whoever holds a grant here: those prove nothing of its accounts.
        """
        if account is not None:
            return account != role.account and not self._graph.is_ours(account)
        return not self._graph.accounts.is_own_organization(name)

    def _outsider(self, name: str, account: str | None) -> Outsider:
        if name not in self._outside:
            arn = Arn.parse(name) or (Arn.root(account, self._graph.accounts.partition(account)) if account else None)
            given = arn.name if arn else name
            kind: NotOurs = "everyone" if name == EVERYONE else "outsider"
            self._outside[name] = Outsider(str(arn or name), kind, account or "", given)
        return self._outside[name]

    def _door(self, source: Identity | Outsider, target: Principal, *, asked: bool = False) -> Door:
        place = (source, target)
        door = self._doors.get(place)
        if door is None:
            door = self._doors[place] = self._judge.door(source, target, asked=asked)
        return door


@lru_cache(maxsize=65536)
def _half_a_door(resource: str) -> bool:
    """Whether a granted resource means certain roles of one account, not whatever there is."""
    arn = Arn.parse(resource)
    return arn is not None and arn.service == "iam" and is_account(arn.account) and arn.resource.startswith("role/")


def _names_nobody(role: Principal, name: str, accounts: Accounts) -> NotProved:
    """A trusted name that is no ARN of a role or user, such as the unique id that IAM leaves of a deleted one.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    """
    what = f"Whom role {accounts.located(role)} lets in by the name {name}"
    why = "that name does not tell who it is"
    if UNIQUE_ID.fullmatch(name):
        why = "AWS leaves such a unique id of a user or role that was deleted, and then lets nobody in by it"
    return NotProved(what, why, _BY_ARN, DoorName(name, role.arn), role.urn, role.source)


def _known_by(graph: Graph) -> str:
    """What makes a document known: in a state no program is there to be changed."""
    return _ANOTHER_STATE if graph.snapshot.is_state else DECLARE


def _unknown_provider(found: FederatedTrust, step: str) -> NotProved:
    role = found.role
    what = f"Whom the trust policy of role {role.name} lets in by {provider_name(found.federation)}"
    why = "the provider, or the claim that names its tenant, is not known yet"
    return NotProved(what, why, step, DoorName("*", role.arn), role.urn, role.source, role.trust)


def _not_proved(graph: Graph) -> Iterator[NotProved]:
    """The documents of the stack's resources that are not known, or not where it matters; what else is unclear."""
    seen: set[int] = set()
    for place, document in _documents(graph.principals):
        if document.urn is None or id(document) in seen:
            continue
        seen.add(id(document))
        if document.policy is UNKNOWN:
            made_from = f" (it is made from {', '.join(document.waits_for)})" if document.waits_for else ""
            why, step = (
                f"{document.problem}{made_from}",
                document.next_step
                or (_CORRECT if document.faulty else SHOW_SECRETS if document.hidden else _known_by(graph)),
            )
        elif leaves := open_leaves(document.policy, trust=document.policy.kind is PolicyKind.TRUST):
            why, step = (
                f"what is not known yet in it may let somebody in: {', '.join(leaves)}",
                SHOW_SECRETS if document.hidden else _WHOM if document.declared else _known_by(graph),
            )
        else:
            continue
        yield NotProved(f"The {document.title}", why, step, place, document.urn, document.source, document)
    yield from graph.principals.not_proved
    for unread in graph.not_read:
        if unread.unknown:
            resource, about = unread.resource, f"What {unread.resource.label} makes"
            yield NotProved(about, f"it {unread.why}", unread.next_step, unread.door, resource.urn, resource.source)
    for one in chain.from_iterable(each.not_answered for each in graph.snapshot.evidence):
        if one.account:
            what = f"Who comes into account {graph.accounts.name(one.account)} and who leaves it"
            door = DoorName("*", str(Arn.root(one.account, parse_arn(one.caller).partition)))
            yield NotProved(what, f"AWS answered {one.error} to {one.action} by {one.caller}", _READ_IT, door)
    for pending in graph.snapshot.pending:
        if reading_of(pending.resource.type) is not Reading.HARMLESS:
            yield _pending(pending)
    yield from graph.exported.not_proved


def _pending(pending: Pending) -> NotProved:
    """What the engine was stopped at. Half made, it may let somebody in already, unless its type never does."""
    resource = pending.resource
    why = (
        f"the last update was stopped while it was {pending.operation} it, so whether it is there, and what it says, "
        "is not known"
    )
    step = "run `pulumi refresh`, or `pulumi up` to its end, and export the state again"
    return NotProved(resource.label, why, step, DoorName(resource.urn, "*"), resource.urn, resource.source)


def _documents(principals: Principals) -> Iterator[tuple[DoorName, Document]]:
    """Every document with the name that an exception gives to its unknown door, which holds an ARN or a URN."""
    for principal in principals:
        if principal.trust is not None:
            yield DoorName("*", principal.arn), principal.trust
        for document in principal.documents:
            yield DoorName(principal.arn, "*"), document
        if principal.boundary is not None:
            yield DoorName(principal.arn, "*"), principal.boundary
    for document in principals.managed_policies:
        yield DoorName(document.urn or "", "*"), document
