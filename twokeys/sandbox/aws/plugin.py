"""The package "aws" of the sandbox: check, compare and preview without credentials; make providers that have some."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.metadata import version

from botocore.exceptions import ClientError

from twokeys.errors import Refusal
from twokeys.preview.values import has_unknown
from twokeys.sandbox.aws.catalogue import INVOKES, resource_type
from twokeys.sandbox.aws.client import Aws, absent, loopback_endpoint, refusals
from twokeys.sandbox.aws.configuration import check_configuration, connect, parse_configuration
from twokeys.sandbox.aws.errors import CheckFailure, Diff, ProviderError
from twokeys.sandbox.aws.resource_type import Properties, ResourceType, Secret
from twokeys.sandbox.aws.tags import all_tags


class AwsPlugin:
    """What an engine asks of the package before it has credentials.

    Args:
        environment: has AWS_ENDPOINT_URL, credentials and region, as for the AWS CLI; the process's own by default.

    Raises:
        Refusal: AWS_ENDPOINT_URL is set to anything but an endpoint on this machine.
    """

    name = "aws"
    version = version("pulumi-aws")

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = dict(os.environ if environment is None else environment)
        if "AWS_ENDPOINT_URL" in self._environment:
            loopback_endpoint(self._environment["AWS_ENDPOINT_URL"], where="AWS_ENDPOINT_URL")

    def check_config(self, urn: str, inputs: Properties) -> tuple[Properties, tuple[CheckFailure, ...]]:  # noqa: ARG002
        """The provider's inputs as the engine stores them; a setting that makes no difference here is kept."""
        return check_configuration(inputs), ()

    def is_configurable(self, inputs: Properties) -> bool:
        """Whether credentials can be got from these inputs already."""
        return not any(map(has_unknown, inputs.values()))

    def configure(self, inputs: Properties) -> AwsProvider:
        """A provider with its own credentials, got by assuming the configured roles.

        Raises:
            ProviderError: a role cannot be assumed, or the account is not an allowed one.
            Refusal: no local AWS is named.
        """
        endpoint = self._environment.get("AWS_ENDPOINT_URL")
        if not endpoint:
            raise Refusal(
                "the provider cannot be configured",
                where="AWS_ENDPOINT_URL",
                why="the sandbox speaks to a local AWS only, and none is named",
                next_step="Start it with `twokeys sandbox up`",
            )
        return AwsProvider(connect(parse_configuration(inputs, self._environment), endpoint))

    def check(
        self, type: str, urn: str, olds: Properties, news: Properties, random_seed: bytes
    ) -> tuple[Properties, tuple[CheckFailure, ...]]:
        """Inputs with defaults and automatic names; what the API would not accept, the API says."""
        return resource_type(type).check(urn, olds, news, random_seed), ()

    def diff(  # noqa: PLR0913, PLR0917 - the engine's protocol
        self,
        type: str,
        urn: str,
        id: str,  # noqa: ARG002
        old_inputs: Properties,
        old_outputs: Properties,  # noqa: ARG002
        new_inputs: Properties,
        ignore_changes: tuple[str, ...],
    ) -> Diff:
        """What changes from the old inputs to the new."""
        return resource_type(type).diff(urn, old_inputs, new_inputs, ignore_changes)

    def preview(self, type: str, urn: str, inputs: Properties, old_outputs: Properties | None) -> Properties:  # noqa: ARG002
        """What is known of the outputs before the operation."""
        return resource_type(type).preview(inputs, old_outputs)


