"""`aws.iam.get_policy_document`: a look-up that asks nobody, so a preview answers it as the vendor's provider does.

https://www.pulumi.com/registry/packages/aws/api-docs/iam/getpolicydocument/
"""

import json
import zlib
from collections.abc import Callable, Mapping
from typing import Any, Final

TOKEN: Final = "aws:iam/getPolicyDocument:getPolicyDocument"  # noqa: S105 - a function's name
_LISTS: Final = {"actions": "Action", "notActions": "NotAction", "resources": "Resource", "notResources": "NotResource"}


def policy_document(args: Mapping[str, Any]) -> dict[str, Any]:
    """The document that the arguments describe, merged as the provider merges: later statements win by `sid`.

    Raises ValueError for a source or override that is no JSON.
    """
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
        **args,
        "version": document["Version"],
    }


def _statements(text: str) -> list[dict[str, Any]]:
    found = json.loads(text).get("Statement", [])
    return [found] if isinstance(found, dict) else list(found)


def _statement(statement: Mapping[str, Any], version: str) -> dict[str, Any]:
    def text(value: str) -> str:
        return value.replace("&{", "${") if version != "2008-10-17" else value

    made: dict[str, Any] = {"Sid": statement["sid"]} if statement.get("sid") else {}
    made["Effect"] = statement.get("effect") or "Allow"
    for ours, theirs in _LISTS.items():
        if names := _names(statement.get(ours), text):
            made[theirs] = _one_or_sorted(names)
    for ours, theirs in (("principals", "Principal"), ("notPrincipals", "NotPrincipal")):
        if statement.get(ours):
            made[theirs] = _principals(statement[ours], text)
    for condition in statement.get("conditions") or ():
        values = _names(condition["values"], text)
        operator = made.setdefault("Condition", {}).setdefault(condition["test"], {})
        operator[condition["variable"]] = values[0] if len(values) == 1 else values
    return made


def _principals(principals: list[Mapping[str, Any]], text: Callable[[str], str]) -> str | dict[str, Any]:
    if [one["type"] for one in principals] == ["*"] and principals[0]["identifiers"] == ["*"]:
        return "*"
    by_type: dict[str, list[str]] = {}
    for one in principals:
        by_type.setdefault(one["type"], []).extend(_names(one["identifiers"], text))
    return {kind: _one_or_sorted(values) for kind, values in sorted(by_type.items())}


def _names(given: list[str | None] | None, text: Callable[[str], str]) -> list[str]:
    """The names but for those that are not known in a preview: the engine sends null for them."""
    return [text(name) for name in given or () if name is not None]


def _one_or_sorted(values: list[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else sorted(set(values), reverse=True)
