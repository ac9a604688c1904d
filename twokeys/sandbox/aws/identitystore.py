"""The users and groups of IAM Identity Center, kept on record: nobody signs in to the local AWS.

https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from twokeys.sandbox.aws.client import Aws, or_none
from twokeys.sandbox.aws.resource_type import ResourceType, matches, same_shape
from twokeys.sandbox.aws.shapes import from_api, to_api
from twokeys.sandbox.engine.values import Properties

_USER = {
    "addresses": "Addresses",
    "displayName": "DisplayName",
    "emails": "Emails",
    "locale": "Locale",
    "name": "Name",
    "nickname": "NickName",
    "phoneNumbers": "PhoneNumbers",
    "preferredLanguage": "PreferredLanguage",
    "profileUrl": "ProfileUrl",
    "timezone": "Timezone",
    "title": "Title",
    "userName": "UserName",
    "userType": "UserType",
}
_LISTED = frozenset({"addresses", "emails", "phoneNumbers"})
"""Lists in the API of which AWS takes one element; the provider has that element in their place."""
_GROUP = {"description": "Description", "displayName": "DisplayName"}
_ID = matches(r"[\da-f-]{1,47}", "an id of the identity store")
_STORE_ID = matches(r"d-[\da-f]{10}|[\da-f-]{36}", "the id of an identity store")


# boto3's clients are generated at run time; `Any` is what boto3 itself declares without its stubs.
def _client(aws: Aws, known: Properties) -> Any:  # noqa: ANN401
    return aws.client("identitystore", known.get("region"))


def _told(inputs: Properties, table: dict[str, str]) -> Properties:
    return {theirs: _sent(ours, inputs[ours]) for ours, theirs in table.items() if inputs.get(ours) is not None}


def _sent(ours: str, value: Any) -> Any:  # noqa: ANN401 - property values have no type
    return [to_api(value)] if ours in _LISTED else to_api(value)


def _got(ours: str, value: Any) -> Any:  # noqa: ANN401 - as above
    return from_api(value[0] if value else None) if ours in _LISTED else from_api(value)


def _operations(old: Properties, new: Properties, table: dict[str, str]) -> list[Properties]:
    """The changes by attribute; an attribute without a value is removed."""
    changed = [ours for ours in table if old.get(ours) != new.get(ours)]
    return [
        {
            "AttributePath": f"{table[ours][0].lower()}{table[ours][1:]}",
            **({"AttributeValue": _sent(ours, new[ours])} if new.get(ours) is not None else {}),
        }
        for ours in changed
    ]


def _user_create(aws: Aws, inputs: Properties) -> str:
    store = inputs["identityStoreId"]
    created = _client(aws, inputs).create_user(IdentityStoreId=store, **_told(inputs, _USER))
    return f"{store}/{created['UserId']}"


def _user_read(aws: Aws, identifier: str, known: Properties) -> Properties | None:
    store, _, user = identifier.partition("/")
    found = or_none(_client(aws, known).describe_user, IdentityStoreId=store, UserId=user)
    if found is None:
        return None
    return {
        **{ours: _got(ours, found.get(theirs)) for ours, theirs in _USER.items()},
        "externalIds": from_api(found.get("ExternalIds") or []),
        "identityStoreId": store,
        "region": str(known.get("region") or aws.region),
        "userId": user,
        "userStatus": found.get("UserStatus") or "ENABLED",
    }


def _user_update(aws: Aws, identifier: str, old: Properties, new: Properties) -> None:
    store, _, user = identifier.partition("/")
    operations = _operations(old, new, _USER)
    _client(aws, new).update_user(IdentityStoreId=store, UserId=user, Operations=operations)


def _user_delete(aws: Aws, identifier: str, inputs: Properties) -> None:
    store, _, user = identifier.partition("/")
    _client(aws, inputs).delete_user(IdentityStoreId=store, UserId=user)


def _user_named(aws: Aws, inputs: Properties) -> str | None:
    return _named(_client(aws, inputs).get_user_id, inputs, "userName", "UserId")


def _named(call: Callable[..., Any], inputs: Properties, unique: str, key: str) -> str | None:
    attribute = {"AttributePath": unique, "AttributeValue": inputs[unique]}
    store = inputs["identityStoreId"]
    found = or_none(call, IdentityStoreId=store, AlternateIdentifier={"UniqueAttribute": attribute})
    return None if found is None else f"{store}/{found[key]}"


def _group_create(aws: Aws, inputs: Properties) -> str:
    store = inputs["identityStoreId"]
    created = _client(aws, inputs).create_group(IdentityStoreId=store, **_told(inputs, _GROUP))
    return f"{store}/{created['GroupId']}"


def _group_read(aws: Aws, identifier: str, known: Properties) -> Properties | None:
    store, _, group = identifier.partition("/")
    found = or_none(_client(aws, known).describe_group, IdentityStoreId=store, GroupId=group)
    if found is None:
        return None
    return {
        **{ours: found.get(theirs) for ours, theirs in _GROUP.items()},
        "arn": f"arn:aws:identitystore:::group/{group}",
        "externalIds": from_api(found.get("ExternalIds") or []),
        "groupId": group,
        "identityStoreId": store,
        "region": str(known.get("region") or aws.region),
    }


def _group_update(aws: Aws, identifier: str, old: Properties, new: Properties) -> None:
    store, _, group = identifier.partition("/")
    operations = _operations(old, new, _GROUP)
    _client(aws, new).update_group(IdentityStoreId=store, GroupId=group, Operations=operations)


def _group_delete(aws: Aws, identifier: str, inputs: Properties) -> None:
    store, _, group = identifier.partition("/")
    _client(aws, inputs).delete_group(IdentityStoreId=store, GroupId=group)


def _group_named(aws: Aws, inputs: Properties) -> str | None:
    return _named(_client(aws, inputs).get_group_id, inputs, "displayName", "GroupId")


def _membership_create(aws: Aws, inputs: Properties) -> str:
    store = inputs["identityStoreId"]
    created = _client(aws, inputs).create_group_membership(
        IdentityStoreId=store, GroupId=inputs["groupId"], MemberId={"UserId": inputs["memberId"]}
    )
    return f"{store}/{created['MembershipId']}"


def _membership_read(aws: Aws, identifier: str, known: Properties) -> Properties | None:
    store, _, membership = identifier.partition("/")
    found = or_none(_client(aws, known).describe_group_membership, IdentityStoreId=store, MembershipId=membership)
    if found is None:
        return None
    return {
        "groupId": found["GroupId"],
        "identityStoreId": store,
        "memberId": found["MemberId"]["UserId"],
        "membershipId": membership,
        "region": str(known.get("region") or aws.region),
    }


def _membership_delete(aws: Aws, identifier: str, inputs: Properties) -> None:
    store, _, membership = identifier.partition("/")
    _client(aws, inputs).delete_group_membership(IdentityStoreId=store, MembershipId=membership)


def _membership_of(aws: Aws, inputs: Properties) -> str | None:
    store, pages = inputs["identityStoreId"], _client(aws, inputs).get_paginator("list_group_memberships")
    memberships: Iterable[Any] = (
        one
        for page in pages.paginate(IdentityStoreId=store, GroupId=inputs["groupId"])
        for one in page["GroupMemberships"]
    )
    found = (one["MembershipId"] for one in memberships if one["MemberId"]["UserId"] == inputs["memberId"])
    return next((f"{store}/{identifier}" for identifier in found), None)


RESOURCE_TYPES = (
    ResourceType(
        type="aws:identitystore/user:User",
        inputs=frozenset({*_USER, "identityStoreId", "region"}),
        required=frozenset({"displayName", "identityStoreId", "userName"}),
        computed=frozenset({"externalIds", "userId", "userStatus"}),
        replaces=frozenset({"identityStoreId", "region", "userName"}),
        also_computed=frozenset({"region"}),
        same=dict.fromkeys(("addresses", "emails", "name", "phoneNumbers"), same_shape),
        validations={"identityStoreId": _STORE_ID},
        create=_user_create,
        read=_user_read,
        update=_user_update,
        delete=_user_delete,
        identify=_user_named,
        record=True,
    ),
    ResourceType(
        type="aws:identitystore/group:Group",
        inputs=frozenset({*_GROUP, "identityStoreId", "region"}),
        required=frozenset({"displayName", "identityStoreId"}),
        computed=frozenset({"arn", "externalIds", "groupId"}),
        replaces=frozenset({"identityStoreId", "region"}),
        also_computed=frozenset({"region"}),
        validations={"identityStoreId": _STORE_ID},
        create=_group_create,
        read=_group_read,
        update=_group_update,
        delete=_group_delete,
        identify=_group_named,
        record=True,
    ),
    ResourceType(
        type="aws:identitystore/groupMembership:GroupMembership",
        inputs=frozenset({"groupId", "identityStoreId", "memberId", "region"}),
        required=frozenset({"groupId", "identityStoreId", "memberId"}),
        computed=frozenset({"membershipId"}),
        also_computed=frozenset({"region"}),
        validations={"groupId": _ID, "identityStoreId": _STORE_ID, "memberId": _ID},
        create=_membership_create,
        read=_membership_read,
        delete=_membership_delete,
        identify=_membership_of,
        record=True,
    ),
)

INVOKES: dict[str, Callable[[Aws, Properties], Properties]] = {}
