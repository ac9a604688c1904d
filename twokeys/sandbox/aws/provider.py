"""A provider of the package "aws" in the sandbox: what it makes, reads, changes and removes, by its own credentials."""

from __future__ import annotations

from collections.abc import Mapping

from botocore.exceptions import ClientError

from twokeys.sandbox.aws.calls import all_tags
from twokeys.sandbox.aws.catalogue import INVOKES, resource_type
from twokeys.sandbox.aws.client import Aws, ProviderError, absent, refusals
from twokeys.sandbox.aws.configuration import connect
from twokeys.sandbox.aws.resource_type import Diff, Properties, ResourceType, Secret


def configured(inputs: Properties, environment: Mapping[str, str]) -> AwsProvider:
    """A provider with its own credentials, got by assuming the configured roles; see `connect`."""
    return AwsProvider(connect(inputs, environment))


class AwsProvider:
    """One provider resource, with its own credentials."""

    def __init__(self, aws: Aws) -> None:
        self.aws = aws

    def create(self, type: str, urn: str, inputs: Properties) -> tuple[str, Properties]:
        """Make the object in the provider's account and return (id, outputs)."""
        known = resource_type(type)
        with refusals(f"creating {_label(urn)}", self.aws.endpoint):
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
        with refusals(f"reading {_label(urn)}", self.aws.endpoint):
            found = known.read(self.aws, id, {**outputs, **inputs})
        if found is None:
            return None
        state = self._merged(known, {**outputs, **inputs}, found)
        silent = known.computed | {"tagsAll"} | (known.shown if inputs else frozenset())
        read_inputs = {name: value for name, value in state.items() if name in inputs or (name not in silent and value)}
        return id, {**known.defaults, **read_inputs}, {**known.defaults, **state}

    def diff(  # noqa: PLR0913, PLR0917 - the engine's protocol
        self,
        type: str,
        urn: str,
        old_inputs: Properties,
        old_outputs: Properties,
        new_inputs: Properties,
        ignore_changes: tuple[str, ...],
    ) -> Diff:
        """The type's diff, and `tagsAll` when the provider's default tags changed."""
        known = resource_type(type)
        plain = known.diff(urn, old_inputs, new_inputs, ignore_changes)
        told = known.taggable and not {"tags", "tagsAll"} & {*plain.changed, *ignore_changes}
        if told and (old_outputs.get("tagsAll") or {}) != all_tags(self.aws, new_inputs):
            return Diff((*plain.changed, "tagsAll"), plain.replaces, plain.delete_before_replace)
        return plain

    def update(  # noqa: PLR0913, PLR0917 - the engine's protocol
        self, type: str, urn: str, id: str, old_inputs: Properties, old_outputs: Properties, new_inputs: Properties
    ) -> Properties:
        """Bring the object to the new inputs and return its outputs."""
        known = resource_type(type)
        if known.update is None:
            raise ProviderError(f"{_label(urn)} cannot be updated", (f"Every change of a {type} needs a new one.",))
        with refusals(f"updating {_label(urn)}", self.aws.endpoint):
            known.update(self.aws, id, {**old_outputs, **old_inputs}, new_inputs)
            return self._outputs(known, id, new_inputs, old_outputs, urn)

    def delete(self, type: str, urn: str, id: str, inputs: Properties) -> None:
        """Remove the object; one that is already gone is success."""
        with refusals(f"deleting {_label(urn)}", self.aws.endpoint):
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
            raise ProviderError(f"{_label(urn)} is gone right after it was written", (f"Its id was {identifier}.",))
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


def _label(urn: str) -> str:
    """A resource as people call it: its type and its logical name."""
    qualified, _, name = urn.rpartition("::")
    return f"{qualified.rpartition('::')[2].rpartition('$')[2]} {name}"
