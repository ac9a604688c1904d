"""IAM Identity Center: who is assigned which permission set in which account, and the role that AWS makes of it there.

AWS makes a role `AWSReservedSSO_<permission set>_<suffix>` in each account that a permission set is assigned in, and
writes both of its keys: whoever is assigned may sign in to it. What the permission set says is what the role may do.
https://docs.aws.amazon.com/singlesignon/latest/userguide/permissionsetsconcept.html
https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from twokeys.access.judge import Door
from twokeys.access.model.accounts import Accounts
from twokeys.access.model.documents import Document, Documents
from twokeys.access.model.door_name import EXCEPT, DoorName
from twokeys.access.model.not_proved import NotProved
from twokeys.access.model.principal_policies import remove
from twokeys.access.model.principals import Identity, Principal, Principals
from twokeys.access.reading.snapshot import Resource, Snapshot, items, mapping
from twokeys.access.reading.type_names import ACCOUNT, ROLE
from twokeys.doors.who import ACCOUNT_ACCESS
from twokeys.iam import UNKNOWN, Arn, Caller, Outcome, PolicyKind, Request, Verdict, evaluate_trust, is_account
from twokeys.iam.sts import ASSUME_ROLE, RESERVED_PATH, RESERVED_ROLE, SUFFIX_TO_COME, permission_set_of

ASSIGNMENT = "aws:ssoadmin/accountAssignment:AccountAssignment"
PERMISSION_SET = "aws:ssoadmin/permissionSet:PermissionSet"
ENTITLEMENT = "aws:accountaccess/entitlement:Entitlement"
STORE_GROUP = "aws:identitystore/group:Group"
STORE_USER = "aws:identitystore/user:User"
MEMBERSHIP = "aws:identitystore/groupMembership:GroupMembership"
_MANAGED = "aws:ssoadmin/managedPolicyAttachment:ManagedPolicyAttachment"
_MANAGED_EXCLUSIVE = "aws:ssoadmin/managedPolicyAttachmentsExclusive:ManagedPolicyAttachmentsExclusive"
_CUSTOMER = "aws:ssoadmin/customerManagedPolicyAttachment:CustomerManagedPolicyAttachment"
_CUSTOMER_EXCLUSIVE = "aws:ssoadmin/customerManagedPolicyAttachmentsExclusive:CustomerManagedPolicyAttachmentsExclusive"
INLINE_POLICY = "aws:ssoadmin/permissionSetInlinePolicy:PermissionSetInlinePolicy"
_BOUNDARY = "aws:ssoadmin/permissionsBoundaryAttachment:PermissionsBoundaryAttachment"
POLICIES_OF_SETS = (_MANAGED, _MANAGED_EXCLUSIVE, _CUSTOMER, _CUSTOMER_EXCLUSIVE, INLINE_POLICY, _BOUNDARY)
_RESERVED_ARN = re.compile(
    r"arn:[a-z-]+:(?:iam|sts)::(?P<account>\d{12}):"
    rf"(?:(?P<role>role/{re.escape(RESERVED_PATH)}(?:[a-z0-9-]+/)?)|assumed-role/)"
    rf"(?P<name>{RESERVED_ROLE}(?P<set>[\w+=,.@-]+)_[0-9a-f]{{16}})(?![0-9a-f])"
)
_REGION = re.compile(rf":role/{re.escape(RESERVED_PATH)}([a-z0-9-]+|\*)/")
_DURATION = re.compile(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?")
_HOUR = 3600
_NAME_IT = (
    "write it from values that are known in preview, or update the stack that exports them first; `twokeys preview` "
    f"takes its state with `--state FILE`; or {EXCEPT}"
)
_SHOW_SET = f"make the permission set in this program, so that its policies are shown, or {EXCEPT}"
_SHOW_ROLE = f"make the role in this program, so that its trust policy is shown, or {EXCEPT}"
_ASSIGNED = Verdict.of_rule(
    Outcome.ALLOW, "trust", "AWS makes the role of the permission set, for those who are assigned it"
)
_NO_GRANT = Verdict.of_rule(Outcome.ALLOW, "grant", "people of IAM Identity Center need no grant but their assignment")


@dataclass(frozen=True, slots=True, eq=False)
class PermissionSet:
    """A permission set: its name, how long a session lasts, and its policies, by account for the customer's own."""

    name: str
    session_seconds: int
    resource: Resource | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Assignment:
    """Somebody of Identity Center may sign in to a role: `role` is AWS's own, or one that an entitlement names.

    `members` are the names of a group's users, as far as the snapshot shows them.
    """

    source: Principal
    role: Identity
    permission_set: PermissionSet | None
    resource: Resource
    members: tuple[str, ...] = ()

    @property
    def door(self) -> Door:
        """The door: both keys are AWS's own, but for a role that an entitlement names, which trusts the service."""
        trust = _ASSIGNED
        if self.permission_set is None:
            trust = evaluate_trust(Request(Caller(ACCOUNT_ACCESS), ASSUME_ROLE, self.role.arn), self.role.trust_policy)
        return Door(self.source, self.role, trust, _NO_GRANT, asked=True)


