"""`pulumi-resource-aws`: the package aws for the pulumi CLI on a local AWS, where the vendor's plugin is not installed.

The protocol is https://github.com/pulumi/pulumi/blob/master/proto/pulumi/provider.proto; what the types do is in
`twokeys.sandbox.aws`. One connection is one provider resource: the CLI starts a process for each, or connects to one
that serves them all (PULUMI_DEBUG_PROVIDERS). It takes secrets out of what it sends and marks the outputs that come
from them again, because this plugin says that it does not accept any.
"""

# ruff: noqa: N802, ANN401, ARG002 - the names and signatures are gRPC's, which ships no types for them

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any, Final

from twokeys.sdk import leave_out_automation

if __name__ == "__main__":  # the CLI starts one for each provider, at every command
    leave_out_automation()

import grpc
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from twokeys.access.reading.wire import SECRET, SIGNATURE
from twokeys.errors import Refusal
from twokeys.iam import UNKNOWN
from twokeys.iam.leaves import mapped
from twokeys.preview.values import UNKNOWN_TEXT, has_unknown, plain
from twokeys.sandbox.aws.catalogue import resource_type
from twokeys.sandbox.aws.client import ProviderError
from twokeys.sandbox.aws.configuration import check_configuration
from twokeys.sandbox.aws.provider import AwsProvider, configured
from twokeys.sandbox.aws.resource_type import Properties, Secret
from twokeys.sandbox.plugins.serving import serve

_NO_SCHEMA: Final = (
    "the sandbox's aws plugin has no schema, which programs in YAML, `pulumi convert` and `pulumi package` need."
    " Next step: install the vendor's (`pulumi plugin install resource aws`) and open `twokeys sandbox shell` again;"
    " for `pulumi import`, --generate-code=false"
)


