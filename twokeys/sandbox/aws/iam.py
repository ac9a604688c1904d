"""IAM: roles, users, groups, policies, who is in which group, access keys and identity providers.

https://docs.aws.amazon.com/IAM/latest/APIReference/ has a page for each operation.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from twokeys.sandbox.aws.client import Aws, or_none, timestamp
from twokeys.sandbox.aws.documents import equivalent_json
from twokeys.sandbox.aws.errors import ProviderError
from twokeys.sandbox.aws.resource_type import AutoName, Properties, ResourceType, set_each
from twokeys.sandbox.aws.tags import all_tags, as_pairs, changes, from_pairs

_MOST_VERSIONS: Final = 5
_KINDS: Final = ("role", "group", "user")


def _named(inputs: Properties) -> str:
    """The object's name: as given, or made from its prefix."""
    return str(inputs.get("name") or f"{inputs['namePrefix']}{uuid.uuid4().hex[:26]}")


def _text(document: Any) -> str:  # noqa: ANN401 - boto3 parses policy documents
    return document if isinstance(document, str) else json.dumps(document, separators=(",", ":"))


def _given(inputs: Properties, **names: str) -> dict[str, Any]:
    """The API's arguments for those inputs that are set."""
    return {theirs: inputs[ours] for ours, theirs in names.items() if inputs.get(ours)}


def _retag(aws: Aws, kind: str, named: Mapping[str, str], old: Properties, new: Properties) -> None:
    put, removed = changes(old.get("tagsAll") or {}, all_tags(aws, new))
    if removed:
        getattr(aws.client("iam"), f"untag_{kind}")(**named, TagKeys=removed)
    if put:
        getattr(aws.client("iam"), f"tag_{kind}")(**named, Tags=put)


def _bound(aws: Aws, kind: str, named: Mapping[str, str], old: Properties, new: Properties) -> None:
    """Bring the permissions boundary of a role or user from old to new."""
    client = aws.client("iam")
    if new.get("permissionsBoundary"):
        put = getattr(client, f"put_{kind}_permissions_boundary")
        put(**named, PermissionsBoundary=new["permissionsBoundary"])
    elif old.get("permissionsBoundary"):
        getattr(client, f"delete_{kind}_permissions_boundary")(**named)


def _boundary_of(found: Mapping[str, Any]) -> object:
    return found.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")


def _role_create(aws: Aws, inputs: Properties) -> str:
    name = _named(inputs)
    aws.client("iam").create_role(
        RoleName=name,
        Path=inputs["path"],
        AssumeRolePolicyDocument=inputs["assumeRolePolicy"],
        MaxSessionDuration=inputs["maxSessionDuration"],
        Tags=as_pairs(all_tags(aws, inputs)),
        **_given(inputs, description="Description", permissionsBoundary="PermissionsBoundary"),
    )
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


def _role_read(aws: Aws, identifier: str, _: Properties) -> Properties | None:
    client = aws.client("iam")
    found = or_none(client.get_role, RoleName=identifier)
    if found is None:
        return None
    role = found["Role"]
    inline = aws.pages("iam", "list_role_policies", "PolicyNames", RoleName=identifier)
    attached = aws.pages("iam", "list_attached_role_policies", "AttachedPolicies", RoleName=identifier)

    def document(policy: str) -> str:
        return _text(client.get_role_policy(RoleName=identifier, PolicyName=policy)["PolicyDocument"])

    return {
        "name": role["RoleName"],
        "arn": role["Arn"],
        "uniqueId": role["RoleId"],
        "createDate": timestamp(role["CreateDate"]),
        "path": role["Path"],
        "description": role.get("Description") or None,
        "maxSessionDuration": role["MaxSessionDuration"],
        "assumeRolePolicy": _text(role["AssumeRolePolicyDocument"]),
        "permissionsBoundary": _boundary_of(role),
        "inlinePolicies": [{"name": one, "policy": document(one)} for one in sorted(inline)],
        "managedPolicyArns": sorted(one["PolicyArn"] for one in attached),
        "tagsAll": from_pairs(role.get("Tags")),
    }


