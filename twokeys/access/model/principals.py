"""The principals of a snapshot, and every policy that bears on each, wherever pulumi-aws lets one write it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from twokeys.access.model.accounts import Accounts
from twokeys.access.model.documents import Document, Documents
from twokeys.access.model.door_name import DoorName, stand_in
from twokeys.access.model.names import granted_resources, may_grant
from twokeys.access.model.not_proved import NotProved
from twokeys.access.reading.snapshot import Resource, Snapshot, items, mapping
from twokeys.access.reading.tokens import ACCESS_KEY, GROUP, MANAGED_POLICY, PASSWORD, ROLE, USER
from twokeys.iam import UNKNOWN, Arn, PolicyDocument, PolicyKind, Unknown, account_as_a_whole, aws_managed, parse_policy
from twokeys.iam.principals import Principals as TrustedPrincipals

PEOPLE = "twokeys:people:People"
PrincipalKind: TypeAlias = Literal[
    "role",
    "user",
    "group",
    "root",
    "web-identity",
    "saml",
    "identity-center-user",
    "identity-center-group",
    "service",
    "outsider",
    "everyone",
]
"""What a principal is. `outsider`: a principal, or an account as a whole, that is not shown to be the organization's;
`everyone`: whoever has an AWS account. Those two, services and federated people hold no grant that a stack could show.

