"""The record of Cost Explorer, data exports, Access Analyzer and GuardDuty's delegation; nothing acts on it.

https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/,
https://docs.aws.amazon.com/access-analyzer/latest/APIReference/ and
https://docs.aws.amazon.com/guardduty/latest/APIReference/API_EnableOrganizationAdminAccount.html.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from ministack.core.responses import get_account_id, get_region

from twokeys.sandbox.local_server import organizations, records
from twokeys.sandbox.local_server.records import Kind
from twokeys.sandbox.local_server.supplement import ApiError, Payload

_tag_status = records.store("ce.tags")  # tag key -> status
_administrators = records.store("guardduty.administrators")  # region -> account id


def install() -> None:
    """Answer them."""
    monitors = Kind("AnomalyMonitor", "MonitorArn", _with_arn("ce", "MonitorArn"), unknown="UnknownMonitorException")
    subscriptions = Kind(
        "AnomalySubscription",
        "SubscriptionArn",
        _with_arn("ce", "SubscriptionArn"),
        unknown="UnknownSubscriptionException",
    )
    tags = {"UpdateCostAllocationTagsStatus": _update_tag_status, "ListCostAllocationTags": _list_tags}
    records.serve("ce", (monitors, subscriptions), tags)
    records.serve("bcm-data-exports", (Kind("Export", "ExportArn", _export),))
    analyzers = Kind("Analyzer", "analyzerName", _analyzer, unique=("analyzerName",))
    records.serve("accessanalyzer", (analyzers,), scope="access-analyzer")
    records.serve(
        "guardduty",
        (),
        {
            "EnableOrganizationAdminAccount": _enable_administrator,
            "DisableOrganizationAdminAccount": _disable_administrator,
            "ListOrganizationAdminAccounts": _list_administrators,
        },
    )


def _with_arn(service: str, key: str) -> records.Operation:
    kind = key.removesuffix("Arn").lower()
    return lambda _: {key: f"arn:aws:{service}:us-east-1:{get_account_id()}:{kind}/{uuid.uuid4()}"}


def _export(payload: Payload) -> Payload:
    named = _with_arn("bcm-data-exports", "ExportArn")(payload)
    return {**named, "ExportName": payload["Name"], "StatusCode": "HEALTHY"}


def _update_tag_status(payload: Payload) -> Payload:
    """Only the management account may; a tag key counts as known as soon as it is named, as nothing costs here.

    https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/activating-tags.html
    """
    if organizations.organization_of(get_account_id()) not in (None, get_account_id()):
        raise ApiError("AccessDeniedException", "Linked account doesn't have access to cost allocation tags.")
    for one in payload["CostAllocationTagsStatus"]:
        _tag_status[one["TagKey"]] = one["Status"]
    return {"Errors": []}


def _list_tags(payload: Payload) -> Payload:
    wanted = payload.get("TagKeys")
    return {
        "CostAllocationTags": [
            {"TagKey": key, "Type": "AWSGenerated" if key.startswith("aws:") else "UserDefined", "Status": status}
            for key, status in sorted(_tag_status.items())
            if wanted is None or key in wanted
        ]
    }


def _analyzer(payload: Payload) -> Payload:
    """One of an organization: by the management account or a delegated administrator, with trusted access enabled."""
    account, service = get_account_id(), "access-analyzer.amazonaws.com"
    management = organizations.organization_of(account)
    if payload["type"].startswith("ORGANIZATION"):
        if management is None or not organizations.trusts(management, service):
            raise ApiError("ValidationException", f"Trusted access of {service} is not enabled in the organization.")
        if account != management and not organizations.administers(account, service):
            raise ApiError("AccessDeniedException", f"{account} is no delegated administrator of {service}.")
    name = payload["analyzerName"]
    return {
        "arn": f"arn:aws:access-analyzer:{get_region()}:{account}:analyzer/{name}",
        "name": name,
        "createdAt": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "status": "ACTIVE",
        "tags": payload.get("tags") or {},
    }


def _enable_administrator(payload: Payload) -> Payload:
    account, caller = str(payload["adminAccountId"]), get_account_id()
    if organizations.organization_of(caller) != caller or organizations.organization_of(account) != caller:
        raise ApiError("BadRequestException", f"{caller} manages no organization that {account} belongs to.")
    if _administrators.get(get_region()) not in (None, account):
        raise ApiError("BadRequestException", "Another delegated administrator is enabled in this region.")
    _administrators[get_region()] = account
    return {}


def _disable_administrator(payload: Payload) -> Payload:
    if _administrators.get(get_region()) != payload["adminAccountId"]:
        raise ApiError("BadRequestException", f"{payload['adminAccountId']} is not the delegated administrator.")
    _administrators.pop(get_region())
    return {}


def _list_administrators(_: Payload) -> Payload:
    account = _administrators.get(get_region())
    return {"adminAccounts": [{"adminAccountId": account, "adminStatus": "ENABLED"}] if account else []}