def _role_update(aws: Aws, identifier: str, old: Properties, new: Properties) -> None:
    client, named = aws.client("iam"), {"RoleName": identifier}
    if not equivalent_json(old["assumeRolePolicy"], new["assumeRolePolicy"]):
        client.update_assume_role_policy(**named, PolicyDocument=new["assumeRolePolicy"])
    client.update_role(**named, Description=new.get("description") or "", MaxSessionDuration=new["maxSessionDuration"])
    _bound(aws, "role", named, old, new)
    _role_policies(aws, identifier, old, new)
    _retag(aws, "role", named, old, new)


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


def _user_create(aws: Aws, inputs: Properties) -> str:
    user = aws.client("iam").create_user(
        UserName=inputs["name"],
        Path=inputs["path"],
        Tags=as_pairs(all_tags(aws, inputs)),
        **_given(inputs, permissionsBoundary="PermissionsBoundary"),
    )
    return str(user["User"]["UserName"])


def _user_read(aws: Aws, identifier: str, known: Properties) -> Properties | None:
    found = or_none(aws.client("iam").get_user, UserName=known.get("name") or identifier)
    if found is None:
        return None
    user = found["User"]
    return {
        "name": user["UserName"],
        "arn": user["Arn"],
        "uniqueId": user["UserId"],
        "path": user["Path"],
        "permissionsBoundary": _boundary_of(user),
        "tagsAll": from_pairs(aws.pages("iam", "list_user_tags", "Tags", UserName=user["UserName"])),
    }


def _user_update(aws: Aws, _: str, old: Properties, new: Properties) -> None:
    named = {"UserName": new["name"]}
    if (old["name"], old.get("path")) != (new["name"], new["path"]):
        aws.client("iam").update_user(UserName=old["name"], NewUserName=new["name"], NewPath=new["path"])
    _bound(aws, "user", named, old, new)
    _retag(aws, "user", named, old, new)


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


def _group_read(aws: Aws, identifier: str, known: Properties) -> Properties | None:
    found = or_none(aws.client("iam").get_group, GroupName=known.get("name") or identifier)
    if found is None:
        return None
    group = found["Group"]
    return {"name": group["GroupName"], "arn": group["Arn"], "uniqueId": group["GroupId"], "path": group["Path"]}


def _change_members(aws: Aws, group: str, old: Iterable[str], new: Iterable[str]) -> None:
    client = aws.client("iam")
    set_each(
        old,
        new,
        lambda user: client.add_user_to_group(GroupName=group, UserName=user),
        lambda user: or_none(client.remove_user_from_group, GroupName=group, UserName=user),
    )


def _members_create(aws: Aws, inputs: Properties) -> str:
    _change_members(aws, inputs["group"], (), inputs["users"])
    return str(inputs["name"])


def _members_read(aws: Aws, _: str, known: Properties) -> Properties | None:
    group = _needed(known, "group", "aws:iam/groupMembership:GroupMembership")
    if or_none(aws.client("iam").get_group, GroupName=group) is None:
        return None
    users = sorted(user["UserName"] for user in aws.pages("iam", "get_group", "Users", GroupName=group))
    return {"group": group, "users": users}


def _change_groups(aws: Aws, user: str, old: Iterable[str], new: Iterable[str]) -> None:
    client = aws.client("iam")
    set_each(
        old,
        new,
        lambda group: client.add_user_to_group(GroupName=group, UserName=user),
        lambda group: or_none(client.remove_user_from_group, GroupName=group, UserName=user),
    )


def _groups_create(aws: Aws, inputs: Properties) -> str:
    _change_groups(aws, inputs["user"], (), inputs["groups"])
    return "/".join((inputs["user"], *sorted(inputs["groups"])))


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
    user = _needed(known, "user", "aws:iam/accessKey:AccessKey")
    if or_none(aws.client("iam").get_user, UserName=user) is None:
        return None
    keys = aws.pages("iam", "list_access_keys", "AccessKeyMetadata", UserName=user)
    found = next((key for key in keys if key["AccessKeyId"] == identifier), None)
    if found is None:
        return None
    return {"user": user, "status": found["Status"], "createDate": timestamp(found["CreateDate"])}


def _key_update(aws: Aws, identifier: str, _: Properties, new: Properties) -> None:
    aws.client("iam").update_access_key(UserName=new["user"], AccessKeyId=identifier, Status=new["status"])


def _policy_create(aws: Aws, inputs: Properties) -> str:
    policy = aws.client("iam").create_policy(
        PolicyName=_named(inputs),
        Path=inputs["path"],
        PolicyDocument=inputs["policy"],
        Tags=as_pairs(all_tags(aws, inputs)),
        **_given(inputs, description="Description"),
    )
    return str(policy["Policy"]["Arn"])


