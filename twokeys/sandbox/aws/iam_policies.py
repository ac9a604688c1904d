"""Managed policies, their exclusive attachment, and policy documents that are written without an API call.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html.
"""

from __future__ import annotations

import json
import zlib
from typing import Any

from twokeys.sandbox.aws import tags
from twokeys.sandbox.aws.client import Aws, or_none
from twokeys.sandbox.aws.documents import canonical_json
from twokeys.sandbox.aws.iam_rules import ARN, PATH, POLICY_NAME, as_text, name_of, set_each
from twokeys.sandbox.aws.resource_type import AutoName, ResourceType
from twokeys.sandbox.engine.plugin import ProviderError
from twokeys.sandbox.engine.values import Properties

_MOST_VERSIONS = 5


def _policy_create(aws: Aws, inputs: Properties) -> str:
    policy = aws.client("iam").create_policy(
        PolicyName=name_of(inputs),
        Path=inputs["path"],
        PolicyDocument=inputs["policy"],
        Description=inputs.get("description", ""),
        Tags=tags.as_pairs(tags.all_tags(aws, inputs)),
    )
    return str(policy["Policy"]["Arn"])


def _policy_read(aws: Aws, identifier: str, _: Properties) -> Properties | None:
    client = aws.client("iam")
    found = or_none(client.get_policy, PolicyArn=identifier)
    if found is None:
        return None
    policy = found["Policy"]
    version = client.get_policy_version(PolicyArn=identifier, VersionId=policy["DefaultVersionId"])["PolicyVersion"]
    return {
        "arn": policy["Arn"],
        "attachmentCount": policy["AttachmentCount"],
        "description": policy.get("Description") or None,
        "name": policy["PolicyName"],
        "path": policy["Path"],
        "policy": as_text(version["Document"]),
        "policyId": policy["PolicyId"],
        "tagsAll": tags.from_pairs(aws.pages("iam", "list_policy_tags", "Tags", PolicyArn=identifier)),
    }


def _policy_update(aws: Aws, identifier: str, old: Properties, new: Properties) -> None:
    client = aws.client("iam")
    if canonical_json(old["policy"]) != canonical_json(new["policy"]):
        versions = aws.pages("iam", "list_policy_versions", "Versions", PolicyArn=identifier)
        if len(versions) >= _MOST_VERSIONS:
            oldest = min((one for one in versions if not one["IsDefaultVersion"]), key=_version_number)
            client.delete_policy_version(PolicyArn=identifier, VersionId=oldest["VersionId"])
        client.create_policy_version(PolicyArn=identifier, PolicyDocument=new["policy"], SetAsDefault=True)
    put, removed = tags.changes(old.get("tagsAll") or {}, tags.all_tags(aws, new))
    if removed:
        client.untag_policy(PolicyArn=identifier, TagKeys=removed)
    if put:
        client.tag_policy(PolicyArn=identifier, Tags=put)


def _version_number(version: dict[str, Any]) -> int:
    return int(version["VersionId"].lstrip("v"))


def _policy_delete(aws: Aws, identifier: str, _: Properties) -> None:
    client = aws.client("iam")
    if or_none(client.get_policy, PolicyArn=identifier) is None:
        return
    for version in aws.pages("iam", "list_policy_versions", "Versions", PolicyArn=identifier):
        if not version["IsDefaultVersion"]:
            client.delete_policy_version(PolicyArn=identifier, VersionId=version["VersionId"])
    client.delete_policy(PolicyArn=identifier)


def _policy_identify(aws: Aws, inputs: Properties) -> str | None:
    if not inputs.get("name"):
        return None
    return f"arn:aws:iam::{aws.account}:policy{inputs['path']}{inputs['name']}"


_ENTITIES = {"roles": "role", "users": "user", "groups": "group"}


def _attach(aws: Aws, arn: str, old: Properties, new: Properties) -> None:
    client = aws.client("iam")
    for plural, kind in _ENTITIES.items():
        key = f"{kind.capitalize()}Name"

        def add(name: str, kind: str = kind, key: str = key) -> None:
            getattr(client, f"attach_{kind}_policy")(**{key: name, "PolicyArn": arn})

        def remove(name: str, kind: str = kind, key: str = key) -> None:
            getattr(client, f"detach_{kind}_policy")(**{key: name, "PolicyArn": arn})

        set_each(old.get(plural), new.get(plural), add=add, remove=remove)


def _attachment_create(aws: Aws, inputs: Properties) -> str:
    if not any(inputs.get(plural) for plural in _ENTITIES):
        raise ProviderError("no Users, Roles, or Groups specified for IAM Policy Attachment", (inputs["name"],))
    _attach(aws, inputs["policyArn"], {}, inputs)
    return str(inputs["name"])


def _attachment_read(aws: Aws, _: str, known: Properties) -> Properties | None:
    arn = known.get("policyArn")
    if arn is None:
        raise ProviderError(
            "an aws:iam/policyAttachment:PolicyAttachment cannot be imported", ("Its id names no policy.",)
        )
    if or_none(aws.client("iam").get_policy, PolicyArn=arn) is None:
        return None
    entities = aws.client("iam").list_entities_for_policy(PolicyArn=arn)
    attached = {
        plural: sorted(one[f"{kind.capitalize()}Name"] for one in entities[f"Policy{plural.capitalize()}"])
        for plural, kind in _ENTITIES.items()
    }
    return {"name": known["name"], "policyArn": arn, **attached} if any(attached.values()) else None


def _attachment_delete(aws: Aws, _: str, inputs: Properties) -> None:
    if or_none(aws.client("iam").get_policy, PolicyArn=inputs["policyArn"]) is not None:
        _attach(aws, inputs["policyArn"], inputs, {})


