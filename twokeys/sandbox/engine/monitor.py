"""The two gRPC services that a program talks to: `ResourceMonitor` and `Engine`, from the SDK's own protocol.

Only translation happens here; what it means is in `deployment`. What the sandbox does not do is refused by name.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final, NoReturn

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import (
    alias_pb2,
    engine_pb2,
    engine_pb2_grpc,
    resource_pb2,
    resource_pb2_grpc,
)

from twokeys.sandbox.engine.control import Stopped
from twokeys.sandbox.engine.deployment import Deployment
from twokeys.sandbox.engine.events import Diagnostic, Report, Severity
from twokeys.sandbox.engine.plugin import ProviderError
from twokeys.sandbox.engine.providers import DeniedProviderError, EngineError
from twokeys.sandbox.engine.resource import UNKNOWN_ID, Goal, make_urn, urn_name
from twokeys.sandbox.engine.values import UNKNOWN, UnsupportedValueError, from_struct, to_struct

# What the SDK is told that this monitor does. Transforms and hooks are among them only so that the SDK registers them
# and gets an answer that names them, instead of telling the user to update a CLI that is not there.
_FEATURES: Final = (
    resource_pb2.RESOURCE_MONITOR_FEATURE_SECRETS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_RESOURCE_REFERENCES,
    resource_pb2.RESOURCE_MONITOR_FEATURE_OUTPUT_VALUES,
    resource_pb2.RESOURCE_MONITOR_FEATURE_ALIAS_SPECS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_DELETED_WITH,
    resource_pb2.RESOURCE_MONITOR_FEATURE_REPLACE_WITH,
    resource_pb2.RESOURCE_MONITOR_FEATURE_REPLACEMENT_TRIGGER,
    resource_pb2.RESOURCE_MONITOR_FEATURE_TRANSFORMS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_INVOKE_TRANSFORMS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_RESOURCE_HOOKS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_ERROR_HOOKS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_PARAMETERIZATION,
    resource_pb2.RESOURCE_MONITOR_FEATURE_STATE_MIGRATIONS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_INVOKE_DEPENDS_ON,
)
_LEGACY_NAMES: Final = ("secrets", "resourceReferences", "outputValues", "aliasSpecs", "deletedWith", "replaceWith")
_SEVERITIES: Final = {
    engine_pb2.DEBUG: Severity.DEBUG,
    engine_pb2.INFO: Severity.INFO,
    engine_pb2.WARNING: Severity.WARNING,
    engine_pb2.ERROR: Severity.ERROR,
}
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s)")
_UNIT_SECONDS: Final = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
# A registration holds its thread until its resource is made, and `parallel` bounds those; the others only wait.
_THREADS: Final = 128
_HOLD_SECONDS: Final = 30.0
MAX_MESSAGE: Final = 1024 * 1024 * 400


class Monitor(resource_pb2_grpc.ResourceMonitorServicer):
    """What the program registers, reads and looks up, handed to the deployment."""

    def __init__(self, deployment: Deployment) -> None:
        self.program_done = threading.Event()
        self._released = threading.Event()
        self._deployment = deployment

    def release(self) -> None:
        """Let the program end: everything it asked for is done."""
        self._released.set()

    def GetDeploymentInfo(  # noqa: N802 - the protocol's names
        self, request: empty_pb2.Empty, context: grpc.ServicerContext
    ) -> resource_pb2.DeploymentInfo:
        """Who runs, and what this monitor can do."""
        del request, context
        settings = self._deployment.settings
        return resource_pb2.DeploymentInfo(
            project=settings.project,
            stack=settings.stack,
            organization=settings.organization,
            config=dict(settings.config),
            configSecretKeys=settings.secret_keys,
            dryRun=settings.dry_run,
            parallel=settings.parallel,
            supportedFeatures=_FEATURES,
        )

    def SupportsFeature(  # noqa: N802
        self, request: resource_pb2.SupportsFeatureRequest, context: grpc.ServicerContext
    ) -> resource_pb2.SupportsFeatureResponse:
        """The same for SDKs that ask one by one."""
        del context
        return resource_pb2.SupportsFeatureResponse(hasSupport=request.id in _LEGACY_NAMES)

    def RegisterResource(  # noqa: N802
        self, request: resource_pb2.RegisterResourceRequest, context: grpc.ServicerContext
    ) -> resource_pb2.RegisterResourceResponse:
        """A resource of the program."""
        with _answering(context):
            self._refuse_unsupported(request)
            registered = self._deployment.register(self._goal(request))
            return resource_pb2.RegisterResourceResponse(
                urn=registered.urn,
                id=registered.id,
                object=to_struct(registered.outputs, secrets=request.acceptSecrets, references=request.acceptResources),
            )
        raise AssertionError("unreachable")

    def RegisterResourceOutputs(  # noqa: N802
        self, request: resource_pb2.RegisterResourceOutputsRequest, context: grpc.ServicerContext
    ) -> empty_pb2.Empty:
        """The outputs of a component or of the stack."""
        with _answering(context):
            self._deployment.register_outputs(request.urn, from_struct(request.outputs))
        return empty_pb2.Empty()

    def ReadResource(  # noqa: N802
        self, request: resource_pb2.ReadResourceRequest, context: grpc.ServicerContext
    ) -> resource_pb2.ReadResourceResponse:
        """An object that the stack does not own."""
        with _answering(context):
            _refuse_package(request.packageRef)
            goal = Goal(
                urn=self._deployment.urn(request.parent, request.type, request.name),
                type=request.type,
                name=request.name,
                custom=True,
                inputs=from_struct(request.properties),
                parent=request.parent,
                provider=request.provider,
                version=request.version,
                dependencies=tuple(sorted(request.dependencies)),
                additional_secret_outputs=tuple(request.additionalSecretOutputs),
            )
            found = self._deployment.read(goal, UNKNOWN if request.id == UNKNOWN_ID else request.id)
            return resource_pb2.ReadResourceResponse(
                urn=found.urn,
                id=found.id,
                properties=to_struct(found.outputs, secrets=request.acceptSecrets, references=request.acceptResources),
            )
        raise AssertionError("unreachable")

    def Invoke(  # noqa: N802
        self, request: resource_pb2.ResourceInvokeRequest, context: grpc.ServicerContext
    ) -> resource_pb2.ResourceInvokeResponse:
        """A look-up; a failure is the program's to handle."""
        with _answering(context):
            _refuse_package(request.packageRef)
            try:
                answer = self._deployment.invoke(
                    request.tok,
                    from_struct(request.args),
                    provider=request.provider,
                    version=request.version,
                    depends_on=tuple(request.dependsOn),
                )
            except DeniedProviderError:
                raise
            except (ProviderError, EngineError) as error:
                context.abort(grpc.StatusCode.UNKNOWN, f"invocation of {request.tok} returned an error: {error}")
            if answer is None:
                return resource_pb2.ResourceInvokeResponse(unknown=True)
            response = resource_pb2.ResourceInvokeResponse()
            # "return" is a Python keyword, so the field has to be asked for by name.
            getattr(response, "return").CopyFrom(to_struct(answer, references=request.acceptResources))
            return response
        raise AssertionError("unreachable")

    def SignalAndWaitForShutdown(  # noqa: N802
        self, request: empty_pb2.Empty, context: grpc.ServicerContext
    ) -> empty_pb2.Empty:
        """The program has said everything; hold it until the rest is done."""
        del request
        self.program_done.set()
        while context.is_active() and not self._released.wait(0.2):
            pass
        return empty_pb2.Empty()

    def Call(self, request: resource_pb2.ResourceCallRequest, context: grpc.ServicerContext) -> NoReturn:  # noqa: N802
        """Methods of components in other languages: not here."""
        _unsupported(context, f"calling methods ({request.tok})")

    def RegisterStackTransform(self, request: Any, context: grpc.ServicerContext) -> NoReturn:  # noqa: N802, ANN401
        """Not here."""
        del request
        _unsupported(context, "stack transforms")

    def RegisterStackInvokeTransform(self, request: Any, context: grpc.ServicerContext) -> NoReturn:  # noqa: N802, ANN401
        """Not here."""
        del request
        _unsupported(context, "invoke transforms")

    def RegisterResourceHook(  # noqa: N802
        self, request: resource_pb2.RegisterResourceHookRequest, context: grpc.ServicerContext
    ) -> NoReturn:
        """Not here."""
        _unsupported(context, f"resource hooks ({request.name})")

    def RegisterErrorHook(  # noqa: N802
        self, request: resource_pb2.RegisterErrorHookRequest, context: grpc.ServicerContext
    ) -> NoReturn:
        """Not here."""
        _unsupported(context, f"error hooks ({request.name})")

    def RegisterPackage(  # noqa: N802
        self, request: resource_pb2.RegisterPackageRequest, context: grpc.ServicerContext
    ) -> NoReturn:
        """Not here."""
        _unsupported(context, f"parameterized packages ({request.name})")

    def _goal(self, request: resource_pb2.RegisterResourceRequest) -> Goal:
        dependencies = {key: tuple(sorted(value.urns)) for key, value in request.propertyDependencies.items()}
        parent = self._deployment.goal(request.parent)
        inherited = parent.protect if parent else False
        retained = parent.retain_on_delete if parent else False
        before = request.deleteBeforeReplace
        return Goal(
            urn=self._deployment.urn(request.parent, request.type, request.name),
            type=request.type,
            name=request.name,
            custom=request.custom,
            inputs=from_struct(request.object),
            parent=request.parent,
            provider=request.provider,
            version=request.version,
            dependencies=tuple(sorted(request.dependencies)),
            property_dependencies=dependencies,
            protect=request.protect if request.HasField("protect") else inherited,
            retain_on_delete=request.retainOnDelete if request.HasField("retainOnDelete") else retained,
            delete_before_replace=before if before or request.deleteBeforeReplaceDefined else None,
            deleted_with=request.deletedWith or (parent.deleted_with if parent else ""),
            replace_with=tuple(request.replace_with),
            ignore_changes=tuple(request.ignoreChanges),
            replace_on_changes=tuple(request.replaceOnChanges),
            additional_secret_outputs=tuple(request.additionalSecretOutputs),
            aliases=self._aliases(request),
            import_id=request.importId,
            timeouts=_timeouts(request.customTimeouts),
        )

    def _aliases(self, request: resource_pb2.RegisterResourceRequest) -> tuple[str, ...]:
        """Full URNs of the given aliases, and those that follow from the aliases of the parent."""
        aliases = list(request.aliasURNs)
        aliases += [self._alias(one, request) for one in request.aliases]
        parent = self._deployment.goal(request.parent)
        for one in parent.aliases if parent else ():
            settings = self._deployment.settings
            name = request.name
            if parent and name.startswith(parent.name):
                name = urn_name(one) + name.removeprefix(parent.name)
            aliases.append(make_urn(settings.stack, settings.project, one, request.type, name))
        return tuple(dict.fromkeys(aliases))

    def _alias(self, alias: alias_pb2.Alias, request: resource_pb2.RegisterResourceRequest) -> str:
        if alias.HasField("urn"):
            return alias.urn
        spec = alias.spec
        parent = "" if spec.noParent else spec.parentUrn or request.parent
        settings = self._deployment.settings
        return make_urn(
            spec.stack or settings.stack,
            spec.project or settings.project,
            parent,
            spec.type or request.type,
            spec.name or request.name,
        )

    @staticmethod
    def _refuse_unsupported(request: resource_pb2.RegisterResourceRequest) -> None:
        used = {
            "transforms": bool(request.transforms),
            "hooks": request.HasField("hooks") and bool(request.hooks.ListFields()),
            "state_migrations": bool(request.state_migrations),
            "replacement_trigger": request.HasField("replacement_trigger"),
            "hide_diffs": bool(request.hideDiffs),
            "env_var_mappings": bool(request.envVarMappings),
            "remote components": request.remote,
        }
        for option, is_used in used.items():
            if is_used:
                raise EngineError(
                    f"the sandbox does not support {option} (used by {request.type} {request.name}); "
                    "leave it out or use --engine pulumi"
                )
        _refuse_package(request.packageRef)