def _policy_read(aws: Aws, identifier: str, _: Properties) -> Properties | None:
    client = aws.client("iam")
    found = or_none(client.get_policy, PolicyArn=identifier)
    if found is None:
        return None
    policy = found["Policy"]
    version = client.get_policy_version(PolicyArn=identifier, VersionId=policy["DefaultVersionId"])["PolicyVersion"]
    return {
        "arn": policy["Arn"],
        "attachmentCount": policy["AttachmentCount"],
        "description": policy.get("Description") or None,
        "name": policy["PolicyName"],
        "path": policy["Path"],
        "policy": _text(version["Document"]),
        "policyId": policy["PolicyId"],
        "tagsAll": from_pairs(aws.pages("iam", "list_policy_tags", "Tags", PolicyArn=identifier)),
    }


def _policy_update(aws: Aws, identifier: str, old: Properties, new: Properties) -> None:
    client, named = aws.client("iam"), {"PolicyArn": identifier}
    if not equivalent_json(old["policy"], new["policy"]):
        versions = aws.pages("iam", "list_policy_versions", "Versions", **named)
        if len(versions) >= _MOST_VERSIONS:
            others = [one["VersionId"] for one in versions if not one["IsDefaultVersion"]]
            client.delete_policy_version(**named, VersionId=min(others, key=lambda one: int(one.lstrip("v"))))
        client.create_policy_version(**named, PolicyDocument=new["policy"], SetAsDefault=True)
    _retag(aws, "policy", named, old, new)


def _policy_delete(aws: Aws, identifier: str, _: Properties) -> None:
    client = aws.client("iam")
    for version in aws.pages("iam", "list_policy_versions", "Versions", PolicyArn=identifier):
        if not version["IsDefaultVersion"]:
            client.delete_policy_version(PolicyArn=identifier, VersionId=version["VersionId"])
    client.delete_policy(PolicyArn=identifier)


def _attach(aws: Aws, arn: str, old: Properties, new: Properties) -> None:
    for kind in _KINDS:

        def call(verb: str, owner: str, kind: str = kind) -> None:
            named = {f"{kind.capitalize()}Name": owner, "PolicyArn": arn}
            getattr(aws.client("iam"), f"{verb}_{kind}_policy")(**named)

        set_each(
            old.get(f"{kind}s"),
            new.get(f"{kind}s"),
            lambda owner, call=call: call("attach", owner),
            lambda owner, call=call: call("detach", owner),
        )


def _exclusive_create(aws: Aws, inputs: Properties) -> str:
    if not any(inputs.get(f"{kind}s") for kind in _KINDS):
        raise ProviderError("no Users, Roles, or Groups specified for IAM Policy Attachment", (inputs["name"],))
    _attach(aws, inputs["policyArn"], {}, inputs)
    return str(inputs["name"])


def _exclusive_read(aws: Aws, _: str, known: Properties) -> Properties | None:
    arn = _needed(known, "policyArn", "aws:iam/policyAttachment:PolicyAttachment")
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
        identifier = f"{inputs[kind]}:{_named(inputs)}"
        call(aws, "put", identifier, PolicyDocument=inputs["policy"])
        return identifier

    def read(aws: Aws, identifier: str, _known: Properties) -> Properties | None:
        owner, _, name = identifier.partition(":")
        found = call(aws, "get", identifier)
        return None if found is None else {kind: owner, "name": name, "policy": _text(found["PolicyDocument"])}

    return ResourceType(
        type=f"aws:iam/{kind}Policy:{kind.capitalize()}Policy",
        computed=frozenset(),
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
        computed=frozenset(),
        create=create,
        read=read,
        delete=lambda aws, id, _inputs: call(aws, "detach", id),
    )


def _oidc_create(aws: Aws, inputs: Properties) -> str:
    provider = aws.client("iam").create_open_id_connect_provider(
        Url=inputs["url"],
        ClientIDList=inputs["clientIdLists"],
        ThumbprintList=inputs.get("thumbprintLists") or [],
        Tags=as_pairs(all_tags(aws, inputs)),
    )
    return str(provider["OpenIDConnectProviderArn"])