class AwsProvider:
    """One provider resource, with its own credentials."""

    def __init__(self, aws: Aws) -> None:
        self.aws = aws

    def create(self, type: str, urn: str, inputs: Properties) -> tuple[str, Properties]:
        """Make the object in the provider's account and return (id, outputs)."""
        known = resource_type(type)
        with refusals(f"creating {_called(urn)}", self.aws.endpoint):
            made = known.create(self.aws, inputs)
            identifier, told_once = (made, {}) if isinstance(made, str) else made
            return identifier, self._outputs(known, identifier, inputs, told_once, urn)

    def read(
        self, type: str, urn: str, id: str, inputs: Properties, outputs: Properties
    ) -> tuple[str, Properties, Properties] | None:
        """What the object is now: (id, inputs, outputs), or None when it does not exist.

        With inputs, those that the program set; without (an import), all that are not merely computed.
        """
        known = resource_type(type)
        with refusals(f"reading {_called(urn)}", self.aws.endpoint):
            found = known.read(self.aws, id, {**outputs, **inputs})
        if found is None:
            return None
        state = self._merged(known, {**outputs, **inputs}, found)
        silent = known.computed | {"tagsAll"} | (known.shown if inputs else frozenset())
        read_inputs = {name: value for name, value in state.items() if name in inputs or (name not in silent and value)}
        return id, {**known.defaults, **read_inputs}, {**known.defaults, **state}

    def diff(  # noqa: PLR0913, PLR0917 - as the plugin's
        self,
        type: str,
        urn: str,
        id: str,  # noqa: ARG002
        old_inputs: Properties,
        old_outputs: Properties,
        new_inputs: Properties,
        ignore_changes: tuple[str, ...],
    ) -> Diff:
        """The plugin's diff, and `tagsAll` when the provider's default tags changed."""
        known = resource_type(type)
        plain = known.diff(urn, old_inputs, new_inputs, ignore_changes)
        told = known.taggable and not {"tags", "tagsAll"} & {*plain.changed, *ignore_changes}
        if told and (old_outputs.get("tagsAll") or {}) != all_tags(self.aws, new_inputs):
            return Diff((*plain.changed, "tagsAll"), plain.replaces, plain.delete_before_replace)
        return plain

    def update(  # noqa: PLR0913, PLR0917 - the engine's protocol
        self,
        type: str,
        urn: str,
        id: str,
        old_inputs: Properties,
        old_outputs: Properties,
        new_inputs: Properties,
    ) -> Properties:
        """Bring the object to the new inputs and return its outputs."""
        known = resource_type(type)
        if known.update is None:
            raise ProviderError(f"{_called(urn)} cannot be updated", (f"Every change of a {type} needs a new one.",))
        with refusals(f"updating {_called(urn)}", self.aws.endpoint):
            known.update(self.aws, id, {**old_outputs, **old_inputs}, new_inputs)
            return self._outputs(known, id, new_inputs, old_outputs, urn)

    def delete(self, type: str, urn: str, id: str, inputs: Properties, outputs: Properties) -> None:  # noqa: ARG002
        """Remove the object; one that is already gone is success."""
        with refusals(f"deleting {_called(urn)}", self.aws.endpoint):
            try:
                resource_type(type).delete(self.aws, id, inputs)
            except ClientError as error:
                if not absent(error):
                    raise

    def invoke(self, token: str, args: Properties) -> Properties:
        """Answer a look-up."""
        function = INVOKES.get(token)
        if function is None:
            raise ProviderError(f"the sandbox cannot answer {token}", ("Use the pulumi CLI with the aws plugin.",))
        with refusals(f"the look-up {token}", self.aws.endpoint):
            return function(self.aws, args)

    def close(self) -> None:
        """Close the provider's connections."""
        self.aws.close()

    def _outputs(
        self, known: ResourceType, identifier: str, inputs: Properties, earlier: Properties, urn: str
    ) -> Properties:
        found = known.read(self.aws, identifier, {**earlier, **inputs})
        if found is None:
            raise ProviderError(f"{_called(urn)} is gone right after it was written", (f"Its id was {identifier}.",))
        kept = {name: earlier[name] for name in known.computed & earlier.keys() - found.keys()}
        return self._merged(known, inputs, {**kept, **found})

    def _merged(self, known: ResourceType, declared: Properties, found: Properties) -> Properties:
        """What was found, in the declared form where both mean the same, and what the API does not tell as declared."""
        state = dict(found)
        if known.taggable:
            own = declared.get("tags") or {}
            if "tagsAll" not in found:
                state["tagsAll"] = all_tags(self.aws, declared)
            everything, default = state["tagsAll"] or {}, self.aws.default_tags
            state["tags"] = {k: v for k, v in everything.items() if k in own or default.get(k) != v} or None
        for name, value in declared.items():
            if name not in state or known.same_value(name, state[name], value):
                state[name] = value
        return {
            name: Secret(value) if name in known.secret and not isinstance(value, Secret) else value
            for name, value in state.items()
            if value is not None
        }


def _called(urn: str) -> str:
    """A resource as people call it: its type and its logical name."""
    qualified, _, name = urn.rpartition("::")
    return f"{qualified.rpartition('::')[2].rpartition('$')[2]} {name}"