def _get_policy(aws: Aws, args: Properties) -> Properties:
    arn = args.get("arn")
    if arn is None:
        policies = aws.pages("iam", "list_policies", "Policies", PathPrefix=args.get("pathPrefix") or "/")
        arn = next((one["Arn"] for one in policies if one["PolicyName"] == args.get("name")), None)
    read = None if arn is None else _policy_read(aws, arn, {})
    if arn is None or read is None:
        raise ProviderError("no IAM policy matches the look-up", (json.dumps(args),))
    tags_of = read.pop("tagsAll")
    return {"id": arn, "description": "", **{k: v for k, v in read.items() if v is not None}, "tags": tags_of}


def _get_policy_document(_: Aws, args: Properties) -> Properties:
    """The document that the arguments describe, merged as the provider merges: later statements win by `sid`."""
    unsupported = args.keys() - {
        "overrideJson",
        "overridePolicyDocuments",
        "policyId",
        "sourceJson",
        "statements",
        "version",
    }
    unsupported -= {"sourcePolicyDocuments"}
    if unsupported:
        raise ProviderError(f"the sandbox does not support {', '.join(sorted(unsupported))} of getPolicyDocument")
    sources = [args.get("sourceJson"), *(args.get("sourcePolicyDocuments") or ())]
    overrides = [*(args.get("overridePolicyDocuments") or ()), args.get("overrideJson")]
    document: dict[str, Any] = {"Version": args.get("version") or "2012-10-17"}
    if args.get("policyId"):
        document["Id"] = args["policyId"]
    own = [_statement(statement, document["Version"]) for statement in args.get("statements") or ()]
    statements = [*(one for text in sources if text for one in _statements(text)), *own]
    for override in (one for text in overrides if text for one in _statements(text)):
        statements = [one for one in statements if not one.get("Sid") or one["Sid"] != override.get("Sid")]
        statements.append(override)
    document["Statement"] = statements
    text = json.dumps(document, indent=2)
    return {
        "id": str(zlib.crc32(text.encode())),
        "json": text,
        "minifiedJson": json.dumps(document, separators=(",", ":")),
        **{name: args[name] for name in args},
        "version": document["Version"],
    }


def _statements(text: str) -> list[dict[str, Any]]:
    found = json.loads(text).get("Statement", [])
    return [found] if isinstance(found, dict) else list(found)


_LISTS = {
    "actions": "Action",
    "notActions": "NotAction",
    "resources": "Resource",
    "notResources": "NotResource",
}


def _statement(statement: Properties, version: str) -> dict[str, Any]:
    def text(value: str) -> str:
        return value.replace("&{", "${") if version != "2008-10-17" else value

    made: dict[str, Any] = {"Sid": statement["sid"]} if statement.get("sid") else {}
    made["Effect"] = statement.get("effect") or "Allow"
    for ours, theirs in _LISTS.items():
        if statement.get(ours):
            made[theirs] = _one_or_sorted([text(value) for value in statement[ours]])
    for ours, theirs in (("principals", "Principal"), ("notPrincipals", "NotPrincipal")):
        if statement.get(ours):
            made[theirs] = _principals(statement[ours], text)
    for condition in statement.get("conditions") or ():
        values = [text(value) for value in condition["values"]]
        operator = made.setdefault("Condition", {}).setdefault(condition["test"], {})
        operator[condition["variable"]] = values[0] if len(values) == 1 else values
    return made


def _principals(principals: list[Properties], text: Any) -> Any:  # noqa: ANN401 - "*" or a mapping
    if [one["type"] for one in principals] == ["*"] and principals[0]["identifiers"] == ["*"]:
        return "*"
    by_type: dict[str, list[str]] = {}
    for one in principals:
        by_type.setdefault(one["type"], []).extend(text(value) for value in one["identifiers"])
    return {kind: _one_or_sorted(values) for kind, values in sorted(by_type.items())}


def _one_or_sorted(values: list[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else sorted(set(values), reverse=True)


RESOURCE_TYPES = (
    ResourceType(
        type="aws:iam/policy:Policy",
        inputs=frozenset({"description", "name", "namePrefix", "path", "policy", "tags"}),
        required=frozenset({"policy"}),
        computed=frozenset({"arn", "attachmentCount", "policyId"}),
        volatile=frozenset({"attachmentCount"}),
        replaces=frozenset({"description", "name", "namePrefix", "path"}),
        defaults={"path": "/"},
        documents=frozenset({"policy"}),
        unreadable=frozenset({"namePrefix"}),
        unsupported={"delayAfterPolicyCreationInMs": "the local AWS needs no delay, so the sandbox does not know it"},
        validations={"name": POLICY_NAME, "path": PATH},
        auto_name=AutoName(prefix_property="namePrefix", longest=128),
        taggable=True,
        create=_policy_create,
        read=_policy_read,
        update=_policy_update,
        delete=_policy_delete,
        identify=_policy_identify,
    ),
    ResourceType(
        type="aws:iam/policyAttachment:PolicyAttachment",
        inputs=frozenset({"groups", "name", "policyArn", "roles", "users"}),
        required=frozenset({"policyArn"}),
        replaces=frozenset({"name", "policyArn"}),
        unordered=frozenset(_ENTITIES),
        validations={"policyArn": ARN},
        auto_name=AutoName(),
        create=_attachment_create,
        read=_attachment_read,
        update=lambda aws, _, old, new: _attach(aws, new["policyArn"], old, new),
        delete=_attachment_delete,
        identify=lambda _, inputs: inputs["name"],
    ),
)

INVOKES = {
    "aws:iam/getPolicy:getPolicy": _get_policy,
    "aws:iam/getPolicyDocument:getPolicyDocument": _get_policy_document,
}
