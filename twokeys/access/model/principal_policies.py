"""Every policy that bears on a principal, wherever pulumi-aws lets one write it, and what may take it away again."""

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import replace

from twokeys.access.model.accounts import Accounts
from twokeys.access.model.documents import Document, Documents
from twokeys.access.model.names import granted_resources
from twokeys.access.model.principals import (
    ATTACHMENT_TO_MANY,
    ATTACHMENTS,
    EXCLUSIVE_ATTACHMENT,
    EXCLUSIVE_INLINE,
    HOLDERS,
    INLINE_POLICIES,
    LIST_OF_GROUPS,
    LIST_OF_USERS,
    ONE_ROLE,
    Holder,
    Identity,
    Principals,
)
from twokeys.access.reading.snapshot import Resource, Snapshot, items, mapping
from twokeys.access.reading.type_names import ROLE, USER
from twokeys.iam import UNKNOWN, Arn, PolicyDocument, PolicyKind, Unknown

_REFRESH = (
    "run `pulumi refresh` and export the state again; if the role still has it, attach it in this program, or detach it"
)
_BOTH_BOUNDARIES = "two resources are this principal, and do not give it the same permissions boundary"
_ONE_OF_SEVERAL = "it is one of several policies of this stack, and not known yet which"
_REMOVED, _REFRESHED = "that a list removes", "as of the last refresh"
_NAME_IN_LIST = "add it to that list, or take the list out"
_ALL_OF_GROUP = "lists all users of that group, so that each update of it removes others"


def read_principals(snapshot: Snapshot, accounts: Accounts, documents: Documents) -> Principals:
    """The principals of a snapshot, with every policy that bears on each.

    Reads RolePolicy, UserPolicy, GroupPolicy; Role's `inlinePolicies` and `managedPolicyArns`; RolePolicyAttachment,
    UserPolicyAttachment, GroupPolicyAttachment and PolicyAttachment; GroupMembership, UserGroupMembership; permissions
    boundaries; and the resources that say which policies a principal has exclusively.
    """
    principals = Principals(snapshot, accounts, documents)
    _Reader(snapshot, accounts, documents, principals).read()
    return principals


def remove(principals: Principals, holder: Identity, removed: Iterable[Document], by: str) -> None:
    """What a list of all policies takes away from somebody: the resource that gives it brings it back in turn."""
    for document in removed:
        holder.documents.remove(document)
        holder.perhaps[document] = _REMOVED
        why = f"{by}, so that each update of it removes this one"
        principals.may_be_held(holder, document, f"The {document.title}", why, _NAME_IN_LIST)


