"""A policy pack in its own process, started and asked as the engine does: over Pulumi's `Analyzer` protocol.

What a policy is shown is what Pulumi shows it: inputs after they are checked when a resource is checked alone, outputs
when the stack is (https://www.pulumi.com/docs/insights/policy/policy-packs/).
"""

from __future__ import annotations

import json
import select
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any, Final

import grpc
import jsonschema
import yaml
from google.protobuf import empty_pb2, json_format
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc

from twokeys.errors import Refusal
from twokeys.sandbox.engine.books import Settings, Subject
from twokeys.sandbox.engine.events import Diagnostic, PackStarted, Report, Severity, Violation
from twokeys.sandbox.engine.monitor import MAX_MESSAGE
from twokeys.sandbox.engine.resource import Resource, urn_name
from twokeys.sandbox.engine.supervised import supervised
from twokeys.sandbox.engine.values import Properties, from_struct, to_struct

_START_SECONDS: Final = 60
_LEVELS: Final = {
    "advisory": analyzer_pb2.ADVISORY,
    "mandatory": analyzer_pb2.MANDATORY,
    "remediate": analyzer_pb2.REMEDIATE,
    "disabled": analyzer_pb2.DISABLED,
}


@dataclass(frozen=True)
class PackChoice:
    """A pack to use.

    Attributes:
        directory: the folder with its `PulumiPolicy.yaml`.
        config: what a `--policy-pack-config` file holds: policy name (or "all") to a level, or to an object of
            properties with an optional "enforcementLevel".
    """

    directory: Path
    config: Mapping[str, Any] = field(default_factory=dict)


class Packs:
    """All packs of a run as one."""

    def __init__(self, packs: Sequence[PolicyPack]) -> None:
        self._packs = packs

    def analyze(self, subject: Subject) -> tuple[Properties | None, tuple[Violation, ...]]:
        """Each pack sees what the one before it remediated."""
        remediated: Properties | None = None
        violations: tuple[Violation, ...] = ()
        for pack in self._packs:
            changed, found = pack.analyze(subject)
            violations += found
            if changed is not None:
                remediated = changed
                subject = replace(subject, properties=changed)
        return remediated, violations

    def analyze_stack(self, subjects: tuple[Subject, ...]) -> tuple[Violation, ...]:
        """What any of them finds."""
        return tuple(one for pack in self._packs for one in pack.analyze_stack(subjects))


