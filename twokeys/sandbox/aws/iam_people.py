"""IAM users, groups, who is in which, and access keys.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html and the operations beside it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import Any

from twokeys.sandbox.aws import tags
from twokeys.sandbox.aws.client import Aws, or_none, timestamp
from twokeys.sandbox.aws.iam_rules import ARN, GROUP_NAME, PATH, USER_NAME, set_each
from twokeys.sandbox.aws.resource_type import AutoName, Created, ResourceType, one_of
from twokeys.sandbox.engine.plugin import ProviderError
from twokeys.sandbox.engine.values import Properties, Secret


def _user_create(aws: Aws, inputs: Properties) -> str:
    request: dict[str, Any] = {
        "UserName": inputs["name"],
        "Path": inputs["path"],
        "Tags": tags.as_pairs(tags.all_tags(aws, inputs)),
    }
    if inputs.get("permissionsBoundary"):
        request["PermissionsBoundary"] = inputs["permissionsBoundary"]
    return str(aws.client("iam").create_user(**request)["User"]["UserName"])


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
        "permissionsBoundary": user.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
        "tagsAll": tags.from_pairs(aws.pages("iam", "list_user_tags", "Tags", UserName=user["UserName"])),
    }


def _user_update(aws: Aws, _: str, old: Properties, new: Properties) -> None:
    client, name = aws.client("iam"), new["name"]
    if old["name"] != name or old.get("path") != new["path"]:
        client.update_user(UserName=old["name"], NewUserName=name, NewPath=new["path"])
    if new.get("permissionsBoundary"):
        client.put_user_permissions_boundary(UserName=name, PermissionsBoundary=new["permissionsBoundary"])
    elif old.get("permissionsBoundary"):
        client.delete_user_permissions_boundary(UserName=name)
    put, removed = tags.changes(old.get("tagsAll") or {}, tags.all_tags(aws, new))
    if removed:
        client.untag_user(UserName=name, TagKeys=removed)
    if put:
        client.tag_user(UserName=name, Tags=put)


def _user_delete(aws: Aws, identifier: str, inputs: Properties) -> None:
    """Memberships always go; access keys, password and MFA devices only with `forceDestroy`, as with the provider."""
    client, name = aws.client("iam"), inputs.get("name") or identifier
    if or_none(client.get_user, UserName=name) is None:
        return
    for group in aws.pages("iam", "list_groups_for_user", "Groups", UserName=name):
        client.remove_user_from_group(GroupName=group["GroupName"], UserName=name)
    if inputs.get("forceDestroy"):
        for key in aws.pages("iam", "list_access_keys", "AccessKeyMetadata", UserName=name):
            client.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
        for device in aws.pages("iam", "list_mfa_devices", "MFADevices", UserName=name):
            client.deactivate_mfa_device(UserName=name, SerialNumber=device["SerialNumber"])
        if or_none(client.get_login_profile, UserName=name) is not None:
            client.delete_login_profile(UserName=name)
    client.delete_user(UserName=name)


def _group_create(aws: Aws, inputs: Properties) -> str:
    group = aws.client("iam").create_group(GroupName=inputs["name"], Path=inputs["path"])["Group"]
    return str(group["GroupName"])


def _group_read(aws: Aws, identifier: str, known: Properties) -> Properties | None:
    found = or_none(aws.client("iam").get_group, GroupName=known.get("name") or identifier)
    if found is None:
        return None
    group = found["Group"]
    return {"name": group["GroupName"], "arn": group["Arn"], "uniqueId": group["GroupId"], "path": group["Path"]}


def _group_update(aws: Aws, _: str, old: Properties, new: Properties) -> None:
    aws.client("iam").update_group(GroupName=old["name"], NewGroupName=new["name"], NewPath=new["path"])


def _group_delete(aws: Aws, identifier: str, inputs: Properties) -> None:
    aws.client("iam").delete_group(GroupName=inputs.get("name") or identifier)


def _members(aws: Aws, group: str) -> list[str] | None:
    if or_none(aws.client("iam").get_group, GroupName=group) is None:
        return None
    return sorted(user["UserName"] for user in aws.pages("iam", "get_group", "Users", GroupName=group))


def _change_members(aws: Aws, group: str, old: list[str], new: list[str]) -> None:
    client = aws.client("iam")
    set_each(
        old,
        new,
        add=lambda user: client.add_user_to_group(GroupName=group, UserName=user),
        remove=lambda user: or_none(client.remove_user_from_group, GroupName=group, UserName=user),
    )


def _change_groups(aws: Aws, user: str, old: list[str], new: list[str]) -> None:
    client = aws.client("iam")
    set_each(
        old,
        new,
        add=lambda group: client.add_user_to_group(GroupName=group, UserName=user),
        remove=lambda group: or_none(client.remove_user_from_group, GroupName=group, UserName=user),
    )


def _group_membership_create(aws: Aws, inputs: Properties) -> str:
    _change_members(aws, inputs["group"], [], inputs["users"])
    return str(inputs["name"])


def _group_membership_read(aws: Aws, _: str, known: Properties) -> Properties | None:
    if not known.get("group"):
        raise ProviderError(
            "an aws:iam/groupMembership:GroupMembership cannot be imported", ("Its id names no group.",)
        )
    users = _members(aws, known["group"])
    return None if users is None else {"name": known["name"], "group": known["group"], "users": users}


def _user_groups_create(aws: Aws, inputs: Properties) -> str:
    _change_groups(aws, inputs["user"], [], inputs["groups"])
    return "/".join((inputs["user"], *sorted(inputs["groups"])))


def _user_groups_read(aws: Aws, identifier: str, known: Properties) -> Properties | None:
    """Only the groups that are managed here: a user may be in others."""
    user, *named = identifier.split("/")
    if or_none(aws.client("iam").get_user, UserName=user) is None:
        return None
    groups = {one["GroupName"] for one in aws.pages("iam", "list_groups_for_user", "Groups", UserName=user)}
    managed = sorted(groups & set(known.get("groups") or named))
    return {"user": user, "groups": managed} if managed else None


def _key_create(aws: Aws, inputs: Properties) -> Created:
    client = aws.client("iam")
    key = client.create_access_key(UserName=inputs["user"])["AccessKey"]
    if inputs["status"] != "Active":
        client.update_access_key(UserName=inputs["user"], AccessKeyId=key["AccessKeyId"], Status=inputs["status"])
    return Created(key["AccessKeyId"], {"secret": key["SecretAccessKey"]})


def _key_read(aws: Aws, identifier: str, known: Properties) -> Properties | None:
    user = known.get("user")
    if user is None:
        raise ProviderError("an aws:iam/accessKey:AccessKey cannot be imported", ("Its id names no user.",))
    if or_none(aws.client("iam").get_user, UserName=user) is None:
        return None
    keys = aws.pages("iam", "list_access_keys", "AccessKeyMetadata", UserName=user)
    found = next((key for key in keys if key["AccessKeyId"] == identifier), None)
    if found is None:
        return None
    secret = _plain(known.get("secret"))
    return {
        "user": user,
        "status": found["Status"],
        "createDate": timestamp(found["CreateDate"]),
        "secret": secret,
        "sesSmtpPasswordV4": None if secret is None else smtp_password(secret, aws.region),
    }


def _plain(value: Any) -> Any:  # noqa: ANN401 - property values have no type
    return value.value if isinstance(value, Secret) else value


def smtp_password(secret: str, region: str) -> str:
    """The SES SMTP password of a secret access key.

    https://docs.aws.amazon.com/ses/latest/dg/smtp-credentials.html.
    """
    signature = f"AWS4{secret}".encode()
    for part in ("11111111", region, "ses", "aws4_request", "SendRawEmail"):
        signature = hmac.new(signature, part.encode(), hashlib.sha256).digest()
    return base64.b64encode(b"\x04" + signature).decode()


def _key_update(aws: Aws, identifier: str, _: Properties, new: Properties) -> None:
    aws.client("iam").update_access_key(UserName=new["user"], AccessKeyId=identifier, Status=new["status"])


def _key_delete(aws: Aws, identifier: str, inputs: Properties) -> None:
    aws.client("iam").delete_access_key(UserName=inputs["user"], AccessKeyId=identifier)


RESOURCE_TYPES = (
    ResourceType(
        type="aws:iam/user:User",
        inputs=frozenset({"forceDestroy", "name", "path", "permissionsBoundary", "tags"}),
        computed=frozenset({"arn", "uniqueId"}),
        volatile=frozenset({"arn"}),
        defaults={"forceDestroy": False, "path": "/"},
        unreadable=frozenset({"forceDestroy"}),
        validations={"name": USER_NAME, "path": PATH, "permissionsBoundary": ARN},
        auto_name=AutoName(longest=64),
        taggable=True,
        create=_user_create,
        read=_user_read,
        update=_user_update,
        delete=_user_delete,
        identify=lambda _, inputs: inputs["name"],
    ),
    ResourceType(
        type="aws:iam/group:Group",
        inputs=frozenset({"name", "path"}),
        computed=frozenset({"arn", "uniqueId"}),
        volatile=frozenset({"arn"}),
        defaults={"path": "/"},
        validations={"name": GROUP_NAME, "path": PATH},
        auto_name=AutoName(longest=128),
        create=_group_create,
        read=_group_read,
        update=_group_update,
        delete=_group_delete,
        identify=lambda _, inputs: inputs["name"],
    ),
    ResourceType(
        type="aws:iam/groupMembership:GroupMembership",
        inputs=frozenset({"group", "name", "users"}),
        required=frozenset({"group", "users"}),
        replaces=frozenset({"group", "name"}),
        unordered=frozenset({"users"}),
        auto_name=AutoName(),
        create=_group_membership_create,
        read=_group_membership_read,
        update=lambda aws, _, old, new: _change_members(aws, new["group"], old["users"], new["users"]),
        delete=lambda aws, _, inputs: _change_members(aws, inputs["group"], inputs["users"], []),
        identify=lambda _, inputs: inputs["name"],
    ),
    ResourceType(
        type="aws:iam/userGroupMembership:UserGroupMembership",
        inputs=frozenset({"groups", "user"}),
        required=frozenset({"groups", "user"}),
        replaces=frozenset({"user"}),
        unordered=frozenset({"groups"}),
        create=_user_groups_create,
        read=_user_groups_read,
        update=lambda aws, _, old, new: _change_groups(aws, new["user"], old["groups"], new["groups"]),
        delete=lambda aws, _, inputs: _change_groups(aws, inputs["user"], inputs["groups"], []),
        identify=lambda _, inputs: "/".join((inputs["user"], *sorted(inputs["groups"]))),
    ),
    ResourceType(
        type="aws:iam/accessKey:AccessKey",
        inputs=frozenset({"status", "user"}),
        required=frozenset({"user"}),
        computed=frozenset({"createDate", "secret", "sesSmtpPasswordV4"}),
        replaces=frozenset({"user"}),
        defaults={"status": "Active"},
        secret=frozenset({"secret", "sesSmtpPasswordV4"}),
        unsupported={"pgpKey": "the sandbox keeps the key as a secret output and encrypts it with no PGP key"},
        validations={"status": one_of("Active", "Inactive")},
        create=_key_create,
        read=_key_read,
        update=_key_update,
        delete=_key_delete,
    ),
)

INVOKES: dict[str, Callable[[Aws, Properties], Properties]] = {}
