"""AWS Organizations, where ministack has less than AWS: https://docs.aws.amazon.com/organizations/latest/APIReference/.

ministack gives every account an organization as soon as it asks for one. Here, as on AWS, an organization exists once
it was created, member accounts find the one they belong to, a new account gets its access role, an e-mail address is
used once, and trusted services and delegated administrators are kept. A closed account is suspended at once and cannot
be entered.

Not here: RemoveAccountFromOrganization does not ask for the account's own payment details, which AWS requires. Sessions
in an account outlive its closing. A closed account can be moved and tagged: AWS documents no refusal. No quota ends
closing, and no closed account leaves the organization by itself.
"""

import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any
from urllib.parse import parse_qs
from uuid import NAMESPACE_OID, uuid5

from ministack.core.responses import get_account_id, get_region, request_scope

from twokeys.sandbox.local_server import records
from twokeys.sandbox.local_server.inside import iam, sts
from twokeys.sandbox.local_server.inside import organizations as base
from twokeys.sandbox.local_server.supplement import Answer, ApiError, Handler, Payload, answering

_services = records.store("organizations.services")  # trusted principal -> since when
_delegated = records.store("organizations.delegated")  # (account, principal) -> since when
_closed = records.store("organizations.closed")  # a closed account -> True
_made: Counter[str] = Counter()
_called: ContextVar[str | None] = ContextVar("called", default=None)
"""What is being made: its id is told by that, so that two runs of a program can be compared."""
_ROOT_EMAIL = "example@company.com"
"""The management account's address: as on AWS one that can get mail, from which `twokeys adopt` may derive others."""
_ADMINISTRATOR_ACCESS = "arn:aws:iam::aws:policy/AdministratorAccess"


def install() -> None:
    """Add what is missing to ministack's table of operations, and guard every operation as AWS does."""
    for name, operation in _MISSING.items():
        base.DISPATCH[name] = answering(operation)
    for name, amended in _AMENDED.items():
        base.DISPATCH[name] = answering(partial(amended, base.DISPATCH[name]))
    for name, handler in list(base.DISPATCH.items()):
        if name != "CreateOrganization":
            base.DISPATCH[name] = answering(partial(_inside_an_organization, name, handler))
    base.public_account = _with_state(base.public_account)
    base.new_uuid = _same_in_each_run(base.new_uuid)
    sts.handle_request = _into_usable_accounts(sts.handle_request)


def organization_of(account: str) -> str | None:
    """The management account of the organization that `account` belongs to, or None."""
    for management, member in base.accounts.to_dict():
        if member == account:
            return str(management)
    return None


def trusts(management: str, service: str) -> bool:
    """Whether trusted access of `service` ("account.amazonaws.com") is enabled in that organization."""
    return bool(_services.contains_scoped(management, None, service))


