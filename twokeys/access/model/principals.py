"""The principals of a snapshot, and its managed policies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal, TypeAlias, get_args

from twokeys.access.model.accounts import Accounts
from twokeys.access.model.documents import Document, Documents, masked
from twokeys.access.model.door_name import DoorName, stand_in
from twokeys.access.model.names import may_grant
from twokeys.access.model.not_proved import NotProved
from twokeys.access.reading.snapshot import Resource, Snapshot
from twokeys.access.reading.type_names import ACCESS_KEY, GROUP, MANAGED_POLICY, PASSWORD, ROLE, USER
from twokeys.errors import nearest
from twokeys.iam import UNKNOWN, Arn, Caller, Decision, PolicyDocument, PolicyKind, Unknown, aws_managed
from twokeys.iam.evaluation import identity_label

PEOPLE_COMPONENT = "twokeys:people:People"
Holder: TypeAlias = Literal["role", "user", "group"]
"""Those that IAM attaches identity-based policies to: their grant is in one of those."""
WithoutGrant: TypeAlias = Literal["web-identity", "saml", "service", "identity-center-user", "identity-center-group"]
"""Those who need no grant of sts:AssumeRole: AWS asks their identity provider who they are, or a service asks AWS."""
NotOurs: TypeAlias = Literal["outsider", "everyone"]
"""Those whose grant no stack of ours shows: a principal, or an account as a whole, that is not shown to be the
organization's; whoever has an AWS account.
"""
PrincipalKind: TypeAlias = Literal[Holder, WithoutGrant, NotOurs, "root"]
"""What a principal is. `root`: an account as a whole, or its root user.

