"""Organizations: the organization, its units, accounts and policies, and delegated administrators.

https://docs.aws.amazon.com/organizations/latest/APIReference/ has a page for each operation.
"""

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from twokeys.sandbox.aws.calls import Calls
from twokeys.sandbox.aws.client import Aws, ProviderError, or_none, timestamp
from twokeys.sandbox.aws.resource_type import AutoName, Properties, ResourceType, set_each

_CREATE_ACCOUNT_SECONDS: Final = 300.0
_ANOTHER_EMAIL: Final = (
    "Next step: give it another `email`, or take over the account that has this one (`adopt: ID`; "
    "aws organizations list-accounts)"
)
_SERVICE: Final = "organizations"
_UNIT: Final = Calls(
    "aws:organizations/organizationalUnit:OrganizationalUnit",
    "organizational_unit",
    "OrganizationalUnitId",
    look="describe",
    of_tags="ResourceId",
)
_ACCOUNT: Final = Calls(
    "aws:organizations/account:Account",
    "account",
    "AccountId",
    {"AccountName": "name"},
    look="describe",
    of_tags="ResourceId",
)
_POLICY: Final = Calls("aws:organizations/policy:Policy", "policy", "PolicyId", look="describe", of_tags="ResourceId")


def _organization_create(aws: Aws, inputs: Properties) -> str:
    client = aws.client(_SERVICE)
    identifier = client.create_organization(FeatureSet=inputs["featureSet"])["Organization"]["Id"]
    _organization_settings(aws, {}, inputs)
    return str(identifier)


def _organization_settings(aws: Aws, old: Properties, new: Properties) -> None:
    client = aws.client(_SERVICE)
    names = "awsServiceAccessPrincipals", "enabledPolicyTypes"
    set_each(
        old.get(names[0]),
        new.get(names[0]),
        lambda service: client.enable_aws_service_access(ServicePrincipal=service),
        lambda service: client.disable_aws_service_access(ServicePrincipal=service),
    )
    root = client.list_roots()["Roots"][0]["Id"]
    set_each(
        old.get(names[1]),
        new.get(names[1]),
        lambda kind: client.enable_policy_type(RootId=root, PolicyType=kind),
        lambda kind: client.disable_policy_type(RootId=root, PolicyType=kind),
    )


def _organization_read(aws: Aws, identifier: str, _: Properties) -> Properties | None:
    organization = _described(aws)
    if organization is None or organization["Id"] != identifier:
        return None
    return _organization(aws, organization)


def _described(aws: Aws) -> Any:  # noqa: ANN401 - boto3's answer
    found = or_none(aws.client(_SERVICE).describe_organization)
    return None if found is None else found["Organization"]


def _organization(aws: Aws, organization: Mapping[str, Any]) -> Properties:
    """What both the resource and the look-up tell. Accounts: `{arn, email, id, joinedMethod, name, state, status}`."""
    master = organization["MasterAccountId"]
    accounts = [_account_summary(account) for account in aws.pages(_SERVICE, "list_accounts", "Accounts")]
    services = aws.pages(_SERVICE, "list_aws_service_access_for_organization", "EnabledServicePrincipals")
    roots = _camel(aws.pages(_SERVICE, "list_roots", "Roots"))
    return {
        **_known_to_members(organization),
        "masterAccountName": next((account["name"] for account in accounts if account["id"] == master), ""),
        "accounts": accounts,
        "nonMasterAccounts": [account for account in accounts if account["id"] != master],
        "roots": roots,
        "awsServiceAccessPrincipals": [service["ServicePrincipal"] for service in services],
        "enabledPolicyTypes": sorted(
            kind["type"] for root in roots for kind in root["policyTypes"] if kind["status"] == "ENABLED"
        ),
    }


def _known_to_members(organization: Mapping[str, Any]) -> Properties:
    names = ("Arn", "FeatureSet", "MasterAccountArn", "MasterAccountEmail", "MasterAccountId")
    told: Properties = _camel({name: organization[name] for name in names})
    return told


