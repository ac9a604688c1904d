"""IAM operations and refusals that ministack lacks: https://docs.aws.amazon.com/IAM/latest/APIReference/.

Renaming users and groups, changing and tagging identity providers, the refusal to attach what does not exist, of a
trust policy that names a principal which does not exist (in an account that this local AWS has), and to delete a user
or group that something hangs on. The features of centralized root access are kept on record only.
"""

import json
import re
from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias
from urllib.parse import parse_qs

from ministack.core.arn import ArnParseError, parse_arn
from ministack.core.responses import AccountScopedDict, get_account_id

from twokeys.sandbox.local_server import organizations, records
from twokeys.sandbox.local_server.inside import iam as base
from twokeys.sandbox.local_server.inside import organizations as base_organizations
from twokeys.sandbox.local_server.supplement import Answer, ApiError

Params: TypeAlias = dict[str, list[str]]

_features = records.store("iam.organizations-features")  # organization id -> the names of the enabled features


def install() -> None:
    """Add what is missing to ministack's table of operations."""
    base.parse_qs = _parsed
    for name, operation in _MISSING.items():
        base.IAM_HANDLERS[name] = partial(_refusing, partial(_answer, name, operation))
    for name, check in _CHECKS.items():
        base.IAM_HANDLERS[name] = partial(_refusing, partial(_checked, check, base.IAM_HANDLERS[name]))


def _parsed(text: str) -> Params:
    """A request's parameters, with the empty ones: an empty Description clears it, and ministack would not see it.

    ministack writes descriptions and tags into its XML as they are, so they are escaped before it keeps them.
    """
    return {
        name: [base.xml_escape(value) for value in values] if _WRITTEN_AS_IS.fullmatch(name) else values
        for name, values in parse_qs(text, keep_blank_values=True).items()
    }


_WRITTEN_AS_IS = re.compile(r"Description|Tags\.member\.\d+\.(Key|Value)|TagKeys\.member\.\d+")


def _refusing(handler: Callable[[Params], Answer], params: Params) -> Answer:
    """An answer in IAM's own protocol, XML, or the error that is raised."""
    try:
        return handler(params)
    except ApiError as error:
        status, headers, body = base.error(error.status, error.code, base.xml_escape(str(error)), ns="iam")
        return status, headers, body


def _answer(name: str, operation: Callable[[Params], str], params: Params) -> Answer:
    result = f"<{name}Result>{operation(params)}</{name}Result>"
    status, headers, body = base.xml(200, f"{name}Response", result, ns="iam")
    return status, headers, body


def _checked(check: Callable[[Params], None], handler: Callable[[Params], Answer], params: Params) -> Answer:
    check(params)
    return handler(params)


def _update_user(params: Params) -> str:
    old, new = _rename(params, base.users, "user", "UserName", "NewUserName")
    if old != new:
        for group in base.groups.values():
            group["Users"] = [new if member == old else member for member in group["Users"]]
        for key in base.access_keys.values():
            if key["UserName"] == old:
                key["UserName"] = new
        _move_key(base.user_inline_policies, old, new)
        _move_key(base.login_profiles, old, new)
    return ""


def _update_group(params: Params) -> str:
    old, new = _rename(params, base.groups, "group", "GroupName", "NewGroupName")
    if old != new:
        _move_key(base.group_inline_policies, old, new)
    return ""


def _rename(params: Params, store: AccountScopedDict, kind: str, name_key: str, new_key: str) -> tuple[str, str]:
    old = base.p(params, name_key)
    new = base.p(params, new_key) or old
    if old not in store:
        raise ApiError("NoSuchEntity", f"The {kind} with name {old} cannot be found.", status=404)
    if new != old and new in store:
        raise ApiError("EntityAlreadyExists", f"The {kind} with name {new} already exists.", status=409)
    entity = store.pop(old)
    entity["Path"] = base.p(params, "NewPath") or entity["Path"]
    entity[name_key] = new
    entity["Arn"] = f"arn:aws:iam::{get_account_id()}:{kind}{entity['Path']}{new}"
    store[new] = entity
    return old, new


def _move_key(store: AccountScopedDict, old: str, new: str) -> None:
    if old in store:
        store[new] = store.pop(old)


def _add_client(params: Params) -> str:
    provider, client = _oidc(params), base.p(params, "ClientID")
    if client not in provider["ClientIDList"]:
        provider["ClientIDList"].append(client)
    return ""


def _remove_client(params: Params) -> str:
    provider, client = _oidc(params), base.p(params, "ClientID")
    provider["ClientIDList"] = [known for known in provider["ClientIDList"] if known != client]
    return ""


def _update_thumbprints(params: Params) -> str:
    _oidc(params)["ThumbprintList"] = _members(params, "ThumbprintList")
    return ""


def _oidc(params: Params) -> dict[str, Any]:
    return _entity(base.oidc_providers, base.p(params, "OpenIDConnectProviderArn"))


def _saml(params: Params) -> dict[str, Any]:
    return _entity(base.saml_providers, base.p(params, "SAMLProviderArn"))


def _entity(store: AccountScopedDict, arn: str) -> dict[str, Any]:
    entity: dict[str, Any] | None = store.get(arn)
    if entity is None:
        raise ApiError("NoSuchEntity", f"{arn} not found.", status=404)
    return entity


def _retag(find: Callable[[Params], dict[str, Any]], params: Params) -> str:
    """Tags that a request puts, or takes away by their keys."""
    entity, new = find(params), base.extract_tags(params)
    names = {*base.extract_tag_keys(params), *(one["Key"] for one in new)}
    entity["Tags"] = [one for one in entity.get("Tags", []) if one["Key"] not in names] + new
    return ""


