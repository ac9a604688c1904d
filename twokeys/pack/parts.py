"""What one resource says of principals: of whom, and whom else its documents name."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

from twokeys import doors
from twokeys.access.model.accounts import Accounts
from twokeys.access.model.documents import parsed
from twokeys.access.model.door_name import stand_in
from twokeys.access.model.names import admits_everyone, granted_resources, trusted_names
from twokeys.access.model.principals import ABOUT_PRINCIPALS, ATTACHMENT_TO_MANY, KINDS
from twokeys.access.reading.snapshot import Resource
from twokeys.access.reading.type_names import MANAGED_POLICY, ROLE
from twokeys.access.root_sessions import covers_root
from twokeys.iam import UNKNOWN, Arn, PolicyDocument, PolicyKind, Statement, account_as_a_whole, aws_managed
from twokeys.iam.sts import ASSUME_ROLE, PASSED
from twokeys.iam.truth import Truth
from twokeys.pack.relevance import GIVING

Node: TypeAlias = tuple[str, str, str]
"""A principal: its account, what it is, and its name without the path, in lower case: IAM takes it in any."""
Index: TypeAlias = Literal[
    "account", "attaches", "grants", "limits", "lists all", "named", "node", "opens", "parts of", "policy",
    "policy named", "root", "trusts", "unpinned", "unsettled", "wide", "within",
]  # fmt: skip
Key: TypeAlias = tuple[Index, *tuple[str, ...]]
"""What a part is looked up by, in which sense."""
EVERYWHERE: Final = "*"
_HOLDERS: Final = {f"{kind}{suffix}": kind for kind in KINDS.values() for suffix in ("", "s", "Name")}
"""The properties by which a resource of IAM names principals, and what those are."""
_ADDING: Final = GIVING - {ROLE}


@dataclass(slots=True)
class Part:
    """What is read of one resource, and the keys by which it is found."""

    account: str = ""
    nodes: list[Node] = field(default_factory=list)
    is_policy: set[str] = field(default_factory=set)
    """What the managed policy that it is is known by: URN, ARN."""
    policies: list[str] = field(default_factory=list)
    """The managed policies that it attaches, by ARN or URN."""
    limits: list[str] = field(default_factory=list)
    """The managed policies that are permissions boundaries of it."""
    roles: list[Node] = field(default_factory=list)
    trusts: list[Node] = field(default_factory=list)
    opens: list[str] = field(default_factory=list)
    """The accounts that it trusts as a whole."""
    wide: bool = False
    """Whether it may grant roles that it does not name."""
    adds: bool = False
    """Whether it only gives grants to those that it is about: then it changes no door that it does not name."""
    keys: set[Key] = field(default_factory=set)


@dataclass(slots=True)
class PartReader:
    """Reads the part of one resource.

    `made` finds a resource by its URN, `by` is the index of the parts that are read already.
    """

    _resource: Resource
    _accounts: Accounts
    _made: Callable[[str], Resource | None]
    _by: Mapping[Key, Mapping[str, None]]
    part: Part = field(default_factory=Part)

    def read(self) -> Part:
        """What the resource says."""
        resource, part = self._resource, self.part
        if resource.type not in ABOUT_PRINCIPALS:
            self._read_other()
            return part
        part.account = self._accounts.of(resource)
        if resource.type in KINDS:
            self._read_principal(KINDS[resource.type])
        elif resource.type == MANAGED_POLICY:
            self._read_managed_policy()
        else:
            self._read_holders()
        part.adds = resource.type in _ADDING
        self._read_documents()
        self._index()
        return part

    def _read_principal(self, kind: str) -> None:
        resource, part = self._resource, self.part
        name = resource.text("name")
        part.nodes.append((part.account, kind, _name_of(resource)))
        if name is None or resource.get("path") is UNKNOWN:
            part.keys.add(("unsettled", kind, part.account))
        if not self._accounts.pinned(part.account):
            part.keys.add(("unpinned", kind, part.nodes[0][2]))
        part.limits += self._arns("permissionsBoundary")

    def _read_managed_policy(self) -> None:
        resource, part = self._resource, self.part
        name, path = resource.text("name"), resource.text("path") or "/"
        arn = resource.text("arn")
        if arn is None and name is not None:
            arn = str(Arn.iam("policy", part.account, name, path, self._accounts.partition_of(resource)))
        part.is_policy = {resource.urn, *([arn] if arn else [])}
        part.keys.add(("policy named", name or ""))

    def _read_holders(self) -> None:
        for key, kind in _HOLDERS.items():
            for item in _items(self._resource.get(key)):
                if isinstance(item, str):
                    self.part.nodes.append((self.part.account, kind, item.lower()))
                else:
                    self.part.nodes += self._made_from(key, kind)

    def _made_from(self, key: str, kind: str) -> Iterator[Node]:
        for urn in self._resource.property_dependencies.get(key, ()):
            behind = self._made(urn)
            if behind is not None and KINDS.get(behind.type) == kind:
                yield (self._accounts.of(behind), kind, _name_of(behind))

    def _arns(self, key: str) -> list[str]:
        found = [item for item in _items(self._resource.get(key)) if isinstance(item, str) and item]
        return [*found, *self._resource.property_dependencies.get(key, ())]

    def _read_documents(self) -> None:
        resource, part = self._resource, self.part
        if resource.type == ROLE:
            self._read_trust(resource.get("assumeRolePolicy"))
            for item in _items(resource.get("inlinePolicies")):
                self._read_grants(item.get("policy") if isinstance(item, Mapping) else item)
        if "policy" in (resource.inputs or resource.outputs):
            self._read_grants(resource.get("policy"))
        for key in ("policyArn", "policyArns", "managedPolicyArns"):
            arns = self._arns(key)
            part.policies += arns
            for arn in arns:
                self._read_made_elsewhere(arn)

    def _read_made_elsewhere(self, arn: str) -> None:
        """AWS's own policies are recorded; what one of the stack says, that one tells; any other may say everything."""
        if self._by.get(("policy", arn)) or self._made(arn):
            return
        self._read_policy(aws_managed.document(arn))

    def _read_grants(self, value: object) -> None:
        if value is not None:
            self._read_policy(_policy(value, PolicyKind.IDENTITY))

    def _read_policy(self, policy: PolicyDocument | None) -> None:
        if policy is None:
            self.part.wide, self.part.adds = True, False
            return
        self.part.adds = self.part.adds and all(map(_only_adds, policy.statements))
        for resource in granted_resources(policy, self._accounts.partition(self.part.account)):
            arn = Arn.parse(resource)
            if arn is not None and not any(sign in resource for sign in ("*", "?", "${")):
                self.part.roles += self._node(arn)
            else:
                self.part.wide = True
                if arn is not None:
                    self.part.keys.add(("account", self._accounts.canonical(arn.account)))
        if any(covers_root(statement, named=True) for statement in policy.statements):
            self.part.keys.add(("root",))

    def _read_trust(self, value: object) -> None:
        policy = _policy(value, PolicyKind.TRUST)
        if policy is None:
            return
        for name in trusted_names(policy):
            account = account_as_a_whole(name)
            arn = Arn.parse(name)
            if account is not None:
                self.part.opens.append(self._accounts.canonical(account))
            elif arn is not None:
                self.part.trusts += self._node(arn)
            else:
                self.part.opens.append(EVERYWHERE)
        if admits_everyone(policy):
            self.part.keys |= {("within",), ("within", self.part.account)}

    def _node(self, arn: Arn) -> Iterator[Node]:
        if arn.kind in ("role", "user", "assumed-role"):
            kind = "user" if arn.kind == "user" else "role"
            yield (self._accounts.canonical(arn.account), kind, arn.name.lower())

    def _read_other(self) -> None:
        """A component declares who is in a group of another stack."""
        resource, part = self._resource, self.part
        if isinstance(listed := (resource.inputs or resource.outputs).get(doors.PROPERTY), list):
            for item in listed:
                said = item.get("document") if isinstance(item, Mapping) else None
                if isinstance(said, Mapping) and item.get("property") == "assumeRolePolicy":
                    self._read_trust(said)
            part.nodes, part.trusts, part.opens = [node for node in part.trusts if node[1] == "user"], [], []
        part.nodes += self._declared_groups()
        part.keys = {("node", *node) for node in part.nodes}

    def _declared_groups(self) -> Iterator[Node]:
        door = (self._resource.inputs or self._resource.outputs).get("door")
        source = door.get("source") if isinstance(door, Mapping) else None
        if isinstance(source, Mapping) and source.get("kind") == "group":
            for name in _items(source.get("names")):
                yield (
                    self._accounts.canonical(str(source.get("account"))),
                    "group",
                    str(name).rpartition("/")[2].lower(),
                )

    def _index(self) -> None:
        part = self.part
        part.keys |= {("node", *node) for node in part.nodes}
        part.keys |= {("policy", arn) for arn in part.is_policy}
        part.keys |= {("attaches", arn) for arn in part.policies}
        part.keys |= {("limits", arn) for arn in part.limits}
        part.keys |= {("lists all", arn) for arn in part.policies if self._resource.type == ATTACHMENT_TO_MANY}
        part.keys |= {("grants", *node) for node in part.roles}
        part.keys |= {("trusts", *node) for node in part.trusts}
        part.keys |= {("named", kind, name) for _, kind, name in (*part.roles, *part.trusts)}
        part.keys |= {("opens", account) for account in part.opens}
        part.keys |= {("account", node[0]) for node in (*part.nodes, *part.roles, *part.trusts)}
        part.keys |= {("account", account) for account in part.opens}
        part.keys |= {("wide", part.account), ("wide", EVERYWHERE)} if part.wide else set()


def _only_adds(statement: Statement) -> bool:
    """Whether a statement changes no door but to the roles that it grants: to pass session tags, say, is no grant."""
    passes = any(statement.covers_action(action) is not Truth.FALSE for action in PASSED)
    return statement.effect == "Allow" and not (passes and statement.covers_action(ASSUME_ROLE) is Truth.FALSE)


def _name_of(resource: Resource) -> str:
    return (resource.text("name") or stand_in(resource)).lower()


def _policy(value: object, kind: PolicyKind) -> PolicyDocument | None:
    found = parsed(value, kind) if isinstance(value, str | Mapping) else None
    return found if isinstance(found, PolicyDocument) else None


def _items(value: object) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None or value == "" else [value]
