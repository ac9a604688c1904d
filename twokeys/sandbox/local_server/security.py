"""The record of IAM Access Analyzer's analyzers and GuardDuty's delegation; nothing is analyzed or detected.

https://docs.aws.amazon.com/access-analyzer/latest/APIReference/ and
https://docs.aws.amazon.com/guardduty/latest/APIReference/API_EnableOrganizationAdminAccount.html.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, TypeAlias

from ministack.core.responses import get_account_id, get_region

from twokeys.sandbox.local_server import organizations, records
from twokeys.sandbox.local_server.supplement import ApiError

Payload: TypeAlias = dict[str, Any]

_analyzers = records.store("access-analyzer.analyzers")  # ARN -> analyzer, as GetAnalyzer tells it
_administrators = records.store("guardduty.administrators")  # region -> account id


def install() -> None:
    """Answer both services."""
    records.serve_rest(
        "access-analyzer",
        {
            ("CreateAnalyzer", "PUT", "/analyzer"): _create_analyzer,
            ("GetAnalyzer", "GET", "/analyzer/{analyzerName}"): lambda payload: {"analyzer": _analyzer(payload)},
            ("ListAnalyzers", "GET", "/analyzer"): _list_analyzers,
            ("UpdateAnalyzer", "PUT", "/analyzer/{analyzerName}"): _update_analyzer,
            ("DeleteAnalyzer", "DELETE", "/analyzer/{analyzerName}"): _delete_analyzer,
            ("TagResource", "POST", "/tags/{resourceArn+}"): _tag,
            ("UntagResource", "DELETE", "/tags/{resourceArn+}"): _untag,
        },
    )
    records.serve_rest(
        "guardduty",
        {
            ("EnableOrganizationAdminAccount", "POST", "/admin/enable"): _enable_administrator,
            ("DisableOrganizationAdminAccount", "POST", "/admin/disable"): _disable_administrator,
            ("ListOrganizationAdminAccounts", "GET", "/admin"): _list_administrators,
        },
    )


def _create_analyzer(payload: Payload) -> Payload:
    name, kind = payload["analyzerName"], payload["type"]
    arn = _arn(name)
    if arn in _analyzers:
        raise ApiError("ConflictException", f"An analyzer {name} exists.")
    if kind.startswith("ORGANIZATION"):
        _refuse_unless_administrator()
    _analyzers[arn] = {
        "arn": arn,
        "name": name,
        "type": kind,
        "createdAt": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "status": "ACTIVE",
        "tags": payload.get("tags") or {},
        **({"configuration": payload["configuration"]} if payload.get("configuration") else {}),
    }
    return {"arn": arn}


def _refuse_unless_administrator() -> None:
    """The management account or a delegated administrator of Access Analyzer, with trusted access enabled."""
    account, service = get_account_id(), "access-analyzer.amazonaws.com"
    management = organizations.organization_of(account)
    if management is None or not organizations.trusts(management, service):
        raise ApiError("ValidationException", f"Trusted access of {service} is not enabled in the organization.")
    if account != management and not organizations.administers(account, service):
        raise ApiError("AccessDeniedException", f"{account} is no delegated administrator of {service}.")


def _arn(name: str) -> str:
    return f"arn:aws:access-analyzer:{get_region()}:{get_account_id()}:analyzer/{name}"


def _analyzer(payload: Payload) -> Payload:
    analyzer: Payload | None = _analyzers.get(_arn(payload["analyzerName"]))
    if analyzer is None:
        raise ApiError("ResourceNotFoundException", f"No analyzer {payload['analyzerName']} exists.")
    return analyzer


def _list_analyzers(payload: Payload) -> Payload:
    wanted = payload.get("type")
    return {
        "analyzers": [
            one
            for arn, one in _analyzers.items()
            if arn.startswith(_arn("")) and (wanted is None or one["type"] == wanted)
        ]
    }


def _update_analyzer(payload: Payload) -> Payload:
    analyzer = {**_analyzer(payload), "configuration": payload["configuration"]}
    _analyzers[analyzer["arn"]] = analyzer
    return {"configuration": analyzer["configuration"]}


def _delete_analyzer(payload: Payload) -> Payload:
    _analyzers.pop(_analyzer(payload)["arn"])
    return {}


def _tag(payload: Payload) -> Payload:
    analyzer = _by_arn(payload["resourceArn"])
    _analyzers[analyzer["arn"]] = {**analyzer, "tags": {**analyzer["tags"], **payload["tags"]}}
    return {}


def _untag(payload: Payload) -> Payload:
    analyzer = _by_arn(payload["resourceArn"])
    kept = {key: value for key, value in analyzer["tags"].items() if key not in payload["tagKeys"]}
    _analyzers[analyzer["arn"]] = {**analyzer, "tags": kept}
    return {}


def _by_arn(arn: str) -> Payload:
    return _analyzer({"analyzerName": arn.rpartition("/")[2]})


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