@dataclass(frozen=True)
class IdentityCenter:
    """The assignments of a snapshot, and what of them nobody can prove.

    `given` are the managed policies that permission sets hold by name, whoever has the set, with what gives each: URNs.
    """

    assignments: tuple[Assignment, ...] = ()
    not_proved: tuple[NotProved, ...] = ()
    given: Mapping[str, str] = field(default_factory=dict)


def identity_center(
    snapshot: Snapshot, accounts: Accounts, documents: Documents, principals: Principals
) -> IdentityCenter:
    """Read the assignments; each makes a role node in its account, with the permission set's policies as documents."""
    reader = _Reader(snapshot, accounts, documents, principals)
    found = tuple(reader.assignments())
    reader.read_policies_of_nobody()
    return IdentityCenter(found, tuple(reader.not_proved), dict(reader.given()))


@dataclass
class _Reader:
    snapshot: Snapshot
    accounts: Accounts
    documents: Documents
    principals: Principals
    not_proved: list[NotProved] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._sets: dict[str, PermissionSet] = {}
        self._roles: dict[tuple[str, PermissionSet], Identity] = {}
        self._sources: dict[tuple[str, str], Principal] = {}
        self._by_arn = self._read_sets()
        self._regions: list[str] = []
        self._of_set: dict[str, list[Resource]] = defaultdict(list)
        self._known = self._read_suffixes()
        self._people = self._read_people()
        self._members = self._read_members()
        for kind in POLICIES_OF_SETS:
            for resource in self.snapshot.of_type(kind):
                self._of_set[self._set_key(resource)].append(resource)

    def _read_suffixes(self) -> Mapping[tuple[str, str], re.Match[str]]:
        """AWS's own roles with their suffix, as far as trust policies tell it: in ARNs of roles, else of sessions."""
        if next(self.snapshot.of_type(ASSIGNMENT), None) is None:
            return {}
        every = (str(resource.get("assumeRolePolicy")) for resource in self.snapshot.of_type(ROLE))
        trusts = [trust for trust in every if RESERVED_ROLE in trust]
        self._regions = [one.group(1) for trust in trusts for one in _REGION.finditer(trust)]
        found = sorted(
            (one for trust in trusts for one in _RESERVED_ARN.finditer(trust)), key=lambda one: bool(one["role"])
        )
        return {(one["account"], one["set"]): one for one in found}

    def assignments(self) -> Iterator[Assignment]:
        """Every assignment and entitlement that says whom it lets into which account."""
        for resource in self.snapshot.of_type(ASSIGNMENT):
            if resource.get("targetType") not in (None, UNKNOWN, "AWS_ACCOUNT"):
                continue
            if ("", "identity-center", resource.text("principalId") or "") in self.principals.gone:
                continue
            account = self._account(resource)
            source = self._source(resource, resource.get("principalType"), "principalId", resource.get("principalId"))
            if account is None or source is None:
                self._unclear(resource, "the account" if account is None else "the user or group")
                continue
            permission_set = self._set(resource)
            role = self._role(permission_set, account, resource)
            yield Assignment(source, role, permission_set, resource, self._members.get(source.arn, ()))
        for resource in self.snapshot.of_type(ENTITLEMENT):
            yield from self._entitlement(resource)

    def read_policies_of_nobody(self) -> None:
        """Inline policies of permission sets that nobody is assigned yet, as managed policies that nobody holds."""
        for resource in self.snapshot.of_type(INLINE_POLICY):
            if self._set_key(resource) not in self._sets:
                self.principals.add_managed(resource, self._inline(resource, resource.name))

    def given(self) -> Iterator[tuple[str, str]]:
        """The managed policies that a permission set holds by their name and path, in whatever account it is assigned.

        https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_CustomerManagedPolicyReference.html
        """
        attached = self.snapshot.of_type(_CUSTOMER, _CUSTOMER_EXCLUSIVE)
        by = {place: one.urn for one in attached for place in map(_name_and_path, _references(one))}
        for document in self.principals.managed_policies:
            arn = Arn.parse(document.arn or "")
            if document.urn is not None and arn is not None and (urn := by.get((arn.name, arn.path))):
                yield document.urn, urn

    def _entitlement(self, resource: Resource) -> Iterator[Assignment]:
        """The role itself trusts account-access.amazonaws.com, and an entitlement says who of Identity Center gets it.

        https://www.pulumi.com/registry/packages/aws/api-docs/accountaccess/entitlement/
        """
        said = _inner(resource.get("entitlement"), "principalRole")
        whom = _inner(_inner(said, "principal"), "identityCenter")
        kind = "GROUP" if whom.get("groupId") else "USER"
        source = self._source(resource, kind, "entitlement", whom.get("groupId") or whom.get("userId"))
        arn = Arn.parse(str(said.get("roleArn")))
        behind = self.snapshot.behind(resource, "entitlement", ROLE)
        role = self.principals.by_urn.get(behind.urn) if behind else None
        if role is None and arn is not None and arn.kind == "role":
            role = self.principals.mentioned(self.accounts.canonical(arn.account), "role", arn.name, str(arn))
        if source is None or role is None:
            self._unclear(resource, "the role" if role is None else "the user or group")
            return
        if role.trust is None:
            what = f"Whether {source.arn} can sign in to role {role.name} in account {self.accounts.name(role.account)}"
            why, door = "its trust policy is made outside this stack", DoorName(source.arn, role.arn)
            self.not_proved.append(NotProved(what, why, _SHOW_ROLE, door, resource.urn, resource.source))
        yield Assignment(source, role, None, resource, self._members.get(source.arn, ()))

    def _account(self, resource: Resource) -> str | None:
        target = resource.text("targetId")
        if target is not None:
            account = self.accounts.canonical(target)
            return account if is_account(account) or not self.accounts.pinned(account) else None
        behind = self.snapshot.behind(resource, "targetId", ACCOUNT)
        return self.accounts.named_by(behind) if behind else None

    def _source(self, resource: Resource, kind: object, key: str, identity: object) -> Principal | None:
        """The user or group of an id, which belongs to no account; its name where the identity store tells it."""
        types = {"USER": STORE_USER, "GROUP": STORE_GROUP}
        if not isinstance(kind, str) or kind not in types:
            return None
        name = self._named(resource, key, types[kind], identity)
        if name and (kind, name) not in self._sources:
            of: Literal["identity-center-user", "identity-center-group"]
            of = "identity-center-user" if kind == "USER" else "identity-center-group"
            self._sources[kind, name] = Principal(f"identity-center:{kind.lower()}/{name}", of, "", name)
        return self._sources[kind, name] if name else None

    def _read_people(self) -> Mapping[str, str]:
        """Names of users and groups by their ids in the identity store."""
        found: dict[str, str] = {}
        for resource in self.snapshot.of_type(STORE_GROUP, STORE_USER):
            key = "groupId" if resource.type == STORE_GROUP else "userId"
            for identity in filter(None, (resource.text(key), resource.text("id"))):
                found[identity.rpartition("/")[2]] = _name_of(resource)
        return found

    def _read_members(self) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, list[str]] = defaultdict(list)
        for resource in self.snapshot.of_type(MEMBERSHIP):
            ends = (("groupId", STORE_GROUP), ("memberId", STORE_USER))
            group, user = (self._named(resource, key, type_, resource.text(key)) for key, type_ in ends)
            if group and user:
                found[f"identity-center:group/{group}"].append(user)
        return {group: tuple(dict.fromkeys(users)) for group, users in found.items()}

    def _named(self, resource: Resource, key: str, type_: str, identity: object) -> str | None:
        """The name of a user or group by its id, which stands for it where the identity store does not tell."""
        if isinstance(identity, str):
            return self._people.get(identity, identity)
        behind = self.snapshot.behind(resource, key, type_)
        return _name_of(behind) if behind else None

    def _set_key(self, resource: Resource) -> str:
        """What a permission set is known by: its resource, else its ARN."""
        behind = self.snapshot.behind(resource, "permissionSetArn", PERMISSION_SET)
        if behind is not None:
            return behind.urn
        arn = resource.text("permissionSetArn")
        return self._by_arn.get(arn, arn) if arn else resource.urn

    def _read_sets(self) -> Mapping[str, str]:
        """The URNs of permission sets by their ARNs."""
        arns: dict[str, str] = {}
        for one in self.snapshot.of_type(PERMISSION_SET):
            for arn in (one.text("arn"), one.text("id")):
                if arn:
                    arns[arn] = one.urn
        return arns

    def _set(self, assignment: Resource) -> PermissionSet:
        key = self._set_key(assignment)
        if key not in self._sets:
            resource = self.snapshot.by_urn.get(key)
            if resource is None or resource.type != PERMISSION_SET:
                name = key.rpartition("/")[2] if key != assignment.urn else "that is not known yet"
                self._sets[key] = PermissionSet(name, _HOUR)
            else:
                seconds = _seconds(str(resource.get("sessionDuration")))
                self._sets[key] = PermissionSet(resource.text("name") or resource.name, seconds, resource)
        return self._sets[key]

    def _role(self, permission_set: PermissionSet, account: str, assignment: Resource) -> Identity:
        """AWS's own role of a permission set in an account, made once."""
        place = (account, permission_set)
        if place not in self._roles:
            role = self._roles[place] = self._make_role(permission_set, account, assignment)
            role.max_session_seconds = permission_set.session_seconds
            if permission_set.resource is None:
                self._not_shown(permission_set, role, assignment)
            if role.urn is None:
                self._add_policies(self._of_set[self._set_key(assignment)], permission_set.name, role)
        return self._roles[place]

    def _make_role(self, permission_set: PermissionSet, account: str, assignment: Resource) -> Identity:
        known = self._known.get((account, permission_set.name))
        if known is not None and known["role"]:
            return self.principals.mentioned(account, "role", known["name"], known.group())
        there = self._read_live(permission_set.name, account)
        if there is not None:
            return there
        provider = self.snapshot.by_urn.get(assignment.provider or "")
        made = permission_set.resource.text("region") if permission_set.resource else None
        region = assignment.text("region") or made or (provider.text("region") if provider else None)
        region = region or next(iter(self._regions), None)  # the environment's is in trust policies only
        # https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html: none in us-east-1
        path = f"/{RESERVED_PATH}" + ("" if region in (None, "us-east-1") else f"{region}/")
        name = known["name"] if known else f"{RESERVED_ROLE}{permission_set.name}_{SUFFIX_TO_COME}"
        return self.principals.mentioned(account, "role", name, path=path)

    def _read_live(self, name: str, account: str) -> Identity | None:
        """The role itself, where IAM was read."""
        there = (one for one in self.principals if one.urn and one.kind == "role" and one.account == account)
        return next((one for one in there if permission_set_of(one.arn) == name), None)

    def _not_shown(self, permission_set: PermissionSet, role: Identity, assignment: Resource) -> None:
        title = f"permission set {permission_set.name}"
        why = "it is made outside this stack"
        role.documents.append(Document(UNKNOWN, title, problem=why))
        what = f"What {title} lets its people do in account {self.accounts.name(role.account)}"
        door = DoorName(assignment.urn, role.arn)
        at = assignment.urn, assignment.source
        self.not_proved.append(
            NotProved(what, why, _SHOW_SET, door, *at, advice=self._is_ours(role.account, assignment))
        )

    def _is_ours(self, account: str, assignment: Resource) -> bool:
        """Whether the account of an assignment is shown to be ours, or nothing but AWS's own rule says whose it is.

        AWS assigns in accounts of the instance's own organization only. In a stack that shows others of them, one that
        it does not show may be a mistake.
        https://docs.aws.amazon.com/singlesignon/latest/userguide/identity-center-instances.html
        """
        shown = self.accounts.held | self.accounts.all_members
        return self.accounts.is_ours(account) or shown == {self.accounts.of(assignment)}

    def _add_policies(self, attached: Sequence[Resource], name: str, role: Identity) -> None:
        given: dict[str, list[Document]] = {}
        for resource in attached:
            if resource.type == INLINE_POLICY:
                role.documents.append(self._inline(resource, name))
            elif resource.type == _BOUNDARY:
                said = mapping(resource.get("permissionsBoundary"))
                arn, own = said.get("managedPolicyArn"), said.get("customerManagedPolicyReference")
                role.boundary = self._customers(resource, own, role) if own else self._managed(resource, arn)
            else:
                given.setdefault(resource.type, []).extend(self._attached(resource, role))
        role.documents += [document for documents in given.values() for document in documents]
        for each, whole in ((_MANAGED, _MANAGED_EXCLUSIVE), (_CUSTOMER, _CUSTOMER_EXCLUSIVE)):
            if whole in given:
                others = [one for one in given.get(each, ()) if one not in given[whole]]
                remove(self.principals, role, others, f"{whole.rpartition(':')[2]} lists all of them")

    def _attached(self, resource: Resource, role: Identity) -> list[Document]:
        if resource.type in (_MANAGED, _MANAGED_EXCLUSIVE):
            key = "managedPolicyArn" + ("s" if resource.type == _MANAGED_EXCLUSIVE else "")
            return [self._managed(resource, arn) for arn in items(resource.get(key))]
        return [self._customers(resource, one, role) for one in _references(resource)]

    def _inline(self, resource: Resource, name: str) -> Document:
        return self.documents.of(
            resource, "inlinePolicy", PolicyKind.IDENTITY, f"inline policy of permission set {name}"
        )

    def _managed(self, resource: Resource, arn: object) -> Document:
        if isinstance(arn, str):
            return self.principals.managed_document(arn)
        title, why = f"a policy that {resource.name} attaches", "its ARN is not known yet"
        return Document(UNKNOWN, title, resource.urn, resource.source, problem=why)

    def _customers(self, resource: Resource, reference: object, role: Identity) -> Document:
        """A policy of the customer's own, which has to be in the role's account under this name and path."""
        place = _name_and_path(reference)
        if place is None:
            return self._managed(resource, None)
        arn = Arn.iam("policy", role.account, *place, self.accounts.partition(role.account))
        return self.principals.managed_document(str(arn))

    def _unclear(self, resource: Resource, which: str) -> None:
        what = f"Whom {resource.label} lets into which account"
        why = f"{which} that it names is not known yet"
        door = DoorName(resource.urn, "*")
        self.not_proved.append(NotProved(what, why, _NAME_IT, door, resource.urn, resource.source))


def _references(resource: Resource) -> list[object]:
    key = "customerManagedPolicyReference" + ("s" if resource.type == _CUSTOMER_EXCLUSIVE else "")
    return items(resource.get(key))


def _name_and_path(reference: object) -> tuple[str, str] | None:
    """The name and the path of a policy of the customer's own, if they are known."""
    name, path = mapping(reference).get("name"), mapping(reference).get("path") or "/"
    return (name, path) if isinstance(name, str) and isinstance(path, str) else None


def _name_of(resource: Resource) -> str:
    return resource.text("displayName" if resource.type == STORE_GROUP else "userName") or resource.name


def _seconds(duration: str) -> int:
    """ISO 8601, as a permission set has it; an hour where it says nothing.

    https://docs.aws.amazon.com/singlesignon/latest/userguide/howtosessionduration.html
    """
    found = _DURATION.fullmatch(duration)
    if found is None:
        return _HOUR
    hours, minutes, seconds = (int(one or 0) for one in found.groups())
    return hours * 3600 + minutes * 60 + seconds


def _inner(value: object, key: str) -> Mapping[str, object]:
    return mapping(mapping(value).get(key))
