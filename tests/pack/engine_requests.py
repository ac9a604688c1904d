"""Speaks to the pack as the engine does: the analyzer's requests, answered in this process."""

from collections.abc import Iterable, Mapping
from typing import Any

from google.protobuf import struct_pb2
from pulumi.runtime.proto import analyzer_pb2
from pulumi.runtime.rpc import UNKNOWN as UNKNOWN_TEXT

from twokeys.access.reading.snapshot import Resource
from twokeys.iam import UNKNOWN
from twokeys.pack.analyzer import Analyzer
from twokeys.pack.deferral import DEFERRED


class Engine:
    """One pack and what it says: `analyze` sends every resource, then the stack."""

    def __init__(
        self,
        config: Mapping[str, Mapping[str, Any]] | None = None,
        *,
        preview: bool = True,
        analyzer: Analyzer | None = None,
        of_stack: Mapping[str, str] | None = None,
    ) -> None:
        self.analyzer = analyzer or Analyzer()
        stack = analyzer_pb2.AnalyzerStackConfigureRequest(dry_run=preview, stack="stage", config=of_stack)
        self.analyzer.ConfigureStack(stack, None)
        request = analyzer_pb2.ConfigureAnalyzerRequest()
        for rule, settings in (config or {}).items():
            request.policyConfig[rule].properties.update(settings)
            request.policyConfig[rule].enforcementLevel = analyzer_pb2.MANDATORY
        self.analyzer.Configure(request, _Context())

    def analyze(self, resources: Iterable[Resource]) -> list[analyzer_pb2.AnalyzeDiagnostic]:
        """Every diagnostic of both phases."""
        found = list(resources)
        by_urn = {resource.urn: resource for resource in found}
        diagnostics = []
        for resource in found:
            diagnostics.extend(self.judge(resource, by_urn))
        diagnostics.extend(self.analyzer.AnalyzeStack(stack_request(found), None).diagnostics)
        return diagnostics

    def judge(
        self, resource: Resource, by_urn: Mapping[str, Resource] | None = None, aliases: Iterable[str] = ()
    ) -> list[analyzer_pb2.AnalyzeDiagnostic]:
        """Every diagnostic of the resource phase about one resource, of which only `Remediate` is shown `__` inputs."""
        request = input_request(resource, by_urn or {})
        request.options.aliases.extend(aliases)
        whole = analyzer_pb2.AnalyzeRequest(urn=resource.urn)
        whole.properties.update({key: _json(value) for key, value in (resource.inputs or {}).items()})
        self.analyzer.Remediate(whole, None)
        return list(self.analyzer.Analyze(request, None).diagnostics)

    def rules(self, resources: Iterable[Resource]) -> list[str]:
        """The policies that found something, beside the advice about what the update will judge."""
        return sorted({found.policyName for found in self.analyze(resources)} - {DEFERRED})


class RefusedError(Exception):
    """The pack has ended a call with an error, as gRPC does."""


class _Context:
    def abort(self, _code: object, details: str) -> None:
        raise RefusedError(details)


def input_request(resource: Resource, by_urn: Mapping[str, Resource]) -> analyzer_pb2.AnalyzeRequest:
    """What the engine sends in the resource phase."""
    return analyzer_pb2.AnalyzeRequest(
        type=resource.type,
        urn=resource.urn,
        name=resource.name,
        properties=_struct(resource.inputs or {}),
        options=_options(resource),
        provider=_provider(resource, by_urn),
    )


def stack_request(resources: Iterable[Resource]) -> analyzer_pb2.AnalyzeStackRequest:
    """What the engine sends in the stack phase."""
    found = list(resources)
    by_urn = {resource.urn: resource for resource in found}
    return analyzer_pb2.AnalyzeStackRequest(resources=[_stack_resource(one, by_urn) for one in found])


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
    struct.update({key: _json(value) for key, value in values.items() if not key.startswith("__")})
    return struct


def _json(value: object) -> Any:
    if value is UNKNOWN:
        return UNKNOWN_TEXT
    if isinstance(value, Mapping):
        return {key: _json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_json(item) for item in value]
    return value
