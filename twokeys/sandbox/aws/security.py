"""IAM Access Analyzer and GuardDuty's delegation, kept on record: the local AWS neither analyzes nor detects.

https://docs.aws.amazon.com/access-analyzer/latest/APIReference/ and https://docs.aws.amazon.com/guardduty/latest/APIReference/.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twokeys.sandbox.aws import tags
from twokeys.sandbox.aws.client import Aws, or_none
from twokeys.sandbox.aws.resource_type import ResourceType, matches, one_of, same_shape
from twokeys.sandbox.engine.values import Properties


# boto3's clients are generated at run time; `Any` is what boto3 itself declares without its stubs.
def _analyzers(aws: Aws, known: Properties) -> Any:  # noqa: ANN401
    return aws.client("accessanalyzer", known.get("region"))


def _analyzer_create(aws: Aws, inputs: Properties) -> str:
    configuration = inputs.get("configuration")
    _analyzers(aws, inputs).create_analyzer(
        analyzerName=inputs["analyzerName"],
        type=inputs["type"],
        tags=tags.all_tags(aws, inputs),
        **({"configuration": configuration} if configuration else {}),
    )
    return str(inputs["analyzerName"])


def _analyzer_read(aws: Aws, identifier: str, known: Properties) -> Properties | None:
    found = or_none(_analyzers(aws, known).get_analyzer, analyzerName=identifier)
    if found is None:
        return None
    analyzer = found["analyzer"]
    return {
        "analyzerName": identifier,
        "arn": analyzer["arn"],
        "configuration": analyzer.get("configuration"),
        "region": analyzer["arn"].split(":")[3],
        "tagsAll": dict(analyzer.get("tags") or {}),
        "type": analyzer["type"],
    }


def _analyzer_update(aws: Aws, _identifier: str, old: Properties, new: Properties) -> None:
    client, arn = _analyzers(aws, new), old["arn"]
    before, wanted = old.get("tagsAll") or {}, tags.all_tags(aws, new)
    if wanted.items() - before.items():
        client.tag_resource(resourceArn=arn, tags=dict(wanted.items() - before.items()))
    if before.keys() - wanted.keys():
        client.untag_resource(resourceArn=arn, tagKeys=sorted(before.keys() - wanted.keys()))


def _analyzer_delete(aws: Aws, identifier: str, inputs: Properties) -> None:
    _analyzers(aws, inputs).delete_analyzer(analyzerName=identifier)


def _detection(aws: Aws, known: Properties) -> Any:  # noqa: ANN401 - as above
    return aws.client("guardduty", known.get("region"))


def _administrator_create(aws: Aws, inputs: Properties) -> str:
    _detection(aws, inputs).enable_organization_admin_account(AdminAccountId=inputs["adminAccountId"])
    return str(inputs["adminAccountId"])


def _administrator_read(aws: Aws, identifier: str, known: Properties) -> Properties | None:
    pages = _detection(aws, known).get_paginator("list_organization_admin_accounts").paginate()
    accounts = {one["AdminAccountId"] for page in pages for one in page["AdminAccounts"]}
    region = str(known.get("region") or aws.region)
    return {"adminAccountId": identifier, "region": region} if identifier in accounts else None


def _administrator_delete(aws: Aws, identifier: str, inputs: Properties) -> None:
    if _administrator_read(aws, identifier, inputs) is not None:
        _detection(aws, inputs).disable_organization_admin_account(AdminAccountId=identifier)


RESOURCE_TYPES = (
    ResourceType(
        type="aws:accessanalyzer/analyzer:Analyzer",
        inputs=frozenset({"analyzerName", "configuration", "region", "tags", "type"}),
        required=frozenset({"analyzerName"}),
        computed=frozenset({"arn"}),
        replaces=frozenset({"analyzerName", "configuration", "region", "type"}),
        defaults={"type": "ACCOUNT"},
        also_computed=frozenset({"region"}),
        same={"configuration": same_shape},
        validations={
            "analyzerName": matches(r"[A-Za-z][\w.-]{0,254}", "1 to 255 letters, digits or ._-, a letter first"),
            "type": one_of(
                "ACCOUNT",
                "ORGANIZATION",
                "ACCOUNT_UNUSED_ACCESS",
                "ORGANIZATION_UNUSED_ACCESS",
                "ACCOUNT_INTERNAL_ACCESS",
                "ORGANIZATION_INTERNAL_ACCESS",
            ),
        },
        taggable=True,
        create=_analyzer_create,
        read=_analyzer_read,
        update=_analyzer_update,
        delete=_analyzer_delete,
        identify=lambda _, inputs: inputs["analyzerName"],
        record=True,
    ),
    ResourceType(
        type="aws:guardduty/organizationAdminAccount:OrganizationAdminAccount",
        inputs=frozenset({"adminAccountId", "region"}),
        required=frozenset({"adminAccountId"}),
        also_computed=frozenset({"region"}),
        validations={"adminAccountId": matches(r"\d{12}", "a 12-digit account id")},
        create=_administrator_create,
        read=_administrator_read,
        delete=_administrator_delete,
        identify=lambda _, inputs: inputs["adminAccountId"],
        record=True,
    ),
)

INVOKES: dict[str, Callable[[Aws, Properties], Properties]] = {}