def _members(params: Params, name: str) -> list[str]:
    found: list[str] = []
    while value := base.p(params, f"{name}.member.{len(found) + 1}"):
        found.append(value)
    return found


def _policy_exists(params: Params) -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html: NoSuchEntity.

    AWS's own policies are not checked: ministack has the documents of some twenty of them only.
    """
    arn = base.p(params, "PolicyArn")
    if not base.is_aws_managed_arn(arn) and arn not in base.policies:
        raise ApiError("NoSuchEntity", f"Policy {arn} does not exist or is not attachable.", status=404)


def _group_is_empty(params: Params) -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteGroup.html: no users, no policies."""
    name = base.p(params, "GroupName")
    group = base.groups.get(name) or {}
    _refuse_delete("remove users from group", group.get("Users"))
    _refuse_delete("detach all policies", group.get("AttachedPolicies"))
    _refuse_delete("delete all inline policies", base.group_inline_policies.get(name))


def _user_is_bare(params: Params) -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUser.html lists what goes first.

    ministack looks at access keys and attached policies itself.
    """
    name = base.p(params, "UserName")
    _refuse_delete("delete login profile", name in base.login_profiles)
    _refuse_delete("delete MFA device", any(one["User"] == name for one in base.mfa_devices.values()))
    _refuse_delete("delete policies", base.user_inline_policies.get(name))
    _refuse_delete("remove users from group", any(name in group["Users"] for group in base.groups.values()))


def _refuse_delete(first: str, in_the_way: object) -> None:
    if in_the_way:
        raise ApiError("DeleteConflict", f"Cannot delete entity, must {first} first.", status=409)


def _principals_exist(document: str) -> None:
    """A role or user that a trust policy names must exist: IAM keeps its unique id, not its name.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html. Accounts that this
    local AWS does not have are not checked.
    """
    try:
        statements = json.loads(document)["Statement"]
    except (ValueError, KeyError, TypeError) as error:
        raise ApiError("MalformedPolicyDocument", "This policy contains invalid Json", status=400) from error
    for statement in statements if isinstance(statements, list) else [statements]:
        principal = statement.get("Principal")
        named = principal.get("AWS", []) if isinstance(principal, dict) else []
        for arn in [named] if isinstance(named, str) else named:
            if not _exists(arn):
                raise ApiError("MalformedPolicyDocument", f'Invalid principal in policy: "AWS":"{arn}"', status=400)


def _exists(principal: str) -> bool:
    try:
        arn = parse_arn(principal)
    except ArnParseError:
        return True
    kind, _, path = arn.resource.partition("/")
    store = {"role": base.roles, "user": base.users}.get(kind)
    known = arn.account_id == get_account_id() or organizations.organization_of(arn.account_id) is not None
    if arn.service != "iam" or store is None or not known:
        return True
    entity = store.get_scoped(arn.account_id, None, path.rpartition("/")[2])
    return entity is not None and entity["Arn"] == principal


def _switch(feature: str, on: bool, _: Params) -> str:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-enable-root-access.html: centralized root access."""
    organization = _trusting_organization()
    others = [one for one in _features.get(organization) or () if one != feature]
    _features[organization] = sorted([*others, feature] if on else others)
    return _list_features({})


def _list_features(_: Params) -> str:
    organization = _trusting_organization()
    members = "".join(f"<member>{feature}</member>" for feature in _features.get(organization) or ())
    return f"<OrganizationId>{organization}</OrganizationId><EnabledFeatures>{members}</EnabledFeatures>"


def _trusting_organization() -> str:
    """The id of the organization that the account manages, when it trusts IAM."""
    account = get_account_id()
    if organizations.organization_of(account) != account:
        raise ApiError("OrganizationNotFoundException", f"{account} manages no organization.", status=404)
    if not organizations.trusts(account, "iam.amazonaws.com"):
        raise ApiError(
            "ServiceAccessNotEnabledException", "Trusted access of iam.amazonaws.com is missing.", status=409
        )
    return str(base_organizations.orgs["self"]["Id"])


_MISSING: dict[str, Callable[[Params], str]] = {
    "UpdateUser": _update_user,
    "UpdateGroup": _update_group,
    "AddClientIDToOpenIDConnectProvider": _add_client,
    "RemoveClientIDFromOpenIDConnectProvider": _remove_client,
    "UpdateOpenIDConnectProviderThumbprint": _update_thumbprints,
    "TagOpenIDConnectProvider": partial(_retag, _oidc),
    "UntagOpenIDConnectProvider": partial(_retag, _oidc),
    "TagSAMLProvider": partial(_retag, _saml),
    "UntagSAMLProvider": partial(_retag, _saml),
    "EnableOrganizationsRootCredentialsManagement": partial(_switch, "RootCredentialsManagement", True),
    "DisableOrganizationsRootCredentialsManagement": partial(_switch, "RootCredentialsManagement", False),
    "EnableOrganizationsRootSessions": partial(_switch, "RootSessions", True),
    "DisableOrganizationsRootSessions": partial(_switch, "RootSessions", False),
    "ListOrganizationsFeatures": _list_features,
}

_CHECKS: dict[str, Callable[[Params], None]] = {
    "CreateRole": lambda params: _principals_exist(base.p(params, "AssumeRolePolicyDocument")),
    "UpdateAssumeRolePolicy": lambda params: _principals_exist(base.p(params, "PolicyDocument")),
    "AttachRolePolicy": _policy_exists,
    "AttachGroupPolicy": _policy_exists,
    "AttachUserPolicy": _policy_exists,
    "DeleteGroup": _group_is_empty,
    "DeleteUser": _user_is_bare,
}
