"""The record of Cost Explorer's settings and of data exports; no cost is computed and nothing is exported.

https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/. Only the management account may activate cost
allocation tags (https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/activating-tags.html); as there are no
costs here, a tag key counts as known as soon as it is named.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from ministack.core.responses import get_account_id

from twokeys.sandbox.local_server import organizations, records
from twokeys.sandbox.local_server.supplement import ApiError

Payload: TypeAlias = dict[str, Any]

_tag_status = records.store("ce.tags")
_tags = records.store("billing.resource-tags")


def install() -> None:
    """Answer both services."""
    monitors = _Kind("ce", "AnomalyMonitor", "MonitorArn", "UnknownMonitorException")
    subscriptions = _Kind("ce", "AnomalySubscription", "SubscriptionArn", "UnknownSubscriptionException")
    exports = _Kind("bcm-data-exports", "Export", "ExportArn", "ResourceNotFoundException")
    records.serve_json(
        "ce",
        {
            "UpdateCostAllocationTagsStatus": _update_tag_status,
            "ListCostAllocationTags": _list_tags,
            **monitors.operations(),
            "GetAnomalyMonitors": lambda payload: {"AnomalyMonitors": monitors.found(payload.get("MonitorArnList"))},
            **subscriptions.operations(),
            "GetAnomalySubscriptions": lambda payload: {
                "AnomalySubscriptions": subscriptions.found(payload.get("SubscriptionArnList"))
            },
            **_TAGGING,
        },
    )
    records.serve_json(
        "bcm-data-exports",
        {
            **exports.operations(),
            "GetExport": lambda payload: {"Export": exports.existing(payload["ExportArn"]), "ExportStatus": _HEALTHY},
            "ListExports": lambda _: {
                "Exports": [
                    {"ExportArn": one["ExportArn"], "ExportName": one["Name"], "ExportStatus": _HEALTHY}
                    for one in exports.found()
                ]
            },
            **_TAGGING,
        },
    )


@dataclass(frozen=True)
class _Kind:
    """What a service makes, changes and deletes by its ARN, which the service chooses."""

    service: str
    name: str
    key: str
    unknown: str

    def operations(self) -> Mapping[str, records.Operation]:
        return {f"Create{self.name}": self._create, f"Update{self.name}": self._update, f"Delete{self.name}": self._end}

    def existing(self, arn: str) -> Payload:
        one: Payload | None = records.store(self._place).get(arn)
        if one is None:
            raise ApiError(self.unknown, f"{arn} does not exist.")
        return one

    def found(self, named: list[str] | None = None) -> list[Payload]:
        return [self.existing(arn) for arn in (records.store(self._place).keys() if named is None else named)]

    @property
    def _place(self) -> str:
        return f"{self.service}.{self.name}"

    def _create(self, payload: Payload) -> Payload:
        arn = f"arn:aws:{self.service}:us-east-1:{get_account_id()}:{self.name.lower()}/{uuid.uuid4()}"
        records.store(self._place)[arn] = {**payload[self.name], self.key: arn}
        _tags[arn] = _as_mapping(payload.get("ResourceTags"))
        return {self.key: arn}

    def _update(self, payload: Payload) -> Payload:
        """An export is sent as a whole, and of the others what changes."""
        arn = payload[self.key]
        records.store(self._place)[arn] = {**self.existing(arn), **payload.get(self.name, payload)}
        return {self.key: arn}

    def _end(self, payload: Payload) -> Payload:
        self.existing(payload[self.key])
        records.store(self._place).pop(payload[self.key])
        return {self.key: payload[self.key]}


def _update_tag_status(payload: Payload) -> Payload:
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


def _as_mapping(pairs: list[dict[str, str]] | None) -> dict[str, str]:
    return {pair["Key"]: pair["Value"] for pair in pairs or ()}


def _tag(payload: Payload) -> Payload:
    arn = payload["ResourceArn"]
    _tags[arn] = {**(_tags.get(arn) or {}), **_as_mapping(payload["ResourceTags"])}
    return {}


def _untag(payload: Payload) -> Payload:
    kept = _tags.get(payload["ResourceArn"]) or {}
    _tags[payload["ResourceArn"]] = {key: kept[key] for key in kept if key not in payload["ResourceTagKeys"]}
    return {}


def _list_resource_tags(payload: Payload) -> Payload:
    kept = _tags.get(payload["ResourceArn"]) or {}
    return {"ResourceTags": [{"Key": key, "Value": value} for key, value in sorted(kept.items())]}


_HEALTHY = {"StatusCode": "HEALTHY"}
_TAGGING = {"TagResource": _tag, "UntagResource": _untag, "ListTagsForResource": _list_resource_tags}