def _camel(value: Any) -> Any:  # noqa: ANN401 - boto3's answers
    """What AWS answers as the provider tells it: names of members begin small."""
    if isinstance(value, Mapping):
        return {f"{name[0].lower()}{name[1:]}": _camel(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_camel(inner) for inner in value]
    return timestamp(value) if isinstance(value, datetime) else value


def _account_summary(account: Mapping[str, Any]) -> Properties:
    """`state` is ACTIVE, CLOSED and the like; `status`, which AWS is taking back, calls closed accounts SUSPENDED too.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_account_state.html
    """
    names = ("Arn", "Email", "Id", "JoinedMethod", "JoinedTimestamp", "Name", "State", "Status")
    told: Properties = _camel({name: account.get(name) for name in names})
    return {**told, "state": told["state"] or told["status"]}


def _organization_update(aws: Aws, _: str, old: Properties, new: Properties) -> None:
    if old.get("featureSet") != new.get("featureSet"):
        aws.client(_SERVICE).enable_all_features()
    _organization_settings(aws, old, new)


def _unit_read(aws: Aws, identifier: str, _: Properties) -> Properties | None:
    found = _UNIT.read(aws, identifier)
    if found is None:
        return None
    accounts = aws.pages(_SERVICE, "list_accounts_for_parent", "Accounts", ParentId=identifier)
    return {
        **found,
        "parentId": _parent(aws, identifier),
        "accounts": [{name.lower(): one[name] for name in ("Arn", "Email", "Id", "Name")} for one in accounts],
    }


def _parent(aws: Aws, child: str) -> str:
    return str(aws.client(_SERVICE).list_parents(ChildId=child)["Parents"][0]["Id"])


def _account_create(aws: Aws, inputs: Properties) -> str:
    if inputs.get("createGovcloud"):
        raise ProviderError("the sandbox makes no accounts in AWS GovCloud (US)", (inputs["name"],))
    client = aws.client(_SERVICE)
    status = _ACCOUNT.create(aws, inputs)
    deadline = time.monotonic() + _CREATE_ACCOUNT_SECONDS
    while status["State"] == "IN_PROGRESS" and time.monotonic() < deadline:
        time.sleep(0.2)
        asked = client.describe_create_account_status(CreateAccountRequestId=status["Id"])
        status = asked["CreateAccountStatus"]
    if status["State"] != "SUCCEEDED":
        # https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateAccountStatus.html lists the reasons.
        reason = status.get("FailureReason", status["State"])
        ended = f"CreateAccount for {inputs['email']} ended so (request {status['Id']})."
        step = (_ANOTHER_EMAIL,) if reason == "EMAIL_ALREADY_EXISTS" else ()
        raise ProviderError(f"the account {inputs['name']} was not made: {reason}", (ended, *step))
    identifier = str(status["AccountId"])
    _move(aws, identifier, inputs.get("parentId"))
    return identifier


def _account_read(aws: Aws, identifier: str, _: Properties) -> Properties | None:
    found = _ACCOUNT.read(aws, identifier)
    if found is None or found.get("state") == "CLOSED":  # which the vendor's plugin calls not found, too
        return None
    return {**found, "govcloudId": "", "parentId": _parent(aws, identifier)}


def _account_update(aws: Aws, identifier: str, old: Properties, new: Properties) -> None:
    if old.get("name") != new["name"]:
        aws.client("account").put_account_name(AccountId=identifier, AccountName=new["name"])
    _move(aws, identifier, new.get("parentId"))
    _ACCOUNT.retag(aws, identifier, old, new)


def _account_delete(aws: Aws, identifier: str, known: Properties) -> None:
    client = aws.client(_SERVICE)
    end = client.close_account if known.get("closeOnDeletion") else client.remove_account_from_organization
    end(AccountId=identifier)


def _move(aws: Aws, account: str, destination: str | None) -> None:
    source = _parent(aws, account)
    if destination and destination != source:
        aws.client(_SERVICE).move_account(AccountId=account, SourceParentId=source, DestinationParentId=destination)


def _policy_delete(aws: Aws, identifier: str, known: Properties) -> None:
    if not known.get("skipDestroy"):
        aws.client(_SERVICE).delete_policy(PolicyId=identifier)


def _attachment_create(aws: Aws, inputs: Properties) -> str:
    aws.client(_SERVICE).attach_policy(PolicyId=inputs["policyId"], TargetId=inputs["targetId"])
    return f"{inputs['targetId']}:{inputs['policyId']}"


def _attachment_read(aws: Aws, identifier: str, _known: Properties) -> Properties | None:
    target, _, policy = identifier.partition(":")
    if or_none(aws.client(_SERVICE).describe_policy, PolicyId=policy) is None:
        return None
    targets = aws.pages(_SERVICE, "list_targets_for_policy", "Targets", PolicyId=policy)
    return {"policyId": policy, "targetId": target} if target in {one["TargetId"] for one in targets} else None


def _attachment_delete(aws: Aws, identifier: str, inputs: Properties) -> None:
    target, _, policy = identifier.partition(":")
    if not inputs.get("skipDestroy"):
        aws.client(_SERVICE).detach_policy(PolicyId=policy, TargetId=target)


def get_organization(aws: Aws, args: Properties) -> Properties:
    """https://www.pulumi.com/registry/packages/aws/api-docs/organizations/getorganization/.

    A member account is told nothing of accounts, roots and settings.
    """
    organization = _described(aws)
    if organization is None:
        raise ProviderError(f"the account {aws.account} is in no organization")
    if organization["MasterAccountId"] == aws.account and not args.get("returnOrganizationOnly"):
        return {"id": organization["Id"], **_organization(aws, organization)}
    lists = ("accounts", "nonMasterAccounts", "roots", "awsServiceAccessPrincipals", "enabledPolicyTypes")
    return {
        "id": organization["Id"],
        **_known_to_members(organization),
        "masterAccountName": "",
        **{name: [] for name in lists},
    }


def get_units(aws: Aws, args: Properties) -> Properties:
    """https://www.pulumi.com/registry/packages/aws/api-docs/organizations/getorganizationalunits/."""
    above = args["parentId"]
    units = aws.pages(_SERVICE, "list_organizational_units_for_parent", "OrganizationalUnits", ParentId=above)
    children = [{name.lower(): unit[name] for name in ("Id", "Arn", "Name")} for unit in units]
    return {"id": above, "parentId": above, "children": children}


RESOURCE_TYPES = (
    ResourceType(
        type="aws:organizations/organization:Organization",
        defaults={"featureSet": "ALL"},
        unordered=frozenset({"awsServiceAccessPrincipals", "enabledPolicyTypes"}),
        create=_organization_create,
        read=_organization_read,
        update=_organization_update,
        delete=lambda aws, _id, _inputs: aws.client(_SERVICE).delete_organization(),
    ),
    ResourceType(
        type=_UNIT.type,
        replaces=frozenset({"parentId"}),
        auto_name=AutoName(longest=128),
        create=lambda aws, inputs: str(_UNIT.create(aws, inputs)["Id"]),
        read=_unit_read,
        update=_UNIT.update,
        delete=_UNIT.delete,
    ),
    ResourceType(
        type=_ACCOUNT.type,
        replaces=frozenset({"email", "roleName", "iamUserAccessToBilling"}),
        defaults={"closeOnDeletion": False, "createGovcloud": False},
        shown=frozenset({"parentId"}),
        auto_name=AutoName(longest=50),
        create=_account_create,
        read=_account_read,
        update=_account_update,
        delete=_account_delete,
    ),
    ResourceType(
        type=_POLICY.type,
        replaces=frozenset({"type"}),
        defaults={"type": "SERVICE_CONTROL_POLICY"},
        documents=frozenset({"content"}),
        auto_name=AutoName(longest=128),
        create=lambda aws, inputs: str(_POLICY.create(aws, inputs)["PolicySummary"]["Id"]),
        read=lambda aws, id, _known: _POLICY.read(aws, id),
        update=_POLICY.update,
        delete=_policy_delete,
    ),
    ResourceType(
        type="aws:organizations/policyAttachment:PolicyAttachment",
        replaces=frozenset({"policyId", "targetId"}),
        create=_attachment_create,
        read=_attachment_read,
        update=lambda _aws, _id, _old, _new: None,
        delete=_attachment_delete,
    ),
)
