"""AWS's own resource types (`AWS::IAM::Role`) as the resources of pulumi-aws that the graph reads.

Templates, Cloud Control and aws-native share these types and their properties; only the case of names differs, so they
are compared without it.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_IAM.html, and AWS_SSO.html,
AWS_IdentityStore.html and AWS_Organizations.html beside it
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType

from twokeys.access.reading.snapshot import Resource, items
from twokeys.access.reading.templates import Reference
from twokeys.access.reading.type_names import ACCOUNT, CONTROL_POLICY
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


def _made(
    native: Native,
    type_: str,
    inputs: Mapping[str, object],
    part: str = "",
    behind: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
) -> Resource:
    """A resource of pulumi-aws; `part` marks one that the AWS type holds beside itself, made from what is `behind`."""
    base = native.base
    values = {key: value for key, value in inputs.items() if value is not None}
    known = {key: mapped(_settled, value) for key, value in values.items()}
    made_from = {key: urns for key, value in values.items() if (urns := _behind(native, key, value))}
    return Resource(
        urn=f"{base.urn}#{part}" if part else base.urn,
        type=type_,
        name=f"{base.name}-{part}" if part else base.name,
        inputs=known,
        outputs={**known, **({} if part else _outputs(native))},
        provider=base.provider,
        parent=base.parent,
        dependencies=base.dependencies,
        property_dependencies={**made_from, **behind},
        protect=base.protect,
        source=base.source,
        since=base.since,
        secrets=frozenset(values) if base.secrets else frozenset(),
        account=base.account,
        autoname=base.autoname,
        made_by=base.made_by or (base.urn if part else None),
    )


def _type(of: str) -> str:
    """A type of pulumi-aws by its module and name: `iam/role`."""
    name = of.rpartition("/")[2]
    return f"aws:{of}:{name[0].upper()}{name[1:]}"


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


def _principal(kind: str, native: Native) -> Iterator[Resource]:
    """A role, user or group with all that its type can hold itself."""
    name = native.get(f"{kind}Name")
    values = {ours: native.get(theirs) for ours, theirs in _OF_PRINCIPALS.items()}
    made = _made(native, _type(f"iam/{kind}"), {"name": name, **values})
    yield made
    whose, behind = {kind: name if isinstance(name, str) else UNKNOWN}, {kind: (made.urn,)}
    for index, item in enumerate(native.items("Policies")):
        policy = lowered(item) if isinstance(item, Mapping) else {"policyname": UNKNOWN}
        values = {"name": policy.get("policyname"), "policy": policy.get("policydocument", UNKNOWN)}
        yield _made(native, _type(f"iam/{kind}Policy"), whose | values, f"policy-{index}", behind)
    for index, arn in enumerate(native.items("ManagedPolicyArns")):
        of_arn = native.base.property_dependencies.get("managedPolicyArns") if arn is UNKNOWN else None
        made_from = behind | ({"policyArn": of_arn} if of_arn else {})
        type_ = _type(f"iam/{kind}PolicyAttachment")
        yield _made(native, type_, whose | {"policyArn": arn}, f"attachment-{index}", made_from)
    if groups := native.items("Groups"):
        yield _made(native, _type("iam/userGroupMembership"), whose | {"groups": groups}, "groups", behind)
    if native.get("LoginProfile") is not None:
        yield _made(native, _type("iam/userLoginProfile"), whose, "login", behind)


_OF_PRINCIPALS = {
    "path": "Path",
    "assumeRolePolicy": "AssumeRolePolicyDocument",
    "permissionsBoundary": "PermissionsBoundary",
    "maxSessionDuration": "MaxSessionDuration",
    "uniqueId": "RoleId",
    "tags": "Tags",
}


def _managed_policy(native: Native) -> Iterator[Resource]:
    """The policy itself, and its attachments to whom it names."""
    values = {"name": native.get("ManagedPolicyName"), "path": native.get("Path")}
    made = _made(native, _type("iam/policy"), {**values, "policy": native.get("PolicyDocument")})
    yield made
    for kind, holder, behind, part in _holders(native):
        values = {kind: holder, "policyArn": UNKNOWN}
        yield _made(native, _type(f"iam/{kind}PolicyAttachment"), values, part, {**behind, "policyArn": (made.urn,)})


def _inline_policy(native: Native, own: str = "") -> Iterator[Resource]:
    """`AWS::IAM::Policy` is an inline policy of all whom it names; of the types beside it, of its `own` holder."""
    for kind, holder, behind, part in _holders(native, own):
        document = native.get("PolicyDocument") or UNKNOWN
        values = {kind: holder, "name": native.get("PolicyName"), "policy": document}
        yield _made(native, _type(f"iam/{kind}Policy"), values, part, behind)


def _holders(native: Native, own: str = "") -> Iterator[tuple[str, object, dict[str, tuple[str, ...]], str]]:
    """Whom a policy names as its roles, users and groups: kind, name, the URNs it is made from, a part's name.

    Of names that are not known, each resource that the list is made from is one.
    """
    if own:
        name, behind = native.get(f"{own}Name"), native.base.property_dependencies.get(f"{own}Name")
        yield own, name, {own: behind} if behind and name is UNKNOWN else {}, ""
        return
    for kind in ("role", "user", "group"):
        names = native.items(f"{kind}s")
        of_names = native.base.property_dependencies.get(f"{kind}s", ())
        for index, name in enumerate(names):
            if name is not UNKNOWN or not of_names:
                yield kind, name, {}, f"{kind}-{index}"
        if UNKNOWN in names:
            for index, urn in enumerate(of_names):
                yield kind, UNKNOWN, {kind: (urn,)}, f"{kind}-of-{index}"


def _one(of: str, same: str = "", **other: str) -> Callable[[Native], Iterable[Resource]]:
    """A type that says the same as one of pulumi-aws: properties of the `same` name, and of `other` names there."""
    names = {_camel_name(one): one for one in same.split()} | other
    return lambda native: [_made(native, _type(of), {ours: native.get(theirs) for ours, theirs in names.items()})]


def _permission_set(native: Native) -> Iterator[Resource]:
    values = {key: native.get(key) for key in ("name", "instanceArn", "sessionDuration")}
    made = _made(native, _type("ssoadmin/permissionSet"), values)
    yield made
    shared = {"instanceArn": native.get("InstanceArn"), "permissionSetArn": native.get("PermissionSetArn") or UNKNOWN}
    parts = [(of, key, one) for name, of, key in _OF_SETS for one in native.items(name) if one not in (None, "")]
    for index, (of, key, one) in enumerate(parts):
        values = {**shared, key: one if key == "inlinePolicy" else _camel(one)}
        yield _made(native, _type(f"ssoadmin/{of}"), values, f"part-{index}", {"permissionSetArn": (made.urn,)})


_OF_SETS = (
    ("ManagedPolicies", "managedPolicyAttachment", "managedPolicyArn"),
    ("InlinePolicy", "permissionSetInlinePolicy", "inlinePolicy"),
    ("CustomerManagedPolicyReferences", "customerManagedPolicyAttachment", "customerManagedPolicyReference"),
    ("PermissionsBoundary", "permissionsBoundaryAttachment", "permissionsBoundary"),
)


def _camel(value: object) -> object:
    if isinstance(value, Mapping):
        return {_camel_name(key): _camel(item) for key, item in value.items()}
    return value


def _camel_name(name: str) -> str:
    return name[:1].lower() + name[1:]


def _control_policy(native: Native) -> Iterator[Resource]:
    made = _made(native, CONTROL_POLICY, {key: native.get(key) for key in ("name", "type", "content")})
    yield made
    for index, target in enumerate(native.items("TargetIds")):
        values, behind = {"policyId": UNKNOWN, "targetId": target}, {"policyId": (made.urn,)}
        yield _made(native, _type("organizations/policyAttachment"), values, f"target-{index}", behind)


def _account(native: Native) -> Iterator[Resource]:
    parents = native.items("ParentIds")
    values = {
        "name": native.get("AccountName"),
        "email": native.get("Email"),
        "roleName": native.get("RoleName"),
        "parentId": parents[0] if parents else None,
        "tags": _tags(native.items("Tags")),
    }
    yield _made(native, ACCOUNT, values)


def _tags(items: Iterable[object]) -> dict[str, object]:
    pairs = [lowered(item) for item in items if isinstance(item, Mapping)]
    return {str(pair.get("key")): pair.get("value") for pair in pairs}


_READERS: Mapping[str, Callable[[Native], Iterable[Resource]]] = {
    "iam::role": partial(_principal, "role"),
    "iam::user": partial(_principal, "user"),
    "iam::group": partial(_principal, "group"),
    "iam::managedpolicy": _managed_policy,
    "iam::policy": _inline_policy,
    "iam::rolepolicy": partial(_inline_policy, own="role"),
    "iam::userpolicy": partial(_inline_policy, own="user"),
    "iam::grouppolicy": partial(_inline_policy, own="group"),
    "iam::usertogroupaddition": _one("iam/groupMembership", "Users", group="GroupName"),
    "iam::accesskey": _one("iam/accessKey", user="UserName"),
    "iam::oidcprovider": _one(
        "iam/openIdConnectProvider", "Url", clientIdLists="ClientIdList", thumbprintLists="ThumbprintList"
    ),
    "iam::samlprovider": _one("iam/samlProvider", "Name SamlMetadataDocument"),
    "ssoadmin::permissionset": _permission_set,
    "ssoadmin::assignment": _one(
        "ssoadmin/accountAssignment", "InstanceArn PermissionSetArn PrincipalId PrincipalType TargetId TargetType"
    ),
    "identitystore::group": _one("identitystore/group", "DisplayName IdentityStoreId GroupId"),
    "organizations::account": _account,
    "organizations::organization": _one("organizations/organization", "Id"),
    "organizations::organizationalunit": _one("organizations/organizationalUnit", "Name ParentId Id"),
    "organizations::policy": _control_policy,
}
