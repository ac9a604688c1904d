"""Speaks to a pack as the engine does: the analyzer's requests, answered by the SDK's own servicer in this process."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from google.protobuf import struct_pb2
from pulumi.runtime.proto import analyzer_pb2
from pulumi_policy import EnforcementLevel
from pulumi_policy.policy import _PolicyAnalyzerServicer
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

from policies.pack import NAME, policies
from twokeys.access.snapshot import Resource
from twokeys.iam import UNKNOWN


class Engine:
    """One pack and what it says: `analyze` sends every resource, then the stack."""

    def __init__(self, config: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        self._servicer = _PolicyAnalyzerServicer(NAME, "0.0.1", policies(), EnforcementLevel.MANDATORY)
        request = analyzer_pb2.ConfigureAnalyzerRequest()
        for rule, settings in (config or {}).items():
            request.policyConfig[rule].properties.update(settings)
            request.policyConfig[rule].enforcementLevel = analyzer_pb2.MANDATORY
        self._servicer.Configure(request, None)

    def analyze(self, resources: Iterable[Resource]) -> list[analyzer_pb2.AnalyzeDiagnostic]:
        """Every diagnostic of both phases."""
        found = list(resources)
        by_urn = {resource.urn: resource for resource in found}
        diagnostics = []
        for resource in found:
            answer = self._servicer.Analyze(_input_request(resource, by_urn), None)
            diagnostics.extend(answer.diagnostics)
        request = analyzer_pb2.AnalyzeStackRequest(resources=[_stack_resource(one, by_urn) for one in found])
        diagnostics.extend(self._servicer.AnalyzeStack(request, None).diagnostics)
        return diagnostics

    def rules(self, resources: Iterable[Resource]) -> list[str]:
        """The policies that found something."""
        return sorted({diagnostic.policyName for diagnostic in self.analyze(resources)})


def _input_request(resource: Resource, by_urn: Mapping[str, Resource]) -> analyzer_pb2.AnalyzeRequest:
    return analyzer_pb2.AnalyzeRequest(
        type=resource.type,
        urn=resource.urn,
        name=resource.name,
        properties=_struct(resource.inputs or {}),
        options=_options(resource),
        provider=_provider(resource, by_urn),
    )


def _stack_resource(resource: Resource, by_urn: Mapping[str, Resource]) -> analyzer_pb2.AnalyzerResource:
    message = analyzer_pb2.AnalyzerResource(
        type=resource.type,
        urn=resource.urn,
        name=resource.name,
        properties=_struct(resource.outputs),
        options=_options(resource),
        provider=_provider(resource, by_urn),
        parent=resource.parent or "",
        dependencies=resource.dependencies,
    )
    for key, urns in resource.property_dependencies.items():
        message.propertyDependencies[key].urns.extend(urns)
    return message


def _options(resource: Resource) -> analyzer_pb2.AnalyzerResourceOptions:
    return analyzer_pb2.AnalyzerResourceOptions(protect=resource.protect, parent=resource.parent or "")


def _provider(resource: Resource, by_urn: Mapping[str, Resource]) -> analyzer_pb2.AnalyzerProviderResource | None:
    provider = by_urn.get(resource.provider or "")
    if provider is None:
        return None
    return analyzer_pb2.AnalyzerProviderResource(
        type=provider.type, urn=provider.urn, name=provider.name, properties=_struct(provider.inputs or {})
    )


def _struct(values: Mapping[str, object]) -> struct_pb2.Struct:
    struct = struct_pb2.Struct()
    struct.update({key: _json(value) for key, value in values.items()})
    return struct


def _json(value: object) -> Any:
    if value is UNKNOWN:
        return UNKNOWN_STRING_VALUE
    if isinstance(value, Mapping):
        return {key: _json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_json(item) for item in value]
    return value
