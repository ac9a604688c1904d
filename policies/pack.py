"""The pack: one CrossGuard policy for each rule, all reading one graph.

The engine hands each policy the whole stack anew. The graph is built once for a stack: when a policy asks for the
second time, the engine has begun another analysis.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pulumi.runtime
from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyConfigSchema,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Severity,
    StackValidationArgs,
    StackValidationPolicy,
)

from policies.before import state_before
from policies.engine import Inputs
from twokeys.access.diff import changes
from twokeys.access.findings import Finding, Rule, run
from twokeys.access.graph import Graph, build
from twokeys.access.rules import RULES

NAME = "twokeys"
FAIL_CLOSED = "every-rule-ran"
DOORS_CHANGED = "doors-changed"


class _Analysis:
    """The graph of the stack that is being analysed, and what went wrong in reading it."""

    def __init__(self) -> None:
        self.inputs = Inputs()
        self._asked: set[str] = set()
        self._graph: Graph | None = None
        self.failures: list[Finding] = []

    def graph(self, rule: str, args: StackValidationArgs) -> Graph | None:
        """The graph for a rule; None if the stack cannot be read, which is reported as a failure."""
        if not self._asked or rule in self._asked:
            self._asked.clear()
            self.failures.clear()
            self._graph = self._built(args)
        self._asked.add(rule)
        return self._graph

    def _built(self, args: StackValidationArgs) -> Graph | None:
        try:
            return build(self.inputs.snapshot(args.resources))
        except Exception as error:  # what cannot be read is not proved
            message = f"The stack cannot be read ({type(error).__name__}: {error}), so nothing about it is proved"
            step = "report this as a defect of TwoKeys; until it is mended, no change can be shown to be safe"
            self.failures.append(Finding(FAIL_CLOSED, message, step))
            return None


def policies() -> list[Policy]:
    """The policies of one pack; each call makes a pack that shares nothing with another."""
    analysis = _Analysis()
    return [
        ResourceValidationPolicy(
            name="what-was-asked-for",
            description="Keeps what the program asked for, for the policies that read the whole stack.",
            validate=lambda args, _report: _record(analysis, args),
        ),
        *(_policy(analysis, rule) for rule in RULES),
        StackValidationPolicy(
            name=DOORS_CHANGED,
            description="What this change does to who can enter which account.",
            enforcement_level=EnforcementLevel.ADVISORY,
            severity=Severity.LOW,
            config_schema=PolicyConfigSchema({"state": {"type": "string", "description": "A state to compare with."}}),
            remediation_steps="Read the list; nothing has to be done if this is what the change is for.",
            validate=lambda args, report: _report_changes(analysis, args, report),
        ),
        StackValidationPolicy(
            name=FAIL_CLOSED,
            description="Every rule has run to its end; a rule that failed has proved nothing.",
            enforcement_level=EnforcementLevel.MANDATORY,
            severity=Severity.CRITICAL,
            remediation_steps="Correct the configuration that is named, or report the error.",
            validate=lambda args, report: _report_failures(analysis, args, report),
        ),
    ]


def _record(analysis: _Analysis, args: ResourceValidationArgs) -> None:
    analysis.inputs.record(args)


def _policy(analysis: _Analysis, rule: Rule[Any]) -> StackValidationPolicy:
    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        graph = analysis.graph(rule.name, args)
        if graph is None:
            return
        result = run(rule, graph, args.get_config(), datetime.now(UTC).date())
        for finding in result.findings:
            report(finding.text, finding.urn)
        if result.failure is not None:
            analysis.failures.append(result.failure)

    return StackValidationPolicy(
        name=rule.name,
        description=rule.description,
        validate=validate,
        enforcement_level=EnforcementLevel.MANDATORY if rule.mandatory else EnforcementLevel.ADVISORY,
        config_schema=_schema(rule),
        severity=Severity(rule.severity),
        remediation_steps=rule.remediation,
        url=rule.url,
    )


def _report_changes(analysis: _Analysis, args: StackValidationArgs, report: ReportViolation) -> None:
    """Say in a preview which doors are gained and lost; silent for a new stack, and without a state to compare."""
    graph = analysis.graph(DOORS_CHANGED, args)
    if graph is None or not pulumi.runtime.is_dry_run() or not graph.snapshot.resources:
        return
    try:
        before = state_before(graph.snapshot.resources[0].urn, args.get_config().get("state"))
        found = changes(build(before), graph) if before is not None and before.resources else None
    except Exception as error:  # a difference that cannot be told must not look like none
        message = f"The doors gained and lost cannot be told ({type(error).__name__}: {error})"
        report(f"{message}. Next step: name a state in the configuration of {DOORS_CHANGED}, or correct it.", None)
        return
    if found:
        lines = [f"+ {way}" for way in found.gained] + [f"- {way}" for way in found.lost]
        lines += [f"~ {old}  is now  {new}" for old, new in found.changed]
        report("Doors gained (+), lost (-) and changed (~):\n" + "\n".join(lines), None)


def _report_failures(analysis: _Analysis, args: StackValidationArgs, report: ReportViolation) -> None:
    analysis.graph(FAIL_CLOSED, args)
    for failure in analysis.failures:
        report(failure.text, failure.urn)


def _schema(rule: Rule[Any]) -> PolicyConfigSchema | None:
    schema: Mapping[str, Any] = rule.config.model_json_schema(by_alias=True, ref_template="{model}")
    properties = {key: _inlined(value, schema.get("$defs", {})) for key, value in schema.get("properties", {}).items()}
    return PolicyConfigSchema(properties, schema.get("required")) if properties else None


def _inlined(value: Any, definitions: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON schema
    """The engine's JSON schema has no references."""
    if isinstance(value, dict):
        if "$ref" in value:
            return _inlined(definitions[value["$ref"]], definitions)
        return {key: _inlined(item, definitions) for key, item in value.items()}
    if isinstance(value, list):
        return [_inlined(item, definitions) for item in value]
    return value