def _inside_an_organization(name: str, handler: Handler, payload: Payload) -> Answer:
    management = organization_of(get_account_id())
    if management is None:
        raise ApiError("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
    if management != get_account_id() and name != "DescribeOrganization":
        raise ApiError("AccessDeniedException", "You don't have permissions to access this resource.")
    with request_scope(management, get_region()):
        return handler(payload)


def _create_organization(payload: Payload) -> Payload:
    if organization_of(get_account_id()) is not None:
        raise ApiError("AlreadyInOrganizationException", "The AWS account is already a member of an organization.")
    with _identified(f"organization of {get_account_id()}"):
        base.ensure_org()
    said = {"FeatureSet": payload.get("FeatureSet") or "ALL", "MasterAccountEmail": _ROOT_EMAIL}
    base.orgs["self"] = organization = {**base.orgs["self"], **said}
    base.accounts[get_account_id()] = {**base.accounts[get_account_id()], "Email": _ROOT_EMAIL}
    for identifier, root in base.roots.items():
        base.roots[identifier] = {**root, "PolicyTypes": []}  # AWS enables none until EnablePolicyType
    return {"Organization": organization}


@contextmanager
def _identified(name: str) -> Iterator[None]:
    """What is made meanwhile has its id from a name, and from how often that name was used."""
    _made[name] += 1
    token = _called.set(f"{name}, {_made[name]}")
    try:
        yield
    finally:
        _called.reset(token)


def _same_in_each_run(new_uuid: Callable[[], str]) -> Callable[[], str]:
    def made() -> str:
        name = _called.get()
        return new_uuid() if name is None else str(uuid5(NAMESPACE_OID, name))

    return made


def _delete_organization(_: Payload) -> Payload:
    if len(base.accounts) > 1:
        raise ApiError(
            "OrganizationNotEmptyException",
            "To delete an organization you must first remove all member accounts (except the management account).",
        )
    stores = (base.orgs, base.accounts, base.ous, base.roots, base.tags, base.policies, base.attachments)
    for store in (*stores, base.create_statuses, _services, _delegated, _closed):
        for key in store.keys():  # noqa: SIM118 - a scoped dict lists this account's keys only here
            store.pop(key)
    return {}


def _with_access_role(create: Handler, payload: Payload) -> Payload | Answer:
    """https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_access.html."""
    if email_taken(str(payload.get("Email"))):
        return {"CreateAccountStatus": failed_creation(payload, "EMAIL_ALREADY_EXISTS")}
    with _identified(f"{payload.get('Email')} of {get_account_id()}"):
        status, headers, body = create(payload)
    if status == 200:
        account = json.loads(body)["CreateAccountStatus"]["AccountId"]
        management = get_account_id()
        with request_scope(account, get_region()):
            _make_access_role(payload.get("RoleName") or "OrganizationAccountAccessRole", management)
    return status, headers, body


def _make_access_role(name: str, management: str) -> None:
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{management}:root"}, "Action": "sts:AssumeRole"}
        ],
    }
    for operation, request in (
        ("CreateRole", {"RoleName": name, "AssumeRolePolicyDocument": json.dumps(trust)}),
        ("AttachRolePolicy", {"RoleName": name, "PolicyArn": _ADMINISTRATOR_ACCESS}),
    ):
        status, _, body = iam.IAM_HANDLERS[operation]({key: [value] for key, value in request.items()})
        if status != 200:
            raise ApiError("ServiceException", f"the access role {name} could not be made: {body.decode()}")


def failed_creation(payload: Payload, reason: str) -> Payload:
    """A CreateAccount that ended so, kept for whoever asks again by its id.

    https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateAccountStatus.html
    """
    now = int(time.time())
    identifier = f"car-{len(base.create_statuses):08x}failed"
    status = {
        "Id": identifier,
        "AccountName": payload["AccountName"],
        "State": "FAILED",
        "RequestedTimestamp": now,
        "CompletedTimestamp": now,
        "FailureReason": reason,
    }
    base.create_statuses[identifier] = status
    return status


def _list_create_account_status(payload: Payload) -> Payload:
    states = payload.get("States") or ("IN_PROGRESS", "SUCCEEDED", "FAILED")
    return {"CreateAccountStatuses": [s for s in base.create_statuses.values() if s["State"] in states]}


def _close_account(payload: Payload) -> Payload:
    """https://docs.aws.amazon.com/organizations/latest/APIReference/API_CloseAccount.html"""
    identifier = str(payload.get("AccountId"))
    account = base.accounts.get(identifier)
    if account is None:
        raise ApiError("AccountNotFoundException", f"We can't find an account with the AccountId {identifier}.")
    if identifier == get_account_id():
        raise _violation("CANNOT_CLOSE_MANAGEMENT_ACCOUNT", "You can't close the management account.")
    if base.orgs["self"]["FeatureSet"] != "ALL":
        raise _violation("ORGANIZATION_NOT_IN_ALL_FEATURES_MODE", "Closing an account needs all features.")
    if _delegated_to(identifier):
        raise _violation(
            "CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG", f"{identifier} is a delegated administrator of a service."
        )
    if identifier in _closed:
        raise ApiError("AccountAlreadyClosedException", f"The account {identifier} is closed already.")
    _closed[identifier] = True
    return {}


def _violation(reason: str, message: str) -> ApiError:
    return ApiError("ConstraintViolationException", message, reason=reason)