A kind is one of the three that say where its grant is. `Who.label` of `twokeys.doors.who` is what people call each.
"""
HOLDERS: tuple[Holder, ...] = get_args(Holder)
WITHOUT_GRANT: tuple[WithoutGrant, ...] = get_args(WithoutGrant)
NOT_OURS: tuple[NotOurs, ...] = get_args(NotOurs)
KINDS: Mapping[str, Holder] = {ROLE: "role", USER: "user", GROUP: "group"}
TYPES: Mapping[Holder, str] = {kind: type_ for type_, kind in KINDS.items()}


def _of_each(ending: str) -> Mapping[str, Holder]:
    """The types of pulumi-aws whose names differ by the kind of their holder alone, with that kind."""
    return {f"aws:iam/{kind}{ending}:{kind.capitalize()}{ending}": kind for kind in HOLDERS}


INLINE_POLICIES = _of_each("Policy")
ATTACHMENTS = _of_each("PolicyAttachment")
ATTACHMENT_TO_MANY = "aws:iam/policyAttachment:PolicyAttachment"
EXCLUSIVE_INLINE = _of_each("PoliciesExclusive")
EXCLUSIVE_ATTACHMENT = _of_each("PolicyAttachmentsExclusive")
IDENTITY_PROVIDERS = ("aws:iam/openIdConnectProvider:OpenIdConnectProvider", "aws:iam/samlProvider:SamlProvider")
LIST_OF_USERS = "aws:iam/groupMembership:GroupMembership"
LIST_OF_GROUPS = "aws:iam/userGroupMembership:UserGroupMembership"
ABOUT_PRINCIPALS = frozenset({
    *KINDS, MANAGED_POLICY, *INLINE_POLICIES, *ATTACHMENTS, ATTACHMENT_TO_MANY, *EXCLUSIVE_INLINE,
    *EXCLUSIVE_ATTACHMENT, LIST_OF_USERS, LIST_OF_GROUPS, PASSWORD, ACCESS_KEY, *IDENTITY_PROVIDERS,
})  # fmt: skip
"""The types that say which principals there are and what they hold; each names those that it is about."""
ONE_ROLE = "run `pulumi refresh` on the stacks that have it, and let one of them make the role"
_NAME_IT = "name the principal by a value that is known in preview, or by the output of one resource"


@dataclass(eq=False, slots=True)
class Principal:
    """Who can come in: a role, a user, a group (that is: any member of it), and all others that `PrincipalKind` lists.

    `account` is empty for those that belong to none. `urn` is None when the principal is no resource of the stack: then
    its `documents` are only those the stack gives it, and `trust` is None unless AWS made the role (`made_by_aws`).
    `unsettled` is its name or path if that is not known yet: then the ARN only stands in. `prefixed` tells that the
    name is one that AWS's provider makes up behind a known prefix: no document can name it. `boundary` is None where
    none is shown: then nothing is subtracted. `max_session_seconds` is of a role, as its resource or its permission
    set says. `tags` are those of the role or user by their keys in lower case; None where more may be there.
    """

    arn: str
    kind: PrincipalKind
    account: str
    name: str
    urn: str | None = None
    source: str | None = None
    unique_id: str | None = None
    unsettled: str | None = None
    prefixed: bool = False
    made_by_aws: bool = False
    trust: Document | None = None
    boundary: Document | None = None
    max_session_seconds: int | None = None
    tags: Mapping[str, object] | None = None
    documents: list[Document] = field(default_factory=list)
    perhaps: dict[Document, str] = field(default_factory=dict)
    """Policies that it may have beside these, each with why only so: they tell how strong it is at most."""
    groups: list[Identity] = field(default_factory=list)

    @property
    def label(self) -> str:
        """What messages call it: "role ci"."""
        return f"{self.kind} {self.name}"

    @property
    def trust_policy(self) -> PolicyDocument | Unknown:
        """What its trust policy says, where that is known."""
        return self.trust.policy if self.trust else UNKNOWN

    def named_anew(self, other: Principal) -> datetime | None:
        """When somebody was made anew whom its trust policy names as they were before."""
        return self.trust.anew.get(other.arn) if self.trust else None

    @property
    def all_documents(self) -> Iterator[Document]:
        """Its own identity-based policies, then those of its groups."""
        yield from self.documents
        for group in self.groups:
            yield from group.documents

    @property
    def bearing(self) -> Iterator[Document]:
        """What bears on its calls: all its identity-based policies, then its boundary."""
        yield from self.all_documents
        if self.boundary is not None:
            yield self.boundary

    def document_of(self, decision: Decision) -> Document | None:
        """The identity-based policy behind a decision on its grant; None where another policy decided."""
        labels = ((identity_label(number), one) for number, one in enumerate(self.all_documents, 1))
        return next((document for label, document in labels if label == decision.document), None)

    @property
    def own_changes(self) -> Iterator[tuple[str, str]]:
        """See `own_changes`."""
        return own_changes(self.arn, self.bearing)


@dataclass(eq=False, slots=True)
class Identity(Principal):
    """A role, user or group: IAM evaluates its own policies when it, or a member of the group, calls AWS."""

    kind: Holder

    @property
    def caller(self) -> Caller:
        """Who calls AWS: a group never calls, any member of it does."""
        return Caller(self.arn.replace(":group/", ":user/any-member-of/"), unique_id=self.unique_id)


@dataclass(eq=False, slots=True)
class Outsider(Principal):
    """Somebody of an account that is not shown to be ours, or everybody there: only the trust policy is judged."""

    kind: NotOurs


def own_changes(role: str, policies: Iterable[Document]) -> Iterator[tuple[str, str]]:
    """The calls by which a role with these policies gives itself more, each with the ARN that it is on.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
    """
    for verb in ("AttachRolePolicy", "PutRolePolicy", "PutRolePermissionsBoundary", "DeleteRolePermissionsBoundary"):
        yield f"iam:{verb}", role
    for policy in policies:
        if policy.arn is not None and not aws_managed.is_aws_managed(policy.arn):
            yield from ((f"iam:{verb}", policy.arn) for verb in ("CreatePolicyVersion", "SetDefaultPolicyVersion"))


class Principals:
    """The principals of a snapshot: Role, User, Group; and its managed policies: Policy.

    What each has of these, and else, `twokeys.access.model.principal_policies` reads.
    """

    def __init__(self, snapshot: Snapshot, accounts: Accounts, documents: Documents) -> None:
        self._snapshot = snapshot
        self._accounts = accounts
        self._documents = documents
        self._made: list[Identity] = []
        self.by_urn: dict[str, Identity] = {}
        self._by_name: dict[tuple[str, str, str], Identity] = {}
        self._in_any_case: dict[tuple[str, str, str], Identity] = {}
        self.by_arn: dict[str, Identity] = {}
        """The principals by all that a trust policy may name them by: also by the unique id that AWS gave them."""
        self.not_proved: list[NotProved] = []
        """The resources that give somebody a policy, where nothing says whom or which."""
        self.gone: frozenset[tuple[str, str, str]] = frozenset()
        self._namesakes: dict[tuple[str, str], list[Identity]] = defaultdict(list)
        self._unsettled: dict[tuple[str, str], list[Identity]] = defaultdict(list)
        self._managed: dict[str, Document] = {}
        self._managed_by_arn: dict[str, Document] = {}
        self._read_principals()
        self._read_managed_policies()

    def __iter__(self) -> Iterator[Identity]:
        yield from self._made
        yield from (found for found in self._by_name.values() if found.urn is None)

    @property
    def managed_policies(self) -> Iterable[Document]:
        """The documents of the managed policies that the stack makes, attached or not."""
        return self._managed.values()

    def add_managed(self, resource: Resource, document: Document) -> None:
        """A policy that another type of resource makes, and that nobody holds yet."""
        self._managed[resource.urn] = document

    def named(self, account: str, kind: str, name: str) -> Identity | None:
        """A principal by its name, which is unique among its kind in an account."""
        return self._by_name.get((account, kind, name))

    def mentioned(self, account: str, kind: Holder, name: str, arn: str | None = None, path: str = "/") -> Identity:
        """A principal of one of the accounts, by its name; made when it is first mentioned.

        `arn` is its ARN, or `path` its path, where that is known: a policy is given to a name, which says no path.
        """
        found = self._by_name.get((account, kind, name))
        made = arn or str(Arn.iam(kind, account, name, path, self._accounts.partition(account)))
        if found is None:
            found = self._by_name[account, kind, name] = Identity(made, kind, account, name)
        elif found.urn is None and path != "/":
            found.arn = made
        return found

    def lose(self, gone: Collection[tuple[str, str, str]]) -> None:
        """Those who are gone, by account, kind and name: IAM keeps no policy of nobody, whoever once gave it to them.

        One of an account that is not known may be any of that name.
        https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html
        """
        self.gone = frozenset(gone)
        for account, kind, name in gone:
            found = self.named(self._accounts.canonical(account), kind, name)
            unpinned = any(not self._accounts.pinned(one.account) for one in self.namesakes(kind, name))
            if found is not None and found.urn is None and not unpinned:
                found.documents.clear()
                found.groups.clear()

    def near(self, kind: str, account: str, name: str, cutoff: float | None = None) -> Identity | None:
        """The stack's principal whose name is spelt almost as this one, or as it is; `cutoff` as `nearest` has it."""
        there = {
            one.name: one for one in self._made if (one.kind, one.account) == (kind, account) and not one.unsettled
        }
        found = nearest(name, there, cutoff=cutoff if len(name) > 2 else 1)
        return there[found] if found else None

    def namesakes(self, kind: str, name: str) -> Sequence[Identity]:
        """The stack's principals of this kind and name, in whichever account."""
        return self._namesakes.get((kind, name), ())

    def unsettled(self, kind: str, account: str) -> Sequence[Identity]:
        """The stack's principals of this kind in an account whose name or path is not known yet."""
        return self._unsettled.get((kind, account), ())

    def _read_principals(self) -> None:
        for resource in self._snapshot.of_type(*KINDS):
            kind = KINDS[resource.type]
            account = self._accounts.of(resource)
            prefix = resource.text("namePrefix")
            given, path = self.identity(resource, "name"), self.identity(resource, "path")
            name = given or stand_in(resource)
            arn = str(Arn.iam(kind, account, name, path or "/", self._accounts.partition_of(resource)))
            path_settled = path is not None or resource.get("path") is not UNKNOWN
            unsettled = None
            if given is None and ("?" in name or resource.get("name") is UNKNOWN):  # it is made up later
                unsettled = "name"
            elif not path_settled:
                unsettled = "path"
            principal = Identity(
                arn,
                kind,
                account,
                name,
                urn=resource.urn,
                source=resource.source,
                unique_id=resource.text("uniqueId"),
                unsettled=unsettled,
                prefixed=unsettled == "name" and prefix is not None and path_settled,
                tags=self._tags(resource),
            )
            if kind == "role":
                title = f"trust policy of role {name}"
                principal.trust = self._documents.of(resource, "assumeRolePolicy", PolicyKind.TRUST, title)
                seconds = resource.get("maxSessionDuration")
                if isinstance(seconds, int | float) and 900 <= seconds <= 43_200:
                    principal.max_session_seconds = int(seconds)
            there = self._by_name.get((account, kind, name))
            if there is not None and not unsettled and self._accounts.pinned(account):
                self.by_urn[resource.urn] = there
                self._join(there, principal)
                continue
            self._made.append(principal)
            self.by_urn[resource.urn] = principal
            if unsettled:
                self._unsettled[kind, account].append(principal)
            self._namesakes[kind, name].append(principal)
            self._by_name[account, kind, name] = self._in_any_case[account, kind, name.lower()] = principal
            self.by_arn[arn] = self.by_arn[principal.unique_id or arn] = principal

    def _tags(self, resource: Resource) -> Mapping[str, object] | None:
        provider = self._snapshot.by_urn.get(resource.provider or "")
        hidden = provider is not None and provider.get("ignoreTags") is not None
        if hidden or resource.made_by:  # a CloudFormation stack hands its own tags on
            return None
        tags = resource.get("tagsAll")
        adds = bool(resource.provider) if provider is None else provider.get("defaultTags") is not None
        if not isinstance(tags, Mapping) and not adds:
            tags = resource.get("tags") or {}
        return {str(key).lower(): value for key, value in tags.items()} if isinstance(tags, Mapping) else None

    def _join(self, there: Identity, again: Identity) -> None:
        """Two resources are one principal: one that makes it and one that reads it, or those of two states.

        A name is unique among its kind in an account, whatever the path. Where they do not say the same of who may
        come in, nothing tells which is so, unless one of two states holds encrypted what the other tells.
        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
        """
        self.by_arn[again.arn] = there
        there.tags = there.tags if there.tags == again.tags else None
        if there.trust is None or again.trust is None:
            return
        said, again_said = there.trust.policy, again.trust.policy
        if said is UNKNOWN or (
            again_said is not UNKNOWN and again_said.meaning in (said.meaning, masked(said).meaning)
        ):
            return
        if again_said is UNKNOWN or said.meaning == masked(again_said).meaning:
            there.trust = again.trust
        else:
            title, why = there.trust.title, f"{there.urn} and {again.urn} are both this role and do not say the same"
            there.trust = Document(UNKNOWN, title, there.urn, there.source, problem=why, next_step=ONE_ROLE)

    def may_be_held(self, holder: Identity, document: Document, what: str, why: str, step: str) -> None:
        """A policy that somebody may still have: if it may be a grant, nobody proves that."""
        if may_grant(document.policy):
            place = DoorName(holder.arn, "*")
            self.not_proved.append(NotProved(what, why, step, place, document.urn, document.source, document))

    def unclear(self, resource: Resource, why: str) -> None:
        """A resource gives somebody a policy, and nothing says whom or which."""
        what = f"What {resource.label} gives to whom"
        door = DoorName(resource.urn, "*")
        self.not_proved.append(NotProved(what, why, _NAME_IT, door, resource.urn, resource.source))

    def identity(self, resource: Resource, key: str) -> str | None:
        """A property that names a principal or a policy, by a declaration where it is not known yet."""
        return resource.text(key) or self._documents.declared_property(resource, key)

    def _read_managed_policies(self) -> None:
        for resource in self._snapshot.of_type(MANAGED_POLICY):
            name = resource.text("name")
            document = self._documents.of(
                resource, "policy", PolicyKind.IDENTITY, f"managed policy {name or resource.name}"
            )
            arn = resource.text("arn")
            if arn is None and name is not None:
                path, account = resource.text("path") or "/", self._accounts.of(resource)
                arn = str(Arn.iam("policy", account, name, path, self._accounts.partition_of(resource)))
            document = self._managed[resource.urn] = replace(document, arn=arn)
            if arn is not None:
                self._managed_by_arn[arn] = document

    def managed_documents(self, resource: Resource, key: str, arns: object) -> Iterator[Document]:
        """The managed policies of a list; unknown items are those that it was made from."""
        listed = arns if isinstance(arns, list) else [UNKNOWN]
        known = [self.managed_document(arn) for arn in listed if isinstance(arn, str)]
        if unknown := len(listed) - len(known):
            made_from = map(self._managed.get, resource.property_dependencies.get(key, ()))
            behind = [one for one in made_from if one is not None and one not in known]
            yield from behind
            if len(behind) < unknown:
                title = f"a policy that {resource.name} attaches"
                why = "its ARN is not known yet and hangs on no policy of this stack"
                yield Document(UNKNOWN, title, resource.urn, resource.source, problem=why)
        yield from known

    def managed_document(self, arn: str) -> Document:
        """The managed policy with an ARN: of the stack, of AWS, or made elsewhere."""
        if arn not in self._managed_by_arn:
            title = f"managed policy {arn.rpartition('/')[2]}"
            by_aws = aws_managed.document(arn)
            if by_aws is not None:
                document = Document(by_aws, title, arn=arn)
            elif aws_managed.is_aws_managed(arn):
                document = Document(UNKNOWN, title, problem=f"what {arn} grants is not recorded here", arn=arn)
            else:
                document = Document(UNKNOWN, title, problem=f"{arn} is made outside this stack", arn=arn)
            self._managed_by_arn[arn] = document
        return self._managed_by_arn[arn]

    def referred(self, resource: Resource, key: str, kind: Holder) -> list[Identity]:
        """The principal that a property names, as a list of one; [] if nothing says which."""
        name = self.identity(resource, key)
        if name is not None:
            return [self._by_given_name(resource, kind, name)]
        behind = self._snapshot.behind(resource, key, TYPES[kind])
        return [self.by_urn[behind.urn]] if behind else []

    def all_referred(self, resource: Resource, key: str, kind: Holder) -> list[Identity]:
        """The principals that a list names; unknown items are those that the list was made from."""
        value = resource.get(key)
        if value is None:
            return []
        items = value if isinstance(value, list) else [UNKNOWN]
        found = [self._by_given_name(resource, kind, item) for item in items if isinstance(item, str)]
        if unknown := len(items) - len(found):
            made_from = map(self.by_urn.get, resource.property_dependencies.get(key, ()))
            behind = [one for one in made_from if one is not None and one.kind == kind and one not in found]
            if len(behind) < unknown:
                self.unclear(resource, f"the {kind}s that it names are not known yet")
            found += behind
        return found

    def _by_given_name(self, resource: Resource, kind: Holder, name: str) -> Identity:
        """The principal of a name that IAM's API is given, which is not told apart by case, as ARNs are.

        https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
        """
        account = self._accounts.of(resource)
        there = self._by_name.get((account, kind, name)) or self._in_any_case.get((account, kind, name.lower()))
        return there or self.mentioned(account, kind, name)