class AwsResources(provider_pb2_grpc.ResourceProviderServicer):
    """What the CLI asks; the names are the protocol's. What is refused reaches it as a gRPC error."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """`environment` names the local AWS and its credentials; see `configured`."""
        self._environment = environment
        self._providers: dict[str, AwsProvider] = {}

    def Handshake(self, request: Any, context: Any) -> Any:
        """Plain values and unknowns only, without marks; names as the stack's config says."""
        return provider_pb2.ProviderHandshakeResponse(supports_autonaming_configuration=True)

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        """The version of the SDK whose properties the types have."""
        return plugin_pb2.PluginInfo(version=version("pulumi-aws"))

    def GetSchema(self, request: Any, context: Any) -> Any:
        """Refused: the package pulumi-aws brings no schema."""
        context.abort(grpc.StatusCode.UNIMPLEMENTED, _NO_SCHEMA)

    def Attach(self, request: Any, context: Any) -> Any:
        """Nothing to do: a plugin that is started by hand for a debugger."""
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: Any) -> Any:
        """Nothing to do: calls to the local AWS take milliseconds."""
        return empty_pb2.Empty()

    def CheckConfig(self, request: Any, context: Any) -> Any:
        """The provider's inputs as the CLI stores them."""
        return provider_pb2.CheckResponse(inputs=_struct(check_configuration(_properties(request.news))))

    def DiffConfig(self, request: Any, context: Any) -> Any:
        """What differs; no setting of a provider replaces it, and with it all of its resources."""
        old, new = _properties(request.old_inputs or request.olds), _properties(request.news)
        changed = sorted(key for key in old.keys() | new.keys() if key != "version" and old.get(key) != new.get(key))
        return _diff(changed, (), delete_before_replace=False)

    def Configure(self, request: Any, context: Any) -> Any:
        """Obtain the credentials, unless something that decides about them is not known yet (a preview)."""
        inputs = _properties(request.args)
        self._providers.pop(context.peer(), None)  # a port may have been another provider's before
        if not any(map(has_unknown, inputs.values())):
            with _refused(context):
                self._providers[context.peer()] = configured(inputs, self._environment)
        return provider_pb2.ConfigureResponse(supportsPreview=True)

    def Check(self, request: Any, context: Any) -> Any:
        """Inputs with defaults and a name; what the API would not accept, the API says."""
        old, new = _properties(request.olds), _properties(request.news)
        named = request.autonaming.proposed_name or None
        inputs = resource_type(_type(request.urn)).check(request.urn, old, new, request.randomSeed, named)
        return provider_pb2.CheckResponse(inputs=_struct(inputs))

    def Diff(self, request: Any, context: Any) -> Any:
        """What an update would change, and what it would replace."""
        kind, provider, ignored = _type(request.urn), self._providers.get(context.peer()), tuple(request.ignoreChanges)
        old, new = _properties(request.old_inputs), _properties(request.news)
        if provider is None:
            found = resource_type(kind).diff(request.urn, old, new, ignored)
        else:
            found = provider.diff(kind, request.urn, old, _properties(request.olds), new, ignored)
        return _diff(found.changed, found.replaces, delete_before_replace=found.delete_before_replace)

    def Create(self, request: Any, context: Any) -> Any:
        """Make the object; in a preview, what is known of it before."""
        kind, inputs = _type(request.urn), _properties(request.properties)
        if request.preview:
            return provider_pb2.CreateResponse(properties=_struct(resource_type(kind).preview(inputs, None)))
        with _refused(context):
            identifier, outputs = self._configured(context).create(kind, request.urn, inputs)
        return provider_pb2.CreateResponse(id=identifier, properties=_struct(outputs))

    def Read(self, request: Any, context: Any) -> Any:
        """What the object is now, for refresh, import and `.get`; an empty answer when it does not exist."""
        inputs, outputs = _properties(request.inputs), _properties(request.properties)
        with _refused(context):
            found = self._configured(context).read(_type(request.urn), request.urn, request.id, inputs, outputs)
        if found is None:
            return provider_pb2.ReadResponse()
        return provider_pb2.ReadResponse(id=found[0], inputs=_struct(found[1]), properties=_struct(found[2]))

    def Update(self, request: Any, context: Any) -> Any:
        """Bring the object to its new inputs; in a preview, what is known of it before."""
        kind, old, new = _type(request.urn), _properties(request.olds), _properties(request.news)
        if request.preview:
            return provider_pb2.UpdateResponse(properties=_struct(resource_type(kind).preview(new, old)))
        with _refused(context):
            outputs = self._configured(context).update(
                kind, request.urn, request.id, _properties(request.old_inputs), old, new
            )
        return provider_pb2.UpdateResponse(properties=_struct(outputs))

    def Delete(self, request: Any, context: Any) -> Any:
        """Remove the object; one that is gone already is success."""
        with _refused(context):
            inputs = _properties(request.old_inputs)
            self._configured(context).delete(_type(request.urn), request.urn, request.id, inputs)
        return empty_pb2.Empty()

    def Invoke(self, request: Any, context: Any) -> Any:
        """Answer a look-up."""
        with _refused(context):
            answer = self._configured(context).invoke(request.tok, _properties(request.args))
        answered = provider_pb2.InvokeResponse()
        getattr(answered, "return").CopyFrom(_struct(answer))  # a keyword of Python
        return answered

    def _configured(self, context: Any) -> AwsProvider:
        provider = self._providers.get(context.peer())
        if provider is None:
            raise ProviderError("the provider is not configured", ("Something in its settings is not known yet.",))
        return provider


@contextmanager
def _refused(context: Any) -> Iterator[None]:
    """Answer a call with what was refused in place of a traceback."""
    try:
        yield
    except (ProviderError, Refusal) as error:
        context.abort(grpc.StatusCode.UNKNOWN, str(error))


def _type(urn: str) -> str:
    """The type of the resource itself: a URN names those of its parents before it."""
    return urn.split("::")[2].rpartition("$")[2]


def _diff(changed: Any, replaces: Any, *, delete_before_replace: bool) -> Any:
    changes = provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE
    return provider_pb2.DiffResponse(
        changes=changes, diffs=changed, replaces=replaces, deleteBeforeReplace=delete_before_replace
    )


def _properties(struct: struct_pb2.Struct) -> Properties:
    """The wire's values as the types take them; a key that holds null does not exist."""
    properties: Properties = _without_null(plain(json_format.MessageToDict(struct)))
    return properties


def _without_null(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_null(inner) for key, inner in value.items() if inner is not None}
    return [_without_null(inner) for inner in value] if isinstance(value, list) else value


def _struct(properties: Mapping[str, Any]) -> struct_pb2.Struct:
    return json_format.ParseDict(mapped(_wire, properties), struct_pb2.Struct())


def _wire(value: Any) -> Any:
    if isinstance(value, Secret):
        return {SIGNATURE: SECRET, "value": mapped(_wire, value.value)}
    return UNKNOWN_TEXT if value is UNKNOWN else value


if __name__ == "__main__":
    resources = AwsResources(os.environ)
    serve(lambda server: provider_pb2_grpc.add_ResourceProviderServicer_to_server(resources, server))
