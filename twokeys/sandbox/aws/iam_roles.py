"""IAM roles, their inline policies and attachments, and instance profiles.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html and the operations beside it.
"""

from __future__ import annotations

from typing import Any

from twokeys.sandbox.aws import tags
from twokeys.sandbox.aws.client import Aws, or_none, timestamp
from twokeys.sandbox.aws.documents import canonical_json
from twokeys.sandbox.aws.iam_rules import ARN, PATH, ROLE_NAME, as_text, name_of, set_each
from twokeys.sandbox.aws.resource_type import AutoName, ResourceType, between
from twokeys.sandbox.engine.values import Properties


def _role_create(aws: Aws, inputs: Properties) -> str:
    client, name = aws.client("iam"), name_of(inputs)
    request: dict[str, Any] = {
        "RoleName": name,
        "Path": inputs["path"],
        "AssumeRolePolicyDocument": inputs["assumeRolePolicy"],
        "MaxSessionDuration": inputs["maxSessionDuration"],
        "Tags": tags.as_pairs(tags.all_tags(aws, inputs)),
    }
    if inputs.get("description"):
        request["Description"] = inputs["description"]
    if inputs.get("permissionsBoundary"):
        request["PermissionsBoundary"] = inputs["permissionsBoundary"]
    client.create_role(**request)
    _role_policies(aws, name, {}, inputs)
    return name


def _role_policies(aws: Aws, name: str, old: Properties, new: Properties) -> None:
    """Bring the inline and attached policies that the role itself declares from old to new."""
    client = aws.client("iam")
    if "inlinePolicies" in new:
        before = {one["name"]: one["policy"] for one in old.get("inlinePolicies") or () if one.get("name")}
        after = {one["name"]: one["policy"] for one in new["inlinePolicies"] if one.get("name")}
        for gone in sorted(before.keys() - after.keys()):
            client.delete_role_policy(RoleName=name, PolicyName=gone)
        for policy, document in sorted(after.items()):
            client.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=document)
    if "managedPolicyArns" in new:
        set_each(
            old.get("managedPolicyArns"),
            new["managedPolicyArns"],
            add=lambda arn: client.attach_role_policy(RoleName=name, PolicyArn=arn),
            remove=lambda arn: client.detach_role_policy(RoleName=name, PolicyArn=arn),
        )


def _role_read(aws: Aws, identifier: str, _: Properties) -> Properties | None:
    client = aws.client("iam")
    found = or_none(client.get_role, RoleName=identifier)
    if found is None:
        return None
    role = found["Role"]
    inline = aws.pages("iam", "list_role_policies", "PolicyNames", RoleName=identifier)
    attached = aws.pages("iam", "list_attached_role_policies", "AttachedPolicies", RoleName=identifier)
    return {
        "name": role["RoleName"],
        "arn": role["Arn"],
        "uniqueId": role["RoleId"],
        "createDate": timestamp(role["CreateDate"]),
        "path": role["Path"],
        "description": role.get("Description") or None,
        "maxSessionDuration": role["MaxSessionDuration"],
        "assumeRolePolicy": as_text(role["AssumeRolePolicyDocument"]),
        "permissionsBoundary": role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
        "inlinePolicies": [
            {
                "name": name,
                "policy": as_text(client.get_role_policy(RoleName=identifier, PolicyName=name)["PolicyDocument"]),
            }
            for name in sorted(inline)
        ],
        "managedPolicyArns": sorted(one["PolicyArn"] for one in attached),
        "tagsAll": tags.from_pairs(role.get("Tags")),
    }


def _role_update(aws: Aws, identifier: str, old: Properties, new: Properties) -> None:
    client = aws.client("iam")
    if canonical_json(old["assumeRolePolicy"]) != canonical_json(new["assumeRolePolicy"]):
        client.update_assume_role_policy(RoleName=identifier, PolicyDocument=new["assumeRolePolicy"])
    client.update_role(
        RoleName=identifier, Description=new.get("description", ""), MaxSessionDuration=new["maxSessionDuration"]
    )
    if new.get("permissionsBoundary"):
        client.put_role_permissions_boundary(RoleName=identifier, PermissionsBoundary=new["permissionsBoundary"])
    elif old.get("permissionsBoundary"):
        client.delete_role_permissions_boundary(RoleName=identifier)
    _role_policies(aws, identifier, old, new)
    put, removed = tags.changes(old.get("tagsAll") or {}, tags.all_tags(aws, new))
    if removed:
        client.untag_role(RoleName=identifier, TagKeys=removed)
    if put:
        client.tag_role(RoleName=identifier, Tags=put)


def _role_delete(aws: Aws, identifier: str, inputs: Properties) -> None:
    """Policies that others put on the role stand in the way, as on AWS, unless `forceDetachPolicies` is set."""
    client = aws.client("iam")
    if or_none(client.get_role, RoleName=identifier) is None:
        return
    for profile in aws.pages("iam", "list_instance_profiles_for_role", "InstanceProfiles", RoleName=identifier):
        client.remove_role_from_instance_profile(
            InstanceProfileName=profile["InstanceProfileName"], RoleName=identifier
        )
    forced = bool(inputs.get("forceDetachPolicies"))
    declared_arns = set(inputs.get("managedPolicyArns") or ())
    for one in aws.pages("iam", "list_attached_role_policies", "AttachedPolicies", RoleName=identifier):
        if forced or one["PolicyArn"] in declared_arns:
            client.detach_role_policy(RoleName=identifier, PolicyArn=one["PolicyArn"])
    declared_names = {one.get("name") for one in inputs.get("inlinePolicies") or ()}
    for name in aws.pages("iam", "list_role_policies", "PolicyNames", RoleName=identifier):
        if forced or name in declared_names:
            client.delete_role_policy(RoleName=identifier, PolicyName=name)
    client.delete_role(RoleName=identifier)