`Who.label` of `twokeys.doors.who` is what people call each.
"""
WITHOUT_GRANT: frozenset[PrincipalKind] = frozenset(
    {"web-identity", "saml", "service", "identity-center-user", "identity-center-group"}
)
"""Those who need no grant of sts:AssumeRole: AWS asks their identity provider who they are, or a service asks AWS."""
Holder: TypeAlias = Literal["role", "user", "group"]
"""Those that IAM attaches identity-based policies to."""
HOLDERS: tuple[Holder, ...] = ("role", "user", "group")
_KINDS: Mapping[str, Holder] = {ROLE: "role", USER: "user", GROUP: "group"}
TYPES: Mapping[Holder, str] = {kind: type_ for type_, kind in _KINDS.items()}


def _of_each(ending: str) -> Mapping[str, Holder]:
    """The types of pulumi-aws whose names differ by the kind of their holder alone, with that kind."""
    return {f"aws:iam/{kind}{ending}:{kind.capitalize()}{ending}": kind for kind in HOLDERS}


INLINE_POLICIES = _of_each("Policy")
ATTACHMENTS = _of_each("PolicyAttachment")
ATTACHMENT_TO_MANY = "aws:iam/policyAttachment:PolicyAttachment"
_EXCLUSIVE_INLINE = _of_each("PoliciesExclusive")
_EXCLUSIVE_ATTACHMENT = _of_each("PolicyAttachmentsExclusive")
IDENTITY_PROVIDERS = ("aws:iam/openIdConnectProvider:OpenIdConnectProvider", "aws:iam/samlProvider:SamlProvider")
_LIST_OF_USERS = "aws:iam/groupMembership:GroupMembership"
_LIST_OF_GROUPS = "aws:iam/userGroupMembership:UserGroupMembership"
ABOUT_PRINCIPALS = frozenset({
    *_KINDS, MANAGED_POLICY, *INLINE_POLICIES, *ATTACHMENTS, ATTACHMENT_TO_MANY, *_EXCLUSIVE_INLINE,
    *_EXCLUSIVE_ATTACHMENT, _LIST_OF_USERS, _LIST_OF_GROUPS, PASSWORD, ACCESS_KEY, *IDENTITY_PROVIDERS,
})  # fmt: skip
"""The types that say which principals there are and what they hold; each names those that it is about."""
_ONE_ROLE = "run `pulumi refresh` on the stacks that have it, and let one of them make the role"
_REFRESH = (
    "run `pulumi refresh` and export the state again; if the role still has it, attach it in this program, or detach it"
)
_BOTH_BOUNDARIES = "two resources are this principal, and do not give it the same permissions boundary"
_ONE_OF_SEVERAL = "it is one of several policies of this stack, and not known yet which"
_REMOVED, _REFRESHED = "that a list removes", "as of the last refresh"
_NAME_IN_LIST = "add it to that list, or take the list out"
_ALL_OF_GROUP = "lists all users of that group, so that each update of it removes others"
_NAME_IT = "name the principal by a value that is known in preview, or by the output of one resource"


@dataclass(eq=False, slots=True)
class Principal:
    """Who can come in: a role, a user, a group (that is: any member of it), and all others that `PrincipalKind` lists.

    `account` is empty for those that belong to none. `urn` is None when the principal is no resource of the stack: then
    its `documents` are only those the stack gives it, and `trust` is None unless AWS made the role (`made_by_aws`).
    `unsettled` is its name or path if that is not known yet: then the ARN only stands in. `prefixed` tells that the
    name is one that AWS's provider makes up behind a known prefix: no document can name it. `max_session_seconds` is
    of a role, as its resource or its permission set says.
    """

    arn: str
    kind: PrincipalKind
    account: str
    name: str
    urn: str | None = None
    source: str | None = None
    unsettled: str | None = None
    prefixed: bool = False
    made_by_aws: bool = False
    trust: Document | None = None
    boundary: Document | None = None
    max_session_seconds: int | None = None
    documents: list[Document] = field(default_factory=list)
    perhaps: dict[Document, str] = field(default_factory=dict)
    """Policies that it may have beside these, each with why only so: they tell how strong it is at most."""
    groups: list[Principal] = field(default_factory=list)

    @property
    def label(self) -> str:
        """What messages call it: "role ci"."""
        return f"{self.kind} {self.name}"

    @property
    def trust_policy(self) -> PolicyDocument | Unknown:
        """What its trust policy says, where that is known."""
        return self.trust.policy if self.trust else UNKNOWN

    @property
    def all_documents(self) -> Iterator[Document]:
        """Its own identity-based policies, then those of its groups."""
        yield from self.documents
        for group in self.groups:
            yield from group.documents

    @property
    def caller_arn(self) -> str:
        """The ARN that calls AWS: a group never calls, any member of it does."""
        return self.arn.replace(":group/", ":user/any-member-of/")


class Principals:
    """Reads principals and their policies from a snapshot.

    Reads Role, User, Group; RolePolicy, UserPolicy, GroupPolicy; Role's `inlinePolicies` and `managedPolicyArns`;
    Policy with RolePolicyAttachment, UserPolicyAttachment, GroupPolicyAttachment and PolicyAttachment; GroupMembership,
    UserGroupMembership; permissions boundaries; and the resources that say which policies a principal has exclusively.
    """

    def __init__(self, snapshot: Snapshot, accounts: Accounts, documents: Documents) -> None:
        self._snapshot = snapshot
        self._accounts = accounts
        self._documents = documents
        self._made: list[Principal] = []
        self._by_urn: dict[str, Principal] = {}
        self._by_name: dict[tuple[str, str, str], Principal] = {}
        self._in_any_case: dict[tuple[str, str, str], Principal] = {}
        self.by_arn: dict[str, Principal] = {}
        self.not_proved: list[NotProved] = []
        """The resources that give somebody a policy, where nothing says whom or which."""
        self._unpinned: dict[tuple[str, str], list[Principal]] = defaultdict(list)
        self._unsettled: dict[tuple[str, str], list[Principal]] = defaultdict(list)
        self._managed: dict[str, Document] = {}
        self._managed_by_arn: dict[str, Document] = {}
        self._read_principals()
        self._read_managed_policies()
        self._read_policies()
        self._read_memberships()
        self._read_exclusive()
        self._read_attached_when_refreshed()
        self._read_boundaries()

    def __iter__(self) -> Iterator[Principal]:
        yield from self._made
        yield from (found for found in self._by_name.values() if found.urn is None)

    @property
    def managed_policies(self) -> Iterable[Document]:
        """The documents of the managed policies that the stack makes, attached or not."""
        return self._managed.values()

    def add_managed(self, resource: Resource, document: Document) -> None:
        """A policy that another type of resource makes, and that nobody holds yet."""
        self._managed[resource.urn] = document

    def named(self, account: str, kind: str, name: str) -> Principal | None:
        """A principal by its name, which is unique among its kind in an account."""
        return self._by_name.get((account, kind, name))

    def mentioned(self, account: str, kind: Holder, name: str, arn: str | None = None, path: str = "/") -> Principal:
        """A principal of one of the accounts, by its name; made when it is first mentioned.

        `arn` is its ARN, or `path` its path, where that is known: a policy is given to a name, which says no path.
        """
        found = self._by_name.get((account, kind, name))
        made = arn or str(Arn.iam(kind, account, name, path, self._accounts.partition(account)))
        if found is None:
            found = self._by_name[account, kind, name] = Principal(made, kind, account, name)
        elif found.urn is None and path != "/":
            found.arn = made
        return found

    def of_resource(self, resource: Resource) -> Principal | None:
        """The principal that a resource of the stack is."""
        return self._by_urn.get(resource.urn)

    def namesakes_in_unpinned_accounts(self, kind: str, name: str) -> Sequence[Principal]:
        """The stack's principals of this kind and name whose account is not known."""
        return self._unpinned.get((kind, name), ())

    def unsettled(self, kind: str, account: str) -> Sequence[Principal]:
        """The stack's principals of this kind in an account whose name or path is not known yet."""
        return self._unsettled.get((kind, account), ())

    def _read_principals(self) -> None:
        for resource in self._snapshot.of_type(*_KINDS):
            kind = _KINDS[resource.type]
            account = self._accounts.of(resource)
            prefix = resource.text("namePrefix")
            given, path = self._identity(resource, "name"), self._identity(resource, "path")
            name = given or stand_in(resource)
            arn = str(Arn.iam(kind, account, name, path or "/", self._accounts.partition_of(resource)))
            path_settled = path is not None or resource.get("path") is not UNKNOWN
            unsettled = None
            if given is None:  # a name that nobody gives is made up later
                unsettled = "name"
            elif not path_settled:
                unsettled = "path"
            principal = Principal(
                arn,
                kind,
                account,
                name,
                urn=resource.urn,
                source=resource.source,
                unsettled=unsettled,
                prefixed=unsettled == "name" and prefix is not None and path_settled,
            )
            if kind == "role":
                title = f"trust policy of role {name}"
                principal.trust = self._documents.of(resource, "assumeRolePolicy", PolicyKind.TRUST, title)
                seconds = resource.get("maxSessionDuration")
                if isinstance(seconds, int | float) and 900 <= seconds <= 43_200:
                    principal.max_session_seconds = int(seconds)
            there = self._by_name.get((account, kind, name))
            if there is not None and not unsettled and self._accounts.pinned(account):
                self._by_urn[resource.urn] = there
                self._join(there, principal)
                continue
            self._made.append(principal)
            self._by_urn[resource.urn] = principal
            if unsettled:
                self._unsettled[kind, account].append(principal)
            if not self._accounts.pinned(account):
                self._unpinned[kind, name].append(principal)
            self._by_name[account, kind, name] = self._in_any_case[account, kind, name.lower()] = principal
            self.by_arn[arn] = principal

    def _join(self, there: Principal, again: Principal) -> None:
        """Two resources are one principal: one that makes it and one that reads it, or those of two states.

        A name is unique among its kind in an account, whatever the path. Where they do not say the same of who may
        come in, nothing tells which is so. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
        """
        self.by_arn[again.arn] = there
        if there.trust is None or again.trust is None:
            return
        said, again_said = there.trust.policy, again.trust.policy
        if said is UNKNOWN:
            return
        if again_said is UNKNOWN:
            there.trust = again.trust
        elif _meaning(said) != _meaning(again_said):
            title, why = there.trust.title, f"{there.urn} and {again.urn} are both this role and do not say the same"
            there.trust = Document(UNKNOWN, title, there.urn, there.source, problem=why, next_step=_ONE_ROLE)

    def _unclear(self, resource: Resource, why: str) -> None:
        what = f"What {resource.label} gives to whom"
        door = DoorName(resource.urn, "*")
        self.not_proved.append(NotProved(what, why, _NAME_IT, door, resource.urn, resource.source))

    def _identity(self, resource: Resource, key: str) -> str | None:
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

    def _read_policies(self) -> None:
        for resource in self._snapshot.resources:
            if kind := INLINE_POLICIES.get(resource.type):
                self._read_inline(resource, kind)
            elif kind := ATTACHMENTS.get(resource.type):
                self._attach(resource, self._referred(resource, kind, kind))
            elif resource.type == ATTACHMENT_TO_MANY:
                for kind in HOLDERS:
                    self._attach(resource, self._all_referred(resource, kind + "s", kind))
            elif resource.type == ROLE:
                self._read_policies_of_role(resource)

    def _read_inline(self, resource: Resource, kind: Holder) -> None:
        named = self._identity(resource, "name") or resource.name
        holders = self._referred(resource, kind, kind)
        whose = ", ".join(holder.name for holder in holders) or "not known yet"
        title = f"inline policy {named} of {kind} {whose}"
        document = replace(self._documents.of(resource, "policy", PolicyKind.IDENTITY, title), inline=named)
        for holder in holders:
            holder.documents.append(document)
        if not holders:
            self._unclear(resource, f"the {kind} that it belongs to is not known yet")

    def _read_policies_of_role(self, resource: Resource) -> None:
        """Only what the program asks for: the outputs also list what other resources attach, or no longer do.

        Of a role that the program only reads there is nothing else than outputs.
        """
        role = self._by_urn[resource.urn]
        value = resource.asked if "assumeRolePolicy" in (resource.inputs or {}) else resource.get
        inline = value("inlinePolicies")
        for item in inline if isinstance(inline, list) else [UNKNOWN] if inline is UNKNOWN else []:
            policy = item.get("policy") if isinstance(item, Mapping) else UNKNOWN
            if policy is None:
                continue
            given = item.get("name") if isinstance(item, Mapping) else None
            named = given if isinstance(given, str) else "without a known name"
            title = f"inline policy {named} of role {role.name}"
            document = self._documents.read(resource, "inlinePolicies", policy, PolicyKind.IDENTITY, title)
            role.documents.append(replace(document, inline=named))
        self._attach_arns(resource, "managedPolicyArns", value("managedPolicyArns"), [role])

    def _attach(self, resource: Resource, holders: list[Principal]) -> None:
        if not holders:
            if resource.type != ATTACHMENT_TO_MANY:
                self._unclear(resource, "the principal that it attaches a policy to is not known yet")
            return
        self._attach_arns(resource, "policyArn", [resource.get("policyArn")], holders)

    def _attach_arns(self, resource: Resource, key: str, arns: object, holders: list[Principal]) -> None:
        if arns is None:
            return
        for document in self._managed_documents(resource, key, arns):
            for holder in holders:
                holder.documents.append(document)

    def _managed_documents(self, resource: Resource, key: str, arns: object) -> Iterator[Document]:
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
            statements = aws_managed.statements(arn)
            if statements is not None:
                document = Document(_of_statements(statements), title, arn=arn)
            elif aws_managed.is_aws_managed(arn):
                document = Document(UNKNOWN, title, problem=f"what {arn} grants is not recorded here", arn=arn)
            else:
                document = Document(UNKNOWN, title, problem=f"{arn} is made outside this stack", arn=arn)
            self._managed_by_arn[arn] = document
        return self._managed_by_arn[arn]

    def _read_memberships(self) -> None:
        """A GroupMembership lists all users of its group: each update of it removes any others.

        https://www.pulumi.com/registry/packages/aws/api-docs/iam/groupmembership/
        """
        listed: list[tuple[Resource, Principal, list[Principal]]] = []
        for resource in self._snapshot.of_type(_LIST_OF_USERS):
            groups = self._referred(resource, "group", "group")
            if not groups:
                self._unclear(resource, "the group whose users it lists is not known yet")
            for group in groups:
                users = self._all_referred(resource, "users", "user")
                listed.append((resource, group, users))
                for user in users:
                    user.groups.append(group)
        for resource in self._snapshot.of_type(_LIST_OF_GROUPS):
            for user in self._referred(resource, "user", "user"):
                user.groups.extend(self._all_referred(resource, "groups", "group"))
        joined = [user for user in self if user.groups] if listed else []
        for resource, group, users in listed:
            for user in joined:
                if group in user.groups and user not in users and UNKNOWN not in items(resource.get("users")):
                    user.groups.remove(group)
                    what, why = f"Whether user {user.name} is in group {group.name}", f"{resource.name} {_ALL_OF_GROUP}"
                    for document in group.documents:
                        user.perhaps[document] = _REMOVED
                        self._may_be_held(user, document, what, why, _NAME_IN_LIST)

    def _read_exclusive(self) -> None:
        """An exclusive list removes what it does not name; a list of attachments also attaches what it names."""
        for resource in self._snapshot.of_type(ROLE):
            self._read_exclusive_of_role(resource)
        for resource in self._snapshot.of_type(*_EXCLUSIVE_INLINE):
            names = resource.get("policyNames")
            if not isinstance(names, list) or UNKNOWN in names:
                self._unclear(resource, "the policies that it lets stay are not known yet")
                continue
            for holder in self._exclusively(resource, _EXCLUSIVE_INLINE[resource.type]):
                others = [one for one in holder.documents if one.inline and one.inline not in names]
                self.remove(holder, others, f"{resource.name} lists all the inline policies")
        for resource in self._snapshot.of_type(ATTACHMENT_TO_MANY):
            self._read_exclusive_of_policy(resource)
        for resource in self._snapshot.of_type(*_EXCLUSIVE_ATTACHMENT):
            for holder in self._exclusively(resource, _EXCLUSIVE_ATTACHMENT[resource.type]):
                named = list(self._managed_documents(resource, "policyArns", resource.get("policyArns") or []))
                others = [one for one in holder.documents if not one.inline and one not in named]
                self.remove(holder, others, f"{resource.name} lists all the attached policies")
                holder.documents += [one for one in named if one not in holder.documents]

    def _read_exclusive_of_policy(self, resource: Resource) -> None:
        """A PolicyAttachment lists all in its account who have the policy, however others got it.

        https://www.pulumi.com/registry/packages/aws/api-docs/iam/policyattachment/
        """
        if any(UNKNOWN in items(resource.get(f"{kind}s")) for kind in HOLDERS):
            return
        account = self._accounts.of(resource)
        named = {one for kind in HOLDERS for one in self._all_referred(resource, f"{kind}s", kind)}
        for document in self._managed_documents(resource, "policyArn", [resource.get("policyArn")]):
            for holder in [one for one in self if one.account == account and document in one.documents]:
                if holder not in named:
                    self.remove(holder, [document], f"{resource.name} lists all who have that policy")

    def _read_exclusive_of_role(self, resource: Resource) -> None:
        """A Role's `inlinePolicies` and `managedPolicyArns` are all that it has: each update removes any others.

        An empty `inlinePolicies` is no such list, an empty item in it is; an empty `managedPolicyArns` is one. A policy
        that is removed and may be a grant is there until then, and then no more: nobody can prove it.
        https://www.pulumi.com/registry/packages/aws/api-docs/iam/role/
        """
        role, removed = self._by_urn[resource.urn], []
        inputs = resource.inputs or {}
        if isinstance(inputs.get("inlinePolicies"), list) and inputs["inlinePolicies"]:
            removed += [one for one in role.documents if one.inline and one.urn != resource.urn]
        if isinstance(inputs.get("managedPolicyArns"), list):
            own = list(self._managed_documents(resource, "managedPolicyArns", inputs["managedPolicyArns"]))
            removed += [one for one in role.documents if not one.inline and one not in own and one.urn != resource.urn]
        self.remove(role, removed, f"role {role.name} has a list of all its policies")

    def remove(self, holder: Principal, removed: Iterable[Document], by: str) -> None:
        """What a list of all policies takes away from somebody: the resource that gives it brings it back in turn."""
        for document in removed:
            holder.documents.remove(document)
            holder.perhaps[document] = _REMOVED
            why = f"{by}, so that each update of it removes this one"
            self._may_be_held(holder, document, f"The {document.title}", why, _NAME_IN_LIST)

    def _may_be_held(self, holder: Principal, document: Document, what: str, why: str, step: str) -> None:
        if may_grant(document.policy):
            place = DoorName(holder.arn, "*")
            self.not_proved.append(NotProved(what, why, step, place, document.urn, document.source, document))

    def _read_attached_when_refreshed(self) -> None:
        """What a state's role had beside what its stack gives it, when it was last refreshed.

        Somebody attached it elsewhere, or a resource did that is gone since: only another refresh tells. A grant of
        another stack on a role that is not here is passed over: it opens nothing here, and that stack's state has it.
        """
        for resource in self._snapshot.of_type(ROLE) if self._snapshot.is_state else ():
            if "assumeRolePolicy" not in (resource.inputs or {}):
                continue  # only read, and then its outputs are all there is
            role = self._by_urn[resource.urn]
            held = {*role.documents, *role.perhaps}
            inline = {one.inline for one in held if one.inline}
            for document in self._in_outputs(resource, inline):
                if document in held:
                    continue
                role.perhaps[document] = _REFRESHED
                if self._may_open(role, document.policy):
                    what = f"Whether role {role.name} still has {document.title}"
                    why = "the state lists it as its last refresh saw it, and no resource here gives it to the role"
                    self._may_be_held(role, replace(document, urn=role.urn, source=role.source), what, why, _REFRESH)

    def _may_open(self, holder: Principal, policy: PolicyDocument | Unknown) -> bool:
        """Whether a policy may grant a role that is here, by its ARN or a pattern, or the access role of an account."""
        if policy is UNKNOWN:
            return True
        for name in granted_resources(policy, self._accounts.partition(holder.account)):
            arn = None if {*"*?$"} & {*name} else Arn.parse(name)
            if arn is None or name in self.by_arn or arn.name in self._accounts.access_roles(arn.account):
                return True
        return False

    def _in_outputs(self, resource: Resource, known: Set[str]) -> Iterator[Document]:
        for arn in items(resource.outputs.get("managedPolicyArns")):
            if isinstance(arn, str):
                yield self.managed_document(arn)
        for item in map(mapping, items(resource.outputs.get("inlinePolicies"))):
            name, policy = item.get("name"), item.get("policy")
            if isinstance(name, str) and name not in known and policy:
                title = f"inline policy {name}"
                yield self._documents.read(resource, "inlinePolicies", policy, PolicyKind.IDENTITY, title)

    def _exclusively(self, resource: Resource, kind: Holder) -> list[Principal]:
        holders = self._referred(resource, f"{kind}Name", kind)
        if not holders:
            self._unclear(resource, f"the {kind} whose policies it removes is not known yet")
        return holders

    def _read_boundaries(self) -> None:
        first: dict[Principal, object] = {}
        for resource in self._snapshot.of_type(ROLE, USER):
            principal, value = self._by_urn[resource.urn], resource.get("permissionsBoundary") or None
            title = f"permissions boundary of {principal.label}"
            if first.setdefault(principal, value) != value:
                principal.boundary = Document(
                    UNKNOWN, title, principal.urn, problem=_BOTH_BOUNDARIES, next_step=_ONE_ROLE
                )
            elif value is not None and principal.boundary is None:
                said = [*self._managed_documents(resource, "permissionsBoundary", [value])]
                several = Document(UNKNOWN, title, principal.urn, problem=_ONE_OF_SEVERAL)
                principal.boundary = said[0] if len(said) == 1 else several

    def _referred(self, resource: Resource, key: str, kind: Holder) -> list[Principal]:
        """The principal that a property names, as a list of one; [] if nothing says which."""
        name = self._identity(resource, key)
        if name is not None:
            return [self._by_given_name(resource, kind, name)]
        behind = self._snapshot.behind(resource, key, TYPES[kind])
        return [self._by_urn[behind.urn]] if behind else []

    def _all_referred(self, resource: Resource, key: str, kind: Holder) -> list[Principal]:
        """The principals that a list names; unknown items are those that the list was made from."""
        value = resource.get(key)
        if value is None:
            return []
        items = value if isinstance(value, list) else [UNKNOWN]
        found = [self._by_given_name(resource, kind, item) for item in items if isinstance(item, str)]
        if unknown := len(items) - len(found):
            made_from = map(self._by_urn.get, resource.property_dependencies.get(key, ()))
            behind = [one for one in made_from if one is not None and one.kind == kind and one not in found]
            if len(behind) < unknown:
                self._unclear(resource, f"the {kind}s that it names are not known yet")
            found += behind
        return found

    def _by_given_name(self, resource: Resource, kind: Holder, name: str) -> Principal:
        """The principal of a name that IAM's API is given, which is not told apart by case, as ARNs are.

        https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
        """
        account = self._accounts.of(resource)
        there = self._by_name.get((account, kind, name)) or self._in_any_case.get((account, kind, name.lower()))
        return there or self.mentioned(account, kind, name)


def _meaning(trust: PolicyDocument) -> frozenset[object]:
    """What a trust policy says, in whatever order and notation: IAM writes an account as its root, for one."""
    return frozenset(
        (
            one.effect,
            *(None if listed is None else frozenset(listed) for listed in (one.actions, one.not_actions)),
            _trusted(one.principals),
            frozenset((clause.operator, clause.lower_key, frozenset(clause.values)) for clause in one.conditions),
            (one.variables, *one.unresolved),
        )
        for one in trust.statements
    )


def _trusted(principals: TrustedPrincipals | None) -> object:
    if principals is None or principals.everyone or principals.unresolved:
        return principals and (principals.everyone, principals.unresolved)
    accounts = frozenset((account_as_a_whole(one) or one) if isinstance(one, str) else one for one in principals.aws)
    return accounts, *map(frozenset, (principals.service, principals.federated, principals.canonical_user))


def _of_statements(statements: tuple[Mapping[str, object], ...]) -> PolicyDocument:
    if not statements:
        return PolicyDocument(version="2012-10-17", id=None, statements=())
    return parse_policy({"Version": "2012-10-17", "Statement": list(statements)}, PolicyKind.IDENTITY)