class PolicyPack:
    """One running pack; a context manager that ends its process.

    Args:
        choice: which pack, and how it is configured.
        address: where the engine's own service answers.
        environment: the whole environment of the process.

    Raises:
        Refusal: it does not start, or its configuration is not what it asks for.
    """

    def __init__(
        self, choice: PackChoice, settings: Settings, address: str, environment: Mapping[str, str], report: Report
    ) -> None:
        directory, config = choice.directory, choice.config
        self._directory = directory
        self._report = report
        self._process = self._start(settings, address, environment)
        try:
            options = [
                ("grpc.max_receive_message_length", MAX_MESSAGE),
                ("grpc.max_send_message_length", MAX_MESSAGE),
            ]
            self._channel = grpc.insecure_channel(f"127.0.0.1:{self._read_port()}", options=options)
            self._stub = analyzer_pb2_grpc.AnalyzerStub(self._channel)
            self._follow(self._process.stdout)
            info = self._stub.GetAnalyzerInfo(empty_pb2.Empty(), timeout=_START_SECONDS)
            levels = self._configure(info, config)
            self._stub.ConfigureStack(
                analyzer_pb2.AnalyzerStackConfigureRequest(
                    stack=settings.stack,
                    project=settings.project,
                    organization=settings.organization,
                    dry_run=settings.dry_run,
                    config=dict(settings.config),
                    config_secret_keys=settings.secret_keys,
                )
            )
        except BaseException:
            self.close()
            raise
        self.name = info.name
        report(PackStarted(info.name, sum(level != analyzer_pb2.DISABLED for level in levels)))
        self._remediates = analyzer_pb2.REMEDIATE in levels

    def __enter__(self) -> PolicyPack:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(2)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if hasattr(self, "_channel"):
            self._channel.close()
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None and not stream.closed and threading.current_thread() is threading.main_thread():
                stream.close()

    def analyze(self, subject: Subject) -> tuple[Properties | None, tuple[Violation, ...]]:
        """Check one resource before anything is done with it; the properties are there when a policy changed them."""
        resource = subject.resource
        request = analyzer_pb2.AnalyzeRequest(
            type=resource.type,
            properties=to_struct(subject.properties),
            urn=resource.urn,
            name=urn_name(resource.urn),
            options=_options(subject),
            provider=_provider(subject.provider),
        )
        remediated = None
        if self._remediates:
            for remediation in self._stub.Remediate(request).remediations:
                if remediation.diagnostic:
                    self._report(Diagnostic(Severity.WARNING, remediation.diagnostic, resource.urn))
                elif remediation.HasField("properties"):
                    remediated = from_struct(remediation.properties)
                    request.properties.CopyFrom(remediation.properties)
        return remediated, self._violations(self._stub.Analyze(request), resource.urn)

    def analyze_stack(self, subjects: tuple[Subject, ...]) -> tuple[Violation, ...]:
        """Check all resources together after the program is done."""
        resources = [
            analyzer_pb2.AnalyzerResource(
                type=subject.resource.type,
                properties=to_struct(subject.properties),
                urn=subject.resource.urn,
                name=urn_name(subject.resource.urn),
                options=_options(subject),
                provider=_provider(subject.provider),
                parent=subject.resource.parent,
                dependencies=subject.resource.dependencies,
                propertyDependencies={
                    key: analyzer_pb2.AnalyzerPropertyDependencies(urns=urns)
                    for key, urns in subject.resource.property_dependencies.items()
                    if urns
                },
            )
            for subject in subjects
        ]
        stack = next((one.resource.urn for one in subjects if not one.resource.parent), "")
        return self._violations(self._stub.AnalyzeStack(analyzer_pb2.AnalyzeStackRequest(resources=resources)), stack)

    def _start(self, settings: Settings, address: str, environment: Mapping[str, str]) -> subprocess.Popen[str]:
        manifest = self._directory / "PulumiPolicy.yaml"
        try:
            runtime = yaml.safe_load(manifest.read_text(encoding="utf-8"))["runtime"]
        except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
            raise self._refusal(f"its PulumiPolicy.yaml cannot be read ({error})") from error
        if (runtime if isinstance(runtime, str) else runtime.get("name")) != "python":
            raise self._refusal(f"its runtime is {runtime!r}; the sandbox runs Python packs only")
        told = {
            "PULUMI_CONFIG": json.dumps(dict(settings.config)),
            "PULUMI_ORGANIZATION": settings.organization,
            "PULUMI_PROJECT": settings.project,
            "PULUMI_STACK": settings.stack,
            "PULUMI_DRY_RUN": "true" if settings.dry_run else "false",
        }
        return subprocess.Popen(  # noqa: S603 - our own interpreter, and the pack that the user named
            supervised("pulumi.policy", address, str(self._directory)),
            cwd=self._directory,
            env={**environment, **told},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def _read_port(self) -> int:
        """The first line that the pack prints; its standard error is followed from the beginning."""
        assert self._process.stdout is not None and self._process.stderr is not None  # noqa: S101, PT018 - PIPE
        self._follow(self._process.stderr)
        ready, _, _ = select.select([self._process.stdout], [], [], _START_SECONDS)
        line = self._process.stdout.readline() if ready else ""
        if line.strip().isdigit():
            return int(line)
        if ready and not line:
            code = self._process.wait(_START_SECONDS)
            raise self._refusal(f"it ended with exit code {code} before it listened; what it printed stands above")
        raise self._refusal(f"it did not say within {_START_SECONDS} s where it listens, but {line!r}")

    def _follow(self, stream: IO[str] | None) -> None:
        def pass_on() -> None:
            try:
                for line in stream or ():
                    self._report(Diagnostic(Severity.INFO, f"{self._directory.name}: {line.rstrip()}"))
            except ValueError:
                return  # the stream was closed because the run is over

        threading.Thread(target=pass_on, daemon=True).start()

    def _configure(self, info: analyzer_pb2.AnalyzerInfo, config: Mapping[str, Any]) -> list[int]:
        """Defaults of the policies, then the pack's own configuration, then the user's; checked against the schemas."""
        levels = {policy.name: int(policy.enforcementLevel) for policy in info.policies}
        properties: dict[str, dict[str, Any]] = {
            policy.name: {
                key: schema["default"]
                for key, schema in json_format.MessageToDict(policy.configSchema.properties).items()
                if "default" in schema
            }
            for policy in info.policies
        }
        initial = {
            name: {**json_format.MessageToDict(one.properties), "enforcementLevel": one.enforcementLevel}
            for name, one in info.initialConfig.items()
        }
        for source in (initial, config):
            everything = _level(source.get("all"), self._refusal)
            if everything is not None:
                levels = dict.fromkeys(levels, everything)
            for name, given in source.items():
                if name == "all":
                    continue
                if name not in levels:
                    raise self._refusal(f"its configuration names the policy {name!r}, which it does not have")
                level = _level(given, self._refusal)
                levels[name] = levels[name] if level is None else level
                if isinstance(given, Mapping):
                    properties[name] |= {key: value for key, value in given.items() if key != "enforcementLevel"}
        for policy in info.policies:
            self._check_config(policy, properties[policy.name])
        request = analyzer_pb2.ConfigureAnalyzerRequest()
        for name, level in levels.items():
            request.policyConfig[name].enforcementLevel = analyzer_pb2.EnforcementLevel.ValueType(level)
            request.policyConfig[name].properties.update(properties[name])
        self._stub.Configure(request)
        return list(levels.values())

    def _check_config(self, policy: analyzer_pb2.PolicyInfo, properties: Mapping[str, Any]) -> None:
        if not policy.HasField("configSchema"):
            return
        schema = {
            "type": "object",
            "properties": json_format.MessageToDict(policy.configSchema.properties),
            "required": list(policy.configSchema.required),
        }
        try:
            jsonschema.validate(dict(properties), schema)
        except jsonschema.ValidationError as error:
            raise self._refusal(f"the configuration of its policy {policy.name} is wrong: {error.message}") from error

    def _violations(self, response: analyzer_pb2.AnalyzeResponse, default_urn: str) -> tuple[Violation, ...]:
        return tuple(
            Violation(
                policy=one.policyName,
                pack=one.policyPackName,
                mandatory=one.enforcementLevel in (analyzer_pb2.MANDATORY, analyzer_pb2.REMEDIATE),
                message=one.message,
                urn=one.urn or default_urn,
                description=one.description,
                severity=analyzer_pb2.PolicySeverity.Name(one.severity).removeprefix("POLICY_SEVERITY_").lower(),
            )
            for one in response.diagnostics
        )

    def _refusal(self, why: str) -> Refusal:
        return Refusal(
            "the policy pack cannot be used",
            where=str(self._directory),
            why=why,
            next_step="correct the pack or its configuration; `--no-policies` runs without it",
        )


def _level(given: Any, refusal: Any) -> int | None:  # noqa: ANN401 - JSON
    level = given.get("enforcementLevel") if isinstance(given, Mapping) else given
    if level is None or isinstance(level, int):
        return level
    if level not in _LEVELS:
        raise refusal(f"its configuration has the enforcement level {level!r}; there are {', '.join(sorted(_LEVELS))}")
    return int(_LEVELS[level])


def _options(subject: Subject) -> analyzer_pb2.AnalyzerResourceOptions:
    resource, goal = subject.resource, subject.goal
    before = goal.delete_before_replace if goal else None
    return analyzer_pb2.AnalyzerResourceOptions(
        protect=resource.protect,
        ignoreChanges=resource.ignore_changes,
        deleteBeforeReplace=bool(before),
        deleteBeforeReplaceDefined=before is not None,
        additionalSecretOutputs=resource.additional_secret_outputs,
        aliases=resource.aliases,
        customTimeouts=analyzer_pb2.AnalyzerResourceOptions.CustomTimeouts(
            create=resource.custom_timeouts.get("create", 0),
            update=resource.custom_timeouts.get("update", 0),
            delete=resource.custom_timeouts.get("delete", 0),
        ),
        parent=resource.parent,
    )


def _provider(provider: Resource | None) -> analyzer_pb2.AnalyzerProviderResource | None:
    if provider is None:
        return None
    return analyzer_pb2.AnalyzerProviderResource(
        type=provider.type,
        properties=to_struct(provider.inputs),
        urn=provider.urn,
        name=urn_name(provider.urn),
    )