class Engine(engine_pb2_grpc.EngineServicer):
    """Messages of the program, the providers' libraries and the policy packs."""

    def __init__(self, report: Report) -> None:
        self.errors = 0
        self._report = report
        self._root = ""

    def Log(self, request: engine_pb2.LogRequest, context: grpc.ServicerContext) -> empty_pb2.Empty:  # noqa: N802
        """One message; an error makes the run fail."""
        del context
        severity = _SEVERITIES[request.severity]
        if severity is Severity.ERROR:
            self.errors += 1
        self._report(Diagnostic(severity, request.message, request.urn))
        return empty_pb2.Empty()

    def GetRootResource(  # noqa: N802
        self, request: engine_pb2.GetRootResourceRequest, context: grpc.ServicerContext
    ) -> engine_pb2.GetRootResourceResponse:
        """The stack's URN, when the SDK has said it."""
        del request, context
        return engine_pb2.GetRootResourceResponse(urn=self._root)

    def SetRootResource(  # noqa: N802
        self, request: engine_pb2.SetRootResourceRequest, context: grpc.ServicerContext
    ) -> engine_pb2.SetRootResourceResponse:
        """The stack's URN."""
        del context
        self._root = request.urn
        return engine_pb2.SetRootResourceResponse()

    def StartDebugging(self, request: Any, context: grpc.ServicerContext) -> NoReturn:  # noqa: N802, ANN401
        """Not here."""
        del request
        _unsupported(context, "attaching a debugger")

    def RequirePulumiVersion(  # noqa: N802
        self, request: engine_pb2.RequirePulumiVersionRequest, context: grpc.ServicerContext
    ) -> NoReturn:
        """Not here: the sandbox is no version of the CLI."""
        _unsupported(context, f"requiring a version of the pulumi CLI ({request.pulumi_version_range})")