def _oidc_read(aws: Aws, identifier: str, known: Properties) -> Properties | None:
    found = or_none(aws.client("iam").get_open_id_connect_provider, OpenIDConnectProviderArn=identifier)
    if found is None:
        return None
    url, declared = found["Url"], str(known.get("url") or "")
    return {
        "arn": identifier,
        "url": declared if declared.removeprefix("https://") == url.removeprefix("https://") else url,
        "clientIdLists": found.get("ClientIDList", []),
        "thumbprintLists": found.get("ThumbprintList", []),
        "tagsAll": from_pairs(found.get("Tags")),
    }


def _oidc_update(aws: Aws, identifier: str, old: Properties, new: Properties) -> None:
    client, named = aws.client("iam"), {"OpenIDConnectProviderArn": identifier}
    set_each(
        old.get("clientIdLists"),
        new["clientIdLists"],
        lambda one: client.add_client_id_to_open_id_connect_provider(**named, ClientID=one),
        lambda one: client.remove_client_id_from_open_id_connect_provider(**named, ClientID=one),
    )
    if new.get("thumbprintLists") and old.get("thumbprintLists") != new["thumbprintLists"]:
        client.update_open_id_connect_provider_thumbprint(**named, ThumbprintList=new["thumbprintLists"])
    _retag(aws, "open_id_connect_provider", named, old, new)


def _saml_create(aws: Aws, inputs: Properties) -> str:
    provider = aws.client("iam").create_saml_provider(
        Name=inputs["name"],
        SAMLMetadataDocument=inputs["samlMetadataDocument"],
        Tags=as_pairs(all_tags(aws, inputs)),
    )
    return str(provider["SAMLProviderArn"])


def _saml_read(aws: Aws, identifier: str, _: Properties) -> Properties | None:
    found = or_none(aws.client("iam").get_saml_provider, SAMLProviderArn=identifier)
    if found is None:
        return None
    return {
        "arn": identifier,
        "name": identifier.rpartition("/")[2],
        "samlMetadataDocument": found["SAMLMetadataDocument"],
        "samlProviderUuid": found.get("SAMLProviderUUID"),
        "validUntil": timestamp(found["ValidUntil"]),
        "tagsAll": from_pairs(found.get("Tags")),
    }


def _saml_update(aws: Aws, identifier: str, old: Properties, new: Properties) -> None:
    client, named = aws.client("iam"), {"SAMLProviderArn": identifier}
    if old.get("samlMetadataDocument") != new["samlMetadataDocument"]:
        client.update_saml_provider(**named, SAMLMetadataDocument=new["samlMetadataDocument"])
    _retag(aws, "saml_provider", named, old, new)


def get_role(aws: Aws, args: Properties) -> Properties:
    """https://www.pulumi.com/registry/packages/aws/api-docs/iam/getrole/."""
    found = _role_read(aws, args["name"], {})
    if found is None:
        raise ProviderError(f"there is no role {args['name']} in account {aws.account}")
    shown = {name: value for name, value in found.items() if name not in ("inlinePolicies", "managedPolicyArns")}
    tags = shown.pop("tagsAll")
    return {
        "id": args["name"],
        **{k: "" if v is None else v for k, v in shown.items()},
        "roleLastUseds": [],
        "tags": tags,
    }


def get_policy(aws: Aws, args: Properties) -> Properties:
    """https://www.pulumi.com/registry/packages/aws/api-docs/iam/getpolicy/."""
    named = [
        one["Arn"] for one in aws.pages("iam", "list_policies", "Policies") if one["PolicyName"] == args.get("name")
    ]
    arn = args.get("arn") or next(iter(named), None)
    found = None if arn is None else _policy_read(aws, arn, {})
    if arn is None or found is None:
        raise ProviderError("no IAM policy matches the look-up", (json.dumps(args),))
    tags = found.pop("tagsAll")
    return {"id": arn, **{k: "" if v is None else v for k, v in found.items()}, "tags": tags}


def _call(operation: str, **names: str) -> Callable[[Aws, str, Properties], object]:
    """A delete that needs nothing but arguments: "" stands for the id, a name for that input."""

    def call(aws: Aws, identifier: str, inputs: Properties) -> object:
        arguments = {theirs: inputs[ours] if ours else identifier for theirs, ours in names.items()}
        return getattr(aws.client("iam"), operation)(**arguments)

    return call