def _with_state(public: Callable[[Payload], Payload]) -> Callable[[Payload], Payload]:
    """AWS tells a state beside the status, and calls a closed account CLOSED in the one and SUSPENDED in the other.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_account_state.html
    """

    def described(account: Payload) -> Payload:
        state = {"Status": "SUSPENDED", "State": "CLOSED"} if account["Id"] in _closed else {"State": "ACTIVE"}
        return {**public(account), **state}

    return described


def closed(account: str) -> bool:
    """Whether a member account is closed."""
    return bool(_closed.contains_scoped(organization_of(account), None, account))


def email_taken(email: str) -> bool:
    """Whether an account of the caller's organization has this address; other organizations are not asked."""
    return email.casefold() in {str(account["Email"]).casefold() for account in base.accounts.values()}


def member(account: str) -> Payload | None:
    """What the organization knows of a member account, its management account included."""
    management = organization_of(account)
    return None if management is None else base.accounts.get_scoped(management, None, account)


def change_member(account: str, **changes: str) -> None:
    """Change what the organization knows of a member account."""
    management = organization_of(account)
    if management is None:
        raise ApiError("ResourceNotFoundException", f"{account} is in no organization.")
    with request_scope(management, get_region()):
        base.accounts[account] = {**base.accounts[account], **changes}


