"""AWS's own resource types (`AWS::IAM::Role`) as the resources of pulumi-aws that the graph reads.

Templates, Cloud Control and aws-native share these types and their properties; only the case of names differs, so they
are compared without it.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_IAM.html, and AWS_SSO.html,
AWS_IdentityStore.html and AWS_Organizations.html beside it
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from twokeys.access.reading.snapshot import Resource, items
from twokeys.access.reading.templates import Reference
from twokeys.access.reading.type_names import CONTROL_POLICY
from twokeys.iam import UNKNOWN
from twokeys.iam.leaves import leaves, mapped


@dataclass(frozen=True)
class Native:
    """One resource of an AWS type: its properties under lower-case names, and the resource that makes it.

    `urns` gives the URN of each resource of the same template by its logical id.
    """

    type: str
    properties: Mapping[str, object]
    base: Resource
    urns: Mapping[str, str] = field(default_factory=dict)

    def get(self, name: str) -> object:
        """A property; None where it is absent."""
        return self.properties.get(name.lower())

    def items(self, name: str) -> list[object]:
        """A property that is a list; one that is not known is a list with one item that is not known."""
        return items(self.get(name))


def as_pulumi(native: Native) -> list[Resource] | None:
    """The resources of pulumi-aws that say the same; None for a type that is not read here."""
    reader = _READERS.get(native.type)
    return None if reader is None else list(reader(native))


def lowered(properties: Mapping[str, object]) -> dict[str, object]:
    """Properties under lower-case names; what is in them keeps its case."""
    return {key.lower(): value for key, value in properties.items()}


def _made(native: Native, type_: str, inputs: Mapping[str, object], part: str = "") -> Resource:
    """A resource of pulumi-aws; `part` marks one that the AWS type holds beside itself."""
    base = native.base
    values = {key: value for key, value in inputs.items() if value is not None}
    known = {key: mapped(_settled, value) for key, value in values.items()}
    behind = {key: urns for key, value in values.items() if (urns := _behind(native, key, value))}
    return Resource(
        urn=f"{base.urn}#{part}" if part else base.urn,
        type=type_,
        name=f"{base.name}-{part}" if part else base.name,
        inputs=known,
        outputs={**known, **({} if part else _outputs(native))},
        provider=base.provider,
        parent=base.parent,
        dependencies=base.dependencies,
        property_dependencies=behind,
        protect=base.protect,
        source=base.source,
        since=base.since,
        secrets=frozenset(values) if base.secrets else frozenset(),
        account=base.account,
        autoname=base.autoname,
        made_by=base.made_by or (base.urn if part else None),
    )


_ARN = {"iam::managedpolicy": "PolicyArn", "ssoadmin::permissionset": "PermissionSetArn"}


def _outputs(native: Native) -> dict[str, object]:
    """What AWS gives a resource: its ARN, and an account its id."""
    given = {"arn": native.get(_ARN.get(native.type, "Arn")), "id": native.get("AccountId")}
    return {key: value for key, value in given.items() if isinstance(value, str)}


def _settled(value: object) -> object:
    return UNKNOWN if isinstance(value, Reference) else value


def _behind(native: Native, key: str, value: object) -> tuple[str, ...] | None:
    """The URNs that a property is made from: of references in it, else as the engine tells them."""
    references = (one.logical_id for one in leaves(value) if isinstance(one, Reference))
    named = tuple(native.urns[one] for one in references if one in native.urns)
    return named or (native.base.property_dependencies.get(key) if value is UNKNOWN else None)


def _principal(native: Native, kind: str, type_: str, **inputs: object) -> Iterator[Resource]:
    """A role, user or group with the policies that its type can hold itself."""
    name = native.get(f"{kind}Name")
    made = _made(native, type_, {"name": name, "path": native.get("Path"), **inputs})
    yield made
    whose = name if isinstance(name, str) else UNKNOWN
    urns = {kind: (made.urn,)}
    pascal = kind.capitalize()
    for index, item in enumerate(native.items("Policies")):
        policy = lowered(item) if isinstance(item, Mapping) else {"policyname": UNKNOWN}
        values = {kind: whose, "name": policy.get("policyname"), "policy": policy.get("policydocument", UNKNOWN)}
        yield _with(_made(native, f"aws:iam/{kind}Policy:{pascal}Policy", values, f"policy-{index}"), urns)
    type_of_attachment = f"aws:iam/{kind}PolicyAttachment:{pascal}PolicyAttachment"
    for index, arn in enumerate(native.items("ManagedPolicyArns")):
        attached = _made(native, type_of_attachment, {kind: whose, "policyArn": arn}, f"attachment-{index}")
        behind = native.base.property_dependencies.get("managedPolicyArns") if arn is UNKNOWN else None
        yield _with(attached, urns | ({"policyArn": behind} if behind else {}))


def _with(resource: Resource, urns: Mapping[str, tuple[str, ...]]) -> Resource:
    return replace(resource, property_dependencies={**resource.property_dependencies, **urns})


def _role(native: Native) -> Iterator[Resource]:
    yield from _principal(
        native,
        "role",
        "aws:iam/role:Role",
        assumeRolePolicy=native.get("AssumeRolePolicyDocument"),
        permissionsBoundary=native.get("PermissionsBoundary"),
        maxSessionDuration=native.get("MaxSessionDuration"),
        uniqueId=native.get("RoleId"),
        tags=native.get("Tags"),
    )


def _user(native: Native) -> Iterator[Resource]:
    boundary = native.get("PermissionsBoundary")
    yield from _principal(native, "user", "aws:iam/user:User", permissionsBoundary=boundary, tags=native.get("Tags"))
    name = native.get("UserName")
    if groups := native.items("Groups"):
        type_ = "aws:iam/userGroupMembership:UserGroupMembership"
        values = {"user": name if isinstance(name, str) else UNKNOWN, "groups": groups}
        yield _with(_made(native, type_, values, "groups"), {"user": (native.base.urn,)})
    if native.get("LoginProfile") is not None:
        type_ = "aws:iam/userLoginProfile:UserLoginProfile"
        yield _with(_made(native, type_, {"user": name}, "login"), {"user": (native.base.urn,)})


def _managed_policy(native: Native) -> Iterator[Resource]:
    """The policy itself, and its attachments to whom it names."""
    values = {"name": native.get("ManagedPolicyName"), "path": native.get("Path")}
    made = _made(native, "aws:iam/policy:Policy", {**values, "policy": native.get("PolicyDocument")})
    yield made
    for kind, holder, behind, part in _holders(native):
        type_ = f"aws:iam/{kind}PolicyAttachment:{kind.capitalize()}PolicyAttachment"
        attached = _made(native, type_, {kind: holder, "policyArn": UNKNOWN}, part)
        yield _with(attached, {**behind, "policyArn": (made.urn,)})


def _inline_policy(native: Native) -> Iterator[Resource]:
    """`AWS::IAM::Policy` is an inline policy of all whom it names."""
    for kind, holder, behind, part in _holders(native):
        values = {kind: holder, "name": native.get("PolicyName"), "policy": native.get("PolicyDocument")}
        yield _with(_made(native, f"aws:iam/{kind}Policy:{kind.capitalize()}Policy", values, part), behind)


def _holders(native: Native) -> Iterator[tuple[str, object, dict[str, tuple[str, ...]], str]]:
    """Whom a policy names as its roles, users and groups: kind, name, the URNs it is made from, a part's name.

    Of names that are not known, each resource that the list is made from is one.
    """
    for kind in ("role", "user", "group"):
        names = native.items(f"{kind}s")
        behind = native.base.property_dependencies.get(f"{kind}s", ())
        for index, name in enumerate(names):
            if name is not UNKNOWN or not behind:
                yield kind, name, {}, f"{kind}-{index}"
        if UNKNOWN in names:
            for index, urn in enumerate(behind):
                yield kind, UNKNOWN, {kind: (urn,)}, f"{kind}-of-{index}"


def _own_policy(kind: str, native: Native) -> Iterator[Resource]:
    """An inline policy of the one role, user or group that it names."""
    holder = native.get(f"{kind}Name")
    values = {kind: holder, "name": native.get("PolicyName"), "policy": native.get("PolicyDocument") or UNKNOWN}
    behind = native.base.property_dependencies.get(f"{kind}Name")
    made = _made(native, f"aws:iam/{kind}Policy:{kind.capitalize()}Policy", values)
    yield _with(made, {kind: behind} if behind and holder is UNKNOWN else {})


def _renamed(type_: str, names: Mapping[str, str], native: Native) -> Iterator[Resource]:
    """A type that says the same as one of pulumi-aws, with other names for its properties."""
    yield _made(native, type_, {ours: native.get(theirs) for ours, theirs in names.items()})


def _one(type_: str, **names: str) -> Callable[[Native], Iterator[Resource]]:
    return partial(_renamed, type_, names)


def _permission_set(native: Native) -> Iterator[Resource]:
    values = {key: native.get(key) for key in ("name", "instanceArn", "sessionDuration")}
    made = _made(native, "aws:ssoadmin/permissionSet:PermissionSet", values)
    yield made
    of_set = {"permissionSetArn": (made.urn,)}
    shared = {"instanceArn": native.get("InstanceArn"), "permissionSetArn": native.get("PermissionSetArn") or UNKNOWN}
    parts: list[tuple[str, dict[str, object]]] = [
        ("aws:ssoadmin/managedPolicyAttachment:ManagedPolicyAttachment", {"managedPolicyArn": one})
        for one in native.items("ManagedPolicies")
    ]
    if (inline := native.get("InlinePolicy")) not in (None, ""):
        parts.append(("aws:ssoadmin/permissionSetInlinePolicy:PermissionSetInlinePolicy", {"inlinePolicy": inline}))
    parts += [
        (
            "aws:ssoadmin/customerManagedPolicyAttachment:CustomerManagedPolicyAttachment",
            {"customerManagedPolicyReference": _camel(one)},
        )
        for one in native.items("CustomerManagedPolicyReferences")
    ]
    if (boundary := native.get("PermissionsBoundary")) is not None:
        values = {"permissionsBoundary": _camel(boundary)}
        parts.append(("aws:ssoadmin/permissionsBoundaryAttachment:PermissionsBoundaryAttachment", values))
    for index, (type_, part) in enumerate(parts):
        yield _with(_made(native, type_, {**shared, **part}, f"part-{index}"), of_set)


def _camel(value: object) -> object:
    if isinstance(value, Mapping):
        return {key[:1].lower() + key[1:]: _camel(item) for key, item in value.items()}
    return value


def _control_policy(native: Native) -> Iterator[Resource]:
    values = {"name": native.get("Name"), "type": native.get("Type"), "content": native.get("Content")}
    made = _made(native, CONTROL_POLICY, values)
    yield made
    for index, target in enumerate(native.items("TargetIds")):
        values = {"policyId": UNKNOWN, "targetId": target}
        attached = _made(native, "aws:organizations/policyAttachment:PolicyAttachment", values, f"target-{index}")
        yield _with(attached, {"policyId": (made.urn,)})


def _account(native: Native) -> Iterator[Resource]:
    parents = native.items("ParentIds")
    values = {
        "name": native.get("AccountName"),
        "email": native.get("Email"),
        "roleName": native.get("RoleName"),
        "parentId": parents[0] if parents else None,
        "tags": _tags(native.items("Tags")),
    }
    yield _made(native, "aws:organizations/account:Account", values)


def _tags(items: Iterable[object]) -> dict[str, object]:
    pairs = [lowered(item) for item in items if isinstance(item, Mapping)]
    return {str(pair.get("key")): pair.get("value") for pair in pairs}


_READERS: Mapping[str, Callable[[Native], Iterable[Resource]]] = {
    "iam::role": _role,
    "iam::user": _user,
    "iam::group": partial(_principal, kind="group", type_="aws:iam/group:Group"),
    "iam::managedpolicy": _managed_policy,
    "iam::policy": _inline_policy,
    "iam::rolepolicy": partial(_own_policy, "role"),
    "iam::userpolicy": partial(_own_policy, "user"),
    "iam::grouppolicy": partial(_own_policy, "group"),
    "iam::usertogroupaddition": _one("aws:iam/groupMembership:GroupMembership", group="GroupName", users="Users"),
    "iam::accesskey": _one("aws:iam/accessKey:AccessKey", user="UserName"),
    "iam::oidcprovider": _one(
        "aws:iam/openIdConnectProvider:OpenIdConnectProvider",
        url="Url",
        clientIdLists="ClientIdList",
        thumbprintLists="ThumbprintList",
    ),
    "iam::samlprovider": _one(
        "aws:iam/samlProvider:SamlProvider", name="Name", samlMetadataDocument="SamlMetadataDocument"
    ),
    "ssoadmin::permissionset": _permission_set,
    "ssoadmin::assignment": _one(
        "aws:ssoadmin/accountAssignment:AccountAssignment",
        instanceArn="InstanceArn",
        permissionSetArn="PermissionSetArn",
        principalId="PrincipalId",
        principalType="PrincipalType",
        targetId="TargetId",
        targetType="TargetType",
    ),
    "identitystore::group": _one(
        "aws:identitystore/group:Group", displayName="DisplayName", identityStoreId="IdentityStoreId", groupId="GroupId"
    ),
    "organizations::account": _account,
    "organizations::organization": _one("aws:organizations/organization:Organization", id="Id"),
    "organizations::organizationalunit": _one(
        "aws:organizations/organizationalUnit:OrganizationalUnit", name="Name", parentId="ParentId", id="Id"
    ),
    "organizations::policy": _control_policy,
}