class _Reader:
    def __init__(self, snapshot: Snapshot, accounts: Accounts, documents: Documents, principals: Principals) -> None:
        self._snapshot = snapshot
        self._accounts = accounts
        self._documents = documents
        self._principals = principals

    def read(self) -> None:
        """What is given first, then what a list of all takes away of it."""
        self._read_policies()
        self._read_memberships()
        self._read_exclusive()
        self._read_attached_when_refreshed()
        self._read_boundaries()

    def _read_policies(self) -> None:
        for resource in self._snapshot.resources:
            if kind := INLINE_POLICIES.get(resource.type):
                self._read_inline(resource, kind)
            elif kind := ATTACHMENTS.get(resource.type):
                self._attach(resource, self._principals.referred(resource, kind, kind))
            elif resource.type == ATTACHMENT_TO_MANY:
                for kind in HOLDERS:
                    self._attach(resource, self._principals.all_referred(resource, kind + "s", kind))
            elif resource.type == ROLE:
                self._read_policies_of_role(resource)

    def _read_inline(self, resource: Resource, kind: Holder) -> None:
        named = self._principals.identity(resource, "name") or resource.name
        holders = self._principals.referred(resource, kind, kind)
        whose = ", ".join(holder.name for holder in holders) or "not known yet"
        title = f"inline policy {named} of {kind} {whose}"
        document = replace(self._documents.of(resource, "policy", PolicyKind.IDENTITY, title), inline=named)
        for holder in holders:
            holder.documents.append(document)
        if not holders:
            self._principals.unclear(resource, f"the {kind} that it belongs to is not known yet")

    def _read_policies_of_role(self, resource: Resource) -> None:
        """Only what the program asks for: the outputs also list what other resources attach, or no longer do.

        Of a role that the program only reads there is nothing else than outputs.
        """
        role = self._principals.by_urn[resource.urn]
        value = resource.asked if "assumeRolePolicy" in (resource.inputs or {}) else resource.get
        inline = value("inlinePolicies")
        for item in inline if isinstance(inline, list) else [] if inline is None else [UNKNOWN]:
            policy = item.get("policy") if isinstance(item, Mapping) else UNKNOWN
            if policy in (None, ""):  # what the provider makes of an empty item
                continue
            given = item.get("name") if isinstance(item, Mapping) else None
            named = given if isinstance(given, str) else "without a known name"
            title = f"inline policy {named} of role {role.name}"
            document = self._documents.read(resource, "inlinePolicies", policy, PolicyKind.IDENTITY, title)
            role.documents.append(replace(document, inline=named))
        self._attach_arns(resource, "managedPolicyArns", value("managedPolicyArns"), [role])

    def _attach(self, resource: Resource, holders: list[Identity]) -> None:
        if not holders:
            if resource.type != ATTACHMENT_TO_MANY:
                self._principals.unclear(resource, "the principal that it attaches a policy to is not known yet")
            return
        self._attach_arns(resource, "policyArn", [resource.get("policyArn")], holders)

    def _attach_arns(self, resource: Resource, key: str, arns: object, holders: list[Identity]) -> None:
        if arns is None:
            return
        for document in self._principals.managed_documents(resource, key, arns):
            for holder in holders:
                holder.documents.append(document)

    def _read_memberships(self) -> None:
        """A GroupMembership lists all users of its group: each update of it removes any others.

        https://www.pulumi.com/registry/packages/aws/api-docs/iam/groupmembership/
        """
        listed: list[tuple[Resource, Identity, list[Identity]]] = []
        for resource in self._snapshot.of_type(LIST_OF_USERS):
            groups = self._principals.referred(resource, "group", "group")
            if not groups:
                self._principals.unclear(resource, "the group whose users it lists is not known yet")
            for group in groups:
                users = self._principals.all_referred(resource, "users", "user")
                listed.append((resource, group, users))
                for user in users:
                    user.groups.append(group)
        for resource in self._snapshot.of_type(LIST_OF_GROUPS):
            for user in self._principals.referred(resource, "user", "user"):
                user.groups.extend(self._principals.all_referred(resource, "groups", "group"))
        joined = [user for user in self._principals if user.groups] if listed else []
        for resource, group, users in listed:
            for user in joined:
                if group in user.groups and user not in users and UNKNOWN not in items(resource.get("users")):
                    user.groups.remove(group)
                    what, why = f"Whether user {user.name} is in group {group.name}", f"{resource.name} {_ALL_OF_GROUP}"
                    for document in group.documents:
                        user.perhaps[document] = _REMOVED
                        self._principals.may_be_held(user, document, what, why, _NAME_IN_LIST)

    def _read_exclusive(self) -> None:
        """An exclusive list removes what it does not name; a list of attachments also attaches what it names."""
        for resource in self._snapshot.of_type(ROLE):
            self._read_exclusive_of_role(resource)
        for resource in self._snapshot.of_type(*EXCLUSIVE_INLINE):
            names = resource.get("policyNames")
            if not isinstance(names, list) or UNKNOWN in names:
                self._principals.unclear(resource, "the policies that it lets stay are not known yet")
                continue
            for holder in self._exclusively(resource, EXCLUSIVE_INLINE[resource.type]):
                others = [one for one in holder.documents if one.inline and one.inline not in names]
                remove(self._principals, holder, others, f"{resource.name} lists all the inline policies")
        for resource in self._snapshot.of_type(ATTACHMENT_TO_MANY):
            self._read_exclusive_of_policy(resource)
        for resource in self._snapshot.of_type(*EXCLUSIVE_ATTACHMENT):
            for holder in self._exclusively(resource, EXCLUSIVE_ATTACHMENT[resource.type]):
                named = list(
                    self._principals.managed_documents(resource, "policyArns", resource.get("policyArns") or [])
                )
                others = [one for one in holder.documents if not one.inline and one not in named]
                remove(self._principals, holder, others, f"{resource.name} lists all the attached policies")
                holder.documents += [one for one in named if one not in holder.documents]

    def _read_exclusive_of_policy(self, resource: Resource) -> None:
        """A PolicyAttachment lists all in its account who have the policy, however others got it.

        https://www.pulumi.com/registry/packages/aws/api-docs/iam/policyattachment/
        """
        if any(UNKNOWN in items(resource.get(f"{kind}s")) for kind in HOLDERS):
            return
        account = self._accounts.of(resource)
        named = {one for kind in HOLDERS for one in self._principals.all_referred(resource, f"{kind}s", kind)}
        for document in self._principals.managed_documents(resource, "policyArn", [resource.get("policyArn")]):
            for holder in [one for one in self._principals if one.account == account and document in one.documents]:
                if holder not in named:
                    remove(self._principals, holder, [document], f"{resource.name} lists all who have that policy")

    def _read_exclusive_of_role(self, resource: Resource) -> None:
        """A Role's `inlinePolicies` and `managedPolicyArns` are all that it has: each update removes any others.

        An empty `inlinePolicies` is no such list, an empty item in it is; an empty `managedPolicyArns` is one. A policy
        that is removed and may be a grant is there until then, and then no more: nobody can prove it.
        https://www.pulumi.com/registry/packages/aws/api-docs/iam/role/
        """
        role, removed = self._principals.by_urn[resource.urn], []
        inputs = resource.inputs or {}
        if isinstance(listed := inputs.get("inlinePolicies"), list) and listed:
            inline = [one for one in role.documents if one.inline]
            listed_here = {_said(one) for one in inline if one.urn == resource.urn}
            # another stack may read the role, and these with it
            removed += [one for one in inline if one.urn != resource.urn and _said(one) not in listed_here]
        if isinstance(inputs.get("managedPolicyArns"), list):
            own = list(self._principals.managed_documents(resource, "managedPolicyArns", inputs["managedPolicyArns"]))
            removed += [one for one in role.documents if not one.inline and one not in own and one.urn != resource.urn]
        remove(self._principals, role, removed, f"role {role.name} has a list of all its policies")

    def _exclusively(self, resource: Resource, kind: Holder) -> list[Identity]:
        holders = self._principals.referred(resource, f"{kind}Name", kind)
        if not holders:
            self._principals.unclear(resource, f"the {kind} whose policies it removes is not known yet")
        return holders

    def _read_attached_when_refreshed(self) -> None:
        """What a state's role had beside what its stack gives it, when it was last refreshed.

        Somebody attached it elsewhere, or a resource did that is gone since: only another refresh tells. A grant of
        another stack on a role that is not here is passed over: it opens nothing here, and that stack's state has it.
        """
        for resource in self._snapshot.of_type(ROLE) if self._snapshot.is_state else ():
            if "assumeRolePolicy" not in (resource.inputs or {}):
                continue  # only read, and then its outputs are all there is
            role = self._principals.by_urn[resource.urn]
            held = {*role.documents, *role.perhaps}
            inline = {one.inline for one in held if one.inline}
            for document in self._in_outputs(resource, inline):
                if document in held:
                    continue
                role.perhaps[document] = _REFRESHED
                if self._may_open(role, document.policy):
                    what = f"Whether role {role.name} still has {document.title}"
                    why = "the state lists it as its last refresh saw it, and no resource here gives it to the role"
                    of_role = replace(document, urn=role.urn, source=role.source)
                    self._principals.may_be_held(role, of_role, what, why, _REFRESH)

    def _may_open(self, holder: Identity, policy: PolicyDocument | Unknown) -> bool:
        """Whether a policy may grant a role that is here, by its ARN or a pattern, or the access role of an account."""
        if policy is UNKNOWN:
            return True
        for name in granted_resources(policy, self._accounts.partition(holder.account)):
            pattern = {*"*?$"} & {*name} or Arn.parse(name) is None
            if pattern or name in self._principals.by_arn or self._accounts.is_access_role(name):
                return True
        return False

    def _in_outputs(self, resource: Resource, known: Set[str]) -> Iterator[Document]:
        for arn in items(resource.outputs.get("managedPolicyArns")):
            if isinstance(arn, str):
                yield self._principals.managed_document(arn)
        for item in map(mapping, items(resource.outputs.get("inlinePolicies"))):
            name, policy = item.get("name"), item.get("policy")
            if isinstance(name, str) and name not in known and policy:
                title = f"inline policy {name}"
                yield self._documents.read(resource, "inlinePolicies", policy, PolicyKind.IDENTITY, title)

    def _read_boundaries(self) -> None:
        first: dict[Identity, object] = {}
        for resource in self._snapshot.of_type(ROLE, USER):
            principal, value = self._principals.by_urn[resource.urn], resource.get("permissionsBoundary") or None
            title = f"permissions boundary of {principal.label}"
            if first.setdefault(principal, value) != value:
                principal.boundary = Document(
                    UNKNOWN, title, principal.urn, problem=_BOTH_BOUNDARIES, next_step=ONE_ROLE
                )
            elif value is not None and principal.boundary is None:
                said = [*self._principals.managed_documents(resource, "permissionsBoundary", [value])]
                several = Document(UNKNOWN, title, principal.urn, problem=_ONE_OF_SEVERAL)
                principal.boundary = said[0] if len(said) == 1 else several


def _said(document: Document) -> tuple[object, object]:
    """The name and the meaning of an inline policy."""
    return document.inline, document.policy if isinstance(document.policy, Unknown) else document.policy.meaning