def _into_usable_accounts(handle: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """A role of a closed account cannot be assumed."""

    async def checked(method: str, path: str, headers: Any, body: Any, query_params: Any) -> Any:  # noqa: ANN401
        text = body.decode() if isinstance(body, bytes) else body or ""
        asked = {**parse_qs(text), **(query_params or {})}
        target = str((asked.get("RoleArn") or [""])[0]).split(":")
        if len(target) > 4 and closed(target[4]):
            return sts.error(403, "AccessDenied", f"The account {target[4]} is closed.", ns="sts")
        return await handle(method, path, headers, body, query_params)

    return checked


def _remove_account(payload: Payload) -> Payload:
    account = _member(payload)
    base.accounts.pop(account)
    base.tags.pop(account, None)
    _detach_everything(account)
    return {}


def _detach_everything(target: str | None) -> None:
    for policy, targets in base.attachments.items():
        base.attachments[policy] = [one for one in targets if one != target]


def _with_unique_name(create: Handler, payload: Payload) -> Answer:
    parent = payload.get("ParentId")
    if base.target(parent)[1] not in ("ROOT", "ORGANIZATIONAL_UNIT"):
        raise ApiError("ParentNotFoundException", f"We can't find a root or OU with the ParentId {parent}.")
    _refuse_duplicate_unit(str(parent), payload.get("Name"))
    with _identified(f"unit {payload.get('Name')} of {parent}"):
        status, headers, body = create(payload)
    if status == 200:
        attached = base.attachments.get(base.FULL_ACCESS_POLICY_ID) or []
        unit = json.loads(body)["OrganizationalUnit"]["Id"]
        base.attachments[base.FULL_ACCESS_POLICY_ID] = [*attached, unit]
    return status, headers, body


def _with_id_from_name(create: Handler, payload: Payload) -> Answer:
    with _identified(f"{payload.get('Type')} {payload.get('Name')} of {get_account_id()}"):
        return create(payload)


def _update_unit(payload: Payload) -> Payload:
    identifier = payload.get("OrganizationalUnitId")
    unit = base.ous.get(identifier)
    if unit is None:
        raise ApiError("OrganizationalUnitNotFoundException", f"We can't find an OU with the id {identifier}.")
    name = payload.get("Name")
    if name and name != unit["Name"]:
        _refuse_duplicate_unit(unit["_ParentId"], name)
        unit = {**unit, "Name": name, "Path": f"{unit['Path'][: -len(unit['Name']) - 1]}{name}/"}
        base.ous[identifier] = unit
    return {"OrganizationalUnit": base.public_ou(unit)}


def _if_empty(delete: Handler, payload: Payload) -> Answer:
    identifier = payload.get("OrganizationalUnitId")
    if any(child["_ParentId"] == identifier for child in (*base.ous.values(), *base.accounts.values())):
        raise ApiError("OrganizationalUnitNotEmptyException", "The OU still has accounts or OUs in it.")
    answer = delete(payload)
    _detach_everything(identifier)
    return answer


def _refuse_duplicate_unit(parent: str, name: str | None) -> None:
    if any(unit["_ParentId"] == parent and unit["Name"] == name for unit in base.ous.values()):
        raise ApiError("DuplicateOrganizationalUnitException", "An OU with the same name already exists.")


def _enable_service(payload: Payload) -> Payload:
    _services.setdefault(payload["ServicePrincipal"], int(time.time()))
    return {}


def _disable_service(payload: Payload) -> Payload:
    _services.pop(payload["ServicePrincipal"], None)
    return {}


def _list_services(_: Payload) -> Payload:
    services = [{"ServicePrincipal": name, "DateEnabled": since} for name, since in sorted(_services.items())]
    return {"EnabledServicePrincipals": services}


def _delegated_to(account: str) -> dict[str, int]:
    """The services that a member account administers, each with the time since when."""
    return {service: since for (administrator, service), since in _delegated.items() if administrator == account}


def _register_administrator(payload: Payload) -> Payload:
    account, service = _member(payload), payload["ServicePrincipal"]
    if not trusts(get_account_id(), service):
        raise ApiError("ConstraintViolationException", f"Trusted access of {service} is not enabled.")
    if (account, service) in _delegated:
        raise ApiError("AccountAlreadyRegisteredException", f"{account} is a delegated administrator of {service}.")
    _delegated[account, service] = int(time.time())
    return {}


def _deregister_administrator(payload: Payload) -> Payload:
    account, service = payload["AccountId"], payload["ServicePrincipal"]
    if _delegated.pop((account, service), None) is None:
        raise ApiError("AccountNotRegisteredException", f"{account} is no delegated administrator of {service}.")
    return {}


def _list_administrators(payload: Payload) -> Payload:
    wanted = payload.get("ServicePrincipal")
    return {
        "DelegatedAdministrators": [
            {**base.public_account(base.accounts[account]), "DelegationEnabledDate": min(services.values())}
            for account in base.accounts
            if (services := _delegated_to(account)) and (wanted is None or wanted in services)
        ]
    }


def _list_delegated_services(payload: Payload) -> Payload:
    services = _delegated_to(payload["AccountId"])
    if not services:
        raise ApiError("AccountNotRegisteredException", f"{payload['AccountId']} is no delegated administrator.")
    listed = [{"ServicePrincipal": name, "DelegationEnabledDate": since} for name, since in sorted(services.items())]
    return {"DelegatedServices": listed}


def _describe_resource_policy(_: Payload) -> Payload:
    """The sandbox has none, and none can be put."""
    raise ApiError("ResourcePolicyNotFoundException", "The organization has no resource policy.")


def _member(payload: Payload) -> str:
    identifier = str(payload.get("AccountId"))
    if identifier not in base.accounts:
        raise ApiError("AccountNotFoundException", f"We can't find an account with the AccountId {identifier}.")
    if identifier == get_account_id():
        raise ApiError("ConstraintViolationException", "The management account cannot be used for this.")
    return identifier


_MISSING: dict[str, Callable[[Payload], Payload | Answer]] = {
    "CloseAccount": _close_account,
    "CreateOrganization": _create_organization,
    "DeleteOrganization": _delete_organization,
    "ListCreateAccountStatus": _list_create_account_status,
    "RemoveAccountFromOrganization": _remove_account,
    "UpdateOrganizationalUnit": _update_unit,
    "EnableAWSServiceAccess": _enable_service,
    "DisableAWSServiceAccess": _disable_service,
    "ListAWSServiceAccessForOrganization": _list_services,
    "RegisterDelegatedAdministrator": _register_administrator,
    "DeregisterDelegatedAdministrator": _deregister_administrator,
    "ListDelegatedAdministrators": _list_administrators,
    "ListDelegatedServicesForAccount": _list_delegated_services,
    "DescribeResourcePolicy": _describe_resource_policy,
}

_AMENDED: dict[str, Callable[[Handler, Payload], Payload | Answer]] = {
    "CreateAccount": _with_access_role,
    "CreateOrganizationalUnit": _with_unique_name,
    "CreatePolicy": _with_id_from_name,
    "DeleteOrganizationalUnit": _if_empty,
}
