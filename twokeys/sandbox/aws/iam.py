"""IAM: roles, users, groups, policies, who is in which group, access keys and identity providers.

https://docs.aws.amazon.com/IAM/latest/APIReference/ has a page for each operation.
"""

import json
import time
import uuid
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final

from botocore.exceptions import ClientError

from twokeys.sandbox.aws.calls import Calls, text
from twokeys.sandbox.aws.client import Aws, ProviderError, or_none, timestamp
from twokeys.sandbox.aws.documents import equivalent_json
from twokeys.sandbox.aws.resource_type import AutoName, Properties, ResourceType, set_each

_MOST_VERSIONS: Final = 5
MOST_SECONDS = 10.0
"""How long a trust policy waits for whom it names."""
_KINDS: Final = ("role", "group", "user")
_ACCESS_KEY: Final = "aws:iam/accessKey:AccessKey"
_EXCLUSIVE: Final = "aws:iam/policyAttachment:PolicyAttachment"
_ROLE: Final = Calls(
    "aws:iam/role:Role",
    "role",
    "RoleName",
    {"RoleName": "name", "RoleId": "uniqueId", "AssumeRolePolicyDocument": "assumeRolePolicy"},
)
_USER: Final = Calls("aws:iam/user:User", "user", "UserName", {"UserName": "name", "UserId": "uniqueId"})
_GROUP: Final = Calls("aws:iam/group:Group", "group", "GroupName", {"GroupName": "name", "GroupId": "uniqueId"})
_POLICY: Final = Calls(
    "aws:iam/policy:Policy", "policy", "PolicyArn", {"PolicyName": "name", "PolicyDocument": "policy"}
)
_OIDC: Final = Calls(
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider",
    "open_id_connect_provider",
    "OpenIDConnectProviderArn",
    {"ClientIDList": "clientIdLists", "ThumbprintList": "thumbprintLists"},
)
_SAML: Final = Calls(
    "aws:iam/samlProvider:SamlProvider",
    "saml_provider",
    "SAMLProviderArn",
    {"SAMLMetadataDocument": "samlMetadataDocument", "SAMLProviderUUID": "samlProviderUuid"},
)


def _bound(aws: Aws, calls: Calls, name: str, old: Properties, new: Properties) -> None:
    """Bring the permissions boundary of a role or user from old to new."""
    client, boundary = aws.client("iam"), new.get("permissionsBoundary")
    if boundary:
        put = getattr(client, f"put_{calls.kind}_permissions_boundary")
        put(**{calls.key: name}, PermissionsBoundary=boundary)
    elif old.get("permissionsBoundary"):
        getattr(client, f"delete_{calls.kind}_permissions_boundary")(**{calls.key: name})


def _once_they_are_there(call: Callable[[], Any]) -> Any:  # noqa: ANN401 - boto3's answers
    """A call with a trust policy, again where whom it names is still in the making, as the vendor's plugin does.

    That tries for two minutes; here nothing takes so long.
    https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/iam/role.go (`retryCreateRole`)
    """
    over = time.monotonic() + MOST_SECONDS
    while True:
        try:
            return call()
        except ClientError as error:
            if "Invalid principal in policy" not in str(error) or time.monotonic() > over:
                raise
        time.sleep(0.1)


def _role_create(aws: Aws, inputs: Properties) -> str:
    name = str(_once_they_are_there(partial(_ROLE.create, aws, inputs))["RoleName"])
    _role_policies(aws, name, {}, inputs)
    return name


def _role_policies(aws: Aws, name: str, old: Properties, new: Properties) -> None:
    """Bring the inline and attached policies that the role itself declares from old to new."""
    client = aws.client("iam")
    if "inlinePolicies" in new:
        before = {one["name"] for one in old.get("inlinePolicies") or () if one.get("name")}
        after = {one["name"]: one["policy"] for one in new["inlinePolicies"] if one.get("name")}
        for policy, document in sorted(after.items()):
            client.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=document)
        for gone in sorted(before - after.keys()):
            client.delete_role_policy(RoleName=name, PolicyName=gone)
    if "managedPolicyArns" in new:
        set_each(
            old.get("managedPolicyArns"),
            new["managedPolicyArns"],
            lambda arn: client.attach_role_policy(RoleName=name, PolicyArn=arn),
            lambda arn: client.detach_role_policy(RoleName=name, PolicyArn=arn),
        )