RESOURCE_TYPES = (
    ResourceType(
        type="aws:iam/role:Role",
        computed=frozenset({"arn", "createDate", "uniqueId"}),
        replaces=frozenset({"name", "namePrefix", "path"}),
        defaults={"forceDetachPolicies": False, "maxSessionDuration": 3600, "path": "/"},
        documents=frozenset({"assumeRolePolicy"}),
        unordered=frozenset({"inlinePolicies", "managedPolicyArns"}),
        shown=frozenset({"inlinePolicies", "managedPolicyArns"}),
        auto_name=AutoName(longest=64),
        taggable=True,
        create=_role_create,
        read=_role_read,
        update=_role_update,
        delete=_role_delete,
    ),
    ResourceType(
        type="aws:iam/user:User",
        computed=frozenset({"arn", "uniqueId"}),
        defaults={"forceDestroy": False, "path": "/"},
        auto_name=AutoName(longest=64),
        taggable=True,
        create=_user_create,
        read=_user_read,
        update=_user_update,
        delete=_user_delete,
    ),
    ResourceType(
        type="aws:iam/group:Group",
        computed=frozenset({"arn", "uniqueId"}),
        defaults={"path": "/"},
        auto_name=AutoName(longest=128),
        create=lambda aws, new: str(
            aws.client("iam").create_group(GroupName=new["name"], Path=new["path"])["Group"]["GroupName"]
        ),
        read=_group_read,
        update=lambda aws, _id, old, new: aws.client("iam").update_group(
            GroupName=old["name"], NewGroupName=new["name"], NewPath=new["path"]
        ),
        delete=_call("delete_group", GroupName="name"),
    ),
    ResourceType(
        type="aws:iam/groupMembership:GroupMembership",
        computed=frozenset(),
        replaces=frozenset({"group", "name"}),
        unordered=frozenset({"users"}),
        auto_name=AutoName(),
        create=_members_create,
        read=_members_read,
        update=lambda aws, _id, old, new: _change_members(aws, new["group"], old["users"], new["users"]),
        delete=lambda aws, _id, inputs: _change_members(aws, inputs["group"], inputs["users"], ()),
    ),
    ResourceType(
        type="aws:iam/userGroupMembership:UserGroupMembership",
        computed=frozenset(),
        replaces=frozenset({"user"}),
        unordered=frozenset({"groups"}),
        create=_groups_create,
        read=_groups_read,
        update=lambda aws, _id, old, new: _change_groups(aws, new["user"], old["groups"], new["groups"]),
        delete=lambda aws, _id, inputs: _change_groups(aws, inputs["user"], inputs["groups"], ()),
    ),
    ResourceType(
        type="aws:iam/accessKey:AccessKey",
        computed=frozenset({"createDate", "secret"}),
        replaces=frozenset({"user"}),
        defaults={"status": "Active"},
        secret=frozenset({"secret"}),
        create=_key_create,
        read=_key_read,
        update=_key_update,
        delete=_call("delete_access_key", UserName="user", AccessKeyId=""),
    ),
    ResourceType(
        type="aws:iam/policy:Policy",
        computed=frozenset({"arn", "attachmentCount", "policyId"}),
        replaces=frozenset({"description", "name", "namePrefix", "path"}),
        defaults={"path": "/"},
        documents=frozenset({"policy"}),
        auto_name=AutoName(longest=128),
        taggable=True,
        create=_policy_create,
        read=_policy_read,
        update=_policy_update,
        delete=_policy_delete,
    ),
    ResourceType(
        type="aws:iam/policyAttachment:PolicyAttachment",
        computed=frozenset(),
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
        type="aws:iam/openIdConnectProvider:OpenIdConnectProvider",
        replaces=frozenset({"url"}),
        unordered=frozenset({"clientIdLists"}),
        shown=frozenset({"thumbprintLists"}),
        taggable=True,
        create=_oidc_create,
        read=_oidc_read,
        update=_oidc_update,
        delete=_call("delete_open_id_connect_provider", OpenIDConnectProviderArn=""),
    ),
    ResourceType(
        type="aws:iam/samlProvider:SamlProvider",
        computed=frozenset({"arn", "samlProviderUuid", "validUntil"}),
        replaces=frozenset({"name"}),
        auto_name=AutoName(longest=128),
        taggable=True,
        create=_saml_create,
        read=_saml_read,
        update=_saml_update,
        delete=_call("delete_saml_provider", SAMLProviderArn=""),
    ),
)