def _same_inline(old: Any, new: Any) -> bool:  # noqa: ANN401 - property values have no type
    return _by_name(old) == _by_name(new)


def _by_name(policies: list[Properties]) -> dict[str, str]:
    return {one["name"]: canonical_json(one["policy"]) for one in policies if one.get("name")}


def _profile_create(aws: Aws, inputs: Properties) -> str:
    client, name = aws.client("iam"), name_of(inputs)
    client.create_instance_profile(
        InstanceProfileName=name, Path=inputs["path"], Tags=tags.as_pairs(tags.all_tags(aws, inputs))
    )
    if inputs.get("role"):
        client.add_role_to_instance_profile(InstanceProfileName=name, RoleName=inputs["role"])
    return name


def _profile_read(aws: Aws, identifier: str, _: Properties) -> Properties | None:
    found = or_none(aws.client("iam").get_instance_profile, InstanceProfileName=identifier)
    if found is None:
        return None
    profile = found["InstanceProfile"]
    roles = profile.get("Roles") or ()
    return {
        "name": profile["InstanceProfileName"],
        "arn": profile["Arn"],
        "uniqueId": profile["InstanceProfileId"],
        "createDate": timestamp(profile["CreateDate"]),
        "path": profile["Path"],
        "role": roles[0]["RoleName"] if roles else None,
        "tagsAll": tags.from_pairs(
            aws.pages("iam", "list_instance_profile_tags", "Tags", InstanceProfileName=identifier)
        ),
    }


def _profile_update(aws: Aws, identifier: str, old: Properties, new: Properties) -> None:
    client = aws.client("iam")
    if old.get("role") != new.get("role"):
        if old.get("role"):
            client.remove_role_from_instance_profile(InstanceProfileName=identifier, RoleName=old["role"])
        if new.get("role"):
            client.add_role_to_instance_profile(InstanceProfileName=identifier, RoleName=new["role"])
    put, removed = tags.changes(old.get("tagsAll") or {}, tags.all_tags(aws, new))
    if removed:
        client.untag_instance_profile(InstanceProfileName=identifier, TagKeys=removed)
    if put:
        client.tag_instance_profile(InstanceProfileName=identifier, Tags=put)


def _profile_delete(aws: Aws, identifier: str, _: Properties) -> None:
    client = aws.client("iam")
    found = or_none(client.get_instance_profile, InstanceProfileName=identifier)
    for role in found["InstanceProfile"].get("Roles", ()) if found else ():
        client.remove_role_from_instance_profile(InstanceProfileName=identifier, RoleName=role["RoleName"])
    client.delete_instance_profile(InstanceProfileName=identifier)


RESOURCE_TYPES = (
    ResourceType(
        type="aws:iam/role:Role",
        inputs=frozenset(
            {
                "assumeRolePolicy",
                "description",
                "forceDetachPolicies",
                "inlinePolicies",
                "managedPolicyArns",
                "maxSessionDuration",
                "name",
                "namePrefix",
                "path",
                "permissionsBoundary",
                "tags",
            }
        ),
        required=frozenset({"assumeRolePolicy"}),
        computed=frozenset({"arn", "createDate", "uniqueId"}),
        replaces=frozenset({"name", "namePrefix", "path"}),
        defaults={"forceDetachPolicies": False, "maxSessionDuration": 3600, "path": "/"},
        documents=frozenset({"assumeRolePolicy"}),
        unordered=frozenset({"managedPolicyArns"}),
        same={"inlinePolicies": _same_inline},
        also_computed=frozenset({"inlinePolicies", "managedPolicyArns"}),
        unreadable=frozenset({"forceDetachPolicies", "namePrefix"}),
        validations={
            "maxSessionDuration": between(3600, 43200),
            "name": ROLE_NAME,
            "path": PATH,
            "permissionsBoundary": ARN,
        },
        auto_name=AutoName(prefix_property="namePrefix", longest=64),
        taggable=True,
        create=_role_create,
        read=_role_read,
        update=_role_update,
        delete=_role_delete,
        identify=lambda _, inputs: inputs.get("name"),
        set_after=frozenset({"inlinePolicies", "managedPolicyArns"}),
    ),
    ResourceType(
        type="aws:iam/instanceProfile:InstanceProfile",
        inputs=frozenset({"name", "namePrefix", "path", "role", "tags"}),
        computed=frozenset({"arn", "createDate", "uniqueId"}),
        replaces=frozenset({"name", "namePrefix", "path"}),
        defaults={"path": "/"},
        unreadable=frozenset({"namePrefix"}),
        validations={"path": PATH},
        auto_name=AutoName(prefix_property="namePrefix", longest=128),
        taggable=True,
        create=_profile_create,
        read=_profile_read,
        update=_profile_update,
        delete=_profile_delete,
        identify=lambda _, inputs: inputs.get("name"),
        set_after=frozenset({"role"}),
    ),
)


def _get_role(aws: Aws, args: Properties) -> Properties:
    role = aws.client("iam").get_role(RoleName=args["name"])["Role"]
    return {
        "id": role["RoleName"],
        "name": role["RoleName"],
        "arn": role["Arn"],
        "assumeRolePolicy": as_text(role["AssumeRolePolicyDocument"]),
        "createDate": timestamp(role["CreateDate"]),
        "description": role.get("Description", ""),
        "maxSessionDuration": role["MaxSessionDuration"],
        "path": role["Path"],
        "permissionsBoundary": role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", ""),
        "roleLastUseds": [],
        "tags": tags.from_pairs(role.get("Tags")),
        "uniqueId": role["RoleId"],
    }


INVOKES = {"aws:iam/getRole:getRole": _get_role}