@contextmanager
def serving(servicer: Monitor | Engine) -> Iterator[str]:
    """A service on a free loopback port of its own; gives its address ("127.0.0.1:40123")."""
    options = [("grpc.max_receive_message_length", MAX_MESSAGE), ("grpc.max_send_message_length", MAX_MESSAGE)]
    server = grpc.server(ThreadPoolExecutor(_THREADS), options=options)
    if isinstance(servicer, Monitor):
        resource_pb2_grpc.add_ResourceMonitorServicer_to_server(servicer, server)
    else:
        engine_pb2_grpc.add_EngineServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        if isinstance(servicer, Monitor):
            servicer.release()
        server.stop(grace=1).wait()


@contextmanager
def _answering(context: grpc.ServicerContext) -> Iterator[None]:
    try:
        yield
    except Stopped:
        # The program is ended now; answering it first would only make it print that the monitor is gone.
        deadline = time.monotonic() + _HOLD_SECONDS
        while context.is_active() and time.monotonic() < deadline:
            time.sleep(0.05)
        context.abort(grpc.StatusCode.UNAVAILABLE, "resource monitor shut down")
    except (EngineError, UnsupportedValueError) as error:
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))


def _unsupported(context: grpc.ServicerContext, what: str) -> NoReturn:
    message = f"the sandbox does not support {what}; leave it out or use --engine pulumi"
    context.abort(grpc.StatusCode.INVALID_ARGUMENT, message)
    raise AssertionError("abort raises")


def _refuse_package(reference: str) -> None:
    if reference:
        raise EngineError("the sandbox does not support parameterized packages; leave it out or use --engine pulumi")


def _timeouts(timeouts: resource_pb2.RegisterResourceRequest.CustomTimeouts) -> dict[str, float]:
    given = {
        "create": timeouts.create,
        "update": timeouts.update,
        "delete": timeouts.delete,
        "read": timeouts.read,
    }
    return {operation: _seconds(text) for operation, text in given.items() if text}


def _seconds(text: str) -> float:
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise EngineError(f"{text!r} is not a duration such as 5m or 1h30m")
    return sum(float(number) * _UNIT_SECONDS[unit] for number, unit in parts)