def _role_read(aws: Aws, name: str, _: Properties) -> Properties | None:
    found = _ROLE.read(aws, name)
    if found is None:
        return None
    inline = aws.pages("iam", "list_role_policies", "PolicyNames", RoleName=name)
    attached = aws.pages("iam", "list_attached_role_policies", "AttachedPolicies", RoleName=name)

    def document(policy: str) -> str:
        return text(aws.client("iam").get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"])

    return {
        **found,
        "inlinePolicies": [{"name": one, "policy": document(one)} for one in sorted(inline)],
        "managedPolicyArns": sorted(one["PolicyArn"] for one in attached),
    }


def _role_update(aws: Aws, name: str, old: Properties, new: Properties) -> None:
    if not equivalent_json(old["assumeRolePolicy"], new["assumeRolePolicy"]):
        put = partial(aws.client("iam").update_assume_role_policy, RoleName=name)
        _once_they_are_there(partial(put, PolicyDocument=new["assumeRolePolicy"]))
    _ROLE.update(aws, name, old, new)
    _bound(aws, _ROLE, name, old, new)
    _role_policies(aws, name, old, new)


def _role_delete(aws: Aws, identifier: str, inputs: Properties) -> None:
    """Policies that others put on the role stand in the way, as on AWS, unless `forceDetachPolicies` is set."""
    client, forced = aws.client("iam"), inputs.get("forceDetachPolicies")
    for one in aws.pages("iam", "list_attached_role_policies", "AttachedPolicies", RoleName=identifier):
        if forced or one["PolicyArn"] in (inputs.get("managedPolicyArns") or ()):
            client.detach_role_policy(RoleName=identifier, PolicyArn=one["PolicyArn"])
    declared = {one.get("name") for one in inputs.get("inlinePolicies") or ()}
    for name in aws.pages("iam", "list_role_policies", "PolicyNames", RoleName=identifier):
        if forced or name in declared:
            client.delete_role_policy(RoleName=identifier, PolicyName=name)
    client.delete_role(RoleName=identifier)


def _by_name(calls: Calls) -> Callable[[Aws, str, Properties], Properties | None]:
    """Users and groups keep their id when they are renamed."""
    return lambda aws, identifier, known: calls.read(aws, known.get("name") or identifier)


def _rename(aws: Aws, calls: Calls, old: Properties, new: Properties) -> None:
    if (old["name"], old.get("path")) != (new["name"], new["path"]):
        renamed = {f"New{calls.key}": new["name"], "NewPath": new["path"]}
        calls.ask(aws, "update", **{calls.key: old["name"]}, **renamed)


def _user_update(aws: Aws, _: str, old: Properties, new: Properties) -> None:
    _rename(aws, _USER, old, new)
    _bound(aws, _USER, new["name"], old, new)
    _USER.retag(aws, new["name"], old, new)


def _user_delete(aws: Aws, identifier: str, inputs: Properties) -> None:
    """Memberships always go; access keys, password and MFA devices only with `forceDestroy`, as with the provider."""
    client, name = aws.client("iam"), inputs.get("name") or identifier
    for group in aws.pages("iam", "list_groups_for_user", "Groups", UserName=name):
        client.remove_user_from_group(GroupName=group["GroupName"], UserName=name)
    if inputs.get("forceDestroy"):
        for key in aws.pages("iam", "list_access_keys", "AccessKeyMetadata", UserName=name):
            client.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
        for device in aws.pages("iam", "list_mfa_devices", "MFADevices", UserName=name):
            client.deactivate_mfa_device(UserName=name, SerialNumber=device["SerialNumber"])
        or_none(client.delete_login_profile, UserName=name)
    client.delete_user(UserName=name)


def _change_members(aws: Aws, old: Iterable[tuple[str, str]], new: Iterable[tuple[str, str]]) -> None:
    """Bring (group, user) pairs from old to new."""
    client = aws.client("iam")
    set_each(
        old,
        new,
        lambda pair: client.add_user_to_group(GroupName=pair[0], UserName=pair[1]),
        lambda pair: or_none(client.remove_user_from_group, GroupName=pair[0], UserName=pair[1]),
    )


def _membership(type: str, identifier: Callable[[Properties], str], read: Any, **facts: Any) -> ResourceType:  # noqa: ANN401
    """Users of a group, or groups of a user."""

    def pairs(of: Properties) -> list[tuple[str, str]]:
        groups, users = of.get("groups") or [of.get("group")], of.get("users") or [of.get("user")]
        return [(group, user) for group in groups for user in users if group and user]

    def create(aws: Aws, inputs: Properties) -> str:
        _change_members(aws, (), pairs(inputs))
        return identifier(inputs)

    return ResourceType(
        type=type,
        create=create,
        read=read,
        update=lambda aws, _id, old, new: _change_members(aws, pairs(old), pairs(new)),
        delete=lambda aws, _id, inputs: _change_members(aws, pairs(inputs), ()),
        **facts,
    )


def _members_read(aws: Aws, _: str, known: Properties) -> Properties | None:
    group = _needed(known, "group", "aws:iam/groupMembership:GroupMembership")
    if or_none(aws.client("iam").get_group, GroupName=group) is None:
        return None
    users = sorted(user["UserName"] for user in aws.pages("iam", "get_group", "Users", GroupName=group))
    return {"group": group, "users": users}


def _groups_read(aws: Aws, identifier: str, known: Properties) -> Properties | None:
    """Only the groups that are managed here: a user may be in others."""
    user, *named = identifier.split("/")
    if or_none(aws.client("iam").get_user, UserName=user) is None:
        return None
    groups = {one["GroupName"] for one in aws.pages("iam", "list_groups_for_user", "Groups", UserName=user)}
    managed = sorted(groups & set(known.get("groups") or named))
    return {"user": user, "groups": managed} if managed else None


def _key_create(aws: Aws, inputs: Properties) -> tuple[str, Properties]:
    client = aws.client("iam")
    key = client.create_access_key(UserName=inputs["user"])["AccessKey"]
    if inputs["status"] != "Active":
        client.update_access_key(UserName=inputs["user"], AccessKeyId=key["AccessKeyId"], Status=inputs["status"])
    return key["AccessKeyId"], {"secret": key["SecretAccessKey"]}


def _key_read(aws: Aws, identifier: str, known: Properties) -> Properties | None:
    user = _needed(known, "user", _ACCESS_KEY)
    if or_none(aws.client("iam").get_user, UserName=user) is None:
        return None
    keys = aws.pages("iam", "list_access_keys", "AccessKeyMetadata", UserName=user)
    found = next((key for key in keys if key["AccessKeyId"] == identifier), None)
    if found is None:
        return None
    return {"user": user, "status": found["Status"], "createDate": timestamp(found["CreateDate"])}


def _policy_read(aws: Aws, arn: str, _: Properties) -> Properties | None:
    found = _POLICY.read(aws, arn)
    if found is None:
        return None
    versions = aws.pages("iam", "list_policy_versions", "Versions", PolicyArn=arn)
    current = next(one["VersionId"] for one in versions if one["IsDefaultVersion"])
    version = aws.client("iam").get_policy_version(PolicyArn=arn, VersionId=current)["PolicyVersion"]
    return {**found, "policy": text(version["Document"])}


def _policy_update(aws: Aws, identifier: str, old: Properties, new: Properties) -> None:
    client, named = aws.client("iam"), {"PolicyArn": identifier}
    if not equivalent_json(old["policy"], new["policy"]):
        versions = aws.pages("iam", "list_policy_versions", "Versions", **named)
        if len(versions) >= _MOST_VERSIONS:
            others = [one["VersionId"] for one in versions if not one["IsDefaultVersion"]]
            client.delete_policy_version(**named, VersionId=min(others, key=lambda one: int(one.lstrip("v"))))
        client.create_policy_version(**named, PolicyDocument=new["policy"], SetAsDefault=True)
    _POLICY.retag(aws, identifier, old, new)


def _policy_delete(aws: Aws, identifier: str, _: Properties) -> None:
    client = aws.client("iam")
    for version in aws.pages("iam", "list_policy_versions", "Versions", PolicyArn=identifier):
        if not version["IsDefaultVersion"]:
            client.delete_policy_version(PolicyArn=identifier, VersionId=version["VersionId"])
    client.delete_policy(PolicyArn=identifier)


def _attach(aws: Aws, arn: str, old: Properties, new: Properties) -> None:
    def call(verb: str, kind: str) -> Callable[[str], object]:
        ask = getattr(aws.client("iam"), f"{verb}_{kind}_policy")
        return lambda owner: ask(**{f"{kind.capitalize()}Name": owner, "PolicyArn": arn})

    for kind in _KINDS:
        set_each(old.get(f"{kind}s"), new.get(f"{kind}s"), call("attach", kind), call("detach", kind))


def _exclusive_create(aws: Aws, inputs: Properties) -> str:
    if not any(inputs.get(f"{kind}s") for kind in _KINDS):
        raise ProviderError("no Users, Roles, or Groups specified for IAM Policy Attachment", (inputs["name"],))
    _attach(aws, inputs["policyArn"], {}, inputs)
    return str(inputs["name"])


def _exclusive_read(aws: Aws, _: str, known: Properties) -> Properties | None:
    arn = _needed(known, "policyArn", _EXCLUSIVE)
    found = or_none(aws.client("iam").list_entities_for_policy, PolicyArn=arn)
    if found is None:
        return None
    attached = {
        f"{kind}s": sorted(one[f"{kind.capitalize()}Name"] for one in found[f"Policy{kind.capitalize()}s"])
        for kind in _KINDS
    }
    return {"policyArn": arn, **attached} if any(attached.values()) else None


def _needed(known: Properties, name: str, type: str) -> str:
    if not known.get(name):
        raise ProviderError(f"an {type} cannot be imported", (f"Its id names no {name}.",))
    return str(known[name])


def _inline(kind: str) -> ResourceType:
    """`RolePolicy`, `GroupPolicy` or `UserPolicy`; the id is `<identity>:<name>`."""
    identity = f"{kind.capitalize()}Name"

    def call(aws: Aws, verb: str, identifier: str, **more: str) -> Any:  # noqa: ANN401 - boto3's answers
        owner, _, name = identifier.partition(":")
        ask = getattr(aws.client("iam"), f"{verb}_{kind}_policy")
        arguments = {identity: owner, "PolicyName": name, **more}
        return or_none(ask, **arguments) if verb == "get" else ask(**arguments)

    def create(aws: Aws, inputs: Properties) -> str:
        named = inputs.get("name") or f"{inputs['namePrefix']}{uuid.uuid4().hex[:26]}"
        identifier = f"{inputs[kind]}:{named}"
        call(aws, "put", identifier, PolicyDocument=inputs["policy"])
        return identifier

    def read(aws: Aws, identifier: str, _known: Properties) -> Properties | None:
        owner, _, name = identifier.partition(":")
        found = call(aws, "get", identifier)
        return None if found is None else {kind: owner, "name": name, "policy": text(found["PolicyDocument"])}

    return ResourceType(
        type=f"aws:iam/{kind}Policy:{kind.capitalize()}Policy",
        replaces=frozenset({"name", "namePrefix", kind}),
        documents=frozenset({"policy"}),
        auto_name=AutoName(longest=128),
        create=create,
        read=read,
        update=lambda aws, id, _old, new: call(aws, "put", id, PolicyDocument=new["policy"]),
        delete=lambda aws, id, _inputs: call(aws, "delete", id),
    )


def _attachment(kind: str) -> ResourceType:
    """`RolePolicyAttachment` and the same for groups and users; the id is `<identity>/<policy ARN>`."""
    identity = f"{kind.capitalize()}Name"

    def call(aws: Aws, verb: str, identifier: str) -> None:
        owner, _, arn = identifier.partition("/")
        getattr(aws.client("iam"), f"{verb}_{kind}_policy")(**{identity: owner, "PolicyArn": arn})

    def create(aws: Aws, inputs: Properties) -> str:
        identifier = f"{inputs[kind]}/{inputs['policyArn']}"
        call(aws, "attach", identifier)
        return identifier

    def read(aws: Aws, identifier: str, _known: Properties) -> Properties | None:
        owner, _, arn = identifier.partition("/")
        if or_none(getattr(aws.client("iam"), f"get_{kind}"), **{identity: owner}) is None:
            return None
        attached = aws.pages("iam", f"list_attached_{kind}_policies", "AttachedPolicies", **{identity: owner})
        return {kind: owner, "policyArn": arn} if arn in {one["PolicyArn"] for one in attached} else None

    return ResourceType(
        type=f"aws:iam/{kind}PolicyAttachment:{kind.capitalize()}PolicyAttachment",
        create=create,
        read=read,
        delete=lambda aws, id, _inputs: call(aws, "detach", id),
    )


def _oidc_read(aws: Aws, arn: str, known: Properties) -> Properties | None:
    """IAM tells the URL without its scheme."""
    found = _OIDC.read(aws, arn)
    if found is None:
        return None
    declared = str(known.get("url") or "")
    same = declared.removeprefix("https://") == found["url"].removeprefix("https://")
    return {**found, "arn": arn, "url": declared if same else found["url"]}


def _oidc_update(aws: Aws, arn: str, old: Properties, new: Properties) -> None:
    client, named = aws.client("iam"), {"OpenIDConnectProviderArn": arn}
    set_each(
        old.get("clientIdLists"),
        new["clientIdLists"],
        lambda one: client.add_client_id_to_open_id_connect_provider(**named, ClientID=one),
        lambda one: client.remove_client_id_from_open_id_connect_provider(**named, ClientID=one),
    )
    if new.get("thumbprintLists") and old.get("thumbprintLists") != new["thumbprintLists"]:
        client.update_open_id_connect_provider_thumbprint(**named, ThumbprintList=new["thumbprintLists"])
    _OIDC.retag(aws, arn, old, new)


def _saml_read(aws: Aws, arn: str, _: Properties) -> Properties | None:
    found = _SAML.read(aws, arn)
    return None if found is None else {**found, "arn": arn, "name": arn.rpartition("/")[2]}


def _features_set(aws: Aws, old: Iterable[str] | None, new: Iterable[str] | None) -> str:
    """Switch features of centralized root access on and off; the id of the organization, which is the object's.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-enable-root-access.html
    """
    client = aws.client("iam")
    calls = {"RootCredentialsManagement": "root_credentials_management", "RootSessions": "root_sessions"}
    set_each(
        old,
        new,
        lambda feature: getattr(client, f"enable_organizations_{calls[feature]}")(),
        lambda feature: getattr(client, f"disable_organizations_{calls[feature]}")(),
    )
    return str(client.list_organizations_features()["OrganizationId"])


def _features_read(aws: Aws, _id: str, _known: Properties) -> Properties | None:
    enabled = sorted(aws.client("iam").list_organizations_features().get("EnabledFeatures") or ())
    return {"enabledFeatures": enabled} if enabled else None


def get_role(aws: Aws, args: Properties) -> Properties:
    """https://www.pulumi.com/registry/packages/aws/api-docs/iam/getrole/."""
    found = _ROLE.read(aws, args["name"])
    if found is None:
        raise ProviderError(f"there is no role {args['name']} in account {aws.account}")
    return {"id": args["name"], **_told(found), "roleLastUseds": []}


def get_policy(aws: Aws, args: Properties) -> Properties:
    """https://www.pulumi.com/registry/packages/aws/api-docs/iam/getpolicy/."""
    named = [
        one["Arn"] for one in aws.pages("iam", "list_policies", "Policies") if one["PolicyName"] == args.get("name")
    ]
    arn = args.get("arn") or next(iter(named), None)
    found = None if arn is None else _policy_read(aws, arn, {})
    if arn is None or found is None:
        raise ProviderError("no IAM policy matches the look-up", (json.dumps(args),))
    return {"id": arn, **_told(found)}


def _told(found: Properties) -> Properties:
    """What a look-up tells of an object: text where the resource has nothing, and its tags under that name."""
    tags = found.pop("tagsAll")
    return {**{name: "" if value is None else value for name, value in found.items()}, "tags": tags}


RESOURCE_TYPES = (
    ResourceType(
        type=_ROLE.type,
        replaces=frozenset({"name", "namePrefix", "path"}),
        defaults={"forceDetachPolicies": False, "maxSessionDuration": 3600, "path": "/"},
        documents=frozenset({"assumeRolePolicy"}),
        unordered=frozenset({"inlinePolicies", "managedPolicyArns"}),
        shown=frozenset({"inlinePolicies", "managedPolicyArns"}),
        auto_name=AutoName(longest=64),
        create=_role_create,
        read=_role_read,
        update=_role_update,
        delete=_role_delete,
    ),
    ResourceType(
        type=_USER.type,
        defaults={"forceDestroy": False, "path": "/"},
        auto_name=AutoName(longest=64),
        create=lambda aws, inputs: str(_USER.create(aws, inputs)["UserName"]),
        read=_by_name(_USER),
        update=_user_update,
        delete=_user_delete,
    ),
    ResourceType(
        type=_GROUP.type,
        defaults={"path": "/"},
        auto_name=AutoName(longest=128),
        create=lambda aws, inputs: str(_GROUP.create(aws, inputs)["GroupName"]),
        read=_by_name(_GROUP),
        update=lambda aws, _id, old, new: _rename(aws, _GROUP, old, new),
        delete=lambda aws, _id, inputs: _GROUP.delete(aws, inputs["name"], inputs),
    ),
    _membership(
        "aws:iam/groupMembership:GroupMembership",
        lambda inputs: str(inputs["name"]),
        _members_read,
        replaces=frozenset({"group", "name"}),
        unordered=frozenset({"users"}),
        auto_name=AutoName(),
    ),
    _membership(
        "aws:iam/userGroupMembership:UserGroupMembership",
        lambda inputs: "/".join((inputs["user"], *sorted(inputs["groups"]))),
        _groups_read,
        replaces=frozenset({"user"}),
        unordered=frozenset({"groups"}),
    ),
    ResourceType(
        type=_ACCESS_KEY,
        replaces=frozenset({"user"}),
        defaults={"status": "Active"},
        secret=frozenset({"secret"}),
        create=_key_create,
        read=_key_read,
        update=lambda aws, id, _old, new: aws.client("iam").update_access_key(
            UserName=new["user"], AccessKeyId=id, Status=new["status"]
        ),
        delete=lambda aws, id, inputs: aws.client("iam").delete_access_key(UserName=inputs["user"], AccessKeyId=id),
    ),
    ResourceType(
        type=_POLICY.type,
        replaces=frozenset({"description", "name", "namePrefix", "path"}),
        defaults={"path": "/"},
        documents=frozenset({"policy"}),
        auto_name=AutoName(longest=128),
        create=lambda aws, inputs: str(_POLICY.create(aws, inputs)["Arn"]),
        read=_policy_read,
        update=_policy_update,
        delete=_policy_delete,
    ),
    ResourceType(
        type=_EXCLUSIVE,
        replaces=frozenset({"name", "policyArn"}),
        unordered=frozenset(f"{kind}s" for kind in _KINDS),
        auto_name=AutoName(),
        create=_exclusive_create,
        read=_exclusive_read,
        update=lambda aws, _id, old, new: _attach(aws, new["policyArn"], old, new),
        delete=lambda aws, _id, inputs: _attach(aws, inputs["policyArn"], inputs, {}),
    ),
    *map(_inline, _KINDS),
    *map(_attachment, _KINDS),
    ResourceType(
        type=_OIDC.type,
        replaces=frozenset({"url"}),
        unordered=frozenset({"clientIdLists"}),
        shown=frozenset({"thumbprintLists"}),
        create=lambda aws, inputs: str(_OIDC.create(aws, inputs)["OpenIDConnectProviderArn"]),
        read=_oidc_read,
        update=_oidc_update,
        delete=_OIDC.delete,
    ),
    ResourceType(
        type=_SAML.type,
        replaces=frozenset({"name"}),
        auto_name=AutoName(longest=128),
        create=lambda aws, inputs: str(_SAML.create(aws, inputs)["SAMLProviderArn"]),
        read=_saml_read,
        update=_SAML.update,
        delete=_SAML.delete,
    ),
    ResourceType(
        type="aws:iam/organizationsFeatures:OrganizationsFeatures",
        unordered=frozenset({"enabledFeatures"}),
        create=lambda aws, inputs: _features_set(aws, (), inputs["enabledFeatures"]),
        read=_features_read,
        update=lambda aws, _id, old, new: _features_set(aws, old["enabledFeatures"], new["enabledFeatures"]),
        delete=lambda aws, _id, inputs: _features_set(aws, inputs["enabledFeatures"], ()),
    ),
)
