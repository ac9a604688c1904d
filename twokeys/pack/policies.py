"""The policies that the pack names to the engine: one for each rule, and those about the pack's own work."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from twokeys.access.configuration import OTHER_STACKS
from twokeys.access.findings import Rule, Severity
from twokeys.access.rules import RULES
from twokeys.pack.changed import DOORS_CHANGED
from twokeys.pack.deferral import DEFERRED

FAIL_CLOSED: Final = "every-rule-ran"
_PAGE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html"


@dataclass(frozen=True)
class Policy:
    """One policy as the engine lists it; `rule` is None for those about the pack's own work."""

    name: str
    description: str
    severity: Severity
    remediation: str
    mandatory: bool
    url: str = _PAGE
    rule: Rule[Any] | None = None
    settings: Mapping[str, Any] | None = None

    @property
    def schema(self) -> Mapping[str, Any]:
        """What can be set of it, as JSON schema without references: the engine's has none."""
        if self.rule is None:
            return {"properties": dict(self.settings or {})}
        schema = self.rule.config.model_json_schema(by_alias=True, ref_template="{model}")
        found: Mapping[str, Any] = _inlined(schema, schema.get("$defs", {}))
        return found


POLICIES: Final = (
    *(
        Policy(rule.name, rule.description, rule.severity, rule.remediation, rule.mandatory, rule.url, rule)
        for rule in RULES
    ),
    Policy(
        DEFERRED,
        "A document that is not known in preview is judged in the update, before it is made.",
        "low",
        "Nothing has to be done; write the document from values that are known in preview to have it proved earlier.",
        mandatory=False,
    ),
    Policy(
        DOORS_CHANGED,
        "What this change does to who can enter which account.",
        "low",
        "See that this is what the change is for.",
        mandatory=False,
        settings={"state": {"type": "string", "description": "The state before, for a backend that is not a file."}},
    ),
    Policy(
        OTHER_STACKS,
        "Doors between stacks are judged with the states of the other stacks that are named.",
        "low",
        "Export those states again if they have changed.",
        mandatory=False,
        settings={
            "states": {
                "type": "array",
                "items": {"type": "string"},
                "description": "Files of `pulumi stack export`, from the program's folder.",
            }
        },
    ),
    Policy(
        FAIL_CLOSED,
        "Every rule has run to its end; a rule that failed has proved nothing.",
        "critical",
        "Correct the configuration that is named, or report the error.",
        mandatory=True,
    ),
)
BY_NAME: Final = {policy.name: policy for policy in POLICIES}


def _inlined(value: Any, definitions: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON schema
    if isinstance(value, dict):
        if "$ref" in value:
            return _inlined(definitions[value["$ref"]], definitions)
        return {key: _inlined(item, definitions) for key, item in value.items() if key != "$defs"}
    if isinstance(value, list):
        return [_inlined(item, definitions) for item in value]
    return value
